#include "lib/base/text.hpp"

#include <gtest/gtest.h>

#include "lib/base/utf8.hpp"

namespace sgl {
namespace {

TEST(Text, TrimsAndSplits) {
    EXPECT_EQ(trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(trim("  "), "");
    EXPECT_EQ(split("a^^b^", '^'), (std::vector<std::string_view>{"a", "", "b", ""}));
    EXPECT_EQ(split("", '^'), (std::vector<std::string_view>{""}));
    EXPECT_EQ(replace_all("aaa", "a", "aa"), "aaaaaa");
}

TEST(Utf8, RefusesOverlongSurrogatesAndHalves) {
    for (const char* good : {"", "é", "µ ≥ œ", "\xF0\x9F\x98\x80"}) EXPECT_TRUE(is_utf8(good)) << good;
    for (const char* bad : {"\xE9", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xF8\x88\x80\x80\x80"})
        EXPECT_FALSE(is_utf8(bad));
}

TEST(Utf8, WritesEveryCharacterAndReadsItBack) {
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c == 0xD800) c = 0xE000;
        std::string text;
        utf8::append(text, c);
        const auto read = utf8::first(text + "x");
        ASSERT_EQ(read.code, c);
        ASSERT_EQ(read.size, text.size());
        ASSERT_TRUE(text.size() == 1 || utf8::first(text.substr(0, text.size() - 1)).size == 0);
    }
    for (const char32_t none : {0xD800U, 0xDFFFU, 0x110000U}) {
        std::string text;
        utf8::append(text, none);
        EXPECT_EQ(text, "\uFFFD");
    }
}

TEST(Names, AreWrittenAsTheInsWritesThem) {
    EXPECT_EQ(normalised_name("d’Orléans-Çelik"), "D'ORLEANS-CELIK");
    EXPECT_EQ(normalised_name("Œuvrard Ævar ñandú"), "OEUVRARD AEVAR NANDU");
    EXPECT_EQ(without_accents("Noël"), "Noel");
}

TEST(FirstCharacters, NeverCutsACharacter) {
    EXPECT_EQ(first_characters("été", 2), "ét");
    EXPECT_EQ(first_characters("été", 9), "été");
    EXPECT_EQ(first_characters("été", 0), "");
}

}  // namespace
}  // namespace sgl
