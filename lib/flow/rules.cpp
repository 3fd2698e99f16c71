#include "lib/flow/rules.hpp"

#include <algorithm>
#include <set>

#include "lib/base/text.hpp"

namespace sgl::flow {

domain::OrderToJudge to_judge(const store::OrderFile& file, const std::vector<domain::ReportedLine>& lines,
                              const std::vector<domain::Awaited>& awaited, const TimeZone& zone,
                              const PreviousResults& previous) {
    domain::OrderToJudge order;
    const auto& traits = file.patient.traits.reveal();
    order.birth_date = traits.birth_date;
    order.sex = traits.sex;
    order.doubtful = file.patient.doubtful || file.patient.fictitious;
    order.context = file.clinical_context;
    order.weeks = domain::weeks_of_pregnancy(file.clinical_context);
    order.zone = zone;
    for (const auto& one : awaited)
        order.awaited.emplace_back(one.label, one.ordered_as);
    for (const auto& line : lines) {
        const auto& reported = line.reported;
        domain::ResultToJudge result;
        result.id = line.result;
        result.code = reported.local_code;
        result.label = reported.label;
        result.value = reported.value;
        result.done = !reported.not_done;
        result.of_culture = !line.isolate.empty();
        result.performed_elsewhere = reported.performer.has_value();
        result.flag = reported.flag;
        result.reference = reported.range;
        result.measured_at = reported.measured_at;
        result.ordered_as = reported.ordered_as;
        const auto number = reported.specimen_number.value_or("");
        const auto specimen = std::ranges::find(file.specimens, number, &domain::Specimen::number);
        if (!number.empty() && specimen != file.specimens.end()) {
            result.specimen = number;
            result.collected_at = specimen->collected_at;
            result.refused = specimen->refused();
            result.refusal = specimen->refusal;
        }
        const auto kept = std::ranges::find(file.results, line.result, &store::CurrentResult::id);
        if (kept != file.results.end()) {
            result.dilution = kept->detail.dilution;
            for (const auto flag : split(kept->received_flags, '~')) {
                if (!flag.empty()) result.instrument_flags.emplace_back(flag);
            }
        }
        if (const auto before = previous.find(reported.local_code); before != previous.end()) {
            for (const auto& one : before->second)
                result.earlier.push_back({one.value, one.at, false});
        } else if (reported.previous) {
            result.earlier.push_back({reported.previous->value, reported.previous->at, false});
            for (const auto& one : reported.earlier)
                result.earlier.push_back({one.value, one.at, false});
        }
        order.results.push_back(std::move(result));
    }
    return order;
}

std::vector<std::string> unconfirmed(const std::vector<domain::Judgement>& judgements,
                                     const std::vector<domain::ReportedLine>& lines,
                                     const std::vector<domain::ResultId>& confirmed) {
    std::vector<std::string> labels;
    for (const auto& judgement : judgements) {
        if (!judgement.implausible || std::ranges::find(confirmed, judgement.result) != confirmed.end()) continue;
        const auto line = std::ranges::find(lines, judgement.result, &domain::ReportedLine::result);
        labels.push_back(line == lines.end() ? judgement.code : line->reported.label);
    }
    return labels;
}

void add(Simulation& simulation, const std::vector<domain::Judgement>* before,
         const std::vector<domain::Judgement>& after) {
    ++simulation.orders;
    for (std::size_t i = 0; i < after.size(); ++i) {
        const auto now = static_cast<std::size_t>(after[i].verdict);
        ++simulation.after[now];
        std::set<domain::RuleKind> kinds;
        for (const auto& finding : after[i].findings) {
            if (finding.verdict != domain::Verdict::green) kinds.insert(finding.kind);
        }
        for (const auto kind : kinds)
            ++simulation.stops[static_cast<std::size_t>(kind)];
        if (before == nullptr) {
            ++simulation.not_judged_before;
            continue;
        }
        const auto was = static_cast<std::size_t>((*before)[i].verdict);
        ++simulation.before[was];
        ++simulation.moves[was][now];
    }
}

}  // namespace sgl::flow
