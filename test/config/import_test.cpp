#include "config/import.hpp"

#include <gtest/gtest.h>

using namespace sgl;
using namespace sgl::config;
using namespace sgl::domain;

namespace {

constexpr std::string_view header =
    "site;position;local_code;loinc;label;loinc_label;chapter;chapter_label;panels;kind;unit;decimals;specimen;method;ranges;"
    "critical;answers;active\n";
constexpr std::string_view people =
    "legal_entity;rpps;title;family;given;speciality;speciality_label;structure;mss_address;phone;active\n";
constexpr std::string_view entity =
    "[[legal_entity]]\nfiness='690000001'\nname='N'\nlegal_form='SELAS'\noid='1.2.3'\n"
    "address={postal_code='69001',city='LYON'}\n[[legal_entity.biologist_in_charge]]\nrpps='99900000017'\nfamily='A'\ngiven='B'\n"
    "[[legal_entity.site]]\nfiness='690000011'\nname='S'\noid='1.2.3.1'\naddress={postal_code='69001',city='LYON'}\n";

std::string operator+(std::string_view a, std::string_view b) { return std::string(a).append(b); }

struct Wrong {
    std::string text;
    std::string_view where;
    std::string_view what;
};
class ImportRefuses : public testing::TestWithParam<Wrong> {};

std::string row(std::string_view ranges, std::string_view loinc = "2951-2", std::string_view unit = "mmol/L",
                std::string_view decimals = "0") {
    return header + ("*;10;NA;" + std::string(loinc) + ";Sodium;;18719-5;Biochimie;;numeric;" + std::string(unit) + ";" +
                     std::string(decimals) + ";SER;;" + std::string(ranges) + ";;;yes\n");
}

/// An examination of a file that has the columns of sub-chapters.
std::string parted(std::string_view part) {
    std::string columns(header);
    columns.insert(columns.find(";panels"), ";sub_chapter;sub_chapter_label");
    return columns + "*;10;HB;718-7;Hémoglobine;;18723-7;Hématologie;" + std::string(part) + ";;numeric;g/dL;1;BLD;;;;;yes\n";
}

std::string link(std::string_view more) {
    return "[[link]]\nname='a'\nsite='690000011'\nlistener='l'\n" + std::string(more);
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string made(text);
    return made.replace(made.find(from), from.size(), to);
}

}  // namespace

TEST_P(ImportRefuses, WithItsLine) {
    const auto import = parse_import(GetParam().text);
    ASSERT_FALSE(import) << GetParam().text;
    EXPECT_EQ(import.error().where, GetParam().where);
    EXPECT_NE(import.error().what.find(GetParam().what), std::string::npos) << import.error().what;
}

INSTANTIATE_TEST_SUITE_P(
    Toml, ImportRefuses,
    testing::Values(
        Wrong{"", "line 1", "says nothing"}, Wrong{"[[thing]]\n", "line 1, column 3", "unknown kind of file"},
        Wrong{entity + "[[user]]\nlogin='x'\n", "line 16, column 3", "holds nothing else"},
        Wrong{"legal_entity = 3\n", "line 1, column 16", "write [[legal_entity]]"},
        Wrong{replaced(entity, "690000001", "69000001"), "line 2, column 8", "9 characters"},
        Wrong{replaced(entity, "oid='1.2.3'", "oid='x'"), "line 5, column 5", "is no OID"},
        Wrong{replaced(entity, "legal_form='SELAS'", ""), "line 1, column 1", "\"legal_form\" is missing"},
        Wrong{replaced(entity, "legal_form", "legal_from"), "line 4, column 1", "did you mean \"legal_form\"?"},
        Wrong{replaced(entity, "99900000017", "999"), "line 8, column 6", "11 digits"},
        Wrong{replaced(entity, "690000011", "690000001"), "line 1, column 1", "stands twice"},
        Wrong{entity + "time_zone='Europe/Lyon'\n", "line 16, column 11", "unknown time zone"},
        Wrong{entity + "[legal_entity.site.settings]\ndmp_documents='n1'\n", "line 17, column 15", "must be one of: n3"},
        Wrong{link("charset='latin1'\n"), "line 5, column 9", "must be one of: msh18"},
        Wrong{link("processing_id='D'\n"), "line 5, column 15", "must be one of: P, T"},
        Wrong{link("number_paths=['SPM2']\n"), "line 1, column 1", "expected places"},
        Wrong{link("code_paths=['OBX-3.1.2.1']\n"), "line 1, column 1", "expected places"},
        Wrong{link("tls_fingerprint='abc'\n"), "line 5, column 17", "64 digits"},
        Wrong{link("identity_source=true\n"), "line 1, column 1", "allowed_senders"},
        Wrong{link("order_news=true\n"), "line 1, column 1", "outgoing"},
        Wrong{link("patient_authority='CHU'\n"), "line 5, column 19", "is no OID"},
        Wrong{link("allowed_senders=[{application='A'}]\n"), "line 5, column 18", "\"facility\" is missing"},
        Wrong{link("") + link(""), "line 5, column 1", "another link has this name"},
        Wrong{"[[partner]]\nname='p'\nlegal_entity='690000001'\n", "line 1, column 1", "one of the tables"},
        Wrong{"[[partner]]\nname='p'\nlegal_entity='690000001'\n[partner.dpi]\nhost='h'\nprot=3\n", "line 6, column 1", "prot: unknown key"},
        Wrong{"[[partner]]\nname='p'\nlegal_entity='690000001'\n[partner.dpi]\nhost='h'\n", "line 4, column 1", "\"port\" is missing"},
        Wrong{"[[user]]\nlogin='u'\nfamily='A'\ngiven='B'\nroles={boss=['690000011']}\n", "line 5, column 8", "unknown role"},
        Wrong{"[[user]]\nlogin='u'\nfamily='A'\ngiven='B'\nroles={biologist=['690000011']}\n", "line 1, column 1", "RPPS"},
        Wrong{"[[user]]\nlogin='u'\nfamily='A'\ngiven='B'\ndemonstration_password='short'\nroles={}\n", "line 5, column 24",
              "shorter than 8"}));

