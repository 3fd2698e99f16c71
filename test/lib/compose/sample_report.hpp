// Reports of invented people with official test identities, for the tests of everything that takes a report.
#pragma once

#include "lib/domain/report.hpp"

namespace sgl::test {

/// Complete, version 1, qualified test INS: 4 chapters (haematology, coagulation, biochemistry, microbiology); numeric,
/// `<`, coded and text results, all flags, previous results, comments, one local code without LOINC; prescriber, a second
/// correspondent, collector, two specimens.
domain::Report sample_report();

/// The same, with an identity that is validated only: its INS must not appear anywhere.
domain::Report sample_without_qualified_ins();

/// The same report, version 2, replacing the first.
domain::Report sample_second_version();

/// One chapter, five results: one page.
domain::Report sample_short_report();

/// `count` results spread over six chapters.
domain::Report sample_long_report(unsigned count = 90);

}  // namespace sgl::test
