// Turns a CrBio into the bytes of its XML: CR-BIO 2024.01, level 3, with the PDF copy inside.
#pragma once

#include <string>

#include "cda/cr_bio.hpp"
#include "lib/base/result.hpp"

namespace sgl::cda {

/// UTF-8 XML. The narrative is generated from the same results as the entries, so that both say the same. What the profile
/// makes impossible is refused with the XPath where it would stand (Fault::missing, malformed, unsupported); nothing is
/// invented. Pure and thread-safe.
Result<std::string> write(const CrBio& report);

}  // namespace sgl::cda
