#include "lib/domain/order.hpp"

#include <array>
#include <utility>

namespace sgl::domain {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 14> refusals{{
    {"EX", "Prélèvement périmé"},
    {"QS", "Quantité insuffisante"},
    {"RA", "Identifiant du patient absent"},
    {"RB", "Tube cassé"},
    {"RC", "Prélèvement coagulé"},
    {"RD", "Date de prélèvement absente"},
    {"RE", "Nom du patient absent"},
    {"RH", "Prélèvement hémolysé"},
    {"RI", "Problème d'identification"},
    {"RM", "Étiquetage non conforme"},
    {"RN", "Prélèvement contaminé"},
    {"RP", "Préleveur non identifié"},
    {"RR", "Conservation non conforme"},
    {"RS", "Nom mal orthographié"},
}};

}  // namespace

std::span<const std::pair<std::string_view, std::string_view>> specimen_refusals() {
    return refusals;
}

std::string specimen_refusal_label(std::string_view code) {
    for (const auto& [known, label] : refusals) {
        if (known == code) return std::string(label);
    }
    return std::string(code);
}

ExamState exam_state_of(std::string_view text) {
    for (const auto state : {ExamState::cancelled, ExamState::replaced, ExamState::not_done}) {
        if (to_string(state) == text) return state;
    }
    return ExamState::requested;
}

OrderState order_state_of(std::string_view text) {
    for (const auto state : {OrderState::in_progress, OrderState::partially_reported, OrderState::fully_validated,
                             OrderState::reported, OrderState::cancelled}) {
        if (to_string(state) == text) return state;
    }
    return OrderState::registered;
}

}  // namespace sgl::domain
