// Any bytes are read or refused, and every piece of what was read can be asked for.
#include "hl7/message.hpp"

#include <string>

#include "hl7/groups.hpp"
#include "hl7/lines.hpp"
#include "hl7/range.hpp"
#include "hl7/values.hpp"
#include "lib/base/text.hpp"
#include "test/fuzz/target.hpp"

namespace {

using namespace sgl;

void read_all(const hl7::Message& message) {
    for (std::size_t s = 0; s < message.size(); ++s) {
        const auto segment = message.segment(s);
        for (std::size_t f = 1; f <= segment.fields() && f < 60; ++f) {
            const auto field = segment.field(f);
            for (const auto& repetition : field.repetitions()) {
                for (std::size_t c = 1; c <= repetition.size() && c < 30; ++c) {
                    const auto component = repetition.component(c);
                    fuzz::demand(is_utf8(component.text()), "texts given out are UTF-8");
                    for (std::size_t u = 1; u <= component.size() && u < 10; ++u) (void)component.subcomponent(u).text();
                }
                (void)hl7::read_structured_number(repetition);
                (void)hl7::read_extended_id(repetition);
                (void)hl7::read_professional(repetition);
                (void)hl7::read_address(repetition);
            }
            fuzz::demand(!segment.coordinate(f).empty(), "every field has a coordinate");
            (void)hl7::read_timestamp(field);
            (void)hl7::read_number(field.text());
        }
    }
    (void)hl7::group(message);
}

}  // namespace

void sgl::fuzz::one(std::string_view input) {
    if (input.empty()) return;
    hl7::ParseOptions options;
    options.charset = static_cast<hl7::LinkCharset>(static_cast<unsigned char>(input.front()) % 6);
    input.remove_prefix(1);
    (void)hl7::split_messages(input);
    (void)hl7::Message::parse_header(input, options);
    const auto parsed = hl7::Message::parse(std::string(input), options);
    if (!parsed) {
        demand(!parsed.error().where.empty(), "a refusal has a place");
        return;
    }
    read_all(*parsed);
}

SGL_FUZZ_TARGET
