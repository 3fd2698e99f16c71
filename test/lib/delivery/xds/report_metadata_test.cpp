#include "lib/delivery/xds/report_metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/digest.hpp"
#include "lib/delivery/xds/registry.hpp"
#include "test/lib/compose/sample_report.hpp"

namespace sgl::xds {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view document = "<ClinicalDocument/>";

SubmissionIdentity identity() {
    SubmissionIdentity made;
    made.set_entry_id = "SubmissionSet01";
    made.document_entry_id = "Doc01";
    made.source_id = "1.2.250.1.99999.1";
    made.unique_id = "2.25.42";
    made.submission_time = parse_iso8601("2026-03-15T10:03:00Z").value();
    return made;
}

Submission submission(const domain::Report& report) { return report_submission(report, identity(), document).value(); }

TEST(ReportMetadata, SaysWhatTheCdaSays) {
    const auto report = test::sample_report();
    const auto made = submission(report);
    ASSERT_EQ(made.documents.size(), 1U);
    const auto& entry = made.documents.front();
    EXPECT_EQ(entry.entry_id, "Doc01");
    EXPECT_EQ(entry.unique_id, report.ids.document_oid);
    EXPECT_EQ(to_hl7_utc(entry.creation_time), "20260315100231");
    EXPECT_EQ(to_hl7_utc(*entry.service_start), "20260315070500");  // serviceEvent low: order and specimens received
    EXPECT_EQ(to_hl7_utc(*entry.service_stop), "20260315100231");
    EXPECT_EQ(entry.hash, to_hex(sha1(document)));
    EXPECT_EQ(entry.size, document.size());
    EXPECT_EQ(entry.legal_authenticator.id, "899900000017");
    EXPECT_EQ(to_xon(entry.authors.front().institution),
              "Laboratoire des Deux Rives - Site Presqu’île^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000025");
    EXPECT_EQ(to_author_specialty(*entry.authors.front().specialty),
              "G15_10/SM03^Médecin - Biologie médicale (SM)^1.2.250.1.213.1.1.4.5");
    EXPECT_EQ(to_cx(entry.patient_id.reveal()), "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH");
    EXPECT_EQ(to_cx(entry.source_patient_id.reveal()), "IPP0004711^^^&1.2.250.1.213.99.4.1.1&ISO^PI");
    ASSERT_EQ(entry.events.size(), 4U);
    EXPECT_EQ(entry.events[2], (Code{"18719-5", "Biochimie", "2.16.840.1.113883.6.1"}));
    EXPECT_EQ(entry.facility_type, (Code{"SA25", "Laboratoire de biologie médicale", "1.2.250.1.71.4.2.4"}));
    EXPECT_EQ(made.set.content_type.code, "26");
    EXPECT_EQ(made.set.unique_id, "2.25.42");
    EXPECT_EQ(entry.action, "");
}

TEST(ReportMetadata, HasNoInsWhenItIsNotQualified) {
    auto made = submission(test::sample_without_qualified_ins());
    EXPECT_EQ(made.set.patient_id.reveal().type, "PI");
    made.set.entry_id = "urn:uuid:1";
    made.documents.front().uri = "DOC0001.XML";
    const auto xml = xdm_metadata(made);
    ASSERT_TRUE(xml) << to_string(xml.error());
    EXPECT_THAT(*xml, Not(HasSubstr("279035121518989")));
    EXPECT_THAT(*xml, Not(HasSubstr("1.2.250.1.213.1.4.10")));
}

TEST(ReportMetadata, CallsTheNextVersionAChange) {
    EXPECT_EQ(submission(test::sample_second_version()).documents.front().action, "C");
}

TEST(ReportMetadata, FollowsTheConfidentialityAndTheSettingsOfTheSite) {
    auto report = test::sample_report();
    report.confidentiality = 'R';
    report.site.settings.content_type = "03";
    report.site.settings.practice_setting = "ETABLISSEMENT";
    const auto made = submission(report);
    EXPECT_EQ(made.documents.front().confidentiality.front(), (Code{"R", "Restreint", "2.16.840.1.113883.5.25"}));
    EXPECT_EQ(made.set.content_type.code, "03");
    EXPECT_EQ(made.documents.front().practice_setting.label, "Etablissement de santé");
}

TEST(ReportMetadata, RefusesACodeOutsideItsValueSetAtItsPlace) {
    const auto where = [](auto change) {
        auto report = test::sample_report();
        change(report);
        const auto made = report_submission(report, identity(), document);
        return made ? std::string("accepted") : made.error().where;
    };
    EXPECT_EQ(where([](domain::Report& r) { r.site.settings.content_type = "99"; }), "site.content_type");
    EXPECT_EQ(where([](domain::Report& r) { r.site.settings.facility_type = "SA0"; }), "site.facility_type");
    EXPECT_EQ(where([](domain::Report& r) { r.site.settings.practice_setting.clear(); }), "site.practice_setting");
    EXPECT_EQ(where([](domain::Report& r) { r.chapters[1].code = "1-8"; }), "chapters[2].code");
    EXPECT_EQ(where([](domain::Report& r) { r.confidentiality = 'X'; }), "confidentiality");
}

}  // namespace
}  // namespace sgl::xds
