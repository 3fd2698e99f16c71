#include "lib/delivery/xds/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/hl7/shared.hpp"
#include "test/lib/delivery/xds/reading.hpp"
#include "test/lib/delivery/xds/samples.hpp"

namespace sgl::xds {
namespace {

using test::select;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto set_uuid = "urn:uuid:0f5a1c52-5a0e-4d5e-9d0a-3d2a6f5b0001";
constexpr auto document_uuid = "urn:uuid:0f5a1c52-5a0e-4d5e-9d0a-3d2a6f5b0002";

Submission for_xdm() {
    auto made = test::submission(set_uuid, document_uuid);
    made.documents[0].uri = "DOC0001.XML";
    return made;
}

Submission for_dmp() {
    auto made = test::submission("SubmissionSet01", "Doc01");
    made.signature = signature_entry(made, "1.2.250.1.99999.30.2026.123.1");
    describe_bytes(*made.signature, "<Signature/>");
    made.replacements.push_back({"Doc01", "urn:uuid:11111111-2222-4333-8444-555555555555", std::string(association::replaces)});
    return made;
}

Result<std::string> as_iti41(const Submission& submission) {
    cda::XmlWriter writer;
    write_submit_objects_request(writer, submission, Form::iti41);
    return writer.take();
}

std::string slot_of(const std::string& entry, const std::string& name) {
    return "//rim:ExtrinsicObject[@id='" + entry + "']/rim:Slot[@name='" + name + "']/rim:ValueList/rim:Value";
}

std::filesystem::path ihe() { return std::filesystem::absolute(test::shared_folder() / "ihe"); }

TEST(XdmMetadata, AreValidEbRim) {
    SGL_NEEDS_SHARED(ihe() / "xsd/xds/lcm.xsd");
    const auto xml = xdm_metadata(for_xdm());
    ASSERT_TRUE(xml) << to_string(xml.error());
    EXPECT_EQ(test::schema_complaints(*xml, ihe(), "xsd/xds/lcm.xsd"), "");
}

TEST(Iti41Metadata, AreValidEbRim) {
    SGL_NEEDS_SHARED(ihe() / "xsd/xds/lcm.xsd");
    const auto xml = as_iti41(for_dmp());
    ASSERT_TRUE(xml) << to_string(xml.error());
    EXPECT_EQ(test::schema_complaints(*xml, ihe(), "xsd/xds/lcm.xsd"), "");
}

TEST(StatusChange, IsValidEbRim) {
    SGL_NEEDS_SHARED(ihe() / "xsd/xds/lcm.xsd");
    const StatusChange change{"urn:uuid:11111111-2222-4333-8444-555555555555", std::string(status::approved), std::string(status::deleted)};
    cda::XmlWriter writer;
    write_status_change(writer, for_dmp().set, change);
    const auto xml = writer.take();
    ASSERT_TRUE(xml) << to_string(xml.error());
    EXPECT_EQ(test::schema_complaints(*xml, ihe(), "xsd/xds/lcm.xsd"), "");
    EXPECT_THAT(select(*xml, "//rim:Association/@targetObject"), ElementsAre("urn:uuid:11111111-2222-4333-8444-555555555555"));
    EXPECT_THAT(select(*xml, "//rim:Association/rim:Slot/@name"), ElementsAre("OriginalStatus", "NewStatus"));
    EXPECT_THAT(select(*xml, "//rim:ExtrinsicObject/@id"), IsEmpty());
}

TEST(XdmMetadata, SaySaidByTheSpecification) {
    const auto xml = xdm_metadata(for_xdm()).value();
    const auto slot = [&](const std::string& name) { return select(xml, slot_of(document_uuid, name)); };
    EXPECT_THAT(select(xml, "/lcm:SubmitObjectsRequest/rim:RegistryObjectList/rim:RegistryPackage/@id"), ElementsAre(set_uuid));
    EXPECT_THAT(slot("creationTime"), ElementsAre("20260302091200"));
    EXPECT_THAT(slot("serviceStartTime"), ElementsAre("20260302070500"));
    EXPECT_THAT(slot("serviceStopTime"), ElementsAre("20260302091000"));
    EXPECT_THAT(slot("languageCode"), ElementsAre("fr-FR"));
    EXPECT_THAT(slot("legalAuthenticator"),
                ElementsAre("899900000017^BIOLOGISTE^CLAIRE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"));
    EXPECT_THAT(slot("sourcePatientId"), ElementsAre("IPP004512^^^&1.2.250.1.99999.1&ISO^PI"));
    EXPECT_THAT(slot("sourcePatientInfo"), ElementsAre("PID-5|PAT-TROIS^DOMINIQUE^DOMINIQUE^^^^L", "PID-7|19790328", "PID-8|F",
                                                       "PID-11|^^^^^^BDL^^63220"));
    EXPECT_THAT(slot("size"), ElementsAre("19"));
    EXPECT_THAT(slot("hash"), ElementsAre(to_hex(sha1("<ClinicalDocument/>"))));
    EXPECT_THAT(slot("URI"), ElementsAre("DOC0001.XML"));
    EXPECT_THAT(slot("urn:action:extraMetadataSlot"), IsEmpty());
    EXPECT_THAT(select(xml, "//rim:ExternalIdentifier[rim:Name/rim:LocalizedString/@value='XDSDocumentEntry.patientId']/@value"),
                ElementsAre("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"));
    EXPECT_THAT(select(xml, "//rim:ExternalIdentifier[@identificationScheme='urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab']/@value"),
                ElementsAre("1.2.250.1.99999.10.2026.123.1"));
    EXPECT_THAT(select(xml, "//rim:Slot[@name='authorInstitution']//rim:Value"),
                ElementsAre("LABORATOIRE EXEMPLE^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000025",
                            "LABORATOIRE EXEMPLE^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000025"));
    EXPECT_THAT(select(xml, "//rim:Slot[@name='authorSpecialty']//rim:Value")[0],
                "G15_10/SM03^Médecin - Biologie médicale (SM)^1.2.250.1.213.1.1.4.5");
    EXPECT_THAT(select(xml, "//rim:Classification[@classificationScheme='urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d']/@nodeRepresentation"),
                ElementsAre(""));
    const auto code = [&](const std::string& scheme) {
        return select(xml, "//rim:Classification[@classificationScheme='" + scheme + "']/@nodeRepresentation");
    };
    EXPECT_THAT(code("urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"), ElementsAre("26"));
    EXPECT_THAT(code("urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"), ElementsAre("10"));
    EXPECT_THAT(code("urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"), ElementsAre("11502-2"));
    EXPECT_THAT(code("urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"), ElementsAre("urn:ihe:lab:xd-lab:2008"));
    EXPECT_THAT(code("urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"), ElementsAre("N"));
    EXPECT_THAT(code("urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4"), ElementsAre("18719-5"));
    EXPECT_THAT(select(xml, "//rim:Association/@associationType"),
                ElementsAre("urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"));
    EXPECT_THAT(select(xml, "//rim:Association/@targetObject"), ElementsAre(document_uuid));
}

TEST(XdmMetadata, TellAReplacementByItsAction) {
    auto submission = for_xdm();
    submission.documents[0].action = "C";
    const auto xml = xdm_metadata(submission).value();
    EXPECT_THAT(select(xml, slot_of(document_uuid, "urn:action:extraMetadataSlot")), ElementsAre("C"));
    submission.replacements.push_back({document_uuid, "urn:uuid:1", std::string(association::replaces)});
    EXPECT_EQ(xdm_metadata(submission).error().fault, Fault::unsupported);
}

TEST(Iti41Metadata, HoldTheSignatureAndItsAssociations) {
    const auto xml = as_iti41(for_dmp()).value();
    EXPECT_THAT(select(xml, "//rim:ExtrinsicObject/@id"), ElementsAre("Doc01", "Signature01"));
    EXPECT_THAT(select(xml, "//rim:Association/@associationType"),
                ElementsAre(association::has_member, association::has_member, association::signs, association::replaces));
    EXPECT_THAT(select(xml, "//rim:Association[3]/@sourceObject"), ElementsAre("Signature01"));
    EXPECT_THAT(select(xml, "//rim:Association[3]/@targetObject"), ElementsAre("SubmissionSet01"));
    EXPECT_THAT(select(xml, "//rim:Association[4]/@targetObject"), ElementsAre("urn:uuid:11111111-2222-4333-8444-555555555555"));
    EXPECT_THAT(select(xml, slot_of("Signature01", "languageCode")), ElementsAre("art"));
    EXPECT_THAT(select(xml, slot_of("Signature01", "creationTime")), ElementsAre("20260302091500"));
    EXPECT_THAT(select(xml, slot_of("Signature01", "sourcePatientId")), ElementsAre("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"));
    EXPECT_THAT(select(xml, "//rim:ExtrinsicObject[@id='Signature01']/rim:Classification[@classificationScheme="
                            "'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f']/@nodeRepresentation"),
                ElementsAre("N", "MASQUE_PS", "INVISIBLE_PATIENT"));
    EXPECT_THAT(select(xml, slot_of("Doc01", "URI")), IsEmpty());
    EXPECT_THAT(select(xml, "//@status"), IsEmpty());
}

TEST(Metadata, RefuseWhatIsMissingWithItsPlace) {
    auto submission = for_xdm();
    submission.documents[0].authors.clear();
    auto refused = xdm_metadata(submission);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::missing);
    EXPECT_THAT(refused.error().where, HasSubstr("rim:ExtrinsicObject/author"));

