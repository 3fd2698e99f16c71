// An OML^O21 in our words: patient, prescriber, copies, collector, specimens, examinations (hl7v2-lab 7, 9; identity
// 2).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "lib/domain/order.hpp"
#include "lib/domain/received.hpp"
#include "lib/interpret/admission.hpp"
#include "lib/interpret/patient.hpp"

namespace sgl::interpret {

/// What the answer says of each ORC/OBR, in their order.
struct OrderLine {
    std::string control;  ///< ORC-1 received
    std::string placer_number;
    std::string refusal;     ///< empty: can be accepted
    std::string coordinate;  ///< of the refusal
};

struct ReadOrder {
    domain::NewOrder order;
    std::vector<OrderLine> lines;
    std::vector<domain::Trouble> troubles;  ///< accepted, and somebody looks
    bool acceptable() const {
        for (const auto& line : lines) {
            if (!line.refusal.empty()) return false;
        }
        return !lines.empty();
    }
};

using OrderContext = PatientContext;

/// All or nothing: one line that can't be accepted refuses the order, each line with its reason.
std::variant<ReadOrder, Refusal> order(const hl7::Message& message, const domain::Link& link,
                                       const domain::Catalogue& catalogue, const OrderContext& context);

}  // namespace sgl::interpret
