// What an analyser is asked to do, with a real database: written once, told again when it asks again, moved by its
// answers (hl7v2-lab 6.2, 6.3).
#include "lib/flow/work_desk.hpp"

#include <gtest/gtest.h>

#include "test/lib/flow/flow_fixture.hpp"

namespace sgl::flow {
namespace {

class PgWork : public test::FlowTest {
protected:
    PgWork() {
        superuser(R"sql(insert into link (id, site_id, name, definition, updated_at) overriding system value
                        values (1, 1, 'gestion', '{}', now()), (2, 1, 'automate', '{}', now()))sql");
        superuser(R"sql(insert into analyte (id, site_id, local_code, definition, valid_from) overriding system value
                        values (1, 1, 'NA', '{"panels":["IONO"],"specimen":"SER"}', now()),
                               (2, 1, 'K', '{"panels":["IONO"],"specimen":"SER"}', now()))sql");
        change([](domain::Link& link) { link.one_socket = true; });
    }
    template <class Change>
    void change(Change with, domain::Link::WorkOrders when = domain::Link::WorkOrders::on_query) {
        change_laboratory([&](domain::Laboratory::Parts& parts) {
            parts.links[1].work_orders = when;
            with(parts.links[1]);
        });
    }
    const domain::Link& link() {
        held_ = laboratory_.current();
        return held_->links()[1];
    }
    static std::string query(const std::string& control, const std::string& specimen) {
        return "MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||QBP^Q11^QBP_Q11|" + control +
               "|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-27^IHE\rQPD|WOS^Work Order Step^IHELAW|T-" + control + "|" +
               specimen + "\rRCP|I||R^^HL70394\r";
    }
    std::vector<hl7::Message> due(Instant at) {
        const auto work = [&]() -> asio::awaitable<std::vector<store::DueWork>> {
            std::vector<store::DueWork> claimed =
                co_await intake_.work().store().claim(link(), at, at + std::chrono::seconds(30), 50);
            co_return claimed;
        };
        std::vector<hl7::Message> messages;
        for (const auto& one : run(work()))
            messages.push_back(hl7::Message::parse(one.raw).value());
        return messages;
    }
    void answer(const hl7::Message& order, const std::string& lines, const std::string& code = "AA") {
        const std::string block = "MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081501||ORL^O34^ORL_O42|A" + order.control_id() +
                                  "|P|2.5.1\rMSA|" + code + "|" + order.control_id() + "\r" + lines;
        EXPECT_EQ(receive(block).bytes, "") << "an answer is not answered";
    }
    std::string states() {
        return one("select string_agg(analyte || ' ' || state, ', ' order by analyte, number) from awos");
    }
    domain::LaboratoryPtr held_;
};

TEST_F(PgWork, GivesAScannedTubeItsTests) {
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    const auto response = read(receive(query("Q1", "T1")));
    EXPECT_EQ(response.text("MSH-9.1") + response.text("MSH-9.2") + response.text("MSH-9.3"), "RSPK11RSP_K11");
    EXPECT_EQ(response.text("MSA-1"), "AA");
    EXPECT_EQ(response.text("QAK-1"), "T-Q1");
    EXPECT_EQ(response.text("QAK-2"), "OK");
    EXPECT_EQ(response.text("QPD-3"), "T1");
    const auto orders = due(now_);
    ASSERT_EQ(orders.size(), 1U);
    EXPECT_EQ(orders[0].all("OBR").size(), 2U);
    EXPECT_EQ(orders[0].text("SAC-3"), "T1");
    EXPECT_EQ(states(), "K asked, NA asked");
    EXPECT_EQ(due(now_).size(), 0U) << "not twice at once";
    answer(orders[0],
           "ORC|OK|" + orders[0].text("OBR[1]-2") + "|||SC\rORC|UA|" + orders[0].text("OBR[2]-2") + "|||CA\r");
    EXPECT_EQ(states(), "K refused, NA accepted");
    EXPECT_EQ(one("select kind from work_item"), "work_refused");
    EXPECT_EQ(due(now_ + std::chrono::minutes(5)).size(), 0U);
    EXPECT_EQ(one("select string_agg(distinct kind, '') from order_number where number like 'AW%'"), "A");
}

TEST_F(PgWork, IsSaidAgainUntilItIsAnsweredAndThenARefusedNumberIsOneThatWasTakenBefore) {
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    receive(query("Q1", "T1"));
    const auto orders = due(now_);
    ASSERT_EQ(orders.size(), 1U);
    EXPECT_EQ(due(now_ + std::chrono::minutes(1)).at(0).control_id(), orders[0].control_id());
    answer(orders[0],
           "ORC|UA|" + orders[0].text("OBR[1]-2") + "|||CA\rORC|UA|" + orders[0].text("OBR[2]-2") + "|||CA\r");
    EXPECT_EQ(states(), "K accepted, NA accepted");
    EXPECT_EQ(count("select count(*) from work_item"), 0);
}

TEST_F(PgWork, WritesNothingTwiceForARepeatedQuery) {
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    EXPECT_EQ(code(receive(query("Q1", "T1"))), "AA");
    EXPECT_EQ(read(receive(query("Q1", "T1"))).text("QAK-2"), "OK") << "a repeat hears the same";
    EXPECT_EQ(code(receive(query("Q2", "T1"))), "AA");
    EXPECT_EQ(count("select count(*) from work_message"), 1) << "on its way already";
    const auto orders = due(now_);
    answer(orders.at(0), "");
    EXPECT_EQ(states(), "K accepted, NA accepted") << "a bare AA takes all";
    EXPECT_EQ(code(receive(query("Q3", "T1"))), "AA");
    const auto again = due(now_);
    ASSERT_EQ(again.size(), 1U) << "asked again, told again";
    EXPECT_EQ(again[0].text("OBR[1]-2"), orders[0].text("OBR[1]-2")) << "under the same numbers";
    EXPECT_EQ(states(), "K asked, NA asked");
    answer(again[0], "ORC|UA|" + again[0].text("OBR[1]-2") + "\rORC|OK|" + again[0].text("OBR[2]-2") + "\r");
    EXPECT_EQ(states(), "K accepted, NA accepted") << "it knew the first one";
    EXPECT_EQ(count("select count(*) from work_item"), 0);
}

TEST_F(PgWork, RefusesAllWhenTheMessageIsRefused) {
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    receive(query("Q1", "T1"));
    answer(due(now_).at(0), "ERR||MSH^1|207^Application error^HL70357|E\r", "AR");
    EXPECT_EQ(states(), "K refused, NA refused");
    EXPECT_EQ(count("select count(*) from work_item where kind = 'work_refused'"), 1);
}

TEST_F(PgWork, TakesARefusalOfWhatWasSaidBeforeForKnowledge) {
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    receive(query("Q1", "T1"));
    EXPECT_EQ(due(now_).size(), 1U) << "its answer never came: lost, or the daemon died";
    const auto again = due(now_ + std::chrono::minutes(1));
    answer(again.at(0), "ORC|UA|" + again.at(0).text("OBR[1]-2") + "\rORC|UA|" + again.at(0).text("OBR[2]-2") + "\r");
    EXPECT_EQ(states(), "K accepted, NA accepted");
}

TEST_F(PgWork, SaysThatThereIsNothingToDo) {
    EXPECT_EQ(read(receive(query("Q1", "T404"))).text("QAK-2"), "OK");
    const auto orders = due(now_);
    ASSERT_EQ(orders.size(), 1U);
    EXPECT_EQ(orders[0].text("ORC-1"), "DC");
    answer(orders[0], "ERR||SPM^1^2|204^Unknown key identifier^HL70357|E\r", "AR");
    EXPECT_EQ(due(now_ + std::chrono::minutes(5)).size(), 0U) << "that it does not know the tube either ends it";
    EXPECT_EQ(count("select count(*) from work_item"), 0);
}

TEST_F(PgWork, BringsResultsHomeByTheStepAlone) {
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    receive(query("Q1", "T1"));
    const auto order = std::move(due(now_).at(0));
    const auto step = order.text("OBR[1]-2");
    EXPECT_EQ(
        code(receive("MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||OUL^R22^OUL_R22|R1|P|2.5.1|||NE|AL||UNICODE UTF-8\r"
                     "SPM|1|||SER^^HL70487|||||||P\rOBR|1|" +
                     step + "||" + order.text("OBR[1]-4") + "\r" + obx(order.text("OBR[1]-4"), "140"))),
        "AA");
    EXPECT_EQ(count("select count(*) from result where order_id is not null and state = 'raw'"), 1);
    EXPECT_EQ(code(receive(query("Q2", "T1"))), "AA");
    EXPECT_EQ(due(now_ + std::chrono::hours(1)).size(), 1U)
        << "the first message, still unanswered; what is measured is not asked for again";
}

TEST_F(PgWork, PushesWhatIsRegisteredAndTakesItBack) {
    change([](domain::Link& link) { link.exams = {"K"}; }, domain::Link::WorkOrders::push);
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    EXPECT_EQ(count("select count(*) from work_due"), 1) << "written with the order";
    run(intake_.work().prepare(link(), true));
    EXPECT_EQ(count("select count(*) from work_due"), 0);
    const auto orders = due(now_);
    ASSERT_EQ(orders.size(), 1U);
    EXPECT_EQ(orders[0].text("OBR-4.1"), "K");
    answer(orders[0], "");
    superuser("update lab_order set state = 'cancelled', closed_at = now()");
    clock_.set(now_ + std::chrono::seconds(10));
    run(intake_.work().prepare(link(), true));
    run(intake_.work().prepare(link(), true));
    const auto taken_back = due(now_ + std::chrono::minutes(1));
    ASSERT_EQ(taken_back.size(), 1U);
    EXPECT_EQ(taken_back[0].text("ORC-1"), "CA");
    EXPECT_EQ(states(), "K cancelling");
    answer(taken_back[0], "ORC|UC|" + taken_back[0].text("OBR-2") + "\r");
    EXPECT_EQ(states(), "K not_cancelled");
    EXPECT_EQ(one("select kind from work_item"), "work_not_cancelled");
}

TEST_F(PgWork, TakesBackWhatItAskedUnderANumberThatATubeNoLongerHas) {
    change([](domain::Link& link) { link.exams = {"K"}; }, domain::Link::WorkOrders::push);
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    run(intake_.work().prepare(link(), true));
    const auto asked = due(now_);
    ASSERT_EQ(asked.size(), 1U);
    answer(asked[0], "");
    superuser("update specimen set number = 'T9' where number = 'T1'");
    run(intake_.work().prepare(link(), true));
    const auto taken_back = due(now_ + std::chrono::minutes(1));
    ASSERT_EQ(taken_back.size(), 1U);
    EXPECT_EQ(taken_back[0].text("ORC-1"), "CA");
    EXPECT_EQ(taken_back[0].text("SAC-3"), "T1") << "the number that the analyser knows";
    EXPECT_EQ(taken_back[0].text("OBR-2"), asked[0].text("OBR-2"));
    answer(taken_back[0], "ORC|CR|" + taken_back[0].text("OBR-2") + "\r");
    EXPECT_EQ(states(), "K cancelled");
    EXPECT_EQ(count("select count(*) from work_item"), 0);
}

TEST_F(PgWork, ATubeNumberThatWasAnotherTubesStopsNobodysWork) {
    change([](domain::Link& link) { link.exams = {"K"}; }, domain::Link::WorkOrders::push);
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    run(intake_.work().prepare(link(), true));
    answer(due(now_).at(0), "");
    superuser("update specimen set number = 'T9' where number = 'T1'");
    superuser("update order_number set number = 'T9' where number = 'T1'");
    std::string other = oml("M2", "2");
    other.replace(other.find("SPM|1|T2"), 8, "SPM|1|T1");
    EXPECT_EQ(code(receive(other)), "AA");
    run(intake_.work().prepare(link(), false));
    const auto asked = due(now_ + std::chrono::seconds(1));
    ASSERT_EQ(asked.size(), 1U) << "the step of the first order is still open at the analyser";
    EXPECT_EQ(asked[0].text("ORC-1") + " " + asked[0].text("SAC-3"), "NW T1");
    run(intake_.work().prepare(link(), true));
    EXPECT_EQ(states(), "K cancelling, K asked");
}

TEST_F(PgWork, TakesBackWhatATubeOfAnotherKindWasAskedFor) {
    change([](domain::Link& link) { link.exams = {"K"}; }, domain::Link::WorkOrders::push);
    EXPECT_EQ(code(receive(oml("M1", "1") + "SPM|2|T2||PLAS^Plasma^HL70487|||||||P\r")), "AA");
    run(intake_.work().prepare(link(), true));
    const auto asked = due(now_);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].text("SAC-3"), "T1");
    answer(asked[0], "");
    run(intake_.work().prepare(link(), true));
    EXPECT_EQ(states(), "K accepted") << "nothing changed";
    superuser("update specimen set type = case number when 'T1' then 'PLAS' else 'SER' end");  // taken for each other
    run(intake_.work().prepare(link(), true));
    const auto taken_back = due(now_ + std::chrono::minutes(1));
    ASSERT_EQ(taken_back.size(), 1U);
    EXPECT_EQ(taken_back[0].text("ORC-1") + " " + taken_back[0].text("SAC-3"), "CA T1");
}

