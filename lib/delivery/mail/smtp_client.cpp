#include "lib/delivery/mail/smtp_client.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "lib/base/failpoint.hpp"
#include "lib/base/text.hpp"
#include "lib/delivery/mail/message.hpp"
#include "lib/net/http.hpp"
#include "lib/net/tcp.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::mail {

namespace asio = net::asio;
using Kind = SmtpOutcome::Kind;

namespace {

constexpr std::size_t longest_reply_line = 2048;
constexpr std::size_t most_reply_lines = 100;
constexpr std::string_view terminator = ".\r\n";

/// `5.1.1` at the beginning of a reply's text (RFC 3463).
std::string enhanced_code(std::string_view text) {
    const auto word = text.substr(0, text.find(' '));
    const auto parts = split(word, '.');
    const bool numbers = parts.size() == 3 && std::ranges::all_of(parts, [](std::string_view part) {
        return !part.empty() && part.size() <= 3 && part.find_first_not_of("0123456789") == std::string_view::npos;
    });
    const bool right_class = !word.empty() && (word[0] == '2' || word[0] == '4' || word[0] == '5');
    return numbers && right_class ? std::string(word) : std::string();
}

bool contains_word(std::string_view text, std::string_view upper_case) {
    return to_upper_ascii(text).find(upper_case) != std::string::npos;
}

SmtpReason reason_of(SmtpPhase phase, unsigned code, std::string_view enhanced, std::string_view text) {
    const auto subject = enhanced.size() > 2 ? enhanced.substr(2) : std::string_view();  // without the class
    const bool about_us = contains_word(text, "CERTIFICATE") || contains_word(text, "SENDER ADDRESS REJECTED") ||
                          contains_word(text, "CLIENT HOST REJECTED");
    if (code == 530 || code == 534 || code == 535 || code == 538) return SmtpReason::credentials;
    if (subject == "7.1" || subject == "7.0") {
        const bool before_recipient = phase == SmtpPhase::greeting || phase == SmtpPhase::ehlo || phase == SmtpPhase::mail;
        if (about_us || (code >= 500 && before_recipient)) return SmtpReason::credentials;
        if (code >= 500 && phase == SmtpPhase::rcpt) return SmtpReason::outside;
    }
    if (subject == "2.2") return SmtpReason::quota;
    if (subject == "2.1" && code >= 500) return SmtpReason::mailbox_closed;
    if (subject == "3.4" || subject == "2.3" || code == 523) return SmtpReason::too_large;
    if (code == 552 && enhanced.empty()) {
        return phase == SmtpPhase::rcpt ? SmtpReason::quota : SmtpReason::too_large;
    }
    if (subject == "1.1" && code >= 500) return SmtpReason::unknown_mailbox;
    if (code >= 400 && code < 500) return SmtpReason::busy;
    return SmtpReason::other;
}

/// Bare CR or LF would let the server see other lines, and another end, than we do.
bool has_only_crlf(std::string_view bytes) {
    for (std::size_t at = bytes.find_first_of("\r\n"); at != std::string_view::npos; at = bytes.find_first_of("\r\n", at)) {
        if (bytes.substr(at, 2) != "\r\n") return false;
        at += 2;
    }
    return true;
}

std::string dot_stuffed(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 64 + 2);
    bool line_start = true;
    for (const char c : bytes) {
        if (line_start && c == '.') out += '.';
        out += c;
        line_start = c == '\n';
    }
    if (!line_start) out += "\r\n";
    return out;
}

/// RFC 3461 4.
std::string xtext(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (c > 0x20 && c < 0x7f && c != '+' && c != '=') {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '+';
            out += digits[byte >> 4U];
            out += digits[byte & 0x0FU];
        }
    }
    return out;
}

}  // namespace

