#include "lib/web/web.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <algorithm>
#include <charconv>

#include "lib/base/log.hpp"
#include "lib/base/password.hpp"
#include "lib/base/text.hpp"
#include "lib/web/assets.hpp"
#include "lib/web/call.hpp"
#include "lib/web/html.hpp"
#include "lib/web/json.hpp"

namespace sgl::web {

namespace {

constexpr std::size_t largest_form = 256 * 1024;

/// SEC-47. Referrer-Policy keeps the Origin header of our own forms, which no-referrer would make "null".
void secure(net::Response& response, bool tls) {
    const auto add = [&](std::string name, std::string value) {
        if (response.headers.count(name) == 0) response.headers.add(std::move(name), std::move(value));
    };
    add("Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
    add("X-Content-Type-Options", "nosniff");
    add("X-Frame-Options", "DENY");
    add("Referrer-Policy", "same-origin");
    add("Cross-Origin-Opener-Policy", "same-origin");
    add("Cross-Origin-Resource-Policy", "same-origin");
    add("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
    add("Cache-Control", "no-store");
    if (tls) add("Strict-Transport-Security", "max-age=31536000");
}

bool safe_method(std::string_view method) { return method == "GET" || method == "HEAD"; }

/// The parts that stand for {…}, or nothing when the path is not of this pattern.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
    const auto wanted = split(pattern, '/');
    const auto given = split(path, '/');
    if (wanted.size() != given.size()) return std::nullopt;
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (!wanted[i].empty() && wanted[i].front() == '{') {
            if (given[i].empty()) return std::nullopt;
            parts.emplace_back(given[i]);
        } else if (wanted[i] != given[i]) {
            return std::nullopt;
        }
    }
    return parts;
}

/// Those whose name begins so, without that beginning; never what belongs to the session.
std::vector<std::pair<std::string, std::string>> typed_fields(const net::Pairs& form, std::string_view beginning) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const auto& [name, value] : form) {
        if (name.starts_with(beginning) && name != "csrf") fields.emplace_back(name.substr(beginning.size()), value);
    }
    return fields;
}

bool is_api(std::string_view path) { return path.starts_with("/api/") || path.starts_with("/health/"); }

struct FrenchError {
    std::string title;
    std::string text;
};

FrenchError french(unsigned status, const Error& error) {
    switch (status) {
        case 400: return {"Demande illisible", "La demande n'a pas été comprise. Revenez à la page et recommencez."};
        case 401: return {"Session terminée", "Votre session a pris fin. Connectez-vous pour continuer."};
        case 403: return {"Refusé", error.where == "csrf" ? "Cette demande ne vient pas d'une page de votre session. Rechargez la page."
                                                          : "Vous n'avez pas le droit de faire cela sur ce site."};
        case 404: return {"Introuvable", "Cet élément n'existe pas, ou pas sur vos sites."};
        case 405: return {"Impossible", "Cette adresse ne se demande pas ainsi."};
        case 409: return {"Déjà changé", "Quelqu'un ou quelque chose a changé cet élément avant vous. Rechargez la page."};
        case 422: return {"Incomplet", "Il manque une information pour cette action."};
        case 503: return {"Indisponible", "Le service ne peut pas répondre pour l'instant. Réessayez dans un moment."};
        default: return {"Erreur", "La demande n'a pas abouti."};
    }
}

}  // namespace

namespace answers {

net::Response html(std::string body, unsigned status) {
    net::Response response;
    response.status = status;
    response.headers.add("Content-Type", "text/html; charset=utf-8");
    response.body = std::move(body);
    return response;
}

net::Response json(const boost::json::value& value, unsigned status) {
    net::Response response;
    response.status = status;
    response.headers.add("Content-Type", "application/json");
    response.body = boost::json::serialize(value);
    return response;
}

net::Response redirect(std::string path) {
    net::Response response;
    response.status = 303;
    response.headers.add("Location", std::move(path));
    return response;
}

net::Response bytes(std::string body, std::string type, std::string file_name) {
    net::Response response;
    response.headers.add("Content-Type", std::move(type));
    response.headers.add("Content-Disposition", "attachment; filename=\"" + file_name + "\"");
    response.body = std::move(body);
    return response;
}

unsigned status_of(Fault fault) {
    switch (fault) {
        case Fault::malformed: return 400;
        case Fault::missing: return 404;
        case Fault::unsupported: return 422;
        case Fault::conflict: return 409;
        case Fault::refused: return 403;
        case Fault::unavailable: return 503;
    }
    return 500;
}

}  // namespace answers

