#include "hl7/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "hl7/spelling.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace {

bool digit(char c) {
    return c >= '0' && c <= '9';
}
bool digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), digit);
}

Error no_value(std::string_view what) {
    return {Fault::missing, "", std::string(what)};
}
Error unreadable(std::string_view what) {
    return {Fault::malformed, "", std::string(what)};
}

// `2024-05-02T08:15:30.5+02:00` without its dashes and colons.
std::optional<std::string> without_iso_marks(std::string_view text) {
    if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    std::string out = std::string(text.substr(0, 4)) + std::string(text.substr(5, 2)) + std::string(text.substr(8, 2));
    auto rest = text.substr(10);
    if (rest.empty()) return out;
    if (rest.front() != 'T' && rest.front() != ' ') return std::nullopt;
    rest.remove_prefix(1);
    const bool utc = rest.ends_with('Z');
    if (utc) rest.remove_suffix(1);
    for (const char c : rest) {
        if (c != ':') out += c;
    }
    if (utc) out += "+0000";
    return out;
}

// A number with an exponent as plain digits; Decimal bounds their count.
std::string with_exponent(std::string_view mantissa, int exponent) {
    std::string sign;
    if (mantissa.starts_with('-') || mantissa.starts_with('+')) {
        sign = mantissa.substr(0, 1);
        mantissa.remove_prefix(1);
    }
    const auto dot = mantissa.find('.');
    std::string all(mantissa.substr(0, dot));
    auto point = static_cast<long>(all.size());
    if (dot != std::string_view::npos) all += mantissa.substr(dot + 1);
    point += exponent;
    if (point <= 0) {
        all.insert(0, static_cast<std::size_t>(1 - point), '0');
        point = 1;
    }
    if (point > static_cast<long>(all.size())) all.append(static_cast<std::size_t>(point) - all.size(), '0');
    if (static_cast<std::size_t>(point) < all.size()) all.insert(static_cast<std::size_t>(point), 1, '.');
    const auto first = std::min(all.find_first_not_of('0'), all.size() - 1);
    return sign + all.substr(all[first] == '.' ? first - 1 : first);
}

Comparator take_comparator(std::string_view& text) {
    constexpr std::array<std::pair<std::string_view, Comparator>, 7> signs = {{{"<=", Comparator::less_or_equal},
                                                                               {"=<", Comparator::less_or_equal},
                                                                               {">=", Comparator::greater_or_equal},
                                                                               {"=>", Comparator::greater_or_equal},
                                                                               {"<", Comparator::less},
                                                                               {">", Comparator::greater},
                                                                               {"~", Comparator::about}}};
    for (const auto& [sign, comparator] : signs) {
        if (text.starts_with(sign)) {
            text = trim(text.substr(sign.size()));
            return comparator;
        }
    }
    return Comparator::none;
}

Authority authority_of(std::string name, std::string oid, std::string type) {
    return {std::move(name), std::move(oid), std::move(type)};
}

std::string at(const Repetition& repetition, std::size_t component) {
    return repetition.component(component).text();
}
std::string first_of(const Repetition& repetition, std::size_t component) {
    return repetition.component(component).subcomponent(1).text();
}

}  // namespace

Result<TimestampReading> read_timestamp(std::string_view text) {
    const auto content = trim(text);
    if (content.empty() || content == "\"\"" || content.find_first_not_of('0') == std::string_view::npos) {
        return no_value("no date and time");
    }
    if (auto parsed = Timestamp::parse(content)) return TimestampReading{*parsed, false};
    if (const auto plain = without_iso_marks(content)) {
        if (auto parsed = Timestamp::parse(*plain)) return TimestampReading{*parsed, true};
    }
    return unreadable("not a date and time of HL7");
}

Result<TimestampReading> read_timestamp(const Field& field) {
    return read_timestamp(field.repetition(0).component(1).text());
}

std::string_view to_string(Comparator comparator) {
    switch (comparator) {
        case Comparator::none:
            return "";
        case Comparator::less:
            return "<";
        case Comparator::less_or_equal:
            return "<=";
        case Comparator::greater:
            return ">";
        case Comparator::greater_or_equal:
            return ">=";
        case Comparator::about:
            return "~";
    }
    return "";
}

