#include "cda/checker.hpp"

#include <mutex>
#include <stdexcept>
#include <xercesc/framework/MemBufInputSource.hpp>
#include <xercesc/framework/XMLGrammarPoolImpl.hpp>
#include <xercesc/framework/XMLValidityCodes.hpp>
#include <xercesc/parsers/SAX2XMLReaderImpl.hpp>
#include <xercesc/sax2/Attributes.hpp>
#include <xercesc/sax2/DefaultHandler.hpp>
#include <xercesc/util/PlatformUtils.hpp>
#include <xercesc/util/SecurityManager.hpp>
#include <xercesc/util/XMLUni.hpp>

#include "cda/detail_rules.hpp"
#include "cda/schema/embedded.hpp"
#include "lib/base/text.hpp"
#include "lib/base/utf8.hpp"

namespace sgl::cda {

namespace {

using detail::Element;
using detail::Findings;
using detail::Tree;

constexpr std::string_view it_should_look =
    "Le compte rendu produit n'est pas conforme : il n'a pas été envoyé ; prévenez l'informatique du laboratoire.";

struct Unreadable {
    std::string where;
    std::string what;
};

void append_utf8(std::string& out, const XMLCh* text, XMLSize_t length) {
    for (XMLSize_t i = 0; i < length; ++i) {
        char32_t c = text[i];
        if (c >= 0xD800 && c < 0xDC00 && i + 1 < length) c = 0x10000 + ((c - 0xD800) << 10) + (text[++i] - 0xDC00U);
        sgl::utf8::append(out, c);
    }
}

std::string utf8(const XMLCh* text) {
    std::string out;
    append_utf8(out, text, xercesc::XMLString::stringLen(text));
    return out;
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
        default: return false;
    }
}

// Builds the tree; refuses what SEC-30 to SEC-32 refuse.
class TreeBuilder final : public xercesc::DefaultHandler {
public:
    TreeBuilder(Tree& tree, Findings& findings) : tree_(tree), findings_(findings) {}

    void startElement(const XMLCh*, const XMLCh*, const XMLCh* qname, const xercesc::Attributes& attributes) override {
        if (open_.size() == Checker::max_depth) throw Unreadable{here(), "elements nest too deeply"};
        if (tree_.elements.size() == Checker::max_elements) throw Unreadable{"/", "the document has too many elements"};
        if (attributes.getLength() > Checker::max_attributes) throw Unreadable{here(), "an element has too many attributes"};
        auto& element = tree_.elements.emplace_back();
        element.name = utf8(qname);
        element.parent = open_.empty() ? nullptr : open_.back();
        element.attributes.reserve(attributes.getLength());
        for (XMLSize_t i = 0; i < attributes.getLength(); ++i)
            element.attributes.emplace_back(utf8(attributes.getQName(i)), utf8(attributes.getValue(i)));
        if (!open_.empty()) open_.back()->children.push_back(&element);
        open_.push_back(&element);
    }
    void endElement(const XMLCh*, const XMLCh*, const XMLCh*) override { open_.pop_back(); }
    void characters(const XMLCh* chars, XMLSize_t length) override {
        if (!open_.empty()) append_utf8(open_.back()->text, chars, length);
    }
    void startDTD(const XMLCh*, const XMLCh*, const XMLCh*) override { throw Unreadable{"/", "a DOCTYPE is refused"}; }
    xercesc::InputSource* resolveEntity(const XMLCh*, const XMLCh*) override {
        throw Unreadable{"/", "the document refers to something outside itself"};
    }

