#include "lib/store/waiting.hpp"

#include <boost/json/value.hpp>
#include <map>

#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"

namespace sgl::store {

namespace {

#define SGL_WAITING                                                                                                  \
    "select w.id, w.site_id, coalesce(m.link_id, 0), coalesce(w.message_id, 0), w.kind, w.coordinate, w.what, "      \
    "w.order_id, coalesce(o.number, ''), w.created_at, coalesce(m.received_at, w.created_at) from work_item w left " \
    "join message m "                                                                                                \
    "on m.id = w.message_id left join lab_order o on o.id = w.order_id where "

constexpr pg::Query read_items{
    "waiting.items", SGL_WAITING "w.done_at is null and m.id is not null order by m.received_at, m.id, w.id limit $1"};
constexpr pg::Query read_item{"waiting.item", SGL_WAITING "w.id = $1"};
#undef SGL_WAITING

constexpr pg::Query read_messages{"waiting.messages", R"sql(
    select m.id, m.link_id, m.site_id, m.legal_entity_id, m.received_at, m.control_id, m.type, m.state, m.answer, m.size, m.raw
    from unnest($1::bigint[]) as t(id)
    cross join lateral (select * from message where id = t.id offset 0) m)sql"};

constexpr pg::Query with_work{"waiting.with_work", R"sql(
    select m.id from message m
    where m.id in (select message_id from work_item where done_at is null and message_id is not null)
      and ($1::int is null or m.link_id = $1) and m.state <> 'rejected'
    order by m.received_at, m.id)sql"};

constexpr pg::Query with_work_beside{"waiting.beside", R"sql(
    select m.id from message m
    where m.id in (select w.message_id from work_item i
                   join work_item w on w.message_id = i.message_id or w.order_id = i.order_id and w.done_at is null
                   where i.id = $1 and w.message_id is not null)
    order by m.received_at, m.id)sql"};

WaitingItem item_of(const pg::Row& row) {
    WaitingItem item;
    item.id = domain::WorkItemId{row.int64(0)};
    item.site = domain::SiteId{row.int32(1)};
    item.link = domain::LinkId{row.int32(2)};
    item.message = domain::MessageId{row.int64(3)};
    item.kind = row.string(4);
    item.coordinate = row.string(5);
    item.what = row.string(6);
    if (const auto order = row.optional_uuid(7)) item.order = domain::OrderId{*order};
    item.order_number = row.string(8);
    item.created_at = row.instant(9);
    item.received_at = row.instant(10);
    return item;
}

}  // namespace

asio::awaitable<std::vector<WaitingItem>> Waiting::items(Sites sites, std::size_t limit) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(read_items, pg::params(limit));
    co_await transaction.rollback();
    std::vector<WaitingItem> items;
    for (const auto row : rows)
        items.push_back(item_of(row));
    co_return items;
}

asio::awaitable<std::optional<WaitingItem>> Waiting::item(Sites sites, domain::WorkItemId id) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(read_item, pg::params(id));
    co_await transaction.rollback();
    std::optional<WaitingItem> found;
    if (!rows.empty()) found = item_of(rows[0]);
    co_return found;
}

asio::awaitable<std::vector<KeptMessage>> Waiting::messages(Sites sites, std::vector<std::int64_t> ids) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(read_messages, pg::params(ids));
    co_await transaction.rollback();
    std::map<std::int64_t, KeptMessage> found;
    for (const auto row : rows) {
        KeptMessage message;
        message.id = domain::MessageId{row.int64(0)};
        message.link = domain::LinkId{row.int32(1)};
        message.site = domain::SiteId{row.int32(2)};
        message.legal_entity = domain::LegalEntityId{row.int32(3)};
        message.received_at = row.instant(4);
        message.control_id = row.string(5);
        message.type = row.string(6);
        message.state = row.string(7);
        message.answer = row.string(8);
        message.size = static_cast<std::uint64_t>(row.int64(9));
        message.raw = row.bytes(10);
        found.emplace(row.int64(0), std::move(message));
    }
    std::vector<KeptMessage> messages;
    for (const auto id : ids) {
        const auto at = found.find(id);
        if (at != found.end()) messages.push_back(at->second);
    }
    co_return messages;
}

asio::awaitable<std::optional<KeptMessage>> Waiting::message(Sites sites, domain::MessageId id) {
    std::vector<std::int64_t> ids(1, id.value());
    std::vector<KeptMessage> found = co_await messages(std::move(sites), std::move(ids));
    std::optional<KeptMessage> message;
    if (!found.empty()) message = std::move(found.front());
    co_return message;
}

asio::awaitable<std::vector<domain::MessageId>> Waiting::waiting(Sites sites, std::optional<domain::LinkId> link) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(with_work, pg::params(link));
    co_await transaction.rollback();
    std::vector<domain::MessageId> ids;
    for (const auto row : rows)
        ids.emplace_back(row.int64(0));
    co_return ids;
}

asio::awaitable<std::vector<domain::MessageId>> Waiting::beside(Sites sites, domain::WorkItemId id) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(with_work_beside, pg::params(id));
    co_await transaction.rollback();
    std::vector<domain::MessageId> ids;
    for (const auto row : rows)
        ids.emplace_back(row.int64(0));
    co_return ids;
}

asio::awaitable<void> Waiting::read_by(Sites sites, std::string actor, KeptMessage message, Instant at) {
    std::vector<AuditEvent> events(1);
    auto& event = events.front();
    event.legal_entity = message.legal_entity;
    event.site = message.site;
    event.actor = std::move(actor);
    event.action = "read_message";
    event.object = "message:" + std::to_string(message.id.value());
    event.payload = "{}";
    pg::Transaction transaction = co_await pool_.begin(sites);
    std::vector<pg::Step> steps;
    steps.push_back(audit(events, at));
    co_await transaction.commit_with(std::move(steps));
}

std::vector<pg::Query> waiting_queries() {
    return {read_items, read_item, read_messages, with_work, with_work_beside};
}

}  // namespace sgl::store
