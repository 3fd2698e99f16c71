// Letters: never two hands on one, never a late writer heard, never one forgotten (design D5, D7; reliability 2.1).
#include <array>
#include <random>
#include <set>

#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::store {
namespace {

using domain::Channel;
using domain::LetterState;
using domain::Reason;
namespace event = domain::letter_event;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class PgOutbox : public test::LaboratoryTest {
protected:
    PgOutbox() {
        const auto report = signed_report("P1");
        publish(report.ids.version_id,
                {letter(Channel::mss_professional, "a"), letter(Channel::mss_professional, "b"),
                 letter(Channel::dmp, "DMP"),
                 letter(Channel::mss_patient, "patient", LetterState::not_applicable, Reason::no_citizen_mailbox)});
        version_ = report.ids.version_id;
    }
    std::vector<LeasedLetter> claim(Outbox& outbox, std::size_t limit = 10,
                                    Channel channel = Channel::mss_professional) {
        return run(outbox.claim(scope_a_, channel, limit, lease_, now_));
    }
    LetterOutcome outcome(const LeasedLetter& letter, const domain::LetterEvent& what) {
        LetterOutcome outcome;
        outcome.facts = domain::decide(letter.facts, what, now_, policy_).value();
        return outcome;
    }
    bool complete(Outbox& outbox, const LeasedLetter& letter, const domain::LetterEvent& what) {
        const auto written = outcome(letter, what);
        return run(outbox.complete(letter, written, now_));
    }
    std::string state(std::string_view recipient) {
        return one(
            "select state || case when reason = '' then '' else ' ' || reason end from letter where recipient_key = '" +
            std::string(recipient) + "'");
    }
    Result<void> act(domain::LetterId id, domain::LetterEvent what, std::vector<std::int32_t> scope = {1}) {
        return run(one_.act(scope, id, what, "essai", "user:informatique", "parce que", policy_, now_));
    }

    const Duration lease_{seconds(60)};
    domain::RetryPolicy policy_;
    domain::ReportVersionId version_;
    Outbox one_{pool_, "un"};
    Outbox two_{pool_, "deux"};
};

TEST_F(PgOutbox, GivesALetterToOneOwnerOnly) {
    const auto mine = claim(one_);
    EXPECT_EQ(mine.size(), 2U);
    EXPECT_TRUE(claim(two_).empty());
    EXPECT_EQ(state("a"), "sending");
    EXPECT_EQ(mine[0].facts.attempts, 1);
    EXPECT_EQ(mine[0].sent_at, now_);
    EXPECT_EQ(mine[0].version, version_);
}

TEST_F(PgOutbox, DividesLettersBetweenOwnersThatClaimAtOnce) {
    superuser(
        R"sql(insert into letter (id, legal_entity_id, site_id, version_id, variant, channel, act, recipient_key, recipient_name,
        address, state, reason, month, created_at, trying_since, next_attempt_at)
        select gen_random_uuid(), 1, 1, v.id, 'professional', 'ORU_HOSPITAL', 'deliver', 'r' || i, '', '', 'due', '', v.month,
               v.validated_at, v.validated_at, v.validated_at from report_version v, generate_series(1, 100) i)sql");
    std::vector<LeasedLetter> all;
    int done = 0;
    const auto worker = [&](Outbox& outbox) -> asio::awaitable<void> {
        for (;;) {
            auto some = co_await outbox.claim(scope_a_, Channel::dpi, 7, lease_, now_);
            if (some.empty()) break;
            for (auto& letter : some)
                all.push_back(std::move(letter));
        }
        ++done;
    };
    const auto both = [&]() -> asio::awaitable<void> {
        const asio::any_io_executor here = executor();
        asio::co_spawn(here, worker(one_), [](std::exception_ptr) {});
        asio::co_spawn(here, worker(two_), [](std::exception_ptr) {});
        while (done < 2) {
            const pg::Rows ignored = co_await pool_.query(pg::Query{"", "select pg_sleep(0.01)"});
        }
    };
    run(both());
    std::set<Uuid> ids;
    for (const auto& letter : all)
        ids.insert(letter.id.value());
    EXPECT_EQ(all.size(), 100U);
    EXPECT_EQ(ids.size(), 100U);
}

