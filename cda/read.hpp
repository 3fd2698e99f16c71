// Reads any CR-BIO that a laboratory may receive (CDA R2: 2021.01, 2023.01, 2024.01, level 1, self-presentable or
// signed) without losing anything: what the values below have no place for is listed in `rest`, never dropped. Any
// other CDA document is read too, as far as it is built of the same elements. Nothing is judged here: `check_standard`
// does that.
//
// Times, numbers and codes are the texts of the document. Patient data are plain strings here, as in cda/cr_bio.hpp:
// this is the document's content, never logged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::cda::received {

/// CDA II.
struct Id {
    std::string root;
    std::string extension;
    std::string authority;  ///< assigningAuthorityName
    std::string null_flavor;

    friend bool operator==(const Id&, const Id&) = default;
};

/// CD, CE, CV, CO: empty members are absent.
struct Coded {
    std::string code;
    std::string system;  ///< OID
    std::string display;
    std::string null_flavor;
    std::string text;    ///< originalText: its words, or those of the narrative that it points to
    std::string anchor;  ///< what originalText points to, without `#`
    std::vector<Coded> translations;
    struct Qualifier;
    std::vector<Qualifier> qualifiers;

    bool empty() const {
        return code.empty() && display.empty() && null_flavor.empty() && text.empty() && anchor.empty() &&
               translations.empty();
    }
};
struct Coded::Qualifier {
    Coded name;
    Coded value;
};

/// TS or IVL_TS.
struct Moment {
    std::string value;
    std::string low;
    std::string high;
    std::string null_flavor;

    bool empty() const { return value.empty() && low.empty() && high.empty() && null_flavor.empty(); }
    const std::string& last() const { return !value.empty() ? value : high.empty() ? low : high; }
};

/// One number of a value: PQ, INT, REAL, a limit of an interval.
struct Amount {
    std::string value;
    std::string unit;
    std::string inclusive;  ///< "true", "false" or absent
    std::string null_flavor;
    std::vector<Amount> translations;  ///< in other units
};

/// A value of any CDA type; `type` says which members are used.
struct Value {
    std::string
        type;  ///< xsi:type without prefix: PQ, IVL_PQ, REAL, INT, CD, ST, ED, TS, RTO_PQ_PQ, BL…; empty when absent
    std::string null_flavor;
    std::optional<Amount> amount;  ///< PQ, REAL, INT, MO, BL (as text)
    std::optional<Amount> low;     ///< intervals
    std::optional<Amount> high;
    std::optional<Amount> center;
    std::optional<Amount> width;
    std::optional<Amount> numerator;  ///< ratios
    std::optional<Amount> denominator;
    Coded coded;           ///< CD, CE, CV, CO, CS
    Moment time;           ///< TS, IVL_TS
    std::string text;      ///< ST, ED: the words, or those of the narrative that it points to
    std::string media;     ///< ED: mediaType
    std::optional<Id> id;  ///< II
};

/// The value in one line, as a French reader expects it: "4,89 mmol/L", "< 1,0 mg/L", "Négatif".
std::string to_text(const Value& value);

struct NamePart {
    std::string kind;       ///< family, given, prefix, suffix, delimiter; empty: unstructured words
    std::string qualifier;  ///< BR, CL, SP…
    std::string text;
    std::string null_flavor;
};
struct Name {
    std::vector<NamePart> parts;
    std::string use;
    std::string null_flavor;

    /// The first part of that kind and qualifier; empty when absent.
    std::string_view part(std::string_view kind, std::string_view qualifier = {}) const;
    std::string text() const;  ///< all parts, separated by spaces
};
struct AddressPart {
    std::string kind;  ///< streetAddressLine, houseNumber, city…; empty: unstructured words
    std::string text;
};
struct Address {
    std::vector<AddressPart> parts;
    std::string use;
    std::string null_flavor;
};
struct Telecom {
    std::string value;
    std::string use;
    std::string null_flavor;
};

struct Organisation {
    std::vector<Id> ids;
    std::vector<Name> names;
    std::vector<Telecom> telecoms;
    std::vector<Address> addresses;
    Coded setting;  ///< standardIndustryClassCode

