#include "lib/base/time.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace sgl {

namespace {

using namespace std::chrono;

struct Zone {
    std::string_view name;
    int minutes;
    char rule;  // f fixed, e european, a american
};

// IANA tz database: zones of French territory.
constexpr std::array zones{
    Zone{"Europe/Paris", 60, 'e'},
    Zone{"UTC", 0, 'f'},
    Zone{"America/Guadeloupe", -240, 'f'},
    Zone{"America/Martinique", -240, 'f'},
    Zone{"America/St_Barthelemy", -240, 'f'},
    Zone{"America/Marigot", -240, 'f'},
    Zone{"America/Cayenne", -180, 'f'},
    Zone{"America/Miquelon", -180, 'a'},
    Zone{"Indian/Reunion", 240, 'f'},
    Zone{"Indian/Mayotte", 180, 'f'},
    Zone{"Pacific/Noumea", 660, 'f'},
    Zone{"Pacific/Tahiti", -600, 'f'},
    Zone{"Pacific/Wallis", 720, 'f'},
};

sys_days last_sunday(year y, month m) {
    return sys_days{y / m / Sunday[last]};
}
sys_days nth_sunday(year y, month m, unsigned n) {
    return sys_days{y / m / Sunday[n]};
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return std::nullopt;
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

Error bad_timestamp() {
    return {Fault::malformed, "", "not a timestamp of the form YYYY[MM[DD[HH[MM[SS[.S]]]]]][+/-ZZZZ]"};
}

local_time<Duration> local_of(const Timestamp& t) {
    return local_days{year{t.year} / month{t.month} / day{t.day}} + hours{t.hour} + minutes{t.minute} +
           seconds{t.second} + microseconds{t.microsecond};
}

}  // namespace

Result<Timestamp> Timestamp::parse(std::string_view text) {
    Timestamp t;
    const auto sign = text.find_first_of("+-");
    const auto main = text.substr(0, sign);
    if (sign != std::string_view::npos) {
        const auto zone = text.substr(sign + 1);
        const auto h = digits(zone, 0, 2);
        const auto m = digits(zone, 2, 2);
        if (zone.size() != 4 || !h || !m || *h > 14 || *m > 59) return bad_timestamp();
        t.offset_minutes = (*h * 60 + *m) * (text[sign] == '-' ? -1 : 1);
    }
    const auto dot = main.find('.');
    const auto whole = main.substr(0, dot);
    constexpr std::array<std::size_t, 6> lengths{4, 6, 8, 10, 12, 14};
    std::size_t parts = 0;
    while (parts < lengths.size() && lengths[parts] != whole.size())
        ++parts;
    if (parts == lengths.size()) return bad_timestamp();
    std::array<int, 6> values{0, 1, 1, 0, 0, 0};
    for (std::size_t i = 0; i <= parts; ++i) {
        const auto value = digits(whole, i == 0 ? 0 : lengths[i - 1], i == 0 ? 4 : 2);
        if (!value) return bad_timestamp();
        values[i] = *value;
    }
    t.precision = static_cast<Precision>(parts);
    if (dot != std::string_view::npos) {
        const auto fraction = main.substr(dot + 1);
        if (parts != 5 || fraction.empty() || fraction.size() > 6 || !digits(fraction, 0, fraction.size()))
            return bad_timestamp();
        int value = *digits(fraction, 0, fraction.size());
        for (auto i = fraction.size(); i < 6; ++i)
            value *= 10;
        t.microsecond = static_cast<unsigned>(value);
        t.precision = Precision::fraction;
    }
    t.year = values[0];
    t.month = static_cast<unsigned>(values[1]);
    t.day = static_cast<unsigned>(values[2]);
    t.hour = static_cast<unsigned>(values[3]);
    t.minute = static_cast<unsigned>(values[4]);
    t.second = static_cast<unsigned>(values[5]);
    const auto date = std::chrono::year{t.year} / std::chrono::month{t.month} / std::chrono::day{t.day};
    if (t.year == 0 || !date.ok() || t.hour > 23 || t.minute > 59 || t.second > 59) return bad_timestamp();
    return t;
}

namespace {

/// `value` in `width` digits; by hand, as each result that arrives has such a time.
void put(std::string& to, unsigned value, std::size_t width) {
    const auto end = to.size() + width;
    to.resize(end, '0');
    for (auto at = end; value > 0 && at > end - width; value /= 10)
        to[--at] = static_cast<char>('0' + (value % 10));
}

}  // namespace

std::string to_hl7(const Timestamp& t) {
    std::string text;
    text.reserve(24);
    put(text, static_cast<unsigned>(t.year), 4);
    if (t.precision >= Precision::month) put(text, t.month, 2);
    if (t.precision >= Precision::day) put(text, t.day, 2);
    if (t.precision >= Precision::hour) put(text, t.hour, 2);
    if (t.precision >= Precision::minute) put(text, t.minute, 2);
    if (t.precision >= Precision::second) put(text, t.second, 2);
    if (t.precision == Precision::fraction) {
        text += '.';
        put(text, t.microsecond / 100, 4);
    }
    if (t.offset_minutes) {
        const auto minutes = static_cast<unsigned>(*t.offset_minutes < 0 ? -*t.offset_minutes : *t.offset_minutes);
        text += *t.offset_minutes < 0 ? '-' : '+';
        put(text, minutes / 60, 2);
        put(text, minutes % 60, 2);
    }
    return text;
}

Result<TimeZone> TimeZone::find(std::string_view iana_name) {
    for (const auto& zone : zones) {
        if (zone.name == iana_name) {
            const auto rule = zone.rule == 'e' ? Rule::european : zone.rule == 'a' ? Rule::american : Rule::fixed;
            return TimeZone{zone.name, zone.minutes, rule};
        }
    }
    return Error{Fault::unsupported, "",
                 "unknown time zone (expected Europe/Paris or one of the French overseas zones)"};
}

TimeZone TimeZone::paris() {
    return find("Europe/Paris").value();
}
TimeZone TimeZone::utc() {
    return find("UTC").value();
}

int TimeZone::offset_minutes(Instant at) const {
    if (rule_ == Rule::fixed) return standard_minutes_;
    const year_month_day local_date{floor<days>(at + minutes{standard_minutes_})};
    const auto y = local_date.year();
    Instant begin;
    Instant end;
    if (rule_ == Rule::european) {  // last Sundays of March and October, 01:00 UTC
        begin = last_sunday(y, March) + hours{1};
        end = last_sunday(y, October) + hours{1};
    } else {  // second Sunday of March and first of November, 02:00 local
        begin = nth_sunday(y, March, 2) + hours{2} - minutes{standard_minutes_};
        end = nth_sunday(y, November, 1) + hours{1} - minutes{standard_minutes_};
    }
    return standard_minutes_ + (at >= begin && at < end ? 60 : 0);
}

Timestamp TimeZone::to_local(Instant at, Precision precision) const {
    const int offset = offset_minutes(at);
    const auto local = at + minutes{offset};
    const auto date = floor<days>(local);
    const year_month_day ymd{date};
    const hh_mm_ss time{local - date};
    Timestamp t;
    t.year = static_cast<int>(ymd.year());
    t.precision = precision;
    if (precision >= Precision::month) t.month = static_cast<unsigned>(ymd.month());
    if (precision >= Precision::day) t.day = static_cast<unsigned>(ymd.day());
    if (precision >= Precision::hour) t.hour = static_cast<unsigned>(time.hours().count());
    if (precision >= Precision::minute) t.minute = static_cast<unsigned>(time.minutes().count());
    if (precision >= Precision::second) t.second = static_cast<unsigned>(time.seconds().count());
    if (precision == Precision::fraction) t.microsecond = static_cast<unsigned>(time.subseconds().count());
    if (precision >= Precision::hour) t.offset_minutes = offset;
    return t;
}

Instant TimeZone::to_instant(const Timestamp& timestamp) const {
    const Instant as_utc{local_of(timestamp).time_since_epoch()};
    if (timestamp.offset_minutes) return as_utc - minutes{*timestamp.offset_minutes};
    // Summer time first: in the doubled hour it gives the first occurrence.
    const Instant summer = as_utc - minutes{standard_minutes_ + 60};
    if (rule_ != Rule::fixed && offset_minutes(summer) == standard_minutes_ + 60) return summer;
    return as_utc - minutes{standard_minutes_};
}

std::string to_iso8601(Instant at) {
    const auto t = TimeZone::utc().to_local(at, Precision::fraction);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", t.year, t.month, t.day, t.hour, t.minute, t.second,
                       t.microsecond);
}

