// Files of rules: the sample passes its own tests, and what is wrong is refused at its line.
#include "config/rules_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/import.hpp"

namespace sgl::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string file(const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

std::string first_error(std::string_view bytes) {
    const auto checked = check_rules(bytes);
    return checked.errors.empty() ? std::string() : to_string(checked.errors.front());
}

constexpr std::string_view head = "[rule_set]\nname = \"Essai\"\n";

TEST(RulesFile, TheSamplePassesItsOwnTests) {
    const auto checked = check_rules(file("config/rules.sample.toml"));
    for (const auto& error : checked.errors)
        ADD_FAILURE() << to_string(error);
    EXPECT_EQ(checked.set.name, "Règles de démonstration");
    EXPECT_GE(checked.set.tests.size(), 10U);
}

TEST(RulesFile, TheSampleSpeaksOfExaminationsOfTheSampleCatalogueInTheirUnits) {
    const auto catalogue = parse_import(file("config/catalogue.sample.csv"));
    ASSERT_TRUE(catalogue);
    const auto checked = check_rules(file("config/rules.sample.toml"));
    const auto unit_of = [&](const std::string& code) {
        for (const auto& [site, analyte, active] : catalogue->analytes)
            if (analyte.local_code == code) return analyte.unit;
        return std::string("unknown");
    };
    for (const auto* rules : {&checked.set.plausibility, &checked.set.critical, &checked.set.context})
        for (const auto& rule : *rules)
            for (const auto& code : rule.analytes)
                EXPECT_EQ(unit_of(code), rule.unit) << code;
    for (const auto& rule : checked.set.delta)
        for (const auto& code : rule.analytes)
            EXPECT_EQ(unit_of(code), rule.unit) << code;
    for (const auto& rule : checked.set.consistency)
        for (std::size_t i = 0; i < rule.analytes.size(); ++i)
            EXPECT_EQ(unit_of(rule.analytes[i]), rule.units[i]) << rule.analytes[i];
}

TEST(RulesFile, SaysTheLineOfWhatIsWrong) {
    EXPECT_THAT(first_error(std::string(head) + "[[delta]]\nanalytes = [\"NA\"]\nformula = \"absolut\"\n"),
                HasSubstr("line 5, delta[1].formula"));
    EXPECT_THAT(first_error(std::string(head) + "[[delta]]\nanalytes = [\"NA\"]\nlimit = 1.5\n"), HasSubstr("line 5"));
    EXPECT_THAT(first_error(std::string(head) + "[[delta]]\nanalytes = [\"NA\"]\nlimit = 1.5\n"),
                HasSubstr("in quotes"));
    EXPECT_THAT(first_error(std::string(head) + "[delta]\nanalytes = [\"NA\"]\n"), HasSubstr("[[delta]]"));
    EXPECT_THAT(first_error(std::string(head) + "[[wishes]]\nanalytes = [\"NA\"]\n"), HasSubstr("no such kind"));
    EXPECT_THAT(first_error("[[completeness]]\nanalytes = [\"*\"]\n"), HasSubstr("rule_set"));
}

TEST(RulesFile, NamesTheTestThatFailsAndTheRuleThatNobodyTried) {
    const std::string rules = std::string(head) +
                              "[[critical]]\nanalytes = [\"K\"]\nunit = \"mmol/L\"\nlimits = \"2.8..6.2\"\n"
                              "[[test]]\nname = \"haut\"\n"
                              "[[test.result]]\ncode = \"K\"\nvalue = \"6.1\"\nunit = \"mmol/L\"\nverdict = \"red\"\n";
    const auto checked = check_rules(rules);
    ASSERT_EQ(checked.errors.size(), 2U);
    EXPECT_EQ(checked.errors[0].where, "line 7, test[1].K");
    EXPECT_EQ(checked.errors[1].where, "critical[1]");
}

}  // namespace
}  // namespace sgl::config
