#include "lib/store/console.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/console_queries.hpp"
#include "lib/store/console_rows.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace q = console_queries;
using namespace console_rows;

namespace {

constexpr std::size_t list_limit = 200;

std::string_view view(const Sha256& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

domain::LetterState letter_state(std::string_view text) {
    const auto state = domain::letter_state_of(text);
    if (!state) throw std::runtime_error("a stored state of a letter can't be read");
    return *state;
}

domain::Channel channel(std::string_view text) {
    const auto found = domain::channel_of(text);
    if (!found) throw std::runtime_error("a stored channel can't be read");
    return *found;
}

LetterLine letter_of(const pg::Row& row) {
    LetterLine line;
    line.id = domain::LetterId{row.uuid(0)};
    line.version = domain::ReportVersionId{row.uuid(1)};
    line.site = domain::SiteId{row.int32(2)};
    line.order_number = row.string(3);
    line.order = domain::OrderId{row.uuid(4)};
    line.channel = channel(row.text(5));
    line.act = domain::act_of(row.text(6)).value_or(domain::Act::deliver);
    line.recipient_name = row.string(7);
    line.state = letter_state(row.text(8));
    line.reason = domain::reason_of(row.text(9)).value_or(domain::Reason::none);
    line.attempts = row.int32(10);
    line.created_at = row.instant(11);
    line.next_attempt_at = row.instant(12);
    line.accepted_at = row.optional_instant(13);
    line.partner_reference = row.string(14);
    line.possible_duplicate = row.boolean(15);
    line.error_where = row.string(16);
    line.error_what = row.string(17);
    return line;
}

/// One row of q::worklist_results; its flag by the catalogue of the site, for this patient.
domain::Flag flag_of(const pg::Row& row, const domain::Analyte& analyte, const WorklistRow& order,
                     const Timestamp& at) {
    if (row.text(4) == "n") return domain::Flag::none;
    const boost::json::value stored{{"kind", row.text(4)},
                                    {"comparator", row.text(5)},
                                    {"value", row.text(6)},
                                    {"system", row.text(7)},
                                    {"unit", row.text(8)}};
    const auto value = codec::value(stored);
    if (const auto* const quantity = std::get_if<domain::Quantity>(&value)) {
        const auto& traits = order.patient.traits.reveal();
        const auto range = domain::choose_range(analyte, traits.sex, domain::age_in_days(traits.birth_date, at));
        return domain::interpret(*quantity, range, analyte.critical);
    }
    if (const auto* const coded = std::get_if<domain::Coded>(&value)) {
        for (const auto& answer : analyte.answers) {
            if (answer.coded.code == coded->code && answer.coded.display == coded->display) return answer.flag;
        }
    }
    return domain::Flag::none;
}

ChapterCount& chapter_of(WorklistRow& order, const std::string& label) {
    const auto found = std::ranges::find(order.chapters, label, &ChapterCount::label);
    if (found != order.chapters.end()) return *found;
    order.chapters.push_back({label, 0, 0, 0, 0});
    return order.chapters.back();
}

void count(ChapterCount& chapter, std::string_view state, domain::Flag flag) {
    ++chapter.results;
    if (state == "bio_validated") ++chapter.validated;
    switch (flag) {
        case domain::Flag::critical_low:
        case domain::Flag::critical_high:
            ++chapter.critical;
            break;
        case domain::Flag::low:
        case domain::Flag::high:
        case domain::Flag::abnormal:
            ++chapter.abnormal;
            break;
        case domain::Flag::none:
        case domain::Flag::normal:
            break;
    }
}

}  // namespace

// ── Sign-in ──

asio::awaitable<std::optional<LocalAccount>> Console::local_account(std::string login) {
    const pg::Rows rows = co_await pool_.query(q::local_account, pg::params(login));
    std::optional<LocalAccount> account;
    if (!rows.empty()) {
        account.emplace();
        account->id = domain::UserId{rows[0].int32(0)};
        account->password = rows[0].string(1);
    }
    co_return account;
}

asio::awaitable<void> Console::open_session(Sha256 token_hash, domain::UserId user, std::string csrf_token) {
    const pg::Bytes hash{view(token_hash)};
    co_await pool_.query(q::open_session, pg::params(hash, user, csrf_token, clock_.now()));
}

asio::awaitable<std::optional<WebSession>> Console::session(Sha256 token_hash, SessionLimits limits, bool touch) {
    const auto now = clock_.now();
    const pg::Bytes hash{view(token_hash)};
    const pg::Rows rows =
        co_await pool_.query(q::session, pg::params(hash, now - limits.idle, now - limits.absolute, now));
    std::optional<WebSession> found;
    if (rows.empty()) co_return found;
    found.emplace();
    const auto first = rows[0];
    found->token_hash = token_hash;
    found->csrf_token = first.string(0);
    found->created_at = first.instant(1);
    found->authenticated_at = first.instant(2);
    const auto last_seen = first.instant(3);
    auto& user = found->user;
    user.id = domain::UserId{first.int32(4)};
    user.login = first.string(5);
    const auto definition = codec::parse(first.text(6));
    user.name = person_name(definition);
    if (user.name.empty()) user.name = codec::member(definition, "name");
    if (user.name.empty()) user.name = user.login;
    if (const auto rpps = domain::Rpps::parse(codec::member(definition, "rpps"))) user.rpps = *rpps;
    for (const auto row : rows) {
        if (row.is_null(7)) continue;  // a user without any role
        const auto role = role_of(row.text(7));
        if (!role) continue;
        SiteRole held;
        held.role = *role;
        held.site.id = domain::SiteId{row.int32(8)};
        held.site.entity = domain::LegalEntityId{row.int32(9)};
        held.site.finess = row.string(10);
        const auto site = codec::parse(row.text(11));
        held.site.name = codec::member(site, "name");
        if (const auto zone = TimeZone::find(codec::member(site, "time_zone"))) held.site.zone = *zone;
        user.roles.push_back(std::move(held));
    }
    // Not at every request: half a minute of precision is enough for fifteen.
    if (touch && now - last_seen > std::chrono::seconds{30})
        co_await pool_.query(q::touch_session, pg::params(hash, now));
    co_return found;
}

asio::awaitable<std::optional<domain::UserId>> Console::session_owner(Sha256 token_hash) {
    const pg::Bytes hash{view(token_hash)};
    const pg::Rows rows = co_await pool_.query(q::session_owner, pg::params(hash));
    std::optional<domain::UserId> owner;
    if (!rows.empty()) owner = domain::UserId{rows[0].int32(0)};
    co_return owner;
}

asio::awaitable<void> Console::end_session(Sha256 token_hash) {
    const pg::Bytes hash{view(token_hash)};
    co_await pool_.query(q::end_session, pg::params(hash, clock_.now()));
}

asio::awaitable<void> Console::audit_sign_in(std::string login, bool accepted, std::string address) {
    AuditEvent event;
    event.actor = "user:" + login;
    event.action = accepted ? "sign_in" : "sign_in_refused";
    event.object = "console";
    event.payload = codec::text({{"address", address}});
    std::vector<AuditEvent> events;
    events.push_back(std::move(event));
    const pg::Step step = audit(events, clock_.now());
    co_await pool_.query(step.query, step.params);
}

// ── Worklist ──

asio::awaitable<Worklist> Console::worklist(Sites sites, WorklistFilter filter, std::optional<std::vector<Uuid>> only) {
    Worklist list;
    if (sites.empty()) co_return list;
    const auto now = clock_.now();
    const auto scope = scope_of(sites);
    const auto recent = now - std::chrono::hours{24};
    pg::Transaction transaction = co_await pool_.begin(scope);
    const auto& pick = filter == WorklistFilter::to_validate ? q::worklist_to_validate
                       : filter == WorklistFilter::waiting   ? q::worklist_waiting
                       : filter == WorklistFilter::reported  ? q::worklist_reported
                                                             : q::worklist_all;
    std::vector<pg::Step> steps;
    if (only)
        steps.push_back(pg::Step{q::worklist_chosen, pg::params(scope, *only, static_cast<int>(list_limit) + 1)});
    else
        steps.push_back(pg::Step{pick, pg::params(scope, recent, static_cast<int>(list_limit) + 1)});
    steps.push_back(pg::Step{q::worklist_counts, pg::params(scope, recent)});
    const std::vector<pg::Rows> first = co_await transaction.pipeline(std::move(steps));
    list.cut = first[0].size() > list_limit;
    std::map<Uuid, std::size_t> index;
    std::vector<std::vector<domain::RequestedExam>> exams;
    std::vector<Uuid> ids;
    for (std::size_t i = 0; i < std::min(first[0].size(), list_limit); ++i) {
        const auto row = first[0][i];
        WorklistRow line;
        line.id = domain::OrderId{row.uuid(0)};
        line.site = domain::SiteId{row.int32(1)};
        line.number = row.string(2);
        line.urgent = row.boolean(3);
        line.state = order_state(row.text(4));
        line.registered_at = row.instant(5);
        line.last_event_at = row.instant(6);
        line.prescriber = person_name(codec::parse(row.text(7)));
        line.patient = rows::patient(row, 8);
        exams.push_back(rows::exams(row.text(24)));
        index.emplace(row.uuid(0), list.rows.size());
        ids.push_back(row.uuid(0));
        list.rows.push_back(std::move(line));
    }
    const auto counts = first[1][0];
    list.counts.to_validate = static_cast<unsigned>(counts.int64(0));
    list.counts.waiting = static_cast<unsigned>(counts.int64(1));
    list.counts.reported = static_cast<unsigned>(counts.int64(2));
    list.counts.urgent = static_cast<unsigned>(counts.int64(3));
    if (ids.empty()) {
        co_await transaction.commit();
        co_return list;
    }
    std::vector<pg::Step> more;
    more.push_back(pg::Step{q::worklist_results, pg::params(ids, scope)});
    more.push_back(pg::Step{q::collected, pg::params(ids, scope)});
    more.push_back(pg::Step{q::worklist_letters, pg::params(ids, scope)});
    more.push_back(pg::Step{q::worklist_verdicts, pg::params(ids, scope)});
    const std::vector<pg::Rows> rows = co_await transaction.commit_with(std::move(more));
    std::vector<Timestamp> ages(list.rows.size());
    for (std::size_t i = 0; i < list.rows.size(); ++i)
        ages[i] = TimeZone::paris().to_local(list.rows[i].registered_at);
    for (const auto row : rows[1]) {
        const auto at = rows::timestamp(row.text(1));
        if (!at) continue;
        ages[index.at(row.uuid(0))] = *at;
        list.rows[index.at(row.uuid(0))].collected_at = *at;
    }
    for (const auto row : rows[3]) {
        list.rows[index.at(row.uuid(0))].verdicts =
            domain::VerdictCounts{static_cast<unsigned>(row.int32(1)), static_cast<unsigned>(row.int32(2)),
                                  static_cast<unsigned>(row.int32(3))};
    }
    std::vector<std::set<std::string>> have(list.rows.size());  // local codes with a result
    for (const auto row : rows[0]) {
        const auto at = index.at(row.uuid(0));
        auto& line = list.rows[at];
        const auto state = row.text(1);
        if (state == "late") ++line.late_results;
        const auto catalogue = catalogue_ ? catalogue_(line.site) : nullptr;
        const domain::Analyte* analyte = nullptr;
        if (catalogue && !row.is_null(2)) analyte = catalogue->by_id(domain::AnalyteId{row.int32(2)});
        if (catalogue && analyte == nullptr) analyte = catalogue->by_code(row.text(3));
        if (analyte == nullptr) {
            ++line.unknown_codes;
            continue;
        }
        have[at].insert(analyte->local_code);
        if (state == "quarantined") continue;
        count(chapter_of(line, analyte->chapter_label), state, flag_of(row, *analyte, line, ages[at]));
    }
    for (std::size_t i = 0; i < list.rows.size(); ++i) {
        const auto catalogue = catalogue_ ? catalogue_(list.rows[i].site) : nullptr;
        for (const auto& exam : exams[i]) {
            if (exam.state != domain::ExamState::requested) continue;
            const auto members = catalogue ? catalogue->ordered(exam.code) : std::vector<const domain::Analyte*>();
            const bool there = std::ranges::any_of(
                members, [&](const domain::Analyte* member) { return have[i].contains(member->local_code); });
            if (!there) list.rows[i].pending_exams.push_back(exam.label.empty() ? exam.code : exam.label);
        }
    }
    for (const auto row : rows[2]) {
        auto& line = list.rows[index.at(row.uuid(0))];
        line.report = domain::ReportVersionId{row.uuid(1)};
        if (row.is_null(2)) continue;
        line.letters.push_back({channel(row.text(2)), letter_state(row.text(3)),
                                domain::reason_of(row.text(4)).value_or(domain::Reason::none)});
    }
    co_return list;
}

// ── One order, one report ──

asio::awaitable<Result<OrderView>> Console::order(User reader, Sites sites, domain::OrderId id) {
    const auto scope = scope_of(sites);
    pg::Transaction transaction = co_await pool_.begin(scope);
    std::vector<pg::Step> steps;
    for (const auto& query : {q::order, q::order_specimens, q::order_results, q::order_reports, q::order_prior}) {
        steps.push_back(pg::Step{query, pg::params(id, scope)});
    }
    const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(steps));
    if (rows[0].empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "order", "no such order on your sites"};
    }
    const auto row = rows[0][0];
    OrderView view;
    view.id = domain::OrderId{row.uuid(0)};
    view.site = domain::SiteId{row.int32(1)};
    view.row_version = row.int32(2);
    view.number = row.string(3);
    view.placer_group = row.string(4);
    view.state = order_state(row.text(5));
    view.urgent = row.boolean(6);
    view.prescriber = person_name(codec::parse(row.text(7)));
    const auto copies = codec::parse(row.text(8));
    for (const auto& person : copies.as_array())
        view.copies.push_back(person_name(person));
    view.collector = person_name(codec::parse(row.text(9)));
    view.exams = rows::exams(row.text(10));
    view.prescribed_at = rows::timestamp(row.text(11));
    view.registered_at = row.instant(12);
    view.stay_number = row.string(13);
    view.clinical_context = row.string(14);
    const domain::LegalEntityId entity{row.int32(15)};
    view.patient = rows::patient(row, 16);
    view.specimens = rows::specimens(rows[1]);
    for (const auto r : rows[2]) {
        KeptResult result;
        result.id = domain::ResultId{r.int64(0)};
        result.code = r.string(1);
        result.known = r.boolean(2);
        result.value = r.string(3);
        result.unit = r.string(4);
        result.received_flags = r.string(5);
        result.note = r.string(6);
        result.status = r.string(7);
        result.state = r.string(8);
        result.specimen_number = r.string(9);
        result.received_at = r.instant(10);
        result.settled_by = r.string(11);
        result.settled_why = r.string(12);
        result.settled_at = r.optional_instant(13);
        (result.state == "set_aside" ? view.set_aside : view.results).push_back(std::move(result));
    }
    for (const auto line : rows[3])
        view.reports.push_back(report_line(line, 0));
    for (const auto prior : rows[4])
        view.prior.push_back(codec::prior_result(codec::parse(prior.text(0))));
    std::vector<pg::Step> seal;
    seal.push_back(read_by(reader, entity, view.site, "read_order", "order:" + to_string(view.id.value()),
                           view.patient.id.value(), clock_.now()));
    co_await transaction.commit_with(std::move(seal));
    co_return view;
}

