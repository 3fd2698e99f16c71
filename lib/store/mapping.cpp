#include "lib/store/mapping.hpp"

#include <algorithm>
#include <boost/json/object.hpp>

#include "lib/base/digest.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/laboratory_codec.hpp"
#include "lib/store/laboratory_queries.hpp"
#include "lib/store/mapping_rows.hpp"

namespace sgl::store {

namespace {

using domain::Mapping;

pg::Step announce(std::string_view change) {
    return pg::Step{laboratory::announce, pg::params(std::string(change))};
}

/// The change as it is kept in the history: readable, and enough to type it again.
std::string content_of(const Mapping& mapping, std::string_view link, std::string_view verb) {
    const boost::json::value content{{"link", link},
                                     {"verb", verb},
                                     {"kind", to_string(mapping.kind)},
                                     {"theirs", mapping.theirs},
                                     {"unit", mapping.unit},
                                     {"definition", mapping_rows::definition(mapping)}};
    return codec::text(content);
}

struct Place {
    std::string link;
    domain::SiteId site;
    domain::LegalEntityId legal_entity;
};

/// The history, the audit and the news of one change; the number of the change.
asio::awaitable<std::int64_t> write_change(pg::Transaction& transaction, const Deed& deed, const Place& place,
                                           const std::string& content, std::string_view action) {
    const Sha256 digest = sha256(content);
    const std::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
    pg::Params change = pg::params(deed.at, deed.actor, std::string("mapping"), pg::Bytes{bytes}, content);
    const pg::Rows written = co_await transaction.query(laboratory::keep_change, std::move(change));
    const std::int64_t number = written[0].int64(0);
    std::vector<AuditEvent> events(1);
    auto& event = events.front();
    event.legal_entity = place.legal_entity;
    event.site = place.site;
    event.actor = deed.actor;
    event.action = std::string(action);
    event.object = "link:" + place.link;
    const boost::json::value payload{{"mapping", codec::parse(content)}, {"why", deed.why}};
    event.payload = codec::text(payload);
    std::vector<pg::Step> steps;
    steps.push_back(audit(events, deed.at));
    steps.push_back(announce(std::to_string(number)));
    co_await transaction.commit_with(std::move(steps));
    co_return number;
}

bool visible(const Deed& deed, std::int32_t site) {
    return std::ranges::find(deed.sites, site) != deed.sites.end();
}

}  // namespace

asio::awaitable<Result<std::int64_t>> keep_mapping(pg::Pool& pool, Deed deed, Mapping mapping) {
    pg::Transaction transaction = co_await pool.begin(deed.sites);
    co_await transaction.query(laboratory::lock_exclusive);
    const pg::Rows links = co_await transaction.query(mapping_rows::link, pg::params(mapping.link));
    const auto refuse = [](Fault fault, std::string where, std::string what) {
        return Error{fault, std::move(where), std::move(what)};
    };
    if (links.empty() || !visible(deed, links[0].int32(1))) {
        co_await transaction.rollback();
        co_return refuse(Fault::missing, "link", "no such link on your sites");
    }
    const auto row = links[0];
    const Place place{row.string(0), domain::SiteId{row.int32(1)}, domain::LegalEntityId{row.int32(2)}};
    if (domain::names(codec::link(codec::parse(row.text(3))), mapping)) {
        co_await transaction.rollback();
        co_return refuse(Fault::conflict, "theirs",
                         "the imported link says it already: change its file and import it again");
    }
    pg::Params key = pg::params(mapping.link, to_string(mapping.kind), std::string_view(mapping.theirs),
                                std::string_view(mapping.unit));
    const pg::Rows said = co_await transaction.query(mapping_rows::current, std::move(key));
    const auto definition = codec::text(mapping_rows::definition(mapping));
    if (!said.empty()) {
        const bool same = codec::parse(said[0].text(0)) == codec::parse(definition);
        co_await transaction.rollback();
        if (same) co_return std::int64_t{0};
        co_return refuse(Fault::conflict, "theirs", "it is mapped in another way: end that mapping first");
    }
    pg::Params values = pg::params(mapping.link, to_string(mapping.kind), std::string_view(mapping.theirs),
                                   std::string_view(mapping.unit), pg::Json{definition}, deed.at, deed.actor, deed.why);
    co_await transaction.query(mapping_rows::insert, std::move(values));
    const auto content = content_of(mapping, place.link, "map");
    co_return co_await write_change(transaction, deed, place, content, "map");
}

asio::awaitable<Result<std::int64_t>> end_mapping(pg::Pool& pool, Deed deed, std::int64_t id) {
    pg::Transaction transaction = co_await pool.begin(deed.sites);
    co_await transaction.query(laboratory::lock_exclusive);
    pg::Params values = pg::params(id, deed.at, deed.actor, deed.why, deed.sites);
    const pg::Rows ended = co_await transaction.query(mapping_rows::end, std::move(values));
    if (ended.empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "mapping", "no such mapping on your sites, or it was ended before"};
    }
    const auto row = ended[0];
    const Place place{row.string(0), domain::SiteId{row.int32(1)}, domain::LegalEntityId{row.int32(2)}};
    const Mapping mapping = mapping_rows::read(row, 3);
    const auto content = content_of(mapping, place.link, "unmap");
    co_return co_await write_change(transaction, deed, place, content, "unmap");
}

asio::awaitable<std::vector<MappingLine>> mappings(pg::Pool& pool, std::vector<std::int32_t> sites) {
    pg::Transaction transaction = co_await pool.begin(sites);
    const pg::Rows rows = co_await transaction.query(mapping_rows::of_sites, pg::params(sites));
    co_await transaction.rollback();
    std::vector<MappingLine> lines;
    for (const auto row : rows) {
        MappingLine line;
        line.mapping = mapping_rows::read(row, 1);
        line.counts = !domain::names(codec::link(codec::parse(row.text(0))), line.mapping);
        lines.push_back(std::move(line));
    }
    co_return lines;
}

}  // namespace sgl::store
