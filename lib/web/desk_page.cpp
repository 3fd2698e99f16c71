#include <fmt/format.h>

#include <algorithm>

#include "lib/domain/specimen_types.hpp"
#include "lib/web/desk.hpp"
#include "lib/web/layout.hpp"

namespace sgl::web {

namespace {

using domain::DeskForm;
using domain::FieldError;

constexpr std::size_t most_listed = 300;  // of people, so that the page stays small; the others are found by typing
constexpr std::size_t most_exams = 600;

/// The form as it is written: fields with their errors beside.
class Form {
public:
    Form(Html& h, const Frame& frame, const DeskScreen& screen) : h_(h), frame_(frame), screen_(screen) {}

    void write() {
        const bool correction = screen_.known.has_value();
        const auto path = correction ? fmt::format("/dossiers/{}/demande", to_string(screen_.known->order.id.value()))
                                     : std::string("/demandes");
        h_.tag("form", {{"method", "post"}, {"action", path}, {"class", "desk"}, {"autocomplete", "off"}}, [&] {
            // The first button is what Enter means: read again, nothing is written.
            h_.tag("button", {{"type", "submit"}, {"name", "faire"}, {"value", "relire"}, {"class", "heard"}, {"tabindex", "-1"}},
                   "Relire la saisie");
            layout::csrf_field(h_, frame_);
            hidden("jeton", screen_.token);
            if (correction) hidden("version", std::to_string(screen_.known->seen_version));
            if (form().patient && !correction) hidden("patient", to_string(form().patient->value()));
            if (!correction) site();
            if (!screen_.patient) {
                new_patient();
                namesakes();
            }
            h_.tag("div", {{"class", "columns desk"}}, [&] {
                h_.tag("div", [&] {
                    if (correction) known_exams();
                    exams();
                    tubes();
                });
                h_.tag("aside", [&] {
                    request();
                    h_.tag("section", {{"class", "box sign"}}, [&] {
                        h_.tag("button",
                               {{"type", "submit"}, {"class", "main"}, {"name", "faire"}, {"value", "enregistrer"}, {"data-key", "v"}}, [&] {
                                   h_.text(correction ? "Enregistrer la correction" : "Enregistrer la demande");
                                   h_.tag("kbd", {{"aria-hidden", "true"}}, "v");
                               });
                    });
                });
            });
            lists();
        });
    }

private:
    const DeskForm& form() const { return screen_.form; }

    void hidden(std::string_view name, std::string_view value) {
        h_.single("input", {{"type", "hidden"}, {"name", name}, {"value", value}});
    }

    std::string error_of(std::string_view key) const {
        std::string text;
        for (const auto& error : screen_.errors) {
            if (error.field == key) text += (text.empty() ? "" : " ") + error.text;
        }
        return text;
    }
    void error(std::string_view key) {
        const auto text = error_of(key);
        if (text.empty()) return;
        h_.tag("p", {{"class", "error"}, {"id", fmt::format("e-{}", key)}}, text);
    }

    struct Input {
        std::string_view key;
        std::string_view name;
        std::string_view label;
        std::string_view value;
        std::string_view type{"text"};
        std::string_view list{};
        std::string_view hint{};
        bool required{};
        bool focus{};
    };
    void input(const Input& in) {
        const auto id = fmt::format("f-{}", in.key);
        const bool wrong = !error_of(in.key).empty();
        h_.tag("div", {{"class", wrong ? "field wrong" : "field"}}, [&] {
            h_.tag("label", {{"for", id}}, [&] {
                h_.text(in.label);
                if (in.required) h_.tag("span", {{"class", "must"}, {"title", "obligatoire"}}, " *");
            });
            control(in, id, wrong);
            error(in.key);
        });
    }
    void control(const Input& in, const std::string& id, bool wrong) {
        h_.single("input", {{"type", in.type},
                            {"id", id},
                            {"name", in.name},
                            {"value", in.value},
                            {"maxlength", "300"},
                            {"placeholder", in.hint},
                            {in.list.empty() ? Name("data-list") : Name("list"), in.list},
                            {"aria-invalid", wrong ? "true" : "false"},
                            {"aria-describedby", wrong ? fmt::format("e-{}", in.key) : std::string()},
                            {"autofocus", in.focus || (wrong && first_wrong(in.key))},
                            {"data-next", true}});
    }
    bool first_wrong(std::string_view key) const { return screen_.errors.front().field == key; }

