// However a stream is cut, its blocks are the same; memory stays within the limit.
#include "hl7/framer.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "test/fuzz/target.hpp"

namespace {

using sgl::hl7::Framer;
using sgl::hl7::FramerEvent;
using sgl::hl7::Framing;

constexpr std::size_t limit = 200;
using Blocks = std::vector<std::pair<FramerEvent::Kind, std::string>>;

void note(Blocks& blocks, FramerEvent event) {
    using Kind = FramerEvent::Kind;
    switch (event.kind) {
        // When outside bytes are told, and how many of them, is a matter of when they came.
        case Kind::garbage:
        case Kind::not_hl7: return;
        case Kind::oversize: blocks.emplace_back(event.kind, std::string()); return;
        case Kind::block: sgl::fuzz::demand(!event.bytes.empty(), "a block is never empty"); [[fallthrough]];
        case Kind::unterminated:
        case Kind::commit_byte:
        case Kind::incomplete: blocks.emplace_back(event.kind, std::move(event.bytes)); return;
    }
}

Blocks read(std::string_view stream, std::size_t step, Framing framing) {
    Framer framer(limit, framing);
    Blocks blocks;
    while (!stream.empty()) {
        for (auto& event : framer.feed(stream.substr(0, step))) note(blocks, std::move(event));
        sgl::fuzz::demand(framer.buffered() <= limit, "no more than the limit is kept");
        stream.remove_prefix(std::min(step, stream.size()));
    }
    if (auto rest = framer.finish()) note(blocks, std::move(*rest));
    return blocks;
}

}  // namespace

void sgl::fuzz::one(std::string_view input) {
    if (input.empty()) return;
    const auto step = static_cast<std::size_t>(static_cast<unsigned char>(input.front())) % 32 + 1;
    input.remove_prefix(1);
    for (const auto framing : {Framing::mllp, Framing::none_eof}) {
        const Blocks whole = read(input, input.size() + 1, framing);
        demand(whole == read(input, step, framing), "blocks do not depend on where the stream was cut");
        demand(whole == read(input, 1, framing), "blocks do not depend on where the stream was cut");
    }
}

SGL_FUZZ_TARGET
