// Personal<T> holds data about a patient: no formatter, no stream operator, one door. `reveal()` is what a reviewer
// searches for (SEC-70, style section 8).
#pragma once

#include <fmt/core.h>

#include <utility>

namespace sgl {

template <class T>
class Personal {
public:
    Personal() = default;
    explicit Personal(T value) : value_(std::move(value)) {}

    const T& reveal() const { return value_; }
    T& reveal() { return value_; }

    bool operator==(const Personal&) const = default;

private:
    T value_{};
};

}  // namespace sgl

// Formatting a Personal does not compile, also when T itself could be formatted.
template <class T, class Char>
struct fmt::formatter<sgl::Personal<T>, Char> {
    formatter() = delete;
};
