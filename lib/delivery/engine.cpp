#include "lib/delivery/engine.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <iterator>
#include <utility>

#include "lib/base/log.hpp"

namespace sgl::delivery {

namespace {

constexpr std::array channels{domain::Channel::dmp, domain::Channel::mss_professional, domain::Channel::mss_patient,
                              domain::Channel::dpi};

using LaneKey = std::pair<domain::Channel, store::Destination>;
LaneKey lane_of(const store::LeasedLetter& letter) {
    return {letter.channel, {letter.legal_entity, letter.partner}};
}

domain::LetterEvent event_of(const Outcome& outcome) {
    switch (outcome.kind) {
        case Outcome::Kind::accepted:
            return domain::letter_event::Accepted{};
        case Outcome::Kind::refused:
            return domain::letter_event::Refused{outcome.reason};
        case Outcome::Kind::try_later:
            return domain::letter_event::TryLater{outcome.reason};
        case Outcome::Kind::in_doubt:
            return domain::letter_event::InDoubt{};
        case Outcome::Kind::not_applicable:
            return domain::letter_event::NotApplicable{outcome.reason};
    }
    return domain::letter_event::InDoubt{};
}

}  // namespace

/// The letters of one channel to one destination; it has workers of its own, so that one that never answers holds none
/// of another's. After failures in a row it rests; then one letter tries, and each that gets through lets one more go
/// at a time, until nothing is held back any more. One failure on that way: it rests again.
struct Engine::Lane {
    std::size_t in_flight{};
    unsigned failures{};              ///< in a row
    std::optional<std::size_t> most;  ///< in flight at once after rests_until; nullopt: all its workers
    Instant rests_until;

    std::size_t free(std::size_t workers) const {
        const std::size_t allowed = most ? std::min(*most, workers) : workers;
        return allowed > in_flight ? allowed - in_flight : 0;
    }
};

/// Behind the letters of destinations that are held back there was none for another. To look again is to read past all
/// of them, and after an outage they are many.
struct Engine::Quiet {
    std::vector<store::Destination> held;  ///< in order; empty: not known
    Instant since;
    bool news{};  ///< something was published meanwhile
};

struct Engine::State {
    bool stopping{};
    std::size_t tasks{};  ///< coroutines of ours that have not ended
    std::map<LaneKey, Lane> lanes;
    std::map<domain::Channel, Quiet> quiet;
    std::vector<std::weak_ptr<Timer>> sleepers;
};

/// Renews a lease until its letter is done.
struct Engine::Keeper {
    Keeper(std::shared_ptr<Timer> waits, Instant lease_until) : timer(std::move(waits)), until(lease_until) {}
    void end() {
        done = true;
        timer->cancel();
    }
    std::shared_ptr<Timer> timer;
    Instant until;  ///< what the store last promised
    bool done{};
};

Engine::Engine(store::LetterQueue& outbox, const Clock& clock, EngineSettings settings, EngineSources sources)
    : outbox_(outbox),
      clock_(clock),
      settings_(std::move(settings)),
      sources_(std::move(sources)),
      state_(std::make_unique<State>()) {}

Engine::~Engine() = default;

const domain::RetryPolicy& Engine::policy(domain::Channel channel) const {
    return settings_.policies.at(channel);
}

void Engine::wake() {
    for (auto& [channel, quiet] : state_->quiet)
        quiet.news = true;
    wake_all();
}

void Engine::wake_all() {
    for (const auto& sleeper : state_->sleepers) {
        if (const auto timer = sleeper.lock()) timer->cancel();
    }
    state_->sleepers.clear();
}

void Engine::stop() {
    state_->stopping = true;
    wake();
}

asio::awaitable<void> Engine::pause(Duration time) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const std::shared_ptr<Timer> timer = sources_.timer(executor);
    state_->sleepers.push_back(timer);
    co_await timer->wait(time);
    std::erase_if(state_->sleepers, [](const auto& sleeper) { return sleeper.expired(); });
}

asio::awaitable<void> Engine::run() {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    bool claiming = false;
    while (!state_->stopping) {
        try {
            const std::vector<std::int32_t> sites = sources_.sites();
            // What carries our name and is still "sending" was ours before we died. Only then is anything new claimed:
            // after that the name alone proves nothing.
            const std::size_t back = co_await outbox_.reclaim(sites, !claiming, clock_.now());
            if (back > 0) {
                log::warn("letters taken back from a worker that is gone", {{"letters", back}});
                wake();
            }
            if (!claiming) {
                claiming = true;
                for (const auto channel : channels) {
                    ++state_->tasks;
                    asio::co_spawn(executor, run_channel(channel), asio::detached);
                }
            }
        } catch (const std::exception&) {
            log::warn("letters can't be taken back now");
        }
        const Duration rest =
            claiming ? std::min<Duration>(settings_.lease / 4, std::chrono::seconds(10)) : settings_.poll;
        co_await pause(rest);
    }
    while (state_->tasks > 0)
        co_await pause(std::chrono::milliseconds(20));
}

