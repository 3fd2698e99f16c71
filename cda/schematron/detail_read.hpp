// Inside schematron: from the files of a schema to a program.
#pragma once

#include "cda/schematron/detail_program.hpp"
#include "cda/schematron/schema.hpp"

namespace sgl::cda::schematron::detail {

Result<Program> read_schema(std::string family, const std::string& path, const Lookup& lookup,
                            const std::string& phase);

}  // namespace sgl::cda::schematron::detail
