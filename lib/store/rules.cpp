#include "lib/store/rules.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <stdexcept>

#include "lib/base/digest.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"

namespace sgl::store {

namespace {

namespace json = boost::json;

constexpr pg::Query find_set{"rules.find_set", "select id from rule_set where sha256 = $1"};
constexpr pg::Query insert_set{"rules.insert_set", R"sql(
    insert into rule_set (name, body, source, sha256, imported_at, imported_by) values ($1, $2::jsonb, $3, $4, $5, $6)
    on conflict (sha256) do nothing returning id)sql"};
constexpr pg::Query known_set{"rules.known_set", "select name from rule_set where id = $1"};
constexpr pg::Query insert_approval{"rules.insert_approval", R"sql(
    insert into rule_approval (legal_entity_id, site_id, rule_set_id, approved_at, approved_by, approver, active_from)
    values ($1, $2, $3, $4, $5, $6::jsonb, $7))sql"};
constexpr pg::Query all_sets{"rules.all_sets",
                             "select id, name, imported_at, imported_by from rule_set order by id desc"};
constexpr pg::Query all_approvals{"rules.all_approvals", R"sql(
    select rule_set_id, site_id, approver, approved_at, active_from from rule_approval
    where site_id = any($1::int[]) order by active_from desc, id desc)sql"};
constexpr pg::Query in_force{"rules.in_force", R"sql(
    select s.id, s.body from rule_set s where s.id = (
        select a.rule_set_id from rule_approval a where a.site_id = $1 and a.active_from <= $2
        order by a.active_from desc, a.id desc limit 1))sql"};
constexpr pg::Query put_evaluation{"rules.put_evaluation", R"sql(
    insert into rule_decision (legal_entity_id, site_id, order_id, revision, rule_set_id, at, actor, green, amber, red, results, confirmed)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, '{}')
    on conflict (order_id, revision, rule_set_id) where version_id is null
    do update set at = excluded.at, actor = excluded.actor, green = excluded.green, amber = excluded.amber, red = excluded.red,
                  results = excluded.results
    where rule_decision.results <> excluded.results
       or exists (select from rule_decision d where d.order_id = excluded.order_id and d.revision = excluded.revision
                    and d.version_id is null and d.at > rule_decision.at))sql"};
constexpr pg::Query put_signature{"rules.put_signature", R"sql(
    insert into rule_decision (legal_entity_id, site_id, order_id, revision, rule_set_id, at, actor, green, amber, red, results,
        confirmed, version_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12::jsonb, $13))sql"};
constexpr pg::Query find_past{"rules.past_reports", R"sql(
    select distinct on (v.set_id) v.id from report_version v
    where v.site_id = any($1::int[]) and v.validated_at >= $2 and v.validated_at < $3 and v.state = 'published'
    order by v.set_id, v.version desc)sql"};

json::value to_json(const domain::RuleText& text) {
    json::array fields;
    for (const auto& field : text.fields) {
        json::value value;
        if (field.list) {
            json::array values;
            for (const auto& each : field.values)
                values.emplace_back(each);
            value = std::move(values);
        } else {
            value = json::string(field.values.front());
        }
        fields.push_back(json::value{{"name", field.name}, {"value", std::move(value)}});
    }
    json::array parts;
    for (const auto& part : text.parts)
        parts.push_back(to_json(part));
    json::object made{{"kind", text.kind}, {"fields", std::move(fields)}};
    if (!parts.empty()) made["parts"] = std::move(parts);
    return made;
}

std::string string_of(const json::value& value) {
    return std::string(std::string_view(value.as_string()));
}

domain::RuleText rule_text(const json::value& kept) {
    domain::RuleText text;
    const auto& object = kept.as_object();
    text.kind = codec::member(kept, "kind");
    for (const auto& each : object.at("fields").as_array()) {
        domain::RuleText::Field field;
        field.name = codec::member(each, "name");
        const auto& value = each.as_object().at("value");
        field.list = value.is_array();
        if (field.list) {
            for (const auto& one : value.as_array())
                field.values.push_back(string_of(one));
        } else {
            field.values.push_back(string_of(value));
        }
        text.fields.push_back(std::move(field));
    }
    if (const auto* parts = object.if_contains("parts")) {
        for (const auto& part : parts->as_array())
            text.parts.push_back(rule_text(part));
    }
    return text;
}

json::value to_json(const domain::Judgement& judgement) {
    json::array findings;
    for (const auto& finding : judgement.findings) {
        json::object values;
        for (const auto& [name, value] : finding.values)
            values[name] = value;
        json::object one{{"kind", to_string(finding.kind)},
                         {"rule", finding.rule},
                         {"verdict", to_string(finding.verdict)},
                         {"reason", finding.reason}};
        if (finding.missing) one["missing"] = true;
        if (!values.empty()) one["values"] = std::move(values);
        findings.push_back(std::move(one));
    }
    return json::value{{"result", judgement.result.value()},
                       {"code", judgement.code},
                       {"verdict", to_string(judgement.verdict)},
                       {"findings", std::move(findings)}};
}

}  // namespace

