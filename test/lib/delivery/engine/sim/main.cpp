// Seeds of the simulator: sgl_simulation [--seeds N] [--from SEED] [--mutant NAME] [--story]
// One seed again, with everything that happened: sgl_simulation --from SEED --seeds 1 --story
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string>

#include "lib/base/log.hpp"
#include "test/lib/delivery/engine/sim/simulation.hpp"

int main(int count, char** values) {
    using namespace sgl::delivery::sim;
    std::uint64_t seeds = 100;
    std::uint64_t from = 1;
    Mutant mutant = Mutant::none;
    bool tells = false;
    const std::span<char*> all(values, static_cast<std::size_t>(count));
    for (std::size_t i = 1; i < all.size(); ++i) {
        const std::string word = all[i];
        if (word == "--story") {
            tells = true;
            continue;
        }
        if (i + 1 == all.size()) return 2;
        const std::string value = all[++i];
        if (word == "--seeds") {
            seeds = std::stoull(value);
        } else if (word == "--from") {
            from = std::stoull(value);
        } else if (word == "--mutant") {
            for (const auto one : every_mutant) {
                if (to_string(one) == value) mutant = one;
            }
        } else {
            return 2;
        }
    }
    sgl::log::open("/dev/null", sgl::log::Level::error, true);
    const auto start = std::chrono::steady_clock::now();
    std::map<std::string, std::size_t> seen;
    std::size_t failed = 0;
    std::chrono::microseconds simulated{};
    for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
        std::vector<std::string> story;
        const auto run = simulate(seed, mutant, tells ? &story : nullptr);
        for (const auto& line : story)
            std::cout << line << '\n';
        simulated += run.simulated;
        for (const auto& [what, times] : run.seen)
            seen[what] += times;
        if (run.violations.empty()) continue;
        ++failed;
        std::cout << fmt::format("seed {} fails:\n", seed);
        for (const auto& violation : run.violations)
            std::cout << "  " << violation << '\n';
        std::cout << fmt::format("  again: {} --from {} --seeds 1 --story\n", all[0], seed);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    for (const auto& [what, times] : seen)
        std::cout << fmt::format("{:>10}  {}\n", times, what);
    std::cout << fmt::format("{} seeds, {} failed, {:.1f} simulated hours, {:.1f} s\n", seeds, failed,
                             std::chrono::duration<double, std::ratio<3600>>(simulated).count(), took.count());
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
