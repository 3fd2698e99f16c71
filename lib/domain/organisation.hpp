// The laboratory: the legal entity, its sites, and how each site wants its reports to leave.
#pragma once

#include <string>
#include <vector>

#include "lib/domain/people.hpp"

namespace sgl::domain {

/// FINESS entité juridique (lab-domain 2.1). Name and legal form are mandatory on the report (R.6222-3 CSP).
struct LegalEntity {
    LegalEntityId id;
    Finess finess;
    std::string name;
    std::string legal_form;
    std::string oid;                                 ///< our root for local identifiers of this entity
    std::string accreditation;                       ///< COFRAC number, empty when accreditation is not total
    std::vector<Professional> biologists_in_charge;  ///< at least one
    Address address;
    std::string phone;
};

/// Per site, seeded by `sgld import`; defaults are those of design D17.
struct SiteSettings {
    bool dmp{true};
    bool mss_professionals{true};
    bool mss_patient{true};
    bool dpi{true};
    bool mss_without_ins{true};         ///< professionals get the report without any INS when it is not qualified
    std::string dmp_documents{"n3"};    ///< only "n3" in this version
    std::string content_type{"26"};     ///< contentTypeCode (JDV_J59): 26 = town laboratory
    std::string facility_type{"SA25"};  ///< JDV_J02
    std::string practice_setting{"AMBULATOIRE"};  ///< JDV_J04
    bool operator==(const SiteSettings&) const = default;
};

/// FINESS entité géographique: the accounting unit.
struct Site {
    SiteId id;
    LegalEntityId legal_entity;
    Finess finess;
    std::string name;
    Address address;
    std::string phone;
    std::string oid;  ///< assigning authority of the site's patient numbers (IPP)
    TimeZone time_zone{TimeZone::paris()};
    SiteSettings settings;
};

}  // namespace sgl::domain
