#include "lib/compose/local_time.hpp"

namespace sgl::compose {

Timestamp local(const Timestamp& timestamp, const TimeZone& zone) {
    if (timestamp.precision < Precision::hour) {
        Timestamp date = timestamp;
        date.offset_minutes.reset();
        return date;
    }
    const Instant at = zone.to_instant(timestamp);
    Timestamp there = zone.to_local(at, timestamp.precision);
    there.offset_minutes = zone.offset_minutes(at);
    return there;
}

}  // namespace sgl::compose
