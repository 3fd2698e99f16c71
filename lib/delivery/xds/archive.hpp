// Takes apart an XDM archive that somebody sent (IHE ITI-32, spec/mssante.md 4.1; SEC-35): in memory, no name ever
// becomes the name of a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::xds {

struct ArchiveMember {
    std::string name;  ///< as in the archive, checked: relative, plain letters, no way up
    std::string bytes;
};

inline constexpr std::size_t max_archive_bytes = 25 * 1024 * 1024;
inline constexpr std::size_t max_archive_members = 200;
inline constexpr std::size_t max_inflated_bytes = 100 * 1024 * 1024;
inline constexpr std::size_t max_inflation = 100;  ///< inflated bytes for one of the archive

bool is_archive(std::string_view bytes);  ///< begins as a zip

/// Every file of the archive, in its order; folders are left out. Fault::refused for what exceeds the limits, holds
/// another archive, a link, an encrypted member, one name twice or a name that leads elsewhere; Fault::malformed for
/// what is no zip or fails its checksums.
Result<std::vector<ArchiveMember>> read_archive(std::string_view bytes);

/// Is that member a document of a submission: in a folder of IHE_XDM, and not its METADATA.XML?
bool is_xdm_document(std::string_view name);

}  // namespace sgl::xds
