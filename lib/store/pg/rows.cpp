#include "lib/store/pg/rows.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <stdexcept>

#include "lib/base/time.hpp"

namespace sgl::pg {

namespace {

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

template <class T>
std::optional<T> number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::chrono::year_month_day> day(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = number<int>(text.substr(0, 4));
    const auto month = number<unsigned>(text.substr(5, 2));
    const auto of_month = number<unsigned>(text.substr(8, 2));
    if (!year || !month || !of_month) return std::nullopt;
    const std::chrono::year_month_day made{std::chrono::year{*year}, std::chrono::month{*month},
                                           std::chrono::day{*of_month}};
    if (!made.ok()) return std::nullopt;
    return made;
}

/// `{a,"b \"c\"",NULL}`, as array_out writes it; nested arrays give nothing.
std::optional<std::vector<std::optional<std::string>>> elements(std::string_view text) {
    std::vector<std::optional<std::string>> list;
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
    text = text.substr(1, text.size() - 2);
    std::size_t at = 0;
    while (at < text.size()) {
        std::string element;
        const bool quoted = text[at] == '"';
        if (text[at] == '{') return std::nullopt;
        if (quoted) ++at;
        while (at < text.size() && text[at] != (quoted ? '"' : ',')) {
            if (text[at] == '\\' && at + 1 < text.size()) ++at;
            element += text[at++];
        }
        if (quoted) ++at;
        if (at < text.size() && text[at] != ',') return std::nullopt;
        ++at;
        if (!quoted && element == "NULL")
            list.emplace_back();
        else
            list.emplace_back(std::move(element));
    }
    return list;
}

}  // namespace

int Row::index(Column column) const {
    const int index = column.name_ != nullptr ? PQfnumber(result_, column.name_) : column.index_;
    if (index < 0 || index >= PQnfields(result_)) {
        const std::string name = column.name_ != nullptr ? std::string(column.name_) : std::to_string(column.index_);
        throw std::out_of_range("no such column in the result: " + name);
    }
    return index;
}

void Row::misread(int column, const char* as) const {
    const char* name = PQfname(result_, column);
    throw std::runtime_error(std::string("column ") + (name != nullptr ? name : "?") + " is not " + as);
}

std::string_view Row::value(int column) const {
    if (PQgetisnull(result_, row_, column) != 0) misread(column, "set: it is null");
    return {PQgetvalue(result_, row_, column), static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

bool Row::is_null(Column column) const {
    return PQgetisnull(result_, row_, index(column)) != 0;
}

std::string_view Row::text(Column column) const {
    return value(index(column));
}

bool Row::boolean(Column column) const {
    const int at = index(column);
    const auto text = value(at);
    if (text != "t" && text != "f") misread(at, "a boolean");
    return text == "t";
}

std::int64_t Row::int64(Column column) const {
    const int at = index(column);
    const auto read = number<std::int64_t>(value(at));
    if (!read) misread(at, "an integer");
    return *read;
}

std::int32_t Row::int32(Column column) const {
    const int at = index(column);
    const auto read = number<std::int32_t>(value(at));
    if (!read) misread(at, "a 32-bit integer");
    return *read;
}

double Row::real(Column column) const {
    const int at = index(column);
    const auto read = number<double>(value(at));
    if (!read) misread(at, "a number");
    return *read;
}

Uuid Row::uuid(Column column) const {
    const int at = index(column);
    const auto read = Uuid::parse(value(at));
    if (!read) misread(at, "a uuid");
    return *read;
}

Instant Row::instant(Column column) const {
    const int at = index(column);
    const auto read = parse_iso8601(value(at));
    if (!read) misread(at, "a time");
    return *read;
}

std::chrono::year_month_day Row::date(Column column) const {
    const int at = index(column);
    const auto read = day(value(at));
    if (!read) misread(at, "a date");
    return *read;
}

std::string Row::bytes(Column column) const {
    const int at = index(column);
    const auto hex = value(at);
    if (hex.size() < 2 || hex.size() % 2 != 0 || hex[0] != '\\' || hex[1] != 'x') misread(at, "bytea in hex");
    std::string bytes;
    bytes.reserve(hex.size() / 2 - 1);
    for (std::size_t i = 2; i < hex.size(); i += 2) {
        const int high = nibble(hex[i]);
        const int low = nibble(hex[i + 1]);
        if (high < 0 || low < 0) misread(at, "bytea in hex");
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

std::vector<std::optional<std::string>> Row::texts(Column column) const {
    const int at = index(column);
    auto list = elements(value(at));
    if (!list) misread(at, "an array of one dimension");
    return std::move(*list);
}

std::vector<std::int64_t> Row::int64s(Column column) const {
    std::vector<std::int64_t> list;
    for (const auto& element : texts(column)) {
        const auto read = element ? number<std::int64_t>(*element) : std::nullopt;
        if (!read) misread(index(column), "an array of integers");
        list.push_back(*read);
    }
    return list;
}

std::vector<Uuid> Row::uuids(Column column) const {
    std::vector<Uuid> list;
    for (const auto& element : texts(column)) {
        if (!element) misread(index(column), "an array of uuids");
        const auto read = Uuid::parse(*element);
        if (!read) misread(index(column), "an array of uuids");
        list.push_back(*read);
    }
    return list;
}

std::optional<std::string> Row::optional_text(Column column) const {
    if (is_null(column)) return std::nullopt;
    return string(column);
}

std::optional<bool> Row::optional_boolean(Column column) const {
    if (is_null(column)) return std::nullopt;
    return boolean(column);
}

std::optional<std::int64_t> Row::optional_int64(Column column) const {
    if (is_null(column)) return std::nullopt;
    return int64(column);
}

std::optional<std::int32_t> Row::optional_int32(Column column) const {
    if (is_null(column)) return std::nullopt;
    return int32(column);
}

std::optional<double> Row::optional_real(Column column) const {
    if (is_null(column)) return std::nullopt;
    return real(column);
}

std::optional<Uuid> Row::optional_uuid(Column column) const {
    if (is_null(column)) return std::nullopt;
    return uuid(column);
}

std::optional<Instant> Row::optional_instant(Column column) const {
    if (is_null(column)) return std::nullopt;
    return instant(column);
}

std::optional<std::chrono::year_month_day> Row::optional_date(Column column) const {
    if (is_null(column)) return std::nullopt;
    return date(column);
}

std::optional<std::string> Row::optional_bytes(Column column) const {
    if (is_null(column)) return std::nullopt;
    return bytes(column);
}

void Rows::Free::operator()(pg_result* result) const {
    PQclear(result);
}

Rows::Rows(pg_result* result) : result_(result), size_(static_cast<std::size_t>(PQntuples(result))) {}

std::size_t Rows::affected() const {
    if (!result_) return 0;
    return number<std::size_t>(PQcmdTuples(result_.get())).value_or(0);
}

std::string_view Rows::command() const {
    if (!result_) return "";
    return PQcmdStatus(result_.get());
}

Row Rows::operator[](std::size_t row) const& {
    if (row >= size_) throw std::out_of_range("row beyond the end of the result");
    return {result_.get(), static_cast<int>(row)};
}

}  // namespace sgl::pg
