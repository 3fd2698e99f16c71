// Other programs and their figures: run one as another user, and what /proc says of a tree of processes.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace sgl::bench {

/// Who runs sgld and PostgreSQL: user `sgld` when we are root (made when missing), else ourselves.
struct Account {
    std::string name;
    uid_t uid{};
    gid_t gid{};
};
Account service_account();
/// Gives a file or folder to the account; nothing when we are not root.
void give(const std::filesystem::path& path, const Account& account);

/// Starts a program (working folder /) and returns at once. `as`: null = as we are. Output goes to the file.
pid_t start(const std::vector<std::string>& command, const Account* as, const std::filesystem::path& output);
/// Waits for its end: exit code, or 128 + signal. `limit_seconds` over: killed.
int wait_for(pid_t process, int limit_seconds);
/// Runs it and gives what it printed; throws std::runtime_error with that when it fails.
std::string run(const std::vector<std::string>& command, const Account* as, int limit_seconds = 120);

/// Processor time used, in seconds.
double cpu_of(pid_t process);
/// The same of a PostgreSQL server: the postmaster, all its living children, and those that it has buried.
double cpu_of_server(pid_t postmaster);
/// Of the whole machine since it started: busy seconds of all processors together.
double cpu_of_machine();

struct Memory {
    double resident_mb{};
    double peak_mb{};
};
Memory memory_of(pid_t process);

std::string load_average();
unsigned processors();

}  // namespace sgl::bench
