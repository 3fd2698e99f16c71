#include "lib/store/inbox.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "lib/base/failpoint.hpp"
#include "lib/base/text.hpp"
#include "lib/domain/succession.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/link_state.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

constexpr std::int64_t block_size = 1000;

constexpr pg::Query take_block{"inbox.take_block", "select nextval('message_block')"};

// "lateral … offset 0": what is asked for is looked up one by one, whatever the planner thinks of the tables' sizes. A
// plan is made once (Session::plan_by_key), often while they are empty.
constexpr pg::Query find_keys{"inbox.find_keys", R"sql(
    select n.ord, k.message_id, k.answer, k.answer_errors
    from unnest($1::int[], $2::bytea[], $3::bytea[], $4::bytea[]) with ordinality as n(link_id, key, sha, last, ord)
    left join lateral (select message_id, answer, answer_errors from message_key
                       where link_id = n.link_id and key = n.key and sha256 = n.sha offset 0) k on true
    left join lateral (select true as used from message_key
                       where link_id = n.link_id and key >= substring(n.last for 16) and key <= n.last limit 1) r on true
    where k.message_id is not null or r.used)sql"};

// Locked in one order, so that two batches never wait for each other.
constexpr pg::Query match_orders{"inbox.match_orders", R"sql(
    select n.ord, o.id, o.state, p.birth_name, p.first_given_name, p.birth_date, p.sex, coalesce(p.ins_matricule, '')
    from unnest($1::int[], $2::text[]) with ordinality as n(site_id, number, ord)
    cross join lateral (select order_id from order_number where number = n.number and site_id = n.site_id offset 0) k
    join lab_order o on o.id = k.order_id
    join patient p on p.id = o.patient_id
    order by o.id, n.ord
    for no key update of o)sql"};

constexpr pg::Query known_results{"inbox.known_results", R"sql(
    select r.*
    from (select distinct k.order_id from unnest($1::int[], $2::text[]) as n(site_id, number)
          cross join lateral (select order_id from order_number where number = n.number and site_id = n.site_id offset 0) k) o
    cross join lateral (select id, order_id, analyte_id, code, run, status, value_kind, comparator, value, value_system, unit,
                               state, message_id, position, measured_at, replaces, isolate, detail->>'susceptible' as susceptible
                        from result where order_id = o.order_id and (state not in ('superseded', 'set_aside') or status in ('D', 'W'))
                        offset 0) r
    order by r.id)sql"};

// The key without "on conflict": when another daemon was first, all is rolled back and looked at again.
constexpr pg::Query insert_messages{"inbox.insert_messages", R"sql(
    with arrival as materialized (select * from unnest($2::arrival_row[])),
    kept as (
        insert into message (id, received_at, kept_at, legal_entity_id, site_id, link_id, control_id, type, state, answer,
                             size, sha256, raw)
        select id, received_at, $1, legal_entity_id, site_id, link_id, control_id, type, state, answer, size, sha256, raw
        from arrival)
    insert into message_key (link_id, key, sha256, legal_entity_id, site_id, message_id, answer, answer_errors, kept_at)
    select link_id, key, content_sha256, legal_entity_id, site_id, id, answer, answer_errors, $1 from arrival)sql"};

constexpr pg::Query insert_results{"inbox.insert_results", R"sql(
    insert into result (legal_entity_id, site_id, order_id, message_id, position, code, analyte_id, run, status, value_kind,
                        comparator, value, value_system, unit, received_flags, note, specimen_number, measured_at,
                        received_at, state, replaces, isolate, detail)
    select t.* from unnest($1::result_row[]) t)sql"};

constexpr pg::Query touch_orders{"inbox.touch_orders", R"sql(
    update lab_order set row_version = row_version + 1, last_event_at = $2,
        state = case when state = 'registered' then 'in_progress' else state end
    where id = any($1::uuid[]))sql"};

constexpr pg::Query insert_work{"inbox.insert_work", R"sql(
    insert into work_item (legal_entity_id, site_id, kind, coordinate, what, message_id, order_id, created_at)
    select e, s, kind, coordinate, what, m, o, $1
    from unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::uuid[])
         as t(e, s, kind, coordinate, what, m, o))sql"};

// Also those of this very batch, which have no number yet.
constexpr pg::Query supersede_held{"inbox.supersede_held", R"sql(
    update result r set state = 'superseded', settled_at = $1, settled_by = h.settler, settled_why = 'a later result took its place'
    from unnest($2::uuid[], $3::bigint[], $4::int[], $5::text[]) as h(order_id, message_id, position, settler)
    where r.order_id = h.order_id and r.message_id = h.message_id and r.position = h.position and r.state = 'quarantined')sql"};

