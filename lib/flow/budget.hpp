// How much of what arrives may be in memory at a time, over all connections. When the database is slow nothing is read
// any more: TCP then slows the senders, and nothing is acknowledged that is not stored.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <memory>

namespace sgl::flow {

namespace asio = boost::asio;

/// One thread. A connection in the middle of a block may go on beyond the limit, one at a time, or blocks that wait for
/// their ends could fill the room for ever: the bound is `bytes` and one message.
class Budget {
    struct State;

public:
    Budget(const asio::any_io_executor& executor, std::size_t bytes, std::size_t messages);
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;

    /// What one connection holds; gives it back when destroyed. May outlive the budget.
    class Share {
    public:
        explicit Share(Budget& of) : of_(of.state_) {}
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share();

        void hold(std::size_t bytes);  ///< so much now, instead of before
        void work(bool on);            ///< a message of it is being stored

        /// Waits until the connection may read on.
        asio::awaitable<void> room();

    private:
        friend struct Budget::State;
        std::shared_ptr<State> of_;
        std::size_t held_{};
        bool working_{};
    };

    struct Figures {
        std::size_t bytes{}, messages{}, waiting{};
    };
    Figures figures() const;

private:
    std::shared_ptr<State> state_;  // shared with the connections, which may end after us
};

}  // namespace sgl::flow
