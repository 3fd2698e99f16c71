// receive → keep → interpret: one message in, its answer out. What is answered AA is committed (design D2); messages
// that arrive together, on whatever connection, share one commit.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/flow/live_laboratory.hpp"
#include "lib/store/inbox.hpp"
#include "lib/store/orders.hpp"

namespace sgl::flow {

namespace asio = boost::asio;

/// What goes back to the sender.
struct Reply {
    std::string bytes;  ///< the answer, not framed; empty: none is wanted
    bool close{};       ///< the connection can't go on
};

class Intake {
public:
    Intake(asio::any_io_executor executor, pg::Pool& pool, const Clock& clock, const LiveLaboratory& laboratory);
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    /// `links`: the ones that this connection may be, at least one. Throws when nothing could be stored: then nothing
    /// is answered and the connection closes, so that the sender keeps the message (hl7v2-lab 3.3).
    asio::awaitable<Reply> receive(const std::vector<const domain::Link*>& links, std::string block,
                                   Instant received_at);

    /// A block longer than the listener takes: its head is kept, AR, close.
    asio::awaitable<Reply> refuse_oversize(const domain::Link& link, std::string head, std::uint64_t size,
                                           Instant received_at);

    std::size_t waiting() const { return queue_.size(); }

private:
    struct Waiting;

    asio::awaitable<store::Kept> keep(store::Arrival arrival);
    asio::awaitable<void> run_batches();
    asio::awaitable<void> keep_together(std::vector<std::shared_ptr<Waiting>> batch);
    asio::awaitable<void> keep_alone(Waiting& waiting);

    asio::any_io_executor executor_;
    pg::Pool& pool_;
    const Clock& clock_;
    const LiveLaboratory& laboratory_;
    store::Inbox inbox_;
    store::Orders orders_;
    std::deque<std::shared_ptr<Waiting>> queue_;  // shared: the waiter may be cancelled while its batch runs
    std::size_t lanes_{};                         // batches under way
};

}  // namespace sgl::flow
