#include "lib/net/http_server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <stdexcept>

#include "lib/net/timeout.hpp"
#include "test/lib/net/memory_stream.hpp"
#include "test/lib/net/run.hpp"

namespace sgl::net {
namespace {

using namespace std::chrono_literals;
using test::run;

class HttpServer : public ::testing::Test {
protected:
    HttpServer() {
        options.hosts = {"labo.test", "[::1]"};
        options.security_headers.add("X-Content-Type-Options", "nosniff");
        options.idle = 50ms;
        options.request_complete = 200ms;
        options.max_body = 1000;
    }

    /// Everything the server answers to these bytes, which arrive `slice` at a time; then the client ends.
    std::string talk(std::string bytes, std::size_t slice = 64 * 1024) {
        auto [client, server] = test::memory_streams(io.get_executor());
        server->read_in_slices_of(slice);
        auto scene = [&]() -> asio::awaitable<std::string> {
            co_await client->write(bytes);
            co_await client->close();
            StreamPtr served = std::move(server);
            co_await serve_http(std::move(served), options, handler);
            std::string heard;
            std::array<char, 4096> buffer{};
            while (const std::size_t count = co_await client->read_some(buffer)) heard.append(buffer.data(), count);
            co_return heard;
        };
        return run(io, scene());
    }

    unsigned status(std::string bytes) {
        const auto heard = talk(std::move(bytes));
        return heard.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(heard.substr(9, 3)));
    }

    asio::io_context io;
    HttpServerOptions options;
    std::vector<Request> seen;
    HttpHandler handler = [this](Request request) -> asio::awaitable<Response> {
        Response response;
        response.body = request.method + " " + request.path;
        for (const auto& [name, value] : request.query) response.body += " " + name + "=" + value;
        response.body += " [" + request.body + "]";
        seen.push_back(std::move(request));
        co_return response;
    };
};

TEST_F(HttpServer, AnswersWithTheSecurityHeaders) {
    EXPECT_EQ(talk("GET /liste?site=Saint%2DDenis&q=a+b HTTP/1.1\r\nHost: labo.test:8443\r\n\r\n"),
              "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 36\r\nConnection: keep-alive\r\n\r\n"
              "GET /liste site=Saint-Denis q=a b []");
}

TEST_F(HttpServer, ReadsARequestHoweverItsBytesArrive) {
    const std::string request = "POST /%C3%A9crire HTTP/1.1\r\nHost: LABO.test\r\nContent-Length: 7\r\n\r\nbonjour";
    const std::string whole = talk(request);
    EXPECT_TRUE(whole.ends_with("POST /écrire [bonjour]")) << whole;
    EXPECT_EQ(talk(request, 1), whole);
    EXPECT_EQ(talk(request, 3), whole);
}

TEST_F(HttpServer, ServesSeveralRequestsOfOneConnectionInTheirOrder) {
    const std::string get = "GET /1 HTTP/1.1\r\nHost: labo.test\r\n\r\n";
    const std::string post = "POST /2 HTTP/1.1\r\nHost: labo.test\r\nContent-Length: 3\r\n\r\nabc";
    talk(get + post + get);
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[1].path, "/2");
    EXPECT_EQ(seen[1].body, "abc");
}

TEST_F(HttpServer, ClosesWhenAsked) {
    const auto heard = talk("GET / HTTP/1.1\r\nHost: labo.test\r\nConnection: close\r\n\r\nGET /x HTTP/1.1\r\nHost: labo.test\r\n\r\n");
    EXPECT_NE(heard.find("Connection: close"), std::string::npos);
    EXPECT_EQ(seen.size(), 1U);
}

TEST_F(HttpServer, PutsChunksTogether) {
    const std::string request =
        "POST / HTTP/1.1\r\nHost: labo.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbon\r\n4\r\njour\r\n0\r\n\r\n";
    EXPECT_TRUE(talk(request).ends_with("[bonjour]"));
    EXPECT_TRUE(talk(request, 1).ends_with("[bonjour]"));
}

