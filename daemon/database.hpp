// The database of one process, the service or a command: the private cluster or the laboratory's own (design D4),
// brought to our schema, with a pool per role.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "lib/store/pg/embedded.hpp"
#include "lib/store/pg/migrate.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::daemon {

namespace asio = boost::asio;

class Database {
public:
    Database(asio::any_io_executor executor, const config::Settings& settings);

    /// Starts or joins the cluster, makes roles, database and schema when they are missing (embedded), applies
    /// migrations, and writes the instance on the first start. In external mode the operator has run `sgld migrate
    /// --print-bootstrap`. Failures are exceptions with a sentence for the operator.
    asio::awaitable<void> open(Instant now);
    asio::awaitable<void> close();

    const pg::MigrationReport& schema() const { return schema_; }  ///< what open() found and made

    pg::Pool& app() { return *app_; }
    pg::Pool& intake() { return *intake_; }  ///< same role, for what comes in: the console can't starve it
    pg::Pool& audit() { return *audit_; }
    pg::EmbeddedCluster* cluster() { return cluster_.get(); }  ///< null in external mode
    std::string conninfo(const std::string& role) const;

private:
    asio::awaitable<Result<pg::MigrationReport>> migrate_external(Instant now);
    asio::awaitable<void> ensure_instance(Instant now);

    asio::any_io_executor executor_;
    const config::Settings& settings_;
    std::unique_ptr<pg::EmbeddedCluster> cluster_;
    std::unique_ptr<pg::Pool> app_;
    std::unique_ptr<pg::Pool> intake_;
    std::unique_ptr<pg::Pool> audit_;
    pg::MigrationReport schema_;
};

}  // namespace sgl::daemon
