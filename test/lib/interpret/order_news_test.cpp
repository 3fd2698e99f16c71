// What a requester is told of his orders (LTW LAB-2, hl7v2-lab 7.1 and 7.4).
#include "lib/interpret/order_news.hpp"

#include "test/lib/interpret/samples.hpp"

namespace sgl::interpret {
namespace {

using domain::OrderNews;

class OrderNewsOut : public testing::Test {
protected:
    OrderNewsOut() {
        link_.allowed_senders = {{"DPI", "CH"}};
        patient_.local_id = "4056601";
        patient_.local_authority_oid = "1.2.250.1.999.1";
        patient_.traits.reveal().birth_name = "PAT-TROIS";
        order_.number = "26000012";
        order_.group = "G1";
        order_.prescriber.rpps = domain::Rpps::parse("99900000025").value();
        order_.prescriber.family = "MEDECIN";
        domain::Specimen serum;
        serum.number = "T1";
        serum.type = "SER";
        serum.refusal_code = "RH";
        serum.refusal = "Prélèvement hémolysé";
        domain::Specimen blood;
        blood.number = "T2";
        blood.type = "BLD";
        order_.specimens = {serum, blood};
    }
    static domain::RequestedExam exam(const std::string& placer, const std::string& code, const std::string& tube) {
        domain::RequestedExam exam;
        exam.placer_number = placer;
        exam.code = code;
        exam.label = code;
        exam.specimens = {tube};
        return exam;
    }
    static domain::RequestedExam added() {
        auto exam = OrderNewsOut::exam("D1-1", "NFS", "T2");
        exam.filler_number = "D1-1";
        return exam;
    }
    hl7::Message written() const {
        const Instant at = TimeZone::utc().to_instant(Timestamp::parse("20260314081500").value());
        const OrderNewsMessage message{"N1", at, patient_, "SEJ1", "I", order_, news_};
        return hl7::Message::parse(order_news(message, link_, domain::Catalogue())).value();
    }

    domain::Link link_;
    domain::Patient patient_;
    domain::KnownOrder order_;
    std::vector<OrderNews> news_;
};

TEST_F(OrderNewsOut, NamesThePatientTheStayThePrescriberAndTheTubesOfEachLine) {
    auto refused = exam("P1", "NA", "T1");
    refused.filler_number = "F1";
    refused.reason = "Prélèvement refusé : Prélèvement hémolysé";
    news_ = {{OrderNews::What::not_done, refused}, {OrderNews::What::added, added()}};
    const auto message = written();
    EXPECT_EQ(message.text("MSH-15") + message.text("MSH-16"), "") << "LTW has the original mode only";
    std::string names;
    for (std::size_t i = 0; i < message.size(); ++i)
        names += std::string(message.segment(i).id()) + " ";
    EXPECT_EQ(names, "MSH PID PV1 ORC TQ1 OBR SPM ORC TQ1 OBR SPM ");
    EXPECT_EQ(message.text("MSH-5") + " " + message.text("MSH-6"), "DPI CH");
    EXPECT_EQ(message.text("PID-3.1") + " " + message.text("PID-5.1"), "4056601 PAT-TROIS");
    EXPECT_EQ(message.text("PV1-2") + " " + message.text("PV1-19.1"), "I SEJ1");
    EXPECT_EQ(message.text("ORC[1]-2") + " " + message.text("ORC[1]-3") + " " + message.text("ORC[1]-4"), "P1 F1 G1");
    EXPECT_EQ(message.text("ORC[1]-12.1") + " " + message.text("ORC[1]-12.2"), "99900000025 MEDECIN");
    EXPECT_EQ(message.text("ORC[1]-16.2"), refused.reason);
    EXPECT_EQ(message.text("SPM[1]-2.2.1") + " " + message.text("SPM[1]-21.1"), "T1 RH");
    EXPECT_EQ(message.text("ORC[2]-2") + "/" + message.text("ORC[2]-3"), "/D1-1") << "our number, none of his";
    EXPECT_EQ(message.text("SPM[2]-2.2.1") + " " + message.text("SPM[2]-20"), "T2 ");
}

TEST_F(OrderNewsOut, WhatWasAddedAndIsCancelledBeforeItHasANumberGoesByOursAgain) {
    news_ = {{OrderNews::What::cancelled, added()}};
    EXPECT_EQ(written().text("ORC-1") + "/" + written().text("ORC-2") + "/" + written().text("ORC-3"), "OC//D1-1");
}

TEST_F(OrderNewsOut, ALineThatSharesTheNumberOfItsOrderGoesByIt) {
    news_ = {{OrderNews::What::cancelled, exam("P1", "NA", "T1")}};
    EXPECT_EQ(written().text("OBR-3"), "26000012");
    order_.specimens.clear();
    EXPECT_TRUE(written().all("SPM").empty());
}

}  // namespace
}  // namespace sgl::interpret
