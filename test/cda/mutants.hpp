// Every document that differs from a good one by one place: an element or attribute without, twice, altered, two
// siblings changed about.
#pragma once

#include <functional>
#include <string>

namespace sgl::cda::test {

struct Mutant {
    std::string
        name;  ///< "without section/entry/act/@classCode": sections and entries of one kind are one kind of place
    std::string place;   ///< the beginning of the element
    std::size_t from{};  ///< what the bytes of the good document from here
    std::size_t to{};    ///< to here
    std::string text;    ///< become

    std::string of(std::string good) const { return good.replace(from, to - from, text); }
};

/// One mutant for each kind of place and alteration, in document order. `good` has no comment, no CDATA and no `>` in
/// an attribute.
void each_mutant(const std::string& good, const std::function<void(const Mutant&)>& visit);

}  // namespace sgl::cda::test
