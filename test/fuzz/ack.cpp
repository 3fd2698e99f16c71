// Whatever a peer answers is understood or refused; whatever we are asked, our answer can be read.
#include "hl7/ack.hpp"

#include <string>

#include "hl7/lines.hpp"
#include "test/fuzz/target.hpp"

void sgl::fuzz::one(std::string_view input) {
    const auto parsed = hl7::Message::parse(std::string(input));
    if (!parsed) return;
    if (const auto reading = hl7::read_ack(*parsed)) (void)reading->never_again();
    for (const auto outcome : {hl7::AckOutcome::stored, hl7::AckOutcome::content_error, hl7::AckOutcome::rejected}) {
        (void)hl7::decide(hl7::ack_request(*parsed), outcome);
    }
    hl7::Problem problem;
    problem.where = "OBX[1]-5";
    problem.diagnostic = "for the test";
    hl7::AnswerContext context;
    context.sending_application = "SGL";
    context.control_id = "1";
    const std::string answer = hl7::ack(*parsed, hl7::AckCode::ae, {&problem, 1}, context, "for the test");
    const auto ours = hl7::Message::parse(answer);
    demand(ours.has_value(), "our answer can be parsed");
    const auto read = hl7::read_ack(*ours);
    demand(read.has_value() && read->code == hl7::AckCode::ae, "our answer says what we meant");
    const auto response = hl7::rsp(*parsed, hl7::AckCode::aa, hl7::QueryStatus::ok, {}, context);
    demand(hl7::Message::parse(response).has_value(), "our answer to a query can be parsed");
    (void)hl7::orl(*parsed, hl7::group(*parsed), hl7::AckCode::aa, {}, {}, context);
}

SGL_FUZZ_TARGET