Result<Number> read_number(std::string_view text, const NumberOptions& options) {
    const auto spelled = normalised_spelling(text);
    std::string_view rest = spelled;
    if (rest.empty()) return no_value("no number");
    Number number;
    number.comparator = take_comparator(rest);
    std::string mantissa;
    if (rest.starts_with('+') || rest.starts_with('-')) {
        mantissa += rest.front();
        rest.remove_prefix(1);
    }
    // Thousands in groups of three: 12 345.
    std::string whole(rest.substr(0, std::min(rest.find_first_not_of("0123456789 '"), rest.size())));
    rest.remove_prefix(whole.size());
    if (const auto space = whole.find_first_of(" '"); space != std::string::npos) {
        if (space == 0 || space > 3) return unreadable("not a number");
        for (std::size_t i = space; i < whole.size(); i += 4) {
            if (digit(whole[i]) || !digits(std::string_view(whole).substr(i + 1, 3)) || i + 4 > whole.size()) {
                return unreadable("not a number");
            }
        }
        std::erase_if(whole, [](char c) { return !digit(c); });
    }
    if (!digits(whole)) return unreadable("not a number");
    // The zeros in front mean nothing (`0065.88`); those behind are kept as received.
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
    mantissa += whole;
    if (rest.starts_with('.') || rest.starts_with(',')) {
        number.comma = rest.front() == ',';
        if (number.comma && !options.decimal_comma) return unreadable("a decimal comma where the link allows none");
        rest.remove_prefix(1);
        const auto fraction = rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size()));
        if (fraction.empty()) return unreadable("not a number");
        number.ambiguous = number.comma && fraction.size() == 3 && whole.find_first_not_of('0') != std::string::npos;
        mantissa += '.';
        mantissa += fraction;
        rest.remove_prefix(fraction.size());
    }
    if (!rest.empty()) {
        if (rest.front() != 'e' && rest.front() != 'E') return unreadable("not a number");
        rest.remove_prefix(1);
        if (rest.starts_with('+')) rest.remove_prefix(1);
        int exponent{};
        const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
        if (read.ec != std::errc{} || read.ptr != rest.data() + rest.size() || exponent < -30 || exponent > 30) {
            return unreadable("not a number");
        }
        if (mantissa.size() > 40) return unreadable("too many digits");
        mantissa = with_exponent(mantissa, exponent);
    }
    auto value = Decimal::parse(mantissa);
    if (!value) return value.error();
    number.value = std::move(*value);
    return number;
}

Result<StructuredNumber> read_structured_number(const Repetition& repetition) {
    StructuredNumber out;
    const auto comparator = normalised_spelling(at(repetition, 1));
    const auto first = at(repetition, 2);
    const auto separator = normalised_spelling(at(repetition, 3));
    const auto second = at(repetition, 4);
    if (first.empty() && second.empty()) {
        auto whole = read_number(comparator);
        if (!whole) return whole.error();
        if (whole->ambiguous) return unreadable("a comma followed by three digits");
        out.comparator = whole->comparator;
        out.first = whole->value;
        return out;
    }
    std::string_view sign = comparator;
    out.not_equal = sign == "<>";
    if (!out.not_equal && sign != "=") {
        out.comparator = take_comparator(sign);
        if (!sign.empty()) return unreadable("the comparator is none of SN");
    }
    if (separator.size() > 1 ||
        (separator.size() == 1 && std::string_view("-+/.:").find(separator.front()) == std::string_view::npos)) {
        return unreadable("the separator is none of SN");
    }
    out.separator = separator.empty() ? '\0' : separator.front();
    for (const auto& [text, target] : {std::pair{&first, &out.first}, std::pair{&second, &out.second}}) {
        if (text->empty()) continue;
        auto number = read_number(*text);
        if (!number) return number.error();
        if (number->ambiguous || number->comparator != Comparator::none) return unreadable("not a number of SN");
        *target = number->value;
    }
    return out;
}

Coded read_coded(const Repetition& repetition) {
    return {at(repetition, 1), at(repetition, 2), at(repetition, 3), at(repetition, 4),
            at(repetition, 5), at(repetition, 6), at(repetition, 9)};
}

Coded read_coded(const Component& component) {
    const auto part = [&](std::size_t number) { return component.subcomponent(number).text(); };
    return {part(1), part(2), part(3), part(4), part(5), part(6), part(9)};
}

Authority read_authority(const Component& component) {
    return authority_of(component.subcomponent(1).text(), component.subcomponent(2).text(),
                        component.subcomponent(3).text());
}

Authority read_authority(const Repetition& repetition) {
    return authority_of(at(repetition, 1), at(repetition, 2), at(repetition, 3));
}

EntityIdentifier read_entity(const Repetition& repetition) {
    return {at(repetition, 1), authority_of(at(repetition, 2), at(repetition, 3), at(repetition, 4))};
}

EntityIdentifier read_entity(const Component& component) {
    return {component.subcomponent(1).text(),
            authority_of(component.subcomponent(2).text(), component.subcomponent(3).text(),
                         component.subcomponent(4).text())};
}

EntityPair read_entity_pair(const Repetition& repetition) {
    return {read_entity(repetition.component(1)), read_entity(repetition.component(2))};
}

ParentResult read_parent_result(const Repetition& repetition) {
    if (repetition.component(1).size() == 1 && at(repetition, 3) == "LN")
        return {{at(repetition, 1), at(repetition, 2), "LN", {}, {}, {}, {}}, at(repetition, 4), at(repetition, 5)};
    return {read_coded(repetition.component(1)), at(repetition, 2), at(repetition, 3)};
}

