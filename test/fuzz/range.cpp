// Any reference range is an interval that makes sense, breakpoints, or a text with its reason.
#include "hl7/range.hpp"

#include "lib/base/text.hpp"
#include "test/fuzz/target.hpp"

void sgl::fuzz::one(std::string_view input) {
    if (input.empty()) return;
    hl7::RangeOptions options;
    const auto choice = static_cast<unsigned char>(input.front());
    options.comma_is_decimal = (choice & 1U) != 0;
    options.sex = (choice & 2U) != 0 ? 'M' : (choice & 4U) != 0 ? 'F' : '\0';
    input.remove_prefix(1);
    if (!is_utf8(input)) return;
    const auto range = hl7::read_range(input, options);
    using Kind = hl7::ReferenceRange::Kind;
    switch (range.kind) {
        case Kind::none:
            demand(!range.low && !range.high, "nothing has no limits");
            break;
        case Kind::interval:
            demand(range.low || range.high, "an interval has a limit");
            demand(!range.low || !range.high || !(range.low->value > range.high->value), "low is not above high");
            demand(range.sex == '\0' || range.sex == options.sex, "the line chosen is the patient's");
            demand(is_utf8(range.unit), "a unit is a text");
            break;
        case Kind::breakpoints:
            demand(range.low && range.high && range.low->included, "breakpoints are two");
            break;
        case Kind::text:
            demand(!range.why.empty(), "a text says why it is no range");
            break;
    }
}

SGL_FUZZ_TARGET
