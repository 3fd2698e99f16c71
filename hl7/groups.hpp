// Which OBX belongs to which OBR, which specimen to which order, which order to which parent: tolerant grouping of the
// segments of results and orders in one pass (hl7v2-lab 5 and 8.8). Real feeds put SPM before or after OBX, leave ORC
// out, put NTE anywhere; nothing is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hl7/message.hpp"

namespace sgl::hl7 {

// All members are views into the message and live as long as it does.

struct ObservationGroup {
    Segment obx;
    std::vector<Segment> notes;     ///< NTE
    std::vector<Segment> attached;  ///< TCD, SID, INV, PRT, unknown ones
    /// Dotted sub-identifiers (OBX-4): position among the observations of the same order of the one that stands above,
    /// `1.1` for `1.1.2`. Observations with the very same OBX-4 stand beside each other: an isolate and its lines.
    std::optional<std::size_t> above;
};

struct SpecimenGroup {
    Segment spm;                      ///< false when only a SAC came (LAW negative query answer)
    std::vector<Segment> containers;  ///< SAC, INV
    std::vector<Segment> notes;
    std::vector<ObservationGroup> observations;  ///< about the specimen, no results
    std::vector<Segment> attached;
};

/// Where the parent that an order names is: OBR-26 (the result it comes from) and OBR-29, else ORC-8 (the order).
/// What they say word for word: `parent_of` (parents.hpp).
struct Parent {
    enum class State : std::uint8_t {
        none,       ///< the order names no parent
        found,      ///< in this message: `order`, and `observation` when OBR-26 says which
        elsewhere,  ///< no order of this message has these numbers: look among those that came before
        unmatched,  ///< its order may be here, but no observation is the one of OBR-26
        ambiguous,  ///< several could be meant, or OBR-26 contradicts itself
    };
    State state{State::none};
    std::size_t order{};                     ///< found: position in PatientGroup::orders
    std::optional<std::size_t> observation;  ///< position in its observations

    bool operator==(const Parent&) const = default;
};

struct OrderGroup {
    Segment orc;                   ///< false when the message has none
    Segment obr;                   ///< false when the message has none
    std::vector<Segment> timings;  ///< TQ1, TQ2
    std::vector<Segment> notes;
    std::vector<ObservationGroup> observations;  ///< results; in an order (OML, ORM) questions and clinical information
    std::vector<std::size_t> specimens;          ///< positions in PatientGroup::specimens; several orders may share one
    std::vector<Segment> attached;               ///< DG1, CTD, FT1, …
    Parent parent;                               ///< reflex, antibiogram of an isolate
    /// In OML and ORM: a result that the requester joined (PRIOR_RESULT: ORC-1 `PR` or `RE`, or no ORC and a result),
    /// nothing ordered.
    bool prior{};
};

struct PatientGroup {
    Segment pid;    ///< false when the message has none before its orders
    Segment visit;  ///< PV1
    std::vector<Segment> notes;
    std::vector<Segment> attached;               ///< PD1, PV2, NK1, MRG, ZBE, ZFA, ZFP, ZFV, …
    std::vector<ObservationGroup> observations;  ///< OBX before any order: usual in ADT, misplaced in a result
    std::vector<SpecimenGroup> specimens;
    std::vector<OrderGroup> orders;  ///< in OML prior results too
};

struct Groups {
    std::vector<Segment> header;  ///< MSA, ERR, SFT, NTE, QPD… before any patient or order
    std::vector<PatientGroup> patients;
};

Groups group(const Message& message);

}  // namespace sgl::hl7
