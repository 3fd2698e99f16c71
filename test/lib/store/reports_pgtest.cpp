// A report is signed once, published once, and never changes (design D8; SAF-01, SEC-61).
#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::store {
namespace {

using domain::Channel;

class PgReports : public test::LaboratoryTest {
protected:
    OrderFile file_;
};

TEST_F(PgReports, AreReadBackAsTheyWereSigned) {
    const auto report = signed_report("P1");
    const auto version = run(reports_.version(scope_a_, report.ids.version_id)).value();
    EXPECT_EQ(version.state, "validated");
    EXPECT_EQ(version.ids.document_oid, report.ids.document_oid);
    EXPECT_EQ(version.order, report.order);
    EXPECT_EQ(version.validated_at, now_);
    EXPECT_EQ(version.month, report.month);
    EXPECT_EQ(version.validator, report.validator);
    EXPECT_EQ(version.patient.traits, report.patient.traits);
    EXPECT_EQ(version.patient.ins, report.patient.ins);
    ASSERT_EQ(version.lines.size(), 1U);
    EXPECT_EQ(version.lines[0].reported.value, report.lines[0].reported.value);
    EXPECT_EQ(version.lines[0].chapter, "18719-5");
    EXPECT_EQ(one("select state from lab_order"), "fully_validated");
    EXPECT_EQ(one("select state from result"), "bio_validated");
    EXPECT_EQ(one("select string_agg(action, ' ' order by id) from audit_event where object like 'order:%' and actor "
                  "like 'user:%'"),
              "technical_validation biological_validation");
}

TEST_F(PgReports, StayAsSignedWhenThePatientChangesAfterwards) {
    const auto report = signed_report("P1");
    auto order = new_order("P2", "T2");
    order.patient.traits.reveal().birth_name = "AUTRE";
    ASSERT_TRUE(register_order(order, "OML2"));
    EXPECT_EQ(run(reports_.version(scope_a_, report.ids.version_id)).value().patient.traits.reveal().birth_name,
              "PAT-TROIS");
}

TEST_F(PgReports, AreSignedOnce) {
    const auto report = signed_report("P1");
    auto again = report_of(file(report.order).value());
    const auto second = sign(again);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().fault, Fault::conflict);
    EXPECT_EQ(count("select count(*) from report_version"), 1);
}

TEST_F(PgReports, AreNotSignedOnAStaleScreen) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1"}, {result("NA", "140")})}));
    const auto seen = report_of(file(order).value());
    keep(message("M2", {group({"T1"}, {result("K", "4.0")})}));
    const auto stale = sign(seen);
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().fault, Fault::conflict);
    EXPECT_EQ(count("select count(*) from report_version"), 0);
    EXPECT_EQ(count("select count(*) from result where state = 'bio_validated'"), 0);
    EXPECT_EQ(one("select state from lab_order"), "in_progress");
}

TEST_F(PgReports, AreSignedByOneOfTwoBiologistsAtOnce) {
    const auto order = registered("P1", "T1");
    keep(message("M1", {group({"T1"}, {result("NA", "140")})}));
    int won = 0;
    int lost = 0;
    const auto one_biologist = [&](SignedReport report) -> asio::awaitable<void> {
        pg::Transaction transaction = co_await pool_.begin(scope_a_);
        const Result<void> done = co_await Reports::sign(std::move(transaction), report);
        done ? ++won : ++lost;
    };
    const auto both = [&]() -> asio::awaitable<void> {
        const asio::any_io_executor here = executor();
        int done = 0;
        const auto counted = [&](SignedReport report) -> asio::awaitable<void> {
            co_await one_biologist(std::move(report));
            ++done;
        };
        const auto whole = file_;
        asio::co_spawn(here, counted(report_of(whole)), [](std::exception_ptr) {});
        asio::co_spawn(here, counted(report_of(whole)), [](std::exception_ptr) {});
        while (done < 2) {
            const pg::Rows ignored = co_await pool_.query(pg::Query{"", "select pg_sleep(0.01)"});
        }
    };
    file_ = file(order).value();
    run(both());
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 1);
    EXPECT_EQ(count("select count(*) from report_version"), 1);
}

TEST_F(PgReports, ArePublishedOnce) {
    const auto report = signed_report("P1");
    EXPECT_EQ(run(reports_.to_compose(scope_a_, 10, 0)).size(), 1U);
    EXPECT_TRUE(run(reports_.to_compose(scope_b_, 10, 0)).empty());
    EXPECT_TRUE(publish(report.ids.version_id,
                        {letter(Channel::dmp, "DMP"), letter(Channel::mss_professional, "899900000017@A")}));
    EXPECT_FALSE(publish(report.ids.version_id, {letter(Channel::dmp, "DMP")}));
    EXPECT_EQ(count("select count(*) from letter"), 2);
    EXPECT_EQ(count("select count(*) from document"), 2);
    EXPECT_EQ(count("select count(*) from letter_event"), 2);
    EXPECT_EQ(one("select state from lab_order"), "reported");
    EXPECT_TRUE(run(reports_.to_compose(scope_a_, 10, 0)).empty());
}

