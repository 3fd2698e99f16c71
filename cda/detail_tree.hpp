// Inside cda: a light tree of a parsed document, and what rules and the reader ask of it. Not for other rooms.
//
// Names do not depend on the prefixes that a document chose: elements of CDA have their local name, those of the extensions
// a fixed prefix (`lab:`, `sdtc:`, `ps3-20:`), others `{namespace}name`; attributes likewise (`xsi:type`, whose value comes
// without its prefix).
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sgl::cda::detail {

struct Element {
    std::string name;
    std::vector<std::pair<std::string, std::string>> attributes;
    std::string text;  ///< its own characters, children's not included
    const Element* parent{};
    unsigned position{1};  ///< among the siblings of its name
    std::vector<const Element*> children;
    std::vector<std::size_t> places;  ///< for each child, how much of `text` stands before it

    /// Empty when absent.
    std::string_view attribute(std::string_view wanted) const;
    bool has_attribute(std::string_view wanted) const;
    const Element* child(std::string_view wanted) const;  ///< the first, or null
    /// Follows first children: at("patientRole", "patient"); null when one is absent.
    template <class... Names>
    const Element* at(std::string_view first, Names... rest) const {
        const auto* next = child(first);
        if constexpr (sizeof...(rest) > 0) return next == nullptr ? nullptr : next->at(rest...);
        else return next;
    }
    std::vector<const Element*> all(std::string_view wanted) const;  ///< children of that name
    std::string all_text() const;                                    ///< its characters and its descendants', in order
    std::string path() const;
};

/// Depth is bounded when parsing, so plain recursion is fine.
struct Tree {
    std::deque<Element> elements;  ///< of ClinicalDocument, document order; stable addresses
    std::string envelope;          ///< name of the root that holds ClinicalDocument, empty when that is the root
    std::string encoding;          ///< as declared, empty when not
    const Element* root() const { return elements.empty() ? nullptr : &elements.front(); }
};

}  // namespace sgl::cda::detail
