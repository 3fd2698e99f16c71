// What a message leaves behind, whole or not at all (design D2; hl7v2-lab 2.5, 3.3, 8.6; SAF-02).
#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::store {
namespace {

using domain::Comparator;

class PgInbox : public test::LaboratoryTest {
protected:
    std::string work() {
        return one("select coalesce(string_agg(kind || ' ' || coordinate, ', ' order by id), '') from work_item");
    }
    std::string results() {
        return one(
            "select coalesce(string_agg(code || '=' || value || ' ' || state || case when order_id is null then ' "
            "alone' else '' "
            "end, ', ' order by id), '') from result");
    }
    /// With one more OBX that somebody has to look at, as the reader gives it.
    static Arrival with_held(Arrival arrival, std::string kind, std::string code, std::string value,
                             std::string status = "F", bool known = true) {
        auto& group = arrival.reading.groups.front();
        auto held = result(std::move(code), std::move(value), std::move(status));
        held.held = true;
        held.position = static_cast<int>(group.results.size()) + 1;
        if (!known) held.analyte.reset();
        const auto place = "OBX[" + std::to_string(held.position) + "]-6";
        group.results.push_back(std::move(held));
        arrival.reading.troubles.push_back({std::move(kind), place, "somebody has to look"});
        return arrival;
    }
    std::int64_t messages() { return count("select count(*) from message"); }
    /// What a biologist sees of the order.
    std::string shown(domain::OrderId order) {
        std::string text;
        const auto whole = file(order).value();
        for (const auto& result : whole.results)
            text += (text.empty() ? "" : ", ") + result.code + "=" + to_french(*result.value) + " " + result.state;
        return text;
    }
};

TEST_F(PgInbox, StoresManyMessagesInOneCommit) {
    std::vector<Arrival> arrivals;
    for (int i = 0; i < 40; ++i)
        arrivals.push_back(message("M" + std::to_string(i)));
    const auto kept = keep(std::move(arrivals));
    ASSERT_EQ(kept.size(), 40U);
    EXPECT_EQ(messages(), 40);
    EXPECT_EQ(count("select count(distinct xmin::text) from message"), 1) << "one transaction for all";
    EXPECT_EQ(count("select count(*) from audit_event where action = 'receive'"), 40);
    EXPECT_EQ(one("select control_id from message where id = " + std::to_string(kept[17].id.value())), "M17")
        << "answers keep their order";
}

TEST_F(PgInbox, AnswersARepeatAsTheFirstTimeAndStoresNothing) {
    auto first = message("M1");
    first.answer_errors = R"({"said":"before"})";
    const auto kept = keep(first);
    EXPECT_FALSE(kept.duplicate);
    auto again = message("M1");
    again.answer = "AR";  // whatever we would answer today
    const auto repeat = keep(again);
    EXPECT_TRUE(repeat.duplicate);
    EXPECT_EQ(repeat.id, kept.id);
    EXPECT_EQ(repeat.answer, "AA");
    EXPECT_EQ(repeat.answer_errors, first.answer_errors);
    EXPECT_EQ(messages(), 1);
    EXPECT_EQ(count("select count(*) from audit_event"), 1);
}

TEST_F(PgInbox, ProcessesAReusedControlIdWithOtherContent) {
    const auto first = keep(message("M1", {}, "MSH|one"));
    const auto second = keep(message("M1", {}, "MSH|two"));
    EXPECT_FALSE(second.duplicate);
    EXPECT_NE(first.id, second.id);
    EXPECT_EQ(messages(), 2);
}

TEST_F(PgInbox, KeepsControlIdsOfTwoLinksApart) {
    keep(message("M1"));
    auto other = message("M1");
    other.link = domain::LinkId{8};
    EXPECT_FALSE(keep(other).duplicate);
    EXPECT_EQ(messages(), 2);
}

TEST_F(PgInbox, StoresOnceWhatABatchHoldsTwice) {
    const auto kept = keep({message("M1"), message("M2"), message("M1")});
    EXPECT_EQ(messages(), 2);
    EXPECT_FALSE(kept[0].duplicate);
    EXPECT_TRUE(kept[2].duplicate);
    EXPECT_EQ(kept[2].id, kept[0].id) << "the number of the message that was stored";
}

TEST_F(PgInbox, StoresNothingOfABatchThatFails) {
    registered("P1", "T1");
    auto bad = message("M2", {group({"T1"}, {result("NA", "141")})});
    bad.reading.groups[0].results[0].note = std::string("a\0b", 3);
    EXPECT_THROW(keep({message("M1", {group({"T1"}, {result("NA", "140")})}), bad}), pg::DatabaseError);
    EXPECT_EQ(count("select count(*) from message where type = 'ORU^R01' and control_id like 'M%'"), 0);
    EXPECT_EQ(results(), "");
    EXPECT_FALSE(keep(message("M1")).duplicate) << "it was never acknowledged: its repeat is new";
}

TEST_F(PgInbox, KeepsAControlIdThatIsNoText) {
    int number = 0;
    for (const auto& poison :
         {std::string("A\0B", 3), std::string("\xFF\xFE"), std::string("\xED\xA0\x80"), std::string()}) {
        auto arrival = message(poison, {}, "MSH|" + poison + "|x");
        arrival.type = poison;
        EXPECT_NO_THROW(keep({arrival, message("N" + std::to_string(++number))}));
    }
    EXPECT_EQ(messages(), 8);
    EXPECT_EQ(count("select count(*) from message where raw = '\\x4d53487c4100427c78'"), 1)
        << "the bytes are kept as they came";
}

TEST_F(PgInbox, LooksAgainWhenAnotherDaemonStoredTheMessageMeanwhile) {
    // Both looked before either wrote: the second commit must store nothing.
    Inbox other(pool_);
    const std::vector<Arrival> same(1, message("M1"));
    int stored = 0;
    int refused = 0;
    const auto both = [&]() -> asio::awaitable<void> {
        const auto one_of = [&](Inbox& inbox) -> asio::awaitable<void> {
            try {
                const auto kept = co_await inbox.keep(same, now_);
                if (!kept.front().duplicate) ++stored;
            } catch (const pg::DatabaseError& error) {
                EXPECT_TRUE(error.is_unique_violation());
                ++refused;
            }
        };
        int done = 0;
        const asio::any_io_executor here = executor();
        const auto counted = [&](Inbox& inbox) -> asio::awaitable<void> {
            co_await one_of(inbox);
            ++done;
        };
        asio::co_spawn(here, counted(inbox_), [](std::exception_ptr) {});
        asio::co_spawn(here, counted(other), [](std::exception_ptr) {});
        while (done < 2) {
            const pg::Rows ignored = co_await pool_.query(pg::Query{"", "select pg_sleep(0.01)"});
        }
    };
    run(both());
    EXPECT_EQ(stored, 1);
    EXPECT_EQ(messages(), 1);
    EXPECT_TRUE(keep(same.front()).duplicate);
}

TEST_F(PgInbox, ForgetsKeysAfterTheirTime) {
    keep(message("M1"));
    EXPECT_EQ(run(inbox_.forget_keys(scope_a_, now_)), 0U);
    EXPECT_EQ(run(inbox_.forget_keys(scope_b_, now_ + std::chrono::hours(1))), 0U) << "not those of another site";
    EXPECT_EQ(run(inbox_.forget_keys(scope_a_, now_ + std::chrono::hours(1))), 1U);
    EXPECT_FALSE(keep(message("M1")).duplicate);
}

TEST_F(PgInbox, KeepsWhatItRefuses) {
    auto refused = message("M1");
    refused.answer = "AR";
    keep(refused);
    EXPECT_EQ(one("select state || ' ' || answer from message"), "rejected AR");
}

// ── results meet orders ──

TEST_F(PgInbox, GivesResultsToTheOrderOfTheirTube) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1"}, {result("NA", "140"), result("K", "4.0")})}));
    EXPECT_EQ(shown(order), "NA=140 raw, K=4,0 raw");
    EXPECT_EQ(file(order).value().state, "in_progress");
    EXPECT_EQ(file(order).value().row_version, 2);
    EXPECT_EQ(work(), "");
    EXPECT_EQ(one("select state from message where control_id = 'M1'"), "applied");
}

