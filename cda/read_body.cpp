// The body of a received document (spec/cr-bio.md 5), read as CDA R2 allows it: any nesting of acts, organizers and
// observations becomes the flat result table with its groups.
#include <algorithm>

#include "cda/detail_read.hpp"
#include "cda/templates.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"

namespace sgl::cda::detail {

namespace {

using received::Group;
using received::Section;

constexpr std::string_view second_intention = "1.2.250.1.213.1.1.2.60";

bool holds(const std::vector<std::string>& list, std::string_view wanted) {
    return std::ranges::find(list, wanted) != list.end();
}

class Body {
public:
    Body(Source& source, received::Document& document) : source_(source), document_(document) {}

    void section(const Element& element, std::optional<std::size_t> parent) {
        const auto index = document_.sections.size();
        document_.sections.emplace_back();
        Section section;
        section.where = element.path();
        section.parent = parent;
        source_.attribute(element, "ID");
        section.templates = source_.templates(element);
        section.ids = source_.ids(element);
        section.code = source_.coded(source_.one(element, "code"));
        section.title = source_.text(source_.one(element, "title"));
        if (const auto* text = source_.one(element, "text")) {
            source_.whole(*text);
            section.text = narrative_text(*text);
        }
        section.participations = source_.participations(element);
        section.kind = kind_of(section, parent.has_value());
        document_.sections[index] = std::move(section);
        for (const auto* entry : source_.many(element, "entry")) {
            source_.templates(*entry);
            statements(*entry, {index, std::nullopt, nullptr});
        }
        for (const auto* component : source_.many(element, "component"))
            for (const auto* part : source_.many(*component, "section"))
                this->section(*part, index);
    }

    void file(const Element& holder, const Element& value, std::optional<std::size_t> in_section,
              std::optional<std::size_t> in_group) {
        received::File file;
        file.where = holder.path();
        file.section = in_section;
        file.group = in_group;
        file.ids = source_.ids(holder);
        file.anchor = source_.attribute(holder, "ID");
        file.media = source_.attribute(value, "mediaType");
        file.representation = source_.attribute(value, "representation");
        source_.attribute(value, "xsi:type");
        if (const auto* reference = source_.one(value, "reference"))
            file.pointer = source_.attribute(*reference, "value");
        auto words = source_.words(value);
        if (file.representation == "B64") {
            auto bytes = base64_decode(words);
            file.damaged = !bytes;
            file.bytes = bytes ? std::move(*bytes) : std::move(words);
        } else {
            file.bytes = std::move(words);
        }
        document_.files.push_back(std::move(file));
    }

private:
    struct Context {
        std::size_t section;
        std::optional<std::size_t> group;
        received::Result* result;
    };

    static Section::Kind kind_of(const Section& section, bool nested) {
        if (holds(section.templates, templates::chapter_fr) || holds(section.templates, templates::chapter_ihe))
            return Section::Kind::chapter;
        if (holds(section.templates, templates::sub_chapter_fr) || holds(section.templates, templates::sub_chapter_ihe))
            return Section::Kind::sub_chapter;
        if (holds(section.templates, templates::pdf_copy_section)) return Section::Kind::pdf_copy;
        if (holds(section.templates, second_intention)) return Section::Kind::second_intention;
        if (holds(section.templates, templates::comment_section_fr) || section.code.code == "55112-7")
            return Section::Kind::comment;
        return nested ? Section::Kind::sub_chapter : Section::Kind::other;
    }

    // Entry, entryRelationship and component hold one statement each; a reader takes whatever is there.
    void statements(const Element& holder, Context context) {
        for (const auto* each : holder.children) {
            const auto& name = each->name;
            if (name != "act" && name != "organizer" && name != "observation" && name != "procedure" &&
                name != "observationMedia")
                continue;
            source_.take(*each);
            const auto relation = holder.attribute("typeCode");
            if (name == "observation") {
                observation(*each, relation, context);
            } else if (name == "procedure") {
                procedure(*each, context);
            } else if (name == "observationMedia") {
                source_.templates(*each);
                if (const auto* value = source_.one(*each, "value"))
                    file(*each, *value, context.section, context.group);
            } else if (name == "act" && is_comment(*each)) {
                comment(*each, context);
            } else {
                group(*each, context);
            }
        }
    }