    std::string name() const { return names.empty() ? std::string() : names.front().text(); }
};

/// A person, a device or an organisation in some role.
struct Party {
    std::string class_code;  ///< of a role that has several: PROV, ECON, NOK…
    std::vector<Id> ids;
    Coded code;
    std::vector<Address> addresses;
    std::vector<Telecom> telecoms;
    std::vector<Name> names;  ///< of the person or entity
    Coded device;             ///< its code, when a device or product plays the role
    std::string model;        ///< manufacturerModelName
    std::string software;     ///< softwareName
    std::optional<Organisation> organisation;
};

/// Who took part, how and when.
struct Participation {
    std::string kind;  ///< the element: author, authenticator, participant, performer, subject…
    std::string type;  ///< typeCode, when it says more than the element
    std::vector<std::string> templates;
    Coded function;
    Moment time;
    std::string signature;  ///< signatureCode
    Party who;
};

struct Patient {
    std::vector<Id> ids;
    std::vector<Address> addresses;
    std::vector<Telecom> telecoms;
    std::vector<Name> names;
    Coded gender;
    Moment birth;
    std::optional<Name> birthplace_name;
    std::optional<Address> birthplace;  ///< county holds the COG code
    std::string deceased;               ///< sdtc:deceasedInd
    Moment deceased_time;
    std::string multiple_birth;
    std::string multiple_birth_order;
    std::vector<Party> guardians;
    std::optional<Organisation> provider;

    /// The identifier of an INS authority (1.2.250.1.213.1.4.8 to .11), or null.
    const Id* ins() const;
};

struct ServiceEvent {
    std::vector<Id> ids;
    Coded code;
    std::string status;  ///< lab:statusCode
    Moment time;
    std::vector<Participation> performers;
};

struct RelatedDocument {
    std::string type;  ///< RPLC, APND, XFRM
    std::vector<Id> ids;
    std::optional<Id> set_id;
    std::string version;
};

struct Encounter {
    std::vector<Id> ids;
    Coded code;
    Moment time;
    Coded discharge;
    std::optional<Participation> responsible;
    std::vector<Participation> participants;
    std::vector<Id> facility_ids;
    Coded facility;
    std::vector<Name> facility_names;
    std::optional<Address> facility_address;
    std::optional<Organisation> service_provider;
};

struct Consent {
    std::vector<Id> ids;
    Coded code;
    std::string status;
};

/// A section, in document order; `parent` is an index of Document::sections.
struct Section {
    enum class Kind : std::uint8_t { chapter, sub_chapter, comment, second_intention, pdf_copy, other };
    Kind kind{Kind::other};
    std::string where;
    std::optional<std::size_t> parent;
    std::vector<std::string> templates;
    std::vector<Id> ids;
    Coded code;
    std::string title;
    std::string text;  ///< the narrative as lines; cells of a table separated by ` | `
    std::vector<Participation> participations;
};

struct Result;

/// What holds results together: the act of an entry, a battery, an isolate, an attached document.
struct Group {
    enum class Kind : std::uint8_t { entry, battery, isolate, attached_document, other };
    Kind kind{Kind::other};
    std::string where;
    std::size_t section{};
    std::optional<std::size_t> parent;  ///< index of Document::groups
    std::vector<Id> ids;
    Coded code;
    std::string status;
    Moment time;
    std::string text;
    std::vector<Participation> participations;
    struct Specimen;
    std::vector<Specimen> specimens;  ///< of an isolate: the germ
    std::vector<Result> properties;   ///< of an attached document: its type; no lines of the result table
};
struct Group::Specimen {
    std::vector<Id> ids;
    std::string class_code;  ///< MIC for a germ
    Coded code;
    std::vector<Name> names;
};

/// What was normal, with its conditions.
struct Range {
    std::vector<Value> values;
    std::string text;
    Coded code;
    Coded interpretation;
    struct Condition {
        Coded code;
        std::vector<Value> values;
        std::string text;
    };
    std::vector<Condition> conditions;
};

