#include "lib/domain/exact.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sgl::domain {

Exact::Exact(const Decimal& number) {
    bool negative = false;
    bool fraction = false;
    for (const char c : number.text()) {
        if (c == '-') {
            negative = true;
        } else if (c == '.') {
            fraction = true;
        } else {
            valid_ = valid_ && !__builtin_mul_overflow(digits_, 10, &digits_) &&
                     !__builtin_add_overflow(digits_, c - '0', &digits_);
            if (fraction) ++scale_;
        }
    }
    if (negative) digits_ = -digits_;
}

Exact Exact::abs() const {
    return {digits_ < 0 ? -digits_ : digits_, scale_, valid_};
}

double Exact::approximately() const {
    auto number = static_cast<double>(digits_);
    for (unsigned i = 0; i < scale_; ++i)
        number /= 10;
    return number;
}

/// To the same scale; false when that does not fit.
bool Exact::align(Exact& a, Exact& b) {
    if (!a.valid_ || !b.valid_) return false;
    auto& shorter = a.scale_ < b.scale_ ? a : b;
    const auto scale = std::max(a.scale_, b.scale_);
    for (; shorter.scale_ < scale; ++shorter.scale_) {
        if (__builtin_mul_overflow(shorter.digits_, 10, &shorter.digits_)) return false;
    }
    return true;
}

Exact operator+(const Exact& a, const Exact& b) {
    auto left = a;
    auto right = b;
    if (!Exact::align(left, right)) return {0, 0, false};
    Exact::Digits sum{};
    const bool fits = !__builtin_add_overflow(left.digits_, right.digits_, &sum);
    return {sum, left.scale_, fits};
}

Exact operator-(const Exact& a, const Exact& b) {
    return a + Exact(-b.digits_, b.scale_, b.valid_);
}

Exact operator*(const Exact& a, const Exact& b) {
    Exact::Digits product{};
    const bool fits = a.valid_ && b.valid_ && !__builtin_mul_overflow(a.digits_, b.digits_, &product);
    return {product, a.scale_ + b.scale_, fits};
}

std::partial_ordering operator<=>(const Exact& a, const Exact& b) {
    auto left = a;
    auto right = b;
    if (!Exact::align(left, right)) return std::partial_ordering::unordered;
    if (left.digits_ == right.digits_) return std::partial_ordering::equivalent;
    return left.digits_ < right.digits_ ? std::partial_ordering::less : std::partial_ordering::greater;
}

std::string about(double number) {
    auto text = fmt::format("{:.2f}", number);
    while (text.ends_with('0'))
        text.pop_back();
    if (text.ends_with('.')) text.pop_back();
    if (text == "-0") text = "0";
    std::ranges::replace(text, '.', ',');
    return text;
}

}  // namespace sgl::domain
