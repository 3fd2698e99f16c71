#include "daemon/database.hpp"

#include <stdexcept>

#include "lib/base/log.hpp"
#include "lib/store/pg/connection.hpp"
#include "lib/store/pg/migrate.hpp"
#include "lib/store/pg/session.hpp"

namespace sgl::daemon {

namespace {

constexpr const char* database_name = "sgl";

// The first daemon writes the instance; what is there never changes (R-70).
constexpr pg::Query write_instance{"instance.write", R"sql(
    insert into instance (instance_uuid, label, environment, created_at) values ($1, $2, $3, $4) on conflict do nothing)sql"};
constexpr pg::Query read_instance{"instance.read", "select environment from instance"};
constexpr pg::Query write_version{"instance.version", R"sql(
    insert into instance_version (version, installed_at)
    select $1, $2 where not exists (select 1 from instance_version where id = (select max(id) from instance_version) and version = $1))sql"};

}  // namespace

Database::Database(asio::any_io_executor executor, const config::Settings& settings)
    : executor_(std::move(executor)), settings_(settings) {
    if (!settings_.database.embedded()) return;
    pg::EmbeddedOptions options;
    options.state_dir = settings_.daemon.state_dir;
    options.socket_dir = settings_.database.socket_dir;
    options.bin_dir = settings_.database.binaries;
    options.shared_buffers = settings_.database.shared_buffers;
    options.start_limit = std::chrono::duration_cast<std::chrono::milliseconds>(settings_.database.start_within);
    cluster_ = std::make_unique<pg::EmbeddedCluster>(executor_, options);
}

std::string Database::conninfo(const std::string& role) const {
    if (cluster_) return cluster_->conninfo(role, database_name);
    return settings_.database.conninfo;
}

asio::awaitable<Result<pg::MigrationReport>> Database::migrate_external(Instant now) {
    pg::Connection connection(executor_);
    co_await connection.connect(conninfo("lab_migrate"), "lab_migrate");
    co_return co_await pg::migrate(connection, pg::embedded_migrations(), now);
}

asio::awaitable<void> Database::ensure_instance(Instant now) {
    const Uuid fresh = Uuid::v7(now);
    co_await app_->query(write_instance,
                         pg::params(fresh, settings_.instance.label, settings_.instance.environment, now));
    const pg::Rows rows = co_await app_->query(read_instance);
    if (rows[0].text(0) != settings_.instance.environment) {
        throw std::runtime_error("the database belongs to a " + rows[0].string(0) +
                                 " instance; [instance] environment says " + settings_.instance.environment);
    }
    const std::string version = SGL_VERSION;
    co_await app_->query(write_version, pg::params(version, now));
}

asio::awaitable<void> Database::open(Instant now) {
    if (cluster_) co_await cluster_->start();
    Result<pg::MigrationReport> schema = Error{};
    if (cluster_)
        schema = co_await pg::bring_up(executor_, *cluster_, now);
    else
        schema = co_await migrate_external(now);
    if (!schema) throw std::runtime_error(to_string(schema.error()));
    schema_ = *schema;
    log::info("database ready",
              {{"schema_from", schema_.from}, {"schema_to", schema_.to}, {"embedded", cluster_ != nullptr}});
    pg::Session session;
    session.role = "lab_app";
    app_ = std::make_unique<pg::Pool>(executor_, conninfo("lab_app"), settings_.database.pool_size, session);
    session.plan_by_key = true;
    intake_ = std::make_unique<pg::Pool>(executor_, conninfo("lab_app"), settings_.database.intake_pool_size, session);
    session.plan_by_key = false;
    session.role = "lab_audit_w";
    audit_ = std::make_unique<pg::Pool>(executor_, conninfo("lab_audit_w"), 1, session);
    co_await ensure_instance(now);
}

asio::awaitable<void> Database::close() {
    if (app_) app_->close();
    if (intake_) intake_->close();
    if (audit_) audit_->close();
    if (cluster_) co_await cluster_->stop();
}

}  // namespace sgl::daemon
