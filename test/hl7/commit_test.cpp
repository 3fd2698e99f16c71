// MLLP release 2, hl7v2-lab 2.2.
#include "hl7/commit.hpp"

#include <gtest/gtest.h>

namespace sgl::hl7 {
namespace {

using Next = CommitWait::Next;

TEST(MllpReleaseTwo, GoesOnWhenTheBlockIsStored) {
    CommitWait wait;
    wait.sent();
    EXPECT_TRUE(wait.waiting());
    EXPECT_EQ(wait.commit(commit_ack), Next::done);
    EXPECT_FALSE(wait.waiting());
}

TEST(MllpReleaseTwo, SendsAgainTwiceThenGivesUp) {
    CommitWait wait;
    wait.sent();
    EXPECT_EQ(wait.commit(commit_nak), Next::resend);
    EXPECT_EQ(wait.commit(commit_nak), Next::resend);
    EXPECT_EQ(wait.commit(commit_nak), Next::give_up);
    EXPECT_FALSE(wait.waiting());
    wait.sent();
    EXPECT_EQ(wait.commit(commit_nak), Next::resend) << "each block has its own tries";
}

TEST(MllpReleaseTwo, TakesAnAckAfterANak) {
    CommitWait wait;
    wait.sent();
    EXPECT_EQ(wait.commit(commit_nak), Next::resend);
    EXPECT_EQ(wait.commit(commit_ack), Next::done);
}

TEST(MllpReleaseTwo, IgnoresACommitByteForNothing) {
    CommitWait wait;
    EXPECT_EQ(wait.commit(commit_ack), Next::ignore);
    EXPECT_EQ(wait.commit(commit_nak), Next::ignore);
    EXPECT_EQ(wait.answered(), Next::ignore);
}

TEST(MllpReleaseTwo, TakesAnAnswerForACommitByteThatNeverCame) {
    CommitWait wait;
    wait.sent();
    EXPECT_EQ(wait.answered(), Next::done);
    EXPECT_FALSE(wait.waiting());
}

TEST(MllpReleaseTwo, TakesAnyOtherByteForARefusal) {
    CommitWait wait(0);
    wait.sent();
    EXPECT_EQ(wait.commit("x"), Next::give_up);
}

}  // namespace
}  // namespace sgl::hl7
