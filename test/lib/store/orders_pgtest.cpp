// Orders come in whole or not at all, and only once (hl7v2-lab 7; design D16).
#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::store {
namespace {

class PgOrders : public test::LaboratoryTest {
protected:
    /// One line that asks for nothing new.
    static domain::OrderRequest act(domain::OrderControl control, const std::string& placer) {
        auto request = domain::request_of(new_order(placer, "T1"));
        request.lines[0].control = control;
        request.lines[0].exam.specimens.clear();
        request.order.specimens.clear();
        return request;
    }
};

TEST_F(PgOrders, AreReadBackAsTheyWereRegistered) {
    auto order = new_order("P1", "T1");
    order.prescriber.rpps = domain::Rpps::parse("899900000017").value();
    order.prescriber.family = "MÉDECIN";
    order.copies.push_back(order.prescriber);
    order.collector.family = "INFIRMIÈRE";
    order.prescribed_at = Timestamp::parse("20260314075500+0100").value();
    order.stay_number = "STAY1";
    order.patient_class = "I";
    order.clinical_context = "Bilan\nPoids : 70,5 kg";
    order.urgent = true;
    order.patient.traits.reveal().address = {{"28 Av de Breteuil"}, "75007", "PARIS", ""};
    const auto done = register_order(order, "OML1").value();
    const auto file = this->file(done.order).value();
    EXPECT_EQ(file.state, "registered");
    EXPECT_EQ(file.row_version, 1);
    EXPECT_EQ(file.number, done.number);
    EXPECT_EQ(file.placer_group, "GP1");
    EXPECT_EQ(file.prescriber, order.prescriber);
    EXPECT_EQ(file.copies, order.copies);
    EXPECT_EQ(file.collector, order.collector);
    ASSERT_EQ(file.exams.size(), 1U);
    EXPECT_EQ(file.exams[0].code, "NA");
    EXPECT_EQ(file.prescribed_at, order.prescribed_at);
    EXPECT_EQ(file.registered_at, now_);
    EXPECT_EQ(file.stay_number, "STAY1");
    EXPECT_EQ(file.patient_class, "I");
    EXPECT_EQ(file.clinical_context, order.clinical_context);
    EXPECT_TRUE(file.urgent);
    ASSERT_EQ(file.specimens.size(), 1U);
    EXPECT_EQ(file.specimens[0].number, "T1");
    EXPECT_EQ(file.specimens[0].collected_at, order.specimens[0].collected_at);
    EXPECT_EQ(file.patient.traits, order.patient.traits);
    EXPECT_EQ(file.patient.ins, order.patient.ins);
    EXPECT_TRUE(file.patient.ins_may_leave());
}

TEST_F(PgOrders, AreUnknownToOtherSites) {
    const auto order = registered("P1", "T1");
    const auto hidden = file(order, test::site_b);
    ASSERT_FALSE(hidden);
    EXPECT_EQ(hidden.error().fault, Fault::missing);
}

TEST_F(PgOrders, AreNumberedByUsWhenTheRegistrationDoesNot) {
    const auto first = register_order(new_order("P1", "T1"), "OML1").value();
    const auto second = register_order(new_order("P2", "T2"), "OML2").value();
    EXPECT_EQ(first.number.substr(0, 6), "260314");
    EXPECT_NE(first.number, second.number);
    auto named = new_order("P3", "T3");
    named.filler_number = "F3";
    EXPECT_EQ(register_order(named, "OML3").value().number, "F3");
}

TEST_F(PgOrders, AreRegisteredOnceHoweverOftenTheMessageComes) {
    const auto order = new_order("P1", "T1");
    const auto first = register_order(order, "OML1").value();
    const auto again = register_order(order, "OML1").value();
    EXPECT_TRUE(again.kept.duplicate);
    EXPECT_EQ(again.kept.id, first.kept.id);
    EXPECT_EQ(again.kept.answer_errors, first.kept.answer_errors) << "a repeat hears the same";
    EXPECT_EQ(count("select count(*) from lab_order"), 1);
    EXPECT_EQ(count("select count(*) from message"), 1);
}

TEST_F(PgOrders, RefuseNumbersThatAnotherOrderHas) {
    registered("P1", "T1");
    int messages = 1;
    const auto conflict = [&](const domain::NewOrder& order) {
        const auto refused = register_order(order, "OML-again" + std::to_string(++messages));
        return refused ? std::string("accepted") : refused.error().where;
    };
    EXPECT_EQ(conflict(new_order("P1", "T2")), "OBR[1]-2");
    EXPECT_EQ(conflict(new_order("P1", "T2", "IPP2")), "OBR[1]-2");
    EXPECT_EQ(conflict(new_order("P2", "T1", "IPP2")), "SPM-2");
    auto filler = new_order("P3", "T3", "IPP2");
    filler.filler_number = one("select number from lab_order");
    EXPECT_EQ(conflict(filler), "OBR[1]-3");
    EXPECT_EQ(count("select count(*) from lab_order"), 1);
    EXPECT_EQ(count("select count(*) from patient"), 1) << "who asks for nothing that can be taken is not made known";
    EXPECT_EQ(count("select count(*) from message"), 5) << "the messages are kept";
    EXPECT_EQ(count("select count(*) from work_item where kind = 'order_refused'"), 4);
}

TEST_F(PgOrders, AreJoinedByWhatIsAddedToTheirTube) {
    const auto first = registered("P1", "T1");
    auto more = new_order("P2", "T1");
    more.prescriber.family = "AUTRE";
    EXPECT_EQ(register_order(more, "OML2").value().order, first);
    const auto whole = file(first).value();
    EXPECT_EQ(whole.exams.size(), 2U);
    EXPECT_EQ(whole.specimens.size(), 1U);
    EXPECT_EQ(whole.row_version, 2) << "who has the screen before him sees that it changed";
    EXPECT_EQ(whole.state, "registered");
    EXPECT_EQ(one("select order_id::text from order_number where number = 'P2'"), to_string(first.value()));
    EXPECT_EQ(count("select count(*) from audit_event where action = 'change_order'"), 1);
    EXPECT_EQ(count("select count(*) from lab_order"), 1);
}

TEST_F(PgOrders, GoOnInALaterMessageOfThePrescription) {
    const auto first = registered("P1", "T1");
    auto more = new_order("P2", "T2");
    more.group_number = "GP1";
    EXPECT_EQ(register_order(more, "OML2").value().order, first);
    auto other_patient = new_order("P3", "T3", "IPP2");
    other_patient.group_number = "GP1";
    EXPECT_NE(register_order(other_patient, "OML3").value().order, first) << "a group is one of a patient";
}

TEST_F(PgOrders, EndWhenTheirLastLineIsCancelled) {
    const auto order = registered("P1", "T1");
    EXPECT_TRUE(take(act(domain::OrderControl::cancel, "P1"), message("OML2")));
    EXPECT_EQ(file(order).value().state, "cancelled");
    EXPECT_EQ(count("select count(*) from lab_order where closed_at is not null"), 1);
    EXPECT_EQ(count("select count(*) from patient where phone = ''"), 1);
    // What is added later opens it again.
    EXPECT_EQ(register_order(new_order("P2", "T1"), "OML3").value().order, order);
    EXPECT_EQ(file(order).value().state, "registered");
    EXPECT_EQ(count("select count(*) from lab_order where closed_at is null"), 1);
}

TEST_F(PgOrders, KeepWhatIsMeasuredOrSignedAndAskAPerson) {
    const auto order = registered("P1", "T1");
    keep(message("ORU1", {group({"T1"}, {result("NA", "140")})}));
    const auto measured = take(act(domain::OrderControl::cancel, "P1"), message("OML2"));
    ASSERT_FALSE(measured);
    EXPECT_EQ(file(order).value().exams.at(0).state, domain::ExamState::requested);
    EXPECT_EQ(one("select kind || ' ' || (order_id is not null)::text from work_item where kind like 'late_order%'"),
              "late_order_change true");
    ASSERT_TRUE(sign(report_of(file(order).value())));
    EXPECT_FALSE(take(act(domain::OrderControl::cancel, "P1"), message("OML3")));
    EXPECT_FALSE(register_order(new_order("P2", "T1"), "OML4"));
    EXPECT_EQ(file(order).value().state, "fully_validated");
    EXPECT_EQ(count("select count(*) from work_item where kind = 'late_order_change'"), 3);
}

TEST_F(PgOrders, LeaveUndoneWhatARefusedTubeWasFor) {
    const auto order = registered("P1", "T1");
    auto refused = act(domain::OrderControl::status, "P1");
    domain::Specimen tube;
    tube.number = "T1";
    tube.refusal_code = "RH";
    tube.refusal = "Prélèvement hémolysé";
    refused.order.specimens.push_back(tube);
    ASSERT_TRUE(take(refused, message("OML2")));
    const auto whole = file(order).value();
    EXPECT_EQ(whole.state, "in_progress") << "a biologist signs that it was not done";
    EXPECT_EQ(whole.exams.at(0).state, domain::ExamState::not_done);
    EXPECT_EQ(whole.specimens.at(0).refusal_code, "RH");
    ASSERT_EQ(whole.results.size(), 1U);
    EXPECT_EQ(whole.results[0].status, "X");
    EXPECT_FALSE(whole.results[0].value);
    EXPECT_EQ(whole.results[0].note, "Prélèvement refusé : Prélèvement hémolysé");
    EXPECT_EQ(count("select count(*) from specimen where refused_at is not null"), 1);
}

TEST_F(PgOrders, KeepThePreviousResultsOfTheRequesterApart) {
    auto request = domain::request_of(new_order("P1", "T1"));
    domain::PriorResult prior;
    prior.label = "Sodium";
    prior.value = "139";
    request.prior.push_back(prior);
    const auto done = take(request, message("OML1")).value();
    EXPECT_EQ(one("select content ->> 'value' from prior_result"), "139");
    EXPECT_EQ(count("select count(*) from result"), 0) << "they are not ours";
    EXPECT_EQ(file(done.order).value().results.size(), 0U);
}

TEST_F(PgOrders, MayUseTheNumbersOfAnotherSite) {
    registered("P1", "T1");
    auto elsewhere = message("OML-B");
    elsewhere.site = test::site_b;
    elsewhere.legal_entity = test::entity_b;
    const auto done = take(domain::request_of(new_order("P1", "T1")), elsewhere);
    ASSERT_TRUE(done);
    EXPECT_TRUE(file(done->order, test::site_b));
    EXPECT_EQ(count("select count(distinct patient_id) from lab_order"), 2) << "a patient belongs to one legal entity";
}

TEST_F(PgOrders, OfOnePatientShareHim) {
    const auto first = registered("P1", "T1");
    auto order = new_order("P2", "T2");
    order.patient.traits.reveal().phone = "0102030405";
    const auto second = register_order(order, "OML2").value().order;
    EXPECT_EQ(file(first).value().patient.id, file(second).value().patient.id);
    EXPECT_EQ(file(first).value().patient.traits.reveal().phone, "0102030405") << "the registration's newest word";
}

TEST_F(PgOrders, NeverForgetAnOpposition) {
    auto order = new_order("P1", "T1");
    order.patient.choices.dmp_opposed = true;
    ASSERT_TRUE(register_order(order, "OML1"));
    const auto second = registered("P2", "T2");  // says nothing of it
    EXPECT_TRUE(file(second).value().patient.choices.dmp_opposed);
}

TEST_F(PgOrders, AlertWhenTwoPatientsHaveOneIns) {
    registered("P1", "T1", "IPP1");
    EXPECT_EQ(count("select count(*) from work_item"), 0);
    registered("P2", "T2", "IPP2");
    EXPECT_EQ(one("select kind || ' ' || coordinate from work_item"), "duplicate_ins PID-3");
    EXPECT_EQ(count("select count(*) from work_item where what ~ '279035121518989'"), 0);
}

TEST_F(PgOrders, WriteNamesAsTheInsWritesThem) {
    auto order = new_order("P1", "T1");
    order.patient.traits.reveal().birth_name = "Müller-l’Hôte";
    const auto done = register_order(order, "OML1").value();
    EXPECT_EQ(file(done.order).value().patient.traits.reveal().birth_name, "MULLER-L'HOTE");
}

TEST_F(PgOrders, LeaveOneAuditEventAndTheTroublesAsWork) {
    auto arrival = message("OML1");
    arrival.reading.troubles.push_back(
        {"unknown_exam", "OBR-4", "this examination is not in the catalogue of the site"});
    const auto done = take(domain::request_of(new_order("P1", "T1")), arrival).value();
    EXPECT_EQ(one("select actor || ' ' || action || ' ' || object from audit_event"),
              "link:automate register_order order:" + to_string(done.order.value()));
    EXPECT_EQ(one("select kind || ' ' || order_id from work_item"), "unknown_exam " + to_string(done.order.value()));
}

}  // namespace
}  // namespace sgl::store
