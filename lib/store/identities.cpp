#include "lib/store/identities.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "lib/base/failpoint.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

namespace json = boost::json;
using domain::IdentityAct;
using domain::PatientId;
using domain::Trouble;

constexpr pg::Query count_ignored{"identities.count_ignored", R"sql(
    insert into ignored_event (link_id, event, legal_entity_id, site_id, count, last_at) values ($1, $2, $3, $4, 1, $5)
    on conflict (link_id, event) do update set count = ignored_event.count + 1, last_at = excluded.last_at)sql"};

constexpr pg::Query read_ignored{"identities.ignored", R"sql(
    select event, sum(count)::bigint from ignored_event group by event order by event)sql"};

constexpr pg::Query merge_patients{"identities.merge_patients", R"sql(
    update patient set merged_into = $1, updated_at = $3
    where id = $2 or merged_into = $2 returning id)sql"};

// Open orders follow; what is signed keeps the identity that was signed. What a screen carries is the sum of both row
// versions (OrderFile::seen_version): it must move, whatever the other patient's is.
constexpr pg::Query move_open_orders{"identities.move_open_orders", R"sql(
    update lab_order o set patient_id = $1, row_version = o.row_version + p.row_version + 1
    from patient p where p.id = o.patient_id and o.patient_id = any($2::uuid[]) and o.closed_at is null returning o.id)sql"};

constexpr pg::Query move_orders{"identities.move_orders", R"sql(
    update lab_order o set patient_id = $1, row_version = o.row_version + p.row_version + 1
    from patient p where p.id = o.patient_id and o.id = any($2::uuid[]) and o.patient_id = $3)sql"};

constexpr pg::Query insert_change{"identities.insert_change", R"sql(
    insert into identity_change (legal_entity_id, site_id, kind, patient_id, wrong_patient_id, wrong_matricule, wrong_oid, said_at,
        at, since, actor, message_id, orders, patients)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::uuid[], $14::uuid[]) returning id)sql"};

constexpr pg::Query lock_merge{"identities.lock_merge", R"sql(
    select c.patient_id, c.wrong_patient_id, c.at, c.orders, c.patients, c.undone_at is not null, c.legal_entity_id, c.site_id
    from identity_change c where c.id = $1 and c.kind = 'merged' for update)sql"};

constexpr pg::Query find_merge{"identities.find_merge", R"sql(
    select id from identity_change where kind = 'merged' and wrong_patient_id = $1 and undone_at is null
    order by id desc limit 1)sql"};

constexpr pg::Query undo_merge{"identities.undo_merge", R"sql(
    update identity_change set undone_at = $2 where id = $1)sql"};

constexpr pg::Query free_patient{"identities.free_patient", R"sql(
    update patient set merged_into = null, updated_at = $2 where id = $1)sql"};

constexpr pg::Query give_back_patients{"identities.give_back_patients", R"sql(
    update patient set merged_into = $1, updated_at = $3
    where id = any($2::uuid[]) and id <> $1 and merged_into is not null)sql"};

constexpr pg::Query survivor_of{"identities.survivor_of", R"sql(
    select coalesce(merged_into, id) from patient where id = $1)sql"};

constexpr pg::Query orders_between{"identities.orders_between", R"sql(
    select count(*) from lab_order where patient_id = $1 and registered_at >= $2 and not id = any($3::uuid[]))sql"};

constexpr pg::Query open_orders{"identities.open_orders", R"sql(
    select count(*) from lab_order where patient_id = $1 and closed_at is null)sql"};

constexpr pg::Query remember_number{"identities.remember_number", R"sql(
    insert into patient_former_number (legal_entity_id, site_id, local_authority, local_id, patient_id, ended_at)
    values ($1, $2, $3, $4, $5, $6) on conflict do nothing)sql"};

