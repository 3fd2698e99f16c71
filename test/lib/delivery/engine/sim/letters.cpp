#include "test/lib/delivery/engine/sim/letters.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sgl::delivery::sim {

using domain::Act;
using domain::Channel;
using domain::LetterState;
using domain::Reason;

namespace {

Uuid numbered(std::uint8_t kind, std::uint64_t number) {
    Uuid uuid;
    uuid.bytes[0] = kind;
    for (std::size_t i = 0; i < 8; ++i)
        uuid.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    return uuid;
}

bool waits(LetterState state) {
    return state == LetterState::due || state == LetterState::retry || state == LetterState::in_doubt;
}
bool may_leave(LetterState state) {
    return waits(state) || state == LetterState::sending || state == LetterState::accepted ||
           state == LetterState::delivered;
}

}  // namespace

std::string_view to_string(Mutant mutant) {
    switch (mutant) {
        case Mutant::none:
            return "none";
        case Mutant::deaf_to_fences:
            return "deaf_to_fences";
        case Mutant::lets_overtake:
            return "lets_overtake";
        case Mutant::forgets_doubt:
            return "forgets_doubt";
        case Mutant::claims_twice:
            return "claims_twice";
        case Mutant::revives_the_old:
            return "revives_the_old";
        case Mutant::keeps_the_withdrawn:
            return "keeps_the_withdrawn";
        case Mutant::withdraws_from_none:
            return "withdraws_from_none";
        case Mutant::loses_a_letter:
            return "loses_a_letter";
        case Mutant::without_guard:
            return "without_guard";
        case Mutant::never_again:
            return "never_again";
        case Mutant::oversleeps:
            return "oversleeps";
        case Mutant::follows_nothing:
            return "follows_nothing";
    }
    return "";
}

const Version* Letters::last(domain::ReportSetId set) const {
    const auto found = by_set_.find(set);
    return found == by_set_.end() ? nullptr : found->second.back();
}

std::vector<Version*> Letters::of(domain::ReportSetId set) {
    return by_set_[set];
}

domain::ReportVersionId Letters::sign(domain::ReportSetId set, bool qualified) {
    auto& all = by_set_[set];
    Version version;
    version.set = set;
    version.id = domain::ReportVersionId{numbered(0x70, ++ids_)};
    version.number = static_cast<unsigned>(all.size()) + 1;
    version.qualified = qualified;
    versions_.push_back(version);
    all.push_back(&versions_.back());
    versions_by_id_[version.id] = &versions_.back();
    return version.id;
}

std::vector<domain::ReportVersionId> Letters::to_compose() const {
    std::vector<domain::ReportVersionId> ids;
    for (const auto& version : versions_) {
        if (version.state == Version::State::validated) ids.push_back(version.id);
    }
    return ids;
}

Row& Letters::add(const Version& version, Channel channel, Act act, std::string key, Instant now) {
    Row row;
    row.id = domain::LetterId{numbered(0x1e, ++ids_)};
    row.version = &version;
    row.channel = channel;
    row.act = act;
    row.key = std::move(key);
    row.facts.created_at = now;
    row.facts.next_attempt_at = now;
    auto& stream = streams_[Stream{version.set, channel, row.key}];
    const bool twice =
        std::ranges::any_of(stream, [&](const Row* one) { return one->version == &version && one->act == act; });
    if (twice) throw std::logic_error("a letter is made once");
    rows_.push_back(std::move(row));
    Row& kept = rows_.back();
    stream.push_back(&kept);
    by_id_[kept.id] = &kept;
    by_channel_[channel].push_back(&kept);
    return kept;
}

void Letters::put(Row& row, LetterState state, Reason reason) {
    const bool needs_ins = row.channel == Channel::dmp || row.channel == Channel::mss_patient;
    if (mutant_ != Mutant::without_guard && may_leave(state) && needs_ins && !row.version->qualified)
        throw std::logic_error("this channel needs a qualified INS");
    if (state == LetterState::in_doubt && row.facts.state == LetterState::sending) ++row.doubts;
    if (state == LetterState::in_doubt || state == LetterState::accepted || state == LetterState::delivered)
        row.may_have_arrived = true;
    row.facts.state = state;
    row.facts.reason = reason;
}

