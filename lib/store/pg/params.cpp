#include "lib/store/pg/params.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>

#include "lib/base/time.hpp"

namespace sgl::pg {

namespace {

constexpr std::chrono::sys_days pg_epoch{std::chrono::year{2000} / 1 / 1};
constexpr std::size_t header_size = 20;     // dimensions, has-null flag, element type, size, lower bound
constexpr std::size_t largest = 1U << 29U;  // well under PostgreSQL's 1 GB field

void put_be32(std::string& to, std::uint32_t value) {
    const std::array<char, 4> bytes{static_cast<char>(value >> 24U), static_cast<char>(value >> 16U),
                                    static_cast<char>(value >> 8U), static_cast<char>(value)};
    to.append(bytes.data(), bytes.size());
}

void put_be32_at(std::string& to, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i)
        to[at + i] = static_cast<char>(value >> (24U - 8U * i));
}

// pg_type.typarray of each element type
std::uint32_t array_oid(TypeOid element) {
    switch (element) {
        case TypeOid::boolean:
            return 1000;
        case TypeOid::bytea:
            return 1001;
        case TypeOid::int8:
            return 1016;
        case TypeOid::int4:
            return 1007;
        case TypeOid::text:
            return 1009;
        case TypeOid::float8:
            return 1022;
        case TypeOid::date:
            return 1182;
        case TypeOid::timestamptz:
            return 1185;
        case TypeOid::uuid:
            return 2951;
        case TypeOid::jsonb:
            return 3807;
        case TypeOid::unknown:
            break;
    }
    return 0;
}

std::string_view raw(const Uuid& uuid) {
    return {reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()};
}

}  // namespace

namespace detail {

std::int64_t to_pg(Instant at) {
    return (at - Instant{pg_epoch}).count();
}

std::int32_t to_pg(std::chrono::year_month_day day) {
    return static_cast<std::int32_t>((std::chrono::sys_days{day} - pg_epoch).count());
}

void Element<Uuid>::add(ArrayBuffer& to, const Uuid& value) {
    to.add_raw(raw(value));
}

}  // namespace detail

ArrayBuffer::ArrayBuffer(TypeOid element) : buffer_(header_size, '\0'), element_(element) {}

std::string_view ArrayBuffer::bytes() const {
    put_be32_at(buffer_, 0, count_ == 0 ? 0 : 1);
    put_be32_at(buffer_, 4, has_null_ ? 1 : 0);
    put_be32_at(buffer_, 8, static_cast<std::uint32_t>(element_));
    if (count_ == 0) return std::string_view(buffer_).substr(0, 12);  // an empty array has no dimension
    put_be32_at(buffer_, 12, count_);
    put_be32_at(buffer_, 16, 1);
    return buffer_;
}

void ArrayBuffer::add_null() {
    put_be32(buffer_, 0xFFFFFFFFU);
    has_null_ = true;
    ++count_;
}

void ArrayBuffer::add_raw(std::string_view bytes) {
    if (bytes.size() > largest || buffer_.size() > largest) throw std::length_error("array parameter over 512 MB");
    put_be32(buffer_, static_cast<std::uint32_t>(bytes.size()));
    buffer_.append(bytes);
    ++count_;
}

void ArrayBuffer::add_int4(std::int32_t value) {
    put_be32(buffer_, 4);
    put_be32(buffer_, static_cast<std::uint32_t>(value));
    ++count_;
}

void ArrayBuffer::add_int8(std::int64_t value) {
    put_be32(buffer_, 8);
    put_be32(buffer_, static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> 32U));
    put_be32(buffer_, static_cast<std::uint32_t>(static_cast<std::uint64_t>(value)));
    ++count_;
}

void ArrayBuffer::add_json(std::string_view json) {
    if (json.size() > largest || buffer_.size() > largest) throw std::length_error("array parameter over 512 MB");
    put_be32(buffer_, static_cast<std::uint32_t>(json.size() + 1));
    buffer_ += '\1';  // version of jsonb's binary form
    buffer_.append(json);
    ++count_;
}

std::size_t RowArray::begin(std::size_t columns) {
    const auto at = cells_.buffer_.size();
    if (at > largest) throw std::length_error("array parameter over 512 MB");
    put_be32(cells_.buffer_, 0);  // length, known at the end
    put_be32(cells_.buffer_, static_cast<std::uint32_t>(columns));
    return at;
}

