// The data types of HL7 v2 that a laboratory meets, read into small structs (hl7v2-lab 4.4 and 8.3). Texts are decoded
// UTF-8; what a component lacks is empty. Names and identifiers are patient data: wrap them (Personal) where they are
// kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hl7/message.hpp"
#include "lib/base/decimal.hpp"
#include "lib/base/result.hpp"
#include "lib/base/time.hpp"

namespace sgl::hl7 {

/// Errors below carry no place: the caller knows it and sets it (Segment::coordinate).

struct TimestampReading {
    Timestamp value;
    bool iso_form{};  ///< `2024-05-02T08:15:30`: not HL7, read with a warning
};
/// TS, DTM, DT: spaces around ignored, TS.2 not used. Errors: missing (empty, null, all zeros), malformed.
Result<TimestampReading> read_timestamp(std::string_view text);
Result<TimestampReading> read_timestamp(const Field& field);

enum class Comparator : std::uint8_t { none, less, less_or_equal, greater, greater_or_equal, about };
std::string_view to_string(Comparator comparator);  ///< "", "<", "<=", ">", ">=", "~"

struct Number {
    Comparator comparator{Comparator::none};
    Decimal value;  ///< the digits as received without zeros in front, exponent worked in
    bool comma{};   ///< written with a decimal comma
    /// `1,234`: a decimal comma or thousands. `value` holds the decimal reading; quarantine unless something settles
    /// it.
    bool ambiguous{};
};
struct NumberOptions {
    bool decimal_comma{true};  ///< else a comma is malformed
};
/// NM, and ST or TX holding a number: `68,5`, `> 90`, `<0.10`, `12 345`, `1.5e3`. Errors: missing, malformed.
Result<Number> read_number(std::string_view text, const NumberOptions& options = {});

/// SN: `^100^-^200`, `>^90`, `^1^:^128`, `^2^+`; a whole number in SN.1 (`<0.10`, GeneXpert) is read as such.
struct StructuredNumber {
    Comparator comparator{Comparator::none};
    bool not_equal{};  ///< comparator `<>`
    std::optional<Decimal> first;
    char separator{};  ///< - + / . : or '\0'
    std::optional<Decimal> second;
};
Result<StructuredNumber> read_structured_number(const Repetition& repetition);

/// CE and CWE: two triplets and the original text (CWE.9).
struct Coded {
    std::string id;
    std::string text;
    std::string system;
    std::string alternate_id;
    std::string alternate_text;
    std::string alternate_system;
    std::string original_text;

    bool empty() const {
        return id.empty() && text.empty() && alternate_id.empty() && alternate_text.empty() && original_text.empty();
    }
    bool operator==(const Coded&) const = default;
};
Coded read_coded(const Repetition& repetition);
Coded read_coded(const Component& component);  ///< written with sub-components, inside another type: PRL.1

/// HD, also inside a component.
struct Authority {
    std::string name;
    std::string oid;   ///< universal id, whatever its type
    std::string type;  ///< ISO, DNS, UUID…

    bool operator==(const Authority&) const = default;
};
Authority read_authority(const Component& component);    ///< sub-components of CX.4, XCN.9…
Authority read_authority(const Repetition& repetition);  ///< a whole field: MSH-3

/// EI.
struct EntityIdentifier {
    std::string id;
    Authority authority;

    bool empty() const { return id.empty(); }
    bool operator==(const EntityIdentifier&) const = default;
};
EntityIdentifier read_entity(const Repetition& repetition);  ///< ORC-2, SAC-3
EntityIdentifier read_entity(const Component& component);    ///< one side of an EIP: SPM-2.1

/// EIP.
struct EntityPair {
    EntityIdentifier placer;
    EntityIdentifier filler;

    bool empty() const { return placer.empty() && filler.empty(); }
    bool operator==(const EntityPair&) const = default;
};
EntityPair read_entity_pair(const Repetition& repetition);  ///< OBR-29, ORC-8, SPM-2

/// PRL: the observation that another one comes from, by what its OBX said (hl7v2-lab 8.8).
struct ParentResult {
    Coded observation;   ///< PRL.1: OBX-3 of the parent
    std::string sub_id;  ///< PRL.2: its OBX-4
    std::string text;    ///< PRL.3: its value as text: the organism