    submission = for_xdm();
    submission.documents[0].hash.clear();
    EXPECT_EQ(xdm_metadata(submission).error().fault, Fault::missing);

    submission = for_xdm();
    submission.documents[0].unique_id = "1.2.250.1^12";
    EXPECT_EQ(xdm_metadata(submission).error().fault, Fault::malformed);

    submission = for_xdm();
    submission.documents[0].uri.clear();
    EXPECT_THAT(xdm_metadata(submission).error().where, HasSubstr("URI"));
    EXPECT_TRUE(as_iti41(submission));

    submission = for_xdm();
    submission.set.patient_id = Personal(PatientId{});
    EXPECT_THAT(xdm_metadata(submission).error().where, HasSubstr("patientId"));
}

TEST(Metadata, EscapeDelimitersInNames) {
    EXPECT_EQ(to_xon({"BIO ^ & | ~ \\ LAB", "1990000025"}),
              "BIO \\S\\ \\T\\ \\F\\ \\R\\ \\E\\ LAB^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990000025");
    EXPECT_EQ(to_xcn({"1990000025/17", "NOM", "PRENOM", Professional::Kind::person}),
              "1990000025/17^NOM^PRENOM^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^EI");
    auto submission = for_xdm();
    submission.documents[0].source_patient.reveal().birth_name = "L'H<&\"É";
    const auto xml = xdm_metadata(submission).value();
    EXPECT_THAT(select(xml, slot_of(document_uuid, "sourcePatientInfo")), ::testing::Contains("PID-5|L'H<\\T\\\"É^DOMINIQUE^DOMINIQUE^^^^L"));
}

}  // namespace
}  // namespace sgl::xds
