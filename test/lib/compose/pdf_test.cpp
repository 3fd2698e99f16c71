#include "lib/compose/pdf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "lib/compose/pdf_pages.hpp"
#include "test/lib/compose/golden_reports.hpp"
#include "test/lib/compose/sample_report.hpp"

namespace sgl::compose {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* fonts = "/usr/share/fonts/truetype/dejavu";

std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::string icc() { return bytes_of("/usr/share/color/icc/sRGB.icc"); }

PdfRenderer& renderer() {
    static auto opened = PdfRenderer::open(fonts, icc());
    return opened.value();
}

RenderedPdf render(const domain::Report& report, const char* name) {
    auto pdf = renderer().render(report);
    if (!pdf) {
        ADD_FAILURE() << to_string(pdf.error());
        return {};
    }
    // SGL_PDF_OUT=folder: keep what the tests draw, to look at it.
    if (const char* out = std::getenv("SGL_PDF_OUT")) {
        std::ofstream{std::filesystem::path{out} / (std::string(name) + ".pdf"), std::ios::binary} << pdf->bytes;
    }
    return *pdf;
}

domain::Report with_long_text() {
    auto report = test::sample_report();
    std::string text;
    for (int i = 1; i <= 150; ++i) text += "Ligne " + std::to_string(i) + " d’une description qui n’en finit pas.\n";
    report.chapters[3].results[2].value = domain::Words{text};
    report.chapters[0].results[0].comment = text;
    report.comment = text;
    return report;
}

TEST(PdfRenderer, DrawsEveryResultOnceInTheOrderOfTheReport) {
    for (const auto& [report, name] : {std::pair{test::sample_short_report(), "short"}, {test::sample_report(), "sample"},
                                       {test::sample_second_version(), "second"}, {test::sample_long_report(200), "long"},
                                       {with_long_text(), "text"}}) {
        const auto pdf = render(report, name);
        std::vector<std::string> expected;
        for (const auto& chapter : report.chapters)
            for (const auto& result : chapter.results) expected.push_back(result.local_code + " " + domain::to_french(result.value));
        std::vector<std::string> drawn;
        unsigned page = 1;
        for (const auto& one : pdf.drawn) {
            drawn.push_back(one.local_code + " " + one.value);
            EXPECT_GE(one.page, page);
            page = one.page;
        }
        EXPECT_EQ(drawn, expected);
        EXPECT_LE(page, pdf.pages);
    }
}

std::vector<std::string> codes_of(const domain::Report& report) {
    std::vector<std::string> codes;
    const auto add = [&codes](const domain::ReportedChapter& chapter, const domain::ChapterPart& part) {
        for (const auto i : part.results) codes.push_back(chapter.results[i].local_code);
        for (const auto i : part.isolates) {
            const auto& isolate = chapter.isolates[i];
            codes.push_back(isolate.organism.local_code);
            for (const auto& finding : isolate.findings) codes.push_back(finding.local_code);
            for (const auto& line : isolate.antibiogram) codes.push_back(line.local_code);
        }
    };
    for (const auto& chapter : report.chapters)
        for (const auto& part : domain::parts_of(chapter)) add(chapter, part);
    return codes;
}

TEST(PdfRenderer, DrawsEveryGermWithItsAntibiogram) {
    for (const auto& golden : test::golden_reports()) {
        const auto pdf = render(golden.report, golden.name.c_str());
        std::vector<std::string> drawn;
        for (const auto& one : pdf.drawn) drawn.push_back(one.local_code);
        EXPECT_EQ(drawn, codes_of(golden.report)) << golden.name;
        EXPECT_EQ(drawn.size(), domain::result_count(golden.report)) << golden.name;
        if (golden.name != "culture_one_germ") continue;
        EXPECT_EQ(pdf.drawn[3].value, "Escherichia coli");
        EXPECT_EQ(pdf.drawn[5].letter, "R");
        EXPECT_EQ(pdf.drawn[5].value, "> 32");
        EXPECT_EQ(pdf.drawn[10].letter, "I");
        EXPECT_EQ(pdf.drawn[10].value, "2");
    }
}

/// Each number with nine results before the previous one, and every third chapter cut into sub-chapters.
domain::Report with_history(domain::Report report) {
    std::size_t n = 0;
    for (std::size_t c = 0; c < report.chapters.size(); ++c) {
        for (auto& result : report.chapters[c].results) {
            if (c % 3 == 0) result.sub_chapter = {{}, "Sous-chapitre " + std::to_string(++n / 17)};
            const auto* now = std::get_if<domain::Quantity>(&result.value);
            if (now == nullptr || !result.previous) continue;
            for (int year = 2024; year > 2015; --year) {
                auto before = *result.previous;
                auto& number = std::get<domain::Quantity>(before.value).number;
                number = number.times(Decimal::parse(year % 2 == 0 ? "1.1" : "0.8").value()).value().rounded(1);
                before.at = Timestamp::parse(std::to_string(year) + "0612081500+0200").value();
                result.earlier.push_back(before);
            }
        }
    }
    return report;
}

TEST(PdfRenderer, DrawsACurveOfThreeAndMorePreviousNumbersAndOfNothingElse) {
    for (const auto& golden : test::golden_reports()) {
        if (golden.name != "history") continue;
        const auto pdf = render(golden.report, "history");
        std::vector<std::size_t> points;
        for (const auto& one : pdf.drawn) points.push_back(one.curve);
        EXPECT_EQ(points, (std::vector<std::size_t>{4, 11, 0, 5, 0})) << "a limit of measurement is no point, two values no trend";
    }
    auto report = test::sample_short_report();
    auto& glucose = report.chapters[0].results[0];
    glucose.earlier.assign(5, *glucose.previous);
    for (auto& before : glucose.earlier) std::get<domain::Quantity>(before.value).unit = "g/L";
    EXPECT_EQ(render(report, "other_unit").drawn[0].curve, 0U);
}

TEST(PdfRenderer, DrawsOneThreeAndThirtyPagesWithCurves) {
    for (const auto& golden : test::golden_reports())
        if (golden.name == "history") { EXPECT_EQ(render(golden.report, "history_1").pages, 1U); }
    EXPECT_EQ(render(with_history(test::sample_long_report(45)), "history_3").pages, 3U);
    EXPECT_GE(render(with_history(test::sample_long_report(780)), "history_30").pages, 30U);
}

TEST(PdfRenderer, SaysWhatItDrewInFrench) {
    const auto pdf = render(test::sample_report(), "sample");
    EXPECT_EQ(pdf.drawn[0], (DrawnResult{"GB", "Leucocytes", "12,4", "G/L", "4,0 – 10,0", "8,1", 1}));
    EXPECT_EQ(pdf.drawn[9].value, "< 0,01");
    EXPECT_EQ(pdf.drawn[9].unit, "mUI/L");
}

TEST(PdfRenderer, GivesTheSameBytesForTheSameReportWhateverWasDrawnBefore) {
    const auto first = render(test::sample_report(), "sample").bytes;
    render(test::sample_long_report(30), "thirty");
    EXPECT_EQ(render(test::sample_report(), "sample").bytes, first);
    auto other = PdfRenderer::open(fonts, icc());
    ASSERT_TRUE(other);
    EXPECT_EQ(other->render(test::sample_report())->bytes, first);
    EXPECT_NE(render(test::sample_second_version(), "second").bytes, first);
}

TEST(PdfRenderer, CarriesReadableMetadataWithoutAnyPatientData) {
    const auto bytes = render(test::sample_report(), "sample").bytes;
    EXPECT_THAT(bytes, HasSubstr("%PDF-1.4"));
    const auto from = bytes.find("<?xpacket begin");
    const auto to = bytes.find("<?xpacket end");
    ASSERT_NE(from, std::string::npos);
    ASSERT_NE(to, std::string::npos);
    const auto xmp = bytes.substr(from, to - from);
    EXPECT_THAT(xmp, HasSubstr("<pdfaid:part>1</pdfaid:part>"));
    EXPECT_THAT(xmp, HasSubstr("<pdfaid:conformance>B</pdfaid:conformance>"));
    EXPECT_THAT(xmp, HasSubstr("2026-03-15T11:02:31+01:00"));
    EXPECT_THAT(bytes, Not(HasSubstr("PAT-TROIS")));
    EXPECT_THAT(bytes, Not(HasSubstr("279035121518989")));
}

TEST(PdfRenderer, RefusesAnIncompleteReportAtItsCoordinate) {
    auto report = test::sample_report();
    report.specimens[1].collected_at.reset();
    const auto pdf = renderer().render(report);
    ASSERT_FALSE(pdf);
    EXPECT_EQ(pdf.error().fault, Fault::missing);
    EXPECT_EQ(pdf.error().where, "specimens[2].collected_at");
}

TEST(PdfRenderer, RefusesWhatTheFontsCannotShowRatherThanPrintingBoxes) {
    auto report = test::sample_report();
    report.chapters[1].results[0].comment = "漢字";
    const auto pdf = renderer().render(report);
    ASSERT_FALSE(pdf);
    EXPECT_EQ(pdf.error().fault, Fault::unsupported);
    EXPECT_EQ(pdf.error().where, "chapters[2].results[1].comment");
    EXPECT_TRUE(renderer().render(test::sample_report())) << "a refusal must not stay in the renderer";
}

TEST(PdfRenderer, RefusesBytesThatAreNoText) {
    for (const char* bad : {"caf\xE9", "a\x1B[31m"}) {
        auto report = test::sample_report();
        report.clinical_context = bad;
        const auto pdf = renderer().render(report);
        ASSERT_FALSE(pdf);
        EXPECT_EQ(pdf.error().fault, Fault::malformed);
        EXPECT_EQ(pdf.error().where, "clinical_context");
    }
}

TEST(PdfRenderer, SaysWhichFontOrProfileIsNotThere) {
    const auto no_font = PdfRenderer::open("/nonexistent", icc());
    ASSERT_FALSE(no_font);
    EXPECT_EQ(no_font.error().fault, Fault::unavailable);
    const auto no_profile = PdfRenderer::open(fonts, "not a profile");
    ASSERT_FALSE(no_profile);
    EXPECT_EQ(no_profile.error().fault, Fault::malformed);
}

class Pages : public testing::Test {
protected:
    Pages() : typesetter_(Typesetter::open(fonts).value()) {}
    LaidOut laid_out(const domain::Report& report) {
        auto out = lay_out(report, typesetter_);
        EXPECT_FALSE(typesetter_.take_error());
        return out;
    }
    Typesetter typesetter_;
};

TEST_F(Pages, KeepEveryBlockWholeWithinThePageAndApartFromTheNext) {
    for (unsigned count = 1; count < 60; ++count) {
        const auto out = laid_out(test::sample_long_report(count));
        for (const auto& page : out.pages) {
            double under = 0;
            for (const auto& [block, top] : page) {
                EXPECT_GE(top, under - 0.01) << count;
                under = top + block->height;
                EXPECT_LE(under, page_height - 40) << count;
            }
        }
    }
}

TEST_F(Pages, KeepCurvesInTheirRowsAndSubChaptersWithTheirFirstRow) {
    for (unsigned count = 1; count < 60; count += 3) {
        const auto out = laid_out(with_history(test::sample_long_report(count)));
        for (const auto& page : out.pages) {
            double under = 0;
            for (std::size_t i = 0; i < page.size(); ++i) {
                const auto& [block, top] = page[i];
                EXPECT_GE(top, under - 0.01) << count;
                under = top + block->height;
                EXPECT_LE(under, page_height - 40) << count;
                for (const auto& curve : block->curves) {
                    for (const auto& [x, y] : curve.points) {
                        EXPECT_GE(y, 0) << count;
                        EXPECT_LE(y, block->height) << count;
                        EXPECT_GT(x, 520) << count;
                        EXPECT_LE(x, page_width - 42) << count;
                    }
                }
                if (block->chapter >= 0 && block->keep_with_next && !block->result) {
                    EXPECT_LT(i + 2, page.size()) << count << ": the last is the footer";
                }
            }
        }
    }
}

TEST_F(Pages, NeverEndWithAHeadingNorStartWithALoneSignature) {
    for (unsigned count = 1; count < 60; ++count) {
        const auto out = laid_out(test::sample_long_report(count));
        for (std::size_t p = 0; p < out.pages.size(); ++p) {
            const auto& page = out.pages[p];
            EXPECT_FALSE(page[page.size() - 2].block->heading) << count << " page " << p + 1;  // the last is the footer
            const bool some_result = std::any_of(page.begin(), page.end(), [](const PlacedBlock& one) { return one.block->result.has_value(); });
            EXPECT_TRUE(some_result) << count << " page " << p + 1;
        }
    }
}

TEST_F(Pages, SayAgainWhoseAntibiogramGoesOn) {
    for (unsigned count = 5; count < 60; count += 9) {
        const auto out = laid_out(test::long_culture(count));
        for (std::size_t p = 0; p < out.pages.size(); ++p) {
            double under = 0;
            const Block* before = nullptr;
            for (const auto& [block, top] : out.pages[p]) {
                EXPECT_GE(top, under - 0.01) << count;
                under = top + block->height;
                EXPECT_LE(under, page_height - 40) << count;
                const bool first_of_page = p > 0 && block->again != nullptr && before != nullptr && before->again == nullptr;
                if (first_of_page) { EXPECT_TRUE(before == block->again || before->result) << count << " page " << p + 1; }
                before = block;
            }
        }
    }
}

TEST_F(Pages, RepeatLetterheadAndPatientOnEach) {
    const auto out = laid_out(test::sample_long_report(90));
    ASSERT_GT(out.pages.size(), 2U);
    for (const auto& page : out.pages) EXPECT_EQ(page[1].block, out.pages[0][1].block);
    EXPECT_EQ(out.pages[1][0].block, out.pages[2][0].block);
}

TEST_F(Pages, LetALongTextGoOverSeveralPages) {
    const auto out = laid_out(with_long_text());
    EXPECT_GT(out.pages.size(), 5U);
    for (const auto& page : out.pages)
        for (const auto& [block, top] : page) EXPECT_LE(top + block->height, page_height - 40);
    std::size_t lines = 0;
    for (const auto& page : out.pages)
        for (const auto& placed : page) lines += placed.block->lines.size();
    EXPECT_EQ(lines, 3U * 151U);  // the last line end opens an empty line
}

}  // namespace
}  // namespace sgl::compose
