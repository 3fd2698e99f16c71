// What the messages to a hospital record have in common: MSH, PID, PV1, people, and what hinders them all.
#pragma once

#include <string>
#include <string_view>

#include "hl7/builder.hpp"
#include "lib/base/result.hpp"
#include "lib/delivery/channel.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::delivery {

/// MSH-10 of that letter: 20 characters, the same at every attempt, so that a repeat is recognised.
std::string control_id(domain::LetterId id);

namespace dpi {

/// In the time zone of the site, with its offset from the hour on.
Timestamp local(const domain::Report& report, const Timestamp& at);
Timestamp local(const domain::Report& report, Instant at);

hl7::Header header(const Letter& letter, const domain::Report& report, const DpiPartner& partner);
/// PID: the identifiers of recordTarget/patientRole, as the CDA has them, in its order.
void patient(hl7::Builder& b, const domain::Report& report, const DpiPartner& partner);
/// PV1-2 is the patient class received, or N when it would need a stay number that nobody gave.
void visit(hl7::Builder& b, const domain::Report& report, const DpiPartner& partner);
/// XCN of a professional with a national number.
void person(hl7::Builder& b, std::size_t field, const domain::Professional& who);
/// name&OID&ISO in a component of the last repetition.
void authority(hl7::Builder& b, std::size_t field, std::size_t component, std::string_view name, std::string_view oid,
               std::string_view kind = "ISO");

/// Fault::missing for a setting of the partner; Fault::refused at `PID-3` when a test identity meets a production partner
/// or the other way round.
Result<void> check(const domain::Report& report, const DpiPartner& partner);

}  // namespace dpi
}  // namespace sgl::delivery
