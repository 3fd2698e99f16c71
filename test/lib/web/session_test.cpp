#include "lib/web/session.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <algorithm>
#include <set>

#include "lib/base/digest.hpp"
#include "lib/base/password.hpp"
#include "lib/web/assets.hpp"
#include "lib/web/rights.hpp"
#include "lib/web/web.hpp"
#include "test/lib/web/fakes.hpp"

namespace sgl::web {
namespace {

using namespace std::chrono_literals;
const std::string token(64, 'a');

TEST(Cookie, IsHostBoundAndSecureUnderTls) {
    EXPECT_EQ(set_cookie(token, true), "__Host-sgld_session=" + token + "; Path=/; HttpOnly; SameSite=Strict; Secure");
    EXPECT_EQ(set_cookie(token, false), "sgld_session=" + token + "; Path=/; HttpOnly; SameSite=Strict");
    EXPECT_NE(clear_cookie(true).find("Max-Age=0"), std::string::npos);
}

TEST(Cookie, OnlyOneWellFormedTokenCounts) {
    const auto read = [](const std::string& cookie, bool tls = false) { return session_token(net::Headers{{"Cookie", cookie}}, tls); };
    EXPECT_EQ(read("a=b; sgld_session=" + token + ";c=d"), token);
    EXPECT_EQ(read("sgld_session=" + token, true), std::nullopt);
    EXPECT_EQ(read("xsgld_session=" + token), std::nullopt);
    EXPECT_EQ(read("sgld_session=" + token + "; sgld_session=" + token), std::nullopt);
    EXPECT_EQ(read("sgld_session=short"), std::nullopt);
    EXPECT_EQ(read("sgld_session=" + std::string(63, 'a') + "'"), std::nullopt);
    EXPECT_EQ(session_token({}, false), std::nullopt);
}

TEST(Origin, OnlyOurOwnPagesPass) {
    const auto from = [](const char* origin, const char* fetch = nullptr) {
        net::Headers headers{{"Host", "labo.example:8443"}};
        if (origin != nullptr) headers.add("Origin", origin);
        if (fetch != nullptr) headers.add("Sec-Fetch-Site", fetch);
        return own_origin(headers, true);
    };
    EXPECT_TRUE(from("https://labo.example:8443", "same-origin"));
    EXPECT_TRUE(from(nullptr));
    EXPECT_FALSE(from("http://labo.example:8443"));
    EXPECT_FALSE(from("https://labo.example"));
    EXPECT_FALSE(from("https://mal.example"));
    EXPECT_FALSE(from("null"));
    EXPECT_FALSE(from(nullptr, "cross-site"));
    EXPECT_FALSE(from(nullptr, "same-site"));
}

TEST(SignInGuard, WaitsTwiceAsLongAfterEachFailureAndForgets) {
    SignInGuard guard;
    const auto start = fakes::now;
    for (int i = 0; i < 2; ++i) guard.failed("bio", "192.0.2.1", start);
    EXPECT_EQ(guard.wait("bio", "192.0.2.1", start), 0s);
    guard.failed("bio", "192.0.2.1", start);
    EXPECT_EQ(guard.wait("bio", "192.0.2.9", start), 2s);
    EXPECT_EQ(guard.wait("other", "192.0.2.1", start), 2s);
    EXPECT_EQ(guard.wait("other", "192.0.2.9", start), 0s);
    guard.failed("bio", "192.0.2.1", start);
    EXPECT_EQ(guard.wait("bio", "192.0.2.1", start), 4s);
    EXPECT_EQ(guard.wait("bio", "192.0.2.1", start + 4s), 0s);
    for (int i = 0; i < 30; ++i) guard.failed("bio", "192.0.2.1", start);
    EXPECT_EQ(guard.wait("bio", "192.0.2.1", start), 15min);
    guard.succeeded("bio");
    EXPECT_EQ(guard.wait("bio", "192.0.2.9", start), 0s);
    guard.failed("x", "192.0.2.1", start + 2h);
    EXPECT_EQ(guard.wait("x", "192.0.2.1", start + 2h), 0s);
}

TEST(Password, MatchesOnlyItselfAndRefusesForeignForms) {
    const auto stored = hash_password("démonstration");
    EXPECT_TRUE(stored.starts_with("$scrypt$ln=14,r=8,p=1$"));
    EXPECT_NE(stored, hash_password("démonstration"));
    EXPECT_TRUE(verify_password(stored, "démonstration"));
    EXPECT_FALSE(verify_password(stored, "demonstration"));
    EXPECT_FALSE(verify_password(stored, ""));
    for (const auto* const other : {"", "démonstration", "$scrypt$ln=31,r=8,p=1$00$00", "$scrypt$ln=14,r=8,p=1$00$", "$md5$x"}) {
        EXPECT_FALSE(verify_password(other, "démonstration")) << other;
    }
}

TEST(Rights, OnlyABiologistWithRppsValidatesAndOnlyOnHisSites) {
    const auto biologist = fakes::with_role(store::Role::biologist);
    EXPECT_TRUE(may(biologist, Action::validate, fakes::north));
    EXPECT_FALSE(may(biologist, Action::validate, fakes::south));
    auto without = biologist;
    without.rpps = {};
    EXPECT_FALSE(may(without, Action::validate, fakes::north));
    for (const auto role : {store::Role::secretary, store::Role::technician, store::Role::it_operator, store::Role::dpo}) {
        EXPECT_FALSE(may(fakes::with_role(role), Action::validate, fakes::north));
    }
}

TEST(Rights, ItAndDataProtectionSeeNoPatient) {
    EXPECT_TRUE(sites_for(fakes::with_role(store::Role::it_operator), Action::read_patient).empty());
    EXPECT_TRUE(sites_for(fakes::with_role(store::Role::dpo), Action::read_patient).empty());
    EXPECT_FALSE(may(fakes::with_role(store::Role::secretary), Action::abandon_letter, fakes::north));
    EXPECT_EQ(sites_for(fakes::biologist(), Action::read_patient).size(), 2U);
}

TEST(OpenApi, DescribesExactlyTheRoutesThatExist) {
    const auto document = boost::json::parse(assets::openapi);
    EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
    std::set<std::string> described;
    for (const auto& [path, methods] : document.at("paths").as_object()) {
        for (const auto& [method, operation] : methods.as_object()) {
            std::string name(method);
            std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
            described.insert(name + " " + std::string(path));
            const bool open = operation.as_object().contains("security");
            const bool unsafe_method = method != "get";
            bool csrf = false;
            if (const auto* const parameters = operation.as_object().if_contains("parameters")) {
                for (const auto& parameter : parameters->as_array()) {
                    const auto* const to = parameter.as_object().if_contains("$ref");
                    csrf = csrf || (to != nullptr && to->as_string() == "#/components/parameters/Csrf");
                }
            }
            EXPECT_EQ(csrf, unsafe_method && !open) << name << " " << std::string_view(path);
        }
    }
    std::set<std::string> served;
    for (const auto& route : Web::routes()) {
        if (route.pattern.starts_with("/api/") || route.pattern.starts_with("/health/")) served.insert(std::string(route.method) + " " + std::string(route.pattern));
    }
    EXPECT_EQ(described, served);
}

}  // namespace
}  // namespace sgl::web
