// What analysers are asked to do: the steps (awos), the messages that carry them until they are answered, and the
// orders whose work is still to be written (hl7v2-lab 6.1 to 6.3).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/link.hpp"
#include "lib/domain/work.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace asio = boost::asio;

struct StoredStep {
    std::int64_t number{};
    std::string specimen_number;
    std::string analyte;  ///< local code
    domain::StepState state{};
    int told{};         ///< messages that asked for it
    bool on_its_way{};  ///< in a message that is not answered yet
};

/// A message to write, with the steps that it asks for or cancels.
struct NewWork {
    std::string control_id;
    std::optional<domain::OrderId> order;  ///< none: there is no work for the specimen
    std::string raw;
    struct Step {
        std::int64_t number{};
        std::string specimen_number;
        std::string analyte;  ///< local code
    };
    std::vector<Step> fresh;          ///< steps that begin here
    std::vector<std::int64_t> again;  ///< told again: `asked` once more
    std::vector<std::int64_t> ended;  ///< whose end is asked for: `cancelling`
    bool answered{};                  ///< goes in an answer of ours: nothing is sent, the steps count as accepted
};

/// An order message of ours to who requested (LTW LAB-2).
struct NewsMessage {
    domain::LinkId link;
    std::string control_id;
    std::string raw;
};

/// What a peer says of a message of ours.
struct HeardAnswer {
    bool accepted{};                                   ///< the message as a whole
    std::map<std::int64_t, domain::StepAnswer> steps;  ///< by step; empty: nothing is said of each
    std::map<std::string, std::string> placers;        ///< numbers of the requester for ours
    std::size_t unable{};                              ///< lines that it can't take
};

/// A message to send.
struct DueWork {
    std::string control_id;
    Instant created_at;
    int attempts{};
    std::string raw;
};

/// The end of an order, seen from a link.
struct EndedWork {
    domain::OrderId order;
    std::vector<StoredStep> steps;
};

class WorkOrders {
public:
    explicit WorkOrders(pg::Pool& pool) : pool_(pool) {}

    asio::awaitable<pg::Transaction> begin(const domain::Link& link);

    /// Written with the order itself, in its transaction: these links get its work unasked.
    static pg::Step due(domain::OrderId order, domain::SiteId site, domain::LegalEntityId legal_entity,
                        const std::vector<domain::LinkId>& links, Instant now);

    /// Written with what it tells, in its transaction; sent and repeated like work.
    static std::vector<pg::Step> news(const NewsMessage& message, domain::OrderId order, domain::SiteId site,
                                      domain::LegalEntityId legal_entity, Instant now);

    // Inside a transaction of begin(); the caller commits.
    static asio::awaitable<std::optional<domain::OrderId>> order_of(pg::Transaction& transaction,
                                                                    const domain::Link& link,
                                                                    const std::string& specimen_number);
    static asio::awaitable<std::vector<StoredStep>> steps(pg::Transaction& transaction, const domain::Link& link,
                                                          domain::OrderId order);
    /// Numbers for new steps.
    static asio::awaitable<std::vector<std::int64_t>> numbers(pg::Transaction& transaction, std::size_t count);
    /// Orders whose work this link gets unasked; locked, the oldest first.
    static asio::awaitable<std::vector<domain::OrderId>> waiting(pg::Transaction& transaction, const domain::Link& link,
                                                                 std::size_t limit);
    static pg::Step written(domain::OrderId order, const domain::Link& link);
    static std::vector<pg::Step> steps_of(const NewWork& work, const domain::Link& link, Instant now);
    /// Open orders of the site, newest first, that have a specimen: for an analyser that asks for everything.
    static asio::awaitable<std::vector<domain::OrderId>> open_orders(pg::Transaction& transaction,
                                                                     const domain::Link& link, std::size_t limit);

    /// Steps that this link still has although their order, or the line that they came of, is not wanted any more, by
    /// order. Those of orders that have ended otherwise become `done` on the way.
    asio::awaitable<std::vector<EndedWork>> ended(const domain::Link& link, Instant now);

    /// As LinkState::claim.
    asio::awaitable<std::vector<DueWork>> claim(const domain::Link& link, Instant now, Instant again_at,
                                                std::size_t limit);
    /// `dead`: nobody will try again, and a person has work. `not_sent`: the analyser can't have it, so this was no
    /// attempt.
    asio::awaitable<void> failed(const domain::Link& link, const DueWork& work, Instant again_at, bool dead,
                                 bool not_sent, const std::string& why);
    /// The peer has answered: steps move, a requester's numbers are kept, what it can't do becomes work for a person.
    /// False when no such message waits.
    asio::awaitable<bool> answered(const domain::Link& link, const std::string& control_id, const HeardAnswer& answer,
                                   Instant now);

private:
    /// False when some of the numbers are not for lines that wait for one, or stand elsewhere already.
    static asio::awaitable<bool> number_lines(pg::Transaction& transaction, const domain::Link& link, const Uuid& order,
                                              const std::map<std::string, std::string>& placers, Instant now);

    pg::Pool& pool_;
};

}  // namespace sgl::store