TEST_F(PgOutbox, GivesNothingBeforeItsTimeNorToAnotherSiteNorOfAnotherChannel) {
    EXPECT_TRUE(run(one_.claim(scope_b_, Channel::mss_professional, 10, lease_, now_)).empty());
    EXPECT_TRUE(run(one_.claim(scope_a_, Channel::mss_professional, 10, lease_, now_ - seconds(1))).empty());
    EXPECT_TRUE(claim(one_, 10, Channel::dpi).empty());
    EXPECT_TRUE(claim(one_, 10, Channel::mss_patient).empty()) << "not applicable is an end";
    EXPECT_EQ(claim(one_, 1).size(), 1U);
}

TEST_F(PgOutbox, ClaimsForAllDestinationsButThoseOrForThoseOnly) {
    superuser("update letter set partner_id = 7 where recipient_key = 'a'");
    const auto claimed = [&](std::vector<Destination> destinations, bool only) {
        std::string keys;
        ClaimScope scope{std::move(destinations), only};
        const auto letters = run(one_.claim(scope_a_, Channel::mss_professional, 10, lease_, now_, std::move(scope)));
        for (const auto& letter : letters)
            keys += letter.recipient_key;
        superuser("update letter set state = 'due', attempts = 0 where state = 'sending'");
        return keys;
    };
    const Destination seven{test::entity_a, domain::PartnerId{7}};
    const Destination none{test::entity_a, std::nullopt};
    const Destination foreign{test::entity_b, domain::PartnerId{7}};
    EXPECT_EQ(claimed({seven}, false), "b");
    EXPECT_EQ(claimed({seven}, true), "a");
    EXPECT_EQ(claimed({none, foreign}, false), "a");
    EXPECT_EQ(claimed({foreign}, true), "");
    EXPECT_EQ(claimed({}, true), "");
    EXPECT_EQ(claimed({}, false).size(), 2U);
}

TEST_F(PgOutbox, LetsNoVersionOvertakeTheFormerOne) {
    // Corrections are not composed in this version: their rows are made here.
    superuser(R"sql(do $$ begin
        insert into report_version select (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid(), 'version', 2, 'kind', 'amended',
            'document_oid', '2.25.2'))).* from report_version v;
        insert into letter select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'version_id', v.id))).*
            from letter l, report_version v where v.version = 2 and l.recipient_key in ('a', 'DMP');
        insert into letter select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'act', 'withdraw'))).*
            from letter l join report_version v on v.id = l.version_id where v.version = 2 and l.recipient_key = 'a';
    end $$)sql");
    const auto next = [&](Channel channel) {
        const auto letters = claim(one_, 10, channel);
        std::string text;
        for (const auto& letter : letters) {
            text +=
                (text.empty() ? "" : " ") + letter.recipient_key +
                one("select version::text from report_version where id = '" + to_string(letter.version.value()) + "'") +
                (letter.act == domain::Act::withdraw ? "w" : "");
        }
        return text;
    };
    const auto end = [&](std::string_view state, std::string_view where) {
        superuser("update letter set state = '" + std::string(state) + "' where state = 'sending' and " +
                  std::string(where));
    };
    EXPECT_EQ(next(Channel::dmp), "DMP1");
    EXPECT_EQ(next(Channel::dmp), "") << "the first version is on its way";
    for (const auto* state : {"retry", "in_doubt"}) {
        end(state, "channel = 'DMP'");
        EXPECT_EQ(next(Channel::dmp), "DMP1") << state;
    }
    end("held", "channel = 'DMP'");
    EXPECT_EQ(next(Channel::dmp), "") << "a person keeps it: the later one would arrive first";
    superuser("update letter set state = 'dead' where state = 'held'");
    EXPECT_EQ(next(Channel::dmp), "DMP2");
    const auto both = next(Channel::mss_professional);
    EXPECT_TRUE(both == "a1 b1" || both == "b1 a1") << both;
    end("accepted", "recipient_key = 'b'");
    EXPECT_EQ(next(Channel::mss_professional), "") << "not even its withdrawal";
    end("accepted", "recipient_key = 'a'");
    EXPECT_EQ(next(Channel::mss_professional), "a2");
    end("delivered", "recipient_key = 'a'");
    EXPECT_EQ(next(Channel::mss_professional), "a2w");
}

