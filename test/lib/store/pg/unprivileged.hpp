// PostgreSQL refuses root: tests that run as root change to the user sgld, made when absent.
#pragma once

#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace sgl::pg::test {

inline std::string user_name() {
    const passwd* entry = ::getpwuid(::geteuid());
    if (entry == nullptr) throw std::runtime_error("this user has no name");
    return entry->pw_name;
}

/// No effect unless root. For the whole process, for good.
inline void become_unprivileged() {
    if (::geteuid() != 0) return;
    const passwd* user = ::getpwnam("sgld");
    if (user == nullptr) {
        // Several test binaries may try at once: what counts is that the user is there afterwards.
        const int status = std::system(
            "useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sgld "
            ">/dev/null 2>&1");
        for (int turn = 0; turn < 50 && user == nullptr; ++turn) {
            user = ::getpwnam("sgld");
            if (user == nullptr) ::usleep(100'000);
        }
        if (user == nullptr) throw std::runtime_error("cannot make the user sgld: " + std::to_string(status));
    }
    if (::initgroups(user->pw_name, user->pw_gid) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)
        throw std::runtime_error(std::string("cannot change to user sgld: ") + std::strerror(errno));
}

/// Short enough for a socket's path; the caller removes it.
inline std::filesystem::path short_directory() {
    std::string name = "/tmp/sgl-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    return name;
}

}  // namespace sgl::pg::test