std::string to_hl7_utc(Instant at) {
    auto t = TimeZone::utc().to_local(at, Precision::second);
    t.offset_minutes.reset();
    return to_hl7(t);
}

Result<Instant> parse_iso8601(std::string_view text) {
    const auto bad = [] { return Error{Fault::malformed, "", "not an ISO 8601 time"}; };
    if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return bad();
    std::string compact;
    for (const std::size_t at : {0U, 5U, 8U, 11U, 14U, 17U})
        compact += text.substr(at, at == 0 ? 4 : 2);
    auto rest = text.substr(19);
    if (!rest.empty() && rest.front() == '.') {
        std::size_t end = 1;
        while (end < rest.size() && rest[end] >= '0' && rest[end] <= '9')
            ++end;
        compact += rest.substr(0, std::min<std::size_t>(end, 7));
        rest = rest.substr(end);
    }
    if (rest == "Z" || rest.empty() || rest == "+00") {
        compact += "+0000";
    } else if (rest.size() == 3) {
        compact += std::string(rest) + "00";
    } else if (rest.size() == 6 && rest[3] == ':') {
        compact += std::string(rest.substr(0, 3)) + std::string(rest.substr(4));
    } else {
        return bad();
    }
    const auto t = Timestamp::parse(compact);
    if (!t) return bad();
    return TimeZone::utc().to_instant(*t);
}

std::string to_french_date(const Timestamp& t) {
    switch (t.precision) {
        case Precision::year:
            return fmt::format("{:04}", t.year);
        case Precision::month:
            return fmt::format("{:02}/{:04}", t.month, t.year);
        case Precision::day:
        case Precision::hour:
        case Precision::minute:
        case Precision::second:
        case Precision::fraction:
            break;
    }
    return fmt::format("{:02}/{:02}/{:04}", t.day, t.month, t.year);
}

std::string to_french_date_time(const Timestamp& t) {
    if (t.precision < Precision::minute) return to_french_date(t);
    return fmt::format("{} à {:02}:{:02}", to_french_date(t), t.hour, t.minute);
}

}  // namespace sgl
