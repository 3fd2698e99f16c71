// Named places where a test makes the daemon die as by kill -9 (spec/reliability.md 3.2). Armed by the environment:
// SGLD_FAILPOINT=after_inbox_commit_before_ack:2 dies at the second passage. Unarmed, a passage costs one load.
#pragma once

#include <string_view>

namespace sgl {

void failpoint(std::string_view name);

/// Every name that the daemon passes, for the test that arms each in turn (`sgld version --failpoints`).
std::string_view failpoint_names();

}  // namespace sgl
