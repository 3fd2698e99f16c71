// The engine with letters in a database and a scripted channel: every end of an attempt, and what becomes of the
// letter.
#include "lib/delivery/engine.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::delivery {
namespace {

using domain::Reason;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Answers what it was told to, one after the other, the last one for ever; remembers what it was given.
class ScriptedChannel final : public Channel {
public:
    using Script = std::function<Outcome(const Letter&)>;

    asio::awaitable<Outcome> deliver(const Letter& letter, const domain::Report&, const Documents& documents) override {
        seen.push_back(letter);
        n3 = documents.n3;
        const Script script = scripts.front();
        if (scripts.size() > 1) scripts.pop_front();
        starts.push_back({++running, ended});
        if (slow > milliseconds::zero()) {
            const asio::any_io_executor executor = co_await asio::this_coro::executor;
            asio::steady_timer timer(executor, slow);
            co_await timer.async_wait(asio::use_awaitable);
        }
        while (letter.recipient_key == silent) {
            const asio::any_io_executor executor = co_await asio::this_coro::executor;
            asio::steady_timer timer(executor, milliseconds(10));
            co_await timer.async_wait(asio::use_awaitable);
        }
        --running;
        ++ended;
        co_return script(letter);
    }

    struct Start {
        std::size_t running;  ///< letters on their way at once, this one included
        std::size_t ended;    ///< before it
    };
    std::vector<Start> starts;
    std::size_t running{};
    std::size_t ended{};

    std::deque<Script> scripts;
    std::vector<Letter> seen;
    std::string n3;
    milliseconds slow{0};
    std::string silent;  ///< the recipient that never answers
};

Outcome yes(const Letter&) {
    return accepted("ref-1");
}
Outcome no(const Letter&) {
    return refused(Reason::partner_refused, {Fault::refused, "SOAP", "the partner says no"});
}
Outcome later(const Letter&) {
    return try_later(Reason::partner_unavailable, {Fault::unavailable, "TCP", "nobody answers"});
}
Outcome doubt(const Letter&) {
    return in_doubt({Fault::unavailable, "TCP", "the connection went after the last byte"});
}
Outcome breaks(const Letter&) {
    throw std::runtime_error("a bug of the channel");
}

class PgEngine : public store::test::LaboratoryTest {
protected:
    PgEngine() {
        for (const auto channel : {domain::Channel::dmp, domain::Channel::mss_professional,
                                   domain::Channel::mss_patient, domain::Channel::dpi}) {
            settings_.policies[channel] = domain::RetryPolicy{};
            settings_.workers[channel] = 4;
        }
        settings_.poll = milliseconds(20);
        const auto report = signed_report("P1");
        publish(report.ids.version_id, {letter(domain::Channel::dmp, "DMP")});
        clock_.set(now_);
    }

    EngineSources sources() {
        EngineSources sources;
        sources.sites = [] { return std::vector<std::int32_t>{1}; };
        sources.channel = [this](const store::LeasedLetter&) -> Result<std::shared_ptr<Channel>> {
            if (channel_fault_) return *channel_fault_;
            return std::shared_ptr<Channel>(channel_);
        };
        sources.report = [](domain::ReportVersionId) { return report(); };
        sources.documents = [this](domain::ReportVersionId) { return documents(); };
        return sources;
    }
    static asio::awaitable<Result<domain::Report>> report() { co_return domain::Report{}; }
    asio::awaitable<Result<Documents>> documents() {
        if (documents_fault_) co_return *documents_fault_;
        co_return Documents{"<n3/>", "%PDF"};
    }

