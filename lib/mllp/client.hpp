// Our side of a conversation as the sender: one lasting connection to a partner, one message at a time, each with its
// one answer (hl7v2-lab 2.2, 2.3).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/net/stream.hpp"

namespace sgl::mllp {

namespace asio = boost::asio;

/// Where a partner listens, and how its certificate is verified (SEC-05).
struct Target {
    std::string host;
    std::uint16_t port{};
    bool tls{};
    std::string server_name;  ///< in its certificate; empty: host
    std::string ca;           ///< PEM files: who may vouch for it, and what we show
    std::string certificate;
    std::string key;
    Duration connect_timeout{std::chrono::seconds(10)};
};
/// Connects, over TLS when the target says so. The files are read each time: renewed ones count at the next connection.
/// Fault::refused: a certificate is not believed; Fault::unavailable: not there.
asio::awaitable<Result<net::StreamPtr>> connect(Target target);

struct ClientOptions {
    Duration answer_timeout{std::chrono::seconds(30)};  ///< also for the peer to take our bytes
    unsigned release{1};                                ///< 2: a commit byte for each block, both ways
    std::size_t answer_limit{std::size_t{1024} * 1024};
};

/// What became of a message.
struct Exchange {
    enum class Kind : std::uint8_t {
        answered,  ///< `answer` is a block whose MSA-2 is our MSH-10; what it says is the caller's to read
        not_sent,  ///< the peer can't have it
        in_doubt,  ///< it may have it: send the same bytes again, with the same MSH-10
    };
    Kind kind{};
    std::string answer;
    Error error{};  ///< when not answered; from the connector, or Fault::unavailable at "MLLP"
};

/// The connection is made when needed and kept. The peer may close it when idle: the next message opens a new one, and
/// a message that met the closing itself is sent again at once. An answer to another message is counted and never taken
/// for ours; one that comes too late is remembered and given to the repeat instead of sending again. After a silence
/// the connection is given up by the next message unless the peer has said something since. One thread (the executor of
/// the first caller); callers that come together wait for each other.
class Client {
public:
    /// Connects, with TLS where there is some; bounded in time by itself.
    using Connector = std::function<asio::awaitable<Result<net::StreamPtr>>()>;

    explicit Client(Connector connect, ClientOptions options = {});
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    /// Is the message still to be sent? Asked right before its last bytes; false: they stay, and nothing was sent.
    using Wanted = std::function<bool()>;

    /// `message` without its frame; `control_id` its MSH-10. Never throws for what the peer does.
    asio::awaitable<Exchange> exchange(std::string message, std::string control_id, Wanted wanted = {});

    /// Writes a message that wants no answer. `answered` with no answer: it has left (release 2: is stored there).
    asio::awaitable<Exchange> tell(std::string message);

    struct Figures {
        std::uint64_t connections{};     ///< opened so far
        std::uint64_t others{};          ///< blocks that answered nothing of ours
        std::uint64_t late{};            ///< answers that came after their time
        std::uint64_t resent_at_once{};  ///< messages that met the peer's closing
    };
    Figures figures() const;
    bool connected() const;

private:
    struct Connection;
    struct State;

    asio::awaitable<Exchange> send(std::string message, std::string control_id, bool wants_answer, Wanted wanted);
    asio::awaitable<Exchange> attempt(std::shared_ptr<Connection> connection, const std::string& framed,
                                      bool wants_answer, const Wanted& wanted);
    asio::awaitable<bool> write(Connection& connection, std::string_view bytes);

    Connector connect_;
    ClientOptions options_;
    std::shared_ptr<State> state_;  // shared with the reader of the connection, which may end after us
    std::shared_ptr<Connection> connection_;
};

}  // namespace sgl::mllp