    void site() {
        if (screen_.sites.size() < 2) {
            hidden("site", std::to_string(screen_.site.value()));
            return;
        }
        h_.tag("p", {{"class", "site"}}, [&] {
            h_.tag("label", {{"for", "f-site"}}, "Site de la demande");
            h_.tag("select", {{"id", "f-site"}, {"name", "site"}}, [&] {
                for (const auto site : screen_.sites) {
                    h_.tag("option", {{"value", std::to_string(site.value())}, {"selected", site == screen_.site}},
                           layout::site_name(frame_, site));
                }
            });
            h_.tag("button", {{"type", "submit"}, {"name", "faire"}, {"value", "relire"}}, "Changer de site");
        });
    }

    // ── the patient ──

    void new_patient() {
        const auto& typed = form().traits;
        h_.tag("fieldset", {{"class", "box"}}, [&] {
            h_.tag("legend", "Nouveau patient, identité provisoire");
            error("patient");
            h_.tag("div", {{"class", "grid"}}, [&] {
                input({.key = "birth_name", .name = "nom", .label = "Nom de naissance", .value = typed.birth_name, .required = true,
                       .focus = typed.birth_name.empty()});
                input({.key = "first_given_name", .name = "prenom", .label = "Premier prénom", .value = typed.first_given_name,
                       .required = true, .focus = !typed.birth_name.empty()});
                input({.key = "birth_given_names", .name = "prenoms", .label = "Tous les prénoms", .value = typed.birth_given_names});
                input({.key = "used_name", .name = "nom_usage", .label = "Nom utilisé", .value = typed.used_name});
                input({.key = "birth_date", .name = "naissance", .label = "Né(e) le", .value = typed.birth_date, .hint = "jj/mm/aaaa",
                       .required = true});
                sex(typed.sex);
                input({.key = "birth_place", .name = "lieu", .label = "Lieu (code INSEE)", .value = typed.birth_place});
                input({.key = "phone", .name = "telephone", .label = "Téléphone", .value = typed.phone});
                input({.key = "address", .name = "adresse", .label = "Adresse", .value = typed.address});
                input({.key = "postal_code", .name = "code_postal", .label = "Code postal", .value = typed.postal_code});
                input({.key = "city", .name = "ville", .label = "Ville", .value = typed.city});
            });
        });
    }

    void sex(const std::string& chosen) {
        const bool wrong = !error_of("sex").empty();
        h_.tag("div", {{"class", wrong ? "field wrong" : "field"}}, [&] {
            h_.tag("label", {{"for", "f-sex"}}, [&] {
                h_.text("Sexe");
                h_.tag("span", {{"class", "must"}, {"title", "obligatoire"}}, " *");
            });
            h_.tag("select", {{"id", "f-sex"}, {"name", "sexe"}, {"aria-invalid", wrong ? "true" : "false"}}, [&] {
                const std::pair<const char*, const char*> sexes[] = {{"", ""}, {"F", "féminin"}, {"M", "masculin"}, {"U", "inconnu"}};
                for (const auto& [value, words] : sexes) h_.tag("option", {{"value", value}, {"selected", chosen == value}}, words);
            });
            error("sex");
        });
    }

