// An order of the desk goes the way of one that came by a message, is written once, and is refused whole.
#include "lib/flow/desk.hpp"

#include <gmock/gmock.h>

#include "lib/domain/order_news.hpp"
#include "test/lib/flow/flow_fixture.hpp"

namespace sgl::flow {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PgDesk : public test::FlowTest {
protected:
    PgDesk() {
        superuser(
            R"sql(insert into correspondent (legal_entity_id, rpps, structure, definition, active, updated_at) values
            (1, '99900000025', '', '{"professional":{"rpps":"99900000025","family":"MEDECIN","given":"ALICE"}}', true, now()),
            (2, '99900000033', '', '{"professional":{"rpps":"99900000033","family":"AILLEURS","given":"ANNE"}}', true, now()))sql");
    }
    static domain::DeskForm new_patient() {
        domain::DeskForm form;
        form.traits.birth_name = "Pat-Deux";
        form.traits.first_given_name = "Claude";
        form.traits.birth_date = "12/06/1954";
        form.traits.sex = "M";
        form.prescriber = "99900000025";  // as a secretary reads it on the prescription
        form.more_exams = "IONO";
        form.tubes = {{"", "CB1", "SER", "2026-03-14T08:15"}};
        return form;
    }
    DeskTaken type(domain::DeskForm form, const std::string& token = "jeton") {
        return run(desk_.register_order(secretary_, store::test::site_a, std::move(form), token)).value();
    }
    Result<DeskTaken> mend(domain::OrderId order, int seen, domain::DeskForm form, const std::string& token = "autre") {
        return run(desk_.correct(secretary_, order, seen, std::move(form), token));
    }
    domain::DeskForm form_of(domain::OrderId order) {
        return domain::form_of(run(desk_orders_.order(scope_a_, order)).value().order, TimeZone::paris());
    }
    static std::vector<std::string> fields(const DeskTaken& taken) {
        std::vector<std::string> fields;
        for (const auto& error : taken.errors)
            fields.push_back(error.field + ": " + error.text);
        return fields;
    }

    /// The registration link becomes a hospital that hears what becomes of its orders.
    void requester() {
        superuser(R"sql(insert into link (id, site_id, name, definition, updated_at) overriding system value
                        values (1, 1, 'gestion', '{}', now()) on conflict do nothing)sql");
        const auto authority = one("select coalesce(max(local_authority), '') from patient");
        change_laboratory([&](domain::Laboratory::Parts& parts) {
            parts.links[0].order_news = true;
            parts.links[0].one_socket = true;
            parts.links[0].patient_authority = authority;
        });
    }
    domain::OrderId ordered() {
        EXPECT_EQ(code(receive(oml("M1", "1"))), "AA");
        return domain::OrderId{Uuid::parse(one("select id from lab_order")).value()};
    }
    std::vector<hl7::Message> due() {
        const domain::LaboratoryPtr laboratory = laboratory_.current();
        const auto claim = [&]() -> asio::awaitable<std::vector<store::DueWork>> {
            const Instant now = clock_.now();
            std::vector<store::DueWork> claimed =
                co_await intake_.work().store().claim(laboratory->links()[0], now, now, 50);
            co_return claimed;
        };
        std::vector<hl7::Message> messages;
        for (const auto& one : run(claim()))
            messages.push_back(hl7::Message::parse(one.raw).value());
        return messages;
    }
    void hear(const hl7::Message& told, const std::string& lines) {
        const std::string block = "MSH|^~\\&|GAP|LABO|SGL|LBM|20260314081501||ORL^O22^ORL_O22|A" + told.control_id() +
                                  "|P|2.5.1\rMSA|AA|" + told.control_id() + "\r" + lines;
        EXPECT_EQ(receive(block).bytes, "") << "an answer is not answered";
    }

