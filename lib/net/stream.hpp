// What every protocol of ours reads from and writes to: a connection, whatever carries it (TCP, TLS, memory in tests).
// Protocol code sees only this class, so that no file of theirs pays for Asio.SSL templates.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sgl::net {

namespace asio = boost::asio;

/// The certificate that the other side proved to hold.
struct PeerCertificate {
    std::string subject;  ///< RFC 2253, e.g. `CN=automate-1,O=Labo`
    std::string sha256;   ///< of the DER form: 64 lower-case hexadecimal digits

    bool operator==(const PeerCertificate&) const = default;
};

struct Peer {
    std::string address;  ///< numeric, without port: `192.0.2.7`, `2001:db8::1`
    std::uint16_t port{};
    std::optional<PeerCertificate> certificate;  ///< present only over TLS, and only when the peer sent one

    bool operator==(const Peer&) const = default;
};

/// One coroutine reads and one writes at a time. A broken connection is an exception (boost::system::system_error);
/// an orderly end is 0 from read_some. Destroying a stream cuts it. Bound every wait by `within` (timeout.hpp).
class Stream {
public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    /// At least one byte, at most buffer.size(); 0: the peer has finished. The buffer outlives the call.
    virtual asio::awaitable<std::size_t> read_some(std::span<char> buffer) = 0;
    /// All of them, or an exception. The bytes outlive the call.
    virtual asio::awaitable<void> write(std::span<const char> bytes) = 0;
    /// Orderly end (TLS close_notify, TCP FIN), bounded to 2 s; never throws.
    virtual asio::awaitable<void> close() = 0;

    virtual const Peer& peer() const = 0;
};

using StreamPtr = std::unique_ptr<Stream>;

/// `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. Text that is none of these matches nothing.
bool address_in(std::string_view address, std::string_view address_or_network);

}  // namespace sgl::net
