// The audit trail: nothing can be changed, taken out or moved without being seen (SEC-65).
#include <random>

#include "lib/store/audit.hpp"
#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::store {
namespace {

class PgAudit : public test::LaboratoryTest {
protected:
    /// Writes events as the daemon does: in a transaction of the application's role.
    void write(int events, std::string payload = R"({"a":1})") {
        std::vector<AuditEvent> all;
        for (int i = 0; i < events; ++i) {
            AuditEvent event;
            event.legal_entity = test::entity_a;
            event.site = test::site_a;
            event.actor = "user:essai";
            event.action = "look";
            event.object = "order:" + std::to_string(i);
            event.payload = payload;
            all.push_back(std::move(event));
        }
        run(commit(all));
    }
    asio::awaitable<void> commit(const std::vector<AuditEvent>& events) {
        pg::Transaction transaction = co_await pool_.begin(scope_a_);
        std::vector<pg::Step> steps;
        steps.push_back(audit(events, now_));
        co_await transaction.commit_with(std::move(steps));
    }
    std::size_t seal(std::size_t limit = 1000) { return run(sealing_.seal(limit, now_)); }
    ChainReport verify() { return run(store::verify(sealer_)); }
    /// Sealed, broken by the superuser's hand, and looked at again.
    std::optional<std::int64_t> broken_after(std::string_view sql) {
        superuser(sql);
        return verify().broken_at;
    }

