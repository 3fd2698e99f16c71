// What accompanies a document: one model of XDS metadata (IHE ITI TF-3 4.2, French values of spec/dmp.md 5 and
// spec/mssante.md 4.2), written by registry.hpp as an XDM METADATA.XML or as the registry objects of an ITI-41 request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/personal.hpp"
#include "lib/base/time.hpp"

namespace sgl::xds {

struct Code {
    std::string code;
    std::string label;
    std::string system;  ///< OID, or what the table says (`URN`, `ASTM`)

    bool operator==(const Code&) const = default;
};

/// A person (or device) as author: HL7 v2 XCN.
struct Professional {
    enum class Kind : std::uint8_t { person, device };
    std::string id;      ///< national identifier with its type digit: `8` + RPPS; or `<structure>/<internal>` (type EI)
    std::string family;  ///< of a device: its model
    std::string given;   ///< of a device: its software
    Kind kind{Kind::person};
};

/// An organisation: HL7 v2 XON.
struct Institution {
    std::string name;
    std::string id;  ///< Struct_IdNat: `1` + FINESS
};

struct Author {
    Institution institution;
    Professional professional;
    std::optional<Code> specialty;  ///< JDV_J01
    std::string role;               ///< may be empty
};

/// HL7 v2 CX. `type`: NH for an INS, PI for a local identifier.
struct PatientId {
    std::string id;
    std::string authority;  ///< OID
    std::string type;
};

/// The traits that travel with a document (sourcePatientInfo).
struct SourcePatient {
    std::string birth_name;
    std::string first_given_name;
    std::string birth_given_names;  ///< all, space separated; may be empty
    std::optional<Timestamp> birth_date;
    std::string sex;          ///< HL7 table 0001: F, M, U
    std::string birth_place;  ///< INSEE code, 5 characters; may be empty
};

struct DocumentEntry {
    /// Within the submission: `Doc01` (ITI-41) or `urn:uuid:…` (XDM). Equal to Document@id of the ITI-41 request.
    std::string entry_id;
    std::string mime_type{"text/xml"};
    std::string language{"fr-FR"};
    Instant creation_time{};
    std::optional<Instant> service_start;
    std::optional<Instant> service_stop;
    Professional legal_authenticator;
    Personal<PatientId> patient_id;         ///< INS, or the local one when the INS is not qualified
    Personal<PatientId> source_patient_id;  ///< the laboratory's own (IPP), or the same as patient_id
    Personal<SourcePatient> source_patient;
    std::string title;
    std::string comments;  ///< may be empty
    std::vector<Author> authors;
    Code class_code;
    Code type_code;
    Code format_code;
    Code facility_type;
    Code practice_setting;
    std::vector<Code> confidentiality;  ///< N, R or V first, then masks
    std::vector<Code> events;           ///< chapters
    std::vector<std::string> references;  ///< referenceIdList, CXi text; may be empty
    std::string unique_id;                ///< the CDA's id, a bare OID
    std::string hash;                     ///< SHA-1 of the bytes, lower-case hexadecimal
    std::size_t size{};                   ///< bytes
    std::string uri;                      ///< XDM only: file name beside METADATA.XML
    /// XDM only, slot urn:action:extraMetadataSlot: C (a new version of a document sent before) or D (withdrawn).
    std::string action;
};

struct SubmissionSet {
    std::string entry_id;  ///< `SubmissionSet01` (ITI-41) or `urn:uuid:…` (XDM)
    Instant submission_time{};
    std::string title;
    std::string comments;
    std::vector<Author> authors;
    Code content_type;
    Personal<PatientId> patient_id;
    std::string source_id;  ///< OID of our installation
    std::string unique_id;  ///< bare OID, at most 64 characters
};

/// `document` (an entry_id of this submission) takes the place of a document that the registry holds.
struct Replacement {
    std::string document;
    std::string replaced;      ///< `urn:uuid:` + current entryUUID
    std::string association;   ///< association::replaces unless the site's profile says otherwise
};

/// An entry that the registry holds gets another availability status.
struct StatusChange {
    std::string entry;     ///< `urn:uuid:` + current entryUUID
    std::string original;  ///< status::approved or status::archived: refused when it is another by then
    std::string becomes;   ///< status::deleted
};

struct Submission {
    SubmissionSet set;
    std::vector<DocumentEntry> documents;
    std::optional<DocumentEntry> signature;  ///< ITI-41 only, see signature_entry
    std::vector<Replacement> replacements;   ///< ITI-41 only
};

/// Sets hash and size.
void describe_bytes(DocumentEntry& entry, std::string_view bytes);

/// The entry of the XAdES signature of a submission (spec/dmp.md 5.3): who, for whom and where as the first document,
/// times of the submission. `unique_id` is its own; describe_bytes once it is signed.
DocumentEntry signature_entry(const Submission& submission, std::string unique_id);

// HL7 v2 text forms; delimiters inside names are escaped.
std::string escaped_component(std::string_view text);
std::string to_xcn(const Professional& professional);
std::string to_xon(const Institution& institution);
std::string to_cx(const PatientId& id);
std::string to_author_specialty(const Code& code);  ///< `code^label^system`

}  // namespace sgl::xds
