#include "lib/store/laboratory.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "lib/base/failpoint.hpp"
#include "lib/base/password.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/laboratory_codec.hpp"
#include "lib/store/laboratory_queries.hpp"
#include "lib/store/mapping_rows.hpp"

namespace sgl::store {

namespace {

using namespace sgl::domain;
using Kind = Import::Kind;

/// FINESS → row, as the database has them.
struct Known {
    std::map<std::string, std::int32_t, std::less<>> entities;
    struct SiteRow {
        std::int32_t id;
        std::int32_t legal_entity;
    };
    std::map<std::string, SiteRow, std::less<>> sites;
};

/// What one import did, for the caller and the audit.
struct Tally {
    Applied applied;
    boost::json::array names;

    /// Rows of (name, added, active).
    void count(const pg::Rows& rows, std::string_view what) {
        for (const auto row : rows) {
            if (!row.boolean(2))
                ++applied.retired;
            else if (row.boolean(1))
                ++applied.added;
            else
                ++applied.changed;
            names.emplace_back(fmt::format("{} {}", what, row.text(0)));
        }
    }
    int total() const { return applied.added + applied.changed + applied.retired; }
};

Error unknown_finess(std::string_view what, std::string_view name, const Finess& finess) {
    return {Fault::missing, fmt::format("{} {}", what, name),
            fmt::format("FINESS {} is not known; import the laboratory first", finess.text())};
}

asio::awaitable<Known> read_known(pg::Transaction& transaction) {
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{laboratory::known_entities, pg::Params()});
    steps.push_back(pg::Step{laboratory::known_sites, pg::Params()});
    const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(steps));
    Known known;
    for (const auto row : rows[0])
        known.entities.emplace(row.string(0), row.int32(1));
    for (const auto row : rows[1])
        known.sites.emplace(row.string(0), Known::SiteRow{row.int32(1), row.int32(2)});
    co_return known;
}

asio::awaitable<Result<void>> apply_laboratory(pg::Transaction& transaction, const Import& import, Instant now,
                                               Tally& tally) {
    pg::TextColumn finess;
    pg::JsonColumn definitions;
    for (const auto& entity : import.legal_entities) {
        finess.add(entity.finess.text());
        const auto definition = codec::text(codec::to_json(entity));
        definitions.add(pg::Json{definition});
    }
    pg::Params entities = pg::params(finess, definitions, now);
    const pg::Rows written = co_await transaction.query(laboratory::put_entities, std::move(entities));
    tally.count(written, "legal entity");

    const Known known = co_await read_known(transaction);
    pg::Int4Column owners;
    pg::TextColumn site_finess;
    pg::JsonColumn site_definitions;
    for (const auto& [entity, site] : import.sites) {
        const auto owner = known.entities.find(entity.text());
        if (owner == known.entities.end()) co_return unknown_finess("site", site.finess.text(), entity);
        const auto present = known.sites.find(site.finess.text());
        if (present != known.sites.end() && present->second.legal_entity != owner->second)
            co_return Error{Fault::conflict, "site " + site.finess.text(),
                            "belongs to another legal entity; a site never changes it"};
        owners.add(owner->second);
        site_finess.add(site.finess.text());
        const auto definition = codec::text(codec::to_json(site));
        site_definitions.add(pg::Json{definition});
    }
    pg::Params sites = pg::params(owners, site_finess, site_definitions, now);
    const pg::Rows written_sites = co_await transaction.query(laboratory::put_sites, std::move(sites));
    tally.count(written_sites, "site");
    co_return Result<void>{};
}

asio::awaitable<Result<void>> apply_links(pg::Transaction& transaction, const Import& import, Instant now,
                                          Tally& tally) {
    const Known known = co_await read_known(transaction);
    pg::Int4Column sites;
    pg::TextColumn names;
    pg::JsonColumn definitions;
    pg::BoolColumn active;
    for (const auto& [finess, link] : import.links) {
        const auto site = known.sites.find(finess.text());
        if (site == known.sites.end()) co_return unknown_finess("link", link.name, finess);
        sites.add(site->second.id);
        names.add(link.name);
        const auto definition = codec::text(codec::to_json(link));
        definitions.add(pg::Json{definition});
        active.add(link.active);
    }
    pg::Params values = pg::params(sites, names, definitions, active, now);
    const pg::Rows written = co_await transaction.query(laboratory::put_links, std::move(values));
    tally.count(written, "link");
    co_return Result<void>{};
}

