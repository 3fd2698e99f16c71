// How an order message becomes rows.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>
#include <set>

#include "lib/base/failpoint.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/desk_orders.hpp"
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
           coalesce(o.patient_id = $4, false), o.link_id,
           o.stay_number, o.patient_class
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
        refused_at = case when t.code || t.why = '' then null else coalesce(s.refused_at, $1) end,
        number = t.number, type = t.type, type_label = t.label
    from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
         as t(id, number, type, label, collected, received, code, why)
    where s.id = t.id)sql"};

// A number that a tube has no more must name nothing: the row goes to the number that the tube has instead.
constexpr pg::Query rename_tube{"order_taking.rename_tube", R"sql(
    update order_number set number = $4 where number = $3 and site_id = $1 and kind = 'S' and order_id = $2)sql"};

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

// ── The desk ──

constexpr pg::Query desk_done{"order_taking.desk_done", "select order_id from desk_deed where token = $1"};

constexpr pg::Query insert_desk_deed{"order_taking.insert_desk_deed", R"sql(
    insert into desk_deed (token, legal_entity_id, site_id, order_id, actor, at) values ($1, $2, $3, $4, $5, $6))sql"};

// Whom he was merged into, where he was.
constexpr pg::Query desk_patient{"order_taking.desk_patient", "select " SGL_IDENTITY_COLUMNS R"sql(
    from patient q join patient p on p.id = coalesce(q.merged_into, q.id) where q.id = $1 and q.legal_entity_id = $2)sql"};

constexpr pg::Query patient_number{"order_taking.patient_number", "select nextval('desk_patient_number')"};

constexpr pg::Query namesakes{"order_taking.namesakes", "select " SGL_PATIENT_COLUMNS R"sql(
    from patient p where p.legal_entity_id = $1 and p.birth_name = $2 and p.birth_date = $3 and p.merged_into is null
    order by p.first_given_name, p.id limit 10)sql"};

constexpr pg::Query desk_order{"order_taking.desk_order", R"sql(
    select o.row_version + p.row_version - 1, o.patient_id
    from lab_order o join patient p on p.id = o.patient_id where o.id = $1 and o.site_id = $2
    for no key update of o)sql"};

// Correspondents, and who prescribed lately: of one number, the correspondent.
constexpr pg::Query known_people{"order_taking.known_people", R"sql(
    select distinct on (person->>'rpps') person
    from (select c.definition->'professional' as person, 0 as rank
          from correspondent c join site s on s.legal_entity_id = c.legal_entity_id where s.id = $1 and c.active
          union all
          select prescriber, 1 from (select prescriber from lab_order where site_id = $1 order by id desc limit 300) recent) known
    where coalesce(person->>'rpps', '') <> ''
    order by person->>'rpps', rank)sql"};

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
pg::Params search_of(domain::SiteId site, const domain::OrderRequest& request,
                     const domain::OrderCorrection* correction, const std::optional<domain::PatientId>& patient) {
    std::set<std::string> numbers;
    std::set<std::string> groups;
    for (const auto& specimen : request.order.specimens)
        numbers.insert(specimen.number);
    if (correction != nullptr) {
        numbers.insert(correction->number);
        for (const auto& tube : correction->tubes)
            numbers.insert(tube.is.number);
    }
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
    return pg::params(site, number_column, group_column, patient);
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
    if (const auto link = row.optional_int32(10)) order.link = domain::LinkId{*link};
    order.stay_number = row.string(11);
    order.patient_class = row.string(12);
    return order;
}

/// Who asks: a link by a message of its own, or a person at the desk.
struct Asker {
    domain::LegalEntityId legal_entity;
    domain::SiteId site;
    std::string actor;
    std::optional<domain::LinkId> link{};
    std::optional<domain::MessageId> message{};
    domain::MessageId rows{};  ///< under which results without value are kept: of the message, else of none
};

