#include "hl7/ack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace {

constexpr std::array<std::pair<AckCode, std::string_view>, 6> ack_codes = {{{AckCode::aa, "AA"},
                                                                            {AckCode::ae, "AE"},
                                                                            {AckCode::ar, "AR"},
                                                                            {AckCode::ca, "CA"},
                                                                            {AckCode::ce, "CE"},
                                                                            {AckCode::cr, "CR"}}};

constexpr std::array<std::string_view, 11> versions = {"2.1",   "2.2", "2.3", "2.3.1", "2.4", "2.5",
                                                       "2.5.1", "2.6", "2.7", "2.8",   "2.9"};

bool before_2_5(std::string_view version) {
    return version.starts_with("2.") && version.size() >= 3 && version[2] >= '1' && version[2] <= '4' &&
           (version.size() == 3 || version[3] == '.');
}

// Our coordinates in pieces: "OBX[3]-5[2].1.4".
struct Place {
    std::string_view segment;
    std::array<std::size_t, 5> numbers{};  // sequence, field, repetition, component, sub-component; 0 when not given
};

Place place_of(std::string_view where) {
    Place place;
    if (where.size() < 3) return place;
    place.segment = where.substr(0, 3);
    where.remove_prefix(3);
    const auto number = [&](char before, std::size_t& target) {
        if (!where.starts_with(before)) return;
        where.remove_prefix(1);
        const auto read = std::from_chars(where.data(), where.data() + where.size(), target);
        where.remove_prefix(static_cast<std::size_t>(read.ptr - where.data()));
        if (before == '[' && where.starts_with(']')) where.remove_prefix(1);
    };
    number('[', place.numbers[0]);
    number('-', place.numbers[1]);
    number('[', place.numbers[2]);
    number('.', place.numbers[3]);
    number('.', place.numbers[4]);
    const bool segment_name = std::all_of(place.segment.begin(), place.segment.end(),
                                          [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
    if (!segment_name) place = {};
    if (place.numbers[0] == 0) place.numbers[0] = 1;
    return place;
}

std::string number_or_nothing(std::size_t number) {
    return number == 0 ? std::string{} : std::to_string(number);
}

// The separators of the incoming message; with fewer than four nothing can be written safely, so then the usual ones.
Separators separators_for(const Message& incoming) {
    const auto& theirs = incoming.separators();
    const std::array all{theirs.field, theirs.component, theirs.repetition, theirs.escape, theirs.subcomponent};
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i] == '\0' || std::count(all.begin(), all.end(), all[i]) != 1) return {};
    }
    return theirs;
}

// Copies keep their escapes, so the separators must be the incoming ones; if those were not usable, only the text is
// copied.
void copy_field(Builder& b, const Message& incoming, std::size_t number, const Field& field) {
    if (separators_for(incoming) == incoming.separators())
        b.raw(number, field.raw());
    else
        b.field(number, field.text());
}

// Stands for MSA-2 until the answer has its bytes; letters only, which no separator is.
constexpr std::string_view control_id_mark = "SGLDCONTROLIDASITSTOOD";

std::string order_event(const std::string& trigger) {
    return trigger == "O01" ? "O02" : trigger == "O33" ? "O34" : trigger == "O35" ? "O36" : "O22";
}

std::string response_event(const std::string& trigger) {
    return trigger == "Q11" ? "K11" : trigger == "Z01" || trigger == "Z03" ? "Z02" : trigger;
}

/// LAB-32: the point-of-care messages are answered by ACK^R33 (hl7v2-lab 1).
std::string acknowledged_event(const std::string& type, const std::string& trigger) {
    const bool point_of_care = type == "ORU" && (trigger == "R30" || trigger == "R31" || trigger == "R32");
    return point_of_care ? "R33" : trigger;
}

