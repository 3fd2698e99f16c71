// Who the process is: started as root it becomes the daemon's own user before it does anything else (issue: embedded
// PostgreSQL refuses root, and nothing of ours needs it).
#pragma once

#include <string>

#include "lib/base/result.hpp"

namespace sgl::daemon {

/// No effect unless root. With `state_dir`, that folder is made for the user first (mode 0700). Fault::missing when the
/// user does not exist: `useradd --system --home-dir /var/lib/sgld --shell /usr/sbin/nologin sgld` makes it.
Result<void> become(const std::string& user, const std::string& state_dir);

/// No core file, no ptrace by others (SEC-62); DTDs refused by every XML parser (SEC-30).
void harden();

std::string os_user();  ///< name of the user that runs the process

}  // namespace sgl::daemon
