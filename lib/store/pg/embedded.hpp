// A private PostgreSQL cluster made, started and watched by the daemon (design D4): Unix socket only, peer
// authentication, durable settings, a log without statements or values.
#pragma once

#include <sys/types.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sgl::pg {

namespace asio = boost::asio;

struct EmbeddedOptions {
    std::filesystem::path state_dir;   ///< holds cluster, log and lock; mode 0700, owned by the daemon's user
    std::filesystem::path socket_dir;  ///< empty: state_dir/socket; under 90 characters
    std::filesystem::path bin_dir;     ///< empty: the newest /usr/lib/postgresql/N/bin, N at least 15
    std::string shared_buffers = "256MB";
    std::string max_wal_size = "4GB";
    int max_connections = 100;
    std::chrono::milliseconds start_limit{60'000};  ///< recovery after a crash included
    std::chrono::milliseconds stop_limit{30'000};   ///< fast shutdown, before immediate
    /// Other OS users that may connect, as any role (tests that run as root).
    std::vector<std::string> more_os_users;
    bool unsafe_for_tests = false;  ///< fsync and full_page_writes off
};

/// Made by one process for one state directory. All waiting is by timers on the executor; the processes are forked from
/// the thread that runs the coroutine, and die with it (PR_SET_PDEATHSIG): run these on a thread that lives as long as
/// the daemon. Failures are std::runtime_error with a sentence for the operator.
class EmbeddedCluster {
public:
    enum class Role : std::uint8_t {
        supervisor,  ///< the server is our child
        guest,       ///< another living daemon supervises this state directory; we only connect
    };
    enum class Event : std::uint8_t { exited, restarted, restart_failed, took_over };

    EmbeddedCluster(asio::any_io_executor executor, EmbeddedOptions options);
    EmbeddedCluster(const EmbeddedCluster&) = delete;
    EmbeddedCluster& operator=(const EmbeddedCluster&) = delete;
    ~EmbeddedCluster();  ///< a server still running is told to stop at once (fast), without waiting

    /// Takes the lock, initialises the cluster when there is none, ends leftovers of a killed daemon, starts the server
    /// and returns when it answers. Refuses user root.
    asio::awaitable<Role> start();

    /// Fast shutdown, bounded by stop_limit, then immediate shutdown. No effect for a guest.
    asio::awaitable<void> stop();

    /// Restarts the server with growing delays (0.2 s to 10 s) each time it ends, and as a guest takes over when the
    /// supervisor is gone. Returns after stop(). `told` is called on the executor.
    asio::awaitable<void> supervise(std::function<void(Event)> told);

    Role role() const { return role_; }
    pid_t pid() const { return pid_; }  ///< 0 when the server is not running as our child
    std::string superuser() const;      ///< the OS user's name

    /// libpq connection string for a role of the private cluster.
    std::string conninfo(std::string_view user, std::string_view database) const;

    const std::filesystem::path& data_dir() const { return data_dir_; }
    const std::filesystem::path& socket_dir() const { return options_.socket_dir; }

private:
    bool try_lock();
    asio::awaitable<void> initialise();
    asio::awaitable<void> end_leftovers();
    asio::awaitable<void> launch();
    asio::awaitable<void> until_ready();
    asio::awaitable<int> run_tool(std::vector<std::string> command, std::filesystem::path output,
                                  std::chrono::milliseconds limit);
    asio::awaitable<void> pause(std::chrono::milliseconds duration);
    void write_configuration(const std::filesystem::path& data) const;
    bool reap();
    bool answers() const;

    asio::any_io_executor executor_;
    EmbeddedOptions options_;
    std::filesystem::path data_dir_;
    Role role_{Role::guest};
    pid_t pid_{0};
    int lock_{-1};
    bool stopping_{false};
};

}  // namespace sgl::pg
