// The rules of lab-domain 4.2 as a laboratory writes them, and what they say of results.
#include "lib/domain/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "lib/domain/exact.hpp"
#include "lib/domain/judgement.hpp"

namespace sgl::domain {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

using Fields = std::vector<std::pair<std::string, std::string>>;

/// `{"analytes", "NA,K"}`: lists by their commas.
RuleText text(std::string kind, const Fields& fields, std::vector<RuleText> parts = {}) {
    const std::set<std::string> lists{"analytes", "of", "units", "blocking", "flags", "awaited"};
    RuleText made;
    made.kind = std::move(kind);
    made.line = 7;
    for (const auto& [name, value] : fields) {
        RuleText::Field field{name, {value}, kind != "context" && lists.contains(name), 8};
        if (made.kind == "context" && name == "of") field.list = false;
        if (field.list) {
            field.values.clear();
            for (std::size_t at = 0; at <= value.size();) {
                const auto comma = std::min(value.find(',', at), value.size());
                field.values.push_back(value.substr(at, comma - at));
                at = comma + 1;
            }
        }
        made.fields.push_back(std::move(field));
    }
    made.parts = std::move(parts);
    return made;
}

Result<RuleSet> reading(std::vector<RuleText> texts) {
    texts.insert(texts.begin(), text("rule_set", {{"name", "Essai"}}));
    return read_rule_set(texts);
}

RuleSet set_of(std::vector<RuleText> texts) {
    const auto set = reading(std::move(texts));
    if (!set) throw std::runtime_error(to_string(set.error()));
    return *set;
}

Timestamp at(std::string_view hl7) {
    return Timestamp::parse(hl7).value();
}
Value number(std::string_view digits, std::string unit = "mmol/L", Comparator comparator = Comparator::none) {
    return Quantity{comparator, Decimal::parse(digits).value(), std::move(unit)};
}
Range range(std::string_view low, std::string_view high) {
    return {Decimal::parse(low).value(), Decimal::parse(high).value()};
}

/// Measured on 15 January 2026 at noon, collected two hours before, of a man of forty.
ResultToJudge result(std::string code, Value value) {
    ResultToJudge made;
    made.id = ResultId{static_cast<std::int64_t>(code.size() + 100)};
    made.label = made.code = std::move(code);
    made.value = std::move(value);
    made.specimen = "T1";
    made.measured_at = at("20260115120000");
    made.collected_at = at("20260115100000");
    return made;
}
EarlierValue earlier(std::string_view when, Value value) {
    return {std::move(value), at(when), false};
}

OrderToJudge order(std::vector<ResultToJudge> results) {
    OrderToJudge made;
    made.birth_date = at("19860110");
    made.sex = Sex::male;
    made.results = std::move(results);
    return made;
}

Judgement first(const RuleSet& set, const OrderToJudge& of) {
    return judge(set, of).front();
}
Judgement first(const RuleSet& set, const ResultToJudge& of) {
    return first(set, order({of}));
}

/// Every examination is spoken of, and nothing more.
const Fields everybody{{"analytes", "*"}, {"blocking", "never"}};

// ── Texts ──

TEST(RuleSet, SaysWhereAFieldIsUnknownOrWrong) {
    const auto where = [](const Fields& fields) {
        const auto set =
            reading({text("delta", {{"analytes", "NA"}, {"formula", "absolute"}, {"limit", "13"}, {"window", "3d"}}),
                     text("delta", fields)});
        return set ? std::string("read") : to_string(set.error());
    };
    EXPECT_THAT(where({{"analytes", "NA"}, {"formula", "absolute"}, {"limit", "13"}, {"windw", "3d"}}),
                HasSubstr("delta[2].window"));
    EXPECT_THAT(where({{"analytes", "NA"}, {"formula", "absolute"}, {"limit", "13"}, {"window", "3d"}, {"more", "1"}}),
                HasSubstr("line 8, delta[2].more"));
    EXPECT_THAT(where({{"analytes", "NA"}, {"formula", "sideways"}, {"window", "3d"}}),
                HasSubstr("line 8, delta[2].formula"));
    EXPECT_THAT(where({{"analytes", "NA"}, {"formula", "absolute"}, {"limit", "-1"}, {"window", "3d"}}),
                HasSubstr("delta[2].limit"));
    EXPECT_THAT(where({{"analytes", "NA"}, {"formula", "absolute"}, {"limit", "13"}, {"window", "3"}}),
                HasSubstr("delta[2].window"));
    EXPECT_THAT(where({{"analytes", "NA"}, {"formula", "reference_change"}, {"window", "3d"}}),
                HasSubstr("delta[2].cv_analytical"));
}

TEST(RuleSet, RefusesWhatCannotBeMeant) {
    const auto refusal = [](RuleText one) {
        const auto set = reading({std::move(one)});
        return set ? std::string("read") : to_string(set.error());
    };
    EXPECT_THAT(refusal(text("plausibility", {{"analytes", "*"}, {"unit", ""}, {"limits", "1..2"}})),
                HasSubstr("plausibility[1].analytes"));
    EXPECT_THAT(refusal(text("plausibility", {{"analytes", "K"}, {"limits", "1..2"}})),
                HasSubstr("plausibility[1].unit"));
    EXPECT_THAT(refusal(text("plausibility", {{"analytes", "K"}, {"unit", "mmol/L"}, {"limits", "2..1"}})),
                HasSubstr("limits"));
    EXPECT_THAT(
        refusal(text("plausibility", {{"analytes", "K"}, {"unit", ""}, {"limits", "1..2"}, {"verdict", "amber"}})),
        HasSubstr("always red"));
    EXPECT_THAT(refusal(text("critical", {{"analytes", "K"}, {"unit", ""}, {"limits", "1..2"}, {"verdict", "green"}})),
                HasSubstr("stops nothing"));
    EXPECT_THAT(refusal(text("context", {{"analytes", "INR"}, {"of", "reference"}, {"unit", "1"}, {"limits", "..4"}})),
                HasSubstr("context[1]: a context says whom it is for"));
    EXPECT_THAT(refusal(text("consistency",
                             {{"name", "x"}, {"form", "sum"}, {"of", "A,A"}, {"units", "%"}, {"limits", "98..102"}})),
                HasSubstr("stands twice"));
    EXPECT_THAT(
        refusal(text("consistency", {{"name", "x"}, {"form", "at_most"}, {"of", "A,B"}, {"units", "g/L,mg/L"}})),
        HasSubstr("one unit"));
    EXPECT_THAT(refusal(text("consistency", {{"name", "x"}, {"form", "times"}, {"of", "-A,B"}, {"units", "g/L"}})),
                HasSubstr("minus"));
    EXPECT_THAT(refusal(text("specimen", {})), HasSubstr("is always asked"));
    EXPECT_THAT(refusal(text("astrology", {})), HasSubstr("no such kind"));
    EXPECT_THAT(refusal(text("reference", {{"analytes", "*"}, {"age", "2y-1y"}})), HasSubstr("reference[1].age"));
    EXPECT_THAT(refusal(text("test", {{"name", "x"}})), HasSubstr("test[1].result"));
    EXPECT_EQ(read_rule_set({}).error().where, "rule_set");
}

TEST(RuleSet, RunsItsOwnTestsAndNamesTheOneThatFails) {
    auto set = set_of({
        text("critical", {{"analytes", "K"}, {"unit", "mmol/L"}, {"limits", "2.8..6.2"}}),
        text(
            "test", {{"name", "haut"}},
            {text("result",
                  {{"code", "K"}, {"value", "6.8"}, {"unit", "mmol/L"}, {"verdict", "red"}, {"because", "critical"}})}),
        text("test", {{"name", "faux"}},
             {text("result", {{"code", "K"}, {"value", "6.2"}, {"unit", "mmol/L"}, {"verdict", "red"}})}),
    });
    const auto errors = run_tests(set);
    ASSERT_THAT(errors, SizeIs(1));
    EXPECT_EQ(errors[0].where, "line 7, test[2].K");
    EXPECT_EQ(errors[0].what, "expected red, the rules say green");
    set.tests.pop_back();
    EXPECT_THAT(run_tests(set), IsEmpty());
}

TEST(RuleSet, IsRefusedWhenARuleSpeaksInNoTest) {
    const auto set = set_of({
        text("critical", {{"analytes", "K"}, {"unit", "mmol/L"}, {"limits", "2.8..6.2"}}),
        text("test", {{"name", "normal"}},
             {text("result", {{"code", "K"}, {"value", "4"}, {"unit", "mmol/L"}, {"verdict", "green"}})}),
    });
    const auto errors = run_tests(set);
    ASSERT_THAT(errors, SizeIs(1));
    EXPECT_EQ(errors[0].where, "critical[1]");
}

// ── Coverage, specimen, control, flags, indices ──

TEST(Judgement, IsNeverGreenWhereNoRuleSpeaks) {
    const auto set = set_of({text("critical", {{"analytes", "K"}, {"unit", "mmol/L"}, {"limits", "2.8..6.2"}})});
    const auto judged = first(set, result("NA", number("140")));
    EXPECT_EQ(judged.verdict, Verdict::amber);
    EXPECT_EQ(judged.findings.front().kind, RuleKind::coverage);
    EXPECT_EQ(judged.findings.front().reason, "Aucune règle ne porte sur cet examen");
}

TEST(Judgement, StopsARefusedSpecimenADoubtfulIdentityAndLooksAtAnUnknownTube) {
    const auto set = set_of({text("instrument_flags", everybody)});
    auto of = order({result("NA", number("140"))});
    EXPECT_EQ(first(set, of).verdict, Verdict::green);
    of.results[0].refused = true;
    of.results[0].refusal = "Tube cassé";
    EXPECT_EQ(first(set, of).verdict, Verdict::red);
    EXPECT_EQ(first(set, of).findings[0].reason, "Prélèvement refusé : Tube cassé");
    of.results[0].refused = false;
    of.results[0].specimen.clear();
    EXPECT_EQ(first(set, of).verdict, Verdict::amber);
    of.doubtful = true;
    EXPECT_EQ(first(set, of).verdict, Verdict::red);
}

TEST(Judgement, AsksForAControlThatPassedAndIsNotTooOld) {
    const auto set = set_of({text("quality_control", {{"analytes", "*"}, {"oldest", "24h"}})});
    auto na = result("NA", number("140"));
    EXPECT_EQ(first(set, na).verdict, Verdict::amber) << "unknown is not green";
    EXPECT_TRUE(first(set, na).findings[0].missing);
    na.control = QualityControl{true, at("20260114120000")};
    EXPECT_EQ(first(set, na).verdict, Verdict::green) << "24 h is not older than 24 h";
    na.control = QualityControl{true, at("20260114115900")};
    EXPECT_EQ(first(set, na).verdict, Verdict::red);
    na.control = QualityControl{false, at("20260115110000")};
    EXPECT_EQ(first(set, na).findings[0].reason, "Contrôle de qualité hors limites");
}

TEST(Judgement, StopsOnABlockingFlagOfTheAnalyserOnly) {
    const auto set = set_of({text("instrument_flags", {{"analytes", "*"}, {"blocking", "CLOT,SHORT"}})});
    auto na = result("NA", number("140"));
    na.instrument_flags = {"H", "REVIEW"};
    EXPECT_EQ(first(set, na).verdict, Verdict::green);
    na.instrument_flags.emplace_back("SHORT");
    EXPECT_EQ(first(set, na).verdict, Verdict::red);
    EXPECT_EQ(first(set, na).findings[0].values,
              (std::vector<std::pair<std::string, std::string>>{{"indicateur", "SHORT"}}));
}

TEST(Judgement, LooksAtTheHaemolysisOfTheSameTube) {
    const auto set = set_of({text("interference", {{"analytes", "K"}, {"index", "HEM"}, {"most", "50"}}),
                             text("instrument_flags", everybody)});
    auto of = order({result("K", number("5.9")), result("HEM", number("85", ""))});
    EXPECT_EQ(first(set, of).verdict, Verdict::red);
    EXPECT_EQ(first(set, of).findings[0].reason, "HEM 85, limite 50");
    of.results[1].value = number("50", "");
    EXPECT_EQ(first(set, of).verdict, Verdict::green) << "the limit itself passes";
    of.results[1].specimen = "T2";
    EXPECT_EQ(first(set, of).verdict, Verdict::amber) << "of another tube: not known";
    EXPECT_TRUE(first(set, of).findings[0].missing);
}

// ── Limits ──

const Fields potassium_range{{"analytes", "K"}, {"unit", "mmol/L"}, {"limits", "1.0..10.0"}};

TEST(Judgement, StopsOutsideTheMeasuringRangeUnlessItWasDiluted) {
    const auto set = set_of({text("measuring_range", potassium_range)});
    auto k = result("K", number("10.0"));
    EXPECT_EQ(first(set, k).verdict, Verdict::green);
    k.value = number("10.1");
    EXPECT_EQ(first(set, k).verdict, Verdict::red);
    k.dilution = "1:2";
    EXPECT_EQ(first(set, k).verdict, Verdict::green);
    k.dilution.clear();
    k.value = number("1.0", "mmol/L", Comparator::less);
    EXPECT_EQ(first(set, k).verdict, Verdict::green) << "below what can be measured is said like this";
    k.value = number("10.0", "mmol/L", Comparator::greater);
    EXPECT_EQ(first(set, k).verdict, Verdict::red) << "it has to be diluted";
    k.value = number("3.0", "mmol/L", Comparator::less);
    EXPECT_EQ(first(set, k).verdict, Verdict::amber) << "it may be either";
}

TEST(Judgement, NeverLetsAnImplausibleValueThroughWithoutAReason) {
    const auto set = set_of({text("plausibility", potassium_range)});
    const auto judged = first(set, result("K", number("14.2")));
    EXPECT_EQ(judged.verdict, Verdict::red);
    EXPECT_TRUE(judged.implausible);
    EXPECT_EQ(judged.findings[0].reason, "Valeur invraisemblable (limites 1,0 – 10,0)");
    EXPECT_FALSE(first(set, result("K", number("10.0"))).implausible);
}

TEST(Judgement, ComparesOnlyInTheUnitOfTheRule) {
    const auto set = set_of({text("plausibility", potassium_range)});
    const auto judged = first(set, result("K", number("390", "mg/L")));
    EXPECT_EQ(judged.verdict, Verdict::amber);
    EXPECT_TRUE(judged.findings[0].missing);
    EXPECT_THAT(judged.findings[0].reason, HasSubstr("Unité mg/L"));
    EXPECT_FALSE(judged.implausible);
    EXPECT_EQ(first(set, result("K", Words{"coagulé"})).verdict, Verdict::amber);
}

TEST(Judgement, CallsForACriticalValueByItsOwnLimitsOrThoseOfTheCatalogue) {
    const auto set = set_of({text("critical", {{"analytes", "K"}, {"unit", "mmol/L"}, {"limits", "2.8..6.2"}}),
                             text("instrument_flags", everybody)});
    EXPECT_EQ(first(set, result("K", number("6.2"))).verdict, Verdict::green);
    EXPECT_EQ(first(set, result("K", number("2.8"))).verdict, Verdict::green);
    const auto high = first(set, result("K", number("6.3")));
    EXPECT_EQ(high.verdict, Verdict::red);
    EXPECT_TRUE(high.critical);
    EXPECT_TRUE(first(set, result("K", number("2.8", "mmol/L", Comparator::less))).critical) << "<2.8 is under 2.8";
    auto na = result("NA", number("165"));
    na.flag = Flag::critical_high;
    EXPECT_TRUE(first(set, na).critical) << "the catalogue knows it";
    auto k = result("K", number("6.0"));
    k.flag = Flag::critical_high;
    EXPECT_FALSE(first(set, k).critical) << "the laboratory's rule takes the place of the catalogue's limits";
}

TEST(Judgement, TakesTheAgeAtCollectionNotAtMeasurement) {
    const auto set =
        set_of({text("critical", {{"analytes", "BIL"}, {"unit", "umol/L"}, {"limits", "..250"}, {"age", "-28d"}}),
                text("instrument_flags", everybody)});
    auto of = order({result("BIL", number("300", "umol/L"))});
    of.birth_date = at("20251219");  // 27 days old when it was collected, 28 when it was measured
    of.results[0].collected_at = at("20260115235000");
    of.results[0].measured_at = at("20260116001000");
    EXPECT_EQ(first(set, of).verdict, Verdict::red);
    of.results[0].collected_at = at("20260116000500");
    EXPECT_EQ(first(set, of).verdict, Verdict::green);
    of.birth_date.reset();
    const auto unknown = first(set, of);
    EXPECT_EQ(unknown.verdict, Verdict::amber);
    EXPECT_EQ(unknown.findings[0].reason, "Âge inconnu : limites critiques non appliquées");
}

TEST(Judgement, LooksAtWhatIsOutsideItsReferenceByMoreThanAShare) {
    const auto set = set_of({text("reference", {{"analytes", "*"}, {"percent", "10"}})});
    auto na = result("NA", number("150"));
    na.reference = range("136", "150");
    EXPECT_EQ(first(set, na).verdict, Verdict::green);
    na.value = number("165");
    EXPECT_EQ(first(set, na).verdict, Verdict::green) << "exactly a tenth above";
    na.value = number("165.01");
    EXPECT_EQ(first(set, na).verdict, Verdict::amber);
    na.value = number("122.4");
    EXPECT_EQ(first(set, na).verdict, Verdict::green) << "exactly a tenth below";
    na.value = number("122.3");
    EXPECT_EQ(first(set, na).verdict, Verdict::amber);
    na.reference = {};
    EXPECT_TRUE(first(set, na).findings[0].missing);
    EXPECT_EQ(first(set, na).verdict, Verdict::amber);
}

TEST(Judgement, ReadsACodedAnswerByTheCatalogue) {
    const auto set = set_of({text("reference", {{"analytes", "*"}})});
    auto hbs = result("AGHBS", Coded{"", "", "Positif"});
    hbs.flag = Flag::abnormal;
    EXPECT_EQ(first(set, hbs).verdict, Verdict::amber);
    hbs.flag = Flag::normal;
    EXPECT_EQ(first(set, hbs).verdict, Verdict::green);
    hbs.flag = Flag::none;
    EXPECT_EQ(first(set, hbs).verdict, Verdict::amber) << "nobody says what it means";
}

// ── Delta (4.3) ──

RuleSet delta(Fields more) {
    Fields fields{{"analytes", "NA"}, {"unit", "mmol/L"}, {"window", "3d"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return set_of({text("delta", fields)});
}
Verdict delta_of(const RuleSet& set, std::string_view now, std::string_view before,
                 std::string_view when = "20260113120000") {
    auto na = result("NA", number(now));
    na.earlier = {earlier(when, number(before))};
    return first(set, na).verdict;
}

TEST(Delta, StopsAtMoreThanTheDifferenceNotAtIt) {
    const auto set = delta({{"formula", "absolute"}, {"limit", "13"}});
    EXPECT_EQ(delta_of(set, "153", "140"), Verdict::green);
    EXPECT_EQ(delta_of(set, "153.1", "140"), Verdict::amber);
    EXPECT_EQ(delta_of(set, "126.9", "140"), Verdict::amber) << "both ways";
    auto na = result("NA", number("120"));
    na.earlier = {earlier("20260113120000", number("140"))};
    EXPECT_EQ(first(set, na).findings[0].reason, "Écart de -20 mmol/L avec 140 mmol/L du 13/01/2026 (limite 13)");
}

TEST(Delta, CountsPercentExactly) {
    const auto set = delta({{"formula", "percent"}, {"limit", "10"}});
    EXPECT_EQ(delta_of(set, "1.1", "1.0"), Verdict::green) << "10 %, whatever binary fractions say";
    EXPECT_EQ(delta_of(set, "1.11", "1.0"), Verdict::amber);
    EXPECT_EQ(delta_of(set, "0.9", "1.0"), Verdict::green);
    EXPECT_EQ(delta_of(set, "0.89", "1.0"), Verdict::amber);
}

TEST(Delta, CountsRatesByTheDay) {
    const auto rate = delta({{"formula", "rate"}, {"limit", "5"}});
    EXPECT_EQ(delta_of(rate, "150", "140"), Verdict::green) << "10 in two days";
    EXPECT_EQ(delta_of(rate, "150.1", "140"), Verdict::amber);
    EXPECT_EQ(delta_of(rate, "142.6", "140", "20260115000000"), Verdict::amber) << "2.6 in half a day";
    const auto percent = delta({{"formula", "percent_rate"}, {"limit", "5"}});
    EXPECT_EQ(delta_of(percent, "110", "100"), Verdict::green) << "10 % in two days";
    EXPECT_EQ(delta_of(percent, "110.1", "100"), Verdict::amber);
}

TEST(Delta, KnowsTheReferenceChange) {
    // √2 · 1.96 · √(3² + 4²) = 13.859… %
    const auto set =
        delta({{"formula", "reference_change"}, {"cv_analytical", "3"}, {"cv_within_person", "4"}, {"z", "1.96"}});
    EXPECT_EQ(delta_of(set, "113.85", "100"), Verdict::green);
    EXPECT_EQ(delta_of(set, "113.86", "100"), Verdict::amber);
}

TEST(Delta, TakesTheChangeItselfWhenTheEarlierValueIsZero) {
    EXPECT_EQ(delta_of(delta({{"formula", "percent"}, {"limit", "10"}}), "1", "0"), Verdict::amber);
    const auto set = delta({{"formula", "percent"}, {"limit", "10"}, {"limit_of_zero", "2"}});
    EXPECT_EQ(delta_of(set, "2", "0.0"), Verdict::green);
    EXPECT_EQ(delta_of(set, "2.1", "0.0"), Verdict::amber);
}

TEST(Delta, SaysThatNothingIsKnownFromBefore) {
    const auto set = delta({{"formula", "absolute"}, {"limit", "13"}});
    const auto judged = first(set, result("NA", number("140")));
    EXPECT_EQ(judged.verdict, Verdict::green);
    ASSERT_THAT(judged.findings, SizeIs(1));
    EXPECT_TRUE(judged.findings[0].missing);
    EXPECT_EQ(judged.findings[0].reason, "Antériorité inconnue");
    EXPECT_EQ(delta_of(set, "100", "140", "20260112120000"), Verdict::amber) << "three days is in the window";
    EXPECT_EQ(delta_of(set, "100", "140", "20260112115900"), Verdict::green) << "a minute more is not";
}

TEST(Delta, ComparesOnlyTheSameUnitAndPlainNumbers) {
    const auto set = delta({{"formula", "absolute"}, {"limit", "13"}});
    auto na = result("NA", number("140"));
    na.earlier = {earlier("20260114120000", number("140", "g/L"))};
    EXPECT_EQ(first(set, na).verdict, Verdict::amber);
    EXPECT_TRUE(first(set, na).findings[0].missing);
    na.earlier = {earlier("20260114120000", number("140", "mmol/L", Comparator::less))};
    EXPECT_EQ(first(set, na).verdict, Verdict::amber);
    na.earlier.push_back(earlier("20260113120000", number("139")));
    EXPECT_EQ(first(set, na).verdict, Verdict::green) << "an older one can be compared";
}

TEST(Delta, TakesTheValueThatReplacedACorrectedOne) {
    const auto set = delta({{"formula", "absolute"}, {"limit", "13"}});
    auto na = result("NA", number("140"));
    na.earlier = {earlier("20260114120000", number("118")), earlier("20260114120000", number("138"))};
    na.earlier[0].replaced = true;
    EXPECT_EQ(first(set, na).verdict, Verdict::green);
    na.earlier[0].replaced = false;
    na.earlier[1].replaced = true;
    EXPECT_EQ(first(set, na).verdict, Verdict::amber);
}

TEST(Delta, ComparesWithTheNewestAndNeverWithTheFuture) {
    const auto set = delta({{"formula", "absolute"}, {"limit", "13"}});
    auto na = result("NA", number("140"));
    na.earlier = {earlier("20260113120000", number("110")), earlier("20260114120000", number("139")),
                  earlier("20260115120001", number("200"))};
    EXPECT_EQ(first(set, na).verdict, Verdict::green);
}

// ── Consistency ──

TEST(Consistency, WantsAFormulaThatMakesAHundred) {
    const auto set = set_of({text("consistency", {{"name", "Formule leucocytaire"},
                                                  {"form", "sum"},
                                                  {"of", "NEU,LYM,MON"},
                                                  {"units", "%"},
                                                  {"limits", "99..101"}})});
    auto of =
        order({result("NEU", number("60", "%")), result("LYM", number("30", "%")), result("MON", number("11", "%"))});
    for (const auto& judged : judge(set, of))
        EXPECT_EQ(judged.verdict, Verdict::green) << judged.code;
    of.results[2].value = number("11.1", "%");
    for (const auto& judged : judge(set, of))
        EXPECT_EQ(judged.verdict, Verdict::amber) << judged.code;
    EXPECT_EQ(first(set, of).findings[0].reason, "Formule leucocytaire : 101,1, attendu 99 – 101");
    of.results.pop_back();
    const auto without = first(set, of);
    EXPECT_EQ(without.verdict, Verdict::green);
    EXPECT_EQ(without.findings[0].reason, "Formule leucocytaire : MON absent, non vérifié") << "green, and said";
}

TEST(Consistency, KnowsTheAnionGap) {
    const auto set = set_of({text("consistency", {{"name", "Trou anionique"},
                                                  {"form", "sum"},
                                                  {"of", "NA,-CL,-CO2"},
                                                  {"units", "mmol/L"},
                                                  {"limits", "4..20"}})});
    auto of = order({result("NA", number("140")), result("CL", number("96")), result("CO2", number("24"))});
    EXPECT_EQ(first(set, of).verdict, Verdict::green) << "20";
    of.results[2].value = number("23.9");
    EXPECT_EQ(first(set, of).verdict, Verdict::amber);
    of.results[2].value = number("24", "mEq/L");
    EXPECT_EQ(first(set, of).verdict, Verdict::amber) << "another unit is never silently fine";
    EXPECT_TRUE(first(set, of).findings[0].missing);
}

TEST(Consistency, WantsThePartBelowTheWhole) {
    const auto set = set_of(
        {text("consistency", {{"name", "Bilirubine"}, {"form", "at_most"}, {"of", "BILD,BILT"}, {"units", "umol/L"}})});
    auto of = order({result("BILD", number("12", "umol/L")), result("BILT", number("12.0", "umol/L"))});
    EXPECT_EQ(first(set, of).verdict, Verdict::green);
    of.results[0].value = number("12.1", "umol/L");
    EXPECT_EQ(first(set, of).verdict, Verdict::amber);
}

TEST(Consistency, WantsThreeTimesTheHaemoglobin) {
    const auto set = set_of({text("consistency", {{"name", "Hb × 3"},
                                                  {"form", "times"},
                                                  {"of", "HB,HT"},
                                                  {"units", "g/dL,%"},
                                                  {"factor", "3"},
                                                  {"percent", "10"}})});
    auto of = order({result("HB", number("14.0", "g/dL")), result("HT", number("40", "%"))});
    EXPECT_EQ(first(set, of).verdict, Verdict::green) << "42 for 40";
    of.results[1].value = number("38", "%");
    EXPECT_EQ(first(set, of).verdict, Verdict::amber) << "42 for 38: 10.5 %";
}

TEST(Consistency, LooksAtTwoThatShouldNotBothBeHigh) {
    const auto set =
        set_of({text("consistency", {{"name", "TSH et T4 libre"}, {"form", "opposite"}, {"of", "TSH,T4L"}})});
    auto of = order({result("TSH", number("9")), result("T4L", number("30"))});
    of.results[0].flag = Flag::high;
    of.results[1].flag = Flag::low;
    EXPECT_EQ(first(set, of).verdict, Verdict::green);
    of.results[1].flag = Flag::high;
    EXPECT_EQ(first(set, of).verdict, Verdict::amber);
    EXPECT_EQ(first(set, of).findings[0].reason, "TSH et T4 libre : les deux hauts");
}

// ── Context, completeness, stability ──

RuleSet inr() {
    return set_of(
        {text("reference", {{"analytes", "*"}}),
         text("context",
              {{"analytes", "INR"}, {"of", "reference"}, {"unit", "1"}, {"limits", "..4"}, {"treatment", "avk"}})});
}

TEST(Context, MovesTheLimitOfWhoTakesAVitaminKAntagonist) {
    auto of = order({result("INR", number("3.2", "1"))});
    of.results[0].reference = range("0.80", "1.20");
    of.context = "Fibrillation, sous A.V.K. arrêté";
    EXPECT_EQ(first(inr(), of).verdict, Verdict::amber) << "A.V.K. is three words";
    of.context = "Fibrillation auriculaire ; traitement : AVK (fluindione)";
    const auto judged = first(inr(), of);
    EXPECT_EQ(judged.verdict, Verdict::green);
    EXPECT_EQ(judged.findings[0].reason, "Limites du contexte appliquées : ≤ 4 (traitement : avk)");
    of.results[0].value = number("4.01", "1");
    EXPECT_EQ(first(inr(), of).verdict, Verdict::amber);
}

TEST(Context, TellsThatItDoesNotKnowTheTreatment) {
    auto of = order({result("INR", number("1.0", "1"))});
    of.results[0].reference = range("0.80", "1.20");
    const auto judged = first(inr(), of);
    EXPECT_EQ(judged.verdict, Verdict::green);
    EXPECT_EQ(judged.findings[0].reason, "Traitement non renseigné : limites du contexte non appliquées");
    EXPECT_TRUE(judged.findings[0].missing);
}

TEST(Context, TightensTheLimitsOfAPregnancyAndAWard) {
    const auto set = set_of({text("critical", {{"analytes", "PLQ"}, {"unit", "10*9/L"}, {"limits", "20.."}}),
                             text("context", {{"analytes", "PLQ"},
                                              {"of", "critical"},
                                              {"unit", "10*9/L"},
                                              {"limits", "100.."},
                                              {"weeks_from", "20"},
                                              {"weeks_to", "42"},
                                              {"ward", "Maternité"}})});
    auto of = order({result("PLQ", number("80", "10*9/L"))});
    of.ward = "MATERNITE";
    of.sex = Sex::female;
    of.weeks = 20;
    EXPECT_EQ(first(set, of).verdict, Verdict::red);
    of.weeks = 19;
    EXPECT_EQ(first(set, of).verdict, Verdict::green);
    of.weeks = 42;
    of.ward = "Urgences";
    EXPECT_EQ(first(set, of).verdict, Verdict::green);
    of.ward = "Maternité";
    of.sex = Sex::male;
    EXPECT_EQ(first(set, of).verdict, Verdict::green);
}

TEST(Context, ReadsTheWeeksOfAPregnancy) {
    EXPECT_EQ(weeks_of_pregnancy("G2P1, 28 SA, HTA"), 28U);
    EXPECT_EQ(weeks_of_pregnancy("grossesse (12 SA)"), 12U);
    EXPECT_EQ(weeks_of_pregnancy("sa soeur, 30 ans"), std::nullopt);
    EXPECT_EQ(weeks_of_pregnancy("428 SA"), std::nullopt);
    EXPECT_EQ(weeks_of_pregnancy(""), std::nullopt);
}

TEST(Judgement, LooksAtThePanelThatIsNotComplete) {
    const auto set = set_of({text("completeness", {{"analytes", "*"}})});
    auto of = order({result("HB", number("14")), result("NA", number("140"))});
    of.results[0].ordered_as = "NFS";
    of.results[1].ordered_as = "NA";
    of.awaited = {{"Plaquettes", "NFS"}};
    EXPECT_EQ(judge(set, of)[0].findings[0].reason, "Incomplet (NFS) : manque Plaquettes");
    EXPECT_EQ(judge(set, of)[1].verdict, Verdict::green);
}

TEST(Judgement, StopsASpecimenThatWaitedTooLong) {
    const auto set = set_of({text("stability", {{"analytes", "K"}, {"longest", "4h"}})});
    auto k = result("K", number("4.2"));
    k.collected_at = at("20260115080000");
    EXPECT_EQ(first(set, k).verdict, Verdict::green) << "four hours";
    k.collected_at = at("20260115075900");
    EXPECT_EQ(first(set, k).verdict, Verdict::red);
    k.collected_at = at("20260115");
    EXPECT_EQ(first(set, k).verdict, Verdict::amber) << "a day is no time";
    k.collected_at = at("20260115123000");
    EXPECT_EQ(first(set, k).verdict, Verdict::amber) << "measured before it was collected";
    k.collected_at.reset();
    EXPECT_EQ(first(set, k).verdict, Verdict::amber);
}

TEST(Judgement, GivesItsReasonsInTheOrderOfTheChecks) {
    const auto set = set_of({text("stability", {{"analytes", "*"}, {"longest", "1h"}}),
                             text("reference", {{"analytes", "*"}}), text("plausibility", potassium_range),
                             text("critical", {{"analytes", "K"}, {"unit", "mmol/L"}, {"limits", "2.8..6.2"}})});
    auto k = result("K", number("14"));
    k.reference = range("3.5", "5.1");
    std::vector<RuleKind> kinds;
    for (const auto& finding : first(set, k).findings)
        kinds.push_back(finding.kind);
    EXPECT_THAT(kinds,
                ElementsAre(RuleKind::plausibility, RuleKind::critical, RuleKind::reference, RuleKind::stability));
}

TEST(Judgement, LeavesACultureToTheBiologist) {
    const auto set = set_of({text("instrument_flags", everybody)});
    auto germ = result("GERME", Words{"Escherichia coli"});
    germ.of_culture = true;
    EXPECT_EQ(first(set, germ).verdict, Verdict::amber);
    auto undone = result("NA", Words{"Non réalisé"});
    undone.done = false;
    EXPECT_EQ(first(set, undone).verdict, Verdict::amber);
    EXPECT_EQ(count(judge(set, order({germ, undone, result("K", number("4"))}))).amber, 2U);
}

TEST(Exact, SaysThatItDoesNotFitInsteadOfRounding) {
    const Exact much(Decimal::parse("999999999999999999999999999999").value());
    EXPECT_FALSE((much * much).valid());
    EXPECT_FALSE(much * much <= much);
    EXPECT_TRUE(Exact(Decimal::parse("0.1").value()) + Exact(Decimal::parse("0.2").value()) ==
                Exact(Decimal::parse("0.30").value()));
}

}  // namespace
}  // namespace sgl::domain
