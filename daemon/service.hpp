// The daemon: everything put together, from the sockets to the database, until it is told to end.
#pragma once

#include <string>

#include "config/settings.hpp"

namespace sgl::daemon {

/// Runs until SIGTERM or SIGINT; 0 when it ended as asked, 1 when it could not start or go on (said in the log and on
/// standard error).
int run_service(const config::Settings& settings);

}  // namespace sgl::daemon
