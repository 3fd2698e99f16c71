// Accepting connections: address rules and limits first, then TLS, then one coroutine per connection.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/net/stream.hpp"
#include "lib/net/tls.hpp"

namespace sgl::net {

struct ListenerOptions {
    std::string name;             ///< for logs and errors: `mllp`, `console`
    std::string address;          ///< numeric; a listener has one address (SEC-04)
    std::uint16_t port{};         ///< 0: the system chooses (tests)
    bool trusted_network{false};  ///< permits plain text or anonymous peers off loopback, with allowed_peers (SEC-01)
    std::vector<std::string> allowed_peers;  ///< addresses or networks; empty: any. Others are cut before a byte is read
    std::size_t max_connections{256};
    std::size_t max_connections_per_peer{32};                   ///< by address
    Duration handshake_timeout{std::chrono::seconds(10)};       ///< SEC-07
};

/// SEC-01: off loopback a listener needs TLS with client certificates, or `trusted_network` with an allowlist.
Result<void> check_listener_policy(const ListenerOptions& options, bool tls, bool client_certificates);

/// Owns the connection until it returns; what it throws ends only that connection. Runs on the connection's own strand.
using ConnectionHandler = std::function<asio::awaitable<void>(StreamPtr)>;

class Listener {
public:
    /// Binds and listens; nothing is accepted before start(). `tls` null: plain TCP. Fault::unavailable when the address
    /// is taken or not ours, Fault::malformed when it is no numeric address. Does not apply check_listener_policy.
    static Result<std::unique_ptr<Listener>> open(const asio::any_io_executor& executor, ListenerOptions options,
                                                  TlsContextPtr tls, ConnectionHandler handler);

    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener();  ///< stops accepting; running connections go on

    void start();
    void stop();  ///< closes the port; running connections go on. Thread-safe

    /// New certificates, for the connections to come; those that are open keep the old ones (SEC-06). Thread-safe.
    void use(TlsContextPtr tls);

    /// After stop(): waits at most `limit` for running connections, then cancels them. True when all have ended.
    asio::awaitable<bool> drain(Duration limit);

    std::uint16_t port() const;        ///< the bound one
    std::size_t connections() const;   ///< open now, handshakes included

private:
    struct State;
    explicit Listener(std::shared_ptr<State> state);
    static asio::awaitable<void> accept_loop(std::shared_ptr<State> state);
    static asio::awaitable<void> serve(std::shared_ptr<State> state, StreamPtr stream);

    std::shared_ptr<State> state_;  // shared with the accept loop and the connections, which may end later
};

}  // namespace sgl::net
