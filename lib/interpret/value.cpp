#include "lib/interpret/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

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

ReadValue words(std::string text) {
    ReadValue read;
    read.value = domain::Words{std::move(text)};
    return read;
}

/// The sender's own blanks (Roche writes `·`) as spaces.
std::string unblanked(std::string text, const domain::Link& link) {
    for (std::string_view left = link.blanks; !left.empty();) {
        const auto lead = static_cast<unsigned char>(left.front());
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        text = replace_all(std::move(text), left.substr(0, size), " ");
        left.remove_prefix(std::min(size, left.size()));
    }
    return text;
}

/// What the link says that a text of the vendor's means; the text itself when it says nothing.
std::string meant(std::string text, const domain::Link& link) {
    const auto found = std::ranges::find(link.values, std::string(trim(text)), &domain::Link::Word::theirs);
    return found == link.values.end() ? text : found->ours;
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

}  // namespace

std::string unit_text(const hl7::Segment& obx) {
    const auto units = obx.field(6).repetition(0);
    auto first = units.component(1).text();
    // `10^9/L` without escapes arrives as two components (hl7v2-lab 4.2).
    if ((first == "10" || first == "x10") && units.size() >= 2) return "10*" + units.component(2).text();
    if (first.empty()) first = units.component(2).text();
    return first;
}

