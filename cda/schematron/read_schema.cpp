#include <algorithm>
#include <set>

#include "cda/schematron/detail_read.hpp"
#include "cda/schematron/detail_xpath.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda::schematron::detail {

namespace {

constexpr std::string_view schematron_namespace = "http://purl.oclc.org/dsdl/schematron";
constexpr unsigned deepest_include = 20;

/// An element of the schema and the file it stands in.
struct Source {
    const xmlNode* node{};
    std::string file;

    bool is(std::string_view name) const {
        return view(node->name) == name && node->ns != nullptr && view(node->ns->href) == schematron_namespace;
    }
    bool has(const char* name) const { return xmlHasProp(node, chars(name)) != nullptr; }
};

/// What replaces $name in an abstract pattern, the longest name first so that $ab is not taken for $a.
using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string substitute(std::string_view text, const Parameters& parameters) {
    std::string out;
    while (!text.empty()) {
        const auto dollar = text.find('$');
        out += text.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        text.remove_prefix(dollar);
        const auto found =
            std::ranges::find_if(parameters, [&](const auto& each) { return text.substr(1).starts_with(each.first); });
        out += found == parameters.end() ? "$" : found->second;
        text.remove_prefix(found == parameters.end() ? 1 : found->first.size() + 1);
    }
    return out;
}

std::string folder_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}

/// `name` as seen from `folder`, both below the kit; nothing when it leads out of it.
std::optional<std::string> resolve(const std::string& folder, std::string_view name) {
    if (name.empty() || name.starts_with('/') || name.find(':') != std::string_view::npos ||
        name.find('\\') != std::string_view::npos)
        return std::nullopt;
    std::vector<std::string_view> parts;
    for (const auto& whole : {std::string_view(folder), name})
        for (const auto part : split(whole, '/')) {
            if (part.empty() || part == ".") continue;
            if (part != "..") {
                parts.push_back(part);
            } else {
                if (parts.empty()) return std::nullopt;
                parts.pop_back();
            }
        }
    std::string path;
    for (const auto part : parts)
        path += (path.empty() ? "" : "/") + std::string(part);
    return path;
}

class SchemaReader {
public:
    SchemaReader(std::string family, const Lookup& lookup) : lookup_(lookup) { program_.family = std::move(family); }

    Result<Program> read(const std::string& path, std::string phase) {
        main_folder_ = folder_of(path);
        const auto* root = open(path);
        if (root == nullptr) return Error{Fault::missing, path, "the file is missing or not well-formed XML"};
        const Source schema{root, path};
        if (!schema.is("schema")) return Error{Fault::malformed, path, "not a Schematron schema"};
        const auto all = children(schema);
        if (phase.empty()) phase = attribute(root, "defaultPhase");
        for (const auto& each : all) {
            if (each.is("ns"))
                program_.namespaces.emplace_back(attribute(each.node, "prefix"), attribute(each.node, "uri"));
            if (each.is("pattern")) find_abstract(each);
        }
        std::optional<std::set<std::string>> active;
        std::vector<Source> lets;
        for (const auto& each : all) {
            if (each.is("let")) lets.push_back(each);
            if (!each.is("phase") || attribute(each.node, "id") != phase) continue;
            active.emplace();
            for (const auto& inside : children(each)) {
                if (inside.is("active")) active->insert(attribute(inside.node, "pattern"));
                if (inside.is("let")) lets.push_back(inside);
            }
        }
        if (!active && !phase.empty() && phase != "#ALL") note(path, "the phase " + phase + " is not defined");
        std::vector<std::pair<Source, std::string>> chosen;  // and the pattern's id
        std::set<std::string> ids;
        for (const auto& each : all) {
            if (!each.is("pattern") || attribute(each.node, "abstract") == "true") continue;
            const auto id = attribute(each.node, "id");
            ids.insert(id);
            if (!active || active->contains(id)) chosen.emplace_back(each, id);
        }
        if (active)
            for (const auto& id : *active)
                if (!ids.contains(id)) note(path, "the active pattern " + id + " is missing");
        if (auto read = read_patterns(lets, chosen); !read) return read.error();
        return std::move(program_);
    }

private:
    void note(const std::string& place, const std::string& what) { program_.notes.push_back(place + ": " + what); }

