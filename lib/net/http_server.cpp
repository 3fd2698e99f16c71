#include "lib/net/http_server.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>

#include "lib/base/log.hpp"
#include "lib/base/text.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::net {

namespace http = boost::beast::http;

namespace {

/// Either a request, or the status with which it is refused; 0: the connection has nothing more to say.
struct Reading {
    Request request;
    unsigned refused{};
    bool keep_alive{true};
    bool ended{false};
};

std::optional<std::string> decode_path(std::string_view raw) {
    if (raw.empty() || raw.front() != '/' || raw.find('#') != std::string_view::npos) return std::nullopt;
    // In a path `+` is a plus; everything else is decoded as in a form.
    auto decoded = parse_form(replace_all(std::string(raw), "+", "%2B"));
    if (!decoded || decoded->size() != 1 || raw.find_first_of("&=") != std::string_view::npos) return std::nullopt;
    std::string path = std::move(decoded->front().first);
    const bool control = std::ranges::any_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (control || path.find('\\') != std::string::npos) return std::nullopt;
    // An escaped slash would give the path other segments than the one that was routed by a proxy.
    if (to_upper_ascii(raw).find("%2F") != std::string::npos) return std::nullopt;
    for (const auto segment : split(path, '/')) {
        if (segment == "." || segment == "..") return std::nullopt;
    }
    return path;
}

bool host_allowed(std::string_view host, const std::vector<std::string>& allowed) {
    const auto bracket = host.rfind(']');
    const auto colon = host.rfind(':');
    const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    const auto name = has_port ? host.substr(0, colon) : host;
    return std::ranges::any_of(allowed, [&](const auto& one) { return same_header_name(one, name); });
}

class Session {
public:
    Session(StreamPtr stream, const HttpServerOptions& options, const HttpHandler& handler)
        : stream_(std::move(stream)), options_(options), handler_(handler) {}

    asio::awaitable<void> run() {
        bool more = true;
        while (more) more = co_await exchange();
        co_await stream_->close();
    }

private:
    asio::awaitable<bool> exchange() {
        if (in_.empty()) {
            const auto begun = co_await within(options_.idle, fill());
            if (!begun || !*begun) co_return false;
        }
        auto read = co_await within(options_.request_complete, read_request());
        if (!read) {
            co_await answer(bare(408), false, false);
            co_return false;
        }
        if (read->ended) co_return false;
        if (read->refused != 0) {
            co_await answer(bare(read->refused), false, false);
            co_await linger();
            co_return false;
        }
        const bool keep_alive = read->keep_alive;
        const bool head = read->request.method == "HEAD";
        Response response = co_await handled(std::move(read->request));
        co_await answer(std::move(response), keep_alive, head);
        co_return keep_alive;
    }

    asio::awaitable<Response> handled(Request request) {
        try {
            auto done = co_await within(options_.handler, handler_(std::move(request)));
            if (!done) co_return bare(503);
            co_return std::move(*done);
        } catch (const std::exception& failure) {
            // By type only: the text could hold what the request held.
            log::error("request failed", {{"type", log::Token(typeid(failure).name())}});
        }
        co_return bare(500);
    }

    /// False when the peer has finished.
    asio::awaitable<bool> fill() {
        const std::size_t count = co_await stream_->read_some(buffer_);
        in_.append(buffer_.data(), count);
        co_return count != 0;
    }

    static Reading refuse(unsigned status) {
        Reading reading;
        reading.refused = status;
        return reading;
    }

    asio::awaitable<Reading> read_request() {
        std::size_t end = std::string::npos;
        while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
            if (in_.size() > options_.max_header) co_return refuse(431);
            const bool more = co_await fill();
            if (!more) {
                Reading reading;
                reading.ended = true;
                co_return reading;
            }
        }
        end += 4;
        if (end > options_.max_header) co_return refuse(431);
        const std::string_view head = std::string_view(in_).substr(0, end);
        // A folded header is read differently by different programs.
        if (head.find("\r\n ") != std::string_view::npos || head.find("\r\n\t") != std::string_view::npos) {
            co_return refuse(400);
        }

        http::request_parser<http::string_body> parser;
        parser.header_limit(static_cast<std::uint32_t>(options_.max_header));
        parser.body_limit(options_.max_body);
        bool extended = false;
        auto on_chunk = [&](std::uint64_t, boost::beast::string_view extensions, boost::beast::error_code&) {
            extended = extended || !extensions.empty();
        };
        parser.on_chunk_header(on_chunk);

        boost::beast::error_code failed;
        in_.erase(0, parser.put(asio::buffer(in_.data(), end), failed));
        if (failed && failed != http::error::need_more) co_return refuse(status_of(failed));
        if (!parser.is_header_done()) co_return refuse(400);
        Reading reading = check_head(parser.get());
        if (reading.refused != 0) co_return reading;
        const auto fields = std::distance(parser.get().begin(), parser.get().end());

