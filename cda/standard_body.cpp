// Ring 2, the standard's part: the body of a CR-BIO of any version and of a level 1 document (spec/cr-bio.md 5, 6, 9).
#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "cda/codes.hpp"
#include "cda/detail_read.hpp"
#include "cda/detail_standard.hpp"
#include "cda/keys.hpp"
#include "cda/templates.hpp"
#include "cda/units.hpp"
#include "lib/base/decimal.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda::detail {

namespace {

using Version = Standard::Version;

constexpr std::string_view body_phrase =
    "Le corps du document n'est pas conforme au volet CR-BIO : son émetteur doit le corriger.";
constexpr std::string_view result_phrase = "Un résultat du document est incomplet ou incohérent.";
constexpr std::string_view code_phrase = "Un examen du document est mal codé.";
constexpr std::string_view range_phrase = "Les valeurs de référence d'un examen sont incohérentes.";
constexpr std::string_view previous_phrase = "Une antériorité du document est incohérente avec son examen.";
constexpr std::string_view narrative_phrase = "Un résultat codé ne figure pas dans le texte du document.";
constexpr std::string_view file_phrase = "Un fichier contenu dans le document est vide ou abîmé.";
constexpr std::string_view actor_phrase =
    "Un professionnel ou une structure du document est mal décrit : son émetteur doit le corriger.";

constexpr std::string_view image_fr = "1.2.250.1.213.1.1.3.103";
constexpr std::string_view second_intention = "1.2.250.1.213.1.1.2.60";
constexpr std::string_view recommendation_reason = "1.2.250.1.213.1.1.2.128";
constexpr std::string_view vaccinations = "1.2.250.1.213.1.1.2.147";

bool has_words(const Element& element) {
    return element.text.find_first_not_of(" \t\r\n") != std::string::npos ||
           std::ranges::any_of(element.children, [](const Element* child) { return has_words(*child); });
}

bool blank(const Element* element) {
    return element == nullptr || !has_words(*element);
}

bool is_whole_pdf(std::string_view pdf) {
    const auto tail = pdf.substr(pdf.size() - std::min<std::size_t>(pdf.size(), 1024));
    return pdf.starts_with("%PDF-") && tail.find("%%EOF") != std::string_view::npos;
}

std::optional<Decimal> number(const Element* element) {
    if (element == nullptr) return std::nullopt;
    auto parsed = Decimal::parse(element->attribute("value"));
    if (!parsed) return std::nullopt;
    return std::move(*parsed);
}

class Body {
public:
    Body(const Tree& tree, const Standard& standard, Findings& findings)
        : tree_(tree), root_(*tree.root()), standard_(standard), findings_(findings) {
        for (const auto& element : tree.elements)
            if (const auto id = element.attribute("ID"); !id.empty()) anchors_.emplace(id, &element);
        for (const std::string_view kind : {"legalAuthenticator", "authenticator"})
            for (const auto* signer : root_.all(kind))
                if (const auto* entity = signer->child("assignedEntity"))
                    for (const auto* id : entity->all("id"))
                        signers_.insert(id->attribute("extension"));
    }

    void rules() {
        for (const auto* component : root_.all("component")) {
            if (const auto* text = component->at("nonXMLBody", "text")) unstructured(*text);
            if (const auto* body = component->child("structuredBody"); body != nullptr && standard_.cr_bio)
                sections(*body);
        }
        for (const auto& element : tree_.elements) {
            pointers(element);
            numbers(element);
            if (standard_.cr_bio) statement(element);
        }
    }

private:
    void pointers(const Element& element) {
        if (element.name == "reference") {
            const auto pointer = element.attribute("value");
            if (pointer.starts_with('#') && !anchors_.contains(pointer.substr(1)))
                findings_.error(element, "the pointer leads nowhere", narrative_phrase);
            else if (!pointer.starts_with('#') &&
                     (element.parent->name == "originalText" || element.parent->name == "text"))
                findings_.warning(element, "the pointer does not begin with #", narrative_phrase);
        } else if (element.name == "renderMultiMedia") {
            for (const auto id : split(element.attribute("referencedObject"), ' '))
                if (!id.empty() && !anchors_.contains(id))
                    findings_.error(element, "the narrative shows a media that is absent", narrative_phrase);
        }
    }

