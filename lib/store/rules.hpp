// Rule sets in the database (lab-domain 4.2): kept as imported, in force where a biologist approved them, and what they
// said of orders, with the values that were used.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/domain/judgement.hpp"
#include "lib/domain/laboratory.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace asio = boost::asio;

/// A set by its number, which is its version: each file has its own.
struct KeptRules {
    std::int32_t number{};
    domain::RuleSet set;
};

/// What is imported; its tests have passed (domain::run_tests).
struct RulesToKeep {
    std::string name;
    std::vector<domain::RuleText> texts;
    std::string source;  ///< the file
};
struct RulesKept {
    std::int32_t number{};
    bool before{};  ///< the same file was imported before: nothing was written
};

/// A biologist puts a set in force on his sites.
struct RulesApproval {
    std::int32_t number{};
    std::vector<std::pair<domain::SiteId, domain::LegalEntityId>> sites;
    domain::UserId user;
    domain::Professional approver;
    std::string actor;  ///< "user:<login>"
    Instant at;
    Instant active_from;
};

struct RulesLine {
    std::int32_t number{};
    std::string name;
    Instant imported_at;
    std::string imported_by;
    struct Approval {
        domain::SiteId site;
        std::string approver;  ///< family and given name
        Instant at;
        Instant active_from;
    };
    std::vector<Approval> approvals;  ///< on the sites of the reader, newest first
};

/// What the rules said of an order.
struct RuleDecision {
    domain::LegalEntityId legal_entity;
    domain::SiteId site;
    domain::OrderId order;
    int revision{};  ///< OrderFile::seen_version
    std::int32_t rules{};
    std::optional<domain::ReportVersionId> signature;
    std::string actor;
    Instant at;
    std::vector<domain::Judgement> judgements;
    std::vector<domain::ResultId> confirmed;  ///< implausible, and signed all the same
    std::string confirmed_why;
};

asio::awaitable<RulesKept> keep_rules(pg::Pool& pool, RulesToKeep rules, std::string actor, Instant now);
/// Fault::missing: no such set.
asio::awaitable<Result<void>> approve_rules(pg::Pool& pool, RulesApproval approval);
/// All sets, newest first.
asio::awaitable<std::vector<RulesLine>> list_rules(pg::Pool& pool, std::vector<std::int32_t> sites);

/// The set in force on a site; nothing when none was ever approved. Throws when what is kept can't be read any more.
asio::awaitable<std::optional<KeptRules>> rules_in_force(pg::Transaction& transaction, domain::SiteId site, Instant at);

/// For the transaction that reads or signs the order. An evaluation takes the place of the former one of the same
/// revision and set; a signature stays.
pg::Step keep_decision(const RuleDecision& decision);

/// Reports that were published in that time, the newest version of each: what a simulation goes through.
asio::awaitable<std::vector<domain::ReportVersionId>> past_reports(pg::Pool& pool, std::vector<std::int32_t> sites,
                                                                   Instant from, Instant to);

std::vector<pg::Query> rules_queries();

}  // namespace sgl::store
