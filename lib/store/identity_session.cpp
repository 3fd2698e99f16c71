#include "lib/store/identity_session.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "lib/store/codec.hpp"
#include "lib/store/letter_rows.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/queries.hpp"
#include "lib/store/work_rows.hpp"

namespace sgl::store {

namespace {

namespace json = boost::json;
using domain::IdentityAct;
using domain::PatientId;
using domain::Trouble;

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

constexpr pg::Query count_documents{"identities.count_documents", "select count(*) " SGL_MISDIRECTED " and c.id = $1"};

// What has not left yet waits for a person.
constexpr pg::Query hold_wrong{"identities.hold_wrong",
                               "with waiting as (select l.id, l.state as before " SGL_SIGNED_WRONGLY
                               " and c.id = $1 and l.state in ('due', 'retry') "
                               "and (c.kind = 'split' or l.channel in ('DMP', 'MSS_CITIZEN')) " SGL_STOP_LETTERS};

constexpr pg::Query hold_opposed{
    "identities.hold_opposed",
    "with waiting as (select l.id, l.state as before from lab_order o "
    "join report_set s on s.order_id = o.id join report_version v on v.set_id = s.id "
    "join letter l on l.version_id = v.id "
    "where o.patient_id in (select patient_family($1)) and (o.stay_number = $7 or $7 = '') "
    "and l.channel = 'DMP' and l.act = 'deliver' and l.state in ('due', 'retry') " SGL_STOP_LETTERS};

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

}  // namespace

asio::awaitable<void> IdentitySession::run(const IdentityAct& act) {
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

asio::awaitable<Result<void>> IdentitySession::split(std::int64_t change, Instant said_at) {
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
    event("identity_split", apart, {{"from", to_string(from.value())}, {"merge", change}, {"orders", orders.size()}});
    ChangeRow made{"split", apart, from, {}, {}, said_at, since, orders, {}};
    co_await record(std::move(made));
    if (const auto between = done[4][0].int64(0); between > 0) {
        work("split_orders", "PID-3",
             fmt::format("orders were registered while the two patients were one ({}): to whom do they belong?",
                         between));
    }
    co_return Result<void>{};
}

void IdentitySession::trouble(Trouble trouble) {
    answered_.push_back(trouble);
    troubles_.push_back(std::move(trouble));
}

void IdentitySession::work(std::string kind, std::string coordinate, std::string what) {
    troubles_.push_back({std::move(kind), std::move(coordinate), std::move(what)});
}

void IdentitySession::event(std::string action, PatientId patient, json::object payload) {
    AuditEvent event;
    event.legal_entity = place_.legal_entity;
    event.site = place_.site;
    event.actor = place_.actor;
    event.action = std::move(action);
    event.object = patient_object(patient);
    if (place_.message) payload["message"] = place_.message->value();
    event.payload = codec::text(payload);
    events_.push_back(std::move(event));
}

void IdentitySession::refuse(Trouble trouble, std::optional<PatientId> patient) {
    refused_ = true;
    if (patient) event("identity_refused", *patient, {{"kind", trouble.kind}, {"where", trouble.coordinate}});
    this->trouble(std::move(trouble));
}

asio::awaitable<std::optional<FoundPatient>> IdentitySession::find(domain::LocalIdentifier number) {
    co_return co_await patients::find(transaction_, place_.legal_entity, std::move(number));
}

domain::LocalIdentifier IdentitySession::number_of(const IdentityAct& act) {
    return {act.said.patient.local_authority_oid, act.said.patient.local_id};
}

asio::awaitable<std::optional<PatientId>> IdentitySession::state(const IdentityAct& act) {
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

asio::awaitable<void> IdentitySession::told(PatientId id, const std::optional<domain::KnownIdentity>& known,
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
                 fmt::format("strict traits changed while orders are open ({}): check their tubes", open[0].int64(0)));
        }
    }
    if (becomes.wrong_ins) {
        const auto& ins = becomes.wrong_ins->reveal();
        ChangeRow made{"ins_changed", id, id, ins.matricule.text(), ins.oid, said_at_, {}, {}, {}};
        co_await record(std::move(made));
    }
}

asio::awaitable<void> IdentitySession::record(ChangeRow made) {
    const pg::Rows rows = co_await transaction_.query(
        insert_change,
        pg::params(place_.legal_entity, place_.site, made.kind, made.patient, made.wrong, made.matricule, made.oid,
                   made.said_at, place_.now, made.since, place_.actor, place_.message, made.orders, made.patients));
    const std::int64_t change = rows[0].int64(0);
    const pg::Rows counted = co_await transaction_.query(count_documents, pg::params(change));
    // A merge is of one person: what goes out under his ended number is still his.
    if (made.kind != "merged") {
        const pg::Rows stopped =
            co_await transaction_.query(hold_wrong, stop_params(change, domain::letter_event::Held(), place_.now,
                                                                place_.actor, "signed with another identity"));
        if (stopped.affected() > 0) {
            work("letters_held", "PID-3",
                 fmt::format("letters signed with another identity were held ({}): sgld letters list --state held",
                             stopped.affected()));
        }
    }
    if (const auto documents = counted[0].int64(0); documents > 0) {
        work("wrong_identity_documents", made.kind == "ins_changed" ? "PID-3" : "MRG-1",
             fmt::format("documents left under another identity ({}): sgld identity documents --change {}", documents,
                         change));
    }
}

