// Writes HTML so that data can never become markup (SEC-47): tags and attribute names are literals checked while
// compiling, everything else is escaped. The source nests as the page does.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sgl::web {

/// A tag or attribute name: a literal of lower-case letters, digits and hyphens. Scripts and styles inside the page do not
/// compile (the content security policy would refuse them anyway).
class Name {
public:
    consteval Name(const char* literal) : text_(literal) {  // NOLINT: one writes "td"
        if (text_.empty()) throw "a name can't be empty";
        for (const char c : text_) {
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) throw "not a name of HTML";
        }
        if (text_ == "style" || text_ == "srcdoc" || text_.substr(0, 2) == "on") throw "no inline style or script";
    }
    std::string_view text() const { return text_; }

private:
    std::string_view text_;
};

/// `{"class", "num"}`, or `{"checked", flag}` for one that is there or not. Views: they live as long as the call.
class Attribute {
public:
    Attribute(Name name, std::string_view value) : name_(name), value_(value) {}
    Attribute(Name name, const std::string& value) : name_(name), value_(value) {}
    Attribute(Name name, const char* value) : name_(name), value_(value) {}
    template <std::same_as<bool> Flag>
    Attribute(Name name, Flag present) : name_(name), present_(present), bare_(true) {}

    Name name() const { return name_; }
    std::string_view value() const { return value_; }
    bool present() const { return present_; }
    bool bare() const { return bare_; }

private:
    Name name_;
    std::string_view value_;
    bool present_{true};
    bool bare_{false};
};
using Attributes = std::initializer_list<Attribute>;

class Html {
public:
    void text(std::string_view data);  ///< escaped; control characters become U+FFFD

    void tag(Name name, Attributes attributes, std::string_view data) {
        open(name, attributes);
        text(data);
        close(name);
    }
    void tag(Name name, std::string_view data) { tag(name, {}, data); }

    template <std::invocable Content>
    void tag(Name name, Attributes attributes, Content&& content) {
        open(name, attributes);
        std::forward<Content>(content)();
        close(name);
    }
    template <std::invocable Content>
    void tag(Name name, Content&& content) {
        tag(name, {}, std::forward<Content>(content));
    }

    void single(Name name, Attributes attributes = {}) { open(name, attributes); }  ///< input, br, meta, link

    void doctype() { out_ += "<!DOCTYPE html>\n"; }
    std::string take() { return std::move(out_); }

private:
    void open(Name name, Attributes attributes);
    void close(Name name);

    std::string out_;
};

/// `%`-encodes everything but unreserved characters (RFC 3986 2.3): for one path segment or one query value.
std::string url_part(std::string_view data);

}  // namespace sgl::web
