#include "test/bench/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace sgl::bench {

namespace {

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Fields of /proc/PID/stat after the name, which may hold blanks; the first is the state (field 3 of proc(5)).
std::vector<std::string> stat_fields(const std::string& process) {
    const std::string text = text_of("/proc/" + process + "/stat");
    std::vector<std::string> fields;
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return fields;
    std::istringstream rest(text.substr(name_end + 1));
    for (std::string field; rest >> field;) fields.push_back(field);
    return fields;
}

double seconds(const std::string& ticks) { return std::stod(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK)); }

double own_time(const std::vector<std::string>& fields) {
    return fields.size() < 13 ? 0.0 : seconds(fields[11]) + seconds(fields[12]);
}

}  // namespace

Account service_account() {
    if (geteuid() != 0) {
        const passwd* me = getpwuid(geteuid());
        if (me == nullptr) throw std::runtime_error("this user has no name");
        return {me->pw_name, me->pw_uid, me->pw_gid};
    }
    const passwd* found = getpwnam("sgld");
    if (found == nullptr) {
        run({"/usr/sbin/useradd", "--system", "--no-create-home", "--home-dir", "/var/lib/sgld", "--shell",
             "/usr/sbin/nologin", "sgld"},
            nullptr);
        found = getpwnam("sgld");
    }
    if (found == nullptr) throw std::runtime_error("user sgld can't be made");
    return {found->pw_name, found->pw_uid, found->pw_gid};
}

void give(const std::filesystem::path& path, const Account& account) {
    if (geteuid() != 0) return;
    if (chown(path.c_str(), account.uid, account.gid) != 0) throw std::runtime_error("can't give " + path.string());
}

pid_t start(const std::vector<std::string>& command, const Account* as, const std::filesystem::path& output) {
    const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (out < 0) throw std::runtime_error("can't write " + output.string());
    std::vector<char*> arguments;
    for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("fork");
    if (child == 0) {
        const int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, 0);
        dup2(out, 1);
        dup2(out, 2);
        if (chdir("/") != 0) _exit(126);
        if (as != nullptr && geteuid() == 0 &&
            (setgroups(0, nullptr) != 0 || setgid(as->gid) != 0 || setuid(as->uid) != 0)) {
            _exit(126);
        }
        execvp(arguments[0], arguments.data());
        _exit(127);
    }
    close(out);
    return child;
}

int wait_for(pid_t process, int limit_seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(limit_seconds);
    int status = 0;
    for (;;) {
        if (waitpid(process, &status, WNOHANG) == process) break;
        if (std::chrono::steady_clock::now() > end) {
            kill(process, SIGKILL);
            waitpid(process, &status, 0);
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string run(const std::vector<std::string>& command, const Account* as, int limit_seconds) {
    char name[] = "/tmp/sglb-output-XXXXXX";
    const int file = mkstemp(name);
    if (file < 0) throw std::runtime_error("no temporary file");
    close(file);
    const int code = wait_for(start(command, as, name), limit_seconds);
    const std::string output = text_of(name);
    std::filesystem::remove(name);
    if (code != 0) throw std::runtime_error(command.front() + ": exit " + std::to_string(code) + "\n" + output);
    return output;
}

double cpu_of(pid_t process) { return own_time(stat_fields(std::to_string(process))); }

double cpu_of_server(pid_t postmaster) {
    const auto parent = stat_fields(std::to_string(postmaster));
    if (parent.size() < 15) return 0.0;
    double total = own_time(parent) + seconds(parent[13]) + seconds(parent[14]);
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const auto fields = stat_fields(name);
        if (fields.size() > 1 && fields[1] == std::to_string(postmaster)) total += own_time(fields);
    }
    return total;
}

double cpu_of_machine() {
    std::istringstream line(text_of("/proc/stat"));
    std::string word;
    double total = 0;
    line >> word;
    for (int field = 0; field < 8 && line >> word; ++field) {
        if (field != 3 && field != 4) total += seconds(word);  // idle, iowait
    }
    return total;
}

Memory memory_of(pid_t process) {
    std::istringstream status(text_of("/proc/" + std::to_string(process) + "/status"));
    Memory memory;
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) memory.resident_mb = std::stod(line.substr(6)) / 1024;
        if (line.starts_with("VmHWM:")) memory.peak_mb = std::stod(line.substr(6)) / 1024;
    }
    return memory;
}

std::string load_average() {
    std::istringstream text(text_of("/proc/loadavg"));
    std::string one;
    std::string five;
    text >> one >> five;
    return one + " " + five;
}

unsigned processors() { return std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace sgl::bench
