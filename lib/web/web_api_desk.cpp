#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>

#include "lib/base/digest.hpp"
#include "lib/base/log.hpp"
#include "lib/web/call.hpp"
#include "lib/web/json.hpp"

namespace sgl::web {

namespace {

namespace json = boost::json;
using domain::DeskForm;

/// Reads the members of a body; what is not said is left as it was, what is of the wrong kind is an error.
class Body {
public:
    explicit Body(const json::object& body) : body_(body) {}

    void text(std::string_view name, std::string& to) {
        const auto* value = find(name);
        if (value == nullptr) return;
        if (value->is_string())
            to = std::string(std::string_view(value->get_string()));
        else
            wrong(name, "a text is needed");
    }
    void flag(std::string_view name, bool& to) {
        const auto* value = find(name);
        if (value == nullptr) return;
        if (value->is_bool())
            to = value->get_bool();
        else
            wrong(name, "true or false is needed");
    }
    void texts(std::string_view name, std::vector<std::string>& to) {
        const auto* value = find(name);
        if (value == nullptr) return;
        std::vector<std::string> items;
        if (!value->is_array()) return wrong(name, "a list of texts is needed");
        for (const auto& item : value->get_array()) {
            if (!item.is_string()) return wrong(name, "a list of texts is needed");
            items.emplace_back(std::string_view(item.get_string()));
        }
        to = std::move(items);
    }
    template <class Read>
    void object(std::string_view name, Read read) {
        const auto* value = find(name);
        if (value == nullptr) return;
        if (!value->is_object()) return wrong(name, "an object is needed");
        Body inner(value->get_object());
        read(inner);
        if (auto error = inner.finished()) wrong(std::string(name) + "." + error->where, error->what);
    }
    template <class Read>
    void objects(std::string_view name, Read read) {
        const auto* value = find(name);
        if (value == nullptr) return;
        if (!value->is_array()) return wrong(name, "a list of objects is needed");
        for (const auto& item : value->get_array()) {
            if (!item.is_object()) return wrong(name, "a list of objects is needed");
            Body inner(item.get_object());
            read(inner);
            if (auto error = inner.finished()) wrong(std::string(name) + "." + error->where, error->what);
        }
    }
    std::optional<std::int64_t> number(std::string_view name) {
        const auto* value = find(name);
        if (value == nullptr || !value->is_int64()) return std::nullopt;
        return value->get_int64();
    }
    /// The first error, or a member that nobody asked for.
    std::optional<Error> finished() const {
        if (error_) return error_;
        for (const auto& member : body_) {
            if (std::ranges::find(asked_, member.key()) == asked_.end())
                return Error{Fault::malformed, "body", "a member of the body is not known"};
        }
        return std::nullopt;
    }

private:
    const json::value* find(std::string_view name) {
        asked_.emplace_back(name);
        return body_.if_contains(name);
    }
    void wrong(std::string_view name, std::string what) {
        if (!error_) error_ = Error{Fault::malformed, std::string(name), std::move(what)};
    }

