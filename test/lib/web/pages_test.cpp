#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lib/web/assets.hpp"
#include "lib/web/words.hpp"
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

TEST(WorklistChoice, StandsInTheAddressAndIsReadBack) {
    WorklistChoice choice;
    choice.filter = store::WorklistFilter::waiting;
    choice.site = domain::SiteId{12};
    choice.narrow = {true, true, true, true, true, 8, "Hémostase, coagulation", "99900000025"};
    const std::string query = worklist_query(choice);
    EXPECT_EQ(query, "etat=en-attente&site=12&urgent=1&critique=1&ins=1&partiel=1&bloque=1&depuis=8&chapitre=H%C3%A9mostase%2C%20coagulation"
                     "&prescripteur=99900000025");
    const auto read = worklist_choice({{"etat", "en-attente"}, {"site", "12"}, {"urgent", "1"}, {"critique", "1"}, {"ins", "1"}, {"partiel", "1"},
                                       {"bloque", "1"}, {"depuis", "8"}, {"chapitre", "Hémostase, coagulation"}, {"prescripteur", "99900000025"}});
    EXPECT_EQ(worklist_query(read), query);
}

TEST(WorklistChoice, DoesNotAskWhatItDoesNotUnderstand) {
    const auto read = worklist_choice({{"etat", "x"}, {"site", "-3"}, {"depuis", "1e9"}, {"urgent", "oui"}, {"chapitre", std::string(300, 'a')}, {"autre", "1"}});
    EXPECT_EQ(worklist_query(read), "etat=a-valider");
    EXPECT_FALSE(read.narrow.any());
}

TEST(Worklist, OffersToKeepAFilterOnlyWhenItNarrowsAndIsNotKeptAlready) {
    const auto user = fakes::biologist();
    const auto frame = fakes::frame(user);
    const std::vector<store::SavedFilter> saved{{7, "Urgences <du centre>", "etat=a-valider&urgent=1"}};
    const auto page = [&](bool urgent, const std::vector<store::SavedFilter>& kept) {
        WorklistChoice choice;
        choice.narrow.urgent = urgent;
        return worklist_page(frame, fakes::worklist(), choice, {}, kept, std::nullopt);
    };
    const auto has = [](const std::string& html, std::string_view text) { return html.find(text) != std::string::npos; };
    EXPECT_FALSE(has(page(false, {}), "filtre"));
    EXPECT_TRUE(has(page(true, {}), "Garder ces filtres"));
    EXPECT_FALSE(has(page(true, saved), "Garder ces filtres"));
    EXPECT_TRUE(has(page(true, saved), R"(action="/dossiers/filtres/7/oublier")"));
    EXPECT_TRUE(has(page(false, saved), R"(href="/dossiers?etat=a-valider&amp;urgent=1")"));
    EXPECT_TRUE(has(page(false, saved), "Urgences &lt;du centre&gt;"));
}

TEST(OrderPage, TellsAReaderWhoDoesNotSignNothingOfWhatASignerNeeds) {
    const auto user = fakes::biologist();
    const auto frame = fakes::frame(user);
    auto screen = fakes::order_screen();
    screen.draft->missing = {{Fault::missing, "validator.rpps", "the validating biologist has no RPPS number"}};
    const auto words = [&] { return order_page(frame, screen, std::nullopt); };
    EXPECT_NE(words().find("numéro RPPS</li>"), std::string::npos);
    screen.may_validate = false;
    EXPECT_EQ(words().find("Le compte rendu ne peut pas être composé"), std::string::npos);
    EXPECT_EQ(words().find("aller à la validation"), std::string::npos);
    screen.draft->missing.push_back({Fault::missing, "patient.birth_date", "no date of birth"});
    EXPECT_NE(words().find("Le compte rendu ne peut pas être composé"), std::string::npos);
    EXPECT_EQ(words().find("numéro RPPS</li>"), std::string::npos);
}