    bool empty() const { return observation.empty() && sub_id.empty() && text.empty(); }
    bool operator==(const ParentResult&) const = default;
};
/// Also `16933-4^text^LN`: senders forget that the code stands in sub-components.
ParentResult read_parent_result(const Repetition& repetition);  ///< OBR-26

/// CX.
struct ExtendedId {
    std::string id;
    std::string check_digit;
    std::string check_scheme;
    Authority authority;
    std::string type;  ///< table 0203: PI, AN, VN; INS in France
    Authority facility;

    bool operator==(const ExtendedId&) const = default;
};
ExtendedId read_extended_id(const Repetition& repetition);
std::vector<ExtendedId> read_extended_ids(const Field& field);  ///< empty repetitions left out

/// ED. RP, a pointer, is never followed: no request leaves because of what came in.
struct EncapsulatedData {
    std::string source;    ///< ED.1
    std::string type;      ///< ED.2, table 0191: AP, IM, TEXT… (in old messages Application, Image)
    std::string subtype;   ///< ED.3: PDF, JPEG, XML…
    std::string encoding;  ///< ED.4, table 0299: Base64, Hex, A
    std::string bytes;     ///< decoded
};
/// Blanks, line ends and `\.br\` inside Base64 and Hex are ignored; `A` and nothing mean text as it stands. Errors:
/// missing (no data), malformed (it is not in its encoding), unsupported (another encoding).
Result<EncapsulatedData> read_encapsulated(const Repetition& repetition);

/// What bytes are by their beginning; senders often name another type.
enum class ContentKind : std::uint8_t { unknown, pdf, xml, bmp, jpeg, png, rtf };
ContentKind sniff(std::string_view bytes);

/// TM `HH[MM[SS[.S{1,4}]]][+/-ZZZZ]`, with the precision it came with. Errors: missing, malformed.
struct TimeOfDay {
    unsigned hour{};
    unsigned minute{};
    unsigned second{};
    unsigned microsecond{};
    Precision precision{Precision::hour};
    std::optional<int> offset_minutes;

    bool operator==(const TimeOfDay&) const = default;
};
Result<TimeOfDay> read_time_of_day(std::string_view text);

/// TX, FT, ST: the lines of a text; a repetition, a line feed and `\.br\` each begin one (hl7v2-lab 8.9).
std::vector<std::string> read_lines(const Field& field);

/// XPN; `family` is the surname (FN.1).
struct PersonName {
    std::string family;
    std::string given;
    std::string further_given;
    std::string suffix;
    std::string prefix;
    std::string type;  ///< table 0200: L legal, D display…

    bool operator==(const PersonName&) const = default;
};
PersonName read_person_name(const Repetition& repetition);

/// XCN.
struct Professional {
    std::string id;  ///< XCN.1: RPPS or a local number, as `id_type` says
    PersonName name;
    Authority authority;
    std::string id_type;  ///< XCN.13: RPPS, ADELI, EI…

    bool operator==(const Professional&) const = default;
};
Professional read_professional(const Repetition& repetition);

/// XON; the identifier is XON.10, else XON.3.
struct Organisation {
    std::string name;
    std::string id;
    Authority authority;
    std::string id_type;

    bool operator==(const Organisation&) const = default;
};
Organisation read_organisation(const Repetition& repetition);

/// XAD.
struct Address {
    std::string street;
    std::string other;
    std::string city;
    std::string state;
    std::string postal_code;
    std::string country;
    std::string type;         ///< table 0190: H home, BDL birth place…
    std::string county_code;  ///< XAD.9: the COG of a birth place

    bool operator==(const Address&) const = default;
};
Address read_address(const Repetition& repetition);

/// XTN.
struct Telecom {
    std::string number;     ///< XTN.1, else XTN.12
    std::string use;        ///< table 0201: PRN, WPN, NET…
    std::string equipment;  ///< table 0202: PH, CP, Internet, X.400…
    std::string address;    ///< XTN.4: mail address

    bool operator==(const Telecom&) const = default;
};
Telecom read_telecom(const Repetition& repetition);

}  // namespace sgl::hl7
