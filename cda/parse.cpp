#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <xercesc/framework/MemBufInputSource.hpp>
#include <xercesc/framework/XMLValidityCodes.hpp>
#include <xercesc/sax2/Attributes.hpp>
#include <xercesc/sax2/DefaultHandler.hpp>
#include <xercesc/util/PlatformUtils.hpp>
#include <xercesc/util/SecurityManager.hpp>
#include <xercesc/util/XMLUni.hpp>

#include "cda/checker.hpp"
#include "cda/detail_parse.hpp"
#include "lib/base/text.hpp"
#include "lib/base/utf8.hpp"

namespace sgl::cda::detail {

namespace {

constexpr std::string_view not_well_formed = "the document is not well-formed XML";
constexpr std::string_view clinical_document = "ClinicalDocument";

void append_utf8(std::string& out, const XMLCh* text, XMLSize_t length) {
    for (XMLSize_t i = 0; i < length; ++i) {
        char32_t c = text[i];
        if (c >= 0xD800 && c < 0xDC00 && i + 1 < length) c = 0x10000 + ((c - 0xD800) << 10) + (text[++i] - 0xDC00U);
        sgl::utf8::append(out, c);
    }
}

// Xerces writes the values it dislikes into most of its messages; only those that hold names alone may be shown.
bool holds_names_only(const XMLCh* domain, unsigned code) {
    using xercesc::XMLValid;
    if (!xercesc::XMLString::equals(domain, xercesc::XMLUni::fgValidityDomain)) return false;
    switch (code) {
        case XMLValid::ElementNotDefined:
        case XMLValid::AttNotDefinedForElement:
        case XMLValid::RequiredAttrNotProvided:
        case XMLValid::ElementNotValidForContent:
        case XMLValid::NotEnoughElemsForCM:
        case XMLValid::EmptyNotValidForContent:
        case XMLValid::NoCharDataInCM:
            return true;
        default:
            return false;
    }
}

struct Namespace {
    const char16_t* uri;
    std::string_view prefix;
};
constexpr Namespace known_namespaces[] = {
    {u"urn:hl7-org:v3", ""},
    {u"urn:oid:1.3.6.1.4.1.19376.1.3.2", "lab:"},
    {u"urn:hl7-org:sdtc", "sdtc:"},
    {u"urn:dicom-org:ps3-20", "ps3-20:"},
    {u"http://www.w3.org/2001/XMLSchema-instance", "xsi:"},
    {u"http://www.w3.org/2000/09/xmldsig#", "ds:"},
    {u"http://www.w3.org/1999/XSL/Transform", "xsl:"},
    {u"http://www.w3.org/XML/1998/namespace", "xml:"},
};

std::string name_of(const XMLCh* uri, const XMLCh* local, bool is_attribute) {
    std::string name;
    if (uri == nullptr || *uri == 0) {
        if (!is_attribute) name = "{}";
    } else {
        const auto* known = std::ranges::find_if(
            known_namespaces, [&](const Namespace& each) { return xercesc::XMLString::equals(each.uri, uri); });
        if (known != std::end(known_namespaces) && !(is_attribute && known->prefix.empty()))
            name = known->prefix;
        else
            name = "{" + utf8(uri) + "}";
    }
    append_utf8(name, local, xercesc::XMLString::stringLen(local));
    return name;
}

}  // namespace

// Builds the tree of ClinicalDocument; bounds depth and counts of the whole.
class TreeBuilder final : public xercesc::DefaultHandler {
public:
    TreeBuilder(Tree& tree, SchemaErrors* errors) : tree_(tree), errors_(errors) {}

