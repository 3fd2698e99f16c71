// A Schematron schema (ISO/IEC 19757-3) run in process: ring 3 of design D6. XPath 1.0 by libxml2, with document() and
// current() of XSLT; a schema that needs more is refused when it is compiled, with the place.
//
// What runs as the reference does it: includes, abstract patterns and rules, phases, `let` at each level, first
// matching rule of a pattern per element, assert and report, value-of and name in messages. Contexts match elements and
// the document, never attributes or text, as in the reference. A `let` of a pattern is seen by the whole schema, as the
// kit of the ANS needs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cda/schematron/document.hpp"
#include "lib/base/result.hpp"

namespace sgl::cda::schematron {

namespace detail {
struct Program;
class Evaluator;
}  // namespace detail

/// Gives the bytes of a file of the kit, by its path below the kit's folder ("schematrons/profils/IHE.sch"); nothing
/// when it isn't there. A path never begins with `/` nor holds `..`. Called while compiling only.
using Lookup = std::function<std::optional<std::string>(const std::string& path)>;

struct Finding {
    enum class Kind : std::uint8_t {
        failed_assert,
        true_report,
        unevaluated,  ///< the test can't be asked of this document: not a defect of the document, and not passed either
    };
    Kind kind{};
    std::string family;
    std::string pattern;  ///< id, or "pattern-7"
    std::string context;
    std::string test;
    std::string message;  ///< without data of the document, unless asked for: "…" stands for a value
    std::string where;    ///< XPath
    std::string role;     ///< "error" when the kit says nothing

    /// Warnings and remarks of the kit never reject a document.
    bool is_error() const { return role != "warning" && role != "info" && role != "information" && role != "hint"; }
    friend bool operator==(const Finding&, const Finding&) = default;
};

struct RunOptions {
    Limits limits;
    bool values{false};  ///< messages with the values that they quote: data of the patient
};

/// Immutable and thread-safe once compiled.
class Schema {
public:
    /// `path` is of the main file; `phase` empty: the schema's default. Every expression is compiled here.
    static Result<Schema> compile(std::string family, const std::string& path, const Lookup& lookup,
                                  const std::string& phase = {});

    Schema(Schema&&) noexcept;
    Schema& operator=(Schema&&) noexcept;
    ~Schema();

    /// In the order of the reference: pattern by pattern, document order in each. Fault::refused when the document asks
    /// for more than the limits allow.
    Result<std::vector<Finding>> check(const Document& document, const RunOptions& options = {}) const;

    /// What is wrong with the schema itself and was passed over: a pattern or a file that is missing.
    const std::vector<std::string>& notes() const;
    std::size_t patterns() const;
    std::size_t rules() const;
    std::size_t tests() const;

private:
    struct Shared;
    explicit Schema(std::unique_ptr<Shared> shared);
    std::unique_ptr<Shared> shared_;
};

}  // namespace sgl::cda::schematron