TEST_F(HttpServer, RefusesWhatSmugglersSend) {
    const std::string post = "POST / HTTP/1.1\r\nHost: labo.test\r\n";
    const std::string chunks = "3\r\nabc\r\n0\r\n\r\n";
    EXPECT_EQ(status(post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks), 400U);
    EXPECT_EQ(status(post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + chunks), 400U);
    EXPECT_EQ(status(post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400U);
    EXPECT_EQ(status(post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), 400U);
    EXPECT_EQ(status(post + "Content-Length: 3, 3\r\n\r\nabc"), 400U);
    EXPECT_EQ(status(post + "Content-Length: +3\r\n\r\nabc"), 400U);
    EXPECT_EQ(status(post + "Content-Length: -1\r\n\r\nabc"), 400U);
    EXPECT_EQ(status(post + "Content-Length: 99999999999999999999999\r\n\r\nabc"), 400U);
    EXPECT_EQ(status(post + "Content-Length : 3\r\n\r\nabc"), 400U);
    EXPECT_NE(status(post + "Transfer-Encoding: identity\r\n\r\n" + chunks), 200U);
    EXPECT_NE(status(post + "Transfer-Encoding: xchunked\r\n\r\n" + chunks), 200U);
    EXPECT_NE(status(post + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks), 200U);
    EXPECT_NE(status(post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks), 200U);
    EXPECT_EQ(status(post + "X-A: 1\r\n folded\r\n\r\n"), 400U);
    EXPECT_EQ(status("POST / HTTP/1.1\nHost: labo.test\n\n"), 0U);
    EXPECT_TRUE(seen.empty());
}

TEST_F(HttpServer, RefusesAbusedChunks) {
    const std::string post = "POST / HTTP/1.1\r\nHost: labo.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(status(post + "3;a=b\r\nabc\r\n0\r\n\r\n"), 400U);
    EXPECT_EQ(status(post + "3\r\nabc\r\n0\r\nX-Admin: 1\r\n\r\n"), 400U);
    EXPECT_EQ(status(post + "zz\r\nabc\r\n0\r\n\r\n"), 400U);
    EXPECT_EQ(status(post + "-3\r\nabc\r\n0\r\n\r\n"), 400U);
    EXPECT_EQ(status(post + "3\r\nabcdef\r\n0\r\n\r\n"), 400U);
    EXPECT_EQ(status(post + "ffffffffffffffff1\r\nabc\r\n0\r\n\r\n"), 400U);
    EXPECT_EQ(status(post + "fffffff\r\nabc\r\n0\r\n\r\n"), 413U);
    EXPECT_EQ(status(post + "3;" + std::string(40000, 'x')), 400U);
    EXPECT_TRUE(seen.empty());
}

TEST_F(HttpServer, BoundsHeadersAndBodies) {
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: labo.test\r\nX: " + std::string(17000, 'x') + "\r\n\r\n"), 431U);
    EXPECT_EQ(status("GET /" + std::string(40000, 'x')), 431U);
    EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: labo.test\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x')), 413U);
    EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: labo.test\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x')), 200U);
}

TEST_F(HttpServer, AcceptsOnlyItsOwnHostNames) {
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: ailleurs.test\r\n\r\n"), 421U);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: labo.test.ailleurs.test\r\n\r\n"), 421U);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"), 200U);
    EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), 400U);
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: labo.test\r\nHost: labo.test\r\n\r\n"), 400U);
    EXPECT_EQ(status("GET / HTTP/1.0\r\nHost: labo.test\r\n\r\n"), 505U);
}

TEST_F(HttpServer, RefusesPathsThatLeaveTheirPlace) {
    const auto get = [&](std::string target) { return status("GET " + target + " HTTP/1.1\r\nHost: labo.test\r\n\r\n"); };
    EXPECT_EQ(get("/a/../b"), 400U);
    EXPECT_EQ(get("/a/%2e%2E/b"), 400U);
    EXPECT_EQ(get("/a%2fb"), 400U);
    EXPECT_EQ(get("/a%00b"), 400U);
    EXPECT_EQ(get("/a%0d%0ab"), 400U);
    EXPECT_EQ(get("/a%5cb"), 400U);
    EXPECT_EQ(get("/a%FFb"), 400U);
    EXPECT_EQ(get("/a%2"), 400U);
    EXPECT_EQ(get("/?q=%FF"), 400U);
    EXPECT_EQ(get("http://labo.test/a"), 400U);
    EXPECT_EQ(get("*"), 400U);
    EXPECT_EQ(get("/a+b"), 200U);
    EXPECT_EQ(seen.back().path, "/a+b");
}

