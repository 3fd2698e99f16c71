#include "lib/store/identities.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "lib/base/failpoint.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/identity_session.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

namespace json = boost::json;

constexpr pg::Query count_ignored{"identities.count_ignored", R"sql(
    insert into ignored_event (link_id, event, legal_entity_id, site_id, count, last_at) values ($1, $2, $3, $4, 1, $5)
    on conflict (link_id, event) do update set count = ignored_event.count + 1, last_at = excluded.last_at)sql"};

constexpr pg::Query read_ignored{"identities.ignored", R"sql(
    select event, sum(count)::bigint from ignored_event group by event order by event)sql"};

constexpr pg::Query list_documents{
    "identities.documents",
    "select " SGL_MISDIRECTED_COLUMNS SGL_MISDIRECTED
    " and ($1::bigint is null or c.id = $1) and ($1::bigint is not null or c.closed_at is null) "
    "order by c.id desc, o.number, v.version, l.channel, l.recipient_key"};

constexpr pg::Query list_changes{"identities.changes",
                                 R"sql(
    select d.id, d.kind, d.at, d.actor, d.patient_id, d.wrong_patient_id,
           (select count(*) )sql" SGL_MISDIRECTED
                                 R"sql( and c.id = d.id), d.undone_at is not null, d.closed_at is not null
    from identity_change d order by d.id desc limit 1000)sql"};
constexpr pg::Query close_change{"identities.close", R"sql(
    update identity_change set closed_at = $2 where id = $1 and closed_at is null returning legal_entity_id, site_id)sql"};

constexpr pg::Query put_profiles{"identities.put_profiles", R"sql(
    insert into identity_profile (finess, slave, updated_at)
    select t.finess, t.slave, $3 from unnest($1::text[], $2::boolean[]) as t(finess, slave)
    where t.slave or exists (select 1 from identity_profile p where p.finess = t.finess)
    on conflict (finess) do update set slave = excluded.slave, updated_at = excluded.updated_at
        where identity_profile.slave <> excluded.slave
    returning finess, slave)sql"};

constexpr pg::Query lock_patient{"identities.lock_patient", "select " SGL_IDENTITY_COLUMNS
                                                            ", p.legal_entity_id, p.site_id from patient p "
                                                            "where p.id = $1 and p.merged_into is null for update"};

}  // namespace

asio::awaitable<Kept> Identities::apply(Arrival arrival, IdentityMessage message, std::vector<std::int32_t> sites,
                                        AnswerErrors answer_errors, Instant now) {
    failpoint("before_inbox_insert");
    const domain::MessageId id = co_await inbox_.next_id();
    pg::Transaction transaction = co_await pool_.begin(std::move(sites));
    pg::Step look = Inbox::look_for(arrival);
    const pg::Rows seen = co_await transaction.query(look.query, std::move(look.params));
    Kept kept = Inbox::found(arrival, seen);
    if (kept.duplicate) {
        co_await transaction.rollback();
        co_return kept;
    }
    IdentityPlace place{arrival.legal_entity, arrival.site, now, "link:" + arrival.link_name, id};
    IdentitySession session(transaction, place);
    for (const auto& trouble : arrival.reading.troubles)
        session.trouble(trouble);
    if (message.ignored) {
        co_await transaction.query(count_ignored,
                                   pg::params(arrival.link, message.event, arrival.legal_entity, arrival.site, now));
    }
    for (const auto& act : message.acts)
        co_await session.run(act);
    arrival.reading.troubles = session.troubles();
    arrival.reading.quarantined = arrival.reading.quarantined || session.refused();
    arrival.answer_errors = answer_errors(session.answered());
    std::vector<pg::Step> steps = Inbox::message_steps(arrival, id, kept.reused, now);
    work_steps(steps, place, session.troubles());
    AuditEvent received;
    received.legal_entity = arrival.legal_entity;
    received.site = arrival.site;
    received.actor = place.actor;
    received.action = message.ignored ? "receive_ignored" : "receive";
    received.object = "message:" + std::to_string(id.value());
    received.payload = codec::text({{"type", arrival.type},
                                    {"answer", arrival.answer},
                                    {"state", arrival.reading.quarantined ? "quarantined" : "applied"},
                                    {"sha256", to_hex(arrival.sha256)}});
    session.events().push_back(std::move(received));
    steps.push_back(audit(session.events(), now));
    co_await transaction.commit_with(std::move(steps));
    kept.id = id;
    kept.answer = arrival.answer;
    kept.answer_errors = arrival.answer_errors;
    co_return kept;
}

