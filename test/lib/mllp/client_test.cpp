// The sender's side against partners that lie, hang, close and answer for others (spec/reliability.md F8).
#include "lib/mllp/client.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/detached.hpp>
#include <deque>
#include <functional>

#include "hl7/framer.hpp"
#include "lib/net/timeout.hpp"
#include "test/lib/net/memory_stream.hpp"
#include "test/lib/net/run.hpp"

namespace sgl::mllp {
namespace {

using namespace std::chrono_literals;
using Kind = Exchange::Kind;

std::string message(const std::string& id) {
    return "MSH|^~\\&|SGL|LBM|DPI|CH|20260314||ORU^R01|" + id + "|T|2.5\r";
}
std::string ack(const std::string& id, const std::string& code = "AA") {
    return hl7::frame("MSH|^~\\&|DPI|CH|SGL|LBM|20260314||ACK|D1|T|2.5\rMSA|" + code + "|" + id + "\r");
}

/// A partner with a script: what it does with each connection, and with each block that comes.
class LyingPartner : public ::testing::Test {
protected:
    using Script = std::function<asio::awaitable<bool>(net::Stream&, std::string block)>;  // false: closes

    asio::awaitable<Result<net::StreamPtr>> connect() {
        if (refuses > 0) {
            --refuses;
            co_return Error{Fault::unavailable, "partner", "nobody listens"};
        }
        ++connections;
        auto [ours, theirs] = test::memory_streams(io.get_executor());
        asio::co_spawn(io, serve(std::move(theirs)), [](std::exception_ptr) {});
        net::StreamPtr end = std::move(ours);
        co_return Result<net::StreamPtr>(std::move(end));
    }

    asio::awaitable<void> serve(std::unique_ptr<test::MemoryStream> stream) {
        live = stream.get();
        hl7::Framer framer;
        std::array<char, 4096> buffer{};
        for (bool open = true; open;) {
            const std::size_t count = co_await stream->read_some(buffer);
            if (count == 0) break;
            for (auto& event : framer.feed(std::string_view(buffer.data(), count))) {
                blocks.push_back(event.bytes);
                open = co_await script(*stream, event.bytes);
                if (!open) break;
            }
        }
        live = nullptr;
    }

    Exchange say(const std::string& id) { return test::run(io, client.exchange(message(id), id)); }
    void wait(Duration time) { test::run(io, net::pause(time)); }
    static std::string id_of(const std::string& block) {
        std::size_t at = 0;
        for (int i = 0; i < 9; ++i)
            at = block.find('|', at) + 1;
        return block.substr(at, block.find('|', at) - at);
    }
    asio::awaitable<bool> answer_well(net::Stream& stream, std::string block) {
        const std::string bytes = ack(id_of(block));
        co_await stream.write(bytes);
        co_return true;
    }

