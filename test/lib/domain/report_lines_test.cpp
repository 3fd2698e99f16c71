// Results as signed, and the chapters with their isolates that they make (hl7v2-lab 8.8).
#include "lib/domain/report_lines.hpp"

#include <gtest/gtest.h>

namespace sgl::domain {
namespace {

ReportedLine line(std::string isolate, ValueKind kind, std::string code, Value value) {
    ReportedLine line;
    line.chapter = "18725-2";
    line.chapter_label = "Microbiologie";
    line.isolate = std::move(isolate);
    line.kind = kind;
    line.reported.local_code = std::move(code);
    line.reported.value = std::move(value);
    return line;
}

const Value coli = Coded{"112283007", "2.16.840.1.113883.6.96", "Escherichia coli"};

TEST(ChaptersOf, GivesEachIsolateItsOwnLinesInTheOrderOfTheirNumbers) {
    const auto chapters =
        chapters_of({line("", ValueKind::numeric, "LEUU", Words{"150000"}),
                     line("1001-1#10", ValueKind::organism, "GERME", Coded{"", "", "Candida albicans"}),
                     line("1001-1#2", ValueKind::organism, "GERME", coli),
                     line("1001-1#10", ValueKind::antibiotic, "FLU", Words{"S"}),
                     line("1001-1#2", ValueKind::antibiotic, "CTX", Words{"R"}),
                     line("1001-1#2", ValueKind::numeric, "NUMG", Words{"100000"}),
                     line("1001-1#2", ValueKind::marker, "BLSE", Words{"Positif"})});
    ASSERT_EQ(chapters.size(), 1U);
    ASSERT_EQ(chapters[0].results.size(), 1U) << "what is of no isolate stays a plain result";
    ASSERT_EQ(chapters[0].isolates.size(), 2U);
    const auto& first = chapters[0].isolates[0];
    EXPECT_EQ(first.number, "1001-1#2");
    EXPECT_EQ(to_french(first.organism.value), "Escherichia coli");
    ASSERT_EQ(first.findings.size(), 2U);
    EXPECT_EQ(first.findings[1].local_code, "BLSE");
    ASSERT_EQ(first.antibiogram.size(), 1U);
    EXPECT_EQ(first.antibiogram[0].local_code, "CTX");
    EXPECT_EQ(chapters[0].isolates[1].antibiogram.at(0).local_code, "FLU");
}

TEST(ChaptersOf, PutsTheLinesOfAnIsolateWhereItsOrganismStands) {
    auto antibiotic = line("7#1", ValueKind::antibiotic, "CTX", Words{"S"});
    antibiotic.chapter = "18769-0";
    antibiotic.chapter_label = "Antibiogramme";
    const auto chapters = chapters_of({antibiotic, line("7#1", ValueKind::organism, "GERME", coli)});
    ASSERT_EQ(chapters.size(), 1U);
    EXPECT_EQ(chapters[0].code, "18725-2");
    EXPECT_EQ(chapters[0].isolates.at(0).antibiogram.size(), 1U);
}

TEST(PartsOf, PutWhatIsInNoSubChapterFirstAndAnIsolateWithItsOrganism) {
    const auto in = [](ReportedLine one, std::string label) {
        one.reported.sub_chapter = {{}, std::move(label)};
        return one;
    };
    const auto chapters = chapters_of({in(line("", ValueKind::numeric, "LEUU", Words{"150000"}), "Cytologie"),
                                       in(line("7#1", ValueKind::organism, "GERME", coli), "Bactériologie"),
                                       line("7#1", ValueKind::antibiotic, "CTX", Words{"S"}),
                                       line("", ValueKind::text, "ASPU", Words{"Trouble"}),
                                       in(line("", ValueKind::numeric, "HEMU", Words{"5000"}), "Cytologie")});
    ASSERT_EQ(chapters.size(), 1U);
    const auto parts = parts_of(chapters[0]);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_TRUE(parts[0].sub_chapter.empty());
    EXPECT_EQ(parts[0].results, std::vector<std::size_t>{1});
    EXPECT_EQ(parts[1].sub_chapter.label, "Cytologie");
    EXPECT_EQ(parts[1].results, (std::vector<std::size_t>{0, 2}));
    EXPECT_EQ(parts[2].sub_chapter.label, "Bactériologie");
    EXPECT_EQ(parts[2].isolates, std::vector<std::size_t>{0});
}

TEST(ChaptersOf, LeavesOutWhatIsNotToBePrinted) {
    auto hidden = line("7#1", ValueKind::antibiotic, "VAN", Words{"S"});
    hidden.printed = false;
    auto flora = line("7#2", ValueKind::organism, "GERME", Coded{"", "", "Flore commensale"});
    flora.printed = false;
    const auto chapters = chapters_of({line("7#1", ValueKind::organism, "GERME", coli), hidden, flora,
                                       line("7#2", ValueKind::numeric, "NUMG", Words{"100"})});
    ASSERT_EQ(chapters.at(0).isolates.size(), 1U);
    EXPECT_TRUE(chapters[0].isolates[0].antibiogram.empty());
}

TEST(ChaptersOf, SaysWhichIdentificationIsNotFinal) {
    auto organism = line("7#1", ValueKind::organism, "GERME", Coded{"", "", "Bacilles à Gram négatif"});
    organism.preliminary = true;
    EXPECT_TRUE(chapters_of({organism}).at(0).isolates.at(0).preliminary);
}

TEST(NamedAlone, SaysTheGermAndTheLetter) {
    auto cefotaxime = line("7#1", ValueKind::antibiotic, "CTX",
                           Quantity{Comparator::less_or_equal, Decimal::parse("0.25").value(), "mg/L"});
    cefotaxime.reported.label = "Céfotaxime";
    cefotaxime.reported.susceptible = Susceptible::standard;
    const std::vector<ReportedLine> lines{line("7#1", ValueKind::organism, "GERME", coli), cefotaxime};
    const auto named = named_alone(cefotaxime, lines);
    EXPECT_EQ(named.local_code, "7#1/CTX");
    EXPECT_EQ(named.label, "Escherichia coli, Céfotaxime");
    EXPECT_EQ(to_french(named.value), "≤ 0,25 mg/L S");
}

TEST(Missing, AsksForTheNameOfAnIsolate) {
    Report report;
    report.chapters = chapters_of({line("7#1", ValueKind::antibiotic, "CTX", Words{"S"})});
    const auto errors = missing(report);
    EXPECT_TRUE(
        std::any_of(errors.begin(), errors.end(), [](const Error& each) { return each.where == "isolate 7#1"; }));
}

}  // namespace
}  // namespace sgl::domain
