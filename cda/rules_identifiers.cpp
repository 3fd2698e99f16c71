// Rules of identifiers, codes and pointers anywhere in the document (spec/cr-bio.md 3, 9).
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "cda/codes.hpp"
#include "cda/detail_rules.hpp"
#include "cda/keys.hpp"

namespace sgl::cda::detail {

namespace {

constexpr std::string_view professional_phrase = "L'identifiant d'un professionnel (RPPS) est incorrect dans le compte rendu.";
constexpr std::string_view structure_phrase = "L'identifiant d'une structure (FINESS) est incorrect dans le compte rendu.";
constexpr std::string_view software_phrase = "Le compte rendu produit n'est pas conforme : prévenez l'informatique du laboratoire.";

bool digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool upper_or_digit(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

void professional_id(const Element& id, Findings& findings) {
    const auto text = id.attribute("extension");
    if (text.starts_with('8')) {
        if (text.size() != 12 || !digits(text))
            findings.error(id, "a professional is 8 and the 11 digits of an RPPS", professional_phrase);
        else if (!keys::luhn_holds(text.substr(1)))
            findings.warning(id, "the key of the RPPS does not hold", professional_phrase);
    } else if (text.starts_with('0')) {
        if (text.size() != 10 || !upper_or_digit(text))
            findings.error(id, "a professional is 0 and the 9 characters of an ADELI number", professional_phrase);
    } else {
        // Other prefixes exist (students, structures' own numbers): a receiver takes them.
        findings.warning(id, "a professional is identified by 8 + RPPS or 0 + ADELI", professional_phrase);
    }
}

void structure_id(const Element& id, Findings& findings) {
    const auto text = id.attribute("extension");
    if (text.starts_with('1')) {
        auto rest = text.substr(1);
        const bool corsica = rest.size() == 9 && (rest[1] == 'A' || rest[1] == 'B');
        if (rest.size() != 9 || !(digits(rest) || (corsica && digits(rest.substr(0, 1)) && digits(rest.substr(2)))))
            findings.error(id, "a structure is 1 and the 9 characters of a FINESS", structure_phrase);
        else if (!corsica && !keys::luhn_holds(rest))
            findings.warning(id, "the key of the FINESS does not hold", structure_phrase);
    } else if (text.starts_with('3')) {
        if (text.size() != 15 || !digits(text))
            findings.error(id, "a structure is 3 and the 14 digits of a SIRET", structure_phrase);
        else if (!keys::luhn_holds(text.substr(1)))
            findings.warning(id, "the key of the SIRET does not hold", structure_phrase);
    } else if (!text.starts_with('0') || text.size() != 10 || !upper_or_digit(text)) {
        findings.warning(id, "a structure is identified by 1 + FINESS, 3 + SIRET or 0 + ADELI", structure_phrase);
    }
}

void identifier(const Element& id, Findings& findings) {
    const auto root = id.attribute("root");
    if (root == codes::professional_root) professional_id(id, findings);
    if (root == codes::structure_root) structure_id(id, findings);
}

bool signs_or_treats(const Element& role) {
    return role.name == "assignedAuthor" || role.name == "assignedEntity" || role.name == "associatedEntity" ||
           role.name == "participantRole";
}

// Who signs is identified nationally, and what may say "unknown" says so.
void our_actor(const Element& element, Findings& findings) {
    const auto& name = element.name;
    if (name == "id") {
        const auto root = element.attribute("root");
        const auto first = element.attribute("extension").substr(0, 1);
        if (root == codes::professional_root && first != "8" && first != "0")
            findings.error(element, "a professional of ours is identified by 8 + RPPS or 0 + ADELI", professional_phrase);
        if (root == codes::structure_root && first != "1" && first != "3" && first != "0")
            findings.error(element, "a structure of ours is identified by 1 + FINESS, 3 + SIRET or 0 + ADELI", structure_phrase);
    }
    // Of another laboratory the body may know the structure alone.
    const bool elsewhere = name == "assignedEntity" && element.parent->parent->name == "observation";
    if (elsewhere)
        for (const auto* id : element.all("id"))
            if (id->attribute("root") != codes::professional_root && id->attribute("root") != codes::structure_root)
                findings.error(*id, "a performing laboratory is identified by its director or by FINESS, SIRET or ADELI", structure_phrase);
    const bool signs = name == "assignedAuthor" || (name == "assignedEntity" && !elsewhere) ||
                       (name == "participantRole" && element.parent->attribute("typeCode") == "AUTHEN");
    if (signs)
        for (const auto* id : element.all("id"))
            if (id->attribute("root") != codes::professional_root)
                findings.error(*id, "who acts in a laboratory is identified by RPPS or ADELI", professional_phrase);
    const bool structure = name == "representedOrganization" || name == "representedCustodianOrganization" ||
                           name == "receivedOrganization" || name == "scopingOrganization";
    if (structure) {
        const auto ids = element.all("id");
        for (const auto* id : ids)
            if (id->attribute("root") != codes::structure_root && id->attribute("root") != codes::cofrac_root)
                findings.error(*id, "a structure is identified by FINESS, SIRET or ADELI, and its accreditation", structure_phrase);
        if (!ids.empty() && ids.front()->attribute("root") != codes::structure_root)
            findings.error(element, "the accreditation of a laboratory comes after its FINESS", structure_phrase);
    }
    if (name == "code" && (signs_or_treats(*element.parent)) && element.attribute("codeSystem") != codes::speciality_system &&
        element.attribute("codeSystem") != codes::qualification_system)
        findings.error(element, "a profession is of one of its two code systems", professional_phrase);
    if (name == "functionCode") {
        const auto code = element.attribute("code");
        const auto wanted = code == "PCP" ? codes::participation_function_system
                            : code == "PRELV" || code == "CORRE" ? codes::function_system
                                                                 : std::string_view();
        if (wanted.empty() || element.attribute("codeSystem") != wanted)
            findings.error(element, "the function of a participant is collector, usual physician or correspondent", software_phrase);
    }
    if (name == "standardIndustryClassCode" && element.has_attribute("code") == element.has_attribute("nullFlavor"))
        findings.error(element, "a practice setting is coded, or said to be unknown", structure_phrase);
    if (name == "standardIndustryClassCode" && element.has_attribute("code") && element.attribute("codeSystem") != codes::practice_setting_system &&
        element.attribute("codeSystem") != "1.2.250.1.213.1.1.4.6")
        findings.error(element, "the practice setting is of another code system", structure_phrase);
    if (name == "telecom" && element.has_attribute("value") == element.has_attribute("nullFlavor"))
        findings.error(element, "a telecom has its value, or says that it is unknown", software_phrase);
    if (name == "addr" && element.children.empty() != element.has_attribute("nullFlavor"))
        findings.error(element, "an address has its lines, or says that it is unknown", software_phrase);
    if (name == "time" && !element.has_attribute("value") && element.children.empty() && !element.has_attribute("nullFlavor"))
        findings.error(element, "a time is given, or said not to apply", software_phrase);
}

}  // namespace

void identifier_rules(const Tree& tree, Findings& findings) {
    std::unordered_set<std::string_view> anchors;
    std::unordered_set<std::string> seen;  // the same person stands in many places: said once
    for (const auto& element : tree.elements) {
        const auto anchor = element.attribute("ID");
        if (!anchor.empty() && !anchors.insert(anchor).second)
            findings.error(element, "two elements have the same ID", software_phrase);
        if (element.name == "id") {
            const auto root = element.attribute("root");
            if (seen.insert(std::string(root).append("^").append(element.attribute("extension"))).second)
                identifier(element, findings);
        }
        if (element.attribute("codeSystem") == codes::loinc_system && element.has_attribute("code") &&
            !keys::is_loinc(element.attribute("code")))
            findings.error(element, "not a LOINC code: its form or its check digit is wrong",
                           "Un code LOINC du compte rendu est faux : vérifiez le catalogue.");
    }
}

void our_pointer_rules(const Tree& tree, Findings& findings) {
    std::unordered_map<std::string_view, const Element*> anchors;
    for (const auto& element : tree.elements)
        if (const auto anchor = element.attribute("ID"); !anchor.empty()) anchors.emplace(anchor, &element);
    for (const auto& element : tree.elements) {
        if (element.name == "id" && element.attribute("root").starts_with("1.2.250.1.213.1.4.") &&
            (element.parent == nullptr || element.parent->name != "patientRole"))
            findings.error(element, "an INS outside the patient's identifiers", software_phrase);
        if (element.name == "reference") {
            const auto pointer = element.attribute("value");
            const auto found = anchors.find(pointer.empty() ? pointer : pointer.substr(1));
            if (!pointer.starts_with('#') || found == anchors.end())
                findings.error(element, "the pointer leads nowhere", software_phrase);
            else if (found->second->name != "content")
                findings.error(element, "the pointer does not lead into the narrative", software_phrase);
        }
        our_actor(element, findings);
        if (element.name == "renderMultiMedia") {
            const auto found = anchors.find(element.attribute("referencedObject"));
            if (found == anchors.end() || found->second->name != "observationMedia")
                findings.error(element, "the narrative shows a media that is absent", software_phrase);
        }
    }
}

}  // namespace sgl::cda::detail
