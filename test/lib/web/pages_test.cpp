#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lib/web/assets.hpp"
#include "test/lib/web/fakes.hpp"

namespace sgl::web {
namespace {

/// With SGL_PAGES=<folder> the pages are also written there, with their stylesheet, to be looked at.
void show(const std::string& name, std::string html) {
    const char* folder = std::getenv("SGL_PAGES");
    if (folder == nullptr) return;
    const auto at = html.find("/assets/console.css");
    if (at != std::string::npos) html.replace(at, 1, "");
    std::ofstream(std::string(folder) + "/" + name + ".html") << html;
}

TEST(Pages, AllRenderAndCanBeShown) {
    const auto user = fakes::biologist();
    auto frame = fakes::frame(user);
    const auto check = [&](const std::string& name, const std::string& html) {
        EXPECT_TRUE(html.starts_with("<!DOCTYPE html>")) << name;
        EXPECT_NE(html.find("Démonstration – comptes locaux"), std::string::npos) << name;
        EXPECT_EQ(html.find("<script>"), std::string::npos) << name;
        EXPECT_EQ(html.find(" style="), std::string::npos) << name;
        EXPECT_LT(html.size(), 150U * 1024) << name;
        show(name, html);
    };
    frame.place = Place::orders;
    check("dossiers", worklist_page(frame, fakes::worklist(), {}, Notice{true, "Dossier 261121000090 validé.", "/comptes-rendus/x", "Voir le compte rendu"}));
    check("dossier", order_page(frame, fakes::order_screen(), std::nullopt));
    auto stale = fakes::order_screen();
    stale.changes = {"1 résultat reçu depuis : Ferritine"};
    stale.comment = "Anémie microcytaire.";
    check("dossier-perime", order_page(frame, stale, std::nullopt));
    check("compte-rendu", report_page(frame, fakes::report_view(), std::nullopt));
    frame.place = Place::letters;
    store::Letters letters;
    letters.rows = fakes::letters();
    letters.counts = {{domain::LetterState::blocked, 4}, {domain::LetterState::retry, 2}, {domain::LetterState::dead, 1}, {domain::LetterState::accepted, 311}};
    check("envois", letters_page(frame, letters, {}, std::nullopt));
    frame.place = Place::work;
    store::WorkItems items;
    items.open = 3;
    items.rows = {{domain::WorkItemId{1}, fakes::north, "unknown_code", "OBX[3]-3", "the code is not in the catalogue of the site", domain::OrderId{fakes::uuid(3)}, "261121000030", fakes::now - std::chrono::minutes{12}},
                  {domain::WorkItemId{2}, fakes::south, "unmatched", "OBR[1]", "no order or specimen of this site has one of the numbers given", std::nullopt, "", fakes::now - std::chrono::hours{3}}};
    check("a-traiter", work_items_page(frame, items));
    frame.place = Place::account;
    check("activite", account_page(frame, fakes::account()));
    check("a-propos", about_page(frame, {fakes::uuid(42), "Laboratoire d'essai", "test"}));
    check("erreur", error_page(frame, 404, "Introuvable", "Cette page n'existe pas."));
    frame.user = nullptr;
    check("connexion", sign_in_page(frame, "bio.demo", Notice{false, "Identifiant ou mot de passe incorrect.", "", ""}));
    if (const char* folder = std::getenv("SGL_PAGES")) {
        std::filesystem::create_directories(std::string(folder) + "/assets");
        std::ofstream(std::string(folder) + "/assets/console.css") << assets::stylesheet;
    }
}

}  // namespace
}  // namespace sgl::web
