#include "lib/net/listener.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "lib/base/log.hpp"
#include "lib/net/tcp_stream.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::net {

using asio::ip::tcp;

Result<void> check_listener_policy(const ListenerOptions& options, bool tls, bool client_certificates) {
    boost::system::error_code failed;
    const auto address = asio::ip::make_address(options.address, failed);
    if (failed) return Error{Fault::malformed, options.name, "the address of a listener is numeric"};
    if (address.is_loopback() || (tls && client_certificates)) return {};
    if (!options.trusted_network) {
        return Error{Fault::refused, options.name,
                     "a listener that other machines can reach needs TLS with client certificates, or "
                     "trusted_network = true with a list of allowed addresses"};
    }
    if (options.allowed_peers.empty()) {
        return Error{Fault::missing, options.name, "trusted_network needs a list of allowed addresses"};
    }
    return {};
}

struct Listener::State {
    State(const asio::any_io_executor& io, ListenerOptions chosen, TlsContextPtr context, ConnectionHandler serve_one)
        : executor(io), strand(asio::make_strand(io)), acceptor(strand), options(std::move(chosen)),
          tls(std::move(context)), handler(std::move(serve_one)) {}

    bool admit(const std::string& address) {
        const std::scoped_lock lock(mutex);
        if (total >= options.max_connections) return false;
        auto& mine = per_peer[address];
        if (mine >= options.max_connections_per_peer) return false;
        ++mine;
        ++total;
        return true;
    }

    void leave(const std::string& address) {
        const std::scoped_lock lock(mutex);
        --total;
        const auto entry = per_peer.find(address);
        if (--entry->second == 0) per_peer.erase(entry);
    }

    TlsContextPtr context() const {
        const std::scoped_lock lock(mutex);
        return tls;
    }

    bool allowed(const std::string& address) const {
        return options.allowed_peers.empty() ||
               std::ranges::any_of(options.allowed_peers, [&](const auto& one) { return address_in(address, one); });
    }

    asio::any_io_executor executor;
    asio::strand<asio::any_io_executor> strand;
    tcp::acceptor acceptor;
    ListenerOptions options;
    TlsContextPtr tls;
    ConnectionHandler handler;
    std::uint16_t port{};
    std::atomic<bool> stopped{false};
    TaskGroup tasks;
    mutable std::mutex mutex;
    std::map<std::string, std::size_t> per_peer;
    std::size_t total{0};
};

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}
Listener::~Listener() { stop(); }

Result<std::unique_ptr<Listener>> Listener::open(const asio::any_io_executor& executor, ListenerOptions options,
                                                 TlsContextPtr tls, ConnectionHandler handler) {
    boost::system::error_code failed;
    const std::string where = options.name + " " + options.address + ":" + std::to_string(options.port);
    const auto address = asio::ip::make_address(options.address, failed);
    if (failed) return Error{Fault::malformed, where, "the address of a listener is numeric"};
    const tcp::endpoint endpoint(address, options.port);
    auto state = std::make_shared<State>(executor, std::move(options), std::move(tls), std::move(handler));
    state->acceptor.open(endpoint.protocol(), failed);
    if (!failed) state->acceptor.set_option(asio::socket_base::reuse_address(true), failed);
    if (!failed) state->acceptor.bind(endpoint, failed);
    if (!failed) state->acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return Error{Fault::unavailable, where, "cannot listen: " + failed.message()};
    state->port = state->acceptor.local_endpoint().port();
    return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

void Listener::start() {
    asio::co_spawn(state_->strand, accept_loop(state_), [name = state_->options.name](std::exception_ptr failure) {
        if (failure) log::error("accept loop ended", {{"listener", log::Token(name)}});
    });
}

void Listener::stop() {
    if (state_->stopped.exchange(true)) return;
    asio::dispatch(state_->strand, [state = state_] {
        boost::system::error_code ignored;
        state->acceptor.close(ignored);
        state->tasks.close();
    });
}

asio::awaitable<bool> Listener::drain(Duration limit) {
    const auto state = state_;
    return [](std::shared_ptr<State> held, Duration wait) -> asio::awaitable<bool> {
        co_return co_await held->tasks.wait(wait);
    }(state, limit);
}

void Listener::use(TlsContextPtr tls) {
    const std::scoped_lock lock(state_->mutex);
    state_->tls = std::move(tls);
}

std::uint16_t Listener::port() const { return state_->port; }

std::size_t Listener::connections() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->total;
}

asio::awaitable<void> Listener::accept_loop(std::shared_ptr<State> state) {
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    while (!state->stopped) {
        // The connection lives on its own strand.
        auto connection = asio::make_strand(state->executor);
        tcp::socket socket = co_await state->acceptor.async_accept(connection, token);
        if (state->stopped) break;
        if (failed) {  // out of descriptors or the like: waiting a little lets connections end
            log::warn("connection not accepted", {{"listener", log::Token(state->options.name)},
                                                  {"reason", log::Token(failed.message())}});
            co_await pause(std::chrono::milliseconds(100));
            continue;
        }
        const std::string address = peer_of(socket).address;
        if (address.empty()) continue;  // gone already
        if (!state->allowed(address)) {
            log::warn("connection cut, address not allowed",
                      {{"listener", log::Token(state->options.name)}, {"peer", log::Token(address)}});
            continue;
        }
        if (!state->admit(address)) {
            log::warn("connection cut, too many are open",
                      {{"listener", log::Token(state->options.name)}, {"peer", log::Token(address)}});
            continue;
        }
        tune(socket);
        StreamPtr stream = std::make_unique<TcpStream>(std::move(socket));
        if (!state->tasks.spawn(connection, serve(state, std::move(stream)))) state->leave(address);
    }
}

asio::awaitable<void> Listener::serve(std::shared_ptr<State> state, StreamPtr stream) {
    struct Leaving {
        State& of;
        std::string address;
        ~Leaving() { of.leave(address); }
    };
    const Leaving leaving{*state, stream->peer().address};
    if (TlsContextPtr tls = state->context()) {
        auto secured = co_await start_tls_server(std::move(stream), std::move(tls), state->options.handshake_timeout);
        if (!secured) {
            log::warn("TLS connection refused", {{"listener", log::Token(state->options.name)},
                                                 {"peer", log::Token(leaving.address)},
                                                 {"reason", log::Token(secured.error().what)}});
            co_return;
        }
        stream = std::move(*secured);
    }
    co_await state->handler(std::move(stream));
}

}  // namespace sgl::net
