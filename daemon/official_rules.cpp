#include "daemon/official_rules.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "config/kit_defects.hpp"

namespace sgl::daemon {

namespace {

std::optional<std::string> bytes_of(const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Result<cda::schematron::OfficialKit> official_rules(const std::string& folder, const std::string& defects_file) {
    const auto text = defects_file.empty() ? std::string(config::shipped_kit_defects()) : bytes_of(defects_file);
    if (!text) return Error{Fault::missing, defects_file, "the list of the kit's defects can't be read"};
    const auto listed = config::parse_kit_defects(*text);
    if (!listed) return Error{listed.error().fault, defects_file + ", " + listed.error().where, listed.error().what};
    std::vector<cda::schematron::KnownDefect> defects;
    for (const auto& each : *listed)
        defects.push_back({each.family, each.pattern, each.test, each.message, each.reason});
    const std::filesystem::path root(folder);
    auto kit = cda::schematron::OfficialKit::load([&](const std::string& path) { return bytes_of(root / path); },
                                                  std::move(defects));
    if (!kit) return Error{kit.error().fault, folder + ": " + kit.error().where, kit.error().what};
    return kit;
}

}  // namespace sgl::daemon
