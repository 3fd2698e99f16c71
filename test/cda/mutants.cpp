#include "test/cda/mutants.hpp"

#include <set>
#include <string_view>
#include <vector>

namespace sgl::cda::test {

namespace {

struct Piece {  // an attribute with the blank before it
    std::string name;
    std::size_t from;
    std::size_t to;
    std::size_t value;  // where its value begins
};
struct Node {
    std::string path;
    std::size_t from;
    std::size_t to;
    std::vector<Piece> attributes;
    int parent;
};

std::vector<Node> nodes_of(const std::string& bytes) {
    std::vector<Node> nodes;
    std::vector<int> open;
    std::size_t at = bytes.find("<ClinicalDocument");
    while (at < bytes.size()) {
        const auto end = bytes.find('>', at) + 1;
        const auto tag = bytes.substr(at, end - at);
        if (tag[1] == '/') {
            nodes[static_cast<std::size_t>(open.back())].to = end;
            open.pop_back();
        } else {
            Node node;
            node.from = at;
            node.to = end;
            node.parent = open.empty() ? -1 : open.back();
            auto cursor = tag.find_first_of(" />", 1);
            const auto above = node.parent < 0 ? std::string() : nodes[static_cast<std::size_t>(node.parent)].path;
            node.path = above + "/" + tag.substr(1, cursor - 1);
            while (tag[cursor] == ' ') {
                const auto equal = tag.find('=', cursor);
                const auto close = tag.find('"', equal + 2);
                node.attributes.push_back(
                    {tag.substr(cursor + 1, equal - cursor - 1), at + cursor, at + close + 1, at + equal + 2});
                cursor = close + 1;
            }
            nodes.push_back(std::move(node));
            if (tag[tag.size() - 2] != '/') open.push_back(static_cast<int>(nodes.size()) - 1);
        }
        at = bytes.find('<', end);
    }
    return nodes;
}

// The kind of place: sections and entries of one kind look alike, whatever their depth.
std::string kind_of(const std::string& path) {
    constexpr std::string_view body = "/ClinicalDocument/component/structuredBody/component/section";
    if (!path.starts_with(body)) return path;
    auto rest = path.substr(body.size());
    if (rest.starts_with("/component/section")) rest = rest.substr(18);
    return "section" + rest;
}

}  // namespace

void each_mutant(const std::string& good, const std::function<void(const Mutant&)>& visit) {
    const auto nodes = nodes_of(good);
    std::set<std::string> done;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto& node = nodes[i];
        const auto kind = kind_of(node.path);
        const auto text = good.substr(node.from, node.to - node.from);
        const auto place = text.substr(0, 60);
        const auto give = [&](const std::string& name, std::size_t from, std::size_t to, const std::string& becomes) {
            if (done.insert(name).second) visit({name, place, from, to, becomes});
        };
        if (node.parent >= 0) give("without " + kind, node.from, node.to, "");
        if (node.parent >= 0) give("twice " + kind, node.to, node.to, text);
        for (const auto& attribute : node.attributes) {
            if (attribute.name.starts_with("xmlns")) continue;
            const auto name = kind + "/@" + attribute.name;
            give("without " + name, attribute.from, attribute.to, "");
            const char letter = good[attribute.value];
            if (letter == '"') continue;
            const char other = letter == '9'                    ? '8'
                               : letter >= '0' && letter <= '8' ? static_cast<char>(letter + 1)
                                                                : 'Q';
            give("altered " + name, attribute.value, attribute.value + 1, std::string(1, other));
        }
        // The next sibling.
        for (std::size_t j = i + 1; j < nodes.size(); ++j) {
            const auto& next = nodes[j];
            if (node.parent < 0 || next.parent != node.parent || next.from != node.to) continue;
            if (next.path != node.path)
                give(kind + " after " + next.path.substr(next.path.rfind('/') + 1), node.from, next.to,
                     good.substr(next.from, next.to - next.from) + text);
            break;
        }
    }
}

}  // namespace sgl::cda::test