std::string_view to_string(SmtpPhase phase) {
    switch (phase) {
        case SmtpPhase::connect: return "connect";
        case SmtpPhase::greeting: return "greeting";
        case SmtpPhase::ehlo: return "EHLO";
        case SmtpPhase::starttls: return "STARTTLS";
        case SmtpPhase::mail: return "MAIL";
        case SmtpPhase::rcpt: return "RCPT";
        case SmtpPhase::data: return "DATA";
        case SmtpPhase::end_of_data: return "end of DATA";
    }
    return "";
}

std::string_view to_string(SmtpReason reason) {
    switch (reason) {
        case SmtpReason::none: return "none";
        case SmtpReason::connection: return "connection";
        case SmtpReason::busy: return "busy";
        case SmtpReason::tls: return "tls";
        case SmtpReason::credentials: return "credentials";
        case SmtpReason::quota: return "quota";
        case SmtpReason::unknown_mailbox: return "unknown_mailbox";
        case SmtpReason::mailbox_closed: return "mailbox_closed";
        case SmtpReason::outside: return "outside";
        case SmtpReason::too_large: return "too_large";
        case SmtpReason::protocol: return "protocol";
        case SmtpReason::other: return "other";
    }
    return "";
}

Error SmtpOutcome::error() const {
    const auto sentence = [](SmtpReason why) -> std::string_view {
        switch (why) {
            case SmtpReason::none: return "accepted";
            case SmtpReason::connection: return "the mail operator cannot be reached or the connection broke";
            case SmtpReason::busy: return "the mail operator asks to come back later";
            case SmtpReason::tls: return "no trustworthy TLS with the mail operator";
            case SmtpReason::credentials: return "the mail operator does not accept our certificate or mailbox";
            case SmtpReason::quota: return "the recipient's mailbox is full";
            case SmtpReason::unknown_mailbox: return "the recipient's mailbox does not exist";
            case SmtpReason::mailbox_closed: return "the recipient's mailbox is closed";
            case SmtpReason::outside: return "the recipient is outside the trust space";
            case SmtpReason::too_large: return "the message is too large";
            case SmtpReason::protocol: return "the mail operator does not answer in SMTP";
            case SmtpReason::other: return "the mail operator refused the message";
        }
        return "";
    };
    const bool by_rule = kind == Kind::permanent || reason == SmtpReason::tls || reason == SmtpReason::credentials;
    std::string what(sentence(reason));
    if (kind == Kind::in_doubt) what += "; the message may have arrived";
    if (code != 0) what += " (" + std::to_string(code) + (enhanced.empty() ? "" : " " + enhanced) + ")";
    if (!detail.empty()) what += ": " + detail;
    return Error{by_rule ? Fault::refused : Fault::unavailable, "SMTP " + std::string(to_string(phase)), std::move(what)};
}

struct SmtpClient::Reply {
    unsigned code{};
    std::string enhanced;
    std::vector<std::string> lines;  // text after the code; never leaves this file
};

/// Thrown inside, caught by open() and send().
struct SmtpClient::Refusal {
    SmtpOutcome outcome;
};

SmtpClient::SmtpClient(net::StreamPtr stream, SmtpOptions options, Upgrade upgrade)
    : stream_(std::move(stream)), options_(std::move(options)), upgrade_(std::move(upgrade)), secured_just_now_(!upgrade_) {}

void SmtpClient::refuse(Kind kind, SmtpReason reason) const {
    Refusal refusal;
    refusal.outcome.kind = kind;
    refusal.outcome.reason = reason;
    throw refusal;
}

void SmtpClient::expect(const Reply& reply, unsigned first_digit) const {
    if (reply.code / 100 == first_digit) return;
    Refusal refusal;
    auto& outcome = refusal.outcome;
    outcome.code = reply.code;
    outcome.enhanced = reply.enhanced;
    if (reply.code < 400) {
        outcome.kind = Kind::temporary;
        outcome.reason = SmtpReason::protocol;
    } else {
        outcome.kind = reply.code < 500 ? Kind::temporary : Kind::permanent;
        outcome.reason = reason_of(phase_, reply.code, reply.enhanced, reply.lines.empty() ? "" : reply.lines.front());
    }
    throw refusal;
}

