#include "cda/checker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "cda/write.hpp"
#include "lib/base/digest.hpp"
#include "test/cda/sample_report.hpp"

namespace sgl::cda {
namespace {

using Severity = Finding::Severity;

// Building one costs more than all the tests: once for all, which is also how the daemon does it.
const Checker& checker() {
    static const Checker checker;
    return checker;
}

constexpr CheckOptions production{CheckOptions::Identities::production};
constexpr CheckOptions test_instance{CheckOptions::Identities::test};

std::string text_of(const std::vector<Finding>& findings, Severity severity) {
    std::string text;
    for (const auto& finding : findings)
        if (finding.severity == severity) text += finding.where + ": " + finding.what + "\n";
    return text;
}

const std::string& rich() {
    static const std::string document = *write(test::rich_report());
    return document;
}

std::string replaced(std::string document, std::string_view from, std::string_view to, std::size_t after = 0) {
    const auto at = document.find(from, after);
    EXPECT_NE(at, std::string::npos) << "the defect's place is not in the document: " << from;
    return at == std::string::npos ? document : document.replace(at, from.size(), to);
}

TEST(Checker, AcceptsTheRichReport) {
    EXPECT_EQ(text_of(checker().check(rich(), test_instance), Severity::error), "");
}

TEST(Checker, AcceptsTheReportWithoutInsWithAWarning) {
    const auto findings = checker().check(*write(test::report_without_ins()), production);
    EXPECT_EQ(text_of(findings, Severity::error), "");
    EXPECT_NE(text_of(findings, Severity::warning).find("no INS"), std::string::npos);
}

TEST(Checker, AcceptsTheSparseReport) {
    EXPECT_EQ(text_of(checker().check(*write(test::sparse_report()), production), Severity::error), "");
}

// One defect of spec/cr-bio.md 9 (or of the profile) planted in a good document.
struct Defect {
    const char* name;
    const char* from;
    const char* to;
    const char* what;   ///< part of the finding expected
    const char* after = "";  ///< plant after this text
};

class PlantedDefect : public testing::TestWithParam<Defect> {};

TEST_P(PlantedDefect, IsRefused) {
    const auto& defect = GetParam();
    const auto start = rich().find(defect.after);
    ASSERT_NE(start, std::string::npos);
    const auto document = replaced(rich(), defect.from, defect.to, start);
    const auto errors = text_of(checker().check(document, test_instance), Severity::error);
    EXPECT_NE(errors.find(defect.what), std::string::npos) << errors;
    EXPECT_FALSE(checker().accept(document, test_instance));
    EXPECT_EQ(errors.find("PAT-TROIS"), std::string::npos) << "no finding may hold data of the document";
    EXPECT_EQ(errors.find("279035121518989"), std::string::npos);
}

constexpr const char* ins = R"(<id root="1.2.250.1.213.1.4.10" extension="279035121518989"/>)";

constexpr const char* biologist_code =
    R"=(<code code="G15_10/SM03" displayName="Médecin - Biologie médicale (SM)" codeSystem="1.2.250.1.213.1.1.4.5"/>)=";

const Defect identity[] = {
    {"InsWithAWrongKey", ins, R"(<id root="1.2.250.1.213.1.4.10" extension="279035121518988"/>)", "control key of the INS"},
    {"InsTooShort", ins, R"(<id root="1.2.250.1.213.1.4.10" extension="2790351215189"/>)", "13 characters and a key"},
    {"UnknownInsOid", ins, R"(<id root="1.2.250.1.213.1.4.12" extension="279035121518989"/>)", "unknown INS OID"},
    {"RealInsInATestInstance", ins, R"(<id root="1.2.250.1.213.1.4.8" extension="279035121518989"/>)", "real INS"},
    {"TwoIns", ins, R"(<id root="1.2.250.1.213.1.4.10" extension="279035121518989"/><id root="1.2.250.1.213.1.4.11" extension="279035121518989"/>)", "more than one INS"},
    {"InsOfSomebodyElseInTheMailAddress", "mailto:279035121518989@", "mailto:279035121518900@", "of another INS"},
    {"MailAddressWithoutIns", ins, "", "made of an INS"},
    {"InsAsOrderNumber", R"(<id root="1.2.250.1.999.1.1.4")", R"(<id root="1.2.250.1.213.1.4.10")", "INS outside"},
    {"NoCogCode", "<county>63220</county>", "", "COG code"},
    {"BirthplaceThatIsNoCogCode", "<county>63220</county>", "<county>LYON3</county>", "closed schema"},
    {"NoFirstGivenName", R"(<given qualifier="BR">DOMINIQUE</given>)", "", "birth given names"},
    {"NoBirthName", R"(<family qualifier="BR">)", R"(<family qualifier="CL">)", "birth name is missing"},
    {"OldNameQualifier", R"(<family qualifier="CL">)", R"(<family qualifier="SP">)", "closed schema"},
    {"ImpossibleBirthDate", R"(<birthTime value="19790328"/>)", R"(<birthTime value="19790230"/>)", "impossible birth date"},
    {"BirthYearOnlyWithIns", R"(<birthTime value="19790328"/>)", R"(<birthTime value="1979"/>)", "whole day"},
    {"BornTomorrow", R"(<birthTime value="19790328"/>)", R"(<birthTime value="20270101"/>)", "born after"},
    {"UnknownGender", R"(<administrativeGenderCode code="F")", R"(<administrativeGenderCode code="X")", "value set"},
};
const Defect header[] = {
    {"WrongTypeId", "POCD_HD000040", "POCD_HD000041", "typeId"},
    {"CrBioTemplateMissing", R"(<templateId root="1.2.250.1.213.1.1.1.55" extension="2024.01"/>)", "", "CR-BIO 2024.01"},
    {"CrBioOfAnUnknownVersion", R"(extension="2024.01")", R"(extension="2031.01")", "CR-BIO 2024.01"},
    {"Version2ReplacingNothing", R"(<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.250.1.999.1.1.1.7.1"/></parentDocument></relatedDocument>)", "", "names the document it replaces"},
    {"Version1Replacing", R"(<versionNumber value="2"/>)", R"(<versionNumber value="1"/>)", "version 1 replaces"},
    {"DocumentReplacingItself", R"(<parentDocument><id root="1.2.250.1.999.1.1.1.7.1"/>)", R"(<parentDocument><id root="1.2.250.1.999.1.1.1.7.2"/>)", "replaces itself"},
    {"EffectiveTimeWithoutOffset", R"(<effectiveTime value="20260302153000+0100"/>)", R"(<effectiveTime value="20260302153000"/>)", "closed schema"},
    {"EffectiveTimeWithoutTimeOfDay", R"(<effectiveTime value="20260302153000+0100"/>)", R"(<effectiveTime value="20260302"/>)", "closed schema"},
    {"EffectiveTimeThatDoesNotExist", R"(<effectiveTime value="20260302153000+0100"/>)", R"(<effectiveTime value="20260231153000+0100"/>)", "impossible date"},
    {"IdWithExtension", R"(<id root="1.2.250.1.999.1.1.1.7.2"/>)", R"(<id root="1.2.250.1.999.1.1.1.7.2" extension="1"/>)", "closed schema"},
    {"SetIdThatIsNoOid", R"(<setId root="1.2.250.1.999.1.1.1.7"/>)", R"(<setId root="report-7"/>)", "closed schema"},
    {"VersionZero", R"(<versionNumber value="2"/>)", R"(<versionNumber value="0"/>)", "closed schema"},
    {"AnotherTitle", "<title>Compte rendu d'examens", "<title>Résultats d'examens", "closed schema"},
    {"AnotherConfidentiality", R"(<confidentialityCode code="N")", R"(<confidentialityCode code="L")", "value set"},
    {"StyleSheetInstruction", "<ClinicalDocument", "<?xml-stylesheet href=\"x\"?><ClinicalDocument", "processing instruction"},
    {"Comment", "<realmCode", "<!-- x --><realmCode", "comment"},
    {"ElementThatWeDoNotEmit", "<recordTarget>", "<copyTime value=\"20260302153000+0100\"/><recordTarget>", "closed schema"},
    {"AttributeThatWeDoNotEmit", "<recordTarget>", "<recordTarget typeCode=\"RCT\">", "closed schema"},
    {"OrderOfElements", R"(<realmCode code="FR"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>)", R"(<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/><realmCode code="FR"/>)", "closed schema"},
};
const Defect actors[] = {
    {"AuthorWithoutSpeciality", biologist_code, "", "author's profession", "<author>"},
    {"ResponsibleWithoutSpeciality", biologist_code, "", "responsible biologist", "<responsibleParty>"},
    {"RppsTooShort", R"(extension="899900000017")", R"(extension="89990000001")", "11 digits of an RPPS"},
    {"ProfessionalWithoutPrefix", R"(extension="899900000017")", R"(extension="99900000017")", "8 + RPPS"},
    {"FinessTooLong", R"(extension="1690000013")", R"(extension="16900000130")", "9 characters of a FINESS"},
    {"FinessWithoutPrefix", R"(extension="1690000013")", R"(extension="690000013")", "1 + FINESS"},
    {"PrescriberWithoutTemplate", R"(<templateId root="1.3.6.1.4.1.19376.1.3.3.1.6"/>)", "", "prescriber lacks"},
    {"ParticipantWithoutFunction", R"(<functionCode code="PRELV" displayName="Préleveur" codeSystem="1.2.250.1.213.1.1.4.2.280"/>)", "", "says his function"},
    {"AuthenticatorWithoutTemplate", R"(<authenticator><templateId root="1.3.6.1.4.1.19376.1.3.3.1.5"/>)", "<authenticator>", "authenticator lacks"},
    {"RecipientWithoutTemplate", R"(<templateId root="1.3.6.1.4.1.19376.1.3.3.1.4"/>)", R"(<templateId root="1.3.6.1.4.1.19376.1.3.3.1.9"/>)", "recipient lacks"},
    {"ValidatorAbsentFromTheHeader", R"(extension="899900000025")", R"(extension="899900000058")", "neither authenticator", "<authenticator>"},
    {"MailThatIsNoTelecom", R"(value="tel:0600000000")", R"(value="0600000000")", "closed schema"},
    {"UnknownCivility", "<prefix>MME</prefix>", "<prefix>MLLE</prefix>", "closed schema"},
    {"NoPracticeSetting", R"(<standardIndustryClassCode code="AMBULATOIRE" displayName="Ambulatoire" codeSystem="1.2.250.1.213.1.1.4.9"/>)", "", "practice setting", "<documentationOf>"},
    {"NoLegalAuthenticatorSignature", R"(<signatureCode code="S"/>)", R"(<signatureCode code="X"/>)", "closed schema"},
    {"UnknownEncounter", R"(<code code="AMB")", R"(<code code="AMBU")", "value set"},
    {"DocumentedActThatIsNoChapter", R"(<serviceEvent><code code="18723-7")", R"(<serviceEvent><code code="18717-9")", "are the chapters of the report"},
    {"ReceivedAfterReleased", R"(<low value="20260302091000+0100"/><high value="20260302153000+0100"/>)", R"(<low value="20260303091000+0100"/><high value="20260302153000+0100"/>)", "end is before"},
};
const Defect results[] = {
    {"CompletedWithoutValue", R"(<value xsi:type="PQ" value="6.90" unit="mmol/L"/>)", "", "completed result has a value"},
    {"CompletedWithoutTime", R"(<effectiveTime value="20260302112000+0100"/>)", "", "has its time"},
    {"AbortedWithValue", R"(<statusCode code="completed"/><effectiveTime value="20260302112000+0100"/><value xsi:type="PQ" value="6.90")", R"(<statusCode code="aborted"/><effectiveTime value="20260302112000+0100"/><value xsi:type="PQ" value="6.90")", "not done has no value"},
    {"LoincWithAWrongCheckDigit", R"(code="14682-9")", R"(code="14682-8")", "not a LOINC code"},
    {"OtherSystemUnderTheAct", R"(codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"><originalText><reference value="#c1-r3"/>)", R"(codeSystem="1.2.250.1.999.1.1.6"><originalText><reference value="#c1-r3"/>)", "code of a result is LOINC"},
    {"NeitherCodeNorTranslation", R"(<translation code="INDICE-H" displayName="Indice d'hémolyse" codeSystem="1.2.250.1.999.1.1.6"/>)", "", "neither a code nor a translation"},
    {"TranslationWithoutLabel", R"( displayName="Indice d'hémolyse")", "", "closed schema"},
    {"LowAboveHigh", R"(<low value="3.9" unit="mmol/L"/>)", R"(<low value="39" unit="mmol/L"/>)", "low limit is above"},
    {"RangeOfAnotherUnit", R"(<low value="45" unit="umol/L"/><high value="84" unit="umol/L"/>)", R"(<low value="45" unit="mg/L"/><high value="84" unit="mg/L"/>)", "another unit than the result"},
    {"LimitsOfTwoUnits", R"(<high value="6.1" unit="mmol/L"/>)", R"(<high value="6.1" unit="g/L"/>)", "two units"},
    {"TwoRanges", R"(</referenceRange>)", R"(</referenceRange><referenceRange typeCode="REFV"><observationRange classCode="OBS" moodCode="EVN.CRT"><value xsi:type="IVL_PQ"><low value="1" unit="mmol/L"/></value><interpretationCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.83"/></observationRange></referenceRange>)", "closed schema"},
    {"DecimalComma", R"(value="6.90")", R"(value="6,90")", "closed schema"},
    {"NoUnit", R"(value="6.90" unit="mmol/L")", R"(value="6.90")", "closed schema"},
    {"UnitWithABlank", R"(value="6.90" unit="mmol/L")", R"(value="6.90" unit="mmol / L")", "closed schema"},
    {"FlagOutOfTheValueSet", R"(<interpretationCode code="H")", R"(<interpretationCode code="MS")", "flag is not of the value set"},
    {"FlagOfAnotherSystem", R"(<interpretationCode code="H" displayName="Anormalement haut" codeSystem="2.16.840.1.113883.5.83"/>)", R"(<interpretationCode code="H" displayName="Anormalement haut" codeSystem="2.16.840.1.113883.5.84"/>)", "flag is not of the value set"},
    {"MethodOfAnotherTable", R"(codeSystem="1.2.250.1.213.2.3.5")", R"(codeSystem="2.16.840.1.113883.5.84")", "another table"},
    {"PreviousResultWithoutDate", R"(<effectiveTime value="20250911081500+0200"/>)", "", "has its date"},
    {"PreviousResultOfAnotherAnalyte", R"(code="40193-5")", R"(code="14749-6")", "another examination", R"(typeCode="REFR")"},
    {"PreviousResultOfAnotherUnit", R"(value="5.80" unit="mmol/L")", R"(value="5.80" unit="g/L")", "another unit"},
    {"PreviousResultThatIsLater", R"(<effectiveTime value="20250911081500+0200"/>)", R"(<effectiveTime value="20270911081500+0200"/>)", "not earlier"},
    {"CodedValueWithoutLabel", R"( displayName="Négatif")", "", "label and its system", R"(<value xsi:type="CD")"},
    {"MeasuredBetweenTwoLimits", R"(<high value="1.0" unit="mg/L" inclusive="false"/>)", R"(<low value="0.5" unit="mg/L"/><high value="1.0" unit="mg/L" inclusive="false"/>)", "one limit"},
    {"StatusThatDoesNotExist", R"(<statusCode code="completed"/><effectiveTime)", R"(<statusCode code="obsolete"/><effectiveTime)", "closed schema"},
};
const Defect structure[] = {
    {"FrenchTemplateMissingBesideIheOne", R"(<templateId root="1.2.250.1.213.1.1.3.80"/>)", "", "both of its templates"},
    {"FrenchTemplateOfTheEntryMissing", R"(<templateId root="1.2.250.1.213.1.1.3.21"/>)", "", "both of its templates"},
    {"FrenchTemplateOfTheChapterMissing", R"(<templateId root="1.2.250.1.213.1.1.2.70"/>)", "", "no known kind"},
    {"FrenchTemplateOfTheSubChapterMissing", R"(<templateId root="1.2.250.1.213.1.1.2.71"/>)", "", "sub-chapter declares"},
    {"FrenchTemplateOfTheCollectionMissing", R"(<templateId root="1.2.250.1.213.1.1.3.77"/>)", "", "collection declares"},
    {"FrenchTemplateOfTheCommentMissing", R"(<templateId root="1.2.250.1.213.1.1.3.32"/>)", "", "three templates"},
    {"ChapterCodeThatIsNoChapter", R"(<code code="18719-5")", R"(<code code="14682-9")", "no chapter", "<structuredBody>"},
    {"ActOfAnotherChapter", R"(<code code="18719-5")", R"(<code code="18723-7")", "that of its section", "<act classCode"},
    {"NationalCodeForASubChapter", R"(<code code="18768-2" displayName="NFS - Hémogramme" codeSystem="2.16.840.1.113883.6.1")", R"(<code code="930894" displayName="Biologie moléculaire" codeSystem="1.2.250.1.213.1.1.5.130")", "of a sub-chapter LOINC"},
    {"PointerToAnAbsentId", R"(<reference value="#c1-r3"/>)", R"(<reference value="#c9-r3"/>)", "leads nowhere"},
    {"PointerToAMedia", R"(<reference value="#pdf-title"/>)", R"(<reference value="#pdf-copy"/>)", "not lead into the narrative"},
    {"DuplicateId", R"(<content ID="c1-r3">)", R"(<content ID="c1-r2">)", "same ID"},
    {"MediaShownThatIsAbsent", R"(referencedObject="pdf-copy")", R"(referencedObject="pdf-copie")", "media that is absent"},
    {"EntryThatIsNotDerived", R"(<entry typeCode="DRIV">)", "<entry>", "DRIV"},
    {"CommentCode", R"(<code code="48767-8")", R"(<code code="48768-6")", "48767-8"},
    {"CommentThatIsAComponent", R"(<entryRelationship typeCode="SUBJ">)", R"(<entryRelationship typeCode="REFR">)", "SUBJ"},
    {"Html", "<paragraph>", "<p>x</p><paragraph>", "closed schema"},
    {"Script", "<paragraph>", "<script>x</script><paragraph>", "closed schema"},
    {"SpecimenOfAnotherSystem", R"(codeSystem="2.16.840.1.113883.18.311")", R"(codeSystem="2.16.840.1.113883.5.129")", "type of specimen"},
    {"ReceptionCode", R"(code="SPRECEIVE")", R"(code="RECEIVED")", "SPRECEIVE"},
    {"NoCollectionTime", R"(<effectiveTime><high value="20260302074500+0100"/></effectiveTime>)", "", "closed schema", "<procedure"},
};
const Defect narrative[] = {
    {"ValueThatTheNarrativeDoesNotSay", ">6,90<", ">6,09<", "does not say this value"},
    {"CodedValueThatTheNarrativeDoesNotSay", ">Négatif<", ">Positif<", "does not say this value"},
    {"TextThatTheNarrativeDoesNotSay", ">Absence d'hémolyse", ">Présence d'hémolyse", "does not say this value"},
    {"SignThatTheNarrativeDoesNotSay", ">&lt; 1,0<", ">1,0<", "does not say this value"},
    {"FlagThatTheNarrativeDoesNotSay", " H (Anormalement haut)", "", "does not say this flag"},
    {"UnitThatTheNarrativeDoesNotSay", "<td>mmol/L</td>", "<td/>", "does not say the unit"},
    {"RangeThatTheNarrativeDoesNotSay", "<td>3,9 à 6,1</td>", "<td/>", "does not say the reference range"},
    {"PreviousResultThatTheNarrativeDoesNotSay", ">5,80<", ">5,08<", "does not say this previous result"},
    {"CommentThatTheNarrativeDoesNotSay", "Quantité insuffisante.", "", "words pointed to are empty"},
    {"LabelThatTheNarrativeDoesNotSay", ">Créatinine<", "><", "no line in the narrative"},
    {"ResultPointingToAnotherSection", R"(<reference value="#c1-r3"/>)", R"(<reference value="#c3-r1"/>)", "no line in the narrative"},
};
const Defect media[] = {
    {"NotAPdf", ">JVBERi0", ">AAAAAAA", "not a whole PDF"},
    {"PdfThatIsNotBase64", ">JVBERi0", ">J*BERi0", "not a whole PDF"},
    {"WrongMediaType", R"(mediaType="application/pdf")", R"(mediaType="text/html")", "closed schema"},
    {"NoRepresentation", R"( representation="B64")", "", "closed schema"},
    {"NoPdfCopy", R"(<templateId root="1.2.250.1.213.1.1.2.243"/>)", R"(<templateId root="1.2.250.1.213.1.1.2.60"/>)", "exactly one PDF copy"},
    {"TitleOfThePdfCopy", "<title>Copie du document</title>", "<title>Copie</title>", "title of the PDF copy"},
};

constexpr auto name_of = [](const testing::TestParamInfo<Defect>& info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Identity, PlantedDefect, testing::ValuesIn(identity), name_of);
INSTANTIATE_TEST_SUITE_P(Header, PlantedDefect, testing::ValuesIn(header), name_of);
INSTANTIATE_TEST_SUITE_P(Actors, PlantedDefect, testing::ValuesIn(actors), name_of);
INSTANTIATE_TEST_SUITE_P(Results, PlantedDefect, testing::ValuesIn(results), name_of);
INSTANTIATE_TEST_SUITE_P(Structure, PlantedDefect, testing::ValuesIn(structure), name_of);
INSTANTIATE_TEST_SUITE_P(Narrative, PlantedDefect, testing::ValuesIn(narrative), name_of);
INSTANTIATE_TEST_SUITE_P(Media, PlantedDefect, testing::ValuesIn(media), name_of);

TEST(Checker, RefusesAPdfThatIsEmptyOrCutShort) {
    const auto pdf = test::rich_report().pdf;
    for (const auto& other : {std::string(), pdf.substr(0, pdf.size() / 2)}) {
        const auto document = replaced(rich(), ">" + base64_encode(pdf) + "<", ">" + base64_encode(other) + "<");
        EXPECT_NE(text_of(checker().check(document, test_instance), Severity::error).find("not a whole PDF"), std::string::npos);
    }
}

TEST(Checker, RefusesATestInsInProduction) {
    EXPECT_NE(text_of(checker().check(rich(), production), Severity::error).find("test INS in production"), std::string::npos);
}

TEST(Checker, WarnsOfAFlagThatContradictsTheRange) {
    const auto document = replaced(replaced(rich(), R"(<interpretationCode code="H" displayName="Anormalement haut")",
                                            R"(<interpretationCode code="N" displayName="Normal")"),
                                   " H (Anormalement haut)", " N (Normal)");
    const auto findings = checker().check(document, test_instance);
    EXPECT_EQ(text_of(findings, Severity::error), "");
    EXPECT_NE(text_of(findings, Severity::warning).find("above the range"), std::string::npos);
}

TEST(Checker, SaysEveryFindingInFrenchToo) {
    for (const auto& finding : checker().check(replaced(rich(), ins, ""), production)) EXPECT_FALSE(finding.phrase.empty());
}

TEST(Checker, RefusesHostileXmlQuickly) {
    const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    const auto refusal = [](const std::string& bytes) {
        const auto accepted = checker().accept(bytes, test_instance);
        return accepted ? std::string() : accepted.error().what;
    };
    EXPECT_NE(refusal(head + "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>").find("DOCTYPE"), std::string::npos);
    std::string deep = head;
    for (int i = 0; i < 1'000'000; ++i) deep += "<a>";
    EXPECT_NE(refusal(deep).find("deeply"), std::string::npos);
    EXPECT_NE(refusal(head + std::string(Checker::max_bytes, ' ')).find("too large"), std::string::npos);
    std::string wide = head + "<ClinicalDocument xmlns=\"urn:hl7-org:v3\">";
    for (std::size_t i = 0; i <= Checker::max_elements; ++i) wide += "<a/>";
    EXPECT_NE(refusal(wide).find("too many elements"), std::string::npos);
    EXPECT_NE(refusal("").find("does not declare"), std::string::npos);
    EXPECT_NE(refusal(head), "");
    EXPECT_NE(refusal(head + "<ClinicalDocument>").find("well-formed"), std::string::npos);
    EXPECT_NE(refusal(head + "<x>\xff</x>").find("UTF-8"), std::string::npos);
    EXPECT_NE(refusal(head + "<x>&undefined;</x>").find("well-formed"), std::string::npos);
    EXPECT_NE(refusal(head + "<other xmlns=\"urn:x\"/>"), "");
}

// Whatever is cut off, the answer is a refusal, never a crash.
TEST(Checker, RefusesEveryTruncation) {
    for (std::size_t length = 0; length < rich().size() - 2; length += 997)
        EXPECT_FALSE(checker().accept(std::string_view(rich()).substr(0, length), test_instance)) << length;
}

TEST(Checker, ServesSeveralThreads) {
    std::vector<std::thread> threads;
    std::vector<std::string> errors(4);
    for (auto& each : errors)
        threads.emplace_back([&each] {
            for (int i = 0; i < 3; ++i) each += text_of(checker().check(rich(), test_instance), Severity::error);
        });
    for (auto& thread : threads) thread.join();
    for (const auto& each : errors) EXPECT_EQ(each, "");
}

}  // namespace
}  // namespace sgl::cda
