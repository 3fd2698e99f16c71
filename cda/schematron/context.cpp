#include <algorithm>

#include "cda/schematron/detail_program.hpp"
#include "cda/schematron/detail_xpath.hpp"

namespace sgl::cda::schematron::detail {

namespace {

class Reader {
public:
    Reader(Program& program, std::string_view context, const std::string& place, const Scope& scope)
        : program_(program), context_(context), place_(place), scope_(scope) {}

    Result<std::vector<Path>> read() {
        auto tokens = tokens_of(context_);
        if (!tokens) return refused(tokens.error().what);
        tokens_ = std::move(*tokens);
        std::vector<Path> paths;
        while (true) {
            auto path = read_path();
            if (!path) return path.error();
            paths.push_back(std::move(*path));
            if (at_ == tokens_.size()) return paths;
            if (!tokens_[at_].is("|")) return refused("what follows a step");
            ++at_;
        }
    }

private:
    Error refused(const std::string& what) const {
        return {Fault::unsupported, place_, "the context \"" + std::string(context_) + "\": " + what};
    }
    bool next_is(std::string_view symbol, std::size_t ahead = 0) const {
        return at_ + ahead < tokens_.size() && tokens_[at_ + ahead].is(symbol);
    }

    Result<Path> read_path() {
        Path path;
        bool below = true;
        if (next_is("/")) {
            path.from_root = true;
            below = false;
            ++at_;
            if (at_ == tokens_.size() || next_is("|")) return path;
        } else if (next_is("//")) {
            ++at_;
        }
        while (true) {
            auto step = read_step(below);
            if (!step) return step.error();
            path.steps.push_back(std::move(*step));
            if (!next_is("/") && !next_is("//")) return path;
            below = next_is("//");
            ++at_;
        }
    }

    Result<Step> read_step(bool below) {
        Step step;
        step.below = below;
        if (at_ + 1 < tokens_.size() && tokens_[at_].is_name("child") && next_is("::", 1)) at_ += 2;
        if (at_ == tokens_.size()) return refused("a step is missing");
        const auto& name = tokens_[at_];
        if (name.is("*")) {
            step.any_uri = true;
        } else if (name.kind == Token::Kind::name && !next_is("(", 1) && !next_is("::", 1)) {
            const auto colon = name.text.find(':');
            if (colon != std::string_view::npos) {
                const auto prefix = name.text.substr(0, colon);
                const auto bound = std::ranges::find(program_.namespaces, prefix,
                                                     [](const auto& each) { return std::string_view(each.first); });
                if (bound == program_.namespaces.end()) return refused("the unknown prefix " + std::string(prefix));
                step.uri = bound->second;
            }
            step.local = name.text.substr(colon == std::string_view::npos ? 0 : colon + 1);
            if (step.local == "*") step.local.clear();
        } else {
            return refused("a step that is no element");
        }
        ++at_;
        while (next_is("[")) {
            const auto end = closing(tokens_, at_);
            if (end == tokens_.size()) return refused("a predicate without its end");
            if (auto added = add_predicate(step, at_ + 1, end); !added) return added.error();
            at_ = end + 1;
        }
        return step;
    }

    Result<void> add_predicate(Step& step, std::size_t from, std::size_t end) {
        if (from == end) return refused("an empty predicate");
        const bool lone = end == from + 1 &&
                          (tokens_[from].kind == Token::Kind::number || tokens_[from].kind == Token::Kind::variable);
        bool positional = lone;
        for (auto i = from; i < end; ++i)
            positional = positional || tokens_[i].is_name("position") || tokens_[i].is_name("last");
        if (positional) return refused("a position");
        auto [root, after] = template_root(from, end);
        if (root && !step.template_root && (after == end || only_and(after, end))) {
            step.only_template = after == end && step.predicates.empty();
            step.template_root = std::move(root);
            if (after == end) return {};
        } else {
            step.only_template = false;
        }
        const auto text = context_.substr(tokens_[from].from, tokens_[end - 1].to - tokens_[from].from);
        const auto expression = add_expression(program_, text, place_, scope_);
        if (!expression) return expression.error();
        step.only_template = false;
        step.predicates.push_back(*expression);
        return {};
    }

