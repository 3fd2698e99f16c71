// Acknowledgements: which code to answer, building ACK, ORL, ORR and RSP, reading those of a peer (hl7v2-lab 3, 6.2, 7.3
// and 7.5).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hl7/builder.hpp"
#include "hl7/groups.hpp"
#include "hl7/message.hpp"
#include "lib/base/result.hpp"
#include "lib/base/time.hpp"

namespace sgl::hl7 {

/// Table 0008. AA and CA mean: the bytes are committed (design D2).
enum class AckCode : std::uint8_t { aa, ae, ar, ca, ce, cr };
std::string_view to_string(AckCode code);
std::optional<AckCode> parse_ack_code(std::string_view text);

/// Table 0357, the codes that we write.
enum class ErrorCode : std::uint16_t {
    accepted = 0,
    segment_sequence = 100,
    required_field_missing = 101,
    data_type = 102,
    table_value_not_found = 103,
    value_too_long = 104,
    cardinality = 198,
    other_hl7_error = 199,
    unsupported_message_type = 200,
    unsupported_event = 201,
    unsupported_processing_id = 202,
    unsupported_version = 203,
    unknown_key = 204,
    duplicate_key = 205,
    record_locked = 206,
    application_error = 207,
};
std::string_view to_string(ErrorCode code);  ///< the display text of the table

/// One ERR segment. No patient data in its texts.
struct Problem {
    ErrorCode code{ErrorCode::application_error};
    char severity{'E'};            ///< table 0516: E, W, I, F
    std::string where;             ///< a coordinate as ours, "OBX[3]-5.1" or "MSH-9"; empty when there is none
    std::string diagnostic;        ///< ERR-7, for the laboratory's IT
    std::string user_text;         ///< ERR-8, French, for a user
    std::string application_code;  ///< ERR-5
};
/// The fault of a refused message as a problem: malformed → 199, missing → 101, unsupported → 200 and so on.
Problem to_problem(const Error& error);

/// Everything that an answer needs and that is not in the incoming message.
struct AnswerContext {
    std::string sending_application;  ///< ours, MSH-3
    std::string sending_facility;
    std::string control_id;  ///< of the answer, unique
    Timestamp time;
    Charset charset{Charset::utf_8};  ///< of the answer
    std::string expected_sequence;    ///< MSA-4 (hl7v2-lab 3.6); empty: none
    /// MSH-10 of the incoming message as its bytes stood (control_id_bytes): MSA-2 repeats them byte for byte, whatever
    /// the character sets of both are. Empty: as the message was read.
    std::string raw_control_id;
    /// MSH-15 and MSH-16; empty in an answer at once. An application acknowledgement of its own asks for what it wants.
    std::string accept;
    std::string application;
};

/// The bytes of MSH-10 in a block, wherever its MSH stands; empty when there is none.
std::string_view control_id_bytes(std::string_view block);

/// ACK for any message; `text` is a short ASCII sentence for old peers (MSA-3). ERR-1 and MSA-6 are written only for
/// peers before 2.5. `incoming` may be a header alone (Message::parse_header).
std::string ack(const Message& incoming, AckCode code, std::span<const Problem> problems, const AnswerContext& context,
                std::string_view text = {});

/// What became of one ordered examination.
struct OrderAnswer {
    std::string control{"OK"};       ///< ORC-1, table 0119: OK, UA, CR, UC…
    std::string_view status{"SC"};   ///< ORC-5, table 0038: SC scheduled, CA cancelled…
    std::string_view filler_number;  ///< ours, ORC-3 and OBR-3; empty: as received
    std::string_view reason_code;    ///< ORC-16.1
    std::string_view reason;         ///< ORC-16.2, French
};
/// ORL (O22 to OML^O21, O34 to O33, O36 to O35) or ORR^O02 (to ORM^O01): PID, and for each order of `groups` its ORC,
/// OBR and SPM; in O34 and O36 the specimen, its containers, then its orders. `answers` has one entry per order, in the
/// order of the message; none at all gives an answer without orders (the message as a whole was refused).
std::string orl(const Message& incoming, const Groups& groups, AckCode code, std::span<const OrderAnswer> answers,
                std::span<const Problem> problems, const AnswerContext& context);

/// Table 0208, QAK-2.
enum class QueryStatus : std::uint8_t { ok, not_found, application_error, application_reject };
std::string_view to_string(QueryStatus status);
/// RSP^K11 to QBP^Q11 (to an older QBP^WOS or SLI the RSP of that name, to GeneXpert's Z01 and Z03 RSP^Z02): MSA, QAK with
/// the query's tag, its QPD as it came. The work itself follows in messages of its own (LAB-28), or is `more`: segments,
/// UTF-8, in the usual separators.
std::string rsp(const Message& query, AckCode code, QueryStatus status, std::span<const Problem> problems,
                const AnswerContext& context, std::string_view more = {});

/// MSH-15 and MSH-16 of a message, read with the tolerance of hl7v2-lab 3.2.
struct AckRequest {
    enum class When : std::uint8_t { never, always, on_error, on_success };
    bool original{true};       ///< neither valued, or a value outside table 0155
    When accept{When::never};  ///< CA, CE, CR at once
    When application{
        When::always};  ///< AA, AE, AR: at once when there is no accept part, else a message of its own later
    bool unusual{};     ///< a value outside table 0155
};
AckRequest ack_request(const Message& incoming);

/// The block answers something: it has an MSA and brings nothing of its own. It is never answered in its turn, but for
/// the accept part when MSH-15 asks (3.2). Results with an MSA are results (hl7v2-lab 2.3; RADIS1 of the corpus).
bool is_answer(const Message& incoming);

enum class AckOutcome : std::uint8_t { stored, content_error, rejected };
/// What to send back at once on the same connection; nothing when the peer wants nothing. `later` is whether an
/// application acknowledgement of its own follows.
struct AckDecision {
    std::optional<AckCode> now;
    bool later{};
};
AckDecision decide(const AckRequest& request, AckOutcome outcome);

/// What a peer answered.
struct AckReading {
    AckCode code{};
    std::string control_id;  ///< MSA-2: the MSH-10 of what we sent
    std::string text;        ///< MSA-3; may quote our message: not for logs
    struct Problem {
        std::string where;     ///< ERR-2 or ERR-1 as a coordinate, "PID[1]-3.1"
        std::string code;      ///< ERR-3.1 (or ERR-1.4.1, MSA-6.1)
        std::string severity;  ///< ERR-4, E when the peer says nothing
        std::string application_code;
    };
    std::vector<Problem> problems;

    bool accepted() const { return code == AckCode::aa || code == AckCode::ca; }
    /// ERR-3 200 to 203: the peer will never take this message, whatever MSA-1 says (design D17).
    bool never_again() const;
};
/// Errors: missing (no MSA, no MSA-1), malformed (a code outside table 0008).
Result<AckReading> read_ack(const Message& answer);

}  // namespace sgl::hl7
