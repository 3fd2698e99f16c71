#include "hl7/message.hpp"

#include <gmock/gmock.h>

#include <random>

#include "hl7/escape.hpp"
#include "hl7/lines.hpp"

namespace sgl::hl7 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Message read(std::string bytes, const ParseOptions& options = {}) {
    auto message = Message::parse(std::move(bytes), options);
    if (!message) throw std::runtime_error(to_string(message.error()));
    return std::move(*message);
}

std::string with_charset(std::string_view msh18, std::string_view name) {
    return "MSH|^~\\&|A||||20261121||ORU^R01|1|P|2.5||||||" + std::string(msh18) + "\rPID|1||X||" + std::string(name) +
           "\r";
}

TEST(Message, IsReadByCoordinates) {
    const auto m = read(
        "MSH|^~\\&|LAB|SITE|||20261121||ORU^R01^ORU_R01|42|P|2.5.1\r"
        "PID|1||A^^^B&C&ISO~D||\"\"\rOBX|1|NM|718-7\rOBX|2|ST|x||a\\T\\b\r");
    EXPECT_EQ(m.type(), "ORU");
    EXPECT_EQ(m.trigger(), "R01");
    EXPECT_EQ(m.structure(), "ORU_R01");
    EXPECT_EQ(m.control_id(), "42");
    EXPECT_EQ(m.version(), "2.5.1");
    const auto pid = m.first("PID");
    EXPECT_EQ(pid.field(3).size(), 2U);
    EXPECT_EQ(pid.field(3).repetition(0).component(4).subcomponent(2).text(), "C");
    EXPECT_EQ(pid.field(3).repetition(1).component(1).text(), "D");
    EXPECT_EQ(pid.text(3), "A");
    EXPECT_EQ(pid.text(3, 4, 3), "ISO");
    EXPECT_EQ(m.text("PID-3.4.2"), "C");
    EXPECT_EQ(m.text("PID-3[2]"), "D");
    EXPECT_EQ(m.text("OBX[2]-5"), "a&b");
    EXPECT_EQ(m.text("OBX[3]-5"), "");
    EXPECT_EQ(m.text("MSH-1"), "|");
    EXPECT_EQ(m.text("MSH-2"), "^~\\&");
    EXPECT_EQ(m.text("MSH-3"), "LAB");
    for (const auto* nonsense :
         {"", "PID", "PID-", "PID-0", "PID-3.", "PID-3.x", "PID[0]-3", "PID[1-3", "PID-3[0]", "PID-99.9.9"}) {
        EXPECT_EQ(m.text(nonsense), "") << nonsense;
    }
}

TEST(Message, TellsAbsentEmptyAndNullApart) {
    const auto m = read("MSH|^~\\&|A\rPID|||\"\"|x\r");
    const auto pid = m.first("PID");
    EXPECT_TRUE(pid.field(1).empty());
    EXPECT_TRUE(pid.field(3).is_null());
    EXPECT_EQ(pid.field(3).text(), "");
    EXPECT_FALSE(pid.field(4).is_null());
    EXPECT_TRUE(pid.field(40).empty());
    EXPECT_FALSE(m.first("ZZZ"));
    EXPECT_EQ(m.first("ZZZ").text(3), "");
}

TEST(Message, KeepsItsViewsWhenItIsMoved) {
    auto m = read("MSH|^~\\&|A\rPID|x\r");
    const auto pid = m.first("PID");
    const auto other = std::move(m);
    EXPECT_EQ(pid.text(1), "x");
    EXPECT_EQ(other.first("PID"), pid);
}

TEST(Message, IsWalkedLeafByLeafInOnePass) {
    const auto m =
        read("MSH|^~\\&|A^B\rPID|1||A^^^B&C~~D||\"\"|&x|~y\rNTE\rZZZ|" + std::string(700, 'z') + "|a|||b^c\r");
    const auto walked = [&](std::size_t segment) {
        std::string out;
        m.segment(segment).for_each_leaf([&](const Leaf& leaf) {
            out += std::to_string(leaf.field) + '[' + std::to_string(leaf.repetition) + "]." +
                   std::to_string(leaf.component) + '.' + std::to_string(leaf.subcomponent) + '=' +
                   std::string(leaf.raw.substr(0, 2)) + ' ';
        });
        return out;
    };
    EXPECT_EQ(walked(0), "3[1].1.1=A 3[1].2.1=B ");
    EXPECT_EQ(walked(1), "1[1].1.1=1 3[1].1.1=A 3[1].4.1=B 3[1].4.2=C 3[3].1.1=D 5[1].1.1=\"\" 6[1].1.2=x 7[2].1.1=y ");
    EXPECT_EQ(walked(2), "");
    EXPECT_EQ(walked(3), "1[1].1.1=zz 2[1].1.1=a 5[1].1.1=b 5[1].2.1=c ");
    EXPECT_EQ(m.segment(3).text(5, 2), "c");
    EXPECT_EQ(m.segment(3).fields(), 5U);
    const auto bare = read("MSH|^~|A^B&C\rPID|a&b~c^d");
    std::size_t leaves = 0;
    bare.segment(1).for_each_leaf([&](const Leaf& leaf) { leaves += leaf.subcomponent; });
    EXPECT_EQ(leaves, 3U);
}

