#include "lib/store/orders.hpp"

#include "lib/store/codec.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

namespace json = boost::json;

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
    select id, number, type, type_label, collected_at, received_at, refusal_code, refusal from specimen where order_id = $1 order by number)sql"};

constexpr pg::Query read_results{"orders.results", R"sql(
    select r.id, r.code, r.analyte_id, r.run, r.status, r.value_kind, r.comparator, r.value, r.value_system, r.unit,
           r.received_flags, r.note, r.specimen_number, r.measured_at, r.received_at, r.state,
           r.isolate, r.detail
    from result r
    where r.order_id = $1 and r.state not in ('superseded', 'set_aside')
      and not exists (select 1 from result n where n.order_id = $1 and n.replaces = r.id)
    order by r.received_at, r.message_id, r.position, r.id)sql"};

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
    file.copies = rows::people(row.text(8));
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
    return {read_order, lock_order, read_specimens, read_results};
}

}  // namespace sgl::store
