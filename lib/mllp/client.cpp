#include "lib/mllp/client.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "hl7/ack.hpp"
#include "hl7/commit.hpp"
#include "hl7/framer.hpp"
#include "hl7/message.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/net/tcp.hpp"
#include "lib/net/timeout.hpp"
#include "lib/net/tls.hpp"

namespace sgl::mllp {

namespace {

constexpr std::size_t most_unanswered = 64;

Exchange failed(bool whole, std::string what) {
    const auto kind = whole ? Exchange::Kind::in_doubt : Exchange::Kind::not_sent;
    return {kind, {}, Error{Fault::unavailable, "MLLP", std::move(what)}};
}

}  // namespace

asio::awaitable<Result<net::StreamPtr>> connect(Target target) {
    net::TlsContextPtr tls;
    if (target.tls) {
        const net::TlsFiles files{target.certificate, target.key, target.ca};
        const auto context = net::tls_client(files);
        if (!context) co_return Error{Fault::refused, context.error().where, context.error().what};
        tls = *context;
    }
    auto plain = co_await net::connect(target.host, target.port, target.connect_timeout);
    if (!plain || !tls) co_return plain;
    const std::string name = target.server_name.empty() ? target.host : target.server_name;
    co_return co_await net::start_tls_client(std::move(*plain), std::move(tls), name, target.connect_timeout);
}

struct Client::Connection {
    Connection(net::StreamPtr to, std::size_t limit) : stream(std::move(to)), framer(limit) {}

    net::StreamPtr stream;
    hl7::Framer framer;
    bool open{true};
    bool silent{};       // the last message was not answered in time, and nothing came since
    bool heard{};        // something came since the last message left
    std::size_t owed{};  // commit bytes that we owe (release 2)
    std::deque<std::string> commits;
    net::TaskGroup tasks;
};

struct Client::State {
    explicit State(const asio::any_io_executor& executor) : news(executor), turn(executor) {
        turn.expires_at(asio::steady_timer::time_point::max());
    }

    void take(hl7::FramerEvent event, Connection& from) {
        if (event.kind == hl7::FramerEvent::Kind::commit_byte) {
            from.commits.push_back(std::move(event.bytes));
            return;
        }
        if (event.kind != hl7::FramerEvent::Kind::block) {
            ++figures.others;
            return;
        }
        ++from.owed;
        const auto message = hl7::Message::parse(event.bytes);
        const auto reading = message ? hl7::read_ack(*message) : Result<hl7::AckReading>(message.error());
        if (!reading) {
            ++figures.others;
        } else if (!awaited.empty() && reading->control_id == awaited) {
            answer = std::move(event.bytes);
        } else if (const auto known = std::ranges::find(unanswered, reading->control_id); known != unanswered.end()) {
            ++figures.late;
            late[*known] = std::move(event.bytes);
            unanswered.erase(known);
        } else {
            ++figures.others;
        }
    }

    /// Nobody waits for it any more: should its answer still come, it is kept for the repeat.
    void give_up(std::string control_id) {
        if (control_id.empty() || std::ranges::find(unanswered, control_id) != unanswered.end()) return;
        unanswered.push_back(std::move(control_id));
        if (unanswered.size() > most_unanswered) unanswered.pop_front();
        while (late.size() > most_unanswered)
            late.erase(late.begin());
    }

    static asio::awaitable<void> read(std::shared_ptr<State> state, std::shared_ptr<Connection> from) {
        std::array<char, 8192> buffer{};
        try {
            for (;;) {
                const std::size_t count = co_await from->stream->read_some(buffer);
                if (count == 0) break;
                from->silent = false;
                from->heard = true;
                for (auto& event : from->framer.feed(std::string_view(buffer.data(), count)))
                    state->take(std::move(event), *from);
                state->news.cancel();
            }
        } catch (const boost::system::system_error&) {  // as good as closed
        }
        from->open = false;
        state->news.cancel();
    }

