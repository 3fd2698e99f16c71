// Ring 2, the standard's part: the header of any CDA of the CI-SIS, and of a CR-BIO in particular (spec/cr-bio.md 4, 6,
// 9).
#include <algorithm>
#include <array>

#include "cda/codes.hpp"
#include "cda/detail_standard.hpp"
#include "cda/keys.hpp"
#include "cda/templates.hpp"
#include "lib/base/text.hpp"
#include "lib/base/time.hpp"

namespace sgl::cda::detail {

namespace {

constexpr std::string_view identity_phrase =
    "L'identité du patient dans le document n'est pas acceptable (INS, traits ou lieu de naissance).";
constexpr std::string_view version_phrase = "Le numéro de version et le document remplacé ne concordent pas.";
constexpr std::string_view header_phrase = "L'en-tête du document n'est pas conforme : son émetteur doit le corriger.";
constexpr std::string_view actor_phrase =
    "Un professionnel ou une structure du document est mal décrit : son émetteur doit le corriger.";
constexpr std::string_view date_phrase = "Une date du document est impossible ou incomplète.";

template <std::size_t n>
bool one_of(std::string_view text, const std::array<std::string_view, n>& choices) {
    return std::ranges::find(choices, text) != choices.end();
}

bool is_instant(std::string_view text) {
    const auto parsed = Timestamp::parse(text);
    return parsed && parsed->precision >= Precision::minute && parsed->offset_minutes.has_value();
}

bool says(const Element* element) {
    return element != nullptr && !trim(element->all_text()).empty();
}

class Header {
public:
    Header(const Element& root, const Standard& standard, const CheckOptions& options, Findings& findings)
        : root_(root), standard_(standard), options_(options), findings_(findings) {}

    void rules() {
        document();
        versions();
        patient();
        actors();
        care();
        if (standard_.cr_bio) cr_bio();
    }

private:
    void error(const Element& at, std::string_view what, std::string_view phrase) { findings_.error(at, what, phrase); }
    void missing(const Element& at, std::string_view what, std::string_view phrase) {
        findings_.error(at, what, phrase);
    }

    void document() {
        const auto* realm = root_.child("realmCode");
        if (realm == nullptr || realm->attribute("code") != "FR") error(root_, "realmCode must be FR", header_phrase);
        const auto* type = root_.child("typeId");
        if (type == nullptr || type->attribute("root") != "2.16.840.1.113883.1.3" ||
            type->attribute("extension") != "POCD_HD000040")
            error(root_, "typeId must be 2.16.840.1.113883.1.3 / POCD_HD000040", header_phrase);
        for (const auto root : {templates::hl7_france, templates::ci_sis_structure})
            if (!has_template(root_, root))
                error(root_, "the document must declare HL7 France and the CI-SIS (templateId)", header_phrase);
        for (const std::string_view name : {"title", "languageCode", "setId", "versionNumber", "legalAuthenticator",
                                            "componentOf", "documentationOf"})
            if (root_.child(name) == nullptr)
                missing(root_, "the header must have " + std::string(name), header_phrase);
        for (const std::string_view name :
             {"id", "code", "title", "effectiveTime", "confidentialityCode", "languageCode", "setId", "versionNumber",
              "recordTarget", "author", "custodian", "legalAuthenticator", "componentOf"})
            if (const auto* element = root_.child(name); element != nullptr && element->has_attribute("nullFlavor"))
                error(*element, "a nullFlavor is forbidden here", header_phrase);
        if (root_.child("copyTime") != nullptr) error(root_, "copyTime is not used in France", header_phrase);
        if (root_.all("recordTarget").size() > 1) error(root_, "a document is about one patient", identity_phrase);
        if (root_.all("relatedDocument").size() > 1) error(root_, "a document replaces at most one", version_phrase);
        for (const std::string_view name : {"id", "setId"})
            if (const auto* id = root_.child(name); id != nullptr && id->attribute("root").empty())
                error(*id, "an identifier needs its root", header_phrase);
        if (const auto* title = root_.child("title"); title != nullptr && !says(title))
            error(*title, "an empty title", header_phrase);
        if (const auto* time = root_.child("effectiveTime"); time != nullptr && !is_instant(time->attribute("value")))
            error(*time, "the document's date must have date, time of day and offset from UTC", date_phrase);
        if (const auto* code = root_.child("confidentialityCode"); code != nullptr) {
            const auto* known = codes::find(codes::confidentialities, code->attribute("code"));
            if (known == nullptr || known->system != code->attribute("codeSystem"))
                error(*code, "the confidentiality is N, R or V", header_phrase);
        }
        if (const auto* language = root_.child("languageCode");
            language != nullptr && language->attribute("code") != "fr-FR")
            error(*language, "the language is fr-FR", header_phrase);
    }

