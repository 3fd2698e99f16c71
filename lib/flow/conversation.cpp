#include "lib/flow/conversation.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>

#include "hl7/commit.hpp"
#include "hl7/framer.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/net/timeout.hpp"

namespace sgl::flow {

namespace {

using Links = std::vector<const domain::Link*>;

// A message in work is there as bytes, as read, as rows and as parameters of its statements.
constexpr std::size_t copies_in_work = 4;
constexpr auto repeat_owed_after = std::chrono::seconds(30);
constexpr std::size_t most_owed_at_once = 16;
constexpr auto write_limit = std::chrono::seconds(60);  // SEC-07: a peer that does not read its answers is cut

bool may_be(const domain::Link& link, const net::Peer& peer) {
    if (!link.tls_subject.empty() && (!peer.certificate || peer.certificate->subject != link.tls_subject)) return false;
    if (!link.tls_fingerprint.empty() && (!peer.certificate || peer.certificate->sha256 != link.tls_fingerprint))
        return false;
    return link.addresses.empty() || std::ranges::any_of(link.addresses, [&](const std::string& allowed) {
               return net::address_in(peer.address, allowed);
           });
}

/// Closed links too, after the others: their messages are answered AR. A link that names its peer goes before one that
/// takes anybody.
Links links_of(const domain::Laboratory& laboratory, const ConversationOptions& options, const net::Peer& peer) {
    Links links;
    for (const auto& link : laboratory.links()) {
        const bool named = options.links.empty() || std::ranges::find(options.links, link.name) != options.links.end();
        if (link.listener == options.listener && named && may_be(link, peer)) links.push_back(&link);
    }
    const auto anybody = [](const domain::Link& link) {
        return link.tls_subject.empty() && link.tls_fingerprint.empty() && link.addresses.empty();
    };
    std::ranges::stable_sort(links, {},
                             [&](const domain::Link* link) { return std::pair(!link->active, anybody(*link)); });
    return links;
}

/// What belongs to the connection and not to one message: as the first link says that this peer may be.
struct Manner {
    hl7::Framing framing{};
    std::size_t limit{};
    Duration first_byte_timeout{};
    Duration frame_timeout{};
    Duration idle_timeout{};
    bool release_2{};