TEST_F(PgWork, WhatIsAskedAgainWhileItIsTakenBackIsToldAfterwards) {
    change([](domain::Link& link) { link.exams = {"K"}; }, domain::Link::WorkOrders::push);
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    run(intake_.work().prepare(link(), true));
    answer(due(now_).at(0), "");
    superuser("update specimen set number = 'T9' where number = 'T1'");
    run(intake_.work().prepare(link(), true));
    const auto taken_back = due(now_ + std::chrono::minutes(1));
    ASSERT_EQ(taken_back.size(), 1U);
    superuser("update specimen set number = 'T1' where number = 'T9'");
    answer(taken_back[0], "ORC|CR|" + taken_back[0].text("OBR-2") + "\r");
    run(intake_.work().prepare(link(), true));
    EXPECT_EQ(states(), "K cancelled, K asked");
}

TEST_F(PgWork, EndsStepsWithTheirOrder) {
    EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
    receive(query("Q1", "T1"));
    answer(due(now_).at(0), "");
    superuser("update lab_order set state = 'reported', closed_at = now()");
    run(intake_.work().prepare(link(), true));
    EXPECT_EQ(states(), "K done, NA done");
}

TEST_F(PgWork, AnswersGeneXpertWithTheWorkItself) {
    EXPECT_EQ(code(receive(oml("M1", "1", "K"))), "AA");
    const std::string asked =
        "MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||QBP^Z03^QBP_Z03|Z1|P|2.5\rQPD|Z03^HOST QUERY|662f||T1\rRCP|I\r";
    const auto first = read(receive(asked));
    EXPECT_EQ(first.trigger(), "Z02");
    EXPECT_EQ(first.text("OBR-4"), "K");
    EXPECT_EQ(first.text("SPM-2"), "T1");
    EXPECT_EQ(read(receive(asked)).text("OBR-2"), first.text("OBR-2")) << "a repeat hears the same";
    EXPECT_EQ(states(), "K accepted");
    EXPECT_EQ(count("select count(*) from work_message"), 0);
}

