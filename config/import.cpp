#include "config/import.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "config/csv.hpp"
#include "config/import_csv.hpp"
#include "config/keys.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::config {

namespace {

namespace json = boost::json;
using namespace sgl::domain;

Error malformed(const Node& node, std::string what) { return {Fault::malformed, place(node), std::move(what)}; }

// ── Values that are more than a text ───────────────────────────────────────────────────────────────────────────────────

/// Reads a text and hands it to T::parse; `empty_is_fine` leaves the default for "".
template <class T>
Result<void> read_checked(const Node& node, T& to) {
    std::string text;
    if (auto read = read_value(node, Bounds{}, text); !read) return read;
    auto value = T::parse(text);
    if (!value) return malformed(node, value.error().what);
    to = std::move(*value);
    return {};
}

Result<void> read_oid(const Node& node, std::string& to) {
    if (auto read = read_value(node, Bounds{}, to); !read) return read;
    if (!is_oid(to)) return malformed(node, "is no OID");
    return {};
}

Result<void> read_time_zone(const Node& node, TimeZone& to) {
    std::string name;
    if (auto read = read_value(node, Bounds{}, name); !read) return read;
    const auto zone = TimeZone::find(name);
    if (!zone) return malformed(node, zone.error().what);
    to = *zone;
    return {};
}

const std::vector<Key<Address>> address_keys{
    {"lines", &Address::lines, "list of texts", "[]", "Street lines."},
    {"postal_code", &Address::postal_code, "text", "", "", {.not_empty = true}},
    {"city", &Address::city, "text", "", "", {.not_empty = true}},
    {"country", &Address::country, "text", R"("")", "Empty: France."},
};

template <class T>
Result<void> read_address(T& to, const Node& node) {
    return read_table(node, "address", std::span(address_keys), to.address);
}

const std::vector<Key<Professional>> professional_keys{
    {"rpps", +[](Professional& to, const Node& node) { return read_checked(node, to.rpps); }, "11 digits", "-", ""},
    {"family", &Professional::family, "text", "", "", {.not_empty = true}},
    {"given", &Professional::given, "text", "", "", {.not_empty = true}},
    {"civility", &Professional::civility, "M or MME", R"("")", "", {.choices = {"", "M", "MME"}}},
    {"title", &Professional::title, "JDV_J246", R"("")", "", {.choices = {"", "DR", "PR", "MC", "MG", "PC", "PG"}}},
    {"speciality", +[](Professional& to, const Node& node) { return read_value(node, Bounds{}, to.speciality.code); },
     "JDV_J01", R"("")", ""},
    {"speciality_label", +[](Professional& to, const Node& node) { return read_value(node, Bounds{}, to.speciality.label); },
     "text", R"("")", ""},
    {"phone", &Professional::phone, "text", R"("")", ""},
};

// ── Laboratory: legal entities and their sites ─────────────────────────────────────────────────────────────────────────

/// Checked here, read by identity_profiles(): kept beside the site, not in it.
template <class T>
Result<void> read_identity_slave(T& /*to*/, const Node& node) {
    bool slave{};
    return read_value(node, Bounds{}, slave);
}

const std::vector<Key<SiteSettings>> site_settings_keys{
    {"dmp", &SiteSettings::dmp, "true or false", "true", ""},
    {"mss_professionals", &SiteSettings::mss_professionals, "true or false", "true", ""},
    {"mss_patient", &SiteSettings::mss_patient, "true or false", "true", ""},
    {"dpi", &SiteSettings::dpi, "true or false", "true", ""},
    {"mss_without_ins", &SiteSettings::mss_without_ins, "true or false", "true", ""},
    {"dmp_documents", &SiteSettings::dmp_documents, "n3", R"("n3")", "", {.choices = {"n3"}}},
    {"content_type", &SiteSettings::content_type, "JDV_J59", R"("26")", "", {.not_empty = true}},
    {"facility_type", &SiteSettings::facility_type, "JDV_J02", R"("SA25")", "", {.not_empty = true}},
    {"practice_setting", &SiteSettings::practice_setting, "JDV_J04", R"("AMBULATOIRE")", "", {.not_empty = true}},
    {"identity_slave", &read_identity_slave<SiteSettings>, "true or false", "false", ""},
};

const std::vector<Key<Site>> site_keys{
    {"finess", +[](Site& to, const Node& node) { return read_checked(node, to.finess); }, "FINESS", "", ""},
    {"name", &Site::name, "text", "", "", {.not_empty = true}},
    {"address", &read_address<Site>, "table", "", ""},
    {"phone", &Site::phone, "text", R"("")", ""},
    {"oid", +[](Site& to, const Node& node) { return read_oid(node, to.oid); }, "OID", "", ""},
    {"time_zone", +[](Site& to, const Node& node) { return read_time_zone(node, to.time_zone); }, "IANA name",
     R"("Europe/Paris")", ""},
    {"settings",
     +[](Site& to, const Node& node) { return read_table(node, "settings", std::span(site_settings_keys), to.settings); },
     "table", "-", ""},
};

struct EntityText {
    LegalEntity entity;
    Address address;
    std::vector<Site> sites;
};

/// A list of tables; Reader for each.
template <class T>
Result<void> read_tables(const Node& node, std::string_view section, const std::vector<Key<T>>& keys, std::vector<T>& to) {
    if (node.kind != Node::Kind::array) return malformed(node, fmt::format("write [[{}]], once for each", section));
    for (const auto& item : node.items) {
        T value;
        if (auto read = read_table(item, section, std::span(keys), value); !read) return read;
        to.push_back(std::move(value));
    }
    return {};
}

const std::vector<Key<EntityText>> entity_keys{
    {"finess", +[](EntityText& to, const Node& node) { return read_checked(node, to.entity.finess); }, "FINESS", "", ""},
    {"name", +[](EntityText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.entity.name); }, "text", "", ""},
    {"legal_form", +[](EntityText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.entity.legal_form); },
     "text", "", ""},
    {"oid", +[](EntityText& to, const Node& node) { return read_oid(node, to.entity.oid); }, "OID", "", ""},
    {"accreditation", +[](EntityText& to, const Node& node) { return read_value(node, {}, to.entity.accreditation); }, "text",
     R"("")", ""},
    {"identity_slave", &read_identity_slave<EntityText>, "true or false", "false", ""},
    {"address", &read_address<EntityText>, "table", "", ""},
    {"phone", +[](EntityText& to, const Node& node) { return read_value(node, {}, to.entity.phone); }, "text", R"("")", ""},
    {"biologist_in_charge",
     +[](EntityText& to, const Node& node) {
         return read_tables(node, "legal_entity.biologist_in_charge", professional_keys, to.entity.biologists_in_charge);
     },
     "tables", "", ""},
    {"site", +[](EntityText& to, const Node& node) { return read_tables(node, "legal_entity.site", site_keys, to.sites); },
     "tables", "", ""},
};

