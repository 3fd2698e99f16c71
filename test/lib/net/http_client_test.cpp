#include "lib/net/http_client.hpp"

#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <set>

#include "lib/net/http_server.hpp"
#include "lib/net/listener.hpp"
#include "lib/net/timeout.hpp"
#include "test/lib/net/run.hpp"
#include "test/lib/net/throwaway_pki.hpp"

namespace sgl::net {
namespace {

using namespace std::chrono_literals;
using test::run;
using Kind = HttpAnswer::Kind;

class HttpClientOverTls : public ::testing::Test {
protected:
    static void SetUpTestSuite() { pki = std::make_unique<test::ThrowawayPki>(); }
    static void TearDownTestSuite() { pki.reset(); }

    HttpClientOverTls() {
        http.max_body = 10 * 1024 * 1024;
        handler = [this](Request request) -> asio::awaitable<Response> {
            ports.insert(request.peer.port);
            Response response;
            response.status = request.path == "/fault" ? 500 : 200;
            response.headers.add("Content-Type", "application/soap+xml");
            response.body = request.method + " " + std::to_string(request.body.size()) + " " +
                            std::string(request.headers.find("Content-Type").value_or("-"));
            seen.push_back(std::move(request));
            co_return response;
        };
        serve = [this](StreamPtr stream) { return serve_http(std::move(stream), http, handler); };
    }

    void start(TlsContextPtr tls) {
        ListenerOptions options;
        options.name = "partner";
        options.address = "127.0.0.1";
        auto opened = Listener::open(io.get_executor(), options, std::move(tls),
                                     [this](StreamPtr stream) { return serve(std::move(stream)); });
        listener = std::move(*opened);
        listener->start();
    }
    void start() { start(tls_server(pki->issue("partenaire")).value()); }

    std::unique_ptr<HttpClient> client(TlsFiles files) {
        HttpClientOptions options;
        options.tls = std::move(files);
        options.max_answer = 1000;
        return std::move(HttpClient::make(io.get_executor(), options).value());
    }
    std::unique_ptr<HttpClient> client() { return client(pki->issue("laboratoire")); }

    HttpRequest post(std::string body, std::string path = "/depot") {
        HttpRequest request;
        request.url = "https://localhost:" + std::to_string(listener->port()) + path;
        request.headers.add("Content-Type", "text/xml");
        request.body = std::move(body);
        request.timeout = 5s;
        return request;
    }

    /// A partner that reads the whole request and then behaves badly.
    void misbehave(std::string answer, Duration wait = 0s) {
        serve = [answer, wait](StreamPtr stream) -> asio::awaitable<void> {
            return [](StreamPtr held, std::string bytes, Duration time) -> asio::awaitable<void> {
                std::string heard;
                std::array<char, 4096> buffer{};
                while (!heard.ends_with("END")) {
                    const std::size_t count = co_await held->read_some(buffer);
                    if (count == 0) co_return;
                    heard.append(buffer.data(), count);
                }
                if (time > 0s) co_await pause(time);
                if (!bytes.empty()) co_await held->write(bytes);
                co_await held->close();
            }(std::move(stream), answer, wait);
        };
    }

    static inline std::unique_ptr<test::ThrowawayPki> pki;
    asio::io_context io;
    HttpServerOptions http;
    HttpHandler handler;
    ConnectionHandler serve;
    std::unique_ptr<Listener> listener;
    std::vector<Request> seen;
    std::set<std::uint16_t> ports;
};

TEST_F(HttpClientOverTls, PostsAndReadsTheAnswer) {
    start();
    auto partner = client();
    const auto answer = run(io, partner->send(post("<a/>")));
    EXPECT_EQ(answer.kind, Kind::answered) << to_string(answer.error);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, "POST 4 text/xml");
    EXPECT_EQ(answer.headers.find("content-type"), "application/soap+xml");
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].body, "<a/>");
    EXPECT_EQ(seen[0].headers.find("content-length"), "4");
    EXPECT_TRUE(seen[0].peer.certificate->subject.starts_with("CN=laboratoire"));
}

TEST_F(HttpClientOverTls, AnErrorStatusIsAnAnswer) {
    start();
    auto partner = client();
    const auto answer = run(io, partner->send(post("<a/>", "/fault")));
    EXPECT_EQ(answer.kind, Kind::answered);
    EXPECT_EQ(answer.status, 500U);
}

TEST_F(HttpClientOverTls, KeepsItsConnection) {
    start();
    auto partner = client();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(run(io, partner->send(post("<a/>"))).kind, Kind::answered);
    EXPECT_EQ(ports.size(), 1U);
}

TEST_F(HttpClientOverTls, SendsAndReceivesAtTheSameTime) {
    start();
    auto partner = client();
    const std::string large(3 * 1024 * 1024, 'x');
    auto scene = [&]() -> asio::awaitable<unsigned> {
        using namespace asio::experimental::awaitable_operators;
        auto all = partner->send(post(large)) && partner->send(post(large)) && partner->send(post("small"));
        auto [a, b, c] = co_await std::move(all);
        co_return a.status + b.status + c.status;
    };
    EXPECT_EQ(run(io, scene()), 600U);
    EXPECT_EQ(seen.size(), 3U);
}

