#include "hl7/parts.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sgl::hl7 {
namespace {

Message part(std::string_view msh14, std::string_view segments) {
    return *Message::parse("MSH|^~\\&|A|||||||1|P|2.5||" + std::string(msh14) + "||||8859/1\r" + std::string(segments));
}

TEST(MessageParts, AreJoinedWhereTheTextBrokeOff) {
    const auto first = part("",
                            "PID|1\rOBX|1|TX|X||d\xE9"
                            "but de la\rDSC|c1\r");
    const auto next = part("c1", "ADD| valeur~suite||||||F\rOBX|2|NM|Y||1\rDSC|c2\r");
    const auto last = part("c2", "ADD\rOBX|3|NM|Z||2\r");
    EXPECT_EQ(continuation(first)->next, "c1");
    EXPECT_EQ(continuation(next)->continues, "c1");
    const auto two = join_parts(first, next);
    ASSERT_TRUE(two) << to_string(two.error());
    EXPECT_EQ(two->text("OBX[1]-5"), "début de la valeur");
    EXPECT_EQ(two->text("OBX[1]-11"), "F");
    EXPECT_EQ(two->text("OBX[2]-5"), "1");
    EXPECT_EQ(continuation(*two)->next, "c2");
    const auto all = join_parts(*two, last);
    ASSERT_TRUE(all) << to_string(all.error());
    EXPECT_FALSE(continuation(*all));
    EXPECT_FALSE(all->first("ADD"));
    EXPECT_EQ(all->text("OBX[3]-5"), "2");
    EXPECT_EQ(all->text("PID-1"), "1");
}

TEST(MessageParts, AreNotJoinedWhenTheyDoNotBelongTogether) {
    const auto first = part("", "OBX|1\rDSC|c1\r");
    EXPECT_EQ(join_parts(first, part("c2", "ADD|x\r")).error().where, "MSH-14");
    EXPECT_EQ(join_parts(first, part("", "OBX|2\r")).error().where, "MSH-14");
    EXPECT_EQ(join_parts(part("", "OBX|1\r"), part("c1", "ADD|x\r")).error().where, "MSH-14");
    EXPECT_FALSE(continuation(part("", "OBX|1\r")));
    EXPECT_EQ(join_parts(first, *Message::parse("MSH|^~\\$||||||||||||c1\rADD|x\r")).error().where, "MSH-2");
}

}  // namespace
}  // namespace sgl::hl7
