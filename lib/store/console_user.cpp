#include <algorithm>
#include <array>

#include "lib/store/console.hpp"

namespace sgl::store {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::secretary:
            return "secretary";
        case Role::technician:
            return "technician";
        case Role::biologist:
            return "biologist";
        case Role::it_operator:
            return "it_operator";
        case Role::dpo:
            return "dpo";
    }
    return "";
}

std::optional<Role> role_of(std::string_view text) {
    for (const auto role : {Role::secretary, Role::technician, Role::biologist, Role::it_operator, Role::dpo}) {
        if (to_string(role) == text) return role;
    }
    return std::nullopt;
}

bool User::has(Role role, domain::SiteId site) const {
    return std::ranges::any_of(roles, [&](const SiteRole& held) { return held.role == role && held.site.id == site; });
}

const SiteName* User::site(domain::SiteId site) const {
    const auto found = std::ranges::find_if(roles, [&](const SiteRole& held) { return held.site.id == site; });
    return found == roles.end() ? nullptr : &found->site;
}

}  // namespace sgl::store
