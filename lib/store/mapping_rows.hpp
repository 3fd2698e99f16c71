// Rows of link_mapping. For the sources of the laboratory's store only.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <stdexcept>

#include "lib/domain/mapping.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/pg/query.hpp"
#include "lib/store/pg/rows.hpp"

namespace sgl::store::mapping_rows {

#define SGL_MAPPING "m.id, m.link_id, m.kind, m.theirs, m.unit, m.definition, m.made_at, m.made_by, m.made_why"

inline constexpr pg::Query link{"mapping.link", R"sql(
    select l.name, l.site_id, s.legal_entity_id, l.definition from link l join site s on s.id = l.site_id where l.id = $1)sql"};
inline constexpr pg::Query current{"mapping.current", R"sql(
    select definition from link_mapping where link_id = $1 and kind = $2 and theirs = $3 and unit = $4 and ended_at is null)sql"};
inline constexpr pg::Query insert{"mapping.insert", R"sql(
    insert into link_mapping (link_id, kind, theirs, unit, definition, made_at, made_by, made_why)
    values ($1, $2, $3, $4, $5, $6, $7, $8))sql"};
inline constexpr pg::Query end{
    "mapping.end",
    "update link_mapping m set ended_at = $2, ended_by = $3, ended_why = $4 from link l join site s on s.id = "
    "l.site_id "
    "where m.id = $1 and m.ended_at is null and l.id = m.link_id and l.site_id = any($5::int[]) "
    "returning l.name, l.site_id, s.legal_entity_id, " SGL_MAPPING};
inline constexpr pg::Query of_sites{"mapping.of_sites",
                                    "select l.definition, " SGL_MAPPING
                                    " from link_mapping m join link l on l.id = m.link_id "
                                    "where m.ended_at is null and l.site_id = any($1::int[]) order by m.id"};
inline constexpr pg::Query all_current{
    "mapping.all", "select " SGL_MAPPING " from link_mapping m where m.ended_at is null order by m.id"};
#undef SGL_MAPPING

inline constexpr std::array all{link, current, insert, end, of_sites, all_current};

inline boost::json::value definition(const domain::Mapping& mapping) {
    boost::json::object object;
    if (mapping.kind == domain::Mapping::Kind::flag) {
        object["does"] = to_string(mapping.does);
        if (!mapping.text.empty()) object["text"] = mapping.text;
    } else {
        object["ours"] = mapping.ours;
        if (mapping.factor) object["factor"] = mapping.factor->text();
    }
    return object;
}

/// The nine columns from `at` on.
inline domain::Mapping read(const pg::Row& row, int at) {
    domain::Mapping mapping;
    mapping.id = row.int64(at);
    mapping.link = domain::LinkId{row.int32(at + 1)};
    const auto kind = domain::mapping_kind_of(row.text(at + 2));
    const auto stored = codec::parse(row.text(at + 5));
    const auto does = domain::flag_does_of(codec::member(stored, "does"));
    if (!kind || (*kind == domain::Mapping::Kind::flag && !does))
        throw std::runtime_error("a stored mapping can't be read");
    mapping.kind = *kind;
    mapping.theirs = row.string(at + 3);
    mapping.unit = row.string(at + 4);
    mapping.ours = codec::member(stored, "ours");
    mapping.text = codec::member(stored, "text");
    if (does) mapping.does = *does;
    if (const auto factor = codec::member(stored, "factor"); !factor.empty()) {
        const auto number = Decimal::parse(factor);
        if (!number) throw std::runtime_error("a stored factor can't be read");
        mapping.factor = *number;
    }
    mapping.made_at = row.instant(at + 6);
    mapping.made_by = row.string(at + 7);
    mapping.made_why = row.string(at + 8);
    return mapping;
}

}  // namespace sgl::store::mapping_rows