namespace {

/// INR, ratios: UCUM writes 1 or an annotation in braces, senders nothing.
bool without_unit(const domain::Analyte& analyte) {
    return analyte.unit.empty() || analyte.unit == "1" || analyte.unit.starts_with('{');
}

/// The UCUM unit of what OBX-6, or the link for it, says; nothing when it is not known.
std::optional<std::string> unit_of(const std::string& unit, const domain::Link& link, std::string_view expected) {
    const auto mapped = std::ranges::find(link.units, unit, &domain::Link::Word::theirs);
    const auto& said = mapped == link.units.end() ? unit : mapped->ours;
    // The unit of the analysis, written as the catalogue writes it, needs no table.
    return said == expected ? std::optional{said} : ucum_of(said);
}

ReadValue read_numeric(const hl7::Segment& obx, const domain::Analyte& analyte, const domain::Link& link,
                       std::string text, const domain::Link::Code* mapped) {
    if (obx.field(5).size() > 1)
        return trouble(obx, 5, Fault::unsupported, "several values for one number", shown(obx.field(5)));
    const auto number = read_number(text, link.decimal_comma);
    if (!number) return trouble(obx, 5, number.error().fault, number.error().what, text);
    if (!*number)
        return trouble(obx, 5, Fault::malformed, "this analysis is numeric and the value is not a number", text);
    auto quantity = **number;
    const auto said = unblanked(unit_text(obx), link);
    const auto& unit = said.empty() && mapped != nullptr ? mapped->unit : said;
    if (unit.empty()) {
        // Never assume a unit (hl7v2-lab 8.5), except where the analysis has none.
        if (!without_unit(analyte)) return trouble(obx, 6, Fault::missing, "the unit is missing", text);
    } else if (mapped != nullptr && mapped->factor && unit == mapped->unit) {
        const auto converted = quantity.number.times(*mapped->factor);
        if (!converted) return trouble(obx, 5, Fault::unsupported, "the converted number has too many digits", text);
        quantity.number = *converted;
    } else {
        const auto ucum = unit_of(unit, link, analyte.unit);
        if (!ucum) return trouble(obx, 6, Fault::unsupported, "this unit is not known", text);
        if (*ucum != analyte.unit)
            return trouble(obx, 6, Fault::conflict, "the unit is not that of the analysis", text);
    }
    quantity.unit = analyte.unit == "1" ? std::string() : analyte.unit;
    ReadValue read;
    read.value = std::move(quantity);
    return read;
}

/// The answer of the catalogue that a text is; null: none.
const domain::CodedAnswer* answer_of(const domain::Analyte& analyte, std::string_view text) {
    const auto found = std::ranges::find(analyte.answers, text, &domain::CodedAnswer::received);
    return found == analyte.answers.end() ? nullptr : &*found;
}

ReadValue read_organism(const hl7::Segment& obx, const domain::Analyte& analyte, const domain::Link& link) {
    const auto cell = obx.field(5).repetition(0);
    const bool structured = is_structured(obx.text(2));
    std::vector<std::string> said;
    for (const std::size_t component : {1U, 2U, 4U, 5U})
        said.push_back(meant(normalised(unblanked(cell.component(component).text(), link)), link));
    for (const auto& text : said) {
        if (const auto* answer = answer_of(analyte, text)) {
            ReadValue read;
            read.value = answer->coded;
            return read;
        }
    }
    if (!structured) return words(meant(unblanked(obx.field(5).text(), link), link));
    domain::Coded coded;
    for (const std::size_t first : {1U, 4U}) {
        if (cell.component(first + 2).text() == "SCT" && coded.code.empty()) {
            coded.code = cell.component(first).text();
            coded.system = "2.16.840.1.113883.6.96";
        }
        if (coded.display.empty()) coded.display = said[first == 1U ? 1 : 3];
    }
    if (coded.display.empty()) coded.display = said[0].empty() ? said[2] : said[0];
    if (coded.display.empty()) return trouble(obx, 5, Fault::missing, "the line names nothing", shown(obx.field(5)));
    ReadValue read;
    read.value = std::move(coded);
    return read;
}

/// S, I or R; or a concentration in mg/L, a diameter in mm.
ReadValue read_antibiotic(const hl7::Segment& obx, const domain::Link& link, const std::string& text,
                          const domain::Link::Code* mapped) {
    // GLIMS writes the code and its words into one text: `R^Résistant`.
    const auto plain = std::string(trim(std::string_view(text).substr(0, text.find('^'))));
    if (const auto answer = domain::susceptible_of(plain)) {
        auto read = words(plain);
        read.susceptible = answer;
        return read;
    }
    domain::Analyte line;
    const auto said = unit_text(obx);
    const auto& unit = said.empty() && mapped != nullptr ? mapped->unit : said;
    line.unit = unit_of(unit, link, "mm").value_or("") == "mm" ? "mm" : "mg/L";
    if (unit == "ug/mL" || unit == "\u00B5g/mL" || unit == "\u03BCg/mL" || unit == "mcg/mL") line.unit = unit;
    auto read = read_numeric(obx, line, link, text, mapped);
    if (!read.trouble && read.value) std::get<domain::Quantity>(*read.value).unit = line.unit == "mm" ? "mm" : "mg/L";
    return read;
}

ReadValue read_coded(const hl7::Segment& obx, const domain::Analyte& analyte, const domain::Link& link,
                     std::string_view text) {
    const auto raw = shown(obx.field(5));
    if (obx.field(5).size() > 1) return trouble(obx, 5, Fault::unsupported, "several answers for one analysis", raw);
    const auto cell = obx.field(5).repetition(0);
    const domain::CodedAnswer* found = answer_of(analyte, normalised(text));
    for (const std::size_t component : {1U, 2U, 4U, 5U}) {
        const auto said = normalised(meant(unblanked(cell.component(component).text(), link), link));
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
    ReadValue read;
    read.value = found->coded;
    return read;
}

std::size_t digits(std::string_view text) {
    const auto end = text.find_first_not_of("0123456789");
    return end == std::string_view::npos ? text.size() : end;
}

}  // namespace

std::string at_path(const hl7::Segment& segment, std::string_view path) {
    if (!segment || !path.starts_with(segment.id())) return {};
    std::array<std::size_t, 3> parts{0, 1, 0};
    std::size_t part = 0;
    const char* at = path.data() + path.find('-') + 1;
    const char* const end = path.data() + path.size();
    for (; at < end && part < parts.size(); ++part) {
        const auto read = std::from_chars(at, end, parts[part]);
        if (read.ec != std::errc()) return {};
        at = read.ptr + 1;
    }
    return segment.text(parts[0], parts[1], parts[2]);
}

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
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 43> spellings{{
        {"G/L", "10*9/L"},      {"Giga/L", "10*9/L"},    {"10*9/l", "10*9/L"},  {"10*3/uL", "10*9/L"},
        {"10*3/mm3", "10*9/L"}, {"T/L", "10*12/L"},      {"Tera/L", "10*12/L"}, {"10*12/l", "10*12/L"},
        {"10*6/uL", "10*12/L"}, {"10*6/mm3", "10*12/L"}, {"UI/L", "[IU]/L"},    {"U/L", "[IU]/L"},
        {"IU/L", "[IU]/L"},     {"UI/l", "[IU]/L"},      {"mUI/L", "m[IU]/L"},  {"mU/L", "m[IU]/L"},
        {"mIU/L", "m[IU]/L"},   {"UI/mL", "[IU]/mL"},    {"mmol/l", "mmol/L"},  {"umol/l", "umol/L"},
        {"nmol/l", "nmol/L"},   {"pmol/l", "pmol/L"},    {"g/l", "g/L"},        {"mg/l", "mg/L"},
        {"ug/l", "ug/L"},       {"g/dl", "g/dL"},        {"mg/dl", "mg/dL"},    {"g/100mL", "g/dL"},
        {"ng/ml", "ng/mL"},     {"pg/ml", "pg/mL"},      {"fl", "fL"},          {"um3", "fL"},
        {"MG/DL", "mg/dL"},     {"mEq/L", "meq/L"},      {"ratio", "{ratio}"},  {"mmHg", "mm[Hg]"},
        {"UFC/mL", "{CFU}/mL"}, {"CFU/mL", "{CFU}/mL"},  {"IU/mL", "[IU]/mL"},  {"U/mL", "[IU]/mL"},
        {"kU/L", "k[IU]/L"},    {"kUI/L", "k[IU]/L"},    {"kIU/L", "k[IU]/L"},
    }};
    for (const auto& [from, to] : spellings) {
        if (from == text) return std::string(to);
    }
    static constexpr std::array<std::string_view, 38> known{
        "mmol/L", "umol/L",  "nmol/L",  "pmol/L",  "mol/L",  "g/L", "mg/L",     "ug/L",    "ng/L",   "g/dL",
        "mg/dL",  "ug/dL",   "ug/mL",   "ng/mL",   "pg/mL",  "pg",  "fL",       "%",       "10*9/L", "10*12/L",
        "[IU]/L", "m[IU]/L", "k[IU]/L", "[IU]/mL", "mm/h",   "s",   "{ratio}",  "/uL",     "/mL",    "L/L",
        "mL/min", "meq/L",   "[pH]",    "mm",      "mm[Hg]", "kPa", "mmol/mol", "{CFU}/mL"};
    if (std::ranges::find(known, text) != known.end()) return text;
    return std::nullopt;
}

