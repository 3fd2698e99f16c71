// One OBX-5 with its OBX-2 and OBX-6, read against the analysis that it is for (hl7v2-lab 8.3, 8.5). What is ambiguous
// is never turned into a number.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hl7/message.hpp"
#include "lib/domain/catalogue.hpp"
#include "lib/domain/link.hpp"
#include "lib/domain/result_detail.hpp"

namespace sgl::interpret {

struct ReadValue {
    std::optional<domain::Value> value;  ///< none: the sender says that there is no value
    std::optional<Error> trouble;  ///< `where` is the field ("OBX[3]-5" or "OBX[3]-6"); the result waits for a person
    std::optional<domain::Susceptible> susceptible;  ///< of an antibiotic, where OBX-5 says it
};

/// `analyte` null: the code is unknown; the value is then kept as text. `mapped`: what the link says of this code (the
/// entry that fits OBX-6, see code_entry); null: nothing.
ReadValue read_value(const hl7::Segment& obx, const domain::Analyte* analyte, const domain::Link& link,
                     const domain::Link::Code* mapped = nullptr);

/// What stands at "OBX-3.1" or "SAC-3" of a segment of that name; component 1 when the path names none.
std::string at_path(const hl7::Segment& segment, std::string_view path);

/// OBX-6 as the sender means it, not translated.
std::string unit_text(const hl7::Segment& obx);

/// The entry of the link's code map for a code, the one of the unit that OBX-6 says where there are several; null:
/// none.
const domain::Link::Code* code_entry(const domain::Link& link, std::string_view code, const hl7::Segment& obx);

/// `1/80`, `1:80`, `< 1/80` as `1/80`, `<1/80`; nothing when it is no titre.
std::optional<std::string> read_titre(std::string_view text);
/// `5-10`, `5 à 10 /champ` as `5-10`, `5-10 /champ`; nothing when it is no interval.
std::optional<std::string> read_interval(std::string_view text, bool decimal_comma);
/// `+`, `2+`, `Traces` as `+`, `++`, `Traces`; nothing when it is no grade.
std::optional<std::string> read_grade(std::string_view text);

/// Text → UCUM for what senders write; nothing when unknown. Case matters: g/L is gram, G/L giga (hl7v2-lab 8.5).
std::optional<std::string> ucum_of(std::string_view unit);

/// `12,5`, `12 345`, `<0.10`, `≥ 5`, `1.2E3`: a quantity without unit; nothing when it is no number, an Error when it
/// is ambiguous (`1,234`).
Result<std::optional<domain::Quantity>> read_number(std::string_view text, bool decimal_comma);

/// The same time with its offset said: a time of day without one is the sender's local time (hl7v2-lab 4.4).
Timestamp in_zone(Timestamp timestamp, const TimeZone& zone);

}  // namespace sgl::interpret
