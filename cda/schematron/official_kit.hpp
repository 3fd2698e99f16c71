// The official rules of the ANS (testContenuCDA 3.0) as ring 3 of design D6: the four families that need no more than
// XPath 1.0, in process. We ship no official file: the kit's bytes come from the caller.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cda/schematron/schema.hpp"
#include "lib/base/result.hpp"

namespace sgl::cda::schematron {

/// A published defect of the kit: findings that it explains are never shown as errors of a document. Empty matches all.
struct KnownDefect {
    std::string family;
    std::string pattern;
    std::string test;     ///< blanks count as one
    std::string message;  ///< a part of it
    std::string reason;

    bool explains(const Finding& finding) const;
};

struct Judgement {
    std::vector<Finding> findings;
    std::vector<Finding> of_the_kit;  ///< explained by a known defect
    std::vector<std::string> ran;     ///< families, "CR-BIO 2024.01" for the volet
    std::vector<std::string>
        not_run;  ///< families that apply and were not run, with the reason: never passed over in silence

    bool accepted() const;  ///< no error, and no test that couldn't be asked
};

/// Immutable and thread-safe once loaded.
class OfficialKit {
public:
    /// The folder holds `schematrons` and `jeuxDeValeurs` as published. A version of the volet that is incomplete is
    /// noted and not run; without one of the three other families it is no kit.
    static Result<OfficialKit> load(const Lookup& lookup, std::vector<KnownDefect> defects = {});

    /// The rules that apply to the bytes: those of the volet by the version that the document declares (as the ANS's
    /// validator chooses it), none for level 1 or for what is no CR-BIO. Fault::refused for hostile bytes.
    Result<Judgement> check(std::string_view bytes, const RunOptions& options = {}) const;

    const std::vector<std::string>& notes() const { return notes_; }
    std::size_t tests() const;

private:
    std::vector<Schema> general_;
    std::map<std::string, Schema, std::less<>> volets_;  ///< by version
    std::vector<KnownDefect> defects_;
    std::vector<std::string> notes_;
};

/// The version of the volet CR-BIO whose rules apply, empty when none do.
std::string volet_of(const Document& document);

}  // namespace sgl::cda::schematron
