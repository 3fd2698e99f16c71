// The settings of the process: what config/sgld.toml says (design D15). Everything of the laboratory is in the
// database.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"

namespace sgl::config {

struct Settings {
    struct Instance {
        std::string label;
        std::string environment;  ///< test or production
        bool production() const { return environment == "production"; }
        bool operator==(const Instance&) const = default;
    };
    struct Daemon {
        std::string name;  ///< empty: the host's name
        std::string user;
        std::string state_dir;
        std::string credentials_dir;  ///< empty: $CREDENTIALS_DIRECTORY, else /etc/sgld/credentials
        unsigned threads{};           ///< 0: as many as processors
        Duration stop_within{};
        bool operator==(const Daemon&) const = default;
    };
    struct Log {
        std::string file;  ///< empty: standard error
        std::string level;
        std::string format;  ///< text or json
        bool operator==(const Log&) const = default;
    };
    struct Database {
        std::string mode;  ///< embedded or external
        std::string conninfo;
        std::string socket_dir;
        unsigned pool_size{};
        unsigned intake_pool_size{};
        std::string shared_buffers;
        std::string binaries;
        Duration start_within{};
        bool embedded() const { return mode == "embedded"; }
        bool operator==(const Database&) const = default;
    };
    struct Listener {
        std::string name;
        std::string address;
        std::uint16_t port{};
        bool tls{};
        std::string certificate;
        std::string key;
        std::string client_ca;
        bool trusted_network{};
        std::vector<std::string> allow;
        std::size_t max_connections{};
        std::size_t max_connections_per_peer{};
        std::size_t max_message_bytes{};
        Duration first_byte_timeout{};
        Duration frame_timeout{};
        std::vector<std::string> links;  ///< empty: every link that names this listener
        bool operator==(const Listener&) const = default;
    };
    struct Intake {
        std::size_t max_bytes{};
        std::size_t max_messages{};
        bool operator==(const Intake&) const = default;
    };
    struct Web {
        std::string address;
        std::uint16_t port{};
        std::string tls_certificate;  ///< empty: plain HTTP, on loopback only
        std::string tls_key;
        bool demonstration_accounts{};
        Duration session_idle{};
        Duration session_absolute{};
        std::vector<std::string> hosts;
        std::size_t max_connections{};
        bool operator==(const Web&) const = default;
    };
    struct Delivery {
        unsigned workers_dmp{};
        unsigned workers_mail{};
        unsigned workers_dpi{};
        Duration poll{};
        Duration lease{};
        std::vector<Duration> retry_delays;
        Duration give_up_after_dmp{};
        Duration give_up_after_mail{};
        Duration give_up_after_dpi{};
        unsigned circuit_breaker_failures{};
        Duration circuit_breaker_pause{};
        bool operator==(const Delivery&) const = default;
    };
    struct Cda {
        std::string official_kit;
        std::string official_kit_defects;
        unsigned official_kit_share{};   ///< of 100 documents
        std::string official_kit_failure;
        bool official_blocks() const { return official_kit_failure == "block"; }
        std::string fonts;
        std::string icc_profile;
        bool operator==(const Cda&) const = default;
    };
    struct Ready {
        std::string file;
        bool operator==(const Ready&) const = default;
    };

    Instance instance;
    Daemon daemon;
    Log log;
    Database database;
    std::vector<Listener> listeners;
    Intake intake;
    Web web;
    Delivery delivery;
    Cda cda;
    Ready ready;
    bool operator==(const Settings&) const = default;
};

/// Reads and checks the whole file; keys that are not given have the default of the table in settings.cpp. The error's
/// `where` is `line 12, column 3`. The addresses a listener may use without TLS are judged by
/// net::check_listener_policy.
Result<Settings> parse_settings(std::string_view toml);

/// A file name of the settings or of a partner: absolute as it is, else in the credentials folder.
std::string credential(const Settings& settings, std::string_view name);

/// Every key with its type, default and reason, for `sgld --help-config`.
std::string help();

/// `section.key`, in the order of help(): what the shipped config/sgld.toml must show.
struct KeyDescription {
    std::string section;
    std::string name;
    std::string unit;
    std::string standard;  ///< as TOML
    std::string reason;
};
std::vector<KeyDescription> describe_keys();

}  // namespace sgl::config
