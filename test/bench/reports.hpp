// What a report costs from validation to stored letters: orders with all their results are validated through the JSON API,
// the daemon composes, checks and publishes them.
#pragma once

#include <cstddef>

#include "test/bench/instance.hpp"

namespace sgl::bench {

struct ReportFigures {
    std::size_t reports{};
    std::size_t letters{};
    double seconds{};      ///< from the first validation to the last stored letter
    double sgld_ms{};      ///< processor time of sgld per report
    double postgres_ms{};  ///< and of PostgreSQL
};

/// Validates `count` of the orders that have all their results. Throws std::runtime_error when a validation is refused, or a
/// report is not published within two minutes of the last.
ReportFigures validate_reports(const Instance& instance, std::size_t count);

}  // namespace sgl::bench
