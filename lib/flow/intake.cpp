#include "lib/flow/intake.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <stdexcept>

#include "hl7/batch.hpp"
#include "hl7/sequence.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/flow/read.hpp"
#include "lib/interpret/order.hpp"
#include "lib/interpret/results.hpp"

namespace sgl::flow {

namespace {

constexpr std::size_t largest_batch = 64;  // messages a commit; a lone one never waits for others
// Batches at a time: one is written while the other is on its way to the disk. When many messages wait, a third one;
// with few it would only make the batches smaller.
constexpr std::size_t usual_lanes = 2;
constexpr std::size_t most_lanes = 3;
constexpr std::size_t many_waiting = 4;

/// The database takes this content never (class 22: no such text; 54: longer than an index takes): without an answer
/// the sender would repeat it for ever.
bool is_about_content(const pg::DatabaseError& error) {
    return error.sqlstate().starts_with("22") || error.sqlstate().starts_with("54");
}

Sha256 key_of(const hl7::Message& message) {
    // (link, MSH-3, MSH-4, MSH-10, MSH-7); the link is a column of its own. MSH-10 empty: the hash alone decides.
    // One half says the number, the other when it was used: whether it was used before is a look at the same index.
    const auto msh = message.header();
    std::string number;
    for (const std::size_t field : {3U, 4U, 10U}) {
        number += msh.field(field).raw();
        number += '\x1F';
    }
    Sha256 key = sha256(number);
    const Sha256 time = sha256(msh.field(7).raw());
    std::copy_n(time.begin(), key.size() - store::number_part, key.begin() + store::number_part);
    return key;
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
    // A repeat is one whose message is the same, whatever stands around it (hl7v2-lab 2.5).
    const std::string_view bytes = raw;
    const auto header = bytes.find("MSH");
    const std::size_t first = header == std::string_view::npos ? 0 : header;
    const auto last = bytes.rfind('\r');
    const bool ends =
        last != std::string_view::npos && last >= first &&
        std::ranges::all_of(bytes.substr(last), [](char c) { return static_cast<unsigned char>(c) <= ' '; });
    // Without a CR at its end the last segment is part of the message all the same: two that differ there are two.
    const auto content = ends ? bytes.substr(first, last + 1 - first) : bytes.substr(first);
    arrival.sha256 = sha256(content);
    if (content.size() != bytes.size()) arrival.raw_sha256 = sha256(bytes);
    arrival.key = arrival.sha256;
    arrival.raw = std::move(raw);
    arrival.answer = "AA";
    return arrival;
}

/// The header to answer to; a message whose MSH can't be read is answered on a bare one.
hl7::Message header_of(const std::string& raw, const hl7::ParseOptions& options) {
    auto header = hl7::Message::parse_header(raw, options);
    if (header) return std::move(*header);
    auto bare = hl7::Message::parse_header("MSH|^~\\&|||||||||P|2.5", options);
    return std::move(*bare);
}

/// A line of the block begins as a header does.
bool holds_header(std::string_view block) {
    for (auto at = block.find("MSH"); at != std::string_view::npos; at = block.find("MSH", at + 1)) {
        const auto before = block.find_last_not_of(" \t", at == 0 ? 0 : at - 1);
        if (at == 0 || (before != std::string_view::npos && (block[before] == '\r' || block[before] == '\n')))
            return true;
    }
    return false;
}

hl7::Problem closed_link() {
    hl7::Problem problem;
    problem.where = "MSH";
    problem.diagnostic = "this link is closed by the laboratory";
    return problem;
}

hl7::Problem wrong_sequence() {
    hl7::Problem problem;
    problem.code = hl7::ErrorCode::other_hl7_error;
    problem.where = "MSH-13";
    problem.diagnostic = "the sequence number is not the expected one";
    return problem;
}

interpret::Refusal bad_charset() {
    return {"AE", "102", "MSH^1^18", "the bytes are not in the character set that the message or the link says",
            "MSH-18"};
}

}  // namespace

struct Intake::Line {
    explicit Line(const asio::any_io_executor& executor) : free(executor) {
        free.expires_at(asio::steady_timer::time_point::max());
    }
    bool busy{};
    asio::steady_timer free;  // cancelled when it is
};

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

Intake::Intake(asio::any_io_executor executor, pg::Pool& pool, const Clock& clock, const LiveLaboratory& laboratory,
               bool production)
    : executor_(std::move(executor)),
      pool_(pool),
      clock_(clock),
      laboratory_(laboratory),
      production_(production),
      inbox_(pool),
      orders_(pool, inbox_),
      identities_(pool, inbox_),
      link_state_(pool),
      work_(pool, orders_, clock, laboratory) {}

/// Holds a link that numbers its messages: they are judged and stored one by one.
class Intake::Turn {
public:
    explicit Turn(std::shared_ptr<Line> line) : line_(std::move(line)) { line_->busy = true; }
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
        if (!line_) return;
        line_->busy = false;
        line_->free.cancel();
    }

private:
    std::shared_ptr<Line> line_;
};

