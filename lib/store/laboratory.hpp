// The laboratory's own data in the database (design D15): all files of one import applied in one transaction, and the
// picture of everything for the running daemon.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

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

struct ImportFile {
    std::string name;  ///< as the operator gave it, for errors; empty: errors name the entry only
    domain::Import import;
};

/// Brings the database to what the files say, in their order, by natural key (FINESS, name, login, RPPS and structure,
/// local code); what they do not name stays. All files or none, so that no daemon ever works with links of a new
/// catalogue and the old one; each change is kept with its content and audited. Imports wait for each other. Refused: a
/// FINESS that is not known (missing), a site that would change its legal entity (conflict), demonstration passwords in
/// production (refused). Errors name file and entry, e.g. `links.toml, link registration-nord`. One answer a file.
asio::awaitable<Result<std::vector<Applied>>> apply(pg::Pool& pool, std::vector<ImportFile> files, std::string actor,
                                                    Instant now);

/// Everything, as of one moment: never half an import. Throws when the database does, or when a row cannot be read.
asio::awaitable<domain::LaboratoryPtr> load(pg::Pool& pool);

}  // namespace sgl::store
