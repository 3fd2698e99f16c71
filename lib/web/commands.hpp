// What the console and its JSON API ask of the line: the same commands as the CLI. Implemented by the daemon over
// lib/flow; a fake in tests. Who asks is always given: rights are checked here and again by whoever implements.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/domain/letter.hpp"
#include "lib/domain/plan.hpp"
#include "lib/domain/judgement.hpp"
#include "lib/domain/report_lines.hpp"
#include "lib/store/console.hpp"
#include "lib/store/rules.hpp"

namespace sgl::web {

namespace asio = boost::asio;
using store::User;

/// Biological (and with it technical) validation of an order.
struct ValidationRequest {
    domain::OrderId order;
    int row_version{};                     ///< of the order, as the biologist saw it
    std::vector<domain::ResultId> seen;    ///< every result that was on the screen
    std::string comment;                   ///< contextual interpretation, may be empty
    std::string reason;                    ///< of the next version of a report that has left: why
    bool partial{};                        ///< what is there, though results are missing or provisional
    std::vector<domain::ResultId> confirmed{};  ///< implausible results that are signed all the same
    std::string confirmed_why{};                ///< needed with them
};

struct ValidationDone {
    domain::ReportVersionId version;
    unsigned number{};  ///< 1, 2, 3…
    Instant validated_at;
};

/// What the rules in force on the site say of the results.
struct RulesOpinion {
    std::int32_t number{};
    std::string name;
    std::vector<domain::Judgement> judgements;
};

/// What the report would say and where it would go if it were signed now. Results that can't be signed (unknown code,
/// quarantined) are not in it: the screen shows them from what was kept.
struct Draft {
    std::vector<domain::ReportedLine> results;    ///< in the order of the report
    std::vector<std::string> pending;             ///< labels of examinations asked for and not there yet
    std::vector<std::string> provisional;         ///< what a partial report would announce though nothing is missing
    bool needs_reason{};                          ///< of the next version: what was reported for good changes
    std::vector<domain::PlannedLetter> letters;   ///< domain::plan of the draft
    std::vector<Error> missing;                   ///< what hinders composing: domain::missing of the draft
    std::optional<RulesOpinion> rules{};          ///< none: no rules are in force
};

struct ChannelFigures {
    domain::Channel channel{};
    unsigned sent{};      ///< letters that left at least once
    unsigned accepted{};
    unsigned pending{};   ///< still due, in retry or in doubt
    unsigned failed{};
};
struct ReasonFigures {
    domain::Channel channel{};
    domain::LetterState state{};  ///< blocked or not_applicable
    domain::Reason reason{};
    unsigned count{};
};
/// One site and month (month of validation, in the site's time zone).
struct AccountLine {
    std::string site_finess;
    std::string site_name;
    std::string month;  ///< 2026-11
    unsigned reports{};
    unsigned with_qualified_ins{};
    std::vector<ChannelFigures> channels;
    std::vector<ReasonFigures> reasons;
};
struct Account {
    Uuid instance;
    std::vector<AccountLine> lines;  ///< newest month first, then by site
};

/// Fault::refused: no right, or a rule says no; conflict: stale screen or state, somebody else was first (`what` says what
/// changed); missing: no such thing on the user's sites.
class Commands {
public:
    Commands() = default;
    Commands(const Commands&) = delete;
    Commands& operator=(const Commands&) = delete;
    virtual ~Commands() = default;

    /// For the screen of one order; changes nothing.
    virtual asio::awaitable<Result<Draft>> draft(User user, domain::OrderId order) = 0;

    /// Refused unless the user is a biologist with RPPS on the order's site.
    virtual asio::awaitable<Result<ValidationDone>> validate(User user, ValidationRequest request) = 0;

    /// The report of an order is taken back from whoever has it; gives how many will hear of it. Refused as validate().
    virtual asio::awaitable<Result<std::size_t>> withdraw(User user, domain::OrderId order, int row_version, std::string why) = 0;

    /// A version that could not be composed is tried again as it was signed. conflict: it was not refused.
    virtual asio::awaitable<Result<void>> compose_again(User user, domain::ReportVersionId version) = 0;

    virtual asio::awaitable<Result<void>> retry_letter(User user, domain::LetterId letter) = 0;
    virtual asio::awaitable<Result<void>> hold_letter(User user, domain::LetterId letter, std::string why) = 0;
    virtual asio::awaitable<Result<void>> abandon_letter(User user, domain::LetterId letter, std::string why) = 0;

    /// A held result leaves its order, with a reason. Refused unless the user may sign there.
    virtual asio::awaitable<Result<void>> set_aside(User user, domain::OrderId order, domain::ResultId result, std::string why) = 0;
    /// conflict, where "result": its result still holds an order and is set aside there.
    virtual asio::awaitable<Result<void>> close_work_item(User user, domain::WorkItemId item, std::string why) = 0;

    /// All rule sets, with their approvals on the sites where he may sign.
    virtual asio::awaitable<std::vector<store::RulesLine>> rules(User user) = 0;
    /// In force from now on, on all sites where he may sign; refused when there is none, missing: no such set.
    virtual asio::awaitable<Result<void>> approve_rules(User user, std::int32_t number) = 0;

    /// Of the user's sites, all months that the instance knows.
    virtual asio::awaitable<Result<Account>> account(User user) = 0;

    /// For /health/ready: database answers, schema known, ports open. The Error says what is not.
    virtual asio::awaitable<Result<void>> ready() = 0;
};

}  // namespace sgl::web
