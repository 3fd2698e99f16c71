// What waits for a person because of a message, and the message itself, byte for byte.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/mapping.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace asio = boost::asio;

struct WaitingItem {
    domain::WorkItemId id;
    domain::SiteId site;
    domain::LinkId link;        ///< 0: no message gave it
    domain::MessageId message;  ///< 0: none
    std::string kind;
    std::string coordinate;
    std::string what;
    std::optional<domain::OrderId> order;
    std::string order_number;
    Instant created_at;
    Instant received_at;  ///< of the message
};

struct KeptMessage {
    domain::MessageId id;
    domain::LinkId link;
    domain::SiteId site;
    domain::LegalEntityId legal_entity;
    Instant received_at;
    std::string control_id;
    std::string type;
    std::string state;   ///< applied, quarantined, rejected: as it was answered
    std::string answer;  ///< AA, AE, AR
    std::uint64_t size{};
    std::string raw;  ///< shorter than `size` when it was too long to keep
};

/// Work that one word of one link gives: "GLU of that analyser". Items of a kind that no mapping mends stand alone.
struct WaitingGroup {
    domain::LinkId link;
    std::string link_name;
    domain::SiteId site;
    std::string kind;                         ///< of the work: unknown_code, unit, value, unknown_flag…
    std::string theirs;                       ///< the code, unit, value or flag as received; empty: no mapping mends it
    std::string code;                         ///< of the analysis, where `theirs` is not it
    std::string label;                        ///< what the sender calls the analysis
    std::string unit;                         ///< that comes with the code
    std::vector<WaitingItem> items;           ///< oldest first
    std::vector<domain::MessageId> messages;  ///< in the order of their arrival, each once
    std::optional<domain::Mapping::Kind> mends;  ///< the kind of mapping that mends it
    bool mapped{};                               ///< the link says it now: only reading again is left
};

/// What a mapping would change, without changing anything.
struct Expectation {
    std::size_t messages{};
    std::size_t results{};  ///< that would go their way
    std::size_t waiting{};  ///< that would still wait
    struct Line {
        std::string coordinate;
        std::string said;  ///< value and unit as received
        std::string read;  ///< as it would be read; empty: it would wait
        std::string why;   ///< why it would wait
    };
    std::vector<Line> lines;  ///< the first ones
};

/// What reading again did, in all.
struct ReplaySum {
    std::size_t messages{};
    std::size_t results{};
    std::size_t waiting{};
    std::size_t mended{};
    struct Refused {
        domain::MessageId message;
        Error why;
    };
    std::vector<Refused> refused;  ///< nothing changed for these
};

class Waiting {
public:
    using Sites = std::vector<std::int32_t>;
    explicit Waiting(pg::Pool& pool) : pool_(pool) {}

    /// Open work that a message gave, oldest first; at most `limit`.
    asio::awaitable<std::vector<WaitingItem>> items(Sites sites, std::size_t limit);
    /// Also when it is closed.
    asio::awaitable<std::optional<WaitingItem>> item(Sites sites, domain::WorkItemId id);

    asio::awaitable<std::optional<KeptMessage>> message(Sites sites, domain::MessageId id);
    /// In the order asked for; those that are not on the sites are left out.
    asio::awaitable<std::vector<KeptMessage>> messages(Sites sites, std::vector<std::int64_t> ids);

    /// In the order of their arrival: those with open work, of one link where it is said.
    asio::awaitable<std::vector<domain::MessageId>> waiting(Sites sites, std::optional<domain::LinkId> link);
    /// Of the same order too, when the item has one: the message of the item is one of them.
    asio::awaitable<std::vector<domain::MessageId>> beside(Sites sites, domain::WorkItemId id);

    /// A person reads a message: an audit row.
    asio::awaitable<void> read_by(Sites sites, std::string actor, KeptMessage message, Instant at);

private:
    pg::Pool& pool_;
};

std::vector<pg::Query> waiting_queries();  ///< as in queries.hpp

}  // namespace sgl::store