    void namesakes() {
        if (screen_.namesakes.empty() && !form().homonym) return;
        h_.tag("section", {{"class", "box warn"}, {"role", "alert"}}, [&] {
            if (!screen_.namesakes.empty()) {
                h_.tag("h2", "Ce nom et cette date de naissance sont connus : est-ce l'un d'eux ?");
                h_.tag("ul", {{"class", "plain"}}, [&] {
                    for (const auto& other : screen_.namesakes) {
                        const auto& traits = other.traits.reveal();
                        const auto id = to_string(other.id.value());
                        h_.tag("li", [&] {
                            h_.tag("button", {{"type", "submit"}, {"name", "choisir"}, {"value", id}, {"class", "small"}}, "C'est lui ou elle");
                            h_.text(fmt::format(" {} {} ({}), IPP {} ", traits.birth_name, traits.birth_given_names, french(traits.sex), other.local_id));
                            layout::mark(h_, identity_mark(other), true);
                        });
                    }
                });
            }
            h_.tag("label", {{"class", "check"}}, [&] {
                h_.single("input", {{"type", "checkbox"}, {"name", "homonyme"}, {"value", "1"}, {"checked", form().homonym}});
                h_.text(" Non : c'est une autre personne (homonyme), un nouveau dossier patient est créé");
            });
        });
    }

    // ── the order as a whole ──

    void request() {
        const bool correction = screen_.known.has_value();
        h_.tag("fieldset", {{"class", "box"}}, [&] {
            h_.tag("legend", "Demande");
            error("order");
            input({.key = "prescriber", .name = "prescripteur", .label = "Prescripteur", .value = form().prescriber, .list = "personnes",
                   .hint = "choisir, ou NOM Prénom RPPS", .required = true, .focus = !correction && screen_.patient && screen_.errors.empty()});
            auto copies = form().copies;
            std::erase_if(copies, [](const std::string& copy) { return copy.empty(); });
            copies.emplace_back();
            if (copies.size() < 3) copies.emplace_back();
            for (std::size_t i = 0; i < copies.size(); ++i) {
                const auto key = fmt::format("copies[{}]", i + 1);
                const auto label = fmt::format("Copie à ({})", i + 1);
                input({.key = key, .name = "copie", .label = label, .value = copies[i], .list = "personnes"});
            }
            h_.tag("label", {{"class", "check"}}, [&] {
                h_.single("input", {{"type", "checkbox"}, {"name", "urgent"}, {"value", "1"}, {"checked", form().urgent}});
                h_.text(" Urgent");
            });
            if (!correction) {
                h_.tag("div", {{"class", "pair"}}, [&] {
                    input({.key = "prescribed_on", .name = "prescrit", .label = "Prescrit le", .value = form().prescribed_on, .type = "date"});
                    input({.key = "stay_number", .name = "sejour", .label = "N° de séjour", .value = form().stay_number});
                });
                input({.key = "collector", .name = "preleveur", .label = "Préleveur", .value = form().collector, .hint = "NOM Prénom"});
            }
            const bool wrong = !error_of("clinical_context").empty();
            h_.tag("div", {{"class", wrong ? "field wrong" : "field"}}, [&] {
                h_.tag("label", {{"for", "f-clinical_context"}}, "Renseignements cliniques");
                h_.tag("textarea", {{"id", "f-clinical_context"}, {"name", "renseignements"}, {"rows", "2"}, {"maxlength", "4000"}},
                       form().clinical_context);
                error("clinical_context");
            });
        });
    }

    // ── examinations ──

