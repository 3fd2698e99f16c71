#include <fmt/format.h>

#include <algorithm>

#include "lib/web/layout.hpp"
#include "lib/web/rights.hpp"

namespace sgl::web {

namespace {

using store::WorklistFilter;

std::string_view word(WorklistFilter filter) {
    switch (filter) {
        case WorklistFilter::to_validate: return "a-valider";
        case WorklistFilter::waiting: return "en-attente";
        case WorklistFilter::reported: return "rendus";
        case WorklistFilter::all: return "tous";
    }
    return "";
}

std::string path(WorklistFilter filter, std::optional<domain::SiteId> site) {
    auto text = fmt::format("/dossiers?etat={}", word(filter));
    if (site) text += fmt::format("&site={}", site->value());
    return text;
}

void tabs(Html& h, const store::Worklist& list, const WorklistChoice& choice) {
    const auto& counts = list.counts;
    const auto tab = [&](WorklistFilter filter, std::string_view words, std::optional<unsigned> count) {
        const bool here = filter == choice.filter;
        h.tag("a", {{"href", path(filter, choice.site)}, {"class", here ? "tab here" : "tab"}, {"aria-current", here ? "true" : "false"}}, [&] {
            h.text(words);
            if (count) h.tag("span", {{"class", "count"}}, std::to_string(*count));
        });
    };
    h.tag("nav", {{"class", "tabs"}, {"aria-label", "État des dossiers"}}, [&] {
        tab(WorklistFilter::to_validate, "À valider", counts.to_validate);
        tab(WorklistFilter::waiting, "En attente de résultats", counts.waiting);
        tab(WorklistFilter::reported, "Rendus (24 h)", counts.reported);
        tab(WorklistFilter::all, "Tous", std::nullopt);
    });
}

void site_filter(Html& h, const Frame& frame, const WorklistChoice& choice) {
    const auto sites = sites_for(*frame.user, Action::read_patient);
    if (sites.size() < 2) return;
    h.tag("nav", {{"class", "sites"}, {"aria-label", "Site"}}, [&] {
        h.tag("a", {{"href", path(choice.filter, std::nullopt)}, {"class", choice.site ? "" : "here"}}, "Tous mes sites");
        for (const auto id : sites) {
            h.tag("a", {{"href", path(choice.filter, id)}, {"class", choice.site == id ? "here" : ""}}, layout::site_name(frame, id));
        }
    });
}

void patient_cell(Html& h, const Frame& frame, const store::WorklistRow& row) {
    const auto& traits = row.patient.traits.reveal();
    h.tag("td", {{"class", "patient"}}, [&] {
        h.tag("span", {{"class", "name"}}, traits.used_name.empty() ? traits.birth_name : traits.used_name);
        h.text(" ");
        h.tag("span", traits.used_given_name.empty() ? traits.first_given_name : traits.used_given_name);
    });
    h.tag("td", {{"class", "tight"}}, [&] {
        h.text(short_french(traits.sex));
        h.text(" · ");
        h.text(age(traits.birth_date, layout::zone(frame, row.site).to_local(frame.now)));
    });
    h.tag("td", {{"class", "mid"}}, [&] { layout::mark(h, identity_mark(row.patient)); });
}

void chapters_cell(Html& h, const store::WorklistRow& row) {
    h.tag("td", {{"class", "chapters"}}, [&] {
        for (const auto& chapter : row.chapters) {
            const bool validated = chapter.validated == chapter.results;
            const auto words = fmt::format("{} : {} résultat{}{}", chapter.label, chapter.results, chapter.results > 1 ? "s" : "",
                                           validated ? ", validés" : ", à valider");
            h.tag("span", {{"class", validated ? "chapter done" : "chapter"}, {"title", words}}, [&] {
                h.tag("span", {{"class", "sign"}, {"aria-hidden", "true"}}, validated ? "●" : "◐");
                h.text(chapter.label);
                h.tag("span", {{"class", "n"}}, std::to_string(chapter.results));
            });
        }
        if (!row.pending_exams.empty()) {
            std::string names;
            for (const auto& exam : row.pending_exams) names += (names.empty() ? "" : ", ") + exam;
            const auto words = fmt::format("{} en attente", row.pending_exams.size());
            h.tag("span", {{"class", "chapter pending"}, {"title", names}}, [&] {
                h.tag("span", {{"class", "sign"}, {"aria-hidden", "true"}}, "○");
                h.text(words);
            });
        }
    });
}

void alerts_cell(Html& h, const store::WorklistRow& row) {
    unsigned abnormal = 0;
    unsigned critical = 0;
    for (const auto& chapter : row.chapters) {
        abnormal += chapter.abnormal;
        critical += chapter.critical;
    }
    h.tag("td", {{"class", "alerts"}}, [&] {
        if (row.verdicts) {
            const auto& said = *row.verdicts;
            auto stops = mark(domain::Verdict::red);
            if (said.red > 1) stops.words = "arrêts";
            if (said.red > 0) layout::mark(h, stops, true, fmt::format("{} ", said.red));
            if (said.amber > 0) layout::mark(h, mark(domain::Verdict::amber), true, fmt::format("{} ", said.amber));
            if (said.red + said.amber == 0) layout::mark(h, mark(domain::Verdict::green), true);
        }
        if (critical > 0) layout::mark(h, {"bad", "▲▼", "critique"}, true, fmt::format("{} ", critical));
        if (abnormal > 0) layout::mark(h, {"warn", "◆", abnormal > 1 ? "hors normes" : "hors norme"}, true, fmt::format("{} ", abnormal));
        if (row.unknown_codes > 0) layout::mark(h, {"warn", "?", row.unknown_codes > 1 ? "codes inconnus" : "code inconnu"}, true, fmt::format("{} ", row.unknown_codes));
        if (row.late_results > 0) layout::mark(h, {"warn", "+", row.late_results > 1 ? "résultats tardifs" : "résultat tardif"}, true, fmt::format("{} ", row.late_results));
    });
}

void row_of(Html& h, const Frame& frame, const store::WorklistRow& row) {
    const bool open = domain::is_open(row.state);
    h.tag("tr", {{"class", row.urgent && open ? "urgent" : ""}}, [&] {
        h.tag("td", {{"class", "mid"}}, [&] {
            if (row.urgent) layout::mark(h, {"bad", "U", "urgent"});
        });
        h.tag("td", {{"class", "tight"}}, [&] {
            h.tag("a", {{"href", fmt::format("/dossiers/{}", to_string(row.id.value()))}, {"class", "row-link"}}, row.number);
        });
        patient_cell(h, frame, row);
        chapters_cell(h, row);
        alerts_cell(h, row);
        h.tag("td", {{"class", "clip"}}, row.prescriber);
        h.tag("td", {{"class", "clip"}}, layout::site_name(frame, row.site));
        h.tag("td", {{"class", "marks"}}, [&] {
            for (const auto& letter : row.letters) layout::letter_mark(h, letter.channel, letter.state, letter.reason);
            if (row.letters.empty() && !open) layout::mark(h, {"note", "…", french(row.state) == "validé" ? "en préparation" : "aucun envoi"}, true);
        });
        const auto since = open ? row.registered_at : row.last_event_at;
        h.tag("td", {{"class", "tight num"}, {"title", layout::moment(frame, row.site, since)}}, delay(frame.now - since));
    });
}

}  // namespace

std::string worklist_page(const Frame& frame, const store::Worklist& list, const WorklistChoice& choice,
                          const std::optional<Notice>& notice) {
    return layout::page(frame, {.title = "Dossiers", .kind = "wide", .refresh_seconds = 15}, notice, [&](Html& h) {
        h.tag("div", {{"class", "head"}}, [&] {
            h.tag("h1", {{"class", "heard"}}, "Dossiers");
            tabs(h, list, choice);
            if (list.counts.urgent > 0) {
                layout::mark(h, {"bad", "U", list.counts.urgent > 1 ? "urgents ouverts" : "urgent ouvert"}, true, fmt::format("{} ", list.counts.urgent));
            }
            if (!sites_for(*frame.user, Action::order_at_desk).empty()) {
                h.tag("a", {{"href", "/patients"}, {"class", "button"}, {"data-key", "n"}}, [&] {
                    h.text("Nouvelle demande");
                    h.tag("kbd", {{"aria-hidden", "true"}}, "n");
                });
            }
            site_filter(h, frame, choice);
        });
        if (list.rows.empty()) {
            h.tag("p", {{"class", "empty"}}, "Aucun dossier dans cette liste.");
            return;
        }
        h.tag("table", {{"class", "rows"}}, [&] {
            h.tag("thead", [&] {
                h.tag("tr", [&] {
                    h.tag("th", {{"scope", "col"}, {"class", "mid"}}, [&] { h.tag("abbr", {{"title", "Urgence"}}, "U"); });
                    for (const auto* const title : {"Dossier", "Patient", "Sexe · âge", "INS", "Chapitres", "Alertes", "Prescripteur", "Site", "Envois", "Attente"}) {
                        h.tag("th", {{"scope", "col"}, {"class", std::string_view(title) == "Attente" ? "num" : ""}}, title);
                    }
                });
            });
            h.tag("tbody", [&] {
                for (const auto& row : list.rows) row_of(h, frame, row);
            });
        });
        if (list.cut) h.tag("p", {{"class", "dim"}}, "La liste est limitée aux premiers dossiers ; affinez par site ou par état.");
        h.tag("p", {{"class", "keys"}}, [&] {
            for (const auto& [key, words] : {std::pair{"j", "suivant"}, {"k", "précédent"}, {"Entrée", "ouvrir"}}) {
                h.tag("kbd", key);
                h.text(words);
            }
        });
    });
}

}  // namespace sgl::web
