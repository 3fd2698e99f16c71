#include <libxml/xpathInternals.h>

#include <algorithm>
#include <limits>

#include "cda/schematron/detail_evaluator.hpp"

namespace sgl::cda::schematron::detail {

namespace {

constexpr std::uint32_t the_document = std::numeric_limits<std::uint32_t>::max();

void quiet(void*, xmlErrorPtr) {}

bool has_template(const xmlNode* node, const std::string& root) {
    for (const auto* child = node->children; child != nullptr; child = child->next)
        if (child->type == XML_ELEMENT_NODE && view(child->name) == "templateId" && child->ns != nullptr &&
            view(child->ns->href) == hl7_namespace && attribute(child, "root") == root)
            return true;
    return false;
}

std::string text_of(xmlXPathObject* object) {
    // As XPath 2.0 does in a message: all of a sequence, with blanks between.
    if (object->type == XPATH_NODESET && object->nodesetval != nullptr) {
        std::string text;
        for (int i = 0; i < object->nodesetval->nodeNr; ++i) {
            xmlChar* each = xmlXPathCastNodeToString(object->nodesetval->nodeTab[i]);
            if (i > 0) text += ' ';
            text += view(each);
            xmlFree(each);
        }
        return text;
    }
    xmlChar* whole = xmlXPathCastToString(object);
    std::string text(view(whole));
    xmlFree(whole);
    return text;
}

std::string normalised(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!blank) out += c;
        if (blank && !out.empty() && out.back() != ' ') out += ' ';
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
}

}  // namespace

Evaluator::Evaluator(const Program& program)
    : program_(program), compiled_(program.expressions.size()), values_(program.lets.size()) {
    context_.reset(xmlXPathNewContext(nullptr));
    if (context_ == nullptr) throw std::bad_alloc();
    context_->error = quiet;
    context_->userData = this;
    for (const auto& [prefix, uri] : program.namespaces)
        xmlXPathRegisterNs(context_.get(), chars(prefix.c_str()), chars(uri.c_str()));
    xmlXPathRegisterFunc(context_.get(), chars("count"), nullptr);  // libxml2's stays otherwise
    xmlXPathRegisterFunc(context_.get(), chars("count"), count);
    xmlXPathRegisterFunc(context_.get(), chars("document"), document);
    xmlXPathRegisterFunc(context_.get(), chars("current"), current);
    xmlXPathRegisterVariableLookup(context_.get(), variable, this);
    xmlXPathContextSetCache(context_.get(), 1, -1, 0);
}

Evaluator::~Evaluator() = default;

/// XPath 2.0 counts a value that is no node as one; the kit does so, by mistake or not.
void Evaluator::count(xmlXPathParserContext* context, int arguments) {
    if (arguments != 1) return xmlXPathErr(context, XPATH_INVALID_ARITY);
    const Object object{valuePop(context)};
    if (object == nullptr) return;
    const bool nodes = object->type == XPATH_NODESET || object->type == XPATH_XSLT_TREE;
    valuePush(context, xmlXPathNewFloat(!nodes ? 1 : object->nodesetval == nullptr ? 0 : object->nodesetval->nodeNr));
}

void Evaluator::document(xmlXPathParserContext* context, int arguments) {
    if (arguments != 1) return xmlXPathErr(context, XPATH_INVALID_ARITY);
    xmlChar* text = xmlXPathPopString(context);
    const std::string name(view(text));
    xmlFree(text);
    const auto& documents = static_cast<const Evaluator*>(context->context->userData)->program_.documents;
    const auto found = documents.find(name);
    if (found == documents.end() || found->second == nullptr) return xmlXPathErr(context, XPATH_EXPR_ERROR);
    valuePush(context, xmlXPathNewNodeSet(reinterpret_cast<xmlNode*>(found->second.get())));
}

void Evaluator::current(xmlXPathParserContext* context, int arguments) {
    if (arguments != 0) return xmlXPathErr(context, XPATH_INVALID_ARITY);
    valuePush(context, xmlXPathNewNodeSet(static_cast<const Evaluator*>(context->context->userData)->rule_node_));
}

xmlXPathObject* Evaluator::variable(void* self, const xmlChar* name, const xmlChar*) {
    const auto& evaluator = *static_cast<const Evaluator*>(self);
    for (const auto& use : evaluator.running_->uses)
        if (view(name) == use.name) {
            const auto& value = evaluator.values_[use.let];
            return value.object == nullptr ? nullptr : xmlXPathObjectCopy(value.object.get());
        }
    return nullptr;
}

