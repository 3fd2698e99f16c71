#include "hl7/builder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <stdexcept>

#include "lib/base/text.hpp"

namespace sgl::hl7 {
namespace {

Header some_header() {
    Header header;
    header.sending_application = "SGLD";
    header.sending_facility = "LABO";
    header.time = *Timestamp::parse("20261121102030+0100");
    header.type = "ORU";
    header.trigger = "R01";
    header.structure = "ORU_R01";
    header.control_id = "42";
    return header;
}

TEST(Builder, WritesFieldsWithoutTrailingSeparators) {
    Builder b;
    b.header(some_header());
    b.segment("PID")
        .components(3, {"1", "", "", "", "PI", ""})
        .repeat(3, {"2"})
        .at(3, 4, 2, "1.2.3")
        .field(8, "")
        .null(5);
    b.segment("NTE");
    EXPECT_EQ(b.text(),
              "MSH|^~\\&|SGLD|LABO|||20261121102030+0100||ORU^R01^ORU_R01|42|P|2.5.1||||||UNICODE UTF-8\r"
              "PID|||1^^^^PI~2^^^&1.2.3||\"\"\rNTE\r");
}

TEST(Builder, WritesTheCharacterSetOfTheHeader) {
    auto header = some_header();
    header.charset = Charset::iso_8859_15;
    Builder b;
    b.header(header).segment("NTE").field(3, "œ € é");
    const auto bytes = b.bytes();
    EXPECT_EQ(bytes.lost, 0U);
    const auto read = Message::parse(bytes.bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->charset(), Charset::iso_8859_15);
    EXPECT_EQ(read->text("NTE-3"), "œ € é");
}

TEST(Builder, CopiesASegmentAsItStands) {
    const auto m = Message::parse("MSH|^~\\&|A\rPID|1||A^B&C~D||x\\T\\y\nz\r");
    Builder b;
    b.header(some_header()).copy(m->first("PID"));
    EXPECT_EQ(Message::parse(b.text())->first("PID").raw(), "PID|1||A^B&C~D||x\\T\\y\\.br\\z");
}

// parse(build(x)) == x for texts made of separators, escapes, accents and line ends, in every character set and with
// several sets of separators.
TEST(Builder, IsReadBackAsItWasWritten) {
    std::mt19937 random(20261121);
    constexpr std::array pieces{"|", "^", "~", "\\",    "&",       "#",       "\n", "é",    "œ",
                                "€", "a", " ", "\\F\\", "\\.br\\", "\\X41\\", "\"", "MSH|", "1"};
    constexpr std::array charsets{Charset::utf_8, Charset::iso_8859_15, Charset::windows_1252};
    const std::array<Separators, 3> separators{Separators{}, Separators{'|', '^', '~', '\\', '&', '#'},
                                               Separators{'#', '$', '%', '*', '@', '\0'}};
    for (int round = 0; round < 2'000; ++round) {
        const auto some_text = [&] {
            std::string text;
            for (auto n = random() % 6; n > 0; --n)
                text += pieces[random() % pieces.size()];
            return text == "\"\"" ? std::string{} : text;
        };
        auto header = some_header();
        header.charset = charsets[random() % charsets.size()];
        Builder b(separators[random() % separators.size()]);
        b.header(header).segment("OBX");
        std::vector<std::vector<std::vector<std::string>>> fields;
        for (std::size_t f = 1; f <= 6; ++f) {
            auto& repetitions = fields.emplace_back();
            for (auto r = 1 + random() % 3; r > 0; --r) {
                auto& components = repetitions.emplace_back();
                for (int c = 0; c < 3; ++c)
                    components.push_back(some_text());
                b.repeat(f, {components[0], components[1], components[2]});
            }
        }
        const auto bytes = b.bytes();
        ASSERT_EQ(bytes.lost, 0U);
        const auto message = Message::parse(bytes.bytes);
        ASSERT_TRUE(message) << to_string(message.error());
        ASSERT_EQ(message->size(), 2U);
        ASSERT_FALSE(message->charset_invalid());
        for (std::size_t f = 1; f <= 6; ++f) {
            for (std::size_t r = 0; r < fields[f - 1].size(); ++r) {
                for (std::size_t c = 1; c <= 3; ++c) {
                    ASSERT_EQ(message->segment(1).field(f).repetition(r).component(c).text(), fields[f - 1][r][c - 1])
                        << b.text();
                }
            }
        }
    }
}

}  // namespace
}  // namespace sgl::hl7
