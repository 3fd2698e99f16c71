#include "test/cda/sample_report.hpp"

#include "cda/codes.hpp"

namespace sgl::cda::test {

namespace {

Timestamp at(std::string_view text) { return Timestamp::parse(text).value(); }
Decimal number(std::string_view text) { return Decimal::parse(text).value(); }
Code loinc(std::string code, std::string label) {
    return Code{std::move(code), std::string(codes::loinc_system), std::move(label)};
}
Code entry(std::span<const codes::Entry> table, std::string_view code) {
    return codes::to_code(*codes::find(table, code));
}

Address laboratory_address() {
    Address address;
    address.house_number = "12";
    address.street_name = "Rue des Essais";
    address.postal_code = "69003";
    address.city = "LYON";
    return address;
}

Organisation laboratory() {
    Organisation laboratory;
    laboratory.ids = {{std::string(codes::structure_root), "1690000013", {}}};
    laboratory.name = "Laboratoire d'essai & de démonstration";
    laboratory.telecoms = {{"tel:0400000001", "WP"}};
    laboratory.address = laboratory_address();
    laboratory.practice_setting = entry(codes::practice_settings, "AMBULATOIRE");
    return laboratory;
}

Professional biologist(std::string rpps, std::string given, std::string family) {
    Professional who;
    who.ids = {{std::string(codes::professional_root), "8" + rpps, {}}};
    who.speciality = entry(codes::biologists, "G15_10/SM03");
    who.address = laboratory_address();
    who.telecoms = {{"tel:0400000001", "WP"}};
    who.name = {"MME", std::move(given), std::move(family), "DR"};
    who.organisation = laboratory();
    return who;
}

Professional physician() {
    Professional who;
    who.ids = {{std::string(codes::professional_root), "899900000033", {}}};
    who.speciality = entry(codes::other_specialities, "G15_10/SM26");
    who.telecoms = {{"mailto:medecin.essai@medecin.mssante.fr", "WP"}};
    who.name = {"M", "Paul", "ESSAI-PRESCRIPTEUR", "DR"};
    return who;
}

Specimen specimen(std::string number, std::string_view type) {
    Specimen specimen;
    specimen.id = {"1.2.250.1.999.1.1.3", std::move(number), {}};
    specimen.type = entry(codes::specimens, type);
    specimen.collected = at("20260302074500+0100");
    specimen.received = at("20260302091000+0100");
    return specimen;
}

Observation result(Code code, std::string label, Value value) {
    Observation observation;
    observation.code.loinc = std::move(code);
    observation.code.label = std::move(label);
    observation.value = std::move(value);
    observation.time = at("20260302112000+0100");
    return observation;
}

ReferenceRange range(std::string_view low, std::string_view high, std::string unit) {
    ReferenceRange range;
    if (!low.empty()) range.low = number(low);
    if (!high.empty()) range.high = number(high);
    range.unit = std::move(unit);
    return range;
}

CrBio base(std::string id) {
    CrBio report;
    report.id = std::move(id);
    report.set_id = "1.2.250.1.999.1.1.1.7";
    report.effective_time = at("20260302153000+0100");

    auto& patient = report.patient;
    patient.local_ids = {{"1.2.250.1.999.1.1.2", "IPP-000123", {}}};
    patient.birth_name = "PAT-TROIS";
    patient.birth_given_names = "DOMINIQUE MARIE-LOUISE";
    patient.first_birth_given = "DOMINIQUE";
    patient.gender = Gender::female;
    patient.birth_date = at("19790328");

    report.author = {at("20260302152500+0100"), biologist("99900000017", "Anne", "ESSAI-BIOLOGISTE")};
    report.custodian = laboratory();
    report.legal_authenticator = {at("20260302152500+0100"), biologist("99900000017", "Anne", "ESSAI-BIOLOGISTE")};
    report.orders = {{"1.2.250.1.999.1.1.4", "PRESC-2026-0042", {}}};

    report.service.id = Identifier{"1.2.250.1.999.1.1.5", "260302-0001", {}};
    report.service.received = at("20260302091000+0100");
    report.service.released = at("20260302153000+0100");
    report.service.performer = {at("20260302152500+0100"), biologist("99900000017", "Anne", "ESSAI-BIOLOGISTE")};

    report.encounter.kind = entry(codes::encounters, "AMB");
    report.encounter.start = at("20260302074500+0100");
    report.encounter.responsible = biologist("99900000017", "Anne", "ESSAI-BIOLOGISTE");
    report.encounter.responsible.organisation->practice_setting.reset();
    report.encounter.responsible.organisation->ids.push_back({std::string(codes::cofrac_root), "8-0000", "COFRAC"});
    report.encounter.facility_type = entry(codes::facility_types, "SA25");
    report.encounter.facility_name = "Laboratoire d'essai & de démonstration, site de Lyon";
    report.encounter.facility_address = laboratory_address();

    report.pdf = "%PDF-1.4\n% an invented, minimal copy\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
    return report;
}

Chapter biochemistry() {
    Chapter chapter;
    chapter.code = entry(codes::chapters, "18719-5");
    chapter.title = "Biochimie";
    auto& group = chapter.results;
    group.validators = {{at("20260302152500+0100"), biologist("99900000017", "Anne", "ESSAI-BIOLOGISTE")}};
    group.specimens = {specimen("260302-0001-1", "SER")};

    auto glucose = result(loinc("40193-5", "Glucose à jeun [Moles/Volume] Sérum/Plasma ; Numérique"), "Glycémie à jeun",
                          Quantity{number("6.90"), "mmol/L", {}});
    glucose.interpretation = "H";
    glucose.range = range("3.9", "6.1", "mmol/L");
    glucose.method_text = "Hexokinase";
    glucose.previous = {{at("20250911081500+0200"), Quantity{number("5.80"), "mmol/L", {}}, "N"},
                        {at("20240310080000+0100"), Quantity{number("5.65"), "mmol/L", {}}, {}}};
    glucose.comments = {"À contrôler à jeun depuis 12 heures.\nSeuil d'intervention : 7 mmol/L."};

    auto crp = result(loinc("1988-5", "C Réactive protéine [Masse/Volume] Sérum/Plasma ; Numérique"), "Protéine C réactive",
                      Bound{Bound::Side::below, number("1.0"), "mg/L", {}, false});
    crp.range = range("", "5.0", "mg/L");
    crp.interpretation = "N";

    auto gfr = result(loinc("14682-9", "Créatinine [Moles/Volume] Sérum/Plasma ; Numérique"), "Créatinine",
                      Quantity{number("63"), "umol/L", "µmol/L"});
    gfr.range = range("45", "84", "umol/L");
    gfr.method = Code{"9AX", std::string(codes::method_system), "Electrochimie-ampérométrie"};

    Observation local;
    local.code.translation = Code{"INDICE-H", "1.2.250.1.999.1.1.6", "Indice d'hémolyse"};
    local.code.label = "Indice d'hémolyse";
    local.time = at("20260302112000+0100");
    local.value = FreeText{"Absence d'hémolyse < seuil & sans incidence"};

    Observation aborted;
    aborted.code.loinc = loinc("2571-8", "Triglycérides [Masse/Volume] Sérum/Plasma ; Numérique");
    aborted.code.label = "Triglycérides";
    aborted.aborted = true;
    aborted.comments = {"Quantité insuffisante."};

    Organisation elsewhere;
    elsewhere.ids = {{std::string(codes::structure_root), "1690000039", {}}};
    elsewhere.name = "Laboratoire spécialisé des Essais";
    local.performer = Act{*local.time, {}};
    local.performer->who.ids = elsewhere.ids;
    local.performer->who.organisation = elsewhere;

    group.observations = {glucose, crp, gfr, local, aborted};
    group.comments = {"Patiente à jeun."};
    return chapter;
}

Chapter haematology() {
    Chapter chapter;
    chapter.code = entry(codes::chapters, "18723-7");
    chapter.title = "Hématologie";

    SubChapter count;
    count.code = entry(codes::chapters, "18768-2");
    count.title = "NFS - Hémogramme";
    count.results.validators = {{at("20260302150500+0100"), biologist("99900000025", "Claire", "ESSAI-HEMATOLOGISTE")}};
    count.results.specimens = {specimen("260302-0001-2", "BLDV")};
    auto haemoglobin = result(loinc("718-7", "Hémoglobine [Masse/Volume] Sang ; Numérique"), "Hémoglobine",
                              Quantity{number("10.8"), "g/dL", {}});
    haemoglobin.interpretation = "L";
    haemoglobin.range = range("12.0", "16.0", "g/dL");
    auto platelets = result(loinc("777-3", "Plaquettes [Nombre/Volume] Sang ; Numérique ; Comptage automate"),
                            "Plaquettes", Quantity{number("250"), "10*9/L", "G/L"});
    platelets.range = range("150", "400", "10*9/L");
    count.results.observations = {haemoglobin, platelets};

    SubChapter haemostasis;
    haemostasis.code = entry(codes::chapters, "18720-3");
    haemostasis.title = "Hémostase";
    haemostasis.results.progress = Progress::active;
    haemostasis.results.validators = {
        {at("20260302150500+0100"), biologist("99900000025", "Claire", "ESSAI-HEMATOLOGISTE")}};
    haemostasis.results.specimens = {specimen("260302-0001-3", "PPP")};
    auto inr = result(
        loinc("6301-6", "Temps de quick INR [Temps relatif] Plasma pauvre en plaquettes ; Numérique ; Coagulation"), "INR",
        Number{number("2.5")});
    inr.previous = {{at("20260201080000+0100"), Number{number("2.3")}, {}}};
    inr.range = range("2.0", "3.0", "");
    inr.range->text = "2,0 à 3,0 (cible du traitement)";
    haemostasis.results.observations = {inr};

    chapter.sub_chapters = {count, haemostasis};
    return chapter;
}

Observation antibiotic(Code code, std::string label, Value value, std::string letter) {
    auto line = result(std::move(code), std::move(label), std::move(value));
    line.interpretation = std::move(letter);
    return line;
}

Isolate coli() {
    Isolate isolate;
    isolate.id = {"1.2.250.1.999.1.1.7", "260302-0001-4#1", {}};
    isolate.germ = Code{"112283007", std::string(codes::snomed_system), "Escherichia coli"};
    isolate.translation = Code{"562", "2.16.840.1.113883.3.9471", "Escherichia coli"};
    isolate.label = "Escherichia coli";
    isolate.time = at("20260302112000+0100");
    auto count = result(loinc("51480-2", "Bactérie [Nombre/Volume] Urine ; Numérique ; Comptage automate"), "Numération",
                        Quantity{number("100000"), "/mL", {}});
    Observation marker;
    marker.code.translation = Code{"BLSE", "1.2.250.1.999.1.1.6", "Bêta-lactamase à spectre étendu"};
    marker.code.label = "Bêta-lactamase à spectre étendu";
    marker.time = at("20260302112000+0100");
    marker.value = Qualitative{"Positif"};
    marker.interpretation = "A";
    marker.comments = {"Bactérie multirésistante : précautions complémentaires d'hygiène."};
    isolate.observations = {count, marker};
    auto amoxicillin = antibiotic(loinc("20-8", "Amoxicilline+clavulanate [Sensibilité] Isolat ; Alphanumérique ; CMI"),
                                  "Amoxicilline + acide clavulanique", Bound{Bound::Side::above, number("32"), "mg/L", {}, false}, "R");
    amoxicillin.method_text = "Microdilution en milieu liquide";
    Observation cefotaxime;
    cefotaxime.code.translation = Code{"CTX", "1.2.250.1.999.1.1.6", "Céfotaxime"};
    cefotaxime.code.label = "Céfotaxime";
    cefotaxime.time = at("20260302112000+0100");
    cefotaxime.value = Quantity{number("2"), "mg/L", {}};
    cefotaxime.interpretation = "I";
    auto gentamicin = antibiotic(loinc("18928-2", "Gentamicine [Sensibilité] Isolat ; Alphanumérique"), "Gentamicine",
                                 Qualitative{"Sensible"}, "S");
    gentamicin.comments = {"À réserver aux infections sévères."};
    isolate.antibiogram = {amoxicillin, cefotaxime, gentamicin};
    isolate.comments = {"Germe habituel des infections urinaires."};
    return isolate;
}

// Without a code, and not identified for good.
Isolate staphylococcus() {
    Isolate isolate;
    isolate.id = {"1.2.250.1.999.1.1.7", "260302-0001-4#2", {}};
    isolate.label = "Staphylocoque à coagulase négative";
    isolate.progress = Progress::active;
    Observation vancomycin;
    vancomycin.code.translation = Code{"VAN", "1.2.250.1.999.1.1.6", "Vancomycine"};
    vancomycin.code.label = "Vancomycine";
    vancomycin.time = at("20260302112000+0100");
    vancomycin.value = Quantity{number("19"), "mm", {}};
    vancomycin.interpretation = "S";
    auto teicoplanin = vancomycin;
    teicoplanin.code.translation = Code{"TEC", "1.2.250.1.999.1.1.6", "Téicoplanine"};
    teicoplanin.code.label = "Téicoplanine";
    teicoplanin.value = Qualitative{"Sensible à forte posologie"};
    teicoplanin.interpretation = "I";
    teicoplanin.time = at("20260302114500+0100");
    isolate.antibiogram = {vancomycin, teicoplanin};
    return isolate;
}

Chapter microbiology() {
    Chapter chapter;
    chapter.code = entry(codes::chapters, "18725-2");
    chapter.title = "Microbiologie";
    auto& group = chapter.results;
    group.validators = {{at("20260302152500+0100"), biologist("99900000017", "Anne", "ESSAI-BIOLOGISTE")}};
    group.specimens = {specimen("260302-0001-4", "URINM")};
    auto nitrites = result(loinc("5802-4", "Nitrites [Présence/Seuil] Urine ; Qualitatif ; Bandelette réactive"), "Nitrites",
                           Code{"260385009", "2.16.840.1.113883.6.96", "Négatif"});
    nitrites.interpretation = "NEG";
    auto colour = result(loinc("5778-6", "Couleur [Type] Urine ; Résultat nominal"), "Couleur", Qualitative{"Jaune paille"});
    ReferenceRange words;
    words.text = "Jaune paille";
    colour.range = words;
    auto leucocytes = result(loinc("30405-5", "Leucocytes [Nombre/Volume] Urine ; Numérique"), "Leucocytes",
                             Bound{Bound::Side::above, number("100"), "/uL", "/µL", true});
    leucocytes.interpretation = "HH";
    group.observations = {nitrites, colour, leucocytes};
    group.isolates = {coli(), staphylococcus()};
    return chapter;
}

}  // namespace

CrBio rich_report() {
    auto report = base("1.2.250.1.999.1.1.1.7.2");
    report.version = 2;
    report.replaces = "1.2.250.1.999.1.1.1.7.1";
    report.patient.ins = Identifier{std::string(codes::ins_nir_test), "279035121518989", {}};
    report.patient.birthplace = Birthplace{"63220", "LE BREUIL-SUR-COUZE"};
    report.patient.used_name = "PAT-TROIS";
    report.patient.used_given = "Dominique";
    Address home;
    home.use = "H";
    home.lines = {"3 Place de l'Essai", "69000 LYON"};
    report.patient.addresses = {home};
    report.patient.telecoms = {{"tel:0600000000", "MC"}, {"mailto:279035121518989@patient.mssante.fr", {}}};

    report.authenticators = {{at("20260302150500+0100"), biologist("99900000025", "Claire", "ESSAI-HEMATOLOGISTE")}};
    Participant prescriber;
    prescriber.role = Participant::Role::prescriber;
    prescriber.time = at("20260226");
    prescriber.who = physician();
    Participant collector;
    collector.role = Participant::Role::collector;
    collector.time = at("20260302074500+0100");
    collector.who = physician();
    collector.who.ids = {{std::string(codes::professional_root), "899900000041", {}}};
    collector.who.speciality = entry(codes::other_specialities, "G15_60");
    collector.who.name = {"MME", "Rose", "ESSAI-PRELEVEUSE", {}};
    Participant usual;
    usual.role = Participant::Role::usual_physician;
    usual.who = physician();
    report.participants = {prescriber, collector, usual};

    Recipient person;
    person.who = physician();
    Recipient clinic;
    clinic.who.organisation = laboratory();
    clinic.who.organisation->ids.front().extension = "1690000021";
    clinic.who.organisation->name = "Clinique des Essais";
    clinic.who.organisation->practice_setting = entry(codes::practice_settings, "ETABLISSEMENT");
    clinic.who.ids = {{std::string(codes::structure_root), "1690000021", {}}};
    report.recipients = {person, clinic};

    report.comments = {{"Remarque générale", "Version corrigée : la glycémie remplace celle de la version 1."}};
    report.chapters = {biochemistry(), haematology(), microbiology()};
    return report;
}

CrBio report_without_ins() {
    auto report = base("1.2.250.1.999.1.1.1.8.1");
    report.set_id = "1.2.250.1.999.1.1.1.8";
    report.patient.birth_given_names.clear();
    report.chapters = {biochemistry()};
    return report;
}

CrBio sparse_report() {
    auto report = base("1.2.250.1.999.1.1.1.9.1");
    report.set_id = "1.2.250.1.999.1.1.1.9";
    report.patient.birth_given_names.clear();
    report.patient.gender = Gender::unknown;
    report.patient.birth_date = at("1979");
    report.orders.clear();
    report.service.id.reset();
    report.service.released.reset();
    report.service.progress = Progress::active;
    Participant prescriber;
    prescriber.who.name.family = "ESSAI-SANS-RPPS";
    Recipient recipient;
    recipient.who.name.family = "ESSAI-SANS-RPPS";
    report.participants = {prescriber};
    report.recipients = {recipient};
    Chapter chapter;
    chapter.code = entry(codes::chapters, "930894");  // a national waiting code
    chapter.title = "Biologie moléculaire";
    chapter.results.progress = Progress::active;
    auto first = result(loinc("30405-5", "Leucocytes [Nombre/Volume] Urine ; Numérique"), "Leucocytes",
                        Quantity{number("0.50"), "{ratio}", {}});
    auto second = first;
    second.time = at("20260302114500+0100");
    chapter.results.observations = {first, second};
    report.chapters = {chapter};
    return report;
}

}  // namespace sgl::cda::test
