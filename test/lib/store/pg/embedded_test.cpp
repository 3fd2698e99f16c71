#include "lib/store/pg/embedded.hpp"

#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "lib/store/pg/connection.hpp"
#include "lib/store/pg/migrate.hpp"
#include "lib/store/pg/session.hpp"
#include "test/lib/store/pg/unprivileged.hpp"

namespace sgl::pg {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Each test has a state directory of its own. Those that need an existing cluster copy one, as initdb takes a second.
class PgEmbedded : public ::testing::Test {
protected:
    PgEmbedded() : directory_(test::short_directory()) {}

    static void TearDownTestSuite() {
        std::error_code ignored;
        fs::remove_all(model(), ignored);
    }

    static fs::path& model() {
        static fs::path directory;
        return directory;
    }

    /// A cluster that was made before, in this test's directory.
    void with_cluster() {
        if (model().empty()) {
            model() = test::short_directory();
            asio::io_context io;
            EmbeddedCluster cluster(io.get_executor(), options(model()));
            const auto work = [&]() -> asio::awaitable<void> {
                co_await cluster.start();
                co_await cluster.stop();
            };
            run(io, work);
        }
        fs::copy(model() / "postgres", directory_ / "postgres", fs::copy_options::recursive);
    }

    ~PgEmbedded() override {
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }

    static EmbeddedOptions options(const fs::path& state_dir) {
        EmbeddedOptions made;
        made.state_dir = state_dir;
        made.shared_buffers = "16MB";
        made.max_wal_size = "128MB";
        made.unsafe_for_tests = true;
        return made;
    }
    EmbeddedOptions options() const { return options(directory_); }

    template <class Work>
    static void run(asio::io_context& io, Work work) {
        std::exception_ptr failure;
        bool done = false;
        io.restart();
        asio::co_spawn(io, work(), [&](std::exception_ptr thrown) {
            failure = thrown;
            done = true;
            io.stop();
        });
        io.run_for(90s);
        if (!done) throw std::runtime_error("the coroutine did not end");
        if (failure) std::rethrow_exception(failure);
    }

    static asio::awaitable<void> pause(asio::io_context& io, std::chrono::milliseconds duration) {
        asio::steady_timer timer(io, duration);
        co_await timer.async_wait(asio::use_awaitable);
    }

    static asio::awaitable<std::string> ask(asio::io_context& io, const EmbeddedCluster& cluster,
                                            std::string_view sql) {
        Connection connection(io.get_executor());
        co_await connection.connect(cluster.conninfo(cluster.superuser(), "postgres"));
        const Query query{"", sql};
        const auto rows = co_await connection.query(query);
        co_return rows.empty() ? std::string() : rows[0].string(0);
    }

    /// A daemon in a process of its own that starts the cluster and lives until killed; returns when it is ready.
    pid_t daemon() const {
        int ready[2];
        if (::pipe(ready) != 0) throw std::runtime_error("no pipe");
        const pid_t child = ::fork();
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            asio::io_context io;
            EmbeddedCluster cluster(io.get_executor(), options());
            const auto live = [&]() -> asio::awaitable<void> {
                try {
                    co_await cluster.start();
                } catch (const std::exception& error) {
                    std::fprintf(stderr, "daemon: %s\n", error.what());
                    ::_exit(3);
                }
                if (::write(ready[1], "r", 1) != 1) ::_exit(4);
                const std::function<void(EmbeddedCluster::Event)> nobody;
                co_await cluster.supervise(nobody);
            };
            asio::co_spawn(io, live(), asio::detached);
            io.run();
            ::_exit(0);
        }
        ::close(ready[1]);
        char c = 0;
        const bool good = ::read(ready[0], &c, 1) == 1;
        ::close(ready[0]);
        if (!good) throw std::runtime_error("the daemon did not become ready");
        return child;
    }

