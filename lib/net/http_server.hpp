// A small, strict HTTP/1.1 server over any Stream: what is doubtful is refused and the connection closed (SEC-50).
// Beast parses; routing, sessions and pages are the caller's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/net/http.hpp"
#include "lib/net/stream.hpp"

namespace sgl::net {

struct Request {
    std::string method;  ///< as sent: `GET`, `POST`…
    std::string path;    ///< percent-decoded, begins with `/`, no `.` or `..` segment, no control character
    Pairs query;         ///< decoded; every text is UTF-8
    Headers headers;
    std::string body;  ///< whole; chunks are put together
    Peer peer;
};

struct Response {
    unsigned status{200};
    Headers headers;  ///< Content-Length and Connection are added here, never given
    std::string body;
};

/// What it throws becomes status 500, without its text.
using HttpHandler = std::function<asio::awaitable<Response>(Request)>;

struct HttpServerOptions {
    /// Accepted values of Host, without port, lower case: `localhost`, `sgld.labo.example`, `[::1]`. Others get 421.
    std::vector<std::string> hosts{"localhost", "127.0.0.1", "[::1]"};
    Headers security_headers;  ///< added to every answer that does not set them itself
    std::size_t max_header{16 * 1024};
    std::size_t max_body{1024 * 1024};
    Duration idle{std::chrono::seconds(60)};             ///< between requests; then closed without a word
    Duration request_complete{std::chrono::seconds(60)};  ///< from the first byte of a request to its last; then 408
    Duration handler{std::chrono::seconds(60)};           ///< then 503
};

/// Serves one connection until either side ends it. `options` and `handler` outlive it.
asio::awaitable<void> serve_http(StreamPtr stream, const HttpServerOptions& options, const HttpHandler& handler);

}  // namespace sgl::net
