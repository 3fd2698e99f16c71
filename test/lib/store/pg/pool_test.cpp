#include "lib/store/pg/pool.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "test/lib/store/pg/cluster_fixture.hpp"

namespace sgl::pg {
namespace {

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

constexpr Query scope_now{"", "select coalesce(current_setting('app.sites', true), '')"};
constexpr Query backend{"", "select pg_backend_pid()"};
constexpr Query one{"", "select 1"};
constexpr Query nonsense{"", "select nonsense"};

class PgPool : public test::EmptyDatabaseTest {
protected:
    /// A table under forced row-level security, as the schema has them.
    void make_guarded_table() {
        Connection owner(executor());
        run(owner.connect(conninfo("lab_migrate")));
        run(
            owner.execute("set role lab_owner;"
                          "create table guarded (site_id int, word text);"
                          "alter table guarded enable row level security; alter table guarded force row level security;"
                          "create policy by_site on guarded using "
                          "  (site_id = any (coalesce(nullif(current_setting('app.sites', true), ''), '{}')::int[]));"
                          "grant select, insert on guarded to lab_app"));
    }

    asio::awaitable<void> wait(std::chrono::milliseconds duration) {
        asio::steady_timer timer(executor(), duration);
        co_await timer.async_wait(asio::use_awaitable);
    }
};

TEST_F(PgPool, ReusesAConnectionAndSetsItsSession) {
    Pool pool(executor(), conninfo(), 3, test::session());
    const auto work = [&]() -> asio::awaitable<void> {
        std::int64_t first = 0;
        for (int turn = 0; turn < 3; ++turn) {
            const auto rows = co_await pool.query(backend);
            if (turn == 0) first = rows[0].int64(0);
            EXPECT_EQ(rows[0].int64(0), first);
        }
        const Query settings{"",
                             "select current_setting('TimeZone'), current_setting('statement_timeout'), current_user,"
                             " current_setting('application_name'), current_setting('search_path')"};
        const auto rows = co_await pool.query(settings);
        EXPECT_EQ(rows[0].text(0), "UTC");
        EXPECT_EQ(rows[0].text(1), "30s");
        EXPECT_EQ(rows[0].text(2), "lab_app");
        EXPECT_EQ(rows[0].text(3), "sgld");
        EXPECT_EQ(rows[0].text(4), "public");
    };
    run(work());
    EXPECT_EQ(pool.figures().open, 1U);
    EXPECT_EQ(pool.figures().idle, 1U);
}

TEST_F(PgPool, KeepsTheScopeInsideItsTransaction) {
    make_guarded_table();
    Pool pool(executor(), conninfo(), 1, test::session());
    const Query insert{"guarded.insert", "insert into guarded values ($1, $2)"};
    const Query count{"guarded.count", "select count(*) from guarded"};
    const auto work = [&]() -> asio::awaitable<void> {
        Scope both{1, 2};
        auto transaction = co_await pool.begin(both);
        co_await transaction.query(insert, params(1, "a"));
        co_await transaction.query(insert, params(2, "b"));
        auto scope = co_await transaction.query(scope_now);
        EXPECT_EQ(scope[0].text(0), "{1,2}");
        co_await transaction.commit();
        EXPECT_THROW(co_await transaction.query(count), DatabaseError);
    };
    run(work());
    const auto after = [&]() -> asio::awaitable<void> {
        const auto scope = co_await pool.query(scope_now);
        EXPECT_EQ(scope[0].text(0), "");
        const auto none = co_await pool.query(count);
        EXPECT_EQ(none[0].int64(0), 0);
        Scope second{2};
        auto transaction = co_await pool.begin(second);
        const auto own = co_await transaction.query(count);
        EXPECT_EQ(own[0].int64(0), 1);
        std::string sqlstate;
        try {
            co_await transaction.query(insert, params(1, "foreign"));
        } catch (const DatabaseError& error) {
            sqlstate = error.sqlstate();
        }
        EXPECT_EQ(sqlstate, "42501");
        EXPECT_EQ(pool.figures().open, 1U);
    };
    run(after());
}

TEST_F(PgPool, CommitsTheLastStepsInOneRoundTripOrNothing) {
    make_guarded_table();
    Pool pool(executor(), conninfo(), 1, test::session());
    const Query insert{"guarded.insert", "insert into guarded values ($1, $2)"};
    const Query count{"", "select count(*) from guarded"};
    const auto work = [&]() -> asio::awaitable<void> {
        const Scope sites{1};
        std::vector<Step> steps;
        steps.push_back({insert, params(1, "kept")});
        auto good = co_await pool.begin(sites);
        const auto answers = co_await good.commit_with(std::move(steps));
        EXPECT_EQ(answers.size(), 1U);
        EXPECT_EQ(answers.at(0).affected(), 1U);
        {
            std::vector<Step> bad;
            bad.push_back({insert, params(1, "lost")});
            bad.push_back({nonsense, {}});
            auto failing = co_await pool.begin(sites);
            bool failed = false;
            try {
                co_await failing.commit_with(std::move(bad));
            } catch (const DatabaseError& error) {
                failed = !error.is_in_doubt();
            }
            EXPECT_TRUE(failed);
        }
        auto look = co_await pool.begin(sites);
        const auto rows = co_await look.query(count);
        EXPECT_EQ(rows[0].int64(0), 1);
    };
    run(work());
}

TEST_F(PgPool, RollsBackWhatWasNotCommittedBeforeAnybodyElseGetsTheConnection) {
    make_guarded_table();
    Pool pool(executor(), conninfo(), 1, test::session());
    const Query insert{"", "insert into guarded values (1, 'x')"};
    const Query count{"", "select count(*) from guarded"};
    const auto work = [&]() -> asio::awaitable<void> {
        const Scope sites{1};
        {
            auto forgotten = co_await pool.begin(sites);
            co_await forgotten.query(insert);
        }
        auto next = co_await pool.begin(sites);
        const auto rows = co_await next.query(count);
        EXPECT_EQ(rows[0].int64(0), 0);
        co_await next.commit();
    };
    run(work());
    EXPECT_EQ(pool.figures().open, 1U);  // rolled back, not thrown away
}

TEST_F(PgPool, DoesNotTakeACommitOfAnAbortedTransactionForSuccess) {
    Pool pool(executor(), conninfo(), 1, test::session());
    const auto work = [&]() -> asio::awaitable<void> {
        auto transaction = co_await pool.begin(Scope());
        bool failed = false;
        try {
            co_await transaction.query(nonsense);
        } catch (const DatabaseError&) {
            failed = true;
        }
        EXPECT_TRUE(failed);
        std::string sqlstate;
        try {
            co_await transaction.commit();
        } catch (const DatabaseError& error) {
            sqlstate = error.sqlstate();
            EXPECT_FALSE(error.is_in_doubt());
        }
        EXPECT_EQ(sqlstate, "25P02");
    };
    run(work());
}

TEST_F(PgPool, SaysWhenACommitIsInDoubt) {
    Pool pool(executor(), conninfo(), 1, test::session());
    const auto work = [&]() -> asio::awaitable<void> {
        auto transaction = co_await pool.begin(Scope());
        const auto pid = co_await transaction.query(backend);
        superuser("select pg_terminate_backend($1, 5000)", params(pid[0].int64(0)));
        bool doubt = false;
        try {
            co_await transaction.commit();
        } catch (const DatabaseError& error) {
            doubt = error.is_in_doubt() && error.is_connection_loss();
        }
        EXPECT_TRUE(doubt);
    };
    run(work());
}

TEST_F(PgPool, ServesWaitersInTheirOrder) {
    Pool pool(executor(), conninfo(), 2, test::session());
    std::vector<int> order;
    int left = 20;
    const auto client = [&](int number) -> asio::awaitable<void> {
        auto lease = co_await pool.acquire();
        order.push_back(number);
        co_await lease->query(one);
        --left;
    };
    for (int i = 0; i < 20; ++i)
        asio::co_spawn(io(), client(i), asio::detached);
    const auto all = [&]() -> asio::awaitable<void> {
        while (left > 0)
            co_await wait(5ms);
    };
    run(all());
    std::vector<int> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(order, sorted);
    // On a busy machine one connection may have served them all before the second one was open.
    EXPECT_LE(pool.figures().open, 2U);
}

TEST_F(PgPool, ReplacesAConnectionTheServerClosedAndAWaiterThatGaveUpCostsNothing) {
    Pool pool(executor(), conninfo(), 1, test::session());
    const auto work = [&]() -> asio::awaitable<void> {
        const auto before = co_await pool.query(backend);
        superuser("select pg_terminate_backend($1, 5000)", params(before[0].int64(0)));
        const auto after = co_await pool.query(backend);
        EXPECT_NE(before[0].int64(0), after[0].int64(0));
        auto held = co_await pool.acquire();
        {
            asio::steady_timer timer(executor(), 30ms);
            auto waiting = pool.acquire();
            auto expiry = timer.async_wait(asio::use_awaitable);
            auto first = co_await (std::move(waiting) || std::move(expiry));
            EXPECT_EQ(first.index(), 1U);
        }
        EXPECT_EQ(pool.figures().waiting, 0U);
        Lease gone = std::move(held);
    };
    run(work());
    const auto again = [&]() -> asio::awaitable<void> { co_await pool.query(one); };
    run(again());
    EXPECT_EQ(pool.figures().open, 1U);
}

TEST_F(PgPool, EndsTheWaitWhenTheDatabaseIsAway) {
    Pool pool(executor(), "host=/tmp/sgl-nowhere dbname=x", 2, test::session(), 300ms);
    const auto work = [&]() -> asio::awaitable<void> {
        bool lost = false;
        try {
            co_await pool.acquire();
        } catch (const DatabaseError& error) {
            lost = error.is_connection_loss();
        }
        EXPECT_TRUE(lost);
    };
    run(work());
}

TEST_F(PgPool, RefusesAServerThatIsNotDurable) {
    Session strict = test::session();
    strict.allow_unsafe_server = false;
    Pool pool(executor(), conninfo(), 2, strict);
    const auto work = [&]() -> asio::awaitable<void> { co_await pool.acquire(); };
    EXPECT_THROW(run(work()), ServerRefused);
}

TEST_F(PgPool, ServesCoroutinesOfSeveralThreads) {
    asio::io_context threads_io;
    Pool pool(threads_io.get_executor(), conninfo(), 3, test::session());
    std::atomic<int> done{0};
    const auto client = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 20; ++i) {
            const Scope sites{1, 2, 3};
            auto transaction = co_await pool.begin(sites);
            const auto scope = co_await transaction.query(scope_now);
            EXPECT_EQ(scope[0].text(0), "{1,2,3}");
            if (i % 3 != 0) co_await transaction.commit();
        }
        ++done;
    };
    for (int i = 0; i < 10; ++i)
        asio::co_spawn(threads_io, client(), asio::detached);
    std::thread other([&] { threads_io.run(); });
    threads_io.run();
    other.join();
    EXPECT_EQ(done, 10);
    EXPECT_LE(pool.figures().open, 3U);
}

}  // namespace
}  // namespace sgl::pg