constexpr pg::Query close_work_of_held{"inbox.close_work_of_held", R"sql(
    update work_item w set done_at = $1, done_by = h.settler, done_why = 'a later result took its place'
    from unnest($2::uuid[], $3::bigint[], $4::int[], $5::text[]) as h(order_id, message_id, position, settler)
    where w.order_id = h.order_id and w.message_id = h.message_id and w.done_at is null
      and split_part(w.coordinate, '-', 1) in ('OBX[' || h.position || ']', case h.position when 1 then 'OBX' end))sql"};

constexpr pg::Query insert_documents{"inbox.insert_documents", R"sql(
    insert into order_document (legal_entity_id, site_id, order_id, message_id, position, code, title, media_type, sha256, content,
                                received_at)
    select * from unnest($1::int[], $2::int[], $3::uuid[], $4::bigint[], $5::int[], $6::text[], $7::text[], $8::text[], $9::bytea[],
                         $10::bytea[], $11::timestamptz[])
    on conflict (order_id, sha256) do nothing)sql"};

// A result of the wrong patient: what has not left yet stays until a person lets it go (hl7v2-lab 8.6, W).
constexpr pg::Query hold_letters{"inbox.hold_letters", R"sql(
    with waiting as (
        select l.id, l.state from letter l
        join report_version v on v.id = l.version_id join report_set s on s.id = v.set_id
        where s.order_id = any($1::uuid[]) and l.state in ('due', 'retry') and l.act = 'deliver' for update of l),
    held as (
        update letter l set state = 'held', reason = 'MANUAL_HOLD' from waiting w where w.id = l.id
        returning l.id, l.legal_entity_id, l.site_id, l.reason, l.attempts, w.state as before)
    insert into letter_event (letter_id, legal_entity_id, site_id, at, actor, from_state, to_state, reason, attempt, detail)
    select id, legal_entity_id, site_id, $2, 'daemon', before, 'held', reason, attempts, 'a result in it is that of another patient'
    from held)sql"};

constexpr pg::Query delete_keys{"inbox.delete_keys", R"sql(
    delete from message_key where (link_id, key, sha256) in
        (select link_id, key, sha256 from message_key where kept_at < $1 limit 5000))sql"};

