#include "lib/store/pg/embedded.hpp"

#include <libpq-fe.h>

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "lib/base/log.hpp"

namespace sgl::pg {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::array<std::string_view, 7> login_roles{"lab_app",   "lab_migrate", "lab_audit_w", "lab_audit_r",
                                                      "lab_stats", "lab_backup",  "postgres"};
constexpr int port = 5432;

std::runtime_error failure(const std::string& sentence) {
    return std::runtime_error("embedded PostgreSQL: " + sentence);
}

std::runtime_error system_failure(const std::string& act, const fs::path& path) {
    const int number = errno;
    return failure(act + " " + path.string() + ": " + std::strerror(number));
}

std::string os_user() {
    std::array<char, 16384> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        throw failure("the user that runs sgld has no name in the system's user database");
    return found->pw_name;
}

void make_private_dir(const fs::path& dir) {
    std::error_code error;
    fs::create_directories(dir.parent_path(), error);
    if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) throw system_failure("cannot make directory", dir);
    struct stat info{};
    if (::stat(dir.c_str(), &info) != 0) throw system_failure("cannot look at", dir);
    if (!S_ISDIR(info.st_mode)) throw failure(dir.string() + " is not a directory");
    if (info.st_uid != ::geteuid()) throw failure(dir.string() + " belongs to another user");
    if ((info.st_mode & 077U) != 0 && ::chmod(dir.c_str(), 0700) != 0) throw system_failure("cannot protect", dir);
}

void sync_path(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw system_failure("cannot open", path);
    const int result = ::fsync(fd);
    ::close(fd);
    if (result != 0) throw system_failure("cannot sync", path);
}

/// Written beside and renamed, so that a crash leaves the old or the new file.
void write_file(const fs::path& path, const std::string& text) {
    const fs::path beside = path.string() + ".new";
    {
        const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) throw system_failure("cannot write", beside);
        std::string_view rest = text;
        while (!rest.empty()) {
            const ssize_t written = ::write(fd, rest.data(), rest.size());
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) {
                ::close(fd);
                throw system_failure("cannot write", beside);
            }
            rest.remove_prefix(static_cast<std::size_t>(written));
        }
        const bool good = ::fsync(fd) == 0;
        ::close(fd);
        if (!good) throw system_failure("cannot sync", beside);
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) throw system_failure("cannot replace", path);
}

std::string read_file(const fs::path& path) {
    const std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    if (in) text << in.rdbuf();
    return text.str();
}

fs::path newest_bin_dir() {
    fs::path best;
    int best_version = 14;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
        const std::string name = entry.path().filename().string();
        int version = 0;
        std::from_chars(name.data(), name.data() + name.size(), version);
        if (version > best_version && fs::exists(entry.path() / "bin" / "postgres", error)) {
            best = entry.path() / "bin";
            best_version = version;
        }
    }
    if (best.empty()) throw failure("PostgreSQL 15 or later is not installed (Debian package postgresql-15)");
    return best;
}

/// A cluster is served by the version that made it.
fs::path bin_dir_of(const fs::path& data) {
    std::string version = read_file(data / "PG_VERSION");
    while (!version.empty() && version.back() == '\n')
        version.pop_back();
    return fs::path("/usr/lib/postgresql") / version / "bin";
}

/// Quoted for a libpq connection string.
std::string libpq_quoted(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text += '\'';
}

/// Quoted for postgresql.conf.
std::string conf_quoted(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        text += c;
        if (c == '\'') text += '\'';
    }
    return text += '\'';
}

