// The messages of a block are views into it, in order, each from its own MSH on, and none holds another.
#include <algorithm>
#include <string>

#include "hl7/lines.hpp"
#include "hl7/message.hpp"
#include "lib/base/text.hpp"
#include "test/fuzz/target.hpp"

void sgl::fuzz::one(std::string_view input) {
    const char* done = input.data();
    for (const auto message : hl7::split_messages(input)) {
        demand(message.data() >= done && message.data() + message.size() <= input.data() + input.size(),
               "messages are views into the block, one after the other");
        done = message.data() + message.size();
        const auto name = message.find_first_not_of(" \t");
        demand(name != std::string_view::npos && message.substr(name, 3) == "MSH", "a message begins with MSH");
        const auto parsed = hl7::Message::parse(std::string(message));
        if (!parsed) {
            demand(parsed.error().what.find("second message") == std::string::npos, "a message holds no other");
            continue;
        }
        demand(hl7::split_messages(message).size() == 1, "one message is one");
    }
    for (const char separator : {'|', '#'}) {
        const auto joined = hl7::join_lines(input, separator);
        demand(joined.text.empty() || joined.text.back() == '\r', "every segment has its end");
        for (const auto line : split(joined.text, '\r'))
            demand(line.empty() || hl7::starts_segment(line, separator), "every joined line is a segment");
    }
}

SGL_FUZZ_TARGET
