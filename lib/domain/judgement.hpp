// What the rules say of the results of an order (lab-domain 4.2, 4.3): a verdict for each, with its reasons and the
// values that were used. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/time.hpp"
#include "lib/domain/identifiers.hpp"
#include "lib/domain/rules.hpp"

namespace sgl::domain {

/// An earlier value of the same analysis of the same patient.
struct EarlierValue {
    Value value;
    Timestamp at;
    bool replaced{};  ///< corrected or withdrawn since: the one that took its place counts
};

struct QualityControl {
    bool passed{};
    Timestamp at;
};

/// One result with what its rules may ask for.
struct ResultToJudge {
    ResultId id;
    std::string code;
    std::string label;
    Value value;
    bool done{true};
    bool of_culture{};           ///< a line of an isolate: for the biologist alone
    bool performed_elsewhere{};  ///< in another laboratory: with its range and flag
    Flag flag{Flag::none};       ///< by the range and the critical limits of the catalogue
    Range reference;             ///< of this patient
    std::vector<std::string> instrument_flags;
    std::string dilution;
    std::string specimen;  ///< its number; empty: unknown
    std::string refusal;   ///< why its specimen was refused; empty: it was not
    bool refused{};
    Timestamp measured_at;
    std::optional<Timestamp> collected_at;
    std::optional<QualityControl> control;
    std::vector<EarlierValue> earlier;
    std::string ordered_as;  ///< examination or panel that was asked
};

struct OrderToJudge {
    std::optional<Timestamp> birth_date;
    Sex sex{Sex::unknown};
    bool doubtful{};                ///< identity
    std::optional<unsigned> weeks;  ///< of pregnancy
    std::string ward;
    std::string context;                                       ///< clinical elements, treatment
    std::vector<std::pair<std::string, std::string>> awaited;  ///< label of what is missing, what it was asked with
    TimeZone zone{TimeZone::paris()};
    std::vector<ResultToJudge> results;
};

/// What one rule says of one result.
struct Finding {
    RuleKind kind{};
    unsigned rule{};  ///< Rule::number; 0: always asked, by no rule of the set
    Verdict verdict{};
    bool missing{};                                           ///< it could not be decided: something is not known
    std::string reason;                                       ///< French
    std::vector<std::pair<std::string, std::string>> values;  ///< by name: value, limit, previous…

    bool operator==(const Finding&) const = default;
};

struct Judgement {
    ResultId result;
    std::string code;
    Verdict verdict{};
    bool implausible{};             ///< signed only by somebody who says why
    bool critical{};                ///< somebody has to be called
    std::vector<Finding> findings;  ///< in the order of evaluation; what passed without a word is left out
};

std::vector<Judgement> judge(const RuleSet& set, const OrderToJudge& order);

struct VerdictCounts {
    unsigned green{};
    unsigned amber{};
    unsigned red{};
};
VerdictCounts count(const std::vector<Judgement>& judgements);

/// `28 SA` (semaines d'aménorrhée) in the clinical elements: weeks of pregnancy.
std::optional<unsigned> weeks_of_pregnancy(std::string_view context);

}  // namespace sgl::domain