asio::awaitable<RulesKept> keep_rules(pg::Pool& pool, RulesToKeep rules, std::string actor, Instant now) {
    const Sha256 digest = sha256(rules.source);
    const std::string hash(reinterpret_cast<const char*>(digest.data()), digest.size());
    json::array body;
    for (const auto& text : rules.texts)
        body.push_back(to_json(text));
    const std::string stored = codec::text(body);
    std::vector<std::int32_t> no_sites;
    pg::Transaction transaction = co_await pool.begin(no_sites);
    pg::Params values = pg::params(rules.name, pg::Json{stored}, rules.source, pg::Bytes{hash}, now, actor);
    const pg::Rows written = co_await transaction.query(insert_set, std::move(values));
    RulesKept kept;
    if (written.empty()) {
        pg::Params key = pg::params(pg::Bytes{hash});
        const pg::Rows known = co_await transaction.query(find_set, std::move(key));
        co_await transaction.rollback();
        kept.number = known[0].int32(0);
        kept.before = true;
        co_return kept;
    }
    kept.number = written[0].int32(0);
    std::vector<AuditEvent> events(1);
    auto& event = events.front();
    event.actor = std::move(actor);
    event.action = "import_rules";
    event.object = "rule_set:" + std::to_string(kept.number);
    const json::value payload{{"name", rules.name}, {"sha256", to_hex(digest)}};
    event.payload = codec::text(payload);
    std::vector<pg::Step> steps;
    steps.push_back(audit(events, now));
    co_await transaction.commit_with(std::move(steps));
    co_return kept;
}

asio::awaitable<Result<void>> approve_rules(pg::Pool& pool, RulesApproval approval) {
    std::vector<std::int32_t> scope;
    for (const auto& [site, entity] : approval.sites)
        scope.push_back(site.value());
    pg::Transaction transaction = co_await pool.begin(scope);
    const pg::Rows known = co_await transaction.query(known_set, pg::params(approval.number));
    if (known.empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "rule_set", "no rule set of that number"};
    }
    const std::string approver = codec::text(codec::to_json(approval.approver));
    std::vector<pg::Step> steps;
    std::vector<AuditEvent> events;
    for (const auto& [site, entity] : approval.sites) {
        steps.push_back(pg::Step{insert_approval, pg::params(entity, site, approval.number, approval.at, approval.user,
                                                             pg::Json{approver}, approval.active_from)});
        AuditEvent event;
        event.legal_entity = entity;
        event.site = site;
        event.actor = approval.actor;
        event.action = "approve_rules";
        event.object = "rule_set:" + std::to_string(approval.number);
        const json::value payload{{"name", known[0].text(0)}, {"active_from", to_iso8601(approval.active_from)}};
        event.payload = codec::text(payload);
        events.push_back(std::move(event));
    }
    steps.push_back(audit(events, approval.at));
    co_await transaction.commit_with(std::move(steps));
    co_return Result<void>{};
}

