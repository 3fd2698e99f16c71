// Decision table of hl7v2-lab 3.2, whole: MSH-15 × MSH-16 × outcome × what the link says.
#include "lib/flow/answer.hpp"

#include <gtest/gtest.h>

namespace sgl::flow {
namespace {

domain::Link link_with(domain::Link::Acknowledgement mode = domain::Link::Acknowledgement::as_asked) {
    domain::Link link;
    link.acknowledgement = mode;
    return link;
}

hl7::Message message(const std::string& accept, const std::string& application, const std::string& type = "ORU^R01",
                     const std::string& more = {}) {
    return hl7::Message::parse("MSH|^~\\&|A|B|C|D|20260314081500||" + type + "|M1|P|2.5.1|||" + accept + "|" +
                               application + "\r" + more)
        .value();
}

struct Said {
    std::string now;    // code of the answer at once, empty: none
    std::string later;  // code of the message of its own, empty: none
};

Said say(const hl7::Message& incoming, const std::string& code, const domain::Link& link = link_with()) {
    const Answer answer(link, parse_iso8601("2026-03-14T08:15:00Z").value(), "ANSWER1");
    const auto reply = answer.to(incoming, code, {});
    Said said;
    if (!reply.bytes.empty()) said.now = hl7::Message::parse(reply.bytes).value().text("MSA-1");
    if (reply.owes) {
        const auto later = hl7::Message::parse(answer.application(incoming, code, {})).value();
        said.later = later.text("MSA-1");
        EXPECT_EQ(later.text("MSA-2"), "M1");
        EXPECT_EQ(later.control_id(), "ANSWER1") << "a message of its own has its own MSH-10";
        EXPECT_EQ(later.text("MSH-16"), "NE") << "an answer is not answered";
    }
    return said;
}

struct Row {
    const char* accept;
    const char* application;
    const char* outcome;
    const char* now;
    const char* later;
};

class Table32 : public ::testing::TestWithParam<Row> {};

TEST_P(Table32, IsAnswered) {
    const auto& row = GetParam();
    const auto said = say(message(row.accept, row.application), row.outcome);
    EXPECT_EQ(said.now, row.now);
    EXPECT_EQ(said.later, row.later);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Table32,
    ::testing::Values(
        // both empty: original mode
        Row{"", "", "AA", "AA", ""}, Row{"", "", "AE", "AE", ""}, Row{"", "", "AR", "AR", ""},
        // 15 = AL
        Row{"AL", "NE", "AA", "CA", ""}, Row{"AL", "NE", "AE", "CE", ""}, Row{"AL", "NE", "AR", "CR", ""},
        Row{"AL", "", "AA", "CA", ""}, Row{"AL", "AL", "AA", "CA", "AA"}, Row{"AL", "AL", "AE", "CE", "AE"},
        Row{"AL", "AL", "AR", "CR", "AR"}, Row{"AL", "ER", "AA", "CA", ""}, Row{"AL", "ER", "AE", "CE", "AE"},
        Row{"AL", "SU", "AA", "CA", "AA"}, Row{"AL", "SU", "AR", "CR", ""},
        // 15 = NE or empty, 16 valued: at once
        Row{"NE", "AL", "AA", "AA", ""}, Row{"NE", "AL", "AE", "AE", ""}, Row{"", "AL", "AR", "AR", ""},
        Row{"NE", "ER", "AA", "", ""}, Row{"NE", "ER", "AE", "AE", ""}, Row{"", "ER", "AA", "", ""},
        Row{"", "ER", "AR", "AR", ""}, Row{"NE", "SU", "AA", "AA", ""}, Row{"", "SU", "AE", "", ""},
        // 15 = ER or SU
        Row{"ER", "NE", "AA", "", ""}, Row{"ER", "NE", "AE", "CE", ""}, Row{"ER", "NE", "AR", "CR", ""},
        Row{"ER", "AL", "AA", "", "AA"}, Row{"ER", "AL", "AE", "CE", "AE"}, Row{"ER", "", "AR", "CR", ""},
        Row{"SU", "NE", "AA", "CA", ""}, Row{"SU", "NE", "AE", "", ""}, Row{"SU", "AL", "AE", "", "AE"},
        // nothing wanted
        Row{"NE", "NE", "AA", "", ""}, Row{"NE", "NE", "AE", "", ""}, Row{"NE", "", "AR", "", ""},
        // outside table 0155: as if both were empty
        Row{"", "0", "AA", "AA", ""}, Row{"0", "0", "AE", "AE", ""}, Row{"AL", "<cr>", "AR", "AR", ""},
        Row{"UNICODE", "", "AA", "AA", ""}));

TEST(AcknowledgementOfALink, CanBeForced) {
    const auto original = link_with(domain::Link::Acknowledgement::original);
    for (const auto* asked : {"", "NE", "AL"}) {
        EXPECT_EQ(say(message(asked, "NE"), "AA", original).now, "AA") << "a peer that lies about what it waits for";
        EXPECT_EQ(say(message(asked, "AL"), "AE", original).later, "");
    }
    const auto accept = link_with(domain::Link::Acknowledgement::accept);
    EXPECT_EQ(say(message("", ""), "AA", accept).now, "CA");
    EXPECT_EQ(say(message("AL", "AL"), "AR", accept).now, "CR");
    EXPECT_EQ(say(message("AL", "AL"), "AR", accept).later, "");
}

TEST(AcknowledgementOfAnAnswer, IsNeverMoreThanItsAcceptPart) {
    const std::string msa = "MSA|AA|X1\r";
    EXPECT_EQ(say(message("", "", "ACK^R01", msa), "AA").now, "");
    EXPECT_EQ(say(message("NE", "AL", "ACK^R01", msa), "AA").now, "");
    EXPECT_EQ(say(message("AL", "AL", "ACK^R01", msa), "AA").now, "CA");
    EXPECT_EQ(say(message("AL", "AL", "ACK^R01", msa), "AA").later, "");
    EXPECT_EQ(say(message("", "", "ORU^R01", msa), "AA").now, "AA") << "results are results, whatever stands in them";
}

TEST(AnswerToAnOrder, IsAnOrlWithTheEventOfItsOwn) {
    const domain::Link link = link_with();
    const auto answer_to = [&](const std::string& type) {
        const Answer answer(link, parse_iso8601("2026-03-14T08:15:00Z").value(), "ANSWER1");
        const auto said = hl7::Message::parse(answer.to(message("", "", type), "AR", {}).bytes).value();
        return said.type() + "^" + said.trigger() + "^" + said.structure();
    };
    EXPECT_EQ(answer_to("OML^O21"), "ORL^O22^ORL_O22");
    EXPECT_EQ(answer_to("OML^O33"), "ORL^O34^ORL_O34");
    EXPECT_EQ(answer_to("OML^O35"), "ORL^O36^ORL_O36");
    EXPECT_EQ(answer_to("ORU^R01"), "ACK^R01^ACK");
}

TEST(SequenceInAnAnswer, StandsInMsa4) {
    const domain::Link link = link_with();
    Answer answer(link, parse_iso8601("2026-03-14T08:15:00Z").value(), "ANSWER1");
    answer.expect(-1);
    EXPECT_EQ(hl7::Message::parse(answer.to(message("", ""), "AA", {}).bytes).value().text("MSA-4"), "-1");
}

}  // namespace
}  // namespace sgl::flow
