#include "lib/delivery/dpi/exchange.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdlib>

#include "lib/delivery/dpi/channel.hpp"
#include "lib/delivery/dpi/document_message.hpp"
#include "test/lib/compose/sample_report.hpp"
#include "test/lib/delivery/dpi/samples.hpp"
#include "test/lib/net/memory_stream.hpp"
#include "test/lib/net/run.hpp"

namespace sgl::delivery {
namespace {

using domain::Reason;
using Kind = Outcome::Kind;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view ours = "L0123";

std::string ack(std::string_view code, std::string_view to = ours, std::string_view err = {}) {
    std::string text = "MSH|^~\\&|DPI|CH|SGL|LABO|20260315110301+0100||ACK^R01^ACK|DPI77001|T|2.5|||||FRA|UNICODE UTF-8\rMSA|";
    text += std::string(code) + "|" + std::string(to) + "\r";
    if (!err.empty()) text += std::string(err) + "\r";
    return text;
}
std::string framed(const std::string& text) { return "\x0b" + text + "\x1c\r"; }

struct Row {
    const char* code;
    const char* err;
    Kind kind;
    Reason reason;
};
class DpiTable : public ::testing::TestWithParam<Row> {};

TEST_P(DpiTable, GivesTheOutcomeOfTheSpecification) {
    const auto& row = GetParam();
    const auto outcome = dpi_outcome(ack(row.code, ours, row.err), ours);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->kind, row.kind);
    EXPECT_EQ(outcome->reason, row.reason);
    EXPECT_EQ(outcome->partner_reference, row.kind == Kind::accepted ? "DPI77001" : "");
}

// spec/hl7v2-cda-to-dpi.md 8; design D17 for 200 to 203.
INSTANTIATE_TEST_SUITE_P(Section8, DpiTable, ::testing::Values(
    Row{"AA", "", Kind::accepted, Reason::none}, Row{"CA", "", Kind::accepted, Reason::none},
    Row{"AR", "ERR||MSH^1|207^Application error^HL70357|E", Kind::try_later, Reason::partner_unavailable},
    Row{"CR", "", Kind::try_later, Reason::partner_unavailable},
    Row{"AE", "ERR||PID^1^3|207^Application error^HL70357|E|902^inconnu^x", Kind::refused, Reason::partner_refused},
    Row{"CE", "", Kind::refused, Reason::partner_refused},
    Row{"AR", "ERR||MSH^1^9|200^x^y|E", Kind::refused, Reason::partner_refused},
    Row{"AR", "ERR||MSH^1^9|201^x^y|E", Kind::refused, Reason::partner_refused},
    Row{"AR", "ERR||MSH^1^11|202^x^y|E", Kind::refused, Reason::partner_refused},
    Row{"AR", "ERR||MSH^1^12|203^x^y|E", Kind::refused, Reason::partner_refused}));

TEST(DpiOutcome, ShowsTheCoordinateAndCodesOfARefusalButNotItsWords) {
    const auto outcome = dpi_outcome(ack("AE", ours, "ERR||PID^1^3|207^Application error^HL70357|E|902^PAT-TROIS inconnu^x||PAT-TROIS"), ours);
    ASSERT_TRUE(outcome && outcome->error);
    EXPECT_EQ(outcome->error->where, "PID[1]-3");
    EXPECT_EQ(outcome->error->what, "the hospital record answers AE, error 207 / 902");
}

TEST(DpiOutcome, IsNoneForAnotherMessagesAnswerAndForNoise) {
    EXPECT_FALSE(dpi_outcome(ack("AA", "AUTRE"), ours));
    EXPECT_FALSE(dpi_outcome("bonjour", ours));
    EXPECT_FALSE(dpi_outcome("MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.5\r", ours));
}

class Exchange : public ::testing::Test {
protected:
    boost::asio::io_context io;
    std::string sent;

    /// The record reads a whole block, says `answer`, then closes or (`silent`) waits.
    asio::awaitable<void> serve(net::StreamPtr stream, std::string answer, bool silent) {
        std::array<char, 4096> buffer{};
        while (!sent.ends_with("\x1c\r")) {
            const std::size_t count = co_await stream->read_some(buffer);
            if (count == 0) co_return;
            sent.append(buffer.data(), count);
        }
        if (!answer.empty()) co_await stream->write(answer);
        std::size_t count = silent ? 1 : 0;
        while (count > 0) count = co_await stream->read_some(buffer);
    }

    asio::awaitable<Result<net::StreamPtr>> connect(std::string answer, bool silent) {
        auto [client, record] = test::memory_streams(io.get_executor());
        net::StreamPtr record_end = std::move(record);
        asio::co_spawn(io, serve(std::move(record_end), std::move(answer), silent), [](std::exception_ptr) {});
        net::StreamPtr client_end = std::move(client);
        co_return Result<net::StreamPtr>(std::move(client_end));
    }

