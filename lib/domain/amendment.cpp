#include "lib/domain/amendment.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sgl::domain {

namespace {

std::string value_of(const ReportedResult& result) {
    if (result.not_done) return "non réalisé";
    const auto* quantity = std::get_if<Quantity>(&result.value);
    const auto value = to_french(result.value);
    return quantity == nullptr || quantity->unit.empty() ? value : value + " " + french_unit(quantity->unit);
}

std::string with_value(const ReportedResult& result) {
    return result.label + " " + value_of(result);
}

std::string sentence(std::string_view one, std::string_view several, const std::vector<std::string>& items) {
    if (items.empty()) return {};
    return fmt::format("\n{} : {}.", items.size() > 1 ? several : one, fmt::join(items, " ; "));
}

}  // namespace

std::string french(const Amendment& amendment) {
    std::vector<std::string> corrected;
    std::vector<std::string> added;
    std::vector<std::string> gone;
    for (const auto& result : amendment.after) {
        const auto old = std::ranges::find(amendment.before, result.local_code, &ReportedResult::local_code);
        if (old == amendment.before.end())
            added.push_back(with_value(result));
        else if (with_value(*old) != with_value(result))
            corrected.push_back(fmt::format("{} (au lieu de {})", with_value(result), value_of(*old)));
    }
    for (const auto& result : amendment.before) {
        if (std::ranges::find(amendment.after, result.local_code, &ReportedResult::local_code) == amendment.after.end())
            gone.push_back(with_value(result));
    }
    auto text = fmt::format("Annule et remplace la version {} validée le {}.\nMotif : {}", amendment.version,
                            to_french_date_time(amendment.validated_at), amendment.reason);
    text += sentence("Résultat corrigé", "Résultats corrigés", corrected);
    text += sentence("Résultat ajouté", "Résultats ajoutés", added);
    text += sentence("Résultat retiré", "Résultats retirés", gone);
    return text;
}

}  // namespace sgl::domain
