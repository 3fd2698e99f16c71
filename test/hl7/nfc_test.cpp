#include "hl7/nfc.hpp"

#include <gtest/gtest.h>

#include "hl7/message.hpp"

namespace sgl::hl7 {
namespace {

TEST(Nfc, ComposesLatinLettersAndLeavesTheRest) {
    EXPECT_EQ(to_nfc("Le\u0301a Noe\u0308l c\u0327a"), "Léa Noël ça");
    EXPECT_EQ(to_nfc("Léa œ € λ 中 😀"), "Léa œ € λ 中 😀");
    EXPECT_EQ(to_nfc("x\u0301"), "x\u0301");
    EXPECT_EQ(to_nfc("\u0301a"), "\u0301a");
    EXPECT_EQ(to_nfc("\u03B1\u0301"), "\u03B1\u0301");
    EXPECT_EQ(to_nfc("😀\u0301e"), "😀\u0301e");
    EXPECT_EQ(to_nfc(""), "");
}

TEST(Nfc, PutsSeveralMarksInTheirOrder) {
    EXPECT_EQ(to_nfc("Nguye\u0302\u0303n"), "Nguy\u1EC5n");
    EXPECT_EQ(to_nfc("e\u0302\u0323"), "\u1EC7");  // dot below first
    EXPECT_EQ(to_nfc("e\u0323\u0302"), "\u1EC7");
    EXPECT_EQ(to_nfc("a\u0315\u0300"), "\u00E0\u0315");
    EXPECT_EQ(to_nfc("x\u0301\u0327"), "x\u0327\u0301");
    EXPECT_EQ(to_nfc("x\u0301\u0301"), "x\u0301\u0301");
}

TEST(Message, GivesNamesInOneSpelling) {
    const auto message = Message::parse("MSH|^~\\&|A||||||||P|2.5||||||UNICODE UTF-8\rPID|||||Le\u0301a\r");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text("PID-5"), "Léa");
    EXPECT_FALSE(message->charset_invalid());
}

}  // namespace
}  // namespace sgl::hl7
