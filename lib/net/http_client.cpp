#include "lib/net/http_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>

#include "lib/base/text.hpp"

namespace sgl::net {

namespace {

long milliseconds(Duration time) {
    return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

/// `https://dmp.example:443/…` → `dmp.example:443`. Never the path: it may hold what a log may not.
std::string host_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    if (const auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
    return std::string(url);
}

bool is_tls_verdict(CURLcode code, std::string_view text) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_CLIENTCERT:
        case CURLE_SSL_CIPHER: return true;
        default: break;
    }
    // Their refusal of our certificate: an alert, in TLS 1.3 only after we began to send.
    return text.find("alert") != std::string_view::npos && text.find("SSL") != std::string_view::npos;
}

struct EasyDeleter {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

class HttpClient::Multi : public std::enable_shared_from_this<HttpClient::Multi> {
public:
    using Strand = asio::strand<asio::any_io_executor>;

    Multi(const asio::any_io_executor& executor, HttpClientOptions options)
        : strand_(asio::make_strand(executor)), timer_(strand_), options_(std::move(options)) {
        static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
        multi_ = curl_multi_init();
        if (ready != CURLE_OK || multi_ == nullptr) throw std::runtime_error("libcurl cannot start");
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
        curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 16L);
    }
    Multi(const Multi&) = delete;
    Multi& operator=(const Multi&) = delete;

    ~Multi() {
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
        for (auto& [fd, socket] : sockets_) socket->descriptor.release();
        curl_multi_cleanup(multi_);
    }

    const Strand& strand() const { return strand_; }

    /// On the strand.
    static asio::awaitable<HttpAnswer> perform(std::shared_ptr<Multi> self, HttpRequest request) {
        // On the heap: curl keeps its address.
        const auto transfer = std::make_unique<Transfer>(*self, std::move(request));
        if (!transfer->ready()) {
            HttpAnswer answer;
            answer.error = Error{Fault::malformed, transfer->where, "this request cannot be made"};
            co_return answer;
        }
        curl_multi_add_handle(self->multi_, transfer->easy.get());
        transfer->added = true;
        while (!transfer->result) {
            boost::system::error_code woken;
            auto token = asio::redirect_error(asio::use_awaitable, woken);
            co_await transfer->finished.async_wait(token);
        }
        co_return transfer->conclude();
    }

private:
    struct Transfer {
        Transfer(Multi& multi, HttpRequest asked)
            : owner(multi), request(std::move(asked)), where(host_of(request.url)), easy(curl_easy_init()),
              finished(multi.strand_) {
            finished.expires_at(std::chrono::steady_clock::time_point::max());
            prepare();
        }
        Transfer(const Transfer&) = delete;
        Transfer& operator=(const Transfer&) = delete;
        ~Transfer() {
            if (added) curl_multi_remove_handle(owner.multi_, easy.get());
        }

        bool ready() const { return easy && usable; }

        template <class Value>
        void set(CURLoption option, Value value) {
            usable = curl_easy_setopt(easy.get(), option, value) == CURLE_OK && usable;
        }

        void prepare() {
            if (!easy) return;
            const auto& options = owner.options_;
            set(CURLOPT_PRIVATE, this);
            set(CURLOPT_ERRORBUFFER, error_text.data());
            set(CURLOPT_NOSIGNAL, 1L);
            set(CURLOPT_URL, request.url.c_str());
            set(CURLOPT_PROTOCOLS_STR, options.allow_plain_http ? "https,http" : "https");
            set(CURLOPT_FOLLOWLOCATION, 0L);
            set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
            set(CURLOPT_PROXY, options.proxy.c_str());
            set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.connect_timeout));
            set(CURLOPT_TIMEOUT_MS, milliseconds(request.timeout));
            set(CURLOPT_TCP_KEEPALIVE, 1L);
            set(CURLOPT_TCP_KEEPIDLE, 60L);
            set(CURLOPT_TCP_KEEPINTVL, 10L);
            set_tls(options.tls);
            set_request();
            set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
            set(CURLOPT_WRITEDATA, this);
            set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
            set(CURLOPT_HEADERDATA, this);
        }

