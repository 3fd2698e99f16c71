// Any bytes are judged within bounds: no crash, no entity, no network; what is accepted has no error among its findings.
#include "cda/checker.hpp"

#include "test/fuzz/target.hpp"

void sgl::fuzz::one(std::string_view input) {
    static const cda::Checker checker;
    cda::CheckOptions options;
    options.identities = cda::CheckOptions::Identities::test;
    bool error = false;
    for (const auto& finding : checker.check(input, options)) {
        demand(!finding.what.empty(), "a finding says what is wrong");
        error = error || finding.severity == cda::Finding::Severity::error;
    }
    demand(checker.accept(input, options).has_value() == !error, "accepted means without error");
}

SGL_FUZZ_TARGET