    Actor secretary_{"user:secretaire", domain::UserId{9}, scope_a_};
    store::DeskOrders desk_orders_{pool_, orders_};
    Desk desk_{{desk_orders_, laboratory_, clock_, [](domain::SiteId) { return std::vector<domain::LinkId>(); },
                [this] { ++told_; }}};
    int told_{};
};

TEST_F(PgDesk, AnOrderIsWrittenWithItsPatientAndItsResultsFindIt) {
    const auto taken = type(new_patient());
    ASSERT_TRUE(taken.order) << ::testing::PrintToString(fields(taken));
    EXPECT_EQ(told_, 1);
    const auto order = file(*taken.order).value();
    EXPECT_EQ(order.number, taken.number);
    EXPECT_EQ(order.patient.traits.reveal().birth_name, "PAT-DEUX");
    EXPECT_EQ(order.patient.status, domain::IdentityStatus::provisional);
    EXPECT_EQ(order.patient.local_id, "L00000001");
    EXPECT_EQ(order.patient.local_authority_oid, "1.2.250.1.999.1");
    EXPECT_EQ(order.prescriber.rpps.text(), "99900000025");
    ASSERT_EQ(order.specimens.size(), 1U);
    EXPECT_EQ(to_hl7(*order.specimens[0].collected_at), "202603140815+0100");
    EXPECT_EQ(one("select coalesce(link_id::text, 'desk') from lab_order"), "desk");
    EXPECT_EQ(one("select string_agg(actor || ' ' || action, ', ') from audit_event where object like 'order:%'"),
              "user:secretaire register_order");
    const auto answer = receive(
        "MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|R1|P|2.5.1|||||FRA|UNICODE UTF-8\r"
        "OBR|1||CB1|IONO\r" +
        obx("NA", "140"));
    EXPECT_EQ(code(answer), "AA");
    EXPECT_EQ(file(*taken.order).value().results.size(), 1U) << "matched by the tube that was typed";
}

TEST_F(PgDesk, ASecondClickMakesNoSecondOrder) {
    const auto first = type(new_patient());
    const auto again = type(new_patient());
    EXPECT_EQ(again.order, first.order);
    EXPECT_EQ(count("select count(*) from lab_order"), 1);
    EXPECT_EQ(count("select count(*) from patient"), 1);
    EXPECT_EQ(count("select count(*) from audit_event where action = 'register_order'"), 1);
}

TEST_F(PgDesk, WhoHasTheNameAndBirthDateOfSomebodyIsAskedFor) {
    type(new_patient());
    auto twin = new_patient();
    twin.traits.first_given_name = "Dominique";
    twin.tubes[0].number = "CB2";
    const auto asked = type(twin, "jeton2");
    EXPECT_FALSE(asked.order);
    ASSERT_EQ(asked.namesakes.size(), 1U);
    EXPECT_EQ(count("select count(*) from patient"), 1);
    twin.homonym = true;
    EXPECT_TRUE(type(twin, "jeton3").order);
    EXPECT_EQ(count("select count(*) from patient"), 2);
    auto known = new_patient();
    known.patient = asked.namesakes[0].id;
    known.tubes[0].number = "CB3";
    EXPECT_TRUE(type(known, "jeton4").order);
    EXPECT_EQ(count("select count(*) from patient"), 2);
}

TEST_F(PgDesk, AKnownIdentityIsLeftAsItIs) {
    receive(oml("O1", "1"));
    const auto before = one("select patient::text from patient");
    auto form = new_patient();
    form.patient = domain::PatientId{Uuid::parse(one("select id::text from patient")).value()};
    ASSERT_TRUE(type(form).order);
    EXPECT_EQ(one("select patient::text from patient"), before) << "qualified stays qualified, with its INS";
    EXPECT_EQ(count("select count(*) from lab_order"), 2);
    EXPECT_EQ(count("select count(*) from patient_history"), 0);
}

TEST_F(PgDesk, AnIdentitySlaveMakesNoPatient) {
    superuser("insert into identity_profile (finess, slave, updated_at) values ('690000027', true, now())");
    const auto refused = type(new_patient());
    EXPECT_FALSE(refused.order);
    ASSERT_EQ(refused.errors.size(), 1U);
    EXPECT_EQ(refused.errors[0].field, "patient");
    EXPECT_EQ(count("select count(*) from patient"), 0);
}

TEST_F(PgDesk, ATubeThatIsSomebodyElsesRefusesTheWholeOrder) {
    receive(oml("O1", "1"));  // its tube is T1
    auto form = new_patient();
    form.tubes[0].number = "T1";
    const auto refused = type(form);
    EXPECT_FALSE(refused.order);
    EXPECT_THAT(fields(refused), ElementsAre("tubes: Ce numéro de prélèvement est celui d'un autre patient."));
    EXPECT_EQ(count("select count(*) from lab_order"), 1);
    EXPECT_EQ(count("select count(*) from patient"), 1) << "who asks for nothing that can be taken is not made known";
    form.tubes[0].number = "CB1";
    EXPECT_TRUE(type(form).order) << "the same screen, mended, goes through";
}

TEST_F(PgDesk, TheTubeOfAnOpenOrderBringsTheExaminationsThere) {
    receive(oml("O1", "1", "NA"));
    auto form = new_patient();
    form.patient = domain::PatientId{Uuid::parse(one("select id::text from patient")).value()};
    form.more_exams = "K";
    form.tubes[0].number = "T1";
    const auto taken = type(form);
    ASSERT_TRUE(taken.order) << ::testing::PrintToString(fields(taken));
    EXPECT_TRUE(taken.joined);
    EXPECT_EQ(count("select count(*) from lab_order"), 1);
    EXPECT_EQ(file(*taken.order).value().exams.size(), 2U);
}

TEST_F(PgDesk, AnotherSiteIsNoneOfHis) {
    const auto foreign = run(desk_.register_order(secretary_, store::test::site_b, new_patient(), "jeton"));
    EXPECT_EQ(foreign.error().fault, Fault::missing);
    const auto taken = type(new_patient());
    const Actor elsewhere{"user:autre", domain::UserId{8}, scope_b_};
    EXPECT_EQ(run(desk_.correct(elsewhere, *taken.order, 1, form_of(*taken.order), "j")).error().fault, Fault::missing);
}

// ── corrections ──

TEST_F(PgDesk, ACorrectionIsWrittenAuditedAndMovesTheScreensOfOthers) {
    const auto order = *type(new_patient()).order;
    const auto seen = file(order).value().seen_version;
    auto form = form_of(order);
    form.tubes[0].number = "CB9";
    form.tubes.push_back({"", "", "UR", ""});
    form.urgent = true;
    form.prescriber = "AUTRE Zoé 89990000009";
    form.more_exams = "NA";
    form.cancelled = {file(order).value().exams[0].placer_number};
    form.cancel_reason = "sodium seul";
    const auto done = mend(order, seen, form).value();
    ASSERT_TRUE(done.order) << ::testing::PrintToString(fields(done));
    const auto after = file(order).value();
    EXPECT_GT(after.seen_version, seen);
    EXPECT_TRUE(after.urgent);
    EXPECT_EQ(after.prescriber.family, "AUTRE");
    EXPECT_EQ(after.exams[0].state, domain::ExamState::cancelled);
    EXPECT_EQ(after.exams[1].code, "NA");
    EXPECT_EQ(after.specimens.size(), 2U);
    EXPECT_EQ(count("select count(*) from order_number where kind = 'S' and number = 'CB1'"), 0);
    EXPECT_EQ(count("select count(*) from order_number where kind = 'S' and number = 'CB9'"), 1);
    EXPECT_EQ(one("select actor from audit_event where action = 'change_order'"), "user:secretaire");
    EXPECT_TRUE(mend(order, seen, form).value().order) << "the second click finds it done";
    EXPECT_EQ(count("select count(*) from audit_event where action = 'change_order'"), 1);
}

TEST_F(PgDesk, ARefusedTubeLeavesAResultWithoutValueForTheBiologist) {
    const auto order = *type(new_patient()).order;
    auto form = form_of(order);
    form.tubes[0].refusal = "RC";
    ASSERT_TRUE(mend(order, file(order).value().seen_version, form).value().order);
    const auto after = file(order).value();
    EXPECT_EQ(after.specimens.at(0).refusal, "Prélèvement coagulé");
    EXPECT_EQ(after.exams.at(0).state, domain::ExamState::not_done);
    ASSERT_FALSE(after.results.empty());
    EXPECT_EQ(after.results[0].status, "X");
    EXPECT_EQ(after.results[0].note, "Prélèvement refusé : Prélèvement coagulé");
    EXPECT_EQ(count("select count(*) from result r join message m on m.id = r.message_id"), 0) << "no message said it";
    auto again = form_of(order);
    EXPECT_EQ(again.tubes.at(0).refusal, "RC");
    again.urgent = true;
    ASSERT_TRUE(mend(order, after.seen_version, again, "troisième").value().order) << "what is refused stays so";
    EXPECT_EQ(file(order).value().results.size(), after.results.size());
}

// IHE LTW LAB-2 (hl7v2-lab 7.1).
TEST_F(PgDesk, WhoRequestedHearsWhatIsAddedCancelledAndRefusedAndGivesHisNumbers) {
    requester();
    const auto order = ordered();
    auto form = form_of(order);
    form.more_exams = "NA";
    form.cancelled = {"P1"};
    form.cancel_reason = "sodium seul";
    ASSERT_TRUE(mend(order, file(order).value().seen_version, form).value().order);
    const auto told = due();
    ASSERT_EQ(told.size(), 1U);
    const auto& message = told[0];
    EXPECT_EQ(message.text("MSH-9.1") + message.text("MSH-9.2") + message.text("MSH-9.3"), "OMLO21OML_O21");
    EXPECT_EQ(message.text("MSH-21.1"), "LAB-2");
    EXPECT_EQ(message.text("PID-3.1"), "4056601");
    EXPECT_EQ(message.text("ORC[1]-1") + " " + message.text("ORC[1]-2") + " " + message.text("ORC[1]-5"), "OC P1 CA");
    EXPECT_EQ(message.text("ORC[1]-16.2"), "sodium seul");
    EXPECT_EQ(message.text("OBR[1]-25"), "X");
    EXPECT_EQ(message.text("ORC[2]-1") + message.text("ORC[2]-2"), "SN") << "he has no number for it yet";
    const auto ours = message.text("ORC[2]-3");
    EXPECT_EQ(message.text("OBR[2]-4.1"), "NA");
    EXPECT_EQ(message.text("SPM-2.2.1"), "T1");

    hear(message, "ORC|OK|P1\rORC|NA|HOP77|" + ours + "\r");
    EXPECT_THAT(due(), IsEmpty());
    const auto numbered = file(order).value();
    EXPECT_EQ(numbered.exams.at(1).placer_number, "HOP77");
    EXPECT_EQ(numbered.exams.at(1).filler_number, ours);
    EXPECT_EQ(count("select count(*) from order_number where number = 'HOP77' and kind = 'P'"), 1);
    receive(
        "MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|R1|P|2.5.1|||||FRA|UNICODE UTF-8\r"
        "OBR|1|HOP77||NA\r" +
        obx("NA", "140"));
    EXPECT_EQ(file(order).value().results.size(), 1U) << "by his number too";

    form = form_of(order);
    form.urgent = true;
    ASSERT_TRUE(mend(order, file(order).value().seen_version, form, "encore").value().order);
    EXPECT_THAT(due(), IsEmpty()) << "what concerns no line is no news";
}

TEST_F(PgDesk, ARequesterNumbersOnlyWhatWeAdded) {
    requester();
    const auto order = ordered();
    auto form = form_of(order);
    form.more_exams = "NA, K";
    ASSERT_TRUE(mend(order, file(order).value().seen_version, form).value().order);
    const auto told = due();
    ASSERT_EQ(told.size(), 1U);
    hear(told[0],
         "ORC|NA|HOP1|P1\rORC|NA|HOP77|" + told[0].text("ORC[1]-3") + "\rORC|UA||" + told[0].text("ORC[2]-3") + "\r");
    const auto after = file(order).value();
    EXPECT_EQ(after.exams.at(0).placer_number, "P1") << "his own line keeps his number";
    EXPECT_EQ(after.exams.at(1).placer_number, "HOP77") << "also beside one that he can't take";
    EXPECT_TRUE(domain::numbered_here(after.exams.at(2)));
    EXPECT_EQ(count("select count(*) from order_number where number = 'HOP1'"), 0);
    EXPECT_EQ(one("select kind from work_item where done_at is null"), "news_refused");

    form = form_of(order);
    form.cancelled = {after.exams.at(2).placer_number};
    form.cancel_reason = "pas assez de sérum";
    ASSERT_TRUE(mend(order, after.seen_version, form, "encore").value().order);
    const auto cancelled = due();
    ASSERT_EQ(cancelled.size(), 1U);
    EXPECT_EQ(cancelled[0].text("ORC-2") + "/" + cancelled[0].text("ORC-3"), "/" + told[0].text("ORC[2]-3"))
        << "a line that he has not numbered goes by our number, as when he heard of it";
}

TEST_F(PgDesk, ANumberOfAnotherOrderIsNotTakenForALine) {
    requester();
    const auto order = ordered();
    EXPECT_EQ(code(receive(oml("M2", "2"))), "AA");
    auto form = form_of(order);
    form.more_exams = "NA";
    ASSERT_TRUE(mend(order, file(order).value().seen_version, form).value().order);
    const auto told = due();
    ASSERT_EQ(told.size(), 1U);
    hear(told[0], "ORC|NA|P2|" + told[0].text("ORC-3") + "\r");
    EXPECT_TRUE(domain::numbered_here(file(order).value().exams.at(1)));
    EXPECT_EQ(one("select kind from work_item where done_at is null"), "news_refused");
}

TEST_F(PgDesk, TheStayOfTheRequestIsTold) {
    requester();
    const auto order = ordered();
    superuser("update lab_order set stay_number = 'SEJ9', patient_class = 'I'");
    auto form = form_of(order);
    form.more_exams = "NA";
    ASSERT_TRUE(mend(order, file(order).value().seen_version, form).value().order);
    const auto told = due();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].text("PV1-2") + " " + told[0].text("PV1-19.1"), "I SEJ9");
}