asio::awaitable<Intake::Turn> Intake::turn_of(const domain::Link& link) {
    auto& known = lines_[link.id.value()];
    if (!known) known = std::make_shared<Line>(executor_);
    const std::shared_ptr<Line> line = known;
    boost::system::error_code woken;
    while (line->busy)
        co_await line->free.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    co_return Turn(line);
}

void Intake::tell_once_a_day(const domain::Link& link, std::string_view what) {
    auto& told = told_[{link.id.value(), std::string(what)}];
    const Instant now = clock_.now();
    if (told && now - *told < std::chrono::hours(24)) return;
    told = now;
    log::warn("unusual messages on a link", {{"link", link.id}, {"what", log::Token{what}}});
}

asio::awaitable<Replies> Intake::receive_block(const std::vector<const domain::Link*>& links, std::string block,
                                               Instant received_at) {
    Replies replies;
    const hl7::Batch batch = hl7::read_batch(block);
    if (!batch.is_batch()) {
        Reply reply = co_await receive(links, std::move(block), received_at);
        if (!reply.bytes.empty()) replies.blocks.push_back(std::move(reply.bytes));
        replies.close = reply.close;
        replies.stored = reply.stored;
        replies.owes = reply.owes;
        co_return replies;
    }
    if (batch.messages.empty() && holds_header(block)) {
        const std::uint64_t size = block.size();
        Unread why{"AE", "no_message", hl7::ErrorCode::application_error, "no message can be read after the envelope"};
        Reply reply = co_await refuse_unread(links, std::move(block), size, std::move(why), received_at);
        replies.blocks.push_back(std::move(reply.bytes));
        co_return replies;
    }
    const hl7::ParseOptions options = parse_options(*links.front());
    const hl7::Message first = header_of(batch.messages.empty() ? block : std::string(batch.messages.front()), options);
    const domain::Link& link = link_for(links, first);
    for (const auto& where : batch.wrong_counts)
        log::warn("a batch says another number of messages", {{"link", link.id}, {"where", log::Token{where}}});
    log::info("batch received", {{"link", link.id}, {"messages", batch.messages.size()}});
    for (const auto& message : batch.messages) {
        std::string bytes(message);
        Reply reply = co_await receive(links, std::move(bytes), received_at);
        if (!reply.bytes.empty()) replies.blocks.push_back(std::move(reply.bytes));
        replies.close = replies.close || reply.close;
        replies.stored = replies.stored && reply.stored;
        replies.owes = replies.owes || reply.owes;
    }
    if (link.batch_answer) {
        const Instant now = clock_.now();
        const Answer answer(link, now, fresh_control_id(now));
        std::string all = hl7::batch_answer(batch, replies.blocks, answer.context());
        replies.blocks.assign(1, std::move(all));
    }
    co_return replies;
}

