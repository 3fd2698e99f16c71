#include <algorithm>
#include <array>

#include "cda/detail_narrative.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda::detail {

namespace {

constexpr std::array<std::string_view, 20> narrative_elements{
    "content",   "linkHtml", "sub",  "sup",     "br",    "footnote", "footnoteRef", "renderMultiMedia",
    "paragraph", "list",     "item", "caption", "table", "thead",    "tfoot",       "tbody",
    "colgroup",  "col",      "tr",   "th"};

std::string local(std::string_view name) {
    const auto at = name.find_last_of("}:");
    return to_upper_ascii(at == std::string_view::npos ? name : name.substr(at + 1));
}

bool acts(std::string_view name) {
    constexpr std::array<std::string_view, 17> active{"SCRIPT", "STYLE",  "IFRAME", "FRAME", "FRAMESET",     "OBJECT",
                                                      "EMBED",  "APPLET", "FORM",   "INPUT", "BUTTON",       "LINK",
                                                      "META",   "BASE",   "SVG",    "IMG",   "FOREIGNOBJECT"};
    return std::ranges::find(active, local(name)) != active.end();
}

bool runs(std::string_view address) {
    // Browsers skip blanks and controls in a scheme.
    std::string scheme;
    for (const char c : address) {
        if (static_cast<unsigned char>(c) <= ' ') continue;
        if (c == ':') break;
        scheme += c;
        if (scheme.size() > 20) return false;
    }
    scheme = to_upper_ascii(scheme);
    return scheme == "JAVASCRIPT" || scheme == "VBSCRIPT" || scheme == "DATA";
}

}  // namespace

bool is_narrative_element(std::string_view name) {
    return name == "td" || std::ranges::find(narrative_elements, name) != narrative_elements.end();
}

Result<void> hostile_narrative(const Tree& tree) {
    for (const auto& element : tree.elements) {
        if (acts(element.name))
            return Error{Fault::refused, element.path(), "active content (a script, frame, form or object) is refused"};
        for (const auto& [name, value] : element.attributes) {
            const auto plain = local(name);
            if (plain.size() > 2 && plain.starts_with("ON"))
                return Error{Fault::refused, element.path(), "a handler of events is refused"};
            if ((plain == "HREF" || plain == "SRC") && runs(value))
                return Error{Fault::refused, element.path(), "an address that runs code is refused"};
        }
    }
    return Result<void>{};
}

}  // namespace sgl::cda::detail
