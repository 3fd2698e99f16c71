#include "lib/store/audit.hpp"

#include <algorithm>
#include <iterator>

#include "lib/base/digest.hpp"
#include "lib/base/failpoint.hpp"
#include "lib/base/time.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

constexpr std::int64_t longest_look_back = 30'000;  // event numbers
constexpr auto longest_transaction = std::chrono::minutes(10);

constexpr pg::Query insert_events{"audit.insert", R"sql(
    insert into audit_event (at, legal_entity_id, site_id, actor, action, object, payload, payload_sha256)
    select $1, t.* from unnest($2::audit_row[]) t)sql"};

constexpr pg::Query last_link{"audit.last", "select seq, hash from audit_chain order by seq desc limit 1"};

#define SGL_EVENT "e.id, e.at, e.legal_entity_id, e.site_id, e.actor, e.action, e.object, e.payload_sha256"

// When nothing is remembered: where the chain ends, and which numbers below it are not in it. They were rolled back or
// are not committed yet; the look back is as long as transactions can be out of order.
constexpr pg::Query highest_sealed{"audit.highest_sealed", R"sql(
    select coalesce(max(event_id), 0) from (select event_id from audit_chain order by seq desc limit 20000) recent)sql"};
constexpr pg::Query left_out{"audit.left_out", R"sql(
    select n.id from generate_series(greatest($1::bigint - $2::bigint, 1), $1::bigint) as n(id)
    where not exists (select 1 from audit_chain c where c.event_id = n.id))sql"};

// New numbers, and those between that were not there before: events commit out of the order of their numbers.
constexpr pg::Query fresh{"audit.fresh",
                          "(select " SGL_EVENT R"sql( from audit_event e where e.id > $1 order by e.id limit $2)
    union all select )sql" SGL_EVENT
                          R"sql( from unnest($3::bigint[]) as late(id) join audit_event e on e.id = late.id)sql"};
#undef SGL_EVENT

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

void Sealer::fill(std::vector<Gap>& gaps, std::int64_t id) {
    const auto found = std::ranges::find_if(gaps, [&](const Gap& gap) { return gap.first <= id && id <= gap.last; });
    if (found == gaps.end()) return;
    const Gap gap = *found;
    gaps.erase(found);
    if (gap.first < id) gaps.push_back({gap.first, id - 1, gap.since});
    if (id < gap.last) gaps.push_back({id + 1, gap.last, gap.since});
}

pg::Step audit(const std::vector<AuditEvent>& events, Instant now) {
    failpoint("audit_append");
    pg::RowArray rows("audit_row");
    for (const auto& event : events) {
        const auto digest = sha256(event.payload);
        const pg::Bytes digest_bytes{{reinterpret_cast<const char*>(digest.data()), digest.size()}};
        rows.add(event.legal_entity, event.site, event.actor, event.action, event.object, event.payload, digest_bytes);
    }
    return {insert_events, pg::params(now, rows)};
}

asio::awaitable<std::size_t> Sealer::seal(std::size_t limit, Instant now) {
    pg::Transaction transaction = co_await pool_.begin(pg::Scope());
    const pg::Rows last = co_await transaction.query(last_link);
    std::int64_t seq = 0;
    std::string previous(32, '\0');
    if (!last.empty()) {
        seq = last[0].int64(0);
        previous = last[0].bytes(1);
    }
    std::int64_t seen = seen_;
    std::vector<Gap> gaps;
    if (seq != seq_) {  // the first round, or another daemon sealed since
        const pg::Rows highest = co_await transaction.query(highest_sealed);
        seen = highest[0].int64(0);
        const pg::Rows missing = co_await transaction.query(left_out, pg::params(seen, longest_look_back));
        for (const auto row : missing)
            gaps.push_back({row.int64(0), row.int64(0), now});
    } else {
        // No transaction lives that long (limits of every session): an older gap was rolled back.
        std::ranges::copy_if(gaps_, std::back_inserter(gaps),
                             [&](const Gap& gap) { return now - gap.since <= longest_transaction; });
    }
    seq_ = -1;  // until all is well
    pg::Int8Column late;
    for (const auto& gap : gaps) {
        for (auto id = gap.first; id <= gap.last; ++id)
            late.add(id);
    }
    const pg::Rows rows = co_await transaction.query(fresh, pg::params(seen, limit, late));
    pg::Int8Column seqs;
    pg::Int8Column ids;
    pg::BytesColumn before;
    pg::BytesColumn hashes;
    for (const auto row : rows) {
        const auto hash = link_hash(canonical(row, 0), previous);
        const auto id = row.int64(0);
        if (id > seen) {
            if (id > seen + 1) gaps.push_back({std::max(seen + 1, id - longest_look_back), id - 1, now});
            seen = id;
        } else {
            fill(gaps, id);
        }
        seqs.add(++seq);
        ids.add(id);
        before.add(pg::Bytes{previous});
        hashes.add(pg::Bytes{hash});
        previous = hash;
    }
    if (rows.empty()) {
        co_await transaction.rollback();
    } else {
        std::vector<pg::Step> steps;
        steps.push_back(pg::Step{append, pg::params(seqs, ids, before, hashes)});
        co_await transaction.commit_with(std::move(steps));
    }
    seq_ = seq;
    seen_ = seen;
    gaps_ = std::move(gaps);
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
    return {insert_events, last_link, highest_sealed, left_out, fresh, append, walk, count_unsealed};
}

}  // namespace sgl::store
