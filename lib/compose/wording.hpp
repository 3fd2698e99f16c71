// How people, places and flags are put into French words on a report, for the PDF and the narrative alike.
#pragma once

#include <string>
#include <string_view>

#include "lib/domain/report.hpp"

namespace sgl::compose {

std::string awaited(const domain::Report& report);           ///< Potassium ; INR
std::string_view french(domain::Sex sex);                    ///< Féminin, Masculin, Inconnu
std::string full_name(const domain::Professional& person);   ///< Dr Camille MARTIN
std::string one_line(const domain::Address& address);        ///< 12 rue des Lilas, 69003 LYON
/// The sign beside a flagged result, readable without colour: ▲ ▼ ▲▲ ▼▼ ◆, or nothing.
std::string_view sign(domain::Flag flag);
std::string_view in_words(domain::Flag flag);                ///< au-dessus des valeurs de référence…
bool is_critical(domain::Flag flag);
std::string unit_of(const domain::Value& value);             ///< French unit of a quantity, else nothing
/// Whole years at that date; nothing below two years or when a date is not known to the day.
std::string age_in_words(const std::optional<Timestamp>& birth_date, const Timestamp& at);

}  // namespace sgl::compose