std::optional<std::int64_t> integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string Web::Call::text(std::string_view name) const {
    if (const auto* const object = json.if_object()) {
        const auto* const member = object->if_contains(name);
        if (member == nullptr || !member->is_string()) return {};
        return std::string(std::string_view(member->get_string()));
    }
    const auto value = net::find_value(form, name);
    return std::string(value.value_or(""));
}

std::optional<std::string> Web::Call::query(std::string_view name) const {
    const auto value = net::find_value(request.query, name);
    if (!value) return std::nullopt;
    return std::string(*value);
}

Web::Web(store::Console& store, store::PatientFiles& patients, Commands& commands, WaitingCommands& waiting, DeskCommands& desk, const Clock& clock,
         WebSettings settings)
    : store_(store), patients_(patients), commands_(commands), waiting_(waiting), desk_(desk), clock_(clock), settings_(settings) {}

Web::~Web() { passwords_.join(); }

std::span<const Web::Route> Web::table() {
    static constexpr std::array routes{
        Route{"GET", "/health/live", Kind::open_api, {}, &Web::live},
        Route{"GET", "/health/ready", Kind::open_api, {}, &Web::ready},
        Route{"GET", "/assets/{file}", Kind::open_page, {}, &Web::asset},
        Route{"GET", "/connexion", Kind::open_page, {}, &Web::show_sign_in},
        Route{"POST", "/connexion", Kind::open_page, {}, &Web::post_sign_in},
        Route{"POST", "/deconnexion", Kind::page, {}, &Web::sign_out},
        Route{"GET", "/", Kind::page, {}, &Web::home},
        Route{"GET", "/dossiers", Kind::page, Action::read_patient, &Web::worklist},
        Route{"POST", "/dossiers/filtres", Kind::page, Action::read_patient, &Web::keep_filter},
        Route{"POST", "/dossiers/filtres/{filter}/oublier", Kind::page, Action::read_patient, &Web::forget_filter},
        Route{"GET", "/dossiers/{order}", Kind::page, Action::read_patient, &Web::order},
        Route{"POST", "/dossiers/{order}/validation", Kind::page, Action::validate, &Web::validate},
        Route{"POST", "/dossiers/{order}/retrait", Kind::page, Action::validate, &Web::withdraw},
        Route{"POST", "/dossiers/{order}/resultats/{result}/ecarter", Kind::page, Action::validate, &Web::set_aside},
        Route{"GET", "/dossiers/{order}/demande", Kind::page, Action::order_at_desk, &Web::correction},
        Route{"POST", "/dossiers/{order}/demande", Kind::page, Action::order_at_desk, &Web::post_correction},
        Route{"GET", "/demandes/nouvelle", Kind::page, Action::order_at_desk, &Web::new_order},
        Route{"POST", "/demandes", Kind::page, Action::order_at_desk, &Web::post_order},
        Route{"GET", "/patients", Kind::page, Action::read_patient, &Web::patients},
        Route{"POST", "/patients", Kind::page, Action::read_patient, &Web::find_patients},
        Route{"GET", "/patients/{patient}", Kind::page, Action::read_patient, &Web::patient},
        Route{"POST", "/patients/{patient}/identite/{change}/clore", Kind::page, Action::validate, &Web::close_identity_change},
        Route{"GET", "/comptes-rendus/{version}", Kind::page, Action::read_patient, &Web::report},
        Route{"POST", "/comptes-rendus/{version}/composer", Kind::page, Action::compose_again, &Web::compose_again},
        Route{"GET", "/comptes-rendus/{version}/pdf", Kind::page, Action::read_patient, &Web::pdf},
        Route{"GET", "/comptes-rendus/{version}/cda", Kind::page, Action::read_patient, &Web::cda},
        Route{"GET", "/envois", Kind::page, Action::read_letters, &Web::letters},
        Route{"POST", "/envois/{letter}/{verb}", Kind::page, Action::retry_letter, &Web::letter_act},
        Route{"GET", "/a-traiter", Kind::page, Action::read_work_items, &Web::work_items},
        Route{"GET", "/a-traiter/mot", Kind::page, Action::read_work_items, &Web::word},
        Route{"POST", "/a-traiter/mot", Kind::page, Action::map_words, &Web::map_word},
        Route{"POST", "/a-traiter/rejouer", Kind::page, Action::map_words, &Web::replay_word},
        Route{"GET", "/a-traiter/{item}", Kind::page, Action::read_work_items, &Web::waiting_point},
        Route{"POST", "/a-traiter/{item}/rejouer", Kind::page, Action::map_words, &Web::replay_point},
        Route{"POST", "/a-traiter/{item}/attribuer", Kind::page, Action::assign_results, &Web::assign_point},
        Route{"POST", "/a-traiter/{item}/clore", Kind::page, Action::close_work_item, &Web::close_work_item},
        Route{"GET", "/activite", Kind::page, Action::read_account, &Web::account},
        Route{"GET", "/a-propos", Kind::page, {}, &Web::about},

        Route{"GET", "/api/v1/openapi.json", Kind::open_api, {}, &Web::openapi},
        Route{"POST", "/api/v1/session", Kind::open_api, {}, &Web::api_sign_in},
        Route{"GET", "/api/v1/session", Kind::api, {}, &Web::api_session},
        Route{"DELETE", "/api/v1/session", Kind::api, {}, &Web::api_sign_out},
        Route{"GET", "/api/v1/orders", Kind::api, Action::read_patient, &Web::api_orders},
        Route{"GET", "/api/v1/orders/{order}", Kind::api, Action::read_patient, &Web::api_order},
        Route{"POST", "/api/v1/orders/{order}/validation", Kind::api, Action::validate, &Web::api_validate},
        Route{"POST", "/api/v1/orders/{order}/withdrawal", Kind::api, Action::validate, &Web::api_withdraw},
        Route{"POST", "/api/v1/orders/{order}/results/{result}/set-aside", Kind::api, Action::validate, &Web::api_set_aside},
        Route{"POST", "/api/v1/orders", Kind::api, Action::order_at_desk, &Web::api_register_order},
        Route{"POST", "/api/v1/orders/{order}/correction", Kind::api, Action::order_at_desk, &Web::api_correct_order},
        Route{"POST", "/api/v1/patients/search", Kind::api, Action::read_patient, &Web::api_find_patients},
        Route{"GET", "/api/v1/patients/{patient}", Kind::api, Action::read_patient, &Web::api_patient},
        Route{"POST", "/api/v1/identity-changes/{change}/close", Kind::api, Action::validate, &Web::api_close_identity_change},
        Route{"GET", "/api/v1/reports/{version}", Kind::api, Action::read_patient, &Web::api_report},
        Route{"POST", "/api/v1/reports/{version}/compose", Kind::api, Action::compose_again, &Web::api_compose_again},
        Route{"GET", "/api/v1/reports/{version}/letters", Kind::api, Action::read_patient, &Web::api_report_letters},
        Route{"GET", "/api/v1/reports/{version}/documents/{form}", Kind::api, Action::read_patient, &Web::api_document},
        Route{"GET", "/api/v1/letters", Kind::api, Action::read_letters, &Web::api_letters},
        Route{"POST", "/api/v1/letters/{letter}/{verb}", Kind::api, Action::retry_letter, &Web::api_letter_act},
        Route{"GET", "/api/v1/work-items", Kind::api, Action::read_work_items, &Web::api_work_items},
        Route{"POST", "/api/v1/work-items/{item}/close", Kind::api, Action::close_work_item, &Web::api_close_work_item},
        Route{"GET", "/api/v1/rule-sets", Kind::api, Action::validate, &Web::api_rules},
        Route{"POST", "/api/v1/rule-sets/{number}/approvals", Kind::api, Action::validate, &Web::api_approve_rules},
        Route{"GET", "/api/v1/account", Kind::api, Action::read_account, &Web::api_account},
    };
    return routes;
}