    static void kill_hard(pid_t pid) {
        ::kill(pid, SIGKILL);
        int status = 0;
        ::waitpid(pid, &status, 0);
    }

    fs::path directory_;
};

TEST_F(PgEmbedded, StartsADurablePrivateServerAndStopsIt) {
    asio::io_context io;
    auto durable = options();
    durable.unsafe_for_tests = false;
    EmbeddedCluster cluster(io.get_executor(), durable);
    const auto work = [&]() -> asio::awaitable<void> {
        const auto role = co_await cluster.start();
        EXPECT_EQ(role, EmbeddedCluster::Role::supervisor);
        Connection connection(io.get_executor());
        co_await connection.connect(cluster.conninfo(cluster.superuser(), "postgres"));
        co_await open_session(connection, Session());  // refuses what is not durable
        const Query look{
            "",
            "select current_setting('data_checksums'), current_setting('listen_addresses'),"
            " current_setting('server_encoding'), current_setting('fsync'), current_setting('log_statement'),"
            " (select datcollate from pg_database where datname = 'postgres')"};
        const auto rows = co_await connection.query(look);
        EXPECT_EQ(rows[0].text(0), "on");
        EXPECT_EQ(rows[0].text(1), "");
        EXPECT_EQ(rows[0].text(2), "UTF8");
        EXPECT_EQ(rows[0].text(3), "on");
        EXPECT_EQ(rows[0].text(4), "none");
        EXPECT_EQ(rows[0].text(5), "C.UTF-8");
        co_await bootstrap_server(connection, "sgl");
        Connection app(io.get_executor());
        co_await app.connect(cluster.conninfo("lab_app", "sgl"));
        EXPECT_TRUE(app.is_open());
        struct stat info{};
        EXPECT_EQ(::stat((cluster.socket_dir() / ".s.PGSQL.5432").c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777U, 0700U);
        co_await cluster.stop();
        EXPECT_EQ(cluster.pid(), 0);
        EXPECT_FALSE(fs::exists(cluster.data_dir() / "postmaster.pid"));
        const auto again = co_await cluster.start();
        EXPECT_EQ(again, EmbeddedCluster::Role::supervisor);
        const auto kept = co_await ask(io, cluster, "select count(*) from pg_database where datname = 'sgl'");
        EXPECT_EQ(kept, "1");
        co_await cluster.stop();
    };
    run(io, work);
}

TEST_F(PgEmbedded, KeepsValuesOutOfItsLog) {
    with_cluster();
    asio::io_context io;
    EmbeddedCluster cluster(io.get_executor(), options());
    const auto work = [&]() -> asio::awaitable<void> {
        co_await cluster.start();
        Connection connection(io.get_executor());
        co_await connection.connect(cluster.conninfo(cluster.superuser(), "postgres"));
        co_await connection.execute("create table person (name text unique, born date check (born > '1900-01-01'))");
        const Query insert{"", "insert into person values ($1, $2)"};
        for (const std::string_view born : {"1979-03-28", "1979-03-28", "CANARY-DATE", "1800-01-01"}) {
            try {
                co_await connection.query(insert, params("CANARY-NAME", born));
            } catch (const DatabaseError&) {
            }
        }
        co_await cluster.stop();
    };
    run(io, work);
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
        if (entry.path().extension() != ".log") continue;
        ++files;
        std::ifstream in(entry.path());
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        EXPECT_EQ(text.find("CANARY"), std::string::npos) << entry.path();
    }
    EXPECT_GE(files, 2);
}