asio::awaitable<Result<ReportView>> Console::report(User reader, Sites sites, domain::ReportVersionId id) {
    const auto scope = scope_of(sites);
    pg::Transaction transaction = co_await pool_.begin(scope);
    std::vector<pg::Step> steps;
    for (const auto& query :
         {q::report, q::report_versions, q::report_documents, q::report_letters, q::report_events}) {
        steps.push_back(pg::Step{query, pg::params(id, scope)});
    }
    const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(steps));
    if (rows[0].empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "report", "no such report on your sites"};
    }
    const auto row = rows[0][0];
    ReportView view;
    view.line = report_line(row, 0);
    view.order = domain::OrderId{row.uuid(8)};
    view.order_number = row.string(9);
    view.site = domain::SiteId{row.int32(10)};
    view.ins_qualified = row.boolean(11);
    view.comment = row.string(12);
    view.document_oid = row.string(13);
    const domain::LegalEntityId entity{row.int32(14)};
    view.patient = codec::patient(codec::parse(row.text(15)));
    for (const auto line : rows[1])
        view.versions.push_back(report_line(line, 0));
    for (const auto d : rows[2]) {
        view.documents.push_back(
            {d.string(0), d.string(1), d.string(2), static_cast<std::uint64_t>(d.int64(3)), d.string(4)});
    }
    for (const auto l : rows[3])
        view.letters.push_back(letter_of(l));
    for (const auto e : rows[4]) {
        view.events.push_back({domain::LetterId{e.uuid(0)}, e.instant(1), e.string(2), e.string(3), e.string(4),
                               e.string(5), e.int32(6), e.string(7)});
    }
    std::vector<pg::Step> seal;
    seal.push_back(read_by(reader, entity, view.site, "read_report", "report:" + to_string(view.line.id.value()),
                           row.uuid(16), clock_.now()));
    co_await transaction.commit_with(std::move(seal));
    co_return view;
}

