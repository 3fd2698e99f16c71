// PostgreSQL keeps the same contract of letters as the simulator's store, and lives the same lives.
#include <random>

#include "test/lib/delivery/engine/letter_contract.hpp"
#include "test/lib/delivery/engine/memory_laboratory.hpp"
#include "test/lib/delivery/engine/pg_laboratory.hpp"

namespace sgl::delivery::test {

INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, LetterContract, PgLaboratory);

namespace {

/// The fake beside the real one: the same commands, and after each the same letters in the same states.
struct Fake : MemoryLaboratory {
    using MemoryLaboratory::amend;
    using MemoryLaboratory::id;
    using MemoryLaboratory::now_;
    using MemoryLaboratory::one;
    using MemoryLaboratory::publish;
    using MemoryLaboratory::report;
    using MemoryLaboratory::run;
    using MemoryLaboratory::state;
    using MemoryLaboratory::two;
    using MemoryLaboratory::version_of;
    using MemoryLaboratory::withdraw;
    void TestBody() override {}
};

class PgLikeMemory : public LetterContract<PgLaboratory> {
protected:
    struct Named {
        std::size_t report;
        unsigned version;
        std::string key;
        Act act;
        auto operator<=>(const Named&) const = default;
    };
    using Held = std::pair<store::LeasedLetter, store::LeasedLetter>;  ///< here, in the fake

    std::string both_say(const Named& letter) {
        const auto here = state(letter.report, letter.version, letter.key, letter.act);
        const auto there = fake_.state(letter.report, letter.version, letter.key, letter.act);
        EXPECT_EQ(here, there) << letter.key << letter.version << " of report " << letter.report;
        return here;
    }
    void claim_both(bool first) {
        const auto here = claim(first ? one() : two());
        const auto there =
            fake_.run((first ? fake_.one() : fake_.two()).claim(site, Channel::mss_professional, 20, lease, now_));
        ASSERT_EQ(here.size(), there.size());
        for (const auto& letter : here) {
            const auto same = std::ranges::find_if(there, [&](const store::LeasedLetter& one) {
                return one.recipient_key == letter.recipient_key && one.act == letter.act &&
                       fake_.version_of(one.version) == version_of(letter.version);
            });
            ASSERT_NE(same, there.end()) << letter.recipient_key;
            EXPECT_EQ(same->was_in_doubt, letter.was_in_doubt);
            EXPECT_EQ(same->facts.attempts, letter.facts.attempts);
            EXPECT_EQ(same->facts.created_at, letter.facts.created_at);
            EXPECT_EQ(same->sent_at, letter.sent_at);
            EXPECT_EQ(same->fence, letter.fence);
            held_.emplace_back(letter, *same);
        }
    }
    void complete_both(const Held& held, const domain::LetterEvent& what) {
        store::LetterOutcome here;
        here.facts = domain::decide(held.first.facts, what, now_, policy_).value();
        store::LetterOutcome there;
        there.facts = domain::decide(held.second.facts, what, now_, policy_).value();
        here.in_doubt = there.in_doubt = std::holds_alternative<event::InDoubt>(what);
        EXPECT_EQ(run(one().complete(held.first, here, now_)),
                  fake_.run(fake_.one().complete(held.second, there, now_)));
    }
    void act_both(const Named& letter, const domain::LetterEvent& what) {
        const auto here = act(letter.report, letter.version, letter.key, what, letter.act);
        const auto there = fake_.run(fake_.one().act(
            site, fake_.id(letter.report, letter.version, letter.key, letter.act), what, "", "", "", policy_, now_));
        EXPECT_EQ(here.has_value(), there.has_value()) << letter.key << letter.version << " " << what.index();
    }

