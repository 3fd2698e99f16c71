// One audit event per change of state, in the transaction of the change (SEC-65). The sealer chains them within a
// second.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/identifiers.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace asio = boost::asio;

struct AuditEvent {
    std::optional<domain::LegalEntityId> legal_entity;
    std::optional<domain::SiteId> site;
    std::string actor;    ///< user:<login>, link:<name>, daemon:<name>, cli:<os user>
    std::string action;   ///< receive, register_order, validate, publish, deliver…
    std::string object;   ///< message:12, order:<uuid>, letter:<uuid>
    std::string payload;  ///< JSON; may hold patient data, only the auditor role reads it
};

/// A step for the transaction that makes the change.
pg::Step audit(const std::vector<AuditEvent>& events, Instant now);

/// Appends committed events to the chain. Only the holder of the lease `audit-seal` seals, with a pool of role
/// lab_audit_w. It remembers how far it came, so that a round costs what is new and not what is there; when somebody
/// else sealed in between, it looks back once.
class Sealer {
public:
    explicit Sealer(pg::Pool& audit_pool) : pool_(audit_pool) {}

    /// At most `limit` events; gives how many. One call at a time. Throws DatabaseError (unique violation when two
    /// sealed at once: nothing is appended twice).
    asio::awaitable<std::size_t> seal(std::size_t limit, Instant now);

private:
    struct Gap {
        std::int64_t first, last;  ///< numbers not seen yet, both included
        Instant since;
    };
    static void fill(std::vector<Gap>& gaps, std::int64_t id);

    pg::Pool& pool_;
    std::int64_t seq_{-1};   ///< of our last link; -1: not known
    std::int64_t seen_{0};   ///< highest event number seen
    std::vector<Gap> gaps_;  ///< below seen_: rolled back, or not committed yet
};

/// Walks the whole chain; the first broken sequence number, or nothing when all is in order. `unsealed`: events
/// outside.
struct ChainReport {
    std::int64_t sealed{};
    std::int64_t unsealed{};
    std::optional<std::int64_t> broken_at;
};
asio::awaitable<ChainReport> verify(pg::Pool& audit_pool);

}  // namespace sgl::store