Result<void> read_laboratory(const Node& list, Import& to) {
    std::vector<EntityText> entities;
    if (auto read = read_tables(list, "legal_entity", entity_keys, entities); !read) return read;
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < entities.size(); ++i) {
        auto& text = entities[i];
        const auto& node = list.items[i];
        text.entity.address = text.address;
        if (text.entity.biologists_in_charge.empty())
            return malformed(node, "a legal entity has at least one biologist in charge (R.6222-3 CSP)");
        seen.push_back(text.entity.finess.text());
        for (auto& site : text.sites) {
            seen.push_back(site.finess.text());
            to.sites.push_back({text.entity.finess, std::move(site)});
        }
        auto sorted = seen;
        std::ranges::sort(sorted);
        if (std::ranges::adjacent_find(sorted) != sorted.end()) return malformed(node, "a FINESS number stands twice");
        to.legal_entities.push_back(std::move(text.entity));
    }
    return {};
}

// ── Links ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

const std::vector<Key<Link::Sender>> sender_keys{
    {"application", &Link::Sender::application, "MSH-3.1", "", ""},
    {"facility", &Link::Sender::facility, "MSH-4.1", "", ""},
};

struct LinkText {
    Finess site;
    Link link;
};

/// Reads into a member of the link; the tables stay tables.
template <auto member>
Result<void> link_text(LinkText& to, const Node& node) {
    return read_value(node, Bounds{}, to.link.*member);
}

