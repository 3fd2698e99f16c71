#include "lib/store/outbox.hpp"

#include <boost/json/value.hpp>
#include <variant>

#include "lib/base/failpoint.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/letter_rows.hpp"
#include "lib/store/queries.hpp"

namespace sgl::store {

namespace {

// Materialized: as a plain subquery the planner may run it once per row, and each run locks others beyond the limit.
constexpr pg::Query pick_due{"letters.pick_due", R"sql(
    with due as materialized (
        select l.id, l.state as before from letter l
        where l.channel = $5 and l.state in ('due', 'retry', 'in_doubt') and l.next_attempt_at <= $1
          and exists (select from unnest($6::int[], $7::int[]) as d(legal_entity_id, partner_id)
                      where d.legal_entity_id = l.legal_entity_id and d.partner_id is not distinct from l.partner_id) = $8
          and (select count(*) from report_version v
               join report_version earlier on earlier.set_id = v.set_id and earlier.version <= v.version
               join letter former on former.version_id = earlier.id and former.variant = l.variant
                    and former.channel = l.channel and former.recipient_key = l.recipient_key and former.id <> l.id
               where v.id = l.version_id and former.state in ('due', 'sending', 'retry', 'in_doubt', 'held')
                 and (earlier.version < v.version or (former.act = 'deliver' and l.act = 'withdraw'))) = 0
        order by l.next_attempt_at for update of l skip locked limit $2)
    update letter set state = 'sending', attempts = attempts + 1, lease_owner = $3, lease_until = $4, fence = fence + 1,
        first_sent_at = coalesce(letter.first_sent_at, $1)
    from due where letter.id = due.id
    returning letter.id, letter.version_id, letter.site_id, letter.legal_entity_id, letter.channel, letter.act,
        letter.recipient_key, letter.recipient_name, letter.address, letter.partner_id, due.before, letter.possible_duplicate,
        letter.attempts, letter.trying_since, letter.next_attempt_at, letter.fence, letter.first_sent_at,
        (select f.id from report_version mine join report_version v on v.set_id = mine.set_id and v.version <= mine.version
         join letter f on f.version_id = v.id and f.variant = letter.variant and f.channel = letter.channel
              and f.recipient_key = letter.recipient_key and f.act = 'deliver' and f.id <> letter.id
         where mine.id = letter.version_id and f.state in ('accepted', 'delivered') order by v.version limit 1))sql"};

constexpr pg::Query write_outcome{"letters.complete", R"sql(
    update letter set state = $3, reason = $4, next_attempt_at = $5, trying_since = $6, lease_owner = null, lease_until = null,
        accepted_at = case when $3 = 'accepted' then $7 else accepted_at end,
        partner_reference = case when $8 = '' then partner_reference else $8 end,
        possible_duplicate = possible_duplicate or $9, error_where = $10, error_what = $11
    where id = $1 and fence = $2 and state = 'sending')sql"};

constexpr pg::Query extend{"letters.renew", R"sql(
    update letter set lease_until = $3 where id = $1 and fence = $2 and state = 'sending')sql"};

constexpr pg::Query insert_events{"letters.events", R"sql(
    insert into letter_event (letter_id, legal_entity_id, site_id, at, actor, from_state, to_state, reason, attempt, detail)
    select l.id, l.legal_entity_id, l.site_id, $1, $2, e.before, l.state, l.reason, l.attempts, e.detail
    from unnest($3::uuid[], $4::text[], $5::text[]) as e(id, before, detail) join letter l on l.id = e.id)sql"};

// A letter that is given up in doubt was in doubt: whoever asks later what may have arrived finds it here.
constexpr pg::Query insert_doubt{"letters.insert_doubt", R"sql(
    insert into letter_event (letter_id, legal_entity_id, site_id, at, actor, from_state, to_state, reason, attempt, detail)
    select id, legal_entity_id, site_id, $2, $3, 'sending', 'in_doubt', $4, attempts, '' from letter where id = $1)sql"};

constexpr pg::Query take_back{"letters.reclaim", R"sql(
    update letter set state = 'in_doubt', next_attempt_at = $1, lease_owner = null, lease_until = null, fence = fence + 1
    where id in (select id from letter where state = 'sending' and (lease_until < $1 or ($2 and lease_owner = $3))
                 for update skip locked)
    returning id)sql"};

// The report too: no version of it is published meanwhile.
constexpr pg::Query lock_one{"letters.lock", R"sql(
    select l.state, l.reason, l.attempts, l.trying_since, l.next_attempt_at, l.legal_entity_id, l.site_id
    from letter l join report_version v on v.id = l.version_id join report_set s on s.id = v.set_id
    where l.id = $1 for no key update of l, s)sql"};

// After the lock, in a statement of its own. Behind a dead letter the next version may leave at any moment.
constexpr pg::Query find_newer{"letters.newer", R"sql(
    select from letter l join report_version v on v.id = l.version_id
        join report_version n on n.set_id = v.set_id and n.version >= v.version
        left join letter newer on newer.version_id = n.id and n.version > v.version
             and newer.channel = l.channel and newer.recipient_key = l.recipient_key
             and (l.state = 'dead' or newer.state in ('sending', 'in_doubt', 'accepted', 'delivered'))
    where l.id = $1 and l.act = 'deliver' and (n.state = 'withdrawn' or newer.id is not null)
    limit 1)sql"};

constexpr pg::Query set_state{"letters.act", R"sql(
    update letter set state = $2, reason = $3, next_attempt_at = $4, trying_since = $5 where id = $1)sql"};

constexpr pg::Query earliest{"letters.next_due", R"sql(
    select min(next_attempt_at) from letter where channel = $1 and state in ('due', 'retry', 'in_doubt'))sql"};

// A letter that ends without having arrived while its report is withdrawn: the withdrawal that was to follow it, and
// the newest version before it that this recipient has, or may have.
constexpr pg::Query find_withdrawn{"letters.withdrawn", R"sql(
    select w.id, f.id, f.version_id
    from letter l join report_version v on v.id = l.version_id
        left join letter w on w.version_id = l.version_id and w.variant = l.variant and w.channel = l.channel
             and w.recipient_key = l.recipient_key and w.act = 'withdraw' and w.state in ('due', 'held')
        left join lateral (
            select f.id, f.version_id from letter f join report_version former on former.id = f.version_id
            where former.set_id = v.set_id and former.version < v.version and f.variant = l.variant
              and f.channel = l.channel and f.recipient_key = l.recipient_key and f.act = 'deliver'
              and (f.state in ('accepted', 'delivered') or f.possible_duplicate
                   or exists (select from letter_event e where e.letter_id = f.id and e.to_state in ('accepted', 'delivered', 'in_doubt')))
            order by former.version desc limit 1) f on true
    where l.id = $1 and l.act = 'deliver' and not l.possible_duplicate
      and exists (select from report_version n where n.set_id = v.set_id and n.version >= v.version and n.state = 'withdrawn')
      and not exists (select from letter_event e where e.letter_id = l.id and e.to_state in ('accepted', 'delivered', 'in_doubt')))sql"};

constexpr pg::Query stop{"letters.stop",
                         "with waiting as (select l.id, l.state as before from letter l where l.id = any($1::uuid[]) "
                         "and l.state in ('due', 'retry', 'held') " SGL_STOP_LETTERS};

constexpr pg::Query insert_withdrawal{"letters.insert_withdrawal", R"sql(
    with made as (
        insert into letter (id, legal_entity_id, site_id, version_id, variant, channel, act, recipient_key, recipient_name,
            address, partner_id, state, reason, month, created_at, trying_since, next_attempt_at)
        select $1, legal_entity_id, site_id, version_id, variant, channel, 'withdraw', recipient_key, recipient_name, address,
            partner_id, 'due', '', month, $3, $3, $3
        from letter where id = $2 returning id, legal_entity_id, site_id)
    insert into letter_event (letter_id, legal_entity_id, site_id, at, actor, from_state, to_state, reason, attempt, detail)
    select id, legal_entity_id, site_id, $3, $4, '', 'due', '', 0, '' from made)sql"};

pg::Step events_step(Instant now, const std::string& actor, const std::vector<Uuid>& ids, std::string_view before,
                     std::string_view detail) {
    pg::TextColumn states;
    pg::TextColumn details;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        states.add(before);
        details.add(detail);
    }
    return {insert_events, pg::params(now, actor, ids, states, details)};
}

/// The report of a letter that did not arrive was withdrawn meanwhile: it is not tried again, and nobody is told to
/// forget what he never had.
void forget(pg::Row found, const LeasedLetter& letter, const std::string& actor, Instant now,
            std::vector<pg::Step>& steps) {
    std::vector<Uuid> ids(1, letter.id.value());
    const bool was_to_follow = !found.is_null(0);
    if (was_to_follow) ids.push_back(found.uuid(0));
    steps.push_back(pg::Step{stop, stop_params(ids, domain::letter_event::Abandoned(), now, actor,
                                               "the report was withdrawn while the letter was on its way")});
    if (!was_to_follow || found.is_null(1)) return;
    const Uuid id = letter_id(domain::ReportVersionId{found.uuid(2)}, to_string(letter.channel), letter.recipient_key,
                              domain::Act::withdraw);
    steps.push_back(pg::Step{insert_withdrawal, pg::params(id, found.uuid(1), now, actor)});
}

}  // namespace

