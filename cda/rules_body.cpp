// Rules of sections, their entries and the PDF copy (spec/cr-bio.md 5).
#include <algorithm>
#include <unordered_set>

#include "cda/codes.hpp"
#include "cda/detail_rules.hpp"
#include "cda/templates.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/time.hpp"

namespace sgl::cda::detail {

namespace {

constexpr std::string_view software_phrase = "Le compte rendu produit n'est pas conforme : prévenez l'informatique du laboratoire.";
constexpr std::string_view chapter_phrase = "Un chapitre du compte rendu n'est pas conforme : vérifiez le catalogue.";

class Body {
public:
    Body(const Element& root, Findings& findings) : root_(root), findings_(findings) {
        for (const auto* who : root.all("legalAuthenticator")) collect(who->child("assignedEntity"));
        for (const auto* who : root.all("authenticator")) collect(who->child("assignedEntity"));
    }

    void rules() {
        const auto* body = root_.at("component", "structuredBody");
        if (body == nullptr) return;
        unsigned chapters = 0;
        unsigned copies = 0;
        for (const auto* component : body->all("component")) {
            const auto* section = component->child("section");
            if (section == nullptr) continue;
            if (has_templates(*section, {templates::chapter_ihe, templates::chapter_fr})) {
                ++chapters;
                if (copies > 0) findings_.error(*section, "a chapter after the PDF copy", software_phrase);
                chapter(*section);
            } else if (has_templates(*section, {templates::pdf_copy_section})) {
                ++copies;
                pdf_copy(*section);
            } else if (has_templates(*section, {templates::comment_section_hl7, templates::comment_section_ihe,
                                                templates::comment_section_fr})) {
                if (chapters + copies > 0)
                    findings_.error(*section, "a comment section comes before the chapters", software_phrase);
                comment_section(*section);
            } else {
                findings_.error(*section, "a section of no known kind: its templateIds are incomplete or wrong",
                                software_phrase);
            }
        }
        if (chapters == 0) findings_.error(*body, "a report has at least one chapter", "Le compte rendu n'a aucun chapitre.");
        if (copies != 1) findings_.error(*body, "a report has exactly one PDF copy", "La copie PDF manque dans le compte rendu.");
    }

private:
    void collect(const Element* entity) {
        if (entity == nullptr) return;
        for (const auto* id : entity->all("id")) signers_.insert(id->attribute("extension"));
    }

    void wants_loinc(const Element& parent, std::string_view code) {
        wants_code(parent, code, codes::loinc_system, findings_);
    }

    void chapter(const Element& section) {
        chapter_code(section, false);
        const auto parts = section.all("component");
        if (parts.empty()) {
            if (section.child("entry") == nullptr)
                findings_.error(section, "a chapter has results or sub-chapters", chapter_phrase);
            results(section);
        }
        for (const auto* component : parts) {
            const auto* part = component->child("section");
            if (part == nullptr) continue;
            if (!has_templates(*part, {templates::sub_chapter_ihe, templates::sub_chapter_fr}))
                findings_.error(*part, "a sub-chapter declares both of its templates", software_phrase);
            chapter_code(*part, true);
            results(*part);
        }
    }

    void chapter_code(const Element& section, bool loinc_only) {
        const auto* code = section.child("code");
        if (code == nullptr) return;
        const auto system = code->attribute("codeSystem");
        const auto* known = codes::find(codes::chapters, code->attribute("code"));
        if (system != codes::loinc_system && (loinc_only || system != codes::waiting_system))
            findings_.error(*code, "the code of a chapter is LOINC or a national waiting code, of a sub-chapter LOINC",
                            chapter_phrase);
        else if (known == nullptr || known->system != system)
            findings_.error(*code, "the code is no chapter of the national list", chapter_phrase);
        else if (known->label != code->attribute("displayName"))
            findings_.warning(*code, "the label is not that of the national list", chapter_phrase);
    }

