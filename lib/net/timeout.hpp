// Every wait has an end: `within` bounds one, TaskGroup bounds the life of many (style, section 6).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "lib/base/clock.hpp"

namespace sgl::net {

namespace asio = boost::asio;

namespace detail {

template <class T>
asio::awaitable<std::optional<T>> held(asio::awaitable<T> work) {
    T value = co_await std::move(work);
    co_return std::optional<T>(std::move(value));
}

inline asio::awaitable<std::optional<bool>> held(asio::awaitable<void> work) {
    co_await std::move(work);
    co_return std::optional<bool>(true);
}

/// Not `work || timer`: that operator waits for one success, so an exception of `work` would only show when the time is up.
template <class T>
asio::awaitable<std::optional<T>> raced(Duration limit, asio::awaitable<std::optional<T>> work) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    timer.expires_after(limit);
    auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(work), asio::deferred),
                                                         timer.async_wait(asio::deferred));
    asio::experimental::wait_for_one first;
    auto [order, failure, value, late] = co_await std::move(group).async_wait(first, asio::use_awaitable);
    const bool timed_out = order[0] == 1 && !late;
    if (!failure) co_return std::move(value);  // finished, perhaps at the last moment: what was done is not forgotten
    if (timed_out) co_return std::nullopt;
    std::rethrow_exception(failure);
}

}  // namespace detail

/// The result of `work`, or nothing when it lasts longer than `limit`: it is then cancelled (its waits end with
/// operation_aborted) and this returns once it has unwound. Exceptions of `work` pass through at once.
template <class T>
asio::awaitable<std::optional<T>> within(Duration limit, asio::awaitable<T> work) {
    return detail::raced<T>(limit, detail::held(std::move(work)));
}

/// The same for work without a result: false when the time was up.
inline asio::awaitable<bool> within(Duration limit, asio::awaitable<void> work) {
    const std::optional<bool> done = co_await detail::raced<bool>(limit, detail::held(std::move(work)));
    co_return done.has_value();
}

/// Waits; ends early with operation_aborted when cancelled.
asio::awaitable<void> pause(Duration time);

/// The tasks of one part of the daemon: what may still be running when it has to end. Thread-safe.
class TaskGroup {
public:
    TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    /// Does not wait: a task may outlive the group (it holds what it needs of it).
    ~TaskGroup();

    /// Starts `task` on `executor` (give each connection its strand). False, and `task` is dropped, after close().
    /// An exception that leaves `task` is logged (without its text, which could hold data) and ends only that task.
    bool spawn(const asio::any_io_executor& executor, asio::awaitable<void> task);

    void close();   ///< no new task
    void cancel();  ///< the waits of all running tasks end with operation_aborted
    std::size_t size() const;

    /// Waits until no task is left, at most `limit`, then cancels the rest and waits at most `grace` for them.
    /// True when every task has ended.
    asio::awaitable<bool> wait(Duration limit, Duration grace = std::chrono::seconds(2));

private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the tasks, which may end after the group
};

}  // namespace sgl::net