TEST(SignIn, CarriesWhatWasTypedAndThePageShowsItBeforeItIsSent) {
    const auto user = fakes::biologist();
    auto frame = fakes::frame(user);
    const Kept kept{"/dossiers/x/retrait", {{"motif", "Tube \"mal\" étiqueté"}, {"version", "3"}}};
    const auto asked = sign_in_page(frame, "", kept, std::nullopt);
    EXPECT_NE(asked.find(R"(name="garde.motif" value="Tube &quot;mal&quot; étiqueté")"), std::string::npos);
    EXPECT_NE(asked.find(R"(name="suite" value="/dossiers/x/retrait")"), std::string::npos);
    const auto shown = kept_page(frame, kept);
    EXPECT_NE(shown.find(R"(action="/dossiers/x/retrait")"), std::string::npos);
    EXPECT_NE(shown.find("<dt>Motif</dt>"), std::string::npos);
    EXPECT_EQ(shown.find("<dt>version</dt>"), std::string::npos) << "what the page put in is not for the eye";
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
    check("dossiers", worklist_page(frame, fakes::worklist(), {}, {}, {{1, "Urgences du centre", "etat=a-valider&urgent=1"}}, Notice{true, "Dossier 261121000090 validé.", "/comptes-rendus/x", "Voir le compte rendu"}));
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
    items.rows = {{domain::WorkItemId{1}, fakes::north, "unknown_code", "OBX[3]-3", "the code is not in the catalogue of the site", domain::OrderId{fakes::uuid(3)}, "261121000030", true, fakes::now - std::chrono::minutes{12}},
                  {domain::WorkItemId{2}, fakes::south, "unmatched", "OBR[1]", "no order or specimen of this site has one of the numbers given", std::nullopt, "", false, fakes::now - std::chrono::hours{3}}};
    check("a-traiter", work_items_page(frame, items, Notice{true, "Point clos, avec son motif.", "", ""}));
    check("a-traiter-mots", work_page(frame, items, {fakes::waiting_group()}, std::nullopt));
    WordScreen word;
    word.group = fakes::waiting_group();
    word.examinations = fakes::examinations();
    word.typed = {"code", "GLU", "g/L", "5.55", "", "", "notice de l'automate"};
    word.may_map = true;
    word.expected = fakes::expectation();
    check("mot", word_page(frame, word, std::nullopt));
    word.group.kind = "unit";
    word.group.theirs = "mEq";
    word.group.code = "Na+";
    word.group.mends = domain::Mapping::Kind::unit;
    word.expected.reset();
    check("mot-unite", word_page(frame, word, Notice{false, "Dites ce que cela veut dire.", "", ""}));
    check("message", waiting_point_page(frame, fakes::waiting_point(), std::nullopt));
    frame.place = Place::patients;
    PatientsScreen patients;
    patients.may_order = true;
    check("patients", patients_page(frame, patients, std::nullopt));
    patients.typed.name = "PAT";
    patients.hits = store::PatientHits{{fakes::patient(), fakes::patient(false)}, true};
    check("patients-trouves", patients_page(frame, patients, std::nullopt));
    check("patient", patient_page(frame, fakes::patient_screen(), std::nullopt));
    check("demande", desk_page(frame, fakes::desk_screen(), std::nullopt));
    auto refused = fakes::desk_screen();
    refused.patient.reset();
    refused.form.patient.reset();
    refused.form.traits.birth_name = "PAT-TROIS";
    refused.form.more_exams = "MAGNESIUM";
    refused.errors = {{"birth_date", "La date de naissance manque."}, {"more_exams", "« MAGNESIUM » n'est pas au catalogue du site."},
                      {"tubes[1].number", "Ce numéro de prélèvement est celui d'un autre patient."}};
    refused.namesakes = {fakes::patient()};
    check("demande-refusee", desk_page(frame, refused, std::nullopt));
    auto correction = fakes::desk_screen();
    correction.known = fakes::desk_order();
    correction.form = domain::form_of(correction.known->order, TimeZone::paris());
    check("correction", desk_page(frame, correction, std::nullopt));
    frame.place = Place::account;
    check("activite", account_page(frame, fakes::account()));
    check("a-propos", about_page(frame, {fakes::uuid(42), "Laboratoire d'essai", "test"}));
    check("erreur", error_page(frame, 404, "Introuvable", "Cette page n'existe pas."));
    frame.user = nullptr;
    check("connexion", sign_in_page(frame, "bio.demo", {}, Notice{false, "Identifiant ou mot de passe incorrect.", "", ""}));
    if (const char* folder = std::getenv("SGL_PAGES")) {
        std::filesystem::create_directories(std::string(folder) + "/assets");
        std::ofstream(std::string(folder) + "/assets/console.css") << assets::stylesheet;
    }
}

bool has(const std::string& html, std::string_view text) { return html.find(text) != std::string::npos; }

TEST(OrderPage, CarriesTheVersionsThatWereSeen) {
    const auto user = fakes::biologist();
    const auto html = order_page(fakes::frame(user), fakes::order_screen(), std::nullopt);
    EXPECT_TRUE(has(html, "<input type=\"hidden\" name=\"version\" value=\"4\">"));
    for (int id = 1; id <= 13; ++id) EXPECT_TRUE(has(html, "name=\"vu\" value=\"" + std::to_string(id) + "\"")) << id;
    EXPECT_TRUE(has(html, "name=\"csrf\" value=\"c0ffee\""));
}

