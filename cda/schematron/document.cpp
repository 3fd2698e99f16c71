#include "cda/schematron/document.hpp"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>

#include <climits>

#include "cda/schematron/detail_tree.hpp"

namespace sgl::cda::schematron {

namespace detail {

namespace {

struct FreeContext {
    void operator()(xmlParserCtxt* context) const { xmlFreeParserCtxt(context); }
};

/// Counts while libxml2 parses, and stops it: a bomb must not be built before it is refused.
struct Guard {
    Limits limits;
    std::size_t elements{0};
    const char* refusal{nullptr};
};

void refuse(xmlParserCtxt* context, const char* why) {
    static_cast<Guard*>(context->_private)->refusal = why;
    xmlStopParser(context);
}

extern "C" {
static void on_doctype(void* data, const xmlChar*, const xmlChar*, const xmlChar*) {
    refuse(static_cast<xmlParserCtxt*>(data), "the document has a DOCTYPE");
}
static void on_element(void* data, const xmlChar* name, const xmlChar* prefix, const xmlChar* uri, int namespaces,
                       const xmlChar** declared, int attributes, int defaulted, const xmlChar** values) {
    auto* context = static_cast<xmlParserCtxt*>(data);
    auto& guard = *static_cast<Guard*>(context->_private);
    if (guard.refusal != nullptr) return;
    if (++guard.elements > guard.limits.max_elements) return refuse(context, "the document has too many elements");
    if (static_cast<std::size_t>(context->nodeNr) + 1 > guard.limits.max_depth)
        return refuse(context, "the document is too deep");
    if (static_cast<std::size_t>(attributes) + static_cast<std::size_t>(namespaces) > guard.limits.max_attributes)
        return refuse(context, "an element has too many attributes");
    xmlSAX2StartElementNs(data, name, prefix, uri, namespaces, declared, attributes, defaulted, values);
}
}

Xml parse(std::string_view bytes, Guard& guard) {
    static const bool ready = [] {
        xmlInitParser();
        return true;
    }();
    static_cast<void>(ready);
    const std::unique_ptr<xmlParserCtxt, FreeContext> context{xmlNewParserCtxt()};
    if (context == nullptr || bytes.size() > INT_MAX) return nullptr;
    context->_private = &guard;
    context->sax->internalSubset = on_doctype;
    context->sax->startElementNs = on_element;
    // HUGE: the PDF inside a report is one text node and may pass 10 MB.
    constexpr int options =
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE | XML_PARSE_COMPACT;
    Xml doc{xmlCtxtReadMemory(context.get(), bytes.data(), static_cast<int>(bytes.size()), nullptr, nullptr, options)};
    if (guard.refusal != nullptr || doc == nullptr || xmlDocGetRootElement(doc.get()) == nullptr) return nullptr;
    if (doc->intSubset != nullptr) return nullptr;
    return doc;
}

bool is_hl7(const xmlNode* node) {
    return node->ns != nullptr && view(node->ns->href) == hl7_namespace;
}

/// The next element in document order; null at the end of `root`.
xmlNode* next_element(xmlNode* node, const xmlNode* root) {
    const auto first = [](xmlNode* from) {
        while (from != nullptr && from->type != XML_ELEMENT_NODE)
            from = from->next;
        return from;
    };
    if (auto* child = first(node->children)) return child;
    while (node != nullptr && node != root) {
        if (auto* sibling = first(node->next)) return sibling;
        node = node->parent;
    }
    return nullptr;
}

}  // namespace

Xml parse_kit_file(std::string_view bytes) {
    Guard guard;
    guard.limits.max_depth = 1'000;
    guard.limits.max_elements = 2'000'000;
    guard.limits.max_attributes = 1'000;
    auto doc = parse(bytes, guard);
    if (doc) xmlXPathOrderDocElems(doc.get());
    return doc;
}

std::string attribute(const xmlNode* element, const char* name) {
    xmlChar* value = xmlGetNoNsProp(element, chars(name));
    std::string text(view(value));
    xmlFree(value);
    return text;
}

std::string path_of(const xmlNode* node) {
    std::string path;
    for (; node != nullptr && node->type == XML_ELEMENT_NODE; node = node->parent) {
        unsigned position = 1;
        for (const xmlNode* before = node->prev; before != nullptr; before = before->prev)
            if (before->type == XML_ELEMENT_NODE && view(before->name) == view(node->name)) ++position;
        std::string step = "/" + std::string(view(node->name));
        if (position > 1) step += "[" + std::to_string(position) + "]";
        path.insert(0, step);
    }
    return path.empty() ? "/" : path;
}

}  // namespace detail

Document::Document(std::unique_ptr<detail::Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view bytes, const Limits& limits) {
    using namespace detail;
    if (bytes.size() > limits.max_bytes) return Error{Fault::refused, "", "the document is too large"};
    Guard guard{limits};
    auto doc = detail::parse(bytes, guard);
    if (guard.refusal != nullptr) return Error{Fault::refused, "", guard.refusal};
    if (doc == nullptr) return Error{Fault::malformed, "", "the document is not well-formed XML"};
    auto* root = xmlDocGetRootElement(doc.get());
    auto* clinical = root;
    while (clinical != nullptr && !(is_hl7(clinical) && view(clinical->name) == "ClinicalDocument"))
        clinical = next_element(clinical, root);
    if (clinical != nullptr && clinical != root) {
        Xml inner{xmlNewDoc(chars("1.0"))};
        auto* copy = inner == nullptr ? nullptr : xmlDocCopyNode(clinical, inner.get(), 1);
        if (copy == nullptr) return Error{Fault::unavailable, "", "not enough memory for the document"};
        xmlDocSetRootElement(inner.get(), copy);
        doc = std::move(inner);
        root = copy;
    }
    xmlXPathOrderDocElems(doc.get());
    auto tree = std::make_unique<Tree>();
    for (auto* node = root; node != nullptr; node = next_element(node, root)) {
        const auto place = static_cast<std::uint32_t>(tree->elements.size());
        tree->elements.push_back(node);
        node->_private = reinterpret_cast<void*>(static_cast<std::uintptr_t>(place) + 1);
        const auto name = view(node->name);
        tree->by_name[name].push_back(place);
        if (name == "templateId" && is_hl7(node) && node != root) {
            auto& holders = tree->by_template[attribute(node, "root")];
            const auto holder = Tree::place(node->parent);
            if (holders.empty() || holders.back() != holder) holders.push_back(holder);
        }
    }
    tree->doc = std::move(doc);
    return Document(std::move(tree));
}

}  // namespace sgl::cda::schematron