SmtpOutcome SmtpClient::concluded(SmtpOutcome outcome) {
    outcome.phase = phase_;
    outcome.dialogue = dialogue_;
    return outcome;
}

SmtpOutcome SmtpClient::broken(bool by_tls) {
    usable_ = false;
    SmtpOutcome outcome;
    outcome.kind = dot_sent_ ? Kind::in_doubt : Kind::temporary;
    // With TLS 1.3 a server that does not want our certificate says so by an alert or by leaving, after a handshake that
    // looked well (spec/test-mail-operator.md 6).
    outcome.reason = secured_just_now_ || by_tls ? SmtpReason::credentials : SmtpReason::connection;
    return concluded(std::move(outcome));
}

asio::awaitable<void> SmtpClient::write(std::string_view bytes, Duration limit) {
    const bool done = co_await net::within(limit, stream_->write(bytes));
    if (!done) throw boost::system::system_error(make_error_code(boost::system::errc::timed_out));
}

asio::awaitable<std::string> SmtpClient::read_line() {
    std::array<char, 4096> buffer{};
    std::size_t end = std::string::npos;
    while ((end = in_.find('\n')) == std::string::npos) {
        if (in_.size() > longest_reply_line) refuse(Kind::temporary, SmtpReason::protocol);
        const std::size_t count = co_await stream_->read_some(buffer);
        if (count == 0) throw boost::system::system_error(make_error_code(boost::system::errc::connection_reset));
        in_.append(buffer.data(), count);
    }
    if (end > longest_reply_line) refuse(Kind::temporary, SmtpReason::protocol);
    std::string line = in_.substr(0, end);
    in_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    co_return line;
}

asio::awaitable<SmtpClient::Reply> SmtpClient::read_reply(Duration limit) {
    Reply reply;
    const auto deadline = std::chrono::steady_clock::now() + limit;  // of all its lines
    bool more = true;
    while (more) {
        const Duration left = std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
        auto line = co_await net::within(std::max(left, Duration::zero()), read_line());
        if (!line) throw boost::system::system_error(make_error_code(boost::system::errc::timed_out));
        unsigned code = 0;
        const char* const digits_end = line->data() + std::min<std::size_t>(line->size(), 3);
        const bool number = std::from_chars(line->data(), digits_end, code).ptr == digits_end && code >= 200 && code < 600;
        const bool separated = line->size() == 3 || (line->size() > 3 && ((*line)[3] == ' ' || (*line)[3] == '-'));
        const bool same = reply.lines.empty() || code == reply.code;
        if (!number || !separated || !same || reply.lines.size() == most_reply_lines) {
            refuse(Kind::temporary, SmtpReason::protocol);
        }
        reply.code = code;
        more = line->size() > 3 && (*line)[3] == '-';
        reply.lines.push_back(line->size() > 4 ? line->substr(4) : std::string());
    }
    secured_just_now_ = false;
    reply.enhanced = enhanced_code(reply.lines.front());
    if (!dialogue_.empty()) dialogue_ += ' ';
    dialogue_ += std::to_string(reply.code);
    if (reply.code == 421) usable_ = false;
    co_return reply;
}

/// What came unasked would be taken for the answer to what is said next.
void SmtpClient::expect_silence() {
    if (in_.empty()) return;
    usable_ = false;
    refuse(Kind::temporary, SmtpReason::protocol);
}

asio::awaitable<SmtpClient::Reply> SmtpClient::command(std::string line) {
    expect_silence();
    line += "\r\n";
    co_await write(line, options_.reply);
    co_return co_await read_reply(options_.reply);
}

