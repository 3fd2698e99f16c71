// Orders of the desk: typed or corrected by a person, written by the step of the orders that came by a message.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/order_correction.hpp"
#include "lib/store/orders.hpp"
#include "lib/store/work_orders.hpp"

namespace sgl::store {

/// What who requested an order hears of it: `before` (null: the order is new), after, and what the desk typed.
using NewsForm = std::function<std::vector<NewsMessage>(
    const domain::KnownOrder* before, const domain::KnownOrder& after, const domain::NewOrder& typed)>;

/// What a person says at the desk: taken whole or not at all, once for each token.
struct DeskDeed {
    domain::LegalEntityId legal_entity;
    domain::SiteId site;
    std::string actor;  ///< "user:<login>"
    std::string token;  ///< of the screen: a second click finds it done
    Instant at;
    std::optional<domain::PatientId> patient;  ///< none: a new one, as the request says
    bool homonym{};                            ///< he is another person than those of his name and birth date
    std::optional<domain::OrderId> order;      ///< that is corrected
    int seen_version{};                        ///< OrderFile::seen_version of that screen
    std::vector<domain::LinkId> work_links;    ///< analysers that get its work unasked
    NewsForm news{};                           ///< none: nobody hears of it
};

struct DeskDone {
    std::optional<domain::OrderId> order;  ///< none: nothing was written, `decision` or `namesakes` say why
    bool repeated{};                       ///< done before
    bool joined{};                         ///< its tubes are of an order that was there
    domain::DeskRequest request;           ///< with its numbers
    domain::DeskDecision decision;
    std::vector<domain::Patient> namesakes;  ///< who have the name and birth date of the new patient
};

/// An order as the desk corrects it.
struct DeskOrder {
    domain::SiteId site;
    int seen_version{};
    domain::Patient patient;
    domain::KnownOrder order;
};

struct DeskFacts {
    std::vector<domain::Professional> people;  ///< correspondents, and prescribers of the site's last orders
    bool identity_slave{};
};

class DeskOrders {
public:
    DeskOrders(pg::Pool& pool, Orders& orders) : pool_(pool), orders_(orders) {}

    /// Decided by the same rules as a message (domain::decide), but nothing is written when a part is refused.
    /// Fault::missing: no such order or patient; conflict: the screen is stale.
    asio::awaitable<Result<DeskDone>> take(DeskDeed deed, domain::DeskRequest request,
                                           const domain::Catalogue& catalogue);

    /// The order of a screen that was done before; then nothing else of that screen is looked at.
    asio::awaitable<std::optional<domain::OrderId>> done(std::vector<std::int32_t> sites, std::string token);
    /// Fault::missing: no such order on those sites.
    asio::awaitable<Result<DeskOrder>> order(std::vector<std::int32_t> sites, domain::OrderId id);
    asio::awaitable<DeskFacts> facts(domain::SiteId site);

private:
    asio::awaitable<Result<DeskDone>> take_once(const DeskDeed& deed, domain::DeskRequest request,
                                                const domain::Catalogue& catalogue);

    pg::Pool& pool_;
    Orders& orders_;
};

}  // namespace sgl::store
