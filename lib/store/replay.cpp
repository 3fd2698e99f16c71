#include "lib/store/replay.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <span>
#include <tuple>
#include <utility>

#include "lib/store/inbox_batch.hpp"

namespace sgl::store {

namespace {

// Two who read it again at once go one after the other.
constexpr pg::Query lock_message{"replay.lock_message",
                                 "select pg_advisory_xact_lock(7312, ($1::bigint % 2147483647)::int)"};

constexpr pg::Query work_before{"replay.work_before", R"sql(
    select id, kind, coordinate, what, order_id, done_at is not null, coalesce(done_why, '') from work_item where message_id = $1
    order by id)sql"};

constexpr pg::Query results_before{"replay.results_before", R"sql(
    select r.id, r.order_id, r.position, r.analyte_id, r.code, r.run, r.status, r.value_kind, r.comparator, r.value, r.value_system,
           r.unit, r.isolate, r.state, r.replaces, r.received_flags, r.note, r.detail::text, coalesce(r.settled_by, ''),
           exists (select 1 from result n where n.order_id = r.order_id and n.replaces = r.id)
    from (select * from result where order_id is null and message_id = $1
          union all select * from result where order_id = any($2::uuid[]) and message_id = $1) r
    order by r.id)sql"};

constexpr pg::Query documents_before{"replay.documents_before",
                                     "select sha256 from order_document where order_id = any($1::uuid[])"};

constexpr pg::Query supersede_own{"replay.supersede_own", R"sql(
    update result set state = 'superseded', settled_at = $1, settled_by = $2, settled_why = $3
    where id = any($4::bigint[]) and state = 'quarantined')sql"};

constexpr pg::Query close_mended{"replay.close_mended", R"sql(
    update work_item set done_at = $1, done_by = $2, done_why = $3 where id = any($4::bigint[]) and done_at is null)sql"};

constexpr pg::Query say_again{"replay.say_again", R"sql(
    update work_item w set what = t.what from unnest($1::bigint[], $2::text[]) as t(id, what) where w.id = t.id and w.done_at is null)sql"};

// What came after a result that arrives late stands where it stood: in its place.
constexpr pg::Query stand_behind{"replay.stand_behind", R"sql(
    update result later set replaces = r.id
    from unnest($1::bigint[], $2::bigint[], $3::int[], $4::uuid[]) as t(later, message_id, position, order_id)
    join result r on r.order_id = t.order_id and r.message_id = t.message_id and r.position = t.position and r.state = 'raw'
    where later.id = t.later and later.state = 'raw')sql"};

constexpr pg::Query overtake{"replay.overtake", R"sql(
    update result set state = 'superseded', settled_at = $1, settled_by = $2, settled_why = 'an earlier result says more'
    where id = any($3::bigint[]) and state = 'raw')sql"};

/// How the reason of work begins that ended by reading again.
constexpr std::string_view mended_by_replay = "read again: ";

/// Work that a biologist ends, whatever the message says now.
bool is_of_a_biologist(std::string_view kind) {
    static constexpr std::array kinds{"late_result", "late_preliminary", "late_final", "nothing_to_confirm",
                                      "report_to_withdraw"};
    return std::ranges::find(kinds, kind) != kinds.end();
}

/// Position of the OBX that a coordinate names: 3 of "OBX[3]-5", 1 of "OBX-5"; 0: none.
std::int32_t position_of(std::string_view coordinate) {
    if (!coordinate.starts_with("OBX")) return 0;
    if (!coordinate.starts_with("OBX[")) return 1;
    std::int32_t position = 0;
    std::from_chars(coordinate.data() + 4, coordinate.data() + coordinate.size(), position);
    return position;
}

std::optional<std::int32_t> analyte_of(const domain::ReceivedResult& result) {
    return result.analyte ? std::optional(result.analyte->value()) : std::nullopt;
}

}  // namespace

/// What a message that is read again did before.
struct Before {
    struct Row {
        std::int64_t id{};
        std::optional<Uuid> order;
        std::optional<std::int32_t> analyte;
        std::string code;
        std::string run;
        std::string status;
        codec::ValueColumns value;
        std::string isolate;
        std::optional<std::int64_t> replaces;
        std::string flags;
        std::string note;
        std::string detail;
        bool held{};
        bool passed{};   ///< was held, and a later result took its place before anybody looked
        bool current{};  ///< counts in its order, and is not signed
    };
    struct Item {
        std::int64_t id{};
        std::string what;
        std::optional<Uuid> order;
        bool open{};
        bool mended{};  ///< by reading again: it comes back when that ends
    };
    std::multimap<std::int32_t, Row> rows;                     ///< by position
    std::map<std::pair<std::string, std::string>, Item> work;  ///< by kind and coordinate
    std::set<std::string> documents;                           ///< SHA-256 of those of its orders
    std::set<std::int64_t> held;
    Instant received_at;
    std::int64_t message{};
    Deed deed;

