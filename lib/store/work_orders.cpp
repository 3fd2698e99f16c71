#include "lib/store/work_orders.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "lib/domain/order_news.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/queries.hpp"
#include "lib/store/work_rows.hpp"

namespace sgl::store {

namespace {

constexpr pg::Query insert_due{"work_orders.insert_due", R"sql(
    insert into work_due (link_id, order_id, legal_entity_id, site_id, created_at)
    select l, $2, $3, $4, $5 from unnest($1::int[]) as t(l) on conflict do nothing)sql"};

constexpr pg::Query find_order{"work_orders.find_order", R"sql(
    select order_id from order_number where number = $1 and site_id = $2 and kind = 'S')sql"};

constexpr pg::Query read_steps{"work_orders.steps", R"sql(
    select a.number, a.specimen_number, a.analyte, a.state, a.told,
           exists (select from work_message m where m.link_id = $1 and m.state = 'due' and a.number = any(m.steps))
    from awos a where a.order_id = $2 and a.link_id = $1 order by a.number)sql"};

constexpr pg::Query take_numbers{"work_orders.numbers",
                                 "select nextval('awos_number') from generate_series(1, $1::int)"};

constexpr pg::Query find_waiting{"work_orders.waiting", R"sql(
    select order_id from work_due where link_id = $1 order by created_at limit $2 for update skip locked)sql"};

constexpr pg::Query delete_due{"work_orders.delete_due", "delete from work_due where link_id = $1 and order_id = $2"};

constexpr pg::Query open_orders_query{"work_orders.open_orders", R"sql(
    select id from lab_order where site_id = $1 and closed_at is null order by urgent desc, registered_at desc limit $2)sql"};

constexpr pg::Query insert_steps{"work_orders.insert_steps", R"sql(
    with fresh as (
        insert into awos (number, legal_entity_id, site_id, link_id, order_id, specimen_number, analyte, state, asked_at,
                          changed_at)
        select n, $1, $2, $3, $4, specimen, analyte, $5, $6, $6
        from unnest($7::bigint[], $8::text[], $9::text[]) as t(n, specimen, analyte))
    insert into order_number (site_id, legal_entity_id, number, kind, order_id)
    select $2, $1, id, 'A', $4 from unnest($10::text[]) as t(id))sql"};

constexpr pg::Query tell_again{"work_orders.tell_again", R"sql(
    update awos set state = $2, told = told + 1, changed_at = $3
    where number = any($1::bigint[]) and state in ('asked', 'accepted'))sql"};

constexpr pg::Query set_cancelling{"work_orders.cancel", R"sql(
    update awos set state = 'cancelling', changed_at = $2
    where number = any($1::bigint[]) and state in ('asked', 'accepted'))sql"};

constexpr pg::Query insert_message{"work_orders.insert_message", R"sql(
    insert into work_message (link_id, control_id, legal_entity_id, site_id, order_id, steps, state, created_at,
                              next_attempt_at, raw)
    values ($1, $2, $3, $4, $5, $6::bigint[], 'due', $7, $7, $8))sql"};

constexpr pg::Query end_done{"work_orders.end_done", R"sql(
    update awos a set state = 'done', changed_at = $2 from lab_order o
    where a.link_id = $1 and a.state in ('asked', 'accepted') and o.id = a.order_id and o.closed_at is not null
      and o.state <> 'cancelled')sql"};

// Of a cancelled order, or of an open one where the tube of that number is not what the analysis is wanted from any
// more: it has another number now, is refused, was taken for another, or no line stands for the analysis, alone or in a
// panel (flow::wanted_of, but for what has a result).
constexpr pg::Query find_ended{"work_orders.ended", R"sql(
    select a.order_id, a.number, a.specimen_number, a.analyte, a.state, a.told
    from awos a join lab_order o on o.id = a.order_id
    where a.link_id = $1 and a.state in ('asked', 'accepted') and (o.state = 'cancelled' or o.closed_at is null and not exists (
        select from specimen s, jsonb_array_elements(o.exams) e
        where s.order_id = o.id and s.number = a.specimen_number and s.refusal_code = '' and s.refusal = ''
          and not e ? 'state' and (not e ? 'specimens' or e->'specimens' ? s.number)
          and (e->>'code' = a.analyte or exists (
              select from analyte t where t.site_id = o.site_id and t.local_code = a.analyte and t.valid_to is null
                and t.definition->'panels' ? (e->>'code')))
          and not exists (
              select from analyte t join specimen right_one on right_one.order_id = o.id
              where t.site_id = o.site_id and t.local_code = a.analyte and t.valid_to is null
                and t.definition->>'specimen' = right_one.type and right_one.type <> s.type)))
    order by a.order_id, a.number limit 1000 for update of a skip locked)sql"};

constexpr pg::Query claim_due{"work_orders.claim", R"sql(
    with due as (
        select control_id from work_message where link_id = $1 and state = 'due' and next_attempt_at <= $2
        order by created_at, control_id limit $4 for update skip locked)
    update work_message m set next_attempt_at = $3, attempts = attempts + 1
    from due where m.link_id = $1 and m.control_id = due.control_id
    returning m.control_id, m.created_at, m.attempts, m.raw)sql"};

constexpr pg::Query set_failed{"work_orders.failed", R"sql(
    update work_message set next_attempt_at = $3, error_what = $4,
        attempts = attempts - case when $6::boolean then 1 else 0 end,
        state = case when $5::boolean then 'dead' else 'due' end
    where link_id = $1 and control_id = $2 and state = 'due' returning order_id, cardinality(steps))sql"};

constexpr pg::Query set_done{"work_orders.done", R"sql(
    update work_message set state = 'done', done_at = $3, error_what = ''
    where link_id = $1 and control_id = $2 and state = 'due' returning order_id, attempts, cardinality(steps))sql"};

constexpr pg::Query lines_of{"work_orders.lines", "select exams from lab_order where id = $1 for no key update"};

constexpr pg::Query set_lines{"work_orders.set_lines", R"sql(
    update lab_order set exams = $2::jsonb, row_version = row_version + 1, last_event_at = $3 where id = $1)sql"};

constexpr pg::Query insert_placers{"work_orders.insert_placers", R"sql(
    insert into order_number (site_id, legal_entity_id, number, kind, order_id)
    select $1, $2, number, 'P', $3 from unnest($4::text[]) as t(number) on conflict do nothing returning number)sql"};

constexpr pg::Query lock_steps{"work_orders.lock_steps", R"sql(
    select a.number, a.specimen_number, a.analyte, a.state, a.told
    from work_message m join awos a on a.number = any(m.steps)
    where m.link_id = $1 and m.control_id = $2 order by a.number for update of a)sql"};

constexpr pg::Query move_steps{"work_orders.move_steps", R"sql(
    update awos a set state = t.state, changed_at = $3
    from unnest($1::bigint[], $2::text[]) as t(number, state) where a.number = t.number)sql"};

StoredStep step_of(const pg::Row& row, int at) {
    const auto state = domain::step_state_of(row.text(at + 3));
    if (!state) throw std::runtime_error("a stored state of a step is not known");
    return {row.int64(at), row.string(at + 1), row.string(at + 2), *state, row.int32(at + 4), false};
}

std::vector<domain::OrderId> orders_in(const pg::Rows& rows) {
    std::vector<domain::OrderId> orders;
    for (const auto row : rows)
        orders.push_back(domain::OrderId{row.uuid(0)});
    return orders;
}

pg::Step audit_of(const domain::Link& link, std::string action, const std::optional<Uuid>& order,
                  const std::string& control_id, std::size_t steps, Instant now) {
    AuditEvent event;
    event.legal_entity = link.legal_entity;
    event.site = link.site;
    event.actor = "link:" + link.name;
    event.action = std::move(action);
    event.object = order ? "order:" + to_string(*order) : "link:" + link.name;
    event.payload = codec::text({{"control_id", control_id}, {"steps", steps}});
    std::vector<AuditEvent> events;
    events.push_back(std::move(event));
    return audit(events, now);
}

}  // namespace

asio::awaitable<pg::Transaction> WorkOrders::begin(const domain::Link& link) {
    const pg::Scope scope(1, link.site.value());
    pg::Transaction transaction = co_await pool_.begin(scope);
    co_return transaction;
}

pg::Step WorkOrders::due(domain::OrderId order, domain::SiteId site, domain::LegalEntityId legal_entity,
                         const std::vector<domain::LinkId>& links, Instant now) {
    pg::Int4Column ids;
    for (const auto link : links)
        ids.add(link.value());
    return pg::Step{insert_due, pg::params(ids, order, legal_entity, site, now)};
}

std::vector<pg::Step> WorkOrders::news(const NewsMessage& message, domain::OrderId order, domain::SiteId site,
                                       domain::LegalEntityId legal_entity, Instant now) {
    const pg::Int8Column no_steps;
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{insert_message, pg::params(message.link, message.control_id, legal_entity, site, order,
                                                        no_steps, now, pg::Bytes{message.raw})});
    return steps;
}

