#include "lib/flow/budget.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

namespace sgl::flow {
namespace {

class IntakeBudget : public ::testing::Test {
protected:
    /// Asks for room; true when it was given at once.
    bool asks(Budget::Share& share, int& given) {
        asio::co_spawn(io, share.room(), [&](std::exception_ptr) { ++given; });
        settle();
        return given > 0;
    }
    void settle() {
        io.restart();
        io.poll();
    }
    asio::io_context io;
    Budget budget{io.get_executor(), 1000, 2};
};

TEST_F(IntakeBudget, LetsEverybodyReadWhileThereIsRoom) {
    Budget::Share one(budget), two(budget);
    int given = 0;
    one.hold(999);
    EXPECT_TRUE(asks(one, given));
    EXPECT_TRUE(asks(two, given));
}

TEST_F(IntakeBudget, MakesANewcomerWaitUntilSomethingIsStored) {
    Budget::Share full(budget), newcomer(budget);
    full.hold(1000);
    int given = 0;
    EXPECT_FALSE(asks(newcomer, given));
    EXPECT_EQ(budget.figures().waiting, 1U);
    full.hold(10);
    settle();
    EXPECT_EQ(given, 1);
    EXPECT_EQ(budget.figures().waiting, 0U);
}

TEST_F(IntakeBudget, LetsOneBlockGoOnBeyondTheLimitSoThatBlocksWithoutEndsNeverBlockAll) {
    Budget::Share one(budget), two(budget), three(budget);
    one.hold(500);
    two.hold(500);
    int first = 0, second = 0, third = 0;
    EXPECT_TRUE(asks(one, first)) << "one may finish its block";
    EXPECT_FALSE(asks(two, second));
    EXPECT_FALSE(asks(three, third)) << "and nobody begins another";
    one.hold(600);
    EXPECT_TRUE(asks(one, first));
    one.hold(0);
    settle();
    EXPECT_EQ(second, 1);
}

TEST_F(IntakeBudget, ForgetsAConnectionThatEnds) {
    auto gone = std::make_unique<Budget::Share>(budget);
    Budget::Share other(budget);
    gone->hold(5000);
    gone->work(true);
    int given = 0;
    EXPECT_FALSE(asks(other, given));
    gone.reset();
    settle();
    EXPECT_EQ(given, 1);
    EXPECT_EQ(budget.figures().bytes, 0U);
    EXPECT_EQ(budget.figures().messages, 0U);
}

TEST_F(IntakeBudget, CountsMessagesToo) {
    Budget::Share one(budget), two(budget), three(budget);
    one.work(true);
    two.work(true);
    int given = 0;
    EXPECT_FALSE(asks(three, given));
    one.work(false);
    settle();
    EXPECT_EQ(given, 1);
}

}  // namespace
}  // namespace sgl::flow