    Outcome talk(const std::string& answer, bool silent = false, Duration limit = 2s) {
        sent.clear();
        mllp::Client client([this, answer, silent] { return connect(answer, silent); }, mllp::ClientOptions{limit});
        return dpi_outcome(test::run(io, client.exchange("MSH|^~\\&|…\r", std::string(ours))), ours);
    }
};

TEST_F(Exchange, FramesTheMessageAndTakesItsAnswer) {
    EXPECT_EQ(talk(framed(ack("AA"))).kind, Kind::accepted);
    EXPECT_EQ(sent, "\x0bMSH|^~\\&|…\r\x1c\r");
}

TEST_F(Exchange, IgnoresAnswersToOthersAndWaitsForItsOwn) {
    EXPECT_EQ(talk(framed(ack("AE", "AUTRE")) + framed("noise") + framed(ack("AA"))).kind, Kind::accepted);
}

TEST_F(Exchange, IsInDoubtWhenNoAnswerComesInTime) {
    const auto outcome = talk({}, true, 50ms);
    EXPECT_EQ(outcome.kind, Kind::in_doubt);
    EXPECT_THAT(outcome.error->what, HasSubstr("in time"));
}

TEST_F(Exchange, IsInDoubtWhenTheRecordClosesWithoutAnswering) {
    EXPECT_EQ(talk({}).kind, Kind::in_doubt);
    EXPECT_EQ(talk(framed(ack("AA", "AUTRE"))).kind, Kind::in_doubt);
}

TEST_F(Exchange, TriesLaterWhenTheConnectionBrokeBeforeTheMessageLeft) {
    auto connector = [this]() -> asio::awaitable<Result<net::StreamPtr>> {
        auto [client, record] = test::memory_streams(io.get_executor());
        record->cut();
        net::StreamPtr client_end = std::move(client);
        co_return Result<net::StreamPtr>(std::move(client_end));
    };
    mllp::Client client(connector, mllp::ClientOptions{1s});
    EXPECT_EQ(dpi_outcome(test::run(io, client.exchange("MSH|…", std::string(ours))), ours).kind, Kind::try_later);
}

TEST(DpiChannel, TriesLaterWhenNobodyListens) {
    boost::asio::io_context io;
    auto partner = test::hospital();
    partner.port = 1;  // tcpmux: nobody
    DpiChannel channel(partner);
    const auto letter = test::dpi_letter();
    const auto report = test::sample_report();
    const Documents documents{"<ClinicalDocument/>", "%PDF"};
    const auto outcome = test::run(io, channel.deliver(letter, report, documents));
    EXPECT_EQ(outcome.kind, Kind::try_later);
    EXPECT_EQ(outcome.reason, Reason::partner_unavailable);
}

/// The daemon can be made to die at each of these places (spec/reliability.md 3.2).
using DpiChannelDeathTest = Exchange;
TEST_F(DpiChannelDeathTest, PassesItsFailpoints) {
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";  // a new process each time: it reads the environment afresh
    auto connector = [this]() -> asio::awaitable<Result<net::StreamPtr>> {
        const std::string nothing;
        co_return co_await connect(nothing, false);
    };
    DpiChannel channel(test::hospital(), {}, connector);
    const auto letter = test::dpi_letter();
    const auto report = test::sample_report();
    const Documents documents{"<ClinicalDocument/>", "%PDF"};
    for (const char* name : {"after_claim_before_connect", "after_connect", "after_request_bytes_half", "after_request_sent"}) {
        ::setenv("SGLD_FAILPOINT", name, 1);
        EXPECT_EXIT(test::run(io, channel.deliver(letter, report, documents)), ::testing::KilledBySignal(SIGKILL), "") << name;
        ::unsetenv("SGLD_FAILPOINT");
    }
}

TEST(DpiChannel, RefusesATestIdentityInProductionBeforeItConnects) {
    boost::asio::io_context io;
    auto partner = test::hospital();
    partner.processing_id = "P";
    bool connected = false;
    auto connector = [&]() -> asio::awaitable<Result<net::StreamPtr>> {
        connected = true;
        co_return Error{Fault::unavailable, {}, "unused"};
    };
    DpiChannel channel(partner, {}, connector);
    const auto letter = test::dpi_letter();
    const auto report = test::sample_report();
    const Documents documents{"<ClinicalDocument/>", "%PDF"};
    const auto outcome = test::run(io, channel.deliver(letter, report, documents));
    EXPECT_EQ(outcome.kind, Kind::refused);
    EXPECT_EQ(outcome.reason, Reason::test_identity);
    EXPECT_FALSE(connected);
}

}  // namespace
}  // namespace sgl::delivery
