// Where the official test material is (SGL_SHARED, else ../shared); it is never part of the project.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace sgl::test {

inline std::filesystem::path shared_folder() {
    const char* given = std::getenv("SGL_SHARED");
    return given != nullptr ? std::filesystem::path(given) : std::filesystem::path("../shared");
}

inline bool in_ci() {
    const char* ci = std::getenv("CI");
    return ci != nullptr && std::string(ci) == "true";
}

inline std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace sgl::test

// Ends the test when the official material is absent: skipped and said aloud on a workstation, failed in CI.
#define SGL_NEEDS_SHARED(path)                                                             \
    if (!std::filesystem::exists(path)) {                                                  \
        if (sgl::test::in_ci()) FAIL() << "official test material is missing: " << (path); \
        std::cerr << "SKIPPED, official test material is missing: " << (path) << '\n';     \
        GTEST_SKIP();                                                                      \
    }
