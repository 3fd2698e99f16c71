#include "lib/web/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sgl::web {

std::string age(const std::optional<Timestamp>& birth_date, const Timestamp& at) {
    if (!birth_date || birth_date->year == 0 || at.year < birth_date->year) return {};
    if (birth_date->precision == Precision::year) return fmt::format("env. {} ans", at.year - birth_date->year);
    int months = (at.year - birth_date->year) * 12 + static_cast<int>(at.month) - static_cast<int>(birth_date->month);
    if (birth_date->precision != Precision::month && at.day < birth_date->day) --months;
    if (months < 0) return {};
    if (months >= 36) return fmt::format("{} ans", months / 12);
    if (months >= 3) return fmt::format("{} mois", months);
    const auto date = [](const Timestamp& t) {
        return std::chrono::sys_days(std::chrono::year{t.year} / std::chrono::month{t.month} / std::chrono::day{t.day});
    };
    const auto days = (date(at) - date(*birth_date)).count();
    if (days < 0) return {};
    return fmt::format("{} jour{}", days, days > 1 ? "s" : "");
}

std::string delay(Duration lasting) {
    const auto minutes = std::max<long long>(0, std::chrono::duration_cast<std::chrono::minutes>(lasting).count());
    if (minutes < 60) return fmt::format("{} min", minutes);
    if (minutes < 24 * 60) return fmt::format("{} h {:02}", minutes / 60, minutes % 60);
    return fmt::format("{} j", minutes / (24 * 60));
}

std::string french(domain::OrderState state) {
    switch (state) {
        case domain::OrderState::registered: return "enregistré";
        case domain::OrderState::in_progress: return "en cours";
        case domain::OrderState::partially_reported: return "rendu en partie";
        case domain::OrderState::fully_validated: return "validé";
        case domain::OrderState::reported: return "compte rendu émis";
        case domain::OrderState::cancelled: return "annulé";
    }
    return "";
}

std::string_view french(domain::Sex sex) {
    switch (sex) {
        case domain::Sex::female: return "féminin";
        case domain::Sex::male: return "masculin";
        case domain::Sex::unknown: return "inconnu";
    }
    return "";
}

std::string_view short_french(domain::Sex sex) {
    switch (sex) {
        case domain::Sex::female: return "F";
        case domain::Sex::male: return "M";
        case domain::Sex::unknown: return "?";
    }
    return "";
}

std::string_view french(store::Role role) {
    switch (role) {
        case store::Role::secretary: return "secrétariat";
        case store::Role::technician: return "technicien";
        case store::Role::biologist: return "biologiste médical";
        case store::Role::it_operator: return "informatique";
        case store::Role::dpo: return "protection des données";
    }
    return "";
}

std::string full_name(const domain::Professional& person) {
    std::string name;
    const auto add = [&](std::string_view part) {
        if (part.empty()) return;
        if (!name.empty()) name += ' ';
        name += part;
    };
    if (person.title == "DR") add("Dr");
    if (person.title == "PR") add("Pr");
    add(person.given);
    add(person.family);
    return name;
}

std::string grouped_ins(std::string_view matricule) {
    if (matricule.size() != 15) return std::string(matricule);
    std::string text;
    std::size_t at = 0;
    for (const std::size_t length : {1U, 2U, 2U, 2U, 3U, 3U, 2U}) {
        if (!text.empty()) text += "\u00A0";
        text += matricule.substr(at, length);
        at += length;
    }
    return text;
}

Mark mark(domain::Flag flag) {
    switch (flag) {
        case domain::Flag::none: return {"off", "", ""};
        case domain::Flag::normal: return {"off", "", "dans les valeurs de référence"};
        case domain::Flag::low: return {"warn", "▼ B", "bas"};
        case domain::Flag::high: return {"warn", "▲ H", "haut"};
        case domain::Flag::critical_low: return {"bad", "▼▼ BB", "critique bas"};
        case domain::Flag::critical_high: return {"bad", "▲▲ HH", "critique haut"};
        case domain::Flag::abnormal: return {"warn", "◆ A", "anormal"};
    }
    return {};
}

