#include "daemon/rule_commands.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iostream>
#include <map>

#include "config/rules_file.hpp"
#include "daemon/command.hpp"
#include "lib/flow/rules.hpp"
#include "lib/store/laboratory.hpp"
#include "lib/store/reports.hpp"
#include "lib/store/rules.hpp"

namespace sgl::daemon {

namespace {

namespace json = boost::json;
using domain::Verdict;

/// All that is wrong is said; nothing when all is well.
bool good(const InputFile& file, const config::CheckedRules& checked) {
    for (const auto& error : checked.errors)
        refused({error.fault, file.name + ", " + error.where, error.what});
    return checked.errors.empty();
}

asio::awaitable<int> import_rules(Database& database, Instant now, const InputFile& file) {
    auto checked = config::check_rules(file.bytes);
    if (!good(file, checked)) co_return 1;
    store::RulesToKeep rules;
    rules.name = checked.set.name;
    rules.texts = std::move(checked.texts);
    rules.source = file.bytes;
    const store::RulesKept kept = co_await store::keep_rules(database.app(), std::move(rules), operator_name(), now);
    std::cout << fmt::format("{}: rule set {}{}: {} tests passed. It is in force where a biologist approves it.\n",
                             file.name, kept.number, kept.before ? ", imported before" : "", checked.set.tests.size());
    co_return 0;
}

asio::awaitable<int> list(Database& database, bool as_json) {
    const domain::LaboratoryPtr laboratory = co_await store::load(database.app());
    const std::vector<store::RulesLine> lines = co_await store::list_rules(database.app(), sites_of(*laboratory));
    json::array out;
    for (const auto& line : lines) {
        json::array approvals;
        if (!as_json)
            std::cout << fmt::format("{}  {}  imported {} by {}\n", line.number, line.name,
                                     to_iso8601(line.imported_at), line.imported_by);
        for (const auto& approval : line.approvals) {
            const auto* site = laboratory->site(approval.site);
            const auto finess = site == nullptr ? std::string() : site->finess.text();
            approvals.push_back(json::value{
                {"site", finess}, {"approver", approval.approver}, {"active_from", to_iso8601(approval.active_from)}});
            if (!as_json)
                std::cout << fmt::format("    site {} from {} by {}\n", finess, to_iso8601(approval.active_from),
                                         approval.approver);
        }
        out.push_back(json::value{{"number", line.number}, {"name", line.name}, {"approvals", std::move(approvals)}});
    }
    if (as_json) std::cout << json::serialize(out) << '\n';
    co_return 0;
}

asio::awaitable<int> approve(Database& database, Instant now, const RulesCommand& command) {
    const domain::LaboratoryPtr laboratory = co_await store::load(database.app());
    const domain::User* user = laboratory->user(command.login);
    if (user == nullptr || user->password.empty())
        co_return refused({Fault::refused, "login", "no demonstration account of that name"});
    store::RulesApproval approval;
    for (const auto id : user->sites(domain::Role::biologist)) {
        const auto* site = laboratory->site(id);
        if (site != nullptr && user->may_validate(id)) approval.sites.emplace_back(id, site->legal_entity);
    }
    if (approval.sites.empty())
        co_return refused({Fault::refused, "login", "rules are approved by a biologist of a site"});
    const auto count = approval.sites.size();
    approval.number = command.number;
    approval.user = user->id;
    approval.approver = user->professional;
    approval.actor = "user:" + command.login;
    approval.at = approval.active_from = now;
    const Result<void> done = co_await store::approve_rules(database.app(), std::move(approval));
    if (!done) co_return refused(done.error());
    std::cout << fmt::format("rule set {} in force on {} sites\n", command.number, count);
    co_return 0;
}

Result<Instant> day_of(const std::string& text, const TimeZone& zone, bool after) {
    std::string digits;
    for (const char c : text)
        if (c != '-') digits += c;
    auto day = Timestamp::parse(digits);
    if (!day || day->precision != Precision::day)
        return Error{Fault::malformed, after ? "--to" : "--from", "expected a day such as 2026-11-01"};
    if (after) {  // by the calendar: two days a year have not 24 hours
        const std::chrono::year_month_day given{std::chrono::year{day->year}, std::chrono::month{day->month},
                                                std::chrono::day{day->day}};
        const std::chrono::year_month_day next{std::chrono::sys_days{given} + std::chrono::days{1}};
        day->year = static_cast<int>(next.year());
        day->month = static_cast<unsigned>(next.month());
        day->day = static_cast<unsigned>(next.day());
    }
    return zone.to_instant(*day);
}

void print(const flow::Simulation& simulation, bool as_json) {
    constexpr std::array verdicts{Verdict::green, Verdict::amber, Verdict::red};
    const auto row = [&](const std::array<std::size_t, 3>& counts) {
        json::object made;
        for (const auto verdict : verdicts)
            made[to_string(verdict)] = counts[static_cast<std::size_t>(verdict)];
        return made;
    };
    json::object moves;
    for (const auto verdict : verdicts)
        moves[to_string(verdict)] = row(simulation.moves[static_cast<std::size_t>(verdict)]);
    json::object stops;
    for (std::size_t kind = 0; kind < simulation.stops.size(); ++kind) {
        if (simulation.stops[kind] > 0) stops[to_string(static_cast<domain::RuleKind>(kind))] = simulation.stops[kind];
    }
    if (as_json) {
        const json::value out{{"orders", simulation.orders},    {"before", row(simulation.before)},
                              {"after", row(simulation.after)}, {"not_judged_before", simulation.not_judged_before},
                              {"moves", std::move(moves)},      {"results_by_kind", std::move(stops)}};
        std::cout << json::serialize(out) << '\n';
        return;
    }
    std::cout << fmt::format("{} orders\n{:<18}{:>10}{:>10}{:>10}\n", simulation.orders, "", "green", "amber", "red");
    std::cout << fmt::format("{:<18}{:>10}{:>10}{:>10}\n", "in force", simulation.before[0], simulation.before[1],
                             simulation.before[2]);
    std::cout << fmt::format("{:<18}{:>10}{:>10}{:>10}\n", "this file", simulation.after[0], simulation.after[1],
                             simulation.after[2]);
    if (simulation.not_judged_before > 0)
        std::cout << fmt::format("{} results of sites where no rules are in force\n", simulation.not_judged_before);
    for (const auto from : verdicts)
        for (const auto to : verdicts) {
            const auto moved = simulation.moves[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
            if (from != to && moved > 0)
                std::cout << fmt::format("{} -> {}: {}\n", to_string(from), to_string(to), moved);
        }
    for (const auto& [kind, count] : stops)
        std::cout << fmt::format("{}: {} results\n", std::string(kind), count.to_number<std::size_t>());
}

/// Published reports go through both sets, as they were signed; nothing is written.
asio::awaitable<int> simulate(Database& database, Instant now, const RulesCommand& command) {
    const auto checked = config::check_rules(command.file.bytes);
    if (!good(command.file, checked)) co_return 1;
    const TimeZone paris = TimeZone::paris();
    const auto from = day_of(command.from, paris, false);
    if (!from) co_return refused(from.error());
    const auto to = day_of(command.to, paris, true);
    if (!to) co_return refused(to.error());
    const domain::LaboratoryPtr laboratory = co_await store::load(database.app());
    const std::vector<std::int32_t> sites = sites_of(*laboratory);
    store::Inbox inbox(database.app());
    store::Orders orders(database.app(), inbox);
    store::Reports reports(database.app());
    std::map<std::int32_t, std::optional<store::KeptRules>> in_force;
    flow::Simulation simulation;
    const std::vector<domain::ReportVersionId> past = co_await store::past_reports(database.app(), sites, *from, *to);
    for (const auto id : past) {
        const Result<store::StoredVersion> version = co_await reports.version(sites, id);
        if (!version) continue;
        pg::Transaction transaction = co_await database.app().begin(sites);
        const Result<store::OrderFile> file = co_await orders.file(transaction, version->order, false);
        if (!in_force.contains(version->site.value())) {
            std::optional<store::KeptRules> rules = co_await store::rules_in_force(transaction, version->site, now);
            in_force.emplace(version->site.value(), std::move(rules));
        }
        co_await transaction.rollback();
        const domain::Site* site = laboratory->site(version->site);
        if (!file || site == nullptr) continue;
        // As it was judged then: with the earlier values that its own lines carry.
        const flow::PreviousResults none;
        const auto order = flow::to_judge(*file, version->lines, version->awaited, site->time_zone, none);
        const auto& rules = in_force.at(version->site.value());
        const auto after = domain::judge(checked.set, order);
        if (rules) {
            const auto before = domain::judge(rules->set, order);
            flow::add(simulation, &before, after);
        } else {
            flow::add(simulation, nullptr, after);
        }
    }
    print(simulation, command.json);
    co_return 0;
}

}  // namespace

int check_rules(const InputFile& file) {
    const auto checked = config::check_rules(file.bytes);
    if (!good(file, checked)) return 1;
    std::cout << fmt::format("{}: ok, {} tests passed\n", file.name, checked.set.tests.size());
    return 0;
}

int rules(const config::Settings& settings, const RulesCommand& command) {
    if (command.verb == "approve" && (!settings.web.demonstration_accounts || settings.instance.production())) {
        return refused(
            {Fault::refused, "rules",
             "only demonstration accounts approve by this command; biologists approve by the console's API"});
    }
    return with_database(settings, [&command](Database& database, const SystemClock& clock) -> asio::awaitable<int> {
        const Instant now = clock.now();
        if (command.verb == "import") co_return co_await import_rules(database, now, command.file);
        if (command.verb == "approve") co_return co_await approve(database, now, command);
        if (command.verb == "simulate") co_return co_await simulate(database, now, command);
        co_return co_await list(database, command.json);
    });
}

}  // namespace sgl::daemon
