// Inside schematron: a schema as it runs. Made once by the reader, never changed afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cda/schematron/detail_tree.hpp"
#include "lib/base/result.hpp"

namespace sgl::cda::schematron::detail {

/// A variable that an expression names, and the `let` that it means there.
struct Use {
    std::string name;
    std::size_t let{};
};

struct Expression {
    std::string text;   ///< XPath 1.0
    std::string place;  ///< in the kit, for errors
    std::vector<Use> uses;
};

struct Let {
    std::string name;
    std::size_t expression{};
    bool global{};
    bool constant{};  ///< a literal: says nothing of any document
};

/// One step of a rule's context, an XSLT pattern: child elements of that name which fulfil every predicate.
struct Step {
    std::string uri;                      ///< of the name; empty for an element without namespace
    std::string local;                    ///< empty: any name
    bool any_uri{};                       ///< `*`
    bool below{};                         ///< `//` stands before it: any depth under the step before
    std::vector<std::size_t> predicates;  ///< expressions
    std::optional<std::string>
        template_root;     ///< needs a hl7:templateId child of that root, which finds the candidates
    bool only_template{};  ///< and nothing else: no predicate has to be evaluated
};

/// One of the alternatives of a context.
struct Path {
    bool from_root{};         ///< begins with a single `/`
    std::vector<Step> steps;  ///< none: the document itself
};

struct Piece {
    std::string text;
    std::optional<std::size_t> expression;  ///< value-of
    bool constant{};
    bool element_name{};  ///< name of the context's element, or of what `expression` finds
};

struct Check {
    bool report{};
    std::size_t expression{};
    std::string test;  ///< as written in the kit
    std::string role;
    std::vector<Piece> message;
};

struct Rule {
    std::string context;
    std::vector<Path> paths;
    std::vector<std::size_t> lets;    ///< of this rule, forgotten at each of its nodes
    std::vector<std::size_t> checks;  ///< in order
};

struct Pattern {
    std::string id;
    std::vector<Rule> rules;
};

struct Program {
    std::string family;
    std::vector<std::pair<std::string, std::string>> namespaces;
    std::vector<Expression> expressions;
    std::vector<Let> lets;
    std::vector<Check> checks;
    std::vector<Pattern> patterns;
    std::map<std::string, Xml> documents;  ///< what document() may read, by the name written in the kit; null: absent
    std::vector<std::string> notes;
};

/// `let_of` gives the let that a variable means where the expression stands.
using Scope = std::function<std::optional<std::size_t>(std::string_view name)>;

/// Adds an expression: made XPath 1.0, its variables bound. `place` is for errors.
Result<std::size_t> add_expression(Program& program, std::string_view text, const std::string& place,
                                   const Scope& scope);

/// Reads a context. Fault::unsupported for what no element can be matched by: attributes, text, other axes.
Result<std::vector<Path>> read_context(Program& program, std::string_view context, const std::string& place,
                                       const Scope& scope);

}  // namespace sgl::cda::schematron::detail
