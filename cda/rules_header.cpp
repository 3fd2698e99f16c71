// Rules of the header (spec/cr-bio.md 4, 6).
#include <set>

#include "cda/codes.hpp"
#include "cda/detail_rules.hpp"
#include "cda/keys.hpp"
#include "cda/templates.hpp"
#include "lib/base/time.hpp"

namespace sgl::cda::detail {

namespace {

constexpr std::string_view identity_phrase = "L'identité du patient dans le compte rendu n'est pas acceptable : vérifiez l'INS et les traits.";
constexpr std::string_view version_phrase = "Le numéro de version du compte rendu et le document qu'il remplace ne concordent pas.";
constexpr std::string_view software_phrase = "Le compte rendu produit n'est pas conforme : prévenez l'informatique du laboratoire.";
constexpr std::string_view date_phrase = "Une date du compte rendu est impossible ou incomplète.";

bool is_ins_root(std::string_view root) { return root.starts_with("1.2.250.1.213.1.4."); }

// Value set membership with its system; the label is only worth a warning (labels change between releases).
void value_set(const Element* element, std::span<const codes::Entry> table, Finding::Severity severity,
               Findings& findings) {
    if (element == nullptr) return;
    const auto* entry = codes::find(table, element->attribute("code"));
    if (entry == nullptr || entry->system != element->attribute("codeSystem")) {
        if (severity == Finding::Severity::error)
            findings.error(*element, "the code is not in its value set", software_phrase);
        else
            findings.warning(*element, "the code is not in our table of its value set", software_phrase);
    } else if (entry->label != element->attribute("displayName")) {
        findings.warning(*element, "the label is not that of the value set", software_phrase);
    }
}

void document(const Element& root, Findings& findings) {
    const auto* type = root.child("typeId");
    if (type == nullptr || type->attribute("root") != "2.16.840.1.113883.1.3" ||
        type->attribute("extension") != "POCD_HD000040")
        findings.error("/ClinicalDocument/typeId", "typeId must be 2.16.840.1.113883.1.3 / POCD_HD000040", software_phrase);
    const auto templates = root.all("templateId");
    if (!has_templates(root, {templates::hl7_france, templates::ci_sis_structure, templates::xd_lab, templates::cr_bio}) ||
        templates.back()->attribute("extension") != templates::cr_bio_version)
        findings.error("/ClinicalDocument/templateId", "the document must declare HL7 France, CI-SIS, XD-LAB and CR-BIO 2024.01",
                       software_phrase);
    value_set(root.child("confidentialityCode"), codes::confidentialities, Finding::Severity::error, findings);

    const auto* id = root.child("id");
    const auto* set = root.child("setId");
    if (id != nullptr && set != nullptr && id->attribute("root") == set->attribute("root"))
        findings.warning(*set, "setId and id are the same", version_phrase);
    const auto* version = root.child("versionNumber");
    const auto* related = root.child("relatedDocument");
    const bool first = version != nullptr && version->attribute("value") == "1";
    if (first && related != nullptr)
        findings.error(*related, "version 1 replaces nothing", version_phrase);
    if (!first && related == nullptr)
        findings.error("/ClinicalDocument/versionNumber", "a version after the first names the document it replaces",
                       version_phrase);
    if (related != nullptr && id != nullptr) {
        const auto* replaced = related->at("parentDocument", "id");
        if (replaced != nullptr && replaced->attribute("root") == id->attribute("root"))
            findings.error(*replaced, "the document replaces itself", version_phrase);
        if (replaced != nullptr && set != nullptr && replaced->attribute("root") == set->attribute("root"))
            findings.error(*replaced, "the document replaces its own set", version_phrase);
    }
    bool prescriber = false;
    for (const auto* participant : root.all("participant")) {
        const bool refers = participant->attribute("typeCode") == "REF";
        prescriber = prescriber || refers;
        if (refers && !has_templates(*participant, {templates::prescriber}))
            findings.error(*participant, "the prescriber lacks its templateId", software_phrase);
        if (!refers && participant->child("functionCode") == nullptr)
            findings.error(*participant, "a participant who is not the prescriber says his function", software_phrase);
    }
    if (!prescriber)
        findings.warning("/ClinicalDocument", "no prescriber (participant REF)", "Le prescripteur n'est pas indiqué.");
    if (root.child("inFulfillmentOf") == nullptr)
        findings.warning("/ClinicalDocument", "no order identifier (inFulfillmentOf)", "Le numéro de la prescription n'est pas indiqué.");
}

void birth(const Element& patient, bool with_ins, Findings& findings) {
    const auto* born = patient.child("birthTime");
    if (born == nullptr) return;
    const auto value = born->attribute("value");
    if (!Timestamp::parse(value)) findings.error(*born, "an impossible birth date", identity_phrase);
    if (with_ins && value.size() != 8) findings.error(*born, "with an INS the birth date is a whole day", identity_phrase);
    const auto* collected = patient.parent->parent->parent->at("componentOf", "encompassingEncounter", "effectiveTime", "low");
    if (collected != nullptr && !value.empty() && value > collected->attribute("value").substr(0, value.size()))
        findings.error(*born, "born after the encounter", identity_phrase);
}

// With an INS the rules require birth name, both given names, birth date, birthplace and gender (4.1).
void traits(const Element& patient, bool with_ins, Findings& findings) {
    const auto* name = patient.child("name");
    if (name == nullptr) return;
    const Element* birth_family = nullptr;
    const Element* all_given = nullptr;
    const Element* first_given = nullptr;
    for (const auto* part : name->children) {
        const auto qualifier = part->attribute("qualifier");
        if (part->text.find_first_not_of(" \t\r\n") == std::string::npos)
            findings.error(*part, "an empty name", identity_phrase);
        if (part->name == "family" && qualifier == "BR") birth_family = part;
        if (part->name == "given" && qualifier.empty()) all_given = part;
        if (part->name == "given" && qualifier == "BR") first_given = part;
    }
    if (birth_family == nullptr) findings.error(*name, "the birth name is missing", identity_phrase);
    if (!with_ins) return;
    if (all_given == nullptr || first_given == nullptr)
        findings.error(*name, "with an INS both the first and all birth given names are needed", identity_phrase);
    else if (!all_given->text.starts_with(first_given->text))
        findings.warning(*name, "the first birth given name does not begin the list of birth given names", identity_phrase);
    const auto* place = patient.at("birthplace", "place", "addr", "county");
    if (place == nullptr) findings.error(patient, "with an INS the COG code of the birthplace is needed", identity_phrase);
}

void patient(const Element& root, const CheckOptions& options, Findings& findings) {
    const auto* role = root.at("recordTarget", "patientRole");
    if (role == nullptr) return;
    unsigned matricules = 0;
    std::string_view matricule;
    for (const auto* id : role->all("id")) {
        const auto oid = id->attribute("root");
        if (!is_ins_root(oid)) continue;
        ++matricules;
        matricule = id->attribute("extension");
        const bool real = oid == codes::ins_nir || oid == codes::ins_nia;
        const bool fictive = oid == codes::ins_nir_test || oid == codes::ins_nir_demo;
        if (!real && !fictive)
            findings.error(*id, "an unknown INS OID", identity_phrase);
        else if (real && options.identities == CheckOptions::Identities::test)
            findings.error(*id, "a real INS in a test instance", "Une INS réelle n'a pas sa place dans une instance de test.");
        else if (fictive && options.identities == CheckOptions::Identities::production)
            findings.error(*id, "a test INS in production", "Une INS de test n'a pas sa place dans un compte rendu réel.");
        if (!keys::is_ins(matricule))
            findings.error(*id, "an INS has 13 characters and a key of 2", identity_phrase);
        else if (!keys::ins_key_holds(matricule))
            findings.error(*id, "the control key of the INS is wrong", identity_phrase);
    }
    if (matricules > 1) findings.error(*role, "more than one INS", identity_phrase);
    if (matricules == 0)
        findings.warning(*role, "no INS: the identity is not qualified",
                         "L'identité du patient n'est pas qualifiée : le compte rendu ne porte pas d'INS.");
    for (const auto* telecom : role->all("telecom")) {
        const auto value = telecom->attribute("value");
        if (value.find("@patient.mssante.fr") == std::string_view::npos) continue;
        // The patient's secure mail address is made of the matricule (4.1).
        if (matricules == 0)
            findings.error(*telecom, "an address made of an INS, and the identity is not qualified", identity_phrase);
        else if (value.find(matricule) == std::string_view::npos)
            findings.error(*telecom, "the patient's secure mail address is of another INS", identity_phrase);
    }
    const auto* person = role->child("patient");
    if (person == nullptr) return;
    value_set(person->child("administrativeGenderCode"), codes::genders, Finding::Severity::error, findings);
    birth(*person, matricules > 0, findings);
    traits(*person, matricules > 0, findings);
}

void care(const Element& root, Findings& findings) {
    const auto chapters_of = [&] {
        std::vector<std::string_view> chapters;
        const auto* body = root.at("component", "structuredBody");
        if (body == nullptr) return chapters;
        for (const auto* component : body->all("component")) {
            const auto* section = component->child("section");
            if (section == nullptr || !has_templates(*section, {templates::chapter_ihe, templates::chapter_fr})) continue;
            const auto* code = section->child("code");
            chapters.push_back(code == nullptr ? std::string_view() : code->attribute("code"));
        }
        return chapters;
    };
    const auto chapters = chapters_of();
    const auto events = root.all("documentationOf");
    for (std::size_t i = 0; i < events.size(); ++i) {
        const auto* event = events[i]->child("serviceEvent");
        if (event == nullptr) continue;
        const auto* code = event->child("code");
        if (code != nullptr && (i >= chapters.size() || code->attribute("code") != chapters[i]))
            findings.error(*code, "the documented acts are the chapters of the report, in their order", software_phrase);
        const auto* performer = event->child("performer");
        if ((performer != nullptr) != (i == 0))
            findings.error(*event, "the first documented act, and it alone, has its performer", software_phrase);
        if (performer == nullptr) continue;
        if (!has_templates(*performer, {templates::laboratory_performer}))
            findings.error(*performer, "the performing laboratory lacks its templateId", software_phrase);
        const auto* entity = performer->child("assignedEntity");
        const auto* setting = entity == nullptr ? nullptr : entity->at("representedOrganization", "standardIndustryClassCode");
        if (setting == nullptr)
            findings.error(*performer, "the performing laboratory needs its practice setting", software_phrase);
        if (entity != nullptr && entity->child("code") == nullptr)
            findings.error(*entity, "the laboratory director needs a profession", software_phrase);
    }
    if (events.size() < chapters.size())
        findings.error("/ClinicalDocument/documentationOf", "a chapter of the report is not among the documented acts",
                       software_phrase);
    const auto* encounter = root.at("componentOf", "encompassingEncounter");
    if (encounter == nullptr) return;
    value_set(encounter->child("code"), codes::encounters, Finding::Severity::error, findings);
    value_set(encounter->at("location", "healthCareFacility", "code"), codes::facility_types, Finding::Severity::warning,
              findings);
    const auto* facility = encounter->at("location", "healthCareFacility", "code");
    if (facility != nullptr && facility->attribute("codeSystem") != codes::facility_type_system)
        findings.error(*facility, "the type of facility is of another code system", software_phrase);
    const auto* responsible = encounter->at("responsibleParty", "assignedEntity");
    if (responsible != nullptr && responsible->child("code") == nullptr)
        findings.error(*responsible, "the responsible biologist needs a profession", software_phrase);
}

void signers(const Element& root, Findings& findings) {
    const auto* author = root.at("author", "assignedAuthor");
    if (author != nullptr && author->child("code") == nullptr)
        findings.error(*author, "the author's profession is missing", "La profession de l'auteur du compte rendu manque.");
    std::set<std::string_view> validators;
    for (const auto* signer : root.all("authenticator")) {
        if (!has_templates(*signer, {templates::validator}))
            findings.error(*signer, "an authenticator lacks its templateId", software_phrase);
        const auto* id = signer->at("assignedEntity", "id");
        if (id != nullptr && !validators.insert(id->attribute("extension")).second)
            findings.error(*signer, "an authenticator is there twice", software_phrase);
    }
    std::set<std::pair<std::string_view, std::string_view>> orders;
    for (const auto* each : root.all("inFulfillmentOf")) {
        const auto* id = each->at("order", "id");
        if (id != nullptr && !orders.emplace(id->attribute("root"), id->attribute("extension")).second)
            findings.error(*each, "an order is there twice", software_phrase);
    }
    for (const auto* recipient : root.all("informationRecipient")) {
        const auto* intended = recipient->child("intendedRecipient");
        if (intended == nullptr) continue;
        if (!has_templates(*intended, {templates::intended_recipient}))
            findings.error(*intended, "a recipient lacks its templateId", software_phrase);
        if (intended->child("informationRecipient") == nullptr && intended->child("receivedOrganization") == nullptr)
            findings.error(*intended, "a recipient is a person or an organisation", "Un destinataire du compte rendu n'est pas nommé.");
    }
}

// Every time that the schema let through by its form must exist in the calendar.
void times(const Tree& tree, Findings& findings) {
    for (const auto& element : tree.elements) {
        if (element.name != "effectiveTime" && element.name != "time" && element.name != "low" && element.name != "high")
            continue;
        const auto value = element.attribute("value");
        if (value.empty() || element.has_attribute("unit")) continue;
        const bool of_time = element.name == "effectiveTime" || element.name == "time" ||
                             (element.parent != nullptr &&
                              (element.parent->name == "effectiveTime" || element.parent->name == "time"));
        if (!of_time) continue;
        if (!Timestamp::parse(value)) findings.error(element, "an impossible date or time", date_phrase);
        const auto* low = element.name == "high" && element.parent != nullptr ? element.parent->child("low") : nullptr;
        if (low == nullptr) continue;
        const auto from = Timestamp::parse(low->attribute("value"));
        const auto to = Timestamp::parse(value);
        if (from && to && TimeZone::utc().to_instant(*to) < TimeZone::utc().to_instant(*from))
            findings.error(*element.parent, "the end is before the beginning", date_phrase);
    }
}

}  // namespace

void header_rules(const Tree& tree, const CheckOptions& options, Findings& findings) {
    const auto& root = *tree.root();
    document(root, findings);
    patient(root, options, findings);
    signers(root, findings);
    care(root, findings);
    times(tree, findings);
}

}  // namespace sgl::cda::detail
