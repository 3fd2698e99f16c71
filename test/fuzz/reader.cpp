// Any bytes are read or refused within bounds: no crash, no entity, no network; indexes of what was read point at
// something; the standard's rules judge the same bytes without crashing, and what can't be read is never accepted by
// them.
#include "cda/checker.hpp"
#include "cda/read.hpp"

#include "test/fuzz/target.hpp"

namespace {

using namespace sgl;

void look(const cda::received::Document& document, const cda::received::Result& result) {
    fuzz::demand(result.section < document.sections.size(), "a result stands in a section");
    fuzz::demand(!result.group || *result.group < document.groups.size(), "a result stands in a group");
    for (const auto& value : result.values)
        (void)cda::received::to_text(value);
    (void)result.label();
    (void)document.performer_of(result);
    for (const auto& each : result.previous)
        look(document, each);
    for (const auto& each : result.parts)
        look(document, each);
}

}  // namespace

void sgl::fuzz::one(std::string_view input) {
    cda::CheckOptions options;
    options.identities = cda::CheckOptions::Identities::any;
    bool error = false;
    for (const auto& finding : cda::check_standard(input, options)) {
        demand(!finding.what.empty() && !finding.phrase.empty(), "a finding says what is wrong, to both readers");
        error = error || finding.severity == cda::Finding::Severity::error;
    }
    const auto document = cda::read(input);
    demand(document || error, "what can't be read is an error");
    if (!document) return;
    for (const auto& section : document->sections)
        demand(!section.parent || *section.parent < document->sections.size(), "a parent");
    for (const auto& group : document->groups) {
        demand(group.section < document->sections.size(), "a group stands in a section");
        demand(!group.parent || *group.parent < document->groups.size(), "a group's parent");
    }
    for (const auto& result : document->results)
        look(*document, result);
}

SGL_FUZZ_TARGET