/// What the transaction writes for the orders of one decision.
class Writing {
public:
    Writing(Asker asker, const domain::OrderRequest& request, domain::Decision& decision, Instant now)
        : asker_(std::move(asker)), request_(request), decision_(decision), now_(now) {}

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
            rows.add(asker_.legal_entity, asker_.site, trouble, asker_.message, order);
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
            insert_order, pg::params(order.id, asker_.legal_entity, asker_.site, patient, order.number, order.group,
                                     to_string(order.state), codec::text(codec::to_json(order.prescriber)),
                                     json_list(order.copies), codec::text(codec::to_json(asked.collector)),
                                     json_list(order.exams), hl7(asked.prescribed_at), now_, asked.stay_number,
                                     asked.patient_class, order.clinical_context, order.urgent, asker_.link)});
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
        steps.push_back(pg::Step{ask_again, pg::params(order.id, codes, now_, asker_.actor)});
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
        pg::TextColumn known_numbers;
        pg::TextColumn known_types;
        pg::TextColumn known_labels;
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
            (fresh ? numbers : known_numbers).add(tube.number);
            (fresh ? types : known_types).add(tube.type);
            (fresh ? labels : known_labels).add(tube.type_label);
        }
        if (ids.size() > 0) {
            steps.push_back(
                pg::Step{insert_specimens, pg::params(asker_.legal_entity, asker_.site, order.id, now_, ids, numbers,
                                                      types, labels, collected, received, codes, whys)});
        }
        if (known_ids.size() > 0) {
            steps.push_back(
                pg::Step{change_specimens, pg::params(now_, known_ids, known_numbers, known_types, known_labels,
                                                      known_collected, known_received, known_codes, known_whys)});
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
        steps.push_back(pg::Step{insert_numbers, pg::params(asker_.site, asker_.legal_entity, numbers, kinds, orders)});
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
        steps.push_back(pg::Step{insert_not_done, pg::params(asker_.legal_entity, asker_.site, asker_.rows, now_,
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
        if (request_.prior.empty() || !order || !asker_.message) return;
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
            insert_prior, pg::params(*order, *asker_.message, asker_.legal_entity, asker_.site, positions, contents)});
    }

    void tell(const domain::KnownOrder& order) {
        json::array acts;
        for (const auto& act : order.acts)
            acts.emplace_back(act);
        json::object payload{{"acts", std::move(acts)}};
        if (asker_.message) payload["message"] = asker_.message->value();
        if (order.fresh) payload["identity"] = codec::to_json(request_.order.patient);
        AuditEvent event;
        event.legal_entity = asker_.legal_entity;
        event.site = asker_.site;
        event.actor = asker_.actor;
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

    Asker asker_;
    const domain::OrderRequest& request_;
    domain::Decision& decision_;
    Instant now_;
    std::vector<AuditEvent> events_;
};

/// The orders that the request may mean, locked, with their specimens and what was measured.
asio::awaitable<std::vector<domain::KnownOrder>> known_orders(pg::Transaction& transaction, domain::SiteId site,
                                                              const domain::OrderRequest& request,
                                                              const domain::OrderCorrection* correction,
                                                              std::optional<domain::PatientId> patient) {
    const pg::Rows meant = co_await transaction.query(meant_orders, search_of(site, request, correction, patient));
    std::vector<domain::KnownOrder> known;
    std::vector<Uuid> ids;
    for (const auto row : meant) {
        known.push_back(known_order(row));
        ids.push_back(known.back().id.value());
    }
    if (known.empty()) co_return known;
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
    co_return known;
}

std::string fresh_number(const pg::Rows& sequence, Instant now) {
    const auto day = TimeZone::utc().to_local(now, Precision::day);
    return fmt::format("{:02}{:02}{:02}{:06}", day.year % 100, day.month, day.day, sequence[0].int64(0) % 1000000);
}

/// One order at a time has its turn, for each patient.
pg::Step turn_of(domain::SiteId site, const domain::Patient& patient) {
    const std::string turn =
        "order/" + std::to_string(site.value()) + "/" + patient.local_authority_oid + "/" + patient.local_id;
    return pg::Step{one_at_a_time, pg::params(turn)};
}

/// Nothing is ordered for somebody whom the message may not order for; what it says of known lines stands.
template <class Request>
auto refused_for_him(Request request, std::vector<domain::KnownOrder> known, const domain::Catalogue& catalogue,
                     const Error& why) {
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
    std::vector<pg::Step> look;
    look.push_back(turn_of(arrival.site, patient));
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
    std::vector<domain::KnownOrder> known =
        co_await known_orders(transaction, arrival.site, request, nullptr, known_patient);
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
        if (order.number.empty()) order.number = fresh_number(seen[2], now);
    }

    Asker asker{arrival.legal_entity, arrival.site, "link:" + arrival.link_name, arrival.link, message, message};
    Writing writing(std::move(asker), request, done.decision, now);
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

// ── The desk ──

namespace {

/// A tube that stayed behind is one of another order, or nobody's; and one screen makes or changes one order.
void refuse_left_tubes(const domain::DeskRequest& request, domain::DeskDecision& decision) {
    const auto touched = std::ranges::count_if(decision.orders, &domain::KnownOrder::touched);
    for (std::size_t i = 0; i < request.order.specimens.size(); ++i) {
        const auto& number = request.order.specimens[i].number;
        bool mine = false;
        bool of_another = false;
        for (const auto& order : decision.orders) {
            const bool there =
                std::ranges::find(order.specimens, number, &domain::Specimen::number) != order.specimens.end();
            mine = mine || (there && order.touched);
            of_another = of_another || (there && !order.same_patient);
        }
        if (mine && touched == 1) continue;
        domain::LineOutcome outcome;
        outcome.refusal = of_another ? domain::LineRefusal::tube_of_another : domain::LineRefusal::two_orders;
        const std::size_t before = request.correction ? request.correction->tubes.size() : 0;
        outcome.coordinate = fmt::format("SPM[{}]-2", before + i + 1);
        decision.corrections.push_back(std::move(outcome));
    }
}

std::vector<pg::Step> news_steps(const DeskDeed& deed, const domain::DeskRequest& request,
                                 const domain::DeskDecision& decision, const std::vector<domain::KnownOrder>& before) {
    std::vector<pg::Step> steps;
    if (!deed.news) return steps;
    for (const auto& order : decision.orders) {
        if (!order.touched) continue;
        const auto was = std::ranges::find(before, order.id, &domain::KnownOrder::id);
        for (const auto& message : deed.news(was == before.end() ? nullptr : &*was, order, request.order)) {
            for (auto& step : WorkOrders::news(message, order.id, deed.site, deed.legal_entity, deed.at))
                steps.push_back(std::move(step));
        }
    }
    return steps;
}

bool is_refused(const domain::DeskDecision& decision) {
    const auto refused = [](const auto& line) { return line.refusal != domain::LineRefusal::none; };
    return std::ranges::any_of(decision.lines, refused) || !decision.corrections.empty();
}

}  // namespace

asio::awaitable<Result<DeskDone>> DeskOrders::take(DeskDeed deed, domain::DeskRequest request,
                                                   const domain::Catalogue& catalogue) {
    bool raced = false;
    try {
        co_return co_await take_once(deed, request, catalogue);
    } catch (const pg::DatabaseError& error) {
        // The other click, or a message with one of the numbers, was first: looked at again, it is known.
        if (!error.is_unique_violation()) throw;
        raced = true;
    }
    if (raced) co_return co_await take_once(deed, request, catalogue);
}

asio::awaitable<Result<DeskDone>> DeskOrders::take_once(const DeskDeed& deed, domain::DeskRequest request,
                                                        const domain::Catalogue& catalogue) {
    const std::vector<std::int32_t> scope(1, deed.site.value());
    pg::Transaction transaction = co_await pool_.begin(scope);
    const Sha256 digest = sha256(deed.token);
    const pg::Bytes token{std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size())};
    std::vector<pg::Step> first;
    first.push_back(pg::Step{desk_done, pg::params(token)});
    first.push_back(pg::Step{next_number, {}});
    const std::vector<pg::Rows> seen = co_await transaction.pipeline(std::move(first));
    DeskDone done;
    if (!seen[0].empty()) {
        done.order = domain::OrderId{seen[0][0].uuid(0)};
        done.repeated = true;
        co_await transaction.rollback();
        co_return done;
    }
    std::optional<domain::PatientId> patient_id = deed.patient;
    if (deed.order) {
        const pg::Rows rows = co_await transaction.query(desk_order, pg::params(*deed.order, deed.site));
        if (rows.empty()) {
            co_await transaction.rollback();
            co_return Error{Fault::missing, "order", "no such order on your sites"};
        }
        if (rows[0].int32(0) != deed.seen_version) {
            co_await transaction.rollback();
            co_return Error{Fault::conflict, "row_version", "the order has changed since it was shown"};
        }
        patient_id = domain::PatientId{rows[0].uuid(1)};
    }
    auto& patient = request.order.patient;
    if (patient_id) {
        const pg::Rows rows = co_await transaction.query(desk_patient, pg::params(*patient_id, deed.legal_entity));
        if (rows.empty()) {
            co_await transaction.rollback();
            co_return Error{Fault::missing, "patient", "no such patient of this legal entity"};
        }
        patient = patients::identity_of(rows[0], 0).patient;
    } else {
        const auto& traits = patient.traits.reveal();
        const std::string born = traits.birth_date ? to_hl7(*traits.birth_date) : std::string();
        const pg::Rows others =
            co_await transaction.query(namesakes, pg::params(deed.legal_entity, traits.birth_name, born));
        for (const auto row : others)
            done.namesakes.push_back(rows::patient(row, 0));
        if (!done.namesakes.empty() && !deed.homonym) {
            co_await transaction.rollback();
            co_return done;
        }
        done.namesakes.clear();
        const pg::Rows number = co_await transaction.query(patient_number);
        patient.local_id = fmt::format("L{:08}", number[0].int64(0));
    }
    domain::give_numbers(request, fresh_number(seen[1], deed.at), catalogue);
    std::vector<pg::Step> turn;
    turn.push_back(turn_of(deed.site, patient));
    co_await transaction.pipeline(std::move(turn));
    domain::LocalIdentifier number{patient.local_authority_oid, patient.local_id};
    const std::optional<FoundPatient> found =
        co_await patients::find(transaction, deed.legal_entity, std::move(number));
    std::optional<domain::PatientId> known_patient;
    if (found) known_patient = found->id;
    const domain::OrderCorrection* correction = request.correction ? &*request.correction : nullptr;
    std::vector<domain::KnownOrder> known =
        co_await known_orders(transaction, deed.site, request, correction, known_patient);
    done.decision = domain::decide(request, known, catalogue);
    if (!is_refused(done.decision)) refuse_left_tubes(request, done.decision);
    std::vector<domain::Trouble> troubles;
    Uuid patient_row;
    const bool orders = request.orders_something() && !is_refused(done.decision);
    if (orders) {
        const PatientPlace place{deed.legal_entity, deed.site, deed.at};
        const Result<domain::PatientId> who = co_await patients::of_order(transaction, place, patient, troubles);
        if (who)
            patient_row = who->value();
        else
            done.decision = refused_for_him(request, known, catalogue, who.error());
    }
    done.request = request;
    if (is_refused(done.decision)) {
        co_await transaction.rollback();
        co_return done;
    }
    for (auto& order : done.decision.orders) {
        if (order.fresh) order.id = domain::OrderId{Uuid::v7(deed.at)};
        if (!order.touched) continue;
        done.order = order.id;
        done.joined = !order.fresh && !deed.order;
    }
    if (!done.order) {  // nothing differs from what is known
        done.order = deed.order;
        co_await transaction.rollback();
        co_return done;
    }
    Asker asker{deed.legal_entity, deed.site, deed.actor};
    if (!done.decision.not_done.empty()) asker.rows = co_await orders_.next_message();
    Writing writing(std::move(asker), request, done.decision, deed.at);
    std::vector<pg::Step> steps;
    for (const auto& [was, is] : done.decision.renamed)  // first: a new tube may have a number that another had
        steps.push_back(pg::Step{rename_tube, pg::params(deed.site, *done.order, was, is)});
    writing.orders(steps, patient_row);
    writing.work(steps, troubles);
    for (auto& step : news_steps(deed, request, done.decision, known))
        steps.push_back(std::move(step));
    if (!deed.work_links.empty())
        steps.push_back(WorkOrders::due(*done.order, deed.site, deed.legal_entity, deed.work_links, deed.at));
    steps.push_back(
        pg::Step{insert_desk_deed, pg::params(token, deed.legal_entity, deed.site, *done.order, deed.actor, deed.at)});
    steps.push_back(audit(writing.events(), deed.at));
    co_await transaction.commit_with(std::move(steps));
    co_return done;
}

