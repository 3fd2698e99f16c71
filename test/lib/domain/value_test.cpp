#include "lib/domain/value.hpp"

#include <gtest/gtest.h>

#include "lib/domain/catalogue.hpp"

namespace sgl::domain {
namespace {

Decimal d(std::string_view text) { return Decimal::parse(text).value(); }
Quantity q(std::string_view text, Comparator comparator = Comparator::none) { return {comparator, d(text), "mmol/L"}; }

const Range reference{d("3.5"), d("5.0")};
const Range critical{d("2.5"), d("6.5")};

TEST(Interpret, CountsTheBoundsAsWithin) {
    EXPECT_EQ(interpret(q("3.5"), reference, critical), Flag::normal);
    EXPECT_EQ(interpret(q("5.00"), reference, critical), Flag::normal);
    EXPECT_EQ(interpret(q("3.49"), reference, critical), Flag::low);
    EXPECT_EQ(interpret(q("5.01"), reference, critical), Flag::high);
}

TEST(Interpret, AlertsBeyondTheCriticalBounds) {
    EXPECT_EQ(interpret(q("2.5"), reference, critical), Flag::low);
    EXPECT_EQ(interpret(q("2.49"), reference, critical), Flag::critical_low);
    EXPECT_EQ(interpret(q("6.5"), reference, critical), Flag::high);
    EXPECT_EQ(interpret(q("6.51"), reference, critical), Flag::critical_high);
}

TEST(Interpret, FlagsAComparedValueOnlyWhenItIsCertain) {
    EXPECT_EQ(interpret(q("3.5", Comparator::less), reference, {}), Flag::low) << "less than the bound is below it";
    EXPECT_EQ(interpret(q("3.5", Comparator::less_or_equal), reference, {}), Flag::none) << "it may be the bound itself";
    EXPECT_EQ(interpret(q("4", Comparator::less), reference, {}), Flag::none);
    EXPECT_EQ(interpret(q("5.0", Comparator::greater), reference, {}), Flag::high);
    EXPECT_EQ(interpret(q("5.0", Comparator::greater_or_equal), reference, {}), Flag::none);
    EXPECT_EQ(interpret(q("100", Comparator::greater), reference, critical), Flag::critical_high);
    EXPECT_EQ(interpret(q("0.1", Comparator::less), Range{std::nullopt, d("1.0")}, {}), Flag::normal) << "no low bound: within for sure";
    EXPECT_EQ(interpret(q("90", Comparator::greater), Range{d("60"), std::nullopt}, {}), Flag::normal);
}

TEST(Interpret, SaysNothingWithoutReference) { EXPECT_EQ(interpret(q("99"), {}, critical), Flag::none); }

TEST(French, WritesDecimalCommaAndSigns) {
    EXPECT_EQ(to_french(Value{q("0.10", Comparator::less)}), "< 0,10");
    EXPECT_EQ(to_french(Value{q("4", Comparator::greater_or_equal)}), "≥ 4");
    EXPECT_EQ(to_french(Value{q("5.0")}), "5,0");
    EXPECT_EQ(to_french(Value{Coded{"POS", "", "Positif"}}), "Positif");
    EXPECT_EQ(to_french(Value{Coded{"POS", "", ""}}), "POS");
    EXPECT_EQ(to_french(reference), "3,5 – 5,0");
    EXPECT_EQ(to_french(Range{}), "");
}

TEST(French, WritesUnitsAsFrenchReportsDo) {
    EXPECT_EQ(french_unit("10*9/L"), "G/L");
    EXPECT_EQ(french_unit("m[IU]/L"), "mUI/L");
    EXPECT_EQ(french_unit("umol/L"), "µmol/L");
    EXPECT_EQ(french_unit("{INR}"), "");
    EXPECT_EQ(french_unit("g/dL"), "g/dL");
}

TEST(Flags, KeepTheirLetters) {
    for (const auto flag : {Flag::none, Flag::normal, Flag::low, Flag::high, Flag::critical_low, Flag::critical_high, Flag::abnormal})
        EXPECT_EQ(flag_of(to_string(flag)), flag);
    EXPECT_EQ(flag_of("SDD"), std::nullopt);
    for (const auto sign : {"<", "<=", ">", ">="}) EXPECT_EQ(to_string(*comparator_of(sign)), sign);
    EXPECT_EQ(comparator_of("~"), std::nullopt);
}

// ------------------------------------------------------------------------------------------- ranges of the catalogue

Timestamp day(std::string_view text) { return Timestamp::parse(text).value(); }

Analyte with_rules(std::vector<RangeRule> rules) {
    Analyte analyte;
    analyte.ranges = std::move(rules);
    return analyte;
}

const RangeRule anyone{std::nullopt, std::nullopt, std::nullopt, {d("1"), d("2")}};
const RangeRule women{Sex::female, std::nullopt, std::nullopt, {d("3"), d("4")}};
const RangeRule newborns{std::nullopt, 0, 4, {d("5"), d("6")}};
const RangeRule girls{Sex::female, 4, 6570, {d("7"), d("8")}};

TEST(ChooseRange, TakesTheMostSpecificRuleThatHolds) {
    const auto analyte = with_rules({anyone, women, newborns, girls});
    EXPECT_EQ(choose_range(analyte, Sex::female, 100), girls.range);
    EXPECT_EQ(choose_range(analyte, Sex::female, 10000), women.range);
    EXPECT_EQ(choose_range(analyte, Sex::male, 100), anyone.range);
}

TEST(ChooseRange, ClosesAgesBelowAndOpensThemAbove) {
    const auto analyte = with_rules({anyone, newborns});
    EXPECT_EQ(choose_range(analyte, Sex::male, 0), newborns.range);
    EXPECT_EQ(choose_range(analyte, Sex::male, 3), newborns.range);
    EXPECT_EQ(choose_range(analyte, Sex::male, 4), anyone.range);
}

TEST(ChooseRange, NeverGuessesAnUnknownSexOrAge) {
    const auto analyte = with_rules({women, newborns});
    EXPECT_TRUE(choose_range(analyte, Sex::unknown, 10000).empty());
    EXPECT_TRUE(choose_range(analyte, Sex::male, std::nullopt).empty());
    EXPECT_EQ(choose_range(with_rules({anyone, women}), Sex::unknown, std::nullopt), anyone.range);
}

TEST(AgeInDays, CountsDaysAcrossA29thOfFebruary) {
    EXPECT_EQ(age_in_days(day("20240228"), day("20240301")), 2U);
    EXPECT_EQ(age_in_days(day("20230228"), day("20230301")), 1U);
    EXPECT_EQ(age_in_days(day("20240229"), day("20250228")), 365U);
    EXPECT_EQ(age_in_days(day("20240310"), day("20240310")), 0U);
}

TEST(AgeInDays, IsUnknownForAYearOrABirthToCome) {
    EXPECT_EQ(age_in_days(day("1979"), day("20240310")), std::nullopt);
    EXPECT_EQ(age_in_days(std::nullopt, day("20240310")), std::nullopt);
    EXPECT_EQ(age_in_days(day("20240311"), day("20240310")), std::nullopt);
}

}  // namespace
}  // namespace sgl::domain