asio::awaitable<void> IdentitySession::merge(const IdentityAct& act) {
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

asio::awaitable<void> IdentitySession::merge_one(const IdentityAct& act, const FoundPatient& survivor,
                                                 const domain::LocalIdentifier& number) {
    const bool apart = co_await told_apart(number_of(act), number);
    if (apart) {
        refuse({"merge_refused", "MRG-1", "a newer message says that these are two persons: the merge was not done"},
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

asio::awaitable<void> IdentitySession::renumber(const IdentityAct& act) {
    for (const auto& number : act.former) {
        if (number == number_of(act)) continue;
        const std::optional<FoundPatient> now = co_await find(number_of(act));
        const std::optional<FoundPatient> before = co_await find(number);
        if (before && now && before->id != now->id) {
            refuse({"renumber_refused", "MRG-1", "both numbers have a patient: a change of number does not merge them"},
                   now->id);
            co_return;
        }
        if (before && !now && !before->ended) {
            domain::KnownIdentity renamed = before->identity;
            renamed.patient.local_id = act.said.patient.local_id;
            renamed.patient.local_authority_oid = act.said.patient.local_authority_oid;
            co_await patients::update(transaction_, before->id, place_.now, renamed, true);
            co_await remember(number, before->id);
            event("identity_renumber", before->id,
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

asio::awaitable<void> IdentitySession::link(const IdentityAct& act) {
    const bool linked = act.kind == IdentityAct::Kind::link;
    for (const auto& number : act.former) {
        const auto own = number_of(act);
        const auto& a = std::min(own, number);
        const auto& b = std::max(own, number);
        if (a == b) continue;
        const pg::Rows put =
            co_await transaction_.query(put_link, pg::params(place_.legal_entity, place_.site, a.authority_oid, a.id,
                                                             b.authority_oid, b.id, linked, said_at_));
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

asio::awaitable<bool> IdentitySession::told_apart(domain::LocalIdentifier own, domain::LocalIdentifier other) {
    const auto& a = std::min(own, other);
    const auto& b = std::max(own, other);
    const pg::Rows rows = co_await transaction_.query(
        find_link, pg::params(place_.legal_entity, a.authority_oid, a.id, b.authority_oid, b.id));
    co_return !rows.empty() && !rows[0].boolean(0) && rows[0].instant(1) > said_at_;
}

asio::awaitable<void> IdentitySession::remember(domain::LocalIdentifier number, PatientId patient) {
    co_await transaction_.query(remember_number, pg::params(place_.legal_entity, place_.site, number.authority_oid,
                                                            number.id, patient, said_at_));
}

asio::awaitable<void> IdentitySession::stay(PatientId patient, const domain::StayStatement& said) {
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
            put_stay, pg::params(id, place_.legal_entity, place_.site, patient, becomes.number, becomes.patient_class,
                                 becomes.location, becomes.planned, becomes.cancelled, becomes.admitted_at,
                                 becomes.discharged_at, becomes.dmp_status, becomes.consultation,
                                 becomes.at_admission.opposed, becomes.at_admission.at, becomes.at_discharge.opposed,
                                 becomes.at_discharge.at, becomes.said_at, becomes.beginning_said_at,
                                 becomes.end_said_at, place_.now, becomes.place_said_at, becomes.dmp_said_at));
    }
    if (said.movement) {
        const auto& m = *said.movement;
        const bool cancelled = m.action == domain::Movement::Action::cancel;
        co_await transaction_.query(put_movement,
                                    pg::params(id, m.id, place_.legal_entity, place_.site, m.start, m.historic, m.event,
                                               m.medical_ward, m.nursing_ward, m.nature, cancelled, said.said_at));
    }
    if (!changed) co_return;
    const auto opposed = becomes.decision().opposed;
    json::object payload{{"event", to_string(said.event)}};
    if (opposed) payload["dmp_opposed"] = *opposed;
    event("stay", patient, std::move(payload));
    const bool newly = opposed.value_or(false) && !(known && known->decision().opposed.value_or(false));
    if (!newly) co_return;
    const pg::Rows stopped = co_await transaction_.query(
        hold_opposed, stop_params(patient, domain::letter_event::Held(), place_.now, place_.actor,
                                  "the patient opposes his DMP", becomes.number));
    if (stopped.affected() > 0) {
        work("letters_held", "ZFA-9",
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

void work_steps(std::vector<pg::Step>& to, const IdentityPlace& place, const std::vector<Trouble>& troubles) {
    WorkRows rows;
    for (const auto& trouble : troubles)
        rows.add(place.legal_entity, place.site, trouble, place.message, std::nullopt);
    rows.steps(to, place.now);
}

std::vector<pg::Query> identity_session_queries() {
    return {merge_patients,  move_open_orders, move_orders,        insert_change, lock_merge,     find_merge,
            undo_merge,      free_patient,     give_back_patients, survivor_of,   orders_between, open_orders,
            remember_number, put_link,         find_link,          lock_stay,     put_stay,       put_movement,
            dmp_letters,     count_documents,  hold_wrong,         hold_opposed};
}

}  // namespace sgl::store
