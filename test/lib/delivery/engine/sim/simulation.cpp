#include "test/lib/delivery/engine/sim/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

#include "lib/delivery/engine.hpp"
#include "test/lib/delivery/engine/sim/partner.hpp"
#include "test/lib/delivery/engine/sim/world.hpp"

namespace sgl::delivery::sim {

namespace {

using domain::Channel;
using domain::LetterState;
using domain::Reason;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array channels{Channel::dmp, Channel::mss_professional, Channel::mss_patient, Channel::dpi};
constexpr Duration with_faults = minutes(45);
constexpr Duration at_least = minutes(61);
constexpr Duration patience = hours(4);  ///< after the faults: every letter has ended by then, or never will

/// The database as daemons reach it.
struct Database {
    Instant away_until;
    unsigned failures{};  ///< of a thousand statements
};

class SimQueue final : public MemoryQueue {
public:
    SimQueue(Letters& letters, std::string owner, World& world, Process& process, const Database& database)
        : MemoryQueue(letters, std::move(owner)), world_(world), process_(process), database_(database) {}

    using LetterQueue::claim;
    asio::awaitable<std::vector<store::LeasedLetter>> claim(const std::vector<std::int32_t>& sites, Channel channel,
                                                            std::size_t limit, Duration lease, Instant now,
                                                            store::ClaimScope scope) override {
        const auto due = letters_.next_due(channel);
        if (world_.now() >= database_.away_until && (!due || *due > now)) return nothing();  // not worth a step
        return MemoryQueue::claim(sites, channel, limit, lease, now, std::move(scope));
    }
    asio::awaitable<void> travel() { return before(); }
    asio::awaitable<void> answer() { return after(); }

private:
    static asio::awaitable<std::vector<store::LeasedLetter>> nothing() { co_return std::vector<store::LeasedLetter>(); }
    asio::awaitable<void> before() override {
        co_await process_.delay(world_.random.between(milliseconds(1), milliseconds(30)));
        fail();
    }
    asio::awaitable<void> after() override {
        co_await process_.delay(world_.random.between(milliseconds(1), milliseconds(20)));
        fail();
    }
    void fail() {
        if (world_.now() < database_.away_until || world_.random.chance(database_.failures))
            throw std::runtime_error("the connection to the database broke");
    }

    World& world_;
    Process& process_;
    const Database& database_;
};

struct Daemon {
    std::string name;
    Duration ahead{};  ///< its clock
    std::shared_ptr<Process> process;
    std::unique_ptr<WallClock> clock;
    std::unique_ptr<SimQueue> queue;
    std::map<const Partner*, std::shared_ptr<SimChannel>> channels;
    std::unique_ptr<Engine> engine;
};

class Simulation {
public:
    Simulation(std::uint64_t seed, Mutant mutant, std::vector<std::string>* story)
        : world_(seed, Instant{std::chrono::sys_days{std::chrono::year{2026} / 3 / 14}}),
          random_(world_.random),
          letters_(mutant),
          mutant_(mutant),
          start_(world_.now()) {
        findings_.story = story;
        run_.seed = seed;
    }

    Run run() {
        set_up();
        world_.run(start_ + with_faults, {});
        end_faults();
        world_.run(start_ + with_faults + patience,
                   [this] { return world_.now() >= start_ + at_least && letters_.to_compose().empty() && quiet(); });
        run_.simulated = world_.now() - start_;
        check();
        for (auto& daemon : daemons_)
            kill(*daemon);
        run_.digest = findings_.digest;
        run_.violations = std::move(findings_.violations);
        findings_.seen["refused by the fence"] += letters_.refused_by_fence();
        findings_.seen["withdrawals of nothing, cancelled"] += letters_.needless_withdrawals();
        run_.seen = std::move(findings_.seen);
        return std::move(run_);
    }

private:
    void tell(const std::string& what) { findings_.happened(world_.now(), what); }
    Duration any(Duration least, Duration most) { return random_.between(least, most); }
    bool faulty() const { return world_.now() < start_ + with_faults; }

    // ── the laboratory ──

