// From a validated report to the words of the CR-BIO 2024.01: the bridge between the domain and `cda` (design D6, ring 1).
#pragma once

#include <string>

#include "cda/cr_bio.hpp"
#include "lib/base/result.hpp"
#include "lib/domain/report.hpp"

namespace sgl::compose {

/// The arcs under LegalEntity::oid that number what the laboratory itself numbers. An arc, once used, never changes.
std::string order_root(const domain::LegalEntity& entity);         ///< .1 our order numbers
std::string specimen_root(const domain::LegalEntity& entity);      ///< .2 tubes
std::string examination_root(const domain::LegalEntity& entity);   ///< .3 code system of local examination codes
std::string prescription_root(const domain::LegalEntity& entity);  ///< .4 prescription numbers as received
std::string isolate_root(const domain::LegalEntity& entity);       ///< .5 isolates: number of the culture and their own

/// `pdf`: the copy to carry, as PdfRenderer made it. Times are local, with the offset of the site's zone. Without a
/// qualified identity there is no INS in it, only the laboratory's patient number (cr-bio.md 4.1).
/// Refuses the first thing missing (domain::missing), then what CDA needs beside: OIDs, an unknown chapter, specimen
/// type, practice setting or facility type, a malformed LOINC code; `where` is the coordinate in the report.
Result<cda::CrBio> cr_bio(const domain::Report& report, std::string pdf);

}  // namespace sgl::compose
