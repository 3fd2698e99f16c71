#include "lib/compose/wording.hpp"

#include <fmt/format.h>

#include "lib/base/text.hpp"

namespace sgl::compose {

std::string awaited(const domain::Report& report) {
    std::string list;
    for (const auto& one : report.awaited) list += (list.empty() ? "" : " ; ") + one.label;
    return list;
}

std::string_view french(domain::Sex sex) {
    switch (sex) {
        case domain::Sex::female: return "Féminin";
        case domain::Sex::male: return "Masculin";
        case domain::Sex::unknown: return "Inconnu";
    }
    return "";
}

std::string full_name(const domain::Professional& person) {
    std::string name;
    if (person.title == "DR") name = "Dr ";
    else if (person.title == "PR") name = "Pr ";
    else if (person.civility == "MME") name = "Mme ";
    else if (person.civility == "M") name = "M. ";
    if (!person.given.empty()) name += person.given + " ";
    return name + person.family;
}

std::string one_line(const domain::Address& address) {
    std::string line;
    const auto add = [&line](std::string_view part, std::string_view separator) {
        if (part.empty()) return;
        if (!line.empty()) line += separator;
        line += part;
    };
    for (const auto& street : address.lines) add(street, ", ");
    add(address.postal_code, ", ");
    add(address.city, address.postal_code.empty() ? ", " : " ");
    add(address.country, ", ");
    return line;
}

std::string_view sign(domain::Flag flag) {
    switch (flag) {
        case domain::Flag::none:
        case domain::Flag::normal: return "";
        case domain::Flag::low: return "▼";
        case domain::Flag::high: return "▲";
        case domain::Flag::critical_low: return "▼▼";
        case domain::Flag::critical_high: return "▲▲";
        case domain::Flag::abnormal: return "◆";
    }
    return "";
}

std::string_view in_words(domain::Flag flag) {
    switch (flag) {
        case domain::Flag::none:
        case domain::Flag::normal: return "";
        case domain::Flag::low: return "au-dessous des valeurs de référence";
        case domain::Flag::high: return "au-dessus des valeurs de référence";
        case domain::Flag::critical_low: return "valeur critique basse";
        case domain::Flag::critical_high: return "valeur critique haute";
        case domain::Flag::abnormal: return "résultat anormal";
    }
    return "";
}

bool is_critical(domain::Flag flag) {
    return flag == domain::Flag::critical_low || flag == domain::Flag::critical_high;
}

std::string unit_of(const domain::Value& value) {
    const auto* quantity = std::get_if<domain::Quantity>(&value);
    return quantity == nullptr ? std::string{} : domain::french_unit(quantity->unit);
}

std::string age_in_words(const std::optional<Timestamp>& birth_date, const Timestamp& at) {
    if (!birth_date || birth_date->precision < Precision::day || at.precision < Precision::day) return {};
    int years = at.year - birth_date->year;
    if (at.month < birth_date->month || (at.month == birth_date->month && at.day < birth_date->day)) --years;
    return years < 2 ? std::string{} : fmt::format("{} ans", years);
}

}  // namespace sgl::compose
