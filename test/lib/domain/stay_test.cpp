// The stay and the decisions about the DMP: the newest word holds, in whatever order the messages come (hl7v2-lab 9.4;
// DSR SC.DMP/ALI/PROG.10 and 11).
#include "lib/domain/stay.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "lib/base/time.hpp"

namespace sgl::domain {
namespace {

using Event = StayStatement::Event;
using Feeding = DmpWord::Feeding;

Instant at(int hour) {
    return parse_iso8601("2026-03-14T00:00:00Z").value() + std::chrono::hours(hour);
}

StayStatement said(Event event, int hour, std::optional<Feeding> feeding = std::nullopt) {
    StayStatement said;
    said.event = event;
    said.number = "240501";
    said.said_at = at(hour);
    if (event == Event::admitted || event == Event::planned) said.begins = at(hour);
    if (event == Event::discharged) said.ends = at(hour);
    if (feeding) said.dmp = DmpWord{*feeding, "active", "", std::nullopt};
    return said;
}

Stay after(const std::vector<StayStatement>& words) {
    std::optional<Stay> stay;
    for (const auto& word : words)
        stay = change(stay, word);
    return stay.value();
}

TEST(Stay, TakesTheDecisionOfTheAdmission) {
    EXPECT_EQ(after({said(Event::admitted, 8, Feeding::opposed)}).decision().opposed, true);
    EXPECT_EQ(after({said(Event::admitted, 8, Feeding::allowed)}).decision().opposed, false);
    EXPECT_EQ(after({said(Event::admitted, 8, Feeding::not_asked)}).decision().opposed, std::nullopt);
    EXPECT_EQ(after({said(Event::admitted, 8)}).decision().opposed, std::nullopt);
}

TEST(Stay, TakesTheDecisionOfTheDischargeOnceThePatientLeft) {
    const auto admitted = said(Event::admitted, 8, Feeding::allowed);
    const auto left = said(Event::discharged, 18, Feeding::opposed);
    EXPECT_EQ(after({admitted, left}).decision().opposed, true);
    EXPECT_EQ(after({admitted, left, said(Event::discharge_cancelled, 19)}).decision().opposed, false)
        << "he did not leave: what he said when leaving is not said yet";
    EXPECT_EQ(after({admitted, said(Event::discharged, 18, Feeding::not_asked)}).decision().opposed, false)
        << "not asked again: the word of the admission holds";
}

TEST(Stay, ThatWasCancelledDecidesNothing) {
    EXPECT_EQ(
        after({said(Event::admitted, 8, Feeding::opposed), said(Event::admission_cancelled, 9)}).decision().opposed,
        std::nullopt);
}

TEST(Stay, IsTheSameInWhateverOrderItsMessagesCome) {
    std::vector<StayStatement> words{said(Event::planned, 1), said(Event::admitted, 8, Feeding::allowed),
                                     said(Event::discharged, 18, Feeding::opposed),
                                     said(Event::discharge_cancelled, 19), said(Event::discharged, 20)};
    words[1].location = "CHIR 204 1";
    words[2].location = "CHIR 205 1";
    std::vector<std::size_t> order{0, 1, 2, 3, 4};
    const auto expected = after(words);
    EXPECT_EQ(expected.discharged_at, at(20));
    EXPECT_FALSE(expected.planned);
    do {
        std::vector<StayStatement> shuffled;
        for (const auto i : order)
            shuffled.push_back(words[i]);
        EXPECT_EQ(after(shuffled), expected);
    } while (std::ranges::next_permutation(order).found);
}

TEST(Stay, IsNotMovedByAHistoricMovement) {
    auto now = said(Event::admitted, 8);
    now.location = "CHIR 204 1";
    auto past = said(Event::updated, 9);
    past.location = "URG BOX1";
    past.movement = Movement{"MVT0^1.2.250.1.999.3", Movement::Action::insert, at(7), true, "", "", "", ""};
    EXPECT_EQ(after({now, past}).location, "CHIR 204 1");
    past.movement->historic = false;
    EXPECT_EQ(after({now, past}).location, "URG BOX1");
}

TEST(Stay, SaidTwiceChangesNothing) {
    const auto once = after({said(Event::admitted, 8, Feeding::opposed)});
    EXPECT_EQ(change(once, said(Event::admitted, 8, Feeding::opposed)), once);
}

}  // namespace
}  // namespace sgl::domain