// However a segment is asked, the answer is the same: by number, in order, in one pass; short ones and long ones, whose
// fields are marked.
TEST(Message, GivesTheSamePiecesHoweverItIsAsked) {
    std::mt19937 random(20261122);
    for (int round = 0; round < 300; ++round) {
        std::string bytes = "MSH|^~\\&|A\r";
        for (int s = 0; s < 6; ++s) {
            bytes += "OBX";
            for (auto n = random() % (s % 2 == 0 ? 30 : 900); n > 0; --n)
                bytes += "||||^~&ab"[random() % 9];
            if (bytes[bytes.rfind("OBX") + 3] != '|') bytes.insert(bytes.rfind("OBX") + 3, "|");
            bytes += '\r';
        }
        const auto m = read(bytes);
        for (std::size_t i = 0; i < m.size(); ++i) {
            const auto segment = m.segment(i);
            std::vector<std::string> by_number;
            std::vector<std::string> in_order;
            std::vector<std::string> in_one_pass;
            const auto name = [](std::size_t f, std::size_t r, std::size_t c, std::size_t u, std::string_view raw) {
                std::string out;
                for (const auto number : {f, r, c, u})
                    out += std::to_string(number) + '.';
                return out + std::string(raw);
            };
            const std::size_t first = i == 0 ? 3 : 1;
            for (std::size_t f = first; f <= segment.fields(); ++f) {
                const auto field = segment.field(f);
                for (std::size_t r = 0; r < field.size(); ++r) {
                    const auto repetition = field.repetition(r);
                    for (std::size_t c = 1; c <= repetition.size(); ++c) {
                        for (std::size_t u = 1; u <= repetition.component(c).size(); ++u) {
                            const auto raw = repetition.component(c).subcomponent(u).raw();
                            if (!raw.empty()) by_number.push_back(name(f, r + 1, c, u, raw));
                        }
                    }
                }
            }
            std::size_t f = first;
            for (const auto& field : segment.all_fields()) {
                std::size_t r = 1;
                for (const auto& repetition : field.repetitions()) {
                    std::size_t c = 1;
                    for (const auto& component : repetition.components()) {
                        std::size_t u = 1;
                        for (const auto& leaf : component.subcomponents()) {
                            if (!leaf.empty()) in_order.push_back(name(f, r, c, u, leaf.raw()));
                            ++u;
                        }
                        ++c;
                    }
                    ++r;
                }
                ++f;
            }
            segment.for_each_leaf([&](const Leaf& leaf) {
                in_one_pass.push_back(name(leaf.field, leaf.repetition, leaf.component, leaf.subcomponent, leaf.raw));
            });
            ASSERT_EQ(by_number, in_order) << segment.raw();
            ASSERT_EQ(by_number, in_one_pass) << segment.raw();
        }
    }
}

TEST(Message, NamesPlacesAsTheStandardDoes) {
    const auto m = read("MSH|^~\\&|A\rPID|1\rOBX|1\rOBX|2\r");
    EXPECT_EQ(m.first("PID").coordinate(3, 1), "PID-3.1");
    EXPECT_EQ(m.segment(3).coordinate(5), "OBX[2]-5");
    EXPECT_EQ(m.segment(2).coordinate(), "OBX[1]");
}

TEST(Message, UsesItsOwnSeparators) {
    const auto m = read("MSH#$%*@#A########1\rPID#1##x$y@z%w##a*F*b*S*c\r");
    EXPECT_EQ(m.text("PID-3.2.2"), "z");
    EXPECT_EQ(m.text("PID-3[2]"), "w");
    EXPECT_EQ(m.text("PID-5"), "a#b$c");
    ASSERT_EQ(m.anomalies().size(), 1U);
    EXPECT_EQ(m.anomalies()[0].kind, Anomaly::Kind::unusual_separators);
}