    void versions() {
        const auto* number = root_.child("versionNumber");
        const auto* related = root_.child("relatedDocument");
        const auto* id = root_.child("id");
        const auto* set = root_.child("setId");
        const auto text = number == nullptr ? std::string_view() : number->attribute("value");
        const bool digits =
            !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string_view::npos;
        if (number != nullptr && (!digits || text.find_first_not_of('0') == std::string_view::npos))
            error(*number, "the version is a number from 1", version_phrase);
        else if (number != nullptr && text != "1" && related == nullptr)
            error(*number, "a version after the first names the document it replaces", version_phrase);
        else if (number != nullptr && text == "1" && related != nullptr && related->attribute("typeCode") == "RPLC")
            findings_.warning(*related, "version 1 replaces a document", version_phrase);
        if (related != nullptr && related->attribute("typeCode") != "RPLC")
            error(*related, "a related document is one that this one replaces (RPLC)", version_phrase);
        const auto same = [](const Element* a, const Element* b) {
            return a != nullptr && b != nullptr && a->attribute("root") == b->attribute("root") &&
                   a->attribute("extension") == b->attribute("extension");
        };
        if (related != nullptr && same(related->at("parentDocument", "id"), id))
            error(*related, "the document replaces itself", version_phrase);
        if (same(id, set)) findings_.warning(*set, "setId and id are the same", version_phrase);
    }

    void patient() {
        const auto* role = root_.at("recordTarget", "patientRole");
        if (role == nullptr) return;
        const auto* ins = insured(*role);
        const auto* person = role->child("patient");
        if (person == nullptr) {
            missing(*role, "the patient is missing", identity_phrase);
            return;
        }
        const auto names = person->all("name");
        if (names.size() != 1) error(*person, "the patient has one name, which holds all traits", identity_phrase);
        bool birth_family = false;
        bool all_given = false;
        bool first_given = false;
        bool any_given = false;
        for (const auto* name : names)
            for (const auto* part : name->children) {
                const auto qualifier = part->attribute("qualifier");
                if (part->name == "family" && qualifier != "BR" && qualifier != "CL")
                    error(*part, "a family name of the patient is qualified BR or CL", identity_phrase);
                if (part->name == "given" && !qualifier.empty() && qualifier != "BR" && qualifier != "CL")
                    error(*part, "a given name of the patient is unqualified, BR or CL", identity_phrase);
                if (!says(part) && !part->has_attribute("nullFlavor")) error(*part, "an empty name", identity_phrase);
                birth_family = birth_family || (part->name == "family" && qualifier == "BR");
                any_given = any_given || part->name == "given";
                all_given = all_given || (part->name == "given" && qualifier.empty());
                first_given = first_given || (part->name == "given" && qualifier == "BR");
            }
        if (!birth_family) missing(*person, "the birth name is missing", identity_phrase);
        if (!any_given) missing(*person, "a given name is missing", identity_phrase);
        const auto* gender = person->child("administrativeGenderCode");
        const auto* known = gender == nullptr ? nullptr : codes::find(codes::genders, gender->attribute("code"));
        if (gender == nullptr || (!gender->has_attribute("nullFlavor") &&
                                  (known == nullptr || known->system != gender->attribute("codeSystem"))))
            error(*person, "the sex is F, M or UN", identity_phrase);
        const auto* born = person->child("birthTime");
        if (born == nullptr)
            missing(*person, "the birth date is missing", identity_phrase);
        else if (!born->has_attribute("nullFlavor") && !Timestamp::parse(born->attribute("value")))
            error(*born, "an impossible birth date", identity_phrase);
        const auto* county = person->at("birthplace", "place", "addr", "county");
        if (county != nullptr) {
            const auto text = trim(county->text);
            const bool cog = text.size() == 5 && text[0] >= '0' && text[0] <= '9' &&
                             std::string_view("0123456789AB").find(text[1]) != std::string_view::npos &&
                             text.find_first_not_of("0123456789", 2) == std::string_view::npos;
            if (!cog) error(*county, "the birthplace is a COG code of 5 characters", identity_phrase);
        }
        if (ins == nullptr) return;
        if (!all_given || !first_given)
            missing(*person, "with an INS both the first and all birth given names are needed", identity_phrase);
        if (county == nullptr)
            missing(*person, "with an INS the COG code of the birthplace is needed", identity_phrase);
        if (born != nullptr && born->attribute("value").size() < 8)
            error(*born, "with an INS the birth date is a whole day", identity_phrase);
    }

