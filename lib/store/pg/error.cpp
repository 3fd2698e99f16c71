#include "lib/store/pg/error.hpp"

#include <array>

namespace sgl::pg {

namespace {

// Classes whose primary message names objects, states or resources only. Not: 22 (quotes the value), P0 (RAISE), 44,
// HV.
bool keeps_message(std::string_view sqlstate) {
    constexpr std::array<std::string_view, 20> classes{"00", "01", "02", "08", "0A", "0L", "0P", "23", "25", "28",
                                                       "2B", "2D", "3D", "3F", "40", "42", "53", "54", "55", "57"};
    const auto family = sqlstate.substr(0, 2);
    for (const auto kept : classes)
        if (family == kept) return true;
    return family == "58" || family == "XX" || family == "F0";
}

std::string sentence(std::string_view sqlstate, std::string_view primary, std::string_view query) {
    std::string text = "database: ";
    if (!query.empty()) text.append("query ").append(query).append(": ");
    text.append(sqlstate);
    if (keeps_message(sqlstate) && !primary.empty()) {
        while (!primary.empty() && (primary.back() == '\n' || primary.back() == ' '))
            primary.remove_suffix(1);
        text.append(" ").append(primary.substr(0, 500));
    } else if (sqlstate.substr(0, 2) == "22") {
        text.append(" a value does not fit its type");
    }
    return text;
}

}  // namespace

DatabaseError::DatabaseError(std::string_view sqlstate, std::string_view primary, std::string_view query,
                             std::string_view constraint)
    : std::runtime_error(sentence(sqlstate, primary, query)),
      sqlstate_(sqlstate),
      constraint_(constraint),
      query_(query) {}

bool DatabaseError::is_connection_loss() const {
    return sqlstate_.starts_with("08") || sqlstate_ == "57P01" || sqlstate_ == "57P02" || sqlstate_ == "57P03" ||
           sqlstate_ == "57P05" || sqlstate_ == "53300" || sqlstate_ == "25006" || sqlstate_ == "25P03";
}

DatabaseError DatabaseError::in_doubt() const {
    DatabaseError marked = *this;
    marked.in_doubt_ = true;
    return marked;
}

}  // namespace sgl::pg
