// Small text tools that several rooms need.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sgl {

std::string_view trim(std::string_view text);  ///< blanks, tabs, line ends
std::vector<std::string_view> split(std::string_view text, char separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

bool is_utf8(std::string_view bytes);  ///< RFC 3629: no overlong form, no surrogate
/// Latin letters without their accents, ligatures opened (Æ→AE, œ→oe), typographic apostrophe to '; the rest unchanged.
std::string without_accents(std::string_view utf8);
std::string to_upper_ascii(std::string_view text);
/// How an INS trait is written: upper case, no accents (identity-and-directory 1.3).
std::string normalised_name(std::string_view utf8);
/// At most `characters` code points of a UTF-8 text, never half a character.
std::string_view first_characters(std::string_view utf8, std::size_t characters);

}  // namespace sgl
