// An ORU^R01 in our words: results with their numbers, and what a person has to look at (hl7v2-lab 6.4, 8).
#pragma once

#include <string_view>
#include <variant>

#include "lib/domain/received.hpp"
#include "lib/interpret/admission.hpp"

namespace sgl::interpret {

std::variant<domain::Reading, Refusal> results(const hl7::Message& message, const domain::Link& link,
                                               const domain::Catalogue& catalogue);

/// Of table 0078, or what senders write for it.
bool is_known_flag(std::string_view flag);

}  // namespace sgl::interpret
