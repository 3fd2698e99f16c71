#include <fmt/format.h>

#include <algorithm>

#include "lib/web/layout.hpp"
#include "lib/web/rights.hpp"
#include "lib/web/waiting.hpp"
#include "lib/web/waiting_words.hpp"

namespace sgl::web {

namespace {

/// Without JavaScript: a reason, a button. What holds an order ends there.
void work_item_action(Html& h, const Frame& frame, const store::WorkItemLine& item) {
    if (item.holds_order) {
        h.tag("a", {{"href", fmt::format("/dossiers/{}", to_string(item.order->value()))}}, "à écarter dans le dossier");
        return;
    }
    if (!may(*frame.user, Action::close_work_item, item.site)) return;
    h.tag("details", {{"class", "more"}}, [&] {
        h.tag("summary", "Clore");
        layout::reason_form(h, frame, fmt::format("/a-traiter/{}/clore", item.id.value()), "Clore");
    });
}

/// The groups that a mapping mends.
void waiting_words(Html& h, const std::vector<store::WaitingGroup>& groups) {
    if (std::ranges::none_of(groups, [](const store::WaitingGroup& group) { return group.mends.has_value(); })) return;
    h.tag("section", {{"class", "box words"}, {"aria-label", "Mots d'automates à traduire"}}, [&] {
        h.tag("h2", "Mots d'automates à traduire");
        h.tag("ul", {{"class", "plain"}}, [&] {
            for (const auto& group : groups) {
                if (!group.mends) continue;
                h.tag("li", [&] {
                    h.tag("a", {{"href", word_path(group)}, {"class", "row-link"}}, title_of(group));
                    if (!group.label.empty() && group.label != group.theirs) h.tag("span", {{"class", "dim"}}, fmt::format(" « {} »", group.label));
                    h.text(" : " + how_many(group));
                    if (group.mapped) layout::mark(h, {"ok", "✓", "traduit, à rejouer"}, true);
                });
            }
        });
    });
}

}  // namespace

std::string work_items_page(const Frame& frame, const store::WorkItems& items, const std::optional<Notice>& notice) {
    return work_page(frame, items, {}, notice);
}

std::string work_page(const Frame& frame, const store::WorkItems& items, const std::vector<store::WaitingGroup>& groups,
                      const std::optional<Notice>& notice) {
    return layout::page(frame, {.title = "À traiter", .kind = "wide", .refresh_seconds = 30}, notice, [&](Html& h) {
        h.tag("div", {{"class", "head"}}, [&] { h.tag("h1", fmt::format("À traiter · {}", items.open)); });
        waiting_words(h, groups);
        if (items.rows.empty()) {
            h.tag("p", {{"class", "empty"}}, "Rien à traiter.");
            return;
        }
        h.tag("table", {{"class", "rows"}}, [&] {
            h.tag("thead", [&] {
                h.tag("tr", [&] {
                    for (const auto* const title : {"Quoi", "Dossier", "Endroit", "Détail technique", "Site", "Depuis", "Actions"}) h.tag("th", {{"scope", "col"}}, title);
                });
            });
            h.tag("tbody", [&] {
                for (const auto& item : items.rows) {
                    h.tag("tr", [&] {
                        h.tag("td", [&] { h.tag("a", {{"href", fmt::format("/a-traiter/{}", item.id.value())}, {"class", "row-link"}}, work_kind(item.kind)); });
                        h.tag("td", {{"class", "tight"}}, [&] {
                            if (item.order) h.tag("a", {{"href", fmt::format("/dossiers/{}", to_string(item.order->value()))}, {"class", "row-link"}}, item.order_number);
                        });
                        h.tag("td", {{"class", "tight"}}, [&] { h.tag("code", item.coordinate); });
                        h.tag("td", {{"class", "wrap dim"}, {"lang", "en"}}, item.what);
                        h.tag("td", {{"class", "clip"}}, layout::site_name(frame, item.site));
                        h.tag("td", {{"class", "tight num"}, {"title", layout::moment(frame, item.site, item.created_at)}}, delay(frame.now - item.created_at));
                        h.tag("td", {{"class", "actions"}}, [&] { work_item_action(h, frame, item); });
                    });
                }
            });
        });
        if (items.open > items.rows.size()) h.tag("p", {{"class", "dim"}}, fmt::format("Les {} plus anciens sont affichés.", items.rows.size()));
    });
}

std::string account_page(const Frame& frame, const Account& account) {
    return layout::page(frame, {.title = "Activité", .kind = "wide"}, std::nullopt, [&](Html& h) {
        h.tag("div", {{"class", "head"}}, [&] {
            h.tag("h1", "Activité par site et par mois");
            h.tag("span", {{"class", "dim"}}, fmt::format("instance {}", to_string(account.instance)));
        });
        if (account.lines.empty()) {
            h.tag("p", {{"class", "empty"}}, "Aucun compte rendu validé pour l'instant.");
            return;
        }
        h.tag("p", {{"class", "dim"}}, "Mois de la validation. Pour chaque canal : acceptés / partis ; en attente et échecs entre parenthèses.");
        h.tag("table", {{"class", "rows"}}, [&] {
            h.tag("thead", [&] {
                h.tag("tr", [&] {
                    for (const auto* const title : {"Mois", "Site", "FINESS"}) h.tag("th", {{"scope", "col"}}, title);
                    for (const auto* const title : {"Comptes rendus", "INS qualifiée", "DMP", "MSSanté", "Mon espace santé", "DPI"}) {
                        h.tag("th", {{"scope", "col"}, {"class", "num"}}, title);
                    }
                    h.tag("th", {{"scope", "col"}}, "Bloqués, sans objet");
                });
            });
            h.tag("tbody", [&] {
                for (const auto& line : account.lines) {
                    h.tag("tr", [&] {
                        h.tag("td", {{"class", "tight"}}, line.month);
                        h.tag("td", line.site_name);
                        h.tag("td", {{"class", "tight"}}, line.site_finess);
                        h.tag("td", {{"class", "num"}}, std::to_string(line.reports));
                        h.tag("td", {{"class", "num"}}, line.reports == 0 ? std::to_string(line.with_qualified_ins)
                                                                           : fmt::format("{} ({} %)", line.with_qualified_ins, line.with_qualified_ins * 100 / line.reports));
                        for (const auto channel : {domain::Channel::dmp, domain::Channel::mss_professional, domain::Channel::mss_patient, domain::Channel::dpi}) {
                            std::string text = "–";
                            for (const auto& figures : line.channels) {
                                if (figures.channel != channel) continue;
                                text = fmt::format("{} / {}", figures.accepted, figures.sent);
                                if (figures.pending > 0 || figures.failed > 0) text += fmt::format(" ({} … {} ✕)", figures.pending, figures.failed);
                            }
                            h.tag("td", {{"class", "num"}}, text);
                        }
                        h.tag("td", {{"class", "wrap"}}, [&] {
                            for (const auto& reason : line.reasons) {
                                h.tag("div", [&] {
                                    layout::letter_mark(h, reason.channel, reason.state, reason.reason);
                                    h.text(fmt::format(" {} · {}", reason.count, domain::french(reason.reason).meaning));
                                });
                            }
                        });
                    });
                }
            });
        });
    });
}

namespace {

void keyboard(Html& h) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> keys{{
        {"j", "ligne suivante d'une liste"},
        {"k", "ligne précédente"},
        {"Entrée", "ouvrir la ligne, ou activer le bouton"},
        {"u", "revenir à la liste, au dossier"},
        {"c", "dans un dossier : écrire le commentaire"},
        {"v", "dans un dossier : aller au bouton de validation ; Entrée valide"},
        {"m", "dans un dossier : corriger la demande"},
        {"n", "dans la liste : nouvelle demande"},
        {"Échap", "quitter un champ : les touches d'une lettre agissent de nouveau"},
    }};
    h.tag("section", {{"class", "card"}, {"id", "clavier"}, {"aria-labelledby", "titre-clavier"}}, [&] {
        h.tag("h2", {{"id", "titre-clavier"}}, "Raccourcis clavier");
        h.tag("p", "Du premier dossier de la liste à sa validation et retour : Entrée, v, Entrée. Tabulation et Maj+Tabulation vont partout.");
        h.tag("dl", {{"class", "facts tall shortcuts"}}, [&] {
            for (const auto& [key, words] : keys) {
                h.tag("div", {{"class", "fact"}}, [&] {
                    h.tag("dt", [&] { h.tag("kbd", key); });
                    h.tag("dd", words);
                });
            }
        });
        h.tag("p", {{"hidden", true}}, [&] {
            h.tag("label", {{"class", "check"}}, [&] {
                h.single("input", {{"type", "checkbox"}, {"data-touches", true}});
                h.text("Raccourcis d'une seule lettre (choix propre à ce navigateur)");
            });
        });
    });
}

}  // namespace

