// The answers to one message: what goes back at once, and the application acknowledgement that follows as a message of
// its own (hl7v2-lab 3.2, decision table).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hl7/ack.hpp"
#include "lib/domain/link.hpp"
#include "lib/domain/order_request.hpp"
#include "lib/domain/received.hpp"
#include "lib/interpret/admission.hpp"

namespace sgl::flow {

/// What goes back to the sender.
struct Reply {
    std::string bytes;  ///< the answer, not framed; empty: none is wanted
    bool close{};       ///< the connection can't go on
    bool stored{true};  ///< for the commit byte of MLLP release 2
    bool owes{};        ///< an application acknowledgement follows as a message of its own
};

/// What an answer says beside its code; kept with the message so that a repeat hears the same.
struct AnswerDetail {
    /// ORL, ORR: one order of the message.
    struct Line {
        std::string control;      ///< ORC-1
        std::string status;       ///< ORC-5
        std::string number;       ///< ours: ORC-3 and OBR-3
        std::string reason_code;  ///< ORC-16
        std::string reason;
    };
    std::vector<hl7::Problem> problems;
    std::vector<Line> lines;   ///< none: nothing is said of the orders
    std::string query_status;  ///< RSP: QAK-2; empty: by the code
    std::string segments;      ///< RSP: the work, where it goes in the answer
};
std::string kept_form(const AnswerDetail& detail);
AnswerDetail from_kept_form(const std::string& text);
/// Troubles of a stored message: warnings, the answer stays AA (hl7v2-lab 3.3).
void add_warnings(AnswerDetail& detail, const std::vector<domain::Trouble>& troubles);
hl7::Problem problem_of(const interpret::Refusal& refusal);
/// What each line of an order message hears, an ERR for each that is not taken (hl7v2-lab 7.3).
void add_lines(AnswerDetail& detail, const domain::OrderRequest& request, const domain::Decision& decision);

hl7::AckOutcome outcome_of(std::string_view code);  ///< of AA, AE or AR

/// What MSH-15 and MSH-16 ask for, as far as the link lets them say it. An answer is not answered, but for its accept
/// part.
hl7::AckRequest wanted(const domain::Link& link, const hl7::Message& incoming);

class Answer {
public:
    /// `control_id`: MSH-10 of the answer. `link` outlives it.
    Answer(const domain::Link& link, Instant now, std::string control_id);
    Answer(const domain::Link&& link, Instant now, std::string control_id) = delete;

    /// The bytes that are answered: MSA-2 repeats their MSH-10 byte for byte (hl7v2-lab 3.4).
    void answers(std::string_view block);
    /// MSA-4 (hl7v2-lab 3.6).
    void expect(std::int64_t sequence) { context_.expected_sequence = std::to_string(sequence); }

    /// What goes back at once. `code`: AA, AE or AR, also where CA, CE or CR will be said.
    Reply to(const hl7::Message& incoming, const std::string& code, const AnswerDetail& detail) const;
    /// The application acknowledgement as a message of its own.
    std::string application(const hl7::Message& incoming, const std::string& code, const AnswerDetail& detail) const;

    const hl7::AnswerContext& context() const { return context_; }

private:
    std::string bytes(const hl7::Message& incoming, hl7::AckCode code, const AnswerDetail& detail,
                      const hl7::AnswerContext& context) const;

    const domain::Link& link_;
    hl7::AnswerContext context_;
};

/// A new MSH-10 for what we say.
std::string fresh_control_id(Instant now);

}  // namespace sgl::flow