asio::awaitable<Result<void>> Identities::split(IdentityDeed deed, std::int64_t change) {
    pg::Transaction transaction = co_await pool_.begin(deed.sites);
    IdentityPlace place{domain::LegalEntityId{}, domain::SiteId{}, deed.at, deed.actor, std::nullopt};
    IdentitySession session(transaction, place);
    Result<void> done = co_await session.split(change, deed.at);
    if (!done) {
        co_await transaction.rollback();
        co_return done;
    }
    for (auto& event : session.events())
        event.payload = codec::text({{"act", codec::parse(event.payload)}, {"why", deed.why}});
    std::vector<pg::Step> steps;
    work_steps(steps, session.place(), session.troubles());
    steps.push_back(audit(session.events(), deed.at));
    co_await transaction.commit_with(std::move(steps));
    co_return done;
}

asio::awaitable<Result<void>> Identities::close(IdentityDeed deed, std::int64_t change) {
    pg::Transaction transaction = co_await pool_.begin(deed.sites);
    const pg::Rows rows = co_await transaction.query(close_change, pg::params(change, deed.at));
    if (rows.empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "identity change", "no such open change on your sites"};
    }
    std::vector<AuditEvent> events(1);
    events[0].legal_entity = domain::LegalEntityId{rows[0].int32(0)};
    events[0].site = domain::SiteId{rows[0].int32(1)};
    events[0].actor = deed.actor;
    events[0].action = "identity_change_closed";
    events[0].object = "identity_change:" + std::to_string(change);
    events[0].payload = codec::text({{"why", deed.why}});
    std::vector<pg::Step> steps;
    steps.push_back(audit(events, deed.at));
    co_await transaction.commit_with(std::move(steps));
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Identities::give_status(IdentityDeed deed, domain::PatientId patient,
                                                      domain::IdentityStatus to) {
    pg::Transaction transaction = co_await pool_.begin(deed.sites);
    const pg::Rows rows = co_await transaction.query(lock_patient, pg::params(patient));
    if (rows.empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "identity", "no such patient on your sites"};
    }
    domain::KnownIdentity known = patients::identity_of(rows[0], 0);
    const IdentityPlace place{domain::LegalEntityId{rows[0].int32(patients::identity_columns)},
                              domain::SiteId{rows[0].int32(patients::identity_columns + 1)}, deed.at, deed.actor,
                              std::nullopt};
    const bool slave = co_await patients::identity_slave(transaction, place.site);
    Result<void> allowed = domain::may_give_status(known, to, slave);
    IdentitySession session(transaction, place);
    std::vector<pg::Step> steps;
    if (allowed) {
        const std::string before(to_string(known.patient.status));
        known.patient.status = to;
        if (to == domain::IdentityStatus::provisional || to == domain::IdentityStatus::validated)
            known.patient.ins.reset();
        co_await patients::update(transaction, patient, deed.at, known, true);
        session.event("identity_status", patient, {{"from", before}, {"to", to_string(to)}, {"why", deed.why}});
    } else {
        session.event("identity_refused", patient, {{"to", to_string(to)}, {"because", allowed.error().what}});
    }
    steps.push_back(audit(session.events(), deed.at));
    co_await transaction.commit_with(std::move(steps));
    co_return allowed;
}

