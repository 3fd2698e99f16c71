// Inside schematron: expressions as text. The rules of the kit are written for XPath 2.0 and hardly use it: what
// differs is seen here, before libxml2 compiles them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::cda::schematron::detail {

struct Token {
    enum class Kind : std::uint8_t { name, literal, number, variable, symbol };
    Kind kind{};
    std::string_view text;  ///< a literal without its quotes, a variable without its $
    std::size_t from{};     ///< place in the expression
    std::size_t to{};
    bool is_operator{};  ///< and, or, div, mod, * between operands

    bool is(std::string_view symbol) const { return kind == Kind::symbol && text == symbol; }
    bool is_name(std::string_view name) const { return kind == Kind::name && !is_operator && text == name; }
};

/// The tokens of XPath 1.0 (section 3.7). Views into `expression`. Fault::malformed for a character outside of it.
Result<std::vector<Token>> tokens_of(std::string_view expression);

/// The same expression for XPath 1.0, when it needs no more than that: `a/(b and c)`, a step of XPath 2.0, becomes `a[b
/// and c]`, which is equal where a test is asked (Saxon refuses the case in which it isn't: several `a`).
/// Fault::unsupported with the reason otherwise: a function outside XPath 1.0 (but document and current), an unknown
/// prefix.
Result<std::string> to_xpath1(std::string_view expression, const std::vector<std::string>& prefixes);

/// Index of the token that closes the bracket or parenthesis at `open`; tokens.size() when none does.
std::size_t closing(const std::vector<Token>& tokens, std::size_t open);

}  // namespace sgl::cda::schematron::detail
