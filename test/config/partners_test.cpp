#include "lib/delivery/partners.hpp"

#include <gtest/gtest.h>

using namespace sgl;
using namespace sgl::delivery;

namespace {

constexpr std::string_view mss =
    R"({"host":"h","ca":"ca.pem","certificate":"c.pem","key":"k.pem","from_address":"a@b","from_label":"L","reply_to":"r@b"})";
constexpr std::string_view dpi =
    R"({"host":"h","port":2575,"sending_facility":"F","receiving_application":"A","receiving_facility":"R"})";
constexpr std::string_view dmp =
    R"({"url":"https://h/s","ca":"a","tls_certificate":"b","tls_key":"/abs/c","sign_certificate":"d","sign_key":"e",
        "structure_id":"1690000001","source_oid":"1.2.3"})";

/// The object with one more or changed member; the last one of a name counts.
std::string with(std::string_view json, std::string_view member) {
    return std::string(json.substr(0, json.rfind('}'))) + "," + std::string(member) + "}";
}

}  // namespace

TEST(Partners, KeepTheDefaultsOfWhatIsNotSaid) {
    const auto partner = mss_partner(mss);
    ASSERT_TRUE(partner) << to_string(partner.error());
    EXPECT_EQ(partner->port, 587);
    EXPECT_EQ(partner->size_limit_mb, 10U);
    EXPECT_TRUE(partner->withdrawal_with_pdf);
    EXPECT_EQ(partner->timeout, std::chrono::seconds(60));
    EXPECT_EQ(partner->certificate, "c.pem");
}

TEST(Partners, LetWhatTheSourcesLeaveOpenBeSet) {  // design D17
    const auto plain = dmp_partner(dmp);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->vihf_version + " " + plain->digest, "3.0 sha256");
    EXPECT_EQ(plain->rplc_uri, "urn:ihe:iti:2007:AssociationType:RPLC");
    const auto set = dmp_partner(with(dmp, R"("vihf_version":"4.0","digest":"sha1","section_oid":"1.2.3.4",
        "rplc_uri":"urn:ihe:iti:2010:AssociationType:RPLC")"));
    ASSERT_TRUE(set) << to_string(set.error());
    EXPECT_EQ(set->vihf_version + " " + set->digest + " " + set->section_oid, "4.0 sha1 1.2.3.4");
    EXPECT_EQ(set->rplc_uri, "urn:ihe:iti:2010:AssociationType:RPLC");
}

TEST(Partners, PutTheCredentialsFolderBeforeRelativeFileNamesOnly) {
    const auto partner = dmp_partner(dmp, "/run/keys");
    ASSERT_TRUE(partner) << to_string(partner.error());
    EXPECT_EQ(partner->ca, "/run/keys/a");
    EXPECT_EQ(partner->tls_key, "/abs/c");
    EXPECT_EQ(partner->url, "https://h/s");
    EXPECT_EQ(dpi_partner(dpi, "/run/keys")->ca, "") << "what is not named stays unnamed";
}

TEST(Partners, RefuseAnUnknownKeyByItsName) {
    const auto partner = mss_partner(with(mss, R"("prot":1)"));
    ASSERT_FALSE(partner);
    EXPECT_EQ(partner.error().where, "prot");
    EXPECT_EQ(partner.error().fault, Fault::malformed);
}

TEST(Partners, RefuseAWrongTypeByItsName) {
    for (const auto* member : {R"("port":"587")", R"("port":0)", R"("port":65536)", R"("port":1.5)"}) {
        const auto partner = mss_partner(with(mss, member));
        ASSERT_FALSE(partner) << member;
        EXPECT_EQ(partner.error().where, "port");
    }
    EXPECT_EQ(mss_partner(with(mss, R"("implicit_tls":1)")).error().where, "implicit_tls");
    EXPECT_EQ(mss_partner(with(mss, R"("timeout":0)")).error().where, "timeout");
    EXPECT_EQ(dpi_partner(with(dpi, R"("sites":"690000011")")).error().where, "sites");
    EXPECT_EQ(dpi_partner(with(dpi, R"("sites":[1])")).error().where, "sites");
    EXPECT_EQ(dmp_partner(with(dmp, R"("lps_id":3)")).error().where, "lps_id");
}

TEST(Partners, NameTheKeyThatIsMissing) {
    const auto none = dpi_partner(R"({"host":"h"})");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().fault, Fault::missing);
    EXPECT_EQ(none.error().where, "port");
    EXPECT_EQ(mss_partner(R"({"host":""})").error().where, "host");
}

TEST(Partners, RefuseWhatCannotWork) {
    EXPECT_EQ(dmp_partner(with(dmp, R"("url":"http://h")")).error().where, "url");
    EXPECT_EQ(dmp_partner(with(dmp, R"("source_oid":"x")")).error().where, "source_oid");
    EXPECT_EQ(dmp_partner(with(dmp, R"("vihf_version":"2.0")")).error().where, "vihf_version");
    EXPECT_EQ(dmp_partner(with(dmp, R"("section_oid":"x")")).error().where, "section_oid");
    EXPECT_EQ(dmp_partner(with(dmp, R"("digest":"md5")")).error().where, "digest");
    EXPECT_EQ(dmp_partner(with(dmp, R"("rplc_uri":"RPLC")")).error().where, "rplc_uri");
    EXPECT_EQ(mss_partner(with(mss, R"("from_address":"x")")).error().where, "from_address");
    EXPECT_EQ(dpi_partner(with(dpi, R"("tls":true)")).error().where, "ca");
    EXPECT_EQ(dpi_partner(with(dpi, R"("certificate":"c")")).error().where, "key");
    EXPECT_EQ(dpi_partner(with(dpi, R"("processing_id":"D")")).error().where, "processing_id");
    EXPECT_EQ(dpi_partner(with(dpi, R"("finess_form":"X")")).error().where, "finess_form");
    EXPECT_EQ(dpi_partner(with(dpi, R"("sites":["x"])")).error().where, "sites");
}

TEST(Partners, RefuseWhatIsNoJsonObject) {
    for (const auto* text : {"", "[]", "{", "3"}) EXPECT_FALSE(dmp_partner(text)) << text;
}
