// One request on its way through the console, and how answers are made. For the sources of Web only.
#pragma once

#include <boost/json/value.hpp>

#include "lib/web/pages.hpp"
#include "lib/web/rights.hpp"
#include "lib/web/web.hpp"

namespace sgl::web {

struct Web::Call {
    explicit Call(net::Request incoming) : request(std::move(incoming)) {}

    net::Request request;
    const Route* route{nullptr};
    std::vector<std::string> parts;  ///< what stood for each {…} of the pattern
    std::optional<store::WebSession> session;
    net::Pairs form;                 ///< of a page's POST
    boost::json::value json;         ///< of an API's POST; an object
    bool refresh{};                  ///< asked by the page itself, not by a person

    const store::User& user() const { return session->user; }
    std::string text(std::string_view name) const;              ///< field of the form or string member of the JSON; empty when absent
    std::optional<std::string> query(std::string_view name) const;
    std::vector<domain::SiteId> sites(Action action) const { return sites_for(user(), action); }
};

enum class Kind : std::uint8_t { page, api, open_page, open_api };

struct Web::Route {
    std::string_view method;
    std::string_view pattern;
    Kind kind;
    std::optional<Action> needs;  ///< on at least one site; the act checks its own site besides
    Answer (Web::*answer)(Call&);
};

namespace answers {

net::Response html(std::string body, unsigned status = 200);
net::Response json(const boost::json::value& value, unsigned status = 200);
net::Response redirect(std::string path);  ///< 303
net::Response bytes(std::string body, std::string type, std::string file_name);
unsigned status_of(Fault fault);

}  // namespace answers

/// UUID in a path; malformed ones name nothing, so they are missing.
template <class Id>
Result<Id> id_of(std::string_view text, std::string_view what) {
    const auto parsed = Uuid::parse(text);
    if (!parsed) return Error{Fault::missing, std::string(what), "no such " + std::string(what)};
    return Id{*parsed};
}

/// A person's reason for an act: 1 to 200 characters.
inline Result<std::string> reason_of(std::string text) {
    if (text.empty() || text.size() > 800) return Error{Fault::malformed, "reason", "a reason of at most 200 characters is needed"};
    return text;
}

/// Integer of a field; nothing when it is none.
std::optional<std::int64_t> integer(std::string_view text);

}  // namespace sgl::web
