#include "lib/delivery/timer.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sgl::delivery {

namespace {

class RealTimer final : public Timer {
public:
    explicit RealTimer(const asio::any_io_executor& executor) : timer_(executor) {}

    asio::awaitable<void> wait(Duration time) override {
        timer_.expires_after(time);
        boost::system::error_code woken;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    void cancel() override { timer_.cancel(); }

private:
    asio::steady_timer timer_;
};

}  // namespace

std::shared_ptr<Timer> real_timer(const asio::any_io_executor& executor) {
    return std::make_shared<RealTimer>(executor);
}

}  // namespace sgl::delivery