TEST_F(PgDesk, ARequesterThatRefusesWhatItIsToldLeavesWork) {
    requester();
    const auto order = ordered();
    auto form = form_of(order);
    form.tubes[0].refusal = "RH";
    ASSERT_TRUE(mend(order, file(order).value().seen_version, form).value().order);
    const auto told = due();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].text("ORC-1"), "OC");
    EXPECT_EQ(told[0].text("SPM-20") + told[0].text("SPM-21.1"), "NRH");
    hear(told[0], "ORC|UA|P1\r");
    EXPECT_EQ(one("select kind from work_item where done_at is null"), "news_refused");
}

TEST_F(PgDesk, AnOrderOfTheDeskIsToldToTheHospitalThatGivesThePatientsNumbers) {
    ordered();
    requester();
    auto form = new_patient();
    form.patient = domain::PatientId{Uuid::parse(one("select id from patient where local_id = '4056601'")).value()};
    form.tubes = {{"", "CB7", "SER", "2026-03-14T08:15"}};
    ASSERT_TRUE(type(form).order);
    ASSERT_EQ(due().size(), 1U);
    change_laboratory([&](domain::Laboratory::Parts& parts) { parts.links[0].patient_authority = "1.2.250.1.999.77"; });
    ASSERT_TRUE(type(new_patient(), "un autre").order) << "a patient whom that hospital does not number";
    EXPECT_EQ(count("select count(*) from work_message"), 1);
}