TEST_F(PgReports, ArePublishedByOneOfTwoDaemonsAtOnce) {
    const auto report = signed_report("P1");
    const auto version = run(reports_.version(scope_a_, report.ids.version_id)).value();
    const StoredDocuments documents{"<ClinicalDocument/>", "%PDF"};
    const std::vector<domain::PlannedLetter> letters{letter(Channel::dmp, "DMP")};
    int published = 0;
    int done = 0;
    const auto daemon = [&](std::string name) -> asio::awaitable<void> {
        const bool ours = co_await reports_.publish(version, documents, letters, name, now_);
        if (ours) ++published;
        ++done;
    };
    const auto both = [&]() -> asio::awaitable<void> {
        const asio::any_io_executor here = executor();
        asio::co_spawn(here, daemon("daemon:un"), [](std::exception_ptr) {});
        asio::co_spawn(here, daemon("daemon:deux"), [](std::exception_ptr) {});
        while (done < 2) {
            const pg::Rows ignored = co_await pool_.query(pg::Query{"", "select pg_sleep(0.01)"});
        }
    };
    run(both());
    EXPECT_EQ(published, 1);
    EXPECT_EQ(count("select count(*) from letter"), 1);
    EXPECT_EQ(count("select count(*) from document"), 2);
}

TEST_F(PgReports, TakeThePlaceOfWhatWaitsForAPersonAndNeverLeft) {  // reliability I8
    const auto first = signed_report("P1");
    publish(first.ids.version_id,
            {letter(Channel::dmp, "DMP", domain::LetterState::blocked, domain::Reason::ins_not_qualified),
             letter(Channel::mss_professional, "held", domain::LetterState::held, domain::Reason::manual_hold),
             letter(Channel::mss_professional, "tried", domain::LetterState::held, domain::Reason::manual_hold),
             letter(Channel::mss_professional, "due"), letter(Channel::mss_professional, "sent")});
    superuser("update letter set first_sent_at = created_at where recipient_key in ('tried', 'sent')");
    superuser("update letter set state = 'delivered' where recipient_key = 'sent'");
    auto again = report_of(file(first.order).value());
    again.ids = domain::identify(first.ids.set, 2);
    again.kind = "amended";
    again.reason = "dilution refaite";
    ASSERT_TRUE(sign(again));
    ASSERT_TRUE(publish(again.ids.version_id, {letter(Channel::dmp, "DMP")}));
    EXPECT_EQ(one("select string_agg(recipient_key || v.version || ' ' || l.state || ' ' || l.reason, ', ' order by "
                  "v.version, recipient_key) from letter l join report_version v on v.id = l.version_id"),
              "DMP1 cancelled SUPERSEDED, due1 due , held1 cancelled SUPERSEDED, sent1 delivered , tried1 held "
              "MANUAL_HOLD, DMP2 due ")
        << "what may have arrived stays, and what will leave by itself leaves before the new one";
    EXPECT_EQ(count("select count(*) from letter_event where to_state = 'cancelled'"), 2);
}

TEST_F(PgReports, AreWithdrawnFromWhoeverMayHaveThem) {
    const auto report = signed_report("P1");
    publish(report.ids.version_id,
            {letter(Channel::dmp, "DMP"), letter(Channel::mss_professional, "sending"),
             letter(Channel::mss_professional, "sent"), letter(Channel::mss_professional, "waits"),
             letter(Channel::mss_patient, "blocked", domain::LetterState::blocked, domain::Reason::ins_not_qualified)});
    superuser("update letter set state = 'delivered', first_sent_at = created_at where recipient_key = 'sent'");
    superuser("update letter set state = 'sending', first_sent_at = created_at where recipient_key = 'sending'");
    const auto withdrawing = [&]() -> asio::awaitable<Result<std::size_t>> {
        pg::Transaction transaction = co_await pool_.begin(scope_a_);
        const std::optional<LastVersion> last = co_await Reports::last(transaction, report.order);
        Withdrawal withdrawal;
        withdrawal.order = report.order;
        withdrawal.row_version = static_cast<int>(count("select row_version from lab_order"));
        withdrawal.legal_entity = report.legal_entity;
        withdrawal.site = report.site;
        withdrawal.actor = "user:biologiste";
        withdrawal.why = "autre patient";
        withdrawal.at = now_;
        co_return co_await Reports::withdraw(std::move(transaction), *last, withdrawal);
    };
    const auto letters = run(withdrawing());
    ASSERT_TRUE(letters);
    EXPECT_EQ(*letters, 2U);
    EXPECT_EQ(
        one("select string_agg(recipient_key || ' ' || act || ' ' || state, ', ' order by recipient_key, act) from "
            "letter"),
        "DMP deliver cancelled, blocked deliver cancelled, sending deliver sending, sending withdraw due, sent "
        "deliver delivered, sent withdraw due, waits deliver cancelled");
}

