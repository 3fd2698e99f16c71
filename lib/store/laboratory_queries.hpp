// The SQL of lib/store/laboratory.cpp; every put_ writes only what differs and gives (name, added, active) of it.
#pragma once

#include <array>

#include "lib/store/pg/query.hpp"

namespace sgl::store::laboratory {

// Two imports one after the other; a reader never sees half of one.
inline constexpr pg::Query lock_exclusive{"laboratory.lock", "select pg_advisory_xact_lock(7311, 1)"};
inline constexpr pg::Query lock_shared{"laboratory.lock_shared", "select pg_advisory_xact_lock_shared(7311, 1)"};

inline constexpr pg::Query known_entities{"laboratory.known_entities", "select finess, id from legal_entity"};
inline constexpr pg::Query known_sites{"laboratory.known_sites", "select finess, id, legal_entity_id from site"};
inline constexpr pg::Query environment{"laboratory.environment", "select environment from instance"};
inline constexpr pg::Query passwords{"laboratory.passwords",
                                     "select login, password from app_user where password is not null"};

inline constexpr pg::Query put_entities{"laboratory.put_entities", R"sql(
    insert into legal_entity as old (finess, definition, updated_at)
    select finess, definition, $3 from unnest($1::text[], $2::jsonb[]) as t(finess, definition)
    on conflict (finess) do update set definition = excluded.definition, updated_at = excluded.updated_at
    where old.definition is distinct from excluded.definition
    returning finess, xmax = 0, true)sql"};

inline constexpr pg::Query put_sites{"laboratory.put_sites", R"sql(
    insert into site as old (legal_entity_id, finess, definition, updated_at)
    select entity, finess, definition, $4 from unnest($1::int[], $2::text[], $3::jsonb[]) as t(entity, finess, definition)
    on conflict (finess) do update set definition = excluded.definition, updated_at = excluded.updated_at
    where old.definition is distinct from excluded.definition
    returning finess, xmax = 0, true)sql"};

inline constexpr pg::Query put_links{"laboratory.put_links", R"sql(
    insert into link as old (site_id, name, definition, active, updated_at)
    select site, name, definition, active, $5
    from unnest($1::int[], $2::text[], $3::jsonb[], $4::bool[]) as t(site, name, definition, active)
    on conflict (name) do update set site_id = excluded.site_id, definition = excluded.definition,
        active = excluded.active, updated_at = excluded.updated_at
    where (old.site_id, old.definition, old.active) is distinct from (excluded.site_id, excluded.definition, excluded.active)
    returning name, xmax = 0, active)sql"};

inline constexpr pg::Query put_partners{"laboratory.put_partners", R"sql(
    insert into partner as old (legal_entity_id, name, kind, definition, active, updated_at)
    select entity, name, kind, definition, active, $6
    from unnest($1::int[], $2::text[], $3::text[], $4::jsonb[], $5::bool[]) as t(entity, name, kind, definition, active)
    on conflict (name) do update set legal_entity_id = excluded.legal_entity_id, kind = excluded.kind,
        definition = excluded.definition, active = excluded.active, updated_at = excluded.updated_at
    where (old.legal_entity_id, old.kind, old.definition, old.active)
        is distinct from (excluded.legal_entity_id, excluded.kind, excluded.definition, excluded.active)
    returning name, xmax = 0, active)sql"};

inline constexpr pg::Query put_correspondents{"laboratory.put_correspondents", R"sql(
    insert into correspondent as old (legal_entity_id, rpps, structure, definition, active, updated_at)
    select entity, rpps, structure, definition, active, $6
    from unnest($1::int[], $2::text[], $3::text[], $4::jsonb[], $5::bool[]) as t(entity, rpps, structure, definition, active)
    on conflict (legal_entity_id, rpps, structure) do update set definition = excluded.definition,
        active = excluded.active, updated_at = excluded.updated_at
    where (old.definition, old.active) is distinct from (excluded.definition, excluded.active)
    returning rpps, xmax = 0, active)sql"};

// Gives (site/code, whether a new version follows).
inline constexpr pg::Query close_analytes{"laboratory.close_analytes", R"sql(
    update analyte old set valid_to = $5
    from unnest($1::int[], $2::text[], $3::jsonb[], $4::bool[]) as t(site, code, definition, active)
    where old.site_id = t.site and old.local_code = t.code and old.valid_to is null
        and (not t.active or old.definition is distinct from t.definition)
    returning old.site_id || '/' || old.local_code, t.active)sql"};
inline constexpr pg::Query open_analytes{"laboratory.open_analytes", R"sql(
    insert into analyte (site_id, local_code, definition, valid_from)
    select site, code, definition, $5
    from unnest($1::int[], $2::text[], $3::jsonb[], $4::bool[]) as t(site, code, definition, active)
    where t.active and not exists (select 1 from analyte old
                                   where old.site_id = t.site and old.local_code = t.code and old.valid_to is null)
    returning site_id || '/' || local_code)sql"};

inline constexpr pg::Query put_users{"laboratory.put_users", R"sql(
    insert into app_user as old (login, definition, password, active, updated_at)
    select login, definition, password, active, $5
    from unnest($1::text[], $2::jsonb[], $3::text[], $4::bool[]) as t(login, definition, password, active)
    on conflict (login) do update set definition = excluded.definition, password = excluded.password,
        active = excluded.active, updated_at = excluded.updated_at
    where (old.definition, old.password, old.active) is distinct from (excluded.definition, excluded.password, excluded.active)
    returning login, xmax = 0, active)sql"};
// Roles of the users of the file which the file does not give any more.
inline constexpr pg::Query end_roles{"laboratory.end_roles", R"sql(
    update user_role old set valid_to = $5
    from app_user u
    where u.id = old.user_id and u.login = any ($1::text[]) and old.valid_to is null
        and not exists (select 1 from unnest($2::text[], $3::int[], $4::text[]) as t(login, site, role)
                        where t.login = u.login and t.site = old.site_id and t.role = old.role)
    returning u.login, false, false)sql"};
inline constexpr pg::Query give_roles{"laboratory.give_roles", R"sql(
    insert into user_role as old (user_id, site_id, role, valid_from)
    select u.id, t.site, t.role, $4
    from (select distinct * from unnest($1::text[], $2::int[], $3::text[]) as t(login, site, role)) t
        join app_user u on u.login = t.login
    on conflict (user_id, site_id, role) do update set valid_from = excluded.valid_from, valid_to = null
    where old.valid_to is not null
    returning (select login from app_user where id = user_id), true, true)sql"};

inline constexpr pg::Query keep_change{"laboratory.keep_change", R"sql(
    insert into configuration_change (at, actor, kind, source_sha256, content) values ($1, $2, $3, $4, $5) returning id)sql"};
inline constexpr pg::Query announce{"laboratory.announce", "select pg_notify('sgl_configuration', $1::text)"};

inline constexpr pg::Query last_change{"laboratory.last_change",
                                       "select coalesce(max(id), 0) from configuration_change"};
inline constexpr pg::Query all_entities{"laboratory.entities",
                                        "select id, finess, definition from legal_entity order by finess"};
inline constexpr pg::Query all_sites{"laboratory.sites",
                                     "select id, legal_entity_id, finess, definition from site order by finess"};
inline constexpr pg::Query all_links{"laboratory.links",
                                     "select id, site_id, name, definition, active from link order by name"};
inline constexpr pg::Query all_partners{
    "laboratory.partners", "select id, legal_entity_id, name, kind, definition, active from partner order by name"};
inline constexpr pg::Query all_correspondents{"laboratory.correspondents",
                                              "select legal_entity_id, structure, definition from correspondent where "
                                              "active order by legal_entity_id, rpps, structure"};
inline constexpr pg::Query all_analytes{
    "laboratory.analytes",
    "select id, site_id, local_code, definition from analyte where valid_to is null order by id"};
inline constexpr pg::Query all_users{"laboratory.users",
                                     "select id, login, definition, password, active from app_user order by login"};
inline constexpr pg::Query all_roles{
    "laboratory.roles",
    "select user_id, site_id, role from user_role where valid_to is null order by user_id, site_id, role"};

/// What load() reads, in this order.
inline constexpr std::array reading{lock_shared,  last_change,        all_entities, all_sites, all_links,
                                    all_partners, all_correspondents, all_analytes, all_users, all_roles};

inline constexpr std::array all{
    lock_exclusive, lock_shared,  known_entities,     known_sites,        environment,    passwords,     put_entities,
    put_sites,      put_links,    put_partners,       put_correspondents, close_analytes, open_analytes, put_users,
    end_roles,      give_roles,   keep_change,        announce,           last_change,    all_entities,  all_sites,
    all_links,      all_partners, all_correspondents, all_analytes,       all_users,      all_roles};

}  // namespace sgl::store::laboratory