TEST_F(HttpServer, TellsAWaitingClientToContinue) {
    auto [client, server] = test::memory_streams(io.get_executor());
    StreamPtr served = std::move(server);
    auto scene = [&]() -> asio::awaitable<std::string> {
        co_await client->write(std::string_view("POST / HTTP/1.1\r\nHost: labo.test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
        std::array<char, 4096> buffer{};
        const std::size_t first = co_await client->read_some(buffer);
        std::string heard(buffer.data(), first);
        co_await client->write(std::string_view("ok"));
        const std::size_t second = co_await client->read_some(buffer);
        heard.append(buffer.data(), second);
        co_await client->close();
        co_return heard;
    };
    asio::co_spawn(io, serve_http(std::move(served), options, handler), [](std::exception_ptr) {});
    const auto heard = run(io, scene());
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")) << heard;
    EXPECT_TRUE(heard.ends_with("[ok]")) << heard;
    io.restart();
    io.run();
}

TEST_F(HttpServer, CutsAClientThatNeverFinishesItsRequest) {
    auto [client, server] = test::memory_streams(io.get_executor());
    auto scene = [&]() -> asio::awaitable<std::string> {
        co_await client->write(std::string_view("GET / HTTP/1.1\r\nHost"));
        StreamPtr served = std::move(server);
        co_await serve_http(std::move(served), options, handler);
        std::array<char, 4096> buffer{};
        const std::size_t count = co_await client->read_some(buffer);
        co_return std::string(buffer.data(), count);
    };
    EXPECT_TRUE(run(io, scene()).starts_with("HTTP/1.1 408"));
}

TEST_F(HttpServer, HidesWhatAHandlerThrows) {
    handler = [](Request) -> asio::awaitable<Response> {
        throw std::runtime_error("DUPONT");
        co_return Response();
    };
    const auto heard = talk("GET / HTTP/1.1\r\nHost: labo.test\r\n\r\n");
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 500"));
    EXPECT_EQ(heard.find("DUPONT"), std::string::npos);
}

TEST_F(HttpServer, EndsAHandlerThatLastsTooLong) {
    options.handler = 10ms;
    handler = [](Request) -> asio::awaitable<Response> {
        co_await pause(1h);
        co_return Response();
    };
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: labo.test\r\n\r\n"), 503U);
}

TEST_F(HttpServer, NeverLetsAHeaderSplitTheAnswer) {
    handler = [](Request) -> asio::awaitable<Response> {
        Response response;
        response.headers.add("Location", "/a\r\nSet-Cookie: x=1");
        co_return response;
    };
    const auto heard = talk("GET / HTTP/1.1\r\nHost: labo.test\r\n\r\n");
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 500"));
    EXPECT_EQ(heard.find("Set-Cookie"), std::string::npos);
}

TEST_F(HttpServer, SendsNoBodyWhereNoneMayBe) {
    EXPECT_TRUE(talk("HEAD / HTTP/1.1\r\nHost: labo.test\r\n\r\n").ends_with("Content-Length: 9\r\nConnection: keep-alive\r\n\r\n"));
    handler = [](Request) -> asio::awaitable<Response> {
        Response response;
        response.status = 204;
        co_return response;
    };
    EXPECT_EQ(talk("GET / HTTP/1.1\r\nHost: labo.test\r\n\r\n").find("Content-Length"), std::string::npos);
}

TEST(ParseForm, DecodesNamesAndValues) {
    const auto pairs = parse_form("nom=D%27Arc&pr%C3%A9nom=Jeanne+Marie&vide=&seul&&x=a=b");
    ASSERT_TRUE(pairs);
    const Pairs expected{{"nom", "D'Arc"}, {"prénom", "Jeanne Marie"}, {"vide", ""}, {"seul", ""}, {"x", "a=b"}};
    EXPECT_EQ(*pairs, expected);
    EXPECT_EQ(find_value(*pairs, "nom"), "D'Arc");
    EXPECT_FALSE(find_value(*pairs, "âge"));
    EXPECT_FALSE(parse_form("a=%"));
    EXPECT_FALSE(parse_form("a=%4"));
    EXPECT_FALSE(parse_form("a=%+4"));
    EXPECT_FALSE(parse_form("a=%zz"));
    EXPECT_FALSE(parse_form("a=%00"));
    EXPECT_FALSE(parse_form("a=%C3"));
}

}  // namespace
}  // namespace sgl::net
