#include "lib/store/work_rows.hpp"

#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

constexpr pg::Query insert_work{"work_rows.insert", R"sql(
    insert into work_item (legal_entity_id, site_id, kind, coordinate, what, message_id, order_id, created_at)
    select e, s, kind, coordinate, what, m, o, $1
    from unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::uuid[])
         as t(e, s, kind, coordinate, what, m, o))sql"};

}  // namespace

void WorkRows::add(domain::LegalEntityId legal_entity, domain::SiteId site, const domain::Trouble& trouble,
                   const std::optional<domain::MessageId>& message, const std::optional<Uuid>& order) {
    entities_.add(legal_entity.value());
    sites_.add(site.value());
    kinds_.add(trouble.kind);
    coordinates_.add(trouble.coordinate);
    whats_.add(trouble.what);
    messages_.add(message ? std::optional(message->value()) : std::nullopt);
    orders_.add(order);
}

void WorkRows::steps(std::vector<pg::Step>& to, Instant now) const {
    if (kinds_.size() == 0) return;
    to.push_back(
        pg::Step{insert_work, pg::params(now, entities_, sites_, kinds_, coordinates_, whats_, messages_, orders_)});
}

std::vector<pg::Query> work_row_queries() {
    return {insert_work};
}

}  // namespace sgl::store
