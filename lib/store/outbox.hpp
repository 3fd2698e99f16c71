// Letters as rows: picked under a lease with a fencing token, so that two daemons never act on one (design D5, D7).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/store/letter_queue.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

class Outbox final : public LetterQueue {
public:
    Outbox(pg::Pool& pool, std::string owner) : pool_(pool), owner_(std::move(owner)) {}

    using LetterQueue::claim;
    asio::awaitable<std::vector<LeasedLetter>> claim(const std::vector<std::int32_t>& sites, domain::Channel channel,
                                                     std::size_t limit, Duration lease, Instant now,
                                                     ClaimScope scope) override;
    asio::awaitable<bool> complete(const LeasedLetter& letter, const LetterOutcome& outcome, Instant now) override;
    asio::awaitable<bool> renew(const LeasedLetter& letter, Duration lease, Instant now) override;
    asio::awaitable<std::size_t> reclaim(const std::vector<std::int32_t>& sites, bool own, Instant now) override;
    asio::awaitable<Result<void>> act(const std::vector<std::int32_t>& sites, domain::LetterId id,
                                      domain::LetterEvent event, std::string verb, std::string actor, std::string why,
                                      const domain::RetryPolicy& policy, Instant now) override;
    asio::awaitable<std::optional<Instant>> next_due(const std::vector<std::int32_t>& sites,
                                                     domain::Channel channel) override;

private:
    pg::Pool& pool_;
    std::string owner_;
};

}  // namespace sgl::store
