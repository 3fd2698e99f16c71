#include "daemon/cda_commands.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "cda/checker.hpp"
#include "cda/read.hpp"
#include "daemon/cda_json.hpp"
#include "daemon/official_rules.hpp"
#include "lib/delivery/xds/archive.hpp"
#include "lib/delivery/xds/check_xdm.hpp"

namespace sgl::daemon {

namespace {

namespace json = boost::json;
using cda::received::Document;

std::optional<std::string> bytes_of(const std::string& name) {
    constexpr std::size_t enough = 26 * 1024 * 1024;  // SEC-35: what is longer is refused anyway
    std::string bytes;
    const auto take = [&](std::istream& in) {
        bytes.resize(enough);
        in.read(bytes.data(), static_cast<std::streamsize>(enough));
        bytes.resize(static_cast<std::size_t>(in.gcount()));
    };
    if (name == "-") {
        take(std::cin);
        return bytes;
    }
    std::ifstream file(name, std::ios::binary);
    std::error_code ignored;
    if (!file || std::filesystem::is_directory(name, ignored)) {
        std::cerr << "sgld: " << name << ": can't be read\n";
        return std::nullopt;
    }
    take(file);
    return bytes;
}

}  // namespace

int read_documents(const std::vector<std::string>& names) {
    int code = 0;
    for (const auto& name : names) {
        const auto bytes = bytes_of(name);
        const auto document = bytes ? cda::read(*bytes) : sgl::Result<Document>(Error{Fault::missing, {}, {}});
        if (!bytes || !document) {
            if (bytes) std::cerr << "sgld: " << name << ": " << to_string(document.error()) << '\n';
            code = 1;
            continue;
        }
        json::object whole{{"file", std::filesystem::path(name).filename().string()}};
        auto content = cda_json(*document);
        for (auto& [key, value] : content.as_object())
            whole[key] = std::move(value);
        std::cout << json::serialize(whole) << '\n';
    }
    std::cout.flush();
    return std::cout ? code : 1;
}

// ----------------------------------------------------------------------------------------------------------------
// check

namespace {

struct Judged {
    std::string file;
    std::string member;  ///< of an archive, else empty
    std::string kind;
    std::vector<cda::Finding> standard;
    std::vector<cda::Finding> ours;
    bool accepted{};
    cda::schematron::Judgement official{};  ///< ring 3
};

bool has_error(const std::vector<cda::Finding>& findings) {
    return std::ranges::any_of(findings,
                               [](const auto& each) { return each.severity == cda::Finding::Severity::error; });
}

std::string kind_of(std::string_view bytes) {
    const auto document = cda::read(bytes);
    if (!document) return "illisible";
    std::string kind = document->volet.empty() ? document->code.display : "CR-BIO " + document->volet;
    kind += document->form == Document::Form::structured ? ", N3" : ", N1";
    if (document->envelope == "ds:Signature") kind += ", dans une signature (non vérifiée)";
    if (document->envelope.starts_with("xsl:")) kind += ", auto-présentable";
    return kind;
}

class Judgement {
public:
    /// `kit`: null without ring 3.
    Judgement(const CheckCommand& command, const cda::schematron::OfficialKit* kit) : command_(command), kit_(kit) {
        using Identities = cda::CheckOptions::Identities;
        options_.identities = command.production ? Identities::production : Identities::any;
        if (command.ours) checker_.emplace();
    }

    bool document(const std::string& file, const std::string& member, std::string_view bytes) {
        Judged judged{file, member, kind_of(bytes), cda::check_standard(bytes, options_), {}, false};
        if (checker_) judged.ours = checker_->check(bytes, options_);
        judged.accepted = !has_error(judged.standard) && !has_error(judged.ours);
        if (kit_ != nullptr) ask_the_kit(judged, bytes);
        command_.json ? print_json(judged) : print(judged);
        return judged.accepted;
    }

    /// What the metadata of an archive contradict; nothing is printed when they are right.
    bool submission(const std::string& file, std::vector<cda::Finding> findings) {
        if (findings.empty()) return true;
        Judged judged{file, {}, "fiche de l'envoi (XDM)", std::move(findings), {}, false};
        judged.accepted = !has_error(judged.standard);
        command_.json ? print_json(judged) : print(judged);
        return judged.accepted;
    }

    bool refusal(const std::string& file, const std::string& member, const Error& error) {
        Judged judged{file, member, "illisible", {}, {}, false};
        judged.standard.push_back({cda::Finding::Severity::error, error.where, error.what,
                                   "Ce fichier n'est pas un envoi lisible, ou il est dangereux : ne l'ouvrez pas."});
        command_.json ? print_json(judged) : print(judged);
        return false;
    }

private:
    void ask_the_kit(Judged& judged, std::string_view bytes) const {
        auto official = kit_->check(bytes);
        if (official) {
            judged.official = std::move(*official);
        } else {
            cda::schematron::Finding refusal;
            refusal.kind = cda::schematron::Finding::Kind::unevaluated;
            refusal.role = "error";
            refusal.where = official.error().where;
            refusal.message = official.error().what;
            judged.official.findings.push_back(std::move(refusal));
        }
        judged.accepted = judged.accepted && judged.official.accepted();
    }

