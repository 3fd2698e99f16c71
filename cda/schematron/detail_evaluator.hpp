// Inside schematron: what one thread needs to run a program over a document. libxml2 writes into its compiled
// expressions while it evaluates them, so each thread has its own.
#pragma once

#include <libxml/xpath.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cda/schematron/detail_program.hpp"
#include "cda/schematron/schema.hpp"

namespace sgl::cda::schematron::detail {

class Evaluator {
public:
    explicit Evaluator(const Program& program);
    ~Evaluator();
    Evaluator(const Evaluator&) = delete;
    Evaluator& operator=(const Evaluator&) = delete;

    /// Compiles all expressions; the first that libxml2 refuses.
    Result<void> compile_all();
    Result<std::vector<Finding>> run(const Tree& tree, const RunOptions& options);

private:
    enum class Answer : std::uint8_t { no, yes, failed };
    struct Fired {
        std::uint32_t element;  ///< place; the document itself comes before all
        std::uint32_t rule;
    };
    struct FreeObject {
        void operator()(xmlXPathObject* object) const { xmlXPathFreeObject(object); }
    };
    struct FreeExpression {
        void operator()(xmlXPathCompExpr* expression) const { xmlXPathFreeCompExpr(expression); }
    };
    struct FreeContext {
        void operator()(xmlXPathContext* context) const { xmlXPathFreeContext(context); }
    };
    using Object = std::unique_ptr<xmlXPathObject, FreeObject>;
    struct Value {
        bool known{false};
        Object object;  ///< null when it can't be evaluated
    };

    static void count(xmlXPathParserContext* context, int arguments);
    static void document(xmlXPathParserContext* context, int arguments);
    static void current(xmlXPathParserContext* context, int arguments);
    static xmlXPathObject* variable(void* self, const xmlChar* name, const xmlChar* uri);

    xmlXPathCompExpr* compiled(std::size_t expression);
    void prepare(std::size_t expression);
    void forget(std::size_t let);
    Object evaluate(std::size_t expression, xmlNode* node);
    Answer test(std::size_t expression, xmlNode* node);
    Answer matches(const Path& path, std::size_t step, xmlNode* node);
    Answer fulfils(const Step& step, xmlNode* node);
    const std::vector<std::uint32_t>& candidates(const Step& last) const;
    void fire(const Pattern& pattern);
    void claim(const Pattern& pattern, std::uint32_t rule, const Path& path);
    void report(const Pattern& pattern, const Rule& rule, const std::string& where, const std::string& test,
                const std::string& role, Finding::Kind kind, std::string message);
    std::string message_of(const Check& check, xmlNode* node);
    bool exhausted() const { return context_->opCount >= context_->opLimit; }

    const Program& program_;
    std::unique_ptr<xmlXPathContext, FreeContext> context_;
    std::vector<std::unique_ptr<xmlXPathCompExpr, FreeExpression>> compiled_;
    std::vector<Value> values_;

    // While a document is judged.
    const Tree* tree_{};
    const RunOptions* options_{};
    const Expression* running_{};
    xmlNode* rule_node_{};
    std::vector<std::uint32_t> claimed_;  ///< by place: number of the last pattern that took the element
    std::uint32_t pattern_{};
    std::vector<std::uint32_t> all_;
    std::vector<Fired> fired_;
    std::vector<Finding> findings_;
};

}  // namespace sgl::cda::schematron::detail
