// One spelling for letters with accents (Unicode NFC), so that names compare as they look (hl7v2-lab 4.3).
#pragma once

#include <string>

namespace sgl::hl7 {

/// Latin letters followed by combining marks become one character where Unicode has one; other scripts stay as they are.
std::string to_nfc(std::string utf8);

}  // namespace sgl::hl7