    void invalid(const XMLCh* domain, unsigned code, const XMLCh* message) {
        auto what = "the closed schema of the profile refuses this" +
                    (holds_names_only(domain, code) ? ": " + utf8(message) : " value (" + std::to_string(code) + ")");
        findings_.error(here(), what, it_should_look);
    }
    std::string here() const { return open_.empty() ? "/" : open_.back()->path(); }

private:
    Tree& tree_;
    Findings& findings_;
    std::vector<Element*> open_;
};

// The reader gives error codes to its error() only, hence the subclass.
class Reader final : public xercesc::SAX2XMLReaderImpl {
public:
    explicit Reader(xercesc::XMLGrammarPool* pool)
        : SAX2XMLReaderImpl(xercesc::XMLPlatformUtils::fgMemoryManager, pool) {}
    TreeBuilder* builder{};

    void error(const unsigned int code, const XMLCh* const domain, const ErrTypes type, const XMLCh* const text,
               const XMLCh* const, const XMLCh* const, const XMLFileLoc line, const XMLFileLoc) override {
        if (builder == nullptr) throw std::logic_error("our schema, line " + std::to_string(line) + ": " + utf8(text));
        if (type == ErrType_Fatal) throw Unreadable{builder->here(), "the document is not well-formed XML"};
        builder->invalid(domain, code, text);
    }
};

class SchemaResolver final : public xercesc::EntityResolver {
public:
    xercesc::InputSource* resolveEntity(const XMLCh*, const XMLCh* system_id) override {
        if (!utf8(system_id).ends_with("lab.xsd")) throw std::logic_error("our schema imports something unknown");
        return new xercesc::MemBufInputSource(reinterpret_cast<const XMLByte*>(schema::lab.data()), schema::lab.size(),
                                              "lab.xsd");
    }
};

void initialise_xerces() {
    static std::once_flag once;
    std::call_once(once, [] { xercesc::XMLPlatformUtils::Initialize(); });  // for the life of the process
}

// Cheap refusals on the bytes, before any parser sees them. The profile has no comment, CDATA, DOCTYPE or instruction.
void refuse_foreign_syntax(std::string_view bytes) {
    constexpr std::string_view declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    if (bytes.size() > Checker::max_bytes) throw Unreadable{"/", "the document is too large"};
    if (!bytes.starts_with(declaration)) throw Unreadable{"/", "the document does not declare XML 1.0 in UTF-8"};
    if (bytes.find("<!") != std::string_view::npos)
        throw Unreadable{"/", "a DOCTYPE, a comment or a CDATA section is refused"};
    if (bytes.find("<?", declaration.size()) != std::string_view::npos)
        throw Unreadable{"/", "a processing instruction is refused"};
    if (!is_utf8(bytes)) throw Unreadable{"/", "the document is not UTF-8"};
}

}  // namespace

struct Checker::Grammar {
    Grammar() {
        initialise_xerces();
        pool = std::make_unique<xercesc::XMLGrammarPoolImpl>(xercesc::XMLPlatformUtils::fgMemoryManager);
        Reader reader{pool.get()};
        SchemaResolver resolver;
        reader.setEntityResolver(&resolver);
        xercesc::DefaultHandler silent;
        reader.setErrorHandler(&silent);  // without one the reader reports nothing, not even to its error()
        reader.setFeature(xercesc::XMLUni::fgSAX2CoreNameSpaces, true);
        reader.setFeature(xercesc::XMLUni::fgSAX2CoreValidation, true);
        reader.setFeature(xercesc::XMLUni::fgXercesSchema, true);
        reader.setFeature(xercesc::XMLUni::fgXercesHandleMultipleImports, true);
        xercesc::MemBufInputSource source(reinterpret_cast<const XMLByte*>(schema::cr_bio.data()), schema::cr_bio.size(),
                                          "cr_bio.xsd");
        if (reader.loadGrammar(source, xercesc::Grammar::SchemaGrammarType, true) == nullptr)
            throw std::logic_error("our schema does not load");
        pool->lockPool();
    }

