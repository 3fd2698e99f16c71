// From a report to the metadata of its document: what DMP and MSSanté say alike, said once. Every value is the one that the
// CDA of the same report carries (lib/compose/cr_bio.cpp), since receivers compare them.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.hpp"
#include "lib/delivery/xds/metadata.hpp"
#include "lib/domain/report.hpp"

namespace sgl::xds {

/// What belongs to one letter rather than to the report (design D7: all of it comes from the letter).
struct SubmissionIdentity {
    std::string set_entry_id;       ///< `SubmissionSet01` (ITI-41) or `urn:uuid:…` (XDM)
    std::string document_entry_id;  ///< `Doc01` (ITI-41) or `urn:uuid:…` (XDM)
    std::string source_id;          ///< OID of our installation
    std::string unique_id;          ///< of the submission, a bare OID
    Instant submission_time{};
};

/// One set with one document, the CR-BIO in its form N3; hash and size are those of `document`. The INS is in it only when
/// it may leave (Patient::ins_may_leave), otherwise the laboratory's patient number stands in its place. The author is the
/// validating biologist at the site (`1` + FINESS). The action is `C` from version 2 on; associations are the channel's.
/// Fault::unsupported, with its coordinate, for a code that no value set of ours holds.
Result<Submission> report_submission(const domain::Report& report, const SubmissionIdentity& identity,
                                     std::string_view document);

/// Who the document is about: the INS when it may leave, else the laboratory's number (type PI).
Personal<PatientId> patient_id(const domain::Report& report);
/// The laboratory's own number (IPP), type PI.
Personal<PatientId> local_patient_id(const domain::Report& report);
/// The validating biologist, with the laboratory as the CDA names it.
Author report_author(const domain::Report& report);

}  // namespace sgl::xds
