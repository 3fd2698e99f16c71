#include "lib/store/reports.hpp"

#include <boost/json/value.hpp>

#include "lib/base/failpoint.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/letter_rows.hpp"
#include "lib/store/queries.hpp"
#include "lib/store/work_rows.hpp"

namespace sgl::store {

namespace {

namespace json = boost::json;

constexpr pg::Query find_previous{"reports.previous", R"sql(
    select local_code, content->'result'->'value', content->'result'->>'measured_at', content->'result'->>'method'
    from (select v.local_code, v.content, row_number() over (partition by v.local_code order by v.at desc, v.version_id) nth
          from validated_result v join report_version rv on rv.id = v.version_id join report_set s on s.id = rv.set_id
          where v.patient_id = any(array(select patient_family($1))) and s.order_id <> $2
            and v.content->>'isolate' is null and v.content->'result'->>'not_done' is null
            and not exists (select from report_version w where w.set_id = rv.set_id
                            and (w.state = 'withdrawn' or w.version > rv.version))) newest
    where nth <= $3 order by local_code, nth)sql"};

// $4: for a part of it, the rest is awaited; $5: the next version of a report that has left.
constexpr pg::Query close_order{"reports.close_order", R"sql(
    update lab_order set state = case when $4 then 'partially_reported' else 'fully_validated' end,
        row_version = row_version + 1, last_event_at = $3, closed_at = case when $4 then null else $3::timestamptz end
    where id = $1 and row_version = $2
      and state = any(case when $5 then array['partially_reported', 'reported'] else array['registered', 'in_progress'] end))sql"};

constexpr pg::Query validate_results{"reports.validate_results", R"sql(
    update result set state = 'bio_validated' where id = any($1::bigint[]) and state in ('raw', 'late'))sql"};

constexpr pg::Query close_work_of_signed{"reports.close_work_of_signed", R"sql(
    update work_item w set done_at = $3, done_by = $4, done_why = 'signed in the next version'
    from result r
    where r.id = any($2::bigint[]) and w.order_id = $1 and w.kind = 'late_result' and w.done_at is null
      and w.message_id = r.message_id and split_part(w.coordinate, '-', 1) = 'OBX[' || r.position || ']')sql"};

constexpr pg::Query read_last{"reports.last", R"sql(
    select v.set_id, v.version, v.id, v.state, v.validated_at, v.kind,
           exists (select from report_version f where f.set_id = v.set_id and f.version <= v.version and f.kind <> 'partial')
    from report_set s join report_version v on v.set_id = s.id where s.order_id = $1
    order by v.version desc limit 1)sql"};

constexpr pg::Query mark_withdrawn{"reports.withdraw", R"sql(
    update report_version set state = 'withdrawn', withdrawn_at = $2, withdrawn_by = $3, withdrawn_why = $4
    where id = $1 and state = 'published')sql"};

// What was awaited for a partial report that is withdrawn is reported with a new order.
constexpr pg::Query touch_order{"reports.touch_order", R"sql(
    update lab_order set row_version = row_version + 1, last_event_at = $3, state = 'reported', closed_at = coalesce(closed_at, $3)
    where id = $1 and row_version = $2 and state in ('reported', 'partially_reported'))sql"};

// Of each recipient the newest version that he has, or may have.
constexpr pg::Query find_sent{"reports.sent", R"sql(
    select distinct on (l.channel, l.recipient_key) l.version_id, l.channel, l.recipient_key, l.recipient_name, l.address,
           l.partner_id, l.month
    from letter l join report_version v on v.id = l.version_id
    where v.set_id = $1 and l.act = 'deliver'
      and (l.state in ('sending', 'in_doubt', 'accepted', 'delivered') or l.possible_duplicate
           or exists (select from letter_event e where e.letter_id = l.id and e.to_state in ('accepted', 'delivered', 'in_doubt')))
    order by l.channel, l.recipient_key, v.version desc)sql"};

constexpr pg::Query insert_withdrawals{"reports.insert_withdrawals", R"sql(
    insert into letter (id, legal_entity_id, site_id, version_id, variant, channel, act, recipient_key, recipient_name, address,
        partner_id, state, reason, month, created_at, trying_since, next_attempt_at)
    select id, $1, $2, version, 'professional', channel, 'withdraw', key, name, address, partner, 'due', '', month, $3, $3, $3
    from unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int[], $11::date[])
         as t(id, version, channel, key, name, address, partner, month))sql"};

// Letters of former versions that never left and wait for a person: the new version goes in their place. Those that are
// due or tried again go first (Outbox::claim).
constexpr pg::Query supersede_waiting{"reports.supersede_waiting",
                                      "with waiting as (select l.id, l.state as before from letter l "
                                      "join report_version v on v.id = l.version_id "
                                      "join report_version n on n.set_id = v.set_id and n.version > v.version "
                                      "where n.id = $1 and l.act = 'deliver' and l.first_sent_at is null "
                                      "and l.state in ('held', 'blocked') " SGL_STOP_LETTERS};

// Before anything is stopped or asked: meanwhile no letter leaves and none comes back to be tried again.
constexpr pg::Query lock_letters{"reports.lock_letters", R"sql(
    select l.id from letter l join report_version v on v.id = l.version_id where v.set_id = $1 order by l.id for update of l)sql"};

constexpr pg::Query abandon_waiting{"reports.abandon_waiting",
                                    "with waiting as (select l.id, l.state as before from letter l "
                                    "join report_version v on v.id = l.version_id "
                                    "where v.set_id = $1 and l.act = 'deliver' "
                                    "and l.state in ('due', 'retry', 'held', 'blocked') " SGL_STOP_LETTERS};

constexpr pg::Query close_work_of_withdrawn{"reports.close_work_of_withdrawn", R"sql(
    update work_item set done_at = $2, done_by = $3, done_why = 'the report was withdrawn'
    where order_id = $1 and kind = 'report_to_withdraw' and done_at is null)sql"};

constexpr pg::Query insert_set{"reports.insert_set", R"sql(
    insert into report_set (id, legal_entity_id, site_id, order_id) values ($1, $2, $3, $4))sql"};

constexpr pg::Query insert_version{"reports.insert_version", R"sql(
    insert into report_version (id, legal_entity_id, site_id, set_id, version, kind, state, validated_at, validated_by, validator,
        month, comment, confidentiality, ins_qualified, patient, document_oid, reason, awaited)
    values ($1, $2, $3, $4, $5, $15, 'validated', $6, $7, $8::jsonb, $9, $10, 'N', $11, $12::jsonb, $13, $14, $16::jsonb))sql"};

constexpr pg::Query insert_lines{"reports.insert_lines", R"sql(
    insert into validated_result (version_id, position, legal_entity_id, site_id, patient_id, result_id, loinc, local_code, content, at)
    select $1, position, $2, $3, $4, result_id, loinc, local_code, content, at
    from unnest($5::int[], $6::bigint[], $7::text[], $8::text[], $9::jsonb[], $10::timestamptz[])
         as t(position, result_id, loinc, local_code, content, at))sql"};

constexpr pg::Query pick_to_compose{"reports.to_compose", R"sql(
    select id from report_version where state = 'validated' order by validated_at, id limit $1 offset $2)sql"};

constexpr pg::Query read_version{"reports.version", R"sql(
    select v.set_id, v.version, s.order_id, v.site_id, v.legal_entity_id, v.state, v.validated_at, v.validator, v.patient, v.comment, v.month,
           v.awaited, f.kind, f.validated_at,
           exists (select from report_version e where e.set_id = v.set_id and e.version < v.version and e.kind <> 'partial')
    from report_version v join report_set s on s.id = v.set_id
    left join report_version f on f.set_id = v.set_id and f.version = v.version - 1
    where v.id = $1)sql"};

constexpr pg::Query read_lines{"reports.lines", R"sql(
    select result_id, content from validated_result where version_id = $1 order by position)sql"};

// The report is locked: no letter of a former version comes to life meanwhile (Outbox::act).
constexpr pg::Query mark_published{"reports.publish", R"sql(
    with locked as materialized (select v.id from report_version v join report_set s on s.id = v.set_id
                                 where v.id = $1 for no key update of s)
    update report_version v set state = 'published', published_at = $2 from locked where v.id = locked.id and v.state = 'validated')sql"};

constexpr pg::Query mark_refused{"reports.refuse", R"sql(
    update report_version set state = 'refused', refusal = $2 where id = $1 and state = 'validated')sql"};

constexpr pg::Query lock_version{"reports.lock_version", R"sql(
    select v.state, s.order_id, v.legal_entity_id, v.site_id, v.refusal
    from report_version v join report_set s on s.id = v.set_id where v.id = $1 for no key update of v)sql"};

constexpr pg::Query mark_waiting{"reports.compose_again", R"sql(
    update report_version set state = 'validated', refusal = null where id = $1)sql"};

constexpr pg::Query close_work_of_refused{"reports.close_work_of_refused", R"sql(
    update work_item set done_at = $2, done_by = $3, done_why = 'composed again'
    where order_id = $1 and kind = 'report_refused' and done_at is null)sql"};

constexpr pg::Query mark_reported{"reports.mark_reported", R"sql(
    update lab_order set state = 'reported', last_event_at = $2 where id = $1 and state = 'fully_validated')sql"};

constexpr pg::Query insert_documents{"reports.insert_documents", R"sql(
    insert into document (version_id, created_at, legal_entity_id, site_id, variant, form, oid, sha256, bytes)
    select $1, $2, $3, $4, 'professional', form, $5, sha256(bytes), bytes
    from unnest($6::text[], $7::bytea[]) as t(form, bytes))sql"};

constexpr pg::Query insert_letters{"reports.insert_letters", R"sql(
    insert into letter (id, legal_entity_id, site_id, version_id, variant, channel, act, recipient_key, recipient_name, address,
        partner_id, state, reason, month, created_at, trying_since, next_attempt_at)
    select id, $1, $2, $3, 'professional', channel, 'deliver', key, name, address, partner, state, reason, $4, $5, $5, $5
    from unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::int[], $12::text[], $13::text[])
         as t(id, channel, key, name, address, partner, state, reason))sql"};

