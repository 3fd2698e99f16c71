#include "test/lib/compose/sample_report.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace sgl::test {

namespace {

using domain::Flag;
using domain::ReportedResult;

Timestamp at(std::string_view text) { return Timestamp::parse(text).value(); }
Decimal number(std::string_view text) { return Decimal::parse(text).value(); }

domain::Value quantity(std::string_view value, std::string unit, domain::Comparator comparator = domain::Comparator::none) {
    return domain::Quantity{comparator, number(value), std::move(unit)};
}

domain::Range range(std::string_view low, std::string_view high) {
    domain::Range range;
    if (!low.empty()) range.low = number(low);
    if (!high.empty()) range.high = number(high);
    return range;
}

ReportedResult result(std::string code, std::string loinc, std::string label, std::string loinc_label, domain::Value value,
                      domain::Range reference, Flag flag, std::string specimen) {
    ReportedResult r;
    r.local_code = std::move(code);
    r.loinc = std::move(loinc);
    r.label = std::move(label);
    r.loinc_label = std::move(loinc_label);
    r.value = std::move(value);
    r.range = std::move(reference);
    r.flag = flag;
    r.specimen_number = std::move(specimen);
    r.measured_at = at("20260315101500+0100");
    return r;
}

ReportedResult with_previous(ReportedResult r, domain::Value value) {
    r.previous = domain::PreviousResult{std::move(value), at("20251202084000+0100")};
    return r;
}

ReportedResult with_method(ReportedResult r, std::string method) {
    r.method = std::move(method);
    return r;
}

ReportedResult with_comment(ReportedResult r, std::string comment) {
    r.comment = std::move(comment);
    return r;
}

domain::Professional biologist(std::string rpps, std::string given, std::string family) {
    domain::Professional p;
    p.rpps = domain::Rpps::parse(rpps).value();
    p.given = std::move(given);
    p.family = std::move(family);
    p.civility = "MME";
    p.title = "DR";
    p.speciality = {"G15_10/SM03", "Médecin - Biologie médicale (SM)"};
    p.phone = "0400000001";
    return p;
}

constexpr const char* blood = "2603150042-1";
constexpr const char* serum = "2603150042-2";

domain::ReportedChapter haematology() {
    domain::ReportedChapter c{"18723-7", "Hématologie", {}};
    const auto add = [&c](ReportedResult r) { c.results.push_back(with_method(std::move(r), "Cytométrie en flux, impédance")); };
    add(with_previous(result("GB", "6690-2", "Leucocytes", "Leucocytes [Nombre/Volume] Sang ; Numérique ; Comptage automate",
                             quantity("12.4", "10*9/L"), range("4.0", "10.0"), Flag::high, blood), quantity("8.1", "10*9/L")));
    add(with_previous(result("GR", "789-8", "Érythrocytes", "Érythrocytes [Nombre/Volume] Sang ; Numérique ; Comptage automate",
                             quantity("4.12", "10*12/L"), range("3.80", "5.30"), Flag::normal, blood), quantity("4.20", "10*12/L")));
    add(with_previous(result("HB", "718-7", "Hémoglobine", "Hémoglobine [Masse/Volume] Sang ; Numérique", quantity("6.8", "g/dL"),
                             range("11.5", "16.0"), Flag::critical_low, blood), quantity("11.9", "g/dL")));
    add(result("HT", "4544-3", "Hématocrite", "Hématocrite [Fraction volumique] Sang ; Numérique ; Comptage automate",
               quantity("21.3", "%"), range("34.0", "47.0"), Flag::low, blood));
    add(result("VGM", "30428-7", "Volume globulaire moyen",
               "Volume globulaire moyen [Volume d'entité] Erythrocytes ; Numérique ; Comptage automate", quantity("78.0", "fL"),
               range("80.0", "100.0"), Flag::low, blood));
    add(result("PLQ", "777-3", "Plaquettes", "Plaquettes [Nombre/Volume] Sang ; Numérique ; Comptage automate",
               quantity("312", "10*9/L"), range("150", "400"), Flag::normal, blood));
    c.results[2].comment = "Résultat contrôlé sur un second prélèvement, communiqué par téléphone au Dr MEUNIER le 15/03/2026 à 10:40.";
    return c;
}

domain::ReportedChapter coagulation() {
    domain::ReportedChapter c{"18720-3", "Hémostase, coagulation", {}};
    c.results.push_back(with_method(result("INR", "6301-6", "INR",
        "Temps de quick INR [Temps relatif] Plasma pauvre en plaquettes ; Numérique ; Coagulation", quantity("2.5", ""),
        domain::Range{}, Flag::none, blood), "Chronométrie"));
    return c;
}

domain::ReportedChapter biochemistry() {
    domain::ReportedChapter c{"18719-5", "Biochimie", {}};
    c.results.push_back(with_method(with_previous(result("GLU", "40193-5", "Glucose à jeun",
        "Glucose à jeun [Moles/Volume] Sérum/Plasma ; Numérique", quantity("5.0", "mmol/L"), range("3.9", "6.1"), Flag::normal, serum),
        quantity("5.3", "mmol/L")), "Hexokinase"));
    c.results.push_back(with_method(result("CREA", "14682-9", "Créatinine", "Créatinine [Moles/Volume] Sérum/Plasma ; Numérique",
        quantity("68", "umol/L"), range("45", "84"), Flag::normal, serum), "Enzymatique"));
    c.results.push_back(with_comment(with_method(result("TSH", "3016-3", "Thyréostimuline (TSH)",
        "Thyréostimuline [Arbitraire/Volume] Sérum/Plasma ; Numérique", quantity("0.01", "m[IU]/L", domain::Comparator::less),
        range("0.40", "4.00"), Flag::low, serum), "Électrochimiluminescence"), "À confronter à la T4 libre ; dosage d’anticorps anti-récepteurs à discuter."));
    c.results.push_back(result("ALAT", "1743-4", "Alanine aminotransférase (ALAT)",
        "Alanine aminotransférase [Catalytique/Volume] Sérum/Plasma ; Numérique ; Avec phosphate de pyridoxal",
        quantity("41", "[IU]/L"), range("", "35"), Flag::high, serum));
    // No LOINC code: leaves with the laboratory's own.
    c.results.push_back(result("ZINCX", "", "Indice hémolytique du sérum", "", quantity("12", "mg/L"), domain::Range{}, Flag::none, serum));
    return c;
}

domain::ReportedChapter microbiology() {
    domain::ReportedChapter c{"18725-2", "Microbiologie", {}};
    c.results.push_back(with_method(result("STREP", "78012-2", "Streptococcus pyogenes, antigène",
        "Streptococcus pyogenes Ag [Présence/Seuil] Gorge ; Qualitatif ; Immunoanalyse rapide",
        domain::Coded{"260373001", "2.16.840.1.113883.6.96", "Détecté"}, domain::Range{}, Flag::abnormal, blood), "Immunochromatographie"));
    c.results.push_back(result("ASPU", "5767-9", "Aspect des urines", "Aspect [Aspect] Urine ; Résultat nominal",
        domain::Coded{"", "", "Légèrement trouble"}, domain::Range{}, Flag::none, blood));
    c.results.push_back(result("GRAM", "653-6", "Examen direct après coloration de Gram",
        "Observation microscopique [Identification] Urine ; Résultat nominal ; Coloration Gram",
        domain::Words{"Rares cocci à Gram positif en chaînettes ; absence de bacilles à Gram négatif, quelques cellules épithéliales."},
        domain::Range{}, Flag::none, blood));
    return c;
}

}  // namespace