TEST_F(PgEmbedded, ComesBackWhenTheServerIsKilled) {
    with_cluster();
    std::ofstream(directory_ / "postgres" / "local.conf") << "synchronous_commit = on\n";
    asio::io_context io;
    EmbeddedCluster cluster(io.get_executor(), options());
    std::vector<EmbeddedCluster::Event> events;
    const auto work = [&]() -> asio::awaitable<void> {
        co_await cluster.start();
        auto told = [&](EmbeddedCluster::Event event) { events.push_back(event); };
        auto watch = cluster.supervise(told);
        asio::co_spawn(io, std::move(watch), asio::detached);
        co_await ask(io, cluster, "create table kept as select 42 as a");
        for (int turn = 0; turn < 2; ++turn) {
            const pid_t before = cluster.pid();
            ::kill(before, SIGKILL);
            const auto wanted = static_cast<std::size_t>(2 * (turn + 1));
            for (int i = 0; i < 600 && events.size() < wanted; ++i)
                co_await pause(io, 50ms);
            EXPECT_NE(cluster.pid(), before);
            const auto value = co_await ask(io, cluster, "select a from kept");
            EXPECT_EQ(value, "42");
        }
        co_await cluster.stop();
    };
    run(io, work);
    ASSERT_EQ(events.size(), 4U);
    EXPECT_EQ(events[0], EmbeddedCluster::Event::exited);
    EXPECT_EQ(events[1], EmbeddedCluster::Event::restarted);
}

TEST_F(PgEmbedded, StartsAgainAfterTheDaemonIsKilled) {
    with_cluster();
    for (int turn = 0; turn < 3; ++turn) {
        const pid_t child = daemon();
        kill_hard(child);  // its server is now shutting down; the next daemon must wait for it
    }
    asio::io_context io;
    EmbeddedCluster cluster(io.get_executor(), options());
    const auto work = [&]() -> asio::awaitable<void> {
        const auto role = co_await cluster.start();
        EXPECT_EQ(role, EmbeddedCluster::Role::supervisor);
        const auto value = co_await ask(io, cluster, "select 1");
        EXPECT_EQ(value, "1");
        co_await cluster.stop();
    };
    run(io, work);
}

TEST_F(PgEmbedded, StartsAgainAfterDaemonAndServerAreKilledTogether) {
    with_cluster();
    const pid_t child = daemon();
    std::ifstream in(directory_ / "postgres" / "postmaster.pid");
    pid_t server = 0;
    in >> server;
    ASSERT_GT(server, 1);
    ::kill(server, SIGKILL);
    kill_hard(child);
    ASSERT_TRUE(fs::exists(directory_ / "postgres" / "postmaster.pid"));
    asio::io_context io;
    EmbeddedCluster cluster(io.get_executor(), options());
    const auto work = [&]() -> asio::awaitable<void> {
        co_await cluster.start();
        co_await cluster.stop();
    };
    run(io, work);
}

TEST_F(PgEmbedded, IsNotStoppedByAStalePidFileWhoseNumberBelongsToAnotherProcess) {
    with_cluster();
    asio::io_context io;
    EmbeddedCluster cluster(io.get_executor(), options());
    const auto first = [&]() -> asio::awaitable<void> {
        co_await cluster.start();
        co_await cluster.stop();
    };
    run(io, first);
    // A living process of the same user, as after a restart of the container: PostgreSQL alone would refuse to start.
    const pid_t bystander = ::fork();
    if (bystander == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::pause();
        ::_exit(0);
    }
    std::ofstream(cluster.data_dir() / "postmaster.pid") << bystander << "\n" << cluster.data_dir().string() << "\n";
    run(io, first);
    EXPECT_EQ(::kill(bystander, 0), 0);
    kill_hard(bystander);
}

TEST_F(PgEmbedded, ThrowsAwayAHalfMadeCluster) {
    fs::create_directories(directory_ / "postgres.new" / "base");
    std::ofstream(directory_ / "postgres.new" / "PG_VERSION") << "15\n";
    asio::io_context io;
    EmbeddedCluster cluster(io.get_executor(), options());
    const auto work = [&]() -> asio::awaitable<void> {
        co_await cluster.start();
        co_await cluster.stop();
    };
    run(io, work);
    EXPECT_FALSE(fs::exists(directory_ / "postgres.new"));
}

