// Which order and which result an order comes from: the antibiogram of an isolate, a reflex, an add-on (hl7v2-lab 7.6
// and 8.8); and the levels of dotted sub-identifiers. group() has done the finding already.
#pragma once

#include "hl7/groups.hpp"
#include "hl7/values.hpp"

namespace sgl::hl7 {

/// What an order says of its parent, as it was sent; to find one that came in an earlier message.
struct ParentLink {
    EntityPair order;     ///< OBR-29, else ORC-8: placer and filler number
    ParentResult result;  ///< OBR-26

    bool empty() const { return order.empty() && result.empty(); }
};
ParentLink parent_of(const OrderGroup& order);

/// OBX-4 as it is compared: without blanks; of an OG (2.8.2) its original text, else `group.sequence`.
std::string sub_id_of(const Segment& obx);

/// Sets OrderGroup::parent and ObservationGroup::above. An order is the parent when every number that both give is the
/// same, an observation when OBX-3 (either triplet) and OBX-4 are those of OBR-26; when there is no OBX-4, the text of
/// the organism decides. What fits several, or contradicts itself, is never chosen.
void find_parents(PatientGroup& patient);

}  // namespace sgl::hl7
