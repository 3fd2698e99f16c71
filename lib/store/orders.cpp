#include "lib/store/orders.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <set>

#include "lib/base/failpoint.hpp"
#include "lib/base/text.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/patients.hpp"
#include "lib/store/queries.hpp"
#include "lib/store/work_orders.hpp"

namespace sgl::store {

namespace {

namespace json = boost::json;

constexpr pg::Query taken_numbers{"orders.taken_numbers", R"sql(
    select k.kind, o.id, o.number from unnest($2::text[], $3::text[]) as n(number, kind)
    cross join lateral (select kind, order_id from order_number
                        where number = n.number and site_id = $1 and kind = n.kind offset 0) k
    join lab_order o on o.id = k.order_id
    limit 1)sql"};

constexpr pg::Query next_number{"orders.next_number", "select nextval('order_sequence')"};

constexpr pg::Query insert_order{"orders.insert", R"sql(
    insert into lab_order (id, legal_entity_id, site_id, patient_id, number, placer_group, state, prescriber, copies, collector,
        exams, prescribed_at, registered_at, stay_number, patient_class, clinical_context, urgent, last_event_at)
    values ($1, $2, $3, $4, $5, $6, 'registered', $7::jsonb, $8::jsonb, $9::jsonb, $10::jsonb, $11, $12, $13, $14, $15, $16, $12))sql"};

constexpr pg::Query insert_specimens{"orders.insert_specimens", R"sql(
    insert into specimen (id, legal_entity_id, site_id, order_id, number, type, type_label, collected_at, received_at)
    select id, $1, $2, $3, number, type, label, collected, received
    from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) as t(id, number, type, label, collected, received))sql"};

constexpr pg::Query insert_numbers{"orders.insert_numbers", R"sql(
    insert into order_number (site_id, legal_entity_id, number, kind, order_id)
    select $1, $2, number, kind, $3 from unnest($4::text[], $5::text[]) as t(number, kind))sql"};

constexpr pg::Query insert_work{"orders.insert_work", R"sql(
    insert into work_item (legal_entity_id, site_id, kind, coordinate, what, message_id, order_id, created_at)
    select $1, $2, kind, coordinate, what, $3, $4, $5
    from unnest($6::text[], $7::text[], $8::text[]) as t(kind, coordinate, what))sql"};

#define SGL_ORDER_COLUMNS                                                                                            \
    "o.id, o.site_id, o.legal_entity_id, o.number, o.placer_group, o.state, o.row_version, o.prescriber, o.copies, " \
    "o.collector, o.exams, o.prescribed_at, o.registered_at, o.stay_number, o.patient_class, o.clinical_context, "   \
    "o.urgent, " SGL_PATIENT_COLUMNS                                                                                 \
    ", p.address, p.phone, dmp_opposed(p.id, o.stay_number), messaging_opposed(p.id), o.row_version + p.row_version - 1 " \
    "from lab_order o join patient p on p.id = o.patient_id where o.id = $1"

constexpr pg::Query read_order{"orders.read", "select " SGL_ORDER_COLUMNS};
constexpr pg::Query lock_order{"orders.lock", "select " SGL_ORDER_COLUMNS " for update of o"};
#undef SGL_ORDER_COLUMNS

constexpr pg::Query read_specimens{"orders.specimens", R"sql(
    select id, number, type, type_label, collected_at, received_at from specimen where order_id = $1 order by number)sql"};

constexpr pg::Query read_results{"orders.results", R"sql(
    select r.id, r.code, r.analyte_id, r.run, r.status, r.value_kind, r.comparator, r.value, r.value_system, r.unit,
           r.received_flags, r.note, r.specimen_number, r.measured_at, r.received_at, r.state,
           r.isolate, r.detail
    from result r
    where r.order_id = $1 and r.state not in ('superseded', 'set_aside')
      and not exists (select 1 from result n where n.order_id = $1 and n.replaces = r.id)
    order by r.id)sql"};

std::string hl7(const std::optional<Timestamp>& timestamp) {
    return timestamp ? to_hl7(*timestamp) : std::string();
}

std::vector<domain::Professional> people_of(std::string_view text) {
    std::vector<domain::Professional> people;
    const auto parsed = codec::parse(text);
    for (const auto& person : parsed.as_array())
        people.push_back(codec::professional(person));
    return people;
}

template <class T>
std::string json_list(const std::vector<T>& items) {
    json::array list;
    for (const auto& item : items)
        list.push_back(codec::to_json(item));
    return codec::text(list);
}

/// Columns as SGL_ORDER_COLUMNS has them, from `at`.
domain::Patient patient_of(const pg::Row& row, int at) {
    auto patient = rows::patient(row, at);
    auto& traits = patient.traits.reveal();
    traits.address = codec::address(codec::parse(row.text(at + rows::patient_columns)));
    traits.phone = row.string(at + rows::patient_columns + 1);
    patient.choices = {row.boolean(at + rows::patient_columns + 2), row.boolean(at + rows::patient_columns + 3)};
    return patient;
}

std::optional<domain::Value> value_of(const pg::Row& row, int at) {
    if (row.text(at) == "n") return std::nullopt;
    const json::value stored{{"kind", row.text(at)},
                             {"comparator", row.text(at + 1)},
                             {"value", row.text(at + 2)},
                             {"system", row.text(at + 3)},
                             {"unit", row.text(at + 4)}};
    return codec::value(stored);
}

}  // namespace

