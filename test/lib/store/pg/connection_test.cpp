#include "lib/store/pg/connection.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "lib/base/time.hpp"
#include "test/lib/store/pg/cluster_fixture.hpp"

namespace sgl::pg {
namespace {

using namespace std::chrono_literals;

class PgConnection : public test::EmptyDatabaseTest {
protected:
    PgConnection() : connection(executor()) {
        run(connection.connect(conninfo()));
        run(open_session(connection, test::session()));
    }

    Rows ask(std::string_view sql, Params bound = {}) {
        const Query query{"", sql};
        return run(connection.query(query, std::move(bound)));
    }

    std::int64_t number(std::string_view sql) {
        const auto rows = ask(sql);
        return rows[0].int64(0);
    }

    /// The error of a statement that must fail.
    DatabaseError refused(std::string_view sql, Params bound = {}) {
        try {
            ask(sql, std::move(bound));
        } catch (const DatabaseError& error) {
            return error;
        }
        ADD_FAILURE() << "not refused: " << sql;
        return {"00000", "", ""};
    }

    Connection connection;
};

constexpr Instant some_time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 22h + 8min + 51s + 123456us};

TEST_F(PgConnection, CarriesEachScalarThereAndBack) {
    const auto id = *Uuid::parse("0190aaaa-bbbb-7ccc-8ddd-eeeeffff0001");
    const std::string bytes("\0\xff\x1c\r'\\x", 7);
    const std::string text = "Éléonore d'Été \\ \" {NULL}";
    const auto day = std::chrono::year{1979} / 3 / 28;
    const auto rows = ask(
        "select $1::int8 as big, $2::int4 as small, $3::bool as yes, $4::text as text, $5::bytea as bytes, $6::uuid as "
        "id,"
        "       $7::timestamptz as at, $8::date as day, $9::jsonb as doc, $10::float8 as real, $11::text as nothing",
        params(std::int64_t{-9'007'199'254'740'993}, 42, true, text, Bytes{bytes}, id, some_time,
               std::chrono::year_month_day{day}, Json{R"({"a":"b"})"}, 0.1, std::optional<std::string>{}));
    ASSERT_EQ(rows.size(), 1U);
    const auto row = rows[0];
    EXPECT_EQ(row.int64("big"), -9'007'199'254'740'993);
    EXPECT_EQ(row.int32("small"), 42);
    EXPECT_TRUE(row.boolean("yes"));
    EXPECT_EQ(row.text("text"), text);
    EXPECT_EQ(row.bytes("bytes"), bytes);
    EXPECT_EQ(row.uuid("id"), id);
    EXPECT_EQ(row.instant("at"), some_time);
    EXPECT_EQ(row.date("day"), std::chrono::year_month_day{day});
    EXPECT_EQ(row.json("doc"), R"({"a": "b"})");
    EXPECT_EQ(row.real("real"), 0.1);
    EXPECT_TRUE(row.is_null("nothing"));
    EXPECT_EQ(row.optional_text("nothing"), std::nullopt);
    EXPECT_EQ(row.optional_int64(0), -9'007'199'254'740'993);
    EXPECT_THROW(row.text("nothing"), std::runtime_error);
    EXPECT_THROW(row.int64("text"), std::runtime_error);
    EXPECT_THROW(row.text("absent"), std::out_of_range);
    EXPECT_THROW(row.text(11), std::out_of_range);
}

TEST_F(PgConnection, CarriesArraysOfEachTypeWithNulls) {
    const auto id = *Uuid::parse("0190aaaa-bbbb-7ccc-8ddd-eeeeffff0001");
    TextColumn text;
    BytesColumn bytes;
    Int8Column big;
    Int4Column small;
    UuidColumn ids;
    InstantColumn at;
    BoolColumn yes;
    DateColumn days;
    JsonColumn docs;
    const auto day = std::chrono::year_month_day{std::chrono::year{1979} / 3 / 28};
    for (int i = 0; i < 3; ++i) {
        if (i == 1) {
            text.add_null(), bytes.add_null(), big.add_null(), small.add_null(), ids.add_null(), at.add_null();
            yes.add_null(), days.add_null(), docs.add_null();
            continue;
        }
        text.add("été, \"a\" {b}"), bytes.add(Bytes{std::string_view("\0\xff", 2)}),
            big.add(std::int64_t{-5'000'000'000});
        small.add(-7), ids.add(id), at.add(some_time), yes.add(i == 0), days.add(day), docs.add(Json{"{\"k\": 1}"});
    }
    const auto rows =
        ask("select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) as u(t, b, big, small, id, at, yes, day, doc)",
            params(text, bytes, big, small, ids, at, yes, days, docs));
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].text("t"), "été, \"a\" {b}");
    EXPECT_EQ(rows[0].bytes("b"), std::string("\0\xff", 2));
    EXPECT_EQ(rows[0].int64("big"), -5'000'000'000);
    EXPECT_EQ(rows[0].int32("small"), -7);
    EXPECT_EQ(rows[0].uuid("id"), id);
    EXPECT_EQ(rows[0].instant("at"), some_time);
    EXPECT_TRUE(rows[0].boolean("yes"));
    EXPECT_FALSE(rows[2].boolean("yes"));
    EXPECT_EQ(rows[2].date("day"), day);
    EXPECT_EQ(rows[2].json("doc"), "{\"k\": 1}");
    for (int column = 0; column < 9; ++column)
        EXPECT_TRUE(rows[1].is_null(column)) << column;
}

TEST_F(PgConnection, CarriesAnEmptyArrayAndListsOfValues) {
    const std::vector<std::string> words{"a", "NULL", "", "d,e\"\\"};
    const std::vector<std::int32_t> numbers{3, 1, 2};
    const auto rows = ask("select cardinality($1), $2, $3", params(TextColumn{}, words, numbers));
    EXPECT_EQ(rows[0].int32(0), 0);
    const auto back = rows[0].texts(1);
    ASSERT_EQ(back.size(), 4U);
    EXPECT_EQ(back[1], "NULL");
    EXPECT_EQ(back[2], "");
    EXPECT_EQ(back[3], "d,e\"\\");
    const std::vector<std::int64_t> same{3, 1, 2};
    EXPECT_EQ(rows[0].int64s(2), same);
}

TEST_F(PgConnection, CarriesRowsOfACompositeType) {
    superuser("create type public.fruit_row as (name text, count integer, weight bigint, at timestamptz, id uuid)");
    RowArray rows("fruit_row");
    const std::optional<std::int64_t> unknown;
    const std::optional<Uuid> nobody;
    const Uuid id = Uuid::v7(some_time);
    rows.add(std::string("pomme, \"verte\""), 3, std::int64_t{5'000'000'000}, some_time, id);
    rows.add(std::string_view(), -1, unknown, some_time, nobody);
    const auto back = ask("select name, count, weight, at, id from unnest($1::fruit_row[])", params(rows));
    ASSERT_EQ(back.size(), 2U);
    EXPECT_EQ(back[0].text(0), "pomme, \"verte\"");
    EXPECT_EQ(back[0].int32(1), 3);
    EXPECT_EQ(back[0].int64(2), 5'000'000'000);
    EXPECT_EQ(back[0].instant(3), some_time);
    EXPECT_EQ(back[0].uuid(4), id);
    EXPECT_EQ(back[1].text(0), "");
    EXPECT_EQ(back[1].int32(1), -1);
    EXPECT_TRUE(back[1].is_null(2));
    EXPECT_TRUE(back[1].is_null(4));
    EXPECT_TRUE(ask("select from unnest($1::fruit_row[])", params(RowArray("fruit_row"))).empty());
}

TEST_F(PgConnection, NamesACompositeTypeThatIsNotThere) {
    RowArray rows("vegetable_row");
    rows.add(1);
    EXPECT_EQ(refused("select $1", params(rows)).sqlstate(), "42704");
    EXPECT_EQ(number("select 1"), 1) << "the connection is good";
}

TEST_F(PgConnection, RefusesTextWithNul) {
    EXPECT_THROW(params(std::string_view("a\0b", 3)), std::invalid_argument);
    TextColumn column;
    column.add(std::string_view("a\0b", 3));
    EXPECT_EQ(refused("select $1::text[]", params(column)).sqlstate(), "22021");
}

TEST_F(PgConnection, PreparesAtFirstUseAndAgainAfterAFailedPreparation) {
    const Query good{"test.good", "select $1::int4 + 1"};
    for (int i = 0; i < 3; ++i) {
        const auto rows = run(connection.query(good, params(i)));
        EXPECT_EQ(rows[0].int32(0), i + 1);
    }
    EXPECT_EQ(number("select count(*) from pg_prepared_statements where name = 'test.good'"), 1);
}

TEST_F(PgConnection, SaysWhichQueryFailedWithoutAnyValue) {
    ask("create temporary table person (name text constraint one_person unique, born date)");
    const Query insert{"person.insert", "insert into person values ($1, $2)"};
    run(connection.query(insert, params("DUPONT-SECRET", nullptr)));
    try {
        run(connection.query(insert, params("DUPONT-SECRET", nullptr)));
        FAIL() << "a double was accepted";
    } catch (const DatabaseError& error) {
        EXPECT_TRUE(error.is_unique_violation());
        EXPECT_EQ(error.constraint(), "one_person");
        EXPECT_EQ(error.query(), "person.insert");
        EXPECT_EQ(std::string(error.what()).find("SECRET"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("one_person"), std::string::npos) << error.what();
    }
    // 22P02's primary message quotes the value.
    const auto malformed = refused("insert into person values ('x', $1)", params("NOT-A-DATE-SECRET"));
    EXPECT_EQ(malformed.sqlstate().substr(0, 2), "22");
    EXPECT_EQ(std::string(malformed.what()).find("SECRET"), std::string::npos) << malformed.what();
    EXPECT_EQ(number("select count(*) from person"), 1);
}

TEST_F(PgConnection, EndsAPipelineAtItsFirstErrorAndStaysUsable) {
    ask("create temporary table t (a int constraint positive check (a > 0))");
    const Query insert{"t.insert", "insert into t values ($1)"};
    const Query other{"t.other", "insert into t values ($1 + 1)"};
    std::vector<Step> steps;
    steps.push_back({insert, params(1)});
    steps.push_back({insert, params(-1)});
    steps.push_back({other, params(5)});
    try {
        run(connection.pipeline(std::move(steps)));
        FAIL() << "the error was lost";
    } catch (const DatabaseError& error) {
        EXPECT_EQ(error.sqlstate(), "23514");
        EXPECT_EQ(error.constraint(), "positive");
        EXPECT_EQ(error.query(), "t.insert");
    }
    EXPECT_EQ(number("select count(*) from t"), 0);                     // the steps are one transaction
    EXPECT_EQ(run(connection.query(other, params(5))).affected(), 1U);  // its preparation was skipped, and is made now
    EXPECT_TRUE(connection.is_open());
}

TEST_F(PgConnection, SendsAndReceivesMoreThanTheSocketHolds) {
    const std::string big(3'000'000, 'x');
    const Query echo{"test.echo", "select $1::text"};
    std::vector<Step> steps;
    for (int i = 0; i < 8; ++i)
        steps.push_back({echo, params(big)});
    const auto answers = run(connection.pipeline(std::move(steps)));
    ASSERT_EQ(answers.size(), 8U);
    for (const auto& rows : answers)
        EXPECT_EQ(rows[0].text(0).size(), big.size());
}

TEST_F(PgConnection, RunsAScriptOfSeveralStatements) {
    run(connection.execute("create temporary table s (a int); insert into s values (1), (2); select * from s"));
    EXPECT_EQ(number("select count(*) from s"), 2);
    EXPECT_THROW(run(connection.execute("select 1; select nonsense; select 2")), DatabaseError);
    EXPECT_EQ(number("select 3"), 3);
}

TEST_F(PgConnection, MarksALostConnection) {
    superuser("select pg_terminate_backend($1)", params(connection.backend_pid()));
    const auto error = refused("select 1");
    EXPECT_TRUE(error.is_connection_loss()) << error.what();
    EXPECT_FALSE(connection.is_open());
    EXPECT_TRUE(refused("select 1").is_connection_loss());
}

TEST_F(PgConnection, NoticesWhileIdleThatTheServerHungUp) {
    EXPECT_TRUE(connection.is_alive());
    superuser("select pg_terminate_backend($1, 5000)", params(connection.backend_pid()));
    EXPECT_FALSE(connection.is_alive());
}

TEST_F(PgConnection, IsBrokenAfterACancelledQuery) {
    using namespace asio::experimental::awaitable_operators;
    const auto race = [&]() -> asio::awaitable<std::size_t> {
        asio::steady_timer timer(executor(), 50ms);
        const Query sleep{"", "select pg_sleep(20)"};
        auto query = connection.query(sleep);
        auto expiry = timer.async_wait(asio::use_awaitable);
        auto first = co_await (std::move(query) || std::move(expiry));
        co_return first.index();
    };
    EXPECT_EQ(run(race()), 1U);
    EXPECT_FALSE(connection.is_open());
    EXPECT_TRUE(refused("select 1").is_connection_loss());
}

TEST_F(PgConnection, ReceivesANotificationAndSurvivesACancelledWait) {
    using namespace asio::experimental::awaitable_operators;
    run(connection.execute("listen letters"));
    const auto nothing_yet = [&]() -> asio::awaitable<std::size_t> {
        asio::steady_timer timer(executor(), 20ms);
        auto wait = connection.wait_notification();
        auto expiry = timer.async_wait(asio::use_awaitable);
        auto first = co_await (std::move(wait) || std::move(expiry));
        co_return first.index();
    };
    EXPECT_EQ(run(nothing_yet()), 1U);
    superuser("select pg_notify('letters', 'due')");
    const auto notification = run(connection.wait_notification());
    EXPECT_EQ(notification.channel, "letters");
    EXPECT_EQ(notification.payload, "due");
}

TEST_F(PgConnection, GivesUpOnAServerThatDoesNotAnswer) {
    Connection other(executor());
    EXPECT_THROW(run(other.connect("host=/tmp/sgl-nowhere dbname=x user=y")), DatabaseError);
    EXPECT_FALSE(other.is_open());
}

TEST_F(PgConnection, RefusesAServerThatIsNotDurable) {
    Session strict;
    try {
        run(open_session(connection, strict));
        FAIL() << "fsync=off was accepted";
    } catch (const ServerRefused& error) {
        EXPECT_NE(std::string(error.what()).find("fsync"), std::string::npos);
    }
}

}  // namespace
}  // namespace sgl::pg
