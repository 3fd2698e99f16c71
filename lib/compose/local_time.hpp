// Times as the reader of a report lives them: in the time zone of the site (design D11).
#pragma once

#include "lib/base/time.hpp"

namespace sgl::compose {

/// The same moment in that zone, with its offset; a timestamp without offset is already local. What is only a date (or less)
/// stays as it came, without offset.
Timestamp local(const Timestamp& timestamp, const TimeZone& zone);

}  // namespace sgl::compose
