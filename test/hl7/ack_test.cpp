#include "hl7/ack.hpp"

#include <gmock/gmock.h>

#include <array>
#include <random>
#include <stdexcept>

#include "hl7/lines.hpp"
#include "test/hl7/shared.hpp"

namespace sgl::hl7 {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Message read(std::string bytes) {
    auto message = Message::parse(std::move(bytes));
    if (!message) throw std::runtime_error(to_string(message.error()));
    return std::move(*message);
}

Message incoming(std::string_view version = "2.5.1", std::string_view accept = "", std::string_view application = "") {
    return read("MSH|^~\\&|AUTO&1^x|SITE|SGLD|LABO|20261121||ORU^R01^ORU_R01|A\\T\\1|P^T|" + std::string(version) +
                "|||" + std::string(accept) + "|" + std::string(application) + "||8859/1\rPID|1\r");
}

AnswerContext context() {
    AnswerContext c;
    c.sending_application = "SGLD";
    c.sending_facility = "LABO";
    c.control_id = "R1";
    c.time = *Timestamp::parse("20261121102030+0100");
    return c;
}

TEST(Ack, HasAnMshOfItsOwnAndTheControlIdByteForByte) {
    EXPECT_EQ(ack(incoming(), AckCode::aa, {}, context()),
              "MSH|^~\\&|SGLD|LABO|AUTO&1^x|SITE|20261121102030+0100||ACK^R01^ACK|R1|P^T|2.5.1||||||UNICODE UTF-8\r"
              "MSA|AA|A\\T\\1\r");
}

TEST(Ack, SaysWhereAndWhyInErr) {
    const std::vector<Problem> problems{
        {ErrorCode::required_field_missing, 'W', "OBX[3]-3.1", "no code", "Code d’analyse absent", "X1"},
        {ErrorCode::unsupported_message_type, 'E', "MSH-9", "", "", ""},
        {ErrorCode::application_error, 'E', "segment 20001", "", "", ""},
        {ErrorCode::cardinality, 'E', "PID", "", "", ""}};
    const auto answer = ack(incoming(), AckCode::ae, problems, context());
    EXPECT_THAT(
        answer,
        HasSubstr("\rERR||OBX^3^3^1^1|101^Required field missing^HL70357|W|X1||no code|Code d’analyse absent\r"));
    EXPECT_THAT(answer, HasSubstr("\rERR||MSH^1^9^1|200^Unsupported message type^HL70357|E\r"));
    EXPECT_THAT(answer, HasSubstr("\rERR|||207^Application error^HL70357|E\r"));
    EXPECT_THAT(answer, HasSubstr("\rERR||PID^1|198^"));
}

TEST(Ack, WritesErr1AndMsa6OnlyForPeersBefore25) {
    const std::vector<Problem> problems{{ErrorCode::required_field_missing, 'E', "PID-3", "", "", ""},
                                        {ErrorCode::data_type, 'E', "OBR[2]-4", "", "", ""}};
    const auto old = ack(incoming("2.3.1"), AckCode::ae, problems, context(), "Refused");
    EXPECT_THAT(old, HasSubstr("\rMSA|AE|A\\T\\1|Refused|||101^Required field missing^HL70357\r"));
    EXPECT_THAT(old,
                HasSubstr("\rERR|PID^1^3^101&Required field missing&HL70357~OBR^2^4^102&Data type error&HL70357\r"));
    for (const auto* version : {"2.1", "2.2", "2.3", "2.4"}) {
        EXPECT_THAT(ack(incoming(version), AckCode::ae, problems, context()), HasSubstr("\rERR|PID^1^3^101"))
            << version;
    }
    for (const auto* version : {"2.5", "2.5.1", "2.6", "2.9", "", "rubbish"}) {
        EXPECT_THAT(ack(incoming(version), AckCode::ae, problems, context()), HasSubstr("\rERR||PID^1^3^1|101^"))
            << version;
    }
    EXPECT_THAT(ack(incoming("7.7"), AckCode::ar, {}, context()), HasSubstr("|2.5.1|"));
}

TEST(Ack, UsesTheSeparatorsOfTheIncomingMessageUnlessTheyAreUnusable) {
    EXPECT_THAT(ack(read("MSH#$%*@#A########1#P#2.5\r"), AckCode::aa, {}, context()),
                HasSubstr("MSH#$%*@#SGLD#LABO#A#"));
    EXPECT_THAT(ack(read("MSH|^~\\|A&B||||||ORU^R01|1|P|2.5\r"), AckCode::aa, {}, context()),
                HasSubstr("MSH|^~\\&|SGLD|LABO|A\\T\\B|"));
    EXPECT_THAT(ack(read("MSH|^~\\&\r"), AckCode::ae, {}, context()), HasSubstr("||ACK|R1||2.5.1|"));
}

TEST(Ack, IsWrittenInTheAskedCharacterSetOrUtf8RatherThanWithQuestionMarks) {
    auto latin = context();
    latin.charset = Charset::iso_8859_1;
    const std::vector<Problem> problem{{ErrorCode::application_error, 'E', "", "", "é", ""}};
    EXPECT_THAT(ack(incoming(), AckCode::ae, problem, latin), HasSubstr("|E||||\xE9\r"));
    const std::vector<Problem> greek{{ErrorCode::application_error, 'E', "", "", "λ", ""}};
    const auto answer = ack(incoming(), AckCode::ae, greek, latin);
    EXPECT_THAT(answer, HasSubstr("UNICODE UTF-8"));
    EXPECT_THAT(answer, HasSubstr("λ"));
}

TEST(Ack, AnswersAMessageOfWhichOnlyTheHeaderWasRead) {
    const auto header = Message::parse_header("MSH|^~\\&|A|B|||1||ORU^R01|9|P|2.5\rPID|");
    const std::vector<Problem> problem{{ErrorCode::value_too_long, 'E', "", "", "", ""}};
    EXPECT_THAT(ack(*header, AckCode::ar, problem, context()), HasSubstr("MSA|AR|9\rERR|||104^Value too long"));
}

TEST(OrderAnswer, SaysForEachOrderWhatBecameOfIt) {
    const auto oml = read(
        "MSH|^~\\&|DPI|CH|SGLD|LABO|1||OML^O21^OML_O21|7|P|2.5.1||||||UNICODE UTF-8\rPID|1||X^^^&1.2&ISO||LÉA\r"
        "ORC|NW|P1^DPI||G1\rOBR|1|P1^DPI||NFS^Numération^L||||||||||||MED\rOBX|1\rSPM|1|T1\rORC|NW|P2^DPI||G1\rOBR|2|"
        "P2^DPI||XX\r");
    const auto groups = group(oml);
    std::vector<OrderAnswer> answers(2);
    answers[0].filler_number = "F1";
    answers[1].control = "UA";
    answers[1].status = "CA";
    answers[1].reason_code = "INCONNU";
    answers[1].reason = "Examen inconnu";
    EXPECT_EQ(orl(oml, groups, AckCode::aa, answers, {}, context()),
              "MSH|^~\\&|SGLD|LABO|DPI|CH|20261121102030+0100||ORL^O22^ORL_O22|R1|P|2.5.1||||||UNICODE UTF-8\r"
              "MSA|AA|7\rPID|1||X^^^&1.2&ISO||LÉA\r"
              "ORC|OK|P1^DPI|F1|G1|SC\rOBR|1|P1^DPI|F1|NFS^Numération^L||||||||||||MED\rSPM|1|T1\r"
              "ORC|UA|P2^DPI||G1|CA|||||||||||INCONNU^Examen inconnu\rOBR|2|P2^DPI||XX\r");
    EXPECT_THAT(orl(oml, groups, AckCode::ar, {}, {}, context()), Not(HasSubstr("PID")));
}

TEST(Rsp, EchoesTheQueryAndItsTag) {
    const auto query = *Message::parse(
        "MSH|^~\\&|AUTO1|LBM|SGL|LBM|20240502081530||QBP^Q11^QBP_Q11|Q0001|P|2.5.1|||NE|AL||UNICODE "
        "UTF-8|||LAB-27^IHE\r"
        "QPD|WOS^Work Order Step^IHELAW|Q0001-1|24050200123\rRCP|I||R^^HL70394\r");
    EXPECT_EQ(rsp(query, AckCode::aa, QueryStatus::ok, {}, context()),
              "MSH|^~\\&|SGLD|LABO|AUTO1|LBM|20261121102030+0100||RSP^K11^RSP_K11|R1|P|2.5.1||||||UNICODE UTF-8\r"
              "MSA|AA|Q0001\rQAK|Q0001-1|OK|WOS^Work Order Step^IHELAW\r"
              "QPD|WOS^Work Order Step^IHELAW|Q0001-1|24050200123\r");
    Problem problem;
    problem.code = ErrorCode::unknown_key;
    problem.where = "QPD-3";
    const auto refused =
        *Message::parse(rsp(query, AckCode::ae, QueryStatus::application_error, {&problem, 1}, context()));
    EXPECT_EQ(refused.text("ERR-3.1"), "204");
    EXPECT_EQ(refused.first("ERR").field(2).raw(), "QPD^1^3^1");
    EXPECT_EQ(refused.text("QAK-2"), "AE");
}

TEST(Rsp, KeepsTheEventOfOlderQueriesAndSurvivesOneWithoutQpd) {
    const auto older = *Message::parse("MSH|^~\\&|A||||1||QBP^WOS^QBP_Q11|1|P|2.5\rQPD|WOS^x^IHE|T|1\r");
    EXPECT_EQ(Message::parse(rsp(older, AckCode::aa, QueryStatus::not_found, {}, context()))->trigger(), "WOS");
    const auto bare = *Message::parse("MSH|^~\\&|A||||1||QBP^Q11|1|P|2.5\r");
    const auto answer = *Message::parse(rsp(bare, AckCode::ae, QueryStatus::application_error, {}, context()));
    EXPECT_EQ(answer.first("QAK").raw(), "QAK||AE");
    EXPECT_FALSE(answer.first("QPD"));
}

// parse(build(x)) == x, whatever stands in the query and whatever separates it.
TEST(Rsp, SaysTheQueryAgainWordForWord) {
    std::mt19937 random(20261122);
    constexpr std::array pieces{"|", "^", "~", "\\", "&", "#", "é", "€", "a", " ", "\\F\\", "\\.br\\", "\"", "1"};
    const std::array<Separators, 3> separators{Separators{}, Separators{'|', '^', '~', '\\', '&', '#'},
                                               Separators{'#', '$', '%', '*', '@', '\0'}};
    for (int round = 0; round < 500; ++round) {
        const auto some_text = [&] {
            std::string text = "x";
            for (auto n = random() % 6; n > 0; --n)
                text += pieces[random() % pieces.size()];
            return text;
        };
        Builder b(separators[random() % separators.size()]);
        Header header;
        header.type = "QBP";
        header.trigger = "Q11";
        header.time = *Timestamp::parse("20261122");
        header.control_id = some_text();
        header.sending_application = some_text();
        b.header(header).segment("QPD").components(1, {some_text(), some_text(), some_text()});
        b.field(2, some_text()).repeat(3, {some_text(), some_text()}).repeat(3, {some_text()}).at(4, 2, 3, some_text());
        const auto query = *Message::parse(b.bytes().bytes);
        const auto answer = Message::parse(rsp(query, AckCode::aa, QueryStatus::ok, {}, context()));
        ASSERT_TRUE(answer);
        ASSERT_EQ(answer->separators(), query.separators());
        ASSERT_EQ(answer->text("MSA-2"), query.control_id());
        ASSERT_EQ(answer->text("MSH-5"), query.text("MSH-3"));
        ASSERT_EQ(answer->text("QAK-1"), query.text("QPD-2"));
        ASSERT_EQ(answer->first("QAK").field(3).raw(), query.first("QPD").field(1).raw());
        ASSERT_EQ(answer->first("QPD").raw(), query.first("QPD").raw());
    }
}

TEST(AckRequest, FollowsTheDecisionTable) {
    using When = AckRequest::When;
    const auto now = [](std::string_view accept, std::string_view application, AckOutcome outcome) -> std::string {
        const auto decision = decide(ack_request(incoming("2.5.1", accept, application)), outcome);
        return (decision.now ? std::string(to_string(*decision.now)) : "-") + (decision.later ? "+" : "");
    };
    struct Row {
        const char* accept;
        const char* application;
        const char* stored;
        const char* content_error;
        const char* rejected;
    };
    for (const auto& row :
         {Row{"", "", "AA", "AE", "AR"}, Row{"AL", "NE", "CA", "CE", "CR"}, Row{"AL", "AL", "CA+", "CE+", "CR+"},
          Row{"AL", "ER", "CA", "CE+", "CR+"}, Row{"AL", "", "CA", "CE", "CR"}, Row{"NE", "AL", "AA", "AE", "AR"},
          Row{"", "AL", "AA", "AE", "AR"}, Row{"NE", "NE", "-", "-", "-"}, Row{"ER", "NE", "-", "CE", "CR"},
          Row{"ER", "AL", "-+", "CE+", "CR+"}, Row{"", "ER", "-", "AE", "AR"}, Row{"NE", "SU", "AA", "-", "-"},
          Row{"SU", "NE", "CA", "-", "-"}, Row{"", "0", "AA", "AE", "AR"}, Row{"0", "0", "AA", "AE", "AR"}}) {
        EXPECT_EQ(now(row.accept, row.application, AckOutcome::stored), row.stored)
            << row.accept << '/' << row.application;
        EXPECT_EQ(now(row.accept, row.application, AckOutcome::content_error), row.content_error)
            << row.accept << '/' << row.application;
        EXPECT_EQ(now(row.accept, row.application, AckOutcome::rejected), row.rejected)
            << row.accept << '/' << row.application;
    }
    EXPECT_TRUE(ack_request(incoming("2.5.1", "", "0")).unusual);
    EXPECT_EQ(ack_request(incoming("2.5.1", "AL", "NE")).accept, When::always);
}

TEST(ReadAck, ReadsWhatOthersWrite) {
    const auto plain = read_ack(read("MSH|^~\\&|A\rMSA|AA|42\r"));
    ASSERT_TRUE(plain);
    EXPECT_TRUE(plain->accepted());
    EXPECT_EQ(plain->control_id, "42");
    EXPECT_THAT(plain->problems, IsEmpty());
    EXPECT_TRUE(read_ack(read("MSH|^~\\&|A\rMSA| CA |42\r"))->accepted());
    EXPECT_EQ(read_ack(read("MSH|^~\\&|A\r")).error().where, "MSA");
    EXPECT_EQ(read_ack(read("MSH|^~\\&|A\rMSA||42\r")).error().where, "MSA-1");
    EXPECT_EQ(read_ack(read("MSH|^~\\&|A\rMSA|OK|42\r")).error().fault, Fault::malformed);
}

TEST(ReadAck, KnowsTheRefusalsThatAreNeverRetried) {
    for (const auto* code : {"200", "201", "202", "203"}) {
        EXPECT_TRUE(read_ack(read("MSH|^~\\&|A\rMSA|AE|1\rERR||MSH^1^9|" + std::string(code) + "|E\r"))->never_again());
    }
    EXPECT_FALSE(read_ack(read("MSH|^~\\&|A\rMSA|AR|1\rERR|||207|E\r"))->never_again());
    EXPECT_TRUE(read_ack(read("MSH|^~\\&|A\rMSA|AR|1||||203\r"))->never_again());
}

TEST(ReadAck, ReadsOurOwnAnswersInBothForms) {
    const std::vector<Problem> problems{{ErrorCode::data_type, 'W', "OBX[3]-5.1", "", "", "Z"}};
    const auto of = [&](std::string_view version) {
        return *read_ack(read(ack(incoming(version), AckCode::ae, problems, context())));
    };
    EXPECT_EQ(of("2.5.1").problems.at(0).where, "OBX[3]-5.1");
    EXPECT_EQ(of("2.5.1").problems.at(0).severity, "W");
    EXPECT_EQ(of("2.5.1").problems.at(0).application_code, "Z");
    EXPECT_EQ(of("2.3").problems.at(0).where, "OBX[3]-5");
    EXPECT_EQ(of("2.3").problems.at(0).code, "102");
    EXPECT_EQ(of("2.3").control_id, "A&1");
}

TEST(ReadAck, ReadsTheAnswersOfTheCorpus) {
    const auto corpus = test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    const auto one = [&](const char* name) {
        return *read_ack(read(std::string(split_messages(test::bytes_of(corpus / name)).at(0))));
    };
    const auto old = one("synthetic-fr__ack_old_style_err1.hl7");
    EXPECT_EQ(old.code, AckCode::ae);
    ASSERT_THAT(old.problems, SizeIs(2));
    EXPECT_EQ(old.problems[0].where, "PID[1]-3");
    EXPECT_EQ(old.problems[0].code, "101");
    EXPECT_EQ(old.problems[1].code, "102");
    const auto recent = one("synthetic-fr__ack_r22_ae_err.hl7");
    ASSERT_THAT(recent.problems, SizeIs(2));
    EXPECT_EQ(recent.problems[0].where, "SPM[1]-2.1");
    EXPECT_EQ(recent.problems[0].code, "204");
    EXPECT_EQ(recent.problems[1].severity, "W");
    EXPECT_EQ(one("synthetic-fr__ack_ar_unsupported_version.hl7").code, AckCode::ar);
}

TEST(Ack, RepeatsTheControlIdByteForByte) {
    // GeneXpert writes U+2010 in MSH-10 and declares no character set: the bytes are not ASCII, and they are its own.
    const std::string block =
        "MSH|^~\\&|GX||LIS||20141027||ORU^R32|URM\xE2\x80\x90"
        "01|P|2.5\rPID|1\r";
    const auto incoming = Message::parse(block).value();
    AnswerContext context;
    context.time = Timestamp::parse("20260314081500").value();
    context.raw_control_id = control_id_bytes(block);
    for (const auto charset : {Charset::utf_8, Charset::iso_8859_1}) {
        context.charset = charset;
        EXPECT_NE(ack(incoming, AckCode::aa, {}, context)
                      .find("\rMSA|AA|URM\xE2\x80\x90"
                            "01\r"),
                  std::string::npos);
    }
    EXPECT_EQ(control_id_bytes("\r\n MSH#^~\\&#A#B#C#D#E##ORU#X1#P"), "X1");
    EXPECT_EQ(control_id_bytes("MSH|^~\\&|A"), "");
    EXPECT_EQ(control_id_bytes("no HL7"), "");
}

}  // namespace
}  // namespace sgl::hl7
