// The two names by which a MSSanté mail is filed automatically: its subject and its PDF (spec/mssante.md 3.2 and 3.4,
// référentiel socle MSSanté #2, ECO.2.1.3, ECO.2.1.5, ECO.2.1.6).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/time.hpp"

namespace sgl::mail {

/// Whom a document is about, in what order names are written.
struct Person {
    std::string birth_name;
    std::string given_name;
    std::optional<Timestamp> birth_date;
};

/// `XDM/1.0/DDM+CR d'examens biologiques VIAL Paul 26/11/1978`. `labels`: the displayName of each CDA; several become
/// `N documents`. Always ASCII: accents go, what else is not ASCII becomes `?`. A birth date without its day is left out.
std::string xdm_subject(const std::vector<std::string>& labels, const Person& person);

/// `20150802_CR d'examens biologiques_VIAL_Paul_12150302014578.pdf`. `act_date`: serviceEvent low; `number`: of the order,
/// may be empty. ASCII; `/\:*?"<>|` and control characters become `_`.
std::string pdf_name(const Timestamp& act_date, std::string_view label, const Person& person, std::string_view number);

}  // namespace sgl::mail
