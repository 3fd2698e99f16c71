#include "lib/delivery/dmp/xml.hpp"

#include <libxml/c14n.h>
#include <libxml/parser.h>

#include <limits>

#include "lib/base/text.hpp"

namespace sgl::dmp {

namespace {

std::string_view view(const xmlChar* text) {
    return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

struct FreeText {
    void operator()(xmlChar* text) const { xmlFree(text); }
};
using Text = std::unique_ptr<xmlChar, FreeText>;

/// The next node in document order, at or below `top`; without recursion, since depth comes from outside.
const xmlNode* next_node(const xmlNode* node, const xmlNode* top) {
    if (node->type == XML_ELEMENT_NODE && node->children != nullptr) return node->children;
    while (node != top) {
        if (node->next != nullptr) return node->next;
        node = node->parent;
    }
    return nullptr;
}

bool is_shallow(const xmlNode* root) {
    constexpr int deepest = 64;
    for (const xmlNode* node = root; node != nullptr; node = next_node(node, root)) {
        int depth = 0;
        for (const xmlNode* up = node; up != nullptr && depth <= deepest; up = up->parent)
            ++depth;
        if (depth > deepest) return false;
    }
    return true;
}

}  // namespace

void FreeDocument::operator()(xmlDoc* document) const {
    xmlFreeDoc(document);
}

Result<XmlDocument> read_xml(std::string_view bytes, Origin origin) {
    static const bool ready = [] {
        xmlInitParser();
        return true;
    }();
    static_cast<void>(ready);
    const auto refuse = [](std::string what) { return Error{Fault::malformed, "", std::move(what)}; };
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return refuse("the XML is too large");
    // No declaration of ours or of the partner's has one; a text that merely mentions it is refused with it.
    if (bytes.find("<!DOCTYPE") != std::string_view::npos) return refuse("the XML has a DOCTYPE");
    // HUGE: the PDF inside a report is one text node and may pass 10 MB.
    const int options =
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | (origin == Origin::ours ? XML_PARSE_HUGE : 0);
    XmlDocument document{xmlReadMemory(bytes.data(), static_cast<int>(bytes.size()), nullptr, nullptr, options)};
    if (!document || xmlDocGetRootElement(document.get()) == nullptr) return refuse("not well-formed XML");
    if (document->intSubset != nullptr) return refuse("the XML has a DOCTYPE");
    if (origin == Origin::outside && !is_shallow(xmlDocGetRootElement(document.get())))
        return refuse("the XML is too deep");
    return document;
}

Result<std::string> canonical_with_comments(std::string_view xml) {
    auto document = read_xml(xml, Origin::ours);
    if (!document) return document.error();
    xmlChar* bytes = nullptr;
    const int size = xmlC14NDocDumpMemory(document->get(), nullptr, XML_C14N_1_0, nullptr, 1, &bytes);
    const Text held{bytes};
    if (size < 0 || bytes == nullptr) return Error{Fault::malformed, "", "the XML has no canonical form"};
    return std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool is_element(const xmlNode* node, std::string_view name_space, std::string_view name) {
    return node != nullptr && node->type == XML_ELEMENT_NODE && view(node->name) == name && node->ns != nullptr &&
           view(node->ns->href) == name_space;
}

std::vector<const xmlNode*> find_elements(const xmlNode* from, std::string_view name_space, std::string_view name,
                                          std::size_t limit) {
    std::vector<const xmlNode*> found;
    for (const xmlNode* node = from; node != nullptr && found.size() < limit; node = next_node(node, from)) {
        if (is_element(node, name_space, name)) found.push_back(node);
    }
    return found;
}

const xmlNode* find_element(const xmlNode* from, std::string_view name_space, std::string_view name) {
    const auto found = find_elements(from, name_space, name, 1);
    return found.empty() ? nullptr : found.front();
}

std::string text_of(const xmlNode* element) {
    if (element == nullptr) return {};
    const Text text{xmlNodeGetContent(element)};
    return std::string(trim(view(text.get())));
}

std::string attribute_of(const xmlNode* element, const char* name) {
    if (element == nullptr) return {};
    const Text text{xmlGetNoNsProp(element, reinterpret_cast<const xmlChar*>(name))};
    return std::string(view(text.get()));
}

}  // namespace sgl::dmp
