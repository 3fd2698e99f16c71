#include "lib/domain/mapping.hpp"

#include <algorithm>
#include <array>

namespace sgl::domain {

std::string_view to_string(Mapping::Kind kind) {
    switch (kind) {
        case Mapping::Kind::code:
            return "code";
        case Mapping::Kind::unit:
            return "unit";
        case Mapping::Kind::value:
            return "value";
        case Mapping::Kind::flag:
            return "flag";
    }
    return "";
}

std::optional<Mapping::Kind> mapping_kind_of(std::string_view word) {
    using enum Mapping::Kind;
    for (const auto kind : {code, unit, value, flag})
        if (to_string(kind) == word) return kind;
    return std::nullopt;
}

std::string_view to_string(Link::Flag::Does does) {
    switch (does) {
        case Link::Flag::Does::nothing:
            return "ignore";
        case Link::Flag::Does::comment:
            return "comment";
        case Link::Flag::Does::block:
            return "block";
        case Link::Flag::Does::hide:
            return "hide";
    }
    return "";
}

std::optional<Link::Flag::Does> flag_does_of(std::string_view word) {
    using enum Link::Flag::Does;
    for (const auto does : {nothing, comment, block, hide})
        if (to_string(does) == word) return does;
    return std::nullopt;
}

bool names(const Link& link, const Mapping& mapping) {
    switch (mapping.kind) {
        case Mapping::Kind::code:
            return std::ranges::any_of(link.codes, [&](const Link::Code& code) {
                return code.theirs == mapping.theirs && code.unit == mapping.unit;
            });
        case Mapping::Kind::unit:
            return std::ranges::find(link.units, mapping.theirs, &Link::Word::theirs) != link.units.end();
        case Mapping::Kind::value:
            return std::ranges::find(link.values, mapping.theirs, &Link::Word::theirs) != link.values.end();
        case Mapping::Kind::flag:
            return std::ranges::find(link.flags, mapping.theirs, &Link::Flag::theirs) != link.flags.end();
    }
    return false;
}

void add_to(Link& link, const Mapping& mapping) {
    if (names(link, mapping)) return;
    switch (mapping.kind) {
        case Mapping::Kind::code:
            link.codes.push_back({mapping.theirs, mapping.ours, mapping.unit, mapping.factor, {}});
            return;
        case Mapping::Kind::unit:
            link.units.push_back({mapping.theirs, mapping.ours});
            return;
        case Mapping::Kind::value:
            link.values.push_back({mapping.theirs, mapping.ours});
            return;
        case Mapping::Kind::flag:
            link.flags.push_back({mapping.theirs, mapping.does, mapping.text});
            return;
    }
}

Result<void> check(const Mapping& mapping, const Catalogue& catalogue) {
    const auto refuse = [](std::string where, std::string what) {
        return Error{Fault::malformed, std::move(where), std::move(what)};
    };
    constexpr std::size_t longest = 200;
    for (const auto* text : {&mapping.theirs, &mapping.ours, &mapping.unit, &mapping.text}) {
        if (text->size() > longest) return refuse("theirs", "a text of at most 200 bytes is needed");
    }
    if (mapping.theirs.empty()) return refuse("theirs", "what the sender writes is needed");
    if (mapping.kind != Mapping::Kind::code && (!mapping.unit.empty() || mapping.factor))
        return refuse("factor", "a unit and a factor belong to a code");
    switch (mapping.kind) {
        case Mapping::Kind::code:
            if (catalogue.by_code(mapping.ours) == nullptr)
                return Error{Fault::missing, "ours", "this examination is not in the catalogue of the site"};
            if (mapping.factor && mapping.unit.empty())
                return refuse("factor", "a factor needs the unit that it converts");
            if (mapping.factor && *mapping.factor <= Decimal()) return refuse("factor", "a factor is more than zero");
            return {};
        case Mapping::Kind::unit:
        case Mapping::Kind::value:
            if (mapping.ours.empty()) return refuse("ours", "what it means is needed");
            return {};
        case Mapping::Kind::flag:
            if (mapping.does == Link::Flag::Does::comment && mapping.text.empty())
                return refuse("text", "the comment is needed");
            if (!mapping.ours.empty()) return refuse("ours", "a flag has no translation");
            return {};
    }
    return {};
}

}  // namespace sgl::domain