    void numbers(const Element& element) {
        if (element.name == "value" || element.name == "low" || element.name == "high") {
            const auto type = element.attribute("xsi:type");
            const bool of_number = type == "PQ" || type == "REAL" || type == "INT" || element.has_attribute("unit");
            if (of_number && element.has_attribute("value") && !number(&element))
                findings_.error(element, "a number is written with digits and a decimal point", result_phrase);
            if (type == "PQ" && !element.has_attribute("value") && !element.has_attribute("nullFlavor"))
                findings_.error(element, "a quantity has its number", result_phrase);
        }
        const auto low = number(element.child("low"));
        const auto high = number(element.child("high"));
        if (element.name == "value" && low && high && *low > *high)
            findings_.error(element, "the low limit is above the high one", range_phrase);
    }

    void unstructured(const Element& text) {
        const auto media = text.attribute("mediaType");
        if (media != "application/pdf" && media != "text/plain")
            findings_.error(text, "the body of a level 1 document is application/pdf or text/plain", file_phrase);
        if (text.attribute("representation") != "B64")
            findings_.error(text, "the body of a level 1 document has representation B64", file_phrase);
        const auto bytes = base64_decode(text.text);
        if (!bytes || bytes->empty())
            findings_.error(text, "the body is empty or not Base64", file_phrase);
        else if (media == "application/pdf" && !is_whole_pdf(*bytes))
            findings_.error(text, "the body is not a whole PDF", file_phrase);
    }

    // ------------------------------------------------------------------------------------------------- sections
    void sections(const Element& body) {
        unsigned chapters = 0;
        unsigned copies = 0;
        for (const auto* component : body.all("component")) {
            const auto* section = component->child("section");
            if (section == nullptr) continue;
            const bool later = standard_.version == Version::v2023 || standard_.version == Version::v2024;
            if (has_template(*section, templates::chapter_ihe)) {
                ++chapters;
                chapter(*section);
            } else if (has_template(*section, templates::comment_section_ihe)) {
                comment_section(*section);
            } else if (has_template(*section, second_intention)) {
                if (section->child("code") == nullptr) findings_.error(*section, "a section has its code", body_phrase);
                if (section->child("entry") == nullptr)
                    findings_.error(*section, "results of second intention are attached documents", body_phrase);
            } else if (later && has_template(*section, templates::pdf_copy_section)) {
                ++copies;
                pdf_copy(*section);
            } else if (!(later &&
                         (has_template(*section, recommendation_reason) || has_template(*section, vaccinations)))) {
                findings_.error(*section, "this version of the CR-BIO has no such section", body_phrase);
            }
        }
        if (chapters == 0)
            findings_.error(body, "a report has at least one chapter", "Le compte rendu n'a aucun chapitre.");
        if (standard_.version == Version::v2024 && copies != 1)
            findings_.error(body, "a report of 2024.01 has exactly one PDF copy",
                            "La copie PDF manque dans le compte rendu.");
        if (copies > 1) findings_.error(body, "more than one PDF copy", body_phrase);
    }

    void section_code(const Element& section, bool loinc_only) {
        const auto* code = section.child("code");
        if (code == nullptr) {
            if (!loinc_only) findings_.error(section, "a chapter has its code", body_phrase);
            return;
        }
        const auto system = code->attribute("codeSystem");
        if (loinc_only && !system.empty() && system != codes::loinc_system)
            findings_.error(*code, "the code of a sub-chapter is LOINC, or there is none", code_phrase);
        if (!loinc_only && (code->attribute("code").empty() || system.empty()))
            findings_.error(*code, "the code of a chapter has its system", code_phrase);
        const auto* known = codes::find(codes::chapters, code->attribute("code"));
        if (!loinc_only && (known == nullptr || known->system != system))
            findings_.warning(*code, "the code is no chapter of the last national list known here", code_phrase);
    }

    void chapter(const Element& section) {
        if (!has_template(section, templates::chapter_fr))
            findings_.error(section, "a chapter declares both of its templates", body_phrase);
        section_code(section, false);
        const auto parts = section.all("component");
        const bool own = section.child("text") != nullptr || section.child("entry") != nullptr;
        if (parts.empty() == !own)
            findings_.error(section, "a chapter holds either results or sub-chapters", body_phrase);
        if (own) results(section);
        for (const auto* component : parts) {
            const auto* part = component->child("section");
            if (part == nullptr) continue;
            if (!has_template(*part, templates::sub_chapter_ihe) || !has_template(*part, templates::sub_chapter_fr))
                findings_.error(*part, "a sub-chapter declares both of its templates", body_phrase);
            section_code(*part, true);
            if (part->child("component") != nullptr)
                findings_.error(*part, "nothing is deeper than a sub-chapter", body_phrase);
            results(*part);
        }
    }

