// UUIDs: version 7 for our keys (time-ordered), version 5 for identifiers derived from other identifiers.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"

namespace sgl {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    static Uuid v7(Instant now);                               ///< random part from the OS (SEC-64)
    static Uuid v5(const Uuid& space, std::string_view name);  ///< RFC 4122 4.3, SHA-1
    static Result<Uuid> parse(std::string_view text);          ///< 8-4-4-4-12, either case

    bool is_nil() const { return *this == Uuid{}; }
    /// `2.25.<decimal>` (ITU-T X.667): a bare OID, at most 44 characters, unique without any registration.
    std::string to_oid() const;

    friend auto operator<=>(const Uuid&, const Uuid&) = default;
    friend bool operator==(const Uuid&, const Uuid&) = default;
};

std::string to_string(const Uuid& uuid);

}  // namespace sgl

template <>
struct std::hash<sgl::Uuid> {
    std::size_t operator()(const sgl::Uuid& uuid) const noexcept;
};