TEST_F(HttpClientOverTls, NothingWasSentWhenNobodyListens) {
    start();
    auto request = post("<a/>");
    listener->stop();
    auto partner = client();
    auto scene = [&]() -> asio::awaitable<HttpAnswer> {
        co_await pause(2ms);
        co_return co_await partner->send(request);
    };
    const auto answer = run(io, scene());
    EXPECT_EQ(answer.kind, Kind::not_sent);
    EXPECT_EQ(answer.error.fault, Fault::unavailable);
    EXPECT_EQ(answer.error.where, request.url.substr(8, request.url.size() - 8 - 6));
}

TEST_F(HttpClientOverTls, NothingWasSentWhenTheServerIsNotBelieved) {
    start(tls_server(pki->issue_by_stranger("partenaire")).value());
    auto partner = client();
    const auto answer = run(io, partner->send(post("<a/>")));
    EXPECT_EQ(answer.kind, Kind::not_sent);
    EXPECT_EQ(answer.error.fault, Fault::refused);
    EXPECT_TRUE(seen.empty());
}

TEST_F(HttpClientOverTls, NothingWasSentWhenTheServerIsAnother) {
    start(tls_server(pki->issue_for_other_host()).value());
    auto partner = client();
    const auto answer = run(io, partner->send(post("<a/>")));
    EXPECT_EQ(answer.kind, Kind::not_sent);
    EXPECT_EQ(answer.error.fault, Fault::refused) << answer.error.what;
}

TEST_F(HttpClientOverTls, NothingWasSentWhenOurCertificateIsRefused) {
    start();
    auto stranger = client(pki->issue_by_stranger("laboratoire"));
    const auto answer = run(io, stranger->send(post("<a/>")));
    EXPECT_EQ(answer.kind, Kind::not_sent);
    EXPECT_EQ(answer.error.fault, Fault::refused) << answer.error.what;
    EXPECT_TRUE(seen.empty());
}

TEST_F(HttpClientOverTls, IsInDoubtWhenTheAnswerNeverComes) {
    misbehave("");
    start();
    auto partner = client();
    const auto answer = run(io, partner->send(post("<a/>END")));
    EXPECT_EQ(answer.kind, Kind::in_doubt) << to_string(answer.error);
    EXPECT_EQ(answer.error.fault, Fault::unavailable);
}

TEST_F(HttpClientOverTls, IsInDoubtWhenTheAnswerBreaksOff) {
    misbehave("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<partial");
    start();
    auto partner = client();
    EXPECT_EQ(run(io, partner->send(post("<a/>END"))).kind, Kind::in_doubt);
}

TEST_F(HttpClientOverTls, IsInDoubtWhenTheAnswerIsNoHttp) {
    misbehave("bonjour\r\n\r\n");
    start();
    auto partner = client();
    EXPECT_EQ(run(io, partner->send(post("<a/>END"))).kind, Kind::in_doubt);
}

TEST_F(HttpClientOverTls, IsInDoubtWhenTheAnswerIsTooLarge) {
    misbehave("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'x'));
    start();
    auto partner = client();
    const auto answer = run(io, partner->send(post("<a/>END")));
    EXPECT_EQ(answer.kind, Kind::in_doubt);
    EXPECT_TRUE(answer.body.empty());
}

TEST_F(HttpClientOverTls, IsInDoubtWhenTheTimeIsUp) {
    misbehave("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 10s);
    start();
    auto partner = client();
    auto request = post("<a/>END");
    request.timeout = 1s;
    EXPECT_EQ(run(io, partner->send(std::move(request))).kind, Kind::in_doubt);
}

TEST_F(HttpClientOverTls, EndsWhenItsCallerIsCancelled) {
    misbehave("", 10s);
    start();
    auto partner = client();
    auto request = post("<a/>END");
    const auto start_time = std::chrono::steady_clock::now();
    EXPECT_FALSE(run(io, within(50ms, partner->send(std::move(request)))));
    EXPECT_LT(std::chrono::steady_clock::now() - start_time, 3s);
}

TEST_F(HttpClientOverTls, NeverFollowsToPlainHttp) {
    start();
    auto partner = client();
    auto request = post("<a/>");
    request.url.replace(0, 5, "http");
    const auto answer = run(io, partner->send(std::move(request)));
    EXPECT_EQ(answer.kind, Kind::not_sent);
}

TEST_F(HttpClientOverTls, NamesTheFileThatIsWrong) {
    HttpClientOptions options;
    options.tls = pki->issue("laboratoire");
    options.tls.ca = "/nowhere/ca.pem";
    EXPECT_EQ(HttpClient::make(io.get_executor(), options).error().where, "/nowhere/ca.pem");
}

}  // namespace
}  // namespace sgl::net
