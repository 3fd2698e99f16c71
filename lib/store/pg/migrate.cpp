#include "lib/store/pg/migrate.hpp"

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "lib/base/digest.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/store/pg/connection.hpp"
#include "lib/store/pg/embedded.hpp"

namespace sgl::pg {

namespace {

constexpr std::string_view roles_sql = R"sql(
do $$
declare
    wanted record;
begin
    perform pg_advisory_xact_lock(7305512201);
    for wanted in
        select * from (values
            ('lab_owner',   'nologin'),            -- owns the schema; nobody connects as it
            ('lab_migrate', 'login noinherit'),    -- during an upgrade: set role lab_owner
            ('lab_app',     'login'),              -- the daemon
            ('lab_audit_w', 'login'),              -- inserts audit events
            ('lab_audit_r', 'login'),              -- reads the audit
            ('lab_stats',   'login'),              -- aggregates for accounting
            ('lab_backup',  'login')               -- pg_dump
        ) as list (name, options)
    loop
        if not exists (select from pg_roles where rolname = wanted.name) then
            execute format('create role %I %s nosuperuser nocreatedb nocreaterole nobypassrls', wanted.name, wanted.options);
        end if;
    end loop;
    grant lab_owner to lab_migrate;
end
$$;
)sql";

constexpr std::string_view database_sql = R"sql(
select pg_advisory_xact_lock(7305512201);
do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to lab_migrate, lab_app, lab_audit_w, lab_audit_r, lab_stats, lab_backup',
                   current_database());
end
$$;
alter schema public owner to lab_owner;
revoke all on schema public from public;
grant usage on schema public to lab_app, lab_audit_w, lab_audit_r, lab_stats, lab_backup, lab_migrate;
)sql";

constexpr Query database_exists{"", "select from pg_database where datname = $1"};

constexpr Query lock_migrations{"", "select pg_advisory_lock(7305512202)"};
constexpr Query unlock_migrations{"", "select pg_advisory_unlock(7305512202)"};
constexpr Query journal_exists{"", "select to_regclass('public.schema_migration') is not null"};
constexpr Query read_journal{"", "select number, name, sha256 from public.schema_migration order by number"};
constexpr Query write_journal{"", R"sql(
    insert into public.schema_migration (number, name, sha256, applied_at, version) values ($1, $2, $3, $4, $5))sql"};
constexpr std::string_view make_journal = R"sql(
create table public.schema_migration (
    number     integer primary key,
    name       text not null,
    sha256     text not null,
    applied_at timestamptz not null,
    version    text not null
);
grant select on public.schema_migration to lab_app, lab_audit_w, lab_audit_r, lab_stats, lab_backup, lab_migrate;
)sql";

constexpr Query begin{"", "begin"};
constexpr Query commit{"", "commit"};
constexpr Query rollback{"", "rollback"};

std::string digest_of(const Migration& migration) {
    return to_hex(sha256(migration.sql));
}

/// The number of the last applied migration, or what is wrong.
Result<int> compare(const Rows& journal, std::span<const Migration> known) {
    int last = 0;
    std::size_t at = 0;
    for (const auto row : journal) {
        const int number = row.int32("number");
        const std::string place = "schema_migration " + std::to_string(number);
        if (at >= known.size() || known[at].number != number)
            return Error{
                Fault::conflict, place,
                "this migration is not known to this program: the database belongs to another version of sgld"};
        if (row.text("name") != known[at].name || row.text("sha256") != digest_of(known[at]))
            return Error{Fault::conflict, place, "this migration was applied with another text than this program has"};
        last = number;
        ++at;
    }
    return last;
}

asio::awaitable<Result<int>> applied(Connection& connection, std::span<const Migration> known) {
    const auto exists = co_await connection.query(journal_exists);
    if (!exists[0].boolean(0)) co_return Result<int>(0);
    const auto journal = co_await connection.query(read_journal);
    co_return compare(journal, known);
}

asio::awaitable<void> apply(Connection& connection, const Migration& migration, Instant now) {
    co_await connection.query(begin);
    co_await connection.execute(migration.sql);
    co_await connection.query(write_journal, params(migration.number, migration.name, digest_of(migration), now,
                                                    std::string_view(SGL_VERSION)));
    failpoint("migration_step_n");
    const auto done = co_await connection.query(commit);
    if (done.command() != "COMMIT") throw DatabaseError("25P02", "the migration was rolled back", "migrate");
    failpoint("migration_step_n");
}

