// The zip that a mail carries: IHE XDM (ITI-32), one submission set with one document, in memory, the same bytes for the
// same input (spec/mssante.md 4.1).
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.hpp"
#include "lib/delivery/xds/metadata.hpp"

namespace sgl::xds {

/// Who speaks in README.TXT and INDEX.HTM.
struct XdmSender {
    std::string name;          ///< the laboratory
    std::string organisation;  ///< its legal entity
    std::string finess;        ///< of the site
    std::string address;       ///< one line
    std::string phone;
};

/// The archive of `document` (the bytes of the CDA) with its metadata. Hash, size and URI of the entry are set here; dates
/// inside the zip are those of the submission, so nothing depends on the clock. Errors: what the metadata lack.
Result<std::string> xdm_zip(Submission submission, std::string_view document, const XdmSender& sender);

}  // namespace sgl::xds