asio::awaitable<std::optional<domain::OrderId>> DeskOrders::done(std::vector<std::int32_t> sites, std::string token) {
    const Sha256 digest = sha256(token);
    const pg::Bytes key{std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size())};
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(desk_done, pg::params(key));
    co_await transaction.rollback();
    std::optional<domain::OrderId> found;
    if (!rows.empty()) found = domain::OrderId{rows[0].uuid(0)};
    co_return found;
}

asio::awaitable<Result<DeskOrder>> DeskOrders::order(std::vector<std::int32_t> sites, domain::OrderId id) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    DeskOrder found;
    Result<OrderFile> file = co_await orders_.file(transaction, id, false);
    if (!file) {
        co_await transaction.rollback();
        co_return file.error();
    }
    found.site = file->site;
    found.seen_version = file->seen_version;
    found.patient = file->patient;
    auto& order = found.order;
    order.id = file->id;
    order.number = file->number;
    order.state = domain::order_state_of(file->state);
    order.prescriber = file->prescriber;
    order.copies = file->copies;
    order.clinical_context = file->clinical_context;
    order.urgent = file->urgent;
    order.exams = file->exams;
    order.specimens = file->specimens;
    co_await transaction.rollback();
    co_return found;
}

asio::awaitable<DeskFacts> DeskOrders::facts(domain::SiteId site) {
    const std::vector<std::int32_t> scope(1, site.value());
    pg::Transaction transaction = co_await pool_.begin(scope);
    const pg::Rows rows = co_await transaction.query(known_people, pg::params(site));
    DeskFacts facts;
    for (const auto row : rows)
        facts.people.push_back(codec::professional(codec::parse(row.text(0))));
    facts.identity_slave = co_await patients::identity_slave(transaction, site);
    co_await transaction.rollback();
    co_return facts;
}

std::vector<pg::Query> order_taking_queries() {
    return {one_at_a_time, meant_orders, meant_specimens,  measured,         ask_again,      next_number,
            insert_order,  change_order, insert_specimens, change_specimens, insert_numbers, insert_not_done,
            insert_prior,  rename_tube,  desk_done,        insert_desk_deed, desk_patient,   patient_number,
            namesakes,     desk_order,   known_people};
}

}  // namespace sgl::store
