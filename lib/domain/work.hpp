// Work for an analyser: a step (AWOS, analytical work order step) is one analysis on one specimen by one analyser
// (hl7v2-lab 6.1). What becomes of it is decided here, from what the analyser says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sgl::domain {

enum class StepState : std::uint8_t {
    asked,          ///< told, or about to be; not answered yet
    accepted,       ///< the analyser will do it
    refused,        ///< it can't: somebody looks
    cancelling,     ///< we asked for its end
    cancelled,      ///< it will not do it
    not_cancelled,  ///< it did it, or does it all the same
    done,           ///< the order is finished
};
std::string_view to_string(StepState state);
std::optional<StepState> step_state_of(std::string_view text);

/// What an analyser says of a step (table 0119, as in ORC-1 of its ORL).
enum class StepAnswer : std::uint8_t {
    ok,             ///< OK
    unable,         ///< UA
    cancelled,      ///< CR
    not_cancelled,  ///< UC
};
std::optional<StepAnswer> step_answer_of(std::string_view control);

/// The state after that answer; the same when the answer says nothing about a step in that state. `told_before`: the
/// analyser had accepted the step and was told it again: then UA means that it knows it (LAB-28: a number used again).
StepState after(StepState state, StepAnswer answer, bool told_before);

/// AWOS identifiers: `AW` and a number of the instance.
std::string awos_id(std::int64_t number);
std::optional<std::int64_t> awos_number(std::string_view id);

}  // namespace sgl::domain
