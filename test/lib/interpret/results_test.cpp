// An ORU^R01 as results of an order (hl7v2-lab 6.3 to 6.5, 8): everything is read, or held at its coordinate.
#include "lib/interpret/results.hpp"

#include <gmock/gmock.h>

#include "test/lib/interpret/samples.hpp"

namespace sgl::interpret {
namespace {

using domain::Reading;
using domain::Trouble;
using test::analyser;
using test::catalogue;
using test::message;
using test::msh_oru;
using test::obr;
using test::pid;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

auto is_trouble(const std::string& kind, const std::string& coordinate) {
    return ::testing::AllOf(Field("kind", &Trouble::kind, kind), Field("coordinate", &Trouble::coordinate, coordinate));
}

Reading read(std::initializer_list<std::string_view> segments, const domain::Link& link = analyser()) {
    const auto parsed = message(segments);
    auto read = results(parsed, link, catalogue());
    if (const auto* refusal = std::get_if<Refusal>(&read)) throw std::runtime_error("refused: " + refusal->what);
    return std::get<Reading>(std::move(read));
}

domain::ReceivedResult only(const Reading& reading) {
    if (reading.groups.size() != 1 || reading.groups[0].results.size() != 1)
        throw std::runtime_error("expected exactly one result");
    return reading.groups[0].results[0];
}

TEST(Results, AreReadWithEverythingThatComesBeside) {
    const auto reading = read({msh_oru, pid, obr,
                               "OBX|1|NM|NA^Sodium^L^2951-2^Sodium^LN|1|151|mmol/"
                               "L|136-145|H~ABC^vendeur^99X|||F|||20260314080000|||||20260314081000",
                               "NTE|1|L|Contrôlé~sur deux lignes", "NTE|2|L|et une autre"});
    ASSERT_EQ(reading.groups.size(), 1U);
    const auto& group = reading.groups[0];
    EXPECT_EQ(group.coordinate, "OBR");
    const auto result = only(reading);
    EXPECT_EQ(result.position, 1);
    EXPECT_EQ(result.code, "NA");
    EXPECT_EQ(result.analyte, domain::AnalyteId{1});
    EXPECT_EQ(result.run, "1");
    EXPECT_EQ(result.status, "F");
    EXPECT_EQ(result.received_flags, "H~ABC");
    EXPECT_EQ(result.note, "Contrôlé\nsur deux lignes\net une autre");
    EXPECT_EQ(result.measured_at, "20260314081000+0100") << "OBX-19, in the time zone of the site";
    EXPECT_FALSE(result.held);
    EXPECT_FALSE(reading.quarantined);
    // The vendor's flag is not ours: unknown never means normal.
    EXPECT_THAT(reading.troubles, ElementsAre(is_trouble("unknown_flag", "OBX-8")));
}

TEST(Results, ReadTheIdentityOnlyAsAClaim) {
    const auto reading = read({msh_oru, "PID|||1^^^LBM^PI||AUTRE^NOM^^^^^D~PAT-TROIS^DOMINIQUE^^^^^L||197903280000|F",
                               obr, "OBX|1|NM|NA||140|mmol/L|||||F"});
    const auto& claim = reading.groups.at(0).claim.reveal();
    EXPECT_EQ(claim.coordinate, "PID");
    EXPECT_EQ(claim.birth_name, "PAT-TROIS") << "the name of type L, not the used one";
    EXPECT_EQ(claim.given_name, "DOMINIQUE");
    EXPECT_EQ(claim.sex, domain::Sex::female);
    ASSERT_TRUE(claim.birth_date);
    EXPECT_EQ(claim.birth_date->year, 1979);
}

TEST(Results, HaveNoClaimWhereTheAnalyserNamesNobody) {
    EXPECT_TRUE(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|||||F"}).groups.at(0).claim.reveal().empty());
    EXPECT_TRUE(
        read({msh_oru, "PID|||^^^|||||", obr, "OBX|1|NM|NA||140|mmol/L|||||F"}).groups.at(0).claim.reveal().empty());
}

// ── what a link says of its analyser (hl7v2-lab 6.6) ──

TEST(Results, HaveTheCodesAndUnitsOfTheVendorTranslated) {
    auto link = analyser();
    link.codes = {{"Na+", "NA", "mmol/L", {}, {}}, {"K+", "K", "", {}, {}}};
    const auto sodium = read({msh_oru, obr, "OBX|1|NM|Na+||140||||||F"}, link);
    EXPECT_EQ(only(sodium).analyte, domain::AnalyteId{1});
    EXPECT_EQ(only(sodium).code, "Na+") << "as received";
    EXPECT_FALSE(only(sodium).held);
    const auto grams = read({msh_oru, obr, "OBX|1|NM|Na+||140|g/L|||||F"}, link);
    EXPECT_TRUE(only(grams).held) << "what the message says of its unit comes first";
    EXPECT_TRUE(only(read({msh_oru, obr, "OBX|1|NM|K+||4.0||||||F"}, link)).held) << "no unit is ever assumed";
}

TEST(Results, LeaveOutWhatTheLinkSaysIsNone) {
    auto link = analyser();
    link.ignored_codes = {"Take Mode"};
    const auto reading = read({msh_oru, obr, "OBX|1|ST|Take Mode||A||||||F", "OBX|2|NM|NA||140|mmol/L|||||F"}, link);
    EXPECT_EQ(only(reading).position, 2);
    EXPECT_THAT(reading.troubles, IsEmpty());
}

TEST(Results, ReadTheFlagsOfTheVendorAsTheLinkSays) {
    using Does = domain::Link::Flag::Does;
    auto link = analyser();
    link.flags = {{"1", Does::nothing, ""}, {"2", Does::comment, "Échantillon hémolysé"}, {"H", Does::block, ""}};
    const auto reading = read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L||1~2~N|||F"}, link);
    EXPECT_EQ(only(reading).received_flags, "N");
    EXPECT_EQ(only(reading).note, "Échantillon hémolysé");
    EXPECT_THAT(reading.troubles, IsEmpty());
    EXPECT_THAT(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L||H|||F"}, link).troubles,
                ElementsAre(is_trouble("vendor_flag", "OBX-8")))
        << "the link's word comes before the standard's";
    EXPECT_THAT(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L||9|||F"}, link).troubles,
                ElementsAre(is_trouble("unknown_flag", "OBX-8")));
}

TEST(Results, NeverTakeAControlForAPatientWhereOnlyItsNumberTells) {
    auto link = analyser();
    link.control_prefixes = {"QC"};
    const auto reading = read({msh_oru, "OBR|1||QC-0042|NFS", "OBX|1|NM|NA||140|mmol/L|||||F"}, link);
    EXPECT_THAT(reading.groups, IsEmpty());
    EXPECT_THAT(reading.troubles, ElementsAre(is_trouble("quality_control", "OBR")));
}

TEST(Results, FindTheSpecimenNumberWhereverAnalysersPutIt) {
    const std::string obx = "OBX|1|NM|NA||140|mmol/L|||||F";
    const auto numbers = [&](std::initializer_list<std::string_view> segments) {
        return read(segments).groups.at(0).numbers;
    };
    EXPECT_THAT(numbers({msh_oru, "OBR|1|P001||NFS", obx}), ElementsAre("P001"));
    EXPECT_THAT(numbers({msh_oru, "OBR|1||24050200123|NFS", obx}), ElementsAre("24050200123"));
    EXPECT_THAT(numbers({msh_oru, "OBR|1|P001|24050200123^SGL|NFS", obx}), ElementsAre("24050200123", "P001"));
    EXPECT_THAT(numbers({msh_oru, "OBR|1|\"\"||NFS", obx, "SPM|1|24050200124&SGL||SER"}), ElementsAre("24050200124"));
    EXPECT_THAT(numbers({msh_oru, "OBR|1|||NFS", obx, "SPM|1|^24050200125&AUTO||SER"}), ElementsAre("24050200125"));
    EXPECT_THAT(numbers({msh_oru, "OBR|1|P001||NFS", obx, "SPM|1|24050200123||SER", "SAC|||24050200126"}),
                ElementsAre("24050200126", "24050200123", "P001"))
        << "the most trusted first";
    EXPECT_THAT(numbers({msh_oru, "OBR|1|||NFS", obx}), IsEmpty());
}

TEST(Results, AreReadInEveryVersionThatAnalysersSpeak) {
    for (const auto* version : {"2.3", "2.3.1", "2.4", "2.5", "2.5.1"}) {
        const auto msh = R"(MSH|^~\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|1001|P|)" + std::string(version);
        EXPECT_EQ(only(read({msh, "OBR|1|P001|24050200123|NFS", "OBX|1|NM|NA||140|mmol/L|||||F"})).analyte,
                  domain::AnalyteId{1})
            << version;
    }
}

TEST(Results, StayWithTheirOwnObr) {
    const auto reading = read({msh_oru, pid, "OBR|1|P001|A|NFS", "OBX|1|NM|NA||140|mmol/L|||||F", "OBR|2|P002|B|NFS",
                               "OBX|1|NM|K||4.0|mmol/L|||||F", "OBX|2|NM|GB||7.2|G/L|||||F"});
    ASSERT_EQ(reading.groups.size(), 2U);
    EXPECT_THAT(reading.groups[0].numbers, ElementsAre("A", "P001"));
    EXPECT_EQ(reading.groups[0].coordinate, "OBR[1]");
    EXPECT_EQ(reading.groups[1].coordinate, "OBR[2]");
    ASSERT_EQ(reading.groups[1].results.size(), 2U);
    EXPECT_EQ(reading.groups[1].results[1].position, 3) << "positions count in the message, not in the group";
}

struct Code {
    std::string obx3;
    int analyte;
};

TEST(TestCode, IsFoundInEitherTriplet) {
    for (const auto& [obx3, id] :
         {Code{"NA", 1}, Code{"NA^Sodium^L", 1}, Code{"2951-2^Sodium^LN", 1}, Code{"2951-2", 1},
          Code{"^^^NA^Sodium", 1}, Code{"XYZ^Sodium^99ABC^2951-2^Sodium^LN", 1}, Code{"NA^^L^2951-2^^LN", 1},
          Code{"2951-2^^LN^NA^^L", 1}, Code{"GLU2^Glucose^L^14749-6^Glucose^LN", 11}, Code{"NA^^L^99999-9^^LN", 1}}) {
        const auto reading = read({msh_oru, obr, "OBX|1|NM|" + obx3 + "||4|mmol/L|||||F"});
        EXPECT_EQ(only(reading).analyte, domain::AnalyteId{id}) << obx3;
        EXPECT_FALSE(only(reading).held) << obx3;
    }
}

TEST(TestCode, ThatNamesTwoAnalysesHoldsTheResult) {
    for (const auto* obx3 : {"NA^Sodium^L^2823-3^Potassium^LN",  // local code of one, LOINC of the other
                             "2823-3^Potassium^LN^NA^Sodium^L",
                             "NA^Sodium^L^K^Potassium^L",          // two local codes
                             "2951-2^^LN^2823-3^^LN",              // two LOINC codes
                             "NA^Sodium^L^14749-6^Glucose^LN"}) {  // a LOINC code that several other analyses share
        const auto reading = read({msh_oru, obr, "OBX|1|NM|" + std::string(obx3) + "||140|mmol/L|||||F"});
        EXPECT_TRUE(only(reading).held) << obx3;
        EXPECT_FALSE(only(reading).analyte) << obx3;
        EXPECT_THAT(reading.troubles, Contains(is_trouble("contradictory_code", "OBX-3"))) << obx3;
    }
}

TEST(TestCode, ThatTheCatalogueDoesNotKnowHoldsTheResultAtItsPlace) {
    const auto reading =
        read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|||||F", "OBX|2|NM|INCONNU^Mystère^L||7|mmol/L|||||F",
              "OBX|3|NM|||7|mmol/L|||||F", "OBX|4|NM|14749-6^Glucose^LN||5|mmol/L|||||F"});
    EXPECT_THAT(reading.troubles,
                ElementsAre(is_trouble("unknown_code", "OBX[2]-3"), is_trouble("missing_code", "OBX[3]-3"),
                            is_trouble("unknown_code", "OBX[4]-3")))
        << "a LOINC code that two analyses share names none of them";
    ASSERT_EQ(reading.groups.at(0).results.size(), 4U) << "nothing is dropped";
    EXPECT_FALSE(reading.groups[0].results[0].held) << "its neighbours go on";
    EXPECT_EQ(reading.groups[0].results[1].code, "INCONNU");
    EXPECT_TRUE(reading.groups[0].results[1].value);
}

TEST(TestCode, ComesFromThePlaceThatTheLinkNames) {
    auto link = analyser();  // Edan H30: OBX-3 is 0, the code stands in OBX-4
    link.code_paths = {"OBX-4"};
    EXPECT_EQ(only(read({msh_oru, obr, "OBX|1|NM|0|GB|7.2|10*9/L|||||F"}, link)).analyte, domain::AnalyteId{3});
    link.code_paths = {"OBX-3.1.2"};  // GeneXpert: panel&test
    EXPECT_EQ(only(read({msh_oru, obr, "OBX|1|NM|NFS&GB&1||7.2|10*9/L|||||F"}, link)).analyte, domain::AnalyteId{3});
}

TEST(Results, OfAnUnknownUnitOrValueAreHeldAtTheirCoordinate) {
    const auto reading = read({msh_oru, obr, "OBX|1|NM|NA||140|furlong|||||F", "OBX|2|NM|K||1,234|mmol/L|||||F",
                               "OBX|3|CE|VIH||BIZARRE||||||F", "OBX|4|NM|K||4|mmol/L|||||F"});
    EXPECT_THAT(reading.troubles, ElementsAre(is_trouble("unit", "OBX[1]-6"), is_trouble("value", "OBX[2]-5"),
                                              is_trouble("value", "OBX[3]-5")));
    for (const auto at : {0U, 1U, 2U})
        EXPECT_TRUE(reading.groups.at(0).results.at(at).held);
    EXPECT_FALSE(reading.groups[0].results.at(3).held);
}

TEST(Results, CarryFlagsOfTheTableAndReportTheOthers) {
    for (const auto* flag : {"N", "H", "LL", "H~A", "POS", "SYN-R", "", R"("")", "<"}) {
        EXPECT_THAT(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L||" + std::string(flag) + "|||F"}).troubles, IsEmpty())
            << flag;
    }
    for (const auto* flag : {"0", "1", "\u2191", "null", "BT", "h", "N~Z"}) {
        const auto reading = read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L||" + std::string(flag) + "|||F"});
        EXPECT_THAT(reading.troubles, ElementsAre(is_trouble("unknown_flag", "OBX-8"))) << flag;
        EXPECT_FALSE(only(reading).held) << "the value is good: the person who validates sees the flag";
    }
}

TEST(Status, DecidesWhatBecomesOfAResult) {
    const auto of = [](const std::string& status) {
        return read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|||||" + status});
    };
    for (const auto* status : {"F", "P", "R", "S", "C"}) {
        EXPECT_EQ(only(of(status)).status, status);
        EXPECT_FALSE(only(of(status)).held) << status;
    }
    EXPECT_EQ(only(of("")).status, "R") << "the default of the link";
    for (const auto* status : {"N", "O", "I"})
        EXPECT_TRUE(of(status).groups.at(0).results.empty()) << status;
    for (const auto* status : {"A", "B", "V", "U"})
        EXPECT_FALSE(only(of(status)).held) << status;
    EXPECT_FALSE(only(of("U")).value) << "made final as it was, whatever stands in OBX-5";
    for (const auto* status : {"D", "W", "Z", "f"})
        EXPECT_TRUE(only(of(status)).held) << status;
    for (const auto* status : {"Z", "f"})
        EXPECT_THAT(of(status).troubles, ElementsAre(is_trouble("status", "OBX-11"))) << status;
}

TEST(Status, NotObtainableNeedsNoValueAndIgnoresOne) {
    for (const auto* value : {"", R"("")", "140", "< 1,5", "----"}) {
        const auto reading =
            read({msh_oru, obr, "OBX|1|NM|NA||" + std::string(value) + "|mmol/L|||||X", "NTE|1|L|Hémolyse"});
        EXPECT_FALSE(only(reading).value) << value;
        EXPECT_FALSE(only(reading).held) << value;
        EXPECT_EQ(only(reading).note, "Hémolyse");
        EXPECT_THAT(reading.troubles, IsEmpty()) << value;
    }
}

TEST(Status, NotObtainableKeepsTheReasonThatStandsInsteadOfAValue) {
    const auto reading = read({msh_oru, obr, "OBX|1|NM|NA||réactif indisponible|mmol/L|||||X", "NTE|1|L|À refaire"});
    EXPECT_FALSE(only(reading).value);
    EXPECT_EQ(only(reading).note, "réactif indisponible\nÀ refaire");
    EXPECT_THAT(reading.troubles, IsEmpty());
}

TEST(Status, FinalWithoutAValueIsWorkForAPerson) {
    const auto reading = read({msh_oru, obr, "OBX|1|NM|NA||***.**|mmol/L|||||F"});
    EXPECT_TRUE(only(reading).held);
    EXPECT_THAT(reading.troubles, ElementsAre(is_trouble("no_value", "OBX-5")));
}

TEST(Results, LeaveRawCurvesInTheMessage) {
    const auto reading = read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|||||F",
                               "OBX|2|ED|NA^^L^S_RAW^signal brut^IHELAW||^^^Base64^AAAA||||||F"});
    EXPECT_EQ(only(reading).position, 1);
    EXPECT_THAT(reading.troubles, IsEmpty());
}

