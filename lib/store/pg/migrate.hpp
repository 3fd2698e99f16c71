// Brings a database from nothing to the schema that this program knows: bootstrap (once, as superuser), then numbered
// migrations, each in one transaction, never edited once released.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"

namespace sgl::pg {

namespace asio = boost::asio;

class Connection;
class EmbeddedCluster;

/// lib/store/migrations/NNNN_name.sql
struct Migration {
    int number{};
    std::string_view name;
    std::string_view sql;
};

/// Those of this program, in order.
std::span<const Migration> embedded_migrations();

struct MigrationReport {
    int from{};  ///< number of the last migration found applied, 0 for none
    int to{};    ///< the last now applied
};

/// What the database says it has, against what the program knows. Fault::conflict for an edited or unknown migration
/// (the database belongs to a newer program), Fault::missing when some are still to be applied. Any role may ask.
asio::awaitable<Result<int>> check_schema(Connection& connection, std::span<const Migration> known);

/// Applies what is missing, under one advisory lock (a second daemon waits, then finds nothing to do). Connect as
/// lab_migrate; objects belong to lab_owner. Errors of SQL are DatabaseError; nothing of that migration remains.
asio::awaitable<Result<MigrationReport>> migrate(Connection& connection, std::span<const Migration> known, Instant now);

/// The SQL that makes roles (SEC-52) and the database, for psql as superuser: `sgld migrate --print-bootstrap`.
/// Idempotent.
std::string bootstrap_script();

/// The same, by a superuser's connection to database `postgres`: roles and the database `name`.
asio::awaitable<void> bootstrap_server(Connection& superuser, std::string name);
/// And by a superuser's connection to the new database: schema and default rights.
asio::awaitable<void> bootstrap_database(Connection& superuser);

/// Roles, database `sgl` and migrations on a private cluster that answers: all that a daemon needs before it opens its
/// pool with `cluster.conninfo("lab_app", "sgl")`. Any number of daemons may do it at a time.
asio::awaitable<Result<MigrationReport>> bring_up(asio::any_io_executor executor, const EmbeddedCluster& cluster,
                                                  Instant now);

}  // namespace sgl::pg
