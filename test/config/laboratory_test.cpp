#include "lib/domain/laboratory.hpp"

#include <gtest/gtest.h>

#include "lib/base/password.hpp"

using namespace sgl;
using namespace sgl::domain;

namespace {

Analyte analyte(std::int32_t id, std::string code, std::string loinc, unsigned position, std::vector<std::string> panels = {}) {
    Analyte made;
    made.id = AnalyteId{id};
    made.local_code = std::move(code);
    made.loinc = std::move(loinc);
    made.position = position;
    made.panels = std::move(panels);
    return made;
}

User biologist(std::string_view speciality) {
    User user;
    user.professional.rpps = *Rpps::parse("99900000017");
    user.professional.speciality.code = speciality;
    user.roles = {{SiteId{1}, Role::biologist}, {SiteId{2}, Role::technician}};
    return user;
}

Laboratory::Parts parts() {
    Laboratory::Parts all;
    all.analytes = {{SiteId{1}, analyte(3, "PLQ", "777-3", 30, {"NFS"})},
                    {SiteId{1}, analyte(1, "GB", "6690-2", 10, {"NFS", "X"})},
                    {SiteId{1}, analyte(4, "GB2", "6690-2", 40)},
                    {SiteId{2}, analyte(2, "GB", "", 10)}};
    Link on;
    on.name = "a";
    on.listener = "centre";
    Link off = on;
    off.name = "b";
    off.active = false;
    all.links = {on, off};
    return all;
}

}  // namespace

TEST(Laboratory, GivesEachSiteItsCatalogueInReportOrder) {
    const Laboratory laboratory(parts());
    EXPECT_EQ(laboratory.catalogue(SiteId{1}).by_code("GB")->id, AnalyteId{1});
    EXPECT_EQ(laboratory.catalogue(SiteId{2}).by_code("GB")->id, AnalyteId{2});
    EXPECT_EQ(laboratory.catalogue(SiteId{2}).by_code("PLQ"), nullptr);
    EXPECT_TRUE(laboratory.catalogue(SiteId{3}).analytes().empty());
    const auto panel = laboratory.catalogue(SiteId{1}).ordered("NFS");
    ASSERT_EQ(panel.size(), 2U);
    EXPECT_EQ(panel[0]->local_code, "GB");
    EXPECT_EQ(panel[1]->local_code, "PLQ");
}

TEST(Laboratory, ServesOnlyActiveLinks) {
    const Laboratory laboratory(parts());
    EXPECT_EQ(laboratory.links_of("centre").size(), 1U);
    EXPECT_TRUE(laboratory.links_of("nord").empty());
    EXPECT_NE(laboratory.link("b"), nullptr);
}

TEST(User, ValidatesWithTheRoleOnThatSiteAnRppsAndABiologySpeciality) {
    EXPECT_TRUE(biologist("G15_10/SM03").may_validate(SiteId{1}));
    EXPECT_TRUE(biologist("G15_21/G").may_validate(SiteId{1}));
    EXPECT_FALSE(biologist("G15_10/SM26").may_validate(SiteId{1})) << "a general practitioner is no biologist";
    EXPECT_FALSE(biologist("G15_21/H").may_validate(SiteId{1})) << "a hospital pharmacist is no biologist";
    EXPECT_FALSE(biologist("G15_10/SM03").may_validate(SiteId{2}));
    auto user = biologist("G15_10/SM03");
    user.professional.rpps = {};
    EXPECT_FALSE(user.may_validate(SiteId{1}));
    user = biologist("G15_10/SM03");
    user.active = false;
    EXPECT_FALSE(user.may_validate(SiteId{1}));
}

TEST(Password, IsVerifiedAgainstItsHashOnly) {
    const auto stored = hash_password("demonstration");
    EXPECT_TRUE(stored.starts_with("$scrypt$ln=14,r=8,p=1$"));
    EXPECT_NE(stored, hash_password("demonstration")) << "each has its salt";
    EXPECT_TRUE(verify_password(stored, "demonstration"));
    EXPECT_FALSE(verify_password(stored, "demonstratioN"));
    EXPECT_FALSE(verify_password(stored, ""));
    EXPECT_FALSE(verify_password("", "demonstration"));
    EXPECT_FALSE(verify_password("$scrypt$ln=14,r=8,p=1$00$", ""));
}