TEST(QualityControl, IsNeverAResultOfAPatient) {
    const std::string obx = "OBX|1|NM|NA||140|mmol/L|||||F";
    for (const auto* role : {"Q", "C", "V", "B", "E", "U", "p"}) {
        const auto reading = read({msh_oru, obr, obx, "SPM|1|24050200123||SER|||||||" + std::string(role)});
        EXPECT_THAT(reading.groups, IsEmpty()) << role;
        EXPECT_THAT(reading.troubles, ElementsAre(is_trouble("quality_control", "OBR"))) << role;
    }
    EXPECT_EQ(read({msh_oru, obr, obx, "SPM|1|24050200123||SER|||||||P^Patient^HL70369"}).groups.size(), 1U);
    // Mindray BC says it in MSH-11, Mindray BS in MSH-16.
    const auto msh = [](const std::string& processing, const std::string& kind) {
        return R"(MSH|^~\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|1001|)" + processing + "|2.3.1||||" + kind;
    };
    EXPECT_THAT(read({msh("Q", ""), obr, obx}).groups, IsEmpty());
    EXPECT_THAT(read({msh("P", "1"), obr, obx}).groups, IsEmpty());
    EXPECT_THAT(read({msh("P", "2"), obr, obx}).groups, IsEmpty());
    EXPECT_EQ(read({msh("P", "0"), obr, obx}).groups.size(), 1U);
}

