#include "lib/domain/judgement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "lib/base/text.hpp"
#include "lib/domain/catalogue.hpp"
#include "lib/domain/exact.hpp"

namespace sgl::domain {

namespace {

enum class Holds : std::uint8_t { no, yes, unknown };

/// ` SOUS AVK COUMADINE `: words without accents or signs, so that one is found whole.
std::string folded(std::string_view text) {
    std::string words = " ";
    for (const char c : normalised_name(text)) {
        const bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
        if (letter)
            words += c;
        else if (words.back() != ' ')
            words += ' ';
    }
    return words.back() == ' ' ? words : words + " ";
}

using Values = std::vector<std::pair<std::string, std::string>>;

bool at_most(const Quantity& quantity) {
    return quantity.comparator == Comparator::less || quantity.comparator == Comparator::less_or_equal;
}
bool at_least(const Quantity& quantity) {
    return quantity.comparator == Comparator::greater || quantity.comparator == Comparator::greater_or_equal;
}

/// Certainly outside, certainly inside, or the comparator leaves it open.
Holds outside(const Quantity& quantity, const Range& range) {
    const auto& number = quantity.number;
    bool inside = true;
    if (range.low) {
        const bool strict = quantity.comparator == Comparator::less;
        if (!at_least(quantity) && (strict ? number <= *range.low : number < *range.low)) return Holds::yes;
        inside = inside && !at_most(quantity) && number >= *range.low;
    }
    if (range.high) {
        const bool strict = quantity.comparator == Comparator::greater;
        if (!at_most(quantity) && (strict ? number >= *range.high : number > *range.high)) return Holds::yes;
        inside = inside && !at_least(quantity) && number <= *range.high;
    }
    return inside ? Holds::no : Holds::unknown;
}

std::string with_unit(const std::string& number, const std::string& unit) {
    const auto french = french_unit(unit);
    return french.empty() ? number : number + " " + french;
}

std::string written(const Quantity& quantity) {
    return with_unit(to_french(Value{quantity}), quantity.unit);
}

std::string written(Duration lasting) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(lasting).count();
    if (minutes < 60) return fmt::format("{} min", minutes);
    if (minutes < 48 * 60)
        return minutes % 60 == 0 ? fmt::format("{} h", minutes / 60)
                                 : fmt::format("{} h {:02}", minutes / 60, minutes % 60);
    return fmt::format("{} j", minutes / (24 * 60));
}

bool about(const Rule& rule, const std::string& code) {
    return std::ranges::any_of(rule.analytes, [&](const std::string& each) { return each == "*" || each == code; });
}

template <class R>
bool covered(const std::vector<R>& rules, const std::string& code) {
    return std::ranges::any_of(rules, [&](const R& rule) { return about(rule, code); });
}

/// The limits that count for a result, and what a context made of them.
struct Limits {
    Range range;
    const LimitRule* context{};
};

class Judge {
public:
    Judge(const RuleSet& set, const OrderToJudge& order) : set_(set), order_(order), context_(folded(order.context)) {}