    void known_exams() {
        h_.tag("fieldset", {{"class", "box"}}, [&] {
            h_.tag("legend", "Examens du dossier");
            error("cancelled");
            h_.tag("ul", {{"class", "exams"}}, [&] {
                for (const auto& exam : screen_.known->order.exams) {
                    const auto words = exam.label.empty() ? exam.code : exam.label;
                    h_.tag("li", [&] {
                        if (exam.state != domain::ExamState::requested || exam.placer_number.empty()) {
                            h_.tag("span", {{"class", "dim"}},
                                   fmt::format("{}{}{}", words, exam.state == domain::ExamState::requested ? "" : " · non demandé", exam.reason.empty() ? "" : " : " + exam.reason));
                            return;
                        }
                        const bool ticked = std::ranges::find(form().cancelled, exam.placer_number) != form().cancelled.end();
                        h_.tag("label", {{"class", "check"}}, [&] {
                            h_.single("input", {{"type", "checkbox"}, {"name", "annuler"}, {"value", exam.placer_number}, {"checked", ticked}});
                            h_.text(" annuler ");
                            h_.tag("strong", words);
                        });
                    });
                }
            });
            input({.key = "cancel_reason", .name = "motif", .label = "Motif de l'annulation", .value = form().cancel_reason, .hint = "gardé avec votre nom"});
        });
    }

    void exams() {
        const auto& catalogue = *screen_.choices.catalogue;
        const auto chosen = domain::exams_of(form(), catalogue);
        const bool correction = screen_.known.has_value();
        h_.tag("fieldset", {{"class", "box"}}, [&] {
            h_.tag("legend", correction ? "Examens à ajouter" : "Examens");
            error("exams");
            if (!chosen.empty()) {
                h_.tag("ul", {{"class", "exams"}}, [&] {
                    for (const auto& code : chosen) {
                        h_.tag("li", [&] {
                            h_.tag("label", {{"class", "check"}}, [&] {
                                h_.single("input", {{"type", "checkbox"}, {"name", "examen"}, {"value", code}, {"checked", true}});
                                h_.text(" ");
                                h_.tag("strong", domain::exam_label(code, catalogue));
                                h_.tag("span", {{"class", "dim"}}, " " + members(code));
                            });
                        });
                    }
                });
            }
            const auto left = error_of("more_exams").empty() ? std::string() : form().more_exams;
            h_.tag("div", {{"class", "add"}}, [&] {
                input({.key = "more_exams", .name = "plus", .label = "Ajouter des examens", .value = left, .list = "examens",
                       .hint = "codes, libellés ou LOINC, séparés par des virgules"});
                h_.tag("button", {{"type", "submit"}, {"name", "faire"}, {"value", "relire"}}, "Ajouter");
            });
            panels(chosen);
        });
    }

    std::string members(const std::string& code) const {
        const auto& catalogue = *screen_.choices.catalogue;
        if (catalogue.by_code(code) != nullptr) return code;
        std::string names;
        for (const auto* analyte : catalogue.ordered(code)) names += (names.empty() ? "" : ", ") + analyte->label;
        return names;
    }

    void panels(const std::vector<std::string>& chosen) {
        std::vector<std::string> codes;
        for (const auto& analyte : screen_.choices.catalogue->analytes()) {
            for (const auto& panel : analyte.panels) {
                const bool there = std::ranges::find(codes, panel) != codes.end() || std::ranges::find(chosen, panel) != chosen.end();
                if (!there) codes.push_back(panel);
            }
        }
        if (codes.empty() || codes.size() > 40) return;
        h_.tag("div", {{"class", "panels"}, {"role", "group"}, {"aria-label", "Bilans"}}, [&] {
            h_.tag("span", {{"class", "dim"}}, "Bilans :");
            for (const auto& code : codes) {
                h_.tag("label", {{"class", "check"}, {"title", members(code)}}, [&] {
                    h_.single("input", {{"type", "checkbox"}, {"name", "examen"}, {"value", code}});
                    h_.text(" " + code);
                });
            }
        });
    }

    // ── tubes ──

    std::vector<domain::TypedTube> rows() const {
        auto rows = form().tubes;
        std::erase_if(rows, [](const domain::TypedTube& tube) {
            return tube.was.empty() && tube.number.empty() && tube.type.empty() && tube.collected.empty();
        });
        const auto chosen = domain::exams_of(form(), *screen_.choices.catalogue);
        for (const auto& type : domain::types_of(chosen, *screen_.choices.catalogue)) {
            if (std::ranges::find(rows, type, &domain::TypedTube::type) == rows.end()) rows.push_back({"", "", type, ""});
        }
        rows.emplace_back();
        return rows;
    }

