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

const ReportedResult* find(const std::vector<ReportedResult>& in, const std::string& code) {
    const auto found = std::ranges::find(in, code, &ReportedResult::local_code);
    return found == in.end() ? nullptr : &*found;
}

bool was_provisional(const Amendment& amendment, const std::string& code) {
    return std::ranges::find(amendment.provisional, code) != amendment.provisional.end();
}

/// What the new version says of the results of the former one and of its own.
struct Changes {
    std::vector<std::string> corrected;
    std::vector<std::string> precise;  ///< was preliminary
    std::vector<std::string> added;
    std::vector<std::string> gone;
    bool takes_back{};  ///< one of `gone` was no preliminary result
};

Changes changes_of(const Amendment& amendment) {
    Changes changes;
    for (const auto& result : amendment.after) {
        const auto* old = find(amendment.before, result.local_code);
        if (old == nullptr) {
            changes.added.push_back(with_value(result));
        } else if (with_value(*old) != with_value(result)) {
            auto& list = was_provisional(amendment, result.local_code) ? changes.precise : changes.corrected;
            list.push_back(fmt::format("{} (au lieu de {})", with_value(result), value_of(*old)));
        }
    }
    for (const auto& result : amendment.before) {
        if (find(amendment.after, result.local_code) != nullptr) continue;
        changes.gone.push_back(with_value(result));
        changes.takes_back |= !was_provisional(amendment, result.local_code);
    }
    return changes;
}

}  // namespace

Amendment amendment_of(const std::vector<ReportedLine>& before, const std::vector<ReportedLine>& after) {
    Amendment amendment;
    // What is said of a germ that was named provisionally is as provisional as its name.
    const auto provisional = [&](const ReportedLine& line) {
        return line.preliminary || std::ranges::any_of(before, [&](const ReportedLine& other) {
                   return !line.isolate.empty() && other.isolate == line.isolate && other.kind == ValueKind::organism &&
                          other.preliminary;
               });
    };
    for (const auto& line : before) {
        if (!line.printed) continue;
        amendment.before.push_back(named_alone(line, before));
        if (provisional(line)) amendment.provisional.push_back(amendment.before.back().local_code);
    }
    for (const auto& line : after) {
        if (line.printed) amendment.after.push_back(named_alone(line, after));
    }
    return amendment;
}

bool corrects(const Amendment& amendment) {
    const auto changes = changes_of(amendment);
    return !changes.corrected.empty() || changes.takes_back;
}

bool changes_nothing(const Amendment& amendment) {
    const auto changes = changes_of(amendment);
    return changes.corrected.empty() && changes.precise.empty() && changes.added.empty() && changes.gone.empty();
}

bool corrects(const Amendment& amendment, const ReportedResult& now) {
    const auto* old = find(amendment.before, now.local_code);
    return old != nullptr && with_value(*old) != with_value(now) && !was_provisional(amendment, now.local_code);
}

std::string french(const Amendment& amendment) {
    const auto changes = changes_of(amendment);
    const auto when = to_french_date_time(amendment.validated_at);
    const bool only_corrects = changes.added.empty() && !(changes.corrected.empty() && changes.gone.empty());
    auto text = amendment.kind == ReportKind::partial
                    ? fmt::format("{} et remplace le compte rendu partiel (version {}) validé le {}.",
                                  only_corrects ? "Annule" : "Complète", amendment.version, when)
                    : fmt::format("Annule et remplace la version {} validée le {}.", amendment.version, when);
    if (!amendment.reason.empty()) text += "\nMotif : " + amendment.reason;
    text += sentence("Résultat corrigé", "Résultats corrigés", changes.corrected);
    text += sentence("Résultat provisoire précisé", "Résultats provisoires précisés", changes.precise);
    text += sentence("Résultat ajouté", "Résultats ajoutés", changes.added);
    text += sentence("Résultat retiré", "Résultats retirés", changes.gone);
    return text;
}

}  // namespace sgl::domain