TEST(Message, DoesNotSplitALevelThatHasNoSeparator) {
    const auto m = read("MSH|^~\\|A\rPID|A&B\r");
    EXPECT_EQ(m.first("PID").field(1).repetition(0).component(1).size(), 1U);
    EXPECT_EQ(m.text("PID-1"), "A&B");
}

TEST(Message, TakesEveryLineEnd) {
    for (const std::string_view end : {"\r", "\n", "\r\n"}) {
        auto bytes =
            std::string("\xEF\xBB\xBFMSH|^~\\&|A") + std::string(end) + "PID|1" + std::string(end) + "OBX|1|TX";
        const auto m = read(bytes);
        EXPECT_EQ(m.size(), 3U);
        EXPECT_EQ(m.text("OBX-2"), "TX");
        EXPECT_THAT(m.anomalies(), IsEmpty());
    }
}

TEST(Message, KeepsALineFeedInsideATextAndJoinsLinesThatAreNoSegment) {
    const auto m = read("MSH|^~\\&|A\rOBX|1|TX|c||line1\nline2\rcontinued\r\r  NTE|1\rOBX|2\r");
    EXPECT_EQ(m.text("OBX[1]-5"), "line1\nline2\ncontinued");
    EXPECT_EQ(m.size(), 4U);
    ASSERT_EQ(m.anomalies().size(), 2U);
    EXPECT_EQ(m.anomalies()[0], (Anomaly{Anomaly::Kind::continuation_line, "OBX[1]"}));
    EXPECT_EQ(m.anomalies()[1], (Anomaly{Anomaly::Kind::leading_blank, "NTE"}));
}

// Found by the batch fuzzer.
TEST(Message, JoinsALineToASegmentThatIsOnlyAName) {
    const auto m = read("MSH|^~\\&|A\rNTE\rfoo|bar\rOBX|1\r");
    ASSERT_EQ(m.size(), 3U);
    EXPECT_EQ(m.segment(1).id(), "NTE");
    EXPECT_EQ(m.segment(1).raw(), "NTE\nfoo|bar");
    EXPECT_EQ(m.text("NTE-1"), "bar");
    EXPECT_EQ(m.text("OBX-1"), "1");
}

TEST(Message, IsRefusedWithoutAReadableMsh) {
    for (const auto* bytes : {"", "MSH", "PID|1\r", "hello\rworld", "xMSH|^~\\&|A"}) {
        const auto m = Message::parse(bytes);
        ASSERT_FALSE(m) << bytes;
        EXPECT_EQ(m.error().fault, Fault::malformed);
        EXPECT_EQ(m.error().where, "MSH");
    }
    for (const std::size_t width : {2U, 4U}) {
        for (const bool big_endian : {false, true}) {
            std::string wide;
            for (const char letter : std::string("MSH|^~\\&|A")) {
                std::string unit(width, '\0');
                unit[big_endian ? width - 1 : 0] = letter;
                wide += unit;
            }
            EXPECT_EQ(Message::parse(wide).error().where, "MSH-18") << width << big_endian;
        }
    }
    EXPECT_EQ(Message::parse("MSHX^~").error().where, "MSH-1");
    EXPECT_EQ(Message::parse("MSH|abc|A").error().where, "MSH-2");
    EXPECT_EQ(Message::parse("MSH|^~\\&#$|A").error().where, "MSH-2");
}

TEST(Message, ReportsTextBeforeMsh) {
    const auto m = read("junk\rMSH|^~\\&|A\r");
    ASSERT_EQ(m.anomalies().size(), 1U);
    EXPECT_EQ(m.anomalies()[0].kind, Anomaly::Kind::text_before_msh);
}

TEST(Message, IsOneMessage) {
    EXPECT_EQ(Message::parse("MSH|^~\\&|A\rPID|1\rMSH|^~\\&|B\r").error().where, "segment 3");
    EXPECT_THAT(split_messages("FHS|^~\\&|X\rBHS|^~\\&|X\rMSH|^~\\&|A\rPID|1\r\nMSH|^~\\&|B\rBTS|2\rFTS|1\r"),
                ElementsAre("MSH|^~\\&|A\rPID|1\r\n", "MSH|^~\\&|B\r"));
    EXPECT_THAT(split_messages("H|\\^&|||ASTM\r"), IsEmpty());
    // NULs that fill a block hide no second header from the cut that parse() would then see.
    EXPECT_THAT(split_messages(std::string_view("MSH|^~\\&|A\rMSH\0\0", 16)), ElementsAre("MSH|^~\\&|A\r", "MSH"));
}

