#include "cda/read.hpp"

#include <algorithm>

#include "cda/detail_narrative.hpp"
#include "cda/detail_parse.hpp"
#include "cda/detail_read.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda::received {

namespace {

std::string french(std::string_view number) {
    return replace_all(std::string(number), ".", ",");
}

// A unit that is all in braces is a word of UCUM that no reader expects.
std::string with_unit(const Amount& amount) {
    if (!amount.null_flavor.empty() && amount.value.empty()) return amount.null_flavor;
    auto text = french(amount.value);
    if (!amount.unit.empty() && amount.unit != "1" && !(amount.unit.starts_with('{') && amount.unit.ends_with('}')))
        text += ' ' + amount.unit;
    return text;
}

std::string_view word_of(const Coded& coded) {
    if (!coded.display.empty()) return coded.display;
    if (!coded.text.empty()) return coded.text;
    for (const auto& other : coded.translations)
        if (!other.display.empty()) return other.display;
    return coded.code.empty() ? coded.null_flavor : coded.code;
}

bool is_ins_root(std::string_view root) {
    constexpr std::string_view prefix = "1.2.250.1.213.1.4.";
    return root.starts_with(prefix) && (root.substr(prefix.size()) == "8" || root.substr(prefix.size()) == "9" ||
                                        root.substr(prefix.size()) == "10" || root.substr(prefix.size()) == "11");
}

}  // namespace

std::string to_text(const Value& value) {
    if (value.numerator && value.denominator)
        return with_unit(*value.numerator) + " / " + with_unit(*value.denominator);
    if (value.low && value.high) return french(value.low->value) + " à " + with_unit(*value.high);
    if (value.low) return (value.low->inclusive == "false" ? "> " : "≥ ") + with_unit(*value.low);
    if (value.high) return (value.high->inclusive == "false" ? "< " : "≤ ") + with_unit(*value.high);
    if (value.amount) return with_unit(*value.amount);
    if (value.id) return value.id->extension.empty() ? value.id->root : value.id->extension;
    if (!value.time.empty()) return value.time.last();
    if (!value.text.empty()) return value.text;
    const auto word = word_of(value.coded);
    return word.empty() ? value.null_flavor : std::string(word);
}

std::string_view Name::part(std::string_view kind, std::string_view qualifier) const {
    for (const auto& each : parts)
        if (each.kind == kind && each.qualifier == qualifier) return each.text;
    return {};
}

std::string Name::text() const {
    std::string all;
    for (const auto& each : parts) {
        if (each.text.empty()) continue;
        if (!all.empty()) all += ' ';
        all += each.text;
    }
    return all;
}

const Id* Patient::ins() const {
    for (const auto& each : ids)
        if (is_ins_root(each.root)) return &each;
    return nullptr;
}

const std::string& Result::label() const {
    if (!code.text.empty()) return code.text;
    if (!code.display.empty()) return code.display;
    for (const auto& other : code.translations)
        if (!other.display.empty()) return other.display;
    return code.code;
}

const Participation* Document::performer_of(const Result& result) const {
    const auto among = [](const std::vector<Participation>& list) -> const Participation* {
        const auto found = std::ranges::find(list, "performer", &Participation::kind);
        return found == list.end() ? nullptr : &*found;
    };
    if (const auto* own = among(result.participations)) return own;
    for (auto at = result.group; at; at = groups[*at].parent)
        if (const auto* own = among(groups[*at].participations)) return own;
    for (const auto& service : services)
        if (!service.performers.empty()) return &service.performers.front();
    return nullptr;
}

const Participation* Document::prescriber() const {
    for (const auto& each : others)
        if (each.kind == "participant" && each.type == "REF") return &each;
    return nullptr;
}

}  // namespace sgl::cda::received

namespace sgl::cda {

Result<received::Document> read(std::string_view bytes) {
    try {
        const auto tree = detail::parse(bytes);
        if (auto hostile = detail::hostile_narrative(tree); !hostile) return hostile.error();
        detail::Source source{tree};
        received::Document document;
        document.envelope = tree.envelope;
        detail::read_header(*tree.root(), source, document);
        detail::read_body(*tree.root(), source, document);
        document.rest = source.rest();
        return document;
    } catch (const detail::Unreadable& problem) {
        return Error{problem.refused ? Fault::refused : Fault::malformed, problem.where, problem.what};
    }
}

}  // namespace sgl::cda