    void set_up() {
        add_partner("dmp", true);
        add_partner("operator", false);
        add_partner("citizen", false);
        const std::size_t dpis = 1 + random_.below(2);
        for (std::size_t i = 0; i < dpis; ++i) {
            add_partner(fmt::format("dpi{}", i + 1), true);
            context_.dpis.emplace_back(static_cast<std::int32_t>(i + 1));
            context_.dpi_names.push_back(fmt::format("dpi{}", i + 1));
        }
        for (const auto channel : channels) {
            domain::RetryPolicy policy;
            policy.delays = {seconds(5 + random_.below(20)), seconds(30 + random_.below(60)), minutes(2), minutes(5)};
            policy.give_up_after = random_.chance(300) ? minutes(15 + random_.below(30)) : hours(48);
            settings_.policies[channel] = policy;
            settings_.workers[channel] = 1 + random_.below(4);
        }
        settings_.lease = seconds(30 + random_.below(31));
        settings_.poll = seconds(15 + random_.below(30));
        settings_.breaker_failures = static_cast<unsigned>(2 + random_.below(4));
        settings_.breaker_pause = seconds(20 + random_.below(41));
        database_.failures = static_cast<unsigned>(random_.below(8));

        const std::size_t daemons = 1 + random_.below(3);
        for (std::size_t i = 0; i < daemons; ++i) {
            daemons_.push_back(std::make_unique<Daemon>());
            daemons_[i]->name = fmt::format("daemon{}", i + 1);
            daemons_[i]->ahead = any(-seconds(1), seconds(1));
            start(*daemons_[i]);
            plan_process_fault(*daemons_[i]);
        }
        const std::size_t reports = 3 + random_.below(5);
        for (std::size_t i = 0; i < reports; ++i)
            plan_report(i);
        for (auto& partner : partners_)
            plan_mood(*partner);
        plan_mailboxes();
        plan_outage();
        plan_operator();
        plan_haste();
    }

    void add_partner(std::string name, bool can_be_asked) {
        partners_.push_back(std::make_unique<Partner>(world_, letters_, findings_, std::move(name), can_be_asked));
    }

    Partner& partner_of(Channel channel, const std::optional<domain::PartnerId>& partner) {
        switch (channel) {
            case Channel::dmp:
                return *partners_[0];
            case Channel::mss_professional:
                return *partners_[1];
            case Channel::mss_patient:
                return *partners_[2];
            case Channel::dpi:
                return *partners_.at(static_cast<std::size_t>(partner.value().value()) + 2);
        }
        return *partners_[0];
    }

    static domain::Report a_report(Random& random, std::size_t number) {
        domain::Report report;
        domain::Ins ins{domain::InsMatricule::parse("279035121518989").value(), std::string(domain::oid::ins_nir_test)};
        report.patient.ins = Personal<domain::Ins>{std::move(ins)};
        report.patient.status =
            random.chance(850) ? domain::IdentityStatus::qualified : domain::IdentityStatus::validated;
        report.patient.choices.dmp_opposed = random.chance(80);
        report.patient.choices.messaging_opposed = random.chance(80);
        const std::size_t correspondents = 1 + random.below(3);
        for (std::size_t i = 0; i < correspondents; ++i) {
            domain::Correspondent one;
            one.professional.family = fmt::format("MEDECIN{}", (number + i) % 5);
            if (!random.chance(80)) one.mss_address = fmt::format("m{}@example", (number + i) % 5);
            report.correspondents.push_back(std::move(one));
        }
        return report;
    }

    void plan_report(std::size_t number) {
        Uuid uuid;
        uuid.bytes[15] = static_cast<std::uint8_t>(number + 1);
        const domain::ReportSetId set{uuid};
        sets_.push_back(set);
        const Duration first = any(seconds(1), minutes(35));
        domain::Report report = a_report(random_, number);
        world_.after(first, [this, set, report] { sign(set, report); });
        const std::size_t corrections = random_.below(4);
        for (std::size_t i = 0; i < corrections; ++i) {
            if (random_.chance(200)) report.patient.status = domain::IdentityStatus::qualified;  // the reception did
            world_.after(first + any(seconds(1), minutes(10)), [this, set, report] { sign(set, report); });
        }
        if (random_.chance(300)) world_.after(first + any(seconds(1), minutes(15)), [this, set] { withdraw(set); });
    }

    void sign(domain::ReportSetId set, domain::Report report) {
        const Version* last = letters_.last(set);
        if (last != nullptr && last->state != Version::State::published) return;
        const auto id = letters_.sign(set, report.patient.ins_may_leave());
        report.ids.set = set;
        report.ids.version_id = id;
        report.ids.version = letters_.version(id).number;
        tell(fmt::format("report {} version {} is signed", set.value().bytes[15], report.ids.version));
        reports_.emplace(id, std::move(report));
        for (auto& daemon : daemons_)
            publish_soon(*daemon);
    }

