#include "lib/store/patients.hpp"

#include "lib/base/text.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

// The record of that number, or whom the number was given to; then whom he was merged into.
constexpr pg::Query find_patient{"patients.find",
                                 "select " SGL_IDENTITY_COLUMNS R"sql(, p.merged_into, n.own, n.ended_at
    from (select coalesce(q.merged_into, q.id) as survivor, q.id as own, 0 as rank,
                 (select max(c.said_at) from identity_change c
                  where c.kind = 'merged' and c.wrong_patient_id = q.id and c.undone_at is null) as ended_at
          from patient q where q.legal_entity_id = $1 and q.local_authority = $2 and q.local_id = $3
          union all
          select coalesce(q.merged_into, q.id), null, 1, f.ended_at
          from patient_former_number f join patient q on q.id = f.patient_id
          where f.legal_entity_id = $1 and f.local_authority = $2 and f.local_id = $3
          order by rank limit 1) n
    join patient p on p.id = n.survivor
    for no key update of p)sql"};

constexpr pg::Query insert_patient{"patients.insert", R"sql(
    insert into patient (id, legal_entity_id, site_id, local_authority, local_id, birth_name, birth_given_names, first_given_name,
        used_name, used_given_name, birth_date, sex, birth_place, address, phone, ins_matricule, ins_oid, status, doubtful,
        fictitious, dmp_opposed, messaging_opposed, homonym, identity_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::jsonb, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
    on conflict (legal_entity_id, local_authority, local_id) do nothing returning id)sql"};

constexpr pg::Query update_patient{"patients.update", R"sql(
    update patient set local_authority = $2, local_id = $3, birth_name = $4, birth_given_names = $5, first_given_name = $6,
        used_name = $7, used_given_name = $8, birth_date = $9, sex = $10, birth_place = $11, address = $12::jsonb, phone = $13,
        ins_matricule = $14, ins_oid = $15, status = $16, doubtful = $17, fictitious = $18, dmp_opposed = $19,
        messaging_opposed = $20, homonym = $21, identity_at = $22, updated_at = $23,
        row_version = row_version + case when $24 then 1 else 0 end
    where id = $1)sql"};

constexpr pg::Query is_slave{"patients.is_slave", R"sql(
    select exists (select 1 from site s join legal_entity e on e.id = s.legal_entity_id
                   join identity_profile f on f.finess in (s.finess, e.finess) and f.slave where s.id = $1))sql"};

constexpr pg::Query same_ins{"patients.same_ins", R"sql(
    select count(*) from patient p
    where p.legal_entity_id = $1 and p.ins_matricule = $2 and p.ins_oid = $3 and p.id <> $4 and p.merged_into is null
      and not exists (
        select 1 from patient_link l join patient o on o.id = $4
        where l.legal_entity_id = $1 and l.linked
          and ((l.a_authority, l.a_id, l.b_authority, l.b_id) = (p.local_authority, p.local_id, o.local_authority, o.local_id)
            or (l.b_authority, l.b_id, l.a_authority, l.a_id) = (p.local_authority, p.local_id, o.local_authority, o.local_id))))sql"};

constexpr pg::Query same_traits{"patients.same_traits", R"sql(
    select count(*) from patient p
    where p.legal_entity_id = $1 and p.birth_name = $2 and p.birth_date = $3 and p.first_given_name = $4 and p.sex = $5
      and (p.birth_place = $6 or p.birth_place = '' or $6 = '') and p.id <> $7 and p.merged_into is null and not p.homonym
      and not exists (
        select 1 from patient_link l join patient o on o.id = $7
        where l.legal_entity_id = $1 and l.linked
          and ((l.a_authority, l.a_id, l.b_authority, l.b_id) = (p.local_authority, p.local_id, o.local_authority, o.local_id)
            or (l.b_authority, l.b_id, l.a_authority, l.a_id) = (p.local_authority, p.local_id, o.local_authority, o.local_id))))sql"};

std::string birth_date(const domain::Traits& traits) {
    return traits.birth_date ? to_hl7(*traits.birth_date) : std::string();
}

struct Columns {
    std::string address;
    std::optional<std::string> matricule;
    std::optional<std::string> oid;

    explicit Columns(const domain::Patient& patient) {
        address = codec::text(codec::to_json(patient.traits.reveal().address));
        if (!patient.ins) return;
        matricule = patient.ins->reveal().matricule.text();
        oid = patient.ins->reveal().oid;
    }
};

}  // namespace

