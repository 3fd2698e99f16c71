// An order (dossier): one visit with its patient, prescription, specimens and requested examinations.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/domain/organisation.hpp"
#include "lib/domain/value.hpp"

namespace sgl::domain {

struct Specimen {
    SpecimenId id;
    std::string number;                     ///< barcode of the tube
    std::string type;                       ///< code of HL7 table 0487 / JDV specimen type, e.g. SER
    std::string type_label;                 ///< French
    std::optional<Timestamp> collected_at;  ///< date and time are mandatory on the report (D.6211-2 3°)
    std::optional<Timestamp> received_at;
    std::string refusal_code{};  ///< SPM-21, table 0490; empty: the specimen was not refused
    std::string refusal{};       ///< why, French: "Tube cassé"

    bool refused() const { return !refusal_code.empty() || !refusal.empty(); }
};

/// Table 0490, codes with their French words.
std::span<const std::pair<std::string_view, std::string_view>> specimen_refusals();
/// French words of table 0490; what the table has not is given back as it is.
std::string specimen_refusal_label(std::string_view code);

/// What became of one line of a prescription.
enum class ExamState : std::uint8_t { requested, cancelled, replaced, not_done };
constexpr std::string_view to_string(ExamState state) {
    switch (state) {
        case ExamState::requested:
            return "requested";
        case ExamState::cancelled:
            return "cancelled";
        case ExamState::replaced:
            return "replaced";
        case ExamState::not_done:
            return "not_done";
    }
    return "";
}
ExamState exam_state_of(std::string_view text);  ///< requested when it is none of them: older rows say nothing

struct RequestedExam {
    std::string placer_number;  ///< OBR-2
    std::string code;           ///< local code of an analyte or of a panel
    std::string label;          ///< as ordered
    ExamState state{ExamState::requested};
    std::string filler_number{};           ///< OBR-3, when the registration gives each line a number of its own
    std::vector<std::string> specimens{};  ///< numbers of its tubes; empty: any of the order
    std::string parent{};                  ///< placer number of the line it comes from: reflex, child
    std::string reason{};                  ///< why it is not requested any more, French

    bool operator==(const RequestedExam&) const = default;
};

/// What the requester knows from before, under somebody else's responsibility: shown, never a result of ours.
struct PriorResult {
    std::string code;   ///< as received
    std::string label;  ///< as received, else the code
    std::string value;  ///< as text
    std::string unit;
    std::string range;
    std::string flag;
    std::optional<Timestamp> at;
    std::string laboratory;  ///< who performed it, when it was said

    bool operator==(const PriorResult&) const = default;
};

/// An order as a registration link sent it, before it has our identifiers.
struct NewOrder {
    std::string group_number;   ///< ORC-4, else the first placer number
    std::string filler_number;  ///< ORC-3/OBR-3 when the registration numbers for us; else empty, we number
    Patient patient;
    Professional prescriber;
    std::vector<Professional> copies;  ///< OBR-28
    Professional collector;
    std::optional<Timestamp> prescribed_at;
    std::optional<Timestamp> registered_at;
    std::string stay_number;    ///< PID-18 / PV1-19
    std::string patient_class;  ///< PV1-2, e.g. N, I, O
    std::string clinical_context;
    bool urgent{};
    std::vector<RequestedExam> exams;
    std::vector<Specimen> specimens;
};

/// lab-domain 3.3; only what this version reaches. Of a partially reported one a partial report was signed and the rest
/// is awaited.
enum class OrderState : std::uint8_t {
    registered,
    in_progress,
    partially_reported,
    fully_validated,
    reported,
    cancelled
};
constexpr std::string_view to_string(OrderState state) {
    switch (state) {
        case OrderState::registered:
            return "registered";
        case OrderState::in_progress:
            return "in_progress";
        case OrderState::partially_reported:
            return "partially_reported";
        case OrderState::fully_validated:
            return "fully_validated";
        case OrderState::reported:
            return "reported";
        case OrderState::cancelled:
            return "cancelled";
    }
    return "";
}

OrderState order_state_of(std::string_view text);  ///< registered when it is none of them

/// Results are awaited, examinations may be added and taken away.
constexpr bool is_open(OrderState state) {
    return state == OrderState::registered || state == OrderState::in_progress ||
           state == OrderState::partially_reported;
}

}  // namespace sgl::domain
