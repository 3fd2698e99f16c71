#include "lib/domain/work.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace sgl::domain {

namespace {

constexpr std::array<std::pair<StepState, std::string_view>, 7> states{{{StepState::asked, "asked"},
                                                                        {StepState::accepted, "accepted"},
                                                                        {StepState::refused, "refused"},
                                                                        {StepState::cancelling, "cancelling"},
                                                                        {StepState::cancelled, "cancelled"},
                                                                        {StepState::not_cancelled, "not_cancelled"},
                                                                        {StepState::done, "done"}}};

}  // namespace

std::string_view to_string(StepState state) {
    for (const auto& [known, text] : states)
        if (known == state) return text;
    return "";
}

std::optional<StepState> step_state_of(std::string_view text) {
    for (const auto& [state, known] : states)
        if (known == text) return state;
    return std::nullopt;
}

std::optional<StepAnswer> step_answer_of(std::string_view control) {
    if (control == "OK") return StepAnswer::ok;
    if (control == "UA") return StepAnswer::unable;
    if (control == "CR") return StepAnswer::cancelled;
    if (control == "UC") return StepAnswer::not_cancelled;
    return std::nullopt;
}

StepState after(StepState state, StepAnswer answer, bool told_before) {
    switch (state) {
        case StepState::asked:
            if (answer == StepAnswer::ok) return StepState::accepted;
            if (answer == StepAnswer::unable) return told_before ? StepState::accepted : StepState::refused;
            return state;
        case StepState::cancelling:
            if (answer == StepAnswer::cancelled) return StepState::cancelled;
            if (answer == StepAnswer::not_cancelled) return StepState::not_cancelled;
            return state;
        case StepState::accepted:
        case StepState::refused:
        case StepState::cancelled:
        case StepState::not_cancelled:
        case StepState::done:
            return state;
    }
    return state;
}

std::string awos_id(std::int64_t number) {
    return fmt::format("AW{:08}", number);
}

std::optional<std::int64_t> awos_number(std::string_view id) {
    if (!id.starts_with("AW") || id.size() < 3 || id.size() > 20) return std::nullopt;
    std::int64_t number = 0;
    const char* const end = id.data() + id.size();
    const auto read = std::from_chars(id.data() + 2, end, number);
    if (read.ec != std::errc() || read.ptr != end || number < 1) return std::nullopt;
    return number;
}

}  // namespace sgl::domain
