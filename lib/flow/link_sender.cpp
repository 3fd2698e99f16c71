#include "lib/flow/link_sender.hpp"

#include <algorithm>
#include <array>

#include "hl7/ack.hpp"
#include "lib/base/log.hpp"

namespace sgl::flow {

namespace {

constexpr std::size_t most_at_once = 16;
constexpr auto lease = std::chrono::seconds(60);
constexpr auto take_back_every = std::chrono::seconds(5);
constexpr std::array<std::chrono::seconds, 5> delays{std::chrono::seconds(1), std::chrono::seconds(2),
                                                     std::chrono::seconds(5), std::chrono::seconds(10),
                                                     std::chrono::seconds(30)};

bool gives_work(const domain::Link& link) {
    return link.work_orders != domain::Link::WorkOrders::none;
}
bool speaks(const domain::Link& link) {
    return gives_work(link) || link.order_news;
}

/// Why the peer does not have it; empty when it has.
std::string refusal_of(const mllp::Exchange& exchange) {
    if (exchange.kind != mllp::Exchange::Kind::answered) return exchange.error.what;
    const auto message = hl7::Message::parse(exchange.answer);
    if (!message) return "the peer's answer can't be read";
    const auto reading = hl7::read_ack(*message);
    if (!reading) return "the peer's answer is no acknowledgement";
    if (reading->accepted()) return {};
    return "the peer answers " + std::string(hl7::to_string(reading->code));
}

}  // namespace

LinkSender::LinkSender(asio::any_io_executor executor, Intake& intake, const Clock& clock,
                       const LiveLaboratory& laboratory, Connect connect)
    : executor_(std::move(executor)),
      intake_(intake),
      clock_(clock),
      laboratory_(laboratory),
      connect_(std::move(connect)) {}

void LinkSender::stop() {
    tasks_.close();
    tasks_.cancel();
}

void LinkSender::look() {
    const domain::LaboratoryPtr laboratory = laboratory_.current();
    const Instant now = clock_.now();
    for (const auto& link : laboratory->links()) {
        if (!link.active || (link.outgoing.host.empty() && !speaks(link))) continue;
        auto& line = lines_[link.id.value()];
        if (!line) line = std::make_shared<Line>();
        line->again = line->busy;
        if (line->busy || now < line->quiet_until) continue;
        line->busy = tasks_.spawn(executor_, serve(link.id.value(), line));
    }
}

asio::awaitable<void> LinkSender::serve(std::int32_t id, std::shared_ptr<Line> line) {
    struct Busy {
        Line& line;
        ~Busy() { line.busy = false; }
    };
    const Busy busy{*line};
    for (bool more = true; more;) {
        line->again = false;
        const domain::LaboratoryPtr laboratory = laboratory_.current();
        const auto& links = laboratory->links();
        const auto found = std::ranges::find_if(links, [&](const domain::Link& link) { return link.id.value() == id; });
        if (found == links.end() || !found->active) co_return;
        const domain::Link& link = *found;
        if (gives_work(link)) {
            const bool ended_too = clock_.now() >= line->take_back_at;
            if (ended_too) line->take_back_at = clock_.now() + take_back_every;
            co_await intake_.work().prepare(link, ended_too);
        }
        if (link.outgoing.host.empty()) co_return;
        more = co_await send_answers(link, *line);
        if (speaks(link) && clock_.now() >= line->quiet_until) {
            const bool more_work = co_await send_work(link, *line);
            more = more || more_work;
        }
        more = (more || line->again) && clock_.now() >= line->quiet_until;
    }
}

mllp::Client& LinkSender::client_of(const domain::Link& link, Line& line) {
    if (!line.client || line.to != link.outgoing || line.release != link.mllp_release) {
        line.to = link.outgoing;
        line.release = link.mllp_release;
        const auto connector = [this, to = line.to] { return connect_(to); };
        line.client = std::make_unique<mllp::Client>(
            connector, mllp::ClientOptions{link.outgoing.answer_timeout, link.mllp_release});
    }
    return *line.client;
}

Instant LinkSender::put_off(Line& line) {
    const auto wait = delays.at(std::min<std::size_t>(line.failures, delays.size() - 1));
    ++line.failures;
    line.quiet_until = clock_.now() + wait;
    return line.quiet_until;
}

asio::awaitable<bool> LinkSender::send_answers(const domain::Link& link, Line& line) {
    store::LinkState& state = intake_.link_state();
    const Instant now = clock_.now();
    const std::vector<store::OwedAnswer> owed = co_await state.claim(link, now, now + lease, most_at_once);
    for (const auto& answer : owed) {
        std::string message = co_await intake_.application_answer(link, answer);
        std::string id = answer.control_id;
        const mllp::Exchange exchange = co_await client_of(link, line).exchange(std::move(message), std::move(id));
        const std::string why = refusal_of(exchange);
        if (exchange.kind == mllp::Exchange::Kind::answered) {
            // It has the acknowledgement: one that it refuses would be refused again, and the others wait behind it.
            if (!why.empty())
                log::warn("the peer refuses our application acknowledgement",
                          {{"link", link.id}, {"message", answer.message}, {"why", log::Token{why}}});
            line.failures = 0;
            co_await state.done(link, answer.control_id, clock_.now());
            continue;
        }
        const Instant again_at = put_off(line);
        const bool dead = clock_.now() - answer.created_at > messages_given_up_after;
        log::warn("application acknowledgement not delivered", {{"link", link.id},
                                                                {"message", answer.message},
                                                                {"attempt", answer.attempts},
                                                                {"given_up", dead},
                                                                {"why", log::Token{why}}});
        co_await state.failed(link, answer, again_at, dead, why);
        co_return false;  // the others of this claim are due again when their lease ends
    }
    co_return owed.size() == most_at_once;
}

asio::awaitable<bool> LinkSender::send_work(const domain::Link& link, Line& line) {
    store::WorkOrders& work = intake_.work().store();
    const Instant now = clock_.now();
    // One at a time, for no longer than it takes: what a daemon that died had claimed is due again soon.
    const Duration time = link.outgoing.connect_timeout + link.outgoing.answer_timeout + std::chrono::seconds(5);
    const std::vector<store::DueWork> due = co_await work.claim(link, now, now + time, 1);
    for (const auto& one : due) {
        std::string message = one.raw;
        std::string id = one.control_id;
        const mllp::Exchange exchange = co_await client_of(link, line).exchange(std::move(message), std::move(id));
        std::string why = exchange.error.what;
        if (exchange.kind == mllp::Exchange::Kind::answered) {
            const auto answer = hl7::Message::parse(exchange.answer);
            bool heard = false;
            if (answer) heard = co_await intake_.work().hear(link, one.control_id, *answer);
            if (heard) {
                line.failures = 0;
                continue;
            }
            why = "the peer's answer can't be read";
        }
        const Instant again_at = put_off(line);
        const bool dead = clock_.now() - one.created_at > messages_given_up_after;
        log::warn("order message not delivered",
                  {{"link", link.id}, {"attempt", one.attempts}, {"given_up", dead}, {"why", log::Token{why}}});
        const bool not_sent = exchange.kind == mllp::Exchange::Kind::not_sent;
        co_await work.failed(link, one, again_at, dead, not_sent, why);
        co_return false;
    }
    co_return !due.empty();
}

}  // namespace sgl::flow
