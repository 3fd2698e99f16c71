// Any bytes are read or refused; however a message is asked, its pieces are the same and point into it; what dump()
// writes of it is text.
#include <algorithm>
#include <string>
#include <vector>

#include "hl7/dump.hpp"
#include "hl7/groups.hpp"
#include "hl7/lines.hpp"
#include "hl7/message.hpp"
#include "hl7/parts.hpp"
#include "lib/base/text.hpp"
#include "test/fuzz/target.hpp"

namespace {

using namespace sgl;

void read_segment(const hl7::Segment& segment, bool header) {
    std::vector<std::string_view> walked;
    std::vector<std::string_view> by_number;
    segment.for_each_leaf([&](const hl7::Leaf& leaf) {
        fuzz::demand(leaf.raw.data() >= segment.raw().data() &&
                         leaf.raw.data() + leaf.raw.size() <= segment.raw().data() + segment.raw().size(),
                     "a leaf is a view into its segment");
        const auto again = segment.field(leaf.field).repetition(leaf.repetition - 1).component(leaf.component);
        fuzz::demand(again.subcomponent(leaf.subcomponent).raw() == leaf.raw, "a leaf stands where it says");
        walked.push_back(leaf.raw);
    });
    std::size_t number = header ? 3 : 1;
    for (const auto& field : segment.all_fields()) {
        fuzz::demand(field.raw() == segment.field(number).raw(), "a field is the same by its number");
        ++number;
        for (const auto& repetition : field.repetitions()) {
            for (const auto& component : repetition.components()) {
                for (const auto& leaf : component.subcomponents()) {
                    if (!leaf.empty()) by_number.push_back(leaf.raw());
                }
            }
        }
        fuzz::demand(is_utf8(field.text()), "texts given out are UTF-8");
    }
    fuzz::demand(walked == by_number, "both walks reach the same leaves");
    fuzz::demand(segment.field(number).empty(), "after the last field there is none");
}

}  // namespace

void sgl::fuzz::one(std::string_view input) {
    if (input.empty()) return;
    hl7::ParseOptions options;
    options.charset = static_cast<hl7::LinkCharset>(static_cast<unsigned char>(input.front()) % 6);
    input.remove_prefix(1);
    demand(is_utf8(hl7::dump(input, "fuzz")), "a dump is UTF-8");
    const auto parsed = hl7::Message::parse(std::string(input), options);
    if (!parsed) {
        demand(!parsed.error().where.empty(), "a refusal has a place");
        return;
    }
    for (std::size_t i = 0; i < parsed->size(); ++i)
        read_segment(parsed->segment(i), i == 0);
    (void)hl7::group(*parsed);
    // What was read, written as it stands, is read the same again. What is only shown keeps its control characters.
    if (options.charset == hl7::LinkCharset::guess && std::ranges::any_of(input, [](char c) {
            return static_cast<unsigned char>(c) < 0x20 && c != '\r' && c != '\n';
        }))
        return;
    std::string text;
    for (std::size_t i = 0; i < parsed->size(); ++i) {
        // A line joined to a bare name would be joined to the segment before.
        if (parsed->segment(i).raw().substr(3).starts_with('\n')) return;
    }
    for (std::size_t i = 0; i < parsed->size(); ++i)
        text += std::string(parsed->segment(i).raw()) + '\r';
    hl7::ParseOptions utf8;
    utf8.charset = hl7::LinkCharset::utf_8;
    const auto again = hl7::Message::parse(text, utf8);
    demand(again.has_value() && again->size() == parsed->size(), "segments that were read are read again");
    for (std::size_t i = 0; i < parsed->size(); ++i)
        demand(again->segment(i).raw() == parsed->segment(i).raw(), "and are the same");
    if (const auto more = hl7::continuation(*parsed)) (void)hl7::join_parts(*parsed, *again, options);
}

SGL_FUZZ_TARGET
