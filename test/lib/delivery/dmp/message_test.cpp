// What leaves for the DMP, held against the official schemas and the xmlsec1 command (dmp.md 14).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "lib/base/digest.hpp"
#include "lib/delivery/dmp/submission.hpp"
#include "lib/delivery/dmp/vihf.hpp"
#include "lib/delivery/xds/codes.hpp"
#include "test/lib/delivery/dmp/setting.hpp"

namespace sgl::dmp {
namespace {

namespace fs = std::filesystem;

const SystemClock real_clock;

class DmpMessage : public testing::Test {
protected:
    static void SetUpTestSuite() {
        partner_ = test::dmp_partner_at("https://localhost:1/si-dmp-server/v2/services");
        stamp_ = Stamp::read(partner_).value();
        case_ = test::make_case(1, real_clock.now());
    }
    static void TearDownTestSuite() { stamp_.reset(); }

    static std::string assertion() {
        return vihf(case_.report, partner_, *stamp_, "_" + random_uuid(), real_clock.now()).value();
    }
    static std::string verify(const std::string& file) {
        const auto ran = test::run_command(
            "xmlsec1 --verify --id-attr:ID urn:oasis:names:tc:SAML:2.0:assertion:Assertion --trusted-pem " +
            (test::certificates() / "root.pem").string() + " --untrusted-pem " +
            (test::certificates() / "inter.pem").string() + " " + file);
        return ran.status == 0 ? "" : "refused: " + ran.output;
    }

