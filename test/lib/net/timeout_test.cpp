#include "lib/net/timeout.hpp"

#include <gtest/gtest.h>

#include <boost/system/system_error.hpp>
#include <stdexcept>
#include <string>

#include "test/lib/net/run.hpp"

namespace sgl::net {
namespace {

using namespace std::chrono_literals;
using test::run;

asio::awaitable<std::string> answer_after(Duration time) {
    co_await pause(time);
    co_return std::string("a result long enough to live on the heap");
}

asio::awaitable<std::string> fail_after(Duration time) {
    co_await pause(time);
    throw std::runtime_error("broken");
}

TEST(Within, GivesTheResultOfWorkThatEndsInTime) {
    asio::io_context io;
    EXPECT_EQ(run(io, within(1s, answer_after(1ms))), "a result long enough to live on the heap");
}

TEST(Within, GivesNothingWhenTheTimeIsUp) {
    asio::io_context io;
    EXPECT_EQ(run(io, within(5ms, answer_after(10s))), std::nullopt);
}

TEST(Within, PassesAnExceptionOnAtOnce) {
    asio::io_context io;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THROW(run(io, within(10s, fail_after(1ms))), std::runtime_error);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(Within, TellsWhetherWorkWithoutResultEnded) {
    asio::io_context io;
    EXPECT_TRUE(run(io, within(1s, pause(1ms))));
    EXPECT_FALSE(run(io, within(1ms, pause(10s))));
}

TEST(Within, CanBeNested) {
    asio::io_context io;
    auto outer = [](Duration out, Duration in) -> asio::awaitable<std::string> {
        auto nested = within(out, within(in, answer_after(10s)));
        const auto done = co_await std::move(nested);
        co_return !done ? std::string("outer") : !*done ? std::string("inner") : std::string("done");
    };
    EXPECT_EQ(run(io, outer(5ms, 10s)), "outer");
    EXPECT_EQ(run(io, outer(10s, 5ms)), "inner");
}

TEST(TaskGroup, WaitsForItsTasks) {
    asio::io_context io;
    TaskGroup group;
    int ended = 0;
    auto task = [&](Duration time) -> asio::awaitable<void> {
        co_await pause(time);
        ++ended;
    };
    EXPECT_TRUE(group.spawn(io.get_executor(), task(1ms)));
    EXPECT_TRUE(group.spawn(io.get_executor(), task(20ms)));
    group.close();
    EXPECT_FALSE(group.spawn(io.get_executor(), task(1ms)));
    EXPECT_TRUE(run(io, group.wait(1s)));
    EXPECT_EQ(ended, 2);
}

TEST(TaskGroup, CancelsWhatLastsTooLong) {
    asio::io_context io;
    TaskGroup group;
    bool aborted = false;
    auto task = [&]() -> asio::awaitable<void> {
        try {
            co_await pause(1h);
        } catch (const boost::system::system_error& end) {
            aborted = end.code() == asio::error::operation_aborted;
        }
    };
    group.spawn(io.get_executor(), task());
    EXPECT_TRUE(run(io, group.wait(5ms, 1s)));
    EXPECT_TRUE(aborted);
    EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, SurvivesAnExceptionOfATask) {
    asio::io_context io;
    TaskGroup group;
    auto task = []() -> asio::awaitable<void> {
        co_await pause(1ms);
        throw std::runtime_error("broken");
    };
    group.spawn(io.get_executor(), task());
    EXPECT_TRUE(run(io, group.wait(1s)));
}

}  // namespace
}  // namespace sgl::net
