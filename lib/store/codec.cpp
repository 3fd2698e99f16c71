#include "lib/store/codec.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

namespace sgl::store::codec {

namespace {

const json::value* find(const json::value& value, std::string_view name) {
    const auto* object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

bool flag(const json::value& value, std::string_view name) {
    const auto* found = find(value, name);
    return found != nullptr && found->is_bool() && found->get_bool();
}

std::optional<Timestamp> timestamp(const json::value& value, std::string_view name) {
    const auto text = member(value, name);
    if (text.empty()) return std::nullopt;
    const auto parsed = Timestamp::parse(text);
    if (!parsed) throw std::runtime_error("a stored timestamp can't be read");
    return *parsed;
}

std::optional<Decimal> decimal(const json::value& value, std::string_view name) {
    const auto text = member(value, name);
    if (text.empty()) return std::nullopt;
    const auto parsed = Decimal::parse(text);
    if (!parsed) throw std::runtime_error("a stored number can't be read");
    return *parsed;
}

template <class T, class Parse>
T required(const json::value& value, std::string_view name, Parse parse) {
    const auto parsed = parse(member(value, name));
    if (!parsed) throw std::runtime_error("a stored identifier can't be read");
    return *parsed;
}

}  // namespace

json::value parse(std::string_view text) {
    boost::system::error_code ec;
    auto value = json::parse(text, ec);
    if (ec) throw std::runtime_error("a stored JSON value can't be read");
    return value;
}

std::string text(const json::value& value) {
    return json::serialize(value);
}

std::string member(const json::value& value, std::string_view name) {
    const auto* found = find(value, name);
    if (found == nullptr || !found->is_string()) return {};
    return std::string(std::string_view(found->get_string()));
}

json::value to_json(const domain::Address& address) {
    json::array lines;
    for (const auto& line : address.lines)
        lines.emplace_back(line);
    return {{"lines", std::move(lines)},
            {"postal_code", address.postal_code},
            {"city", address.city},
            {"country", address.country}};
}

domain::Address address(const json::value& value) {
    domain::Address address;
    if (const auto* lines = find(value, "lines"); lines != nullptr && lines->is_array()) {
        for (const auto& line : lines->get_array())
            address.lines.emplace_back(std::string_view(line.as_string()));
    }
    address.postal_code = member(value, "postal_code");
    address.city = member(value, "city");
    address.country = member(value, "country");
    return address;
}

json::value to_json(const domain::Professional& person) {
    return {{"rpps", person.rpps.text()},
            {"family", person.family},
            {"given", person.given},
            {"civility", person.civility},
            {"title", person.title},
            {"speciality", {{"code", person.speciality.code}, {"label", person.speciality.label}}},
            {"address", to_json(person.address)},
            {"phone", person.phone}};
}

domain::Professional professional(const json::value& value) {
    domain::Professional person;
    if (!member(value, "rpps").empty()) person.rpps = required<domain::Rpps>(value, "rpps", domain::Rpps::parse);
    person.family = member(value, "family");
    person.given = member(value, "given");
    person.civility = member(value, "civility");
    person.title = member(value, "title");
    if (const auto* speciality = find(value, "speciality")) {
        person.speciality = {member(*speciality, "code"), member(*speciality, "label")};
    }
    if (const auto* found = find(value, "address")) person.address = address(*found);
    person.phone = member(value, "phone");
    return person;
}

json::value to_json(const domain::RequestedExam& exam) {
    json::object stored{{"placer_number", exam.placer_number}, {"code", exam.code}, {"label", exam.label}};
    if (exam.state != domain::ExamState::requested) stored["state"] = to_string(exam.state);
    if (!exam.filler_number.empty()) stored["filler_number"] = exam.filler_number;
    if (!exam.parent.empty()) stored["parent"] = exam.parent;
    if (!exam.reason.empty()) stored["reason"] = exam.reason;
    if (!exam.specimens.empty()) {
        json::array numbers;
        for (const auto& number : exam.specimens)
            numbers.emplace_back(number);
        stored["specimens"] = std::move(numbers);
    }
    return stored;
}

domain::RequestedExam exam(const json::value& value) {
    domain::RequestedExam exam{member(value, "placer_number"), member(value, "code"), member(value, "label")};
    exam.state = domain::exam_state_of(member(value, "state"));
    exam.filler_number = member(value, "filler_number");
    exam.parent = member(value, "parent");
    exam.reason = member(value, "reason");
    if (const auto* numbers = value.as_object().if_contains("specimens")) {
        for (const auto& number : numbers->as_array())
            exam.specimens.emplace_back(std::string_view(number.as_string()));
    }
    return exam;
}

json::value to_json(const domain::PriorResult& prior) {
    return {{"code", prior.code},
            {"label", prior.label},
            {"value", prior.value},
            {"unit", prior.unit},
            {"range", prior.range},
            {"flag", prior.flag},
            {"at", prior.at ? to_hl7(*prior.at) : std::string()},
            {"laboratory", prior.laboratory}};
}

domain::PriorResult prior_result(const json::value& value) {
    domain::PriorResult prior;
    prior.code = member(value, "code");
    prior.label = member(value, "label");
    prior.value = member(value, "value");
    prior.unit = member(value, "unit");
    prior.range = member(value, "range");
    prior.flag = member(value, "flag");
    if (const auto at = Timestamp::parse(member(value, "at"))) prior.at = *at;
    prior.laboratory = member(value, "laboratory");
    return prior;
}

ValueColumns columns(const std::optional<domain::Value>& value) {
    if (!value) return {"n", "", "", "", ""};
    if (const auto* quantity = std::get_if<domain::Quantity>(&*value)) {
        return {"q", std::string(to_string(quantity->comparator)), quantity->number.text(), "", quantity->unit};
    }
    if (const auto* coded = std::get_if<domain::Coded>(&*value)) {
        // The code stands in `comparator`'s neighbour: system holds "<oid>|<code>".
        return {"c", "", coded->display, coded->system + "|" + coded->code, ""};
    }
    return {"t", "", std::get<domain::Words>(*value).text, "", ""};
}

json::value to_json(const domain::Value& value) {
    const auto c = columns(value);
    return {{"kind", c.kind}, {"comparator", c.comparator}, {"value", c.value}, {"system", c.system}, {"unit", c.unit}};
}

domain::Value value(const json::value& stored) {
    const auto kind = member(stored, "kind");
    const auto text = member(stored, "value");
    if (kind == "q") {
        domain::Quantity quantity;
        quantity.comparator = domain::comparator_of(member(stored, "comparator")).value_or(domain::Comparator::none);
        quantity.number = decimal(stored, "value").value();
        quantity.unit = member(stored, "unit");
        return quantity;
    }
    if (kind == "c") {
        const auto system = member(stored, "system");
        const auto bar = system.find('|');
        return domain::Coded{bar == std::string::npos ? "" : system.substr(bar + 1), system.substr(0, bar), text};
    }
    return domain::Words{text};
}

namespace {

/// The texts of a detail by their names.
constexpr std::array<std::pair<std::string_view, std::string domain::ResultDetail::*>, 11> detail_texts{{
    {"dilution", &domain::ResultDetail::dilution},
    {"repeat_status", &domain::ResultDetail::repeat_status},
    {"equipment", &domain::ResultDetail::equipment},
    {"observer", &domain::ResultDetail::observer},
    {"lots", &domain::ResultDetail::lots},
    {"interpretation", &domain::ResultDetail::interpretation},
    {"laboratory", &domain::ResultDetail::laboratory},
    {"laboratory_id", &domain::ResultDetail::laboratory_id},
    {"method", &domain::ResultDetail::method},
    {"reference_range", &domain::ResultDetail::reference_range},
    {"breakpoints", &domain::ResultDetail::breakpoints},
}};

}  // namespace

json::value to_json(const domain::ResultDetail& detail) {
    json::object object;
    for (const auto& [name, text] : detail_texts) {
        if (!(detail.*text).empty()) object[name] = detail.*text;
    }
    if (detail.susceptible) object["susceptible"] = domain::to_string(*detail.susceptible);
    if (detail.unprinted) object["unprinted"] = true;
    return object;
}

domain::ResultDetail result_detail(const json::value& value) {
    domain::ResultDetail detail;
    for (const auto& [name, text] : detail_texts)
        detail.*text = member(value, name);
    detail.susceptible = domain::susceptible_of(member(value, "susceptible"));
    const auto* hidden = value.as_object().if_contains("unprinted");
    detail.unprinted = hidden != nullptr && hidden->as_bool();
    return detail;
}

json::value to_json(const domain::ReportedResult& result) {
    json::object object{{"local_code", result.local_code},
                        {"loinc", result.loinc},
                        {"label", result.label},
                        {"loinc_label", result.loinc_label},
                        {"value", to_json(result.value)},
                        {"low", result.range.low ? result.range.low->text() : ""},
                        {"high", result.range.high ? result.range.high->text() : ""},
                        {"flag", to_string(result.flag)},
                        {"method", result.method},
                        {"comment", result.comment},
                        {"specimen", result.specimen_number.value_or("")},
                        {"measured_at", to_hl7(result.measured_at)}};
    if (!result.ordered_as.empty()) object["ordered_as"] = result.ordered_as;
    if (result.not_done) object["not_done"] = true;
    if (!result.range_text.empty()) object["range_text"] = result.range_text;
    if (result.performer)
        object["performer"] = json::value{{"name", result.performer->name}, {"number", result.performer->number}};
    if (result.corrected) object["corrected"] = true;
    if (result.susceptible) object["susceptible"] = domain::to_string(*result.susceptible);
    if (result.previous) {
        object["previous"] =
            json::value{{"value", to_json(result.previous->value)}, {"at", to_hl7(result.previous->at)}};
    }
    json::array earlier;
    for (const auto& before : result.earlier)
        earlier.push_back({{"value", to_json(before.value)}, {"at", to_hl7(before.at)}});
    if (!earlier.empty()) object["earlier"] = std::move(earlier);
    if (const auto& part = result.sub_chapter; !part.empty())
        object["sub_chapter"] = json::value{{"code", part.code}, {"label", part.label}};
    return object;
}

domain::ReportedResult reported_result(const json::value& stored) {
    domain::ReportedResult result;
    result.local_code = member(stored, "local_code");
    result.loinc = member(stored, "loinc");
    result.label = member(stored, "label");
    result.loinc_label = member(stored, "loinc_label");
    result.value = value(stored.at("value"));
    result.range = {decimal(stored, "low"), decimal(stored, "high")};
    result.flag = domain::flag_of(member(stored, "flag")).value_or(domain::Flag::none);
    result.susceptible = domain::susceptible_of(member(stored, "susceptible"));
    result.method = member(stored, "method");
    result.comment = member(stored, "comment");
    if (const auto specimen = member(stored, "specimen"); !specimen.empty()) result.specimen_number = specimen;
    result.measured_at = timestamp(stored, "measured_at").value();
    result.ordered_as = member(stored, "ordered_as");
    result.not_done = flag(stored, "not_done");
    result.range_text = member(stored, "range_text");
    if (const auto* performer = find(stored, "performer"))
        result.performer = domain::Performer{member(*performer, "name"), member(*performer, "number")};
    result.corrected = flag(stored, "corrected");
    if (const auto* previous = find(stored, "previous")) {
        result.previous = domain::PreviousResult{value(previous->at("value")), timestamp(*previous, "at").value()};
    }
    if (const auto* earlier = find(stored, "earlier")) {
        for (const auto& before : earlier->as_array())
            result.earlier.push_back({value(before.at("value")), timestamp(before, "at").value()});
    }
    if (const auto* part = find(stored, "sub_chapter"))
        result.sub_chapter = {member(*part, "code"), member(*part, "label")};
    return result;
}

json::value to_json(const domain::ReportedLine& line) {
    json::object object{
        {"chapter", line.chapter}, {"chapter_label", line.chapter_label}, {"result", to_json(line.reported)}};
    if (!line.isolate.empty()) object["isolate"] = line.isolate;
    if (domain::of_isolate(line.kind) || !line.isolate.empty()) object["kind"] = domain::to_string(line.kind);
    if (line.preliminary) object["preliminary"] = true;
    if (!line.printed) object["unprinted"] = true;
    return object;
}

domain::ReportedLine reported_line(const json::value& stored) {
    domain::ReportedLine line;
    line.chapter = member(stored, "chapter");
    line.chapter_label = member(stored, "chapter_label");
    line.reported = reported_result(stored.at("result"));
    line.isolate = member(stored, "isolate");
    line.kind = domain::value_kind_of(member(stored, "kind")).value_or(domain::ValueKind::numeric);
    line.preliminary = flag(stored, "preliminary");
    line.printed = !flag(stored, "unprinted");
    return line;
}

json::value to_json(const std::vector<domain::Awaited>& awaited) {
    json::array list;
    for (const auto& one : awaited)
        list.push_back({{"label", one.label}, {"chapter", one.chapter}, {"ordered_as", one.ordered_as}});
    return list;
}

std::vector<domain::Awaited> awaited(const json::value& stored) {
    std::vector<domain::Awaited> awaited;
    for (const auto& one : stored.as_array())
        awaited.push_back({member(one, "label"), member(one, "chapter"), member(one, "ordered_as")});
    return awaited;
}

json::value to_json(const domain::Patient& patient) {
    const auto& traits = patient.traits.reveal();
    json::object object{{"id", to_string(patient.id.value())},
                        {"local_id", patient.local_id},
                        {"local_authority", patient.local_authority_oid},
                        {"birth_name", traits.birth_name},
                        {"birth_given_names", traits.birth_given_names},
                        {"first_given_name", traits.first_given_name},
                        {"used_name", traits.used_name},
                        {"used_given_name", traits.used_given_name},
                        {"birth_date", traits.birth_date ? to_hl7(*traits.birth_date) : ""},
                        {"sex", to_string(traits.sex)},
                        {"birth_place", traits.birth_place},
                        {"address", to_json(traits.address)},
                        {"phone", traits.phone},
                        {"status", to_string(patient.status)},
                        {"doubtful", patient.doubtful},
                        {"fictitious", patient.fictitious},
                        {"dmp_opposed", patient.choices.dmp_opposed},
                        {"messaging_opposed", patient.choices.messaging_opposed}};
    if (patient.ins) {
        object["ins_matricule"] = patient.ins->reveal().matricule.text();
        object["ins_oid"] = patient.ins->reveal().oid;
    }
    return object;
}

domain::Patient patient(const json::value& stored) {
    domain::Patient patient;
    patient.id = domain::PatientId{required<Uuid>(stored, "id", Uuid::parse)};
    patient.local_id = member(stored, "local_id");
    patient.local_authority_oid = member(stored, "local_authority");
    auto& traits = patient.traits.reveal();
    traits.birth_name = member(stored, "birth_name");
    traits.birth_given_names = member(stored, "birth_given_names");
    traits.first_given_name = member(stored, "first_given_name");
    traits.used_name = member(stored, "used_name");
    traits.used_given_name = member(stored, "used_given_name");
    traits.birth_date = timestamp(stored, "birth_date");
    traits.sex = domain::sex_of(member(stored, "sex"));
    traits.birth_place = member(stored, "birth_place");
    if (const auto* found = find(stored, "address")) traits.address = address(*found);
    traits.phone = member(stored, "phone");
    patient.status = domain::identity_status_of(member(stored, "status")).value_or(domain::IdentityStatus::provisional);
    patient.doubtful = flag(stored, "doubtful");
    patient.fictitious = flag(stored, "fictitious");
    patient.choices = {flag(stored, "dmp_opposed"), flag(stored, "messaging_opposed")};
    if (const auto matricule = member(stored, "ins_matricule"); !matricule.empty()) {
        domain::Ins ins{required<domain::InsMatricule>(stored, "ins_matricule", domain::InsMatricule::parse),
                        member(stored, "ins_oid")};
        patient.ins = Personal<domain::Ins>{std::move(ins)};
    }
    return patient;
}

}  // namespace sgl::store::codec