asio::awaitable<std::vector<RulesLine>> list_rules(pg::Pool& pool, std::vector<std::int32_t> sites) {
    pg::Transaction transaction = co_await pool.begin(sites);
    const pg::Rows sets = co_await transaction.query(all_sets);
    const pg::Rows approvals = co_await transaction.query(all_approvals, pg::params(sites));
    co_await transaction.rollback();
    std::vector<RulesLine> lines;
    for (const auto row : sets) {
        RulesLine line;
        line.number = row.int32(0);
        line.name = row.string(1);
        line.imported_at = row.instant(2);
        line.imported_by = row.string(3);
        for (const auto each : approvals) {
            if (each.int32(0) != line.number) continue;
            const auto who = codec::professional(codec::parse(each.text(2)));
            line.approvals.push_back(
                {domain::SiteId{each.int32(1)}, who.family + " " + who.given, each.instant(3), each.instant(4)});
        }
        lines.push_back(std::move(line));
    }
    co_return lines;
}

asio::awaitable<std::optional<KeptRules>> rules_in_force(pg::Transaction& transaction, domain::SiteId site,
                                                         Instant at) {
    const pg::Rows rows = co_await transaction.query(in_force, pg::params(site, at));
    std::optional<KeptRules> kept;
    if (rows.empty()) co_return kept;
    std::vector<domain::RuleText> texts;
    const json::value body = codec::parse(rows[0].text(1));
    for (const auto& each : body.as_array())
        texts.push_back(rule_text(each));
    auto set = domain::read_rule_set(texts);
    if (!set) throw std::runtime_error("a kept rule set can't be read any more: " + to_string(set.error()));
    kept.emplace();
    kept->number = rows[0].int32(0);
    kept->set = std::move(*set);
    co_return kept;
}

pg::Step keep_decision(const RuleDecision& decision) {
    const auto counts = domain::count(decision.judgements);
    json::array results;
    for (const auto& judgement : decision.judgements)
        results.push_back(to_json(judgement));
    const auto stored = codec::text(results);
    if (!decision.signature) {
        return {put_evaluation,
                pg::params(decision.legal_entity, decision.site, decision.order, decision.revision, decision.rules,
                           decision.at, decision.actor, counts.green, counts.amber, counts.red, pg::Json{stored})};
    }
    json::object confirmed;
    if (!decision.confirmed.empty()) {
        json::array ids;
        for (const auto id : decision.confirmed)
            ids.emplace_back(id.value());
        confirmed = {{"results", std::move(ids)}, {"why", decision.confirmed_why}};
    }
    const auto agreed = codec::text(confirmed);
    return {put_signature, pg::params(decision.legal_entity, decision.site, decision.order, decision.revision,
                                      decision.rules, decision.at, decision.actor, counts.green, counts.amber,
                                      counts.red, pg::Json{stored}, pg::Json{agreed}, *decision.signature)};
}

asio::awaitable<std::vector<domain::ReportVersionId>> past_reports(pg::Pool& pool, std::vector<std::int32_t> sites,
                                                                   Instant from, Instant to) {
    pg::Transaction transaction = co_await pool.begin(sites);
    const pg::Rows rows = co_await transaction.query(find_past, pg::params(sites, from, to));
    co_await transaction.rollback();
    std::vector<domain::ReportVersionId> found;
    for (const auto row : rows)
        found.emplace_back(row.uuid(0));
    co_return found;
}

std::vector<pg::Query> rules_queries() {
    return {find_set,      insert_set, known_set, insert_approval, all_sets,
            all_approvals, in_force,   find_past, put_evaluation,  put_signature};
}

}  // namespace sgl::store