    void startElement(const XMLCh* uri, const XMLCh* local, const XMLCh*,
                      const xercesc::Attributes& attributes) override {
        if (++depth_ > Checker::max_depth) throw Unreadable{here(), "elements nest too deeply"};
        if (++count_ > Checker::max_elements) throw Unreadable{"/", "the document has too many elements"};
        if (attributes.getLength() > Checker::max_attributes)
            throw Unreadable{here(), "an element has too many attributes"};
        auto name = name_of(uri, local, false);
        if (open_.empty()) {
            const bool wanted = name == clinical_document;
            if (depth_ == 1 && !wanted) {
                if (name != "ds:Signature" && name != "xsl:stylesheet" && name != "xsl:transform")
                    throw Unreadable{"/", "the document is not a ClinicalDocument", false};
                tree_.envelope = name;
            }
            if (!wanted) return;
            if (!tree_.elements.empty()) throw Unreadable{"/", "there is more than one ClinicalDocument"};
        }
        auto& element = tree_.elements.emplace_back();
        element.name = std::move(name);
        element.parent = open_.empty() ? nullptr : open_.back();
        element.attributes.reserve(attributes.getLength());
        for (XMLSize_t i = 0; i < attributes.getLength(); ++i) {
            auto key = name_of(attributes.getURI(i), attributes.getLocalName(i), true);
            auto value = utf8(attributes.getValue(i));
            if (key == "xsi:type") value.erase(0, value.find(':') + 1);  // npos + 1 is 0
            element.attributes.emplace_back(std::move(key), std::move(value));
        }
        if (!open_.empty()) {
            element.position = ++siblings_.back()[element.name];
            open_.back()->children.push_back(&element);
            open_.back()->places.push_back(open_.back()->text.size());
        }
        open_.push_back(&element);
        siblings_.emplace_back();
    }
    void endElement(const XMLCh*, const XMLCh*, const XMLCh*) override {
        --depth_;
        if (open_.empty()) return;
        open_.pop_back();
        siblings_.pop_back();
    }
    void characters(const XMLCh* chars, XMLSize_t length) override {
        if (!open_.empty()) append_utf8(open_.back()->text, chars, length);
    }
    void startDTD(const XMLCh*, const XMLCh*, const XMLCh*) override { throw Unreadable{"/", "a DOCTYPE is refused"}; }
    xercesc::InputSource* resolveEntity(const XMLCh*, const XMLCh*) override {
        throw Unreadable{"/", "the document refers to something outside itself"};
    }

