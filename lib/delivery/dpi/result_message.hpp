// A report line by line, for hospital records that integrate values: LAB-3 ORU^R01 (hl7v2-lab 7.1, 8, 11). Pure: same
// letter, same bytes.
#pragma once

#include <string>

#include "lib/base/result.hpp"
#include "lib/delivery/channel.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::delivery {

/// UTF-8, segments ended by CR, without MLLP framing. One OBR for each examination that was asked (then those that nobody
/// asked, by themselves), its OBX, its specimens. What is said of a germ shares its OBX-4, and an antibiogram has S, I or
/// R in OBX-8. Only what a biologist has signed; a later version says C of every result, a withdrawal D without value, an
/// examination that was not done X. OBX-8 says nothing where no range of ours applies: N would be a guess.
/// Errors: as dpi::check; Fault::missing when the report holds no result.
Result<std::string> result_message(const Letter& letter, const domain::Report& report, const DpiPartner& partner);

}  // namespace sgl::delivery
