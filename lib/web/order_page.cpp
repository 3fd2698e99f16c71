#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lib/domain/microbiology.hpp"
#include "lib/web/layout.hpp"
#include "lib/web/rights.hpp"

namespace sgl::web {

namespace {

void fact(Html& h, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    h.tag("div", {{"class", "fact"}}, [&] {
        h.tag("dt", name);
        h.tag("dd", value);
    });
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

/// Age at collection, as the report says it (lab-domain 5).
Timestamp age_date(const Frame& frame, const store::OrderView& order) {
    for (const auto& specimen : order.specimens) {
        if (specimen.collected_at && specimen.collected_at->precision >= Precision::day) return *specimen.collected_at;
    }
    return layout::zone(frame, order.site).to_local(order.registered_at);
}

bool is_withdrawn(const store::OrderView& order) {
    return !order.reports.empty() && order.reports.front().state == "withdrawn";
}

void identity_band(Html& h, const Frame& frame, const store::OrderView& order) {
    h.tag("section", {{"class", "identity"}, {"aria-label", "Identité du patient"}}, [&] {
        layout::person(h, order.patient, age_date(frame, order));
        h.tag("div", {{"class", "dossier"}}, [&] {
            h.tag("span", {{"class", "number"}}, order.number);
            h.tag("span", {{"class", "state"}}, is_withdrawn(order) ? "compte rendu retiré" : french(order.state));
            if (order.urgent) layout::mark(h, {"bad", "U", "urgent"}, true);
        });
    });
}

/// What was asked, and what became of it where that is not the usual.
std::vector<std::string> exams_of(const store::OrderView& order) {
    std::vector<std::string> exams;
    for (const auto& exam : order.exams) {
        auto words = exam.label.empty() ? exam.code : exam.label;
        if (exam.state == domain::ExamState::cancelled) words += " (annulé";
        if (exam.state == domain::ExamState::replaced) words += " (remplacé";
        if (exam.state == domain::ExamState::not_done) words += " (non réalisé";
        if (exam.state != domain::ExamState::requested) words += (exam.reason.empty() ? "" : " : " + exam.reason) + ")";
        exams.push_back(std::move(words));
    }
    return exams;
}

void clinical_band(Html& h, const Frame& frame, const store::OrderView& order) {
    h.tag("dl", {{"class", "facts"}, {"aria-label", "Demande"}}, [&] {
        fact(h, "Prescripteur", order.prescriber);
        fact(h, "Prescrit le", order.prescribed_at ? to_french_date(*order.prescribed_at) : "");
        fact(h, "Copie à", joined(order.copies));
        std::vector<std::string> specimens;
        for (const auto& specimen : order.specimens) {
            auto words = fmt::format("{} {} ({})", specimen.type_label.empty() ? specimen.type : specimen.type_label, specimen.number,
                                     specimen.collected_at ? layout::moment(*specimen.collected_at) : "heure de prélèvement manquante");
            if (specimen.refused()) words += " REFUSÉ : " + specimen.refusal;
            specimens.push_back(std::move(words));
        }
        fact(h, "Examens demandés", joined(exams_of(order)));
        fact(h, "Prélèvements", joined(specimens));
        fact(h, "Préleveur", order.collector);
        fact(h, "Enregistré", layout::moment(frame, order.site, order.registered_at));
        fact(h, "Séjour", order.stay_number);
        fact(h, "Demande", order.placer_group);
        fact(h, "Site", layout::site_name(frame, order.site));
        fact(h, "Renseignements cliniques", order.clinical_context);
    });
}

const store::KeptResult* kept(const store::OrderView& order, domain::ResultId id) {
    const auto found = std::ranges::find(order.results, id, &store::KeptResult::id);
    return found == order.results.end() ? nullptr : &*found;
}

bool is_words(const domain::Value& value) { return std::holds_alternative<domain::Words>(value); }

std::string unit_of(const domain::Value& value) {
    const auto* const quantity = std::get_if<domain::Quantity>(&value);
    return quantity != nullptr ? domain::french_unit(quantity->unit) : std::string();
}

void set_aside_form(Html& h, const Frame& frame, const store::OrderView& order, const store::KeptResult& row,
                    std::string_view summary) {
    h.tag("details", {{"class", "more"}}, [&] {
        h.tag("summary", summary);
        layout::reason_form(
            h, frame, fmt::format("/dossiers/{}/resultats/{}/ecarter", to_string(order.id.value()), row.id.value()),
            "Écarter du compte rendu");
    });
}

const domain::Judgement* judged(const OrderScreen& screen, domain::ResultId id) {
    if (!screen.draft || !screen.draft->rules) return nullptr;
    const auto& judgements = screen.draft->rules->judgements;
    const auto found = std::ranges::find(judgements, id, &domain::Judgement::result);
    return found == judgements.end() ? nullptr : &*found;
}

/// What the rules say of one result: sign and word, then the reasons. What is only said beside a green one is its title.
void verdict(Html& h, const OrderScreen& screen, domain::ResultId id) {
    const auto* const judgement = judged(screen, id);
    if (judgement == nullptr) return;
    std::string aside;
    std::string reasons;
    for (const auto& finding : judgement->findings) {
        auto& text = finding.verdict == domain::Verdict::green ? aside : reasons;
        text += (text.empty() ? "" : " ; ") + finding.reason;
    }
    const auto sign = mark(judgement->verdict);
    h.tag("span", {{"class", "verdict"}, {"title", aside}}, [&] {
        layout::mark(h, sign, judgement->verdict != domain::Verdict::green);
        if (!reasons.empty()) h.tag("span", reasons);
    });
}

void result_row(Html& h, const Frame& frame, const OrderScreen& screen, const domain::ReportedLine& result) {
    const auto& order = screen.order;
    const auto& reported = result.reported;
    const auto flag = mark(reported.flag);
    const auto* const row = kept(order, result.result);
    const bool numeric = std::holds_alternative<domain::Quantity>(reported.value);
    if (is_words(reported.value)) {  // a sentence takes the whole row
        h.tag("tr", [&] {
            h.tag("th", {{"scope", "row"}}, reported.label);
            const bool said = result.isolate.empty() && judged(screen, result.result) != nullptr;
            h.tag("td", {{"class", "value words"}, {"colspan", said ? "6" : "7"}}, domain::to_french(reported.value));
            if (said) h.tag("td", {{"class", "remark"}}, [&] { verdict(h, screen, result.result); });
        });
        return;
    }
    h.tag("tr", {{"class", flag.kind}}, [&] {
        h.tag("th", {{"scope", "row"}}, [&] {
            h.text(reported.label);
            if (!reported.method.empty()) h.tag("span", {{"class", "dim"}}, fmt::format(" {}", reported.method));
            if (reported.loinc.empty()) layout::mark(h, {"note", "sans LOINC", "part avec son code local"});
        });
        h.tag("td", {{"class", numeric ? "value num" : "value words"}, {"colspan", numeric ? "1" : "2"}}, domain::to_french(reported.value));
        if (numeric) h.tag("td", {{"class", "unit"}}, unit_of(reported.value));
        h.tag("td", {{"class", "flag"}}, [&] {
            if (!flag.sign.empty()) layout::mark(h, flag);
        });
        h.tag("td", {{"class", "range"}}, domain::to_french(reported.range));
        h.tag("td", {{"class", "num before"}}, [&] {
            if (reported.previous && !is_words(reported.previous->value)) h.text(domain::to_french(reported.previous->value));
        });
        h.tag("td", {{"class", "tight dim"}}, reported.previous ? to_french_date(reported.previous->at) : "");
        h.tag("td", {{"class", "remark"}}, [&] {
            if (result.isolate.empty()) verdict(h, screen, result.result);  // of a germ it stands beside its name
            if (!reported.comment.empty()) h.tag("span", reported.comment);
            if (row != nullptr && !row->received_flags.empty()) {
                h.tag("span", {{"class", "dim"}, {"title", "indicateurs de l'automate, repris tels quels"}},
                      fmt::format("automate {}", row->received_flags));
            }
            if (row != nullptr && row->state == "bio_validated" && domain::is_open(order.state))
                layout::mark(h, {"ok", "✓", "déjà rendu"}, true);
            if (row == nullptr || row->state != "late") return;
            layout::mark(h, {"warn", "+", "arrivé après validation"}, true);
            if (screen.may_set_aside) set_aside_form(h, frame, order, *row, "Écarter");
        });
    });
}

Mark letter_mark(domain::Susceptible answer) {
    const bool resistant = answer == domain::Susceptible::resistant || answer == domain::Susceptible::non_susceptible;
    return {resistant                                 ? "bad"
            : answer == domain::Susceptible::standard ? "ok"
                                                      : "warn",
            domain::to_string(answer), domain::to_french(answer)};
}

void antibiotic_row(Html& h, const domain::ReportedLine& result) {
    const auto& reported = result.reported;
    const bool measured = std::holds_alternative<domain::Quantity>(reported.value);
    h.tag("tr", {{"class", result.printed ? "antibiotic" : "antibiotic unprinted"}}, [&] {
        h.tag("th", {{"scope", "row"}}, [&] {
            h.text(reported.label);
            if (!reported.method.empty()) h.tag("span", {{"class", "dim"}}, fmt::format(" {}", reported.method));
            if (reported.loinc.empty()) layout::mark(h, {"note", "sans LOINC", "part avec son code local"});
        });
        h.tag("td", {{"class", "value num"}}, measured ? domain::to_french(reported.value) : "");
        h.tag("td", {{"class", "unit"}}, unit_of(reported.value));
        h.tag("td", {{"colspan", "4"}}, [&] {
            if (reported.susceptible) layout::mark(h, letter_mark(*reported.susceptible), true);
            else if (!measured) h.text(domain::to_french(reported.value));
        });
        h.tag("td", {{"class", "remark"}}, [&] {
            if (!reported.comment.empty()) h.tag("span", reported.comment);
            if (!result.printed) layout::mark(h, {"note", "–", "non rendu (antibiogramme ciblé)"}, true);
        });
    });
}

/// One germ: its name, what was found of it, its antibiogram.
void isolate_rows(Html& h, const Frame& frame, const OrderScreen& screen,
                  const std::vector<const domain::ReportedLine*>& lines, std::size_t number, std::size_t columns) {
    const auto organism =
        std::ranges::find(lines, domain::ValueKind::organism, [](const auto* line) { return line->kind; });
    h.tag("tbody", {{"class", "isolate"}}, [&] {
        h.tag("tr", {{"class", "group"}}, [&] {
            h.tag("th", {{"colspan", std::to_string(columns)}, {"scope", "rowgroup"}}, [&] {
                h.text(fmt::format("{} · germe n° {} : ", lines.front()->chapter_label, number));
                if (organism == lines.end()) {
                    layout::mark(h, {"bad", "?", "sans nom : le compte rendu ne peut pas partir"}, true);
                    return;
                }
                h.tag("strong", domain::to_french((*organism)->reported.value));
                if ((*organism)->preliminary) layout::mark(h, {"warn", "~", "identification provisoire"}, true);
                verdict(h, screen, (*organism)->result);
                if (!(*organism)->printed) layout::mark(h, {"note", "–", "non rendu"}, true);
                if (!(*organism)->reported.comment.empty())
                    h.tag("span", {{"class", "dim"}}, fmt::format(" {}", (*organism)->reported.comment));
            });
        });
        for (const auto* line : lines) {
            if (line->kind != domain::ValueKind::organism && line->kind != domain::ValueKind::antibiotic)
                result_row(h, frame, screen, *line);
        }
        for (const auto* line : lines) {
            if (line->kind == domain::ValueKind::antibiotic) antibiotic_row(h, *line);
        }
    });
}

void isolates(Html& h, const Frame& frame, const OrderScreen& screen, std::size_t columns) {
    const auto& results = screen.draft->results;
    std::vector<std::string> numbers;
    for (const auto& line : results) {
        if (!line.isolate.empty() && std::ranges::find(numbers, line.isolate) == numbers.end())
            numbers.push_back(line.isolate);
    }
    std::ranges::sort(numbers, domain::comes_before);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        std::vector<const domain::ReportedLine*> lines;
        for (const auto& line : results) {
            if (line.isolate == numbers[i]) lines.push_back(&line);
        }
        isolate_rows(h, frame, screen, lines, i + 1, columns);
    }
}

void unreadable(Html& h, const Frame& frame, const OrderScreen& screen, const std::vector<const store::KeptResult*>& rows, std::size_t columns) {
    if (rows.empty()) return;
    h.tag("tbody", {{"class", "left-over"}}, [&] {
        h.tag("tr", {{"class", "group"}}, [&] {
            h.tag("th", {{"colspan", std::to_string(columns)}, {"scope", "rowgroup"}}, "Reçus, non rendus : à traiter avant de les signer");
        });
        for (const auto* row : rows) {
            const bool withdrawn = row->state == "quarantined" && (row->status == "D" || row->status == "W");
            h.tag("tr", [&] {
                h.tag("th", {{"scope", "row"}}, [&] {
                    h.tag("code", row->code);
                    h.text(" ");
                    if (withdrawn)
                        layout::mark(h, {"warn", "‖", "retiré par l'émetteur"}, true);
                    else if (!row->known)
                        layout::mark(h, {"warn", "?", "code inconnu du catalogue"}, true);
                    else if (row->state == "late")
                        layout::mark(h, {"warn", "+", "arrivé après validation"}, true);
                    else if (row->state == "quarantined")
                        layout::mark(h, {"warn", "‖", "retenu"}, true);
                });
                h.tag("td", {{"class", "value num"}}, row->value);
                h.tag("td", {{"class", "unit"}}, row->unit);
                h.tag("td", {{"class", "flag"}}, row->received_flags);
                h.tag("td", {{"colspan", std::to_string(columns - 4)}, {"class", "remark"}}, [&] {
                    if (!row->note.empty()) h.tag("span", row->note);
                    if ((row->state != "quarantined" && row->state != "late") || !screen.may_set_aside) return;
                    set_aside_form(h, frame, screen.order, *row,
                                   withdrawn ? "Écarter, avec ce qu'il retire" : "Écarter");
                });
            });
        }
    });
}

/// What an earlier version of the report said and this one says otherwise.
void formerly_reported(Html& h, const std::vector<const store::KeptResult*>& rows, std::size_t columns) {
    if (rows.empty()) return;
    h.tag("tbody", {{"class", "left-over"}}, [&] {
        h.tag("tr", {{"class", "group"}}, [&] {
            h.tag("th", {{"colspan", std::to_string(columns)}, {"scope", "rowgroup"}}, "Rendus par une version précédente");
        });
        for (const auto* row : rows) {
            h.tag("tr", [&] {
                h.tag("th", {{"scope", "row"}}, [&] { h.tag("code", row->code); });
                h.tag("td", {{"class", "value num"}}, row->value);
                h.tag("td", {{"class", "unit"}}, row->unit);
                h.tag("td", {{"colspan", std::to_string(columns - 3)}}, "");
            });
        }
    });
}

/// What a biologist took out, and why: it stays visible.
void set_aside(Html& h, const Frame& frame, const store::OrderView& order) {
    if (order.set_aside.empty()) return;
    h.tag("section", {{"class", "box"}}, [&] {
        h.tag("h2", "Résultats écartés");
        h.tag("ul", {{"class", "plain"}}, [&] {
            for (const auto& row : order.set_aside) {
                h.tag("li", [&] {
                    h.tag("code", row.code);
                    h.text(fmt::format(" {} {} · « {} » ", row.value, row.unit, row.settled_why));
                    const auto by = actor_words(row.settled_by);
                    h.tag("span", {{"class", "dim"}}, row.settled_at ? fmt::format("{}, {}", by, layout::moment(frame, order.site, *row.settled_at)) : by);
                });
            }
        });
    });
}

void results_table(Html& h, const Frame& frame, const OrderScreen& screen) {
    const auto& order = screen.order;
    constexpr std::size_t columns = 8;
    std::vector<const store::KeptResult*> left;
    std::vector<const store::KeptResult*> former;
    for (const auto& row : order.results) {
        const bool shown = screen.draft && std::ranges::any_of(screen.draft->results, [&](const domain::ReportedLine& result) { return result.result == row.id; });
        if (!shown) (row.state == "bio_validated" ? former : left).push_back(&row);
    }
    if (order.results.empty()) {
        h.tag("p", {{"class", "empty"}}, "Aucun résultat reçu pour ce dossier.");
        return;
    }
    h.tag("table", {{"class", "results"}}, [&] {
        h.tag("thead", [&] {
            h.tag("tr", [&] {
                h.tag("th", {{"scope", "col"}}, "Examen");
                h.tag("th", {{"scope", "col"}, {"class", "num"}}, "Résultat");
                h.tag("th", {{"scope", "col"}}, "Unité");
                h.tag("th", {{"scope", "col"}}, [&] { h.tag("span", {{"class", "heard"}}, "Interprétation"); });
                h.tag("th", {{"scope", "col"}}, "Référence");
                h.tag("th", {{"scope", "col"}, {"class", "num"}}, "Antériorité");
                h.tag("th", {{"scope", "col"}}, "du");
                h.tag("th", {{"scope", "col"}}, "Remarque");
            });
        });
        if (screen.draft) {
            std::vector<domain::ReportedLine> results;
            std::ranges::copy_if(screen.draft->results, std::back_inserter(results),
                                 [](const domain::ReportedLine& line) { return line.isolate.empty(); });
            for (std::size_t at = 0; at < results.size();) {
                const auto& chapter = results[at].chapter;
                h.tag("tbody", [&] {
                    h.tag("tr", {{"class", "group"}}, [&] {
                        h.tag("th", {{"colspan", std::to_string(columns)}, {"scope", "rowgroup"}},
                              results[at].chapter_label);
                    });
                    for (; at < results.size() && results[at].chapter == chapter; ++at)
                        result_row(h, frame, screen, results[at]);
                });
            }
            isolates(h, frame, screen, columns);
        }
        unreadable(h, frame, screen, left, columns);
        formerly_reported(h, former, columns);
    });
}

void delivery_box(Html& h, const OrderScreen& screen) {
    if (is_withdrawn(screen.order)) return;
    h.tag("section", {{"class", "box"}, {"aria-labelledby", "envois"}}, [&] {
        h.tag("h2", {{"id", "envois"}}, "À la signature");
        if (!screen.draft) {
            h.tag("p", {{"class", "dim"}}, screen.draft_error.empty() ? "Rien ne partira : pas encore de résultat à rendre." : screen.draft_error);
            return;
        }
        h.tag("ul", {{"class", "deliveries"}}, [&] {
            for (const auto& letter : screen.draft->letters) {
                const bool leaves = letter.state == domain::LetterState::due;
                h.tag("li", [&] {
                    layout::mark(h, leaves ? Mark{"ok", "✓", "partira"} : mark(letter.state), true);
                    h.tag("span", {{"class", "to"}}, [&] {
                        h.tag("strong", domain::french(letter.channel));
                        if (!letter.recipient_name.empty() && letter.channel != domain::Channel::dmp) h.text(fmt::format(" · {}", letter.recipient_name));
                        if (letter.reason != domain::Reason::none) {
                            const auto why = domain::french(letter.reason);
                            h.tag("span", {{"class", "why"}, {"title", why.remedy}}, why.meaning);
                        }
                    });
                });
            }
        });
        if (screen.draft->letters.empty()) h.tag("p", {{"class", "dim"}}, "Aucun destinataire : le compte rendu sera disponible au laboratoire.");
    });
}

void hindrances(Html& h, const OrderScreen& screen) {
    // What is missing of the reader himself says nothing to one who does not sign.
    const auto matters = [&](const Error& error) { return screen.may_validate || !error.where.starts_with("validator."); };
    if (screen.draft && std::ranges::any_of(screen.draft->missing, matters)) {
        h.tag("section", {{"class", "box bad"}}, [&] {
            h.tag("h2", "Le compte rendu ne peut pas être composé");
            h.tag("ul", [&] {
                for (const auto& error : screen.draft->missing)
                    if (matters(error)) h.tag("li", missing_words(error));
            });
        });
    }
    if (screen.draft && !screen.draft->pending.empty()) {
        h.tag("section", {{"class", "box warn"}}, [&] {
            h.tag("h2", "Examens demandés sans résultat");
            h.tag("p", joined(screen.draft->pending));
        });
    }
}

/// How many of each verdict, by which rules.
void rules_box(Html& h, const OrderScreen& screen) {
    if (!screen.draft || !screen.draft->rules) return;
    const auto& rules = *screen.draft->rules;
    const auto counts = domain::count(rules.judgements);
    const bool critical = std::ranges::any_of(rules.judgements, &domain::Judgement::critical);
    h.tag("section", {{"class", counts.red > 0 ? "box bad" : counts.amber > 0 ? "box warn" : "box"}, {"aria-labelledby", "regles"}}, [&] {
        h.tag("h2", {{"id", "regles"}}, "Aide à la validation");
        h.tag("p", [&] {
            auto stops = mark(domain::Verdict::red);
            if (counts.red > 1) stops.words = "arrêts";
            if (counts.red > 0) layout::mark(h, stops, true, fmt::format("{} ", counts.red));
            if (counts.amber > 0) layout::mark(h, mark(domain::Verdict::amber), true, fmt::format("{} ", counts.amber));
            if (counts.green > 0) layout::mark(h, mark(domain::Verdict::green), true, fmt::format("{} ", counts.green));
        });
        if (critical) h.tag("p", [&] { h.tag("strong", "Résultat critique : appeler le prescripteur."); });
        h.tag("p", {{"class", "dim"}}, fmt::format("{}, version {}", rules.name, rules.number));
    });
}

/// Implausible values leave one by one, each agreed to, with a reason that is kept.
void confirmation(Html& h, const OrderScreen& screen) {
    if (!screen.draft->rules) return;
    bool any = false;
    for (const auto& judgement : screen.draft->rules->judgements) {
        if (!judgement.implausible) continue;
        if (!any) h.tag("p", [&] { h.tag("strong", "Valeur invraisemblable : elle ne se signe que confirmée, avec un motif."); });
        any = true;
        const auto line = std::ranges::find(screen.draft->results, judgement.result, &domain::ReportedLine::result);
        const auto words = line == screen.draft->results.end() ? judgement.code
                                                               : fmt::format("{} {} {}", line->reported.label, domain::to_french(line->reported.value),
                                                                             unit_of(line->reported.value));
        h.tag("label", {{"class", "choice"}}, [&] {
            h.single("input", {{"type", "checkbox"}, {"name", "confirme"}, {"value", std::to_string(judgement.result.value())}, {"required", true}});
            h.text(" Je confirme " + words);
        });
    }
    if (!any) return;
    h.tag("label", {{"for", "motif-confirme"}}, "Motif de la confirmation, gardé avec la signature");
    h.single("input", {{"id", "motif-confirme"}, {"name", "motif-confirme"}, {"maxlength", "500"}, {"required", true}});
}

/// What he agrees to, in words, before he may sign less than what was asked for.
void partial_choice(Html& h, const OrderScreen& screen) {
    const auto& draft = *screen.draft;
    const bool missing = !draft.pending.empty();
    if (!missing && draft.provisional.empty()) return;
    if (missing)
        h.tag("p", "Il manque des résultats : seul un compte rendu partiel peut être signé. Il porte «\u00a0Résultats partiels\u00a0» et la liste de ce qui reste "
                   "à venir, part chez ses destinataires sauf au DMP, et sera remplacé par le suivant à sa signature.");
    h.tag("label", {{"class", "choice"}}, [&] {
        h.single("input", {{"type", "checkbox"}, {"name", "partiel"}, {"value", "1"}, {"required", missing}});
        h.text(fmt::format(" Signer un compte rendu partiel ; à venir : {}", joined(missing ? draft.pending : draft.provisional)));
    });
}

/// What becomes of the report that has left.
void replacement(Html& h, const OrderScreen& screen) {
    const auto& last = screen.order.reports.front();
    if (last.kind == "partial")
        h.tag("p", fmt::format("Un compte rendu partiel est parti (version {}). La version {} le complète et le remplace chez tous ses destinataires\u00a0; elle "
                               "dit en tête ce qui s'y ajoute.",
                               last.version, last.version + 1));
    else
        h.tag("p", fmt::format("Le compte rendu est parti. La nouvelle version l'annule et le remplace chez tous ses destinataires\u00a0; elle dit en tête ce qui "
                               "change (version {}).",
                               last.version + 1));
    if (!screen.draft->needs_reason) return;
    if (last.kind == "partial")
        h.tag("p", "Un résultat déjà rendu change, ou rien ne change depuis : le motif est obligatoire.");
    h.tag("label", {{"for", "motif"}}, "Motif de la modification, imprimé sur le compte rendu");
    h.single("input", {{"id", "motif"}, {"name", "motif"}, {"value", screen.reason}, {"maxlength", "500"}, {"required", true}});
}

void sign_form(Html& h, const Frame& frame, const OrderScreen& screen) {
    const auto& order = screen.order;
    h.tag("section", {{"class", "box sign"}, {"aria-labelledby", "signature"}}, [&] {
        h.tag("h2", {{"id", "signature"}}, "Validation");
        if (!screen.may_validate) {
            h.tag("p", {{"class", "dim"}}, screen.why_not);
            if (!screen.comment.empty()) {  // typed before the refusal
                h.tag("label", {{"for", "commentaire"}}, "Votre commentaire, non enregistré");
                h.tag("textarea", {{"id", "commentaire"}, {"rows", "3"}, {"readonly", true}}, screen.comment);
            }
            return;
        }
        h.tag("form", {{"method", "post"}, {"action", fmt::format("/dossiers/{}/validation", to_string(order.id.value()))}, {"id", "validation"}}, [&] {
            layout::csrf_field(h, frame);
            h.single("input", {{"type", "hidden"}, {"name", "version"}, {"value", std::to_string(order.row_version)}});
            for (const auto& row : order.results) {
                h.single("input", {{"type", "hidden"}, {"name", "vu"}, {"value", std::to_string(row.id.value())}});
            }
            const bool again = !order.reports.empty();
            if (again) replacement(h, screen);
            partial_choice(h, screen);
            confirmation(h, screen);
            h.tag("label", {{"for", "commentaire"}}, "Interprétation, commentaire du compte rendu");
            h.tag("textarea", {{"id", "commentaire"}, {"name", "commentaire"}, {"rows", "2"}, {"maxlength", "4000"}, {"data-key", "c"}}, screen.comment);
            h.tag("button", {{"type", "submit"}, {"class", "main"}, {"data-key", "v"}}, [&] {
                h.text(!screen.draft->pending.empty() ? "Valider ce qui est prêt" : again ? "Valider la nouvelle version" : "Valider (technique et biologique)");
                h.tag("kbd", {{"aria-hidden", "true"}}, "v");
            });
        });
    });
}

/// Taken back without a replacement: wrong patient, or nothing of it is right (lab-domain 3.4).
void withdrawal_box(Html& h, const Frame& frame, const OrderScreen& screen) {
    const auto& order = screen.order;
    if (!screen.may_validate || order.reports.empty()) return;
    h.tag("section", {{"class", "box"}}, [&] {
        h.tag("details", [&] {
            h.tag("summary", "Retirer le compte rendu");
            h.tag("p", "Il est annulé chez tous ceux qui l'ont reçu, sans être remplacé ; ce qui n'est pas parti ne partira pas.");
            h.tag("form", {{"method", "post"}, {"action", fmt::format("/dossiers/{}/retrait", to_string(order.id.value()))}}, [&] {
                layout::csrf_field(h, frame);
                h.single("input", {{"type", "hidden"}, {"name", "version"}, {"value", std::to_string(order.row_version)}});
                h.tag("label", {{"for", "motif-retrait"}}, "Motif du retrait");
                h.single("input", {{"id", "motif-retrait"}, {"name", "motif"}, {"maxlength", "500"}, {"required", true}});
                h.tag("button", {{"type", "submit"}}, "Retirer");
            });
        });
    });
}

void reports_box(Html& h, const Frame& frame, const store::OrderView& order) {
    if (order.reports.empty()) return;
    h.tag("section", {{"class", "box"}}, [&] {
        h.tag("h2", "Comptes rendus");
        h.tag("ul", {{"class", "plain"}}, [&] {
            for (const auto& line : order.reports) {
                h.tag("li", [&] {
                    h.tag("a", {{"href", fmt::format("/comptes-rendus/{}", to_string(line.id.value()))}}, fmt::format("Version {}", line.version));
                    h.text(fmt::format(" · validée le {} par {}", layout::moment(frame, order.site, line.validated_at), line.validator));
                    if (line.kind == "partial") layout::mark(h, {"warn", "~", "partielle"}, true);
                    if (line.state == "refused") layout::mark(h, {"bad", "✕", "non composée"}, true);
                    h.text(" ");
                    if (line.state == "withdrawn") layout::mark(h, {"bad", "✕", "retirée"}, true);
                });
            }
        });
    });
}

/// What the requester knows from before: beside the results, never among them.
void prior_box(Html& h, const store::OrderView& order) {
    if (order.prior.empty()) return;
    h.tag("section", {{"class", "box"}, {"aria-labelledby", "anterieurs"}}, [&] {
        h.tag("h2", {{"id", "anterieurs"}}, "Résultats antérieurs transmis par le demandeur");
        h.tag("table", [&] {
            h.tag("thead", [&] {
                h.tag("tr", [&] {
                    for (const auto* head : {"Analyse", "Résultat", "Référence", "Date", "Laboratoire"}) h.tag("th", {{"scope", "col"}}, head);
                });
            });
            h.tag("tbody", [&] {
                for (const auto& prior : order.prior) {
                    h.tag("tr", [&] {
                        h.tag("th", {{"scope", "row"}}, prior.label);
                        h.tag("td", {{"class", "value"}}, prior.unit.empty() ? prior.value : prior.value + " " + prior.unit);
                        h.tag("td", prior.range);
                        h.tag("td", prior.at ? to_french_date(*prior.at) : "");
                        h.tag("td", prior.laboratory);
                    });
                }
            });
        });
    });
}

}  // namespace

std::string order_page(const Frame& frame, const OrderScreen& screen, const std::optional<Notice>& notice) {
    const auto title = fmt::format("Dossier {}", screen.order.number);
    return layout::page(frame, {.title = title, .kind = "wide order"}, notice, [&](Html& h) {
        if (!screen.changes.empty()) {
            h.tag("section", {{"class", "notice bad"}, {"role", "alert"}}, [&] {
                h.tag("span", {{"class", "sign"}, {"aria-hidden", "true"}}, "!");
                h.tag("div", [&] {
                    h.tag("strong", "Rien n'a été signé : le dossier a changé depuis son affichage. ");
                    h.text("Relisez-le, votre commentaire est gardé.");
                    h.tag("ul", [&] {
                        for (const auto& change : screen.changes) h.tag("li", change);
                    });
                });
            });
        }
        identity_band(h, frame, screen.order);
        clinical_band(h, frame, screen.order);
        const auto state = screen.order.state;
        const bool open = domain::is_open(state) || state == domain::OrderState::cancelled;
        if (open && may(*frame.user, Action::order_at_desk, screen.order.site)) {
            h.tag("p", {{"class", "keys"}}, [&] {
                h.tag("a", {{"href", fmt::format("/dossiers/{}/demande", to_string(screen.order.id.value()))}, {"data-key", "m"}}, [&] {
                    h.tag("kbd", "m");
                    h.text("corriger la demande : examens, prescripteur, copies, urgence, prélèvements");
                });
            });
        }
        h.tag("div", {{"class", "columns"}}, [&] {
            h.tag("div", {{"class", "left"}}, [&] {
                results_table(h, frame, screen);
                prior_box(h, screen.order);
            });
            h.tag("aside", [&] {
                hindrances(h, screen);
                rules_box(h, screen);
                delivery_box(h, screen);
                sign_form(h, frame, screen);
                withdrawal_box(h, frame, screen);
                set_aside(h, frame, screen.order);
                reports_box(h, frame, screen.order);
                h.tag("p", {{"class", "keys"}}, [&] {
                    if (screen.may_validate) {
                        h.tag("kbd", "c");
                        h.text("commenter ");
                        h.tag("kbd", "v");
                        h.text("aller à la validation ");
                    }
                    h.tag("a", {{"href", "/dossiers"}, {"data-key", "u"}}, [&] {
                        h.tag("kbd", "u");
                        h.text("retour à la liste");
                    });
                });
            });
        });
    });
}

}  // namespace sgl::web
