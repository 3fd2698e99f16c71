// The metadata as ebRIM 3.0: the two writers of one model.
#pragma once

#include <string>

#include "cda/xml_writer.hpp"
#include "lib/base/result.hpp"
#include "lib/delivery/xds/metadata.hpp"

namespace sgl::xds {

enum class Form : std::uint8_t {
    iti41,  ///< spec/dmp.md 5: signature entry, signs and RPLC associations; no URI
    xdm,    ///< spec/mssante.md 4.2: hash, size and URI required; no signature, no replacement association
};

/// `rim:RegistryObjectList` with its namespace declared, into whatever envelope the caller has opened. What is missing or
/// does not fit the form is refused through the writer, with its place.
void write_registry_objects(cda::XmlWriter& writer, const Submission& submission, Form form);

/// `lcm:SubmitObjectsRequest` around write_registry_objects: the element that ITI-41 wraps and XDM has as its root.
void write_submit_objects_request(cda::XmlWriter& writer, const Submission& submission, Form form);

/// `lcm:SubmitObjectsRequest` that changes the status of one entry: the set and one association (spec/dmp.md 7.3).
void write_status_change(cda::XmlWriter& writer, const SubmissionSet& set, const StatusChange& change);

/// The bytes of METADATA.XML.
Result<std::string> xdm_metadata(const Submission& submission);

}  // namespace sgl::xds
