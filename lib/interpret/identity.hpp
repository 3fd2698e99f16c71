// ADT of IHE PAM France in our words: who the patient is, whose record ends, where he stays, what he decided about his
// DMP (hl7v2-lab 9; identity-and-directory 2).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "lib/domain/identity.hpp"
#include "lib/domain/received.hpp"
#include "lib/interpret/admission.hpp"
#include "lib/interpret/patient.hpp"

namespace sgl::interpret {

struct ReadIdentity {
    std::string event;  ///< "A40"
    bool ignored{};     ///< an event that changes nothing for a laboratory: kept, AA, counted
    bool held{};        ///< the whole message waits for a person
    std::vector<domain::IdentityAct> acts;
    std::vector<domain::Trouble> troubles;
};

/// AE only where the structure can't be used at all: no PID, a merge without MRG, a link of one patient.
std::variant<ReadIdentity, Refusal> identity(const hl7::Message& message, const domain::Link& link,
                                             const PatientContext& context);

}  // namespace sgl::interpret