std::vector<RouteName> Web::routes() {
    std::vector<RouteName> names;
    for (const auto& route : table()) names.push_back({route.method, route.pattern});
    return names;
}

net::Response Web::error_answer(const Call& call, unsigned status, const Error& error) const {
    if (is_api(call.request.path)) return answers::json(boost::json::value{{"error", api::to_json(error)}}, status);
    Frame frame = frame_of_nobody();
    if (call.session) {
        frame.user = &call.session->user;
        frame.csrf = call.session->csrf_token;
    }
    const auto words = french(status, error);
    return answers::html(error_page(frame, status, words.title, words.text), status);
}

net::Response Web::error_answer(const Call& call, const Error& error) const {
    return error_answer(call, answers::status_of(error.fault), error);
}

asio::awaitable<void> Web::identify(Call& call) {
    const auto token = session_token(call.request.headers, settings_.tls);
    if (!token) co_return;
    const Sha256 hash = sha256(*token);
    call.session = co_await store_.session(hash, settings_.session, !call.refresh);
}

asio::awaitable<net::Response> Web::handle(net::Request request) {
    Call call(std::move(request));
    const bool head = call.request.method == "HEAD";
    const std::string method = head ? "GET" : call.request.method;
    std::string allowed;
    for (const auto& route : table()) {
        auto parts = match(route.pattern, call.request.path);
        if (!parts) continue;
        if (route.method == method) {
            call.route = &route;
            call.parts = std::move(*parts);
            break;
        }
        allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    }
    call.refresh = call.request.headers.count("X-Refresh") > 0;

    net::Response response;
    if (call.route == nullptr) {
        const Error nothing{Fault::missing, "path", "no such resource"};
        response = error_answer(call, allowed.empty() ? 404 : 405, nothing);
        if (!allowed.empty()) response.headers.add("Allow", allowed);
        secure(response, settings_.tls);
        co_return response;
    }
    const auto& route = *call.route;
    const bool open = route.kind == Kind::open_page || route.kind == Kind::open_api;
    const bool is_json = route.kind == Kind::api || route.kind == Kind::open_api;
    std::optional<net::Response> refused;
    if (!safe_method(method)) {
        if (!own_origin(call.request.headers, settings_.tls)) {
            const Error foreign{Fault::refused, "csrf", "the request comes from another site"};
            refused = error_answer(call, 403, foreign);
        } else if (call.request.body.size() > largest_form) {
            const Error large{Fault::malformed, "body", "the body is too large"};
            refused = error_answer(call, 413, large);
        } else if (is_json) {
            if (!call.request.body.empty()) {
                boost::system::error_code ec;
                call.json = boost::json::parse(call.request.body, ec);
                if (ec || !call.json.is_object()) {
                    const Error unreadable{Fault::malformed, "body", "the body is not a JSON object"};
                    refused = error_answer(call, 400, unreadable);
                }
            }
        } else if (auto form = net::parse_form(call.request.body)) {
            call.form = std::move(*form);
        } else {
            const Error unreadable{Fault::malformed, "body", "the body is not a form"};
            refused = error_answer(call, 400, unreadable);
        }
    }
    if (!refused && !open) {
        co_await identify(call);
        if (!call.session) {
            if (is_json || call.refresh) {
                const Error nobody{Fault::refused, "session", "no session, or it has ended"};
                refused = error_answer(call, 401, nobody);
            } else if (safe_method(method)) {
                const bool home = call.request.path == "/";
                refused = answers::redirect(home ? "/connexion" : "/connexion?suite=" + url_part(call.request.path));
            } else {
                const Kept kept{call.request.path, typed_fields(call.form, "")};
                const Notice ended{false, "Votre session a pris fin. Connectez-vous : ce que vous avez saisi est gardé.", "", ""};
                refused = answers::html(sign_in_page(frame_of_nobody(), "", kept, ended), 401);
            }
        } else if (!safe_method(method)) {
            const auto header = call.request.headers.find("X-CSRF-Token");
            const std::string token = is_json ? std::string(header.value_or("")) : call.text("csrf");
            if (!equal_constant_time(token, call.session->csrf_token)) {
                const Error wrong{Fault::refused, "csrf", "the CSRF token is missing or not that of the session"};
                refused = error_answer(call, 403, wrong);
            }
        }
        if (!refused && route.needs && call.sites(*route.needs).empty()) {
            const Error right{Fault::refused, "rights", "no role of yours allows this"};
            refused = error_answer(call, 403, right);
        }
    }
    if (refused) {
        response = std::move(*refused);
    } else {
        response = co_await (this->*route.answer)(call);
    }
    secure(response, settings_.tls);
    if (head) response.body.clear();
    co_return response;
}

