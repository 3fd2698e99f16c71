// The letters' store in memory, one committed state: what PostgreSQL's Outbox and Reports promise, nothing else. The
// contract suite runs on both. It can be given a defect, so that the simulator's checks are seen to find it.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "lib/domain/plan.hpp"
#include "lib/store/letter_queue.hpp"

namespace sgl::delivery::sim {

namespace asio = boost::asio;

enum class Mutant : std::uint8_t {
    none,
    deaf_to_fences,       ///< a late writer is heard
    lets_overtake,        ///< a version is claimed before the former one ended
    forgets_doubt,        ///< what a dead worker held is due again as if nothing had left
    claims_twice,         ///< a letter that is being sent is claimed again
    revives_the_old,      ///< a person's retry is not asked what left since
    keeps_the_withdrawn,  ///< withdrawing stops no letter
    withdraws_from_none,  ///< withdrawing makes no letter
    loses_a_letter,       ///< publishing forgets the last letter
    without_guard,        ///< nobody looks at the INS
    never_again,          ///< a letter to be tried again is not
    oversleeps,           ///< the channel does not ask whether the lease holds
    follows_nothing,      ///< what fails while its report is withdrawn is tried again
};
inline constexpr std::array every_mutant{
    Mutant::deaf_to_fences,  Mutant::lets_overtake,       Mutant::forgets_doubt,       Mutant::claims_twice,
    Mutant::revives_the_old, Mutant::keeps_the_withdrawn, Mutant::withdraws_from_none, Mutant::loses_a_letter,
    Mutant::without_guard,   Mutant::never_again,         Mutant::oversleeps,          Mutant::follows_nothing};
std::string_view to_string(Mutant mutant);

struct Version {
    domain::ReportSetId set;
    domain::ReportVersionId id;
    unsigned number{};
    enum class State : std::uint8_t { validated, published, withdrawn } state{};
    bool qualified{};  ///< the INS
};

struct Row {
    domain::LetterId id;
    const Version* version{};
    domain::Channel channel{};
    domain::Act act{};
    std::string key;
    std::optional<domain::PartnerId> partner;
    domain::LetterFacts facts;
    std::string owner;
    Instant lease_until;
    std::int64_t fence{};
    std::optional<Instant> first_sent_at;
    bool possible_duplicate{};
    bool may_have_arrived{};          ///< it was accepted or in doubt once
    bool needless{};                  ///< a withdrawal that was cancelled: there was nothing to forget
    unsigned doubts{};                ///< how often it became doubtful
    std::optional<int> last_attempt;  ///< the one that was under way, or had been, when its report was withdrawn
    domain::LetterState planned{domain::LetterState::due};  ///< as it was made
    /// Where it stands among the letters of its report to one recipient.
    unsigned rank() const { return version->number * 2 + (act == domain::Act::withdraw ? 1 : 0); }
};

class Letters {
public:
    explicit Letters(Mutant mutant = Mutant::none) : mutant_(mutant) {}
    Letters(const Letters&) = delete;
    Letters& operator=(const Letters&) = delete;

    /// The next version of a report, to be published.
    domain::ReportVersionId sign(domain::ReportSetId set, bool qualified);
    std::vector<domain::ReportVersionId> to_compose() const;
    bool publish(domain::ReportVersionId id, const std::vector<domain::PlannedLetter>& letters, Instant now);
    Result<std::size_t> withdraw(domain::ReportSetId set, Instant now);

    std::vector<store::LeasedLetter> claim(const std::string& owner, domain::Channel channel, std::size_t limit,
                                           Duration lease, Instant now, const store::ClaimScope& scope);
    bool complete(const store::LeasedLetter& letter, const store::LetterOutcome& outcome, Instant now);
    bool renew(const store::LeasedLetter& letter, Duration lease, Instant now);
    std::size_t reclaim(const std::string& owner, bool own, Instant now);
    Result<void> act(domain::LetterId id, const domain::LetterEvent& event, const domain::RetryPolicy& policy,
                     Instant now);
    std::optional<Instant> next_due(domain::Channel channel) const;

    const std::deque<Row>& rows() const { return rows_; }
    const Row& row(domain::LetterId id) const { return *by_id_.at(id); }
    const Version* last(domain::ReportSetId set) const;
    const Version& version(domain::ReportVersionId id) const { return *versions_by_id_.at(id); }
    const std::deque<Version>& versions() const { return versions_; }
    std::size_t refused_by_fence() const { return refused_by_fence_; }
    std::size_t needless_withdrawals() const { return needless_withdrawals_; }

private:
    using Stream = std::tuple<domain::ReportSetId, domain::Channel, std::string>;
    Row& add(const Version& version, domain::Channel channel, domain::Act act, std::string key, Instant now);
    void put(Row& row, domain::LetterState state, domain::Reason reason);
    void forget_withdrawn(Row& row, Instant now);
    bool waits_for_former(const Row& row) const;
    bool overtaken(const Row& row) const;
    std::vector<Version*> of(domain::ReportSetId set);

    Mutant mutant_;
    std::uint64_t ids_{};
    std::deque<Version> versions_;
    std::deque<Row> rows_;
    std::map<domain::ReportVersionId, Version*> versions_by_id_;
    std::map<domain::ReportSetId, std::vector<Version*>> by_set_;
    std::map<domain::LetterId, Row*> by_id_;
    std::map<domain::Channel, std::vector<Row*>> by_channel_;
    std::map<Stream, std::vector<Row*>> streams_;
    std::size_t refused_by_fence_{};
    std::size_t needless_withdrawals_{};
};

/// One daemon's door to it. What derives from it adds the way to the database and its failures.
class MemoryQueue : public store::LetterQueue {
public:
    MemoryQueue(Letters& letters, std::string owner) : letters_(letters), owner_(std::move(owner)) {}

    using LetterQueue::claim;
    asio::awaitable<std::vector<store::LeasedLetter>> claim(const std::vector<std::int32_t>& sites,
                                                            domain::Channel channel, std::size_t limit, Duration lease,
                                                            Instant now, store::ClaimScope scope) override;
    asio::awaitable<bool> complete(const store::LeasedLetter& letter, const store::LetterOutcome& outcome,
                                   Instant now) override;
    asio::awaitable<bool> renew(const store::LeasedLetter& letter, Duration lease, Instant now) override;
    asio::awaitable<std::size_t> reclaim(const std::vector<std::int32_t>& sites, bool own, Instant now) override;
    asio::awaitable<Result<void>> act(const std::vector<std::int32_t>& sites, domain::LetterId id,
                                      domain::LetterEvent event, std::string verb, std::string actor, std::string why,
                                      const domain::RetryPolicy& policy, Instant now) override;
    asio::awaitable<std::optional<Instant>> next_due(const std::vector<std::int32_t>& sites,
                                                     domain::Channel channel) override;

protected:
    /// The statement travels, and its answer. May throw: before, nothing is done; after, it is done and nobody knows.
    virtual asio::awaitable<void> before() { co_return; }
    virtual asio::awaitable<void> after() { co_return; }

    Letters& letters_;
    std::string owner_;
};

}  // namespace sgl::delivery::sim
