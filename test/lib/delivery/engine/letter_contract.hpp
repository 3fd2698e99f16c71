// What every store of letters promises to the engine: the same tests for the simulator's memory and for PostgreSQL, so
// that what the simulator proves holds for the daemon. A laboratory gives reports(), amend(), publish(), withdraw(),
// state(), id(), one(), two(), run() and now_.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/domain/plan.hpp"
#include "lib/store/letter_queue.hpp"

namespace sgl::delivery::test {

namespace event = domain::letter_event;
using domain::Act;
using domain::Channel;
using domain::LetterState;
using domain::Reason;
using std::chrono::minutes;
using std::chrono::seconds;

inline const std::vector<std::int32_t> site{1};
inline constexpr Duration lease = seconds(60);

inline domain::PlannedLetter planned(Channel channel, std::string key, LetterState state = LetterState::due,
                                     Reason reason = Reason::none) {
    domain::PlannedLetter letter;
    letter.channel = channel;
    letter.recipient_key = std::move(key);
    letter.state = state;
    letter.reason = reason;
    return letter;
}

template <class Laboratory>
class LetterContract : public Laboratory {
protected:
    using Letters = std::vector<store::LeasedLetter>;

    /// A report with these letters to correspondents, all due.
    std::size_t published(std::vector<std::string> keys) {
        const std::size_t report = this->report();
        this->publish(report, to(keys));
        return report;
    }
    static std::vector<domain::PlannedLetter> to(const std::vector<std::string>& keys) {
        std::vector<domain::PlannedLetter> letters;
        for (const auto& key : keys)
            letters.push_back(planned(Channel::mss_professional, key));
        return letters;
    }
    void publish_next(std::size_t report, const std::vector<std::string>& keys) {
        this->amend(report);
        EXPECT_TRUE(this->publish(report, to(keys)));
    }
    Letters claim(store::LetterQueue& queue, std::size_t limit = 20, Channel channel = Channel::mss_professional) {
        return this->run(queue.claim(site, channel, limit, lease, this->now_));
    }
    /// "a1 b1": whom, version; "a1w" to withdraw it. In any order the same text.
    std::string names(const Letters& letters) {
        std::multiset<std::string> all;
        for (const auto& letter : letters)
            all.insert(letter.recipient_key + std::to_string(this->version_of(letter.version)) +
                       (letter.act == Act::withdraw ? "w" : ""));
        std::string text;
        for (const auto& one : all)
            text += (text.empty() ? "" : " ") + one;
        return text;
    }
    bool complete(store::LetterQueue& queue, const store::LeasedLetter& letter, const domain::LetterEvent& what) {
        store::LetterOutcome outcome;
        outcome.facts = domain::decide(letter.facts, what, this->now_, policy_).value();
        outcome.in_doubt = std::holds_alternative<event::InDoubt>(what);
        return this->run(queue.complete(letter, outcome, this->now_));
    }
    /// All that is due now ends like this.
    void all_end(const domain::LetterEvent& what) {
        for (const auto& letter : claim(this->one()))
            EXPECT_TRUE(complete(this->one(), letter, what));
    }
    Result<void> act(std::size_t report, unsigned version, const std::string& key, domain::LetterEvent what,
                     Act of = Act::deliver) {
        return this->run(this->one().act(site, this->id(report, version, key, of), std::move(what), "essai",
                                         "user:informatique", "parce que", policy_, this->now_));
    }

