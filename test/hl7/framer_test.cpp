#include "hl7/framer.hpp"

#include <gmock/gmock.h>

#include <random>

namespace sgl::hl7 {
namespace {

using Kind = FramerEvent::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> blocks(const std::vector<FramerEvent>& events) {
    std::vector<std::string> out;
    for (const auto& event : events) {
        if (event.kind == Kind::block) out.push_back(event.bytes);
    }
    return out;
}

std::vector<Kind> kinds(const std::vector<FramerEvent>& events) {
    std::vector<Kind> out;
    for (const auto& event : events)
        out.push_back(event.kind);
    return out;
}

const std::string message = "MSH|^~\\&|LAB\rMSA|AA|1\r";

TEST(MllpFramer, KeepsHalfAFrameForTheNextChunk) {
    const auto stream = frame(message) + frame("second");
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        Framer framer;
        auto events = framer.feed(stream.substr(0, cut));
        for (auto& event : framer.feed(stream.substr(cut)))
            events.push_back(std::move(event));
        EXPECT_THAT(blocks(events), ElementsAre(message, "second")) << "cut at " << cut;
        EXPECT_FALSE(framer.finish());
        EXPECT_EQ(framer.garbage_bytes(), 0U);
    }
}

TEST(MllpFramer, ReadsByteByByte) {
    Framer framer;
    std::vector<std::string> got;
    for (const char c : frame(message) + frame(message)) {
        for (auto& block : blocks(framer.feed(std::string_view(&c, 1))))
            got.push_back(std::move(block));
    }
    EXPECT_THAT(got, ElementsAre(message, message));
}

TEST(MllpFramer, DeliversWhenTheFsArrivesWithoutWaitingForTheCr) {
    Framer framer;
    EXPECT_THAT(blocks(framer.feed("\x0b" + message + "\x1c")), ElementsAre(message));
    EXPECT_FALSE(framer.inside_block());
}

TEST(MllpFramer, ToleratesAMissingCrAndALineFeedInItsPlace) {
    Framer framer;
    EXPECT_THAT(blocks(framer.feed("\x0b"
                                   "a"
                                   "\x1c\x0b"
                                   "b"
                                   "\x1c\n\x0b"
                                   "c"
                                   "\x1c\r\n\r\n\x0b"
                                   "d"
                                   "\x1c\r")),
                ElementsAre("a", "b", "c", "d"));
    EXPECT_EQ(framer.garbage_bytes(), 0U);
}

TEST(MllpFramer, IgnoresAndCountsGarbageBetweenBlocksAndSaysItOnce) {
    Framer framer;
    const auto events = framer.feed("noise" + frame("a") + "more noise" + frame("b"));
    EXPECT_THAT(kinds(events), ElementsAre(Kind::garbage, Kind::block, Kind::block));
    EXPECT_EQ(events.front().bytes, "noise");
    EXPECT_EQ(framer.garbage_bytes(), 15U);
    EXPECT_THAT(framer.feed(std::string(100, 'x')), IsEmpty());
}

TEST(MllpFramer, SamplesAtMost32BytesOfGarbage) {
    Framer framer;
    EXPECT_EQ(framer.feed(std::string(1000, 'x')).at(0).bytes.size(), 32U);
    EXPECT_EQ(framer.buffered(), 0U);
}

TEST(MllpFramer, ReportsAnUnterminatedBlockAndStartsANewOne) {
    Framer framer;
    const auto events = framer.feed("\x0bhalf\x0bwhole\x1c\r");
    ASSERT_THAT(kinds(events), ElementsAre(Kind::unterminated, Kind::block));
    EXPECT_EQ(events[0].bytes, "half");
    EXPECT_EQ(events[1].bytes, "whole");
}

TEST(MllpFramer, TakesTwoVtInARowAsOne) {
    Framer framer;
    EXPECT_THAT(kinds(framer.feed("\x0b\x0bwhole\x1c\r")), ElementsAre(Kind::block));
}

TEST(MllpFramer, IgnoresAndCountsAnEmptyBlock) {
    Framer framer;
    EXPECT_THAT(blocks(framer.feed("\x0b\x1c\r\x0b\r\n\x1c\r" + frame("a"))), ElementsAre("a"));
    EXPECT_EQ(framer.empty_blocks(), 2U);
}

TEST(MllpFramer, NeverDeliversWhatTheEndOfTheStreamCut) {
    Framer framer;
    EXPECT_THAT(framer.feed("\x0bhalf"), IsEmpty());
    const auto left = framer.finish();
    ASSERT_TRUE(left);
    EXPECT_EQ(left->kind, Kind::incomplete);
    EXPECT_EQ(left->size, 4U);
    EXPECT_FALSE(framer.finish());
}

TEST(MllpFramer, KnowsAnAstmTransmissionAndMllpReleaseTwo) {
    Framer astm;
    EXPECT_THAT(kinds(astm.feed("\x05\x02"
                                "1H|")),
                ElementsAre(Kind::not_hl7));
    Framer release_2;
    EXPECT_THAT(kinds(release_2.feed("\x0b\x06\x1c\r\x0b\x15\x1c\r")),
                ElementsAre(Kind::commit_byte, Kind::commit_byte));
}

TEST(MllpFramer, AcceptsTheLimitAndRefusesOneByteMore) {
    Framer framer(100);
    EXPECT_THAT(kinds(framer.feed(frame(std::string(100, 'x')))), ElementsAre(Kind::block));
    const auto events = framer.feed(frame(std::string(101, 'x')) + frame("after"));
    ASSERT_THAT(kinds(events), ElementsAre(Kind::oversize, Kind::block));
    EXPECT_EQ(events[0].size, 101U);
    EXPECT_EQ(events[0].bytes.size(), 101U);
    EXPECT_EQ(events[1].bytes, "after");
}

TEST(MllpFramer, KeepsTheHeadOfAnOversizeBlockAndCountsTheRest) {
    Framer framer(1'000'000);
    std::vector<FramerEvent> events;
    framer.feed("\x0b");
    const std::string chunk(10'000, 'x');
    for (int i = 0; i < 500; ++i) {
        for (auto& event : framer.feed(chunk))
            events.push_back(std::move(event));
        EXPECT_LE(framer.buffered(), 1'000'000U);
    }
    ASSERT_THAT(kinds(events), ElementsAre(Kind::oversize));
    EXPECT_EQ(events[0].bytes.size(), Framer::oversize_head);
    EXPECT_EQ(framer.oversize_bytes(), 5'000'000U);
    EXPECT_EQ(framer.buffered(), 0U);
}

TEST(MllpFramer, GivesTheSameBlocksHoweverTheStreamIsCut) {
    std::mt19937 random(20261121);
    const std::string alphabet = "\x0b\x1c\r\nab";
    for (int round = 0; round < 300; ++round) {
        std::string stream;
        for (int i = 0; i < 40; ++i)
            stream += alphabet[random() % alphabet.size()];
        Framer whole(8);
        const auto expected = whole.feed(stream);
        Framer cut(8);
        std::vector<FramerEvent> got;
        for (std::size_t at = 0; at < stream.size();) {
            const std::size_t size = 1 + random() % 5;
            for (auto& event : cut.feed(std::string_view(stream).substr(at, size)))
                got.push_back(std::move(event));
            at += size;
        }
        EXPECT_EQ(blocks(got), blocks(expected));
        EXPECT_EQ(cut.garbage_bytes(), whole.garbage_bytes());
        EXPECT_EQ(cut.empty_blocks(), whole.empty_blocks());
    }
}

// ── The deviations of hl7v2-lab 2.1, one by one ──

std::vector<FramerEvent> all(std::string_view stream, Framing framing = Framing::mllp) {
    Framer framer(Framer::default_limit, framing);
    auto events = framer.feed(stream);
    if (auto rest = framer.finish()) events.push_back(std::move(*rest));
    return events;
}

TEST(MllpDeviation, GarbageBeforeTheFirstVt) {
    EXPECT_THAT(kinds(all("login ok\r\n" + frame(message))), ElementsAre(Kind::garbage, Kind::block));
}

TEST(MllpDeviation, FsLfInsteadOfFsCr) {
    EXPECT_THAT(blocks(all("\x0b" + message + "\x1c\n\x0b" + message + "\x1c\n")), ElementsAre(message, message));
}

TEST(MllpDeviation, FsWithoutCrAtTheEndOfTheStream) {
    EXPECT_THAT(kinds(all("\x0b" + message + "\x1c")), ElementsAre(Kind::block));
}

TEST(MllpDeviation, FsWithoutCrThenGarbage) {
    EXPECT_THAT(kinds(all("\x0b" + message + "\x1cjunk" + frame("b"))),
                ElementsAre(Kind::block, Kind::garbage, Kind::block));
}

TEST(MllpDeviation, NoFsAtAllOnlyTheEndOfTheStream) {
    EXPECT_THAT(kinds(all("\x0b" + message)), ElementsAre(Kind::incomplete));
    EXPECT_THAT(kinds(all("\x0b" + message + "\r")), ElementsAre(Kind::incomplete)) << "CR alone ends nothing";
}

TEST(MllpDeviation, VtInsideABlock) {
    EXPECT_THAT(kinds(all("\x0bMSH|half\r\x0b" + message + "\x1c\r")), ElementsAre(Kind::unterminated, Kind::block));
}

TEST(MllpDeviation, SeveralBlocksInOneRead) {
    EXPECT_THAT(blocks(all(frame("a") + frame("b") + frame("c"))), ElementsAre("a", "b", "c"));
}

TEST(MllpDeviation, NoiseWithNulBetweenBlocks) {
    const auto events = all(frame("a") + std::string("\0\0 noise \r\n", 11) + frame("b"));
    EXPECT_THAT(kinds(events), ElementsAre(Kind::block, Kind::garbage, Kind::block));
}

TEST(MllpDeviation, EmptyBlockIsNeitherDeliveredNorAnError) {
    EXPECT_THAT(kinds(all("\x0b\x1c\r" + frame("a"))), ElementsAre(Kind::block));
}

TEST(MllpDeviation, LineFeedsInsideABlockAreItsOwnAffair) {
    for (const std::string inside : {"MSH|a\nPID|b\n", "MSH|a\r\nPID|b\r\n", "\xEF\xBB\xBFMSH|a\r", "MSH|a\rMSH|b\r",
                                     "FHS|x\rBHS|y\rMSH|a\rBTS|1\rFTS|1\r"})
        EXPECT_THAT(blocks(all(frame(inside))), ElementsAre(inside)) << "the bytes are handed on as they came";
}

TEST(MllpDeviation, AnAstmTransmissionIsToldAsSuch) {
    EXPECT_THAT(kinds(all("\x05")), ElementsAre(Kind::not_hl7));
    EXPECT_THAT(kinds(all("\x02"
                          "1H|\\^&\r\x03"
                          "A5\r\n")),
                ElementsAre(Kind::not_hl7));
}

TEST(MllpDeviation, ACommitByteTellsWhich) {
    const auto events = all("\x0b\x06\x1c\r\x0b\x15\x1c\r");
    ASSERT_THAT(kinds(events), ElementsAre(Kind::commit_byte, Kind::commit_byte));
    EXPECT_EQ(events[0].bytes, "\x06");
    EXPECT_EQ(events[1].bytes, "\x15");
}

// ── framing = none-eof ──

TEST(NoFraming, TheEndOfTheStreamEndsTheMessage) {
    for (std::size_t cut = 0; cut <= message.size(); ++cut) {
        Framer framer(Framer::default_limit, Framing::none_eof);
        EXPECT_THAT(framer.feed(message.substr(0, cut)), IsEmpty());
        EXPECT_THAT(framer.feed(message.substr(cut)), IsEmpty());
        EXPECT_TRUE(framer.inside_block());
        const auto rest = framer.finish();
        ASSERT_TRUE(rest);
        EXPECT_EQ(rest->kind, Kind::block);
        EXPECT_EQ(rest->bytes, message);
        EXPECT_FALSE(framer.finish());
    }
}

TEST(NoFraming, ReadsAPeerThatFramesAllTheSame) {
    EXPECT_THAT(blocks(all("\r\n" + frame("a") + frame("b"), Framing::none_eof)), ElementsAre("a", "b"));
}

TEST(NoFraming, NothingIsNoMessage) {
    EXPECT_THAT(all("", Framing::none_eof), IsEmpty());
    EXPECT_THAT(all("\r\n \r\n", Framing::none_eof), IsEmpty());
}

TEST(NoFraming, KnowsAnAstmTransmission) {
    EXPECT_THAT(kinds(all("\x05", Framing::none_eof)), ElementsAre(Kind::not_hl7));
}

TEST(NoFraming, RefusesMoreThanTheLimitAndKeepsItsHead) {
    Framer framer(100, Framing::none_eof);
    EXPECT_THAT(framer.feed(std::string(100, 'x')), IsEmpty());
    const auto events = framer.feed("y");
    ASSERT_THAT(kinds(events), ElementsAre(Kind::oversize));
    EXPECT_EQ(events[0].size, 101U);
    EXPECT_THAT(framer.feed(std::string(100, 'z')), IsEmpty());
    EXPECT_EQ(framer.oversize_bytes(), 201U);
    EXPECT_FALSE(framer.finish());
}

}  // namespace
}  // namespace sgl::hl7