    Judgement judge(const ResultToJudge& result) {
        result_ = &result;
        made_ = Judgement{};
        made_.result = result.id;
        made_.code = result.code;
        quantity_ = result.done ? std::get_if<Quantity>(&result.value) : nullptr;
        coverage();
        specimen();
        if (result.done) {
            for (const auto& rule : set_.quality_control)
                ask(RuleKind::quality_control, rule, &Judge::quality_control);
            for (const auto& rule : set_.instrument_flags)
                ask(RuleKind::instrument_flags, rule, &Judge::flags);
            for (const auto& rule : set_.interference)
                ask(RuleKind::interference, rule, &Judge::interference);
            for (const auto& rule : set_.measuring_range)
                ask(RuleKind::measuring_range, rule, &Judge::measuring_range);
            for (const auto& rule : set_.plausibility)
                ask(RuleKind::plausibility, rule, &Judge::plausibility);
            critical();
            for (const auto& rule : set_.reference)
                ask(RuleKind::reference, rule, &Judge::reference);
            for (const auto& rule : set_.delta)
                ask(RuleKind::delta, rule, &Judge::delta);
            for (const auto& rule : set_.consistency)
                ask(RuleKind::consistency, rule, &Judge::consistency);
            context();
        }
        for (const auto& rule : set_.completeness)
            ask(RuleKind::completeness, rule, &Judge::completeness);
        for (const auto& rule : set_.stability)
            ask(RuleKind::stability, rule, &Judge::stability);
        for (const auto& finding : made_.findings)
            made_.verdict = std::max(made_.verdict, finding.verdict);
        return std::move(made_);
    }

private:
    void say(RuleKind kind, unsigned rule, Verdict verdict, std::string reason, Values values = {}) {
        made_.findings.push_back({kind, rule, verdict, false, std::move(reason), std::move(values)});
    }
    void stop(RuleKind kind, const Rule& rule, std::string reason, Values values = {}) {
        say(kind, rule.number, rule.verdict, std::move(reason), std::move(values));
    }
    void unknown(RuleKind kind, const Rule& rule, std::string reason, Values values = {}) {
        say(kind, rule.number, rule.if_missing, std::move(reason), std::move(values));
        made_.findings.back().missing = true;
    }

    template <class R>
    void ask(RuleKind kind, const R& rule, void (Judge::*check)(const R&)) {
        if (!about(rule, result_->code)) return;
        switch (applies(rule.applies)) {
            case Holds::no:
                return;
            case Holds::unknown:
                unknown(kind, rule, unknown_context(rule.applies) + " : règle non appliquée");
                return;
            case Holds::yes:
                (this->*check)(rule);
        }
    }

    // ── Of whom a rule speaks ──

    std::optional<unsigned> age() const {
        const auto at = result_->collected_at && result_->collected_at->precision >= Precision::day
                            ? *result_->collected_at
                            : result_->measured_at;
        return age_in_days(order_.birth_date, at);
    }

    Holds applies(const Applies& wanted) const {
        auto answer = Holds::yes;
        const auto all = [&](Holds one) {
            if (one == Holds::no || answer == Holds::no)
                answer = Holds::no;
            else if (one == Holds::unknown)
                answer = Holds::unknown;
        };
        if (wanted.sex)
            all(order_.sex == Sex::unknown ? Holds::unknown : order_.sex == *wanted.sex ? Holds::yes : Holds::no);
        if (wanted.age_from_days || wanted.age_to_days) {
            const auto days = age();
            all(!days                                                   ? Holds::unknown
                : wanted.age_from_days && *days < *wanted.age_from_days ? Holds::no
                : wanted.age_to_days && *days >= *wanted.age_to_days    ? Holds::no
                                                                        : Holds::yes);
        }
        if (wanted.weeks_from || wanted.weeks_to) {
            if (order_.sex == Sex::male)
                all(Holds::no);
            else if (!order_.weeks)
                all(Holds::unknown);
            else
                all((wanted.weeks_from && *order_.weeks < *wanted.weeks_from) ||
                            (wanted.weeks_to && *order_.weeks > *wanted.weeks_to)
                        ? Holds::no
                        : Holds::yes);
        }
        if (!wanted.ward.empty())
            all(order_.ward.empty()                          ? Holds::unknown
                : folded(order_.ward) == folded(wanted.ward) ? Holds::yes
                                                             : Holds::no);
        if (!wanted.treatment.empty())
            all(order_.context.empty()                                         ? Holds::unknown
                : context_.find(folded(wanted.treatment)) != std::string::npos ? Holds::yes
                                                                               : Holds::no);
        return answer;
    }

    std::string unknown_context(const Applies& wanted) const {
        std::string text;
        const auto add = [&](bool missing, std::string_view words) {
            if (missing) text += (text.empty() ? "" : ", ") + std::string(words);
        };
        add(wanted.sex && order_.sex == Sex::unknown, "sexe inconnu");
        add((wanted.age_from_days || wanted.age_to_days) && !age(), "âge inconnu");
        add((wanted.weeks_from || wanted.weeks_to) && order_.sex != Sex::male && !order_.weeks,
            "grossesse non renseignée");
        add(!wanted.ward.empty() && order_.ward.empty(), "service inconnu");
        add(!wanted.treatment.empty() && order_.context.empty(), "traitement non renseigné");
        return capital(text);
    }

