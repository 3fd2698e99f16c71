#include "lib/base/decimal.hpp"

#include <algorithm>
#include <vector>

namespace sgl {

namespace {

struct Parts {
    bool negative;
    std::string_view whole;     // without leading zeros
    std::string_view fraction;  // without trailing zeros
};

Parts parts_of(std::string_view text) {
    Parts parts{text.starts_with('-'), {}, {}};
    if (parts.negative) text.remove_prefix(1);
    const auto dot = text.find('.');
    parts.whole = text.substr(0, dot);
    if (dot != std::string_view::npos) parts.fraction = text.substr(dot + 1);
    while (!parts.whole.empty() && parts.whole.front() == '0')
        parts.whole.remove_prefix(1);
    while (!parts.fraction.empty() && parts.fraction.back() == '0')
        parts.fraction.remove_suffix(1);
    if (parts.whole.empty() && parts.fraction.empty()) parts.negative = false;
    return parts;
}

std::strong_ordering compare_magnitude(const Parts& a, const Parts& b) {
    if (a.whole.size() != b.whole.size()) return a.whole.size() <=> b.whole.size();
    if (const auto whole = a.whole.compare(b.whole); whole != 0) return whole <=> 0;
    return a.fraction.compare(b.fraction) <=> 0;
}

}  // namespace

Result<Decimal> Decimal::parse(std::string_view text) {
    const auto bad = [] { return Error{Fault::malformed, "", "not a decimal number"}; };
    if (text.starts_with("+-")) return bad();
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto body = text.starts_with('-') ? text.substr(1) : text;
    const auto dot = body.find('.');
    const auto is_digits = [](std::string_view part) {
        return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    };
    if (body.size() > 31 || !is_digits(body.substr(0, dot))) return bad();
    if (dot != std::string_view::npos && !is_digits(body.substr(dot + 1))) return bad();
    return Decimal{std::string(text)};
}

std::string Decimal::french() const {
    std::string text = text_;
    std::ranges::replace(text, '.', ',');
    return text;
}

Decimal Decimal::rounded(unsigned decimals) const {
    const bool negative = text_.starts_with('-');
    std::string_view body = text_;
    if (negative) body.remove_prefix(1);
    const auto dot = body.find('.');
    std::string digits(body.substr(0, dot));
    std::string fraction(dot == std::string_view::npos ? std::string_view{} : body.substr(dot + 1));
    const bool up = fraction.size() > decimals && fraction[decimals] >= '5';
    fraction.resize(decimals, '0');
    digits += fraction;
    if (up) {
        auto it = digits.rbegin();
        while (it != digits.rend() && *it == '9')
            *it++ = '0';
        if (it == digits.rend())
            digits.insert(digits.begin(), '1');
        else
            ++*it;
    }
    if (decimals > 0) digits.insert(digits.size() - decimals, ".");
    const bool zero = digits.find_first_not_of("0.") == std::string::npos;
    return Decimal{(negative && !zero ? "-" : "") + digits};
}

Result<Decimal> Decimal::times(const Decimal& factor) const {
    const auto a = parts_of(text_);
    const auto b = parts_of(factor.text_);
    const auto digits_of = [](const Parts& parts) {
        std::vector<unsigned> digits;  // least significant first
        for (const auto part : {parts.fraction, parts.whole}) {
            for (auto it = part.rbegin(); it != part.rend(); ++it)
                digits.push_back(static_cast<unsigned>(*it - '0'));
        }
        return digits;
    };
    const auto x = digits_of(a);
    const auto y = digits_of(b);
    std::vector<unsigned> product(x.size() + y.size() + 1, 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t j = 0; j < y.size(); ++j)
            product[i + j] += x[i] * y[j];
    }
    for (std::size_t i = 0; i + 1 < product.size(); ++i) {
        product[i + 1] += product[i] / 10;
        product[i] %= 10;
    }
    const auto decimals = a.fraction.size() + b.fraction.size();
    while (product.size() > decimals + 1 && product.back() == 0)
        product.pop_back();
    std::string text;
    for (const auto digit : product)
        text += static_cast<char>('0' + digit);
    while (text.size() <= decimals)
        text += '0';
    std::ranges::reverse(text);
    if (decimals > 0) {
        text.insert(text.size() - decimals, ".");
        while (text.back() == '0')
            text.pop_back();
        if (text.back() == '.') text.pop_back();
    }
    const bool zero = text == "0";
    return parse((a.negative != b.negative && !zero ? "-" : "") + text);
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
    const auto x = parts_of(a.text_);
    const auto y = parts_of(b.text_);
    if (x.negative != y.negative) return x.negative ? std::strong_ordering::less : std::strong_ordering::greater;
    const auto magnitude = compare_magnitude(x, y);
    return x.negative ? 0 <=> magnitude : magnitude;
}

}  // namespace sgl