asio::awaitable<Result<void>> apply_partners(pg::Transaction& transaction, const Import& import, Instant now,
                                             Tally& tally) {
    const Known known = co_await read_known(transaction);
    pg::Int4Column entities;
    pg::TextColumn names;
    pg::TextColumn kinds;
    pg::JsonColumn definitions;
    pg::BoolColumn active;
    for (const auto& [finess, partner] : import.partners) {
        const auto entity = known.entities.find(finess.text());
        if (entity == known.entities.end()) co_return unknown_finess("partner", partner.name, finess);
        entities.add(entity->second);
        names.add(partner.name);
        kinds.add(domain::to_string(partner.kind));
        definitions.add(pg::Json{partner.definition});
        active.add(partner.active);
    }
    pg::Params values = pg::params(entities, names, kinds, definitions, active, now);
    const pg::Rows written = co_await transaction.query(laboratory::put_partners, std::move(values));
    tally.count(written, "partner");
    co_return Result<void>{};
}

asio::awaitable<Result<void>> apply_correspondents(pg::Transaction& transaction, const Import& import, Instant now,
                                                   Tally& tally) {
    const Known known = co_await read_known(transaction);
    pg::Int4Column entities;
    pg::TextColumn numbers;
    pg::TextColumn structures;
    pg::JsonColumn definitions;
    pg::BoolColumn active;
    for (const auto& entry : import.correspondents) {
        const auto& rpps = entry.correspondent.professional.rpps.text();
        const auto entity = known.entities.find(entry.legal_entity.text());
        if (entity == known.entities.end()) co_return unknown_finess("correspondent", rpps, entry.legal_entity);
        entities.add(entity->second);
        numbers.add(rpps);
        structures.add(entry.correspondent.structure_name);
        const auto definition = codec::text(codec::to_json(entry.correspondent));
        definitions.add(pg::Json{definition});
        active.add(entry.active);
    }
    pg::Params values = pg::params(entities, numbers, structures, definitions, active, now);
    const pg::Rows written = co_await transaction.query(laboratory::put_correspondents, std::move(values));
    tally.count(written, "correspondent");
    co_return Result<void>{};
}

asio::awaitable<Result<void>> apply_catalogue(pg::Transaction& transaction, const Import& import, Instant now,
                                              Tally& tally) {
    const Known known = co_await read_known(transaction);
    pg::Int4Column sites;
    pg::TextColumn codes;
    pg::JsonColumn definitions;
    pg::BoolColumn active;
    for (const auto& entry : import.analytes) {
        const auto definition = codec::text(codec::to_json(entry.analyte));
        const auto add = [&](std::int32_t site) {
            sites.add(site);
            codes.add(entry.analyte.local_code);
            definitions.add(pg::Json{definition});
            active.add(entry.active);
        };
        if (!entry.site) {
            if (known.sites.empty())
                co_return Error{Fault::missing, "examination " + entry.analyte.local_code,
                                "there is no site yet; import the laboratory first"};
            for (const auto& [finess, row] : known.sites)
                add(row.id);
        } else {
            const auto site = known.sites.find(entry.site->text());
            if (site == known.sites.end())
                co_return unknown_finess("examination", entry.analyte.local_code, *entry.site);
            add(site->second.id);
        }
    }
    // A changed examination: the old version ends, a new one begins.
    pg::Params closing = pg::params(sites, codes, definitions, active, now);
    const pg::Rows closed = co_await transaction.query(laboratory::close_analytes, std::move(closing));
    std::set<std::string> ended;
    for (const auto row : closed) {
        if (row.boolean(1)) {
            ended.insert(row.string(0));
        } else {
            ++tally.applied.retired;
            tally.names.emplace_back(fmt::format("examination {}", row.text(0)));
        }
    }
    pg::Params opening = pg::params(sites, codes, definitions, active, now);
    const pg::Rows opened = co_await transaction.query(laboratory::open_analytes, std::move(opening));
    for (const auto row : opened) {
        ended.contains(row.string(0)) ? ++tally.applied.changed : ++tally.applied.added;
        tally.names.emplace_back(fmt::format("examination {}", row.text(0)));
    }
    co_return Result<void>{};
}