std::optional<std::string> read_titre(std::string_view text) {
    const auto normal = replace_all(normalised(text), " ", "");
    std::string_view left = normal;
    std::string sign;
    while (!left.empty() && (left.front() == '<' || left.front() == '>' || left.front() == '=')) {
        sign += left.front();
        left.remove_prefix(1);
    }
    if (sign == "=") sign.clear();
    if (!sign.empty() && !domain::comparator_of(sign)) return std::nullopt;
    if (!left.starts_with("1/") && !left.starts_with("1:")) return std::nullopt;
    left.remove_prefix(2);
    if (left.empty() || left.front() == '0' || digits(left) != left.size() || left.size() > 9) return std::nullopt;
    return sign + "1/" + std::string(left);
}

std::optional<std::string> read_interval(std::string_view text, bool decimal_comma) {
    const auto normal = normalised(text);
    const std::string_view all = normal;
    for (const std::string_view separator : {"-", "\u00E0", ".."}) {
        const auto at = all.find(separator, 1);
        if (at == std::string_view::npos) continue;
        auto high = trim(all.substr(at + separator.size()));
        const auto end = std::min(high.find_first_not_of("0123456789.,"), high.size());
        const auto rest = std::string(trim(high.substr(end)));
        const auto low = read_number(trim(all.substr(0, at)), decimal_comma);
        const auto top = read_number(high.substr(0, end), decimal_comma);
        if (!low || !*low || !top || !*top) continue;
        const auto& from = **low;
        const auto& to = **top;
        using domain::Comparator;
        if (from.comparator != Comparator::none || to.comparator != Comparator::none || from.number > to.number)
            continue;
        if (!rest.empty() && rest.front() != '/') continue;
        return from.number.text() + "-" + to.number.text() + (rest.empty() ? "" : " " + rest);
    }
    return std::nullopt;
}

std::optional<std::string> read_grade(std::string_view text) {
    const auto normal = replace_all(normalised(text), " ", "");
    if (normal == "Traces" || normal == "traces" || normal == "Trace" || normal == "trace" || normal == "TRACE" ||
        normal == "TRACES" || normal == "+/-" || normal == "\u00B1") {
        return "Traces";
    }
    if (!normal.empty() && normal.size() <= 4 && normal.find_first_not_of('+') == std::string::npos) return normal;
    if (normal.size() == 2 && normal[0] >= '1' && normal[0] <= '4' && normal[1] == '+')
        return std::string(static_cast<std::size_t>(normal[0] - '0'), '+');
    return std::nullopt;
}

const domain::Link::Code* code_entry(const domain::Link& link, std::string_view code, const hl7::Segment& obx) {
    const domain::Link::Code* found = nullptr;
    std::string unit;
    for (const auto& entry : link.codes) {
        if (entry.theirs != code) continue;
        if (found == nullptr) {
            found = &entry;
            unit = unit_text(obx);
        } else if (found->unit != unit && entry.unit == unit) {
            found = &entry;
        }
    }
    return found;
}

