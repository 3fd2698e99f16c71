// A named SQL statement: the name appears in logs, timings and errors, and is what a connection prepares it under.
#pragma once

#include <string_view>

namespace sgl::pg {

/// Names are "<aggregate>.<verb>" and unique in the program. Both views are literals. An empty name means: not prepared
/// (for statements that run once). Parameters are `$1`, `$2`…; a parameter whose type PostgreSQL cannot infer from its
/// place needs a cast (`$1::text`).
struct Query {
    std::string_view name;
    std::string_view sql;
};

}  // namespace sgl::pg
