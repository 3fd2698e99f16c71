// The console over HTTP: routes, sessions, rights, then a page or JSON. Thin: it reads through store::Console and acts
// through Commands.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <span>
#include <string>
#include <string_view>

#include "lib/net/http_server.hpp"
#include "lib/store/console.hpp"
#include "lib/web/commands.hpp"
#include "lib/web/desk.hpp"
#include "lib/web/session.hpp"
#include "lib/web/waiting.hpp"

namespace sgl::web {

struct Frame;
struct Kept;
struct Notice;
enum class Place : std::uint8_t;

struct WebSettings {
    bool demonstration_accounts{};  ///< local accounts sign in, and every page says so; ignored in production
    bool production{};              ///< environment of the instance
    bool tls{};                     ///< how the listener is reached: decides the cookie's form
    store::SessionLimits session;
};

struct RouteName {
    std::string_view method;
    std::string_view pattern;  ///< `/dossiers/{order}/validation`
};

class Web {
public:
    /// All outlive the Web. `handle` may run on any number of threads.
    Web(store::Console& store, store::PatientFiles& patients, Commands& commands, WaitingCommands& waiting, DeskCommands& desk, const Clock& clock,
        WebSettings settings);
    Web(const Web&) = delete;
    Web& operator=(const Web&) = delete;
    ~Web();

    asio::awaitable<net::Response> handle(net::Request request);

    /// For the test that compares them with the API's description.
    static std::vector<RouteName> routes();

private:
    struct Call;
    struct Route;
    struct TypedSignature {
        std::string comment;
        std::string reason;
    };
    static std::span<const Route> table();
    using Answer = asio::awaitable<net::Response>;

    bool demonstration() const { return settings_.demonstration_accounts && !settings_.production; }
    asio::awaitable<void> identify(Call& call);
    asio::awaitable<bool> check_password(std::string password, std::string stored);
    /// Signs in and opens a session; its token, or why not.
    asio::awaitable<Result<std::string>> sign_in(std::string login, std::string password, std::string address);
    asio::awaitable<Frame> frame(Call& call, Place place);
    Frame frame_of_nobody() const;
    /// Once signed in again: where the person was, with what was typed, if it was the same person.
    asio::awaitable<net::Response> go_on(Call& call, Kept kept, std::optional<domain::UserId> owner);
    static bool leads_on(std::string_view method, std::string_view path);
    net::Response error_answer(const Call& call, const Error& error) const;
    net::Response error_answer(const Call& call, unsigned status, const Error& error) const;

    // Open to all
    Answer live(Call& call);
    Answer ready(Call& call);
    Answer asset(Call& call);
    Answer openapi(Call& call);
    Answer show_sign_in(Call& call);
    Answer post_sign_in(Call& call);
    Answer api_sign_in(Call& call);
    // Pages
    Answer home(Call& call);
    Answer sign_out(Call& call);
    Answer worklist(Call& call);
    Answer keep_filter(Call& call);
    Answer forget_filter(Call& call);
    Answer order(Call& call);
    Answer order_with(Call& call, domain::OrderId id, TypedSignature typed, std::vector<domain::ResultId> seen, int seen_version,
                      std::optional<Error> refused, std::optional<Notice> notice, unsigned status);
    Answer order_after(Call& call, domain::OrderId id, std::optional<Notice> notice, unsigned status);
    Answer validate(Call& call);
    Answer withdraw(Call& call);
    Answer compose_again(Call& call);
    Answer set_aside(Call& call);
    Answer report(Call& call);
    Answer pdf(Call& call);
    Answer cda(Call& call);
    Answer document(Call& call, std::string form);
    Answer letters(Call& call);
    Answer letter_act(Call& call);
    Answer work_items(Call& call);
    Answer work_items_with(Call& call, std::optional<Notice> notice, unsigned status);
    Answer close_work_item(Call& call);
    Answer word(Call& call);
    Answer map_word(Call& call);
    Answer replay_word(Call& call);
    Answer word_with(Call& call, store::WaitingGroup group, std::optional<Notice> notice, unsigned status);
    Answer waiting_point(Call& call);
    Answer waiting_point_with(Call& call, domain::WorkItemId item, std::optional<Notice> notice, unsigned status);
    Answer replay_point(Call& call);
    Answer assign_point(Call& call);
    Answer patients(Call& call);
    Answer find_patients(Call& call);
    Answer patients_with(Call& call, PatientsScreen screen);
    Answer patient(Call& call);
    Answer patient_with(Call& call, domain::PatientId id, std::optional<Notice> notice, unsigned status);
    Answer close_identity_change(Call& call);
    Answer new_order(Call& call);
    Answer post_order(Call& call);
    Answer correction(Call& call);
    Answer post_correction(Call& call);
    Answer desk_with(Call& call, DeskScreen screen, std::optional<Notice> notice, unsigned status);
    Answer account(Call& call);
    Answer about(Call& call);
    // API
    Answer api_session(Call& call);
    Answer api_sign_out(Call& call);
    Answer api_orders(Call& call);
    Answer api_order(Call& call);
    Answer api_validate(Call& call);
    Answer api_withdraw(Call& call);
    Answer api_compose_again(Call& call);
    Answer api_set_aside(Call& call);
    Answer api_report(Call& call);
    Answer api_report_letters(Call& call);
    Answer api_document(Call& call);
    Answer api_letters(Call& call);
    Answer api_letter_act(Call& call);
    Answer api_work_items(Call& call);
    Answer api_close_work_item(Call& call);
    Answer api_find_patients(Call& call);
    Answer api_patient(Call& call);
    Answer api_close_identity_change(Call& call);
    Answer api_register_order(Call& call);
    Answer api_correct_order(Call& call);
    Answer api_account(Call& call);
    Answer api_rules(Call& call);
    Answer api_approve_rules(Call& call);

    asio::awaitable<std::optional<store::WaitingGroup>> group_asked(Call& call);
    asio::awaitable<Result<void>> act_on_letter(Call& call, domain::LetterId id, std::string verb, std::string why);
    asio::awaitable<Result<void>> act_on_result(Call& call, std::string why);
    asio::awaitable<Result<store::PatientHits>> search_patients(Call& call, TypedSearch typed);
    asio::awaitable<Result<void>> act_on_identity_change(Call& call, std::string number, std::string why);
    static std::vector<domain::SiteId> desk_sites(const Call& call, std::optional<domain::LegalEntityId> entity);
    asio::awaitable<Result<void>> act_on_work_item(Call& call, std::string why);

    store::Console& store_;
    store::PatientFiles& patients_;
    Commands& commands_;
    WaitingCommands& waiting_;
    DeskCommands& desk_;
    const Clock& clock_;
    WebSettings settings_;
    SignInGuard guard_;
    asio::thread_pool passwords_{1};  // scrypt is slow on purpose: one at a time, off the I/O threads
};

}  // namespace sgl::web
