// The mail channel against the stand-in operator of test/partners, with real documents; what arrives is checked by the
// partner's own mail_check.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "lib/delivery/mssante/channel.hpp"
#include "test/lib/compose/sample_report.hpp"
#include "test/lib/delivery/mssante/partner_process.hpp"
#include "test/lib/delivery/mssante/real_documents.hpp"
#include "test/lib/delivery/mssante/samples.hpp"
#include "test/lib/net/run.hpp"

namespace sgl::delivery {
namespace {

using domain::Channel;
using domain::Reason;
using Kind = Outcome::Kind;
using ::testing::HasSubstr;

class MailOperator : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        folder_ = std::make_unique<test::TemporaryFolder>();
        ASSERT_EQ(test::run_program({"/usr/bin/python3", "test/partners/pki.py", *folder_ / "pki"}), 0);
        test::write_file(*folder_ / "boxes.json",
                         R"([["resultats@labo-alpes-test.mssante.fr", "secret-resultats"],
                             ["paul.medecin@medecin-test.mssante.fr", "secret-paul.medecin"],
                             ["279035121518989@patient.mssante.fr", "secret-patient"]])");
        operator_ = std::make_unique<test::PartnerProcess>(
            "mail_operator.py", *folder_ / "out",
            std::vector<std::string>{"--pki", *folder_ / "pki", "--mailboxes", *folder_ / "boxes.json"});
    }
    static void TearDownTestSuite() {
        operator_.reset();
        folder_.reset();
    }
    void SetUp() override { operator_->post("script", "[]"); }

    static MssPartner partner() {
        auto partner = test::operator_partner();
        partner.host = "127.0.0.1";
        partner.server_name = "localhost";
        partner.port = static_cast<std::uint16_t>(operator_->number("port"));
        partner.ca = "ca.pem";
        partner.certificate = "lab1_mail-chain.pem";
        partner.key = "lab1_mail.key";
        return partner;
    }

    static Outcome deliver(const Letter& letter, const domain::Report& report, MssPartner with = partner()) {
        boost::asio::io_context io;
        MssChannel channel(std::move(with), [](std::string_view name) { return *folder_ / ("pki/" + std::string(name)); });
        const auto documents = test::real_documents(report);
        return test::run(io, channel.deliver(letter, report, documents));
    }

    static std::vector<std::string> mails() {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(*folder_ / "out/mail")) {
            if (entry.path().extension() == ".eml") found.push_back(entry.path().string());
        }
        std::ranges::sort(found);
        return found;
    }

    /// What the partner's checker finds wrong; empty when all is right.
    static std::string problems(const std::string& mail, const std::string& expected = "delivered") {
        const auto report = *folder_ / "check.txt";
        std::filesystem::remove(report);
        if (test::run_program({"/usr/bin/python3", "test/partners/mail_check.py", "--without-nil", "--expect", expected, mail}, report) == 0) return {};
        return test::read_file(report);
    }

    static std::unique_ptr<test::TemporaryFolder> folder_;
    static std::unique_ptr<test::PartnerProcess> operator_;
};
std::unique_ptr<test::TemporaryFolder> MailOperator::folder_;
std::unique_ptr<test::PartnerProcess> MailOperator::operator_;

TEST_F(MailOperator, TakesTheMailOfAProfessionalAndOfThePatient) {
    for (const auto channel : {Channel::mss_professional, Channel::mss_patient}) {
        const auto outcome = deliver(test::letter(channel), test::sample_report());
        ASSERT_EQ(outcome.kind, Kind::accepted) << (outcome.error ? to_string(*outcome.error) : "");
        EXPECT_EQ(problems(mails().back()), "");
    }
}

TEST_F(MailOperator, TakesTheNextVersionAndAReportWithoutQualifiedIns) {
    for (const auto& report : {test::sample_second_version(), test::sample_without_qualified_ins()}) {
        const auto outcome = deliver(test::letter(Channel::mss_professional), report);
        ASSERT_EQ(outcome.kind, Kind::accepted) << (outcome.error ? to_string(*outcome.error) : "");
        EXPECT_EQ(problems(mails().back()), "");
    }
}

