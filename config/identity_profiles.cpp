#include "config/identity_profiles.hpp"

#include "config/document.hpp"

namespace sgl::config {

namespace {

void add(const Node& of, const Node* settings, std::vector<std::pair<std::string, bool>>& to) {
    const auto* finess = of.find("finess");
    if (finess == nullptr) return;
    const auto* slave = settings == nullptr ? nullptr : settings->find("identity_slave");
    to.emplace_back(finess->value.text, slave != nullptr && slave->value.boolean);
}

}  // namespace

Result<std::vector<std::pair<std::string, bool>>> identity_profiles(std::string_view bytes) {
    std::vector<std::pair<std::string, bool>> profiles;
    if (bytes.find("[[legal_entity]]") == std::string_view::npos) return profiles;
    const auto file = parse_toml(bytes);
    if (!file) return file.error();
    const auto* entities = file->find("legal_entity");
    if (entities == nullptr) return profiles;
    for (const auto& entity : entities->value.items) {
        add(entity, &entity, profiles);
        const auto* sites = entity.find("site");
        if (sites == nullptr) continue;
        for (const auto& site : sites->value.items) {
            const auto* settings = site.find("settings");
            add(site, settings == nullptr ? nullptr : &settings->value, profiles);
        }
    }
    return profiles;
}

}  // namespace sgl::config