TEST_F(PgInbox, GivesResultsToTheOrderOfTheirNumberOursOrTheRegistrations) {
    const auto order = registered("P1", "T1");
    const auto ours = file(order).value().number;
    keep(message("M1", {group({"unknown", "P1"}, {result("NA", "140")})}));
    keep(message("M2", {group({ours}, {result("K", "4.0")})}));
    EXPECT_EQ(shown(order), "NA=140 raw, K=4,0 raw");
}

TEST_F(PgInbox, HoldsResultsWhoseNumbersNameTwoOrders) {
    const auto first = registered("P1", "T1");
    const auto second = registered("P2", "T2");
    keep(message("M1", {group({"T1", "P2"}, {result("NA", "140")})}));
    EXPECT_EQ(shown(first), "") << "the most trusted number does not win silently";
    EXPECT_EQ(shown(second), "");
    EXPECT_EQ(results(), "NA=140 quarantined alone");
    EXPECT_EQ(work(), "ambiguous_number OBR");
}

TEST_F(PgInbox, TakesSeveralNumbersOfOneOrder) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1", "unknown", "P1"}, {result("NA", "140")})}));
    EXPECT_EQ(shown(order), "NA=140 raw");
}

TEST_F(PgInbox, HoldsResultsWhoseNumberNamesTwoOrders) {
    registered("X", "T1");
    registered("P2", "X");  // the tube of one is the placer number of the other
    keep(message("M1", {group({"X"}, {result("NA", "140")})}));
    EXPECT_EQ(results(), "NA=140 quarantined alone");
    EXPECT_EQ(work(), "ambiguous_number OBR");
}

