// What a prescriber asks in one message, and what comes of it line by line (hl7v2-lab 7): new examinations, additions
// to a known tube, cancelling, replacing, changing, refused tubes. Pure: the orders that the message may mean go in,
// what each of them becomes comes out.
//
// Lines are decided one by one (hl7v2-lab 7.3): one that can't be taken does not refuse its neighbours. Only a
// replacement is one act: RP and the RO after it are taken together or not at all. Nothing is ever taken away that has
// a result, or that a biologist has signed: then the answer says so, and a person decides.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/domain/catalogue.hpp"
#include "lib/domain/order.hpp"

namespace sgl::domain {

/// ORC-1 of a requester (table 0119), in our words.
enum class OrderControl : std::uint8_t {
    order,        ///< NW
    cancel,       ///< CA
    replace,      ///< RP: what is replaced; with examination and no RO after it, also by what
    replacement,  ///< RO
    change,       ///< XO
    send_number,  ///< SN: which number has it with you?
    number,       ///< NA: the number that we asked for
    status,       ///< SC: something happened to it: collected, tube refused
    ask_status,   ///< SS
    parent,       ///< PA
    child,        ///< CH
    discontinue,  ///< DC: not supported, there are no series here
    hold,         ///< HD: not supported
    release,      ///< RL: not supported
    other,        ///< what a filler says, or nobody
};

/// Why a line is not taken.
enum class LineRefusal : std::uint8_t {
    none,
    no_examination,
    no_number,
    unknown_number,
    known_number,
    other_patient,
    tube_of_another,  ///< its tube belongs to an order of somebody else
    two_orders,       ///< its tubes belong to two orders
    has_results,
    validated,
    cancelled_already,
    not_replaced,  ///< RO: what it would replace was not
    refused_replacement,
    unsupported,
    not_a_request,
    charset,
    identity,  ///< the message may not order for this patient, or is not sure who he is
};

/// Brings something to do, for a patient who is thereby known; all else is about what is known.
bool orders_something(OrderControl control);

struct LineRequest {
    OrderControl control{OrderControl::other};
    std::string at;      ///< "ORC[2]"
    std::string obr_at;  ///< "OBR[2]"; empty: it has none
    std::string group;   ///< ORC-4
    std::string filler;  ///< OBR-3, else ORC-3
    RequestedExam exam;  ///< code empty: the line names none; placer_number, specimens and parent as the line says
    bool drop{};         ///< OBR-11 C
    std::optional<bool> urgent;
    std::string reason;                      ///< ORC-16, as received
    LineRefusal refused{LineRefusal::none};  ///< decided before anything was looked up
};

struct OrderRequest {
    NewOrder order;  ///< patient, prescriber, copies, context, all specimens; its examinations come from the lines
    std::vector<LineRequest> lines;
    std::vector<PriorResult> prior;

    /// Only a message that orders something says who the patient is; an act on a known line confirms him.
    bool orders_something() const;
};

/// A request of new examinations only, as the desk makes it: one line each.
OrderRequest request_of(NewOrder order);

/// An order that the message may mean, before and after.
struct KnownOrder {
    OrderId id;
    std::string number;  ///< ours; empty: it is new and has none yet
    std::string group;
    OrderState state{OrderState::registered};
    bool same_patient{};
    Professional prescriber;
    std::vector<Professional> copies;
    std::string clinical_context;
    bool urgent{};
    std::string stay_number{};    ///< PV1-19 of the request
    std::string patient_class{};  ///< PV1-2
    std::vector<RequestedExam> exams;
    std::vector<Specimen> specimens;
    std::optional<LinkId> link;      ///< of who requested; none: the desk
    std::set<std::string> measured;  ///< local codes (else codes as received) that have a result

    // What deciding adds.
    std::size_t known_exams{};               ///< how many there were before
    std::vector<std::string> new_placers;    ///< placer numbers that known lines were given
    bool fresh{};                            ///< comes of this message
    bool touched{};                          ///< something about it changed
    std::vector<std::string> acts;           ///< for the audit: "cancel P002"
    std::vector<std::string> new_tubes;      ///< numbers of specimens that it did not have
    std::vector<std::string> refused_tubes;  ///< numbers of specimens refused by this message
    std::vector<std::string> asked_again;    ///< local codes that were not done and are asked again

    bool open() const { return is_open(state); }
};

enum class LineStatus : std::uint8_t { scheduled, in_process, completed, cancelled, replaced, unknown };

struct LineOutcome {
    LineRefusal refusal{LineRefusal::none};
    std::string coordinate;  ///< of the refusal: "OBR[2]-4"
    std::string what;        ///< more than english(refusal) says; usually empty
    LineStatus status{LineStatus::unknown};
    std::optional<std::size_t> order;  ///< in Decision::orders
    std::string filler;                ///< the number of the line itself; empty: that of its order
    bool late{};                       ///< refused because a biologist has signed or an analyser has measured
};

/// An analysis that will not be done, because its tube was refused: a result without value, with its reason.
struct NotDone {
    std::size_t order{};
    AnalyteId analyte;
    std::string code;
    std::string tube;
    std::string reason;
};

struct Decision {
    std::vector<LineOutcome> lines;  ///< one a line of the request
    std::vector<KnownOrder> orders;  ///< those given, then at most one new one
    std::vector<NotDone> not_done;
    std::vector<std::string> late_tubes;  ///< refused after results or a signature: a person decides
};

Decision decide(const OrderRequest& request, std::vector<KnownOrder> known, const Catalogue& catalogue);

/// A short name for machines: "validated".
std::string_view to_string(LineRefusal refusal);
/// The refusal in words: for the requester (French, ORC-16 and ERR-8), for the laboratory's IT (English, ERR-7).
std::string_view french(LineRefusal refusal);
std::string_view english(LineRefusal refusal);

}  // namespace sgl::domain