TEST_F(PgOutbox, NeverSendsAnOldVersionAgainOnceANewerOneLeft) {  // reliability I8
    superuser(R"sql(do $$ begin
        insert into report_version select (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid(), 'version', 2, 'kind', 'amended',
            'document_oid', '2.25.2'))).* from report_version v;
        insert into letter select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'version_id', v.id))).*
            from letter l, report_version v where v.version = 2 and l.recipient_key in ('a', 'b');
        update letter l set state = 'held', reason = 'MANUAL_HOLD' from report_version v
            where v.id = l.version_id and v.version = 1 and l.recipient_key in ('a', 'b');
    end $$)sql");
    const auto first = [&](const std::string& recipient) {
        return domain::LetterId{
            Uuid::parse(one("select l.id from letter l join report_version v on v.id = l.version_id "
                            "where v.version = 1 and l.recipient_key = '" +
                            recipient + "'"))
                .value()};
    };
    const auto second = [&](const std::string& recipient, const std::string& state) {
        superuser("update letter l set state = '" + state +
                  "', reason = '' from report_version v where v.id = l.version_id and v.version = 2 and "
                  "l.recipient_key = '" +
                  recipient + "'");
    };
    for (const auto* state : {"sending", "in_doubt", "accepted", "delivered"}) {
        second("a", state);
        const auto refused = act(first("a"), event::Retried{});
        ASSERT_FALSE(refused) << state;
        EXPECT_EQ(refused.error().fault, Fault::conflict);
    }
    second("b", "due");
    EXPECT_TRUE(act(first("b"), event::Retried{}))
        << "its next version waits behind it: what left to another says nothing";
    superuser(
        "update letter l set state = 'held' from report_version v where v.id = l.version_id and v.version = 1 and "
        "l.recipient_key = 'b'");
    superuser(
        "update report_version set state = 'withdrawn', withdrawn_at = validated_at, withdrawn_by = 'user:x', "
        "withdrawn_why = 'x' where version = 2");
    EXPECT_FALSE(act(first("b"), event::Retried{})) << "the report was withdrawn";
    EXPECT_TRUE(act(first("b"), event::Abandoned{}));
}

TEST_F(PgOutbox, WritesTheOutcomeAndItsHistory) {
    const auto letters = claim(one_, 1);
    auto accepted = outcome(letters[0], event::Accepted{});
    accepted.partner_reference = "250 queued as 42";
    EXPECT_TRUE(run(one_.complete(letters[0], accepted, now_)));
    const auto id = to_string(letters[0].id.value());
    EXPECT_EQ(one("select state || ' ' || partner_reference || ' ' || (accepted_at is not null) || ' ' || (lease_owner "
                  "is null) from letter where id = '" +
                  id + "'"),
              "accepted 250 queued as 42 true true");
    EXPECT_EQ(
        one("select string_agg(from_state || '>' || to_state, ' ' order by id) from letter_event where letter_id = '" +
            id + "'"),
        ">due due>sending sending>accepted");
    EXPECT_EQ(count("select count(*) from audit_event where action = 'deliver' and object = 'letter:" + id + "'"), 1);
}

TEST_F(PgOutbox, RefusesTheLateWriterByHisFencingToken) {
    const auto late = claim(one_, 1).front();
    now_ += lease_ + seconds(1);
    EXPECT_EQ(run(two_.reclaim(scope_a_, false, now_)), 1U);
    EXPECT_FALSE(complete(one_, late, event::Accepted{})) << "taken back: his answer is not heard any more";
    const auto again = claim(two_);
    ASSERT_EQ(again.size(), 2U);
    EXPECT_FALSE(complete(one_, late, event::Accepted{})) << "nor while another one works on it";
    EXPECT_FALSE(run(one_.renew(late, lease_, now_)));
    for (const auto& letter : again)
        EXPECT_TRUE(complete(two_, letter, event::Accepted{}));
    EXPECT_FALSE(complete(one_, late, event::Refused{Reason::partner_refused}));
    EXPECT_EQ(state("a") + state("b"), "acceptedaccepted");
    EXPECT_EQ(count("select count(*) from letter_event where actor = 'daemon:un' and from_state = 'sending'"), 0)
        << "a late writer leaves no history either";
}

TEST_F(PgOutbox, WritesAnOutcomeOnce) {
    const auto letter = claim(one_, 1).front();
    EXPECT_TRUE(complete(one_, letter, event::Accepted{}));
    EXPECT_FALSE(complete(one_, letter, event::TryLater{Reason::partner_unavailable}));
    EXPECT_EQ(state(letter.recipient_key), "accepted");
}

TEST_F(PgOutbox, TakesBackOnlyWhatNobodyHoldsAnyMore) {
    claim(one_, 1);
    EXPECT_EQ(run(two_.reclaim(scope_a_, true, now_)), 0U) << "another owner's lease holds";
    const auto second = claim(two_, 1).front();
    EXPECT_TRUE(run(two_.renew(second, lease_, now_ + seconds(50))));
    now_ += seconds(70);
    EXPECT_EQ(run(two_.reclaim(scope_a_, false, now_)), 1U) << "the renewed lease still holds";
    EXPECT_EQ(count("select count(*) from letter where state = 'sending'"), 1);
    EXPECT_EQ(count("select count(*) from letter where state = 'in_doubt'"), 1);
}

