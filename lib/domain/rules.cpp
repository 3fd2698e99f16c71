#include "lib/domain/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "lib/base/text.hpp"

namespace sgl::domain {

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::green:
            return "green";
        case Verdict::amber:
            return "amber";
        case Verdict::red:
            return "red";
    }
    return "";
}

std::optional<Verdict> verdict_of(std::string_view word) {
    for (const auto verdict : {Verdict::green, Verdict::amber, Verdict::red}) {
        if (to_string(verdict) == word) return verdict;
    }
    return std::nullopt;
}

namespace {

constexpr std::array<std::string_view, 14> kind_names{
    "coverage", "specimen",  "quality_control", "instrument_flags", "interference", "measuring_range", "plausibility",
    "critical", "reference", "delta",           "consistency",      "context",      "completeness",    "stability"};

}  // namespace

std::string_view to_string(RuleKind kind) {
    return kind_names[static_cast<std::size_t>(kind)];
}

std::optional<RuleKind> rule_kind_of(std::string_view word) {
    const auto* const found = std::ranges::find(kind_names, word);
    if (found == kind_names.end()) return std::nullopt;
    return static_cast<RuleKind>(found - kind_names.begin());
}

std::string_view to_string(DeltaFormula formula) {
    switch (formula) {
        case DeltaFormula::absolute:
            return "absolute";
        case DeltaFormula::percent:
            return "percent";
        case DeltaFormula::rate:
            return "rate";
        case DeltaFormula::percent_rate:
            return "percent_rate";
        case DeltaFormula::reference_change:
            return "reference_change";
    }
    return "";
}

std::string_view to_string(ConsistencyForm form) {
    switch (form) {
        case ConsistencyForm::sum:
            return "sum";
        case ConsistencyForm::at_most:
            return "at_most";
        case ConsistencyForm::times:
            return "times";
        case ConsistencyForm::opposite:
            return "opposite";
    }
    return "";
}