constexpr pg::Query insert_letter_events{"reports.insert_letter_events", R"sql(
    insert into letter_event (letter_id, legal_entity_id, site_id, at, actor, from_state, to_state, reason, attempt, detail)
    select id, $1, $2, $3, $4, '', state, reason, 0, '' from unnest($5::uuid[], $6::text[], $7::text[]) as t(id, state, reason))sql"};

constexpr pg::Query read_documents{"reports.documents", R"sql(
    select form, bytes, sha256(bytes) = sha256 as whole from document where version_id = $1 and variant = 'professional')sql"};

domain::ReportKind kind_of(std::string_view stored) {
    return stored == "partial" ? domain::ReportKind::partial : domain::ReportKind::final;
}

domain::ReportedLine line_of(const pg::Row& row) {
    auto line = codec::reported_line(codec::parse(row.text(1)));
    line.result = domain::ResultId{row.int64(0)};
    return line;
}

AuditEvent event_of(const StoredVersion& version, const std::string& actor, std::string action, std::string payload) {
    return {version.legal_entity,
            version.site,
            actor,
            std::move(action),
            "report:" + to_string(version.ids.version_id.value()),
            std::move(payload)};
}

}  // namespace

asio::awaitable<Reports::Previous> Reports::previous(pg::Transaction& transaction, domain::PatientId patient,
                                                     domain::OrderId order) {
    // More than are told: some may be of another unit or method.
    const auto most = static_cast<std::int32_t>(2 * domain::most_previous_results);
    const pg::Rows rows = co_await transaction.query(find_previous, pg::params(patient, order, most));
    Previous found;
    for (const auto row : rows) {
        const auto value = codec::value(codec::parse(row.text(1)));
        const auto at = Timestamp::parse(row.text(2));
        if (at) found[row.string(0)].push_back({value, *at, row.string(3)});
    }
    co_return found;
}

