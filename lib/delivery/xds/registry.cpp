#include "lib/delivery/xds/registry.hpp"

#include <algorithm>

#include "lib/base/text.hpp"
#include "lib/base/time.hpp"
#include "lib/delivery/xds/codes.hpp"

namespace sgl::xds {

namespace {

using cda::XmlWriter;
using namespace std::string_literals;

constexpr std::string_view rim = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0";
constexpr std::string_view lcm = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0";
constexpr std::string_view object = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:";
constexpr std::size_t longest_id = 64;
constexpr std::size_t longest_title = 128;

class RegistryWriter {
public:
    RegistryWriter(XmlWriter& writer, const Submission& submission, Form form)
        : w_(writer), submission_(submission), form_(form) {}

    void write() {
        w_.element("rim:RegistryObjectList", {{"xmlns:rim", rim}}, [&] {
            check_form();
            submission_set(submission_.set);
            for (const auto& document : submission_.documents) document_entry(document);
            if (submission_.signature) document_entry(*submission_.signature);
            associations();
        });
    }

    void write(const StatusChange& change) {
        w_.element("rim:RegistryObjectList", {{"xmlns:rim", rim}}, [&] {
            submission_set(submission_.set);
            w_.require(change.entry.starts_with("urn:uuid:"), "a change of status names the entry that it changes");
            association(association::update_status, submission_.set.entry_id, change.entry, [&] {
                slot("OriginalStatus", change.original);
                slot("NewStatus", change.becomes);
            });
        });
    }

private:
    void check_form() {
        w_.require(!submission_.documents.empty(), "a submission has at least one document");
        if (form_ == Form::iti41) return;
        if (submission_.signature) w_.refuse(Fault::unsupported, "an XDM package holds no signature entry");
        if (!submission_.replacements.empty()) {
            w_.refuse(Fault::unsupported, "an XDM package tells a replacement by its action, not by an association");
        }
    }

    void slot(std::string_view name, const std::vector<std::string>& values) {
        w_.element("rim:Slot", {{"name", name}}, [&] {
            w_.element("rim:ValueList", {}, [&] {
                for (const auto& value : values) w_.element("rim:Value", {}, value);
            });
        });
    }
    void slot(std::string_view name, std::string value) {
        w_.require(!value.empty(), "this attribute has no value", name);
        slot(name, std::vector{std::move(value)});
    }
    void time_slot(std::string_view name, Instant at) { slot(name, to_hl7_utc(at)); }

    void localized(std::string_view element, std::string_view text) {
        w_.element(element, {}, [&] {
            w_.element("rim:LocalizedString", {{"xml:lang", "FR"}, {"charset", "UTF8"}, {"value", text}});
        });
    }

    std::string next_id(std::string_view kind) {
        const std::string number = std::to_string(++count_);
        return std::string(kind) + (number.size() < 2 ? "0" : "") + number;
    }

    void classification(std::string_view scheme, std::string_view of, const Code& code) {
        w_.require(!code.code.empty() && !code.system.empty() && !code.label.empty(), "a code has a system and a label", scheme);
        w_.element("rim:Classification",
                   {{"id", next_id("cl")},
                    {"classificationScheme", scheme},
                    {"classifiedObject", of},
                    {"nodeRepresentation", code.code},
                    {"objectType", std::string(object) + "Classification"}},
                   [&] {
                       slot("codingScheme", code.system);
                       localized("rim:Name", code.label);
                   });
    }

    void author(std::string_view scheme, std::string_view of, const Author& who) {
        w_.require(!who.professional.id.empty() && !who.professional.family.empty(), "an author has an identifier and a name",
                   "authorPerson");
        w_.require(!who.institution.id.empty() && !who.institution.name.empty(), "an author has an institution",
                   "authorInstitution");
        w_.element("rim:Classification",
                   {{"id", next_id("cl")},
                    {"classificationScheme", scheme},
                    {"classifiedObject", of},
                    {"objectType", std::string(object) + "Classification"}},
                   [&] {
                       w_.attribute("nodeRepresentation", "");  // IHE ITI TF-3 4.2.3.1.1: present and empty
                       slot("authorInstitution", to_xon(who.institution));
                       slot("authorPerson", to_xcn(who.professional));
                       if (!who.role.empty()) slot("authorRole", who.role);
                       if (who.specialty) slot("authorSpecialty", to_author_specialty(*who.specialty));
                   });
    }