/// One line of the report. `previous` and `parts` are results without a place of their own in Document::results.
struct Result {
    std::string where;
    std::size_t section{};
    std::optional<std::size_t> group;  ///< the nearest; its parents lead to the entry
    std::vector<Id> ids;
    Coded code;
    std::string status;
    Moment time;
    std::string text;
    std::vector<Value> values;
    std::vector<Coded> interpretations;
    std::vector<Coded> methods;
    std::vector<Coded> sites;
    std::vector<Range> ranges;
    std::vector<Group::Specimen> specimens;
    std::vector<Participation> participations;
    std::vector<Result> previous;  ///< REFR
    std::vector<Result> parts;     ///< observations of the result under another relation
    std::vector<std::string> comments;

    /// What the reader of the report sees: the words that the code points to, else its label.
    const std::string& label() const;
};

/// A specimen taken, and received.
struct Collection {
    std::string where;
    std::size_t section{};
    std::optional<std::size_t> group;
    std::vector<Id> ids;
    Coded code;
    std::string status;
    std::string text;
    Moment time;
    std::vector<Coded> sites;
    std::vector<Participation> participations;
    std::vector<Group::Specimen> specimens;  ///< participant PRD
    Moment received;
    std::vector<std::string> comments;
};

/// A comment on the section's entry or on a group of it.
struct Comment {
    std::string where;
    std::size_t section{};
    std::optional<std::size_t> group;
    std::string text;
    std::vector<Participation> participations;
};

/// Bytes inside the document: the PDF copy, an image, the body of a level 1 document.
struct File {
    std::string where;
    std::optional<std::size_t> section;  ///< absent: the body itself
    std::optional<std::size_t> group;
    std::vector<Id> ids;
    std::string anchor;  ///< the ID by which the narrative shows it
    std::string media;
    std::string representation;
    std::string pointer;  ///< where the bytes are instead, when they are not here
    std::string bytes;    ///< decoded
    bool damaged{false};  ///< declared as Base64 and is not
};

/// One text or attribute that no member above took.
struct Rest {
    std::string where;  ///< XPath, an attribute as `…/@name`
    std::string text;
};

struct Document {
    enum class Form : std::uint8_t { structured, unstructured };
    Form form{Form::structured};
    std::string envelope;  ///< ds:Signature or xsl:stylesheet when the document was inside one (never verified here)
    std::vector<Id> templates;
    std::string volet;  ///< 2021.01, 2023.01, 2024.01…: the version of the CR-BIO that is declared; empty: none
    Id type_id;
    std::string realm;
    std::string language;
    Id id;
    Id set_id;
    std::string version;
    Coded code;
    std::string title;
    Moment time;
    Moment copy_time;
    Coded confidentiality;
    Patient patient;
    std::vector<Participation> authors;
    std::vector<Participation>
        others;  ///< dataEnterer, informants, header participants (prescriber: type REF), in order
    std::optional<Organisation> custodian;
    std::vector<Participation> recipients;
    std::optional<Participation> legal_authenticator;
    std::vector<Participation> authenticators;
    std::vector<Id> orders;  ///< inFulfillmentOf
    std::vector<ServiceEvent> services;
    std::vector<RelatedDocument> related;
    std::vector<Consent> consents;
    std::optional<Encounter> encounter;

    std::vector<Section> sections;
    std::vector<Group> groups;
    std::vector<Result> results;  ///< the result table, in document order
    std::vector<Collection> collections;
    std::vector<Comment> comments;
    std::vector<File> files;
    std::vector<Rest> rest;

    /// The laboratory that made this result: named at the result, at one of its groups, or in the header (4.4, 5.8).
    /// Null when nobody is.
    const Participation* performer_of(const Result& result) const;
    const Participation* prescriber() const;
};

}  // namespace sgl::cda::received

namespace sgl::cda {

/// Fault::refused for what SEC-30 to SEC-32 refuse (DTD, entities, depth, size, script in the narrative),
/// Fault::malformed for what is no CDA document. Pure and thread-safe.
Result<received::Document> read(std::string_view bytes);

}  // namespace sgl::cda