    void withdraw(domain::ReportSetId set) {
        const Version* last = letters_.last(set);
        if (last == nullptr || last->state != Version::State::published) return;
        // Whoever has it, or may have it, before anything changes.
        for (const Row& row : letters_.rows()) {
            const bool may_have = row.may_have_arrived || row.facts.state == LetterState::sending;
            if (row.version->set == set && row.act == domain::Act::deliver && may_have)
                to_be_told_.emplace(set, row.channel, row.key);
        }
        const auto letters = letters_.withdraw(set, world_.now());
        tell(fmt::format("report {} is withdrawn, {} letters", set.value().bytes[15], letters.value()));
        findings_.count("withdrawals");
        for (auto& daemon : daemons_) {
            if (daemon->engine) daemon->engine->wake();
        }
    }

    // ── daemons ──

    EngineSources sources(Daemon& daemon) {
        EngineSources sources;
        sources.sites = [] { return std::vector<std::int32_t>{1}; };
        sources.channel = [this, &daemon](const store::LeasedLetter& letter) -> Result<std::shared_ptr<Channel_>> {
            if (faulty() && random_.chance(4)) return Error{Fault::missing, "partner", "none is configured"};
            if (faulty() && random_.chance(10)) return Error{Fault::unavailable, "partner", "its file can't be read"};
            return std::shared_ptr<Channel_>(daemon.channels.at(&partner_of(letter.channel, letter.partner)));
        };
        sources.report = [this, &daemon](domain::ReportVersionId id) { return report_of(daemon, id); };
        sources.documents = [this, &daemon](domain::ReportVersionId) { return documents_of(daemon); };
        Process& process = *daemon.process;
        sources.timer = [&process](const asio::any_io_executor&) { return process.timer(); };
        return sources;
    }
    using Channel_ = delivery::Channel;

    asio::awaitable<Result<domain::Report>> report_of(Daemon& daemon, domain::ReportVersionId id) {
        co_await daemon.queue->travel();
        domain::Report report;
        report.ids = reports_.at(id).ids;
        co_return report;
    }
    asio::awaitable<Result<Documents>> documents_of(Daemon& daemon) {
        co_await daemon.queue->travel();
        if (faulty() && random_.chance(3)) co_return Error{Fault::malformed, "document", "the bytes changed"};
        if (faulty() && random_.chance(10)) co_return Error{Fault::unavailable, "document", "not now"};
        Documents documents;
        co_return documents;
    }

    void start(Daemon& daemon) {
        tell(daemon.name + " starts");
        daemon.process = world_.start();
        daemon.clock = std::make_unique<WallClock>(world_, daemon.ahead);
        daemon.queue = std::make_unique<SimQueue>(letters_, daemon.name, world_, *daemon.process, database_);
        const std::weak_ptr<Process> which = daemon.process;
        const auto half_way = [this, &daemon, which] {
            if (!faulty() || !random_.chance(25)) return;
            world_.after(Duration{0}, [this, &daemon, which] {
                if (daemon.process && daemon.process == which.lock())
                    stand_still(daemon, any(settings_.lease, settings_.lease * 6));
            });
        };
        for (auto& partner : partners_) {
            daemon.channels[partner.get()] =
                std::make_shared<SimChannel>(world_, *daemon.process, *partner, findings_, mutant_, half_way);
        }
        daemon.engine = std::make_unique<Engine>(*daemon.queue, *daemon.clock, settings_, sources(daemon));
        asio::co_spawn(daemon.process->executor(), daemon.engine->run(), [this, &daemon](std::exception_ptr thrown) {
            if (thrown) findings_.violated("the engine threw");
            world_.after(Duration{0}, [this, &daemon] {
                kill(daemon);
                start(daemon);
            });
        });
        publish_soon(daemon);
    }

    void kill(Daemon& daemon) {
        daemon.process.reset();  // with every coroutine, wherever it stands
        daemon.engine.reset();
        daemon.channels.clear();
        daemon.queue.reset();
    }

    void publish_soon(Daemon& daemon) {
        if (daemon.process) asio::co_spawn(daemon.process->executor(), publish(daemon), asio::detached);
    }