Result<void> read_fingerprint(LinkText& to, const Node& node) {
    std::string text;
    if (auto read = read_value(node, Bounds{}, text); !read) return read;
    std::string hex;
    for (const char c : text) {
        if (c == ':') continue;
        hex += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (!hex.empty() && (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != std::string::npos))
        return malformed(node, "expected the certificate's SHA-256 in hexadecimal, 64 digits");
    to.link.tls_fingerprint = hex;
    return {};
}

/// One of two words.
template <auto member>
Result<void> read_choice(LinkText& to, const Node& node, std::string_view no, std::string_view yes) {
    std::string text;
    if (auto read = read_value(node, {.choices = {no, yes}}, text); !read) return read;
    to.link.*member = text == yes;
    return {};
}

Result<void> read_seconds(const Node& node, std::int64_t low, std::int64_t high, std::chrono::seconds& to) {
    Duration duration{};
    if (auto read = read_value(node, {.low = low, .high = high}, duration); !read) return read;
    to = std::chrono::duration_cast<std::chrono::seconds>(duration);
    return {};
}

constexpr std::int64_t one_hour = 3600;
constexpr std::int64_t one_week = 7 * 24 * one_hour;

Result<void> read_acknowledgement(LinkText& to, const Node& node) {
    std::string text;
    if (auto read = read_value(node, {.choices = {"as-asked", "original", "accept"}}, text); !read) return read;
    using enum Link::Acknowledgement;
    to.link.acknowledgement = text == "original" ? original : text == "accept" ? accept : as_asked;
    return {};
}

Result<void> read_work_orders(LinkText& to, const Node& node) {
    std::string text;
    if (auto read = read_value(node, {.choices = {"none", "on-query", "push"}}, text); !read) return read;
    using enum Link::WorkOrders;
    to.link.work_orders = text == "push" ? push : text == "on-query" ? on_query : none;
    return {};
}

Result<void> read_message_types(LinkText& to, const Node& node) {
    if (auto read = read_value(node, {}, to.link.message_types); !read) return read;
    for (const auto& type : to.link.message_types) {
        const auto parts = split(type, '^');
        const bool good = parts.size() == 2 && std::ranges::all_of(parts, [](std::string_view part) { return part.size() == 3; });
        if (!good) return malformed(node, "expected message types such as ORU^R01");
    }
    return {};
}

const std::vector<Key<Link::Outgoing>> outgoing_keys{
    {"host", +[](Link::Outgoing& to, const Node& node) { return read_value(node, {.not_empty = true}, to.host); }, "name or address",
     "", ""},
    {"port", +[](Link::Outgoing& to, const Node& node) { return read_value(node, {.low = 1}, to.port); }, "port", "", ""},
    {"tls", &Link::Outgoing::tls, "true or false", "false", ""},
    {"server_name", &Link::Outgoing::server_name, "name", R"("")", ""},
    {"ca", &Link::Outgoing::ca, "PEM file", R"("")", ""},
    {"certificate", &Link::Outgoing::certificate, "PEM file", R"("")", ""},
    {"key", &Link::Outgoing::key, "PEM file", R"("")", ""},
    {"connect_timeout", +[](Link::Outgoing& to, const Node& node) { return read_seconds(node, 1, one_hour, to.connect_timeout); },
     "duration", R"("10s")", ""},
    {"answer_timeout", +[](Link::Outgoing& to, const Node& node) { return read_seconds(node, 1, one_hour, to.answer_timeout); },
     "duration", R"("30s")", ""},
};

Result<void> read_outgoing(LinkText& to, const Node& node) {
    if (auto read = read_table(node, "link.outgoing", std::span(outgoing_keys), to.link.outgoing); !read) return read;
    if (to.link.outgoing.tls && to.link.outgoing.ca.empty()) return malformed(node, "tls needs ca: who may vouch for the peer (SEC-05)");
    return {};
}

bool is_path(std::string_view text);

const std::vector<Key<Link::Code>> code_keys{
    {"theirs", +[](Link::Code& to, const Node& node) { return read_value(node, {.not_empty = true}, to.theirs); }, "text", "", ""},
    {"ours", +[](Link::Code& to, const Node& node) { return read_value(node, {.not_empty = true}, to.ours); }, "local code", "", ""},
    {"unit", &Link::Code::unit, "unit", R"("")", ""},
    {"factor",
     +[](Link::Code& to, const Node& node) -> Result<void> {
         std::string text;
         if (auto read = read_value(node, {.not_empty = true}, text); !read) return read;
         const auto number = Decimal::parse(text);
         if (!number || *number <= Decimal{}) return malformed(node, "expected a number above zero between quotes, such as \"0.113\"");
         to.factor = *number;
         return {};
     },
     "number", "-", ""},
    {"at",
     +[](Link::Code& to, const Node& node) -> Result<void> {
         if (auto read = read_value(node, {.not_empty = true}, to.at); !read) return read;
         if (!is_path(to.at)) return malformed(node, "expected a place such as OBX-5.2");
         return {};
     },
     "place", "-", ""},
};

const std::vector<Key<Link::Word>> word_keys{
    {"theirs", +[](Link::Word& to, const Node& node) { return read_value(node, {.not_empty = true}, to.theirs); }, "text", "", ""},
    {"ours", +[](Link::Word& to, const Node& node) { return read_value(node, {.not_empty = true}, to.ours); }, "text", "", ""},
};

const std::vector<Key<Link::Rule>> rule_keys{
    {"at",
     +[](Link::Rule& to, const Node& node) -> Result<void> {
         if (auto read = read_value(node, {.not_empty = true}, to.at); !read) return read;
         if (!is_path(to.at)) return malformed(node, "expected a place such as OBX-3.3 or MSH-16");
         return {};
     },
     "place", "", ""},
    {"is", &Link::Rule::is, "list of texts", "[]", ""},
    {"begins", &Link::Rule::begins, "list of texts", "[]", ""},
};

const std::vector<Key<Link::Flag>> flag_keys{
    {"theirs", +[](Link::Flag& to, const Node& node) { return read_value(node, {.not_empty = true}, to.theirs); }, "text", "", ""},
    {"does",
     +[](Link::Flag& to, const Node& node) -> Result<void> {
         std::string text;
         if (auto read = read_value(node, {.choices = {"ignore", "comment", "block", "hide"}}, text); !read) return read;
         using enum Link::Flag::Does;
         to.does = text == "ignore" ? nothing : text == "comment" ? comment : text == "hide" ? hide : block;
         return {};
     },
     "ignore, comment, block or hide", "", ""},
    {"text", &Link::Flag::text, "text", R"("")", ""},
};

const std::vector<Key<LinkText>> link_keys{
    {"name", +[](LinkText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.link.name); }, "text", "", ""},
    {"site", +[](LinkText& to, const Node& node) { return read_checked(node, to.site); }, "FINESS", "", ""},
    {"listener", +[](LinkText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.link.listener); }, "text",
     "", ""},
    {"active", &link_text<&Link::active>, "true or false", "true", ""},
    {"tls_subject", &link_text<&Link::tls_subject>, "text", R"("")", ""},
    {"tls_fingerprint", &read_fingerprint, "hexadecimal", R"("")", ""},
    {"addresses", &link_text<&Link::addresses>, "list of addresses", "[]", ""},
    {"allowed_senders",
     +[](LinkText& to, const Node& node) { return read_tables(node, "link.allowed_senders", sender_keys, to.link.allowed_senders); },
     "list of tables", "[]", ""},
    {"order_source", &link_text<&Link::order_source>, "true or false", "false", ""},
    {"identity_source", &link_text<&Link::identity_source>, "true or false", "false", ""},
    {"patient_authority", +[](LinkText& to, const Node& node) { return read_oid(node, to.link.patient_authority); }, "OID", "-", ""},
    {"processing_id", +[](LinkText& to, const Node& node) { return read_value(node, {.choices = {"P", "T"}}, to.link.processing_id); },
     "P or T", R"("P")", ""},
    {"charset",
     +[](LinkText& to, const Node& node) {
         return read_value(node, {.choices = {"msh18", "utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"}}, to.link.charset);
     },
     "charset", R"("msh18")", ""},
    {"number_paths", +[](LinkText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.link.number_paths); },
     "list of places", "-", ""},
    {"code_paths", +[](LinkText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.link.code_paths); },
     "list of places", "-", ""},
    {"decimal_comma", &link_text<&Link::decimal_comma>, "true or false", "true", ""},
    {"no_value", &link_text<&Link::no_value>, "list of texts", "-", ""},
    {"default_status", &link_text<&Link::default_status>, "OBX-11", R"("R")", ""},
    {"time_zone", +[](LinkText& to, const Node& node) { return read_time_zone(node, to.link.time_zone); }, "IANA name",
     R"("Europe/Paris")", ""},
    {"our_application", &link_text<&Link::our_application>, "MSH-3", "-", ""},
    {"our_facility", &link_text<&Link::our_facility>, "MSH-4", "-", ""},
    {"framing", +[](LinkText& to, const Node& node) { return read_choice<&Link::none_eof>(to, node, "mllp", "none-eof"); },
     "mllp or none-eof", R"("mllp")", ""},
    {"mllp_release", +[](LinkText& to, const Node& node) { return read_value(node, {.low = 1, .high = 2}, to.link.mllp_release); },
     "1 or 2", "1", ""},
    {"max_message_bytes",
     +[](LinkText& to, const Node& node) { return read_value(node, {.low = 1024, .high = 200'000'000}, to.link.max_message_bytes); },
     "bytes", "-", ""},
    {"first_byte_timeout",
     +[](LinkText& to, const Node& node) { return read_seconds(node, 1, one_week, to.link.first_byte_timeout); }, "duration", "-", ""},
    {"frame_timeout", +[](LinkText& to, const Node& node) { return read_seconds(node, 1, one_hour, to.link.frame_timeout); }, "duration",
     "-", ""},
    {"idle_timeout", +[](LinkText& to, const Node& node) { return read_seconds(node, 0, one_week, to.link.idle_timeout); }, "duration",
     R"("0s")", ""},
    {"acknowledgement", &read_acknowledgement, "as-asked, original or accept", R"("as-asked")", ""},
    {"sequence_numbers", &link_text<&Link::sequence_numbers>, "true or false", "false", ""},
    {"order_acknowledged", &link_text<&Link::order_acknowledged>, "true or false", "false", ""},
    {"batch_answer", +[](LinkText& to, const Node& node) { return read_choice<&Link::batch_answer>(to, node, "each", "batch"); },
     "each or batch", R"("each")", ""},
    {"sockets", +[](LinkText& to, const Node& node) { return read_choice<&Link::one_socket>(to, node, "two", "one"); }, "two or one",
     R"("two")", ""},
    {"outgoing", &read_outgoing, "table", "-", ""},
    {"work_orders", &read_work_orders, "none, on-query or push", R"("none")", ""},
    {"order_news", &link_text<&Link::order_news>, "true or false", "false", ""},
    {"exams", +[](LinkText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.link.exams); }, "list of local codes",
     "-", ""},
    {"message_types", &read_message_types, "list of types", "[]", ""},
    {"charset_on_error",
     +[](LinkText& to, const Node& node) { return read_choice<&Link::reject_bad_charset>(to, node, "quarantine", "reject"); },
     "quarantine or reject", R"("quarantine")", ""},
    {"codes", +[](LinkText& to, const Node& node) { return read_tables(node, "link.codes", code_keys, to.link.codes); }, "list of tables",
     "[]", ""},
    {"flags", +[](LinkText& to, const Node& node) { return read_tables(node, "link.flags", flag_keys, to.link.flags); }, "list of tables",
     "[]", ""},
    {"ignored_codes", &link_text<&Link::ignored_codes>, "list of texts", "[]", ""},
    {"control_prefixes", +[](LinkText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.link.control_prefixes); },
     "list of texts", "-", ""},
    {"units", +[](LinkText& to, const Node& node) { return read_tables(node, "link.units", word_keys, to.link.units); }, "list of tables",
     "[]", ""},
    {"values", +[](LinkText& to, const Node& node) { return read_tables(node, "link.values", word_keys, to.link.values); },
     "list of tables", "[]", ""},
    {"blanks", &link_text<&Link::blanks>, "characters", R"("")", ""},
    {"controls", +[](LinkText& to, const Node& node) { return read_tables(node, "link.controls", rule_keys, to.link.controls); },
     "list of tables", "[]", ""},
    {"ignored", +[](LinkText& to, const Node& node) { return read_tables(node, "link.ignored", rule_keys, to.link.ignored); },
     "list of tables", "[]", ""},
    {"flag_paths", +[](LinkText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.link.flag_paths); },
     "list of places", "-", ""},
    {"performing_laboratory", &link_text<&Link::performing_laboratory>, "name", R"("")", ""},
};

