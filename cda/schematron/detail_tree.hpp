// Inside schematron: libxml2's tree of a document, with what finds the candidates of a rule.
#pragma once

#include <libxml/tree.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sgl::cda::schematron::detail {

inline constexpr std::string_view hl7_namespace = "urn:hl7-org:v3";

inline std::string_view view(const xmlChar* text) {
    return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}
inline const xmlChar* chars(const char* text) {
    return reinterpret_cast<const xmlChar*>(text);
}

struct FreeXml {
    void operator()(xmlDoc* doc) const { xmlFreeDoc(doc); }
};
using Xml = std::unique_ptr<xmlDoc, FreeXml>;

/// Elements are known by their place in document order.
struct Tree {
    Xml doc;
    std::vector<xmlNode*> elements;
    std::unordered_map<std::string_view, std::vector<std::uint32_t>> by_name;  ///< local name; lives in doc
    std::unordered_map<std::string, std::vector<std::uint32_t>> by_template;   ///< hl7:templateId/@root of a child

    static std::uint32_t place(const xmlNode* element) {
        return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(element->_private) - 1);
    }
};

/// XML of the kit: no DOCTYPE, no network, no limit of depth. Null when it is not well-formed.
Xml parse_kit_file(std::string_view bytes);

/// As the rest of cda writes it: /ClinicalDocument/component/structuredBody/component[2]
std::string path_of(const xmlNode* node);

std::string attribute(const xmlNode* element, const char* name);

}  // namespace sgl::cda::schematron::detail
