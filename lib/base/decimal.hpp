// A decimal number as text: the digits received are kept (5.0 is not 5 on a report) and compared exactly, never in
// binary floating point (lab-domain 7.4).
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"

namespace sgl {

class Decimal {
public:
    Decimal() = default;
    /// `[+-]digits[.digits]`, at most 30 digits in all; a decimal comma is not accepted here.
    static Result<Decimal> parse(std::string_view text);

    const std::string& text() const { return text_; }  ///< as given, a leading `+` dropped
    std::string french() const;                        ///< decimal comma
    /// Half away from zero, to exactly that many decimals (lab-domain 7.4); only for display and report.
    Decimal rounded(unsigned decimals) const;
    /// Exactly; an error when the product has more than 30 digits.
    Result<Decimal> times(const Decimal& factor) const;

    friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
    friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == std::strong_ordering::equal; }

private:
    explicit Decimal(std::string text) : text_(std::move(text)) {}
    std::string text_{"0"};
};

}  // namespace sgl