    void invalid(const XMLCh* domain, unsigned code, const XMLCh* message) {
        if (errors_ == nullptr) throw Unreadable{here(), std::string(not_well_formed), false};
        errors_->invalid(here(), holds_names_only(domain, code) ? utf8(message) : std::string());
    }
    std::string here() const { return open_.empty() ? "/" : open_.back()->path(); }

private:
    Tree& tree_;
    SchemaErrors* errors_;
    std::vector<Element*> open_;
    std::vector<std::unordered_map<std::string_view, unsigned>> siblings_;  // children of each open element by name
    std::size_t depth_{};
    std::size_t count_{};
};

Reader::Reader(xercesc::XMLGrammarPool* pool) : SAX2XMLReaderImpl(xercesc::XMLPlatformUtils::fgMemoryManager, pool) {}

void Reader::error(unsigned int code, const XMLCh* domain, ErrTypes type, const XMLCh* text, const XMLCh*, const XMLCh*,
                   XMLFileLoc line, XMLFileLoc) {
    if (builder == nullptr) throw std::logic_error("our schema, line " + std::to_string(line) + ": " + utf8(text));
    if (type == ErrType_Fatal) throw Unreadable{builder->here(), std::string(not_well_formed), false};
    builder->invalid(domain, code, text);
}

void initialise_xerces() {
    static std::once_flag once;
    std::call_once(once, [] { xercesc::XMLPlatformUtils::Initialize(); });  // for the life of the process
}

std::string utf8(const XMLCh* text) {
    std::string out;
    append_utf8(out, text, xercesc::XMLString::stringLen(text));
    return out;
}

namespace {

// The encoding that the declaration names; the standard wants UTF-8, old senders write Latin ones.
std::string declared_encoding(std::string_view bytes) {
    if (!bytes.starts_with("<?xml")) return {};
    const auto declaration = bytes.substr(0, std::min(bytes.find("?>"), std::size_t{200}));
    const auto at = declaration.find("encoding");
    if (at == std::string_view::npos) return {};
    const auto open = declaration.find_first_of("\"'", at);
    if (open == std::string_view::npos) return {};
    const auto close = declaration.find(declaration[open], open + 1);
    if (close == std::string_view::npos) return {};
    return to_upper_ascii(declaration.substr(open + 1, close - open - 1));
}

}  // namespace

Tree parse(std::string_view bytes, xercesc::XMLGrammarPool* pool, SchemaErrors* errors) {
    using xercesc::XMLUni;
    initialise_xerces();
    if (bytes.size() > Checker::max_bytes) throw Unreadable{"/", "the document is too large"};
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    Tree tree;
    tree.encoding = declared_encoding(bytes);
    constexpr std::string_view readable[] = {"",           "UTF-8",       "UTF8",        "US-ASCII",
                                             "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252"};
    if (std::ranges::find(readable, std::string_view(tree.encoding)) == std::end(readable))
        throw Unreadable{"/", "the document declares an encoding other than UTF-8 and the Latin ones"};
    const bool unicode = tree.encoding.empty() || tree.encoding == "UTF-8" || tree.encoding == "UTF8";
    if (unicode && !is_utf8(bytes)) throw Unreadable{"/", "the document is not UTF-8"};
    if (bytes.find('\0') != std::string_view::npos) throw Unreadable{"/", std::string(not_well_formed), false};
    if (bytes.find("<!DOCTYPE") != std::string_view::npos) throw Unreadable{"/", "a DOCTYPE is refused"};

    TreeBuilder builder{tree, errors};
    const bool judged = pool != nullptr;
    const auto scan = [&] {
        Reader reader{pool};
        reader.builder = &builder;
        reader.setContentHandler(&builder);
        reader.setLexicalHandler(&builder);
        reader.setEntityResolver(&builder);
        reader.setErrorHandler(&builder);
        reader.setFeature(XMLUni::fgSAX2CoreNameSpaces, true);
        reader.setFeature(XMLUni::fgSAX2CoreNameSpacePrefixes, false);
        reader.setFeature(XMLUni::fgSAX2CoreValidation, judged);
        reader.setFeature(XMLUni::fgXercesDynamic, false);
        reader.setFeature(XMLUni::fgXercesSchema, judged);
        reader.setFeature(XMLUni::fgXercesUseCachedGrammarInParse, judged);
        reader.setFeature(XMLUni::fgXercesCacheGrammarFromParse, false);
        reader.setFeature(XMLUni::fgXercesLoadSchema, false);
        reader.setFeature(XMLUni::fgXercesLoadExternalDTD, false);
        reader.setFeature(XMLUni::fgXercesDisableDefaultEntityResolution, true);
        reader.setFeature(XMLUni::fgXercesIdentityConstraintChecking, false);
        xercesc::SecurityManager security;
        security.setEntityExpansionLimit(100);
        reader.setProperty(XMLUni::fgXercesSecurityManager, &security);
        const xercesc::MemBufInputSource source(reinterpret_cast<const XMLByte*>(bytes.data()), bytes.size(),
                                                "document");
        reader.parse(source);
    };
    try {
        scan();
    } catch (const xercesc::XMLException&) {
        throw Unreadable{"/", std::string(not_well_formed), false};
    } catch (const xercesc::SAXException&) {
        throw Unreadable{"/", std::string(not_well_formed), false};
    }
    if (tree.elements.empty()) throw Unreadable{"/", "the document is not a ClinicalDocument", false};
    return tree;
}

}  // namespace sgl::cda::detail