    static std::string capital(std::string text) {
        // `â` of "âge" is the only first letter here that is not of ASCII.
        if (text.starts_with("â")) return "Â" + text.substr(std::string_view("â").size());
        if (!text.empty()) text[0] = to_upper_ascii(text.substr(0, 1))[0];
        return text;
    }

    static std::string whom(const Applies& wanted) {
        std::string text;
        const auto add = [&](const std::string& words) { text += (text.empty() ? "" : ", ") + words; };
        if (wanted.sex) add(*wanted.sex == Sex::female ? "femme" : "homme");
        if (wanted.age_from_days || wanted.age_to_days) add("âge");
        if (wanted.weeks_from || wanted.weeks_to) add("grossesse");
        if (!wanted.ward.empty()) add("service " + wanted.ward);
        if (!wanted.treatment.empty()) add("traitement : " + wanted.treatment);
        return text;
    }

    /// `base` as the first context that holds moves it; a bound that the context does not name stays.
    Limits moved(RuleKind kind, const Range& base, const std::string& unit) const {
        for (const auto& rule : set_.context) {
            if (rule.of != kind || !about(rule, result_->code) || rule.unit != unit) continue;
            if (applies(rule.applies) != Holds::yes) continue;
            Limits limits{base, &rule};
            if (rule.limits.low) limits.range.low = rule.limits.low;
            if (rule.limits.high) limits.range.high = rule.limits.high;
            return limits;
        }
        return {base, nullptr};
    }

    // ── The checks, in their order ──

    void coverage() {
        const auto& code = result_->code;
        if (result_->of_culture) {
            say(RuleKind::coverage, 0, Verdict::amber, "Culture : à lire par le biologiste");
            return;
        }
        const bool known = covered(set_.quality_control, code) || covered(set_.instrument_flags, code) ||
                           covered(set_.interference, code) || covered(set_.measuring_range, code) ||
                           covered(set_.plausibility, code) || covered(set_.critical, code) ||
                           covered(set_.reference, code) || covered(set_.delta, code) ||
                           covered(set_.consistency, code) || covered(set_.completeness, code) ||
                           covered(set_.stability, code);
        if (!known) say(RuleKind::coverage, 0, Verdict::amber, "Aucune règle ne porte sur cet examen");
        if (!result_->done) say(RuleKind::coverage, 0, Verdict::amber, "Non réalisé : à lire par le biologiste");
    }

    void specimen() {
        if (order_.doubtful) say(RuleKind::specimen, 0, Verdict::red, "Identité douteuse ou fictive");
        if (result_->refused) {
            say(RuleKind::specimen, 0, Verdict::red,
                result_->refusal.empty() ? "Prélèvement refusé" : "Prélèvement refusé : " + result_->refusal,
                {{"prélèvement", result_->specimen}});
        } else if (result_->specimen.empty()) {
            say(RuleKind::specimen, 0, Verdict::amber, "Prélèvement inconnu");
            made_.findings.back().missing = true;
        }
    }

    void quality_control(const QualityRule& rule) {
        if (!result_->control) return unknown(RuleKind::quality_control, rule, "Contrôle de qualité inconnu");
        const auto age = instant(result_->measured_at) - instant(result_->control->at);
        Values values{{"contrôle du", to_french_date_time(result_->control->at)}, {"limite", written(rule.oldest)}};
        if (!result_->control->passed)
            stop(RuleKind::quality_control, rule, "Contrôle de qualité hors limites", std::move(values));
        else if (age > rule.oldest)
            stop(RuleKind::quality_control, rule, "Contrôle de qualité de plus de " + written(rule.oldest),
                 std::move(values));
    }

