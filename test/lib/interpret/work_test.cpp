// Queries of analysers, our work orders and their answers (IHE LAW LAB-27, LAB-28; hl7v2-lab 6.2, 6.3).
#include "lib/interpret/work.hpp"

#include "test/lib/interpret/samples.hpp"

namespace sgl::interpret {
namespace {

using test::message;

WorkQuery asked(const std::string& trigger, const std::string& qpd) {
    const auto parsed = message({R"(MSH|^~\&|AUTO1|BIO|SGL|LBM|20240502081530||QBP^)" + trigger + "|Q1|P|2.5.1", qpd});
    const auto read = work_query(parsed);
    EXPECT_TRUE(std::holds_alternative<WorkQuery>(read)) << qpd;
    return std::holds_alternative<WorkQuery>(read) ? std::get<WorkQuery>(read) : WorkQuery{};
}

TEST(WorkQueries, NameASpecimenEverythingOrAPlace) {
    using About = WorkQuery::About;
    const auto one = asked("Q11^QBP_Q11", "QPD|WOS^Work Order Step^IHELAW|Q1-1|24050200123");
    EXPECT_EQ(one.about, About::specimen);
    EXPECT_EQ(one.specimen, "24050200123");
    EXPECT_FALSE(one.in_answer);
    EXPECT_EQ(asked("Q11", "QPD|WOS_ALL^Work Order Step All^IHELAW|Q1-1").about, About::all);
    EXPECT_EQ(asked("Q11", "QPD|WOS^Work Order Step^IHELAW|Q1-1||R7|2").about, About::place);
    EXPECT_EQ(asked("Q11", "QPD|WOS^Work Order Step^IHELAW|Q1-1||||T3|5").about, About::place);
    EXPECT_EQ(asked("WOS^QBP_Q11", "QPD|WOS^Work Order Step|7|T12&SGL").specimen, "T12") << "LDA, with a name space";
}

TEST(WorkQueries, OfGeneXpertWantTheWorkInTheAnswer) {
    const auto one = asked("Z03^QBP_Z03", "QPD|Z03^HOST QUERY|662f|PatientID-556|SpecimenID-888");
    EXPECT_EQ(one.specimen, "SpecimenID-888");
    EXPECT_TRUE(one.in_answer);
    EXPECT_EQ(asked("Z01", "QPD|Z01^REQUEST TEST ORDERS|234|ALL").about, WorkQuery::About::all);
}

TEST(WorkQueries, ThatCantBeReadAreRefusedAtTheirPlace) {
    const auto refusal = [](const std::string& more) {
        const auto parsed =
            hl7::Message::parse("MSH|^~\\&|AUTO1|BIO|SGL|LBM|20240502081530||QBP^Q11|Q1|P|2.5.1\r" + more).value();
        const auto read = work_query(parsed);
        return std::holds_alternative<Refusal>(read) ? std::get<Refusal>(read) : Refusal{};
    };
    EXPECT_EQ(refusal("").coordinate, "QPD");
    EXPECT_EQ(refusal("QPD|WOS^Work Order Step^IHELAW|1\r").coordinate, "QPD-3");
    EXPECT_EQ(refusal("QPD|SLI^Specimen Labeling Instructions^IHE_LABTF|1|7\r").answer, "AR");
}

class WorkOrders : public testing::Test {
protected:
    WorkOrders() {
        link_.allowed_senders = {{"AUTO1", "LBM"}};
        sodium_.local_code = "NA";
        sodium_.label = "Sodium";
        sodium_.loinc = "2951-2";
        patient_.local_id = "4056601";
        patient_.local_authority_oid = "1.2.250.1.999.1";
        auto& traits = patient_.traits.reveal();
        traits.birth_name = "PAT-TROIS";
        traits.first_given_name = "DOMINIQUE";
        traits.birth_date = Timestamp::parse("19790328").value();
        traits.sex = domain::Sex::female;
        order_.control_id = "O1";
        order_.at = TimeZone::utc().to_instant(Timestamp::parse("20240502061532").value());
        order_.specimen.number = "24050200123";
        order_.specimen.type = "SER";
        order_.specimen.type_label = "Sérum";
        order_.patient = &patient_;
        order_.steps = {{1, &sodium_}};
    }
    hl7::Message written() const { return hl7::Message::parse(work_message(order_, link_)).value(); }

    domain::Link link_;
    domain::Analyte sodium_;
    domain::Patient patient_;
    WorkOrder order_;
};

std::vector<std::string> names(const hl7::Message& message) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < message.size(); ++i)
        names.emplace_back(message.segment(i).id());
    return names;
}

