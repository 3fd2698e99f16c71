#include "cda/xml_writer.hpp"

#include <gtest/gtest.h>

#include <random>

#include "cda/checker.hpp"
#include "cda/write.hpp"
#include "test/cda/sample_report.hpp"

namespace sgl::cda {
namespace {

constexpr std::string_view declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

TEST(XmlWriter, NestsAsItsCallsDo) {
    XmlWriter w;
    w.element("a", {{"x", "1"}, {"left_out", ""}}, [&] {
        w.element("b");
        w.element("c", {}, "words");
    });
    EXPECT_EQ(*w.take(), std::string(declaration) + R"(<a x="1"><b/><c>words</c></a>)" + "\n");
}

TEST(XmlWriter, EscapesTextAndAttributes) {
    XmlWriter w;
    w.element("a", {{"x", "<\"&'>\n\t"}}, "<&>\"'\n\r");
    EXPECT_EQ(*w.take(), std::string(declaration) + "<a x=\"&lt;&quot;&amp;'&gt;&#10;&#9;\">&lt;&amp;&gt;\"'\n&#13;</a>\n");
}

TEST(XmlWriter, RefusesWhatXmlCannotCarryWhereItStands) {
    for (const std::string_view bad : {std::string_view("\0", 1), std::string_view("a\x01z"), std::string_view("\x1f"),
                                       std::string_view("\xff"), std::string_view("\xc3"), std::string_view("\xed\xa0\x80"),
                                       std::string_view("\xef\xbf\xbe"), std::string_view("\xef\xbf\xbf")}) {
        XmlWriter w;
        w.element("a", {}, [&] {
            w.element("b", {}, "fine");
            w.element("b", {}, bad);
        });
        const auto taken = w.take();
        ASSERT_FALSE(taken);
        EXPECT_EQ(taken.error().where, "/a/b[2]");
        EXPECT_EQ(taken.error().fault, Fault::malformed);
    }
}

TEST(XmlWriter, KeepsTheFirstRefusal) {
    XmlWriter w;
    w.element("a", {}, [&] {
        w.require(true, "fine");
        w.require(false, "the first", "id");
        w.refuse(Fault::conflict, "the second");
    });
    EXPECT_EQ(w.take().error(), (Error{Fault::missing, "/a/id", "the first"}));
}

std::string random_text(std::mt19937& random) {
    std::string text;
    const auto below = [&](std::uint32_t limit) { return static_cast<char32_t>(random() % limit); };
    for (int i = 0; i < 20; ++i) {
        char32_t c = 0;
        do {
            switch (below(4)) {
                case 0: c = 0x20 + below(0x5F); break;
                case 1: c = 0xA0 + below(0x500); break;
                case 2: c = below(0x10000); break;
                default: c = 0x10000 + below(0x100000); break;
            }
        } while (c < 0x20 || (c >= 0xD800 && c < 0xE000) || c == 0xFFFE || c == 0xFFFF);
        if (c < 0x80) {
            text += static_cast<char>(c);
        } else if (c < 0x800) {
            text += static_cast<char>(0xC0 | (c >> 6));
            text += static_cast<char>(0x80 | (c & 0x3F));
        } else {
            if (c < 0x10000) {
                text += static_cast<char>(0xE0 | (c >> 12));
            } else {
                text += static_cast<char>(0xF0 | (c >> 18));
                text += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
            }
            text += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
            text += static_cast<char>(0x80 | (c & 0x3F));
        }
    }
    return text;
}

// SEC-34: any Unicode text of any field comes back equal through a real parser: the checker compares the value of the entry
// with that of the narrative, so a difference in either is a finding.
TEST(XmlWriter, CarriesAnyUnicodeText) {
    const Checker checker;
    std::mt19937 random{20260302};  // the same texts every time
    for (int i = 0; i < 30; ++i) {
        auto report = test::report_without_ins();
        auto& result = report.chapters[0].results.observations[0];
        const auto text = "a" + random_text(random);
        result.value = FreeText{text};
        result.range.reset();
        result.previous.clear();
        result.code.label = "b" + random_text(random);
        result.comments = {"c" + random_text(random)};
        report.patient.birth_name = "d" + random_text(random);
        report.chapters[0].title = "e" + random_text(random);
        const auto written = write(report);
        ASSERT_TRUE(written) << to_string(written.error());
        for (const auto& finding : checker.check(*written))
            EXPECT_EQ(finding.severity, Finding::Severity::warning) << finding.where << ' ' << finding.what;
    }
}

}  // namespace
}  // namespace sgl::cda
