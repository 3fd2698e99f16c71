#include "lib/domain/identifiers.hpp"

#include <algorithm>
#include <charconv>

namespace sgl::domain {

namespace {

bool all_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<Rpps> Rpps::parse(std::string_view text) {
    if (text.size() == 12 && text.front() == '8') text.remove_prefix(1);
    if (text.size() != 11 || !all_digits(text)) return Error{Fault::malformed, "", "an RPPS number has 11 digits"};
    return Rpps{std::string(text)};
}

Result<Finess> Finess::parse(std::string_view text) {
    const bool form = text.size() == 9 && std::ranges::all_of(text, [](char c) {
                          return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                      });
    if (!form) return Error{Fault::malformed, "", "a FINESS number has 9 characters"};
    return Finess{std::string(text)};
}

Result<InsMatricule> InsMatricule::parse(std::string_view text) {
    if (text.size() != 15) return Error{Fault::malformed, "", "an INS matricule has 15 characters, key included"};
    // Key: 97 - (NIR mod 97), Corsica's 2A and 2B counted as 19 and 18.
    std::string number(text.substr(0, 13));
    if (const char letter = number[6]; letter == 'A' || letter == 'B') {
        if (number[5] != '2') return Error{Fault::malformed, "", "a letter stands only in department 2A or 2B"};
        number.replace(5, 2, letter == 'A' ? "19" : "18");
    }
    if (!all_digits(number) || !all_digits(text.substr(13)))
        return Error{Fault::malformed, "", "an INS matricule is made of digits"};
    std::uint64_t value = 0;
    std::from_chars(number.data(), number.data() + number.size(), value);
    unsigned key = 0;
    std::from_chars(text.data() + 13, text.data() + 15, key);
    if (97 - value % 97 != key) return Error{Fault::malformed, "", "the key of the INS matricule does not match"};
    return InsMatricule{std::string(text)};
}

bool is_ins_oid(std::string_view oid) {
    return oid == oid::ins_nir || oid == oid::ins_nia || oid == oid::ins_nir_test || oid == oid::ins_nir_demonstration;
}

bool is_test_ins_oid(std::string_view oid) {
    return oid == oid::ins_nir_test || oid == oid::ins_nir_demonstration;
}

bool is_loinc(std::string_view code) {
    const auto dash = code.find('-');
    if (dash == std::string_view::npos || dash == 0 || dash > 6 || dash + 2 != code.size()) return false;
    const auto number = code.substr(0, dash);
    if (!all_digits(number) || !all_digits(code.substr(dash + 1))) return false;
    int sum = 0;
    bool twice = true;  // Luhn: from the right, every other digit is doubled
    for (auto it = number.rbegin(); it != number.rend(); ++it, twice = !twice) {
        int digit = *it - '0';
        if (twice) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return (10 - sum % 10) % 10 == code.back() - '0';
}

bool is_oid(std::string_view text) {
    if (text.empty() || text.size() > 64 || text.front() < '0' || text.front() > '2') return false;
    bool after_dot = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '.') {
            if (after_dot) return false;
            after_dot = true;
        } else if (text[i] >= '0' && text[i] <= '9') {
            if (after_dot && text[i] == '0' && i + 1 < text.size() && text[i + 1] != '.') return false;
            after_dot = false;
        } else {
            return false;
        }
    }
    return !after_dot;
}

}  // namespace sgl::domain
