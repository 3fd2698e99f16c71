#include "config/csv.hpp"

#include <gtest/gtest.h>

using namespace sgl;
using namespace sgl::config;

namespace {

std::vector<std::string> fields(std::string_view line) {
    const auto rows = parse_csv(line);
    return rows && rows->size() == 1 ? rows->front().fields : std::vector<std::string>{"refused"};
}

using Fields = std::vector<std::string>;

}  // namespace

TEST(Csv, SplitsAtSemicolonsAndTrims) { EXPECT_EQ(fields(" a ;b; ;"), (Fields{"a", "b", "", ""})); }
TEST(Csv, KeepsSemicolonsAndBlanksInsideQuotes) { EXPECT_EQ(fields("\" a ; b \";c"), (Fields{" a ; b ", "c"})); }
TEST(Csv, DoublesAQuoteInsideQuotes) { EXPECT_EQ(fields("\"a \"\"b\"\"\";c"), (Fields{"a \"b\"", "c"})); }
TEST(Csv, EndsWithAQuotedField) { EXPECT_EQ(fields("a;\"b\" "), (Fields{"a", "b"})); }
TEST(Csv, RefusesAQuoteThatDoesNotEnd) { EXPECT_EQ(fields("a;\"b"), Fields{"refused"}); }
TEST(Csv, RefusesTextBehindAQuote) { EXPECT_EQ(fields("\"a\"b;c"), Fields{"refused"}); }
TEST(Csv, RefusesAQuoteInsideABareField) { EXPECT_EQ(fields("a\"b;c"), Fields{"refused"}); }

TEST(Csv, SkipsCommentsEmptyLinesAndTheByteOrderMarkButCountsLines) {
    const auto rows = parse_csv("\xEF\xBB\xBF# a comment; with one\r\n\r\na;b\r\n\n1;2");
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 2U);
    EXPECT_EQ((*rows)[0].line, 3U);
    EXPECT_EQ((*rows)[0].fields, (Fields{"a", "b"}));
    EXPECT_EQ((*rows)[1].line, 5U);
}

TEST(Csv, NamesTheLineThatIsNotUtf8) {
    const auto rows = parse_csv("a;b\n\xE9;c\n");
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().where, "line 2");
}