    pg::Pool sealer_{executor(), conninfo("lab_audit_w"), 2, pg::test::session("lab_audit_w")};
    Sealer sealing_{sealer_};
};

TEST_F(PgAudit, GrowsByWhatIsCommitted) {
    write(3);
    EXPECT_EQ(verify().unsealed, 3);
    EXPECT_EQ(seal(), 3U);
    EXPECT_EQ(seal(), 0U);
    write(2);
    EXPECT_EQ(seal(1), 1U);
    EXPECT_EQ(verify().unsealed, 1);
    EXPECT_EQ(seal(1), 1U);
    const auto report = verify();
    EXPECT_EQ(report.sealed, 5);
    EXPECT_EQ(report.unsealed, 0);
    EXPECT_FALSE(report.broken_at);
}

TEST_F(PgAudit, KeepsItsOrderOverEmptyAndOddFields) {
    AuditEvent event;  // no site, no legal entity, a separator and a quote inside
    event.actor = "cli:root";
    event.action = "migrate\x1F";
    event.object = "schema:'1'";
    run(commit({event}));
    write(1, "{\"name\":\"é\"}");
    seal();
    EXPECT_FALSE(verify().broken_at);
}

TEST_F(PgAudit, ShowsAnEditedEvent) {
    write(5);
    seal();
    EXPECT_EQ(
        broken_after(
            "update audit_event set actor = 'user:autre' where id = (select event_id from audit_chain where seq = 3)"),
        3);
}

TEST_F(PgAudit, ShowsAnEditedPayloadEvenWithItsDigest) {
    write(5);
    seal();
    EXPECT_EQ(broken_after(
                  "update audit_event set payload = '{}' where id = (select event_id from audit_chain where seq = 2)"),
              2);
    EXPECT_EQ(
        broken_after(
            "update audit_event set payload_sha256 = sha256(convert_to(payload, 'UTF8')) where id = (select event_id "
            "from audit_chain where seq = 2)"),
        2);
}

TEST_F(PgAudit, ShowsAMovedTime) {
    write(3);
    seal();
    EXPECT_EQ(broken_after("update audit_event set at = at + interval '1 microsecond' where id = (select event_id from "
                           "audit_chain where seq = 1)"),
              1);
}

TEST_F(PgAudit, ShowsADeletedEventOrLink) {
    write(6);
    seal();
    EXPECT_EQ(broken_after("delete from audit_event where id = (select event_id from audit_chain where seq = 5)"), 5);
    EXPECT_EQ(broken_after("delete from audit_chain where seq = 2"), 3);
}

TEST_F(PgAudit, ShowsEventsInAnotherOrder) {
    write(5);
    seal();
    EXPECT_EQ(broken_after("update audit_chain set event_id = -event_id where seq in (2, 3);"), 2);
    superuser(
        "update audit_chain c set event_id = (select -o.event_id from audit_chain o where o.seq = 5 - c.seq) where seq "
        "in (2, 3)");
    EXPECT_EQ(verify().broken_at, 2);
}

TEST_F(PgAudit, ShowsAnEventPutInBetween) {
    write(3);
    seal();
    superuser(
        "insert into audit_event (at, actor, action, object, payload, payload_sha256) values (now(), 'user:faux', 'x', "
        "'x', '', sha256(''))");
    superuser(
        "insert into audit_chain select 4, max(e.id), (select hash from audit_chain where seq = 3), sha256('faux') "
        "from audit_event e");
    EXPECT_EQ(verify().broken_at, 4);
}

TEST_F(PgAudit, CannotBeReadOrRewrittenByTheApplication) {
    write(1);
    EXPECT_THROW(run(pool_.query(pg::Query{"", "select * from audit_event"})), pg::DatabaseError);
    EXPECT_THROW(run(pool_.query(pg::Query{"", "update audit_event set actor = 'x'"})), pg::DatabaseError);
    EXPECT_THROW(run(pool_.query(pg::Query{"", "delete from audit_event"})), pg::DatabaseError);
    EXPECT_THROW(run(pool_.query(pg::Query{"", "insert into audit_chain values (1, 1, '', '')"})), pg::DatabaseError);
    EXPECT_THROW(run(sealer_.query(pg::Query{"", "update audit_chain set hash = ''"})), pg::DatabaseError);
    EXPECT_THROW(run(sealer_.query(pg::Query{"", "update audit_event set actor = ''"})), pg::DatabaseError);
}

TEST_F(PgAudit, MissesNoEventOfWritersThatCommitInAnyOrder) {
    // Writers that take their numbers early and commit late, while the sealer runs all the time.
    std::mt19937 dice(7);
    int writing = 0;
    const auto writer = [&](int number, int slow) -> asio::awaitable<void> {
        for (int i = 0; i < 6; ++i) {
            pg::Transaction transaction = co_await pool_.begin(scope_a_);
            std::vector<AuditEvent> events(1);
            events[0].actor = "daemon:" + std::to_string(number);
            events[0].action = "write";
            std::vector<pg::Step> steps;
            steps.push_back(audit(events, now_));
            const std::vector<pg::Rows> written = co_await transaction.pipeline(std::move(steps));
            const pg::Rows waited =
                co_await transaction.query(pg::Query{"", "select pg_sleep($1::float8)"}, pg::params(slow / 1000.0));
            co_await transaction.commit();
        }
        --writing;
    };
    const auto all = [&]() -> asio::awaitable<void> {
        const asio::any_io_executor here = executor();
        for (int i = 0; i < 5; ++i) {
            ++writing;
            asio::co_spawn(here, writer(i, static_cast<int>(dice() % 30)), [](std::exception_ptr) {});
        }
        while (writing > 0) {
            const std::size_t sealed = co_await sealing_.seal(4, now_);
            if (sealed == 0) {
                const pg::Rows waited = co_await sealer_.query(pg::Query{"", "select pg_sleep(0.002)"});
            }
        }
    };
    run(all());
    while (seal() > 0) {
    }
    const auto report = verify();
    EXPECT_EQ(report.sealed, 30);
    EXPECT_EQ(report.unsealed, 0);
    EXPECT_FALSE(report.broken_at);
    EXPECT_EQ(count("select max(seq) - count(*) from audit_chain"), 0) << "no gap";
}

TEST_F(PgAudit, SealsWhatCommitsAfterAnotherSealerPassedItsNumber) {
    // Number 1 is taken and not committed while 2 and 3 are sealed by one sealer; another takes over, then 1 commits.
    const auto steps_of = [&] {
        std::vector<AuditEvent> events(1);
        events[0].actor = "daemon:late";
        std::vector<pg::Step> steps;
        steps.push_back(audit(events, now_));
        return steps;
    };
    Sealer other(sealer_);
    const auto all = [&]() -> asio::awaitable<void> {
        pg::Transaction late = co_await pool_.begin(scope_a_);
        const std::vector<pg::Rows> written = co_await late.pipeline(steps_of());
        pg::Transaction rolled_back = co_await pool_.begin(scope_a_);
        const std::vector<pg::Rows> lost = co_await rolled_back.pipeline(steps_of());
        co_await rolled_back.rollback();
        pg::Transaction early = co_await pool_.begin(scope_a_);
        co_await early.commit_with(steps_of());
        const std::size_t first = co_await sealing_.seal(10, now_);
        EXPECT_EQ(first, 1U);
        const std::size_t nothing = co_await other.seal(10, now_);
        EXPECT_EQ(nothing, 0U);
        co_await late.commit();
        const std::size_t second = co_await other.seal(10, now_);
        EXPECT_EQ(second, 1U) << "by the one that took over";
        const std::size_t third = co_await sealing_.seal(10, now_);
        EXPECT_EQ(third, 0U) << "the first one notices that its memory is old";
    };
    run(all());
    EXPECT_EQ(verify().sealed, 2);
    EXPECT_EQ(verify().unsealed, 0);
    EXPECT_FALSE(verify().broken_at);
}

TEST_F(PgAudit, IsSealedByOneOfTwoSealersAtATime) {
    write(3);
    int done = 0;
    int refused = 0;
    Sealer other(sealer_);
    const auto sealing = [&](Sealer& mine) -> asio::awaitable<void> {
        try {
            const std::size_t sealed = co_await mine.seal(10, now_);
            std::ignore = sealed;
        } catch (const pg::DatabaseError& error) {
            EXPECT_TRUE(error.is_unique_violation());
            ++refused;
        }
        ++done;
    };
    const auto both = [&]() -> asio::awaitable<void> {
        const asio::any_io_executor here = executor();
        asio::co_spawn(here, sealing(sealing_), [](std::exception_ptr) {});
        asio::co_spawn(here, sealing(other), [](std::exception_ptr) {});
        while (done < 2) {
            const pg::Rows waited = co_await pool_.query(pg::Query{"", "select pg_sleep(0.01)"});
        }
    };
    run(both());
    EXPECT_EQ(verify().sealed, 3);
    EXPECT_FALSE(verify().broken_at);
}

}  // namespace
}  // namespace sgl::store
