#include "test/lib/compose/golden_reports.hpp"

#include <optional>
#include <tuple>
#include <utility>

#include "test/lib/compose/sample_report.hpp"

namespace sgl::test {

namespace {

using domain::Comparator;
using domain::Flag;
using domain::Report;
using domain::ReportedChapter;
using domain::ReportedIsolate;
using domain::ReportedResult;
using domain::Susceptible;
using domain::Value;

constexpr std::string_view snomed = "2.16.840.1.113883.6.96";
constexpr const char* urine = "2603150042-5";

Timestamp at(std::string_view text) {
    return Timestamp::parse(text).value();
}

Value quantity(std::string_view number, std::string unit, Comparator comparator = Comparator::none) {
    return domain::Quantity{comparator, Decimal::parse(number).value(), std::move(unit)};
}
Value words(std::string text) {
    return domain::Words{std::move(text)};
}
Value coded(std::string code, std::string display) {
    return domain::Coded{std::move(code), std::string(snomed), std::move(display)};
}
Value named(std::string display) {
    return domain::Coded{{}, {}, std::move(display)};
}

domain::Range between(std::string_view low, std::string_view high) {
    domain::Range range;
    if (!low.empty()) range.low = Decimal::parse(low).value();
    if (!high.empty()) range.high = Decimal::parse(high).value();
    return range;
}

/// Without LOINC code: leaves with the laboratory's own.
ReportedResult local(std::string code, std::string label, Value value, Flag flag = Flag::none) {
    ReportedResult result;
    result.local_code = std::move(code);
    result.label = std::move(label);
    result.value = std::move(value);
    result.flag = flag;
    result.specimen_number = urine;
    result.measured_at = at("20260315101500+0100");
    return result;
}
ReportedResult loinc(std::string code, std::string loinc, std::string label, std::string loinc_label, Value value,
                     Flag flag = Flag::none) {
    auto result = local(std::move(code), std::move(label), std::move(value), flag);
    result.loinc = std::move(loinc);
    result.loinc_label = std::move(loinc_label);
    return result;
}

// ------------------------------------------------------------------------------------------------------------ cultures

ReportedResult antibiotic(std::string code, std::string label, std::optional<Value> value,
                          std::optional<Susceptible> answer) {
    auto line =
        local(std::move(code), std::move(label), value.value_or(words(std::string(answer ? to_string(*answer) : ""))));
    line.susceptible = answer;
    line.measured_at = at("20260316091000+0100");
    return line;
}

ReportedIsolate isolate(std::string number, Value germ) {
    ReportedIsolate isolate;
    isolate.number = "2603150042-M#" + std::move(number);
    isolate.organism = loinc("GERME", "630-4", "Germe identifié",
                             "Bactérie [Identification] Urine ; Résultat nominal ; Culture", std::move(germ));
    isolate.organism.measured_at = at("20260316091000+0100");
    return isolate;
}

ReportedResult count(std::string_view number, Comparator comparator = Comparator::none) {
    return local("NUMG", "Numération", quantity(number, "{CFU}/mL", comparator));
}

ReportedIsolate coli() {
    using enum Susceptible;
    auto made = isolate("1", coded("112283007", "Escherichia coli"));
    made.findings = {count("100000", Comparator::greater_or_equal)};
    const auto less = Comparator::less_or_equal;
    made.antibiogram = {
        antibiotic("AMX", "Amoxicilline", quantity("32", "mg/L", Comparator::greater), resistant),
        antibiotic("AMC", "Amoxicilline + acide clavulanique", quantity("8", "mg/L"), standard),
        antibiotic("TIC", "Ticarcilline", quantity("128", "mg/L", Comparator::greater), resistant),
        antibiotic("CFM", "Céfixime", quantity("0.25", "mg/L", less), standard),
        antibiotic("CTX", "Céfotaxime", quantity("0.25", "mg/L", less), standard),
        antibiotic("FEP", "Céfépime", quantity("2", "mg/L"), increased_exposure),
        antibiotic("ETP", "Ertapénème", quantity("0.12", "mg/L", less), standard),
        antibiotic("GEN", "Gentamicine", quantity("1", "mg/L", less), standard),
        antibiotic("OFX", "Ofloxacine", quantity("0.5", "mg/L"), increased_exposure),
        antibiotic("CIP", "Ciprofloxacine", quantity("0.5", "mg/L"), increased_exposure),
        antibiotic("SXT", "Triméthoprime + sulfaméthoxazole", quantity("320", "mg/L", Comparator::greater_or_equal),
                   resistant),
        antibiotic("FT", "Nitrofurantoïne", std::nullopt, standard),
        antibiotic("FOS", "Fosfomycine", quantity("16", "mg/L", less), standard),
        antibiotic("MEC", "Mécillinam", quantity("22", "mm"), standard),
    };
    made.antibiogram[1].comment = "Concentration critique des cystites.";
    return made;
}

ReportedIsolate faecalis() {
    using enum Susceptible;
    auto made = isolate("2", named("Enterococcus faecalis"));
    made.findings = {count("10000")};
    made.antibiogram = {
        antibiotic("AMX", "Amoxicilline", quantity("2", "mg/L", Comparator::less_or_equal), standard),
        antibiotic("VAN", "Vancomycine", quantity("19", "mm"), standard),
        antibiotic("FT", "Nitrofurantoïne", std::nullopt, standard),
        antibiotic("LNZ", "Linézolide", quantity("2", "mg/L"), std::nullopt),
    };
    return made;
}

ReportedChapter urine_culture() {
    ReportedChapter chapter;
    chapter.code = "18725-2";
    chapter.label = "Microbiologie";
    auto leucocytes = loinc("LEUU", "30405-5", "Leucocytes", "Leucocytes [Nombre/Volume] Urine ; Numérique",
                            quantity("150000", "/mL"), Flag::high);
    leucocytes.range = between("", "10000");
    leucocytes.method = "Cytométrie en flux";
    auto cells = local("HEMU", "Hématies", quantity("5000", "/mL", Comparator::less));
    cells.method = "Cytométrie en flux";
    auto gram = loinc("GRAM", "653-6", "Examen direct après coloration de Gram",
                      "Observation microscopique [Identification] Urine ; Résultat nominal ; Coloration Gram",
                      words("Nombreux bacilles à Gram négatif"));
    chapter.results = {leucocytes, cells, gram};
    return chapter;
}

/// The sample's order, with an urine and nothing but its culture.
Report culture(ReportedChapter chapter) {
    auto report = sample_report();
    report.exams = {{"P-8", "ECBU", "Examen cytobactériologique des urines"}};
    report.specimens = {domain::Specimen{domain::SpecimenId{}, urine, "URINM", "Urine milieu de jet",
                                         at("20260315073000+0100"), at("20260315090200+0100")}};
    report.validated_at = at("20260316110230+0100");
    report.created_at = at("20260316110231+0100");
    report.clinical_context = "Brûlures mictionnelles depuis deux jours, pas de fièvre ; pas d’antibiotique reçu.";
    report.comment.clear();
    report.chapters = {std::move(chapter)};
    return report;
}

Report sterile() {
    auto chapter = urine_culture();
    auto& leucocytes = chapter.results[0];
    leucocytes.value = quantity("1000", "/mL", Comparator::less);
    leucocytes.flag = Flag::normal;
    chapter.results[2].value = words("Absence de germe");
    chapter.results.push_back(loinc("GERME", "630-4", "Culture",
                                    "Bactérie [Identification] Urine ; Résultat nominal ; Culture",
                                    named("Absence de culture après 48 heures"), Flag::normal));
    return culture(std::move(chapter));
}

Report one_germ() {
    auto chapter = urine_culture();
    chapter.isolates = {coli()};
    auto report = culture(std::move(chapter));
    report.comment = "Cystite à E. coli : fosfomycine-trométamol en première intention.";
    return report;
}

Report two_germs() {
    auto chapter = urine_culture();
    chapter.isolates = {coli(), faecalis()};
    chapter.isolates[1].organism.comment = "Numération faible : contamination possible.";
    return culture(std::move(chapter));
}

Report esbl() {
    auto chapter = urine_culture();
    auto germ = coli();
    auto marker = local("BLSE", "Bêta-lactamase à spectre étendu (BLSE)", named("Positif"), Flag::abnormal);
    marker.comment = "Bactérie multirésistante : précautions complémentaires d’hygiène.";
    germ.findings.push_back(marker);
    for (auto& line : germ.antibiogram) {
        if (line.local_code != "CTX" && line.local_code != "CFM" && line.local_code != "FEP") continue;
        line.value = quantity("64", "mg/L", Comparator::greater);
        line.susceptible = Susceptible::resistant;
    }
    chapter.isolates = {germ};
    return culture(std::move(chapter));
}

Report blood(Report report, std::string culture_result) {
    report.exams = {{"P-9", "HEMOC", "Hémocultures"}};
    report.specimens = {domain::Specimen{domain::SpecimenId{}, urine, "BLDV", "Sang veineux", at("20260315073000+0100"),
                                         at("20260315090200+0100")}};
    report.clinical_context = "Fièvre à 39,5 °C, frissons ; porteuse d’une chambre implantable.";
    report.patient_class = "I";
    auto& chapter = report.chapters[0];
    chapter.results = {local("FLAC1", "Flacon aérobie", words(std::move(culture_result))),
                       local("FLAC2", "Flacon anaérobie", words("Négatif à ce jour"))};
    return report;
}

Report mrsa() {
    using enum Susceptible;
    auto report = blood(culture(urine_culture()), "Positif en 14 heures");
    auto germ = isolate("1", coded("3092008", "Staphylococcus aureus"));
    germ.findings = {local("SARM", "Résistance à la méticilline (SARM)", named("Positif"), Flag::abnormal)};
    germ.antibiogram = {antibiotic("OXA", "Oxacilline", quantity("4", "mg/L", Comparator::greater_or_equal), resistant),
                        antibiotic("FOX", "Céfoxitine", quantity("14", "mm"), resistant),
                        antibiotic("VAN", "Vancomycine", quantity("1", "mg/L"), standard),
                        antibiotic("GEN", "Gentamicine", std::nullopt, standard),
                        antibiotic("CLI", "Clindamycine", std::nullopt, resistant),
                        antibiotic("RIF", "Rifampicine", quantity("0.03", "mg/L", Comparator::less_or_equal), standard),
                        antibiotic("DAP", "Daptomycine", quantity("0.5", "mg/L"), standard),
                        antibiotic("CPT", "Ceftaroline", quantity("1", "mg/L"), increased_exposure)};
    report.chapters[0].isolates = {germ};
    report.comment = "Résultat transmis par téléphone au service le 16/03/2026 à 09:30.";
    return report;
}

Report partial_culture() {
    auto report = blood(culture(urine_culture()), "Positif en 14 heures");
    report.kind = domain::ReportKind::partial;
    report.awaited = {{"identification définitive (Cocci à Gram positif en amas)", report.chapters[0].code, "HEMOC"}};
    auto germ = isolate("1", named("Cocci à Gram positif en amas"));
    germ.preliminary = true;
    report.chapters[0].isolates = {germ};
    return report;
}

Report final_culture() {
    auto report = mrsa();
    report.ids = domain::identify(report.ids.set, 2);
    report.replaces = domain::Replaced{domain::ReportKind::partial, at("20260316093000+0100"), false};
    report.validated_at = at("20260318093000+0100");
    report.created_at = at("20260318093001+0100");
    return report;
}

Report yeast() {
    auto chapter = urine_culture();
    auto germ = isolate("1", coded("53326005", "Candida albicans"));
    germ.findings = {count("1000")};
    chapter.isolates = {germ};
    return culture(std::move(chapter));
}

/// Letters that are neither S, I nor R.
Report rare_letters() {
    using enum Susceptible;
    auto chapter = urine_culture();
    auto germ = isolate("1", coded("112283007", "Escherichia coli"));
    germ.antibiogram = {
        antibiotic("FEP", "Céfépime", quantity("4", "mg/L"), dose_dependent),
        antibiotic("COL", "Colistine", quantity("0.5", "mg/L", Comparator::less_or_equal), non_susceptible),
        antibiotic("TGC", "Tigécycline", std::nullopt, unclear),
        antibiotic("AZM", "Azithromycine", quantity("4", "mg/L"), std::nullopt)};
    chapter.isolates = {germ};
    return culture(std::move(chapter));
}

// ------------------------------------------------------------------------------------------------------- other results

Report of(std::vector<ReportedResult> results, const char* code = "18719-5", const char* label = "Biochimie") {
    auto report = sample_short_report();
    for (auto& result : results)
        result.specimen_number = report.specimens.front().number;
    ReportedChapter chapter;
    chapter.code = code;
    chapter.label = label;
    chapter.results = std::move(results);
    report.chapters = {std::move(chapter)};
    return report;
}

Report numbers() {
    auto below = local("CRP", "Protéine C réactive", quantity("1.0", "mg/L", Comparator::less), Flag::normal);
    below.range = between("", "5.0");
    auto above = local("FERR", "Ferritine", quantity("2000", "ug/L", Comparator::greater), Flag::high);
    above.range = between("15", "200");
    return of({below, above, local("NTB", "NT-proBNP", quantity("35", "ng/L", Comparator::less_or_equal)),
               local("HCG", "hCG", quantity("225000", "[IU]/L", Comparator::greater_or_equal)),
               local("INR", "INR", quantity("2.50", "")),
               local("RAC", "Rapport albumine/créatinine", quantity("3.0", "mg/mmol")),
               local("DFG", "DFG estimé (CKD-EPI)", quantity("92", "mL/min/{1.73_m2}")),
               local("RATIO", "Rapport kappa/lambda", quantity("1.20", "{ratio}")),
               local("CV", "Charge virale VIH-1", quantity("20", "{copies}/mL", Comparator::less)),
               local("PH", "pH urinaire", quantity("6.0", "[pH]")), local("DENS", "Densité", quantity("1.015", ""))});
}

Report titres() {
    auto tpha = local("TPHA", "TPHA", words("1/80"), Flag::abnormal);
    auto vdrl = local("VDRL", "VDRL", words("< 1/2"));
    vdrl.previous = domain::PreviousResult{words("1/4"), at("20251202084000+0100")};
    return of({tpha, vdrl, local("PROT", "Protéinurie (bandelette)", words("++"), Flag::abnormal),
               local("CRIST", "Leucocytes à l’état frais", words("5-10 /champ")),
               local("ANA", "Anticorps antinucléaires", named("Positif, aspect moucheté"), Flag::abnormal)},
              "92894-5", "Sérologie bactérienne");
}

Report previous_results() {
    auto report = sample_short_report();
    auto& results = report.chapters[0].results;
    results[1].previous = domain::PreviousResult{quantity("72", "umol/L"), at("20240229080000+0100")};
    results[2].previous =
        domain::PreviousResult{quantity("0.02", "m[IU]/L", Comparator::less), at("20251202084000+0100")};
    return report;
}

/// Ten previous results: every four months, the newest first.
void with_history(ReportedResult& result, const std::vector<std::string_view>& values, const std::string& unit) {
    int month = 11;
    int year = 2025;
    for (const auto value : values) {
        const domain::PreviousResult before{quantity(value, unit), at(std::to_string(year) + (month < 10 ? "0" : "") +
                                                                      std::to_string(month) + "12081500+0100")};
        if (result.previous)
            result.earlier.push_back(before);
        else
            result.previous = before;
        month -= 4;
        if (month < 1) month += 12, --year;
    }
}

Report history() {
    auto report = sample_short_report();
    auto& results = report.chapters[0].results;
    results[0].previous.reset();
    with_history(results[0], {"5.3", "5.8", "6.4"}, "mmol/L");
    with_history(results[1], {"70", "72", "69", "75", "81", "80", "78", "74", "71", "66"}, "umol/L");
    with_history(results[2], {"0.02", "0.80", "2.10", "4.60"}, "m[IU]/L");
    with_history(results[3], {"38", "112", "240", "33"}, "[IU]/L");
    with_history(results[4], {"11", "13"}, "mg/L");
    return report;
}

/// Haematology with the blood count apart from what else is asked, biochemistry of two parts.
Report sub_chapters() {
    auto report = sample_report();
    auto& blood = report.chapters[0];
    for (auto& result : blood.results)
        result.sub_chapter = {"18768-2", "Hémogramme"};
    auto& rate = blood.results.emplace_back(loinc(
        "VS", "4537-7", "Vitesse de sédimentation",
        "Vitesse de sédimentation [Longueur/Temps] Sang ; Numérique ; Westergren", quantity("24", "mm/h"), Flag::high));
    rate.range = between("", "20");
    rate.specimen_number = report.specimens[0].number;
    auto& chemistry = report.chapters[2];
    chemistry.results[2].sub_chapter = {"92895-2", "Endocrinologie"};
    chemistry.results[4].sub_chapter = {{}, "Qualité du prélèvement"};
    return report;
}

Report sub_chapters_with_culture() {
    auto report = two_germs();
    auto& chapter = report.chapters[0];
    chapter.results[0].sub_chapter = chapter.results[1].sub_chapter = {{}, "Cytologie urinaire"};
    chapter.results[2].sub_chapter = {{}, "Bactériologie"};
    for (auto& isolate : chapter.isolates)
        isolate.organism.sub_chapter = {{}, "Bactériologie"};
    return report;
}

Report not_done() {
    auto report = sample_short_report();
    auto& potassium = report.chapters[0].results[3];
    potassium.not_done = true;
    potassium.value = words("Non réalisé");
    potassium.range = {};
    potassium.flag = Flag::none;
    potassium.comment = "Prélèvement hémolysé : examen impossible.";
    return report;
}

Report with(void (*change)(Report&)) {
    auto report = sample_short_report();
    change(report);
    return report;
}

Report several_validators() {
    auto report = sample_report();
    domain::Professional other = report.entity.biologists_in_charge[0];
    report.chapters[0].validation = domain::Validation{other, at("20260315104500+0100")};
    report.chapters[1].validation = domain::Validation{other, at("20260315105000+0100")};
    return report;
}

Report with_comments() {
    auto report = sample_short_report();
    report.chapters[0].results[0].comment =
        "Première ligne d’un commentaire.\nSeconde ligne : seuil < 7 mmol/L & suivi.";
    report.comment = "Interprétation sur\nplusieurs lignes.";
    return report;
}

Report units() {
    return of({local("PO2", "pO2", quantity("12.5", "kPa")), local("PCO2", "pCO2", quantity("38", "mm[Hg]")),
               local("VS", "Vitesse de sédimentation", quantity("12", "mm/h")),
               local("OSM", "Osmolalité", quantity("290", "mosm/kg")),
               local("HBA", "HbA1c", quantity("42", "mmol/mol")), local("HBP", "HbA1c", quantity("6.0", "%")),
               local("GB", "Leucocytes", quantity("6.20", "10*9/L")), local("VGM", "VGM", quantity("89", "fL")),
               local("TSH", "TSH", quantity("1.20", "m[IU]/L")),
               local("VITD", "25-OH vitamine D", quantity("75", "nmol/L")), local("CK", "CK", quantity("120", "U/L"))});
}

}  // namespace

domain::Report long_culture(unsigned antibiotics) {
    auto chapter = urine_culture();
    for (unsigned germ = 1; germ <= 3; ++germ) {
        auto made = isolate(std::to_string(germ), named("Germe " + std::to_string(germ)));
        made.findings = {count("1000")};
        for (unsigned i = 0; i < antibiotics; ++i)
            made.antibiogram.push_back(antibiotic("A" + std::to_string(i), "Antibiotique " + std::to_string(i + 1),
                                                  quantity("0.25", "mg/L"), Susceptible::standard));
        chapter.isolates.push_back(std::move(made));
    }
    return culture(std::move(chapter));
}

std::vector<GoldenReport> golden_reports() {
    std::vector<GoldenReport> all;
    const auto add = [&](const char* name, const char* about, Report report) {
        all.push_back({name, about, std::move(report)});
    };
    add("culture_sterile", "ECBU : rien n’a poussé, la culture est un résultat comme un autre", sterile());
    add("culture_one_germ", "ECBU : un germe codé, numération, antibiogramme par CMI, par diamètre et par lettre seule",
        one_germ());
    add("culture_two_germs", "ECBU : deux germes, le second sans code SNOMED CT", two_germs());
    add("culture_esbl", "ECBU : germe producteur d’une BLSE", esbl());
    add("culture_mrsa", "Hémoculture : SARM", mrsa());
    add("culture_partial", "Hémoculture partielle : identification provisoire, sans antibiogramme", partial_culture());
    add("culture_final", "Le compte rendu définitif qui remplace le partiel", final_culture());
    add("culture_yeast", "ECBU : une levure, sans antibiogramme", yeast());
    add("culture_rare_letters", "Antibiogramme avec SDD, NS, IE, et une CMI sans interprétation", rare_letters());
    {
        auto report = one_germ();
        auto& chapter = report.chapters[0];
        chapter.code = "859127";
        chapter.label = "Examens sur selles";
        report.specimens[0].type = "STL";
        report.specimens[0].type_label = "Selles";
        report.exams = {{"P-8", "COPRO", "Coproculture"}};
        chapter.results = {local("COPRO", "Aspect", words("Liquide"))};
        chapter.isolates[0].organism.value = coded("27268008", "Salmonella");
        add("culture_stool", "Coproculture, dans un chapitre dont le code est national", std::move(report));
    }
    {
        auto report = one_germ();
        for (auto& line : report.chapters[0].isolates[0].antibiogram) {
            line.value = quantity("21", "mm");
            line.method = "Diffusion en gélose";
        }
        add("culture_by_diffusion", "Antibiogramme par diffusion : des diamètres, et la méthode", std::move(report));
    }
    {
        auto report = esbl();
        report.chapters[0].isolates[0].findings[1].value = named("Négatif");
        report.chapters[0].isolates[0].findings[1].flag = Flag::normal;
        report.chapters[0].isolates[0].findings[1].comment.clear();
        add("culture_negative_marker", "Recherche de BLSE négative", std::move(report));
    }
    {
        auto report = two_germs();
        for (int i = 3; i <= 12; ++i) {
            auto more = isolate(std::to_string(i), named("Bacille à Gram négatif, morphotype " + std::to_string(i)));
            more.preliminary = i > 6;
            report.chapters[0].isolates.push_back(std::move(more));
        }
        add("culture_twelve_germs", "Douze morphotypes, dans l’ordre de leurs numéros", std::move(report));
    }
    {
        auto report = one_germ();
        report.ids = domain::identify(report.ids.set, 3);
        report.chapters[0].isolates[0].antibiogram[4].susceptible = Susceptible::resistant;
        report.chapters[0].isolates[0].antibiogram[4].comment = "Corrigé : S dans la version 2.";
        add("culture_corrected", "Version 3 : une interprétation de l’antibiogramme est corrigée", std::move(report));
    }
    {
        auto report = two_germs();
        auto second = report.specimens[0];
        second.number = "2603150042-6";
        second.type = "URT";
        second.type_label = "Urine par sonde";
        report.specimens.push_back(second);
        report.chapters[0].isolates[1].organism.specimen_number = second.number;
        add("culture_two_specimens", "Deux prélèvements, chacun avec son germe", std::move(report));
    }
    {
        auto report = sample_report();
        report.chapters.push_back(one_germ().chapters[0]);
        report.chapters.back().code = "18729-4";
        report.chapters.back().label = "Examens urinaires";
        report.specimens.push_back(one_germ().specimens[0]);
        add("culture_beside_other_chapters", "Une culture parmi d’autres chapitres, sur plusieurs pages",
            std::move(report));
    }
    add("sample", "Quatre chapitres : numérique, codé, texte, antériorités, commentaires", sample_report());
    add("short", "Un chapitre, une page", sample_short_report());
    add("without_qualified_ins", "Identité non qualifiée : aucun INS", sample_without_qualified_ins());
    add("second_version", "Version 2, annule et remplace la version 1", sample_second_version());
    add("numbers", "Bornes, sans unité, rapports, {ratio}, {copies}/mL, /1,73 m²", numbers());
    add("titres", "Titres, grades, intervalles : du texte, jamais un nombre", titres());
    add("units", "Unités UCUM et leur habit français", units());
    add("previous_results", "Antériorités datées, comparables seulement", previous_results());
    add("third_version", "Version 3", with([](Report& r) { r.ids = domain::identify(r.ids.set, 3); }));
    add("final_after_partial", "Le définitif qui remplace un partiel", with([](Report& r) {
            r.ids = domain::identify(r.ids.set, 2);
            r.replaces = domain::Replaced{domain::ReportKind::partial, at("20260315103000+0100"), false};
            r.comment =
                "Complète et remplace le compte rendu partiel (version 1) validé le 15/03/2026 à 10:30.\n"
                "Résultats ajoutés : Créatinine 68 µmol/L ; Alanine aminotransférase (ALAT) 41 UI/L.";
        }));
    add("corrected_partial", "Un partiel qui en remplace un autre et en corrige un résultat", with([](Report& r) {
            r.ids = domain::identify(r.ids.set, 2);
            r.kind = domain::ReportKind::partial;
            r.awaited = {{"Ferritine", r.chapters[0].code, "FERR"}};
            r.replaces = domain::Replaced{domain::ReportKind::partial, at("20260315103000+0100"), false};
            r.chapters[0].results[0].corrected = true;
            r.comment =
                "Annule et remplace le compte rendu partiel (version 1) validé le 15/03/2026 à 10:30.\n"
                "Motif : Dosage refait\nRésultat corrigé : Glucose à jeun 5,0 mmol/L (au lieu de 50 mmol/L).";
        }));
    {
        auto report = sample_report();
        report.kind = domain::ReportKind::partial;
        const auto& chapter = report.chapters.back().code;
        report.awaited = {{"Vitamine D (25-OH)", chapter, "VITD"}, {"Parathormone intacte", chapter, "PTH"}};
        add("partial_in_one_chapter", "Partiel : un seul des chapitres attend encore des résultats", std::move(report));
    }
    add("partial_with_a_long_list", "Partiel : beaucoup d’examens restent à venir, sur plusieurs lignes",
        with([](Report& r) {
            r.kind = domain::ReportKind::partial;
            for (int i = 1; i <= 24; ++i)
                r.awaited.push_back({"Recherche d’auto-anticorps spécifiques, lot " + std::to_string(i), "", "AAC"});
        }));
    add("partial_after_a_final", "Un définitif est parti, un résultat est retiré et attendu de nouveau",
        with([](Report& r) {
            r.ids = domain::identify(r.ids.set, 3);
            r.kind = domain::ReportKind::partial;
            r.awaited = {{"Potassium", r.chapters[0].code, "K"}};
            r.replaces = domain::Replaced{domain::ReportKind::final, at("20260315103000+0100"), true};
            r.comment =
                "Annule et remplace la version 2 validée le 15/03/2026 à 10:30.\nMotif : Tube hémolysé\n"
                "Résultat retiré : Potassium 6,9 mmol/L.";
        }));
    add("critical_values", "Valeurs critiques haute et basse", with([](Report& r) {
            r.chapters[0].results[0].flag = Flag::critical_high;
            r.chapters[0].results[1].flag = Flag::critical_low;
        }));
    add("long_text", "Un résultat de plusieurs lignes de texte", with([](Report& r) {
            std::string text;
            for (int i = 1; i <= 30; ++i)
                text += "Ligne " + std::to_string(i) + " de la description.\n";
            text.pop_back();
            r.chapters[0].results[4].value = words(text);
        }));
    add("performed_elsewhere",
        "Deux résultats d’un laboratoire de seconde intention, avec sa méthode et ses valeurs de référence",
        with([](Report& r) {
            auto& results = r.chapters[0].results;
            for (std::size_t i : {std::size_t{2}, std::size_t{3}}) {
                results[i].performer = domain::Performer{"Laboratoire spécialisé des Essais", "990000033"};
                results[i].method = "Chimiluminescence";
                results[i].range = {};
                results[i].range_text = i == 2 ? "0,35 à 4,50" : "jusqu’à 35, selon l’âge";
            }
        }));
    add("performed_elsewhere_without_number",
        "Un laboratoire de seconde intention dont le FINESS est inconnu : nommé en commentaire", with([](Report& r) {
            r.chapters[0].results[1].performer = domain::Performer{"Laboratoire d’outre-mer", "LAB7"};
        }));
    add("single_result", "Un seul résultat", with([](Report& r) { r.chapters[0].results.resize(1); }));
    add("history",
        "Antériorités de plusieurs années : toutes datées, et leur petite courbe dans le PDF dès trois valeurs",
        history());
    add("sub_chapters", "Sous-chapitres : l’hémogramme à part, un sous-chapitre sans code, le reste dans le chapitre",
        sub_chapters());
    add("sub_chapters_with_culture", "Sous-chapitres d’une culture : cytologie, puis bactériologie avec ses germes",
        sub_chapters_with_culture());
    add("not_done", "Examen demandé et non réalisé, avec sa raison", not_done());
    add("several_validators", "Deux chapitres validés par une autre biologiste", several_validators());
    add("comments", "Commentaires sur plusieurs lignes, à chaque niveau", with_comments());
    add("partial", "Compte rendu partiel", with([](Report& r) {
            r.kind = domain::ReportKind::partial;
            r.awaited = {{"Ferritine", r.chapters[0].code, "FERR"}, {"Transferrine", r.chapters[0].code, "TRSF"}};
        }));
    add("non_conformity", "Non-conformité d’un prélèvement", with([](Report& r) {
            r.non_conformities = {"Tube de sérum insuffisamment rempli : résultats rendus sous réserve."};
        }));
    add("born_abroad", "Née à l’étranger : code INSEE du pays",
        with([](Report& r) { r.patient.traits.reveal().birth_place = "99351"; }));
    add("born_in_corsica", "Née en Corse : code INSEE avec une lettre",
        with([](Report& r) { r.patient.traits.reveal().birth_place = "2A004"; }));
    add("unknown_sex", "Sexe inconnu, identité non qualifiée", with([](Report& r) {
            r.patient.status = domain::IdentityStatus::provisional;
            r.patient.traits.reveal().sex = domain::Sex::unknown;
        }));
    add("male", "Un homme, sans nom utilisé", with([](Report& r) {
            r.patient.status = domain::IdentityStatus::provisional;
            auto& traits = r.patient.traits.reveal();
            traits.sex = domain::Sex::male;
            traits.used_name.clear();
            traits.first_given_name = "ALEX";
            traits.birth_given_names = "ALEX";
        }));
    add("newborn", "Un nouveau-né de deux jours, nom de naissance seul", with([](Report& r) {
            r.patient.status = domain::IdentityStatus::provisional;
            auto& traits = r.patient.traits.reveal();
            traits.birth_date = at("20260313");
            traits.used_name.clear();
            traits.birth_given_names.clear();
        }));
    for (const auto& [name, about, zone] :
         {std::tuple{"overseas_guadeloupe", "Guadeloupe : heures locales, UTC-4", "America/Guadeloupe"},
          std::tuple{"overseas_reunion", "La Réunion : UTC+4", "Indian/Reunion"},
          std::tuple{"overseas_polynesia", "Polynésie française : UTC-10", "Pacific/Tahiti"},
          std::tuple{"overseas_new_caledonia", "Nouvelle-Calédonie : UTC+11", "Pacific/Noumea"},
          std::tuple{"overseas_mayotte", "Mayotte : UTC+3", "Indian/Mayotte"},
          std::tuple{"overseas_guyane", "Guyane : UTC-3", "America/Cayenne"}}) {
        auto report = sample_short_report();
        const auto found = TimeZone::find(zone);
        if (!found) continue;
        report.site.time_zone = *found;
        add(name, about, std::move(report));
    }
    add("summer_time", "Heure d’été", with([](Report& r) {
            r.validated_at = at("20260715110230+0200");
            r.created_at = at("20260715110231+0200");
            r.registered_at = at("20260715080500+0200");
            r.specimens[0].collected_at = at("20260715073000+0200");
            r.specimens[0].received_at = at("20260715090200+0200");
            for (auto& result : r.chapters[0].results)
                result.measured_at = at("20260715101500+0200");
        }));
    add("inpatient", "Patiente hospitalisée, numéro de séjour", with([](Report& r) {
            r.patient_class = "I";
            r.stay_number = "260001234";
            r.site.settings.practice_setting = "ETABLISSEMENT";
            r.site.settings.facility_type = "SA01";
        }));
    add("emergency", "Passage aux urgences", with([](Report& r) { r.patient_class = "E"; }));
    add("restricted", "Confidentialité restreinte", with([](Report& r) { r.confidentiality = 'R'; }));
    add("very_restricted", "Confidentialité très restreinte", with([](Report& r) { r.confidentiality = 'V'; }));
    add("prescriber_without_rpps", "Prescripteur sans RPPS : nommé sur le PDF, pas de participant", with([](Report& r) {
            r.prescriber.rpps = {};
            r.correspondents.clear();
        }));
    add("no_collector", "Préleveur inconnu, date de prescription absente", with([](Report& r) {
            r.collector = {};
            r.prescribed_at.reset();
        }));
    add("no_accreditation", "Laboratoire sans numéro d’accréditation",
        with([](Report& r) { r.entity.accreditation.clear(); }));
    add("long_addresses", "Adresses sur plusieurs lignes", with([](Report& r) {
            r.site.address.lines = {"Centre commercial Grand Rivage", "Bâtiment C, niveau 2", "12 rue de la République",
                                    "BP 1234"};
            r.patient.traits.reveal().address.lines = {"Résidence des Acacias, appartement 12", "Escalier 3",
                                                       "8 impasse des Tilleuls"};
        }));
    add("receipt_unknown", "Heure de réception du prélèvement inconnue",
        with([](Report& r) { r.specimens[0].received_at.reset(); }));
    add("without_exact_time", "Résultats dont l’automate ne donne que le jour", with([](Report& r) {
            for (auto& result : r.chapters[0].results)
                result.measured_at = at("20260315");
        }));
    add("own_codes_only", "Aucun code LOINC : chaque examen part avec son code local", with([](Report& r) {
            for (auto& result : r.chapters[0].results) {
                result.loinc.clear();
                result.loinc_label.clear();
            }
        }));
    add("national_chapter", "Chapitre dont le code est national, en attente de LOINC", with([](Report& r) {
            r.chapters[0].code = "930894";
            r.chapters[0].label = "Biologie moléculaire";
        }));
    add("hospital_pharmacist", "Signé par un pharmacien biologiste", with([](Report& r) {
            r.validator.speciality = {"G15_21/G", "Pharmacien biologiste"};
            r.validator.title.clear();
        }));
    add("special_characters", "Caractères réservés de XML, grec, indices", with([](Report& r) {
            r.chapters[0].results[0].comment = "β-lactamase < 5 & > 2 ; « α1-antitrypsine » ≥ 0,9 g/L ; 10³ – µmol";
            r.clinical_context = "Suspicion d’intoxication : « CO » & O₂ < 90 %";
        }));
    return all;
}

}  // namespace sgl::test
