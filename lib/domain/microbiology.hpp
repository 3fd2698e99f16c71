// The words of an antibiogram (lab-domain 7.5). The isolates of a culture are ReportedIsolate (report.hpp), put together
// from their lines by chapters_of (report_lines.hpp).
#pragma once

#include <string_view>

#include "lib/domain/result_detail.hpp"

namespace sgl::domain {

/// `Sensible`, `Sensible à forte posologie` (the I of CA-SFM since 2019), `Résistant`…
std::string_view to_french(Susceptible answer);

}  // namespace sgl::domain
