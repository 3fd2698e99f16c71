#include "lib/net/listener.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <fstream>

#include "lib/net/tcp.hpp"
#include "lib/net/timeout.hpp"
#include "test/lib/net/run.hpp"
#include "test/lib/net/throwaway_pki.hpp"

namespace sgl::net {
namespace {

using namespace std::chrono_literals;
using test::run;

ListenerOptions loopback() {
    ListenerOptions options;
    options.name = "test";
    options.address = "127.0.0.1";
    return options;
}

asio::awaitable<void> echo(StreamPtr stream) {
    std::array<char, 1024> buffer{};
    while (const std::size_t count = co_await stream->read_some(buffer)) {
        co_await stream->write(std::span<const char>(buffer).first(count));
    }
    co_await stream->close();
}

std::unique_ptr<Listener> started(asio::io_context& io, ListenerOptions options, TlsContextPtr tls,
                                  ConnectionHandler handler = echo) {
    auto opened = Listener::open(io.get_executor(), std::move(options), std::move(tls), std::move(handler));
    EXPECT_TRUE(opened.has_value());
    (*opened)->start();
    return std::move(*opened);
}

asio::awaitable<std::string> say(Stream& stream, std::string text) {
    co_await stream.write(text);
    std::string heard;
    std::array<char, 1024> buffer{};
    while (heard.size() < text.size()) {
        const std::size_t count = co_await stream.read_some(buffer);
        if (count == 0) break;
        heard.append(buffer.data(), count);
    }
    co_return heard;
}

/// What an honest client meets: the echo, or the first error on the way.
asio::awaitable<std::string> call(std::uint16_t port, TlsContextPtr tls, std::string host = "localhost") {
    try {
        auto connected = co_await connect("127.0.0.1", port, 2s);
        if (!connected) co_return "connect: " + to_string(connected.error());
        StreamPtr stream = std::move(*connected);
        if (tls) {
            auto secured = co_await start_tls_client(std::move(stream), tls, host, 2s);
            if (!secured) co_return std::string(to_string(secured.error().fault)) + ": " + secured.error().what;
            stream = std::move(*secured);
        }
        auto heard = co_await say(*stream, "bonjour");
        co_await stream->close();
        co_return heard.empty() ? std::string("closed") : heard;
    } catch (const boost::system::system_error& broken) {
        co_return "broken: " + broken.code().message();
    }
}

class TlsListener : public ::testing::Test {
protected:
    static void SetUpTestSuite() { pki = std::make_unique<test::ThrowawayPki>(); }
    static void TearDownTestSuite() { pki.reset(); }

    TlsContextPtr server() { return tls_server(pki->issue("serveur")).value(); }
    TlsContextPtr client(const TlsFiles& files) { return tls_client(files).value(); }

