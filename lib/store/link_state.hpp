// What a conversation keeps beside its messages: the sequence number that it has reached, and the application
// acknowledgements that it owes as messages of their own (hl7v2-lab 3.2, 3.6).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/link.hpp"
#include "lib/store/inbox.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

/// Rows that are written with the message itself, in its transaction.
class LinkRows {
public:
    void add(const Arrival& arrival, domain::MessageId id);
    /// Its MSH-10 had been that of another message (hl7v2-lab 2.5).
    void count_reused(const Arrival& arrival);
    void steps(std::vector<pg::Step>& to, Instant now) const;

private:
    struct Owed {
        pg::Int8Column messages;
        pg::Int4Column entities;
        pg::Int4Column sites;
        pg::Int4Column links;
        pg::TextColumn controls;
    };
    struct Numbers {
        pg::Int4Column links;
        pg::Int4Column entities;
        pg::Int4Column sites;
        pg::Int8Column last;
    };
    struct Reused {
        domain::LegalEntityId legal_entity;
        domain::SiteId site;
        std::int64_t count{};
    };
    Owed owed_;
    Numbers numbers_;
    std::map<std::int32_t, Reused> reused_;  // in one order, so that two batches never wait for each other
};

/// An application acknowledgement to send.
struct OwedAnswer {
    domain::MessageId message;
    std::string control_id;  ///< MSH-10 of the answer
    Instant created_at;
    int attempts{};
    std::string raw;  ///< the message that is answered
};

class LinkState {
public:
    explicit LinkState(pg::Pool& pool) : pool_(pool) {}

    asio::awaitable<std::optional<std::int64_t>> last_sequence(const domain::Link& link);

    /// The oldest that are due on this link, at most `limit`; they are due again from `again_at` on, so that another
    /// daemon leaves them alone meanwhile.
    asio::awaitable<std::vector<OwedAnswer>> claim(const domain::Link& link, Instant now, Instant again_at,
                                                   std::size_t limit);
    /// The peer has it. False when nothing with that MSH-10 was owed on the link.
    asio::awaitable<bool> done(const domain::Link& link, const std::string& control_id, Instant now);
    /// `dead`: nobody will try again.
    asio::awaitable<void> failed(const domain::Link& link, const OwedAnswer& answer, Instant again_at, bool dead,
                                 const std::string& why);

private:
    pg::Pool& pool_;
};

}  // namespace sgl::store
