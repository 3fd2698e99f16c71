#include "lib/delivery/mail/smtp_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <vector>

#include "lib/net/listener.hpp"
#include "lib/net/timeout.hpp"
#include "test/lib/net/memory_stream.hpp"
#include "test/lib/net/run.hpp"
#include "test/lib/net/throwaway_pki.hpp"

namespace sgl::mail {
namespace {

namespace asio = net::asio;
using namespace std::chrono_literals;
using test::run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = SmtpOutcome::Kind;
using Phase = SmtpPhase;
using Reason = SmtpReason;

/// A mail operator that follows a script: what it answers to each verb, or that it leaves.
struct Operator {
    std::map<std::string, std::string> answers{
        {"", "220 operateur-test.mssante.fr ESMTP"},
        {"EHLO", "250-operateur-test.mssante.fr\r\n250-SIZE 10485760\r\n250-DSN\r\n250-STARTTLS\r\n250 8BITMIME"},
        {"STARTTLS", "220 2.0.0 Ready to start TLS"},
        {"MAIL", "250 2.1.0 Ok"},
        {"RCPT", "250 2.1.5 Ok"},
        {"DATA", "354 End data with <CR><LF>.<CR><LF>"},
        {".", "250 2.0.0 Ok: queued as 4F2A1"},
        {"RSET", "250 2.0.0 Ok"},
        {"QUIT", "221 2.0.0 Bye"}};
    std::string second_ehlo;          ///< instead of EHLO's, after STARTTLS
    std::string leaves_at;            ///< the verb to which it does not answer but closes
    bool silent{false};               ///< instead of closing, says nothing
    std::vector<std::string> heard;   ///< commands
    std::string data;                 ///< as sent, with its dots

    asio::awaitable<void> serve(net::StreamPtr stream, Upgrade upgrade = nullptr) {
        std::string in;
        bool in_data = false;
        unsigned greetings = 0;
        std::string verb;
        for (;;) {
            if (verb == leaves_at && !(verb.empty() && heard.empty() && leaves_at.empty())) {
                if (!silent) co_return;
                co_await net::pause(1h);
            }
            std::string answer = answers.at(verb);
            if (verb == "EHLO" && ++greetings == 2 && !second_ehlo.empty()) answer = second_ehlo;
            answer += "\r\n";
            co_await stream->write(answer);
            if (verb == "QUIT" || answer.starts_with("421")) co_return;
            if (verb == "STARTTLS" && upgrade) {
                auto secured = co_await upgrade(std::move(stream));
                if (!secured) co_return;
                stream = std::move(*secured);
            }
            in_data = verb == "DATA" && answer.starts_with("354");
            const std::string_view end_mark = in_data ? "\r\n.\r\n" : "\r\n";
            while (!in_data ? in.find(end_mark) == std::string::npos : !in.ends_with(end_mark)) {
                std::array<char, 64 * 1024> buffer{};
                const std::size_t count = co_await stream->read_some(buffer);
                if (count == 0) co_return;
                in.append(buffer.data(), count);
            }
            const auto end = in_data ? in.size() - end_mark.size() : in.find(end_mark);
            if (in_data) {
                data = in.substr(0, end + 2);
                verb = ".";
            } else {
                heard.push_back(in.substr(0, end));
                verb = heard.back().substr(0, heard.back().find_first_of(" :"));
            }
            in.erase(0, end + end_mark.size());
        }
    }
};

class Smtp : public ::testing::Test {
protected:
    Smtp() {
        options.client_name = "sgld.labo.test";
        options.reply = 100ms;
        options.end_of_data = 100ms;
        mail.from = "resultats@labo-test.mssante.fr";
        mail.to = Personal<std::string>("dr.martin@medecin-test.mssante.fr");
        mail.envelope_id = "L+1=a";
        mail.bytes = "Subject: x\r\n\r\n.bonjour\r\n..\r\n.\r\nfin\r\n";
    }

    /// open(), then send() if that went well; the last outcome.
    SmtpOutcome talk(bool implicit = false) {
        auto [ours, theirs] = test::memory_streams(io.get_executor());
        theirs->read_in_slices_of(slice);
        ours->read_in_slices_of(slice);
        net::StreamPtr operator_end = std::move(theirs);
        net::StreamPtr client_end = std::move(ours);
        asio::co_spawn(io, served.serve(std::move(operator_end)), [](std::exception_ptr) {});
        Upgrade upgrade = implicit ? nullptr : same;
        SmtpClient client(std::move(client_end), options, upgrade);
        auto scene = [&]() -> asio::awaitable<SmtpOutcome> {
            auto outcome = co_await client.open();
            if (outcome.ok()) outcome = co_await client.send(mail);
            usable_after = client.usable();
            co_await client.quit();
            co_return outcome;
        };
        return run(io, scene());
    }