    /// Lets engines work until the condition holds (at most twenty seconds) and stops them. The letters in flight end.
    template <class Condition>
    bool work_until(const std::vector<Engine*>& engines, Condition holds) {
        bool held = false;
        const auto watch = [&]() -> asio::awaitable<void> {
            const asio::any_io_executor here = co_await asio::this_coro::executor;
            std::size_t ended = 0;
            const auto one_engine = [&](Engine* engine) -> asio::awaitable<void> {
                co_await engine->run();
                ++ended;
            };
            for (auto* engine : engines)
                asio::co_spawn(here, one_engine(engine), asio::detached);
            asio::steady_timer timer(here);
            for (int turn = 0; turn < 200 && !held; ++turn) {
                timer.expires_after(milliseconds(100));
                co_await timer.async_wait(asio::use_awaitable);
                held = holds();
            }
            for (auto* engine : engines)
                engine->stop();
            while (ended < engines.size()) {
                timer.expires_after(milliseconds(10));
                co_await timer.async_wait(asio::use_awaitable);
            }
        };
        run(watch());
        return held;
    }
    std::string state() {
        return one(
            "select state || case when reason = '' then '' else ' ' || reason end || ' ' || attempts from letter");
    }
    /// Works until the letter is in that state ("accepted  1" : state, reason, attempts).
    bool becomes(const std::string& wanted) {
        Engine engine(outbox_, clock_, settings_, sources());
        const bool held = work_until({&engine}, [&] { return state() == wanted; });
        EXPECT_EQ(state(), wanted);
        return held;
    }
    Instant due() { return run(outbox_.next_due(scope_a_, domain::Channel::dmp)).value(); }

