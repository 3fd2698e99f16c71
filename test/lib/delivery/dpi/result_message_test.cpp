// LAB-3 line by line: the shape of hl7v2-lab 11, and that what we write is read back as it was signed.
#include "lib/delivery/dpi/result_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "hl7/groups.hpp"
#include "hl7/message.hpp"
#include "test/lib/compose/golden_reports.hpp"
#include "test/lib/compose/sample_report.hpp"
#include "test/lib/delivery/dpi/samples.hpp"

namespace sgl::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// The sample, as the catalogue says which examination gave each result.
domain::Report ordered_report() {
    auto report = test::sample_report();
    for (auto& chapter : report.chapters) {
        for (auto& result : chapter.results) {
            result.ordered_as = chapter.code == "18723-7" ? "NFS" : result.local_code;
            if (result.local_code == "ZINCX") result.ordered_as.clear();
        }
    }
    return report;
}

hl7::Message made(const domain::Report& report, const Letter& letter = test::dpi_letter()) {
    auto partner = test::hospital();
    partner.profile = "lab3";
    const auto text = result_message(letter, report, partner);
    if (!text) throw std::runtime_error(to_string(text.error()));
    return hl7::Message::parse(*text).value();
}

std::vector<std::string> all(const hl7::Message& message, std::string_view segment, std::size_t field) {
    std::vector<std::string> texts;
    for (const auto& each : message.all(segment))
        texts.push_back(each.text(field));
    return texts;
}

hl7::Segment result_of(const hl7::Message& message, const std::string& code) {
    for (const auto& obx : message.all("OBX")) {
        if (obx.text(3) == code) return obx;
    }
    throw std::runtime_error("no result " + code);
}

TEST(ResultMessage, GivesEachGermItsNumberAndItsAntibiogramItsLetters) {
    auto cultures = test::golden_reports();
    const auto found = std::ranges::find(cultures, "culture_two_germs", &test::GoldenReport::name);
    ASSERT_NE(found, cultures.end());
    auto report = found->report;
    report.chapters[0].isolates[1].preliminary = true;
    for (auto& result : report.chapters[0].results)
        result.ordered_as = "ECBU";
    for (auto& isolate : report.chapters[0].isolates)
        isolate.organism.ordered_as = "ECBU";
    const auto message = made(report);
    ASSERT_EQ(message.all("OBR").size(), 1U) << "a culture is one examination";
    EXPECT_EQ(message.all("OBX").size(), domain::result_count(report));
    std::string table;
    for (const auto& obx : message.all("OBX")) {
        const auto code = obx.text(3);
        if (code != "GERME" && code != "AMX" && code != "FEP" && code != "FT" && code != "LEUU") continue;
        table += obx.text(4) + " " + code + " " + obx.text(5) + " " + obx.text(8) + " " + obx.text(11) + "\n";
    }
    EXPECT_EQ(table,
              " LEUU 150000 H F\n"
              "1 GERME 112283007  F\n"
              "1 AMX > R F\n"
              "1 FEP 2 I F\n"
              "1 FT S S F\n"
              "2 GERME   P\n"
              "2 AMX <= S F\n"
              "2 FT S S F\n");
}

TEST(ResultMessage, HasOneObrForEachExaminationThatWasAsked) {
    const auto message = made(ordered_report());
    EXPECT_EQ(message.type(), "ORU");
    EXPECT_EQ(message.trigger(), "R01");
    EXPECT_EQ(message.structure(), "ORU_R01");
    EXPECT_EQ(message.text("MSH-15"), "");
    EXPECT_EQ(message.text("MSH-21"), "") << "not the profile of the document";
    const auto groups = hl7::group(message);
    ASSERT_EQ(groups.patients.size(), 1U);
    const auto& orders = groups.patients[0].orders;
    EXPECT_EQ(orders[0].obr.text(4), "NFS");
    EXPECT_EQ(orders[0].obr.text(4, 3), "L");
    EXPECT_EQ(orders[0].observations.size(), 6U);
    EXPECT_EQ(orders[0].orc.text(1), "RE");
    EXPECT_EQ(orders[0].orc.text(2), "P-1");
    EXPECT_EQ(orders[0].orc.text(3), "2603150042");
    EXPECT_EQ(orders[0].orc.text(4), "RX-2026-001877");
    EXPECT_EQ(orders[0].orc.text(5), "CM");
    EXPECT_EQ(orders[0].obr.text(24), "HM");
    EXPECT_EQ(orders[0].obr.text(25), "F");
    EXPECT_NE(orders[0].obr.text(22), "") << "OBR-25 comes with its time";
    EXPECT_EQ(orders[0].specimens.size(), 1U);
    const auto alone = std::find_if(orders.begin(), orders.end(), [](const auto& order) { return order.obr.text(4) == "ZINCX"; });
    ASSERT_NE(alone, orders.end()) << "what nobody asked stands by itself";
    EXPECT_EQ(alone->obr.text(2), "");
}

