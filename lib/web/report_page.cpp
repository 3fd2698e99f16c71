#include <fmt/format.h>

#include <algorithm>

#include "lib/web/layout.hpp"
#include "lib/web/rights.hpp"

namespace sgl::web {

namespace {

std::string_view form_words(std::string_view form) {
    if (form == "pdf") return "PDF signé pour la lecture";
    if (form == "n3") return "CDA R2 niveau 3 (CR-BIO)";
    return form;
}

std::string size_words(std::uint64_t bytes) {
    return bytes < 1024 * 1024 ? fmt::format("{} ko", (bytes + 1023) / 1024) : fmt::format("{:.1f} Mo", static_cast<double>(bytes) / (1024 * 1024));
}

Mark state_mark(const store::ReportLine& line) {
    if (line.state == "published") return {"ok", "✓", "émis"};
    if (line.state == "refused") return {"bad", "✕", "non composé"};
    if (line.state == "withdrawn") return {"bad", "✕", "retiré"};
    return {"note", "…", "en cours de composition"};
}

void documents(Html& h, const store::ReportView& report) {
    h.tag("section", {{"class", "box"}}, [&] {
        h.tag("h2", "Documents");
        if (report.documents.empty()) {
            h.tag("p", {{"class", "dim"}}, report.line.state == "refused" ? "Aucun : le compte rendu n'a pas pu être composé."
                                                                          : "En cours de composition ; cette page se met à jour.");
            return;
        }
        h.tag("ul", {{"class", "documents"}}, [&] {
            for (const auto& document : report.documents) {
                const auto path = fmt::format("/comptes-rendus/{}/{}", to_string(report.line.id.value()), document.form == "pdf" ? "pdf" : "cda");
                h.tag("li", [&] {
                    h.tag("a", {{"href", path}, {"class", "button"}}, document.form == "pdf" ? "Télécharger le PDF" : "Télécharger le CDA");
                    h.tag("span", {{"class", "dim"}}, fmt::format("{} · {} · SHA-256 {}…", document.form == "pdf" ? "copie lisible" : form_words(document.form),
                                                                  size_words(document.size), document.sha256.substr(0, 12)));
                });
            }
        });
        h.tag("p", {{"class", "dim break"}}, fmt::format("Identifiant du document {}", report.document_oid));
    });
}

void letters(Html& h, const Frame& frame, const store::ReportView& report) {
    h.tag("section", {{"class", "box"}}, [&] {
        h.tag("h2", "Envois");
        if (report.letters.empty()) {
            h.tag("p", {{"class", "dim"}}, "Aucun envoi pour l'instant.");
            return;
        }
        const auto back = fmt::format("/comptes-rendus/{}", to_string(report.line.id.value()));
        h.tag("table", {{"class", "rows"}}, [&] {
            h.tag("thead", [&] {
                h.tag("tr", [&] {
                    for (const auto* const title : {"Canal", "Destinataire", "État", "Raison et remède", "Essais", "Prochain / accepté", "Actions"}) {
                        h.tag("th", {{"scope", "col"}}, title);
                    }
                });
            });
            h.tag("tbody", [&] {
                for (const auto& letter : report.letters) {
                    h.tag("tr", [&] {
                        h.tag("td", domain::french(letter.channel));
                        h.tag("td", letter.recipient_name.empty() && letter.channel == domain::Channel::mss_patient ? "le patient"
                                  : letter.channel == domain::Channel::dmp ? "le dossier du patient" : letter.recipient_name);
                        h.tag("td", [&] {
                            layout::mark(h, mark(letter.state), true);
                            if (letter.possible_duplicate) layout::mark(h, {"warn", "2", "doublon possible"}, true);
                        });
                        h.tag("td", {{"class", "wrap"}}, [&] {
                            if (letter.reason != domain::Reason::none) {
                                const auto why = domain::french(letter.reason);
                                h.text(fmt::format("{}. ", why.meaning));
                                h.tag("span", {{"class", "dim"}}, fmt::format("{}.", why.remedy));
                            }
                            if (!letter.error_what.empty()) {
                                h.tag("code", {{"class", "detail"}}, letter.error_where.empty() ? letter.error_what : fmt::format("{} : {}", letter.error_where, letter.error_what));
                            }
                            if (!letter.partner_reference.empty()) h.tag("span", {{"class", "dim"}}, fmt::format(" réf. {}", letter.partner_reference));
                        });
                        h.tag("td", {{"class", "num"}}, std::to_string(letter.attempts));
                        const bool waits = letter.state == domain::LetterState::due || letter.state == domain::LetterState::retry ||
                                           letter.state == domain::LetterState::in_doubt;
                        h.tag("td", {{"class", "tight"}}, letter.accepted_at ? layout::moment(frame, report.site, *letter.accepted_at)
                                                          : waits            ? layout::moment(frame, report.site, letter.next_attempt_at)
                                                                             : std::string());
                        h.tag("td", {{"class", "actions"}}, [&] { layout::letter_actions(h, frame, letter, back); });
                    });
                }
            });
        });
    });
}

struct TraceLine {
    Instant at;
    std::string who;
    std::string what;
};

std::string letter_words(const store::ReportView& report, const store::LetterEventLine& event) {
    std::string words = "envoi";
    const auto letter = std::ranges::find(report.letters, event.letter, &store::LetterLine::id);
    if (letter != report.letters.end()) {
        words = std::string(domain::french(letter->channel));
        if (!letter->recipient_name.empty() && letter->channel != domain::Channel::dmp) words += " · " + letter->recipient_name;
    }
    const auto state = domain::letter_state_of(event.to_state);
    words += fmt::format(" : {}", state ? domain::french(*state) : std::string_view(event.to_state));
    if (const auto reason = domain::reason_of(event.reason); reason && *reason != domain::Reason::none) {
        words += fmt::format(" – {}", domain::french(*reason).meaning);
    }
    if (event.attempt > 0) words += fmt::format(" (essai {})", event.attempt);
    return words;
}

void trace(Html& h, const Frame& frame, const store::ReportView& report) {
    std::vector<TraceLine> lines;
    lines.push_back({report.line.validated_at, report.line.validator, "validation technique et biologique"});
    if (report.line.published_at) lines.push_back({*report.line.published_at, "sgld", "compte rendu composé, contrôlé et émis"});
    for (const auto& event : report.events) lines.push_back({event.at, actor_words(event.actor), letter_words(report, event)});
    std::ranges::stable_sort(lines, {}, &TraceLine::at);
    h.tag("section", {{"class", "box"}}, [&] {
        h.tag("h2", "Trace");
        h.tag("table", {{"class", "rows trace"}}, [&] {
            h.tag("tbody", [&] {
                const auto& zone = layout::zone(frame, report.site);
                for (const auto& line : lines) {
                    const auto local = zone.to_local(line.at);
                    h.tag("tr", [&] {
                        h.tag("td", {{"class", "tight num"}}, fmt::format("{} {:02}:{:02}:{:02}", to_french_date(local), local.hour, local.minute, local.second));
                        h.tag("td", {{"class", "tight"}}, line.who);
                        h.tag("td", {{"class", "wrap"}}, line.what);
                    });
                }
            });
        });
    });
}

}  // namespace

std::string report_page(const Frame& frame, const store::ReportView& report, const std::optional<Notice>& notice) {
    const auto title = fmt::format("Compte rendu {} v{}", report.order_number, report.line.version);
    const unsigned refresh = report.line.state == "refused" ? 0 : 10;
    return layout::page(frame, {.title = title, .kind = "wide report", .refresh_seconds = refresh}, notice, [&](Html& h) {
        const auto& traits = report.patient.traits.reveal();
        h.tag("section", {{"class", "identity"}}, [&] {
            h.tag("div", {{"class", "person"}}, [&] {
                h.tag("h1", [&] {
                    h.text("Compte rendu ");
                    h.tag("a", {{"href", fmt::format("/dossiers/{}", to_string(report.order.value()))}, {"data-key", "u"}}, report.order_number);
                    h.text(fmt::format(" · version {}", report.line.version));
                });
                h.tag("p", [&] {
                    h.tag("strong", fmt::format("{} {}", traits.used_name.empty() ? traits.birth_name : traits.used_name, traits.first_given_name));
                    h.text(fmt::format(" · {}", french(traits.sex)));
                    if (traits.birth_date) h.text(fmt::format(" · {}", to_french_date(*traits.birth_date)));
                });
            });
            h.tag("div", {{"class", "ins"}}, [&] {
                layout::mark(h, report.ins_qualified ? Mark{"ok", "✓", "signé avec INS qualifiée"} : Mark{"warn", "○", "signé sans INS qualifiée"}, true);
            });
            h.tag("div", {{"class", "dossier"}}, [&] {
                layout::mark(h, state_mark(report.line), true);
                h.tag("span", {{"class", "dim"}}, fmt::format("validé le {} par {}", layout::moment(frame, report.site, report.line.validated_at), report.line.validator));
            });
        });
        if (report.line.state == "refused") {
            h.tag("section", {{"class", "notice bad"}, {"role", "alert"}}, [&] {
                h.tag("span", {{"class", "sign"}, {"aria-hidden", "true"}}, "!");
                h.tag("span", fmt::format("Le compte rendu n'a pas pu être composé : {}", report.line.refusal));
                if (!may(*frame.user, Action::compose_again, report.site)) return;
                const auto path = fmt::format("/comptes-rendus/{}/composer", to_string(report.line.id.value()));
                h.tag("form", {{"method", "post"}, {"action", path}, {"class", "inline"}}, [&] {
                    layout::csrf_field(h, frame);
                    h.tag("button", {{"type", "submit"}, {"class", "small"}, {"title", "tel qu'il a été signé, une fois la cause corrigée"}}, "Composer à nouveau");
                });
            });
        }
        if (!report.versions.empty() && report.versions.front().id != report.line.id) {
            h.tag("p", {{"class", "notice"}}, [&] {
                h.text("Une version plus récente existe : ");
                const auto& newest = report.versions.front();
                h.tag("a", {{"href", fmt::format("/comptes-rendus/{}", to_string(newest.id.value()))}}, fmt::format("version {}", newest.version));
            });
        }
        if (!report.comment.empty()) {
            h.tag("section", {{"class", "box"}}, [&] {
                h.tag("h2", "Interprétation");
                h.tag("p", {{"class", "pre"}}, report.comment);
            });
        }
        documents(h, report);
        letters(h, frame, report);
        trace(h, frame, report);
    });
}

}  // namespace sgl::web