    void results(const Element& section) {
        if (blank(section.child("text")))
            findings_.error(section, "the narrative is empty", "Le texte d'un chapitre est vide.");
        const auto entries = section.all("entry");
        if (entries.size() != 1) findings_.error(section, "a section of results has exactly one entry", body_phrase);
        for (const auto* entry : entries) {
            if (entry->attribute("typeCode") != "DRIV") findings_.error(*entry, "a results entry is DRIV", body_phrase);
            if (!has_template(*entry, templates::results_entry_ihe) ||
                !has_template(*entry, templates::results_entry_fr))
                findings_.error(*entry, "a results entry declares both of its templates", body_phrase);
            const auto* act = entry->child("act");
            if (act == nullptr) {
                findings_.error(*entry, "a results entry holds one act", body_phrase);
                continue;
            }
            if (const auto* code = act->child("code");
                code != nullptr && code->has_attribute("code") && code->attribute("codeSystem") != codes::loinc_system)
                findings_.error(*code, "the code of the act is LOINC, or empty", code_phrase);
            status(*act, true);
            const auto relations = act->all("entryRelationship");
            if (std::ranges::none_of(relations,
                                     [](const Element* each) { return each->attribute("typeCode") == "COMP"; }))
                findings_.error(*act, "an entry has at least one component (COMP)", body_phrase);
            if (const auto* time = act->child("effectiveTime");
                time != nullptr && (time->child("low") == nullptr || time->child("high") == nullptr) &&
                !time->has_attribute("nullFlavor"))
                findings_.error(*time, "the time of an act has its begin and its end", body_phrase);
        }
    }

    void comment_section(const Element& section) {
        if (!has_template(section, templates::comment_section_hl7) ||
            !has_template(section, templates::comment_section_fr))
            findings_.error(section, "a comment section declares its three templates", body_phrase);
        wants_code(section, "55112-7");
        if (section.child("entry") != nullptr) findings_.error(section, "a comment section has no entry", body_phrase);
        if (blank(section.child("text")))
            findings_.error(section, "an empty comment", "Un commentaire du document est vide.");
    }

    void pdf_copy(const Element& section) {
        wants_code(section, "55108-5");
        if (const auto* title = section.child("title"); title == nullptr || trim(title->text) != "Copie du document")
            findings_.error(section, "the title of the PDF copy is fixed", body_phrase);
        const auto entries = section.all("entry");
        const auto* organizer = entries.size() == 1 ? entries.front()->child("organizer") : nullptr;
        if (organizer == nullptr) findings_.error(section, "the PDF copy holds one attached document", body_phrase);
    }

    void wants_code(const Element& parent, std::string_view code) {
        const auto* own = parent.child("code");
        if (own == nullptr || own->attribute("code") != code || own->attribute("codeSystem") != codes::loinc_system)
            findings_.error(parent, "wants the code " + std::string(code), code_phrase);
    }

    void status(const Element& of, bool may_be_active) {
        const auto* code = of.child("statusCode");
        const auto text = code == nullptr ? std::string_view() : code->attribute("code");
        if (text != "completed" && text != "aborted" && !(may_be_active && text == "active"))
            findings_.error(of, "the status is completed, aborted, or active where results are to come", result_phrase);
    }

    // ----------------------------------------------------------------------------------------------- statements
    void statement(const Element& element) {
        const auto& name = element.name;
        if (name == "observation" && has_template(element, templates::observation_ihe)) {
            result(element);
        } else if (name == "organizer") {
            organizer(element);
        } else if (name == "procedure" && has_template(element, templates::collection_ihe)) {
            collection(element);
        } else if (name == "observationMedia") {
            media(element);
        } else if (name == "act" && has_template(element, templates::comment_ihe)) {
            comment(element);
        } else if (name == "participant" && element.attribute("typeCode") == "AUTHEN") {
            validator(element);
        } else if (name == "performer" && (has_template(element, templates::laboratory_performer) ||
                                           has_template(element, templates::body_performer))) {
            const auto* structure = element.at("assignedEntity", "representedOrganization");
            if (structure == nullptr || structure->child("id") == nullptr || structure->child("name") == nullptr ||
                structure->child("telecom") == nullptr || structure->child("addr") == nullptr ||
                structure->child("standardIndustryClassCode") == nullptr)
                findings_.error(element,
                                "a performing laboratory has identifier, name, telecom, address and practice setting",
                                actor_phrase);
            if (element.child("time") == nullptr)
                findings_.error(element, "a performing laboratory has the time of its work", actor_phrase);
        }
    }

