// Reads a file of rules (lab-domain 4.2) into the texts that domain::read_rule_set understands.
// config/rules.sample.toml documents it.
#pragma once

#include <string_view>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/domain/rules.hpp"

namespace sgl::config {

/// [rule_set], then [[delta]], [[critical]]… and [[test]] with its [[test.result]]. Only the form is checked here;
/// errors say `line 12, column 3`. A number with decimals has to be a text, as its digits count.
Result<std::vector<domain::RuleText>> parse_rules(std::string_view bytes);

/// The whole way of an import: the form, what the rules mean, and their own tests, with all that is wrong.
struct CheckedRules {
    std::vector<domain::RuleText> texts;
    domain::RuleSet set;
    std::vector<Error> errors;  ///< empty: it may be imported
};
CheckedRules check_rules(std::string_view bytes);

}  // namespace sgl::config
