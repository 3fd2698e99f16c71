#include "lib/store/link_state.hpp"

#include <algorithm>
#include <utility>

#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

constexpr pg::Query insert_owed{"link_state.insert_owed", R"sql(
    insert into application_answer (message_id, legal_entity_id, site_id, link_id, control_id, state, created_at, next_attempt_at)
    select m, e, s, l, c, 'due', $1, $1
    from unnest($2::bigint[], $3::int[], $4::int[], $5::int[], $6::text[]) as t(m, e, s, l, c))sql"};

constexpr pg::Query put_sequence{"link_state.put_sequence", R"sql(
    insert into link_sequence (link_id, legal_entity_id, site_id, last, at)
    select l, e, s, n, $1 from unnest($2::int[], $3::int[], $4::int[], $5::bigint[]) as t(l, e, s, n)
    on conflict (link_id) do update set last = excluded.last, at = excluded.at)sql"};

constexpr pg::Query count{"link_state.count", R"sql(
    insert into link_counter (link_id, legal_entity_id, site_id, name, count, last_at)
    select l, e, s, $2, n, $1 from unnest($3::int[], $4::int[], $5::int[], $6::bigint[]) as t(l, e, s, n)
    on conflict (link_id, name) do update set count = link_counter.count + excluded.count, last_at = excluded.last_at)sql"};

constexpr pg::Query read_sequence{"link_state.read_sequence", "select last from link_sequence where link_id = $1"};

constexpr pg::Query claim_due{"link_state.claim_due", R"sql(
    with due as (
        select message_id from application_answer
        where link_id = $1 and state = 'due' and next_attempt_at <= $2
        order by created_at, message_id limit $4 for update skip locked)
    update application_answer a set next_attempt_at = $3, attempts = attempts + 1
    from due, message m where a.message_id = due.message_id and m.id = due.message_id
    returning a.message_id, a.control_id, a.created_at, a.attempts, m.raw)sql"};

constexpr pg::Query set_done{"link_state.set_done", R"sql(
    update application_answer set state = 'done', done_at = $3, error_what = ''
    where link_id = $1 and control_id = $2 and state = 'due')sql"};

constexpr pg::Query set_failed{"link_state.set_failed", R"sql(
    update application_answer set next_attempt_at = $3, error_what = $4,
        state = case when $5::boolean then 'dead' else 'due' end
    where link_id = $1 and message_id = $2 and state = 'due')sql"};

pg::Scope scope_of(const domain::Link& link) {
    return {link.site.value()};
}

}  // namespace

void LinkRows::add(const Arrival& arrival, domain::MessageId id) {
    if (!arrival.owed_control_id.empty()) {
        owed_.messages.add(id.value());
        owed_.entities.add(arrival.legal_entity.value());
        owed_.sites.add(arrival.site.value());
        owed_.links.add(arrival.link.value());
        owed_.controls.add(arrival.owed_control_id);
    }
    if (arrival.sequence) {
        numbers_.links.add(arrival.link.value());
        numbers_.entities.add(arrival.legal_entity.value());
        numbers_.sites.add(arrival.site.value());
        *arrival.sequence < 0 ? numbers_.last.add_null() : numbers_.last.add(*arrival.sequence);
    }
}

void LinkRows::count_reused(const Arrival& arrival) {
    auto& reused = reused_[arrival.link.value()];
    reused.legal_entity = arrival.legal_entity;
    reused.site = arrival.site;
    ++reused.count;
}

void LinkRows::steps(std::vector<pg::Step>& to, Instant now) const {
    if (owed_.messages.size() > 0) {
        to.push_back(pg::Step{
            insert_owed, pg::params(now, owed_.messages, owed_.entities, owed_.sites, owed_.links, owed_.controls)});
    }
    if (numbers_.links.size() > 0) {
        to.push_back(
            pg::Step{put_sequence, pg::params(now, numbers_.links, numbers_.entities, numbers_.sites, numbers_.last)});
    }
    if (!reused_.empty()) {
        pg::Int4Column links;
        pg::Int4Column entities;
        pg::Int4Column sites;
        pg::Int8Column counts;
        for (const auto& [link, reused] : reused_) {
            links.add(link);
            entities.add(reused.legal_entity.value());
            sites.add(reused.site.value());
            counts.add(reused.count);
        }
        to.push_back(pg::Step{count, pg::params(now, "reused_control_id", links, entities, sites, counts)});
    }
}

asio::awaitable<std::optional<std::int64_t>> LinkState::last_sequence(const domain::Link& link) {
    pg::Transaction transaction = co_await pool_.begin(scope_of(link));
    const pg::Rows rows = co_await transaction.query(read_sequence, pg::params(link.id));
    std::optional<std::int64_t> last;
    if (!rows.empty()) last = rows[0].optional_int64(0);
    co_await transaction.rollback();
    co_return last;
}

asio::awaitable<std::vector<OwedAnswer>> LinkState::claim(const domain::Link& link, Instant now, Instant again_at,
                                                          std::size_t limit) {
    pg::Transaction transaction = co_await pool_.begin(scope_of(link));
    const pg::Rows rows =
        co_await transaction.query(claim_due, pg::params(link.id, now, again_at, static_cast<std::int64_t>(limit)));
    std::vector<OwedAnswer> answers;
    for (const auto row : rows) {
        const auto raw = row.bytes(4);
        answers.push_back(
            {domain::MessageId{row.int64(0)}, row.string(1), row.instant(2), row.int32(3), std::string(raw)});
    }
    co_await transaction.commit();
    co_return answers;
}

asio::awaitable<bool> LinkState::done(const domain::Link& link, const std::string& control_id, Instant now) {
    pg::Transaction transaction = co_await pool_.begin(scope_of(link));
    const pg::Rows rows = co_await transaction.query(set_done, pg::params(link.id, control_id, now));
    co_await transaction.commit();
    co_return rows.affected() > 0;
}

asio::awaitable<void> LinkState::failed(const domain::Link& link, const OwedAnswer& answer, Instant again_at, bool dead,
                                        const std::string& why) {
    pg::Transaction transaction = co_await pool_.begin(scope_of(link));
    co_await transaction.query(set_failed, pg::params(link.id, answer.message, again_at, why, dead));
    co_await transaction.commit();
}

std::vector<pg::Query> link_state_queries() {
    return {insert_owed, put_sequence, count, read_sequence, claim_due, set_done, set_failed};
}

}  // namespace sgl::store