/// Claims and starts; how many. Each is on its way before anything else is asked of the database.
asio::awaitable<std::size_t> Engine::start(domain::Channel channel, std::size_t most, store::ClaimScope scope) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const std::vector<std::int32_t> sites = sources_.sites();
    std::vector<store::LeasedLetter> claimed =
        co_await outbox_.claim(sites, channel, most, settings_.lease, clock_.now(), std::move(scope));
    for (auto& letter : claimed) {
        ++state_->tasks;
        ++state_->lanes[lane_of(letter)].in_flight;
        asio::co_spawn(executor, deliver(std::move(letter)), asio::detached);
    }
    co_return claimed.size();
}

/// Starts what may be; for how long nothing else is to do.
asio::awaitable<Duration> Engine::start_due(domain::Channel channel) {
    const std::size_t workers = settings_.workers.at(channel);
    store::ClaimScope held_back;  // their letters wait untouched: no attempt is counted, no delay grows
    std::vector<std::pair<store::Destination, std::size_t>> opening;
    std::size_t all_have = workers;
    for (const auto& [key, lane] : state_->lanes) {
        if (key.first != channel) continue;
        const std::size_t free = lane.free(workers);
        if (lane.most || free == 0) {
            held_back.destinations.push_back(key.second);
            if (lane.most && free > 0 && clock_.now() >= lane.rests_until) opening.emplace_back(key.second, free);
        } else {
            all_have = std::min(all_have, free);
        }
    }
    for (const auto& [destination, most] : opening) {
        store::ClaimScope this_one{{destination}, true};
        co_await start(channel, most, std::move(this_one));
    }
    Quiet& quiet = state_->quiet[channel];
    const std::vector<store::Destination> held = held_back.destinations;
    const Instant now = clock_.now();
    if (!held.empty() && !quiet.held.empty() && std::ranges::includes(held, quiet.held) && now >= quiet.since) {
        const Instant again = quiet.since + (quiet.news ? settings_.poll / 8 : settings_.poll);
        if (now < again) co_return again - now;
    }
    quiet.news = false;
    // No more than the busiest of the others can take: all may be for that one.
    const std::size_t started = co_await start(channel, all_have, std::move(held_back));
    if (started == 0 && !held.empty()) {
        quiet.held = held;
        quiet.since = now;
    }
    co_return started == all_have ? Duration{std::chrono::milliseconds(20)} : settings_.poll;
}

asio::awaitable<void> Engine::run_channel(domain::Channel channel) {
    while (!state_->stopping) {
        Duration rest = settings_.poll;
        try {
            rest = co_await start_due(channel);
        } catch (const std::exception&) {
            log::warn("letters can't be claimed now", {{"channel", log::Token{to_string(channel)}}});
        }
        if (state_->stopping) break;
        co_await pause(rest);
    }
    --state_->tasks;
    wake_all();
}

asio::awaitable<void> Engine::keep_lease(std::shared_ptr<Keeper> keeper, store::LeasedLetter letter) {
    while (!keeper->done) {
        co_await keeper->timer->wait(settings_.lease / 3);
        if (keeper->done) break;
        try {
            const Instant now = clock_.now();
            const bool ours = co_await outbox_.renew(letter, settings_.lease, now);
            if (!ours) {  // taken over; the fencing token refuses what we still write
                keeper->until = now;
                break;
            }
            keeper->until = now + settings_.lease;
        } catch (const std::exception&) {
            log::warn("lease not renewed", {{"letter", letter.id}});
        }
    }
    --state_->tasks;
    wake_all();
}

/// What an attempt says about its destination.
void Engine::remember(const store::LeasedLetter& letter, const Outcome& outcome) {
    auto& lane = state_->lanes[lane_of(letter)];
    const bool failed = !outcome.recipient_only &&
                        (outcome.kind == Outcome::Kind::try_later || outcome.kind == Outcome::Kind::in_doubt);
    const bool rested = lane.failures >= settings_.breaker_failures;
    const auto say = [&](log::Level level, std::string_view sentence) {
        log::write(level, sentence,
                   {{"channel", log::Token{to_string(letter.channel)}},
                    {"legal_entity", letter.legal_entity},
                    {"partner", letter.partner ? letter.partner->value() : 0}});
    };
    if (failed) {
        // While it opens one failure is enough.
        lane.failures = lane.most ? std::max(lane.failures + 1, settings_.breaker_failures) : lane.failures + 1;
        if (lane.failures < settings_.breaker_failures) return;
        lane.most = 1;
        lane.rests_until = clock_.now() + settings_.breaker_pause;
        if (!rested) say(log::Level::warn, "a destination rests after several failures");
        return;
    }
    lane.failures = 0;
    if (!lane.most) return;
    lane.rests_until = clock_.now();
    if (++*lane.most > settings_.workers.at(letter.channel)) lane.most.reset();
    if (rested) say(log::Level::info, "a destination answers again");
}

