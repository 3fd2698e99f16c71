#include "lib/domain/succession.hpp"

#include <tuple>

namespace sgl::domain {

int rank(std::string_view status) {
    if (status == "P" || status == "R" || status == "S" || status == "I") return 0;
    if (status == "C" || status == "A" || status == "B" || status == "V") return 2;
    if (status == "D" || status == "W") return 3;
    return 1;
}

namespace {

/// Of one measurement, as far as anybody can tell.
bool same_time(const std::optional<Instant>& a, const std::optional<Instant>& b) {
    return !a || !b || *a == *b;
}

/// Surely measured before the other.
bool before(const std::optional<Instant>& a, const std::optional<Instant>& b) {
    return a && b && *a < *b;
}

/// The last one among those that count and fit.
template <class Fits>
std::optional<std::size_t> last(std::span<const Earlier> earlier, const Fits& fits) {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < earlier.size(); ++i) {
        if (earlier[i].replaced || rank(earlier[i].status) == 3 || !fits(earlier[i])) continue;
        if (!found || !before(earlier[i].measured_at, earlier[*found].measured_at)) found = i;
    }
    return found;
}

}  // namespace

Succession succeed(std::span<const Earlier> earlier, std::string_view status, std::optional<Instant> measured_at) {
    using Kind = Succession::Kind;
    const int now = rank(status);
    const auto preliminary = last(earlier, [](const Earlier& e) { return rank(e.status) == 0; });
    if (status == "U") {
        if (preliminary) return {Kind::promotes, *preliminary};
        return {earlier.empty() ? Kind::lost : Kind::repeat, 0};
    }
    for (const auto& e : earlier) {
        const bool verified = status == "V" && !e.replaced && rank(e.status) > 0;  // no change, says the sender
        if (e.same_value && (verified || (same_time(e.measured_at, measured_at) && now <= rank(e.status))))
            return {Kind::repeat, 0};
    }
    // A preliminary result never comes after a final one of its run; others may, when they were measured later.
    for (const auto& e : earlier) {
        if (rank(e.status) <= now) continue;
        if (rank(e.status) == 3) {  // takes back what was measured then, nothing else
            // Times that nobody said prove nothing: another value is then another measurement, and never lost.
            const bool told = e.measured_at && measured_at;
            if (same_time(e.measured_at, measured_at) && (told || e.same_value)) return {Kind::behind, 0};
            continue;
        }
        if (now == 0 ? status != "R" || !before(e.measured_at, measured_at) : !before(e.measured_at, measured_at))
            return {Kind::behind, 0};
    }
    if (now >= 2) {
        const auto current = last(earlier, [](const Earlier&) { return true; });
        return current ? Succession{Kind::replaces, *current} : Succession{};
    }
    const bool run = status == "R";  // every run of an analyser that verifies none
    if (preliminary &&
        !(run && earlier[*preliminary].status == "R" && !same_time(earlier[*preliminary].measured_at, measured_at))) {
        if (now == 0 && before(measured_at, earlier[*preliminary].measured_at)) return {Kind::behind, 0};
        return {Kind::replaces, *preliminary};
    }
    const auto same =
        last(earlier, [&](const Earlier& e) { return rank(e.status) == now && same_time(e.measured_at, measured_at); });
    return same ? Succession{Kind::replaces, *same} : Succession{};
}

std::optional<std::size_t> newest(std::span<const Candidate> candidates) {
    std::optional<std::size_t> found;
    const auto weight = [&](std::size_t i) {
        const auto& c = candidates[i];
        return std::tuple(rank(c.status) > 0, c.measured_at, rank(c.status), i);
    };
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (!found || weight(i) > weight(*found)) found = i;
    }
    return found;
}

}  // namespace sgl::domain
