// Code systems and the small value sets (JDV) that a CR-BIO needs, typed by us, each with its source. The catalogue of
// examinations is not here: it belongs to the laboratory.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "cda/cr_bio.hpp"

namespace sgl::cda::codes {

// Code systems (spec/cr-bio.md 3). LOINC: content from LOINC (http://loinc.org), copyright Regenstrief Institute, Inc. and
// the LOINC Committee, available at no cost under the licence at http://loinc.org/license.
inline constexpr std::string_view loinc_system = "2.16.840.1.113883.6.1";
inline constexpr std::string_view waiting_system = "1.2.250.1.213.1.1.5.130";  // national codes until LOINC publishes
inline constexpr std::string_view interpretation_system = "2.16.840.1.113883.5.83";
inline constexpr std::string_view confidentiality_system = "2.16.840.1.113883.5.25";
inline constexpr std::string_view gender_system = "2.16.840.1.113883.5.1";
inline constexpr std::string_view act_code_system = "2.16.840.1.113883.5.4";
inline constexpr std::string_view encounter_fr_system = "1.2.250.1.213.1.1.4.2.291";
inline constexpr std::string_view specimen_table_system = "2.16.840.1.113883.18.311";  // HL7 table 0487
inline constexpr std::string_view specimen_role_system = "2.16.840.1.113883.5.129";
inline constexpr std::string_view snomed_system = "2.16.840.1.113883.6.96";
inline constexpr std::string_view nabm_system = "1.2.250.1.213.2.7";
inline constexpr std::string_view method_system = "1.2.250.1.213.2.3.5";  // ANSM reagents and methods
inline constexpr std::string_view speciality_system = "1.2.250.1.213.1.1.4.5";
inline constexpr std::string_view qualification_system = "1.2.250.1.213.1.6.1.107";
inline constexpr std::string_view practice_setting_system = "1.2.250.1.213.1.1.4.9";
inline constexpr std::string_view facility_type_system = "1.2.250.1.71.4.2.4";
inline constexpr std::string_view function_system = "1.2.250.1.213.1.1.4.2.280";
inline constexpr std::string_view participation_function_system = "2.16.840.1.113883.5.88";
inline constexpr std::string_view ihe_act_code_system = "1.3.5.1.4.1.19376.1.5.3.2";  // official misprint, required as is

// Identifier roots (spec/cr-bio.md 3).
inline constexpr std::string_view professional_root = "1.2.250.1.71.4.2.1";
inline constexpr std::string_view structure_root = "1.2.250.1.71.4.2.2";
inline constexpr std::string_view cofrac_root = "1.2.250.1.213.6.3.1";
inline constexpr std::string_view ins_nir = "1.2.250.1.213.1.4.8";
inline constexpr std::string_view ins_nia = "1.2.250.1.213.1.4.9";
inline constexpr std::string_view ins_nir_test = "1.2.250.1.213.1.4.10";
inline constexpr std::string_view ins_nir_demo = "1.2.250.1.213.1.4.11";

struct Entry {
    std::string_view code;
    std::string_view label;
    std::string_view system;
};

/// jdv-hl7-v3-ObservationInterpretation-cisis (2.16.840.1.113883.1.11.78), cr-bio.md 7.2: OBX-8 in words.
inline constexpr std::array interpretations{
    Entry{"N", "Normal", interpretation_system},
    Entry{"L", "Anormalement bas", interpretation_system},
    Entry{"H", "Anormalement haut", interpretation_system},
    Entry{"LL", "Très anormalement bas, alerte", interpretation_system},
    Entry{"HH", "Très anormalement haut, alerte", interpretation_system},
    Entry{"A", "Anormal", interpretation_system},
    Entry{"AA", "Très anormal, alerte", interpretation_system},
    Entry{"<", "Inférieur à la limite de détection", interpretation_system},
    Entry{">", "Supérieur à la limite maximale de mesure", interpretation_system},
    Entry{"LU", "Significativement bas", interpretation_system},
    Entry{"HU", "Significativement haut", interpretation_system},
    Entry{"LX", "Hors seuil inférieur", interpretation_system},
    Entry{"HX", "Hors seuil supérieur", interpretation_system},
    Entry{"EX", "Hors seuils", interpretation_system},
    Entry{"B", "Amélioration", interpretation_system},
    Entry{"W", "Dégradation", interpretation_system},
    Entry{"U", "Augmentation significative par rapport au résultat antérieur", interpretation_system},
    Entry{"D", "Diminution significative par rapport au résultat antérieur", interpretation_system},
    Entry{"S", "Sensible", interpretation_system},
    Entry{"I", "Intermédiaire", interpretation_system},
    Entry{"R", "Résistant", interpretation_system},
    Entry{"SDD", "Sensible à forte dose", interpretation_system},
    Entry{"NS", "Non sensible", interpretation_system},
    Entry{"SYN-R", "Synergie - résistant", interpretation_system},
    Entry{"SYN-S", "Synergie - sensible", interpretation_system},
    Entry{"IE", "Preuves insuffisantes", interpretation_system},
    Entry{"NCL", "Pas de standard défini", interpretation_system},
    Entry{"CAR", "Porteur d'une forme altérée d'un gène", interpretation_system},
    Entry{"POS", "Positif", interpretation_system},
    Entry{"NEG", "Négatif", interpretation_system},
    Entry{"DET", "Détecté", interpretation_system},
    Entry{"ND", "Non détecté", interpretation_system},
    Entry{"IND", "Indéterminé", interpretation_system},
    Entry{"E", "Équivoque", interpretation_system},
    Entry{"RR", "Réactif", interpretation_system},
    Entry{"WR", "Faiblement réactif", interpretation_system},
    Entry{"NR", "Non réactif", interpretation_system},
    Entry{"EXP", "Attendu", interpretation_system},
    Entry{"UNE", "Inattendu", interpretation_system},
};

/// Of an antibiogram, among `interpretations`: its line of the narrative in the words of CA-SFM, for which I is susceptible at
/// high dose since 2019. The label coded beside stays that of the value set.
inline constexpr std::array susceptibilities{
    Entry{"S", "Sensible", interpretation_system},
    Entry{"I", "Sensible à forte posologie", interpretation_system},
    Entry{"R", "Résistant", interpretation_system},
    Entry{"SDD", "Sensible selon la dose", interpretation_system},
    Entry{"NS", "Non sensible", interpretation_system},
    Entry{"IE", "Preuves insuffisantes", interpretation_system},
};
inline constexpr Entry antibiogram{"18769-0", "Antibiogramme", loinc_system};

/// Chapters and sub-chapters, last list of the official tool (28 June 2021), cr-bio.md 7.1.
inline constexpr std::array chapters{
    Entry{"18716-1", "Allergie", loinc_system},
    Entry{"18717-9", "Immunohématologie", loinc_system},
    Entry{"18718-7", "Marqueurs cellulaires", loinc_system},
    Entry{"18719-5", "Biochimie", loinc_system},
    Entry{"18720-3", "Hémostase, coagulation", loinc_system},
    Entry{"18721-1", "Dosages de médicaments et substances", loinc_system},
    Entry{"18722-9", "Fertilité", loinc_system},
    Entry{"18723-7", "Hématologie", loinc_system},
    Entry{"18724-5", "HLA", loinc_system},
    Entry{"18725-2", "Microbiologie", loinc_system},
    Entry{"18727-8", "Auto-immunité", loinc_system},
    Entry{"18728-6", "Toxicologie", loinc_system},
    Entry{"18729-4", "Examens urinaires - cristallurie", loinc_system},
    Entry{"18767-4", "Gaz du sang", loinc_system},
    Entry{"18768-2", "NFS - Hémogramme", loinc_system},
    Entry{"18769-0", "Antibiogramme", loinc_system},
    Entry{"26435-8", "Génétique humaine", loinc_system},
    Entry{"26436-6", "Biologie polyvalente", loinc_system},
    Entry{"26437-4", "Épreuves dynamiques", loinc_system},
    Entry{"26438-2", "Cytologie", loinc_system},
    Entry{"26439-0", "Chirurgie", loinc_system},
    Entry{"27898-6", "Pathologie", loinc_system},
    Entry{"82314-6", "Prélèvement transmis à un laboratoire spécialisé", loinc_system},
    Entry{"92892-9", "Sérologie parasitaire", loinc_system},
    Entry{"92893-7", "Sérologie virale", loinc_system},
    Entry{"92894-5", "Sérologie bactérienne", loinc_system},
    Entry{"92895-2", "Endocrinologie", loinc_system},
    Entry{"14340-4", "Electrophorèse des protéines", loinc_system},
    Entry{"600238", "Examens sur LCR", waiting_system},
    Entry{"692344", "Examens sur liquide de ponction", waiting_system},
    Entry{"572177", "HPA", waiting_system},
    Entry{"859127", "Examens sur selles", waiting_system},
    Entry{"930894", "Biologie moléculaire", waiting_system},
    Entry{"1160878", "HNA", waiting_system},
    Entry{"1443252", "Résultats des examens d'un laboratoire de seconde intention", waiting_system},
};

/// JDV_J01_XdsAuthorSpecialty_CISIS, the specialities of biologists (cr-bio.md 4.2).
inline constexpr std::array biologists{
    Entry{"G15_10/SM03", "Médecin - Biologie médicale (SM)", speciality_system},
    Entry{"G15_10/SM63", "Médecin - Biologie médicale option biologie générale (SM)", speciality_system},
    Entry{"G15_10/SM64", "Médecin - Biologie médicale option médecine moléculaire, génétique et pharmacologie (SM)", speciality_system},
    Entry{"G15_10/SM65", "Médecin - Biologie médicale option hématologie et immunologie (SM)", speciality_system},
    Entry{"G15_10/SM66", "Médecin - Biologie médicale option agents infectieux (SM)", speciality_system},
    Entry{"G15_10/SM67", "Médecin - Biologie médicale option biologie de la reproduction (SM)", speciality_system},
    Entry{"G15_21/G", "Pharmacien biologiste", speciality_system},
    Entry{"G15_21/EG", "Pharmacien biologiste - OM", speciality_system},
    Entry{"334", "Biologiste médical ni médecin ni pharmacien", qualification_system},
};

/// JDV_J01_XdsAuthorSpecialty_CISIS, others met in a laboratory.
inline constexpr std::array other_specialities{
    Entry{"G15_10", "Médecin", speciality_system},
    Entry{"G15_10/SM26", "Médecin - Qualifié en Médecine Générale (SM)", speciality_system},
    Entry{"G15_60", "Infirmier", speciality_system},
    Entry{"G15_86", "Technicien de laboratoire médical", speciality_system},
};

/// JDV_J02_XdsHealthcareFacilityTypeCode_CISIS, those a laboratory or its neighbours can be.
inline constexpr std::array facility_types{
    Entry{"SA25", "Laboratoire de biologie médicale", facility_type_system},
    Entry{"SA29", "Laboratoire d'analyses et de biologie médicale", facility_type_system},
    Entry{"SA59", "Laboratoire de biologie médicale hors catégorie standard", facility_type_system},
    Entry{"SA01", "Etablissement public de santé", facility_type_system},
    Entry{"SA02", "Hôpital militaire du Service de santé des armées", facility_type_system},
    Entry{"SA03", "Etablissement privé PSPH", facility_type_system},
    Entry{"SA04", "Etablissement privé non PSPH", facility_type_system},
    Entry{"SA36", "Centre anti-cancer", facility_type_system},
    Entry{"SA37", "Centre de transfusion sanguine", facility_type_system},
    Entry{"SA08", "Cabinet de groupe", facility_type_system},
    Entry{"SA07", "Cabinet individuel", facility_type_system},
};

/// JDV_J04_XdsPracticeSettingCode_CISIS.
inline constexpr std::array practice_settings{
    Entry{"AMBULATOIRE", "Ambulatoire", practice_setting_system},
    Entry{"ETABLISSEMENT", "Etablissement de santé", practice_setting_system},
    Entry{"HAD", "Hospitalisation à domicile", practice_setting_system},
    Entry{"ESSMS", "Etablissement ou Service Social ou Médico-Social", practice_setting_system},
    Entry{"SAD", "Soins à domicile", practice_setting_system},
    Entry{"MAD", "Maintien à domicile", practice_setting_system},
    Entry{"PALLIATIF", "Soins palliatifs", practice_setting_system},
    Entry{"SAMU_SMUR", "SAMU/SMUR", practice_setting_system},
    Entry{"AMO", "Organisme d'assurance maladie obligatoire", practice_setting_system},
    Entry{"DEPISTAGE", "Dépistage", practice_setting_system},
};

/// JDV_J142_TypeRencontre_CISIS.
inline constexpr std::array encounters{
    Entry{"AMB", "Ambulatoire (hors établissement)", act_code_system},
    Entry{"IMP", "Hospitalisation (établissement, y compris HAD)", act_code_system},
    Entry{"EMER", "Passage aux urgences (établissement)", act_code_system},
    Entry{"HH", "Soins à domicile (hors établissement)", act_code_system},
    Entry{"FLD", "Terrain (voie publique, hélicoptère, ambulance, etc.)", act_code_system},
    Entry{"VR", "Virtuelle (exemple : RCP en l'absence du patient)", act_code_system},
    Entry{"EXTERNE", "Acte et consultation externe (établissement)", encounter_fr_system},
    Entry{"SEANCE", "Séance (établissement ou libéral)", encounter_fr_system},
};

/// jdv-specimen-type-cisis (1.2.250.1.213.1.1.5.819), the common ones; the system differs by code.
inline constexpr std::array specimens{
    Entry{"BLD", "Sang", specimen_table_system},
    Entry{"BLDV", "Sang veineux", specimen_table_system},
    Entry{"BLDA", "Sang artériel", specimen_table_system},
    Entry{"BLDC", "Sang capillaire", specimen_role_system},
    Entry{"WB", "Sang total", specimen_table_system},
    Entry{"SER", "Sérum", specimen_table_system},
    Entry{"PLAS", "Plasma", specimen_table_system},
    Entry{"PPP", "Plasma pauvre en plaquettes", specimen_table_system},
    Entry{"UR", "Urine", specimen_table_system},
    Entry{"URINM", "Urine milieu de jet", specimen_table_system},
    Entry{"URT", "Urine par cathéter", specimen_table_system},
    Entry{"CSF", "Liquide céphalorachidien", specimen_table_system},
    Entry{"STL", "Selles", specimen_table_system},
    Entry{"SPT", "Expectoration (crachat)", specimen_table_system},
    Entry{"ISLT", "Isolat", specimen_table_system},
    Entry{"PUS", "Pus", specimen_table_system},
    Entry{"WND", "Plaie", specimen_table_system},
    Entry{"TISS", "Tissu", specimen_table_system},
    Entry{"THRT", "Gorge", specimen_role_system},
    Entry{"NOS", "Prélèvement nasopharyngée", specimen_role_system},
    Entry{"GENC", "Prélèvement cervico-vaginal", specimen_role_system},
};

/// jdv-hl7-v3-xBasicConfidentialityKind-cisis.
inline constexpr std::array confidentialities{
    Entry{"N", "Normal", confidentiality_system},
    Entry{"R", "Restreint", confidentiality_system},
    Entry{"V", "Très restreint", confidentiality_system},
};

/// JDV_J143_AdministrativeGender_CISIS.
inline constexpr std::array genders{
    Entry{"F", "Féminin", gender_system},
    Entry{"M", "Masculin", gender_system},
    Entry{"UN", "Inconnu", gender_system},
};

inline constexpr std::array<std::string_view, 2> civilities{"M", "MME"};                            // JDV_J245
inline constexpr std::array<std::string_view, 6> titles{"DR", "PR", "MC", "MG", "PC", "PG"};        // JDV_J246

/// The entry of that code, or null.
constexpr const Entry* find(std::span<const Entry> table, std::string_view code) {
    for (const auto& entry : table)
        if (entry.code == code) return &entry;
    return nullptr;
}

inline Code to_code(const Entry& entry) {
    return Code{std::string(entry.code), std::string(entry.system), std::string(entry.label)};
}

}  // namespace sgl::cda::codes
