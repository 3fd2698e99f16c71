// Inside the checker: the native rules over the tree, what a schema cannot say. Not for other rooms.
#pragma once

#include "cda/checker.hpp"
#include "cda/detail_tree.hpp"

namespace sgl::cda::detail {

class Findings {
public:
    static constexpr std::size_t limit = 100;  ///< of each severity: a broken document needs no longer list

    void error(std::string where, std::string_view what, std::string_view phrase);
    void warning(std::string where, std::string_view what, std::string_view phrase);
    void error(const Element& at, std::string_view what, std::string_view phrase) { error(at.path(), what, phrase); }
    void warning(const Element& at, std::string_view what, std::string_view phrase) { warning(at.path(), what, phrase); }
    std::vector<Finding> take() { return std::move(list_); }

private:
    void add(Finding::Severity severity, std::string where, std::string_view what, std::string_view phrase);
    std::vector<Finding> list_;
    std::size_t errors_{};
    std::size_t warnings_{};
};

void header_rules(const Tree& tree, const CheckOptions& options, Findings& findings);
/// RPPS, FINESS, LOINC and unique IDs, in any document; then what holds in ours alone.
void identifier_rules(const Tree& tree, Findings& findings);
void our_pointer_rules(const Tree& tree, Findings& findings);
void body_rules(const Tree& tree, Findings& findings);
void result_rules(const Tree& tree, Findings& findings);

/// A comment act under its act or result (5.6).
void comment_rules(const Element& relation, const Element& act, Findings& findings);
/// The element's code must be this one.
void wants_code(const Element& parent, std::string_view code, std::string_view system, Findings& findings);

/// The templateIds of an element, exactly these and in this order.
bool has_templates(const Element& element, std::initializer_list<std::string_view> roots);

}  // namespace sgl::cda::detail
