// What a reader of a replaced report is told first (lab-domain 3.4).
#include "lib/domain/amendment.hpp"

#include <gtest/gtest.h>

namespace sgl::domain {
namespace {

ReportedResult measured(std::string code, std::string label, std::string_view number) {
    ReportedResult result;
    result.local_code = std::move(code);
    result.label = std::move(label);
    result.value = Quantity{Comparator::none, Decimal::parse(number).value(), "mmol/L"};
    return result;
}

Amendment amendment() {
    Amendment made;
    made.version = 1;
    made.validated_at = Timestamp::parse("20260314081500+0100").value();
    made.reason = "Interférence, dosage refait";
    made.before = {measured("NA", "Sodium", "118"), measured("CL", "Chlorure", "101")};
    made.after = {measured("NA", "Sodium", "138"), measured("CL", "Chlorure", "101")};
    return made;
}

TEST(Amendment, SaysWhatItReplacesAndWhyAndTheOldValueBesideTheNewOne) {
    EXPECT_EQ(french(amendment()),
              "Annule et remplace la version 1 validée le 14/03/2026 à 08:15.\n"
              "Motif : Interférence, dosage refait\n"
              "Résultat corrigé : Sodium 138 mmol/L (au lieu de 118 mmol/L).");
}

TEST(Amendment, NamesWhatWasAddedAndWhatIsNotThereAnyMore) {
    auto made = amendment();
    made.after = {measured("CL", "Chlorure", "101"), measured("K", "Potassium", "4.1"),
                  measured("CA", "Calcium", "2.3")};
    const auto text = french(made);
    EXPECT_NE(text.find("\nRésultats ajoutés : Potassium 4,1 mmol/L ; Calcium 2,3 mmol/L."), std::string::npos) << text;
    EXPECT_NE(text.find("\nRésultat retiré : Sodium 118 mmol/L."), std::string::npos) << text;
    EXPECT_EQ(text.find("corrigé"), std::string::npos) << text;
}

TEST(Amendment, CallsAResultNotDoneWhatItIs) {
    auto made = amendment();
    made.after[0].not_done = true;
    const auto text = french(made);
    EXPECT_NE(text.find("Sodium non réalisé (au lieu de 118 mmol/L)"), std::string::npos) << text;
}

TEST(Amendment, GoesOnWhereAPartialReportStopped) {
    auto made = amendment();
    made.kind = ReportKind::partial;
    made.reason.clear();
    made.after = made.before;
    made.after.push_back(measured("K", "Potassium", "4.1"));
    EXPECT_EQ(french(made),
              "Complète et remplace le compte rendu partiel (version 1) validé le 14/03/2026 à 08:15.\n"
              "Résultat ajouté : Potassium 4,1 mmol/L.");
    EXPECT_FALSE(corrects(made)) << "nobody has to say why";
    EXPECT_FALSE(changes_nothing(made));
    made.after.pop_back();
    EXPECT_TRUE(changes_nothing(made));
}

TEST(Amendment, CallsACorrectionWhatChangesOrIsTakenBack) {
    auto made = amendment();
    made.kind = ReportKind::partial;
    EXPECT_TRUE(corrects(made));
    EXPECT_TRUE(corrects(made, made.after[0]));
    EXPECT_FALSE(corrects(made, made.after[1]));
    made.after = {made.before[1]};
    EXPECT_TRUE(corrects(made)) << "sodium is gone";
}

ReportedLine of_germ(std::string code, ValueKind kind, std::string words, bool preliminary = false) {
    ReportedLine line;
    line.isolate = "1001#1";
    line.kind = kind;
    line.preliminary = preliminary;
    line.reported.label = line.reported.local_code = std::move(code);
    line.reported.value = Words{std::move(words)};
    return line;
}

TEST(Amendment, CallsAnIdentificationForGoodAProgressAndNoCorrection) {
    const std::vector before{of_germ("GERME", ValueKind::organism, "Cocci à Gram positif", true)};
    const std::vector after{of_germ("GERME", ValueKind::organism, "Staphylococcus aureus"),
                            of_germ("OXA", ValueKind::antibiotic, "S")};
    auto made = amendment_of(before, after);
    made.version = 1;
    made.validated_at = Timestamp::parse("20260314081500+0100").value();
    EXPECT_FALSE(corrects(made));
    const auto text = french(made);
    EXPECT_NE(
        text.find("\nRésultat provisoire précisé : GERME Staphylococcus aureus (au lieu de Cocci à Gram positif)."),
        std::string::npos)
        << text;
    EXPECT_NE(text.find("\nRésultat ajouté : Staphylococcus aureus, OXA S."), std::string::npos) << text;
    EXPECT_TRUE(corrects(amendment_of(after, before))) << "what was said for good is another thing";
}

}  // namespace
}  // namespace sgl::domain