/// `SPM-2`, `OBX-3.4`, `OBX-3.1.2`: segment, field, optional component and sub-component.
bool is_path(std::string_view text) {
    if (text.size() < 5 || text[3] != '-') return false;
    const auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
    if (!std::ranges::all_of(text.substr(0, 3), upper)) return false;
    const auto parts = split(text.substr(4), '.');
    return parts.size() <= 3 && std::ranges::all_of(parts, [](std::string_view part) {
        return !part.empty() && part.size() <= 3 && part.front() != '0' &&
               part.find_first_not_of("0123456789") == std::string_view::npos;
    });
}

Result<void> read_links(const Node& list, Import& to) {
    std::vector<LinkText> links;
    if (auto read = read_tables(list, "link", link_keys, links); !read) return read;
    for (std::size_t i = 0; i < links.size(); ++i) {
        auto& link = links[i].link;
        const auto& node = list.items[i];
        for (const auto& other : to.links)
            if (other.link.name == link.name) return malformed(node, "another link has this name");
        for (const auto* paths : {&link.number_paths, &link.code_paths, &link.flag_paths})
            for (const auto& path : *paths)
                if (!is_path(path)) return malformed(node, "number_paths, code_paths: expected places such as SPM-2 or OBX-3.4");
        if (link.one_socket && !link.outgoing.host.empty())
            return malformed(node, "sockets = \"one\" answers on the peer's connection: outgoing has no use there");
        if (link.none_eof && (link.mllp_release == 2 || link.one_socket))
            return malformed(node, "framing = \"none-eof\" has neither commit bytes nor a second direction");
        const bool speaks = link.work_orders != Link::WorkOrders::none || link.order_news;
        if (speaks && !link.one_socket && link.outgoing.host.empty())
            return malformed(node, "work_orders and order_news go out on our own connection (outgoing) or on the peer's (sockets = \"one\")");
        if (link.identity_source && link.allowed_senders.empty())
            return malformed(node, "a link that sets identities names its allowed_senders (SEC-03)");
        to.links.push_back({links[i].site, std::move(link)});
    }
    return {};
}

