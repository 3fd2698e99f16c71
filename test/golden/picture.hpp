// What the laboratory knows, as JSON for people: patients, orders with their specimens and results, what waits for
// somebody. Members that say nothing are left out, so that a case shows only what it is about.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/store/pg/rows.hpp"

namespace sgl::golden {

/// Runs one statement that sees all rows, whatever their site.
using Ask = std::function<pg::Rows(std::string_view)>;

/// `messages`: also what became of each message.
std::string picture(const Ask& ask, bool messages = true);

}  // namespace sgl::golden
