// Inside cda: what may stand in a narrative (spec/cr-bio.md 5.10). Not for other rooms.
#pragma once

#include "cda/detail_tree.hpp"
#include "lib/base/result.hpp"

namespace sgl::cda::detail {

/// Of the narrative block of CDA R2?
bool is_narrative_element(std::string_view name);

/// Refuses what could act instead of being read: scripts, frames, forms, objects, handlers, addresses that run.
Result<void> hostile_narrative(const Tree& tree);

}  // namespace sgl::cda::detail
