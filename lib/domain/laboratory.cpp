#include "lib/domain/laboratory.hpp"

#include <algorithm>

namespace sgl::domain {

namespace {

template <class T, class Id>
const T* find_id(const std::vector<T>& all, Id id) {
    const auto it = std::ranges::find(all, id, &T::id);
    return it == all.end() ? nullptr : &*it;
}

/// JDV_J01: physician biologists SM03, SM63 to SM67; pharmacist biologists G and EG; 334 for the others
/// (cr-bio.md 4.2).
bool is_biology(std::string_view code) {
    constexpr std::string_view codes[] = {"G15_10/SM03", "G15_10/SM63", "G15_10/SM64", "G15_10/SM65", "G15_10/SM66",
                                          "G15_10/SM67", "G15_21/G",    "G15_21/EG",   "334"};
    return std::ranges::find(codes, code) != std::end(codes);
}

}  // namespace

std::string_view to_string(PartnerKind kind) {
    switch (kind) {
        case PartnerKind::dmp:
            return "dmp";
        case PartnerKind::mss:
            return "mss";
        case PartnerKind::dpi:
            return "dpi";
    }
    return "";
}

std::optional<PartnerKind> partner_kind_of(std::string_view text) {
    for (const auto kind : {PartnerKind::dmp, PartnerKind::mss, PartnerKind::dpi})
        if (to_string(kind) == text) return kind;
    return std::nullopt;
}

std::string_view to_string(Role role) {
    switch (role) {
        case Role::secretary:
            return "secretary";
        case Role::technician:
            return "technician";
        case Role::biologist:
            return "biologist";
        case Role::it_operator:
            return "it_operator";
        case Role::dpo:
            return "dpo";
    }
    return "";
}

std::optional<Role> role_of(std::string_view text) {
    for (const auto role : {Role::secretary, Role::technician, Role::biologist, Role::it_operator, Role::dpo})
        if (to_string(role) == text) return role;
    return std::nullopt;
}

std::string_view to_string(Import::Kind kind) {
    switch (kind) {
        case Import::Kind::laboratory:
            return "laboratory";
        case Import::Kind::links:
            return "links";
        case Import::Kind::partners:
            return "partners";
        case Import::Kind::correspondents:
            return "correspondents";
        case Import::Kind::users:
            return "users";
        case Import::Kind::catalogue:
            return "catalogue";
    }
    return "";
}

bool User::has(Role role, SiteId site) const {
    return std::ranges::find(roles, std::pair{site, role}) != roles.end();
}

std::vector<SiteId> User::sites(Role role) const {
    std::vector<SiteId> found;
    for (const auto& [site, held] : roles)
        if (held == role) found.push_back(site);
    return found;
}

bool User::may_validate(SiteId site) const {
    return active && has(Role::biologist, site) && !professional.rpps.empty() &&
           is_biology(professional.speciality.code);
}

Laboratory::Laboratory(Parts parts) : parts_(std::move(parts)) {
    std::ranges::stable_sort(parts_.analytes, {}, [](const auto& entry) { return entry.second.position; });
    std::unordered_map<SiteId, std::vector<Analyte>> of_site;
    for (auto& [site, analyte] : parts_.analytes)
        of_site[site].push_back(std::move(analyte));
    parts_.analytes.clear();
    for (auto& [site, analytes] : of_site)
        catalogues_.emplace(site, Catalogue(std::move(analytes)));
}

const Catalogue& Laboratory::catalogue(SiteId site) const {
    static const Catalogue none;
    const auto found = catalogues_.find(site);
    return found == catalogues_.end() ? none : found->second;
}

const LegalEntity* Laboratory::legal_entity(LegalEntityId id) const {
    return find_id(parts_.legal_entities, id);
}
const Site* Laboratory::site(SiteId id) const {
    return find_id(parts_.sites, id);
}
const Partner* Laboratory::partner(PartnerId id) const {
    return find_id(parts_.partners, id);
}
const User* Laboratory::user(UserId id) const {
    return find_id(parts_.users, id);
}

const Site* Laboratory::site_by_finess(std::string_view finess) const {
    const auto it = std::ranges::find_if(parts_.sites, [&](const Site& s) { return s.finess.text() == finess; });
    return it == parts_.sites.end() ? nullptr : &*it;
}

const Link* Laboratory::link(std::string_view name) const {
    const auto it = std::ranges::find(parts_.links, name, &Link::name);
    return it == parts_.links.end() ? nullptr : &*it;
}

const User* Laboratory::user(std::string_view login) const {
    const auto it = std::ranges::find(parts_.users, login, &User::login);
    return it == parts_.users.end() ? nullptr : &*it;
}

std::vector<SiteId> Laboratory::sites_of(LegalEntityId id) const {
    std::vector<SiteId> found;
    for (const auto& site : parts_.sites)
        if (site.legal_entity == id) found.push_back(site.id);
    return found;
}

std::vector<const Link*> Laboratory::links_of(std::string_view listener) const {
    std::vector<const Link*> found;
    for (const auto& link : parts_.links)
        if (link.active && link.listener == listener) found.push_back(&link);
    return found;
}

std::vector<const Partner*> Laboratory::partners_of(LegalEntityId id, PartnerKind kind) const {
    std::vector<const Partner*> found;
    for (const auto& partner : parts_.partners)
        if (partner.active && partner.legal_entity == id && partner.kind == kind) found.push_back(&partner);
    return found;
}

std::vector<const Correspondent*> Laboratory::correspondents(LegalEntityId id, const Rpps& rpps) const {
    std::vector<const Correspondent*> found;
    for (const auto& [of, correspondent] : parts_.correspondents)
        if (of == id && correspondent.professional.rpps == rpps) found.push_back(&correspondent);
    return found;
}

}  // namespace sgl::domain
