// The character sets of laboratory links in Europe (table 0211, hl7v2-lab 4.3). Inside, everything is UTF-8; bytes that
// are not what they claim to be are reported, never guessed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sgl::hl7 {

struct Survey;

enum class Charset : std::uint8_t {
    ascii,
    utf_8,
    iso_8859_1,
    iso_8859_2,
    iso_8859_3,
    iso_8859_4,
    iso_8859_5,
    iso_8859_6,
    iso_8859_7,
    iso_8859_8,
    iso_8859_9,
    iso_8859_15,
    windows_1250,
    windows_1252,
    // Asian sets: read by the guessing reader only, links of ours have none.
    big_5,
    gb_18030,
    shift_jis,
    iso_2022_jp,
};

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
/// The same when survey() of these bytes is known.
Decoded decode(std::string bytes, Charset charset, const Survey& contents);

/// The bytes in exactly that set, every control kept; nothing when one of them is not in it. The only reader of the
/// Asian sets.
std::optional<std::string> decode_exactly(std::string_view bytes, Charset charset);

/// What windows-1252 has no character for becomes U+FFFD; controls are kept.
std::string windows_1252_text(std::string_view bytes);

/// Rule R10 of the reference reader: what the bytes most likely are. Only to compare with other readers, and to show a
/// quarantined message to a person; controls stay as they are.
struct Guess {
    std::string text;       ///< UTF-8
    Charset charset{};      ///< in which `\Xhh\` is read
    std::string_view name;  ///< of the set, as the reference reader writes it
    bool fallback{};        ///< not what was declared
};
Guess guess(std::string_view bytes, std::string_view declared);

struct Encoded {
    std::string bytes;
    std::size_t transliterated{};  ///< characters written otherwise (œ as oe)
    std::size_t lost{};            ///< characters that became `?`: never acceptable in an identity
};
Encoded encode(std::string_view text, Charset charset);  ///< of UTF-8

}  // namespace sgl::hl7
