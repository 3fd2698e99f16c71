// A TOML file as plain values that know their line and column, so that every refusal can point at its place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::config {

/// One value of the file. Tables keep the order of the file.
struct Node {
    enum class Kind : std::uint8_t { table, array, text, integer, real, boolean, date };
    struct Member;

    Kind kind{Kind::table};
    unsigned line{};
    unsigned column{};
    std::string text;
    std::int64_t integer{};
    double real{};
    bool boolean{};
    std::vector<Node> items;      ///< of an array
    std::vector<Member> members;  ///< of a table

    const Member* find(std::string_view name) const;
};

struct Node::Member {
    std::string name;
    unsigned line{};  ///< of the key
    unsigned column{};
    Node value;
};

/// "a text", "a table"…: for messages.
std::string_view to_string(Node::Kind kind);

/// `line 12, column 3`, as every Error::where of this room ends.
std::string place(const Node& node);
std::string place(const Node::Member& member);

/// At most 16 MiB of UTF-8 (larger is refused). Errors say the place in the file, without its name.
Result<Node> parse_toml(std::string_view bytes);

}  // namespace sgl::config
