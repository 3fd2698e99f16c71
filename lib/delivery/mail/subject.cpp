#include "lib/delivery/mail/subject.hpp"

#include "lib/base/text.hpp"

namespace sgl::mail {

namespace {

constexpr std::size_t longest_label = 40;

/// One character for each that has no Latin base letter.
std::string ascii(std::string_view utf8) {
    std::string out;
    for (const char c : without_accents(trim(utf8))) {
        const auto byte = static_cast<unsigned char>(c);
        const bool continues_a_character = (byte & 0xC0U) == 0x80U;
        if (byte < 0x80) {
            out += byte < 0x20 || byte == 0x7f ? ' ' : c;
        } else if (!continues_a_character) {
            out += '?';
        }
    }
    return out;
}

std::string label(std::string_view display_name) {
    // Cut after the accents went: œ has become two letters by then.
    return std::string(trim(first_characters(ascii(display_name), longest_label)));
}

}  // namespace

std::string xdm_subject(const std::vector<std::string>& labels, const Person& person) {
    std::string subject = "XDM/1.0/DDM+";
    subject += labels.size() == 1 ? label(labels.front()) : std::to_string(labels.size()) + " documents";
    subject += ' ' + to_upper_ascii(ascii(person.birth_name)) + ' ' + ascii(person.given_name);
    if (person.birth_date && person.birth_date->precision >= Precision::day) {
        Timestamp day = *person.birth_date;
        day.precision = Precision::day;
        subject += ' ' + to_french_date(day);
    }
    return subject;
}

std::string pdf_name(const Timestamp& act_date, std::string_view display_name, const Person& person, std::string_view number) {
    Timestamp day = act_date;
    day.precision = std::min(day.precision, Precision::day);
    day.offset_minutes.reset();
    std::string name = to_hl7(day) + '_' + label(display_name) + '_' + to_upper_ascii(ascii(person.birth_name)) + '_' +
                       ascii(person.given_name);
    if (!number.empty()) name += '_' + ascii(number);
    for (char& c : name) {
        if (std::string_view("/\\:*?\"<>|").find(c) != std::string_view::npos) c = '_';
    }
    return name + ".pdf";
}

}  // namespace sgl::mail
