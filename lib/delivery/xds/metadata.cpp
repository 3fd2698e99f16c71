#include "lib/delivery/xds/metadata.hpp"

#include "cda/codes.hpp"
#include "lib/base/digest.hpp"
#include "lib/delivery/xds/codes.hpp"

namespace sgl::xds {

std::string escaped_component(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '^': out += "\\S\\"; break;
            case '&': out += "\\T\\"; break;
            case '~': out += "\\R\\"; break;
            case '|': out += "\\F\\"; break;
            case '\\': out += "\\E\\"; break;
            default: out += c;
        }
    }
    return out;
}

void describe_bytes(DocumentEntry& entry, std::string_view bytes) {
    entry.hash = to_hex(sha1(bytes));
    entry.size = bytes.size();
}

std::string to_xcn(const Professional& professional) {
    std::string text = escaped_component(professional.id) + '^' + escaped_component(professional.family) + '^' + escaped_component(professional.given);
    text += "^^^^^^&";
    text += cda::codes::professional_root;
    text += "&ISO^";
    if (professional.kind == Professional::Kind::device) return text + "U^^^RI";
    // An identifier made of structure and internal number is EI, a national one IDNPS.
    return text + "D^^^" + (professional.id.find('/') == std::string::npos ? "IDNPS" : "EI");
}

std::string to_xon(const Institution& institution) {
    return escaped_component(institution.name) + "^^^^^&" + std::string(cda::codes::structure_root) + "&ISO^IDNST^^^" +
           escaped_component(institution.id);
}

std::string to_cx(const PatientId& id) {
    return escaped_component(id.id) + "^^^&" + escaped_component(id.authority) + "&ISO^" + escaped_component(id.type);
}

std::string to_author_specialty(const Code& code) {
    return escaped_component(code.code) + '^' + escaped_component(code.label) + '^' + escaped_component(code.system);
}

DocumentEntry signature_entry(const Submission& submission, std::string unique_id) {
    DocumentEntry entry;
    if (!submission.documents.empty()) {
        const auto& first = submission.documents.front();
        entry.legal_authenticator = first.legal_authenticator;
        entry.source_patient = first.source_patient;
        entry.facility_type = first.facility_type;
        entry.practice_setting = first.practice_setting;
    }
    entry.entry_id = "Signature01";
    entry.language = "art";
    entry.creation_time = submission.set.submission_time;
    entry.service_start = submission.set.submission_time;
    entry.service_stop = submission.set.submission_time;
    entry.patient_id = submission.set.patient_id;
    entry.source_patient_id = submission.set.patient_id;
    entry.title = "Source";
    entry.authors = submission.set.authors;
    // spec/dmp.md 5.3, from the published example of GIE SESAM-Vitale.
    entry.class_code = Code{"urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "Digital Signature", "URN"};
    entry.type_code = Code{"E1762", "Full Document", "ASTM"};
    entry.format_code = Code{"http://www.w3.org/2000/09/xmldsig#", "Default Signature Style", "URN"};
    entry.events = {Code{"1.2.840.10065.1.12.1.14", "Source", "1.2.840.10065.1.12"}};
    entry.confidentiality = {confidentiality_normal(), hidden_from_professionals(), hidden_from_patient()};
    entry.unique_id = std::move(unique_id);
    return entry;
}

}  // namespace sgl::xds