    Fake fake_;
    std::vector<Held> held_;
};

TEST_F(PgLikeMemory, LivesTheSameLifeThroughAnyHistory) {
    fake_.now_ = now_;
    policy_.give_up_after = std::chrono::hours(1);
    std::mt19937 dice(20260314);
    const auto roll = [&](unsigned sides) { return static_cast<unsigned>(dice() % sides); };
    constexpr std::size_t reports = 3;
    // Each report has recipients of its own, so that a letter is known by its recipient and version.
    const auto keys_of = [](std::size_t report) {
        return std::vector<std::string>{"a" + std::to_string(report), "b" + std::to_string(report)};
    };
    std::vector<unsigned> versions(reports, 1);
    std::vector<bool> withdrawn(reports, false);
    std::set<Named> all;
    const auto publish_both = [&](std::size_t report) {
        const auto keys = keys_of(report);
        publish(report, to(keys));
        fake_.publish(report, to(keys));
        for (const auto& key : keys)
            all.insert({report, versions[report], key, Act::deliver});
    };
    for (std::size_t i = 0; i < reports; ++i) {
        report();
        fake_.report();
        publish_both(i);
    }
    for (int step = 0; step < 160 && !HasFatalFailure(); ++step) {
        now_ += seconds(roll(120));
        fake_.now_ = now_;
        switch (roll(9)) {
            case 0:
            case 1:
            case 2:
                claim_both(roll(2) == 0);
                break;
            case 3:
            case 4:
            case 5: {
                if (held_.empty()) break;
                const std::size_t which = roll(static_cast<unsigned>(held_.size()));
                const std::array<domain::LetterEvent, 4> ends{
                    event::Accepted{}, event::Refused{Reason::partner_refused},
                    event::TryLater{Reason::partner_unavailable}, event::InDoubt{}};
                complete_both(held_[which], ends[roll(4)]);
                held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which));
                break;
            }
            case 6: {
                const bool own = roll(3) == 0;
                EXPECT_EQ(run(one().reclaim(site, own, now_)), fake_.run(fake_.one().reclaim(site, own, now_)));
                break;
            }
            case 7: {
                auto letter = all.begin();
                std::advance(letter, roll(static_cast<unsigned>(all.size())));
                const std::array<domain::LetterEvent, 4> acts{event::Retried{}, event::Retried{}, event::Held{},
                                                              event::Abandoned{}};
                act_both(*letter, acts[roll(4)]);
                break;
            }
            default: {
                const std::size_t report = roll(reports);
                if (withdrawn[report]) break;
                if (versions[report] < 4) {
                    amend(report);
                    fake_.amend(report);
                    ++versions[report];
                    publish_both(report);
                    break;
                }
                withdrawn[report] = true;
                EXPECT_EQ(withdraw(report), fake_.withdraw(report));
            }
        }
        for (std::size_t report = 0; report < reports; ++report) {  // an attempt that failed may make one later
            if (!withdrawn[report]) continue;
            for (const auto& key : keys_of(report)) {
                for (unsigned version = 1; version <= versions[report]; ++version) {
                    if (state(report, version, key, Act::withdraw) != "no row")
                        all.insert({report, version, key, Act::withdraw});
                }
            }
        }
        for (const auto& letter : all)
            both_say(letter);
    }
    EXPECT_GT(all.size(), 15U);
}

// ── a withdrawal in the middle of a worker's transaction: R-42, I8 ──

class PgWithdrawal : public LetterContract<PgLaboratory> {
protected:
    /// What happens to a letter like this, "update … when …", takes a second: `first` waits in it while `second` runs.
    void during(const std::string& what, asio::awaitable<void> first, asio::awaitable<void> second) {
        superuser(
            "create function pause() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return new; end "
            "$$");
        const auto [happens, condition] = std::pair(what.substr(0, what.find(' ')), what.substr(what.find(' ') + 1));
        superuser("create trigger pause after " + happens + " on letter for each row when (" + condition +
                  ") execute function pause()");
        bool done = false;
        asio::co_spawn(executor(), std::move(first), [&](std::exception_ptr) { done = true; });
        const auto meanwhile = [&]() -> asio::awaitable<void> {
            const pg::Query a_moment{"", "select pg_sleep(0.4)"};
            const pg::Rows slept = co_await pool_.query(a_moment);
            EXPECT_FALSE(done);
            co_await std::move(second);
            while (!done) {
                const pg::Rows again = co_await pool_.query(a_moment);
            }
        };
        run(meanwhile());
    }
    asio::awaitable<void> withdraws(std::size_t report) {
        const auto told = co_await withdrawing(reports_[report]);
        told_ = told.value();
    }
    asio::awaitable<void> claims() { taken_ = co_await one().claim(site, Channel::mss_professional, 9, lease, now_); }
    asio::awaitable<void> fails(const store::LeasedLetter& letter) {
        store::LetterOutcome outcome;
        outcome.facts =
            domain::decide(letter.facts, event::TryLater{Reason::partner_unavailable}, now_, policy_).value();
        written_ = co_await one().complete(letter, outcome, now_);
    }

    Letters taken_;
    bool written_{};
    std::size_t told_{};
};

TEST_F(PgWithdrawal, TellsWhomALetterIsJustBeingSentTo) {
    const auto report = published({"a"});
    during("update new.state = 'sending'", claims(), withdraws(report));
    EXPECT_EQ(told_, 1U) << "he may get it: he must be told";
    EXPECT_EQ(names(taken_), "a1");
    EXPECT_EQ(state(report, 1, "a"), "sending");
    EXPECT_EQ(state(report, 1, "a", Act::withdraw), "due");
}

TEST_F(PgWithdrawal, StopsALetterWhoseAttemptFailsAtThatMoment) {
    const auto report = published({"a"});
    const auto letter = claim(one()).at(0);
    during("update new.state = 'retry'", fails(letter), withdraws(report));
    EXPECT_EQ(told_, 0U);
    EXPECT_TRUE(written_);
    EXPECT_EQ(state(report, 1, "a"), "cancelled ABANDONED") << "else it would be sent after the withdrawal";
}

TEST_F(PgWithdrawal, IsSeenByAnAttemptThatFailsBeforeItIsWritten) {
    const auto report = published({"a"});
    const auto letter = claim(one()).at(0);
    during("insert new.act = 'withdraw'", withdraws(report), fails(letter));
    EXPECT_EQ(told_, 1U) << "it was on its way";
    EXPECT_TRUE(written_);
    EXPECT_EQ(state(report, 1, "a"), "cancelled ABANDONED");
    EXPECT_EQ(state(report, 1, "a", Act::withdraw), "cancelled ABANDONED") << "and he never got it";
}

}  // namespace
}  // namespace sgl::delivery::test
