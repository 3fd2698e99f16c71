#include "config/document.hpp"

#include <fmt/format.h>

#include <algorithm>

// The only translation unit that pays for toml++; Debian's library is built with its exceptions.
#include <toml++/toml.h>

namespace sgl::config {

namespace {

constexpr std::size_t max_bytes = 16U << 20U;

Node convert(const toml::node& from) {
    Node to;
    to.line = from.source().begin.line;
    to.column = from.source().begin.column;
    if (const auto* table = from.as_table()) {
        to.kind = Node::Kind::table;
        for (const auto& [key, value] : *table) {
            Node::Member member{std::string(key.str()), key.source().begin.line, key.source().begin.column, convert(value)};
            to.members.push_back(std::move(member));
        }
        std::ranges::stable_sort(to.members, {}, [](const Node::Member& m) { return std::pair{m.line, m.column}; });
    } else if (const auto* array = from.as_array()) {
        to.kind = Node::Kind::array;
        for (const auto& item : *array) to.items.push_back(convert(item));
    } else if (const auto* text = from.as_string()) {
        to.kind = Node::Kind::text;
        to.text = text->get();
    } else if (const auto* integer = from.as_integer()) {
        to.kind = Node::Kind::integer;
        to.integer = integer->get();
    } else if (const auto* real = from.as_floating_point()) {
        to.kind = Node::Kind::real;
        to.real = real->get();
    } else if (const auto* boolean = from.as_boolean()) {
        to.kind = Node::Kind::boolean;
        to.boolean = boolean->get();
    } else {
        to.kind = Node::Kind::date;
    }
    return to;
}

}  // namespace

const Node::Member* Node::find(std::string_view name) const {
    const auto it = std::ranges::find(members, name, &Member::name);
    return it == members.end() ? nullptr : &*it;
}

std::string_view to_string(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::table: return "a table";
        case Node::Kind::array: return "a list";
        case Node::Kind::text: return "a text";
        case Node::Kind::integer: return "a whole number";
        case Node::Kind::real: return "a number with decimals";
        case Node::Kind::boolean: return "true or false";
        case Node::Kind::date: return "a date";
    }
    return "";
}

std::string place(const Node& node) { return fmt::format("line {}, column {}", node.line, node.column); }
std::string place(const Node::Member& member) { return fmt::format("line {}, column {}", member.line, member.column); }

Result<Node> parse_toml(std::string_view bytes) {
    if (bytes.size() > max_bytes) return Error{Fault::refused, "", "the file is larger than 16 MiB"};
    try {
        return convert(toml::parse(bytes));
    } catch (const toml::parse_error& error) {
        const auto& where = error.source().begin;
        return Error{Fault::malformed, fmt::format("line {}, column {}", where.line, where.column),
                     std::string(error.description())};
    }
}

}  // namespace sgl::config
