#include "lib/interpret/value.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "hl7/values.hpp"
#include "lib/base/text.hpp"

namespace sgl::interpret {

namespace {

/// The blanks and dashes of the range reader (hl7v2-lab 8.4): one table for both.
std::string normalised(std::string_view text) {
    std::string out(trim(text));
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> table{{
        {"\u00A0", " "},
        {"\u00B7", " "},
        {"\u2007", " "},
        {"\u2009", " "},
        {"\u202F", " "},
        {"\u2212", "-"},
        {"\u2010", "-"},
        {"\u2011", "-"},
        {"\u2012", "-"},
        {"\u2013", "-"},
        {"\u2264", "<="},
        {"\u2265", ">="},
    }};
    for (const auto& [from, to] : table)
        out = replace_all(std::move(out), from, to);
    return std::string(trim(out));
}

ReadValue trouble(const hl7::Segment& obx, std::size_t field, Fault fault, std::string what, std::string_view raw) {
    // What was sent is kept as text beside the trouble, so that a person sees it.
    ReadValue read;
    if (!raw.empty()) read.value = domain::Words{std::string(raw)};
    read.trouble = Error{fault, obx.coordinate(field), std::move(what)};
    return read;
}

/// Everything that OBX-5 says, for the person who has to look at it: components side by side, repetitions as lines.
std::string shown(const hl7::Field& field) {
    std::string text;
    for (const auto& repetition : field.repetitions()) {
        std::string line;
        for (std::size_t i = 1; i <= repetition.size(); ++i) {
            const auto part = repetition.component(i).text();
            if (!part.empty()) line += (line.empty() ? "" : " ") + part;
        }
        if (!line.empty()) text += (text.empty() ? "" : "\n") + line;
    }
    return text;
}

bool is_structured(std::string_view type) {
    return type == "CE" || type == "CWE" || type == "CNE" || type == "CF" || type == "SN" || type == "ED" ||
           type == "RP";
}

std::string unit_text(const hl7::Segment& obx) {
    const auto units = obx.field(6).repetition(0);
    auto first = units.component(1).text();
    // `10^9/L` without escapes arrives as two components (hl7v2-lab 4.2).
    if ((first == "10" || first == "x10") && units.size() >= 2) return "10*" + units.component(2).text();
    if (first.empty()) first = units.component(2).text();
    return first;
}

/// INR, ratios: UCUM writes 1 or an annotation in braces, senders nothing.
bool without_unit(const domain::Analyte& analyte) {
    return analyte.unit.empty() || analyte.unit == "1" || analyte.unit.starts_with('{');
}

ReadValue read_numeric(const hl7::Segment& obx, const domain::Analyte& analyte, const domain::Link& link,
                       std::string text, const std::string& unit_of_link) {
    if (obx.field(5).size() > 1)
        return trouble(obx, 5, Fault::unsupported, "several values for one number", shown(obx.field(5)));
    if (obx.text(2) == "SN") {
        const auto sn = obx.field(5).repetition(0);
        if (!sn.component(3).empty() || !sn.component(4).empty()) {
            return trouble(obx, 5, Fault::unsupported, "a ratio or interval can't stand for this analysis",
                           shown(obx.field(5)));
        }
        const auto sign = sn.component(1).text();
        text = (sign == "=" ? "" : sign) + sn.component(2).text();
    }
    const auto number = read_number(text, link.decimal_comma);
    if (!number) return trouble(obx, 5, number.error().fault, number.error().what, text);
    if (!*number)
        return trouble(obx, 5, Fault::malformed, "this analysis is numeric and the value is not a number", text);
    auto quantity = **number;
    const auto said = unit_text(obx);
    const auto& unit = said.empty() ? unit_of_link : said;
    if (unit.empty()) {
        // Never assume a unit (hl7v2-lab 8.5), except where the analysis has none.
        if (!without_unit(analyte)) return trouble(obx, 6, Fault::missing, "the unit is missing", text);
    } else {
        // The unit of the analysis, written as the catalogue writes it, needs no table.
        const auto ucum = unit == analyte.unit ? std::optional{unit} : ucum_of(unit);
        if (!ucum) return trouble(obx, 6, Fault::unsupported, "this unit is not known", text);
        if (*ucum != analyte.unit)
            return trouble(obx, 6, Fault::conflict, "the unit is not that of the analysis", text);
    }
    quantity.unit = analyte.unit == "1" ? std::string() : analyte.unit;
    return {domain::Value{std::move(quantity)}, std::nullopt};
}

ReadValue read_coded(const hl7::Segment& obx, const domain::Analyte& analyte) {
    const auto raw = shown(obx.field(5));
    if (obx.field(5).size() > 1) return trouble(obx, 5, Fault::unsupported, "several answers for one analysis", raw);
    const auto cell = obx.field(5).repetition(0);
    const domain::CodedAnswer* found = nullptr;
    for (const std::size_t component : {1U, 2U, 4U, 5U}) {
        const auto said = normalised(cell.component(component).text());
        if (said.empty()) continue;
        for (const auto& answer : analyte.answers) {
            if (answer.received != said) continue;
            // POS^Négatif: a code and a text that contradict each other are nobody's answer.
            if (found != nullptr && found->coded != answer.coded) {
                return trouble(obx, 5, Fault::conflict, "the code and the text give two answers", raw);
            }
            found = &answer;
        }
    }
    if (found == nullptr)
        return trouble(obx, 5, Fault::unsupported, "this answer is not in the catalogue of the analysis", raw);
    return {domain::Value{found->coded}, std::nullopt};
}

}  // namespace

Result<std::optional<domain::Quantity>> read_number(std::string_view raw, bool decimal_comma) {
    hl7::NumberOptions options;
    options.decimal_comma = decimal_comma;
    const auto read = hl7::read_number(raw, options);
    if (!read) return std::optional<domain::Quantity>{};
    if (read->ambiguous) {
        return Error{Fault::malformed, "", "a comma before exactly three digits may be decimal or thousands"};
    }
    domain::Quantity quantity;
    quantity.number = read->value;
    switch (read->comparator) {
        case hl7::Comparator::none:
            break;
        case hl7::Comparator::less:
            quantity.comparator = domain::Comparator::less;
            break;
        case hl7::Comparator::less_or_equal:
            quantity.comparator = domain::Comparator::less_or_equal;
            break;
        case hl7::Comparator::greater:
            quantity.comparator = domain::Comparator::greater;
            break;
        case hl7::Comparator::greater_or_equal:
            quantity.comparator = domain::Comparator::greater_or_equal;
            break;
        case hl7::Comparator::about:
            return std::optional<domain::Quantity>{};  // an estimate is no quantity of ours
    }
    return std::optional<domain::Quantity>{quantity};
}

std::optional<std::string> ucum_of(std::string_view unit) {
    auto text = normalised(unit);
    for (const auto& micro : {"\u00B5", "\u03BC"})
        text = replace_all(std::move(text), micro, "u");
    // Powers of ten are written in many ways.
    for (const auto& [from, to] : {std::pair{"10^", "10*"}, std::pair{"10e", "10*"}, std::pair{"10E", "10*"},
                                   std::pair{"x10*", "10*"}, std::pair{"X10*", "10*"}, std::pair{"&&S&&", "*"}}) {
        text = replace_all(std::move(text), from, to);
    }
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 35> spellings{{
        {"G/L", "10*9/L"},      {"Giga/L", "10*9/L"},    {"10*9/l", "10*9/L"},  {"10*3/uL", "10*9/L"},
        {"10*3/mm3", "10*9/L"}, {"T/L", "10*12/L"},      {"Tera/L", "10*12/L"}, {"10*12/l", "10*12/L"},
        {"10*6/uL", "10*12/L"}, {"10*6/mm3", "10*12/L"}, {"UI/L", "[IU]/L"},    {"U/L", "[IU]/L"},
        {"IU/L", "[IU]/L"},     {"UI/l", "[IU]/L"},      {"mUI/L", "m[IU]/L"},  {"mU/L", "m[IU]/L"},
        {"mIU/L", "m[IU]/L"},   {"UI/mL", "[IU]/mL"},    {"mmol/l", "mmol/L"},  {"umol/l", "umol/L"},
        {"nmol/l", "nmol/L"},   {"pmol/l", "pmol/L"},    {"g/l", "g/L"},        {"mg/l", "mg/L"},
        {"ug/l", "ug/L"},       {"g/dl", "g/dL"},        {"mg/dl", "mg/dL"},    {"g/100mL", "g/dL"},
        {"ng/ml", "ng/mL"},     {"pg/ml", "pg/mL"},      {"fl", "fL"},          {"um3", "fL"},
        {"MG/DL", "mg/dL"},     {"mEq/L", "meq/L"},      {"ratio", "{ratio}"},
    }};
    for (const auto& [from, to] : spellings) {
        if (from == text) return std::string(to);
    }
    static constexpr std::array<std::string_view, 33> known{
        "mmol/L",  "umol/L",  "nmol/L", "pmol/L", "mol/L",   "g/L", "mg/L", "ug/L",   "ng/L",    "g/dL",   "mg/dL",
        "ug/dL",   "ug/mL",   "ng/mL",  "pg/mL",  "pg",      "fL",  "%",    "10*9/L", "10*12/L", "[IU]/L", "m[IU]/L",
        "k[IU]/L", "[IU]/mL", "mm/h",   "s",      "{ratio}", "/uL", "/mL",  "L/L",    "mL/min",  "meq/L",  "[pH]"};
    if (std::ranges::find(known, text) != known.end()) return text;
    return std::nullopt;
}

ReadValue read_value(const hl7::Segment& obx, const domain::Analyte* analyte, const domain::Link& link,
                     const std::string& unit) {
    const auto field = obx.field(5);
    if (field.empty() || field.is_null()) return {};
    const auto type = obx.text(2);
    std::string text = field.size() > 0 ? field.repetition(0).component(1).text() : std::string();
    if (!is_structured(type)) {
        text.clear();  // repetitions are lines; a `^` that the sender did not escape belongs to the text
        for (const auto& line : field.repetitions())
            text += (text.empty() ? "" : "\n") + line.text();
    }
    if (std::ranges::find(link.no_value, std::string(trim(text))) != link.no_value.end()) return {};
    if (type == "ED" || type == "RP") {
        return trouble(obx, 5, Fault::unsupported, "embedded documents are not supported in this version", {});
    }
    if (analyte == nullptr) {
        ReadValue read;
        if (auto all = is_structured(type) ? shown(field) : text; !all.empty())
            read.value = domain::Words{std::move(all)};
        return read;
    }
    switch (analyte->kind) {
        case domain::ValueKind::numeric:
            return read_numeric(obx, *analyte, link, text, unit);
        case domain::ValueKind::coded:
            return read_coded(obx, *analyte);
        case domain::ValueKind::text:
            break;
    }
    ReadValue read;
    // A coded answer to a text analysis: its words, else its code.
    std::string words = text;
    if (is_structured(type)) {
        words.clear();
        for (const auto& answer : field.repetitions()) {
            auto said = type == "SN" ? shown(field) : answer.component(2).text();
            if (said.empty()) said = answer.component(1).text();
            if (!said.empty()) words += (words.empty() ? "" : "\n") + said;
        }
    }
    if (!words.empty()) read.value = domain::Words{std::move(words)};
    return read;
}

Timestamp in_zone(Timestamp timestamp, const TimeZone& zone) {
    if (!timestamp.offset_minutes && timestamp.precision >= Precision::hour) {
        timestamp.offset_minutes = zone.offset_minutes(zone.to_instant(timestamp));
    }
    return timestamp;
}

}  // namespace sgl::interpret