TEST(Message, KnowsAPartOfALongerMessage) {
    EXPECT_EQ(read("MSH|^~\\&|A\rDSC|next\r").anomalies().at(0), (Anomaly{Anomaly::Kind::fragmented, "DSC-1"}));
    EXPECT_EQ(read("MSH|^~\\&||||||||||||next\r").anomalies().at(0), (Anomaly{Anomaly::Kind::fragmented, "MSH-14"}));
}

TEST(MessageLimits, AreTheOnesOfTheRulesAndNotOneLess) {
    std::string segments = "MSH|^~\\&|A\r";
    for (int i = 1; i < 20'000; ++i)
        segments += "NTE\r";
    EXPECT_EQ(read(segments).size(), 20'000U);
    EXPECT_EQ(Message::parse(segments + "NTE\r").error().where, "segment 20001");

    const auto fields = "MSH|^~\\&|A\rNTE|1\rNTE" + std::string(2'000, '|');
    EXPECT_EQ(read(fields + "\r").segment(2).fields(), 2'000U);
    EXPECT_EQ(Message::parse(fields + "|\r").error().where, "NTE[2]");
    const auto header = "MSH|^~\\&" + std::string(1'998, '|');
    EXPECT_EQ(read(header).header().fields(), 2'000U);
    EXPECT_EQ(Message::parse(header + "|").error().where, "MSH");

    const auto repetitions = "MSH|^~\\&|A\rPID|1|~~|" + std::string(999, '~');
    EXPECT_EQ(read(repetitions + "|x\r").first("PID").field(3).size(), 1'000U);
    const auto refused = Message::parse(repetitions + "~|x\r");
    EXPECT_EQ(refused.error().where, "PID-3");
    EXPECT_THAT(refused.error().what, HasSubstr("repetitions"));
}

TEST(MessageLimits, HoldBeforeAnythingIsAllocated) {
    std::string hundred_thousand = "MSH|^~\\&|A\r";
    for (int i = 0; i < 100'000; ++i)
        hundred_thousand += "OBX|1\r";
    EXPECT_EQ(Message::parse(hundred_thousand).error().where, "segment 20001");
    std::string wrapped = "MSH|^~\\&|A\rOBX|1|ED|x||";
    for (int i = 0; i < 100'000; ++i)
        wrapped += "base64base64\r\n";
    const auto m = read(wrapped);
    EXPECT_EQ(m.size(), 2U);
    EXPECT_EQ(m.anomalies().size(), 1U);
}

TEST(MessageHeader, IsReadAloneWhateverFollows) {
    const auto m = Message::parse_header("\rMSH|^~\\&|A|B|||1||ORU^R01|9|P|2.5\rPID|" + std::string(100'000, '~'));
    ASSERT_TRUE(m);
    EXPECT_EQ(m->control_id(), "9");
    EXPECT_EQ(m->size(), 1U);
}

TEST(MessageCharset, ComesFromMsh18) {
    EXPECT_EQ(read(with_charset("UNICODE UTF-8",
                                "L\xC3\xA9"
                                "a"))
                  .text("PID-5"),
              "Léa");
    EXPECT_EQ(read(with_charset("8859/1",
                                "L\xE9"
                                "a"))
                  .text("PID-5"),
              "Léa");
    EXPECT_EQ(read(with_charset("8859/15", "\xBC\xA4")).text("PID-5"), "Œ€");
    EXPECT_EQ(read(with_charset("8859/15~UNICODE", "\xBC")).text("PID-5"), "Œ");
    EXPECT_EQ(read(with_charset("", "LEA")).text("PID-5"), "LEA");
    EXPECT_FALSE(read(with_charset("8859/1",
                                   "L\xE9"
                                   "a"))
                     .charset_invalid());
}

TEST(MessageCharset, IsTheLinksWhenTheLinkSaysSo) {
    ParseOptions options;
    options.charset = LinkCharset::windows_1252;
    EXPECT_EQ(read(with_charset("8859/1", "\x9C\x92\x80"), options).text("PID-5"), "œ’€");
    options.charset = LinkCharset::utf_8;
    EXPECT_EQ(read(with_charset("", "\xC3\xA9"), options).text("PID-5"), "é");
    EXPECT_EQ(*parse_link_charset("iso-8859-15"), LinkCharset::iso_8859_15);
    EXPECT_EQ(parse_link_charset("guess").error().fault, Fault::unsupported);
}

TEST(MessageCharset, IsNeverGuessed) {
    const auto doubt = [](std::string_view msh18, std::string_view name) {
        const auto m = read(with_charset(msh18, name));
        EXPECT_EQ(m.control_id(), "1");
        return m.charset_doubt();
    };
    EXPECT_EQ(doubt("UNICODE UTF-8",
                    "L\xE9"
                    "a"),
              CharsetDoubt::invalid_bytes);
    EXPECT_EQ(doubt("",
                    "L\xE9"
                    "a"),
              CharsetDoubt::invalid_bytes);
    EXPECT_EQ(doubt("",
                    "L\xC3\xA9"
                    "a"),
              CharsetDoubt::invalid_bytes);
    EXPECT_EQ(doubt("8859/1",
                    "L\xC3\xA9"
                    "a"),
              CharsetDoubt::looks_like_utf8);
    EXPECT_EQ(doubt("8859/1", "\x9C"), CharsetDoubt::invalid_bytes);
    EXPECT_EQ(doubt("UNICODE UTF-8",
                    "L\xC3\x83\xC2\xA9"
                    "a"),
              CharsetDoubt::encoded_twice);
    EXPECT_EQ(doubt("UNICODE UTF-8",
                    "L\xC3\xA9"
                    "a \xC3\x80 Co\xC3\xABt"),
              CharsetDoubt::none);
    EXPECT_EQ(doubt("ASCII", "a\x01"), CharsetDoubt::control);
    EXPECT_EQ(doubt("GB 18030-2000", "\xE9"), CharsetDoubt::invalid_bytes);
    const auto m = read(with_charset("UNICODE UTF-8",
                                     "L\xE9"
                                     "a"));
    EXPECT_EQ(m.text("PID-5"),
              "L\xEF\xBF\xBD"
              "a");
    EXPECT_EQ(m.anomalies().at(0), (Anomaly{Anomaly::Kind::charset_doubt, "MSH-18"}));
}

TEST(Escapes, AreReadByTheRules) {
    const auto text = [](std::string_view raw, Charset charset = Charset::utf_8) { return unescape(raw, {}, charset); };
    EXPECT_EQ(text("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\P\\g"), "a|b^c&d~e\\f#g");
    EXPECT_EQ(text("x\\.br\\y\\.sp2\\z\\.sk3\\t\\.in+4\\u\\.ti-2\\\\.fi\\\\.nf\\\\.ce\\v\\.BR\\"),
              "x\ny\n\nz   tu\nv\n");
    EXPECT_EQ(text("\\H\\bold\\N\\"), "bold");
    EXPECT_EQ(text("caf\\X00E9\\ \\XC3A9\\ \\X0D\\"), "café é \r");
    EXPECT_EQ(text("\\XE9\\", Charset::iso_8859_1), "é");
    EXPECT_EQ(text("\\XE9\\"), "\\XE9\\");
    EXPECT_EQ(text("\\Zq\\ \\C0102\\ \\x\\ \\XE\\ \\.xx\\ end\\"), "\\Zq\\ \\C0102\\ \\x\\ \\XE\\ \\.xx\\ end\\");
    EXPECT_EQ(text("5\\F"), "5\\F");
}

TEST(Escapes, CannotMakeATextGrowWithoutBound) {
    EXPECT_LE(unescape("\\.sk999999999999999999999\\", {}, Charset::utf_8).size(), 200U);
    std::string many;
    for (int i = 0; i < 100'000; ++i)
        many += "\\.sp200\\";
    EXPECT_LE(unescape(many, {}, Charset::utf_8).size(), 70'000U);
}

TEST(Escapes, AreWrittenSoThatTheyReadBack) {
    EXPECT_EQ(escape("a|b^c&d~e\\f", {}), "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f");
    EXPECT_EQ(escape("one\r\ntwo\nthree\rfour", {}), "one\\.br\\two\\.br\\three\\.br\\four");
    EXPECT_EQ(escape("bell\x07", {}), "bell ");
    Separators poor;
    poor.escape = '\0';
    EXPECT_EQ(escape("a|b\n", poor), "a b ");
}

TEST(Charsets, AreWrittenWithoutSilentLoss) {
    EXPECT_EQ(encode("Léa", Charset::iso_8859_1).bytes,
              "L\xE9"
              "a");
    EXPECT_EQ(encode("Œ€", Charset::iso_8859_15).bytes, "\xBC\xA4");
    const auto o = encode("cœur d’Ÿ", Charset::iso_8859_1);
    EXPECT_EQ(o.bytes, "coeur d'Y");
    EXPECT_EQ(o.transliterated, 3U);
    EXPECT_EQ(encode("λ", Charset::iso_8859_1).lost, 1U);
}

}  // namespace
}  // namespace sgl::hl7