    void authors(std::string_view scheme, std::string_view of, const std::vector<Author>& all) {
        w_.require(!all.empty(), "an author is required", "author");
        for (const auto& one : all) author(scheme, of, one);
    }

    void external_identifier(std::string_view scheme, std::string_view of, std::string_view value, std::string_view name) {
        w_.require(!value.empty(), "this identifier has no value", name);
        w_.element("rim:ExternalIdentifier",
                   {{"id", next_id("ei")},
                    {"registryObject", of},
                    {"identificationScheme", scheme},
                    {"value", value},
                    {"objectType", std::string(object) + "ExternalIdentifier"}},
                   [&] { localized("rim:Name", name); });
    }

    void unique_id(std::string_view scheme, std::string_view of, std::string_view value, std::string_view name) {
        const bool bare_oid = !value.empty() && value.size() <= longest_id &&
                              value.find_first_not_of("0123456789.") == std::string_view::npos;
        if (!bare_oid) w_.refuse(Fault::malformed, "this identifier must be a bare OID of at most 64 characters", name);
        external_identifier(scheme, of, value, name);
    }

    void patient_id(std::string_view scheme, std::string_view of, const Personal<PatientId>& id, std::string_view name) {
        w_.require(!id.reveal().id.empty() && !id.reveal().authority.empty(), "the patient has an identifier", name);
        external_identifier(scheme, of, to_cx(id.reveal()), name);
    }

    void submission_set(const SubmissionSet& set) {
        w_.element("rim:RegistryPackage",
                   {{"id", set.entry_id}, {"objectType", std::string(object) + "RegistryPackage"}}, [&] {
                       time_slot("submissionTime", set.submission_time);
                       if (!set.title.empty()) localized("rim:Name", set.title);
                       if (!set.comments.empty()) localized("rim:Description", set.comments);
                       authors(uuid::set_author, set.entry_id, set.authors);
                       classification(uuid::set_content_type, set.entry_id, set.content_type);
                       patient_id(uuid::set_patient_id, set.entry_id, set.patient_id, "XDSSubmissionSet.patientId");
                       external_identifier(uuid::set_source_id, set.entry_id, set.source_id, "XDSSubmissionSet.sourceId");
                       unique_id(uuid::set_unique_id, set.entry_id, set.unique_id, "XDSSubmissionSet.uniqueId");
                   });
        w_.element("rim:Classification", {{"id", next_id("cl")},
                                          {"classificationNode", uuid::submission_set_node},
                                          {"classifiedObject", set.entry_id},
                                          {"objectType", std::string(object) + "Classification"}});
    }

    static std::vector<std::string> patient_info(const SourcePatient& patient) {
        // PID-5 of spec/mssante.md 4.4: birth name, first given name, all given names; type L is the 7th component.
        std::vector<std::string> values{"PID-5|" + escaped_component(patient.birth_name) + '^' +
                                        escaped_component(patient.first_given_name) + '^' +
                                        escaped_component(patient.birth_given_names) + "^^^^L"};
        if (patient.birth_date) {
            Timestamp day = *patient.birth_date;
            day.precision = std::min(day.precision, Precision::day);
            day.offset_minutes.reset();
            values.push_back("PID-7|" + to_hl7(day));
        }
        if (!patient.sex.empty()) values.push_back("PID-8|" + escaped_component(patient.sex));
        if (!patient.birth_place.empty()) values.push_back("PID-11|^^^^^^BDL^^" + escaped_component(patient.birth_place));
        return values;
    }

    void document_entry(const DocumentEntry& entry) {
        w_.element("rim:ExtrinsicObject",
                   {{"id", entry.entry_id},
                    {"mimeType", entry.mime_type},
                    {"objectType", uuid::document_entry},
                    {"status", form_ == Form::xdm ? status::approved : std::string_view()}},  // in a registry the registry sets it
                   [&] {
                       document_slots(entry);
                       w_.require(!entry.title.empty(), "a document has a title", "rim:Name");
                       localized("rim:Name", first_characters(entry.title, longest_title));
                       if (!entry.comments.empty()) localized("rim:Description", entry.comments);
                       document_classifications(entry);
                       patient_id(uuid::patient_id, entry.entry_id, entry.patient_id, "XDSDocumentEntry.patientId");
                       unique_id(uuid::unique_id, entry.entry_id, entry.unique_id, "XDSDocumentEntry.uniqueId");
                   });
    }

