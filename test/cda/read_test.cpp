#include "cda/read.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "cda/codes.hpp"
#include "cda/write.hpp"
#include "lib/base/digest.hpp"
#include "test/cda/sample_report.hpp"

namespace sgl::cda {
namespace {

using received::Document;
using received::Group;
using received::Section;

// ------------------------------------------------------------------------------------------------- the round trip
// One line of the result table as words, from what was composed and from what was read.

std::string line_of(const Value& value) {
    if (const auto* q = std::get_if<Quantity>(&value)) return "PQ " + q->value.text() + " " + q->unit;
    if (const auto* b = std::get_if<Bound>(&value))
        return std::string("IVL_PQ ") + (b->side == Bound::Side::below ? "high " : "low ") + b->limit.text() + " " +
               b->unit + (b->inclusive ? " true" : " false");
    if (const auto* n = std::get_if<Number>(&value)) return "REAL " + n->value.text();
    if (const auto* c = std::get_if<Code>(&value)) return "CD " + c->code + " " + c->system + " " + c->display;
    if (const auto* w = std::get_if<Qualitative>(&value)) return "CD words " + w->text;
    return "ST " + std::get<FreeText>(value).text;
}

std::string line_of(const received::Value& value) {
    if (value.type == "PQ") return "PQ " + value.amount->value + " " + value.amount->unit;
    if (value.type == "REAL") return "REAL " + value.amount->value;
    if (value.type == "IVL_PQ") {
        const auto& limit = value.low ? value.low : value.high;
        return std::string("IVL_PQ ") + (value.low ? "low " : "high ") + limit->value + " " + limit->unit + " " +
               limit->inclusive;
    }
    if (value.type == "ST") return "ST " + value.text;
    if (value.coded.code.empty()) return "CD words " + value.coded.text;
    return "CD " + value.coded.code + " " + value.coded.system + " " + value.coded.display;
}

using Table = std::vector<std::string>;

void add(Table& table, const std::string& place, const std::vector<Observation>& results) {
    for (const auto& result : results) {
        const auto& code = result.code.loinc ? *result.code.loinc : Code{};
        const auto& other = result.code.translation ? *result.code.translation : Code{};
        std::string line = place + ": " + result.code.label + " " + code.code + code.system + code.display + " " +
                           other.code + other.system + other.display + (result.aborted ? " aborted" : " completed") +
                           " " + (result.time ? to_hl7(*result.time) : "") + " " +
                           (result.value ? line_of(*result.value) : "none") + " " + result.interpretation;
        line += " method " + (result.method ? result.method->code + " " : std::string()) +
                (result.method_text.empty() && result.method ? result.method->display : result.method_text);
        if (result.range && (result.range->low || result.range->high))
            line += " range " + (result.range->low ? result.range->low->text() : "") + ".." +
                    (result.range->high ? result.range->high->text() : "") + " " + result.range->unit;
        for (const auto& previous : result.previous)
            line += " before " + to_hl7(previous.time) + " " + line_of(previous.value) + " " + previous.interpretation;
        for (const auto& comment : result.comments)
            line += " comment " + comment;
        table.push_back(line);
    }
}

void add(Table& table, const std::string& chapter, const std::string& part, const ResultGroup& group) {
    add(table, chapter + "/" + part, group.observations);
    for (const auto& isolate : group.isolates) {
        const auto germ = isolate.germ.value_or(Code{});
        const auto other = isolate.translation.value_or(Code{});
        const auto place = chapter + "/" + part + " isolate " + isolate.id.root + " " + isolate.id.extension;
        table.push_back(place + " " + isolate.label + " " + germ.code + germ.system + germ.display + " " + other.code +
                        other.system + other.display +
                        (isolate.progress == Progress::active ? " active " : " completed ") +
                        (isolate.time ? to_hl7(*isolate.time) : ""));
        add(table, place, isolate.observations);
        add(table, place + " antibiogram", isolate.antibiogram);
        for (const auto& comment : isolate.comments)
            table.push_back(place + " comment " + comment);
    }
    for (const auto& specimen : group.specimens)
        table.push_back(chapter + "/" + part + " specimen " + specimen.id.root + " " + specimen.id.extension + " " +
                        specimen.type.code + specimen.type.system + " " + to_hl7(specimen.collected) + " " +
                        (specimen.received ? to_hl7(*specimen.received) : "") + " " +
                        (specimen.act ? specimen.act->code : "33882-2"));
    for (const auto& comment : group.comments)
        table.push_back(chapter + "/" + part + " comment " + comment);
    for (const auto& validator : group.validators)
        table.push_back(chapter + "/" + part + " validated " + validator.who.ids.front().extension + " " +
                        to_hl7(validator.time));
}

Table composed(const CrBio& report) {
    Table table;
    for (const auto& comment : report.comments)
        table.push_back("comment " + comment.text);
    for (const auto& chapter : report.chapters) {
        add(table, chapter.title, "", chapter.results);
        for (const auto& part : chapter.sub_chapters)
            add(table, chapter.title, part.title, part.results);
    }
    std::ranges::sort(table);
    return table;
}

std::string place_of(const Document& document, std::size_t at) {
    const auto& section = document.sections[at];
    return section.parent ? document.sections[*section.parent].title + "/" + section.title : section.title + "/";
}

std::string place_of(const Document& document, std::size_t section, std::optional<std::size_t> group) {
    std::string place = place_of(document, section);
    const bool in_battery = group && document.groups[*group].kind == Group::Kind::battery;
    for (; group; group = document.groups[*group].parent)
        if (const auto& each = document.groups[*group]; each.kind == Group::Kind::isolate)
            place += " isolate " + each.specimens.at(0).ids.at(0).root + " " + each.specimens.at(0).ids.at(0).extension;
    return place + (in_battery ? " antibiogram" : "");
}

std::string flag_of(const received::Result& result) {
    return result.interpretations.empty() ? std::string() : result.interpretations.front().code;
}

Table read_back(const Document& document) {
    Table table;
    for (const auto& section : document.sections)
        if (section.kind == Section::Kind::comment) table.push_back("comment " + section.text);
    for (const auto& result : document.results) {
        const auto other = result.code.translations.empty() ? received::Coded{} : result.code.translations.front();
        std::string line = place_of(document, result.section, result.group) + ": " + result.label() + " " +
                           result.code.code + result.code.system + result.code.display + " " + other.code +
                           other.system + other.display + " " + result.status + " " + result.time.value + " " +
                           (result.values.empty() ? "none" : line_of(result.values.front())) + " " + flag_of(result) +
                           " method ";
        if (!result.methods.empty()) {
            const auto& method = result.methods.front();
            line += (method.code.empty() ? std::string() : method.code + " ") + method.text;
        }
        for (const auto& range : result.ranges) {
            const auto& value = range.values.front();
            line += " range " + (value.low ? value.low->value : "") + ".." + (value.high ? value.high->value : "") +
                    " " + (value.low ? value.low->unit : value.high->unit);
        }
        for (const auto& previous : result.previous)
            line += " before " + previous.time.value + " " + line_of(previous.values.front()) + " " + flag_of(previous);
        for (const auto& comment : result.comments)
            line += " comment " + comment;
        table.push_back(line);
    }
    for (const auto& each : document.collections)
        table.push_back(place_of(document, each.section) + " specimen " + each.specimens.front().ids.front().root +
                        " " + each.specimens.front().ids.front().extension + " " + each.specimens.front().code.code +
                        each.specimens.front().code.system + " " + each.time.high + " " + each.received.value + " " +
                        each.code.code);
    for (const auto& each : document.comments)
        table.push_back(place_of(document, each.section, each.group) + " comment " + each.text);
    for (std::size_t i = 0; i < document.groups.size(); ++i) {
        const auto& group = document.groups[i];
        if (group.kind != Group::Kind::isolate) continue;
        const auto& germ = group.specimens.at(0).code;
        const auto other = germ.translations.empty() ? received::Coded{} : germ.translations.front();
        table.push_back(place_of(document, group.section, i) + " " + germ.text + " " + germ.code + germ.system +
                        germ.display + " " + other.code + other.system + other.display + " " + group.status + " " +
                        group.time.value);
    }
    for (const auto& group : document.groups)
        for (const auto& who : group.participations)
            if (who.type == "AUTHEN")
                table.push_back(place_of(document, group.section) + " validated " + who.who.ids.front().extension +
                                " " + who.time.high);
    std::ranges::sort(table);
    return table;
}

class RoundTrip : public testing::TestWithParam<const char*> {
protected:
    static CrBio report() {
        const std::string_view name = GetParam();
        return name == "rich"     ? test::rich_report()
               : name == "sparse" ? test::sparse_report()
                                  : test::report_without_ins();
    }
};

TEST_P(RoundTrip, GivesBackTheResultTableThatWasComposed) {
    const auto wanted = report();
    const auto document = read(*write(wanted));
    ASSERT_TRUE(document) << to_string(document.error());
    EXPECT_EQ(read_back(*document), composed(wanted));
    EXPECT_TRUE(document->rest.empty()) << document->rest.front().where;
}

TEST_P(RoundTrip, GivesBackTheHeader) {
    const auto wanted = report();
    const auto document = read(*write(wanted));
    ASSERT_TRUE(document);
    EXPECT_EQ(document->volet, "2024.01");
    EXPECT_EQ(document->id.root, wanted.id);
    EXPECT_EQ(document->set_id.root, wanted.set_id);
    EXPECT_EQ(document->version, std::to_string(wanted.version));
    EXPECT_EQ(document->time.value, to_hl7(wanted.effective_time));
    ASSERT_EQ(document->related.size(), wanted.replaces ? 1U : 0U);
    if (wanted.replaces) {
        EXPECT_EQ(document->related.front().ids.front().root, *wanted.replaces);
    }
    const auto& patient = document->patient;
    ASSERT_EQ(patient.ins() != nullptr, wanted.patient.ins.has_value());
    if (wanted.patient.ins) {
        EXPECT_EQ(patient.ins()->extension, wanted.patient.ins->extension);
    }
    EXPECT_EQ(patient.names.front().part("family", "BR"), wanted.patient.birth_name);
    EXPECT_EQ(patient.names.front().part("given", "BR"), wanted.patient.first_birth_given);
    EXPECT_EQ(patient.birth.value, to_hl7(*wanted.patient.birth_date));
    EXPECT_EQ(document->authors.front().who.ids.front().extension, wanted.author.who.ids.front().extension);
    EXPECT_EQ(document->custodian->name(), wanted.custodian.name);
    EXPECT_EQ(document->legal_authenticator->time.value, to_hl7(wanted.legal_authenticator.time));
    EXPECT_EQ(document->authenticators.size(), wanted.authenticators.size());
    EXPECT_EQ(document->recipients.size(), wanted.recipients.size());
    ASSERT_EQ(document->orders.size(), wanted.orders.size());
    for (std::size_t i = 0; i < wanted.orders.size(); ++i)
        EXPECT_EQ(document->orders[i].extension, wanted.orders[i].extension);
    ASSERT_EQ(document->files.size(), 1U);
    EXPECT_EQ(document->files.front().bytes, wanted.pdf);
}

INSTANTIATE_TEST_SUITE_P(Golden, RoundTrip, testing::Values("rich", "sparse", "without_ins"));

// -------------------------------------------------------------------------------- official examples: facts, by hand

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Gives nothing where official data are absent; that fails only in CI.
std::optional<Document> official(const std::string& name) {
    const char* folder = std::getenv("SGL_SHARED");
    const auto path = std::string(folder == nullptr ? "../shared" : folder) + "/" + name;
    if (!std::filesystem::exists(path)) {
        const char* ci = std::getenv("CI");
        if (ci != nullptr && std::string(ci) == "true") ADD_FAILURE() << "CI has no " << path;
        return std::nullopt;
    }
    auto document = read(bytes_of(path));
    if (!document) {
        ADD_FAILURE() << path << ": " << to_string(document.error());
        return std::nullopt;
    }
    EXPECT_TRUE(document->rest.empty()) << path << ": " << document->rest.front().where;
    return std::move(*document);
}

std::map<std::string, int> count_types(const Document& document) {
    std::map<std::string, int> types;
    for (const auto& result : document.results)
        for (const auto& value : result.values)
            ++types[value.type];
    return types;
}

const received::Result* find(const Document& document, std::string_view label, std::size_t nth = 0) {
    for (const auto& result : document.results)
        if (result.label() == label && nth-- == 0) return &result;
    ADD_FAILURE() << "no result " << label;
    return &document.results.front();
}

using Types = std::map<std::string, int>;

TEST(Official, MicrobiologyOf2021IsRead) {
    const auto document = official("ans/examples/BIO-CR-BIO_2021.01_Microbiologie_V1.xml");
    if (!document) GTEST_SKIP() << "SKIPPED: the official examples are not there";
    EXPECT_EQ(document->volet, "2021.01");
    EXPECT_EQ(document->id.root, "1.2.250.1.213.1.1.1.55.2021.6.1");
    ASSERT_NE(document->patient.ins(), nullptr);
    EXPECT_EQ(document->patient.ins()->root, codes::ins_nir_test);
    EXPECT_EQ(document->patient.birthplace->parts.front().text, "51215");
    EXPECT_EQ(document->patient.guardians.front().names.front().part("family"), "NESSI");
    EXPECT_EQ(document->authenticators.size(), 1U);
    ASSERT_NE(document->prescriber(), nullptr);
    EXPECT_EQ(document->prescriber()->who.names.front().part("family"), "BLUE");
    EXPECT_EQ(document->results.size(), 14U);
    EXPECT_EQ(count_types(*document), (Types{{"CD", 4}, {"IVL_PQ", 6}, {"PQ", 4}}));
    EXPECT_EQ(to_text(find(*document, "Couleur")->values.front()), "paille");
    EXPECT_EQ(to_text(find(*document, "Leucocytes")->values.front()), "500 /mL");
    // Two isolates, each with its count and its antibiogram of three.
    std::vector<const Group*> isolates;
    for (const auto& group : document->groups)
        if (group.kind == Group::Kind::isolate) isolates.push_back(&group);
    ASSERT_EQ(isolates.size(), 2U);
    EXPECT_EQ(isolates[0]->specimens.front().code.text, "Escherichia coli");
    EXPECT_EQ(isolates[1]->specimens.front().code.code, "58800005");
    EXPECT_EQ(isolates[1]->specimens.front().code.translations.front().code, "1306");
    const auto& second = *find(*document, "Gentamicine", 1);
    EXPECT_EQ(to_text(second.values.front()), "< 0,014 ug/mL");
    EXPECT_EQ(second.interpretations.front().code, "S");
    const auto& antibiogram = document->groups[*second.group];
    EXPECT_EQ(antibiogram.kind, Group::Kind::battery);
    EXPECT_EQ(antibiogram.code.code, "18769-0");
    EXPECT_EQ(&document->groups[*antibiogram.parent], isolates[1]);
    EXPECT_EQ(to_text(find(*document, "Amoxicilline")->values.front()), "≥ 0,512 ug/mL");
    ASSERT_EQ(document->collections.size(), 1U);
    EXPECT_EQ(document->collections.front().specimens.size(), 1U);
    EXPECT_EQ(document->comments.size(), 1U);
}

TEST(Official, SelfPresentableOf2021IsReadInsideItsStyleSheet) {
    const auto document = official("ans/examples/BIO-CR-BIO_2021.01_Auto-Presentable.xml");
    if (!document) GTEST_SKIP() << "SKIPPED: the official examples are not there";
    EXPECT_EQ(document->envelope, "xsl:stylesheet");
    EXPECT_EQ(document->volet, "2021.01");
    EXPECT_EQ(document->results.size(), 11U);
    EXPECT_EQ(count_types(*document), (Types{{"ED", 1}, {"PQ", 10}}));
    const auto& first = document->results.front();
    EXPECT_EQ(first.code.code, "2571-8");
    EXPECT_EQ(to_text(first.values.front()), "0,62 g/L");
    ASSERT_EQ(first.values.front().amount->translations.size(), 1U);  // the second unit of 2021.01
    EXPECT_EQ(first.values.front().amount->translations.front().value, "0.71");
    EXPECT_EQ(first.values.front().amount->translations.front().unit, "mmol/L");
    EXPECT_EQ(first.methods.front().text, "...(Colorimétrie enzymatique)");
    EXPECT_EQ(to_text(first.ranges.front().values.front()), "0,50 à 1,50 g/L");
    EXPECT_EQ(document->sections[first.section].code.code, "57698-3");
    const auto text = std::ranges::find(document->results, "ED", [](const auto& r) { return r.values.front().type; });
    EXPECT_EQ(text->values.front().text, "<1.0 mg/L");
    EXPECT_EQ(text->interpretations.front().code, "N");
}

TEST(Official, ReportOf2023IsReadWithItsSubcontractorImageAndPdf) {
    const auto document = official("hl7/ans-examples/v2.1-segur2-oru-bio-init-n3.cda.xml");
    if (!document) GTEST_SKIP() << "SKIPPED: the official examples are not there";
    EXPECT_EQ(document->volet, "2023.01");
    EXPECT_EQ(document->results.size(), 44U);
    EXPECT_EQ(count_types(*document), (Types{{"CD", 4}, {"IVL_PQ", 6}, {"PQ", 34}}));
    std::size_t previous = 0;
    for (const auto& result : document->results)
        previous += result.previous.size();
    EXPECT_EQ(previous, 20U);
    const auto& urea = *find(*document, "Urée");
    ASSERT_EQ(urea.previous.size(), 2U);
    EXPECT_EQ(to_text(urea.values.front()), "10,02 mmol/L");
    EXPECT_EQ(to_text(urea.previous.front().values.front()), "8,5 mmol/L");
    EXPECT_FALSE(urea.previous.front().time.empty());
    EXPECT_EQ(urea.interpretations.front().code, "H");
    EXPECT_EQ(document->performer_of(urea)->who.organisation->name(), "Laboratoire des charmes");
    // Electrophoresis: another laboratory did it.
    EXPECT_EQ(document->performer_of(document->results.front())->who.organisation->name(), "LABORATOIRE SOUS-TRAITANT");
    ASSERT_EQ(document->files.size(), 2U);
    EXPECT_EQ(document->files[0].media, "image/png");
    EXPECT_EQ(document->files[1].bytes.size(), 40557U);
    EXPECT_TRUE(document->files[1].bytes.starts_with("%PDF-"));
    EXPECT_EQ(document->sections[*document->files[1].section].kind, Section::Kind::pdf_copy);
    EXPECT_EQ(document->sections.size(), 8U);
    EXPECT_EQ(document->comments.size(), 3U);
}

TEST(Official, Level1IsItsFile) {
    const auto document = official("ans/examples/BIO-CR-BIO_2021.01_CDA-R2-Niveau-1.xml");
    if (!document) GTEST_SKIP() << "SKIPPED: the official examples are not there";
    EXPECT_EQ(document->form, Document::Form::unstructured);
    EXPECT_TRUE(document->results.empty());
    ASSERT_EQ(document->files.size(), 1U);
    EXPECT_EQ(document->files.front().media, "application/pdf");
    EXPECT_EQ(document->files.front().bytes.size(), 326650U);
    EXPECT_FALSE(document->files.front().damaged);
    EXPECT_TRUE(document->files.front().bytes.starts_with("%PDF-"));
}

// ------------------------------------------------------------------------------------------ what no example has

std::string document_with(const std::string& observation) {
    return "<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
           "xmlns:lab=\"urn:oid:1.3.6.1.4.1.19376.1.3.2\"><component><structuredBody><component><section><text>"
           "<content ID=\"n1\">Dosage <br/>direct</content></text><entry><act classCode=\"ACT\" moodCode=\"EVN\">"
           "<entryRelationship typeCode=\"COMP\">" +
           observation +
           "</entryRelationship></act></entry></section></component></structuredBody></component></ClinicalDocument>";
}

received::Value value_of(const std::string& value) {
    const auto document = read(document_with("<observation>" + value + "</observation>"));
    EXPECT_TRUE(document);
    EXPECT_TRUE(document->rest.empty()) << document->rest.front().where;
    return document->results.at(0).values.at(0);
}

TEST(Read, KnowsEveryTypeOfValue) {
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"INT\" value=\"12\"/>")), "12");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"REAL\" value=\"2.5\"/>")), "2,5");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"PQ\" value=\"1.5\" unit=\"{ratio}\"/>")), "1,5");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"IVL_INT\"><low value=\"1\"/><high value=\"3\"/></value>")), "1 à 3");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"RTO_PQ_PQ\"><numerator value=\"1\" unit=\"1\"/>"
                               "<denominator value=\"640\" unit=\"1\"/></value>")),
              "1 / 640");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"TS\" value=\"20260302\"/>")), "20260302");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"BL\" value=\"true\"/>")), "true");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"ST\">deux\nlignes</value>")), "deux\nlignes");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"ED\"><reference value=\"#n1\"/></value>")), "Dosage\ndirect");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"CO\" code=\"2\" displayName=\"Deux croix\"/>")), "Deux croix");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"PQ\" nullFlavor=\"NASK\"/>")), "NASK");
    EXPECT_EQ(to_text(value_of("<value xsi:type=\"II\" root=\"1.2\" extension=\"A7\"/>")), "A7");
    EXPECT_EQ(
        value_of(
            "<value xsi:type=\"IVL_PQ\"><center value=\"5\" unit=\"g/L\"/><width value=\"1\" unit=\"g/L\"/></value>")
            .center->value,
        "5");
}

