// Our SMTP client (RFC 5321, 3207, 1870, 3461): one connection, one mail at a time, over any Stream. It exists because
// libcurl cannot send delivery-status parameters (spec/dependencies.md f). What the server says is classified here and
// its text forgotten: it may hold addresses.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.hpp"
#include "lib/base/personal.hpp"
#include "lib/base/result.hpp"
#include "lib/net/stream.hpp"
#include "lib/net/tls.hpp"

namespace sgl::mail {

enum class SmtpPhase : std::uint8_t { connect, greeting, ehlo, starttls, mail, rcpt, data, end_of_data };
std::string_view to_string(SmtpPhase phase);

/// What a refusal means for the letter (spec/mssante.md 5.1, spec/test-mail-operator.md 6).
enum class SmtpReason : std::uint8_t {
    none,
    connection,       ///< unreachable, cut, silent: temporary
    busy,             ///< 421, 45x: temporary
    tls,              ///< no STARTTLS, handshake failed, server not believed: security, never in plain text
    credentials,      ///< our certificate or mailbox is not accepted: pause the channel
    quota,            ///< the recipient's mailbox is full
    unknown_mailbox,  ///< 5.1.1
    mailbox_closed,   ///< 5.2.1: the patient's messaging is closed
    outside,          ///< 5.7.1 at RCPT: outside the trust space
    too_large,        ///< above SIZE, ours or theirs
    protocol,         ///< it does not speak SMTP
    other,            ///< refused for a reason that is none of these
};
std::string_view to_string(SmtpReason reason);

struct SmtpOutcome {
    enum class Kind : std::uint8_t {
        done,       ///< of open(): ready; of send(): 250 after the final dot
        permanent,  ///< 5xx: the same mail will be refused again
        temporary,  ///< 4xx, or the connection failed before the final dot left: not sent, may be repeated
        in_doubt,   ///< the final dot left, wholly or in part, and no answer came
    } kind{Kind::done};
    SmtpPhase phase{SmtpPhase::connect};
    SmtpReason reason{SmtpReason::none};
    unsigned code{};        ///< 250, 550…; 0 when no reply was read
    std::string enhanced;   ///< `5.1.1`; empty when not given
    std::string detail;     ///< of a TLS failure, in the words of our library
    std::string dialogue;   ///< codes in their order, for the trace: `220 250 220 250 250 550`

    bool ok() const { return kind == Kind::done; }
    /// In words, without any text of the server.
    Error error() const;
};

/// Makes TLS on the connection after STARTTLS.
using Upgrade = std::function<net::asio::awaitable<Result<net::StreamPtr>>(net::StreamPtr)>;

struct SmtpOptions {
    std::string client_name;  ///< EHLO argument: our host name, ASCII
    Duration reply{std::chrono::seconds(60)};         ///< greeting and each command
    Duration end_of_data{std::chrono::minutes(10)};   ///< RFC 5321 4.5.3.2.6
};

struct SmtpMail {
    std::string from;            ///< envelope sender: the applicative mailbox
    Personal<std::string> to;    ///< one recipient
    std::string envelope_id;     ///< ENVID, comes back in delivery reports; at most 100 characters
    std::string_view bytes;      ///< from render(): CRLF; outlives send()
    std::function<bool()> wanted{};  ///< asked right before the final dot; false: it is not sent. Nothing: it is
};

class SmtpClient {
public:
    /// `upgrade` null: `stream` is TLS already (implicit TLS). There is no way to send without TLS but that one.
    SmtpClient(net::StreamPtr stream, SmtpOptions options, Upgrade upgrade);
    SmtpClient(const SmtpClient&) = delete;
    SmtpClient& operator=(const SmtpClient&) = delete;

    /// Greeting, EHLO, STARTTLS, EHLO. Once, first.
    net::asio::awaitable<SmtpOutcome> open();
    /// After open() or another send(). After a refusal of one mail the next can be sent, see usable().
    net::asio::awaitable<SmtpOutcome> send(const SmtpMail& mail);
    /// QUIT, best effort, and close.
    net::asio::awaitable<void> quit();

    bool usable() const { return usable_; }  ///< false: the connection is lost
    std::optional<std::size_t> size_limit() const { return size_limit_; }  ///< SIZE of the server, bytes
    bool delivery_reports() const { return dsn_; }                         ///< the server announces DSN

private:
    struct Reply;
    struct Refusal;

    net::asio::awaitable<Reply> read_reply(Duration limit);
    net::asio::awaitable<std::string> read_line();
    net::asio::awaitable<Reply> command(std::string line);
    net::asio::awaitable<void> converse(const SmtpMail& mail);
    net::asio::awaitable<void> hello();
    net::asio::awaitable<void> secure();
    net::asio::awaitable<void> transfer(std::string_view bytes);
    net::asio::awaitable<void> write(std::string_view bytes, Duration limit);
    void expect(const Reply& reply, unsigned first_digit) const;
    void expect_silence();
    [[noreturn]] void refuse(SmtpOutcome::Kind kind, SmtpReason reason) const;
    SmtpOutcome concluded(SmtpOutcome outcome);
    SmtpOutcome broken(bool by_tls);

    net::StreamPtr stream_;
    SmtpOptions options_;
    Upgrade upgrade_;
    std::string in_;
    SmtpPhase phase_{SmtpPhase::greeting};
    std::string dialogue_;
    std::optional<std::size_t> size_limit_;
    bool dsn_{false};
    bool starttls_{false};
    bool secured_just_now_{false};  // no reply read since the handshake
    bool dot_sent_{false};
    bool usable_{false};
};

/// Where an operator takes mail.
struct SmtpServer {
    std::string host;  ///< must be in its certificate
    std::uint16_t port{587};
    bool implicit_tls{false};  ///< otherwise STARTTLS, which is then required
    net::TlsContextPtr tls;
    Duration connect_timeout{std::chrono::seconds(20)};
    SmtpOptions options;
};

/// Connects, sends one mail and says goodbye. Never throws for what the server does.
net::asio::awaitable<SmtpOutcome> send_mail(const SmtpServer& server, const SmtpMail& mail);

}  // namespace sgl::mail
