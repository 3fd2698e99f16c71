// The engine's waiting, so that the simulator can compress it (design D3).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "lib/base/clock.hpp"

namespace sgl::delivery {

namespace asio = boost::asio;

/// One wait at a time.
class Timer {
public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    virtual ~Timer() = default;

    virtual asio::awaitable<void> wait(Duration time) = 0;  ///< ends early when cancelled; never throws
    virtual void cancel() = 0;                              ///< the wait that is going on, if any
};

std::shared_ptr<Timer> real_timer(const asio::any_io_executor& executor);

}  // namespace sgl::delivery
