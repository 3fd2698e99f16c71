#include "hl7/charset.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "hl7/code_pages.hpp"
#include "hl7/scan.hpp"
#include "lib/base/text.hpp"
#include "lib/base/utf8.hpp"

namespace sgl::hl7 {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool asian(Charset charset) {
    return charset >= Charset::big_5;
}

bool iso_8859(Charset charset) {
    return charset >= Charset::iso_8859_1 && charset <= Charset::iso_8859_15;
}

// The character of one byte >= 0x80, 0 when the set has none. A C1 control in ISO 8859 is windows-1252 mislabelled.
char32_t character(unsigned char byte, Charset charset) {
    if (iso_8859(charset) && byte < 0xA0) return 0;
    return code_page_character(byte, charset);
}

bool high(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}
bool forbidden_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

// The byte of a character in a one-byte set, 0 when it has none.
unsigned char byte_of(char32_t c, Charset charset) {
    if (c < 0x80) return static_cast<unsigned char>(c);
    for (unsigned value = 0x80; value <= 0xFF; ++value) {
        if (character(static_cast<unsigned char>(value), charset) == c) return static_cast<unsigned char>(value);
    }
    return 0;
}

Survey kinds_of(std::string_view bytes) {
    return survey(bytes, '\0');
}

/// The first byte outside ASCII from `at` on, else the size.
std::size_t next_high(std::string_view bytes, std::size_t at) {
    constexpr std::uint64_t high_bits = 0x8080808080808080U;
    for (std::uint64_t eight = 0; bytes.size() - at >= sizeof eight; at += sizeof eight) {
        std::memcpy(&eight, bytes.data() + at, sizeof eight);
        if ((eight & high_bits) != 0) break;
    }
    while (at < bytes.size() && !high(bytes.data()[at]))
        ++at;
    return at;
}

bool valid_utf8(std::string_view bytes) {
    for (std::size_t at = next_high(bytes, 0); at < bytes.size();) {
        const auto size = utf8::first(bytes.substr(at)).size;
        if (size == 0) return false;
        at += size;
        if (at < bytes.size() && !high(bytes.data()[at])) at = next_high(bytes, at);
    }
    return true;
}

/// What each byte of a one-byte set becomes in UTF-8.
struct Transcoding {
    struct Text {
        std::array<char, 3> bytes{};
        std::uint8_t size{};
        bool invalid{};
    };
    std::array<Text, 256> texts;
};

const Transcoding& transcoding(Charset charset) {
    static const auto all = [] {
        std::array<Transcoding, static_cast<std::size_t>(Charset::windows_1252) + 1> tables;
        for (std::size_t set = 0; set < tables.size(); ++set) {
            for (std::size_t byte = 0; byte < 256; ++byte) {
                auto& text = tables[set].texts[byte];
                const auto value = static_cast<unsigned char>(byte);
                const auto decoded =
                    high(static_cast<char>(value)) ? character(value, static_cast<Charset>(set)) : value;
                std::string written;
                text.invalid = byte >= 0x80 && decoded == 0;
                if (text.invalid || forbidden_control(static_cast<char>(value)))
                    written = replacement;
                else
                    utf8::append(written, decoded);
                text.size = static_cast<std::uint8_t>(written.size());
                std::copy(written.begin(), written.end(), text.bytes.begin());
            }
        }
        return tables;
    }();
    return all.at(static_cast<std::size_t>(charset));
}

/// Every run of accented letters, taken as bytes of a one-byte set, is UTF-8 again. A text in one layer fails at its
/// first.
bool encoded_twice(std::string_view text) {
    std::string run;
    bool any = false;
    for (std::size_t at = 0; at <= text.size();) {
        if (at == text.size() || !high(text[at])) {
            if (!valid_utf8(run)) return false;
            run.clear();
            ++at;
            continue;
        }
        const auto [c, size] = utf8::first(text.substr(at));
        const auto byte = c <= 0xFF ? static_cast<unsigned char>(c) : byte_of(c, Charset::windows_1252);
        if (byte == 0) return false;
        any = true;
        run += static_cast<char>(byte);
        at += size;
    }
    return any;
}

/// Spellings of MSH-18 in the reference reader.
struct DeclaredSet {
    std::string_view spelling;
    std::string_view name;
    Charset charset;
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
                                   DeclaredSet{"BIG-5", "big5", Charset::big_5},
                                   DeclaredSet{"BIG5", "big5", Charset::big_5},
                                   DeclaredSet{"GB 18030-2000", "gb18030", Charset::gb_18030},
                                   DeclaredSet{"ISO IR14", "shift_jis", Charset::shift_jis},
                                   DeclaredSet{"ISO IR87", "iso2022_jp", Charset::iso_2022_jp}};

}  // namespace

