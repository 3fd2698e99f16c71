// The VIHF: a SAML 2.0 assertion that says for whom the laboratory speaks, in indirect mode (dmp.md 4). A fresh one per
// call.
#pragma once

#include <string>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/delivery/dmp/stamp.hpp"
#include "lib/delivery/partners.hpp"
#include "lib/domain/report.hpp"

namespace sgl::dmp {

/// The signed `saml2:Assertion`, without XML declaration, as it stands in wsse:Security. The person responsible is the
/// validating biologist. `id`: `_` + UUID, never used before. Errors: what the report lacks.
Result<std::string> vihf(const domain::Report& report, const delivery::DmpPartner& partner, const Stamp& stamp,
                         const std::string& id, Instant now);

/// `<INS>^^^&<OID>&ISO^NH`; empty when the identity may not leave.
std::string national_patient_id(const domain::Patient& patient);

}  // namespace sgl::dmp