        void set_tls(const TlsFiles& files) {
            set(CURLOPT_SSL_VERIFYPEER, 1L);
            set(CURLOPT_SSL_VERIFYHOST, 2L);
            set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
            set(CURLOPT_SSL_CIPHER_LIST,
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
                "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305");
            // The system's authorities are never believed (SEC-05), whatever Debian compiled in.
            set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
            set(CURLOPT_CAINFO, files.ca.empty() ? nullptr : files.ca.c_str());
            if (!files.certificate_chain.empty()) {
                set(CURLOPT_SSLCERT, files.certificate_chain.c_str());
                set(CURLOPT_SSLKEY, files.private_key.c_str());
            }
        }

        void set_request() {
            const auto append = [&](const std::string& line) {
                curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
                if (longer == nullptr) throw std::bad_alloc();
                static_cast<void>(headers.release());
                headers.reset(longer);
            };
            for (const auto& [name, value] : request.headers) {
                usable = usable && name.find_first_of("\r\n:") == std::string::npos &&
                         value.find_first_of("\r\n") == std::string::npos;
                append(value.empty() ? name + ";" : name + ": " + value);
            }
            if (request.method == "POST") {
                set(CURLOPT_POST, 1L);
                // By callback, without a way back: libcurl cannot silently repeat a POST of which a byte has left.
                set(CURLOPT_READFUNCTION, &Transfer::on_read);
                set(CURLOPT_READDATA, this);
                set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
                append("Expect:");  // one round trip less; a refusal is answered anyway
            } else {
                usable = usable && request.method == "GET";
                set(CURLOPT_HTTPGET, 1L);
            }
            set(CURLOPT_HTTPHEADER, headers.get());
        }

        static std::size_t on_read(char* to, std::size_t size, std::size_t count, void* self) {
            auto& transfer = *static_cast<Transfer*>(self);
            const std::size_t part = std::min(size * count, transfer.request.body.size() - transfer.sent);
            std::memcpy(to, transfer.request.body.data() + transfer.sent, part);
            transfer.sent += part;
            return part;
        }

        static std::size_t on_body(const char* from, std::size_t size, std::size_t count, void* self) {
            auto& transfer = *static_cast<Transfer*>(self);
            const std::size_t part = size * count;
            if (transfer.answer.body.size() + part > transfer.owner.options_.max_answer) {
                transfer.too_large = true;
                return 0;
            }
            transfer.answer.body.append(from, part);
            return part;
        }

        static std::size_t on_header(const char* from, std::size_t size, std::size_t count, void* self) {
            auto& transfer = *static_cast<Transfer*>(self);
            const std::string_view line = trim(std::string_view(from, size * count));
            constexpr std::size_t most_headers = 200;
            if (line.starts_with("HTTP/")) {
                transfer.answer.headers = Headers();  // after `100 Continue` or a proxy's answer comes another one
            } else if (const auto colon = line.find(':');
                       colon != std::string_view::npos && transfer.answer.headers.size() < most_headers) {
                transfer.answer.headers.add(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
            }
            return size * count;
        }

        HttpAnswer conclude() {
            long status = 0;
            curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
            if (*result == CURLE_OK && status >= 200) {
                answer.kind = HttpAnswer::Kind::answered;
                answer.status = static_cast<unsigned>(status);
                return std::move(answer);
            }
            long header_bytes = 0;
            curl_easy_getinfo(easy.get(), CURLINFO_REQUEST_SIZE, &header_bytes);
            const std::string_view text = error_text.data();
            const bool security = is_tls_verdict(*result, text);
            const bool left = request.body.empty() ? header_bytes > 0 : sent > 0;
            answer = HttpAnswer();
            // A TLS peer that refuses our certificate never gave what it received to its application.
            answer.kind = left && !security ? HttpAnswer::Kind::in_doubt : HttpAnswer::Kind::not_sent;
            std::string what = too_large ? "the answer is too large" : curl_easy_strerror(*result);
            if (security && !text.empty()) what += " (" + std::string(text) + ")";
            answer.error = Error{security ? Fault::refused : Fault::unavailable, where, std::move(what)};
            return std::move(answer);
        }

        Multi& owner;
        HttpRequest request;
        std::string where;
        std::unique_ptr<CURL, EasyDeleter> easy;
        std::unique_ptr<curl_slist, ListDeleter> headers;
        asio::steady_timer finished;  // cancelled when `result` is set
        std::array<char, CURL_ERROR_SIZE> error_text{};
        bool usable{true};
        bool added{false};
        bool too_large{false};
        std::size_t sent{};
        std::optional<CURLcode> result;
        HttpAnswer answer;
    };

