// Any bytes are judged by the official rules within bounds: no crash, no entity, no file; the same answer twice, and no data of the
// document in it. The kit comes from SGL_SHARED; without it a small schema of the same kind serves.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "cda/schematron/official_kit.hpp"
#include "test/fuzz/target.hpp"

namespace {

using namespace sgl::cda::schematron;

std::optional<std::string> file_of_the_kit(const std::string& path) {
    const char* shared = std::getenv("SGL_SHARED");
    std::ifstream file(std::filesystem::path(shared == nullptr ? "../shared" : shared) / "ans" / path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

/// When there is no kit: the same four files, with what the language has.
std::optional<std::string> small_kit(const std::string& path) {
    if (path.ends_with(".xml")) return "<set><c code='N'/></set>";
    return R"sch(<schema xmlns="http://purl.oclc.org/dsdl/schematron"><ns prefix="cda" uri="urn:hl7-org:v3"/><let name="set" value="'set.xml'"/>
<pattern><let name="ids" value="count(//cda:id)"/>
<rule context="*[cda:templateId/@root='1.3.6.1.4.1.19376.1.3.1.6']//cda:code"><let name="c" value="@code"/>
<assert test="document($set)//c[@code=$c]">no <value-of select="$c"/></assert></rule>
<rule context="cda:entry/cda:act|cda:section[cda:title]"><assert test="$ids &lt; count(.//cda:id/(cda:x or cda:y))"><name/></assert></rule>
<rule context="*"><report test="contains(string(.), translate(name(), 'a', 'b'))">x</report></rule></pattern></schema>)sch";
}

const OfficialKit& kit() {
    static const auto loaded = [] {
        auto official = OfficialKit::load(file_of_the_kit);
        if (!official) std::fprintf(stderr, "the official kit is not there: a small schema serves\n");
        return official ? std::move(official) : OfficialKit::load(small_kit);
    }();
    sgl::fuzz::demand(loaded.has_value(), "a kit is loaded");
    return *loaded;
}

}  // namespace

void sgl::fuzz::one(std::string_view input) {
    RunOptions options;
    options.limits.max_operations = 2'000'000;
    const auto first = kit().check(input, options);
    const auto second = kit().check(input, options);
    demand(first.has_value() == second.has_value(), "the same document gets the same answer");
    if (!first) {
        demand(!first.error().what.empty(), "a refusal says why");
        return;
    }
    demand(first->findings == second->findings, "the same document gets the same findings");
    demand(!first->ran.empty() && !first->not_run.empty(), "what ran and what did not is said");
    for (const auto& each : first->findings) demand(each.where.starts_with("/"), "a finding has its place");
}

SGL_FUZZ_TARGET
