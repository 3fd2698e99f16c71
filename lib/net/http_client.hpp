// POST over HTTPS to partners (DMP, INSi, directory): libcurl's multi interface driven by Asio. The answer says how far
// the request got, because what may have arrived is never repeated blindly (design D7).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/net/http.hpp"
#include "lib/net/tls.hpp"

namespace sgl::net {

struct HttpClientOptions {
    TlsFiles tls;       ///< `ca` is required for https; certificate and key both present or both empty
    std::string proxy;  ///< `http://proxy.labo.example:3128`; empty: none, whatever the environment says
    Duration connect_timeout{std::chrono::seconds(10)};  ///< name, TCP and TLS
    std::size_t max_answer{32 * 1024 * 1024};            ///< bytes of the body; above, the answer is in doubt
    bool allow_plain_http{false};                        ///< for loopback in tests and the demonstration
};

struct HttpRequest {
    std::string method{"POST"};  ///< `POST` or `GET`
    std::string url;
    Headers headers;   ///< Content-Type included
    std::string body;  ///< sent with its length, never in chunks
    Duration timeout{std::chrono::seconds(60)};  ///< for all of it
};

struct HttpAnswer {
    enum class Kind : std::uint8_t {
        answered,  ///< status, headers and the whole body are here
        not_sent,  ///< no byte of the body left: resolve, connect, TLS failed, or nothing was written. Safe to repeat
        in_doubt,  ///< the request left, whole or in part, and no whole answer came back
    } kind{Kind::not_sent};
    unsigned status{};
    Headers headers;
    std::string body;
    /// Why, unless answered. Fault::refused: certificates are not accepted, by us or by them (security: a person must
    /// look); Fault::unavailable: everything else. Without anything of the request or the answer.
    Error error;
};

/// One per partner and certificate; keeps its connections alive between requests. Any number of requests at once, all
/// from coroutines on any executor; the client's own work runs on a strand of `executor`.
class HttpClient {
public:
    /// Fault::missing or malformed, with the path, when a file of `options.tls` is not usable.
    static Result<std::unique_ptr<HttpClient>> make(const asio::any_io_executor& executor, HttpClientOptions options);

    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    ~HttpClient();  ///< requests still under way go on to their end

    /// Never throws for what the partner does. Cancelling the caller ends the request.
    asio::awaitable<HttpAnswer> send(HttpRequest request);

private:
    class Multi;
    explicit HttpClient(std::shared_ptr<Multi> multi);

    std::shared_ptr<Multi> multi_;  // shared with handlers that Asio may still hold queued
};

}  // namespace sgl::net
