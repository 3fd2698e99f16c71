#include "lib/net/http.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "lib/base/text.hpp"

namespace sgl::net {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::optional<std::string> decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%') {
            unsigned value = 0;
            if (i + 2 >= text.size()) return std::nullopt;
            const char* end = text.data() + i + 3;
            if (std::from_chars(text.data() + i + 1, end, value, 16).ptr != end || value == 0) return std::nullopt;
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += text[i];
        }
    }
    if (!is_utf8(out) || out.find('\0') != std::string::npos) return std::nullopt;
    return out;
}

}  // namespace

bool same_header_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
    const auto found = std::ranges::find_if(list_, [&](const auto& one) { return same_header_name(one.first, name); });
    if (found == list_.end()) return std::nullopt;
    return found->second;
}

std::size_t Headers::count(std::string_view name) const {
    const auto same = [&](const auto& one) { return same_header_name(one.first, name); };
    return static_cast<std::size_t>(std::ranges::count_if(list_, same));
}

std::optional<Pairs> parse_form(std::string_view text) {
    Pairs pairs;
    for (const auto part : split(text, '&')) {
        if (part.empty()) continue;
        const auto equal = part.find('=');
        auto name = decode(part.substr(0, equal));
        auto value = decode(equal == std::string_view::npos ? std::string_view() : part.substr(equal + 1));
        if (!name || !value) return std::nullopt;
        pairs.emplace_back(std::move(*name), std::move(*value));
    }
    return pairs;
}

std::optional<std::string_view> find_value(const Pairs& pairs, std::string_view name) {
    const auto found = std::ranges::find_if(pairs, [&](const auto& one) { return one.first == name; });
    if (found == pairs.end()) return std::nullopt;
    return found->second;
}

}  // namespace sgl::net
