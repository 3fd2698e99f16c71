#include "lib/store/patient_files.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "lib/base/text.hpp"
#include "lib/store/console_queries.hpp"
#include "lib/store/console_rows.hpp"
#include "lib/store/identity_session.hpp"

namespace sgl::store {

namespace q = console_queries;
using namespace console_rows;

namespace {

constexpr std::size_t most_patients = 50;
constexpr std::size_t most_orders = 100;

std::vector<std::int32_t> entities_of(const User& reader, const Console::Sites& sites) {
    std::set<std::int32_t> entities;
    for (const auto& held : reader.roles) {
        if (std::ranges::find(sites, held.site.id) != sites.end()) entities.insert(held.site.entity.value());
    }
    return {entities.begin(), entities.end()};
}

/// Names hold capital letters, blanks, hyphens and apostrophes: nothing that begins so comes behind this.
std::string last_of(const std::string& beginning) {
    return beginning + std::string(20, 'Z');
}

WrongDocument document_of(const pg::Row& row) {
    WrongDocument document;
    static_cast<MisdirectedDocument&>(document) = misdirected_document(row);
    document.order = domain::OrderId{row.uuid(12)};
    document.report = domain::ReportVersionId{row.uuid(13)};
    document.seen_version = row.int32(14);
    document.closed = row.boolean(15);
    document.taken_back = row.boolean(16);
    document.recipient = row.string(17);
    return document;
}

domain::Traits former_traits(const boost::json::value& stored) {
    domain::Traits traits;
    traits.birth_name = codec::member(stored, "birth_name");
    traits.birth_given_names = codec::member(stored, "birth_given_names");
    traits.first_given_name = codec::member(stored, "first_given_name");
    traits.used_name = codec::member(stored, "used_name");
    traits.birth_date = rows::timestamp(codec::member(stored, "birth_date"));
    traits.sex = domain::sex_of(codec::member(stored, "sex"));
    traits.birth_place = codec::member(stored, "birth_place");
    return traits;
}

}  // namespace

asio::awaitable<PatientHits> PatientFiles::search(User reader, Sites sites, PatientSearch wanted) {
    PatientHits hits;
    const auto scope = scope_of(sites);
    const auto entities = entities_of(reader, sites);
    const int limit = static_cast<int>(most_patients) + 1;
    if (sites.empty() || wanted.empty()) co_return hits;
    pg::Transaction transaction = co_await pool_.begin(scope);
    const std::string name = normalised_name(trim(wanted.name));
    const std::string given = normalised_name(trim(wanted.given));
    const std::string born = wanted.birth_date ? to_hl7(*wanted.birth_date) : std::string();
    const std::string number(trim(wanted.number));
    std::vector<pg::Step> steps;
    if (!number.empty())
        steps.push_back(pg::Step{q::patients_by_number, pg::params(entities, scope, number, limit)});
    else
        steps.push_back(pg::Step{q::patients_by_name,
                                 pg::params(entities, scope, name, last_of(name), given, last_of(given), born, limit)});
    const std::vector<pg::Rows> found = co_await transaction.pipeline(std::move(steps));
    hits.cut = found[0].size() > most_patients;
    for (std::size_t i = 0; i < std::min(found[0].size(), most_patients); ++i)
        hits.rows.push_back(rows::patient(found[0][i], 0));
    AuditEvent event;
    event.actor = "user:" + reader.login;
    event.action = "search_patients";
    event.object = "patients";
    boost::json::array ids;
    for (const auto& patient : hits.rows)
        ids.emplace_back(to_string(patient.id.value()));
    event.payload = codec::text({{"found", std::move(ids)}, {"user", reader.id.value()}});
    std::vector<AuditEvent> events;
    events.push_back(std::move(event));
    std::vector<pg::Step> seal;
    seal.push_back(audit(events, clock_.now()));
    co_await transaction.commit_with(std::move(seal));
    co_return hits;
}

asio::awaitable<Result<PatientFile>> PatientFiles::file(User reader, Sites sites, domain::PatientId id) {
    const auto scope = scope_of(sites);
    const auto entities = entities_of(reader, sites);
    pg::Transaction transaction = co_await pool_.begin(scope);
    std::vector<pg::Step> steps;
    for (const auto& query : {q::patient, q::patient_numbers, q::patient_steps, q::patient_turns})
        steps.push_back(pg::Step{query, pg::params(id, entities)});
    steps.push_back(pg::Step{q::patient_orders, pg::params(id, scope, static_cast<int>(most_orders) + 1)});
    steps.push_back(pg::Step{q::patient_documents, pg::params(id, scope)});
    const std::vector<pg::Rows> found = co_await transaction.pipeline(std::move(steps));
    if (found[0].empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "patient", "no such patient on your sites"};
    }
    const auto row = found[0][0];
    constexpr int rest = rows::patient_columns;
    PatientFile file;
    file.patient = rows::patient(row, 0);
    auto& traits = file.patient.traits.reveal();
    traits.address = codec::address(codec::parse(row.text(rest)));
    traits.phone = row.string(rest + 1);
    file.patient.choices = {row.boolean(rest + 2), row.boolean(rest + 3)};
    file.homonym = row.boolean(rest + 4);
    file.entity = domain::LegalEntityId{row.int32(rest + 5)};
    const domain::SiteId site{row.int32(rest + 6)};
    if (const auto into = row.optional_uuid(rest + 7)) file.merged_into = domain::PatientId{*into};
    for (const auto number : found[1])
        file.former_numbers.push_back(number.string(0));
    for (const auto step : found[2]) {
        IdentityStep made;
        made.at = step.instant(0);
        made.was = domain::identity_status_of(step.text(1)).value_or(domain::IdentityStatus::provisional);
        made.is = domain::identity_status_of(step.text(2)).value_or(domain::IdentityStatus::provisional);
        made.ins_changed = step.boolean(3);
        made.reliability = step.string(4);
        if (!step.is_null(5)) made.was_traits = former_traits(codec::parse(step.text(5)));
        file.steps.push_back(std::move(made));
    }
    for (const auto turn : found[3]) {
        file.turns.push_back({turn.int64(0), turn.string(1), turn.instant(2), turn.string(3), turn.string(4),
                              turn.boolean(5), turn.boolean(6)});
    }
    for (const auto document : found[5])
        file.documents.push_back(document_of(document));
    file.cut = found[4].size() > most_orders;
    std::map<Uuid, std::size_t> index;
    std::vector<Uuid> ids;
    for (std::size_t i = 0; i < std::min(found[4].size(), most_orders); ++i) {
        const auto o = found[4][i];
        PatientOrder order;
        order.id = domain::OrderId{o.uuid(0)};
        order.site = domain::SiteId{o.int32(1)};
        order.number = o.string(2);
        order.state = order_state(o.text(3));
        order.urgent = o.boolean(4);
        order.registered_at = o.instant(5);
        order.prescriber = person_name(codec::parse(o.text(6)));
        for (const auto& exam : rows::exams(o.text(7))) {
            if (exam.state == domain::ExamState::requested)
                order.exams.push_back(exam.label.empty() ? exam.code : exam.label);
        }
        index.emplace(o.uuid(0), file.orders.size());
        ids.push_back(o.uuid(0));
        file.orders.push_back(std::move(order));
    }
    if (!ids.empty()) {
        const pg::Rows reports = co_await transaction.query(q::patient_reports, pg::params(ids, scope));
        for (const auto report : reports)
            file.orders[index.at(report.uuid(0))].reports.push_back(report_line(report, 1));
    }
    std::vector<pg::Step> seal;
    seal.push_back(read_by(reader, file.entity, site, "read_patient", "patient:" + to_string(id.value()), id.value(),
                           clock_.now()));
    co_await transaction.commit_with(std::move(seal));
    co_return file;
}

}  // namespace sgl::store
