// A report as the biologist signed it: everything the CDA and the PDF say, in our words. Compose turns it into both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/domain/catalogue.hpp"
#include "lib/domain/order.hpp"
#include "lib/domain/result_detail.hpp"

namespace sgl::domain {

struct PreviousResult {
    Value value;
    Timestamp at;
    std::string method{};  ///< as it was printed; only what was measured alike is compared

    friend bool operator==(const PreviousResult&, const PreviousResult&) = default;
};

/// Of all previous results of an analysis, how many a report tells.
inline constexpr std::size_t most_previous_results = 10;

/// Another laboratory, which performed an examination for this one (lab-domain 6).
struct Performer {
    std::string name;
    std::string number;  ///< as it gave it, mostly its FINESS; may be empty

    bool operator==(const Performer&) const = default;
};

struct ReportedResult {
    std::string local_code;
    std::string loinc;        ///< empty: local code only
    std::string label;        ///< French, as printed
    std::string loinc_label;  ///< for displayName
    Value value;              ///< of what was not done: words that say so
    Range range;              ///< that of this patient, as applied
    std::string range_text;   ///< as the performing laboratory gave it: printed as it is, in place of `range`
    Flag flag{Flag::none};
    std::optional<Susceptible> susceptible;  ///< of a line of an antibiogram
    SubChapter sub_chapter{};                ///< of its chapter; empty: it stands in the chapter itself
    std::optional<PreviousResult> previous;
    std::vector<PreviousResult> earlier{};  ///< those before `previous`, newest first
    std::string method;
    std::string comment;
    std::optional<std::string> specimen_number;  ///< one of Report::specimens
    Timestamp measured_at;
    std::string ordered_as;              ///< code of the examination that was asked; empty: nobody asked for it
    bool not_done{};                     ///< there is no value, and there will be none; `comment` may say why
    std::optional<Performer> performer;  ///< not the laboratory of the report
    bool corrected{};  ///< the version that this one replaces said otherwise, and it was no provisional result
};

/// What grew in a culture, and what is said of it (lab-domain 7.5).
struct ReportedIsolate {
    std::string number;                       ///< of the order: "24050200140#1", the number of its culture and its own
    ReportedResult organism;                  ///< its value names the germ
    bool preliminary{};                       ///< not identified for good
    std::vector<ReportedResult> findings;     ///< count, resistance markers
    std::vector<ReportedResult> antibiogram;  ///< each with MIC or diameter, or S, I, R alone
};

/// Who validated a part of a report, and when.
struct Validation {
    Professional who;
    Timestamp at;
};

struct ReportedChapter {
    std::string code;  ///< LOINC chapter
    std::string label;
    std::vector<ReportedResult> results;
    std::vector<ReportedIsolate> isolates{};
    std::optional<Validation> validation{};  ///< where it is not that of the report
};

/// What stands together under one heading: a sub-chapter, or what the chapter holds itself. Results and isolates by
/// index.
struct ChapterPart {
    SubChapter sub_chapter;
    std::vector<std::size_t> results;
    std::vector<std::size_t> isolates;
};

/// First what is in no sub-chapter, then the sub-chapters in the order of their first result; an isolate stands where
/// its organism does. One part for a chapter without sub-chapters.
std::vector<ChapterPart> parts_of(const ReportedChapter& chapter);

/// A partial report is followed by a final one of the same set (cr-bio.md 6).
enum class ReportKind : std::uint8_t { final, partial };

/// An analysis that was asked for and that a partial report does not hold yet.
struct Awaited {
    std::string label;       ///< French, as printed
    std::string chapter;     ///< LOINC; empty: the catalogue doesn't know the examination
    std::string ordered_as;  ///< code of the examination that was asked

    bool operator==(const Awaited&) const = default;
};

/// The version whose place this one takes.
struct Replaced {
    ReportKind kind{ReportKind::final};
    Timestamp validated_at;
    bool after_final{};  ///< it, or one before it, was final: whoever takes complete reports alone holds one
};

/// Identifiers of one version, fixed when it is created (design D7: from set, version, variant and form).
struct ReportIdentifiers {
    ReportSetId set;
    ReportVersionId version_id;
    unsigned version{1};
    std::string set_oid;
    std::string document_oid;                 ///< ClinicalDocument/id, a bare OID
    std::optional<std::string> replaced_oid;  ///< of version - 1
};

struct Report {
    ReportIdentifiers ids;
    ReportKind kind{ReportKind::final};
    std::vector<Awaited> awaited;      ///< of a partial report, never empty; of a final one, always
    std::optional<Replaced> replaces;  ///< what is known of ids.version - 1
    std::string order_number;          ///< ours (filler)
    std::string placer_group;          ///< the prescription's
    std::vector<RequestedExam> exams;
    LegalEntity entity;
    Site site;
    Patient patient;
    Professional prescriber;
    std::vector<Correspondent> correspondents;  ///< the prescriber among them, when he has one
    Professional collector;
    std::vector<Specimen> specimens;
    std::optional<Timestamp> prescribed_at;
    Timestamp registered_at;    ///< order and specimens received
    Timestamp validated_at;     ///< biological validation
    Timestamp created_at;       ///< of this version: ClinicalDocument/effectiveTime
    Professional validator;     ///< the biologist who signs
    std::string patient_class;  ///< PV1-2
    std::string stay_number;
    std::string clinical_context;
    std::vector<std::string> non_conformities;  ///< of specimens: what is wrong and what it means for the results
    std::string comment;                        ///< contextual interpretation, may be empty
    char confidentiality{'N'};                  ///< N, R or V
    std::vector<ReportedChapter> chapters;
};

/// How many results the report shows: those of its isolates counted, their organisms too.
std::size_t result_count(const Report& report);

/// Ring 1 (design D6): everything that is missing before any XML exists, all at once, each at its coordinate
/// (`report.specimens[2].collected_at`). Empty: the report can be composed.
std::vector<Error> missing(const Report& report);

/// Deterministic identifiers of a version (design D7).
ReportIdentifiers identify(ReportSetId set, unsigned version);

}  // namespace sgl::domain
