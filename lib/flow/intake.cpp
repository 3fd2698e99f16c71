#include "lib/flow/intake.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <exception>
#include <stdexcept>

#include "hl7/ack.hpp"
#include "hl7/groups.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/interpret/order.hpp"
#include "lib/interpret/results.hpp"
#include "lib/store/codec.hpp"

namespace sgl::flow {

namespace {

namespace json = boost::json;
constexpr std::size_t largest_batch = 64;  // messages a commit; a lone one never waits for others
constexpr std::size_t most_lanes = 2;  // batches at a time: one is written while the other is on its way to the disk
constexpr std::size_t most_problems = 10;  // ERR segments of one answer

/// What an answer says beside its code; kept with the message so that a repeat hears the same.
struct AnswerDetail {
    std::vector<hl7::Problem> problems;
    std::string order_number;           // ORL: our number
    std::vector<std::string> refusals;  // ORL: per order, empty = accepted
};

std::string kept_form(const AnswerDetail& detail) {
    json::array problems;
    for (const auto& problem : detail.problems) {
        problems.push_back({{"code", static_cast<int>(problem.code)},
                            {"severity", std::string(1, problem.severity)},
                            {"where", problem.where},
                            {"diagnostic", problem.diagnostic}});
    }
    json::array refusals;
    for (const auto& refusal : detail.refusals)
        refusals.emplace_back(refusal);
    return store::codec::text(
        {{"problems", std::move(problems)}, {"order", detail.order_number}, {"refusals", std::move(refusals)}});
}

AnswerDetail from_kept_form(const std::string& text) {
    AnswerDetail detail;
    if (text.empty()) return detail;
    const auto kept = store::codec::parse(text);
    for (const auto& stored : kept.at("problems").as_array()) {
        hl7::Problem problem;
        problem.code = static_cast<hl7::ErrorCode>(stored.at("code").as_int64());
        problem.severity = store::codec::member(stored, "severity").at(0);
        problem.where = store::codec::member(stored, "where");
        problem.diagnostic = store::codec::member(stored, "diagnostic");
        detail.problems.push_back(std::move(problem));
    }
    detail.order_number = store::codec::member(kept, "order");
    for (const auto& refusal : kept.at("refusals").as_array())
        detail.refusals.emplace_back(std::string_view(refusal.as_string()));
    return detail;
}

hl7::ErrorCode error_code_of(const domain::Trouble& trouble) {
    if (trouble.kind == "missing_code") return hl7::ErrorCode::required_field_missing;
    if (trouble.kind == "charset" || trouble.kind == "value" || trouble.kind == "ins_invalid")
        return hl7::ErrorCode::data_type;
    if (trouble.kind == "two_patients") return hl7::ErrorCode::cardinality;
    if (trouble.kind == "unknown_code" || trouble.kind == "unit" || trouble.kind == "unknown_flag" ||
        trouble.kind == "unknown_exam") {
        return hl7::ErrorCode::table_value_not_found;
    }
    return hl7::ErrorCode::application_error;
}

/// Troubles of a stored message: warnings, the answer stays AA (hl7v2-lab 3.3).
void add_warnings(AnswerDetail& detail, const std::vector<domain::Trouble>& troubles) {
    for (const auto& trouble : troubles) {
        if (detail.problems.size() == most_problems) return;
        hl7::Problem problem;
        problem.code = error_code_of(trouble);
        problem.severity = 'W';
        problem.where = trouble.coordinate;
        problem.diagnostic = trouble.what;
        detail.problems.push_back(std::move(problem));
    }
}

hl7::Problem problem_of(const interpret::Refusal& refusal) {
    hl7::Problem problem;
    problem.code = static_cast<hl7::ErrorCode>(std::stoi(refusal.code));
    problem.where = refusal.coordinate;
    problem.diagnostic = refusal.what;
    return problem;
}

hl7::AckCode ack_code(const std::string& answer) {
    return hl7::parse_ack_code(answer).value_or(hl7::AckCode::ae);
}

Sha256 key_of(const hl7::Message& message) {
    // (link, MSH-3, MSH-4, MSH-10, MSH-7); the link is a column of its own. MSH-10 empty: the hash alone decides.
    const auto msh = message.header();
    std::string key;
    for (const std::size_t field : {3U, 4U, 10U, 7U}) {
        key += msh.field(field).raw();
        key += '\x1F';
    }
    return sha256(key);
}

const domain::Link& link_for(const std::vector<const domain::Link*>& links, const hl7::Message& message) {
    const domain::Link::Sender sender{message.header().text(3), message.header().text(4)};
    for (const auto* link : links) {
        if (std::ranges::find(link->allowed_senders, sender) != link->allowed_senders.end()) return *link;
    }
    for (const auto* link : links) {
        if (link->allowed_senders.empty()) return *link;
    }
    return *links.front();  // admission refuses it, at MSH-3
}

store::Arrival arrival_of(const domain::Link& link, std::string raw, Instant received_at) {
    store::Arrival arrival;
    arrival.link = link.id;
    arrival.link_name = link.name;
    arrival.site = link.site;
    arrival.legal_entity = link.legal_entity;
    arrival.received_at = received_at;
    arrival.size = raw.size();
    arrival.sha256 = sha256(raw);
    arrival.key = arrival.sha256;
    arrival.raw = std::move(raw);
    arrival.answer = "AA";
    return arrival;
}

hl7::ParseOptions parse_options(const domain::Link& link) {
    hl7::ParseOptions options;
    if (const auto charset = hl7::parse_link_charset(link.charset)) options.charset = *charset;
    return options;
}

/// The header to answer to; a message whose MSH can't be read is answered on a bare one.
hl7::Message header_of(const std::string& raw, const hl7::ParseOptions& options) {
    auto header = hl7::Message::parse_header(raw, options);
    if (header) return std::move(*header);
    auto bare = hl7::Message::parse_header("MSH|^~\\&|||||||||P|2.5", options);
    return std::move(*bare);
}

class Answer {
public:
    Answer(const domain::Link& link, Instant now) : link_(link), control_id_(to_hl7_utc(now) + random_token(4)) {
        context_.sending_application = link_.our_application;
        context_.sending_facility = link_.our_facility;
        context_.control_id = control_id_;
        context_.time = link_.time_zone.to_local(now);
    }

