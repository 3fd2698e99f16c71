#include "lib/interpret/work.hpp"

#include <algorithm>

#include "hl7/ack.hpp"
#include "hl7/builder.hpp"
#include "lib/base/text.hpp"

namespace sgl::interpret {

namespace {

using What = WorkOrder::What;

Refusal refuse(unsigned field, std::string what) {
    const auto number = std::to_string(field);
    return {"AE", "101", "QPD^1^" + number, std::move(what), "QPD-" + number};
}

hl7::Charset charset_of(const domain::Link& link) {
    if (link.charset == "iso-8859-1") return hl7::Charset::iso_8859_1;
    if (link.charset == "iso-8859-15") return hl7::Charset::iso_8859_15;
    if (link.charset == "windows-1252") return hl7::Charset::windows_1252;
    return hl7::Charset::utf_8;
}

void write_header(hl7::Builder& b, const WorkOrder& order, const domain::Link& link, hl7::Charset charset) {
    hl7::Header header;
    header.sending_application = link.our_application;
    header.sending_facility = link.our_facility;
    if (!link.allowed_senders.empty()) {
        header.receiving_application = link.allowed_senders.front().application;
        header.receiving_facility = link.allowed_senders.front().facility;
    }
    header.time = link.time_zone.to_local(order.at);
    header.type = "OML";
    header.trigger = "O33";
    header.structure = "OML_O33";
    header.control_id = order.control_id;
    header.processing_id = link.processing_id;
    header.charset = charset;
    b.header(header);
    b.field(15, "NE").field(16, "AL").components(21, {"LAB-28", "IHE"});
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

void write_specimen(hl7::Builder& b, const WorkOrder& order, const domain::Link& link) {
    b.segment("SPM").field(1, "1");
    b.at(2, 1, 1, order.specimen.number).at(2, 1, 2, link.our_application);
    if (order.what == What::nothing)
        b.null(4);
    else
        b.components(4, {order.specimen.type, order.specimen.type_label, "HL70487"});
    b.components(11, {order.what == What::nothing ? "U" : "P", "", "HL70369"});
    if (order.specimen.collected_at) b.time(17, *order.specimen.collected_at);
}

void write_priority(hl7::Builder& b, const WorkOrder& order) {
    b.segment("TQ1").components(9, {order.urgent ? "S" : "R", "", "HL70485"});
}

void write_code(hl7::Builder& b, std::size_t field, const domain::Analyte& analyte, const domain::Link& link) {
    const std::string code = code_for(link, analyte);
    if (analyte.loinc.empty())
        b.components(field, {code, analyte.label, "L"});
    else
        b.components(field, {code, analyte.label, "L", analyte.loinc, analyte.label, "LN"});
}

void write_steps(hl7::Builder& b, const WorkOrder& order, const domain::Link& link) {
    const Timestamp at = link.time_zone.to_local(order.at);
    for (const auto& step : order.steps) {
        b.segment("ORC").field(1, order.what == What::cancel ? "CA" : "NW").time(9, at);
        if (order.what != What::cancel) write_priority(b, order);
        b.segment("OBR").field(2, domain::awos_id(step.number));
        write_code(b, 4, *step.analyte, link);
        if (order.what == What::cancel) continue;
        b.segment("TCD");
        write_code(b, 1, *step.analyte, link);
    }
}

}  // namespace

std::variant<WorkQuery, Refusal> work_query(const hl7::Message& message) {
    const auto qpd = message.first("QPD");
    if (!qpd) return Refusal{"AE", "100", "QPD^1", "a query needs QPD", "QPD"};
    const auto at = [&](std::size_t field) { return std::string(trim(qpd.text(field, 1, 1))); };
    const std::string trigger = message.trigger();
    const std::string name = at(1);
    WorkQuery query;
    if (trigger == "Z01" || trigger == "Z03") {  // GeneXpert: patient, then specimen; Z01 asks for all
        query.in_answer = true;
        query.specimen = at(4);
        query.about = query.specimen.empty() ? WorkQuery::About::all : WorkQuery::About::specimen;
        if (trigger == "Z03" && query.specimen.empty()) return refuse(4, "the specimen is missing");
        return query;
    }
    if (name != "WOS" && name != "WOS_ALL") {
        Refusal refusal = refuse(1, "only the queries WOS and WOS_ALL are known");
        refusal.answer = "AR";
        refusal.code = "103";
        return refusal;
    }
    query.specimen = at(3);
    if (name == "WOS_ALL") {
        query.specimen.clear();
        query.about = WorkQuery::About::all;
    } else if (!query.specimen.empty()) {
        query.about = WorkQuery::About::specimen;
    } else {
        query.about = WorkQuery::About::place;
        if (at(4).empty() && at(6).empty()) return refuse(3, "neither a specimen nor a rack nor a tray is named");
    }
    return query;
}

std::string work_message(const WorkOrder& order, const domain::Link& link) {
    const auto write = [&](hl7::Charset charset) {
        hl7::Builder b;
        write_header(b, order, link, charset);
        if (order.patient != nullptr && order.what == What::work) write_patient(b, *order.patient);
        write_specimen(b, order, link);
        b.segment("SAC").field(3, order.specimen.number);
        if (order.what == What::nothing) b.segment("ORC").field(1, "DC").time(9, link.time_zone.to_local(order.at));
        write_steps(b, order, link);
        return b.bytes();
    };
    auto written = write(charset_of(link));
    // No name is written with `?`.
    if (written.lost > 0) written = write(hl7::Charset::utf_8);
    return std::move(written.bytes);
}

std::string work_segments(const std::vector<WorkOrder>& orders, const domain::Link& link) {
    hl7::Builder b;
    const domain::Patient* patient = nullptr;
    for (const auto& order : orders) {
        if (order.patient != nullptr && order.patient != patient)
            b.segment("PID").field(1, "1").field(3, order.patient->local_id);
        patient = order.patient;
        for (const auto& step : order.steps) {
            const std::string id = domain::awos_id(step.number);
            b.segment("ORC").field(1, "NW").field(2, id).time(9, link.time_zone.to_local(order.at));
            b.segment("OBR").field(1, "1").field(2, id).field(4, code_for(link, *step.analyte)).field(11, "A");
            b.segment("TQ1").field(9, order.urgent ? "S" : "R");
            b.segment("SPM").field(1, "1").field(2, order.specimen.number).field(4, order.specimen.type).field(11, "P");
        }
    }
    return b.text();
}

std::string code_for(const domain::Link& link, const domain::Analyte& analyte) {
    for (const auto& code : link.codes)
        if (code.ours == analyte.local_code) return code.theirs;
    return analyte.local_code;
}

bool measures(const domain::Link& link, const domain::Analyte& analyte) {
    if (!link.exams.empty()) return std::ranges::find(link.exams, analyte.local_code) != link.exams.end();
    if (link.codes.empty()) return true;
    return std::ranges::find(link.codes, analyte.local_code, &domain::Link::Code::ours) != link.codes.end();
}

Result<WorkAnswer> work_answer(const hl7::Message& message) {
    const Result<hl7::AckReading> reading = hl7::read_ack(message);
    if (!reading) return reading.error();
    WorkAnswer answer;
    answer.accepted = reading->accepted();
    std::optional<domain::StepAnswer> said;
    const auto hear = [&](const std::string& id) {
        const auto number = domain::awos_number(trim(id));
        if (said && number) answer.steps[*number] = *said;
    };
    for (std::size_t i = 0; i < message.size(); ++i) {
        const auto segment = message.segment(i);
        if (segment.id() == "ORC") {
            said = domain::step_answer_of(trim(segment.text(1)));
            hear(segment.text(2));
        } else if (segment.id() == "OBR") {
            hear(segment.text(2));
        }
    }
    return answer;
}

}  // namespace sgl::interpret
