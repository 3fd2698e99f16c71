#include "hl7/sequence.hpp"

#include <charconv>

#include "lib/base/text.hpp"

namespace sgl::hl7 {

SequenceVerdict judge_sequence(std::string_view msh_13, std::optional<std::int64_t> last) {
    using Kind = SequenceVerdict::Kind;
    const auto text = trim(msh_13);
    if (text.empty()) return {Kind::unnumbered, 0, last};
    const std::int64_t next = last ? *last + 1 : -1;
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    constexpr std::int64_t largest = 999'999'999'999'999;  // NM of 15 digits
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || number < -1 || number > largest)
        return {Kind::wrong, next, last};
    if (number == 0) return {Kind::start, next, last};
    if (number == -1) return {Kind::resync, -1, std::nullopt};
    if (!last || number == next) return {Kind::expected, number, number};
    return {number <= *last ? Kind::repeated : Kind::wrong, next, last};
}

}  // namespace sgl::hl7
