// A timestamp that is read is written back the same, and stands at one point of every time zone.
#include "lib/base/time.hpp"

#include <string>

#include "hl7/range.hpp"
#include "hl7/values.hpp"
#include "test/fuzz/target.hpp"

void sgl::fuzz::one(std::string_view input) {
    if (const auto parsed = Timestamp::parse(input)) {
        const auto again = Timestamp::parse(to_hl7(*parsed));
        Timestamp written = *parsed;
        written.microsecond -= written.microsecond % 100;  // HL7 writes four digits of a second
        demand(again.has_value() && *again == written, "what is written is read back equal");
        for (const auto& zone : {TimeZone::paris(), TimeZone::utc()}) {
            const Instant instant = zone.to_instant(*parsed);
            if (parsed->precision >= Precision::second && parsed->offset_minutes) {
                demand(zone.to_instant(zone.to_local(instant, Precision::fraction)) == instant, "a local time with its offset is one instant");
            }
        }
        (void)to_french_date_time(*parsed);
    }
    (void)hl7::read_timestamp(input);
    (void)hl7::read_number(input);
    (void)hl7::read_range(input);
    (void)parse_iso8601(input);
}

SGL_FUZZ_TARGET
