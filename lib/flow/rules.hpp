// What the rules of a laboratory say of a draft: an order and the lines of its report, as domain::judge asks for them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/domain/judgement.hpp"
#include "lib/flow/draft.hpp"

namespace sgl::flow {

/// The lines as they are shown and signed. `previous`: of every analysis the newest earlier values, comparable or not;
/// those of the lines where it has none. The house knows no quality control and no ward of an order yet: what asks for
/// them hears that they are not known.
domain::OrderToJudge to_judge(const store::OrderFile& file, const std::vector<domain::ReportedLine>& lines,
                              const std::vector<domain::Awaited>& awaited, const TimeZone& zone,
                              const PreviousResults& previous);

/// What a signature needs before an implausible value leaves: labels of those that nobody confirmed.
std::vector<std::string> unconfirmed(const std::vector<domain::Judgement>& judgements,
                                     const std::vector<domain::ReportedLine>& lines,
                                     const std::vector<domain::ResultId>& confirmed);

/// Past results judged by two sets: how many results of each verdict, and what would change.
struct Simulation {
    std::size_t orders{};
    std::array<std::size_t, 3> before{};                ///< by the set in force, by domain::Verdict
    std::array<std::size_t, 3> after{};                 ///< by the other
    std::array<std::array<std::size_t, 3>, 3> moves{};  ///< from → to, where both judged
    std::size_t not_judged_before{};                    ///< no set was in force
    std::array<std::size_t, 14> stops{};  ///< results that a kind of rule of the new set stopped, by RuleKind
};

void add(Simulation& simulation, const std::vector<domain::Judgement>* before,
         const std::vector<domain::Judgement>& after);

}  // namespace sgl::flow
