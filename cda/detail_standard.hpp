// Inside the checker: the rules of the standard, for documents of anybody. Not for other rooms.
#pragma once

#include "cda/detail_rules.hpp"

namespace sgl::cda::detail {

/// Which rules apply: those of the volet only to what says that it is a CR-BIO.
struct Standard {
    enum class Version : std::uint8_t { unknown, v2021, v2023, v2024 };
    bool cr_bio{false};
    bool structured{false};
    Version version{Version::unknown};
};
Standard standard_of(const Element& root);

void structure_rules(const Tree& tree, Findings& findings);
void standard_header_rules(const Tree& tree, const Standard& standard, const CheckOptions& options, Findings& findings);
void standard_body_rules(const Tree& tree, const Standard& standard, Findings& findings);

bool has_template(const Element& element, std::string_view root);

}  // namespace sgl::cda::detail