    void flags(const FlagRule& rule) {
        for (const auto& flag : result_->instrument_flags) {
            if (std::ranges::find(rule.blocking, flag) == rule.blocking.end()) continue;
            stop(RuleKind::instrument_flags, rule, "Indicateur bloquant de l'automate : " + flag,
                 {{"indicateur", flag}});
            return;
        }
    }

    void interference(const InterferenceRule& rule) {
        const auto found = std::ranges::find_if(order_.results, [&](const ResultToJudge& other) {
            return other.code == rule.index && other.done && other.specimen == result_->specimen;
        });
        const auto* index = found == order_.results.end() ? nullptr : std::get_if<Quantity>(&found->value);
        if (index == nullptr)
            return unknown(RuleKind::interference, rule,
                           fmt::format("Indice {} non reçu pour ce prélèvement", rule.index));
        Values values{{found->label, to_french(found->value)}, {"limite", rule.most.french()}};
        switch (outside(*index, Range{std::nullopt, rule.most})) {
            case Holds::no:
                return;
            case Holds::unknown:
                return unknown(RuleKind::interference, rule,
                               fmt::format("{} {} : ne permet pas de conclure", found->label, to_french(found->value)),
                               std::move(values));
            case Holds::yes:
                stop(RuleKind::interference, rule,
                     fmt::format("{} {}, limite {}", found->label, to_french(found->value), rule.most.french()),
                     std::move(values));
        }
    }

    /// The value in the unit of the rule; else it says why nothing can be compared.
    bool comparable(RuleKind kind, const Rule& rule, const std::string& unit) {
        if (quantity_ == nullptr) {
            unknown(kind, rule, "Résultat non numérique : non comparable");
            return false;
        }
        if (quantity_->unit == unit) return true;
        unknown(kind, rule,
                fmt::format("Unité {} : la règle est écrite en {}, non comparable",
                            quantity_->unit.empty() ? "absente" : quantity_->unit, unit.empty() ? "sans unité" : unit),
                {{"unité", quantity_->unit}, {"unité de la règle", unit}});
        return false;
    }

    Values used(const Limits& limits) const {
        Values values{{"valeur", written(*quantity_)}, {"limites", to_french(limits.range)}};
        if (limits.context != nullptr) values.emplace_back("contexte", whom(limits.context->applies));
        return values;
    }

    /// What a rule of limits does with a value outside, or with one that leaves it open.
    template <class Stop>
    void by_limits(RuleKind kind, const LimitRule& rule, Stop stopped) {
        if (!comparable(kind, rule, rule.unit)) return;
        const auto limits = moved(kind, rule.limits, rule.unit);
        switch (outside(*quantity_, limits.range)) {
            case Holds::no:
                return;
            case Holds::unknown:
                return unknown(kind, rule,
                               fmt::format("{} : ne permet pas de conclure, limites {}", written(*quantity_),
                                           to_french(limits.range)),
                               used(limits));
            case Holds::yes:
                stopped(limits);
        }
    }

    void measuring_range(const LimitRule& rule) {
        // A diluted specimen is outside before its factor; "< the lowest that can be measured" is how that is said.
        if (!result_->dilution.empty()) return;
        const bool says_lowest =
            quantity_ != nullptr && at_most(*quantity_) && rule.limits.low && quantity_->number == *rule.limits.low;
        if (says_lowest && quantity_->unit == rule.unit) return;
        by_limits(RuleKind::measuring_range, rule, [&](const Limits& limits) {
            stop(RuleKind::measuring_range, rule,
                 fmt::format("Hors du domaine de mesure ({}), sans dilution", to_french(limits.range)), used(limits));
        });
    }

    void plausibility(const LimitRule& rule) {
        by_limits(RuleKind::plausibility, rule, [&](const Limits& limits) {
            stop(RuleKind::plausibility, rule,
                 fmt::format("Valeur invraisemblable (limites {})", to_french(limits.range)), used(limits));
            made_.implausible = true;
        });
    }