Frame Web::frame_of_nobody() const {
    Frame frame;
    frame.demonstration = demonstration();
    frame.production = settings_.production;
    frame.now = clock_.now();
    return frame;
}

asio::awaitable<Frame> Web::frame(Call& call, Place place) {
    Frame frame = frame_of_nobody();
    frame.user = &call.session->user;
    frame.csrf = call.session->csrf_token;
    frame.place = place;
    const auto sites = call.sites(Action::read_work_items);
    frame.open_work = co_await store_.open_work(sites);
    co_return frame;
}

// ── Sign-in ──

asio::awaitable<bool> Web::check_password(std::string password, std::string stored) {
    auto work = [password = std::move(password), stored = std::move(stored)]() -> asio::awaitable<bool> {
        co_return verify_password(stored, password);
    };
    co_return co_await asio::co_spawn(passwords_.get_executor(), work, asio::use_awaitable);
}

asio::awaitable<Result<std::string>> Web::sign_in(std::string login, std::string password, std::string address) {
    if (!demonstration()) co_return Error{Fault::unsupported, "login", "local accounts are for demonstrations only"};
    const auto wait = guard_.wait(login, address, clock_.now());
    if (wait > Duration::zero()) {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
        co_return Error{Fault::unavailable, "login", std::to_string(seconds)};
    }
    const auto account = co_await store_.local_account(login);
    // An unknown login costs as much time as a wrong password.
    static const std::string nobody = hash_password(random_token(16));
    const std::string stored = account ? account->password : nobody;
    const bool right = co_await check_password(std::move(password), stored);
    const bool accepted = right && account;
    // A login that nobody has may be a password typed in the wrong field: it is not written down.
    const std::string written = account ? login : std::string("unknown");
    co_await store_.audit_sign_in(written, accepted, address);
    if (!accepted) {
        guard_.failed(login, address, clock_.now());
        co_return Error{Fault::refused, "login", "unknown login or wrong password"};
    }
    guard_.succeeded(login);
    const std::string token = random_token(32);
    const std::string csrf = random_token(32);
    const Sha256 hash = sha256(token);
    co_await store_.open_session(hash, account->id, csrf);
    log::info("signed in", {{"user", account->id}});
    co_return token;
}