TEST(ResultMessage, SaysEachResultAsItWasSigned) {
    const auto message = made(ordered_report());
    const auto leukocytes = result_of(message, "GB");
    EXPECT_EQ(leukocytes.text(2), "NM");
    EXPECT_EQ(leukocytes.text(3, 3), "L");
    EXPECT_EQ(leukocytes.text(3, 4), "6690-2");
    EXPECT_EQ(leukocytes.text(3, 6), "LN");
    EXPECT_EQ(leukocytes.text(5), "12.4") << "a point, never a comma";
    EXPECT_EQ(leukocytes.text(6), "10*9/L");
    EXPECT_EQ(leukocytes.text(6, 3), "UCUM");
    EXPECT_EQ(leukocytes.text(7), "4.0-10.0");
    EXPECT_EQ(leukocytes.text(8), "H");
    EXPECT_EQ(leukocytes.text(11), "F");
    EXPECT_EQ(leukocytes.text(16), "899900000017");
    EXPECT_EQ(leukocytes.text(17, 2), "Cytométrie en flux, impédance");
    EXPECT_NE(leukocytes.text(19), "");
    EXPECT_EQ(leukocytes.text(23), "Laboratoire des Deux Rives");
    EXPECT_EQ(leukocytes.text(23, 10), "990000025");
    for (const std::size_t forbidden : {9U, 10U, 12U})
        EXPECT_EQ(leukocytes.text(forbidden), "") << "LAB-3 forbids OBX-" << forbidden;
    EXPECT_EQ(result_of(message, "HB").text(8), "LL");
    EXPECT_EQ(result_of(message, "ALAT").text(7), "<=35");
    const auto below = result_of(message, "TSH");
    EXPECT_EQ(below.text(2), "SN");
    EXPECT_EQ(below.text(5), "<");
    EXPECT_EQ(below.text(5, 2), "0.01");
    const auto coded = result_of(message, "STREP");
    EXPECT_EQ(coded.text(2), "CWE");
    EXPECT_EQ(coded.text(5), "260373001");
    EXPECT_EQ(coded.text(5, 3), "SCT");
    EXPECT_EQ(coded.text(6), "");
    EXPECT_EQ(result_of(message, "GRAM").text(2), "ST");
    EXPECT_EQ(result_of(message, "ZINCX").text(3, 4), "") << "no LOINC";
    EXPECT_EQ(result_of(message, "INR").text(8), "") << "without a range of ours, N would be a guess";
}

TEST(ResultMessage, CountsObxInEachObrAndKeepsCommentsBesideTheirResult) {
    const auto message = made(ordered_report());
    const auto groups = hl7::group(message);
    for (const auto& order : groups.patients[0].orders) {
        for (std::size_t i = 0; i < order.observations.size(); ++i)
            EXPECT_EQ(order.observations[i].obx.text(1), std::to_string(i + 1));
    }
    const auto& haemoglobin = groups.patients[0].orders[0].observations[2];
    ASSERT_EQ(haemoglobin.notes.size(), 1U);
    EXPECT_THAT(haemoglobin.notes[0].text(3), HasSubstr("second prélèvement"));
}

TEST(ResultMessage, MarksALaterVersionAndAWithdrawal) {
    auto second = ordered_report();
    second.ids = domain::identify(second.ids.set, 2);
    const auto corrected = made(second);
    EXPECT_THAT(all(corrected, "OBX", 11), ::testing::Each("C"));
    EXPECT_THAT(all(corrected, "OBR", 25), ::testing::Each("C"));
    EXPECT_EQ(all(corrected, "OBR", 2), all(made(ordered_report()), "OBR", 2)) << "under the same numbers";
    auto letter = test::dpi_letter();
    letter.act = domain::Act::withdraw;
    const auto withdrawn = made(ordered_report(), letter);
    EXPECT_THAT(all(withdrawn, "OBX", 11), ::testing::Each("D"));
    EXPECT_THAT(all(withdrawn, "OBX", 5), ::testing::Each(IsEmpty()));
    EXPECT_THAT(withdrawn.all("NTE"), IsEmpty());
}