TEST_F(MailOperator, TakesTheMailsThatWithdraw) {
    struct Row {
        Channel channel;
        domain::Report report;
    };
    for (const auto& [channel, report] : {Row{Channel::mss_professional, test::sample_second_version()},
                                          Row{Channel::mss_patient, test::sample_report()},
                                          Row{Channel::mss_professional, test::sample_without_qualified_ins()}}) {
        auto letter = test::letter(channel, "018e4b5e-7a10-7c3f-9d21-00000000aa11");
        letter.act = domain::Act::withdraw;
        const auto outcome = deliver(letter, report);
        ASSERT_EQ(outcome.kind, Kind::accepted) << (outcome.error ? to_string(*outcome.error) : "");
        EXPECT_EQ(problems(mails().back(), "deleted"), "");
    }
    auto letter = test::letter(Channel::mss_patient, "018e4b5e-7a10-7c3f-9d21-00000000aa12");
    letter.act = domain::Act::withdraw;
    auto without = partner();
    without.withdrawal_with_pdf = false;
    ASSERT_EQ(deliver(letter, test::sample_report(), without).kind, Kind::accepted);
    EXPECT_EQ(problems(mails().back(), "deleted"), "");
}

TEST_F(MailOperator, GetsTheSameBytesAgainAfterALostAnswer) {
    operator_->post("script", R"([{"times": 1, "do": "close_after_data"}])");
    auto letter = test::letter(Channel::mss_professional, "018e4b5e-7a10-7c3f-9d21-00000000aa09");
    EXPECT_EQ(deliver(letter, test::sample_short_report()).kind, Kind::in_doubt);
    letter.in_doubt = true;
    letter.attempt = 2;
    const auto outcome = deliver(letter, test::sample_short_report());
    EXPECT_EQ(outcome.kind, Kind::accepted);
    EXPECT_TRUE(outcome.possible_duplicate);
    const auto all = mails();
    ASSERT_GE(all.size(), 2U);
    EXPECT_EQ(test::read_file(all[all.size() - 1]), test::read_file(all[all.size() - 2]));
}

TEST_F(MailOperator, AnswersEachRecipientByItsRule) {
    const auto to = [](std::string_view address) {
        auto letter = test::letter(Channel::mss_professional);
        letter.address = Personal<std::string>(std::string(address));
        return deliver(letter, test::sample_short_report());
    };
    EXPECT_EQ(to("inconnu@medecin-test.mssante.fr").kind, Kind::refused);
    EXPECT_EQ(to("x@exemple.fr").kind, Kind::refused);
    EXPECT_EQ(to("quota@medecin-test.mssante.fr").kind, Kind::try_later);
    EXPECT_EQ(to("occupe@medecin-test.mssante.fr").kind, Kind::try_later);
    operator_->post("script", R"([{"times": 1, "do": "rcpt:550 5.2.1 messagerie usager fermee"}])");
    const auto closed = deliver(test::letter(Channel::mss_patient), test::sample_short_report());
    EXPECT_EQ(closed.kind, Kind::not_applicable);
    EXPECT_EQ(closed.reason, Reason::no_citizen_mailbox);
}

TEST_F(MailOperator, IsLeftAloneWhenOurCertificateOrItsOwnIsWrong) {
    auto rogue = partner();
    rogue.certificate = "rogue-chain.pem";
    rogue.key = "rogue.key";
    const auto unknown = deliver(test::letter(Channel::mss_professional), test::sample_short_report(), rogue);
    EXPECT_EQ(unknown.kind, Kind::try_later);
    EXPECT_EQ(unknown.reason, Reason::certificate_expired);
    auto elsewhere = partner();
    elsewhere.server_name = "autre-nom.invalid";
    const auto wrong_name = deliver(test::letter(Channel::mss_professional), test::sample_short_report(), elsewhere);
    EXPECT_EQ(wrong_name.kind, Kind::try_later);
    EXPECT_EQ(wrong_name.reason, Reason::certificate_expired);
}

TEST_F(MailOperator, IsTriedLaterWhenItIsDown) {
    operator_->post("script", R"([{"times": 1, "do": "down"}])");
    const auto outcome = deliver(test::letter(Channel::mss_professional), test::sample_short_report());
    EXPECT_EQ(outcome.kind, Kind::try_later);
    EXPECT_EQ(outcome.reason, Reason::partner_unavailable);
}

}  // namespace
}  // namespace sgl::delivery
