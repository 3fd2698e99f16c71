#include "hl7/parts.hpp"

#include <utility>

namespace sgl::hl7 {

std::optional<Continuation> continuation(const Message& message) {
    Continuation out{message.header().field(14).text(), message.first("DSC").text(1)};
    if (out.continues.empty() && out.next.empty()) return std::nullopt;
    return out;
}

Result<Message> join_parts(const Message& first, const Message& next, const ParseOptions& options) {
    const auto before = continuation(first);
    const auto after = continuation(next);
    if (!before || !after || before->next.empty() || before->next != after->continues)
        return Error{Fault::conflict, "MSH-14", "the part does not continue the one before"};
    if (first.separators() != next.separators())
        return Error{Fault::conflict, "MSH-2", "the parts of one message have different separators"};
    std::string text;
    for (std::size_t i = 0; i < first.size(); ++i) {
        if (first.segment(i).id() == "DSC") break;
        if (i != 0) text += '\r';
        text += first.segment(i).raw();
    }
    for (std::size_t i = 1; i < next.size(); ++i) {
        const auto segment = next.segment(i);
        if (segment.id() == "ADD") {
            if (segment.raw().size() > 4) text += segment.raw().substr(4);
            continue;
        }
        text += '\r';
        text += segment.raw();
    }
    text += '\r';
    // All is UTF-8 by now, whatever they were sent in.
    auto utf8 = options;
    utf8.charset = LinkCharset::utf_8;
    return Message::parse(std::move(text), utf8);
}

}  // namespace sgl::hl7