asio::awaitable<std::optional<domain::OrderId>> WorkOrders::order_of(pg::Transaction& transaction,
                                                                     const domain::Link& link,
                                                                     const std::string& specimen_number) {
    const pg::Rows rows = co_await transaction.query(find_order, pg::params(specimen_number, link.site));
    std::optional<domain::OrderId> order;
    if (!rows.empty()) order = domain::OrderId{rows[0].uuid(0)};
    co_return order;
}

asio::awaitable<std::vector<StoredStep>> WorkOrders::steps(pg::Transaction& transaction, const domain::Link& link,
                                                           domain::OrderId order) {
    const pg::Rows rows = co_await transaction.query(read_steps, pg::params(link.id, order));
    std::vector<StoredStep> steps;
    for (const auto row : rows) {
        steps.push_back(step_of(row, 0));
        steps.back().on_its_way = row.boolean(5);
    }
    co_return steps;
}

asio::awaitable<std::vector<std::int64_t>> WorkOrders::numbers(pg::Transaction& transaction, std::size_t count) {
    const pg::Rows rows = co_await transaction.query(take_numbers, pg::params(static_cast<std::int32_t>(count)));
    std::vector<std::int64_t> numbers;
    for (const auto row : rows)
        numbers.push_back(row.int64(0));
    co_return numbers;
}

