#include "lib/store/laboratory_codec.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <stdexcept>

#include "lib/domain/mapping.hpp"

namespace sgl::store::codec {

namespace {

using namespace sgl::domain;

const json::value* find(const json::value& value, std::string_view name) {
    const auto* object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

void read(const json::value& value, std::string_view name, bool& to) {
    if (const auto* found = find(value, name)) to = found->as_bool();
}
void read(const json::value& value, std::string_view name, std::string& to) {
    if (const auto* found = find(value, name)) to = std::string(std::string_view(found->as_string()));
}
void read(const json::value& value, std::string_view name, unsigned& to) {
    if (const auto* found = find(value, name)) to = found->to_number<unsigned>();
}
void read(const json::value& value, std::string_view name, std::uint16_t& to) {
    if (const auto* found = find(value, name)) to = found->to_number<std::uint16_t>();
}
void read(const json::value& value, std::string_view name, std::size_t& to) {
    if (const auto* found = find(value, name)) to = found->to_number<std::size_t>();
}
void read(const json::value& value, std::string_view name, std::chrono::seconds& to) {
    if (const auto* found = find(value, name)) to = std::chrono::seconds(found->to_number<std::int64_t>());
}
void read(const json::value& value, std::string_view name, std::optional<unsigned>& to) {
    if (const auto* found = find(value, name)) to = found->to_number<unsigned>();
}
void read(const json::value& value, std::string_view name, std::vector<std::string>& to) {
    const auto* found = find(value, name);
    if (found == nullptr) return;
    to.clear();
    for (const auto& item : found->as_array())
        to.emplace_back(std::string_view(item.as_string()));
}
void read(const json::value& value, std::string_view name, TimeZone& to) {
    std::string text;
    read(value, name, text);
    if (text.empty()) return;
    const auto zone = TimeZone::find(text);
    if (!zone) throw std::runtime_error("a stored time zone is not known");
    to = *zone;
}
void read(const json::value& value, std::string_view name, std::optional<Decimal>& to) {
    std::string text;
    read(value, name, text);
    if (text.empty()) return;
    auto number = Decimal::parse(text);
    if (!number) throw std::runtime_error("a stored number can't be read");
    to = *number;
}

json::array texts(const std::vector<std::string>& all) {
    json::array array;
    for (const auto& text : all)
        array.emplace_back(text);
    return array;
}

json::object bounds(const Range& range) {
    json::object object;
    if (range.low) object["low"] = range.low->text();
    if (range.high) object["high"] = range.high->text();
    return object;
}

Range range(const json::value& value) {
    Range made;
    read(value, "low", made.low);
    read(value, "high", made.high);
    return made;
}

std::string_view to_string(Link::Acknowledgement mode) {
    switch (mode) {
        case Link::Acknowledgement::as_asked:
            return "as-asked";
        case Link::Acknowledgement::original:
            return "original";
        case Link::Acknowledgement::accept:
            return "accept";
    }
    return "";
}

std::string_view to_string(Link::WorkOrders when) {
    switch (when) {
        case Link::WorkOrders::none:
            return "none";
        case Link::WorkOrders::on_query:
            return "on_query";
        case Link::WorkOrders::push:
            return "push";
    }
    return "";
}

Link::WorkOrders work_orders(std::string_view text) {
    using enum Link::WorkOrders;
    for (const auto when : {none, on_query, push})
        if (to_string(when) == text) return when;
    throw std::runtime_error("a stored link says a way of work orders that is not known");
}

Link::Acknowledgement acknowledgement(std::string_view text) {
    using enum Link::Acknowledgement;
    for (const auto mode : {as_asked, original, accept})
        if (to_string(mode) == text) return mode;
    throw std::runtime_error("a stored acknowledgement mode is not known");
}

Link::Flag::Does flag_does(std::string_view text) {
    if (const auto does = flag_does_of(text)) return *does;
    throw std::runtime_error("a stored use of a flag is not known");
}

json::value to_json(const Link::Outgoing& out) {
    return {{"host", out.host},
            {"port", out.port},
            {"tls", out.tls},
            {"server_name", out.server_name},
            {"ca", out.ca},
            {"certificate", out.certificate},
            {"key", out.key},
            {"connect_timeout", out.connect_timeout.count()},
            {"answer_timeout", out.answer_timeout.count()}};
}

Link::Outgoing outgoing(const json::value& value) {
    Link::Outgoing out;
    read(value, "host", out.host);
    read(value, "port", out.port);
    read(value, "tls", out.tls);
    read(value, "server_name", out.server_name);
    read(value, "ca", out.ca);
    read(value, "certificate", out.certificate);
    read(value, "key", out.key);
    read(value, "connect_timeout", out.connect_timeout);
    read(value, "answer_timeout", out.answer_timeout);
    return out;
}

json::array codes(const std::vector<Link::Code>& all) {
    json::array array;
    for (const auto& code : all)
        array.push_back({{"theirs", code.theirs},
                         {"ours", code.ours},
                         {"unit", code.unit},
                         {"factor", code.factor ? code.factor->text() : ""},
                         {"at", code.at}});
    return array;
}

json::array words(const std::vector<Link::Word>& all) {
    json::array array;
    for (const auto& word : all)
        array.push_back({{"theirs", word.theirs}, {"ours", word.ours}});
    return array;
}

void read(const json::value& value, std::string_view name, std::vector<Link::Word>& to) {
    if (const auto* found = find(value, name)) {
        for (const auto& one : found->as_array())
            to.push_back({member(one, "theirs"), member(one, "ours")});
    }
}

json::array rules(const std::vector<Link::Rule>& all) {
    json::array array;
    for (const auto& rule : all)
        array.push_back({{"at", rule.at}, {"is", texts(rule.is)}, {"begins", texts(rule.begins)}});
    return array;
}

void read(const json::value& value, std::string_view name, std::vector<Link::Rule>& to) {
    if (const auto* found = find(value, name)) {
        for (const auto& one : found->as_array()) {
            Link::Rule rule;
            rule.at = member(one, "at");
            read(one, "is", rule.is);
            read(one, "begins", rule.begins);
            to.push_back(std::move(rule));
        }
    }
}

json::array flags(const std::vector<Link::Flag>& all) {
    json::array array;
    for (const auto& flag : all)
        array.push_back({{"theirs", flag.theirs}, {"does", domain::to_string(flag.does)}, {"text", flag.text}});
    return array;
}

ValueKind value_kind(std::string_view text) {
    if (const auto kind = domain::value_kind_of(text)) return *kind;
    throw std::runtime_error("a stored kind of examination is not known");
}

}  // namespace

json::value to_json(const LegalEntity& entity) {
    json::array biologists;
    for (const auto& biologist : entity.biologists_in_charge)
        biologists.push_back(to_json(biologist));
    return {{"name", entity.name},
            {"legal_form", entity.legal_form},
            {"oid", entity.oid},
            {"accreditation", entity.accreditation},
            {"biologists_in_charge", std::move(biologists)},
            {"address", to_json(entity.address)},
            {"phone", entity.phone}};
}

LegalEntity legal_entity(const json::value& value) {
    LegalEntity entity;
    read(value, "name", entity.name);
    read(value, "legal_form", entity.legal_form);
    read(value, "oid", entity.oid);
    read(value, "accreditation", entity.accreditation);
    read(value, "phone", entity.phone);
    if (const auto* found = find(value, "address")) entity.address = address(*found);
    if (const auto* found = find(value, "biologists_in_charge"))
        for (const auto& biologist : found->as_array())
            entity.biologists_in_charge.push_back(professional(biologist));
    return entity;
}

json::value to_json(const Site& site) {
    const auto& s = site.settings;
    return {{"name", site.name},
            {"address", to_json(site.address)},
            {"phone", site.phone},
            {"oid", site.oid},
            {"time_zone", site.time_zone.name()},
            {"settings",
             {{"dmp", s.dmp},
              {"mss_professionals", s.mss_professionals},
              {"mss_patient", s.mss_patient},
              {"dpi", s.dpi},
              {"mss_without_ins", s.mss_without_ins},
              {"dmp_documents", s.dmp_documents},
              {"content_type", s.content_type},
              {"facility_type", s.facility_type},
              {"practice_setting", s.practice_setting}}}};
}

Site site(const json::value& value) {
    Site site;
    read(value, "name", site.name);
    read(value, "phone", site.phone);
    read(value, "oid", site.oid);
    read(value, "time_zone", site.time_zone);
    if (const auto* found = find(value, "address")) site.address = address(*found);
    if (const auto* found = find(value, "settings")) {
        auto& s = site.settings;
        read(*found, "dmp", s.dmp);
        read(*found, "mss_professionals", s.mss_professionals);
        read(*found, "mss_patient", s.mss_patient);
        read(*found, "dpi", s.dpi);
        read(*found, "mss_without_ins", s.mss_without_ins);
        read(*found, "dmp_documents", s.dmp_documents);
        read(*found, "content_type", s.content_type);
        read(*found, "facility_type", s.facility_type);
        read(*found, "practice_setting", s.practice_setting);
    }
    return site;
}

json::value to_json(const Link& link) {
    json::array senders;
    for (const auto& sender : link.allowed_senders)
        senders.push_back({{"application", sender.application}, {"facility", sender.facility}});
    return {{"listener", link.listener},
            {"tls_subject", link.tls_subject},
            {"tls_fingerprint", link.tls_fingerprint},
            {"addresses", texts(link.addresses)},
            {"allowed_senders", std::move(senders)},
            {"order_source", link.order_source},
            {"identity_source", link.identity_source},
            {"processing_id", link.processing_id},
            {"charset", link.charset},
            {"number_paths", texts(link.number_paths)},
            {"code_paths", texts(link.code_paths)},
            {"decimal_comma", link.decimal_comma},
            {"no_value", texts(link.no_value)},
            {"default_status", link.default_status},
            {"time_zone", link.time_zone.name()},
            {"our_application", link.our_application},
            {"our_facility", link.our_facility},
            {"none_eof", link.none_eof},
            {"mllp_release", link.mllp_release},
            {"max_message_bytes", link.max_message_bytes},
            {"first_byte_timeout", link.first_byte_timeout.count()},
            {"frame_timeout", link.frame_timeout.count()},
            {"idle_timeout", link.idle_timeout.count()},
            {"acknowledgement", to_string(link.acknowledgement)},
            {"sequence_numbers", link.sequence_numbers},
            {"order_acknowledged", link.order_acknowledged},
            {"batch_answer", link.batch_answer},
            {"one_socket", link.one_socket},
            {"outgoing", to_json(link.outgoing)},
            {"work_orders", to_string(link.work_orders)},
            {"order_news", link.order_news},
            {"exams", texts(link.exams)},
            {"message_types", texts(link.message_types)},
            {"reject_bad_charset", link.reject_bad_charset},
            {"codes", codes(link.codes)},
            {"flags", flags(link.flags)},
            {"ignored_codes", texts(link.ignored_codes)},
            {"control_prefixes", texts(link.control_prefixes)},
            {"units", words(link.units)},
            {"values", words(link.values)},
            {"blanks", link.blanks},
            {"controls", rules(link.controls)},
            {"ignored", rules(link.ignored)},
            {"flag_paths", texts(link.flag_paths)},
            {"performing_laboratory", link.performing_laboratory},
            {"patient_authority", link.patient_authority}};
}

Link link(const json::value& value) {
    Link link;
    read(value, "listener", link.listener);
    read(value, "tls_subject", link.tls_subject);
    read(value, "tls_fingerprint", link.tls_fingerprint);
    read(value, "addresses", link.addresses);
    if (const auto* found = find(value, "allowed_senders"))
        for (const auto& sender : found->as_array())
            link.allowed_senders.push_back({member(sender, "application"), member(sender, "facility")});
    read(value, "order_source", link.order_source);
    read(value, "identity_source", link.identity_source);
    read(value, "processing_id", link.processing_id);
    read(value, "charset", link.charset);
    read(value, "number_paths", link.number_paths);
    read(value, "code_paths", link.code_paths);
    read(value, "decimal_comma", link.decimal_comma);
    read(value, "no_value", link.no_value);
    read(value, "default_status", link.default_status);
    read(value, "time_zone", link.time_zone);
    read(value, "our_application", link.our_application);
    read(value, "our_facility", link.our_facility);
    read(value, "none_eof", link.none_eof);
    read(value, "mllp_release", link.mllp_release);
    read(value, "max_message_bytes", link.max_message_bytes);
    read(value, "first_byte_timeout", link.first_byte_timeout);
    read(value, "frame_timeout", link.frame_timeout);
    read(value, "idle_timeout", link.idle_timeout);
    if (const auto* found = find(value, "acknowledgement"))
        link.acknowledgement = acknowledgement(std::string_view(found->as_string()));
    read(value, "sequence_numbers", link.sequence_numbers);
    read(value, "order_acknowledged", link.order_acknowledged);
    read(value, "order_news", link.order_news);
    read(value, "batch_answer", link.batch_answer);
    read(value, "one_socket", link.one_socket);
    if (const auto* found = find(value, "outgoing")) link.outgoing = outgoing(*found);
    if (const auto* found = find(value, "work_orders"))
        link.work_orders = work_orders(std::string_view(found->as_string()));
    read(value, "exams", link.exams);
    read(value, "message_types", link.message_types);
    read(value, "reject_bad_charset", link.reject_bad_charset);
    if (const auto* found = find(value, "codes")) {
        for (const auto& one : found->as_array()) {
            Link::Code code;
            code.theirs = member(one, "theirs");
            code.ours = member(one, "ours");
            code.unit = member(one, "unit");
            if (const auto factor = member(one, "factor"); !factor.empty())
                code.factor = Decimal::parse(factor).value();
            code.at = member(one, "at");
            link.codes.push_back(std::move(code));
        }
    }
    if (const auto* found = find(value, "flags")) {
        for (const auto& one : found->as_array())
            link.flags.push_back({member(one, "theirs"), flag_does(member(one, "does")), member(one, "text")});
    }
    read(value, "ignored_codes", link.ignored_codes);
    read(value, "control_prefixes", link.control_prefixes);
    read(value, "units", link.units);
    read(value, "values", link.values);
    read(value, "blanks", link.blanks);
    read(value, "controls", link.controls);
    read(value, "ignored", link.ignored);
    read(value, "flag_paths", link.flag_paths);
    read(value, "performing_laboratory", link.performing_laboratory);
    read(value, "patient_authority", link.patient_authority);
    return link;
}

json::value to_json(const Correspondent& correspondent) {
    return {{"professional", to_json(correspondent.professional)}, {"mss_address", correspondent.mss_address}};
}

Correspondent correspondent(const json::value& value) {
    Correspondent made;
    if (const auto* found = find(value, "professional")) made.professional = professional(*found);
    read(value, "mss_address", made.mss_address);
    return made;
}

json::value to_json(const Analyte& analyte) {
    json::array ranges;
    for (const auto& rule : analyte.ranges) {
        auto object = bounds(rule.range);
        if (rule.sex) object["sex"] = domain::to_string(*rule.sex);
        if (rule.age_from_days) object["age_from_days"] = *rule.age_from_days;
        if (rule.age_to_days) object["age_to_days"] = *rule.age_to_days;
        ranges.push_back(std::move(object));
    }
    json::array answers;
    for (const auto& answer : analyte.answers)
        answers.push_back({{"received", answer.received},
                           {"code", answer.coded.code},
                           {"system", answer.coded.system},
                           {"display", answer.coded.display},
                           {"flag", domain::to_string(answer.flag)}});
    json::object made{{"loinc", analyte.loinc},
                      {"label", analyte.label},
                      {"loinc_label", analyte.loinc_label},
                      {"chapter", analyte.chapter},
                      {"chapter_label", analyte.chapter_label},
                      {"panels", texts(analyte.panels)},
                      {"kind", domain::to_string(analyte.kind)},
                      {"unit", analyte.unit},
                      {"decimals", analyte.decimals},
                      {"specimen", analyte.specimen},
                      {"method", analyte.method},
                      {"critical", bounds(analyte.critical)},
                      {"ranges", std::move(ranges)},
                      {"answers", std::move(answers)},
                      {"position", analyte.position}};
    // Absent where there is none: an examination that did not change keeps its version.
    if (const auto& part = analyte.sub_chapter; !part.empty())
        made["sub_chapter"] = json::value{{"code", part.code}, {"label", part.label}};
    return made;
}

Analyte analyte(const json::value& value) {
    Analyte analyte;
    read(value, "loinc", analyte.loinc);
    read(value, "label", analyte.label);
    read(value, "loinc_label", analyte.loinc_label);
    read(value, "chapter", analyte.chapter);
    read(value, "chapter_label", analyte.chapter_label);
    if (const auto* part = find(value, "sub_chapter"))
        analyte.sub_chapter = {member(*part, "code"), member(*part, "label")};
    read(value, "panels", analyte.panels);
    analyte.kind = value_kind(member(value, "kind"));
    read(value, "unit", analyte.unit);
    read(value, "decimals", analyte.decimals);
    read(value, "specimen", analyte.specimen);
    read(value, "method", analyte.method);
    if (const auto* found = find(value, "critical")) analyte.critical = range(*found);
    if (const auto* found = find(value, "ranges")) {
        for (const auto& stored : found->as_array()) {
            RangeRule rule;
            rule.range = range(stored);
            if (const auto sex = member(stored, "sex"); !sex.empty()) rule.sex = sex_of(sex);
            read(stored, "age_from_days", rule.age_from_days);
            read(stored, "age_to_days", rule.age_to_days);
            analyte.ranges.push_back(std::move(rule));
        }
    }
    if (const auto* found = find(value, "answers")) {
        for (const auto& stored : found->as_array()) {
            CodedAnswer answer;
            answer.received = member(stored, "received");
            answer.coded = {member(stored, "code"), member(stored, "system"), member(stored, "display")};
            answer.flag = flag_of(member(stored, "flag")).value_or(Flag::none);
            analyte.answers.push_back(std::move(answer));
        }
    }
    read(value, "position", analyte.position);
    return analyte;
}

}  // namespace sgl::store::codec
