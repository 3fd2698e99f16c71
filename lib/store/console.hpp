// What the console reads: users and their sessions, the worklist, one order, one report, letters, work to do. Each read
// is one scoped transaction (row-level security by site); a person's read of a patient leaves an audit row in it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/digest.hpp"
#include "lib/domain/catalogue.hpp"
#include "lib/domain/judgement.hpp"
#include "lib/domain/laboratory.hpp"
#include "lib/domain/letter.hpp"
#include "lib/domain/order.hpp"

namespace sgl::pg {
class Pool;
}

namespace sgl::store {

namespace asio = boost::asio;

using domain::Role;
using domain::role_of;

struct SiteName {
    domain::SiteId id;
    domain::LegalEntityId entity;
    std::string finess;
    std::string name;
    TimeZone zone{TimeZone::paris()};
};

struct SiteRole {
    SiteName site;
    Role role{};
};

/// Somebody who works on some sites, with the roles that hold now.
struct User {
    domain::UserId id;
    std::string login;
    std::string name;   ///< as displayed: given and family name
    domain::Rpps rpps;  ///< empty for whoever has none
    std::vector<SiteRole> roles;

    bool has(Role role, domain::SiteId site) const;
    const SiteName* site(domain::SiteId site) const;  ///< nullptr: none of his
};

struct WebSession {
    Sha256 token_hash{};
    std::string csrf_token;
    Instant created_at;
    Instant authenticated_at;
    User user;
};

/// Limits of a session (SEC-41).
struct SessionLimits {
    Duration idle{std::chrono::minutes{15}};
    Duration absolute{std::chrono::hours{10}};
};

struct LocalAccount {
    domain::UserId id;
    std::string password;  ///< scrypt form, see lib/base/password.hpp
};

/// A chapter of an order, for the worklist's dots.
struct ChapterCount {
    std::string label;
    unsigned results{};
    unsigned validated{};
    unsigned abnormal{};
    unsigned critical{};
};

struct LetterLine {
    domain::LetterId id;
    domain::ReportVersionId version;
    domain::SiteId site;
    std::string order_number;
    domain::OrderId order;
    domain::Channel channel{};
    domain::Act act{};
    std::string recipient_name;  ///< empty for the patient and the DMP
    domain::LetterState state{};
    domain::Reason reason{};
    int attempts{};
    Instant created_at;
    Instant next_attempt_at;
    std::optional<Instant> accepted_at;
    std::string partner_reference;
    bool possible_duplicate{};
    std::string error_where;
    std::string error_what;
};

struct ChannelState {
    domain::Channel channel{};
    domain::LetterState state{};
    domain::Reason reason{};
};

struct WorklistRow {
    domain::OrderId id;
    domain::SiteId site;
    std::string number;
    bool urgent{};
    domain::OrderState state{};
    Instant registered_at;
    Instant last_event_at;
    std::optional<Timestamp> collected_at;  ///< first specimen: where the urgency clock starts
    domain::Patient patient;
    std::string prescriber;
    std::vector<ChapterCount> chapters;
    std::vector<std::string> pending_exams;         ///< labels of what was asked and has no result yet
    unsigned unknown_codes{};                       ///< results that the catalogue does not know
    unsigned late_results{};                        ///< came after validation
    std::optional<domain::ReportVersionId> report;  ///< last version
    std::vector<ChannelState> letters;              ///< of that version
    std::optional<domain::VerdictCounts> verdicts;  ///< of the rules, on the order as it stands; none: not judged yet
};

enum class WorklistFilter : std::uint8_t { to_validate, waiting, reported, all };

struct WorklistCounts {
    unsigned to_validate{};  ///< open, at least one result
    unsigned waiting{};      ///< open, no result yet
    unsigned reported{};     ///< validated in the last 24 hours
    unsigned urgent{};       ///< among to_validate and waiting
};

struct Worklist {
    std::vector<WorklistRow> rows;
    WorklistCounts counts;
    bool cut{};  ///< more exist than are shown
};

/// What narrows a list: each part that is set must hold.
struct WorklistNarrow {
    bool urgent{};
    bool critical{};     ///< a result beyond the critical limits of the catalogue
    bool partial{};      ///< a partial report has left, the rest is awaited
    bool blocked{};      ///< a letter waits for a person, or will never leave
    bool unqualified{};  ///< the report would leave without the INS
    unsigned hours{};    ///< registered for longer; 0: not asked
    std::string chapter;     ///< its French label; empty: not asked
    std::string prescriber;  ///< RPPS, or the name of who has none