void write_header(Builder& b, const Message& incoming, const AnswerContext& context, std::string_view type,
                  std::string_view structure) {
    const auto from = incoming.header();
    const auto version = incoming.version();
    const auto trigger = incoming.trigger();
    Header header;
    header.sending_application = context.sending_application;
    header.sending_facility = context.sending_facility;
    header.time = context.time;
    header.type = type;
    const bool of_orders = type == "ORL" || type == "ORR";
    if (of_orders)
        header.trigger = order_event(trigger);
    else if (type == "RSP")
        header.trigger = response_event(trigger);
    else
        header.trigger = acknowledged_event(incoming.type(), trigger);
    if (!header.trigger.empty())
        header.structure = of_orders ? std::string(type) + "_" + header.trigger : std::string(structure);
    header.control_id = context.control_id;
    header.processing_id = {};
    const bool known = std::find(versions.begin(), versions.end(), version) != versions.end();
    header.version = known ? version : "2.5.1";
    header.charset = context.charset;
    b.header(header);
    copy_field(b, incoming, 5, from.field(3));
    copy_field(b, incoming, 6, from.field(4));
    copy_field(b, incoming, 11, from.field(11));
    b.field(15, context.accept).field(16, context.application);
}

void write_answer(Builder& b, const Message& incoming, AckCode code, std::span<const Problem> problems,
                  std::string_view text, const AnswerContext& context) {
    const bool old = before_2_5(incoming.version());
    b.segment("MSA").field(1, to_string(code)).field(3, text);
    if (context.raw_control_id.empty())
        copy_field(b, incoming, 2, incoming.header().field(10));
    else
        b.field(2, control_id_mark);
    b.field(4, context.expected_sequence);
    const auto coded = [](ErrorCode error) { return std::to_string(static_cast<unsigned>(error)); };
    if (old && !problems.empty()) {
        const auto& first = problems.front();
        b.components(6, {coded(first.code), to_string(first.code), "HL70357"});
        b.segment("ERR");  // one, with ERR-1 repeated
        for (const auto& problem : problems) {
            const auto place = place_of(problem.where);
            if (place.segment.empty())
                b.repeat(1, {});
            else
                b.repeat(1, {place.segment, std::to_string(place.numbers[0]), number_or_nothing(place.numbers[1])});
            b.at(1, 4, 1, coded(problem.code)).at(1, 4, 2, to_string(problem.code)).at(1, 4, 3, "HL70357");
        }
        return;
    }
    for (const auto& problem : problems) {
        const auto place = place_of(problem.where);
        const auto& n = place.numbers;
        b.segment("ERR");
        if (!place.segment.empty()) {
            const auto repetition = n[1] != 0 && n[2] == 0 ? 1 : n[2];
            b.components(2, {place.segment, std::to_string(n[0]), number_or_nothing(n[1]),
                             number_or_nothing(repetition), number_or_nothing(n[3]), number_or_nothing(n[4])});
        }
        b.components(3, {coded(problem.code), to_string(problem.code), "HL70357"});
        b.field(4, std::string_view(&problem.severity, 1)).field(5, problem.application_code);
        b.field(7, problem.diagnostic).field(8, problem.user_text);
    }
}

void copy(Builder& b, const Message& incoming, const Segment& segment) {
    if (separators_for(incoming) == incoming.separators()) {
        b.copy(segment);
        return;
    }
    b.segment(segment.id());
    for (std::size_t i = 1; i <= segment.fields(); ++i)
        b.field(i, segment.field(i).text());
}

void write_order(Builder& b, const Message& incoming, const PatientGroup& patient, const OrderGroup& order,
                 const OrderAnswer& answer, bool specimens_after) {
    const auto& numbers = order.orc ? order.orc : order.obr;
    b.segment("ORC").field(1, answer.control);
    copy_field(b, incoming, 2, numbers.field(2));
    copy_field(b, incoming, 3, numbers.field(3));
    if (!answer.filler_number.empty()) b.field(3, answer.filler_number);
    copy_field(b, incoming, 4, order.orc.field(4));
    b.field(5, answer.status);
    if (!answer.reason_code.empty() || !answer.reason.empty()) b.components(16, {answer.reason_code, answer.reason});
    if (!order.obr) return;
    b.segment("OBR");
    for (const std::size_t number : {1UL, 2UL, 3UL, 4UL, 16UL})
        copy_field(b, incoming, number, order.obr.field(number));
    if (!answer.filler_number.empty()) b.field(3, answer.filler_number);
    if (!specimens_after) return;
    for (const auto position : order.specimens) {
        if (const auto& spm = patient.specimens[position].spm) copy(b, incoming, spm);
    }
}