asio::awaitable<std::vector<LeasedLetter>> Outbox::claim(const std::vector<std::int32_t>& sites,
                                                         domain::Channel channel, std::size_t limit, Duration lease,
                                                         Instant now, ClaimScope scope) {
    pg::Int4Column entities;
    pg::Int4Column partners;
    for (const auto& destination : scope.destinations) {
        entities.add(destination.legal_entity);
        destination.partner ? partners.add(*destination.partner) : partners.add_null();
    }
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(
        pick_due, pg::params(now, limit, owner_, now + lease, to_string(channel), entities, partners, scope.only));
    std::vector<LeasedLetter> letters;
    if (rows.empty()) {
        co_await transaction.rollback();
        co_return letters;
    }
    failpoint("before_claim_commit");
    pg::UuidColumn ids;
    pg::TextColumn before;
    pg::TextColumn details;
    for (const auto row : rows) {
        LeasedLetter letter;
        letter.id = domain::LetterId{row.uuid(0)};
        letter.version = domain::ReportVersionId{row.uuid(1)};
        letter.site = domain::SiteId{row.int32(2)};
        letter.legal_entity = domain::LegalEntityId{row.int32(3)};
        letter.channel = channel;
        letter.act = domain::act_of(row.text(5)).value_or(domain::Act::deliver);
        letter.recipient_key = row.string(6);
        letter.recipient_name = row.string(7);
        letter.address = row.string(8);
        if (!row.is_null(9)) letter.partner = domain::PartnerId{row.int32(9)};
        letter.was_in_doubt = row.text(10) == "in_doubt";
        letter.possible_duplicate = row.boolean(11);
        letter.facts = {domain::LetterState::sending, domain::Reason::none, row.int32(12), row.instant(13),
                        row.instant(14)};
        letter.fence = row.int64(15);
        letter.lease_until = now + lease;
        letter.sent_at = row.instant(16);
        if (!row.is_null(17)) letter.first_arrived = domain::LetterId{row.uuid(17)};
        ids.add(letter.id);
        before.add(row.text(10));
        details.add("");
        letters.push_back(std::move(letter));
    }
    std::vector<pg::Step> steps;
    const std::string actor = "daemon:" + owner_;
    steps.push_back(pg::Step{insert_events, pg::params(now, actor, ids, before, details)});
    co_await transaction.commit_with(std::move(steps));
    co_return letters;
}