    static asio::awaitable<Result<net::StreamPtr>> unchanged(net::StreamPtr stream) {
        co_return Result<net::StreamPtr>(std::move(stream));
    }

    asio::io_context io;
    SmtpOptions options;
    SmtpMail mail;
    Operator served;
    Upgrade same = unchanged;
    bool usable_after{false};
    std::size_t slice{5};  // replies and commands arrive in pieces
};

TEST_F(Smtp, SendsWithDeliveryStatusAndSize) {
    const auto outcome = talk();
    EXPECT_EQ(outcome.kind, Kind::done) << to_string(outcome.error());
    EXPECT_EQ(outcome.code, 250U);
    EXPECT_EQ(outcome.enhanced, "2.0.0");
    EXPECT_THAT(served.heard,
                ElementsAre("EHLO sgld.labo.test", "STARTTLS", "EHLO sgld.labo.test",
                            "MAIL FROM:<resultats@labo-test.mssante.fr> SIZE=" + std::to_string(mail.bytes.size()) +
                                " RET=HDRS ENVID=L+2B1+3Da",
                            "RCPT TO:<dr.martin@medecin-test.mssante.fr> NOTIFY=SUCCESS,FAILURE,DELAY", "DATA", "QUIT"));
    EXPECT_EQ(served.data, "Subject: x\r\n\r\n..bonjour\r\n...\r\n..\r\nfin\r\n");
}

TEST_F(Smtp, SendsNoParameterThatIsNotAnnounced) {
    served.answers["EHLO"] = "250-x\r\n250 STARTTLS";
    EXPECT_TRUE(talk().ok());
    EXPECT_EQ(served.heard[3], "MAIL FROM:<resultats@labo-test.mssante.fr>");
    EXPECT_EQ(served.heard[4], "RCPT TO:<dr.martin@medecin-test.mssante.fr>");
}

TEST_F(Smtp, BelievesOnlyWhatIsAnnouncedAfterTls) {
    served.second_ehlo = "250-x\r\n250 SIZE 1000";
    EXPECT_TRUE(talk().ok());
    EXPECT_EQ(served.heard[3].find("RET="), std::string::npos);
}

TEST_F(Smtp, SendsOverImplicitTlsWithoutStarttls) {
    EXPECT_TRUE(talk(true).ok());
    EXPECT_THAT(served.heard[1], HasSubstr("MAIL FROM"));
}

TEST_F(Smtp, NeverSendsWithoutTls) {
    served.answers["EHLO"] = "250-x\r\n250 SIZE 1000";
    auto outcome = talk();
    EXPECT_EQ(outcome.reason, Reason::tls);
    EXPECT_EQ(outcome.phase, Phase::starttls);
    served = Operator();
    served.answers["STARTTLS"] = "454 4.7.0 TLS not available";
    outcome = talk();
    EXPECT_EQ(outcome.reason, Reason::tls);
    EXPECT_EQ(outcome.code, 454U);
    served = Operator();
    served.answers["STARTTLS"] = "220 2.0.0 Ready\r\n250 injected";
    EXPECT_EQ(talk().reason, Reason::tls);
    served = Operator();
    same = [](net::StreamPtr) -> asio::awaitable<Result<net::StreamPtr>> {
        co_return Error{Fault::refused, "operateur", "the certificate of the other side is not accepted: expired"};
    };
    outcome = talk();
    EXPECT_EQ(outcome.reason, Reason::tls);
    EXPECT_THAT(outcome.error().what, HasSubstr("expired"));
    EXPECT_EQ(outcome.error().fault, Fault::refused);
    for (const auto& line : served.heard) EXPECT_FALSE(line.starts_with("MAIL"));
}

struct RefusalCase {
    const char* verb;
    const char* answer;
    Kind kind;
    Phase phase;
    Reason reason;
};

/// spec/test-mail-operator.md 6, as seen from Postfix, aiosmtpd and Dovecot.
class SmtpRefusals : public Smtp, public ::testing::WithParamInterface<RefusalCase> {};

TEST_P(SmtpRefusals, AreUnderstood) {
    const auto& expected = GetParam();
    served.answers[expected.verb] = expected.answer;
    const auto outcome = talk();
    EXPECT_EQ(outcome.kind, expected.kind);
    EXPECT_EQ(outcome.phase, expected.phase);
    EXPECT_EQ(to_string(outcome.reason), to_string(expected.reason));
    EXPECT_EQ(outcome.code, static_cast<unsigned>(std::stoul(expected.answer)));
    EXPECT_TRUE(outcome.dialogue.ends_with(std::to_string(outcome.code))) << outcome.dialogue;
    EXPECT_EQ(to_string(outcome.error()).find('@'), std::string::npos) << to_string(outcome.error());
}

INSTANTIATE_TEST_SUITE_P(
    OfTheOperator, SmtpRefusals,
    ::testing::Values(
        RefusalCase{"", "554 5.3.2 not here", Kind::permanent, Phase::greeting, Reason::other},
        RefusalCase{"", "421 4.3.2 too busy", Kind::temporary, Phase::greeting, Reason::busy},
        RefusalCase{"EHLO", "421 4.7.1 localhost Error: No client certificate presented", Kind::temporary, Phase::ehlo, Reason::credentials},
        RefusalCase{"EHLO", "421 4.7.1 localhost Error: Client certificate not trusted", Kind::temporary, Phase::ehlo, Reason::credentials},
        RefusalCase{"MAIL", "530 5.7.0 Must issue a STARTTLS command first", Kind::permanent, Phase::mail, Reason::credentials},
        RefusalCase{"MAIL", "554 5.7.1 certificate not registered for this mailbox", Kind::permanent, Phase::mail, Reason::credentials},
        RefusalCase{"MAIL", "552 5.3.4 Message size exceeds fixed limit", Kind::permanent, Phase::mail, Reason::too_large},
        RefusalCase{"MAIL", "452 4.3.1 Insufficient system storage", Kind::temporary, Phase::mail, Reason::busy},
        RefusalCase{"RCPT", "554 5.7.1 <resultats@labo-test.mssante.fr>: Sender address rejected: Access denied", Kind::permanent, Phase::rcpt, Reason::credentials},
        RefusalCase{"RCPT", "550 5.1.1 <x@medecin-test.mssante.fr>: Recipient address rejected: User unknown in virtual mailbox table", Kind::permanent, Phase::rcpt, Reason::unknown_mailbox},
        RefusalCase{"RCPT", "550 5.2.1 <x@patient.mssante.fr>: Recipient address rejected: messagerie usager fermee", Kind::permanent, Phase::rcpt, Reason::mailbox_closed},
        RefusalCase{"RCPT", "452 4.2.2 <x@y.fr>: Recipient address rejected: Mailbox full", Kind::temporary, Phase::rcpt, Reason::quota},
        RefusalCase{"RCPT", "552 5.2.2 quota", Kind::permanent, Phase::rcpt, Reason::quota},
        RefusalCase{"RCPT", "450 4.2.0 Mailbox temporarily unavailable", Kind::temporary, Phase::rcpt, Reason::busy},
        RefusalCase{"RCPT", "451 4.7.1 greylisted", Kind::temporary, Phase::rcpt, Reason::busy},
        RefusalCase{"RCPT", "550 5.7.1 <x@exemple.fr>: domaine hors espace de confiance", Kind::permanent, Phase::rcpt, Reason::outside},
        RefusalCase{"RCPT", "550 no such user", Kind::permanent, Phase::rcpt, Reason::other},
        RefusalCase{"DATA", "451 4.3.0 queue file write error", Kind::temporary, Phase::data, Reason::busy},
        RefusalCase{".", "552 5.3.4 too big", Kind::permanent, Phase::end_of_data, Reason::too_large},
        RefusalCase{".", "451 4.3.0 queue file write error", Kind::temporary, Phase::end_of_data, Reason::busy},
        RefusalCase{".", "554 5.6.0 content rejected", Kind::permanent, Phase::end_of_data, Reason::other}));

TEST_F(Smtp, RefusesByItselfWhatIsAboveTheAnnouncedSize) {
    served.answers["EHLO"] = "250-x\r\n250-STARTTLS\r\n250 SIZE 20";
    const auto outcome = talk();
    EXPECT_EQ(outcome.kind, Kind::permanent);
    EXPECT_EQ(outcome.reason, Reason::too_large);
    for (const auto& line : served.heard) EXPECT_FALSE(line.starts_with("MAIL"));
    EXPECT_TRUE(usable_after);
}

TEST_F(Smtp, TakesAnEndJustAfterTheHandshakeForARefusalOfTheCertificate) {
    served.second_ehlo = "421";
    auto [ours, theirs] = test::memory_streams(io.get_executor());
    auto* const operator_end = theirs.get();
    net::StreamPtr theirs_stream = std::move(theirs);
    asio::co_spawn(io, served.serve(std::move(theirs_stream)), [](std::exception_ptr) {});
    Upgrade cut = [&](net::StreamPtr stream) -> asio::awaitable<Result<net::StreamPtr>> {
        operator_end->cut();
        co_return Result<net::StreamPtr>(std::move(stream));
    };
    SmtpClient client(std::move(ours), options, cut);
    const auto outcome = run(io, client.open());
    EXPECT_EQ(outcome.kind, Kind::temporary);
    EXPECT_EQ(outcome.reason, Reason::credentials);
    EXPECT_EQ(outcome.phase, Phase::ehlo);
}

TEST_F(Smtp, IsInDoubtOnlyAfterTheFinalDot) {
    for (const bool silent : {false, true}) {
        for (const char* verb : {"MAIL", "RCPT", "DATA"}) {
            served = Operator();
            served.leaves_at = verb;
            served.silent = silent;
            const auto outcome = talk();
            EXPECT_EQ(outcome.kind, Kind::temporary) << verb;
            EXPECT_EQ(outcome.reason, Reason::connection) << verb;
            EXPECT_FALSE(usable_after);
        }
        served = Operator();
        served.leaves_at = ".";
        served.silent = silent;
        const auto outcome = talk();
        EXPECT_EQ(outcome.kind, Kind::in_doubt);
        EXPECT_EQ(outcome.phase, Phase::end_of_data);
        EXPECT_EQ(outcome.error().fault, Fault::unavailable);
        EXPECT_FALSE(usable_after);
    }
}

TEST_F(Smtp, IsInDoubtWhenTheLastAnswerIsNoSmtp) {
    served.answers["."] = "bonjour";
    EXPECT_EQ(talk().kind, Kind::in_doubt);
}

TEST_F(Smtp, DoesNotBelieveWhatIsNoSmtp) {
    for (const std::string& greeting : {std::string("bonjour"), std::string("220bonjour"), std::string("99 x"), std::string("220-a\r\n221 b"),
                                       std::string(5000, '2'), std::string("1000 x"), std::string("")}) {
        served = Operator();
        served.answers[""] = greeting;
        const auto outcome = talk();
        EXPECT_EQ(outcome.kind, Kind::temporary);
        EXPECT_EQ(outcome.reason, Reason::protocol) << greeting.substr(0, 20);
    }
}

TEST_F(Smtp, TakesNoAnswerForWhatItHasNotSaidYet) {  // F8: the answer to something else
    slice = 4096;
    for (const auto& [verb, answer] : {std::pair("RCPT", "250 2.1.5 ok\r\n250 2.0.0 Ok: queued"),
                                       std::pair("DATA", "354 go\r\n250 2.0.0 Ok: queued")}) {
        served = Operator();
        served.answers[verb] = answer;
        const auto outcome = talk();
        EXPECT_EQ(outcome.kind, Kind::temporary) << verb;
        EXPECT_EQ(outcome.reason, Reason::protocol) << verb;
        EXPECT_FALSE(usable_after);
        EXPECT_TRUE(served.data.empty()) << "no dot, no mail";
    }
}

TEST_F(Smtp, DoesNotListenForEverToAnAnswerThatNeverEnds) {  // F8: one byte per second
    auto [ours, theirs] = test::memory_streams(io.get_executor());
    net::StreamPtr client_end = std::move(ours);
    int lines = 0;
    int until = 0;
    const auto talks = [&](net::StreamPtr stream) -> asio::awaitable<void> {
        asio::steady_timer timer(io);
        for (; lines < 90 && until == 0; ++lines) {
            co_await stream->write(std::string_view("220-x\r\n"));
            timer.expires_after(40ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    };
    net::StreamPtr operator_end = std::move(theirs);
    asio::co_spawn(io, talks(std::move(operator_end)), [](std::exception_ptr) {});
    SmtpClient client(std::move(client_end), options, same);
    auto scene = [&]() -> asio::awaitable<SmtpOutcome> {
        auto outcome = co_await client.open();
        until = lines;
        co_return outcome;
    };
    const auto outcome = run(io, scene());
    EXPECT_EQ(outcome.kind, Kind::temporary);
    EXPECT_EQ(outcome.reason, Reason::connection);
    EXPECT_LT(until, 50) << "100 ms for the answer, not for each line";
}

TEST_F(Smtp, SendsNothingThatTheServerWouldCutDifferently) {
    for (const char* bytes : {"a\n.\nb\r\n", "a\r\n.\rb\r\n", "a\n", "\r"}) {
        served = Operator();
        mail.bytes = bytes;
        EXPECT_EQ(talk().kind, Kind::permanent);
        EXPECT_TRUE(served.data.empty());
    }
    served = Operator();
    mail.bytes = "a\r\n";
    mail.to = Personal<std::string>("a@b.fr>\r\nDATA");
    EXPECT_EQ(talk().kind, Kind::permanent);
}

TEST_F(Smtp, SendsSeveralMailsOnOneConnectionAlsoAfterARefusal) {
    auto [ours, theirs] = test::memory_streams(io.get_executor());
    net::StreamPtr operator_end = std::move(theirs);
    asio::co_spawn(io, served.serve(std::move(operator_end)), [](std::exception_ptr) {});
    SmtpClient client(std::move(ours), options, same);
    auto scene = [&]() -> asio::awaitable<std::string> {
        std::string kinds;
        const auto opened = co_await client.open();
        kinds += opened.ok() ? "open " : "- ";
        const auto first = co_await client.send(mail);
        kinds += first.ok() ? "sent " : "- ";
        served.answers["RCPT"] = "550 5.1.1 unknown";
        const auto second = co_await client.send(mail);
        kinds += second.kind == Kind::permanent ? "refused " : "- ";
        kinds += second.dialogue + " ";
        served.answers["RCPT"] = "250 ok";
        const auto third = co_await client.send(mail);
        kinds += third.ok() ? "sent" : "-";
        co_await client.quit();
        co_return kinds;
    };
    EXPECT_EQ(run(io, scene()), "open sent refused 250 550 sent");
}

TEST_F(Smtp, SendsALargeMailWhole) {
    slice = std::size_t{64} * 1024;
    options.reply = 5s;
    std::string large;
    while (large.size() < 1024 * 1024) large += ".une ligne qui commence par un point\r\n";
    mail.bytes = large;
    EXPECT_TRUE(talk(true).ok());
    EXPECT_EQ(served.data.size(), large.size() + large.size() / 38);
}

class SmtpOverTls : public Smtp {
protected:
    static void SetUpTestSuite() { pki = std::make_unique<test::ThrowawayPki>(); }
    static void TearDownTestSuite() { pki.reset(); }

    SmtpOutcome send(bool implicit, const net::TlsFiles& operator_files, const net::TlsFiles& our_files) {
        const auto server_tls = net::tls_server(operator_files).value();
        Upgrade upgrade = [&](net::StreamPtr plain) { return net::start_tls_server(std::move(plain), server_tls, 2s); };
        net::ListenerOptions listening;
        listening.name = "operator";
        listening.address = "127.0.0.1";
        auto listener = net::Listener::open(io.get_executor(), listening, implicit ? server_tls : nullptr, [&](net::StreamPtr stream) {
                            return served.serve(std::move(stream), implicit ? nullptr : upgrade);
                        }).value();
        listener->start();
        SmtpServer server;
        server.host = "localhost";
        server.port = listener->port();
        server.implicit_tls = implicit;
        server.tls = net::tls_client(our_files).value();
        server.options = options;
        server.options.reply = 2s;
        return run(io, send_mail(server, mail));
    }

    static inline std::unique_ptr<test::ThrowawayPki> pki;
};

TEST_F(SmtpOverTls, SendsWithStarttlsAndClientCertificate) {
    const auto outcome = send(false, pki->issue("operateur"), pki->issue("laboratoire"));
    EXPECT_TRUE(outcome.ok()) << to_string(outcome.error());
    EXPECT_EQ(outcome.dialogue, "250 250 354 250");
    EXPECT_EQ(served.data, "Subject: x\r\n\r\n..bonjour\r\n...\r\n..\r\nfin\r\n");
}

TEST_F(SmtpOverTls, SendsWithImplicitTls) {
    EXPECT_TRUE(send(true, pki->issue("operateur"), pki->issue("laboratoire")).ok());
}

TEST_F(SmtpOverTls, StopsAtAnOperatorThatItDoesNotBelieve) {
    for (const bool implicit : {false, true}) {
        const auto outcome = send(implicit, pki->issue_by_stranger("operateur"), pki->issue("laboratoire"));
        EXPECT_EQ(outcome.reason, Reason::tls);
        EXPECT_TRUE(served.data.empty());
    }
}

TEST_F(SmtpOverTls, KnowsThatItsCertificateIsRefused) {
    for (const bool implicit : {false, true}) {
        served = Operator();
        const auto outcome = send(implicit, pki->issue("operateur"), pki->issue_by_stranger("laboratoire"));
        EXPECT_EQ(to_string(outcome.reason), to_string(Reason::credentials));
        EXPECT_EQ(outcome.kind, Kind::temporary);
    }
}

}  // namespace
}  // namespace sgl::mail