void write_specimen(Builder& b, const Message& incoming, const SpecimenGroup& specimen) {
    if (specimen.spm) copy(b, incoming, specimen.spm);
    for (const auto& container : specimen.containers) {
        if (container.id() == "SAC") copy(b, incoming, container);
    }
}

std::string with_raw_control_id(std::string bytes, const AnswerContext& context) {
    if (context.raw_control_id.empty()) return bytes;
    const auto at = bytes.find(control_id_mark);
    if (at != std::string::npos) bytes.replace(at, control_id_mark.size(), context.raw_control_id);
    return bytes;
}

// An identity is never written with `?`: what the set of the answer cannot hold makes the answer UTF-8.
template <class Write>
std::string encoded(const AnswerContext& context, Write write) {
    auto first = write(context);
    if (first.lost == 0) return with_raw_control_id(std::move(first.bytes), context);
    auto in_utf_8 = context;
    in_utf_8.charset = Charset::utf_8;
    return with_raw_control_id(write(in_utf_8).bytes, context);
}

AckRequest::When when(std::string_view code, bool& unusual) {
    if (code == "AL") return AckRequest::When::always;
    if (code == "ER") return AckRequest::When::on_error;
    if (code == "SU") return AckRequest::When::on_success;
    if (code != "NE" && !code.empty()) unusual = true;
    return AckRequest::When::never;
}

bool wanted(AckRequest::When when, AckOutcome outcome) {
    switch (when) {
        case AckRequest::When::never:
            return false;
        case AckRequest::When::always:
            return true;
        case AckRequest::When::on_error:
            return outcome != AckOutcome::stored;
        case AckRequest::When::on_success:
            return outcome == AckOutcome::stored;
    }
    return false;
}

AckCode application_code(AckOutcome outcome) {
    switch (outcome) {
        case AckOutcome::stored:
            return AckCode::aa;
        case AckOutcome::content_error:
            return AckCode::ae;
        case AckOutcome::rejected:
            return AckCode::ar;
    }
    return AckCode::ae;
}

AckCode accept_code(AckOutcome outcome) {
    switch (outcome) {
        case AckOutcome::stored:
            return AckCode::ca;
        case AckOutcome::content_error:
            return AckCode::ce;
        case AckOutcome::rejected:
            return AckCode::cr;
    }
    return AckCode::ce;
}

// ELD has an error code where ERL has the repetition and the component.
std::string coordinate(const Repetition& location, bool eld) {
    const auto part = [&](std::size_t i) { return location.component(i).text(); };
    std::string where = part(1);
    if (!where.empty() && !part(2).empty()) where += '[' + part(2) + ']';
    if (!where.empty() && !part(3).empty()) where += '-' + part(3);
    if (!eld && !where.empty() && !part(5).empty()) where += '.' + part(5);
    return where;
}

}  // namespace

std::string_view to_string(AckCode code) {
    for (const auto& [value, text] : ack_codes) {
        if (value == code) return text;
    }
    return "";
}

