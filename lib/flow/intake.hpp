// receive → keep → interpret: one message in, its answer out. What is answered AA is committed (design D2); messages
// that arrive together, on whatever connection, share one commit.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hl7/message.hpp"
#include "lib/base/clock.hpp"
#include "lib/flow/answer.hpp"
#include "lib/flow/live_laboratory.hpp"
#include "lib/flow/work_desk.hpp"
#include "lib/interpret/identity.hpp"
#include "lib/store/identities.hpp"
#include "lib/store/inbox.hpp"
#include "lib/store/link_state.hpp"
#include "lib/store/orders.hpp"

namespace sgl::flow {

namespace asio = boost::asio;

/// What goes back for one block.
struct Replies {
    std::vector<std::string> blocks;  ///< not framed; none when none is wanted
    bool close{};                     ///< the connection can't go on
    bool stored{true};                ///< for the commit byte of MLLP release 2
    bool owes{};                      ///< application acknowledgements follow as messages of their own
};

class Intake {
public:
    /// `production`: environment of the instance; decides which INS may come in (design D17).
    Intake(asio::any_io_executor executor, pg::Pool& pool, const Clock& clock, const LiveLaboratory& laboratory,
           bool production);
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    /// One block: a message, or a batch of them (hl7v2-lab 3.7).
    asio::awaitable<Replies> receive_block(const std::vector<const domain::Link*>& links, std::string block,
                                           Instant received_at);

    /// One message. `links`: the ones that this connection may be, at least one. Throws when nothing could be stored:
    /// then nothing is answered and the connection closes, so that the sender keeps the message (hl7v2-lab 3.3).
    asio::awaitable<Reply> receive(const std::vector<const domain::Link*>& links, std::string block,
                                   Instant received_at);

    /// A block longer than the listener takes: its head is kept, AR, close.
    asio::awaitable<Reply> refuse_oversize(const std::vector<const domain::Link*>& links, std::string head, std::uint64_t size,
                                           Instant received_at);

    /// An application acknowledgement that was promised, as the message to send: the same bytes each time.
    asio::awaitable<std::string> application_answer(const domain::Link& link, const store::OwedAnswer& owed);
    store::LinkState& link_state() { return link_state_; }

    WorkDesk& work() { return work_; }
    /// `tell` is called when there is work to send on our own connections.
    void on_work(std::function<void()> tell) { tell_work_ = std::move(tell); }

    std::size_t waiting() const { return queue_.size(); }

private:
    struct Waiting;
    struct Line;
    class Turn;
    struct Outcome {
        hl7::Message message;
        std::string code;  ///< AA, AE or AR
        AnswerDetail detail;
        std::optional<std::int64_t> sequence;  ///< MSA-4
        bool stored{};
        bool work{};  ///< there are work orders to send
    };

    /// What is kept without being read, and why.
    struct Unread {
        std::string answer;  ///< AE or AR
        std::string kind;    ///< of the work for a person
        hl7::ErrorCode code{};
        std::string what;
    };
    asio::awaitable<Reply> refuse_unread(const std::vector<const domain::Link*>& links, std::string bytes,
                                         std::uint64_t size, Unread why, Instant received_at);
    asio::awaitable<Outcome> take(const domain::Link& link, hl7::Message header, std::string block,
                                  Instant received_at);
    /// Nothing when a text of the message can't be stored.
    asio::awaitable<std::optional<store::Kept>> apply_identity(const domain::Laboratory& laboratory,
                                                               const store::Arrival& arrival,
                                                               interpret::ReadIdentity read);
    asio::awaitable<void> hear_answer(const domain::Link& link, const hl7::Message& message);
    asio::awaitable<Turn> turn_of(const domain::Link& link);
    /// MSH-10 of the application acknowledgement that the message is owed; empty: none.
    std::string owed(const domain::Link& link, const hl7::Message& message, const std::string& code);
    void tell_once_a_day(const domain::Link& link, std::string_view what);
    asio::awaitable<store::Kept> keep(store::Arrival arrival);
    asio::awaitable<void> run_batches();
    asio::awaitable<void> keep_together(std::vector<std::shared_ptr<Waiting>> batch);
    asio::awaitable<void> keep_alone(Waiting& waiting);

    asio::any_io_executor executor_;
    pg::Pool& pool_;
    const Clock& clock_;
    const LiveLaboratory& laboratory_;
    bool production_;
    store::Inbox inbox_;
    store::Orders orders_;
    store::Identities identities_;
    store::LinkState link_state_;
    WorkDesk work_;
    std::function<void()> tell_work_;
    std::map<std::int32_t, std::shared_ptr<Line>> lines_;  // of links that number their messages
    std::map<std::pair<std::int32_t, std::string>, std::optional<Instant>> told_;
    std::deque<std::shared_ptr<Waiting>> queue_;  // shared: the waiter may be cancelled while its batch runs
    std::size_t lanes_{};                         // batches under way
};

}  // namespace sgl::flow
