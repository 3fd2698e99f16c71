// The people of a report: the patient with the traits of the INS, and the professionals around.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/personal.hpp"
#include "lib/base/time.hpp"
#include "lib/domain/identifiers.hpp"

namespace sgl::domain {

enum class Sex : std::uint8_t { female, male, unknown };
constexpr std::string_view to_string(Sex sex) {
    switch (sex) {
        case Sex::female:
            return "F";
        case Sex::male:
            return "M";
        case Sex::unknown:
            return "U";
    }
    return "";
}
constexpr Sex sex_of(std::string_view code) {
    if (code == "F") return Sex::female;
    if (code == "M") return Sex::male;
    return Sex::unknown;
}

struct Address {
    std::vector<std::string> lines;  ///< street lines
    std::string postal_code;
    std::string city;
    std::string country;  ///< empty: France
    bool operator==(const Address&) const = default;
};

/// RNIV trust statuses (identity-and-directory 1.4); only a qualified identity leaves with its INS.
enum class IdentityStatus : std::uint8_t { provisional, retrieved, validated, qualified };
constexpr std::string_view to_string(IdentityStatus status) {
    switch (status) {
        case IdentityStatus::provisional:
            return "PROV";
        case IdentityStatus::retrieved:
            return "RECUP";
        case IdentityStatus::validated:
            return "VALI";
        case IdentityStatus::qualified:
            return "QUAL";
    }
    return "";
}
std::optional<IdentityStatus> identity_status_of(std::string_view code);

/// The strict traits and what goes with them (identity-and-directory 1.3).
struct Traits {
    std::string birth_name;
    std::string birth_given_names;  ///< all of them, space separated
    std::string first_given_name;
    std::string used_name;        ///< may be empty
    std::string used_given_name;  ///< may be empty
    std::optional<Timestamp> birth_date;
    Sex sex{Sex::unknown};
    std::string birth_place;  ///< INSEE code (COG), 5 characters; may be empty
    Address address;
    std::string phone;
    bool operator==(const Traits&) const = default;
};

struct Ins {
    InsMatricule matricule;
    std::string oid;  ///< one of oid::ins_*
    bool operator==(const Ins&) const = default;
};

/// What the patient decided about channels; `opposed` ends a letter as not applicable (lab-domain 3.5).
struct PatientChoices {
    bool dmp_opposed{};
    bool messaging_opposed{};  ///< Mon espace santé mailbox
    bool operator==(const PatientChoices&) const = default;
};

struct Patient {
    PatientId id;
    std::string local_id;             ///< IPP; personal as well: in no log line, no error text
    std::string local_authority_oid;  ///< who gave it
    Personal<Traits> traits;
    std::optional<Personal<Ins>> ins;
    IdentityStatus status{IdentityStatus::provisional};
    bool doubtful{};    ///< DOUT: nothing leaves
    bool fictitious{};  ///< FICT: nothing leaves
    PatientChoices choices;

    /// Qualified, with an INS and all its traits, neither doubtful nor fictitious: the only case where the INS leaves.
    bool ins_may_leave() const { return status == IdentityStatus::qualified && ins && !doubtful && !fictitious; }
};

/// Speciality of JDV_J01, e.g. G15_10/SM03 "Médecin - Biologie médicale (SM)".
struct Speciality {
    std::string code;
    std::string label;
    bool operator==(const Speciality&) const = default;
};

struct Professional {
    Rpps rpps;  ///< may be empty: then only the name is known
    std::string family;
    std::string given;
    std::string civility;  ///< M, MME, or empty (JDV_J245)
    std::string title;     ///< DR, PR, MC, MG, PC, PG, or empty (JDV_J246)
    Speciality speciality;
    Address address;
    std::string phone;
    bool operator==(const Professional&) const = default;
};

/// Somebody who receives reports, with the mailbox of the structure where he works (lab-domain 2.1).
struct Correspondent {
    Professional professional;
    std::string mss_address;  ///< empty: none known
    std::string structure_name;
    bool is_prescriber{};
    bool operator==(const Correspondent&) const = default;
};

}  // namespace sgl::domain
