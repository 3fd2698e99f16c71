#include "lib/compose/cr_bio.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "cda/codes.hpp"
#include "cda/write.hpp"
#include "test/lib/compose/sample_report.hpp"

namespace sgl::compose {
namespace {

const std::string pdf = "%PDF-1.4 copy";

cda::CrBio mapped(const domain::Report& report) {
    auto document = cr_bio(report, pdf);
    if (!document) {
        ADD_FAILURE() << to_string(document.error());
        return {};
    }
    return std::move(*document);
}

Error refused(const domain::Report& report) {
    const auto document = cr_bio(report, pdf);
    return document ? Error{} : document.error();
}

const cda::Observation& observation(const cda::CrBio& document, std::string_view label) {
    for (const auto& chapter : document.chapters)
        for (const auto& one : chapter.results.observations)
            if (one.code.label == label) return one;
    throw std::out_of_range(std::string(label));
}

TEST(ComposeCrBio, GivesTheInsOnlyOfAQualifiedIdentity) {
    const auto qualified = mapped(test::sample_report());
    ASSERT_TRUE(qualified.patient.ins);
    EXPECT_EQ(qualified.patient.ins->extension, "279035121518989");
    const auto validated = mapped(test::sample_without_qualified_ins());
    EXPECT_FALSE(validated.patient.ins);
    EXPECT_EQ(validated.patient.local_ids, (std::vector<cda::Identifier>{{"1.2.250.1.213.99.4.1.1", "IPP0004711", ""}}));
    EXPECT_EQ(cda::write(validated)->find("279035121518989"), std::string::npos);
    auto doubtful = test::sample_report();
    doubtful.patient.doubtful = true;
    EXPECT_FALSE(mapped(doubtful).patient.ins);
}

TEST(ComposeCrBio, WritesTimesInTheZoneOfTheSite) {
    auto report = test::sample_report();
    report.validated_at = *Timestamp::parse("20260715090000+0000");
    EXPECT_EQ(to_hl7(mapped(report).legal_authenticator.time), "20260715110000+0200");
    report.site.time_zone = *TimeZone::find("America/Guadeloupe");
    EXPECT_EQ(to_hl7(mapped(report).legal_authenticator.time), "20260715050000-0400");
    EXPECT_EQ(to_hl7(*mapped(report).patient.birth_date), "19790328") << "a date has no zone";
}

TEST(ComposeCrBio, GivesEachPersonHisPlace) {
    const auto document = mapped(test::sample_report());
    EXPECT_EQ(document.author.who.name.family, "GARNIER");
    EXPECT_EQ(document.legal_authenticator.who.ids[0].extension, "899900000017");
    EXPECT_EQ(document.encounter.responsible.name.family, "GARNIER");
    EXPECT_EQ(document.encounter.responsible.organisation->ids[1].root, cda::codes::cofrac_root);
    EXPECT_EQ(document.service.performer.who.name.family, "FONTAINE");
    ASSERT_EQ(document.participants.size(), 2U);
    EXPECT_EQ(document.participants[0].who.name.family, "MEUNIER");
    EXPECT_EQ(to_hl7(*document.participants[0].time), "20260312");
    EXPECT_EQ(document.participants[1].role, cda::Participant::Role::collector);
    ASSERT_EQ(document.recipients.size(), 2U);
    EXPECT_EQ(document.recipients[1].who.name.family, "LEROUX");
    EXPECT_EQ(document.orders[0], (cda::Identifier{"1.2.250.1.213.99.4.1.4", "RX-2026-001877", ""}));
    EXPECT_TRUE(document.authenticators.empty());
    for (const auto& chapter : document.chapters) EXPECT_EQ(chapter.results.validators.at(0).who.ids, document.legal_authenticator.who.ids);
}

TEST(ComposeCrBio, KeepsNumbersAsTheyWereReported) {
    const auto document = mapped(test::sample_report());
    const auto& glucose = observation(document, "Glucose à jeun");
    EXPECT_EQ(std::get<cda::Quantity>(*glucose.value).value.text(), "5.0");
    EXPECT_EQ(std::get<cda::Quantity>(*glucose.value).unit, "mmol/L");
    EXPECT_EQ(glucose.range->low->text(), "3.9");
    EXPECT_EQ(glucose.previous.at(0).value.index(), glucose.value->index());
    EXPECT_EQ(observation(document, "Hémoglobine").interpretation, "LL");
    const auto& tsh = observation(document, "Thyréostimuline (TSH)");
    const auto& bound = std::get<cda::Bound>(*tsh.value);
    EXPECT_EQ(bound.side, cda::Bound::Side::below);
    EXPECT_FALSE(bound.inclusive);
    EXPECT_EQ(bound.limit.text(), "0.01");
    EXPECT_TRUE(std::holds_alternative<cda::Number>(*observation(document, "INR").value));
}

TEST(ComposeCrBio, CodesWordsOnlyWhenTheyHaveACode) {
    const auto document = mapped(test::sample_report());
    EXPECT_EQ(std::get<cda::Code>(*observation(document, "Streptococcus pyogenes, antigène").value).code, "260373001");
    EXPECT_EQ(std::get<cda::Qualitative>(*observation(document, "Aspect des urines").value).text, "Légèrement trouble");
    EXPECT_TRUE(std::holds_alternative<cda::FreeText>(*observation(document, "Examen direct après coloration de Gram").value));
}

TEST(ComposeCrBio, PutsALocalCodeInTheTranslation) {
    const auto document = mapped(test::sample_report());
    const auto& local = observation(document, "Indice hémolytique du sérum");
    EXPECT_FALSE(local.code.loinc);
    EXPECT_EQ(*local.code.translation, (cda::Code{"ZINCX", "1.2.250.1.213.99.4.1.3", "Indice hémolytique du sérum"}));
}

TEST(ComposeCrBio, LeavesOutAPreviousResultThatCannotBeCompared) {
    auto report = test::sample_report();
    std::get<domain::Quantity>(report.chapters[2].results[0].previous->value).unit = "g/L";
    EXPECT_TRUE(observation(mapped(report), "Glucose à jeun").previous.empty());
}

TEST(ComposeCrBio, TellsEachSpecimenInTheChaptersThatUseIt) {
    const auto document = mapped(test::sample_report());
    ASSERT_EQ(document.chapters[0].results.specimens.size(), 1U);
    EXPECT_EQ(document.chapters[0].results.specimens[0].id.extension, "2603150042-1");
    EXPECT_EQ(document.chapters[2].results.specimens[0].type.code, "SER");
    auto report = test::sample_report();
    for (auto& chapter : report.chapters)
        for (auto& result : chapter.results) result.specimen_number.reset();
    EXPECT_EQ(mapped(report).chapters[0].results.specimens.size(), 2U);
    EXPECT_TRUE(mapped(report).chapters[1].results.specimens.empty());
}

TEST(ComposeCrBio, ReplacesTheFormerVersion) {
    const auto first = mapped(test::sample_report());
    const auto second = mapped(test::sample_second_version());
    EXPECT_FALSE(first.replaces);
    EXPECT_EQ(second.replaces, first.id);
    EXPECT_EQ(second.set_id, first.set_id);
    EXPECT_NE(second.id, first.id);
}

TEST(ComposeCrBio, RefusesAtACoordinateWhatTheStandardCannotCarry) {
    const auto at = [](auto change) {
        auto report = test::sample_report();
        change(report);
        return refused(report);
    };
    using R = domain::Report;
    EXPECT_EQ(at([](R& r) { r.validator.rpps = {}; }).where, "validator.rpps");
    EXPECT_EQ(at([](R& r) { r.entity.oid = "laboratory"; }).where, "legal_entity.oid");
    EXPECT_EQ(at([](R& r) { r.chapters[1].code = "00000-0"; }).where, "chapters[2].code");
    EXPECT_EQ(at([](R& r) { r.specimens[1].type = "MOON"; }).where, "specimens[2].type");
    EXPECT_EQ(at([](R& r) { r.site.settings.practice_setting = "X"; }).where, "site.practice_setting");
    EXPECT_EQ(at([](R& r) { r.chapters[0].results[0].loinc = "6690-3"; }).where, "chapters[1].results[1].loinc");
    EXPECT_EQ(at([](R& r) { r.confidentiality = 'X'; }).where, "confidentiality");
    EXPECT_EQ(at([](R& r) { r.entity.biologists_in_charge[0].speciality = {}; }).fault, Fault::missing);
}

TEST(ComposeCrBio, NeverPutsPatientDataInARefusal) {
    auto report = test::sample_report();
    report.specimens[0].type = "PAT-TROIS";
    const auto error = refused(report);
    EXPECT_EQ(to_string(error).find("PAT-TROIS"), std::string::npos);
}

}  // namespace
}  // namespace sgl::compose