bool Letters::publish(domain::ReportVersionId id, const std::vector<domain::PlannedLetter>& letters, Instant now) {
    Version& version = *versions_by_id_.at(id);
    if (version.state != Version::State::validated) return false;
    version.state = Version::State::published;
    const std::size_t kept = letters.size() - (mutant_ == Mutant::loses_a_letter && !letters.empty() ? 1 : 0);
    for (std::size_t i = 0; i < kept; ++i) {
        const auto& planned = letters[i];
        Row& row = add(version, planned.channel, Act::deliver, planned.recipient_key, now);
        row.partner = planned.partner;
        const bool unguarded = mutant_ == Mutant::without_guard && planned.reason == Reason::ins_not_qualified;
        row.planned = unguarded ? LetterState::due : planned.state;
        put(row, row.planned, planned.reason);
    }
    for (Row& row : rows_) {
        const bool person = row.facts.state == LetterState::held || row.facts.state == LetterState::blocked;
        if (row.version->set != version.set || row.version->number >= version.number || row.act != Act::deliver ||
            row.first_sent_at || !person)
            continue;
        const auto stopped = domain::decide({}, domain::letter_event::Superseded{}, {}, {}).value();
        put(row, stopped.state, stopped.reason);
    }
    return true;
}

Result<std::size_t> Letters::withdraw(domain::ReportSetId set, Instant now) {
    std::vector<Version*> versions = of(set);
    if (versions.empty() || versions.back()->state != Version::State::published)
        return Error{Fault::conflict, "order", "there is no report to withdraw"};
    versions.back()->state = Version::State::withdrawn;
    std::map<std::pair<Channel, std::string>, Row*> has;
    for (Row& row : rows_) {
        if (row.version->set != set || row.act != Act::deliver) continue;
        row.last_attempt = row.facts.attempts;
        const auto state = row.facts.state;
        const bool stops = state == LetterState::due || state == LetterState::retry || state == LetterState::held ||
                           state == LetterState::blocked;
        if (stops && mutant_ != Mutant::keeps_the_withdrawn) put(row, LetterState::cancelled, Reason::abandoned);
        if (!row.may_have_arrived && !row.possible_duplicate && row.facts.state != LetterState::sending) continue;
        Row*& newest = has[{row.channel, row.key}];
        if (newest == nullptr || newest->version->number < row.version->number) newest = &row;
    }
    if (mutant_ == Mutant::withdraws_from_none) return has.size();
    for (const auto& [recipient, former] : has) {
        Row& row = add(*former->version, former->channel, Act::withdraw, former->key, now);
        row.partner = former->partner;
        put(row, LetterState::due, Reason::none);
    }
    return has.size();
}

bool Letters::waits_for_former(const Row& row) const {
    if (mutant_ == Mutant::lets_overtake) return false;
    const auto& stream = streams_.at(Stream{row.version->set, row.channel, row.key});
    return std::ranges::any_of(stream, [&](const Row* former) {
        const auto state = former->facts.state;
        const bool open = waits(state) || state == LetterState::sending || state == LetterState::held;
        return former != &row && open && former->rank() < row.rank() &&
               (former->version->number < row.version->number || former->act == Act::deliver);
    });
}

