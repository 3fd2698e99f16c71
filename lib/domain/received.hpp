// What a results message says, in our words, before it has met an order (hl7v2-lab 6.4, 8).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/personal.hpp"
#include "lib/domain/catalogue.hpp"
#include "lib/domain/result_detail.hpp"

namespace sgl::domain {

/// Work for a person: what could not be understood, at its place. `what` holds no patient data.
struct Trouble {
    std::string kind;        ///< unknown_code, unmatched, identity_mismatch, charset, late_result…
    std::string coordinate;  ///< "OBX[3]-3"
    std::string what;
    bool operator==(const Trouble&) const = default;
};

/// The identity that a message carries: it can confirm ours, never set it (design D16).
struct IdentityClaim {
    std::string coordinate;  ///< "PID[1]"
    std::string birth_name;
    std::string given_name;
    std::optional<Timestamp> birth_date;
    Sex sex{Sex::unknown};
    std::string ins;  ///< matricule of type INS in PID-3
    bool empty() const {
        return birth_name.empty() && given_name.empty() && !birth_date && sex == Sex::unknown && ins.empty();
    }
};

struct ReceivedResult {
    int position{};    ///< of its OBX in the message, from 1
    std::string code;  ///< as received
    std::optional<AnalyteId> analyte;
    std::string run;             ///< OBX-4; of an analysis that the message gives twice without one: 2, 3…
    std::string isolate;         ///< of a culture's line: which isolate of the order (microbiology.hpp)
    std::string status;          ///< OBX-11, or the link's default
    std::optional<Value> value;  ///< none: the sender says that there is none
    std::string received_flags;
    std::string note;
    std::string measured_at;  ///< HL7 form, offset included when known
    ResultDetail detail;
    bool held{};  ///< a trouble above stops it from reaching an order
};

/// A document or an image that came among the results: of the order, never in a log.
struct ReceivedDocument {
    int position{};
    std::string code;   ///< OBX-3 as received
    std::string title;  ///< its text
    DocumentForm form{};
    std::string bytes;
};

/// Results that share an order: one OBR, or one specimen.
struct ReceivedGroup {
    std::string coordinate;            ///< "OBR[1]"
    std::vector<std::string> numbers;  ///< specimen and order numbers, most trusted first
    Personal<IdentityClaim> claim;
    std::vector<ReceivedResult> results;
    std::vector<ReceivedDocument> documents;
};

struct Reading {
    std::vector<ReceivedGroup> groups;
    std::vector<Trouble> troubles;
    bool quarantined{};  ///< the whole message waits for a person: nothing of it may reach an order
};

}  // namespace sgl::domain
