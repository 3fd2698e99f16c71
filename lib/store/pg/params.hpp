// Bound parameters of one statement, in one buffer. Arrays are built as columns, row after row, directly in
// PostgreSQL's binary form, for bulk inserts through unnest().
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/strong.hpp"
#include "lib/base/uuid.hpp"

namespace sgl::pg {

/// A view bound as bytea, not text.
struct Bytes {
    std::string_view value;
};

/// A view bound as jsonb: JSON text in UTF-8.
struct Json {
    std::string_view value;
};

/// Type identifiers of PostgreSQL's catalogue (pg_type.oid), stable since ever.
enum class TypeOid : std::uint32_t {
    unknown = 0,
    boolean = 16,
    bytea = 17,
    int8 = 20,
    int4 = 23,
    text = 25,
    float8 = 701,
    date = 1082,
    timestamptz = 1184,
    uuid = 2950,
    jsonb = 3802,
};

/// Buffer of a one-dimensional array in binary form; use it through Column.
class ArrayBuffer {
public:
    explicit ArrayBuffer(TypeOid element);

    std::size_t size() const { return count_; }
    TypeOid element() const { return element_; }
    std::string_view bytes() const;  ///< header patched for the present count

    void add_null();
    void add_raw(std::string_view bytes);
    void add_int4(std::int32_t value);
    void add_int8(std::int64_t value);
    void add_json(std::string_view json);
    void reserve(std::size_t bytes) { buffer_.reserve(bytes); }

private:
    friend class RowArray;

    mutable std::string buffer_;
    TypeOid element_;
    std::uint32_t count_{0};
    bool has_null_{false};
};

namespace detail {

std::int64_t to_pg(Instant at);                       ///< microseconds since 2000-01-01
std::int32_t to_pg(std::chrono::year_month_day day);  ///< days since 2000-01-01

template <class T>
struct Element;
template <>
struct Element<std::string_view> {
    static constexpr TypeOid oid = TypeOid::text;
    static void add(ArrayBuffer& to, std::string_view value) { to.add_raw(value); }
};
template <>
struct Element<Bytes> {
    static constexpr TypeOid oid = TypeOid::bytea;
    static void add(ArrayBuffer& to, Bytes value) { to.add_raw(value.value); }
};
template <>
struct Element<Json> {
    static constexpr TypeOid oid = TypeOid::jsonb;
    static void add(ArrayBuffer& to, Json value) { to.add_json(value.value); }
};
template <>
struct Element<std::int64_t> {
    static constexpr TypeOid oid = TypeOid::int8;
    static void add(ArrayBuffer& to, std::int64_t value) { to.add_int8(value); }
};
template <>
struct Element<std::int32_t> {
    static constexpr TypeOid oid = TypeOid::int4;
    static void add(ArrayBuffer& to, std::int32_t value) { to.add_int4(value); }
};
template <>
struct Element<bool> {
    static constexpr TypeOid oid = TypeOid::boolean;
    static void add(ArrayBuffer& to, bool value) { to.add_raw(std::string_view(value ? "\1" : "\0", 1)); }
};
template <>
struct Element<Uuid> {
    static constexpr TypeOid oid = TypeOid::uuid;
    static void add(ArrayBuffer& to, const Uuid& value);
};
template <>
struct Element<Instant> {
    static constexpr TypeOid oid = TypeOid::timestamptz;
    static void add(ArrayBuffer& to, Instant value) { to.add_int8(to_pg(value)); }
};
template <>
struct Element<std::chrono::year_month_day> {
    static constexpr TypeOid oid = TypeOid::date;
    static void add(ArrayBuffer& to, std::chrono::year_month_day value) { to.add_int4(to_pg(value)); }
};

}  // namespace detail

/// One column of a bulk insert: `Column<Uuid> ids; ids.add(id);` bound as uuid[]. Text with a NUL character is refused
/// by the server (22021), as is text that is not UTF-8.
template <class T>
class Column : public ArrayBuffer {
public:
    Column() : ArrayBuffer(detail::Element<T>::oid) {}