    const Element* insured(const Element& role) {
        const Element* ins = nullptr;
        for (const auto* id : role.all("id")) {
            const auto oid = id->attribute("root");
            if (oid.empty() || id->attribute("extension").empty())
                error(*id, "an identifier of the patient has root and extension", identity_phrase);
            if (!oid.starts_with("1.2.250.1.213.1.4.")) continue;
            const bool real = oid == codes::ins_nir || oid == codes::ins_nia;
            const bool fictive = oid == codes::ins_nir_test || oid == codes::ins_nir_demo;
            if (!real && !fictive) {
                error(*id, "an unknown INS OID", identity_phrase);
                continue;
            }
            if (ins != nullptr) error(*id, "more than one INS", identity_phrase);
            ins = id;
            if (fictive && options_.identities == CheckOptions::Identities::production)
                error(*id, "a test INS in production", "Une INS de test n'a pas sa place dans un document réel.");
            if (real && options_.identities == CheckOptions::Identities::test)
                error(*id, "a real INS in a test instance",
                      "Une INS réelle n'a pas sa place dans une instance de test.");
            if (!keys::is_ins(id->attribute("extension")))
                error(*id, "an INS has 13 characters and a key of 2", identity_phrase);
            else if (!keys::ins_key_holds(id->attribute("extension")))
                error(*id, "the control key of the INS is wrong", identity_phrase);
        }
        if (ins == nullptr)
            findings_.warning(role, "no INS: the identity is not qualified",
                              "Le document ne porte pas d'INS : l'identité n'est pas qualifiée.");
        return ins;
    }

    void organisation(const Element* structure, bool with_setting, const Element& at) {
        if (structure == nullptr) {
            missing(at, "the laboratory is missing", actor_phrase);
            return;
        }
        for (const std::string_view name : {"id", "name", "telecom", "addr"})
            if (structure->child(name) == nullptr)
                missing(*structure, "a laboratory has identifier, name, telecom and address", actor_phrase);
        if (with_setting && structure->child("standardIndustryClassCode") == nullptr)
            missing(*structure, "the performing laboratory needs its practice setting", actor_phrase);
    }

    void person_name(const Element& name) {
        if (!says(name.child("family")) &&
            (name.child("family") == nullptr || !name.child("family")->has_attribute("nullFlavor")))
            missing(name, "a person needs a family name", actor_phrase);
        if (const auto* prefix = name.child("prefix");
            prefix != nullptr && !one_of(trim(prefix->text), codes::civilities))
            error(*prefix, "a civility is M or MME", actor_phrase);
        if (const auto* suffix = name.child("suffix"); suffix != nullptr && !one_of(trim(suffix->text), codes::titles))
            error(*suffix, "a title is DR, PR, MC, MG, PC or PG", actor_phrase);
    }

