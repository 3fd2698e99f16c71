#include "hl7/parents.hpp"

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>

#include "test/hl7/shared.hpp"

namespace sgl::hl7 {
namespace {

using State = Parent::State;
using testing::Each;
using testing::ElementsAre;

Message result(std::string_view segments) {
    auto message = Message::parse("MSH|^~\\&|A||||1||ORU^R01|1|P|2.5.1||||||UNICODE UTF-8\rPID|1\r" + std::string(segments));
    if (!message) throw std::runtime_error(to_string(message.error()));
    return std::move(*message);
}

/// An OBR with those numbers and those of its parent.
std::string obr(const std::string& placer, const std::string& filler, const std::string& parent_result = {},
                const std::string& parent = {}) {
    return "OBR||" + placer + "|" + filler + "|X" + std::string(22, '|') + parent_result + "|||" + parent + "\r";
}

Parent parent(std::size_t order, std::optional<std::size_t> observation = {}) {
    return {State::found, order, observation};
}
Parent only(State state) {
    return {state, 0, {}};
}

std::vector<Parent> parents(const Message& message) {
    const auto groups = group(message);
    std::vector<Parent> all;
    for (const auto& order : groups.patients.back().orders)
        all.push_back(order.parent);
    return all;
}

const std::string culture = obr("P1", "F1") + "OBX|1|CE|630-4^Germes^LN^GERME^Germe^L|1|ECO^Escherichia coli^L\r" +
                            "OBX|2|SN|^Count^L|1|>=^100000\r" +
                            "OBX|3|CE|630-4^Germes^LN^GERME^Germe^L|2|EFA^Enterococcus faecalis^L\r";

TEST(Parents, OfAnAntibiogramIsTheIsolateThatItNames) {
    const auto m = result(culture + obr("P1", "F2", "630-4&Germes&LN^1^Escherichia coli", "P1^F1") + "OBX|1|ST|AMX\r" +
                          obr("P1", "F3", "GERME&Germe&L^2", "P1^F1") + "OBX|1|ST|AMX\r");
    EXPECT_THAT(parents(m), ElementsAre(only(State::none), parent(0, 0), parent(0, 2)));
    const auto g = group(m);
    const auto link = parent_of(g.patients[0].orders[1]);
    EXPECT_EQ(link.order.filler.id, "F1");
    EXPECT_EQ(link.result.observation.system, "LN");
    EXPECT_EQ(link.result.sub_id, "1");
    EXPECT_EQ(link.result.text, "Escherichia coli");
    EXPECT_TRUE(parent_of(g.patients[0].orders[0]).empty());
}

TEST(Parents, IsTheOrderOfOrc8WhenObrNamesNone) {
    EXPECT_THAT(parents(result(obr("P1", "F1") + "ORC|RE|||||||P1&DPI^F1&LAB\r" + obr("P1", "F2") +
                               "ORC|RE|P1|F3|||||P1\r" + obr("P1", "F3"))),
                ElementsAre(only(State::none), parent(0), parent(0)));
}

TEST(Parents, IsElsewhereWhenNoOrderHereHasItsNumbers) {
    const std::string of_isolate = "630-4&Germes&LN^1^Escherichia coli";
    EXPECT_EQ(parents(result(culture + obr("P1", "F2", of_isolate, "P1^F9"))).at(1), only(State::elsewhere));
    EXPECT_EQ(parents(result(obr("P1", "F2", {}, "P9"))).at(0), only(State::elsewhere));
    EXPECT_EQ(parents(result(obr("P1", "F1", {}, "P1^F1"))).at(0), only(State::elsewhere)) << "never itself";
    EXPECT_EQ(parents(result(obr("P1^A", "F1^LAB1") + obr("P1", "F2", {}, "^F1&LAB2"))).at(1), only(State::elsewhere));
}

TEST(Parents, IsFoundByTheOrganismWhenSubIdsAreMissing) {
    const std::string without = obr("", "F1") + "OBX|1|CE|630-4^Germes^LN||ECO^Escherichia coli^L\r" +
                                "OBX|2|CE|630-4^Germes^LN||EFA^Entérococcus faecalis^L\r" +
                                "OBX|3|ST|630-4^Germes^LN||Candida\r";
    const auto of = [&](const std::string& link) { return parents(result(without + obr("", "F2", link))).at(1); };
    EXPECT_EQ(of("630-4&&LN^^ENTEROCOCCUS FAECALIS "), parent(0, 1));
    EXPECT_EQ(of("630-4&&LN^1^Candida"), parent(0, 2));
    EXPECT_EQ(of("^^Escherichia coli"), parent(0, 0));
    EXPECT_EQ(of("630-4&&LN^^Proteus"), only(State::unmatched));
    EXPECT_EQ(of("630-4&&LN"), only(State::ambiguous));
    EXPECT_EQ(of("630-4&&L^^Candida"), only(State::unmatched)) << "the code of another system";
    EXPECT_EQ(of("630-4^Germes^LN^^Candida"), parent(0, 2)) << "sub-components forgotten";
    EXPECT_EQ(parents(result(obr("", "F1") + "OBX|1|ST|A^^L||x\r" + obr("", "F2", "A&&L"))).at(1), parent(0, 0));
}

TEST(Parents, AreNeverChosenAmongSeveral) {
    const auto two = culture + obr("P1", "F5") + "OBX|1|CE|630-4^Germes^LN|1|ECO^Escherichia coli^L\r";
    const std::string isolate = "630-4&&LN^1^Escherichia coli";
    EXPECT_EQ(parents(result(two + obr("P1", "F2", isolate))).at(2), only(State::ambiguous));
    EXPECT_EQ(parents(result(two + obr("P1", "F2", isolate, "P1"))).at(2), only(State::ambiguous));
    EXPECT_EQ(parents(result(two + obr("P1", "F2", isolate, "^F5"))).at(2), parent(1, 0));
    EXPECT_EQ(parents(result(two + obr("P1", "F2", {}, "P1"))).at(2), only(State::ambiguous));
    EXPECT_EQ(parents(result(culture + obr("P1", "F2", "630-4&&LN^3", "P1"))).at(1), only(State::unmatched));
    EXPECT_EQ(parents(result(culture + obr("P1", "F2", "630-4&&LN^1^Enterococcus faecalis"))).at(1),
              only(State::ambiguous))
        << "the sub-identifier says one isolate, the text another";
    EXPECT_EQ(parents(result(culture + obr("P1", "F2", "630-4&&LN^1^E. coli"))).at(1), parent(0, 0));
}

TEST(Parents, MayBeAResultInSeveralParts) {
    const auto parts = obr("", "F1") + "OBX|1|NM|C^^L|1|12\rOBX|2|CE|C^^L|1|POS^Positive\r";
    EXPECT_EQ(parents(result(parts + obr("", "F2", "C&&L^1"))).at(1), parent(0, 0));
    EXPECT_EQ(parents(result(parts + obr("", "F2", "C&&L^1^positive"))).at(1), parent(0, 1));
}

TEST(Parents, OfManyOrdersAreFoundInReasonableTime) {
    std::string many = obr("P", "F0");
    for (int i = 0; i < 4000; ++i)
        many += "OBX|1|CE|C|1|X^Same\r";
    for (int i = 1; i < 4000; ++i)
        many += obr("P", "F" + std::to_string(i), "C^1^Same", "P");
    EXPECT_THAT(parents(result(many)), testing::Contains(only(State::ambiguous)).Times(3999));
}

TEST(SubIds, WithDotsTellWhatStandsAboveThem) {
    const auto m = result(
        "OBR|1\rOBX|1|ST|B|1\rOBX|2|CE|I|1.1\rOBX|3|ST|X|1.1.1\rOBX|4|ST|X|1.2.7\rOBX|5|ST|X|9.1\rOBX|6|ST|X|\r"
        "OBX|7|ST|X|^1^1^x\r");
    const auto g = group(m);
    const auto& all = g.patients.at(0).orders.at(0).observations;
    EXPECT_EQ(all[0].above, std::nullopt);
    EXPECT_EQ(all[1].above, 0U);
    EXPECT_EQ(all[2].above, 1U);
    EXPECT_EQ(all[3].above, 0U) << "the level between is missing";
    EXPECT_EQ(all[4].above, std::nullopt);
    EXPECT_EQ(all[5].above, std::nullopt);
    EXPECT_EQ(sub_id_of(all[6].obx), "1.1") << "OG: group and sequence";
}

TEST(Parents, OfTheIsolatesOfTheCorpusAreRead) {
    const auto corpus = test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    const auto read = [&](const char* name) {
        return *Message::parse(test::bytes_of(corpus / (std::string(name) + ".hl7")));
    };
    const auto urine = read("synthetic-fr__oru_r01_ecbu_two_isolates_parent_link");
    EXPECT_THAT(parents(urine), ElementsAre(only(State::none), parent(0, 1), parent(0, 3)));
    const auto blood = read("synthetic-fr__oru_r01_hemoculture_sub_id_dotted");
    EXPECT_THAT(parents(blood), Each(only(State::none)));
    const auto g = group(blood);
    std::vector<std::optional<std::size_t>> levels;
    for (const auto& observation : g.patients.at(0).orders.at(0).observations)
        levels.push_back(observation.above);
    EXPECT_THAT(levels, ElementsAre(std::nullopt, 0U, 1U, 1U, 0U, 4U, std::nullopt));
    // Published messages: the numbers of OBR-29 are those of an order that is not in the message.
    EXPECT_EQ(parents(read("cdc-pet__ORU-SampleOne-deidentified__ORU-R01")).at(3), only(State::elsewhere));
}

}  // namespace
}  // namespace sgl::hl7
