// How an order message becomes rows.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>
#include <set>

#include "lib/base/failpoint.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/orders.hpp"
#include "lib/store/patients.hpp"
#include "lib/store/queries.hpp"
#include "lib/store/work_orders.hpp"
#include "lib/store/work_rows.hpp"

namespace sgl::store {

namespace {

namespace json = boost::json;

// Two messages that begin one prescription wait for each other: the second finds the order of the first.
constexpr pg::Query one_at_a_time{"order_taking.one_at_a_time", R"sql(
    select pg_advisory_xact_lock(hashtextextended($1, 0))::text)sql"};

constexpr pg::Query meant_orders{"order_taking.meant_orders", R"sql(
    with meant as materialized (
        select k.order_id as id from unnest($2::text[]) as n(number)
        cross join lateral (select order_id from order_number where number = n.number and site_id = $1 offset 0) k
        union
        select o.id from unnest($3::text[]) as g(number)
        cross join lateral (select id from lab_order where placer_group = g.number and site_id = $1 and patient_id = $4
                            offset 0) o)
    select o.id, o.number, o.placer_group, o.state, o.prescriber, o.copies, o.clinical_context, o.urgent, o.exams,
           coalesce(o.patient_id = $4, false)
    from meant join lab_order o on o.id = meant.id
    order by o.id
    for no key update of o)sql"};

constexpr pg::Query meant_specimens{"order_taking.meant_specimens", R"sql(
    select id, number, type, type_label, collected_at, received_at, refusal_code, refusal, order_id from specimen
    where order_id = any($1::uuid[]) order by number)sql"};

constexpr pg::Query measured{"order_taking.measured", R"sql(
    select distinct r.order_id, coalesce(a.local_code, r.code) from result r left join analyte a on a.id = r.analyte_id
    where r.order_id = any($1::uuid[]) and r.value_kind <> 'n' and r.state not in ('superseded', 'set_aside'))sql"};

// What was not done and is asked again: its place in the report is free.
constexpr pg::Query ask_again{"order_taking.ask_again", R"sql(
    update result set state = 'superseded', settled_at = $3, settled_by = $4, settled_why = 'asked again'
    where order_id = $1 and code = any($2::text[]) and status = 'X' and value_kind = 'n' and state = 'raw')sql"};

constexpr pg::Query next_number{"order_taking.next_number", "select nextval('order_sequence')"};

constexpr pg::Query insert_order{"order_taking.insert_order", R"sql(
    insert into lab_order (id, legal_entity_id, site_id, patient_id, number, placer_group, state, prescriber, copies, collector,
        exams, prescribed_at, registered_at, stay_number, patient_class, clinical_context, urgent, last_event_at, link_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10::jsonb, $11::jsonb, $12, $13, $14, $15, $16, $17, $13, $18))sql"};

constexpr pg::Query change_order{"order_taking.change_order", R"sql(
    update lab_order set state = $2, prescriber = $3::jsonb, copies = $4::jsonb, clinical_context = $5, urgent = $6,
        exams = $7::jsonb, row_version = row_version + 1, last_event_at = $8,
        closed_at = case when $2 in ('registered', 'in_progress', 'partially_reported') then null else coalesce(closed_at, $8) end
    where id = $1)sql"};

constexpr pg::Query insert_specimens{"order_taking.insert_specimens", R"sql(
    insert into specimen (id, legal_entity_id, site_id, order_id, number, type, type_label, collected_at, received_at,
        refusal_code, refusal, refused_at)
    select id, $1, $2, $3, number, type, label, collected, received, code, why, case when code || why = '' then null else $4::timestamptz end
    from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
         as t(id, number, type, label, collected, received, code, why))sql"};

constexpr pg::Query change_specimens{"order_taking.change_specimens", R"sql(
    update specimen s set collected_at = t.collected, received_at = t.received, refusal_code = t.code, refusal = t.why,
        refused_at = case when t.code || t.why = '' then null else coalesce(s.refused_at, $1) end
    from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[]) as t(id, collected, received, code, why)
    where s.id = t.id)sql"};

constexpr pg::Query insert_numbers{"order_taking.insert_numbers", R"sql(
    insert into order_number (site_id, legal_entity_id, number, kind, order_id)
    select $1, $2, number, kind, id from unnest($3::text[], $4::text[], $5::uuid[]) as t(number, kind, id))sql"};

constexpr pg::Query insert_not_done{"order_taking.insert_not_done", R"sql(
    insert into result (legal_entity_id, site_id, order_id, message_id, position, code, analyte_id, run, status, value_kind,
        comparator, value, value_system, unit, received_flags, note, specimen_number, measured_at, received_at, state)
    select $1, $2, id, $3, position, code, analyte, '', 'X', 'n', '', '', '', '', '', why, tube, at, $4, 'raw'
    from unnest($5::uuid[], $6::int[], $7::text[], $8::int[], $9::text[], $10::text[], $11::text[])
         as t(id, position, code, analyte, why, tube, at))sql"};

constexpr pg::Query insert_prior{"order_taking.insert_prior", R"sql(
    insert into prior_result (order_id, message_id, position, legal_entity_id, site_id, content)
    select $1, $2, position, $3, $4, content from unnest($5::int[], $6::jsonb[]) as t(position, content))sql"};

std::string hl7(const std::optional<Timestamp>& timestamp) {
    return timestamp ? to_hl7(*timestamp) : std::string();
}

template <class T>
std::string json_list(const std::vector<T>& items) {
    json::array list;
    for (const auto& item : items)
        list.push_back(codec::to_json(item));
    return codec::text(list);
}

/// Everything by which the message may name an order, so that more is found than is meant and nothing is missed.
pg::Params search_of(const Arrival& arrival, const domain::OrderRequest& request,
                     const std::optional<domain::PatientId>& patient) {
    std::set<std::string> numbers;
    std::set<std::string> groups;
    for (const auto& specimen : request.order.specimens)
        numbers.insert(specimen.number);
    for (const auto& line : request.lines) {
        for (const auto& number : {line.exam.placer_number, line.filler, line.exam.parent})
            numbers.insert(number);
        groups.insert(line.group);
    }
    pg::TextColumn number_column;
    for (const auto& number : numbers) {
        if (!number.empty()) number_column.add(number);
    }
    pg::TextColumn group_column;
    for (const auto& group : groups) {
        if (!group.empty()) group_column.add(group);
    }
    return pg::params(arrival.site, number_column, group_column, patient);
}

domain::KnownOrder known_order(const pg::Row& row) {
    domain::KnownOrder order;
    order.id = domain::OrderId{row.uuid(0)};
    order.number = row.string(1);
    order.group = row.string(2);
    order.state = domain::order_state_of(row.text(3));
    order.prescriber = codec::professional(codec::parse(row.text(4)));
    order.copies = rows::people(row.text(5));
    order.clinical_context = row.string(6);
    order.urgent = row.boolean(7);
    order.exams = rows::exams(row.text(8));
    order.same_patient = row.boolean(9);
    return order;
}

/// What the transaction writes for the orders of one decision.
class Writing {
public:
    Writing(const Arrival& arrival, const domain::OrderRequest& request, domain::Decision& decision,
            domain::MessageId message, Instant now)
        : arrival_(arrival), request_(request), decision_(decision), message_(message), now_(now) {}

