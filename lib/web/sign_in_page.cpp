#include "lib/web/layout.hpp"

#include <algorithm>

namespace sgl::web {

namespace {

/// Carried in the form, not in a cookie or an address: it may be about a patient.
void kept_fields(Html& h, const Kept& kept) {
    if (kept.path.empty()) return;
    h.single("input", {{"type", "hidden"}, {"name", "suite"}, {"value", kept.path}});
    for (const auto& [name, value] : kept.fields) {
        const auto kept_name = "garde." + name;
        h.single("input", {{"type", "hidden"}, {"name", kept_name}, {"value", value}});
    }
}

std::string_view words_of(std::string_view field) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> known{{
        {"motif", "Motif"}, {"commentaire", "Commentaire"}, {"nom", "Nom"}, {"prenom", "Prénom"}, {"contexte", "Renseignements cliniques"}, {"texte", "Texte"},
    }};
    const auto* const found = std::ranges::find(known, field, &std::pair<std::string_view, std::string_view>::first);
    return found == known.end() ? field : found->second;
}

/// What a person typed, against what the page itself put in: numbers and tokens.
bool typed(std::string_view name, std::string_view value) {
    return !value.empty() && name != "vu" && name != "version" && name != "jeton" && name != "retour";
}

}  // namespace

std::string sign_in_page(const Frame& frame, const std::string& login, const Kept& kept, const std::optional<Notice>& notice) {
    return layout::page(frame, {.title = "Connexion", .kind = "sign-in"}, notice, [&](Html& h) {
        h.tag("section", {{"class", "card"}}, [&] {
            h.tag("h1", "Connexion");
            if (!frame.demonstration) {
                h.tag("p", "La connexion par Pro Santé Connect n'est pas disponible dans cette version, et les comptes locaux "
                           "sont désactivés sur cette instance.");
                return;
            }
            h.tag("p", {{"class", "dim"}}, "Comptes de démonstration : ils n'existent que sur cette instance.");
            h.tag("form", {{"method", "post"}, {"action", "/connexion"}}, [&] {
                kept_fields(h, kept);
                h.tag("label", {{"for", "identifiant"}}, "Identifiant");
                h.single("input", {{"id", "identifiant"}, {"name", "identifiant"}, {"value", login}, {"autocomplete", "username"},
                                   {"autocapitalize", "none"}, {"spellcheck", "false"}, {"required", true},
                                   {"autofocus", login.empty()}, {"maxlength", "100"}});
                h.tag("label", {{"for", "mot-de-passe"}}, "Mot de passe");
                h.single("input", {{"id", "mot-de-passe"}, {"name", "mot_de_passe"}, {"type", "password"},
                                   {"autocomplete", "current-password"}, {"required", true}, {"autofocus", !login.empty()},
                                   {"maxlength", "200"}});
                h.tag("button", {{"type", "submit"}, {"class", "main"}}, "Se connecter");
            });
        });
    });
}

std::string kept_page(const Frame& frame, const Kept& kept) {
    const Notice back{true, "Vous êtes de nouveau connecté. Votre session avait pris fin : rien n'a été enregistré, rien n'est perdu.", "", ""};
    return layout::page(frame, {.title = "Saisie gardée", .kind = "narrow"}, back, [&](Html& h) {
        h.tag("section", {{"class", "card"}}, [&] {
            h.tag("h1", "Votre saisie");
            h.tag("dl", {{"class", "facts tall"}}, [&] {
                for (const auto& [name, value] : kept.fields) {
                    if (!typed(name, value)) continue;
                    h.tag("div", {{"class", "fact"}}, [&] {
                        h.tag("dt", words_of(name));
                        h.tag("dd", {{"class", "pre"}}, value);
                    });
                }
            });
            h.tag("form", {{"method", "post"}, {"action", kept.path}}, [&] {
                layout::csrf_field(h, frame);
                for (const auto& [name, value] : kept.fields) h.single("input", {{"type", "hidden"}, {"name", name}, {"value", value}});
                h.tag("button", {{"type", "submit"}, {"class", "main"}, {"autofocus", true}}, "Envoyer maintenant");
            });
            h.tag("p", {{"class", "keys"}}, [&] { h.tag("a", {{"href", "/"}}, "Ne pas envoyer : retour à l'accueil"); });
        });
    });
}

}  // namespace sgl::web
