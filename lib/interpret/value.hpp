// One OBX-5 with its OBX-2 and OBX-6, read against the analysis that it is for (hl7v2-lab 8.3, 8.5). What is ambiguous
// is never turned into a number.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hl7/message.hpp"
#include "lib/domain/catalogue.hpp"
#include "lib/domain/link.hpp"

namespace sgl::interpret {

struct ReadValue {
    std::optional<domain::Value> value;  ///< none: the sender says that there is no value
    std::optional<Error> trouble;  ///< `where` is the field ("OBX[3]-5" or "OBX[3]-6"); the result waits for a person
};

/// `analyte` null: the code is unknown; the value is then kept as text. `unit`: what the link says of this code's unit,
/// for when OBX-6 says nothing.
ReadValue read_value(const hl7::Segment& obx, const domain::Analyte* analyte, const domain::Link& link,
                     const std::string& unit = {});

/// Text → UCUM for what senders write; nothing when unknown. Case matters: g/L is gram, G/L giga (hl7v2-lab 8.5).
std::optional<std::string> ucum_of(std::string_view unit);

/// `12,5`, `12 345`, `<0.10`, `≥ 5`, `1.2E3`: a quantity without unit; nothing when it is no number, an Error when it
/// is ambiguous (`1,234`).
Result<std::optional<domain::Quantity>> read_number(std::string_view text, bool decimal_comma);

/// The same time with its offset said: a time of day without one is the sender's local time (hl7v2-lab 4.4).
Timestamp in_zone(Timestamp timestamp, const TimeZone& zone);

}  // namespace sgl::interpret
