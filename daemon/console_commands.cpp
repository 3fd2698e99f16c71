#include "daemon/console_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/interpret/waiting.hpp"
#include "lib/store/mapping.hpp"

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
    for (const auto& one : preview->draft.awaited)
        draft.pending.push_back(one.label);
    for (const auto& one : preview->provisional)
        draft.provisional.push_back(one.label);
    draft.needs_reason = preview->needs_reason;
    draft.letters = std::move(preview->letters);
    draft.missing = std::move(preview->missing);
    if (preview->rules) {
        auto& rules = *preview->rules;
        draft.rules = web::RulesOpinion{rules.number, std::move(rules.name), std::move(rules.judgements)};
    }
    co_return draft;
}

asio::awaitable<Result<web::ValidationDone>> ConsoleCommands::validate(store::User user,
                                                                       web::ValidationRequest request) {
    flow::ValidationCommand command{request.order, request.row_version, std::move(request.seen),
                                    std::move(request.comment), std::move(request.reason), request.partial,
                                    std::move(request.confirmed), std::move(request.confirmed_why)};
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

asio::awaitable<Result<void>> ConsoleCommands::compose_again(store::User user, domain::ReportVersionId version) {
    const Result<void> done = co_await parts_.line.compose_again(actor_of(user), version);
    if (done) parts_.report_waits();
    co_return done;
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

// ── What waits because of a message ──

asio::awaitable<std::vector<store::WaitingGroup>> ConsoleCommands::waiting(store::User user) {
    std::vector<std::int32_t> sites;
    for (const auto site : web::sites_for(user, web::Action::read_work_items))
        sites.push_back(site.value());
    co_return co_await replay_.groups(parts_.laboratory.current(), std::move(sites));
}

asio::awaitable<Result<web::WaitingPoint>> ConsoleCommands::waiting_point(store::User user, domain::WorkItemId item) {
    const store::Deed reading = deed(user, web::Action::read_work_items, "");
    const std::optional<store::WaitingItem> found = co_await replay_.waiting().item(reading.sites, item);
    const auto missing = [] { return Error{Fault::missing, "work_item", "no such work item of a message on your sites"}; };
    if (!found) co_return missing();
    const std::optional<store::KeptMessage> kept = co_await replay_.waiting().message(reading.sites, found->message);
    const domain::LaboratoryPtr laboratory = parts_.laboratory.current();
    const auto* link = flow::link_of(*laboratory, found->link);
    web::WaitingPoint point;
    point.item = *found;
    point.masked = !web::may(user, web::Action::read_patient, found->site);
    if (!kept || link == nullptr) co_return point;
    point.link_name = link->name;
    const Result<hl7::Message> message = flow::parsed(*kept, *link);
    if (!message) {
        point.text = to_string(message.error());
        co_return point;
    }
    point.text = point.masked ? interpret::masked(*message) : interpret::readable(*message);
    if (!point.masked) {
        store::KeptMessage shown = *kept;
        co_await replay_.waiting().read_by(reading.sites, reading.actor, std::move(shown), reading.at);
    }
    co_return point;
}

std::vector<web::Examination> ConsoleCommands::examinations(domain::SiteId site) {
    std::vector<web::Examination> all;
    const domain::LaboratoryPtr laboratory = parts_.laboratory.current();
    for (const auto& analyte : laboratory->catalogue(site).analytes())
        all.push_back({analyte.local_code, analyte.loinc, analyte.label, analyte.unit});
    return all;
}

Result<void> ConsoleCommands::allowed(const store::User& user, const domain::Mapping& mapping) const {
    const domain::LaboratoryPtr laboratory = parts_.laboratory.current();
    const auto* link = flow::link_of(*laboratory, mapping.link);
    if (link == nullptr) return Error{Fault::missing, "link", "no such link on your sites"};
    if (!web::may(user, web::Action::map_words, link->site))
        return Error{Fault::refused, "rights", "no role of yours on this site allows this"};
    return domain::check(mapping, laboratory->catalogue(link->site));
}

asio::awaitable<Result<store::Expectation>> ConsoleCommands::expect(store::User user, domain::Mapping mapping,
                                                                    std::vector<domain::MessageId> messages) {
    if (auto good = allowed(user, mapping); !good) co_return good.error();
    store::Deed reading = deed(user, web::Action::map_words, "");
    co_return co_await replay_.expect(parts_.laboratory.current(), std::move(reading.sites), std::move(mapping),
                                      std::move(messages));
}

asio::awaitable<Result<store::ReplaySum>> ConsoleCommands::map(store::User user, domain::Mapping mapping,
                                                               std::vector<domain::MessageId> messages, std::string why) {
    if (auto good = allowed(user, mapping); !good) co_return good.error();
    if (why.empty()) why = "said in the console";
    store::Deed keeping = deed(user, web::Action::map_words, why);
    const Result<std::int64_t> change = co_await store::keep_mapping(parts_.pool, std::move(keeping), std::move(mapping));
    if (!change) co_return change.error();
    co_await parts_.read_laboratory();
    co_return co_await replay_.messages(parts_.laboratory.current(), deed(user, web::Action::map_words, why),
                                        std::move(messages));
}

asio::awaitable<Result<store::ReplaySum>> ConsoleCommands::replay(store::User user,
                                                                  std::vector<domain::MessageId> messages) {
    co_return co_await replay_.messages(parts_.laboratory.current(),
                                        deed(user, web::Action::map_words, "in the console"),
                                        std::move(messages));
}

asio::awaitable<Result<store::ReplaySum>> ConsoleCommands::assign(store::User user, domain::WorkItemId item,
                                                                  std::string number, std::string why) {
    store::Deed mine = deed(user, web::Action::assign_results, std::move(why));
    const std::optional<store::WaitingItem> found = co_await replay_.waiting().item(mine.sites, item);
    const auto missing = [] { return Error{Fault::missing, "work_item", "no such work item of a message on your sites"}; };
    if (!found) co_return missing();
    co_return co_await replay_.assign(parts_.laboratory.current(), std::move(mine), *found, std::move(number));
}

// ── The desk ──

flow::Actor ConsoleCommands::actor(const store::User& user, web::Action action) const {
    return {"user:" + user.login, user.id, deed(user, action, "").sites};
}

asio::awaitable<Result<web::DeskChoices>> ConsoleCommands::desk_choices(store::User user, domain::SiteId site) {
    if (!web::may(user, web::Action::order_at_desk, site))
        co_return Error{Fault::missing, "site", "no such site of yours"};
    Result<flow::DeskChoices> offered = co_await parts_.desk.choices(site);
    if (!offered) co_return offered.error();
    web::DeskChoices choices;
    choices.laboratory = std::move(offered->laboratory);
    choices.catalogue = offered->catalogue;
    choices.people = std::move(offered->people);
    choices.identity_slave = offered->identity_slave;
    co_return choices;
}

namespace {

web::DeskTaken shown(flow::DeskTaken taken) {
    web::DeskTaken to;
    to.order = taken.order;
    to.number = std::move(taken.number);
    to.joined = taken.joined;
    to.errors = std::move(taken.errors);
    to.namesakes = std::move(taken.namesakes);
    return to;
}

}  // namespace

asio::awaitable<Result<web::DeskTaken>> ConsoleCommands::register_order(store::User user, domain::SiteId site,
                                                                        domain::DeskForm form, std::string token) {
    Result<flow::DeskTaken> taken = co_await parts_.desk.register_order(actor(user, web::Action::order_at_desk), site,
                                                                        std::move(form), std::move(token));
    if (!taken) co_return taken.error();
    co_return shown(std::move(*taken));
}

asio::awaitable<Result<store::DeskOrder>> ConsoleCommands::desk_order(store::User user, domain::OrderId order) {
    co_return co_await parts_.desk_orders.order(deed(user, web::Action::order_at_desk, "").sites, order);
}

asio::awaitable<Result<web::DeskTaken>> ConsoleCommands::correct_order(store::User user, domain::OrderId order,
                                                                       int row_version, domain::DeskForm form,
                                                                       std::string token) {
    Result<flow::DeskTaken> taken = co_await parts_.desk.correct(actor(user, web::Action::order_at_desk), order,
                                                                 row_version, std::move(form), std::move(token));
    if (!taken) co_return taken.error();
    co_return shown(std::move(*taken));
}

asio::awaitable<Result<void>> ConsoleCommands::close_identity_change(store::User user, std::int64_t change,
                                                                     std::string why) {
    store::Deed mine = deed(user, web::Action::validate, std::move(why));
    store::IdentityDeed closing{std::move(mine.sites), std::move(mine.actor), std::move(mine.why), mine.at};
    co_return co_await parts_.identities.close(std::move(closing), change);
}

asio::awaitable<std::vector<store::RulesLine>> ConsoleCommands::rules(store::User user) {
    store::Deed reading = deed(user, web::Action::validate, "");
    co_return co_await store::list_rules(parts_.pool, std::move(reading.sites));
}

asio::awaitable<Result<void>> ConsoleCommands::approve_rules(store::User user, std::int32_t number) {
    const domain::LaboratoryPtr laboratory = parts_.laboratory.current();
    const domain::User* biologist = laboratory->user(user.id);
    store::RulesApproval approval;
    for (const auto id : web::sites_for(user, web::Action::validate)) {
        const domain::Site* site = laboratory->site(id);
        if (biologist != nullptr && site != nullptr && biologist->may_validate(id))
            approval.sites.emplace_back(id, site->legal_entity);
    }
    if (approval.sites.empty()) co_return Error{Fault::refused, "rights", "rules are approved by a biologist of the site"};
    approval.number = number;
    approval.user = user.id;
    approval.approver = biologist->professional;
    approval.actor = "user:" + user.login;
    approval.at = parts_.clock.now();
    approval.active_from = approval.at;
    const Result<void> done = co_await store::approve_rules(parts_.pool, std::move(approval));
    co_return done;
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
