// What becomes of orders, line by line (hl7v2-lab 7): nothing that has a result or a signature is taken away.
#include "lib/domain/order_request.hpp"

#include <gmock/gmock.h>

namespace sgl::domain {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Analyte analyte(int id, std::string code, std::vector<std::string> panels = {}) {
    Analyte analyte;
    analyte.id = AnalyteId{id};
    analyte.local_code = std::move(code);
    analyte.panels = std::move(panels);
    return analyte;
}

const Catalogue& catalogue() {
    static const Catalogue catalogue{{analyte(1, "NA", {"IONO"}), analyte(2, "K", {"IONO"}), analyte(3, "INR")}};
    return catalogue;
}

/// One message of the prescriber, written line by line.
class Message {
public:
    Message() {
        request_.order.group_number = "G1";
        request_.order.prescriber.family = "PRESCRIPTEUR";
    }
    Message& line(OrderControl control, const std::string& placer, const std::string& code = {},
                  std::vector<std::string> tubes = {}) {
        LineRequest line;
        const auto number = std::to_string(request_.lines.size() + 1);
        line.control = control;
        line.at = "ORC[" + number + "]";
        if (!code.empty()) line.obr_at = "OBR[" + number + "]";
        line.exam.placer_number = placer;
        line.exam.code = code;
        line.exam.label = code;
        line.exam.specimens = tubes;
        for (const auto& tube : tubes)
            specimen(tube);
        request_.lines.push_back(std::move(line));
        return *this;
    }
    Message& group(const std::string& number) {
        last().group = number;
        return *this;
    }
    Message& filler(const std::string& number) {
        last().filler = number;
        return *this;
    }
    Message& parent(const std::string& number) {
        last().exam.parent = number;
        return *this;
    }
    Message& drop() {
        last().drop = true;
        return *this;
    }
    Message& because(const std::string& reason) {
        last().reason = reason;
        return *this;
    }
    Message& refuse(const std::string& tube, const std::string& code) {
        auto& said = specimen(tube);
        said.refusal_code = code;
        said.refusal = specimen_refusal_label(code);
        return *this;
    }
    Message& by(const std::string& prescriber) {
        request_.order.prescriber.family = prescriber;
        return *this;
    }
    OrderRequest& request() { return request_; }
    Decision decided(std::vector<KnownOrder> known = {}) { return decide(request_, std::move(known), catalogue()); }

private:
    LineRequest& last() { return request_.lines.back(); }
    Specimen& specimen(const std::string& number) {
        for (auto& known : request_.order.specimens) {
            if (known.number == number) return known;
        }
        Specimen tube;
        tube.number = number;
        request_.order.specimens.push_back(tube);
        return request_.order.specimens.back();
    }
    OrderRequest request_;
};

/// The order of a first message: IONO on tube T1 (P1), INR on tube T2 (P2).
KnownOrder known(OrderState state = OrderState::registered, std::set<std::string> measured = {}) {
    const auto first = Message()
                           .line(OrderControl::order, "P1", "IONO", {"T1"})
                           .line(OrderControl::order, "P2", "INR", {"T2"})
                           .decided();
    KnownOrder order;
    order.number = "D1";
    order.group = first.orders[0].group;
    order.state = state;
    order.same_patient = true;
    order.prescriber = first.orders[0].prescriber;
    order.exams = first.orders[0].exams;
    order.specimens = first.orders[0].specimens;
    order.measured = std::move(measured);
    return order;
}

LineRefusal refusal(const Decision& decision, std::size_t line = 0) {
    return decision.lines.at(line).refusal;
}
std::vector<std::string> wanted(const KnownOrder& order) {
    std::vector<std::string> codes;
    for (const auto& exam : order.exams) {
        if (exam.state == ExamState::requested) codes.push_back(exam.placer_number + " " + exam.code);
    }
    return codes;
}

// ── new orders ──

TEST(NewOrder, IsOneFileWithItsLinesAndTubes) {
    const auto done = Message()
                          .line(OrderControl::order, "P1", "IONO", {"T1"})
                          .line(OrderControl::order, "P2", "INR", {"T2"})
                          .decided();
    ASSERT_EQ(done.orders.size(), 1U);
    EXPECT_TRUE(done.orders[0].fresh);
    EXPECT_THAT(wanted(done.orders[0]), ElementsAre("P1 IONO", "P2 INR"));
    EXPECT_THAT(done.orders[0].new_tubes, ElementsAre("T1", "T2"));
    EXPECT_EQ(done.lines[0].status, LineStatus::scheduled);
}

TEST(NewOrder, IsTakenWithoutTheLinesThatCantBe) {
    auto message = Message().line(OrderControl::order, "P1", "IONO", {"T1"});
    message.line(OrderControl::order, "P2").line(OrderControl::order, "", "INR").line(OrderControl::hold, "P9");
    const auto done = message.decided();
    EXPECT_EQ(refusal(done, 0), LineRefusal::none);
    EXPECT_EQ(refusal(done, 1), LineRefusal::no_examination);
    EXPECT_EQ(refusal(done, 2), LineRefusal::no_number);
    EXPECT_EQ(done.lines[2].coordinate, "ORC[3]-2");
    EXPECT_EQ(refusal(done, 3), LineRefusal::unsupported);
    EXPECT_EQ(done.lines[3].coordinate, "ORC[4]-1");
    EXPECT_THAT(wanted(done.orders.at(0)), ElementsAre("P1 IONO"));
}

TEST(NewOrder, OfNothingThatCanBeTakenIsNoOrder) {
    EXPECT_THAT(Message().line(OrderControl::hold, "P1", "IONO", {"T1"}).decided().orders, IsEmpty());
}

TEST(NewOrder, UnderAKnownNumberIsRefused) {
    const auto done = Message().line(OrderControl::order, "P1", "INR").decided({known()});
    EXPECT_EQ(refusal(done), LineRefusal::known_number);
    EXPECT_EQ(done.lines[0].coordinate, "OBR[1]-2");
    EXPECT_FALSE(done.orders[0].touched);
}

TEST(NewOrder, NeverUsesATubeOfSomebodyElse) {
    auto theirs = known();
    theirs.same_patient = false;
    const auto done = Message().line(OrderControl::order, "P9", "INR", {"T1"}).decided({theirs});
    EXPECT_EQ(refusal(done), LineRefusal::tube_of_another);
    EXPECT_FALSE(done.lines[0].order) << "nothing of somebody else's order is told";
    EXPECT_EQ(refusal(Message().line(OrderControl::order, "P1", "INR").decided({theirs})), LineRefusal::other_patient);
}

TEST(NewOrder, SpecimenBySpecimenIsOneLineWithTwoTubes) {
    const auto done = Message()
                          .line(OrderControl::order, "P1", "IONO", {"T1"})
                          .line(OrderControl::order, "P1", "IONO", {"T2"})
                          .decided();
    EXPECT_EQ(refusal(done, 1), LineRefusal::none);
    ASSERT_EQ(done.orders.at(0).exams.size(), 1U);
    EXPECT_THAT(done.orders[0].exams[0].specimens, ElementsAre("T1", "T2"));
}

TEST(NewOrder, HasTheNumberOfTheRegistrationAndLinesWithTheirOwn) {
    auto message = Message().line(OrderControl::order, "P1", "IONO").filler("F1");
    message.line(OrderControl::order, "P2", "INR").filler("F2").line(OrderControl::order, "P3", "K").filler("F1");
    const auto done = message.decided();
    EXPECT_EQ(done.orders.at(0).number, "F1");
    EXPECT_EQ(done.orders[0].exams[0].filler_number, "");
    EXPECT_EQ(done.orders[0].exams[1].filler_number, "F2");
    EXPECT_EQ(done.lines[1].filler, "F2");
}

// ── adding ──

TEST(AddOn, JoinsTheOrderOfItsTube) {
    const auto done = Message().by("AUTRE").line(OrderControl::order, "P3", "K", {"T1"}).decided({known()});
    ASSERT_EQ(done.orders.size(), 1U);
    EXPECT_THAT(wanted(done.orders[0]), ElementsAre("P1 IONO", "P2 INR", "P3 K"));
    EXPECT_THAT(done.orders[0].new_tubes, IsEmpty());
    ASSERT_EQ(done.orders[0].copies.size(), 1U) << "whoever asks for more is told, too";
    EXPECT_EQ(done.orders[0].copies[0].family, "AUTRE");
}

TEST(AddOn, JoinsThePrescriptionThatGoesOn) {
    const auto done = Message().line(OrderControl::order, "P3", "K", {"T3"}).group("G1").decided({known()});
    ASSERT_EQ(done.orders.size(), 1U);
    EXPECT_THAT(done.orders[0].new_tubes, ElementsAre("T3"));
    EXPECT_THAT(done.orders[0].copies, IsEmpty());
}

TEST(AddOn, ToASignedOrderIsRefusedUnlessItBringsATubeOfItsOwn) {
    const auto late = Message().line(OrderControl::order, "P3", "K", {"T1"}).decided({known(OrderState::reported)});
    EXPECT_EQ(refusal(late), LineRefusal::validated);
    EXPECT_TRUE(late.lines[0].late) << "work for a person";
    const auto fresh =
        Message().line(OrderControl::order, "P3", "K", {"T3"}).group("G1").decided({known(OrderState::reported)});
    EXPECT_EQ(refusal(fresh), LineRefusal::none);
    EXPECT_TRUE(fresh.orders.at(1).fresh);
}

TEST(AddOn, OfTubesOfTwoOrdersIsRefused) {
    auto other = known();
    other.exams = {{"Q1", "K", "K"}};
    other.specimens.resize(1);
    other.specimens[0].number = "T9";
    EXPECT_EQ(refusal(Message().line(OrderControl::order, "P3", "K", {"T1", "T9"}).decided({known(), other})),
              LineRefusal::two_orders);
}

TEST(Reflex, StandsUnderTheOrderThatItComesFrom) {
    auto message = Message().line(OrderControl::parent, "P1", "IONO");
    message.line(OrderControl::child, "P1.1", "K").parent("P1");
    const auto done = message.decided({known()});
    EXPECT_EQ(refusal(done, 0), LineRefusal::none);
    ASSERT_EQ(done.orders.size(), 1U);
    EXPECT_EQ(done.orders[0].exams.back().parent, "P1");
    EXPECT_EQ(refusal(Message().line(OrderControl::parent, "P77", "IONO").decided({known()})),
              LineRefusal::unknown_number);
}

// ── cancelling ──

TEST(Cancel, TakesOneLineAway) {
    const auto done = Message().line(OrderControl::cancel, "P2").because("Erreur").decided({known()});
    EXPECT_EQ(refusal(done), LineRefusal::none);
    EXPECT_EQ(done.lines[0].status, LineStatus::cancelled);
    EXPECT_THAT(wanted(done.orders[0]), ElementsAre("P1 IONO"));
    EXPECT_EQ(done.orders[0].exams[1].reason, "Erreur");
    EXPECT_EQ(done.orders[0].state, OrderState::registered);
    EXPECT_THAT(done.orders[0].acts, ElementsAre("cancel P2"));
}

TEST(Cancel, OfTheLastLineCancelsTheOrder) {
    const auto done = Message().line(OrderControl::cancel, "P1").line(OrderControl::cancel, "P2").decided({known()});
    EXPECT_EQ(done.orders[0].state, OrderState::cancelled);
    EXPECT_EQ(refusal(Message().line(OrderControl::cancel, "P1").decided({done.orders[0]})), LineRefusal::none)
        << "said twice";
}

TEST(Cancel, OfTheGroupCancelsAllOfIt) {
    const auto done = Message().line(OrderControl::cancel, "").group("G1").decided({known()});
    EXPECT_EQ(refusal(done), LineRefusal::none);
    EXPECT_EQ(done.orders[0].state, OrderState::cancelled);
    EXPECT_EQ(Message().line(OrderControl::cancel, "").filler("D1").decided({known()}).orders[0].state,
              OrderState::cancelled);
}

TEST(Cancel, OfTheGroupCancelsNothingWhenAPartIsMeasured) {
    const auto done =
        Message().line(OrderControl::cancel, "").group("G1").decided({known(OrderState::in_progress, {"K"})});
    EXPECT_EQ(refusal(done), LineRefusal::has_results);
    EXPECT_FALSE(done.orders[0].touched);
}

TEST(Cancel, AfterResultsOrSignatureIsRefusedAndAPersonDecides) {
    const auto measured = Message().line(OrderControl::cancel, "P1").decided({known(OrderState::in_progress, {"NA"})});
    EXPECT_EQ(refusal(measured), LineRefusal::has_results);
    EXPECT_EQ(measured.lines[0].status, LineStatus::in_process);
    EXPECT_TRUE(measured.lines[0].late);
    const auto other = Message().line(OrderControl::cancel, "P2").decided({known(OrderState::in_progress, {"NA"})});
    EXPECT_EQ(refusal(other), LineRefusal::none) << "the other line has no result";
    for (const auto state : {OrderState::fully_validated, OrderState::reported}) {
        const auto is_signed = Message().line(OrderControl::cancel, "P2").decided({known(state)});
        EXPECT_EQ(refusal(is_signed), LineRefusal::validated);
        EXPECT_EQ(is_signed.lines[0].status, LineStatus::completed);
        EXPECT_TRUE(is_signed.lines[0].late);
    }
}

TEST(Cancel, OfSomethingUnknownOrOfSomebodyElseIsRefused) {
    EXPECT_EQ(refusal(Message().line(OrderControl::cancel, "P77").decided({known()})), LineRefusal::unknown_number);
    auto theirs = known();
    theirs.same_patient = false;
    EXPECT_EQ(refusal(Message().line(OrderControl::cancel, "P1").decided({theirs})), LineRefusal::other_patient);
    EXPECT_EQ(refusal(Message().line(OrderControl::cancel, "").group("G1").decided({theirs})),
              LineRefusal::unknown_number);
}

TEST(Cancel, FreesTheNumberForNothing) {
    const auto cancelled = Message().line(OrderControl::cancel, "P2").decided({known()}).orders[0];
    EXPECT_EQ(refusal(Message().line(OrderControl::order, "P2", "INR").decided({cancelled})),
              LineRefusal::known_number);
}

TEST(CancelledOrder, OpensAgainWhenSomethingIsAdded) {
    auto cancelled = known(OrderState::cancelled);
    for (auto& exam : cancelled.exams)
        exam.state = ExamState::cancelled;
    const auto done = Message().line(OrderControl::order, "P3", "K", {"T1"}).decided({cancelled});
    EXPECT_EQ(done.orders[0].state, OrderState::registered);
}

// ── changing and replacing ──

TEST(Change, TakesAnotherExaminationTubeOrUrgency) {
    auto message = Message().line(OrderControl::change, "P2", "K", {"T3"});
    message.request().lines[0].urgent = true;
    const auto done = message.decided({known()});
    EXPECT_EQ(refusal(done), LineRefusal::none);
    EXPECT_THAT(wanted(done.orders[0]), ElementsAre("P1 IONO", "P2 K"));
    EXPECT_THAT(done.orders[0].exams[1].specimens, ElementsAre("T3"));
    EXPECT_TRUE(done.orders[0].urgent);
}

TEST(Change, AddsAndDropsTests) {
    auto message = Message().line(OrderControl::change, "P3", "K").group("G1");
    message.line(OrderControl::change, "P2", "INR").drop();
    const auto done = message.decided({known()});
    EXPECT_EQ(refusal(done, 0), LineRefusal::none);
    EXPECT_EQ(refusal(done, 1), LineRefusal::none);
    EXPECT_THAT(wanted(done.orders[0]), ElementsAre("P1 IONO", "P3 K"));
    EXPECT_EQ(refusal(Message().line(OrderControl::change, "P9", "K").decided({known()})), LineRefusal::unknown_number);
}

TEST(Change, OfWhatIsMeasuredSignedOrCancelledIsRefused) {
    EXPECT_EQ(
        refusal(Message().line(OrderControl::change, "P2", "K").decided({known(OrderState::in_progress, {"INR"})})),
        LineRefusal::has_results);
    EXPECT_EQ(refusal(Message().line(OrderControl::change, "P2", "K").decided({known(OrderState::reported)})),
              LineRefusal::validated);
    auto cancelled = known();
    cancelled.exams[1].state = ExamState::cancelled;
    EXPECT_EQ(refusal(Message().line(OrderControl::change, "P2", "K").decided({cancelled})),
              LineRefusal::cancelled_already);
}

TEST(Replace, TakesTheOldLineAndTheNewOneTogether) {
    const auto done =
        Message().line(OrderControl::replace, "P2").line(OrderControl::replacement, "P3", "K").decided({known()});
    EXPECT_EQ(done.lines[0].status, LineStatus::replaced);
    EXPECT_EQ(done.lines[1].status, LineStatus::scheduled);
    EXPECT_THAT(wanted(done.orders[0]), ElementsAre("P1 IONO", "P3 K"));
}

TEST(Replace, LeavesAllAsItWasWhenAPartCantBeTaken) {
    const auto no_exam =
        Message().line(OrderControl::replace, "P2").line(OrderControl::replacement, "P3").decided({known()});
    EXPECT_EQ(refusal(no_exam, 0), LineRefusal::refused_replacement);
    EXPECT_EQ(refusal(no_exam, 1), LineRefusal::no_examination);
    EXPECT_FALSE(no_exam.orders[0].touched);
    EXPECT_THAT(wanted(no_exam.orders[0]), ElementsAre("P1 IONO", "P2 INR"));
    const auto measured = Message()
                              .line(OrderControl::replace, "P2")
                              .line(OrderControl::replacement, "P3", "K")
                              .decided({known(OrderState::in_progress, {"INR"})});
    EXPECT_EQ(refusal(measured, 0), LineRefusal::has_results);
    EXPECT_EQ(refusal(measured, 1), LineRefusal::not_replaced);
    EXPECT_EQ(refusal(Message().line(OrderControl::replacement, "P3", "K").decided({known()})),
              LineRefusal::not_replaced);
}

TEST(Replace, ByItselfHasItsOwnExaminationUnderTheSameNumber) {
    const auto done = Message().line(OrderControl::replace, "P2", "K").decided({known()});
    EXPECT_EQ(refusal(done), LineRefusal::none);
    EXPECT_THAT(wanted(done.orders[0]), ElementsAre("P1 IONO", "P2 K"));
    EXPECT_EQ(done.orders[0].exams[1].state, ExamState::replaced);
}

// ── numbers and status ──

TEST(Number, AskedForIsGivenWhetherTheOrderIsKnownOrNew) {
    EXPECT_EQ(refusal(Message().line(OrderControl::send_number, "P1").decided({known()})), LineRefusal::none);
    const auto fresh = Message().line(OrderControl::send_number, "P5", "K").decided();
    EXPECT_EQ(refusal(fresh), LineRefusal::none);
    EXPECT_TRUE(fresh.orders.at(0).fresh);
}

TEST(Number, ThatWeAskedForIsWrittenToTheLine) {
    auto ours = known();
    ours.exams[1].placer_number.clear();
    auto message = Message().line(OrderControl::number, "P7", "INR").filler("D1");
    const auto done = message.decided({ours});
    EXPECT_EQ(refusal(done), LineRefusal::none);
    EXPECT_EQ(done.orders[0].exams[1].placer_number, "P7");
    EXPECT_THAT(done.orders[0].new_placers, ElementsAre("P7"));
}

TEST(Status, IsToldAndTellsWhenTheTubeWasCollected) {
    auto there = known();
    const auto collected = Timestamp::parse("20260314071500+0100").value();
    auto message = Message().line(OrderControl::status, "P1", "IONO", {"T1"});
    message.request().order.specimens[0].collected_at = collected;
    const auto done = message.decided({there});
    EXPECT_EQ(refusal(done), LineRefusal::none);
    EXPECT_EQ(done.orders[0].specimens[0].collected_at, collected);
    EXPECT_TRUE(done.orders[0].touched);
    const auto asked = Message().line(OrderControl::ask_status, "P1").decided({known(OrderState::reported)});
    EXPECT_EQ(asked.lines[0].status, LineStatus::completed);
    EXPECT_FALSE(asked.orders[0].touched);
}

// ── refused tubes ──

TEST(RefusedTube, LeavesItsExaminationsUndoneWithTheReason) {
    const auto done = Message().line(OrderControl::status, "P2", "INR", {"T2"}).refuse("T2", "RB").decided({known()});
    EXPECT_THAT(wanted(done.orders[0]), ElementsAre("P1 IONO"));
    EXPECT_EQ(done.orders[0].exams[1].state, ExamState::not_done);
    EXPECT_EQ(done.orders[0].exams[1].reason, "Prélèvement refusé : Tube cassé");
    EXPECT_THAT(done.orders[0].refused_tubes, ElementsAre("T2"));
    ASSERT_EQ(done.not_done.size(), 1U);
    EXPECT_EQ(done.not_done[0].code, "INR");
    EXPECT_EQ(done.not_done[0].tube, "T2");
    EXPECT_EQ(done.orders[0].state, OrderState::registered) << "to be signed as not done";
}

TEST(RefusedTube, OfSeveralLeavesTheExaminationToTheOthers) {
    auto message = Message().line(OrderControl::order, "P1", "IONO", {"T1", "T2"}).refuse("T1", "RH");
    const auto done = message.decided();
    EXPECT_THAT(wanted(done.orders[0]), ElementsAre("P1 IONO"));
    EXPECT_THAT(done.not_done, IsEmpty());
}

TEST(RefusedTube, DoesNotTakeAnAnalysisThatAnotherTubeGives) {
    auto message =
        Message().line(OrderControl::order, "P1", "IONO", {"T1"}).line(OrderControl::order, "P2", "K", {"T2"});
    const auto done = message.refuse("T1", "RC").decided();
    ASSERT_EQ(done.not_done.size(), 1U);
    EXPECT_EQ(done.not_done[0].code, "NA");
}

TEST(RefusedTube, AfterResultsOrSignatureIsForAPerson) {
    const auto measured = Message()
                              .line(OrderControl::status, "P2", "INR", {"T2"})
                              .refuse("T2", "RB")
                              .decided({known(OrderState::in_progress, {"INR"})});
    EXPECT_THAT(measured.late_tubes, ElementsAre("T2"));
    EXPECT_THAT(measured.not_done, IsEmpty());
    const auto is_signed = Message()
                               .line(OrderControl::status, "P2", "INR", {"T2"})
                               .refuse("T2", "RB")
                               .decided({known(OrderState::reported)});
    EXPECT_THAT(is_signed.late_tubes, ElementsAre("T2"));
    EXPECT_FALSE(is_signed.orders[0].touched);
}

TEST(RefusedTube, CanBeCollectedAgain) {
    const auto lost =
        Message().line(OrderControl::status, "P2", "INR", {"T2"}).refuse("T2", "RB").decided({known()}).orders[0];
    const auto again = Message().line(OrderControl::change, "P2", "INR", {"T3"}).decided({lost});
    EXPECT_THAT(wanted(again.orders[0]), ElementsAre("P1 IONO", "P2 INR"));
    EXPECT_THAT(again.orders[0].asked_again, ElementsAre("INR"));
}

}  // namespace
}  // namespace sgl::domain