INSTANTIATE_TEST_SUITE_P(
    Csv, ImportRefuses,
    testing::Values(
        Wrong{"a;b\n1;2\n", "line 1", "unknown kind of file"},
        Wrong{replaced(header, "panels", "panel"), "line 1", "unknown column \"panel\""},
        Wrong{replaced(header, ";panels", ""), "line 1", "\"panels\" is missing"},
        Wrong{replaced(header, "panels", "kind"), "line 1", "stands twice"},
        Wrong{header + "*;10;NA\n", "line 2", "3 fields, the header has 18"},
        Wrong{row("", "2951-3"), "line 2", "loinc: wrong form or check digit"},
        Wrong{row("", "2951-2", "mmol L"), "line 2", "unit"}, Wrong{row("", "2951-2", "mmol/L", "x"), "line 2", "decimals"},
        Wrong{row("136-145"), "line 2", "ranges: "}, Wrong{row("145..136"), "line 2", "above the high one"},
        Wrong{row("136..145").append("# a comment\n*;20;NA;;Sodium;;18719-5;Biochimie;;text;;;SER;;;;;yes\n"), "line 4",
              "stands twice"},
        Wrong{header + "*;20;X;;X;;18719-5;Biochimie;;text;g;;SER;;;;;yes\n", "line 2", "unit: only for kind numeric"},
        Wrong{header + "*;20;X;;X;;18719-5;Biochimie;;coded;;;SER;;;;;yes\n", "line 2", "knows its answers"},
        Wrong{header + "*;20;X;;X;;18719-5;Biochimie;;text;;;SER;;;;;maybe\n", "line 2", "yes or no"},
        Wrong{parted("18768-3;Hémogramme"), "line 2", "sub_chapter: wrong form or check digit"},
        Wrong{parted("18768-2;"), "line 2", "sub_chapter_label: must not be empty"},
        Wrong{parted("18723-7;Hématologie"), "line 2", "sub_chapter: is the chapter itself"},
        Wrong{header + "12;20;X;;X;;18719-5;Biochimie;;text;;;SER;;;;;yes\n", "line 2", "site: "},
        Wrong{people + "690000001;1;;A;B;;;;;;yes\n", "line 2", "rpps"},
        Wrong{people + "690000001;99900000025;;A;B;;;;x;;yes\n", "line 2", "mss_address"},
        Wrong{people + "690000001;99900000025;;A;B;;;S;;;yes\n690000001;99900000025;;A;B;;;S;;;yes\n", "line 3", "stands twice"}));

TEST(Import, ReadsAnEntityWithItsSite) {
    const auto import = parse_import(entity);
    ASSERT_TRUE(import) << to_string(import.error());
    EXPECT_EQ(import->sites.at(0).legal_entity, import->legal_entities.at(0).finess);
    EXPECT_EQ(import->sites[0].site.settings, SiteSettings{});
    EXPECT_EQ(import->content, entity);
    EXPECT_EQ(import->sha256.size(), 32U);
}

TEST(Import, ReadsSubChaptersWhereAFileHasThem) {
    const auto with = parse_import(parted("18768-2;Hémogramme"));
    ASSERT_TRUE(with) << to_string(with.error());
    EXPECT_EQ(with->analytes.at(0).analyte.sub_chapter, (SubChapter{"18768-2", "Hémogramme"}));
    const auto uncoded = parse_import(parted(";Hémogramme"));
    ASSERT_TRUE(uncoded) << to_string(uncoded.error());
    EXPECT_EQ(uncoded->analytes.at(0).analyte.sub_chapter, (SubChapter{"", "Hémogramme"}));
    const auto without = parse_import(row("136..145"));
    ASSERT_TRUE(without) << to_string(without.error());
    EXPECT_TRUE(without->analytes.at(0).analyte.sub_chapter.empty());
}