asio::awaitable<Result<Registered>> Orders::register_order(const Arrival& arrival, const domain::NewOrder& order,
                                                           Instant now) {
    failpoint("before_inbox_insert");
    const domain::MessageId message = co_await inbox_.next_id();
    const std::vector<std::int32_t> scope(1, arrival.site.value());
    pg::Transaction transaction = co_await pool_.begin(scope);

    std::set<std::pair<std::string, std::string>> numbers;  // number, kind
    for (const auto& exam : order.exams) {
        if (!exam.placer_number.empty()) numbers.emplace(exam.placer_number, "P");
    }
    for (const auto& specimen : order.specimens)
        numbers.emplace(specimen.number, "S");
    if (!order.filler_number.empty()) numbers.emplace(order.filler_number, "F");
    pg::TextColumn number_column;
    pg::TextColumn kind_column;
    for (const auto& [number, kind] : numbers) {
        number_column.add(number);
        kind_column.add(kind);
    }
    std::vector<pg::Step> look;
    look.push_back(Inbox::look_for(arrival));
    look.push_back(pg::Step{taken_numbers, pg::params(arrival.site, number_column, kind_column)});
    look.push_back(pg::Step{next_number, {}});
    const std::vector<pg::Rows> seen = co_await transaction.pipeline(std::move(look));
    Registered done;
    done.kept = Inbox::found(arrival, seen[0]);
    if (done.kept.duplicate) {
        if (!seen[1].empty()) {  // a repeat hears again under which number the order is kept
            done.order = domain::OrderId{seen[1][0].uuid(1)};
            done.number = seen[1][0].string(2);
        }
        co_await transaction.rollback();
        co_return done;
    }
    if (!seen[1].empty()) {
        const auto kind = seen[1][0].string(0);
        co_await transaction.rollback();
        const std::string where = kind == "S" ? "SPM-2" : kind == "F" ? "OBR-3" : "OBR-2";
        co_return Error{Fault::conflict, where, "this number already belongs to another order of the site"};
    }

    std::vector<domain::Trouble> troubles = arrival.reading.troubles;
    const PatientPlace place{arrival.legal_entity, arrival.site, now};
    Result<domain::PatientId> who =
        co_await patients::of_order(transaction, place, order.patient, troubles);
    if (!who) {
        co_await transaction.rollback();
        co_return who.error();
    }
    const Uuid patient_id = who->value();

    done.order = domain::OrderId{Uuid::v7(now)};
    done.number = order.filler_number;
    if (done.number.empty()) {
        const auto day = TimeZone::utc().to_local(now, Precision::day);
        done.number =
            fmt::format("{:02}{:02}{:02}{:06}", day.year % 100, day.month, day.day, seen[2][0].int64(0) % 1000000);
    }
    if (order.filler_number.empty()) {
        number_column.add(done.number);
        kind_column.add("F");
    }
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{
        insert_order,
        pg::params(done.order, arrival.legal_entity, arrival.site, patient_id, done.number, order.group_number,
                   codec::text(codec::to_json(order.prescriber)), json_list(order.copies),
                   codec::text(codec::to_json(order.collector)), json_list(order.exams), hl7(order.prescribed_at), now,
                   order.stay_number, order.patient_class, order.clinical_context, order.urgent)});
    pg::UuidColumn ids;
    pg::TextColumn barcodes;
    pg::TextColumn types;
    pg::TextColumn labels;
    pg::TextColumn collected;
    pg::TextColumn received;
    for (const auto& specimen : order.specimens) {
        ids.add(Uuid::v7(now));
        barcodes.add(specimen.number);
        types.add(specimen.type);
        labels.add(specimen.type_label);
        collected.add(hl7(specimen.collected_at));
        received.add(hl7(specimen.received_at));
    }
    steps.push_back(pg::Step{insert_specimens, pg::params(arrival.legal_entity, arrival.site, done.order, ids, barcodes,
                                                          types, labels, collected, received)});
    steps.push_back(pg::Step{insert_numbers,
                             pg::params(arrival.site, arrival.legal_entity, done.order, number_column, kind_column)});
    if (!arrival.work_links.empty())
        steps.push_back(
            WorkOrders::due(done.order, arrival.site, arrival.legal_entity, arrival.work_links, now));
    for (auto& step : Inbox::message_steps(arrival, message, done.kept.reused, now))
        steps.push_back(std::move(step));
    std::vector<AuditEvent> events;
    AuditEvent event;
    event.legal_entity = arrival.legal_entity;
    event.site = arrival.site;
    event.actor = "link:" + arrival.link_name;
    event.action = "register_order";
    event.object = "order:" + to_string(done.order.value());
    event.payload = codec::text(
        {{"message", message.value()}, {"patient", to_string(patient_id)}, {"identity", codec::to_json(order.patient)}});
    events.push_back(std::move(event));
    steps.push_back(audit(events, now));
    if (!troubles.empty()) {
        pg::TextColumn kinds;
        pg::TextColumn coordinates;
        pg::TextColumn whats;
        for (const auto& trouble : troubles) {
            kinds.add(trouble.kind);
            coordinates.add(trouble.coordinate);
            whats.add(trouble.what);
        }
        steps.push_back(pg::Step{insert_work, pg::params(arrival.legal_entity, arrival.site, message, done.order, now,
                                                         kinds, coordinates, whats)});
    }
    co_await transaction.commit_with(std::move(steps));
    done.kept = Kept{message, false, arrival.answer, arrival.answer_errors, done.kept.reused};
    co_return done;
}

