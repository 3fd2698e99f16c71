#include "lib/interpret/order_news.hpp"

#include <algorithm>

#include "lib/interpret/outgoing.hpp"

namespace sgl::interpret {

namespace {

using domain::OrderNews;

constexpr std::string_view rpps_oid = "1.2.250.1.71.4.2.1";

/// Our number of the line: its own, or that of the order where it shares it.
const std::string& our_number(const OrderNews& line, const domain::KnownOrder& order) {
    return line.exam.filler_number.empty() ? order.number : line.exam.filler_number;
}

void write_person(hl7::Builder& b, std::size_t field, const domain::Professional& person) {
    if (person.family.empty()) return;
    const std::string& rpps = person.rpps.text();
    b.components(field, {rpps, person.family, person.given, "", "", "", "", "", "", "D"});
    if (rpps.empty()) return;
    b.at(field, 9, 2, rpps_oid).at(field, 9, 3, "ISO").at(field, 13, 1, "RPPS");
}

void write_visit(hl7::Builder& b, const OrderNewsMessage& message) {
    b.segment("PV1").field(2, message.patient_class.empty() ? "U" : message.patient_class);
    b.field(19, message.stay_number);
}

void write_analysis(hl7::Builder& b, const domain::RequestedExam& exam, const domain::Link& link,
                    const domain::Catalogue& catalogue) {
    if (const auto* analyte = catalogue.by_code(exam.code))
        write_code(b, 4, *analyte, link);
    else
        b.components(4, {exam.code, exam.label, "L"});
}

void write_tube(hl7::Builder& b, const domain::Specimen& tube, std::size_t n, const domain::Link& link) {
    b.segment("SPM").field(1, std::to_string(n));
    b.at(2, 2, 1, tube.number).at(2, 2, 2, link.our_application);
    b.components(4, {tube.type, tube.type_label, "HL70487"});
    b.components(11, {"P", "", "HL70369"});
    if (tube.collected_at) b.time(17, *tube.collected_at);
    if (!tube.refused()) return;
    b.field(20, "N");
    b.components(21, {tube.refusal_code, tube.refusal, "HL70490"});
}

void write_line(hl7::Builder& b, const OrderNewsMessage& message, std::size_t n, const domain::Link& link,
                const domain::Catalogue& catalogue) {
    const auto& line = message.news[n];
    const auto& order = message.order;
    const bool added = line.what == OrderNews::What::added;
    const std::string& ours = our_number(line, order);
    const std::string_view theirs =
        numbered_here(line.exam) ? std::string_view() : std::string_view(line.exam.placer_number);
    b.segment("ORC").field(1, added ? "SN" : "OC").field(2, theirs).field(3, ours).field(4, order.group);
    b.field(5, added ? "SC" : "CA").time(9, link.time_zone.to_local(message.at));
    write_person(b, 12, order.prescriber);
    if (!added) b.at(16, 2, 1, line.exam.reason);
    b.segment("TQ1").components(9, {order.urgent ? "S" : "R", "", "HL70485"});
    b.segment("OBR").field(1, std::to_string(n + 1)).field(2, theirs).field(3, ours);
    write_analysis(b, line.exam, link, catalogue);
    write_person(b, 16, order.prescriber);
    if (!added) b.field(25, "X");
    std::size_t tubes = 0;
    for (const auto& tube : order.specimens) {
        const auto& of = line.exam.specimens;
        if (of.empty() || std::ranges::find(of, tube.number) != of.end()) write_tube(b, tube, ++tubes, link);
    }
}

}  // namespace

std::string order_news(const OrderNewsMessage& message, const domain::Link& link, const domain::Catalogue& catalogue) {
    return bytes_for(link, [&](hl7::Charset charset) {
        hl7::Builder b;
        write_header(b, {"O21", "LAB-2", message.control_id, message.at}, link, charset);
        write_patient(b, message.patient);
        write_visit(b, message);
        for (std::size_t n = 0; n < message.news.size(); ++n)
            write_line(b, message, n, link, catalogue);
        return b;
    });
}

}  // namespace sgl::interpret
