// The rules that help a biologist to validate (lab-domain 4.2): a set of them as values, with its own tests. Rules only
// propose; they are data of the laboratory, written in a file, approved by a biologist, never code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/domain/people.hpp"
#include "lib/domain/value.hpp"

namespace sgl::domain {

/// Green: nothing to say. Amber: look. Red: stop.
enum class Verdict : std::uint8_t { green, amber, red };
std::string_view to_string(Verdict verdict);
std::optional<Verdict> verdict_of(std::string_view word);

/// The checks of lab-domain 4.2 with their numbers, in the order of evaluation. `coverage` says that no rule of the set
/// is about an examination.
enum class RuleKind : std::uint8_t {
    coverage = 0,
    specimen = 1,
    quality_control = 2,
    instrument_flags = 3,
    interference = 4,  ///< haemolysis, icterus, lipaemia
    measuring_range = 5,
    plausibility = 6,
    critical = 7,
    reference = 8,
    delta = 9,
    consistency = 10,
    context = 11,
    completeness = 12,
    stability = 13,
};
std::string_view to_string(RuleKind kind);
std::optional<RuleKind> rule_kind_of(std::string_view word);

/// Of whom a rule speaks; what is not said does not matter.
struct Applies {
    std::optional<Sex> sex;
    std::optional<unsigned> age_from_days;  ///< at collection
    std::optional<unsigned> age_to_days;    ///< excluded
    std::optional<unsigned> weeks_from;     ///< of pregnancy
    std::optional<unsigned> weeks_to;       ///< included
    std::string ward;
    std::string treatment;  ///< a word of the clinical elements, whatever its accents and case
};

struct Rule {
    unsigned number{};                   ///< among those of its kind, from 1: `delta[2]`
    std::vector<std::string> analytes;   ///< local codes; `*`: every examination
    Verdict verdict{Verdict::red};       ///< of what it stops
    Verdict if_missing{Verdict::amber};  ///< when what it needs is not known
    Applies applies;
};

struct QualityRule : Rule {
    Duration oldest{};  ///< of the control, at the measurement
};
struct FlagRule : Rule {
    std::vector<std::string> blocking;  ///< flags of the analyser, as received
};
/// Stops above a limit of an index that is a result of the same specimen.
struct InterferenceRule : Rule {
    std::string index;  ///< its local code
    Decimal most;
};
/// Of a measuring range, plausible or critical limits, and limits that a context puts in their place.
struct LimitRule : Rule {
    RuleKind of{};  ///< of a context: measuring_range, plausibility, critical or reference
    std::string unit;
    Range limits;
};
/// Outside the reference range of the patient by more than that; nothing: at all.
struct ReferenceRule : Rule {
    std::optional<Decimal> percent;  ///< of the bound
    std::optional<Decimal> amount;   ///< in the unit of the result
};

/// Lab-domain 4.3. Rates are per day.
enum class DeltaFormula : std::uint8_t { absolute, percent, rate, percent_rate, reference_change };
std::string_view to_string(DeltaFormula formula);
struct DeltaRule : Rule {
    std::string unit;
    DeltaFormula formula{};
    Decimal limit;                         ///< more than that stops; of reference_change unused
    std::optional<Decimal> limit_of_zero;  ///< of a percentage whose earlier value is 0: the absolute change that stops
    Duration window{};                     ///< older values are not compared
    Decimal cv_analytical;                 ///< reference_change, in percent
    Decimal cv_within_person;
    Decimal z;
};

/// Between results of an order.
enum class ConsistencyForm : std::uint8_t {
    sum,       ///< of all, those with a minus taken away, within limits
    at_most,   ///< the first is not above the second
    times,     ///< the first times a factor is the second
    opposite,  ///< not both high, not both low
};
std::string_view to_string(ConsistencyForm form);
struct ConsistencyRule : Rule {
    ConsistencyForm form{};
    std::vector<bool> minus;         ///< of each of `analytes`
    std::vector<std::string> units;  ///< of each; of opposite none
    Range limits;                    ///< sum
    Decimal factor;                  ///< times
    Decimal tolerance;               ///< at_most: in the unit; times: percent of the second
    std::string name;                ///< French, for the reason
};
struct CompletenessRule : Rule {};
struct StabilityRule : Rule {
    Duration longest{};  ///< from collection to measurement
};

/// One result of a test of the set.
struct RuleTestResult {
    std::string code;
    std::string value;  ///< `5.1`, `<0.5`, a text
    std::string unit;
    Verdict expected{};
    std::optional<RuleKind> because;  ///< the kind that has to say it
    std::string previous;
    std::string previous_unit;  ///< empty: the same
    Duration previous_age{};
    std::vector<std::string> flags;
    std::string dilution;
    Range reference;
    std::optional<Flag> flag;             ///< none: by the reference
    std::optional<Duration> delay;        ///< from collection to measurement; none: collection unknown
    std::optional<Duration> control_age;  ///< none: control unknown
    bool control_failed{};
    bool refused{};
};
struct RuleTest {
    std::string name;
    std::optional<Sex> sex;
    std::optional<unsigned> age_days;
    std::optional<unsigned> weeks;
    std::string ward;
    std::string context;
    bool doubtful{};
    std::vector<std::string> awaited;  ///< codes that are missing of what was asked with the others
    std::vector<RuleTestResult> results;
    unsigned line{};
};

struct RuleSet {
    std::string name;
    std::vector<QualityRule> quality_control;
    std::vector<FlagRule> instrument_flags;
    std::vector<InterferenceRule> interference;
    std::vector<LimitRule> measuring_range;
    std::vector<LimitRule> plausibility;  ///< always red, and signed only with a reason
    std::vector<LimitRule> critical;      ///< in place of the limits of the catalogue
    std::vector<ReferenceRule> reference;
    std::vector<DeltaRule> delta;
    std::vector<ConsistencyRule> consistency;
    std::vector<LimitRule> context;
    std::vector<CompletenessRule> completeness;
    std::vector<StabilityRule> stability;
    std::vector<RuleTest> tests;
};

/// A rule as it is written and kept: the names of its fields with their texts.
struct RuleText {
    struct Field {
        std::string name;
        std::vector<std::string> values;  ///< one, or those of a list
        bool list{};
        unsigned line{};                             ///< 0: not from a file
        bool operator==(const Field& other) const {  // wherever they stand
            return name == other.name && values == other.values && list == other.list;
        }
    };
    std::string kind;  ///< rule_set, delta, test, result…
    unsigned line{};
    std::vector<Field> fields;
    std::vector<RuleText> parts;  ///< the results of a test
    bool operator==(const RuleText& other) const {
        return kind == other.kind && fields == other.fields && parts == other.parts;
    }
};

/// What texts say; unknown fields, wrong values and rules that can't be meant are refused at their coordinate:
/// `line 12, delta[2].limit`. Its tests are read, not run.
Result<RuleSet> read_rule_set(const std::vector<RuleText>& texts);

/// Runs the tests that the set brings. A test that fails, and a rule that speaks in no test, refuse the set, with all
/// that is wrong: `line 80, test[3].K`, `delta[2]`.
std::vector<Error> run_tests(const RuleSet& set);

}  // namespace sgl::domain
