// The tabular half of the import: correspondents and catalogue.
#pragma once

#include <vector>

#include "config/csv.hpp"
#include "lib/domain/laboratory.hpp"

namespace sgl::config {

/// The first row is the header: it tells which of the two it is, and in which order its columns stand.
Result<void> read_csv(const std::vector<CsvRow>& rows, domain::Import& to);

}  // namespace sgl::config
