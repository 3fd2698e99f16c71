#include "hl7/groups.hpp"

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>

namespace sgl::hl7 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Message read(std::string_view type, std::string_view segments) {
    auto message = Message::parse("MSH|^~\\&|A||||1||" + std::string(type) + "|1|P|2.5.1\r" + std::string(segments));
    if (!message) throw std::runtime_error(to_string(message.error()));
    return std::move(*message);
}

TEST(Groups, GiveEveryResultItsOrderAndItsNotes) {
    const auto m = read(
        "ORU^R01",
        "SFT|x\rPID|1\rPD1|x\rNTE|of patient\rPV1|1\rORC|RE\rOBR|1\rNTE|of order\rTQ1|1\rOBX|1\rNTE|of obx\rPRT|x\r"
        "OBX|2\rSPM|1\rSPM|2\rOBR|2\rOBX|1\rZZZ|x\r");
    const auto g = group(m);
    ASSERT_THAT(g.patients, SizeIs(1));
    EXPECT_THAT(g.header, SizeIs(1));
    const auto& patient = g.patients[0];
    EXPECT_EQ(patient.pid.id(), "PID");
    EXPECT_EQ(patient.visit.id(), "PV1");
    EXPECT_THAT(patient.notes, SizeIs(1));
    EXPECT_THAT(patient.attached, SizeIs(1));
    ASSERT_THAT(patient.orders, SizeIs(2));
    const auto& first = patient.orders[0];
    EXPECT_EQ(first.orc.text(1), "RE");
    EXPECT_EQ(first.obr.text(1), "1");
    EXPECT_EQ(first.notes.at(0).text(1), "of order");
    EXPECT_THAT(first.timings, SizeIs(1));
    ASSERT_THAT(first.observations, SizeIs(2));
    EXPECT_EQ(first.observations[0].notes.at(0).text(1), "of obx");
    EXPECT_EQ(first.observations[0].attached.at(0).id(), "PRT");
    EXPECT_THAT(first.specimens, ElementsAre(0, 1));
    const auto& second = patient.orders[1];
    EXPECT_FALSE(second.orc);
    EXPECT_THAT(second.observations, SizeIs(1));
    EXPECT_EQ(second.observations[0].attached.at(0).id(), "ZZZ");
    EXPECT_THAT(second.specimens, IsEmpty());
    EXPECT_THAT(patient.specimens, SizeIs(2));
}

TEST(Groups, KeepTwoPatientsApart) {
    const auto m = read("ORU^R01", "PID|1\rOBR|1\rOBX|1\rPID|2\rOBR|1\rOBX|1\rOBX|2\r");
    const auto g = group(m);
    ASSERT_THAT(g.patients, SizeIs(2));
    EXPECT_THAT(g.patients[0].orders.at(0).observations, SizeIs(1));
    EXPECT_THAT(g.patients[1].orders.at(0).observations, SizeIs(2));
}

TEST(Groups, TakeResultsAfterTheirSpecimenInAResult) {
    const auto m = read("ORU^R01", "PID|1\rOBR|1\rSPM|1\rOBX|1\rOBX|2\rOBR|2\rOBX|1\rSPM|2\rOBX|9\r");
    const auto g = group(m);
    EXPECT_THAT(g.patients[0].orders[0].observations, SizeIs(2));
    EXPECT_THAT(g.patients[0].orders[1].observations, SizeIs(1));
    EXPECT_THAT(g.patients[0].specimens[0].observations, IsEmpty());
    EXPECT_THAT(g.patients[0].specimens[1].observations, SizeIs(1));
}

TEST(Groups, GiveASpecimenThatCameTooEarlyToTheNextOrder) {
    const auto m = read("ORU^R01", "PID|1\rSPM|1\rOBR|1\rOBX|1\rOBR|2\rOBX|1\r");
    const auto g = group(m);
    EXPECT_THAT(g.patients[0].orders[0].specimens, ElementsAre(0));
    EXPECT_THAT(g.patients[0].orders[0].observations, SizeIs(1));
    EXPECT_THAT(g.patients[0].orders[1].specimens, IsEmpty());
}

TEST(Groups, ReadAnOrderWithItsQuestionsAndSpecimens) {
    const auto m = read("OML^O21^OML_O21",
                        "PID|1\rPV1|1\rORC|NW|A\rTQ1|1\rOBR|1|A\rOBX|1\rOBX|2\rSPM|1\rNTE|of "
                        "specimen\rORC|NW|B\rOBR|2|B\rSPM|2\rOBX|9\r");
    const auto g = group(m);
    const auto& patient = g.patients.at(0);
    ASSERT_THAT(patient.orders, SizeIs(2));
    EXPECT_EQ(patient.orders[0].orc.text(2), "A");
    EXPECT_EQ(patient.orders[1].orc.text(2), "B");
    EXPECT_THAT(patient.orders[0].observations, SizeIs(2));
    EXPECT_THAT(patient.orders[0].specimens, ElementsAre(0));
    EXPECT_THAT(patient.orders[1].specimens, ElementsAre(1));
    EXPECT_EQ(patient.specimens[0].notes.at(0).text(1), "of specimen");
    EXPECT_THAT(patient.specimens[1].observations, SizeIs(1));
}