namespace {

template <class T>
std::optional<T> whole(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// As the catalogue reads it: a year counts 365.25 days, a month a twelfth of it, rounded down.
std::optional<unsigned> days_of(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    const auto count = whole<unsigned>(text.substr(0, text.size() - 1));
    if (!count || *count > 60000) return std::nullopt;
    switch (text.back()) {
        case 'd':
            return *count;
        case 'w':
            return *count * 7;
        case 'm':
            return *count * 1461 / 48;
        case 'y':
            return *count * 1461 / 4;
        default:
            return std::nullopt;
    }
}

std::optional<Duration> duration_of(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    const auto count = whole<unsigned>(text.substr(0, text.size() - 1));
    if (!count || *count > 1'000'000) return std::nullopt;
    switch (text.back()) {
        case 'm':
            return std::chrono::minutes{*count};
        case 'h':
            return std::chrono::hours{*count};
        case 'd':
            return std::chrono::hours{24} * *count;
        default:
            return std::nullopt;
    }
}

std::optional<Range> range_of(std::string_view text) {
    const auto dots = text.find("..");
    if (dots == std::string_view::npos) return std::nullopt;
    Range range;
    for (auto [part, bound] :
         {std::pair{trim(text.substr(0, dots)), &range.low}, std::pair{trim(text.substr(dots + 2)), &range.high}}) {
        if (part.empty()) continue;
        auto value = Decimal::parse(part);
        if (!value) return std::nullopt;
        *bound = *value;
    }
    if (range.empty() || (range.low && range.high && *range.high < *range.low)) return std::nullopt;
    return range;
}

/// One entry: every field is asked for by name; what nobody asked for is unknown.
class Reader {
public:
    Reader(const RuleText& text, std::string place) : text_(text), place_(std::move(place)) {}

    const RuleText::Field* find(std::string_view name) {
        asked_.insert(std::string(name));
        const auto found = std::ranges::find(text_.fields, name, &RuleText::Field::name);
        return found == text_.fields.end() ? nullptr : &*found;
    }
    std::string text(std::string_view name, bool needed = false) {
        const auto* field = find(name);
        if (field == nullptr) {
            if (needed) wrong(name, "is missing", nullptr, Fault::missing);
            return {};
        }
        if (field->list || field->values.size() != 1)
            wrong(name, "expected one value", field);
        else if (needed && field->values.front().empty())
            wrong(name, "is empty", field);
        return field->values.empty() ? std::string() : field->values.front();
    }
    std::vector<std::string> list(std::string_view name, bool needed) {
        const auto* field = find(name);
        if (field == nullptr || field->values.empty()) {
            if (needed) wrong(name, "is missing: a list with one text at least", field, Fault::missing);
            return {};
        }
        if (!field->list) wrong(name, "expected a list", field);
        if (std::ranges::any_of(field->values, &std::string::empty)) wrong(name, "an empty text", field);
        return field->values;
    }
    /// Whatever `read` makes of the text; `what` says what was expected.
    template <class Read>
    auto value(std::string_view name, Read read, std::string_view what, bool needed = false) {
        decltype(read(std::string_view{})) made;
        const auto* field = find(name);
        if (field == nullptr) {
            if (needed) wrong(name, "is missing", nullptr, Fault::missing);
            return made;
        }
        if (!field->list && field->values.size() == 1) made = read(std::string_view(field->values.front()));
        if (!made) wrong(name, fmt::format("expected {}", what), field);
        return made;
    }
    std::optional<Decimal> number(std::string_view name, bool needed = false) {
        const auto read = [](std::string_view text) -> std::optional<Decimal> {
            auto number = Decimal::parse(text);
            if (!number || *number < Decimal()) return std::nullopt;
            return *number;
        };
        return value(name, read, "a number of 0 or more, in quotes when it has decimals (\"0.5\")", needed);
    }
    std::optional<Duration> duration(std::string_view name, bool needed = false) {
        return value(name, duration_of, "a duration such as \"30m\", \"24h\" or \"3d\"", needed);
    }
    std::optional<Range> range(std::string_view name, bool needed = false) {
        return value(name, range_of, "low..high, such as \"2.8..6.2\" or \"..5\"", needed);
    }
    std::optional<Verdict> verdict(std::string_view name) { return value(name, verdict_of, "green, amber or red"); }
    bool flag(std::string_view name) {
        const auto read = [](std::string_view text) -> std::optional<bool> {
            if (text != "true" && text != "false") return std::nullopt;
            return text == "true";
        };
        return value(name, read, "true or false").value_or(false);
    }
    std::optional<unsigned> weeks(std::string_view name) {
        const auto read = [](std::string_view text) -> std::optional<unsigned> {
            const auto weeks = whole<unsigned>(text);
            return weeks && *weeks <= 45 ? weeks : std::nullopt;
        };
        return value(name, read, "weeks of pregnancy");
    }
    std::optional<Sex> sex() {
        const auto read = [](std::string_view text) -> std::optional<Sex> {
            if (text != "F" && text != "M") return std::nullopt;
            return sex_of(text);
        };
        return value("sex", read, "F or M");
    }

    void wrong(std::string_view field, std::string what, const RuleText::Field* at = nullptr,
               Fault fault = Fault::malformed) {
        if (error_) return;
        const auto line = at != nullptr ? at->line : text_.line;
        error_ = Error{fault,
                       (line == 0 ? std::string() : fmt::format("line {}, ", line)) + place_ +
                           (field.empty() ? "" : "." + std::string(field)),
                       std::move(what)};
    }
    /// After all was asked for.
    std::optional<Error> finish() {
        for (const auto& field : text_.fields) {
            if (!asked_.contains(field.name)) wrong(field.name, "is not known here", &field);
        }
        return error_;
    }

private:
    const RuleText& text_;
    std::string place_;
    std::set<std::string, std::less<>> asked_;
    std::optional<Error> error_;
};

Applies read_applies(Reader& reader) {
    Applies applies;
    applies.sex = reader.sex();
    if (const auto age = reader.text("age"); !age.empty()) {
        const auto dash = age.find('-');
        const auto from = std::string_view(age).substr(0, dash);
        const auto to = dash == std::string::npos ? std::string_view() : std::string_view(age).substr(dash + 1);
        if (!from.empty()) applies.age_from_days = days_of(from);
        if (!to.empty()) applies.age_to_days = days_of(to);
        const bool good =
            dash != std::string::npos && (from.empty() || applies.age_from_days) &&
            (to.empty() || applies.age_to_days) && (applies.age_from_days || applies.age_to_days) &&
            !(applies.age_from_days && applies.age_to_days && *applies.age_from_days >= *applies.age_to_days);
        if (!good) reader.wrong("age", "expected ages such as \"18y-\" or \"3d-2y\"", reader.find("age"));
    }
    applies.weeks_from = reader.weeks("weeks_from");
    applies.weeks_to = reader.weeks("weeks_to");
    applies.ward = reader.text("ward");
    applies.treatment = reader.text("treatment");
    return applies;
}

bool is_always(const Applies& applies) {
    return !applies.sex && !applies.age_from_days && !applies.age_to_days && !applies.weeks_from && !applies.weeks_to &&
           applies.ward.empty() && applies.treatment.empty();
}

void read_head(Reader& reader, Rule& rule, Verdict verdict, Verdict if_missing) {
    rule.verdict = reader.verdict("verdict").value_or(verdict);
    if (rule.verdict == Verdict::green) reader.wrong("verdict", "a rule that stops nothing", reader.find("verdict"));
    rule.if_missing = reader.verdict("if_missing").value_or(if_missing);
    rule.applies = read_applies(reader);
}

void read_analytes(Reader& reader, Rule& rule, bool may_be_all) {
    rule.analytes = reader.list("analytes", true);
    if (!may_be_all && std::ranges::find(rule.analytes, "*") != rule.analytes.end())
        reader.wrong("analytes", "limits with a unit are those of named examinations", reader.find("analytes"));
}

void read_limits(Reader& reader, LimitRule& rule) {
    read_analytes(reader, rule, false);
    if (reader.find("unit") == nullptr)
        reader.wrong("unit", "is missing; \"\" when there is none", nullptr, Fault::missing);
    rule.unit = reader.text("unit");
    rule.limits = reader.range("limits", true).value_or(Range{});
}

void read(Reader& reader, QualityRule& rule) {
    read_head(reader, rule, Verdict::red, Verdict::amber);
    read_analytes(reader, rule, true);
    rule.oldest = reader.duration("oldest", true).value_or(Duration{});
}

void read(Reader& reader, FlagRule& rule) {
    read_head(reader, rule, Verdict::red, Verdict::amber);
    read_analytes(reader, rule, true);
    rule.blocking = reader.list("blocking", true);
}

void read(Reader& reader, InterferenceRule& rule) {
    read_head(reader, rule, Verdict::red, Verdict::amber);
    read_analytes(reader, rule, false);
    rule.index = reader.text("index", true);
    rule.most = reader.number("most", true).value_or(Decimal());
}

void read(Reader& reader, ReferenceRule& rule) {
    read_head(reader, rule, Verdict::amber, Verdict::amber);
    read_analytes(reader, rule, true);
    rule.percent = reader.number("percent");
    rule.amount = reader.number("amount");
    if (rule.percent && rule.amount) reader.wrong("amount", "percent or amount, not both", reader.find("amount"));
}

void read(Reader& reader, DeltaRule& rule) {
    read_head(reader, rule, Verdict::amber, Verdict::amber);
    read_analytes(reader, rule, false);
    rule.unit = reader.text("unit");
    const auto formula = [](std::string_view text) -> std::optional<DeltaFormula> {
        using enum DeltaFormula;
        for (const auto each : {absolute, percent, rate, percent_rate, reference_change}) {
            if (to_string(each) == text) return each;
        }
        return std::nullopt;
    };
    rule.formula = reader.value("formula", formula, "absolute, percent, rate, percent_rate or reference_change", true)
                       .value_or(DeltaFormula::absolute);
    rule.window = reader.duration("window", true).value_or(Duration{});
    if (rule.formula == DeltaFormula::reference_change) {
        rule.cv_analytical = reader.number("cv_analytical", true).value_or(Decimal());
        rule.cv_within_person = reader.number("cv_within_person", true).value_or(Decimal());
        rule.z = reader.number("z", true).value_or(Decimal());
    } else {
        rule.limit = reader.number("limit", true).value_or(Decimal());
    }
    if (rule.formula != DeltaFormula::absolute && rule.formula != DeltaFormula::rate)
        rule.limit_of_zero = reader.number("limit_of_zero");
}

void read(Reader& reader, ConsistencyRule& rule) {
    read_head(reader, rule, Verdict::amber, Verdict::green);
    const auto form = [](std::string_view text) -> std::optional<ConsistencyForm> {
        using enum ConsistencyForm;
        for (const auto each : {sum, at_most, times, opposite}) {
            if (to_string(each) == text) return each;
        }
        return std::nullopt;
    };
    rule.form = reader.value("form", form, "sum, at_most, times or opposite", true).value_or(ConsistencyForm::sum);
    rule.name = reader.text("name", true);
    for (auto& code : reader.list("of", true)) {
        const bool minus = code.starts_with('-');
        if (minus && rule.form != ConsistencyForm::sum)
            reader.wrong("of", "a minus has a meaning in a sum only", reader.find("of"));
        rule.minus.push_back(minus);
        rule.analytes.push_back(minus ? code.substr(1) : code);
    }
    const auto count = rule.analytes.size();
    if (std::set(rule.analytes.begin(), rule.analytes.end()).size() != count)
        reader.wrong("of", "an examination stands twice", reader.find("of"));
    if (rule.form == ConsistencyForm::sum ? count < 2 : count != 2)
        reader.wrong("of", rule.form == ConsistencyForm::sum ? "two examinations at least" : "two examinations",
                     reader.find("of"));
    if (rule.form != ConsistencyForm::opposite) {
        rule.units = reader.list("units", true);
        if (rule.units.size() == 1) rule.units.assign(count, rule.units.front());
        if (rule.units.size() != count) reader.wrong("units", "one for all, or one each", reader.find("units"));
        const bool same = std::ranges::all_of(rule.units, [&](const auto& unit) { return unit == rule.units.front(); });
        if (!same && rule.form != ConsistencyForm::times)
            reader.wrong("units", "what is added or compared has one unit", reader.find("units"));
    }
    if (rule.form == ConsistencyForm::sum) rule.limits = reader.range("limits", true).value_or(Range{});
    if (rule.form == ConsistencyForm::times) {
        rule.factor = reader.number("factor", true).value_or(Decimal());
        rule.tolerance = reader.number("percent", true).value_or(Decimal());
    }
    if (rule.form == ConsistencyForm::at_most) rule.tolerance = reader.number("amount").value_or(Decimal());
}

void read(Reader& reader, CompletenessRule& rule) {
    read_head(reader, rule, Verdict::amber, Verdict::amber);
    read_analytes(reader, rule, true);
}

void read(Reader& reader, StabilityRule& rule) {
    read_head(reader, rule, Verdict::red, Verdict::amber);
    read_analytes(reader, rule, true);
    rule.longest = reader.duration("longest", true).value_or(Duration{});
}

void read_limit(Reader& reader, LimitRule& rule, RuleKind kind) {
    read_head(reader, rule, Verdict::red, Verdict::amber);
    if (kind == RuleKind::plausibility && rule.verdict != Verdict::red)
        reader.wrong("verdict", "what is implausible is always red", reader.find("verdict"));
    rule.of = kind;
    read_limits(reader, rule);
}

void read_context(Reader& reader, LimitRule& rule) {
    read_head(reader, rule, Verdict::amber, Verdict::green);
    if (reader.find("verdict") != nullptr)
        reader.wrong("verdict", "that of the rule whose limits it moves", reader.find("verdict"));
    const auto of = [](std::string_view text) -> std::optional<RuleKind> {
        const auto kind = rule_kind_of(text);
        using enum RuleKind;
        if (kind == measuring_range || kind == plausibility || kind == critical || kind == reference) return kind;
        return std::nullopt;
    };
    rule.of = reader.value("of", of, "measuring_range, plausibility, critical or reference", true)
                  .value_or(RuleKind::reference);
    read_limits(reader, rule);
    if (is_always(rule.applies))
        reader.wrong("", "a context says whom it is for: sex, age, weeks_from, weeks_to, ward or treatment");
}

RuleTestResult read_test_result(Reader& reader) {
    RuleTestResult result;
    result.code = reader.text("code", true);
    result.value = reader.text("value", true);
    result.unit = reader.text("unit");
    result.expected = reader.value("verdict", verdict_of, "green, amber or red", true).value_or(Verdict::green);
    result.because = reader.value("because", rule_kind_of, "a kind of rule");
    result.previous = reader.text("previous");
    result.previous_unit = reader.text("previous_unit");
    result.previous_age = reader.duration("previous_age", !result.previous.empty()).value_or(Duration{});
    result.flags = reader.list("flags", false);
    result.dilution = reader.text("dilution");
    result.reference = reader.range("reference").value_or(Range{});
    result.flag = reader.value("flag", flag_of, "a flag: N, L, H, LL, HH or A");
    result.delay = reader.duration("delay");
    result.control_age = reader.duration("control_age");
    result.control_failed = reader.flag("control_failed");
    result.refused = reader.flag("refused");
    return result;
}

Result<RuleTest> read_test(const RuleText& text, const std::string& place) {
    Reader reader(text, place);
    RuleTest test;
    test.line = text.line;
    test.name = reader.text("name", true);
    test.sex = reader.sex();
    test.age_days = reader.value("age", days_of, "an age such as \"40y\" or \"3d\"");
    test.weeks = reader.weeks("weeks");
    test.ward = reader.text("ward");
    test.context = reader.text("context");
    test.doubtful = reader.flag("doubtful");
    test.awaited = reader.list("awaited", false);
    if (text.parts.empty())
        reader.wrong("result", "is missing: what is measured, and the verdict", nullptr, Fault::missing);
    if (auto error = reader.finish()) return *error;
    for (std::size_t i = 0; i < text.parts.size(); ++i) {
        const auto& part = text.parts[i];
        Reader of_result(part, fmt::format("{}.result[{}]", place, i + 1));
        if (part.kind != "result") of_result.wrong("", "is not known here");
        test.results.push_back(read_test_result(of_result));
        if (auto error = of_result.finish()) return *error;
    }
    return test;
}

template <class R, class Read>
std::optional<Error> add(std::vector<R>& to, const RuleText& text, Read read) {
    const auto number = static_cast<unsigned>(to.size() + 1);
    Reader reader(text, fmt::format("{}[{}]", text.kind, number));
    R rule;
    rule.number = number;
    read(reader, rule);
    if (!text.parts.empty()) reader.wrong(text.parts.front().kind, "is not known here");
    if (auto error = reader.finish()) return error;
    to.push_back(std::move(rule));
    return std::nullopt;
}

std::optional<Error> add(RuleSet& set, const RuleText& text) {
    const auto plain = [](Reader& reader, auto& rule) { read(reader, rule); };
    const auto limits = [](RuleKind kind) {
        return [kind](Reader& reader, LimitRule& rule) { read_limit(reader, rule, kind); };
    };
    const auto kind = rule_kind_of(text.kind);
    if (!kind) return Error{Fault::malformed, fmt::format("line {}, {}", text.line, text.kind), "no such kind of rule"};
    switch (*kind) {
        case RuleKind::quality_control:
            return add(set.quality_control, text, plain);
        case RuleKind::instrument_flags:
            return add(set.instrument_flags, text, plain);
        case RuleKind::interference:
            return add(set.interference, text, plain);
        case RuleKind::measuring_range:
            return add(set.measuring_range, text, limits(*kind));
        case RuleKind::plausibility:
            return add(set.plausibility, text, limits(*kind));
        case RuleKind::critical:
            return add(set.critical, text, limits(*kind));
        case RuleKind::reference:
            return add(set.reference, text, plain);
        case RuleKind::delta:
            return add(set.delta, text, plain);
        case RuleKind::consistency:
            return add(set.consistency, text, plain);
        case RuleKind::context:
            return add(set.context, text, &read_context);
        case RuleKind::completeness:
            return add(set.completeness, text, plain);
        case RuleKind::stability:
            return add(set.stability, text, plain);
        case RuleKind::coverage:
        case RuleKind::specimen:
            break;
    }
    return Error{Fault::malformed, fmt::format("line {}, {}", text.line, text.kind),
                 "is always asked: no rule is written for it"};
}

}  // namespace

Result<RuleSet> read_rule_set(const std::vector<RuleText>& texts) {
    RuleSet set;
    bool named = false;
    for (const auto& text : texts) {
        if (text.kind == "rule_set") {
            Reader reader(text, "rule_set");
            if (named) reader.wrong("", "stands twice");
            named = true;
            set.name = reader.text("name", true);
            if (auto error = reader.finish()) return *error;
        } else if (text.kind == "test") {
            auto test = read_test(text, fmt::format("test[{}]", set.tests.size() + 1));
            if (!test) return test.error();
            set.tests.push_back(std::move(*test));
        } else if (auto error = add(set, text)) {
            return *error;
        }
    }
    if (!named) return Error{Fault::missing, "rule_set", "is missing: [rule_set] with its name"};
    return set;
}

}  // namespace sgl::domain
