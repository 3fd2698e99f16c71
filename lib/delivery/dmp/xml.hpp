// XML from outside and for signing: read from memory without network nor DTD (style, section 7), and its canonical
// form.
#pragma once

#include <libxml/tree.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"

namespace sgl::dmp {

struct FreeDocument {
    void operator()(xmlDoc* document) const;
};
using XmlDocument = std::unique_ptr<xmlDoc, FreeDocument>;

/// Whose bytes they are. What comes from outside is at most 64 elements deep, and has no text above 10 MB; ours may
/// hold a PDF of any size.
enum class Origin : std::uint8_t { ours, outside };

/// Fault::malformed when the bytes are not well-formed XML, hold a DOCTYPE, or exceed the limits of their origin. Never
/// tells what stands in them.
Result<XmlDocument> read_xml(std::string_view bytes, Origin origin);

/// Canonical XML 1.0 with comments of the whole of one of our documents (the transform of dmp.md 5.5).
Result<std::string> canonical_with_comments(std::string_view xml);

/// First element of that name at or below `from`, in document order; null when there is none.
const xmlNode* find_element(const xmlNode* from, std::string_view name_space, std::string_view name);
/// All of them, at most `limit`.
std::vector<const xmlNode*> find_elements(const xmlNode* from, std::string_view name_space, std::string_view name,
                                          std::size_t limit);

bool is_element(const xmlNode* node, std::string_view name_space, std::string_view name);
std::string text_of(const xmlNode* element);                         ///< trimmed; empty for null
std::string attribute_of(const xmlNode* element, const char* name);  ///< without namespace; empty when absent

}  // namespace sgl::dmp