    void orders(std::vector<pg::Step>& steps, const Uuid& patient) {
        for (std::size_t o = 0; o < decision_.orders.size(); ++o) {
            auto& order = decision_.orders[o];
            if (!order.touched) continue;
            const bool undone =
                std::ranges::any_of(decision_.not_done, [&](const auto& each) { return each.order == o; });
            if (undone && order.state == domain::OrderState::registered) order.state = domain::OrderState::in_progress;
            if (order.fresh)
                insert(steps, order, patient);
            else
                change(steps, order);
            specimens(steps, order);
            tell(order);
        }
        numbers(steps);
        not_done(steps);
        prior(steps);
    }

    void work(std::vector<pg::Step>& steps, const std::vector<domain::Trouble>& troubles) const {
        WorkRows rows;
        const auto add = [&](const domain::Trouble& trouble, const std::optional<Uuid>& order) {
            rows.add(arrival_.legal_entity, arrival_.site, trouble, message_, order);
        };
        for (const auto& trouble : troubles)
            add(trouble, main_order());
        for (const auto& line : decision_.lines) {
            if (line.refusal == domain::LineRefusal::none) continue;
            add({line.late ? "late_order_change" : "order_refused", line.coordinate,
                 line.what.empty() ? std::string(domain::english(line.refusal)) : line.what},
                line.order ? std::optional(decision_.orders[*line.order].id.value()) : std::nullopt);
        }
        for (const auto& tube : decision_.late_tubes) {
            add({"late_specimen_refusal", "SPM-20", "a specimen was refused whose results are there or signed"},
                order_of_tube(tube));
        }
        rows.steps(steps, now_);
    }

