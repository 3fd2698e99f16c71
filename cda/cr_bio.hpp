// The French biology report in the words of the standard: what a CR-BIO 2024.01 (CDA R2, level 3) says, as plain values.
// One field is one place of the document; `write` turns it into XML, `Checker` proves the bytes. Sections quoted are those
// of spec/cr-bio.md. Texts are UTF-8.
//
// Patient data are plain strings here, not Personal<T>: this model *is* the document, it exists only between compose and
// write, is never logged and has no formatter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/base/decimal.hpp"
#include "lib/base/time.hpp"

namespace sgl::cda {

/// A concept of a code system; `display` is the label of the value set (CDA CD/CE).
struct Code {
    std::string code;
    std::string system;   ///< OID
    std::string display;

    friend bool operator==(const Code&, const Code&) = default;
};

/// CDA II. An `extension` may be empty only where the standard wants a bare OID.
struct Identifier {
    std::string root;  ///< OID (section 3)
    std::string extension;
    std::string assigning_authority;  ///< "COFRAC" for the accreditation number, else empty

    friend bool operator==(const Identifier&, const Identifier&) = default;
};

/// Section 4: either `lines` (1 to 7 streetAddressLine) or the parts; mixing them is refused.
struct Address {
    std::vector<std::string> lines;
    std::string house_number;
    std::string street_name;
    std::string additional_locator;
    std::string unit_id;
    std::string post_box;
    std::string postal_code;
    std::string city;
    std::string country;
    std::string use;  ///< H HP HV WP TMP, or empty