    void add(const T& value) { detail::Element<T>::add(*this, value); }
    void add(const std::optional<T>& value) { value ? add(*value) : add_null(); }
    void add(const std::optional<std::string>& value)
        requires std::same_as<T, std::string_view>
    {
        value ? add(std::string_view(*value)) : add_null();
    }
    void add(const char* value)
        requires std::same_as<T, std::string_view>
    {
        add(std::string_view(value));
    }
    void add(const std::string& value)
        requires std::same_as<T, std::string_view>
    {
        add(std::string_view(value));
    }
    template <class Tag>
    void add(const Strong<Tag, T>& value) {
        add(value.value());
    }
};

using TextColumn = Column<std::string_view>;
using BytesColumn = Column<Bytes>;
using JsonColumn = Column<Json>;
using Int8Column = Column<std::int64_t>;
using Int4Column = Column<std::int32_t>;
using BoolColumn = Column<bool>;
using UuidColumn = Column<Uuid>;
using InstantColumn = Column<Instant>;
using DateColumn = Column<std::chrono::year_month_day>;

namespace detail {

/// What a value of C++ is in a column.
template <class T>
struct Plain {
    using Type = T;
    static T of(const T& value) { return value; }
};
template <>
struct Plain<std::string> {
    using Type = std::string_view;
    static std::string_view of(const std::string& value) { return value; }
};
template <class Tag, class T>
struct Plain<Strong<Tag, T>> {
    using Type = T;
    static T of(const Strong<Tag, T>& value) { return value.value(); }
};

}  // namespace detail

/// Rows of a composite type of the schema, bound as an array of it: `insert … select t.* from unnest($1::result_row[])
/// t`. Where much is written often, one unnest() for all columns costs the server a third of one for each column. The
/// connection asks for the type's number once.
class RowArray {
public:
    /// `type`: a literal, the name in the schema; the columns of each row in the order of its definition.
    explicit RowArray(std::string_view type) : type_(type) {}

    template <class... Ts>
    void add(const Ts&... columns) {
        const auto row = begin(sizeof...(Ts));
        (put(columns), ...);
        end(row);
    }
    std::size_t size() const { return rows_; }
    std::string_view type() const { return type_; }
    std::string_view bytes() const { return cells_.bytes(); }

private:
    template <class T>
    void put(const T& value) {
        using As = detail::Plain<T>;
        put_type(detail::Element<typename As::Type>::oid);
        detail::Element<typename As::Type>::add(cells_, As::of(value));
    }
    template <class T>
    void put(const std::optional<T>& value) {
        if (value) {
            put(*value);
        } else {
            put_type(detail::Element<typename detail::Plain<T>::Type>::oid);
            cells_.add_null();
        }
    }
    std::size_t begin(std::size_t columns);
    void end(std::size_t row);
    void put_type(TypeOid type);

    std::string_view type_;
    ArrayBuffer cells_{TypeOid::unknown};
    std::uint32_t rows_{0};
};

/// Scalars travel in text form except bytea; text and integers leave their type to PostgreSQL's inference, so that
/// enums, numeric and json columns take them too. Owns everything it was given. Movable, and empty after the move.
class Params {
public:
    Params() = default;

    void add(std::nullptr_t);
    void add(std::nullopt_t) { add(nullptr); }
    void add(bool value);
    void add(double value);
    void add(const char* value) { add(std::string_view(value)); }
    void add(const std::string& value) { add(std::string_view(value)); }
    void add(std::string_view value);  ///< throws std::invalid_argument on a NUL character
    void add(Bytes value);
    void add(Json value);
    void add(const Uuid& value);
    void add(Instant value);
    void add(std::chrono::year_month_day value);
    void add(const ArrayBuffer& column);
    void add(const RowArray& rows);
    void add(std::span<const std::int32_t> values);
    void add(std::span<const std::int64_t> values);
    void add(std::span<const Uuid> values);
    void add(std::span<const std::string> values);
    void add(std::span<const std::string_view> values);
    template <std::integral T>
        requires(!std::same_as<T, bool> && !std::same_as<T, char>)
    void add(T value) {
        add_integer(static_cast<std::int64_t>(value));
    }
    template <class T>
    void add(const std::vector<T>& values) {
        add(std::span<const T>(values));
    }
    template <class T>
    void add(const std::optional<T>& value) {
        if (value)
            add(*value);
        else
            add(nullptr);
    }
    template <class Tag, class T>
    void add(const Strong<Tag, T>& value) {
        add(value.value());
    }
    template <class Rep, class Period>
    void add(std::chrono::duration<Rep, Period>) = delete;  // bind a number, and name its unit in the SQL

    std::size_t size() const { return slots_.size(); }

    /// What libpq wants; the pointers are valid until the next add() or move.
    struct Bound {
        std::vector<std::uint32_t> types;
        std::vector<const char*> values;
        std::vector<int> lengths;
        std::vector<int> formats;
    };
    Bound bound() const;

    /// Composite types whose number the server has to tell before the values are sent, and the place to say it.
    std::vector<std::string_view> row_types() const;
    void set_row_type(std::string_view name, std::uint32_t oid);

private:
    struct Slot {
        std::size_t offset;
        int length;  // -1: null
        std::uint32_t type;
        bool binary;
        std::string_view row_type;  // of a RowArray
    };
    void add_integer(std::int64_t value);
    void put(std::uint32_t type, bool binary, std::string_view bytes);

    std::string buffer_;
    std::vector<Slot> slots_;
};

/// `co_await connection.query(pick, params(now, limit))`: a function's value, so safe inside co_await with g++ 12.
template <class... Ts>
Params params(const Ts&... values) {
    Params made;
    (made.add(values), ...);
    return made;
}

}  // namespace sgl::pg