    /// `cda:templateId/@root = "X"` or `cda:templateId[@root = "X"]` at `from`: X, and what follows.
    std::pair<std::optional<std::string>, std::size_t> template_root(std::size_t from, std::size_t end) const {
        const auto symbol = [&](std::size_t i, std::string_view text) { return i < end && tokens_[i].is(text); };
        const auto name = [&](std::size_t i, std::string_view text) { return i < end && tokens_[i].is_name(text); };
        auto i = from;
        if (symbol(i, ".") && symbol(i + 1, "/")) i += 2;
        if (i >= end || tokens_[i].kind != Token::Kind::name || !tokens_[i].text.ends_with(":templateId"))
            return {std::nullopt, from};
        const auto prefix = tokens_[i].text.substr(0, tokens_[i].text.find(':'));
        const bool ours = std::ranges::any_of(program_.namespaces, [&](const auto& each) {
            return each.first == prefix && each.second == hl7_namespace;
        });
        if (!ours) return {std::nullopt, from};
        ++i;
        const bool bracket = symbol(i, "[");
        if (!bracket && !symbol(i, "/")) return {std::nullopt, from};
        if (!symbol(i + 1, "@") || !name(i + 2, "root") || !symbol(i + 3, "=") || i + 4 >= end ||
            tokens_[i + 4].kind != Token::Kind::literal)
            return {std::nullopt, from};
        if (bracket && !symbol(i + 5, "]")) return {std::nullopt, from};
        return {std::string(tokens_[i + 4].text), i + (bracket ? 6 : 5)};
    }

    /// The rest is `and …`, without any `or` that would make the first term optional.
    bool only_and(std::size_t from, std::size_t end) const {
        if (!tokens_[from].is_operator || tokens_[from].text != "and") return false;
        std::size_t depth = 0;
        for (auto i = from; i < end; ++i) {
            if (tokens_[i].is("(") || tokens_[i].is("[")) ++depth;
            if (tokens_[i].is(")") || tokens_[i].is("]")) --depth;
            if (depth == 0 && tokens_[i].is_operator && tokens_[i].text == "or") return false;
        }
        return true;
    }

    Program& program_;
    std::string_view context_;
    const std::string& place_;
    const Scope& scope_;
    std::vector<Token> tokens_;
    std::size_t at_{0};
};

}  // namespace

Result<std::size_t> add_expression(Program& program, std::string_view text, const std::string& place,
                                   const Scope& scope) {
    std::vector<std::string> prefixes{"xml"};
    for (const auto& [prefix, uri] : program.namespaces)
        prefixes.push_back(prefix);
    auto written = to_xpath1(text, prefixes);
    if (!written) return Error{Fault::unsupported, place, "\"" + std::string(text) + "\": " + written.error().what};
    Expression expression{std::move(*written), place, {}};
    const auto tokens = tokens_of(expression.text);
    for (const auto& token : *tokens) {
        if (token.kind != Token::Kind::variable) continue;
        const auto known = [&](const Use& use) { return use.name == token.text; };
        if (std::ranges::any_of(expression.uses, known)) continue;
        const auto let = scope(token.text);
        if (!let) return Error{Fault::missing, place, "the variable $" + std::string(token.text) + " is not defined"};
        expression.uses.push_back({std::string(token.text), *let});
    }
    program.expressions.push_back(std::move(expression));
    return program.expressions.size() - 1;
}

Result<std::vector<Path>> read_context(Program& program, std::string_view context, const std::string& place,
                                       const Scope& scope) {
    return Reader(program, context, place, scope).read();
}

}  // namespace sgl::cda::schematron::detail
