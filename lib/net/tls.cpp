#include "lib/net/tls.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "lib/base/digest.hpp"
#include "lib/net/tcp_stream.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::net {

using asio::ip::tcp;

struct TlsContext::Private {
    asio::ssl::context context{asio::ssl::context::tls};
};

TlsContext::TlsContext(std::unique_ptr<Private> made) : private_(std::move(made)) {}
TlsContext::~TlsContext() = default;

namespace {

constexpr auto close_limit = std::chrono::seconds(2);

Result<void> readable(const std::string& path, std::string_view role) {
    if (path.empty()) return Error{Fault::missing, std::string(role), "no file is configured"};
    const std::ifstream file(path);
    if (!file || std::filesystem::is_directory(path)) return Error{Fault::missing, path, "this file cannot be read"};
    return {};
}

Error unusable(const std::string& path, std::string_view why) {
    std::string what(why);
    if (const auto code = ERR_peek_last_error(); code != 0) {
        if (const char* reason = ERR_reason_error_string(code)) what += std::string(" (") + reason + ")";
    }
    ERR_clear_error();
    return Error{Fault::malformed, path, std::move(what)};
}

Result<void> load_identity(SSL_CTX* context, const TlsFiles& files) {
    if (auto ok = readable(files.certificate_chain, "TLS certificate chain"); !ok) return ok;
    if (auto ok = readable(files.private_key, "TLS private key"); !ok) return ok;
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate_chain.c_str()) != 1) {
        return unusable(files.certificate_chain, "this is no PEM certificate chain");
    }
    // An encrypted key must fail, not ask at the terminal.
    SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
    if (SSL_CTX_use_PrivateKey_file(context, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return unusable(files.private_key, "this is no unencrypted PEM private key of that certificate");
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return unusable(files.private_key, "this key does not belong to the certificate");
    }
    return {};
}

Result<void> load_authorities(SSL_CTX* context, const std::string& path) {
    if (auto ok = readable(path, "TLS authorities"); !ok) return ok;
    if (SSL_CTX_load_verify_locations(context, path.c_str(), nullptr) != 1) {
        return unusable(path, "this file holds no PEM authority certificate");
    }
    return {};
}

/// SEC-02.
std::unique_ptr<TlsContext::Private> bare_context() {
    auto made = std::make_unique<TlsContext::Private>();
    SSL_CTX* context = made->context.native_handle();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context,
                            "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
                            "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305");
    SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);  // no resumption, hence no ticket keys to rotate
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return made;
}

std::optional<PeerCertificate> certificate_of(SSL* ssl) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl), &X509_free);
    if (!certificate) return std::nullopt;
    PeerCertificate result;
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
    constexpr unsigned long utf8_rfc2253 = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
    X509_NAME_print_ex(memory.get(), X509_get_subject_name(certificate.get()), 0, utf8_rfc2253);
    std::array<char, 512> part{};
    for (int count = 0; (count = BIO_read(memory.get(), part.data(), static_cast<int>(part.size()))) > 0;) {
        result.subject.append(part.data(), static_cast<std::size_t>(count));
    }
    std::array<std::uint8_t, 32> digest{};
    unsigned length = 0;
    X509_digest(certificate.get(), EVP_sha256(), digest.data(), &length);
    result.sha256 = to_hex(digest);
    return result;
}

class TlsStream final : public Stream {
public:
    TlsStream(tcp::socket socket, TlsContextPtr context)
        : context_(std::move(context)), stream_(std::move(socket), context_->get().context),
          peer_(peer_of(stream_.next_layer())) {}

    asio::awaitable<std::size_t> read_some(std::span<char> buffer) override {
        boost::system::error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        const std::size_t count = co_await stream_.async_read_some(asio::buffer(buffer.data(), buffer.size()), token);
        // Many peers leave without close_notify; every protocol of ours knows by itself whether a message is whole.
        if (failed == asio::error::eof || failed == asio::ssl::error::stream_truncated) co_return 0;
        if (failed) throw boost::system::system_error(failed);
        co_return count;
    }

    asio::awaitable<void> write(std::span<const char> bytes) override {
        co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), asio::use_awaitable);
    }

    asio::awaitable<void> close() override {
        try {
            co_await within(close_limit, shutdown());
        } catch (const boost::system::system_error&) {  // the other side is gone: closed as well
        }
        boost::system::error_code ignored;
        stream_.next_layer().close(ignored);
    }

    const Peer& peer() const override { return peer_; }

    asio::awaitable<boost::system::error_code> handshake(asio::ssl::stream_base::handshake_type role) {
        boost::system::error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        co_await stream_.async_handshake(role, token);
        if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);  // the time is up
        if (!failed) peer_.certificate = certificate_of(stream_.native_handle());
        co_return failed;
    }

    SSL* native() { return stream_.native_handle(); }

