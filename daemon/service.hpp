// The daemon: everything put together, from the sockets to the database, until it is told to end.
#pragma once

#include <string>

#include "config/settings.hpp"
#include "lib/base/result.hpp"

namespace sgl::daemon {

/// Whether each listener may be opened as it is configured (SEC-01); what run_service refuses, before anything is started.
Result<void> check_listeners(const config::Settings& settings);

/// Runs until SIGTERM or SIGINT; 0 when it ended as asked, 1 when it could not start or go on (said in the log and on
/// standard error).
int run_service(const config::Settings& settings);

}  // namespace sgl::daemon
