// Report → PDF and CDA → the official validators and the tools of the field. Needs the official kit (SGL_SHARED), Java and
// poppler-utils.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cda/write.hpp"
#include "lib/base/text.hpp"
#include "lib/compose/cr_bio.hpp"
#include "lib/compose/pdf.hpp"
#include "lib/domain/microbiology.hpp"
#include "test/lib/compose/golden_reports.hpp"
#include "test/lib/compose/sample_report.hpp"

namespace sgl::compose {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

struct Case {
    std::string name;
    domain::Report report;
};

std::vector<Case> cases() {
    std::vector<Case> all{{"unqualified", test::sample_without_qualified_ins()},
                          {"second", test::sample_second_version()},
                          {"long", test::sample_long_report(200)}};
    for (auto& golden : test::golden_reports())
        if (golden.name != "without_qualified_ins" && golden.name != "second_version") all.push_back({golden.name, std::move(golden.report)});
    return all;
}

class Composed : public testing::Test {
protected:
    static void SetUpTestSuite() {
        folder_ = fs::temp_directory_path() / ("sgl-compose-e2e-" + std::to_string(::getpid()));
        fs::create_directories(folder_);
        auto renderer = PdfRenderer::open("/usr/share/fonts/truetype/dejavu", bytes_of("/usr/share/color/icc/sRGB.icc"));
        ASSERT_TRUE(renderer) << to_string(renderer.error());
        for (auto& one : cases()) {
            auto pdf = renderer->render(one.report);
            ASSERT_TRUE(pdf) << one.name << ": " << to_string(pdf.error());
            std::ofstream{folder_ / (one.name + ".pdf"), std::ios::binary} << pdf->bytes;
            auto document = cr_bio(one.report, pdf->bytes);
            ASSERT_TRUE(document) << one.name << ": " << to_string(document.error());
            auto xml = cda::write(*document);
            ASSERT_TRUE(xml) << one.name << ": " << to_string(xml.error());
            std::ofstream{folder_ / (one.name + ".xml"), std::ios::binary} << *xml;
        }
    }
    static void TearDownTestSuite() {
        std::error_code ignored;
        if (std::getenv("SGL_KEEP") == nullptr) fs::remove_all(folder_, ignored);
        else std::cerr << "kept: " << folder_ << '\n';
    }

    /// Exit status and output of a command.
    static std::pair<int, std::string> run(const std::string& command) {
        const auto log = folder_ / "output.txt";
        const int status = std::system((command + " >" + log.string() + " 2>&1").c_str());
        return {status, bytes_of(log)};
    }