    asio::steady_timer news;  // cancelled when something came
    asio::steady_timer turn;  // cancelled when the line is free
    bool busy{};
    std::string awaited;  // MSH-10
    std::optional<std::string> answer;
    std::deque<std::string> unanswered;
    std::map<std::string, std::string> late;
    Figures figures;
};

Client::Client(Connector connect, ClientOptions options) : connect_(std::move(connect)), options_(options) {}

Client::~Client() {
    if (connection_) connection_->tasks.cancel();
}

Client::Figures Client::figures() const {
    return state_ ? state_->figures : Figures{};
}
bool Client::connected() const {
    return connection_ && connection_->open;
}

asio::awaitable<Exchange> Client::exchange(std::string message, std::string control_id, Wanted wanted) {
    return send(std::move(message), std::move(control_id), true, std::move(wanted));
}

asio::awaitable<Exchange> Client::tell(std::string message) {
    return send(std::move(message), {}, false, {});
}

asio::awaitable<Exchange> Client::send(std::string message, std::string control_id, bool wants_answer, Wanted wanted) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    if (!state_) state_ = std::make_shared<State>(executor);
    const std::shared_ptr<State> state = state_;
    boost::system::error_code woken;
    while (state->busy)
        co_await state->turn.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    struct Turn {
        State& state;
        explicit Turn(State& of) : state(of) { state.busy = true; }
        ~Turn() {
            state.busy = false;
            state.awaited.clear();
            state.answer.reset();
            state.turn.cancel();
        }
    };
    const Turn turn(*state);
    if (const auto late = state->late.find(control_id); wants_answer && late != state->late.end()) {
        Exchange exchange{Exchange::Kind::answered, std::move(late->second), {}};
        state->late.erase(late);
        co_return exchange;
    }
    const std::string framed = hl7::frame(message);
    for (bool again = false;; again = true) {
        const bool fresh = !connection_ || !connection_->open || connection_->silent;
        if (fresh) {
            if (connection_) connection_->tasks.cancel();
            connection_.reset();
            asio::awaitable<Result<net::StreamPtr>> connecting = connect_();
            Result<net::StreamPtr> stream = co_await std::move(connecting);
            if (!stream) co_return Exchange{Exchange::Kind::not_sent, {}, stream.error()};
            failpoint("after_connect");
            ++state->figures.connections;
            connection_ = std::make_shared<Connection>(std::move(*stream), options_.answer_limit);
            connection_->tasks.spawn(executor, State::read(state, connection_));
        }
        const std::shared_ptr<Connection> connection = connection_;
        connection->heard = false;
        connection->commits.clear();
        state->awaited = control_id;
        state->answer.reset();
        Exchange exchange = co_await attempt(connection, framed, wants_answer, wanted);
        if (exchange.kind == Exchange::Kind::answered) co_return exchange;
        // A connection that had been idle and was closed under our hands says nothing against the partner.
        const bool met_the_closing = !fresh && !again && !connection->open && !connection->heard;
        if (met_the_closing) {
            ++state->figures.resent_at_once;
            continue;
        }
        if (exchange.kind == Exchange::Kind::in_doubt) {
            if (!connection->heard) connection->silent = true;
            state->give_up(std::move(control_id));
        } else {
            connection->open = false;
        }
        co_return exchange;
    }
}

asio::awaitable<bool> Client::write(Connection& connection, std::string_view bytes) {
    const bool written = co_await net::within(options_.answer_timeout, connection.stream->write(bytes));
    co_return written;
}

asio::awaitable<Exchange> Client::attempt(std::shared_ptr<Connection> connection, const std::string& framed,
                                          bool wants_answer, const Wanted& wanted) {
    const std::shared_ptr<State> state = state_;
    const std::string_view bytes = framed;
    const std::size_t half = bytes.size() / 2;
    const std::string stored = hl7::frame(hl7::commit_ack);
    const bool release_2 = options_.release == 2;
    hl7::CommitWait commit;
    bool whole = false;  // the end of the block may have left
    try {
        for (; release_2 && connection->owed > 0; --connection->owed) {
            const bool told = co_await write(*connection, stored);
            if (!told) co_return failed(false, "the partner does not take our bytes");
        }
        connection->owed = 0;
        bool written = co_await write(*connection, bytes.substr(0, half));
        if (written) {
            failpoint("after_request_bytes_half");
            if (wanted && !wanted()) {
                connection->open = false;  // half a block: the peer throws it away
                co_return failed(false, "no longer to be sent");
            }
            whole = true;  // before the write: a part of it may have left when it fails
            written = co_await write(*connection, bytes.substr(half));
        }
        if (!written) {
            connection->open = false;
            co_return failed(whole, "the partner does not take our bytes");
        }
        failpoint("after_request_sent");
        if (release_2) commit.sent();
        auto deadline = asio::steady_timer::clock_type::now() + options_.answer_timeout;
        for (;;) {
            if (state->answer) {
                commit.answered();
                for (; release_2 && connection->owed > 0; --connection->owed)
                    co_await write(*connection, stored);
                Exchange exchange{Exchange::Kind::answered, std::move(*state->answer), {}};
                co_return exchange;
            }
            if (!connection->commits.empty()) {
                const std::string byte = std::move(connection->commits.front());
                connection->commits.pop_front();
                const auto next = commit.commit(byte);
                if (next == hl7::CommitWait::Next::give_up)
                    co_return failed(false, "the partner says that it can't store the message");
                if (next == hl7::CommitWait::Next::resend) {
                    const bool resent = co_await write(*connection, bytes);
                    if (!resent) co_return failed(true, "the partner does not take our bytes");
                    deadline = asio::steady_timer::clock_type::now() + options_.answer_timeout;
                }
                continue;
            }
            if (!wants_answer && !commit.waiting()) {
                Exchange exchange{Exchange::Kind::answered, {}, {}};
                co_return exchange;
            }
            if (!connection->open)
                co_return failed(whole, "closed without an acknowledgement; the message may have been taken");
            if (asio::steady_timer::clock_type::now() >= deadline)
                co_return failed(whole, "no acknowledgement in time; the message may have been taken");
            state->news.expires_at(deadline);
            boost::system::error_code woken;
            co_await state->news.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
    } catch (const boost::system::system_error& broken) {
        if (broken.code() == asio::error::operation_aborted) throw;  // we are told to end
        connection->open = false;
        co_return failed(whole, "the connection to the partner broke");
    }
}

}  // namespace sgl::mllp