    const std::vector<AuditEvent>& events() const { return events_; }

private:
    void insert(std::vector<pg::Step>& steps, const domain::KnownOrder& order, const Uuid& patient) const {
        const auto& asked = request_.order;
        steps.push_back(pg::Step{
            insert_order, pg::params(order.id, arrival_.legal_entity, arrival_.site, patient, order.number, order.group,
                                     to_string(order.state), codec::text(codec::to_json(order.prescriber)),
                                     json_list(order.copies), codec::text(codec::to_json(asked.collector)),
                                     json_list(order.exams), hl7(asked.prescribed_at), now_, asked.stay_number,
                                     asked.patient_class, order.clinical_context, order.urgent, arrival_.link)});
    }

    void change(std::vector<pg::Step>& steps, const domain::KnownOrder& order) const {
        steps.push_back(pg::Step{
            change_order,
            pg::params(order.id, to_string(order.state), codec::text(codec::to_json(order.prescriber)),
                       json_list(order.copies), order.clinical_context, order.urgent, json_list(order.exams), now_)});
        if (order.asked_again.empty()) return;
        pg::TextColumn codes;
        for (const auto& code : order.asked_again)
            codes.add(code);
        steps.push_back(pg::Step{ask_again, pg::params(order.id, codes, now_, "link:" + arrival_.link_name)});
    }

    void specimens(std::vector<pg::Step>& steps, const domain::KnownOrder& order) const {
        pg::UuidColumn ids;
        pg::TextColumn numbers;
        pg::TextColumn types;
        pg::TextColumn labels;
        pg::TextColumn collected;
        pg::TextColumn received;
        pg::TextColumn codes;
        pg::TextColumn whys;
        pg::UuidColumn known_ids;
        pg::TextColumn known_collected;
        pg::TextColumn known_received;
        pg::TextColumn known_codes;
        pg::TextColumn known_whys;
        for (const auto& tube : order.specimens) {
            const bool fresh = std::ranges::find(order.new_tubes, tube.number) != order.new_tubes.end();
            (fresh ? ids : known_ids).add(fresh ? Uuid::v7(now_) : tube.id.value());
            (fresh ? collected : known_collected).add(hl7(tube.collected_at));
            (fresh ? received : known_received).add(hl7(tube.received_at));
            (fresh ? codes : known_codes).add(tube.refusal_code);
            (fresh ? whys : known_whys).add(tube.refusal);
            if (!fresh) continue;
            numbers.add(tube.number);
            types.add(tube.type);
            labels.add(tube.type_label);
        }
        if (ids.size() > 0) {
            steps.push_back(
                pg::Step{insert_specimens, pg::params(arrival_.legal_entity, arrival_.site, order.id, now_, ids,
                                                      numbers, types, labels, collected, received, codes, whys)});
        }
        if (known_ids.size() > 0) {
            steps.push_back(pg::Step{change_specimens, pg::params(now_, known_ids, known_collected, known_received,
                                                                  known_codes, known_whys)});
        }
    }

