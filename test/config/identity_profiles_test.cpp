// An identity slave is said of a legal entity or of a site, in the file of the laboratory.
#include "config/identity_profiles.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "config/import.hpp"

namespace sgl::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::string sample() {
    std::ifstream in("config/laboratory.sample.toml", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return text;
}

TEST(IdentityProfiles, AreNoSlavesUnlessSaid) {
    EXPECT_THAT(identity_profiles(sample()).value(),
                ElementsAre(Pair("690000001", false), Pair("690000011", false), Pair("690000012", false),
                            Pair("690000002", false), Pair("690000021", false)));
}

TEST(IdentityProfiles, AreSaidOfALegalEntityOrOfASite) {
    const auto entity = replaced(sample(), "accreditation = \"\"", "identity_slave = true\naccreditation = \"\"");
    ASSERT_TRUE(parse_import(replaced(entity, "identity_slave = false   ", "# identity_slave = false")));
    const auto of_entity =
        identity_profiles(replaced(entity, "identity_slave = false   ", "# identity_slave = false")).value();
    EXPECT_THAT(of_entity.front(), Pair("690000001", true));
    const auto site = replaced(sample(), "practice_setting = \"AMBULATOIRE\"",
                               "practice_setting = \"AMBULATOIRE\"\nidentity_slave = true\n#");
    const auto of_site = identity_profiles(replaced(site, "identity_slave = false                      # true: of this",
                                                    "# true: of this"))
                             .value();
    EXPECT_THAT(of_site.at(1), Pair("690000011", true));
}

TEST(IdentityProfiles, AreTrueOrFalse) {
    const auto wrong = replaced(sample(), "identity_slave = false", "identity_slave = \"no\"");
    EXPECT_FALSE(parse_import(wrong));
}

TEST(IdentityProfiles, AreInNoOtherFile) {
    EXPECT_THAT(identity_profiles("[[link]]\nname = \"x\"\n").value(), IsEmpty());
    EXPECT_THAT(identity_profiles("site;code\n").value(), IsEmpty());
}

}  // namespace
}  // namespace sgl::config