namespace patients {

domain::KnownIdentity identity_of(const pg::Row& row, int at) {
    domain::KnownIdentity known;
    known.patient = rows::patient(row, at);
    const int rest = at + rows::patient_columns;
    auto& traits = known.patient.traits.reveal();
    traits.address = codec::address(codec::parse(row.text(rest)));
    traits.phone = row.string(rest + 1);
    known.patient.choices = {row.boolean(rest + 2), row.boolean(rest + 3)};
    known.homonym = row.boolean(rest + 4);
    known.said_at = row.optional_instant(rest + 5);
    return known;
}

asio::awaitable<std::optional<FoundPatient>> find(pg::Transaction& transaction, domain::LegalEntityId legal_entity,
                                                  domain::LocalIdentifier number) {
    // Somebody may merge him between our looking and our lock: then look again.
    for (int attempt = 0; attempt < 3; ++attempt) {
        const pg::Rows rows =
            co_await transaction.query(find_patient, pg::params(legal_entity, number.authority_oid, number.id));
        if (rows.empty()) co_return std::nullopt;
        const auto row = rows[0];
        if (!row.is_null(identity_columns)) continue;
        FoundPatient found;
        found.identity = identity_of(row, 0);
        found.id = found.identity.patient.id;
        if (const auto own = row.optional_uuid(identity_columns + 1)) found.own = domain::PatientId{*own};
        found.ended = !found.own || *found.own != found.id;
        found.ended_at = row.optional_instant(identity_columns + 2);
        co_return found;
    }
    throw std::runtime_error("a patient is merged again and again");
}

asio::awaitable<std::optional<domain::PatientId>> insert(pg::Transaction& transaction, PatientPlace place,
                                                         const domain::KnownIdentity& identity) {
    const auto& patient = identity.patient;
    const auto& traits = patient.traits.reveal();
    const Columns columns(patient);
    const Uuid fresh = Uuid::v7(place.now);
    const pg::Rows rows = co_await transaction.query(
        insert_patient,
        pg::params(fresh, place.legal_entity, place.site, patient.local_authority_oid, patient.local_id,
                   traits.birth_name, traits.birth_given_names, traits.first_given_name, traits.used_name,
                   traits.used_given_name, birth_date(traits), to_string(traits.sex), traits.birth_place,
                   columns.address, traits.phone, columns.matricule, columns.oid, to_string(patient.status),
                   patient.doubtful, patient.fictitious, patient.choices.dmp_opposed, patient.choices.messaging_opposed,
                   identity.homonym, identity.said_at, place.now));
    if (rows.empty()) co_return std::nullopt;
    co_return domain::PatientId{fresh};
}

asio::awaitable<void> update(pg::Transaction& transaction, domain::PatientId id, Instant now,
                             const domain::KnownIdentity& identity, bool to_be_seen) {
    const auto& patient = identity.patient;
    const auto& traits = patient.traits.reveal();
    const Columns columns(patient);
    const pg::Rows done = co_await transaction.query(
        update_patient,
        pg::params(id, patient.local_authority_oid, patient.local_id, traits.birth_name, traits.birth_given_names,
                   traits.first_given_name, traits.used_name, traits.used_given_name, birth_date(traits),
                   to_string(traits.sex), traits.birth_place, columns.address, traits.phone, columns.matricule,
                   columns.oid, to_string(patient.status), patient.doubtful, patient.fictitious,
                   patient.choices.dmp_opposed, patient.choices.messaging_opposed, identity.homonym, identity.said_at,
                   now, to_be_seen));
    if (done.affected() != 1) throw std::runtime_error("the patient is not there any more");
}

asio::awaitable<std::vector<domain::Trouble>> duplicates(pg::Transaction& transaction,
                                                         domain::LegalEntityId legal_entity, domain::PatientId id,
                                                         const domain::KnownIdentity& identity) {
    std::vector<domain::Trouble> troubles;
    const auto& patient = identity.patient;
    if (patient.ins) {
        const auto& ins = patient.ins->reveal();
        const pg::Rows others =
            co_await transaction.query(same_ins, pg::params(legal_entity, ins.matricule.text(), ins.oid, id));
        if (others[0].int64(0) > 0) {
            troubles.push_back({"duplicate_ins", "PID-3", "another patient of this legal entity has the same INS"});
            co_return troubles;
        }
    }
    const auto& traits = patient.traits.reveal();
    const bool known = !traits.birth_name.empty() && !traits.first_given_name.empty() && traits.birth_date &&
                       traits.birth_date->precision == Precision::day;
    if (!known || identity.homonym || patient.fictitious) co_return troubles;
    const pg::Rows others = co_await transaction.query(
        same_traits, pg::params(legal_entity, traits.birth_name, birth_date(traits), traits.first_given_name,
                                to_string(traits.sex), traits.birth_place, id));
    if (others[0].int64(0) > 0)
        troubles.push_back({"duplicate_traits", "PID-5", "another patient of this legal entity has the same traits"});
    co_return troubles;
}

asio::awaitable<bool> identity_slave(pg::Transaction& transaction, domain::SiteId site) {
    const pg::Rows rows = co_await transaction.query(is_slave, pg::params(site));
    co_return !rows.empty() && rows[0].boolean(0);
}

asio::awaitable<Result<domain::PatientId>> of_order(pg::Transaction& transaction, PatientPlace place,
                                                    const domain::Patient& patient,
                                                    std::vector<domain::Trouble>& troubles) {
    const domain::LocalIdentifier number{patient.local_authority_oid, patient.local_id};
    const bool slave = co_await identity_slave(transaction, place.site);
    for (int attempt = 0; attempt < 3; ++attempt) {
        std::optional<FoundPatient> found = co_await find(transaction, place.legal_entity, number);
        if (!found && slave) {
            co_return Error{
                Fault::refused, "PID-3",
                "this site is an identity slave: the patient is not known, and only the hospital's identity "
                "server makes patients here"};
        }
        std::optional<domain::KnownIdentity> known;
        if (found) known = found->identity;
        domain::IdentityStatement said = domain::stated_by_order(patient);
        // An identity slave compares and takes nothing over: neither traits nor INS nor a status.
        if (found && (slave || found->ended)) {
            const auto places =
                domain::contradictions("PID", known->patient.traits.reveal(), said.patient.traits.reveal());
            if (!places.empty()) {
                co_return Error{Fault::refused, places.front(),
                                "the identity of the order is not that of the patient who has this number"};
            }
            if (found->ended) {
                troubles.push_back(
                    {"merged_identifier", "PID-3", "this number has ended: the order is of the patient who goes on"});
            }
            domain::KnownIdentity opposed = *known;
            auto& choices = opposed.patient.choices;
            choices.dmp_opposed = choices.dmp_opposed || patient.choices.dmp_opposed;
            choices.messaging_opposed = choices.messaging_opposed || patient.choices.messaging_opposed;
            if (choices != known->patient.choices) co_await update(transaction, found->id, place.now, opposed, true);
            co_return found->id;
        }
        domain::IdentityChange becomes = domain::change(known, said);
        if (becomes.refused) {
            const auto& trouble = becomes.troubles.front();
            co_return Error{Fault::refused, trouble.coordinate, trouble.what};
        }
        std::optional<domain::PatientId> id;
        if (found) {
            id = found->id;
            if (becomes.changed) co_await update(transaction, *id, place.now, becomes.identity, becomes.to_be_seen);
        } else {
            id = co_await insert(transaction, place, becomes.identity);
            if (!id) continue;
        }
        if (known) troubles.insert(troubles.end(), becomes.troubles.begin(), becomes.troubles.end());
        const bool other_ins = !known || known->patient.ins != becomes.identity.patient.ins;
        if (becomes.strict_changed || other_ins) {
            std::vector<domain::Trouble> others =
                co_await duplicates(transaction, place.legal_entity, *id, becomes.identity);
            troubles.insert(troubles.end(), others.begin(), others.end());
        }
        co_return *id;
    }
    throw std::runtime_error("a patient is made and gone again and again");
}

}  // namespace patients

std::vector<pg::Query> patients_queries() {
    return {find_patient, insert_patient, update_patient, is_slave, same_ins, same_traits};
}

}  // namespace sgl::store
