#include "lib/interpret/outgoing.hpp"

#include "lib/interpret/work.hpp"

namespace sgl::interpret {

hl7::Charset charset_of(const domain::Link& link) {
    if (link.charset == "iso-8859-1") return hl7::Charset::iso_8859_1;
    if (link.charset == "iso-8859-15") return hl7::Charset::iso_8859_15;
    if (link.charset == "windows-1252") return hl7::Charset::windows_1252;
    return hl7::Charset::utf_8;
}

void write_header(hl7::Builder& b, const Outgoing& message, const domain::Link& link, hl7::Charset charset) {
    hl7::Header header;
    header.sending_application = link.our_application;
    header.sending_facility = link.our_facility;
    if (!link.allowed_senders.empty()) {
        header.receiving_application = link.allowed_senders.front().application;
        header.receiving_facility = link.allowed_senders.front().facility;
    }
    header.time = link.time_zone.to_local(message.at);
    header.type = "OML";
    header.trigger = message.trigger;
    header.structure = "OML_" + message.trigger;
    header.control_id = message.control_id;
    header.processing_id = link.processing_id;
    header.charset = charset;
    b.header(header);
    if (message.law) b.field(15, "NE").field(16, "AL");
    b.components(21, {message.transaction, "IHE"});
}

void write_patient(hl7::Builder& b, const domain::Patient& patient) {
    const auto& traits = patient.traits.reveal();
    b.segment("PID").at(3, 1, 1, patient.local_id).at(3, 5, 1, "PI");
    if (domain::is_oid(patient.local_authority_oid)) {
        b.at(3, 4, 2, patient.local_authority_oid).at(3, 4, 3, "ISO");
    } else {
        b.at(3, 4, 1, patient.local_authority_oid);
    }
    b.components(5, {traits.birth_name, traits.first_given_name, "", "", "", "", "L"});
    if (traits.birth_date) b.time(7, *traits.birth_date);
    b.field(8, domain::to_string(traits.sex));
}

void write_code(hl7::Builder& b, std::size_t field, const domain::Analyte& analyte, const domain::Link& link) {
    const std::string code = code_for(link, analyte);
    if (analyte.loinc.empty())
        b.components(field, {code, analyte.label, "L"});
    else
        b.components(field, {code, analyte.label, "L", analyte.loinc, analyte.label, "LN"});
}

}  // namespace sgl::interpret
