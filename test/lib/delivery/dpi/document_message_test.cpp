#include "lib/delivery/dpi/document_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hl7/message.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"
#include "test/lib/compose/sample_report.hpp"
#include "test/lib/delivery/dpi/samples.hpp"

namespace sgl::delivery {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Documents documents{"<ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>", "%PDF"};

std::vector<std::string> segments(const domain::Report& report, const DpiPartner& partner = test::hospital(),
                                  const Letter& letter = test::dpi_letter()) {
    const auto made = document_message(letter, report, documents, partner);
    EXPECT_TRUE(made) << (made ? "" : to_string(made.error()));
    std::vector<std::string> lines;
    if (!made) return lines;
    EXPECT_TRUE(made->ends_with('\r'));
    for (const auto line : split(*made, '\r')) lines.emplace_back(line);
    lines.pop_back();
    return lines;
}

TEST(DocumentMessage, WritesEverySegmentOfTheProfile) {
    auto report = test::sample_report();
    report.stay_number = "V260005";
    report.patient_class = "I";
    const auto lines = segments(report);
    ASSERT_EQ(lines.size(), 17U);
    EXPECT_EQ(lines[0], "MSH|^~\\&|SGL|LABO-TEST|DPI|CH-TEST|20260315110300+0100||ORU^R01^ORU_R01|" + control_id(test::dpi_letter().id) +
                            "|T|2.5|||||FRA|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2");
    EXPECT_EQ(lines[1], "PID|||279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS~IPP0004711^^^LABO-TEST&1.2.250.1.213.99.4.1.1&ISO^PI"
                        "||PAT-TROIS^DOMINIQUE^DOMINIQUE MARIE-LOUISE^^^^L||19790328|F|||8 impasse des Tilleuls^^LYON^^69003^FRA^H~^^^^^^BDL^^63220"
                        "||||||||||||||||||||N|VALI");
    EXPECT_EQ(lines[2], "PV1|1|I|||||||||||||||||V260005^^^LABO-TEST&990000017&M^VN");
    EXPECT_EQ(lines[3], "ORC|NW|RX-2026-001877|2603150042|RX-2026-001877|||||20260315110230+0100");
    EXPECT_EQ(lines[4], "OBR|1|RX-2026-001877|2603150042|11502-2^CR d'examens biologiques^LN||||||||||||"
                        "899900000041^MEUNIER^Paul^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS|||||||||F");
    EXPECT_EQ(lines[5], "OBX|1|ED|11502-2^CR d'examens biologiques^LN||^TEXT^XML^Base64^" + base64_encode(documents.n3) + "||||||F");
    EXPECT_EQ(lines[6], "PRT||UC||SB^Send by^participation|899900000017^GARNIER^Hélène^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
                        "|||Laboratoire des Deux Rives^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^990000025");
    EXPECT_EQ(lines[7], "OBX|2|CE|MASQUE_PS^Masqué aux professionnels de Santé^MetaDMPMSS||N^^expandedYes-NoIndicator||||||F");
    EXPECT_EQ(lines[12], "OBX|7|CE|DESTDMP^Destinataire DMP^MetaDMPMSS||N^^expandedYes-NoIndicator||||||F");
    EXPECT_EQ(lines[16], "OBX|11|CE|ACK_LECTURE_MSS^Accusé de lecture^MetaDMPMSS||N^^expandedYes-NoIndicator||||||F");
}

TEST(DocumentMessage, ReplacesTheFormerVersion) {
    const auto lines = segments(test::sample_second_version());
    EXPECT_TRUE(lines[3].starts_with("ORC|RO|"));
    EXPECT_TRUE(lines[5].ends_with("||||||C"));
}

// spec/hl7v2-cda-to-dpi.md 10.4: ORC|CA, OBX-11 D, the bytes of the version unchanged, no new document.
TEST(DocumentMessage, TakesTheLastVersionBackWithItsOwnBytes) {
    auto withdrawal = test::dpi_letter("018e4b5e-7a10-7c3f-9d21-00000000bb02");
    withdrawal.act = domain::Act::withdraw;
    const auto sent = segments(test::sample_second_version());
    const auto taken_back = segments(test::sample_second_version(), test::hospital(), withdrawal);
    ASSERT_EQ(taken_back.size(), sent.size());
    EXPECT_TRUE(taken_back[3].starts_with("ORC|CA|"));
    EXPECT_EQ(taken_back[3].substr(6), sent[3].substr(6));
    EXPECT_EQ(taken_back[5], "OBX|1|ED|11502-2^CR d'examens biologiques^LN||^TEXT^XML^Base64^" + base64_encode(documents.n3) + "||||||D");
    for (std::size_t i = 1; i < sent.size(); ++i) {
        if (i == 3 || i == 5) continue;
        EXPECT_EQ(taken_back[i], sent[i]) << "nothing else changes";
    }
    EXPECT_THAT(taken_back[0], HasSubstr("|" + control_id(withdrawal.id) + "|")) << "a message of its own";
    EXPECT_TRUE(segments(test::sample_report(), test::hospital(), withdrawal)[3].starts_with("ORC|CA|")) << "the first version too";
}

TEST(DocumentMessage, HoldsNoInsWhenItIsNotQualified) {
    const auto made = document_message(test::dpi_letter(), test::sample_without_qualified_ins(), documents, test::hospital());
    ASSERT_TRUE(made);
    EXPECT_THAT(*made, Not(HasSubstr("279035121518989")));
    EXPECT_THAT(*made, Not(HasSubstr("VALI")));
    EXPECT_THAT(*made, HasSubstr("PID|||IPP0004711^^^LABO-TEST&1.2.250.1.213.99.4.1.1&ISO^PI|"));
}

TEST(DocumentMessage, SaysNotApplicableForAStayThatNobodyNumbered) {
    auto report = test::sample_report();  // class O without a stay number
    EXPECT_EQ(segments(report)[2], "PV1|1|N");
    report.patient_class = "B";
    EXPECT_EQ(segments(report)[2], "PV1|1|B");
    report.patient_class = "?";
    EXPECT_EQ(segments(report)[2], "PV1|1|N");
}

TEST(DocumentMessage, GivesTheNationalIdentifierWhereTheDestinationWantsIt) {
    auto partner = test::hospital();
    partner.finess_form = "IDNST";
    EXPECT_THAT(segments(test::sample_report(), partner)[6], HasSubstr("&ISO^IDNST^^^1990000025"));
}

TEST(DocumentMessage, IsTheSameToTheByteWhenRepeated) {
    auto again = test::dpi_letter();
    again.attempt = 4;
    again.in_doubt = true;
    const auto report = test::sample_report();
    EXPECT_EQ(document_message(test::dpi_letter(), report, documents, test::hospital()).value(),
              document_message(again, report, documents, test::hospital()).value());
    EXPECT_EQ(control_id(again.id).size(), 20U);
    EXPECT_NE(control_id(again.id), control_id(test::dpi_letter("018e4b5e-7a10-7c3f-9d21-00000000bb02").id));
}

TEST(DocumentMessage, EscapesWhatWouldBeASeparator) {
    auto report = test::sample_report();
    report.entity.name = "Labo A&B|C^D";
    EXPECT_THAT(segments(report)[6], HasSubstr("|Labo A\\T\\B\\F\\C\\S\\D^"));
}

TEST(DocumentMessage, RefusesWhatTheProfileOrTheEnvironmentForbids) {
    auto partner = test::hospital();
    partner.processing_id = "P";
    const auto mixed = document_message(test::dpi_letter(), test::sample_report(), documents, partner);
    ASSERT_FALSE(mixed);
    EXPECT_EQ(mixed.error().where, "PID-3");
    partner = test::hospital();
    partner.receiving_facility.clear();
    EXPECT_EQ(document_message(test::dpi_letter(), test::sample_report(), documents, partner).error().where, "MSH-6");
}

}  // namespace
}  // namespace sgl::delivery
