// What every fuzz target needs: the entry that libFuzzer calls, and a way to say that something is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace sgl::fuzz {

/// The property under test; called with each input.
void one(std::string_view input);

/// Ends the process, so that libFuzzer keeps the input.
inline void demand(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", property);
    std::abort();
}

}  // namespace sgl::fuzz

extern "C" inline int fuzz_entry(const std::uint8_t* data, std::size_t size) {
    sgl::fuzz::one({reinterpret_cast<const char*>(data), size});
    return 0;
}

#define SGL_FUZZ_TARGET                                                                  \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);   \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  \
        return fuzz_entry(data, size);                                                   \
    }