TEST_F(PgEmbedded, ASecondDaemonIsAGuestAndTakesOverWhenTheFirstDies) {
    with_cluster();
    const pid_t first = daemon();
    asio::io_context io;
    EmbeddedCluster cluster(io.get_executor(), options());
    bool took_over = false;
    const auto work = [&]() -> asio::awaitable<void> {
        const auto role = co_await cluster.start();
        EXPECT_EQ(role, EmbeddedCluster::Role::guest);
        const auto value = co_await ask(io, cluster, "select 1");
        EXPECT_EQ(value, "1");
        auto told = [&](EmbeddedCluster::Event event) { took_over |= event == EmbeddedCluster::Event::took_over; };
        auto watch = cluster.supervise(told);
        asio::co_spawn(io, std::move(watch), asio::detached);
        kill_hard(first);
        for (int i = 0; i < 600 && !took_over; ++i)
            co_await pause(io, 50ms);
        EXPECT_EQ(cluster.role(), EmbeddedCluster::Role::supervisor);
        const auto after = co_await ask(io, cluster, "select 2");
        EXPECT_EQ(after, "2");
        co_await cluster.stop();
    };
    run(io, work);
    EXPECT_TRUE(took_over);
}

TEST_F(PgEmbedded, IsBroughtUpToTheSchemaByTwoDaemonsAtATime) {
    with_cluster();
    asio::io_context io;
    EmbeddedCluster cluster(io.get_executor(), options());
    int good = 0;
    const auto one = [&]() -> asio::awaitable<void> {
        const auto report = co_await bring_up(io.get_executor(), cluster, SystemClock().now());
        if (report && report->to == embedded_migrations().back().number) ++good;
    };
    const auto work = [&]() -> asio::awaitable<void> {
        co_await cluster.start();
        asio::co_spawn(io, one(), asio::detached);
        asio::co_spawn(io, one(), asio::detached);
        for (int i = 0; i < 600 && good < 2; ++i)
            co_await pause(io, 50ms);
        co_await one();
        co_await cluster.stop();
    };
    run(io, work);
    EXPECT_EQ(good, 3);
}

TEST_F(PgEmbedded, RefusesAPathThatNoSocketCanHave) {
    asio::io_context io;
    auto bad = options();
    bad.socket_dir = directory_ / std::string(100, 'x');
    EXPECT_THROW(EmbeddedCluster(io.get_executor(), bad), std::runtime_error);
}

TEST_F(PgEmbedded, SaysWhyTheServerDoesNotStart) {
    with_cluster();
    asio::io_context io;
    EmbeddedCluster cluster(io.get_executor(), options());
    const auto work = [&]() -> asio::awaitable<void> {
        co_await cluster.start();
        co_await cluster.stop();
        std::ofstream(cluster.data_dir() / "local.conf") << "no_such_setting = 1\n";
        std::string why;
        try {
            co_await cluster.start();
        } catch (const std::runtime_error& error) {
            why = error.what();
        }
        EXPECT_NE(why.find("no_such_setting"), std::string::npos) << why;
    };
    run(io, work);
}

/// Before anything else: the server refuses root, so the whole binary changes user.
class Unprivileged : public ::testing::Environment {
public:
    void SetUp() override {
        if (::geteuid() == 0) {
            asio::io_context io;
            EmbeddedOptions options;
            options.state_dir = "/tmp/sgl-root";
            EmbeddedCluster cluster(io.get_executor(), options);
            std::exception_ptr failure;
            asio::co_spawn(io, cluster.start(),
                           [&](std::exception_ptr thrown, EmbeddedCluster::Role) { failure = thrown; });
            io.run();
            if (!failure) throw std::runtime_error("root was not refused");
        }
        test::become_unprivileged();
    }
};

const auto* const environment = ::testing::AddGlobalTestEnvironment(new Unprivileged);  // gtest deletes it

}  // namespace
}  // namespace sgl::pg
