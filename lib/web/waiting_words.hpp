// How the pages name a group of what waits. For the pages' sources only.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "lib/store/waiting.hpp"

namespace sgl::web {

inline std::string_view plural(std::size_t n) {
    return n > 1 ? "s" : "";
}

/// `Code GLU de l'analyseur haematology-1`, `Unité mg/L (CREA) de…`.
inline std::string title_of(const store::WaitingGroup& group) {
    const auto* const what = [&] {
        switch (*group.mends) {
            case domain::Mapping::Kind::code:
                return "Code";
            case domain::Mapping::Kind::unit:
                return "Unité";
            case domain::Mapping::Kind::value:
                return "Valeur";
            case domain::Mapping::Kind::flag:
                return "Indicateur";
        }
        return "";
    }();
    auto text = fmt::format("{} {}", what, group.theirs);
    if (!group.code.empty()) text += fmt::format(" ({})", group.code);
    return text + fmt::format(", lien {}", group.link_name);
}

inline std::string how_many(const store::WaitingGroup& group) {
    const auto n = group.items.size();
    return fmt::format("{} résultat{} en attente", n, plural(n));
}

}  // namespace sgl::web
