// A small streaming XML writer: UTF-8, always escaped, refusing what XML 1.0 cannot carry. The nesting of the calls is the
// nesting of the document (style, section 7).
#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::cda {

/// The first refusal sticks: its `where` is the XPath of the element being written, and take() gives it back instead of
/// the bytes. Names must outlive the writer (they are literals).
class XmlWriter {
public:
    struct Attribute {
        std::string_view name;
        std::string_view value;  ///< an empty value: the attribute is not written
    };
    using Attributes = std::initializer_list<Attribute>;

    /// Writes the declaration. `expected_bytes` only reserves memory.
    explicit XmlWriter(std::size_t expected_bytes = 64 * 1024);

    /// `<name …>` whatever children() writes `</name>`; an element without content becomes `<name …/>`.
    template <std::invocable Children>
    void element(std::string_view name, Attributes attributes, Children&& children) {
        open(name, attributes);
        std::forward<Children>(children)();
        close();
    }
    void element(std::string_view name, Attributes attributes = {});
    void element(std::string_view name, Attributes attributes, std::string_view content);

    /// One more attribute of the element just opened, written even when empty; before any child or text.
    void attribute(std::string_view name, std::string_view value);

    void text(std::string_view utf8);

    /// A refusal at the present place, or at a child of it; only the first counts.
    void refuse(Fault fault, std::string what, std::string_view child = {});
    /// refuse(Fault::missing…) unless present.
    void require(bool present, std::string_view what, std::string_view child = {});
    bool refused() const { return error_.has_value(); }

    /// XPath of the element being written: `/ClinicalDocument/component/structuredBody/component[2]`.
    std::string path() const;

    /// The document, or the first refusal. The writer is empty afterwards.
    Result<std::string> take();

private:
    struct Level {
        std::string_view name;
        unsigned position{1};  ///< among siblings of the same name
        std::vector<std::pair<std::string_view, unsigned>> children;
    };

    void open(std::string_view name, Attributes attributes);
    void close();
    void close_tag();
    void escape(std::string_view utf8, bool in_attribute);

    std::string out_;
    std::vector<Level> levels_;
    std::size_t depth_{};
    bool tag_open_{false};
    std::optional<Error> error_;
};

/// Bytes of a well-formed XML 1.0 text? (UTF-8 without controls but tab, line feed, carriage return; no U+FFFE, U+FFFF.)
bool is_xml_text(std::string_view utf8);

}  // namespace sgl::cda