asio::awaitable<Result<void>> apply_users(pg::Transaction& transaction, const Import& import, Instant now,
                                          Tally& tally) {
    const Known known = co_await read_known(transaction);
    const pg::Rows instance = co_await transaction.query(laboratory::environment);
    const bool production = !instance.empty() && instance[0].text(0) == "production";
    const pg::Rows stored = co_await transaction.query(laboratory::passwords);
    std::map<std::string, std::string, std::less<>> passwords;
    for (const auto row : stored)
        passwords.emplace(row.string(0), row.string(1));

    pg::TextColumn logins;
    pg::JsonColumn definitions;
    pg::TextColumn hashes;
    pg::BoolColumn active;
    pg::TextColumn role_logins;
    pg::Int4Column role_sites;
    pg::TextColumn roles;
    for (const auto& entry : import.users) {
        const auto& login = entry.user.login;
        logins.add(login);
        const auto definition = codec::text(codec::to_json(entry.user.professional));
        definitions.add(pg::Json{definition});
        active.add(entry.user.active);
        if (entry.demonstration_password.empty()) {
            hashes.add_null();
        } else {
            if (production)
                co_return Error{Fault::refused, "user " + login,
                                "a demonstration password has no place in a production instance"};
            // Each hash has its salt: the old one stays when it is of the same password, so that nothing changes.
            const auto old = passwords.find(login);
            const bool same = old != passwords.end() && verify_password(old->second, entry.demonstration_password);
            hashes.add(same ? old->second : hash_password(entry.demonstration_password));
        }
        for (const auto& [finess, role] : entry.roles) {
            const auto site = known.sites.find(finess.text());
            if (site == known.sites.end()) co_return unknown_finess("user", login, finess);
            role_logins.add(login);
            role_sites.add(site->second.id);
            roles.add(domain::to_string(role));
        }
    }
    pg::Params values = pg::params(logins, definitions, hashes, active, now);
    const pg::Rows written = co_await transaction.query(laboratory::put_users, std::move(values));
    tally.count(written, "user");
    pg::Params ending = pg::params(logins, role_logins, role_sites, roles, now);
    const pg::Rows ended = co_await transaction.query(laboratory::end_roles, std::move(ending));
    pg::Params giving = pg::params(role_logins, role_sites, roles, now);
    const pg::Rows given = co_await transaction.query(laboratory::give_roles, std::move(giving));
    tally.count(ended, "role of");
    tally.count(given, "role of");
    co_return Result<void>{};
}

asio::awaitable<Result<void>> apply_kind(pg::Transaction& transaction, const Import& import, Instant now,
                                         Tally& tally) {
    switch (import.kind) {
        case Kind::laboratory:
            co_return co_await apply_laboratory(transaction, import, now, tally);
        case Kind::links:
            co_return co_await apply_links(transaction, import, now, tally);
        case Kind::partners:
            co_return co_await apply_partners(transaction, import, now, tally);
        case Kind::correspondents:
            co_return co_await apply_correspondents(transaction, import, now, tally);
        case Kind::users:
            co_return co_await apply_users(transaction, import, now, tally);
        case Kind::catalogue:
            co_return co_await apply_catalogue(transaction, import, now, tally);
    }
    co_return Result<void>{};
}

template <class Id, class Made, class Stored>
Made identified(Made made, Stored id) {
    made.id = Id{id};
    return made;
}

Finess finess_of(std::string_view text) {
    auto finess = Finess::parse(text);
    if (!finess) throw std::runtime_error("a stored FINESS can't be read");
    return *finess;
}

}  // namespace

asio::awaitable<Result<std::vector<Applied>>> apply(pg::Pool& pool, std::vector<ImportFile> files, std::string actor,
                                                    Instant now) {
    pg::Transaction transaction = co_await pool.begin(pg::Scope());
    co_await transaction.query(laboratory::lock_exclusive);
    std::vector<Applied> all;
    std::vector<AuditEvent> events;
    std::int64_t newest = 0;
    for (const auto& [name, import] : files) {
        Tally tally;
        const Result<void> done = co_await apply_kind(transaction, import, now, tally);
        if (!done) {
            co_await transaction.rollback();
            Error error = done.error();
            if (!name.empty()) error.where = name + ", " + error.where;
            co_return error;
        }
        if (tally.total() > 0) {
            pg::Params change = pg::params(now, actor, std::string(domain::to_string(import.kind)),
                                           pg::Bytes{import.sha256}, import.content);
            const pg::Rows written = co_await transaction.query(laboratory::keep_change, std::move(change));
            tally.applied.change = newest = written[0].int64(0);
            AuditEvent event;
            event.actor = actor;
            event.action = "import";
            event.object = fmt::format("configuration:{}", tally.applied.change);
            boost::json::object payload;
            payload["kind"] = domain::to_string(import.kind);
            payload["added"] = tally.applied.added;
            payload["changed"] = tally.applied.changed;
            payload["retired"] = tally.applied.retired;
            payload["entries"] = std::move(tally.names);
            event.payload = codec::text(payload);
            events.push_back(std::move(event));
        }
        all.push_back(tally.applied);
    }
    if (events.empty()) {
        co_await transaction.rollback();
        co_return all;
    }
    std::vector<pg::Step> steps;
    steps.push_back(audit(events, now));
    steps.push_back(pg::Step{laboratory::announce, pg::params(std::to_string(newest))});
    co_await transaction.commit_with(std::move(steps));
    co_return all;
}