Result<void> Evaluator::compile_all() {
    for (std::size_t i = 0; i < program_.expressions.size(); ++i)
        if (compiled(i) == nullptr)
            return Error{Fault::unsupported, program_.expressions[i].place,
                         "\"" + program_.expressions[i].text + "\": not an expression of XPath 1.0"};
    return {};
}

xmlXPathCompExpr* Evaluator::compiled(std::size_t expression) {
    auto& slot = compiled_[expression];
    if (slot == nullptr)
        slot.reset(xmlXPathCtxtCompile(context_.get(), chars(program_.expressions[expression].text.c_str())));
    return slot.get();
}

/// Every variable that the expression names has its value before libxml2 asks for it.
void Evaluator::prepare(std::size_t expression) {
    for (const auto& use : program_.expressions[expression].uses) {
        auto& value = values_[use.let];
        if (value.known) continue;
        const auto& let = program_.lets[use.let];
        value.known = true;  // a let that names itself has no value
        auto object = evaluate(let.expression, let.global ? reinterpret_cast<xmlNode*>(tree_->doc.get()) : rule_node_);
        value.object = std::move(object);
    }
}

void Evaluator::forget(std::size_t let) {
    values_[let].known = false;
    values_[let].object.reset();
}

Evaluator::Object Evaluator::evaluate(std::size_t expression, xmlNode* node) {
    prepare(expression);
    auto* code = compiled(expression);
    if (code == nullptr) return nullptr;
    running_ = &program_.expressions[expression];
    context_->node = node;
    return Object{xmlXPathCompiledEval(code, context_.get())};
}

Evaluator::Answer Evaluator::test(std::size_t expression, xmlNode* node) {
    prepare(expression);
    auto* code = compiled(expression);
    if (code == nullptr) return Answer::failed;
    running_ = &program_.expressions[expression];
    context_->node = node;
    const int answer = xmlXPathCompiledEvalToBoolean(code, context_.get());
    return answer < 0 ? Answer::failed : answer == 0 ? Answer::no : Answer::yes;
}

Evaluator::Answer Evaluator::fulfils(const Step& step, xmlNode* node) {
    if (!step.local.empty() && view(node->name) != step.local) return Answer::no;
    if (!step.any_uri && (node->ns == nullptr ? std::string_view() : view(node->ns->href)) != step.uri)
        return Answer::no;
    if (step.template_root && !has_template(node, *step.template_root)) return Answer::no;
    if (step.only_template) return Answer::yes;
    for (const auto predicate : step.predicates)
        if (const auto answer = test(predicate, node); answer != Answer::yes) return answer;
    return Answer::yes;
}

/// Does `node` fulfil steps[step] and its ancestors the steps before it?
Evaluator::Answer Evaluator::matches(const Path& path, std::size_t step, xmlNode* node) {
    const auto& wanted = path.steps[step];
    if (const auto answer = fulfils(wanted, node); answer != Answer::yes) return answer;
    auto* above = node->parent;
    const auto is_element = [](const xmlNode* each) { return each != nullptr && each->type == XML_ELEMENT_NODE; };
    if (step == 0) return wanted.below || !is_element(above) ? Answer::yes : Answer::no;
    if (!wanted.below) return is_element(above) ? matches(path, step - 1, above) : Answer::no;
    for (; is_element(above); above = above->parent)
        if (const auto answer = matches(path, step - 1, above); answer != Answer::no) return answer;
    return Answer::no;
}

const std::vector<std::uint32_t>& Evaluator::candidates(const Step& last) const {
    static const std::vector<std::uint32_t> none;
    if (last.template_root) {
        const auto found = tree_->by_template.find(*last.template_root);
        return found == tree_->by_template.end() ? none : found->second;
    }
    if (last.local.empty()) return all_;
    const auto found = tree_->by_name.find(last.local);
    return found == tree_->by_name.end() ? none : found->second;
}

