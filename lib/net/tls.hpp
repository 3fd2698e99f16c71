// TLS contexts from PEM files, and turning a TCP stream into a TLS one, at once or after STARTTLS (SEC-02, SEC-05).
// There is no switch to leave a certificate unverified.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/net/stream.hpp"

namespace sgl::net {

/// Paths of PEM files.
struct TlsFiles {
    std::string certificate_chain;  ///< own certificate first, then its issuers
    std::string private_key;        ///< PKCS#8 or traditional, not encrypted
    std::string ca;                 ///< the only authorities believed; the system's bundle is never used
};

enum class ClientCertificate : std::uint8_t { required, none };

/// Immutable once made; used by any number of connections and threads.
class TlsContext {
public:
    struct Private;
    explicit TlsContext(std::unique_ptr<Private> made);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext();

    Private& get() const { return *private_; }

private:
    std::unique_ptr<Private> private_;
};

using TlsContextPtr = std::shared_ptr<const TlsContext>;  // shared: a reload leaves running connections on the old one

/// For listeners. `files.ca` may be empty only with ClientCertificate::none (the console, where people log in).
/// Errors name the file: missing (cannot be opened), malformed (no PEM, or key and certificate do not match).
Result<TlsContextPtr> tls_server(const TlsFiles& files, ClientCertificate client = ClientCertificate::required);

/// For outgoing connections. `files.ca` is required; certificate and key are both present or both empty.
Result<TlsContextPtr> tls_client(const TlsFiles& files);

/// Until when the first certificate of a PEM file is valid. Errors as above.
Result<Instant> valid_until(const std::string& certificate_chain);

/// Makes the handshake as client on a plain TCP stream from connect(). `host` is sent as SNI and must be in the
/// server's certificate (name or IP address). Fault::refused: a certificate is not believed, by us or, when it says so
/// at once, by the server (security, never retry in plain text); Fault::unavailable: cut or timed out.
asio::awaitable<Result<StreamPtr>> start_tls_client(StreamPtr plain, TlsContextPtr context, std::string host,
                                                    Duration timeout);

/// The same as server.
asio::awaitable<Result<StreamPtr>> start_tls_server(StreamPtr plain, TlsContextPtr context, Duration timeout);

}  // namespace sgl::net