std::string about_page(const Frame& frame, const store::InstanceView& instance) {
    return layout::page(frame, {.title = "À propos", .kind = "narrow"}, std::nullopt, [&](Html& h) {
        h.tag("section", {{"class", "card"}}, [&] {
            h.tag("h1", "sgld");
            h.tag("p", "Système de gestion de laboratoire : des résultats d'automates au compte rendu validé, transmis au DMP, aux "
                       "correspondants, au patient et au dossier hospitalier.");
            h.tag("dl", {{"class", "facts tall"}}, [&] {
                const auto fact = [&](std::string_view name, std::string_view value) {
                    h.tag("div", {{"class", "fact"}}, [&] {
                        h.tag("dt", name);
                        h.tag("dd", value);
                    });
                };
                fact("Produit", "sgld");
                fact("Version", SGL_VERSION);
                fact("Instance", to_string(instance.uuid));
                if (!instance.label.empty()) fact("Nom", instance.label);
                fact("Environnement", instance.environment == "production" ? "production" : "test");
            });
        });
        keyboard(h);
    });
}

std::string error_page(const Frame& frame, unsigned status, const std::string& title, const std::string& text) {
    return layout::page(frame, {.title = title, .kind = "narrow"}, std::nullopt, [&](Html& h) {
        h.tag("section", {{"class", "card"}}, [&] {
            h.tag("h1", title);
            h.tag("p", text);
            h.tag("p", {{"class", "dim"}}, fmt::format("Code {}", status));
            h.tag("p", [&] { h.tag("a", {{"href", "/"}}, "Retour à l'accueil"); });
        });
    });
}

}  // namespace sgl::web