TEST(Import, NormalisesAFingerprint) {
    std::string fingerprint;
    for (int i = 0; i < 32; ++i) fingerprint += i == 0 ? "AB" : ":0C";
    const auto import = parse_import(link("tls_fingerprint='" + fingerprint + "'\n"));
    ASSERT_TRUE(import) << to_string(import.error());
    EXPECT_EQ(import->links[0].link.tls_fingerprint.substr(0, 6), "ab0c0c");
}

TEST(Import, BlanksPasswordsInWhatIsKept) {
    const auto import = parse_import(
        "[[user]]\nlogin='u'\nfamily='A'\ngiven='B'\n  demonstration_password = 'very secret'\nroles={secretary=['690000011']}\n");
    ASSERT_TRUE(import) << to_string(import.error());
    EXPECT_EQ(import->users[0].demonstration_password, "very secret");
    EXPECT_EQ(import->content.find("very secret"), std::string::npos);
    EXPECT_NE(import->content.find("login='u'"), std::string::npos);
}

TEST(Ranges, AreReadWithSexAndAge) {
    const auto rules = parse_ranges("..5 | F 1..2.5 | M 18y- 3..4 | M -3d ..9");
    ASSERT_TRUE(rules) << to_string(rules.error());
    ASSERT_EQ(rules->size(), 4U);
    EXPECT_FALSE((*rules)[0].sex);
    EXPECT_FALSE((*rules)[0].range.low);
    EXPECT_EQ((*rules)[0].range.high->text(), "5");
    EXPECT_EQ((*rules)[1].sex, Sex::female);
    EXPECT_EQ((*rules)[2].age_from_days, 6574U);
    EXPECT_FALSE((*rules)[2].age_to_days);
    EXPECT_EQ((*rules)[3].age_to_days, 3U);
    EXPECT_TRUE(parse_ranges("  ")->empty());
}

TEST(Ranges, CountWeeksAndMonths) {
    const auto rules = parse_ranges("2w-12m 1..2");
    ASSERT_TRUE(rules);
    EXPECT_EQ((*rules)[0].age_from_days, 14U);
    EXPECT_EQ((*rules)[0].age_to_days, 365U);
}

TEST(Ranges, RefuseTwoRulesThatCouldBothWin) {
    EXPECT_EQ(parse_ranges("1..2 | 3..4").error().fault, Fault::conflict);
    EXPECT_EQ(parse_ranges("F 1..2 | 18y- 3..4").error().fault, Fault::conflict) << "a woman of 20 has both";
    EXPECT_EQ(parse_ranges("0d-3d 1..2 | 2d- 3..4").error().fault, Fault::conflict);
    EXPECT_TRUE(parse_ranges("0d-3d 1..2 | 3d- 3..4")) << "closed below, open above";
    EXPECT_TRUE(parse_ranges("F 18y- 1..2 | M 18y- 3..4 | F 5..6 | 7..8"));
}

TEST(Ranges, RefuseWhatTheyCannotRead) {
    for (const auto* text : {"1-2", "X 1..2", "F", "F F 1..2", "18y 1..2", "- 1..2", "2y-1y 1..2", "18q- 1..2", "1..2 F", "..", "a..b",
                             "1,5..2", "1..2|", "18y- 2y- 1..2", "3y- F 1..2"})
        EXPECT_FALSE(parse_ranges(text)) << text;
}

TEST(Answers, AreReadWithFlagAndCode) {
    const auto answers = parse_answers("POS=Positif:A|NEG=Négatif:N:260385009@2.16.840.1.113883.6.96|IND=Indéterminé");
    ASSERT_TRUE(answers) << to_string(answers.error());
    ASSERT_EQ(answers->size(), 3U);
    EXPECT_EQ((*answers)[0].flag, Flag::abnormal);
    EXPECT_EQ((*answers)[0].coded.code, "") << "no code is invented";
    EXPECT_EQ((*answers)[1].coded.code, "260385009");
    EXPECT_EQ((*answers)[1].coded.system, "2.16.840.1.113883.6.96");
    EXPECT_EQ((*answers)[2].flag, Flag::none);
}

TEST(Answers, RefuseWhatTheyCannotRead) {
    for (const auto* text : {"POS", "=Positif", "POS=", "POS=Positif:Z", "POS=a|POS=b", "POS=a:A:1", "POS=a:A:1@x", "POS=a:A:1@1.2:b"})
        EXPECT_FALSE(parse_answers(text)) << text;
}