    void critical() {
        bool own = false;
        for (const auto& rule : set_.critical) {
            if (!about(rule, result_->code)) continue;
            const auto holds = applies(rule.applies);
            own = own || holds == Holds::yes;
            if (holds == Holds::unknown)
                unknown(RuleKind::critical, rule,
                        unknown_context(rule.applies) + " : limites critiques non appliquées");
            if (holds != Holds::yes) continue;
            by_limits(RuleKind::critical, rule, [&](const Limits& limits) {
                stop(RuleKind::critical, rule,
                     fmt::format("Valeur critique (limites {}) : appeler le prescripteur", to_french(limits.range)),
                     used(limits));
                made_.critical = true;
            });
        }
        const bool flagged = result_->flag == Flag::critical_low || result_->flag == Flag::critical_high;
        if (own || !flagged) return;
        say(RuleKind::critical, 0, Verdict::red, "Valeur critique (limites du catalogue) : appeler le prescripteur",
            {{"valeur", to_french(result_->value)}});
        made_.critical = true;
    }

    void reference(const ReferenceRule& rule) {
        if (quantity_ == nullptr) {
            if (result_->flag == Flag::abnormal)
                stop(RuleKind::reference, rule, "Résultat anormal : " + to_french(result_->value));
            else if (result_->flag != Flag::normal)
                unknown(RuleKind::reference, rule, "Résultat sans interprétation au catalogue");
            return;
        }
        if (result_->performed_elsewhere) {
            const bool normal = result_->flag == Flag::normal;
            if (!normal && result_->flag != Flag::none)
                stop(RuleKind::reference, rule, "Hors des valeurs de référence du laboratoire exécutant");
            else if (!normal)
                unknown(RuleKind::reference, rule, "Valeurs de référence du laboratoire exécutant non comparables");
            return;
        }
        auto limits = moved(RuleKind::reference, result_->reference, quantity_->unit);
        if (limits.range.empty())
            return unknown(RuleKind::reference, rule, "Pas de valeurs de référence pour ce patient");
        const auto values = used(limits);
        switch (outside(*quantity_, limits.range)) {
            case Holds::no:
                return;
            case Holds::unknown:
                return unknown(RuleKind::reference, rule,
                               fmt::format("{} : ne permet pas de conclure, référence {}", written(*quantity_),
                                           to_french(limits.range)),
                               values);
            case Holds::yes:
                break;
        }
        if (!far_outside(rule, limits.range)) return;
        std::string by;
        if (rule.percent) by = fmt::format(" de plus de {} %", rule.percent->french());
        if (rule.amount) by = fmt::format(" de plus de {}", with_unit(rule.amount->french(), quantity_->unit));
        const auto moved_by = limits.context == nullptr ? "" : fmt::format(" ({})", whom(limits.context->applies));
        stop(RuleKind::reference, rule,
             fmt::format("Hors des valeurs de référence {}{}{}", to_french(limits.range), moved_by, by), values);
    }

    /// By more than the rule allows; what does not fit in exact arithmetic is far.
    bool far_outside(const ReferenceRule& rule, const Range& range) const {
        const Exact value(quantity_->number);
        const auto far = [&](const Exact& by, const Decimal& bound) {
            if (rule.percent) return !(by * Exact(100) <= Exact(*rule.percent) * Exact(bound).abs());
            if (rule.amount) return !(by <= Exact(*rule.amount));
            return true;
        };
        const Exact nothing(0);
        if (range.low) {
            const auto by = Exact(*range.low) - value;
            if (by > nothing || (by == nothing && at_most(*quantity_))) return far(by, *range.low);
        }
        if (range.high) {
            const auto by = value - Exact(*range.high);
            if (by > nothing || (by == nothing && at_least(*quantity_))) return far(by, *range.high);
        }
        return true;
    }