asio::awaitable<Result<void>> Reports::sign(pg::Transaction transaction, const SignedReport& report) {
    pg::Int4Column positions;
    pg::Int8Column results;
    pg::TextColumn loincs;
    pg::TextColumn codes;
    pg::JsonColumn contents;
    pg::InstantColumn times;
    int position = 0;
    for (const auto& line : report.lines) {
        positions.add(position++);
        results.add(line.result);
        loincs.add(line.reported.loinc);
        codes.add(line.reported.local_code);
        const std::string content = codec::text(codec::to_json(line));
        contents.add(pg::Json{content});
        times.add(TimeZone::paris().to_instant(line.reported.measured_at));
    }
    const bool first = report.ids.version == 1;
    const bool partial = report.kind == "partial";
    const pg::Rows closed = co_await transaction.query(
        close_order, pg::params(report.order, report.row_version, report.validated_at, partial, !first));
    if (closed.affected() != 1) {
        co_await transaction.rollback();
        co_return Error{Fault::conflict, "order", "the order changed while it was signed"};
    }
    failpoint("before_validate_commit");
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{validate_results, pg::params(results)});
    if (first) {
        steps.push_back(
            pg::Step{insert_set, pg::params(report.ids.set, report.legal_entity, report.site, report.order)});
    } else {
        steps.push_back(
            pg::Step{close_work_of_signed, pg::params(report.order, results, report.validated_at, report.actor)});
    }
    const std::string validator = codec::text(codec::to_json(report.validator));
    const std::string patient = codec::text(codec::to_json(report.patient));
    const std::string awaited = codec::text(codec::to_json(report.awaited));
    steps.push_back(
        pg::Step{insert_version, pg::params(report.ids.version_id, report.legal_entity, report.site, report.ids.set,
                                            report.ids.version, report.validated_at, report.user, validator,
                                            report.month, report.comment, report.patient.ins_may_leave(), patient,
                                            report.ids.document_oid, report.reason, report.kind, awaited)});
    steps.push_back(
        pg::Step{insert_lines, pg::params(report.ids.version_id, report.legal_entity, report.site, report.patient.id,
                                          positions, results, loincs, codes, contents, times)});
    // Two acts, also when one person does both in one click (lab-domain 3.2).
    std::vector<AuditEvent> events;
    for (const auto* action : {"technical_validation", "biological_validation"}) {
        AuditEvent event;
        event.legal_entity = report.legal_entity;
        event.site = report.site;
        event.actor = report.actor;
        event.action = action;
        event.object = "order:" + to_string(report.order.value());
        event.payload = codec::text({{"version", to_string(report.ids.version_id.value())},
                                     {"rpps", report.validator.rpps.text()},
                                     {"number", report.ids.version},
                                     {"kind", report.kind},
                                     {"row_version", report.row_version},
                                     {"results", report.lines.size()}});
        events.push_back(std::move(event));
    }
    steps.push_back(audit(events, report.validated_at));
    try {
        co_await transaction.commit_with(std::move(steps));
    } catch (const pg::DatabaseError& error) {
        if (!error.is_unique_violation()) throw;
        co_return Error{Fault::conflict, "order", "the order has a report already"};
    }
    failpoint("after_validate_commit");
    co_return Result<void>{};
}