std::vector<store::LeasedLetter> Letters::claim(const std::string& owner, Channel channel, std::size_t limit,
                                                Duration lease, Instant now, const store::ClaimScope& scope) {
    std::vector<Row*> due;
    for (Row* row : by_channel_[channel]) {
        const bool again = mutant_ == Mutant::claims_twice && row->facts.state == LetterState::sending;
        if ((!waits(row->facts.state) && !again) || row->facts.next_attempt_at > now) continue;
        const store::Destination destination{domain::LegalEntityId{1}, row->partner};
        if (std::ranges::find(scope.destinations, destination) != scope.destinations.end() ? !scope.only : scope.only)
            continue;
        if (!waits_for_former(*row)) due.push_back(row);
    }
    std::ranges::stable_sort(due, {}, [](const Row* row) { return row->facts.next_attempt_at; });
    if (due.size() > limit) due.resize(limit);
    std::vector<store::LeasedLetter> claimed;
    for (Row* row : due) {
        store::LeasedLetter letter;
        letter.was_in_doubt = row->facts.state == LetterState::in_doubt;
        put(*row, LetterState::sending, row->facts.reason);
        ++row->facts.attempts;
        row->owner = owner;
        row->lease_until = now + lease;
        ++row->fence;
        if (!row->first_sent_at) row->first_sent_at = now;
        letter.id = row->id;
        letter.version = row->version->id;
        letter.site = domain::SiteId{1};
        letter.legal_entity = domain::LegalEntityId{1};
        letter.channel = channel;
        letter.act = row->act;
        letter.recipient_key = row->key;
        letter.partner = row->partner;
        letter.possible_duplicate = row->possible_duplicate;
        letter.facts = row->facts;
        letter.facts.reason = Reason::none;
        letter.fence = row->fence;
        letter.lease_until = row->lease_until;
        letter.sent_at = *row->first_sent_at;
        unsigned oldest = row->version->number;
        for (const Row* former : streams_.at(Stream{row->version->set, row->channel, row->key})) {
            const bool arrived =
                former->facts.state == LetterState::accepted || former->facts.state == LetterState::delivered;
            if (former == row || !arrived || former->act != Act::deliver || former->version->number > oldest) continue;
            oldest = former->version->number;
            letter.first_arrived = former->id;
        }
        claimed.push_back(std::move(letter));
    }
    return claimed;
}

bool Letters::complete(const store::LeasedLetter& letter, const store::LetterOutcome& outcome, Instant now) {
    Row& row = *by_id_.at(letter.id);
    const bool ours = row.fence == letter.fence && row.facts.state == LetterState::sending;
    if (!ours && mutant_ != Mutant::deaf_to_fences) {
        ++refused_by_fence_;
        return false;
    }
    if (outcome.in_doubt && outcome.facts.state == LetterState::dead)
        put(row, LetterState::in_doubt, Reason::partner_unavailable);  // on the way
    put(row, outcome.facts.state, outcome.facts.reason);
    row.facts.next_attempt_at = outcome.facts.next_attempt_at;
    if (mutant_ == Mutant::never_again && outcome.facts.state == LetterState::retry)
        row.facts.next_attempt_at += std::chrono::hours(100);
    row.facts.created_at = outcome.facts.created_at;
    row.possible_duplicate = row.possible_duplicate || outcome.possible_duplicate;
    row.owner.clear();
    const bool nothing_arrived = outcome.facts.state == LetterState::retry ||
                                 outcome.facts.state == LetterState::dead ||
                                 outcome.facts.state == LetterState::not_applicable;
    if (nothing_arrived && row.act == Act::deliver && mutant_ != Mutant::follows_nothing) forget_withdrawn(row, now);
    return true;
}

/// Its report was withdrawn while it was on its way, and it did not arrive: it is not tried again, and its recipient is
/// told to forget what he has, if anything.
void Letters::forget_withdrawn(Row& row, Instant now) {
    const bool withdrawn = std::ranges::any_of(of(row.version->set), [&](const Version* version) {
        return version->number >= row.version->number && version->state == Version::State::withdrawn;
    });
    if (!withdrawn || row.may_have_arrived || row.possible_duplicate) return;
    if (row.facts.state == LetterState::retry) put(row, LetterState::cancelled, Reason::abandoned);
    Row* had = nullptr;
    Row* to_follow = nullptr;
    for (Row* one : streams_.at(Stream{row.version->set, row.channel, row.key})) {
        const bool waits = one->facts.state == LetterState::due || one->facts.state == LetterState::held;
        if (one->act == Act::withdraw && one->version == row.version && waits) to_follow = one;
        const bool before = one->act == Act::deliver && one->version->number < row.version->number;
        if (!before || (!one->may_have_arrived && !one->possible_duplicate)) continue;
        if (had == nullptr || had->version->number < one->version->number) had = one;
    }
    if (to_follow == nullptr) return;
    put(*to_follow, LetterState::cancelled, Reason::abandoned);
    to_follow->needless = true;
    ++needless_withdrawals_;
    if (had == nullptr) return;
    Row& instead = add(*had->version, had->channel, Act::withdraw, had->key, now);
    instead.partner = had->partner;
    put(instead, LetterState::due, Reason::none);
}

