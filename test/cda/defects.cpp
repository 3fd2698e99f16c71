#include "test/cda/defects.hpp"

namespace sgl::cda::test {
namespace {

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
    {"AnotherRealm", R"(<realmCode code="FR"/>)", R"(<realmCode code="US"/>)", "closed schema"},
    {"HL7FranceTemplateMissing", R"(<templateId root="2.16.840.1.113883.2.8.2.1"/>)", "", "CR-BIO 2024.01"},
    {"CiSisTemplateMissing", R"(<templateId root="1.2.250.1.213.1.1.1.1"/>)", "", "CR-BIO 2024.01"},
    {"XdLabTemplateMissing", R"(<templateId root="1.3.6.1.4.1.19376.1.3.3"/>)", "", "CR-BIO 2024.01"},
    {"AnotherDocumentCode", R"(<code code="11502-2")", R"(<code code="11490-0")", "closed schema"},
    {"AnotherLabelOfTheDocument", R"(displayName="CR d'examens biologiques")", R"(displayName="Compte rendu")", "closed schema"},
    {"AnotherLanguage", R"(<languageCode code="fr-FR"/>)", R"(<languageCode code="en-US"/>)", "closed schema"},
    {"ConfidentialityOfAnotherSystem", R"(codeSystem="2.16.840.1.113883.5.25")", R"(codeSystem="2.16.840.1.113883.5.26")", "value set"},
    {"NullTitle", "<title>Compte rendu d'examens biologiques</title>", R"(<title nullFlavor="NI"/>)", "closed schema"},
    {"NullSetId", R"(<setId root="1.2.250.1.999.1.1.1.7"/>)", R"(<setId nullFlavor="UNK"/>)", "closed schema"},
    {"NoVersionNumber", R"(<versionNumber value="2"/>)", "", "closed schema"},
    {"VersionThatIsNoNumber", R"(<versionNumber value="2"/>)", R"(<versionNumber value="2b"/>)", "closed schema"},
    {"RelatedDocumentThatIsNotReplaced", R"(<relatedDocument typeCode="RPLC">)", R"(<relatedDocument typeCode="APND">)", "closed schema"},
    {"ReplacingItsOwnSet", R"(<parentDocument><id root="1.2.250.1.999.1.1.1.7.1"/>)", R"(<parentDocument><id root="1.2.250.1.999.1.1.1.7"/>)", "replaces its own set"},
    {"TwoTitles", "<title>Compte rendu d'examens biologiques</title>", "<title>Compte rendu d'examens biologiques</title><title>Compte rendu d'examens biologiques</title>", "closed schema"},
};
const Defect actors[] = {
    {"AuthorWithoutSpeciality", biologist_code, "", "author's profession", "<author>"},
    {"ResponsibleWithoutSpeciality", biologist_code, "", "responsible biologist", "<responsibleParty>"},
    {"RppsTooShort", R"(extension="899900000017")", R"(extension="89990000001")", "11 digits of an RPPS"},
    {"ProfessionalWithoutPrefix", R"(extension="899900000017")", R"(extension="99900000017")", "of ours is identified by 8 + RPPS"},
    {"FinessTooLong", R"(extension="1690000013")", R"(extension="16900000130")", "9 characters of a FINESS"},
    {"FinessWithoutPrefix", R"(extension="1690000013")", R"(extension="690000013")", "of ours is identified by 1 + FINESS"},
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
    {"AuthorOfAnotherRegister", R"(<id root="1.2.250.1.71.4.2.1" extension="899900000017"/>)", R"(<id root="1.2.250.1.999.9" extension="899900000017"/>)", "identified by RPPS or ADELI", "<author>"},
    {"LaboratoryOfAnotherRegister", R"(<id root="1.2.250.1.71.4.2.2" extension="1690000013"/>)", R"(<id root="1.2.250.1.999.9" extension="1690000013"/>)", "identified by FINESS", "<custodian>"},
    {"ProfessionOfAnotherSystem", R"(codeSystem="1.2.250.1.213.1.1.4.5")", R"(codeSystem="1.2.250.1.213.1.1.4.6")", "one of its two code systems", "<author>"},
    {"UnknownFunction", R"(<functionCode code="PRELV")", R"(<functionCode code="PREL")", "function of a participant"},
    {"PracticeSettingOfAnotherSystem", R"(codeSystem="1.2.250.1.213.1.1.4.9")", R"(codeSystem="1.2.250.1.213.1.1.4.8")", "practice setting is of another"},
    {"TelecomWithoutValue", R"(<telecom value="tel:0400000001" use="WP"/>)", R"(<telecom use="WP"/>)", "telecom has its value"},
    {"EmptyAddress", R"(<addr nullFlavor="NAV"/>)", "<addr/>", "address has its lines"},
    {"ParticipantWithoutTime", R"(<time nullFlavor="NA"/>)", "<time/>", "said not to apply"},
    {"BiologistThatTheNarrativeDoesNotName", "Validé par DR Anne ESSAI-BIOLOGISTE", "Validé", "does not name this biologist"},
    {"OrderTwice", R"(<inFulfillmentOf><order><id root="1.2.250.1.999.1.1.4" extension="PRESC-2026-0042"/></order></inFulfillmentOf>)", R"(<inFulfillmentOf><order><id root="1.2.250.1.999.1.1.4" extension="PRESC-2026-0042"/></order></inFulfillmentOf><inFulfillmentOf><order><id root="1.2.250.1.999.1.1.4" extension="PRESC-2026-0042"/></order></inFulfillmentOf>)", "order is there twice"},
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
    {"UnitOfAnotherKindThanTheLabel", R"(unit="g/dL")", R"(unit="mmol/L")", "of another kind", "", true},
    {"PreviousResultUnderAnotherLabel", R"(displayName="Glucose)", R"(displayName="Lactate)", "two labels", R"(typeCode="REFR")"},
    {"PreviousResultWithoutValue", R"(<value xsi:type="PQ" value="5.80" unit="mmol/L"/>)", "", "closed schema"},
    {"PreviousResultNotCompleted", R"(<statusCode code="completed"/>)", R"(<statusCode code="active"/>)", "closed schema", R"(typeCode="REFR")"},
    {"ValueWithoutType", R"(<value xsi:type="PQ" value="6.90")", R"(<value value="6.90")", "closed schema"},
    {"ValueOfAnUnknownType", R"(<value xsi:type="PQ" value="6.90" unit="mmol/L"/>)", R"(<value xsi:type="MO" value="6.90" currency="EUR"/>)", "closed schema"},
    {"NumberAsText", R"(<value xsi:type="PQ" value="6.90" unit="mmol/L"/>)", R"(<value xsi:type="ST">6,90 mmol/L</value>)", "limits for a result that is no number"},
    {"RangeThatIsNotNormal", R"(<interpretationCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.83"/></observationRange>)", R"(<interpretationCode code="A" displayName="Anormal" codeSystem="2.16.840.1.113883.5.83"/></observationRange>)", "normal values"},
    {"NoPointerToTheLabel", R"(<originalText><reference value="#c1-r3"/></originalText>)", "", "closed schema"},
    {"NegatedResult", R"(<observation classCode="OBS" moodCode="EVN">)", R"(<observation classCode="OBS" moodCode="EVN" negationInd="true">)", "closed schema"},
    {"ResultThatIsAnOrder", R"(<observation classCode="OBS" moodCode="EVN">)", R"(<observation classCode="OBS" moodCode="RQO">)", "closed schema"},
    {"EmptyCodeWithALabel", R"(<code><originalText><reference value="#c1-r4"/>)", R"(<code displayName="Indice"><originalText><reference value="#c1-r4"/>)", "no label and no system"},
    {"RangeWithoutType", R"(<observationRange classCode="OBS" moodCode="EVN.CRT"><value xsi:type="IVL_PQ">)", R"(<observationRange classCode="OBS" moodCode="EVN.CRT"><value>)", "interval (IVL_PQ)"},
    {"CodedValueWithoutCode", R"(<value xsi:type="CD" code="260385009")", R"(<value xsi:type="CD")", "label without its code"},
    {"MethodWithoutCode", R"(<methodCode code="9AX" )", "<methodCode ", "method comes with its label"},
    {"PreviousResultWithoutSystem", R"( codeSystem="2.16.840.1.113883.6.1")", "", "comes with its label and its system", R"(typeCode="REFR")"},
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
    {"LineThatNoEntrySays", "</tbody>", R"(<tr><td><content ID="x9">Sodium</content></td><td><content ID="x9-v">140</content></td><td>mmol/L</td><td/><td/></tr></tbody>)", "what no entry says"},
    {"CommentThatNoEntrySays", "</tbody>", R"(<tr><td colspan="5"><content ID="x9">À revoir.</content></td></tr></tbody>)", "what no entry says"},
    {"AnotherUnitInTheNarrative", "<td>mmol/L</td>", "<td>g/L</td>", "says another unit"},
    {"AnotherRangeInTheNarrative", "<td>3,9 à 6,1</td>", "<td>3,9 à 6,9</td>", "another reference range"},
    {"AnotherLimitInTheNarrative", "<td>≤ 5,0</td>", "<td>≤ 50</td>", "another reference range"},
    {"FlagThatNoEntrySays", R"(<interpretationCode code="H" displayName="Anormalement haut" codeSystem="2.16.840.1.113883.5.83"/>)", "", "flag that no entry says"},
    {"MethodThatNoEntrySays", R"(<methodCode><originalText><reference value="#c1-r1-m"/></originalText></methodCode>)", "", "what no entry says"},
    {"PreviousResultThatNoEntrySays", "</td></tr><tr><td colspan=\"5\">", R"(<content ID="x9">5,10</content></td></tr><tr><td colspan="5">)", "other previous results"},
    {"SpecimenThatTheNarrativeDoesNotName", "n° 260302-0001-1", "n° 260302-0001-9", "does not name this specimen"},
    {"TwoResultsOnOneLine", R"(<code><originalText><reference value="#c1-r4"/>)", R"(<code><originalText><reference value="#c1-r3"/>)", "two results have one line"},
    {"LabelOfTheActThatIsNotOfItsSection", R"(<code code="18719-5" displayName="Biochimie")", R"(<code code="18719-5" displayName="Chimie")", "two labels", "<act classCode"},
};
// The result of another laboratory.
constexpr const char* elsewhere = R"(<performer typeCode="PRF"><templateId root="1.3.6.1.4.1.19376.1.3.3.1.7"/><templateId root="1.2.250.1.213.1.1.3.23"/>)";
const Defect performers[] = {
    {"TemplateOfThePerformerMissing", R"(<templateId root="1.2.250.1.213.1.1.3.23"/>)", "", "closed schema"},
    {"TemplateOfAnotherParticipant", R"(<templateId root="1.2.250.1.213.1.1.3.23"/>)", R"(<templateId root="1.2.250.1.213.1.1.3.109"/>)", "performing laboratory declares both"},
    {"PerformerWithoutTime", R"(<time><high value="20260302112000+0100"/></time>)", "", "closed schema", elsewhere},
    {"PerformerThatIsTheLaboratoryItself", R"(<representedOrganization><id root="1.2.250.1.71.4.2.2" extension="1690000039"/>)", R"(<representedOrganization><id root="1.2.250.1.71.4.2.2" extension="1690000013"/>)", "without being named again", elsewhere},
    {"PerformerOfTwoNumbers", R"(<assignedEntity><id root="1.2.250.1.71.4.2.2" extension="1690000039"/>)", R"(<assignedEntity><id root="1.2.250.1.71.4.2.2" extension="1690000021"/>)", "two numbers", elsewhere},
    {"DirectorWithoutName", R"(<assignedEntity><id root="1.2.250.1.71.4.2.2" extension="1690000039"/>)", R"(<assignedEntity><id root="1.2.250.1.71.4.2.1" extension="899900000017"/>)", "director who is identified", elsewhere},
    {"PerformerOfAnUnknownRegister", R"(<assignedEntity><id root="1.2.250.1.71.4.2.2" extension="1690000039"/>)", R"(<assignedEntity><id root="1.2.250.1.999.1" extension="1690000039"/>)", "identified by its director", elsewhere},
    {"PerformerWithoutPracticeSetting", R"(<standardIndustryClassCode nullFlavor="NAV"/>)", "", "closed schema", elsewhere},
    {"PracticeSettingNeitherCodedNorUnknown", R"(<standardIndustryClassCode nullFlavor="NAV"/>)", "<standardIndustryClassCode/>", "coded, or said to be unknown", elsewhere},
    {"PerformerThatTheNarrativeDoesNotName", "Examen réalisé par Laboratoire spécialisé des Essais", "", "does not name this laboratory"},
    {"AnotherPerformerInTheNarrative", "Examen réalisé par Laboratoire spécialisé des Essais", "Examen réalisé par Laboratoire central des Essais", "does not name this laboratory"},
};
// The culture of the microbiology chapter.
constexpr const char* microbiology = R"(<section><templateId root="1.3.6.1.4.1.19376.1.3.3.2.1"/><templateId root="1.2.250.1.213.1.1.2.70"/><code code="18725-2")";
constexpr const char* first_isolate = R"(<organizer classCode="CLUSTER")";
constexpr const char* battery = R"(<organizer classCode="BATTERY")";
const Defect cultures[] = {
    {"FrenchTemplateOfTheIsolateMissing", R"(<templateId root="1.2.250.1.213.1.1.3.79"/>)", "", "closed schema", first_isolate},
    {"TemplateOfAnotherOrganizer", R"(<templateId root="1.2.250.1.213.1.1.3.79"/>)", R"(<templateId root="1.2.250.1.213.1.1.3.78"/>)", "isolate declares both", first_isolate},
    {"TemplateOfTheBatteryWrong", R"(<templateId root="1.2.250.1.213.1.1.3.78"/>)", R"(<templateId root="1.2.250.1.213.1.1.3.80"/>)", "battery declares both", battery},
    {"IsolateOfAnotherClass", R"(<organizer classCode="CLUSTER" moodCode="EVN"><templateId root="1.3.6.1.4.1.19376.1.3.1.5"/>)", R"(<organizer classCode="BATTERY" moodCode="EVN"><templateId root="1.3.6.1.4.1.19376.1.3.1.5"/>)", "closed schema"},
    {"IsolateWithoutGerm", R"(<code code="112283007" displayName="Escherichia coli" codeSystem="2.16.840.1.113883.6.96" codeSystemName="SNOMED CT"><originalText><reference value="#c3-i1-g"/></originalText><translation code="562" displayName="Escherichia coli" codeSystem="2.16.840.1.113883.3.9471"/></code>)", "", "closed schema"},
    {"GermThatIsNoMicroorganism", R"(classCode="MIC")", R"(classCode="MAT")", "closed schema"},
    {"GermOfAnotherSystem", R"(codeSystem="2.16.840.1.113883.6.96")", R"(codeSystem="2.16.840.1.113883.3.9471")", "code of a germ is of SNOMED CT", first_isolate},
    {"GermWithoutLabel", R"( displayName="Escherichia coli")", "", "code of a germ comes with its label", first_isolate},
    {"GermThatTheNarrativeDoesNotName", R"(styleCode="Bold">Escherichia coli<)", R"(styleCode="Bold"><)", "does not name this germ", microbiology},
    {"AnotherGermInTheNarrative", R"(styleCode="Bold">Escherichia coli<)", R"(styleCode="Bold">Klebsiella pneumoniae<)", "names another germ", microbiology},
    {"TwoIsolatesOfOneLine", R"(<reference value="#c3-i2-g"/>)", R"(<reference value="#c3-i1-g"/>)", "does not name this germ"},
    {"IsolateTwice", R"(extension="260302-0001-4#2")", R"(extension="260302-0001-4#1")", "isolate is there twice"},
    {"GermThatNoEntrySays", "<paragraph>Germe n° 1", R"(<paragraph>Germe n° 3 : <content ID="x9">Candida albicans</content></paragraph><paragraph>Germe n° 1)", "what no entry says"},
    {"ProvisionalGermGivenAsFinal", " (identification provisoire)", "", "identified for good"},
    {"FinalGermGivenAsProvisional", R"(<statusCode code="completed"/>)", R"(<statusCode code="active"/>)", "identified for good", first_isolate},
    {"AntibiogramOfAnotherCode", R"(<code code="18769-0")", R"(<code code="18725-2")", "18769-0", battery},
    {"LetterOutOfTheAntibiogram", R"(<interpretationCode code="R" displayName="Résistant")", R"(<interpretationCode code="H" displayName="Anormalement haut")", "is S, I, R", battery},
    {"LetterThatDoesNotExist", R"(<interpretationCode code="R" displayName="Résistant")", R"(<interpretationCode code="Z" displayName="Résistant")", "flag is not of the value set", battery},
    {"ResistantInTheEntrySusceptibleInTheNarrative", "<td>R</td>", "<td>S</td>", "another letter", microbiology},
    {"LetterThatNoEntrySays", R"(<interpretationCode code="R" displayName="Résistant" codeSystem="2.16.840.1.113883.5.83"/>)", "", "another letter", battery},
    {"MicThatTheNarrativeDoesNotSay", ">&gt; 32<", ">&gt; 3,2<", "does not say this value", microbiology},
    {"MicWithoutItsSign", ">&gt; 32<", ">32<", "does not say this value", microbiology},
    {"MicOfAnotherUnitInTheNarrative", "<td>mg/L</td>", "<td>g/L</td>", "says another unit", microbiology},
    {"WordsThatAreNotThoseOfTheLetter", ">Sensible<", ">Résistant<", "not those of its letter", microbiology},
    {"AntibioticWithoutItsLine", R"(<reference value="#c3-i1-a-r1"/>)", R"(<reference value="#c3-i1-a-r2"/>)", "two results have one line"},
    {"LineOfAnAntibioticThatNoEntrySays", R"(<tr><td><content ID="c3-i1-a-r1">)", R"(<tr><td><content ID="x9">Ertapénème</content></td><td><content ID="x9-v">0,5</content></td><td>mg/L</td><td>S</td></tr><tr><td><content ID="c3-i1-a-r1">)", "what no entry says"},
    {"AntibioticThatIsNotDone", R"(<statusCode code="completed"/><effectiveTime value="20260302112000+0100"/><value xsi:type="IVL_PQ")", R"(<statusCode code="aborted"/><effectiveTime value="20260302112000+0100"/><value xsi:type="IVL_PQ")", "was not done has no value", battery},
    {"MarkerWithoutItsWords", ">Positif<", "><", "does not say this value", microbiology},
    {"FlagOfTheMarkerThatTheNarrativeDoesNotSay", " A (Anormal)", "", "does not say this flag", microbiology},
    {"CommentOnTheGermThatTheNarrativeDoesNotSay", "Germe habituel des infections urinaires.", "", "words pointed to are empty"},
    {"CodeOfAnotherSystemInTheAntibiogram", R"(code="20-8" displayName="Amoxicilline+clavulanate [Sensibilité] Isolat ; Alphanumérique ; CMI" codeSystem="2.16.840.1.113883.6.1")", R"(code="20-8" displayName="Amoxicilline+clavulanate [Sensibilité] Isolat ; Alphanumérique ; CMI" codeSystem="1.2.250.1.999.1.1.6")", "code of a result is LOINC"},
};
const Defect media[] = {
    {"NotAPdf", ">JVBERi0", ">AAAAAAA", "not a whole PDF"},
    {"PdfThatIsNotBase64", ">JVBERi0", ">J*BERi0", "not a whole PDF"},
    {"WrongMediaType", R"(mediaType="application/pdf")", R"(mediaType="text/html")", "closed schema"},
    {"NoRepresentation", R"( representation="B64")", "", "closed schema"},
    {"NoPdfCopy", R"(<templateId root="1.2.250.1.213.1.1.2.243"/>)", R"(<templateId root="1.2.250.1.213.1.1.2.60"/>)", "exactly one PDF copy"},
    {"PdfCopyThatIsNotShown", R"(<renderMultiMedia referencedObject="pdf-copy"/>)", "", "does not show the PDF copy"},
    {"PdfCopyOfAnotherKind", R"(<value xsi:type="CD" code="55108-5")", R"(<value xsi:type="CD" code="55107-7")", "copy of this one"},
    {"TitleOfThePdfCopy", "<title>Copie du document</title>", "<title>Copie</title>", "title of the PDF copy"},
};


}  // namespace

std::vector<Defect> defects() {
    std::vector<Defect> all;
    const auto add = [&](const char* area, const auto& list) {
        for (auto defect : list) {
            defect.area = area;
            all.push_back(defect);
        }
    };
    add("identity", identity);
    add("header", header);
    add("actors", actors);
    add("results", results);
    add("structure", structure);
    add("narrative", narrative);
    add("performers", performers);
    add("cultures", cultures);
    add("media", media);
    return all;
}

}  // namespace sgl::cda::test