    void delta(const DeltaRule& rule) {
        if (!comparable(RuleKind::delta, rule, rule.unit)) return;
        if (quantity_->comparator != Comparator::none)
            return unknown(RuleKind::delta, rule, "Résultat avec un signe : écart non calculable");
        const auto now = instant(result_->measured_at);
        const EarlierValue* newest = nullptr;
        bool other = false;  // there are values in the window, but none to compare with
        bool old = false;
        for (const auto& earlier : result_->earlier) {
            const auto lasting = now - instant(earlier.at);
            if (earlier.replaced || lasting <= Duration{}) continue;
            if (lasting > rule.window) {
                old = true;
                continue;
            }
            const auto* quantity = std::get_if<Quantity>(&earlier.value);
            if (quantity == nullptr || quantity->comparator != Comparator::none || quantity->unit != rule.unit) {
                other = true;
                continue;
            }
            if (newest == nullptr || instant(newest->at) < instant(earlier.at)) newest = &earlier;
        }
        if (newest == nullptr && other)
            return unknown(RuleKind::delta, rule, "Antériorité non comparable (unité, signe ou forme différente)");
        if (newest == nullptr) {  // nothing to compare with is no fault: it is said, and stays green
            say(RuleKind::delta, rule.number, Verdict::green,
                old ? fmt::format("Antériorité de plus de {} : non comparée", written(rule.window))
                    : "Antériorité inconnue");
            made_.findings.back().missing = true;
            return;
        }
        by_formula(rule, std::get<Quantity>(newest->value), now - instant(newest->at), newest->at);
    }

    void by_formula(const DeltaRule& rule, const Quantity& before, Duration lasting, const Timestamp& at) {
        const Exact v1(before.number);
        const Exact change = Exact(quantity_->number) - v1;
        const Exact distance = change.abs();
        const Exact day(std::int64_t{24} * 3600);
        const Exact seconds(
            std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::seconds>(lasting).count()));
        const Exact limit(rule.limit);
        const double days = seconds.approximately() / day.approximately();
        const double percent = v1.zero() ? 0 : 100 * change.approximately() / v1.abs().approximately();
        Values values{{"valeur", written(*quantity_)},
                      {"antériorité", written(before)},
                      {"du", to_french_date_time(at)},
                      {"formule", std::string(to_string(rule.formula))}};
        auto order = std::partial_ordering::unordered;
        std::string how;
        std::string most = rule.limit.french();
        const bool of_percent = rule.formula == DeltaFormula::percent || rule.formula == DeltaFormula::percent_rate ||
                                rule.formula == DeltaFormula::reference_change;
        if (of_percent && v1.zero()) {  // no percentage of nothing: the change itself
            if (!rule.limit_of_zero)
                return unknown(RuleKind::delta, rule, "Antériorité nulle : pourcentage non calculable",
                               std::move(values));
            order = distance <=> Exact(*rule.limit_of_zero);
            how = with_unit(signed_number(change.approximately()), quantity_->unit);
            most = rule.limit_of_zero->french();
        } else {
            switch (rule.formula) {
                case DeltaFormula::absolute:
                    order = distance <=> limit;
                    how = with_unit(signed_number(change.approximately()), quantity_->unit);
                    break;
                case DeltaFormula::percent:
                    order = Exact(100) * distance <=> limit * v1.abs();
                    how = signed_number(percent) + " %";
                    most += " %";
                    break;
                case DeltaFormula::rate:
                    order = distance * day <=> limit * seconds;
                    how = with_unit(signed_number(change.approximately() / days), quantity_->unit) + " par jour";
                    break;
                case DeltaFormula::percent_rate:
                    order = Exact(100) * distance * day <=> limit * v1.abs() * seconds;
                    how = signed_number(percent / days) + " % par jour";
                    most += " %";
                    break;
                case DeltaFormula::reference_change: {
                    // |pct| > √2·Z·√(CVa² + CVi²), squared: exact.
                    const Exact a(rule.cv_analytical);
                    const Exact i(rule.cv_within_person);
                    const Exact z(rule.z);
                    const auto variance = Exact(2) * z * z * (a * a + i * i);
                    order = Exact(10000) * distance * distance <=> variance * v1 * v1;
                    how = signed_number(percent) + " %";
                    most = domain::about(std::sqrt(variance.approximately())) + " %";
                    break;
                }
            }
        }
        values.emplace_back("écart", how);
        values.emplace_back("limite", most);
        if (order == std::partial_ordering::unordered)
            return unknown(RuleKind::delta, rule, "Écart non calculable", std::move(values));
        if (order <= 0) return;
        stop(RuleKind::delta, rule,
             fmt::format("Écart de {} avec {} du {} (limite {})", how, written(before), to_french_date(at), most),
             std::move(values));
    }

