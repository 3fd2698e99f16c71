// Sequence numbers, hl7v2-lab 3.6.
#include "hl7/sequence.hpp"

#include <gtest/gtest.h>

namespace sgl::hl7 {
namespace {

using Kind = SequenceVerdict::Kind;

TEST(SequenceNumber, IsEchoedWhenItIsTheExpectedOne) {
    const auto verdict = judge_sequence("5", 4);
    EXPECT_EQ(verdict.kind, Kind::expected);
    EXPECT_EQ(verdict.answer, 5);
    EXPECT_EQ(verdict.last, 5);
}

TEST(SequenceNumber, StartsWithZeroAndHearsWhatIsExpected) {
    EXPECT_EQ(judge_sequence("0", 4).kind, Kind::start);
    EXPECT_EQ(judge_sequence("0", 4).answer, 5);
    EXPECT_EQ(judge_sequence("0", 4).last, 4);
    EXPECT_EQ(judge_sequence("0", std::nullopt).answer, -1) << "none was ever taken";
}

TEST(SequenceNumber, IsAnyOneAfterAResynchronisation) {
    const auto resync = judge_sequence("-1", 4);
    EXPECT_EQ(resync.kind, Kind::resync);
    EXPECT_EQ(resync.answer, -1);
    EXPECT_FALSE(resync.last);
    EXPECT_EQ(judge_sequence("812", resync.last).kind, Kind::expected);
    EXPECT_EQ(judge_sequence("812", resync.last).last, 812);
}

TEST(SequenceNumber, ThatWasTakenHearsWhatComesNext) {
    // A sender that reads its number + 1 knows that only the acknowledgement was lost.
    const auto verdict = judge_sequence("4", 4);
    EXPECT_EQ(verdict.kind, Kind::repeated);
    EXPECT_EQ(verdict.answer, 5);
    EXPECT_EQ(judge_sequence("2", 4).kind, Kind::repeated);
}

TEST(SequenceNumber, ThatSkipsIsNotTaken) {
    const auto verdict = judge_sequence("7", 4);
    EXPECT_EQ(verdict.kind, Kind::wrong);
    EXPECT_EQ(verdict.answer, 5);
    EXPECT_EQ(verdict.last, 4);
}

TEST(SequenceNumber, IsANumber) {
    for (const auto* text : {"x", "5a", "-2", "9999999999999999999999", "1e3", "<cr>"})
        EXPECT_EQ(judge_sequence(text, 4).kind, Kind::wrong) << text;
}

TEST(SequenceNumber, MayBeMissing) {
    EXPECT_EQ(judge_sequence("", 4).kind, Kind::unnumbered);
    EXPECT_EQ(judge_sequence("", 4).last, 4);
}

}  // namespace
}  // namespace sgl::hl7
