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

/// Appends what is committed and not yet chained, at most `limit` events; gives how many. Only the holder of the lease
/// `audit-seal` calls it, with a pool of role lab_audit_w.
asio::awaitable<std::size_t> seal(pg::Pool& audit_pool, std::size_t limit);

/// Walks the whole chain; the first broken sequence number, or nothing when all is in order. `unsealed`: events
/// outside.
struct ChainReport {
    std::int64_t sealed{};
    std::int64_t unsealed{};
    std::optional<std::int64_t> broken_at;
};
asio::awaitable<ChainReport> verify(pg::Pool& audit_pool);

}  // namespace sgl::store
