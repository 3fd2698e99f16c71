// How an identity may change: the statuses of the RNIV and the steps between them (identity-and-directory 1.4), what a
// message says of a patient (2; hl7v2-lab 9), and what becomes of the identity that we know. Pure: lib/store reads and
// writes the rows.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/domain/people.hpp"
#include "lib/domain/received.hpp"
#include "lib/domain/stay.hpp"

namespace sgl::domain {

/// What it takes to go from one status to another.
enum class Step : std::uint8_t {
    none,       ///< the same status
    retrieved,  ///< INSi answered (by itself, or through the hospital's identity server)
    checked,    ///< an identity document of high trust was seen
    both,       ///< the two at once: an identity server's word, or the Vitale app
    withdrawn,  ///< doubtful, fictitious, strict traits changed, or no longer believed: the INS goes as well
    lost,       ///< INSi answers differently: the document stays checked, the INS goes
    refused,    ///< there is no such step
};
std::string_view to_string(Step step);

struct Transition {
    IdentityStatus from;
    IdentityStatus to;
    Step step;
};

/// Every pair (identity-and-directory 1.4). A retrieved identity that becomes validated, a validated or qualified one
/// that becomes retrieved: each would exchange one proof for another, and goes through provisional, with a person who
/// looks.
inline constexpr std::array<Transition, 16> transitions{{
    {IdentityStatus::provisional, IdentityStatus::provisional, Step::none},
    {IdentityStatus::provisional, IdentityStatus::retrieved, Step::retrieved},
    {IdentityStatus::provisional, IdentityStatus::validated, Step::checked},
    {IdentityStatus::provisional, IdentityStatus::qualified, Step::both},
    {IdentityStatus::retrieved, IdentityStatus::provisional, Step::withdrawn},
    {IdentityStatus::retrieved, IdentityStatus::retrieved, Step::none},
    {IdentityStatus::retrieved, IdentityStatus::validated, Step::refused},
    {IdentityStatus::retrieved, IdentityStatus::qualified, Step::checked},
    {IdentityStatus::validated, IdentityStatus::provisional, Step::withdrawn},
    {IdentityStatus::validated, IdentityStatus::retrieved, Step::refused},
    {IdentityStatus::validated, IdentityStatus::validated, Step::none},
    {IdentityStatus::validated, IdentityStatus::qualified, Step::retrieved},
    {IdentityStatus::qualified, IdentityStatus::provisional, Step::withdrawn},
    {IdentityStatus::qualified, IdentityStatus::retrieved, Step::refused},
    {IdentityStatus::qualified, IdentityStatus::validated, Step::lost},
    {IdentityStatus::qualified, IdentityStatus::qualified, Step::none},
}};
constexpr Step step(IdentityStatus from, IdentityStatus to) {
    for (const auto& transition : transitions) {
        if (transition.from == from && transition.to == to) return transition.step;
    }
    return Step::refused;
}

/// The five strict traits and the first given name are all there: without them no identity is qualified (1.3).
bool complete(const Traits& traits);

/// Who speaks: an identity server's word rules, an order's word can't overrule it.
enum class IdentitySource : std::uint8_t { server, order };

/// What one message says of a patient. What is empty was not said and changes nothing.
struct IdentityStatement {
    std::string coordinate{"PID"};  ///< "PID", "PID[2]"
    IdentitySource source{IdentitySource::server};
    Patient patient;  ///< traits, INS and attributes as said; its status is not looked at
    enum class InsWord : std::uint8_t { silent, given, removed };
    InsWord ins{InsWord::silent};
    bool reliability_said{};         ///< PID-32 is valued: then it says all of the reliability
    bool validated{};                ///< VALI
    bool homonym{};                  ///< HOMA, HOMD
    std::optional<Instant> said_at;  ///< when the identity was so: PID-33, EVN-2 or MSH-7
};

/// An order's patient as a statement: the order says his status itself.
IdentityStatement stated_by_order(const Patient& patient);

/// The identity that we have.
struct KnownIdentity {
    Patient patient;
    bool homonym{};
    std::optional<Instant> said_at;  ///< newest word of an identity server; none: only orders spoke
};

/// What becomes of it.
struct IdentityChange {
    KnownIdentity identity;  ///< as it is to be kept
    bool changed{};          ///< something is to be written
    bool strict_changed{};   ///< a strict trait is another than before (a new patient: true)
    bool to_be_seen{};       ///< what a person sees of him is another than before: who signs looks again
    bool refused{};          ///< a contradiction: nothing is to be written, a person looks
    bool stale{};            ///< a newer word is known: nothing is to be written
    std::optional<Personal<Ins>> wrong_ins;  ///< the INS that is no longer his: what left under it is to be looked at
    std::vector<Trouble> troubles;
};
IdentityChange change(const std::optional<KnownIdentity>& known, const IdentityStatement& said);

/// Where the two contradict each other about strict traits, as places of PID: "PID-5.1". Names compare by upper case
/// without accents, hyphen as space (hl7v2-lab 9.2); what one of them does not say is no contradiction.
std::vector<std::string> contradictions(const std::string& coordinate, const Traits& known, const Traits& said);

/// A person of the laboratory gives a status. Fault::refused, saying why: the site is an identity slave, there is no
/// such step, or the identity lacks what the status means.
Result<void> may_give_status(const KnownIdentity& known, IdentityStatus to, bool identity_slave);

/// Why two patients can't be one; nothing when they can. They have two INS, or both were checked and contradict each
/// other.
std::optional<Trouble> refuses_merge(const Patient& surviving, const Patient& retired);

// ── The message ──

/// A number by which somebody was known: MRG-1.
struct LocalIdentifier {
    std::string authority_oid;
    std::string id;  ///< personal: in no log line, no error text
    auto operator<=>(const LocalIdentifier&) const = default;
};

struct IdentityAct {
    enum class Kind : std::uint8_t {
        state,     ///< there is this patient, so (A28, A31, and the PID of every event of a stay)
        merge,     ///< the former number is of the same person and ends (A40)
        renumber,  ///< the patient has another number or INS (A47)
        link,      ///< two numbers of one person, both go on (A24)
        unlink,    ///< they are two persons (A37)
    };
    Kind kind{};
    IdentityStatement said;
    std::vector<LocalIdentifier> former;  ///< MRG-1; of link and unlink the second PID-3
    std::optional<StayStatement> stay;
};
std::string_view to_string(IdentityAct::Kind kind);

}  // namespace sgl::domain
