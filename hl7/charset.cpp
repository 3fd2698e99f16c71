#include "hl7/charset.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "hl7/code_pages.hpp"
#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool iso_8859(Charset charset) {
    return charset >= Charset::iso_8859_1 && charset <= Charset::iso_8859_15;
}

// The character of one byte >= 0x80, 0 when the set has none. A C1 control in ISO 8859 is windows-1252 mislabelled.
char32_t character(unsigned char byte, Charset charset) {
    if (iso_8859(charset) && byte < 0xA0) return 0;
    return code_page_character(byte, charset);
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

/// Spellings of MSH-18 in the reference reader. Of a set that we do not read, only ASCII bytes are.
struct DeclaredSet {
    std::string_view spelling;
    std::string_view name;
    std::optional<Charset> charset;
};
constexpr std::array declared_sets{DeclaredSet{"ASCII", "ascii", Charset::ascii},
                                   DeclaredSet{"US-ASCII", "ascii", Charset::ascii},
                                   DeclaredSet{"UNICODE UTF-8", "utf-8", Charset::utf_8},
                                   DeclaredSet{"UNICODE", "utf-8", Charset::utf_8},
                                   DeclaredSet{"UTF-8", "utf-8", Charset::utf_8},
                                   DeclaredSet{"UTF8", "utf-8", Charset::utf_8},
                                   DeclaredSet{"UNICODE UTF8", "utf-8", Charset::utf_8},
                                   DeclaredSet{"8859/1", "iso-8859-1", Charset::iso_8859_1},
                                   DeclaredSet{"ISO-8859-1", "iso-8859-1", Charset::iso_8859_1},
                                   DeclaredSet{"ISO8859-1", "iso-8859-1", Charset::iso_8859_1},
                                   DeclaredSet{"ISO8859/1", "iso-8859-1", Charset::iso_8859_1},
                                   DeclaredSet{"8859-1", "iso-8859-1", Charset::iso_8859_1},
                                   DeclaredSet{"ISO_8859-1", "iso-8859-1", Charset::iso_8859_1},
                                   DeclaredSet{"8859/2", "iso-8859-2", Charset::iso_8859_2},
                                   DeclaredSet{"8859/3", "iso-8859-3", Charset::iso_8859_3},
                                   DeclaredSet{"8859/4", "iso-8859-4", Charset::iso_8859_4},
                                   DeclaredSet{"8859/5", "iso-8859-5", Charset::iso_8859_5},
                                   DeclaredSet{"8859/6", "iso-8859-6", Charset::iso_8859_6},
                                   DeclaredSet{"8859/7", "iso-8859-7", Charset::iso_8859_7},
                                   DeclaredSet{"8859/8", "iso-8859-8", Charset::iso_8859_8},
                                   DeclaredSet{"8859/9", "iso-8859-9", Charset::iso_8859_9},
                                   DeclaredSet{"8859/15", "iso-8859-15", Charset::iso_8859_15},
                                   DeclaredSet{"ISO-8859-15", "iso-8859-15", Charset::iso_8859_15},
                                   DeclaredSet{"8859-15", "iso-8859-15", Charset::iso_8859_15},
                                   DeclaredSet{"CP1250", "windows-1250", Charset::windows_1250},
                                   DeclaredSet{"CP1252", "windows-1252", Charset::windows_1252},
                                   DeclaredSet{"WINDOWS-1252", "windows-1252", Charset::windows_1252},
                                   DeclaredSet{"BIG-5", "big5", std::nullopt},
                                   DeclaredSet{"BIG5", "big5", std::nullopt},
                                   DeclaredSet{"GB 18030-2000", "gb18030", std::nullopt},
                                   DeclaredSet{"ISO IR14", "shift_jis", std::nullopt},
                                   DeclaredSet{"ISO IR87", "iso2022_jp", std::nullopt}};

}  // namespace

std::optional<Charset> charset_of_msh18(std::string_view value) {
    const auto name = to_upper_ascii(trim(value));
    const auto is = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (is({"", "ISO IR6", "ISO IR-6"})) return Charset::ascii;
    if (is({"ISO8859-15", "ISO8859/15", "ISO_8859-15"})) return Charset::iso_8859_15;
    for (const auto& set : declared_sets) {
        if (set.spelling == name) return set.charset;
    }
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
        case Charset::iso_8859_2:
            return "8859/2";
        case Charset::iso_8859_3:
            return "8859/3";
        case Charset::iso_8859_4:
            return "8859/4";
        case Charset::iso_8859_5:
            return "8859/5";
        case Charset::iso_8859_6:
            return "8859/6";
        case Charset::iso_8859_7:
            return "8859/7";
        case Charset::iso_8859_8:
            return "8859/8";
        case Charset::iso_8859_9:
            return "8859/9";
        case Charset::iso_8859_15:
            return "8859/15";
        case Charset::windows_1250:
            return "CP1250";
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

std::optional<std::string> decode_exactly(std::string_view bytes, Charset charset) {
    if (!kinds_of(bytes).high) return std::string(bytes);
    if (charset == Charset::utf_8) {
        if (!valid_utf8(bytes)) return std::nullopt;
        return std::string(bytes);
    }
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 8);
    for (const char c : bytes) {
        const auto decoded = code_page_character(static_cast<unsigned char>(c), charset);
        if (decoded == 0 && c != '\0') return std::nullopt;
        append(out, decoded);
    }
    return out;
}

std::string windows_1252_text(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 8);
    for (const char c : bytes) {
        const auto decoded = high(c) ? character(static_cast<unsigned char>(c), Charset::windows_1252) : 0;
        if (!high(c))
            out += c;
        else if (decoded != 0)
            append(out, decoded);
        else
            out += replacement;
    }
    return out;
}

Guess guess(std::string_view bytes, std::string_view declared) {
    const auto name = to_upper_ascii(declared);
    const auto known =
        std::find_if(declared_sets.begin(), declared_sets.end(), [&](const auto& set) { return set.spelling == name; });
    const bool empty = name.empty();
    const bool unknown = !empty && known == declared_sets.end();
    const bool any_high = kinds_of(bytes).high;
    if (!empty && !unknown) {
        const auto charset = known->charset.value_or(Charset::ascii);
        // R10 knows these two to be wrong in the field.
        const bool one_byte = charset == Charset::iso_8859_1 || charset == Charset::iso_8859_15;
        const bool c1 = std::any_of(bytes.begin(), bytes.end(), [](char c) {
            return static_cast<unsigned char>(c) >= 0x80 && static_cast<unsigned char>(c) < 0xA0;
        });
        const bool other = one_byte && any_high && (c1 || valid_utf8(bytes));
        if (!other) {
            if (auto text = decode_exactly(bytes, charset)) return {std::move(*text), charset, known->name, false};
        }
    }
    if (valid_utf8(bytes)) return {std::string(bytes), Charset::utf_8, "utf-8", !empty};
    return {windows_1252_text(bytes), Charset::windows_1252, "windows-1252", !empty};
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
