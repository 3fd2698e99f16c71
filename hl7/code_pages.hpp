// One-byte character sets of table 0211 and the Windows ones that stand in for them.
#pragma once

#include "hl7/charset.hpp"

namespace sgl::hl7 {

/// The character of a byte, the C1 controls of ISO 8859 included; 0 when the set has none.
char16_t code_page_character(unsigned char byte, Charset charset);

}  // namespace sgl::hl7
