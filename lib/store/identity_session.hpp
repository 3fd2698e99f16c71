// What one transaction does to identities: each act of a message or of a person, its audit events, and the work that it
// gives (identity-and-directory 1, 2; hl7v2-lab 9). Who begins the transaction writes what the session gathered and
// commits.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/store/audit.hpp"
#include "lib/store/identities.hpp"
#include "lib/store/patients.hpp"

// One place for what "sent under a wrong identity" means. The signed identity is that of the version; a doubt that was
// never answered counts as sent. Macros, because SQL is put together by the compiler only.
#define SGL_SIGNED_WRONGLY                                                                                           \
    "from identity_change c "                                                                                        \
    "cross join lateral (select distinct version_id from validated_result where patient_id = c.wrong_patient_id) r " \
    "join report_version v on v.id = r.version_id "                                                                  \
    "join report_set s on s.id = v.set_id join lab_order o on o.id = s.order_id "                                    \
    "join letter l on l.version_id = v.id and l.act = 'deliver' "                                                    \
    "where c.undone_at is null and v.validated_at <= c.at "                                                          \
    "and case c.kind "                                                                                               \
    "    when 'ins_changed' then v.ins_qualified and v.patient->>'ins_matricule' = c.wrong_matricule "               \
    "                            and v.patient->>'ins_oid' = c.wrong_oid "                                           \
    "    when 'split' then v.validated_at >= c.since and (o.id = any(c.orders) or o.registered_at >= c.since) "      \
    "    else true end "
#define SGL_MISDIRECTED                                                                         \
    SGL_SIGNED_WRONGLY                                                                          \
    "and (l.state in ('sending', 'in_doubt', 'accepted', 'delivered') or l.possible_duplicate " \
    "     or exists (select 1 from letter_event e where e.letter_id = l.id "                    \
    "                and e.to_state in ('accepted', 'delivered', 'in_doubt')))"
// What misdirected_document() reads.
#define SGL_MISDIRECTED_COLUMNS                                                                                    \
    "c.id, c.kind, l.id, l.channel, l.state, "                                                                     \
    "l.state in ('accepted', 'delivered') or exists (select 1 from letter_event e where e.letter_id = l.id "       \
    "    and e.to_state in ('accepted', 'delivered')), "                                                           \
    "exists (select 1 from letter w where w.version_id = v.id and w.channel = l.channel "                          \
    "    and w.recipient_key = l.recipient_key and w.act = 'withdraw' and w.state in ('accepted', 'delivered')), " \
    "o.number, v.version, v.document_oid, v.validated_at, l.site_id "

namespace sgl::store {

/// The first columns of a row that begins with SGL_MISDIRECTED_COLUMNS.
MisdirectedDocument misdirected_document(const pg::Row& row);

/// Where rows of a change belong.
struct IdentityPlace {
    domain::LegalEntityId legal_entity;
    domain::SiteId site;
    Instant now;
    std::string actor;
    std::optional<domain::MessageId> message;
    PatientPlace patient() const { return {legal_entity, site, now}; }
};

/// One transaction's worth of identity work: what happened, as audit events and as work for a person.
class IdentitySession {
public:
    IdentitySession(pg::Transaction& transaction, IdentityPlace place)
        : transaction_(transaction), place_(std::move(place)) {}

    asio::awaitable<void> run(const domain::IdentityAct& act);

    asio::awaitable<Result<void>> split(std::int64_t change, Instant said_at);

    /// Work for a person that the sender hears of.
    void trouble(domain::Trouble trouble);
    /// Work for a person, nothing to do for the sender.
    void work(std::string kind, std::string coordinate, std::string what);
    void event(std::string action, domain::PatientId patient, boost::json::object payload);
    const std::vector<domain::Trouble>& troubles() const { return troubles_; }
    const std::vector<domain::Trouble>& answered() const { return answered_; }
    std::vector<AuditEvent>& events() { return events_; }
    bool refused() const { return refused_; }
    const IdentityPlace& place() const { return place_; }

private:
    struct ChangeRow {
        std::string kind;
        domain::PatientId patient;
        domain::PatientId wrong;
        std::optional<std::string> matricule;
        std::optional<std::string> oid;
        Instant said_at;
        std::optional<Instant> since;
        std::vector<Uuid> orders;
        std::vector<Uuid> patients;
    };
    void refuse(domain::Trouble trouble, std::optional<domain::PatientId> patient);

    asio::awaitable<std::optional<FoundPatient>> find(domain::LocalIdentifier number);
    static domain::LocalIdentifier number_of(const domain::IdentityAct& act);

    /// The patient of PID as the message says he is; nothing when it was refused and there is none.
    asio::awaitable<std::optional<domain::PatientId>> state(const domain::IdentityAct& act);

    asio::awaitable<void> told(domain::PatientId id, const std::optional<domain::KnownIdentity>& known,
                               const domain::IdentityChange& becomes, const domain::IdentityAct& act);

    /// The row, and a person's work when documents left under the wrong identity.
    asio::awaitable<void> record(ChangeRow made);

    asio::awaitable<void> merge(const domain::IdentityAct& act);

    asio::awaitable<void> merge_one(const domain::IdentityAct& act, const FoundPatient& survivor,
                                    const domain::LocalIdentifier& number);

    asio::awaitable<void> renumber(const domain::IdentityAct& act);

    asio::awaitable<void> link(const domain::IdentityAct& act);

    asio::awaitable<bool> told_apart(domain::LocalIdentifier own, domain::LocalIdentifier other);

    asio::awaitable<void> remember(domain::LocalIdentifier number, domain::PatientId patient);

    asio::awaitable<void> stay(domain::PatientId patient, const domain::StayStatement& said);

    pg::Transaction& transaction_;
    IdentityPlace place_;
    Instant said_at_{};
    std::vector<domain::Trouble> troubles_;
    std::vector<domain::Trouble> answered_;
    std::vector<AuditEvent> events_;
    bool refused_{};
};

/// The rows of that work.
void work_steps(std::vector<pg::Step>& to, const IdentityPlace& place, const std::vector<domain::Trouble>& troubles);

}  // namespace sgl::store
