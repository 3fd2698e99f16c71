#include "cda/schematron/official_kit.hpp"

#include <algorithm>
#include <array>

#include "cda/schematron/detail_tree.hpp"

namespace sgl::cda::schematron {

namespace {

struct Family {
    const char* name;
    const char* path;
};
constexpr std::array general{Family{"IHE", "schematrons/profils/IHE.sch"},
                             Family{"ModelesDeContenusCDA", "schematrons/profils/CI-SIS_ModelesDeContenusCDA.sch"},
                             Family{"Modeles_ANS", "schematrons/profils/CI-SIS_Modeles_ANS.sch"}};
/// What this runner can't do: the rules of the header and of the terminologies are written in XPath 2.0, and the schema is no
/// Schematron.
constexpr std::array elsewhere{"schema (CDA_extended.xsd)", "StructurationMinimale (XPath 2.0)", "terminologies (XPath 2.0)"};
constexpr std::array versions{"2021.01", "2023.01", "2024.01"};

const xmlNode* child(const xmlNode* parent, std::string_view name) {
    for (const auto* node = parent->children; node != nullptr; node = node->next)
        if (node->type == XML_ELEMENT_NODE && detail::view(node->name) == name) return node;
    return nullptr;
}

}  // namespace

bool KnownDefect::explains(const Finding& finding) const {
    return (family.empty() || finding.family == family || finding.family.starts_with(family + " ")) &&
           (pattern.empty() || finding.pattern == pattern) && (test.empty() || finding.test == test) &&
           (message.empty() || finding.message.find(message) != std::string::npos);
}

bool Judgement::accepted() const {
    return std::ranges::none_of(findings, [](const Finding& each) { return each.is_error(); });
}

std::string volet_of(const Document& document) {
    const auto& tree = document.tree();
    const auto* root = tree.elements.front();
    const auto templated = [&](const char* oid) {
        const auto found = tree.by_template.find(oid);
        return found != tree.by_template.end() &&
               std::ranges::any_of(found->second, [&](auto place) { return tree.elements[place] == root; });
    };
    if (detail::view(root->name) != "ClinicalDocument") return {};
    for (const auto* node = root->children; node != nullptr; node = node->next)
        if (node->type == XML_ELEMENT_NODE && detail::view(node->name) == "component" &&
            child(node, "nonXMLBody") != nullptr)
            return {};
    for (const auto* node = root->children; node != nullptr; node = node->next)
        if (node->type == XML_ELEMENT_NODE && detail::view(node->name) == "templateId" &&
            detail::attribute(node, "root") == "1.2.250.1.213.1.1.1.55") {
            const auto extension = detail::attribute(node, "extension");
            if (std::ranges::find(versions, extension) != versions.end()) return extension;
        }
    if (!templated("1.3.6.1.4.1.19376.1.3.3") && !templated("1.2.250.1.213.1.1.1.55")) return {};
    return tree.by_template.contains("1.2.250.1.213.1.1.2.243") ? "2024.01" : "2021.01";
}

Result<OfficialKit> OfficialKit::load(const Lookup& lookup, std::vector<KnownDefect> defects) {
    OfficialKit kit;
    kit.defects_ = std::move(defects);
    const auto remember = [&](const Schema& schema) {
        for (const auto& note : schema.notes())
            kit.notes_.push_back(note);
    };
    for (const auto& family : general) {
        auto schema = Schema::compile(family.name, family.path, lookup);
        if (!schema) return schema.error();
        remember(*schema);
        kit.general_.push_back(std::move(*schema));
    }
    for (const std::string version : versions) {
        auto schema = Schema::compile("CR-BIO " + version, "schematrons/CI-SIS_BIO-CR-BIO_" + version + ".sch", lookup);
        if (!schema) {
            kit.notes_.push_back("CR-BIO " + version + ": " + to_string(schema.error()));
            continue;
        }
        remember(*schema);
        kit.volets_.emplace(version, std::move(*schema));
    }
    if (kit.volets_.empty()) return Error{Fault::missing, "schematrons", "no version of the CR-BIO can be run"};
    return kit;
}

Result<Judgement> OfficialKit::check(std::string_view bytes, const RunOptions& options) const {
    const auto document = Document::parse(bytes, options.limits);
    if (!document) return document.error();
    const auto& root = *document->tree().elements.front();
    if (detail::view(root.name) != "ClinicalDocument" || root.ns == nullptr ||
        detail::view(root.ns->href) != detail::hl7_namespace)
        return Error{Fault::malformed, "/", "there is no ClinicalDocument"};
    Judgement judgement;
    const auto run = [&](const std::string& name, const Schema& schema) -> Result<void> {
        auto findings = schema.check(*document, options);
        if (!findings) return findings.error();
        for (auto& each : *findings) {
            const bool known =
                std::ranges::any_of(defects_, [&](const KnownDefect& defect) { return defect.explains(each); });
            (known ? judgement.of_the_kit : judgement.findings).push_back(std::move(each));
        }
        judgement.ran.push_back(name);
        return {};
    };
    if (const auto volet = volet_of(*document); !volet.empty()) {
        const auto schema = volets_.find(volet);
        if (schema == volets_.end())
            judgement.not_run.push_back("CR-BIO " + volet + ": the kit has not these rules");
        else if (auto ran = run("CR-BIO " + volet, schema->second); !ran)
            return ran.error();
    }
    for (std::size_t i = 0; i < general.size(); ++i)
        if (auto ran = run(general[i].name, general_[i]); !ran) return ran.error();
    judgement.not_run.insert(judgement.not_run.end(), elsewhere.begin(), elsewhere.end());
    return judgement;
}

std::size_t OfficialKit::tests() const {
    std::size_t tests = 0;
    for (const auto& each : general_)
        tests += each.tests();
    for (const auto& [version, each] : volets_)
        tests += each.tests();
    return tests;
}

}  // namespace sgl::cda::schematron