    boost::asio::io_context io;
    int connections = 0;
    int refuses = 0;
    std::vector<std::string> blocks;  // all that came, on whatever connection
    test::MemoryStream* live = nullptr;
    Script script = [this](net::Stream& stream, std::string block) { return answer_well(stream, std::move(block)); };
    Client client{[this] { return connect(); }, ClientOptions{100ms}};
};

TEST_F(LyingPartner, HearsManyMessagesOnOneConnection) {
    for (const auto* id : {"A", "B", "C"}) {
        const auto exchange = say(id);
        EXPECT_EQ(exchange.kind, Kind::answered);
        EXPECT_NE(exchange.answer.find(std::string("MSA|AA|") + id), std::string::npos);
    }
    EXPECT_EQ(connections, 1);
    EXPECT_TRUE(client.connected());
}

TEST_F(LyingPartner, ThatIsAwayGotNothing) {
    refuses = 1;
    const auto exchange = say("A");
    EXPECT_EQ(exchange.kind, Kind::not_sent);
    EXPECT_EQ(exchange.error.what, "nobody listens");
    EXPECT_EQ(say("A").kind, Kind::answered);
}

TEST_F(LyingPartner, AnsweringForAnotherIsNotBelieved) {
    script = [](net::Stream& stream, std::string) -> asio::awaitable<bool> {
        const std::string lies = ack("B") + ack("") + hl7::frame("noise") + ack("AA");
        co_await stream.write(lies);
        co_return true;
    };
    const auto exchange = say("A");
    EXPECT_EQ(exchange.kind, Kind::in_doubt);
    EXPECT_EQ(client.figures().others, 4U);
}

TEST_F(LyingPartner, AnsweringForAnotherFirstIsWaitedFor) {
    script = [](net::Stream& stream, std::string block) -> asio::awaitable<bool> {
        const std::string both = ack("B", "AE") + ack(id_of(block));
        co_await stream.write(both);
        co_return true;
    };
    EXPECT_EQ(say("A").kind, Kind::answered);
    EXPECT_EQ(client.figures().others, 1U);
}

TEST_F(LyingPartner, ThatSaysNothingLeavesADoubtAndIsCalledAgain) {
    script = [](net::Stream&, std::string) -> asio::awaitable<bool> { co_return true; };
    EXPECT_EQ(say("A").kind, Kind::in_doubt);
    script = [this](net::Stream& stream, std::string block) { return answer_well(stream, std::move(block)); };
    EXPECT_EQ(say("A").kind, Kind::answered);
    EXPECT_EQ(connections, 2) << "the silent connection may be dead";
    ASSERT_EQ(blocks.size(), 2U);
    EXPECT_EQ(blocks[0], blocks[1]) << "the same bytes with the same MSH-10";
}

TEST_F(LyingPartner, AnsweringTooLateIsHeardByTheRepeat) {
    script = [](net::Stream&, std::string) -> asio::awaitable<bool> { co_return true; };
    EXPECT_EQ(say("A").kind, Kind::in_doubt);
    const std::string late = ack("A", "AE");
    test::run(io, live->write(late));
    wait(5ms);
    EXPECT_EQ(client.figures().late, 1U);
    const auto exchange = say("A");
    EXPECT_EQ(exchange.kind, Kind::answered);
    EXPECT_NE(exchange.answer.find("MSA|AE|A"), std::string::npos);
    EXPECT_EQ(blocks.size(), 1U) << "nothing was sent again";
}

TEST_F(LyingPartner, AnsweringTooLateDoesNotAnswerTheNext) {
    script = [](net::Stream&, std::string) -> asio::awaitable<bool> { co_return true; };
    EXPECT_EQ(say("A").kind, Kind::in_doubt);
    script = [](net::Stream& stream, std::string block) -> asio::awaitable<bool> {
        const std::string both = ack("A") + ack(id_of(block), "AR");
        co_await stream.write(both);
        co_return true;
    };
    const auto exchange = say("B");
    EXPECT_EQ(exchange.kind, Kind::answered);
    EXPECT_NE(exchange.answer.find("MSA|AR|B"), std::string::npos);
    EXPECT_NE(say("A").answer.find("MSA|AA|A"), std::string::npos);
    EXPECT_EQ(blocks.size(), 2U);
}

TEST_F(LyingPartner, ThatClosesWhenIdleIsCalledAgainWithoutADoubt) {
    script = [this](net::Stream& stream, std::string block) -> asio::awaitable<bool> {
        co_await answer_well(stream, std::move(block));
        co_return false;
    };
    for (const auto* id : {"A", "B", "C"}) {
        EXPECT_EQ(say(id).kind, Kind::answered) << id;
        wait(1ms);
    }
    EXPECT_EQ(connections, 3);
    EXPECT_EQ(blocks.size(), 3U);
}

TEST_F(LyingPartner, ThatClosesOnTheMessageItselfIsTriedOnceMore) {
    EXPECT_EQ(say("A").kind, Kind::answered);
    int closings = 1;
    script = [&](net::Stream& stream, std::string block) -> asio::awaitable<bool> {
        if (closings-- > 0) co_return false;
        co_return co_await answer_well(stream, std::move(block));
    };
    EXPECT_EQ(say("B").kind, Kind::answered);
    EXPECT_EQ(client.figures().resent_at_once, 1U);
    closings = 2;
    EXPECT_EQ(say("C").kind, Kind::in_doubt) << "not for ever";
}

TEST_F(LyingPartner, ThatClosesOnAFreshConnectionLeavesADoubt) {
    script = [](net::Stream&, std::string) -> asio::awaitable<bool> { co_return false; };
    EXPECT_EQ(say("A").kind, Kind::in_doubt);
    EXPECT_EQ(blocks.size(), 1U);
}

TEST_F(LyingPartner, SendingGarbageForEverEndsInTime) {
    script = [](net::Stream& stream, std::string) -> asio::awaitable<bool> {
        const std::string garbage(5000, 'x');
        for (int i = 0; i < 20; ++i) {
            co_await stream.write(garbage);
            co_await net::pause(10ms);
        }
        co_return true;
    };
    EXPECT_EQ(say("A").kind, Kind::in_doubt);
}

TEST_F(LyingPartner, MeetsOneMessageAtATimeWhenSeveralCallersCome) {
    std::vector<std::string> order;
    bool busy = false;
    script = [&](net::Stream& stream, std::string block) -> asio::awaitable<bool> {
        EXPECT_FALSE(busy) << "the next message came before the answer";
        busy = true;
        co_await net::pause(2ms);
        busy = false;
        order.push_back(id_of(block));
        co_return co_await answer_well(stream, std::move(block));
    };
    int done = 0;
    const auto one = [&](std::string id) -> asio::awaitable<void> {
        const Exchange exchange = co_await client.exchange(message(id), id);
        EXPECT_EQ(exchange.kind, Kind::answered);
        EXPECT_NE(exchange.answer.find("|" + id), std::string::npos);
        ++done;
    };
    for (const auto* id : {"A", "B", "C", "D"})
        asio::co_spawn(io, one(id), asio::detached);
    while (done < 4)
        wait(5ms);
    EXPECT_EQ(order.size(), 4U);
    EXPECT_EQ(connections, 1);
}

// ── MLLP release 2 (hl7v2-lab 2.2) ──

class ReleaseTwoPartner : public LyingPartner {
protected:
    static std::string commit(const char* byte) { return hl7::frame(byte); }
    Client two{[this] { return connect(); }, ClientOptions{100ms, 2}};
    Exchange ask(const std::string& id) { return test::run(io, two.exchange(message(id), id)); }
};

TEST_F(ReleaseTwoPartner, StoresThenAnswersAndHearsThatTheAnswerIsStored) {
    script = [](net::Stream& stream, std::string block) -> asio::awaitable<bool> {
        if (block == "\x06") co_return true;
        const std::string bytes = commit("\x06") + ack(id_of(block));
        co_await stream.write(bytes);
        co_return true;
    };
    EXPECT_EQ(ask("A").kind, Kind::answered);
    wait(1ms);
    ASSERT_EQ(blocks.size(), 2U);
    EXPECT_EQ(blocks[1], "\x06");
}

TEST_F(ReleaseTwoPartner, RefusingTwiceGetsItThreeTimes) {
    int naks = 2;
    script = [&](net::Stream& stream, std::string block) -> asio::awaitable<bool> {
        if (block == "\x06") co_return true;
        const std::string bytes = naks-- > 0 ? commit("\x15") : commit("\x06") + ack(id_of(block));
        co_await stream.write(bytes);
        co_return true;
    };
    EXPECT_EQ(ask("A").kind, Kind::answered);
    EXPECT_EQ(std::count(blocks.begin(), blocks.end(), message("A")), 3);
}

TEST_F(ReleaseTwoPartner, RefusingForEverGotNothing) {
    script = [](net::Stream& stream, std::string) -> asio::awaitable<bool> {
        const std::string bytes = commit("\x15");
        co_await stream.write(bytes);
        co_return true;
    };
    const auto exchange = ask("A");
    EXPECT_EQ(exchange.kind, Kind::not_sent);
    EXPECT_EQ(blocks.size(), 3U);
}

TEST_F(ReleaseTwoPartner, StoringWithoutAnsweringLeavesADoubt) {
    script = [](net::Stream& stream, std::string) -> asio::awaitable<bool> {
        const std::string bytes = commit("\x06");
        co_await stream.write(bytes);
        co_return true;
    };
    EXPECT_EQ(ask("A").kind, Kind::in_doubt);
    EXPECT_EQ(test::run(io, two.tell(message("B"))).kind, Kind::answered) << "what wants no answer is stored there";
}

}  // namespace
}  // namespace sgl::mllp