    static inline delivery::DmpPartner partner_;
    static inline std::shared_ptr<const Stamp> stamp_;
    static inline test::Case case_;
};

TEST_F(DmpMessage, TheVihfIsVerifiedByXmlsecAndAChangeIsSeen) {
    const auto file = (test::scratch() / "vihf.xml").string();
    const auto text = assertion();
    test::write_file(file, text);
    EXPECT_EQ(verify(file), "");
    auto changed = text;
    const auto at = changed.find("899900000017");
    ASSERT_NE(at, std::string::npos);
    changed.replace(at, 12, "899900000025");
    test::write_file(file, changed);
    EXPECT_NE(verify(file), "");
}

TEST_F(DmpMessage, SignsWithSha1WhereTheDmpTakesNothingElse) {  // design D17
    auto partner = partner_;
    partner.digest = "sha1";
    const auto stamp = Stamp::read(partner).value();
    const auto text = vihf(case_.report, partner, *stamp, "_1", real_clock.now()).value();
    EXPECT_NE(text.find("http://www.w3.org/2000/09/xmldsig#rsa-sha1"), std::string::npos);
    EXPECT_EQ(text.find("sha256"), std::string::npos);
    const auto file = (test::scratch() / "vihf-sha1.xml").string();
    test::write_file(file, text);
    EXPECT_EQ(verify(file), "");
    const auto made = submission(case_.letter, case_.report, case_.documents, partner, *stamp).value();
    EXPECT_NE(made.signature.find("http://www.w3.org/2000/09/xmldsig#sha1"), std::string::npos);
    EXPECT_EQ(made.signature.find("sha256"), std::string::npos);
    for (const auto& link : stamp->chain())
        EXPECT_EQ(link.digest.size(), 28U) << "20 bytes in base64";
}

TEST_F(DmpMessage, NamesThePharmacistsSectionByTheOidThatIsSet) {
    auto report = case_.report;
    report.validator.speciality = {"G15_21/G", "Pharmacien biologiste"};
    auto partner = partner_;
    partner.section_oid = "1.2.250.1.99999.6";
    const auto text = vihf(report, partner, *stamp_, "_1", real_clock.now()).value();
    EXPECT_NE(text.find(R"(code="G" codeSystem="1.2.250.1.99999.6")"), std::string::npos);
    EXPECT_NE(vihf(report, partner_, *stamp_, "_1", real_clock.now())
                  .value()
                  .find(R"(code="G" codeSystem="1.2.250.1.71.4.2.6")"),
              std::string::npos);
}

TEST_F(DmpMessage, TheIssuerIsTheStampInItsOwnLetters) {
    EXPECT_NE(
        assertion().find(
            ">CN=cachet.lab1.sgld.test,OU=1690000001,O=LABORATOIRE DES ALPES TEST,ST=Rhône (69),C=FR</saml2:Issuer>"),
        std::string::npos);
}

TEST_F(DmpMessage, EachVihfIsAnother) {
    EXPECT_NE(assertion(), assertion());
}

TEST_F(DmpMessage, AVihfNeedsAQualifiedIdentity) {
    auto report = case_.report;
    report.patient.status = domain::IdentityStatus::validated;
    const auto refused = vihf(report, partner_, *stamp_, "_1", real_clock.now());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::missing);
}

TEST_F(DmpMessage, TheSameLetterGivesTheSameSubmission) {
    const auto once = submission(case_.letter, case_.report, case_.documents, partner_, *stamp_).value();
    auto again_letter = case_.letter;
    again_letter.attempt = 4;
    again_letter.in_doubt = true;
    const auto again = submission(again_letter, case_.report, case_.documents, partner_, *stamp_).value();
    EXPECT_EQ(once.signature, again.signature);
    const Call call{"https://localhost:1/repository", action::feed, "urn:uuid:1", "<x/>"};
    EXPECT_EQ(feed_envelope(call, once).value(), feed_envelope(call, again).value());

    auto other_letter = case_.letter;
    other_letter.id = domain::LetterId{Uuid::v7(real_clock.now())};
    const auto other = submission(other_letter, case_.report, case_.documents, partner_, *stamp_).value();
    EXPECT_NE(once.metadata.set.unique_id, other.metadata.set.unique_id);
    EXPECT_EQ(once.metadata.documents.front().unique_id, other.metadata.documents.front().unique_id);
}

TEST_F(DmpMessage, WhatThisVersionDoesNotSendIsRefusedByName) {
    auto both = case_.report;
    both.site.settings.dmp_documents = "n3+n1";
    EXPECT_EQ(submission(case_.letter, both, case_.documents, partner_, *stamp_).error().where, "site.dmp_documents");
    EXPECT_EQ(deletion(case_.letter, both, case_.documents, partner_).error().where, "site.dmp_documents");
}

// dmp.md 7.3.
TEST_F(DmpMessage, ADeletionNamesTheEntryAndItsTwoStatuses) {
    constexpr auto entry = "urn:uuid:11111111-2222-4333-8444-555555555555";
    auto letter = case_.letter;
    letter.act = domain::Act::withdraw;
    auto second = case_.report;
    second.ids = domain::identify(second.ids.set, 2);
    const auto set = deletion(letter, second, case_.documents, partner_);
    ASSERT_TRUE(set) << "a document of any version may be deleted";
    const Call call{partner_.url + "/registry", action::update, random_urn(), assertion()};
    const auto text = deletion_envelope(call, *set, entry, xds::status::approved).value();
    const auto count = [&](const std::string& part) {
        int found = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
            ++found;
        return found;
    };
    EXPECT_EQ(count("<rim:RegistryPackage "), 1);
    EXPECT_EQ(count("<rim:Association "), 1);
    EXPECT_EQ(count("<rim:ExtrinsicObject "), 0) << "the document itself does not travel";
    EXPECT_EQ(count("urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"), 1);
    EXPECT_EQ(count("sourceObject=\"SubmissionSet01\""), 1);
    EXPECT_EQ(count("targetObject=\"" + std::string(entry) + "\""), 1);
    EXPECT_EQ(count("<rim:Slot name=\"OriginalStatus\"><rim:ValueList>"
                    "<rim:Value>urn:oasis:names:tc:ebxml-regrep:StatusType:Approved</rim:Value>"),
              1);
    EXPECT_EQ(count("<rim:Slot name=\"NewStatus\"><rim:ValueList>"
                    "<rim:Value>urn:asip:ci-sis:2010:StatusType:Deleted</rim:Value>"),
              1);
    const auto again = deletion(letter, second, case_.documents, partner_).value();
    EXPECT_EQ(deletion_envelope(call, again, entry, xds::status::approved).value(), text) << "a repeat is the same";
    const auto message = deletion_request(call, *set, entry, xds::status::approved).value();
    EXPECT_NE(message.content_type.find("action=\"urn:ihe:iti:2010:UpdateDocumentSet\""), std::string::npos);
    EXPECT_FALSE(deletion_envelope(call, *set, "1.2.3", xds::status::approved)) << "an entryUUID, not an OID";
}

TEST_F(DmpMessage, TheEnvelopeFollowsTheOfficialSchema) {
    const char* given = std::getenv("SGL_SHARED");
    const fs::path shared = fs::absolute(given == nullptr ? "../shared" : given);
    if (!fs::exists(shared / "ihe/xsd/xds-envelope.xsd")) {
        if (std::getenv("CI") != nullptr) FAIL() << "the official schemas are absent, and CI needs them";
        std::cerr << "SKIPPED: the official schemas are absent: no envelope was validated\n";
        GTEST_SKIP() << "official schemas absent";
    }
    const auto made = submission(case_.letter, case_.report, case_.documents, partner_, *stamp_).value();
    const Call call{partner_.url + "/repository", action::feed, random_urn(), assertion()};
    auto text = feed_envelope(call, made).value();
    while (true) {  // the schema knows only the base64 form of what xop:Include stands for
        const auto from = text.find("<xop:Include");
        if (from == std::string::npos) break;
        text.replace(from, text.find("/>", from) + 2 - from, "AA==");
    }
    const auto file = test::scratch() / "envelope.xml";
    test::write_file(file, text);
    const auto deleted = test::scratch() / "deletion.xml";
    const Call update{partner_.url + "/registry", action::update, random_urn(), assertion()};
    test::write_file(deleted, deletion_envelope(update, made.metadata.set,
                                                "urn:uuid:11111111-2222-4333-8444-555555555555", xds::status::archived)
                                  .value());
    const auto check = [&](const fs::path& which) {
        return test::run_command("XML_CATALOG_FILES=" + (shared / "ihe/catalog.xml").string() +
                                 " xmllint --nonet --noout --schema " + (shared / "ihe/xsd/xds-envelope.xsd").string() +
                                 " " + which.string());
    };
    const auto valid = check(file);
    EXPECT_EQ(valid.status, 0) << valid.output;
    const auto deletion_valid = check(deleted);
    EXPECT_EQ(deletion_valid.status, 0) << deletion_valid.output;
    const auto at = text.find("classifiedObject=");
    test::write_file(file, text.erase(at, text.find('"', at + 18) + 1 - at));
    EXPECT_NE(check(file).status, 0);
}

TEST_F(DmpMessage, CertificatesThatDoNotBelongTogetherAreNamed) {
    const auto fault = [](auto change) {
        auto partner = partner_;
        change(partner);
        const auto read = Stamp::read(partner);
        return read ? std::string("accepted")
                    : std::string(to_string(read.error().fault)) + " " +
                          fs::path(read.error().where).filename().string();
    };
    const auto file = [](const char* name) { return (test::certificates() / name).string(); };
    EXPECT_EQ(fault([&](auto& p) { p.sign_key = file("lab2_sign.key"); }), "conflict lab2_sign.key");
    EXPECT_EQ(fault([&](auto& p) { p.structure_id = "1690000002"; }), "conflict lab1_sign-chain.pem");
    EXPECT_EQ(fault([&](auto& p) { p.tls_certificate = file("lab2_auth_cli-chain.pem"); }),
              "conflict lab2_auth_cli-chain.pem");
    EXPECT_EQ(fault([&](auto& p) {
                  p.sign_certificate = file("lab1_auth_cli-chain.pem"), p.sign_key = file("lab1_auth_cli.key");
              }),
              "conflict lab1_auth_cli-chain.pem");
    EXPECT_EQ(fault([&](auto& p) { p.sign_certificate = file("nothing.pem"); }), "missing nothing.pem");
    EXPECT_EQ(fault([&](auto& p) { p.sign_certificate = file("lab1_sign.key"); }), "malformed lab1_sign.key");
}

TEST_F(DmpMessage, TheChainEndsAtTheRoot) {
    EXPECT_EQ(stamp_->chain().size(), 3U);
}

TEST_F(DmpMessage, AnExpiredStampIsRefusedAndANewFileIsReadAtOnce) {
    EXPECT_TRUE(stamp_->check(real_clock.now()));
    EXPECT_EQ(stamp_->check(real_clock.now() + std::chrono::hours{24 * 900}).error().fault, Fault::refused);

    auto partner = partner_;
    partner.sign_certificate = (test::scratch() / "moving.pem").string();
    fs::copy_file(partner_.sign_certificate, partner.sign_certificate, fs::copy_options::overwrite_existing);
    Stamps stamps{partner};
    const auto first = stamps.at(real_clock.now());
    ASSERT_TRUE(first);
    EXPECT_EQ(stamps.at(real_clock.now()).value(), *first);
    fs::copy_file(test::certificates() / "lab2_sign-chain.pem", partner.sign_certificate,
                  fs::copy_options::overwrite_existing);
    EXPECT_FALSE(stamps.at(real_clock.now()));
    fs::copy_file(partner_.sign_certificate, partner.sign_certificate, fs::copy_options::overwrite_existing);
    EXPECT_TRUE(stamps.at(real_clock.now()));
}

}  // namespace
}  // namespace sgl::dmp