asio::awaitable<bool> Outbox::complete(const LeasedLetter& letter, const LetterOutcome& outcome, Instant now) {
    failpoint("after_response_before_commit");
    const std::vector<std::int32_t> scope(1, letter.site.value());
    pg::Transaction transaction = co_await pool_.begin(scope);
    const auto& facts = outcome.facts;
    const pg::Rows won = co_await transaction.query(
        write_outcome, pg::params(letter.id, letter.fence, to_string(facts.state), to_string(facts.reason),
                                  facts.next_attempt_at, facts.created_at, now, outcome.partner_reference,
                                  outcome.possible_duplicate, outcome.error_where, outcome.error_what));
    if (won.affected() != 1) {
        co_await transaction.rollback();
        co_return false;
    }
    const std::vector<Uuid> ids(1, letter.id.value());
    const std::string actor = "daemon:" + owner_;
    const std::string detail =
        outcome.error_where.empty() ? outcome.error_what : outcome.error_where + ": " + outcome.error_what;
    std::vector<pg::Step> steps;
    using domain::LetterState;
    const bool given_up_in_doubt = outcome.in_doubt && facts.state == LetterState::dead;
    if (given_up_in_doubt) {
        const auto reason = to_string(domain::Reason::partner_unavailable);
        steps.push_back(pg::Step{insert_doubt, pg::params(letter.id, now, actor, reason)});
    }
    steps.push_back(events_step(now, actor, ids, given_up_in_doubt ? "in_doubt" : "sending", detail));
    const bool failed = facts.state == LetterState::retry || facts.state == LetterState::dead ||
                        facts.state == LetterState::not_applicable;
    const bool nothing_arrived = letter.act == domain::Act::deliver && failed && !outcome.in_doubt;
    if (nothing_arrived) {
        // After the update: a withdrawal that ran meanwhile is seen, a later one sees what is written here.
        const pg::Rows withdrawn = co_await transaction.query(find_withdrawn, pg::params(letter.id));
        if (!withdrawn.empty()) forget(withdrawn[0], letter, actor, now, steps);
    }
    std::vector<AuditEvent> events;
    AuditEvent event;
    event.legal_entity = letter.legal_entity;
    event.site = letter.site;
    event.actor = actor;
    event.action = "deliver";
    event.object = "letter:" + to_string(letter.id.value());
    event.payload = codec::text({{"state", to_string(facts.state)},
                                 {"reason", to_string(facts.reason)},
                                 {"attempt", facts.attempts},
                                 {"partner", outcome.partner_reference}});
    events.push_back(std::move(event));
    steps.push_back(audit(events, now));
    co_await transaction.commit_with(std::move(steps));
    failpoint("after_result_commit");
    co_return true;
}

