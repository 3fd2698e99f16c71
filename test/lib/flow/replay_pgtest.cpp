// Messages read again (issue 4): what waits is mended where it stood, what went its way stays, and nothing happens
// twice.
#include "lib/flow/replay.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "test/lib/flow/flow_fixture.hpp"

namespace sgl::flow {
namespace {

class PgReplay : public test::FlowTest {
protected:
    PgReplay() { receive(oml("O1", "1001")); }

    store::Deed deed() { return {scope_a_, "user:technicien", "notice", clock_.now()}; }
    /// The analyser's word for an analysis, from now on.
    void map(const std::string& theirs, const std::string& ours) {
        change_laboratory(
            [&](domain::Laboratory::Parts& made) { made.links[1].codes.push_back({theirs, ours, {}, {}, {}}); });
    }
    domain::MessageId last_message() { return domain::MessageId{count("select max(id) from message")}; }
    Result<store::Replayed> replay(domain::MessageId id, std::optional<Replay::Assigned> assigned = std::nullopt) {
        return run(replay_.message(laboratory_.current(), deed(), id, std::move(assigned)));
    }
    std::string results() {
        return one(
            "select coalesce(string_agg(code || ' ' || value || ' ' || state, ', ' order by received_at, position, "
            "id), 'none') from result");
    }
    std::string traces() {
        return one(
            "select (select count(*) from result) || ' ' || (select count(*) from work_item) || ' ' || (select "
            "count(*) from "
            "audit_event) || ' ' || (select sum(row_version) from lab_order)");
    }

