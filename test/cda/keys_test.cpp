#include "cda/keys.hpp"

#include <gtest/gtest.h>

#include "cda/codes.hpp"

namespace sgl::cda {
namespace {

TEST(Keys, HoldForTheOfficialTestIns) {
    EXPECT_TRUE(keys::is_ins("279035121518989"));
    EXPECT_TRUE(keys::ins_key_holds("279035121518989"));
}

TEST(Keys, DoNotHoldWhenOneDigitChanges) {
    for (std::size_t i = 0; i < 15; ++i) {
        std::string matricule = "279035121518989";
        matricule[i] = matricule[i] == '9' ? '8' : static_cast<char>(matricule[i] + 1);
        EXPECT_FALSE(keys::is_ins(matricule) && keys::ins_key_holds(matricule)) << i;
    }
}

TEST(Keys, CountCorsicaAsTheStandardSays) {
    // 1 80 01 2A 004 001: N is 1800120004001 with A as 0, less 1 000 000; likewise B, less 2 000 000.
    const auto key = [](long long number) {
        const auto two = std::to_string(97 - number % 97);
        return two.size() == 1 ? "0" + two : two;
    };
    EXPECT_TRUE(keys::ins_key_holds("180012A004001" + key(1800120004001 - 1000000)));
    EXPECT_TRUE(keys::ins_key_holds("180012B004001" + key(1800120004001 - 2000000)));
    EXPECT_FALSE(keys::ins_key_holds("180012B004001" + key(1800120004001 - 1000000)));
}

TEST(Keys, RefuseWhatIsNoMatricule) {
    for (const auto* text : {"", "27903512151898", "2790351215189890", "579035121518989", "27903A121518989", "27903512151898X"})
        EXPECT_FALSE(keys::is_ins(text)) << text;
}

TEST(Keys, KnowLoincByItsCheckDigit) {
    for (const auto* code : {"11502-2", "718-7", "20-8", "55112-7", "101792-0"}) EXPECT_TRUE(keys::is_loinc(code)) << code;
    for (const auto* code : {"11502-3", "11502", "-2", "a-1", "12345678-1", "718-77", "718-"})
        EXPECT_FALSE(keys::is_loinc(code)) << code;
}

TEST(Keys, HoldForEveryLoincCodeOfOurTables) {
    for (const auto& entry : codes::chapters)
        EXPECT_EQ(keys::is_loinc(entry.code), entry.system == codes::loinc_system) << entry.code;
}

TEST(Keys, CountLuhn) {
    EXPECT_TRUE(keys::luhn_holds("79927398713"));
    EXPECT_FALSE(keys::luhn_holds("79927398710"));
    EXPECT_FALSE(keys::luhn_holds(""));
    EXPECT_FALSE(keys::luhn_holds("7992739871A"));
}

TEST(Codes, HoldEachCodeOnce) {
    for (const auto table : {std::span<const codes::Entry>(codes::interpretations), std::span<const codes::Entry>(codes::chapters),
                             std::span<const codes::Entry>(codes::specimens), std::span<const codes::Entry>(codes::biologists)})
        for (const auto& entry : table) EXPECT_EQ(codes::find(table, entry.code), &entry) << entry.code;
    EXPECT_EQ(codes::find(codes::interpretations, "MS"), nullptr);
    EXPECT_EQ(codes::interpretations.size(), 39U);
}

}  // namespace
}  // namespace sgl::cda