TEST_F(PgInbox, HoldsResultsThatNobodyOrdered) {
    registered("P1", "T1");
    keep(message("M1", {group({"T9"}, {result("NA", "140")}), group({}, {result("K", "4.0")})}));
    EXPECT_EQ(results(), "NA=140 quarantined alone, K=4.0 quarantined alone");
    EXPECT_EQ(work(), "unmatched OBR, unmatched OBR");
    EXPECT_EQ(one("select state from message where control_id = 'M1'"), "quarantined");
}

TEST_F(PgInbox, NeverGivesAResultToAnotherSite) {
    const auto order = registered("P1", "T1");
    auto other = message("M1", {group({"T1"}, {result("NA", "140")})});
    other.site = test::site_b;
    other.legal_entity = test::entity_b;
    keep(other);
    EXPECT_EQ(shown(order), "");
    EXPECT_EQ(work(), "unmatched OBR");
    EXPECT_EQ(one("select site_id::text from work_item"), "2");
}

domain::ReceivedGroup claimed(domain::ReceivedGroup group, domain::IdentityClaim claim) {
    claim.coordinate = "PID";
    group.claim = Personal<domain::IdentityClaim>{std::move(claim)};
    return group;
}

TEST_F(PgInbox, HoldsResultsOfSomebodyElseAtTheTraitThatDiffers) {
    const auto order = registered("P1", "T1");
    const auto day = [](std::string_view text) { return Timestamp::parse(text).value(); };
    struct Case {
        domain::IdentityClaim claim;
        std::string place;
    };
    const std::vector<Case> cases{
        {{"", "PAT-QUATRE", "DOMINIQUE", day("19790328"), domain::Sex::female, ""}, "PID-5.1"},
        {{"", "PAT-TROIS", "ALEX", day("19790328"), domain::Sex::female, ""}, "PID-5.2"},
        {{"", "PAT-TROIS", "DOMINIQUE", day("19800328"), domain::Sex::female, ""}, "PID-7"},
        {{"", "PAT-TROIS", "DOMINIQUE", day("19790328"), domain::Sex::male, ""}, "PID-8"},
        {{"", "", "", std::nullopt, domain::Sex::male, ""}, "PID-8"},
    };
    std::string expected;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        keep(message("M" + std::to_string(i), {claimed(group({"T1"}, {result("NA", "140")}), cases[i].claim)}));
        expected += (expected.empty() ? "" : ", ") + std::string("identity_mismatch ") + cases[i].place;
    }
    EXPECT_EQ(work(), expected);
    EXPECT_EQ(shown(order), "");
    EXPECT_EQ(count("select count(*) from result where state = 'quarantined' and order_id is null"), 5);
    EXPECT_EQ(count("select count(*) from work_item where what ~ 'PAT|DOMINIQUE|1979'"), 0)
        << "no patient data in a text";
}

