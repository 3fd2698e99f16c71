// Private to lib/net: a Stream over a TCP socket, and the way to take the socket out again for STARTTLS.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "lib/net/stream.hpp"

namespace sgl::net {

/// The numeric peer of a connected socket; empty when it is already gone.
Peer peer_of(const asio::ip::tcp::socket& socket);
/// No delay, keep-alive 60/10/6.
void tune(asio::ip::tcp::socket& socket);

class TcpStream final : public Stream {
public:
    explicit TcpStream(asio::ip::tcp::socket socket) : socket_(std::move(socket)), peer_(peer_of(socket_)) {}

    asio::awaitable<std::size_t> read_some(std::span<char> buffer) override;
    asio::awaitable<void> write(std::span<const char> bytes) override;
    asio::awaitable<void> close() override;
    const Peer& peer() const override { return peer_; }

    asio::ip::tcp::socket release() { return std::move(socket_); }

private:
    asio::ip::tcp::socket socket_;
    Peer peer_;
};

}  // namespace sgl::net
