#include "lib/domain/value.hpp"

#include <array>
#include <utility>

#include "lib/base/text.hpp"

namespace sgl::domain {

std::string_view to_string(Comparator comparator) {
    switch (comparator) {
        case Comparator::none:
            return "";
        case Comparator::less:
            return "<";
        case Comparator::less_or_equal:
            return "<=";
        case Comparator::greater:
            return ">";
        case Comparator::greater_or_equal:
            return ">=";
    }
    return "";
}

std::optional<Comparator> comparator_of(std::string_view sign) {
    for (const auto c : {Comparator::none, Comparator::less, Comparator::less_or_equal, Comparator::greater,
                         Comparator::greater_or_equal}) {
        if (to_string(c) == sign) return c;
    }
    return std::nullopt;
}

std::string to_french(const Value& value) {
    if (const auto* quantity = std::get_if<Quantity>(&value)) {
        switch (quantity->comparator) {
            case Comparator::none:
                return quantity->number.french();
            case Comparator::less:
                return "< " + quantity->number.french();
            case Comparator::less_or_equal:
                return "≤ " + quantity->number.french();
            case Comparator::greater:
                return "> " + quantity->number.french();
            case Comparator::greater_or_equal:
                return "≥ " + quantity->number.french();
        }
    }
    if (const auto* coded = std::get_if<Coded>(&value)) return coded->display.empty() ? coded->code : coded->display;
    return std::get<Words>(value).text;
}

std::string french_unit(std::string_view ucum) {
    // French habit on paper (lab-domain 7.4); what is not here is shown as it is.
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> habits{{
        {"10*9/L", "G/L"},
        {"10*12/L", "T/L"},
        {"[IU]/L", "UI/L"},
        {"m[IU]/L", "mUI/L"},
        {"k[IU]/L", "kUI/L"},
        {"ug/L", "µg/L"},
        {"umol/L", "µmol/L"},
        {"ug/mL", "µg/mL"},
        {"um3", "µm³"},
        {"10*3/uL", "10³/µL"},
        {"10*6/uL", "10⁶/µL"},
        {"mL/min/{1.73_m2}", "mL/min/1,73 m²"},
        {"[pH]", ""},
        {"{CFU}/mL", "UFC/mL"},
        {"[CFU]/mL", "UFC/mL"},
        {"{copies}/mL", "copies/mL"},
    }};
    for (const auto& [from, to] : habits) {
        if (from == ucum) return std::string(to);
    }
    if (ucum.starts_with('{') && ucum.ends_with('}')) return {};
    return std::string(ucum);
}

std::string to_french(const Range& range) {
    if (range.low && range.high) return range.low->french() + " – " + range.high->french();
    if (range.low) return "≥ " + range.low->french();
    if (range.high) return "≤ " + range.high->french();
    return {};
}

std::string_view to_string(Flag flag) {
    switch (flag) {
        case Flag::none:
            return "";
        case Flag::normal:
            return "N";
        case Flag::low:
            return "L";
        case Flag::high:
            return "H";
        case Flag::critical_low:
            return "LL";
        case Flag::critical_high:
            return "HH";
        case Flag::abnormal:
            return "A";
    }
    return "";
}

std::optional<Flag> flag_of(std::string_view code) {
    for (const auto flag :
         {Flag::none, Flag::normal, Flag::low, Flag::high, Flag::critical_low, Flag::critical_high, Flag::abnormal}) {
        if (to_string(flag) == code) return flag;
    }
    return std::nullopt;
}

Flag interpret(const Quantity& quantity, const Range& reference, const Range& critical) {
    if (reference.empty()) return Flag::none;
    const auto& number = quantity.number;
    const bool at_most = quantity.comparator == Comparator::less || quantity.comparator == Comparator::less_or_equal;
    const bool at_least =
        quantity.comparator == Comparator::greater || quantity.comparator == Comparator::greater_or_equal;
    // With a comparator only what is certain counts: `<5` is surely under a bound of 5 or more.
    const auto under = [&](const Decimal& bound) {
        if (at_least) return false;
        if (at_most) return quantity.comparator == Comparator::less ? number <= bound : number < bound;
        return number < bound;
    };
    const auto over = [&](const Decimal& bound) {
        if (at_most) return false;
        if (at_least) return quantity.comparator == Comparator::greater ? number >= bound : number > bound;
        return number > bound;
    };
    if (critical.low && under(*critical.low)) return Flag::critical_low;
    if (critical.high && over(*critical.high)) return Flag::critical_high;
    if (reference.low && under(*reference.low)) return Flag::low;
    if (reference.high && over(*reference.high)) return Flag::high;
    const bool certainly_not_under = !reference.low || (!at_most && number >= *reference.low);
    const bool certainly_not_over = !reference.high || (!at_least && number <= *reference.high);
    return certainly_not_under && certainly_not_over ? Flag::normal : Flag::none;
}

}  // namespace sgl::domain