    Reply to(const hl7::Message& incoming, const std::string& code, const AnswerDetail& detail) const {
        const auto outcome = code == "AA"   ? hl7::AckOutcome::stored
                             : code == "AR" ? hl7::AckOutcome::rejected
                                            : hl7::AckOutcome::content_error;
        const auto decision = hl7::decide(hl7::ack_request(incoming), outcome);
        if (!decision.now) return {};
        if (incoming.type() == "OML" && (*decision.now == hl7::AckCode::aa || *decision.now == hl7::AckCode::ae)) {
            return {order_response(incoming, code, detail), false};
        }
        const std::string_view text =
            detail.problems.empty() ? std::string_view() : std::string_view(detail.problems.front().diagnostic);
        return {hl7::ack(incoming, *decision.now, detail.problems, context_, text), false};
    }

private:
    std::string order_response(const hl7::Message& incoming, const std::string& code,
                               const AnswerDetail& detail) const {
        auto groups = hl7::group(incoming);
        std::vector<hl7::OrderAnswer> answers;
        for (const auto& refusal : detail.refusals) {
            hl7::OrderAnswer answer;
            answer.filler_number = detail.order_number;
            if (!refusal.empty()) {
                answer.control = "UA";
                answer.status = "CA";
                answer.reason = refusal;
            }
            answers.push_back(answer);
        }
        // Prior results travel in OML as orders without ORC: they are not answered.
        for (auto& patient : groups.patients) {
            std::erase_if(patient.orders, [](const hl7::OrderGroup& order) { return !order.orc; });
        }
        return hl7::orl(incoming, groups, ack_code(code), answers, detail.problems, context_);
    }