asio::awaitable<Result<DocumentBytes>> Console::document(User reader, Sites sites, domain::ReportVersionId id,
                                                         std::string form) {
    const auto scope = scope_of(sites);
    pg::Transaction transaction = co_await pool_.begin(scope);
    const pg::Rows rows = co_await transaction.query(q::document, pg::params(id, scope, form));
    if (rows.empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "document", "no such document on your sites"};
    }
    const auto row = rows[0];
    DocumentBytes document;
    document.bytes = row.bytes(0);
    document.order_number = row.string(1);
    document.version = static_cast<unsigned>(row.int32(2));
    std::vector<pg::Step> seal;
    seal.push_back(read_by(reader, domain::LegalEntityId{row.int32(3)}, domain::SiteId{row.int32(4)},
                           "read_document_" + form, "report:" + to_string(id.value()), row.uuid(5), clock_.now()));
    co_await transaction.commit_with(std::move(seal));
    co_return document;
}

// ── Letters, work to do ──

asio::awaitable<Letters> Console::letters(Sites sites, LetterFilter filter) {
    Letters letters;
    if (sites.empty()) co_return letters;
    const auto scope = scope_of(sites);
    const auto since = clock_.now() - std::chrono::hours{24 * 30};
    std::optional<std::string> state;
    std::optional<std::string> by;
    if (filter.state) state = std::string(to_string(*filter.state));
    if (filter.channel) by = std::string(to_string(*filter.channel));
    pg::Transaction transaction = co_await pool_.begin(scope);
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{q::letters, pg::params(scope, state, by, since, static_cast<int>(list_limit) + 1)});
    steps.push_back(pg::Step{q::letter_counts, pg::params(scope, by, since)});
    const std::vector<pg::Rows> rows = co_await transaction.commit_with(std::move(steps));
    letters.cut = rows[0].size() > list_limit;
    for (std::size_t i = 0; i < std::min(rows[0].size(), list_limit); ++i)
        letters.rows.push_back(letter_of(rows[0][i]));
    for (const auto row : rows[1])
        letters.counts.push_back({letter_state(row.text(0)), static_cast<unsigned>(row.int64(1))});
    // What needs somebody first.
    using domain::LetterState;
    static constexpr std::array order{LetterState::dead,           LetterState::blocked,  LetterState::in_doubt,
                                      LetterState::retry,          LetterState::held,     LetterState::due,
                                      LetterState::sending,        LetterState::accepted, LetterState::delivered,
                                      LetterState::not_applicable, LetterState::cancelled};
    std::ranges::sort(letters.counts, {},
                      [](const LetterCount& count) { return std::ranges::find(order, count.state) - order.begin(); });
    co_return letters;
}