    void results(const Element& section) {
        const auto* text = section.child("text");
        if (text == nullptr || text->all_text().find_first_not_of(" \t\r\n") == std::string::npos)
            findings_.error(section, "the narrative is empty", "Le texte d'un chapitre est vide.");
        const auto* entry = section.child("entry");
        if (entry == nullptr) return;
        if (!has_templates(*entry, {templates::results_entry_ihe, templates::results_entry_fr}))
            findings_.error(*entry, "a results entry declares both of its templates", software_phrase);
        if (entry->attribute("typeCode") != "DRIV") findings_.error(*entry, "a results entry is DRIV", software_phrase);
        const auto* act = entry->child("act");
        if (act == nullptr) {
            findings_.error(*entry, "a results entry holds one act", software_phrase);
            return;
        }
        const auto* own = act->child("code");
        const auto* of_section = section.child("code");
        const auto loinc_of = [](const Element* code) {
            return code != nullptr && code->attribute("codeSystem") == codes::loinc_system ? code->attribute("code")
                                                                                           : std::string_view();
        };
        if (loinc_of(own) != loinc_of(of_section) || (own != nullptr && loinc_of(own).empty() && !own->attributes.empty()))
            findings_.error(*act, "the code of the act is that of its section, or empty when that is not LOINC", software_phrase);
        if (loinc_of(own) == loinc_of(of_section) && !loinc_of(own).empty() &&
            own->attribute("displayName") != of_section->attribute("displayName"))
            findings_.error(*own, "one code has two labels", chapter_phrase);
        const auto words = text == nullptr ? std::string() : text->all_text();
        constexpr std::string_view unsaid_phrase = "Le texte d'un chapitre ne dit pas tout : prévenez l'informatique du laboratoire.";
        for (const auto* participant : act->all("participant")) {
            validator(*participant);
            const auto* family = participant->at("participantRole", "playingEntity", "name", "family");
            if (family != nullptr && words.find(family->text) == std::string::npos)
                findings_.error(*participant, "the narrative does not name this biologist", unsaid_phrase);
        }
        std::unordered_set<std::string_view> specimens;
        for (const auto* relation : act->all("entryRelationship")) {
            const auto* procedure = relation->child("procedure");
            const auto* id = procedure == nullptr ? nullptr : procedure->at("participant", "participantRole", "id");
            if (id == nullptr) continue;
            if (!specimens.insert(id->attribute("extension")).second)
                findings_.error(*id, "a specimen is there twice", software_phrase);
            if (words.find(id->attribute("extension")) == std::string::npos)
                findings_.error(*id, "the narrative does not name this specimen", unsaid_phrase);
        }
        for (const auto* relation : act->all("entryRelationship")) {
            if (const auto* procedure = relation->child("procedure")) collection(*relation, *procedure);
            if (const auto* comment = relation->child("act")) comment_rules(*relation, *comment, findings_);
            if ((relation->child("observation") != nullptr || relation->child("organizer") != nullptr) &&
                relation->attribute("typeCode") != "COMP")
                findings_.error(*relation, "a result is a component of its act (COMP)", software_phrase);
        }
    }

    void validator(const Element& participant) {
        constexpr std::string_view phrase =
            "Un biologiste a validé des résultats mais ne signe pas le compte rendu.";
        if (!has_templates(participant, {templates::validator, templates::body_participant}))
            findings_.error(participant, "a validating biologist declares both templates", software_phrase);
        const auto* role = participant.child("participantRole");
        if (role == nullptr) return;
        for (const auto* id : role->all("id"))
            if (signers_.contains(id->attribute("extension"))) return;
        findings_.error(participant, "a validating biologist is neither authenticator nor legalAuthenticator of the header",
                        phrase);
    }

    void collection(const Element& relation, const Element& procedure) {
        if (relation.attribute("typeCode") != "COMP")
            findings_.error(relation, "a collection is a component of its act (COMP)", software_phrase);
        if (!has_templates(procedure, {templates::collection_ihe, templates::collection_fr}))
            findings_.error(procedure, "a specimen collection declares both of its templates", software_phrase);
        if (const auto* type = procedure.at("participant", "participantRole", "playingEntity", "code")) {
            const auto* known = codes::find(codes::specimens, type->attribute("code"));
            if (known != nullptr && known->system != type->attribute("codeSystem"))
                findings_.error(*type, "the type of specimen is of another code system",
                                "Le type d'un prélèvement est mal codé : vérifiez le catalogue.");
        }
        const auto* reception = procedure.at("entryRelationship", "act");
        if (reception == nullptr) return;
        if (!has_templates(*reception, {templates::reception_ihe, templates::reception_fr}))
            findings_.error(*reception, "a specimen reception declares both of its templates", software_phrase);
        wants_code(*reception, "SPRECEIVE", codes::ihe_act_code_system, findings_);
        const auto* taken = procedure.at("effectiveTime", "high");
        const auto* arrived = reception->child("effectiveTime");
        if (taken == nullptr || arrived == nullptr) return;
        const auto from = Timestamp::parse(taken->attribute("value"));
        const auto to = Timestamp::parse(arrived->attribute("value"));
        if (from && to && TimeZone::utc().to_instant(*to) < TimeZone::utc().to_instant(*from))
            findings_.warning(procedure, "the specimen was received before it was collected",
                              "Un prélèvement a été reçu avant d'être prélevé : vérifiez les heures.");
    }

