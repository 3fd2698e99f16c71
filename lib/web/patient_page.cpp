#include <fmt/format.h>

#include <algorithm>

#include "lib/web/desk.hpp"
#include "lib/web/layout.hpp"
#include "lib/web/rights.hpp"

namespace sgl::web {

namespace {

void field(Html& h, std::string_view name, std::string_view label, const std::string& value, std::string_view hint, bool focus) {
    const auto id = fmt::format("f-{}", name);
    h.tag("div", {{"class", "field"}}, [&] {
        h.tag("label", {{"for", id}}, label);
        h.single("input", {{"id", id}, {"name", name}, {"value", value}, {"maxlength", "100"}, {"placeholder", hint}, {"autofocus", focus}});
    });
}

void hidden(Html& h, std::string_view name, std::string_view value) {
    h.single("input", {{"type", "hidden"}, {"name", name}, {"value", value}});
}

void new_patient(Html& h, const Frame& frame, const PatientsScreen& screen) {
    if (!screen.may_order || !screen.hits) return;
    h.tag("form", {{"method", "post"}, {"action", "/demandes"}, {"class", "new"}}, [&] {
        layout::csrf_field(h, frame);
        hidden(h, "nom", screen.typed.name);
        hidden(h, "prenom", screen.typed.given);
        hidden(h, "naissance", screen.typed.birth_date);
        h.tag("button", {{"type", "submit"}, {"name", "faire"}, {"value", "relire"}}, "Nouvelle demande pour un nouveau patient");
        h.tag("span", {{"class", "dim"}}, " Seulement si aucun de la liste n'est le bon : l'identité sera provisoire.");
    });
}

void hits_table(Html& h, const Frame& frame, const store::PatientHits& hits) {
    h.tag("table", {{"class", "rows"}}, [&] {
        h.tag("thead", [&] {
            h.tag("tr", [&] {
                for (const auto* const title : {"Patient", "Prénoms", "Né(e) le", "Sexe", "Âge", "IPP", "Identité"}) h.tag("th", {{"scope", "col"}}, title);
            });
        });
        h.tag("tbody", [&] {
            for (const auto& patient : hits.rows) {
                const auto& traits = patient.traits.reveal();
                h.tag("tr", [&] {
                    h.tag("td", {{"class", "patient"}}, [&] {
                        h.tag("a", {{"href", fmt::format("/patients/{}", to_string(patient.id.value()))}, {"class", "row-link"}}, traits.birth_name);
                        if (!traits.used_name.empty() && traits.used_name != traits.birth_name)
                            h.tag("span", {{"class", "dim"}}, fmt::format(" utilise {}", traits.used_name));
                    });
                    h.tag("td", traits.birth_given_names.empty() ? traits.first_given_name : traits.birth_given_names);
                    h.tag("td", {{"class", "tight"}}, traits.birth_date ? to_french_date(*traits.birth_date) : "");
                    h.tag("td", {{"class", "tight"}}, french(traits.sex));
                    h.tag("td", {{"class", "tight"}}, age(traits.birth_date, TimeZone::paris().to_local(frame.now)));
                    h.tag("td", {{"class", "tight"}}, patient.local_id);
                    h.tag("td", [&] { layout::mark(h, identity_mark(patient), true); });
                });
            }
        });
    });
}

std::string_view status_words(domain::IdentityStatus status) {
    switch (status) {
        case domain::IdentityStatus::provisional: return "provisoire";
        case domain::IdentityStatus::retrieved: return "récupérée";
        case domain::IdentityStatus::validated: return "validée";
        case domain::IdentityStatus::qualified: return "qualifiée";
    }
    return "";
}

std::string turn_words(const store::IdentityTurn& turn) {
    std::string words;
    if (turn.kind == "merged") words = fmt::format("fusion avec le dossier patient {}", turn.other_number);
    else if (turn.kind == "split") words = fmt::format("séparation d'avec le dossier patient {}", turn.other_number);
    else words = "changement d'INS";
    if (turn.undone) words += " (défaite depuis)";
    return words;
}

std::string step_words(const store::IdentityStep& step) {
    std::string words;
    const auto add = [&](const std::string& part) { words += (words.empty() ? "" : "\u00a0; ") + part; };
    if (step.was != step.is) add(fmt::format("identité {} → {}", status_words(step.was), status_words(step.is)));
    if (step.ins_changed) add("INS modifiée");
    if (step.was_traits) {
        const auto& was = *step.was_traits;
        add(fmt::format("traits modifiés\u00a0; auparavant {} {} ({}), {}{}", was.birth_name,
                        was.birth_given_names.empty() ? was.first_given_name : was.birth_given_names, french(was.sex),
                        was.birth_date ? to_french_date(*was.birth_date) : "date inconnue", was.birth_place.empty() ? "" : ", COG " + was.birth_place));
    }
    if (step.reliability == "doubtful") add("douteuse");
    if (step.reliability == "fictitious") add("fictive");
    if (words.empty()) add("attribut d'identité levé");
    return words;
}

void identity_box(Html& h, const store::PatientFile& file) {
    const auto& patient = file.patient;
    const auto& traits = patient.traits.reveal();
    h.tag("section", {{"class", "box"}}, [&] {
        h.tag("h2", "Identité");
        h.tag("dl", {{"class", "facts tall"}}, [&] {
            const auto fact = [&](std::string_view name, std::string_view value) {
                if (value.empty()) return;
                h.tag("div", {{"class", "fact"}}, [&] {
                    h.tag("dt", name);
                    h.tag("dd", value);
                });
            };
            std::string attributes;
            const auto attribute = [&](bool holds, std::string_view word) {
                if (holds) attributes += (attributes.empty() ? "" : ", ") + std::string(word);
            };
            attribute(patient.doubtful, "douteuse");
            attribute(patient.fictitious, "fictive");
            attribute(file.homonym, "homonyme");
            fact("Statut", status_words(patient.status));
            fact("Attributs", attributes);
            fact("Nom utilisé", traits.used_name);
            fact("Lieu", traits.birth_place.empty() ? "" : "COG " + traits.birth_place);
            std::string address;
            for (const auto& line : traits.address.lines) address += line + ", ";
            address += traits.address.postal_code + (traits.address.postal_code.empty() ? "" : " ") + traits.address.city;
            fact("Adresse", address);
            fact("Téléphone", traits.phone);
            std::string numbers;
            for (const auto& number : file.former_numbers) numbers += (numbers.empty() ? "" : ", ") + number;
            fact("Anciens IPP", numbers);
            fact("DMP", patient.choices.dmp_opposed ? "opposition" : "");
            fact("Messagerie", patient.choices.messaging_opposed ? "opposition" : "");
        });
    });
}

void history_box(Html& h, const store::PatientFile& file) {
    if (file.steps.empty() && file.turns.empty()) return;
    struct Line {
        Instant at;
        std::string words;
        std::string by;
    };
    std::vector<Line> lines;
    for (const auto& step : file.steps) lines.push_back({step.at, step_words(step), ""});
    for (const auto& turn : file.turns) lines.push_back({turn.at, turn_words(turn), turn.actor});
    std::ranges::stable_sort(lines, [](const Line& a, const Line& b) { return a.at > b.at; });
    h.tag("section", {{"class", "box"}}, [&] {
        h.tag("h2", "Histoire de l'identité");
        h.tag("ul", {{"class", "plain history"}}, [&] {
            for (const auto& line : lines) {
                h.tag("li", [&] {
                    h.tag("span", {{"class", "dim"}}, layout::moment(TimeZone::paris(), line.at) + " ");
                    h.text(line.words);
                    if (!line.by.empty()) h.tag("span", {{"class", "dim"}}, " · " + actor_words(line.by));
                });
            }
        });
    });
}

void withdraw_action(Html& h, const Frame& frame, const store::WrongDocument& document) {
    if (!may(*frame.user, Action::validate, document.site)) return;
    h.tag("details", {{"class", "more"}}, [&] {
        h.tag("summary", "Retirer");
        h.tag("form", {{"method", "post"}, {"action", fmt::format("/dossiers/{}/retrait", to_string(document.order.value()))}, {"class", "inline"}}, [&] {
            layout::csrf_field(h, frame);
            hidden(h, "version", std::to_string(document.seen_version));
            h.single("input", {{"name", "motif"}, {"required", true}, {"maxlength", "200"}, {"value", "Identité erronée"},
                               {"aria-label", fmt::format("Motif du retrait, dossier {}", document.order_number)}});
            h.tag("button", {{"type", "submit"}, {"class", "small"}}, "Retirer le compte rendu");
        });
    });
}

std::string_view change_words(std::string_view kind) {
    if (kind == "merged") return "Après une fusion";
    if (kind == "split") return "Après une séparation";
    return "Après un changement d'INS";
}

/// What left while his identity was the wrong one, one table a change (lab-domain 2.2).
void misdirected(Html& h, const Frame& frame, const std::string& patient, const std::vector<store::WrongDocument>& documents) {
    for (std::size_t first = 0; first < documents.size();) {
        std::size_t end = first;
        while (end < documents.size() && documents[end].change == documents[first].change) ++end;
        const auto& change = documents[first];
        h.tag("section", {{"class", change.closed ? "box" : "box bad"}, {"aria-label", "Documents partis sous une autre identité"}}, [&] {
            h.tag("h2", fmt::format("{} : {} envoi{} parti{} sous l'identité erronée{}", change_words(change.kind), end - first, end - first > 1 ? "s" : "",
                                    end - first > 1 ? "s" : "", change.closed ? " (traité)" : ""));
            h.tag("table", {{"class", "rows"}}, [&] {
                h.tag("thead", [&] {
                    h.tag("tr", [&] {
                        for (const auto* const title : {"Dossier", "Compte rendu", "Canal", "Destinataire", "État", "Actions"}) h.tag("th", {{"scope", "col"}}, title);
                    });
                });
                h.tag("tbody", [&] {
                    for (std::size_t i = first; i < end; ++i) {
                        const auto& document = documents[i];
                        const bool first_of_order = i == first || documents[i - 1].order != document.order;
                        h.tag("tr", [&] {
                            h.tag("td", {{"class", "tight"}}, [&] {
                                h.tag("a", {{"href", fmt::format("/dossiers/{}", to_string(document.order.value()))}, {"class", "row-link"}}, document.order_number);
                            });
                            h.tag("td", {{"class", "tight"}}, [&] {
                                h.tag("a", {{"href", fmt::format("/comptes-rendus/{}", to_string(document.report.value()))}}, fmt::format("v{}", document.version));
                                h.tag("span", {{"class", "dim"}}, " " + layout::moment(frame, document.site, document.validated_at));
                            });
                            h.tag("td", domain::french(document.channel));
                            h.tag("td", document.recipient.empty() && document.channel == domain::Channel::mss_patient ? "le patient" : document.recipient);
                            h.tag("td", [&] {
                                if (document.withdrawn) layout::mark(h, {"ok", "✓", "retiré"}, true);
                                else if (document.taken_back) layout::mark(h, {"note", "…", "retrait en cours"}, true);
                                else if (document.certain) layout::mark(h, {"bad", "!", "reçu, à retirer"}, true);
                                else layout::mark(h, {"warn", "?", "peut-être reçu, à retirer"}, true);
                            });
                            h.tag("td", {{"class", "actions"}}, [&] {
                                if (first_of_order && !document.taken_back) withdraw_action(h, frame, document);
                            });
                        });
                    }
                });
            });
            if (change.closed || !may(*frame.user, Action::validate, change.site)) return;
            h.tag("details", {{"class", "more"}}, [&] {
                h.tag("summary", "Tout est traité : clore cette liste");
                layout::reason_form(h, frame, fmt::format("/patients/{}/identite/{}/clore", patient, change.change), "Clore");
            });
        });
        first = end;
    }
}

void orders_table(Html& h, const Frame& frame, const store::PatientFile& file) {
    h.tag("h2", {{"class", "heard"}}, "Dossiers");
    if (file.orders.empty()) {
        h.tag("p", {{"class", "empty"}}, "Aucun dossier sur vos sites.");
        return;
    }
    h.tag("table", {{"class", "rows"}}, [&] {
        h.tag("thead", [&] {
            h.tag("tr", [&] {
                for (const auto* const title : {"Dossier", "Enregistré", "État", "Examens", "Prescripteur", "Site", "Comptes rendus"}) h.tag("th", {{"scope", "col"}}, title);
            });
        });
        h.tag("tbody", [&] {
            for (const auto& order : file.orders) {
                std::string exams;
                for (const auto& exam : order.exams) exams += (exams.empty() ? "" : ", ") + exam;
                h.tag("tr", [&] {
                    h.tag("td", {{"class", "tight"}}, [&] {
                        h.tag("a", {{"href", fmt::format("/dossiers/{}", to_string(order.id.value()))}, {"class", "row-link"}}, order.number);
                        h.text(" ");
                        if (order.urgent) layout::mark(h, {"bad", "U", "urgent"});
                    });
                    h.tag("td", {{"class", "tight"}}, layout::moment(frame, order.site, order.registered_at));
                    h.tag("td", {{"class", "tight"}}, french(order.state));
                    h.tag("td", {{"class", "wrap"}}, exams);
                    h.tag("td", order.prescriber);
                    h.tag("td", {{"class", "clip"}}, layout::site_name(frame, order.site));
                    h.tag("td", {{"class", "tight"}}, [&] {
                        for (const auto& report : order.reports) {
                            h.tag("a", {{"href", fmt::format("/comptes-rendus/{}", to_string(report.id.value()))}}, fmt::format("v{}", report.version));
                            h.text(report.state == "withdrawn" ? " (retirée) " : " ");
                        }
                    });
                });
            }
        });
    });
    if (file.cut) h.tag("p", {{"class", "dim"}}, "Les dossiers les plus récents sont affichés.");
}

}  // namespace

std::string patients_page(const Frame& frame, const PatientsScreen& screen, const std::optional<Notice>& notice) {
    return layout::page(frame, {.title = "Patients", .kind = "wide"}, notice, [&](Html& h) {
        h.tag("h1", {{"class", "heard"}}, "Patients");
        const bool found = screen.hits && !screen.hits->rows.empty();
        h.tag("form", {{"method", "post"}, {"action", "/patients"}, {"class", "box search"}, {"role", "search"}, {"autocomplete", "off"}}, [&] {
            layout::csrf_field(h, frame);
            field(h, "nom", "Nom", screen.typed.name, "de naissance ou utilisé", !found && screen.typed.number.empty());
            field(h, "prenom", "Prénom", screen.typed.given, "", false);
            field(h, "naissance", "Né(e) le", screen.typed.birth_date, "jj/mm/aaaa", false);
            field(h, "numero", "ou numéro", screen.typed.number, "IPP, INS, dossier ou tube", false);
            h.tag("button", {{"type", "submit"}, {"class", "main"}}, "Chercher");
        });
        if (!screen.problem.empty()) {
            h.tag("p", {{"class", "notice bad"}, {"role", "alert"}}, screen.problem);
            return;
        }
        if (!screen.hits) {
            h.tag("p", {{"class", "dim"}}, "Une demande commence par son patient : cherchez-le d'abord.");
            return;
        }
        if (!found) h.tag("p", {{"class", "empty"}, {"role", "status"}}, "Personne ne répond à cette recherche.");
        else hits_table(h, frame, *screen.hits);
        if (screen.hits->cut) h.tag("p", {{"class", "dim"}}, "La liste est limitée : précisez le prénom ou la date de naissance.");
        new_patient(h, frame, screen);
    });
}

std::string patient_page(const Frame& frame, const PatientScreen& screen, const std::optional<Notice>& notice) {
    const auto& file = screen.file;
    const auto id = to_string(file.patient.id.value());
    return layout::page(frame, {.title = "Patient", .kind = "wide"}, notice, [&](Html& h) {
        h.tag("p", {{"class", "keys"}}, [&] { h.tag("a", {{"href", "/patients"}, {"data-key", "u"}}, "← Patients"); });
        h.tag("section", {{"class", "identity"}, {"aria-label", "Identité du patient"}}, [&] {
            layout::person(h, file.patient, TimeZone::paris().to_local(frame.now));
            if (screen.may_order && !file.merged_into) {
                h.tag("a", {{"href", "/demandes/nouvelle?patient=" + id}, {"class", "button"}, {"data-key", "n"}}, [&] {
                    h.text("Nouvelle demande");
                    h.tag("kbd", {{"aria-hidden", "true"}}, "n");
                });
            }
        });
        if (file.merged_into) {
            h.tag("p", {{"class", "notice"}}, [&] {
                h.text("Ce dossier patient a été fusionné : ");
                h.tag("a", {{"href", "/patients/" + to_string(file.merged_into->value())}}, "voir celui qui continue");
            });
        }
        misdirected(h, frame, id, file.documents);
        h.tag("div", {{"class", "columns"}}, [&] {
            h.tag("div", [&] { orders_table(h, frame, file); });
            h.tag("aside", [&] {
                identity_box(h, file);
                history_box(h, file);
            });
        });
    });
}

}  // namespace sgl::web
