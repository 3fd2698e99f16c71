#include "lib/delivery/dmp/channel.hpp"

#include "lib/base/failpoint.hpp"
#include "lib/base/log.hpp"
#include "lib/delivery/dmp/vihf.hpp"
#include "lib/delivery/xds/codes.hpp"

#include <algorithm>

namespace sgl::dmp {

namespace asio = delivery::asio;
using delivery::Outcome;
using domain::Reason;

namespace {

/// Before anything left: what a person mends in the report, the site or the files.
Outcome not_made(const Error& error) {
    return delivery::refused(Reason::partner_refused, error);
}

Outcome without_stamp(const Error& error) {
    if (error.fault == Fault::refused) return delivery::refused(Reason::certificate_expired, error);
    return delivery::try_later(Reason::partner_not_configured, error);  // a file to be put right; nothing left
}

/// What the channel itself will not send, whoever planned the letter.
std::optional<Outcome> forbidden(const domain::Report& report) {
    if (report.confidentiality != 'N') {
        return delivery::refused(Reason::restricted_confidentiality, {Fault::refused, "report.confidentiality",
                                                                      "a restricted report does not feed the DMP"});
    }
    if (!report.patient.ins_may_leave()) {
        return delivery::refused(Reason::ins_not_qualified, {Fault::refused, "patient.ins",
                                                             "without a qualified identity nothing goes to the DMP"});
    }
    return std::nullopt;
}

/// The one to delete among the entries of one uniqueId: each change of their metadata may have left one. Null when none
/// of them is in force.
const Found* in_force(const std::vector<Found>& found) {
    for (const auto wanted : {xds::status::approved, xds::status::archived, std::string_view()}) {
        const auto one = std::ranges::find(found, wanted, &Found::status);
        if (one != found.end()) return &*one;
    }
    return nullptr;
}

/// Nothing of this attempt can have been done: what an earlier one did is the only doubt.
Outcome not_sent_yet(const delivery::Letter& letter, Outcome unanswered) {
    if (!letter.in_doubt && unanswered.kind == Outcome::Kind::in_doubt)
        return delivery::try_later(Reason::partner_unavailable, *unanswered.error);
    return unanswered;
}

}  // namespace

net::HttpClientOptions http_options(const delivery::DmpPartner& partner) {
    net::HttpClientOptions options;
    options.tls = {partner.tls_certificate, partner.tls_key, partner.ca};
    options.connect_timeout = partner.connect_timeout;
    options.max_answer = largest_answer;
    return options;
}

DmpChannel::DmpChannel(delivery::DmpPartner partner, std::unique_ptr<net::HttpClient> client, const Clock& clock)
    : partner_(std::move(partner)), client_(std::move(client)), clock_(clock), stamps_(partner_) {
    while (partner_.url.ends_with('/'))
        partner_.url.pop_back();
}

Result<std::unique_ptr<DmpChannel>> DmpChannel::make(const asio::any_io_executor& executor,
                                                     delivery::DmpPartner partner, const Clock& clock) {
    auto client = net::HttpClient::make(executor, http_options(partner));
    if (!client) return client.error();
    return std::make_unique<DmpChannel>(std::move(partner), std::move(*client), clock);
}

Result<Call> DmpChannel::call(const domain::Report& report, Instant signed_at, const Stamp& stamp,
                              std::string_view service, std::string_view action) const {
    // The assertion is never older than the signature of the submission (dmp.md 4).
    auto assertion = vihf(report, partner_, stamp, "_" + random_uuid(), std::max(clock_.now(), signed_at));
    if (!assertion) return assertion.error();
    return Call{partner_.url + "/" + std::string(service), action, random_urn(), std::move(*assertion)};
}

asio::awaitable<DmpChannel::Sent> DmpChannel::exchange(std::string url, std::string message_id, Mtom message) {
    net::HttpRequest request;
    request.url = std::move(url);
    request.headers.add("Content-Type", std::move(message.content_type));
    request.body = std::move(message.body);
    request.timeout = partner_.exchange_timeout;
    auto answer = co_await client_->send(std::move(request));
    Sent sent;
    sent.kind = answer.kind;
    sent.error = std::move(answer.error);
    if (answer.kind == net::HttpAnswer::Kind::answered) {
        const auto type = answer.headers.find("Content-Type").value_or("");
        sent.answer = read_answer(answer.status, type, answer.body, message_id);
    }
    co_return sent;
}

asio::awaitable<DmpChannel::Asked> DmpChannel::ask(const domain::Report& report, const std::string& document,
                                                   Instant signed_at, const Stamp& stamp, Tell tell) {
    Asked asked;
    const auto made = call(report, signed_at, stamp, "registry", action::stored_query);
    auto message = made ? documents_query(*made, document, tell) : Result<Mtom>(made.error());
    if (!message) {
        asked.outcome = not_made(message.error());
        co_return asked;
    }
    auto sent = co_await exchange(made->url, made->message_id, std::move(*message));
    if (sent.kind != net::HttpAnswer::Kind::answered) {
        asked.outcome = delivery::in_doubt(sent.error);
        co_return asked;
    }
    if (sent.answer.kind == Answer::Kind::success) {
        asked.found = std::move(sent.answer.found);
        asked.presence = asked.found.empty() ? Presence::absent : Presence::there;
        asked.outcome = delivery::accepted(document);
        co_return asked;
    }
    auto judged = judge(sent.answer, document);
    // As long as nobody answered the question the doubt stays.
    if (judged && judged->kind == Outcome::Kind::try_later) judged = delivery::in_doubt(*judged->error);
    asked.outcome =
        judged ? *judged
               : delivery::in_doubt({Fault::unavailable, "", "the DMP does not tell whether it holds the document"});
    co_return asked;
}

std::optional<Outcome> DmpChannel::without_answer(const Sent& sent) {
    if (sent.kind == net::HttpAnswer::Kind::in_doubt) return delivery::in_doubt(sent.error);
    if (sent.kind == net::HttpAnswer::Kind::answered) return std::nullopt;
    if (sent.error.fault == Fault::refused)
        log::error("the DMP and sgld do not accept each other's certificates", sent.error);
    return delivery::try_later(Reason::partner_unavailable, sent.error);
}

asio::awaitable<Outcome> DmpChannel::deliver(const delivery::Letter& letter, const domain::Report& report,
                                             const delivery::Documents& documents) {
    failpoint("after_claim_before_connect");
    auto outcome = co_await attempt(letter, report, documents);
    // A file that cannot be read answers no question: the doubt stays.
    if (letter.in_doubt && outcome.kind == Outcome::Kind::try_later &&
        outcome.reason == Reason::partner_not_configured) {
        outcome.kind = Outcome::Kind::in_doubt;
    }
    co_return outcome;
}

asio::awaitable<Outcome> DmpChannel::attempt(const delivery::Letter& letter, const domain::Report& report,
                                             const delivery::Documents& documents) {
    if (auto no = forbidden(report)) co_return *no;
    const auto stamp = stamps_.at(clock_.now());
    if (!stamp) {
        log::error("the certificates of the DMP partner cannot be used", stamp.error());
        co_return without_stamp(stamp.error());
    }
    if (letter.act == domain::Act::withdraw) co_return co_await withdraw(letter, report, documents, **stamp);
    auto made = submission(letter, report, documents, partner_, **stamp);
    if (!made) co_return not_made(made.error());
    const auto signed_at = made->metadata.set.submission_time;

    if (letter.in_doubt) {
        auto asked = co_await ask(report, report.ids.document_oid, signed_at, **stamp, Tell::references);
        if (asked.presence != Presence::absent) co_return asked.outcome;
    }
    if (report.ids.replaced_oid) {
        const auto& former = *report.ids.replaced_oid;
        auto asked = co_await ask(report, former, signed_at, **stamp, Tell::references);
        if (asked.found.size() > 1) asked = co_await ask(report, former, signed_at, **stamp, Tell::entries);
        if (asked.presence == Presence::unknown) co_return not_sent_yet(letter, asked.outcome);
        if (const Found* const entry = in_force(asked.found); entry != nullptr) {
            made->metadata.replacements.push_back(
                {made->metadata.documents.front().entry_id, entry->id, partner_.rplc_uri});
        } else if (!report.replaces || report.replaces->kind == domain::ReportKind::final) {
            log::warn("the DMP does not hold the version that is replaced: the new one is fed as the first",
                      {{"letter", letter.id}});
        }
    }

    const auto to = call(report, signed_at, **stamp, "repository", action::feed);
    auto message = to ? feed_request(*to, *made, documents.n3) : Result<Mtom>(to.error());
    if (!message) co_return not_made(message.error());
    if (message->body.size() > largest_message) {
        co_return delivery::refused(Reason::too_large,
                                    {Fault::refused, "report", "the message is larger than the DMP takes"});
    }
    if (!letter.may_leave()) co_return delivery::overslept();
    const auto sent = co_await exchange(to->url, to->message_id, std::move(*message));
    failpoint("after_request_sent");
    if (auto none = without_answer(sent)) co_return *none;
    for (const auto& problem : sent.answer.problems) {
        if (problem.warning)
            log::warn("the DMP took the document with a warning",
                      {{"letter", letter.id}, {"code", log::Token(problem.code)}});
    }
    if (report.ids.replaced_oid && says_stale(sent.answer)) {  // the next attempt reads the entry again
        co_return delivery::try_later(Reason::partner_unavailable,
                                      {Fault::conflict, "report.version", "the replaced entry changed meanwhile"});
    }
    if (auto judged = judge(sent.answer, report.ids.document_oid)) co_return *judged;

    auto asked = co_await ask(report, report.ids.document_oid, signed_at, **stamp, Tell::references);
    if (asked.presence == Presence::absent) {
        co_return delivery::refused(Reason::partner_refused, {Fault::conflict, "SubmissionSet01",
                                                              "the DMP knows the submission but not its document"});
    }
    co_return asked.outcome;
}

asio::awaitable<Outcome> DmpChannel::withdraw(const delivery::Letter& letter, const domain::Report& report,
                                              const delivery::Documents& documents, const Stamp& stamp) {
    const auto& document = report.ids.document_oid;
    const auto set = deletion(letter, report, documents, partner_);
    if (!set) co_return not_made(set.error());
    Outcome last;
    Tell tell = Tell::references;
    // A second time only when the DMP says that the entry is not as it was told.
    for (int round = 0; round < 2; ++round) {
        // entryUUIDs change with each version and each change of metadata: always the current one (dmp.md 7.2).
        auto asked = co_await ask(report, document, set->submission_time, stamp, tell);
        if (tell == Tell::references && asked.found.size() > 1) {
            tell = Tell::entries;
            asked = co_await ask(report, document, set->submission_time, stamp, tell);
        }
        if (asked.presence == Presence::unknown) co_return not_sent_yet(letter, asked.outcome);
        const bool gone =
            std::ranges::all_of(asked.found, [](const Found& one) { return one.status == xds::status::deleted; });
        if (gone) {
            if (round == 0 && !letter.in_doubt)
                log::warn("the DMP does not hold the document that is withdrawn", {{"letter", letter.id}});
            co_return delivery::accepted(document);
        }
        const Found* const entry = in_force(asked.found);
        if (entry == nullptr) {
            co_return delivery::refused(Reason::partner_refused, {Fault::conflict, "report.version",
                                                                  "another document took its place in the DMP"});
        }
        const std::string_view original =
            entry->status.empty() ? xds::status::approved : std::string_view(entry->status);
        const auto to = call(report, set->submission_time, stamp, "registry", action::update);
        auto message = to ? deletion_request(*to, *set, entry->id, original) : Result<Mtom>(to.error());
        if (!message) co_return not_made(message.error());
        if (!letter.may_leave()) co_return delivery::overslept();
        const auto sent = co_await exchange(to->url, to->message_id, std::move(*message));
        failpoint("after_request_sent");
        if (auto none = without_answer(sent)) co_return *none;
        auto judged = judge(sent.answer, document);
        if (judged && !says_stale(sent.answer)) co_return *judged;
        if (judged) {
            last = std::move(*judged);
        } else {
            last = delivery::refused(
                Reason::partner_refused,
                {Fault::conflict, "SubmissionSet01", "the DMP knows the deletion but still holds the document"});
        }
        tell = Tell::entries;
    }
    co_return last;
}

}  // namespace sgl::dmp