TEST(OrderPage, SaysWhatIsMissingAndLetsItBeSignedAsPartialOnly) {
    const auto user = fakes::biologist();
    auto screen = fakes::order_screen();
    const auto partial = order_page(fakes::frame(user), screen, std::nullopt);
    EXPECT_TRUE(has(partial, "name=\"partiel\" value=\"1\" required")) << "he has to say so";
    EXPECT_TRUE(has(partial, "Signer un compte rendu partiel ; à venir : Ferritine"));
    EXPECT_TRUE(has(partial, "Valider ce qui est prêt"));
    screen.draft->pending.clear();
    const auto whole = order_page(fakes::frame(user), screen, std::nullopt);
    EXPECT_FALSE(has(whole, "partiel"));
    EXPECT_TRUE(has(whole, "Valider (technique et biologique)"));
    screen.draft->provisional = {"identification définitive (Cocci à Gram positif)"};
    const auto choice = order_page(fakes::frame(user), screen, std::nullopt);
    EXPECT_TRUE(has(choice, "name=\"partiel\" value=\"1\">")) << "as he likes";
    EXPECT_TRUE(has(choice, "Valider (technique et biologique)"));
}

domain::Judgement judgement(std::int64_t id, domain::RuleKind kind, domain::Verdict verdict, std::string reason) {
    domain::Judgement made;
    made.result = domain::ResultId{id};
    made.verdict = verdict;
    made.implausible = kind == domain::RuleKind::plausibility;
    made.critical = kind == domain::RuleKind::critical;
    made.findings.push_back({kind, 1, verdict, false, std::move(reason), {}});
    return made;
}

TEST(OrderPage, SaysWhatTheRulesSayByWordsAndNotByColourAlone) {
    const auto user = fakes::biologist();
    auto screen = fakes::order_screen();
    EXPECT_FALSE(has(order_page(fakes::frame(user), screen, std::nullopt), "Aide à la validation")) << "no rules in force";
    using enum domain::RuleKind;
    using enum domain::Verdict;
    std::vector<domain::Judgement> said;
    for (const auto& line : screen.draft->results) said.push_back(judgement(line.result.value(), delta, green, "Antériorité inconnue"));
    said[0] = judgement(1, delta, amber, "Écart de -3 g/dL");
    said[0].findings.push_back({reference, 1, amber, false, "Hors des valeurs de référence 12,0 à 16,0 de plus de 10 %", {}});
    said[7] = judgement(8, critical, red, "Valeur critique <6,2>");
    said[11] = judgement(12, coverage, amber, "Aucune règle ne porte sur cet examen");
    screen.draft->rules = RulesOpinion{3, "Règles d'essai", said};
    const auto html = order_page(fakes::frame(user), screen, std::nullopt);
    show("dossier-regles", html);
    EXPECT_TRUE(has(html, "Aide à la validation"));
    EXPECT_TRUE(has(html, "Règles d'essai, version 3") || has(html, "Règles d&#39;essai, version 3"));
    EXPECT_TRUE(has(html, "à regarder"));
    EXPECT_TRUE(has(html, "arrêt"));
    EXPECT_TRUE(has(html, "Écart de -3 g/dL")) << "the reason stands in the row";
    EXPECT_TRUE(has(html, "Valeur critique &lt;6,2&gt;"));
    EXPECT_TRUE(has(html, "title=\"Antériorité inconnue\""));
    EXPECT_TRUE(has(html, "appeler le prescripteur"));
    EXPECT_FALSE(has(html, "name=\"confirme\"")) << "nothing implausible";
}

TEST(OrderPage, HasAnImplausibleValueConfirmedWithAReason) {
    const auto user = fakes::biologist();
    auto screen = fakes::order_screen();
    screen.draft->rules =
        RulesOpinion{3, "Essai", {judgement(8, domain::RuleKind::plausibility, domain::Verdict::red, "Valeur invraisemblable")}};
    const auto html = order_page(fakes::frame(user), screen, std::nullopt);
    show("dossier-invraisemblable", html);
    EXPECT_TRUE(has(html, "name=\"confirme\" value=\"8\" required"));
    EXPECT_TRUE(has(html, "Je confirme Potassium 6,7 mmol/L"));
    EXPECT_TRUE(has(html, "name=\"motif-confirme\" maxlength=\"500\" required"));
}