    bool empty() const {
        return lines.empty() && house_number.empty() && street_name.empty() && additional_locator.empty() &&
               unit_id.empty() && post_box.empty() && postal_code.empty() && city.empty() && country.empty();
    }
};

struct Telecom {
    std::string value;  ///< with its scheme: tel: fax: mailto: http: ftp: mllp:
    std::string use;    ///< H HP HV WP DIR PUB EC MC PG, or empty
};

/// Name of a professional (section 4).
struct PersonName {
    std::string prefix;  ///< civility: M or MME (J245), or empty
    std::string given;
    std::string family;  ///< required
    std::string suffix;  ///< title: DR PR MC MG PC PG (J246), or empty
};

struct Organisation {
    std::vector<Identifier> ids;  ///< the structure (root 1.2.250.1.71.4.2.2), then COFRAC where wanted
    std::string name;
    std::vector<Telecom> telecoms;
    Address address;
    std::optional<Code> practice_setting;  ///< J04; required for the performing laboratory (4.4)
};

/// A professional in an assignedAuthor, assignedEntity, associatedEntity, intendedRecipient or participantRole.
struct Professional {
    /// Root 1.2.250.1.71.4.2.1, `8` + RPPS or `0` + ADELI. Only participants and recipients may have none.
    std::vector<Identifier> ids;
    std::optional<Code> speciality;   ///< J01
    Address address;                  ///< empty: written as nullFlavor NAV where the rules want the element
    std::vector<Telecom> telecoms;    ///< empty: likewise
    PersonName name;
    std::optional<Organisation> organisation;
};

/// A professional and when he acted (author, authenticators, performer, validator).
struct Act {
    Timestamp time;
    Professional who;
};

// ---------------------------------------------------------------------------------------------------- patient (4.1)

enum class Gender : std::uint8_t { female, male, unknown };  ///< J143: F, M, UN

struct Birthplace {
    std::string cog;   ///< INSEE code, 5 characters, 99xxx for a country; required with an INS
    std::string city;  ///< its label, may be empty
};

struct Patient {
    /// Matricule and its OID; only when the identity is *qualified*. Absent: no INS anywhere in the document.
    std::optional<Identifier> ins;
    std::vector<Identifier> local_ids;  ///< IPP; at least one when there is no INS
    std::string birth_name;             ///< family BR
    std::string birth_given_names;      ///< given without qualifier: all of them, separated by spaces; required with an INS
    std::string first_birth_given;      ///< given BR; required with an INS
    std::string used_name;              ///< family CL, or empty
    std::string used_given;             ///< given CL, or empty
    Gender gender{Gender::unknown};
    std::optional<Timestamp> birth_date;  ///< required; a whole day with an INS
    std::optional<Birthplace> birthplace;
    std::vector<Address> addresses;  ///< empty: nullFlavor UNK
    std::vector<Telecom> telecoms;   ///< empty: nullFlavor UNK
};

// ----------------------------------------------------------------------------------------------------- header (4)

enum class Confidentiality : std::uint8_t { normal, restricted, very_restricted };  ///< N, R, V

/// Final and complete, partial with results to come, or abandoned (4.4, 5.1).
enum class Progress : std::uint8_t { completed, active, aborted };

/// Who else took part (4.3).
struct Participant {
    enum class Role : std::uint8_t { prescriber, collector, usual_physician, correspondent };
    Role role{Role::prescriber};
    std::optional<Timestamp> time;  ///< prescription, collection; absent: nullFlavor NA
    Professional who;
};

/// An intended recipient at creation (4 #17): a person, an organisation (`who.organisation`), or both.
struct Recipient {
    Professional who;  ///< an empty family name: the organisation alone
};

/// The main documented act: the order as the laboratory registered it (4.4). Its code is that of the first chapter; the
/// other chapters get a documentationOf each.
struct ServiceEvent {
    std::optional<Identifier> id;  ///< order group of the laboratory
    Progress progress{Progress::completed};
    Timestamp received;                 ///< order and specimens arrived
    std::optional<Timestamp> released;  ///< release of the final report
    Act performer;                      ///< laboratory director; organisation with practice setting required
};

/// Context of care (4.5).
struct Encounter {
    std::optional<Identifier> id;
    Code kind;  ///< J142
    Timestamp start;
    std::optional<Timestamp> end;
    Professional responsible;  ///< responsible biologist, with the organisation's FINESS and COFRAC ids
    Code facility_type;        ///< J02
    std::string facility_name;
    Address facility_address;
};

// ------------------------------------------------------------------------------------------------------- body (5)

/// Value types of 5.2. Units are UCUM; `unit_text` is what the reader sees, the UCUM code when empty.
struct Quantity {  ///< PQ
    Decimal value;
    std::string unit;
    std::string unit_text;
};
struct Bound {  ///< IVL_PQ: below or above a limit of measurement
    enum class Side : std::uint8_t { below, above };
    Side side{Side::below};
    Decimal limit;
    std::string unit;
    std::string unit_text;
    bool inclusive{false};
};
struct Number {  ///< REAL: a number that has no unit (INR)
    Decimal value;
};
struct Qualitative {  ///< CD with originalText only
    std::string text;
};
struct FreeText {  ///< ST
    std::string text;
};
using Value = std::variant<Quantity, Bound, Number, Code, Qualitative, FreeText>;

/// Limits with the unit of the result, the one range that was applied (5.2). Without limits the `text` stays in the
/// narrative only.
struct ReferenceRange {
    std::optional<Decimal> low;
    std::optional<Decimal> high;
    std::string unit;  ///< UCUM; empty for a number without unit
    std::string text;  ///< as printed ("4,0 à 6,1", "Négatif"); made from the limits when empty
};

/// A comparable earlier result of the same examination: same method, same unit (5.2, REFR).
struct PreviousResult {
    Timestamp time;
    Value value;
    std::string interpretation;  ///< as Observation::interpretation
};

/// How the examination is named (5.2): LOINC when it has a code; otherwise `code` absent and `translation` holding the
/// national waiting code (codes::waiting_system) or the laboratory's own.
struct ExaminationCode {
    std::optional<Code> loinc;
    std::optional<Code> translation;
    std::string label;  ///< what the reader sees; required
};

/// One result (5.2).
struct Observation {
    std::optional<Identifier> id;
    ExaminationCode code;
    bool aborted{false};             ///< will not be done: no value
    std::optional<Timestamp> time;   ///< of the result; required when it has a value
    std::optional<Value> value;      ///< required unless aborted
    std::string interpretation;      ///< value set of 7.2 ("H"), or empty
    std::optional<Code> method;      ///< ANSM table, system 1.2.250.1.213.2.3.5
    std::string method_text;         ///< as printed
    /// Another laboratory than the header's, which performed it (5.8): who.organisation, with who.ids its own where nobody
    /// is named. Its practice setting may be unknown.
    std::optional<Act> performer;
    std::optional<ReferenceRange> range;
    std::vector<PreviousResult> previous;
    std::vector<std::string> comments;
};

/// Collection and reception of one specimen (5.5).
struct Specimen {
    Identifier id;
    Code type;  ///< value set 1.2.250.1.213.1.1.5.819; the system differs by code
    Timestamp collected;
    std::optional<Timestamp> received;
    std::optional<Code> act;  ///< NABM act; absent: LOINC 33882-2
};

/// What grew, and what is said of it (5.4). Results of the antibiogram have S, I, R… as interpretation; one without
/// measure is Qualitative, in the words of its interpretation.
struct Isolate {
    Identifier id;
    std::optional<Code> germ;         ///< SNOMED CT; absent: named by its label, and `translation` where there is one
    std::optional<Code> translation;  ///< NCBI taxonomy, the national waiting code or the laboratory's own
    std::string label;                ///< what the reader sees; required
    Progress progress{Progress::completed};  ///< active: not identified for good
    std::optional<Timestamp> time;
    std::vector<Observation> observations;  ///< count, resistance markers
    std::vector<Observation> antibiogram;   ///< battery 18769-0
    std::vector<std::string> comments;
};

/// The one entry of a chapter or sub-chapter (5.1).
struct ResultGroup {
    Progress progress{Progress::completed};
    std::vector<Act> validators;  ///< AUTHEN; each must be an authenticator or the legal authenticator of the header
    std::vector<Specimen> specimens;
    std::vector<Observation> observations;
    std::vector<Isolate> isolates;
    std::vector<std::string> comments;