TEST_F(PgReports, GiveTheirDocumentsBackByteForByteOrNotAtAll) {
    const auto report = signed_report("P1");
    EXPECT_EQ(run(reports_.documents(scope_a_, report.ids.version_id)).error().fault, Fault::missing);
    publish(report.ids.version_id, {});
    const auto documents = run(reports_.documents(scope_a_, report.ids.version_id));
    ASSERT_TRUE(documents);
    EXPECT_EQ(documents->n3, "<ClinicalDocument/>");
    EXPECT_EQ(run(reports_.documents(scope_b_, report.ids.version_id)).error().fault, Fault::missing);
    superuser("update document set bytes = bytes || '\\x00' where form = 'pdf'");
    EXPECT_EQ(run(reports_.documents(scope_a_, report.ids.version_id)).error().fault, Fault::malformed);
}

TEST_F(PgReports, ThatCantBeComposedAreWorkForAPerson) {
    const auto report = signed_report("P1");
    const auto version = run(reports_.version(scope_a_, report.ids.version_id)).value();
    const std::vector<Error> errors{{Fault::missing, "report.site.name", "the name of the site is missing"}};
    run(reports_.refuse(version, errors, "daemon:un", now_));
    run(reports_.refuse(version, errors, "daemon:deux", now_));
    EXPECT_EQ(one("select kind || ' ' || coordinate from work_item"), "report_refused report.site.name");
    EXPECT_EQ(count("select count(*) from work_item"), 1);
    EXPECT_FALSE(publish(report.ids.version_id, {}));
    EXPECT_TRUE(run(reports_.to_compose(scope_a_, 10, 0)).empty());
}

TEST_F(PgReports, RememberTheNewestValuesOfEachAnalysis) {
    const auto first = signed_report("P1");
    const auto order = registered("P2", "T2");
    keep(message("M2", {group({"T2"}, {result("NA", "145")})}));
    auto later = report_of(file(order).value());
    later.lines[0].reported.measured_at = Timestamp::parse("20260401081000+0200").value();
    ASSERT_TRUE(sign(later));
    const auto previous = [&](domain::OrderId of) -> asio::awaitable<std::string> {
        pg::Transaction transaction = co_await pool_.begin(scope_a_);
        const Reports::Previous found = co_await Reports::previous(transaction, first.patient.id, of);
        co_await transaction.rollback();
        std::string values;
        for (const auto& [code, results] : found) {
            values += code;
            for (const auto& result : results)
                values += " " + domain::to_french(result.value);
        }
        co_return values;
    };
    EXPECT_EQ(run(previous(domain::OrderId{})), "NA 145 140") << "newest first";
    EXPECT_EQ(run(previous(order)), "NA 140") << "what an order reported is not before itself";
    superuser("update report_version set state = 'withdrawn', withdrawn_at = now() where set_id = '" +
              to_string(later.ids.set.value()) + "'");
    EXPECT_EQ(run(previous(domain::OrderId{})), "NA 140") << "nobody believes what was withdrawn";
}

// ── SAF-01: no code alone decides what leaves ──

TEST_F(PgReports, LetNoSqlSendToTheDmpOrThePatientWithoutAQualifiedIns) {
    const auto report = signed_report("P1", "IPP1", false);
    EXPECT_FALSE(report.patient.ins_may_leave());
    for (const auto channel : {Channel::dmp, Channel::mss_patient}) {
        try {
            publish(report.ids.version_id, {letter(channel, "x")});
            ADD_FAILURE() << to_string(channel);
        } catch (const pg::DatabaseError& error) {
            EXPECT_EQ(error.sqlstate(), "23514");
        }
    }
    EXPECT_EQ(count("select count(*) from letter"), 0);
    EXPECT_EQ(one("select state from report_version"), "validated") << "nothing of the refused publication stays";
    ASSERT_TRUE(publish(report.ids.version_id,
                        {letter(Channel::dmp, "DMP", domain::LetterState::blocked, domain::Reason::ins_not_qualified),
                         letter(Channel::mss_professional, "899900000017@A")}));
    for (const auto* state : {"due", "sending", "retry", "in_doubt", "accepted", "delivered"}) {
        EXPECT_THROW(superuser("update letter set state = '" + std::string(state) + "' where channel = 'DMP'"),
                     pg::DatabaseError)
            << state;
    }
    EXPECT_THROW(superuser("update letter set channel = 'MSS_CITIZEN' where channel = 'MSS_PRO'"), pg::DatabaseError);
    EXPECT_NO_THROW(superuser("update letter set state = 'cancelled' where channel = 'DMP'"));
}

TEST_F(PgReports, LetNoLetterWaitWithoutAValidatedReport) {
    superuser("set session_replication_role = default");
    EXPECT_THROW(
        superuser(
            R"sql(insert into letter (id, legal_entity_id, site_id, version_id, variant, channel, act, recipient_key,
        recipient_name, address, state, reason, month, created_at, trying_since, next_attempt_at)
        values (gen_random_uuid(), 1, 1, gen_random_uuid(), 'professional', 'MSS_PRO', 'deliver', 'x', 'x', 'x', 'due', '',
                current_date, now(), now(), now()))sql"),
        pg::DatabaseError);
}

}  // namespace
}  // namespace sgl::store
