// What a version of a report changes against the one that it replaces, as its reader has to know it first (lab-domain
// 3.4: the whole report again, and what changed is said).
#pragma once

#include <string>
#include <vector>

#include "lib/domain/report.hpp"

namespace sgl::domain {

struct Amendment {
    unsigned version{};                  ///< that is replaced
    Timestamp validated_at;              ///< when that one was validated
    std::string reason;                  ///< as the biologist wrote it
    std::vector<ReportedResult> before;  ///< its results
    std::vector<ReportedResult> after;   ///< those of the new one
};

/// French, one sentence a line: what is replaced, why, then each result that is corrected, added or taken out.
std::string french(const Amendment& amendment);

}  // namespace sgl::domain