void Evaluator::claim(const Pattern& pattern, std::uint32_t rule, const Path& path) {
    if (path.steps.empty()) {
        const bool taken = std::ranges::any_of(fired_, [](const Fired& each) { return each.element == the_document; });
        if (!taken) fired_.push_back({the_document, rule});
        return;
    }
    for (const auto place : candidates(path.steps.back())) {
        if (claimed_[place] == pattern_) continue;
        const auto answer = matches(path, path.steps.size() - 1, tree_->elements[place]);
        if (exhausted()) return;
        if (answer == Answer::no) continue;
        claimed_[place] = pattern_;
        if (answer == Answer::yes)
            fired_.push_back({place, rule});
        else
            report(pattern, pattern.rules[rule], path_of(tree_->elements[place]), pattern.rules[rule].context, "error",
                   Finding::Kind::unevaluated, "the context can't be evaluated here");
    }
}

void Evaluator::report(const Pattern& pattern, const Rule& rule, const std::string& where, const std::string& test,
                       const std::string& role, Finding::Kind kind, std::string message) {
    findings_.push_back({kind, program_.family, pattern.id, rule.context, test, std::move(message), where, role});
}

std::string Evaluator::message_of(const Check& check, xmlNode* node) {
    std::string text;
    for (const auto& piece : check.message) {
        if (!piece.expression) {
            if (piece.element_name && node->type == XML_ELEMENT_NODE) {
                if (node->ns != nullptr && node->ns->prefix != nullptr)
                    text += std::string(view(node->ns->prefix)) + ":";
                text += view(node->name);
            }
            text += piece.text;
            continue;
        }
        if (!piece.constant && !options_->values) {
            text += "…";
            continue;
        }
        const auto object = evaluate(*piece.expression, node);
        if (object == nullptr) continue;
        if (!piece.element_name)
            text += text_of(object.get());
        else if (object->type == XPATH_NODESET && object->nodesetval != nullptr && object->nodesetval->nodeNr > 0)
            text += view(object->nodesetval->nodeTab[0]->name);
    }
    return normalised(text);
}

void Evaluator::fire(const Pattern& pattern) {
    std::ranges::sort(fired_, {},
                      [](const Fired& each) { return each.element == the_document ? 0U : each.element + 1U; });
    for (const auto& [place, index] : fired_) {
        const auto& rule = pattern.rules[index];
        rule_node_ = place == the_document ? reinterpret_cast<xmlNode*>(tree_->doc.get()) : tree_->elements[place];
        for (const auto number : rule.checks) {
            const auto& check = program_.checks[number];
            const auto answer = test(check.expression, rule_node_);
            if (exhausted() || findings_.size() > options_->limits.max_findings) break;
            if (answer == Answer::failed)
                report(pattern, rule, path_of(rule_node_), check.test, check.role, Finding::Kind::unevaluated,
                       message_of(check, rule_node_));
            else if ((answer == Answer::yes) == check.report)
                report(pattern, rule, path_of(rule_node_), check.test, check.role,
                       check.report ? Finding::Kind::true_report : Finding::Kind::failed_assert,
                       message_of(check, rule_node_));
        }
        for (const auto let : rule.lets)
            forget(let);
        if (exhausted()) return;
    }
}

Result<std::vector<Finding>> Evaluator::run(const Tree& tree, const RunOptions& options) {
    tree_ = &tree;
    options_ = &options;
    context_->doc = tree.doc.get();
    context_->opLimit = std::max(options.limits.max_operations, 1UL);
    context_->opCount = 0;
    rule_node_ = nullptr;
    findings_.clear();
    claimed_.assign(tree.elements.size(), 0);
    pattern_ = 0;
    all_.resize(tree.elements.size());
    for (std::uint32_t i = 0; i < all_.size(); ++i)
        all_[i] = i;
    for (const auto& pattern : program_.patterns) {
        ++pattern_;
        fired_.clear();
        for (std::uint32_t rule = 0; rule < pattern.rules.size() && !exhausted(); ++rule)
            for (const auto& path : pattern.rules[rule].paths)
                claim(pattern, rule, path);
        if (!exhausted()) fire(pattern);
        if (exhausted() || findings_.size() > options.limits.max_findings) break;
    }
    const bool too_much = exhausted();
    // Nothing of the document stays behind.
    for (std::size_t let = 0; let < values_.size(); ++let)
        forget(let);
    context_->doc = nullptr;
    context_->node = nullptr;
    rule_node_ = nullptr;
    tree_ = nullptr;
    if (too_much)
        return Error{Fault::refused, program_.family, "the document asks for more work than the limit allows"};
    if (findings_.size() > options.limits.max_findings)
        return Error{Fault::refused, program_.family, "the document breaks more rules than the limit allows"};
    return std::move(findings_);
}

}  // namespace sgl::cda::schematron::detail
