// The character sets of table 0211 and the Windows ones that stand in for them, as the C library knows them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hl7/charset.hpp"

namespace sgl::hl7 {

/// The character of a byte in a one-byte set, the C1 controls of ISO 8859 included; 0 when the set has none.
char16_t code_page_character(unsigned char byte, Charset charset);

/// A text in one of the Asian sets; nothing when it is not in it.
std::optional<std::string> multibyte_text(std::string_view bytes, Charset charset);

}  // namespace sgl::hl7
