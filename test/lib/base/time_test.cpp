#include "lib/base/time.hpp"

#include <gtest/gtest.h>

namespace sgl {
namespace {

Timestamp t(std::string_view text) { return Timestamp::parse(text).value(); }

TEST(Timestamp, KeepsThePrecisionItCameWith) {
    for (const char* text : {"1979", "197903", "19790328", "1979032808", "197903280815", "19790328081530", "19790328081530+0100", "197903280815-0330"})
        EXPECT_EQ(to_hl7(t(text)), text);
    EXPECT_EQ(t("20240315").precision, Precision::day);
    EXPECT_NE(t("20240315"), t("20240315000000"));
}

TEST(Timestamp, RefusesImpossibleDates) {
    for (const char* bad : {"", "24", "20240230", "20230229", "20241301", "20240015", "2024031524", "202403151060", "20240315101060", "2024031",
                            "20240315+01", "2024-03-15", "20240315101010.1234567", "00000101"})
        EXPECT_FALSE(Timestamp::parse(bad)) << bad;
    EXPECT_TRUE(Timestamp::parse("20240229"));
}

TEST(TimeZone, ChangesHourInParisOnTheLastSundaysOfMarchAndOctober) {
    const auto paris = TimeZone::paris();
    EXPECT_EQ(paris.offset_minutes(parse_iso8601("2026-03-29T00:59:59Z").value()), 60);
    EXPECT_EQ(paris.offset_minutes(parse_iso8601("2026-03-29T01:00:00Z").value()), 120);
    EXPECT_EQ(paris.offset_minutes(parse_iso8601("2026-10-25T00:59:59Z").value()), 120);
    EXPECT_EQ(paris.offset_minutes(parse_iso8601("2026-10-25T01:00:00Z").value()), 60);
}

TEST(TimeZone, TakesTheFirstOfADoubledHour) {
    EXPECT_EQ(to_iso8601(TimeZone::paris().to_instant(t("20261025023000"))), "2026-10-25T00:30:00.000000Z");
    EXPECT_EQ(to_iso8601(TimeZone::paris().to_instant(t("20261025023000+0100"))), "2026-10-25T01:30:00.000000Z");
}

TEST(TimeZone, KnowsTheFrenchTerritories) {
    const auto noon = parse_iso8601("2026-07-01T12:00:00Z").value();
    EXPECT_EQ(TimeZone::find("America/Guadeloupe")->offset_minutes(noon), -240);
    EXPECT_EQ(TimeZone::find("Indian/Reunion")->offset_minutes(noon), 240);
    EXPECT_EQ(TimeZone::find("America/Miquelon")->offset_minutes(noon), -120);
    EXPECT_EQ(TimeZone::find("Europe/Berlin").error().fault, Fault::unsupported);
}

TEST(TimeZone, GoesToLocalTimeAndBack) {
    const auto paris = TimeZone::paris();
    for (const char* text : {"2026-01-01T00:00:00.000000Z", "2026-06-30T22:30:00.000000Z", "2024-02-29T23:15:59.123456Z", "2025-12-31T23:00:00.000000Z"}) {
        const auto at = parse_iso8601(text).value();
        EXPECT_EQ(paris.to_instant(paris.to_local(at, Precision::fraction)), at) << text;
    }
    EXPECT_EQ(to_hl7(paris.to_local(parse_iso8601("2025-12-31T23:00:00Z").value())), "20260101000000+0100");
}

TEST(FrenchDates, AreWrittenToTheirPrecision) {
    EXPECT_EQ(to_french_date(t("20240315")), "15/03/2024");
    EXPECT_EQ(to_french_date(t("202403")), "03/2024");
    EXPECT_EQ(to_french_date(t("2024")), "2024");
    EXPECT_EQ(to_french_date_time(t("202403150815")), "15/03/2024 à 08:15");
}

TEST(Iso8601, ReadsWhatItWritesAndWhatPostgresqlWrites) {
    EXPECT_EQ(to_iso8601(parse_iso8601("2026-11-21 22:08:51.5+00").value()), "2026-11-21T22:08:51.500000Z");
    EXPECT_EQ(to_iso8601(parse_iso8601("2026-11-21T23:08:51+01:00").value()), "2026-11-21T22:08:51.000000Z");
    EXPECT_FALSE(parse_iso8601("2026-11-21"));
    EXPECT_EQ(to_hl7_utc(parse_iso8601("2026-11-21T22:08:51.9Z").value()), "20261121220851");
}

}  // namespace
}  // namespace sgl