    const json::object& body_;
    std::vector<std::string> asked_;
    std::optional<Error> error_;
};

const json::object& object_of(const json::value& body) {
    static const json::object nothing;
    const auto* const object = body.if_object();
    return object == nullptr ? nothing : *object;
}

void read_common(Body& body, DeskForm& form) {
    body.text("prescriber", form.prescriber);
    body.texts("copies", form.copies);
    body.text("clinical_context", form.clinical_context);
    body.flag("urgent", form.urgent);
    body.texts("exams", form.exams);
}

json::array fields(const std::vector<domain::FieldError>& errors) {
    json::array list;
    for (const auto& error : errors)
        list.push_back(json::value{{"field", error.field}, {"text", error.text}});
    return list;
}

net::Response refusal(const DeskTaken& taken) {
    json::array namesakes;
    for (const auto& patient : taken.namesakes)
        namesakes.push_back(api::to_json(patient));
    const Error error{Fault::refused, taken.errors.empty() ? "patient" : taken.errors.front().field,
                      taken.errors.empty() ? "patients of this name and birth date are known"
                                           : "nothing was written: see the fields"};
    return answers::json(
        json::value{
            {"error", api::to_json(error)}, {"fields", fields(taken.errors)}, {"namesakes", std::move(namesakes)}},
        422);
}

net::Response accepted(const DeskTaken& taken, unsigned status) {
    return answers::json(json::value{{"order", to_string(taken.order->value())},
                                     {"number", taken.number},
                                     {"joined", taken.joined},
                                     {"repeated", taken.number.empty()}},
                         status);
}

}  // namespace

Web::Answer Web::api_find_patients(Call& call) {
    TypedSearch typed{call.text("number"), call.text("name"), call.text("given"), call.text("birth_date")};
    const auto hits = co_await search_patients(call, std::move(typed));
    if (!hits) co_return error_answer(call, hits.error());
    json::array rows;
    for (const auto& patient : hits->rows)
        rows.push_back(api::to_json(patient));
    co_return answers::json(json::value{{"patients", std::move(rows)}, {"cut", hits->cut}});
}

Web::Answer Web::api_patient(Call& call) {
    const auto id = id_of<domain::PatientId>(call.parts.front(), "patient");
    if (!id) co_return error_answer(call, id.error());
    const auto file = co_await patients_.file(call.user(), call.sites(Action::read_patient), *id);
    if (!file) co_return error_answer(call, file.error());
    co_return answers::json(api::to_json(*file));
}

Web::Answer Web::api_close_identity_change(Call& call) {
    const auto done = co_await act_on_identity_change(call, call.parts.front(), call.text("reason"));
    if (!done) co_return error_answer(call, done.error());
    net::Response response;
    response.status = 204;
    co_return response;
}

Web::Answer Web::api_register_order(Call& call) {
    DeskForm form;
    std::string token;
    std::string patient;
    Body body(object_of(call.json));
    const auto number = body.number("site");
    body.text("token", token);
    body.text("patient", patient);
    body.object("traits", [&](Body& said) {
        auto& traits = form.traits;
        said.text("birth_name", traits.birth_name);
        said.text("first_given_name", traits.first_given_name);
        said.text("birth_given_names", traits.birth_given_names);
        said.text("used_name", traits.used_name);
        said.text("birth_date", traits.birth_date);
        said.text("sex", traits.sex);
        said.text("birth_place", traits.birth_place);
        said.text("address", traits.address);
        said.text("postal_code", traits.postal_code);
        said.text("city", traits.city);
        said.text("phone", traits.phone);
    });
    body.flag("homonym", form.homonym);
    read_common(body, form);
    body.text("collector", form.collector);
    body.text("prescribed_on", form.prescribed_on);
    body.text("stay_number", form.stay_number);
    body.text("collected", form.collected);
    body.objects("specimens", [&](Body& said) {
        domain::TypedTube tube;
        said.text("number", tube.number);
        said.text("type", tube.type);
        said.text("collected", tube.collected);
        form.tubes.push_back(std::move(tube));
    });
    if (const auto error = body.finished()) co_return error_answer(call, *error);
    if (!patient.empty()) {
        const auto id = id_of<domain::PatientId>(patient, "patient");
        if (!id) co_return error_answer(call, id.error());
        form.patient = *id;
    }
    std::optional<domain::SiteId> site;
    for (const auto mine : desk_sites(call, std::nullopt)) {
        if (number && mine.value() == *number) site = mine;
    }
    if (!site) {
        const Error nowhere{Fault::refused, "site", "no role of yours on this site allows this"};
        co_return error_answer(call, nowhere);
    }
    if (token.empty()) token = random_token(16);
    const auto taken = co_await desk_.register_order(call.user(), *site, std::move(form), std::move(token));
    if (!taken) co_return error_answer(call, taken.error());
    if (!taken->order) co_return refusal(*taken);
    log::info("order typed by the API", {{"order", *taken->order}, {"user", call.user().id}});
    co_return accepted(*taken, 201);
}

Web::Answer Web::api_correct_order(Call& call) {
    const auto id = id_of<domain::OrderId>(call.parts.front(), "order");
    if (!id) co_return error_answer(call, id.error());
    const auto known = co_await desk_.desk_order(call.user(), *id);
    if (!known) co_return error_answer(call, known.error());
    if (!may(call.user(), Action::order_at_desk, known->site)) {
        const Error nowhere{Fault::refused, "rights", "no role of yours on this site allows this"};
        co_return error_answer(call, nowhere);
    }
    const auto* site = call.user().site(known->site);
    DeskForm form = domain::form_of(known->order, site == nullptr ? TimeZone::paris() : site->zone);
    std::string token;
    Body body(object_of(call.json));
    const auto version = body.number("row_version");
    body.text("token", token);
    read_common(body, form);
    body.texts("cancel", form.cancelled);
    body.text("cancel_reason", form.cancel_reason);
    body.objects("specimens", [&](Body& said) {
        domain::TypedTube tube;
        said.text("was", tube.was);
        const auto there = std::ranges::find(form.tubes, tube.was, &domain::TypedTube::was);
        if (!tube.was.empty() && there != form.tubes.end()) tube = *there;
        said.text("number", tube.number);
        said.text("type", tube.type);
        said.text("collected", tube.collected);
        said.text("refusal", tube.refusal);
        if (!tube.was.empty() && there != form.tubes.end())
            *there = std::move(tube);
        else
            form.tubes.push_back(std::move(tube));
    });
    if (const auto error = body.finished()) co_return error_answer(call, *error);
    if (!version || *version <= 0 || *version > 1'000'000'000) {
        const Error unreadable{Fault::malformed, "row_version",
                               "a positive number is needed: the version that was seen"};
        co_return error_answer(call, unreadable);
    }
    if (token.empty()) token = random_token(16);
    const auto taken =
        co_await desk_.correct_order(call.user(), *id, static_cast<int>(*version), std::move(form), std::move(token));
    if (!taken) co_return error_answer(call, taken.error());
    if (!taken->order) co_return refusal(*taken);
    log::info("order corrected by the API", {{"order", *id}, {"user", call.user().id}});
    co_return accepted(*taken, 200);
}

}  // namespace sgl::web