asio::awaitable<std::optional<LastVersion>> Reports::last(pg::Transaction& transaction, domain::OrderId order) {
    const pg::Rows found = co_await transaction.query(read_last, pg::params(order));
    if (found.empty()) co_return std::nullopt;
    const auto row = found[0];
    LastVersion last;
    last.ids = domain::identify(domain::ReportSetId{row.uuid(0)}, static_cast<unsigned>(row.int32(1)));
    last.state = row.string(3);
    last.validated_at = row.instant(4);
    last.kind = kind_of(row.text(5));
    last.after_final = row.boolean(6);
    const pg::Rows lines = co_await transaction.query(read_lines, pg::params(row.uuid(2)));
    for (const auto line : lines)
        last.lines.push_back(line_of(line));
    co_return last;
}

asio::awaitable<Result<std::size_t>> Reports::withdraw(pg::Transaction transaction, const LastVersion& version,
                                                       const Withdrawal& withdrawal) {
    const Error conflict{Fault::conflict, "order", "the order or its report changed meanwhile"};
    std::vector<pg::Step> look;
    look.push_back(pg::Step{touch_order, pg::params(withdrawal.order, withdrawal.row_version, withdrawal.at)});
    look.push_back(
        pg::Step{mark_withdrawn, pg::params(version.ids.version_id, withdrawal.at, withdrawal.actor, withdrawal.why)});
    // What waits is stopped first: a letter that a worker took meanwhile is then seen as one that may have arrived.
    look.push_back(pg::Step{lock_letters, pg::params(version.ids.set)});
    look.push_back(pg::Step{abandon_waiting, stop_params(version.ids.set, domain::letter_event::Abandoned(),
                                                         withdrawal.at, withdrawal.actor, "the report was withdrawn")});
    look.push_back(pg::Step{find_sent, pg::params(version.ids.set)});
    const std::vector<pg::Rows> seen = co_await transaction.pipeline(std::move(look));
    if (seen[0].affected() != 1 || seen[1].affected() != 1) {
        co_await transaction.rollback();
        co_return conflict;
    }
    pg::UuidColumn ids;
    pg::UuidColumn versions;
    pg::TextColumn channels;
    pg::TextColumn keys;
    pg::TextColumn names;
    pg::TextColumn addresses;
    pg::Int4Column partners;
    pg::DateColumn months;
    pg::TextColumn states;
    pg::TextColumn reasons;
    for (const auto row : seen[4]) {
        ids.add(letter_id(domain::ReportVersionId{row.uuid(0)}, row.text(1), row.text(2), domain::Act::withdraw));
        versions.add(row.uuid(0));
        channels.add(row.text(1));
        keys.add(row.text(2));
        names.add(row.text(3));
        addresses.add(row.text(4));
        partners.add(row.optional_int32(5));
        months.add(row.date(6));
        states.add(to_string(domain::LetterState::due));
        reasons.add("");
    }
    failpoint("before_withdraw_commit");
    std::vector<pg::Step> steps;
    steps.push_back(
        pg::Step{insert_withdrawals, pg::params(withdrawal.legal_entity, withdrawal.site, withdrawal.at, ids, versions,
                                                channels, keys, names, addresses, partners, months)});
    steps.push_back(pg::Step{insert_letter_events, pg::params(withdrawal.legal_entity, withdrawal.site, withdrawal.at,
                                                              withdrawal.actor, ids, states, reasons)});
    steps.push_back(pg::Step{close_work_of_withdrawn, pg::params(withdrawal.order, withdrawal.at, withdrawal.actor)});
    std::vector<AuditEvent> events;
    AuditEvent event;
    event.legal_entity = withdrawal.legal_entity;
    event.site = withdrawal.site;
    event.actor = withdrawal.actor;
    event.action = "withdraw_report";
    event.object = "report:" + to_string(version.ids.version_id.value());
    event.payload =
        codec::text({{"document", version.ids.document_oid}, {"why", withdrawal.why}, {"letters", seen[4].size()}});
    events.push_back(std::move(event));
    steps.push_back(audit(events, withdrawal.at));
    const std::size_t letters = seen[4].size();
    co_await transaction.commit_with(std::move(steps));
    failpoint("after_withdraw_commit");
    co_return letters;
}

