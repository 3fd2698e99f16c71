#include "lib/web/html.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "test/lib/web/fakes.hpp"

namespace sgl::web {
namespace {

constexpr std::array payloads{
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg/onload=alert(1)>", "</textarea><script>1</script>",
    "<!--", "]]>", "javascript:alert(1)", "&lt;b&gt;", "{{7*7}}", "\xC3\xA9 <b>",
};

TEST(Html, TextAndAttributesCanNotBecomeMarkup) {
    Html h;
    h.tag("p", {{"title", "\"><script>"}}, "<b>&'\"");
    EXPECT_EQ(h.take(), "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt;&amp;&#39;&quot;</p>");
}

TEST(Html, ControlCharactersAreReplaced) {
    Html h;
    h.text(std::string_view("a\0b\x1B[2J\tc", 9));
    EXPECT_EQ(h.take(), "a\xEF\xBF\xBD" "b\xEF\xBF\xBD[2J\tc");
}

TEST(Html, AbsentFlagsAreNotWritten) {
    Html h;
    h.single("input", {{"name", "x"}, {"required", true}, {"disabled", false}});
    EXPECT_EQ(h.take(), "<input name=\"x\" required>");
}

TEST(Html, UrlPartsAreEncoded) { EXPECT_EQ(url_part("a/b?c=d&\xC3\xA9 ~"), "a%2Fb%3Fc%3Dd%26%C3%A9%20~"); }

/// The number of tags of a page that a browser would see.
std::size_t tags(const std::string& html) { return static_cast<std::size_t>(std::ranges::count(html, '<')); }

TEST(Pages, NoFieldOfAnOrderCanAddATag) {
    const auto user = fakes::biologist();
    const auto frame = fakes::frame(user);
    const auto plain = [&](const std::string& text) {
        auto screen = fakes::order_screen();
        auto& traits = screen.order.patient.traits.reveal();
        traits.birth_name = text;
        traits.birth_given_names = text;
        traits.first_given_name = text;
        traits.birth_place = text;
        auto& order = screen.order;
        order.patient.local_id = text;
        order.number = text;
        order.placer_group = text;
        order.prescriber = text;
        order.copies = {text};
        order.collector = text;
        order.stay_number = text;
        order.clinical_context = text;
        order.specimens[0].number = text;
        order.specimens[0].type_label = text;
        for (auto& result : order.results) {
            result.code = text;
            result.value = text;
            result.unit = text;
            result.received_flags = text;
            result.note = text;
        }
        for (auto& result : screen.draft->results) {
            result.chapter_label = text;
            result.reported.label = text;
            result.reported.comment = text;
            result.reported.method = text;
        }
        screen.draft->results[10].reported.value = domain::Words{text};
        screen.draft->pending = {text};
        screen.draft->letters[1].recipient_name = text;
        screen.draft->missing = {Error{Fault::missing, text, text}};
        screen.comment = text;
        screen.changes = {text};
        return order_page(frame, screen, Notice{false, text, "", ""});
    };
    const auto expected = tags(plain("ordinaire"));
    for (const std::string payload : payloads) EXPECT_EQ(tags(plain(payload)), expected) << payload;
}

TEST(Pages, NoFieldOfTheOtherPagesCanAddATag) {
    auto user = fakes::biologist();
    const auto all = [&](const std::string& text) {
        user.name = text;
        user.roles[0].site.name = text;
        auto frame = fakes::frame(user);
        frame.csrf = text;
        auto list = fakes::worklist();
        for (auto& row : list.rows) {
            row.number = text;
            row.prescriber = text;
            row.patient.traits.reveal().birth_name = text;
            row.patient.traits.reveal().first_given_name = text;
            for (auto& chapter : row.chapters) chapter.label = text;
            row.pending_exams = {text};
        }
        auto report = fakes::report_view();
        report.order_number = text;
        report.comment = text;
        report.line.validator = text;
        report.line.refusal = text;
        report.line.state = "refused";
        report.document_oid = text;
        for (auto& letter : report.letters) {
            letter.recipient_name = text;
            letter.partner_reference = text;
            letter.error_where = text;
            letter.error_what = text;
        }
        for (auto& event : report.events) {
            event.actor = text;
            event.to_state = text;
        }
        store::Letters letters;
        letters.rows = report.letters;
        store::WorkItems items;
        items.rows = {{domain::WorkItemId{1}, fakes::north, text, text, text, domain::OrderId{fakes::uuid(3)}, text, true, fakes::now},
                      {domain::WorkItemId{2}, fakes::north, text, text, text, domain::OrderId{fakes::uuid(3)}, text, false, fakes::now}};
        auto account = fakes::account();
        account.lines[0].site_name = text;
        account.lines[0].month = text;
        return worklist_page(frame, list, {}, {}, {}, Notice{true, text, "/x", text}) + report_page(frame, report, std::nullopt) +
               letters_page(frame, letters, {}, std::nullopt) + work_items_page(frame, items, std::nullopt) + account_page(frame, account) +
               about_page(frame, {fakes::uuid(1), text, text}) + error_page(frame, 400, text, text) + sign_in_page(frame, text, Kept{text, {{text, text}}}, std::nullopt) +
               kept_page(frame, Kept{"/x", {{"motif", text}, {text, text}}});
    };
    const auto expected = tags(all("ordinaire"));
    for (const std::string payload : payloads) EXPECT_EQ(tags(all(payload)), expected) << payload;
}

}  // namespace
}  // namespace sgl::web