    bool empty() const { return specimens.empty() && observations.empty() && isolates.empty() && comments.empty(); }
};

struct SubChapter {
    std::optional<Code> code;  ///< LOINC only, or none
    std::string title;
    ResultGroup results;
};

/// A chapter holds either results or sub-chapters (5).
struct Chapter {
    Code code;  ///< 7.1
    std::string title;
    ResultGroup results;
    std::vector<SubChapter> sub_chapters;
};

/// A comment on the whole report, before the chapters (5, comment section).
struct ReportComment {
    std::string title;  ///< "Commentaire" when empty
    std::string text;
};

// ---------------------------------------------------------------------------------------------------- the document

struct CrBio {
    std::string id;      ///< bare OID, one per version (4 #4)
    std::string set_id;  ///< bare OID, the same for all versions (4 #10)
    unsigned version{1};
    std::optional<std::string> replaces;  ///< id of the version replaced (RPLC); present exactly when version > 1
    Timestamp effective_time;             ///< with time and offset
    Confidentiality confidentiality{Confidentiality::normal};

    Patient patient;
    Act author;
    Organisation custodian;
    std::vector<Recipient> recipients;
    Act legal_authenticator;
    std::vector<Act> authenticators;
    std::vector<Participant> participants;
    std::vector<Identifier> orders;  ///< inFulfillmentOf: the prescription or order received
    ServiceEvent service;
    Encounter encounter;

    std::vector<ReportComment> comments;
    std::vector<Chapter> chapters;  ///< at least one
    std::string pdf;                ///< bytes of the PDF copy (not base64); the section's OIDs are id + ".1" and ".2"
};

}  // namespace sgl::cda