    void organizer(const Element& element) {
        if (has_template(element, templates::battery_ihe)) {
            if (!has_template(element, templates::battery_fr))
                findings_.error(element, "a battery declares both of its templates", body_phrase);
            if (element.attribute("classCode") != "BATTERY")
                findings_.error(element, "a battery is of class BATTERY", body_phrase);
            status(element, true);
        } else if (has_template(element, templates::isolate_ihe)) {
            if (!has_template(element, templates::isolate_fr))
                findings_.error(element, "an isolate declares both of its templates", body_phrase);
            if (element.attribute("classCode") != "CLUSTER")
                findings_.error(element, "an isolate is of class CLUSTER", body_phrase);
            status(element, true);
            const auto* germ = element.at("specimen", "specimenRole", "specimenPlayingEntity");
            if (germ == nullptr || germ->attribute("classCode") != "MIC" || germ->child("code") == nullptr)
                findings_.error(element, "an isolate names its germ", result_phrase);
        } else if (has_template(element, templates::attached_document)) {
            wants_code(element, "55107-7");
            if (element.all("component").size() != 2)
                findings_.error(element, "an attached document holds its type and its bytes", body_phrase);
        }
    }

    void result(const Element& observation) {
        if (!has_template(observation, templates::observation_fr))
            findings_.error(observation, "a result declares both of its templates", body_phrase);
        if (observation.attribute("moodCode") != "EVN")
            findings_.error(observation, "a result is an event (EVN)", body_phrase);
        status(observation, false);
        examination(observation);
        const auto* state = observation.child("statusCode");
        const bool completed = state != nullptr && state->attribute("code") == "completed";
        if (completed && observation.child("value") == nullptr && observation.child("interpretationCode") == nullptr)
            findings_.error(observation, "a completed result has a value", result_phrase);
        if (completed && observation.child("effectiveTime") == nullptr)
            findings_.warning(observation, "a completed result has its time", result_phrase);
        for (const auto* flag : observation.all("interpretationCode"))
            interpretation(*flag);
        for (const auto* value : observation.all("value")) {
            const auto type = value->attribute("xsi:type");
            if (type.empty() && !value->has_attribute("nullFlavor"))
                findings_.error(*value, "a value says its type", result_phrase);
            if (const auto* code = observation.child("code");
                code != nullptr && type == "PQ" &&
                units::contradict(code->attribute("displayName"), value->attribute("unit")))
                findings_.warning(*value, "the unit is of another kind than what the examination's label measures",
                                  code_phrase);
            if (type == "CD" && value->has_attribute("code") && value->attribute("codeSystem").empty())
                findings_.error(*value, "a coded result comes with its system", result_phrase);
        }
        const auto ranges = observation.all("referenceRange");
        if (ranges.size() > 1) findings_.error(observation, "a result has at most one reference range", range_phrase);
        for (const auto* range : ranges)
            reference_range(observation, *range);
        for (const auto* relation : observation.all("entryRelationship"))
            if (const auto* previous = relation->child("observation");
                previous != nullptr && relation->attribute("typeCode") == "REFR")
                previous_result(observation, *previous);
        in_narrative(observation);
    }

    void examination(const Element& observation) {
        const auto* code = observation.child("code");
        if (code == nullptr) return;
        const auto system = code->attribute("codeSystem");
        const auto* above = observation.parent;
        const bool grouped = above->name == "component";
        if (code->has_attribute("code")) {
            if (system.empty() || !code->has_attribute("displayName"))
                findings_.error(*code, "a code comes with its label and its system", code_phrase);
            else if (system != codes::loinc_system && (grouped || standard_.version == Version::v2021))
                findings_.error(*code, "a code other than LOINC is a translation", code_phrase);
        } else if (code->child("translation") == nullptr && !code->has_attribute("nullFlavor")) {
            findings_.error(*code, "a result has neither a code nor a translation", code_phrase);
        }
        for (const auto* each : code->all("translation"))
            if (!each->has_attribute("code") || !each->has_attribute("displayName"))
                findings_.error(*each, "a translation has its code and its label", code_phrase);
        if (code->all("originalText").size() != 1 || code->at("originalText", "reference") == nullptr)
            findings_.error(*code, "the code points to its label in the narrative, once", narrative_phrase);
    }

