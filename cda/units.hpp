// What a unit measures, as far as its text tells, against what an examination measures, as far as its national label
// tells (spec/cr-bio.md 9: "unit incoherent with the LOINC property").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sgl::cda::units {

enum class Kind : std::uint8_t {
    unknown,
    mass_concentration,
    substance_concentration,
    number_concentration,
    activity,
    fraction
};

Kind of_unit(std::string_view ucum);
/// Of a label of the national value set: "Glucose à jeun [Moles/Volume] Sérum/Plasma ; Numérique".
Kind of_label(std::string_view label);
/// True only when both are known and differ.
bool contradict(std::string_view label, std::string_view ucum);

/// The UCUM code that a printed unit surely is ("µmol/L" is "umol/L"), or empty when it is not one of a few simple
/// forms.
std::string simple_ucum(std::string_view printed);

}  // namespace sgl::cda::units
