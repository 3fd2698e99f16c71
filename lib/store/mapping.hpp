// What people say of a link's codes, units, values and flags: kept beside the imported link, with who and why; running
// daemons read the laboratory again.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <vector>

#include "lib/domain/laboratory.hpp"
#include "lib/domain/mapping.hpp"
#include "lib/store/work.hpp"

namespace sgl::store {

/// Its row of configuration_change. Said before with the same words: nothing is written, 0. Fault::conflict where the
/// link is imported with that, or says it already in another way; missing when there is no such link on those sites.
/// The caller has checked the mapping (domain::check).
asio::awaitable<Result<std::int64_t>> keep_mapping(pg::Pool& pool, Deed deed, domain::Mapping mapping);

/// It counts no more: what comes from now on is read without it. Fault::missing when there is none (any more).
asio::awaitable<Result<std::int64_t>> end_mapping(pg::Pool& pool, Deed deed, std::int64_t id);

struct MappingLine {
    domain::Mapping mapping;
    bool counts{};  ///< false: an import has named the same since
};
/// Those that were not ended, of links of those sites, oldest first.
asio::awaitable<std::vector<MappingLine>> mappings(pg::Pool& pool, std::vector<std::int32_t> sites);

}  // namespace sgl::store
