// What a person ends: a held result leaves its order, a work item is closed; each with a reason, once, on his sites.
#include "lib/store/work.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::store {
namespace {

class PgWork : public test::LaboratoryTest {
protected:
    /// An order with one good result and one that is held, with its work item.
    PgWork() : order_(registered("P1", "T1")) {
        auto held = result("GLU", "0.9");
        held.held = true;
        held.position = 2;
        auto arrival = message("M1", {group({"T1"}, {result("NA", "140"), held})});
        arrival.reading.troubles.push_back({"unit", "OBX[2]-6", "this unit is not known"});
        keep(arrival);
    }
    Deed deed(std::vector<std::int32_t> sites = {1}) const {
        return {std::move(sites), "user:biologiste", "dilution refaite", now_};
    }
    Result<void> set_aside(domain::ResultId result, std::vector<std::int32_t> sites = {1}) {
        return run(work_.set_aside(deed(std::move(sites)), order_, result));
    }
    Result<void> close(domain::WorkItemId item, std::vector<std::int32_t> sites = {1}) {
        return run(work_.close(deed(std::move(sites)), item));
    }
    domain::ResultId result_of(std::string_view code) {
        return domain::ResultId{count("select id from result where code = '" + std::string(code) + "'")};
    }
    domain::WorkItemId item() { return domain::WorkItemId{count("select max(id) from work_item")}; }
    std::int64_t open_items() { return count("select count(*) from work_item where done_at is null"); }

    Work work_{pool_};
    domain::OrderId order_;
};

TEST_F(PgWork, TakesAHeldResultOutOfItsOrder) {
    const auto before = file(order_).value();
    ASSERT_EQ(before.results.size(), 2U);
    ASSERT_TRUE(set_aside(result_of("GLU")));
    const auto after = file(order_).value();
    ASSERT_EQ(after.results.size(), 1U) << "what is set aside stands in no report";
    EXPECT_EQ(after.results[0].code, "NA");
    EXPECT_EQ(after.row_version, before.row_version + 1) << "another biologist's screen is stale now";
    EXPECT_EQ(open_items(), 0);
    EXPECT_EQ(one("select done_by || ': ' || done_why from work_item"), "user:biologiste: dilution refaite");
    EXPECT_EQ(one("select settled_by || ': ' || settled_why || ' ' || (settled_at is not null) from result where code "
                  "= 'GLU'"),
              "user:biologiste: dilution refaite true");
    EXPECT_EQ(one("select actor || ' ' || site_id from audit_event where action = 'set_result_aside'"),
              "user:biologiste 1");
    const auto twice = set_aside(result_of("GLU"));
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().fault, Fault::conflict);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'set_result_aside'"), 1);
}

TEST_F(PgWork, TakesWhatASenderWithdrewOutWithItsWithdrawal) {  // hl7v2-lab 8.6, D and W
    for (const auto* status : {"D", "W"}) {
        const std::string tube = std::string("T") + status;
        const auto order = registered(std::string("P") + status, tube);
        auto rerun = result("CRP", "5.4");
        rerun.run = "2";
        keep(message(std::string("M1") + status, {group({tube}, {result("CRP", "5.0"), rerun, result("NA", "140")})}));
        auto wrong = result("CRP", "5.0", status);
        wrong.held = true;
        auto arrival = message(std::string("M2") + status, {group({tube}, {wrong})});
        arrival.reading.troubles.push_back({"status", "OBX-11", "the sender takes this result back"});
        keep(arrival);
        const domain::ResultId withdrawal{count("select max(id) from result")};
        ASSERT_TRUE(run(work_.set_aside(deed(), order, withdrawal)));
        std::string left;
        for (const auto& one_result : file(order).value().results)
            left += one_result.code + one_result.run + " ";
        EXPECT_EQ(left, "CRP2 NA ") << "of that run nothing stays that a report could carry";
        EXPECT_EQ(one("select jsonb_array_length(payload::jsonb->'results')::text from audit_event where action = "
                      "'set_result_aside' order by id desc limit 1"),
                  "2");
    }
}

TEST_F(PgWork, LeavesWhatCameAfterAWithdrawal) {
    auto wrong = result("HBA1C", "5.0", "W");
    wrong.held = true;
    wrong.position = 2;
    keep(message("M2", {group({"T1"}, {result("HBA1C", "5.0"), wrong})}));
    const domain::ResultId withdrawal{count("select max(id) from result")};
    auto again = result("HBA1C", "5.6");
    again.measured_at = "20260314091000+0100";
    keep(message("M3", {group({"T1"}, {again})}));
    ASSERT_TRUE(set_aside(withdrawal));
    EXPECT_EQ(one("select string_agg(value || ' ' || state, ', ' order by id) from result where code = 'HBA1C'"),
              "5.0 set_aside, 5.0 set_aside, 5.6 raw");
    EXPECT_EQ(file(order_).value().results.size(), 3U) << "sodium, the held glucose, the new one";
}

