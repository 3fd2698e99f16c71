#include "config/import_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "config/import.hpp"
#include "lib/base/text.hpp"

namespace sgl::config {

namespace {

using namespace sgl::domain;

constexpr std::string_view correspondent_columns[] = {"legal_entity", "rpps", "title", "family", "given", "speciality",
                                                      "speciality_label", "structure", "mss_address", "phone", "active"};
constexpr std::string_view catalogue_columns[] = {
    "site", "position", "local_code", "loinc", "label", "loinc_label", "chapter", "chapter_label", "panels", "kind",
    "unit", "decimals", "specimen", "method", "ranges", "critical", "answers", "active"};
/// A file may be without them.
constexpr std::string_view catalogue_optional_columns[] = {"sub_chapter", "sub_chapter_label"};

/// One row, read by column name.
class Record {
public:
    Record(const CsvRow& header, const CsvRow& row) : header_(&header), row_(&row) {}

    const std::string& operator[](std::string_view column) const {
        const auto it = std::ranges::find(header_->fields, column);
        return row_->fields[static_cast<std::size_t>(it - header_->fields.begin())];
    }
    /// Empty when the file has no such column.
    std::string optional(std::string_view column) const {
        return std::ranges::find(header_->fields, column) == header_->fields.end() ? std::string() : (*this)[column];
    }
    Error wrong(std::string_view column, std::string_view what) const {
        return {Fault::malformed, fmt::format("line {}", row_->line), fmt::format("{}: {}", column, what)};
    }
    unsigned line() const { return row_->line; }

private:
    const CsvRow* header_;
    const CsvRow* row_;
};

Result<void> check_header(const CsvRow& header, std::span<const std::string_view> columns,
                          std::span<const std::string_view> optional = {}) {
    const auto where = fmt::format("line {}", header.line);
    for (const auto& name : header.fields) {
        if (std::ranges::find(columns, name) == columns.end() && std::ranges::find(optional, name) == optional.end())
            return Error{Fault::malformed, where, fmt::format("unknown column \"{}\"", name)};
        if (std::ranges::count(header.fields, name) > 1)
            return Error{Fault::malformed, where, fmt::format("the column \"{}\" stands twice", name)};
    }
    for (const auto name : columns)
        if (std::ranges::find(header.fields, name) == header.fields.end())
            return Error{Fault::missing, where, fmt::format("the column \"{}\" is missing", name)};
    return {};
}

Result<bool> read_active(const Record& record) {
    const auto& text = record["active"];
    if (text == "yes" || text.empty()) return true;
    if (text == "no") return false;
    return record.wrong("active", "expected yes or no");
}

template <class T>
std::optional<T> number_of(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Result<Range> parse_range(std::string_view text) {
    const auto dots = text.find("..");
    if (dots == std::string_view::npos) return Error{Fault::malformed, "", "expected low..high, such as 3.5..5.1 or ..5"};
    Range range;
    for (auto [part, bound] : {std::pair{trim(text.substr(0, dots)), &range.low}, std::pair{trim(text.substr(dots + 2)), &range.high}}) {
        if (part.empty()) continue;
        auto value = Decimal::parse(part);
        if (!value) return Error{Fault::malformed, "", "a bound is no decimal number (with a point)"};
        *bound = *value;
    }
    if (range.empty()) return Error{Fault::malformed, "", "a range has at least one bound"};
    if (range.low && range.high && *range.high < *range.low) return Error{Fault::malformed, "", "the low bound is above the high one"};
    return range;
}

/// `3d`, `18y`: in days. A year counts 365.25 days, a month a twelfth of it, rounded down.
std::optional<unsigned> parse_age(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    const auto count = number_of<unsigned>(text.substr(0, text.size() - 1));
    constexpr unsigned most = 60000;
    if (!count || *count > most) return std::nullopt;
    switch (text.back()) {
        case 'd': return *count;
        case 'w': return *count * 7;
        case 'm': return *count * 1461 / 48;
        case 'y': return *count * 1461 / 4;
        default: return std::nullopt;
    }
}

Result<RangeRule> parse_rule(std::string_view text) {
    RangeRule rule;
    text = trim(text);
    while (!text.empty()) {
        const auto blank = text.find(' ');
        const auto word = text.substr(0, blank);
        if (word == "F" || word == "M") {
            if (rule.sex || rule.age_from_days || rule.age_to_days) return Error{Fault::malformed, "", "a sex stands first, and once"};
            rule.sex = sex_of(word);
        } else if (word.find("..") != std::string_view::npos) {
            auto range = parse_range(text);
            if (!range) return range.error();
            rule.range = std::move(*range);
            return rule;
        } else {
            const auto dash = word.find('-');
            if (dash == std::string_view::npos || word.size() == 1 || rule.age_from_days || rule.age_to_days)
                return Error{Fault::malformed, "", "expected F or M, an age such as 18y- or 3d-2y, or low..high"};
            const auto from = word.substr(0, dash);
            const auto to = word.substr(dash + 1);
            rule.age_from_days = from.empty() ? std::nullopt : parse_age(from);
            rule.age_to_days = to.empty() ? std::nullopt : parse_age(to);
            if ((!from.empty() && !rule.age_from_days) || (!to.empty() && !rule.age_to_days))
                return Error{Fault::malformed, "", "an age is a whole number and d, w, m or y"};
            if (rule.age_from_days && rule.age_to_days && *rule.age_from_days >= *rule.age_to_days)
                return Error{Fault::malformed, "", "the first age is not before the second"};
        }
        text = blank == std::string_view::npos ? std::string_view{} : trim(text.substr(blank));
    }
    return Error{Fault::malformed, "", "a rule ends with low..high"};
}

/// Same number of conditions and a patient for whom both hold: nothing would decide between them.
bool tie(const RangeRule& a, const RangeRule& b) {
    const auto asks_age = [](const RangeRule& r) { return r.age_from_days || r.age_to_days; };
    const auto conditions = [&](const RangeRule& r) { return (r.sex ? 1 : 0) + (asks_age(r) ? 1 : 0); };
    if (conditions(a) != conditions(b) || (a.sex && b.sex && *a.sex != *b.sex)) return false;
    const auto before = [](const std::optional<unsigned>& end, const std::optional<unsigned>& begin) {
        return end && begin && *end <= *begin;
    };
    return !before(a.age_to_days, b.age_from_days) && !before(b.age_to_days, a.age_from_days);
}

Result<void> read_correspondents(std::span<const CsvRow> rows, const CsvRow& header, Import& to) {
    for (const auto& row : rows) {
        const Record record(header, row);
        Import::ImportedCorrespondent made;
        auto entity = Finess::parse(record["legal_entity"]);
        if (!entity) return record.wrong("legal_entity", entity.error().what);
        made.legal_entity = *entity;
        auto& professional = made.correspondent.professional;
        auto rpps = Rpps::parse(record["rpps"]);
        if (!rpps) return record.wrong("rpps", rpps.error().what);
        professional.rpps = *rpps;
        professional.title = record["title"];
        professional.family = record["family"];
        professional.given = record["given"];
        professional.speciality = {record["speciality"], record["speciality_label"]};
        professional.phone = record["phone"];
        made.correspondent.structure_name = record["structure"];
        made.correspondent.mss_address = record["mss_address"];
        if (professional.family.empty()) return record.wrong("family", "must not be empty");
        if (const auto& mail = made.correspondent.mss_address; !mail.empty() && std::ranges::count(mail, '@') != 1)
            return record.wrong("mss_address", "is no mail address");
        const auto active = read_active(record);
        if (!active) return active.error();
        made.active = *active;
        for (const auto& other : to.correspondents)
            if (other.legal_entity == made.legal_entity && other.correspondent.professional.rpps == professional.rpps &&
                other.correspondent.structure_name == made.correspondent.structure_name)
                return record.wrong("rpps", "stands twice for this legal entity and structure");
        to.correspondents.push_back(std::move(made));
    }
    return {};
}

Result<void> read_analyte(const Record& record, Import::ImportedAnalyte& made) {
    if (record["site"] != "*") {
        auto site = Finess::parse(record["site"]);
        if (!site) return record.wrong("site", "expected * or a FINESS number of 9 characters");
        made.site = *site;
    }
    auto& analyte = made.analyte;
    for (const auto& [column, target] : {std::pair{"local_code", &analyte.local_code}, std::pair{"label", &analyte.label},
                                         std::pair{"chapter", &analyte.chapter}, std::pair{"chapter_label", &analyte.chapter_label},
                                         std::pair{"specimen", &analyte.specimen}}) {
        *target = record[column];
        if (target->empty()) return record.wrong(column, "must not be empty");
    }
    analyte.loinc = record["loinc"];
    if (!analyte.loinc.empty() && !is_loinc(analyte.loinc)) return record.wrong("loinc", "wrong form or check digit");
    if (!is_loinc(analyte.chapter)) return record.wrong("chapter", "wrong form or check digit");
    analyte.sub_chapter = {record.optional("sub_chapter"), record.optional("sub_chapter_label")};
    if (const auto& part = analyte.sub_chapter; !part.code.empty()) {
        if (!is_loinc(part.code)) return record.wrong("sub_chapter", "wrong form or check digit");
        if (part.code == analyte.chapter) return record.wrong("sub_chapter", "is the chapter itself");
        if (part.label.empty()) return record.wrong("sub_chapter_label", "must not be empty where there is a code");
    }
    analyte.loinc_label = record["loinc_label"];
    analyte.unit = record["unit"];
    analyte.method = record["method"];
    for (const auto panel : split(record["panels"], ','))
        if (!trim(panel).empty()) analyte.panels.emplace_back(trim(panel));
    const auto position = number_of<unsigned>(record["position"]);
    if (!position) return record.wrong("position", "expected a whole number");
    analyte.position = *position;

    const auto& kind = record["kind"];
    const auto known = domain::value_kind_of(kind);
    if (!known)
        return record.wrong("kind", "expected numeric, coded, text, titre, interval, graded, organism, antibiotic or marker");
    analyte.kind = *known;
    const bool numeric = analyte.kind == ValueKind::numeric;
    for (const auto* column : {"unit", "decimals", "ranges", "critical"})
        if (!numeric && !record[column].empty()) return record.wrong(column, "only for kind numeric");
    const bool plain = numeric || analyte.kind == ValueKind::text || analyte.kind == ValueKind::antibiotic;
    if (plain && !record["answers"].empty()) return record.wrong("answers", "not for kind numeric, text or antibiotic");

    if (numeric) {
        const auto decimals = number_of<unsigned>(record["decimals"]);
        if (!decimals || *decimals > 9) return record.wrong("decimals", "expected 0 to 9");
        analyte.decimals = *decimals;
        if (analyte.unit.find(' ') != std::string::npos) return record.wrong("unit", "a UCUM unit holds no blank");
        auto ranges = parse_ranges(record["ranges"]);
        if (!ranges) return record.wrong("ranges", ranges.error().what);
        analyte.ranges = std::move(*ranges);
        if (!record["critical"].empty()) {
            auto critical = parse_range(record["critical"]);
            if (!critical) return record.wrong("critical", critical.error().what);
            analyte.critical = std::move(*critical);
        }
    }
    if (!plain) {
        auto answers = parse_answers(record["answers"]);
        if (!answers) return record.wrong("answers", answers.error().what);
        if (answers->empty() && analyte.kind == ValueKind::coded)
            return record.wrong("answers", "a coded examination knows its answers");
        analyte.answers = std::move(*answers);
    }
    const auto active = read_active(record);
    if (!active) return active.error();
    made.active = *active;
    return {};
}

Result<void> read_catalogue(std::span<const CsvRow> rows, const CsvRow& header, Import& to) {
    for (const auto& row : rows) {
        const Record record(header, row);
        Import::ImportedAnalyte made;
        if (auto read = read_analyte(record, made); !read) return read;
        for (const auto& other : to.analytes)
            if (other.analyte.local_code == made.analyte.local_code && (!other.site || !made.site || other.site == made.site))
                return record.wrong("local_code", "stands twice for a site");
        to.analytes.push_back(std::move(made));
    }
    return {};
}

}  // namespace

Result<std::vector<RangeRule>> parse_ranges(std::string_view text) {
    std::vector<RangeRule> rules;
    if (trim(text).empty()) return rules;
    for (const auto part : split(text, '|')) {
        auto rule = parse_rule(part);
        if (!rule) return rule.error();
        for (const auto& other : rules)
            if (tie(*rule, other)) return Error{Fault::conflict, "", "two rules could both apply to one patient, none more specific"};
        rules.push_back(std::move(*rule));
    }
    return rules;
}

Result<std::vector<CodedAnswer>> parse_answers(std::string_view text) {
    std::vector<CodedAnswer> answers;
    if (trim(text).empty()) return answers;
    for (const auto part : split(text, '|')) {
        const auto equal = part.find('=');
        if (equal == std::string_view::npos) return Error{Fault::malformed, "", "expected received=text:flag, separated by |"};
        CodedAnswer answer;
        answer.received = std::string(trim(part.substr(0, equal)));
        const auto rest = split(part.substr(equal + 1), ':');
        answer.coded.display = std::string(trim(rest[0]));
        if (answer.received.empty() || answer.coded.display.empty())
            return Error{Fault::malformed, "", "expected received=text:flag, separated by |"};
        if (rest.size() > 3) return Error{Fault::malformed, "", "expected received=text:flag:code@system at most"};
        if (rest.size() > 1) {
            const auto flag = flag_of(trim(rest[1]));
            if (!flag) return Error{Fault::malformed, "", "a flag is N, L, H, LL, HH, A or nothing"};
            answer.flag = *flag;
        }
        if (rest.size() > 2) {
            const auto code = trim(rest[2]);
            const auto at = code.find('@');
            if (at == std::string_view::npos || at == 0 || !is_oid(code.substr(at + 1)))
                return Error{Fault::malformed, "", "a code is followed by @ and the OID of its system"};
            answer.coded.code = std::string(code.substr(0, at));
            answer.coded.system = std::string(code.substr(at + 1));
        }
        for (const auto& other : answers)
            if (other.received == answer.received) return Error{Fault::malformed, "", "an answer stands twice"};
        answers.push_back(std::move(answer));
    }
    return answers;
}

Result<void> read_csv(const std::vector<CsvRow>& rows, Import& to) {
    const auto& header = rows.front();
    const auto has = [&](std::string_view column) { return std::ranges::find(header.fields, column) != header.fields.end(); };
    const std::span content(rows.begin() + 1, rows.end());
    for (const auto& row : content)
        if (row.fields.size() != header.fields.size())
            return Error{Fault::malformed, fmt::format("line {}", row.line),
                         fmt::format("{} fields, the header has {}", row.fields.size(), header.fields.size())};
    if (has("local_code")) {
        to.kind = Import::Kind::catalogue;
        if (auto checked = check_header(header, catalogue_columns, catalogue_optional_columns); !checked) return checked;
        return read_catalogue(content, header, to);
    }
    if (has("rpps")) {
        to.kind = Import::Kind::correspondents;
        if (auto checked = check_header(header, correspondent_columns); !checked) return checked;
        return read_correspondents(content, header, to);
    }
    return Error{Fault::malformed, fmt::format("line {}", header.line),
                 "unknown kind of file; the header of correspondents has rpps, that of a catalogue local_code"};
}

}  // namespace sgl::config
