// What a message that waits shows to people: the words that its link does not know yet, and its text without what
// names a patient.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hl7/message.hpp"
#include "lib/domain/link.hpp"

namespace sgl::interpret {

/// What one OBX says, as received.
struct Said {
    std::string code;
    std::string label;  ///< what the sender calls it, OBX-3.2
    std::string unit;
    std::string value;
    std::vector<std::string> unknown_flags;  ///< neither of the link nor of the standard
};

/// The OBX (or, of a test that could not be done, the OBR) that a coordinate names: "OBX[3]-5", "OBX-3". Nothing when
/// the message has none.
std::optional<Said> said_at(const hl7::Message& message, const domain::Link& link, std::string_view coordinate);

/// The segments of a message, one a line, for who may not know the patient: of MSH, ORC, OBR, SPM, SAC, OBX and TCD
/// only what names specimens, codes, numbers, units, flags and times; `…` stands for all else.
std::string masked(const hl7::Message& message);
/// The same with everything.
std::string readable(const hl7::Message& message);

}  // namespace sgl::interpret
