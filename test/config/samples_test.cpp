// The shipped samples are read by the same parser as the laboratory's files, and agree with the partners of the tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "config/import.hpp"
#include "config/settings.hpp"
#include "lib/delivery/partners.hpp"

using namespace sgl;
using namespace sgl::config;
using namespace sgl::domain;

namespace {

std::string file(const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

Import sample(const std::string& name) {
    const auto bytes = file("config/" + name);
    EXPECT_FALSE(bytes.empty()) << name << ": run the tests from the repository's root";
    auto import = parse_import(bytes);
    EXPECT_TRUE(import) << name << ": " << to_string(import.error());
    return import ? *import : Import{};
}

std::set<std::string> sites_of_the_sample() {
    std::set<std::string> all;
    for (const auto& site : sample("laboratory.sample.toml").sites) all.insert(site.site.finess.text());
    return all;
}

}  // namespace

TEST(Samples, HaveTwoLegalEntitiesAndThreeSites) {
    const auto import = sample("laboratory.sample.toml");
    EXPECT_EQ(import.kind, Import::Kind::laboratory);
    ASSERT_EQ(import.legal_entities.size(), 2U);
    EXPECT_EQ(import.legal_entities[0].finess.text(), "690000001");
    EXPECT_EQ(import.legal_entities[0].biologists_in_charge.at(0).rpps.text(), "99900000017");
    EXPECT_EQ(import.legal_entities[1].address.lines, std::vector<std::string>{"3 place de l'Hôpital"});
    ASSERT_EQ(import.sites.size(), 3U);
    EXPECT_EQ(import.sites[0].site.settings, SiteSettings{}) << "the sample shows the defaults";
    EXPECT_EQ(import.sites[2].legal_entity.text(), "690000002");
    EXPECT_EQ(import.sites[2].site.oid, "1.2.250.1.99999.102");
}

TEST(Samples, LinksUseTheListenersOfTheShippedSettingsAndDifferInTheirSenders) {
    const auto settings = parse_settings(file("config/sgld.toml"));
    ASSERT_TRUE(settings);
    const auto import = sample("links.sample.toml");
    EXPECT_EQ(import.kind, Import::Kind::links);
    EXPECT_EQ(import.links.size(), 6U);
    const auto sites = sites_of_the_sample();
    std::set<std::pair<std::string, std::string>> senders;
    for (const auto& [site, link] : import.links) {
        EXPECT_TRUE(sites.contains(site.text())) << link.name;
        EXPECT_TRUE(std::ranges::any_of(settings->listeners, [&](const auto& l) { return l.name == link.listener; })) << link.name;
        EXPECT_EQ(link.identity_source, link.name.starts_with("registration")) << "design D16";
        EXPECT_EQ(link.order_source, link.identity_source);
        ASSERT_EQ(link.allowed_senders.size(), 1U);
        EXPECT_TRUE(senders.emplace(link.listener, link.allowed_senders[0].application).second) << link.name;
    }
    const Link defaults;
    EXPECT_EQ(import.links[0].link.number_paths, defaults.number_paths);
    EXPECT_EQ(import.links[0].link.no_value, defaults.no_value);
}

TEST(Samples, PartnersAreReadByTheChannelsParsers) {
    const auto import = sample("partners.sample.toml");
    EXPECT_EQ(import.kind, Import::Kind::partners);
    ASSERT_EQ(import.partners.size(), 5U);
    const auto dmp = delivery::dmp_partner(import.partners[0].partner.definition, "/etc/keys");
    ASSERT_TRUE(dmp);
    EXPECT_EQ(dmp->structure_id, "1690000001");
    EXPECT_EQ(dmp->tls_key, "/etc/keys/lab1_auth_cli.key");
    const auto mss = delivery::mss_partner(import.partners[1].partner.definition);
    ASSERT_TRUE(mss);
    EXPECT_EQ(mss->port, 10587);
    EXPECT_EQ(mss->from_address, "resultats@labo-alpes-test.mssante.fr");
    const auto dpi = delivery::dpi_partner(import.partners[4].partner.definition);
    ASSERT_TRUE(dpi);
    EXPECT_EQ(dpi->sites, std::vector<std::string>{"690000021"});
}

TEST(Samples, HaveACorrespondentWithoutMailbox) {
    const auto import = sample("correspondents.sample.csv");
    EXPECT_EQ(import.kind, Import::Kind::correspondents);
    EXPECT_EQ(import.correspondents.size(), 8U);
    EXPECT_EQ(std::ranges::count_if(import.correspondents, [](const auto& c) { return c.correspondent.mss_address.empty(); }), 2);
}

TEST(Samples, EachSiteHasABiologist) {
    const auto import = sample("users.sample.toml");
    EXPECT_EQ(import.kind, Import::Kind::users);
    std::set<std::string> covered;
    for (const auto& user : import.users)
        for (const auto& [site, role] : user.roles)
            if (role == Role::biologist) covered.insert(site.text());
    EXPECT_EQ(covered, sites_of_the_sample());
    EXPECT_EQ(import.content.find("\"demonstration\""), std::string::npos) << "passwords are not kept in the history";
}

TEST(Samples, CatalogueHasTheExaminationsOfThePartners) {
    const auto import = sample("catalogue.sample.csv");
    EXPECT_EQ(import.kind, Import::Kind::catalogue);
    std::map<std::string, const Analyte*> by_code;
    for (const auto& entry : import.analytes) by_code[entry.analyte.local_code] = &entry.analyte;
    for (const auto* code : {"NA", "K", "CL", "GLU", "CREA", "UREE", "CRP", "ALAT", "ASAT", "CHOL", "GB", "GR", "HB", "HT", "VGM",
                             "PLQ", "INR", "TP", "AGHBS", "ASPU"})
        ASSERT_TRUE(by_code.contains(code)) << code;
    EXPECT_EQ(by_code.size(), 20U);
    for (const auto& [code, analyte] : by_code) EXPECT_FALSE(analyte->loinc_label.empty()) << code;
    EXPECT_EQ(by_code["PLQ"]->panels, std::vector<std::string>{"NFS"});
    EXPECT_EQ(choose_range(*by_code["CREA"], Sex::female, 18000).high->text(), "84");
    EXPECT_EQ(choose_range(*by_code["CREA"], Sex::unknown, 18000), Range{});
    EXPECT_EQ(choose_range(*by_code["CRP"], Sex::unknown, std::nullopt).high->text(), "5.0");
    EXPECT_EQ(by_code["K"]->critical.high->text(), "6.5");
    ASSERT_EQ(by_code["AGHBS"]->answers.size(), 2U);
    EXPECT_EQ(by_code["AGHBS"]->answers[0].flag, Flag::abnormal);
    EXPECT_EQ(by_code["AGHBS"]->answers[1].coded.display, "Négatif");
    EXPECT_EQ(by_code["ASPU"]->kind, ValueKind::text);
}

TEST(Samples, CatalogueAgreesWithTheListOfThePartners) {
    // test/partners/EXAMS.md: | `NA` | 2951-2 | label | 18719-5 Biochimie | `mmol/L` | 0 | …
    const auto list = file("test/partners/EXAMS.md");
    if (list.empty()) GTEST_SKIP() << "test/partners/EXAMS.md is not there: the catalogue was not compared";
    const auto import = sample("catalogue.sample.csv");
    for (const auto& entry : import.analytes) {
        const auto& a = entry.analyte;
        const auto row = "| `" + a.local_code + "` | " + a.loinc + " | " + a.loinc_label + " | " + a.chapter + " " + a.chapter_label + " |";
        EXPECT_NE(list.find(row), std::string::npos) << row;
        if (a.kind == ValueKind::numeric) {
            EXPECT_NE(list.find(row + " `" + a.unit + "` | " + std::to_string(a.decimals) + " |"), std::string::npos) << row;
        }
    }
}
