// What a version of a report changes against the one that it replaces, as its reader has to know it first (lab-domain
// 3.4: the whole report again, and what changed is said).
#pragma once

#include <string>
#include <vector>

#include "lib/domain/report_lines.hpp"

namespace sgl::domain {

struct Amendment {
    unsigned version{};                    ///< that is replaced
    Timestamp validated_at;                ///< when that one was validated
    std::string reason;                    ///< as the biologist wrote it; may be empty where nothing is corrected
    std::vector<ReportedResult> before;    ///< its results
    std::vector<ReportedResult> after;     ///< those of the new one
    ReportKind kind{ReportKind::final};    ///< of the one that is replaced
    std::vector<std::string> provisional;  ///< local codes of its results that were preliminary: they are made precise
};

/// The amendment that replaces these lines by those, of what is printed.
Amendment amendment_of(const std::vector<ReportedLine>& before, const std::vector<ReportedLine>& after);

/// A result that was reported for good is now another one, or is gone: somebody has to say why (lab-domain 3.2).
bool corrects(const Amendment& amendment);
/// The new version says the same as the one before.
bool changes_nothing(const Amendment& amendment);
/// Was this result, named alone, reported for good with another value?
bool corrects(const Amendment& amendment, const ReportedResult& now);

/// French, one sentence a line: what is replaced, or completed, why, then each result that is corrected, made precise,
/// added or taken out.
std::string french(const Amendment& amendment);

}  // namespace sgl::domain
