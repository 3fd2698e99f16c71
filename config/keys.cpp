#include "config/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sgl::config {

namespace {

Error expected(std::string_view what, const Node& node) {
    return {Fault::malformed, place(node), fmt::format("expected {}, found {}", what, to_string(node.kind))};
}

Result<std::int64_t> whole(const Node& node, const Bounds& bounds, std::int64_t most) {
    if (node.kind != Node::Kind::integer) return expected("a whole number", node);
    const auto high = std::min(bounds.high, most);
    if (node.integer < bounds.low || node.integer > high)
        return Error{Fault::malformed, place(node), fmt::format("must be between {} and {}", bounds.low, high)};
    return node.integer;
}

template <class T>
Result<void> number(const Node& node, const Bounds& bounds, T& to) {
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    constexpr auto most = static_cast<std::int64_t>(std::min<std::uint64_t>(std::numeric_limits<T>::max(), limit));
    const auto value = whole(node, bounds, most);
    if (!value) return value.error();
    to = static_cast<T>(*value);
    return {};
}

template <class T>
Result<void> list(const Node& node, const Bounds& bounds, std::vector<T>& to) {
    if (node.kind != Node::Kind::array) return expected("a list", node);
    if (bounds.not_empty && node.items.empty()) return Error{Fault::malformed, place(node), "must not be empty"};
    to.clear();
    for (const auto& item : node.items) {
        T value{};
        if (auto read = read_value(item, bounds, value); !read) return read;
        to.push_back(std::move(value));
    }
    return {};
}

/// Letters to change to go from one word to the other: for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    const std::string_view unit(end, text.data() + text.size());
    std::int64_t factor = 0;
    if (unit == "ms") factor = 1'000;
    if (unit == "s") factor = 1'000'000;
    if (unit == "m") factor = 60'000'000;
    if (unit == "h") factor = 3'600'000'000;
    if (unit == "d") factor = 86'400'000'000;
    if (error != std::errc{} || factor == 0 || count < 0)
        return Error{Fault::malformed, "", "expected a duration: a whole number and ms, s, m, h or d, such as \"90s\""};
    if (count > 36'500 * (86'400'000'000 / factor)) return Error{Fault::malformed, "", "longer than 100 years"};
    return Duration{count * factor};
}

Result<void> read_value(const Node& node, const Bounds& bounds, std::string& to) {
    if (node.kind != Node::Kind::text) return expected("a text", node);
    if (bounds.not_empty && node.text.empty()) return Error{Fault::malformed, place(node), "must not be empty"};
    if (!bounds.choices.empty() && std::ranges::find(bounds.choices, node.text) == bounds.choices.end())
        return Error{Fault::malformed, place(node), fmt::format("must be one of: {}", fmt::join(bounds.choices, ", "))};
    to = node.text;
    return {};
}

Result<void> read_value(const Node& node, const Bounds&, bool& to) {
    if (node.kind != Node::Kind::boolean) return expected("true or false", node);
    to = node.boolean;
    return {};
}

Result<void> read_value(const Node& node, const Bounds& bounds, std::uint16_t& to) { return number(node, bounds, to); }
Result<void> read_value(const Node& node, const Bounds& bounds, unsigned& to) { return number(node, bounds, to); }
Result<void> read_value(const Node& node, const Bounds& bounds, std::size_t& to) { return number(node, bounds, to); }

Result<void> read_value(const Node& node, const Bounds& bounds, Duration& to) {
    if (node.kind != Node::Kind::text) return expected("a duration such as \"90s\"", node);
    const auto duration = parse_duration(node.text);
    if (!duration) return Error{duration.error().fault, place(node), duration.error().what};
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*duration).count();
    if (seconds < bounds.low || seconds > bounds.high)
        return Error{Fault::malformed, place(node), fmt::format("must be between {} s and {} s", bounds.low, bounds.high)};
    to = *duration;
    return {};
}

Result<void> read_value(const Node& node, const Bounds& bounds, std::vector<std::string>& to) { return list(node, bounds, to); }
Result<void> read_value(const Node& node, const Bounds& bounds, std::vector<Duration>& to) { return list(node, bounds, to); }

namespace detail {

Error unknown_key(const Node::Member& member, std::string_view section, const std::vector<std::string_view>& known) {
    std::string_view nearest;
    std::size_t best = 3;
    for (const auto name : known) {
        if (const auto d = distance(member.name, name); d < best) {
            best = d;
            nearest = name;
        }
    }
    auto what = fmt::format("unknown key \"{}\"{}{}", member.name, section.empty() ? "" : " in ", section);
    if (!nearest.empty()) what += fmt::format("; did you mean \"{}\"?", nearest);
    return {Fault::malformed, place(member), std::move(what)};
}

Error missing_key(const Node& table, std::string_view section, std::string_view name) {
    return {Fault::missing, place(table), fmt::format("{}: the key \"{}\" is missing", section, name)};
}

Error located(Error error, const Node& node, std::string_view section, std::string_view name) {
    if (error.where.empty()) error.where = place(node);
    const auto key = name.empty() ? std::string(section) : fmt::format("{}.{}", section, name);
    error.what = fmt::format("{}: {}", key, error.what);
    return error;
}

Node default_node(std::string_view toml) {
    auto parsed = parse_toml(fmt::format("v = {}", toml));
    return parsed.value().find("v")->value;
}

}  // namespace detail

}  // namespace sgl::config