    asio::awaitable<void> publish(Daemon& daemon) {
        while (!letters_.to_compose().empty()) {
            co_await daemon.process->delay(any(milliseconds(50), seconds(4)));
            try {
                const auto waiting = letters_.to_compose();
                for (const auto id : waiting) {
                    const auto letters = domain::plan(reports_.at(id), context_);
                    co_await daemon.queue->travel();
                    if (!letters_.publish(id, letters, daemon.clock->now())) continue;
                    tell(fmt::format("{} publishes report {} version {}: {} letters", daemon.name,
                                     letters_.version(id).set.value().bytes[15], letters_.version(id).number,
                                     letters.size()));
                    co_await daemon.queue->answer();
                    daemon.engine->wake();
                }
            } catch (const std::runtime_error&) {
                findings_.count("publishing interrupted");
            }
        }
    }

    // ── what goes wrong ──

    void plan_process_fault(Daemon& daemon) {
        world_.after(any(seconds(20), minutes(6)), [this, &daemon] {
            if (!faulty()) return;
            process_fault(daemon);
            plan_process_fault(daemon);
        });
    }

    void process_fault(Daemon& daemon) {
        if (!daemon.process || daemon.process->stopped()) return;
        switch (random_.below(4)) {
            case 0:
                die(daemon);
                break;
            case 1: {  // in the middle of what it does
                const auto step = static_cast<unsigned>(1 + random_.below(40));
                const std::weak_ptr<Process> which = daemon.process;
                daemon.process->at_step(step, [this, &daemon, which] {
                    if (faulty() && daemon.process == which.lock()) die(daemon);
                });
                break;
            }
            case 2: {
                const Duration time = any(seconds(5), settings_.lease * 4);
                const auto step = static_cast<unsigned>(1 + random_.below(20));
                const std::weak_ptr<Process> which = daemon.process;
                daemon.process->at_step(step, [this, &daemon, which, time] {
                    if (faulty() && daemon.process == which.lock()) stand_still(daemon, time);
                });
                break;
            }
            default:
                if (daemon.engine) {
                    tell(daemon.name + " is restarted");
                    findings_.count("restarts");
                    daemon.engine->stop();
                }
        }
    }

    void die(Daemon& daemon) {
        if (!daemon.process) return;
        tell(daemon.name + " is killed");
        findings_.count("kills");
        kill(daemon);
        world_.after(any(seconds(6), seconds(100)), [this, &daemon] {
            if (!daemon.process) start(daemon);
        });
    }

    void stand_still(Daemon& daemon, Duration time) {
        if (!daemon.process || daemon.process->stopped()) return;
        tell(daemon.name + " is stopped");
        findings_.count(time > settings_.lease ? "stops longer than the lease" : "stops");
        daemon.process->stop();
        const std::weak_ptr<Process> which = daemon.process;
        world_.after(time, [this, which, &daemon] {
            const auto process = which.lock();
            if (!process || !process->stopped()) return;
            tell(daemon.name + " goes on");
            process->go_on();
        });
    }

    void plan_mood(Partner& partner) {
        world_.after(any(seconds(5), minutes(7)), [this, &partner] {
            if (!faulty()) return;
            partner.mood = bad_moods[random_.below(bad_moods.size())];
            tell(fmt::format("{} is {}", partner.name(), to_string(partner.mood)));
            findings_.count(std::string("partner ") + std::string(to_string(partner.mood)));
            world_.after(any(seconds(5), minutes(6)), [this, &partner] {
                partner.mood = Mood::up;
                tell(partner.name() + " is up");
                plan_mood(partner);
            });
        });
    }
    void plan_mailboxes() {
        for (int i = 0; i < 5; ++i) {
            if (random_.chance(150)) mailbox(*partners_[1], i, Mailbox::full);
            if (random_.chance(50)) mailbox(*partners_[1], i, Mailbox::unknown);
        }
        if (random_.chance(60)) partners_[0]->mailboxes["DMP"] = Mailbox::closed;
    }
    static void mailbox(Partner& partner, int number, Mailbox box) {
        partner.mailboxes[fmt::format("MEDECIN{} @m{}@example", number, number)] = box;
    }

    void plan_outage() {
        world_.after(any(minutes(2), minutes(15)), [this] {
            if (!faulty()) return;
            database_.away_until = std::min(world_.now() + any(seconds(2), seconds(90)), start_ + with_faults);
            tell("the database is away");
            findings_.count("database outages");
            plan_outage();
        });
    }

    void plan_operator() {
        world_.after(any(seconds(10), seconds(90)), [this] {
            if (!faulty()) return;
            for (int tries = 0; tries < 4; ++tries)
                person_acts();
            plan_operator();
        });
    }

