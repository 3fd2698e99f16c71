// The account: reports and letters per site and month of validation (lab-domain 9, R-91). Two ways to the same figures:
// the rows as they stand, quick; and the letters' events replayed. They must always agree (reliability I11).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "lib/domain/letter.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace asio = boost::asio;

struct ChannelCount {
    domain::Channel channel{};
    std::int64_t letters{};  ///< required ones, all states
    std::int64_t sent{};     ///< at least one attempt was made
    std::int64_t accepted{};
    std::int64_t pending{};  ///< due, sending, retry, in doubt, held
    std::int64_t failed{};   ///< dead
    bool operator==(const ChannelCount&) const = default;
};

struct ReasonCount {
    domain::Channel channel{};
    domain::LetterState state{};  ///< blocked or not_applicable
    domain::Reason reason{};
    std::int64_t letters{};
    bool operator==(const ReasonCount&) const = default;
};

struct AccountFigures {
    domain::SiteId site;
    std::chrono::year_month_day month;
    std::int64_t reports{};  ///< report sets, not versions, in the month of their first complete version
    std::int64_t with_qualified_ins{};
    std::vector<ChannelCount> channels;
    std::vector<ReasonCount> reasons;
    bool operator==(const AccountFigures&) const = default;
};

enum class AccountSource : std::uint8_t { rows, events };

/// Ordered by month (newest first), then site; channels and reasons in the order of their enumerations.
asio::awaitable<std::vector<AccountFigures>> account(pg::Pool& pool, const std::vector<std::int32_t>& sites,
                                                     AccountSource source);

}  // namespace sgl::store