TEST_F(PgWork, TakesOnlyTheResultThatItsWithdrawalNames) {
    auto wrong = result("CRP", "5.0", "W");
    wrong.held = true;
    wrong.measured_at = "20260314081000+0100";
    auto of_that_time = result("CRP", "5.0");
    of_that_time.measured_at = wrong.measured_at;
    auto before = result("CRP", "4.1");
    before.measured_at = "20260314070000+0100";
    keep(message("M2", {group({"T1"}, {before})}));
    keep(message("M3", {group({"T1"}, {of_that_time})}));
    superuser("update result set state = 'raw' where code = 'CRP'");
    keep(message("M4", {group({"T1"}, {wrong})}));
    const domain::ResultId withdrawal{count("select max(id) from result")};
    ASSERT_EQ(one("select w.value from result r join result w on w.id = r.replaces where r.status = 'W'"), "5.0");
    ASSERT_TRUE(set_aside(withdrawal));
    EXPECT_EQ(
        one("select string_agg(value || status || ' ' || state, ', ' order by id) from result where code = 'CRP'"),
        "4.1F raw, 5.0F set_aside, 5.0W set_aside");
}

TEST_F(PgWork, TakesAResultThatCameAfterTheSignatureOutOfTheNextReport) {
    const auto report = signed_report("P9");
    keep(message("M9", {group({"TP9"}, {result("K", "4.2")})}));
    const domain::ResultId late{count("select max(id) from result")};
    ASSERT_EQ(one("select state from result where code = 'K'"), "late");
    ASSERT_TRUE(run(work_.set_aside(deed(), report.order, late)));
    EXPECT_EQ(one("select state from result where code = 'K'"), "set_aside");
    EXPECT_EQ(count("select count(*) from work_item where done_at is null and order_id = '" +
                    to_string(report.order.value()) + "'"),
              0);
}

TEST_F(PgWork, LooksAgainAtWhatChangedWhileItWaitedForTheOrder) {
    const auto held = result_of("GLU");
    std::optional<Result<void>> answer;
    const auto setting_aside = [&]() -> asio::awaitable<void> {
        Deed mine = deed();
        answer = co_await work_.set_aside(std::move(mine), order_, held);
    };
    const auto race = [&]() -> asio::awaitable<void> {
        const asio::any_io_executor here = co_await asio::this_coro::executor;
        asio::steady_timer timer(here);
        pg::Transaction other = co_await pool_.begin(scope_a_);  // another daemon's inbox, with a result sent again
        const pg::Query lock{"", "select 1 from lab_order for no key update"};
        co_await other.query(lock);
        asio::co_spawn(here, setting_aside(), asio::detached);
        bool waits = false;
        for (int turn = 0; turn < 500 && !waits; ++turn) {
            timer.expires_after(std::chrono::milliseconds(10));
            co_await timer.async_wait(asio::use_awaitable);
            waits = count("select count(*) from pg_locks where not granted") > 0;
        }
        EXPECT_TRUE(waits);
        const pg::Query supersede{"", "update result set state = 'superseded' where state = 'quarantined'"};
        co_await other.query(supersede);
        co_await other.commit();
        while (!answer) {
            timer.expires_after(std::chrono::milliseconds(10));
            co_await timer.async_wait(asio::use_awaitable);
        }
    };
    run(race());
    ASSERT_FALSE(*answer);
    EXPECT_EQ(answer->error().fault, Fault::conflict);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'set_result_aside'"), 0);
    EXPECT_EQ(count("select count(*) from result where state = 'set_aside'"), 0);
}

TEST_F(PgWork, LeavesAGoodResultWhereItIs) {
    const auto refused = set_aside(result_of("NA"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::conflict);
    EXPECT_EQ(file(order_).value().results.size(), 2U);
}

TEST_F(PgWork, KnowsNoResultOfAnotherSiteOrOrder) {
    for (const auto& refused :
         {set_aside(result_of("GLU"), {2}), set_aside(domain::ResultId{4711}), close(item(), {2})}) {
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().fault, Fault::missing);
    }
    EXPECT_EQ(open_items(), 1);
}

TEST_F(PgWork, ClosesAWorkItemOnce) {
    keep(message("M2", {group({"T9"}, {result("NA", "140")})}));  // unmatched
    ASSERT_TRUE(close(item()));
    EXPECT_EQ(one("select done_by || ': ' || done_why from work_item where kind = 'unmatched'"),
              "user:biologiste: dilution refaite");
    EXPECT_EQ(one("select actor || ' ' || object from audit_event where action = 'close_work_item'"),
              "user:biologiste work_item:" + std::to_string(item().value()));
    const auto twice = close(item());
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().fault, Fault::conflict);
    EXPECT_EQ(twice.error().where, "work_item");
}

TEST_F(PgWork, ClosesNoItemWhoseResultStillHoldsItsOrder) {
    const auto refused = close(item());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().where, "result");
    EXPECT_EQ(open_items(), 1);
    superuser("update lab_order set state = 'cancelled', closed_at = now()");
    EXPECT_TRUE(close(item())) << "a cancelled order waits for nothing";
}

TEST_F(PgWork, KnowsTheOnlyObxOfItsMessage) {
    auto held = result("GLU", "0.9");
    held.held = true;
    auto arrival = message("M2", {group({"T1"}, {held})});
    arrival.reading.troubles.push_back({"unit", "OBX-6", "this unit is not known"});
    keep(arrival);
    EXPECT_FALSE(close(item()));
    ASSERT_TRUE(set_aside(domain::ResultId{count("select max(id) from result")}));
    EXPECT_EQ(open_items(), 1) << "its own item only";
}

}  // namespace
}  // namespace sgl::store
