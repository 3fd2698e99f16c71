#include "lib/flow/application_answers.hpp"

#include <algorithm>
#include <array>

#include "hl7/ack.hpp"
#include "lib/base/log.hpp"

namespace sgl::flow {

namespace {

constexpr std::size_t most_at_once = 16;
constexpr auto lease = std::chrono::seconds(60);
constexpr auto give_up_after = std::chrono::hours(72);
constexpr std::array<std::chrono::seconds, 5> delays{std::chrono::seconds(1), std::chrono::seconds(2),
                                                     std::chrono::seconds(5), std::chrono::seconds(10),
                                                     std::chrono::seconds(30)};

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

ApplicationAnswers::ApplicationAnswers(asio::any_io_executor executor, Intake& intake, const Clock& clock,
                                       const LiveLaboratory& laboratory, Connect connect)
    : executor_(std::move(executor)),
      intake_(intake),
      clock_(clock),
      laboratory_(laboratory),
      connect_(std::move(connect)) {}

void ApplicationAnswers::stop() {
    tasks_.close();
    tasks_.cancel();
}

void ApplicationAnswers::look() {
    const domain::LaboratoryPtr laboratory = laboratory_.current();
    const Instant now = clock_.now();
    for (const auto& link : laboratory->links()) {
        if (!link.active || link.outgoing.host.empty()) continue;
        auto& line = lines_[link.id.value()];
        if (!line) line = std::make_shared<Line>();
        if (line->busy || now < line->quiet_until) continue;
        line->busy = tasks_.spawn(executor_, serve(link.id.value(), line));
    }
}

asio::awaitable<void> ApplicationAnswers::serve(std::int32_t id, std::shared_ptr<Line> line) {
    struct Busy {
        Line& line;
        ~Busy() { line.busy = false; }
    };
    const Busy busy{*line};
    for (bool more = true; more;) {
        const domain::LaboratoryPtr laboratory = laboratory_.current();
        const auto& links = laboratory->links();
        const auto found = std::ranges::find_if(links, [&](const domain::Link& link) { return link.id.value() == id; });
        if (found == links.end() || !found->active || found->outgoing.host.empty()) co_return;
        if (!line->client || line->to != found->outgoing || line->release != found->mllp_release) {
            line->to = found->outgoing;
            line->release = found->mllp_release;
            const auto connector = [this, to = line->to] { return connect_(to); };
            line->client = std::make_unique<mllp::Client>(
                connector, mllp::ClientOptions{found->outgoing.answer_timeout, found->mllp_release});
        }
        more = co_await send_due(*found, *line);
    }
}

asio::awaitable<bool> ApplicationAnswers::send_due(const domain::Link& link, Line& line) {
    store::LinkState& state = intake_.link_state();
    const Instant now = clock_.now();
    const std::vector<store::OwedAnswer> owed = co_await state.claim(link, now, now + lease, most_at_once);
    for (const auto& answer : owed) {
        std::string message = co_await intake_.application_answer(link, answer);
        std::string id = answer.control_id;
        const mllp::Exchange exchange = co_await line.client->exchange(std::move(message), std::move(id));
        const std::string why = refusal_of(exchange);
        if (why.empty()) {
            line.failures = 0;
            co_await state.done(link, answer.control_id, clock_.now());
            continue;
        }
        const auto wait = delays.at(std::min<std::size_t>(line.failures, delays.size() - 1));
        ++line.failures;
        line.quiet_until = clock_.now() + wait;
        const bool dead = clock_.now() - answer.created_at > give_up_after;
        log::warn("application acknowledgement not delivered", {{"link", link.id},
                                                                {"message", answer.message},
                                                                {"attempt", answer.attempts},
                                                                {"given_up", dead},
                                                                {"why", log::Token{why}}});
        co_await state.failed(link, answer, line.quiet_until, dead, why);
        co_return false;  // the others of this claim are due again when their lease ends
    }
    co_return owed.size() == most_at_once;
}

}  // namespace sgl::flow
