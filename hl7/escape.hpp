// Escape sequences of ER7 text, both ways (hl7v2-lab 4.2, rule R11 of the reference reader).
#pragma once

#include <string>
#include <string_view>

#include "hl7/message.hpp"

namespace sgl::hl7 {

/// Interprets them; unknown and unclosed ones stay as they are. `charset` is for `\Xhh\`; bytes that it does not have
/// leave the sequence as it is, unless `guess` (then windows-1252). What one text can grow by is bounded.
std::string unescape(std::string_view raw, const Separators& separators, Charset charset, bool guess = false);

/// Writes them: the escape character, the separators, and line ends as `\.br\`; other controls become a space. Where
/// the separators lack an escape character, a separator in the text becomes a space.
std::string escape(std::string_view text, const Separators& separators);

}  // namespace sgl::hl7
