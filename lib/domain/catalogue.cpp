#include "lib/domain/catalogue.hpp"

namespace sgl::domain {

namespace {

std::chrono::sys_days day_of(const Timestamp& t) {
    return std::chrono::sys_days{std::chrono::year{t.year} / std::chrono::month{t.month} / std::chrono::day{t.day}};
}

}  // namespace

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
