#include "lib/delivery/mssante/channel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdlib>
#include <map>

#include "lib/delivery/mssante/letter_mail.hpp"
#include "test/lib/compose/sample_report.hpp"
#include "test/lib/delivery/mssante/samples.hpp"
#include "test/lib/net/memory_stream.hpp"
#include "test/lib/net/run.hpp"

namespace sgl::delivery {
namespace {

using domain::Channel;
using domain::Reason;
using Kind = Outcome::Kind;
using mail::SmtpOutcome;
using ::testing::HasSubstr;
using ::testing::Not;

/// An operator on a connection that is TLS already: what it answers to each verb; "" closes.
class Scripted : public ::testing::Test {
protected:
    std::map<std::string, std::string> answers{{"greeting", "220 mss"}, {"EHLO", "250-mss\r\n250-SIZE 10485760\r\n250 DSN"},
                                               {"MAIL", "250 2.1.0 Ok"}, {"RCPT", "250 2.1.5 Ok"}, {"DATA", "354 go"},
                                               {".", "250 2.0.0 Ok: queued"}, {"RSET", "250 Ok"}, {"QUIT", "221 Bye"}};
    std::vector<std::string> heard;
    std::string data;
    boost::asio::io_context io;
    Documents documents{"<ClinicalDocument/>", "%PDF-1.4\n%%EOF\n"};

    asio::awaitable<void> serve(net::StreamPtr stream) {
        std::string in;
        std::string verb = "greeting";
        for (;;) {
            const std::string answer = answers.at(verb);
            if (answer.empty()) co_return;
            const std::string line = answer + "\r\n";
            co_await stream->write(line);
            if (verb == "QUIT") co_return;
            const std::string_view end = verb == "DATA" && answer.starts_with("354") ? "\r\n.\r\n" : "\r\n";
            std::size_t at = 0;
            while ((at = in.find(end)) == std::string::npos) {
                std::array<char, 4096> buffer{};
                const std::size_t count = co_await stream->read_some(buffer);
                if (count == 0) co_return;
                in.append(buffer.data(), count);
            }
            const std::string line_heard = in.substr(0, at);
            in.erase(0, at + end.size());
            if (end.size() > 2) {
                data = line_heard;
                verb = ".";
                continue;
            }
            heard.push_back(line_heard);
            verb = line_heard.substr(0, line_heard.find(' '));
        }
    }