/// Forks and executes with only standard streams, default signals, its own session, and a parent to die with.
pid_t spawn(const std::vector<std::string>& command, const fs::path& output) {
    std::vector<char*> arguments;
    for (const auto& word : command)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    // glibc gives memory back to the system after nearly each statement, and asks for it again: 8 MB may stay.
    std::vector<std::string> environment{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC",
                                         "MALLOC_TRIM_THRESHOLD_=8388608", "MALLOC_TOP_PAD_=262144"};
    std::vector<char*> variables;
    for (auto& variable : environment)
        variables.push_back(variable.data());
    variables.push_back(nullptr);
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0) throw system_failure("cannot write", output);
    const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {  // only async-signal-safe calls from here
        ::prctl(PR_SET_PDEATHSIG, SIGINT);
        if (::getppid() != parent) ::_exit(127);
        ::setsid();
        for (int signal = 1; signal < NSIG; ++signal)
            ::signal(signal, SIG_DFL);
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        if (::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) ::_exit(127);
        if (::syscall(SYS_close_range, 3U, ~0U, 0U) != 0)
            for (int fd = 3; fd < 4096; ++fd)
                ::close(fd);
        ::umask(077);
        ::execve(arguments.front(), arguments.data(), variables.data());
        ::_exit(127);
    }
    const int number = errno;
    ::close(out);
    ::close(in);
    if (child < 0) throw failure(std::string("cannot fork: ") + std::strerror(number));
    return child;
}

/// Processes that work in the data directory: a server of it and all its children do. Ours only, as others are hidden.
std::vector<pid_t> processes_in(const fs::path& data) {
    std::vector<pid_t> found;
    std::error_code error;
    const auto wanted = fs::canonical(data, error);
    if (error) return found;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (bad != std::errc{} || *end != '\0' || pid == ::getpid()) continue;
        std::error_code unreadable;
        if (fs::read_symlink(entry.path() / "cwd", unreadable) == wanted && !unreadable) found.push_back(pid);
    }
    return found;
}

/// First line of postmaster.pid, 0 when there is none.
pid_t recorded_pid(const fs::path& data) {
    const std::string text = read_file(data / "postmaster.pid");
    pid_t pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    return std::max(pid, 0);
}

/// The end of the newest file of the server's log when it has one, else of `path`.
std::string last_lines(const fs::path& path, const fs::path& log_dir = {}) {
    fs::path newest = path;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(log_dir, error))
        if (fs::last_write_time(entry.path(), error) >= fs::last_write_time(newest, error)) newest = entry.path();
    std::string text = read_file(newest);
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    if (text.size() > 600) text.erase(0, text.size() - 600);
    return text;
}

}  // namespace

EmbeddedCluster::EmbeddedCluster(asio::any_io_executor executor, EmbeddedOptions options)
    : executor_(std::move(executor)), options_(std::move(options)) {
    if (options_.state_dir.empty()) throw failure("no state directory configured");
    options_.state_dir = fs::absolute(options_.state_dir);
    if (options_.socket_dir.empty()) options_.socket_dir = options_.state_dir / "socket";
    options_.socket_dir = fs::absolute(options_.socket_dir);
    data_dir_ = options_.state_dir / "postgres";
    // sockaddr_un holds 107 characters, with "/.s.PGSQL.5432".
    if (options_.socket_dir.string().size() > 90)
        throw failure("the socket directory's path is longer than 90 characters: " + options_.socket_dir.string());
}

EmbeddedCluster::~EmbeddedCluster() {
    if (pid_ > 0) ::kill(pid_, SIGINT);
    if (lock_ >= 0) ::close(lock_);
}

std::string EmbeddedCluster::superuser() const {
    return os_user();
}

std::string EmbeddedCluster::conninfo(std::string_view user, std::string_view database) const {
    return "host=" + libpq_quoted(options_.socket_dir.string()) + " port=" + std::to_string(port) +
           " user=" + libpq_quoted(user) + " dbname=" + libpq_quoted(database);
}

asio::awaitable<void> EmbeddedCluster::pause(std::chrono::milliseconds duration) {
    asio::steady_timer timer(executor_, duration);
    co_await timer.async_wait(asio::use_awaitable);
}

bool EmbeddedCluster::try_lock() {
    const auto path = options_.state_dir / "supervisor.lock";
    if (lock_ < 0) lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) throw system_failure("cannot open", path);
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) throw system_failure("cannot lock", path);
    return false;
}

