#include "hl7/code_pages.hpp"

#include <iconv.h>

#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace sgl::hl7 {

namespace {

constexpr std::size_t sets = static_cast<std::size_t>(Charset::windows_1252) + 1;

/// What the C library calls it; null for a set that has no character above ASCII in one byte.
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
    }
    return nullptr;
}

struct Close {
    void operator()(iconv_t converter) const { iconv_close(converter); }
};

/// The characters of the bytes 80 to FF, 0 where the set has none.
using Half = std::array<char16_t, 128>;

Half half_of(Charset charset) {
    Half half{};
    const char* const name = name_of(charset);
    if (name == nullptr) return half;
    const std::unique_ptr<std::remove_pointer_t<iconv_t>, Close> converter(iconv_open("UTF-16LE", name));
    // iconv_open says (iconv_t)-1, which no pointer is.
    if (reinterpret_cast<std::intptr_t>(converter.get()) == -1)
        throw std::runtime_error(std::string("the C library cannot read ") + name + ": its gconv modules are missing");
    for (std::size_t i = 0; i < half.size(); ++i) {
        char byte = static_cast<char>(static_cast<unsigned char>(0x80 + i));
        std::array<char, 4> unit{};
        char* in = &byte;
        char* out = unit.data();
        std::size_t in_left = 1;
        std::size_t out_left = unit.size();
        if (iconv(converter.get(), &in, &in_left, &out, &out_left) != 0) {
            iconv(converter.get(), nullptr, nullptr, nullptr, nullptr);
            continue;
        }
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
    return halves[static_cast<std::size_t>(charset)][byte - 0x80U];
}

}  // namespace sgl::hl7
