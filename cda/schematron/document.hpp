// A document of anybody, parsed and indexed once so that every schema that judges it visits only its candidates.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "lib/base/result.hpp"

namespace sgl::cda::schematron {

/// What a document may ask of us (SEC-30 to SEC-32). No clock: the same document gets the same answer everywhere.
struct Limits {
    std::size_t max_bytes = 20UL * 1024 * 1024;
    std::size_t max_depth = 64;  ///< design D17
    std::size_t max_elements = 200'000;
    std::size_t max_attributes = 200;  ///< of one element
    unsigned long max_operations =
        20'000'000;                    ///< of XPath, for one schema; a report of 90 results takes about 100,000
    std::size_t max_findings = 1'000;  ///< of one schema
};

namespace detail {
struct Tree;
}

/// Nothing outside the bytes is ever read. Immutable: several threads may judge one document.
class Document {
public:
    /// The ClinicalDocument of a signed or self-presentable report is taken out of its envelope; any other root stays.
    /// Refuses DOCTYPE, what is not well-formed and what exceeds the limits; `where` is empty.
    static Result<Document> parse(std::string_view bytes, const Limits& limits = {});

    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();

    const detail::Tree& tree() const { return *tree_; }

private:
    explicit Document(std::unique_ptr<detail::Tree> tree);
    std::unique_ptr<detail::Tree> tree_;
};

}  // namespace sgl::cda::schematron
