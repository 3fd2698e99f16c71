#include "lib/delivery/dmp/answer.hpp"

#include <gtest/gtest.h>

#include "lib/base/text.hpp"
#include "lib/delivery/dmp/soap.hpp"
#include "lib/delivery/dmp/xml.hpp"

namespace sgl::dmp {
namespace {

using delivery::Outcome;
using domain::Reason;

constexpr std::string_view ours = "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e";
constexpr std::string_view document = "2.25.1234";

std::string soap_text(const std::string& body, std::string_view relates = ours) {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<s:Envelope "
           "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
           "xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header><a:RelatesTo>" +
           std::string(relates) + "</a:RelatesTo></s:Header><s:Body>" + body + "</s:Body></s:Envelope>";
}

std::string error_entry(const std::string& code, const std::string& severity = "Error",
                        const std::string& location = "") {
    return "<rs:RegistryError errorCode=\"" + code + "\" codeContext=\"PAT-TROIS\" location=\"" + location +
           "\" severity=\"urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:" + severity + "\"/>";
}

std::string response(const std::string& errors, const std::string& status = "Failure") {
    return "<rs:RegistryResponse xmlns:rs=\"urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0\" "
           "status=\"urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:" +
           status + "\">" + (errors.empty() ? "" : "<rs:RegistryErrorList>" + errors + "</rs:RegistryErrorList>") +
           "</rs:RegistryResponse>";
}

std::string fault(const std::string& subcode, const std::string& reason) {
    return "<s:Fault><s:Code><s:Value>s:Sender</s:Value>" +
           (subcode.empty() ? "" : "<s:Subcode><s:Value xmlns:d=\"urn:d\">" + subcode + "</s:Value></s:Subcode>") +
           "</s:Code><s:Reason><s:Text xml:lang=\"fr\">" + reason + "</s:Text></s:Reason></s:Fault>";
}

struct Message {
    std::string type;
    std::string body;
};
Message multipart(const std::string& xml) {
    return {
        "multipart/related; start=\"<a@b>\"; type=\"application/xop+xml\"; boundary=\"uuid:1-2\"; "
        "start-info=\"application/soap+xml\"",
        "--uuid:1-2\r\nContent-Id: <other@b>\r\nContent-Type: text/xml\r\n\r\n<other/>\r\n"
        "--uuid:1-2\r\nContent-Id: <a@b>\r\nContent-Type: "
        "application/xop+xml;charset=utf-8;type=\"application/soap+xml\"\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n" +
            xml + "\r\n--uuid:1-2--\r\n"};
}

Answer read(const std::string& body, unsigned status = 200) {
    const auto message = multipart(soap_text(body));
    return read_answer(status, message.type, message.body, ours);
}

std::optional<Outcome> judged(const std::string& body, unsigned status = 200) {
    return judge(read(body, status), std::string(document));
}

TEST(DmpAnswer, TakesTheRootPartOfAMultipartWhereverItStands) {
    const auto outcome = judged(response("", "Success"));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->kind, Outcome::Kind::accepted);
    EXPECT_EQ(outcome->partner_reference, document);
}

TEST(DmpAnswer, ReadsAPlainSoapAnswerToo) {
    const auto answer =
        read_answer(200, "application/soap+xml; charset=UTF-8", soap_text(response("", "Success")), ours);
    EXPECT_EQ(answer.kind, Answer::Kind::success);
}

TEST(DmpAnswer, MeansWhatTheTableSays) {
    struct Row {
        const char* code;
        Outcome::Kind kind;
        Reason reason;
    };
    using K = Outcome::Kind;
    for (const Row& row :
         std::initializer_list<Row>{{"DMPClosed", K::not_applicable, Reason::dmp_closed},
                                    {"XDSUnknownPatientId", K::not_applicable, Reason::no_dmp},
                                    {"DMPAccessDeniedByRightsService", K::refused, Reason::partner_refused},
                                    {"DMPInvalidCertificate", K::refused, Reason::certificate_expired},
                                    {"XDSPatientIdDoesNotMatch", K::refused, Reason::partner_refused},
                                    {"XDSRegistryMetadataError", K::refused, Reason::partner_refused},
                                    {"InvalidDocumentContent", K::refused, Reason::partner_refused},
                                    {"XDSNonIdenticalHash", K::refused, Reason::partner_refused},
                                    {"UnresolvedReferenceException", K::refused, Reason::partner_refused},
                                    {"XDSMetadataUpdateError", K::refused, Reason::partner_refused},
                                    {"XDSRegistryBusy", K::try_later, Reason::partner_unavailable},
                                    {"XDSRepositoryBusy", K::try_later, Reason::partner_unavailable},
                                    {"XDSRepositoryOutOfResources", K::try_later, Reason::partner_unavailable},
                                    {"XDSRegistryNotAvailable", K::try_later, Reason::partner_unavailable},
                                    {"XDSRepositoryError", K::try_later, Reason::partner_unavailable},
                                    {"DMPSomethingNobodyPublished", K::refused, Reason::partner_refused}}) {
        const auto outcome = judged(response(error_entry(row.code)));
        ASSERT_TRUE(outcome) << row.code;
        EXPECT_EQ(outcome->kind, row.kind) << row.code;
        EXPECT_EQ(outcome->reason, row.reason) << row.code;
        ASSERT_TRUE(outcome->error) << row.code;
        EXPECT_NE(outcome->error->what.find(row.code), std::string::npos);
    }
}

TEST(DmpAnswer, AsksForTheDocumentWhenTheSubmissionWasRegisteredBefore) {
    EXPECT_FALSE(judged(response(error_entry("XDSDuplicateUniqueIdInRegistry"))));
    // Signed with a new certificate since.
    EXPECT_FALSE(judged(response(error_entry("XDSDuplicateUniqueIdInRegistry") +
                                 error_entry("XDSNonIdenticalHash", "Error", "Signature01"))));
    const auto other = judged(
        response(error_entry("XDSDuplicateUniqueIdInRegistry") + error_entry("XDSNonIdenticalHash", "Error", "Doc01")));
    ASSERT_TRUE(other);
    EXPECT_EQ(other->kind, Outcome::Kind::refused);
}

TEST(DmpAnswer, TakesTheGravestOfSeveralErrors) {
    const auto outcome =
        judged(response(error_entry("XDSRegistryBusy") + error_entry("XDSRegistryMetadataError", "Error", "Doc01")));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->kind, Outcome::Kind::refused);
    EXPECT_EQ(outcome->error->where, "Doc01");
}

