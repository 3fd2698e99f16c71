// OBX-7, the reference range, as laboratories and analysers really write it. What is not surely understood stays a
// text, shown and never computed with (grammar and rules: hl7v2-lab 8.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/decimal.hpp"

namespace sgl::hl7 {

struct RangeLimit {
    Decimal value;
    bool included{};

    friend bool operator==(const RangeLimit&, const RangeLimit&) = default;
};

struct ReferenceRange {
    enum class Kind : std::uint8_t {
        none,         ///< nothing usable and nothing to show
        interval,     ///< `low` and/or `high`
        breakpoints,  ///< susceptibility: sensitive up to `low` (included), resistant from `high`
        text,         ///< shown to people as received; `why` says what made it so
    };
    Kind kind{Kind::none};
    std::optional<RangeLimit> low;
    std::optional<RangeLimit> high;
    std::string unit;  ///< written in the range; must be the unit of OBX-6, else the range is a text for the caller
    char sex{};        ///< M or F when a line of that sex was chosen
    std::string_view why;
};

struct RangeOptions {
    bool comma_is_decimal{};  ///< the link says that `1,500` is one and a half, never fifteen hundred
    char sex{};               ///< M or F, of the patient; '\0' unknown
};

/// `text` is the decoded text of one repetition; components written without escape (`136^145`) are read as low and
/// high.
ReferenceRange read_range(std::string_view text, const RangeOptions& options = {});

}  // namespace sgl::hl7