asio::awaitable<Result<LetterLine>> Console::letter(Sites sites, domain::LetterId id) {
    const auto scope = scope_of(sites);
    pg::Transaction transaction = co_await pool_.begin(scope);
    const pg::Rows rows = co_await transaction.query(q::letter, pg::params(id, scope));
    co_await transaction.commit();
    if (rows.empty()) co_return Error{Fault::missing, "letter", "no such letter on your sites"};
    co_return letter_of(rows[0]);
}

asio::awaitable<WorkItems> Console::work_items(Sites sites) {
    WorkItems items;
    if (sites.empty()) co_return items;
    const auto scope = scope_of(sites);
    pg::Transaction transaction = co_await pool_.begin(scope);
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{q::work_items, pg::params(scope, static_cast<int>(list_limit))});
    steps.push_back(pg::Step{q::work_count, pg::params(scope)});
    const std::vector<pg::Rows> rows = co_await transaction.commit_with(std::move(steps));
    for (const auto row : rows[0]) {
        WorkItemLine line;
        line.id = domain::WorkItemId{row.int64(0)};
        line.site = domain::SiteId{row.int32(1)};
        line.kind = row.string(2);
        line.coordinate = row.string(3);
        line.what = row.string(4);
        if (!row.is_null(5)) line.order = domain::OrderId{row.uuid(5)};
        line.order_number = row.string(6);
        line.created_at = row.instant(7);
        line.holds_order = row.boolean(8);
        items.rows.push_back(std::move(line));
    }
    items.open = static_cast<unsigned>(rows[1][0].int64(0));
    co_return items;
}

asio::awaitable<unsigned> Console::open_work(Sites sites) {
    if (sites.empty()) co_return 0U;
    const auto scope = scope_of(sites);
    pg::Transaction transaction = co_await pool_.begin(scope);
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{q::work_count, pg::params(scope)});
    const std::vector<pg::Rows> rows = co_await transaction.commit_with(std::move(steps));
    co_return static_cast<unsigned>(rows[0][0].int64(0));
}

asio::awaitable<InstanceView> Console::instance() {
    const pg::Rows rows = co_await pool_.query(q::instance);
    InstanceView view;
    if (!rows.empty()) {
        view.uuid = rows[0].uuid(0);
        view.label = rows[0].string(1);
        view.environment = rows[0].string(2);
    }
    co_return view;
}

}  // namespace sgl::store
