#include "config/settings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace sgl;
using namespace sgl::config;
using namespace std::chrono_literals;

namespace {

Error error_of(std::string_view toml) {
    const auto settings = parse_settings(toml);
    if (settings) return {};
    return settings.error();
}

std::string file(const char* name) {
    std::ifstream in(name, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

constexpr std::string_view tls_listener =
    "[[listener]]\nname = 'a'\nport = 2575\ntls = true\ncertificate = 'c.pem'\nkey = 'c.key'\nclient_ca = 'ca.pem'\n";

}  // namespace

TEST(Settings, AnEmptyFileGivesTheDefaults) {
    const auto settings = parse_settings("");
    ASSERT_TRUE(settings) << to_string(settings.error());
    EXPECT_EQ(settings->instance.environment, "test");
    EXPECT_TRUE(settings->database.embedded());
    EXPECT_EQ(settings->database.binaries, "/usr/lib/postgresql/15/bin");
    EXPECT_EQ(settings->delivery.lease, 60s);
    EXPECT_EQ(settings->delivery.retry_delays, (std::vector<Duration>{1min, 5min, 15min, 60min}));
    EXPECT_EQ(settings->delivery.give_up_after_dmp, 72h);
    EXPECT_EQ(settings->delivery.give_up_after_mail, 48h);
    EXPECT_FALSE(settings->web.demonstration_accounts);
    EXPECT_EQ(settings->web.hosts, (std::vector<std::string>{"localhost", "127.0.0.1"}));
    EXPECT_TRUE(settings->listeners.empty());
}

TEST(Settings, ReadsEveryListenerInItsOrder) {
    const auto settings = parse_settings(
        "[[listener]]\nname = 'a'\nport = 0\nlinks = ['x', 'y']\n[[listener]]\nname = 'b'\naddress = '10.0.0.1'\nport = 2576\n"
        "trusted_network = true\nallow = ['10.0.0.0/24']\nmax_message_bytes = 5_000_000\nframe_timeout = '2m'\n");
    ASSERT_TRUE(settings) << to_string(settings.error());
    ASSERT_EQ(settings->listeners.size(), 2U);
    EXPECT_EQ(settings->listeners[0].port, 0);
    EXPECT_EQ(settings->listeners[0].max_message_bytes, 10'000'000U);
    EXPECT_EQ(settings->listeners[0].links, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(settings->listeners[1].name, "b");
    EXPECT_EQ(settings->listeners[1].max_message_bytes, 5'000'000U);
    EXPECT_EQ(settings->listeners[1].frame_timeout, 120s);
    EXPECT_TRUE(settings->listeners[1].trusted_network);
}

TEST(Settings, ReadsDurationsInEveryUnit) {
    EXPECT_EQ(parse_settings("[delivery]\npoll = '1500ms'\n")->delivery.poll, 1500ms);
    EXPECT_EQ(parse_settings("[delivery]\ngive_up_after_dpi = '7d'\n")->delivery.give_up_after_dpi, 168h);
    EXPECT_EQ(parse_settings("[delivery]\nretry_delays = ['1s', '2h']\n")->delivery.retry_delays,
              (std::vector<Duration>{1s, 2h}));
}

struct Wrong {
    std::string_view toml;
    std::string_view where;
    std::string_view what;  ///< a part of it
};

class SettingsRefuse : public testing::TestWithParam<Wrong> {};

TEST_P(SettingsRefuse, WithThePlaceInTheFile) {
    const auto error = error_of(GetParam().toml);
    EXPECT_EQ(error.where, GetParam().where);
    EXPECT_NE(error.what.find(GetParam().what), std::string::npos) << error.what;
}

INSTANTIATE_TEST_SUITE_P(
    Each, SettingsRefuse,
    testing::Values(
        Wrong{"[log]\nlevel = \n", "line 2, column 9", ""}, Wrong{"[log]\n\nlevl = 'info'\n", "line 3, column 1", "did you mean \"level\"?"},
        Wrong{"[logs]\nlevel = 'info'\n", "line 1, column 2", "unknown key \"logs\""},
        Wrong{"label = 'x'\n", "line 1, column 1", "unknown key \"label\""},
        Wrong{"[log]\nlevel = 3\n", "line 2, column 9", "[log].level: expected a text, found a whole number"},
        Wrong{"[log]\nlevel = 'loud'\n", "line 2, column 9", "must be one of: debug, info, warn, error"},
        Wrong{"log = 'x'\n", "line 1, column 7", "expected a table"},
        Wrong{"[instance]\nlabel = ''\n", "line 2, column 9", "must not be empty"},
        Wrong{"[instance]\nenvironment = 'prod'\n", "line 2, column 15", "must be one of: test, production"},
        Wrong{"[database]\npool_size = '16'\n", "line 2, column 13", "expected a whole number, found a text"},
        Wrong{"[database]\npool_size = 1\n", "line 2, column 13", "must be between 2 and 500"},
        Wrong{"[web]\nport = 70000\n", "line 2, column 8", "must be between 0 and 65535"},
        Wrong{"[web]\nport = -1\n", "line 2, column 8", "must be between 0 and 65535"},
        Wrong{"[web]\ndemonstration_accounts = 'yes'\n", "line 2, column 26", "expected true or false"},
        Wrong{"[web]\nhosts = 'localhost'\n", "line 2, column 9", "expected a list, found a text"},
        Wrong{"[web]\nhosts = []\n", "line 2, column 9", "must not be empty"},
        Wrong{"[web]\nhosts = ['a', 1]\n", "line 2, column 15", "expected a text"},
        Wrong{"[delivery]\nlease = 60\n", "line 2, column 9", "expected a duration"},
        Wrong{"[delivery]\nlease = '60'\n", "line 2, column 9", "expected a duration"},
        Wrong{"[delivery]\nlease = '1.5m'\n", "line 2, column 9", "expected a duration"},
        Wrong{"[delivery]\nlease = '-5s'\n", "line 2, column 9", "expected a duration"},
        Wrong{"[delivery]\nlease = '1s'\n", "line 2, column 9", "must be between 5 s and 3600 s"},
        Wrong{"[delivery]\nlease = '99999999999d'\n", "line 2, column 9", "100 years"},
        Wrong{"[delivery]\nretry_delays = ['1m', 'soon']\n", "line 2, column 23", "expected a duration"},
        Wrong{"[listener]\nname = 'a'\nport = 1\n", "line 1, column 2", "write [[listener]]"},
        Wrong{"[[listener]]\nname = 'a'\n", "line 1, column 1", "the key \"port\" is missing"},
        Wrong{"[[listener]]\nname = 'a'\nport = 1\n[[listener]]\nname = 'a'\nport = 2\n", "line 5, column 1", "this name"},
        Wrong{"[[listener]]\nname = 'a'\nport = 1\n[[listener]]\nname = 'b'\nport = 1\n", "line 6, column 1", "this address and port"},
        Wrong{"[[listener]]\nname = 'a'\nport = 1\ntls = true\n", "line 1, column 1", "certificate: needed by tls"},
        Wrong{"[[listener]]\nname = 'a'\nport = 1\nkey = 'k'\n", "line 1, column 1", "certificates are named"},
        Wrong{"[[listener]]\nname = 'a'\nport = 1\ntrusted_network = true\n", "line 4, column 1", "needs allow"},
        Wrong{"[[listener]]\nname = 'a'\nport = 1\nmax_message_bytes = 10\n", "line 4, column 21", "must be between 1024"},
        Wrong{"[database]\nmode = 'external'\n", "line 1, column 1", "conninfo: must be given"},
        Wrong{"[database]\nconninfo = 'host=x'\n", "line 2, column 1", "must be empty"},
        Wrong{"[database]\nmode = 'external'\nconninfo = 'host=x password=y'\n", "line 3, column 1", "holds a password"},
        Wrong{"[database]\nmode = 'external'\nconninfo = 'postgresql://u:p@x/sgld'\n", "line 3, column 1", "holds a password"},
        Wrong{"[database]\nsocket_dir = '/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'\n",
              "line 2, column 1", "longer than 80"},
        Wrong{"[web]\naddress = '0.0.0.0'\n", "line 2, column 1", "needs tls_certificate"},
        Wrong{"[web]\ntls_certificate = 'c'\n", "line 2, column 1", "go together"},
        Wrong{"[web]\nsession_idle = '12h'\n", "line 2, column 1", "session_absolute"},
        Wrong{"[instance]\nenvironment = 'production'\n[web]\ndemonstration_accounts = true\n", "line 4, column 1",
              "refused in production"},
        Wrong{"[web]\nidentity_provider_issuer = 'https://x'\n", "line 2, column 28", "not handled by this version"},
        Wrong{"[web]\ntls_key = '''-----BEGIN PRIVATE KEY-----\n'''\n", "line 2, column 11", "a private key does not belong here"}));

TEST(Settings, SayAnIdentityProviderIsUnsupported) {
    EXPECT_EQ(error_of("[web]\nidentity_provider_client_id = 'x'\n").fault, Fault::unsupported);
}

TEST(Settings, AcceptATlsListenerWithItsFiles) {
    const auto settings = parse_settings(tls_listener);
    ASSERT_TRUE(settings) << to_string(settings.error());
    EXPECT_TRUE(settings->listeners.at(0).tls);
}

TEST(Settings, AcceptAPassfile) {
    EXPECT_TRUE(parse_settings("[database]\nmode = 'external'\nconninfo = 'postgresql://u@x/sgld?passfile=/etc/p'\n"));
}

TEST(Settings, LookForCredentialsInTheirFolder) {
    auto settings = *parse_settings("[daemon]\ncredentials_dir = '/etc/keys'\n");
    EXPECT_EQ(credential(settings, "a.pem"), "/etc/keys/a.pem");
    EXPECT_EQ(credential(settings, "/b.pem"), "/b.pem");
    EXPECT_EQ(credential(settings, ""), "");
    settings.daemon.credentials_dir.clear();
    ::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/sgld", 1);
    EXPECT_EQ(credential(settings, "a.pem"), "/run/credentials/sgld/a.pem");
    ::unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_EQ(credential(settings, "a.pem"), "/etc/sgld/credentials/a.pem");
}

TEST(Settings, HelpIsAFileThatOnlyLacksWhatMustBeGiven) {
    auto text = help();
    const auto begin = text.find("[[listener]]");
    text.replace(begin, text.find("[web]") - begin, "");
    const auto settings = parse_settings(text);
    ASSERT_TRUE(settings) << to_string(settings.error());
    EXPECT_EQ(*settings, *parse_settings(""));
}

TEST(ShippedSettings, ShowEveryKeyWithItsUnitDefaultAndReason) {
    const auto shipped = file("config/sgld.toml");
    ASSERT_FALSE(shipped.empty()) << "run the tests from the repository's root";
    std::string flat;  // comment lines joined, so that the break of lines does not matter
    for (std::size_t i = 0; i < shipped.size(); ++i) {
        if (shipped.compare(i, 3, "\n# ") == 0 && !flat.empty()) {
            flat += ' ';
            i += 2;
        } else {
            flat += shipped[i];
        }
    }
    for (const auto& key : describe_keys()) {
        const auto section = flat.find("\n" + key.section);
        ASSERT_NE(section, std::string::npos) << key.section;
        const auto reason = flat.find(key.reason, section);
        EXPECT_NE(reason, std::string::npos) << key.section << "." << key.name << ": reason differs from the table";
        if (reason == std::string::npos) continue;
        const auto standard = key.standard.empty() ? "; must be given." : "; default " + key.standard + ".";
        EXPECT_EQ(flat.substr(reason + key.reason.size() + 1, key.unit.size() + standard.size()), key.unit + standard)
            << key.section << "." << key.name;
        EXPECT_EQ(flat.find("\n" + key.name + " = ", reason), reason + key.reason.size() + 1 + key.unit.size() + standard.size())
            << key.section << "." << key.name << " is not set after its comment";
    }
}

TEST(ShippedSettings, AreTheDefaultsAndThreeLocalListeners) {
    const auto shipped = parse_settings(file("config/sgld.toml"));
    ASSERT_TRUE(shipped) << to_string(shipped.error());
    auto rest = *shipped;
    ASSERT_EQ(rest.listeners.size(), 3U);
    EXPECT_EQ(rest.listeners[0].address, "127.0.0.1");
    rest.listeners.clear();
    EXPECT_EQ(rest, *parse_settings(""));
}
