#include "cda/write.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include "cda/codes.hpp"
#include "test/cda/sample_report.hpp"

namespace sgl::cda {
namespace {

std::string file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    return std::move(content).str();
}

// SGL_UPDATE_GOLDEN=1 writes the golden documents anew, to be read by a person; cda_official_test then judges them.
void expect_golden(const CrBio& report, const std::string& name) {
    const auto written = write(report);
    ASSERT_TRUE(written) << to_string(written.error());
    const auto path = "test/golden/" + name + "/cr_bio.xml";
    if (std::getenv("SGL_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << *written;
    EXPECT_EQ(*written, file(path));
}

TEST(Write, MakesTheGoldenRichReport) { expect_golden(test::rich_report(), "cr_bio_rich"); }
TEST(Write, MakesTheGoldenReportWithoutIns) { expect_golden(test::report_without_ins(), "cr_bio_without_ins"); }

TEST(Write, MakesTheGoldenSparseReport) { expect_golden(test::sparse_report(), "cr_bio_sparse"); }

TEST(Write, PutsNoInsAnywhereWhenTheIdentityIsNotQualified) {
    const auto written = write(test::report_without_ins());
    ASSERT_TRUE(written);
    EXPECT_EQ(written->find("1.2.250.1.213.1.4."), std::string::npos);
    EXPECT_EQ(written->find("279035121518989"), std::string::npos);
}

TEST(Write, KeepsTheDigitsOfTheAnalyser) {
    const auto written = write(test::rich_report());
    ASSERT_TRUE(written);
    EXPECT_NE(written->find(R"(value="6.90" unit="mmol/L")"), std::string::npos);
    EXPECT_NE(written->find(">6,90<"), std::string::npos);
}

// What the profile makes impossible, and where the refusal points.
struct Impossible {
    const char* name;
    std::function<void(CrBio&)> spoil;
    Fault fault;
    const char* where;  ///< under the first result when relative
};

const std::string first_result =
    "/ClinicalDocument/component/structuredBody/component[2]/section/entry/act/entryRelationship[2]/observation/";

class ImpossibleReport : public testing::TestWithParam<Impossible> {};

TEST_P(ImpossibleReport, IsRefusedAtItsPlace) {
    auto report = test::rich_report();
    GetParam().spoil(report);
    const auto written = write(report);
    ASSERT_FALSE(written);
    const std::string where = GetParam().where;
    EXPECT_EQ(written.error().where, where.starts_with('/') ? where : first_result + where);
    EXPECT_EQ(written.error().fault, GetParam().fault) << written.error().what;
    EXPECT_EQ(written.error().what.find("PAT-TROIS"), std::string::npos);
}

Observation& first(CrBio& report) { return report.chapters[0].results.observations[0]; }

const Impossible impossible[] = {
    {"NoId", [](CrBio& r) { r.id.clear(); }, Fault::malformed, "/ClinicalDocument/id/@root"},
    {"SetIdThatIsNoOid", [](CrBio& r) { r.set_id = "urn:uuid:1"; }, Fault::malformed, "/ClinicalDocument/setId/@root"},
    {"NoOffset", [](CrBio& r) { r.effective_time.offset_minutes.reset(); }, Fault::missing, "/ClinicalDocument/effectiveTime/@value"},
    {"VersionWithoutReplaced", [](CrBio& r) { r.replaces.reset(); }, Fault::malformed, "/ClinicalDocument/relatedDocument"},
    {"ReplacingItself", [](CrBio& r) { r.replaces = r.id; }, Fault::malformed, "/ClinicalDocument/relatedDocument"},
    {"NoPatientNumber", [](CrBio& r) { r.patient.ins.reset(); r.patient.local_ids.clear(); }, Fault::missing, "/ClinicalDocument/recordTarget/patientRole/id"},
    {"InsAsLocalNumber", [](CrBio& r) { r.patient.local_ids[0].root = codes::ins_nir; }, Fault::malformed, "/ClinicalDocument/recordTarget/patientRole/id"},
    {"InsWithoutBirthDate", [](CrBio& r) { r.patient.birth_date.reset(); }, Fault::missing, "/ClinicalDocument/recordTarget/patientRole/patient/birthTime"},
    {"InsWithoutBirthplace", [](CrBio& r) { r.patient.birthplace.reset(); }, Fault::missing, "/ClinicalDocument/recordTarget/patientRole/patient/birthplace"},
    {"InsWithoutGivenNames", [](CrBio& r) { r.patient.birth_given_names.clear(); }, Fault::missing, "/ClinicalDocument/recordTarget/patientRole/patient/name/given"},
    {"AuthorWithoutProfession", [](CrBio& r) { r.author.who.speciality.reset(); }, Fault::missing, "/ClinicalDocument/author/assignedAuthor/code"},
    {"LaboratoryWithoutPracticeSetting", [](CrBio& r) { r.service.performer.who.organisation->practice_setting.reset(); }, Fault::missing, "/ClinicalDocument/documentationOf/serviceEvent/performer/assignedEntity/representedOrganization/standardIndustryClassCode"},
    {"UnknownCivility", [](CrBio& r) { r.author.who.name.prefix = "MLLE"; }, Fault::malformed, "/ClinicalDocument/author/assignedAuthor/assignedPerson/name/prefix"},
    {"AddressOfBothKinds", [](CrBio& r) { r.patient.addresses[0].city = "LYON"; }, Fault::malformed, "/ClinicalDocument/recordTarget/patientRole/addr"},
    {"TelecomWithoutScheme", [](CrBio& r) { r.patient.telecoms[0].value = "0600000000"; }, Fault::malformed, "/ClinicalDocument/recordTarget/patientRole/telecom/@value"},
    {"NoChapter", [](CrBio& r) { r.chapters.clear(); }, Fault::missing, "/ClinicalDocument/component/structuredBody/component"},
    {"ChapterOfBothKinds", [](CrBio& r) { r.chapters[0].sub_chapters = r.chapters[1].sub_chapters; }, Fault::malformed, "/ClinicalDocument/component/structuredBody/component[2]/section"},
    {"NationalCodeForASubChapter", [](CrBio& r) { r.chapters[1].sub_chapters[0].code = codes::to_code(*codes::find(codes::chapters, "930894")); }, Fault::malformed, "/ClinicalDocument/component/structuredBody/component[3]/section/component/section/code"},
    {"ValidatorWhoDoesNotSign", [](CrBio& r) { r.authenticators.clear(); }, Fault::conflict, "/ClinicalDocument/component/structuredBody/component[3]/section/component/section/entry/act/participant"},
    {"CompletedWithoutValue", [](CrBio& r) { first(r).value.reset(); }, Fault::missing, "value"},
    {"AbortedWithValue", [](CrBio& r) { first(r).aborted = true; }, Fault::malformed, "value"},
    {"NoTimeOfResult", [](CrBio& r) { first(r).time.reset(); }, Fault::missing, "effectiveTime"},
    {"FlagOutOfTheValueSet", [](CrBio& r) { first(r).interpretation = "MS"; }, Fault::unsupported, "interpretationCode"},
    {"LowAboveHigh", [](CrBio& r) { std::swap(first(r).range->low, first(r).range->high); }, Fault::malformed, "referenceRange/observationRange/value"},
    {"NeitherLoincNorTranslation", [](CrBio& r) { first(r).code.loinc.reset(); }, Fault::missing, "code"},
    {"NoUnit", [](CrBio& r) { std::get<Quantity>(*first(r).value).unit.clear(); }, Fault::missing, "value/@unit"},
    {"NotAPdf", [](CrBio& r) { r.pdf = "PK"; }, Fault::malformed, "/ClinicalDocument/component/structuredBody/component[5]/section/entry/organizer/component[2]/observationMedia/value"},
};

std::string name_of(const testing::TestParamInfo<Impossible>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Write, ImpossibleReport, testing::ValuesIn(impossible), name_of);

}  // namespace
}  // namespace sgl::cda
