#include <boost/json/array.hpp>

#include "lib/base/log.hpp"
#include "lib/web/call.hpp"
#include "lib/web/json.hpp"

namespace sgl::web {

namespace {

std::optional<store::WorklistFilter> filter_of(std::string_view word) {
    if (word.empty() || word == "all") return store::WorklistFilter::all;
    if (word == "to_validate") return store::WorklistFilter::to_validate;
    if (word == "waiting") return store::WorklistFilter::waiting;
    if (word == "reported") return store::WorklistFilter::reported;
    return std::nullopt;
}

Error unknown_value(std::string where) { return {Fault::malformed, std::move(where), "unknown value"}; }

/// {row_version, results: [ids], comment?, reason?, partial?, confirmed?: [ids], confirmed_reason?}
Result<ValidationRequest> validation_of(const boost::json::value& body, domain::OrderId order) {
    ValidationRequest wish;
    wish.order = order;
    const auto* const object = body.if_object();
    if (object == nullptr) return Error{Fault::malformed, "body", "the body is not a JSON object"};
    for (const auto& member : *object) {
        if (member.key() != "row_version" && member.key() != "results" && member.key() != "comment" && member.key() != "reason" &&
            member.key() != "partial" && member.key() != "confirmed" && member.key() != "confirmed_reason") {
            return Error{Fault::malformed, "body", "a member of the body is not known"};
        }
    }
    const auto* const version = object->if_contains("row_version");
    if (version == nullptr || !version->is_int64() || version->get_int64() <= 0 || version->get_int64() > 1'000'000'000) {
        return Error{Fault::malformed, "row_version", "a positive number is needed: the version that was seen"};
    }
    wish.row_version = static_cast<int>(version->get_int64());
    const auto* const results = object->if_contains("results");
    if (results == nullptr || !results->is_array()) return Error{Fault::malformed, "results", "the list of the results that were seen is needed"};
    for (const auto& result : results->get_array()) {
        if (!result.is_int64()) return Error{Fault::malformed, "results", "the identifiers of results are numbers"};
        wish.seen.emplace_back(result.get_int64());
    }
    if (const auto* const comment = object->if_contains("comment")) {
        if (!comment->is_string()) return Error{Fault::malformed, "comment", "the comment is a text"};
        wish.comment = std::string(std::string_view(comment->get_string()));
    }
    if (const auto* const reason = object->if_contains("reason")) {
        if (!reason->is_string()) return Error{Fault::malformed, "reason", "the reason is a text"};
        wish.reason = std::string(std::string_view(reason->get_string()));
    }
    if (const auto* const partial = object->if_contains("partial")) {
        if (!partial->is_bool()) return Error{Fault::malformed, "partial", "partial is true or false"};
        wish.partial = partial->get_bool();
    }
    if (const auto* const confirmed = object->if_contains("confirmed")) {
        if (!confirmed->is_array()) return Error{Fault::malformed, "confirmed", "the list of the implausible results that are signed all the same"};
        for (const auto& result : confirmed->get_array()) {
            if (!result.is_int64()) return Error{Fault::malformed, "confirmed", "the identifiers of results are numbers"};
            wish.confirmed.emplace_back(result.get_int64());
        }
    }
    if (const auto* const why = object->if_contains("confirmed_reason")) {
        if (!why->is_string()) return Error{Fault::malformed, "confirmed_reason", "the reason is a text"};
        wish.confirmed_why = std::string(std::string_view(why->get_string()));
    }
    return wish;
}

}  // namespace

Web::Answer Web::api_session(Call& call) {
    co_return answers::json(boost::json::value{{"csrf_token", call.session->csrf_token}, {"user", api::to_json(call.user())}});
}

Web::Answer Web::api_sign_out(Call& call) {
    co_await store_.end_session(call.session->token_hash);
    net::Response response;
    response.status = 204;
    response.headers.add("Set-Cookie", clear_cookie(settings_.tls));
    co_return response;
}

Web::Answer Web::api_orders(Call& call) {
    const auto filter = filter_of(call.query("state").value_or(""));
    if (!filter) co_return error_answer(call, unknown_value("state"));
    auto sites = call.sites(Action::read_patient);
    if (const auto wanted = call.query("site")) {
        const auto number = integer(*wanted);
        std::erase_if(sites, [&](domain::SiteId site) { return !number || site.value() != *number; });
    }
    const auto list = co_await store_.worklist(sites, *filter);
    co_return answers::json(api::to_json(list));
}

Web::Answer Web::api_order(Call& call) {
    const auto id = id_of<domain::OrderId>(call.parts.front(), "order");
    if (!id) co_return error_answer(call, id.error());
    const auto order = co_await store_.order(call.user(), call.sites(Action::read_patient), *id);
    if (!order) co_return error_answer(call, order.error());
    auto value = api::to_json(*order);
    const auto draft = co_await commands_.draft(call.user(), *id);
    value.as_object()["draft"] = draft ? api::to_json(*draft) : boost::json::value();
    if (!draft) value.as_object()["draft_error"] = api::to_json(draft.error());
    co_return answers::json(value);
}

Web::Answer Web::api_validate(Call& call) {
    const auto id = id_of<domain::OrderId>(call.parts.front(), "order");
    if (!id) co_return error_answer(call, id.error());
    auto wish = validation_of(call.json, *id);
    if (!wish) co_return error_answer(call, wish.error());
    ValidationRequest request = std::move(*wish);
    const auto done = co_await commands_.validate(call.user(), std::move(request));
    if (!done) co_return error_answer(call, done.error());
    log::info("validated by the API", {{"order", *id}, {"version", done->version}, {"user", call.user().id}});
    co_return answers::json(api::to_json(*done), 201);
}

Web::Answer Web::api_withdraw(Call& call) {
    const auto id = id_of<domain::OrderId>(call.parts.front(), "order");
    if (!id) co_return error_answer(call, id.error());
    const auto* const body = call.json.if_object();
    const auto* const version = body == nullptr ? nullptr : body->if_contains("row_version");
    if (version == nullptr || !version->is_int64() || version->get_int64() <= 0 || version->get_int64() > 1'000'000'000) {
        const Error unreadable{Fault::malformed, "row_version", "a positive number is needed: the version that was seen"};
        co_return error_answer(call, unreadable);
    }
    auto reason = reason_of(call.text("reason"));
    if (!reason) co_return error_answer(call, reason.error());
    const int seen = static_cast<int>(version->get_int64());
    const auto done = co_await commands_.withdraw(call.user(), *id, seen, *reason);
    if (!done) co_return error_answer(call, done.error());
    log::info("report withdrawn by the API", {{"order", *id}, {"letters", *done}, {"user", call.user().id}});
    co_return answers::json(boost::json::value{{"letters", *done}});
}

Web::Answer Web::api_compose_again(Call& call) {
    const auto id = id_of<domain::ReportVersionId>(call.parts.front(), "report");
    if (!id) co_return error_answer(call, id.error());
    const auto done = co_await commands_.compose_again(call.user(), *id);
    if (!done) co_return error_answer(call, done.error());
    net::Response response;
    response.status = 204;
    co_return response;
}

Web::Answer Web::api_set_aside(Call& call) {
    const auto done = co_await act_on_result(call, call.text("reason"));
    if (!done) co_return error_answer(call, done.error());
    net::Response response;
    response.status = 204;
    co_return response;
}

Web::Answer Web::api_report(Call& call) {
    const auto id = id_of<domain::ReportVersionId>(call.parts.front(), "report");
    if (!id) co_return error_answer(call, id.error());
    const auto report = co_await store_.report(call.user(), call.sites(Action::read_patient), *id);
    if (!report) co_return error_answer(call, report.error());
    co_return answers::json(api::to_json(*report));
}

Web::Answer Web::api_report_letters(Call& call) {
    const auto id = id_of<domain::ReportVersionId>(call.parts.front(), "report");
    if (!id) co_return error_answer(call, id.error());
    const auto report = co_await store_.report(call.user(), call.sites(Action::read_patient), *id);
    if (!report) co_return error_answer(call, report.error());
    boost::json::array list;
    for (const auto& letter : report->letters) list.push_back(api::to_json(letter));
    co_return answers::json(boost::json::value{{"letters", std::move(list)}});
}

Web::Answer Web::api_document(Call& call) {
    const auto& form = call.parts[1];
    if (form != "pdf" && form != "cda") {
        const Error unknown{Fault::missing, "form", "a document is pdf or cda"};
        co_return error_answer(call, unknown);
    }
    std::string stored = form == "pdf" ? "pdf" : "n3";
    co_return co_await document(call, std::move(stored));
}

Web::Answer Web::api_letters(Call& call) {
    store::LetterFilter filter;
    if (const auto state = call.query("state")) {
        filter.state = domain::letter_state_of(*state);
        if (!filter.state) co_return error_answer(call, unknown_value("state"));
    }
    if (const auto channel = call.query("channel")) {
        filter.channel = domain::channel_of(*channel);
        if (!filter.channel) co_return error_answer(call, unknown_value("channel"));
    }
    const auto list = co_await store_.letters(call.sites(Action::read_letters), filter);
    co_return answers::json(api::to_json(list));
}

Web::Answer Web::api_letter_act(Call& call) {
    const auto id = id_of<domain::LetterId>(call.parts.front(), "letter");
    if (!id) co_return error_answer(call, id.error());
    const auto done = co_await act_on_letter(call, *id, call.parts[1], call.text("reason"));
    if (!done) co_return error_answer(call, done.error());
    net::Response response;
    response.status = 204;
    co_return response;
}

Web::Answer Web::api_work_items(Call& call) {
    const auto items = co_await store_.work_items(call.sites(Action::read_work_items));
    co_return answers::json(api::to_json(items));
}

Web::Answer Web::api_close_work_item(Call& call) {
    const auto done = co_await act_on_work_item(call, call.text("reason"));
    if (!done) co_return error_answer(call, done.error());
    net::Response response;
    response.status = 204;
    co_return response;
}

Web::Answer Web::api_rules(Call& call) {
    const auto lines = co_await commands_.rules(call.user());
    co_return answers::json(api::to_json(lines));
}

Web::Answer Web::api_approve_rules(Call& call) {
    const auto number = integer(call.parts.front());
    if (!number || *number <= 0 || *number > 1'000'000'000) {
        const Error unknown{Fault::missing, "rule_set", "no rule set of that number"};
        co_return error_answer(call, unknown);
    }
    const auto done = co_await commands_.approve_rules(call.user(), static_cast<std::int32_t>(*number));
    if (!done) co_return error_answer(call, done.error());
    log::info("rules approved by the API", {{"rule_set", *number}, {"user", call.user().id}});
    net::Response response;
    response.status = 204;
    co_return response;
}

Web::Answer Web::api_account(Call& call) {
    const auto account = co_await commands_.account(call.user());
    if (!account) co_return error_answer(call, account.error());
    co_return answers::json(api::to_json(*account));
}

}  // namespace sgl::web