    struct Socket {
        Socket(const Strand& strand, curl_socket_t fd) : descriptor(strand, fd) {}
        asio::posix::stream_descriptor descriptor;  // borrowed: curl owns the fd, so it is always released, never closed
        bool want_read{false};
        bool want_write{false};
        bool reading{false};
        bool writing{false};
        bool dead{false};
    };
    using SocketPtr = std::shared_ptr<Socket>;  // shared with waits that may still be queued after CURL_POLL_REMOVE

    // Both are called by curl from inside its own functions: they only arrange waits.
    static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
        auto& multi = *static_cast<Multi*>(self);
        const auto known = multi.sockets_.find(fd);
        if (what == CURL_POLL_REMOVE) {
            if (known == multi.sockets_.end()) return 0;
            known->second->dead = true;
            known->second->descriptor.release();
            multi.sockets_.erase(known);
            return 0;
        }
        const SocketPtr socket =
            known != multi.sockets_.end()
                ? known->second
                : multi.sockets_.emplace(fd, std::make_shared<Socket>(multi.strand_, fd)).first->second;
        socket->want_read = (what & CURL_POLL_IN) != 0;
        socket->want_write = (what & CURL_POLL_OUT) != 0;
        multi.arm(socket, fd);
        return 0;
    }

    static int on_timer(CURLM*, long timeout_ms, void* self) {
        auto& multi = *static_cast<Multi*>(self);
        multi.timer_.cancel();
        if (timeout_ms < 0) return 0;
        multi.timer_.expires_after(std::chrono::milliseconds(timeout_ms));
        multi.timer_.async_wait([weak = multi.weak_from_this()](const boost::system::error_code& cancelled) {
            const auto held = weak.lock();
            if (cancelled || !held) return;
            held->act(CURL_SOCKET_TIMEOUT, 0);
        });
        return 0;
    }

    void arm(const SocketPtr& socket, curl_socket_t fd) {
        using Descriptor = asio::posix::stream_descriptor;
        if (socket->want_read && !socket->reading) {
            socket->reading = true;
            socket->descriptor.async_wait(Descriptor::wait_read, [this, self = shared_from_this(), socket, fd](auto failed) {
                socket->reading = false;
                woken(socket, fd, failed ? CURL_CSELECT_ERR : CURL_CSELECT_IN);
            });
        }
        if (socket->want_write && !socket->writing) {
            socket->writing = true;
            socket->descriptor.async_wait(Descriptor::wait_write, [this, self = shared_from_this(), socket, fd](auto failed) {
                socket->writing = false;
                woken(socket, fd, failed ? CURL_CSELECT_ERR : CURL_CSELECT_OUT);
            });
        }
    }

    void woken(const SocketPtr& socket, curl_socket_t fd, int event) {
        if (socket->dead) return;
        const bool wanted = event == CURL_CSELECT_ERR || (event == CURL_CSELECT_IN && socket->want_read) ||
                            (event == CURL_CSELECT_OUT && socket->want_write);
        if (wanted) act(fd, event);
        if (!socket->dead) arm(socket, fd);
    }

    void act(curl_socket_t fd, int events) {
        int running = 0;
        curl_multi_socket_action(multi_, fd, events, &running);
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            char* private_data = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_data);
            auto* transfer = reinterpret_cast<Transfer*>(private_data);
            transfer->result = message->data.result;
            transfer->finished.cancel();
        }
    }

    Strand strand_;
    asio::steady_timer timer_;
    HttpClientOptions options_;
    CURLM* multi_{nullptr};
    std::map<curl_socket_t, SocketPtr> sockets_;
};

HttpClient::HttpClient(std::shared_ptr<Multi> multi) : multi_(std::move(multi)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::make(const asio::any_io_executor& executor, HttpClientOptions options) {
    if (!options.tls.ca.empty() || !options.allow_plain_http) {
        // The same reading as for our own TLS, so that a wrong file is named now and not at the first letter.
        if (auto usable = tls_client(options.tls); !usable) return usable.error();
    }
    return std::unique_ptr<HttpClient>(new HttpClient(std::make_shared<Multi>(executor, std::move(options))));
}

asio::awaitable<HttpAnswer> HttpClient::send(HttpRequest request) {
    const auto multi = multi_;
    auto work = Multi::perform(multi, std::move(request));
    co_return co_await asio::co_spawn(multi->strand(), std::move(work), asio::use_awaitable);
}

}  // namespace sgl::net
