#include "hl7/segments.hpp"

#include <gmock/gmock.h>

namespace sgl::hl7 {
namespace {

TEST(SegmentViews, NameTheFieldsOfTheStandard) {
    const auto m = Message::parse(
        "MSH|^~\\&|LAB^1.2^ISO|SITE|||20261121083000||ORU^R01|42|P|2.5.1\r"
        "PID|1||123^^^H&1.2.3&ISO^PI~456^^^^INS||PAT-TROIS^DOMINIQUE^^^^^L~PAT-UN^DOM^^^^^D||19790328|F\r"
        "OBR|1|P1^DPI|F1|NFS^Num\\T\\ration^L|||202611210800\r"
        "OBX|1|NM|718-7^H\\T\\b^LN||13,5|g/dL^^UCUM|13-17|N~A|||F|||20261121|||||||||||||||RSLT\r"
        "SPM|1|^24050200123\rMSA|AA|42\r");
    ASSERT_TRUE(m);
    EXPECT_EQ((Msh{m->header()}.sending_application().value().oid), "1.2");
    EXPECT_EQ((Msh{m->header()}.message_control_id().text()), "42");
    EXPECT_EQ((Msh{m->header()}.date_time_of_message().value()->value.hour), 8U);
    const Pid pid{m->first("PID")};
    EXPECT_EQ(pid.patient_identifier_list().values().at(1).type, "INS");
    EXPECT_EQ(pid.patient_identifier_list().value().authority.oid, "1.2.3");
    EXPECT_EQ(pid.patient_name().value(1).family, "PAT-UN");
    EXPECT_EQ(pid.date_time_of_birth().value()->value.precision, Precision::day);
    const Obr obr{m->first("OBR")};
    EXPECT_EQ(obr.placer_order_number().value().id, "P1");
    EXPECT_EQ(obr.universal_service_identifier().value().text, "Num&ration");
    EXPECT_EQ(obr.observation_date_time().value()->value.precision, Precision::minute);
    const Obx obx{m->first("OBX")};
    EXPECT_EQ(obx.observation_identifier().value().system, "LN");
    EXPECT_EQ(obx.units().value().system, "UCUM");
    EXPECT_EQ(obx.abnormal_flags().size(), 2U);
    EXPECT_EQ(obx.observation_type().text(), "RSLT");
    EXPECT_EQ((Spm{m->first("SPM")}.specimen_id().value().filler.id), "24050200123");
    EXPECT_EQ((Msa{m->first("MSA")}.acknowledgment_code().text()), "AA");
    EXPECT_TRUE((Tcd{m->first("TCD")}.auto_dilution_factor().empty()));
    EXPECT_EQ((Nte{m->first("NTE")}.comment().size()), 0U);
}

}  // namespace
}  // namespace sgl::hl7