    const domain::Link& link_;
    std::string control_id_;
    hl7::AnswerContext context_;
};

}  // namespace

struct Intake::Waiting {
    Waiting(const asio::any_io_executor& executor, store::Arrival message)
        : arrival(std::move(message)), done(executor) {
        done.expires_at(asio::steady_timer::time_point::max());
    }
    store::Arrival arrival;
    std::optional<store::Kept> kept;
    std::exception_ptr failure;
    asio::steady_timer done;  // cancelled when the outcome is known
};

Intake::Intake(asio::any_io_executor executor, pg::Pool& pool, const Clock& clock, const LiveLaboratory& laboratory)
    : executor_(std::move(executor)),
      pool_(pool),
      clock_(clock),
      laboratory_(laboratory),
      inbox_(pool),
      orders_(pool, inbox_) {}

asio::awaitable<Reply> Intake::receive(const std::vector<const domain::Link*>& links, std::string block,
                                       Instant received_at) {
    failpoint("mllp_frame_complete");
    const domain::LaboratoryPtr laboratory = laboratory_.current();
    failpoint("before_parse");
    const hl7::ParseOptions first_options = parse_options(*links.front());
    const hl7::Message header = header_of(block, first_options);
    const domain::Link& link = link_for(links, header);
    const hl7::ParseOptions options = parse_options(link);
    Result<hl7::Message> parsed = hl7::Message::parse(block, options);
    store::Arrival arrival = arrival_of(link, std::move(block), received_at);
    arrival.control_id = header.control_id();
    arrival.type = header.type() + "^" + header.trigger();
    AnswerDetail detail;
    const Answer answer(link, clock_.now());
    if (!parsed) {
        // Over a limit of segments, fields or repetitions (hl7v2-lab 2.4); anything else is unusable content (3.3).
        const bool over_limit = parsed.error().what.starts_with("too many");
        arrival.answer = over_limit ? "AR" : "AE";
        detail.problems.push_back(hl7::to_problem(parsed.error()));
        if (over_limit) detail.problems.back().code = hl7::ErrorCode::value_too_long;
        arrival.answer_errors = kept_form(detail);
        const store::Kept kept = co_await keep(std::move(arrival));
        co_return answer.to(header, kept.answer, from_kept_form(kept.answer_errors));
    }
    const hl7::Message& message = *parsed;
    arrival.key = key_of(message);
    const interpret::Admission admission = interpret::admit(message, link);
    std::optional<interpret::Refusal> refusal = admission.refusal;
    std::optional<interpret::ReadOrder> order;
    if (!refusal && admission.kind == interpret::Kind::results) {
        auto reading = interpret::results(message, link, laboratory->catalogue(link.site));
        if (auto* refused = std::get_if<interpret::Refusal>(&reading))
            refusal = std::move(*refused);
        else
            arrival.reading = std::move(std::get<domain::Reading>(reading));
    } else if (!refusal) {
        const domain::Site* site = laboratory->site(link.site);
        auto read = interpret::order(message, link, laboratory->catalogue(link.site),
                                     site == nullptr ? std::string() : site->oid);
        if (auto* refused = std::get_if<interpret::Refusal>(&read))
            refusal = std::move(*refused);
        else
            order = std::move(std::get<interpret::ReadOrder>(read));
    }
    failpoint("after_parse_before_apply");
    if (refusal) {
        arrival.answer = refusal->answer;
        detail.problems.push_back(problem_of(*refusal));
    }
    if (order) {
        arrival.reading.troubles = order->troubles;
        for (const auto& line : order->lines)
            detail.refusals.push_back(line.refusal);
    }
    add_warnings(detail, arrival.reading.troubles);
    arrival.answer_errors = kept_form(detail);

    if (order && order->acceptable()) {
        // The number that we give is part of the answer: a repeat must hear it again.
        order->order.registered_at.reset();
        Result<store::Registered> registered = Error{Fault::malformed, "MSH", "a text of the order can't be stored"};
        try {
            registered = co_await orders_.register_order(arrival, order->order, clock_.now());
        } catch (const pg::DatabaseError& error) {
            // Class 22: a value that is no text for the database. Without an answer the sender would repeat it for
            // ever.
            if (!error.sqlstate().starts_with("22")) throw;
        } catch (const std::invalid_argument&) {  // U+0000 in a text
        }
        if (registered) {
            failpoint("after_inbox_commit_before_ack");
            if (registered->kept.duplicate) detail = from_kept_form(registered->kept.answer_errors);
            detail.order_number = registered->number;
            log::info("order kept",
                      {{"link", link.id}, {"message", registered->kept.id}, {"duplicate", registered->kept.duplicate}});
            co_return answer.to(message, registered->kept.answer, detail);
        }
        for (auto& line : detail.refusals)
            line = registered.error().what;
        hl7::Problem problem = hl7::to_problem(registered.error());
        if (registered.error().fault == Fault::conflict) problem.code = hl7::ErrorCode::duplicate_key;
        detail.problems.push_back(std::move(problem));
        arrival.reading.troubles.push_back({"order_refused", registered.error().where, registered.error().what});
        arrival.answer_errors = kept_form(detail);
    } else if (order) {
        for (const auto& line : order->lines) {
            if (!line.refusal.empty())
                arrival.reading.troubles.push_back({"order_refused", line.coordinate, line.refusal});
        }
    }
    const store::Kept kept = co_await keep(std::move(arrival));
    failpoint("after_inbox_commit_before_ack");
    log::debug(
        "message kept",
        {{"link", link.id}, {"message", kept.id}, {"duplicate", kept.duplicate}, {"answer", log::Token{kept.answer}}});
    co_return answer.to(message, kept.answer, from_kept_form(kept.answer_errors));
}

asio::awaitable<Reply> Intake::refuse_oversize(const domain::Link& link, std::string head, std::uint64_t size,
                                               Instant received_at) {
    const hl7::ParseOptions options = parse_options(link);
    const hl7::Message header = header_of(head, options);
    store::Arrival arrival = arrival_of(link, std::move(head), received_at);
    arrival.size = size;
    arrival.control_id = header.control_id();
    arrival.type = header.type() + "^" + header.trigger();
    arrival.answer = "AR";
    AnswerDetail detail;
    hl7::Problem problem;
    problem.code = hl7::ErrorCode::value_too_long;
    problem.where = "MSH";
    problem.diagnostic = "the message is longer than this listener takes";
    arrival.reading.troubles.push_back({"too_long", problem.where, problem.diagnostic});
    detail.problems.push_back(std::move(problem));
    arrival.answer_errors = kept_form(detail);
    const Answer answer(link, clock_.now());
    const store::Kept kept = co_await keep(std::move(arrival));
    log::warn("message too long", {{"link", link.id}, {"message", kept.id}, {"bytes", size}});
    Reply reply = answer.to(header, "AR", detail);
    reply.close = true;
    co_return reply;
}

asio::awaitable<store::Kept> Intake::keep(store::Arrival arrival) {
    auto waiting = std::make_shared<Waiting>(executor_, std::move(arrival));
    queue_.push_back(waiting);
    if (lanes_ < most_lanes) {
        ++lanes_;
        asio::co_spawn(executor_, run_batches(), asio::detached);
    }
    boost::system::error_code cancelled;
    if (!waiting->kept && !waiting->failure) {
        co_await waiting->done.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
    if (waiting->failure) std::rethrow_exception(waiting->failure);
    if (!waiting->kept) throw std::runtime_error("the wait for the commit was cut short");
    co_return *waiting->kept;
}

asio::awaitable<void> Intake::run_batches() {
    while (!queue_.empty()) {
        std::vector<std::shared_ptr<Waiting>> batch;
        while (!queue_.empty() && batch.size() < largest_batch) {
            batch.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
        co_await keep_together(std::move(batch));
    }
    --lanes_;
}

asio::awaitable<void> Intake::keep_together(std::vector<std::shared_ptr<Waiting>> batch) {
    std::vector<store::Arrival> arrivals;
    arrivals.reserve(batch.size());
    for (auto& waiting : batch)
        arrivals.push_back(std::move(waiting->arrival));
    bool one_by_one = false;
    std::exception_ptr failure;
    try {
        std::vector<store::Kept> kept = co_await inbox_.keep(arrivals, clock_.now());
        for (std::size_t i = 0; i < batch.size(); ++i)
            batch[i]->kept = std::move(kept[i]);
    } catch (const pg::DatabaseError& error) {
        // A message that the database can't take must not stop its neighbours; a lost database stops all.
        one_by_one = !error.is_connection_loss() && !error.is_in_doubt();
        failure = std::current_exception();
        log::warn("batch not stored", {{"messages", batch.size()},
                                       {"sqlstate", log::Token{error.sqlstate()}},
                                       {"query", log::Token{error.query()}}});
    } catch (const std::exception&) {
        failure = std::current_exception();
        log::error("batch not stored", {{"messages", batch.size()}});
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        auto& waiting = *batch[i];
        waiting.arrival = std::move(arrivals[i]);
        if (one_by_one)
            co_await keep_alone(waiting);
        else if (failure)
            waiting.failure = failure;
        waiting.done.cancel();
    }
}

asio::awaitable<void> Intake::keep_alone(Waiting& waiting) {
    for (int attempt = 0; attempt < 3; ++attempt) {
        std::vector<store::Arrival> one(1, waiting.arrival);
        try {
            std::vector<store::Kept> kept = co_await inbox_.keep(one, clock_.now());
            waiting.kept = std::move(kept.front());
            waiting.failure = nullptr;
            co_return;
        } catch (const pg::DatabaseError& error) {
            waiting.failure = std::current_exception();
            if (error.is_connection_loss() || error.is_in_doubt()) co_return;
            // Class 22: a value that can't be stored as text. The bytes are kept, a person looks at them.
            if (error.sqlstate().starts_with("22")) {
                waiting.arrival.reading.groups.clear();
                waiting.arrival.reading.quarantined = true;
                waiting.arrival.reading.troubles.assign(1,
                                                        {"unstorable", "MSH", "a text of the message can't be stored"});
            }
        } catch (const std::exception&) {
            waiting.failure = std::current_exception();
            co_return;
        }
    }
}

}  // namespace sgl::flow
