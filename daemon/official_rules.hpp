// Ring 3 of design D6 from the files that the laboratory installed: the official kit of the CI-SIS and the list of its
// defects.
#pragma once

#include <string>

#include "cda/schematron/official_kit.hpp"
#include "lib/base/result.hpp"

namespace sgl::daemon {

/// `defects_file` empty: the list as shipped. Reads some 500 files of the folder and compiles their rules, about 0.1 s.
Result<cda::schematron::OfficialKit> official_rules(const std::string& folder, const std::string& defects_file);

}  // namespace sgl::daemon
