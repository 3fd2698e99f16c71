// The laboratory's own data in the database (design D15): one import applied in one transaction, and the picture of
// everything for the running daemon.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/domain/laboratory.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace asio = boost::asio;

/// NOTIFY on it carries the number of the configuration_change; daemons then load again.
inline constexpr std::string_view configuration_channel = "sgl_configuration";

struct Applied {
    int added{};
    int changed{};  ///< of an examination: a new version
    int retired{};  ///< links, partners, correspondents, users, examinations and roles that are no longer active
    std::int64_t
        change{};  ///< row of configuration_change; 0: the file says what is already there, nothing was written
};

/// Brings the database to what the file says, by natural key (FINESS, name, login, RPPS and structure, local code);
/// what the file does not name stays. All or nothing; the change is kept with its content and audited. Imports wait for
/// each other. Refused: a FINESS that is not known (missing), a site that would change its legal entity (conflict),
/// demonstration passwords in production (refused). Errors name the entry, e.g. `link registration-nord`.
asio::awaitable<Result<Applied>> apply(pg::Pool& pool, domain::Import import, std::string actor, Instant now);

/// Everything, as of one moment: never half an import. Throws when the database does, or when a row cannot be read.
asio::awaitable<domain::LaboratoryPtr> load(pg::Pool& pool);

}  // namespace sgl::store
