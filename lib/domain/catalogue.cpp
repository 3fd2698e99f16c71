#include "lib/domain/catalogue.hpp"

namespace sgl::domain {

std::string_view to_string(ValueKind kind) {
    switch (kind) {
        case ValueKind::numeric:
            return "numeric";
        case ValueKind::coded:
            return "coded";
        case ValueKind::text:
            return "text";
        case ValueKind::titre:
            return "titre";
        case ValueKind::interval:
            return "interval";
        case ValueKind::graded:
            return "graded";
        case ValueKind::organism:
            return "organism";
        case ValueKind::antibiotic:
            return "antibiotic";
        case ValueKind::marker:
            return "marker";
    }
    return "";
}

std::optional<ValueKind> value_kind_of(std::string_view word) {
    using enum ValueKind;
    for (const auto kind : {numeric, coded, text, titre, interval, graded, organism, antibiotic, marker})
        if (to_string(kind) == word) return kind;
    return std::nullopt;
}

namespace {

std::chrono::sys_days day_of(const Timestamp& t) {
    return std::chrono::sys_days{std::chrono::year{t.year} / std::chrono::month{t.month} / std::chrono::day{t.day}};
}

}  // namespace

Catalogue::Catalogue(std::vector<Analyte> analytes) : analytes_(std::move(analytes)) {
    for (std::size_t i = 0; i < analytes_.size(); ++i) {
        codes_.emplace(analytes_[i].local_code, i);
        ids_.emplace(analytes_[i].id, i);
        if (analytes_[i].loinc.empty()) continue;
        const auto [at, first] = loincs_.emplace(analytes_[i].loinc, i);
        if (!first) at->second = std::string::npos;
    }
}

const Analyte* Catalogue::by_code(std::string_view local_code) const {
    const auto found = codes_.find(local_code);
    return found == codes_.end() ? nullptr : &analytes_[found->second];
}

const Analyte* Catalogue::by_loinc(std::string_view loinc) const {
    const auto found = loincs_.find(loinc);
    return found == loincs_.end() || found->second == std::string::npos ? nullptr : &analytes_[found->second];
}

const Analyte* Catalogue::by_id(AnalyteId id) const {
    const auto found = ids_.find(id);
    return found == ids_.end() ? nullptr : &analytes_[found->second];
}

std::vector<const Analyte*> Catalogue::ordered(std::string_view code) const {
    if (const auto* analyte = by_code(code)) return {analyte};
    std::vector<const Analyte*> members;
    for (const auto& analyte : analytes_) {
        for (const auto& panel : analyte.panels) {
            if (panel == code) members.push_back(&analyte);
        }
    }
    return members;
}

std::optional<IdentityStatus> identity_status_of(std::string_view code) {
    for (const auto status : {IdentityStatus::provisional, IdentityStatus::retrieved, IdentityStatus::validated,
                              IdentityStatus::qualified}) {
        if (to_string(status) == code) return status;
    }
    return std::nullopt;
}

std::optional<unsigned> age_in_days(const std::optional<Timestamp>& birth_date, const Timestamp& at) {
    if (!birth_date || birth_date->precision < Precision::day || at.precision < Precision::day) return std::nullopt;
    const auto days = (day_of(at) - day_of(*birth_date)).count();
    if (days < 0) return std::nullopt;
    return static_cast<unsigned>(days);
}

Range choose_range(const Analyte& analyte, Sex sex, std::optional<unsigned> age_days) {
    const RangeRule* best = nullptr;
    int best_conditions = -1;
    for (const auto& rule : analyte.ranges) {
        if (rule.sex && (sex == Sex::unknown || *rule.sex != sex)) continue;
        const bool asks_age = rule.age_from_days || rule.age_to_days;
        if (asks_age && !age_days) continue;
        if (rule.age_from_days && *age_days < *rule.age_from_days) continue;
        if (rule.age_to_days && *age_days >= *rule.age_to_days) continue;
        const int conditions = (rule.sex ? 1 : 0) + (asks_age ? 1 : 0);
        if (conditions > best_conditions) {
            best = &rule;
            best_conditions = conditions;
        }
    }
    return best == nullptr ? Range{} : best->range;
}

}  // namespace sgl::domain
