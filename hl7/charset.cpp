#include "hl7/charset.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

constexpr std::array<char16_t, 32> windows_1252_high = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                                        0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                        0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

constexpr std::array<std::pair<unsigned char, char16_t>, 8> iso_8859_15_differences = {{{0xA4, 0x20AC},
                                                                                        {0xA6, 0x0160},
                                                                                        {0xA8, 0x0161},
                                                                                        {0xB4, 0x017D},
                                                                                        {0xB8, 0x017E},
                                                                                        {0xBC, 0x0152},
                                                                                        {0xBD, 0x0153},
                                                                                        {0xBE, 0x0178}}};

// The character of one byte >= 0x80, 0 when the set has none.
char32_t character(unsigned char byte, Charset charset) {
    switch (charset) {
        case Charset::ascii:
        case Charset::utf_8:
            return 0;
        case Charset::windows_1252:
            if (byte < 0xA0) return windows_1252_high[byte - 0x80U];
            return byte;
        case Charset::iso_8859_15:
            for (const auto& [from, to] : iso_8859_15_differences) {
                if (byte == from) return to;
            }
            [[fallthrough]];
        case Charset::iso_8859_1:
            return byte < 0xA0 ? 0 : byte;  // C1 controls: windows-1252 mislabelled
    }
    return 0;
}

void append(std::string& out, char32_t c) {
    const auto byte = [&](char32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
    if (c < 0x80) {
        byte(c);
    } else if (c < 0x800) {
        byte(0xC0 | (c >> 6));
        byte(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        byte(0xE0 | (c >> 12));
        byte(0x80 | ((c >> 6) & 0x3F));
        byte(0x80 | (c & 0x3F));
    } else {
        byte(0xF0 | (c >> 18));
        byte(0x80 | ((c >> 12) & 0x3F));
        byte(0x80 | ((c >> 6) & 0x3F));
        byte(0x80 | (c & 0x3F));
    }
}

bool high(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}
bool forbidden_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

// Bytes of the sequence at the start of `text` when it is a valid UTF-8 character, else 0.
std::size_t sequence(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t size = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
    if (size == 0 || size > text.size() || !is_utf8(text.substr(0, size))) return 0;
    return size;
}

char32_t code_point(std::string_view character_bytes) {
    const auto at = [&](std::size_t i) {
        return static_cast<char32_t>(static_cast<unsigned char>(character_bytes[i]));
    };
    switch (character_bytes.size()) {
        case 1:
            return at(0);
        case 2:
            return ((at(0) & 0x1F) << 6) | (at(1) & 0x3F);
        case 3:
            return ((at(0) & 0x0F) << 12) | ((at(1) & 0x3F) << 6) | (at(2) & 0x3F);
        default:
            return ((at(0) & 0x07) << 18) | ((at(1) & 0x3F) << 12) | ((at(2) & 0x3F) << 6) | (at(3) & 0x3F);
    }
}

// The byte of a character in a one-byte set, 0 when it has none.
unsigned char byte_of(char32_t c, Charset charset) {
    if (c < 0x80) return static_cast<unsigned char>(c);
    for (unsigned value = 0x80; value <= 0xFF; ++value) {
        if (character(static_cast<unsigned char>(value), charset) == c) return static_cast<unsigned char>(value);
    }
    return 0;
}

/// What kinds of bytes a text has, in one pass without branches: most messages are plain ASCII.
struct Kinds {
    bool high{};
    bool control{};
};

Kinds kinds_of(std::string_view bytes) {
    constexpr auto table = [] {
        std::array<unsigned char, 256> kinds{};
        for (std::size_t c = 0; c < 0x20; ++c)
            kinds[c] = c == '\t' || c == '\n' || c == '\r' ? 0 : 2;
        for (std::size_t c = 0x80; c < 0x100; ++c)
            kinds[c] = 1;
        return kinds;
    }();
    unsigned seen = 0;
    for (const char c : bytes)
        seen |= table[static_cast<unsigned char>(c)];
    return {(seen & 1U) != 0, (seen & 2U) != 0};
}

bool valid_utf8(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const auto size = high(bytes[at]) ? sequence(bytes.substr(at)) : 1;
        if (size == 0) return false;
        at += size;
    }
    return true;
}

/// Every run of accented letters, taken as bytes of a one-byte set, is UTF-8 again. A text in one layer fails at its
/// first.
bool encoded_twice(std::string_view utf8) {
    std::string run;
    bool any = false;
    for (std::size_t at = 0; at <= utf8.size();) {
        if (at == utf8.size() || !high(utf8[at])) {
            if (!valid_utf8(run)) return false;
            run.clear();
            ++at;
            continue;
        }
        const auto size = std::max<std::size_t>(sequence(utf8.substr(at)), 1);
        const auto c = code_point(utf8.substr(at, size));
        const auto byte = c <= 0xFF ? static_cast<unsigned char>(c) : byte_of(c, Charset::windows_1252);
        if (byte == 0) return false;
        any = true;
        run += static_cast<char>(byte);
        at += size;
    }
    return any;
}

}  // namespace

