#include "lib/delivery/xds/report_metadata.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

#include "cda/codes.hpp"
#include "lib/delivery/xds/codes.hpp"

namespace sgl::xds {

namespace {

namespace codes = cda::codes;

// JDV_J59, the values that spec/dmp.md 5.1 names.
constexpr std::array content_types{
    codes::Entry{"26", "Analyses médicales biologiques", content_type_system},
    codes::Entry{"03", "Hospitalisation complète", content_type_system},
    codes::Entry{"04", "Hospitalisation de jour", content_type_system},
    codes::Entry{"07", "Consultations, soins externes", content_type_system},
    codes::Entry{"19", "Traitement ambulatoire", content_type_system},
    codes::Entry{"97", "Autre", content_type_system},
};

Code as_code(const codes::Entry& entry) {
    return {std::string(entry.code), std::string(entry.label), std::string(entry.system)};
}

Result<Code> from(std::span<const codes::Entry> table, std::string_view code, std::string where) {
    if (const auto* entry = codes::find(table, code)) return as_code(*entry);
    return Error{Fault::unsupported, std::move(where), "this code is not of the value set that sgld knows"};
}

std::optional<Code> speciality(const domain::Speciality& of) {
    if (of.code.empty()) return std::nullopt;
    const auto* entry = codes::find(codes::biologists, of.code);
    if (entry == nullptr) entry = codes::find(codes::other_specialities, of.code);
    if (entry != nullptr) return as_code(*entry);
    return Code{of.code, of.label, std::string(codes::speciality_system)};
}

Professional professional(const domain::Professional& from) {
    Professional to;
    to.id = from.rpps.empty() ? std::string() : from.rpps.national();
    to.family = from.family;
    to.given = from.given;
    return to;
}

SourcePatient source_patient(const domain::Report& report) {
    const auto& traits = report.patient.traits.reveal();
    SourcePatient to;
    to.birth_name = traits.birth_name;
    to.first_given_name = traits.first_given_name;
    to.birth_given_names = traits.birth_given_names;
    to.birth_date = traits.birth_date;
    to.sex = std::string(domain::to_string(traits.sex));
    to.birth_place = traits.birth_place;
    return to;
}

}  // namespace

Personal<PatientId> local_patient_id(const domain::Report& report) {
    const auto& patient = report.patient;
    return Personal(PatientId{patient.local_id, patient.local_authority_oid.empty() ? report.site.oid : patient.local_authority_oid, "PI"});
}

Personal<PatientId> patient_id(const domain::Report& report) {
    if (!report.patient.ins_may_leave()) return local_patient_id(report);
    const auto& ins = report.patient.ins->reveal();
    return Personal(PatientId{ins.matricule.text(), ins.oid, "NH"});
}

Author report_author(const domain::Report& report) {
    Author author;
    author.institution.name = report.entity.name + (report.site.name.empty() ? "" : " - " + report.site.name);
    author.institution.id = report.site.finess.national();
    author.professional = professional(report.validator);
    author.specialty = speciality(report.validator.speciality);
    return author;
}

Result<Submission> report_submission(const domain::Report& report, const SubmissionIdentity& identity,
                                     std::string_view document) {
    const auto& settings = report.site.settings;
    const auto content_type = from(content_types, settings.content_type, "site.content_type");
    if (!content_type) return content_type.error();
    const auto facility = from(codes::facility_types, settings.facility_type, "site.facility_type");
    if (!facility) return facility.error();
    const auto setting = from(codes::practice_settings, settings.practice_setting, "site.practice_setting");
    if (!setting) return setting.error();
    const auto confidentiality = from(codes::confidentialities, std::string_view(&report.confidentiality, 1), "confidentiality");
    if (!confidentiality) return confidentiality.error();

    Submission made;
    made.set.entry_id = identity.set_entry_id;
    made.set.submission_time = identity.submission_time;
    made.set.title = "Compte rendu d'examens biologiques";
    made.set.authors = {report_author(report)};
    made.set.content_type = *content_type;
    made.set.patient_id = patient_id(report);
    made.set.source_id = identity.source_id;
    made.set.unique_id = identity.unique_id;

    const auto& zone = report.site.time_zone;
    DocumentEntry entry;
    entry.entry_id = identity.document_entry_id;
    entry.creation_time = zone.to_instant(report.created_at);
    entry.service_start = zone.to_instant(report.registered_at);  // serviceEvent/effectiveTime low and high
    if (report.kind == domain::ReportKind::final) entry.service_stop = zone.to_instant(report.created_at);
    entry.legal_authenticator = professional(report.validator);
    entry.patient_id = made.set.patient_id;
    entry.source_patient_id = local_patient_id(report);
    entry.source_patient = Personal(source_patient(report));
    entry.title = made.set.title;
    entry.authors = made.set.authors;
    entry.class_code = class_report();
    entry.type_code = type_cr_bio();
    entry.format_code = format_cr_bio_n3();
    entry.facility_type = *facility;
    entry.practice_setting = *setting;
    entry.confidentiality = {*confidentiality};
    for (std::size_t i = 0; i < report.chapters.size(); ++i) {
        const auto chapter = from(codes::chapters, report.chapters[i].code, fmt::format("chapters[{}].code", i + 1));
        if (!chapter) return chapter.error();
        entry.events.push_back(*chapter);
    }
    entry.unique_id = report.ids.document_oid;
    if (report.ids.version > 1) entry.action = "C";
    describe_bytes(entry, document);
    made.documents.push_back(std::move(entry));
    return made;
}

}  // namespace sgl::xds