domain::Report sample_report() {
    domain::Report r;
    r.ids = domain::identify(domain::ReportSetId{Uuid::parse("018e4b5e-7a10-7c3f-9d21-5a6b7c8d9e0f").value()}, 1);
    r.order_number = "2603150042";
    r.placer_group = "RX-2026-001877";
    r.exams = {{"P-1", "NFS", "Numération formule sanguine"}, {"P-2", "INR", "INR"}, {"P-3", "GLU", "Glycémie à jeun"},
               {"P-4", "CREA", "Créatinine"}, {"P-5", "TSH", "TSH"}, {"P-6", "ALAT", "ALAT"}, {"P-7", "STREP", "Recherche de streptocoque A"},
               {"P-8", "ECBU", "Examen direct des urines"}};

    r.entity.id = domain::LegalEntityId{1};
    r.entity.finess = domain::Finess::parse("990000017").value();
    r.entity.name = "Laboratoire des Deux Rives";
    r.entity.legal_form = "SELAS au capital de 120 000 €";
    r.entity.oid = "1.2.250.1.213.99.4.1";
    r.entity.accreditation = "8-0001";
    r.entity.address = {{"4 quai des Lumières"}, "69002", "LYON", ""};
    r.entity.phone = "0400000000";
    r.entity.biologists_in_charge = {biologist("899900000025", "Claire", "FONTAINE"), biologist("899900000033", "Marc", "DELORME")};
    r.entity.biologists_in_charge[1].civility = "M";
    r.entity.biologists_in_charge[1].speciality = {"G15_21/G", "Pharmacien biologiste"};

    r.site.id = domain::SiteId{1};
    r.site.legal_entity = r.entity.id;
    r.site.finess = domain::Finess::parse("990000025").value();
    r.site.name = "Site Presqu’île";
    r.site.address = {{"12 rue de la République"}, "69002", "LYON", ""};
    r.site.phone = "0400000001";
    r.site.oid = "1.2.250.1.213.99.4.1.1";

    domain::Traits traits;
    traits.birth_name = "PAT-TROIS";
    traits.birth_given_names = "DOMINIQUE MARIE-LOUISE";
    traits.first_given_name = "DOMINIQUE";
    traits.used_name = "DURAND";
    traits.birth_date = at("19790328");
    traits.sex = domain::Sex::female;
    traits.birth_place = "63220";
    traits.address = {{"8 impasse des Tilleuls"}, "69003", "LYON", ""};
    traits.phone = "0600000000";
    r.patient.id = domain::PatientId{Uuid::parse("018e4b5e-7a10-7c3f-9d21-000000000001").value()};
    r.patient.local_id = "IPP0004711";
    r.patient.local_authority_oid = "1.2.250.1.213.99.4.1.1";
    r.patient.traits = Personal<domain::Traits>{traits};
    r.patient.ins = Personal<domain::Ins>{
        domain::Ins{domain::InsMatricule::parse("279035121518989").value(), std::string(domain::oid::ins_nir_test)}};
    r.patient.status = domain::IdentityStatus::qualified;

    r.prescriber.rpps = domain::Rpps::parse("899900000041").value();
    r.prescriber.given = "Paul";
    r.prescriber.family = "MEUNIER";
    r.prescriber.civility = "M";
    r.prescriber.title = "DR";
    r.prescriber.speciality = {"G15_10/SM26", "Médecin - Qualifié en Médecine Générale (SM)"};
    r.prescriber.address = {{"3 place du Marché"}, "69001", "LYON", ""};
    r.prescriber.phone = "0400000002";
    domain::Correspondent first{r.prescriber, "paul.meunier@medecin.mssante.example", "Cabinet du Marché", true};
    domain::Correspondent second;
    second.professional.rpps = domain::Rpps::parse("899900000058").value();
    second.professional.given = "Anne";
    second.professional.family = "LEROUX";
    second.professional.civility = "MME";
    second.professional.title = "DR";
    second.professional.speciality = {"G15_10", "Médecin"};
    second.mss_address = "anne.leroux@clinique.mssante.example";
    second.structure_name = "Clinique du Parc";
    r.correspondents = {first, second};

    r.collector.rpps = domain::Rpps::parse("899900000066").value();
    r.collector.given = "Julie";
    r.collector.family = "BERNARD";
    r.collector.civility = "MME";
    r.collector.speciality = {"G15_60", "Infirmier"};

    domain::Specimen one{domain::SpecimenId{}, blood, "BLDV", "Sang veineux", at("20260315081500+0100"), at("20260315090200+0100")};
    domain::Specimen two{domain::SpecimenId{}, serum, "SER", "Sérum", at("20260315081500+0100"), at("20260315090200+0100")};
    r.specimens = {one, two};
    r.prescribed_at = at("20260312");
    r.registered_at = at("20260315080500+0100");
    r.validated_at = at("20260315110230+0100");
    r.created_at = at("20260315110231+0100");
    r.validator = biologist("899900000017", "Hélène", "GARNIER");
    r.patient_class = "O";
    r.clinical_context = "Asthénie et pâleur depuis trois semaines ; traitement par lévothyroxine ; patiente à jeun depuis 12 heures.";
    r.comment = "Anémie microcytaire profonde, d’apparition récente (11,9 g/dL en décembre) : bilan martial et recherche d’un saignement "
                "conseillés. TSH effondrée sous lévothyroxine : adapter la posologie et contrôler dans six semaines.";
    r.chapters = {haematology(), coagulation(), biochemistry(), microbiology()};
    return r;
}