asio::awaitable<LaboratoryPtr> load(pg::Pool& pool) {
    pg::Transaction transaction = co_await pool.begin(pg::Scope());
    std::vector<pg::Step> steps;
    for (const auto& query : laboratory::reading)
        steps.push_back(pg::Step{query, pg::Params()});
    steps.push_back(pg::Step{mapping_rows::all_current, pg::Params()});
    const std::vector<pg::Rows> rows = co_await transaction.commit_with(std::move(steps));

    Laboratory::Parts parts;
    parts.change = rows[1][0].int64(0);
    for (const auto row : rows[2]) {
        parts.legal_entities.push_back(
            identified<LegalEntityId>(codec::legal_entity(codec::parse(row.text(2))), row.int32(0)));
        parts.legal_entities.back().finess = finess_of(row.text(1));
    }
    std::map<std::int32_t, LegalEntityId> owner;
    for (const auto row : rows[3]) {
        Site site = identified<SiteId>(codec::site(codec::parse(row.text(3))), row.int32(0));
        site.legal_entity = LegalEntityId{row.int32(1)};
        site.finess = finess_of(row.text(2));
        owner.emplace(row.int32(0), site.legal_entity);
        parts.sites.push_back(std::move(site));
    }
    for (const auto row : rows[4]) {
        Link link = identified<LinkId>(codec::link(codec::parse(row.text(3))), row.int32(0));
        link.site = SiteId{row.int32(1)};
        link.legal_entity = owner.at(row.int32(1));
        link.name = row.string(2);
        link.active = row.boolean(4);
        parts.links.push_back(std::move(link));
    }
    for (const auto row : rows.back()) {  // what people said beside the import, in the order they said it
        const auto mapping = mapping_rows::read(row, 0);
        const auto link = std::ranges::find(parts.links, mapping.link, &Link::id);
        if (link != parts.links.end()) add_to(*link, mapping);
    }
    for (const auto row : rows[5]) {
        const auto kind = partner_kind_of(row.text(3));
        if (!kind) throw std::runtime_error("a stored kind of partner is not known");
        parts.partners.push_back({PartnerId{row.int32(0)}, LegalEntityId{row.int32(1)}, row.string(2), *kind,
                                  row.string(4), row.boolean(5)});
    }
    for (const auto row : rows[6]) {
        Correspondent correspondent = codec::correspondent(codec::parse(row.text(2)));
        correspondent.structure_name = row.string(1);
        parts.correspondents.emplace_back(LegalEntityId{row.int32(0)}, std::move(correspondent));
    }
    for (const auto row : rows[7]) {
        Analyte analyte = identified<AnalyteId>(codec::analyte(codec::parse(row.text(3))), row.int32(0));
        analyte.local_code = row.string(2);
        parts.analytes.emplace_back(SiteId{row.int32(1)}, std::move(analyte));
    }
    std::map<std::int32_t, std::size_t> users;
    for (const auto row : rows[8]) {
        User user;
        user.id = UserId{row.int32(0)};
        user.login = row.string(1);
        user.professional = codec::professional(codec::parse(row.text(2)));
        user.password = row.optional_text(3).value_or("");
        user.active = row.boolean(4);
        users.emplace(row.int32(0), parts.users.size());
        parts.users.push_back(std::move(user));
    }
    for (const auto row : rows[9]) {
        const auto role = role_of(row.text(2));
        if (role) parts.users[users.at(row.int32(0))].roles.emplace_back(SiteId{row.int32(1)}, *role);
    }
    co_return std::make_shared<const Laboratory>(std::move(parts));
}

}  // namespace sgl::store
