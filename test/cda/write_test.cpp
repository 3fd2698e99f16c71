#include "cda/write.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "test/cda/sample_report.hpp"

namespace sgl::cda {
namespace {

std::string file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream content;
    content << stream.rdbuf();
    return std::move(content).str();
}

// SGL_UPDATE_GOLDEN=1 writes the golden documents anew, to be read by a person and run through validate-crbio.
void expect_golden(const CrBio& report, const std::string& name) {
    const auto written = write(report);
    ASSERT_TRUE(written) << to_string(written.error());
    const auto path = "test/golden/" + name + "/cr_bio.xml";
    if (std::getenv("SGL_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << *written;
    EXPECT_EQ(*written, file(path));
}

TEST(Write, MakesTheGoldenRichReport) { expect_golden(test::rich_report(), "cr_bio_rich"); }
TEST(Write, MakesTheGoldenReportWithoutIns) { expect_golden(test::report_without_ins(), "cr_bio_without_ins"); }

}  // namespace
}  // namespace sgl::cda