    void relations(const Element& element, const Context& context) {
        for (const auto* each : source_.many(element, "entryRelationship"))
            statements(*each, context);
        for (const auto* each : source_.many(element, "component"))
            statements(*each, context);
    }

    static bool is_comment(const Element& act) {
        const auto* code = act.child("code");
        if (code != nullptr && code->attribute("code") == "48767-8") return true;
        return std::ranges::any_of(act.all("templateId"), [](const Element* each) {
            const auto root = each->attribute("root");
            return root == templates::comment_fr || root == templates::comment_ihe || root == templates::comment_ccd;
        });
    }

    void comment(const Element& act, const Context& context) {
        source_.templates(act);
        if (const auto* code = source_.one(act, "code")) source_.whole(*code);
        if (const auto* status = source_.one(act, "statusCode")) source_.whole(*status);
        auto words = source_.text(source_.one(act, "text"));
        if (context.result != nullptr) {
            context.result->comments.push_back(std::move(words));
            return;
        }
        document_.comments.push_back(
            {act.path(), context.section, context.group, std::move(words), source_.participations(act)});
    }

    void group(const Element& element, Context context) {
        const auto index = document_.groups.size();
        document_.groups.emplace_back();
        Group group;
        group.where = element.path();
        group.section = context.section;
        group.parent = context.group;
        const auto class_code = source_.attribute(element, "classCode");
        const auto declared = source_.templates(element);
        if (element.name == "act")
            group.kind = Group::Kind::entry;
        else if (class_code == "BATTERY")
            group.kind = Group::Kind::battery;
        else if (holds(declared, templates::attached_document))
            group.kind = Group::Kind::attached_document;
        else if (holds(declared, templates::isolate_fr) || holds(declared, templates::isolate_ihe) ||
                 (class_code == "CLUSTER" && element.child("specimen") != nullptr))
            group.kind = Group::Kind::isolate;
        group.ids = source_.ids(element);
        group.code = source_.coded(source_.one(element, "code"));
        group.status = source_.code_of(element, "statusCode");
        group.time = source_.moment(source_.one(element, "effectiveTime"));
        group.text = source_.text(source_.one(element, "text"));
        group.specimens = specimens(element);
        group.participations = source_.participations(element);
        document_.groups[index] = std::move(group);
        relations(element, {context.section, index, nullptr});
    }

    std::vector<Group::Specimen> specimens(const Element& element) {
        std::vector<Group::Specimen> all;
        for (const auto* each : source_.many(element, "specimen"))
            if (const auto* role = source_.one(*each, "specimenRole")) all.push_back(source_.specimen(*role));
        return all;
    }

    void observation(const Element& element, std::string_view relation, const Context& context) {
        auto result = read_observation(element, context);
        const auto in = context.group;
        if (context.result == nullptr && in && document_.groups[*in].kind == Group::Kind::attached_document)
            document_.groups[*in].properties.push_back(std::move(result));
        else if (context.result == nullptr)
            document_.results.push_back(std::move(result));
        else if (relation == "REFR")
            context.result->previous.push_back(std::move(result));
        else
            context.result->parts.push_back(std::move(result));
    }

    received::Result read_observation(const Element& element, const Context& context) {
        received::Result result;
        result.where = element.path();
        result.section = context.section;
        result.group = context.group;
        source_.templates(element);
        result.ids = source_.ids(element);
        result.code = source_.coded(source_.one(element, "code"));
        result.status = source_.code_of(element, "statusCode");
        result.time = source_.moment(source_.one(element, "effectiveTime"));
        result.text = source_.text(source_.one(element, "text"));
        result.values = source_.values(element);
        for (const auto* each : source_.many(element, "interpretationCode"))
            result.interpretations.push_back(source_.coded(each));
        for (const auto* each : source_.many(element, "methodCode"))
            result.methods.push_back(source_.coded(each));
        for (const auto* each : source_.many(element, "targetSiteCode"))
            result.sites.push_back(source_.coded(each));
        result.specimens = specimens(element);
        result.participations = source_.participations(element);
        for (const auto* each : source_.many(element, "referenceRange"))
            if (const auto* range = source_.one(*each, "observationRange"))
                result.ranges.push_back(reference_range(*range));
        relations(element, {context.section, context.group, &result});
        return result;
    }