asio::awaitable<Reply> Intake::receive(const std::vector<const domain::Link*>& links, std::string block,
                                       Instant received_at) {
    failpoint("mllp_frame_complete");
    const hl7::ParseOptions first_options = parse_options(*links.front());
    hl7::Message header = header_of(block, first_options);
    const domain::Link& link = link_for(links, header);
    const Instant now = clock_.now();
    Answer answer(link, now, fresh_control_id(now));
    answer.answers(block);
    if (!link.active) {
        // Not stored, so that the same bytes are taken once the link is open again (hl7v2-lab 3.1: AR may be repeated).
        tell_once_a_day(link, "closed");
        AnswerDetail detail;
        detail.problems.push_back(closed_link());
        Reply reply = answer.to(header, "AR", detail);
        reply.stored = false;
        co_return reply;
    }
    const Outcome outcome = co_await take(link, std::move(header), std::move(block), received_at);
    if (outcome.sequence) answer.expect(*outcome.sequence);
    Reply reply = answer.to(outcome.message, outcome.code, outcome.detail);
    reply.stored = outcome.stored;
    reply.owes = reply.owes || outcome.work;
    if (outcome.work && tell_work_) tell_work_();
    co_return reply;
}

asio::awaitable<std::string> Intake::application_answer(const domain::Link& link, const store::OwedAnswer& owed) {
    const hl7::ParseOptions options = parse_options(link);
    hl7::Message header = header_of(owed.raw, options);
    std::string raw = owed.raw;
    // The message is known: this finds what was answered, and for an order its number.
    const Outcome outcome = co_await take(link, std::move(header), std::move(raw), owed.created_at);
    Answer answer(link, owed.created_at, owed.control_id);
    answer.answers(owed.raw);
    co_return answer.application(outcome.message, outcome.code, outcome.detail);
}

