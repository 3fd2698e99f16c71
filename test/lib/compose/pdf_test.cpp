#include "lib/compose/pdf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "lib/base/text.hpp"
#include "test/lib/compose/sample_report.hpp"

namespace sgl::compose {
namespace {

std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

PdfRenderer& renderer() {
    static auto opened = PdfRenderer::open("/usr/share/fonts/truetype/dejavu", bytes_of("/usr/share/color/icc/sRGB.icc"));
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

TEST(PdfRenderer, DrawsEveryResultOnceInTheOrderOfTheReport) {
    for (const auto& [report, name] : {std::pair{test::sample_short_report(), "short"}, {test::sample_report(), "sample"},
                                       {test::sample_long_report(90), "long"}}) {
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

}  // namespace
}  // namespace sgl::compose