asio::awaitable<std::vector<domain::OrderId>> WorkOrders::waiting(pg::Transaction& transaction,
                                                                  const domain::Link& link, std::size_t limit) {
    const pg::Rows rows =
        co_await transaction.query(find_waiting, pg::params(link.id, static_cast<std::int64_t>(limit)));
    co_return orders_in(rows);
}

asio::awaitable<std::vector<domain::OrderId>> WorkOrders::open_orders(pg::Transaction& transaction,
                                                                      const domain::Link& link, std::size_t limit) {
    const pg::Rows rows =
        co_await transaction.query(open_orders_query, pg::params(link.site, static_cast<std::int64_t>(limit)));
    co_return orders_in(rows);
}

pg::Step WorkOrders::written(domain::OrderId order, const domain::Link& link) {
    return pg::Step{delete_due, pg::params(link.id, order)};
}

std::vector<pg::Step> WorkOrders::steps_of(const NewWork& work, const domain::Link& link, Instant now) {
    std::vector<pg::Step> to;
    const std::string_view begins = work.answered ? "accepted" : "asked";
    pg::Int8Column all;
    if (!work.fresh.empty()) {
        pg::Int8Column numbers;
        pg::TextColumn specimens;
        pg::TextColumn analytes;
        pg::TextColumn ids;
        for (const auto& step : work.fresh) {
            numbers.add(step.number);
            specimens.add(step.specimen_number);
            analytes.add(step.analyte);
            ids.add(domain::awos_id(step.number));
            all.add(step.number);
        }
        to.push_back(pg::Step{insert_steps, pg::params(link.legal_entity, link.site, link.id, work.order->value(),
                                                       begins, now, numbers, specimens, analytes, ids)});
    }
    if (!work.again.empty()) {
        pg::Int8Column numbers;
        for (const auto number : work.again) {
            numbers.add(number);
            all.add(number);
        }
        to.push_back(pg::Step{tell_again, pg::params(numbers, begins, now)});
    }
    if (!work.ended.empty()) {
        pg::Int8Column numbers;
        for (const auto number : work.ended) {
            numbers.add(number);
            all.add(number);
        }
        to.push_back(pg::Step{set_cancelling, pg::params(numbers, now)});
    }
    std::optional<Uuid> order;
    if (work.order) order = work.order->value();
    const std::size_t count = work.fresh.size() + work.again.size() + work.ended.size();
    if (!work.answered) {
        to.push_back(pg::Step{insert_message, pg::params(link.id, work.control_id, link.legal_entity, link.site, order,
                                                         all, now, pg::Bytes{work.raw})});
    }
    const std::string action = work.ended.empty() ? "ask_analyser" : "cancel_at_analyser";
    to.push_back(audit_of(link, action, order, work.control_id, count, now));
    return to;
}