Mark mark(domain::Verdict verdict) {
    switch (verdict) {
        case domain::Verdict::green: return {"ok", "●", "sans remarque"};
        case domain::Verdict::amber: return {"warn", "▲", "à regarder"};
        case domain::Verdict::red: return {"bad", "■", "arrêt"};
    }
    return {};
}

Mark mark(domain::LetterState state) {
    const auto words = domain::french(state);
    switch (state) {
        case domain::LetterState::due: return {"note", "…", words};
        case domain::LetterState::sending: return {"note", "→", words};
        case domain::LetterState::retry: return {"warn", "↻", words};
        case domain::LetterState::in_doubt: return {"warn", "?", words};
        case domain::LetterState::accepted: return {"ok", "✓", words};
        case domain::LetterState::delivered: return {"ok", "✓✓", words};
        case domain::LetterState::blocked: return {"bad", "■", words};
        case domain::LetterState::not_applicable: return {"off", "–", words};
        case domain::LetterState::dead: return {"bad", "✕", words};
        case domain::LetterState::cancelled: return {"off", "∅", words};
        case domain::LetterState::held: return {"warn", "‖", words};
    }
    return {};
}

Mark identity_mark(const domain::Patient& patient) {
    if (patient.fictitious) return {"bad", "✕", "identité fictive"};
    if (patient.doubtful) return {"bad", "?", "identité douteuse"};
    switch (patient.status) {
        case domain::IdentityStatus::qualified:
            return patient.ins ? Mark{"ok", "✓", "INS qualifiée"} : Mark{"bad", "!", "qualifiée sans INS"};
        case domain::IdentityStatus::validated: return {"warn", "◐", "identité validée, INS absente"};
        case domain::IdentityStatus::retrieved: return {"warn", "◔", "INS récupérée, non qualifiée"};
        case domain::IdentityStatus::provisional: return {"warn", "○", "identité provisoire"};
    }
    return {};
}

std::string_view short_french(domain::Channel channel) {
    switch (channel) {
        case domain::Channel::dmp: return "DMP";
        case domain::Channel::mss_professional: return "MSS";
        case domain::Channel::mss_patient: return "MES";
        case domain::Channel::dpi: return "DPI";
    }
    return "";
}

std::string work_kind(std::string_view kind) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 60> words{{
        // a result
        {"unknown_code", "Code d'examen inconnu du catalogue"},
        {"missing_code", "Résultat sans code d'examen"},
        {"contradictory_code", "Code local et code LOINC contradictoires"},
        {"unit", "Unité inconnue ou différente de celle du catalogue"},
        {"value", "Valeur illisible"},
        {"no_value", "Résultat sans valeur"},
        {"status", "Statut de résultat à examiner"},
        {"unknown_flag", "Indicateur d'automate inconnu"},
        {"late_result", "Résultat arrivé après validation"},
        {"late_preliminary", "Résultat préliminaire arrivé après le définitif"},
        {"late_final", "Résultat définitif arrivé après sa correction"},
        {"quality_control", "Contrôle ou calibrant reçu comme un résultat"},
        {"misplaced_result", "Résultat sans demande dans le message"},
        // its order
        {"unmatched", "Résultat sans dossier"},
        {"ambiguous_number", "Numéro commun à plusieurs dossiers"},
        {"cancelled_order", "Résultat d'un dossier annulé"},
        {"order_refused", "Demande refusée"},
        {"late_order_change", "Annulation ou modification demandée trop tard"},
        {"late_specimen_refusal", "Prélèvement refusé après ses résultats"},
        {"numbers_differ", "Deux numéros pour une même demande"},
        {"unknown_exam", "Examen demandé inconnu du catalogue"},
        {"report_refused", "Compte rendu non composable"},
        // its patient
        {"identity_mismatch", "Identité différente de celle du dossier"},
        {"two_patients", "Message concernant deux patients"},
        {"duplicate_ins", "Même INS sur deux patients"},
        {"ins_invalid", "INS non valable, laissée de côté"},
        {"ins_environment", "INS de test en production, ou réelle sur une instance de test"},
        {"ins_dropped", "INS écartée : identité non fiable"},
        {"traits_incomplete", "Traits incomplets : INS non qualifiée"},
        {"duplicate_traits", "Mêmes traits sur deux patients"},
        {"duplicate_told", "Doublon signalé par l'établissement"},
        {"collision_told", "Collision signalée par l'établissement : deux personnes, un dossier"},
        {"identity_conflict", "Identité vérifiée que le message contredit : rien n'a été changé"},
        {"identity_transition", "Passage de statut d'identité non permis"},
        {"identity_changed", "Traits stricts changés, dossiers ouverts : vérifier les tubes"},
        {"identity_incomplete", "Message d'identité sans nom de naissance"},
        {"identity_unknown", "Patient inconnu, que le message ne nomme pas"},
        {"identifier_missing", "Message d'identité sans identifiant local (IPP)"},
        {"ins_lost", "INS absente du message : retirée"},
        {"ins_changed", "INS remplacée par une autre"},
        {"traits_changed", "Traits stricts changés sans nouvelle qualification : INS retirée"},
        {"merged_identifier", "Identifiant clos par une fusion, encore utilisé"},
        {"merge_refused", "Fusion refusée"},
        {"renumber_refused", "Changement d'identifiant refusé"},
        {"split_refused", "Séparation refusée"},
        {"split_orders", "Dossiers à attribuer après séparation"},
        {"wrong_identity_documents", "Documents partis sous une autre identité"},
        {"dmp_opposed_late", "Opposition au DMP après départ de comptes rendus"},
        {"letters_held", "Envois retenus : identité ou opposition à examiner"},
        {"movement", "Mouvement illisible, laissé de côté"},
        // its message
        {"charset", "Message illisible : jeu de caractères"},
        {"too_long", "Message trop long"},
        {"part", "Morceau d'un message coupé en plusieurs"},
        {"no_message", "Envoi sans message lisible"},
        {"unstorable", "Message non enregistrable en clair"},
        // the work of analysers
        {"work_refused", "Examen refusé par l'automate"},
        {"work_not_cancelled", "Examen non annulé par l'automate"},
        {"news_not_told", "Prescripteur injoignable, suite de sa demande non transmise"},
        {"news_refused", "Suite de la demande refusée par le prescripteur"},
        {"work_not_told", "Automate injoignable, demande non transmise"},
    }};
    const auto* const found = std::ranges::find(words, kind, &std::pair<std::string_view, std::string_view>::first);
    return std::string(found == words.end() ? kind : found->second);
}

