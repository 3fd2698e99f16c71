// What becomes of a result when others of the same analysis and run are there already (hl7v2-lab 8.6): a status goes
// forward only, a correction replaces, a rerun stands beside, what is said twice changes nothing. Whatever the order of
// arrival, the same results are current at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/clock.hpp"

namespace sgl::domain {

/// Preliminary (0), final or impossible (1), corrected (2), withdrawn (3).
int rank(std::string_view status);

/// A result of the same analysis and run, as it is stored.
struct Earlier {
    std::string status;                  ///< OBX-11
    std::optional<Instant> measured_at;  ///< none: unknown
    bool same_value{};                   ///< as the one that comes now
    bool replaced{};                     ///< another one stands in its place
};

struct Succession {
    enum class Kind : std::uint8_t {
        first,     ///< there is none, or a rerun: it stands beside them
        repeat,    ///< said before: nothing new
        replaces,  ///< takes the place of `of`
        promotes,  ///< status U: the value of `of` is final now
        behind,    ///< older than what is there: an event, no result
        lost,      ///< status U without anything to promote
    };
    Kind kind{};
    std::size_t of{};  ///< position in `earlier`
};

/// `earlier` in the order of their arrival.
Succession succeed(std::span<const Earlier> earlier, std::string_view status, std::optional<Instant> measured_at);

/// Of several current results of one analysis the one that counts: final ones before preliminary ones, then the one
/// measured last, then the one that came last. `nothing` when there is none.
struct Candidate {
    std::string_view status;
    Instant measured_at;
};
std::optional<std::size_t> newest(std::span<const Candidate> candidates);

}  // namespace sgl::domain
