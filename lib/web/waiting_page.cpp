#include <fmt/format.h>

#include <algorithm>

#include "lib/web/layout.hpp"
#include "lib/web/rights.hpp"
#include "lib/web/waiting.hpp"
#include "lib/web/waiting_words.hpp"

namespace sgl::web {

namespace {

using store::WaitingGroup;
using MappingKind = domain::Mapping::Kind;

void hidden(Html& h, Name name, std::string_view field, std::string_view value) {
    h.single("input", {{"type", "hidden"}, {name, field}, {"value", value}});
}

/// Which group a form is about.
void group_fields(Html& h, const WaitingGroup& group) {
    hidden(h, "name", "lien", std::to_string(group.link.value()));
    hidden(h, "name", "type", group.kind);
    hidden(h, "name", "mot", group.theirs);
    hidden(h, "name", "examen", group.code);
}

void field(Html& h, std::string_view id, std::string_view label, std::string_view value, std::string_view hint,
           bool needed) {
    h.tag("label", {{"for", id}}, label);
    h.single("input", {{"id", id},
                       {"name", id},
                       {"value", value},
                       {"maxlength", "200"},
                       {"required", needed},
                       {"autocomplete", "off"},
                       {"placeholder", hint}});
}

/// The examination, found by its label, code or LOINC: a list that the browser searches.
void examination_field(Html& h, const WordScreen& screen) {
    h.tag("label", {{"for", "notre"}}, "Examen du catalogue");
    h.single("input", {{"id", "notre"},
                       {"name", "notre"},
                       {"value", screen.typed.ours},
                       {"list", "examens"},
                       {"maxlength", "200"},
                       {"required", true},
                       {"autocomplete", "off"},
                       {"placeholder", "libellé, code ou LOINC"}});
    h.tag("datalist", {{"id", "examens"}}, [&] {
        for (const auto& one : screen.examinations) {
            const auto words = fmt::format("{}{}{}", one.label, one.loinc.empty() ? "" : " · LOINC " + one.loinc,
                                           one.unit.empty() ? "" : " · " + one.unit);
            h.tag("option", {{"value", one.code}}, words);
        }
    });
}

void conversion_fields(Html& h, const WordScreen& screen) {
    h.tag("div", {{"class", "pair"}}, [&] {
        h.tag("div", [&] {
            field(h, "unite", "Unité de l'automate", screen.typed.unit, "si différente", false);
        });
        h.tag("div", [&] {
            field(h, "facteur", "Facteur vers l'unité du catalogue", screen.typed.factor, "par exemple 0.1", false);
        });
    });
}

void flag_fields(Html& h, const WordScreen& screen) {
    h.tag("label", {{"for", "fait"}}, "Cet indicateur");
    h.tag("select", {{"id", "fait"}, {"name", "fait"}}, [&] {
        const std::pair<const char*, const char*> choices[] = {{"ignore", "ne dit rien de plus : à ignorer"},
                                                               {"comment", "devient un commentaire du résultat"},
                                                               {"block", "demande toujours l'avis d'une personne"},
                                                               {"hide", "antibiotique à ne pas imprimer"}};
        for (const auto& [value, words] : choices)
            h.tag("option", {{"value", value}, {"selected", screen.typed.does == value}}, words);
    });
    field(h, "texte", "Commentaire", screen.typed.text, "pour un commentaire : texte imprimé", false);
}

void mapping_form(Html& h, const Frame& frame, const WordScreen& screen, MappingKind means, std::string_view heading) {
    const auto id = std::string(to_string(means));
    h.tag("form", {{"method", "post"}, {"action", "/a-traiter/mot"}, {"class", "mapping"}, {"aria-label", heading}},
          [&] {
              layout::csrf_field(h, frame);
              group_fields(h, screen.group);
              hidden(h, "name", "sens", id);
              h.tag("h2", heading);
              switch (means) {
                  case MappingKind::code:
                      examination_field(h, screen);
                      conversion_fields(h, screen);
                      break;
                  case MappingKind::unit:
                      field(h, "notre", "S'écrit en UCUM", screen.typed.ours, "g/L, 10*9/L, mmol/L…", true);
                      break;
                  case MappingKind::value:
                      field(h, "notre", "Veut dire", screen.typed.ours, "< 20, Négatif…", true);
                      break;
                  case MappingKind::flag:
                      flag_fields(h, screen);
                      break;
              }
              field(h, "motif", "Motif", screen.typed.why, "gardé avec votre nom (facultatif)", false);
              h.tag("p", {{"class", "buttons"}}, [&] {
                  h.tag("button", {{"type", "submit"}, {"name", "apercu"}, {"value", "1"}}, "Aperçu");
                  h.tag("button", {{"type", "submit"}, {"class", "main"}}, "Enregistrer et rejouer");
              });
          });
}

void expectation(Html& h, const store::Expectation& expected) {
    h.tag("section", {{"class", "box"}, {"aria-label", "Aperçu"}}, [&] {
        h.tag("h2", fmt::format("Aperçu : {} résultat{} rendu{}, {} encore en attente", expected.results,
                                plural(expected.results), plural(expected.results), expected.waiting));
        h.tag("table", {{"class", "rows"}}, [&] {
            h.tag("thead", [&] {
                h.tag("tr", [&] {
                    for (const auto* const title : {"Endroit", "Reçu", "Sera lu"})
                        h.tag("th", {{"scope", "col"}}, title);
                });
            });
            h.tag("tbody", [&] {
                for (const auto& line : expected.lines) {
                    h.tag("tr", [&] {
                        h.tag("td", {{"class", "tight"}}, [&] { h.tag("code", line.coordinate); });
                        h.tag("td", line.said);
                        h.tag("td", [&] {
                            if (!line.read.empty()) {
                                h.tag("strong", line.read);
                                return;
                            }
                            layout::mark(h, {"warn", "‖", "encore en attente"}, true);
                            h.tag("span", {{"class", "dim"}}, " " + line.why);
                        });
                    });
                }
            });
        });
        h.tag("p", {{"class", "dim"}}, "Rien n'est encore enregistré.");
    });
}

void replay_form(Html& h, const Frame& frame, const WaitingGroup& group) {
    h.tag("form", {{"method", "post"}, {"action", "/a-traiter/rejouer"}, {"class", "mapping"}}, [&] {
        layout::csrf_field(h, frame);
        group_fields(h, group);
        h.tag("p", "Le sens de ce mot est connu : il reste à rejouer les messages reçus avant.");
        h.tag("button", {{"type", "submit"}, {"class", "main"}}, "Rejouer");
    });
}

void items_table(Html& h, const Frame& frame, const WaitingGroup& group) {
    constexpr std::size_t shown = 50;
    h.tag("table", {{"class", "rows"}}, [&] {
        h.tag("thead", [&] {
            h.tag("tr", [&] {
                for (const auto* const title : {"Message", "Endroit", "Détail technique", "Dossier", "Reçu"})
                    h.tag("th", {{"scope", "col"}}, title);
            });
        });
        h.tag("tbody", [&] {
            for (std::size_t i = 0; i < group.items.size() && i < shown; ++i) {
                const auto& item = group.items[i];
                h.tag("tr", [&] {
                    h.tag("td", {{"class", "tight"}}, [&] {
                        h.tag("a", {{"href", fmt::format("/a-traiter/{}", item.id.value())}, {"class", "row-link"}},
                              fmt::format("n° {}", item.message.value()));
                    });
                    h.tag("td", {{"class", "tight"}}, [&] { h.tag("code", item.coordinate); });
                    h.tag("td", {{"class", "wrap dim"}, {"lang", "en"}}, item.what);
                    h.tag("td", {{"class", "tight"}}, item.order_number);
                    h.tag("td", {{"class", "tight"}}, layout::moment(frame, item.site, item.received_at));
                });
            }
        });
    });
    if (group.items.size() > shown)
        h.tag("p", {{"class", "dim"}}, fmt::format("Les {} plus anciens sont affichés.", shown));
}

}  // namespace

std::string replay_words(std::int64_t messages, std::int64_t results, std::int64_t waiting) {
    const auto s = [](std::int64_t n) { return n > 1 ? "s" : ""; };
    auto text = fmt::format("{} message{} rejoué{} : {} résultat{} rendu{} à {} dossier{}", messages, s(messages),
                            s(messages), results, s(results), s(results), results > 1 ? "leurs" : "son", s(results));
    text += waiting > 0 ? fmt::format(", {} encore en attente.", waiting) : ".";
    return text;
}

std::string word_path(const WaitingGroup& group) {
    return fmt::format("/a-traiter/mot?lien={}&type={}&mot={}&examen={}", group.link.value(), url_part(group.kind),
                       url_part(group.theirs), url_part(group.code));
}

std::string word_page(const Frame& frame, const WordScreen& screen, const std::optional<Notice>& notice) {
    const auto title = title_of(screen.group);
    return layout::page(frame, {.title = title, .kind = "wide"}, notice, [&](Html& h) {
        h.tag("p", {{"class", "keys"}},
              [&] { h.tag("a", {{"href", "/a-traiter"}, {"data-key", "u"}}, "← Travail à faire"); });
        h.tag("div", {{"class", "head"}}, [&] {
            h.tag("h1", fmt::format("{} : {}", title, how_many(screen.group)));
            if (!screen.group.label.empty())
                h.tag("span", {{"class", "dim"}}, fmt::format("l'automate l'appelle « {} »", screen.group.label));
        });
        h.tag("div", {{"class", "columns"}}, [&] {
            h.tag("div", [&] {
                if (screen.expected) expectation(h, *screen.expected);
                items_table(h, frame, screen.group);
            });
            h.tag("aside", [&] {
                h.tag("section", {{"class", "box"}}, [&] {
                    if (!screen.may_map) {
                        h.tag("p", {{"class", "dim"}},
                              "La traduction des mots d'automates est réservée aux techniciens, aux biologistes et à "
                              "l'informatique de ce site.");
                        return;
                    }
                    if (screen.group.mapped) replay_form(h, frame, screen.group);
                    switch (*screen.group.mends) {
                        case MappingKind::code:
                            if (!screen.group.mapped)
                                mapping_form(h, frame, screen, MappingKind::code, "Ce code désigne");
                            break;
                        case MappingKind::unit:
                            mapping_form(h, frame, screen, MappingKind::unit, "C'est une autre écriture d'une unité");
                            mapping_form(h, frame, screen, MappingKind::code, "Ou une autre unité, à convertir");
                            break;
                        case MappingKind::value:
                            mapping_form(h, frame, screen, MappingKind::value, "Ce texte");
                            break;
                        case MappingKind::flag:
                            mapping_form(h, frame, screen, MappingKind::flag, "Cet indicateur");
                            break;
                    }
                });
                h.tag("p", {{"class", "dim"}},
                      "Ce qui est enregistré ici compte à partir de maintenant, à côté du fichier des liens. Les "
                      "messages "
                      "sont relus comme s'ils venaient d'arriver, à leur date ; ce qui est déjà rendu ne change pas, "
                      "rien ne part sans validation.");
            });
        });
    });
}

std::string waiting_point_page(const Frame& frame, const WaitingPoint& point, const std::optional<Notice>& notice) {
    const auto& item = point.item;
    const auto title = work_kind(item.kind);
    return layout::page(frame, {.title = title, .kind = "wide"}, notice, [&](Html& h) {
        h.tag("p", {{"class", "keys"}},
              [&] { h.tag("a", {{"href", "/a-traiter"}, {"data-key", "u"}}, "← Travail à faire"); });
        h.tag("div", {{"class", "head"}}, [&] {
            h.tag("h1", title);
            h.tag("span", {{"class", "dim"}},
                  fmt::format("{} · reçu le {}", point.link_name, layout::moment(frame, item.site, item.received_at)));
        });
        h.tag("div", {{"class", "columns"}}, [&] {
            h.tag("div", [&] {
                if (item.message.value() == 0) return;
                h.tag("section", {{"class", "box"}, {"aria-label", "Message"}}, [&] {
                    h.tag("h2", fmt::format("Message n° {}", item.message.value()));
                    if (point.masked) h.tag("p", {{"class", "dim"}}, "Ce qui désigne le patient est masqué (…).");
                    h.tag("pre", {{"class", "message"}, {"tabindex", "0"}}, point.text);
                });
            });
            h.tag("aside", [&] {
                h.tag("section", {{"class", "box"}}, [&] {
                    h.tag("p", [&] {
                        h.tag("code", item.coordinate);
                        h.text(" " + item.what);
                    });
                    if (item.order) {
                        h.tag("p", [&] {
                            h.tag("a", {{"href", fmt::format("/dossiers/{}", to_string(item.order->value()))}},
                                  fmt::format("Dossier {}", item.order_number));
                        });
                    }
                    const bool unmatched = item.kind == "unmatched" || item.kind == "ambiguous_number";
                    if (unmatched && may(*frame.user, Action::assign_results, item.site)) {
                        h.tag("form",
                              {{"method", "post"},
                               {"action", fmt::format("/a-traiter/{}/attribuer", item.id.value())},
                               {"class", "mapping"}},
                              [&] {
                                  layout::csrf_field(h, frame);
                                  h.tag("h2", "Ces résultats sont du dossier");
                                  field(h, "numero", "Numéro du tube ou du dossier", "", "lu sur l'étiquette", true);
                                  field(h, "motif", "Motif", "", "gardé avec votre nom", true);
                                  h.tag("button", {{"type", "submit"}, {"class", "main"}}, "Attribuer et rejouer");
                                  h.tag("p", {{"class", "dim"}}, "L'identité du message doit être celle du dossier.");
                              });
                    }
                    if (item.message.value() != 0 && may(*frame.user, Action::map_words, item.site)) {
                        h.tag("form",
                              {{"method", "post"},
                               {"action", fmt::format("/a-traiter/{}/rejouer", item.id.value())},
                               {"class", "mapping"}},
                              [&] {
                                  layout::csrf_field(h, frame);
                                  h.tag("p", {{"class", "dim"}}, "Après un changement du lien ou du catalogue\u00a0:");
                                  h.tag("button", {{"type", "submit"}}, "Rejouer ce message");
                              });
                    }
                    if (may(*frame.user, Action::close_work_item, item.site)) {
                        h.tag("details", {{"class", "more"}}, [&] {
                            h.tag("summary", "Clore sans traiter");
                            layout::reason_form(h, frame, fmt::format("/a-traiter/{}/clore", item.id.value()), "Clore");
                        });
                    }
                });
            });
        });
    });
}

}  // namespace sgl::web