TEST(DmpAnswer, IsDoneDespiteAWarning) {
    const auto answer = read(response(error_entry("XDSExtraMetadataNotSaved", "Warning"), "Success"));
    EXPECT_EQ(answer.kind, Answer::Kind::success);
    ASSERT_EQ(answer.problems.size(), 1U);
    EXPECT_TRUE(answer.problems.front().warning);
    EXPECT_EQ(judged(response(error_entry("XDSRegistryMetadataError"), "Success"))->kind, Outcome::Kind::refused);
}

TEST(DmpAnswer, ReadsTheFaultBeforeItBelievesTheStatus) {
    const auto certificate = judged(fault("d:DMPInvalidCertificate", "certificat"), 500);
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->reason, Reason::certificate_expired);
    EXPECT_EQ(judged(fault("", "DMPInvalidCertificate: certificat"), 500)->reason, Reason::certificate_expired);
    EXPECT_EQ(judged(fault("", "Aucune specialite dans le vihf"), 500)->kind, Outcome::Kind::refused);
}

TEST(DmpAnswer, RetriesWhatTheServerItselfCannotDo) {
    const auto outcome = [](unsigned status) {
        return judge(read_answer(status, "text/html", "<html><body>Internal Server Error</body></html>", ours),
                     "2.25.1")
            ->kind;
    };
    EXPECT_EQ(outcome(500), Outcome::Kind::try_later);
    EXPECT_EQ(outcome(503), Outcome::Kind::try_later);
    EXPECT_EQ(outcome(504), Outcome::Kind::in_doubt);
    EXPECT_EQ(outcome(413), Outcome::Kind::refused);
    EXPECT_EQ(outcome(403), Outcome::Kind::refused);
    EXPECT_EQ(outcome(200), Outcome::Kind::in_doubt);
}

TEST(DmpAnswer, IsInDoubtAfterAnythingThatIsNoAnswerToOurMessage) {
    const auto kind = [](const std::string& body) {
        return judge(read_answer(200, "application/soap+xml", body, ours), "2.25.1")->kind;
    };
    EXPECT_EQ(kind(soap_text(response("", "Success"), "urn:uuid:11111111-1111-4111-8111-111111111111")),
              Outcome::Kind::in_doubt);
    EXPECT_EQ(kind(soap_text(response("", "Success")).substr(0, 300)), Outcome::Kind::in_doubt);
    EXPECT_EQ(kind(""), Outcome::Kind::in_doubt);
    std::string deep = response("", "Success");
    for (int i = 0; i < 70; ++i)
        deep = "<x>" + deep + "</x>";
    EXPECT_EQ(kind(soap_text(deep)), Outcome::Kind::in_doubt);
    EXPECT_EQ(kind("<!DOCTYPE x [<!ENTITY e \"e\">]>" + soap_text(response("", "Success"))), Outcome::Kind::in_doubt);
    EXPECT_EQ(kind(std::string(largest_answer + 1, ' ')), Outcome::Kind::in_doubt);
}

