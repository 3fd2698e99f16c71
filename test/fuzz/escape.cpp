// Any text is unescaped within bounds; what we escape comes back as it was.
#include "hl7/escape.hpp"

#include <algorithm>
#include <string>

#include "lib/base/text.hpp"
#include "test/fuzz/target.hpp"

void sgl::fuzz::one(std::string_view input) {
    if (input.size() < 2) return;
    const auto charset = static_cast<hl7::Charset>(static_cast<unsigned char>(input.front()) % 14);
    const bool guess = (static_cast<unsigned char>(input[1]) & 1U) != 0;
    input.remove_prefix(2);
    const hl7::Separators separators;
    if (is_utf8(input)) {
        demand(is_utf8(hl7::unescape(input, separators, charset, guess)), "texts given out are UTF-8");
        const std::string written = hl7::escape(input, separators);
        demand(written.find_first_of("|^~&\r\n") == std::string::npos, "nothing escaped can end a field or a segment");
        const bool plain = std::ranges::none_of(input, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
        if (plain) demand(hl7::unescape(written, separators, hl7::Charset::utf_8) == input, "an escaped text comes back as it was");
    } else {
        (void)hl7::unescape(input, separators, charset, guess);
    }
    hl7::Separators none;
    none.escape = '\0';
    none.subcomponent = '\0';
    (void)hl7::escape(input, none);
}

SGL_FUZZ_TARGET
