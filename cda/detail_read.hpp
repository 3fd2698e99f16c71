// Inside the reader: the tree, what was already taken from it, and the data types. Not for other rooms.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cda/detail_tree.hpp"
#include "cda/read.hpp"

namespace sgl::cda::detail {

/// Hands out parts of the tree and remembers which, so that what nobody took can be listed at the end.
class Source {
public:
    explicit Source(const Tree& tree);

    const Element* one(const Element& parent, std::string_view name);
    std::vector<const Element*> many(const Element& parent, std::string_view name);
    void take(const Element& element) { taken_.insert(&element); }
    std::string attribute(const Element& element, std::string_view name);
    std::string words(const Element& element);  ///< its own text, trimmed
    void whole(const Element& element);         ///< the element with all that is in it

    /// The element of that ID, or null.
    const Element* anchor(std::string_view id) const;
    std::vector<received::Rest> rest() const;

    // Data types. A null element gives an empty value.
    std::vector<std::string> templates(const Element& parent);
    received::Id id(const Element* element);
    std::vector<received::Id> ids(const Element& parent, std::string_view name = "id");
    received::Coded coded(const Element* element);
    received::Moment moment(const Element* element);
    received::Value value(const Element& element);
    std::vector<received::Value> values(const Element& parent);
    received::Name name(const Element& element);
    std::vector<received::Name> names(const Element& parent, std::string_view name = "name");
    received::Address address(const Element& element);
    std::vector<received::Address> addresses(const Element& parent);
    std::vector<received::Telecom> telecoms(const Element& parent);
    received::Organisation organisation(const Element& element);
    received::Party party(const Element& role);
    received::Participation participation(const Element& element);
    std::vector<received::Participation> participations(const Element& parent);
    received::Group::Specimen specimen(const Element& role);
    /// ED: its words or those it points to.
    std::string text(const Element* element, std::string* pointed_at = nullptr);
    std::string code_of(const Element& parent, std::string_view name);  ///< @code of a child

private:
    received::Amount amount(const Element& element);
    std::optional<received::Amount> limit(const Element& parent, std::string_view name);

    const Tree& tree_;
    std::unordered_map<std::string_view, const Element*> anchors_;
    std::unordered_set<const void*> taken_;  ///< elements, and pairs of attributes
    std::size_t pointed_{};                  ///< bytes of narrative given to those who point to it
};

/// The narrative as lines: paragraphs, items and rows each on their own, cells separated by ` | `.
std::string narrative_text(const Element& element);

void read_header(const Element& root, Source& source, received::Document& document);
void read_body(const Element& root, Source& source, received::Document& document);

}  // namespace sgl::cda::detail
