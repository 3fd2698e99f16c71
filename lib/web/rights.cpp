#include "lib/web/rights.hpp"

#include <algorithm>

namespace sgl::web {

bool role_may(store::Role role, Action action) {
    using store::Role;
    switch (action) {
        case Action::order_at_desk:
        case Action::read_patient: return role == Role::secretary || role == Role::technician || role == Role::biologist;
        case Action::read_letters: return role != Role::dpo;
        case Action::read_work_items: return role != Role::dpo;
        case Action::read_account: return true;
        case Action::validate: return role == Role::biologist;
        case Action::compose_again: return role == Role::biologist || role == Role::it_operator;
        case Action::close_work_item: return role != Role::dpo;
        case Action::map_words: return role == Role::technician || role == Role::biologist || role == Role::it_operator;
        case Action::assign_results: return role == Role::technician || role == Role::biologist;
        case Action::retry_letter:
        case Action::hold_letter: return role == Role::secretary || role == Role::biologist || role == Role::it_operator;
        case Action::abandon_letter: return role == Role::biologist || role == Role::it_operator;
    }
    return false;
}

bool may(const store::User& user, Action action, domain::SiteId site) {
    if (action == Action::validate && user.rpps.empty()) return false;
    return std::ranges::any_of(user.roles, [&](const store::SiteRole& held) {
        return held.site.id == site && role_may(held.role, action);
    });
}

std::vector<domain::SiteId> sites_for(const store::User& user, Action action) {
    std::vector<domain::SiteId> sites;
    for (const auto& held : user.roles) {
        const bool known = std::ranges::find(sites, held.site.id) != sites.end();
        if (!known && may(user, action, held.site.id)) sites.push_back(held.site.id);
    }
    return sites;
}

}  // namespace sgl::web
