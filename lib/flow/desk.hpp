// The desk: an order typed or corrected by a person goes the way of one that came by a message (lib/domain/desk.hpp
// reads it, domain::decide judges it, the orders' own step writes it).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "lib/domain/desk.hpp"
#include "lib/flow/line.hpp"
#include "lib/flow/live_laboratory.hpp"
#include "lib/store/desk_orders.hpp"

namespace sgl::flow {

/// What a screen of the desk offers on a site.
struct DeskChoices {
    domain::LaboratoryPtr laboratory;             ///< holds the catalogue
    const domain::Catalogue* catalogue{nullptr};  ///< of the site; never null
    std::vector<domain::Professional> people;     ///< correspondents, and prescribers of the last orders
    bool identity_slave{};                        ///< patients come from the hospital's identity server alone
};

/// What became of a screen.
struct DeskTaken {
    std::optional<domain::OrderId> order;  ///< none: nothing was written
    std::string number;                    ///< of that order; empty for a repeat
    bool joined{};                         ///< added to an order that has the same tube
    std::vector<domain::FieldError> errors;
    std::vector<domain::Patient> namesakes;  ///< of the new patient: one of them, or really another person?
};

class Desk {
public:
    struct Parts {
        store::DeskOrders& orders;
        const LiveLaboratory& laboratory;
        const Clock& clock;
        std::function<std::vector<domain::LinkId>(domain::SiteId)> work_links;  ///< analysers that get work unasked
        std::function<void()> tell_work;                                        ///< there is some
    };
    explicit Desk(Parts parts) : parts_(std::move(parts)) {}

    asio::awaitable<Result<DeskChoices>> choices(domain::SiteId site);

    /// A new order on one of the actor's sites. Fault::missing: no such site or patient.
    asio::awaitable<Result<DeskTaken>> register_order(Actor actor, domain::SiteId site, domain::DeskForm form,
                                                      std::string token);
    /// Fault::missing: no such order on the actor's sites; conflict: the screen is stale.
    asio::awaitable<Result<DeskTaken>> correct(Actor actor, domain::OrderId order, int seen_version,
                                               domain::DeskForm form, std::string token);

private:
    asio::awaitable<Result<DeskTaken>> take(store::DeskDeed deed, domain::DeskForm form, domain::DeskRequest request,
                                            DeskChoices choices);

    Parts parts_;
};

}  // namespace sgl::flow
