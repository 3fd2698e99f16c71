// Everything that stands in a file or a captured stream, as the JSON of the reference reader (rules R1 to R12,
// hl7v2-lab 4): every message, segment, field and leaf, raw, and decoded where that differs; the batch envelope; every
// anomaly. For people who look at what a peer really sent, and for comparing this library with other readers.
#pragma once

#include <string>
#include <string_view>

namespace sgl::hl7 {

/// One JSON document, ended by a line feed. `name` is the file's, without its folder. Never refuses: what is no HL7 is
/// an anomaly. Unlike a listener it reads a block without its end (R7) and guesses a wrong character set (R10).
std::string dump(std::string_view bytes, std::string_view name);

}  // namespace sgl::hl7
