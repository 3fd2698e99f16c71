#include "lib/interpret/waiting.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "lib/base/text.hpp"
#include "lib/interpret/results.hpp"
#include "lib/interpret/value.hpp"

namespace sgl::interpret {

namespace {

hl7::Segment segment_at(const hl7::Message& message, std::string_view coordinate) {
    const auto name = coordinate.substr(0, 3);
    if (name != "OBX" && name != "OBR") return {};
    std::size_t ordinal = 1;
    if (coordinate.size() > 4 && coordinate[3] == '[')
        std::from_chars(coordinate.data() + 4, coordinate.data() + coordinate.size(), ordinal);
    const auto all = message.all(name);
    return ordinal == 0 || ordinal > all.size() ? hl7::Segment() : all[ordinal - 1];
}

/// Fields that name nobody, by segment. MSH-1 and MSH-2 are its separators.
struct Open {
    std::string_view segment;
    std::array<std::size_t, 16> fields;
};
constexpr std::array opened{
    Open{"MSH", {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 17, 18}},
    Open{"ORC", {1, 2, 3, 5, 9}},
    Open{"OBR", {1, 2, 3, 4, 7, 22, 24, 25, 26, 29}},
    Open{"SPM", {1, 2, 3, 4, 11, 17}},
    Open{"SAC", {1, 2, 3, 4}},
    Open{"OBX", {1, 2, 3, 4, 6, 7, 8, 11, 13, 14, 17, 18, 19}},
    Open{"TCD", {1, 2, 3, 4, 8}},
};

bool is_open(const hl7::Segment& segment, std::size_t field) {
    const auto found = std::ranges::find(opened, segment.id(), &Open::segment);
    if (found == opened.end()) return false;
    if (std::ranges::find(found->fields, field) != found->fields.end()) return true;
    // A number is shown, words are not: somebody's name may stand there.
    if (segment.id() != "OBX" || field != 5) return false;
    const auto type = segment.text(2);
    return type == "NM" || type == "SN";
}

template <class Shown>
std::string text_of(const hl7::Message& message, const Shown& shown) {
    const char separator = message.separators().field;
    std::string text;
    for (std::size_t i = 0; i < message.size(); ++i) {
        const auto segment = message.segment(i);
        text += segment.id();
        for (std::size_t field = segment.id() == "MSH" ? 2 : 1; field <= segment.fields(); ++field) {
            const auto raw = segment.field(field).raw();
            text += separator;
            if (raw.empty()) continue;
            text += shown(segment, field) ? message.unescape(raw) : std::string("…");
        }
        text += '\n';
    }
    return text;
}

}  // namespace

std::optional<Said> said_at(const hl7::Message& message, const domain::Link& link, std::string_view coordinate) {
    const auto segment = segment_at(message, coordinate);
    if (!segment) return std::nullopt;
    Said said;
    if (segment.id() == "OBR") {
        said.code = std::string(trim(segment.text(4)));
        said.label = segment.text(4, 2);
        return said;
    }
    for (const auto& path : link.code_paths) {
        if (said.code.empty()) said.code = std::string(trim(at_path(segment, path)));
    }
    said.label = segment.text(3, 2);
    if (said.code.empty()) said.code = std::string(trim(said.label));
    said.unit = unit_text(segment);
    said.value = segment.field(5).text();
    for (const auto& path : link.flag_paths) {
        std::vector<std::string> flags;
        if (path == "OBX-8") {
            for (const auto& flag : segment.field(8).repetitions())
                flags.push_back(flag.component(1).text());
        } else {
            flags.push_back(at_path(segment, path));
        }
        for (auto& flag : flags) {
            const bool known = flag.empty() || flag == "\"\"" || is_known_flag(flag) ||
                               std::ranges::find(link.flags, flag, &domain::Link::Flag::theirs) != link.flags.end();
            if (!known) said.unknown_flags.push_back(std::move(flag));
        }
    }
    return said;
}

std::string masked(const hl7::Message& message) {
    return text_of(message, is_open);
}

std::string readable(const hl7::Message& message) {
    return text_of(message, [](const hl7::Segment&, std::size_t) { return true; });
}

}  // namespace sgl::interpret
