#include "config/rules_file.hpp"

#include <fmt/format.h>

#include "config/document.hpp"

namespace sgl::config {

namespace {

using domain::RuleText;

Result<std::string> text_of(const Node& node) {
    switch (node.kind) {
        case Node::Kind::text:
            return node.text;
        case Node::Kind::integer:
            return std::to_string(node.integer);
        case Node::Kind::boolean:
            return std::string(node.boolean ? "true" : "false");
        case Node::Kind::real:
            return Error{Fault::malformed, place(node),
                         "a number with decimals is written in quotes, with all its digits"};
        case Node::Kind::table:
        case Node::Kind::array:
        case Node::Kind::date:
            break;
    }
    return Error{Fault::malformed, place(node),
                 fmt::format("expected a text, a number or a list of them, not {}", to_string(node.kind))};
}

bool is_tables(const Node& node) {
    return node.kind == Node::Kind::array && !node.items.empty() && node.items.front().kind == Node::Kind::table;
}

Result<RuleText> entry(const std::string& kind, const Node& table, bool may_nest) {
    if (table.kind != Node::Kind::table)
        return Error{Fault::malformed, place(table), fmt::format("write [[{}]], once for each", kind)};
    RuleText made;
    made.kind = kind;
    made.line = table.line;
    for (const auto& member : table.members) {
        if (may_nest && is_tables(member.value)) {
            for (const auto& item : member.value.items) {
                auto part = entry(member.name, item, false);
                if (!part) return part.error();
                made.parts.push_back(std::move(*part));
            }
            continue;
        }
        RuleText::Field field{member.name, {}, member.value.kind == Node::Kind::array, member.line};
        const auto add = [&](const Node& node) -> Result<void> {
            auto text = text_of(node);
            if (!text) return text.error();
            field.values.push_back(std::move(*text));
            return {};
        };
        if (field.list) {
            for (const auto& item : member.value.items)
                if (auto added = add(item); !added) return added.error();
        } else if (auto added = add(member.value); !added) {
            return added.error();
        }
        made.fields.push_back(std::move(field));
    }
    return made;
}

}  // namespace

Result<std::vector<RuleText>> parse_rules(std::string_view bytes) {
    const auto document = parse_toml(bytes);
    if (!document) return document.error();
    std::vector<RuleText> texts;
    for (const auto& member : document->members) {
        if (member.name == "rule_set") {
            auto head = entry(member.name, member.value, false);
            if (!head) return head.error();
            texts.push_back(std::move(*head));
            continue;
        }
        if (!is_tables(member.value))
            return Error{Fault::malformed, place(member), fmt::format("write [[{}]], once for each", member.name)};
        for (const auto& item : member.value.items) {
            auto rule = entry(member.name, item, member.name == "test");
            if (!rule) return rule.error();
            texts.push_back(std::move(*rule));
        }
    }
    return texts;
}

CheckedRules check_rules(std::string_view bytes) {
    CheckedRules checked;
    auto texts = parse_rules(bytes);
    if (!texts) {
        checked.errors.push_back(texts.error());
        return checked;
    }
    checked.texts = std::move(*texts);
    auto set = domain::read_rule_set(checked.texts);
    if (!set) {
        checked.errors.push_back(set.error());
        return checked;
    }
    checked.set = std::move(*set);
    checked.errors = domain::run_tests(checked.set);
    return checked;
}

}  // namespace sgl::config