bool EmbeddedCluster::answers() const {
    // Over a Unix socket this costs well under a millisecond; PQPING_OK says that connections are accepted.
    const auto info = conninfo(os_user(), "postgres") + " connect_timeout=2";
    return PQping(info.c_str()) == PQPING_OK;
}

asio::awaitable<EmbeddedCluster::Role> EmbeddedCluster::start() {
    if (::geteuid() == 0)
        throw failure("PostgreSQL does not run as root; start sgld through its service, or let it change to user sgld");
    stopping_ = false;
    make_private_dir(options_.state_dir);
    make_private_dir(options_.socket_dir);
    role_ = Role::guest;
    const auto deadline = SteadyClock::now() + options_.start_limit;
    while (!try_lock()) {
        if (answers()) co_return role_;
        if (SteadyClock::now() > deadline)
            throw failure("another daemon holds this state directory but its database does not answer");
        co_await pause(200ms);
    }
    role_ = Role::supervisor;
    if (!fs::exists(data_dir_ / "PG_VERSION")) co_await initialise();
    co_await launch();
    co_return role_;
}

asio::awaitable<int> EmbeddedCluster::run_tool(std::vector<std::string> command, fs::path output,
                                               std::chrono::milliseconds limit) {
    const pid_t child = spawn(command, output);
    const auto deadline = SteadyClock::now() + limit;
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) != child) {
        if (SteadyClock::now() > deadline) {
            ::kill(child, SIGKILL);
            ::waitpid(child, &status, 0);
            throw failure(command.front() + " did not end in time");
        }
        co_await pause(20ms);
    }
    co_return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

asio::awaitable<void> EmbeddedCluster::initialise() {
    const auto fresh = options_.state_dir / "postgres.new";
    const auto output = options_.state_dir / "initdb.log";
    fs::remove_all(fresh);  // of an attempt that a crash ended
    const auto bin = options_.bin_dir.empty() ? newest_bin_dir() : options_.bin_dir;
    log::info("making the private database cluster");
    std::vector<std::string> command{bin / "initdb",
                                     "-D",
                                     fresh.string(),
                                     "-U",
                                     os_user(),
                                     "--auth-local=peer",
                                     "--auth-host=reject",
                                     "-E",
                                     "UTF8",
                                     "--locale=C.UTF-8",
                                     "--data-checksums"};
    if (options_.unsafe_for_tests) command.emplace_back("--no-sync");
    const int status = co_await run_tool(std::move(command), output, 120s);
    if (status != 0) throw failure("initdb failed: " + last_lines(output));
    write_file(fresh / "postgresql.conf",
               read_file(fresh / "postgresql.conf") +
                   "\n# Written by sgld at each start; put your own settings into local.conf.\n"
                   "include 'sgld.conf'\ninclude_if_exists 'local.conf'\n");
    write_file(fresh / "local.conf",
               "# Settings of the operator; they win over sgld's. sgld refuses what is not durable.\n");
    write_configuration(fresh);
    sync_path(fresh);
    if (::rename(fresh.c_str(), data_dir_.c_str()) != 0) throw system_failure("cannot put in place", data_dir_);
    sync_path(options_.state_dir);
}