TEST(Groups, ShareASpecimenBetweenTheOrdersThatFollowIt) {
    const auto m = read("OML^O33^OML_O33",
                        "PID|1\rSPM|1\rOBX|s\rSAC|x\rORC|NW\rOBR|1\rOBX|q\rORC|NW\rOBR|2\rSPM|2\rORC|NW\rOBR|3\r");
    const auto g = group(m);
    const auto& patient = g.patients.at(0);
    ASSERT_THAT(patient.orders, SizeIs(3));
    EXPECT_THAT(patient.orders[0].specimens, ElementsAre(0));
    EXPECT_THAT(patient.orders[1].specimens, ElementsAre(0));
    EXPECT_THAT(patient.orders[2].specimens, ElementsAre(1));
    EXPECT_THAT(patient.specimens[0].observations, SizeIs(1));
    EXPECT_THAT(patient.specimens[0].containers, SizeIs(1));
    EXPECT_THAT(patient.orders[0].observations, SizeIs(1));
}

TEST(Groups, ReadOulWithItsOrcAfterTheObr) {
    const auto m =
        read("OUL^R22^OUL_R22",
             "PID|1\rSPM|1\rSAC|1\rINV|1\rOBR|1\rORC|OK\rOBX|1\rTCD|x\rSID|x\rOBX|2\rOBR|2\rORC|OK\rOBX|1\r");
    const auto g = group(m);
    const auto& patient = g.patients.at(0);
    ASSERT_THAT(patient.orders, SizeIs(2));
    EXPECT_TRUE(patient.orders[0].orc);
    EXPECT_TRUE(patient.orders[1].orc);
    EXPECT_THAT(patient.orders[0].observations, SizeIs(2));
    EXPECT_THAT(patient.orders[0].observations[0].attached, SizeIs(2));
    EXPECT_THAT(patient.orders[1].specimens, ElementsAre(0));
    EXPECT_THAT(patient.specimens[0].containers, SizeIs(2));
}

TEST(Groups, ReadTheOulOfThePublishedDialogueWithSpecimensLast) {
    const auto m = read("OUL^R22^OUL_R22", "PID|1\rORC|SC\rOBR|1\rTQ1|1\rOBX|1\rOBX|2\rSPM|1\rSPM|2\rSPM|3\r");
    const auto g = group(m);
    const auto& patient = g.patients.at(0);
    ASSERT_THAT(patient.orders, SizeIs(1));
    EXPECT_TRUE(patient.orders[0].orc);
    EXPECT_THAT(patient.orders[0].observations, SizeIs(2));
    EXPECT_THAT(patient.orders[0].specimens, ElementsAre(0, 1, 2));
}

TEST(Groups, KeepWhatIsMisplaced) {
    const auto m = read("ORU^R01", "OBX|1\rNTE|x\r");
    const auto g = group(m);
    EXPECT_FALSE(g.patients.at(0).pid);
    EXPECT_THAT(g.patients[0].orders, IsEmpty());
    EXPECT_THAT(g.patients[0].observations.at(0).notes, SizeIs(1));
    EXPECT_THAT(group(read("ORU^R01", "")).patients, IsEmpty());
}

TEST(Groups, TellPriorResultsFromWhatIsOrdered) {
    const auto m = read("OML^O21^OML_O21",
                        "PID|1\rORC|NW\rOBR|1\rOBX|1\rORC|NW\rOBR|2\rORC|PR\rOBR|3\rOBX|1\rPID|1\rOBR|4\rOBX|1\r");
    const auto g = group(m);
    ASSERT_THAT(g.patients, SizeIs(2));
    EXPECT_THAT(g.patients[0].orders,
                ElementsAre(testing::Field(&OrderGroup::prior, false), testing::Field(&OrderGroup::prior, false),
                            testing::Field(&OrderGroup::prior, true)));
    EXPECT_TRUE(g.patients[1].orders.at(0).prior);
    const auto result = read("ORU^R01", "PID|1\rOBR|1\rOBX|1\r");
    EXPECT_FALSE(group(result).patients.at(0).orders.at(0).prior);
    const auto old =
        group(read("ORM^O01", "PID|1\rORC|NW\rOBR|1\rOBR|2\rOBR|3\rOBX|1|NM|A||1||||||F\rORC|RE\rOBR|4\r"));
    EXPECT_THAT(old.patients.at(0).orders,
                ElementsAre(testing::Field(&OrderGroup::prior, false), testing::Field(&OrderGroup::prior, false),
                            testing::Field(&OrderGroup::prior, true), testing::Field(&OrderGroup::prior, true)))
        << "one ORC for several OBR";
}

TEST(Groups, ReadAnAnswerToOrders) {
    const auto m = read("ORL^O22", "MSA|AA|1\rERR|x\rPID|1\rORC|OK|A\rOBR|1|A\rSPM|1\rORC|UA|B\rORC|OK|C\r");
    const auto g = group(m);
    EXPECT_THAT(g.header, SizeIs(2));
    ASSERT_THAT(g.patients.at(0).orders, SizeIs(3));
    EXPECT_FALSE(g.patients[0].orders[1].obr);
}

}  // namespace
}  // namespace sgl::hl7