std::optional<AckCode> parse_ack_code(std::string_view text) {
    for (const auto& [value, name] : ack_codes) {
        if (name == text) return value;
    }
    return std::nullopt;
}

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::accepted:
            return "Message accepted";
        case ErrorCode::segment_sequence:
            return "Segment sequence error";
        case ErrorCode::required_field_missing:
            return "Required field missing";
        case ErrorCode::data_type:
            return "Data type error";
        case ErrorCode::table_value_not_found:
            return "Table value not found";
        case ErrorCode::value_too_long:
            return "Value too long";
        case ErrorCode::cardinality:
            return "Non-Conformant Cardinality";
        case ErrorCode::other_hl7_error:
            return "Other HL7 Error";
        case ErrorCode::unsupported_message_type:
            return "Unsupported message type";
        case ErrorCode::unsupported_event:
            return "Unsupported event code";
        case ErrorCode::unsupported_processing_id:
            return "Unsupported processing id";
        case ErrorCode::unsupported_version:
            return "Unsupported version id";
        case ErrorCode::unknown_key:
            return "Unknown key identifier";
        case ErrorCode::duplicate_key:
            return "Duplicate key identifier";
        case ErrorCode::record_locked:
            return "Application record locked";
        case ErrorCode::application_error:
            return "Application error";
    }
    return "";
}

Problem to_problem(const Error& error) {
    Problem problem;
    problem.where = error.where;
    problem.diagnostic = error.what;
    switch (error.fault) {
        case Fault::malformed:
            problem.code = ErrorCode::other_hl7_error;
            break;
        case Fault::missing:
            problem.code = ErrorCode::required_field_missing;
            break;
        case Fault::unsupported:
            problem.code = ErrorCode::unsupported_message_type;
            break;
        case Fault::conflict:
            problem.code = ErrorCode::duplicate_key;
            break;
        case Fault::refused:
        case Fault::unavailable:
            problem.code = ErrorCode::application_error;
            break;
    }
    return problem;
}

std::string_view control_id_bytes(std::string_view block) {
    const auto start = block.find("MSH");
    if (start == std::string_view::npos || block.size() < start + 4) return {};
    auto line = block.substr(start);
    line = line.substr(0, line.find_first_of("\r\n"));
    if (line.size() < 4) return {};
    const char separator = line[3];
    for (int number = 1; number < 10; ++number) {
        const auto next = line.find(separator);
        if (next == std::string_view::npos) return {};
        line.remove_prefix(next + 1);
    }
    return line.substr(0, line.find(separator));
}

std::string ack(const Message& incoming, AckCode code, std::span<const Problem> problems, const AnswerContext& context,
                std::string_view text) {
    return encoded(context, [&](const AnswerContext& with) {
        Builder b(separators_for(incoming));
        write_header(b, incoming, with, "ACK", "ACK");
        write_answer(b, incoming, code, problems, text, with);
        return b.bytes();
    });
}

std::string orl(const Message& incoming, const Groups& groups, AckCode code, std::span<const OrderAnswer> answers,
                std::span<const Problem> problems, const AnswerContext& context) {
    return encoded(context, [&](const AnswerContext& with) {
        Builder b(separators_for(incoming));
        const bool old = incoming.type() == "ORM";
        const auto trigger = incoming.trigger();
        const bool specimen_first = trigger == "O33" || trigger == "O35";
        write_header(b, incoming, with, old ? "ORR" : "ORL", {});
        write_answer(b, incoming, code, problems, {}, with);
        auto left = answers;
        for (const auto& patient : groups.patients) {
            if (left.empty() || patient.orders.empty()) continue;
            if (patient.pid) copy(b, incoming, patient.pid);
            std::optional<std::size_t> open;
            for (const auto& order : patient.orders) {
                if (left.empty()) break;
                if (specimen_first && !order.specimens.empty() && open != order.specimens.front()) {
                    open = order.specimens.front();
                    write_specimen(b, incoming, patient.specimens[*open]);
                }
                write_order(b, incoming, patient, order, left.front(), !specimen_first && !old);
                left = left.subspan(1);
            }
        }
        return b.bytes();
    });
}

std::string_view to_string(QueryStatus status) {
    switch (status) {
        case QueryStatus::ok:
            return "OK";
        case QueryStatus::not_found:
            return "NF";
        case QueryStatus::application_error:
            return "AE";
        case QueryStatus::application_reject:
            return "AR";
    }
    return "";
}