domain::Report sample_without_qualified_ins() {
    auto r = sample_report();
    r.patient.status = domain::IdentityStatus::validated;
    return r;
}

domain::Report sample_second_version() {
    auto r = sample_report();
    r.ids = domain::identify(r.ids.set, 2);
    r.validated_at = at("20260316090000+0100");
    r.created_at = at("20260316090001+0100");
    return r;
}

domain::Report sample_short_report() {
    auto r = sample_report();
    r.exams = {{"P-3", "GLU", "Glycémie à jeun"}, {"P-4", "CREA", "Créatinine"}, {"P-5", "TSH", "TSH"}, {"P-6", "ALAT", "ALAT"}};
    r.specimens.erase(r.specimens.begin());
    r.comment.clear();
    r.chapters = {biochemistry()};
    return r;
}

domain::Report sample_long_report(unsigned count) {
    auto r = sample_report();
    const std::array<std::pair<const char*, const char*>, 6> chapters{{{"18723-7", "Hématologie"}, {"18719-5", "Biochimie"},
        {"18720-3", "Hémostase, coagulation"}, {"92895-2", "Endocrinologie"}, {"18727-8", "Auto-immunité"}, {"18716-1", "Allergie"}}};
    const std::array<ReportedResult, 14> models = [] {
        const auto h = haematology().results;
        const auto b = biochemistry().results;
        const auto m = microbiology().results;
        return std::array<ReportedResult, 14>{h[0], h[1], h[2], h[3], h[4], h[5], b[0], b[1], b[2], b[3], b[4], m[0], m[1], m[2]};
    }();
    r.chapters.clear();
    for (unsigned i = 0; i < count; ++i) {
        const std::size_t chapter = std::size_t{i} * chapters.size() / count;
        if (chapter == r.chapters.size()) r.chapters.push_back({chapters[chapter].first, chapters[chapter].second, {}});
        auto one = models[i % models.size()];
        one.local_code += fmt::format("-{}", i + 1);
        one.label += fmt::format(" – épreuve {}", i + 1);
        r.chapters.back().results.push_back(std::move(one));
    }
    return r;
}

}  // namespace sgl::test