asio::awaitable<void> SmtpClient::hello() {
    phase_ = SmtpPhase::ehlo;
    const Reply reply = co_await command("EHLO " + options_.client_name);
    expect(reply, 2);
    size_limit_.reset();
    dsn_ = false;
    starttls_ = false;
    for (std::size_t i = 1; i < reply.lines.size(); ++i) {
        const auto words = split(trim(reply.lines[i]), ' ');
        if (net::same_header_name(words[0], "DSN")) dsn_ = true;
        if (net::same_header_name(words[0], "STARTTLS")) starttls_ = true;
        if (!net::same_header_name(words[0], "SIZE") || words.size() < 2) continue;
        std::size_t limit = 0;
        const char* const end = words[1].data() + words[1].size();
        if (std::from_chars(words[1].data(), end, limit).ptr == end && limit > 0) size_limit_ = limit;
    }
}

asio::awaitable<void> SmtpClient::secure() {
    phase_ = SmtpPhase::starttls;
    if (!starttls_) refuse(Kind::temporary, SmtpReason::tls);
    const Reply reply = co_await command(std::string("STARTTLS"));
    if (reply.code != 220) {
        Refusal refusal;
        refusal.outcome.kind = Kind::temporary;
        refusal.outcome.reason = SmtpReason::tls;
        refusal.outcome.code = reply.code;
        refusal.outcome.enhanced = reply.enhanced;
        throw refusal;
    }
    // Bytes sent before TLS began could be an intruder's answers.
    if (!in_.empty()) refuse(Kind::temporary, SmtpReason::tls);
    auto secured = co_await upgrade_(std::move(stream_));
    if (!secured) {
        Refusal refusal;
        refusal.outcome.kind = Kind::temporary;
        const bool untrusted = secured.error().fault == Fault::refused;
        refusal.outcome.reason = untrusted ? SmtpReason::tls : SmtpReason::connection;
        refusal.outcome.detail = secured.error().what;
        throw refusal;
    }
    stream_ = std::move(*secured);
    secured_just_now_ = true;
}

asio::awaitable<SmtpOutcome> SmtpClient::open() {
    failpoint("after_connect");
    try {
        phase_ = SmtpPhase::greeting;
        const Reply greeting = co_await read_reply(options_.reply);
        expect(greeting, 2);
        co_await hello();
        if (upgrade_) {
            co_await secure();
            co_await hello();
        }
        usable_ = true;
        co_return concluded(SmtpOutcome());
    } catch (const Refusal& refusal) {
        co_return concluded(refusal.outcome);
    } catch (const boost::system::system_error& failure) {
        co_return broken(failure.code().category().name() == std::string_view("asio.ssl"));
    }
}

asio::awaitable<void> SmtpClient::transfer(std::string_view bytes) {
    constexpr std::size_t chunk = std::size_t{64} * 1024;
    const std::string stuffed = dot_stuffed(bytes);
    const std::string_view all = stuffed;
    const std::size_t half = all.size() / 2;
    bool half_reported = false;
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t end = at < half ? std::min(half, at + chunk) : std::min(all.size(), at + chunk);
        co_await write(all.substr(at, end - at), options_.reply);
        at = end;
        if (at >= half && !half_reported) {
            half_reported = true;
            failpoint("after_request_bytes_half");
        }
    }
}

asio::awaitable<void> SmtpClient::converse(const SmtpMail& mail) {
    phase_ = SmtpPhase::mail;
    if (!has_only_crlf(mail.bytes)) refuse(Kind::permanent, SmtpReason::protocol);
    if (!is_mail_address(mail.from)) refuse(Kind::permanent, SmtpReason::credentials);
    if (size_limit_ && mail.bytes.size() > *size_limit_) refuse(Kind::permanent, SmtpReason::too_large);
    std::string line = "MAIL FROM:<" + mail.from + ">";
    if (size_limit_) line += " SIZE=" + std::to_string(mail.bytes.size());
    if (dsn_) line += " RET=HDRS";
    if (dsn_ && !mail.envelope_id.empty()) line += " ENVID=" + xtext(mail.envelope_id);
    const Reply sender = co_await command(std::move(line));
    expect(sender, 2);

    phase_ = SmtpPhase::rcpt;
    if (!is_mail_address(mail.to.reveal())) refuse(Kind::permanent, SmtpReason::unknown_mailbox);
    line = "RCPT TO:<" + mail.to.reveal() + ">";
    if (dsn_) line += " NOTIFY=SUCCESS,FAILURE,DELAY";
    const Reply recipient = co_await command(std::move(line));
    expect(recipient, 2);

    phase_ = SmtpPhase::data;
    const Reply go = co_await command(std::string("DATA"));
    expect(go, 3);
    usable_ = false;  // until the answer: whatever breaks from here on, this connection cannot be used again
    co_await transfer(mail.bytes);
    expect_silence();
    if (mail.wanted && !mail.wanted()) refuse(Kind::temporary, SmtpReason::connection);  // without the dot: no mail
    phase_ = SmtpPhase::end_of_data;
    dot_sent_ = true;  // before the write: a part of it may have left when it fails
    co_await write(terminator, options_.reply);
    failpoint("after_request_sent");
}

