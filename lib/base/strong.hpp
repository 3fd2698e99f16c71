// Strong types for identifiers: a ReportId is not a LetterId, whatever both are made of.
#pragma once

#include <compare>
#include <functional>
#include <utility>

namespace sgl {

template <class Tag, class T>
class Strong {
public:
    using value_type = T;

    constexpr Strong() = default;
    constexpr explicit Strong(T value) : value_(std::move(value)) {}

    constexpr const T& value() const { return value_; }

    friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
    friend constexpr bool operator==(const Strong&, const Strong&) = default;

private:
    T value_{};
};

}  // namespace sgl

template <class Tag, class T>
struct std::hash<sgl::Strong<Tag, T>> {
    std::size_t operator()(const sgl::Strong<Tag, T>& strong) const noexcept { return std::hash<T>{}(strong.value()); }
};
