// The rows of one statement. Text format underneath; bytea is decoded from hex on reading.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/uuid.hpp"

extern "C" {
struct pg_result;
}

namespace sgl::pg {

/// One row of a Rows that outlives it. A column is an index from 0 or a name; the index is quicker. Reading what is not
/// there throws std::out_of_range; null with a getter that is not `optional_`, or another type, std::runtime_error
/// naming the column, never its value.
class Row {
public:
    Row(const pg_result* result, int row) : result_(result), row_(row) {}

    class Column {
    public:
        Column(int index) : index_(index) {}       // NOLINT: 0 or "name", as one writes it
        Column(const char* name) : name_(name) {}  // NOLINT
    private:
        friend class Row;
        int index_{-1};
        const char* name_{nullptr};
    };

    bool is_null(Column column) const;
    std::string_view text(Column column) const;  ///< valid as long as the Rows
    std::string_view json(Column column) const { return text(column); }
    std::string string(Column column) const { return std::string(text(column)); }
    bool boolean(Column column) const;
    std::int64_t int64(Column column) const;
    std::int32_t int32(Column column) const;
    double real(Column column) const;
    Uuid uuid(Column column) const;
    Instant instant(Column column) const;  ///< timestamptz; "infinity" throws
    std::chrono::year_month_day date(Column column) const;
    std::string bytes(Column column) const;                              ///< bytea
    std::vector<std::optional<std::string>> texts(Column column) const;  ///< any one-dimensional array, as text
    std::vector<std::int64_t> int64s(Column column) const;               ///< int4[], int8[] without nulls
    std::vector<Uuid> uuids(Column column) const;                        ///< uuid[] without nulls

    std::optional<std::string> optional_text(Column column) const;
    std::optional<bool> optional_boolean(Column column) const;
    std::optional<std::int64_t> optional_int64(Column column) const;
    std::optional<std::int32_t> optional_int32(Column column) const;
    std::optional<double> optional_real(Column column) const;
    std::optional<Uuid> optional_uuid(Column column) const;
    std::optional<Instant> optional_instant(Column column) const;
    std::optional<std::chrono::year_month_day> optional_date(Column column) const;
    std::optional<std::string> optional_bytes(Column column) const;

private:
    int index(Column column) const;
    std::string_view value(int column) const;
    [[noreturn]] void misread(int column, const char* as) const;

    const pg_result* result_;
    int row_;
};

class Rows {
public:
    Rows() = default;
    explicit Rows(pg_result* result);  ///< takes it over

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    std::size_t affected() const;      ///< rows inserted, updated or deleted
    std::string_view command() const;  ///< "UPDATE 3", "COMMIT"

    Row operator[](std::size_t row) const&;       ///< throws std::out_of_range
    Row operator[](std::size_t row) && = delete;  // the row would outlive its rows: name them first

    class Iterator {
    public:
        Iterator(const Rows* rows, std::size_t row) : rows_(rows), row_(row) {}
        Row operator*() const { return (*rows_)[row_]; }
        Iterator& operator++() {
            ++row_;
            return *this;
        }
        bool operator==(const Iterator&) const = default;

    private:
        const Rows* rows_;
        std::size_t row_;
    };
    Iterator begin() const& { return {this, 0}; }
    Iterator end() const& { return {this, size_}; }

private:
    struct Free {
        void operator()(pg_result* result) const;
    };
    std::unique_ptr<pg_result, Free> result_;
    std::size_t size_{0};
};

}  // namespace sgl::pg
