// Whether a message is for us at all, before anybody looks at its content (hl7v2-lab 3.3 and 3.5).
#pragma once

#include <optional>
#include <string>

#include "hl7/message.hpp"
#include "lib/domain/link.hpp"

namespace sgl::interpret {

/// A refusal as HL7 says it: AE the sender must correct, AR not acceptable here or now.
struct Refusal {
    std::string answer;      ///< AE or AR
    std::string code;        ///< table 0357
    std::string location;    ///< ERL: MSH^1^9
    std::string what;        ///< English, without patient data
    std::string coordinate;  ///< MSH-9
};

enum class Kind : std::uint8_t { results, order, identity, query, query_cancelled };

struct Admission {
    Kind kind{};
    std::optional<Refusal> refusal;
};

/// MSH-3 and 4 are those of the link, or it names none (SEC-03).
bool may_speak(const hl7::Message& message, const domain::Link& link);

/// MSH-9, 11, 12 and, for the link, MSH-3/4 and what kinds of message it may send.
Admission admit(const hl7::Message& message, const domain::Link& link);

}  // namespace sgl::interpret