    /// A report is withdrawn while one of its letters is on its way to a partner that takes nothing.
    void plan_haste() {
        world_.after(any(milliseconds(50), milliseconds(700)), [this] {
            if (!faulty()) return;
            for (const Row& row : letters_.rows()) {
                const auto mood = partner_of(row.channel, row.partner).mood;
                const bool vain = mood == Mood::down || mood == Mood::refusing || mood == Mood::rejecting;
                const bool under_way =
                    row.facts.state == LetterState::sending && row.act == domain::Act::deliver && !row.may_have_arrived;
                if (!vain || !under_way || !random_.chance(250)) continue;
                withdraw(row.version->set);
                break;
            }
            plan_haste();
        });
    }

    void person_acts() {
        if (letters_.rows().empty()) return;
        const Row& row = letters_.rows()[random_.below(letters_.rows().size())];
        const std::uint64_t choice = random_.below(20);
        domain::LetterEvent event = domain::letter_event::Retried{};
        std::string verb = "retried";
        if (choice < 4) {
            event = domain::letter_event::Held{};
            verb = "held";
        } else if (choice < 6) {
            event = domain::letter_event::Abandoned{};
            verb = "abandoned";
        }
        const auto before = row.facts.state;
        const auto done = letters_.act(row.id, event, settings_.policies.at(row.channel), world_.now());
        if (!done) {
            if (done.error() == store::overtaken()) findings_.count("retries of what was overtaken, refused");
            return;
        }
        findings_.count("letters " + verb + " by a person");
        tell(fmt::format("letter {} ({}) is {}", to_string(row.id.value()).substr(24), to_string(before), verb));
    }

    void end_faults() {
        tell("the faults end");
        database_ = Database{};
        for (auto& partner : partners_) {
            partner->mood = Mood::up;
            std::erase_if(partner->mailboxes, [](const auto& box) { return box.second == Mailbox::full; });
        }
        for (auto& daemon : daemons_) {
            if (!daemon->process) start(*daemon);
            if (daemon->process->stopped()) daemon->process->go_on();
        }
        for (const Row& row : letters_.rows()) {
            if (row.facts.state != LetterState::held) continue;
            const auto act = [&](const domain::LetterEvent& event) {
                return letters_.act(row.id, event, settings_.policies.at(row.channel), world_.now());
            };
            auto done = act(domain::letter_event::Retried{});
            // Of a report that was withdrawn or replaced meanwhile: the person is told that it never leaves, and ends
            // it.
            if (!done && done.error() == store::overtaken()) done = act(domain::letter_event::Abandoned{});
            if (!done) findings_.violated("I5: a held letter can't be released: " + to_string(done.error()));
        }
    }

    // ── what must hold at the end ──

    bool quiet() const {
        return std::ranges::all_of(letters_.rows(), [](const Row& row) { return ended(row.facts.state); });
    }
    static bool ended(LetterState state) {
        return state != LetterState::due && state != LetterState::sending && state != LetterState::retry &&
               state != LetterState::in_doubt && state != LetterState::held;
    }

    std::string name_of(const Row& row) const {
        return fmt::format("letter {} ({} to {}, report {} version {}, {})", to_string(row.id.value()).substr(24),
                           to_string(row.channel), row.key, row.version->set.value().bytes[15], row.version->number,
                           to_string(row.act));
    }

    void check() {
        // I4: the letters that the plan asks for, each once.
        for (const Version& version : letters_.versions()) {
            if (version.state == Version::State::validated) {
                findings_.violated("I5: a signed version was never published");
                continue;
            }
            std::multiset<std::pair<Channel, std::string>> wanted;
            for (const auto& planned : domain::plan(reports_.at(version.id), context_))
                wanted.emplace(planned.channel, planned.recipient_key);
            std::multiset<std::pair<Channel, std::string>> there;
            for (const Row& row : letters_.rows()) {
                if (row.version->id == version.id && row.act == domain::Act::deliver)
                    there.emplace(row.channel, row.key);
            }
            if (wanted != there)
                findings_.violated(fmt::format("I4: report {} version {} has {} letters and needs {}",
                                               version.set.value().bytes[15], version.number, there.size(),
                                               wanted.size()));
        }
        for (const auto& [set, channel, key] : to_be_told_)
            check_told(set, channel, key);
        for (const Row& row : letters_.rows())
            check_withdrawn(row);
        for (const Row& row : letters_.rows())
            check(row);
    }