asio::awaitable<std::vector<domain::ReportVersionId>> Reports::to_compose(const std::vector<std::int32_t>& sites,
                                                                          std::size_t limit, std::size_t skip) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(pick_to_compose, pg::params(limit, skip));
    std::vector<domain::ReportVersionId> ids;
    for (const auto row : rows)
        ids.emplace_back(row.uuid(0));
    co_await transaction.rollback();
    co_return ids;
}

asio::awaitable<Result<StoredVersion>> Reports::version(const std::vector<std::int32_t>& sites,
                                                        domain::ReportVersionId id) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{read_version, pg::params(id)});
    steps.push_back(pg::Step{read_lines, pg::params(id)});
    const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(steps));
    co_await transaction.rollback();
    if (rows[0].empty()) co_return Error{Fault::missing, "report", "no such report version"};
    const auto row = rows[0][0];
    StoredVersion version;
    version.ids = domain::identify(domain::ReportSetId{row.uuid(0)}, static_cast<unsigned>(row.int32(1)));
    version.order = domain::OrderId{row.uuid(2)};
    version.site = domain::SiteId{row.int32(3)};
    version.legal_entity = domain::LegalEntityId{row.int32(4)};
    version.state = row.string(5);
    version.validated_at = row.instant(6);
    version.validator = codec::professional(codec::parse(row.text(7)));
    version.patient = codec::patient(codec::parse(row.text(8)));
    version.comment = row.string(9);
    version.month = row.date(10);
    version.awaited = codec::awaited(codec::parse(row.text(11)));
    if (!row.is_null(12)) version.replaced = {kind_of(row.text(12)), row.instant(13), row.boolean(14)};
    for (const auto line : rows[1])
        version.lines.push_back(line_of(line));
    co_return version;
}

