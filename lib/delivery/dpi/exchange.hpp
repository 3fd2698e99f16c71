// What a hospital record's answer means for a letter (spec/hl7v2-cda-to-dpi.md 8).
#pragma once

#include <optional>
#include <string_view>

#include "lib/delivery/channel.hpp"
#include "lib/mllp/client.hpp"

namespace sgl::delivery {

/// What an answer means for the letter. `reference` of an accepted one: the answer's MSH-10. Nothing when the block is no
/// acknowledgement of `control_id`: then it is not for us.
std::optional<Outcome> dpi_outcome(std::string_view answer, std::string_view control_id);

/// What an exchange means for the letter: what may have arrived without an answer is in doubt.
Outcome dpi_outcome(const mllp::Exchange& exchange, std::string_view control_id);

}  // namespace sgl::delivery
