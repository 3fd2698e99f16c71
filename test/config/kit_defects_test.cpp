#include "config/kit_defects.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace sgl::config {
namespace {

TEST(KitDefects, ShippedListIsTheFileThatPeopleRead) {
    std::ifstream file("config/official_kit.toml", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(text, shipped_kit_defects());
    const auto defects = parse_kit_defects(text);
    ASSERT_TRUE(defects) << to_string(defects.error());
    EXPECT_FALSE(defects->empty());
}

TEST(KitDefects, NeedAReasonAndSayWhichFindings) {
    const auto error = [](std::string_view toml) {
        const auto defects = parse_kit_defects(toml);
        return defects ? std::string() : to_string(defects.error());
    };
    EXPECT_EQ(error("[[defect]]\npattern = \"p\"\nreason = \"r\"\n"), "");
    EXPECT_EQ(error(""), "");
    EXPECT_NE(error("[[defect]]\npattern = \"p\"\n").find("reason"), std::string::npos);
    EXPECT_NE(error("[[defect]]\nfamily = \"IHE\"\nreason = \"r\"\n").find("pattern, test or message"),
              std::string::npos);
    EXPECT_NE(error("[[defect]]\npatern = \"p\"\nreason = \"r\"\n").find("did you mean"), std::string::npos);
    EXPECT_NE(error("[defect]\npattern = \"p\"\nreason = \"r\"\n"), "");
    EXPECT_NE(error("[[other]]\n"), "");
    EXPECT_NE(error("= 1"), "");
}

}  // namespace
}  // namespace sgl::config