    void comment_section(const Element& section) {
        wants_loinc(section, "55112-7");
        if (section.child("entry") != nullptr)
            findings_.error(section, "a comment section has no entry", software_phrase);
        const auto* text = section.child("text");
        if (text == nullptr || text->all_text().find_first_not_of(" \t\r\n") == std::string::npos)
            findings_.error(section, "an empty comment", "Un commentaire du compte rendu est vide.");
    }

    void pdf_copy(const Element& section) {
        wants_loinc(section, "55108-5");
        const auto* title = section.child("title");
        if (title == nullptr || title->text != "Copie du document")
            findings_.error(section, "the title of the PDF copy is fixed", software_phrase);
        const auto* entry = section.child("entry");
        const auto* organizer = entry == nullptr ? nullptr : entry->child("organizer");
        if (organizer == nullptr || !has_templates(*organizer, {templates::attached_document})) {
            findings_.error(section, "the PDF copy holds one attached document", software_phrase);
            return;
        }
        wants_loinc(*organizer, "55107-7");
        const auto parts = organizer->all("component");
        const auto* type = parts.empty() ? nullptr : parts.front()->child("observation");
        const auto* media = parts.empty() ? nullptr : parts.back()->at("observationMedia", "value");
        if (type == nullptr || media == nullptr ||
            !has_templates(*type, {templates::simple_observation_ihe, templates::simple_observation_fr,
                                   templates::attached_document_type})) {
            findings_.error(*organizer, "the attached document holds its type and its bytes", software_phrase);
            return;
        }
        wants_loinc(*type, "69764-9");
        const auto* kind = type->child("value");
        if (kind == nullptr || kind->attribute("xsi:type") != "CD" || kind->attribute("code") != "55108-5" ||
            kind->attribute("codeSystem") != codes::loinc_system || !kind->has_attribute("displayName"))
            findings_.error(*type, "the attached document is the copy of this one (55108-5)", software_phrase);
        const auto* text = section.child("text");
        if (text == nullptr || text->child("renderMultiMedia") == nullptr)
            findings_.error(section, "the narrative does not show the PDF copy", software_phrase);
        const auto bytes = base64_decode(media->text);
        const std::string_view pdf = bytes ? std::string_view(*bytes) : std::string_view();
        if (!pdf.starts_with("%PDF-") || pdf.substr(pdf.size() - std::min<std::size_t>(pdf.size(), 1024)).rfind("%%EOF") == std::string_view::npos)
            findings_.error(*media, "the PDF copy is not a whole PDF", "La copie PDF du compte rendu est vide ou abîmée.");
    }

    const Element& root_;
    Findings& findings_;
    std::unordered_set<std::string_view> signers_;
};

}  // namespace

void wants_code(const Element& parent, std::string_view code, std::string_view system, Findings& findings) {
    const auto* own = parent.child("code");
    if (own == nullptr || own->attribute("code") != code || own->attribute("codeSystem") != system)
        findings.error(parent, "wants the code " + std::string(code), software_phrase);
}

void comment_rules(const Element& relation, const Element& act, Findings& findings) {
    if (relation.name == "entryRelationship" && relation.attribute("typeCode") != "SUBJ")
        findings.error(relation, "a comment is a subject of its act (SUBJ)", software_phrase);
    if (!has_templates(act, {templates::comment_ccd, templates::comment_ihe, templates::comment_fr}))
        findings.error(act, "a comment declares its three templates", software_phrase);
    wants_code(act, "48767-8", codes::loinc_system, findings);
}

void body_rules(const Tree& tree, Findings& findings) { Body(*tree.root(), findings).rules(); }

}  // namespace sgl::cda::detail
