// The pure steps of the line, one by one (Google Benchmark).
#pragma once

#include <filesystem>

namespace sgl::bench {

/// Prints one line for each.
void run_micro(const std::filesystem::path& config_folder);

}  // namespace sgl::bench