TEST(DmpAnswer, SurvivesBrokenMultiparts) {
    const auto whole = multipart(soap_text(response("", "Success")));
    for (std::size_t length = 0; length < whole.body.size(); length += 7) {
        const auto answer = read_answer(200, whole.type, std::string_view(whole.body).substr(0, length), ours);
        EXPECT_TRUE(answer.kind == Answer::Kind::unreadable || answer.kind == Answer::Kind::success);
    }
    EXPECT_EQ(read_answer(200, "multipart/related", whole.body, ours).kind, Answer::Kind::unreadable);
    EXPECT_EQ(read_answer(200, "multipart/related; boundary=\"\r\n", whole.body, ours).kind, Answer::Kind::unreadable);
}

TEST(DmpAnswer, TellsNothingThatThePartnerWroteFreely) {
    for (const auto* code : {"279035121518989", "PAT TROIS DOMINIQUE", ""}) {
        const auto outcome = judged(response(error_entry(code, "Error", "PAT-TROIS")));
        ASSERT_TRUE(outcome);
        const auto text = to_string(*outcome->error);
        EXPECT_EQ(text.find("TROIS"), std::string::npos) << text;
        EXPECT_EQ(text.find("2790"), std::string::npos) << text;
    }
}

TEST(DmpAnswer, ListsTheObjectsThatAQueryFound) {
    const std::string found =
        "<q:AdhocQueryResponse xmlns:q=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0\" "
        "status=\"urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success\"><rim:RegistryObjectList "
        "xmlns:rim=\"urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0\"><rim:ObjectRef "
        "id=\"urn:uuid:1\"/></rim:RegistryObjectList></q:AdhocQueryResponse>";
    const auto answer = read(found);
    ASSERT_EQ(answer.found.size(), 1U);
    EXPECT_EQ(answer.found[0].id, "urn:uuid:1");
    EXPECT_EQ(answer.found[0].status, "") << "a reference tells no status";
    const auto entry = read(replace_all(found, "<rim:ObjectRef ", "<rim:ExtrinsicObject status=\"urn:s:Deleted\" "));
    ASSERT_EQ(entry.found.size(), 1U);
    EXPECT_EQ(entry.found[0].status, "urn:s:Deleted");
}

// dmp.md 8: re-read, retry once, then park.
TEST(DmpAnswer, SaysWhenTheEntryIsNotAsItWasTold) {
    for (const auto* code : {"UnresolvedReferenceException", "XDSMetadataVersionError", "XDSMetadataUpdateError",
                             "XDSRegistryDeprecatedDocumentError"})
        EXPECT_TRUE(says_stale(read(response(error_entry(code))))) << code;
    EXPECT_FALSE(says_stale(read(response("", "Success"))));
    EXPECT_FALSE(says_stale(read(response(error_entry("XDSMetadataUpdateError", "Warning"), "Success"))));
    EXPECT_FALSE(says_stale(read(response(error_entry("XDSDuplicateUniqueIdInRegistry")))));
    EXPECT_FALSE(says_stale(read(response(error_entry("XDSMetadataUpdateError") + error_entry("DMPClosed")))))
        << "the gravest counts";
}

TEST(DmpMtom, KeepsTheBytesOfADocument) {
    const Call call{"https://dmp.example/repository", action::feed, random_urn(), "<saml2:Assertion/>"};
    const std::string bytes = "<a>\r\n--sgld-\r\n\n</a>";
    const auto made = mtom(call, "<e/>", {{"doc01@sgld", bytes}});
    EXPECT_NE(made.body.find("Content-ID: <doc01@sgld>\r\n\r\n" + bytes + "\r\n--"), std::string::npos);
    EXPECT_NE(made.content_type.find("start=\"<root@sgld>\""), std::string::npos);
    EXPECT_NE(random_uuid(), random_uuid());
    EXPECT_EQ(random_uuid()[14], '4');
}

TEST(DmpXml, CanonicalFormKeepsCommentsAndSortsAttributes) {
    EXPECT_EQ(canonical_with_comments("<?xml version='1.0'?>\n<a c='2' b=\"1\"><!--x--><d/></a>").value(),
              "<a b=\"1\" c=\"2\"><!--x--><d></d></a>");
    EXPECT_FALSE(canonical_with_comments("<a>"));
}

}  // namespace
}  // namespace sgl::dmp