    static json::array to_array(const std::vector<cda::schematron::Finding>& findings) {
        using Kind = cda::schematron::Finding::Kind;
        json::array array;
        for (const auto& each : findings)
            array.push_back(json::object{{"part", "official"},
                                         {"severity", each.is_error() ? "error" : "warning"},
                                         {"where", each.where},
                                         {"phrase", each.message},
                                         {"what", (each.kind == Kind::unevaluated ? "can't be evaluated: " : "") + each.test},
                                         {"family", each.family},
                                         {"pattern", each.pattern},
                                         {"context", each.context}});
        return array;
    }

    static json::array to_array(const std::vector<std::string>& names) {
        json::array array;
        for (const auto& each : names)
            array.emplace_back(each);
        return array;
    }

    static json::array to_array(const std::vector<cda::Finding>& findings, std::string_view part) {
        json::array array;
        for (const auto& each : findings)
            array.push_back(
                json::object{{"part", part},
                             {"severity", each.severity == cda::Finding::Severity::error ? "error" : "warning"},
                             {"where", each.where},
                             {"phrase", each.phrase},
                             {"what", each.what}});
        return array;
    }

    void print_json(const Judged& judged) const {
        auto findings = to_array(judged.standard, "standard");
        for (auto& each : to_array(judged.ours, "ours"))
            findings.push_back(std::move(each));
        for (auto& each : to_array(judged.official.findings))
            findings.push_back(std::move(each));
        json::object object{{"file", judged.file}};
        if (!judged.member.empty()) object["member"] = judged.member;
        object["kind"] = judged.kind;
        object["ring"] = command_.ring;
        if (kit_ != nullptr) {
            object["ran"] = to_array(judged.official.ran);
            object["not_run"] = to_array(judged.official.not_run);
            object["of_the_kit"] = to_array(judged.official.of_the_kit);
        }
        object["ours"] = command_.ours;
        object["accepted"] = judged.accepted;
        object["findings"] = std::move(findings);
        std::cout << json::serialize(object) << '\n';
    }

    static void print(const std::vector<cda::Finding>& findings, std::string_view part) {
        for (const auto& each : findings) {
            const bool error = each.severity == cda::Finding::Severity::error;
            std::cout << (error ? "  erreur" : "  avertissement") << part << "  " << each.where << "\n    "
                      << each.phrase << "\n    " << each.what << '\n';
        }
    }

    static void print(const cda::schematron::Judgement& official) {
        for (const auto& each : official.findings) {
            const bool unknown = each.kind == cda::schematron::Finding::Kind::unevaluated;
            std::cout << (each.is_error() ? "  erreur" : "  avertissement") << " (règles officielles, " << each.family << ", "
                      << each.pattern << (unknown ? ", non évaluable" : "") << ")  " << each.where << "\n    " << each.message << "\n    "
                      << each.test << '\n';
        }
        const auto listed = [](const char* what, const std::vector<std::string>& names) {
            if (names.empty()) return;
            std::cout << "  " << what;
            for (const auto& each : names)
                std::cout << (&each == names.data() ? " " : ", ") << each;
            std::cout << '\n';
        };
        listed("règles officielles appliquées :", official.ran);
        listed("règles officielles NON appliquées :", official.not_run);
        if (!official.of_the_kit.empty())
            std::cout << "  défauts connus du kit, sans effet : " << official.of_the_kit.size() << '\n';
    }

    static void print(const Judged& judged) {
        std::cout << judged.file;
        if (!judged.member.empty()) std::cout << " : " << judged.member;
        std::cout << " : " << judged.kind << " : " << (judged.accepted ? "accepté" : "REFUSÉ") << '\n';
        print(judged.standard, "");
        print(judged.ours, " (notre profil)");
        print(judged.official);
    }

    const CheckCommand& command_;
    const cda::schematron::OfficialKit* kit_;
    cda::CheckOptions options_;
    std::optional<cda::Checker> checker_;
};

}  // namespace

int check_documents(const CheckCommand& command) {
    std::optional<cda::schematron::OfficialKit> kit;
    if (command.ring == 3) {
        auto loaded = official_rules(command.kit, command.kit_defects);
        if (!loaded) {
            std::cerr << "sgld: " << to_string(loaded.error()) << '\n';
            return 2;
        }
        for (const auto& note : loaded->notes())
            std::cerr << "sgld: official kit: " << note << '\n';
        kit.emplace(std::move(*loaded));
    }
    Judgement judgement{command, kit ? &*kit : nullptr};
    int code = 0;
    const auto accepted = [&](bool good) { code = good ? code : 1; };
    for (const auto& name : command.names) {
        const auto bytes = bytes_of(name);
        if (!bytes) {
            code = 1;
            continue;
        }
        if (!xds::is_archive(*bytes)) {
            accepted(judgement.document(name, {}, *bytes));
            continue;
        }
        const auto members = xds::read_archive(*bytes);
        if (!members) {
            accepted(judgement.refusal(name, {}, members.error()));
            continue;
        }
        accepted(judgement.submission(name, xds::check_submissions(*members)));
        unsigned documents = 0;
        for (const auto& member : *members) {
            if (!xds::is_xdm_document(member.name)) continue;
            // A submission may hold files of other kinds beside its documents (a PDF): they are not ours to judge.
            if (!member.bytes.starts_with("<") && !member.bytes.starts_with("\xEF\xBB\xBF<")) continue;
            ++documents;
            accepted(judgement.document(name, member.name, member.bytes));
        }
        if (documents == 0)
            accepted(judgement.refusal(
                name, {}, {Fault::missing, "IHE_XDM", "the archive holds no CDA document in a folder of IHE_XDM"}));
    }
    std::cout.flush();
    return std::cout ? code : 1;
}

}  // namespace sgl::daemon