asio::awaitable<bool> Reports::publish(const StoredVersion& version, const StoredDocuments& documents,
                                       const std::vector<domain::PlannedLetter>& letters, const std::string& actor,
                                       Instant now) {
    const std::vector<std::int32_t> scope(1, version.site.value());
    pg::Transaction transaction = co_await pool_.begin(scope);
    const pg::Rows won = co_await transaction.query(mark_published, pg::params(version.ids.version_id, now));
    if (won.affected() != 1) {
        co_await transaction.rollback();
        co_return false;
    }
    pg::TextColumn forms;
    pg::BytesColumn bytes;
    forms.add("n3");
    bytes.add(pg::Bytes{documents.n3});
    forms.add("pdf");
    bytes.add(pg::Bytes{documents.pdf});
    pg::UuidColumn ids;
    pg::TextColumn channels;
    pg::TextColumn keys;
    pg::TextColumn names;
    pg::TextColumn addresses;
    pg::Int4Column partners;
    pg::TextColumn states;
    pg::TextColumn reasons;
    for (const auto& letter : letters) {
        ids.add(
            letter_id(version.ids.version_id, to_string(letter.channel), letter.recipient_key, domain::Act::deliver));
        channels.add(to_string(letter.channel));
        keys.add(letter.recipient_key);
        names.add(letter.recipient_name);
        addresses.add(letter.address.reveal());
        letter.partner ? partners.add(letter.partner->value()) : partners.add_null();
        states.add(to_string(letter.state));
        reasons.add(to_string(letter.reason));
    }
    failpoint("before_report_commit");
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{insert_documents, pg::params(version.ids.version_id, now, version.legal_entity,
                                                          version.site, version.ids.document_oid, forms, bytes)});
    steps.push_back(
        pg::Step{insert_letters, pg::params(version.legal_entity, version.site, version.ids.version_id, version.month,
                                            now, ids, channels, keys, names, addresses, partners, states, reasons)});
    steps.push_back(pg::Step{insert_letter_events,
                             pg::params(version.legal_entity, version.site, now, actor, ids, states, reasons)});
    steps.push_back(pg::Step{mark_reported, pg::params(version.order, now)});
    if (version.ids.version > 1) {
        steps.push_back(
            pg::Step{supersede_waiting, stop_params(version.ids.version_id, domain::letter_event::Superseded(), now,
                                                    actor, "a newer version takes its place")});
    }
    const std::string payload = codec::text({{"document", version.ids.document_oid},
                                             {"sha256", to_hex(sha256(documents.n3))},
                                             {"letters", letters.size()}});
    std::vector<AuditEvent> events;
    events.push_back(event_of(version, actor, "publish", payload));
    steps.push_back(audit(events, now));
    co_await transaction.commit_with(std::move(steps));
    failpoint("after_report_commit");
    co_return true;
}