    static inline fs::path folder_;
};

bool absent(const std::string& what) {
    if (std::getenv("CI") != nullptr) ADD_FAILURE() << what << " is absent, and CI needs it";
    std::cerr << "SKIPPED: " << what << " is absent\n";
    return true;
}

TEST_F(Composed, PassesTheOfficialValidatorsAndOurStricterRules) {
    const char* shared = std::getenv("SGL_SHARED");
    const fs::path tool = fs::path{shared == nullptr ? "../shared" : shared} / "tools/validate-crbio";
    if (!fs::exists(tool) && absent(tool.string())) GTEST_SKIP() << tool << " is absent";
    std::string command = tool.string() + " -e";
    for (const auto& one : cases()) command += " " + (folder_ / (one.name + ".xml")).string();
    const auto [status, output] = run(command);
    EXPECT_EQ(status, 0) << output;
}

TEST_F(Composed, IsValidPdfA1b) {
    const fs::path java = "/usr/share/java";
    if (!fs::exists(java / "preflight.jar") && absent("PDFBox preflight")) GTEST_SKIP() << "PDFBox preflight is absent";
    std::string path;
    for (const char* jar : {"preflight", "pdfbox2", "fontbox2", "xmpbox", "commons-logging", "javax.activation", "jaxb-api"})
        path += (path.empty() ? "" : ":") + (java / (std::string(jar) + ".jar")).string();
    for (const auto& one : cases()) {
        const auto [status, output] = run("java -cp " + path + " org.apache.pdfbox.preflight.Validator_A1b " + (folder_ / (one.name + ".pdf")).string());
        EXPECT_EQ(status, 0) << one.name << "\n" << output;
    }
}

TEST_F(Composed, ShowsEveryResultToAReaderOfThePdf) {
    if (std::system("pdftotext -v >/dev/null 2>&1") != 0 && absent("pdftotext")) GTEST_SKIP() << "pdftotext is absent";
    for (const auto& one : cases()) {
        const auto [status, text] = run("pdftotext -layout " + (folder_ / (one.name + ".pdf")).string() + " -");
        ASSERT_EQ(status, 0) << text;
        // Words in order, whatever the line breaks between them.
        const auto shows = [&text](std::string_view words) {
            std::size_t from = 0;
            for (const auto word : split(words, ' ')) {
                from = text.find(word, from);
                if (from == std::string::npos) return false;
            }
            return true;
        };
        const auto shown = [&](const domain::ReportedResult& result) {
            EXPECT_TRUE(shows(result.label)) << one.name << ' ' << result.local_code;
            EXPECT_TRUE(shows(replace_all(domain::to_french(result.value), "\n", " "))) << one.name << ' ' << result.local_code;
            if (!result.comment.empty()) { EXPECT_TRUE(shows(replace_all(result.comment, "\n", " "))) << one.name << ' ' << result.local_code; }
            if (result.susceptible) { EXPECT_TRUE(shows(result.label + " " + std::string(domain::to_french(*result.susceptible)))) << one.name << ' ' << result.local_code; }
        };
        for (const auto& chapter : one.report.chapters) {
            for (const auto& result : chapter.results) shown(result);
            for (const auto& isolate : chapter.isolates) {
                EXPECT_TRUE(shows(domain::to_french(isolate.organism.value))) << one.name << ' ' << isolate.number;
                for (const auto& result : isolate.findings) shown(result);
                for (const auto& result : isolate.antibiogram) shown(result);
            }
        }
    }
}

TEST_F(Composed, HasTheMandatoryContentOnPaper) {
    if (std::system("pdftotext -v >/dev/null 2>&1") != 0 && absent("pdftotext")) GTEST_SKIP() << "pdftotext is absent";
    const auto text = run("pdftotext -layout " + (folder_ / "second.pdf").string() + " -").second;
    // lab-domain 7.1, in its order.
    for (const char* item : {"Laboratoire des Deux Rives", "SELAS au capital de", "Dr Claire FONTAINE", "Dr Marc DELORME", "8-0001",
                             "12 rue de la République, 69002 LYON", "PAT-TROIS", "DOMINIQUE", "28/03/1979", "Féminin", "IPP0004711",
                             "Mme Julie BERNARD", "Infirmier", "99900000066", "15/03/2026 à 08:15", "Dr Hélène GARNIER",
                             "Asthénie et pâleur", "279035121518989", "1.2.250.1.213.1.4.10", "63220", "Dr Paul MEUNIER", "12/03/2026",
                             "15/03/2026 à 09:02", "16/03/2026 à 09:00", "Sang veineux", "Hexokinase", "DURAND",
                             "annule et remplace la version 1"})
        EXPECT_NE(text.find(item), std::string::npos) << item;
    // Each page names the patient, the order and itself.
    std::size_t pages = 0;
    for (const auto page : split(text, '\f')) {
        if (trim(page).empty()) continue;
        ++pages;
        for (const char* item : {"PAT-TROIS", "DOMINIQUE", "28/03/1979", "IPP0004711", "279035121518989", "2603150042", "2 (final)", "Laboratoire des Deux Rives"})
            EXPECT_NE(page.find(item), std::string::npos) << item << " on page " << pages;
        EXPECT_NE(page.find("Page " + std::to_string(pages) + " / 2"), std::string::npos);
    }
    EXPECT_EQ(pages, 2U);
}

TEST_F(Composed, LetsNoInsLeaveWithoutQualifiedIdentity) {
    const std::string ins = "279035121518989";
    for (const char* kind : {".xml", ".pdf"}) {
        const auto file = folder_ / (std::string("unqualified") + kind);
        const auto qualified = folder_ / (std::string("sample") + kind);
        if (std::string_view{kind} == ".xml") {
            EXPECT_EQ(bytes_of(file).find(ins), std::string::npos);
            EXPECT_EQ(bytes_of(file).find("1.2.250.1.213.1.4."), std::string::npos);
            EXPECT_NE(bytes_of(qualified).find(ins), std::string::npos);
        } else {
            EXPECT_EQ(run("pdftotext " + file.string() + " -").second.find(ins), std::string::npos);
            EXPECT_NE(run("pdftotext " + qualified.string() + " -").second.find(ins), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace sgl::compose
