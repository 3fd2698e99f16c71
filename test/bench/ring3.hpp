// Ring 3 beside Saxon: the four official families that both can run, on one document, in one run.
#pragma once

#include <string>

namespace sgl::bench {

/// Prints both figures and their ratio; says so when SGL_SHARED or Java is not there.
void run_ring3(const std::string& document);

}  // namespace sgl::bench