    domain::RetryPolicy policy_;
};

TYPED_TEST_SUITE_P(LetterContract);

TYPED_TEST_P(LetterContract, GivesALetterToOneWorkerOnly) {
    const auto report = this->published({"a", "b"});
    const auto mine = this->claim(this->one());
    EXPECT_EQ(this->names(mine), "a1 b1");
    EXPECT_EQ(this->names(this->claim(this->two())), "");
    EXPECT_EQ(this->state(report, 1, "a"), "sending");
    for (const auto& letter : mine) {
        EXPECT_EQ(letter.facts.attempts, 1);
        EXPECT_EQ(letter.facts.state, LetterState::sending);
        EXPECT_EQ(letter.sent_at, this->now_);
        EXPECT_EQ(letter.lease_until, this->now_ + lease);
        EXPECT_FALSE(letter.was_in_doubt);
    }
}

TYPED_TEST_P(LetterContract, GivesNoMoreThanAskedAndTheEarliestFirst) {
    this->published({"a"});
    this->now_ += seconds(1);
    this->published({"b"});
    this->now_ += seconds(1);
    this->published({"c"});
    EXPECT_EQ(this->names(this->claim(this->one(), 1)), "a1");
    EXPECT_EQ(this->names(this->claim(this->two(), 2)), "b1 c1");
}

TYPED_TEST_P(LetterContract, KnowsWhenTheNextIsDueAndGivesNothingBefore) {
    EXPECT_EQ(this->run(this->one().next_due(site, Channel::mss_professional)), std::nullopt);
    const auto report = this->published({"a"});
    this->all_end(event::TryLater{Reason::partner_unavailable});
    EXPECT_EQ(this->state(report, 1, "a"), "retry PARTNER_UNAVAILABLE");
    const auto due = this->run(this->one().next_due(site, Channel::mss_professional));
    EXPECT_EQ(due, this->now_ + minutes(1));
    EXPECT_EQ(this->run(this->one().next_due(site, Channel::dmp)), std::nullopt);
    this->now_ += minutes(1) - seconds(1);
    EXPECT_EQ(this->names(this->claim(this->one())), "");
    this->now_ += seconds(1);
    const auto again = this->claim(this->one());
    ASSERT_EQ(this->names(again), "a1");
    EXPECT_EQ(again[0].facts.attempts, 2);
    EXPECT_EQ(again[0].sent_at, this->now_ - minutes(1)) << "the date of the first attempt";
}

TYPED_TEST_P(LetterContract, KeepsDestinationsApart) {
    const auto report = this->report();
    auto here = planned(Channel::dpi, "dpi:1");
    here.partner = domain::PartnerId{1};
    auto there = planned(Channel::dpi, "dpi:2");
    there.partner = domain::PartnerId{2};
    this->publish(report, {here, there, planned(Channel::mss_professional, "a")});
    const store::Destination first{domain::LegalEntityId{1}, domain::PartnerId{1}};
    const store::Destination mail{domain::LegalEntityId{1}, std::nullopt};
    const auto claim = [&](store::Destination destination, bool only, Channel channel) {
        store::ClaimScope scope;
        scope.destinations.push_back(destination);
        scope.only = only;
        return this->names(this->run(this->one().claim(site, channel, 9, lease, this->now_, std::move(scope))));
    };
    EXPECT_EQ(claim(mail, false, Channel::mss_professional), "");
    EXPECT_EQ(claim(mail, true, Channel::dpi), "");
    EXPECT_EQ(claim(first, false, Channel::dpi), "dpi:21");
    EXPECT_EQ(claim(first, true, Channel::dpi), "dpi:11");
    EXPECT_EQ(claim(mail, true, Channel::mss_professional), "a1");
}

TYPED_TEST_P(LetterContract, HearsNoLateWriter) {
    const auto report = this->published({"a"});
    const auto late = this->claim(this->one()).at(0);
    this->now_ += lease + seconds(1);
    EXPECT_EQ(this->run(this->two().reclaim(site, false, this->now_)), 1U);
    EXPECT_EQ(this->state(report, 1, "a"), "in_doubt");
    EXPECT_FALSE(this->complete(this->one(), late, event::Accepted{})) << "taken back";
    EXPECT_FALSE(this->run(this->one().renew(late, lease, this->now_)));
    const auto again = this->claim(this->two()).at(0);
    EXPECT_TRUE(again.was_in_doubt);
    EXPECT_EQ(again.sent_at, late.sent_at);
    EXPECT_EQ(again.facts.attempts, 2);
    EXPECT_GT(again.fence, late.fence);
    EXPECT_FALSE(this->complete(this->one(), late, event::Refused{Reason::partner_refused})) << "another works on it";
    EXPECT_FALSE(this->run(this->one().renew(late, lease, this->now_)));
    EXPECT_TRUE(this->complete(this->two(), again, event::Accepted{}));
    EXPECT_FALSE(this->complete(this->two(), again, event::TryLater{Reason::partner_unavailable})) << "written once";
    EXPECT_EQ(this->state(report, 1, "a"), "accepted");
}

TYPED_TEST_P(LetterContract, TakesBackOnlyWhatNobodyHolds) {
    const auto report = this->published({"a", "b"});
    const auto letters = this->claim(this->one());
    EXPECT_EQ(this->run(this->two().reclaim(site, true, this->now_)), 0U) << "another name's lease holds";
    const auto& renewed = letters[0].recipient_key == "a" ? letters[0] : letters[1];
    EXPECT_TRUE(this->run(this->one().renew(renewed, lease, this->now_ + seconds(50))));
    this->now_ += seconds(70);
    EXPECT_EQ(this->run(this->two().reclaim(site, false, this->now_)), 1U);
    EXPECT_EQ(this->state(report, 1, "a"), "sending");
    EXPECT_EQ(this->state(report, 1, "b"), "in_doubt");
}

TYPED_TEST_P(LetterContract, GivesARestartedDaemonItsOwnBackAtOnce) {
    const auto report = this->published({"a"});
    this->claim(this->one());
    EXPECT_EQ(this->run(this->one().reclaim(site, false, this->now_)), 0U);
    EXPECT_EQ(this->run(this->one().reclaim(site, true, this->now_)), 1U);
    EXPECT_EQ(this->state(report, 1, "a"), "in_doubt");
    EXPECT_EQ(this->names(this->claim(this->two())), "a1") << "due at once, for anybody";
}

TYPED_TEST_P(LetterContract, KeepsADoubt) {
    const auto report = this->published({"a"});
    this->all_end(event::InDoubt{});
    EXPECT_EQ(this->state(report, 1, "a"), "in_doubt PARTNER_UNAVAILABLE");
    EXPECT_FALSE(this->act(report, 1, "a", event::Held{}));
    EXPECT_TRUE(this->act(report, 1, "a", event::Retried{}));
    const auto again = this->claim(this->one());
    ASSERT_EQ(again.size(), 1U);
    EXPECT_TRUE(again[0].was_in_doubt);
}

TYPED_TEST_P(LetterContract, LetsNothingOvertake) {  // I8
    const auto report = this->published({"a", "b"});
    this->publish_next(report, {"a", "b"});
    auto first = this->claim(this->one());
    ASSERT_EQ(this->names(first), "a1 b1");
    for (const auto& letter : first) {
        const bool a = letter.recipient_key == "a";
        EXPECT_TRUE(this->complete(this->one(), letter,
                                   a ? domain::LetterEvent{event::TryLater{Reason::partner_unavailable}}
                                     : domain::LetterEvent{event::Accepted{}}));
    }
    EXPECT_EQ(this->names(this->claim(this->one())), "b2") << "another recipient's delay holds nobody back";
    EXPECT_TRUE(this->act(report, 1, "a", event::Held{}));
    this->now_ += minutes(2);
    EXPECT_EQ(this->names(this->claim(this->one())), "");
    EXPECT_TRUE(this->act(report, 1, "a", event::Retried{})) << "what a person keeps goes on before the next";
    first = this->claim(this->one());
    ASSERT_EQ(this->names(first), "a1");
    EXPECT_TRUE(this->complete(this->one(), first[0], event::InDoubt{}));
    this->now_ += minutes(30);
    first = this->claim(this->one());
    ASSERT_EQ(this->names(first), "a1");
    EXPECT_TRUE(this->complete(this->one(), first[0], event::Accepted{}));
    EXPECT_EQ(this->names(this->claim(this->one())), "a2");
}

TYPED_TEST_P(LetterContract, GoesOnToTheNextVersionWhenTheFormerOneEnded) {
    for (const domain::LetterEvent& end :
         {domain::LetterEvent{event::Refused{Reason::partner_refused}},
          domain::LetterEvent{event::NotApplicable{Reason::no_dmp}}, domain::LetterEvent{event::Accepted{}}}) {
        const auto report = this->published({"a"});
        this->publish_next(report, {"a"});
        this->all_end(end);
        EXPECT_EQ(this->names(this->claim(this->one())), "a2") << end.index();
    }
}

TYPED_TEST_P(LetterContract, NeverRevivesWhatANewerVersionFollows) {  // I8
    const auto report = this->published({"a", "b"});
    this->all_end(event::Refused{Reason::partner_refused});
    EXPECT_TRUE(this->act(report, 1, "b", event::Retried{})) << "nothing newer yet";
    this->publish_next(report, {"a"});
    const auto refused = this->act(report, 1, "a", event::Retried{});
    ASSERT_FALSE(refused) << "the second version may leave at any moment";
    EXPECT_EQ(refused.error(), store::overtaken());
    this->all_end(event::Refused{Reason::partner_refused});
    EXPECT_FALSE(this->act(report, 1, "a", event::Retried{}));
    EXPECT_TRUE(this->act(report, 2, "a", event::Retried{}));
    EXPECT_TRUE(this->act(report, 1, "b", event::Retried{})) << "he has no newer one";
    EXPECT_TRUE(this->act(report, 1, "a", event::Abandoned{}));
}

TYPED_TEST_P(LetterContract, PutsANewVersionInThePlaceOfWhatWaitsForAPersonAndNeverLeft) {
    const auto report = this->report();
    this->publish(report,
                  {planned(Channel::mss_professional, "blocked", LetterState::blocked, Reason::certificate_expired),
                   planned(Channel::mss_professional, "held"), planned(Channel::mss_professional, "tried")});
    EXPECT_TRUE(this->act(report, 1, "held", event::Held{}));
    this->all_end(event::TryLater{Reason::partner_unavailable});
    EXPECT_TRUE(this->act(report, 1, "tried", event::Held{}));
    this->publish_next(report, {"blocked", "held", "tried"});
    EXPECT_TRUE(this->state(report, 1, "blocked").starts_with("cancelled"));
    EXPECT_TRUE(this->state(report, 1, "held").starts_with("cancelled"));
    EXPECT_EQ(this->state(report, 1, "tried"), "held MANUAL_HOLD");
    EXPECT_EQ(this->names(this->claim(this->one())), "blocked2 held2");
}

TYPED_TEST_P(LetterContract, WithdrawsFromWhoHasItOrMayHaveItAndStopsTheRest) {
    const auto report = this->published({"arrived", "doubtful", "refused", "sending", "tried"});
    for (const auto& letter : this->claim(this->one())) {
        const auto& key = letter.recipient_key;
        if (key == "sending") continue;
        domain::LetterEvent end = event::Accepted{};
        if (key == "doubtful") end = event::InDoubt{};
        if (key == "refused") end = event::Refused{Reason::partner_refused};
        if (key == "tried") end = event::TryLater{Reason::partner_unavailable};
        EXPECT_TRUE(this->complete(this->one(), letter, end));
    }
    EXPECT_EQ(this->withdraw(report), 3U);
    EXPECT_EQ(this->state(report, 1, "tried"), "cancelled ABANDONED");
    EXPECT_EQ(this->state(report, 1, "refused"), "dead PARTNER_REFUSED");
    EXPECT_EQ(this->state(report, 1, "arrived", Act::withdraw), "due");
    EXPECT_EQ(this->state(report, 1, "doubtful", Act::withdraw), "due");
    EXPECT_EQ(this->state(report, 1, "sending", Act::withdraw), "due");
    EXPECT_EQ(this->names(this->claim(this->one())), "arrived1w") << "the others' delivery comes to its end first";
    const auto refused = this->act(report, 1, "refused", event::Retried{});
    ASSERT_FALSE(refused) << "what was withdrawn is not sent again";
    EXPECT_EQ(refused.error(), store::overtaken());
    this->now_ += minutes(2);
    const auto doubtful = this->claim(this->one());
    ASSERT_EQ(this->names(doubtful), "doubtful1");
    EXPECT_TRUE(this->complete(this->one(), doubtful[0], event::Accepted{}));
    EXPECT_EQ(this->names(this->claim(this->one())), "doubtful1w");
}

TYPED_TEST_P(LetterContract, WithdrawsTheVersionThatEachRecipientHas) {
    const auto report = this->published({"a", "b"});
    this->all_end(event::Accepted{});
    this->publish_next(report, {"a"});
    this->all_end(event::Accepted{});
    EXPECT_EQ(this->withdraw(report), 2U);
    EXPECT_EQ(this->names(this->claim(this->one())), "a2w b1w");
}

TYPED_TEST_P(LetterContract, TriesNothingAgainWhoseReportWasWithdrawnWhileItWasOnItsWay) {  // R-42, I8
    const auto report = this->published({"doubtful", "later", "nobody", "refused", "arrives"});
    const auto letters = this->claim(this->one());
    EXPECT_EQ(this->withdraw(report), 5U) << "each of them may arrive";
    EXPECT_TRUE(this->act(report, 1, "later", event::Held{}, Act::withdraw));
    for (const auto& letter : letters) {
        const auto& key = letter.recipient_key;
        domain::LetterEvent end = event::TryLater{Reason::partner_unavailable};
        if (key == "doubtful") end = event::InDoubt{};
        if (key == "refused") end = event::Refused{Reason::partner_refused};
        if (key == "nobody") end = event::NotApplicable{Reason::no_citizen_mailbox};
        if (key == "arrives") end = event::Accepted{};
        EXPECT_TRUE(this->complete(this->one(), letter, end));
    }
    EXPECT_EQ(this->state(report, 1, "later"), "cancelled ABANDONED");
    EXPECT_EQ(this->state(report, 1, "later", Act::withdraw), "cancelled ABANDONED") << "he never had it";
    EXPECT_EQ(this->state(report, 1, "refused"), "dead PARTNER_REFUSED");
    EXPECT_EQ(this->state(report, 1, "refused", Act::withdraw), "cancelled ABANDONED");
    EXPECT_EQ(this->state(report, 1, "nobody", Act::withdraw), "cancelled ABANDONED");
    EXPECT_EQ(this->state(report, 1, "doubtful"), "in_doubt PARTNER_UNAVAILABLE");
    EXPECT_EQ(this->names(this->claim(this->one())), "arrives1w");
    this->now_ += minutes(2);
    const auto doubtful = this->claim(this->one());
    ASSERT_EQ(this->names(doubtful), "doubtful1") << "it may have arrived: asked first, then withdrawn";
    EXPECT_TRUE(this->complete(this->one(), doubtful[0], event::Accepted{}));
    EXPECT_EQ(this->names(this->claim(this->one())), "doubtful1w");
    this->now_ += std::chrono::hours(2);
    EXPECT_EQ(this->run(this->two().reclaim(site, false, this->now_)), 2U) << "the two withdrawals";
}

TYPED_TEST_P(LetterContract, WithdrawsWhatWasGivenUpInDoubt) {
    const auto report = this->published({"before", "meanwhile", "never"});
    this->now_ += std::chrono::hours(49);
    const auto letters = this->claim(this->one());
    ASSERT_EQ(this->names(letters), "before1 meanwhile1 never1");
    const auto end = [&](std::string_view key, const domain::LetterEvent& what) {
        const auto letter = std::ranges::find(letters, key, &store::LeasedLetter::recipient_key);
        EXPECT_TRUE(this->complete(this->one(), *letter, what));
        EXPECT_EQ(this->state(report, 1, std::string(key)), "dead GAVE_UP");
    };
    end("before", event::InDoubt{});
    EXPECT_EQ(this->withdraw(report), 3U);
    end("meanwhile", event::InDoubt{});
    end("never", event::TryLater{Reason::partner_unavailable});
    EXPECT_EQ(this->state(report, 1, "never", Act::withdraw), "cancelled ABANDONED");
    EXPECT_EQ(this->names(this->claim(this->one())), "before1w meanwhile1w");
}

TYPED_TEST_P(LetterContract, WithdrawsTheFormerVersionWhenTheLastOneDidNotArrive) {
    const auto report = this->published({"a", "b", "c"});
    for (const auto& letter : this->claim(this->one()))
        EXPECT_TRUE(this->complete(this->one(), letter,
                                   letter.recipient_key == "b"
                                       ? domain::LetterEvent{event::Refused{Reason::partner_refused}}
                                       : domain::LetterEvent{event::Accepted{}}));
    this->publish_next(report, {"a", "b", "c"});
    const auto second = this->claim(this->one());
    ASSERT_EQ(this->names(second), "a2 b2 c2");
    EXPECT_EQ(this->withdraw(report), 3U);
    EXPECT_TRUE(this->act(report, 2, "c", event::Abandoned{}, Act::withdraw)) << "somebody told him";
    for (const auto& letter : second)
        EXPECT_TRUE(this->complete(this->one(), letter, event::TryLater{Reason::partner_unavailable}));
    for (const auto* key : {"a", "b", "c"}) {
        EXPECT_EQ(this->state(report, 2, key), "cancelled ABANDONED");
        EXPECT_EQ(this->state(report, 2, key, Act::withdraw), "cancelled ABANDONED");
    }
    EXPECT_EQ(this->names(this->claim(this->one())), "a1w") << "he has the first version; b has none";
}

TYPED_TEST_P(LetterContract, KnowsTheFirstLetterThatArrivedThere) {
    const auto report = this->published({"a", "b"});
    const auto first = [&](const std::vector<store::LeasedLetter>& letters, std::string_view key) {
        const auto letter = std::ranges::find(letters, key, &store::LeasedLetter::recipient_key);
        return letter == letters.end() ? std::optional<domain::LetterId>() : letter->first_arrived;
    };
    auto letters = this->claim(this->one());
    EXPECT_FALSE(first(letters, "a"));
    for (const auto& letter : letters) {
        const bool arrives = letter.recipient_key == "a";
        this->complete(this->one(), letter,
                       arrives ? domain::LetterEvent{event::Accepted{}}
                               : domain::LetterEvent{event::Refused{domain::Reason::partner_refused}});
    }
    for (int version = 2; version <= 3; ++version) {
        this->publish_next(report, {"a", "b"});
        letters = this->claim(this->one());
        ASSERT_EQ(letters.size(), 2U);
        EXPECT_EQ(first(letters, "a"), this->id(report, 1, "a"));
        EXPECT_EQ(first(letters, "b").has_value(), version == 3) << "its first one was refused";
        for (const auto& letter : letters)
            this->complete(this->one(), letter, event::Accepted{});
    }
    ASSERT_EQ(this->withdraw(report), 2U);
    letters = this->claim(this->one());
    EXPECT_EQ(first(letters, "a"), this->id(report, 1, "a"));
    EXPECT_EQ(first(letters, "b"), this->id(report, 2, "b"));
}

TYPED_TEST_P(LetterContract, ObeysPeopleButNotAgainstWhatHappened) {
    const auto report = this->published({"a", "b"});
    EXPECT_TRUE(this->act(report, 1, "a", event::Held{}));
    EXPECT_EQ(this->state(report, 1, "a"), "held MANUAL_HOLD");
    EXPECT_FALSE(this->act(report, 1, "a", event::Held{}));
    const auto sending = this->claim(this->one());
    ASSERT_EQ(this->names(sending), "b1");
    for (const domain::LetterEvent& what : {domain::LetterEvent{event::Held{}}, domain::LetterEvent{event::Retried{}},
                                            domain::LetterEvent{event::Abandoned{}}})
        EXPECT_EQ(this->act(report, 1, "b", what).error().fault, Fault::conflict);
    EXPECT_TRUE(this->complete(this->one(), sending[0], event::Accepted{}));
    EXPECT_FALSE(this->act(report, 1, "b", event::Retried{})) << "sent once is enough";
    EXPECT_TRUE(this->act(report, 1, "a", event::Abandoned{}));
    EXPECT_EQ(this->state(report, 1, "a"), "cancelled ABANDONED");
    EXPECT_FALSE(this->act(report, 1, "a", event::Retried{}));
    EXPECT_EQ(this->names(this->claim(this->one())), "");
    const auto nobody = this->run(this->one().act(site, domain::LetterId{Uuid::v7(this->now_)}, event::Held{}, "essai",
                                                  "user:informatique", "", this->policy_, this->now_));
    EXPECT_EQ(nobody.error().fault, Fault::missing);
}

TYPED_TEST_P(LetterContract, GivesUpAndBeginsAnewWhenAPersonSaysSo) {
    const auto report = this->published({"a"});
    this->all_end(event::TryLater{Reason::partner_unavailable});
    this->now_ += std::chrono::hours(49);
    this->all_end(event::TryLater{Reason::partner_unavailable});
    EXPECT_EQ(this->state(report, 1, "a"), "dead GAVE_UP");
    EXPECT_EQ(this->names(this->claim(this->one())), "");
    EXPECT_TRUE(this->act(report, 1, "a", event::Retried{}));
    const auto again = this->claim(this->one());
    ASSERT_EQ(again.size(), 1U);
    EXPECT_TRUE(again[0].was_in_doubt) << "what was given up may have arrived";
    EXPECT_EQ(again[0].facts.created_at, this->now_);
    EXPECT_EQ(again[0].facts.attempts, 3);
}

TYPED_TEST_P(LetterContract, HoldsBackWhatThePlanBlocked) {
    const auto report = this->report(false);
    this->publish(report,
                  {planned(Channel::dmp, "DMP", LetterState::blocked, Reason::ins_not_qualified),
                   planned(Channel::mss_patient, "patient", LetterState::not_applicable, Reason::patient_opposed)});
    EXPECT_EQ(this->names(this->claim(this->one(), 9, Channel::dmp)), "");
    EXPECT_EQ(this->names(this->claim(this->one(), 9, Channel::mss_patient)), "");
    EXPECT_FALSE(this->act(report, 1, "DMP", event::Retried{}));
    EXPECT_FALSE(this->act(report, 1, "patient", event::Retried{}));
    EXPECT_EQ(this->state(report, 1, "DMP"), "blocked INS_NOT_QUALIFIED");
}

TYPED_TEST_P(LetterContract, SendsNothingToDmpOrPatientWithoutAQualifiedIns) {  // I7, SAF-01
    for (const auto channel : {Channel::dmp, Channel::mss_patient}) {
        const auto report = this->report(false);
        EXPECT_ANY_THROW(this->publish(report, {planned(channel, "x")}));
    }
}

TYPED_TEST_P(LetterContract, PublishesAVersionOnce) {  // I4
    const auto report = this->published({"a"});
    EXPECT_FALSE(this->publish(report, this->to({"a", "b"})));
    EXPECT_EQ(this->names(this->claim(this->one())), "a1");
}

REGISTER_TYPED_TEST_SUITE_P(
    LetterContract, GivesALetterToOneWorkerOnly, GivesNoMoreThanAskedAndTheEarliestFirst,
    KnowsWhenTheNextIsDueAndGivesNothingBefore, KeepsDestinationsApart, HearsNoLateWriter, TakesBackOnlyWhatNobodyHolds,
    GivesARestartedDaemonItsOwnBackAtOnce, KeepsADoubt, LetsNothingOvertake,
    GoesOnToTheNextVersionWhenTheFormerOneEnded, NeverRevivesWhatANewerVersionFollows,
    PutsANewVersionInThePlaceOfWhatWaitsForAPersonAndNeverLeft, WithdrawsFromWhoHasItOrMayHaveItAndStopsTheRest,
    TriesNothingAgainWhoseReportWasWithdrawnWhileItWasOnItsWay, WithdrawsWhatWasGivenUpInDoubt,
    WithdrawsTheFormerVersionWhenTheLastOneDidNotArrive, WithdrawsTheVersionThatEachRecipientHas,
    KnowsTheFirstLetterThatArrivedThere, ObeysPeopleButNotAgainstWhatHappened, GivesUpAndBeginsAnewWhenAPersonSaysSo,
    HoldsBackWhatThePlanBlocked, SendsNothingToDmpOrPatientWithoutAQualifiedIns, PublishesAVersionOnce);

}  // namespace sgl::delivery::test