    const xmlNode* open(const std::string& path) {
        const auto bytes = lookup_(path);
        auto doc = bytes ? parse_kit_file(*bytes) : nullptr;
        if (doc == nullptr) return nullptr;
        files_.push_back(std::move(doc));
        return xmlDocGetRootElement(files_.back().get());
    }

    /// The elements inside, the roots of included files in the place of their `include`.
    std::vector<Source> children(const Source& parent, unsigned depth = 0) {
        std::vector<Source> all;
        for (const auto* node = parent.node->children; node != nullptr; node = node->next)
            if (node->type == XML_ELEMENT_NODE) include({node, parent.file}, depth, all);
        return all;
    }
    void include(const Source& each, unsigned depth, std::vector<Source>& all) {
        if (!each.is("include")) {
            all.push_back(each);
            return;
        }
        const auto href = attribute(each.node, "href");
        const auto path = resolve(folder_of(each.file), href);
        const auto* root = path && depth < deepest_include ? open(*path) : nullptr;
        if (root == nullptr)
            note(each.file, "the included file " + href + " is missing");
        else
            include({root, *path}, depth + 1, all);
    }

    void find_abstract(const Source& pattern) {
        if (attribute(pattern.node, "abstract") == "true")
            abstract_patterns_.try_emplace(attribute(pattern.node, "id"), pattern);
        for (const auto& each : children(pattern))
            if (each.is("rule") && attribute(each.node, "abstract") == "true")
                abstract_rules_.try_emplace(attribute(each.node, "id"), each);
    }

    struct Chosen {
        Source pattern;
        std::string id;
        std::vector<Source> inside;
        Parameters parameters;
    };

    Result<void> read_patterns(const std::vector<Source>& schema_lets,
                               const std::vector<std::pair<Source, std::string>>& sources) {
        std::vector<Chosen> all;
        for (const auto& [source, id] : sources) {
            Chosen chosen{source, id.empty() ? "pattern-" + std::to_string(all.size() + 1) : id, {}, {}};
            if (source.has("is-a")) {
                const auto name = attribute(source.node, "is-a");
                const auto abstract = abstract_patterns_.find(name);
                if (abstract == abstract_patterns_.end()) {
                    note(source.file, "the abstract pattern " + name + " is missing");
                    continue;
                }
                for (const auto& each : children(source))
                    if (each.is("param"))
                        chosen.parameters.emplace_back(attribute(each.node, "name"), attribute(each.node, "value"));
                std::ranges::stable_sort(chosen.parameters, std::greater{},
                                         [](const auto& each) { return each.first.size(); });
                chosen.inside = children(abstract->second);
            } else {
                chosen.inside = children(source);
            }
            all.push_back(std::move(chosen));
        }
        // Every global let is known before any expression is bound: one may name another that stands further down.
        std::vector<std::pair<Source, const Chosen*>> lets;
        for (const auto& each : schema_lets)
            lets.emplace_back(each, nullptr);
        for (const auto& chosen : all)
            for (const auto& each : chosen.inside)
                if (each.is("let")) lets.emplace_back(each, &chosen);
        std::vector<std::size_t> kept;
        for (std::size_t i = 0; i < lets.size(); ++i) {
            const auto name = attribute(lets[i].first.node, "name");
            if (!globals_.try_emplace(name, program_.lets.size()).second) continue;  // the first one counts
            program_.lets.push_back({name, 0, true, false});
            kept.push_back(i);
        }
        const Scope global = [this](std::string_view name) { return find_global(name); };
        for (std::size_t i = 0; i < kept.size(); ++i) {
            const auto& [source, chosen] = lets[kept[i]];
            if (auto bound = bind(i, source, chosen == nullptr ? Parameters{} : chosen->parameters, global); !bound)
                return bound.error();
        }
        for (const auto& chosen : all) {
            auto pattern = read_pattern(chosen, global);
            if (!pattern) return pattern.error();
            program_.patterns.push_back(std::move(*pattern));
        }
        return {};
    }

