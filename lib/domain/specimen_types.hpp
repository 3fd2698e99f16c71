// The kinds of specimens that have a French name here: HL7 table 0487, JDV specimen type.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sgl::domain {

/// Code and French name.
std::span<const std::pair<std::string_view, std::string_view>> specimen_types();
/// The French name; empty when the code is not among them.
std::string specimen_type_label(std::string_view code);

}  // namespace sgl::domain