TEST(Read, GivesTheConditionsOfARange) {
    const auto document = read(document_with(
        "<observation><referenceRange typeCode=\"REFV\"><observationRange><text>femme enceinte</text><value "
        "xsi:type=\"IVL_PQ\">"
        "<high value=\"5\" unit=\"g/L\"/></value><lab:precondition typeCode=\"PRCN\"><lab:criterion><lab:code "
        "code=\"SEX\"/>"
        "<lab:value xsi:type=\"CE\" "
        "code=\"F\"/></lab:criterion></lab:precondition></observationRange></referenceRange></observation>"));
    ASSERT_TRUE(document);
    const auto& range = document->results.at(0).ranges.at(0);
    EXPECT_EQ(range.text, "femme enceinte");
    ASSERT_EQ(range.conditions.size(), 1U);
    EXPECT_EQ(range.conditions.front().code.code, "SEX");
    EXPECT_EQ(range.conditions.front().values.front().coded.code, "F");
    EXPECT_TRUE(document->rest.empty()) << document->rest.front().where;
}

TEST(Read, ListsWhatItHasNoPlaceFor) {
    const auto document = read(
        document_with("<observation><priorityCode code=\"UR\"/><derivationExpr>a+b</derivationExpr></observation>"));
    ASSERT_TRUE(document);
    ASSERT_EQ(document->rest.size(), 2U);
    EXPECT_TRUE(document->rest[0].where.ends_with("/observation/priorityCode/@code"));
    EXPECT_EQ(document->rest[0].text, "UR");
    EXPECT_EQ(document->rest[1].text, "a+b");
}

TEST(Read, TakesLatinAndPrefixedDocuments) {
    const auto latin = read(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><x:ClinicalDocument xmlns:x=\"urn:hl7-org:v3\">"
        "<x:title>R\xe9sultats</x:title></x:ClinicalDocument>");
    ASSERT_TRUE(latin);
    EXPECT_EQ(latin->title, "Résultats");
}

TEST(Read, FindsTheDocumentInsideASignature) {
    const auto document = *write(test::rich_report());
    const auto body = document.substr(document.find("<ClinicalDocument"));
    const auto is_signed =
        read("<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo/><ds:Object>" + body +
             "</ds:Object></ds:Signature>");
    ASSERT_TRUE(is_signed);
    EXPECT_EQ(is_signed->envelope, "ds:Signature");
    EXPECT_EQ(read_back(*is_signed), composed(test::rich_report()));
    EXPECT_FALSE(
        read("<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">" + body + body + "</ds:Signature>"));
    EXPECT_FALSE(read("<html>" + body + "</html>"));
}

}  // namespace
}  // namespace sgl::cda