private:
    asio::awaitable<void> shutdown() {
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await stream_.async_shutdown(token);
    }

    TlsContextPtr context_;
    asio::ssl::stream<tcp::socket> stream_;
    Peer peer_;
};

bool expect_host(SSL* ssl, std::string host) {
    boost::system::error_code not_numeric;
    asio::ip::make_address(host, not_numeric);
    if (!not_numeric) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    // SSL_set_tlsext_host_name, spelt without its C cast.
    return SSL_set1_host(ssl, host.c_str()) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

asio::awaitable<Result<StreamPtr>> start(StreamPtr plain, TlsContextPtr context, std::string host, Duration timeout,
                                         asio::ssl::stream_base::handshake_type role) {
    auto* tcp_stream = dynamic_cast<TcpStream*>(plain.get());
    if (tcp_stream == nullptr) co_return Error{Fault::unsupported, "tls", "TLS is made over plain TCP only"};
    const std::string where = role == asio::ssl::stream_base::client ? host : plain->peer().address;
    auto stream = std::make_unique<TlsStream>(tcp_stream->release(), std::move(context));
    plain.reset();
    if (role == asio::ssl::stream_base::client && !expect_host(stream->native(), host)) {
        co_return Error{Fault::malformed, where, "this host name cannot be verified"};
    }
    const auto done = co_await within(timeout, stream->handshake(role));
    if (!done) co_return Error{Fault::unavailable, where, "TLS handshake not finished in time"};
    if (*done) {
        const long verdict = SSL_get_verify_result(stream->native());
        if (verdict != X509_V_OK) {
            const std::string reason = X509_verify_cert_error_string(verdict);
            co_return Error{Fault::refused, where, "the certificate of the other side is not accepted: " + reason};
        }
        const bool ssl_said_no = done->category() == asio::error::get_ssl_category();
        const Fault fault = ssl_said_no ? Fault::refused : Fault::unavailable;
        co_return Error{fault, where, "TLS handshake failed: " + done->message()};
    }
    StreamPtr ready = std::move(stream);
    co_return Result<StreamPtr>(std::move(ready));
}

}  // namespace

Result<TlsContextPtr> tls_server(const TlsFiles& files, ClientCertificate client) {
    auto made = bare_context();
    SSL_CTX* context = made->context.native_handle();
    if (auto ok = load_identity(context, files); !ok) return ok.error();
    if (client == ClientCertificate::required) {
        if (auto ok = load_authorities(context, files.ca); !ok) return ok.error();
        // Tells clients which authorities we believe, so that they choose the right certificate.
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.ca.c_str()));
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    constexpr std::array<unsigned char, 4> session_context{'s', 'g', 'l', 'd'};
    SSL_CTX_set_session_id_context(context, session_context.data(), session_context.size());
    return TlsContextPtr(std::make_shared<TlsContext>(std::move(made)));
}

Result<TlsContextPtr> tls_client(const TlsFiles& files) {
    auto made = bare_context();
    SSL_CTX* context = made->context.native_handle();
    if (auto ok = load_authorities(context, files.ca); !ok) return ok.error();
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (!files.certificate_chain.empty() || !files.private_key.empty()) {
        if (auto ok = load_identity(context, files); !ok) return ok.error();
    }
    return TlsContextPtr(std::make_shared<TlsContext>(std::move(made)));
}

Result<Instant> valid_until(const std::string& certificate_chain) {
    if (auto ok = readable(certificate_chain, "TLS certificate chain"); !ok) return ok.error();
    const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(certificate_chain.c_str(), "r"), &BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr, &X509_free);
    if (!certificate) return unusable(certificate_chain, "this is no PEM certificate");
    std::tm end{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1)
        return unusable(certificate_chain, "the certificate says no end");
    const std::chrono::year_month_day day{std::chrono::year{end.tm_year + 1900},
                                          std::chrono::month{static_cast<unsigned>(end.tm_mon + 1)},
                                          std::chrono::day{static_cast<unsigned>(end.tm_mday)}};
    return Instant(std::chrono::sys_days(day)) + std::chrono::hours(end.tm_hour) + std::chrono::minutes(end.tm_min) +
           std::chrono::seconds(end.tm_sec);
}

asio::awaitable<Result<StreamPtr>> start_tls_client(StreamPtr plain, TlsContextPtr context, std::string host,
                                                    Duration timeout) {
    return start(std::move(plain), std::move(context), std::move(host), timeout, asio::ssl::stream_base::client);
}

asio::awaitable<Result<StreamPtr>> start_tls_server(StreamPtr plain, TlsContextPtr context, Duration timeout) {
    return start(std::move(plain), std::move(context), std::string(), timeout, asio::ssl::stream_base::server);
}

}  // namespace sgl::net