    std::optional<std::size_t> find_global(std::string_view name) const {
        const auto found = globals_.find(std::string(name));
        return found == globals_.end() ? std::nullopt : std::optional(found->second);
    }

    static std::string place_of(const Source& source) {
        return source.file + ":" + std::to_string(xmlGetLineNo(source.node));
    }

    Result<std::size_t> expression(const Source& source, const char* name, const Parameters& parameters,
                                   const Scope& scope) {
        const auto text = substitute(attribute(source.node, name), parameters);
        if (trim(text).empty()) return Error{Fault::missing, place_of(source), std::string("the attribute ") + name};
        auto added = add_expression(program_, text, place_of(source), scope);
        if (!added) return added.error();
        if (auto loaded = load_documents(*added); !loaded) return loaded.error();
        return *added;
    }

    Result<void> bind(std::size_t let, const Source& source, const Parameters& parameters, const Scope& scope) {
        const auto added = expression(source, "value", parameters, scope);
        if (!added) return added.error();
        program_.lets[let].expression = *added;
        program_.lets[let].constant = literal_of(*added).has_value();
        return {};
    }

    std::optional<std::string> literal_of(std::size_t added) const {
        const auto tokens = tokens_of(program_.expressions[added].text);
        if (tokens->size() != 1 || tokens->front().kind != Token::Kind::literal) return std::nullopt;
        return std::string(tokens->front().text);
    }

    /// What document() may read is known before any document comes: a text, or a variable that is one.
    Result<void> load_documents(std::size_t added) {
        const auto& expression = program_.expressions[added];
        const auto tokens = *tokens_of(expression.text);
        for (std::size_t i = 0; i + 3 < tokens.size() + 0; ++i) {
            if (!tokens[i].is_name("document") || !tokens[i + 1].is("(")) continue;
            std::optional<std::string> name;
            if (tokens[i + 3].is(")") && tokens[i + 2].kind == Token::Kind::literal)
                name = std::string(tokens[i + 2].text);
            if (tokens[i + 3].is(")") && tokens[i + 2].kind == Token::Kind::variable)
                for (const auto& use : expression.uses)
                    if (use.name == tokens[i + 2].text && program_.lets[use.let].constant)
                        name = literal_of(program_.lets[use.let].expression);
            if (!name) return Error{Fault::unsupported, expression.place, "document() of something else than a text"};
            if (program_.documents.contains(*name)) continue;
            const auto path = resolve(main_folder_, *name);
            const auto bytes = path ? lookup_(*path) : std::nullopt;
            auto doc = bytes ? parse_kit_file(*bytes) : nullptr;
            if (doc == nullptr) note(expression.place, "document('" + *name + "') is missing");
            program_.documents.emplace(*name, std::move(doc));
        }
        return {};
    }

    Result<Pattern> read_pattern(const Chosen& chosen, const Scope& global) {
        Pattern pattern{chosen.id, {}};
        for (const auto& each : chosen.inside) {
            if (!each.is("rule") || !each.has("context")) continue;
            Rule rule;
            const auto context = substitute(attribute(each.node, "context"), chosen.parameters);
            rule.context = in_one_line(context);
            auto paths = read_context(program_, context, place_of(each), global);
            if (!paths) return paths.error();
            rule.paths = std::move(*paths);
            std::vector<Source> items;
            if (auto gathered = gather(each, items, 0); !gathered) return gathered.error();
            if (auto read = read_items(rule, items, chosen.parameters); !read) return read.error();
            pattern.rules.push_back(std::move(rule));
        }
        return pattern;
    }

    static std::string in_one_line(std::string_view text) {
        std::string out;
        for (const char c : text) {
            const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
            if (!blank) out += c;
            if (blank && !out.empty() && out.back() != ' ') out += ' ';
        }
        if (out.ends_with(' ')) out.pop_back();
        return out;
    }

