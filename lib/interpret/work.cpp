#include "lib/interpret/work.hpp"

#include <algorithm>

#include "hl7/ack.hpp"
#include "hl7/builder.hpp"
#include "lib/base/text.hpp"
#include "lib/interpret/outgoing.hpp"

namespace sgl::interpret {

namespace {

using What = WorkOrder::What;

Refusal refuse(unsigned field, std::string what) {
    const auto number = std::to_string(field);
    return {"AE", "101", "QPD^1^" + number, std::move(what), "QPD-" + number};
}

void write_specimen(hl7::Builder& b, const WorkOrder& order, const domain::Link& link) {
    b.segment("SPM").field(1, "1");
    b.at(2, 1, 1, order.specimen.number).at(2, 1, 2, link.our_application);
    if (order.what == What::nothing || order.specimen.type.empty())
        b.null(4);
    else
        b.components(4, {order.specimen.type, order.specimen.type_label, "HL70487"});
    b.components(11, {order.what == What::nothing ? "U" : "P", "", "HL70369"});
    if (order.specimen.collected_at) b.time(17, *order.specimen.collected_at);
}

void write_priority(hl7::Builder& b, const WorkOrder& order) {
    b.segment("TQ1").components(9, {order.urgent ? "S" : "R", "", "HL70485"});
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
    return bytes_for(link, [&](hl7::Charset charset) {
        hl7::Builder b;
        write_header(b, {"O33", "LAB-28", order.control_id, order.at, true}, link, charset);
        if (order.patient != nullptr && order.what == What::work) write_patient(b, *order.patient);
        write_specimen(b, order, link);
        b.segment("SAC").field(3, order.specimen.number);
        if (order.what == What::nothing) b.segment("ORC").field(1, "DC").time(9, link.time_zone.to_local(order.at));
        write_steps(b, order, link);
        return b;
    });
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
            const std::string control(trim(segment.text(1)));
            said = domain::step_answer_of(control);
            hear(segment.text(2));
            const std::string theirs(trim(segment.text(2)));
            const std::string ours(trim(segment.text(3)));
            if (control == "NA" && !theirs.empty() && !ours.empty()) answer.placers[ours] = theirs;
            if (control == "UA") ++answer.unable;
        } else if (segment.id() == "OBR") {
            hear(segment.text(2));
        }
    }
    return answer;
}

}  // namespace sgl::interpret