TEST(ResultMessage, SaysThatOtherResultsOfAnExaminationAreAwaited) {
    auto report = ordered_report();
    report.kind = domain::ReportKind::partial;
    report.awaited = {{"Réticulocytes", "18723-7", report.exams.at(0).code}};
    const auto partial = made(report);
    EXPECT_EQ(all(partial, "ORC", 5).at(0), "A");
    EXPECT_EQ(all(partial, "OBR", 25).at(0), "P");
    EXPECT_EQ(all(partial, "ORC", 5).at(1), "CM") << "nothing of this one is awaited";
    EXPECT_EQ(all(partial, "OBR", 25).at(1), "F");
    EXPECT_THAT(all(partial, "OBX", 11), ::testing::Each("F"));
}

TEST(ResultMessage, CompletesAPartialReportAndCorrectsOnlyWhatItSaysOtherwise) {
    auto report = ordered_report();
    report.ids = domain::identify(report.ids.set, 2);
    report.replaces = domain::Replaced{domain::ReportKind::partial, report.validated_at, false};
    EXPECT_THAT(all(made(report), "OBX", 11), ::testing::Each("F"));
    report.chapters[1].results[0].corrected = true;
    const auto message = made(report);
    EXPECT_EQ(result_of(message, report.chapters[1].results[0].local_code).text(11), "C");
    const auto orders = all(message, "OBR", 25);
    EXPECT_EQ(orders.at(1), "C");
    EXPECT_EQ(std::ranges::count(orders, "C"), 1) << "the examination of that result alone";
}

TEST(ResultMessage, NamesTheLaboratoryThatPerformedAnExaminationForUs) {
    auto report = ordered_report();
    auto& inr = report.chapters[1].results[0];
    inr.performer = domain::Performer{"Laboratoire spécialisé des Essais", "690000035"};
    inr.range = {};
    inr.range_text = "0,80 à 1,20";
    const auto message = made(report);
    const auto obx = result_of(message, "INR");
    EXPECT_EQ(obx.text(23), "Laboratoire spécialisé des Essais");
    EXPECT_EQ(obx.text(23, 10), "690000035");
    EXPECT_EQ(obx.text(7), "") << "nobody computes with another laboratory's words";
    const auto groups = hl7::group(message);
    EXPECT_THAT(groups.patients[0].orders[1].observations[0].notes.at(0).text(3), HasSubstr("Valeurs de référence : 0,80 à 1,20"));
}

TEST(ResultMessage, SaysXForWhatWasNotDone) {
    auto report = ordered_report();
    auto& inr = report.chapters[1].results[0];
    ASSERT_EQ(inr.local_code, "INR");
    inr.not_done = true;
    inr.value = domain::Words{"Non réalisable"};
    inr.comment = "Prélèvement refusé : Tube cassé";
    const auto message = made(report);
    const auto obx = result_of(message, "INR");
    EXPECT_EQ(obx.text(11), "X");
    EXPECT_EQ(obx.text(5), "");
    const auto groups = hl7::group(message);
    EXPECT_EQ(groups.patients[0].orders[1].obr.text(25), "X");
    EXPECT_EQ(groups.patients[0].orders[1].observations[0].notes.at(0).text(3), "Prélèvement refusé : Tube cassé");
}

TEST(ResultMessage, EscapesWhatWouldBeASeparator) {
    auto report = ordered_report();
    report.chapters[0].results[0].comment = "A|B^C&D~E\\F\nligne 2";
    report.chapters[0].results[0].label = "Leuco^cytes & co";
    const auto message = made(report);
    const auto groups = hl7::group(message);
    const auto& note = groups.patients[0].orders[0].observations[0].notes.at(0);
    EXPECT_EQ(note.field(3).repetition(0).text(), "A|B^C&D~E\\F");
    EXPECT_EQ(note.field(3).repetition(1).text(), "ligne 2");
    EXPECT_EQ(result_of(message, "GB").text(3, 2), "Leuco^cytes & co");
}

TEST(ResultMessage, TellsNoInsThatIsNotQualifiedAndMixesNoEnvironments) {
    auto partner = test::hospital();
    const auto unqualified = result_message(test::dpi_letter(), test::sample_without_qualified_ins(), partner);
    ASSERT_TRUE(unqualified);
    EXPECT_THAT(*unqualified, Not(HasSubstr("279035121518989")));
    partner.processing_id = "P";
    EXPECT_EQ(result_message(test::dpi_letter(), test::sample_report(), partner).error().where, "PID-3");
    auto nothing = test::sample_report();
    nothing.chapters.clear();
    EXPECT_EQ(result_message(test::dpi_letter(), nothing, test::hospital()).error().fault, Fault::missing);
}

}  // namespace
}  // namespace sgl::delivery