    static std::string signed_number(double number) { return (number > 0 ? "+" : "") + domain::about(number); }

    const ResultToJudge* other(const std::string& code) const {
        if (code == result_->code) return result_;
        const ResultToJudge* found = nullptr;
        for (const auto& each : order_.results) {
            if (each.code != code || !each.done || each.of_culture) continue;
            if (found == nullptr || each.specimen == result_->specimen) found = &each;
        }
        return found;
    }

    void consistency(const ConsistencyRule& rule) {
        std::vector<const Quantity*> quantities;
        Values values;
        for (std::size_t i = 0; i < rule.analytes.size(); ++i) {
            const auto* result = other(rule.analytes[i]);
            if (result == nullptr)
                return unknown(RuleKind::consistency, rule,
                               fmt::format("{} : {} absent, non vérifié", rule.name, rule.analytes[i]));
            const auto* quantity = std::get_if<Quantity>(&result->value);
            const bool usable =
                rule.form == ConsistencyForm::opposite ||
                (quantity != nullptr && quantity->comparator == Comparator::none && quantity->unit == rule.units[i]);
            values.emplace_back(result->label, quantity == nullptr ? to_french(result->value) : written(*quantity));
            if (!usable) {
                // It is there and cannot be used: that is worth a look, whatever is said of absent ones.
                unknown(RuleKind::consistency, rule,
                        fmt::format("{} : {} non comparable (unité, signe ou forme)", rule.name, result->label),
                        std::move(values));
                made_.findings.back().verdict = std::max(rule.if_missing, Verdict::amber);
                return;
            }
            quantities.push_back(quantity);
        }
        std::string wrong;
        switch (rule.form) {
            case ConsistencyForm::sum: {
                Exact sum(0);
                for (std::size_t i = 0; i < quantities.size(); ++i)
                    sum = rule.minus[i] ? sum - Exact(quantities[i]->number) : sum + Exact(quantities[i]->number);
                const bool good = sum.valid() && !(rule.limits.low && sum < Exact(*rule.limits.low)) &&
                                  !(rule.limits.high && sum > Exact(*rule.limits.high));
                if (!good)
                    wrong = fmt::format("{} : {}, attendu {}", rule.name, domain::about(sum.approximately()),
                                        to_french(rule.limits));
                break;
            }
            case ConsistencyForm::at_most:
                if (!(Exact(quantities[0]->number) <= Exact(quantities[1]->number) + Exact(rule.tolerance)))
                    wrong =
                        fmt::format("{} : {} dépasse {}", rule.name, written(*quantities[0]), written(*quantities[1]));
                break;
            case ConsistencyForm::times: {
                const auto expected = Exact(quantities[0]->number) * Exact(rule.factor);
                const Exact found(quantities[1]->number);
                const auto distance = (expected - found).abs();
                if (!(Exact(100) * distance <= Exact(rule.tolerance) * found.abs()))
                    wrong = fmt::format("{} : {} pour {} attendu à {} % près", rule.name, written(*quantities[1]),
                                        domain::about(expected.approximately()), rule.tolerance.french());
                break;
            }
            case ConsistencyForm::opposite: {
                const auto side = [](Flag flag) {
                    if (flag == Flag::low || flag == Flag::critical_low) return -1;
                    return flag == Flag::high || flag == Flag::critical_high ? 1 : 0;
                };
                const auto one = side(other(rule.analytes[0])->flag);
                if (one != 0 && one == side(other(rule.analytes[1])->flag))
                    wrong = fmt::format("{} : les deux {}", rule.name, one > 0 ? "hauts" : "bas");
                break;
            }
        }
        if (!wrong.empty()) stop(RuleKind::consistency, rule, wrong, std::move(values));
    }

