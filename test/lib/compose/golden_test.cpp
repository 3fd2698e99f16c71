// The golden reports, from the domain to the bytes and back: as a person reviewed them, accepted by ring 2, and read
// again without loss. SGL_UPDATE_GOLDEN=1 writes what comes out for somebody to review.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "cda/checker.hpp"
#include "cda/read.hpp"
#include "cda/write.hpp"
#include "lib/base/text.hpp"
#include "lib/compose/cr_bio.hpp"
#include "lib/compose/local_time.hpp"
#include "lib/domain/microbiology.hpp"
#include "test/lib/compose/golden_reports.hpp"

namespace sgl::compose {
namespace {

constexpr const char* folder = "test/golden/reports/";
constexpr const char* pdf =
    "%PDF-1.4\n% stands for the copy\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

bool update() {
    const char* wanted = std::getenv("SGL_UPDATE_GOLDEN");
    return wanted != nullptr && std::string_view(wanted) == "1";
}

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void compare(const std::string& path, const std::string& bytes) {
    if (update()) std::ofstream(path, std::ios::binary) << bytes;
    EXPECT_EQ(bytes_of(path) == bytes, true) << path << ": run with SGL_UPDATE_GOLDEN=1 and read the difference";
}

std::string composed(const test::GoldenReport& golden) {
    auto model = cr_bio(golden.report, pdf);
    if (!model) {
        ADD_FAILURE() << golden.name << ": " << to_string(model.error());
        return {};
    }
    auto bytes = cda::write(*model);
    if (!bytes) {
        ADD_FAILURE() << golden.name << ": " << to_string(bytes.error());
        return {};
    }
    return std::move(*bytes);
}

// ------------------------------------------------------------------------------------------------- the result table
// A line as words: chapter, germ, examination, its code, value, flag or letter, range, previous results, method,
// comment, who performed it elsewhere.

using Table = std::vector<std::string>;

std::string joined(std::initializer_list<std::string_view> cells) {
    std::string line;
    for (const auto cell : cells)
        line += (line.empty() ? "" : " | ") + std::string(cell.empty() ? "-" : cell);
    return line;
}

std::string coded_unit(std::string unit) {
    if (unit == "{ratio}") return {};
    if (unit == "mL/min/{1.73_m2}") return "mL/min";
    return replace_all(std::move(unit), "{CFU}", "[CFU]");
}

std::string said(const domain::Value& value) {
    if (const auto* quantity = std::get_if<domain::Quantity>(&value)) {
        std::string sign(domain::to_string(quantity->comparator));
        if (sign == "<=") sign = "≤";
        if (sign == ">=") sign = "≥";
        const auto unit = coded_unit(quantity->unit);
        return (sign.empty() ? "" : sign + " ") + quantity->number.french() + (unit.empty() ? "" : " " + unit);
    }
    return domain::to_french(value);
}

std::string range_of(const domain::ReportedResult& result) {
    const auto* quantity = std::get_if<domain::Quantity>(&result.value);
    if (quantity == nullptr || result.range.empty()) return {};
    return (result.range.low ? result.range.low->text() : "") + ".." +
           (result.range.high ? result.range.high->text() : "");
}

/// Who performed it for us, as an entry says it; the remark when his number is unknown, after that of the result.
std::string performer_of(const domain::ReportedResult& result) {
    return result.performer && domain::Finess::parse(result.performer->number) ? result.performer->name : std::string();
}
std::string comment_of(const domain::ReportedResult& result) {
    if (!result.comment.empty() || !result.performer || !performer_of(result).empty()) return result.comment;
    return "Examen réalisé par " + result.performer->name;
}

void add(Table& table, const std::string& chapter, const std::string& germ, const domain::ReportedResult& result,
         const TimeZone& zone) {
    auto value = result.not_done ? std::string("aborted") : said(result.value);
    std::string flag(domain::to_string(result.flag));
    if (result.susceptible) {
        flag = domain::to_string(*result.susceptible);
        if (value == flag) value = domain::to_french(*result.susceptible);
    }
    if (result.not_done) flag.clear();
    std::string previous;
    const auto add_previous = [&](const domain::PreviousResult& before) {
        previous += (previous.empty() ? "" : " ; ") + said(before.value) + " " + to_hl7(local(before.at, zone));
    };
    if (result.previous) add_previous(*result.previous);
    for (const auto& before : result.earlier)
        add_previous(before);
    table.push_back(
        joined({chapter, germ, result.label, result.loinc.empty() ? result.local_code : result.loinc, value, flag,
                range_of(result), previous, result.method, comment_of(result), performer_of(result)}));
}

Table table_of(const domain::Report& report) {
    Table table;
    const auto add_part = [&](const domain::ReportedChapter& chapter, const domain::ChapterPart& part) {
        const auto& title = part.sub_chapter.empty() ? chapter.label : part.sub_chapter.label;
        for (const auto i : part.results)
            add(table, title, "", chapter.results[i], report.site.time_zone);
        for (const auto i : part.isolates) {
            const auto& isolate = chapter.isolates[i];
            const auto germ = domain::to_french(isolate.organism.value);
            const auto* coded = std::get_if<domain::Coded>(&isolate.organism.value);
            table.push_back(joined({title, "isolate", isolate.number, germ, coded == nullptr ? "" : coded->code,
                                    isolate.preliminary ? "active" : "completed", isolate.organism.comment}));
            for (const auto& finding : isolate.findings)
                add(table, title, germ, finding, report.site.time_zone);
            for (const auto& line : isolate.antibiogram)
                add(table, title, germ, line, report.site.time_zone);
        }
    };
    for (const auto& chapter : report.chapters)
        for (const auto& part : domain::parts_of(chapter))
            add_part(chapter, part);
    return table;
}

std::string code_of(const cda::received::Coded& code) {
    if (!code.code.empty() || code.translations.empty()) return code.code;
    return code.translations.front().code;
}

const cda::received::Group* isolate_of(const cda::received::Document& document, std::optional<std::size_t> group) {
    for (; group; group = document.groups[*group].parent)
        if (document.groups[*group].kind == cda::received::Group::Kind::isolate) return &document.groups[*group];
    return nullptr;
}

std::string line_of(const cda::received::Document& document, const cda::received::Result& result) {
    const auto* isolate = isolate_of(document, result.group);
    const auto germ = isolate == nullptr ? std::string() : isolate->specimens.at(0).code.text;
    std::string range;
    if (!result.ranges.empty()) {
        const auto& limits = result.ranges.at(0).values.at(0);
        range = (limits.low ? limits.low->value : "") + ".." + (limits.high ? limits.high->value : "");
    }
    std::string previous;
    for (const auto& before : result.previous)
        previous +=
            (previous.empty() ? "" : " ; ") + cda::received::to_text(before.values.at(0)) + " " + before.time.value;
    return joined({document.sections[result.section].title, germ, result.label(), code_of(result.code),
                   result.values.empty() ? result.status : cda::received::to_text(result.values[0]),
                   result.interpretations.empty() ? "" : result.interpretations[0].code, range, previous,
                   result.methods.empty() ? "" : result.methods[0].text,
                   result.comments.empty() ? "" : result.comments[0],
                   result.participations.empty() ? "" : result.participations[0].who.organisation->name()});
}

Table table_of(const cda::received::Document& document) {
    Table table;
    std::set<const cda::received::Group*> told;
    std::size_t next = 0;
    const auto isolates_before = [&](std::size_t end) {
        for (; next < end; ++next) {
            const auto& group = document.groups[next];
            if (group.kind != cda::received::Group::Kind::isolate) continue;
            const auto& germ = group.specimens.at(0);
            std::string comment;
            for (const auto& each : document.comments)
                if (each.group == next) comment = each.text;
            table.push_back(joined({document.sections[group.section].title, "isolate", germ.ids.at(0).extension,
                                    germ.code.text, code_of(germ.code), group.status, comment}));
        }
    };
    for (const auto& result : document.results) {
        isolates_before(result.group ? *result.group + 1 : 0);
        table.push_back(line_of(document, result));
    }
    isolates_before(document.groups.size());
    return table;
}

class Golden : public testing::TestWithParam<test::GoldenReport> {};

TEST_P(Golden, IsComposedAsReviewed) {
    compare(folder + GetParam().name + ".xml", composed(GetParam()));
}

TEST_P(Golden, IsAcceptedByRing2) {
    static const cda::Checker checker;
    const auto bytes = composed(GetParam());
    const cda::CheckOptions options{cda::CheckOptions::Identities::test};
    for (const auto& finding : checker.check(bytes, options))
        if (finding.severity == cda::Finding::Severity::error)
            ADD_FAILURE() << "ours: " << finding.where << ": " << finding.what;
    for (const auto& finding : cda::check_standard(bytes, options))
        if (finding.severity == cda::Finding::Severity::error)
            ADD_FAILURE() << "standard: " << finding.where << ": " << finding.what;
}

TEST_P(Golden, GivesTheSameResultTableWhenReadBack) {
    const auto document = cda::read(composed(GetParam()));
    ASSERT_TRUE(document) << to_string(document.error());
    EXPECT_EQ(table_of(*document), table_of(GetParam().report));
    for (const auto& rest : document->rest)
        ADD_FAILURE() << "not read: " << rest.where;
}

TEST(GoldenReports, AreListedForAReader) {
    std::string list =
        "# Golden reports\n\nWhat `lib/compose` makes of each case of `test/lib/compose/golden_reports.cpp`; a few "
        "bytes stand for "
        "the PDF copy.\n`SGL_UPDATE_GOLDEN=1 build/asan/test/lib/compose/compose_test` writes them and this list anew: "
        "read the "
        "difference. The same\nreports, with their real PDF, pass the official validators in `compose_e2e_test`.\n\n| "
        "report | what it shows |\n|---|---|\n";
    std::set<std::string> names;
    for (const auto& golden : test::golden_reports()) {
        EXPECT_TRUE(names.insert(golden.name).second) << golden.name << " is there twice";
        list += "| [" + golden.name + "](" + golden.name + ".xml) | " + golden.about + " |\n";
    }
    list += "\n" + std::to_string(names.size()) + " reports.\n";
    compare(std::string(folder) + "README.md", list);
}

INSTANTIATE_TEST_SUITE_P(Reports, Golden, testing::ValuesIn(test::golden_reports()),
                         [](const auto& golden) { return golden.param.name; });

}  // namespace
}  // namespace sgl::compose
