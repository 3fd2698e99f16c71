// Reports of invented people (official test identity) from which the golden documents and the planted defects are made.
#pragma once

#include "cda/cr_bio.hpp"

namespace sgl::cda::test {

/// Two sites of care, three chapters (one with sub-chapters), every value type, flags, ranges, previous results, comments,
/// two biologists, prescriber, collector, correspondents; qualified INS. Version 2 of its set.
CrBio rich_report();

/// One chapter, identity not qualified: no INS anywhere, local number only.
CrBio report_without_ins();

/// What is allowed to be unknown is: birth year only, no gender, address, prescriber's number, order, release; partial results.
CrBio sparse_report();

}  // namespace sgl::cda::test
