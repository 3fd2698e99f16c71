#include "lib/store/work.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

// The OBX that a work item names: "OBX[3]-5", or "OBX-5" when it is the only one of its message.
#define SGL_SAME_OBX \
    "split_part(w.coordinate, '-', 1) in ('OBX[' || r.position || ']', case r.position when 1 then 'OBX' end)"

constexpr pg::Query lock_item{
    "work.lock",
    "select w.legal_entity_id, w.site_id, w.kind, w.done_at is not null, exists (select 1 from result r join lab_order "
    "o on o.id = r.order_id where r.order_id = w.order_id and r.message_id = w.message_id and r.state = 'quarantined' "
    "and o.closed_at is null and " SGL_SAME_OBX
    ") from work_item w where w.id = $1 for update of w"};

constexpr pg::Query close_item{"work.close", R"sql(
    update work_item set done_at = $2, done_by = $3, done_why = $4 where id = $1 and done_at is null)sql"};

// The order first, as the inbox and the biologist's signature lock it. The result is read in a statement of its own:
// one that waited for the lock still sees the results as they were before.
constexpr pg::Query lock_order{"work.lock_order", R"sql(
    select legal_entity_id, site_id from lab_order where id = $1 for no key update)sql"};

constexpr pg::Query read_result{"work.result", "select state from result where id = $1 and order_id = $2"};

// A result that its sender deleted or called wrong takes with it what it withdraws (hl7v2-lab 8.6, D and W): the one
// whose time it has, else all before; what came later of the same analysis and run stays.
constexpr pg::Query put_aside{"work.set_aside", R"sql(
    update result r set state = 'set_aside', settled_at = $3, settled_by = $4, settled_why = $5
    from result held
    where held.id = $1 and held.order_id = $2 and r.order_id = held.order_id
      and (r.id = held.id and r.state in ('quarantined', 'late')
           or held.status in ('D', 'W') and r.state = 'raw' and r.id < held.id and r.run = held.run
              and r.id = coalesce(held.replaces, r.id)
              and (r.analyte_id = held.analyte_id or r.code = held.code and r.code <> ''))
    returning r.id)sql"};

constexpr pg::Query close_items_of{
    "work.close_of_result",
    "update work_item w set done_at = $2, done_by = $3, done_why = $4 from result r where r.id = any($1::bigint[]) and "
    "w.order_id = r.order_id and w.message_id = r.message_id and w.done_at is null and " SGL_SAME_OBX};
#undef SGL_SAME_OBX

constexpr pg::Query touch_order{"work.touch_order", R"sql(
    update lab_order set row_version = row_version + 1, last_event_at = $2 where id = $1)sql"};

pg::Step audited(const Deed& deed, const pg::Row& place, std::string_view action, std::string object,
                 boost::json::value payload) {
    AuditEvent event;
    event.legal_entity = domain::LegalEntityId{place.int32(0)};
    event.site = domain::SiteId{place.int32(1)};
    event.actor = deed.actor;
    event.action = std::string(action);
    event.object = std::move(object);
    event.payload = codec::text(payload);
    std::vector<AuditEvent> events;
    events.push_back(std::move(event));
    return audit(events, deed.at);
}

}  // namespace

asio::awaitable<Result<void>> Work::close(Deed deed, domain::WorkItemId id) {
    pg::Transaction transaction = co_await pool_.begin(deed.sites);
    const pg::Rows rows = co_await transaction.query(lock_item, pg::params(id));
    const auto refuse = [](Fault fault, std::string where, std::string what) {
        return Error{fault, std::move(where), std::move(what)};
    };
    if (rows.empty()) {
        co_await transaction.rollback();
        co_return refuse(Fault::missing, "work_item", "no such work item on your sites");
    }
    const auto row = rows[0];
    if (row.boolean(3)) {
        co_await transaction.rollback();
        co_return refuse(Fault::conflict, "work_item", "the work item is closed already");
    }
    if (row.boolean(4)) {
        co_await transaction.rollback();
        co_return refuse(Fault::conflict, "result", "its result still holds the order: set the result aside");
    }
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{close_item, pg::params(id, deed.at, deed.actor, deed.why)});
    const boost::json::value payload{{"kind", row.text(2)}, {"why", deed.why}};
    steps.push_back(audited(deed, row, "close_work_item", "work_item:" + std::to_string(id.value()), payload));
    co_await transaction.commit_with(std::move(steps));
    co_return Result<void>{};
}

asio::awaitable<Result<void>> Work::set_aside(Deed deed, domain::OrderId order, domain::ResultId result) {
    pg::Transaction transaction = co_await pool_.begin(deed.sites);
    std::vector<pg::Step> look;
    look.push_back(pg::Step{lock_order, pg::params(order)});
    look.push_back(pg::Step{read_result, pg::params(result, order)});
    const std::vector<pg::Rows> found = co_await transaction.pipeline(std::move(look));
    const auto refuse = [](Fault fault, std::string where, std::string what) {
        return Error{fault, std::move(where), std::move(what)};
    };
    if (found[0].empty() || found[1].empty()) {
        co_await transaction.rollback();
        co_return refuse(Fault::missing, found[0].empty() ? "order" : "result",
                         "no such result of an order on your sites");
    }
    const auto row = found[0][0];
    const auto state = found[1][0].text(0);
    if (state != "quarantined" && state != "late") {
        co_await transaction.rollback();
        co_return refuse(Fault::conflict, "result", "the result is not held (any more)");
    }
    const pg::Rows gone =
        co_await transaction.query(put_aside, pg::params(result, order, deed.at, deed.actor, deed.why));
    pg::Int8Column ids;
    boost::json::array results;
    for (const auto one : gone) {
        ids.add(one.int64(0));
        results.emplace_back(one.int64(0));
    }
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{close_items_of, pg::params(ids, deed.at, deed.actor, deed.why)});
    steps.push_back(pg::Step{touch_order, pg::params(order, deed.at)});
    const boost::json::value payload{{"results", std::move(results)}, {"why", deed.why}};
    steps.push_back(audited(deed, row, "set_result_aside", "order:" + to_string(order.value()), payload));
    co_await transaction.commit_with(std::move(steps));
    co_return Result<void>{};
}

std::vector<pg::Query> work_queries() {
    return {lock_item, close_item, lock_order, read_result, put_aside, close_items_of, touch_order};
}

}  // namespace sgl::store
