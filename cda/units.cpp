#include "cda/units.hpp"

#include <algorithm>
#include <array>

#include "lib/base/text.hpp"

namespace sgl::cda::units {

namespace {

constexpr std::string_view metric = "kdcmunpf";

// "mmol" after its prefix is "mol"; empty when it is not that base with at most one prefix.
bool is_metric(std::string_view text, std::string_view base) {
    if (text == base) return true;
    return text.size() == base.size() + 1 && text.substr(1) == base &&
           metric.find(text.front()) != std::string_view::npos;
}

bool is_volume(std::string_view text) {
    return is_metric(text, "L") || is_metric(text, "l") || text == "mm3";
}

bool is_activity(std::string_view text) {
    return is_metric(text, "[IU]") || is_metric(text, "U") || is_metric(text, "kat") || text == "[arb'U]" ||
           text == "[iU]";
}

}  // namespace

Kind of_unit(std::string_view ucum) {
    if (ucum == "%") return Kind::fraction;
    const auto slash = ucum.find('/');
    if (slash == std::string_view::npos) return Kind::unknown;
    const auto what = ucum.substr(0, slash);
    if (!is_volume(ucum.substr(slash + 1))) return Kind::unknown;
    if (is_metric(what, "g")) return Kind::mass_concentration;
    if (is_metric(what, "mol")) return Kind::substance_concentration;
    if (is_activity(what)) return Kind::activity;
    if (what.empty() || what.starts_with("10*") || what.starts_with('{')) return Kind::number_concentration;
    return Kind::unknown;
}

Kind of_label(std::string_view label) {
    const auto open = label.find('[');
    const auto close = label.find(']', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return Kind::unknown;
    const auto property = label.substr(open + 1, close - open - 1);
    if (property == "Masse/Volume") return Kind::mass_concentration;
    if (property == "Moles/Volume") return Kind::substance_concentration;
    if (property == "Nombre/Volume") return Kind::number_concentration;
    if (property == "Catalytique/Volume" || property == "Arbitraire/Volume") return Kind::activity;
    if (property == "Fraction massique" || property == "Fraction volumique" || property == "Fraction de nombres")
        return Kind::fraction;
    return Kind::unknown;
}

bool contradict(std::string_view label, std::string_view ucum) {
    const auto examined = of_label(label);
    const auto measured = of_unit(ucum);
    // A fraction may be given as a count, and an arbitrary unit hides anything: only the plain cases are sure.
    return examined != Kind::unknown && measured != Kind::unknown && examined != measured;
}

std::string simple_ucum(std::string_view printed) {
    auto text = replace_all(replace_all(std::string(printed), "µ", "u"), "μ", "u");
    switch (of_unit(text)) {
        case Kind::mass_concentration:
        case Kind::substance_concentration:
            if (text.ends_with('l')) text.back() = 'L';
            return text;
        case Kind::unknown:
        case Kind::number_concentration:
        case Kind::activity:
        case Kind::fraction:
            break;
    }
    return {};
}

}  // namespace sgl::cda::units