constexpr pg::Query put_link{"identities.put_link", R"sql(
    insert into patient_link (legal_entity_id, site_id, a_authority, a_id, b_authority, b_id, linked, said_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (legal_entity_id, a_authority, a_id, b_authority, b_id) do update
        set linked = excluded.linked, said_at = excluded.said_at where patient_link.said_at <= excluded.said_at)sql"};

constexpr pg::Query find_link{"identities.find_link", R"sql(
    select linked, said_at from patient_link
    where legal_entity_id = $1 and a_authority = $2 and a_id = $3 and b_authority = $4 and b_id = $5)sql"};

constexpr pg::Query lock_stay{"identities.lock_stay", R"sql(
    select id, number, patient_class, location, planned, cancelled, admitted_at, discharged_at, dmp_status, consultation,
           admission_opposed, admission_decided_at, discharge_opposed, discharge_decided_at, said_at, beginning_said_at, end_said_at, place_said_at,
           dmp_said_at
    from patient_stay where number = $2 and patient_id in (select patient_family($1))
    order by said_at desc nulls last limit 1 for update)sql"};

constexpr pg::Query put_stay{"identities.put_stay", R"sql(
    insert into patient_stay (id, legal_entity_id, site_id, patient_id, number, patient_class, location, planned, cancelled,
        admitted_at, discharged_at, dmp_status, consultation, admission_opposed, admission_decided_at, discharge_opposed,
        discharge_decided_at, said_at, beginning_said_at, end_said_at, updated_at, place_said_at, dmp_said_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
    on conflict (id) do update set patient_class = excluded.patient_class, location = excluded.location,
        planned = excluded.planned, cancelled = excluded.cancelled, admitted_at = excluded.admitted_at,
        discharged_at = excluded.discharged_at, dmp_status = excluded.dmp_status, consultation = excluded.consultation,
        admission_opposed = excluded.admission_opposed, admission_decided_at = excluded.admission_decided_at,
        discharge_opposed = excluded.discharge_opposed, discharge_decided_at = excluded.discharge_decided_at,
        said_at = excluded.said_at, beginning_said_at = excluded.beginning_said_at, end_said_at = excluded.end_said_at,
        updated_at = excluded.updated_at, place_said_at = excluded.place_said_at, dmp_said_at = excluded.dmp_said_at)sql"};

constexpr pg::Query put_movement{"identities.put_movement", R"sql(
    insert into patient_movement (stay_id, movement_id, legal_entity_id, site_id, start_at, historic, event, medical_ward,
        nursing_ward, nature, cancelled, said_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    on conflict (stay_id, movement_id) do update set start_at = coalesce(excluded.start_at, patient_movement.start_at),
        historic = excluded.historic, event = excluded.event,
        medical_ward = coalesce(nullif(excluded.medical_ward, ''), patient_movement.medical_ward),
        nursing_ward = coalesce(nullif(excluded.nursing_ward, ''), patient_movement.nursing_ward),
        nature = coalesce(nullif(excluded.nature, ''), patient_movement.nature),
        cancelled = excluded.cancelled, said_at = excluded.said_at
    where patient_movement.said_at is null or patient_movement.said_at <= excluded.said_at)sql"};

// What has left for the DMP of the orders of that stay.
constexpr pg::Query dmp_letters{"identities.dmp_letters", R"sql(
    select count(*)
    from lab_order o join report_set s on s.order_id = o.id join report_version v on v.set_id = s.id
    join letter l on l.version_id = v.id
    where o.patient_id in (select patient_family($1)) and (o.stay_number = $2 or $2 = '') and l.channel = 'DMP'
      and l.act = 'deliver' and l.state in ('sending', 'in_doubt', 'accepted', 'delivered'))sql"};

constexpr pg::Query insert_work{"identities.insert_work", R"sql(
    insert into work_item (legal_entity_id, site_id, kind, coordinate, what, message_id, created_at)
    select $1, $2, kind, coordinate, what, $3, $4 from unnest($5::text[], $6::text[], $7::text[]) as t(kind, coordinate, what))sql"};

// One place for what "sent under a wrong identity" means. The signed identity is that of the version; a doubt that was
// never answered counts as sent.
#define SGL_SIGNED_WRONGLY                                                                                           \
    "from identity_change c "                                                                                        \
    "cross join lateral (select distinct version_id from validated_result where patient_id = c.wrong_patient_id) r " \
    "join report_version v on v.id = r.version_id "                                                                  \
    "join report_set s on s.id = v.set_id join lab_order o on o.id = s.order_id "                                    \
    "join letter l on l.version_id = v.id and l.act = 'deliver' "                                                    \
    "where c.undone_at is null and v.validated_at <= c.at "                                                          \
    "and case c.kind "                                                                                               \
    "    when 'ins_changed' then v.ins_qualified and v.patient->>'ins_matricule' = c.wrong_matricule "               \
    "                            and v.patient->>'ins_oid' = c.wrong_oid "                                           \
    "    when 'split' then v.validated_at >= c.since and (o.id = any(c.orders) or o.registered_at >= c.since) "      \
    "    else true end "
#define SGL_MISDIRECTED                                                                         \
    SGL_SIGNED_WRONGLY                                                                          \
    "and (l.state in ('sending', 'in_doubt', 'accepted', 'delivered') or l.possible_duplicate " \
    "     or exists (select 1 from letter_event e where e.letter_id = l.id "                    \
    "                and e.to_state in ('accepted', 'delivered', 'in_doubt')))"

constexpr pg::Query list_documents{
    "identities.documents",
    R"sql(
    select c.id, c.kind, l.id, l.channel, l.state,
           l.state in ('accepted', 'delivered') or exists (select 1 from letter_event e where e.letter_id = l.id
               and e.to_state in ('accepted', 'delivered')),
           exists (select 1 from letter w where w.version_id = v.id and w.channel = l.channel and w.recipient_key = l.recipient_key
               and w.act = 'withdraw' and w.state in ('accepted', 'delivered')),
           o.number, v.version, v.document_oid, v.validated_at, l.site_id
    )sql" SGL_MISDIRECTED
    R"sql( and ($1::bigint is null or c.id = $1) and ($1::bigint is not null or c.closed_at is null)
    order by c.id desc, o.number, v.version, l.channel, l.recipient_key)sql"};

constexpr pg::Query count_documents{"identities.count_documents", "select count(*) " SGL_MISDIRECTED " and c.id = $1"};

constexpr pg::Query list_changes{"identities.changes",
                                 R"sql(
    select d.id, d.kind, d.at, d.actor, d.patient_id, d.wrong_patient_id,
           (select count(*) )sql" SGL_MISDIRECTED
                                 R"sql( and c.id = d.id), d.undone_at is not null, d.closed_at is not null
    from identity_change d order by d.id desc limit 1000)sql"};
#undef SGL_MISDIRECTED

// What has not left yet waits for a person. Letters on their way are asked for by nobody but their worker.
#define SGL_HOLD                                                                                               \
    "for update of l), held as (update letter l set state = $2, reason = $3 from waiting w where l.id = w.id " \
    "returning l.id, w.before, l.attempts, l.legal_entity_id, l.site_id) "                                     \
    "insert into letter_event (letter_id, legal_entity_id, site_id, at, actor, from_state, to_state, reason, " \
    "attempt, detail) "                                                                                        \
    "select id, legal_entity_id, site_id, $4, $5, before, $2, $3, attempts, $6 from held"

constexpr pg::Query hold_wrong{"identities.hold_wrong",
                               "with waiting as (select l.id, l.state as before " SGL_SIGNED_WRONGLY
                               " and c.id = $1 and l.state in ('due', 'retry') "
                               "and (c.kind = 'split' or l.channel in ('DMP', 'MSS_CITIZEN')) " SGL_HOLD};

constexpr pg::Query hold_opposed{
    "identities.hold_opposed",
    "with waiting as (select l.id, l.state as before from lab_order o "
    "join report_set s on s.order_id = o.id join report_version v on v.set_id = s.id "
    "join letter l on l.version_id = v.id "
    "where o.patient_id in (select patient_family($1)) and (o.stay_number = $7 or $7 = '') "
    "and l.channel = 'DMP' and l.act = 'deliver' and l.state in ('due', 'retry') " SGL_HOLD};
#undef SGL_HOLD
#undef SGL_SIGNED_WRONGLY

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

domain::Stay stay_of(const pg::Row& row, int at) {
    domain::Stay stay;
    stay.number = row.string(at);
    stay.patient_class = row.string(at + 1);
    stay.location = row.string(at + 2);
    stay.planned = row.boolean(at + 3);
    stay.cancelled = row.boolean(at + 4);
    stay.admitted_at = row.optional_instant(at + 5);
    stay.discharged_at = row.optional_instant(at + 6);
    stay.dmp_status = row.string(at + 7);
    stay.consultation = row.string(at + 8);
    stay.at_admission = {row.optional_boolean(at + 9), row.optional_instant(at + 10)};
    stay.at_discharge = {row.optional_boolean(at + 11), row.optional_instant(at + 12)};
    stay.said_at = row.optional_instant(at + 13);
    stay.beginning_said_at = row.optional_instant(at + 14);
    stay.end_said_at = row.optional_instant(at + 15);
    stay.place_said_at = row.optional_instant(at + 16);
    stay.dmp_said_at = row.optional_instant(at + 17);
    return stay;
}

std::string patient_object(PatientId id) {
    return "patient:" + to_string(id.value());
}

/// Where rows of a change belong.
struct Place {
    domain::LegalEntityId legal_entity;
    domain::SiteId site;
    Instant now;
    std::string actor;
    std::optional<std::int64_t> message;
    PatientPlace patient() const { return {legal_entity, site, now}; }
};

/// One transaction's worth of identity work: what happened, as audit events and as work for a person.
class Session {
public:
    Session(pg::Transaction& transaction, Place place) : transaction_(transaction), place_(std::move(place)) {}

    asio::awaitable<void> run(const IdentityAct& act) {
        said_at_ = act.said.said_at.value_or(place_.now);
        switch (act.kind) {
            case IdentityAct::Kind::state: {
                const std::optional<PatientId> id = co_await state(act);
                if (id && act.stay) co_await stay(*id, *act.stay);
                co_return;
            }
            case IdentityAct::Kind::merge:
                co_await merge(act);
                co_return;
            case IdentityAct::Kind::renumber:
                co_await renumber(act);
                co_return;
            case IdentityAct::Kind::link:
            case IdentityAct::Kind::unlink:
                co_await link(act);
                co_return;
        }
    }

    asio::awaitable<Result<void>> split(std::int64_t change, Instant said_at) {
        const pg::Rows rows = co_await transaction_.query(lock_merge, pg::params(change));
        if (rows.empty()) co_return Error{Fault::missing, "identity change", "no such merge on your sites"};
        const auto row = rows[0];
        if (row.boolean(5)) co_return Error{Fault::conflict, "identity change", "this merge was undone already"};
        const PatientId apart{row.uuid(1)};
        const Instant since = row.instant(2);
        const std::vector<Uuid> orders = row.uuids(3);
        const std::vector<Uuid> moved = row.uuids(4);
        const pg::Rows found = co_await transaction_.query(survivor_of, pg::params(apart));
        const PatientId from{found[0].uuid(0)};  // who goes on today: he may have been merged on meanwhile
        std::vector<pg::Step> steps;
        steps.push_back(pg::Step{undo_merge, pg::params(change, place_.now)});
        steps.push_back(pg::Step{free_patient, pg::params(apart, place_.now)});
        steps.push_back(pg::Step{give_back_patients, pg::params(apart, moved, place_.now)});
        steps.push_back(pg::Step{move_orders, pg::params(apart, orders, from)});
        steps.push_back(pg::Step{orders_between, pg::params(from, since, orders)});
        const std::vector<pg::Rows> done = co_await transaction_.pipeline(std::move(steps));
        place_.legal_entity = domain::LegalEntityId{row.int32(6)};
        place_.site = domain::SiteId{row.int32(7)};
        event("identity_split", apart,
              {{"from", to_string(from.value())}, {"merge", change}, {"orders", orders.size()}});
        ChangeRow made{"split", apart, from, {}, {}, said_at, since, orders, {}};
        co_await record(std::move(made));
        if (const auto between = done[4][0].int64(0); between > 0) {
            work("split_orders", "PID-3",
                 fmt::format("orders were registered while the two patients were one ({}): to whom do they belong?",
                             between));
        }
        co_return Result<void>{};
    }

    /// Work for a person that the sender hears of.
    void trouble(Trouble trouble) {
        answered_.push_back(trouble);
        troubles_.push_back(std::move(trouble));
    }
    /// Work for a person, nothing to do for the sender.
    void work(std::string kind, std::string coordinate, std::string what) {
        troubles_.push_back({std::move(kind), std::move(coordinate), std::move(what)});
    }
    void event(std::string action, PatientId patient, json::object payload) {
        AuditEvent event;
        event.legal_entity = place_.legal_entity;
        event.site = place_.site;
        event.actor = place_.actor;
        event.action = std::move(action);
        event.object = patient_object(patient);
        if (place_.message) payload["message"] = *place_.message;
        event.payload = codec::text(payload);
        events_.push_back(std::move(event));
    }
    const std::vector<Trouble>& troubles() const { return troubles_; }
    const std::vector<Trouble>& answered() const { return answered_; }
    std::vector<AuditEvent>& events() { return events_; }
    bool refused() const { return refused_; }
    const Place& place() const { return place_; }

private:
    /// What a letter that waits becomes when it is held (design D7).
    static domain::LetterFacts hold() {
        const domain::LetterFacts waiting;
        const domain::RetryPolicy policy;
        return domain::decide(waiting, domain::letter_event::Held(), {}, policy).value();
    }

    struct ChangeRow {
        std::string kind;
        PatientId patient;
        PatientId wrong;
        std::optional<std::string> matricule;
        std::optional<std::string> oid;
        Instant said_at;
        std::optional<Instant> since;
        std::vector<Uuid> orders;
        std::vector<Uuid> patients;
    };

    void refuse(Trouble trouble, std::optional<PatientId> patient) {
        refused_ = true;
        if (patient) event("identity_refused", *patient, {{"kind", trouble.kind}, {"where", trouble.coordinate}});
        this->trouble(std::move(trouble));
    }

    asio::awaitable<std::optional<FoundPatient>> find(domain::LocalIdentifier number) {
        co_return co_await patients::find(transaction_, place_.legal_entity, std::move(number));
    }

    static domain::LocalIdentifier number_of(const IdentityAct& act) {
        return {act.said.patient.local_authority_oid, act.said.patient.local_id};
    }

    /// The patient of PID as the message says he is; nothing when it was refused and there is none.
    asio::awaitable<std::optional<PatientId>> state(const IdentityAct& act) {
        for (int attempt = 0; attempt < 3; ++attempt) {
            std::optional<FoundPatient> found = co_await find(number_of(act));
            if (found && found->ended) {
                // A late word about the number that ended says nothing new; a newer one is the hospital's mistake.
                if (!found->ended_at || said_at_ > *found->ended_at) {
                    refuse({"merged_identifier", act.said.coordinate + "-3",
                            "this number has ended: nothing was changed for the patient who goes on"},
                           found->id);
                }
                co_return found->id;
            }
            std::optional<domain::KnownIdentity> known;
            if (found) known = found->identity;
            const domain::IdentityChange becomes = domain::change(known, act.said);
            if (becomes.refused) {
                for (const auto& trouble : becomes.troubles)
                    refuse(trouble, found->id);
                co_return found->id;
            }
            std::optional<PatientId> id;
            if (!found) {
                id = co_await patients::insert(transaction_, place_.patient(), becomes.identity);
                if (!id) continue;
            } else {
                id = found->id;
                if (becomes.changed)
                    co_await patients::update(transaction_, *id, place_.now, becomes.identity, becomes.to_be_seen);
            }
            co_await told(*id, known, becomes, act);
            co_return id;
        }
        throw std::runtime_error("a patient is made and gone again and again");
    }

    asio::awaitable<void> told(PatientId id, const std::optional<domain::KnownIdentity>& known,
                               const domain::IdentityChange& becomes, const IdentityAct& act) {
        for (const auto& one : becomes.troubles)
            trouble(one);
        if (becomes.stale) {
            event("identity_stale", id, {});
            co_return;
        }
        if (becomes.changed) {
            json::object payload{{"after", codec::to_json(becomes.identity.patient)}};
            if (known) payload["before"] = codec::to_json(known->patient);
            event(known ? "identity_update" : "identity_create", id, std::move(payload));
        }
        const bool other_ins = !known || known->patient.ins != becomes.identity.patient.ins;
        if (becomes.strict_changed || other_ins) {
            std::vector<Trouble> others =
                co_await patients::duplicates(transaction_, place_.legal_entity, id, becomes.identity);
            troubles_.insert(troubles_.end(), others.begin(), others.end());
        }
        if (known && becomes.strict_changed) {
            const auto places = domain::contradictions(act.said.coordinate, known->patient.traits.reveal(),
                                                       becomes.identity.patient.traits.reveal());
            const pg::Rows open = co_await transaction_.query(open_orders, pg::params(id));
            if (!places.empty() && open[0].int64(0) > 0) {
                work("identity_changed", places.front(),
                     fmt::format("strict traits changed while orders are open ({}): check their tubes",
                                 open[0].int64(0)));
            }
        }
        if (becomes.wrong_ins) {
            const auto& ins = becomes.wrong_ins->reveal();
            ChangeRow made{"ins_changed", id, id, ins.matricule.text(), ins.oid, said_at_, {}, {}, {}};
            co_await record(std::move(made));
        }
    }

    /// The row, and a person's work when documents left under the wrong identity.
    asio::awaitable<void> record(ChangeRow made) {
        const pg::Rows rows = co_await transaction_.query(
            insert_change,
            pg::params(place_.legal_entity, place_.site, made.kind, made.patient, made.wrong, made.matricule, made.oid,
                       made.said_at, place_.now, made.since, place_.actor, place_.message, made.orders, made.patients));
        const std::int64_t change = rows[0].int64(0);
        const pg::Rows counted = co_await transaction_.query(count_documents, pg::params(change));
        // A merge is of one person: what goes out under his ended number is still his.
        if (made.kind != "merged") {
            const auto held = hold();
            const pg::Rows stopped = co_await transaction_.query(
                hold_wrong, pg::params(change, to_string(held.state), to_string(held.reason), place_.now, place_.actor,
                                       "signed with another identity"));
            if (stopped.affected() > 0) {
                work("letters_held", "PID-3",
                     fmt::format("letters signed with another identity were held ({}): sgld letters list --state held",
                                 stopped.affected()));
            }
        }
        if (const auto documents = counted[0].int64(0); documents > 0) {
            work("wrong_identity_documents", made.kind == "ins_changed" ? "PID-3" : "MRG-1",
                 fmt::format("documents left under another identity ({}): sgld identity documents --change {}",
                             documents, change));
        }
    }

    asio::awaitable<void> merge(const IdentityAct& act) {
        // The one who survives may not be known yet: the message says who he is.
        std::optional<FoundPatient> survivor = co_await find(number_of(act));
        const bool nameless = act.said.patient.traits.reveal().birth_name.empty();
        if (!survivor && nameless) {
            refuse({"identity_unknown", act.said.coordinate + "-3",
                    "the patient who goes on is not known, and the merge does not say who he is"},
                   std::nullopt);
            co_return;
        }
        // A merge said before his own end is as good as one into whom he became.
        if (survivor && survivor->ended && (!survivor->ended_at || said_at_ > *survivor->ended_at)) {
            refuse({"merge_refused", act.said.coordinate + "-3",
                    "the number that should go on ended in a merge before: the merge was not done"},
                   survivor->id);
            co_return;
        }
        std::optional<PatientId> id;
        if (nameless)
            id = survivor->id;
        else
            id = co_await state(act);
        if (!id) co_return;
        survivor = co_await find(number_of(act));
        for (const auto& number : act.former)
            co_await merge_one(act, *survivor, number);
        if (act.stay) co_await stay(*id, *act.stay);
    }

    asio::awaitable<void> merge_one(const IdentityAct& act, const FoundPatient& survivor,
                                    const domain::LocalIdentifier& number) {
        const bool apart = co_await told_apart(number_of(act), number);
        if (apart) {
            refuse(
                {"merge_refused", "MRG-1", "a newer message says that these are two persons: the merge was not done"},
                survivor.id);
            co_return;
        }
        const std::optional<FoundPatient> retired = co_await find(number);
        if (!retired) {  // before its patient: whoever comes with that number is the survivor
            co_await remember(number, survivor.id);
            event("identity_merge", survivor.id, {{"retired", nullptr}});
            co_return;
        }
        if (retired->id == survivor.id) co_return;  // done already
        if (retired->ended) {
            refuse({"merge_refused", "MRG-1", "this number ended in another merge before: the merge was not done"},
                   survivor.id);
            co_return;
        }
        if (auto why = domain::refuses_merge(survivor.identity.patient, retired->identity.patient)) {
            refuse(std::move(*why), survivor.id);
            co_return;
        }
        std::vector<pg::Step> first;
        first.push_back(pg::Step{merge_patients, pg::params(survivor.id, retired->id, place_.now)});
        const std::vector<pg::Rows> merged = co_await transaction_.pipeline(std::move(first));
        std::vector<Uuid> all;
        std::vector<Uuid> before;
        for (const auto row : merged[0]) {
            all.push_back(row.uuid(0));
            if (row.uuid(0) != retired->id.value()) before.push_back(row.uuid(0));
        }
        const pg::Rows moved = co_await transaction_.query(move_open_orders, pg::params(survivor.id, all));
        std::vector<Uuid> orders;
        for (const auto row : moved)
            orders.push_back(row.uuid(0));
        event("identity_merge", survivor.id,
              {{"retired", to_string(retired->id.value())},
               {"identity", codec::to_json(retired->identity.patient)},
               {"orders", orders.size()}});
        ChangeRow made{"merged", survivor.id, retired->id, {}, {}, said_at_, {}, std::move(orders), std::move(before)};
        co_await record(std::move(made));
    }

    asio::awaitable<void> renumber(const IdentityAct& act) {
        for (const auto& number : act.former) {
            if (number == number_of(act)) continue;
            const std::optional<FoundPatient> now = co_await find(number_of(act));
            const std::optional<FoundPatient> before = co_await find(number);
            if (before && now && before->id != now->id) {
                refuse({"renumber_refused", "MRG-1",
                        "both numbers have a patient: a change of number does not merge them"},
                       now->id);
                co_return;
            }
            if (before && !now && !before->ended) {
                domain::KnownIdentity renamed = before->identity;
                renamed.patient.local_id = act.said.patient.local_id;
                renamed.patient.local_authority_oid = act.said.patient.local_authority_oid;
                co_await patients::update(transaction_, before->id, place_.now, renamed, true);
                co_await remember(number, before->id);
                event(
                    "identity_renumber", before->id,
                    {{"from", number.id}, {"from_authority", number.authority_oid}, {"to", renamed.patient.local_id}});
            }
        }
        if (act.said.patient.traits.reveal().birth_name.empty()) {
            const std::optional<FoundPatient> known = co_await find(number_of(act));
            if (!known) {
                refuse({"identity_unknown", act.said.coordinate + "-3",
                        "a change of number of somebody who is not known, without his name"},
                       std::nullopt);
                co_return;
            }
        }
        const std::optional<PatientId> id = co_await state(act);
        if (!id) co_return;
        for (const auto& number : act.former) {
            if (number == number_of(act)) continue;
            const std::optional<FoundPatient> before = co_await find(number);
            if (!before) co_await remember(number, *id);
        }
        if (act.stay) co_await stay(*id, *act.stay);
    }

    asio::awaitable<void> link(const IdentityAct& act) {
        const bool linked = act.kind == IdentityAct::Kind::link;
        for (const auto& number : act.former) {
            const auto own = number_of(act);
            const auto& a = std::min(own, number);
            const auto& b = std::max(own, number);
            if (a == b) continue;
            const pg::Rows put =
                co_await transaction_.query(put_link, pg::params(place_.legal_entity, place_.site, a.authority_oid,
                                                                 a.id, b.authority_oid, b.id, linked, said_at_));
            const std::optional<FoundPatient> first = co_await find(own);
            const std::optional<FoundPatient> second = co_await find(number);
            if (put.affected() == 0) continue;  // a newer word is known
            if (first) event(linked ? "identity_link" : "identity_unlink", first->id, {});
            if (linked || !first || !second || first->id != second->id) continue;
            // They were one here: whose own record ended goes on by itself again.
            for (const auto& ended : {first, second}) {
                if (!ended->own || !ended->ended) continue;
                const pg::Rows merges = co_await transaction_.query(find_merge, pg::params(*ended->own));
                if (merges.empty()) continue;
                const Result<void> done = co_await split(merges[0].int64(0), said_at_);
                if (!done) refuse({"split_refused", act.said.coordinate + "-3", done.error().what}, first->id);
            }
            if (!first->own || !second->own) {
                refuse({"split_refused", act.said.coordinate + "-3",
                        "one of the two numbers never had a record of its own: nobody to split"},
                       first->id);
            }
        }
    }

    asio::awaitable<bool> told_apart(domain::LocalIdentifier own, domain::LocalIdentifier other) {
        const auto& a = std::min(own, other);
        const auto& b = std::max(own, other);
        const pg::Rows rows = co_await transaction_.query(
            find_link, pg::params(place_.legal_entity, a.authority_oid, a.id, b.authority_oid, b.id));
        co_return !rows.empty() && !rows[0].boolean(0) && rows[0].instant(1) > said_at_;
    }

    asio::awaitable<void> remember(domain::LocalIdentifier number, PatientId patient) {
        co_await transaction_.query(remember_number, pg::params(place_.legal_entity, place_.site, number.authority_oid,
                                                                number.id, patient, said_at_));
    }

    asio::awaitable<void> stay(PatientId patient, const domain::StayStatement& said) {
        const pg::Rows rows = co_await transaction_.query(lock_stay, pg::params(patient, said.number));
        std::optional<domain::Stay> known;
        Uuid id = Uuid::v7(place_.now);
        if (!rows.empty()) {
            id = rows[0].uuid(0);
            known = stay_of(rows[0], 1);
        }
        const domain::Stay becomes = domain::change(known, said);
        const bool nothing = said.number.empty() && !said.dmp && !known;
        if (nothing) co_return;
        const bool changed = !known || becomes != *known;
        if (changed) {
            co_await transaction_.query(
                put_stay,
                pg::params(id, place_.legal_entity, place_.site, patient, becomes.number, becomes.patient_class,
                           becomes.location, becomes.planned, becomes.cancelled, becomes.admitted_at,
                           becomes.discharged_at, becomes.dmp_status, becomes.consultation,
                           becomes.at_admission.opposed, becomes.at_admission.at, becomes.at_discharge.opposed,
                           becomes.at_discharge.at, becomes.said_at, becomes.beginning_said_at, becomes.end_said_at,
                           place_.now, becomes.place_said_at, becomes.dmp_said_at));
        }
        if (said.movement) {
            const auto& m = *said.movement;
            const bool cancelled = m.action == domain::Movement::Action::cancel;
            co_await transaction_.query(
                put_movement, pg::params(id, m.id, place_.legal_entity, place_.site, m.start, m.historic, m.event,
                                         m.medical_ward, m.nursing_ward, m.nature, cancelled, said.said_at));
        }
        if (!changed) co_return;
        const auto opposed = becomes.decision().opposed;
        json::object payload{{"event", to_string(said.event)}};
        if (opposed) payload["dmp_opposed"] = *opposed;
        event("stay", patient, std::move(payload));
        const bool newly = opposed.value_or(false) && !(known && known->decision().opposed.value_or(false));
        if (!newly) co_return;
        const auto held = hold();
        const pg::Rows stopped = co_await transaction_.query(
            hold_opposed, pg::params(patient, to_string(held.state), to_string(held.reason), place_.now, place_.actor,
                                     "the patient opposes his DMP", becomes.number));
        if (stopped.affected() > 0) {
            work(
                "letters_held", "ZFA-9",
                fmt::format("the patient opposes his DMP: letters to it were held ({}): sgld letters list --state held",
                            stopped.affected()));
        }
        const pg::Rows gone = co_await transaction_.query(dmp_letters, pg::params(patient, becomes.number));
        if (gone[0].int64(0) > 0) {
            work("dmp_opposed_late", "ZFA-9",
                 fmt::format("the patient opposes his DMP, and reports of this stay are there or may be ({})",
                             gone[0].int64(0)));
        }
    }

    pg::Transaction& transaction_;
    Place place_;
    Instant said_at_{};
    std::vector<Trouble> troubles_;
    std::vector<Trouble> answered_;
    std::vector<AuditEvent> events_;
    bool refused_{};
};

pg::Step work_step(const Place& place, const std::vector<Trouble>& troubles) {
    pg::TextColumn kinds;
    pg::TextColumn coordinates;
    pg::TextColumn whats;
    for (const auto& trouble : troubles) {
        kinds.add(trouble.kind);
        coordinates.add(trouble.coordinate);
        whats.add(trouble.what);
    }
    return pg::Step{insert_work,
                    pg::params(place.legal_entity, place.site, place.message, place.now, kinds, coordinates, whats)};
}

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
    Place place{arrival.legal_entity, arrival.site, now, "link:" + arrival.link_name, id.value()};
    Session session(transaction, place);
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
    if (!session.troubles().empty()) steps.push_back(work_step(place, session.troubles()));
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
    Place place{domain::LegalEntityId{}, domain::SiteId{}, deed.at, deed.actor, std::nullopt};
    Session session(transaction, place);
    Result<void> done = co_await session.split(change, deed.at);
    if (!done) {
        co_await transaction.rollback();
        co_return done;
    }
    for (auto& event : session.events())
        event.payload = codec::text({{"act", codec::parse(event.payload)}, {"why", deed.why}});
    std::vector<pg::Step> steps;
    if (!session.troubles().empty()) steps.push_back(work_step(session.place(), session.troubles()));
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
    const Place place{domain::LegalEntityId{rows[0].int32(patients::identity_columns)},
                      domain::SiteId{rows[0].int32(patients::identity_columns + 1)}, deed.at, deed.actor, std::nullopt};
    const bool slave = co_await patients::identity_slave(transaction, place.site);
    Result<void> allowed = domain::may_give_status(known, to, slave);
    Session session(transaction, place);
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

asio::awaitable<std::vector<MisdirectedDocument>> Identities::documents(std::vector<std::int32_t> sites,
                                                                        std::optional<std::int64_t> change) {
    pg::Transaction transaction = co_await pool_.begin(std::move(sites));
    const pg::Rows rows = co_await transaction.query(list_documents, pg::params(change));
    co_await transaction.rollback();
    std::vector<MisdirectedDocument> found;
    for (const auto row : rows) {
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
        found.push_back(std::move(document));
    }
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
        line.patient = PatientId{row.uuid(4)};
        line.wrong_patient = PatientId{row.uuid(5)};
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
    return {count_ignored,  read_ignored, merge_patients,  move_open_orders, move_orders,        insert_change,
            lock_merge,     find_merge,   undo_merge,      free_patient,     give_back_patients, survivor_of,
            orders_between, open_orders,  remember_number, put_link,         find_link,          lock_stay,
            put_stay,       put_movement, dmp_letters,     insert_work,      list_documents,     count_documents,
            list_changes,   close_change, put_profiles,   hold_wrong,   hold_opposed,       lock_patient};
}

}  // namespace sgl::store
