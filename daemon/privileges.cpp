#include "daemon/privileges.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>

namespace sgl::daemon {

Result<void> become(const std::string& user, const std::string& state_dir) {
    if (geteuid() != 0) return {};
    const auto* entry = getpwnam(user.c_str());
    if (entry == nullptr) {
        return Error{Fault::missing, "daemon.user",
                     "there is no user " + user +
                         "; make it: useradd --system --home-dir /var/lib/sgld --shell /usr/sbin/nologin " + user};
    }
    const auto uid = entry->pw_uid;
    const auto gid = entry->pw_gid;
    const std::string name = entry->pw_name;
    if (!state_dir.empty()) {
        std::error_code ec;
        std::filesystem::create_directories(state_dir, ec);
        if (ec || chown(state_dir.c_str(), uid, gid) != 0 || chmod(state_dir.c_str(), 0700) != 0) {
            return Error{Fault::unavailable, "daemon.state_dir", "the state folder can't be made for user " + user};
        }
    }
    if (initgroups(name.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
        return Error{Fault::unavailable, "daemon.user", "the process can't become user " + user};
    }
    return {};
}

void harden() {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    setenv("XERCES_DISABLE_DTD", "1", 1);
    umask(0077);
}

std::string os_user() {
    const auto* entry = getpwuid(geteuid());
    return entry == nullptr ? std::to_string(geteuid()) : entry->pw_name;
}

}  // namespace sgl::daemon