namespace {

/// SN as the text that an analysis of that kind reads: `<0.10`, `1/80`, `5-10`, `2+`; nothing when it is another kind
/// of structured number.
std::optional<std::string> structured_text(const hl7::Field& field, domain::ValueKind kind) {
    const auto sn = field.repetition(0);
    const auto sign = sn.component(1).text() == "=" ? std::string() : sn.component(1).text();
    const auto first = sn.component(2).text();
    const auto separator = sn.component(3).text();
    const auto second = sn.component(4).text();
    if (separator.empty() && second.empty()) return sign + first;
    using enum domain::ValueKind;
    const bool fits = kind == titre      ? separator == ":" || separator == "/"
                      : kind == interval ? separator == "-"
                                         : kind == graded && separator == "+";
    if (!fits) return std::nullopt;
    return sign + first + separator + second;
}

}  // namespace

ReadValue read_value(const hl7::Segment& obx, const domain::Analyte* analyte, const domain::Link& link,
                     const domain::Link::Code* mapped) {
    const auto field = obx.field(5);
    const bool picked = mapped != nullptr && !mapped->at.empty();
    if (!picked && (field.empty() || field.is_null())) return {};
    if (!picked && shown(field).empty()) return {};  // `^`: separators, and nothing between them
    const auto type = picked ? std::string("ST") : obx.text(2);
    std::string text = picked             ? at_path(obx, mapped->at)
                       : field.size() > 0 ? field.repetition(0).component(1).text()
                                          : std::string();
    if (!is_structured(type) && !picked) {
        text.clear();  // repetitions are lines; a `^` that the sender did not escape belongs to the text
        for (const auto& line : field.repetitions())
            text += (text.empty() ? "" : "\n") + line.text();
    }
    const auto is_none = [&](const std::string& said) {
        return std::ranges::find(link.no_value, std::string(trim(said))) != link.no_value.end();
    };
    text = unblanked(std::move(text), link);
    if (is_none(text)) return {};
    text = meant(std::move(text), link);
    if (picked && trim(text).empty()) return {};
    if (type == "RP") {
        return trouble(obx, 5, Fault::unsupported, "a pointer to a document is never followed", {});
    }
    if (type == "ED")
        return trouble(obx, 5, Fault::unsupported, "a document stands where this analysis has a value", {});
    if (analyte == nullptr) {
        if (auto all = is_structured(type) ? shown(field) : text; !all.empty()) return words(std::move(all));
        return {};
    }
    using Kind = domain::ValueKind;
    if (type == "SN" && analyte->kind != Kind::text && analyte->kind != Kind::coded &&
        analyte->kind != Kind::organism) {
        auto read = structured_text(field, analyte->kind);
        if (!read)
            return trouble(obx, 5, Fault::unsupported, "a ratio or interval can't stand for this analysis",
                           shown(field));
        text = std::move(*read);
    }
    const auto formed = [&](std::optional<std::string> form, std::string_view what) {
        if (const auto* answer = answer_of(*analyte, normalised(text))) {
            ReadValue read;
            read.value = answer->coded;
            return read;
        }
        if (form) return words(std::move(*form));
        return trouble(obx, 5, Fault::malformed, std::string(what), text);
    };
    switch (analyte->kind) {
        case Kind::numeric:
            return read_numeric(obx, *analyte, link, text, mapped);
        case Kind::coded:
            return read_coded(obx, *analyte, link, picked ? text : std::string());
        case Kind::titre:
            return formed(read_titre(text), "this analysis is a titre and the value is none");
        case Kind::interval:
            return formed(read_interval(text, link.decimal_comma),
                          "this analysis is an interval and the value is none");
        case Kind::graded:
            return formed(read_grade(text), "this analysis is graded and the value is no grade");
        case Kind::organism:
        case Kind::marker:
            return read_organism(obx, *analyte, link);
        case Kind::antibiotic:
            return read_antibiotic(obx, link, text, mapped);
        case Kind::text:
            break;
    }
    // A coded answer to a text analysis: its words, else its code.
    std::string all = text;
    if (is_structured(type)) {
        all.clear();
        for (const auto& answer : field.repetitions()) {
            auto said = type == "SN" ? shown(field) : answer.component(2).text();
            if (said.empty()) said = answer.component(1).text();
            if (!said.empty()) all += (all.empty() ? "" : "\n") + said;
        }
        all = unblanked(std::move(all), link);
    }
    return all.empty() ? ReadValue{} : words(std::move(all));
}

Timestamp in_zone(Timestamp timestamp, const TimeZone& zone) {
    if (!timestamp.offset_minutes && timestamp.precision >= Precision::hour) {
        timestamp.offset_minutes = zone.offset_minutes(zone.to_instant(timestamp));
    }
    return timestamp;
}

}  // namespace sgl::interpret
