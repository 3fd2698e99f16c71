// What becomes of a result beside those of the same analysis and run (hl7v2-lab 8.6).
#include "lib/domain/succession.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace sgl::domain {
namespace {

using Kind = Succession::Kind;

Instant at(int minute) {
    return Instant{} + std::chrono::minutes(minute);
}
Earlier was(std::string status, int minute, bool same_value = false, bool replaced = false) {
    return {std::move(status), at(minute), same_value, replaced};
}
Succession comes(const std::vector<Earlier>& earlier, std::string_view status, int minute) {
    return succeed(earlier, status, at(minute));
}

TEST(Succession, OfTheFirstResultIsNothingSpecial) {
    EXPECT_EQ(comes({}, "F", 10).kind, Kind::first);
    EXPECT_EQ(comes({}, "C", 10).kind, Kind::first) << "a correction may overtake what it corrects";
}

TEST(Succession, LetsPreliminaryResultsProgress) {
    EXPECT_EQ(comes({was("P", 10)}, "F", 20).kind, Kind::replaces);
    EXPECT_EQ(comes({was("P", 10)}, "P", 20).kind, Kind::replaces);
    EXPECT_EQ(comes({was("P", 20)}, "P", 10).kind, Kind::behind);
    EXPECT_EQ(comes({was("F", 10)}, "P", 20).kind, Kind::behind) << "a late P after F is an event, whatever its time";
}

TEST(Succession, TakesACorrectionForOneOnlyOfWhatCameBefore) {
    EXPECT_EQ(comes({was("F", 10)}, "C", 10).kind, Kind::replaces);
    EXPECT_EQ(comes({was("F", 10), was("F", 30)}, "C", 40).of, 1U) << "of the last run";
    EXPECT_EQ(comes({was("C", 10)}, "F", 10).kind, Kind::behind);
    EXPECT_EQ(comes({was("C", 10)}, "F", 30).kind, Kind::first) << "measured after the correction: a run of its own";
}

TEST(Succession, KeepsEachRun) {
    EXPECT_EQ(comes({was("F", 10)}, "F", 20).kind, Kind::first);
    EXPECT_EQ(comes({was("R", 10)}, "R", 20).kind, Kind::first);
    EXPECT_EQ(comes({was("F", 10)}, "F", 10).kind, Kind::replaces) << "the same measurement with another value";
}

TEST(Succession, KnowsWhatWasSaidBefore) {
    EXPECT_EQ(comes({was("F", 10, true)}, "F", 10).kind, Kind::repeat);
    EXPECT_EQ(comes({was("F", 10, true, true), was("C", 10)}, "F", 10).kind, Kind::repeat)
        << "also when it was replaced";
    EXPECT_EQ(comes({was("F", 10, true)}, "V", 30).kind, Kind::repeat) << "verified, no change";
    EXPECT_EQ(comes({was("F", 10)}, "V", 30).kind, Kind::replaces) << "verified, and changed all the same";
    EXPECT_EQ(comes({was("P", 10, true)}, "F", 10).kind, Kind::replaces) << "the same value, final now";
}

TEST(Succession, PromotesWhatIsPreliminary) {
    EXPECT_EQ(comes({was("P", 10)}, "U", 20).kind, Kind::promotes);
    EXPECT_EQ(comes({}, "U", 20).kind, Kind::lost);
    EXPECT_EQ(comes({was("F", 10)}, "U", 20).kind, Kind::repeat);
}

TEST(Succession, BringsNothingBackThatWasWithdrawn) {
    EXPECT_EQ(comes({was("W", 10)}, "F", 10).kind, Kind::behind);
    EXPECT_EQ(comes({was("W", 10)}, "C", 10).kind, Kind::behind);
    EXPECT_EQ(comes({was("W", 10)}, "F", 30).kind, Kind::first) << "measured again";
}

TEST(Newest, IsTheOneMeasuredLastAmongTheFinalOnes) {
    EXPECT_EQ(newest({}), std::nullopt);
    const std::array runs{Candidate{"F", at(20)}, Candidate{"F", at(10)}};
    EXPECT_EQ(newest(runs), 0U);
    const std::array preliminary{Candidate{"F", at(10)}, Candidate{"P", at(20)}};
    EXPECT_EQ(newest(preliminary), 0U);
    const std::array corrected{Candidate{"C", at(10)}, Candidate{"F", at(10)}};
    EXPECT_EQ(newest(corrected), 0U);
}

}  // namespace
}  // namespace sgl::domain
