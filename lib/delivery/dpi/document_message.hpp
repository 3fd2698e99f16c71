// The CR-BIO as the hospital record takes it: ORU^R01, profile 2.1^CISIS_CDA_HL7_V2 of the CI-SIS volet "Transmission de
// documents CDA en HL7v2" (spec/hl7v2-cda-to-dpi.md 3 and 4). Pure: same letter, same bytes.
#pragma once

#include <string>

#include "lib/base/result.hpp"
#include "lib/delivery/channel.hpp"
#include "lib/delivery/dpi/segments.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::delivery {

/// UTF-8, segments ended by CR, without MLLP framing. sgld feeds DMP and MSSanté itself: every destination is N and no
/// recipient is named. PV1-2 is the patient class received, or N when it would need a stay number that nobody gave.
/// A withdrawal carries the bytes of the version that it takes back, as they were sent (section 6): ORC-1 CA, OBX-11 D.
/// Errors: Fault::refused at `PID-3` when a test identity meets a production
/// partner or the other way round; Fault::missing for what the profile requires.
Result<std::string> document_message(const Letter& letter, const domain::Report& report, const Documents& documents,
                                     const DpiPartner& partner);

}  // namespace sgl::delivery
