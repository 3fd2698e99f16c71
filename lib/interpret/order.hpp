// OML^O21, O33, O35 and ORM^O01 in our words: patient, prescriber, copies, collector, specimens, what is asked line by
// line, and the requester's own previous results, which stay apart (hl7v2-lab 7, 9; identity 2).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "lib/domain/order_request.hpp"
#include "lib/domain/received.hpp"
#include "lib/interpret/admission.hpp"
#include "lib/interpret/patient.hpp"

namespace sgl::interpret {

/// What is asked, and what somebody looks at beside it.
struct ReadOrder : domain::OrderRequest {
    std::vector<domain::Trouble> troubles;
};

using OrderContext = PatientContext;

/// Refused as a whole is only what can't be read as orders of one patient; else each line stands for itself
/// (lib/domain/order_request.hpp).
std::variant<ReadOrder, Refusal> order(const hl7::Message& message, const domain::Link& link,
                                       const domain::Catalogue& catalogue, const OrderContext& context);

/// ORC-1 of the answer to a line (table 0119): OK or UA, CR or UC, XR or UX…
std::string_view answering_control(domain::OrderControl asked, bool taken);

}  // namespace sgl::interpret