    /// Numbers that the order has not been found by so far.
    void numbers(std::vector<pg::Step>& steps) const {
        std::map<std::pair<std::string, std::string>, Uuid> fresh;
        for (const auto& order : decision_.orders) {
            if (!order.touched) continue;
            if (order.fresh) fresh.emplace(std::pair(order.number, "F"), order.id.value());
            for (std::size_t e = order.known_exams; e < order.exams.size(); ++e) {
                const auto& exam = order.exams[e];
                const auto known = order.exams.begin() + static_cast<std::ptrdiff_t>(order.known_exams);
                const auto had = [&](auto member) {
                    return std::find_if(order.exams.begin(), known, [&](const domain::RequestedExam& old) {
                               return old.*member == exam.*member;
                           }) != known;
                };
                if (!exam.placer_number.empty() && !had(&domain::RequestedExam::placer_number))
                    fresh.emplace(std::pair(exam.placer_number, "P"), order.id.value());
                if (!exam.filler_number.empty() && !had(&domain::RequestedExam::filler_number))
                    fresh.emplace(std::pair(exam.filler_number, "F"), order.id.value());
            }
            for (const auto& placer : order.new_placers)
                fresh.emplace(std::pair(placer, "P"), order.id.value());
            for (const auto& tube : order.new_tubes)
                fresh.emplace(std::pair(tube, "S"), order.id.value());
        }
        if (fresh.empty()) return;
        pg::TextColumn numbers;
        pg::TextColumn kinds;
        pg::UuidColumn orders;
        for (const auto& [number, order] : fresh) {
            numbers.add(number.first);
            kinds.add(number.second);
            orders.add(order);
        }
        steps.push_back(
            pg::Step{insert_numbers, pg::params(arrival_.site, arrival_.legal_entity, numbers, kinds, orders)});
    }

    void not_done(std::vector<pg::Step>& steps) const {
        if (decision_.not_done.empty()) return;
        pg::UuidColumn orders;
        pg::Int4Column positions;
        pg::TextColumn codes;
        pg::Int4Column analytes;
        pg::TextColumn whys;
        pg::TextColumn tubes;
        pg::TextColumn times;
        int position = 0;
        for (const auto& each : decision_.not_done) {
            const auto& order = decision_.orders[each.order];
            times.add(refused_at(order, each.tube));
            orders.add(order.id.value());
            positions.add(++position);
            codes.add(each.code);
            analytes.add(each.analyte.value());
            whys.add(each.reason);
            tubes.add(each.tube);
        }
        steps.push_back(pg::Step{insert_not_done, pg::params(arrival_.legal_entity, arrival_.site, message_, now_,
                                                             orders, positions, codes, analytes, whys, tubes, times)});
    }

    /// When the tube was looked at: that it can't be measured is true since then.
    std::string refused_at(const domain::KnownOrder& order, const std::string& number) const {
        const auto tube = std::ranges::find(order.specimens, number, &domain::Specimen::number);
        if (tube != order.specimens.end() && tube->received_at) return to_hl7(*tube->received_at);
        return to_hl7_utc(now_);
    }

    void prior(std::vector<pg::Step>& steps) const {
        const auto order = main_order();
        if (request_.prior.empty() || !order) return;
        pg::Int4Column positions;
        pg::JsonColumn contents;
        std::vector<std::string> texts;
        for (const auto& prior : request_.prior)
            texts.push_back(codec::text(codec::to_json(prior)));
        int position = 0;
        for (const auto& text : texts) {
            positions.add(++position);
            contents.add(pg::Json{text});
        }
        steps.push_back(pg::Step{
            insert_prior, pg::params(*order, message_, arrival_.legal_entity, arrival_.site, positions, contents)});
    }

