#include "hl7/code_pages.hpp"

#include <iconv.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace sgl::hl7 {

namespace {

constexpr std::size_t sets = static_cast<std::size_t>(Charset::windows_1252) + 1;

/// What the C library calls it; null for those that need no converter.
const char* name_of(Charset charset) {
    switch (charset) {
        case Charset::ascii:
        case Charset::utf_8:
            return nullptr;
        case Charset::iso_8859_1:
            return "ISO-8859-1";
        case Charset::iso_8859_2:
            return "ISO-8859-2";
        case Charset::iso_8859_3:
            return "ISO-8859-3";
        case Charset::iso_8859_4:
            return "ISO-8859-4";
        case Charset::iso_8859_5:
            return "ISO-8859-5";
        case Charset::iso_8859_6:
            return "ISO-8859-6";
        case Charset::iso_8859_7:
            return "ISO-8859-7";
        case Charset::iso_8859_8:
            return "ISO-8859-8";
        case Charset::iso_8859_9:
            return "ISO-8859-9";
        case Charset::iso_8859_15:
            return "ISO-8859-15";
        case Charset::windows_1250:
            return "CP1250";
        case Charset::windows_1252:
            return "CP1252";
        case Charset::big_5:
            return "BIG5";
        case Charset::gb_18030:
            return "GB18030";
        case Charset::shift_jis:
            return "SHIFT_JIS";
        case Charset::iso_2022_jp:
            return "ISO-2022-JP";
    }
    return nullptr;
}

/// Of the sequences of ISO-2022-JP that switch between sets, only its four are there; the C library lets others pass as
/// text.
bool switches_to_known_sets(std::string_view bytes) {
    for (std::size_t at = bytes.find('\x1b'); at != std::string_view::npos; at = bytes.find('\x1b', at + 1)) {
        const std::string_view after = bytes.substr(at + 1, 2);
        const bool switches = after.empty() || std::string_view("()$.&").find(after[0]) != std::string_view::npos;
        if (switches && after != "(B" && after != "(J" && after != "$@" && after != "$B") return false;
    }
    return true;
}

class Converter {
public:
    Converter(const char* to, const char* from) : handle_(iconv_open(to, from)) {
        // iconv_open says (iconv_t)-1, which no pointer is.
        if (reinterpret_cast<std::intptr_t>(handle_) == -1)
            throw std::runtime_error(std::string("the C library cannot read ") + from +
                                     ": its gconv modules are missing");
    }
    ~Converter() { iconv_close(handle_); }
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;

    /// How many bytes of `out` the whole text fills; nothing when it is not in the set, or `out` is too small.
    std::optional<std::size_t> convert(std::string_view text, std::span<char> out) {
        std::string in(text);
        char* from = in.data();
        std::size_t left = in.size();
        char* to = out.data();
        std::size_t room = out.size();
        const bool converted = iconv(handle_, &from, &left, &to, &room) != static_cast<std::size_t>(-1) && left == 0 &&
                               iconv(handle_, nullptr, nullptr, &to, &room) != static_cast<std::size_t>(-1);
        if (!converted) iconv(handle_, nullptr, nullptr, nullptr, nullptr);
        return converted ? std::optional(out.size() - room) : std::nullopt;
    }

private:
    iconv_t handle_;
};

/// The characters of the bytes 80 to FF, 0 where the set has none.
using Half = std::array<char16_t, 128>;

Half half_of(Charset charset) {
    Half half{};
    const char* const name = name_of(charset);
    if (name == nullptr) return half;
    Converter converter("UTF-16LE", name);
    for (std::size_t i = 0; i < half.size(); ++i) {
        const char byte = static_cast<char>(static_cast<unsigned char>(0x80 + i));
        std::array<char, 4> unit{};
        if (converter.convert({&byte, 1}, unit) != 2) continue;
        half[i] = static_cast<char16_t>(static_cast<unsigned char>(unit[0]) |
                                        static_cast<unsigned>(static_cast<unsigned char>(unit[1])) << 8U);
    }
    return half;
}

}  // namespace

char16_t code_page_character(unsigned char byte, Charset charset) {
    if (byte < 0x80) return byte;
    static const auto halves = [] {
        std::array<Half, sets> all{};
        for (std::size_t i = 0; i < sets; ++i)
            all[i] = half_of(static_cast<Charset>(i));
        return all;
    }();
    const auto set = static_cast<std::size_t>(charset);
    return set < sets ? halves[set][byte - 0x80U] : u'\0';
}

std::optional<std::string> multibyte_text(std::string_view bytes, Charset charset) {
    Converter converter("UTF-8", name_of(charset));
    std::string out;
    if (charset == Charset::iso_2022_jp) {  // seven bits, with sequences that switch between sets
        if (!switches_to_known_sets(bytes)) return std::nullopt;
        out.resize((bytes.size() * 3) + 8);
        const auto size = converter.convert(bytes, out);
        if (!size) return std::nullopt;
        out.resize(*size);
        return out;
    }
    // ASCII stands for itself, also where the C library has a yen sign; every other character has one, two or four
    // bytes.
    out.reserve(bytes.size() * 2);
    while (!bytes.empty()) {
        if (static_cast<unsigned char>(bytes.front()) < 0x80) {
            out += bytes.front();
            bytes.remove_prefix(1);
            continue;
        }
        std::array<char, 8> utf8{};
        std::size_t length = 0;
        for (const std::size_t size : {1U, 2U, 4U}) {
            if (length != 0 || size > bytes.size()) continue;
            // The C library knows bytes 80 to 9F that are no character.
            const auto written = converter.convert(bytes.substr(0, size), utf8);
            if (!written || (utf8[0] == '\xC2' && static_cast<unsigned char>(utf8[1]) < 0xA0)) continue;
            length = size;
            out.append(utf8.data(), *written);
        }
        if (length == 0) return std::nullopt;
        bytes.remove_prefix(length);
    }
    return out;
}

}  // namespace sgl::hl7