asio::awaitable<bool> Outbox::renew(const LeasedLetter& letter, Duration lease, Instant now) {
    failpoint("lease_renew");
    const std::vector<std::int32_t> scope(1, letter.site.value());
    pg::Transaction transaction = co_await pool_.begin(scope);
    const pg::Rows won = co_await transaction.query(extend, pg::params(letter.id, letter.fence, now + lease));
    const bool ours = won.affected() == 1;
    co_await transaction.commit();
    co_return ours;
}

asio::awaitable<std::size_t> Outbox::reclaim(const std::vector<std::int32_t>& sites, bool own, Instant now) {
    failpoint("lease_reclaim");
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(take_back, pg::params(now, own, owner_));
    if (rows.empty()) {
        co_await transaction.rollback();
        co_return 0;
    }
    std::vector<Uuid> ids;
    for (const auto row : rows)
        ids.push_back(row.uuid(0));
    std::vector<pg::Step> steps;
    steps.push_back(events_step(now, "daemon:" + owner_, ids, "sending", "the worker that held the letter is gone"));
    co_await transaction.commit_with(std::move(steps));
    co_return ids.size();
}

asio::awaitable<Result<void>> Outbox::act(const std::vector<std::int32_t>& sites, domain::LetterId id,
                                          domain::LetterEvent event, std::string verb, std::string actor,
                                          std::string why, const domain::RetryPolicy& policy, Instant now) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    std::vector<pg::Step> look;
    look.push_back(pg::Step{lock_one, pg::params(id)});
    look.push_back(pg::Step{find_newer, pg::params(id)});
    const std::vector<pg::Rows> seen = co_await transaction.pipeline(std::move(look));
    const pg::Rows& rows = seen[0];
    if (rows.empty()) {
        co_await transaction.rollback();
        co_return Error{Fault::missing, "letter", "no such letter on your sites"};
    }
    const auto row = rows[0];
    const std::string before = row.string(0);
    domain::LetterFacts facts{domain::letter_state_of(before).value(),
                              domain::reason_of(row.text(1)).value_or(domain::Reason::none), row.int32(2),
                              row.instant(3), row.instant(4)};
    if (std::holds_alternative<domain::letter_event::Retried>(event) && !seen[1].empty()) {
        co_await transaction.rollback();
        co_return overtaken();
    }
    const Result<domain::LetterFacts> next = domain::decide(facts, event, now, policy);
    if (!next) {
        co_await transaction.rollback();
        co_return next.error();
    }
    const domain::LegalEntityId entity{row.int32(5)};
    const domain::SiteId site{row.int32(6)};
    const std::vector<Uuid> ids(1, id.value());
    std::vector<pg::Step> steps;
    steps.push_back(pg::Step{set_state, pg::params(id, to_string(next->state), to_string(next->reason),
                                                   next->next_attempt_at, next->created_at)});
    steps.push_back(events_step(now, actor, ids, before, why));
    std::vector<AuditEvent> events;
    AuditEvent audited;
    audited.legal_entity = entity;
    audited.site = site;
    audited.actor = actor;
    audited.action = verb + "_letter";
    audited.object = "letter:" + to_string(id.value());
    audited.payload = codec::text({{"from", before}, {"to", to_string(next->state)}, {"why", why}});
    events.push_back(std::move(audited));
    steps.push_back(audit(events, now));
    co_await transaction.commit_with(std::move(steps));
    co_return Result<void>{};
}

asio::awaitable<std::optional<Instant>> Outbox::next_due(const std::vector<std::int32_t>& sites,
                                                         domain::Channel channel) {
    pg::Transaction transaction = co_await pool_.begin(sites);
    const pg::Rows rows = co_await transaction.query(earliest, pg::params(to_string(channel)));
    co_await transaction.rollback();
    co_return rows[0].optional_instant(0);
}

std::vector<pg::Query> outbox_queries() {
    return {pick_due,   write_outcome, extend,   insert_events,  insert_doubt, take_back,        lock_one,
            find_newer, set_state,     earliest, find_withdrawn, stop,         insert_withdrawal};
}

}  // namespace sgl::store