    ManualClock clock_{now_};
    EngineSettings settings_;
    store::Outbox outbox_{pool_, "un"};
    std::shared_ptr<ScriptedChannel> channel_ = std::make_shared<ScriptedChannel>();
    std::optional<Error> channel_fault_;
    std::optional<Error> documents_fault_;
};

TEST_F(PgEngine, DeliversWhatIsDue) {
    channel_->scripts = {yes};
    becomes("accepted 1");
    ASSERT_EQ(channel_->seen.size(), 1U);
    EXPECT_EQ(channel_->seen[0].recipient_key, "DMP");
    EXPECT_EQ(channel_->seen[0].sent_at, now_);
    EXPECT_FALSE(channel_->seen[0].in_doubt);
    EXPECT_EQ(channel_->n3, "<n3/>");
    EXPECT_EQ(one("select partner_reference from letter"), "ref-1");
}

TEST_F(PgEngine, EndsWhatThePartnerRefusesAndSaysWhy) {
    channel_->scripts = {no};
    becomes("dead PARTNER_REFUSED 1");
    EXPECT_EQ(one("select error_where || ': ' || error_what from letter"), "SOAP: the partner says no");
}

TEST_F(PgEngine, TriesLaterAtTheTimeOfThePolicyWithTheSameDates) {
    channel_->scripts = {later, yes};
    becomes("retry PARTNER_UNAVAILABLE 1");
    EXPECT_EQ(due() - now_, minutes(1));
    clock_.advance(seconds(59));
    EXPECT_EQ(channel_->seen.size(), 1U);
    clock_.advance(seconds(1));
    becomes("accepted 2");
    EXPECT_EQ(channel_->seen.at(1).sent_at, channel_->seen.at(0).sent_at);
    EXPECT_EQ(channel_->seen[1].attempt, 2);
}

TEST_F(PgEngine, GivesUpAfterItsTime) {
    channel_->scripts = {later};
    becomes("retry PARTNER_UNAVAILABLE 1");
    clock_.advance(hours(48));
    becomes("dead GAVE_UP 2");
}

TEST_F(PgEngine, TellsTheChannelThatAnEarlierAttemptMayHaveArrived) {
    channel_->scripts = {doubt, yes};
    becomes("in_doubt PARTNER_UNAVAILABLE 1");
    clock_.advance(minutes(1));
    becomes("accepted 2");
    EXPECT_TRUE(channel_->seen.at(1).in_doubt);
}

TEST_F(PgEngine, HoldsAThrowingChannelForDoubtful) {
    channel_->scripts = {breaks, yes};
    becomes("in_doubt PARTNER_UNAVAILABLE 1");
    EXPECT_EQ(count("select count(*) from letter where error_what ~ 'bug'"), 0)
        << "what an exception says stays inside";
    clock_.advance(minutes(1));
    becomes("accepted 2");
    EXPECT_TRUE(channel_->seen.at(1).in_doubt);
}

TEST_F(PgEngine, SaysWhatIsMissingBeforeAnyChannel) {
    channel_->scripts = {yes};
    channel_fault_ = Error{Fault::missing, "partner", "no DMP is configured"};
    becomes("dead PARTNER_NOT_CONFIGURED 1");
    EXPECT_TRUE(channel_->seen.empty());
}

TEST_F(PgEngine, NeverSendsADocumentThatChangedInTheDatabase) {
    channel_->scripts = {yes};
    documents_fault_ = Error{Fault::malformed, "document", "the stored bytes do not match their SHA-256"};
    becomes("dead INTEGRITY 1");
    EXPECT_TRUE(channel_->seen.empty());
}

TEST_F(PgEngine, RestsADestinationAfterSeveralFailuresThenLetsOneLetterTry) {
    settings_.breaker_failures = 3;
    for (int i = 2; i < 8; ++i) {
        const auto report = signed_report("P" + std::to_string(i), "IPP" + std::to_string(i));
        publish(report.ids.version_id, {letter(domain::Channel::dmp, "DMP")});
    }
    channel_->scripts = {later};
    Engine engine(outbox_, clock_, settings_, sources());
    int phase = 0;
    int turns = 0;
    const auto step = [&] {
        switch (phase) {
            case 0:  // four at once fail, the three others stay as they are
                if (count("select count(*) from letter where state = 'retry'") < 4 || ++turns < 5) return false;
                EXPECT_EQ(channel_->seen.size(), 4U);
                EXPECT_EQ(count("select count(*) from letter where state = 'due' and attempts = 0 and "
                                "next_attempt_at = trying_since"),
                          3)
                    << "while the destination rests nothing is counted and no delay grows";
                channel_->slow = milliseconds(600);
                clock_.advance(seconds(61));
                phase = 1;
                turns = 0;
                return false;
            case 1:  // all seven are due, the one that tries is on its way
                if (++turns == 4) {
                    EXPECT_EQ(channel_->seen.size(), 5U);
                }
                if (turns < 12) return false;
                EXPECT_EQ(channel_->seen.size(), 5U) << "it failed: the destination rests again";
                channel_->slow = milliseconds(0);
                channel_->scripts = {yes};
                clock_.advance(minutes(3));  // the delays of those that failed are over as well
                phase = 2;
                return false;
            default:
                return count("select count(*) from letter where state = 'accepted'") == 7;
        }
    };
    EXPECT_TRUE(work_until({&engine}, step));
    EXPECT_EQ(channel_->seen.size(), 12U);
}

TEST_F(PgEngine, OpensADestinationSlowlyAfterItsRest) {
    settings_.breaker_failures = 3;
    for (int i = 2; i < 20; ++i) {
        const auto report = signed_report("P" + std::to_string(i), "IPP" + std::to_string(i));
        publish(report.ids.version_id, {letter(domain::Channel::dmp, "DMP")});
    }
    channel_->scripts = {later};
    Engine engine(outbox_, clock_, settings_, sources());
    bool rested = false;
    const auto step = [&] {
        if (!rested && count("select count(*) from letter where state = 'retry'") == 4) {
            channel_->scripts = {yes};
            channel_->slow = milliseconds(150);
            channel_->starts.clear();
            channel_->ended = 0;
            clock_.advance(seconds(61));
            rested = true;
        }
        return count("select count(*) from letter where state = 'accepted'") == 19;
    };
    EXPECT_TRUE(work_until({&engine}, step));
    ASSERT_EQ(channel_->starts.size(), 19U);
    std::size_t most = 0;
    for (const auto& start : channel_->starts) {
        EXPECT_LE(start.running, std::min<std::size_t>(4, 1 + start.ended)) << "after " << start.ended;
        most = std::max(most, start.running);
    }
    EXPECT_EQ(most, 4U) << "in the end nothing is held back any more";
}

TEST_F(PgEngine, RestsAgainAtTheFirstFailureWhileItOpens) {
    settings_.breaker_failures = 3;
    for (int i = 2; i < 12; ++i) {
        const auto report = signed_report("P" + std::to_string(i), "IPP" + std::to_string(i));
        publish(report.ids.version_id, {letter(domain::Channel::dmp, "DMP")});
    }
    channel_->scripts = {later};
    Engine engine(outbox_, clock_, settings_, sources());
    bool rested = false;
    int turns = 0;
    const auto step = [&] {
        if (!rested && count("select count(*) from letter where state = 'retry'") == 4) {
            channel_->scripts = {yes, later};
            channel_->slow = milliseconds(50);
            clock_.advance(seconds(61));
            rested = true;
        }
        return rested && ++turns > 10;
    };
    EXPECT_TRUE(work_until({&engine}, step));
    EXPECT_EQ(channel_->seen.size(), 4U + 1U + 2U) << "four failed, one got through, the two after it did not";
    EXPECT_EQ(count("select count(*) from letter where state = 'accepted'"), 1);
}

TEST_F(PgEngine, LetsNoDestinationRestForAFullMailbox) {
    settings_.breaker_failures = 2;
    settings_.workers[domain::Channel::dmp] = 1;
    for (int i = 2; i < 8; ++i) {
        const auto report = signed_report("P" + std::to_string(i), "IPP" + std::to_string(i));
        publish(report.ids.version_id, {letter(domain::Channel::dmp, "DMP")});
    }
    channel_->scripts = {[](const Letter& letter) {
        auto outcome = later(letter);
        outcome.recipient_only = true;
        return outcome;
    }};
    Engine engine(outbox_, clock_, settings_, sources());
    EXPECT_TRUE(work_until({&engine}, [&] { return count("select count(*) from letter where state = 'retry'") == 7; }));
}

TEST_F(PgEngine, RestsOneDestinationWhileAnotherGoesOn) {
    settings_.breaker_failures = 2;
    settings_.workers[domain::Channel::dpi] = 1;
    auto dead = letter(domain::Channel::dpi, "dpi:1");
    dead.partner = domain::PartnerId{1};
    auto alive = letter(domain::Channel::dpi, "dpi:2");
    alive.partner = domain::PartnerId{2};
    for (int i = 2; i < 7; ++i) {
        const auto report = signed_report("P" + std::to_string(i), "IPP" + std::to_string(i));
        publish(report.ids.version_id, {dead, alive});
    }
    channel_->scripts = {
        [](const Letter& letter) { return letter.recipient_key == "dpi:1" ? later(letter) : yes(letter); }};
    Engine engine(outbox_, clock_, settings_, sources());
    EXPECT_TRUE(work_until({&engine}, [&] {
        return count("select count(*) from letter where recipient_key = 'dpi:2' and state = 'accepted'") == 5;
    }));
    EXPECT_LE(count("select sum(attempts) from letter where recipient_key = 'dpi:1'"), 2);
}

TEST_F(PgEngine, WaitsForOneDestinationWithoutHoldingWorkersOfAnother) {  // F8: never answers
    settings_.workers[domain::Channel::dpi] = 2;
    settings_.poll = milliseconds(200);
    const auto to = [&](std::string key, int partner) {
        auto made = letter(domain::Channel::dpi, std::move(key));
        made.partner = domain::PartnerId{partner};
        return made;
    };
    for (int i = 2; i < 7; ++i) {
        const auto report = signed_report("P" + std::to_string(i), "IPP" + std::to_string(i));
        publish(report.ids.version_id, {to("dpi:1", 1), to("dpi:2", 2), to("dpi:3", 3)});
    }
    channel_->scripts = {yes};
    channel_->silent = "dpi:1";
    Engine engine(outbox_, clock_, settings_, sources());
    EXPECT_TRUE(work_until({&engine}, [&] {
        if (count("select count(*) from letter where recipient_key <> 'dpi:1' and state = 'accepted'") < 10)
            return false;
        EXPECT_EQ(count("select count(*) from letter where recipient_key = 'dpi:1' and state = 'sending'"), 2);
        EXPECT_EQ(count("select max(attempts) from letter where recipient_key = 'dpi:1'"), 1);
        channel_->silent.clear();
        return true;
    }));
}

TEST_F(PgEngine, NeverDeliversOneLetterTwiceWithTwoDaemons) {
    for (int i = 2; i < 12; ++i) {
        const auto report = signed_report("P" + std::to_string(i), "IPP" + std::to_string(i));
        publish(report.ids.version_id, {letter(domain::Channel::dmp, "DMP")});
    }
    channel_->scripts = {yes};
    channel_->slow = milliseconds(30);
    store::Outbox other_outbox(pool_, "deux");
    Engine one_engine(outbox_, clock_, settings_, sources());
    Engine two_engine(other_outbox, clock_, settings_, sources());
    EXPECT_TRUE(work_until({&one_engine, &two_engine},
                           [&] { return count("select count(*) from letter where state = 'accepted'") == 11; }));
    EXPECT_EQ(channel_->seen.size(), 11U);
}

TEST_F(PgEngine, TakesOverTheLettersOfADaemonThatDied) {
    store::Outbox dead(pool_, "mort");
    const auto held = run(dead.claim(scope_a_, domain::Channel::dmp, 10, seconds(60), now_));
    ASSERT_EQ(held.size(), 1U);
    channel_->scripts = {yes};
    Engine engine(outbox_, clock_, settings_, sources());
    work_until({&engine}, [turn = 0]() mutable { return ++turn > 10; });
    EXPECT_TRUE(channel_->seen.empty()) << "its lease still holds";
    clock_.advance(seconds(61));
    becomes("accepted 2");
    EXPECT_TRUE(channel_->seen.at(0).in_doubt);
    store::LetterOutcome late;
    late.facts = held[0].facts;
    late.facts.state = domain::LetterState::dead;
    EXPECT_FALSE(run(dead.complete(held[0], late, clock_.now()))) << "the dead one comes back too late";
    EXPECT_EQ(state(), "accepted 2");
}

TEST_F(PgEngine, TakesBackItsOwnLettersAtOnceAfterARestart) {
    const auto held = run(outbox_.claim(scope_a_, domain::Channel::dmp, 10, seconds(60), now_));
    ASSERT_EQ(held.size(), 1U);
    channel_->scripts = {yes};
    becomes("accepted 2");
    EXPECT_TRUE(channel_->seen.at(0).in_doubt);
}

TEST_F(PgEngine, HasNothingRunningAnyMoreWhenItReturns) {
    settings_.poll = hours(1);  // whoever sleeps is woken, or this never ends
    channel_->scripts = {yes};
    channel_->slow = milliseconds(300);
    auto engine = std::make_unique<Engine>(outbox_, clock_, settings_, sources());
    EXPECT_TRUE(work_until({engine.get()}, [&] { return !channel_->seen.empty(); }));
    EXPECT_EQ(state(), "accepted 1");
    engine.reset();
    io().restart();
    io().run_for(milliseconds(200));  // a coroutine of the engine that outlived it would touch freed memory here
}

TEST_F(PgEngine, LetsLettersInFlightEndBeforeItStops) {
    channel_->scripts = {yes};
    channel_->slow = milliseconds(400);
    Engine engine(outbox_, clock_, settings_, sources());
    work_until({&engine}, [&] { return !channel_->seen.empty(); });
    EXPECT_EQ(state(), "accepted 1");
}

TEST_F(PgEngine, KeepsADoubtThroughAPartnerThatIsAwayMeanwhile) {
    channel_->scripts = {doubt, later, yes};
    becomes("in_doubt PARTNER_UNAVAILABLE 1");
    clock_.advance(minutes(1));
    Engine engine(outbox_, clock_, settings_, sources());
    work_until({&engine}, [&] { return channel_->seen.size() == 2; });
    clock_.advance(minutes(10));
    becomes("accepted 3");
    EXPECT_TRUE(channel_->seen.at(2).in_doubt) << "nobody has asked yet whether the first attempt arrived";
}

}  // namespace
}  // namespace sgl::delivery
