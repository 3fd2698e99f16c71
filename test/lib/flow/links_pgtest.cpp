// What a link may say of its conversation, with a real database: sequence numbers, batches, repeats, closed links,
// application acknowledgements of their own (hl7v2-lab 2.5, 3.2, 3.6, 3.7).
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/system/system_error.hpp>

#include <array>

#include "hl7/framer.hpp"
#include "lib/flow/conversation.hpp"
#include "lib/flow/link_sender.hpp"
#include "lib/flow/read.hpp"
#include "test/lib/flow/flow_fixture.hpp"
#include "test/lib/net/memory_stream.hpp"

namespace sgl::flow {
namespace {

class PgLinks : public test::FlowTest {
protected:
    PgLinks() {
        superuser(R"sql(insert into link (id, site_id, name, definition, updated_at) overriding system value
                        values (1, 1, 'gestion', '{}', now()), (2, 1, 'automate', '{}', now()))sql");
    }
    template <class Change>
    void change_analyser(Change change) {
        change_laboratory([&](domain::Laboratory::Parts& parts) { change(parts.links[1]); });
    }
    static std::string with(std::string block, int field, const std::string& value) {
        const auto end = block.find('\r');
        std::string header = block.substr(0, end);
        while (std::count(header.begin(), header.end(), '|') < field)
            header += '|';
        std::size_t at = 0;
        for (int i = 1; i < field; ++i)
            at = header.find('|', at) + 1;
        const auto stop = std::min(header.find('|', at), header.size());
        return header.replace(at, stop - at, value) + block.substr(end);
    }
    std::string result(const std::string& control) { return oru(control, "1", obx("NA", "140")); }
    std::string numbered(const std::string& control, const std::string& number) {
        return with(result(control), 13, number);
    }
    Replies receive_block(std::string block) {
        const auto work = [&]() -> asio::awaitable<Replies> {
            const domain::LaboratoryPtr current = laboratory_.current();
            std::vector<const domain::Link*> links;
            for (const auto& link : current->links())
                links.push_back(&link);
            Replies replies = co_await intake_.receive_block(links, block, now_);
            co_return replies;
        };
        return run(work());
    }
};

TEST_F(PgLinks, TakesNumberedMessagesInTheirOrder) {
    change_analyser([](domain::Link& link) { link.sequence_numbers = true; });
    const auto answered = [&](const std::string& control, const std::string& number) {
        const auto answer = read(receive(numbered(control, number)));
        return answer.text("MSA-1") + " " + answer.text("MSA-4");
    };
    EXPECT_EQ(answered("S0", "0"), "AA -1") << "none was ever taken";
    EXPECT_EQ(answered("S1", "41"), "AA 41") << "then any number is the first";
    EXPECT_EQ(answered("S2", "42"), "AA 42");
    EXPECT_EQ(answered("S4", "44"), "AE 43");
    EXPECT_EQ(count("select count(*) from message where control_id = 'S4'"), 0)
        << "not stored: it may come in its turn";
    EXPECT_EQ(answered("S3", "43"), "AA 43");
    EXPECT_EQ(answered("S4", "44"), "AA 44") << "the same bytes, now in their turn";
    EXPECT_EQ(answered("S4", "44"), "AA 45") << "a repeat: only the acknowledgement was lost";
    EXPECT_EQ(answered("S5", "44"), "AE 45") << "no repeat, though an old number";
    EXPECT_EQ(answered("S0b", "0"), "AA 45");
    EXPECT_EQ(answered("S6", "-1"), "AA -1");
    EXPECT_EQ(answered("S7", "7"), "AA 7");
    EXPECT_EQ(one("select last from link_sequence"), "7");
    EXPECT_EQ(answered("S8", ""), "AA ") << "who does not number is taken";
}

TEST_F(PgLinks, ARepeatIsAnsweredAsItWasAfterTheNumberingBeganAnew) {
    change_analyser([](domain::Link& link) { link.sequence_numbers = true; });
    EXPECT_EQ(code(receive(numbered("S100", "100"))), "AA");
    EXPECT_EQ(code(receive(numbered("S0", "-1"))), "AA");
    EXPECT_EQ(code(receive(numbered("S1", "1"))), "AA");
    EXPECT_EQ(code(receive(numbered("S100", "100"))), "AA") << "it is here";
    EXPECT_EQ(code(receive(numbered("S101", "101"))), "AE");
    EXPECT_EQ(one("select last from link_sequence"), "1");
}

TEST_F(PgLinks, APartOfAMessageIsKeptForAPersonAndNothingOfItIsApplied) {
    const auto first = result("M1") + "DSC|SUITE|F\r";
    EXPECT_EQ(code(receive(first)), "AA");
    const auto second = with(result("M2"), 14, "SUITE");
    EXPECT_EQ(code(receive(second)), "AA");
    EXPECT_EQ(count("select count(*) from result"), 0);
    EXPECT_EQ(count("select count(*) from work_item where kind = 'part'"), 2);
    EXPECT_EQ(one("select string_agg(coordinate, ' ' order by id) from work_item"), "DSC-1 MSH-14");
    EXPECT_EQ(code(receive(with(oml("O1", "1"), 14, "SUITE"))), "AE") << "half an order is none";
    EXPECT_EQ(count("select count(*) from lab_order"), 0);
    const auto parsed = hl7::Message::parse(second).value();
    const auto read_again = read_results(parsed, laboratory_.current()->links()[1], *laboratory_.current());
    ASSERT_FALSE(read_again);
    EXPECT_EQ(read_again.error().where, "MSH-14");
}

TEST_F(PgLinks, ABlockWhoseMessagesCantBeReadIsKeptAndRefused) {
    const std::string block = "FHS#^~\\&#AUTO1#BIO\rBHS#^~\\&#AUTO1#BIO\r" + result("B1") + result("B2") + "BTS#2\r";
    const auto replies = receive_block(block);
    ASSERT_EQ(replies.blocks.size(), 1U);
    EXPECT_EQ(hl7::Message::parse(replies.blocks[0]).value().text("MSA-1"), "AE");
    EXPECT_EQ(one("select convert_from(raw, 'UTF8') from message"), block);
    EXPECT_EQ(one("select kind from work_item"), "no_message");
    EXPECT_TRUE(receive_block("FHS|^~\\&|AUTO1|BIO\rBHS|^~\\&|AUTO1|BIO\rBTS|0\rFTS|1\r").blocks.empty());
}

TEST_F(PgLinks, WhatIsTooLongIsKeptForTheSiteOfItsSenderWithoutWhatMayNotBeKept) {
    const domain::LaboratoryPtr laboratory = laboratory_.current();
    const std::vector<const domain::Link*> links{laboratory->link("gestion"), laboratory->link("automate")};
    const auto head = with(result("M1"), 3, "AUTO1") + "PID|||1||A^B|||||RACE\r";
    const auto reply = run(intake_.refuse_oversize(links, head, 50'000'000, now_));
    EXPECT_EQ(code(reply), "AR");
    EXPECT_EQ(one("select link_id from message"), "2");
    EXPECT_EQ(one("select position('RACE' in convert_from(raw, 'UTF8')) from message"), "0");
}

TEST_F(PgLinks, AnAnswerIsInTheCharacterSetOfItsLink) {
    change_laboratory([](domain::Laboratory::Parts& parts) { parts.links[0].charset = "iso-8859-1"; });
    auto order = with(oml("O1", "1", "IONO", "PAT-\xC9LAN"), 18, "8859/1");
    order.replace(order.find("S\xC3\xA9rum"), 6, "S\xE9rum");
    const auto reply = receive(order);
    EXPECT_NE(reply.bytes.find("PAT-\xC9LAN"), std::string::npos) << reply.bytes;
    EXPECT_EQ(read(reply).text("MSH-18"), "8859/1");
}

TEST_F(PgLinks, AnAnswerOfSomebodyElseIsNotBelieved) {
    change_analyser([](domain::Link& link) { link.one_socket = true; });
    receive(with(with(result("M1"), 15, "AL"), 16, "AL"));
    const auto ours = one("select control_id from application_answer");
    const auto answer = [&](const std::string& sender, const std::string& id) {
        return "MSH|^~\\&|" + sender + "|SGL|LBM|20260314081500||ACK^R01|" + id + "|P|2.5.1\rMSA|AA|" + ours + "\r";
    };
    receive(answer("EVIL|OTHER", "A1"));
    EXPECT_EQ(one("select state from application_answer"), "due");
    receive(answer("AUTO1|BIO", "A2"));
    EXPECT_EQ(one("select state from application_answer"), "done");
}

TEST_F(PgLinks, AnswersAWrongNumberWithCeInEnhancedMode) {
    change_analyser([](domain::Link& link) { link.sequence_numbers = true; });
    EXPECT_EQ(code(receive(numbered("S1", "1"))), "AA");
    EXPECT_EQ(code(receive(with(with(numbered("S9", "9"), 15, "AL"), 16, "NE"))), "CE");
}

TEST_F(PgLinks, TakesNumbersForNothingWhereTheLinkDoesNotUseThem) {
    EXPECT_EQ(code(receive(numbered("S9", "9"))), "AA");
    EXPECT_EQ(read(receive(numbered("S3", "3"))).text("MSA-4"), "");
}

TEST_F(PgLinks, KnowsARepeatWhateverStandsAroundTheMessage) {
    const auto block = result("M1");
    EXPECT_EQ(code(receive(block)), "AA");
    EXPECT_EQ(code(receive("\r\n" + block + "\n")), "AA");
    EXPECT_EQ(count("select count(*) from message"), 1);
    EXPECT_EQ(code(receive(result("M1") + "NTE|1|L|autre\r")), "AA");
    EXPECT_EQ(count("select count(*) from message"), 2) << "a control id used again for another message";
}

TEST_F(PgLinks, TwoMessagesThatDifferInALastSegmentWithoutEndAreTwo) {
    auto first = result("M1");
    first.pop_back();  // no CR at the end
    auto second = first;
    second.replace(second.find("|140|"), 5, "|159|");
    EXPECT_EQ(code(receive(first)), "AA");
    EXPECT_EQ(code(receive(second)), "AA");
    EXPECT_EQ(count("select count(*) from message"), 2);
    EXPECT_EQ(code(receive(first + "\r")), "AA") << "the same with its end";
    EXPECT_EQ(code(receive(second)), "AA");
    EXPECT_EQ(one("select string_agg(value, ' ' order by id) from result"), "140 159 140") << "nothing is lost";
}

TEST_F(PgLinks, CountsNumbersThatAreUsedAgain) {  // I3: analysers restart their numbering
    const auto counted = [&] { return one("select coalesce(sum(count), 0) from link_counter where link_id = 2"); };
    const auto later = [](std::string block) { return with(std::move(block), 7, "20260315060000"); };
    EXPECT_EQ(code(receive(result("1"))), "AA");
    EXPECT_EQ(code(receive(result("1"))), "AA");
    EXPECT_EQ(code(receive(result("12"))), "AA");
    EXPECT_EQ(counted(), "0") << "a repeat is none, and a longer number is another";
    EXPECT_EQ(code(receive(later(result("1")))), "AA");
    EXPECT_EQ(counted(), "1") << "the next day";
    EXPECT_EQ(code(receive(later(result("1")) + "NTE|1|L|autre\r")), "AA");
    EXPECT_EQ(counted(), "2") << "in the same second";
    EXPECT_EQ(count("select count(*) from message where control_id = '1'"), 3) << "each is processed";
    EXPECT_EQ(code(receive(result(""))), "AA");
    EXPECT_EQ(code(receive(result("") + "NTE|1|L|autre\r")), "AA");
    EXPECT_EQ(counted(), "2") << "no number at all is none that is used again";
    EXPECT_EQ(code(receive(oml("1", "1"))), "AA");
    EXPECT_EQ(code(receive(with(oml("1", "2"), 7, "20260315060000"))), "AA");
    EXPECT_EQ(one("select name || ' ' || count from link_counter where link_id = 1"), "reused_control_id 1");
}

TEST_F(PgLinks, AnswersAClosedLinkWithArAndTakesTheSameBytesOnceItIsOpen) {
    change_analyser([](domain::Link& link) { link.active = false; });
    const auto reply = receive(result("M1"));
    EXPECT_EQ(code(reply), "AR");
    EXPECT_FALSE(reply.stored);
    EXPECT_EQ(count("select count(*) from message"), 0);
    change_analyser([](domain::Link&) {});
    EXPECT_EQ(code(receive(result("M1"))), "AA");
}

TEST_F(PgLinks, RefusesTypesThatTheLinkDoesNotName) {
    change_analyser([](domain::Link& link) { link.message_types = {"OUL^R22"}; });
    const auto answer = read(receive(result("M1")));
    EXPECT_EQ(answer.text("MSA-1"), "AR");
    EXPECT_EQ(answer.text("ERR-3.1"), "200");
}

TEST_F(PgLinks, RefusesBytesOutsideTheCharsetWhereTheLinkSaysSo) {
    const auto wrong = oru("M1", "1", obx("NA", "140") + "NTE|1|L|\xE9t\xE9\r");
    change_analyser([](domain::Link& link) { link.reject_bad_charset = true; });
    const auto answer = read(receive(wrong));
    EXPECT_EQ(answer.text("MSA-1"), "AE");
    EXPECT_EQ(answer.text("ERR-3.1"), "102");
    EXPECT_EQ(answer.text("ERR-2.3"), "18");
}

TEST_F(PgLinks, KeepsAnswersToNothingAndDoesNotAnswerThem) {
    const auto reply = receive("MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||ACK^R01|A1|P|2.5.1\rMSA|AA|NOBODY\r");
    EXPECT_EQ(reply.bytes, "");
    EXPECT_EQ(count("select count(*) from message where control_id = 'A1'"), 1);
    EXPECT_EQ(count("select count(*) from work_item"), 0);
}

TEST_F(PgLinks, AnswersEachMessageOfABatch) {
    const auto block = "BHS|^~\\&|AUTO1|BIO|||||||B1\r" + result("B1") + result("B2") + "BTS|2\r";
    const auto replies = receive_block(block);
    ASSERT_EQ(replies.blocks.size(), 2U);
    EXPECT_EQ(hl7::Message::parse(replies.blocks[1]).value().text("MSA-2"), "B2");
    EXPECT_EQ(count("select count(*) from message where state <> 'rejected'"), 2);
    EXPECT_EQ(one("select string_agg(convert_from(raw, 'UTF8'), '' order by id) from message"),
              result("B1") + result("B2"));
}

TEST_F(PgLinks, AnswersABatchByABatchWhereTheLinkSaysSo) {
    change_analyser([](domain::Link& link) { link.batch_answer = true; });
    const auto replies =
        receive_block("BHS|^~\\&|AUTO1|BIO|C|D|20260314||||B77\r" + result("B1") + result("B2") + "BTS|2\r");
    ASSERT_EQ(replies.blocks.size(), 1U);
    const auto& batch = replies.blocks.front();
    EXPECT_TRUE(batch.starts_with("BHS|^~\\&|SGL|LBM|")) << batch;
    EXPECT_NE(batch.find("|B77\r"), std::string::npos);
    EXPECT_NE(batch.find("MSA|AA|B1\r"), std::string::npos);
    EXPECT_TRUE(batch.ends_with("BTS|2\r"));
    EXPECT_EQ(receive_block(result("B3")).blocks.size(), 1U) << "a message alone is answered alone";
}

// ── application acknowledgements of their own ──

TEST_F(PgLinks, OwesAnApplicationAcknowledgementFromTheMomentTheMessageIsStored) {
    change_analyser([](domain::Link& link) { link.outgoing.host = "192.0.2.1"; });
    const auto block = with(with(result("M1"), 15, "AL"), 16, "AL");
    const auto reply = receive(block);
    EXPECT_EQ(code(reply), "CA");
    EXPECT_TRUE(reply.owes);
    EXPECT_EQ(code(receive(block)), "CA");
    EXPECT_EQ(count("select count(*) from application_answer where state = 'due'"), 1)
        << "once, however often it comes";
    receive(with(with(result("M2"), 15, "AL"), 16, "NE"));
    receive(with(with(result("M3"), 15, "AL"), 16, "ER"));
    EXPECT_EQ(count("select count(*) from application_answer"), 1);
}

TEST_F(PgLinks, OneRefusedAcknowledgementHoldsBackNoOther) {
    change_analyser([](domain::Link& link) {
        link.outgoing.host = "192.0.2.1";
        link.outgoing.answer_timeout = std::chrono::seconds(1);
    });
    for (const auto* id : {"M1", "M2", "M3"})
        receive(with(with(result(id), 15, "AL"), 16, "AL"));
    const auto serve = [&](std::unique_ptr<sgl::test::MemoryStream> stream) -> asio::awaitable<void> {
        hl7::Framer framer;
        std::array<char, 4096> buffer{};
        while (const std::size_t bytes = co_await stream->read_some(buffer)) {
            for (auto& event : framer.feed(std::string_view(buffer.data(), bytes))) {
                const auto message = hl7::Message::parse(event.bytes).value();
                const std::string said = message.text("MSA-2") == "M1" ? "CR" : "CA";
                const std::string answer = hl7::frame("MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314||ACK|D1|P|2.5.1\rMSA|" +
                                                      said + "|" + message.control_id() + "\r");
                co_await stream->write(answer);
            }
        }
    };
    const auto connect = [&](const domain::Link::Outgoing&) -> asio::awaitable<Result<net::StreamPtr>> {
        auto [ours, theirs] = sgl::test::memory_streams(executor());
        asio::co_spawn(executor(), serve(std::move(theirs)), asio::detached);
        net::StreamPtr end = std::move(ours);
        co_return Result<net::StreamPtr>(std::move(end));
    };
    LinkSender answers(executor(), intake_, clock_, laboratory_, connect);
    const auto all_done = [&]() -> asio::awaitable<bool> {
        for (int i = 0; i < 500; ++i) {
            answers.look();
            co_await net::pause(std::chrono::milliseconds(5));
            if (count("select count(*) from application_answer where state = 'done'") == 3) co_return true;
        }
        co_return false;
    };
    EXPECT_TRUE(run(all_done()));
    answers.stop();
}

TEST_F(PgLinks, SendsWhatIsOwedUntilThePeerHasIt) {
    change_analyser([](domain::Link& link) {
        link.outgoing.host = "192.0.2.1";
        link.outgoing.answer_timeout = std::chrono::seconds(1);
    });
    receive(with(with(result("M1"), 15, "AL"), 16, "AL"));
    receive(with(with(oml("O1", "7"), 15, "AL"), 16, "AL"));  // its link has no outgoing connection
    EXPECT_EQ(count("select count(*) from application_answer"), 1);
    std::vector<std::string> heard;
    int refusals = 1;
    const auto serve = [&](std::unique_ptr<sgl::test::MemoryStream> stream) -> asio::awaitable<void> {
        hl7::Framer framer;
        std::array<char, 4096> buffer{};
        while (const std::size_t bytes = co_await stream->read_some(buffer)) {
            for (auto& event : framer.feed(std::string_view(buffer.data(), bytes))) {
                heard.push_back(event.bytes);
                const auto id = hl7::Message::parse(event.bytes).value().control_id();
                const std::string answer =
                    hl7::frame("MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314||ACK|D1|P|2.5.1\rMSA|CA|" + id + "\r");
                co_await stream->write(answer);
            }
        }
    };
    const auto connect = [&](const domain::Link::Outgoing&) -> asio::awaitable<Result<net::StreamPtr>> {
        if (refusals-- > 0) co_return Error{Fault::unavailable, "peer", "nobody listens"};
        auto [ours, theirs] = sgl::test::memory_streams(executor());
        asio::co_spawn(executor(), serve(std::move(theirs)), asio::detached);
        net::StreamPtr end = std::move(ours);
        co_return Result<net::StreamPtr>(std::move(end));
    };
    LinkSender answers(executor(), intake_, clock_, laboratory_, connect);
    const auto until = [&](std::string_view sql) -> asio::awaitable<bool> {
        for (int i = 0; i < 500; ++i) {
            answers.look();
            co_await net::pause(std::chrono::milliseconds(5));
            if (count(sql) == 1) co_return true;
        }
        co_return false;
    };
    EXPECT_TRUE(run(until("select count(*) from application_answer where error_what = 'nobody listens'")));
    clock_.set(now_ + std::chrono::seconds(2));
    EXPECT_TRUE(run(until("select count(*) from application_answer where state = 'done'")));
    ASSERT_EQ(heard.size(), 1U);
    const auto answer = hl7::Message::parse(heard[0]).value();
    EXPECT_EQ(answer.text("MSA-1"), "AA");
    EXPECT_EQ(answer.text("MSA-2"), "M1");
    EXPECT_EQ(answer.control_id(), one("select control_id from application_answer"));
    EXPECT_EQ(count("select count(*) from message where type = 'ORU^R01'"), 1)
        << "making the answer stored nothing anew";
    answers.stop();
}

// ── one connection ──

class PgConversation : public PgLinks {
protected:
    /// What one connection hears when it says `bytes` and then finishes.
    std::string converse_with(const std::string& bytes, std::size_t slice = 64 * 1024) {
        auto [peer, ours] = sgl::test::memory_streams(executor());
        ours->read_in_slices_of(slice);
        net::StreamPtr stream = std::move(ours);
        return run(talking(std::move(stream), std::move(peer), bytes));
    }
    asio::awaitable<std::string> talking(net::StreamPtr stream, net::StreamPtr peer, std::string bytes) {
        asio::co_spawn(executor(), converse(std::move(stream), intake_, budget_, laboratory_, clock_, options_),
                       [this](std::exception_ptr failed) { broke_ = failed != nullptr; });
        try {
            co_await peer->write(bytes);
        } catch (const boost::system::system_error&) {  // the other side may have closed before the first byte
        }
        co_await peer->close();
        std::string heard;
        std::array<char, 4096> buffer{};
        while (const std::size_t count = co_await peer->read_some(buffer))
            heard.append(buffer.data(), count);
        co_return heard;
    }
    std::vector<std::string> answers(const std::string& heard) {
        std::vector<std::string> codes;
        hl7::Framer framer;
        for (const auto& event : framer.feed(heard))
            codes.push_back(event.kind == hl7::FramerEvent::Kind::commit_byte
                                ? (event.bytes == "\x06" ? "ACK" : "NAK")
                                : hl7::Message::parse(event.bytes).value().text("MSA-1"));
        return codes;
    }
    Budget budget_{executor(), 1'000'000, 100};
    ConversationOptions options_{.listener = "", .links = {}, .max_message_bytes = 100'000};
    bool broke_{};
};

TEST_F(PgConversation, AnswersEachBlockInItsOrderHoweverTheyArrive) {
    std::string stream;
    std::vector<std::string> wanted;
    for (int i = 0; i < 20; ++i) {
        stream += hl7::frame(result("M" + std::to_string(i)));
        wanted.emplace_back("AA");
    }
    for (const std::size_t slice : {1U, 7U, 65536U}) {
        const auto heard = converse_with(stream, slice);
        EXPECT_EQ(answers(heard), wanted);
        EXPECT_LT(heard.find("|M3\r"), heard.find("|M4\r"));
    }
    EXPECT_EQ(count("select count(*) from message"), 20) << "said three times, stored once";
    EXPECT_EQ(budget_.figures().bytes, 0U);
}

TEST_F(PgConversation, NeverProcessesWhatTheEndOfTheStreamCut) {
    EXPECT_EQ(converse_with("\x0b" + result("M1")), "");
    EXPECT_EQ(count("select count(*) from message"), 0);
}

TEST_F(PgConversation, TakesBareEr7WhereTheLinkSaysSo) {
    change_laboratory([](domain::Laboratory::Parts& parts) {
        for (auto& link : parts.links)
            link.none_eof = true;
    });
    EXPECT_EQ(answers(converse_with(result("M1"), 5)), std::vector<std::string>{"AA"});
    EXPECT_EQ(one("select convert_from(raw, 'UTF8') from message"), result("M1"));
}

TEST_F(PgConversation, CommitsBeforeItAnswersInReleaseTwo) {
    change_laboratory([](domain::Laboratory::Parts& parts) {
        for (auto& link : parts.links)
            link.mllp_release = 2;
    });
    const auto heard = answers(converse_with(hl7::frame(result("M1")) + hl7::frame("\x06") + hl7::frame(result("M2"))));
    EXPECT_EQ(heard, (std::vector<std::string>{"ACK", "AA", "ACK", "AA"}));
    const auto again = answers(converse_with(hl7::frame(result("M3")) + hl7::frame("\x15") + hl7::frame("\x06")));
    EXPECT_EQ(again, (std::vector<std::string>{"ACK", "AA", "AA"})) << "an answer that was not stored is said again";
    EXPECT_EQ(answers(converse_with("\x0bhalf\x0b" + result("M4") + "\x1c\r")),
              (std::vector<std::string>{"NAK", "ACK", "AA"}));
}

TEST_F(PgConversation, SaysNakAndClosesWhenNothingCanBeStored) {
    change_laboratory([](domain::Laboratory::Parts& parts) {
        for (auto& link : parts.links)
            link.mllp_release = 2;
    });
    superuser("revoke insert on message from lab_app");
    EXPECT_EQ(answers(converse_with(hl7::frame(result("M1")))), std::vector<std::string>{"NAK"});
    EXPECT_TRUE(broke_);
}

TEST_F(PgConversation, SaysNothingAndClosesWhenNothingCanBeStored) {
    superuser("revoke insert on message from lab_app");
    EXPECT_EQ(converse_with(hl7::frame(result("M1")) + hl7::frame(result("M2"))), "");
    EXPECT_TRUE(broke_);
    EXPECT_EQ(budget_.figures().messages, 0U);
}

TEST_F(PgConversation, SendsApplicationAcknowledgementsOnThePeersConnectionWhereTheLinkSaysSo) {
    change_analyser([](domain::Link& link) { link.one_socket = true; });
    const auto heard = converse_with(hl7::frame(with(with(result("M1"), 15, "AL"), 16, "AL")));
    EXPECT_EQ(answers(heard), (std::vector<std::string>{"CA", "AA"}));
    const auto control = one("select control_id from application_answer where state = 'due'");
    clock_.set(now_ + std::chrono::minutes(1));
    EXPECT_EQ(answers(converse_with("")), std::vector<std::string>{"AA"})
        << "not heard: said again at the next occasion";
    EXPECT_EQ(converse_with(hl7::frame("MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081700||ACK^R01|A1|P|2.5.1\rMSA|CA|" +
                                       control + "\r")),
              "");
    EXPECT_EQ(count("select count(*) from application_answer where state = 'done'"), 1);
}

TEST_F(PgConversation, ClosesAPeerThatNoLinkNamesBeforeReading) {
    change_laboratory([](domain::Laboratory::Parts& parts) {
        for (auto& link : parts.links)
            link.addresses = {"192.0.2.0/24"};
    });
    EXPECT_EQ(converse_with(""), "") << "closed without a word";
    EXPECT_FALSE(broke_);
    EXPECT_EQ(count("select count(*) from message"), 0);
}

TEST_F(PgConversation, RefusesWhatIsLongerThanTheLinkTakes) {
    change_laboratory([](domain::Laboratory::Parts& parts) {
        for (auto& link : parts.links)
            link.max_message_bytes = 2000;
    });
    const auto heard =
        converse_with(hl7::frame(oru("BIG", "1", obx("NA", std::string(5000, '1')))) + hl7::frame(result("M2")));
    EXPECT_EQ(answers(heard), std::vector<std::string>{"AR"}) << "and the connection ends";
    EXPECT_EQ(count("select count(*) from message where control_id = 'BIG' and size > 2000"), 1);
}

}  // namespace
}  // namespace sgl::flow