TEST(Results, OfTwoPatientsInOneMessageAllWait) {
    const std::string obx = "OBX|1|NM|NA||140|mmol/L|||||F";
    for (const auto* other : {"PID|||9999999^^^LBM^PI||PAT-TROIS^DOMINIQUE^^^^^L||19790328|F",
                              "PID|||4056601^^^LBM^PI||PAT-QUATRE^DOMINIQUE^^^^^L||19790328|F",
                              "PID|||4056601^^^LBM^PI||PAT-TROIS^DOMINIQUE^^^^^L||19800328|F",
                              "PID|||4056601^^^LBM^PI||PAT-TROIS^DOMINIQUE^^^^^L||19790328|M"}) {
        const auto reading = read({msh_oru, pid, "OBR|1|P001|A|NFS", obx, other, "OBR|2|P002|B|NFS", obx});
        EXPECT_TRUE(reading.quarantined) << other;
        EXPECT_THAT(reading.troubles, Contains(is_trouble("two_patients", "PID[2]"))) << other;
    }
    EXPECT_FALSE(read({msh_oru, pid, "OBR|1|P001|A|NFS", obx, pid, "OBR|2|P002|B|NFS", obx}).quarantined)
        << "the same patient said twice";
}

TEST(Results, InAnotherCharacterSetThanDeclaredAllWait) {
    const auto reading = read({msh_oru, "PID|||1^^^LBM^PI||H\xE9l\xE8ne", obr, "OBX|1|NM|NA||140|mmol/L|||||F"});
    EXPECT_TRUE(reading.quarantined);
    EXPECT_THAT(reading.troubles, Contains(is_trouble("charset", "MSH-18")));
}

