// An order (dossier): one visit with its patient, prescription, specimens and requested examinations.
#pragma once

#include <optional>
#include <string>
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
};

struct RequestedExam {
    std::string placer_number;  ///< OBR-2
    std::string code;           ///< local code of an analyte or of a panel
    std::string label;          ///< as ordered
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

/// lab-domain 3.3; only what this version reaches.
enum class OrderState : std::uint8_t { registered, in_progress, fully_validated, reported, cancelled };
constexpr std::string_view to_string(OrderState state) {
    switch (state) {
        case OrderState::registered:
            return "registered";
        case OrderState::in_progress:
            return "in_progress";
        case OrderState::fully_validated:
            return "fully_validated";
        case OrderState::reported:
            return "reported";
        case OrderState::cancelled:
            return "cancelled";
    }
    return "";
}

}  // namespace sgl::domain