    Outcome deliver(const Letter& letter, MssPartner partner = test::operator_partner()) {
        auto connector = [this]() -> asio::awaitable<Result<MssChannel::Connection>> {
            auto [ours, theirs] = test::memory_streams(io.get_executor());
            net::StreamPtr operator_end = std::move(theirs);
            asio::co_spawn(io, serve(std::move(operator_end)), [](std::exception_ptr) {});
            MssChannel::Connection made;
            made.stream = std::move(ours);
            co_return made;
        };
        MssChannel channel(std::move(partner), {}, connector);
        const auto report = test::sample_report();
        return test::run(io, channel.deliver(letter, report, documents));
    }
};

TEST_F(Scripted, AcceptsWithTheEnvelopeOfTheLetter) {
    const auto outcome = deliver(test::letter(Channel::mss_professional));
    EXPECT_EQ(outcome.kind, Kind::accepted);
    EXPECT_EQ(outcome.partner_reference, "018e4b5e-7a10-7c3f-9d21-00000000aa01@labo-alpes-test.mssante.fr");
    EXPECT_FALSE(outcome.possible_duplicate);
    ASSERT_GE(heard.size(), 3U);
    EXPECT_THAT(heard[1], HasSubstr("MAIL FROM:<resultats@labo-alpes-test.mssante.fr> SIZE="));
    EXPECT_THAT(heard[1], HasSubstr("RET=HDRS ENVID=018e4b5e-7a10-7c3f-9d21-00000000aa01"));
    EXPECT_EQ(heard[2], "RCPT TO:<paul.medecin@medecin-test.mssante.fr> NOTIFY=SUCCESS,FAILURE,DELAY");
    EXPECT_THAT(data, HasSubstr("Content-Type: multipart/mixed"));
}

TEST_F(Scripted, TellsThatARepeatAfterDoubtMayBeADuplicate) {
    auto letter = test::letter(Channel::mss_professional);
    letter.in_doubt = true;
    EXPECT_TRUE(deliver(letter).possible_duplicate);
}

TEST_F(Scripted, IsInDoubtWhenTheConnectionIsLostAfterTheFinalDot) {
    answers["."] = "";
    EXPECT_EQ(deliver(test::letter(Channel::mss_professional)).kind, Kind::in_doubt);
}

TEST_F(Scripted, TriesLaterWhenTheConnectionIsLostBeforeTheData) {
    answers["RCPT"] = "";
    const auto outcome = deliver(test::letter(Channel::mss_professional));
    EXPECT_EQ(outcome.kind, Kind::try_later);
    EXPECT_EQ(outcome.reason, Reason::partner_unavailable);
}

struct Row {
    const char* verb;
    const char* answer;
    Channel channel;
    Kind kind;
    Reason reason;
};
class MssTable : public Scripted, public ::testing::WithParamInterface<Row> {};

TEST_P(MssTable, GivesTheOutcomeOfTheSpecification) {
    const auto& row = GetParam();
    answers[row.verb] = row.answer;
    const auto outcome = deliver(test::letter(row.channel));
    EXPECT_EQ(outcome.kind, row.kind) << row.verb << " " << row.answer;
    EXPECT_EQ(outcome.reason, row.reason) << row.verb << " " << row.answer;
    ASSERT_TRUE(outcome.error);
    EXPECT_THAT(to_string(*outcome.error), Not(HasSubstr("@")));  // neither the address nor the operator's words
}

// spec/mssante.md 5.1
INSTANTIATE_TEST_SUITE_P(Table51, MssTable, ::testing::Values(
    Row{"greeting", "421 4.3.2 busy", Channel::mss_professional, Kind::try_later, Reason::partner_unavailable},
    Row{"greeting", "421 4.7.1 client certificate not trusted", Channel::mss_professional, Kind::try_later, Reason::certificate_expired},
    Row{"EHLO", "530 5.7.0 authentication required", Channel::mss_professional, Kind::try_later, Reason::certificate_expired},
    Row{"MAIL", "554 5.7.1 certificate not registered for a mailbox", Channel::mss_professional, Kind::try_later, Reason::certificate_expired},
    Row{"MAIL", "451 4.3.0 later", Channel::mss_professional, Kind::try_later, Reason::partner_unavailable},
    Row{"MAIL", "552 5.3.4 too big", Channel::mss_professional, Kind::refused, Reason::too_large},
    Row{"RCPT", "450 4.2.0 unavailable", Channel::mss_professional, Kind::try_later, Reason::partner_unavailable},
    Row{"RCPT", "452 4.2.2 x@y.fr mailbox full", Channel::mss_professional, Kind::try_later, Reason::partner_unavailable},
    Row{"RCPT", "552 5.2.2 mailbox full", Channel::mss_professional, Kind::try_later, Reason::partner_unavailable},
    Row{"RCPT", "550 5.1.1 x@y.fr unknown", Channel::mss_professional, Kind::refused, Reason::partner_refused},
    Row{"RCPT", "550 5.7.1 outside", Channel::mss_professional, Kind::refused, Reason::partner_refused},
    Row{"RCPT", "550 5.2.1 closed", Channel::mss_professional, Kind::refused, Reason::partner_refused},
    Row{"RCPT", "550 5.2.1 closed", Channel::mss_patient, Kind::not_applicable, Reason::no_citizen_mailbox},
    Row{"RCPT", "550 5.1.1 unknown", Channel::mss_patient, Kind::refused, Reason::partner_refused},
    Row{".", "451 4.3.0 later", Channel::mss_professional, Kind::try_later, Reason::partner_unavailable},
    Row{".", "552 5.3.4 too big", Channel::mss_professional, Kind::refused, Reason::too_large},
    Row{".", "554 5.3.0 no", Channel::mss_patient, Kind::refused, Reason::partner_refused}));

TEST_F(Scripted, SaysWhenTheMailboxAloneIsTheReason) {  // then the operator need not rest (design D7)
    answers["RCPT"] = "452 4.2.2 mailbox full";
    EXPECT_TRUE(deliver(test::letter(Channel::mss_professional)).recipient_only);
    answers["RCPT"] = "421 4.3.2 busy";
    EXPECT_FALSE(deliver(test::letter(Channel::mss_professional)).recipient_only);
    answers["greeting"] = "421 4.3.2 busy";
    EXPECT_FALSE(deliver(test::letter(Channel::mss_professional)).recipient_only);
}

TEST_F(Scripted, RefusesWhatIsTooLargeBeforeItConnects) {
    documents.pdf = "%PDF" + std::string(std::size_t{2} * 1024 * 1024, 'x');
    auto partner = test::operator_partner();
    partner.size_limit_mb = 2;
    const auto outcome = deliver(test::letter(Channel::mss_professional), partner);
    EXPECT_EQ(outcome.kind, Kind::refused);
    EXPECT_EQ(outcome.reason, Reason::too_large);
    EXPECT_TRUE(heard.empty());
}

TEST_F(Scripted, CarriesAWithdrawalAsAnyMailAndSaysWhenItMayBeTheSecond) {
    auto letter = test::letter(Channel::mss_professional);
    letter.act = domain::Act::withdraw;
    const auto outcome = deliver(letter);
    EXPECT_EQ(outcome.kind, Kind::accepted);
    EXPECT_EQ(outcome.partner_reference, message_id(letter.id, test::operator_partner()));
    EXPECT_FALSE(outcome.possible_duplicate);
    letter.in_doubt = true;
    EXPECT_TRUE(deliver(letter).possible_duplicate);
}

/// The daemon can be made to die at each of these places (spec/reliability.md 3.2).
using MssChannelDeathTest = Scripted;
TEST_F(MssChannelDeathTest, PassesItsFailpoints) {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";  // a new process each time: it reads the environment afresh
    for (const char* name : {"after_claim_before_connect", "after_connect", "after_request_bytes_half", "after_request_sent"}) {
        ::setenv("SGLD_FAILPOINT", name, 1);
        EXPECT_EXIT(deliver(test::letter(Channel::mss_professional)), ::testing::KilledBySignal(SIGKILL), "") << name;
        ::unsetenv("SGLD_FAILPOINT");
    }
}

TEST(MssChannel, TriesLaterWhenItsOwnCertificateIsNotThere) {
    auto partner = test::operator_partner();
    partner.ca = "ca.pem";
    partner.certificate = "absent.pem";
    partner.key = "absent.key";
    MssChannel channel(partner, [](std::string_view name) { return "/nonexistent/" + std::string(name); });
    boost::asio::io_context io;
    const auto letter = test::letter(Channel::mss_professional);
    const auto report = test::sample_report();
    const Documents documents{"<ClinicalDocument/>", "%PDF-1.4\n%%EOF\n"};
    const auto outcome = test::run(io, channel.deliver(letter, report, documents));
    EXPECT_EQ(outcome.kind, Kind::try_later);
    EXPECT_EQ(outcome.reason, Reason::certificate_expired);
    EXPECT_THAT(to_string(*outcome.error), HasSubstr("/nonexistent/"));
}

}  // namespace
}  // namespace sgl::delivery
