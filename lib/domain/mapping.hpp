// What a person says, from the work to do, of a code, unit, value or flag of a link. It lies over the imported link:
// where both name the same thing, the import counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/domain/catalogue.hpp"
#include "lib/domain/link.hpp"

namespace sgl::domain {

struct Mapping {
    enum class Kind : std::uint8_t { code, unit, value, flag };

    std::int64_t id{};  ///< 0: not kept yet
    LinkId link;
    Kind kind{};
    std::string theirs;             ///< as received: code, text of OBX-6, of OBX-5, flag
    std::string ours;               ///< local code of the catalogue, UCUM, text; of a flag empty
    std::string unit;               ///< of a code: of the values that it is for, as received; empty: any
    std::optional<Decimal> factor;  ///< of a code: from `unit` to the unit of the catalogue
    Link::Flag::Does does{};        ///< of a flag
    std::string text;               ///< of a flag that comments, French
    Instant made_at;
    std::string made_by;
    std::string made_why;
};
std::string_view to_string(Mapping::Kind kind);  ///< code, unit, value, flag
std::optional<Mapping::Kind> mapping_kind_of(std::string_view word);
std::string_view to_string(Link::Flag::Does does);  ///< ignore, comment, block, hide
std::optional<Link::Flag::Does> flag_does_of(std::string_view word);

/// The link says something of that already: the mapping would not count.
bool names(const Link& link, const Mapping& mapping);
/// The link with it, unless it names that already.
void add_to(Link& link, const Mapping& mapping);
/// Whether it can be meant: the examination is in the catalogue, a factor has its unit, nothing is missing. `where` is
/// the member: theirs, ours, factor, text.
Result<void> check(const Mapping& mapping, const Catalogue& catalogue);

}  // namespace sgl::domain