Web::Answer Web::show_sign_in(Call& call) {
    co_await identify(call);
    if (call.session) co_return answers::redirect("/");
    Kept kept;
    kept.path = call.query("suite").value_or("");
    if (!leads_on("GET", kept.path)) kept.path.clear();
    co_return answers::html(sign_in_page(frame_of_nobody(), "", kept, std::nullopt));
}

/// A page of ours, so that nobody is led elsewhere.
bool Web::leads_on(std::string_view method, std::string_view path) {
    const bool clean = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7F && c != '\\'; });
    return clean && std::ranges::any_of(table(), [&](const Route& route) {
        return route.kind == Kind::page && route.method == method && match(route.pattern, path);
    });
}

asio::awaitable<net::Response> Web::go_on(Call& call, Kept kept, std::optional<domain::UserId> owner) {
    if (kept.fields.empty()) {
        std::string there = "/";
        if (leads_on("GET", kept.path)) there = kept.path;
        co_return answers::redirect(std::move(there));
    }
    // What one person typed is not handed to another.
    if (!leads_on("POST", kept.path) || owner != call.user().id) co_return answers::redirect("/");
    if (const auto order = match("/dossiers/{order}/validation", kept.path)) {
        const auto id = id_of<domain::OrderId>(order->front(), "order");
        if (!id) co_return error_answer(call, id.error());
        const auto field = [&](std::string_view name) { return std::string(net::find_value(kept.fields, name).value_or("")); };
        TypedSignature typed{field("commentaire"), field("motif")};
        Notice again{true, "Vous êtes de nouveau connecté. Rien n'a été signé : votre texte est gardé, relisez le dossier et validez.", "", ""};
        std::optional<Notice> notice(std::move(again));
        std::vector<domain::ResultId> none;
        std::optional<Error> no_refusal;
        co_return co_await order_with(call, *id, std::move(typed), std::move(none), 0, std::move(no_refusal), std::move(notice), 200);
    }
    const Frame around = co_await frame(call, Place::none);
    co_return answers::html(kept_page(around, kept));
}