std::string rsp(const Message& query, AckCode code, QueryStatus status, std::span<const Problem> problems,
                const AnswerContext& context, std::string_view more) {
    return encoded(context, [&](const AnswerContext& with) {
        Builder b(separators_for(query));
        const bool vendor = query.trigger().starts_with('Z');
        write_header(b, query, with, "RSP", vendor ? std::string_view() : std::string_view("RSP_K11"));
        write_answer(b, query, code, problems, {}, with);
        const auto qpd = query.first("QPD");
        b.segment("QAK").field(2, to_string(status));
        copy_field(b, query, 1, qpd.field(2));
        copy_field(b, query, 3, qpd.field(1));
        if (qpd) copy(b, query, qpd);
        if (separators_for(query) == Separators{}) b.segments(more);
        return b.bytes();
    });
}

AckRequest ack_request(const Message& incoming) {
    const auto accept = std::string(trim(incoming.header().field(15).text()));
    const auto application = std::string(trim(incoming.header().field(16).text()));
    AckRequest request;
    if (accept.empty() && application.empty()) return request;
    bool unusual = false;
    const auto accept_when = when(accept, unusual);
    const auto application_when = when(application, unusual);
    if (unusual) {
        request.unusual = true;
        return request;
    }
    request.original = false;
    request.accept = accept_when;
    request.application = application_when;
    return request;
}

bool is_answer(const Message& incoming) {
    if (!incoming.first("MSA")) return false;
    static constexpr std::array own{"ORU", "OUL", "OML", "ORM", "ADT", "MDM", "SSU", "QBP", "QCN", "VXU", "BAR", "DFT"};
    return std::ranges::find(own, incoming.type()) == own.end();
}

AckDecision decide(const AckRequest& request, AckOutcome outcome) {
    if (request.original) return {application_code(outcome), false};
    const bool application = wanted(request.application, outcome);
    if (request.accept == AckRequest::When::never) {
        if (!application) return {};
        return {application_code(outcome), false};
    }
    AckDecision decision;
    if (wanted(request.accept, outcome)) decision.now = accept_code(outcome);
    decision.later = application;
    return decision;
}

bool AckReading::never_again() const {
    return std::any_of(problems.begin(), problems.end(), [](const auto& problem) {
        return problem.code == "200" || problem.code == "201" || problem.code == "202" || problem.code == "203";
    });
}

Result<AckReading> read_ack(const Message& answer) {
    const auto msa = answer.first("MSA");
    if (!msa) return Error{Fault::missing, "MSA", "the answer has no MSA segment"};
    const auto text = std::string(trim(msa.text(1)));
    if (text.empty()) return Error{Fault::missing, "MSA-1", "the answer has no acknowledgement code"};
    const auto code = parse_ack_code(to_upper_ascii(text));
    if (!code) return Error{Fault::malformed, "MSA-1", "the acknowledgement code is not in table 0008"};
    AckReading reading;
    reading.code = *code;
    reading.control_id = msa.field(2).text();
    reading.text = msa.field(3).text();
    for (const auto& err : answer.all("ERR")) {
        for (const auto& location : err.field(1).repetitions()) {
            auto error = location.component(4).subcomponent(1).text();
            if (location.empty()) continue;
            reading.problems.push_back({coordinate(location, true), std::move(error), "E", {}});
        }
        const auto code_text = err.text(3);
        if (code_text.empty() && err.field(2).empty()) continue;
        auto severity = err.text(4);
        if (severity.empty()) severity = "E";
        reading.problems.push_back(
            {coordinate(err.field(2).repetition(0), false), code_text, std::move(severity), err.text(5)});
    }
    if (reading.problems.empty() && !msa.field(6).empty()) reading.problems.push_back({{}, msa.text(6), "E", {}});
    return reading;
}

}  // namespace sgl::hl7