std::string_view view(const Sha256& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// PostgreSQL takes neither U+0000 nor what is not UTF-8 as text. Nothing is lost: the raw bytes are kept beside.
std::string storable(const std::string& text) {
    if (is_utf8(text)) return replace_all(text, std::string_view("\0", 1), "");
    std::string ascii;
    for (const char c : text) {
        if (c != '\0') ascii += static_cast<unsigned char>(c) < 0x80 ? c : '?';
    }
    return ascii;
}

struct MatchedOrder {
    Uuid id;
    std::string state;
    std::string birth_name;
    std::string given_name;
    std::string birth_date;
    std::string sex;
    std::string ins;  // empty: none
};

struct KnownResult {
    std::int64_t id{};  // 0: of this very batch
    std::string status;
    codec::ValueColumns value;
    std::string susceptible;
    std::optional<Instant> measured_at;
    bool replaced{};

    bool says(const codec::ValueColumns& other, std::string_view other_susceptible) const {
        return value.kind == other.kind && value.comparator == other.comparator && value.value == other.value &&
               value.system == other.system && value.unit == other.unit && susceptible == other_susceptible;
    }
};

std::optional<Instant> instant_of(std::string_view measured_at) {
    const auto read = Timestamp::parse(measured_at);
    if (!read || !read->offset_minutes) return std::nullopt;
    return TimeZone::utc().to_instant(*read);
}

/// A result is identified by its order, its analysis (or code) and its run (hl7v2-lab 8.6); a line of a culture by its
/// isolate, too.
struct ResultKey {
    Uuid order;
    std::string analysis;
    std::string run;
    std::string isolate;
    auto operator<=>(const ResultKey&) const = default;
};

std::string analysis_of(std::optional<std::int32_t> analyte, std::string_view code) {
    return analyte ? "#" + std::to_string(*analyte) : std::string(code);
}

/// A result that an order holds until a person looks, or until a later one takes its place.
struct HeldResult {
    std::optional<std::int32_t> analyte;
    std::string code;
    std::string run;
    std::string status;
    std::int64_t message{};
    std::int32_t position{};

    /// Deleted or wrong at the sender (D, W): only a person ends that alarm (hl7v2-lab 8.6). Nor does what it would
    /// have replaced end it: a correction waits for another correction.
    bool yields_to(std::optional<std::int32_t> other_analyte, std::string_view other_code, std::string_view other_run,
                   std::string_view other_status) const {
        if (status == "D" || status == "W" || run != other_run || domain::rank(other_status) < domain::rank(status))
            return false;
        return (analyte && analyte == other_analyte) || (!code.empty() && code == other_code);
    }
};

/// Where the message contradicts our order about who the patient is (SAF-02); empty when it does not.
std::string contradiction(const domain::IdentityClaim& claim, const MatchedOrder& order) {
    if (!claim.birth_name.empty() &&
        replace_all(normalised_name(claim.birth_name), "-", " ") != replace_all(order.birth_name, "-", " ")) {
        return claim.coordinate + "-5.1";
    }
    const auto first_word = [](std::string_view name) {
        const auto normal = replace_all(normalised_name(name), "-", " ");
        return normal.substr(0, normal.find(' '));
    };
    if (!claim.given_name.empty() && first_word(claim.given_name) != first_word(order.given_name))
        return claim.coordinate + "-5.2";
    if (claim.birth_date && claim.birth_date->precision >= Precision::day) {
        auto day = *claim.birth_date;
        day.precision = Precision::day;
        day.offset_minutes.reset();
        if (order.birth_date.size() >= 8 && to_hl7(day) != order.birth_date.substr(0, 8))
            return claim.coordinate + "-7";
    }
    if (!claim.ins.empty() && !order.ins.empty() && claim.ins != order.ins) return claim.coordinate + "-3";
    if (claim.sex != domain::Sex::unknown && order.sex != "U" && to_string(claim.sex) != order.sex)
        return claim.coordinate + "-8";
    return {};
}

struct MessageRows {
    pg::RowArray rows{"arrival_row"};
    LinkRows of_link;

    void add(const Arrival& a, domain::MessageId id, std::string_view state, bool reused) {
        rows.add(id, a.received_at, a.legal_entity, a.site, a.link, storable(a.control_id), storable(a.type), state,
                 a.answer, static_cast<std::int64_t>(a.size), pg::Bytes{view(a.raw_sha256 ? *a.raw_sha256 : a.sha256)},
                 pg::Bytes{a.raw}, pg::Bytes{view(a.key)}, pg::Bytes{view(a.sha256)}, a.answer_errors);
        of_link.add(a, id);
        if (reused) of_link.count_reused(a);
    }

    void steps(std::vector<pg::Step>& to, Instant now) const {
        to.push_back(pg::Step{insert_messages, pg::params(now, rows)});
        of_link.steps(to, now);
    }
};

struct ResultRows {
    pg::RowArray rows{"result_row"};

    void add(const Arrival& a, domain::MessageId message, const domain::ReceivedResult& r,
             const codec::ValueColumns& value, std::string_view specimen, const std::optional<Uuid>& order,
             std::string_view state, std::optional<std::int64_t> replaced) {
        rows.add(a.legal_entity, a.site, order, message, r.position, r.code, r.analyte, r.run, r.status, value.kind,
                 value.comparator, value.value, value.system, value.unit, r.received_flags, r.note, specimen,
                 r.measured_at, a.received_at, state, replaced, r.isolate,
                 pg::Json{r.detail == domain::ResultDetail{} ? "{}" : codec::text(codec::to_json(r.detail))});
    }
};

struct DocumentRows {
    pg::Int4Column entities;
    pg::Int4Column sites;
    pg::UuidColumn orders;
    pg::Int8Column messages;
    pg::Int4Column positions;
    pg::TextColumn codes;
    pg::TextColumn titles;
    pg::TextColumn types;
    pg::BytesColumn digests;
    pg::BytesColumn contents;
    pg::InstantColumn times;

    void add(const Arrival& a, domain::MessageId message, const domain::ReceivedDocument& d, const Uuid& order) {
        entities.add(a.legal_entity.value());
        sites.add(a.site.value());
        orders.add(order);
        messages.add(message.value());
        positions.add(d.position);
        codes.add(storable(d.code));
        titles.add(storable(d.title));
        types.add(to_string(d.form));
        const Sha256 digest = sha256(d.bytes);
        digests.add(pg::Bytes{view(digest)});
        contents.add(pg::Bytes{d.bytes});
        times.add(a.received_at);
    }
};

/// Held results whose place a later one took.
struct SupersededRows {
    pg::UuidColumn orders;
    pg::Int8Column messages;
    pg::Int4Column positions;
    pg::TextColumn settlers;
};

struct WorkRows {
    pg::Int4Column entities;
    pg::Int4Column sites;
    pg::TextColumn kinds;
    pg::TextColumn coordinates;
    pg::TextColumn whats;
    pg::Int8Column messages;
    pg::UuidColumn orders;

    void add(const Arrival& a, domain::MessageId message, const domain::Trouble& trouble,
             const std::optional<Uuid>& order) {
        entities.add(a.legal_entity.value());
        sites.add(a.site.value());
        kinds.add(trouble.kind);
        coordinates.add(trouble.coordinate);
        whats.add(trouble.what);
        messages.add(message.value());
        orders.add(order);
    }
};

/// Everything that one batch writes, gathered while the messages are looked at in their order.
class Batch {
public:
    explicit Batch(Instant now) : now_(now) {}

    void order_matches(std::size_t number, MatchedOrder order) { matches_[number].push_back(std::move(order)); }
    /// In the order of their arrival.
    void result_known(ResultKey key, KnownResult known, std::optional<std::int64_t> replaces) {
        auto& of_key = known_[std::move(key)];
        for (auto& other : of_key)
            other.replaced |= replaces && other.id == *replaces;
        of_key.push_back(std::move(known));
    }
    void result_held(const Uuid& order, HeldResult held) { held_[order].push_back(std::move(held)); }

    void apply(const Arrival& arrival, domain::MessageId id, const std::vector<std::size_t>& first_number_of_group,
               bool reused) {
        bool quarantined = arrival.reading.quarantined || !arrival.reading.troubles.empty();
        const std::map<std::string, Uuid> order_of = orders_of(arrival, first_number_of_group);
        for (const auto& trouble : arrival.reading.troubles) {
            const auto order = order_of.find(trouble.coordinate.substr(0, trouble.coordinate.find('-')));
            work_.add(arrival, id, trouble, order == order_of.end() ? std::nullopt : std::optional(order->second));
        }
        for (std::size_t g = 0; g < arrival.reading.groups.size(); ++g) {
            quarantined |= !apply_group(arrival, id, arrival.reading.groups[g], first_number_of_group[g]);
        }
        const std::string_view state = arrival.answer != "AA" ? "rejected" : quarantined ? "quarantined" : "applied";
        messages_.add(arrival, id, state, reused);
        AuditEvent event;
        event.legal_entity = arrival.legal_entity;
        event.site = arrival.site;
        event.actor = "link:" + arrival.link_name;
        event.action = "receive";
        event.object = "message:" + std::to_string(id.value());
        event.payload = codec::text({{"type", storable(arrival.type)},
                                     {"answer", arrival.answer},
                                     {"state", state},
                                     {"sha256", to_hex(arrival.sha256)}});
        events_.push_back(std::move(event));
    }

    std::vector<pg::Step> steps() const {
        std::vector<pg::Step> steps;
        messages_.steps(steps, now_);
        if (results_.rows.size() > 0) {
            steps.push_back(pg::Step{insert_results, pg::params(results_.rows)});
        }
        if (!touched_.empty()) {
            const std::vector<Uuid> ids(touched_.begin(), touched_.end());
            steps.push_back(pg::Step{touch_orders, pg::params(ids, now_)});
        }
        if (work_.messages.size() > 0) {
            const auto& w = work_;
            steps.push_back(pg::Step{insert_work, pg::params(now_, w.entities, w.sites, w.kinds, w.coordinates, w.whats,
                                                             w.messages, w.orders)});
        }
        if (superseded_.messages.size() > 0) {
            const auto& h = superseded_;
            steps.push_back(pg::Step{supersede_held, pg::params(now_, h.orders, h.messages, h.positions, h.settlers)});
            steps.push_back(
                pg::Step{close_work_of_held, pg::params(now_, h.orders, h.messages, h.positions, h.settlers)});
        }
        if (documents_.messages.size() > 0) {
            const auto& d = documents_;
            steps.push_back(
                pg::Step{insert_documents, pg::params(d.entities, d.sites, d.orders, d.messages, d.positions, d.codes,
                                                      d.titles, d.types, d.digests, d.contents, d.times)});
        }
        if (!wrong_.empty()) {
            const std::vector<Uuid> ids(wrong_.begin(), wrong_.end());
            steps.push_back(pg::Step{hold_letters, pg::params(ids, now_)});
        }
        steps.push_back(audit(events_, now_));
        return steps;
    }

private:
    /// The order that the numbers of a group name; `ambiguous` when they name more than one: then none is trusted.
    struct Match {
        const MatchedOrder* order{};
        std::size_t number{};  ///< which of the group's numbers named it first
        bool ambiguous{};
    };
    Match match(const domain::ReceivedGroup& group, std::size_t first_number) const {
        Match match;
        for (std::size_t i = 0; i < group.numbers.size(); ++i) {
            const auto found = matches_.find(first_number + i);
            if (found == matches_.end()) continue;
            for (const auto& candidate : found->second) {
                if (match.order == nullptr) {
                    match.order = &candidate;
                    match.number = i;
                }
                match.ambiguous |= candidate.id != match.order->id;
            }
        }
        return match;
    }

    /// Whose order each OBX is part of, so that the work which it gives can be found from there.
    std::map<std::string, Uuid> orders_of(const Arrival& arrival,
                                          const std::vector<std::size_t>& first_number_of_group) const {
        std::map<std::string, Uuid> orders;
        if (arrival.reading.quarantined || arrival.reading.troubles.empty()) return orders;
        for (std::size_t g = 0; g < arrival.reading.groups.size(); ++g) {
            const auto& group = arrival.reading.groups[g];
            const auto found = match(group, first_number_of_group[g]);
            if (found.order == nullptr || found.ambiguous ||
                !contradiction(group.claim.reveal(), *found.order).empty() || found.order->state == "cancelled") {
                continue;
            }
            for (const auto& result : group.results) {
                orders.emplace(coordinate(result), found.order->id);
                if (result.position == 1) orders.emplace("OBX", found.order->id);  // the only one of its message
            }
        }
        return orders;
    }

    /// False when a person has work with it.
    bool apply_group(const Arrival& arrival, domain::MessageId id, const domain::ReceivedGroup& group,
                     std::size_t first_number) {
        const auto [order, matched_number, ambiguous] = match(group, first_number);
        if (arrival.reading.quarantined) {
            hold_results(arrival, id, group);
            return false;
        }
        if (ambiguous) {
            hold(arrival, id, group, {"ambiguous_number", group.coordinate, "the numbers name several orders"},
                 std::nullopt);
            return false;
        }
        if (order == nullptr) {
            hold(arrival, id, group,
                 {"unmatched", group.coordinate, "no order or specimen of this site has one of the numbers given"},
                 std::nullopt);
            return false;
        }
        if (const auto place = contradiction(group.claim.reveal(), *order); !place.empty()) {
            hold(arrival, id, group,
                 {"identity_mismatch", place, "the identity of the message is not that of the order"}, order->id);
            return false;
        }
        if (order->state == "cancelled") {
            hold(arrival, id, group, {"cancelled_order", group.coordinate, "the order is cancelled"}, order->id);
            return false;
        }
        const bool signed_already = order->state == "fully_validated" || order->state == "reported";
        const auto& specimen = group.numbers[matched_number];
        bool clean = true;
        for (const auto& document : group.documents) {
            documents_.add(arrival, id, document, order->id);
            touched_.insert(order->id);
        }
        for (const auto& result : group.results) {
            if (result.held) {
                // What is withdrawn is shown no more; once it was signed, only a biologist takes it back.
                std::optional<std::int64_t> replaced;
                if (domain::rank(result.status) == 3) {
                    wrong_.insert(order->id);
                    if (!signed_already) {
                        replaced = withdrawn_by(result, order->id);
                    } else {
                        work_.add(arrival, id,
                                  {"report_to_withdraw", coordinate(result),
                                   "a signed report holds the result that its sender withdraws"},
                                  order->id);
                    }
                }
                results_.add(arrival, id, result, codec::columns(result.value), specimen, order->id, "quarantined",
                             replaced);
                const auto analyte = result.analyte ? std::optional(result.analyte->value()) : std::nullopt;
                result_held(order->id, {analyte, result.code, result.run, result.status, id.value(), result.position});
                touched_.insert(order->id);
                clean = false;
                continue;
            }
            clean &= apply_result(arrival, id, result, specimen, order->id, signed_already);
        }
        return clean;
    }

    bool apply_result(const Arrival& arrival, domain::MessageId id, const domain::ReceivedResult& result,
                      std::string_view specimen, const Uuid& order, bool signed_already) {
        auto value = codec::columns(result.value);
        const std::string susceptible(result.detail.susceptible ? to_string(*result.detail.susceptible) : "");
        const auto measured_at = instant_of(result.measured_at);
        auto& known = known_[key_of(result, order)];
        std::vector<domain::Earlier> earlier;
        earlier.reserve(known.size());
        for (const auto& one : known)
            earlier.push_back({one.status, one.measured_at, one.says(value, susceptible), one.replaced});
        const auto next = domain::succeed(earlier, result.status, measured_at);
        using Kind = domain::Succession::Kind;
        std::optional<std::int64_t> replaced;
        std::string status = result.status;
        switch (next.kind) {
            case Kind::repeat:  // said before: nothing new
                if (supersede(arrival, result, order)) touched_.insert(order);
                return true;
            case Kind::behind: {
                const bool preliminary = domain::rank(result.status) == 0;
                work_.add(arrival, id,
                          {preliminary ? "late_preliminary" : "late_final", coordinate(result),
                           preliminary ? "a preliminary result came after the final one"
                                       : "a final result came after the corrected one"},
                          order);
                return false;
            }
            case Kind::lost:
                work_.add(
                    arrival, id,
                    {"nothing_to_confirm", coordinate(result) + "-11", "there is no preliminary result to make final"},
                    order);
                return false;
            case Kind::promotes:
                value = known[next.of].value;
                status = "F";
                [[fallthrough]];
            case Kind::replaces:
                known[next.of].replaced = true;
                // A row of this very batch has no number yet: both are kept, and the newest counts. What is signed is
                // never taken away: the late one stands beside it until a biologist decides.
                if (known[next.of].id != 0 && !signed_already) replaced = known[next.of].id;
                break;
            case Kind::first:
                break;
        }
        known.push_back(KnownResult{0, status, value, susceptible, measured_at, false});
        supersede(arrival, result, order);
        touched_.insert(order);  // a repeat that brings nothing leaves the biologist's screen alone
        auto row = result;
        row.status = status;
        results_.add(arrival, id, row, value, specimen, order, signed_already ? "late" : "raw", replaced);
        if (signed_already) {
            work_.add(arrival, id, {"late_result", coordinate(result), "a result came after biological validation"},
                      order);
        }
        return !signed_already;
    }

    static ResultKey key_of(const domain::ReceivedResult& result, const Uuid& order) {
        const auto analyte = result.analyte ? std::optional(result.analyte->value()) : std::nullopt;
        return {order, analysis_of(analyte, result.code), result.run, result.isolate};
    }

    /// The stored result that a held one of status D or W takes away: the one of the same time, else the last one
    /// before; nothing when there is none.
    std::optional<std::int64_t> withdrawn_by(const domain::ReceivedResult& result, const Uuid& order) {
        auto& known = known_[key_of(result, order)];
        const auto at = instant_of(result.measured_at);
        KnownResult* gone = nullptr;
        for (auto& one : known) {
            if (one.replaced || domain::rank(one.status) == 3 || one.id == 0) continue;
            if (at && one.measured_at && *one.measured_at > *at) continue;
            if (gone == nullptr || gone->measured_at <= one.measured_at) gone = &one;
        }
        if (gone != nullptr) gone->replaced = true;
        const auto id = gone == nullptr ? std::nullopt : std::optional(gone->id);
        known.push_back(KnownResult{0, result.status, {}, {}, at, false});
        return id;
    }

    /// A result that can be taken ends what was held of the same analysis and run; true when something was.
    bool supersede(const Arrival& arrival, const domain::ReceivedResult& result, const Uuid& order) {
        const auto found = held_.find(order);
        if (found == held_.end()) return false;
        const auto analyte = result.analyte ? std::optional(result.analyte->value()) : std::nullopt;
        const auto gone = std::erase_if(found->second, [&](const HeldResult& held) {
            if (!held.yields_to(analyte, result.code, result.run, result.status)) return false;
            superseded_.orders.add(order);
            superseded_.messages.add(held.message);
            superseded_.positions.add(held.position);
            superseded_.settlers.add("link:" + arrival.link_name);
            AuditEvent event;
            event.legal_entity = arrival.legal_entity;
            event.site = arrival.site;
            event.actor = "link:" + arrival.link_name;
            event.action = "supersede_held_result";
            event.object = "order:" + to_string(order);
            event.payload = codec::text({{"message", held.message}, {"position", held.position}});
            events_.push_back(std::move(event));
            return true;
        });
        return gone > 0;
    }

    static std::string coordinate(const domain::ReceivedResult& result) {
        return "OBX[" + std::to_string(result.position) + "]";
    }

    void hold(const Arrival& arrival, domain::MessageId id, const domain::ReceivedGroup& group,
              const domain::Trouble& trouble, const std::optional<Uuid>& order) {
        work_.add(arrival, id, trouble, order);
        hold_results(arrival, id, group);
    }

    void hold_results(const Arrival& arrival, domain::MessageId id, const domain::ReceivedGroup& group) {
        const std::string_view number = group.numbers.empty() ? std::string_view() : group.numbers.front();
        for (const auto& result : group.results)
            results_.add(arrival, id, result, codec::columns(result.value), number, std::nullopt, "quarantined",
                         std::nullopt);
    }

    Instant now_;
    std::map<std::size_t, std::vector<MatchedOrder>> matches_;
    std::map<ResultKey, std::vector<KnownResult>> known_;
    std::map<Uuid, std::vector<HeldResult>> held_;
    MessageRows messages_;
    ResultRows results_;
    WorkRows work_;
    SupersededRows superseded_;
    DocumentRows documents_;
    std::set<Uuid> touched_;
    std::set<Uuid> wrong_;  // orders that hold a result of somebody else
    std::vector<AuditEvent> events_;
};

pg::Scope scope_of(const std::vector<Arrival>& arrivals) {
    std::set<std::int32_t> sites;
    for (const auto& arrival : arrivals)
        sites.insert(arrival.site.value());
    return {sites.begin(), sites.end()};
}

std::string_view number_of(const Arrival& arrival) {
    return view(arrival.key).substr(0, number_part);
}

pg::Step look_for_all(std::span<const Arrival> arrivals) {
    pg::Int4Column links;
    pg::BytesColumn keys;
    pg::BytesColumn digests;
    pg::BytesColumn last_of_number;
    for (const auto& arrival : arrivals) {
        links.add(arrival.link.value());
        keys.add(pg::Bytes{view(arrival.key)});
        digests.add(pg::Bytes{view(arrival.sha256)});
        std::string last(number_of(arrival));
        last.resize(arrival.key.size(), '\xFF');
        last_of_number.add(pg::Bytes{last});
    }
    return pg::Step{find_keys, pg::params(links, keys, digests, last_of_number)};
}

/// What find_keys says of a message; without a number nothing is used again.
Kept found_in(const Arrival& arrival, const pg::Row& row) {
    if (!row.is_null(1)) return {domain::MessageId{row.int64(1)}, true, row.string(2), row.string(3), false};
    Kept fresh;
    fresh.reused = !arrival.control_id.empty();
    return fresh;
}

}  // namespace