asio::awaitable<void> Engine::deliver(store::LeasedLetter letter) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    // Shared with the coroutine that renews.
    const auto keeper = std::make_shared<Keeper>(sources_.timer(executor), letter.lease_until);
    ++state_->tasks;
    asio::co_spawn(executor, keep_lease(keeper, letter), asio::detached);
    try {
        Outcome outcome = co_await attempt(letter, keeper);
        // Who could not be asked this time leaves the doubt as it was: the earlier bytes may still have arrived.
        if (letter.was_in_doubt && outcome.kind == Outcome::Kind::try_later) outcome.kind = Outcome::Kind::in_doubt;
        remember(letter, outcome);
        const Instant now = clock_.now();
        const domain::LetterEvent event = event_of(outcome);
        const Result<domain::LetterFacts> next = domain::decide(letter.facts, event, now, policy(letter.channel));
        if (next) {
            store::LetterOutcome written;
            written.facts = *next;
            written.partner_reference = outcome.partner_reference;
            written.possible_duplicate = outcome.possible_duplicate;
            written.in_doubt = outcome.kind == Outcome::Kind::in_doubt;
            if (outcome.error) {
                written.error_where = outcome.error->where;
                written.error_what = outcome.error->what;
            }
            const bool ours = co_await outbox_.complete(letter, written, now);
            log::info("letter", {{"letter", letter.id},
                                 {"report", letter.version},
                                 {"channel", log::Token{to_string(letter.channel)}},
                                 {"state", log::Token{to_string(next->state)}},
                                 {"reason", log::Token{to_string(next->reason)}},
                                 {"attempt", letter.facts.attempts},
                                 {"recorded", ours}});
            if (outcome.error) log::warn("letter refused or delayed", *outcome.error);
        }
    } catch (const std::exception&) {
        // Nothing written: the lease ends and the letter is in doubt, as after a crash.
        log::error("letter not recorded", {{"letter", letter.id}});
    }
    keeper->end();
    --state_->lanes[lane_of(letter)].in_flight;
    --state_->tasks;
    wake_all();
}

asio::awaitable<Outcome> Engine::attempt(const store::LeasedLetter& leased, std::shared_ptr<Keeper> keeper) {
    const Result<std::shared_ptr<Channel>> channel = sources_.channel(leased);
    if (!channel) {
        if (channel.error().fault == Fault::missing)
            co_return refused(domain::Reason::partner_not_configured, channel.error());
        co_return try_later(domain::Reason::certificate_expired, channel.error());
    }
    Result<domain::Report> report = co_await sources_.report(leased.version);
    if (!report) co_return try_later(domain::Reason::partner_unavailable, report.error());
    Result<Documents> documents = co_await sources_.documents(leased.version);
    if (!documents) {
        // SEC-61: bytes that changed are never sent.
        if (documents.error().fault == Fault::malformed)
            co_return refused(domain::Reason::integrity, documents.error());
        co_return try_later(domain::Reason::partner_unavailable, documents.error());
    }
    Letter letter;
    letter.id = leased.id;
    letter.channel = leased.channel;
    letter.act = leased.act;
    letter.recipient_key = leased.recipient_key;
    letter.recipient_name = leased.recipient_name;
    letter.address = Personal<std::string>{leased.address};
    letter.partner = leased.partner;
    letter.attempt = leased.facts.attempts;
    letter.in_doubt = leased.was_in_doubt;
    letter.sent_at = leased.sent_at;
    letter.first_arrived = leased.first_arrived;
    // A tenth for the clocks of two machines.
    letter.lease_holds = [this, keeper] { return clock_.now() < keeper->until - settings_.lease / 10; };
    if (!letter.may_leave()) co_return overslept();
    try {
        co_return co_await (*channel)->deliver(letter, *report, *documents);
    } catch (const std::exception&) {
        // A channel does not throw for what a partner does: what it had sent by then, nobody knows.
    }
    co_return in_doubt(Error{Fault::unavailable, "channel", "the attempt was cut short"});
}

}  // namespace sgl::delivery
