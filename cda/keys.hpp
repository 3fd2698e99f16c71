// Control keys of the identifiers that a CR-BIO carries.
#pragma once

#include <string_view>

namespace sgl::cda::keys {

bool is_ins(std::string_view matricule);         ///< 15 characters of the right shape; the key is not looked at
bool ins_key_holds(std::string_view matricule);  ///< of a matricule for which is_ins holds; Corsica's 2A and 2B included
bool luhn_holds(std::string_view digits);        ///< RPPS, FINESS, SIRET; false unless digits only
bool is_loinc(std::string_view code);            ///< shape and check digit (mod 10)

}  // namespace sgl::cda::keys
