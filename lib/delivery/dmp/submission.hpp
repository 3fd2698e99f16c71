// A letter as the DMP takes it (dmp.md 5): the registry objects, the documents and the signature of the set, all
// derived from the letter, so that a repeat is the same submission (design D7).
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.hpp"
#include "lib/delivery/channel.hpp"
#include "lib/delivery/dmp/soap.hpp"
#include "lib/delivery/dmp/stamp.hpp"
#include "lib/delivery/partners.hpp"
#include "lib/delivery/xds/metadata.hpp"

namespace sgl::dmp {

struct Submission {
    xds::Submission metadata;
    std::string signature;  ///< the XAdES file, document `Signature01`
};

/// Of a letter of act deliver. Fault::missing or malformed for what the report lacks, Fault::unsupported for what this
/// version does not send: a report that replaces one, a form other than the N3.
Result<Submission> submission(const delivery::Letter& letter, const domain::Report& report,
                              const delivery::Documents& documents, const delivery::DmpPartner& partner,
                              const Stamp& stamp);

/// ITI-41 ProvideAndRegisterDocumentSet-b. `n3` is the document of the submission, byte for byte.
Result<Mtom> feed_request(const Call& call, const Submission& submission, std::string_view n3);
/// The envelope of it, alone.
Result<std::string> feed_envelope(const Call& call, const Submission& submission);

/// Of a letter of act withdraw: the set that deletes the document of its report version (TD3.3c, dmp.md 7.3), derived
/// from the letter. Errors as above, but a document of any version may be deleted.
Result<xds::SubmissionSet> deletion(const delivery::Letter& letter, const domain::Report& report,
                                    const delivery::Documents& documents, const delivery::DmpPartner& partner);

/// Logical delete of one entry, which is in the status `original` now.
Result<Mtom> deletion_request(const Call& call, const xds::SubmissionSet& set, const std::string& entry,
                              std::string_view original);
/// The envelope of it, alone.
Result<std::string> deletion_envelope(const Call& call, const xds::SubmissionSet& set, const std::string& entry,
                                      std::string_view original);

/// What GetDocuments answers with: references are what the guide asks for (dmp.md 7.2); whole entries tell their
/// status.
enum class Tell : std::uint8_t { references, entries };

/// ITI-18 GetDocuments by uniqueId.
Result<Mtom> documents_query(const Call& call, const std::string& unique_id, Tell tell = Tell::references);

}  // namespace sgl::dmp
