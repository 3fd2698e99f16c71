#include "hl7/range.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "lib/base/text.hpp"
#include "test/hl7/shared.hpp"

namespace sgl::hl7 {
namespace {

using Kind = ReferenceRange::Kind;
namespace json = boost::json;

json::object layout(const ReferenceRange& range) {
    json::object out;
    switch (range.kind) {
        case Kind::none:
            out["kind"] = "none";
            break;
        case Kind::text:
            out["kind"] = "text";
            out["why"] = range.why;
            break;
        case Kind::breakpoints:
            out["kind"] = "breakpoints";
            out["s_max"] = range.low->value.text();
            out[range.high->included ? "r_min" : "r_above"] = range.high->value.text();
            break;
        case Kind::interval:
            out["kind"] = "interval";
            if (range.low) {
                out["low"] = range.low->value.text();
                out["low_incl"] = range.low->included;
            }
            if (range.high) {
                out["high"] = range.high->value.text();
                out["high_incl"] = range.high->included;
            }
            if (!range.unit.empty()) out["unit"] = range.unit;
            if (range.sex != '\0') out["sex"] = std::string(1, range.sex);
            break;
    }
    return out;
}

TEST(ReferenceRanges, AreReadAsThePublicVectorsSay) {
    const auto vectors = test::shared_folder() / "hl7/vectors/reference-ranges.tsv";
    SGL_NEEDS_SHARED(vectors);
    std::istringstream lines(test::bytes_of(vectors));
    std::size_t read = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') continue;
        const auto columns = split(line, '\t');
        ASSERT_EQ(columns.size(), 3U) << line;
        RangeOptions options;
        options.comma_is_decimal = columns[1].find("--comma decimal") != std::string_view::npos;
        if (const auto sex = columns[1].find("--sex "); sex != std::string_view::npos)
            options.sex = columns[1][sex + 6];
        const auto text = replace_all(replace_all(std::string(columns[0]), "\\t", "\t"), "\\n", "\n");
        EXPECT_EQ(layout(read_range(text, options)), json::parse(columns[2]).as_object()) << text;
        ++read;
    }
    EXPECT_GE(read, 86U);
}

TEST(ReferenceRanges, StayTextWhenAnythingIsUnsure) {
    for (const auto* text :
         {"S<=8", "3-5-7 mg", "5 mg/L", "3 - 5 ; 7", "<5>", "[", "(", "- -", "1,000 - 2,000", "^^", "1^2^3", "H : 3",
          "1e5e", "<", "N", "10^9/L", "99999999999999999999999999999999999999-1", "H: négatif F: négatif"}) {
        EXPECT_EQ(read_range(text).kind, Kind::text) << text;
    }
}

TEST(ReferenceRanges, AreReadFromNamesInFrench) {
    EXPECT_EQ(read_range("Valeurs de référence : 3,5 à 5,0 mmol/L").low->value.text(), "3.5");
    EXPECT_EQ(read_range("Réf. 3-5").high->value.text(), "5");
    EXPECT_EQ(read_range("INFÉRIEUR À 5").high->included, false);
    EXPECT_EQ(read_range("N : -").kind, Kind::none);
    EXPECT_EQ(read_range("1.5e2-3").kind, Kind::text);
    EXPECT_EQ(read_range("< 1e3").high->value.text(), "1000");
    EXPECT_EQ(read_range("[0,120[").high->value.text(), "120");
    EXPECT_EQ(read_range("3 - 5 µmol/L").unit, "µmol/L");
    EXPECT_EQ(read_range("sup. 3 à 5").kind, Kind::text);
}

}  // namespace
}  // namespace sgl::hl7
