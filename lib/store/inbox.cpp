#include "lib/store/inbox.hpp"

#include <map>
#include <set>
#include <span>
#include <utility>

#include "lib/base/failpoint.hpp"
#include "lib/store/inbox_batch.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

constexpr std::int64_t block_size = 1000;

constexpr pg::Query take_block{"inbox.take_block", "select nextval('message_block')"};

// "lateral … offset 0": what is asked for is looked up one by one, whatever the planner thinks of the tables' sizes. A
// plan is made once (Session::plan_by_key), often while they are empty. Both ends of a range come as columns: behind
// row-level security no function may stand in what the index is asked, or every key of the link is read.
constexpr pg::Query find_keys{"inbox.find_keys", R"sql(
    select n.ord, k.message_id, k.answer, k.answer_errors
    from unnest($1::int[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[]) with ordinality as n(link_id, key, sha, first, last, ord)
    left join lateral (select message_id, answer, answer_errors from message_key
                       where link_id = n.link_id and key = n.key and sha256 = n.sha offset 0) k on true
    left join lateral (select true as used from message_key
                       where link_id = n.link_id and key >= n.first and key <= n.last limit 1) r on true
    where k.message_id is not null or r.used)sql"};

constexpr pg::Query delete_keys{"inbox.delete_keys", R"sql(
    delete from message_key where (link_id, key, sha256) in
        (select link_id, key, sha256 from message_key where kept_at < $1 limit 5000))sql"};

std::string_view view(const Sha256& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

pg::Scope scope_of(const std::vector<Arrival>& arrivals) {
    std::set<std::int32_t> sites;
    for (const auto& arrival : arrivals)
        sites.insert(arrival.site.value());
    return {sites.begin(), sites.end()};
}

std::string_view number_of(const Arrival& arrival) {
    return view(arrival.key).substr(0, number_part);
}

pg::Step look_for_all(std::span<const Arrival> arrivals) {
    pg::Int4Column links;
    pg::BytesColumn keys;
    pg::BytesColumn digests;
    pg::BytesColumn first_of_number;
    pg::BytesColumn last_of_number;
    for (const auto& arrival : arrivals) {
        links.add(arrival.link.value());
        keys.add(pg::Bytes{view(arrival.key)});
        digests.add(pg::Bytes{view(arrival.sha256)});
        std::string last(number_of(arrival));
        last.resize(arrival.key.size(), '\xFF');
        first_of_number.add(pg::Bytes{number_of(arrival)});
        last_of_number.add(pg::Bytes{last});
    }
    return pg::Step{find_keys, pg::params(links, keys, digests, first_of_number, last_of_number)};
}

/// What find_keys says of a message; without a number nothing is used again.
Kept found_in(const Arrival& arrival, const pg::Row& row) {
    if (!row.is_null(1)) return {domain::MessageId{row.int64(1)}, true, row.string(2), row.string(3), false};
    Kept fresh;
    fresh.reused = !arrival.control_id.empty();
    return fresh;
}

}  // namespace

asio::awaitable<domain::MessageId> Inbox::next_id() {
    if (next_ == end_) {
        const pg::Rows rows = co_await pool_.query(take_block);
        next_ = rows[0].int64(0) * block_size;
        end_ = next_ + block_size;
    }
    co_return domain::MessageId{next_++};
}

pg::Step Inbox::look_for(const Arrival& arrival) {
    return look_for_all(std::span(&arrival, 1));
}

Kept Inbox::found(const Arrival& arrival, const pg::Rows& rows) {
    return rows.empty() ? Kept() : found_in(arrival, rows[0]);
}

std::vector<pg::Step> Inbox::message_steps(const Arrival& arrival, domain::MessageId id, bool reused, Instant now) {
    MessageRows rows;
    rows.add(arrival, id,
             arrival.answer != "AA"        ? "rejected"
             : arrival.reading.quarantined ? "quarantined"
                                           : "applied",
             reused);
    std::vector<pg::Step> steps;
    rows.steps(steps, now);
    return steps;
}

asio::awaitable<std::vector<Kept>> Inbox::known(const std::vector<Arrival>& arrivals) {
    pg::Transaction transaction = co_await pool_.begin(scope_of(arrivals));
    pg::Step look = look_for_all(arrivals);
    const pg::Rows rows = co_await transaction.query(look.query, std::move(look.params));
    std::vector<Kept> kept;
    for (const auto row : rows) {
        Kept one = found_in(arrivals[static_cast<std::size_t>(row.int64(0) - 1)], row);
        if (one.duplicate) kept.push_back(std::move(one));
    }
    co_await transaction.rollback();
    co_return kept;
}

asio::awaitable<std::vector<Kept>> Inbox::keep(const std::vector<Arrival>& arrivals, Instant now) {
    failpoint("before_inbox_insert");
    std::vector<std::vector<std::size_t>> numbers_of(arrivals.size());
    pg::Int4Column sites;
    pg::TextColumn numbers;
    std::size_t count = 0;
    for (std::size_t a = 0; a < arrivals.size(); ++a) {
        for (const auto& group : arrivals[a].reading.groups) {
            numbers_of[a].push_back(count);
            for (const auto& number : group.numbers) {
                sites.add(arrivals[a].site.value());
                numbers.add(number);
                ++count;
            }
        }
    }
    std::vector<domain::MessageId> ids;
    for (std::size_t a = 0; a < arrivals.size(); ++a) {
        const domain::MessageId id = co_await next_id();
        ids.push_back(id);
    }

    pg::Transaction transaction = co_await pool_.begin(scope_of(arrivals));
    std::vector<pg::Step> look;
    look.push_back(look_for_all(arrivals));
    Batch::look(look, sites, numbers);
    const std::vector<pg::Rows> seen = co_await transaction.pipeline(std::move(look));

    std::vector<Kept> kept(arrivals.size());
    for (const auto row : seen[0]) {
        const auto a = static_cast<std::size_t>(row.int64(0) - 1);
        kept[a] = found_in(arrivals[a], row);
    }
    Batch batch(now);
    batch.learn(seen[1], seen[2]);

    bool anything = false;
    std::map<std::tuple<std::int32_t, Sha256, Sha256>, std::size_t> in_batch;
    std::set<std::pair<std::int32_t, std::string_view>> used_numbers;
    for (std::size_t a = 0; a < arrivals.size(); ++a) {
        if (kept[a].duplicate) continue;
        const auto [first, fresh] =
            in_batch.try_emplace({arrivals[a].link.value(), arrivals[a].key, arrivals[a].sha256}, a);
        if (!fresh) {  // the same message twice in one batch: the second is answered like the first
            kept[a] = kept[first->second];
            kept[a].duplicate = true;
            continue;
        }
        const bool first_use = used_numbers.emplace(arrivals[a].link.value(), number_of(arrivals[a])).second;
        const bool reused = kept[a].reused || (!first_use && !arrivals[a].control_id.empty());
        batch.apply(arrivals[a], ids[a], numbers_of[a], reused);
        kept[a] = Kept{ids[a], false, arrivals[a].answer, arrivals[a].answer_errors, reused};
        anything = true;
    }
    if (!anything) {
        co_await transaction.rollback();
        co_return kept;
    }
    std::vector<pg::Step> steps = batch.steps();
    co_await transaction.commit_with(std::move(steps));
    co_return kept;
}

asio::awaitable<std::size_t> Inbox::forget_keys(const std::vector<std::int32_t>& sites, Instant before) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(delete_keys, pg::params(before));
    const std::size_t gone = rows.affected();
    co_await transaction.commit();
    co_return gone;
}

std::vector<pg::Query> inbox_queries() {
    return {take_block, find_keys, delete_keys};
}

}  // namespace sgl::store