    static inline std::unique_ptr<test::ThrowawayPki> pki;
    asio::io_context io;
};

TEST(Listener, ServesPlainConnectionsOnLoopback) {
    asio::io_context io;
    auto listener = started(io, loopback(), nullptr);
    EXPECT_EQ(run(io, call(listener->port(), nullptr)), "bonjour");
}

TEST(Listener, CutsAddressesThatAreNotAllowed) {
    asio::io_context io;
    auto options = loopback();
    options.allowed_peers = {"192.0.2.0/24"};
    auto listener = started(io, options, nullptr);
    EXPECT_NE(run(io, call(listener->port(), nullptr)), "bonjour");
}

TEST(Listener, CutsConnectionsAboveTheLimitOfAnAddress) {
    asio::io_context io;
    auto options = loopback();
    options.max_connections_per_peer = 1;
    auto listener = started(io, options, nullptr);
    auto scene = [&]() -> asio::awaitable<std::string> {
        auto first = co_await connect("127.0.0.1", listener->port(), 2s);
        auto heard = co_await say(**first, "un");
        heard += " " + co_await call(listener->port(), nullptr);
        co_await (*first)->close();
        while (listener->connections() != 0) co_await pause(1ms);
        heard += " " + co_await call(listener->port(), nullptr);
        co_return heard;
    };
    const auto heard = run(io, scene());
    EXPECT_TRUE(heard.starts_with("un ")) << heard;
    EXPECT_TRUE(heard.ends_with(" bonjour")) << heard;
    EXPECT_EQ(heard.find("bonjour"), heard.rfind("bonjour")) << heard;
}

TEST(Listener, StopsAcceptingAndLetsTheOpenConnectionFinish) {
    asio::io_context io;
    auto listener = started(io, loopback(), nullptr);
    auto scene = [&]() -> asio::awaitable<std::string> {
        auto open = co_await connect("127.0.0.1", listener->port(), 2s);
        auto heard = co_await say(**open, "avant");
        listener->stop();
        co_await pause(5ms);
        auto refused = co_await connect("127.0.0.1", listener->port(), 2s);
        heard += refused ? " accepted " : " refused ";
        heard += co_await say(**open, "apres");
        co_await (*open)->close();
        const bool ended = co_await listener->drain(2s);
        heard += ended ? " ended" : " running";
        co_return heard;
    };
    EXPECT_EQ(run(io, scene()), "avant refused apres ended");
}

TEST(Listener, CancelsConnectionsThatOutliveTheDrain) {
    asio::io_context io;
    auto listener = started(io, loopback(), nullptr);
    auto scene = [&]() -> asio::awaitable<bool> {
        auto open = co_await connect("127.0.0.1", listener->port(), 2s);
        auto heard = co_await say(**open, "x");
        listener->stop();
        co_return co_await listener->drain(10ms);
    };
    EXPECT_TRUE(run(io, scene()));
    EXPECT_EQ(listener->connections(), 0U);
}

TEST(Listener, AnExceptionOfOneConnectionLeavesTheOthersAlone) {
    asio::io_context io;
    int calls = 0;
    auto handler = [&](StreamPtr stream) -> asio::awaitable<void> {
        if (++calls == 1) throw std::runtime_error("broken");
        co_await echo(std::move(stream));
    };
    auto listener = started(io, loopback(), nullptr, handler);
    EXPECT_NE(run(io, call(listener->port(), nullptr)), "bonjour");
    EXPECT_EQ(run(io, call(listener->port(), nullptr)), "bonjour");
}

TEST(Listener, SaysThatThePortIsTaken) {
    asio::io_context io;
    auto first = started(io, loopback(), nullptr);
    auto options = loopback();
    options.port = first->port();
    const auto second = Listener::open(io.get_executor(), options, nullptr, echo);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().fault, Fault::unavailable);
}

TEST(ListenerPolicy, WantsClientCertificatesOffLoopbackUnlessTheNetworkIsTrustedWithAList) {
    ListenerOptions options = loopback();
    EXPECT_TRUE(check_listener_policy(options, false, false));
    options.address = "0.0.0.0";
    EXPECT_FALSE(check_listener_policy(options, false, false));
    EXPECT_FALSE(check_listener_policy(options, true, false));
    EXPECT_TRUE(check_listener_policy(options, true, true));
    options.trusted_network = true;
    EXPECT_EQ(check_listener_policy(options, false, false).error().fault, Fault::missing);
    options.allowed_peers = {"192.0.2.7"};
    EXPECT_TRUE(check_listener_policy(options, false, false));
    options.address = "::";
    options.trusted_network = false;
    EXPECT_FALSE(check_listener_policy(options, false, false));
    options.address = "::1";
    EXPECT_TRUE(check_listener_policy(options, false, false));
    options.address = "localhost";
    EXPECT_EQ(check_listener_policy(options, true, true).error().fault, Fault::malformed);
}

TEST(AddressIn, ComparesAddressesAndNetworks) {
    EXPECT_TRUE(address_in("192.0.2.7", "192.0.2.7"));
    EXPECT_TRUE(address_in("192.0.2.7", "192.0.2.0/24"));
    EXPECT_TRUE(address_in("::ffff:192.0.2.7", "192.0.2.7"));
    EXPECT_TRUE(address_in("192.0.2.7", "0.0.0.0/0"));
    EXPECT_FALSE(address_in("192.0.3.7", "192.0.2.0/24"));
    EXPECT_TRUE(address_in("2001:db8::1", "2001:db8::/32"));
    EXPECT_FALSE(address_in("2001:db9::1", "2001:db8::/32"));
    EXPECT_FALSE(address_in("192.0.2.7", "2001:db8::/32"));
    EXPECT_FALSE(address_in("192.0.2.7", "laboratoire"));
    EXPECT_FALSE(address_in("", ""));
}

TEST_F(TlsListener, KnowsTheCertificateOfItsPeer) {
    PeerCertificate seen;
    auto handler = [&](StreamPtr stream) -> asio::awaitable<void> {
        seen = stream->peer().certificate.value();
        co_await echo(std::move(stream));
    };
    auto listener = started(io, loopback(), server(), handler);
    EXPECT_EQ(run(io, call(listener->port(), client(pki->issue("automate-é1")))), "bonjour");
    EXPECT_EQ(seen.subject, "CN=automate-é1,O=Labo de test");
    EXPECT_EQ(seen.sha256.size(), 64U);
}

TEST_F(TlsListener, RefusesAClientWithoutCertificate) {
    auto listener = started(io, loopback(), server());
    EXPECT_NE(run(io, call(listener->port(), client({"", "", pki->ca()}))), "bonjour");
}

TEST_F(TlsListener, RefusesAClientOfAnotherAuthority) {
    auto listener = started(io, loopback(), server());
    EXPECT_NE(run(io, call(listener->port(), client(pki->issue_by_stranger("automate")))), "bonjour");
}

TEST_F(TlsListener, IsRefusedByAClientThatExpectsAnotherHost) {
    auto listener = started(io, loopback(), tls_server(pki->issue_for_other_host()).value());
    const auto heard = run(io, call(listener->port(), client(pki->issue("automate"))));
    EXPECT_TRUE(heard.starts_with("refused: ")) << heard;
    EXPECT_NE(heard.find("hostname mismatch"), std::string::npos) << heard;
}

TEST_F(TlsListener, IsRefusedByAClientThatBelievesAnotherAuthority) {
    auto listener = started(io, loopback(), tls_server(pki->issue_by_stranger("serveur")).value());
    const auto heard = run(io, call(listener->port(), client(pki->issue("automate"))));
    EXPECT_TRUE(heard.starts_with("refused: the certificate of the other side is not accepted")) << heard;
}

TEST_F(TlsListener, IsVerifiedByNumericAddressToo) {
    auto listener = started(io, loopback(), server());
    EXPECT_EQ(run(io, call(listener->port(), client(pki->issue("automate")), "127.0.0.1")), "bonjour");
}

TEST_F(TlsListener, CutsAClientThatNeverStartsItsHandshake) {
    auto options = loopback();
    options.handshake_timeout = 20ms;
    auto listener = started(io, options, server());
    auto scene = [&]() -> asio::awaitable<std::size_t> {
        auto silent = co_await connect("127.0.0.1", listener->port(), 2s);
        std::array<char, 16> buffer{};
        co_return co_await (*silent)->read_some(buffer);
    };
    EXPECT_EQ(run(io, scene()), 0U);
}

TEST_F(TlsListener, IsStartedInTheMiddleOfAConversation) {
    const auto context = server();
    auto handler = [&](StreamPtr stream) -> asio::awaitable<void> {
        std::array<char, 8> buffer{};
        co_await stream->read_some(buffer);
        co_await stream->write(std::string_view("220 go"));
        auto secured = co_await start_tls_server(std::move(stream), context, 2s);
        if (secured) co_await echo(std::move(*secured));
    };
    auto listener = started(io, loopback(), nullptr, handler);
    auto scene = [&]() -> asio::awaitable<std::string> {
        auto plain = co_await connect("localhost", listener->port(), 2s);
        co_await (*plain)->write(std::string_view("STARTTLS"));
        std::array<char, 6> buffer{};
        co_await (*plain)->read_some(buffer);
        auto secured = co_await start_tls_client(std::move(*plain), client(pki->issue("labo")), "localhost", 2s);
        if (!secured) co_return to_string(secured.error());
        co_return co_await say(**secured, "secret");
    };
    EXPECT_EQ(run(io, scene()), "secret");
}

TEST_F(TlsListener, NamesTheFileThatIsWrong) {
    auto files = pki->issue("serveur");
    const auto other = pki->issue("autre");
    files.private_key = other.private_key;
    EXPECT_EQ(tls_server(files).error().where, other.private_key);
    files = other;
    files.ca = "/nowhere/ca.pem";
    EXPECT_EQ(tls_client(files).error(), (Error{Fault::missing, "/nowhere/ca.pem", "this file cannot be read"}));
    std::ofstream(pki->path("text.pem")) << "bonjour";
    files = other;
    files.certificate_chain = pki->path("text.pem");
    EXPECT_EQ(tls_client(files).error().fault, Fault::malformed);
    files = other;
    files.ca = pki->path("text.pem");
    EXPECT_EQ(tls_client(files).error().where, pki->path("text.pem"));
}

TEST(Connect, SaysWhyThereIsNoConnection) {
    asio::io_context io;
    auto listener = started(io, loopback(), nullptr);
    const auto port = listener->port();
    listener.reset();
    auto idle = []() -> asio::awaitable<void> { co_await pause(1ms); };
    run(io, idle());
    const auto refused = run(io, connect("127.0.0.1", port, 2s));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::unavailable);
    EXPECT_NE(refused.error().what.find("refused"), std::string::npos) << refused.error().what;
}

}  // namespace
}  // namespace sgl::net
