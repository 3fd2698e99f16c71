#include "lib/store/pg/migrate.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <array>
#include <boost/asio/detached.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "lib/base/clock.hpp"
#include "test/lib/store/pg/cluster_fixture.hpp"

extern char** environ;

namespace sgl::pg {
namespace {

constexpr Instant now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
constexpr std::array<Migration, 3> three{
    Migration{1, "0001_first", "create table first (a int); insert into first values (1)"},
    Migration{2, "0002_second", "create table second (a int); insert into first values (2)"},
    Migration{3, "0003_third", "create table third (a int); insert into first values (3)"},
};

class PgMigration : public test::EmptyDatabaseTest {
protected:
    Result<MigrationReport> apply(std::span<const Migration> list) {
        Connection connection(executor());
        run(connection.connect(conninfo("lab_migrate")));
        return run(migrate(connection, list, now));
    }

    Result<int> check(std::span<const Migration> list) {
        Connection connection(executor());
        run(connection.connect(conninfo("lab_app")));
        return run(check_schema(connection, list));
    }

    std::int64_t number(std::string_view sql) {
        const auto rows = superuser(sql);
        return rows[0].int64(0);
    }
};

TEST_F(PgMigration, AppliesWhatIsMissingOnce) {
    EXPECT_EQ(check(three).error().fault, Fault::missing);
    const auto first = apply(std::span(three).first(2));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->from, 0);
    EXPECT_EQ(first->to, 2);
    const auto missing = check(three);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().fault, Fault::missing);
    const auto second = apply(three);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->from, 2);
    EXPECT_EQ(second->to, 3);
    EXPECT_EQ(apply(three)->from, 3);
    EXPECT_EQ(*check(three), 3);
    EXPECT_EQ(number("select count(*) from first"), 3);
    const auto owner = superuser("select tableowner from pg_tables where tablename = 'third'");
    EXPECT_EQ(owner[0].text(0), "lab_owner");
}

TEST_F(PgMigration, RefusesAnEditedMigration) {
    ASSERT_TRUE(apply(three));
    auto edited = three;
    edited[1].sql = "create table second (a int); insert into first values (22)";
    EXPECT_EQ(apply(edited).error().fault, Fault::conflict);
    EXPECT_EQ(check(edited).error().fault, Fault::conflict);
    EXPECT_NE(check(edited).error().where.find("2"), std::string::npos);
}

TEST_F(PgMigration, RefusesADatabaseOfANewerProgram) {
    ASSERT_TRUE(apply(three));
    EXPECT_EQ(apply(std::span(three).first(2)).error().fault, Fault::conflict);
    EXPECT_EQ(check(std::span(three).first(2)).error().fault, Fault::conflict);
}

TEST_F(PgMigration, LeavesNothingOfOneThatFails) {
    auto broken = three;
    broken[1].sql = "create table second (a int); insert into first values (2); select nonsense";
    EXPECT_THROW(static_cast<void>(apply(broken)), DatabaseError);
    EXPECT_EQ(number("select count(*) from pg_tables where tablename = 'second'"), 0);
    EXPECT_EQ(number("select count(*) from first"), 1);
    EXPECT_EQ(apply(three)->from, 1);
}

/// Not a test by itself: run again as a child process with a failpoint armed.
TEST(PgMigrationChild, DISABLED_Migrate) {
    const char* target = std::getenv("SGL_MIGRATION_TARGET");
    ASSERT_NE(target, nullptr);
    asio::io_context io;
    Connection connection(io.get_executor());
    const auto work = [&]() -> asio::awaitable<void> {
        co_await connection.connect(target);
        static_cast<void>(co_await migrate(connection, three, now));
    };
    asio::co_spawn(io, work(), asio::detached);
    io.run();
}

