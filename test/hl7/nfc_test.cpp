#include "hl7/nfc.hpp"

#include <glib.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "hl7/message.hpp"
#include "lib/base/utf8.hpp"

namespace sgl::hl7 {
namespace {

TEST(Nfc, ComposesLatinLettersAndLeavesTheRest) {
    EXPECT_EQ(to_nfc("Le\u0301a Noe\u0308l c\u0327a"), "Léa Noël ça");
    EXPECT_EQ(to_nfc("Léa œ € λ 中 😀"), "Léa œ € λ 中 😀");
    EXPECT_EQ(to_nfc("x\u0301"), "x\u0301");
    EXPECT_EQ(to_nfc("\u0301a"), "\u0301a");
    EXPECT_EQ(to_nfc("\u03B1\u0301"), "\u03AC");
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

// What GLib makes of a whole text, which it does right and in quadratic time.
std::string by_glib(const std::string& text) {
    const std::unique_ptr<char, decltype(&g_free)> composed(
        g_utf8_normalize(text.data(), static_cast<gssize>(text.size()), G_NORMALIZE_NFC), g_free);
    return composed.get();
}

TEST(Nfc, KnowsSingleCharactersOfTwoSpellings) {
    EXPECT_EQ(to_nfc("\u212B \u2126 \u212A"), "Å Ω K");
    EXPECT_EQ(to_nfc("\u1112\u1161\u11AB\u1100\u1173\u11AF"), "한글");
    EXPECT_EQ(to_nfc("\uD558\u11AB"), "한");
    EXPECT_EQ(to_nfc("µ 10⁹/L ≤ 5 – l’œuvre"), "µ 10⁹/L ≤ 5 – l’œuvre");
    EXPECT_EQ(to_nfc(std::string("e\0\u0301e\u0301", 7)), std::string("e\0\u0301\u00E9", 6));
}

TEST(Nfc, SaysOfEveryCharacterWhatUnicodeSays) {
    // Of the Chinese, the syllables of Hangul and what is not assigned, some.
    const auto alike = [](char32_t c) {
        return (c >= 0x3400 && c < 0xA000) || (c >= 0xAC00 && c < 0xD7A0) || (c >= 0x12000 && c < 0x1D000) ||
               (c >= 0x20000 && c < 0x2F800) || c > 0x2FA20;
    };
    for (char32_t c = 1; c <= 0x10FFFF; c += alike(c) ? 61U : 1U) {
        if (c >= 0xD800 && c < 0xE000) c = 0xE000;
        std::string alone;
        utf8::append(alone, c);
        const auto after = "e" + alone;
        const auto between = "o" + alone + "\u0302\u0323";
        ASSERT_EQ(to_nfc(alone), by_glib(alone)) << static_cast<unsigned>(c);
        ASSERT_EQ(to_nfc(after), by_glib(after)) << static_cast<unsigned>(c);
        ASSERT_EQ(to_nfc(between), by_glib(between)) << static_cast<unsigned>(c);
    }
}

TEST(Nfc, CutsTextsOnlyWhereTheyMayBeCut) {
    std::vector<char32_t> interesting;  // what composes, and with what
    for (char32_t c = 0x41; c < 0x11A00; ++c) {
        if (c == 0xD800) c = 0xE000;
        gunichar a = 0;
        gunichar b = 0;
        if (c >= 0xAC00 && c < 0xD7A0 && c % 97 != 0) continue;
        if (g_unichar_decompose(c, &a, &b) == 0) continue;
        interesting.push_back(c);
        interesting.push_back(a);
        if (b != 0) interesting.push_back(b);
    }
    std::mt19937 random(20261122);
    for (int round = 0; round < 1000; ++round) {
        std::string text;
        for (auto length = random() % 200; length != 0; --length) {
            const bool latin = random() % 8 == 0;
            utf8::append(
                text, latin ? static_cast<char32_t>('a' + random() % 26) : interesting[random() % interesting.size()]);
        }
        ASSERT_EQ(to_nfc(text), by_glib(text)) << "round " << round;
    }
}

TEST(Nfc, LeavesHeapsOfMarksThatAreNoText) {
    std::string heap = "e";
    for (int i = 0; i < 100'000; ++i)
        heap += i % 2 == 0 ? "\u0301" : "\u0323";
    EXPECT_EQ(to_nfc(heap), heap);
    EXPECT_EQ(to_nfc(heap + "e\u0301"), heap + "é");
    std::string jamo;
    std::string syllables;
    for (int i = 0; i < 30'000; ++i) {
        jamo += "\u1112\u1161\u11AB";
        syllables += "한";
    }
    EXPECT_EQ(to_nfc(jamo), syllables);
}

TEST(Message, GivesNamesInOneSpelling) {
    const auto message = Message::parse("MSH|^~\\&|A||||||||P|2.5||||||UNICODE UTF-8\rPID|||||Le\u0301a\r");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text("PID-5"), "Léa");
    EXPECT_FALSE(message->charset_invalid());
}

}  // namespace
}  // namespace sgl::hl7
