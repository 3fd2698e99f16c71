#include "test/lib/delivery/engine/sim/world.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace sgl::delivery::sim {

class Process::SimTimer final : public Timer {
public:
    explicit SimTimer(Process& process) : process_(process) {}

    asio::awaitable<void> wait(Duration time) override {
        const std::shared_ptr<asio::steady_timer> timer = process_.armed(time);
        current_ = timer;
        boost::system::error_code due;
        co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, due));
    }
    void cancel() override {
        if (const auto timer = current_.lock()) timer->cancel();
    }

private:
    Process& process_;
    std::weak_ptr<asio::steady_timer> current_;
};

/// Real time never ends it: the world does, at its moment.
std::shared_ptr<asio::steady_timer> Process::armed(Duration time) {
    if (steps_left_ > 0 && --steps_left_ == 0) world_.after(Duration{0}, std::exchange(at_step_, nullptr));
    auto timer = std::make_shared<asio::steady_timer>(io_, asio::steady_timer::time_point::max());
    world_.queue_.push({world_.now_ + time, ++world_.entries_, weak_from_this(), timer, {}});
    return timer;
}

asio::awaitable<void> Process::delay(Duration time) {
    const std::shared_ptr<asio::steady_timer> timer = armed(time);
    boost::system::error_code due;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, due));
}

std::shared_ptr<Timer> Process::timer() {
    return std::make_shared<SimTimer>(*this);
}

void Process::go_on() {
    stopped_ = false;
    for (const auto& timer : std::exchange(overdue_, {}))
        timer->cancel();
    work();
}

void Process::fall_due(std::shared_ptr<asio::steady_timer> timer) {
    if (stopped_) {
        overdue_.push_back(std::move(timer));
        return;
    }
    timer->cancel();
    timer.reset();
    work();
}

void Process::work() {
    if (stopped_) return;
    if (io_.stopped()) io_.restart();
    while (io_.poll() > 0) {
    }
}

void World::after(Duration time, std::function<void()> event) {
    queue_.push({now_ + time, ++entries_, {}, {}, std::move(event)});
}

std::shared_ptr<Process> World::start() {
    auto process = std::make_shared<Process>(*this);
    std::erase_if(processes_, [](const auto& one) { return one.expired(); });
    processes_.push_back(process);
    return process;
}

void World::work_all() {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
        if (const auto process = processes_[i].lock()) process->work();
    }
}

void World::run(Instant end, const std::function<bool()>& enough) {
    work_all();
    Instant asked = now_;
    while (!queue_.empty() && queue_.top().at <= end) {
        const Entry entry = queue_.top();
        queue_.pop();
        now_ = entry.at;
        if (entry.event) {
            entry.event();
            work_all();
        } else if (auto timer = entry.timer.lock()) {
            if (const auto process = entry.process.lock()) process->fall_due(std::move(timer));
        }
        if (enough && now_ - asked >= std::chrono::seconds(10)) {
            if (enough()) return;
            asked = now_;
        }
    }
    now_ = end;
}

}  // namespace sgl::delivery::sim
