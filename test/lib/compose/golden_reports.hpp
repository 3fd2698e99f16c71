// The reports of test/golden/reports: each a case of the laboratory that a person can read there, made from the sample
// report. Invented people with official test identities.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "lib/domain/report.hpp"

namespace sgl::test {

struct GoldenReport {
    std::string name;   ///< of its file
    std::string about;  ///< what it shows, in a sentence
    domain::Report report;
};
/// For messages of tests.
inline std::ostream& operator<<(std::ostream& out, const GoldenReport& golden) {
    return out << golden.name;
}

std::vector<GoldenReport> golden_reports();

/// Three germs, each with that many antibiotics.
domain::Report long_culture(unsigned antibiotics);

}  // namespace sgl::test