    static Manner of(const Links& links, const ConversationOptions& options) {
        const domain::Link& link = *links.front();
        Manner manner;
        manner.framing = link.none_eof ? hl7::Framing::none_eof : hl7::Framing::mllp;
        manner.limit = link.max_message_bytes == 0 ? options.max_message_bytes
                                                   : std::min(link.max_message_bytes, options.max_message_bytes);
        // A peer that takes messages of ours on its connection may have nothing to say first.
        if (link.first_byte_timeout.count() != 0)
            manner.first_byte_timeout = link.first_byte_timeout;
        else if (!link.one_socket)
            manner.first_byte_timeout = options.first_byte_timeout;
        manner.frame_timeout = link.frame_timeout.count() == 0 ? options.frame_timeout : Duration(link.frame_timeout);
        manner.idle_timeout = link.idle_timeout;
        manner.release_2 = link.mllp_release == 2;
        return manner;
    }
};

class Conversation
    : public std::enable_shared_from_this<Conversation> {  // shared with speak(), which may end after run()
public:
    Conversation(const asio::any_io_executor& executor, net::StreamPtr stream, Intake& intake, Budget& budget,
                 const LiveLaboratory& laboratory, const Clock& clock, const ConversationOptions& options)
        : stream_(std::move(stream)),
          intake_(intake),
          laboratory_(laboratory),
          clock_(clock),
          options_(options),
          share_(budget),
          said_(executor) {
        said_.expires_at(asio::steady_timer::time_point::max());
    }

    asio::awaitable<void> run() {
        look_again();
        if (links_.empty()) {
            log::warn("no link for this connection",
                      {{"listener", log::Token{options_.listener}}, {"address", log::Token{stream_->peer().address}}});
            co_await stream_->close();
            co_return;
        }
        framer_ = hl7::Framer(manner_.limit, manner_.framing);
        since_ = clock_.now();
        co_await send_owed();
        const bool speaks = std::ranges::any_of(links_, [](const domain::Link* link) { return link->one_socket; });
        if (speaks) tasks_.spawn(said_.get_executor(), speak(shared_from_this()));
        struct Silence {
            net::TaskGroup& tasks;
            ~Silence() { tasks.cancel(); }
        };
        const Silence at_the_end{tasks_};
        while (!ending_) {
            const std::size_t count = co_await read();
            // The laboratory as it is now: a link that was changed or closed holds from the next message on.
            look_again();
            if (links_.empty()) {
                log::warn("no link for this connection any more", {{"listener", log::Token{options_.listener}},
                                                                   {"address", log::Token{stream_->peer().address}}});
                break;
            }
            if (count == 0) {
                if (auto rest = framer_.finish()) co_await hear(std::move(*rest), clock_.now());
                break;
            }
            const Instant received_at = clock_.now();
            const bool was_inside = framer_.inside_block();
            bool finished = false;
            std::vector<hl7::FramerEvent> events = framer_.feed(std::string_view(buffer_.data(), count));
            for (auto& event : events) {
                using Kind = hl7::FramerEvent::Kind;
                finished = finished || event.kind == Kind::block || event.kind == Kind::commit_byte;
                co_await hear(std::move(event), received_at);
                if (ending_) break;
            }
            const bool inside = framer_.inside_block();
            begun_ = begun_ || inside || finished;
            // A block that is begun anew all the time gets no more time for it.
            if (finished || (inside && !was_inside) || (begun_ && !inside)) since_ = clock_.now();
            share_.hold(framer_.buffered());
        }
        co_await stream_->close();
    }

private:
    void look_again() {
        laboratory_now_ = laboratory_.current();
        links_ = links_of(*laboratory_now_, options_, stream_->peer());
        if (links_.empty()) return;
        const Manner before = manner_;
        manner_ = Manner::of(links_, options_);
        const bool other = before.limit != manner_.limit || before.framing != manner_.framing;
        if (other && !framer_.inside_block()) framer_ = hl7::Framer(manner_.limit, manner_.framing);
    }

    /// Bytes read; 0: the peer has finished, or its time is over.
    asio::awaitable<std::size_t> read() {
        const Instant before = clock_.now();
        co_await share_.room();
        since_ += clock_.now() - before;  // our own waiting is not the peer's
        const bool inside = framer_.inside_block();
        const Duration limit = inside   ? manner_.frame_timeout
                               : begun_ ? manner_.idle_timeout
                                        : manner_.first_byte_timeout;
        if (limit == Duration::zero()) {
            const std::size_t count = co_await stream_->read_some(buffer_);
            co_return count;
        }
        const Duration left = limit - (clock_.now() - since_);
        std::optional<std::size_t> count;
        if (left > Duration::zero()) count = co_await net::within(left, stream_->read_some(buffer_));
        if (count) co_return *count;
        if (inside)
            tell("block not finished in time", framer_.buffered());
        else if (!begun_)
            tell("nothing said in time", framer_.garbage_bytes());
        framer_ = hl7::Framer(manner_.limit);  // what was left of it is nothing
        co_return 0;
    }

    asio::awaitable<void> hear(hl7::FramerEvent event, Instant received_at) {
        using Kind = hl7::FramerEvent::Kind;
        switch (event.kind) {
            case Kind::block:
                co_await receive(std::move(event.bytes), received_at);
                break;
            case Kind::oversize: {
                const Reply reply =
                    co_await intake_.refuse_oversize(links_, std::move(event.bytes), event.size, received_at);
                if (!reply.bytes.empty()) co_await say(reply.bytes);
                ending_ = true;
                break;
            }
            case Kind::unterminated:
                tell("block without end", event.size);
                if (manner_.release_2) co_await say(hl7::commit_nak);
                break;
            case Kind::incomplete:
                tell("connection ended inside a block", event.size);
                break;
            case Kind::garbage:
                tell("bytes outside blocks", event.size);
                break;
            case Kind::not_hl7:
                tell("an ASTM transmission on an HL7 port", event.size);
                ending_ = true;
                break;
            case Kind::commit_byte:
                co_await commit(event.bytes);
                break;
        }
    }

    asio::awaitable<void> receive(std::string block, Instant received_at) {
        share_.hold(framer_.buffered() + copies_in_work * block.size());
        share_.work(true);
        std::exception_ptr failure;
        Replies replies;
        try {
            replies = co_await intake_.receive_block(links_, std::move(block), received_at);
        } catch (...) {
            failure = std::current_exception();
        }
        share_.work(false);
        share_.hold(framer_.buffered());
        if (failure) {
            // Nobody knows it here: no answer and a closed connection, so that the sender keeps it (hl7v2-lab 3.3).
            if (manner_.release_2) co_await say(hl7::commit_nak);
            std::rethrow_exception(failure);
        }
        if (commit_.waiting()) commit_.answered();
        const std::string_view commit_byte = replies.stored ? hl7::commit_ack : hl7::commit_nak;
        if (manner_.release_2) co_await say(commit_byte);
        for (const auto& reply : replies.blocks) {
            co_await say(reply);
            if (manner_.release_2) {
                last_said_ = reply;
                commit_.sent();
            }
            failpoint("after_ack");
        }
        ending_ = ending_ || replies.close;
        if (replies.owes) co_await send_owed();
    }

    /// The peer's commit byte for what we said (release 2).
    asio::awaitable<void> commit(const std::string& byte) {
        if (!manner_.release_2) {
            tell("the peer speaks MLLP release 2", 1);
            co_return;
        }
        switch (commit_.commit(byte)) {
            case hl7::CommitWait::Next::resend:
                co_await say(last_said_);
                break;
            case hl7::CommitWait::Next::give_up:
                tell("the peer can't store our answer", last_said_.size());
                break;
            case hl7::CommitWait::Next::done:
            case hl7::CommitWait::Next::ignore:
                break;
        }
    }

    /// Application acknowledgements of their own and work orders, on links whose peer takes them on its own connection.
    asio::awaitable<void> send_owed() {
        const domain::LaboratoryPtr laboratory = laboratory_now_;  // the links of now, while others may look again
        const Links links = links_;
        for (const auto* link : links) {
            if (!link->one_socket || !link->active) continue;
            const Instant now = clock_.now();
            const std::vector<store::OwedAnswer> owed =
                co_await intake_.link_state().claim(*link, now, now + repeat_owed_after, most_owed_at_once);
            for (const auto& answer : owed) {
                const std::string message = co_await intake_.application_answer(*link, answer);
                co_await say(message);
            }
            if (link->work_orders == domain::Link::WorkOrders::none && !link->order_news) continue;
            const std::vector<store::DueWork> work =
                co_await intake_.work().store().claim(*link, now, now + repeat_owed_after, most_owed_at_once);
            for (const auto& one : work) {
                if (now - one.created_at > messages_given_up_after) {
                    co_await intake_.work().store().failed(*link, one, now, true, false, "never answered");
                    continue;
                }
                co_await say(one.raw);
            }
        }
    }

    /// What comes up while the peer is silent: looked for every second, on a connection that takes it.
    static asio::awaitable<void> speak(std::shared_ptr<Conversation> conversation) {
        for (;;) {
            co_await net::pause(std::chrono::seconds(1));
            try {
                co_await conversation->send_owed();
            } catch (const pg::DatabaseError&) {
                log::warn("nothing can be sent on a link now: the database is away");
            }
        }
    }

    asio::awaitable<void> say(std::string_view bytes) {
        const std::string framed = hl7::frame(bytes);
        boost::system::error_code woken;
        while (saying_)  // one block after the other
            co_await said_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        struct Saying {
            Conversation& of;
            explicit Saying(Conversation& conversation) : of(conversation) { of.saying_ = true; }
            ~Saying() {
                of.saying_ = false;
                of.said_.cancel();
            }
        };
        const Saying saying(*this);
        const bool written = co_await net::within(write_limit, stream_->write(framed));
        if (!written) throw std::runtime_error("the peer does not take our answer");
    }

    void tell(std::string_view what, std::size_t bytes) const {
        log::warn(what, {{"listener", log::Token{options_.listener}},
                         {"address", log::Token{stream_->peer().address}},
                         {"bytes", bytes}});
    }

    net::StreamPtr stream_;
    Intake& intake_;
    const LiveLaboratory& laboratory_;
    const Clock& clock_;
    const ConversationOptions& options_;
    Budget::Share share_;
    domain::LaboratoryPtr laboratory_now_;  // keeps `links_` alive
    Links links_;
    Manner manner_;
    hl7::Framer framer_;
    hl7::CommitWait commit_;
    std::string last_said_;
    Instant since_;  // the block began; outside blocks: the last one ended, or the connection began
    bool begun_{};   // it has said something
    bool ending_{};
    bool saying_{};
    asio::steady_timer said_;  // cancelled when a block has left
    net::TaskGroup tasks_;
    std::array<char, 65536> buffer_{};
};

}  // namespace

asio::awaitable<void> converse(net::StreamPtr stream, Intake& intake, Budget& budget, const LiveLaboratory& laboratory,
                               const Clock& clock, const ConversationOptions& options) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto conversation =
        std::make_shared<Conversation>(executor, std::move(stream), intake, budget, laboratory, clock, options);
    co_await conversation->run();
}

}  // namespace sgl::flow