void EmbeddedCluster::write_configuration(const fs::path& data) const {
    const bool safe = !options_.unsafe_for_tests;
    std::string conf =
        "# Written by sgld at each start.\n"
        "listen_addresses = ''\n"
        "unix_socket_directories = " +
        conf_quoted(options_.socket_dir.string()) +
        "\n"
        "unix_socket_permissions = 0700\n"
        "port = " +
        std::to_string(port) +
        "\n"
        "max_connections = " +
        std::to_string(options_.max_connections) +
        "\n"
        "superuser_reserved_connections = 3\n"
        "shared_buffers = '" +
        options_.shared_buffers +
        "'\n"
        "max_wal_size = '" +
        options_.max_wal_size +
        "'\n"
        "checkpoint_timeout = '15min'\n"
        "checkpoint_completion_target = 0.9\n"
        "wal_compression = lz4\n"
        "jit = off\n"
        "timezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C'\n"
        "password_encryption = 'scram-sha-256'\n"
        "# An acknowledged result is on the disk (design D2).\n"
        "fsync = " +
        (safe ? "on" : "off") +
        "\n"
        "full_page_writes = " +
        (safe ? "on" : "off") +
        "\n"
        "synchronous_commit = " +
        (safe ? "on" : "off") +
        "\n"
        "# No statement, no parameter, no value in the log (SEC-70).\n"
        "log_min_messages = 'log'\n"
        "log_min_error_statement = 'panic'\n"
        "log_error_verbosity = 'terse'\n"
        "log_statement = 'none'\n"
        "log_min_duration_statement = -1\n"
        "log_parameter_max_length = 0\n"
        "log_parameter_max_length_on_error = 0\n"
        "log_lock_waits = off\n"
        "log_line_prefix = '%m [%p] '\n"
        "log_destination = 'stderr'\n"
        "logging_collector = on\n"
        "log_directory = " +
        conf_quoted((options_.state_dir / "postgres-log").string()) +
        "\n"
        "log_filename = 'postgresql-%a.log'\n"
        "log_file_mode = 0600\n"
        "log_truncate_on_rotation = on\n"
        "log_rotation_age = '1d'\n"
        "log_rotation_size = 0\n";
    write_file(data / "sgld.conf", conf);
    write_file(data / "pg_hba.conf",
               "# Written by sgld at each start: the daemon's own OS user, over the Unix socket, nobody else.\n"
               "local all all peer map=sgl\n");
    std::vector<std::string> users = options_.more_os_users;
    users.push_back(os_user());
    std::string ident = "# Written by sgld at each start.\n# map  OS user  role\n";
    for (const auto& user : users) {
        for (const auto role : login_roles)
            ident.append("sgl \"" + user + "\" ").append(role).append("\n");
        ident.append("sgl \"" + user + "\" \"" + os_user() + "\"\n");
    }
    write_file(data / "pg_ident.conf", ident);
}

/// A daemon killed with -9 leaves a server that is shutting down (its parent's death told it so); a server killed with
/// -9 leaves children that are ending. Both must be gone before a new server starts.
asio::awaitable<void> EmbeddedCluster::end_leftovers() {
    const auto started = SteadyClock::now();
    int told = 0;
    auto left = processes_in(data_dir_);
    while (!left.empty()) {
        const auto waited = SteadyClock::now() - started;
        const pid_t server = recorded_pid(data_dir_);
        const auto tell = [&](int signal) {
            const bool known = std::find(left.begin(), left.end(), server) != left.end();
            for (const pid_t pid : left)
                if (!known || pid == server) ::kill(pid, signal);
            ++told;
        };
        if (told == 0) {
            log::info("ending the database server of an earlier daemon", {{"processes", left.size()}});
            tell(SIGINT);
        } else if (told == 1 && waited > options_.stop_limit) {
            tell(SIGQUIT);
        } else if (told == 2 && waited > options_.stop_limit + 10s) {
            tell(SIGKILL);
        } else if (waited > options_.stop_limit + 20s) {
            throw failure("processes of an earlier server do not end, first pid " + std::to_string(left.front()));
        }
        co_await pause(50ms);
        left = processes_in(data_dir_);
    }
    // What is recorded is no server of this directory: after a restart of the machine or container its number may
    // belong to any process, ours included, and PostgreSQL would refuse to start.
    ::unlink((data_dir_ / "postmaster.pid").c_str());
    // The socket's lock names the same process; it may be dead but not yet buried by init, which PostgreSQL takes for
    // alive.
    const auto socket = options_.socket_dir / (".s.PGSQL." + std::to_string(port));
    const auto lock = fs::path(socket.string() + ".lock");
    if (fs::exists(lock)) {
        std::ifstream in(lock);
        std::string pid;
        std::string owner;
        std::getline(in, pid);
        std::getline(in, owner);
        if (owner != data_dir_.string()) throw failure("the socket directory belongs to another cluster: " + owner);
        ::unlink(lock.c_str());
        ::unlink(socket.c_str());
    }
}