    Replay replay_{pool_};
};

TEST_F(PgReplay, AResultWhoseCodeIsMappedGoesItsWay) {
    receive(oru("R1", "1001", obx("Na_ISE", "140")));
    ASSERT_EQ(results(), "Na_ISE 140 quarantined");
    map("Na_ISE", "NA");
    const auto done = replay(last_message());
    ASSERT_TRUE(done) << to_string(done.error());
    EXPECT_EQ(done->results, 1);
    EXPECT_EQ(done->mended, 1);
    EXPECT_EQ(results(), "Na_ISE 140 superseded, Na_ISE 140 raw");
    EXPECT_EQ(one("select done_by || ': ' || done_why from work_item"), "user:technicien: read again: notice");
    EXPECT_EQ(one("select settled_by || ': ' || settled_why from result where state = 'superseded'"),
              "user:technicien: notice");
    EXPECT_EQ(one("select actor || ' ' || site_id from audit_event where action = 'replay_message'"),
              "user:technicien 1");
    const auto before = traces();
    EXPECT_FALSE(replay(last_message())->changed);
    EXPECT_EQ(traces(), before) << "no second effect";
}

TEST_F(PgReplay, OneThatStillFailsKeepsItsItemsOpenWithAFreshReason) {
    receive(oru("R1", "1001", obx("Na_ISE", "140", "mEq")));
    map("Na_ISE", "NA");
    const auto done = replay(last_message());
    ASSERT_TRUE(done);
    EXPECT_EQ(done->waiting, 1);
    EXPECT_EQ(one("select string_agg(kind || ' ' || (done_at is null), ', ' order by id) from work_item"),
              "unknown_code false, unit true");
    EXPECT_EQ(results(), "Na_ISE 140 superseded, Na_ISE 140 quarantined")
        << "the analysis is known now, the value waits";
    const auto before = traces();
    EXPECT_FALSE(replay(last_message())->changed);
    EXPECT_EQ(traces(), before);
    change_laboratory([](domain::Laboratory::Parts&) {});  // the mapping is taken back
    ASSERT_TRUE(replay(last_message()));
    EXPECT_EQ(one("select string_agg(kind, ', ') from work_item where done_at is null"), "unknown_code")
        << "what waits is always in the work to do";
}

TEST_F(PgReplay, TwoAtOnceDoItOnce) {
    receive(oru("R1", "1001", obx("Na_ISE", "140")));
    map("Na_ISE", "NA");
    const auto id = last_message();
    int ended = 0;
    int changed = 0;
    const auto one_of_them = [&]() -> asio::awaitable<void> {
        Replay mine(pool_);  // as another daemon
        std::optional<Replay::Assigned> none;
        const Result<store::Replayed> done = co_await mine.message(laboratory_.current(), deed(), id, std::move(none));
        ++ended;
        if (done && done->changed) ++changed;
    };
    const auto race = [&]() -> asio::awaitable<void> {
        const asio::any_io_executor here = co_await asio::this_coro::executor;
        for (int n = 0; n < 4; ++n)
            asio::co_spawn(here, one_of_them(), asio::detached);
        asio::steady_timer timer(here);
        for (int turn = 0; turn < 2000 && ended < 4; ++turn) {
            timer.expires_after(std::chrono::milliseconds(5));
            co_await timer.async_wait(asio::use_awaitable);
        }
    };
    run(race());
    EXPECT_EQ(ended, 4);
    EXPECT_EQ(changed, 1);
    EXPECT_EQ(results(), "Na_ISE 140 superseded, Na_ISE 140 raw");
    EXPECT_EQ(count("select count(*) from audit_event where action = 'replay_message'"), 1);
}

TEST_F(PgReplay, ALaterValueIsNotOverwrittenByAnOlderOne) {
    receive(oru("R1", "1001", "OBX|1|NM|Na_ISE||138|mmol/L|||||P\r"));
    const auto older = last_message();
    superuser("update message set received_at = received_at - interval '1 hour' where id = " +
              std::to_string(older.value()));
    receive(oru("R2", "1001", "OBX|1|NM|NA||140|mmol/L|||||P\r"));
    map("Na_ISE", "NA");
    ASSERT_TRUE(replay(older));
    EXPECT_EQ(one("select string_agg(r.value, ',') from result r where state = 'raw' and not exists (select 1 from "
                  "result n where "
                  "n.replaces = r.id)"),
              "140")
        << "none says when it was measured: the one that came last counts";
}

TEST_F(PgReplay, WhatTheLinkSaysOfAFlagCountsForAResultThatIsThere) {
    receive(oru("R1", "1001", "OBX|1|NM|NA||140|mmol/L||OLD|||F|||20260314081000\r"));
    ASSERT_EQ(one("select kind from work_item"), "unknown_flag");
    change_laboratory([&](domain::Laboratory::Parts& made) {
        made.links[1].flags.push_back({"OLD", domain::Link::Flag::Does::comment, "Tube ancien"});
    });
    ASSERT_TRUE(replay(last_message()));
    EXPECT_EQ(one("select string_agg(received_flags || '|' || note || '|' || (replaces is not null), ', ' order by id) "
                  "from result"),
              "OLD||false, |Tube ancien|true");
    EXPECT_EQ(count("select count(*) from work_item where done_at is null"), 0);
    const auto before = traces();
    EXPECT_FALSE(replay(last_message())->changed);
    EXPECT_EQ(traces(), before);
}

TEST_F(PgReplay, AResultWithoutOrderIsGivenOneWhenItsIdentityAgrees) {  // SAF-02
    const auto stray = [&](const std::string& control, const std::string& name) {
        receive("MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|" + control + "|P|2.5.1\rPID|||X||" + name +
                "^DOMINIQUE\rOBR|1||ILLISIBLE|NA\r" + obx("NA", "140"));
        return last_message();
    };
    const auto other = stray("R1", "AUTRE");
    ASSERT_TRUE(replay(other, Replay::Assigned{"OBR", "T1001"}));
    EXPECT_EQ(one("select string_agg(kind || ' ' || (done_at is null), ', ' order by id) from work_item"),
              "unmatched false, identity_mismatch true");
    EXPECT_EQ(count("select count(*) from result where order_id is not null"), 0);
    const auto same = stray("R2", "PAT-TROIS");
    EXPECT_EQ(replay(same, Replay::Assigned{"OBR", "NULLEPART"})->mended, 0);
    ASSERT_EQ(replay(same, Replay::Assigned{"OBR", "T1001"})->results, 1);
    EXPECT_EQ(count("select count(*) from result where order_id is not null and state = 'raw'"), 1);
    EXPECT_FALSE(replay(same)->changed) << "without the choice it stays where it was put";
    EXPECT_EQ(count("select count(*) from work_item where done_at is null and kind = 'unmatched'"), 0);
}

TEST_F(PgReplay, WhatWasRefusedOrIsNoResultIsNotReadAgain) {
    const auto order = last_message();
    const auto no_results = replay(order);
    ASSERT_FALSE(no_results);
    EXPECT_EQ(no_results.error().fault, Fault::unsupported);
    receive("MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|E1|P|2.5.1\rOBR|1|P1001|T1001|NA\r");
    const auto refused = replay(last_message());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::refused);
    const auto elsewhere =
        run(replay_.message(laboratory_.current(), {scope_b_, "user:autre", "", clock_.now()}, order, std::nullopt));
    ASSERT_FALSE(elsewhere);
    EXPECT_EQ(elsewhere.error().fault, Fault::missing);
}

TEST_F(PgReplay, GroupsSayTheWordThatIsMissing) {
    receive(oru("R1", "1001", obx("Na_ISE", "140")));
    receive(oru("R2", "1001", obx("Na_ISE", "141") + "OBX|2|NM|K||4.1|mEq|||||F|||20260314081000\r"));
    const auto groups = run(replay_.groups(laboratory_.current(), scope_a_));
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].theirs, "Na_ISE");
    EXPECT_EQ(groups[0].link_name, "automate");
    EXPECT_EQ(groups[0].messages.size(), 2U);
    EXPECT_FALSE(groups[0].mapped);
    EXPECT_EQ(groups[1].kind, "unit");
    EXPECT_EQ(groups[1].theirs, "mEq");
    EXPECT_EQ(groups[1].code, "K");
    domain::Mapping mapping;
    mapping.link = groups[0].link;
    mapping.theirs = "Na_ISE";
    mapping.ours = "NA";
    const auto expected = run(replay_.expect(laboratory_.current(), scope_a_, mapping, groups[0].messages));
    EXPECT_EQ(expected.results, 2U);
    EXPECT_EQ(expected.waiting, 1U);
    ASSERT_FALSE(expected.lines.empty());
    EXPECT_EQ(expected.lines[0].read, "140");
    EXPECT_EQ(count("select count(*) from result where state = 'raw'"), 0) << "nothing changed";
    map("Na_ISE", "NA");
    EXPECT_TRUE(run(replay_.groups(laboratory_.current(), scope_a_))[0].mapped) << "only reading again is left";
}

}  // namespace
}  // namespace sgl::flow
