#include "lib/domain/letter.hpp"

#include <gtest/gtest.h>

#include <array>

namespace sgl::domain {
namespace {

using namespace std::chrono_literals;

const Instant created{std::chrono::sys_days{std::chrono::year{2026} / 3 / 15}};
const RetryPolicy policy;

LetterFacts facts(LetterState state, int attempts = 1) {
    LetterFacts f;
    f.state = state;
    f.attempts = attempts;
    f.created_at = created;
    f.next_attempt_at = created;
    return f;
}

constexpr std::array every_state{LetterState::due, LetterState::sending, LetterState::retry, LetterState::in_doubt,
                                 LetterState::accepted, LetterState::delivered, LetterState::blocked,
                                 LetterState::not_applicable, LetterState::dead, LetterState::cancelled, LetterState::held};

TEST(Decide, LetsAWorkerClaimOnlyWhatWaits) {
    for (const auto state : every_state) {
        const bool waits = state == LetterState::due || state == LetterState::retry || state == LetterState::in_doubt;
        const auto next = decide(facts(state), letter_event::Claimed{}, created, policy);
        EXPECT_EQ(next.has_value(), waits) << to_string(state);
        if (next) {
            EXPECT_EQ(next->state, LetterState::sending);
            EXPECT_EQ(next->attempts, 2);
        } else {
            EXPECT_EQ(next.error().fault, Fault::conflict);
        }
    }
}

TEST(Decide, TakesOutcomesOnlyOfALetterBeingSent) {
    const std::array<LetterEvent, 6> outcomes{letter_event::Accepted{}, letter_event::Refused{Reason::partner_refused},
                                              letter_event::NotApplicable{Reason::no_dmp}, letter_event::TryLater{Reason::partner_unavailable},
                                              letter_event::InDoubt{}, letter_event::LeaseExpired{}};
    for (const auto& outcome : outcomes)
        for (const auto state : every_state)
            EXPECT_EQ(decide(facts(state), outcome, created, policy).has_value(), state == LetterState::sending) << outcome.index() << ' ' << to_string(state);
}

TEST(Decide, EndsWhatIsAcceptedRefusedOrNotApplicable) {
    EXPECT_EQ(decide(facts(LetterState::sending), letter_event::Accepted{}, created, policy)->state, LetterState::accepted);
    const auto dead = decide(facts(LetterState::sending), letter_event::Refused{Reason::partner_refused}, created, policy);
    EXPECT_EQ(dead->state, LetterState::dead);
    EXPECT_EQ(dead->reason, Reason::partner_refused);
    const auto none = decide(facts(LetterState::sending), letter_event::NotApplicable{Reason::no_dmp}, created, policy);
    EXPECT_EQ(none->state, LetterState::not_applicable);
    EXPECT_EQ(none->reason, Reason::no_dmp);
}

TEST(Decide, WaitsLongerAfterEachFailureAndThenAsLongAsTheLast) {
    const std::array<Duration, 6> expected{1min, 5min, 15min, 60min, 60min, 60min};
    for (int attempts = 1; attempts <= 6; ++attempts) {
        const auto next = decide(facts(LetterState::sending, attempts), letter_event::TryLater{Reason::partner_unavailable}, created + 1h, policy);
        EXPECT_EQ(next->state, LetterState::retry);
        EXPECT_EQ(next->next_attempt_at, created + 1h + expected[static_cast<std::size_t>(attempts - 1)]) << attempts;
    }
}

TEST(Decide, GivesUpAtTheEndOfItsTimeCountedFromCreation) {
    const auto last = decide(facts(LetterState::sending, 50), letter_event::TryLater{Reason::partner_unavailable}, created + 48h - 1us, policy);
    EXPECT_EQ(last->state, LetterState::retry);
    for (const LetterEvent& event : {LetterEvent{letter_event::TryLater{Reason::partner_unavailable}}, LetterEvent{letter_event::InDoubt{}}}) {
        const auto over = decide(facts(LetterState::sending, 50), event, created + 48h, policy);
        EXPECT_EQ(over->state, LetterState::dead);
        EXPECT_EQ(over->reason, Reason::gave_up);
    }
}

TEST(Decide, KeepsDoubtAsDoubt) {
    EXPECT_EQ(decide(facts(LetterState::sending), letter_event::InDoubt{}, created, policy)->state, LetterState::in_doubt);
    const auto back = decide(facts(LetterState::sending), letter_event::LeaseExpired{}, created + 5min, policy);
    EXPECT_EQ(back->state, LetterState::in_doubt);
    EXPECT_EQ(back->next_attempt_at, created + 5min) << "at once: the partner did not fail";
    EXPECT_EQ(decide(facts(LetterState::in_doubt), letter_event::Retried{}, created, policy)->state, LetterState::in_doubt)
        << "a person's retry doesn't make the doubt go away";
}

TEST(Decide, LetsAPersonHoldRetryAndAbandon) {
    const auto held = decide(facts(LetterState::retry), letter_event::Held{}, created, policy);
    EXPECT_EQ(held->state, LetterState::held);
    EXPECT_EQ(held->reason, Reason::manual_hold);
    const auto again = decide(*held, letter_event::Retried{}, created + 3h, policy);
    EXPECT_EQ(again->state, LetterState::due);
    EXPECT_EQ(again->reason, Reason::none);
    EXPECT_EQ(again->next_attempt_at, created + 3h);
    const auto revived = decide(facts(LetterState::dead, 7), letter_event::Retried{}, created + 72h, policy);
    EXPECT_EQ(revived->created_at, created + 72h) << "else it would be given up at its first failure";
    EXPECT_EQ(revived->attempts, 7);
    const auto gone = decide(facts(LetterState::blocked), letter_event::Abandoned{}, created, policy);
    EXPECT_EQ(gone->state, LetterState::cancelled);
    EXPECT_EQ(gone->reason, Reason::abandoned);
}

TEST(Decide, AnswersADoubtBeforeAnythingElse) {
    EXPECT_FALSE(decide(facts(LetterState::in_doubt), letter_event::Held{}, created, policy));
    auto given_up = facts(LetterState::dead, 9);
    given_up.reason = Reason::gave_up;
    EXPECT_EQ(decide(given_up, letter_event::Retried{}, created + 72h, policy)->state, LetterState::in_doubt);
}

TEST(Decide, AsksFirstAfterAStopOnOurSideThatCameAfterAnAttempt) {
    for (const auto reason : {Reason::partner_not_configured, Reason::integrity}) {
        auto stopped = facts(LetterState::dead, 2);  // the first attempt ended in doubt, the second met no partner
        stopped.reason = reason;
        EXPECT_EQ(decide(stopped, letter_event::Retried{}, created + 1h, policy)->state, LetterState::in_doubt);
        stopped.attempts = 1;  // nothing was ever sent
        EXPECT_EQ(decide(stopped, letter_event::Retried{}, created + 1h, policy)->state, LetterState::due);
    }
}

TEST(Decide, NeverUnblocksByARetry) { EXPECT_FALSE(decide(facts(LetterState::blocked), letter_event::Retried{}, created, policy)); }

TEST(Decide, NeverChangesWhatHasEnded) {
    const std::array<LetterEvent, 11> events{letter_event::Claimed{}, letter_event::Accepted{}, letter_event::Refused{Reason::none},
        letter_event::NotApplicable{Reason::none}, letter_event::TryLater{Reason::none}, letter_event::InDoubt{}, letter_event::LeaseExpired{},
        letter_event::Held{}, letter_event::Retried{}, letter_event::Abandoned{}, letter_event::Superseded{}};
    for (const auto state : {LetterState::accepted, LetterState::delivered, LetterState::not_applicable, LetterState::cancelled})
        for (const auto& event : events) EXPECT_FALSE(decide(facts(state), event, created, policy)) << to_string(state) << ' ' << event.index();
}

TEST(LetterWords, ReadBackAsTheyAreWritten) {
    for (const auto state : every_state) EXPECT_EQ(letter_state_of(to_string(state)), state);
    for (int i = 0; i <= static_cast<int>(Reason::partner_not_configured); ++i) {
        const auto reason = static_cast<Reason>(i);
        EXPECT_EQ(reason_of(to_string(reason)), reason) << i;
        if (reason != Reason::none) {
            EXPECT_FALSE(french(reason).meaning.empty()) << to_string(reason);
            EXPECT_FALSE(french(reason).remedy.empty()) << to_string(reason);
        }
    }
    for (const auto channel : {Channel::dmp, Channel::mss_professional, Channel::mss_patient, Channel::dpi})
        EXPECT_EQ(channel_of(to_string(channel)), channel);
    EXPECT_EQ(channel_of("FAX"), std::nullopt);
}

}  // namespace
}  // namespace sgl::domain