    void tubes() {
        const bool correction = screen_.known.has_value();
        h_.tag("fieldset", {{"class", "box"}}, [&] {
            h_.tag("legend", "Prélèvements");
            error("tubes");
            if (!correction) {
                h_.tag("div", {{"class", "when"}}, [&] {
                    input({.key = "collected", .name = "preleve", .label = "Prélevés le", .value = form().collected, .type = "datetime-local"});
                    h_.tag("p", {{"class", "dim"}},
                           "Date et heure sont imprimées sur le compte rendu ; elles peuvent être complétées jusqu'à la validation.");
                });
            }
            h_.tag("table", {{"class", "tubes"}}, [&] {
                h_.tag("thead", [&] {
                    h_.tag("tr", [&] {
                        h_.tag("th", {{"scope", "col"}}, "Numéro (code-barres)");
                        h_.tag("th", {{"scope", "col"}}, "Nature");
                        h_.tag("th", {{"scope", "col"}}, correction ? "Prélevé le" : "Prélevé le, si autre");
                        if (correction) h_.tag("th", {{"scope", "col"}}, "Refus");
                    });
                });
                h_.tag("tbody", [&] {
                    const auto all = rows();
                    for (std::size_t i = 0; i < all.size(); ++i) tube(all[i], i + 1);
                });
            });
            h_.tag("p", {{"class", "dim"}}, "Un tube sans numéro reçoit celui du laboratoire. Une ligne vide n'est pas un tube.");
        });
    }

    void tube(const domain::TypedTube& tube, std::size_t n) {
        const auto cell = [&](std::string_view part, std::string_view name, std::string_view label, const std::string& value, std::string_view type,
                              std::string_view hint) {
            const auto key = fmt::format("tubes[{}].{}", n, part);
            const bool wrong = !error_of(key).empty();
            const auto heard = fmt::format("{}, tube {}", label, n);
            h_.tag("td", [&] {
                h_.single("input", {{"type", type},
                                    {"id", fmt::format("f-{}", key)},
                                    {"name", name},
                                    {"value", value},
                                    {"aria-label", heard},
                                    {"maxlength", "60"},
                                    {"placeholder", hint},
                                    {"aria-invalid", wrong ? "true" : "false"},
                                    {"autofocus", wrong && first_wrong(key)},
                                    {"data-next", true}});
                error(key);
            });
        };
        h_.tag("tr", [&] {
            const bool fresh = tube.was.empty();
            cell("number", "tube_numero", "Numéro", tube.number, "text", fresh && !tube.type.empty() ? "attribué par le laboratoire" : "");
            h_.tag("td", [&] {
                const auto key = fmt::format("tubes[{}].type", n);
                hidden("tube_avant", tube.was);
                h_.tag("select", {{"id", fmt::format("f-{}", key)}, {"name", "tube_type"}, {"aria-label", fmt::format("Nature, tube {}", n)}},
                       [&] { types(tube.type); });
                error(key);
            });
            cell("collected", "tube_preleve", "Prélevé le", tube.collected, "datetime-local", "");
            if (screen_.known) h_.tag("td", [&] { refusal(tube, n); });
        });
    }

    /// A refusal stays: what was not done for it may be told to the requester already.
    void refusal(const domain::TypedTube& tube, std::size_t n) {
        const auto key = fmt::format("tubes[{}].refusal", n);
        const auto kept = refused_before(tube);
        if (tube.was.empty() || !kept.empty()) {
            hidden("tube_refus", "");
            h_.text(kept);
            return;
        }
        h_.tag("select",
               {{"id", fmt::format("f-{}", key)},
                {"name", "tube_refus"},
                {"aria-label", fmt::format("Refus, tube {}", n)}},
               [&] {
                   h_.tag("option", {{"value", ""}, {"selected", tube.refusal.empty()}}, "accepté");
                   for (const auto& [code, words] : domain::specimen_refusals())
                       h_.tag("option", {{"value", code}, {"selected", code == tube.refusal}}, words);
               });
        error(key);
    }