// ── Partners ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<json::value> to_json(const Node& node) {
    switch (node.kind) {
        case Node::Kind::text: return json::value(node.text);
        case Node::Kind::integer: return json::value(node.integer);
        case Node::Kind::boolean: return json::value(node.boolean);
        case Node::Kind::array: {
            json::array array;
            for (const auto& item : node.items) {
                auto value = to_json(item);
                if (!value) return value;
                array.push_back(std::move(*value));
            }
            return json::value(std::move(array));
        }
        case Node::Kind::table: {
            json::object object;
            for (const auto& member : node.members) {
                auto value = to_json(member.value);
                if (!value) return value;
                object[member.name] = std::move(*value);
            }
            return json::value(std::move(object));
        }
        case Node::Kind::real:
        case Node::Kind::date: break;
    }
    return malformed(node, fmt::format("{} has no place here", to_string(node.kind)));
}

Result<void> check_partner(PartnerKind kind, const std::string& definition) {
    const auto checked = [](const auto& parsed) -> Result<void> {
        if (!parsed) return parsed.error();
        return {};
    };
    switch (kind) {
        case PartnerKind::dmp: return checked(delivery::dmp_partner(definition));
        case PartnerKind::mss: return checked(delivery::mss_partner(definition));
        case PartnerKind::dpi: return checked(delivery::dpi_partner(definition));
    }
    return {};
}