std::string missing_words(const Error& error) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> words{{
        {"collected_at", "Date et heure du prélèvement manquantes"},
        {"patient.birth_date", "Date de naissance du patient manquante"},
        {"patient.birth_name", "Nom de naissance du patient manquant"},
        {"patient.first_given_name", "Premier prénom de naissance manquant"},
        {"patient.birth_given_names", "Prénoms de naissance manquants"},
        {"patient.birth_place", "Lieu de naissance (code INSEE) manquant"},
        {"patient.sex", "Sexe du patient inconnu"},
        {"patient.local_id", "Numéro de patient du laboratoire manquant"},
        {"prescriber", "Prescripteur incomplet"},
        {"validator.rpps", "Le biologiste n'a pas de numéro RPPS"},
        {"validator.speciality", "Spécialité du biologiste manquante"},
        {"validator", "Nom et prénom du biologiste manquants"},
        {"biologists_in_charge", "Biologiste responsable du laboratoire manquant"},
        {"legal_entity", "Nom et forme juridique du laboratoire manquants"},
        {"site", "Adresse du site manquante"},
        {"specimens", "Aucun prélèvement connu pour ce dossier"},
        {"results", "Aucun résultat à rendre"},
    }};
    if (error.fault == Fault::missing) {
        if (error.where.starts_with("isolate ")) return "Un germe de la culture n'a pas de nom";
        for (const auto& [place, sentence] : words) {
            const bool tail = place == "collected_at" && error.where.ends_with(place);
            if (tail || error.where == place || (place == "biologists_in_charge" && error.where.ends_with(place)))
                return std::string(sentence);
        }
    }
    return to_string(error);
}

std::string actor_words(std::string_view actor) {
    if (actor.starts_with("user:")) return std::string(actor.substr(5));
    if (actor.starts_with("daemon")) return "sgld";
    if (actor.starts_with("link:")) return "liaison " + std::string(actor.substr(5));
    if (actor.starts_with("cli:")) return "commande " + std::string(actor.substr(4));
    return std::string(actor);
}

}  // namespace sgl::web