bool Letters::renew(const store::LeasedLetter& letter, Duration lease, Instant now) {
    Row& row = *by_id_.at(letter.id);
    if (row.fence != letter.fence || row.facts.state != LetterState::sending) return false;
    row.lease_until = now + lease;
    return true;
}

std::size_t Letters::reclaim(const std::string& owner, bool own, Instant now) {
    std::size_t back = 0;
    for (Row& row : rows_) {
        if (row.facts.state != LetterState::sending || (row.lease_until >= now && !(own && row.owner == owner)))
            continue;
        put(row, mutant_ == Mutant::forgets_doubt ? LetterState::due : LetterState::in_doubt, row.facts.reason);
        row.facts.next_attempt_at = now;
        row.owner.clear();
        ++row.fence;
        ++back;
    }
    return back;
}

bool Letters::overtaken(const Row& row) const {
    if (row.act != Act::deliver) return false;
    for (const Version* version : by_set_.at(row.version->set)) {
        if (version->number >= row.version->number && version->state == Version::State::withdrawn) return true;
    }
    return std::ranges::any_of(streams_.at(Stream{row.version->set, row.channel, row.key}), [&](const Row* newer) {
        const auto state = newer->facts.state;
        return newer->version->number > row.version->number &&
               (row.facts.state == LetterState::dead || state == LetterState::sending ||
                state == LetterState::in_doubt || state == LetterState::accepted || state == LetterState::delivered);
    });
}

Result<void> Letters::act(domain::LetterId id, const domain::LetterEvent& event, const domain::RetryPolicy& policy,
                          Instant now) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return Error{Fault::missing, "letter", "no such letter on your sites"};
    Row& row = *found->second;
    const bool retried = std::holds_alternative<domain::letter_event::Retried>(event);
    if (retried && mutant_ != Mutant::revives_the_old && overtaken(row)) return store::overtaken();
    const auto next = domain::decide(row.facts, event, now, policy);
    if (!next) return next.error();
    put(row, next->state, next->reason);
    row.facts.next_attempt_at = next->next_attempt_at;
    row.facts.created_at = next->created_at;
    return {};
}

std::optional<Instant> Letters::next_due(Channel channel) const {
    std::optional<Instant> earliest;
    const auto rows = by_channel_.find(channel);
    if (rows == by_channel_.end()) return earliest;
    for (const Row* row : rows->second) {
        if (waits(row->facts.state) && (!earliest || row->facts.next_attempt_at < *earliest))
            earliest = row->facts.next_attempt_at;
    }
    return earliest;
}

asio::awaitable<std::vector<store::LeasedLetter>> MemoryQueue::claim(const std::vector<std::int32_t>&, Channel channel,
                                                                     std::size_t limit, Duration lease, Instant now,
                                                                     store::ClaimScope scope) {
    co_await before();
    auto claimed = letters_.claim(owner_, channel, limit, lease, now, scope);
    if (!claimed.empty()) co_await after();
    co_return claimed;
}

asio::awaitable<bool> MemoryQueue::complete(const store::LeasedLetter& letter, const store::LetterOutcome& outcome,
                                            Instant now) {
    co_await before();
    const bool ours = letters_.complete(letter, outcome, now);
    co_await after();
    co_return ours;
}

asio::awaitable<bool> MemoryQueue::renew(const store::LeasedLetter& letter, Duration lease, Instant now) {
    co_await before();
    const bool ours = letters_.renew(letter, lease, now);
    co_await after();
    co_return ours;
}

asio::awaitable<std::size_t> MemoryQueue::reclaim(const std::vector<std::int32_t>&, bool own, Instant now) {
    co_await before();
    const std::size_t back = letters_.reclaim(owner_, own, now);
    if (back > 0) co_await after();
    co_return back;
}

asio::awaitable<Result<void>> MemoryQueue::act(const std::vector<std::int32_t>&, domain::LetterId id,
                                               domain::LetterEvent event, std::string, std::string, std::string,
                                               const domain::RetryPolicy& policy, Instant now) {
    co_await before();
    const auto done = letters_.act(id, event, policy, now);
    co_await after();
    co_return done;
}

asio::awaitable<std::optional<Instant>> MemoryQueue::next_due(const std::vector<std::int32_t>&, Channel channel) {
    co_await before();
    co_return letters_.next_due(channel);
}

}  // namespace sgl::delivery::sim
