// Sums, differences and products of decimal numbers without rounding, for limits that have to be met exactly. What does
// not fit is no number any more, and compares with nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "lib/base/decimal.hpp"

namespace sgl::domain {

class Exact {
public:
    explicit Exact(const Decimal& number);
    explicit Exact(std::int64_t number) : digits_(number) {}

    bool valid() const { return valid_; }
    bool zero() const { return valid_ && digits_ == 0; }
    Exact abs() const;
    double approximately() const;

    friend Exact operator+(const Exact& a, const Exact& b);
    friend Exact operator-(const Exact& a, const Exact& b);
    friend Exact operator*(const Exact& a, const Exact& b);
    friend std::partial_ordering operator<=>(const Exact& a, const Exact& b);
    friend bool operator==(const Exact& a, const Exact& b) { return (a <=> b) == 0; }

private:
    __extension__ typedef __int128 Digits;
    Exact(Digits digits, unsigned scale, bool valid) : digits_(digits), scale_(scale), valid_(valid) {}
    static bool align(Exact& a, Exact& b);

    Digits digits_{};
    unsigned scale_{};  ///< digits after the point
    bool valid_{true};
};

/// At most two decimals, decimal comma: for reasons that people read.
std::string about(double number);

}  // namespace sgl::domain
