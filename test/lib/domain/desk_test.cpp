// What a secretary types, and what it means: every refusal is a sentence at its field (lab-domain 2.3; hl7v2-lab 7).
#include "lib/domain/desk.hpp"

#include <gmock/gmock.h>

#include "lib/domain/order_news.hpp"

namespace sgl::domain {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Analyte analyte(int id, std::string code, std::string label, std::string specimen,
                std::vector<std::string> panels = {}) {
    Analyte analyte;
    analyte.id = AnalyteId{id};
    analyte.local_code = std::move(code);
    analyte.label = std::move(label);
    analyte.specimen = std::move(specimen);
    analyte.panels = std::move(panels);
    return analyte;
}

Professional doctor(std::string family, std::string given, std::string_view rpps) {
    Professional who;
    who.family = std::move(family);
    who.given = std::move(given);
    who.rpps = Rpps::parse(rpps).value();
    who.title = "DR";
    return who;
}

class DeskTest : public ::testing::Test {
protected:
    DeskTest() {
        form_.patient = PatientId{Uuid::v7(now_)};
        form_.prescriber = "MEDECIN Alice 89990000001";
        form_.more_exams = "IONO";
    }
    DeskReading read() { return read_new(form_, knowledge()); }
    DeskKnowledge knowledge() { return {catalogue_, people_, "1.2.250.1.999.1", TimeZone::paris(), now_}; }
    std::vector<std::string> errors() {
        std::vector<std::string> fields;
        for (const auto& error : read().errors)
            fields.push_back(error.field);
        return fields;
    }
    std::vector<std::string> codes() {
        std::vector<std::string> codes;
        for (const auto& line : read().request.lines)
            codes.push_back(line.exam.code);
        return codes;
    }

