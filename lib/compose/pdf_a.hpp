// From the PDF that cairo writes to PDF/A-1b (ISO 19005-1), the seven steps of spec/dependencies.md e. Internal to compose.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/time.hpp"

namespace sgl::compose {

/// What both the Info dictionary and the XMP packet say, equally. No patient data: many tools show these.
struct PdfInfo {
    std::string title;
    std::string author;
    Timestamp created;  ///< with its offset
};

/// Deterministic: the file identifier comes from the content. A file that is not cairo's throws.
std::string to_pdf_a(const std::string& cairo_pdf, const PdfInfo& info, std::string_view icc_profile);

}  // namespace sgl::compose