asio::awaitable<std::vector<EndedWork>> WorkOrders::ended(const domain::Link& link, Instant now) {
    pg::Transaction transaction = co_await begin(link);
    std::vector<pg::Step> look;
    look.push_back(pg::Step{end_done, pg::params(link.id, now)});
    look.push_back(pg::Step{find_ended, pg::params(link.id)});
    const std::vector<pg::Rows> found = co_await transaction.commit_with(std::move(look));
    std::vector<EndedWork> ended;
    for (const auto row : found[1]) {
        const domain::OrderId order{row.uuid(0)};
        if (ended.empty() || ended.back().order != order) ended.push_back({order, {}});
        ended.back().steps.push_back(step_of(row, 1));
    }
    co_return ended;
}

asio::awaitable<std::vector<DueWork>> WorkOrders::claim(const domain::Link& link, Instant now, Instant again_at,
                                                        std::size_t limit) {
    pg::Transaction transaction = co_await begin(link);
    const pg::Rows rows =
        co_await transaction.query(claim_due, pg::params(link.id, now, again_at, static_cast<std::int64_t>(limit)));
    std::vector<DueWork> due;
    for (const auto row : rows) {
        const auto raw = row.bytes(3);
        due.push_back({row.string(0), row.instant(1), row.int32(2), std::string(raw)});
    }
    co_await transaction.commit();
    co_return due;
}

asio::awaitable<void> WorkOrders::failed(const domain::Link& link, const DueWork& work, Instant again_at, bool dead,
                                         bool not_sent, const std::string& why) {
    pg::Transaction transaction = co_await begin(link);
    const pg::Rows rows =
        co_await transaction.query(set_failed, pg::params(link.id, work.control_id, again_at, why, dead, not_sent));
    if (dead && !rows.empty()) {
        std::optional<Uuid> order;
        if (!rows[0].is_null(0)) order = rows[0].uuid(0);
        const bool news = order && rows[0].int32(1) == 0;
        const std::string what = news ? "requester " + link.name + " never took what became of its order"
                                      : "analyser " + link.name + " never took its work order";
        WorkRows work_rows;
        const std::string kind = news ? "news_not_told" : "work_not_told";
        work_rows.add(link.legal_entity, link.site, {kind, "ORC-1", what}, std::nullopt, order);
        std::vector<pg::Step> steps;
        work_rows.steps(steps, again_at);
        co_await transaction.pipeline(std::move(steps));
    }
    co_await transaction.commit();
}

asio::awaitable<bool> WorkOrders::number_lines(pg::Transaction& transaction, const domain::Link& link,
                                               const Uuid& order, const std::map<std::string, std::string>& placers,
                                               Instant now) {
    const pg::Rows rows = co_await transaction.query(lines_of, pg::params(order));
    if (rows.empty()) co_return false;
    std::vector<domain::RequestedExam> exams = rows::exams(rows[0].text(0));
    const auto given_to = [&](const domain::RequestedExam& exam) {
        return domain::numbered_here(exam) ? placers.find(exam.filler_number) : placers.end();
    };
    pg::TextColumn given;
    for (const auto& exam : exams)
        if (const auto said = given_to(exam); said != placers.end()) given.add(said->second);
    const pg::Rows taken =
        co_await transaction.query(insert_placers, pg::params(link.site, link.legal_entity, order, given));
    std::set<std::string> fresh;  // that no line has yet, here or in another order
    for (const auto row : taken)
        fresh.insert(row.string(0));
    const std::size_t numbered = fresh.size();
    boost::json::array list;
    for (auto& exam : exams) {
        const auto said = given_to(exam);
        if (said != placers.end() && fresh.erase(said->second) > 0) exam.placer_number = said->second;
        list.push_back(codec::to_json(exam));
    }
    if (numbered > 0) {
        std::vector<pg::Step> steps;
        steps.push_back(pg::Step{set_lines, pg::params(order, codec::text(list), now)});
        co_await transaction.pipeline(std::move(steps));
    }
    co_return numbered == placers.size();
}

