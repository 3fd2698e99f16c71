// Which legal entities and sites are identity slaves, as a file of the laboratory says it: identities come there from
// the hospital's identity server alone (identity-and-directory 1.5).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::config {

/// FINESS of every legal entity and site that the file names, and whether it is one; none in files of another kind. The
/// file was accepted by parse_import.
Result<std::vector<std::pair<std::string, bool>>> identity_profiles(std::string_view bytes);

}  // namespace sgl::config