TEST_F(PgWork, GivesNoWorkWhereTheLinkDoesNotSaySo) {
    change([](domain::Link&) {}, domain::Link::WorkOrders::none);
    const auto refused = read(receive(query("Q1", "T1")));
    EXPECT_EQ(refused.text("MSA-1"), "AR");
    EXPECT_EQ(refused.text("QAK-2"), "AR");
    EXPECT_EQ(count("select count(*) from work_item"), 0);
}

TEST(WantedWork, IsWhatTheTubeHoldsAndTheAnalyserMeasures) {
    const auto analyte = [](int id, std::string code, std::string specimen) {
        domain::Analyte made;
        made.id = domain::AnalyteId{id};
        made.local_code = std::move(code);
        made.specimen = std::move(specimen);
        return made;
    };
    const domain::Catalogue catalogue{
        {analyte(1, "NA", "SER"), analyte(2, "GB", "BLD"), analyte(3, "TP", "PLAS"), analyte(4, "X", "")}};
    store::OrderFile file;
    file.state = "registered";
    for (const auto* code : {"NA", "GB", "TP", "X", "NA", "UNKNOWN"})
        file.exams.push_back({"", code, ""});
    domain::Specimen serum;
    serum.number = "T1";
    serum.type = "SER";
    domain::Specimen blood;
    blood.number = "T2";
    blood.type = "BLD";
    file.specimens = {serum, blood};
    domain::Link link;
    const auto codes = [&](const domain::Specimen& specimen) {
        std::string all;
        for (const auto* one : wanted_of(file, specimen, link, catalogue))
            all += one->local_code + " ";
        return all;
    };
    EXPECT_EQ(codes(serum), "NA TP X ") << "the order has no plasma: any tube may do";
    EXPECT_EQ(codes(blood), "GB TP X ");
    link.exams = {"GB"};
    EXPECT_EQ(codes(blood), "GB ");
    store::CurrentResult result;
    result.analyte = domain::AnalyteId{2};
    result.state = "quarantined";
    file.results = {result};
    EXPECT_EQ(codes(blood), "GB ") << "a result that a person holds is none";
    file.results[0].state = "raw";
    EXPECT_EQ(codes(blood), "");
    file.results.clear();
    file.state = "reported";
    EXPECT_EQ(codes(blood), "") << "the order has ended";
}

}  // namespace
}  // namespace sgl::flow