    void actors() {
        for (const auto* author : root_.all("author")) {
            if (const auto* time = author->child("time");
                time != nullptr && !Timestamp::parse(time->attribute("value")))
                error(*time, "an author has the time of his work", date_phrase);
            const auto* who = author->child("assignedAuthor");
            if (who == nullptr) continue;
            if (who->child("assignedPerson") == nullptr && who->child("assignedAuthoringDevice") == nullptr)
                missing(*who, "an author is a person or a device", actor_phrase);
            if (const auto* code = who->child("code");
                who->child("assignedPerson") != nullptr && (code == nullptr || code->attribute("code").empty()))
                missing(*who, "the author's profession is missing", "La profession de l'auteur du document manque.");
            if (const auto* name = who->at("assignedPerson", "name")) person_name(*name);
        }
        const auto* keeper = root_.at("custodian", "assignedCustodian", "representedCustodianOrganization");
        if (keeper != nullptr) {
            organisation(keeper, false, *keeper);
            const auto* id = keeper->child("id");
            const auto root = id == nullptr ? std::string_view() : id->attribute("root");
            if (id != nullptr && root != codes::structure_root && root != "1.2.250.1.213.4.1")
                error(*id, "the custodian is identified as a structure", actor_phrase);
        }
        for (const std::string_view kind : {"legalAuthenticator", "authenticator"})
            for (const auto* signer : root_.all(kind)) {
                if (const auto* time = signer->child("time");
                    time != nullptr && !Timestamp::parse(time->attribute("value")))
                    error(*time, "a signature has its time", date_phrase);
                if (const auto* code = signer->child("signatureCode");
                    code != nullptr && code->attribute("code") != "S")
                    error(*code, "the signature code is S", actor_phrase);
                const auto* name = signer->at("assignedEntity", "assignedPerson", "name");
                if (name == nullptr)
                    missing(*signer, "who signs is a person with a name", actor_phrase);
                else
                    person_name(*name);
            }
        constexpr std::array<std::string_view, 7> types{"REF", "REFB", "INF", "RESP", "PRF", "CON", "VRF"};
        bool prescriber = false;
        for (const auto* participant : root_.all("participant")) {
            const auto type = participant->attribute("typeCode");
            prescriber = prescriber || type == "REF";
            if (!one_of(type, types))
                error(*participant, "the kind of participation is not in its value set", actor_phrase);
            if (participant->child("time") == nullptr)
                missing(*participant, "a participant has a time, or says that none applies", date_phrase);
            if (participant->child("associatedEntity") == nullptr)
                missing(*participant, "a participant is somebody", actor_phrase);
        }
        for (const auto* informant : root_.all("informant")) {
            const auto* related = informant->child("relatedEntity");
            if (related != nullptr &&
                (!related->has_attribute("classCode") || related->child("relatedPerson") == nullptr))
                error(*related, "a related person has a class and a name", actor_phrase);
        }
        if (!standard_.cr_bio) return;
        if (!prescriber)
            findings_.warning(root_, "no prescriber (participant REF)", "Le prescripteur n'est pas indiqué.");
        if (root_.at("inFulfillmentOf", "order", "id") == nullptr)
            findings_.warning(root_, "no order identifier (inFulfillmentOf)",
                              "Le numéro de la prescription n'est pas indiqué.");
    }