asio::awaitable<domain::MessageId> Inbox::next_id() {
    if (next_ == end_) {
        const pg::Rows rows = co_await pool_.query(take_block);
        next_ = rows[0].int64(0) * block_size;
        end_ = next_ + block_size;
    }
    co_return domain::MessageId{next_++};
}

pg::Step Inbox::look_for(const Arrival& arrival) {
    return look_for_all(std::span(&arrival, 1));
}

Kept Inbox::found(const Arrival& arrival, const pg::Rows& rows) {
    return rows.empty() ? Kept() : found_in(arrival, rows[0]);
}

std::vector<pg::Step> Inbox::message_steps(const Arrival& arrival, domain::MessageId id, bool reused, Instant now) {
    MessageRows rows;
    rows.add(arrival, id,
             arrival.answer != "AA"        ? "rejected"
             : arrival.reading.quarantined ? "quarantined"
                                           : "applied",
             reused);
    std::vector<pg::Step> steps;
    rows.steps(steps, now);
    return steps;
}

asio::awaitable<std::vector<Kept>> Inbox::known(const std::vector<Arrival>& arrivals) {
    pg::Transaction transaction = co_await pool_.begin(scope_of(arrivals));
    pg::Step look = look_for_all(arrivals);
    const pg::Rows rows = co_await transaction.query(look.query, std::move(look.params));
    std::vector<Kept> kept;
    for (const auto row : rows) {
        Kept one = found_in(arrivals[static_cast<std::size_t>(row.int64(0) - 1)], row);
        if (one.duplicate) kept.push_back(std::move(one));
    }
    co_await transaction.rollback();
    co_return kept;
}