TEST_F(PgInbox, KnowsTheSamePersonWrittenOtherwise) {
    const auto order = registered("P1", "T1");
    const auto minute = Timestamp::parse("197903280000").value();
    keep(message("M1", {claimed(group({"T1"}, {result("NA", "140")}),
                                {"", "Pat Trois", "Dominique Marie", minute, domain::Sex::unknown, ""})}));
    keep(message("M2", {claimed(group({"T1"}, {result("K", "4.0")}),
                                {"", "PÀT-TROÏS", "dominique", std::nullopt, domain::Sex::female, ""})}));
    EXPECT_EQ(shown(order), "NA=140 raw, K=4,0 raw");
    EXPECT_EQ(work(), "");
}

TEST_F(PgInbox, KeepsAHeldResultOutAndItsNeighboursIn) {
    const auto order = registered("P1", "T1");
    auto held = result("GLU", "5.0");
    held.held = true;
    auto arrival = message("M1", {group({"T1"}, {result("NA", "140"), held})});
    arrival.reading.troubles.push_back({"unit", "OBX[2]-6", "this unit is not known"});
    keep(arrival);
    EXPECT_EQ(shown(order), "NA=140 raw, GLU=5,0 quarantined");
    EXPECT_EQ(work(), "unit OBX[2]-6");
    EXPECT_EQ(one("select state from message where control_id = 'M1'"), "quarantined");
}

TEST_F(PgInbox, PutsALaterResultInThePlaceOfAHeldOneAndEndsItsWork) {
    const auto order = registered("P1", "T1");
    keep(with_held(message("M1", {group({"T1"}, {result("NA", "140")})}), "unit", "GLU", "0.9"));
    EXPECT_EQ(shown(order), "NA=140 raw, GLU=0,9 quarantined");
    EXPECT_EQ(one("select order_id::text from work_item"), to_string(order.value())) << "found from the order, too";
    keep(message("M2", {group({"T1"}, {result("GLU", "5.0")})}));
    EXPECT_EQ(shown(order), "NA=140 raw, GLU=5,0 raw");
    EXPECT_EQ(results(), "NA=140 raw, GLU=0.9 superseded, GLU=5.0 raw") << "append-only: what was there stays";
    EXPECT_EQ(one("select settled_by from result where state = 'superseded'"), "link:automate");
    EXPECT_EQ(one("select done_by from work_item"), "link:automate");
    EXPECT_EQ(count("select count(*) from audit_event where action = 'supersede_held_result'"), 1);
}

TEST_F(PgInbox, KnowsAHeldResultByItsCodeWhenTheCatalogueDidNotKnowIt) {
    const auto order = registered("P1", "T1");
    keep(with_held(message("M1", {group({"T1"}, {})}), "unknown_code", "GLU", "5.0", "F", false));
    keep(message("M2", {group({"T1"}, {result("GLU", "5.0")})}));  // since then somebody taught it the code
    EXPECT_EQ(shown(order), "GLU=5,0 raw");
}

TEST_F(PgInbox, EndsAHeldResultAlsoWhenTheGoodOneIsSaidAgain) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1"}, {result("GLU", "5.0")})}));
    keep(with_held(message("M2", {group({"T1"}, {})}), "unit", "GLU", "0.9"));
    const auto version = file(order).value().row_version;
    keep(message("M3", {group({"T1"}, {result("GLU", "5.0")})}));
    EXPECT_EQ(shown(order), "GLU=5,0 raw");
    EXPECT_EQ(file(order).value().row_version, version + 1) << "the biologist's screen shows something that went";
    EXPECT_EQ(count("select count(*) from work_item where done_at is null"), 0);
}

TEST_F(PgInbox, EndsAHeldResultOfTheSameBatch) {
    const auto order = registered("P1", "T1");
    keep({with_held(message("M1", {group({"T1"}, {})}), "unit", "GLU", "0.9"),
          message("M2", {group({"T1"}, {result("GLU", "5.0")})})});
    EXPECT_EQ(shown(order), "GLU=5,0 raw");
    EXPECT_EQ(count("select count(*) from work_item where done_at is null"), 0);
}

TEST_F(PgInbox, LeavesAHeldResultToAPersonWhenAnotherRunOrAnalysisComes) {
    const auto order = registered("P1", "T1");
    keep(with_held(message("M1", {group({"T1"}, {})}), "unit", "GLU", "0.9"));
    auto rerun = result("GLU", "5.0");
    rerun.run = "2";
    keep(message("M2", {group({"T1"}, {rerun, result("NA", "140")})}));
    EXPECT_EQ(shown(order), "GLU=0,9 quarantined, GLU=5,0 raw, NA=140 raw");
    EXPECT_EQ(count("select count(*) from work_item where done_at is null"), 1);
}

