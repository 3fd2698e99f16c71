// The detached signature of a submission set (dmp.md 5.5): XAdES 1.1.1, the same bytes for the same submission and
// stamp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/delivery/dmp/stamp.hpp"

namespace sgl::dmp {

struct SignedDocument {
    std::string unique_id;   ///< bare OID
    std::string_view bytes;  ///< the CDA; outlives the call
};

/// `id`: an NCName. `at`: the signing time, to the second. Fault::malformed when a document is no XML.
Result<std::string> submission_signature(const std::string& id, const std::string& submission_id,
                                         std::span<const SignedDocument> documents, Instant at, const Stamp& stamp);

}  // namespace sgl::dmp
