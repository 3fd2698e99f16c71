#include "lib/delivery/xds/check_xdm.hpp"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "cda/read.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"
#include "lib/base/time.hpp"
#include "lib/delivery/xds/codes.hpp"

namespace sgl::xds {

namespace {

using cda::Finding;
using Elements = std::vector<const xmlNode*>;

constexpr std::size_t largest_metadata = 5 * 1024 * 1024;
constexpr std::string_view rim = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0";
constexpr std::string_view lcm = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0";

struct FreeDocument {
    void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};

std::string_view view(const xmlChar* text) {
    return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

std::string attribute(const xmlNode* element, const char* name) {
    xmlChar* value = xmlGetNoNsProp(element, reinterpret_cast<const xmlChar*>(name));
    std::string text(view(value));
    xmlFree(value);
    return text;
}

std::string content(const xmlNode* element) {
    xmlChar* value = xmlNodeGetContent(element);
    const std::string text(trim(view(value)));
    xmlFree(value);
    return text;
}

bool is(const xmlNode* node, std::string_view uri, std::string_view name) {
    return node->type == XML_ELEMENT_NODE && view(node->name) == name && node->ns != nullptr &&
           view(node->ns->href) == uri;
}

Elements children(const xmlNode* parent, std::string_view name) {
    Elements all;
    for (const auto* node = parent->children; node != nullptr; node = node->next)
        if (is(node, rim, name)) all.push_back(node);
    return all;
}

std::string path_of(const xmlNode* node) {
    std::string path;
    for (; node != nullptr && node->type == XML_ELEMENT_NODE; node = node->parent) {
        unsigned position = 1;
        for (const auto* before = node->prev; before != nullptr; before = before->prev)
            if (before->type == XML_ELEMENT_NODE && view(before->name) == view(node->name)) ++position;
        auto step = "/" + std::string(view(node->name));
        if (position > 1) step += "[" + std::to_string(position) + "]";
        path.insert(0, step);
    }
    return path;
}

/// A time of the CDA as the metadata write it.
std::string utc_of(const std::string& time) {
    const auto parsed = Timestamp::parse(time);
    if (!parsed || !parsed->offset_minutes) return {};
    return to_hl7_utc(TimeZone::utc().to_instant(*parsed));
}

/// Equal as far as the shorter one says; XDS lets zeros at the end be left out.
bool same_time(std::string_view one, std::string_view other) {
    const auto length = std::min(one.size(), other.size());
    constexpr std::size_t minutes = 12;
    return length >= minutes && one.substr(0, length) == other.substr(0, length);
}

class SubmissionCheck {
public:
    SubmissionCheck(const ArchiveMember& metadata, std::map<std::string, const ArchiveMember*> files,
                    std::vector<Finding>& findings)
        : metadata_(metadata), files_(std::move(files)), findings_(findings) {}

    void run() {
        if (metadata_.bytes.size() > largest_metadata || metadata_.bytes.find("<!DOCTYPE") != std::string::npos)
            return error(nullptr, "the metadata are too large or have a DOCTYPE",
                         "La fiche de l'envoi est dangereuse : elle n'est pas lue.");
        constexpr int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
        const std::unique_ptr<xmlDoc, FreeDocument> document{
            xmlReadMemory(metadata_.bytes.data(), static_cast<int>(metadata_.bytes.size()), nullptr, nullptr, options)};
        const auto* root = document == nullptr ? nullptr : xmlDocGetRootElement(document.get());
        if (root == nullptr || document->intSubset != nullptr)
            return error(nullptr, "the metadata are not well-formed XML", "La fiche de l'envoi est illisible.");
        if (!is(root, lcm, "SubmitObjectsRequest"))
            return error(root, "the root is not lcm:SubmitObjectsRequest",
                         "La fiche de l'envoi n'a pas la forme attendue (XDM).");
        const auto lists = children(root, "RegistryObjectList");
        if (lists.size() != 1)
            return error(root, "there must be one RegistryObjectList",
                         "La fiche de l'envoi n'a pas la forme attendue (XDM).");
        const auto* list = lists.front();
        check_set(*list);
        std::set<std::string> described;
        for (const auto* entry : children(list, "ExtrinsicObject"))
            check_entry(*list, *entry, described);
        for (const auto& [name, file] : files_)
            if (!described.contains(name))
                error(list, "a file of the folder is described by no document entry",
                      "Un fichier de l'envoi n'est pas décrit dans sa fiche.");
    }

private:
    void add(Finding::Severity severity, const xmlNode* at, std::string what, std::string phrase) {
        findings_.push_back(
            {severity, metadata_.name + (at == nullptr ? "" : path_of(at)), std::move(what), std::move(phrase)});
    }
    void error(const xmlNode* at, std::string what, std::string phrase) {
        add(Finding::Severity::error, at, std::move(what), std::move(phrase));
    }
    void warning(const xmlNode* at, std::string what, std::string phrase) {
        add(Finding::Severity::warning, at, std::move(what), std::move(phrase));
    }

    static const xmlNode* slot(const xmlNode& object, std::string_view name) {
        for (const auto* each : children(&object, "Slot"))
            if (attribute(each, "name") == name) return each;
        return nullptr;
    }
    static std::string value_of(const xmlNode* slot) {
        if (slot == nullptr) return {};
        for (const auto* values : children(slot, "ValueList"))
            for (const auto* value : children(values, "Value"))
                return content(value);
        return {};
    }
    static const xmlNode* with(const xmlNode& object, std::string_view element, const char* key,
                               std::string_view scheme) {
        for (const auto* each : children(&object, element))
            if (attribute(each, key) == scheme) return each;
        return nullptr;
    }
    static const xmlNode* identifier(const xmlNode& object, std::string_view scheme) {
        return with(object, "ExternalIdentifier", "identificationScheme", scheme);
    }

    /// A slot that must be there: nothing, and a finding, when it isn't.
    std::optional<std::string> required(const xmlNode& object, const char* name) {
        auto value = value_of(slot(object, name));
        if (!value.empty()) return value;
        error(&object, std::string("the attribute ") + name + " is missing",
              std::string("La fiche de l'envoi est incomplète : ") + name + " manque.");
        return std::nullopt;
    }

    void check_set(const xmlNode& list) {
        const auto sets = children(&list, "RegistryPackage");
        const auto nodes = children(&list, "Classification");
        const auto marked = [&](const xmlNode* package) {
            return std::ranges::any_of(nodes, [&](const xmlNode* each) {
                return attribute(each, "classificationNode") == uuid::submission_set_node &&
                       attribute(each, "classifiedObject") == attribute(package, "id");
            });
        };
        Elements submission;
        std::ranges::copy_if(sets, std::back_inserter(submission), marked);
        if (submission.size() != 1) {
            error(&list, "there must be one submission set",
                  "La fiche ne décrit pas un lot de soumission, ou en décrit plusieurs.");
            return;
        }
        set_ = submission.front();
        required(*set_, "submissionTime");
        for (const auto& [scheme, name] : {std::pair{uuid::set_unique_id, "uniqueId"},
                                           {uuid::set_source_id, "sourceId"},
                                           {uuid::set_patient_id, "patientId"}})
            if (identifier(*set_, scheme) == nullptr)
                error(set_, std::string("the submission set has no ") + name,
                      std::string("Le lot de soumission n'a pas de ") + name + ".");
        if (with(*set_, "Classification", "classificationScheme", uuid::set_content_type) == nullptr)
            error(set_, "the submission set has no contentTypeCode",
                  "Le lot de soumission n'a pas de type d'activité.");
    }

    void check_entry(const xmlNode& list, const xmlNode& entry, std::set<std::string>& described) {
        if (attribute(&entry, "objectType") != uuid::document_entry)
            error(&entry, "the object is no stable document entry", "Un objet de la fiche n'est pas un document.");
        const auto uri = required(entry, "URI");
        const auto hash = required(entry, "hash");
        const auto size = required(entry, "size");
        check_membership(list, entry);
        check_patient(entry);
        if (!uri) return;
        const auto file = files_.find(*uri);
        if (file == files_.end()) {
            error(slot(entry, "URI"), "the file that is described is not in the folder",
                  "Un document décrit dans la fiche n'est pas dans l'envoi.");
            return;
        }
        if (!described.insert(*uri).second)
            error(slot(entry, "URI"), "a file is described twice", "Un document de l'envoi est décrit deux fois.");
        const auto& bytes = file->second->bytes;
        if (hash && to_upper_ascii(*hash) != to_upper_ascii(to_hex(sha1(bytes))))
            error(slot(entry, "hash"), "the hash is not that of the file",
                  "Le document joint n'est pas celui que la fiche décrit (empreinte).");
        std::size_t announced = 0;
        if (size) {
            const auto [end, failed] = std::from_chars(size->data(), size->data() + size->size(), announced);
            if (failed != std::errc{} || end != size->data() + size->size() || announced != bytes.size())
                error(slot(entry, "size"), "the size is not that of the file",
                      "Le document joint n'est pas celui que la fiche décrit (taille).");
        }
        check_document(entry, bytes);
    }

    void check_membership(const xmlNode& list, const xmlNode& entry) {
        if (set_ == nullptr) return;
        const auto members = children(&list, "Association");
        const bool member = std::ranges::any_of(members, [&](const xmlNode* each) {
            return attribute(each, "associationType") == association::has_member &&
                   attribute(each, "sourceObject") == attribute(set_, "id") &&
                   attribute(each, "targetObject") == attribute(&entry, "id");
        });
        if (!member)
            error(&entry, "no HasMember association joins the document to the submission set",
                  "Un document n'est pas rattaché au lot de soumission.");
    }

    void check_patient(const xmlNode& entry) {
        const auto* mine = identifier(entry, uuid::patient_id);
        if (mine == nullptr) {
            error(&entry, "the document entry has no patientId", "Un document est décrit sans identifiant de patient.");
            return;
        }
        const auto* of_set = set_ == nullptr ? nullptr : identifier(*set_, uuid::set_patient_id);
        if (of_set != nullptr && attribute(mine, "value") != attribute(of_set, "value"))
            error(mine, "document and submission set name two patients",
                  "Le document et le lot de soumission désignent deux patients différents.");
    }

    /// The header of the CDA, where the file is one.
    void check_document(const xmlNode& entry, const std::string& bytes) {
        const auto document = cda::read(bytes);
        if (!document) return;  // a PDF, or a document that its own check refuses
        const auto differs = [&](const xmlNode* at, const char* name) {
            error(at == nullptr ? &entry : at, std::string(name) + " is not that of the document",
                  std::string("La fiche et le document ne disent pas la même chose : ") + name + ".");
        };
        const auto* unique = identifier(entry, uuid::unique_id);
        auto id = document->id.root;
        if (!document->id.extension.empty()) id += "^" + document->id.extension;
        if (unique == nullptr || attribute(unique, "value") != id) differs(unique, "uniqueId");
        if (const auto* type = with(entry, "Classification", "classificationScheme", uuid::type_code);
            type == nullptr || attribute(type, "nodeRepresentation") != document->code.code ||
            value_of(slot(*type, "codingScheme")) != document->code.system)
            differs(type, "typeCode");
        const auto* language = slot(entry, "languageCode");
        if (value_of(language) != document->language) differs(language, "languageCode");
        const auto* created = slot(entry, "creationTime");
        if (const auto time = utc_of(document->time.value); !time.empty() && !same_time(value_of(created), time))
            differs(created, "creationTime");
        // The patient of the metadata is one of those that the document names.
        const auto* patient = identifier(entry, uuid::patient_id);
        if (patient == nullptr) return;
        const auto cx = attribute(patient, "value");
        const auto names = [&](const cda::received::Id& each) {
            return cx.starts_with(each.extension + "^^^&" + each.root + "&") && !each.extension.empty();
        };
        if (std::ranges::none_of(document->patient.ids, names)) differs(patient, "patientId");
        const auto* ins = document->patient.ins();
        if (ins != nullptr && !names(*ins))
            warning(patient, "the document has an INS and patientId is another identifier",
                    "Le document porte une INS que la fiche n'utilise pas.");
    }

    const ArchiveMember& metadata_;
    std::map<std::string, const ArchiveMember*> files_;  ///< by the name that URI gives
    std::vector<Finding>& findings_;
    const xmlNode* set_{nullptr};
};

}  // namespace

std::vector<Finding> check_submissions(const std::vector<ArchiveMember>& members) {
    static const bool ready = [] {
        xmlInitParser();
        return true;
    }();
    static_cast<void>(ready);
    struct Folder {
        const ArchiveMember* metadata{nullptr};
        std::map<std::string, const ArchiveMember*> files;
    };
    std::map<std::string, Folder> folders;
    for (const auto& member : members) {
        const auto upper = to_upper_ascii(member.name);
        const auto second = upper.starts_with("IHE_XDM/") ? member.name.find('/', 8) : std::string::npos;
        if (second == std::string::npos) continue;
        auto& folder = folders[member.name.substr(0, second)];
        const auto inside = member.name.substr(second + 1);
        if (to_upper_ascii(inside) == "METADATA.XML")
            folder.metadata = &member;
        else
            folder.files.emplace(inside, &member);
    }
    std::vector<Finding> findings;
    for (auto& [name, folder] : folders) {
        if (folder.metadata == nullptr)
            findings.push_back({Finding::Severity::error, name, "the folder has no METADATA.XML",
                                "L'envoi n'a pas de fiche (METADATA.XML)."});
        else
            SubmissionCheck(*folder.metadata, std::move(folder.files), findings).run();
    }
    return findings;
}

}  // namespace sgl::xds
