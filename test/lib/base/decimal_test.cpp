#include "lib/base/decimal.hpp"

#include <gtest/gtest.h>

namespace sgl {
namespace {

Decimal d(std::string_view text) { return Decimal::parse(text).value(); }

TEST(Decimal, KeepsTheDigitsItWasGiven) {
    EXPECT_EQ(d("5.0").text(), "5.0");
    EXPECT_EQ(d("+0.10").text(), "0.10");
    EXPECT_EQ(d("-007").text(), "-007");
    EXPECT_EQ(d("12.50").french(), "12,50");
}

TEST(Decimal, RefusesWhatIsNoNumber) {
    for (const char* bad : {"", "+", "-", ".", ".5", "5.", "1,5", "1e3", " 1", "1 ", "--1", "+-1", "1.2.3", "NaN", "0x1",
                            "12345678901234567890123456789012"})
        EXPECT_FALSE(Decimal::parse(bad)) << bad;
}

TEST(Decimal, ComparesValuesNotTexts) {
    EXPECT_EQ(d("5.0"), d("5"));
    EXPECT_EQ(d("-0.0"), d("0"));
    EXPECT_LT(d("9.9"), d("10"));
    EXPECT_LT(d("-10"), d("-9.9"));
    EXPECT_LT(d("-0.001"), d("0"));
    EXPECT_LT(d("0.1"), d("0.10000000000000000000000001"));
    EXPECT_GT(d("0.3"), d("0.29999999999999999"));
    EXPECT_EQ(d("007.10"), d("7.1"));
}

TEST(Decimal, RoundsHalfAwayFromZero) {
    EXPECT_EQ(d("2.345").rounded(2).text(), "2.35");
    EXPECT_EQ(d("2.344").rounded(2).text(), "2.34");
    EXPECT_EQ(d("-2.345").rounded(2).text(), "-2.35");
    EXPECT_EQ(d("0.5").rounded(0).text(), "1");
    EXPECT_EQ(d("9.99").rounded(1).text(), "10.0");
    EXPECT_EQ(d("999.5").rounded(0).text(), "1000");
    EXPECT_EQ(d("5").rounded(2).text(), "5.00");
    EXPECT_EQ(d("1.005").rounded(2).text(), "1.01");  // binary floating point says 1.00
    EXPECT_EQ(d("-0.04").rounded(1).text(), "0.0") << "no minus zero on a report";
}

TEST(Decimal, IsMultipliedExactly) {
    const auto product = [](std::string_view a, std::string_view b) {
        const auto made = Decimal::parse(a).value().times(Decimal::parse(b).value());
        return made ? made->text() : "too long";
    };
    EXPECT_EQ(product("131", "0.1"), "13.1");
    EXPECT_EQ(product("8.5", "8.84"), "75.14");
    EXPECT_EQ(product("0.1", "0.1"), "0.01");
    EXPECT_EQ(product("-2.50", "4"), "-10");
    EXPECT_EQ(product("0.00", "-7"), "0");
    EXPECT_EQ(product("999", "999"), "998001");
    EXPECT_EQ(product("1234567890123456", "1234567890123456.7"), "too long");
}

}  // namespace
}  // namespace sgl
