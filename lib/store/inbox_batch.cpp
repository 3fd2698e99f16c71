#include "lib/store/inbox_batch.hpp"

#include <boost/json/value.hpp>
#include <span>
#include <utility>

#include "lib/base/text.hpp"
#include "lib/domain/identity.hpp"
#include "lib/domain/succession.hpp"
#include "lib/store/letter_rows.hpp"
#include "lib/store/order_rows.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

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
                               state, message_id, position, measured_at, replaces, isolate, detail->>'susceptible' as susceptible,
                               received_at
                        from result where order_id = o.order_id and (state not in ('superseded', 'set_aside') or status in ('D', 'W'))
                        offset 0) r
    order by r.received_at, r.message_id, r.position, r.id)sql"};

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
constexpr pg::Query hold_letters{"inbox.hold_letters",
                                 "with waiting as (select l.id, l.state as before from letter l "
                                 "join report_version v on v.id = l.version_id join report_set s on s.id = v.set_id "
                                 "where s.order_id = any($1::uuid[]) and l.act = 'deliver' "
                                 "and l.state in ('due', 'retry') " SGL_STOP_LETTERS};

/// PostgreSQL takes neither U+0000 nor what is not UTF-8 as text. Nothing is lost: the raw bytes are kept beside.
std::string storable(const std::string& text) {
    if (is_utf8(text)) return replace_all(text, std::string_view("\0", 1), "");
    std::string ascii;
    for (const char c : text) {
        if (c != '\0') ascii += static_cast<unsigned char>(c) < 0x80 ? c : '?';
    }
    return ascii;
}

std::string_view view(const Sha256& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Where the message contradicts our order about who the patient is (SAF-02); empty when it does not.
std::string contradiction(const domain::IdentityClaim& claim, const MatchedOrder& order) {
    domain::Traits said;
    said.birth_name = claim.birth_name;
    said.first_given_name = claim.given_name;
    said.birth_date = claim.birth_date;
    said.sex = claim.sex;
    const auto places = domain::contradictions(claim.coordinate, order.traits.reveal(), said);
    if (!places.empty()) return places.front();
    return !claim.ins.empty() && !order.ins.empty() && claim.ins != order.ins ? claim.coordinate + "-3" : std::string();
}

}  // namespace

domain::Trouble behind(std::string_view status, std::string coordinate) {
    const bool preliminary = domain::rank(status) == 0;
    return {
        preliminary ? "late_preliminary" : "late_final", std::move(coordinate),
        preliminary ? "a preliminary result came after the final one" : "a final result came after the corrected one"};
}

std::optional<Instant> instant_of(std::string_view measured_at) {
    const auto read = Timestamp::parse(measured_at);
    if (!read || !read->offset_minutes) return std::nullopt;
    return TimeZone::utc().to_instant(*read);
}

std::string analysis_of(std::optional<std::int32_t> analyte, std::string_view code) {
    return analyte ? "#" + std::to_string(*analyte) : std::string(code);
}

bool KnownResult::says(const codec::ValueColumns& other, std::string_view other_susceptible) const {
    return value.kind == other.kind && value.comparator == other.comparator && value.value == other.value &&
           value.system == other.system && value.unit == other.unit && susceptible == other_susceptible;
}

bool HeldResult::yields_to(std::optional<std::int32_t> other_analyte, std::string_view other_code,
                           std::string_view other_run, std::string_view other_status) const {
    if (status == "D" || status == "W" || run != other_run || domain::rank(other_status) < domain::rank(status))
        return false;
    return (analyte && analyte == other_analyte) || (!code.empty() && code == other_code);
}

void MessageRows::add(const Arrival& a, domain::MessageId id, std::string_view state, bool reused) {
    rows.add(id, a.received_at, a.legal_entity, a.site, a.link, storable(a.control_id), storable(a.type), state,
             a.answer, static_cast<std::int64_t>(a.size), pg::Bytes{view(a.raw_sha256 ? *a.raw_sha256 : a.sha256)},
             pg::Bytes{a.raw}, pg::Bytes{view(a.key)}, pg::Bytes{view(a.sha256)}, a.answer_errors);
    of_link.add(a, id);
    if (reused) of_link.count_reused(a);
}

void MessageRows::steps(std::vector<pg::Step>& to, Instant now) const {
    to.push_back(pg::Step{insert_messages, pg::params(now, rows)});
    of_link.steps(to, now);
}