std::optional<Charset> charset_of_msh18(std::string_view value) {
    const auto name = to_upper_ascii(trim(value));
    const auto is = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (is({"", "ISO IR6", "ISO IR-6"})) return Charset::ascii;
    if (is({"ISO8859-15", "ISO8859/15", "ISO_8859-15"})) return Charset::iso_8859_15;
    for (const auto& set : declared_sets) {
        if (set.spelling == name && !asian(set.charset)) return set.charset;
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
        case Charset::big_5:
            return "BIG-5";
        case Charset::gb_18030:
            return "GB 18030-2000";
        case Charset::shift_jis:
            return "ISO IR14";
        case Charset::iso_2022_jp:
            return "ISO IR87";
    }
    return "";
}

Decoded decode(std::string bytes, Charset charset) {
    const auto contents = kinds_of(bytes);
    return decode(std::move(bytes), charset, contents);
}

Decoded decode(std::string bytes, Charset charset, const Survey& contents) {
    Decoded out;
    if (contents.control) out.doubt = CharsetDoubt::control;
    if (!contents.control && !contents.high) {
        out.text = std::move(bytes);
        return out;
    }
    const bool utf8 = contents.high && charset != Charset::ascii && valid_utf8(bytes);
    if (charset == Charset::utf_8) {
        if (utf8 && encoded_twice(bytes)) out.doubt = CharsetDoubt::encoded_twice;
        if (utf8 && !contents.control) {
            out.text = std::move(bytes);
            return out;
        }
    } else if (utf8) {
        out.doubt = CharsetDoubt::looks_like_utf8;
    }
    // In UTF-8 the table says what becomes of a byte that is part of no character.
    const auto& table = transcoding(charset).texts;
    std::size_t size = 0;
    for (const char c : bytes)
        size += table[static_cast<unsigned char>(c)].size;
    out.text.reserve(size);
    const std::string_view all = bytes;
    for (std::size_t at = 0; at < all.size();) {
        if (!contents.control && !high(all.data()[at])) {
            const auto run = next_high(all, at);
            out.text.append(all, at, run - at);
            at = run;
            continue;
        }
        if (charset == Charset::utf_8) {
            if (const auto length = high(all.data()[at]) ? utf8::first(all.substr(at)).size : 0; length != 0) {
                out.text.append(all, at, length);
                at += length;
                continue;
            }
        }
        const auto& text = table[static_cast<unsigned char>(all.data()[at])];
        if (text.invalid) out.doubt = CharsetDoubt::invalid_bytes;
        out.text.append(text.bytes.data(), text.size);
        ++at;
    }
    return out;
}

std::optional<std::string> decode_exactly(std::string_view bytes, Charset charset) {
    if (asian(charset)) return multibyte_text(bytes, charset);
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
        utf8::append(out, decoded);
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
            utf8::append(out, decoded);
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
        const auto charset = known->charset;
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

Encoded encode(std::string_view text, Charset charset) {
    Encoded out;
    if (charset == Charset::utf_8) {
        out.bytes = text;
        return out;
    }
    out.bytes.reserve(text.size());
    while (!text.empty()) {
        const auto [code, size] = utf8::first(text);
        const auto one = text.substr(0, std::max<std::size_t>(size, 1));
        text.remove_prefix(one.size());
        if (const auto byte = size == 0 ? 0 : byte_of(code, charset); byte != 0 || (code == 0 && size == 1)) {
            out.bytes += static_cast<char>(byte);
            continue;
        }
        const auto plain = code == 0x20AC ? std::string("EUR") : without_accents(one);
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