asio::awaitable<void> Identities::set_slaves(std::vector<std::pair<std::string, bool>> profiles, std::string actor,
                                             Instant now) {
    pg::TextColumn numbers;
    pg::BoolColumn slaves;
    for (const auto& [finess, slave] : profiles) {
        numbers.add(finess);
        slaves.add(slave);
    }
    const std::vector<std::int32_t> no_sites;
    pg::Transaction transaction = co_await pool_.begin(no_sites);
    const pg::Rows changed = co_await transaction.query(put_profiles, pg::params(numbers, slaves, now));
    if (changed.empty()) {
        co_await transaction.rollback();
        co_return;
    }
    std::vector<AuditEvent> events;
    for (const auto row : changed) {
        AuditEvent event;
        event.actor = actor;
        event.action = row.boolean(1) ? "identity_slave" : "identity_no_slave";
        event.object = "finess:" + row.string(0);
        event.payload = "{}";
        events.push_back(std::move(event));
    }
    std::vector<pg::Step> steps;
    steps.push_back(audit(events, now));
    co_await transaction.commit_with(std::move(steps));
}

MisdirectedDocument misdirected_document(const pg::Row& row) {
    MisdirectedDocument document;
    document.change = row.int64(0);
    document.kind = row.string(1);
    document.letter = domain::LetterId{row.uuid(2)};
    document.channel = domain::channel_of(row.text(3)).value();
    document.state = domain::letter_state_of(row.text(4)).value();
    document.certain = row.boolean(5);
    document.withdrawn = row.boolean(6);
    document.order_number = row.string(7);
    document.version = row.int32(8);
    document.document_oid = row.string(9);
    document.validated_at = row.instant(10);
    document.site = domain::SiteId{row.int32(11)};
    return document;
}

asio::awaitable<std::vector<MisdirectedDocument>> Identities::documents(std::vector<std::int32_t> sites,
                                                                        std::optional<std::int64_t> change) {
    pg::Transaction transaction = co_await pool_.begin(std::move(sites));
    const pg::Rows rows = co_await transaction.query(list_documents, pg::params(change));
    co_await transaction.rollback();
    std::vector<MisdirectedDocument> found;
    for (const auto row : rows)
        found.push_back(misdirected_document(row));
    co_return found;
}

asio::awaitable<std::vector<IdentityChangeLine>> Identities::changes(std::vector<std::int32_t> sites) {
    pg::Transaction transaction = co_await pool_.begin(std::move(sites));
    const pg::Rows rows = co_await transaction.query(list_changes);
    co_await transaction.rollback();
    std::vector<IdentityChangeLine> lines;
    for (const auto row : rows) {
        IdentityChangeLine line;
        line.id = row.int64(0);
        line.kind = row.string(1);
        line.at = row.instant(2);
        line.actor = row.string(3);
        line.patient = domain::PatientId{row.uuid(4)};
        line.wrong_patient = domain::PatientId{row.uuid(5)};
        line.documents = row.int64(6);
        line.undone = row.boolean(7);
        line.closed = row.boolean(8);
        lines.push_back(std::move(line));
    }
    co_return lines;
}

asio::awaitable<std::vector<std::pair<std::string, std::int64_t>>> Identities::ignored(
    std::vector<std::int32_t> sites) {
    pg::Transaction transaction = co_await pool_.begin(std::move(sites));
    const pg::Rows rows = co_await transaction.query(read_ignored);
    co_await transaction.rollback();
    std::vector<std::pair<std::string, std::int64_t>> counted;
    for (const auto row : rows)
        counted.emplace_back(row.string(0), row.int64(1));
    co_return counted;
}

std::vector<pg::Query> identities_queries() {
    return {count_ignored, read_ignored, list_documents, list_changes, close_change, put_profiles, lock_patient};
}

}  // namespace sgl::store