TEST_F(PgMigration, SurvivesDeathBetweenAnyTwoSteps) {
    // Two passages a migration: before and after its commit.
    for (int passage = 1; passage <= 6; ++passage) {
        const std::string failpoint = "SGLD_FAILPOINT=migration_step_n:" + std::to_string(passage);
        const std::string target = "SGL_MIGRATION_TARGET=" + conninfo("lab_migrate");
        std::vector<std::string> variables{failpoint, target};
        for (char** variable = environ; *variable != nullptr; ++variable)
            variables.emplace_back(*variable);
        std::vector<char*> environment;
        for (auto& variable : variables)
            environment.push_back(variable.data());
        environment.push_back(nullptr);
        std::array<std::string, 4> words{"/proc/self/exe", "--gtest_filter=PgMigrationChild.DISABLED_Migrate",
                                         "--gtest_also_run_disabled_tests", "--gtest_brief=1"};
        std::array<char*, 5> arguments{words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
        pid_t child = 0;
        ASSERT_EQ(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environment.data()), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "passage " << passage;
        const auto report = apply(three);
        ASSERT_TRUE(report) << to_string(report.error());
        EXPECT_EQ(report->from, passage / 2) << "passage " << passage;
        EXPECT_EQ(report->to, 3);
        EXPECT_EQ(number("select sum(a) from first"), 6);
        superuser("drop table first, second, third, schema_migration");
    }
}

TEST_F(PgMigration, IsAppliedOnceByTwoDaemonsAtATime) {
    Connection a(executor());
    Connection b(executor());
    run(a.connect(conninfo("lab_migrate")));
    run(b.connect(conninfo("lab_migrate")));
    int applied = 0;
    int ended = 0;
    const auto daemon = [&](Connection& connection) -> asio::awaitable<void> {
        const auto report = co_await migrate(connection, three, now);
        if (report && report->from == 0) ++applied;
        if (report && report->to == 3) ++ended;
        if (ended == 2) io().stop();
    };
    asio::co_spawn(io(), daemon(a), asio::detached);
    asio::co_spawn(io(), daemon(b), asio::detached);
    io().restart();
    io().run_for(std::chrono::seconds(20));
    EXPECT_EQ(applied, 1);
    EXPECT_EQ(ended, 2);
    EXPECT_EQ(number("select count(*) from first"), 3);
}

TEST_F(PgMigration, BootstrapIsIdempotentAndItsRolesAreWeak) {
    Connection server(executor());
    run(server.connect(test::Cluster::shared().conninfo(test::Cluster::shared().superuser(), "postgres")));
    run(bootstrap_server(server, "sgl_empty"));
    EXPECT_EQ(number("select count(*) from pg_roles where rolname like 'lab\\_%' and (rolsuper or rolbypassrls or "
                     "rolcreatedb or rolcreaterole)"),
              0);
    EXPECT_EQ(number("select count(*) from pg_roles where rolname like 'lab\\_%'"), 7);
    EXPECT_EQ(number("select count(*) from pg_roles where rolname = 'lab_owner' and rolcanlogin"), 0);
    EXPECT_NE(bootstrap_script().find("\\gexec"), std::string::npos);
    Connection app(executor());
    run(app.connect(conninfo("lab_app")));
    EXPECT_THROW(run(app.execute("create table mine (a int)")), DatabaseError);
    EXPECT_THROW(run(app.execute("set role lab_owner")), DatabaseError);
}

TEST_F(PgMigration, ThePrintedBootstrapRunsInPsqlAndAgain) {
    const auto& cluster = test::Cluster::shared();
    const std::string command = "psql -q -X -v ON_ERROR_STOP=1 -h " + cluster.directory() + "/socket -U " +
                                cluster.superuser() + " -d postgres >/dev/null";
    for (int turn = 0; turn < 2; ++turn) {
        FILE* psql = ::popen(command.c_str(), "w");
        ASSERT_NE(psql, nullptr);
        const std::string script = bootstrap_script();
        ASSERT_EQ(std::fwrite(script.data(), 1, script.size(), psql), script.size());
        ASSERT_EQ(::pclose(psql), 0) << "turn " << turn;
    }
    Connection migrator(executor());
    run(migrator.connect(cluster.conninfo("lab_migrate", "sgl")));
    const auto report = run(migrate(migrator, embedded_migrations(), now));
    ASSERT_TRUE(report);
    EXPECT_EQ(report->to, embedded_migrations().back().number);
}

TEST(PgMigrationList, IsNumberedFromOne) {
    int expected = 0;
    for (const auto& migration : embedded_migrations()) {
        EXPECT_EQ(migration.number, ++expected);
        EXPECT_FALSE(migration.sql.empty());
    }
    EXPECT_GT(expected, 0);
}

}  // namespace
}  // namespace sgl::pg