    std::string refused_before(const domain::TypedTube& tube) const {
        const auto& specimens = screen_.known->order.specimens;
        const auto kept = std::ranges::find(specimens, tube.was, &domain::Specimen::number);
        if (kept == specimens.end() || !kept->refused()) return {};
        return kept->refusal.empty() ? domain::specimen_refusal_label(kept->refusal_code) : kept->refusal;
    }

    void types(const std::string& chosen) {
        std::vector<std::string> codes{""};
        const auto add = [&](const std::string& code) {
            if (std::ranges::find(codes, code) == codes.end()) codes.push_back(code);
        };
        for (const auto& analyte : screen_.choices.catalogue->analytes()) add(analyte.specimen);
        for (const auto& [code, words] : domain::specimen_types()) add(std::string(code));
        add(chosen);
        for (const auto& code : codes) {
            const auto words = domain::specimen_type_label(code);
            h_.tag("option", {{"value", code}, {"selected", code == chosen}}, words.empty() ? code : words);
        }
    }

    void lists() {
        h_.tag("datalist", {{"id", "personnes"}}, [&] {
            std::size_t n = 0;
            for (const auto& person : screen_.choices.people) {
                if (++n > most_listed) break;
                h_.tag("option", {{"value", domain::person_words(person)}}, "");
            }
        });
        h_.tag("datalist", {{"id", "examens"}}, [&] {
            std::size_t n = 0;
            for (const auto& analyte : screen_.choices.catalogue->analytes()) {
                if (++n > most_exams) break;
                h_.tag("option", {{"value", analyte.local_code}}, analyte.label);
            }
        });
    }

    Html& h_;
    const Frame& frame_;
    const DeskScreen& screen_;
};

void summary(Html& h, const std::vector<FieldError>& errors) {
    if (errors.empty()) return;
    h.tag("section", {{"class", "notice bad"}, {"role", "alert"}}, [&] {
        h.tag("span", {{"class", "sign"}, {"aria-hidden", "true"}}, "!");
        h.tag("div", [&] {
            h.tag("strong", "Rien n'est enregistré : la saisie est à compléter. ");
            h.tag("ul", [&] {
                for (const auto& error : errors)
                    h.tag("li", [&] { h.tag("a", {{"href", fmt::format("#f-{}", error.field)}}, error.text); });
            });
        });
    });
}

}  // namespace

std::string desk_page(const Frame& frame, const DeskScreen& screen, const std::optional<Notice>& notice) {
    const bool correction = screen.known.has_value();
    const auto title = correction ? fmt::format("Correction du dossier {}", screen.known->order.number) : std::string("Nouvelle demande");
    return layout::page(frame, {.title = title, .kind = "wide"}, notice, [&](Html& h) {
        h.tag("p", {{"class", "keys"}}, [&] {
            const auto back = correction ? fmt::format("/dossiers/{}", to_string(screen.known->order.id.value())) : std::string("/patients");
            h.tag("a", {{"href", back}, {"data-key", "u"}}, correction ? "← Dossier" : "← Patients");
        });
        h.tag("div", {{"class", "head"}}, [&] {
            h.tag("h1", title);
            const auto site = correction ? screen.known->site : screen.site;
            if (correction || screen.sites.size() < 2) h.tag("span", {{"class", "dim"}}, layout::site_name(frame, site));
        });
        summary(h, screen.errors);
        if (screen.patient) {
            h.tag("section", {{"class", "identity"}, {"aria-label", "Identité du patient"}},
                  [&] { layout::person(h, *screen.patient, layout::zone(frame, screen.site).to_local(frame.now)); });
        }
        Form(h, frame, screen).write();
    });
}

}  // namespace sgl::web
