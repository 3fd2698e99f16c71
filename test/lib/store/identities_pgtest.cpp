// Identity messages in the database: matched with what orders made, merged and split, and complete about what left
// under a wrong identity (hl7v2-lab 9; lab-domain 2.2; SEC-53, SEC-65).
#include "lib/store/identities.hpp"

#include <gmock/gmock.h>

#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::store {
namespace {

using domain::IdentityAct;
using domain::IdentityStatus;
using domain::StayStatement;
using InsWord = domain::IdentityStatement::InsWord;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::string_view authority = "1.2.250.1.999.1";
constexpr std::string_view ins_matricule = "279035121518989";
constexpr std::string_view other_matricule = "207058575627097";

class PgIdentities : public test::LaboratoryTest {
protected:
    static Personal<domain::Ins> ins(std::string_view matricule = ins_matricule) {
        return Personal<domain::Ins>{
            domain::Ins{domain::InsMatricule::parse(matricule).value(), std::string(domain::oid::ins_nir_test)}};
    }

    /// What the hospital says of PAT-TROIS under that number; `minute` of its clock.
    IdentityAct said(const std::string& ipp, int minute = 0, bool qualified = true) {
        IdentityAct act;
        act.said.patient = new_order("x", "x", ipp, qualified).patient;
        act.said.patient.ins.reset();
        act.said.reliability_said = true;
        act.said.validated = qualified;
        if (qualified) {
            act.said.patient.ins = ins();
            act.said.ins = InsWord::given;
        }
        act.said.said_at = now_ + std::chrono::minutes(minute);
        return act;
    }
    IdentityAct merged(const std::string& survivor, const std::string& retired, int minute = 5, bool qualified = true) {
        auto act = said(survivor, minute, qualified);
        act.kind = IdentityAct::Kind::merge;
        act.former.push_back({std::string(authority), retired});
        return act;
    }
    IdentityAct apart(const std::string& one, const std::string& other, int minute = 10) {
        auto act = said(one, minute);
        act.kind = IdentityAct::Kind::unlink;
        act.former.push_back({std::string(authority), other});
        return act;
    }
    static domain::Traits& traits(IdentityAct& act) { return act.said.patient.traits.reveal(); }

    Kept apply(const std::string& control, IdentityAct act) {
        Arrival arrival = message(control);
        arrival.type = "ADT^A31";
        IdentityMessage identity;
        identity.event = "A31";
        identity.acts.push_back(std::move(act));
        return run(identities_.apply(std::move(arrival), std::move(identity), scope_a_, errors_, now_));
    }
    Kept apply(IdentityAct act) { return apply("ADT" + std::to_string(++number_), std::move(act)); }
    IdentityDeed deed() { return {scope_a_, "cli:essai", "essai", now_}; }
    std::vector<MisdirectedDocument> documents(std::optional<std::int64_t> change = std::nullopt) {
        return run(identities_.documents(scope_a_, change));
    }

    /// "IPP1 QUAL, IPP2 PROV -> IPP1"
    std::string people() {
        return one(
            R"sql(select string_agg(p.local_id || ' ' || p.status || coalesce(' -> ' || s.local_id, ''), ', ' order by p.local_id)
            from patient p left join patient s on s.id = p.merged_into)sql");
    }
    std::string work() {
        return one(
            "select string_agg(kind || ' ' || coordinate, ', ' order by id) from work_item where done_at is null");
    }

