// What analysers get to do, and what they say of it: a scanned barcode gets its tests (hl7v2-lab 6.1 to 6.3).
// Everything that goes out is a row before it is said, and is said again with the same MSH-10 until it is answered.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "hl7/message.hpp"
#include "lib/flow/live_laboratory.hpp"
#include "lib/interpret/work.hpp"
#include "lib/store/orders.hpp"
#include "lib/store/work_orders.hpp"

namespace sgl::flow {

namespace asio = boost::asio;

/// What an analyser measures of an order on one of its specimens: the analyses asked for that the link names, made from
/// this kind of specimen (or from any, when the order has none of that kind), and that have no result yet. Pure.
std::vector<const domain::Analyte*> wanted_of(const store::OrderFile& file, const domain::Specimen& specimen,
                                              const domain::Link& link, const domain::Catalogue& catalogue);

/// A message of ours that no peer has answered since: a person has to know.
inline constexpr auto messages_given_up_after = std::chrono::hours(72);

class WorkDesk {
public:
    WorkDesk(pg::Pool& pool, store::Orders& orders, const Clock& clock, const LiveLaboratory& laboratory);
    WorkDesk(const WorkDesk&) = delete;
    WorkDesk& operator=(const WorkDesk&) = delete;

    /// What a query leads to. Asked again, it tells the same steps again.
    struct Told {
        bool found{};          ///< QAK-2: OK, else NF
        std::string segments;  ///< the work itself, where it goes in the answer
    };
    asio::awaitable<Told> ask(const domain::Link& link, const interpret::WorkQuery& query);

    /// Writes what the link gets unasked; `ended_too`: and takes back what it was asked for in orders and lines that
    /// were cancelled since.
    asio::awaitable<void> prepare(const domain::Link& link, bool ended_too);

    /// An answer to one of our work orders; false when it answers none.
    asio::awaitable<bool> hear(const domain::Link& link, const std::string& control_id, const hl7::Message& answer);

    store::WorkOrders& store() { return work_; }

    /// Links of the site that get the work of every order.
    std::vector<domain::LinkId> pushed(domain::SiteId site) const;

private:
    asio::awaitable<bool> write_specimen(pg::Transaction& transaction, const domain::Link& link,
                                         const store::OrderFile& file, const domain::Specimen& specimen, bool again,
                                         bool in_answer, std::vector<pg::Step>& steps, std::string& segments);
    asio::awaitable<bool> write_order(pg::Transaction& transaction, const domain::Link& link, domain::OrderId order,
                                      const std::string& specimen_number, bool again, bool in_answer,
                                      std::vector<pg::Step>& steps, std::string& segments);
    asio::awaitable<void> push(const domain::Link& link);
    asio::awaitable<void> take_back(const domain::Link& link);

    store::Orders& orders_;
    store::WorkOrders work_;
    const Clock& clock_;
    const LiveLaboratory& laboratory_;
};

}  // namespace sgl::flow
