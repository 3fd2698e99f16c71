// The character sets of French laboratory links (table 0211, hl7v2-lab 4.3). Inside, everything is UTF-8; bytes that
// are not what they claim to be are reported, never guessed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sgl::hl7 {

enum class Charset : std::uint8_t { ascii, utf_8, iso_8859_1, iso_8859_15, windows_1252 };

/// A value of MSH-18, in the spellings of table 0211 and those seen in the field; empty means ASCII (standard). Sets
/// that we do not read give nothing.
std::optional<Charset> charset_of_msh18(std::string_view value);
/// What we write into MSH-18 for it; empty for ASCII.
std::string_view to_msh18(Charset charset);

/// Why a decoded text must not be trusted.
enum class CharsetDoubt : std::uint8_t {
    none,
    invalid_bytes,    ///< bytes that the set does not have; each became U+FFFD
    looks_like_utf8,  ///< declared a one-byte set, but all its high bytes form UTF-8: read as declared, names would be
                      ///< wrong
    encoded_twice,    ///< UTF-8 of UTF-8
    control,          ///< a C0 control other than TAB, LF, CR; each became U+FFFD
};

struct Decoded {
    std::string text;  ///< UTF-8, valid whatever came in
    CharsetDoubt doubt{};
};
Decoded decode(std::string bytes, Charset charset);

struct Encoded {
    std::string bytes;
    std::size_t transliterated{};  ///< characters written otherwise (œ as oe)
    std::size_t lost{};            ///< characters that became `?`: never acceptable in an identity
};
Encoded encode(std::string_view utf8, Charset charset);

}  // namespace sgl::hl7
