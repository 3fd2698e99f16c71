// Which messages are for us, on which link (hl7v2-lab 3.3, 3.5; design D16; SEC-03).
#include "lib/interpret/admission.hpp"

#include "test/lib/interpret/samples.hpp"

namespace sgl::interpret {
namespace {

using test::analyser;
using test::message;
using test::registration;

Admission admitted(const std::string& msh, const domain::Link& link) {
    const auto parsed = message({msh});
    return admit(parsed, link);
}

/// MSH with the four fields that decide.
std::string msh(const std::string& type, const std::string& processing = "P", const std::string& version = "2.5.1") {
    return R"(MSH|^~\&|AUTO1|BIO|SGL|LBM|20260314081500||)" + type + "|1001|" + processing + "|" + version;
}

struct Row {
    std::string type, processing, version, answer, code, coordinate;
};

TEST(Admission, AnswersWhatTheTableSays) {
    for (const auto& row : {
             Row{"", "P", "2.5.1", "AE", "101", "MSH-9"},         // nothing to go by: the sender must correct
             Row{"DFT^P03", "P", "2.5.1", "AR", "200", "MSH-9"},  // not in this version
             Row{"XYZ^R01", "P", "2.5.1", "AR", "200", "MSH-9"}, Row{"ORU^R40", "P", "2.5.1", "AR", "201", "MSH-9"},
             Row{"OUL^R21", "P", "2.5.1", "AR", "201", "MSH-9"}, Row{"ORU", "P", "2.5.1", "AR", "201", "MSH-9"},
             Row{"OML^O22", "P", "2.5.1", "AR", "201", "MSH-9"},
             Row{"ORU^R01", "T", "2.5.1", "AR", "202", "MSH-11"},  // a test message on a production link
             Row{"ORU^R01", "D", "2.5.1", "AR", "202", "MSH-11"}, Row{"ORU^R01", "p", "2.5.1", "AR", "202", "MSH-11"},
             Row{"ORU^R01", "P", "3.0", "AR", "203", "MSH-12"}, Row{"ORU^R01", "P", "", "AR", "203", "MSH-12"},
             Row{"ORU^R01", "P", "1.2.5", "AR", "203", "MSH-12"},
             Row{"OML^O21", "Q", "2.5.1", "AR", "202", "MSH-11"},  // quality control is a matter of results
         }) {
        SCOPED_TRACE(row.type + " " + row.processing + " " + row.version);
        const auto admission = admitted(msh(row.type, row.processing, row.version), registration());
        ASSERT_TRUE(admission.refusal);
        EXPECT_EQ(admission.refusal->answer, row.answer);
        EXPECT_EQ(admission.refusal->code, row.code);
        EXPECT_EQ(admission.refusal->coordinate, row.coordinate);
        EXPECT_EQ(admission.refusal->location, "MSH^1^" + row.coordinate.substr(4));
    }
}

TEST(Admission, TakesResultsOfTheVersionsThatAnalysersSpeak) {
    for (const auto* version : {"2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.5^FRA^2.11", "2.6", "2.8.2"}) {
        SCOPED_TRACE(version);
        const auto admission = admitted(msh("ORU^R01", "P", version), analyser());
        EXPECT_FALSE(admission.refusal);
        EXPECT_EQ(admission.kind, Kind::results);
    }
}

TEST(Admission, TakesIdentitiesFromTheirSourcesOnly) {
    for (const auto* type : {"ADT^A01^ADT_A01", "ADT^A40^ADT_A39", "ADT^Z99", "ADT^A60", "ADT"}) {
        const auto admission = admitted(msh(type, "P", "2.5^FRA^2.11"), registration());
        EXPECT_FALSE(admission.refusal) << type;
        EXPECT_EQ(admission.kind, Kind::identity) << type;
    }
    const auto refused = admitted(msh("ADT^A28", "P", "2.5"), analyser());
    ASSERT_TRUE(refused.refusal);
    EXPECT_EQ(refused.refusal->answer + refused.refusal->code + refused.refusal->coordinate, "AR207MSH-9");
}

TEST(Admission, TakesTheResultsThatAnalysersAndPointOfCareDevicesSend) {
    for (const auto* type : {"ORU^R01", "ORU^R30^ORU_R30", "ORU^R31^ORU_R30", "ORU^R32^ORU_R30", "OUL^R22^OUL_R22",
                             "OUL^R23", "OUL^R24"}) {
        SCOPED_TRACE(type);
        const auto admission = admitted(msh(type, "P", "2.5.1"), analyser());
        EXPECT_FALSE(admission.refusal);
        EXPECT_EQ(admission.kind, Kind::results);
    }
}

TEST(Admission, TakesOnlyTheTypesThatTheLinkNamesWhereItNamesSome) {
    auto link = analyser();
    link.message_types = {"OUL^R22"};
    EXPECT_FALSE(admitted(msh("OUL^R22^OUL_R22", "P", "2.5.1"), link).refusal);
    const auto other = admitted(msh("ORU^R01", "P", "2.5.1"), link);
    ASSERT_TRUE(other.refusal);
    EXPECT_EQ(other.refusal->answer + other.refusal->code, "AR200");
}

TEST(Admission, TakesQualityControlAndAMissingProcessingId) {
    EXPECT_FALSE(admitted(msh("ORU^R01", "Q"), analyser()).refusal);  // set aside later, never a patient's result
    EXPECT_FALSE(admitted(msh("ORU^R01", ""), analyser()).refusal);
    EXPECT_FALSE(admitted(msh("ORU^R01", "P^T"), analyser()).refusal);
}

TEST(Admission, KeepsProductionOutOfATestLink) {
    auto link = analyser();
    link.processing_id = "T";
    EXPECT_FALSE(admitted(msh("ORU^R01", "T"), link).refusal);
    const auto production = admitted(msh("ORU^R01", "P"), link);
    ASSERT_TRUE(production.refusal);
    EXPECT_EQ(production.refusal->code, "202");
}

TEST(Admission, LetsNobodySpeakInAnothersName) {
    auto link = analyser();
    link.allowed_senders = {{"AUTO1", "BIO"}, {"AUTO2", "BIO"}};
    EXPECT_FALSE(admitted(msh("ORU^R01"), link).refusal);
    link.allowed_senders = {{"AUTO2", "BIO"}, {"AUTO1", "AUTRE"}};
    const auto wrong = admitted(msh("ORU^R01"), link);
    ASSERT_TRUE(wrong.refusal);
    EXPECT_EQ(wrong.refusal->answer, "AR");
    EXPECT_EQ(wrong.refusal->code, "207");
    EXPECT_EQ(wrong.refusal->coordinate, "MSH-3");
    EXPECT_EQ(wrong.refusal->what.find("AUTO1"), std::string::npos) << "a refusal never repeats what the sender wrote";
}

TEST(Admission, TakesOrdersOnlyFromLinksThatMaySayBothOrderAndIdentity) {
    EXPECT_FALSE(admitted(msh("OML^O21"), registration()).refusal);
    EXPECT_EQ(admitted(msh("OML^O21"), registration()).kind, Kind::order);
    for (const auto& [order, identity] : {std::pair{false, false}, std::pair{true, false}, std::pair{false, true}}) {
        auto link = analyser();
        link.order_source = order;
        link.identity_source = identity;
        const auto refused = admitted(msh("OML^O21^OML_O21"), link);
        ASSERT_TRUE(refused.refusal);
        EXPECT_EQ(refused.refusal->answer, "AR");
        EXPECT_EQ(refused.refusal->code, "207");
        EXPECT_EQ(refused.kind, Kind::order) << "an order is answered by ORL, also when it is refused";
    }
}

}  // namespace
}  // namespace sgl::interpret