TEST(OrderPage, AsksForAReasonOnlyWhereAReportedResultChanges) {
    const auto user = fakes::biologist();
    auto screen = fakes::order_screen();
    screen.order.state = domain::OrderState::partially_reported;
    store::ReportLine first;
    first.version = 1;
    first.state = "published";
    first.kind = "partial";
    screen.order.reports = {first};
    screen.draft->pending.clear();
    const auto completed = order_page(fakes::frame(user), screen, std::nullopt);
    EXPECT_TRUE(has(completed, "La version 2 le complète et le remplace"));
    EXPECT_FALSE(has(completed, "id=\"motif\""));
    EXPECT_TRUE(has(completed, "partielle"));
    screen.draft->needs_reason = true;
    EXPECT_TRUE(has(order_page(fakes::frame(user), screen, std::nullopt), "name=\"motif\""));
}

TEST(OrderPage, WhoMayNotSignSeesWhyAndNoButton) {
    const auto user = fakes::with_role(store::Role::technician);
    auto screen = fakes::order_screen();
    screen.may_validate = false;
    screen.why_not = "La validation est réservée aux biologistes médicaux de ce site.";
    const auto html = order_page(fakes::frame(user), screen, std::nullopt);
    EXPECT_FALSE(has(html, "/validation"));
    EXPECT_TRUE(has(html, "réservée aux biologistes"));
}

TEST(OrderPage, ShowsFlagsRangesPreviousAndWhatBlocks) {
    const auto user = fakes::biologist();
    const auto html = order_page(fakes::frame(user), fakes::order_screen(), std::nullopt);
    for (const auto* const text : {"critique haut", "▲▲ HH", "3,5 – 5,0", "04/09/2026", "G/L", "Aucune adresse MSSanté connue", "Le patient s&#39;est opposé",
                                   "code inconnu du catalogue", "Ferritine", "47 ans", "INS qualifiée", "&lt; 1,0"}) {
        EXPECT_TRUE(has(html, text)) << text;
    }
}

OrderScreen culture_screen() {
    auto screen = fakes::order_screen();
    screen.draft->results = fakes::culture();
    screen.draft->pending.clear();
    screen.order.results.clear();
    for (const auto& line : screen.draft->results) {
        store::KeptResult kept;
        kept.id = line.result;
        kept.code = line.reported.local_code;
        kept.known = true;
        kept.state = "raw";
        screen.order.results.push_back(kept);
    }
    return screen;
}

TEST(OrderPage, ShowsEachGermWithItsAntibiogramAndLetsTheOrderBeSigned) {
    const auto user = fakes::biologist();
    const auto html = order_page(fakes::frame(user), culture_screen(), std::nullopt);
    show("dossier-culture", html);
    for (const auto* const text : {"germe n° 1", "Escherichia coli", "germe n° 2", "Cocci à Gram positif", "identification provisoire", "UFC/mL", "&gt; 32",
                                   "Résistant", "Sensible à forte posologie", "Sensible", "non rendu", "Valider (technique et biologique)"})
        EXPECT_TRUE(has(html, text)) << text;
    EXPECT_FALSE(has(html, "Reçus, non rendus")) << "every line is shown where it belongs";
    for (int id = 21; id <= 29; ++id) EXPECT_TRUE(has(html, "name=\"vu\" value=\"" + std::to_string(id) + "\"")) << id;
    EXPECT_LT(html.find("Céfépime"), html.find("germe n° 2"));
}

TEST(OrderPage, SaysOfAGermOnceThatABiologistReadsIt) {
    const auto user = fakes::biologist();
    auto screen = culture_screen();
    RulesOpinion rules{3, "Essai", {}};
    for (const auto& line : screen.draft->results)
        rules.judgements.push_back(judgement(line.result.value(), domain::RuleKind::coverage, domain::Verdict::amber, "Culture : à lire par le biologiste"));
    rules.judgements.front() = judgement(21, domain::RuleKind::reference, domain::Verdict::green, "");
    screen.draft->rules = rules;
    const auto html = order_page(fakes::frame(user), screen, std::nullopt);
    show("dossier-culture-regles", html);
    std::size_t said = 0;
    for (auto at = html.find("Culture : à lire"); at != std::string::npos; at = html.find("Culture : à lire", at + 1)) ++said;
    EXPECT_EQ(said, 2U) << "two germs";
}

TEST(OrderPage, SaysThatAnIsolateHasNoName) {
    const auto user = fakes::biologist();
    auto screen = culture_screen();
    screen.draft->results.pop_back();
    screen.draft->results.push_back(fakes::culture_line(29, domain::ValueKind::antibiotic, "7#2", "Vancomycine", domain::Words{"S"}));
    EXPECT_TRUE(has(order_page(fakes::frame(user), screen, std::nullopt), "sans nom"));
}