    void document_slots(const DocumentEntry& entry) {
        constexpr std::size_t sha1_digits = 40;
        time_slot("creationTime", entry.creation_time);
        if (entry.hash.size() != sha1_digits || entry.size == 0) {
            w_.refuse(Fault::missing, "hash and size are those of the bytes that leave", "hash");
        }
        slot("hash", entry.hash);
        slot("languageCode", entry.language);
        w_.require(!entry.legal_authenticator.id.empty(), "a report has a legal authenticator", "legalAuthenticator");
        slot("legalAuthenticator", to_xcn(entry.legal_authenticator));
        if (entry.service_start) time_slot("serviceStartTime", *entry.service_start);
        w_.require(entry.service_start.has_value(), "a documented act has a beginning", "serviceStartTime");
        if (entry.service_stop) time_slot("serviceStopTime", *entry.service_stop);
        slot("size", std::to_string(entry.size));
        w_.require(!entry.source_patient_id.reveal().id.empty(), "the patient has an identifier", "sourcePatientId");
        slot("sourcePatientId", to_cx(entry.source_patient_id.reveal()));
        w_.require(!entry.source_patient.reveal().birth_name.empty(), "the patient has a name", "sourcePatientInfo");
        slot("sourcePatientInfo", patient_info(entry.source_patient.reveal()));
        if (!entry.references.empty()) slot("urn:ihe:iti:xds:2013:referenceIdList", entry.references);
        if (form_ == Form::iti41) return;
        slot("URI", entry.uri);
        if (!entry.action.empty()) slot("urn:action:extraMetadataSlot", entry.action);
    }

    void document_classifications(const DocumentEntry& entry) {
        const std::string_view of = entry.entry_id;
        authors(uuid::author, of, entry.authors);
        classification(uuid::class_code, of, entry.class_code);
        w_.require(!entry.confidentiality.empty(), "a document has a confidentiality", "confidentialityCode");
        for (const auto& code : entry.confidentiality) classification(uuid::confidentiality, of, code);
        for (const auto& code : entry.events) classification(uuid::event_code, of, code);
        classification(uuid::format_code, of, entry.format_code);
        classification(uuid::facility_type, of, entry.facility_type);
        classification(uuid::practice_setting, of, entry.practice_setting);
        classification(uuid::type_code, of, entry.type_code);
    }

    template <class Slots>
    void association(std::string_view type, std::string_view source, std::string_view target, Slots&& slots) {
        w_.element("rim:Association",
                   {{"id", next_id("as")},
                    {"associationType", type},
                    {"sourceObject", source},
                    {"targetObject", target},
                    {"objectType", std::string(object) + "Association"}},
                   slots);
    }

    void associations() {
        const std::string_view set = submission_.set.entry_id;
        const auto original = [&] { slot("SubmissionSetStatus", "Original"s); };
        for (const auto& document : submission_.documents) association(association::has_member, set, document.entry_id, original);
        if (submission_.signature) {
            association(association::has_member, set, submission_.signature->entry_id, original);
            association(association::signs, submission_.signature->entry_id, set, original);
        }
        for (const auto& replacement : submission_.replacements) {
            const bool ours = std::ranges::any_of(submission_.documents,
                                                  [&](const auto& one) { return one.entry_id == replacement.document; });
            if (!ours) w_.refuse(Fault::malformed, "a replacement names a document of its own submission");
            w_.require(replacement.replaced.starts_with("urn:uuid:"), "a replacement names the entry that it replaces");
            association(replacement.association, replacement.document, replacement.replaced, [] {});
        }
    }

    XmlWriter& w_;
    const Submission& submission_;
    Form form_;
    unsigned count_{0};
};

}  // namespace

void write_registry_objects(XmlWriter& writer, const Submission& submission, Form form) {
    RegistryWriter(writer, submission, form).write();
}

void write_submit_objects_request(XmlWriter& writer, const Submission& submission, Form form) {
    writer.element("lcm:SubmitObjectsRequest", {{"xmlns:lcm", lcm}}, [&] { write_registry_objects(writer, submission, form); });
}

void write_status_change(XmlWriter& writer, const SubmissionSet& set, const StatusChange& change) {
    Submission alone;
    alone.set = set;
    writer.element("lcm:SubmitObjectsRequest", {{"xmlns:lcm", lcm}}, [&] { RegistryWriter(writer, alone, Form::iti41).write(change); });
}

Result<std::string> xdm_metadata(const Submission& submission) {
    XmlWriter writer;
    write_submit_objects_request(writer, submission, Form::xdm);
    return writer.take();
}

}  // namespace sgl::xds