TEST_F(PgOutbox, GivesARestartedDaemonItsOwnLettersBackAtOnce) {
    const auto before = claim(one_);
    EXPECT_EQ(run(one_.reclaim(scope_a_, true, now_)), 2U);
    const auto after = claim(one_);
    ASSERT_EQ(after.size(), 2U);
    for (const auto& letter : after) {
        EXPECT_TRUE(letter.was_in_doubt) << "what was sent before it died, nobody knows";
        EXPECT_EQ(letter.sent_at, before[0].sent_at) << "dates and identifiers of the message stay";
        EXPECT_EQ(letter.facts.attempts, 2);
        EXPECT_GT(letter.fence, before[0].fence);
    }
}

TEST_F(PgOutbox, TriesAgainAfterGrowingDelaysUntilItGivesUp) {
    auto letter = claim(one_, 1, Channel::dmp).front();
    const auto created = letter.facts.created_at;
    std::vector<Duration> waits;
    int attempts = 0;
    while (attempts < 200) {
        ++attempts;
        EXPECT_TRUE(complete(one_, letter, event::TryLater{Reason::partner_unavailable}));
        if (state("DMP").starts_with("dead")) break;
        const auto due = run(one_.next_due(scope_a_, Channel::dmp)).value();
        waits.push_back(due - now_);
        EXPECT_TRUE(run(one_.claim(scope_a_, Channel::dmp, 1, lease_, due - seconds(1))).empty());
        now_ = due;
        letter = claim(one_, 1, Channel::dmp).front();
    }
    EXPECT_EQ(state("DMP"), "dead GAVE_UP");
    ASSERT_GE(waits.size(), 5U);
    EXPECT_EQ(waits[0], minutes(1));
    EXPECT_EQ(waits[1], minutes(5));
    EXPECT_EQ(waits[2], minutes(15));
    EXPECT_EQ(waits[4], minutes(60));
    EXPECT_GE(now_ - created, hours(48));
    EXPECT_LT(now_ - created, hours(50));
    EXPECT_FALSE(run(one_.next_due(scope_a_, Channel::dmp)));
    // A person's retry starts a new life, at once.
    EXPECT_TRUE(act(letter.id, event::Retried{}));
    letter = claim(one_, 1, Channel::dmp).front();
    EXPECT_TRUE(complete(one_, letter, event::TryLater{Reason::partner_unavailable}));
    EXPECT_EQ(state("DMP"), "retry PARTNER_UNAVAILABLE");
}

TEST_F(PgOutbox, ObeysPeopleWithTheirNameKept) {
    const auto id = domain::LetterId{Uuid::parse(one("select id from letter where recipient_key = 'a'")).value()};
    EXPECT_TRUE(act(id, event::Held{}));
    EXPECT_EQ(state("a"), "held MANUAL_HOLD");
    EXPECT_EQ(claim(one_).size(), 1U) << "the other one only";
    EXPECT_FALSE(act(id, event::Held{})) << "held already";
    EXPECT_TRUE(act(id, event::Retried{}));
    EXPECT_EQ(state("a"), "due");
    EXPECT_TRUE(act(id, event::Abandoned{}));
    EXPECT_EQ(state("a"), "cancelled ABANDONED");
    EXPECT_FALSE(act(id, event::Retried{})) << "an end";
    EXPECT_EQ(
        one("select string_agg(actor || ' ' || to_state || ' ' || detail, ', ' order by id) from letter_event where "
            "actor like 'user:%'"),
        "user:informatique held parce que, user:informatique due parce que, user:informatique cancelled parce que");
    EXPECT_EQ(count("select count(*) from audit_event where actor = 'user:informatique' and object = 'letter:" +
                    to_string(id.value()) + "'"),
              3);
}

TEST_F(PgOutbox, LetsNobodyActOnWhatIsBeingSentOrHasArrivedOrBelongsToOthers) {
    const auto sending = claim(one_, 1).front();
    for (const domain::LetterEvent what : {domain::LetterEvent{event::Held{}}, domain::LetterEvent{event::Retried{}},
                                           domain::LetterEvent{event::Abandoned{}}}) {
        const auto refused = act(sending.id, what);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().fault, Fault::conflict);
    }
    complete(one_, sending, event::Accepted{});
    EXPECT_EQ(act(sending.id, event::Retried{}).error().fault, Fault::conflict) << "sent once is enough";
    const auto other = domain::LetterId{Uuid::parse(one("select id from letter where recipient_key = 'DMP'")).value()};
    EXPECT_EQ(act(other, event::Held{}, {2}).error().fault, Fault::missing);
    EXPECT_EQ(act(domain::LetterId{Uuid::v7(now_)}, event::Held{}).error().fault, Fault::missing);
}

