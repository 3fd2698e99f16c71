#include "cda/keys.hpp"

#include <cstdint>

namespace sgl::cda::keys {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
unsigned value(char c) { return static_cast<unsigned>(c - '0'); }

// The sum of Luhn (mod 10), every second digit doubled; `doubled` says whether the last one is.
unsigned mod10(std::string_view digits, bool doubled) {
    unsigned sum = 0;
    for (std::size_t i = digits.size(); i-- > 0; doubled = !doubled) {
        const auto d = value(digits[i]) * (doubled ? 2 : 1);
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10;
}

bool all_digits(std::string_view text) {
    for (const char c : text)
        if (!digit(c)) return false;
    return !text.empty();
}

}  // namespace

bool is_ins(std::string_view matricule) {
    if (matricule.size() != 15) return false;
    if (std::string_view("123478").find(matricule[0]) == std::string_view::npos) return false;
    for (std::size_t i = 1; i < 15; ++i)
        if (!digit(matricule[i]) && !(i == 6 && (matricule[i] == 'A' || matricule[i] == 'B'))) return false;
    return true;
}

bool ins_key_holds(std::string_view matricule) {
    std::int64_t number = 0;
    for (const char c : matricule.substr(0, 13)) number = number * 10 + (digit(c) ? value(c) : 0);
    if (matricule[6] == 'A') number -= 1'000'000;
    if (matricule[6] == 'B') number -= 2'000'000;
    return 97 - number % 97 == static_cast<std::int64_t>(value(matricule[13]) * 10 + value(matricule[14]));
}

bool luhn_holds(std::string_view digits) { return all_digits(digits) && mod10(digits, false) == 0; }

bool is_loinc(std::string_view code) {
    const auto dash = code.find('-');
    if (dash == std::string_view::npos || dash > 7 || dash + 2 != code.size()) return false;
    const auto number = code.substr(0, dash);
    if (!all_digits(number) || !digit(code.back())) return false;
    return (10 - mod10(number, true)) % 10 == value(code.back());
}

}  // namespace sgl::cda::keys