std::optional<Charset> charset_of_msh18(std::string_view value) {
    const auto name = to_upper_ascii(trim(value));
    const auto is = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (is({"", "ASCII", "US-ASCII", "ISO IR6", "ISO IR-6"})) return Charset::ascii;
    if (is({"UNICODE UTF-8", "UNICODE", "UTF-8", "UTF8", "UNICODE UTF8"})) return Charset::utf_8;
    if (is({"8859/1", "ISO-8859-1", "ISO8859-1", "ISO8859/1", "8859-1", "ISO_8859-1"})) return Charset::iso_8859_1;
    if (is({"8859/15", "ISO-8859-15", "ISO8859-15", "ISO8859/15", "8859-15", "ISO_8859-15"}))
        return Charset::iso_8859_15;
    if (is({"CP1252", "WINDOWS-1252"})) return Charset::windows_1252;
    return std::nullopt;
}

std::string_view to_msh18(Charset charset) {
    switch (charset) {
        case Charset::ascii:
            return "";
        case Charset::utf_8:
            return "UNICODE UTF-8";
        case Charset::iso_8859_1:
            return "8859/1";
        case Charset::iso_8859_15:
            return "8859/15";
        case Charset::windows_1252:
            return "WINDOWS-1252";
    }
    return "";
}

Decoded decode(std::string bytes, Charset charset) {
    Decoded out;
    const auto [any_high, controls] = kinds_of(bytes);
    if (controls) out.doubt = CharsetDoubt::control;
    if (!controls && !any_high) {
        out.text = std::move(bytes);
        return out;
    }
    if (any_high && charset != Charset::ascii) {
        const bool utf8 = valid_utf8(bytes);
        if (charset == Charset::utf_8) {
            if (utf8 && encoded_twice(bytes)) out.doubt = CharsetDoubt::encoded_twice;
            if (utf8 && !controls) {
                out.text = std::move(bytes);
                return out;
            }
        } else if (utf8) {
            out.doubt = CharsetDoubt::looks_like_utf8;
        }
    }
    out.text.reserve(bytes.size() + bytes.size() / 8);
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const char c = rest.front();
        std::size_t taken = 1;
        if (forbidden_control(c)) {
            out.text += replacement;
        } else if (!high(c)) {
            out.text += c;
        } else if (charset == Charset::utf_8 && sequence(rest) != 0) {
            taken = sequence(rest);
            out.text += rest.substr(0, taken);
        } else if (const auto decoded = character(static_cast<unsigned char>(c), charset); decoded != 0) {
            append(out.text, decoded);
        } else {
            out.text += replacement;
            out.doubt = CharsetDoubt::invalid_bytes;
        }
        rest.remove_prefix(taken);
    }
    return out;
}

Encoded encode(std::string_view utf8, Charset charset) {
    Encoded out;
    if (charset == Charset::utf_8) {
        out.bytes = utf8;
        return out;
    }
    out.bytes.reserve(utf8.size());
    while (!utf8.empty()) {
        const auto size = std::max<std::size_t>(sequence(utf8), 1);
        const auto one = utf8.substr(0, size);
        utf8.remove_prefix(size);
        if (size == 1 && !high(one.front())) {
            out.bytes += one.front();
            continue;
        }
        if (const auto byte = byte_of(code_point(one), charset); byte != 0 && size > 1) {
            out.bytes += static_cast<char>(byte);
            continue;
        }
        const auto plain = code_point(one) == 0x20AC ? std::string("EUR") : without_accents(one);
        if (std::none_of(plain.begin(), plain.end(), high)) {
            out.bytes += plain;
            ++out.transliterated;
        } else {
            out.bytes += '?';
            ++out.lost;
        }
    }
    return out;
}

}  // namespace sgl::hl7
