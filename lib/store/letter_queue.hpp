// What the delivery engine asks of the letters' store: rows in PostgreSQL for the daemon (`Outbox`), memory for the
// simulator. One contract suite runs on both (test/lib/delivery/engine/letter_contract.hpp).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/letter.hpp"

namespace sgl::store {

namespace asio = boost::asio;

/// A letter that a worker holds until the lease ends.
struct LeasedLetter {
    domain::LetterId id;
    domain::ReportVersionId version;
    domain::SiteId site;
    domain::LegalEntityId legal_entity;
    domain::Channel channel{};
    domain::Act act{};
    std::string recipient_key;
    std::string recipient_name;
    std::string address;  ///< personal
    std::optional<domain::PartnerId> partner;
    bool was_in_doubt{};
    bool possible_duplicate{};
    domain::LetterFacts facts;  ///< after the claim: sending
    std::int64_t fence{};
    Instant lease_until;
    Instant sent_at;  ///< fixed at the first attempt
    /// The first letter about this report that arrived there, of this version or a former one; nothing: this is it.
    std::optional<domain::LetterId> first_arrived;
};

/// What to write when an attempt ended.
struct LetterOutcome {
    domain::LetterFacts facts;
    std::string partner_reference;
    bool possible_duplicate{};
    bool in_doubt{};  ///< the bytes of this attempt may have arrived, also when it was the last one
    std::string error_where;
    std::string error_what;
};

/// Where letters of a channel go together: what is down for one of them is down for all.
struct Destination {
    domain::LegalEntityId legal_entity;
    std::optional<domain::PartnerId> partner;
    friend auto operator<=>(const Destination&, const Destination&) = default;
};

/// Which letters a claim is about: all but those of the destinations, or theirs only.
struct ClaimScope {
    std::vector<Destination> destinations;
    bool only{};
};

/// Why a person can't have a letter sent again (reliability I8).
inline Error overtaken() {
    return {Fault::conflict, "letter",
            "a newer version has left, or the report was withdrawn: this one never leaves again"};
}

class LetterQueue {
public:
    LetterQueue() = default;
    LetterQueue(const LetterQueue&) = delete;
    LetterQueue& operator=(const LetterQueue&) = delete;
    virtual ~LetterQueue() = default;

    /// Due letters of a channel, at most `limit`, claimed for `lease`. A letter of a later version of a report (or its
    /// withdrawal) is not due before the former one to the same recipient has come to its end: nothing overtakes.
    virtual asio::awaitable<std::vector<LeasedLetter>> claim(const std::vector<std::int32_t>& sites,
                                                             domain::Channel channel, std::size_t limit, Duration lease,
                                                             Instant now, ClaimScope scope) = 0;
    asio::awaitable<std::vector<LeasedLetter>> claim(const std::vector<std::int32_t>& sites, domain::Channel channel,
                                                     std::size_t limit, Duration lease, Instant now) {
        return claim(sites, channel, limit, lease, now, ClaimScope());
    }

    /// False when the fencing token is no longer ours: somebody took the letter over, nothing was written. What did not
    /// arrive while its report was withdrawn is cancelled, and with it the withdrawal that was to follow; the newest
    /// version that this recipient has, if any, is withdrawn instead.
    virtual asio::awaitable<bool> complete(const LeasedLetter& letter, const LetterOutcome& outcome, Instant now) = 0;
    virtual asio::awaitable<bool> renew(const LeasedLetter& letter, Duration lease, Instant now) = 0;

    /// Letters whose lease ended, or that this daemon's name held before it restarted (`own`): in doubt, due at once.
    virtual asio::awaitable<std::size_t> reclaim(const std::vector<std::int32_t>& sites, bool own, Instant now) = 0;

    /// A person's act on one letter; `event` is Held, Retried or Abandoned. Fault::conflict when its state does not
    /// allow it, or when a newer version left, or may be leaving, or the report was withdrawn.
    virtual asio::awaitable<Result<void>> act(const std::vector<std::int32_t>& sites, domain::LetterId id,
                                              domain::LetterEvent event, std::string verb, std::string actor,
                                              std::string why, const domain::RetryPolicy& policy, Instant now) = 0;

    /// When the next letter of this channel is due; nothing when none waits.
    virtual asio::awaitable<std::optional<Instant>> next_due(const std::vector<std::int32_t>& sites,
                                                             domain::Channel channel) = 0;
};

}  // namespace sgl::store