TEST_F(PgInbox, LeavesAHeldCorrectionWhenTheOldResultIsSaidAgain) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1"}, {result("GLU", "5.0")})}));
    keep(with_held(message("M2", {group({"T1"}, {})}), "unit", "GLU", "0.9", "C"));
    keep(message("M3", {group({"T1"}, {result("GLU", "5.0")})}));  // sent again, as some analysers do every hour
    EXPECT_EQ(shown(order), "GLU=5,0 raw, GLU=0,9 quarantined") << "the correction still stops the report";
    keep(message("M4", {group({"T1"}, {result("GLU", "5.2", "C")})}));
    EXPECT_EQ(shown(order), "GLU=5,2 raw");
}

TEST_F(PgInbox, LeavesAWithdrawalToAPerson) {
    for (const auto* status : {"W", "D"}) {
        const std::string tube = std::string("T") + status;
        const auto order = registered(std::string("P") + status, tube);
        keep(with_held(message(std::string("M1") + status, {group({tube}, {})}), "status", "GLU", "5.0", status));
        keep(message(std::string("M2") + status, {group({tube}, {result("GLU", "5.1")})}));
        EXPECT_EQ(shown(order), "GLU=5,0 quarantined") << "what was withdrawn does not come back with an older message";
        auto again = result("GLU", "5.2");
        again.measured_at = "20260314083000+0100";
        keep(message(std::string("M3") + status, {group({tube}, {again})}));
        EXPECT_EQ(shown(order), "GLU=5,0 quarantined, GLU=5,2 raw") << "measured again";
    }
    EXPECT_EQ(count("select count(*) from work_item where done_at is null and kind = 'status'"), 2);
    EXPECT_EQ(count("select count(*) from work_item where kind = 'late_final'"), 2);
}

TEST_F(PgInbox, HidesAtOnceWhatItsSenderWithdraws) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1"}, {result("GLU", "5.0")})}));
    keep(with_held(message("M2", {group({"T1"}, {})}), "wrong_patient", "GLU", "5.0", "W"));
    EXPECT_EQ(shown(order), "GLU=5,0 quarantined") << "nothing can be signed until a biologist has looked";
}

TEST_F(PgInbox, HoldsTheLettersOfAReportWithAResultOfTheWrongPatient) {  // hl7v2-lab 8.6, W
    const auto report = signed_report("P1");
    publish(report.ids.version_id, {letter(domain::Channel::dmp, "DMP")});
    keep(with_held(message("M2", {group({"TP1"}, {})}), "wrong_patient", "NA", "140", "W"));
    EXPECT_EQ(one("select state || ' ' || reason from letter"), "held MANUAL_HOLD");
    EXPECT_EQ(one("select from_state || ' ' || to_state from letter_event order by id desc limit 1"), "due held");
    EXPECT_EQ(count("select count(*) from work_item where kind = 'report_to_withdraw'"), 1);
    EXPECT_EQ(count("select count(*) from result where state = 'bio_validated'"), 1) << "what was signed stays as it is";
    EXPECT_EQ(count("select count(*) from result where replaces is not null"), 0);
}

TEST_F(PgInbox, LetsNothingOfAQuarantinedMessageReachAnOrder) {
    const auto order = registered("P1", "T1");
    auto arrival = message("M1", {group({"T1"}, {result("NA", "140")})});
    arrival.reading.quarantined = true;
    arrival.reading.troubles.push_back({"two_patients", "PID[2]", "the message speaks of two patients"});
    keep(arrival);
    EXPECT_EQ(shown(order), "");
    EXPECT_EQ(results(), "NA=140 quarantined alone");
    EXPECT_EQ(file(order).value().row_version, 1);
}

TEST_F(PgInbox, ChangesNothingWhenResultsAreSaidAgain) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1"}, {result("NA", "140")})}));
    const auto version = file(order).value().row_version;
    keep(message("M2", {group({"T1"}, {result("NA", "140")})}));  // a new message, not a repeat of the first
    EXPECT_EQ(messages(), 3) << "the message itself is kept";
    EXPECT_EQ(results(), "NA=140 raw");
    EXPECT_EQ(file(order).value().row_version, version) << "the biologist's screen is not stale for nothing";
    EXPECT_EQ(work(), "");
}

