// The stay of a patient as the hospital's admission tells it, and what he decided there about his DMP (hl7v2-lab 9.3
// and 9.4; identity-and-directory 2). The newest word holds, in whatever order the messages come.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.hpp"

namespace sgl::domain {

/// What the patient decided about his DMP, as the admission asked him (ZFA).
struct DmpWord {
    enum class Feeding : std::uint8_t { not_asked, allowed, opposed };  ///< ZFA-9: NA, INO, IO
    Feeding feeding{Feeding::not_asked};
    std::string dmp_status;    ///< ZFA-1: active, closed, none, or empty; decides nothing (hl7v2-lab 9.4)
    std::string consultation;  ///< ZFA-11 as received: IC, INC, NA
    std::optional<Instant> decided_at;
    bool operator==(const DmpWord&) const = default;
};

/// ZBE: a movement between wards; historic ones tell of the past and move nobody.
struct Movement {
    enum class Action : std::uint8_t { insert, update, cancel };
    std::string id;  ///< ZBE-1, with its authority
    Action action{Action::insert};
    std::optional<Instant> start;
    bool historic{};
    std::string event;         ///< ZBE-6
    std::string medical_ward;  ///< UF of ZBE-7
    std::string nursing_ward;  ///< UF of ZBE-8
    std::string nature;        ///< ZBE-9
    bool operator==(const Movement&) const = default;
};
std::string_view to_string(Movement::Action action);

struct StayStatement {
    enum class Event : std::uint8_t {
        planned,              ///< A05
        admitted,             ///< A01, A04
        updated,              ///< A08 and movements
        discharged,           ///< A03
        admission_cancelled,  ///< A11, A38
        discharge_cancelled,  ///< A13
    };
    Event event{Event::updated};
    std::string number;             ///< PID-18, else PV1-19; empty: of no stay
    std::string patient_class;      ///< PV1-2
    std::string location;           ///< PV1-3, "ward room bed"
    std::optional<Instant> begins;  ///< PV1-44, ZBE-2, EVN-6; of a planned one EVN-3
    std::optional<Instant> ends;    ///< PV1-45, ZBE-2, EVN-6
    std::optional<Movement> movement;
    std::optional<DmpWord> dmp;
    std::optional<Instant> said_at;  ///< EVN-2, else MSH-7
};
std::string_view to_string(StayStatement::Event event);

/// A stay as we know it.
struct Stay {
    /// A decision and when it was taken: admission and discharge each ask (DSR SC.DMP/ALI/PROG.10 and 11).
    struct Decision {
        std::optional<bool> opposed;  ///< none: not asked
        std::optional<Instant> at;
        bool operator==(const Decision&) const = default;
    };
    std::string number;
    std::string patient_class;
    std::string location;
    bool planned{};    ///< nobody came yet
    bool cancelled{};  ///< nobody will, or it was a mistake
    std::optional<Instant> admitted_at;
    std::optional<Instant> discharged_at;
    std::string dmp_status;
    std::string consultation;
    Decision at_admission;
    Decision at_discharge;
    // When the newest word was said about: anything, the beginning, the end, the place, the DMP.
    std::optional<Instant> said_at;
    std::optional<Instant> beginning_said_at;
    std::optional<Instant> end_said_at;
    std::optional<Instant> place_said_at;
    std::optional<Instant> dmp_said_at;
    bool operator==(const Stay&) const = default;

    /// The decision that counts: that of the discharge once he left and was asked, else that of the admission. Of a
    /// cancelled stay none.
    Decision decision() const;
};

/// The stay after that word. An older word than the one known changes nothing of what it speaks of.
Stay change(const std::optional<Stay>& known, const StayStatement& said);

}  // namespace sgl::domain