    void tell(const domain::KnownOrder& order) {
        json::array acts;
        for (const auto& act : order.acts)
            acts.emplace_back(act);
        json::object payload{{"message", message_.value()}, {"acts", std::move(acts)}};
        if (order.fresh) payload["identity"] = codec::to_json(request_.order.patient);
        AuditEvent event;
        event.legal_entity = arrival_.legal_entity;
        event.site = arrival_.site;
        event.actor = "link:" + arrival_.link_name;
        event.action = order.fresh ? "register_order" : "change_order";
        event.object = "order:" + to_string(order.id.value());
        event.payload = codec::text(payload);
        events_.push_back(std::move(event));
    }

    /// The order that the message is about, as far as it is one.
    std::optional<Uuid> main_order() const {
        for (const auto& order : decision_.orders) {
            if (order.touched) return order.id.value();
        }
        return std::nullopt;
    }
    std::optional<Uuid> order_of_tube(const std::string& tube) const {
        for (const auto& order : decision_.orders) {
            if (order.same_patient &&
                std::ranges::find(order.specimens, tube, &domain::Specimen::number) != order.specimens.end())
                return order.id.value();
        }
        return std::nullopt;
    }

    const Arrival& arrival_;
    const domain::OrderRequest& request_;
    domain::Decision& decision_;
    domain::MessageId message_;
    Instant now_;
    std::vector<AuditEvent> events_;
};

/// Nothing is ordered for somebody whom the message may not order for; what it says of known lines stands.
domain::Decision refused_for_him(domain::OrderRequest request, std::vector<domain::KnownOrder> known,
                                 const domain::Catalogue& catalogue, const Error& why) {
    for (auto& line : request.lines) {
        if (domain::orders_something(line.control)) line.refused = domain::LineRefusal::identity;
    }
    auto decision = domain::decide(request, std::move(known), catalogue);
    for (auto& line : decision.lines) {
        if (line.refusal != domain::LineRefusal::identity) continue;
        line.coordinate = why.where;
        line.what = why.what;
    }
    return decision;
}

}  // namespace

asio::awaitable<Ordered> Orders::take(const Arrival& arrival, const domain::OrderRequest& request,
                                      const domain::Catalogue& catalogue, const AnswerForm& form, Instant now) {
    bool raced = false;
    try {
        co_return co_await take_once(arrival, request, catalogue, form, now);
    } catch (const pg::DatabaseError& error) {
        // Another message took one of the numbers meanwhile: looked at again, it is known.
        if (!error.is_unique_violation()) throw;
        raced = true;
    }
    if (raced) co_return co_await take_once(arrival, request, catalogue, form, now);
}

