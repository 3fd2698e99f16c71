// Ring 2 of design D6, in two parts. `Checker` is our own closed profile, for documents that we composed: our closed schema and
// the rules that no official validator applies (spec/cr-bio.md 9). `check_standard` is the standard's part, for a document of
// anybody, of any version. Neither reads a file or the network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::cda {

/// One thing found. No text holds data of the document.
struct Finding {
    enum class Severity : std::uint8_t { warning, error };
    Severity severity{Severity::error};
    std::string where;   ///< XPath
    std::string what;    ///< English, for the laboratory's IT
    std::string phrase;  ///< French, for the biologist

    friend bool operator==(const Finding&, const Finding&) = default;
};

struct CheckOptions {
    /// Which INS OIDs may appear (design D17): a production instance refuses .10 and .11, a test instance .8 and .9.
    enum class Identities : std::uint8_t { production, test, any };
    Identities identities{Identities::production};
};

/// What breaks the standard in the bytes of any CDA document: a CR-BIO of 2021.01, 2023.01 or 2024.01, level 3 or 1, alone, in a
/// style sheet or in a signature (not verified); another CDA of the CI-SIS is judged by the rules of the header. When the
/// bytes are no document, or a hostile one, that is the only finding. Thread-safe.
std::vector<Finding> check_standard(std::string_view bytes, const CheckOptions& options = {});

/// Build once (parses the schemas, about 10 ms of processor), then check from any thread.
class Checker {
public:
    static constexpr std::size_t max_bytes = 20 * 1024 * 1024;  ///< SEC-32
    static constexpr std::size_t max_depth = 64;                ///< design D17
    static constexpr std::size_t max_elements = 200'000;
    static constexpr std::size_t max_attributes = 200;

    Checker();
    ~Checker();
    Checker(const Checker&) = delete;
    Checker& operator=(const Checker&) = delete;

    /// Everything found, in document order per rule; empty when nothing is. When the bytes are not a well-formed document
    /// of the profile's syntax, that is the only finding; when the schema refuses, the rules still run.
    std::vector<Finding> check(std::string_view bytes, const CheckOptions& options = {}) const;

    /// The same as a refusal: the first error as Fault::refused; warnings pass.
    Result<void> accept(std::string_view bytes, const CheckOptions& options = {}) const;

private:
    struct Grammar;
    std::unique_ptr<Grammar> grammar_;
};

}  // namespace sgl::cda