asio::awaitable<SmtpOutcome> SmtpClient::send(const SmtpMail& mail) {
    SmtpOutcome outcome;
    dialogue_.clear();
    dot_sent_ = false;
    try {
        co_await converse(mail);
        const Reply reply = co_await read_reply(options_.end_of_data);
        usable_ = reply.code != 421;
        expect(reply, 2);
        outcome.code = reply.code;
        outcome.enhanced = reply.enhanced;
        co_return concluded(std::move(outcome));
    } catch (const Refusal& refusal) {
        outcome = concluded(refusal.outcome);
        // After the dot, an answer that is no SMTP leaves the doubt.
        if (dot_sent_ && outcome.code == 0) {
            outcome.kind = Kind::in_doubt;
            usable_ = false;
        }
    } catch (const boost::system::system_error& failure) {
        co_return broken(failure.code().category().name() == std::string_view("asio.ssl") && dialogue_.empty());
    }
    if (usable_ && !dot_sent_ && outcome.phase != SmtpPhase::mail) {
        try {
            const std::string kept = dialogue_;
            const Reply reply = co_await command(std::string("RSET"));
            usable_ = usable_ && reply.code / 100 == 2;
            dialogue_ = kept;
        } catch (const Refusal&) {
            usable_ = false;
        } catch (const boost::system::system_error&) {
            usable_ = false;
        }
    }
    co_return outcome;
}

asio::awaitable<void> SmtpClient::quit() {
    if (!stream_) co_return;
    constexpr auto patience = std::chrono::seconds(5);
    try {
        if (usable_) {
            co_await write("QUIT\r\n", patience);
            static_cast<void>(co_await read_reply(patience));
        }
    } catch (const Refusal&) {  // it has what it wanted to have
    } catch (const boost::system::system_error&) {
    }
    usable_ = false;
    co_await stream_->close();
}

asio::awaitable<SmtpOutcome> send_mail(const SmtpServer& server, const SmtpMail& mail) {
    SmtpOutcome outcome;
    outcome.kind = Kind::temporary;
    outcome.reason = SmtpReason::connection;
    auto connected = co_await net::connect(server.host, server.port, server.connect_timeout);
    if (!connected) {
        outcome.detail = connected.error().what;
        co_return outcome;
    }
    net::StreamPtr stream = std::move(*connected);
    Upgrade upgrade = [&server](net::StreamPtr plain) {
        return net::start_tls_client(std::move(plain), server.tls, server.host, server.connect_timeout);
    };
    if (server.implicit_tls) {
        auto secured = co_await upgrade(std::move(stream));
        if (!secured) {
            const bool untrusted = secured.error().fault == Fault::refused;
            outcome.reason = untrusted ? SmtpReason::tls : SmtpReason::connection;
            outcome.detail = secured.error().what;
            co_return outcome;
        }
        stream = std::move(*secured);
        upgrade = nullptr;
    }
    SmtpClient client(std::move(stream), server.options, std::move(upgrade));
    outcome = co_await client.open();
    if (outcome.ok()) outcome = co_await client.send(mail);
    co_await client.quit();
    co_return outcome;
}

}  // namespace sgl::mail
