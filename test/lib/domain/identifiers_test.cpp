#include "lib/domain/identifiers.hpp"

#include <gtest/gtest.h>

namespace sgl::domain {
namespace {

TEST(InsMatricule, AcceptsOnlyTheRightKey) {
    EXPECT_TRUE(InsMatricule::parse("279035121518989"));
    for (int key = 0; key < 97; ++key) {
        if (key == 89) continue;
        const auto text = "2790351215189" + std::string(key < 10 ? "0" : "") + std::to_string(key);
        EXPECT_FALSE(InsMatricule::parse(text)) << text;
    }
}

TEST(InsMatricule, CountsCorsicanDepartmentsAs19And18) {
    // 97 - 1850519123456 mod 97 and 97 - 1850518123456 mod 97, computed apart.
    const auto key = [](std::uint64_t number) { return 97 - number % 97; };
    const auto two = [](std::uint64_t k) { return (k < 10 ? "0" : "") + std::to_string(k); };
    EXPECT_TRUE(InsMatricule::parse("185052A123456" + two(key(1850519123456ULL))));
    EXPECT_TRUE(InsMatricule::parse("185052B123456" + two(key(1850518123456ULL))));
    EXPECT_FALSE(InsMatricule::parse("185052B123456" + two(key(1850519123456ULL))));
    EXPECT_FALSE(InsMatricule::parse("185053A123456" + two(key(1850519123456ULL)))) << "a letter only after 2";
}

TEST(InsMatricule, RefusesWhatHasAnotherForm) {
    for (const char* bad : {"", "279035121518", "27903512151898", "2790351215189890", " 79035121518989", "27903512151898X", "2790351215189 9"})
        EXPECT_FALSE(InsMatricule::parse(bad)) << bad;
}

TEST(InsMatricule, NeverRepeatsTheNumberInItsRefusal) {
    EXPECT_EQ(to_string(InsMatricule::parse("279035121518988").error()).find("2790351"), std::string::npos);
}

TEST(Rpps, TakesElevenDigitsOrTheNationalForm) {
    EXPECT_EQ(Rpps::parse("99900000017")->text(), "99900000017");
    EXPECT_EQ(Rpps::parse("899900000017")->text(), "99900000017");
    EXPECT_EQ(Rpps::parse("99900000017")->national(), "899900000017");
    for (const char* bad : {"", "9990000001", "799900000017", "9990000001A", "8999000000171"}) EXPECT_FALSE(Rpps::parse(bad)) << bad;
}

TEST(Finess, HasNineCharacters) {
    EXPECT_EQ(Finess::parse("2A0000012")->national(), "12A0000012");
    for (const char* bad : {"", "69000000", "6900000011", "69000000a", "690 00001"}) EXPECT_FALSE(Finess::parse(bad)) << bad;
}

TEST(Loinc, ChecksItsDigit) {
    for (const char* good : {"718-7", "6690-2", "2345-7", "101792-0", "18719-5"}) EXPECT_TRUE(is_loinc(good)) << good;
    for (const char* bad : {"718-8", "6690-3", "718", "-7", "", "718-77", "71a-7", "1234567-8"}) EXPECT_FALSE(is_loinc(bad)) << bad;
}

TEST(Oid, HasNumbersWithoutLeadingZeroBetweenDots) {
    for (const char* good : {"1.2.250.1.213.1.4.10", "2.25.0", "0"}) EXPECT_TRUE(is_oid(good)) << good;
    for (const char* bad : {"", ".", "1.", "1..2", "3.1", "1.02", "1.2a", "urn:oid:1.2"}) EXPECT_FALSE(is_oid(bad)) << bad;
    EXPECT_FALSE(is_oid("1." + std::string(70, '1')));
}

TEST(InsOid, KnowsItsFourAndWhichOnesAreForTests) {
    for (const auto oid : {oid::ins_nir, oid::ins_nia}) EXPECT_TRUE(is_ins_oid(oid) && !is_test_ins_oid(oid));
    for (const auto oid : {oid::ins_nir_test, oid::ins_nir_demonstration}) EXPECT_TRUE(is_ins_oid(oid) && is_test_ins_oid(oid));
    EXPECT_FALSE(is_ins_oid("1.2.250.1.213.1.4.1"));
}

}  // namespace
}  // namespace sgl::domain
