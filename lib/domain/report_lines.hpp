// Results one by one, as they are signed and kept, and the chapters that they make: what is said of an isolate is put
// together here (hl7v2-lab 8.8).
#pragma once

#include <string>
#include <vector>

#include "lib/domain/report.hpp"

namespace sgl::domain {

struct ReportedLine {
    ResultId result;
    std::string chapter;  ///< LOINC
    std::string chapter_label;
    ReportedResult reported;
    std::string isolate;  ///< as in ReportedIsolate; empty: of no culture, or of one where nothing grew
    ValueKind kind{};     ///< of a line of a culture: organism, antibiotic, or of what else was said of the isolate
    bool preliminary{};   ///< came with status P
    bool printed{true};   ///< false: for the biologist, not for the report (selective reporting)
};

/// Chapters in the order of their first lines, each line in its own. An isolate stands in the chapter of its organism,
/// in that of its first line when nothing names it; isolates come in the order of their numbers. What is not printed is
/// left out, with all that is said of an isolate whose organism is not.
std::vector<ReportedChapter> chapters_of(const std::vector<ReportedLine>& lines);

/// The result as a sentence names it, out of its table: what is said of an isolate with its germ, and with the letter
/// of its antibiogram. Results of two isolates have two codes.
ReportedResult named_alone(const ReportedLine& line, const std::vector<ReportedLine>& lines);

/// `1001-1#2` before `1001-1#10`.
bool comes_before(std::string_view isolate, std::string_view other);

}  // namespace sgl::domain
