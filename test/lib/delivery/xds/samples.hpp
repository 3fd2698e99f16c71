// A submission as the channels make it, with official test identities.
#pragma once

#include "lib/delivery/xds/codes.hpp"
#include "lib/delivery/xds/metadata.hpp"

namespace sgl::test {

inline xds::Submission submission(std::string set_id, std::string document_id) {
    using namespace xds;
    Author author;
    author.institution = {"LABORATOIRE EXEMPLE", "1990000025"};
    author.professional = {"899900000017", "BIOLOGISTE", "CLAIRE", Professional::Kind::person};
    author.specialty = Code{"G15_10/SM03", "Médecin - Biologie médicale (SM)", "1.2.250.1.213.1.1.4.5"};

    Submission made;
    made.set.entry_id = std::move(set_id);
    made.set.submission_time = parse_iso8601("2026-03-02T09:15:00Z").value();
    made.set.title = "Compte rendu d'examens biologiques";
    made.set.authors = {author};
    made.set.content_type = content_type_laboratory();
    made.set.patient_id = Personal(PatientId{"279035121518989", "1.2.250.1.213.1.4.10", "NH"});
    made.set.source_id = "1.2.250.1.99999.1";
    made.set.unique_id = "1.2.250.1.99999.20.2026.123.1";

    DocumentEntry entry;
    entry.entry_id = std::move(document_id);
    entry.creation_time = parse_iso8601("2026-03-02T09:12:00Z").value();
    entry.service_start = parse_iso8601("2026-03-02T07:05:00Z").value();
    entry.service_stop = parse_iso8601("2026-03-02T09:10:00Z").value();
    entry.legal_authenticator = author.professional;
    entry.patient_id = made.set.patient_id;
    entry.source_patient_id = Personal(PatientId{"IPP004512", "1.2.250.1.99999.1", "PI"});
    SourcePatient patient;
    patient.birth_name = "PAT-TROIS";
    patient.first_given_name = "DOMINIQUE";
    patient.birth_given_names = "DOMINIQUE";
    patient.birth_date = Timestamp::parse("19790328").value();
    patient.sex = "F";
    patient.birth_place = "63220";
    entry.source_patient = Personal(patient);
    entry.title = "Compte rendu d'examens biologiques";
    entry.authors = {author};
    entry.class_code = class_report();
    entry.type_code = type_cr_bio();
    entry.format_code = format_cr_bio_n3();
    entry.facility_type = {"SA25", "Laboratoire de biologie médicale", "1.2.250.1.71.4.2.4"};
    entry.practice_setting = {"AMBULATOIRE", "Ambulatoire", "1.2.250.1.213.1.1.4.9"};
    entry.confidentiality = {confidentiality_normal()};
    entry.events = {Code{"18719-5", "Biochimie", "2.16.840.1.113883.6.1"}};
    entry.unique_id = "1.2.250.1.99999.10.2026.123.1";
    describe_bytes(entry, "<ClinicalDocument/>");
    made.documents.push_back(std::move(entry));
    return made;
}

}  // namespace sgl::test
