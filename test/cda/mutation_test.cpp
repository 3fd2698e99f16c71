// Ring 2 rejects every defect that we know to plant in our own documents, and none of the documents. First the defects
// chosen by hand, each with the rule that must catch it (cda/DEFECTS.md is their table); then every element left out,
// doubled and exchanged with its neighbour and every attribute left out and altered, place by place: what survives that
// is listed here, with the reason why it is no defect.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "cda/checker.hpp"
#include "lib/base/text.hpp"
#include "test/cda/defects.hpp"
#include "test/cda/mutants.hpp"

namespace sgl::cda {
namespace {

constexpr CheckOptions test_instance{CheckOptions::Identities::test};
constexpr std::array golden{"cr_bio_rich", "cr_bio_without_ins", "cr_bio_sparse"};

const Checker& checker() {
    static const Checker checker;
    return checker;
}

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string document(const std::string& name) {
    return bytes_of("test/golden/" + name + "/cr_bio.xml");
}

std::vector<Finding> errors_of(const std::string& bytes) {
    auto findings = checker().check(bytes, test_instance);
    std::erase_if(findings, [](const Finding& each) { return each.severity != Finding::Severity::error; });
    return findings;
}

TEST(Mutation, NoGoldenDocumentIsRejected) {
    for (const auto* name : golden) {
        const auto bytes = document(name);
        for (const auto& each : errors_of(bytes))
            ADD_FAILURE() << name << " " << each.where << ": " << each.what;
        const CheckOptions any{CheckOptions::Identities::any};
        for (const auto& each : check_standard(bytes, any))
            if (each.severity == Finding::Severity::error)
                ADD_FAILURE() << name << " " << each.where << ": " << each.what;
    }
}

// "InsWithAWrongKey" as words.
std::string words(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto upper = [&](std::size_t at) { return at < name.size() && name[at] >= 'A' && name[at] <= 'Z'; };
        const bool starts = upper(i) && i > 0 && (!upper(i - 1) || (i + 1 < name.size() && !upper(i + 1)));
        if (starts) out += ' ';
        const bool alone = upper(i) && !upper(i + 1) && i > 0;
        out += alone ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
    }
    return out;
}

TEST(Mutation, EachPlantedDefectIsRejectedByItsRule) {
    const auto good = document("cr_bio_rich");
    std::string table =
        "# Defects that ring 2 rejects in our own documents\n\n"
        "Made by `test/cda/mutation_test.cpp` (SGL_UPDATE_GOLDEN=1 writes it anew) from `test/cda/defects.cpp`: each "
        "defect is "
        "planted in `test/golden/cr_bio_rich`, and the finding shown is what `sgld check --ours` then says. One rule "
        "is named "
        "for each; others may find the same defect too. `*` marks those that the official validators let pass\n"
        "(spec/cr-bio.md 9).\n\n| area | defect | rule | where |\n|---|---|---|---|\n";
    // Of the 38 that the official rules accept, those that are defects of one document.
    const std::set<std::string_view> accepted_officially{"InsWithAWrongKey",
                                                         "InsTooShort",
                                                         "UnknownInsOid",
                                                         "RealInsInATestInstance",
                                                         "BirthplaceThatIsNoCogCode",
                                                         "WrongTypeId",
                                                         "CrBioTemplateMissing",
                                                         "CrBioOfAnUnknownVersion",
                                                         "Version2ReplacingNothing",
                                                         "DocumentReplacingItself",
                                                         "EffectiveTimeWithoutTimeOfDay",
                                                         "EffectiveTimeWithoutOffset",
                                                         "AuthorWithoutSpeciality",
                                                         "RppsTooShort",
                                                         "ProfessionalWithoutPrefix",
                                                         "ValidatorAbsentFromTheHeader",
                                                         "CompletedWithoutValue",
                                                         "CompletedWithoutTime",
                                                         "LoincWithAWrongCheckDigit",
                                                         "PreviousResultUnderAnotherLabel",
                                                         "OtherSystemUnderTheAct",
                                                         "UnitOfAnotherKindThanTheLabel",
                                                         "LowAboveHigh",
                                                         "PreviousResultWithoutDate",
                                                         "PreviousResultOfAnotherAnalyte",
                                                         "MethodOfAnotherTable",
                                                         "FrenchTemplateMissingBesideIheOne",
                                                         "ChapterCodeThatIsNoChapter",
                                                         "PointerToAnAbsentId",
                                                         "NotAPdf",
                                                         "WrongMediaType",
                                                         "NoRepresentation"};
    std::set<std::string_view> names;
    for (const auto& defect : test::defects()) {
        EXPECT_TRUE(names.insert(defect.name).second) << defect.name << " is there twice";
        const auto start = good.find(defect.after);
        ASSERT_NE(start, std::string::npos) << defect.name;
        const auto at = good.find(defect.from, start);
        ASSERT_NE(at, std::string::npos) << "the place of " << defect.name << " is not in the document";
        auto bad = good;
        if (defect.everywhere)
            bad = replace_all(bad, defect.from, defect.to);
        else
            bad.replace(at, std::string_view(defect.from).size(), defect.to);
        ASSERT_NE(bad, good) << defect.name;
        const auto errors = errors_of(bad);
        const auto caught = std::ranges::find_if(
            errors, [&](const Finding& each) { return each.what.find(defect.what) != std::string::npos; });
        if (caught == errors.end()) {
            ADD_FAILURE() << defect.name << " is not rejected by \"" << defect.what << "\"; errors: " << errors.size()
                          << (errors.empty() ? "" : " first " + errors.front().where + " " + errors.front().what);
            continue;
        }
        EXPECT_FALSE(caught->phrase.empty()) << defect.name;
        for (const auto& each : errors) {
            EXPECT_EQ(each.what.find("PAT-TROIS"), std::string::npos) << "no finding may hold data of the document";
            EXPECT_EQ(each.what.find("279035121518989"), std::string::npos);
        }
        table += std::string("| ") + defect.area + " | " + words(defect.name) +
                 (accepted_officially.contains(defect.name) ? " *" : "") + " | " +
                 replace_all(caught->what, "|", "\\|") + " | `" + caught->where + "` |\n";
    }
    for (const auto name : accepted_officially)
        EXPECT_TRUE(names.contains(name)) << name;
    EXPECT_GE(names.size(), 90U);
    table += "\n" + std::to_string(names.size()) + " defects.\n";
    const char* update = std::getenv("SGL_UPDATE_GOLDEN");
    if (update != nullptr && std::string(update) == "1") std::ofstream("cda/DEFECTS.md", std::ios::binary) << table;
    EXPECT_EQ(bytes_of("cda/DEFECTS.md"), table) << "run with SGL_UPDATE_GOLDEN=1 and read the difference";
}

// `*` stands for any text.
bool matches(std::string_view text, std::string_view pattern) {
    const auto star = pattern.find('*');
    if (star == std::string_view::npos) return text == pattern;
    if (!text.starts_with(pattern.substr(0, star))) return false;
    text.remove_prefix(star);
    pattern.remove_prefix(star + 1);
    for (std::size_t at = 0; at <= text.size(); ++at)
        if (matches(text.substr(at), pattern)) return true;
    return false;
}

TEST(Mutation, EveryPlaceIsGuarded) {
    const auto good = document("cr_bio_rich");
    std::map<std::string, std::string> survivors;  // mutation -> example
    std::size_t tried = 0;
    test::each_mutant(good, [&](const test::Mutant& mutant) {
        ++tried;
        const auto bad = mutant.of(good);
        if (bad != good && errors_of(bad).empty()) survivors.emplace(mutant.name, mutant.place);
    });
    ASSERT_GT(tried, 1500U);
    struct Reason {
        std::string pattern;
        std::string why;
        bool used;
    };
    std::vector<Reason> reasons;
    std::ifstream file("test/cda/survivors.txt");
    for (std::string line; std::getline(file, line);) {
        const auto tab = line.find('\t');
        if (tab != std::string::npos && !line.starts_with('#'))
            reasons.push_back({line.substr(0, tab), line.substr(tab + 1), false});
    }
    for (const auto& [mutation, place] : survivors) {
        const auto why =
            std::ranges::find_if(reasons, [&](const Reason& each) { return matches(mutation, each.pattern); });
        if (why == reasons.end())
            ADD_FAILURE() << "survives: " << mutation << "  " << place;
        else
            why->used = true;
    }
    for (const auto& each : reasons) {
        EXPECT_TRUE(each.used) << "nothing survives like that any more: " << each.pattern;
        EXPECT_FALSE(each.why.empty()) << each.pattern;
    }
    std::printf("%zu mutants, %zu survivors, each with its reason in test/cda/survivors.txt\n", tried,
                survivors.size());
}

}  // namespace
}  // namespace sgl::cda