    /// Any row of that OBX for which `holds` is true.
    template <class Holds>
    const Row* find(std::int32_t position, const Holds& holds) const {
        const auto [from, to] = rows.equal_range(position);
        const auto found = std::find_if(from, to, [&](const auto& entry) { return holds(entry.second); });
        return found == to ? nullptr : &found->second;
    }
    bool done(std::int32_t position) const {
        return find(position, [](const Row&) { return true; }) != nullptr &&
               find(position, [](const Row& row) { return row.held; }) == nullptr;
    }
    /// Done, but only because somebody else was quicker.
    bool passed(std::int32_t position) const {
        return done(position) && find(position, [](const Row& row) { return !row.passed; }) == nullptr;
    }
};

// ── The place in time ──

std::size_t Batch::place_of(const std::vector<KnownResult>& known, const Arrival& arrival, domain::MessageId id,
                            std::int32_t position) const {
    if (before_ == nullptr) return known.size();
    const auto place = [](const KnownResult& one) { return std::tuple(one.received_at, one.message, one.position); };
    const auto mine = std::tuple(arrival.received_at, id.value(), position);
    const auto after = std::ranges::find_if(known, [&](const KnownResult& one) { return place(one) > mine; });
    return static_cast<std::size_t>(after - known.begin());
}

std::vector<domain::Earlier> Batch::earlier_of(const std::vector<KnownResult>& known, std::size_t count,
                                               const codec::ValueColumns& value, std::string_view susceptible) {
    std::vector<domain::Earlier> earlier;
    earlier.reserve(count);
    for (const auto& one : std::span(known).first(count)) {
        bool replaced = one.replaced;
        if (replaced && one.id != 0 && count < known.size()) {  // perhaps by one that came later
            replaced = std::ranges::any_of(std::span(known).first(count),
                                           [&](const KnownResult& other) { return other.replaces == one.id; });
        }
        earlier.push_back({one.status, one.measured_at, one.says(value, susceptible), replaced});
    }
    return earlier;
}

bool Batch::said_later(const std::vector<KnownResult>& known, std::size_t here, const KnownResult& mine) {
    return std::ranges::any_of(std::span(known).subspan(here), [&](const KnownResult& later) {
        const bool same_time = !later.measured_at || !mine.measured_at || *later.measured_at == *mine.measured_at;
        return !later.replaced && later.says(mine.value, mine.susceptible) && same_time &&
               domain::rank(later.status) == domain::rank(mine.status);
    });
}

void Batch::give_way(const Arrival& arrival, const Uuid& order, std::vector<KnownResult>& known, std::size_t here,
                     KnownResult& mine) {
    using Kind = domain::Succession::Kind;
    std::vector<KnownResult> then(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(here));
    then.push_back(mine);
    std::set<std::int64_t> gone;
    for (auto& later : std::span(known).subspan(here)) {
        std::vector<domain::Earlier> earlier;
        for (const auto& one : then) {
            const bool replaced =
                one.id == 0
                    ? one.replaced
                    : gone.contains(one.id) ||
                          std::ranges::any_of(then, [&](const KnownResult& other) { return other.replaces == one.id; });
            earlier.push_back({one.status, one.measured_at, one.says(later.value, later.susceptible), replaced});
        }
        const auto next = domain::succeed(earlier, later.status, later.measured_at);
        if (next.kind == Kind::replaces && next.of == here) {
            mine.replaced = then[here].replaced = true;
            if (later.id != 0) {
                behind_.add(later.id);
                behind_messages_.add(mine.message);
                behind_positions_.add(mine.position);
                behind_orders_.add(order);
            }
            later.replaces.reset();
        }
        const bool overtaken = (next.kind == Kind::behind || next.kind == Kind::repeat) &&
                               domain::rank(later.status) < domain::rank(mine.status) && !later.replaced;
        if (overtaken && later.id != 0) {
            overtaken_.add(later.id);
            gone.insert(later.id);
            later.replaced = true;
            if (next.kind == Kind::behind) {
                const auto trouble = behind(later.status, "OBX[" + std::to_string(later.position) + "]");
                work_.add(arrival.legal_entity, arrival.site, trouble, domain::MessageId{later.message}, order);
                ++outcome_.opened;
            }
        }
        then.push_back(later);
    }
}

// ── A message that is read again ──

bool Batch::waits_for_its_turn(const KnownResult& held) const {
    if (before_ == nullptr) return false;
    return before_->held.contains(held.id) ||
           std::pair(held.received_at, held.message) > std::pair(before_->received_at, before_->message);
}

bool Batch::is_done(const domain::ReceivedResult& result) const {
    if (before_ == nullptr || !before_->done(result.position)) return false;
    return result.held || !before_->passed(result.position);
}

bool Batch::nothing_left(const domain::ReceivedGroup& group) const {
    if (before_ == nullptr || group.results.empty() || !group.documents.empty()) return false;
    return std::ranges::all_of(group.results, [&](const auto& result) {
        const auto* current = before_->find(result.position, [](const Before::Row& row) { return row.current; });
        return current == nullptr && is_done(result);
    });
}

bool Batch::is_kept(const domain::ReceivedDocument& document) const {
    if (before_ == nullptr) return false;
    const Sha256 digest = sha256(document.bytes);
    return before_->documents.contains(std::string(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

bool Batch::told_before(const domain::Trouble& trouble) {
    std::pair<std::string, std::string> key(trouble.kind, trouble.coordinate);
    const auto known = before_->work.find(key);
    told_.insert(std::move(key));
    if (known != before_->work.end() && !known->second.mended) {
        if (known->second.open && known->second.what != trouble.what) {
            reworded_.add(known->second.id);
            new_words_.add(trouble.what);
        }
        return true;
    }
    const auto position = position_of(trouble.coordinate);
    return before_->done(position) && !before_->passed(position);
}

bool Batch::held_before(const domain::ReceivedResult& result, const codec::ValueColumns& value,
                        const std::optional<Uuid>& order, std::optional<std::int64_t> replaced) {
    const auto* same = before_->find(result.position, [&](const Before::Row& row) {
        return row.held && row.order == order && row.analyte == analyte_of(result) && row.code == result.code &&
               row.run == result.run && row.status == result.status && row.isolate == result.isolate &&
               row.replaces == replaced && row.value.kind == value.kind && row.value.value == value.value &&
               row.value.comparator == value.comparator && row.value.system == value.system &&
               row.value.unit == value.unit;
    });
    if (same != nullptr) kept_.insert(same->id);
    return same != nullptr;
}

void Batch::refresh(const Arrival& arrival, domain::MessageId id, const domain::ReceivedResult& result,
                    std::string_view specimen, const Uuid& order) {
    const auto value = codec::columns(result.value);
    const auto* row = before_->find(result.position, [&](const Before::Row& one) {
        return one.current && one.order == order && one.analyte == analyte_of(result) && one.run == result.run &&
               one.isolate == result.isolate && one.status == result.status && one.value.kind == value.kind &&
               one.value.comparator == value.comparator && one.value.value == value.value &&
               one.value.unit == value.unit;
    });
    if (row == nullptr || result.held) return;
    const bool unprinted = row->detail.find("unprinted") != std::string::npos;
    if (row->flags == result.received_flags && row->note == result.note && unprinted == result.detail.unprinted) return;
    results_.add(arrival, id, result, value, specimen, order, "raw", row->id);
    touched_.insert(order);
    ++outcome_.results;
}

void Batch::settle(const Arrival& arrival, domain::MessageId id, std::string_view state) {
    for (const auto& [position, row] : before_->rows) {
        if (!row.held || kept_.contains(row.id)) continue;
        released_.add(row.id);
        if (row.order) touched_.insert(*row.order);
    }
    boost::json::array mended;
    for (const auto& [key, item] : before_->work) {
        if (!item.open || told_.contains(key) || is_of_a_biologist(key.first)) continue;
        mended_.add(item.id);
        mended.push_back({{"kind", key.first}, {"at", key.second}});
        ++outcome_.mended;
    }
    outcome_.reworded = reworded_.size() > 0;
    outcome_.changed = results_.rows.size() > 0 || outcome_.opened > 0 || released_.size() > 0 || mended_.size() > 0 ||
                       documents_.messages.size() > 0;
    if (!outcome_.changed) return;
    AuditEvent event;
    event.legal_entity = arrival.legal_entity;
    event.site = arrival.site;
    event.actor = before_->deed.actor;
    event.action = "replay_message";
    event.object = "message:" + std::to_string(id.value());
    event.payload = codec::text({{"why", before_->deed.why},
                                 {"results", outcome_.results},
                                 {"waiting", outcome_.waiting},
                                 {"mended", std::move(mended)},
                                 {"state", state}});
    events_.push_back(std::move(event));
}

void Batch::settling_steps(std::vector<pg::Step>& steps) const {
    const auto& deed = before_->deed;
    if (released_.size() > 0)
        steps.push_back(pg::Step{supersede_own, pg::params(now_, deed.actor, deed.why, released_)});
    const std::string why = std::string(mended_by_replay) + deed.why;
    if (mended_.size() > 0) steps.push_back(pg::Step{close_mended, pg::params(now_, deed.actor, why, mended_)});
    if (reworded_.size() > 0) steps.push_back(pg::Step{say_again, pg::params(reworded_, new_words_)});
    if (behind_.size() > 0) {
        steps.push_back(
            pg::Step{stand_behind, pg::params(behind_, behind_messages_, behind_positions_, behind_orders_)});
    }
    if (overtaken_.size() > 0) steps.push_back(pg::Step{overtake, pg::params(now_, deed.actor, overtaken_)});
}

asio::awaitable<Replayed> replay(pg::Pool& pool, Arrival arrival, domain::MessageId id, Deed deed) {
    std::vector<std::size_t> numbers_of;
    pg::Int4Column sites;
    pg::TextColumn numbers;
    std::size_t count = 0;
    for (const auto& group : arrival.reading.groups) {
        numbers_of.push_back(count);
        for (const auto& number : group.numbers) {
            sites.add(arrival.site.value());
            numbers.add(number);
            ++count;
        }
    }
    pg::Transaction transaction = co_await pool.begin(deed.sites);
    std::vector<pg::Step> look;
    look.push_back(pg::Step{lock_message, pg::params(id)});
    Batch::look(look, sites, numbers);
    look.push_back(pg::Step{work_before, pg::params(id)});
    const std::vector<pg::Rows> seen = co_await transaction.pipeline(std::move(look));

    Before before;
    before.received_at = arrival.received_at;
    before.message = id.value();
    std::set<Uuid> orders;
    for (const auto row : seen[1])
        orders.insert(row.uuid(1));
    for (const auto row : seen[3]) {
        const Before::Item item{row.int64(0), row.string(3), row.optional_uuid(4), !row.boolean(5),
                                row.text(6).starts_with(mended_by_replay)};
        if (item.order) orders.insert(*item.order);
        auto& known = before.work[{row.string(1), row.string(2)}];
        if (!known.open) known = item;
    }
    const std::vector<Uuid> of_orders(orders.begin(), orders.end());
    std::vector<pg::Step> more;
    more.push_back(pg::Step{results_before, pg::params(id, of_orders)});
    more.push_back(pg::Step{documents_before, pg::params(of_orders)});
    const std::vector<pg::Rows> mine = co_await transaction.pipeline(std::move(more));
    for (const auto row : mine[0]) {
        const auto state = row.text(13);
        Before::Row one{row.int64(0),
                        row.optional_uuid(1),
                        row.optional_int32(3),
                        row.string(4),
                        row.string(5),
                        row.string(6),
                        {row.string(7), row.string(8), row.string(9), row.string(10), row.string(11)},
                        row.string(12),
                        row.optional_int64(14),
                        row.string(15),
                        row.string(16),
                        row.string(17),
                        state == "quarantined",
                        state == "superseded" && row.text(18).starts_with("link:"),
                        state == "raw" && !row.boolean(19)};
        if (one.held) before.held.insert(one.id);
        before.rows.emplace(row.int32(2), std::move(one));
    }
    for (const auto row : mine[1])
        before.documents.insert(row.bytes(0));
    before.deed = std::move(deed);

    Batch batch(before.deed.at);
    batch.again(before);
    batch.learn(seen[1], seen[2]);
    batch.apply(arrival, id, numbers_of, false);
    const Replayed outcome = batch.outcome();
    if (!outcome.changed && !outcome.reworded) {
        co_await transaction.rollback();
        co_return outcome;
    }
    std::vector<pg::Step> steps = batch.steps();
    co_await transaction.commit_with(std::move(steps));
    co_return outcome;
}

std::vector<pg::Query> replay_queries() {
    return {lock_message, work_before, results_before, documents_before, supersede_own,
            close_mended, say_again,   stand_behind,   overtake};
}

}  // namespace sgl::store