    bool any() const { return urgent || critical || partial || blocked || unqualified || hours > 0 || !chapter.empty() || !prescriber.empty(); }
};
struct NamedCount {
    std::string key;
    std::string label;
    unsigned count{};
};
/// How many orders of a list each filter would leave, the other filters being as they are.
struct WorklistFacets {
    unsigned urgent{};
    unsigned critical{};
    unsigned partial{};
    unsigned blocked{};
    unsigned unqualified{};
    unsigned late{};  ///< for longer than WorklistNarrow::hours, or than the 2 hours that are offered first
    std::vector<NamedCount> chapters;     ///< by label
    std::vector<NamedCount> prescribers;  ///< the 50 with the most
    std::vector<Uuid> chosen;             ///< orders that pass all filters, as the list orders them
    bool cut{};                           ///< of more than 5,000 orders, the first were counted
};

/// A filter that somebody keeps under a name; `query` is what follows the `?` of the list's address.
struct SavedFilter {
    std::int64_t id{};
    std::string name;
    std::string query;
};

/// A result as received and kept; what the catalogue makes of it is the draft's business (lib/web/commands.hpp).
struct KeptResult {
    domain::ResultId id;
    std::string code;
    bool known{};       ///< the catalogue has an analyte for it
    std::string value;  ///< with its comparator, as received
    std::string unit;
    std::string received_flags;
    std::string note;
    std::string status;  ///< OBX-11
    std::string state;   ///< raw, quarantined, late, bio_validated, set_aside
    std::string specimen_number;
    Instant received_at;
    std::string settled_by;  ///< of set_aside: "user:<login>"
    std::string settled_why;
    std::optional<Instant> settled_at;
};

struct ReportLine {
    domain::ReportVersionId id;
    unsigned version{};
    std::string state;  ///< validated, published, refused, withdrawn
    Instant validated_at;
    std::string validator;
    std::optional<Instant> published_at;
    std::string refusal;
    std::string kind;  ///< partial, final, amended
};

struct OrderView {
    domain::OrderId id;
    domain::SiteId site;
    int row_version{};  ///< of the order and of the patient's identity: what a screen carries
    std::string number;
    std::string placer_group;
    domain::OrderState state{};
    bool urgent{};
    domain::Patient patient;
    std::string prescriber;
    std::vector<std::string> copies;
    std::string collector;
    std::optional<Timestamp> prescribed_at;
    Instant registered_at;
    std::string stay_number;
    std::string clinical_context;
    std::vector<domain::RequestedExam> exams;
    std::vector<domain::Specimen> specimens;
    std::vector<KeptResult> results;    ///< current ones: what was corrected is left out
    std::vector<KeptResult> set_aside;  ///< by a person, with his reason
    std::vector<ReportLine> reports;    ///< newest first
    std::vector<domain::PriorResult> prior;  ///< what the requester sent along: not ours
};

struct DocumentLine {
    std::string variant;
    std::string form;  ///< n3, pdf
    std::string oid;
    std::uint64_t size{};
    std::string sha256;  ///< hexadecimal
};

struct LetterEventLine {
    domain::LetterId letter;
    Instant at;
    std::string actor;
    std::string from_state;
    std::string to_state;
    std::string reason;
    int attempt{};
    std::string detail;
};

struct ReportView {
    ReportLine line;
    domain::OrderId order;
    std::string order_number;
    domain::SiteId site;
    domain::Patient patient;
    bool ins_qualified{};  ///< when it was signed
    std::string comment;
    std::string document_oid;
    std::vector<ReportLine> versions;  ///< of the same set, newest first
    std::vector<DocumentLine> documents;
    std::vector<LetterLine> letters;
    std::vector<LetterEventLine> events;  ///< oldest first
};

struct DocumentBytes {
    std::string order_number;
    unsigned version{};
    std::string bytes;
};

struct LetterFilter {
    std::optional<domain::LetterState> state;
    std::optional<domain::Channel> channel;
};
struct LetterCount {
    domain::LetterState state{};
    unsigned count{};
};
struct Letters {
    std::vector<LetterLine> rows;
    std::vector<LetterCount> counts;  ///< of all letters of the last 30 days, and of all that are open
    bool cut{};
};

struct WorkItemLine {
    domain::WorkItemId id;
    domain::SiteId site;
    std::string kind;
    std::string coordinate;
    std::string what;
    std::optional<domain::OrderId> order;
    std::string order_number;
    bool holds_order{};  ///< its result hinders the signature: it is set aside in the order, not closed here
    Instant created_at;
};
struct WorkItems {
    std::vector<WorkItemLine> rows;
    unsigned open{};
};

struct InstanceView {
    Uuid uuid;
    std::string label;
    std::string environment;  ///< production, test
};

/// All functions throw pg::DatabaseError when the database is away. `sites` are those that the caller may see; they are
/// the transaction's scope as well as a condition of each query.
class Console {
public:
    using Sites = std::vector<domain::SiteId>;

