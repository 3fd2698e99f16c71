// A step of work at an analyser (hl7v2-lab 6.3): what each answer makes of it.
#include "lib/domain/work.hpp"

#include <gtest/gtest.h>

namespace sgl::domain {
namespace {

TEST(Work, MovesAStepByWhatTheAnalyserSays) {
    using enum StepState;
    EXPECT_EQ(after(asked, StepAnswer::ok, false), accepted);
    EXPECT_EQ(after(asked, StepAnswer::unable, false), refused);
    EXPECT_EQ(after(asked, StepAnswer::unable, true), accepted) << "a number used again: it knows the step";
    EXPECT_EQ(after(cancelling, StepAnswer::cancelled, false), cancelled);
    EXPECT_EQ(after(cancelling, StepAnswer::not_cancelled, false), not_cancelled);
}

TEST(Work, IgnoresAnswersThatComeTooLate) {
    using enum StepState;
    EXPECT_EQ(after(cancelling, StepAnswer::ok, false), cancelling) << "the NW was answered after we asked for its end";
    EXPECT_EQ(after(cancelling, StepAnswer::unable, false), cancelling);
    EXPECT_EQ(after(asked, StepAnswer::cancelled, false), asked);
    for (const auto state : {accepted, refused, cancelled, not_cancelled, done}) {
        for (const auto answer : {StepAnswer::ok, StepAnswer::unable, StepAnswer::cancelled, StepAnswer::not_cancelled})
            EXPECT_EQ(after(state, answer, true), state) << to_string(state);
    }
}

TEST(Work, NamesStatesAndAnswersAsTheyAreKept) {
    using enum StepState;
    for (const auto state : {asked, accepted, refused, cancelling, cancelled, not_cancelled, done})
        EXPECT_EQ(step_state_of(to_string(state)), state);
    EXPECT_FALSE(step_state_of("else"));
    EXPECT_EQ(step_answer_of("UC"), StepAnswer::not_cancelled);
    EXPECT_FALSE(step_answer_of("SC"));
}

TEST(Work, ReadsItsOwnNumbersAndNoOthers) {
    EXPECT_EQ(awos_id(7), "AW00000007");
    EXPECT_EQ(awos_number(awos_id(1234567890123)), 1234567890123);
    for (const auto* text : {"", "AW", "AW0", "AW-1", "AW12x", "12", "AW99999999999999999999"})
        EXPECT_FALSE(awos_number(text)) << text;
}

}  // namespace
}  // namespace sgl::domain
