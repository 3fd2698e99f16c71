// One spelling for letters with accents (Unicode NFC), so that names compare as they look (hl7v2-lab 4.3).
#pragma once

#include <string>

namespace sgl::hl7 {

/// Canonical composition of valid UTF-8, by GLib's tables of Unicode. Linear in its length: more than 30 combining
/// marks in a row, which no language writes, stay as they came.
std::string to_nfc(std::string utf8);

}  // namespace sgl::hl7
