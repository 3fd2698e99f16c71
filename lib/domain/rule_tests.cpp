// The tests that a rule set brings: invented results go through judge(), and say what was promised or not.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/domain/judgement.hpp"

namespace sgl::domain {

namespace {

Value value_of(std::string_view text, const std::string& unit) {
    for (const auto comparator : {Comparator::less_or_equal, Comparator::greater_or_equal, Comparator::less,
                                  Comparator::greater, Comparator::none}) {
        const auto sign = to_string(comparator);
        if (!text.starts_with(sign)) continue;
        if (auto number = Decimal::parse(text.substr(sign.size()))) return Quantity{comparator, *number, unit};
    }
    return Words{std::string(text)};
}

OrderToJudge order_of(const RuleTest& test) {
    OrderToJudge order;
    order.zone = TimeZone::utc();
    const Instant noon = std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + std::chrono::hours{12};
    const auto at = [&](Duration before) { return order.zone.to_local(noon - before); };
    if (test.age_days) order.birth_date = order.zone.to_local(noon - std::chrono::days{*test.age_days}, Precision::day);
    order.sex = test.sex.value_or(Sex::unknown);
    order.doubtful = test.doubtful;
    order.weeks = test.weeks ? test.weeks : weeks_of_pregnancy(test.context);
    order.ward = test.ward;
    order.context = test.context;
    for (const auto& code : test.awaited)
        order.awaited.emplace_back(code, "test");
    std::int64_t id = 0;
    for (const auto& wanted : test.results) {
        ResultToJudge result;
        result.id = ResultId{++id};
        result.code = result.label = wanted.code;
        result.value = value_of(wanted.value, wanted.unit);
        result.reference = wanted.reference;
        if (const auto* quantity = std::get_if<Quantity>(&result.value))
            result.flag = interpret(*quantity, wanted.reference, {});
        if (wanted.flag) result.flag = *wanted.flag;
        result.instrument_flags = wanted.flags;
        result.dilution = wanted.dilution;
        result.specimen = "1";
        result.refused = wanted.refused;
        result.measured_at = at({});
        if (wanted.delay) result.collected_at = at(*wanted.delay);
        if (wanted.control_age || wanted.control_failed)
            result.control = QualityControl{!wanted.control_failed, at(wanted.control_age.value_or(Duration{}))};
        if (!wanted.previous.empty()) {
            const auto& unit = wanted.previous_unit.empty() ? wanted.unit : wanted.previous_unit;
            result.earlier.push_back({value_of(wanted.previous, unit), at(wanted.previous_age), false});
        }
        result.ordered_as = "test";
        order.results.push_back(std::move(result));
    }
    return order;
}

std::string said(const Judgement& judgement) {
    std::string text{to_string(judgement.verdict)};
    for (const auto& finding : judgement.findings)
        text += fmt::format("; {}[{}] {}: {}", to_string(finding.kind), finding.rule, to_string(finding.verdict),
                            finding.reason);
    return text;
}

bool as_expected(const RuleTestResult& wanted, const Judgement& judgement) {
    if (judgement.verdict != wanted.expected) return false;
    if (!wanted.because) return true;
    return std::ranges::any_of(judgement.findings, [&](const Finding& finding) {
        return finding.kind == *wanted.because &&
               (finding.verdict == wanted.expected || finding.verdict == Verdict::green);
    });
}

using Spoken = std::set<std::pair<RuleKind, unsigned>>;

template <class R>
void silent(const std::vector<R>& rules, RuleKind kind, const Spoken& spoken, std::vector<Error>& errors) {
    for (const auto& rule : rules) {
        if (spoken.contains({kind, rule.number})) continue;
        errors.push_back({Fault::refused, fmt::format("{}[{}]", to_string(kind), rule.number),
                          kind == RuleKind::context ? "no test of the set is in this context"
                                                    : "no test of the set makes this rule stop a result"});
    }
}

}  // namespace

std::vector<Error> run_tests(const RuleSet& set) {
    std::vector<Error> errors;
    Spoken spoken;
    for (std::size_t i = 0; i < set.tests.size(); ++i) {
        const auto& test = set.tests[i];
        const auto judgements = judge(set, order_of(test));
        for (std::size_t j = 0; j < judgements.size(); ++j) {
            for (const auto& finding : judgements[j].findings) {
                const bool counts = finding.verdict != Verdict::green || finding.kind == RuleKind::context;
                if (counts && !finding.missing) spoken.emplace(finding.kind, finding.rule);
            }
            const auto& wanted = test.results[j];
            if (as_expected(wanted, judgements[j])) continue;
            auto expected = std::string(to_string(wanted.expected));
            if (wanted.because) expected += fmt::format(" by {}", to_string(*wanted.because));
            const auto line = test.line == 0 ? std::string() : fmt::format("line {}, ", test.line);
            errors.push_back({Fault::refused, fmt::format("{}test[{}].{}", line, i + 1, wanted.code),
                              fmt::format("expected {}, the rules say {}", expected, said(judgements[j]))});
        }
    }
    silent(set.quality_control, RuleKind::quality_control, spoken, errors);
    silent(set.instrument_flags, RuleKind::instrument_flags, spoken, errors);
    silent(set.interference, RuleKind::interference, spoken, errors);
    silent(set.measuring_range, RuleKind::measuring_range, spoken, errors);
    silent(set.plausibility, RuleKind::plausibility, spoken, errors);
    silent(set.critical, RuleKind::critical, spoken, errors);
    silent(set.reference, RuleKind::reference, spoken, errors);
    silent(set.delta, RuleKind::delta, spoken, errors);
    silent(set.consistency, RuleKind::consistency, spoken, errors);
    silent(set.context, RuleKind::context, spoken, errors);
    silent(set.completeness, RuleKind::completeness, spoken, errors);
    silent(set.stability, RuleKind::stability, spoken, errors);
    return errors;
}

}  // namespace sgl::domain
