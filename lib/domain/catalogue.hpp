// The examination catalogue of a site: from a local code to LOINC, label, chapter, unit, decimals and ranges.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/domain/people.hpp"
#include "lib/domain/value.hpp"

namespace sgl::domain {

/// What its values are. The last three are lines of a culture (microbiology.hpp).
enum class ValueKind : std::uint8_t {
    numeric,
    coded,
    text,
    titre,       ///< `1/80`, `<1/80`, a text of that form
    interval,    ///< `5-10`, a text of that form
    graded,      ///< `traces`, `+` to `++++`, else one of its answers
    organism,    ///< what grew: one isolate
    antibiotic,  ///< how an isolate answers to it: MIC, diameter or S, I, R
    marker,      ///< a resistance of an isolate: ESBL, MRSA
};
std::string_view to_string(ValueKind kind);
std::optional<ValueKind> value_kind_of(std::string_view word);
constexpr bool of_isolate(ValueKind kind) {
    return kind == ValueKind::organism || kind == ValueKind::antibiotic || kind == ValueKind::marker;
}

/// A part of a chapter (cr-bio.md 5): the label is printed; the code is LOINC, or empty.
struct SubChapter {
    std::string code;
    std::string label;

    bool empty() const { return label.empty(); }
    friend bool operator==(const SubChapter&, const SubChapter&) = default;
};

/// One reference range rule (lab-domain 7.3): closed below, open above; the most specific that holds wins.
struct RangeRule {
    std::optional<Sex> sex;  ///< none: any
    std::optional<unsigned> age_from_days;
    std::optional<unsigned> age_to_days;  ///< excluded
    Range range;
};

/// A coded answer that the catalogue knows: what the analyser sends → what the report says.
struct CodedAnswer {
    std::string received;  ///< POS
    Coded coded;
    Flag flag{Flag::none};
};

struct Analyte {
    AnalyteId id;
    std::string local_code;
    std::string loinc;        ///< empty: no LOINC code, leaves with its local code (cr-bio.md 5.2)
    std::string label;        ///< French, as printed
    std::string loinc_label;  ///< French label of the national value set, for displayName
    std::string chapter;      ///< LOINC chapter (cr-bio.md 7.1)
    std::string chapter_label;
    SubChapter sub_chapter{};         ///< empty: stands in the chapter itself
    std::vector<std::string> panels;  ///< panels that contain it, e.g. NFS
    ValueKind kind{ValueKind::numeric};
    std::string unit;  ///< UCUM
    unsigned decimals{};
    std::string specimen;  ///< specimen type code, e.g. SER
    std::string method;    ///< French, may be empty
    Range critical;
    std::vector<RangeRule> ranges;
    std::vector<CodedAnswer> answers;
    unsigned position{};  ///< order on the report
};

/// The analyses of one site, found by what a message may call them.
class Catalogue {
public:
    Catalogue() = default;
    explicit Catalogue(std::vector<Analyte> analytes);

    const std::vector<Analyte>& analytes() const { return analytes_; }
    const Analyte* by_code(std::string_view local_code) const;
    const Analyte* by_loinc(std::string_view loinc) const;  ///< nothing when several analyses share it
    bool knows_loinc(std::string_view loinc) const { return loincs_.contains(loinc); }
    const Analyte* by_id(AnalyteId id) const;
    /// The analyses that an ordered code stands for: itself, or the members of a panel; empty when unknown.
    std::vector<const Analyte*> ordered(std::string_view code) const;

private:
    std::vector<Analyte> analytes_;
    std::map<std::string, std::size_t, std::less<>> codes_;
    std::map<std::string, std::size_t, std::less<>> loincs_;  // npos: several
    std::map<AnalyteId, std::size_t> ids_;
};

/// Age in days at a date; nothing when the birth date is unknown or only a year.
std::optional<unsigned> age_in_days(const std::optional<Timestamp>& birth_date, const Timestamp& at);

/// The range for this patient at collection date. Unknown age or sex never picks a rule that asks for one.
Range choose_range(const Analyte& analyte, Sex sex, std::optional<unsigned> age_days);

}  // namespace sgl::domain
