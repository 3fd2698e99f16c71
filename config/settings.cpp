#include "config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "config/keys.hpp"
#include "lib/base/text.hpp"

namespace sgl::config {

namespace {

using S = Settings;

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 3600;
constexpr std::int64_t day = 86400;

// ── The table of keys: name, member, type or unit, default, reason, bounds
// ─────────────────────────────────────────────

const std::vector<Key<S::Instance>> instance_keys{
    {"label",
     &S::Instance::label,
     "text",
     R"("sgld")",
     "Name of this installation, shown in the console and kept in the database when it is created.",
     {.not_empty = true}},
    {"environment",
     &S::Instance::environment,
     "test or production",
     R"("test")",
     "A test instance sends test identities only, a production instance never does (design D17). A database keeps the "
     "environment it was created with. Default test: nothing real leaves by mistake.",
     {.choices = {"test", "production"}}},
};

const std::vector<Key<S::Daemon>> daemon_keys{
    {"name", &S::Daemon::name, "text", R"("")",
     "Name of this daemon among those that serve the same database; a restarted daemon takes its own work back at once "
     "by it. Empty: the host's name."},
    {"user",
     &S::Daemon::user,
     "user name",
     R"("sgld")",
     "Unprivileged user that sgld and its PostgreSQL become when started as root; ignored otherwise.",
     {.not_empty = true}},
    {"state_dir",
     &S::Daemon::state_dir,
     "folder",
     R"("/var/lib/sgld")",
     "Where the private PostgreSQL cluster lives. Created by the package, owned by the user above.",
     {.not_empty = true}},
    {"credentials_dir", &S::Daemon::credentials_dir, "folder", R"("")",
     "Where certificates and keys that are named without a leading / are looked for. Empty: the folder that systemd "
     "gives "
     "(LoadCredentialEncrypted=), else /etc/sgld/credentials."},
    {"threads",
     &S::Daemon::threads,
     "count",
     "0",
     "Threads that compose and check reports, beside the one that does the rest. 0: one per processor.",
     {.high = 256}},
    {"stop_within",
     &S::Daemon::stop_within,
     "duration",
     R"("30s")",
     "How long work in progress may take to end when the daemon is stopped; what is left is resumed at the next start.",
     {.low = 1, .high = 10 * minute}},
};

const std::vector<Key<S::Log>> log_keys{
    {"file", &S::Log::file, "file", R"("")",
     "Where log lines go, without any patient data. Empty: standard error, which systemd hands to the journal."},
    {"level",
     &S::Log::level,
     "debug, info, warn or error",
     R"("info")",
     "info tells each step of each result; debug adds the network.",
     {.choices = {"debug", "info", "warn", "error"}}},
    {"format",
     &S::Log::format,
     "text or json",
     R"("text")",
     "One line per event: for people, or JSON for a collector of logs.",
     {.choices = {"text", "json"}}},
};

const std::vector<Key<S::Database>> database_keys{
    {"mode",
     &S::Database::mode,
     "embedded or external",
     R"("embedded")",
     "embedded: sgld keeps a private PostgreSQL of its own. external: the laboratory's PostgreSQL, with its standby, "
     "in "
     "production (design D4).",
     {.choices = {"embedded", "external"}}},
    {"conninfo", &S::Database::conninfo, "libpq connection string", R"("")",
     "External mode: for instance \"host=db1,db2 dbname=sgld target_session_attrs=read-write sslmode=verify-full "
     "passfile=/etc/sgld/credentials/pgpass\". A password is refused here: name a passfile."},
    {"socket_dir",
     &S::Database::socket_dir,
     "folder",
     R"("/run/sgld")",
     "Embedded mode: folder of PostgreSQL's socket. At most 80 characters, as a socket's path is limited by the "
     "system.",
     {.not_empty = true}},
    {"pool_size",
     &S::Database::pool_size,
     "connections",
     "16",
     "Connections of this daemon. More only helps with more processors on the database's side.",
     {.low = 2, .high = 500}},
    {"intake_pool_size",
     &S::Database::intake_pool_size,
     "connections",
     "8",
     "Besides those: connections for the messages that arrive, so that nothing else makes an analyser wait.",
     {.low = 2, .high = 100}},
    {"shared_buffers",
     &S::Database::shared_buffers,
     "PostgreSQL size",
     R"("128MB")",
     "Embedded mode: PostgreSQL's cache. A quarter of the memory of a machine of its own is usual.",
     {.not_empty = true}},
    {"binaries",
     &S::Database::binaries,
     "folder",
     R"("/usr/lib/postgresql/15/bin")",
     "Embedded mode: where initdb and postgres are; Debian 12 puts them there.",
     {.not_empty = true}},
    {"start_within",
     &S::Database::start_within,
     "duration",
     R"("60s")",
     "How long to wait for the database at start-up; after a crash it repairs itself first.",
     {.low = 1, .high = hour}},
};

const std::vector<Key<S::Listener>> listener_keys{
    {"name", &S::Listener::name, "text", "", "What links and logs call this listener; unique.", {.not_empty = true}},
    {"address",
     &S::Listener::address,
     "numeric address",
     R"("127.0.0.1")",
     "One address of this machine. Anything but loopback needs TLS with client certificates, or trusted_network "
     "(SEC-01).",
     {.not_empty = true}},
    {"port", &S::Listener::port, "port", "",
     "TCP port; 2575 is HL7's own. 0: chosen by the system at run time, for tests."},
    {"tls", &S::Listener::tls, "true or false", "false",
     "MLLP over TLS 1.2 or 1.3. Default false: old analysers on loopback."},
    {"certificate", &S::Listener::certificate, "PEM file", R"("")",
     "With tls: our certificate and its chain, leaf first."},
    {"key", &S::Listener::key, "PEM file", R"("")", "With tls: its private key."},
    {"client_ca", &S::Listener::client_ca, "PEM file", R"("")",
     "With tls: authorities of the clients' certificates, which are then required (SEC-03)."},
    {"trusted_network", &S::Listener::trusted_network, "true or false", "false",
     "Accepts peers without TLS outside this machine: only for an isolated network of analysers, with allow (SEC-04)."},
    {"allow", &S::Listener::allow, "list of addresses or networks", "[]",
     "Who may connect; others are cut before a byte is read. Empty: anybody."},
    {"max_connections",
     &S::Listener::max_connections,
     "connections",
     "256",
     "Open at the same time, all peers together.",
     {.low = 1, .high = 65536}},
    {"max_connections_per_peer",
     &S::Listener::max_connections_per_peer,
     "connections",
     "32",
     "Open at the same time from one address, so that one analyser gone mad does not shut the others out.",
     {.low = 1, .high = 65536}},
    {"max_message_bytes",
     &S::Listener::max_message_bytes,
     "bytes",
     "10_000_000",
     "A longer message is answered AR and the connection closed; its beginning is kept as work to do.",
     {.low = 1024, .high = 200'000'000}},
    {"first_byte_timeout",
     &S::Listener::first_byte_timeout,
     "duration",
     R"("30s")",
     "How long a new connection may say nothing. 0s: no limit, for analysers that connect at once and speak hours later.",
     {.high = hour}},
    {"frame_timeout",
     &S::Listener::frame_timeout,
     "duration",
     R"("30s")",
     "From the first byte of a message to its last. Between two messages there is no limit: analysers stay connected for days.",
     {.low = 1, .high = hour}},
    {"links", &S::Listener::links, "list of names", "[]",
     "Links served here, besides what each link says of its listener. Empty: every link that names this listener."},
};

const std::vector<Key<S::Intake>> intake_keys{
    {"max_bytes", &S::Intake::max_bytes, "bytes", "134_217_728",
     "Memory for messages on their way to the database, all connections together (and one message more). Beyond it nothing "
     "is read and the senders wait: nothing is lost, as nothing is acknowledged before it is stored.",
     {.low = 1'000'000}},
    {"max_messages", &S::Intake::max_messages, "count", "1_000", "The same, as a number of messages.", {.low = 1}},
};

/// Reserved for a later version: refused as soon as they say something.
Result<void> refuse_identity_provider(S::Web&, const Node& node) {
    if (node.kind == Node::Kind::text && node.text.empty()) return {};
    return Error{Fault::unsupported, place(node),
                 "an identity provider is not handled by this version; leave it empty"};
}

const std::vector<Key<S::Web>> web_keys{
    {"address",
     &S::Web::address,
     "numeric address",
     R"("127.0.0.1")",
     "Of the console and its API. Default loopback: only this machine, until certificates are there.",
     {.not_empty = true}},
    {"port", &S::Web::port, "port", "8443", "TCP port. 0: chosen by the system at run time, for tests."},
    {"tls_certificate", &S::Web::tls_certificate, "PEM file", R"("")",
     "Certificate and chain. Empty: plain HTTP, which is refused on anything but loopback."},
    {"tls_key", &S::Web::tls_key, "PEM file", R"("")", "Its private key."},
    {"demonstration_accounts", &S::Web::demonstration_accounts, "true or false", "false",
     "Logins with a password from the users' file, for demonstrations: every page says so. Refused in production."},
    {"session_idle",
     &S::Web::session_idle,
     "duration",
     R"("15m")",
     "A session without any act ends.",
     {.low = minute, .high = day}},
    {"session_absolute",
     &S::Web::session_absolute,
     "duration",
     R"("10h")",
     "A session ends: about one working day.",
     {.low = minute, .high = 7 * day}},
    {"hosts",
     &S::Web::hosts,
     "list of names",
     R"(["localhost", "127.0.0.1"])",
     "Names by which browsers may call the console; any other Host header is refused, against DNS rebinding.",
     {.not_empty = true}},
    {"max_connections",
     &S::Web::max_connections,
     "connections",
     "256",
     "Open at the same time.",
     {.low = 1, .high = 65536}},
    {"identity_provider_issuer", &refuse_identity_provider, "URL", R"("")",
     "Reserved: OpenID Connect issuer (Pro Santé Connect). Not handled by this version: must be empty."},
    {"identity_provider_client_id", &refuse_identity_provider, "text", R"("")",
     "Reserved: our client identifier there. Must be empty."},
    {"identity_provider_secret", &refuse_identity_provider, "file", R"("")",
     "Reserved: file of the client's secret. Must be empty."},
};

const std::vector<Key<S::Delivery>> delivery_keys{
    {"workers_dmp",
     &S::Delivery::workers_dmp,
     "count",
     "4",
     "Letters of a legal entity to the national record at once. One exchange lasts seconds: several hide the waiting.",
     {.low = 1, .high = 64}},
    {"workers_mail",
     &S::Delivery::workers_mail,
     "count",
     "4",
     "Letters by MSSanté at the same time, per operator.",
     {.low = 1, .high = 64}},
    {"workers_dpi",
     &S::Delivery::workers_dpi,
     "count",
     "1",
     "Letters to one hospital record at the same time. One: they arrive in order.",
     {.low = 1, .high = 64}},
    {"poll",
     &S::Delivery::poll,
     "duration",
     R"("2s")",
     "How often to look for due letters besides being told: covers a lost notification.",
     {.low = 1, .high = hour}},
    {"lease",
     &S::Delivery::lease,
     "duration",
     R"("60s")",
     "How long a daemon that vanished keeps its letters before another takes them over (design D5).",
     {.low = 5, .high = hour}},
    {"retry_delays",
     &S::Delivery::retry_delays,
     "list of durations",
     R"(["1m", "5m", "15m", "60m"])",
     "Waits after each failed attempt; the last one repeats.",
     {.low = 1, .high = 7 * day, .not_empty = true}},
    {"give_up_after_dmp",
     &S::Delivery::give_up_after_dmp,
     "duration",
     R"("72h")",
     "From the letter's creation, then it needs a person. Longer than a week-end's outage.",
     {.low = minute, .high = 60 * day}},
    {"give_up_after_mail",
     &S::Delivery::give_up_after_mail,
     "duration",
     R"("48h")",
     "The same for MSSanté.",
     {.low = minute, .high = 60 * day}},
    {"give_up_after_dpi",
     &S::Delivery::give_up_after_dpi,
     "duration",
     R"("72h")",
     "The same for hospital records.",
     {.low = minute, .high = 60 * day}},
    {"circuit_breaker_failures",
     &S::Delivery::circuit_breaker_failures,
     "count",
     "5",
     "Failures in a row of one partner after which it is left alone for a while.",
     {.low = 1, .high = 1000}},
    {"circuit_breaker_pause",
     &S::Delivery::circuit_breaker_pause,
     "duration",
     R"("30s")",
     "That while; then one letter tries, and each that gets through lets one more go at a time.",
     {.low = 1, .high = hour}},
};

const std::vector<Key<S::Cda>> cda_keys{
    {"official_kit", &S::Cda::official_kit, "folder", R"("")",
     "Official kit of the CI-SIS (testContenuCDA: the folders schematrons and jeuxDeValeurs), when the laboratory has "
     "installed it: documents then pass its rules too, those of CR-BIO, IHE, ModelesDeContenusCDA and Modeles_ANS "
     "(design D6). Empty: our own checks alone. We ship no official file."},
    {"official_kit_defects", &S::Cda::official_kit_defects, "file", R"("")",
     "Published defects of that kit, which never reject a document. Empty: the list of config/official_kit.toml, as "
     "shipped."},
    {"official_kit_share",
     &S::Cda::official_kit_share,
     "percent",
     "100",
     "Of 100 documents, how many pass the official rules; which ones follows from the document, not from chance. 0: "
     "none.",
     {.high = 100}},
    {"official_kit_failure",
     &S::Cda::official_kit_failure,
     "block or alarm",
     R"("block")",
     "When they reject a document: block keeps it from being published, as our own checks do; alarm publishes it and "
     "logs "
     "an error.",
     {.choices = {"block", "alarm"}}},
    {"fonts",
     &S::Cda::fonts,
     "folder",
     R"("/usr/share/fonts/truetype/dejavu")",
     "Fonts that the PDF embeds; Debian's package fonts-dejavu-core puts them there.",
     {.not_empty = true}},
    {"icc_profile",
     &S::Cda::icc_profile,
     "file",
     R"("/usr/share/color/icc/sRGB.icc")",
     "Colour profile that PDF/A asks for; from Debian's icc-profiles-free.",
     {.not_empty = true}},
};

const std::vector<Key<S::Ready>> ready_keys{
    {"file", &S::Ready::file, "file", R"("")",
     "Written once everything listens, with the ports in use: for demonstrations and tests. Empty: none; systemd is "
     "told "
     "either way."},
};

// ── What no single key can tell
// ────────────────────────────────────────────────────────────────────────────────────────

Error wrong(const Node& table, std::string_view section, std::string_view key, std::string_view what) {
    const auto* member = table.find(key);
    return {Fault::refused, member == nullptr ? place(table) : place(*member),
            fmt::format("{}.{}: {}", section, key, what)};
}

/// SEC-63: settings name files, they hold no secret.
Result<void> refuse_secrets(const Node& node, const std::string& path) {
    if (node.text.find("PRIVATE KEY-----") != std::string::npos)
        return Error{Fault::refused, place(node), path + ": a private key does not belong here; name its file"};
    for (const auto& member : node.members) {
        auto below = refuse_secrets(member.value, path.empty() ? member.name : path + "." + member.name);
        if (!below) return below;
    }
    for (const auto& item : node.items) {
        auto below = refuse_secrets(item, path);
        if (!below) return below;
    }
    return {};
}

bool has_password(std::string_view conninfo) {
    // A URI carries it as user:password@; the other form as password=…
    if (conninfo.find("password") != std::string_view::npos) return true;
    const auto scheme = conninfo.find("://");
    if (scheme == std::string_view::npos) return false;
    const auto authority = conninfo.substr(scheme + 3, conninfo.find('/', scheme + 3) - scheme - 3);
    const auto at = authority.rfind('@');
    return at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos;
}

bool is_loopback(std::string_view address) {
    return address.starts_with("127.") || address == "::1";
}

Result<void> check_database(const Node& table, const S::Database& database) {
    constexpr std::size_t longest = 80;  // sun_path is 108, with "/.s.PGSQL.5432" behind it
    if (!database.embedded() && database.conninfo.empty())
        return wrong(table, "[database]", "conninfo", "must be given when mode is external");
    if (database.embedded() && !database.conninfo.empty())
        return wrong(table, "[database]", "conninfo", "must be empty when mode is embedded");
    if (has_password(database.conninfo))
        return wrong(table, "[database]", "conninfo", "holds a password; name a passfile instead");
    if (database.socket_dir.size() > longest)
        return wrong(table, "[database]", "socket_dir", "longer than 80 characters");
    return {};
}

Result<void> check_listener(const Node& table, const S::Listener& listener, std::span<const S::Listener> before) {
    constexpr std::string_view section = "[[listener]]";
    for (const auto& other : before) {
        if (other.name == listener.name) return wrong(table, section, "name", "another listener has this name");
        if (listener.port != 0 && other.port == listener.port && other.address == listener.address)
            return wrong(table, section, "port", "another listener has this address and port");
    }
    if (listener.tls && listener.certificate.empty()) return wrong(table, section, "certificate", "needed by tls");
    if (listener.tls && listener.key.empty()) return wrong(table, section, "key", "needed by tls");
    if (!listener.tls && !(listener.certificate + listener.key + listener.client_ca).empty())
        return wrong(table, section, "tls", "is false, but certificates are named");
    if (listener.trusted_network && listener.allow.empty())
        return wrong(table, section, "trusted_network", "needs allow, the list of addresses that may connect");
    return {};
}

Result<void> check_web(const Node& table, const S& settings) {
    const auto& web = settings.web;
    if (web.tls_certificate.empty() != web.tls_key.empty())
        return wrong(table, "[web]", web.tls_key.empty() ? "tls_certificate" : "tls_key",
                     "certificate and key go together");
    if (web.tls_certificate.empty() && !is_loopback(web.address))
        return wrong(table, "[web]", "address", "outside this machine the console needs tls_certificate and tls_key");
    if (web.demonstration_accounts && settings.instance.production())
        return wrong(table, "[web]", "demonstration_accounts", "refused in production");
    if (web.session_idle > web.session_absolute)
        return wrong(table, "[web]", "session_idle", "must not be longer than session_absolute");
    return {};
}

template <class T>
Result<void> section(const Node& root, std::string_view name, const std::vector<Key<T>>& keys, T& to) {
    const auto* member = root.find(name);
    if (member == nullptr) {
        set_defaults(std::span(keys), to);
        return {};
    }
    return read_table(member->value, fmt::format("[{}]", name), std::span(keys), to);
}

constexpr std::string_view sections[] = {"instance", "daemon", "log",      "database", "listener",
                                         "intake",   "web",    "delivery", "cda",      "ready"};

template <class T>
void describe(std::vector<KeyDescription>& all, std::string_view name, const std::vector<Key<T>>& keys) {
    for (const auto& key : keys)
        all.push_back({std::string(name), std::string(key.name), std::string(key.unit), std::string(key.standard),
                       std::string(key.reason)});
}

}  // namespace

Result<Settings> parse_settings(std::string_view toml) {
    const auto document = parse_toml(toml);
    if (!document) return document.error();
    const Node& root = *document;
    for (const auto& member : root.members)
        if (std::ranges::find(sections, member.name) == std::end(sections))
            return detail::unknown_key(member, "", {std::begin(sections), std::end(sections)});
    if (auto clean = refuse_secrets(root, ""); !clean) return clean.error();

    Settings settings;
    if (auto r = section(root, "instance", instance_keys, settings.instance); !r) return r.error();
    if (auto r = section(root, "daemon", daemon_keys, settings.daemon); !r) return r.error();
    if (auto r = section(root, "log", log_keys, settings.log); !r) return r.error();
    if (auto r = section(root, "database", database_keys, settings.database); !r) return r.error();
    if (auto r = section(root, "intake", intake_keys, settings.intake); !r) return r.error();
    if (auto r = section(root, "web", web_keys, settings.web); !r) return r.error();
    if (auto r = section(root, "delivery", delivery_keys, settings.delivery); !r) return r.error();
    if (auto r = section(root, "cda", cda_keys, settings.cda); !r) return r.error();
    if (auto r = section(root, "ready", ready_keys, settings.ready); !r) return r.error();

    const auto table_of = [&root](std::string_view name) -> const Node& {
        const auto* member = root.find(name);
        return member == nullptr ? root : member->value;
    };
    if (const auto* listeners = root.find("listener")) {
        if (listeners->value.kind != Node::Kind::array)
            return Error{Fault::malformed, place(*listeners), "listener: write [[listener]], once for each"};
        for (const auto& table : listeners->value.items) {
            Settings::Listener listener;
            if (auto r = read_table(table, "[[listener]]", std::span(listener_keys), listener); !r) return r.error();
            if (auto r = check_listener(table, listener, settings.listeners); !r) return r.error();
            settings.listeners.push_back(std::move(listener));
        }
    }
    if (auto r = check_database(table_of("database"), settings.database); !r) return r.error();
    if (auto r = check_web(table_of("web"), settings); !r) return r.error();
    return settings;
}

std::string credential(const Settings& settings, std::string_view name) {
    if (name.empty() || name.front() == '/') return std::string(name);
    std::string folder = settings.daemon.credentials_dir;
    if (folder.empty()) {
        const char* given = std::getenv("CREDENTIALS_DIRECTORY");
        folder = given != nullptr ? given : "/etc/sgld/credentials";
    }
    return folder + "/" + std::string(name);
}

std::vector<KeyDescription> describe_keys() {
    std::vector<KeyDescription> all;
    describe(all, "[instance]", instance_keys);
    describe(all, "[daemon]", daemon_keys);
    describe(all, "[log]", log_keys);
    describe(all, "[database]", database_keys);
    describe(all, "[[listener]]", listener_keys);
    describe(all, "[intake]", intake_keys);
    describe(all, "[web]", web_keys);
    describe(all, "[delivery]", delivery_keys);
    describe(all, "[cda]", cda_keys);
    describe(all, "[ready]", ready_keys);
    return all;
}

namespace {

/// The reason as comment lines of at most 120 characters.
std::string comment(std::string_view text) {
    constexpr std::size_t width = 118;
    std::string lines;
    std::size_t column = 0;
    for (const auto word : split(text, ' ')) {
        if (column == 0 || column + 1 + word.size() > width) {
            lines += column == 0 ? "#" : "\n#";
            column = 0;
        }
        lines += ' ';
        lines += word;
        column += word.size() + 1;
    }
    return lines + "\n";
}

}  // namespace

std::string help() {
    std::string text =
        "# Settings of sgld, the process. Everything of the laboratory (sites, links, partners, users, catalogue) is "
        "in the\n"
        "# database: see `sgld import`. Each key shows its type or unit, its default and why; durations are \"250ms\", "
        "\"90s\",\n"
        "# \"5m\", \"48h\" or \"7d\". `sgld check-config` verifies this file; an unknown key is an error.\n";
    std::string current;
    for (const auto& key : describe_keys()) {
        if (key.section != current) {
            current = key.section;
            text += fmt::format("\n{}\n", current);
        } else {
            text += "\n";
        }
        text += comment(key.reason);
        if (key.standard.empty())
            text += fmt::format("# {}; must be given.\n# {} =\n", key.unit, key.name);
        else
            text += fmt::format("# {}; default {}.\n{} = {}\n", key.unit, key.standard, key.name, key.standard);
    }
    return text;
}

}  // namespace sgl::config
