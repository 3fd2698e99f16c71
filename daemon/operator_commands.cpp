#include "daemon/operator_commands.hpp"

#include <fmt/format.h>

#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>

#include "cda/checker.hpp"
#include "config/identity_profiles.hpp"
#include "config/import.hpp"
#include "daemon/command.hpp"
#include "lib/base/log.hpp"
#include "lib/base/time.hpp"
#include "lib/compose/pdf.hpp"
#include "lib/flow/line.hpp"
#include "lib/store/accounts.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/identities.hpp"
#include "lib/store/laboratory.hpp"

namespace sgl::daemon {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
namespace fs = std::filesystem;

constexpr pg::Query read_instance{"cli.instance", "select instance_uuid, label, environment, created_at from instance"};
constexpr pg::Query count_letters{
    "cli.count_letters", "select channel, state, count(*) from letter group by channel, state order by channel, state"};
constexpr pg::Query count_links{"cli.count_links", R"sql(
    select l.name, c.name, c.count from link_counter c join link l on l.id = c.link_id order by 1, 2)sql"};
constexpr pg::Query count_work{
    "cli.count_work", "select kind, count(*) from work_item where done_at is null group by kind order by kind"};
constexpr pg::Query count_orders{"cli.count_orders",
                                 "select state, count(*) from lab_order group by state order by state"};
constexpr pg::Query find_order{"cli.find_order",
                               "select o.id, o.row_version + p.row_version - 1 from lab_order o join "
                               "patient p on p.id = o.patient_id where o.number = $1"};
constexpr pg::Query list_letters{"cli.list_letters", R"sql(
    select l.id, l.channel, l.state, l.reason, l.attempts, l.created_at, l.next_attempt_at, l.accepted_at, l.partner_reference,
           l.possible_duplicate, l.error_where, l.error_what, o.number, v.version, v.document_oid
    from letter l join report_version v on v.id = l.version_id join report_set s on s.id = v.set_id join lab_order o on o.id = s.order_id
    where ($1 = '' or l.state = $1) order by l.created_at, l.channel limit 5000)sql"};
constexpr pg::Query letter_history{"cli.letter_history", R"sql(
    select at, actor, from_state, to_state, reason, attempt, detail from letter_event where letter_id = $1 order by id)sql"};
constexpr pg::Query published{"cli.published", R"sql(
    select v.id, o.number, v.version, v.site_id from report_version v join report_set s on s.id = v.set_id join lab_order o on o.id = s.order_id
    where v.state = 'published' order by v.published_at)sql"};

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("can't read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

json::value figures_json(const std::vector<store::AccountFigures>& figures, const domain::Laboratory& laboratory) {
    json::array lines;
    for (const auto& f : figures) {
        const auto* site = laboratory.site(f.site);
        json::object channels;
        for (const auto& c : f.channels) {
            channels[to_string(c.channel)] = json::object{{"letters", c.letters},
                                                          {"sent", c.sent},
                                                          {"accepted", c.accepted},
                                                          {"pending", c.pending},
                                                          {"failed", c.failed}};
        }
        json::array reasons;
        for (const auto& r : f.reasons) {
            reasons.push_back(json::object{{"channel", to_string(r.channel)},
                                           {"state", to_string(r.state)},
                                           {"reason", to_string(r.reason)},
                                           {"letters", r.letters}});
        }
        lines.push_back(json::object{{"site", site == nullptr ? "" : site->finess.text()},
                                     {"month", fmt::format("{:04}-{:02}", static_cast<int>(f.month.year()),
                                                           static_cast<unsigned>(f.month.month()))},
                                     {"reports", f.reports},
                                     {"with_qualified_ins", f.with_qualified_ins},
                                     {"channels", std::move(channels)},
                                     {"reasons", std::move(reasons)}});
    }
    return lines;
}

asio::awaitable<json::object> account_json(Database& database, const domain::Laboratory& laboratory,
                                           store::AccountSource source) {
    const std::vector<store::AccountFigures> figures =
        co_await store::account(database.app(), sites_of(laboratory), source);
    const pg::Rows rows = co_await database.app().query(read_instance);
    json::object account{{"instance", to_string(rows[0].uuid(0))},
                         {"environment", rows[0].text(2)},
                         {"sites", figures_json(figures, laboratory)}};
    co_return account;
}

}  // namespace

int migrate(const config::Settings& settings) {
    return with_database(settings, [](Database& database, const SystemClock&) -> asio::awaitable<int> {
        std::cout << fmt::format("schema {} -> {}\n", database.schema().from, database.schema().to);
        co_return 0;
    });
}

int import_files(const config::Settings& settings, const std::vector<InputFile>& files) {
    // All files are read and checked before the first is applied.
    std::vector<store::ImportFile> imports;
    std::vector<std::pair<std::string, bool>> profiles;
    for (const auto& [name, bytes] : files) {
        auto parsed = config::parse_import(bytes);
        if (!parsed) return refused({parsed.error().fault, name + ", " + parsed.error().where, parsed.error().what});
        imports.push_back({name, std::move(*parsed)});
        const auto said = config::identity_profiles(bytes);
        if (!said) return refused({said.error().fault, name + ", " + said.error().where, said.error().what});
        profiles.insert(profiles.end(), said->begin(), said->end());
    }
    const auto order = [](const auto& entry) { return static_cast<int>(entry.import.kind); };
    std::ranges::stable_sort(imports, {}, order);  // the laboratory first: the rest refers to it
    return with_database(
        settings, [&imports, &profiles](Database& database, const SystemClock& clock) -> asio::awaitable<int> {
            std::vector<std::string> titles;
            for (const auto& [file, import] : imports)
                titles.push_back(fmt::format("{}: {}", file, to_string(import.kind)));
            const Result<std::vector<store::Applied>> applied =
                co_await store::apply(database.app(), std::move(imports), operator_name(), clock.now());
            if (!applied) co_return refused(applied.error());
            for (std::size_t i = 0; i < titles.size(); ++i) {
                const store::Applied& one = (*applied)[i];
                std::cout << fmt::format("{}: {} added, {} changed, {} retired\n", titles[i], one.added, one.changed,
                                         one.retired);
            }
            store::Inbox inbox(database.app());
            store::Identities identities(database.app(), inbox);
            if (!profiles.empty()) co_await identities.set_slaves(std::move(profiles), operator_name(), clock.now());
            co_return 0;
        });
}

int status(const config::Settings& settings, bool as_json) {
    return with_database(settings, [as_json](Database& database, const SystemClock&) -> asio::awaitable<int> {
        const domain::LaboratoryPtr laboratory = co_await store::load(database.app());
        const pg::Rows instance = co_await database.app().query(read_instance);
        pg::Transaction transaction = co_await database.app().begin(sites_of(*laboratory));
        const pg::Rows orders = co_await transaction.query(count_orders);
        const pg::Rows letters = co_await transaction.query(count_letters);
        const pg::Rows work = co_await transaction.query(count_work);
        const pg::Rows links = co_await transaction.query(count_links);
        co_await transaction.rollback();
        json::object out{{"version", SGL_VERSION},
                         {"instance", to_string(instance[0].uuid(0))},
                         {"label", instance[0].text(1)},
                         {"environment", instance[0].text(2)},
                         {"schema", database.schema().to},
                         {"legal_entities", laboratory->legal_entities().size()},
                         {"sites", laboratory->sites().size()}};
        json::object order_counts;
        for (const auto row : orders)
            order_counts[row.text(0)] = row.int64(1);
        json::object letter_counts;
        for (const auto row : letters) {
            if (!letter_counts.contains(row.text(0))) letter_counts[row.text(0)] = json::object();
            letter_counts[row.text(0)].as_object()[row.text(1)] = row.int64(2);
        }
        json::object work_counts;
        for (const auto row : work)
            work_counts[row.text(0)] = row.int64(1);
        out["orders"] = order_counts;
        out["letters"] = letter_counts;
        out["work_to_do"] = work_counts;
        json::object ignored;
        store::Inbox inbox(database.app());
        store::Identities identities(database.app(), inbox);
        const std::vector<std::pair<std::string, std::int64_t>> events =
            co_await identities.ignored(sites_of(*laboratory));
        for (const auto& [event, count] : events)
            ignored[event] = count;
        out["ignored_events"] = ignored;
        json::object link_counts;
        for (const auto row : links) {
            if (!link_counts.contains(row.text(0))) link_counts[row.text(0)] = json::object();
            link_counts[row.text(0)].as_object()[row.text(1)] = row.int64(2);
        }
        out["links"] = link_counts;
        if (as_json) {
            std::cout << json::serialize(out) << '\n';
            co_return 0;
        }
        std::cout << fmt::format("sgld {}  instance {} ({}, {})  schema {}\n", SGL_VERSION,
                                 to_string(instance[0].uuid(0)), instance[0].string(1), instance[0].string(2),
                                 database.schema().to);
        std::cout << fmt::format("{} legal entities, {} sites\n", laboratory->legal_entities().size(),
                                 laboratory->sites().size());
        for (const auto& [state, count] : order_counts)
            std::cout << fmt::format("orders  {:<18}{:>8}\n", std::string_view(state), count.as_int64());
        for (const auto row : letters)
            std::cout << fmt::format("letters {:<14}{:<16}{:>6}\n", row.text(0), row.text(1), row.int64(2));
        for (const auto& [kind, count] : work_counts)
            std::cout << fmt::format("to do   {:<18}{:>8}\n", std::string_view(kind), count.as_int64());
        for (const auto& [event, count] : ignored)
            std::cout << fmt::format("ignored {:<18}{:>8}\n", std::string_view(event), count.as_int64());
        for (const auto row : links)
            std::cout << fmt::format("link    {:<24}{:<24}{:>8}\n", row.text(0), row.text(1), row.int64(2));
        co_return 0;
    });
}

int validate(const config::Settings& settings, const SigningCommand& wanted) {
    if (!settings.web.demonstration_accounts || settings.instance.production()) {
        return refused({Fault::refused, "validate",
                        "only demonstration accounts validate by this command; biologists sign in the console"});
    }
    return with_database(settings, [&](Database& database, const SystemClock& clock) -> asio::awaitable<int> {
        flow::LiveLaboratory live;
        live.replace(co_await store::load(database.app()));
        const domain::LaboratoryPtr laboratory = live.current();
        const domain::User* user = laboratory->user(wanted.login);
        if (user == nullptr || user->password.empty())
            co_return refused({Fault::refused, "login", "no demonstration account of that name"});
        store::Inbox inbox(database.app());
        store::Orders orders(database.app(), inbox);
        store::Reports reports(database.app());
        const cda::Checker checker;
        auto pdf = compose::PdfRenderer::open(settings.cda.fonts, read_file(settings.cda.icc_profile));
        if (!pdf) co_return refused(pdf.error());
        asio::thread_pool workers{1};
        flow::Line::Parts parts{database.app(), orders, reports, live,  clock,
                                checker,        *pdf,   workers, "cli", settings.instance.production()};
        flow::Line line(parts);
        flow::Actor actor{"user:" + wanted.login, user->id, {}};
        for (const auto site : user->sites(domain::Role::biologist))
            actor.sites.push_back(site.value());
        pg::Transaction transaction = co_await database.app().begin(actor.sites);
        const pg::Rows found = co_await transaction.query(find_order, pg::params(wanted.order));
        co_await transaction.rollback();
        if (found.empty()) co_return refused({Fault::missing, "order", "no such order on the sites of this account"});
        const domain::OrderId order{found[0].uuid(0)};
        if (wanted.withdraw) {
            flow::WithdrawalCommand command{order, found[0].int32(1), wanted.reason};
            const Result<std::size_t> letters = co_await line.withdraw(actor, std::move(command));
            if (!letters) co_return refused(letters.error());
            std::cout << fmt::format("report of order {} withdrawn: {} recipients will hear of it\n", wanted.order,
                                     *letters);
            co_return 0;
        }
        const Result<flow::Preview> preview = co_await line.preview(actor, order);
        if (!preview) co_return refused(preview.error());
        flow::ValidationCommand command{order, found[0].int32(1), {}, wanted.comment, wanted.reason, wanted.partial};
        for (const auto& shown : preview->draft.lines)
            command.seen.push_back(shown.result);
        const Result<flow::Validated> done = co_await line.validate(actor, std::move(command));
        if (!done) co_return refused(done.error());
        std::cout << fmt::format("order {} validated: report {} version {}\n", wanted.order,
                                 to_string(done->version.value()), done->number);
        co_return 0;
    });
}

int letters(const config::Settings& settings, const LetterCommand& command) {
    return with_database(settings, [&](Database& database, const SystemClock& clock) -> asio::awaitable<int> {
        const domain::LaboratoryPtr laboratory = co_await store::load(database.app());
        const std::vector<std::int32_t> sites = sites_of(*laboratory);
        if (command.verb == "list") {
            pg::Transaction transaction = co_await database.app().begin(sites);
            const pg::Rows rows = co_await transaction.query(list_letters, pg::params(command.state));
            co_await transaction.rollback();
            json::array out;
            for (const auto row : rows) {
                // Neither recipient nor patient: this output is copied into tickets (SEC-70).
                if (command.json) {
                    out.push_back(json::object{{"id", to_string(row.uuid(0))},
                                               {"channel", row.text(1)},
                                               {"state", row.text(2)},
                                               {"reason", row.text(3)},
                                               {"attempts", row.int32(4)},
                                               {"created_at", to_iso8601(row.instant(5))},
                                               {"next_attempt_at", to_iso8601(row.instant(6))},
                                               {"accepted_at", row.is_null(7) ? "" : to_iso8601(row.instant(7))},
                                               {"partner_reference", row.text(8)},
                                               {"possible_duplicate", row.boolean(9)},
                                               {"error_where", row.text(10)},
                                               {"error", row.text(11)},
                                               {"order", row.text(12)},
                                               {"version", row.int32(13)},
                                               {"document", row.text(14)}});
                } else {
                    std::cout << fmt::format("{}  {:<13} {:<15} {:<28} order {} v{}  attempts {}{}\n",
                                             to_string(row.uuid(0)), row.text(1), row.text(2), row.text(3),
                                             row.text(12), row.int32(13), row.int32(4),
                                             row.text(11).empty() ? "" : "  " + row.string(10) + ": " + row.string(11));
                }
            }
            if (command.json) std::cout << json::serialize(out) << '\n';
            co_return 0;
        }
        const Result<Uuid> id = Uuid::parse(command.id);
        if (!id) co_return refused({Fault::malformed, "letter", "an identifier as `letters list` prints is needed"});
        if (command.verb == "show") {
            pg::Transaction transaction = co_await database.app().begin(sites);
            const pg::Rows rows = co_await transaction.query(letter_history, pg::params(*id));
            co_await transaction.rollback();
            if (rows.empty()) co_return refused({Fault::missing, "letter", "no such letter"});
            for (const auto row : rows) {
                std::cout << fmt::format("{}  {:<24} {:<10} -> {:<15} {:<22} attempt {}  {}\n",
                                         to_iso8601(row.instant(0)), row.text(1), row.text(2), row.text(3), row.text(4),
                                         row.int32(5), row.text(6));
            }
            co_return 0;
        }
        domain::LetterEvent event = domain::letter_event::Retried();
        if (command.verb == "hold") event = domain::letter_event::Held();
        if (command.verb == "abandon") event = domain::letter_event::Abandoned();
        const domain::RetryPolicy policy;
        store::Outbox outbox(database.app(), "cli");
        const Result<void> done = co_await outbox.act(sites, domain::LetterId{*id}, event, command.verb,
                                                      operator_name(), command.why, policy, clock.now());
        if (!done) co_return refused(done.error());
        std::cout << "done\n";
        co_return 0;
    });
}

int identity(const config::Settings& settings, const IdentityCommand& command) {
    return with_database(settings, [&](Database& database, const SystemClock& clock) -> asio::awaitable<int> {
        const domain::LaboratoryPtr laboratory = co_await store::load(database.app());
        const std::vector<std::int32_t> sites = sites_of(*laboratory);
        store::Inbox inbox(database.app());
        store::Identities identities(database.app(), inbox);
        if (command.verb == "documents") {
            std::optional<std::int64_t> change;
            if (command.change != 0) change = command.change;
            const std::vector<store::MisdirectedDocument> found = co_await identities.documents(sites, change);
            json::array out;
            for (const auto& d : found) {
                const auto* site = laboratory->site(d.site);
                if (command.json) {
                    out.push_back(json::object{{"change", d.change},
                                               {"kind", d.kind},
                                               {"letter", to_string(d.letter.value())},
                                               {"channel", to_string(d.channel)},
                                               {"state", to_string(d.state)},
                                               {"certain", d.certain},
                                               {"withdrawn", d.withdrawn},
                                               {"order", d.order_number},
                                               {"version", d.version},
                                               {"document", d.document_oid},
                                               {"validated_at", to_iso8601(d.validated_at)},
                                               {"site", site == nullptr ? "" : site->finess.text()}});
                } else {
                    std::cout << fmt::format("change {}  {:<11}  letter {}  {:<13} {:<10} order {} v{}  {}{}\n",
                                             d.change, d.kind, to_string(d.letter.value()), to_string(d.channel),
                                             to_string(d.state), d.order_number, d.version,
                                             d.certain ? "sent" : "may have arrived", d.withdrawn ? ", withdrawn" : "");
                }
            }
            if (command.json) std::cout << json::serialize(out) << '\n';
            co_return 0;
        }
        if (command.verb == "changes") {
            const std::vector<store::IdentityChangeLine> found = co_await identities.changes(sites);
            json::array out;
            for (const auto& c : found) {
                if (command.json) {
                    out.push_back(json::object{{"id", c.id},
                                               {"kind", c.kind},
                                               {"at", to_iso8601(c.at)},
                                               {"actor", c.actor},
                                               {"patient", to_string(c.patient.value())},
                                               {"wrong_patient", to_string(c.wrong_patient.value())},
                                               {"documents", c.documents},
                                               {"undone", c.undone},
                                               {"closed", c.closed}});
                } else {
                    std::cout << fmt::format("{:>6}  {}  {:<11}  {}  instead of {}  {} documents  {}{}{}\n", c.id,
                                             to_iso8601(c.at), c.kind, to_string(c.patient.value()),
                                             to_string(c.wrong_patient.value()), c.documents, c.actor,
                                             c.undone ? ", undone" : "", c.closed ? ", closed" : "");
                }
            }
            if (command.json) std::cout << json::serialize(out) << '\n';
            co_return 0;
        }
        store::IdentityDeed deed{sites, operator_name(), command.why, clock.now()};
        if (command.verb == "status") {
            const Result<Uuid> id = Uuid::parse(command.patient);
            const auto status = domain::identity_status_of(command.status);
            if (!id)
                co_return refused(
                    {Fault::malformed, "patient", "an identifier as `identity changes` prints is needed"});
            if (!status) co_return refused({Fault::malformed, "status", "a status is PROV, RECUP, VALI or QUAL"});
            const Result<void> given =
                co_await identities.give_status(std::move(deed), domain::PatientId(*id), *status);
            if (!given) co_return refused(given.error());
        } else if (command.verb == "split") {
            const Result<void> done = co_await identities.split(std::move(deed), command.change);
            if (!done) co_return refused(done.error());
        } else {
            const Result<void> done = co_await identities.close(std::move(deed), command.change);
            if (!done) co_return refused(done.error());
        }
        std::cout << "done\n";
        co_return 0;
    });
}

int account(const config::Settings& settings, bool as_json, bool recount) {
    return with_database(settings, [=](Database& database, const SystemClock&) -> asio::awaitable<int> {
        const domain::LaboratoryPtr laboratory = co_await store::load(database.app());
        const std::vector<std::int32_t> sites = sites_of(*laboratory);
        const std::vector<store::AccountFigures> figures =
            co_await store::account(database.app(), sites, store::AccountSource::rows);
        if (as_json) {
            const json::object out = co_await account_json(database, *laboratory, store::AccountSource::rows);
            std::cout << json::serialize(out) << '\n';
        } else {
            for (const auto& f : figures) {
                const auto* site = laboratory->site(f.site);
                std::cout << fmt::format("{:04}-{:02}  {}  {} reports, {} with qualified INS\n",
                                         static_cast<int>(f.month.year()), static_cast<unsigned>(f.month.month()),
                                         site == nullptr ? "?" : site->finess.text(), f.reports, f.with_qualified_ins);
                for (const auto& c : f.channels) {
                    std::cout << fmt::format(
                        "    {:<13} {:>6} letters {:>6} sent {:>6} accepted {:>6} pending {:>6} failed\n",
                        to_string(c.channel), c.letters, c.sent, c.accepted, c.pending, c.failed);
                }
                for (const auto& r : f.reasons) {
                    std::cout << fmt::format("    {:<13} {:<15} {:<28} {:>6}\n", to_string(r.channel),
                                             to_string(r.state), to_string(r.reason), r.letters);
                }
            }
        }
        if (!recount) co_return 0;
        const std::vector<store::AccountFigures> replayed =
            co_await store::account(database.app(), sites, store::AccountSource::events);
        if (replayed == figures) {
            std::cerr << "recounted from the events: equal\n";
            co_return 0;
        }
        co_return refused({Fault::conflict, "account", "the figures recounted from the events differ"});
    });
}

int export_documents(const config::Settings& settings, const std::string& folder) {
    return with_database(settings, [&](Database& database, const SystemClock&) -> asio::awaitable<int> {
        const domain::LaboratoryPtr laboratory = co_await store::load(database.app());
        const std::vector<std::int32_t> sites = sites_of(*laboratory);
        store::Reports reports(database.app());
        pg::Transaction transaction = co_await database.app().begin(sites);
        const pg::Rows rows = co_await transaction.query(published);
        co_await transaction.rollback();
        fs::create_directories(fs::path(folder) / "cda");
        fs::create_directories(fs::path(folder) / "pdf");
        for (const auto row : rows) {
            const Result<store::StoredDocuments> documents =
                co_await reports.documents(sites, domain::ReportVersionId{row.uuid(0)});
            if (!documents) co_return refused(documents.error());
            std::string name;
            for (const char c : row.text(1))
                name += (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-') ? c : '_';
            name += fmt::format("-v{}", row.int32(2));
            std::ofstream(fs::path(folder) / "cda" / (name + ".xml"), std::ios::binary) << documents->n3;
            std::ofstream(fs::path(folder) / "pdf" / (name + ".pdf"), std::ios::binary) << documents->pdf;
        }
        const json::object out = co_await account_json(database, *laboratory, store::AccountSource::rows);
        std::ofstream(fs::path(folder) / "account.json") << json::serialize(out) << '\n';
        std::cout << fmt::format("{} reports written\n", rows.size());
        co_return 0;
    });
}

int audit(const config::Settings& settings) {
    return with_database(settings, [](Database& database, const SystemClock&) -> asio::awaitable<int> {
        const store::ChainReport report = co_await store::verify(database.audit());
        if (report.broken_at)
            co_return refused({Fault::conflict, "audit", fmt::format("the chain is broken at {}", *report.broken_at)});
        std::cout << fmt::format("audit chain whole: {} events, {} not sealed yet\n", report.sealed, report.unsealed);
        co_return 0;
    });
}

}  // namespace sgl::daemon
