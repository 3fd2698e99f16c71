// What a report would say if it were signed now: the results of an order met with the catalogue, the patient's ranges
// and earlier results. Pure; the console's preview, the guard of validation and the report itself all come from here.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/domain/laboratory.hpp"
#include "lib/domain/plan.hpp"
#include "lib/domain/report_lines.hpp"
#include "lib/store/orders.hpp"

namespace sgl::flow {

struct ReportDraft {
    std::vector<domain::ReportedLine> lines;  ///< in the order of the report
    std::vector<domain::Awaited> awaited;     ///< asked for and not there
    std::vector<std::string>
        unreadable;  ///< codes of results that can't be signed (unknown, quarantined): a person first
};

/// What a preliminary identification leaves to come, for a biologist who signs it as partial.
std::vector<domain::Awaited> provisional(const std::vector<domain::ReportedLine>& lines);

/// The newest validated results of each analysis of the patient, by local code, newest first.
using PreviousResults = std::map<std::string, std::vector<domain::PreviousResult>>;

ReportDraft draft(const store::OrderFile& file, const domain::Catalogue& catalogue, const TimeZone& zone,
                  const PreviousResults& previous);

/// The report around those lines. `validator` empty for a preview.
domain::Report report_of(const store::OrderFile& file, const domain::Laboratory& laboratory,
                         const std::vector<domain::ReportedLine>& lines, const domain::Professional& validator,
                         const domain::ReportIdentifiers& ids, Instant validated_at, const std::string& comment);

/// Hospital records that get this site's reports, for domain::plan.
domain::PlanContext plan_context(const domain::Laboratory& laboratory, const domain::Site& site, bool production);

}  // namespace sgl::flow