asio::awaitable<bool> WorkOrders::answered(const domain::Link& link, const std::string& control_id,
                                           const HeardAnswer& answer, Instant now) {
    const bool accepted = answer.accepted;
    const auto& answers = answer.steps;
    pg::Transaction transaction = co_await begin(link);
    std::vector<pg::Step> look;
    look.push_back(pg::Step{set_done, pg::params(link.id, control_id, now)});
    look.push_back(pg::Step{lock_steps, pg::params(link.id, control_id)});
    const std::vector<pg::Rows> found = co_await transaction.pipeline(std::move(look));
    if (found[0].empty()) {
        co_await transaction.rollback();
        co_return false;
    }
    std::optional<Uuid> order;
    if (!found[0][0].is_null(0)) order = found[0][0].uuid(0);
    pg::Int8Column numbers;
    pg::TextColumn states;
    // It may have had the message before, and accepted it: then it refuses the numbers that it knows.
    const bool said_before = found[0][0].int32(1) > 1;
    std::size_t refused = 0;
    std::size_t kept = 0;
    bool free_again = false;
    for (const auto row : found[1]) {
        const StoredStep step = step_of(row, 0);
        domain::StepAnswer said = step.state == domain::StepState::cancelling
                                      ? (accepted ? domain::StepAnswer::cancelled : domain::StepAnswer::not_cancelled)
                                      : (accepted ? domain::StepAnswer::ok : domain::StepAnswer::unable);
        const auto own = answers.find(step.number);
        if (own != answers.end())
            said = own->second;
        else if (!answers.empty() && step.state == domain::StepState::asked)
            said = domain::StepAnswer::unable;  // it speaks of the others and not of this one
        const domain::StepState next = domain::after(step.state, said, said_before || step.told > 1);
        if (next == step.state) continue;
        numbers.add(step.number);
        states.add(to_string(next));
        refused += next == domain::StepState::refused ? 1 : 0;
        kept += next == domain::StepState::not_cancelled ? 1 : 0;
        free_again = free_again || next == domain::StepState::cancelled;
    }
    std::vector<pg::Step> steps;
    if (numbers.size() > 0) steps.push_back(pg::Step{move_steps, pg::params(numbers, states, now)});
    // What was asked for again meanwhile could not be told while the former step was being taken back.
    if (free_again && order && link.work_orders == domain::Link::WorkOrders::push) {
        const std::vector<domain::LinkId> one(1, link.id);
        steps.push_back(due(domain::OrderId{*order}, link.site, link.legal_entity, one, now));
    }
    WorkRows work_rows;
    const auto tell = [&](std::string kind, std::string what) {
        work_rows.add(link.legal_entity, link.site, {std::move(kind), "ORC-1", std::move(what)}, std::nullopt, order);
    };
    if (refused > 0) tell("work_refused", std::to_string(refused) + " examinations refused by analyser " + link.name);
    if (kept > 0)
        tell("work_not_cancelled", std::to_string(kept) + " examinations not cancelled by analyser " + link.name);
    const bool news = order && found[0][0].int32(2) == 0;
    if (news) {
        bool fine = accepted && answer.unable == 0;
        if (accepted && !answer.placers.empty()) {
            const bool numbered = co_await number_lines(transaction, link, *order, answer.placers, now);
            fine = fine && numbered;
        }
        if (!fine) tell("news_refused", "requester " + link.name + " refuses what became of its order");
    }
    work_rows.steps(steps, now);
    const std::string action = news ? "requester_answers" : "analyser_answers";
    steps.push_back(audit_of(link, action, order, control_id, numbers.size(), now));
    co_await transaction.commit_with(std::move(steps));
    co_return true;
}

std::vector<pg::Query> work_order_queries() {
    return {insert_due,   find_order, read_steps,     take_numbers,   find_waiting, delete_due, open_orders_query,
            insert_steps, tell_again, set_cancelling, insert_message, end_done,     find_ended, claim_due,
            set_failed,   set_done,   lock_steps,     move_steps,     lines_of,     set_lines,  insert_placers};
}

}  // namespace sgl::store