    Identities identities_{pool_, inbox_};
    Identities::AnswerErrors errors_ = [](const std::vector<domain::Trouble>& troubles) {
        std::string text;
        for (const auto& trouble : troubles)
            text += trouble.kind + ";";
        return text;
    };
    int number_{};
};

// ── matching ──

TEST_F(PgIdentities, MakeAPatientThatALaterOrderFinds) {
    apply(said("IPP1"));
    EXPECT_EQ(people(), "IPP1 QUAL");
    const auto order = registered("P1", "T1", "IPP1");
    EXPECT_EQ(count("select count(*) from patient"), 1);
    EXPECT_TRUE(file(order).value().patient.ins_may_leave());
    EXPECT_EQ(work(), "null");
}

TEST_F(PgIdentities, FindThePatientThatAnOrderMade) {
    const auto order = registered("P1", "T1", "IPP1", false);
    const auto seen = file(order).value().seen_version;
    apply(said("IPP1"));
    EXPECT_EQ(people(), "IPP1 QUAL");
    EXPECT_TRUE(file(order).value().patient.ins_may_leave());
    EXPECT_GT(file(order).value().seen_version, seen) << "who has the order on the screen looks again";
}

TEST_F(PgIdentities, RefuseAnOrderThatSaysSomebodyElse) {
    apply(said("IPP1"));
    auto order = new_order("P1", "T1", "IPP1");
    order.patient.traits.reveal().birth_name = "AUTRE";
    const auto refused = register_order(order, "OML1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().where, "PID-5.1");
    EXPECT_EQ(count("select count(*) from lab_order"), 0);
}

TEST_F(PgIdentities, ChangeNothingWhenTheMessageComesTwice) {
    apply("M1", said("IPP1"));
    const auto once = one("select row_version || ' ' || updated_at from patient");
    EXPECT_TRUE(apply("M1", said("IPP1")).duplicate);
    apply("M2", said("IPP1"));
    EXPECT_EQ(one("select row_version || ' ' || updated_at from patient"), once) << "said again in another message";
    EXPECT_EQ(count("select count(*) from message"), 2);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'identity_create'"), 1);
}

TEST_F(PgIdentities, ListenToTheNewestWordOnly) {
    auto late = said("IPP1", 1, false);
    traits(late).phone = "0100000000";
    apply(said("IPP1", 2));
    apply(late);
    EXPECT_EQ(people(), "IPP1 QUAL");
    EXPECT_EQ(one("select phone from patient"), "");
}

TEST_F(PgIdentities, KeepRefusedWordsAsWorkAndApplyNothingOfThem) {
    apply(said("IPP1"));
    auto somebody = said("IPP1", 1);
    traits(somebody).birth_name = "AUTRE";
    traits(somebody).sex = domain::Sex::male;
    const auto kept = apply(somebody);
    EXPECT_EQ(kept.answer_errors, "identity_conflict;") << "the sender hears it";
    EXPECT_EQ(one("select birth_name from patient"), "PAT-TROIS");
    EXPECT_EQ(work(), "identity_conflict PID-5.1");
    EXPECT_EQ(one("select state from message order by id desc limit 1"), "quarantined");
    EXPECT_EQ(count("select count(*) from audit_event where action = 'identity_refused'"), 1);
}

// ── duplicates ──

TEST_F(PgIdentities, FlagTheSameTraitsUnderAnotherNumber) {
    apply(said("IPP1", 0, false));
    EXPECT_EQ(work(), "null");
    apply(said("IPP2", 0, false));
    EXPECT_EQ(work(), "duplicate_traits PID-5");
    apply(said("IPP2", 1, false));
    EXPECT_EQ(work(), "duplicate_traits PID-5") << "once, not with every message";
    EXPECT_EQ(count("select count(*) from work_item where what ~* 'PAT-TROIS|IPP|DOMINIQUE'"), 0);
}

TEST_F(PgIdentities, FlagTheSameInsUnderTwoNumbers) {
    apply(said("IPP1"));
    apply(said("IPP2"));
    EXPECT_EQ(work(), "duplicate_ins PID-3");
}

TEST_F(PgIdentities, DoNotFlagHomonymsNorLinkedNumbers) {
    apply(said("IPP1", 0, false));
    auto homonym = said("IPP2", 0, false);
    homonym.said.homonym = true;
    apply(homonym);
    EXPECT_EQ(work(), "null");
    auto link = said("IPP1", 1, false);
    link.kind = IdentityAct::Kind::link;
    link.former.push_back({std::string(authority), "IPP3"});
    apply(link);
    apply(said("IPP3", 2, false));
    EXPECT_EQ(work(), "null") << "the hospital said that they are one person with two numbers";
}

// ── merge ──

TEST_F(PgIdentities, MergedTakeTheirOpenOrdersAlongAndLeaveWhatIsSigned) {
    const auto signed_before = signed_report("P1", "IPP2");
    const auto open = registered("P2", "T2", "IPP2");
    apply(said("IPP1"));
    const auto seen = file(open).value().seen_version;
    apply(merged("IPP1", "IPP2"));
    EXPECT_EQ(people(), "IPP1 QUAL, IPP2 QUAL -> IPP1");
    EXPECT_EQ(file(open).value().patient.local_id, "IPP1");
    EXPECT_GT(file(open).value().seen_version, seen) << "who has it on the screen looks again";
    EXPECT_EQ(one("select patient->>'local_id' from report_version"), "IPP2") << "as it was signed, for ever";
    EXPECT_EQ(file(signed_before.order).value().patient.local_id, "IPP2");
    EXPECT_EQ(count("select count(*) from audit_event where action = 'identity_merge'"), 1);
}

TEST_F(PgIdentities, MergedShareTheirPreviousResults) {
    signed_report("P1", "IPP2");
    apply(said("IPP1"));
    apply(merged("IPP1", "IPP2"));
    const auto survivor = domain::PatientId{Uuid::parse(one("select id from patient where local_id = 'IPP1'")).value()};
    const auto previous = [&]() -> asio::awaitable<std::size_t> {
        pg::Transaction transaction = co_await pool_.begin(scope_a_);
        const Reports::Previous found = co_await Reports::previous(transaction, survivor, domain::OrderId{});
        co_await transaction.rollback();
        co_return found.size();
    };
    EXPECT_EQ(run(previous()), 1U);
}

TEST_F(PgIdentities, MergedTwiceAreMergedOnce) {
    apply(said("IPP1"));
    apply(said("IPP2"));
    apply(merged("IPP1", "IPP2"));
    const auto changes = count("select count(*) from identity_change");
    apply(merged("IPP1", "IPP2", 6));
    EXPECT_EQ(count("select count(*) from identity_change"), changes);
    EXPECT_EQ(work(), "duplicate_ins PID-3") << "of the time when they were two";
}

TEST_F(PgIdentities, MergedBeforeTheyCameAreOneWhenTheyCome) {
    apply(merged("IPP1", "IPP2", 5));
    EXPECT_EQ(people(), "IPP1 QUAL") << "the message says who goes on";
    apply(said("IPP2", 1));  // late: it was sent before the merge
    EXPECT_EQ(people(), "IPP1 QUAL");
    EXPECT_EQ(work(), "null");
    const auto order = registered("P1", "T1", "IPP2");
    EXPECT_EQ(file(order).value().patient.local_id, "IPP1");
    EXPECT_EQ(work(), "merged_identifier PID-3") << "somebody still uses the number that ended";
}

TEST_F(PgIdentities, MergedInAChainAreTheLastOneInWhateverOrder) {
    for (const auto* ipp : {"IPP1", "IPP2", "IPP3"})
        apply(said(ipp, 0, false));
    apply(merged("IPP3", "IPP2", 6, false));
    apply(merged("IPP2", "IPP1", 5, false));  // said before, comes after
    EXPECT_EQ(one("select string_agg(distinct s.local_id, ' ') from patient p join patient s on s.id = p.merged_into"),
              "IPP3");
    EXPECT_EQ(count("select count(*) from patient where merged_into is not null"), 2);
}

TEST_F(PgIdentities, AreNotMergedBackwardsNorIntoTwo) {
    for (const auto* ipp : {"IPP1", "IPP2", "IPP3"})
        apply(said(ipp, 0, false));
    apply(merged("IPP1", "IPP2", 5, false));
    superuser("update work_item set done_at = now()");
    apply(merged("IPP2", "IPP1", 6, false));
    apply(merged("IPP3", "IPP2", 7, false));
    EXPECT_EQ(work(), "merge_refused PID-3, merge_refused MRG-1");
    EXPECT_EQ(one("select s.local_id from patient p join patient s on s.id = p.merged_into"), "IPP1");
}

TEST_F(PgIdentities, WithTwoInsAreNotMerged) {
    apply(said("IPP1"));
    auto other = said("IPP2");
    other.said.patient.ins = ins(other_matricule);
    traits(other).birth_name = "PAT-QUATRE";
    apply(other);
    const auto kept = apply(merged("IPP1", "IPP2"));
    EXPECT_EQ(kept.answer_errors, "merge_refused;");
    EXPECT_EQ(people(), "IPP1 QUAL, IPP2 QUAL");
    EXPECT_EQ(work(), "merge_refused MRG-1");
}

TEST_F(PgIdentities, WhoseNumberEndedAreNotChangedUnderIt) {
    apply(said("IPP1"));
    apply(merged("IPP1", "IPP2"));
    auto newer = said("IPP2", 9);
    traits(newer).phone = "0100000000";
    apply(newer);
    EXPECT_EQ(work(), "merged_identifier PID-3");
    EXPECT_EQ(one("select phone from patient where local_id = 'IPP1'"), "");
}

// ── split ──

TEST_F(PgIdentities, SplitAreTwoAgainEachWithHisOrders) {
    const auto own = registered("P1", "T1", "IPP1");
    const auto moved = registered("P2", "T2", "IPP2");
    apply(said("IPP1"));
    apply(merged("IPP1", "IPP2"));
    apply(apart("IPP1", "IPP2"));
    EXPECT_EQ(people(), "IPP1 QUAL, IPP2 QUAL");
    EXPECT_EQ(file(own).value().patient.local_id, "IPP1");
    EXPECT_EQ(file(moved).value().patient.local_id, "IPP2");
    apply(merged("IPP1", "IPP2", 7));  // a merge said before the split comes late
    EXPECT_EQ(people(), "IPP1 QUAL, IPP2 QUAL");
    EXPECT_THAT(work(), ::testing::EndsWith("merge_refused MRG-1"));
}

TEST_F(PgIdentities, SplitByAPersonKeepHisNameAndReason) {
    apply(said("IPP1"));
    apply(said("IPP2"));
    apply(merged("IPP1", "IPP2"));
    const auto change = count("select id from identity_change where kind = 'merged'");
    EXPECT_TRUE(run(identities_.split(deed(), change)));
    EXPECT_EQ(people(), "IPP1 QUAL, IPP2 QUAL");
    EXPECT_EQ(one("select actor || ' ' || (payload::jsonb->>'why') from audit_event where action = 'identity_split'"),
              "cli:essai essai");
    EXPECT_EQ(run(identities_.split(deed(), change)).error().fault, Fault::conflict);
    EXPECT_EQ(run(identities_.split(deed(), 999)).error().fault, Fault::missing);
    IdentityDeed stranger{scope_b_, "cli:essai", "essai", now_};
    EXPECT_EQ(run(identities_.split(stranger, change)).error().fault, Fault::missing) << "another legal entity";
}

TEST_F(PgIdentities, SplitTellWhichOrdersAreToBeLookedAt) {
    apply(said("IPP1"));
    apply(said("IPP2"));
    apply(merged("IPP1", "IPP2"));
    now_ += std::chrono::hours(1);
    registered("P1", "T1", "IPP1");
    superuser("update work_item set done_at = now()");
    now_ += std::chrono::hours(1);
    apply(apart("IPP1", "IPP2"));
    EXPECT_EQ(work(), "split_orders PID-3");
}

// ── numbers ──

TEST_F(PgIdentities, KeepTheirPatientWhenTheirNumberChanges) {
    const auto order = registered("P1", "T1", "OLD");
    auto renumbered = said("NEW", 5);
    renumbered.kind = IdentityAct::Kind::renumber;
    renumbered.former.push_back({std::string(authority), "OLD"});
    apply(renumbered);
    EXPECT_EQ(people(), "NEW QUAL");
    EXPECT_EQ(file(order).value().patient.local_id, "NEW");
    const auto late = registered("P2", "T2", "OLD");
    EXPECT_EQ(file(late).value().patient.local_id, "NEW");
    apply(renumbered);
    EXPECT_EQ(people(), "NEW QUAL") << "said twice";
}

TEST_F(PgIdentities, AreNotMergedByAChangeOfNumber) {
    apply(said("IPP1"));
    apply(said("IPP2"));
    superuser("update work_item set done_at = now()");
    auto renumbered = said("IPP1", 5);
    renumbered.kind = IdentityAct::Kind::renumber;
    renumbered.former.push_back({std::string(authority), "IPP2"});
    apply(renumbered);
    EXPECT_EQ(work(), "renumber_refused MRG-1");
    EXPECT_EQ(people(), "IPP1 QUAL, IPP2 QUAL");
}

// ── what left under a wrong identity ──

class PgMisdirected : public PgIdentities {
protected:
    /// A published report of that patient with one letter in every state a letter can have.
    void publish_in_every_state(const std::string& placer, const std::string& ipp) {
        const auto report = signed_report(placer, ipp);
        using enum domain::LetterState;
        const std::vector<std::string> states{"due",      "sending",   "retry",   "in_doubt",
                                              "accepted", "delivered", "blocked", "not_applicable",
                                              "dead",     "cancelled", "held"};
        std::vector<domain::PlannedLetter> letters;
        for (const auto& state : states)
            letters.push_back(letter(domain::Channel::mss_professional, state));
        for (const auto* more : {"retry_after_doubt", "dead_possible_duplicate"})
            letters.push_back(letter(domain::Channel::mss_professional, more));
        ASSERT_TRUE(publish(report.ids.version_id, letters));
        for (const auto& state : states)
            superuser("update letter set state = '" + state + "' where recipient_key = '" + state + "'");
        superuser(R"sql(do $$ begin
            update letter set state = 'retry' where recipient_key = 'retry_after_doubt';
            insert into letter_event (letter_id, legal_entity_id, site_id, at, actor, from_state, to_state, reason, attempt, detail)
                select id, 1, 1, now(), 'daemon:un', 'sending', 'in_doubt', 'NONE', 1, '' from letter
                where recipient_key = 'retry_after_doubt';
            update letter set state = 'dead', possible_duplicate = true where recipient_key = 'dead_possible_duplicate';
        end $$)sql");
    }
    std::vector<std::string> recipients(const std::vector<MisdirectedDocument>& found) {
        std::vector<std::string> keys;
        for (const auto& document : found) {
            keys.push_back(
                one("select recipient_key from letter where id = '" + to_string(document.letter.value()) + "'") +
                (document.certain ? " sent" : " doubt"));
        }
        return keys;
    }
};

TEST_F(PgMisdirected, AfterAMergeAreAllThatLeftOrMayHaveLeftInEveryState) {
    publish_in_every_state("P1", "IPP2");
    publish_in_every_state("P9", "IPP9");  // somebody else's are not his
    apply(said("IPP1"));
    EXPECT_THAT(documents(), IsEmpty());
    apply(merged("IPP1", "IPP2"));
    const auto found = documents();
    EXPECT_THAT(recipients(found),
                UnorderedElementsAre("accepted sent", "delivered sent", "in_doubt doubt", "sending doubt",
                                     "retry_after_doubt doubt", "dead_possible_duplicate doubt"));
    for (const auto& document : found) {
        EXPECT_EQ(document.kind, "merged");
        EXPECT_EQ(document.version, 1);
        EXPECT_FALSE(document.withdrawn);
    }
    EXPECT_THAT(work(), ::testing::HasSubstr("wrong_identity_documents MRG-1"));
    EXPECT_EQ(count("select count(*) from work_item where what like 'documents left under another identity (6)%'"), 1);
    EXPECT_THAT(run(identities_.documents(scope_b_, std::nullopt)), IsEmpty()) << "not for another legal entity";
}

TEST_F(PgMisdirected, SentAfterTheMergeAreListedAsWell) {
    const auto report = signed_report("P1", "IPP2");
    publish(report.ids.version_id, {letter(domain::Channel::mss_professional, "A")});
    apply(said("IPP1"));
    apply(merged("IPP1", "IPP2"));
    EXPECT_THAT(documents(), IsEmpty());
    superuser("update letter set state = 'accepted'");
    EXPECT_EQ(documents().size(), 1U) << "it was on its way when the merge came";
}

TEST_F(PgMisdirected, AreNoneOnceTheMergeIsUndoneOrDealtWith) {
    publish_in_every_state("P1", "IPP2");
    apply(said("IPP1"));
    apply(merged("IPP1", "IPP2"));
    const auto change = count("select id from identity_change where kind = 'merged'");
    EXPECT_TRUE(run(identities_.close(deed(), change)));
    EXPECT_THAT(documents(), IsEmpty());
    EXPECT_EQ(documents(change).size(), 6U) << "asked for by its number, it is still told";
    EXPECT_FALSE(run(identities_.close(deed(), change)));
    EXPECT_TRUE(run(identities_.split(deed(), change)));
    EXPECT_THAT(documents(change), IsEmpty()) << "the identity was not the wrong one after all";
}

TEST_F(PgMisdirected, AfterASplitAreThoseSignedWhileTheTwoWereOne) {
    const auto moved = registered("P1", "T1", "IPP2");
    apply(said("IPP1"));
    apply(merged("IPP1", "IPP2"));
    now_ += std::chrono::hours(1);
    keep(message("ORU1", {group({"T1"}, {result("NA", "140")})}));
    const auto report = report_of(file(moved).value());
    ASSERT_TRUE(sign(report));
    publish(report.ids.version_id,
            {letter(domain::Channel::dmp, "DMP"), letter(domain::Channel::mss_professional, "A")});
    superuser("update letter set state = 'accepted' where channel = 'DMP'");
    EXPECT_THAT(documents(), IsEmpty());
    now_ += std::chrono::hours(1);
    apply(apart("IPP1", "IPP2", 180));
    const auto found = documents();
    ASSERT_EQ(found.size(), 1U) << "signed as IPP1, and of IPP2";
    EXPECT_EQ(found[0].kind, "split");
    EXPECT_EQ(found[0].channel, domain::Channel::dmp);
    EXPECT_EQ(one("select state from letter where channel = 'MSS_PRO'"), "held") << "it names somebody else";
    EXPECT_EQ(file(moved).value().patient.local_id, "IPP2") << "a correction goes out under the right identity";
    EXPECT_EQ(one("select patient->>'local_id' from report_version"), "IPP1") << "as it was signed, for ever";
}

TEST_F(PgMisdirected, AfterAChangeOfInsAreThoseThatCarriedTheOldOne) {
    publish_in_every_state("P1", "IPP1");
    auto other = said("IPP1", 5);
    other.said.patient.ins = ins(other_matricule);
    apply(other);
    EXPECT_EQ(documents().size(), 6U);
    EXPECT_EQ(documents().front().kind, "ins_changed");
    EXPECT_EQ(count("select count(*) from letter where state = 'held'"), 1) << "other channels go without any INS";
    EXPECT_THAT(work(), ::testing::HasSubstr("wrong_identity_documents PID-3"));
    EXPECT_EQ(count("select count(*) from work_item where what ~ '279035121518989|207058575627097'"), 0);
}

TEST_F(PgMisdirected, AfterAChangeOfInsAreNotThoseThatCarriedNone) {
    const auto report = signed_report("P1", "IPP1", false);
    publish(report.ids.version_id, {letter(domain::Channel::mss_professional, "A")});
    superuser("update letter set state = 'accepted'");
    apply(said("IPP1", 1));
    auto other = said("IPP1", 5);
    other.said.patient.ins = ins(other_matricule);
    apply(other);
    EXPECT_THAT(documents(), IsEmpty());
}

TEST_F(PgMisdirected, KnowWhatWasWithdrawn) {
    publish_in_every_state("P1", "IPP2");
    apply(said("IPP1"));
    apply(merged("IPP1", "IPP2"));
    superuser(
        R"sql(insert into letter (id, legal_entity_id, site_id, version_id, variant, channel, act, recipient_key, recipient_name,
            address, state, reason, month, created_at, trying_since, next_attempt_at)
        select gen_random_uuid(), 1, 1, version_id, variant, channel, 'withdraw', recipient_key, '', '', 'accepted', 'NONE', month,
            created_at, trying_since, next_attempt_at from letter where recipient_key = 'delivered')sql");
    int withdrawn = 0;
    for (const auto& document : documents())
        withdrawn += document.withdrawn ? 1 : 0;
    EXPECT_EQ(withdrawn, 1);
}

// ── stays and oppositions ──

class PgStays : public PgIdentities {
protected:
    IdentityAct stay(StayStatement::Event event, const std::string& number, int minute,
                     std::optional<domain::DmpWord::Feeding> feeding = std::nullopt) {
        auto act = said("IPP1", minute);
        StayStatement stay;
        stay.event = event;
        stay.number = number;
        stay.said_at = now_ + std::chrono::minutes(minute);
        stay.begins = stay.said_at;
        stay.ends = stay.said_at;
        if (feeding) stay.dmp = domain::DmpWord{*feeding, "", "", std::nullopt};
        act.stay = stay;
        return act;
    }
    bool opposed(domain::OrderId order) { return file(order).value().patient.choices.dmp_opposed; }
    domain::OrderId order_of_stay(const std::string& placer, const std::string& number) {
        auto order = new_order(placer, "T" + placer, "IPP1");
        order.stay_number = number;
        return register_order(order, "OML-" + placer).value().order;
    }
    using Event = StayStatement::Event;
    using Feeding = domain::DmpWord::Feeding;
};

TEST_F(PgStays, DecideAboutTheDmpOfTheirOwnOrders) {
    apply(stay(Event::admitted, "S1", 1, Feeding::opposed));
    apply(stay(Event::admitted, "S2", 2, Feeding::allowed));
    EXPECT_TRUE(opposed(order_of_stay("P1", "S1")));
    EXPECT_FALSE(opposed(order_of_stay("P2", "S2")));
    EXPECT_FALSE(opposed(order_of_stay("P3", ""))) << "the newest decision";
}

TEST_F(PgStays, AreAskedAgainAtDischarge) {
    const auto order = order_of_stay("P1", "S1");
    apply(stay(Event::admitted, "S1", 1, Feeding::allowed));
    EXPECT_FALSE(opposed(order));
    apply(stay(Event::discharged, "S1", 2, Feeding::opposed));
    EXPECT_TRUE(opposed(order));
    apply(stay(Event::discharge_cancelled, "S1", 3));
    EXPECT_FALSE(opposed(order));
}

TEST_F(PgStays, SayNothingAboutTheMailboxOfThePatient) {
    const auto order = order_of_stay("P1", "S1");
    apply(stay(Event::admitted, "S1", 1, Feeding::opposed));
    EXPECT_FALSE(file(order).value().patient.choices.messaging_opposed);
    superuser("update patient set messaging_opposed = true");
    apply(stay(Event::discharged, "S1", 2, Feeding::allowed));
    EXPECT_TRUE(file(order).value().patient.choices.messaging_opposed);
    EXPECT_FALSE(opposed(order));
}

TEST_F(PgStays, OpposedAfterTheReportLeftAreWork) {
    const auto order = order_of_stay("P1", "S1");
    keep(message("ORU1", {group({"TP1"}, {result("NA", "140")})}));
    const auto report = report_of(file(order).value());
    ASSERT_TRUE(sign(report));
    publish(report.ids.version_id, {letter(domain::Channel::dmp, "DMP")});
    apply(stay(Event::discharged, "S1", 2, Feeding::opposed));
    EXPECT_EQ(work(), "letters_held ZFA-9");
    EXPECT_EQ(one("select state || ' ' || reason from letter"), "held MANUAL_HOLD") << "nobody sends it meanwhile";
    EXPECT_EQ(one("select from_state || ' ' || to_state || ' ' || actor from letter_event order by id desc limit 1"),
              "due held link:automate");
    superuser("update letter set state = 'accepted'");
    superuser("update work_item set done_at = now()");
    apply(stay(Event::discharge_cancelled, "S1", 3));
    apply(stay(Event::discharged, "S1", 4, Feeding::opposed));
    EXPECT_EQ(work(), "dmp_opposed_late ZFA-9") << "what is there already is withdrawn by a person";
}

TEST_F(PgStays, FollowAMergedPatient) {
    auto of_other = stay(Event::admitted, "S1", 1, Feeding::opposed);
    of_other.said.patient.local_id = "IPP2";
    apply(of_other);
    apply(said("IPP1", 2));
    apply(merged("IPP1", "IPP2"));
    EXPECT_TRUE(opposed(order_of_stay("P1", "S1")));
    apply(stay(Event::discharged, "S1", 9, Feeding::allowed));
    EXPECT_EQ(count("select count(*) from patient_stay"), 1) << "the same stay, under the number that goes on";
    EXPECT_FALSE(opposed(registered("P2", "TX", "IPP1")));
}

TEST_F(PgStays, KeepTheirMovements) {
    auto arrived = stay(Event::admitted, "S1", 1);
    arrived.stay->movement = domain::Movement{
        "M1^1.2.250.1.999.3", domain::Movement::Action::insert, now_, false, "", "3105", "3106", "HMS"};
    apply(arrived);
    auto cancelled = stay(Event::admission_cancelled, "S1", 2);
    cancelled.stay->movement =
        domain::Movement{"M1^1.2.250.1.999.3", domain::Movement::Action::cancel, now_, false, "A01", "", "", ""};
    apply(cancelled);
    apply(arrived);  // comes once more, late
    EXPECT_EQ(one("select movement_id || ' ' || medical_ward || ' ' || cancelled from patient_movement"),
              "M1^1.2.250.1.999.3 3105 true");
    EXPECT_EQ(one("select cancelled from patient_stay"), "t");
}

// ── identity slave ──

TEST_F(PgIdentities, OfAnIdentitySlaveComeFromTheIdentityServerAlone) {
    for (const auto* where : {"690000027", "690000001"}) {  // the site, then its legal entity
        superuser("delete from identity_profile");
        run(identities_.set_slaves({{where, true}, {"690000019", false}}, "cli:essai", now_));
        const auto refused = register_order(new_order("P1", "T1", "IPP-LOCAL"), where);
        ASSERT_FALSE(refused) << where;
        EXPECT_EQ(refused.error().fault, Fault::refused);
        EXPECT_EQ(refused.error().where, "PID-3");
        EXPECT_THAT(refused.error().what, ::testing::HasSubstr("identity slave"));
        EXPECT_EQ(count("select count(*) from patient"), 0);
    }
    apply(said("IPP1", 0, false));
    const auto order = registered("P2", "T2", "IPP1", true);
    EXPECT_EQ(file(order).value().patient.status, IdentityStatus::provisional) << "an order qualifies nobody here";
    const domain::PatientId patient{Uuid::parse(one("select id from patient")).value()};
    const auto by_hand = run(identities_.give_status(deed(), patient, IdentityStatus::qualified));
    ASSERT_FALSE(by_hand);
    EXPECT_THAT(by_hand.error().what, ::testing::HasSubstr("identity slave"));
    EXPECT_EQ(count("select count(*) from audit_event where action = 'identity_refused'"), 1);
    apply(said("IPP1", 1));
    EXPECT_EQ(people(), "IPP1 QUAL");
}

TEST_F(PgIdentities, ElsewhereGetAStatusFromAPerson) {
    registered("P1", "T1", "IPP1", true);
    const domain::PatientId patient{Uuid::parse(one("select id from patient")).value()};
    EXPECT_TRUE(run(identities_.give_status(deed(), patient, IdentityStatus::provisional)));
    EXPECT_EQ(people(), "IPP1 PROV");
    EXPECT_EQ(run(identities_.give_status(deed(), patient, IdentityStatus::qualified)).error().what,
              "this status needs an INS");
    EXPECT_TRUE(run(identities_.give_status(deed(), patient, IdentityStatus::validated)));
    EXPECT_EQ(count("select count(*) from audit_event where action = 'identity_status' and actor = 'cli:essai'"), 2);
}

// ── the rest ──

TEST_F(PgIdentities, CountTheEventsThatChangeNothing) {
    superuser(
        "insert into link (id, site_id, name, definition, updated_at) overriding system value values (7, 1, 'l', '{}', "
        "now())");
    for (int i = 0; i < 3; ++i) {
        IdentityMessage ignored;
        ignored.event = "A14";
        ignored.ignored = true;
        run(identities_.apply(message("I" + std::to_string(i)), ignored, scope_a_, errors_, now_));
    }
    EXPECT_THAT(run(identities_.ignored(scope_a_)), ElementsAre(std::pair<std::string, std::int64_t>{"A14", 3}));
    EXPECT_THAT(run(identities_.ignored(scope_b_)), IsEmpty());
    EXPECT_EQ(count("select count(*) from message where state = 'applied'"), 3);
}

TEST_F(PgIdentities, LeaveTheirDataInTheAuditAndNowhereElse) {
    apply(said("IPP1"));
    apply(said("IPP2"));
    apply(merged("IPP1", "IPP2"));
    EXPECT_EQ(count("select count(*) from audit_event where action in ('identity_create', 'identity_merge') and "
                    "payload ~ 'PAT-TROIS'"),
              3);
    EXPECT_EQ(count("select count(*) from audit_event where object ~ 'IPP|PAT'"), 0);
    EXPECT_EQ(count("select count(*) from work_item where what || coordinate ~ 'IPP|PAT|27903'"), 0);
}

}  // namespace
}  // namespace sgl::store
