#include "lib/domain/specimen_types.hpp"

#include <array>

namespace sgl::domain {

std::span<const std::pair<std::string_view, std::string_view>> specimen_types() {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> names{{
        {"BLD", "Sang"},
        {"BLDV", "Sang veineux"},
        {"BLDA", "Sang artériel"},
        {"BLDC", "Sang capillaire"},
        {"WB", "Sang total"},
        {"SER", "Sérum"},
        {"PLAS", "Plasma"},
        {"PPP", "Plasma pauvre en plaquettes"},
        {"UR", "Urine"},
        {"URINM", "Urine, milieu de jet"},
        {"CSF", "Liquide céphalorachidien"},
        {"STL", "Selles"},
        {"SPT", "Expectoration"},
        {"PUS", "Pus"},
    }};
    return names;
}

std::string specimen_type_label(std::string_view code) {
    for (const auto& [known, name] : specimen_types()) {
        if (known == code) return std::string(name);
    }
    return {};
}

}  // namespace sgl::domain
