// The laboratory as the running daemon sees it: one immutable picture of everything that is imported (design D15). Also
// what one import file says, before it is applied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/domain/catalogue.hpp"
#include "lib/domain/link.hpp"
#include "lib/domain/organisation.hpp"

namespace sgl::domain {

enum class PartnerKind : std::uint8_t { dmp, mss, dpi };
std::string_view to_string(PartnerKind kind);
std::optional<PartnerKind> partner_kind_of(std::string_view text);

enum class Role : std::uint8_t { secretary, technician, biologist, it_operator, dpo };
std::string_view to_string(Role role);
std::optional<Role> role_of(std::string_view text);

/// How a partner is reached: JSON that delivery::dmp_partner, mss_partner or dpi_partner has already accepted.
struct Partner {
    PartnerId id;
    LegalEntityId legal_entity;
    std::string name;
    PartnerKind kind{};
    std::string definition;
    bool active{true};
};

struct User {
    UserId id;
    std::string login;
    Professional professional;  ///< name; RPPS and speciality for a biologist (design D17: our own record decides)
    std::string password;       ///< scrypt, demonstration accounts only; empty: none
    std::vector<std::pair<SiteId, Role>> roles;
    bool active{true};

    bool has(Role role, SiteId site) const;
    std::vector<SiteId> sites(Role role) const;
    /// RPPS with a biology speciality and the role on that site: who may validate there.
    bool may_validate(SiteId site) const;
};

/// Immutable: `shared_ptr<const Laboratory>` because an import swaps it while messages in progress still use the old
/// one.
class Laboratory {
public:
    struct Parts {
        std::vector<LegalEntity> legal_entities;
        std::vector<Site> sites;
        std::vector<Link> links;                                              ///< inactive ones too
        std::vector<Partner> partners;                                        ///< inactive ones too
        std::vector<std::pair<LegalEntityId, Correspondent>> correspondents;  ///< active ones
        std::vector<std::pair<SiteId, Analyte>> analytes;  ///< current versions, handed to the catalogues
        std::vector<User> users;                           ///< inactive ones too
        std::int64_t change{};                             ///< last row of configuration_change it contains; 0: none
    };
    explicit Laboratory(Parts parts);
    Laboratory(const Laboratory&) = delete;
    Laboratory& operator=(const Laboratory&) = delete;

    const std::vector<LegalEntity>& legal_entities() const { return parts_.legal_entities; }
    const std::vector<Site>& sites() const { return parts_.sites; }
    const std::vector<Link>& links() const { return parts_.links; }
    const std::vector<Partner>& partners() const { return parts_.partners; }
    const std::vector<User>& users() const { return parts_.users; }
    std::int64_t change() const { return parts_.change; }

    // Null when there is none.
    const LegalEntity* legal_entity(LegalEntityId id) const;
    const Site* site(SiteId id) const;
    const Site* site_by_finess(std::string_view finess) const;
    const Link* link(std::string_view name) const;
    const Partner* partner(PartnerId id) const;
    const User* user(std::string_view login) const;
    const User* user(UserId id) const;
    std::vector<SiteId> sites_of(LegalEntityId id) const;
    /// Active links that name this listener.
    std::vector<const Link*> links_of(std::string_view listener) const;
    std::vector<const Partner*> partners_of(LegalEntityId id, PartnerKind kind) const;

    /// The site's current examinations in report order; empty for a site without.
    const Catalogue& catalogue(SiteId site) const;

    /// The correspondent's mailboxes with that legal entity, one per structure where he works.
    std::vector<const Correspondent*> correspondents(LegalEntityId id, const Rpps& rpps) const;

private:
    Parts parts_;
    std::unordered_map<SiteId, Catalogue> catalogues_;
};
using LaboratoryPtr = std::shared_ptr<const Laboratory>;

/// What one import file says; what it does not name is left as it is. Identifiers inside are not set yet.
struct Import {
    enum class Kind : std::uint8_t { laboratory, links, partners, correspondents, users, catalogue };
    struct ImportedSite {
        Finess legal_entity;
        Site site;
    };
    struct ImportedLink {
        Finess site;
        Link link;
    };
    struct ImportedPartner {
        Finess legal_entity;
        Partner partner;
    };
    struct ImportedCorrespondent {
        Finess legal_entity;
        Correspondent correspondent;
        bool active{true};
    };
    struct ImportedUser {
        User user;
        std::string demonstration_password;  ///< in clear, hashed when applied; empty: none
        std::vector<std::pair<Finess, Role>> roles;
    };
    struct ImportedAnalyte {
        std::optional<Finess> site;  ///< none: every site
        Analyte analyte;
        bool active{true};
    };

    Kind kind{};
    std::string content;  ///< the file as it is kept in the history of changes: passwords blanked
    std::string sha256;   ///< of the file itself, 32 bytes
    std::vector<LegalEntity> legal_entities;
    std::vector<ImportedSite> sites;
    std::vector<ImportedLink> links;
    std::vector<ImportedPartner> partners;
    std::vector<ImportedCorrespondent> correspondents;
    std::vector<ImportedUser> users;
    std::vector<ImportedAnalyte> analytes;
};
std::string_view to_string(Import::Kind kind);

}  // namespace sgl::domain