    received::Range reference_range(const Element& element) {
        received::Range range;
        range.code = source_.coded(source_.one(element, "code"));
        range.text = source_.text(source_.one(element, "text"));
        range.values = source_.values(element);
        range.interpretation = source_.coded(source_.one(element, "interpretationCode"));
        for (const std::string_view name : {"lab:precondition", "precondition", "sdtc:precondition"})
            for (const auto* each : source_.many(element, name))
                for (const auto* criterion : each->children) {
                    if (!criterion->name.ends_with("criterion") && !criterion->name.ends_with("criterion1")) continue;
                    source_.take(*criterion);
                    received::Range::Condition condition;
                    for (const std::string_view prefix : {"", "lab:", "sdtc:"}) {
                        const auto named = [&](std::string_view local) { return std::string(prefix).append(local); };
                        if (const auto* code = source_.one(*criterion, named("code")))
                            condition.code = source_.coded(code);
                        if (const auto* text = source_.one(*criterion, named("text")))
                            condition.text = source_.text(text);
                        for (const auto* value : source_.many(*criterion, named("value")))
                            condition.values.push_back(source_.value(*value));
                    }
                    range.conditions.push_back(std::move(condition));
                }
        return range;
    }

    void procedure(const Element& element, const Context& context) {
        received::Collection collection;
        collection.where = element.path();
        collection.section = context.section;
        collection.group = context.group;
        source_.templates(element);
        collection.ids = source_.ids(element);
        collection.code = source_.coded(source_.one(element, "code"));
        collection.text = source_.text(source_.one(element, "text"));
        collection.status = source_.code_of(element, "statusCode");
        collection.time = source_.moment(source_.one(element, "effectiveTime"));
        for (const auto* each : source_.many(element, "targetSiteCode"))
            collection.sites.push_back(source_.coded(each));
        collection.specimens = specimens(element);
        for (const auto* each : element.all("participant")) {
            if (each->attribute("typeCode") != "PRD" && each->attribute("typeCode") != "SPC") continue;
            const auto* role = each->child("participantRole");
            if (role == nullptr) continue;
            source_.take(*each);
            source_.take(*role);
            source_.templates(*each);
            collection.specimens.push_back(source_.specimen(*role));
        }
        collection.participations = source_.participations(element);
        const auto index = document_.collections.size();
        document_.collections.push_back(std::move(collection));
        for (const auto* relation : source_.many(element, "entryRelationship")) {
            const auto* act = relation->child("act");
            if (act == nullptr || is_comment(*act)) {
                received::Result carrier;  // only its comments are wanted
                statements(*relation, {context.section, context.group, &carrier});
                auto& comments = document_.collections[index].comments;
                std::ranges::move(carrier.comments, std::back_inserter(comments));
                for (auto& part : carrier.previous)
                    document_.results.push_back(std::move(part));
                for (auto& part : carrier.parts)
                    document_.results.push_back(std::move(part));
                continue;
            }
            const auto* code = act->child("code");
            if (code == nullptr || code->attribute("code") != "SPRECEIVE") {
                statements(*relation, {context.section, context.group, nullptr});
                continue;
            }
            source_.one(*relation, "act");
            source_.templates(*act);
            source_.whole(*source_.one(*act, "code"));
            document_.collections[index].received = source_.moment(source_.one(*act, "effectiveTime"));
        }
    }

    Source& source_;
    received::Document& document_;
};

}  // namespace

void read_body(const Element& root, Source& source, received::Document& document) {
    Body body{source, document};
    for (const auto* component : source.many(root, "component")) {
        if (const auto* unstructured = source.one(*component, "nonXMLBody")) {
            document.form = received::Document::Form::unstructured;
            if (document.language.empty()) document.language = source.code_of(*unstructured, "languageCode");
            if (const auto* text = source.one(*unstructured, "text"))
                body.file(*unstructured, *text, std::nullopt, std::nullopt);
        }
        const auto* structured = source.one(*component, "structuredBody");
        if (structured == nullptr) continue;
        for (const auto* part : source.many(*structured, "component"))
            for (const auto* section : source.many(*part, "section"))
                body.section(*section, std::nullopt);
    }
}

}  // namespace sgl::cda::detail
