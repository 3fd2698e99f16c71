// The path of a result after it was kept: validate → compose → check → publish. Each step leaves a row before the next
// begins, so that a restart goes on by reading rows.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <string>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/flow/draft.hpp"
#include "lib/flow/live_laboratory.hpp"
#include "lib/store/outbox.hpp"
#include "lib/store/reports.hpp"
#include "lib/store/rules.hpp"

namespace sgl::cda {
class Checker;
}
namespace sgl::cda::schematron {
class OfficialKit;
}
namespace sgl::compose {
class PdfRenderer;
}

namespace sgl::flow {

namespace asio = boost::asio;

/// Who acts: rights have been looked up, the sites are those he may see.
struct Actor {
    std::string name;  ///< "user:<login>", for the audit
    domain::UserId user;
    std::vector<std::int32_t> sites;
};

/// What a biologist signs: exactly what was on his screen.
struct ValidationCommand {
    domain::OrderId order;
    int row_version{};  ///< OrderFile::seen_version of that screen
    std::vector<domain::ResultId> seen;
    std::string comment;
    std::string reason;  ///< of a report that has left already: what changes, and why
    /// He knows that results are missing, or provisional, and signs what is there: without it an order is signed whole.
    bool partial{};
    std::vector<domain::ResultId> confirmed{};  ///< implausible results that he signs all the same
    std::string confirmed_why{};                ///< needed with them
};

/// A report that left is taken back: nobody may use it any more.
struct WithdrawalCommand {
    domain::OrderId order;
    int row_version{};  ///< OrderFile::seen_version of that screen
    std::string reason;
};

struct Validated {
    domain::ReportVersionId version;
    unsigned number{};
    Instant at;
};

/// Ring 3 of design D6, where the laboratory has installed the official kit.
struct OfficialRules {
    const cda::schematron::OfficialKit& kit;
    unsigned share{100};  ///< of 100 documents; which ones follows from their bytes
    bool blocks{true};    ///< a rejected document isn't published; else it is, with an error in the log
};

/// What the rules in force say of the results of an order.
struct RulesOpinion {
    std::int32_t number{};  ///< of the rule set
    std::string name;
    std::vector<domain::Judgement> judgements;  ///< one a line
};

/// A preview of what signing would give.
struct Preview {
    ReportDraft draft;
    std::vector<domain::PlannedLetter> letters;
    std::vector<Error> missing;
    std::vector<domain::Awaited> provisional;  ///< what signing as partial would announce though nothing is missing
    bool needs_reason{};                       ///< what was reported for good changes, or nothing does
    std::optional<RulesOpinion> rules;         ///< none: no rules are in force on the site
};

class Line {
public:
    struct Parts {
        pg::Pool& pool;
        store::Orders& orders;
        store::Reports& reports;
        const LiveLaboratory& laboratory;
        const Clock& clock;
        const cda::Checker& checker;
        compose::PdfRenderer& pdf;
        asio::thread_pool& workers;  ///< for composing: never on the I/O thread
        std::string daemon;          ///< name, for the audit
        bool production{};
        const OfficialRules* official{nullptr};  ///< null: our own rings alone
    };
    explicit Line(Parts parts) : parts_(std::move(parts)) {}

    /// What the rules say is kept with the order.
    asio::awaitable<Result<Preview>> preview(Actor actor, domain::OrderId order);

    /// Technical and biological validation of all results that an order has. Of one whose report has left: the next
    /// version, with what came since, which replaces the report (lab-domain 3.4); it needs a reason unless it only goes
    /// on where a partial one stopped. Fault::refused: no right, or incomplete and not signed as partial; conflict:
    /// stale screen (`what` says what changed); missing: no reason given. Refused, where "rules": an implausible result
    /// that was not confirmed. What the rules in force say is kept with the signature.
    asio::awaitable<Result<Validated>> validate(Actor actor, ValidationCommand command);

    /// Faults as those of validate(); gives how many recipients will hear of it.
    asio::awaitable<Result<std::size_t>> withdraw(Actor actor, WithdrawalCommand command);

    /// A version that could not be composed waits again, after somebody mended why. Faults of Reports::compose_again.
    asio::awaitable<Result<void>> compose_again(Actor actor, domain::ReportVersionId version);

    /// compose → check → publish of everything that waits; gives how many were published.
    asio::awaitable<std::size_t> publish_waiting();

    /// The report of a version as its letters need it.
    asio::awaitable<Result<domain::Report>> report(domain::ReportVersionId version);

private:
    /// An order that a biologist acts on, locked until its transaction ends.
    struct Opened {
        pg::Transaction transaction;
        store::OrderFile file;
        const domain::User* user{};  ///< of the laboratory that the caller holds
        std::optional<store::LastVersion> last;
    };
    /// Fault::refused when he may not sign there, missing when there is no such order on his sites.
    asio::awaitable<Result<Opened>> open(const domain::Laboratory& laboratory, Actor actor, domain::OrderId order);

    asio::awaitable<bool> publish(domain::ReportVersionId id);
    domain::Report report_of_version(const store::StoredVersion& version, const store::OrderFile& file) const;
    std::vector<std::int32_t> all_sites() const;

    Parts parts_;
};

}  // namespace sgl::flow
