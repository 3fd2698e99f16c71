// The channel to hospital records against the strict fake of test/partners, with real documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "lib/delivery/dpi/channel.hpp"
#include "lib/delivery/dpi/document_message.hpp"
#include "test/lib/compose/sample_report.hpp"
#include "test/lib/delivery/dpi/samples.hpp"
#include "test/lib/delivery/mssante/partner_process.hpp"
#include "test/lib/delivery/mssante/real_documents.hpp"
#include "test/lib/net/run.hpp"

namespace sgl::delivery {
namespace {

using Kind = Outcome::Kind;
using domain::Reason;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* first_id = "018e4b5e-7a10-7c3f-9d21-00000000bb01";
constexpr const char* second_id = "018e4b5e-7a10-7c3f-9d21-00000000bb02";

class HospitalRecord : public ::testing::Test {
protected:
    test::TemporaryFolder folder;

    static Outcome deliver(const DpiPartner& partner, const Letter& letter, const domain::Report& report, const std::string& files = {}) {
        boost::asio::io_context io;
        DpiChannel channel(partner, [&files](std::string_view name) { return files + "/" + std::string(name); });
        const auto documents = test::real_documents(report);
        return test::run(io, channel.deliver(letter, report, documents));
    }
    static std::string why(const Outcome& outcome) { return outcome.error ? to_string(*outcome.error) : std::string(); }
};

TEST_F(HospitalRecord, TakesAReportThenItsNextVersionAndKnowsARepeat) {
    const test::PartnerProcess record("dpi.py", folder / "out", {"--processing-id", "T"});
    auto partner = test::hospital();
    partner.port = static_cast<std::uint16_t>(record.number("port"));
    const auto first = deliver(partner, test::dpi_letter(first_id), test::sample_report());
    ASSERT_EQ(first.kind, Kind::accepted) << why(first) << record.state();
    EXPECT_THAT(first.partner_reference, StartsWith("DPI"));
    const auto again = deliver(partner, test::dpi_letter(first_id), test::sample_report());
    EXPECT_EQ(again.kind, Kind::accepted) << why(again);
    const auto next = deliver(partner, test::dpi_letter(second_id), test::sample_second_version());
    EXPECT_EQ(next.kind, Kind::accepted) << why(next) << record.state();
    EXPECT_THAT(record.state(), HasSubstr("\"repeated\": 1"));
    EXPECT_THAT(record.state(), HasSubstr("\"accepted\": 2"));
    const auto old = deliver(partner, test::dpi_letter("018e4b5e-7a10-7c3f-9d21-00000000bb03"), test::sample_report());
    EXPECT_EQ(old.kind, Kind::refused);
    EXPECT_THAT(why(old), HasSubstr("207 / 900"));
}

TEST_F(HospitalRecord, TakesTheLastVersionBackOnce) {
    const test::PartnerProcess record("dpi.py", folder / "out", {"--processing-id", "T"});
    auto partner = test::hospital();
    partner.port = static_cast<std::uint16_t>(record.number("port"));
    const auto withdrawal = [](const char* id) {
        auto letter = test::dpi_letter(id);
        letter.act = domain::Act::withdraw;
        return letter;
    };
    const auto unknown = deliver(partner, withdrawal("018e4b5e-7a10-7c3f-9d21-00000000bb11"), test::sample_report());
    EXPECT_EQ(unknown.kind, Kind::refused) << "nothing is there yet";
    EXPECT_THAT(why(unknown), HasSubstr("207 / 900"));
    ASSERT_EQ(deliver(partner, test::dpi_letter(first_id), test::sample_report()).kind, Kind::accepted);
    ASSERT_EQ(deliver(partner, test::dpi_letter(second_id), test::sample_second_version()).kind, Kind::accepted);
    const auto former = deliver(partner, withdrawal("018e4b5e-7a10-7c3f-9d21-00000000bb12"), test::sample_report());
    EXPECT_EQ(former.kind, Kind::refused) << "not the latest version";
    EXPECT_THAT(why(former), HasSubstr("207 / 900"));

    record.post("script", R"([{"times": 1, "do": "close_after"}])");
    auto letter = withdrawal("018e4b5e-7a10-7c3f-9d21-00000000bb13");
    EXPECT_EQ(deliver(partner, letter, test::sample_second_version()).kind, Kind::in_doubt);
    letter.in_doubt = true;
    const auto again = deliver(partner, letter, test::sample_second_version());
    EXPECT_EQ(again.kind, Kind::accepted) << "the record knows the repeat: " << why(again) << record.state();
    EXPECT_THAT(record.state(), HasSubstr("\"state\": \"deleted\""));
    const auto twice = deliver(partner, withdrawal("018e4b5e-7a10-7c3f-9d21-00000000bb14"), test::sample_second_version());
    EXPECT_EQ(twice.kind, Kind::refused) << "another message for what is gone already";
    EXPECT_THAT(why(twice), HasSubstr("207 / 900"));
}

TEST_F(HospitalRecord, TakesAnInpatientAndAReportWithoutQualifiedIns) {
    const test::PartnerProcess record("dpi.py", folder / "out", {});
    auto partner = test::hospital();
    partner.port = static_cast<std::uint16_t>(record.number("port"));
    partner.finess_form = "IDNST";
    auto report = test::sample_without_qualified_ins();
    report.patient_class = "I";
    report.stay_number = "V260005";
    const auto outcome = deliver(partner, test::dpi_letter(first_id), report);
    EXPECT_EQ(outcome.kind, Kind::accepted) << why(outcome) << record.state();
}

TEST_F(HospitalRecord, TakesTheResultsLineByLineThenTheirCorrectionAndWithdrawal) {
    const test::PartnerProcess record("dpi.py", folder / "out", {"--profile", "lab3", "--processing-id", "T"});
    auto partner = test::hospital();
    partner.port = static_cast<std::uint16_t>(record.number("port"));
    partner.profile = "lab3";
    const auto first = deliver(partner, test::dpi_letter(first_id), test::sample_report());
    ASSERT_EQ(first.kind, Kind::accepted) << why(first) << record.state();
    const auto next = deliver(partner, test::dpi_letter(second_id), test::sample_second_version());
    EXPECT_EQ(next.kind, Kind::accepted) << why(next) << record.state();
    auto letter = test::dpi_letter("018e4b5e-7a10-7c3f-9d21-00000000bb03");
    letter.act = domain::Act::withdraw;
    const auto gone = deliver(partner, letter, test::sample_second_version());
    EXPECT_EQ(gone.kind, Kind::accepted) << why(gone) << record.state();
    const auto old = deliver(partner, test::dpi_letter("018e4b5e-7a10-7c3f-9d21-00000000bb04"), test::sample_report());
    EXPECT_EQ(old.kind, Kind::refused) << "the same results as new ones: " << why(old) << record.state();
}

TEST_F(HospitalRecord, IsAskedAgainWithTheSameMessageAfterADoubt) {
    const test::PartnerProcess record("dpi.py", folder / "out", {});
    auto partner = test::hospital();
    partner.port = static_cast<std::uint16_t>(record.number("port"));
    record.post("script", R"([{"times": 1, "do": "close_after"}])");
    auto letter = test::dpi_letter(first_id);
    EXPECT_EQ(deliver(partner, letter, test::sample_short_report()).kind, Kind::in_doubt);
    letter.in_doubt = true;
    letter.attempt = 2;
    const auto outcome = deliver(partner, letter, test::sample_short_report());
    EXPECT_EQ(outcome.kind, Kind::accepted) << why(outcome);
    EXPECT_THAT(record.state(), HasSubstr("\"repeated\": 1"));
}

TEST_F(HospitalRecord, AnswersByItsScript) {
    const test::PartnerProcess record("dpi.py", folder / "out", {});
    auto partner = test::hospital();
    partner.port = static_cast<std::uint16_t>(record.number("port"));
    partner.answer_timeout = std::chrono::seconds(2);
    const auto told = [&](const std::string& verb) {
        record.post("script", R"([{"times": 1, "do": ")" + verb + R"("}])");
        return deliver(partner, test::dpi_letter(first_id), test::sample_short_report()).kind;
    };
    EXPECT_EQ(told("AR"), Kind::try_later);
    EXPECT_EQ(told("AE"), Kind::refused);
    EXPECT_EQ(told("AR:203"), Kind::refused);
    EXPECT_EQ(told("silent"), Kind::in_doubt);
    EXPECT_EQ(told("close"), Kind::in_doubt);
    EXPECT_EQ(told("wrong_id"), Kind::in_doubt);
}

TEST_F(HospitalRecord, IsReachedOverTlsWithOurCertificate) {
    const auto pki = folder / "pki";
    ASSERT_EQ(test::run_program({"/usr/bin/python3", "test/partners/pki.py", pki}), 0);
    const test::PartnerProcess record("dpi.py", folder / "out",
                                      {"--tls-cert", pki + "/dpi_server-chain.pem", "--tls-key", pki + "/dpi_server.key", "--tls-ca", pki + "/ca.pem"});
    auto partner = test::hospital();
    partner.port = static_cast<std::uint16_t>(record.number("port"));
    partner.tls = true;
    partner.server_name = "localhost";
    partner.ca = "ca.pem";
    partner.certificate = "lab1_auth_cli-chain.pem";
    partner.key = "lab1_auth_cli.key";
    const auto outcome = deliver(partner, test::dpi_letter(first_id), test::sample_short_report(), pki);
    EXPECT_EQ(outcome.kind, Kind::accepted) << why(outcome);
    partner.server_name = "autre-nom.invalid";
    const auto wrong = deliver(partner, test::dpi_letter(first_id), test::sample_short_report(), pki);
    EXPECT_EQ(wrong.kind, Kind::try_later);
    EXPECT_EQ(wrong.reason, Reason::certificate_expired);
}

}  // namespace
}  // namespace sgl::delivery