    void care() {
        const auto* event = root_.at("documentationOf", "serviceEvent");
        if (event != nullptr) {
            const auto* time = event->child("effectiveTime");
            if (time == nullptr || time->child("low") == nullptr || time->child("low")->attribute("value").empty())
                missing(*event, "the main documented act says when it began", date_phrase);
            if (event->all("performer").size() != 1)
                missing(*event, "the main documented act has one performer", actor_phrase);
            const auto* setting = event->at("performer", "assignedEntity", "representedOrganization");
            if (event->child("performer") != nullptr &&
                (setting == nullptr || setting->child("standardIndustryClassCode") == nullptr))
                missing(*event, "the performing laboratory needs its practice setting", actor_phrase);
            if (setting != nullptr)
                if (const auto* code = setting->child("standardIndustryClassCode");
                    code != nullptr && codes::find(codes::practice_settings, code->attribute("code")) == nullptr &&
                    code->attribute("codeSystem") == codes::practice_setting_system)
                    error(*code, "the practice setting is not in its value set", actor_phrase);
        }
        const auto* encounter = root_.at("componentOf", "encompassingEncounter");
        if (encounter == nullptr) return;
        if (const auto* code = encounter->child("code"); code != nullptr && code->has_attribute("code")) {
            const auto* known = codes::find(codes::encounters, code->attribute("code"));
            if (known == nullptr || known->system != code->attribute("codeSystem"))
                error(*code, "the kind of encounter is not in its value set", header_phrase);
        }
        const auto* facility = encounter->at("location", "healthCareFacility");
        const auto* kind = facility == nullptr ? nullptr : facility->child("code");
        if (kind == nullptr || kind->attribute("code").empty())
            missing(*encounter, "the place of care has its type of facility", header_phrase);
        else if (kind->attribute("codeSystem") != codes::facility_type_system)
            error(*kind, "the type of facility is of another code system", header_phrase);
    }

    void cr_bio() {
        const auto* code = root_.child("code");
        if (code != nullptr &&
            (code->attribute("code") != "11502-2" || code->attribute("codeSystem") != codes::loinc_system ||
             code->attribute("displayName") != "CR d'examens biologiques"))
            error(*code, "the code is 11502-2 \"CR d'examens biologiques\" of LOINC", header_phrase);
        if (!standard_.structured) {
            if (!has_template(root_, "1.3.6.1.4.1.19376.1.2.20"))
                error(root_, "a level 1 document declares 1.3.6.1.4.1.19376.1.2.20 (templateId)", header_phrase);
            return;
        }
        if (!has_template(root_, templates::xd_lab))
            error(root_, "a structured CR-BIO declares XD-LAB (templateId)", header_phrase);
        if (standard_.version == Standard::Version::unknown)
            error(root_, "a structured CR-BIO declares 1.2.250.1.213.1.1.1.55, with 2023.01 or 2024.01 after 2021.01",
                  header_phrase);
        if (const auto* title = root_.child("title");
            title == nullptr || trim(title->text) != "Compte rendu d'examens biologiques")
            error(root_, "the title of a CR-BIO is fixed", header_phrase);
        for (const auto* signer : root_.all("authenticator")) {
            if (!has_template(*signer, templates::validator))
                error(*signer, "an authenticator lacks its templateId", header_phrase);
            const auto* entity = signer->child("assignedEntity");
            if (entity == nullptr) continue;
            if (entity->child("addr") == nullptr || entity->child("telecom") == nullptr)
                missing(*entity, "a validating biologist has address and telecom", actor_phrase);
            if (const auto* structure = entity->child("representedOrganization"))
                organisation(structure, false, *entity);
        }
        for (const auto* recipient : root_.all("informationRecipient"))
            if (const auto* intended = recipient->child("intendedRecipient");
                intended != nullptr && !has_template(*intended, templates::intended_recipient))
                error(*intended, "a recipient lacks its templateId", header_phrase);
        for (const auto* each : root_.all("documentationOf"))
            if (const auto* event = each->child("serviceEvent"); event != nullptr && event->child("code") == nullptr)
                missing(*event, "a documented act has its code", header_phrase);
        if (const auto* event = root_.at("documentationOf", "serviceEvent"); event != nullptr)
            if (const auto* performer = event->child("performer")) {
                if (performer->child("time") == nullptr)
                    missing(*performer, "the performing laboratory has the time of its work", date_phrase);
                const auto* entity = performer->child("assignedEntity");
                if (entity != nullptr) {
                    if (entity->child("addr") == nullptr || entity->child("telecom") == nullptr ||
                        entity->at("assignedPerson", "name") == nullptr)
                        missing(*entity, "the director of the laboratory has name, address and telecom", actor_phrase);
                    organisation(entity->child("representedOrganization"), true, *entity);
                }
            }
        const auto* responsible =
            root_.at("componentOf", "encompassingEncounter", "responsibleParty", "assignedEntity");
        if (responsible == nullptr || responsible->child("id") == nullptr || responsible->child("code") == nullptr ||
            responsible->at("assignedPerson", "name", "family") == nullptr)
            missing(root_, "the responsible biologist has identifier, profession and name", actor_phrase);
    }

