// PID (and ZFA) as the French profile of PAM has them: who the patient is, in our words (hl7v2-lab 9.2;
// identity-and-directory 2). The same for orders and for identity messages.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hl7/message.hpp"
#include "lib/domain/identity.hpp"
#include "lib/domain/link.hpp"

namespace sgl::interpret {

/// Where a patient is read.
struct PatientContext {
    std::string authority;  ///< OID of the assigning authority of patient numbers that name none
    bool production{};      ///< of the instance: test INS are left out there, real ones anywhere else (design D17)
};

/// Of a link's messages, at its site.
PatientContext patient_context(const domain::Link& link, std::string_view site_oid, bool production);

/// What PID says. Without local identifier the number is empty, without birth name the name: the caller judges.
domain::IdentityStatement patient(const hl7::Segment& pid, const domain::Link& link, const PatientContext& context,
                                  std::vector<domain::Trouble>& troubles);

/// Numbers of type PI in a field of CX: PID-3, MRG-1.
std::vector<domain::LocalIdentifier> local_identifiers(const hl7::Field& field, const PatientContext& context);

/// ZFA: what was decided about the DMP; nothing when the segment is absent.
std::optional<domain::DmpWord> dmp_word(const hl7::Segment& zfa, const domain::Link& link);

/// A field as a moment, in the link's time zone when it names none; nothing when it is coarser than the minute.
std::optional<Instant> moment(const hl7::Segment& segment, std::size_t field, const domain::Link& link);

/// The message without what French law forbids to keep: PID-10, 17 and 22, race, religion and ethnic group (hl7v2-lab
/// 9.2). Nothing when there is none of it.
std::optional<std::string> without_forbidden(std::string_view bytes);

}  // namespace sgl::interpret
