#include "lib/net/timeout.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <mutex>
#include <typeinfo>

#include "lib/base/log.hpp"

namespace sgl::net {

asio::awaitable<void> pause(Duration time) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(time);
    co_await timer.async_wait(asio::use_awaitable);
}

namespace {

void report(std::exception_ptr failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& broken) {
        if (broken.code() == asio::error::operation_aborted) return;
        log::debug("task ended by a broken connection", {{"reason", log::Token(broken.code().message())}});
    } catch (const std::exception& unexpected) {
        log::error("task ended by an exception", {{"type", log::Token(typeid(unexpected).name())}});
    } catch (...) {
        log::error("task ended by something that is no exception");
    }
}

}  // namespace

struct TaskGroup::State {
    struct Task {
        asio::any_io_executor executor;
        // shared with the posted emission of cancel(), which may run after the task has ended
        std::shared_ptr<asio::cancellation_signal> signal = std::make_shared<asio::cancellation_signal>();
    };
    mutable std::mutex mutex;
    std::list<Task> tasks;
    bool closed{false};
};

TaskGroup::TaskGroup() : state_(std::make_shared<State>()) {}
TaskGroup::~TaskGroup() = default;

bool TaskGroup::spawn(const asio::any_io_executor& executor, asio::awaitable<void> task) {
    std::list<State::Task>::iterator entry;
    {
        const std::scoped_lock lock(state_->mutex);
        if (state_->closed) return false;
        entry = state_->tasks.insert(state_->tasks.end(), State::Task{.executor = executor});
    }
    auto ended = [state = state_, entry](std::exception_ptr failure) {
        report(std::move(failure));
        const std::scoped_lock lock(state->mutex);
        state->tasks.erase(entry);
    };
    asio::co_spawn(executor, std::move(task), asio::bind_cancellation_slot(entry->signal->slot(), std::move(ended)));
    return true;
}

void TaskGroup::close() {
    const std::scoped_lock lock(state_->mutex);
    state_->closed = true;
}

void TaskGroup::cancel() {
    const std::scoped_lock lock(state_->mutex);
    for (const auto& task : state_->tasks) {
        asio::post(task.executor, [signal = task.signal] { signal->emit(asio::cancellation_type::all); });
    }
}

std::size_t TaskGroup::size() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->tasks.size();
}

asio::awaitable<bool> TaskGroup::wait(Duration limit, Duration grace) {
    // Looked at every few milliseconds: this runs once in a daemon's life, and needs no thread-safe event for it.
    constexpr auto step = std::chrono::milliseconds(5);
    const auto state = state_;
    const auto empty = [&] {
        const std::scoped_lock lock(state->mutex);
        return state->tasks.empty();
    };
    const auto give_up = std::chrono::steady_clock::now() + limit;
    while (!empty() && std::chrono::steady_clock::now() < give_up) co_await pause(step);
    if (empty()) co_return true;
    cancel();
    const auto leave = std::chrono::steady_clock::now() + grace;
    while (!empty() && std::chrono::steady_clock::now() < leave) co_await pause(step);
    co_return empty();
}

}  // namespace sgl::net
