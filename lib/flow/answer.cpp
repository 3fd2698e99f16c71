#include "lib/flow/answer.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "hl7/groups.hpp"
#include "lib/base/digest.hpp"
#include "lib/interpret/order.hpp"
#include "lib/interpret/outgoing.hpp"
#include "lib/store/codec.hpp"

namespace sgl::flow {

namespace {

namespace json = boost::json;
constexpr std::size_t most_problems = 10;  // ERR segments of one answer

hl7::ErrorCode error_code_of(const domain::Trouble& trouble) {
    if (trouble.kind == "missing_code" || trouble.kind == "identifier_missing" || trouble.kind == "identity_incomplete")
        return hl7::ErrorCode::required_field_missing;
    if (trouble.kind == "charset" || trouble.kind == "value" || trouble.kind == "ins_invalid")
        return hl7::ErrorCode::data_type;
    if (trouble.kind == "two_patients") return hl7::ErrorCode::cardinality;
    if (trouble.kind == "unknown_code" || trouble.kind == "unit" || trouble.kind == "unknown_flag" ||
        trouble.kind == "unknown_exam" || trouble.kind == "ins_environment") {
        return hl7::ErrorCode::table_value_not_found;
    }
    return hl7::ErrorCode::application_error;
}

hl7::ErrorCode error_code_of(domain::LineRefusal refusal) {
    using enum domain::LineRefusal;
    switch (refusal) {
        case no_examination:
        case no_number:
            return hl7::ErrorCode::required_field_missing;
        case unknown_number:
        case other_patient:
        case not_replaced:
            return hl7::ErrorCode::unknown_key;
        case known_number:
        case tube_of_another:
        case two_orders:
            return hl7::ErrorCode::duplicate_key;
        case has_results:
        case validated:
        case cancelled_already:
            return hl7::ErrorCode::record_locked;
        case unsupported:
        case not_a_request:
            return hl7::ErrorCode::table_value_not_found;
        case charset:
            return hl7::ErrorCode::data_type;
        case none:
        case refused_replacement:
        case identity:
            return hl7::ErrorCode::application_error;
    }
    return hl7::ErrorCode::application_error;
}

/// Table 0038. An order that is not taken is cancelled for whoever asked for it (hl7v2-lab 7.3).
std::string status_code(domain::OrderControl asked, const domain::LineOutcome& outcome) {
    using enum domain::LineStatus;
    switch (outcome.status) {
        case scheduled:
            return "SC";
        case in_process:
            return "IP";
        case completed:
            return "CM";
        case cancelled:
            return "CA";
        case replaced:
            return "RP";
        case unknown:
            break;
    }
    if (outcome.refusal == domain::LineRefusal::none) return "SC";
    if (outcome.refusal == domain::LineRefusal::unknown_number) return "ER";
    const bool new_one = asked == domain::OrderControl::order || asked == domain::OrderControl::replacement ||
                         asked == domain::OrderControl::child;
    return new_one ? "CA" : "";
}

std::string order_response(const hl7::Message& incoming, hl7::AckCode code, const AnswerDetail& detail,
                           const hl7::AnswerContext& context) {
    auto groups = hl7::group(incoming);
    std::vector<hl7::OrderAnswer> answers;
    for (const auto& line : detail.lines) {
        hl7::OrderAnswer answer;
        answer.control = line.control;
        answer.status = line.status;
        answer.filler_number = line.number;
        answer.reason_code = line.reason_code;
        answer.reason = line.reason;
        answers.push_back(answer);
    }
    for (auto& patient : groups.patients)
        std::erase_if(patient.orders, [](const hl7::OrderGroup& order) { return order.prior; });
    return hl7::orl(incoming, groups, code, answers, detail.problems, context);
}

bool is_work_query(const hl7::Message& message) {
    const std::string trigger = message.trigger();
    return message.type() == "QBP" && (trigger == "Q11" || trigger == "WOS" || trigger == "Z01" || trigger == "Z03");
}

}  // namespace

std::string kept_form(const AnswerDetail& detail) {
    json::array problems;
    for (const auto& problem : detail.problems) {
        problems.push_back({{"code", static_cast<int>(problem.code)},
                            {"severity", std::string(1, problem.severity)},
                            {"where", problem.where},
                            {"diagnostic", problem.diagnostic},
                            {"user", problem.user_text}});
    }
    json::array lines;
    for (const auto& line : detail.lines) {
        lines.push_back({{"control", line.control},
                         {"status", line.status},
                         {"number", line.number},
                         {"code", line.reason_code},
                         {"reason", line.reason}});
    }
    json::object kept{{"problems", std::move(problems)}, {"lines", std::move(lines)}};
    if (!detail.query_status.empty()) kept["query"] = detail.query_status;
    if (!detail.segments.empty()) kept["segments"] = detail.segments;
    return store::codec::text(kept);
}

AnswerDetail from_kept_form(const std::string& text) {
    AnswerDetail detail;
    if (text.empty()) return detail;
    const auto kept = store::codec::parse(text);
    for (const auto& stored : kept.at("problems").as_array()) {
        hl7::Problem problem;
        problem.code = static_cast<hl7::ErrorCode>(stored.at("code").as_int64());
        problem.severity = store::codec::member(stored, "severity").at(0);
        problem.where = store::codec::member(stored, "where");
        problem.diagnostic = store::codec::member(stored, "diagnostic");
        problem.user_text = store::codec::member(stored, "user");
        detail.problems.push_back(std::move(problem));
    }
    for (const auto& line : kept.at("lines").as_array()) {
        detail.lines.push_back({store::codec::member(line, "control"), store::codec::member(line, "status"),
                                store::codec::member(line, "number"), store::codec::member(line, "code"),
                                store::codec::member(line, "reason")});
    }
    detail.query_status = store::codec::member(kept, "query");
    detail.segments = store::codec::member(kept, "segments");
    return detail;
}

void add_warnings(AnswerDetail& detail, const std::vector<domain::Trouble>& troubles) {
    for (const auto& trouble : troubles) {
        if (detail.problems.size() == most_problems) return;
        hl7::Problem problem;
        problem.code = error_code_of(trouble);
        problem.severity = 'W';
        problem.where = trouble.coordinate;
        problem.diagnostic = trouble.what;
        detail.problems.push_back(std::move(problem));
    }
}

hl7::Problem problem_of(const interpret::Refusal& refusal) {
    hl7::Problem problem;
    problem.code = static_cast<hl7::ErrorCode>(std::stoi(refusal.code));
    problem.where = refusal.coordinate;
    problem.diagnostic = refusal.what;
    return problem;
}

void add_lines(AnswerDetail& detail, const domain::OrderRequest& request, const domain::Decision& decision) {
    for (std::size_t i = 0; i < decision.lines.size(); ++i) {
        const auto& outcome = decision.lines[i];
        const auto asked = request.lines[i].control;
        const bool taken = outcome.refusal == domain::LineRefusal::none;
        AnswerDetail::Line line;
        line.control = interpret::answering_control(asked, taken);
        line.status = status_code(asked, outcome);
        line.number = outcome.filler;
        if (line.number.empty() && outcome.order) line.number = decision.orders[*outcome.order].number;
        if (!taken) {
            line.reason_code = to_string(outcome.refusal);
            line.reason = french(outcome.refusal);
            if (detail.problems.size() < most_problems) {
                hl7::Problem problem;
                problem.code = error_code_of(outcome.refusal);
                problem.where = outcome.coordinate;
                problem.diagnostic = outcome.what.empty() ? std::string(english(outcome.refusal)) : outcome.what;
                problem.user_text = line.reason;
                detail.problems.push_back(std::move(problem));
            }
        }
        detail.lines.push_back(std::move(line));
    }
}

hl7::AckOutcome outcome_of(std::string_view code) {
    return code == "AA"   ? hl7::AckOutcome::stored
           : code == "AR" ? hl7::AckOutcome::rejected
                          : hl7::AckOutcome::content_error;
}

hl7::AckRequest wanted(const domain::Link& link, const hl7::Message& incoming) {
    using enum domain::Link::Acknowledgement;
    hl7::AckRequest request = hl7::ack_request(incoming);
    const bool answer = hl7::is_answer(incoming);
    if (link.acknowledgement == original) request = {};
    if (link.acknowledgement == accept) {
        request.original = false;
        request.accept = hl7::AckRequest::When::always;
        request.application = hl7::AckRequest::When::never;
    }
    if (answer) {
        if (request.original) request.accept = hl7::AckRequest::When::never;
        request.original = false;
        request.application = hl7::AckRequest::When::never;
    }
    return request;
}

std::string fresh_control_id(Instant now) {
    return to_hl7_utc(now) + random_token(4);
}

Answer::Answer(const domain::Link& link, Instant now, std::string control_id) : link_(link) {
    context_.sending_application = link.our_application;
    context_.sending_facility = link.our_facility;
    context_.control_id = std::move(control_id);
    context_.time = link.time_zone.to_local(now);
    // A peer that does not look at MSH-18 reads what its link says (hl7v2-lab 4.3).
    if (link.charset != "msh18") context_.charset = interpret::charset_of(link);
}

void Answer::answers(std::string_view block) {
    const auto id = hl7::control_id_bytes(block);
    const bool ascii = std::ranges::all_of(id, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (!ascii) context_.raw_control_id = std::string(id);
}

std::string Answer::bytes(const hl7::Message& incoming, hl7::AckCode code, const AnswerDetail& detail,
                          const hl7::AnswerContext& context) const {
    const bool accept_part = code == hl7::AckCode::ca || code == hl7::AckCode::ce || code == hl7::AckCode::cr;
    const bool orders = incoming.type() == "OML" || incoming.type() == "ORM";
    if (orders && !accept_part && !link_.order_acknowledged) return order_response(incoming, code, detail, context);
    if (is_work_query(incoming) && !accept_part) {
        using enum hl7::QueryStatus;
        const hl7::QueryStatus status = detail.query_status == "OK"   ? ok
                                        : detail.query_status == "NF" ? not_found
                                        : code == hl7::AckCode::ar    ? application_reject
                                                                      : application_error;
        return hl7::rsp(incoming, code, status, detail.problems, context, detail.segments);
    }
    const std::string_view text =
        detail.problems.empty() ? std::string_view() : std::string_view(detail.problems.front().diagnostic);
    return hl7::ack(incoming, code, detail.problems, context, text);
}

Reply Answer::to(const hl7::Message& incoming, const std::string& code, const AnswerDetail& detail) const {
    const auto decision = hl7::decide(wanted(link_, incoming), outcome_of(code));
    Reply reply;
    reply.owes = decision.later;
    if (decision.now) reply.bytes = bytes(incoming, *decision.now, detail, context_);
    return reply;
}

std::string Answer::application(const hl7::Message& incoming, const std::string& code,
                                const AnswerDetail& detail) const {
    hl7::AnswerContext context = context_;
    // It wants to be known as stored, and no answer to the answer (hl7v2-lab 3.2).
    context.accept = "AL";
    context.application = "NE";
    return bytes(incoming, hl7::parse_ack_code(code).value_or(hl7::AckCode::ae), detail, context);
}

}  // namespace sgl::flow
