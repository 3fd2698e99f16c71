// Points in time with the precision they came with, and the time zones of French laboratories (design D11). g++ 12 has
// neither chrono::parse nor time zones, so both are here.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"

namespace sgl {

/// How much of a timestamp was given: `20240315` is a day, not midnight.
enum class Precision : std::uint8_t { year, month, day, hour, minute, second, fraction };

/// A local date and time with its precision and, when given, its offset from UTC in minutes (HL7 TS/DTM, CDA TS).
struct Timestamp {
    int year{};
    unsigned month{1};
    unsigned day{1};
    unsigned hour{};
    unsigned minute{};
    unsigned second{};
    unsigned microsecond{};
    Precision precision{Precision::year};
    std::optional<int> offset_minutes;

    /// `YYYY[MM[DD[HH[MM[SS[.S{1,6}]]]]]][+/-ZZZZ]`; impossible dates are malformed.
    static Result<Timestamp> parse(std::string_view text);

    friend bool operator==(const Timestamp&, const Timestamp&) = default;
};

/// The same text form, to the precision held; fractions are cut to the four digits that HL7 writes.
std::string to_hl7(const Timestamp& timestamp);

/// A time zone of a site. France has one rule with summer time (Paris), one American one (Miquelon), the rest is fixed.
class TimeZone {
public:
    /// By IANA name: Europe/Paris, America/Guadeloupe, Indian/Reunion… Unknown names give Fault::unsupported.
    static Result<TimeZone> find(std::string_view iana_name);
    static TimeZone paris();
    static TimeZone utc();

    std::string_view name() const { return name_; }
    int offset_minutes(Instant at) const;

    Timestamp to_local(Instant at, Precision precision = Precision::second) const;
    /// A timestamp without offset is taken in this zone; the doubled hour of October is its first occurrence.
    Instant to_instant(const Timestamp& timestamp) const;

private:
    enum class Rule : std::uint8_t { fixed, european, american };
    TimeZone(std::string_view name, int minutes, Rule rule) : name_(name), standard_minutes_(minutes), rule_(rule) {}

    std::string_view name_;
    int standard_minutes_;
    Rule rule_;
};

std::string to_iso8601(Instant at);                           ///< 2026-11-21T22:08:51.123456Z
std::string to_hl7_utc(Instant at);                           ///< 20261121220851, for XDS metadata
Result<Instant> parse_iso8601(std::string_view text);         ///< what to_iso8601 writes, also PostgreSQL's `+00` forms
std::string to_french_date(const Timestamp& timestamp);       ///< 15/03/2024, 03/2024, 2024
std::string to_french_date_time(const Timestamp& timestamp);  ///< 15/03/2024 à 08:15

}  // namespace sgl
