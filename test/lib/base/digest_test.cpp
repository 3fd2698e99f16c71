#include "lib/base/digest.hpp"

#include <gtest/gtest.h>

#include "lib/base/uuid.hpp"

namespace sgl {
namespace {

TEST(Digest, AgreesWithThePublishedVectors) {  // FIPS 180-4
    EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Base64, AgreesWithRfc4648) {
    EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
    EXPECT_EQ(base64_encode(""), "");
    EXPECT_EQ(base64_decode("Zm9v\r\n Yg=="), "foob");
    EXPECT_EQ(base64_decode("Zm9vYg"), "foob");
    for (const char* bad : {"Zm9vY", "Zm9*", "Zg==Zg==x", "=", "Zm9v=", "Zm8==", "Zg==="}) EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
}

TEST(Base64, GivesBackEveryByte) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes.push_back(static_cast<char>(i));
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    }
}

TEST(Uuid, Version5AgreesWithThePublishedExample) {  // RFC 9562 A.4
    const auto dns = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8").value();
    EXPECT_EQ(to_string(Uuid::v5(dns, "www.example.com")), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(Uuid, Version7IsOrderedByTime) {
    const Instant now{std::chrono::sys_days{std::chrono::year{2026} / 3 / 15}};
    const auto a = Uuid::v7(now);
    const auto b = Uuid::v7(now + std::chrono::milliseconds{1});
    EXPECT_LT(a, b);
    EXPECT_EQ(to_string(a)[14], '7');
    EXPECT_NE(Uuid::v7(now), a);
}

TEST(Uuid, BecomesABareOid) {
    EXPECT_EQ(Uuid{}.to_oid(), "2.25.0");
    EXPECT_EQ(Uuid::parse("ffffffff-ffff-ffff-ffff-ffffffffffff")->to_oid(), "2.25.340282366920938463463374607431768211455");
    EXPECT_EQ(Uuid::parse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")->to_oid(), "2.25.329800735698586629295641978511506172918");  // X.667
    for (const char* bad : {"", "f81d4fae7dec11d0a76500a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bfg"}) EXPECT_FALSE(Uuid::parse(bad)) << bad;
}

}  // namespace
}  // namespace sgl
