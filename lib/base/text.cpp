#include "lib/base/text.hpp"

#include <algorithm>
#include <utility>

#include "lib/base/utf8.hpp"

namespace sgl {

namespace {

// U+00C0…U+017F, in order: the Latin letters that French, German, Spanish, Polish… names use.
constexpr std::string_view latin1_base =
    "AAAAAA\1CEEEEIIII"  // C0–CF (\1 = AE)
    "DNOOOOO*OUUUUYTs"   // D0–DF (* = multiplication sign)
    "aaaaaa\2ceeeeiiii"  // E0–EF (\2 = ae)
    "dnooooo*ouuuuyty";  // F0–FF

constexpr std::string_view latin_extended_a =
    "AaAaAaCcCcCcCcDd"
    "DdEeEeEeEeEeGgGg"
    "GgGgHhHhIiIiIiIi"
    "Ii\5\6JjKkkLlLlLlL"
    "lLlNnNnNnnNnOoOo"
    "Oo\3\4RrRrRrSsSsSs"
    "SsTtTtTtUuUuUuUu"
    "UuUuWwYyYZzZzZzs";

}  // namespace

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = utf8::first(bytes).size;
        if (size == 0) return false;
        bytes.remove_prefix(size);
    }
    return true;
}

std::string without_accents(std::string_view utf8) {
    std::string out;
    out.reserve(utf8.size());
    while (!utf8.empty()) {
        auto [code, length] = utf8::first(utf8);
        if (length == 0) length = 1;
        char base = 0;
        if (code >= 0xC0 && code <= 0xFF)
            base = latin1_base[code - 0xC0];
        else if (code >= 0x100 && code <= 0x17F)
            base = latin_extended_a[code - 0x100];
        if (base == 1)
            out += "AE";
        else if (base == 2)
            out += "ae";
        else if (base == 3)
            out += "OE";
        else if (base == 4)
            out += "oe";
        else if (base == 5)
            out += "IJ";
        else if (base == 6)
            out += "ij";
        else if (base != 0 && base != '*')
            out += base;
        else if (code == 0x2019 || code == 0x02BC)
            out += '\'';
        else if (code >= 0x300 && code <= 0x36F) {
        }  // combining accent: dropped
        else
            out += utf8.substr(0, length);
        utf8.remove_prefix(length);
    }
    return out;
}

std::string to_upper_ascii(std::string_view text) {
    std::string out(text);
    for (auto& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

std::string normalised_name(std::string_view utf8) {
    return to_upper_ascii(without_accents(trim(utf8)));
}

std::string_view first_characters(std::string_view utf8, std::size_t characters) {
    std::size_t at = 0;
    while (characters > 0 && at < utf8.size()) {
        const auto length = utf8::first(utf8.substr(at)).size;
        at += length == 0 ? 1 : length;
        --characters;
    }
    return utf8.substr(0, at);
}

}  // namespace sgl
