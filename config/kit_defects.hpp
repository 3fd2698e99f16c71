// Published defects of the official kit of the CI-SIS: what they explain is never shown as an error of a document
// (design D6).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::config {

/// What is left empty matches every finding.
struct KitDefect {
    std::string family;  ///< "CR-BIO", "CR-BIO 2024.01", "IHE", "ModelesDeContenusCDA", "Modeles_ANS"
    std::string pattern;
    std::string test;     ///< as the kit writes it, blanks as one
    std::string message;  ///< a part of it
    std::string reason;

    bool operator==(const KitDefect&) const = default;
};

/// Reads such a file; an entry without pattern, test and message, which would hide a whole family, is refused.
Result<std::vector<KitDefect>> parse_kit_defects(std::string_view toml);

/// The list as shipped: config/official_kit.toml is this text.
std::string_view shipped_kit_defects();

}  // namespace sgl::config