TEST_F(WorkOrders, AreOmlO33AsLawHasThem) {
    const auto message = written();
    EXPECT_EQ(names(message), (std::vector<std::string>{"MSH", "PID", "SPM", "SAC", "ORC", "TQ1", "OBR", "TCD"}));
    EXPECT_EQ(message.type() + "^" + message.trigger() + "^" + message.structure(), "OML^O33^OML_O33");
    EXPECT_EQ(message.control_id(), "O1");
    EXPECT_EQ(message.text("MSH-5"), "AUTO1");
    EXPECT_EQ(message.text("MSH-15") + message.text("MSH-16"), "NEAL");
    EXPECT_EQ(message.text("MSH-21.1") + message.text("MSH-21.2"), "LAB-28IHE");
    EXPECT_EQ(message.text("PID-3.1") + message.text("PID-3.5"), "4056601PI");
    EXPECT_EQ(message.text("PID-5.1") + " " + message.text("PID-5.2"), "PAT-TROIS DOMINIQUE");
    EXPECT_EQ(message.text("SPM-2.1.1"), "24050200123");
    EXPECT_EQ(message.text("SPM-4.1"), "SER");
    EXPECT_EQ(message.text("SPM-11.1"), "P");
    EXPECT_EQ(message.text("SAC-3"), "24050200123");
    EXPECT_EQ(message.text("ORC-1"), "NW");
    EXPECT_EQ(message.text("TQ1-9.1"), "R");
    EXPECT_EQ(message.text("OBR-2"), "AW00000001");
    EXPECT_EQ(message.text("OBR-4.1") + message.text("OBR-4.4"), "NA2951-2");
    EXPECT_EQ(message.text("TCD-1.1"), "NA");
}

TEST_F(WorkOrders, CallAnExaminationAsTheAnalyserDoes) {
    link_.codes = {{"14749-6", "GLU", "", {}, {}}, {"SODIUM", "NA", "", {}, {}}};
    order_.urgent = true;
    EXPECT_EQ(written().text("OBR-4.1"), "SODIUM");
    EXPECT_EQ(written().text("TQ1-9.1"), "S");
    EXPECT_TRUE(measures(link_, sodium_));
    domain::Analyte other = sodium_;
    other.local_code = "K";
    EXPECT_FALSE(measures(link_, other)) << "its codes name what it measures";
    link_.exams = {"K"};
    EXPECT_TRUE(measures(link_, other));
    EXPECT_FALSE(measures(link_, sodium_));
}

TEST_F(WorkOrders, SayThatThereIsNothingToDo) {
    order_.what = WorkOrder::What::nothing;
    order_.steps.clear();
    const auto message = written();
    EXPECT_EQ(names(message), (std::vector<std::string>{"MSH", "SPM", "SAC", "ORC"}));
    EXPECT_EQ(message.text("ORC-1"), "DC");
    EXPECT_EQ(message.text("SPM-11.1"), "U");
    EXPECT_EQ(message.first("SPM").field(4).raw(), "\"\"");
}

TEST_F(WorkOrders, TakeBackAStepByItsNumber) {
    order_.what = WorkOrder::What::cancel;
    const auto message = written();
    EXPECT_EQ(names(message), (std::vector<std::string>{"MSH", "SPM", "SAC", "ORC", "OBR"}));
    EXPECT_EQ(message.text("ORC-1"), "CA");
    EXPECT_EQ(message.text("OBR-2"), "AW00000001");
}

TEST_F(WorkOrders, NeverWriteAnIdentityWithQuestionMarks) {
    link_.charset = "iso-8859-1";
    EXPECT_EQ(written().text("MSH-18"), "8859/1");
    patient_.traits.reveal().birth_name = "PAT-Ж";
    EXPECT_EQ(written().text("MSH-18"), "UNICODE UTF-8");
    EXPECT_EQ(written().text("PID-5.1"), "PAT-Ж");
}

TEST_F(WorkOrders, ForGeneXpertAreSegmentsOfTheAnswer) {
    link_.codes = {{"FT", "NA", "", {}, {}}};
    const std::string segments = work_segments({order_}, link_);
    const auto message = hl7::Message::parse("MSH|^~\\&|S|L|||2024||RSP^Z02|1|P|2.5\r" + segments).value();
    EXPECT_EQ(names(message), (std::vector<std::string>{"MSH", "PID", "ORC", "OBR", "TQ1", "SPM"}));
    EXPECT_EQ(message.text("OBR-4"), "FT");
    EXPECT_EQ(message.text("SPM-2"), "24050200123");
    EXPECT_EQ(message.text("PID-5"), "") << "no name";
}

TEST(WorkAnswers, SpeakOfEachStep) {
    const auto parsed = message({R"(MSH|^~\&|AUTO1|LBM|SGL|LBM|20240502081533||ORL^O34^ORL_O42|A1|P|2.5.1)",
                                 "MSA|AA|O1", "SPM|1|24050200123", "SAC|||24050200123", "ORC|OK|AW00000001|||SC",
                                 "ORC|UA|AW00000002|||CA", "ORC|CR", "OBR||AW00000003", "ORC|SC|AW00000004"});
    const auto answer = work_answer(parsed);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->accepted);
    EXPECT_EQ(answer->steps,
              (std::map<std::int64_t, domain::StepAnswer>{
                  {1, domain::StepAnswer::ok}, {2, domain::StepAnswer::unable}, {3, domain::StepAnswer::cancelled}}));
}

TEST(WorkAnswers, MayBeBare) {
    const auto bare = [](const std::string& msa) {
        const auto parsed =
            message({R"(MSH|^~\&|BA200|Biosystems|Host|P|20241223163505||ORL^O34^ORL_O34|1|P|2.5.1)", msa});
        return work_answer(parsed);
    };
    EXPECT_TRUE(bare("MSA|AA|O1")->accepted);
    EXPECT_TRUE(bare("MSA|AA|O1")->steps.empty());
    EXPECT_FALSE(bare("MSA|AR|O1")->accepted);
    EXPECT_FALSE(bare("MSA||O1"));
}

}  // namespace
}  // namespace sgl::interpret
