// The golden documents under the official rules (schema, schematrons) and the complementary ones: needs SGL_SHARED.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "cda/codes.hpp"

namespace {

std::string shared() {
    const char* folder = std::getenv("SGL_SHARED");
    return folder == nullptr ? "../shared" : folder;
}

bool absent(const std::string& path) {
    if (std::filesystem::exists(path)) return false;
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") ADD_FAILURE() << "CI has no " << path;
    return true;
}

std::string run(const std::string& command, int& status) {
    std::string output;
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((command + " 2>&1").c_str(), "r"), pclose);
    std::array<char, 4096> chunk{};
    while (const auto got = fread(chunk.data(), 1, chunk.size(), pipe.get())) output.append(chunk.data(), got);
    status = pclose(pipe.release());
    return output;
}

TEST(Official, RulesPassOnTheGoldenDocuments) {
    const auto tool = shared() + "/tools/validate-crbio";
    if (absent(tool)) GTEST_SKIP() << "SKIPPED: the official rules, " << tool << " is not there";
    int status = -1;
    const auto output = run(tool + " -e -v 2024.01 test/golden/cr_bio_rich/cr_bio.xml test/golden/cr_bio_without_ins/cr_bio.xml "
                                "test/golden/cr_bio_sparse/cr_bio.xml", status);
    EXPECT_EQ(status, 0) << output;
    std::size_t passed = 0;
    for (auto at = output.find("PASS"); at != std::string::npos; at = output.find("PASS", at + 1)) ++passed;
    EXPECT_EQ(passed, 24U) << output;  // eight families, three documents
}

// Our typed tables against the official value sets: code, label and system, by text.
std::string read_file(const std::string& path) {
    std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    std::string text;
    std::array<char, 65536> chunk{};
    if (!file) return text;
    while (const auto got = fread(chunk.data(), 1, chunk.size(), file.get())) text.append(chunk.data(), got);
    return text;
}

std::string attribute(const std::string& element, const std::string& name) {
    const auto at = element.find(" " + name + "=\"");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 3;
    auto value = element.substr(from, element.find('"', from) - from);
    for (const auto& [escaped, plain] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&apos;", "'"}, {"&amp;", "&"}})
        for (auto i = value.find(escaped); i != std::string::npos; i = value.find(escaped)) value.replace(i, strlen(escaped), plain);
    return value;
}

void expect_in(const std::string& file, std::span<const sgl::cda::codes::Entry> table) {
    const auto path = shared() + "/ans/jeuxDeValeurs/" + file;
    auto text = read_file(path);
    ASSERT_FALSE(text.empty()) << path;
    for (auto& c : text)
        if (c == '\n' || c == '\r' || c == '\t') c = ' ';
    for (const auto& entry : table) {
        bool found = false;
        for (auto at = text.find("Concept "); at != std::string::npos && !found; at = text.find("Concept ", at + 1)) {
            const auto element = " " + text.substr(at, text.find("/>", at) - at);
            found = attribute(element, "code") == entry.code && attribute(element, "displayName") == entry.label &&
                    attribute(element, "codeSystem") == entry.system;
        }
        EXPECT_TRUE(found) << entry.code << " of " << file;
    }
}

TEST(Official, ValueSetsHoldWhatWeTyped) {
    if (absent(shared() + "/ans/jeuxDeValeurs")) GTEST_SKIP() << "SKIPPED: the official value sets are not there";
    using namespace sgl::cda;
    expect_in("jdv-hl7-v3-ObservationInterpretation-cisis.xml", codes::interpretations);
    expect_in("JDV_J01_XdsAuthorSpecialty_CISIS.xml", codes::biologists);
    expect_in("JDV_J01_XdsAuthorSpecialty_CISIS.xml", codes::other_specialities);
    expect_in("JDV_J02_XdsHealthcareFacilityTypeCode_CISIS.xml", codes::facility_types);
    expect_in("JDV_J04_XdsPracticeSettingCode_CISIS.xml", codes::practice_settings);
    expect_in("JDV_J142_TypeRencontre_CISIS.xml", codes::encounters);
    expect_in("JDV_J143_AdministrativeGender_CISIS.xml", codes::genders);
    expect_in("jdv-specimen-type-cisis.xml", codes::specimens);
    expect_in("jdv-hl7-v3-xBasicConfidentialityKind-cisis.xml", codes::confidentialities);
}

}  // namespace