    /// The site's present catalogue, or nullptr; shared because an import may replace it while a page is being read.
    using CatalogueOf = std::function<std::shared_ptr<const domain::Catalogue>(domain::SiteId)>;

    Console(pg::Pool& pool, const Clock& clock, CatalogueOf catalogue)
        : pool_(pool), clock_(clock), catalogue_(std::move(catalogue)) {}

    // ── Sign-in ──
    asio::awaitable<std::optional<LocalAccount>> local_account(std::string login);
    asio::awaitable<void> open_session(Sha256 token_hash, domain::UserId user, std::string csrf_token);
    /// `touch` false for what a page does by itself (refresh), so that it does not keep an abandoned session alive.
    asio::awaitable<std::optional<WebSession>> session(Sha256 token_hash, SessionLimits limits, bool touch);
    /// Whose session it was, ended by its limits or not; nothing when it was signed out.
    asio::awaitable<std::optional<domain::UserId>> session_owner(Sha256 token_hash);
    asio::awaitable<void> end_session(Sha256 token_hash);
    asio::awaitable<void> audit_sign_in(std::string login, bool accepted, std::string address);

    // ── Reading ──
    /// `only`: these orders instead of all of the list, in this order.
    asio::awaitable<Worklist> worklist(Sites sites, WorklistFilter filter, std::optional<std::vector<Uuid>> only = std::nullopt);
    asio::awaitable<WorklistFacets> facets(Sites sites, WorklistFilter filter, WorklistNarrow narrow);
    asio::awaitable<std::vector<SavedFilter>> saved_filters(domain::UserId user);  ///< by name
    /// Under the name he gives; one of that name is replaced. Fault::conflict: he has 20 already.
    asio::awaitable<Result<void>> save_filter(domain::UserId user, std::string name, std::string query);
    asio::awaitable<void> drop_filter(domain::UserId user, std::int64_t filter);
    asio::awaitable<Result<OrderView>> order(User reader, Sites sites, domain::OrderId id);
    asio::awaitable<Result<ReportView>> report(User reader, Sites sites, domain::ReportVersionId id);
    asio::awaitable<Result<DocumentBytes>> document(User reader, Sites sites, domain::ReportVersionId id,
                                                    std::string form);
    asio::awaitable<Letters> letters(Sites sites, LetterFilter filter);
    asio::awaitable<Result<LetterLine>> letter(Sites sites, domain::LetterId id);
    asio::awaitable<WorkItems> work_items(Sites sites);
    asio::awaitable<unsigned> open_work(Sites sites);  ///< only their number
    asio::awaitable<InstanceView> instance();

private:
    pg::Pool& pool_;
    const Clock& clock_;
    CatalogueOf catalogue_;
};

}  // namespace sgl::store