    /// Whatever the letters say: who took a report that was withdrawn is told so, or a person said that he need not be.
    void check_withdrawn(const Row& row) {
        const bool arrived = row.act == domain::Act::deliver && partner_of(row.channel, row.partner).times(row.id) > 0;
        if (!arrived || letters_.last(row.version->set)->state != Version::State::withdrawn) return;
        const bool told = std::ranges::any_of(letters_.rows(), [&](const Row& one) {
            return one.version->set == row.version->set && one.channel == row.channel && one.key == row.key &&
                   one.act == domain::Act::withdraw && one.version->number >= row.version->number && !one.needless;
        });
        if (!told)
            findings_.violated("I8: " + name_of(row) + " arrived, was withdrawn, and nobody tells the recipient");
        findings_.count("withdrawn reports that somebody has");
    }

    /// Who has or may have a withdrawn report is told once, about the newest version of it that he may have; who turned
    /// out to have nothing is told nothing.
    void check_told(domain::ReportSetId set, Channel channel, const std::string& key) {
        unsigned has = 0;
        std::size_t told = 0;
        std::size_t about_that = 0;
        const auto mine = [&](const Row& row) {
            return row.version->set == set && row.channel == channel && row.key == key;
        };
        for (const Row& row : letters_.rows()) {
            if (mine(row) && row.act == domain::Act::deliver && (row.may_have_arrived || row.possible_duplicate))
                has = std::max(has, row.version->number);
        }
        for (const Row& row : letters_.rows()) {
            if (!mine(row) || row.act != domain::Act::withdraw) continue;
            const bool abandoned_by_a_person = row.version->number > has && !row.needless;
            if (row.version->number == has || abandoned_by_a_person) ++about_that;
            if (row.facts.state != LetterState::cancelled) ++told;
            if (row.facts.state != LetterState::cancelled && row.version->number != has)
                findings_.violated("I4: " + name_of(row) + " is about what nobody has");
        }
        if (told > 1 || (has > 0 && about_that != 1))
            findings_.violated(fmt::format("I4: {} withdrawals of report {} to {}", told, set.value().bytes[15], key));
    }

    void check(const Row& row) {
        const LetterState state = row.facts.state;
        findings_.count(std::string("ended ") + std::string(to_string(state)));
        if (!ended(state)) findings_.violated("I5: " + name_of(row) + " is still " + std::string(to_string(state)));
        const bool silent =
            row.facts.reason == Reason::none &&
            (state == LetterState::dead || state == LetterState::blocked || state == LetterState::not_applicable);
        if (silent) findings_.violated("I5: " + name_of(row) + " ended without a reason");
        Partner& partner = partner_of(row.channel, row.partner);
        if (state == LetterState::accepted && partner.times(row.id) == 0 && !partner.has_lied(row.id))
            findings_.violated("I6: " + name_of(row) + " is accepted, and nobody has it");
        // I8: whoever has the report has its newest version, or there is a word why not.
        const auto taken = partner.taken_of(row.version->set, row.channel, row.key);
        const bool newest_taken = std::ranges::any_of(
            taken, [&](const Arrival& arrival) { return letters_.row(arrival.letter).rank() >= row.rank(); });
        if (state == LetterState::accepted && !partner.has_lied(row.id) && !newest_taken)
            findings_.violated("I8: " + name_of(row) + " is accepted, and an older version is the current one");
        const bool withdrawn = row.version->state == Version::State::withdrawn && row.act == domain::Act::deliver;
        if (withdrawn && state == LetterState::accepted &&
            !to_be_told_.contains({row.version->set, row.channel, row.key}))
            findings_.violated("I8: " + name_of(row) + " arrived though its report had been withdrawn");
    }

    World world_;
    Random& random_;
    Letters letters_;
    Mutant mutant_;
    Instant start_;
    Findings findings_;
    Run run_;
    Database database_;
    EngineSettings settings_;
    domain::PlanContext context_;
    std::vector<std::unique_ptr<Partner>> partners_;
    std::vector<domain::ReportSetId> sets_;
    std::map<domain::ReportVersionId, domain::Report> reports_;
    std::set<std::tuple<domain::ReportSetId, Channel, std::string>> to_be_told_;
    std::vector<std::unique_ptr<Daemon>> daemons_;
};

}  // namespace

Run simulate(std::uint64_t seed, Mutant mutant, std::vector<std::string>* story) {
    return Simulation(seed, mutant, story).run();
}

}  // namespace sgl::delivery::sim
