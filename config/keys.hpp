// Tables of keys: each key says its name, where it goes, its unit, default, bounds and reason once; reading, checking and
// help all come from it (style, section 13).
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/document.hpp"
#include "lib/base/clock.hpp"

namespace sgl::config {

/// What a value must be. `choices` for texts, `low` and `high` for whole numbers and, in seconds, for durations.
struct Bounds {
    std::int64_t low{0};
    std::int64_t high{std::numeric_limits<std::int64_t>::max()};
    std::vector<std::string_view> choices{};
    bool not_empty{};
};

/// Readers of one value, by the type of the member that takes it. Durations are texts with a unit: ms, s, m, h, d.
Result<void> read_value(const Node& node, const Bounds& bounds, std::string& to);
Result<void> read_value(const Node& node, const Bounds& bounds, bool& to);
Result<void> read_value(const Node& node, const Bounds& bounds, std::uint16_t& to);
Result<void> read_value(const Node& node, const Bounds& bounds, unsigned& to);
Result<void> read_value(const Node& node, const Bounds& bounds, std::size_t& to);
Result<void> read_value(const Node& node, const Bounds& bounds, Duration& to);
Result<void> read_value(const Node& node, const Bounds& bounds, std::vector<std::string>& to);
Result<void> read_value(const Node& node, const Bounds& bounds, std::vector<Duration>& to);

/// `90s`, `1h`, `250ms`: one whole number and one unit.
Result<Duration> parse_duration(std::string_view text);

/// A reader of its own, for what is more than a value; its error has its place already or none.
template <class T>
using Reader = Result<void> (*)(T& to, const Node& node);

template <class T>
using Target = std::variant<std::string T::*, bool T::*, std::uint16_t T::*, unsigned T::*, std::size_t T::*, Duration T::*,
                            std::vector<std::string> T::*, std::vector<Duration> T::*, Reader<T>>;

template <class T>
struct Key {
    std::string_view name;
    Target<T> target;
    std::string_view unit;      ///< type or unit, for people: "text", "duration", "bytes"…
    std::string_view standard;  ///< default, as TOML; empty: must be given; "-": may be left out, means nothing
    std::string_view reason;    ///< what it is for, and why the default is what it is
    Bounds bounds{};
};

namespace detail {
Error unknown_key(const Node::Member& member, std::string_view section, const std::vector<std::string_view>& known);
Error missing_key(const Node& table, std::string_view section, std::string_view name);
Error located(Error error, const Node& node, std::string_view section, std::string_view name);
Node default_node(std::string_view toml);  ///< aborts on a bad table of ours: found by the first test
}  // namespace detail

/// Reads one value of a table; the error carries `section.name` and the place.
template <class T>
Result<void> read_key(const Key<T>& key, const Node& node, std::string_view section, T& to) {
    auto read = std::visit(
        [&](auto target) -> Result<void> {
            if constexpr (std::is_same_v<decltype(target), Reader<T>>) {
                return target(to, node);
            } else {
                return read_value(node, key.bounds, to.*target);
            }
        },
        key.target);
    if (!read) return detail::located(read.error(), node, section, key.name);
    return {};
}

template <class T>
void set_defaults(std::span<const Key<T>> keys, T& to) {
    for (const auto& key : keys) {
        if (key.standard.empty() || key.standard == "-") continue;
        if (auto read = read_key(key, detail::default_node(key.standard), "default", to); !read)
            throw_exception_from_error(read.error(), BOOST_CURRENT_LOCATION);
    }
}

/// Reads a table by its keys: unknown keys, wrong types, values out of bounds and missing keys are refused.
template <class T>
Result<void> read_table(const Node& table, std::string_view section, std::span<const Key<T>> keys, T& to) {
    set_defaults(keys, to);
    if (table.kind != Node::Kind::table)
        return detail::located(Error{Fault::malformed, "", "expected a table"}, table, section, "");
    for (const auto& member : table.members) {
        const Key<T>* found = nullptr;
        for (const auto& key : keys)
            if (key.name == member.name) found = &key;
        if (found == nullptr) {
            std::vector<std::string_view> known;
            for (const auto& key : keys) known.push_back(key.name);
            return detail::unknown_key(member, section, known);
        }
        if (auto read = read_key(*found, member.value, section, to); !read) return read;
    }
    for (const auto& key : keys)
        if (key.standard.empty() && table.find(key.name) == nullptr) return detail::missing_key(table, section, key.name);
    return {};
}

}  // namespace sgl::config
