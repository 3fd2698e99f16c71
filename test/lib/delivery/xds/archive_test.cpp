#include "lib/delivery/xds/archive.hpp"

#include <gtest/gtest.h>
#include <zip.h>

#include <memory>

namespace sgl::xds {
namespace {

struct Member {
    std::string name;
    std::string bytes;
    zip_uint32_t mode = 0100644;
};

// Through libzip's writing side, which lets names pass that nobody should send.
std::string zipped(const std::vector<Member>& members) {
    zip_error_t error;
    zip_error_init(&error);
    const std::unique_ptr<zip_source_t, decltype(&zip_source_free)> source(
        zip_source_buffer_create(nullptr, 0, 0, &error), &zip_source_free);
    zip_source_keep(source.get());
    zip_t* const archive = zip_open_from_source(source.get(), ZIP_TRUNCATE, &error);
    for (const auto& member : members) {
        zip_source_t* const bytes = zip_source_buffer(archive, member.bytes.data(), member.bytes.size(), 0);
        const auto at = zip_file_add(archive, member.name.c_str(), bytes, ZIP_FL_ENC_GUESS);
        EXPECT_GE(at, 0) << member.name;
        zip_file_set_external_attributes(archive, static_cast<zip_uint64_t>(at), 0, ZIP_OPSYS_UNIX, member.mode << 16U);
    }
    EXPECT_EQ(zip_close(archive), 0);
    zip_stat_t stat;
    EXPECT_EQ(zip_source_open(source.get()), 0);
    EXPECT_EQ(zip_source_stat(source.get(), &stat), 0);
    std::string out(stat.size, '\0');
    zip_source_read(source.get(), out.data(), out.size());
    zip_source_close(source.get());
    return out;
}

std::string why_not(const std::string& bytes) {
    const auto members = read_archive(bytes);
    return members ? "accepted" : members.error().what;
}

std::string replaced_everywhere(std::string text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

TEST(Archive, GivesItsMembers) {
    const auto members = read_archive(zipped({{"INDEX.HTM", "<html/>"},
                                              {"IHE_XDM/", ""},
                                              {"IHE_XDM/SUBSET01/DOC0001.XML", "<a/>"},
                                              {"IHE_XDM/SUBSET01/METADATA.XML", "<m/>"}}));
    ASSERT_TRUE(members) << to_string(members.error());
    ASSERT_EQ(members->size(), 3U);
    EXPECT_EQ((*members)[1].name, "IHE_XDM/SUBSET01/DOC0001.XML");
    EXPECT_EQ((*members)[1].bytes, "<a/>");
    EXPECT_TRUE(is_xdm_document((*members)[1].name));
    EXPECT_FALSE(is_xdm_document((*members)[0].name));
    EXPECT_FALSE(is_xdm_document((*members)[2].name));
}

TEST(Archive, RefusesNamesThatLeadElsewhere) {
    for (const char* name : {"../x", "a/../../x", "/etc/passwd", "a\\b", "C:x", "a//b", "./a", "NUL", "a/con.xml",
                             "LPT1.txt", "a\nb", "caf\xc3\xa9"})
        EXPECT_NE(why_not(zipped({{name, "x"}})).find("leads elsewhere"), std::string::npos) << name;
    EXPECT_NE(why_not(zipped({{std::string(201, 'a'), "x"}})).find("leads elsewhere"), std::string::npos);
}

TEST(Archive, RefusesBombs) {
    EXPECT_NE(why_not(zipped({{"a.xml", std::string(20'000'000, ' ')}})).find("inflates too much"), std::string::npos);
    EXPECT_NE(why_not(zipped({{"a.zip", zipped({{"b", "x"}})}})).find("inside the archive"), std::string::npos);
    std::vector<Member> many;
    for (int i = 0; i < 201; ++i)
        many.push_back({"m" + std::to_string(i), "x"});
    EXPECT_NE(why_not(zipped(many)).find("too many members"), std::string::npos);
    EXPECT_NE(why_not("PK\x03\x04" + std::string(max_archive_bytes, 'x')).find("too large"), std::string::npos);
}

TEST(Archive, RefusesLinksTwinsAndDamage) {
    EXPECT_NE(why_not(zipped({{"a", "/etc/passwd", 0120777}})).find("link"), std::string::npos);
    EXPECT_NE(why_not(zipped({{"a.xml", "x"}, {"A.XML", "y"}})).find("same name"), std::string::npos);
    EXPECT_NE(why_not("not a zip").find("no zip"), std::string::npos);
    const auto good = zipped({{"a.xml", "abcdefgh"}});
    EXPECT_NE(why_not(good.substr(0, good.size() - 10)).find("no zip"), std::string::npos);
    EXPECT_NE(why_not(replaced_everywhere(good, "abcdefgh", "abcdefgX")).find("checksum"), std::string::npos);
}

}  // namespace
}  // namespace sgl::xds
