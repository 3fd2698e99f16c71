// The console's SQL. `$…::int[]` sites are always a condition of the query, besides row-level security (SEC-44).
#pragma once

#include <array>

#include "lib/store/identity_session.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/pg/query.hpp"

namespace sgl::store::console_queries {

using pg::Query;

#define SGL_WORKLIST                                                                          \
    "select o.id, o.site_id, o.number, o.urgent, o.state, o.registered_at, o.last_event_at, " \
    "o.prescriber, " SGL_PATIENT_COLUMNS                                                      \
    ", o.exams from lab_order o join patient p on p.id = o.patient_id where o.site_id = any($1::int[]) "
#define SGL_LETTER                                                                                                  \
    "select l.id, l.version_id, l.site_id, o.number, o.id, l.channel, l.act, l.recipient_name, l.state, l.reason, " \
    "l.attempts, l.created_at, l.next_attempt_at, l.accepted_at, l.partner_reference, l.possible_duplicate, "       \
    "l.error_where, "                                                                                               \
    "l.error_what from letter l join report_version v on v.id = l.version_id join report_set s on s.id = v.set_id " \
    "join lab_order o on o.id = s.order_id "
#define SGL_REPORT_LINE "v.id, v.version, v.state, v.validated_at, v.validator, v.published_at, v.refusal, v.kind"

inline constexpr Query local_account{
    "console.local_account", "select id, password from app_user where login = $1 and active and password is not null"};
inline constexpr Query open_session{"console.open_session", R"sql(
    insert into web_session (token_hash, user_id, csrf_token, created_at, last_seen_at, authenticated_at)
    values ($1, $2, $3, $4, $4, $4))sql"};
inline constexpr Query session{"console.session", R"sql(
    select w.csrf_token, w.created_at, w.authenticated_at, w.last_seen_at, u.id, u.login, u.definition,
           r.role, s.id, s.legal_entity_id, s.finess, s.definition
    from web_session w
    join app_user u on u.id = w.user_id and u.active
    left join user_role r on r.user_id = u.id and r.valid_from <= $4 and (r.valid_to is null or r.valid_to > $4)
    left join site s on s.id = r.site_id
    where w.token_hash = $1 and w.ended_at is null and w.last_seen_at > $2 and w.created_at > $3
    order by s.id, r.role)sql"};
inline constexpr Query touch_session{
    "console.touch_session", "update web_session set last_seen_at = $2 where token_hash = $1 and ended_at is null"};
inline constexpr Query session_owner{"console.session_owner",
                                     "select user_id from web_session where token_hash = $1 and ended_at is null"};
inline constexpr Query end_session{"console.end_session",
                                   "update web_session set ended_at = $2 where token_hash = $1 and ended_at is null"};

// Something came or changed since the partial report was signed: a biologist looks. Nothing: it waits.
#define SGL_NEWS                                                                                                     \
    "(o.state = 'in_progress' or (o.state = 'partially_reported' and o.last_event_at > (select max(v.validated_at) " \
    "from report_set s join report_version v on v.set_id = s.id where s.order_id = o.id)))"

// $2: since when a reported order is recent; $3: limit. A query that does not need $2 names it all the same.
inline constexpr Query worklist_to_validate{"console.worklist_to_validate", SGL_WORKLIST
                                            "and o.closed_at is null and " SGL_NEWS
                                            " and $2::timestamptz "
                                            "is not null order by o.urgent desc, o.registered_at limit $3"};
inline constexpr Query worklist_waiting{"console.worklist_waiting",
                                        SGL_WORKLIST "and o.closed_at is null and not " SGL_NEWS
                                                     " and $2::timestamptz is not "
                                                     "null order by o.urgent desc, o.registered_at limit $3"};
inline constexpr Query worklist_reported{"console.worklist_reported", SGL_WORKLIST
                                         "and o.state in ('fully_validated', 'reported') and o.closed_at > "
                                         "$2::timestamptz order by o.closed_at desc limit $3"};
inline constexpr Query worklist_all{"console.worklist_all", SGL_WORKLIST
                                    "and (o.closed_at is null or o.closed_at > $2::timestamptz) "
                                    "order by (o.closed_at is null) desc, o.urgent desc, o.registered_at limit $3"};
inline constexpr Query worklist_chosen{"console.worklist_chosen",
                                       SGL_WORKLIST "and o.id = any($2::uuid[]) order by array_position($2::uuid[], o.id) limit $3"};

// Each order of a list with what the filters ask. Chapters and critical limits are those of the present catalogue.
#define SGL_FACETS(IS_OF_THE_LIST, ORDER)                                                                             \
    "with candidate as materialized (select o.id, o.site_id, o.urgent, o.state, o.registered_at, o.closed_at, "       \
    "o.prescriber, o.patient_id from lab_order o where o.site_id = any($1::int[]) and $2::timestamptz is not null "   \
    "and " IS_OF_THE_LIST " order by " ORDER                                                                          \
    " limit $3), analysis as materialized (select former.id, present.definition->>'chapter_label' as chapter, "       \
    "(present.definition->'critical'->>'low')::numeric as low, "                                                      \
    "(present.definition->'critical'->>'high')::numeric as high from analyte former join analyte present "            \
    "on present.site_id = former.site_id and present.local_code = former.local_code and present.valid_to is null "    \
    "where former.site_id = any($1::int[])), "                                                                        \
    "found as (select r.order_id, string_agg(distinct a.chapter, chr(31)) as chapters, "                              \
    "bool_or(case when r.value_kind = 'q' and r.state <> 'quarantined' and r.value ~ '^-?[0-9]+([.][0-9]+)?$' then "  \
    "case r.comparator when '' then r.value::numeric < a.low or r.value::numeric > a.high "                           \
    "when '<' then r.value::numeric <= a.low when '<=' then r.value::numeric < a.low "                                \
    "when '>' then r.value::numeric >= a.high when '>=' then r.value::numeric > a.high end end) as critical "         \
    "from candidate c join result r on r.order_id = c.id join analysis a on a.id = r.analyte_id "                     \
    "where r.site_id = any($1::int[]) and r.state not in ('superseded', 'set_aside') "                                \
    "and not exists (select 1 from result n where n.order_id = r.order_id and n.replaces = r.id) "                    \
    "group by r.order_id), "                                                                                          \
    "stuck as (select s.order_id from candidate c join report_set s on s.order_id = c.id "                            \
    "join report_version v on v.set_id = s.id join letter l on l.version_id = v.id "                                  \
    "where l.state in ('blocked', 'dead') group by s.order_id) "                                                      \
    "select o.id, o.urgent, o.state = 'partially_reported', stuck.order_id is not null, o.registered_at, "            \
    "o.prescriber, coalesce(f.chapters, ''), coalesce(f.critical, false), " SGL_PATIENT_COLUMNS                       \
    " from candidate o join patient p on p.id = o.patient_id left join found f on f.order_id = o.id "                 \
    "left join stuck on stuck.order_id = o.id order by " ORDER
#define SGL_OPEN_FIRST "o.urgent desc, o.registered_at"
inline constexpr Query facets_to_validate{"console.facets_to_validate",
                                          SGL_FACETS("o.closed_at is null and " SGL_NEWS, SGL_OPEN_FIRST)};
inline constexpr Query facets_waiting{"console.facets_waiting",
                                      SGL_FACETS("o.closed_at is null and not " SGL_NEWS, SGL_OPEN_FIRST)};
inline constexpr Query facets_reported{
    "console.facets_reported",
    SGL_FACETS("o.state in ('fully_validated', 'reported') and o.closed_at > $2::timestamptz", "o.closed_at desc")};
inline constexpr Query facets_all{"console.facets_all",
                                  SGL_FACETS("(o.closed_at is null or o.closed_at > $2::timestamptz)",
                                             "(o.closed_at is null) desc, " SGL_OPEN_FIRST)};
inline constexpr Query saved_filters{"console.saved_filters", "select id, name, query from saved_filter where user_id = $1 order by name"};
inline constexpr Query save_filter{"console.save_filter", R"sql(
    insert into saved_filter (user_id, name, query, saved_at)
    select $1, $2, $3, $4 where (select count(*) from saved_filter where user_id = $1 and name <> $2) < $5
    on conflict (user_id, name) do update set query = excluded.query, saved_at = excluded.saved_at
    returning id)sql"};
inline constexpr Query drop_filter{"console.drop_filter", "delete from saved_filter where user_id = $1 and id = $2"};
inline constexpr Query worklist_counts{
    "console.worklist_counts",
    "select (select count(*) from lab_order o where o.site_id = any($1::int[]) and o.closed_at is null and " SGL_NEWS
    "), (select count(*) from lab_order o where o.site_id = any($1::int[]) and o.closed_at is null and not " SGL_NEWS
    "), (select count(*) from lab_order where site_id = any($1::int[]) and state in ('fully_validated', 'reported') "
    "and "
    "closed_at > $2), (select count(*) from lab_order where site_id = any($1::int[]) and closed_at is null and "
    "urgent)"};
inline constexpr Query worklist_results{"console.worklist_results", R"sql(
    select r.order_id, r.state, r.analyte_id, r.code, r.value_kind, r.comparator, r.value, r.value_system, r.unit
    from result r
    where r.order_id = any($1::uuid[]) and r.site_id = any($2::int[]) and r.state not in ('superseded', 'set_aside')
      and not exists (select 1 from result n where n.order_id = r.order_id and n.replaces = r.id)
    order by r.id)sql"};
inline constexpr Query worklist_letters{"console.worklist_letters", R"sql(
    select s.order_id, v.id, l.channel, l.state, l.reason
    from report_set s
    join lateral (select v.id from report_version v where v.set_id = s.id order by v.version desc limit 1) v on true
    left join letter l on l.version_id = v.id
    where s.order_id = any($1::uuid[]) and s.site_id = any($2::int[])
    order by s.order_id, l.channel, l.recipient_key)sql"};
// What the rules said last, of the order as it stands now.
inline constexpr Query worklist_verdicts{"console.worklist_verdicts", R"sql(
    select distinct on (d.order_id) d.order_id, d.green, d.amber, d.red
    from rule_decision d join lab_order o on o.id = d.order_id join patient p on p.id = o.patient_id
    where d.order_id = any($1::uuid[]) and d.site_id = any($2::int[]) and o.closed_at is null
      and d.version_id is null and d.revision = o.row_version + p.row_version - 1
    order by d.order_id, d.at desc, d.id desc)sql"};
inline constexpr Query collected{"console.collected", R"sql(
    select order_id, min(collected_at) from specimen where order_id = any($1::uuid[]) and site_id = any($2::int[]) and collected_at <> ''
    group by order_id)sql"};

inline constexpr Query order{
    "console.order",
    "select o.id, o.site_id, o.row_version + p.row_version - 1, o.number, o.placer_group, o.state, o.urgent, "
    "o.prescriber, o.copies, "
    "o.collector, "
    "o.exams, o.prescribed_at, o.registered_at, o.stay_number, o.clinical_context, "
    "o.legal_entity_id, " SGL_PATIENT_COLUMNS
    " from lab_order o join patient p on p.id = o.patient_id where o.id = $1 and o.site_id = any($2::int[])"};
inline constexpr Query order_specimens{"console.order_specimens", R"sql(
    select id, number, type, type_label, collected_at, received_at, refusal_code, refusal from specimen where order_id = $1 and site_id = any($2::int[])
    order by number)sql"};
inline constexpr Query order_results{"console.order_results", R"sql(
    select r.id, r.code, r.analyte_id is not null, r.comparator || r.value, r.unit, r.received_flags, r.note, r.status, r.state,
           r.specimen_number, r.received_at, coalesce(r.settled_by, ''), coalesce(r.settled_why, ''), r.settled_at
    from result r
    where r.order_id = $1 and r.site_id = any($2::int[]) and r.state <> 'superseded'
      and not exists (select 1 from result n where n.order_id = r.order_id and n.replaces = r.id)
    order by r.id)sql"};
inline constexpr Query order_prior{"console.order_prior", R"sql(
    select content from prior_result where order_id = $1 and site_id = any($2::int[]) order by message_id, position)sql"};
inline constexpr Query order_reports{
    "console.order_reports",
    "select " SGL_REPORT_LINE
    " from report_version v join report_set s on s.id = v.set_id where s.order_id = $1 and s.site_id = any($2::int[]) "
    "order by v.version desc"};

inline constexpr Query report{
    "console.report",
    "select " SGL_REPORT_LINE
    ", o.id, o.number, v.site_id, v.ins_qualified, v.comment, v.document_oid, v.legal_entity_id, v.patient, "
    "o.patient_id "
    "from report_version v join report_set s on s.id = v.set_id join lab_order o on o.id = s.order_id "
    "where v.id = $1 and v.site_id = any($2::int[])"};
inline constexpr Query report_versions{"console.report_versions",
                                       "select " SGL_REPORT_LINE
                                       " from report_version v where v.set_id = (select set_id from report_version "
                                       "where id = $1) and v.site_id = any($2::int[]) "
                                       "order by v.version desc"};
inline constexpr Query report_documents{"console.report_documents", R"sql(
    select variant, form, oid, octet_length(bytes), encode(sha256, 'hex') from document
    where version_id = $1 and site_id = any($2::int[]) order by form desc, variant)sql"};
inline constexpr Query report_letters{
    "console.report_letters",
    SGL_LETTER "where l.version_id = $1 and l.site_id = any($2::int[]) order by l.channel, l.recipient_key, l.act"};
inline constexpr Query report_events{"console.report_events", R"sql(
    select e.letter_id, e.at, e.actor, e.from_state, e.to_state, e.reason, e.attempt, e.detail
    from letter_event e join letter l on l.id = e.letter_id
    where l.version_id = $1 and l.site_id = any($2::int[]) order by e.id limit 500)sql"};
inline constexpr Query document{"console.document", R"sql(
    select d.bytes, o.number, v.version, v.legal_entity_id, v.site_id, o.patient_id
    from document d join report_version v on v.id = d.version_id join report_set s on s.id = v.set_id
    join lab_order o on o.id = s.order_id
    where d.version_id = $1 and d.site_id = any($2::int[]) and d.form = $3
    order by (d.variant = 'professional') desc, d.variant limit 1)sql"};

// $2, $3: one state or channel, or null for all; $4: since when closed ones are listed; $5: limit.
inline constexpr Query letters{
    "console.letters", SGL_LETTER
    "where l.site_id = any($1::int[]) and ($2::text is null or l.state = $2) and ($3::text is null or l.channel = $3) "
    "and (l.created_at > $4::timestamptz or l.state in ('due', 'sending', 'retry', 'in_doubt', 'blocked', 'dead', "
    "'held')) "
    "order by l.created_at desc limit $5"};
inline constexpr Query letter_counts{"console.letter_counts", R"sql(
    select state, count(*) from letter
    where site_id = any($1::int[]) and ($2::text is null or channel = $2)
      and (created_at > $3::timestamptz or state in ('due', 'sending', 'retry', 'in_doubt', 'blocked', 'dead', 'held'))
    group by state)sql"};
inline constexpr Query letter{"console.letter", SGL_LETTER "where l.id = $1 and l.site_id = any($2::int[])"};

inline constexpr Query work_items{"console.work_items", R"sql(
    select w.id, w.site_id, w.kind, w.coordinate, w.what, w.order_id, coalesce(o.number, ''), w.created_at,
           coalesce(o.closed_at is null, false)
           and exists (select 1 from result r where r.order_id = w.order_id and r.message_id = w.message_id and r.state = 'quarantined'
               and split_part(w.coordinate, '-', 1) in ('OBX[' || r.position || ']', case r.position when 1 then 'OBX' end))
    from work_item w left join lab_order o on o.id = w.order_id
    where w.site_id = any($1::int[]) and w.done_at is null order by w.created_at limit $2)sql"};
inline constexpr Query work_count{"console.work_count",
                                  "select count(*) from work_item where site_id = any($1::int[]) and done_at is null"};
// $1: legal entities, $2: sites.
#define SGL_FOUND_PATIENT "select " SGL_PATIENT_COLUMNS " from patient p where p.legal_entity_id = any($1::int[]) "
inline constexpr Query patients_by_number{"console.patients_by_number", SGL_FOUND_PATIENT R"sql(
    and p.id in (
        select coalesce(q.merged_into, q.id) from patient q where q.legal_entity_id = any($1::int[]) and q.local_id = $3
        union all
        select coalesce(q.merged_into, q.id) from patient q where q.legal_entity_id = any($1::int[]) and q.ins_matricule = $3
        union all
        select coalesce(q.merged_into, q.id) from patient_former_number f join patient q on q.id = f.patient_id
        where f.legal_entity_id = any($1::int[]) and f.local_id = $3
        union all
        select coalesce(q.merged_into, q.id) from order_number n join lab_order o on o.id = n.order_id join patient q on q.id = o.patient_id
        where n.number = $3 and n.site_id = any($2::int[]))
    order by p.birth_name, p.first_given_name, p.id limit $4)sql"};
// $3 to $4: the name; $5 to $6: the given name; $7: the birth date or empty.
inline constexpr Query patients_by_name{"console.patients_by_name", SGL_FOUND_PATIENT R"sql(
    and $2::int[] is not null and p.merged_into is null
    and (p.birth_name between $3 and $4 or p.used_name between $3 and $4)
    and ($5 = '' or p.first_given_name between $5 and $6 or p.used_given_name between $5 and $6)
    and ($7 = '' or p.birth_date = $7)
    order by p.birth_name, p.first_given_name, p.birth_date, p.id limit $8)sql"};
#undef SGL_FOUND_PATIENT
inline constexpr Query patient{"console.patient",
                               "select " SGL_PATIENT_COLUMNS
                               ", p.address, p.phone, p.dmp_opposed, p.messaging_opposed, p.homonym, p.legal_entity_id, p.site_id, "
                               "p.merged_into from patient p where p.id = $1 and p.legal_entity_id = any($2::int[])"};
inline constexpr Query patient_numbers{"console.patient_numbers", R"sql(
    select local_id from patient where merged_into = $1 and legal_entity_id = any($2::int[])
    union all
    select local_id from patient_former_number where patient_id in (select patient_family($1)) and legal_entity_id = any($2::int[])
    order by 1)sql"};
inline constexpr Query patient_steps{"console.patient_steps", R"sql(
    select at, was_status, is_status, ins_changed, reliability, was_traits from patient_history
    where patient_id = $1 and legal_entity_id = any($2::int[]) order by id desc limit 50)sql"};
inline constexpr Query patient_turns{"console.patient_turns", R"sql(
    select c.id, c.kind, c.at, c.actor, case when c.kind = 'ins_changed' then '' when c.patient_id = $1 then w.local_id else p.local_id end,
           c.undone_at is not null, c.closed_at is not null
    from identity_change c join patient p on p.id = c.patient_id join patient w on w.id = c.wrong_patient_id
    where (c.patient_id = $1 or c.wrong_patient_id = $1) and c.legal_entity_id = any($2::int[]) order by c.id desc limit 50)sql"};
inline constexpr Query patient_orders{"console.patient_orders", R"sql(
    select o.id, o.site_id, o.number, o.state, o.urgent, o.registered_at, o.prescriber, o.exams
    from lab_order o where o.patient_id in (select patient_family($1)) and o.site_id = any($2::int[])
    order by o.registered_at desc limit $3)sql"};
// As `sgld identity documents`, of changes that he was part of.
inline constexpr Query patient_documents{
    "console.patient_documents",
    "select " SGL_MISDIRECTED_COLUMNS R"sql(, o.id, v.id,
           (select o.row_version + p.row_version - 1 from patient p where p.id = o.patient_id), c.closed_at is not null,
           v.state = 'withdrawn', l.recipient_name
    )sql" SGL_MISDIRECTED R"sql( and (c.patient_id = $1 or c.wrong_patient_id = $1) and l.site_id = any($2::int[])
    order by c.id desc, o.number, v.version, l.channel, l.recipient_key)sql"};
inline constexpr Query patient_reports{
    "console.patient_reports",
    "select s.order_id, " SGL_REPORT_LINE
    " from report_version v join report_set s on s.id = v.set_id where s.order_id = any($1::uuid[]) and s.site_id = any($2::int[]) "
    "order by v.version desc"};

inline constexpr Query instance{"console.instance", "select instance_uuid, label, environment from instance"};

#undef SGL_NEWS
#undef SGL_FACETS
#undef SGL_OPEN_FIRST
#undef SGL_WORKLIST
#undef SGL_LETTER
#undef SGL_REPORT_LINE

inline constexpr std::array all{
    local_account,        open_session,     session,           touch_session, end_session,          session_owner,
    worklist_to_validate, worklist_waiting, worklist_reported, worklist_all,  worklist_counts,
    worklist_results,     worklist_letters, collected,         order,         order_specimens,
    worklist_chosen,      facets_to_validate, facets_waiting,  facets_reported, facets_all,
    saved_filters,        save_filter,      drop_filter,       worklist_verdicts,
    order_results,        order_reports,    order_prior,       report,        report_versions,
    report_documents,     report_letters,   report_events,     document,      letters,
    letter_counts,        letter,           work_items,        work_count,    instance,
    patients_by_number,   patients_by_name, patient,           patient_numbers, patient_steps,
    patient_turns,        patient_orders,   patient_reports,   patient_documents};

}  // namespace sgl::store::console_queries
