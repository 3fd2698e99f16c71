// The identifiers of ebRIM 3.0 and IHE XDS metadata (IHE ITI TF-3 4.2), and the codes of a French biology report in them
// (spec/dmp.md 5, spec/mssante.md 4.2), in one table with their sources.
#pragma once

#include <string_view>

#include "cda/codes.hpp"
#include "lib/delivery/xds/metadata.hpp"

namespace sgl::xds {

// IHE ITI TF-3 4.2.5: classification schemes and identification schemes.
namespace uuid {
inline constexpr std::string_view submission_set_node = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd";
inline constexpr std::string_view set_author = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d";
inline constexpr std::string_view set_content_type = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500";
inline constexpr std::string_view set_patient_id = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446";
inline constexpr std::string_view set_source_id = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832";
inline constexpr std::string_view set_unique_id = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8";
inline constexpr std::string_view document_entry = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1";
inline constexpr std::string_view author = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d";
inline constexpr std::string_view class_code = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a";
inline constexpr std::string_view type_code = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983";
inline constexpr std::string_view format_code = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d";
inline constexpr std::string_view confidentiality = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f";
inline constexpr std::string_view facility_type = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1";
inline constexpr std::string_view practice_setting = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead";
inline constexpr std::string_view event_code = "urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4";
inline constexpr std::string_view patient_id = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427";
inline constexpr std::string_view unique_id = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab";
}  // namespace uuid

namespace association {
inline constexpr std::string_view has_member = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember";
inline constexpr std::string_view signs = "urn:ihe:iti:2007:AssociationType:signs";
inline constexpr std::string_view replaces = "urn:ihe:iti:2007:AssociationType:RPLC";
inline constexpr std::string_view replaces_2010 = "urn:ihe:iti:2010:AssociationType:RPLC";  // once in a DMP sample
// TD3.3c of the DMP (spec/dmp.md 7.3); not the final ITI-57 nor ITI-62.
inline constexpr std::string_view update_status = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus";
}  // namespace association

// Availability status of an entry (ebRIM 3.0; spec/dmp.md 7.3).
namespace status {
inline constexpr std::string_view approved = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved";
inline constexpr std::string_view archived = "urn:asip:ci-sis:2010:StatusType:Archived";
inline constexpr std::string_view deleted = "urn:asip:ci-sis:2010:StatusType:Deleted";
}  // namespace status

inline constexpr std::string_view content_type_system = "1.2.250.1.213.2.2";        // JDV_J59
inline constexpr std::string_view class_code_system = "1.2.250.1.213.1.1.4.1";      // JDV_J06
inline constexpr std::string_view mask_system = "1.2.250.1.213.1.1.4.13";           // JDV_J58
inline constexpr std::string_view laboratory_format_system = "1.3.6.1.4.1.19376.1.2.3";

// spec/dmp.md 5.1, design D17: the content type of a town laboratory, in DMP and XDM alike.
inline Code content_type_laboratory() {
    return {"26", "Analyses médicales biologiques", std::string(content_type_system)};
}
inline Code class_report() { return {"10", "Compte rendu", std::string(class_code_system)}; }
inline Code type_cr_bio() { return {"11502-2", "CR d'examens biologiques", std::string(cda::codes::loinc_system)}; }
inline Code format_cr_bio_n3() {
    return {"urn:ihe:lab:xd-lab:2008", "Compte rendu structuré d'examens de biologie médicale",
            std::string(laboratory_format_system)};
}
// spec/dmp.md 6.
inline Code confidentiality_normal() { return {"N", "Normal", std::string(cda::codes::confidentiality_system)}; }
inline Code hidden_from_professionals() {
    return {"MASQUE_PS", "Masqué aux professionnels de santé", std::string(mask_system)};
}
inline Code hidden_from_patient() {
    return {"INVISIBLE_PATIENT", "Non visible par le patient", std::string(mask_system)};
}
inline Code hidden_from_guardians() {
    return {"INVISIBLE_REPRESENTANTS_LEGAUX", "Non visible par les représentants légaux du patient",
            std::string(mask_system)};
}

}  // namespace sgl::xds
