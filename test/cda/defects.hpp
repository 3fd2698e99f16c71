// The defects that ring 2 must reject (spec/cr-bio.md 9, and what sections 4 and 5 ask), each planted in a golden
// document.
#pragma once

#include <vector>

namespace sgl::cda::test {

struct Defect {
    const char* name;
    const char* from;
    const char* to;
    const char* what;        ///< part of the finding expected
    const char* after = "";  ///< plant after this text
    bool everywhere = false;
    const char* area = "";
};

std::vector<Defect> defects();

}  // namespace sgl::cda::test
