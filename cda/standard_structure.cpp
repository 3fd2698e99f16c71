// Which children an element of CDA R2 has, in which order and how often: what a schema would say, for the elements that
// a CR-BIO is built of. Typed from the standard (POCD_MT000040, with the extensions of IHE PaLM and SDTC left aside:
// elements of other namespaces may stand anywhere). Data types and narrative are elsewhere.
#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "cda/detail_narrative.hpp"
#include "cda/detail_rules.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda::detail {

namespace {

constexpr std::string_view phrase =
    "La structure du document n'est pas celle du standard CDA : son émetteur doit le corriger.";

struct Model {
    std::string_view name;
    /// `!` required, `*` repeats. realmCode, typeId and templateId come first everywhere.
    std::string_view children;
};

// Where one name has two models (participant of the header and of the body), both orders are in one line.
constexpr std::array models{
    Model{"ClinicalDocument",
          "id! code! title effectiveTime! confidentialityCode! languageCode setId versionNumber copyTime "
          "recordTarget!* author!* "
          "dataEnterer informant* custodian! informationRecipient* legalAuthenticator authenticator* participant* "
          "inFulfillmentOf* documentationOf* relatedDocument* authorization* componentOf component!"},
    Model{"recordTarget", "patientRole!"},
    Model{"patientRole", "id!* addr* telecom* patient providerOrganization"},
    Model{"patient",
          "id name* administrativeGenderCode birthTime maritalStatusCode religiousAffiliationCode raceCode "
          "ethnicGroupCode "
          "guardian* birthplace languageCommunication*"},
    Model{"guardian", "id* code addr* telecom* guardianPerson guardianOrganization"},
    Model{"birthplace", "place!"},
    Model{"place", "name addr"},
    Model{"author", "functionCode time! assignedAuthor!"},
    Model{"assignedAuthor", "id!* code addr* telecom* assignedPerson assignedAuthoringDevice representedOrganization"},
    Model{"assignedEntity", "id!* code addr* telecom* assignedPerson representedOrganization"},
    Model{"dataEnterer", "time assignedEntity!"},
    Model{"informant", "assignedEntity relatedEntity"},
    Model{"relatedEntity", "code addr* telecom* effectiveTime relatedPerson"},
    Model{"custodian", "assignedCustodian!"},
    Model{"assignedCustodian", "representedCustodianOrganization!"},
    Model{"representedCustodianOrganization", "id!* name telecom addr"},
    Model{"intendedRecipient", "id* addr* telecom* informationRecipient receivedOrganization"},
    Model{"legalAuthenticator", "time! signatureCode! assignedEntity!"},
    Model{"authenticator", "time! signatureCode! assignedEntity!"},
    Model{"participant", "functionCode time awarenessCode associatedEntity participantRole"},
    Model{"associatedEntity", "id* code addr* telecom* associatedPerson scopingOrganization"},
    Model{"participantRole", "id* code addr* telecom* playingDevice playingEntity scopingEntity"},
    Model{"representedOrganization", "id* name* telecom* addr* standardIndustryClassCode asOrganizationPartOf"},
    Model{"scopingOrganization", "id* name* telecom* addr* standardIndustryClassCode asOrganizationPartOf"},
    Model{"receivedOrganization", "id* name* telecom* addr* standardIndustryClassCode asOrganizationPartOf"},
    Model{"inFulfillmentOf", "order!"},
    Model{"documentationOf", "serviceEvent!"},
    Model{"serviceEvent", "id* code effectiveTime performer*"},
    Model{"performer", "functionCode time modeCode assignedEntity!"},
    Model{"relatedDocument", "parentDocument!"},
    Model{"parentDocument", "id!* code text setId versionNumber"},
    Model{"authorization", "consent!"},
    Model{"consent", "id* code statusCode!"},
    Model{"componentOf", "encompassingEncounter!"},
    Model{"encompassingEncounter",
          "id* code effectiveTime! dischargeDispositionCode responsibleParty encounterParticipant* location"},
    Model{"responsibleParty", "assignedEntity!"},
    Model{"encounterParticipant", "time assignedEntity!"},
    Model{"healthCareFacility", "id* code location serviceProviderOrganization"},
    Model{"nonXMLBody", "text! confidentialityCode languageCode"},
    Model{"structuredBody", "confidentialityCode languageCode component!*"},
    Model{"section",
          "id code title text confidentialityCode languageCode subject author* informant* entry* component*"},
    Model{"entry",
          "act encounter observation observationMedia organizer procedure regionOfInterest substanceAdministration "
          "supply"},
    Model{
        "entryRelationship",
        "sequenceNumber seperatableInd act encounter observation observationMedia organizer procedure regionOfInterest "
        "substanceAdministration supply"},
    Model{"act",
          "id* code! text statusCode effectiveTime priorityCode languageCode subject specimen* performer* author* "
          "informant* "
          "participant* entryRelationship* reference* precondition*"},
    Model{
        "observation",
        "id* code! derivationExpr text statusCode effectiveTime priorityCode repeatNumber languageCode value* "
        "interpretationCode* methodCode* targetSiteCode* subject specimen* performer* author* informant* participant* "
        "entryRelationship* reference* precondition* referenceRange*"},
    Model{"organizer",
          "id* code statusCode! effectiveTime subject specimen* performer* author* informant* participant* reference* "
          "precondition* component*"},
    Model{"procedure",
          "id* code! text statusCode effectiveTime priorityCode languageCode methodCode* approachSiteCode* "
          "targetSiteCode* "
          "subject specimen* performer* author* informant* participant* entryRelationship* reference* precondition*"},
    Model{"observationMedia",
          "id* languageCode value! subject specimen* performer* author* informant* participant* entryRelationship* "
          "reference* "
          "precondition*"},
    Model{"referenceRange", "observationRange!"},
    Model{"observationRange", "code text value interpretationCode"},
    Model{"specimenRole", "id* specimenPlayingEntity"},
};

struct Child {
    std::size_t place;
    bool required;
    bool repeats;
};
using Children = std::unordered_map<std::string_view, Child>;

Children children_of(std::string_view words) {
    Children all{{"realmCode", {0, false, true}}, {"typeId", {1, false, false}}, {"templateId", {2, false, true}}};
    std::size_t place = 3;
    for (auto word : split(words, ' ')) {
        bool required = false;
        bool repeats = false;
        while (word.ends_with('*') || word.ends_with('!')) {
            (word.back() == '*' ? repeats : required) = true;
            word.remove_suffix(1);
        }
        if (!word.empty()) all.emplace(word, Child{place++, required, repeats});
    }
    return all;
}

const std::unordered_map<std::string_view, Children>& table() {
    static const auto all = [] {
        std::unordered_map<std::string_view, Children> made;
        for (const auto& model : models)
            made.emplace(model.name, children_of(model.children));
        return made;
    }();
    return all;
}

bool of_cda(std::string_view name) {
    return name.find_first_of(":{") == std::string_view::npos;
}

void judge(const Element& element, const Children& children, Findings& findings) {
    std::size_t last = 0;
    bool ordered = true;
    std::unordered_set<std::string_view> seen;
    for (const auto* child : element.children) {
        if (!of_cda(child->name)) continue;
        const auto known = children.find(child->name);
        if (known == children.end()) {
            findings.error(*child, "CDA has no such element here", phrase);
            continue;
        }
        if (known->second.place < last && ordered) {
            findings.error(*child, "the elements are not in the order of CDA", phrase);
            ordered = false;
        }
        last = std::max(last, known->second.place);
        if (!seen.insert(child->name).second && !known->second.repeats)
            findings.error(*child, "CDA has this element once", phrase);
    }
    for (const auto& [name, child] : children)
        if (child.required && !seen.contains(name))
            findings.error(element, "an element that CDA requires is missing: " + std::string(name), phrase);
}

void narrative(const Element& element, Findings& findings) {
    for (const auto* child : element.children) {
        if (!is_narrative_element(child->name))
            findings.error(*child, "the narrative of CDA has no such element", phrase);
        narrative(*child, findings);
    }
}

}  // namespace

void structure_rules(const Tree& tree, Findings& findings) {
    for (const auto& element : tree.elements) {
        // A person who receives, and the specimen of an act, have other models under the same name.
        if (const auto found = table().find(element.name); found != table().end())
            judge(element, found->second, findings);
        if (element.name == "text" && element.parent != nullptr && element.parent->name == "section")
            narrative(element, findings);
    }
}

}  // namespace sgl::cda::detail
