// What a result says: a quantity, a coded answer, or a text (lab-domain 7.4).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "lib/base/decimal.hpp"

namespace sgl::domain {

enum class Comparator : std::uint8_t { none, less, less_or_equal, greater, greater_or_equal };

struct Quantity {
    Comparator comparator{Comparator::none};
    Decimal number;
    std::string unit;  ///< UCUM; empty: without unit
    bool operator==(const Quantity&) const = default;
};

struct Coded {
    std::string code;     ///< may be empty: then only `display` is known
    std::string system;   ///< OID
    std::string display;  ///< French
    bool operator==(const Coded&) const = default;
};

struct Words {
    std::string text;
    bool operator==(const Words&) const = default;
};

using Value = std::variant<Quantity, Coded, Words>;

std::string_view to_string(Comparator comparator);  ///< "", "<", "<=", ">", ">="
std::optional<Comparator> comparator_of(std::string_view sign);
/// As printed in French: `< 0,10`, decimal comma, without unit.
std::string to_french(const Value& value);
std::string french_unit(std::string_view ucum);  ///< 10*9/L → G/L, [IU]/L → UI/L…: what a French report shows

/// The range that was applied to a result; a missing bound is open. Both bounds belong to the range.
struct Range {
    std::optional<Decimal> low;
    std::optional<Decimal> high;
    bool empty() const { return !low && !high; }
    bool operator==(const Range&) const = default;
};
std::string to_french(const Range& range);  ///< `3,5 – 5,0`, `≤ 5,0`, `≥ 60`

/// Interpretation against a range: our own flags are computed from our ranges (hl7v2-lab 8.7).
enum class Flag : std::uint8_t { none, normal, low, high, critical_low, critical_high, abnormal };
std::string_view to_string(Flag flag);  ///< "", N, L, H, LL, HH, A
std::optional<Flag> flag_of(std::string_view code);
/// `<5` is below a low bound of 5 or more, and within or unknown otherwise: never flagged by guess.
Flag interpret(const Quantity& quantity, const Range& reference, const Range& critical);

}  // namespace sgl::domain
