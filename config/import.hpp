// Reads one file of the laboratory's own data (design D15) into what lib/store/laboratory applies. Pure: bytes in, values or
// the first error out, with its line. The kind of a file is recognised by its content; config/*.sample.* document each.
#pragma once

#include <string_view>
#include <vector>

#include "lib/domain/laboratory.hpp"

namespace sgl::config {

/// TOML with [[legal_entity]], [[link]], [[partner]] or [[user]]; CSV whose header is that of correspondents or of a
/// catalogue. Errors: `where` is `line 12, column 3` or `line 12`.
Result<domain::Import> parse_import(std::string_view bytes);

/// `F 45..84 | M 59..104`, `18y- 3.5..5.1`, `M 1m-2y ..5`: rules separated by |, each with an optional sex, an optional age
/// from-to (from included, to excluded; d, w, m, y) and low..high, either of which may be missing. Two rules that could both
/// be the best for one patient are an error (lab-domain 7.3).
Result<std::vector<domain::RangeRule>> parse_ranges(std::string_view text);

/// `POS=Positif:A|NEG=Négatif:N`: received code, French text, flag (N, L, H, LL, HH, A or nothing).
Result<std::vector<domain::CodedAnswer>> parse_answers(std::string_view text);

}  // namespace sgl::config