    void parse(std::string_view bytes, Tree& tree, Findings& findings) const {
        using xercesc::XMLUni;
        TreeBuilder builder{tree, findings};
        Reader reader{pool.get()};
        reader.builder = &builder;
        reader.setContentHandler(&builder);
        reader.setLexicalHandler(&builder);
        reader.setEntityResolver(&builder);
        reader.setErrorHandler(&builder);
        reader.setFeature(XMLUni::fgSAX2CoreNameSpaces, true);
        reader.setFeature(XMLUni::fgSAX2CoreNameSpacePrefixes, true);
        reader.setFeature(XMLUni::fgSAX2CoreValidation, true);
        reader.setFeature(XMLUni::fgXercesDynamic, false);
        reader.setFeature(XMLUni::fgXercesSchema, true);
        reader.setFeature(XMLUni::fgXercesUseCachedGrammarInParse, true);
        reader.setFeature(XMLUni::fgXercesCacheGrammarFromParse, false);
        reader.setFeature(XMLUni::fgXercesLoadSchema, false);
        reader.setFeature(XMLUni::fgXercesLoadExternalDTD, false);
        reader.setFeature(XMLUni::fgXercesDisableDefaultEntityResolution, true);
        reader.setFeature(XMLUni::fgXercesIdentityConstraintChecking, false);
        xercesc::SecurityManager security;
        security.setEntityExpansionLimit(100);
        reader.setProperty(XMLUni::fgXercesSecurityManager, &security);
        const xercesc::MemBufInputSource source(reinterpret_cast<const XMLByte*>(bytes.data()), bytes.size(), "document");
        reader.parse(source);
    }

    std::unique_ptr<xercesc::XMLGrammarPoolImpl> pool;
};

Checker::Checker() : grammar_(std::make_unique<Grammar>()) {}
Checker::~Checker() = default;

std::vector<Finding> Checker::check(std::string_view bytes, const CheckOptions& options) const {
    Findings findings;
    Tree tree;
    const auto unreadable = [](const std::string& where, std::string_view what) {
        Findings only;
        only.error(where, what, it_should_look);
        return only.take();
    };
    try {
        refuse_foreign_syntax(bytes);
        grammar_->parse(bytes, tree, findings);
    } catch (const Unreadable& problem) {
        return unreadable(problem.where, problem.what);
    } catch (const xercesc::XMLException&) {
        return unreadable("/", "the document is not well-formed XML");
    } catch (const xercesc::SAXException&) {
        return unreadable("/", "the document is not well-formed XML");
    }
    if (tree.root() == nullptr || tree.root()->name != "ClinicalDocument")
        return unreadable("/", "the document is not a ClinicalDocument");
    detail::header_rules(tree, options, findings);
    detail::identifier_rules(tree, options, findings);
    detail::body_rules(tree, findings);
    detail::result_rules(tree, findings);
    return findings.take();
}

Result<void> Checker::accept(std::string_view bytes, const CheckOptions& options) const {
    for (auto& finding : check(bytes, options))
        if (finding.severity == Finding::Severity::error)
            return Error{Fault::refused, std::move(finding.where), std::move(finding.what)};
    return Result<void>{};
}

}  // namespace sgl::cda

namespace sgl::cda::detail {

void Findings::add(Finding::Severity severity, std::string where, std::string_view what, std::string_view phrase) {
    if (list_.size() >= limit) return;
    list_.push_back({severity, std::move(where), std::string(what), std::string(phrase)});
}

void Findings::error(std::string where, std::string_view what, std::string_view phrase) {
    add(Finding::Severity::error, std::move(where), what, phrase);
}

void Findings::warning(std::string where, std::string_view what, std::string_view phrase) {
    add(Finding::Severity::warning, std::move(where), what, phrase);
}

bool has_templates(const Element& element, std::initializer_list<std::string_view> roots) {
    const auto templates = element.all("templateId");
    if (templates.size() != roots.size()) return false;
    std::size_t i = 0;
    for (const auto root : roots)
        if (templates[i++]->attribute("root") != root) return false;
    return true;
}

}  // namespace sgl::cda::detail
