// Ring 2 of design D6: proves the bytes of a CR-BIO against our closed schema of the profile and against the rules that no
// official validator applies (spec/cr-bio.md 9). Reads no file and no network.
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
    enum class Identities : std::uint8_t { production, test };
    Identities identities{Identities::production};
};

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