asio::awaitable<Result<MigrationReport>> migrate_locked(Connection& connection, std::span<const Migration> known,
                                                        Instant now) {
    const auto found = co_await applied(connection, known);
    if (!found) co_return found.error();
    MigrationReport report;
    report.from = *found;
    report.to = *found;
    const auto exists = co_await connection.query(journal_exists);
    if (!exists[0].boolean(0)) co_await connection.execute(make_journal);
    for (const auto& migration : known) {
        if (migration.number <= report.to) continue;
        log::info("applying migration", {{"number", migration.number}, {"name", log::Token(migration.name)}});
        co_await apply(connection, migration, now);
        report.to = migration.number;
    }
    co_return report;
}

}  // namespace

asio::awaitable<Result<int>> check_schema(Connection& connection, std::span<const Migration> known) {
    const auto found = co_await applied(connection, known);
    if (!found) co_return found.error();
    const int newest = known.empty() ? 0 : known.back().number;
    if (*found < newest) {
        Error missing{Fault::missing, "schema_migration",
                      "the database is at migration " + std::to_string(*found) + ", this program needs " +
                          std::to_string(newest) + ": run sgld migrate"};
        co_return missing;
    }
    co_return *found;
}

asio::awaitable<Result<MigrationReport>> migrate(Connection& connection, std::span<const Migration> known,
                                                 Instant now) {
    co_await connection.execute(
        "set role lab_owner; set statement_timeout = 0; set lock_timeout = 0;"
        "set idle_in_transaction_session_timeout = 0; set search_path = public;"
        "set client_min_messages = error");
    co_await connection.query(lock_migrations);
    std::exception_ptr failure;
    Result<MigrationReport> report = MigrationReport{};
    try {
        report = co_await migrate_locked(connection, known, now);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        if (connection.is_open()) {
            co_await connection.query(rollback);
            co_await connection.query(unlock_migrations);
        }
        std::rethrow_exception(failure);
    }
    co_await connection.query(unlock_migrations);
    co_return report;
}

std::string bootstrap_script() {
    std::string script =
        "-- Roles and database of sgld. For psql, as a superuser, connected to database postgres:\n"
        "--   sgld migrate --print-bootstrap | psql -v ON_ERROR_STOP=1 -d postgres\n"
        "-- Give the login roles a password, or map them in pg_hba.conf (peer or scram-sha-256, never trust).\n";
    script.append(roles_sql);
    script.append(
        "select 'create database sgl owner lab_owner encoding ''UTF8'' locale ''C.UTF-8'' template template0'\n"
        " where not exists (select from pg_database where datname = 'sgl')\n\\gexec\n\\connect sgl\n");
    script.append(database_sql);
    return script;
}

asio::awaitable<void> bootstrap_server(Connection& superuser, std::string name) {
    for (const char c : name)
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_')
            throw std::invalid_argument("name of the database");
    co_await superuser.execute(roles_sql);
    const auto found = co_await superuser.query(database_exists, params(name));
    if (!found.empty()) co_return;
    const std::string create =
        "create database " + name + " owner lab_owner encoding 'UTF8' locale 'C.UTF-8' template template0";
    std::optional<DatabaseError> failure;
    try {
        co_await superuser.execute(create);
    } catch (const DatabaseError& error) {
        failure = error;
    }
    // 42P04, 23505: another daemon made it in the meantime.
    if (failure && failure->sqlstate() != "42P04" && failure->sqlstate() != "23505") throw std::move(*failure);
}

asio::awaitable<void> bootstrap_database(Connection& superuser) {
    co_await superuser.execute(database_sql);
}

asio::awaitable<Result<MigrationReport>> bring_up(asio::any_io_executor executor, const EmbeddedCluster& cluster,
                                                  Instant now) {
    {
        Connection server(executor);
        co_await server.connect(cluster.conninfo(cluster.superuser(), "postgres"));
        co_await bootstrap_server(server, "sgl");
    }
    {
        Connection database(executor);
        co_await database.connect(cluster.conninfo(cluster.superuser(), "sgl"));
        co_await bootstrap_database(database);
    }
    Connection migrator(executor);
    co_await migrator.connect(cluster.conninfo("lab_migrate", "sgl"));
    auto report = co_await migrate(migrator, embedded_migrations(), now);
    co_return report;
}

}  // namespace sgl::pg