asio::awaitable<void> EmbeddedCluster::launch() {
    co_await end_leftovers();
    reap();
    const auto bin = options_.bin_dir.empty() ? bin_dir_of(data_dir_) : options_.bin_dir;
    if (!fs::exists(bin / "postgres"))
        throw failure("the cluster was made by a PostgreSQL that is not installed any more: " + bin.string());
    write_configuration(data_dir_);
    const std::vector<std::string> command{bin / "postgres", "-D", data_dir_.string()};
    pid_ = spawn(command, options_.state_dir / "postgres-start.log");
    co_await until_ready();
    log::info("private database server ready", {{"pid", pid_}});
}

bool EmbeddedCluster::reap() {
    if (pid_ <= 0) return true;
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == 0) return false;
    pid_ = 0;
    return true;
}

asio::awaitable<void> EmbeddedCluster::until_ready() {
    const auto deadline = SteadyClock::now() + options_.start_limit;
    auto step = 10ms;
    while (!answers()) {
        if (reap())
            throw failure("the server ended while starting: " +
                          last_lines(options_.state_dir / "postgres-start.log", options_.state_dir / "postgres-log"));
        if (SteadyClock::now() > deadline) throw failure("the server does not answer within the time given");
        co_await pause(step);
        step = std::min<std::chrono::milliseconds>(step * 2, 200ms);
    }
}

asio::awaitable<void> EmbeddedCluster::stop() {
    stopping_ = true;
    if (role_ == Role::supervisor && pid_ > 0) {
        const auto started = SteadyClock::now();
        ::kill(pid_, SIGINT);
        bool quit = false;
        bool killed = false;
        while (!reap()) {
            const auto waited = SteadyClock::now() - started;
            if (!quit && waited > options_.stop_limit) {
                log::warn("the database server does not stop; stopping it at once");
                ::kill(pid_, SIGQUIT);
                quit = true;
            }
            if (!killed && waited > options_.stop_limit + 10s) {
                ::kill(pid_, SIGKILL);
                killed = true;
            }
            co_await pause(20ms);
        }
    }
    if (lock_ >= 0) ::close(lock_);
    lock_ = -1;
    role_ = Role::guest;
}

asio::awaitable<void> EmbeddedCluster::supervise(std::function<void(Event)> told) {
    constexpr std::chrono::milliseconds shortest = 200ms;
    constexpr std::chrono::milliseconds longest = 10s;
    constexpr auto stable = 60s;
    std::chrono::milliseconds delay{0};
    auto up_since = SteadyClock::now();
    while (!stopping_) {
        auto success = Event::restarted;
        if (role_ == Role::guest) {
            co_await pause(500ms);
            if (stopping_ || !try_lock()) continue;
            role_ = Role::supervisor;
            success = Event::took_over;
            log::warn("the daemon that supervised the database is gone; taking over");
        } else {
            co_await pause(100ms);
            if (stopping_ || !reap()) continue;
            if (SteadyClock::now() - up_since > stable) delay = 0ms;
            log::error("the private database server ended; starting it again");
            if (told) told(Event::exited);
        }
        bool good = false;
        while (!good && !stopping_) {
            co_await pause(delay);
            delay = std::clamp(delay * 2, shortest, longest);
            if (stopping_) break;
            try {
                co_await launch();
                good = true;
            } catch (const std::runtime_error& error) {
                Error report{Fault::unavailable, "database", error.what()};
                log::error("the private database server does not start", report);
            }
            if (told) told(good ? success : Event::restart_failed);
        }
        up_since = SteadyClock::now();
    }
}

}  // namespace sgl::pg
