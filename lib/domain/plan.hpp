// Which letters a report needs: one per channel and recipient, each due, or not leaving with its reason.
#pragma once

#include <string>
#include <vector>

#include "lib/domain/letter.hpp"
#include "lib/domain/report.hpp"

namespace sgl::domain {

struct PlannedLetter {
    Channel channel{};
    /// Who, unique within (version, channel): "DMP", "<RPPS>@<structure address>", "patient", "dpi:<partner>".
    std::string recipient_key;
    std::string recipient_name;        ///< of a professional or partner; empty for the patient
    Personal<std::string> address;     ///< mailbox; empty for DMP and DPI
    std::optional<PartnerId> partner;  ///< the DPI
    LetterState state{LetterState::due};
    Reason reason{Reason::none};
};

/// What the plan must know beside the report.
struct PlanContext {
    bool production{};                   ///< environment of the instance: test identities leave only from a test one
    std::vector<PartnerId> dpis;         ///< hospital records served by this site
    std::vector<std::string> dpi_names;  ///< same order
};

/// Same report and context give the same letters.
std::vector<PlannedLetter> plan(const Report& report, const PlanContext& context);

}  // namespace sgl::domain
