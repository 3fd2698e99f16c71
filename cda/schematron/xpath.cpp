#include <algorithm>
#include <array>

#include "cda/schematron/detail_xpath.hpp"

namespace sgl::cda::schematron::detail {

namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool in_name(char c) {
    return starts_name(c) || is_digit(c) || c == '-' || c == '.';
}

constexpr std::array functions{"last",
                               "position",
                               "count",
                               "id",
                               "local-name",
                               "namespace-uri",
                               "name",
                               "string",
                               "concat",
                               "starts-with",
                               "contains",
                               "substring-before",
                               "substring-after",
                               "substring",
                               "string-length",
                               "translate",
                               "normalize-space",
                               "boolean",
                               "not",
                               "true",
                               "false",
                               "lang",
                               "number",
                               "sum",
                               "floor",
                               "ceiling",
                               "round",
                               "document",
                               "current"};
constexpr std::array node_types{"comment", "text", "processing-instruction", "node"};

bool operand_before(const std::vector<Token>& tokens) {
    if (tokens.empty()) return false;
    const auto& last = tokens.back();
    if (last.is_operator) return false;
    if (last.kind != Token::Kind::symbol) return true;
    return last.text == ")" || last.text == "]" || last.text == "." || last.text == ".." || last.text == "*";
}

}  // namespace

Result<std::vector<Token>> tokens_of(std::string_view expression) {
    std::vector<Token> tokens;
    const auto at = [&](std::size_t i) { return i < expression.size() ? expression[i] : '\0'; };
    const auto name_end = [&](std::size_t i) {
        while (i < expression.size() && in_name(expression[i]))
            ++i;
        return i;
    };
    const auto qname_end = [&](std::size_t i) {
        i = name_end(i);
        if (at(i) == ':' && starts_name(at(i + 1))) return name_end(i + 1);
        if (at(i) == ':' && at(i + 1) == '*') return i + 2;
        return i;
    };
    std::size_t i = 0;
    while (i < expression.size()) {
        const char c = expression[i];
        if (is_blank(c)) {
            ++i;
            continue;
        }
        Token token;
        token.from = i;
        if (c == '\'' || c == '"') {
            const auto end = expression.find(c, i + 1);
            if (end == std::string_view::npos) return Error{Fault::malformed, "", "a text without its end"};
            token.kind = Token::Kind::literal;
            token.text = expression.substr(i + 1, end - i - 1);
            token.to = end + 1;
        } else if (is_digit(c) || (c == '.' && is_digit(at(i + 1)))) {
            token.kind = Token::Kind::number;
            token.to = i;
            while (is_digit(at(token.to)) || at(token.to) == '.')
                ++token.to;
            token.text = expression.substr(i, token.to - i);
        } else if (c == '$') {
            token.kind = Token::Kind::variable;
            token.to = qname_end(i + 1);
            if (token.to == i + 1) return Error{Fault::malformed, "", "a $ without its name"};
            token.text = expression.substr(i + 1, token.to - i - 1);
        } else if (starts_name(c)) {
            token.kind = Token::Kind::name;
            token.to = qname_end(i);
            token.text = expression.substr(i, token.to - i);
            token.is_operator = operand_before(tokens);
            if (token.is_operator && token.text != "and" && token.text != "or" && token.text != "div" &&
                token.text != "mod")
                return Error{Fault::unsupported, "", "the operator " + std::string(token.text)};
        } else {
            token.kind = Token::Kind::symbol;
            token.to = i + 1;
            constexpr std::array<std::string_view, 6> doubles{"//", "..", "::", "!=", "<=", ">="};
            if (std::ranges::find(doubles, expression.substr(i, 2)) != doubles.end()) token.to = i + 2;
            token.text = expression.substr(i, token.to - i);
            constexpr std::string_view singles = "()[].@,*/|+-=<>";
            if (token.text.size() == 1 && singles.find(c) == std::string_view::npos)
                return Error{Fault::unsupported, "", "the sign " + std::string(1, c)};
            token.is_operator = token.text == "*" && operand_before(tokens);
        }
        i = token.to;
        tokens.push_back(token);
    }
    return tokens;
}

std::size_t closing(const std::vector<Token>& tokens, std::size_t open) {
    std::size_t depth = 0;
    for (auto i = open; i < tokens.size(); ++i) {
        if (tokens[i].is("(") || tokens[i].is("[")) ++depth;
        if ((tokens[i].is(")") || tokens[i].is("]")) && --depth == 0) return i;
    }
    return tokens.size();
}

Result<std::string> to_xpath1(std::string_view expression, const std::vector<std::string>& prefixes) {
    const auto read = tokens_of(expression);
    if (!read) return read.error();
    const auto& tokens = *read;
    std::string out(expression);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const auto& token = tokens[i];
        const bool before_parenthesis = i + 1 < tokens.size() && tokens[i + 1].is("(");
        const bool before_axis = i + 1 < tokens.size() && tokens[i + 1].is("::");
        if (token.kind == Token::Kind::name && !token.is_operator) {
            if (before_parenthesis && std::ranges::find(node_types, token.text) == node_types.end()) {
                if (std::ranges::find(functions, token.text) == functions.end())
                    return Error{Fault::unsupported, "", "the function " + std::string(token.text)};
                if (i > 0 && (tokens[i - 1].is("/") || tokens[i - 1].is("//")))
                    return Error{Fault::unsupported, "", "a function as a step"};
            }
            const auto colon = token.text.find(':');
            if (!before_parenthesis && !before_axis && colon != std::string_view::npos &&
                std::ranges::find(prefixes, token.text.substr(0, colon)) == prefixes.end())
                return Error{Fault::unsupported, "", "the unknown prefix " + std::string(token.text.substr(0, colon))};
        }
        if ((token.is("/") || token.is("//")) && before_parenthesis) {
            const auto end = closing(tokens, i + 1);
            const bool last = end + 1 >= tokens.size() ||
                              !(tokens[end + 1].is("/") || tokens[end + 1].is("//") || tokens[end + 1].is("["));
            bool boolean = false;
            for (auto inside = i + 2, depth = std::size_t{0}; inside < end; ++inside) {
                if (tokens[inside].is("(") || tokens[inside].is("[")) ++depth;
                if (tokens[inside].is(")") || tokens[inside].is("]")) --depth;
                boolean = boolean || (depth == 0 && tokens[inside].is_operator &&
                                      (tokens[inside].text == "and" || tokens[inside].text == "or"));
            }
            if (end == tokens.size() || !token.is("/") || !last || !boolean)
                return Error{Fault::unsupported, "", "parentheses as a step"};
            out[token.from] = ' ';
            out[tokens[i + 1].from] = '[';
            out[tokens[end].from] = ']';
        }
    }
    return out;
}

}  // namespace sgl::cda::schematron::detail
