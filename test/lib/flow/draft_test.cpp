// What stands on a report before it is signed: which earlier results an analysis is told with, and where it stands.
#include "lib/flow/draft.hpp"

#include <gtest/gtest.h>

namespace sgl::flow {
namespace {

domain::Value number(std::string_view text, std::string unit = "mmol/L") {
    return domain::Quantity{{}, Decimal::parse(text).value(), std::move(unit)};
}

Timestamp at(std::string_view text) {
    return Timestamp::parse(text).value();
}

domain::Catalogue catalogue() {
    domain::Analyte potassium;
    potassium.id = domain::AnalyteId{1};
    potassium.local_code = "K";
    potassium.label = "Potassium";
    potassium.chapter = "18719-5";
    potassium.chapter_label = "Biochimie";
    potassium.sub_chapter = {{}, "Ionogramme"};
    potassium.unit = "mmol/L";
    potassium.decimals = 1;
    potassium.method = "Potentiométrie";
    return domain::Catalogue{{potassium}};
}

/// One potassium, measured on 14 March 2026 at 8:10.
domain::ReportedResult reported(const std::vector<domain::PreviousResult>& known) {
    store::OrderFile file;
    store::CurrentResult result;
    result.code = "K";
    result.analyte = domain::AnalyteId{1};
    result.status = "F";
    result.value = number("4.2");
    result.measured_at = "20260314081000+0100";
    result.state = "raw";
    file.results = {result};
    const auto made = draft(file, catalogue(), TimeZone::paris(), {{"K", known}});
    EXPECT_EQ(made.lines.size(), 1U);
    return made.lines.at(0).reported;
}

std::string told(const domain::ReportedResult& result) {
    std::string values = result.previous ? domain::to_french(result.previous->value) : "none";
    for (const auto& before : result.earlier)
        values += " " + domain::to_french(before.value);
    return values;
}

TEST(Draft, TellsTheNewestPreviousResultAndThenThoseBeforeIt) {
    const std::string method = "Potentiométrie";
    EXPECT_EQ(told(reported({})), "none");
    EXPECT_EQ(told(reported({{number("4.0"), at("20260301080000+0100"), method},
                             {number("4.1"), at("20250301080000+0100"), method},
                             {number("3.9"), at("20240301080000+0100"), method}})),
              "4,0 4,1 3,9");
}

TEST(Draft, ComparesOnlyTheSameUnitAndMethodAndWhatIsOlder) {
    const std::string method = "Potentiométrie";
    EXPECT_EQ(told(reported({{number("4.9"), at("20260315080000+0100"), method},
                             {number("4.8"), at("20260314081000+0100"), method},
                             {number("156", "mg/L"), at("20260301080000+0100"), method},
                             {number("4.7"), at("20260201080000+0100"), "Photométrie de flamme"},
                             {domain::Words{"Hémolysé"}, at("20260115080000+0100"), method},
                             {number("4.1"), at("20250301080000+0100"), method}})),
              "4,1");
}

TEST(Draft, TellsTenPreviousResultsAtMost) {
    std::vector<domain::PreviousResult> known;
    for (int year = 2025; year > 2005; --year)
        known.push_back({number("4.1"), at(std::to_string(year) + "0301080000+0100"), "Potentiométrie"});
    const auto result = reported(known);
    EXPECT_TRUE(result.previous);
    EXPECT_EQ(result.earlier.size() + 1, domain::most_previous_results);
}

TEST(Draft, PutsAnAnalysisInTheSubChapterOfTheCatalogue) {
    EXPECT_EQ(reported({}).sub_chapter.label, "Ionogramme");
}

}  // namespace
}  // namespace sgl::flow
