#include "cda/checker.hpp"

#include <stdexcept>
#include <xercesc/framework/MemBufInputSource.hpp>
#include <xercesc/framework/XMLGrammarPoolImpl.hpp>
#include <xercesc/sax2/DefaultHandler.hpp>
#include <xercesc/util/XMLUni.hpp>

#include "cda/detail_narrative.hpp"
#include "cda/detail_parse.hpp"
#include "cda/detail_standard.hpp"
#include "cda/schema/embedded.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda {

namespace {

using detail::Element;
using detail::Findings;
using detail::Tree;
using detail::Unreadable;

constexpr std::string_view it_should_look =
    "Le compte rendu produit n'est pas conforme : il n'a pas été envoyé ; prévenez l'informatique du laboratoire.";

// Our schema's judgement of the elements that the parser meets.
class Judge final : public detail::SchemaErrors {
public:
    explicit Judge(Findings& findings) : findings_(findings) {}
    void invalid(std::string where, std::string_view names) override {
        const auto what = "the closed schema of the profile refuses this" + std::string(names.empty() ? " value" : ": ") +
                          std::string(names);
        findings_.error(std::move(where), what, it_should_look);
    }

private:
    Findings& findings_;
};

class SchemaResolver final : public xercesc::EntityResolver {
public:
    xercesc::InputSource* resolveEntity(const XMLCh*, const XMLCh* system_id) override {
        if (!detail::utf8(system_id).ends_with("lab.xsd")) throw std::logic_error("our schema imports something unknown");
        return new xercesc::MemBufInputSource(reinterpret_cast<const XMLByte*>(schema::lab.data()), schema::lab.size(),
                                              "lab.xsd");
    }
};

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
        detail::initialise_xerces();
        pool = std::make_unique<xercesc::XMLGrammarPoolImpl>(xercesc::XMLPlatformUtils::fgMemoryManager);
        detail::Reader reader{pool.get()};
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

    Tree parse(std::string_view bytes, Findings& findings) const {
        Judge judge{findings};
        return detail::parse(bytes, pool.get(), &judge);
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
        tree = grammar_->parse(bytes, findings);
    } catch (const Unreadable& problem) {
        return unreadable(problem.where, problem.what);
    }
    if (!tree.envelope.empty()) return unreadable("/", "the root of our documents is ClinicalDocument");
    detail::header_rules(tree, options, findings);
    detail::identifier_rules(tree, findings);
    detail::our_pointer_rules(tree, findings);
    detail::body_rules(tree, findings);
    detail::result_rules(tree, findings);
    return findings.take();
}

std::vector<Finding> check_standard(std::string_view bytes, const CheckOptions& options) {
    constexpr std::string_view not_readable = "Ce fichier n'est pas un document médical lisible, ou il est dangereux : ne l'ouvrez pas.";
    Findings findings;
    try {
        const auto tree = detail::parse(bytes);
        if (auto hostile = detail::hostile_narrative(tree); !hostile) {
            findings.error(hostile.error().where, hostile.error().what, not_readable);
            return findings.take();
        }
        const auto standard = detail::standard_of(*tree.root());
        if (!tree.encoding.empty() && tree.encoding != "UTF-8")
            findings.error("/", "the encoding of a document is UTF-8", "L'encodage du document n'est pas celui du standard.");
        detail::structure_rules(tree, findings);
        detail::standard_header_rules(tree, standard, options, findings);
        detail::identifier_rules(tree, findings);
        detail::standard_body_rules(tree, standard, findings);
    } catch (const Unreadable& problem) {
        findings.error(problem.where, problem.what, not_readable);
    }
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
    // Errors have a limit of their own: no number of warnings may hide one.
    auto& count = severity == Finding::Severity::error ? errors_ : warnings_;
    if (count >= limit) return;
    ++count;
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
