// The engine in simulated time: fixed seeds, and the proof that a defect would be seen (reliability I4 to I8, 2.4).
#include <gtest/gtest.h>

#include "lib/base/log.hpp"
#include "test/lib/delivery/engine/sim/simulation.hpp"

namespace sgl::delivery::sim {
namespace {

constexpr std::uint64_t fixed_seeds = 60;

class Simulation : public ::testing::Test {
protected:
    static void SetUpTestSuite() { log::open("/dev/null", log::Level::error, true); }
};

TEST_F(Simulation, KeepsItsPromisesThroughEveryFault) {
    std::map<std::string, std::size_t> seen;
    for (std::uint64_t seed = 1; seed <= fixed_seeds; ++seed) {
        const auto run = simulate(seed);
        for (const auto& violation : run.violations)
            ADD_FAILURE() << "seed " << seed << ": " << violation << "\nagain: sgl_simulation --from " << seed
                          << " --seeds 1 --story";
        EXPECT_GE(run.simulated, std::chrono::hours(1));
        for (const auto& [what, times] : run.seen)
            seen[what] += times;
    }
    // A run in which nothing goes wrong proves nothing.
    for (const auto* what : {"kills",
                             "restarts",
                             "stops longer than the lease",
                             "database outages",
                             "publishing interrupted",
                             "answer lost",
                             "duplicates by mail",
                             "found there after a doubt",
                             "overslept",
                             "refused by the fence",
                             "withdrawals",
                             "withdrawals of nothing, cancelled",
                             "letters retried by a person",
                             "letters held by a person",
                             "letters abandoned by a person",
                             "retries of what was overtaken, refused",
                             "partner lying",
                             "partner other_id",
                             "partner slow",
                             "ended accepted",
                             "ended dead",
                             "ended blocked",
                             "ended not_applicable",
                             "ended cancelled"})
        EXPECT_GT(seen[what], 0U) << what;
}

TEST_F(Simulation, GivesTheSameRunForTheSameSeed) {
    const auto once = simulate(7);
    const auto again = simulate(7);
    EXPECT_EQ(once.digest, again.digest);
    EXPECT_NE(once.digest, simulate(8).digest);
}

TEST_F(Simulation, FindsEachPlantedDefect) {
    for (const auto mutant : every_mutant) {
        bool found = false;
        for (std::uint64_t seed = 1; seed <= 200 && !found; ++seed)
            found = !simulate(seed, mutant).violations.empty();
        EXPECT_TRUE(found) << to_string(mutant);
    }
}

}  // namespace
}  // namespace sgl::delivery::sim
