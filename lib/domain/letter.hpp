// A letter: one report version, to one recipient, by one channel, to deliver or to withdraw it (design D7). Its life is
// the pure function `decide`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/domain/identifiers.hpp"

namespace sgl::domain {

enum class Channel : std::uint8_t { dmp, mss_professional, mss_patient, dpi };
enum class Act : std::uint8_t { deliver, withdraw };
enum class LetterState : std::uint8_t {
    due,
    sending,
    retry,
    in_doubt,
    accepted,
    delivered,
    blocked,
    not_applicable,
    dead,
    cancelled,
    held
};

/// Why a letter does not leave: a closed list (lab-domain 3.5), each with who mends it and how.
enum class Reason : std::uint8_t {
    none,
    ins_not_qualified,
    identity_doubtful,
    patient_opposed,
    no_dmp,
    dmp_closed,
    no_citizen_mailbox,
    correspondent_no_mss,
    site_channel_disabled,
    certificate_expired,
    manual_hold,
    too_large,
    test_identity,
    restricted_confidentiality,
    partner_unavailable,
    partner_refused,
    gave_up,
    integrity,
    abandoned,
    superseded,
    partner_not_configured,
    partial_report,
};

std::string_view to_string(Channel channel);  ///< DMP, MSS_PRO, MSS_CITIZEN, ORU_HOSPITAL
std::string_view to_string(Act act);
std::string_view to_string(LetterState state);
std::string_view to_string(Reason reason);  ///< INS_NOT_QUALIFIED…
std::optional<Channel> channel_of(std::string_view text);
std::optional<Act> act_of(std::string_view text);
std::optional<LetterState> letter_state_of(std::string_view text);
std::optional<Reason> reason_of(std::string_view text);

/// For the worklist, in French: what it means, and who can do what about it.
struct ReasonText {
    std::string_view meaning;
    std::string_view remedy;
};
ReasonText french(Reason reason);
std::string_view french(Channel channel);
std::string_view french(LetterState state);

/// How often and how long a channel tries (dmp.md 8, mssante.md 5.1). Delays are after each failed attempt; the last
/// one repeats. Computed from facts in the row, so a restart resets nothing.
struct RetryPolicy {
    std::vector<Duration> delays{std::chrono::minutes{1}, std::chrono::minutes{5}, std::chrono::minutes{15},
                                 std::chrono::minutes{60}};
    Duration give_up_after{std::chrono::hours{48}};  ///< from creation
};

/// What decides: the row's facts, nothing of its content.
struct LetterFacts {
    LetterState state{LetterState::due};
    Reason reason{Reason::none};
    int attempts{};
    Instant created_at;
    Instant next_attempt_at;
};

namespace letter_event {
struct Claimed {};   ///< a worker holds the lease
struct Accepted {};  ///< DMP success, SMTP 250, HL7 AA
struct Refused {
    Reason reason;
};  ///< permanently, by the partner or by a check
struct NotApplicable {
    Reason reason;
};  ///< an end, not a fault: no DMP, closed, no mailbox
struct TryLater {
    Reason reason;
};                       ///< nothing was taken over
struct InDoubt {};       ///< the bytes may have arrived
struct LeaseExpired {};  ///< its worker died: same as in doubt
struct Held {};          ///< by a person
struct Retried {};       ///< by a person: at once
struct Abandoned {};     ///< by a person, with name and reason in the audit
struct Superseded {};    ///< a newer version exists and this one never left
}  // namespace letter_event
using LetterEvent =
    std::variant<letter_event::Claimed, letter_event::Accepted, letter_event::Refused, letter_event::NotApplicable,
                 letter_event::TryLater, letter_event::InDoubt, letter_event::LeaseExpired, letter_event::Held,
                 letter_event::Retried, letter_event::Abandoned, letter_event::Superseded>;

/// The next facts, or Fault::conflict when the event does not fit the state (somebody else was first).
Result<LetterFacts> decide(const LetterFacts& facts, const LetterEvent& event, Instant now, const RetryPolicy& policy);

}  // namespace sgl::domain