TEST_F(PgOutbox, NeverSendsABlockedLetterByAPersonsRetry) {
    superuser("update letter set state = 'blocked', reason = 'INS_NOT_QUALIFIED' where recipient_key = 'DMP'");
    const auto id = domain::LetterId{Uuid::parse(one("select id from letter where recipient_key = 'DMP'")).value()};
    EXPECT_FALSE(act(id, event::Retried{}));
    EXPECT_EQ(state("DMP"), "blocked INS_NOT_QUALIFIED");
}

// ── the account: rows and events always agree (reliability I11) ──

TEST_F(PgOutbox, CountsTheSameFromRowsAndFromEventsAfterAnyHistory) {
    for (int i = 2; i < 8; ++i) {
        const auto report = signed_report("P" + std::to_string(i), "IPP" + std::to_string(i), i % 2 == 0);
        std::vector<domain::PlannedLetter> letters{letter(Channel::mss_professional, "a"),
                                                   letter(Channel::dpi, "dpi:1")};
        if (i % 2 == 0) {
            letters.push_back(letter(Channel::dmp, "DMP"));
            letters.push_back(letter(Channel::mss_patient, "patient"));
        } else {
            letters.push_back(letter(Channel::dmp, "DMP", LetterState::blocked, Reason::ins_not_qualified));
        }
        publish(report.ids.version_id, letters);
    }
    std::mt19937 dice(20260314);
    const auto roll = [&](unsigned sides) { return dice() % sides; };
    std::vector<std::pair<Outbox*, LeasedLetter>> held;
    constexpr std::array channels{Channel::dmp, Channel::mss_professional, Channel::mss_patient, Channel::dpi};
    const auto ids = [&] {
        std::vector<domain::LetterId> all;
        const auto rows = superuser("select id from letter order by id");
        for (const auto row : rows)
            all.emplace_back(row.uuid(0));
        return all;
    }();
    for (int step = 0; step < 250; ++step) {
        now_ += seconds(roll(400));
        Outbox& outbox = roll(2) == 0 ? one_ : two_;
        switch (roll(6)) {
            case 0:
            case 1:
                for (auto& letter : claim(outbox, 1 + roll(3), channels[roll(4)]))
                    held.emplace_back(&outbox, std::move(letter));
                break;
            case 2:
            case 3:
                if (!held.empty()) {
                    const auto [owner, letter] = held.back();
                    held.pop_back();
                    const std::array<domain::LetterEvent, 5> ends{
                        event::Accepted{}, event::Refused{Reason::partner_refused},
                        event::TryLater{Reason::partner_unavailable}, event::InDoubt{},
                        event::NotApplicable{Reason::no_dmp}};
                    complete(*owner, letter, ends[roll(5)]);
                }
                break;
            case 4:
                run(outbox.reclaim(scope_a_, roll(4) == 0, now_));
                break;
            default: {
                const std::array<domain::LetterEvent, 3> acts{event::Held{}, event::Retried{}, event::Abandoned{}};
                std::ignore = act(ids[roll(static_cast<unsigned>(ids.size()))], acts[roll(3)]);
            }
        }
        if (step % 50 == 49) {
            const auto rows = run(account(pool_, scope_a_, AccountSource::rows));
            EXPECT_EQ(rows, run(account(pool_, scope_a_, AccountSource::events))) << "after step " << step;
        }
    }
    const auto figures = run(account(pool_, scope_a_, AccountSource::rows));
    ASSERT_EQ(figures.size(), 1U);
    EXPECT_EQ(figures[0].reports, 7);
    EXPECT_EQ(figures[0].with_qualified_ins, 4);
    std::int64_t letters = 0;
    for (const auto& channel : figures[0].channels) {
        letters += channel.letters;
        EXPECT_LE(channel.accepted, channel.sent);
    }
    EXPECT_EQ(letters, count("select count(*) from letter"));
    EXPECT_TRUE(run(account(pool_, scope_b_, AccountSource::rows)).empty()) << "another site has its own account";
}

}  // namespace
}  // namespace sgl::store
