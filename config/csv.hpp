// Semicolon-separated files as spreadsheets write them (RFC 4180 quoting), with line numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::config {

struct CsvRow {
    unsigned line{};
    std::vector<std::string> fields;
};

/// Lines that are empty or begin with # are skipped; a byte order mark too. UTF-8 only, at most 16 MiB; a quoted field ends on
/// its line. Fields are trimmed unless quoted. Errors say `line N`.
Result<std::vector<CsvRow>> parse_csv(std::string_view bytes);

}  // namespace sgl::config