TEST_F(PgDesk, AStaleScreenCorrectsNothing) {
    const auto order = *type(new_patient()).order;
    auto form = form_of(order);
    form.urgent = true;
    receive(
        "MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|R1|P|2.5.1|||||FRA|UNICODE UTF-8\r"
        "OBR|1||CB1|IONO\r" +
        obx("NA", "140"));
    const auto refused = mend(order, 1, form);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::conflict);
    EXPECT_FALSE(file(order).value().urgent);
}

TEST_F(PgDesk, WhatHasAResultIsNotCancelledAndNothingElseOfThatScreenIsDone) {
    const auto order = *type(new_patient()).order;
    receive(
        "MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|R1|P|2.5.1|||||FRA|UNICODE UTF-8\r"
        "OBR|1||CB1|IONO\r" +
        obx("NA", "140"));
    const auto before = file(order).value();
    auto form = form_of(order);
    form.urgent = true;
    form.cancelled = {before.exams[0].placer_number};
    form.cancel_reason = "doublon";
    const auto refused = mend(order, before.seen_version, form).value();
    EXPECT_FALSE(refused.order);
    EXPECT_THAT(fields(refused), ElementsAre("cancelled: Analyse déjà réalisée : appeler le laboratoire."));
    EXPECT_FALSE(file(order).value().urgent);
}

TEST_F(PgDesk, PrescribersOfEarlierOrdersAreOffered) {
    auto form = new_patient();
    form.prescriber = "AUTRE Zoé 89990000009";
    type(form);
    std::vector<std::string> people;
    for (const auto& person : run(desk_.choices(store::test::site_a)).value().people)
        people.push_back(domain::person_words(person));
    EXPECT_THAT(people, ElementsAre("AUTRE Zoé 89990000009", "MEDECIN ALICE 99900000025"));
}

}  // namespace
}  // namespace sgl::flow