    Instant now_{parse_iso8601("2026-11-22T09:00:00Z").value()};
    const Catalogue catalogue_{{analyte(1, "NA", "Sodium", "SER", {"IONO"}),
                                analyte(2, "K", "Potassium", "SER", {"IONO"}), analyte(3, "INR", "INR", "PPP"),
                                analyte(4, "GLU", "Glucose", "SER"), analyte(5, "GLUU", "Glucose urinaire", "UR")}};
    const std::vector<Professional> people_{doctor("MEDECIN", "Alice", "89990000001"),
                                            doctor("MEDECIN", "Bruno", "89990000002"),
                                            doctor("COPIE", "Sam", "89990000003")};
    DeskForm form_;
};

TEST_F(DeskTest, AChosenPrescriberAndAPanelAreAWholeOrder) {
    const auto reading = read();
    EXPECT_THAT(reading.errors, IsEmpty());
    EXPECT_EQ(reading.request.order.prescriber, people_[0]);
    ASSERT_EQ(reading.request.lines.size(), 1U);
    EXPECT_EQ(reading.request.lines[0].exam.code, "IONO");
    ASSERT_EQ(reading.request.order.specimens.size(), 1U) << "nobody said anything of tubes: one of each kind needed";
    EXPECT_EQ(reading.request.order.specimens[0].type, "SER");
    EXPECT_EQ(reading.request.order.specimens[0].number, "") << "we give the number";
}

TEST_F(DeskTest, ExaminationsAreFoundByCodesLabelsAndTheirBeginning) {
    form_.more_exams = "iono INR; glucose urin";
    EXPECT_THAT(codes(), ElementsAre("IONO", "INR", "GLUU"));
    form_.more_exams = "Glucose";
    EXPECT_THAT(codes(), ElementsAre("GLU")) << "a whole label before a longer one";
    form_.more_exams = "IONO, MAGNESIUM";
    EXPECT_THAT(errors(), ElementsAre("more_exams"));
    form_.more_exams = "glu, iono";
    form_.exams = {"IONO"};
    EXPECT_THAT(codes(), ElementsAre("IONO", "GLU")) << "nothing is asked twice";
    form_.exams.clear();
    form_.more_exams.clear();
    EXPECT_THAT(errors(), ElementsAre("more_exams"));
}

TEST_F(DeskTest, APersonIsChosenBySomeWordsOrWrittenWithHisNumber) {
    form_.prescriber = "medecin bruno";
    EXPECT_EQ(read().request.order.prescriber, people_[1]);
    form_.prescriber = "MEDECIN";
    EXPECT_THAT(errors(), ElementsAre("prescriber")) << "two have that name";
    form_.prescriber = "NOUVEAU Zoé";
    EXPECT_THAT(errors(), ElementsAre("prescriber")) << "somebody whom we do not know has a number";
    form_.prescriber = "NOUVEAU Zoé 8999000";
    EXPECT_EQ(read().errors[0].text, "Le numéro RPPS a 11 chiffres.");
    form_.prescriber = "Dr DE LA RUE Zoé 89990000009";
    const auto who = read().request.order.prescriber;
    EXPECT_EQ(who.family, "DE LA RUE");
    EXPECT_EQ(who.given, "Zoé");
    EXPECT_EQ(who.title, "DR");
    EXPECT_EQ(who.rpps.text(), "89990000009");
    form_.copies = {"copie", "", "COPIE Sam 89990000003", "personne"};
    const auto reading = read();
    EXPECT_THAT(reading.request.order.copies, ElementsAre(people_[2])) << "once, however often";
    ASSERT_EQ(reading.errors.size(), 1U);
    EXPECT_EQ(reading.errors[0].field, "copies[4]");
}

TEST_F(DeskTest, ANewPatientHasItsStrictTraits) {
    form_.patient.reset();
    EXPECT_THAT(errors(), ElementsAre("birth_name", "first_given_name", "birth_date", "sex"));
    form_.traits = {"Pat-Éloïse", "zoé", "", "", "28/03/1979", "F", "2a004", "", "", "", ""};
    const auto reading = read();
    EXPECT_THAT(reading.errors, IsEmpty());
    const auto& traits = reading.request.order.patient.traits.reveal();
    EXPECT_EQ(traits.birth_name, "PAT-ELOISE");
    EXPECT_EQ(traits.birth_given_names, "ZOE");
    EXPECT_EQ(to_hl7(*traits.birth_date), "19790328");
    EXPECT_EQ(traits.birth_place, "2A004");
    EXPECT_EQ(reading.request.order.patient.local_authority_oid, "1.2.250.1.999.1");
    form_.traits = {"PAT3", "ZOE", "MARIE ZOE", "", "31/02/1979", "X", "63", "", "", "", ""};
    EXPECT_THAT(errors(), ElementsAre("birth_name", "birth_given_names", "birth_date", "sex", "birth_place"));
    form_.traits = {"PAT", "ZOE", "", "", "28/03/2079", "F", "", "", "", "", ""};
    EXPECT_THAT(errors(), ElementsAre("birth_date"));
}

TEST_F(DeskTest, TubesKeepTheTimeOfTheirCollectionWithItsZone) {
    form_.tubes = {{"", "T1", "SER", ""}, {"", "", "", ""}, {"", "", "PPP", "2026-11-22T07:05"}};
    form_.collected = "2026-11-22T08:15";
    const auto reading = read();
    EXPECT_THAT(reading.errors, IsEmpty());
    const auto& tubes = reading.request.order.specimens;
    ASSERT_EQ(tubes.size(), 2U);
    EXPECT_EQ(to_hl7(*tubes[0].collected_at), "202611220815+0100");
    EXPECT_EQ(to_hl7(*tubes[1].collected_at), "202611220705+0100");
    EXPECT_TRUE(tubes[0].received_at);
    form_.collected = "2026-11-22T18:15";
    EXPECT_THAT(errors(), Contains("collected")) << "not collected yet";
    form_.collected.clear();
    form_.tubes = {{"", "T1", "SER", ""}, {"", "T1", "", ""}, {"", "T 3", "SER", ""}};
    EXPECT_THAT(errors(), ElementsAre("tubes[2].type", "tubes[2].number", "tubes[3].number"));
}

TEST_F(DeskTest, NumbersOfTheDeskComeFromOne) {
    form_.more_exams = "IONO, INR";
    form_.tubes = {{"", "CB1", "SER", ""}, {"", "", "PPP", ""}};
    auto request = read().request;
    give_numbers(request, "261122000012", catalogue_);
    EXPECT_EQ(request.order.group_number, "261122000012");
    EXPECT_EQ(request.order.specimens[1].number, "26112200001201");
    EXPECT_EQ(request.lines[0].exam.placer_number, "261122000012-1");
    EXPECT_EQ(request.lines[1].filler, "261122000012");
    EXPECT_THAT(request.lines[0].exam.specimens, ElementsAre("CB1")) << "made from the tubes of its kind";
    EXPECT_THAT(request.lines[1].exam.specimens, ElementsAre("26112200001201"));
    const auto done = decide(request, {}, catalogue_);
    ASSERT_EQ(done.orders.size(), 1U);
    EXPECT_EQ(done.orders[0].number, "261122000012");
    EXPECT_EQ(done.orders[0].specimens.size(), 2U);
}

// ── corrections ──

class DeskCorrection : public DeskTest {
protected:
    DeskCorrection() {
        order_.number = "D1";
        order_.same_patient = true;
        order_.prescriber = people_[0];
        order_.copies = {people_[2]};
        order_.exams = {{"P1", "IONO", "IONO"}, {"P2", "INR", "INR"}};
        order_.exams[0].specimens = {"T1"};
        order_.exams[1].specimens = {"T2"};
        for (const auto* number : {"T1", "T2"}) {
            Specimen tube;
            tube.number = number;
            tube.type = "SER";
            tube.collected_at = Timestamp::parse("20261122081500+0100").value();
            order_.specimens.push_back(tube);
        }
        form_ = form_of(order_, TimeZone::paris());
    }
    DeskRequest corrected() {
        auto reading = read_correction(form_, order_, knowledge());
        EXPECT_THAT(reading.errors, IsEmpty());
        give_numbers(reading.request, "D2", catalogue_);
        return std::move(reading.request);
    }
    DeskDecision decided(std::vector<KnownOrder> others = {}) {
        others.insert(others.begin(), order_);
        return decide(corrected(), std::move(others), catalogue_);
    }
    std::vector<std::string> sentences(std::vector<KnownOrder> others = {}) {
        others.insert(others.begin(), order_);
        const auto request = corrected();
        std::vector<std::string> all;
        for (const auto& error : field_errors(form_, request, decide(request, std::move(others), catalogue_)))
            all.push_back(error.field + ": " + error.text);
        return all;
    }
    KnownOrder order_;
};

TEST_F(DeskCorrection, OfNothingTouchesNothing) {
    const auto done = decided();
    EXPECT_FALSE(done.orders[0].touched);
    EXPECT_THAT(done.corrections, IsEmpty());
}

TEST_F(DeskCorrection, ChangesPrescriberCopiesUrgencyAndContext) {
    form_.prescriber = "MEDECIN Bruno 89990000002";
    form_.copies = {"", ""};
    form_.urgent = true;
    form_.clinical_context = "Bilan\r\npréopératoire";
    const auto done = decided();
    const auto& order = done.orders[0];
    EXPECT_EQ(order.prescriber, people_[1]);
    EXPECT_THAT(order.copies, IsEmpty()) << "somebody who was a copy by mistake is none any more";
    EXPECT_TRUE(order.urgent);
    EXPECT_EQ(order.clinical_context, "Bilan\npréopératoire");
    EXPECT_THAT(order.acts, ElementsAre("prescriber", "copies", "clinical context", "urgency"));
}

TEST_F(DeskCorrection, AddsAndCancelsExaminationsByTheRulesOfMessages) {
    form_.more_exams = "GLU";
    form_.cancelled = {"P2"};
    form_.cancel_reason = "Erreur de saisie";
    const auto done = decided();
    ASSERT_EQ(done.orders.size(), 1U);
    EXPECT_EQ(done.orders[0].exams[1].state, ExamState::cancelled);
    EXPECT_EQ(done.orders[0].exams[1].reason, "Erreur de saisie");
    ASSERT_EQ(done.orders[0].exams.size(), 3U);
    EXPECT_EQ(done.orders[0].exams[2].placer_number, "D2-1");
    order_.measured = {"INR"};
    EXPECT_THAT(sentences(), ElementsAre("cancelled: Analyse déjà réalisée : appeler le laboratoire."));
    order_.state = OrderState::reported;
    EXPECT_THAT(sentences(), Contains("order: Dossier déjà validé : appeler le laboratoire."));
    form_.cancel_reason = " ";
    EXPECT_EQ(read_correction(form_, order_, knowledge()).errors[0].field, "cancel_reason");
    form_.more_exams = "IONO";
    EXPECT_EQ(read_correction(form_, order_, knowledge()).errors.back().text, "« IONO » est déjà demandé.");
}

TEST_F(DeskCorrection, GivesATubeItsRightNumberUntilSomethingWasMeasured) {
    form_.tubes[0].number = "T9";
    auto done = decided();
    EXPECT_EQ(done.orders[0].specimens[0].number, "T9");
    EXPECT_THAT(done.orders[0].exams[0].specimens, ElementsAre("T9"));
    EXPECT_THAT(done.renamed, ElementsAre(std::pair<std::string, std::string>("T1", "T9")));
    order_.measured = {"NA"};
    EXPECT_THAT(sentences(), ElementsAre("tubes[1].number: Analyse déjà réalisée : appeler le laboratoire."));
    form_.tubes[0] = {"T1", "T1", "SER", "2026-11-22T07:00"};
    done = decided();
    EXPECT_EQ(to_hl7(*done.orders[0].specimens[0].collected_at), "202611220700+0100") << "its time can be mended";
    EXPECT_THAT(done.renamed, IsEmpty());
}

TEST_F(DeskCorrection, ARefusedTubeLeavesItsExaminationsUndoneUntilSomethingWasMeasured) {
    form_.tubes[0].refusal = "RH";
    const auto done = decided();
    EXPECT_EQ(done.orders[0].specimens[0].refusal, "Prélèvement hémolysé");
    EXPECT_EQ(done.orders[0].exams[0].state, ExamState::not_done);
    EXPECT_EQ(done.orders[0].exams[0].reason, "Prélèvement refusé : Prélèvement hémolysé");
    EXPECT_EQ(done.orders[0].exams[1].state, ExamState::requested) << "it is made from the other tube";
    EXPECT_FALSE(done.not_done.empty());

    form_.tubes[0].refusal = "XX";
    EXPECT_EQ(read_correction(form_, order_, knowledge()).errors.at(0).text, "Ce motif de refus est inconnu.");
    form_.tubes[0].refusal.clear();
    form_.tubes.push_back({"", "T8", "SER", "2026-11-22T07:00", "RH"});
    EXPECT_EQ(read_correction(form_, order_, knowledge()).errors.at(0).field, "tubes[3].refusal");
    form_.tubes.pop_back();
    form_.tubes[0].refusal = "RH";
    order_.measured = {"NA"};
    EXPECT_THAT(sentences(), ElementsAre("tubes[1].number: Analyse déjà réalisée : appeler le laboratoire."));
}

TEST_F(DeskCorrection, TellsTheRequesterWhatBecameOfEachLine) {
    form_.more_exams = "GLU";
    form_.cancelled = {"P2"};
    form_.cancel_reason = "Erreur de saisie";
    form_.tubes[0].refusal = "RB";
    const auto done = decided();
    const auto news = news_of(&order_, done.orders[0]);
    ASSERT_EQ(news.size(), 3U);
    EXPECT_EQ(news[0].what, OrderNews::What::not_done);
    EXPECT_EQ(news[1].what, OrderNews::What::cancelled);
    EXPECT_EQ(news[2].what, OrderNews::What::added);
    EXPECT_EQ(news[2].exam.placer_number, "D2-1");
    EXPECT_TRUE(numbered_here(news[2].exam));
    EXPECT_FALSE(numbered_here(news[1].exam));
    EXPECT_THAT(news_of(&done.orders[0], done.orders[0]), IsEmpty()) << "what is told once is no news";
}

TEST_F(DeskCorrection, TwoTubesTakenForEachOtherChangePlaces) {
    form_.tubes[0].number = "T2";
    form_.tubes[1].number = "T1";
    const auto done = decided();
    EXPECT_THAT(done.corrections, IsEmpty());
    EXPECT_THAT(done.orders[0].exams[0].specimens, ElementsAre("T2"));
    EXPECT_THAT(done.orders[0].exams[1].specimens, ElementsAre("T1"));
    EXPECT_THAT(done.renamed, IsEmpty());
}

TEST_F(DeskCorrection, ATubeOfAnotherOrderIsRefusedAtItsField) {
    KnownOrder other;
    other.number = "D7";
    Specimen tube;
    tube.number = "T7";
    other.specimens.push_back(tube);
    form_.tubes[1].number = "T7";
    EXPECT_THAT(sentences({other}),
                ElementsAre("tubes[2].number: Ce numéro de prélèvement est celui d'un autre patient."));
    form_.tubes[1].number = "T2";
    form_.tubes.push_back({"", "T7", "SER", ""});
    EXPECT_THAT(sentences({other}),
                ElementsAre("tubes[3].number: Ce numéro de prélèvement est celui d'un autre patient."));
    other.same_patient = true;
    EXPECT_THAT(sentences({other}), ElementsAre("tubes[3].number: Ces prélèvements appartiennent à deux dossiers."));
}

}  // namespace
}  // namespace sgl::domain