TEST_F(PgInbox, PutsACorrectionInThePlaceOfWhatItCorrects) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1"}, {result("NA", "140")})}));
    keep(message("M2", {group({"T1"}, {result("NA", "150", "C")})}));
    EXPECT_EQ(shown(order), "NA=150 raw");
    EXPECT_EQ(results(), "NA=140 raw, NA=150 raw") << "append-only: what was there stays";
    EXPECT_EQ(count("select count(*) from result where replaces is not null"), 1);
}

TEST_F(PgInbox, LetsFinalFollowPreliminaryAndNotTheOtherWay) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1"}, {result("NA", "139", "P")})}));
    keep(message("M2", {group({"T1"}, {result("NA", "140", "F")})}));
    EXPECT_EQ(shown(order), "NA=140 raw");
    EXPECT_EQ(work(), "");
    keep(message("M3", {group({"T1"}, {result("NA", "138", "P")})}));
    EXPECT_EQ(shown(order), "NA=140 raw");
    EXPECT_EQ(work(), "late_preliminary OBX[1]");
}

TEST_F(PgInbox, LetsAStatusGoForwardOnly) {  // hl7v2-lab 8.6
    struct Case {
        const char* first;
        const char* second;
        bool replaces;
    };
    int number = 0;
    for (const auto& [first, second, replaces] :
         {Case{"R", "P", true}, Case{"R", "F", true}, Case{"P", "R", true}, Case{"F", "R", false},
          Case{"F", "P", false}, Case{"F", "S", false}, Case{"F", "F", true}, Case{"F", "C", true},
          Case{"C", "F", false}, Case{"C", "R", false}, Case{"C", "C", true}}) {
        SCOPED_TRACE(std::string(first) + " then " + second);
        const auto name = std::to_string(++number);
        const auto order = registered("P" + name, "T" + name);
        keep(message("A" + name, {group({"T" + name}, {result("NA", "140", first)})}));
        keep(message("B" + name, {group({"T" + name}, {result("NA", "150", second)})}));
        EXPECT_EQ(shown(order), replaces ? "NA=150 raw" : "NA=140 raw");
        const auto items = count("select count(*) from work_item where order_id = '" + to_string(order.value()) + "'");
        EXPECT_EQ(items, replaces ? 0 : 1) << "a person hears of what was not taken";
        keep(message("C" + name, {group({"T" + name}, {result("NA", replaces ? "150" : "140", second)})}));
        EXPECT_EQ(count("select count(*) from work_item where order_id = '" + to_string(order.value()) + "'"), items)
            << "the same value again brings nothing";
    }
}

TEST_F(PgInbox, KeepsRunsOfOneAnalysisApart) {
    const auto order = registered("P1", "T1");
    auto rerun = result("NA", "141");
    rerun.run = "2";
    keep(message("M1", {group({"T1"}, {result("NA", "140"), rerun})}));
    EXPECT_EQ(shown(order), "NA=140 raw, NA=141 raw");
}

TEST_F(PgInbox, SetsAsideWhatComesAfterValidation) {
    const auto report = signed_report("P1");
    keep(message("M2", {group({"TP1"}, {result("NA", "150", "C"), result("K", "4.0")})}));
    EXPECT_EQ(results(), "NA=140 bio_validated, NA=150 late, K=4.0 late");
    EXPECT_EQ(work(), "late_result OBX[1], late_result OBX[1]");
    EXPECT_EQ(file(report.order).value().state, "fully_validated");
    // The same once more is still nothing new.
    keep(message("M3", {group({"TP1"}, {result("NA", "150", "C")})}));
    EXPECT_EQ(count("select count(*) from result"), 3);
}

TEST_F(PgInbox, HoldsResultsOfACancelledOrder) {
    const auto order = registered("P1", "T1");
    superuser("update lab_order set state = 'cancelled', closed_at = now()");
    keep(message("M1", {group({"T1"}, {result("NA", "140")})}));
    EXPECT_EQ(work(), "cancelled_order OBR");
    EXPECT_EQ(shown(order), "");
}

}  // namespace
}  // namespace sgl::store