TEST(OrderPage, ARefusedCommentIsKept) {
    const auto user = fakes::biologist();
    auto screen = fakes::order_screen();
    screen.changes = {"Résultat reçu ou corrigé depuis : Ferritine : 12"};
    screen.comment = "Anémie microcytaire";
    const auto html = order_page(fakes::frame(user), screen, std::nullopt);
    EXPECT_TRUE(has(html, "Rien n&#39;a été signé"));
    EXPECT_TRUE(has(html, ">Anémie microcytaire</textarea>"));
}

TEST(LettersPage, OnlyWhoMaySeesTheButtons) {
    store::Letters letters;
    letters.rows = {fakes::letter(4, domain::Channel::dmp, domain::LetterState::dead, domain::Reason::gave_up)};
    const auto operator_user = fakes::with_role(store::Role::it_operator);
    const auto technician = fakes::with_role(store::Role::technician);
    const auto elsewhere = fakes::with_role(store::Role::it_operator, fakes::south);
    EXPECT_TRUE(has(letters_page(fakes::frame(operator_user), letters, {}, std::nullopt), "/relancer"));
    EXPECT_TRUE(has(letters_page(fakes::frame(operator_user), letters, {}, std::nullopt), "/abandonner"));
    EXPECT_FALSE(has(letters_page(fakes::frame(technician), letters, {}, std::nullopt), "/relancer"));
    EXPECT_FALSE(has(letters_page(fakes::frame(elsewhere), letters, {}, std::nullopt), "/relancer"));
}

TEST(Words, AgesAreThoseOfALaboratory) {
    const auto at = *Timestamp::parse("20261121");
    const auto age_of = [&](std::string_view born) { return age(*Timestamp::parse(born), at); };
    EXPECT_EQ(age_of("19790328"), "47 ans");
    EXPECT_EQ(age_of("19791122"), "46 ans");
    EXPECT_EQ(age_of("1961"), "env. 65 ans");
    EXPECT_EQ(age_of("20260802"), "3 mois");
    EXPECT_EQ(age_of("20261119"), "2 jours");
    EXPECT_EQ(age_of("20270101"), "");
    EXPECT_EQ(age(std::nullopt, at), "");
}

TEST(Words, EveryKindOfWorkIsSaidInFrench) {
    for (const auto* const kind :
         {"unknown_code", "missing_code", "contradictory_code", "unit", "value", "no_value", "status", "unknown_flag", "late_result", "late_preliminary",
          "late_final", "quality_control", "misplaced_result", "unmatched", "ambiguous_number", "cancelled_order", "order_refused", "unknown_exam",
          "report_refused", "identity_mismatch", "two_patients", "duplicate_ins", "ins_invalid", "ins_environment", "ins_dropped", "traits_incomplete",
          "duplicate_traits", "duplicate_told", "collision_told", "identity_conflict", "identity_transition", "identity_changed",
          "identity_incomplete", "identity_unknown", "identifier_missing", "ins_lost", "ins_changed", "traits_changed",
          "merged_identifier", "merge_refused", "renumber_refused", "split_refused", "split_orders", "wrong_identity_documents",
          "dmp_opposed_late", "letters_held", "movement", "charset", "too_long", "unstorable"})
        EXPECT_NE(work_kind(kind), kind);
}

TEST(Words, DelaysAndIns) {
    using namespace std::chrono_literals;
    EXPECT_EQ(delay(4min + 59s), "4 min");
    EXPECT_EQ(delay(125min), "2 h 05");
    EXPECT_EQ(delay(50h), "2 j");
    EXPECT_EQ(delay(-5min), "0 min");
    EXPECT_EQ(grouped_ins("279035121518989"), "2\u00A079\u00A003\u00A051\u00A0215\u00A0189\u00A089");
}

TEST(Words, EveryStateAndFlagHasASignBesideItsColour) {
    for (const auto* const state : {"due", "sending", "retry", "in_doubt", "accepted", "delivered", "blocked", "not_applicable", "dead", "cancelled", "held"}) {
        const auto shown = mark(*domain::letter_state_of(state));
        EXPECT_FALSE(shown.sign.empty()) << state;
        EXPECT_FALSE(shown.words.empty()) << state;
    }
    for (const auto* const flag : {"L", "H", "LL", "HH", "A"}) EXPECT_FALSE(mark(*domain::flag_of(flag)).sign.empty()) << flag;
}

}  // namespace
}  // namespace sgl::web