asio::awaitable<void> Reports::refuse(const StoredVersion& version, const std::vector<Error>& errors,
                                      const std::string& actor, Instant now) {
    const std::vector<std::int32_t> scope(1, version.site.value());
    pg::Transaction transaction = co_await pool_.begin(scope);
    std::string why;
    WorkRows work;
    for (const auto& error : errors) {
        why += (why.empty() ? "" : "\n") + to_string(error);
        work.add(version.legal_entity, version.site, {"report_refused", error.where, error.what}, std::nullopt,
                 version.order.value());
    }
    const pg::Rows won = co_await transaction.query(mark_refused, pg::params(version.ids.version_id, why));
    if (won.affected() != 1) {
        co_await transaction.rollback();
        co_return;
    }
    std::vector<pg::Step> steps;
    work.steps(steps, now);
    std::vector<AuditEvent> events;
    events.push_back(event_of(version, actor, "refuse_report", codec::text({{"errors", errors.size()}})));
    steps.push_back(audit(events, now));
    co_await transaction.commit_with(std::move(steps));
}

asio::awaitable<Result<void>> Reports::compose_again(const std::vector<std::int32_t>& sites,
                                                     domain::ReportVersionId id, const std::string& actor,
                                                     Instant now) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows found = co_await transaction.query(lock_version, pg::params(id));
    if (found.empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "report", "no such report on your sites"};
    }
    const auto row = found[0];
    if (row.text(0) != "refused") {
        co_await transaction.rollback();
        co_return Error{Fault::conflict, "report", "this version is " + row.string(0) + ": nothing to compose again"};
    }
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{mark_waiting, pg::params(id)});
    steps.push_back(pg::Step{close_work_of_refused, pg::params(row.uuid(1), now, actor)});
    std::vector<AuditEvent> events;
    const std::string payload = codec::text({{"refusal", row.string(4)}});
    events.push_back({domain::LegalEntityId{row.int32(2)}, domain::SiteId{row.int32(3)}, actor, "compose_again",
                      "report:" + to_string(id.value()), payload});
    steps.push_back(audit(events, now));
    co_await transaction.commit_with(std::move(steps));
    co_return Result<void>();
}

asio::awaitable<Result<StoredDocuments>> Reports::documents(const std::vector<std::int32_t>& sites,
                                                            domain::ReportVersionId id) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(read_documents, pg::params(id));
    co_await transaction.rollback();
    StoredDocuments documents;
    for (const auto row : rows) {
        if (!row.boolean(2))
            co_return Error{Fault::malformed, "document", "the stored bytes do not match their SHA-256"};
        (row.text(0) == "n3" ? documents.n3 : documents.pdf) = row.bytes(1);
    }
    if (documents.n3.empty() || documents.pdf.empty())
        co_return Error{Fault::missing, "document", "the documents of this version are not there"};
    co_return documents;
}

std::vector<pg::Query> reports_queries() {
    return {find_previous,
            close_order,
            validate_results,
            close_work_of_signed,
            read_last,
            mark_withdrawn,
            touch_order,
            find_sent,
            insert_withdrawals,
            supersede_waiting,
            lock_letters,
            abandon_waiting,
            close_work_of_withdrawn,
            insert_set,
            insert_version,
            insert_lines,
            pick_to_compose,
            read_version,
            read_lines,
            mark_published,
            mark_refused,
            lock_version,
            mark_waiting,
            close_work_of_refused,
            mark_reported,
            insert_documents,
            insert_letters,
            insert_letter_events,
            read_documents};
}

}  // namespace sgl::store