    /// What stands in a rule, with that of the abstract rules that it extends.
    Result<void> gather(const Source& rule, std::vector<Source>& items, unsigned depth) {
        if (depth > deepest_include) return Error{Fault::malformed, place_of(rule), "rules that extend each other"};
        for (const auto& each : children(rule)) {
            if (!each.is("extends")) {
                items.push_back(each);
                continue;
            }
            const auto name = attribute(each.node, "rule");
            const auto found = abstract_rules_.find(name);
            if (found == abstract_rules_.end()) {
                note(place_of(each), "the abstract rule " + name + " is missing");
                continue;
            }
            if (auto gathered = gather(found->second, items, depth + 1); !gathered) return gathered;
        }
        return {};
    }

    Result<void> read_items(Rule& rule, const std::vector<Source>& items, const Parameters& parameters) {
        std::map<std::string, std::size_t, std::less<>> known;  // the last let above; else the schema's
        const Scope scope = [&](std::string_view name) -> std::optional<std::size_t> {
            const auto found = known.find(name);
            return found == known.end() ? find_global(name) : std::optional(found->second);
        };
        for (const auto& each : items) {
            if (each.is("let")) {
                const auto let = program_.lets.size();
                program_.lets.push_back({attribute(each.node, "name"), 0, false, false});
                if (auto bound = bind(let, each, parameters, scope); !bound) return bound;
                known[program_.lets[let].name] = let;
                rule.lets.push_back(let);
            } else if (each.is("assert") || each.is("report")) {
                const auto test = expression(each, "test", parameters, scope);
                if (!test) return test.error();
                Check check{each.is("report"),
                            *test,
                            in_one_line(substitute(attribute(each.node, "test"), parameters)),
                            each.has("role") ? attribute(each.node, "role") : "error",
                            {}};
                if (auto read = read_message(each.node, each.file, check.message, parameters, scope); !read)
                    return read;
                rule.checks.push_back(program_.checks.size());
                program_.checks.push_back(std::move(check));
            }
        }
        return {};
    }

    Result<void> read_message(const xmlNode* parent, const std::string& file, std::vector<Piece>& message,
                              const Parameters& parameters, const Scope& scope) {
        for (const auto* node = parent->children; node != nullptr; node = node->next) {
            if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
                message.push_back({std::string(view(node->content)), std::nullopt, true, false});
            } else if (node->type == XML_ELEMENT_NODE) {
                const Source source{node, file};
                if (source.is("value-of")) {
                    const auto added = expression(source, "select", parameters, scope);
                    if (!added) return added.error();
                    const auto& uses = program_.expressions[*added].uses;
                    const auto tokens = tokens_of(program_.expressions[*added].text);
                    const bool variable =
                        tokens->size() == 1 && uses.size() == 1 && program_.lets[uses.front().let].constant;
                    message.push_back({"", *added, literal_of(*added).has_value() || variable, false});
                } else if (source.is("name")) {
                    Piece piece{"", std::nullopt, true, true};
                    if (source.has("path")) {
                        const auto added = expression(source, "path", parameters, scope);
                        if (!added) return added.error();
                        piece.expression = *added;
                    }
                    message.push_back(std::move(piece));
                } else if (auto read = read_message(node, file, message, parameters, scope); !read) {
                    return read;
                }
            }
        }
        return {};
    }

    const Lookup& lookup_;
    Program program_;
    std::string main_folder_;
    std::vector<Xml> files_;
    std::map<std::string, Source> abstract_patterns_;
    std::map<std::string, Source> abstract_rules_;
    std::map<std::string, std::size_t> globals_;
};

}  // namespace

Result<Program> read_schema(std::string family, const std::string& path, const Lookup& lookup,
                            const std::string& phase) {
    return SchemaReader(std::move(family), lookup).read(path, phase);
}

}  // namespace sgl::cda::schematron::detail