Web::Answer Web::post_sign_in(Call& call) {
    const auto login = call.text("identifiant");
    const auto password = call.text("mot_de_passe");
    const auto token = co_await sign_in(login, password, call.request.peer.address);
    Kept kept{call.text("suite"), typed_fields(call.form, "garde.")};
    if (token) {
        // A session that was open in this browser ends: one sign-in, one token.
        std::optional<domain::UserId> owner;
        if (const auto old = session_token(call.request.headers, settings_.tls)) {
            const Sha256 former = sha256(*old);
            owner = co_await store_.session_owner(former);
            co_await store_.end_session(former);
        }
        const Sha256 hash = sha256(*token);
        call.session = co_await store_.session(hash, settings_.session, false);
        net::Response response = answers::redirect("/");
        if (call.session) response = co_await go_on(call, std::move(kept), owner);
        response.headers.add("Set-Cookie", set_cookie(*token, settings_.tls));
        co_return response;
    }
    const auto& error = token.error();
    Notice notice;
    notice.text = "Identifiant ou mot de passe incorrect.";
    unsigned status = 401;
    if (error.fault == Fault::unavailable) {
        notice.text = fmt::format("Trop d'essais. Nouvel essai possible dans {} s.", error.what);
        status = 429;
    } else if (error.fault == Fault::unsupported) {
        notice.text = "Les comptes locaux sont désactivés sur cette instance.";
        status = 403;
    }
    auto response = answers::html(sign_in_page(frame_of_nobody(), login, kept, notice), status);
    if (status == 429) response.headers.add("Retry-After", error.what);
    co_return response;
}

Web::Answer Web::sign_out(Call& call) {
    co_await store_.end_session(call.session->token_hash);
    auto response = answers::redirect("/connexion");
    response.headers.add("Set-Cookie", clear_cookie(settings_.tls));
    co_return response;
}

Web::Answer Web::api_sign_in(Call& call) {
    const auto login = call.text("login");
    const auto password = call.text("password");
    const auto token = co_await sign_in(login, password, call.request.peer.address);
    if (!token) {
        const auto& error = token.error();
        const unsigned status = error.fault == Fault::unavailable ? 429 : error.fault == Fault::unsupported ? 403 : 401;
        Error shown = error;
        if (status == 429) shown.what = "too many failed sign-ins: try again in " + error.what + " s";
        auto response = error_answer(call, status, shown);
        if (status == 429) response.headers.add("Retry-After", error.what);
        co_return response;
    }
    const Sha256 hash = sha256(*token);
    call.session = co_await store_.session(hash, settings_.session, false);
    if (!call.session) {
        const Error gone{Fault::unavailable, "session", "the session could not be opened"};
        co_return error_answer(call, gone);
    }
    auto response = answers::json(boost::json::value{{"csrf_token", call.session->csrf_token}, {"user", api::to_json(call.user())}}, 201);
    response.headers.add("Set-Cookie", set_cookie(*token, settings_.tls));
    co_return response;
}

// ── Open to all ──

Web::Answer Web::live(Call&) {
    co_return answers::json(boost::json::value{{"status", "live"}});
}

Web::Answer Web::ready(Call& call) {
    const auto ready = co_await commands_.ready();
    if (!ready) co_return error_answer(call, 503, ready.error());
    co_return answers::json(boost::json::value{{"status", "ready"}});
}

Web::Answer Web::asset(Call& call) {
    const auto& file = call.parts.front();
    net::Response response;
    if (file == "console.css") {
        response.headers.add("Content-Type", "text/css; charset=utf-8");
        response.body = assets::stylesheet;
    } else if (file == "console.js") {
        response.headers.add("Content-Type", "text/javascript; charset=utf-8");
        response.body = assets::script;
    } else {
        const Error nothing{Fault::missing, "path", "no such file"};
        co_return error_answer(call, nothing);
    }
    response.headers.add("Cache-Control", call.query("v") ? "public, max-age=31536000, immutable" : "no-cache");
    co_return response;
}

Web::Answer Web::openapi(Call&) {
    net::Response response;
    response.headers.add("Content-Type", "application/json");
    response.body = assets::openapi;
    co_return response;
}

}  // namespace sgl::web