asio::awaitable<std::vector<Kept>> Inbox::keep(const std::vector<Arrival>& arrivals, Instant now) {
    failpoint("before_inbox_insert");
    std::vector<std::vector<std::size_t>> numbers_of(arrivals.size());
    pg::Int4Column sites;
    pg::TextColumn numbers;
    std::size_t count = 0;
    for (std::size_t a = 0; a < arrivals.size(); ++a) {
        for (const auto& group : arrivals[a].reading.groups) {
            numbers_of[a].push_back(count);
            for (const auto& number : group.numbers) {
                sites.add(arrivals[a].site.value());
                numbers.add(number);
                ++count;
            }
        }
    }
    std::vector<domain::MessageId> ids;
    for (std::size_t a = 0; a < arrivals.size(); ++a) {
        const domain::MessageId id = co_await next_id();
        ids.push_back(id);
    }

    pg::Transaction transaction = co_await pool_.begin(scope_of(arrivals));
    std::vector<pg::Step> look;
    look.push_back(look_for_all(arrivals));
    look.push_back(pg::Step{match_orders, pg::params(sites, numbers)});
    look.push_back(pg::Step{known_results, pg::params(sites, numbers)});
    const std::vector<pg::Rows> seen = co_await transaction.pipeline(std::move(look));

    std::vector<Kept> kept(arrivals.size());
    for (const auto row : seen[0]) {
        const auto a = static_cast<std::size_t>(row.int64(0) - 1);
        kept[a] = found_in(arrivals[a], row);
    }
    Batch batch(now);
    for (const auto row : seen[1]) {
        MatchedOrder order{row.uuid(1),   row.string(2), row.string(3), row.string(4),
                           row.string(5), row.string(6), row.string(7)};
        batch.order_matches(static_cast<std::size_t>(row.int64(0) - 1), std::move(order));
    }
    for (const auto row : seen[2]) {
        if (row.text(11) == "quarantined") {
            batch.result_held(row.uuid(1), {row.optional_int32(2), row.string(3), row.string(4), row.string(5),
                                            row.int64(12), row.int32(13)});
            if (domain::rank(row.text(5)) != 3) continue;
        }
        KnownResult known;
        known.id = row.int64(0);
        known.status = row.string(5);
        known.value = {row.string(6), row.string(7), row.string(8), row.string(9), row.string(10)};
        known.susceptible = row.optional_text(17).value_or("");
        known.measured_at = instant_of(row.text(14));
        ResultKey key{row.uuid(1), analysis_of(row.optional_int32(2), row.text(3)), row.string(4), row.string(16)};
        batch.result_known(std::move(key), std::move(known), row.optional_int64(15));
    }

    bool anything = false;
    std::map<std::tuple<std::int32_t, Sha256, Sha256>, std::size_t> in_batch;
    std::set<std::pair<std::int32_t, std::string_view>> used_numbers;
    for (std::size_t a = 0; a < arrivals.size(); ++a) {
        if (kept[a].duplicate) continue;
        const auto [first, fresh] =
            in_batch.try_emplace({arrivals[a].link.value(), arrivals[a].key, arrivals[a].sha256}, a);
        if (!fresh) {  // the same message twice in one batch: the second is answered like the first
            kept[a] = kept[first->second];
            kept[a].duplicate = true;
            continue;
        }
        const bool first_use = used_numbers.emplace(arrivals[a].link.value(), number_of(arrivals[a])).second;
        const bool reused = kept[a].reused || (!first_use && !arrivals[a].control_id.empty());
        batch.apply(arrivals[a], ids[a], numbers_of[a], reused);
        kept[a] = Kept{ids[a], false, arrivals[a].answer, arrivals[a].answer_errors, reused};
        anything = true;
    }
    if (!anything) {
        co_await transaction.rollback();
        co_return kept;
    }
    std::vector<pg::Step> steps = batch.steps();
    co_await transaction.commit_with(std::move(steps));
    co_return kept;
}

asio::awaitable<std::size_t> Inbox::forget_keys(const std::vector<std::int32_t>& sites, Instant before) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(delete_keys, pg::params(before));
    const std::size_t gone = rows.affected();
    co_await transaction.commit();
    co_return gone;
}

std::vector<pg::Query> inbox_queries() {
    return {take_block,       find_keys,    match_orders, known_results,  insert_messages,
            insert_results,   touch_orders, insert_work,  supersede_held, close_work_of_held,
            insert_documents, hold_letters, delete_keys};
}

}  // namespace sgl::store
