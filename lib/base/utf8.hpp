// UTF-8 one character at a time (RFC 3629): no overlong form, no surrogate, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sgl::utf8 {

struct Character {
    char32_t code{};
    std::size_t size{};  ///< bytes; 0: what stands there is no character
};

/// The character at the start of a text that is not empty.
constexpr Character first(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80U; };
    const auto bits = [&](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3FU); };
    const char32_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    if (lead < 0xC2 || lead > 0xF4 || !tail(1)) return {};
    if (lead < 0xE0) return {(lead & 0x1FU) << 6U | bits(1), 2};
    if (!tail(2)) return {};
    if (lead < 0xF0) {
        const char32_t code = (lead & 0x0FU) << 12U | bits(1) << 6U | bits(2);
        return code < 0x800 || (code >= 0xD800 && code < 0xE000) ? Character{} : Character{code, 3};
    }
    if (!tail(3)) return {};
    const char32_t code = (lead & 0x07U) << 18U | bits(1) << 12U | bits(2) << 6U | bits(3);
    return code < 0x10000 || code > 0x10FFFF ? Character{} : Character{code, 4};
}

/// What is no character (a surrogate, beyond the end) is written as U+FFFD.
inline void append(std::string& out, char32_t code) {
    const auto put = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
    if (code < 0x80) {
        out += static_cast<char>(code);
        return;
    }
    if (code < 0x800) {
        put(0xC0U | code >> 6U);
    } else {
        if (code < 0x10000) {
            put(0xE0U | code >> 12U);
        } else {
            put(0xF0U | code >> 18U);
            put(0x80U | (code >> 12U & 0x3FU));
        }
        put(0x80U | (code >> 6U & 0x3FU));
    }
    put(0x80U | (code & 0x3FU));
}

}  // namespace sgl::utf8