    void interpretation(const Element& flag) {
        const auto* known = codes::find(codes::interpretations, flag.attribute("code"));
        if (known == nullptr || flag.attribute("codeSystem") != codes::interpretation_system)
            findings_.error(flag, "the flag is not of the value set of interpretations", result_phrase);
    }

    void reference_range(const Element& observation, const Element& range) {
        const auto* limits = range.at("observationRange", "value");
        if (limits == nullptr) return;
        const auto* low = limits->child("low");
        const auto* high = limits->child("high");
        if (low != nullptr && high != nullptr && low->attribute("unit") != high->attribute("unit"))
            findings_.error(*limits, "the limits have two units", range_phrase);
        const auto* value = observation.child("value");
        const auto* limit = low != nullptr ? low : high;
        if (value == nullptr || limit == nullptr || value->attribute("xsi:type") != "PQ") return;
        if (limit->attribute("unit") != value->attribute("unit")) {
            findings_.error(*limits, "the range has another unit than the result", range_phrase);
            return;
        }
        const auto measured = number(value);
        const auto* flag = observation.child("interpretationCode");
        if (!measured || flag == nullptr) return;
        const auto letter = flag->attribute("code");
        const auto from = number(low);
        const auto to = number(high);
        if (from && *measured < *from && (letter == "N" || letter == "H" || letter == "HH"))
            findings_.warning(*flag, "the value is below the range and not flagged so", result_phrase);
        if (to && *measured > *to && (letter == "N" || letter == "L" || letter == "LL"))
            findings_.warning(*flag, "the value is above the range and not flagged so", result_phrase);
    }

    void previous_result(const Element& observation, const Element& previous) {
        const auto* time = previous.child("effectiveTime");
        if (time == nullptr || (time->attribute("value").empty() && time->children.empty()))
            findings_.error(previous, "a previous result has its date", previous_phrase);
        if (previous.child("value") == nullptr)
            findings_.error(previous, "a previous result has its value", previous_phrase);
        if (const auto* state = previous.child("statusCode");
            state == nullptr || state->attribute("code") != "completed")
            findings_.error(previous, "a previous result is completed", previous_phrase);
        const auto* own = observation.child("code");
        const auto* before = previous.child("code");
        if (own != nullptr && before != nullptr && own->attribute("code") != before->attribute("code"))
            findings_.error(previous, "the previous result is of another examination", previous_phrase);
        const auto* value = observation.child("value");
        const auto* former = previous.child("value");
        if (value != nullptr && former != nullptr && value->attribute("xsi:type") == "PQ" &&
            former->attribute("xsi:type") == "PQ" && value->attribute("unit") != former->attribute("unit"))
            findings_.error(previous, "the previous result has another unit", previous_phrase);
        for (const auto* flag : previous.all("interpretationCode"))
            interpretation(*flag);
    }

    // The section says every number that an entry says.
    void in_narrative(const Element& observation) {
        if (const auto* place = observation.at("code", "originalText", "reference")) {
            const auto pointer = place->attribute("value");
            const auto found = anchors_.find(pointer.starts_with('#') ? pointer.substr(1) : pointer);
            if (found != anchors_.end()) {
                // Many results may point to one place.
                const auto [known, first] = blanks_.try_emplace(found->second, false);
                if (first) known->second = blank(found->second);
                if (known->second) findings_.error(observation, "the words pointed to are empty", narrative_phrase);
            }
        }
        const auto* value = observation.child("value");
        if (value == nullptr) return;
        const auto* counted = value->has_attribute("value")    ? value
                              : value->child("low") != nullptr ? value->child("low")
                                                               : value->child("high");
        const auto text = counted == nullptr ? std::string_view() : counted->attribute("value");
        if (text.empty()) return;
        const auto* section = &observation;
        while (section != nullptr && section->name != "section")
            section = section->parent;
        const auto* narrative = section == nullptr ? nullptr : section->child("text");
        if (narrative == nullptr) return;
        auto [known, first] = narratives_.try_emplace(narrative);
        if (first) known->second = replace_all(narrative->all_text(), ",", ".");
        constexpr std::size_t enough = 500'000'000;  // of bytes looked at: no real report comes near
        searched_ += known->second.size();
        if (searched_ < enough && known->second.find(text) == std::string::npos)
            findings_.warning(*value, "the narrative does not say this value as it is coded", narrative_phrase);
    }

