#include "lib/flow/budget.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sgl::flow {

struct Budget::State {
    State(const asio::any_io_executor& executor, std::size_t bytes, std::size_t most)
        : limit(bytes), most_messages(most), news(executor) {
        news.expires_at(asio::steady_timer::time_point::max());
    }

    bool admits(const Share& share) {
        if (working >= most_messages) return false;
        if (held < limit || beyond == &share) return true;
        if (beyond != nullptr || share.held_ == 0) return false;
        beyond = &share;
        return true;
    }
    void freed() { news.cancel(); }

    std::size_t limit;
    std::size_t most_messages;
    std::size_t held{};
    std::size_t working{};
    std::size_t waiting{};
    const Share* beyond{};  // the connection that may go beyond the limit, until it holds nothing
    asio::steady_timer news;
};

Budget::Budget(const asio::any_io_executor& executor, std::size_t bytes, std::size_t messages)
    : state_(std::make_shared<State>(executor, bytes, messages)) {}

Budget::Figures Budget::figures() const {
    return {state_->held, state_->working, state_->waiting};
}

Budget::Share::~Share() {
    work(false);
    hold(0);
    if (of_->beyond == this) of_->beyond = nullptr;
    of_->freed();
}

void Budget::Share::hold(std::size_t bytes) {
    const bool less = bytes < held_;
    of_->held += bytes;
    of_->held -= held_;
    held_ = bytes;
    if (held_ == 0 && of_->beyond == this) of_->beyond = nullptr;
    if (less) of_->freed();
}

void Budget::Share::work(bool on) {
    if (on == working_) return;
    working_ = on;
    if (on) {
        ++of_->working;
    } else {
        --of_->working;
        of_->freed();
    }
}

asio::awaitable<void> Budget::Share::room() {
    struct Waiting {
        std::size_t& count;
        explicit Waiting(std::size_t& of) : count(of) { ++count; }
        ~Waiting() { --count; }
    };
    if (of_->admits(*this)) co_return;
    const Waiting waiting(of_->waiting);
    boost::system::error_code woken;
    do {
        co_await of_->news.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    } while (!of_->admits(*this));
}

}  // namespace sgl::flow
