// One seeded run: several daemons with the real engine over one store in memory, partners that fail, processes that are
// killed or stopped anywhere, people who act, new versions and withdrawals; then the faults end and everything must
// come to its end (reliability I4 to I8).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "test/lib/delivery/engine/sim/letters.hpp"

namespace sgl::delivery::sim {

struct Run {
    std::uint64_t seed{};
    std::uint64_t digest{};  ///< of everything that happened, in its order
    Duration simulated{};
    std::vector<std::string> violations;  ///< empty: all is well
    std::map<std::string, std::size_t> seen;
};

/// `story`, when given, gets a line for each thing that happened.
Run simulate(std::uint64_t seed, Mutant mutant = Mutant::none, std::vector<std::string>* story = nullptr);

}  // namespace sgl::delivery::sim