ExtendedId read_extended_id(const Repetition& repetition) {
    return {at(repetition, 1), at(repetition, 2),
            at(repetition, 3), read_authority(repetition.component(4)),
            at(repetition, 5), read_authority(repetition.component(6))};
}

std::vector<ExtendedId> read_extended_ids(const Field& field) {
    std::vector<ExtendedId> ids;
    for (const auto& repetition : field.repetitions()) {
        if (auto id = read_extended_id(repetition); !id.id.empty()) ids.push_back(std::move(id));
    }
    return ids;
}

Result<EncapsulatedData> read_encapsulated(const Repetition& repetition) {
    EncapsulatedData out{at(repetition, 1), at(repetition, 2), at(repetition, 3), at(repetition, 4), {}};
    auto text = at(repetition, 5);
    if (text.empty()) return no_value("no data");
    const auto encoding = to_upper_ascii(trim(out.encoding));
    if (encoding.empty() || encoding == "A" || encoding == "UTF-8") {
        out.bytes = std::move(text);
        return out;
    }
    if (encoding == "BASE64") {
        auto bytes = base64_decode(text);
        if (!bytes) return unreadable("not Base64");
        out.bytes = std::move(*bytes);
        return out;
    }
    if (encoding != "HEX") return Error{Fault::unsupported, "", "an encoding that is none of Base64, Hex, A"};
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    if (text.size() % 2 != 0) return unreadable("not hexadecimal");
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned value{};
        const auto read = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
        if (read.ec != std::errc{} || read.ptr != text.data() + i + 2) return unreadable("not hexadecimal");
        out.bytes += static_cast<char>(static_cast<unsigned char>(value));
    }
    return out;
}

ContentKind sniff(std::string_view bytes) {
    using namespace std::string_view_literals;
    constexpr std::array beginnings{std::pair{"%PDF-"sv, ContentKind::pdf}, std::pair{"BM"sv, ContentKind::bmp},
                                    std::pair{"\xFF\xD8\xFF"sv, ContentKind::jpeg},
                                    std::pair{"\x89PNG\r\n"sv, ContentKind::png},
                                    std::pair{"{\\rtf"sv, ContentKind::rtf}};
    for (const auto& [beginning, kind] : beginnings) {
        if (bytes.starts_with(beginning)) return kind;
    }
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    const auto content = bytes.find_first_not_of(" \t\r\n");
    return content != std::string_view::npos && bytes[content] == '<' ? ContentKind::xml : ContentKind::unknown;
}

Result<TimeOfDay> read_time_of_day(std::string_view text) {
    const auto content = trim(text);
    if (content.empty() || content == "\"\"") return no_value("no time");
    // A time is what follows the day in a timestamp.
    const auto stamp = Timestamp::parse("20000101" + std::string(content));
    if (!stamp || stamp->precision < Precision::hour) return unreadable("not a time of HL7");
    return TimeOfDay{stamp->hour,        stamp->minute,    stamp->second,
                     stamp->microsecond, stamp->precision, stamp->offset_minutes};
}

std::vector<std::string> read_lines(const Field& field) {
    std::vector<std::string> lines;
    for (const auto& repetition : field.repetitions()) {
        const auto text = repetition.text();
        for (const auto line : split(text, '\n'))
            lines.emplace_back(line);
    }
    return lines;
}

PersonName read_person_name(const Repetition& repetition) {
    return {first_of(repetition, 1), at(repetition, 2), at(repetition, 3),
            at(repetition, 4),       at(repetition, 5), at(repetition, 7)};
}

Professional read_professional(const Repetition& repetition) {
    return {at(repetition, 1),
            {first_of(repetition, 2), at(repetition, 3), at(repetition, 4), at(repetition, 5), at(repetition, 6),
             at(repetition, 10)},
            read_authority(repetition.component(9)),
            at(repetition, 13)};
}

Organisation read_organisation(const Repetition& repetition) {
    auto id = at(repetition, 10);
    if (id.empty()) id = at(repetition, 3);
    return {at(repetition, 1), std::move(id), read_authority(repetition.component(6)), at(repetition, 7)};
}

Address read_address(const Repetition& repetition) {
    return {first_of(repetition, 1), at(repetition, 2), at(repetition, 3), at(repetition, 4),
            at(repetition, 5),       at(repetition, 6), at(repetition, 7), at(repetition, 9)};
}

Telecom read_telecom(const Repetition& repetition) {
    auto number = at(repetition, 1);
    if (number.empty()) number = at(repetition, 12);
    return {std::move(number), at(repetition, 2), at(repetition, 3), at(repetition, 4)};
}

}  // namespace sgl::hl7
