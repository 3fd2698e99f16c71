// Does what a submission says of its documents agree with them? METADATA.XML of an XDM archive that somebody sent,
// against the files beside it and the headers of their CDA (IHE ITI-32, spec/mssante.md 4.2).
#pragma once

#include <vector>

#include "cda/checker.hpp"
#include "lib/delivery/xds/archive.hpp"

namespace sgl::xds {

/// `where` is the member's name, then the XPath inside ("IHE_XDM/SUBSET01/METADATA.XML/SubmitObjectsRequest/…"). Empty
/// when all agrees. A folder of IHE_XDM with documents and without METADATA.XML is one error. No text holds data of the
/// documents.
std::vector<cda::Finding> check_submissions(const std::vector<ArchiveMember>& members);

}  // namespace sgl::xds