asio::awaitable<Result<OrderFile>> Orders::file(pg::Transaction& transaction, domain::OrderId id, bool lock) {
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{lock ? lock_order : read_order, pg::params(id)});
    steps.push_back(pg::Step{read_specimens, pg::params(id)});
    steps.push_back(pg::Step{read_results, pg::params(id)});
    const std::vector<pg::Rows> found = co_await transaction.pipeline(std::move(steps));
    if (found[0].empty()) co_return Error{Fault::missing, "order", "no such order on your sites"};
    const auto row = found[0][0];
    OrderFile file;
    file.id = domain::OrderId{row.uuid(0)};
    file.site = domain::SiteId{row.int32(1)};
    file.legal_entity = domain::LegalEntityId{row.int32(2)};
    file.number = row.string(3);
    file.placer_group = row.string(4);
    file.state = row.string(5);
    file.row_version = row.int32(6);
    file.prescriber = codec::professional(codec::parse(row.text(7)));
    file.copies = people_of(row.text(8));
    file.collector = codec::professional(codec::parse(row.text(9)));
    file.exams = rows::exams(row.text(10));
    file.prescribed_at = rows::timestamp(row.text(11));
    file.registered_at = row.instant(12);
    file.stay_number = row.string(13);
    file.patient_class = row.string(14);
    file.clinical_context = row.string(15);
    file.urgent = row.boolean(16);
    file.patient = patient_of(row, 17);
    file.seen_version = row.int32(17 + rows::patient_columns + 4);
    file.specimens = rows::specimens(found[1]);
    for (const auto r : found[2]) {
        CurrentResult result;
        result.id = domain::ResultId{r.int64(0)};
        result.code = r.string(1);
        if (!r.is_null(2)) result.analyte = domain::AnalyteId{r.int32(2)};
        result.run = r.string(3);
        result.status = r.string(4);
        result.value = value_of(r, 5);
        result.received_flags = r.string(10);
        result.note = r.string(11);
        result.specimen_number = r.string(12);
        result.measured_at = r.string(13);
        result.received_at = r.instant(14);
        result.state = r.string(15);
        result.isolate = r.string(16);
        if (r.text(17) != "{}") result.detail = codec::result_detail(codec::parse(r.text(17)));
        file.results.push_back(std::move(result));
    }
    co_return file;
}

std::vector<pg::Query> orders_queries() {
    return {taken_numbers,  next_number, insert_order,   insert_specimens,
            insert_numbers, insert_work,   read_order,  lock_order,     read_specimens, read_results};
}

}  // namespace sgl::store