asio::awaitable<Ordered> Orders::take_once(const Arrival& arrival, const domain::OrderRequest& request,
                                           const domain::Catalogue& catalogue, const AnswerForm& form, Instant now) {
    failpoint("before_inbox_insert");
    const domain::MessageId message = co_await inbox_.next_id();
    const std::vector<std::int32_t> scope(1, arrival.site.value());
    pg::Transaction transaction = co_await pool_.begin(scope);
    const auto& patient = request.order.patient;
    const std::string turn =
        "order/" + std::to_string(arrival.site.value()) + "/" + patient.local_authority_oid + "/" + patient.local_id;
    std::vector<pg::Step> look;
    look.push_back(pg::Step{one_at_a_time, pg::params(turn)});
    look.push_back(Inbox::look_for(arrival));
    look.push_back(pg::Step{next_number, {}});
    const std::vector<pg::Rows> seen = co_await transaction.pipeline(std::move(look));
    Ordered done;
    done.kept = Inbox::found(arrival, seen[1]);
    if (done.kept.duplicate) {
        co_await transaction.rollback();
        co_return done;
    }
    // Who was merged meanwhile is found as the one who goes on, as his orders are.
    domain::LocalIdentifier number{patient.local_authority_oid, patient.local_id};
    const std::optional<FoundPatient> found_patient =
        co_await patients::find(transaction, arrival.legal_entity, std::move(number));
    std::optional<domain::PatientId> known_patient;
    if (found_patient) known_patient = found_patient->id;
    const pg::Rows meant = co_await transaction.query(meant_orders, search_of(arrival, request, known_patient));
    std::vector<domain::KnownOrder> known;
    std::vector<Uuid> ids;
    for (const auto row : meant) {
        known.push_back(known_order(row));
        ids.push_back(known.back().id.value());
    }
    if (!known.empty()) {
        std::vector<pg::Step> more;
        more.push_back(pg::Step{meant_specimens, pg::params(ids)});
        more.push_back(pg::Step{measured, pg::params(ids)});
        const std::vector<pg::Rows> found = co_await transaction.pipeline(std::move(more));
        for (auto& order : known) {
            for (const auto row : found[0]) {
                if (row.uuid(8) == order.id.value()) order.specimens.push_back(rows::specimen(row));
            }
            for (const auto row : found[1]) {
                if (row.uuid(0) == order.id.value()) order.measured.insert(row.string(1));
            }
        }
    }
    done.decision = domain::decide(request, known, catalogue);
    std::vector<domain::Trouble> troubles = arrival.reading.troubles;
    Uuid patient_id;
    if (request.orders_something() && std::ranges::any_of(done.decision.orders, &domain::KnownOrder::touched)) {
        const PatientPlace place{arrival.legal_entity, arrival.site, now};
        const Result<domain::PatientId> who = co_await patients::of_order(transaction, place, patient, troubles);
        if (who)
            patient_id = who->value();
        else
            done.decision = refused_for_him(request, std::move(known), catalogue, who.error());
    }
    for (auto& order : done.decision.orders) {
        if (!order.fresh) continue;
        order.id = domain::OrderId{Uuid::v7(now)};
        if (!order.number.empty()) continue;
        const auto day = TimeZone::utc().to_local(now, Precision::day);
        order.number =
            fmt::format("{:02}{:02}{:02}{:06}", day.year % 100, day.month, day.day, seen[2][0].int64(0) % 1000000);
    }

    Writing writing(arrival, request, done.decision, message, now);
    std::vector<pg::Step> steps;
    writing.orders(steps, patient_id);
    writing.work(steps, troubles);
    Arrival kept = arrival;
    const auto& lines = done.decision.lines;
    const auto refused = [](const auto& line) { return line.refusal != domain::LineRefusal::none; };
    kept.reading.quarantined |= !lines.empty() && std::ranges::all_of(lines, refused);
    kept.answer_errors = form(done.decision);
    for (const auto& order : done.decision.orders) {
        if (!order.touched || arrival.work_links.empty()) continue;
        steps.push_back(WorkOrders::due(order.id, arrival.site, arrival.legal_entity, arrival.work_links, now));
    }
    for (auto& step : Inbox::message_steps(kept, message, done.kept.reused, now))
        steps.push_back(std::move(step));
    if (!writing.events().empty()) steps.push_back(audit(writing.events(), now));
    co_await transaction.commit_with(std::move(steps));
    done.kept = Kept{message, false, kept.answer, kept.answer_errors, done.kept.reused};
    co_return done;
}

std::vector<pg::Query> order_taking_queries() {
    return {one_at_a_time,  meant_orders,    meant_specimens, measured,         ask_again,
            next_number,    insert_order,    change_order,    insert_specimens, change_specimens,
            insert_numbers, insert_not_done, insert_prior};
}

}  // namespace sgl::store
