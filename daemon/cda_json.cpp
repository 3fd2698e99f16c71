#include "daemon/cda_json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <string>

#include "lib/base/digest.hpp"

namespace sgl::daemon {

namespace {

namespace json = boost::json;
using namespace cda::received;
using Row = cda::received::Result;

class Object {
public:
    Object& put(std::string_view key, const std::string& text) {
        if (!text.empty()) object_[key] = text;
        return *this;
    }
    Object& put(std::string_view key, json::value value) {
        const auto* object = value.if_object();
        const auto* array = value.if_array();
        if (!value.is_null() && !(object != nullptr && object->empty()) && !(array != nullptr && array->empty()))
            object_[key] = std::move(value);
        return *this;
    }
    json::value take() { return std::move(object_); }

private:
    json::object object_;
};

json::value to_json(const std::string&);
json::value to_json(const Id&);
json::value to_json(const Coded::Qualifier&);
json::value to_json(const Coded&);
json::value to_json(const Moment&);
json::value to_json(const Amount&);
json::value to_json(const Value&);
json::value to_json(const NamePart&);
json::value to_json(const Name&);
json::value to_json(const AddressPart&);
json::value to_json(const Address&);
json::value to_json(const Telecom&);
json::value to_json(const Organisation&);
json::value to_json(const Party&);
json::value to_json(const Participation&);
json::value to_json(const Patient&);
json::value to_json(const ServiceEvent&);
json::value to_json(const RelatedDocument&);
json::value to_json(const Consent&);
json::value to_json(const Encounter&);
json::value to_json(const Group::Specimen&);
json::value to_json(const Range::Condition&);
json::value to_json(const Range&);
json::value to_json(const Section&);
json::value to_json(const Group&);
json::value to_json(const Collection&);
json::value to_json(const Comment&);
json::value to_json(const File&);
json::value to_json(const Rest&);
json::value to_json(const Document&);

template <class T>
json::value list(const std::vector<T>& all) {
    json::array array;
    for (const auto& each : all)
        array.push_back(to_json(each));
    return array;
}

template <class T>
json::value maybe(const std::optional<T>& each) {
    return each ? to_json(*each) : json::value();
}

json::value to_json(const std::string& text) {
    return json::string(text);
}

json::value to_json(const Id& id) {
    return Object()
        .put("root", id.root)
        .put("extension", id.extension)
        .put("authority", id.authority)
        .put("null_flavor", id.null_flavor)
        .take();
}

json::value to_json(const Coded::Qualifier& qualifier) {
    return Object().put("name", to_json(qualifier.name)).put("value", to_json(qualifier.value)).take();
}
json::value to_json(const Coded& coded) {
    return Object()
        .put("code", coded.code)
        .put("system", coded.system)
        .put("label", coded.display)
        .put("null_flavor", coded.null_flavor)
        .put("text", coded.text)
        .put("anchor", coded.anchor)
        .put("translations", list(coded.translations))
        .put("qualifiers", list(coded.qualifiers))
        .take();
}

json::value to_json(const Moment& moment) {
    if (moment.low.empty() && moment.high.empty() && moment.null_flavor.empty()) {
        if (moment.value.empty()) return nullptr;
        return json::string(moment.value);
    }
    return Object()
        .put("value", moment.value)
        .put("low", moment.low)
        .put("high", moment.high)
        .put("null_flavor", moment.null_flavor)
        .take();
}

json::value to_json(const Amount& amount) {
    Object object;
    object.put("value", amount.value).put("unit", amount.unit);
    if (!amount.inclusive.empty()) object.put("inclusive", json::value(amount.inclusive == "true"));
    return object.put("null_flavor", amount.null_flavor).put("translations", list(amount.translations)).take();
}

json::value to_json(const Value& value) {
    Object object;
    object.put("type", value.type);
    if (value.amount)
        object.put("value", value.amount->value)
            .put("unit", value.amount->unit)
            .put("translations", list(value.amount->translations));
    return object.put("low", maybe(value.low))
        .put("high", maybe(value.high))
        .put("center", maybe(value.center))
        .put("width", maybe(value.width))
        .put("numerator", maybe(value.numerator))
        .put("denominator", maybe(value.denominator))
        .put("coded", to_json(value.coded))
        .put("time", to_json(value.time))
        .put("id", maybe(value.id))
        .put("media", value.media)
        .put("text", value.text)
        .put("null_flavor", value.null_flavor)
        .put("printed", to_text(value))
        .take();
}

json::value to_json(const NamePart& part) {
    return Object()
        .put("kind", part.kind)
        .put("qualifier", part.qualifier)
        .put("text", part.text)
        .put("null_flavor", part.null_flavor)
        .take();
}
json::value to_json(const Name& name) {
    return Object().put("parts", list(name.parts)).put("use", name.use).put("null_flavor", name.null_flavor).take();
}
json::value to_json(const AddressPart& part) {
    return Object().put("kind", part.kind).put("text", part.text).take();
}
json::value to_json(const Address& address) {
    return Object()
        .put("parts", list(address.parts))
        .put("use", address.use)
        .put("null_flavor", address.null_flavor)
        .take();
}
json::value to_json(const Telecom& telecom) {
    return Object().put("value", telecom.value).put("use", telecom.use).put("null_flavor", telecom.null_flavor).take();
}

json::value to_json(const Organisation& organisation) {
    return Object()
        .put("ids", list(organisation.ids))
        .put("names", list(organisation.names))
        .put("telecoms", list(organisation.telecoms))
        .put("addresses", list(organisation.addresses))
        .put("setting", to_json(organisation.setting))
        .take();
}

json::value to_json(const Party& party) {
    return Object()
        .put("class", party.class_code)
        .put("ids", list(party.ids))
        .put("code", to_json(party.code))
        .put("names", list(party.names))
        .put("telecoms", list(party.telecoms))
        .put("addresses", list(party.addresses))
        .put("device", to_json(party.device))
        .put("model", party.model)
        .put("software", party.software)
        .put("organisation", maybe(party.organisation))
        .take();
}

json::value to_json(const Participation& participation) {
    return Object()
        .put("kind", participation.kind)
        .put("type", participation.type)
        .put("templates", list(participation.templates))
        .put("function", to_json(participation.function))
        .put("time", to_json(participation.time))
        .put("signature", participation.signature)
        .put("who", to_json(participation.who))
        .take();
}

json::value to_json(const Patient& patient) {
    Object object;
    if (const auto* ins = patient.ins()) object.put("ins", to_json(*ins));
    return object.put("ids", list(patient.ids))
        .put("names", list(patient.names))
        .put("gender", to_json(patient.gender))
        .put("birth", to_json(patient.birth))
        .put("birthplace_name", maybe(patient.birthplace_name))
        .put("birthplace", maybe(patient.birthplace))
        .put("telecoms", list(patient.telecoms))
        .put("addresses", list(patient.addresses))
        .put("deceased", patient.deceased)
        .put("deceased_time", to_json(patient.deceased_time))
        .put("multiple_birth", patient.multiple_birth)
        .put("multiple_birth_order", patient.multiple_birth_order)
        .put("guardians", list(patient.guardians))
        .put("provider", maybe(patient.provider))
        .take();
}

json::value to_json(const ServiceEvent& event) {
    return Object()
        .put("ids", list(event.ids))
        .put("code", to_json(event.code))
        .put("status", event.status)
        .put("time", to_json(event.time))
        .put("performers", list(event.performers))
        .take();
}

json::value to_json(const RelatedDocument& related) {
    return Object()
        .put("type", related.type)
        .put("ids", list(related.ids))
        .put("set_id", maybe(related.set_id))
        .put("version", related.version)
        .take();
}

json::value to_json(const Consent& consent) {
    return Object()
        .put("ids", list(consent.ids))
        .put("code", to_json(consent.code))
        .put("status", consent.status)
        .take();
}

json::value to_json(const Encounter& encounter) {
    return Object()
        .put("ids", list(encounter.ids))
        .put("code", to_json(encounter.code))
        .put("time", to_json(encounter.time))
        .put("discharge", to_json(encounter.discharge))
        .put("responsible", maybe(encounter.responsible))
        .put("participants", list(encounter.participants))
        .put("facility_ids", list(encounter.facility_ids))
        .put("facility", to_json(encounter.facility))
        .put("facility_names", list(encounter.facility_names))
        .put("facility_address", maybe(encounter.facility_address))
        .put("service_provider", maybe(encounter.service_provider))
        .take();
}

json::value to_json(const Group::Specimen& specimen) {
    return Object()
        .put("ids", list(specimen.ids))
        .put("class", specimen.class_code)
        .put("code", to_json(specimen.code))
        .put("names", list(specimen.names))
        .take();
}

json::value to_json(const Range::Condition& condition) {
    return Object()
        .put("code", to_json(condition.code))
        .put("values", list(condition.values))
        .put("text", condition.text)
        .take();
}
json::value to_json(const Range& range) {
    return Object()
        .put("values", list(range.values))
        .put("text", range.text)
        .put("code", to_json(range.code))
        .put("interpretation", to_json(range.interpretation))
        .put("conditions", list(range.conditions))
        .take();
}

std::string_view kind_of(Section::Kind kind) {
    switch (kind) {
        case Section::Kind::chapter:
            return "chapter";
        case Section::Kind::sub_chapter:
            return "sub_chapter";
        case Section::Kind::comment:
            return "comment";
        case Section::Kind::second_intention:
            return "second_intention";
        case Section::Kind::pdf_copy:
            return "pdf_copy";
        case Section::Kind::other:
            return "other";
    }
    return {};
}

std::string_view kind_of(Group::Kind kind) {
    switch (kind) {
        case Group::Kind::entry:
            return "entry";
        case Group::Kind::battery:
            return "battery";
        case Group::Kind::isolate:
            return "isolate";
        case Group::Kind::attached_document:
            return "attached_document";
        case Group::Kind::other:
            return "other";
    }
    return {};
}

json::value index(std::optional<std::size_t> at) {
    return at ? json::value(*at) : json::value();
}

json::value to_json(const Section& section) {
    return Object()
        .put("kind", std::string(kind_of(section.kind)))
        .put("where", section.where)
        .put("parent", index(section.parent))
        .put("templates", list(section.templates))
        .put("ids", list(section.ids))
        .put("code", to_json(section.code))
        .put("title", section.title)
        .put("text", section.text)
        .put("participations", list(section.participations))
        .take();
}

std::string titled(const Section& section) {
    return section.title.empty() ? section.code.display : section.title;
}

// Who reads one line alone must see where it stands: chapter, sub-chapter, battery, isolate and laboratory in words.
void place(Object& object, const Document& document, const Row& result) {
    const auto& section = document.sections[result.section];
    if (section.parent) {
        object.put("chapter", titled(document.sections[*section.parent])).put("sub_chapter", titled(section));
    } else {
        object.put("chapter", titled(section));
    }
    for (auto at = result.group; at; at = document.groups[*at].parent) {
        const auto& group = document.groups[*at];
        if (group.kind == Group::Kind::battery && !group.code.empty()) {
            std::string name = group.code.display.empty() ? group.code.text : group.code.display;
            if (name.empty() && !group.code.translations.empty()) name = group.code.translations.front().display;
            object.put("battery", name);
        }
        if (group.kind == Group::Kind::isolate && !group.specimens.empty()) {
            const auto& germ = group.specimens.front().code;
            object.put("isolate", germ.text.empty() ? germ.display : germ.text);
        }
    }
    if (const auto* performer = document.performer_of(result); performer != nullptr && performer->who.organisation)
        object.put("laboratory", performer->who.organisation->name());
}

json::value line(const Document* document, const Row& result) {
    Object object;
    if (document != nullptr) place(object, *document, result);
    json::array previous;
    for (const auto& each : result.previous)
        previous.push_back(line(nullptr, each));
    json::array parts;
    for (const auto& each : result.parts)
        parts.push_back(line(nullptr, each));
    object.put("label", result.label()).put("code", to_json(result.code));
    if (document != nullptr) object.put("section", json::value(result.section)).put("group", index(result.group));
    return object.put("ids", list(result.ids))
        .put("status", result.status)
        .put("time", to_json(result.time))
        .put("values", list(result.values))
        .put("text", result.text)
        .put("interpretations", list(result.interpretations))
        .put("methods", list(result.methods))
        .put("sites", list(result.sites))
        .put("ranges", list(result.ranges))
        .put("specimens", list(result.specimens))
        .put("participations", list(result.participations))
        .put("previous", std::move(previous))
        .put("parts", std::move(parts))
        .put("comments", list(result.comments))
        .put("where", result.where)
        .take();
}

json::value to_json(const Group& group) {
    json::array properties;
    for (const auto& each : group.properties)
        properties.push_back(line(nullptr, each));
    return Object()
        .put("kind", std::string(kind_of(group.kind)))
        .put("where", group.where)
        .put("section", json::value(group.section))
        .put("parent", index(group.parent))
        .put("ids", list(group.ids))
        .put("code", to_json(group.code))
        .put("status", group.status)
        .put("time", to_json(group.time))
        .put("text", group.text)
        .put("specimens", list(group.specimens))
        .put("participations", list(group.participations))
        .put("properties", std::move(properties))
        .take();
}

json::value to_json(const Collection& collection) {
    return Object()
        .put("where", collection.where)
        .put("section", json::value(collection.section))
        .put("group", index(collection.group))
        .put("ids", list(collection.ids))
        .put("code", to_json(collection.code))
        .put("status", collection.status)
        .put("text", collection.text)
        .put("time", to_json(collection.time))
        .put("sites", list(collection.sites))
        .put("specimens", list(collection.specimens))
        .put("received", to_json(collection.received))
        .put("participations", list(collection.participations))
        .put("comments", list(collection.comments))
        .take();
}

json::value to_json(const Comment& comment) {
    return Object()
        .put("where", comment.where)
        .put("section", json::value(comment.section))
        .put("group", index(comment.group))
        .put("text", comment.text)
        .put("participations", list(comment.participations))
        .take();
}

json::value to_json(const File& file) {
    Object object;
    object.put("where", file.where)
        .put("section", index(file.section))
        .put("group", index(file.group))
        .put("ids", list(file.ids))
        .put("anchor", file.anchor)
        .put("media", file.media)
        .put("representation", file.representation)
        .put("pointer", file.pointer)
        .put("size", json::value(file.bytes.size()))
        .put("sha256", to_hex(sha256(file.bytes)));
    if (file.damaged) object.put("damaged", json::value(true));
    if (file.bytes.starts_with("%PDF-")) object.put("pdf", json::value(true));
    return object.take();
}

json::value to_json(const Rest& rest) {
    return Object().put("where", rest.where).put("text", rest.text).take();
}

json::value header(const Document& document) {
    const bool structured = document.form == Document::Form::structured;
    return Object()
        .put("form", std::string(structured ? "N3" : "N1"))
        .put("envelope", document.envelope)
        .put("volet", document.volet)
        .put("realm", document.realm)
        .put("type_id", to_json(document.type_id))
        .put("templates", list(document.templates))
        .put("id", to_json(document.id))
        .put("set_id", to_json(document.set_id))
        .put("version", document.version)
        .put("code", to_json(document.code))
        .put("title", document.title)
        .put("time", to_json(document.time))
        .put("copy_time", to_json(document.copy_time))
        .put("confidentiality", to_json(document.confidentiality))
        .put("language", document.language)
        .put("patient", to_json(document.patient))
        .put("authors", list(document.authors))
        .put("custodian", maybe(document.custodian))
        .put("recipients", list(document.recipients))
        .put("legal_authenticator", maybe(document.legal_authenticator))
        .put("authenticators", list(document.authenticators))
        .put("prescriber", document.prescriber() == nullptr ? json::value() : to_json(*document.prescriber()))
        .put("others", list(document.others))
        .put("orders", list(document.orders))
        .put("services", list(document.services))
        .put("related", list(document.related))
        .put("consents", list(document.consents))
        .put("encounter", maybe(document.encounter))
        .take();
}

json::value to_json(const Document& document) {
    json::array results;
    for (const auto& each : document.results)
        results.push_back(line(&document, each));
    return Object()
        .put("header", header(document))
        .put("sections", list(document.sections))
        .put("groups", list(document.groups))
        .put("results", std::move(results))
        .put("collections", list(document.collections))
        .put("comments", list(document.comments))
        .put("files", list(document.files))
        .put("rest", list(document.rest))
        .take();
}

}  // namespace

json::value cda_json(const Document& document) {
    return to_json(document);
}

}  // namespace sgl::daemon