void ResultRows::add(const Arrival& a, domain::MessageId message, const domain::ReceivedResult& r,
                     const codec::ValueColumns& value, std::string_view specimen, const std::optional<Uuid>& order,
                     std::string_view state, std::optional<std::int64_t> replaced) {
    rows.add(a.legal_entity, a.site, order, message, r.position, r.code, r.analyte, r.run, r.status, value.kind,
             value.comparator, value.value, value.system, value.unit, r.received_flags, r.note, specimen, r.measured_at,
             a.received_at, state, replaced, r.isolate,
             pg::Json{r.detail == domain::ResultDetail{} ? "{}" : codec::text(codec::to_json(r.detail))});
}

void DocumentRows::add(const Arrival& a, domain::MessageId message, const domain::ReceivedDocument& d,
                       const Uuid& order) {
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

void Batch::look(std::vector<pg::Step>& to, const pg::Int4Column& sites, const pg::TextColumn& numbers) {
    to.push_back(pg::Step{match_orders, pg::params(sites, numbers)});
    to.push_back(pg::Step{known_results, pg::params(sites, numbers)});
}

void Batch::learn(const pg::Rows& orders, const pg::Rows& results) {
    for (const auto row : orders) {
        MatchedOrder order;
        order.id = row.uuid(1);
        order.state = row.string(2);
        auto& traits = order.traits.reveal();
        traits.birth_name = row.string(3);
        traits.first_given_name = row.string(4);
        traits.birth_date = rows::timestamp(row.text(5));
        traits.sex = domain::sex_of(row.text(6));
        order.ins = row.string(7);
        matches_[static_cast<std::size_t>(row.int64(0) - 1)].push_back(std::move(order));
    }
    for (const auto row : results) {
        KnownResult known;
        known.id = row.int64(0);
        known.received_at = row.instant(18);
        known.message = row.int64(12);
        known.position = row.int32(13);
        const bool held = row.text(11) == "quarantined";
        if (held && waits_for_its_turn(known)) continue;
        if (held) {
            held_[row.uuid(1)].push_back(
                {row.optional_int32(2), row.string(3), row.string(4), row.string(5), known.message, known.position});
            if (domain::rank(row.text(5)) != 3) continue;
        }
        known.status = row.string(5);
        known.value = {row.string(6), row.string(7), row.string(8), row.string(9), row.string(10)};
        known.susceptible = row.optional_text(17).value_or("");
        known.measured_at = instant_of(row.text(14));
        known.replaces = row.optional_int64(15);
        known.is_signed = row.text(11) == "bio_validated";
        if (known.is_signed && domain::rank(row.text(5)) != 0)
            signed_.insert({row.uuid(1), analysis_of(row.optional_int32(2), row.text(3)), row.string(16)});
        auto& of_key =
            known_[{row.uuid(1), analysis_of(row.optional_int32(2), row.text(3)), row.string(4), row.string(16)}];
        for (auto& other : of_key) {
            other.replaced |= other.id == known.replaces;
            known.replaced |= known.id == other.replaces;
        }
        of_key.push_back(std::move(known));
    }
}

void Batch::apply(const Arrival& arrival, domain::MessageId id, const std::vector<std::size_t>& first_number_of_group,
                  bool reused) {
    bool quarantined = arrival.reading.quarantined || !arrival.reading.troubles.empty();
    const std::map<std::string, Uuid> order_of = orders_of(arrival, first_number_of_group);
    for (const auto& trouble : arrival.reading.troubles) {
        const auto order = order_of.find(trouble.coordinate.substr(0, trouble.coordinate.find('-')));
        work(arrival, id, trouble, order == order_of.end() ? std::nullopt : std::optional(order->second));
    }
    for (std::size_t g = 0; g < arrival.reading.groups.size(); ++g) {
        quarantined |= !apply_group(arrival, id, arrival.reading.groups[g], first_number_of_group[g]);
    }
    const std::string_view state = arrival.answer != "AA" ? "rejected" : quarantined ? "quarantined" : "applied";
    if (before_ != nullptr) {
        settle(arrival, id, state);
        return;
    }
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

std::vector<pg::Step> Batch::steps() const {
    std::vector<pg::Step> steps;
    if (before_ == nullptr) messages_.steps(steps, now_);
    if (results_.rows.size() > 0) {
        steps.push_back(pg::Step{insert_results, pg::params(results_.rows)});
    }
    if (!touched_.empty()) {
        const std::vector<Uuid> ids(touched_.begin(), touched_.end());
        steps.push_back(pg::Step{touch_orders, pg::params(ids, now_)});
    }
    work_.steps(steps, now_);
    if (superseded_.messages.size() > 0) {
        const auto& h = superseded_;
        steps.push_back(pg::Step{supersede_held, pg::params(now_, h.orders, h.messages, h.positions, h.settlers)});
        steps.push_back(pg::Step{close_work_of_held, pg::params(now_, h.orders, h.messages, h.positions, h.settlers)});
    }
    if (before_ != nullptr) settling_steps(steps);
    if (documents_.messages.size() > 0) {
        const auto& d = documents_;
        steps.push_back(
            pg::Step{insert_documents, pg::params(d.entities, d.sites, d.orders, d.messages, d.positions, d.codes,
                                                  d.titles, d.types, d.digests, d.contents, d.times)});
    }
    if (!wrong_.empty()) {
        const std::vector<Uuid> ids(wrong_.begin(), wrong_.end());
        steps.push_back(pg::Step{hold_letters, stop_params(ids, domain::letter_event::Held(), now_, "daemon",
                                                           "a result in it is that of another patient")});
    }
    steps.push_back(audit(events_, now_));
    return steps;
}

Batch::Match Batch::match(const domain::ReceivedGroup& group, std::size_t first_number) const {
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

std::map<std::string, Uuid> Batch::orders_of(const Arrival& arrival,
                                             const std::vector<std::size_t>& first_number_of_group) const {
    std::map<std::string, Uuid> orders;
    if (arrival.reading.quarantined || arrival.reading.troubles.empty()) return orders;
    for (std::size_t g = 0; g < arrival.reading.groups.size(); ++g) {
        const auto& group = arrival.reading.groups[g];
        const auto found = match(group, first_number_of_group[g]);
        if (found.order == nullptr || found.ambiguous || !contradiction(group.claim.reveal(), *found.order).empty() ||
            found.order->state == "cancelled") {
            continue;
        }
        for (const auto& result : group.results) {
            orders.emplace(coordinate(result), found.order->id);
            if (result.position == 1) orders.emplace("OBX", found.order->id);  // the only one of its message
        }
    }
    return orders;
}

bool Batch::apply_group(const Arrival& arrival, domain::MessageId id, const domain::ReceivedGroup& group,
                        std::size_t first_number) {
    const auto [order, matched_number, ambiguous] = match(group, first_number);
    if (nothing_left(group)) return true;
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
        hold(arrival, id, group, {"identity_mismatch", place, "the identity of the message is not that of the order"},
             order->id);
        return false;
    }
    if (order->state == "cancelled") {
        hold(arrival, id, group, {"cancelled_order", group.coordinate, "the order is cancelled"}, order->id);
        return false;
    }
    const bool whole = order->state == "fully_validated" || order->state == "reported";
    const auto& specimen = group.numbers[matched_number];
    bool clean = true;
    for (const auto& document : group.documents) {
        if (is_kept(document)) continue;
        documents_.add(arrival, id, document, order->id);
        touched_.insert(order->id);
    }
    for (const auto& result : group.results) {
        const bool signed_already = whole || is_signed(result, order->id);
        if (is_done(result)) {
            if (!signed_already) refresh(arrival, id, result, specimen, order->id);
            continue;
        }
        if (result.held) {
            // What is withdrawn is shown no more; once it was signed, only a biologist takes it back.
            std::optional<std::int64_t> replaced;
            const bool withdrawal = domain::rank(result.status) == 3;
            if (withdrawal && !signed_already) replaced = withdrawn_by(arrival, id, result, order->id);
            clean = false;
            if (!hold_result(arrival, id, result, specimen, order->id, replaced)) continue;
            if (withdrawal) wrong_.insert(order->id);
            if (withdrawal && signed_already) {
                work(arrival, id,
                     {"report_to_withdraw", coordinate(result),
                      "a signed report holds the result that its sender withdraws"},
                     order->id);
            }
            const auto analyte = result.analyte ? std::optional(result.analyte->value()) : std::nullopt;
            held_[order->id].push_back({analyte, result.code, result.run, result.status, id.value(), result.position});
            touched_.insert(order->id);
            continue;
        }
        clean &= apply_result(arrival, id, result, specimen, order->id, signed_already);
    }
    return clean;
}

bool Batch::apply_result(const Arrival& arrival, domain::MessageId id, const domain::ReceivedResult& result,
                         std::string_view specimen, const Uuid& order, bool signed_already) {
    auto value = codec::columns(result.value);
    const std::string susceptible(result.detail.susceptible ? to_string(*result.detail.susceptible) : "");
    const auto measured_at = instant_of(result.measured_at);
    auto& known = known_[key_of(result, order)];
    const auto here = place_of(known, arrival, id, result.position);
    const auto earlier = earlier_of(known, here, value, susceptible);
    const auto next = domain::succeed(earlier, result.status, measured_at);
    using Kind = domain::Succession::Kind;
    std::optional<std::int64_t> replaced;
    std::string status = result.status;
    switch (next.kind) {
        case Kind::repeat:  // said before: nothing new
            if (supersede(arrival, result, order)) touched_.insert(order);
            return true;
        case Kind::behind:
            work(arrival, id, behind(result.status, coordinate(result)), order);
            return false;
        case Kind::lost:
            work(arrival, id,
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
            if (known[next.of].id != 0 && !signed_already && !known[next.of].is_signed) replaced = known[next.of].id;
            break;
        case Kind::first:
            break;
    }
    KnownResult mine{0,          status,         value, susceptible, measured_at, false, replaced, arrival.received_at,
                     id.value(), result.position};
    if (!signed_already && here < known.size()) {
        if (said_later(known, here, mine)) return true;
        give_way(arrival, order, known, here, mine);
    }
    known.insert(known.begin() + static_cast<std::ptrdiff_t>(here), std::move(mine));
    supersede(arrival, result, order);
    touched_.insert(order);  // a repeat that brings nothing leaves the biologist's screen alone
    auto row = result;
    row.status = status;
    results_.add(arrival, id, row, value, specimen, order, signed_already ? "late" : "raw", replaced);
    ++outcome_.results;
    if (signed_already) {
        work(arrival, id, {"late_result", coordinate(result), "a result came after biological validation"}, order);
    }
    return !signed_already;
}

ResultKey Batch::key_of(const domain::ReceivedResult& result, const Uuid& order) {
    const auto analyte = result.analyte ? std::optional(result.analyte->value()) : std::nullopt;
    return {order, analysis_of(analyte, result.code), result.run, result.isolate};
}

bool Batch::is_signed(const domain::ReceivedResult& result, const Uuid& order) const {
    const auto analyte = result.analyte ? std::optional(result.analyte->value()) : std::nullopt;
    return signed_.contains({order, analysis_of(analyte, result.code), result.isolate});
}

std::optional<std::int64_t> Batch::withdrawn_by(const Arrival& arrival, domain::MessageId id,
                                                const domain::ReceivedResult& result, const Uuid& order) {
    auto& known = known_[key_of(result, order)];
    const auto at = instant_of(result.measured_at);
    const auto here = place_of(known, arrival, id, result.position);
    KnownResult* gone = nullptr;
    for (auto& one : std::span(known).first(here)) {
        if (one.replaced || domain::rank(one.status) == 3 || one.id == 0) continue;
        if (at && one.measured_at && *one.measured_at != *at) continue;
        if (gone == nullptr || gone->measured_at <= one.measured_at) gone = &one;
    }
    if (gone != nullptr) gone->replaced = true;
    const auto taken = gone == nullptr ? std::nullopt : std::optional(gone->id);
    KnownResult mine{0, result.status, {}, {}, at, false, taken, arrival.received_at, id.value(), result.position};
    if (here < known.size()) give_way(arrival, order, known, here, mine);
    known.insert(known.begin() + static_cast<std::ptrdiff_t>(here), std::move(mine));
    return taken;
}

bool Batch::supersede(const Arrival& arrival, const domain::ReceivedResult& result, const Uuid& order) {
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

std::string Batch::coordinate(const domain::ReceivedResult& result) {
    return "OBX[" + std::to_string(result.position) + "]";
}

void Batch::hold(const Arrival& arrival, domain::MessageId id, const domain::ReceivedGroup& group,
                 const domain::Trouble& trouble, const std::optional<Uuid>& order) {
    work(arrival, id, trouble, order);
    hold_results(arrival, id, group);
}

void Batch::work(const Arrival& arrival, domain::MessageId id, const domain::Trouble& trouble,
                 const std::optional<Uuid>& order) {
    if (before_ != nullptr && told_before(trouble)) return;
    work_.add(arrival.legal_entity, arrival.site, trouble, id, order);
    ++outcome_.opened;
}

void Batch::hold_results(const Arrival& arrival, domain::MessageId id, const domain::ReceivedGroup& group) {
    const std::string_view number = group.numbers.empty() ? std::string_view() : group.numbers.front();
    for (const auto& result : group.results) {
        if (!is_done(result)) hold_result(arrival, id, result, number, std::nullopt, std::nullopt);
    }
}

bool Batch::hold_result(const Arrival& arrival, domain::MessageId id, const domain::ReceivedResult& result,
                        std::string_view specimen, const std::optional<Uuid>& order,
                        std::optional<std::int64_t> replaced) {
    const auto value = codec::columns(result.value);
    ++outcome_.waiting;
    if (before_ != nullptr && held_before(result, value, order, replaced)) return false;
    results_.add(arrival, id, result, value, specimen, order, "quarantined", replaced);
    return true;
}

std::vector<pg::Query> inbox_batch_queries() {
    return {match_orders,   known_results,      insert_messages,  insert_results, touch_orders,
            supersede_held, close_work_of_held, insert_documents, hold_letters};
}

}  // namespace sgl::store
