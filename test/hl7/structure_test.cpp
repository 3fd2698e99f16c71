#include "hl7/structure.hpp"

#include <gmock/gmock.h>

#include "hl7/lines.hpp"
#include "test/hl7/shared.hpp"

namespace sgl::hl7 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Deviation = StructureReading::Deviation;

Message read(std::string_view type, std::string_view segments) {
    return *Message::parse("MSH|^~\\&|A||||||" + std::string(type) + "|1|P|2.5\r" + std::string(segments));
}

TEST(MessageStructure, TellsTheGroupOfEverySegment) {
    const auto m = read("ORU^R01^ORU_R01",
                        "PID|1\rPV1|1\rORC|RE\rOBR|1\rNTE|1\rOBX|1\rNTE|1\rOBX|2\rSPM|1\rOBR|2\rOBX|1\rZZZ|1\r");
    const auto reading = read_structure(m);
    EXPECT_THAT(reading.deviations, IsEmpty());
    EXPECT_THAT(
        reading.groups,
        ElementsAre("", "PATIENT_RESULT[1].PATIENT[1]", "PATIENT_RESULT[1].PATIENT[1].VISIT[1]",
                    "PATIENT_RESULT[1].ORDER_OBSERVATION[1]", "PATIENT_RESULT[1].ORDER_OBSERVATION[1]",
                    "PATIENT_RESULT[1].ORDER_OBSERVATION[1]", "PATIENT_RESULT[1].ORDER_OBSERVATION[1].OBSERVATION[1]",
                    "PATIENT_RESULT[1].ORDER_OBSERVATION[1].OBSERVATION[1]",
                    "PATIENT_RESULT[1].ORDER_OBSERVATION[1].OBSERVATION[2]",
                    "PATIENT_RESULT[1].ORDER_OBSERVATION[1].SPECIMEN[1]", "PATIENT_RESULT[1].ORDER_OBSERVATION[2]",
                    "PATIENT_RESULT[1].ORDER_OBSERVATION[2].OBSERVATION[1]", testing::_));
}

TEST(MessageStructure, TellsPriorResultsFromTheNextOrder) {
    const auto reading = read_structure(read(
        "OML^O21^OML_O21", "PID|1\rORC|NW\rOBR|1\rOBX|1\rORC|NW\rOBR|2\rPID|1\rORC|PR\rOBR|3\rOBX|1\rORC|NW\rOBR|4\r"));
    EXPECT_THAT(reading.deviations, IsEmpty());
    EXPECT_EQ(reading.groups.at(5), "ORDER[2]");
    EXPECT_EQ(reading.groups.at(9), "ORDER[2].OBSERVATION_REQUEST[1].PRIOR_RESULT[1].ORDER_PRIOR[1]");
    EXPECT_EQ(reading.groups.at(11), "ORDER[3]");
}

TEST(MessageStructure, SaysWhatComesFirst) {
    for (const auto* name : {"OML_O33", "OML_O35", "ORL_O34", "ORL_O36", "ORL_O42", "OUL_R22", "OUL_R23"})
        EXPECT_TRUE(layout_of(name).specimen_first) << name;
    for (const auto* name : {"ORU_R01", "ORU_R30", "OML_O21", "ORL_O22", "ORM_O01", "OUL_R24", "SSU_U03", "X"})
        EXPECT_FALSE(layout_of(name).specimen_first) << name;
    for (const auto* name : {"OUL_R22", "OUL_R23", "OUL_R24"})
        EXPECT_TRUE(layout_of(name).obr_first) << name;
    for (const auto* name : {"ORU_R01", "OML_O21", "OML_O33", "ORL_O42", "MDM_T02", "ADT_A01"})
        EXPECT_FALSE(layout_of(name).obr_first) << name;
}

TEST(MessageStructure, SaysWhatIsMissingAndWhatHasNoPlace) {
    EXPECT_THAT(read_structure(read("ORU^R01", "PID|1\rOBX|1\r")).deviations,
                ElementsAre(Deviation{Deviation::Kind::missing, "OBR", "OBX"},
                            Deviation{Deviation::Kind::unexpected, "OBX", ""}));
    EXPECT_THAT(read_structure(read("ACK^R01^ACK", "ERR|1\rMSA|AA|1\r")).deviations,
                ElementsAre(Deviation{Deviation::Kind::missing, "MSA", "ERR"},
                            Deviation{Deviation::Kind::unexpected, "MSA", ""}));
    EXPECT_THAT(read_structure(read("ACK", "")).deviations,
                ElementsAre(Deviation{Deviation::Kind::missing, "MSA", ""}));
    EXPECT_THAT(read_structure(read("QBP^Q11^QBP_Q11", "QPD|x\rOBX|1\rRCP|I\r")).deviations,
                ElementsAre(Deviation{Deviation::Kind::unexpected, "OBX", ""}));
    EXPECT_THAT(read_structure(read("XYZ^A01", "PID|1\r")).groups, IsEmpty());
}

TEST(MessageStructure, IsFoundByItsNameOrByItsEvent) {
    EXPECT_EQ(structure_of(read("OML^O33^OML_O33", "PID\r")), "OML_O33");
    EXPECT_EQ(structure_of(read("ORU^R32", "PID\r")), "ORU_R30");
    EXPECT_EQ(structure_of(read("ADT^A28^ADT_A05", "PID\r")), "ADT_A05");
    EXPECT_EQ(structure_of(read("FOO", "PID\r")), "");
    EXPECT_EQ(structure_grammar("ACK"), "MSH [{SFT}] MSA [{ERR}]");
}

TEST(MessageStructure, OfMostMessagesOfTheCorpusIsTheirOwn) {
    const auto corpus = test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    std::size_t known = 0;
    std::size_t clean = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
        if (entry.path().extension() != ".hl7") continue;
        const auto file = test::bytes_of(entry.path());
        for (const auto bytes : split_messages(file)) {
            const auto message = Message::parse(std::string(bytes));
            if (!message || structure_of(*message).empty()) continue;
            const auto reading = read_structure(*message);
            EXPECT_EQ(reading.groups.size(), message->size());
            ++known;
            if (reading.deviations.empty()) ++clean;
        }
    }
    EXPECT_GE(known, 200U);
    EXPECT_GE(clean * 2, known) << clean << " of " << known;
    RecordProperty("known", static_cast<int>(known));
    std::cout << clean << " of " << known << " messages have the structure of the standard\n";
}

}  // namespace
}  // namespace sgl::hl7