asio::awaitable<Intake::Outcome> Intake::take(const domain::Link& link, hl7::Message header, std::string block,
                                              Instant received_at) {
    const domain::LaboratoryPtr laboratory = laboratory_.current();
    failpoint("before_parse");
    const hl7::ParseOptions options = parse_options(link);
    // Race, religion and ethnic group go no further than this (hl7v2-lab 9.2).
    if (auto lawful = interpret::without_forbidden(block)) {
        tell_once_a_day(link, "says what may not be kept (PID-10, 17, 22): it was left out");
        block = std::move(*lawful);
    }
    Result<hl7::Message> parsed = hl7::Message::parse(block, options);
    store::Arrival arrival = arrival_of(link, std::move(block), received_at);
    arrival.control_id = header.control_id();
    arrival.type = header.type() + "^" + header.trigger();
    AnswerDetail detail;
    if (!parsed) {
        // Over a limit of segments, fields or repetitions (hl7v2-lab 2.4); anything else is unusable content (3.3).
        const bool over_limit = parsed.error().what.starts_with("too many");
        arrival.answer = over_limit ? "AR" : "AE";
        detail.problems.push_back(hl7::to_problem(parsed.error()));
        if (over_limit) detail.problems.back().code = hl7::ErrorCode::value_too_long;
        arrival.answer_errors = kept_form(detail);
        arrival.owed_control_id = owed(link, header, arrival.answer);
        const store::Kept kept = co_await keep(std::move(arrival));
        Outcome outcome{std::move(header), kept.answer, from_kept_form(kept.answer_errors), std::nullopt, true, false};
        co_return outcome;
    }
    const hl7::Message& message = *parsed;
    arrival.key = key_of(message);
    for (const auto& anomaly : message.anomalies())
        tell_once_a_day(link, hl7::to_string(anomaly.kind));
    if (hl7::ack_request(message).unusual) tell_once_a_day(link, "MSH-15 or MSH-16 outside table 0155");

    std::optional<Turn> turn;
    std::optional<std::int64_t> sequence;
    if (link.sequence_numbers) {
        turn.emplace(co_await turn_of(link));
        const std::optional<std::int64_t> last = co_await link_state_.last_sequence(link);
        hl7::SequenceVerdict verdict = hl7::judge_sequence(message.header().text(13), last);
        using Kind = hl7::SequenceVerdict::Kind;
        if (verdict.kind == Kind::repeated || verdict.kind == Kind::wrong) {
            // What is here is answered as it was, also after the numbering began anew.
            const std::vector<store::Arrival> one(1, arrival);
            const std::vector<store::Kept> known = co_await inbox_.known(one);
            verdict.kind = known.empty() ? Kind::wrong : Kind::repeated;
        }
        if (verdict.kind != Kind::unnumbered) sequence = verdict.answer;
        if (verdict.kind == Kind::expected || verdict.kind == Kind::resync)
            arrival.sequence = verdict.last.value_or(-1);
        if (verdict.kind == Kind::wrong) {
            // Not stored: the same message may come again when it is its turn.
            log::warn("sequence number not expected", {{"link", link.id}});
            detail.problems.push_back(wrong_sequence());
            Outcome outcome{std::move(*parsed), "AE", std::move(detail), sequence, false, false};
            co_return outcome;
        }
    }

    const bool answer_of_theirs = hl7::is_answer(message);
    interpret::Admission admission;
    if (!answer_of_theirs) admission = interpret::admit(message, link);
    std::optional<interpret::Refusal> refusal = admission.refusal;
    if (!refusal && link.reject_bad_charset && message.charset_invalid()) refusal = bad_charset();
    std::optional<interpret::ReadOrder> order;
    std::optional<interpret::ReadIdentity> identity;
    const domain::Site* site = laboratory->site(link.site);
    const interpret::PatientContext context =
        interpret::patient_context(link, site == nullptr ? std::string_view() : site->oid, production_);
    bool work = false;
    const std::string part = part_of(message);
    if (answer_of_theirs) {
        co_await hear_answer(link, message);
    } else if (!refusal && !part.empty() && admission.kind == interpret::Kind::results) {
        // Half a report is no report: kept for a person, and nothing of it applied (hl7v2-lab 5).
        arrival.reading.quarantined = true;
        arrival.reading.troubles.push_back({"part", part, "a part of a longer message: parts are not joined"});
    } else if (!refusal && !part.empty()) {
        refusal = interpret::Refusal{"AE", "207", "MSH^1", "a part of a longer message: parts are not joined", part};
    } else if (!refusal && admission.kind == interpret::Kind::results) {
        auto reading = interpret::results(message, link, laboratory->catalogue(link.site));
        if (auto* refused = std::get_if<interpret::Refusal>(&reading))
            refusal = std::move(*refused);
        else
            arrival.reading = std::move(std::get<domain::Reading>(reading));
    } else if (!refusal && admission.kind == interpret::Kind::identity) {
        auto read = interpret::identity(message, link, context);
        if (auto* refused = std::get_if<interpret::Refusal>(&read))
            refusal = std::move(*refused);
        else
            identity = std::move(std::get<interpret::ReadIdentity>(read));
    } else if (!refusal && admission.kind == interpret::Kind::query) {
        auto read = interpret::work_query(message);
        if (auto* refused = std::get_if<interpret::Refusal>(&read)) {
            refusal = std::move(*refused);
        } else {
            work = true;
            const std::vector<store::Arrival> one(1, arrival);
            const std::vector<store::Kept> known = co_await inbox_.known(one);
            if (known.empty()) {  // a repeat hears what it heard
                WorkDesk::Told told = co_await work_.ask(link, std::get<interpret::WorkQuery>(read));
                detail.query_status = told.found ? "OK" : "NF";
                detail.segments = std::move(told.segments);
            }
        }
    } else if (!refusal && admission.kind == interpret::Kind::order) {
        auto read = interpret::order(message, link, laboratory->catalogue(link.site), context);
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
    if (order) arrival.reading.troubles = order->troubles;
    if (identity) {
        arrival.reading.troubles = identity->troubles;
        arrival.reading.quarantined = identity->held;
    }
    add_warnings(detail, arrival.reading.troubles);
    arrival.answer_errors = kept_form(detail);
    arrival.owed_control_id = owed(link, message, arrival.answer);

    if (identity) {
        const std::optional<store::Kept> kept = co_await apply_identity(*laboratory, arrival, std::move(*identity));
        if (kept) {
            failpoint("after_inbox_commit_before_ack");
            log::info("identity message kept",
                      {{"link", link.id}, {"message", kept->id}, {"duplicate", kept->duplicate}});
            Outcome outcome{std::move(*parsed), kept->answer, from_kept_form(kept->answer_errors),
                            sequence,           true,         false};
            co_return outcome;
        }
        arrival.reading.quarantined = true;
        arrival.reading.troubles.push_back({"unstorable", "MSH", "a text of the message can't be stored"});
        add_warnings(detail, {arrival.reading.troubles.back()});
        arrival.answer_errors = kept_form(detail);
    }
    if (order) {
        // Which number each line is kept under is part of the answer: a repeat must hear it again.
        arrival.work_links = work_.pushed(link.site);
        const AnswerDetail warnings = detail;
        const store::AnswerForm form = [&](const domain::Decision& decision) {
            detail = warnings;
            add_lines(detail, *order, decision);
            return kept_form(detail);
        };
        std::optional<store::Ordered> ordered;
        try {
            ordered = co_await orders_.take(arrival, *order, laboratory->catalogue(link.site), form, clock_.now());
        } catch (const pg::DatabaseError& error) {
            if (!is_about_content(error)) throw;
        } catch (const std::invalid_argument&) {  // U+0000 in a text
        }
        if (ordered) {
            failpoint("after_inbox_commit_before_ack");
            if (ordered->kept.duplicate) detail = from_kept_form(ordered->kept.answer_errors);
            log::info("order kept",
                      {{"link", link.id}, {"message", ordered->kept.id}, {"duplicate", ordered->kept.duplicate}});
            work = !arrival.work_links.empty();
            Outcome outcome{std::move(*parsed), ordered->kept.answer, std::move(detail), sequence, true, work};
            co_return outcome;
        }
        detail = warnings;
        for (const auto& line : order->lines) {
            AnswerDetail::Line refused;
            refused.control = interpret::answering_control(line.control, false);
            refused.reason = "Texte illisible dans la demande";
            detail.lines.push_back(std::move(refused));
        }
        const Error unstorable{Fault::malformed, "MSH", "a text of the order can't be stored"};
        detail.problems.push_back(hl7::to_problem(unstorable));
        arrival.reading.troubles.push_back({"order_refused", unstorable.where, unstorable.what});
        arrival.answer_errors = kept_form(detail);
    }
    const store::Kept kept = co_await keep(std::move(arrival));
    failpoint("after_inbox_commit_before_ack");
    if (kept.reused) tell_once_a_day(link, "MSH-10 used again for another message");
    log::debug(
        "message kept",
        {{"link", link.id}, {"message", kept.id}, {"duplicate", kept.duplicate}, {"answer", log::Token{kept.answer}}});
    Outcome outcome{std::move(*parsed), kept.answer, from_kept_form(kept.answer_errors), sequence, true, work};
    co_return outcome;
}

asio::awaitable<std::optional<store::Kept>> Intake::apply_identity(const domain::Laboratory& laboratory,
                                                                   const store::Arrival& arrival,
                                                                   interpret::ReadIdentity read) {
    store::IdentityMessage message;
    message.event = read.event;
    message.ignored = read.ignored;
    message.acts = std::move(read.acts);
    std::vector<std::int32_t> sites;  // orders of a merged patient may be on any site of the legal entity
    for (const auto id : laboratory.sites_of(arrival.legal_entity))
        sites.push_back(id.value());
    if (sites.empty()) sites.push_back(arrival.site.value());
    const store::Identities::AnswerErrors errors = [](const std::vector<domain::Trouble>& troubles) {
        AnswerDetail detail;
        add_warnings(detail, troubles);
        return kept_form(detail);
    };
    try {
        store::Kept kept =
            co_await identities_.apply(arrival, std::move(message), std::move(sites), errors, clock_.now());
        co_return kept;
    } catch (const pg::DatabaseError& error) {
        if (!is_about_content(error)) throw;
    } catch (const std::invalid_argument&) {  // U+0000 in a text
    }
    co_return std::nullopt;
}

std::string Intake::owed(const domain::Link& link, const hl7::Message& message, const std::string& code) {
    if (!hl7::decide(wanted(link, message), outcome_of(code)).later) return {};
    if (!link.one_socket && link.outgoing.host.empty()) {
        tell_once_a_day(link,
                        "asks for an application acknowledgement of its own, and the link has no outgoing connection");
        return {};
    }
    return fresh_control_id(clock_.now());
}

/// An acknowledgement of what we sent on a connection of theirs (sockets = "one").
asio::awaitable<void> Intake::hear_answer(const domain::Link& link, const hl7::Message& message) {
    if (!interpret::may_speak(message, link)) {  // SEC-03
        tell_once_a_day(link, "an answer from a sender that is not allowed: not believed");
        co_return;
    }
    const Result<hl7::AckReading> reading = hl7::read_ack(message);
    if (!reading || reading->control_id.empty()) co_return;
    const bool of_work = co_await work_.hear(link, reading->control_id, message);
    if (of_work) co_return;
    const bool ours = co_await link_state_.done(link, reading->control_id, clock_.now());
    if (!ours)
        tell_once_a_day(link, "answers to nothing of ours");
    else if (!reading->accepted())
        log::warn("the peer refuses our application acknowledgement", {{"link", link.id}});
}

asio::awaitable<Reply> Intake::refuse_unread(const std::vector<const domain::Link*>& links, std::string bytes,
                                             std::uint64_t size, Unread why, Instant received_at) {
    const hl7::ParseOptions options = parse_options(*links.front());
    const hl7::Message header = header_of(bytes, options);
    const domain::Link& link = link_for(links, header);
    if (auto lawful = interpret::without_forbidden(bytes)) bytes = std::move(*lawful);
    store::Arrival arrival = arrival_of(link, std::move(bytes), received_at);
    arrival.size = size;
    arrival.control_id = header.control_id();
    arrival.type = header.type() + "^" + header.trigger();
    arrival.answer = why.answer;
    AnswerDetail detail;
    hl7::Problem problem;
    problem.code = why.code;
    problem.where = "MSH";
    problem.diagnostic = why.what;
    arrival.reading.troubles.push_back({why.kind, problem.where, problem.diagnostic});
    detail.problems.push_back(std::move(problem));
    arrival.answer_errors = kept_form(detail);
    const Instant now = clock_.now();
    Answer answer(link, now, fresh_control_id(now));
    answer.answers(arrival.raw);
    const store::Kept kept = co_await keep(std::move(arrival));
    log::warn("message not read",
              {{"link", link.id}, {"message", kept.id}, {"bytes", size}, {"why", log::Token{why.kind}}});
    Reply reply = answer.to(header, why.answer, detail);
    co_return reply;
}

asio::awaitable<Reply> Intake::refuse_oversize(const std::vector<const domain::Link*>& links, std::string head,
                                               std::uint64_t size, Instant received_at) {
    Unread why{"AR", "too_long", hl7::ErrorCode::value_too_long, "the message is longer than this listener takes"};
    Reply reply = co_await refuse_unread(links, std::move(head), size, std::move(why), received_at);
    reply.close = true;
    co_return reply;
}

asio::awaitable<store::Kept> Intake::keep(store::Arrival arrival) {
    auto waiting = std::make_shared<Waiting>(executor_, std::move(arrival));
    queue_.push_back(waiting);
    if (lanes_ < usual_lanes || (lanes_ < most_lanes && queue_.size() >= many_waiting)) {
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
            if (is_about_content(error)) {  // the bytes are kept, a person looks at them
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
