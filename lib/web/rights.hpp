// Who may do what (SEC-43): one matrix, denied by default. A right always belongs to a site.
#pragma once

#include <vector>

#include "lib/store/console.hpp"

namespace sgl::web {

enum class Action : std::uint8_t {
    read_patient,    ///< worklist, order, report, documents
    order_at_desk,   ///< type and correct orders
    read_letters,    ///< their states, without the patient
    read_work_items,
    read_account,
    validate,        ///< also needs an RPPS; so does setting a held result aside
    compose_again,   ///< a report that could not be composed
    close_work_item,
    map_words,       ///< codes, units and flags of analysers; reading messages again
    assign_results,  ///< to an order: needs to know patients
    retry_letter,
    hold_letter,
    abandon_letter,
};

bool role_may(store::Role role, Action action);

/// On that site, with one of the roles that hold now.
bool may(const store::User& user, Action action, domain::SiteId site);
/// The sites where the user may; what a query is scoped to.
std::vector<domain::SiteId> sites_for(const store::User& user, Action action);

}  // namespace sgl::web
