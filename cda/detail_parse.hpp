// Inside cda: bytes to tree, refusing what SEC-30 to SEC-32 refuse. The one place that parses XML. Not for other rooms.
#pragma once

#include <string>
#include <string_view>
#include <xercesc/framework/XMLGrammarPool.hpp>
#include <xercesc/parsers/SAX2XMLReaderImpl.hpp>

#include "cda/detail_tree.hpp"

namespace sgl::cda::detail {

/// Thrown; `what` is English and holds no data of the document.
struct Unreadable {
    std::string where;
    std::string what;
    bool refused{true};  ///< for safety; otherwise it is no document
};

/// Told what a schema refuses.
class SchemaErrors {
public:
    virtual ~SchemaErrors() = default;
    /// `names`: Xerces' sentence where it holds names alone, never values; else empty.
    virtual void invalid(std::string where, std::string_view names) = 0;
};

class TreeBuilder;

// The reader gives error codes to its error() only, hence the subclass. Without builder it loads our schemas.
class Reader final : public xercesc::SAX2XMLReaderImpl {
public:
    explicit Reader(xercesc::XMLGrammarPool* pool);
    TreeBuilder* builder{};

    void error(unsigned int code, const XMLCh* domain, ErrTypes type, const XMLCh* text, const XMLCh* system_id,
               const XMLCh* public_id, XMLFileLoc line, XMLFileLoc column) override;
};

void initialise_xerces();
std::string utf8(const XMLCh* text);

/// The ClinicalDocument of the bytes: as the root, or inside a signature or a style sheet that presents itself
/// (spec/cr-bio.md 2). With a pool, its schema judges the document. Throws Unreadable.
Tree parse(std::string_view bytes, xercesc::XMLGrammarPool* pool = nullptr, SchemaErrors* errors = nullptr);

}  // namespace sgl::cda::detail