void RowArray::end(std::size_t row) {
    put_be32_at(cells_.buffer_, row, static_cast<std::uint32_t>(cells_.buffer_.size() - row - 4));
    cells_.count_ = ++rows_;  // a cell is no element of the array
    cells_.has_null_ = false;
}

void RowArray::put_type(TypeOid type) {
    put_be32(cells_.buffer_, static_cast<std::uint32_t>(type));
}

void Params::put(std::uint32_t type, bool binary, std::string_view bytes) {
    if (bytes.size() > largest) throw std::length_error("parameter over 512 MB");
    slots_.push_back({buffer_.size(), static_cast<int>(bytes.size()), type, binary, {}});
    buffer_.append(bytes);
    buffer_ += '\0';
}

void Params::add(std::nullptr_t) {
    slots_.push_back({0, -1, 0, false, {}});
}

void Params::add(bool value) {
    put(static_cast<std::uint32_t>(TypeOid::boolean), false, value ? "t" : "f");
}

void Params::add_integer(std::int64_t value) {
    std::array<char, 24> text{};
    auto* const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    put(0, false, {text.data(), static_cast<std::size_t>(end - text.data())});
}

void Params::add(double value) {
    std::array<char, 40> text{};
    auto* const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    put(static_cast<std::uint32_t>(TypeOid::float8), false, {text.data(), static_cast<std::size_t>(end - text.data())});
}

void Params::add(std::string_view value) {
    if (value.find('\0') != std::string_view::npos) throw std::invalid_argument("text parameter with a NUL character");
    put(0, false, value);
}

void Params::add(Bytes value) {
    put(static_cast<std::uint32_t>(TypeOid::bytea), true, value.value);
}

void Params::add(Json value) {
    if (value.value.find('\0') != std::string_view::npos)
        throw std::invalid_argument("json parameter with a NUL character");
    put(static_cast<std::uint32_t>(TypeOid::jsonb), false, value.value);
}

void Params::add(const Uuid& value) {
    put(static_cast<std::uint32_t>(TypeOid::uuid), false, to_string(value));
}

void Params::add(Instant value) {
    put(static_cast<std::uint32_t>(TypeOid::timestamptz), false, to_iso8601(value));
}

void Params::add(std::chrono::year_month_day value) {
    const Instant midnight{std::chrono::sys_days{value}};
    put(static_cast<std::uint32_t>(TypeOid::date), false, to_iso8601(midnight).substr(0, 10));
}

void Params::add(const ArrayBuffer& column) {
    put(array_oid(column.element()), true, column.bytes());
}

void Params::add(const RowArray& rows) {
    put(0, true, rows.bytes());
    slots_.back().row_type = rows.type();
}

std::vector<std::string_view> Params::row_types() const {
    std::vector<std::string_view> names;
    for (const auto& slot : slots_) {
        if (!slot.row_type.empty()) names.push_back(slot.row_type);
    }
    return names;
}

void Params::set_row_type(std::string_view name, std::uint32_t oid) {
    for (const auto& slot : slots_) {
        if (slot.row_type == name) put_be32_at(buffer_, slot.offset + 8, oid);  // element type of the array
    }
}

void Params::add(std::span<const std::int32_t> values) {
    Int4Column column;
    for (const auto value : values)
        column.add(value);
    add(column);
}

void Params::add(std::span<const std::int64_t> values) {
    Int8Column column;
    for (const auto value : values)
        column.add(value);
    add(column);
}

void Params::add(std::span<const Uuid> values) {
    UuidColumn column;
    for (const auto& value : values)
        column.add(value);
    add(column);
}

void Params::add(std::span<const std::string> values) {
    TextColumn column;
    for (const auto& value : values)
        column.add(value);
    add(column);
}

void Params::add(std::span<const std::string_view> values) {
    TextColumn column;
    for (const auto& value : values)
        column.add(value);
    add(column);
}

Params::Bound Params::bound() const {
    Bound bound;
    bound.types.reserve(slots_.size());
    bound.values.reserve(slots_.size());
    bound.lengths.reserve(slots_.size());
    bound.formats.reserve(slots_.size());
    for (const auto& slot : slots_) {
        bound.types.push_back(slot.type);
        bound.values.push_back(slot.length < 0 ? nullptr : buffer_.data() + slot.offset);
        bound.lengths.push_back(slot.length < 0 ? 0 : slot.length);
        bound.formats.push_back(slot.binary ? 1 : 0);
    }
    return bound;
}

}  // namespace sgl::pg