TEST(Results, WithoutAnyObrOrObxAreRefused) {
    for (const auto& parsed : {message({msh_oru, pid, "OBX|1|NM|NA||140|mmol/L|||||F"})}) {
        const auto answer = results(parsed, analyser(), catalogue());
        ASSERT_TRUE(std::holds_alternative<Refusal>(answer));
        EXPECT_EQ(std::get<Refusal>(answer).answer, "AE");
        EXPECT_EQ(std::get<Refusal>(answer).code, "100");
    }
    const auto bare = message({msh_oru, pid, obr});
    const auto answer = results(bare, analyser(), catalogue());
    ASSERT_TRUE(std::holds_alternative<Refusal>(answer));
    EXPECT_EQ(std::get<Refusal>(answer).coordinate, "OBX");
}

TEST(Results, BeforeAnyObrAreSaidToBelongToNothing) {
    const auto reading = read({msh_oru, pid, "OBX|1|NM|NA||140|mmol/L|||||F", obr, "OBX|2|NM|K||4|mmol/L|||||F"});
    EXPECT_THAT(reading.troubles, ElementsAre(is_trouble("misplaced_result", "OBX[1]")));
    EXPECT_EQ(only(reading).code, "K");
}

TEST(Results, SpeakOfPatientsInNoTrouble) {
    const auto reading = read({msh_oru, pid, obr, "OBX|1|NM|SECRETCODE||SECRETVALUE|SECRETUNIT||SECRETFLAG|||Z",
                               "OBX|2|NM|NA||SECRETVALUE|mmol/L|||||F"});
    for (const auto& trouble : reading.troubles) {
        EXPECT_EQ((trouble.what + trouble.coordinate + trouble.kind).find("SECRET"), std::string::npos) << trouble.what;
        EXPECT_EQ(trouble.what.find("PAT-TROIS"), std::string::npos);
    }
    EXPECT_GE(reading.troubles.size(), 3U);
}

