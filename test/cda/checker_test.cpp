#include "cda/checker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "cda/write.hpp"
#include "lib/base/digest.hpp"
#include "test/cda/sample_report.hpp"

namespace sgl::cda {
namespace {

using Severity = Finding::Severity;

// Building one costs more than all the tests: once for all, which is also how the daemon does it.
const Checker& checker() {
    static const Checker checker;
    return checker;
}

constexpr CheckOptions production{CheckOptions::Identities::production};
constexpr CheckOptions test_instance{CheckOptions::Identities::test};

std::string text_of(const std::vector<Finding>& findings, Severity severity) {
    std::string text;
    for (const auto& finding : findings)
        if (finding.severity == severity) text += finding.where + ": " + finding.what + "\n";
    return text;
}

const std::string& rich() {
    static const std::string document = *write(test::rich_report());
    return document;
}

std::string replaced(std::string document, std::string_view from, std::string_view to, std::size_t after = 0) {
    const auto at = document.find(from, after);
    EXPECT_NE(at, std::string::npos) << "the defect's place is not in the document: " << from;
    return at == std::string::npos ? document : document.replace(at, from.size(), to);
}

TEST(Checker, AcceptsTheRichReport) {
    EXPECT_EQ(text_of(checker().check(rich(), test_instance), Severity::error), "");
}

TEST(Checker, AcceptsTheReportWithoutInsWithAWarning) {
    const auto findings = checker().check(*write(test::report_without_ins()), production);
    EXPECT_EQ(text_of(findings, Severity::error), "");
    EXPECT_NE(text_of(findings, Severity::warning).find("no INS"), std::string::npos);
}

TEST(Checker, AcceptsTheSparseReport) {
    EXPECT_EQ(text_of(checker().check(*write(test::sparse_report()), production), Severity::error), "");
}

TEST(Checker, AcceptsAPerformingLaboratoryWithItsDirectorAndPracticeSetting) {
    auto report = test::rich_report();
    for (auto& chapter : report.chapters)
        for (auto& result : chapter.results.observations) {
            if (!result.performer) continue;
            auto laboratory = *result.performer->who.organisation;
            laboratory.practice_setting = report.legal_authenticator.who.organisation->practice_setting;
            result.performer->who = report.legal_authenticator.who;
            result.performer->who.organisation = laboratory;
        }
    const auto document = write(report);
    ASSERT_TRUE(document) << to_string(document.error());
    EXPECT_EQ(document->find("<standardIndustryClassCode nullFlavor"), std::string::npos);
    EXPECT_EQ(text_of(checker().check(*document, test_instance), Severity::error), "");
}

constexpr const char* ins = R"(<id root="1.2.250.1.213.1.4.10" extension="279035121518989"/>)";

TEST(Checker, RefusesAPdfThatIsEmptyOrCutShort) {
    const auto pdf = test::rich_report().pdf;
    for (const auto& other : {std::string(), pdf.substr(0, pdf.size() / 2)}) {
        const auto document = replaced(rich(), ">" + base64_encode(pdf) + "<", ">" + base64_encode(other) + "<");
        EXPECT_NE(text_of(checker().check(document, test_instance), Severity::error).find("not a whole PDF"), std::string::npos);
    }
}

TEST(Checker, RefusesATestInsInProduction) {
    EXPECT_NE(text_of(checker().check(rich(), production), Severity::error).find("test INS in production"), std::string::npos);
}

TEST(Checker, WarnsOfAFlagThatContradictsTheRange) {
    const auto document = replaced(replaced(rich(), R"(<interpretationCode code="H" displayName="Anormalement haut")",
                                            R"(<interpretationCode code="N" displayName="Normal")"),
                                   " H (Anormalement haut)", " N (Normal)");
    const auto findings = checker().check(document, test_instance);
    EXPECT_EQ(text_of(findings, Severity::error), "");
    EXPECT_NE(text_of(findings, Severity::warning).find("above the range"), std::string::npos);
}

TEST(Checker, SaysEveryFindingInFrenchToo) {
    for (const auto& finding : checker().check(replaced(rich(), ins, ""), production)) EXPECT_FALSE(finding.phrase.empty());
}

TEST(Checker, RefusesHostileXmlQuickly) {
    const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    const auto refusal = [](const std::string& bytes) {
        const auto accepted = checker().accept(bytes, test_instance);
        return accepted ? std::string() : accepted.error().what;
    };
    EXPECT_NE(refusal(head + "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>").find("DOCTYPE"), std::string::npos);
    const std::string root = "<ClinicalDocument xmlns=\"urn:hl7-org:v3\">";
    std::string deep = head + root;
    for (int i = 0; i < 1'000'000; ++i) deep += "<a>";
    EXPECT_NE(refusal(deep).find("deeply"), std::string::npos);
    EXPECT_NE(refusal(head + std::string(Checker::max_bytes, ' ')).find("too large"), std::string::npos);
    std::string wide = head + root;
    for (std::size_t i = 0; i <= Checker::max_elements; ++i) wide += "<a/>";
    EXPECT_NE(refusal(wide).find("too many elements"), std::string::npos);
    EXPECT_NE(refusal("").find("does not declare"), std::string::npos);
    EXPECT_NE(refusal(head), "");
    EXPECT_NE(refusal(head + root).find("well-formed"), std::string::npos);
    EXPECT_NE(refusal(head + "<x>\xff</x>").find("UTF-8"), std::string::npos);
    EXPECT_NE(refusal(head + root + "&undefined;</ClinicalDocument>").find("well-formed"), std::string::npos);
    EXPECT_NE(refusal(head + "<ClinicalDocument/>").find("not a ClinicalDocument"), std::string::npos);
    EXPECT_NE(refusal(head + "<other xmlns=\"urn:x\"/>").find("not a ClinicalDocument"), std::string::npos);
}

// Whatever is cut off, the answer is a refusal, never a crash.
TEST(Checker, RefusesEveryTruncation) {
    for (std::size_t length = 0; length < rich().size() - 2; length += 997)
        EXPECT_FALSE(checker().accept(std::string_view(rich()).substr(0, length), test_instance)) << length;
}

TEST(Checker, ServesSeveralThreads) {
    std::vector<std::thread> threads;
    std::vector<std::string> errors(4);
    for (auto& each : errors)
        threads.emplace_back([&each] {
            for (int i = 0; i < 3; ++i) each += text_of(checker().check(rich(), test_instance), Severity::error);
        });
    for (auto& thread : threads) thread.join();
    for (const auto& each : errors) EXPECT_EQ(each, "");
}

}  // namespace
}  // namespace sgl::cda
