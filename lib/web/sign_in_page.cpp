#include "lib/web/layout.hpp"

namespace sgl::web {

std::string sign_in_page(const Frame& frame, const std::string& login, const std::optional<Notice>& notice) {
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

}  // namespace sgl::web
