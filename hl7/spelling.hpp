// The many ways people and analysers write a minus, a space or "less than", brought to one (hl7v2-lab 8.4).
#pragma once

#include <string>
#include <string_view>

namespace sgl::hl7 {

/// `&lt;`, ≤, ⩽ to `<=`; dashes to `-`; no-break and thin spaces to a space; ’ to `'`; spaces collapsed and trimmed.
std::string normalised_spelling(std::string_view utf8);

/// Lower case of ASCII and of the accented Latin letters of French; same number of bytes.
std::string lower_case(std::string_view utf8);

}  // namespace sgl::hl7
