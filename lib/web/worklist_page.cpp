#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "lib/web/layout.hpp"
#include "lib/web/rights.hpp"

namespace sgl::web {

namespace {

using store::WorklistFilter;

/// An urgent result is late from then on, counted from the specimen (lab-domain 4.5), until a limit of each examination is known.
constexpr std::chrono::minutes urgent_limit{60};

std::string_view word(WorklistFilter filter) {
    switch (filter) {
        case WorklistFilter::to_validate: return "a-valider";
        case WorklistFilter::waiting: return "en-attente";
        case WorklistFilter::reported: return "rendus";
        case WorklistFilter::all: return "tous";
    }
    return "";
}

using Query = std::vector<std::pair<std::string, std::string>>;

constexpr std::array<std::pair<std::string_view, bool store::WorklistNarrow::*>, 5> switches{{
    {"urgent", &store::WorklistNarrow::urgent},
    {"critique", &store::WorklistNarrow::critical},
    {"ins", &store::WorklistNarrow::unqualified},
    {"partiel", &store::WorklistNarrow::partial},
    {"bloque", &store::WorklistNarrow::blocked},
}};

Query worklist_fields(const WorklistChoice& choice) {
    Query fields{{"etat", std::string(word(choice.filter))}};
    if (choice.site) fields.emplace_back("site", std::to_string(choice.site->value()));
    for (const auto& [key, part] : switches)
        if (choice.narrow.*part) fields.emplace_back(key, "1");
    if (choice.narrow.hours > 0) fields.emplace_back("depuis", std::to_string(choice.narrow.hours));
    if (!choice.narrow.chapter.empty()) fields.emplace_back("chapitre", choice.narrow.chapter);
    if (!choice.narrow.prescriber.empty()) fields.emplace_back("prescripteur", choice.narrow.prescriber);
    return fields;
}

std::string path(const WorklistChoice& choice) { return "/dossiers?" + worklist_query(choice); }

void tabs(Html& h, const store::Worklist& list, const WorklistChoice& choice) {
    const auto& counts = list.counts;
    const auto tab = [&](WorklistFilter filter, std::string_view words, std::optional<unsigned> count) {
        const bool here = filter == choice.filter;
        WorklistChoice there = choice;
        there.filter = filter;
        h.tag("a", {{"href", path(there)}, {"class", here ? "tab here" : "tab"}, {"aria-current", here ? "true" : "false"}}, [&] {
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
        const auto link = [&](std::optional<domain::SiteId> site, std::string_view words) {
            WorklistChoice there = choice;
            there.site = site;
            const bool here = choice.site == site;
            h.tag("a", {{"href", path(there)}, {"class", here ? "here" : ""}, {"aria-current", here ? "true" : "false"}}, words);
        };
        link(std::nullopt, "Tous mes sites");
        for (const auto id : sites) link(id, layout::site_name(frame, id));
    });
}

/// One that is on or off: a link to the list with it turned round.
void chip(Html& h, const WorklistChoice& turned, bool here, std::string_view words, unsigned count) {
    const auto* const shown = here ? "chip here" : count == 0 ? "chip none" : "chip";
    h.tag("a", {{"href", path(turned)}, {"class", shown}, {"aria-current", here ? "true" : "false"}}, [&] {
        if (here) h.tag("span", {{"aria-hidden", "true"}}, "✓");
        h.text(words);
        h.tag("span", {{"class", "count"}}, std::to_string(count));
    });
}

void choose(Html& h, std::string_view name, std::string_view words, std::string_view all, const std::string& present,
            const std::vector<store::NamedCount>& offered) {
    h.tag("label", {{"for", name}}, words);
    h.tag("select", {{"id", name}, {"name", name}}, [&] {
        h.tag("option", {{"value", ""}}, all);
        bool known = present.empty();
        for (const auto& one : offered) {
            known = known || one.key == present;
            h.tag("option", {{"value", one.key}, {"selected", one.key == present}}, fmt::format("{} ({})", one.label, one.count));
        }
        if (!known) h.tag("option", {{"value", present}, {"selected", true}}, fmt::format("{} (0)", present));
    });
}

void saved_filters(Html& h, const Frame& frame, const WorklistChoice& choice, const std::vector<store::SavedFilter>& saved) {
    const auto present = worklist_query(choice);
    const auto here = [&](const store::SavedFilter& filter) { return filter.query == present; };
    const auto fields = [&] {
        layout::csrf_field(h, frame);
        for (const auto& [name, value] : worklist_fields(choice)) h.single("input", {{"type", "hidden"}, {"name", name}, {"value", value}});
    };
    if (!saved.empty()) {
        h.tag("span", {{"class", "saved"}}, [&] {
            h.tag("span", {{"class", "dim"}}, "Mes filtres");
            for (const auto& filter : saved) {
                const bool shown = here(filter);
                h.tag("a", {{"href", "/dossiers?" + filter.query}, {"class", shown ? "chip here" : "chip"}, {"aria-current", shown ? "true" : "false"}}, [&] {
                    if (shown) h.tag("span", {{"aria-hidden", "true"}}, "✓");
                    h.text(filter.name);
                });
            }
        });
    }
    const bool keeps = choice.narrow.any() && std::ranges::none_of(saved, here);
    if (!keeps && saved.empty()) return;
    h.tag("details", {{"class", "more"}}, [&] {
        h.tag("summary", keeps ? "Garder ces filtres" : "Gérer mes filtres");
        if (keeps) {
            h.tag("form", {{"method", "post"}, {"action", "/dossiers/filtres"}}, [&] {
                fields();
                h.tag("label", {{"for", "nom-filtre"}}, "Nom");
                h.single("input", {{"id", "nom-filtre"}, {"name", "nom"}, {"maxlength", "60"}, {"required", true}});
                h.tag("button", {{"type", "submit"}, {"class", "small"}}, "Garder les filtres affichés");
            });
        }
        for (const auto& filter : saved) {
            h.tag("form", {{"method", "post"}, {"action", fmt::format("/dossiers/filtres/{}/oublier", filter.id)}}, [&] {
                fields();
                h.tag("button", {{"type", "submit"}, {"class", "small"}}, fmt::format("Oublier « {} »", filter.name));
            });
        }
    });
}

void filters(Html& h, const Frame& frame, const WorklistChoice& choice, const store::WorklistFacets& facets,
             const std::vector<store::SavedFilter>& saved) {
    h.tag("section", {{"class", "filters"}, {"aria-label", "Filtres"}}, [&] {
        const auto turn = [&](bool store::WorklistNarrow::*part, std::string_view words, unsigned count) {
            WorklistChoice there = choice;
            there.narrow.*part = !(choice.narrow.*part);
            chip(h, there, choice.narrow.*part, words, count);
        };
        turn(&store::WorklistNarrow::urgent, "Urgents", facets.urgent);
        turn(&store::WorklistNarrow::critical, "Critiques", facets.critical);
        turn(&store::WorklistNarrow::unqualified, "INS non qualifiée", facets.unqualified);
        turn(&store::WorklistNarrow::partial, "Rendus en partie", facets.partial);
        turn(&store::WorklistNarrow::blocked, "Envoi bloqué", facets.blocked);
        WorklistChoice late = choice;
        late.narrow.hours = choice.narrow.hours > 0 ? 0 : 2;
        chip(h, late, choice.narrow.hours > 0, fmt::format("Attente > {} h", choice.narrow.hours > 0 ? choice.narrow.hours : 2), facets.late);
        h.tag("form", {{"method", "get"}, {"action", "/dossiers"}}, [&] {
            WorklistChoice rest = choice;  // what these fields do not say
            rest.narrow.chapter.clear();
            rest.narrow.prescriber.clear();
            rest.narrow.hours = 0;
            for (const auto& [name, value] : worklist_fields(rest)) h.single("input", {{"type", "hidden"}, {"name", name}, {"value", value}});
            choose(h, "chapitre", "Chapitre", "tous", choice.narrow.chapter, facets.chapters);
            choose(h, "prescripteur", "Prescripteur", "tous", choice.narrow.prescriber, facets.prescribers);
            h.tag("label", {{"for", "depuis"}}, "Attente");
            h.tag("select", {{"id", "depuis"}, {"name", "depuis"}}, [&] {
                h.tag("option", {{"value", ""}}, "toutes");
                for (const unsigned hours : {1U, 2U, 4U, 8U, 24U})
                    h.tag("option", {{"value", std::to_string(hours)}, {"selected", choice.narrow.hours == hours}}, fmt::format("plus de {} h", hours));
            });
            h.tag("button", {{"type", "submit"}, {"class", "small"}}, "Filtrer");
        });
        if (choice.narrow.any()) {
            WorklistChoice none = choice;
            none.narrow = {};
            h.tag("a", {{"href", path(none)}}, "Effacer les filtres");
        }
        saved_filters(h, frame, choice, saved);
        if (facets.cut) h.tag("span", {{"class", "dim"}}, "Comptés sur les 5 000 premiers dossiers.");
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

/// How long the prescriber has been waiting: from the specimen to now.
void urgency(Html& h, const Frame& frame, const store::WorklistRow& row, bool open) {
    if (!open || !row.collected_at) {
        layout::mark(h, {"bad", "U", "urgent"});
        return;
    }
    const auto since = frame.now - layout::zone(frame, row.site).to_instant(*row.collected_at);
    const auto words = fmt::format("urgent, prélevé depuis {}{}", delay(since), since > urgent_limit ? " : délai dépassé" : "");
    h.tag("span", {{"class", since > urgent_limit ? "mark bad clock" : "mark warn clock"}, {"title", words}}, [&] {
        h.tag("span", {{"aria-hidden", "true"}}, fmt::format("U {}{}", delay(since), since > urgent_limit ? " !" : ""));
        h.tag("span", {{"class", "heard"}}, words);
    });
}

void row_of(Html& h, const Frame& frame, const store::WorklistRow& row) {
    const bool open = domain::is_open(row.state);
    h.tag("tr", {{"class", row.urgent && open ? "urgent" : ""}}, [&] {
        h.tag("td", {{"class", "mid"}}, [&] {
            if (row.urgent) urgency(h, frame, row, open);
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

WorklistChoice worklist_choice(const Query& query) {
    WorklistChoice choice;
    const auto number = [](std::string_view text, int most) {
        int value = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
        return ec == std::errc() && end == text.data() + text.size() && value > 0 && value <= most ? value : 0;
    };
    for (const auto& [name, value] : query) {
        if (name == "etat") {
            for (const auto filter : {WorklistFilter::to_validate, WorklistFilter::waiting, WorklistFilter::reported, WorklistFilter::all})
                if (word(filter) == value) choice.filter = filter;
        } else if (name == "site") {
            if (const int site = number(value, std::numeric_limits<int>::max())) choice.site = domain::SiteId{site};
        } else if (name == "depuis") {
            choice.narrow.hours = static_cast<unsigned>(number(value, 999));
        } else if (name == "chapitre" && value.size() <= 200) {
            choice.narrow.chapter = value;
        } else if (name == "prescripteur" && value.size() <= 200) {
            choice.narrow.prescriber = value;
        } else {
            for (const auto& [key, part] : switches)
                if (key == name && value == "1") choice.narrow.*part = true;
        }
    }
    return choice;
}

std::string worklist_query(const WorklistChoice& choice) {
    std::string text;
    for (const auto& [name, value] : worklist_fields(choice)) text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, url_part(value));
    return text;
}

std::string worklist_page(const Frame& frame, const store::Worklist& list, const WorklistChoice& choice,
                          const store::WorklistFacets& facets, const std::vector<store::SavedFilter>& saved,
                          const std::optional<Notice>& notice) {
    return layout::page(frame, {.title = "Dossiers", .kind = "wide", .refresh_seconds = 15}, notice, [&](Html& h) {
        h.tag("div", {{"class", "head"}}, [&] {
            h.tag("h1", {{"class", "heard"}}, "Dossiers");
            tabs(h, list, choice);
            if (!sites_for(*frame.user, Action::order_at_desk).empty()) {
                h.tag("a", {{"href", "/patients"}, {"class", "button"}, {"data-key", "n"}}, [&] {
                    h.text("Nouvelle demande");
                    h.tag("kbd", {{"aria-hidden", "true"}}, "n");
                });
            }
            site_filter(h, frame, choice);
        });
        filters(h, frame, choice, facets, saved);
        if (list.rows.empty()) {
            h.tag("p", {{"class", "empty"}}, choice.narrow.any() ? "Aucun dossier ne passe ces filtres." : "Aucun dossier dans cette liste.");
            return;
        }
        h.tag("table", {{"class", "rows worklist"}}, [&] {
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
            h.tag("span", {{"class", "dim"}}, fmt::format(" · actualisé à {}, puis toutes les 15 s", layout::moment(TimeZone::paris(), frame.now).substr(11)));
        });
    });
}

}  // namespace sgl::web