    const Element& root_;
    const Standard& standard_;
    const CheckOptions& options_;
    Findings& findings_;
};

// Addresses, telecoms and times, wherever they stand.
void everywhere(const Tree& tree, Findings& findings) {
    constexpr std::array<std::string_view, 6> schemes{"tel", "fax", "mailto", "http", "ftp", "mllp"};
    constexpr std::array<std::string_view, 10> nulls{"NI",  "NA",  "UNK", "ASKU", "NASK",
                                                     "NAV", "MSK", "OTH", "NINF", "PINF"};
    for (const auto& element : tree.elements) {
        if (const auto flavor = element.attribute("nullFlavor");
            !flavor.empty() && !one_of(flavor, nulls) && flavor != "TRC")
            findings.error(element, "an unknown nullFlavor", header_phrase);
        if (element.name == "telecom" && !element.has_attribute("nullFlavor")) {
            const auto value = element.attribute("value");
            const auto colon = value.find(':');
            if (colon == std::string_view::npos || colon + 1 == value.size() ||
                !one_of(value.substr(0, colon), schemes))
                findings.error(element,
                               "a telecom starts with tel:, fax:, mailto:, http:, ftp: or mllp:", actor_phrase);
        } else if (element.name == "addr") {
            const auto lines = element.all("streetAddressLine").size();
            if (lines > 0 && lines != element.children.size())
                findings.warning(element, "an address is either lines or parts, never both", actor_phrase);
        } else if (element.name == "effectiveTime" || element.name == "time") {
            const auto parsed_of = [&](const Element* each) -> std::optional<Instant> {
                if (each == nullptr || each->attribute("value").empty()) return std::nullopt;
                const auto parsed = Timestamp::parse(each->attribute("value"));
                if (!parsed) {
                    // In the body it spoils one line (published examples have one), in the header the document.
                    if (each->path().find("/structuredBody") == std::string::npos)
                        findings.error(*each, "an impossible date or time", date_phrase);
                    else
                        findings.warning(*each, "an impossible date or time", date_phrase);
                    return std::nullopt;
                }
                return TimeZone::utc().to_instant(*parsed);
            };
            parsed_of(&element);
            const auto from = parsed_of(element.child("low"));
            const auto to = parsed_of(element.child("high"));
            if (from && to && *to < *from) findings.error(element, "the end is before the beginning", date_phrase);
        }
    }
}

}  // namespace

bool has_template(const Element& element, std::string_view root) {
    return std::ranges::any_of(element.all("templateId"),
                               [&](const Element* each) { return each->attribute("root") == root; });
}

Standard standard_of(const Element& root) {
    Standard standard;
    const auto* code = root.child("code");
    standard.cr_bio = (code != nullptr && code->attribute("code") == "11502-2") ||
                      has_template(root, templates::cr_bio) || has_template(root, templates::xd_lab);
    for (const auto* component : root.all("component"))
        standard.structured = standard.structured || component->child("structuredBody") != nullptr;
    for (const auto* each : root.all("templateId")) {
        if (each->attribute("root") != templates::cr_bio) continue;
        const auto version = each->attribute("extension");
        using enum Standard::Version;
        standard.version = version.empty() || version == "2021.01" ? v2021
                           : version == "2023.01"                  ? v2023
                           : version == "2024.01"                  ? v2024
                                                                   : unknown;
    }
    return standard;
}

void standard_header_rules(const Tree& tree, const Standard& standard, const CheckOptions& options,
                           Findings& findings) {
    Header(*tree.root(), standard, options, findings).rules();
    everywhere(tree, findings);
}

}  // namespace sgl::cda::detail
