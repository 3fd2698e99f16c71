#include "lib/domain/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "test/lib/compose/sample_report.hpp"

namespace sgl::domain {
namespace {

PlanContext test_instance() {
    PlanContext context;
    context.dpis = {PartnerId{7}};
    context.dpi_names = {"CH des Tilleuls"};
    return context;
}

const PlannedLetter& letter(const std::vector<PlannedLetter>& letters, Channel channel) {
    const auto it = std::ranges::find(letters, channel, &PlannedLetter::channel);
    if (it == letters.end()) throw std::out_of_range(std::string(to_string(channel)));
    return *it;
}

TEST(Plan, MakesOneLetterPerChannelAndRecipient) {
    const auto letters = plan(test::sample_report(), test_instance());
    ASSERT_EQ(letters.size(), 5U);  // DMP, two correspondents, patient, DPI
    for (const auto& one : letters) EXPECT_EQ(one.state, LetterState::due) << one.recipient_key;
    EXPECT_EQ(letters[1].recipient_key, "99900000041@paul.meunier@medecin.mssante.example");
    EXPECT_EQ(letter(letters, Channel::mss_patient).address.reveal(), "279035121518989@patient.mssante.fr");
    EXPECT_EQ(letter(letters, Channel::dpi).partner, PartnerId{7});
}

TEST(Plan, SendsNothingToDmpAndPatientWithoutQualifiedIns) {
    const auto letters = plan(test::sample_without_qualified_ins(), test_instance());
    for (const auto channel : {Channel::dmp, Channel::mss_patient}) {
        EXPECT_EQ(letter(letters, channel).state, LetterState::blocked);
        EXPECT_EQ(letter(letters, channel).reason, Reason::ins_not_qualified);
    }
    EXPECT_TRUE(letter(letters, Channel::mss_patient).address.reveal().empty());
    EXPECT_EQ(letter(letters, Channel::mss_professional).state, LetterState::due);
    EXPECT_EQ(letter(letters, Channel::dpi).state, LetterState::due);
}

TEST(Plan, HoldsProfessionalsBackWithoutInsWhereTheSiteWantsSo) {
    auto report = test::sample_without_qualified_ins();
    report.site.settings.mss_without_ins = false;
    EXPECT_EQ(letter(plan(report, test_instance()), Channel::mss_professional).reason, Reason::ins_not_qualified);
}

TEST(Plan, KeepsAPartialReportFromTheDmpAlone) {  // dmp.md REC_GEN-1070
    auto report = test::sample_report();
    report.kind = ReportKind::partial;
    const auto letters = plan(report, test_instance());
    for (const auto& one : letters)
        EXPECT_EQ(one.reason, one.channel == Channel::dmp ? Reason::partial_report : Reason::none) << one.recipient_key;
    EXPECT_EQ(letter(letters, Channel::dmp).state, LetterState::blocked);
    report.replaces = Replaced{ReportKind::partial, report.validated_at, false};
    EXPECT_EQ(letter(plan(report, test_instance()), Channel::dmp).reason, Reason::partial_report);
    report.replaces->after_final = true;
    EXPECT_EQ(letter(plan(report, test_instance()), Channel::dmp).state, LetterState::due)
        << "the complete report that the DMP holds is put right";
}

TEST(Plan, LetsTestIdentitiesLeaveOnlyFromATestInstance) {
    auto production = test_instance();
    production.production = true;
    for (const auto& one : plan(test::sample_report(), production))
        if (one.channel != Channel::dpi) { EXPECT_EQ(one.reason, Reason::test_identity) << to_string(one.channel); }
    auto real = test::sample_report();
    real.patient.ins->reveal().oid = oid::ins_nir;
    EXPECT_EQ(letter(plan(real, test_instance()), Channel::dmp).reason, Reason::test_identity);
    EXPECT_EQ(letter(plan(real, production), Channel::dmp).state, LetterState::due);
}

TEST(Plan, RespectsThePatientsChoiceAsAnEnd) {
    auto report = test::sample_report();
    report.patient.choices = {true, true};
    const auto letters = plan(report, test_instance());
    for (const auto channel : {Channel::dmp, Channel::mss_patient}) {
        EXPECT_EQ(letter(letters, channel).state, LetterState::not_applicable);
        EXPECT_EQ(letter(letters, channel).reason, Reason::patient_opposed);
    }
}

TEST(Plan, BlocksDoubtfulIdentitiesRestrictedReportsAndClosedChannels) {
    auto doubtful = test::sample_report();
    doubtful.patient.doubtful = true;
    for (const auto& one : plan(doubtful, test_instance()))
        if (one.channel != Channel::dpi) { EXPECT_EQ(one.reason, Reason::identity_doubtful) << to_string(one.channel); }
    auto restricted = test::sample_report();
    restricted.confidentiality = 'R';
    EXPECT_EQ(letter(plan(restricted, test_instance()), Channel::dmp).reason, Reason::restricted_confidentiality);
    auto closed = test::sample_report();
    closed.site.settings.dmp = closed.site.settings.mss_patient = closed.site.settings.mss_professionals = closed.site.settings.dpi = false;
    for (const auto& one : plan(closed, test_instance())) EXPECT_EQ(one.reason, Reason::site_channel_disabled);
}

TEST(Plan, SaysWhichCorrespondentHasNoMailboxAndNeverWritesTwiceToOne) {
    auto report = test::sample_report();
    report.correspondents[1].mss_address.clear();
    report.correspondents.push_back(report.correspondents[0]);
    const auto letters = plan(report, test_instance());
    EXPECT_EQ(std::ranges::count(letters, Channel::mss_professional, &PlannedLetter::channel), 2);
    EXPECT_EQ(letters[2].state, LetterState::blocked);  // until somebody mends the mailbox (lab-domain 3.5)
    EXPECT_EQ(letters[2].reason, Reason::correspondent_no_mss);
}

}  // namespace
}  // namespace sgl::domain