        if (const auto expected = reading.request.headers.find("Expect")) {
            if (!same_header_name(*expected, "100-continue")) co_return refuse(417);
            if (in_.empty() && !parser.is_done()) {
                co_await stream_->write(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"));
            }
        }
        parser.eager(true);
        while (!parser.is_done()) {
            if (in_.empty()) {
                const bool more = co_await fill();
                if (!more) {
                    reading.ended = true;
                    co_return reading;
                }
            }
            in_.erase(0, parser.put(asio::buffer(in_), failed));
            if (failed && failed != http::error::need_more) co_return refuse(status_of(failed));
            if (parser.is_done()) break;
            if (in_.size() > options_.max_header) co_return refuse(400);  // an endless chunk header or trailer
            if (failed == http::error::need_more) {
                const bool more = co_await fill();
                if (!more) {
                    reading.ended = true;
                    co_return reading;
                }
            }
        }
        // Chunk extensions and trailers: nobody we serve sends them, smugglers do.
        if (extended || std::distance(parser.get().begin(), parser.get().end()) != fields) co_return refuse(400);
        reading.request.body = std::move(parser.get().body());
        co_return reading;
    }

    Reading check_head(const http::request<http::string_body>& head) const {
        if (head.version() != 11) return refuse(505);
        Reading reading;
        auto& request = reading.request;
        for (const auto& field : head) {
            request.headers.add(std::string(field.name_string()), std::string(field.value()));
        }
        const auto& headers = request.headers;
        if (headers.count("Host") != 1 || headers.count("Content-Length") > 1 || headers.count("Expect") > 1) {
            return refuse(400);
        }
        if (const auto length = headers.find("Content-Length")) {
            if (length->find_first_not_of("0123456789") != std::string_view::npos) return refuse(400);
        }
        if (const auto coding = headers.find("Transfer-Encoding")) {
            if (headers.find("Content-Length") || headers.count("Transfer-Encoding") > 1) return refuse(400);
            if (!same_header_name(*coding, "chunked")) return refuse(501);
        }
        if (!host_allowed(*headers.find("Host"), options_.hosts)) return refuse(421);
        const std::string_view target(head.target().data(), head.target().size());
        const auto question = target.find('?');
        auto path = decode_path(target.substr(0, question));
        if (!path) return refuse(400);
        request.path = std::move(*path);
        if (question != std::string_view::npos) {
            auto query = parse_form(target.substr(question + 1));
            if (!query) return refuse(400);
            request.query = std::move(*query);
        }
        request.method = std::string(head.method_string());
        request.peer = stream_->peer();
        reading.keep_alive = head.keep_alive();
        return reading;
    }

    static unsigned status_of(const boost::beast::error_code& failed) {
        if (failed == http::error::body_limit) return 413;
        if (failed == http::error::header_limit) return 431;
        return 400;
    }

    static Response bare(unsigned status) {
        Response response;
        response.status = status;
        const auto reason = http::obsolete_reason(http::int_to_status(status));
        response.body = std::string(reason) + "\n";
        response.headers.add("Content-Type", "text/plain; charset=utf-8");
        return response;
    }

    asio::awaitable<void> answer(Response response, bool keep_alive, bool head) {
        const auto splits = [](const auto& header) {
            return header.first.find_first_of("\r\n: ") != std::string::npos ||
                   header.second.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos;
        };
        if (std::ranges::any_of(response.headers, splits)) {
            log::error("an answer held a header that would split it");
            response = bare(500);
        }
        const auto status = http::int_to_status(response.status);
        std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
        out += std::string_view(http::obsolete_reason(status).data(), http::obsolete_reason(status).size());
        out += "\r\n";
        const auto put = [&](std::string_view name, std::string_view value) {
            out.append(name).append(": ").append(value).append("\r\n");
        };
        for (const auto& [name, value] : response.headers) put(name, value);
        for (const auto& [name, value] : options_.security_headers) {
            if (!response.headers.find(name)) put(name, value);
        }
        const bool bodiless = response.status == 204 || response.status == 304;
        if (!bodiless) put("Content-Length", std::to_string(response.body.size()));
        put("Connection", keep_alive ? "keep-alive" : "close");
        out += "\r\n";
        if (!bodiless && !head) out += response.body;
        // A reader that takes nothing is cut.
        const bool sent = co_await within(options_.request_complete, stream_->write(out));
        if (!sent) throw boost::system::system_error(make_error_code(boost::system::errc::timed_out));
    }

    /// Closing with unread bytes would reset the connection and could destroy the answer on its way.
    asio::awaitable<void> linger() {
        constexpr std::size_t most = 256 * 1024;
        std::size_t drained = 0;
        for (bool more = true; more && drained < most; drained += in_.size()) {
            in_.clear();
            const auto filled = co_await within(std::chrono::milliseconds(200), fill());
            more = filled && *filled;
        }
    }

    StreamPtr stream_;
    const HttpServerOptions& options_;
    const HttpHandler& handler_;
    std::string in_;
    std::array<char, 16 * 1024> buffer_{};
};

}  // namespace

asio::awaitable<void> serve_http(StreamPtr stream, const HttpServerOptions& options, const HttpHandler& handler) {
    // On the heap: the session is larger than a coroutine frame should be.
    const auto session = std::make_unique<Session>(std::move(stream), options, handler);
    try {
        co_await session->run();
    } catch (const boost::system::system_error&) {  // the browser went away
    }
}

}  // namespace sgl::net
