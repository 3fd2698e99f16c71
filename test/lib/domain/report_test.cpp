#include "lib/domain/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/lib/compose/sample_report.hpp"

namespace sgl::domain {
namespace {

TEST(MissingInReport, IsNothingForACompleteOne) {
    for (const auto& report : {test::sample_report(), test::sample_short_report(), test::sample_without_qualified_ins(), test::sample_long_report()})
        EXPECT_TRUE(missing(report).empty());
}

TEST(MissingInReport, TellsEverythingAtOnceEachAtItsPlace) {
    auto report = test::sample_report();
    report.patient.traits.reveal().birth_name.clear();
    report.entity.legal_form.clear();
    report.specimens[1].collected_at = Timestamp::parse("20260315").value();  // a day is no time of collection
    report.validator.rpps = {};
    std::vector<std::string> places;
    for (const auto& error : missing(report)) {
        EXPECT_EQ(error.fault, Fault::missing);
        places.push_back(error.where);
    }
    EXPECT_THAT(places, testing::ElementsAre("patient.birth_name", "legal_entity", "validator.rpps", "specimens[2].collected_at"));
}

TEST(MissingInReport, AsksAllStrictTraitsOnlyOfAQualifiedIdentity) {
    auto report = test::sample_report();
    report.patient.traits.reveal().birth_place.clear();
    EXPECT_EQ(missing(report).size(), 1U);
    report.patient.status = IdentityStatus::validated;
    EXPECT_TRUE(missing(report).empty());
}

TEST(Identify, GivesTheSameVersionTheSameIdentifiers) {
    const ReportSetId set{Uuid::parse("018e4b5e-7a10-7c3f-9d21-5a6b7c8d9e0f").value()};
    const auto first = identify(set, 1);
    const auto second = identify(set, 2);
    EXPECT_EQ(identify(set, 1).document_oid, first.document_oid);
    EXPECT_NE(first.document_oid, second.document_oid);
    EXPECT_NE(first.version_id, second.version_id);
    EXPECT_EQ(first.set_oid, second.set_oid);
    EXPECT_FALSE(first.replaced_oid);
    EXPECT_EQ(second.replaced_oid, first.document_oid);
    EXPECT_TRUE(is_oid(first.document_oid) && is_oid(first.set_oid));
    EXPECT_NE(identify(ReportSetId{Uuid::parse("018e4b5e-7a10-7c3f-9d21-5a6b7c8d9e10").value()}, 1).document_oid, first.document_oid);
}

TEST(Patient, LetsTheInsLeaveOnlyWhenQualifiedAndSure) {
    const auto patient = test::sample_report().patient;
    EXPECT_TRUE(patient.ins_may_leave());
    for (const auto status : {IdentityStatus::provisional, IdentityStatus::retrieved, IdentityStatus::validated}) {
        auto other = patient;
        other.status = status;
        EXPECT_FALSE(other.ins_may_leave());
    }
    auto doubtful = patient;
    doubtful.doubtful = true;
    EXPECT_FALSE(doubtful.ins_may_leave());
    auto fictitious = patient;
    fictitious.fictitious = true;
    EXPECT_FALSE(fictitious.ins_may_leave());
    auto without = patient;
    without.ins.reset();
    EXPECT_FALSE(without.ins_may_leave());
}

}  // namespace
}  // namespace sgl::domain
