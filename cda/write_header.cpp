// The header, in the order of spec/cr-bio.md section 4.
#include <algorithm>

#include "cda/detail_write.hpp"
#include "cda/templates.hpp"

namespace sgl::cda::detail {

namespace {

const codes::Entry& entry_of(Confidentiality confidentiality) {
    return codes::confidentialities[static_cast<std::size_t>(confidentiality)];
}

const codes::Entry& entry_of(Gender gender) { return codes::genders[static_cast<std::size_t>(gender)]; }

// 4.1: all traits in one name, in the order of the published documents.
void patient_name(XmlWriter& w, const Patient& patient) {
    w.element("name", {}, [&] {
        w.require(!patient.birth_name.empty(), "the birth name is needed", "family");
        w.element("family", {{"qualifier", "BR"}}, patient.birth_name);
        if (patient.ins) {
            w.require(!patient.birth_given_names.empty(), "with an INS all birth given names are needed", "given");
            w.require(!patient.first_birth_given.empty(), "with an INS the first birth given name is needed", "given");
        }
        w.require(!(patient.birth_given_names.empty() && patient.first_birth_given.empty() && patient.used_given.empty()),
                  "a given name is needed", "given");
        if (!patient.birth_given_names.empty()) w.element("given", {}, patient.birth_given_names);
        if (!patient.first_birth_given.empty()) w.element("given", {{"qualifier", "BR"}}, patient.first_birth_given);
        if (!patient.used_name.empty()) w.element("family", {{"qualifier", "CL"}}, patient.used_name);
        if (!patient.used_given.empty()) w.element("given", {{"qualifier", "CL"}}, patient.used_given);
    });
}

void birth_time(XmlWriter& w, const Patient& patient) {
    if (!patient.birth_date) {
        // The volet knows nullFlavor UNK here, but the header rules of the CI-SIS refuse it.
        w.refuse(Fault::missing, "the birth date is needed", "birthTime");
        return;
    }
    auto date = *patient.birth_date;
    date.precision = std::min(date.precision, Precision::day);
    date.offset_minutes.reset();
    if (patient.ins && date.precision < Precision::day)
        w.refuse(Fault::malformed, "with an INS the birth date is a whole day", "birthTime");
    w.element("birthTime", {{"value", to_hl7(date)}});
}

void record_target(XmlWriter& w, const Patient& patient) {
    w.element("recordTarget", {}, [&] {
        w.element("patientRole", {}, [&] {
            if (patient.ins) id(w, *patient.ins);
            w.require(patient.ins.has_value() || !patient.local_ids.empty(),
                      "a patient has an INS or a local number", "id");
            for (const auto& local : patient.local_ids) {
                if (local.root.starts_with("1.2.250.1.213.1.4."))
                    w.refuse(Fault::malformed, "an INS is no local number", "id");
                id(w, local);
            }
            if (patient.addresses.empty()) address(w, {}, "UNK");
            for (const auto& home : patient.addresses) address(w, home, "UNK");
            telecoms(w, patient.telecoms, "UNK");
            w.element("patient", {{"classCode", "PSN"}}, [&] {
                patient_name(w, patient);
                code(w, entry_of(patient.gender), "administrativeGenderCode");
                birth_time(w, patient);
                if (patient.ins)
                    w.require(patient.birthplace && !patient.birthplace->cog.empty(),
                              "with an INS the COG code of the birthplace is needed", "birthplace");
                if (!patient.birthplace) return;
                w.element("birthplace", {}, [&] {
                    w.element("place", {}, [&] {
                        w.element("addr", {}, [&] {
                            if (!patient.birthplace->cog.empty()) w.element("county", {}, patient.birthplace->cog);
                            if (!patient.birthplace->city.empty()) w.element("city", {}, patient.birthplace->city);
                        });
                    });
                });
            });
        });
    });
}

// Shape of 4: id, code, addr, telecom, assignedPerson, representedOrganization.
void assigned(XmlWriter& w, std::string_view name, const Professional& who) {
    w.element(name, {}, [&] {
        professional(w, who);
        w.element("assignedPerson", {}, [&] { person_name(w, who.name); });
        if (who.organisation) organisation(w, *who.organisation, "representedOrganization");
    });
}

void author(XmlWriter& w, const Act& author) {
    w.element("author", {}, [&] {
        time_value(w, "time", author.time);
        w.require(author.who.speciality.has_value(), "the author needs a profession", "assignedAuthor/code");
        assigned(w, "assignedAuthor", author.who);
    });
}

void custodian(XmlWriter& w, const Organisation& custodian) {
    w.element("custodian", {}, [&] {
        w.element("assignedCustodian", {}, [&] {
            auto keeper = custodian;
            keeper.practice_setting.reset();
            if (keeper.ids.size() > 1) keeper.ids.resize(1);            // CDA takes one of each here
            if (keeper.telecoms.size() > 1) keeper.telecoms.resize(1);
            organisation(w, keeper, "representedCustodianOrganization");
        });
    });
}

void recipient(XmlWriter& w, const Recipient& recipient) {
    w.element("informationRecipient", {}, [&] {
        w.element("intendedRecipient", {}, [&] {
            template_id(w, templates::intended_recipient);
            const auto& who = recipient.who;
            for (const auto& identifier : who.ids) id(w, identifier);
            address(w, who.address, "NAV");
            telecoms(w, who.telecoms, "NAV");
            w.require(!who.name.family.empty() || who.organisation, "a recipient is a person or an organisation");
            if (!who.name.family.empty())
                w.element("informationRecipient", {}, [&] { person_name(w, who.name); });
            if (who.organisation) organisation(w, *who.organisation, "receivedOrganization");
        });
    });
}

void legal_authenticator(XmlWriter& w, const Act& signer) {
    w.element("legalAuthenticator", {}, [&] {
        time_value(w, "time", signer.time);
        w.element("signatureCode", {{"code", "S"}});
        assigned(w, "assignedEntity", signer.who);
    });
}

void authenticator(XmlWriter& w, const Act& signer) {
    w.element("authenticator", {}, [&] {
        template_id(w, templates::validator);
        time_value(w, "time", signer.time);
        w.element("signatureCode", {{"code", "S"}});
        assigned(w, "assignedEntity", signer.who);
    });
}

// 4.3
void participant(XmlWriter& w, const Participant& participant) {
    using Role = Participant::Role;
    std::string_view type;
    codes::Entry function;
    switch (participant.role) {
        case Role::prescriber: type = "REF"; break;
        case Role::collector: type = "PRF", function = {"PRELV", "Préleveur", codes::function_system}; break;
        case Role::usual_physician:
            type = "INF", function = {"PCP", "Médecin traitant", codes::participation_function_system};
            break;
        case Role::correspondent: type = "INF", function = {"CORRE", "Correspondant", codes::function_system}; break;
    }
    w.element("participant", {{"typeCode", type}}, [&] {
        if (participant.role == Role::prescriber) template_id(w, templates::prescriber);
        if (!function.code.empty()) code(w, function, "functionCode");
        if (!participant.time) {
            w.element("time", {{"nullFlavor", "NA"}});
        } else if (participant.time->precision == Precision::day) {
            // A prescription often has a date and no hour; the standard takes it so.
            w.element("time", {{"xsi:type", "IVL_TS"}}, [&] {
                auto day = *participant.time;
                day.offset_minutes.reset();
                w.element("high", {{"value", to_hl7(day)}});
            });
        } else {
            time_high(w, *participant.time, "IVL_TS");
        }
        w.element("associatedEntity", {{"classCode", "PROV"}}, [&] {
            professional(w, participant.who, Ids::optional);
            w.element("associatedPerson", {}, [&] { person_name(w, participant.who.name); });
            if (participant.who.organisation) organisation(w, *participant.who.organisation, "scopingOrganization");
        });
    });
}

// 4.4
void documentation(XmlWriter& w, const CrBio& report) {
    const auto& service = report.service;
    w.element("documentationOf", {}, [&] {
        w.element("serviceEvent", {}, [&] {
            if (service.id) id(w, *service.id);
            if (!report.chapters.empty()) code(w, report.chapters.front().code);
            w.element("lab:statusCode", {{"code", status_code(service.progress)}});
            w.element("effectiveTime", {}, [&] {
                time_value(w, "low", service.received);
                if (service.released) time_value(w, "high", *service.released);
            });
            w.element("performer", {{"typeCode", "PRF"}}, [&] {
                template_id(w, templates::laboratory_performer);
                time_high(w, service.performer.time);
                const auto& who = service.performer.who;
                w.require(who.speciality.has_value(), "the laboratory director needs a profession", "assignedEntity/code");
                w.require(who.organisation && who.organisation->practice_setting,
                          "the performing laboratory needs its practice setting",
                          "assignedEntity/representedOrganization/standardIndustryClassCode");
                assigned(w, "assignedEntity", who);
            });
        });
    });
    for (std::size_t i = 1; i < report.chapters.size(); ++i)
        w.element("documentationOf", {}, [&] {
            w.element("serviceEvent", {}, [&] { code(w, report.chapters[i].code); });
        });
}

// 4.5
void encounter(XmlWriter& w, const Encounter& encounter) {
    w.element("componentOf", {}, [&] {
        w.element("encompassingEncounter", {}, [&] {
            if (encounter.id) id(w, *encounter.id);
            code(w, encounter.kind);
            w.element("effectiveTime", {}, [&] {
                time_value(w, "low", encounter.start);
                if (encounter.end) time_value(w, "high", *encounter.end);
            });
            w.element("responsibleParty", {}, [&] {
                w.require(encounter.responsible.speciality.has_value(), "the responsible biologist needs a profession",
                          "assignedEntity/code");
                assigned(w, "assignedEntity", encounter.responsible);
            });
            w.element("location", {}, [&] {
                w.element("healthCareFacility", {}, [&] {
                    code(w, encounter.facility_type);
                    w.element("location", {}, [&] {
                        w.require(!encounter.facility_name.empty(), "the facility needs a name", "name");
                        w.element("name", {}, encounter.facility_name);
                        address(w, encounter.facility_address, "NAV");
                    });
                });
            });
        });
    });
}

// The version chain (section 6).
void related_document(XmlWriter& w, const CrBio& report) {
    if (report.version == 0) w.refuse(Fault::malformed, "versions count from 1", "versionNumber");
    if ((report.version > 1) != report.replaces.has_value())
        w.refuse(Fault::malformed, "a version after the first replaces one, the first replaces none", "relatedDocument");
    if (!report.replaces) return;
    if (*report.replaces == report.id)
        w.refuse(Fault::malformed, "a document cannot replace itself", "relatedDocument");
    w.element("relatedDocument", {{"typeCode", "RPLC"}}, [&] {
        w.element("parentDocument", {}, [&] { bare_oid(w, "id", *report.replaces); });
    });
}

}  // namespace

void header(XmlWriter& w, const CrBio& report) {
    w.element("realmCode", {{"code", "FR"}});
    w.element("typeId", {{"root", "2.16.840.1.113883.1.3"}, {"extension", "POCD_HD000040"}});
    template_id(w, templates::hl7_france);
    template_id(w, templates::ci_sis_structure);
    template_id(w, templates::xd_lab);
    template_id(w, templates::cr_bio, templates::cr_bio_version);
    bare_oid(w, "id", report.id);
    code(w, codes::Entry{"11502-2", "CR d'examens biologiques", codes::loinc_system});
    w.element("title", {}, "Compte rendu d'examens biologiques");
    time_value(w, "effectiveTime", report.effective_time);
    code(w, entry_of(report.confidentiality), "confidentialityCode");
    w.element("languageCode", {{"code", "fr-FR"}});
    bare_oid(w, "setId", report.set_id);
    w.element("versionNumber", {{"value", std::to_string(report.version)}});
    record_target(w, report.patient);
    author(w, report.author);
    custodian(w, report.custodian);
    for (const auto& to : report.recipients) recipient(w, to);
    legal_authenticator(w, report.legal_authenticator);
    for (const auto& signer : report.authenticators) authenticator(w, signer);
    for (const auto& other : report.participants) participant(w, other);
    for (const auto& order : report.orders)
        w.element("inFulfillmentOf", {}, [&] { w.element("order", {}, [&] { id(w, order); }); });
    documentation(w, report);
    related_document(w, report);
    encounter(w, report.encounter);
}

}  // namespace sgl::cda::detail
