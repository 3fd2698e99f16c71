#include "lib/store/console.hpp"

#include <algorithm>

namespace sgl::store {

bool User::has(Role role, domain::SiteId site) const {
    return std::ranges::any_of(roles, [&](const SiteRole& held) { return held.role == role && held.site.id == site; });
}

const SiteName* User::site(domain::SiteId site) const {
    const auto found = std::ranges::find_if(roles, [&](const SiteRole& held) { return held.site.id == site; });
    return found == roles.end() ? nullptr : &found->site;
}

}  // namespace sgl::store