    void collection(const Element& procedure) {
        if (!has_template(procedure, templates::collection_fr))
            findings_.error(procedure, "a specimen collection declares both of its templates", body_phrase);
        if (procedure.child("effectiveTime") == nullptr)
            findings_.error(procedure, "a specimen collection has its time", "L'heure d'un prélèvement manque.");
        const auto participants = procedure.all("participant");
        if (participants.size() != 1 || participants.front()->attribute("typeCode") != "PRD" ||
            participants.front()->child("participantRole") == nullptr ||
            participants.front()->child("participantRole")->attribute("classCode") != "SPEC") {
            findings_.error(procedure, "a specimen collection has one specimen (PRD, SPEC)", body_phrase);
        } else {
            const auto* role = participants.front()->child("participantRole");
            if (role->all("id").size() != 1)
                findings_.error(*role, "a specimen has exactly one identifier", body_phrase);
            const auto* code = role->at("playingEntity", "code");
            const auto* known = code == nullptr ? nullptr : codes::find(codes::specimens, code->attribute("code"));
            if (known != nullptr && known->system != code->attribute("codeSystem"))
                findings_.error(*code, "the type of specimen is of another code system", code_phrase);
        }
        for (const auto* relation : procedure.all("entryRelationship")) {
            const auto* act = relation->child("act");
            if (act == nullptr || !has_template(*act, templates::reception_ihe)) continue;
            const auto* code = act->child("code");
            if (code == nullptr || code->attribute("code") != "SPRECEIVE" ||
                code->attribute("codeSystem") != codes::ihe_act_code_system)
                findings_.error(*act, "the reception of a specimen has its fixed code", code_phrase);
            const auto* time = act->child("effectiveTime");
            if (time == nullptr || time->attribute("value").empty())
                findings_.error(*act, "the reception of a specimen has its time",
                                "L'heure de réception d'un prélèvement manque.");
        }
    }

    void media(const Element& element) {
        const auto* value = element.child("value");
        if (value == nullptr) return;
        const auto type = value->attribute("mediaType");
        if (value->child("reference") != nullptr) return;
        if (value->attribute("representation") != "B64")
            findings_.error(*value, "a file inside is Base64 (B64)", file_phrase);
        const auto bytes = base64_decode(value->text);
        if (!bytes || bytes->empty())
            findings_.error(*value, "a file inside is empty or not Base64", file_phrase);
        else if (type == "application/pdf" && !bytes->starts_with("%PDF-"))
            findings_.error(*value, "the attached content does not begin as a PDF", file_phrase);
        else if (type == "application/pdf" && !is_whole_pdf(*bytes))
            findings_.warning(*value, "the PDF has no end: it may be cut", file_phrase);
        constexpr std::array<std::string_view, 5> images{"image/gif", "image/jpeg", "image/png", "image/bmp",
                                                         "image/bm"};
        if (has_template(element, image_fr) && std::ranges::find(images, type) == images.end())
            findings_.error(*value, "an illustration is gif, jpeg, png or bmp", file_phrase);
    }

    void comment(const Element& act) {
        if (!has_template(act, templates::comment_fr) || !has_template(act, templates::comment_ccd))
            findings_.error(act, "a comment declares its three templates", body_phrase);
        wants_code(act, "48767-8");
        if (act.child("text") == nullptr) findings_.error(act, "a comment has its text", body_phrase);
    }

    void validator(const Element& participant) {
        const auto* role = participant.child("participantRole");
        if (role == nullptr) return;
        const auto ids = role->all("id");
        if (std::ranges::none_of(ids, [&](const Element* id) { return signers_.contains(id->attribute("extension")); }))
            findings_.error(participant,
                            "a validating biologist is neither authenticator nor legalAuthenticator of the header",
                            "Un biologiste a validé des résultats mais ne signe pas le compte rendu.");
    }

    const Tree& tree_;
    const Element& root_;
    const Standard& standard_;
    Findings& findings_;
    std::unordered_map<std::string_view, const Element*> anchors_;
    std::unordered_set<std::string_view> signers_;
    std::unordered_map<const Element*, std::string> narratives_;
    std::unordered_map<const Element*, bool> blanks_;
    std::size_t searched_{};
};

}  // namespace

void standard_body_rules(const Tree& tree, const Standard& standard, Findings& findings) {
    Body(tree, standard, findings).rules();
}

}  // namespace sgl::cda::detail