// ── parts, runs and what comes beside (hl7v2-lab 6.4, 8.6) ──

TEST(Results, TakeANumberAndItsInterpretationForOne) {
    const auto reading = read({msh_oru, obr, "OBX|1|NM|NA|1|140|mmol/L|||||F",
                               "OBX|2|CE|NA|1|OK^Dans la norme^99ROC||||||F", "OBX|3|CE|NA|1|^^99ROC||||||F"});
    const auto result = only(reading);
    EXPECT_EQ(result.position, 1);
    EXPECT_EQ(std::get<domain::Quantity>(*result.value).number.text(), "140");
    EXPECT_EQ(result.detail.interpretation, "OK Dans la norme 99ROC");
    EXPECT_THAT(reading.troubles, IsEmpty());
}

TEST(Results, NumberTheRunsThatTheSenderDoesNot) {
    const auto reading = read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|||||F", "OBX|2|NM|NA||141|mmol/L|||||F",
                               "OBX|3|NM|K|1|4.0|mmol/L|||||F", "OBX|4|NM|K|1|4.1|mmol/L|||||F"});
    std::vector<std::string> runs;
    for (const auto& result : reading.groups.at(0).results)
        runs.push_back(result.run);
    EXPECT_THAT(runs, ElementsAre("", "2", "1", "1#2"));
}