    /// What a context changed, or could not: said after what it was used for.
    void context() {
        for (const auto& rule : set_.context) {
            if (!about(rule, result_->code)) continue;
            const auto holds = applies(rule.applies);
            if (holds == Holds::no) continue;
            if (holds == Holds::unknown) {
                unknown(RuleKind::context, rule,
                        unknown_context(rule.applies) + " : limites du contexte non appliquées");
                continue;
            }
            if (quantity_ == nullptr || quantity_->unit != rule.unit) {
                comparable(RuleKind::context, rule, rule.unit);
                made_.findings.back().verdict = std::max(rule.if_missing, Verdict::amber);
                continue;
            }
            say(RuleKind::context, rule.number, Verdict::green,
                fmt::format("Limites du contexte appliquées : {} ({})", to_french(rule.limits), whom(rule.applies)),
                {{"limites", to_french(rule.limits)}, {"contexte", whom(rule.applies)}});
        }
    }

    void completeness(const CompletenessRule& rule) {
        std::string missing;
        for (const auto& [label, ordered_as] : order_.awaited) {
            if (ordered_as == result_->ordered_as && !ordered_as.empty())
                missing += (missing.empty() ? "" : ", ") + label;
        }
        if (!missing.empty())
            stop(RuleKind::completeness, rule, fmt::format("Incomplet ({}) : manque {}", result_->ordered_as, missing));
    }

    void stability(const StabilityRule& rule) {
        const auto& collected = result_->collected_at;
        if (!collected || collected->precision < Precision::hour)
            return unknown(RuleKind::stability, rule, "Heure de prélèvement inconnue : stabilité non vérifiée");
        const auto lasting = instant(result_->measured_at) - instant(*collected);
        Values values{{"prélevé", to_french_date_time(*collected)},
                      {"mesuré", to_french_date_time(result_->measured_at)},
                      {"limite", written(rule.longest)}};
        if (result_->measured_at.precision < Precision::hour)
            return unknown(RuleKind::stability, rule, "Heure de mesure inconnue : stabilité non vérifiée",
                           std::move(values));
        if (lasting < Duration{})
            return unknown(RuleKind::stability, rule, "Mesuré avant le prélèvement : dates à vérifier",
                           std::move(values));
        if (lasting > rule.longest)
            stop(RuleKind::stability, rule,
                 fmt::format("Prélèvement ancien : {} avant l'analyse (limite {})", written(lasting),
                             written(rule.longest)),
                 std::move(values));
    }

    Instant instant(const Timestamp& at) const { return order_.zone.to_instant(at); }

    const RuleSet& set_;
    const OrderToJudge& order_;
    std::string context_;
    const ResultToJudge* result_{};
    const Quantity* quantity_{};
    Judgement made_;
};

}  // namespace

std::vector<Judgement> judge(const RuleSet& set, const OrderToJudge& order) {
    Judge judge(set, order);
    std::vector<Judgement> judgements;
    for (const auto& result : order.results)
        judgements.push_back(judge.judge(result));
    return judgements;
}

VerdictCounts count(const std::vector<Judgement>& judgements) {
    VerdictCounts counts;
    for (const auto& judgement : judgements)
        ++(judgement.verdict == Verdict::green   ? counts.green
           : judgement.verdict == Verdict::amber ? counts.amber
                                                 : counts.red);
    return counts;
}

std::optional<unsigned> weeks_of_pregnancy(std::string_view context) {
    std::string last;
    const auto words = folded(context);
    for (const auto word : split(words, ' ')) {
        if (word.empty()) continue;
        const bool weeks = word == "SA";
        unsigned number{};
        const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), number);
        if (weeks && error == std::errc{} && end == last.data() + last.size() && number <= 45) return number;
        last = std::string(word);
    }
    return std::nullopt;
}

}  // namespace sgl::domain
