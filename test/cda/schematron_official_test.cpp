// Ring 3 beside the reference: our Schematron runner and Saxon must find the same failed assertions, with the same
// messages at the same places, in the official examples, our golden documents and documents with planted defects. Needs
// SGL_SHARED and Java. SGL_MUTANTS=all compares every mutant (test/long); else a sample.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "cda/schematron/official_kit.hpp"
#include "lib/base/text.hpp"
#include "test/cda/defects.hpp"
#include "test/cda/mutants.hpp"

namespace sgl::cda::schematron {
namespace {

namespace fs = std::filesystem;

std::string shared() {
    const char* folder = std::getenv("SGL_SHARED");
    return folder == nullptr ? "../shared" : folder;
}

bool absent(const std::string& path) {
    if (fs::exists(path)) return false;
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") ADD_FAILURE() << "CI has no " << path;
    return true;
}

std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<std::string> of_the_kit(const std::string& path) {
    std::ifstream file(shared() + "/ans/" + path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

const OfficialKit& kit() {
    static const auto loaded = OfficialKit::load(of_the_kit);
    if (!loaded) throw std::runtime_error(to_string(loaded.error()));
    return *loaded;
}

/// As `validate-crbio` prints it: family, role, pattern, place and message of each finding.
using Lines = std::vector<std::string>;

struct Answer {
    std::map<std::string, Lines> findings;  ///< by family that ran
    std::vector<std::string> broken;        ///< families that Saxon left half-way
};

/// /a/b[2] as /a[1]/b[2]
std::string with_positions(const std::string& path) {
    std::string out;
    for (const auto step : split(path, '/')) {
        if (step.empty()) continue;
        out += "/" + std::string(step) + (step.ends_with(']') ? "" : "[1]");
    }
    return out;
}

std::string family_of(const std::string& ours) {
    if (ours == "IHE") return "ihe";
    if (ours == "ModelesDeContenusCDA") return "modeles-cda";
    if (ours == "Modeles_ANS") return "modeles-ans";
    return "volet-" + ours.substr(ours.rfind(' ') + 1);
}

Result<Answer> ours(const std::string& bytes) {
    RunOptions options;
    options.values = true;
    const auto judgement = kit().check(bytes, options);
    if (!judgement) return judgement.error();
    EXPECT_EQ(judgement->not_run.size(), 3U) << "schema, header and terminologies need another program";
    Answer answer;
    for (const auto& family : judgement->ran)
        answer.findings[family_of(family)];
    for (const auto& each : judgement->findings) {
        if (each.kind == Finding::Kind::unevaluated) answer.broken.push_back(family_of(each.family));
        const bool soft = each.role == "warning" || each.role == "info" || each.role == "hint";
        answer.findings[family_of(each.family)].push_back((soft ? each.role : "error") + " [" + each.pattern + "] " +
                                                          each.message + " at " + with_positions(each.where));
    }
    for (auto& [family, lines] : answer.findings)
        std::ranges::sort(lines);
    return answer;
}

/// What Saxon finds in the .xml files of a folder, by file name; nothing for what is no XML.
std::map<std::string, Answer> reference(const fs::path& folder) {
    const auto output = folder.string() + ".out";
    const auto command = "cd '" + folder.string() + "' && '" + fs::absolute(shared()).string() +
                         "/tools/validate-crbio' -w -f ihe,modeles-cda,modeles-ans,volet *.xml >'" + output + "' 2>&1";
    EXPECT_NE(std::system(command.c_str()), -1);
    std::map<std::string, Answer> all;
    std::ifstream file(output);
    Answer* current = nullptr;
    std::string family;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(' ')) {
            current = &all[line];
        } else if (line.starts_with("      ")) {
            if (current == nullptr || family.empty()) continue;
            auto& lines = current->findings[family];
            const auto text = std::string(trim(line));
            if (text.starts_with("at /") && !lines.empty())
                lines.back() += " " + text;
            else
                lines.push_back(text);
        } else if (current != nullptr) {
            const auto words = line.substr(8, line.find(' ', 8) - 8);  // "  PASS  ihe …"
            family = line.starts_with("  SKIP") || words == "document" ? "" : words;
            if (family.empty()) continue;
            current->findings[family];
            if (line.find("validator error") != std::string::npos) current->broken.push_back(family);
        }
    }
    for (auto& [name, answer] : all)
        for (auto& [each, lines] : answer.findings)
            std::ranges::sort(lines);
    return all;
}

struct Total {
    std::size_t documents{};
    std::size_t findings{};
    std::size_t broken{};
};

Total compare(const fs::path& folder) {
    const auto expected = reference(folder);
    Total total;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const auto name = entry.path().filename().string();
        const auto found = expected.find(name);
        if (found == expected.end()) {
            ADD_FAILURE() << name << ": the reference says nothing";
            continue;
        }
        const auto mine = ours(bytes_of(entry.path()));
        if (!mine) {
            EXPECT_TRUE(found->second.findings.empty()) << name << ": " << to_string(mine.error());
            continue;
        }
        ++total.documents;
        for (const auto& [family, lines] : found->second.findings) {
            const auto of_family = mine->findings.find(family);
            if (of_family == mine->findings.end()) {
                ADD_FAILURE() << name << ": " << family << " was not run";
                continue;
            }
            if (std::ranges::find(found->second.broken, family) != found->second.broken.end()) {
                // Where Saxon stops with a type error of XPath 2.0, the document must not pass here either.
                ++total.broken;
                EXPECT_FALSE(of_family->second.empty())
                    << name << ": Saxon can't finish " << family << ", and here all is well";
                continue;
            }
            EXPECT_EQ(of_family->second, lines) << name << ": " << family;
            total.findings += lines.size();
        }
        EXPECT_EQ(mine->findings.size(), found->second.findings.size()) << name;
    }
    return total;
}

class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "sgl-schematron-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
        fs::remove(path_.string() + ".out", ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const fs::path& path() const { return path_; }
    void put(const std::string& name, const std::string& bytes) const {
        std::ofstream(path_ / (name + ".xml"), std::ios::binary) << bytes;
    }

private:
    fs::path path_;
};

constexpr std::array golden{"cr_bio_rich", "cr_bio_without_ins", "cr_bio_sparse"};

std::string golden_document(const std::string& name) {
    return bytes_of("test/golden/" + name + "/cr_bio.xml");
}

bool no_reference() {
    const auto tool = shared() + "/tools/validate-crbio";
    if (!absent(tool)) return false;
    std::printf("SKIPPED: the official rules beside Saxon, %s is not there\n", tool.c_str());
    return true;
}

TEST(OfficialKit, HoldsNothingThatCanNotBeRun) {
    if (no_reference()) GTEST_SKIP();
    EXPECT_GE(kit().tests(), 2'700U);
    for (const auto& note : kit().notes())
        std::printf("the kit: %s\n", note.c_str());
}

TEST(OfficialKit, NeedsSaxonForTheHeaderAndTheTerminologies) {
    if (no_reference()) GTEST_SKIP();
    for (const auto* path : {"schematrons/profils/structurationMinimale/ASIP-STRUCT-MIN-StrucMin.sch",
                             "schematrons/profils/terminologies/schematron/terminologie.sch"}) {
        const auto schema = Schema::compile("x", path, of_the_kit);
        ASSERT_FALSE(schema) << path;
        EXPECT_EQ(schema.error().fault, Fault::unsupported) << to_string(schema.error());
        EXPECT_FALSE(schema.error().where.empty());
    }
}

/// An official example as the mutants need it.
std::string canonical(const std::string& path) {
    std::string text;
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
        popen(("xmllint --huge --noblanks --c14n '" + path + "'").c_str(), "r"), pclose);
    std::array<char, 65536> chunk{};
    while (const auto got = fread(chunk.data(), 1, chunk.size(), pipe.get()))
        text.append(chunk.data(), got);
    for (auto at = text.find("<!--"); at != std::string::npos; at = text.find("<!--"))
        text.erase(at, text.find("-->", at) + 3 - at);
    text.erase(0, std::min(text.find("<ClinicalDocument"), text.size()));
    return text;
}

std::string with_defect(const std::string& good, const test::Defect& defect) {
    if (defect.everywhere) return replace_all(good, defect.from, defect.to);
    auto bad = good;
    const auto after = bad.find(defect.after);
    const auto at = after == std::string::npos ? after : bad.find(defect.from, after);
    if (at != std::string::npos) bad.replace(at, std::string_view(defect.from).size(), defect.to);
    return bad;
}

/// Documents with many defects each, so that a few runs of Saxon see many rules fail. Every `step`-th mutant, from
/// `first` on, that doesn't touch the place of one taken before.
std::string many_mutants(const std::string& good, std::size_t first, std::size_t step) {
    std::vector<test::Mutant> all;
    test::each_mutant(good, [&, number = std::size_t{0}](const test::Mutant& mutant) mutable {
        if (number++ % step == first && mutant.to - mutant.from + mutant.text.size() < 700) all.push_back(mutant);
    });
    std::ranges::sort(all, std::greater{}, &test::Mutant::from);
    auto bad = good;
    auto end = good.size();
    for (const auto& each : all) {
        if (each.to > end) continue;
        bad = each.of(std::move(bad));
        end = each.from;
    }
    return bad;
}

// One run of Saxon for all: its start costs more than the documents.
TEST(OfficialKit, FindsWhatSaxonFindsInGoodAndDefectiveDocuments) {
    if (no_reference()) GTEST_SKIP();
    const Folder folder;
    std::size_t right = 0;
    const auto put_right = [&](const std::string& name, const fs::path& path) {
        folder.put(name, bytes_of(path));
        ++right;
    };
    for (const auto* examples : {"/ans/examples", "/hl7/ans-examples"})
        for (const auto& entry : fs::recursive_directory_iterator(shared() + examples))
            if (entry.path().extension() == ".xml") put_right(entry.path().stem().string(), entry.path());
    for (const auto* name : golden)
        put_right(name, std::string("test/golden/") + name + "/cr_bio.xml");
    ASSERT_GE(right, 7U);
    const auto good = golden_document("cr_bio_rich");
    const auto example = canonical(shared() + "/ans/examples/BIO-CR-BIO_2021.01_Microbiologie_V1.xml");
    ASSERT_TRUE(example.starts_with("<ClinicalDocument")) << example.substr(0, 100);
    constexpr std::size_t bundles = 4;
    for (std::size_t first = 0; first < bundles; ++first) {
        auto bad = good;
        std::size_t number = 0;
        for (const auto& defect : test::defects())
            if (number++ % bundles == first) bad = with_defect(bad, defect);
        folder.put("defects-" + std::to_string(first), bad);
    }
    constexpr std::size_t step = 9;
    for (std::size_t first = 0; first < step; ++first) {
        folder.put("mutants-" + std::to_string(first), many_mutants(good, first, step));
        folder.put("example-" + std::to_string(first), many_mutants(example, first, step));
    }
    const auto total = compare(folder.path());
    EXPECT_GE(total.documents, right + 2 * step + 1);  // some defects leave no document at all: both refuse them
    EXPECT_GE(total.findings, 350U) << "hardly any of these documents is wrong";
    std::printf("%zu documents, %zu findings, all as Saxon's; %zu families that Saxon could not finish\n",
                total.documents, total.findings, total.broken);
}

TEST(OfficialKit, FindsWhatSaxonFindsInEveryMutant) {
    const char* wish = std::getenv("SGL_MUTANTS");
    if (wish == nullptr || std::string(wish) != "all") GTEST_SKIP() << "SGL_MUTANTS=all asks for it, as test/long does";
    if (no_reference()) GTEST_SKIP();
    const Folder folder;
    const auto good = golden_document("cr_bio_rich");
    const auto example = canonical(shared() + "/ans/examples/BIO-CR-BIO_2021.01_Microbiologie_V1.xml");
    for (const auto& defect : test::defects())
        folder.put(std::string("defect-") + defect.name, with_defect(good, defect));
    for (const auto& [name, base] : {std::pair{"golden-", &good}, {"example-", &example}})
        test::each_mutant(*base, [&, number = 0](const test::Mutant& mutant) mutable {
            folder.put(name + std::to_string(++number), mutant.of(*base));
        });
    const auto total = compare(folder.path());
    EXPECT_GE(total.documents, 3'000U);
    std::printf("%zu documents, %zu findings, all as Saxon's; %zu families that Saxon could not finish\n",
                total.documents, total.findings, total.broken);
}

TEST(OfficialKit, JudgesFromSeveralThreads) {
    if (no_reference()) GTEST_SKIP();
    const auto bytes = golden_document("cr_bio_rich");
    const auto broken =
        replace_all(bytes, "codeSystem=\"2.16.840.1.113883.6.1\"", "codeSystem=\"2.16.840.1.113883.6.2\"");
    const auto right = ours(bytes)->findings;
    const auto wrong = ours(broken)->findings;
    EXPECT_NE(right, wrong);
    std::vector<std::thread> threads;
    std::array<bool, 4> same{};
    for (std::size_t i = 0; i < same.size(); ++i)
        threads.emplace_back([&, i] {
            same.at(i) = true;
            for (int turn = 0; turn < 5; ++turn)
                same.at(i) = same.at(i) && ours(i % 2 == 0 ? bytes : broken)->findings == (i % 2 == 0 ? right : wrong);
        });
    for (auto& each : threads)
        each.join();
    for (const auto each : same)
        EXPECT_TRUE(each);
}

}  // namespace
}  // namespace sgl::cda::schematron
