#include "daemon/console_commands.hpp"

#include <fmt/format.h>

#include <set>

namespace sgl::daemon {

namespace {

constexpr pg::Query ping{"console.ready", "select 1"};
constexpr pg::Query instance_uuid{"console.instance_uuid", "select instance_uuid from instance"};

std::vector<std::int32_t> sites_of(const store::User& user) {
    std::set<std::int32_t> sites;
    for (const auto& role : user.roles)
        sites.insert(role.site.id.value());
    return {sites.begin(), sites.end()};
}

flow::Actor actor_of(const store::User& user) {
    return {"user:" + user.login, user.id, sites_of(user)};
}

}  // namespace

asio::awaitable<Result<web::Draft>> ConsoleCommands::draft(store::User user, domain::OrderId order) {
    Result<flow::Preview> preview = co_await parts_.line.preview(actor_of(user), order);
    if (!preview) co_return preview.error();
    web::Draft draft;
    draft.results = std::move(preview->draft.lines);
    draft.pending = std::move(preview->draft.pending);
    draft.letters = std::move(preview->letters);
    draft.missing = std::move(preview->missing);
    co_return draft;
}

asio::awaitable<Result<web::ValidationDone>> ConsoleCommands::validate(store::User user,
                                                                       web::ValidationRequest request) {
    flow::ValidationCommand command{request.order, request.row_version, std::move(request.seen),
                                    std::move(request.comment), std::move(request.reason)};
    const Result<flow::Validated> done = co_await parts_.line.validate(actor_of(user), std::move(command));
    if (!done) co_return done.error();
    parts_.report_waits();
    co_return web::ValidationDone{done->version, done->number, done->at};
}

asio::awaitable<Result<std::size_t>> ConsoleCommands::withdraw(store::User user, domain::OrderId order, int row_version,
                                                               std::string why) {
    flow::WithdrawalCommand command{order, row_version, std::move(why)};
    const Result<std::size_t> letters = co_await parts_.line.withdraw(actor_of(user), std::move(command));
    if (letters) parts_.letter_waits();
    co_return letters;
}

asio::awaitable<Result<void>> ConsoleCommands::act(store::User user, domain::LetterId letter, domain::LetterEvent event,
                                                   std::string verb, std::string why) {
    // Only the three acts of a person come here; the give-up time of a channel plays no part in them.
    const domain::RetryPolicy& policy = parts_.policy(domain::Channel::dmp);
    const std::vector<std::int32_t> sites = sites_of(user);
    const std::string actor = "user:" + user.login;
    const Result<void> done = co_await parts_.outbox.act(sites, letter, event, std::move(verb), actor, std::move(why),
                                                         policy, parts_.clock.now());
    if (!done) co_return done.error();
    parts_.letter_waits();
    co_return Result<void>{};
}

asio::awaitable<Result<void>> ConsoleCommands::retry_letter(store::User user, domain::LetterId letter) {
    const domain::LetterEvent event = domain::letter_event::Retried();
    co_return co_await act(std::move(user), letter, event, "retry", "");
}

asio::awaitable<Result<void>> ConsoleCommands::hold_letter(store::User user, domain::LetterId letter, std::string why) {
    const domain::LetterEvent event = domain::letter_event::Held();
    co_return co_await act(std::move(user), letter, event, "hold", std::move(why));
}

asio::awaitable<Result<void>> ConsoleCommands::abandon_letter(store::User user, domain::LetterId letter,
                                                              std::string why) {
    const domain::LetterEvent event = domain::letter_event::Abandoned();
    co_return co_await act(std::move(user), letter, event, "abandon", std::move(why));
}

/// Scoped to the sites where he may do that: anywhere else the thing does not exist for him.
store::Deed ConsoleCommands::deed(const store::User& user, web::Action action, std::string why) const {
    std::vector<std::int32_t> sites;
    for (const auto site : web::sites_for(user, action))
        sites.push_back(site.value());
    return {std::move(sites), "user:" + user.login, std::move(why), parts_.clock.now()};
}

asio::awaitable<Result<void>> ConsoleCommands::set_aside(store::User user, domain::OrderId order,
                                                         domain::ResultId result, std::string why) {
    store::Work work(parts_.pool);
    co_return co_await work.set_aside(deed(user, web::Action::validate, std::move(why)), order, result);
}

asio::awaitable<Result<void>> ConsoleCommands::close_work_item(store::User user, domain::WorkItemId item,
                                                               std::string why) {
    store::Work work(parts_.pool);
    co_return co_await work.close(deed(user, web::Action::close_work_item, std::move(why)), item);
}

asio::awaitable<Result<web::Account>> ConsoleCommands::account(store::User user) {
    const std::vector<store::AccountFigures> figures =
        co_await store::account(parts_.pool, sites_of(user), store::AccountSource::rows);
    const pg::Rows rows = co_await parts_.pool.query(instance_uuid);
    const domain::LaboratoryPtr laboratory = parts_.laboratory.current();
    web::Account account;
    account.instance = rows[0].uuid(0);
    for (const auto& f : figures) {
        web::AccountLine line;
        if (const auto* site = laboratory->site(f.site)) {
            line.site_finess = site->finess.text();
            line.site_name = site->name;
        }
        line.month =
            fmt::format("{:04}-{:02}", static_cast<int>(f.month.year()), static_cast<unsigned>(f.month.month()));
        line.reports = static_cast<unsigned>(f.reports);
        line.with_qualified_ins = static_cast<unsigned>(f.with_qualified_ins);
        for (const auto& c : f.channels) {
            line.channels.push_back({c.channel, static_cast<unsigned>(c.sent), static_cast<unsigned>(c.accepted),
                                     static_cast<unsigned>(c.pending), static_cast<unsigned>(c.failed)});
        }
        for (const auto& r : f.reasons)
            line.reasons.push_back({r.channel, r.state, r.reason, static_cast<unsigned>(r.letters)});
        account.lines.push_back(std::move(line));
    }
    co_return account;
}

asio::awaitable<Result<void>> ConsoleCommands::ready() {
    try {
        co_await parts_.pool.query(ping);
    } catch (const std::exception&) {
        co_return Error{Fault::unavailable, "database", "the database does not answer"};
    }
    co_return Result<void>{};
}

}  // namespace sgl::daemon
