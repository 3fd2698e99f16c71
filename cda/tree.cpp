#include "cda/detail_tree.hpp"

namespace sgl::cda::detail {

std::string_view Element::attribute(std::string_view wanted) const {
    for (const auto& [key, value] : attributes)
        if (key == wanted) return value;
    return {};
}

bool Element::has_attribute(std::string_view wanted) const {
    for (const auto& pair : attributes)
        if (pair.first == wanted) return true;
    return false;
}

const Element* Element::child(std::string_view wanted) const {
    for (const auto* each : children)
        if (each->name == wanted) return each;
    return nullptr;
}

std::vector<const Element*> Element::all(std::string_view wanted) const {
    std::vector<const Element*> found;
    for (const auto* each : children)
        if (each->name == wanted) found.push_back(each);
    return found;
}

std::string Element::all_text() const {
    std::string all;
    std::size_t from = 0;
    for (std::size_t i = 0; i < children.size(); ++i) {
        all.append(text, from, places[i] - from);
        all += children[i]->all_text();
        from = places[i];
    }
    return all.append(text, from);
}

std::string Element::path() const {
    std::string step = "/" + name;
    if (position > 1) step += "[" + std::to_string(position) + "]";
    return parent == nullptr ? step : parent->path() + step;
}

}  // namespace sgl::cda::detail
