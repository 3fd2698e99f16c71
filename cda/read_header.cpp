// The header of a received document (spec/cr-bio.md 4), read as CDA R2 allows it.
#include "cda/detail_read.hpp"
#include "cda/templates.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda::detail {

namespace {

void read_patient(const Element& role, Source& source, received::Patient& patient) {
    patient.ids = source.ids(role);
    patient.addresses = source.addresses(role);
    patient.telecoms = source.telecoms(role);
    if (const auto* provider = source.one(role, "providerOrganization"))
        patient.provider = source.organisation(*provider);
    const auto* person = source.one(role, "patient");
    if (person == nullptr) return;
    patient.names = source.names(*person);
    patient.gender = source.coded(source.one(*person, "administrativeGenderCode"));
    patient.birth = source.moment(source.one(*person, "birthTime"));
    const auto value = [&](std::string_view name) {
        const auto* element = source.one(*person, name);
        return element == nullptr ? std::string() : source.attribute(*element, "value");
    };
    patient.deceased = value("sdtc:deceasedInd");
    patient.deceased_time = source.moment(source.one(*person, "sdtc:deceasedTime"));
    patient.multiple_birth = value("sdtc:multipleBirthInd");
    patient.multiple_birth_order = value("sdtc:multipleBirthOrderNumber");
    for (const auto* guardian : source.many(*person, "guardian"))
        patient.guardians.push_back(source.party(*guardian));
    const auto* birthplace = source.one(*person, "birthplace");
    const auto* place = birthplace == nullptr ? nullptr : source.one(*birthplace, "place");
    if (place == nullptr) return;
    if (const auto* name = source.one(*place, "name")) patient.birthplace_name = source.name(*name);
    if (const auto* address = source.one(*place, "addr")) patient.birthplace = source.address(*address);
}

received::ServiceEvent service_event(const Element& event, Source& source) {
    received::ServiceEvent result;
    result.ids = source.ids(event);
    result.code = source.coded(source.one(event, "code"));
    result.status = source.code_of(event, "lab:statusCode");
    if (result.status.empty()) result.status = source.code_of(event, "statusCode");
    result.time = source.moment(source.one(event, "effectiveTime"));
    for (const auto* performer : source.many(event, "performer"))
        result.performers.push_back(source.participation(*performer));
    return result;
}

received::Encounter encounter(const Element& element, Source& source) {
    received::Encounter result;
    result.ids = source.ids(element);
    result.code = source.coded(source.one(element, "code"));
    result.time = source.moment(source.one(element, "effectiveTime"));
    result.discharge = source.coded(source.one(element, "dischargeDispositionCode"));
    if (const auto* responsible = source.one(element, "responsibleParty"))
        result.responsible = source.participation(*responsible);
    for (const auto* each : source.many(element, "encounterParticipant")) {
        source.attribute(*each, "typeCode");
        result.participants.push_back(source.participation(*each));
    }
    const auto* location = source.one(element, "location");
    const auto* facility = location == nullptr ? nullptr : source.one(*location, "healthCareFacility");
    if (facility == nullptr) return result;
    result.facility_ids = source.ids(*facility);
    result.facility = source.coded(source.one(*facility, "code"));
    if (const auto* place = source.one(*facility, "location")) {
        result.facility_names = source.names(*place);
        if (const auto* address = source.one(*place, "addr")) result.facility_address = source.address(*address);
    }
    if (const auto* provider = source.one(*facility, "serviceProviderOrganization"))
        result.service_provider = source.organisation(*provider);
    return result;
}

}  // namespace

void read_header(const Element& root, Source& source, received::Document& document) {
    document.realm = source.code_of(root, "realmCode");
    document.type_id = source.id(source.one(root, "typeId"));
    document.templates = source.ids(root, "templateId");
    for (const auto& each : document.templates)
        if (each.root == templates::cr_bio) document.volet = each.extension.empty() ? "2021.01" : each.extension;
    document.id = source.id(source.one(root, "id"));
    document.code = source.coded(source.one(root, "code"));
    document.title = source.text(source.one(root, "title"));
    document.time = source.moment(source.one(root, "effectiveTime"));
    document.confidentiality = source.coded(source.one(root, "confidentialityCode"));
    document.language = source.code_of(root, "languageCode");
    document.set_id = source.id(source.one(root, "setId"));
    if (const auto* version = source.one(root, "versionNumber")) document.version = source.attribute(*version, "value");
    document.copy_time = source.moment(source.one(root, "copyTime"));
    const auto* target = source.one(root, "recordTarget");
    if (const auto* role = target == nullptr ? nullptr : source.one(*target, "patientRole"))
        read_patient(*role, source, document.patient);
    for (const auto* each : source.many(root, "author"))
        document.authors.push_back(source.participation(*each));
    const auto* custodian = source.one(root, "custodian");
    const auto* keeper = custodian == nullptr ? nullptr : source.one(*custodian, "assignedCustodian");
    const auto* structure = keeper == nullptr ? nullptr : source.one(*keeper, "representedCustodianOrganization");
    if (structure != nullptr) document.custodian = source.organisation(*structure);
    for (const auto* each : source.many(root, "informationRecipient"))
        document.recipients.push_back(source.participation(*each));
    if (const auto* signer = source.one(root, "legalAuthenticator"))
        document.legal_authenticator = source.participation(*signer);
    for (const auto* each : source.many(root, "authenticator"))
        document.authenticators.push_back(source.participation(*each));
    document.others = source.participations(root);
    for (const auto* each : source.many(root, "inFulfillmentOf"))
        for (const auto* order : source.many(*each, "order"))
            for (const std::string_view name : {"id", "ps3-20:accessionNumber"})
                for (auto& id : source.ids(*order, name))
                    document.orders.push_back(std::move(id));
    for (const auto* each : source.many(root, "documentationOf"))
        if (const auto* event = source.one(*each, "serviceEvent"))
            document.services.push_back(service_event(*event, source));
    for (const auto* each : source.many(root, "relatedDocument")) {
        received::RelatedDocument related;
        related.type = source.attribute(*each, "typeCode");
        if (const auto* parent = source.one(*each, "parentDocument")) {
            related.ids = source.ids(*parent);
            if (const auto* set = source.one(*parent, "setId")) related.set_id = source.id(set);
            if (const auto* version = source.one(*parent, "versionNumber"))
                related.version = source.attribute(*version, "value");
        }
        document.related.push_back(std::move(related));
    }
    for (const auto* each : source.many(root, "authorization"))
        if (const auto* consent = source.one(*each, "consent"))
            document.consents.push_back({source.ids(*consent), source.coded(source.one(*consent, "code")),
                                         source.code_of(*consent, "statusCode")});
    const auto* component_of = source.one(root, "componentOf");
    if (const auto* stay = component_of == nullptr ? nullptr : source.one(*component_of, "encompassingEncounter"))
        document.encounter = encounter(*stay, source);
}

}  // namespace sgl::cda::detail