struct PartnerText {
    Finess legal_entity;
    Partner partner;
    bool defined{};
};

template <PartnerKind kind>
Result<void> read_definition(PartnerText& to, const Node& node) {
    if (node.kind != Node::Kind::table) return malformed(node, "expected a table");
    if (to.defined) return malformed(node, "a partner has one of the tables dmp, mss and dpi");
    const auto value = to_json(node);
    if (!value) return value.error();
    to.partner.kind = kind;
    to.partner.definition = json::serialize(*value);
    to.defined = true;
    if (auto checked = check_partner(kind, to.partner.definition); !checked) {
        const auto* member = node.find(checked.error().where);
        return Error{checked.error().fault, member == nullptr ? place(node) : place(*member),
                     checked.error().where.empty() ? checked.error().what : checked.error().where + ": " + checked.error().what};
    }
    return {};
}

const std::vector<Key<PartnerText>> partner_keys{
    {"name", +[](PartnerText& to, const Node& node) { return read_value(node, {.not_empty = true}, to.partner.name); }, "text", "", ""},
    {"legal_entity", +[](PartnerText& to, const Node& node) { return read_checked(node, to.legal_entity); }, "FINESS", "", ""},
    {"active", +[](PartnerText& to, const Node& node) { return read_value(node, {}, to.partner.active); }, "true or false", "true",
     ""},
    {"dmp", &read_definition<PartnerKind::dmp>, "table", "-", ""},
    {"mss", &read_definition<PartnerKind::mss>, "table", "-", ""},
    {"dpi", &read_definition<PartnerKind::dpi>, "table", "-", ""},
};

