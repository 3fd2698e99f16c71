#include "lib/web/json.hpp"

#include <boost/json/array.hpp>

#include "lib/web/words.hpp"

namespace sgl::web::api {

namespace {

template <class T>
json::value id(const T& strong) {
    return json::value(to_string(strong.value()));
}

json::value moment(Instant at) { return json::value(to_iso8601(at)); }
json::value moment(const std::optional<Instant>& at) { return at ? moment(*at) : json::value(); }
json::value moment(const std::optional<Timestamp>& at) { return at ? json::value(to_hl7(*at)) : json::value(); }

template <class T, class Make>
json::array list(const std::vector<T>& items, Make make) {
    json::array array;
    for (const auto& item : items) array.push_back(make(item));
    return array;
}
json::array texts(const std::vector<std::string>& items) {
    return list(items, [](const std::string& item) { return json::value(item); });
}

json::value patient(const domain::Patient& who) {
    const auto& traits = who.traits.reveal();
    json::object object{{"id", id(who.id)},
                        {"local_id", who.local_id},
                        {"birth_name", traits.birth_name},
                        {"birth_given_names", traits.birth_given_names},
                        {"first_given_name", traits.first_given_name},
                        {"used_name", traits.used_name},
                        {"used_given_name", traits.used_given_name},
                        {"birth_date", moment(traits.birth_date)},
                        {"sex", to_string(traits.sex)},
                        {"identity_status", to_string(who.status)},
                        {"doubtful", who.doubtful},
                        {"fictitious", who.fictitious}};
    if (who.ins) {
        object["ins"] = json::value{{"matricule", who.ins->reveal().matricule.text()}, {"oid", who.ins->reveal().oid}};
    }
    return object;
}

json::value report_line(const store::ReportLine& line) {
    return {{"id", id(line.id)},
            {"version", line.version},
            {"kind", line.kind},
            {"state", line.state},
            {"validated_at", moment(line.validated_at)},
            {"validator", line.validator},
            {"published_at", moment(line.published_at)},
            {"refusal", line.refusal}};
}

}  // namespace

json::value to_json(const Error& error) {
    return {{"fault", to_string(error.fault)}, {"where", error.where}, {"what", error.what}};
}

json::value to_json(const store::User& user) {
    auto roles = list(user.roles, [](const store::SiteRole& held) -> json::value {
        return {{"site", held.site.id.value()}, {"finess", held.site.finess}, {"site_name", held.site.name}, {"role", to_string(held.role)}};
    });
    return {{"login", user.login}, {"name", user.name}, {"rpps", user.rpps.text()}, {"roles", std::move(roles)}};
}

json::value to_json(const store::Worklist& worklist) {
    auto rows = list(worklist.rows, [](const store::WorklistRow& row) -> json::value {
        auto chapters = list(row.chapters, [](const store::ChapterCount& chapter) -> json::value {
            return {{"label", chapter.label}, {"results", chapter.results}, {"validated", chapter.validated}, {"abnormal", chapter.abnormal}, {"critical", chapter.critical}};
        });
        auto letters = list(row.letters, [](const store::ChannelState& letter) -> json::value {
            return {{"channel", to_string(letter.channel)}, {"state", to_string(letter.state)}, {"reason", to_string(letter.reason)}};
        });
        return {{"id", id(row.id)},
                {"number", row.number},
                {"site", row.site.value()},
                {"urgent", row.urgent},
                {"state", to_string(row.state)},
                {"registered_at", moment(row.registered_at)},
                {"last_event_at", moment(row.last_event_at)},
                {"patient", patient(row.patient)},
                {"prescriber", row.prescriber},
                {"chapters", std::move(chapters)},
                {"pending", texts(row.pending_exams)},
                {"unknown_codes", row.unknown_codes},
                {"late_results", row.late_results},
                {"report", row.report ? id(*row.report) : json::value()},
                {"letters", std::move(letters)}};
    });
    const auto& counts = worklist.counts;
    return {{"orders", std::move(rows)},
            {"cut", worklist.cut},
            {"counts", {{"to_validate", counts.to_validate}, {"waiting", counts.waiting}, {"reported", counts.reported}, {"urgent", counts.urgent}}}};
}

json::value to_json(const store::OrderView& order) {
    const auto kept = [](const store::KeptResult& result) -> json::value {
        return {{"id", result.id.value()},
                {"code", result.code},
                {"known", result.known},
                {"value", result.value},
                {"unit", result.unit},
                {"received_flags", result.received_flags},
                {"note", result.note},
                {"status", result.status},
                {"state", result.state},
                {"specimen", result.specimen_number},
                {"received_at", moment(result.received_at)}};
    };
    auto results = list(order.results, kept);
    auto set_aside = list(order.set_aside, [&](const store::KeptResult& result) {
        auto value = kept(result);
        auto& object = value.as_object();
        object["set_aside_by"] = result.settled_by;
        object["set_aside_at"] = moment(result.settled_at);
        object["reason"] = result.settled_why;
        return value;
    });
    auto specimens = list(order.specimens, [](const domain::Specimen& specimen) -> json::value {
        return {{"number", specimen.number}, {"type", specimen.type}, {"label", specimen.type_label}, {"collected_at", moment(specimen.collected_at)}, {"refusal", specimen.refusal}};
    });
    auto exams = list(order.exams, [](const domain::RequestedExam& exam) -> json::value {
        return {{"placer_number", exam.placer_number}, {"code", exam.code}, {"label", exam.label}, {"state", to_string(exam.state)}, {"reason", exam.reason}};
    });
    auto prior = list(order.prior, [](const domain::PriorResult& result) -> json::value {
        return {{"label", result.label}, {"value", result.value}, {"unit", result.unit}, {"range", result.range}, {"flag", result.flag},
                {"at", moment(result.at)}, {"laboratory", result.laboratory}};
    });
    return {{"id", id(order.id)},
            {"number", order.number},
            {"placer_group", order.placer_group},
            {"site", order.site.value()},
            {"row_version", order.row_version},
            {"state", to_string(order.state)},
            {"urgent", order.urgent},
            {"patient", patient(order.patient)},
            {"prescriber", order.prescriber},
            {"copies", texts(order.copies)},
            {"collector", order.collector},
            {"prescribed_at", moment(order.prescribed_at)},
            {"registered_at", moment(order.registered_at)},
            {"clinical_context", order.clinical_context},
            {"exams", std::move(exams)},
            {"specimens", std::move(specimens)},
            {"results", std::move(results)},
            {"set_aside", std::move(set_aside)},
            {"prior_results", std::move(prior)},
            {"reports", list(order.reports, report_line)}};
}

namespace {

json::value to_json(const RulesOpinion& rules) {
    return {{"number", rules.number},
            {"name", rules.name},
            {"results", list(rules.judgements, [](const domain::Judgement& judgement) -> json::value {
                 return {{"id", judgement.result.value()},
                         {"verdict", to_string(judgement.verdict)},
                         {"implausible", judgement.implausible},
                         {"critical", judgement.critical},
                         {"findings", list(judgement.findings, [](const domain::Finding& finding) -> json::value {
                              json::object values;
                              for (const auto& [name, value] : finding.values) values[name] = value;
                              return {{"kind", to_string(finding.kind)},
                                      {"rule", finding.rule},
                                      {"verdict", to_string(finding.verdict)},
                                      {"missing", finding.missing},
                                      {"reason", finding.reason},
                                      {"values", std::move(values)}};
                          })}};
             })}};
}

}  // namespace

json::value to_json(const std::vector<store::RulesLine>& sets) {
    return {{"rule_sets", list(sets, [](const store::RulesLine& line) -> json::value {
                 return {{"number", line.number},
                         {"name", line.name},
                         {"imported_at", to_iso8601(line.imported_at)},
                         {"imported_by", line.imported_by},
                         {"approvals", list(line.approvals, [](const store::RulesLine::Approval& approval) -> json::value {
                              return {{"site", approval.site.value()},
                                      {"approver", approval.approver},
                                      {"at", to_iso8601(approval.at)},
                                      {"active_from", to_iso8601(approval.active_from)}};
                          })}};
             })}};
}

json::value to_json(const Draft& draft) {
    auto results = list(draft.results, [](const domain::ReportedLine& result) -> json::value {
        const auto& r = result.reported;
        json::object object{{"id", result.result.value()},
                            {"chapter", result.chapter_label},
                            {"local_code", r.local_code},
                            {"loinc", r.loinc},
                            {"label", r.label},
                            {"value", domain::to_french(r.value)},
                            {"low", r.range.low ? r.range.low->text() : ""},
                            {"high", r.range.high ? r.range.high->text() : ""},
                            {"flag", to_string(r.flag)},
                            {"comment", r.comment}};
        if (const auto* const quantity = std::get_if<domain::Quantity>(&r.value)) object["unit"] = quantity->unit;
        if (!result.isolate.empty()) {
            object["isolate"] = result.isolate;
            object["kind"] = domain::to_string(result.kind);
            object["preliminary"] = result.preliminary;
            object["printed"] = result.printed;
        }
        if (r.susceptible) object["susceptible"] = domain::to_string(*r.susceptible);
        if (r.not_done) object["not_done"] = true;
        if (r.previous) object["previous"] = json::value{{"value", domain::to_french(r.previous->value)}, {"at", to_hl7(r.previous->at)}};
        if (!r.earlier.empty())
            object["earlier"] = list(r.earlier, [](const domain::PreviousResult& before) -> json::value {
                return {{"value", domain::to_french(before.value)}, {"at", to_hl7(before.at)}};
            });
        if (!r.sub_chapter.empty()) object["sub_chapter"] = r.sub_chapter.label;
        return object;
    });
    auto letters = list(draft.letters, [](const domain::PlannedLetter& letter) -> json::value {
        return {{"channel", to_string(letter.channel)}, {"recipient", letter.recipient_name}, {"state", to_string(letter.state)}, {"reason", to_string(letter.reason)}};
    });
    return {{"results", std::move(results)},
            {"pending", texts(draft.pending)},
            {"provisional", texts(draft.provisional)},
            {"needs_reason", draft.needs_reason},
            {"letters", std::move(letters)},
            {"missing", list(draft.missing, [](const Error& error) { return to_json(error); })},
            {"rules", draft.rules ? to_json(*draft.rules) : json::value()}};
}

json::value to_json(const store::LetterLine& letter) {
    return {{"id", id(letter.id)},
            {"version", id(letter.version)},
            {"site", letter.site.value()},
            {"order_number", letter.order_number},
            {"channel", to_string(letter.channel)},
            {"act", to_string(letter.act)},
            {"recipient", letter.recipient_name},
            {"state", to_string(letter.state)},
            {"reason", to_string(letter.reason)},
            {"attempts", letter.attempts},
            {"created_at", moment(letter.created_at)},
            {"next_attempt_at", moment(letter.next_attempt_at)},
            {"accepted_at", moment(letter.accepted_at)},
            {"partner_reference", letter.partner_reference},
            {"possible_duplicate", letter.possible_duplicate},
            {"error_where", letter.error_where},
            {"error_what", letter.error_what}};
}

json::value to_json(const store::Letters& letters) {
    auto counts = list(letters.counts, [](const store::LetterCount& count) -> json::value { return {{"state", to_string(count.state)}, {"count", count.count}}; });
    return {{"letters", list(letters.rows, [](const store::LetterLine& line) { return to_json(line); })}, {"counts", std::move(counts)}, {"cut", letters.cut}};
}

json::value to_json(const store::ReportView& report) {
    auto documents = list(report.documents, [](const store::DocumentLine& document) -> json::value {
        return {{"variant", document.variant}, {"form", document.form}, {"oid", document.oid}, {"size", document.size}, {"sha256", document.sha256}};
    });
    auto value = report_line(report.line);
    auto& object = value.as_object();
    object["order"] = id(report.order);
    object["order_number"] = report.order_number;
    object["site"] = report.site.value();
    object["patient"] = patient(report.patient);
    object["ins_qualified"] = report.ins_qualified;
    object["comment"] = report.comment;
    object["document_oid"] = report.document_oid;
    object["versions"] = list(report.versions, report_line);
    object["documents"] = std::move(documents);
    object["letters"] = list(report.letters, [](const store::LetterLine& line) { return to_json(line); });
    return value;
}

json::value to_json(const store::WorkItems& items) {
    auto rows = list(items.rows, [](const store::WorkItemLine& item) -> json::value {
        return {{"id", item.id.value()},
                {"site", item.site.value()},
                {"kind", item.kind},
                {"coordinate", item.coordinate},
                {"what", item.what},
                {"order", item.order ? id(*item.order) : json::value()},
                {"order_number", item.order_number},
                {"holds_order", item.holds_order},
                {"created_at", moment(item.created_at)}};
    });
    return {{"work_items", std::move(rows)}, {"open", items.open}};
}

json::value to_json(const Account& account) {
    auto lines = list(account.lines, [](const AccountLine& line) -> json::value {
        auto channels = list(line.channels, [](const ChannelFigures& figures) -> json::value {
            return {{"channel", to_string(figures.channel)}, {"sent", figures.sent}, {"accepted", figures.accepted}, {"pending", figures.pending}, {"failed", figures.failed}};
        });
        auto reasons = list(line.reasons, [](const ReasonFigures& figures) -> json::value {
            return {{"channel", to_string(figures.channel)}, {"state", to_string(figures.state)}, {"reason", to_string(figures.reason)}, {"count", figures.count}};
        });
        return {{"site_finess", line.site_finess},
                {"site_name", line.site_name},
                {"month", line.month},
                {"reports", line.reports},
                {"with_qualified_ins", line.with_qualified_ins},
                {"channels", std::move(channels)},
                {"reasons", std::move(reasons)}};
    });
    return {{"instance", to_string(account.instance)}, {"lines", std::move(lines)}};
}

json::value to_json(const domain::Patient& who) { return patient(who); }

json::value to_json(const store::PatientFile& file) {
    auto value = patient(file.patient);
    auto& object = value.as_object();
    object["homonym"] = file.homonym;
    object["merged_into"] = file.merged_into ? id(*file.merged_into) : json::value();
    object["former_numbers"] = texts(file.former_numbers);
    object["history"] = list(file.steps, [](const store::IdentityStep& step) -> json::value {
        return {{"at", moment(step.at)}, {"was", to_string(step.was)}, {"is", to_string(step.is)}, {"ins_changed", step.ins_changed},
                {"traits_changed", step.was_traits.has_value()}, {"reliability", step.reliability}};
    });
    object["changes"] = list(file.turns, [](const store::IdentityTurn& turn) -> json::value {
        return {{"id", turn.id}, {"kind", turn.kind}, {"at", moment(turn.at)}, {"actor", turn.actor}, {"undone", turn.undone}, {"closed", turn.closed}};
    });
    object["orders"] = list(file.orders, [](const store::PatientOrder& order) -> json::value {
        return {{"id", id(order.id)}, {"number", order.number}, {"site", order.site.value()}, {"state", to_string(order.state)}, {"urgent", order.urgent},
                {"registered_at", moment(order.registered_at)}, {"exams", texts(order.exams)}, {"reports", list(order.reports, report_line)}};
    });
    object["misdirected"] = list(file.documents, [](const store::WrongDocument& document) -> json::value {
        return {{"change", document.change}, {"kind", document.kind}, {"letter", id(document.letter)}, {"channel", to_string(document.channel)},
                {"state", to_string(document.state)}, {"certain", document.certain}, {"withdrawn", document.withdrawn}, {"closed", document.closed},
                {"order", id(document.order)}, {"order_number", document.order_number}, {"row_version", document.seen_version},
                {"report", id(document.report)}, {"version", document.version}, {"document_oid", document.document_oid}};
    });
    return value;
}

json::value to_json(const ValidationDone& done) {
    return {{"report", id(done.version)}, {"version", done.number}, {"validated_at", moment(done.validated_at)}};
}

}  // namespace sgl::web::api