TEST(Results, KeepDilutionEquipmentAndLots) {
    const auto reading = read({msh_oru, obr, "OBX|1|NM|NA|1|140|mmol/L|||||F|||||OP7^MARTIN||MODULE1~ANALYSEUR9",
                               "TCD|NA|^1^:^10||||||D", "INV|NA-R1|OK|R|||||||||20270131||||LOT4711"});
    const auto& detail = only(reading).detail;
    EXPECT_EQ(detail.dilution, "1:10");
    EXPECT_EQ(detail.repeat_status, "D");
    EXPECT_EQ(detail.equipment, "MODULE1, ANALYSEUR9");
    EXPECT_EQ(detail.observer, "OP7 MARTIN");
    EXPECT_EQ(detail.lots, "NA-R1 LOT4711 20270131");
}

TEST(Results, TakeNoDilutionForOne) {
    // The cobas 6800 says 1:0; taken for a dilution it would keep the measuring range from being checked.
    for (const auto* none : {"^1", "^1^:^1", "^1^:^0"}) {
        const auto reading = read({msh_oru, obr, "OBX|1|NM|NA|1|140|mmol/L|||||F", "TCD|NA|" + std::string(none)});
        EXPECT_EQ(only(reading).detail.dilution, "") << none;
    }
}

TEST(Results, OfAnotherLaboratoryNameIt) {
    auto link = analyser();
    EXPECT_EQ(only(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|136-145||||F||||AUTRE^Labo autre"}, link)).detail,
              domain::ResultDetail{})
        << "an analyser of ours has our ranges and our name";
    link.performing_laboratory = "Laboratoire voisin";
    const auto named =
        only(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|136-145||||F||||LV^Labo du lac"}, link)).detail;
    EXPECT_EQ(named.laboratory, "Labo du lac");
    EXPECT_EQ(named.reference_range, "136-145");
    EXPECT_EQ(only(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|||||F"}, link)).detail.laboratory,
              "Laboratoire voisin");
}

TEST(Results, ThatTheSenderTakesBackAreHeld) {
    EXPECT_THAT(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|||||W"}).troubles,
                ElementsAre(is_trouble("wrong_patient", "OBX-11")));
    EXPECT_THAT(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|||||D"}).troubles,
                ElementsAre(is_trouble("withdrawn", "OBX-11")));
    EXPECT_THAT(read({msh_oru, obr, "OBX|1|NM|NA||||||||U"}).troubles, IsEmpty()) << "made final without its value";
}

TEST(Results, FollowTheRulesOfTheLinkForControlsAndOtherLines) {
    auto link = analyser();
    link.controls = {{"PID-5.1", {}, {"CONTROL"}}};
    link.ignored = {{"OBX-3.3", {"I", "D"}, {}}};
    const auto control = read({msh_oru, "PID|||||CONTROL^N2", obr, "OBX|1|NM|NA||140|mmol/L|||||F"}, link);
    EXPECT_THAT(control.groups, IsEmpty());
    EXPECT_THAT(control.troubles, ElementsAre(is_trouble("quality_control", "OBR")));
    EXPECT_EQ(only(read({msh_oru, obr, "OBX|1|NM|NA||140|mmol/L|||||F", "OBX|2|ST|T^^I||37||||||F"}, link)).position,
              1);
}

TEST(Results, BringDocumentsThatAreWhatTheirBytesSay) {
    const auto reading = read({msh_oru, obr, "OBX|1|ED|PDF^Compte rendu||^AP^PDF^Base64^JVBERi0xLjQK||||||F",
                               "OBX|2|ED|PDF^Compte rendu||^AP^PDF^Base64^TVqQAAMAAAA=||||||F"});
    ASSERT_EQ(reading.groups.at(0).documents.size(), 1U);
    EXPECT_EQ(reading.groups[0].documents[0].form, domain::DocumentForm::pdf);
    EXPECT_EQ(reading.groups[0].documents[0].title, "Compte rendu");
    EXPECT_THAT(reading.troubles, ElementsAre(is_trouble("document", "OBX[2]-5")));
}

}  // namespace
}  // namespace sgl::interpret