Result<void> read_partners(const Node& list, Import& to) {
    std::vector<PartnerText> partners;
    if (auto read = read_tables(list, "partner", partner_keys, partners); !read) return read;
    for (std::size_t i = 0; i < partners.size(); ++i) {
        const auto& node = list.items[i];
        if (!partners[i].defined) return malformed(node, "a partner has one of the tables dmp, mss and dpi");
        for (const auto& other : to.partners)
            if (other.partner.name == partners[i].partner.name) return malformed(node, "another partner has this name");
        to.partners.push_back({partners[i].legal_entity, std::move(partners[i].partner)});
    }
    return {};
}

// ── Users ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

Result<void> read_roles(Import::ImportedUser& to, const Node& node) {
    if (node.kind != Node::Kind::table) return malformed(node, "expected a table: role = [\"FINESS of a site\", …]");
    for (const auto& member : node.members) {
        const auto role = role_of(member.name);
        if (!role)
            return Error{Fault::malformed, place(member),
                         "unknown role; expected secretary, technician, biologist, it_operator or dpo"};
        if (member.value.kind != Node::Kind::array) return malformed(member.value, "expected a list of FINESS numbers");
        for (const auto& item : member.value.items) {
            Finess site;
            if (auto read = read_checked(item, site); !read) return read;
            to.roles.emplace_back(std::move(site), *role);
        }
    }
    return {};
}

template <auto member>
Result<void> user_text(Import::ImportedUser& to, const Node& node) {
    return read_value(node, Bounds{}, to.user.professional.*member);
}

Result<void> read_password(Import::ImportedUser& to, const Node& node) {
    if (auto read = read_value(node, Bounds{}, to.demonstration_password); !read) return read;
    constexpr std::size_t shortest = 8;
    if (to.demonstration_password.size() < shortest) return malformed(node, "shorter than 8 characters");
    return {};
}

