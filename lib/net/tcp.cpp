#include "lib/net/tcp.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "lib/net/tcp_stream.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::net {

using asio::ip::tcp;

Peer peer_of(const tcp::socket& socket) {
    boost::system::error_code gone;
    const auto endpoint = socket.remote_endpoint(gone);
    if (gone) return {};
    auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    return Peer{.address = address.to_string(), .port = endpoint.port(), .certificate = std::nullopt};
}

void tune(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    const auto set = [&](int option, int value) {
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
    };
    set(TCP_KEEPIDLE, 60);
    set(TCP_KEEPINTVL, 10);
    set(TCP_KEEPCNT, 6);
}

asio::awaitable<std::size_t> TcpStream::read_some(std::span<char> buffer) {
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    const std::size_t count = co_await socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()), token);
    if (failed == asio::error::eof) co_return 0;
    if (failed) throw boost::system::system_error(failed);
    co_return count;
}

asio::awaitable<void> TcpStream::write(std::span<const char> bytes) {
    co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), asio::use_awaitable);
}

asio::awaitable<void> TcpStream::close() {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    co_return;
}

namespace {

struct Attempt {
    std::optional<tcp::socket> socket;
    std::string what;
};

asio::awaitable<Attempt> attempt(const std::string& host, std::uint16_t port) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    boost::system::error_code failed;
    Attempt result;
    tcp::resolver resolver(executor);
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    const std::string service = std::to_string(port);
    const auto endpoints = co_await resolver.async_resolve(host, service, tcp::resolver::numeric_service, token);
    if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);  // the time is up
    if (failed) {
        result.what = "host name not resolved: " + failed.message();
        co_return result;
    }
    tcp::socket socket(executor);
    co_await asio::async_connect(socket, endpoints, token);
    if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);
    if (failed) {
        result.what = "not connected: " + failed.message();
        co_return result;
    }
    tune(socket);
    result.socket.emplace(std::move(socket));
    co_return result;
}

}  // namespace

asio::awaitable<Result<StreamPtr>> connect(std::string host, std::uint16_t port, Duration timeout) {
    auto done = co_await within(timeout, attempt(host, port));
    const std::string where = host + ":" + std::to_string(port);
    if (!done) co_return Error{Fault::unavailable, where, "not connected in time"};
    if (!done->socket) co_return Error{Fault::unavailable, where, done->what};
    StreamPtr stream = std::make_unique<TcpStream>(std::move(*done->socket));
    co_return Result<StreamPtr>(std::move(stream));
}

}  // namespace sgl::net
