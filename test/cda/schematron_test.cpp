// Our Schematron runner on small schemas of our own: each rule of the language that the official kit needs, and hostile
// documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "cda/schematron/official_kit.hpp"
#include "cda/schematron/schema.hpp"

namespace sgl::cda::schematron {
namespace {

using Files = std::map<std::string, std::string>;

Lookup in(const Files& files) {
    return [&files](const std::string& path) -> std::optional<std::string> {
        const auto found = files.find(path);
        if (found == files.end()) return std::nullopt;
        return found->second;
    };
}

std::string schema(const std::string& inside, const std::string& attributes = "") {
    return "<schema xmlns='http://purl.oclc.org/dsdl/schematron' " + attributes +
           "><ns prefix='cda' uri='urn:hl7-org:v3'/>" + inside + "</schema>";
}

Result<Schema> compile(const std::string& inside, const std::string& attributes = "", const Files& others = {}) {
    Files files = others;
    files["rules/main.sch"] = schema(inside, attributes);
    return Schema::compile("family", "rules/main.sch", in(files));
}

std::vector<Finding> check(const Schema& rules, const std::string& document, const RunOptions& options = {}) {
    const auto parsed = Document::parse(document, options.limits);
    EXPECT_TRUE(parsed) << to_string(parsed.error());
    if (!parsed) return {};
    auto findings = rules.check(*parsed, options);
    EXPECT_TRUE(findings) << to_string(findings.error());
    return findings ? *findings : std::vector<Finding>{};
}

/// "pattern@where" of each finding, in order.
std::string found(const std::string& inside, const std::string& document, const std::string& attributes = "",
                  const Files& others = {}) {
    const auto rules = compile(inside, attributes, others);
    if (!rules) return to_string(rules.error());
    std::string text;
    for (const auto& each : check(*rules, document)) {
        if (!text.empty()) text += ' ';
        if (each.kind == Finding::Kind::unevaluated) text += '?';
        text += each.pattern + "@" + each.where;
    }
    return text;
}

std::string cda(const std::string& inside) {
    return "<ClinicalDocument xmlns='urn:hl7-org:v3'>" + inside + "</ClinicalDocument>";
}

TEST(Schematron, SaysWhichTestFailsAndWhere) {
    const auto rules = compile(
        "<pattern id='p'><rule context='cda:id'><assert test='@root' role='warning'>An <name/> of <value-of "
        "select='../@code'/> has\n a root."
        "</assert></rule></pattern>");
    ASSERT_TRUE(rules) << to_string(rules.error());
    const auto findings = check(*rules, cda("<id root='1'/><act code='secret'><id/><id/></act>"));
    ASSERT_EQ(findings.size(), 2U);
    const auto& first = findings.front();
    EXPECT_EQ(first.kind, Finding::Kind::failed_assert);
    EXPECT_EQ(first.family, "family");
    EXPECT_EQ(first.pattern, "p");
    EXPECT_EQ(first.context, "cda:id");
    EXPECT_EQ(first.test, "@root");
    EXPECT_EQ(first.where, "/ClinicalDocument/act/id");
    EXPECT_EQ(first.role, "warning");
    EXPECT_FALSE(first.is_error());
    EXPECT_EQ(first.message, "An id of … has a root.") << "a value of the document is data of the patient";
    EXPECT_EQ(findings.back().where, "/ClinicalDocument/act/id[2]");
    RunOptions options;
    options.values = true;
    EXPECT_EQ(check(*rules, cda("<act code='secret'><id/></act>"), options).front().message,
              "An id of secret has a root.");
}

TEST(Schematron, GivesAnElementToTheFirstRuleOfAPattern) {
    const std::string rules =
        "<pattern id='p'><rule context='cda:act[@code=\"1\"]'><assert test='true()'>x</assert></rule>"
        "<rule context='cda:act'><assert test='false()'>x</assert></rule></pattern>"
        "<pattern id='q'><rule context='*'><report test='@code=\"1\"'>x</report></rule></pattern>";
    EXPECT_EQ(found(rules, cda("<act code='1'/><act code='2'/>")),
              "p@/ClinicalDocument/act[2] q@/ClinicalDocument/act");
}

TEST(Schematron, TakesContextsAsPatternsOfElements) {
    const auto where = [](const std::string& context, const std::string& inside) {
        return found(
            "<pattern id='p'><rule context='" + context + "'><assert test='false()'>x</assert></rule></pattern>",
            cda(inside));
    };
    const std::string nested = "<section><act><section><code/></act></section></act><code/></section>";
    const std::string good = "<section><act><section><code/></section></act><code/></section>";
    EXPECT_FALSE(Document::parse(cda(nested)));
    EXPECT_EQ(where("cda:section/cda:code", good),
              "p@/ClinicalDocument/section/act/section/code p@/ClinicalDocument/section/code");
    EXPECT_EQ(where("cda:act//cda:code", good), "p@/ClinicalDocument/section/act/section/code");
    EXPECT_EQ(where("//cda:act", good), "p@/ClinicalDocument/section/act");
    EXPECT_EQ(where("/cda:ClinicalDocument/cda:section", good), "p@/ClinicalDocument/section");
    EXPECT_EQ(where("/cda:section", good), "");
    EXPECT_EQ(where("/", good), "p@/");
    EXPECT_EQ(where("cda:nothing|cda:act", good), "p@/ClinicalDocument/section/act");
    EXPECT_EQ(where("act", good), "") << "another namespace";
    EXPECT_EQ(where("cda:section[cda:code][not(cda:act)]", good), "p@/ClinicalDocument/section/act/section");
    for (const auto* refused :
         {"@code", "cda:act/@code", "text()", "cda:act[1]", "cda:act[last()]", "ancestor::cda:act", "other:act", ""})
        EXPECT_THAT(where(refused, good), testing::HasSubstr("rules/main.sch:")) << refused;
}

TEST(Schematron, FindsTemplatesByTheirRoot) {
    const auto where = [](const std::string& context) {
        return found(
            "<pattern id='p'><rule context='" + context + "'><assert test='false()'>x</assert></rule></pattern>",
            cda("<act><templateId root='1.2'/><code/><templateId root='1.2'/></act><act code='x'><templateId "
                "root='1.3'/>"
                "<templateId root='1.2'/><code/></act><act><templateId xmlns='other' root='1.2'/></act>"));
    };
    const std::string both = "p@/ClinicalDocument/act p@/ClinicalDocument/act[2]";
    EXPECT_EQ(where("*[cda:templateId/@root=\"1.2\"]"), both);
    EXPECT_EQ(where("cda:act[./cda:templateId/@root = \"1.2\"]"), both);
    EXPECT_EQ(where("*[cda:templateId[@root=\"1.2\"]]"), both);
    EXPECT_EQ(where("*[cda:templateId/@root=\" 1.2\"]"), "");
    EXPECT_EQ(where("*[cda:templateId/@root=\"1.2\"]/cda:code"),
              "p@/ClinicalDocument/act/code p@/ClinicalDocument/act[2]/code");
    EXPECT_EQ(where("*[cda:templateId/@root=\"1.2\" and not(cda:templateId/@root=\"1.3\")]"),
              "p@/ClinicalDocument/act");
    EXPECT_EQ(where("*[cda:templateId/@root=\"1.2\" and @code or @code=\"x\"]"), "p@/ClinicalDocument/act[2]");
    EXPECT_EQ(where("*[cda:templateId/@root=\"1.9\" or @code=\"x\"]"), "p@/ClinicalDocument/act[2]");
    EXPECT_EQ(where("*[cda:templateId/@root!=\"1.2\"]"), "p@/ClinicalDocument/act[2]");
}

TEST(Schematron, BindsVariablesOfSchemaPatternAndRule) {
    const std::string rules =
        "<let name='all' value='count(//cda:id)'/><let name='name' value='\"outer\"'/>"
        "<pattern id='p'><let name='of-pattern' value='$all + 1'/><rule context='cda:act'><let name='name' "
        "value='@code'/>"
        "<let name='twice' value='concat($name, $name)'/><assert test='$twice = \"bb\"'>x</assert></rule></pattern>"
        "<pattern id='q'><rule context='cda:act'><assert test='$of-pattern = 3 and $name = "
        "\"outer\"'>x</assert></rule></pattern>";
    EXPECT_EQ(found(rules, cda("<act code='a'><id/></act><act code='b'><id/></act>")), "p@/ClinicalDocument/act");
    EXPECT_THAT(found("<pattern><rule context='cda:act'><assert test='$missing'>x</assert></rule></pattern>", cda("")),
                testing::HasSubstr("$missing"));
}

TEST(Schematron, RunsThePhaseThatIsAsked) {
    const Files files{
        {"main.sch", schema("<phase id='one'><active pattern='a'/></phase><phase id='two'><active pattern='b'/>"
                            "<active pattern='absent'/></phase>"
                            "<pattern id='a'><rule context='cda:id'><assert test='false()'>x</assert></rule></pattern>"
                            "<pattern id='b'><rule context='cda:id'><assert test='false()'>x</assert></rule></pattern>",
                            "defaultPhase='one'")}};
    const auto pattern = [&](const std::string& phase) {
        const auto rules = Schema::compile("f", "main.sch", in(files), phase);
        std::string text;
        for (const auto& each : check(*rules, cda("<id/>")))
            text += each.pattern;
        for (const auto& each : rules->notes())
            text += " " + each;
        return text;
    };
    EXPECT_EQ(pattern(""), "a");
    EXPECT_EQ(pattern("two"), "b main.sch: the active pattern absent is missing");
    EXPECT_EQ(pattern("#ALL"), "ab");
}

TEST(Schematron, ExpandsAbstractPatternsAndRulesAndIncludes) {
    const Files files{
        {"abstract/a.sch",
         "<pattern xmlns='http://purl.oclc.org/dsdl/schematron' abstract='true' id='a'><rule context='$el'>"
         "<assert test='$ell'><value-of select='$text'/> fails</assert><extends rule='base'/></rule></pattern>"},
        {"abstract/base.sch",
         "<pattern xmlns='http://purl.oclc.org/dsdl/schematron' id='holder'><rule abstract='true' id='base'>"
         "<assert test='@id'>x</assert></rule></pattern>"}};
    Files all = files;
    all["rules/main.sch"] = schema(
        "<include href='../abstract/a.sch'/><include href='../abstract/base.sch'/><include "
        "href='../abstract/missing.sch'/>"
        "<include href='../../outside.sch'/>"
        "<pattern id='p' is-a='a'><param name='el' value='cda:act'/><param name='ell' value='@code'/>"
        "<param name='text' value='\"the act\"'/></pattern>");
    const auto rules = Schema::compile("f", "rules/main.sch", in(all));
    ASSERT_TRUE(rules) << to_string(rules.error());
    const auto findings = check(*rules, cda("<act/>"));
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_EQ(findings[0].test, "@code");
    EXPECT_EQ(findings[0].message, "the act fails") << "a text of the kit is no data of the document";
    EXPECT_EQ(findings[1].test, "@id");
    EXPECT_EQ(rules->notes().size(), 2U);
}

TEST(Schematron, ReadsOtherFilesOnlyThroughItsCaller) {
    const Files files{{"sets/flags.xml", "<set><c code='H'/><c code='L'/></set>"}};
    const std::string rules =
        "<let name='set' value='\"../sets/flags.xml\"'/>"
        "<pattern id='p'><rule context='cda:code'><let name='c' value='@code'/>"
        "<assert test='document($set)//c[@code=$c]'>x</assert>"
        "<assert test='document(\"../sets/flags.xml\")/set/c[@code=current()/@code]'>x</assert></rule></pattern>";
    EXPECT_EQ(found(rules, cda("<code code='H'/>"), "", files), "");
    EXPECT_EQ(found(rules, cda("<code code='X'/>"), "", files), "p@/ClinicalDocument/code p@/ClinicalDocument/code");
    EXPECT_EQ(found(rules, cda("<code code='H'/>")), "?p@/ClinicalDocument/code ?p@/ClinicalDocument/code")
        << "without the value set nothing is known: neither right nor wrong";
    EXPECT_THAT(
        found("<pattern><rule context='cda:code'><assert test='document(@code)'>x</assert></rule></pattern>", cda("")),
        testing::HasSubstr("document() of something else"));
    EXPECT_EQ(found("<pattern id='p'><rule context='cda:code'><assert "
                    "test='document(\"/etc/passwd\")'>x</assert></rule></pattern>",
                    cda("<code/>")),
              "?p@/ClinicalDocument/code");
}

TEST(Schematron, ReadsTheXPath2ThatTheKitUses) {
    const auto holds = [](const std::string& test, const std::string& inside) {
        return found(
            "<pattern id='p'><rule context='cda:section'><assert test='" + test + "'>x</assert></rule></pattern>",
            cda("<section>" + inside + "</section>"));
    };
    EXPECT_EQ(holds("cda:act/(cda:id and cda:code)", "<act><id/><code/></act>"), "");
    EXPECT_EQ(holds("cda:act/(cda:id and cda:code)", "<act><id/></act>"), "p@/ClinicalDocument/section");
    EXPECT_EQ(holds("cda:act/(cda:id and cda:code)", ""), "p@/ClinicalDocument/section");
    EXPECT_EQ(holds("count(count(cda:act)) = 1", ""), "") << "a number is one value";
    EXPECT_EQ(holds("count(cda:id = \"1\") = 1", ""), "");
    for (const auto* more :
         {"matches(@a, \"b\")", "every $x in cda:id satisfies $x", "if (cda:id) then 1 else 2", "cda:id eq 1",
          "cda:id/string(.)", "(1, 2)", "cda:act/(cda:id | cda:code)", "*:id", "x:id", "cda:id except cda:id", "1 to 2",
          "\"text", "cda:id castable as xs:date", "cda:id[", "exists(cda:id)"})
        EXPECT_THAT(holds(more, ""), testing::HasSubstr("rules/main.sch:1")) << more;
}

TEST(Schematron, RefusesHostileDocuments) {
    Limits limits;
    limits.max_elements = 100;
    limits.max_depth = 10;
    limits.max_attributes = 5;
    limits.max_bytes = 10'000;
    const auto why = [&](const std::string& bytes) {
        const auto parsed = Document::parse(bytes, limits);
        return parsed ? "accepted" : parsed.error().what;
    };
    EXPECT_EQ(why("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"), "the document has a DOCTYPE");
    EXPECT_EQ(why("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), "the document has a DOCTYPE");
    EXPECT_EQ(why("<a>&x;</a>"), "the document is not well-formed XML");
    EXPECT_EQ(why(""), "the document is not well-formed XML");
    EXPECT_EQ(why("<a>"), "the document is not well-formed XML");
    EXPECT_EQ(why(std::string("<a>\0</a>", 8)), "the document is not well-formed XML");
    EXPECT_EQ(why(std::string(10'001, ' ')), "the document is too large");
    std::string deep;
    for (int i = 0; i < 11; ++i)
        deep += "<a>";
    for (int i = 0; i < 11; ++i)
        deep += "</a>";
    EXPECT_EQ(why(deep), "the document is too deep");
    EXPECT_EQ(why(deep.substr(3, deep.size() - 7)), "accepted");
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "<a/>";
    EXPECT_EQ(why("<a>" + many + "</a>"), "the document has too many elements");
    EXPECT_EQ(why("<a a='' b='' c='' d='' e=''/>"), "accepted");
    EXPECT_EQ(why("<a a='' b='' c='' d='' e='' f=''/>"), "an element has too many attributes");
}

TEST(Schematron, StopsWhenADocumentAsksForTooMuchWork) {
    const auto rules = compile(
        "<pattern id='p'><rule context='cda:id'><assert test='count(//cda:id) &gt; 0'>x</assert></rule></pattern>"
        "<pattern id='q'><rule context='cda:id'><assert test='false()'>x</assert></rule></pattern>");
    ASSERT_TRUE(rules);
    std::string many;
    for (int i = 0; i < 2'000; ++i)
        many += "<id/>";
    RunOptions options;
    options.limits.max_operations = 100'000;
    const auto document = Document::parse(cda(many));
    const auto refused = rules->check(*document, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::refused);
    EXPECT_EQ(refused.error().what, "the document asks for more work than the limit allows");
    options.limits.max_operations = 100'000'000;
    const auto noisy = rules->check(*document, options);
    ASSERT_FALSE(noisy);
    EXPECT_EQ(noisy.error().what, "the document breaks more rules than the limit allows");
    EXPECT_EQ(check(*rules, cda("<id/>"), options).size(), 1U) << "a refused document leaves nothing behind";
}

TEST(Schematron, TakesTheDocumentOutOfItsEnvelope) {
    const auto rules = compile(
        "<pattern id='p'><rule context='/cda:ClinicalDocument'><assert "
        "test='cda:id/@type=\"x:y\"'>x</assert></rule></pattern>");
    const auto findings =
        check(*rules,
              "<s:sign xmlns:s='urn:s' xmlns='urn:hl7-org:v3' xmlns:x='urn:x'><s:object><ClinicalDocument>"
              "<id type='x:y'/></ClinicalDocument></s:object></s:sign>");
    EXPECT_TRUE(findings.empty());
    const auto other = check(*rules, "<s xmlns:h='urn:hl7-org:v3'><h:ClinicalDocument/></s>");
    ASSERT_EQ(other.size(), 1U);
    EXPECT_EQ(other.front().where, "/ClinicalDocument");
}

TEST(Schematron, IsRefusedWhenItIsNone) {
    const Files files{{"no.sch", "<a/>"}, {"broken.sch", "<schema"}, {"dtd.sch", "<!DOCTYPE a><a/>"}};
    for (const auto* path : {"no.sch", "broken.sch", "dtd.sch", "absent.sch"})
        EXPECT_FALSE(Schema::compile("f", path, in(files))) << path;
    EXPECT_FALSE(OfficialKit::load(in(files)));
}

TEST(KnownDefect, ExplainsOnlyWhatItNames) {
    Finding finding;
    finding.family = "CR-BIO 2024.01";
    finding.pattern = "JDV";
    finding.test = "a = b";
    finding.message = "[JDV] something is wrong";
    const auto explains = [&](KnownDefect defect) { return defect.explains(finding); };
    EXPECT_TRUE(explains({"CR-BIO", "JDV", "a = b", "is wrong", ""}));
    EXPECT_TRUE(explains({"", "JDV", "", "", ""}));
    EXPECT_FALSE(explains({"IHE", "JDV", "", "", ""}));
    EXPECT_FALSE(explains({"CR-BIO 2021.01", "JDV", "", "", ""}));
    EXPECT_FALSE(explains({"", "JDV", "a", "", ""}));
    EXPECT_FALSE(explains({"", "JDV", "", "is right", ""}));
}

}  // namespace
}  // namespace sgl::cda::schematron