const std::vector<Key<Import::ImportedUser>> user_keys{
    {"login", +[](Import::ImportedUser& to, const Node& node) { return read_value(node, {.not_empty = true}, to.user.login); },
     "text", "", ""},
    {"family", &user_text<&Professional::family>, "text", "", ""},
    {"given", &user_text<&Professional::given>, "text", "", ""},
    {"civility", &user_text<&Professional::civility>, "M or MME", R"("")", ""},
    {"title", &user_text<&Professional::title>, "JDV_J246", R"("")", ""},
    {"rpps", +[](Import::ImportedUser& to, const Node& node) { return read_checked(node, to.user.professional.rpps); }, "11 digits",
     "-", ""},
    {"speciality",
     +[](Import::ImportedUser& to, const Node& node) { return read_value(node, {}, to.user.professional.speciality.code); },
     "JDV_J01", R"("")", ""},
    {"speciality_label",
     +[](Import::ImportedUser& to, const Node& node) { return read_value(node, {}, to.user.professional.speciality.label); },
     "text", R"("")", ""},
    {"active", +[](Import::ImportedUser& to, const Node& node) { return read_value(node, {}, to.user.active); }, "true or false",
     "true", ""},
    {"demonstration_password", &read_password, "text", "-", ""},
    {"roles", &read_roles, "table", "", ""},
};

Result<void> read_users(const Node& list, Import& to) {
    if (auto read = read_tables(list, "user", user_keys, to.users); !read) return read;
    for (std::size_t i = 0; i < to.users.size(); ++i) {
        const auto& user = to.users[i];
        const auto& node = list.items[i];
        for (std::size_t j = 0; j < i; ++j)
            if (to.users[j].user.login == user.user.login) return malformed(node, "another user has this login");
        const bool biologist = std::ranges::any_of(user.roles, [](const auto& role) { return role.second == Role::biologist; });
        if (biologist && (user.user.professional.rpps.empty() || user.user.professional.speciality.code.empty()))
            return malformed(node, "a biologist has an RPPS number and a speciality (design D17)");
    }
    return {};
}

/// What the history of changes keeps of a file: all of it but the passwords.
std::string without_passwords(std::string_view bytes) {
    std::string kept;
    for (const auto line : split(bytes, '\n')) {
        if (!kept.empty()) kept += '\n';
        kept += trim(line).starts_with("demonstration_password") ? std::string_view("demonstration_password = \"***\"") : line;
    }
    return kept;
}

Result<void> read_toml(std::string_view bytes, Import& to) {
    const auto document = parse_toml(bytes);
    if (!document) return document.error();
    struct Known {
        std::string_view name;
        Import::Kind kind;
        Result<void> (*read)(const Node&, Import&);
    };
    constexpr Known all[] = {
        {"legal_entity", Import::Kind::laboratory, &read_laboratory},
        {"link", Import::Kind::links, &read_links},
        {"partner", Import::Kind::partners, &read_partners},
        {"user", Import::Kind::users, &read_users},
    };
    if (document->members.empty()) return Error{Fault::malformed, "line 1", "the file says nothing"};
    const auto& member = document->members.front();
    const auto* known = std::ranges::find(all, member.name, &Known::name);
    if (known == std::end(all))
        return Error{Fault::malformed, place(member), "unknown kind of file; expected [[legal_entity]], [[link]], [[partner]] or [[user]]"};
    if (document->members.size() > 1)
        return Error{Fault::malformed, place(document->members[1]), fmt::format("a file of [[{}]] holds nothing else", member.name)};
    to.kind = known->kind;
    return known->read(member.value, to);
}

/// The first line that is neither empty nor a comment: a CSV file shows its header there.
bool is_csv(std::string_view bytes) {
    for (const auto line : split(bytes, '\n')) {
        const auto content = trim(line);
        if (content.empty() || content.front() == '#' || content == "\xEF\xBB\xBF") continue;
        return content.front() != '[' && content.find(';') != std::string_view::npos && content.find('=') == std::string_view::npos;
    }
    return false;
}

}  // namespace

Result<Import> parse_import(std::string_view bytes) {
    Import made;
    const auto digest = sha256(bytes);
    made.sha256.assign(digest.begin(), digest.end());
    if (is_csv(bytes)) {
        const auto rows = parse_csv(bytes);
        if (!rows) return rows.error();
        if (auto read = read_csv(*rows, made); !read) return read.error();
        made.content = std::string(bytes);
    } else {
        if (auto read = read_toml(bytes, made); !read) return read.error();
        made.content = made.kind == Import::Kind::users ? without_passwords(bytes) : std::string(bytes);
    }
    return made;
}

}  // namespace sgl::config
