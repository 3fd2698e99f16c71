#include "lib/store/audit.hpp"

#include "lib/base/digest.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/base/time.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

constexpr pg::Query insert_events{"audit.insert", R"sql(
    insert into audit_event (at, legal_entity_id, site_id, actor, action, object, payload, payload_sha256)
    select $1, e, s, actor, action, object, payload, sha
    from unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
         as t(e, s, actor, action, object, payload, sha))sql"};

constexpr pg::Query last_link{"audit.last", "select seq, hash from audit_chain order by seq desc limit 1"};

// Events commit out of order of their numbers: look back over what may still have been open.
constexpr pg::Query unsealed{"audit.unsealed", R"sql(
    select e.id, e.at, e.legal_entity_id, e.site_id, e.actor, e.action, e.object, e.payload_sha256
    from audit_event e
    where e.id > coalesce((select min(recent.event_id) from (select event_id from audit_chain order by seq desc limit 20000) recent), 0) - 10000
      and not exists (select 1 from audit_chain c where c.event_id = e.id)
    order by e.id limit $1)sql"};

constexpr pg::Query append{"audit.append", R"sql(
    insert into audit_chain (seq, event_id, prev_hash, hash)
    select * from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]))sql"};

constexpr pg::Query walk{"audit.walk", R"sql(
    select c.seq, c.prev_hash, c.hash, e.id, e.at, e.legal_entity_id, e.site_id, e.actor, e.action, e.object,
           e.payload_sha256, sha256(convert_to(e.payload, 'UTF8')) = e.payload_sha256 as payload_whole
    from audit_chain c left join audit_event e on e.id = c.event_id
    where c.seq > $1 order by c.seq limit 5000)sql"};

constexpr pg::Query count_unsealed{
    "audit.count_unsealed",
    "select count(*) from audit_event e where not exists (select 1 from audit_chain c where c.event_id = e.id)"};

// canonical(row): the fields in this order, each ended by U+001F; time as ISO 8601 UTC with microseconds; absent =
// empty.
std::string canonical(const pg::Row& row, int first) {
    std::string bytes;
    const auto put = [&](std::string_view text) {
        bytes += text;
        bytes += '\x1F';
    };
    put(row.text(first));
    put(to_iso8601(row.instant(first + 1)));
    put(row.optional_text(first + 2).value_or(""));
    put(row.optional_text(first + 3).value_or(""));
    put(row.text(first + 4));
    put(row.text(first + 5));
    put(row.text(first + 6));
    put(row.bytes(first + 7));
    return bytes;
}

std::string link_hash(const std::string& canonical_row, const std::string& previous) {
    const auto digest = sha256(canonical_row + previous);
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

pg::Step audit(const std::vector<AuditEvent>& events, Instant now) {
    failpoint("audit_append");
    pg::Int4Column entities;
    pg::Int4Column sites;
    pg::TextColumn actors;
    pg::TextColumn actions;
    pg::TextColumn objects;
    pg::TextColumn payloads;
    pg::BytesColumn digests;
    for (const auto& event : events) {
        event.legal_entity ? entities.add(event.legal_entity->value()) : entities.add_null();
        event.site ? sites.add(event.site->value()) : sites.add_null();
        actors.add(event.actor);
        actions.add(event.action);
        objects.add(event.object);
        payloads.add(event.payload);
        const auto digest = sha256(event.payload);
        digests.add(pg::Bytes{{reinterpret_cast<const char*>(digest.data()), digest.size()}});
    }
    return {insert_events, pg::params(now, entities, sites, actors, actions, objects, payloads, digests)};
}

asio::awaitable<std::size_t> seal(pg::Pool& audit_pool, std::size_t limit) {
    pg::Transaction transaction = co_await audit_pool.begin(pg::Scope());
    const pg::Rows last = co_await transaction.query(last_link);
    std::int64_t seq = 0;
    std::string previous(32, '\0');
    if (!last.empty()) {
        seq = last[0].int64(0);
        previous = last[0].bytes(1);
    }
    const pg::Rows rows = co_await transaction.query(unsealed, pg::params(limit));
    if (rows.empty()) {
        co_await transaction.rollback();
        co_return 0;
    }
    pg::Int8Column seqs;
    pg::Int8Column ids;
    pg::BytesColumn before;
    pg::BytesColumn hashes;
    for (const auto row : rows) {
        const auto hash = link_hash(canonical(row, 0), previous);
        seqs.add(++seq);
        ids.add(row.int64(0));
        before.add(pg::Bytes{previous});
        hashes.add(pg::Bytes{hash});
        previous = hash;
    }
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{append, pg::params(seqs, ids, before, hashes)});
    co_await transaction.commit_with(std::move(steps));
    co_return rows.size();
}

asio::awaitable<ChainReport> verify(pg::Pool& audit_pool) {
    ChainReport report;
    std::string previous(32, '\0');
    for (std::int64_t seq = 0;;) {
        const pg::Rows rows = co_await audit_pool.query(walk, pg::params(seq));
        for (const auto row : rows) {
            const bool in_order =
                row.int64(0) == seq + 1 && row.bytes(1) == previous && !row.is_null(3) && row.boolean(11);
            if (!in_order || row.bytes(2) != link_hash(canonical(row, 3), previous)) {
                report.broken_at = row.int64(0);
                co_return report;
            }
            previous = row.bytes(2);
            seq = row.int64(0);
        }
        report.sealed = seq;
        if (rows.empty()) break;
    }
    const pg::Rows left = co_await audit_pool.query(count_unsealed);
    report.unsealed = left[0].int64(0);
    co_return report;
}

std::vector<pg::Query> audit_queries() {
    return {insert_events, last_link, unsealed, append, walk, count_unsealed};
}

}  // namespace sgl::store
