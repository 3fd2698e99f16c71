// Reports: signed in one transaction, composed and published in another (design D8). Stored bytes never change.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/plan.hpp"
#include "lib/domain/report_lines.hpp"
#include "lib/store/orders.hpp"

namespace sgl::store {

/// A validation as it is written. `lines` as signed, in the order of the report.
struct SignedReport {
    domain::ReportIdentifiers ids;
    domain::OrderId order;
    int row_version{};
    domain::SiteId site;
    domain::LegalEntityId legal_entity;
    domain::Patient patient;
    domain::UserId user;
    std::string actor;  ///< "user:<login>"
    domain::Professional validator;
    Instant validated_at;
    std::chrono::year_month_day month;  ///< first day, in the site's time zone
    std::string comment;
    std::string reason;                    ///< of a version after the first: what the biologist changes, and why
    std::string_view kind{"final"};        ///< partial, final (one of a set, the first that is complete), amended
    std::vector<domain::Awaited> awaited;  ///< of a partial one
    std::vector<domain::ReportedLine> lines;
};

/// The newest version of an order's report.
struct LastVersion {
    domain::ReportIdentifiers ids;
    std::string state;  ///< validated, published, refused, withdrawn
    Instant validated_at;
    domain::ReportKind kind{};
    bool after_final{};  ///< it, or one before it, is final
    std::vector<domain::ReportedLine> lines;
};

/// A person takes a report back.
struct Withdrawal {
    domain::OrderId order;
    int row_version{};
    domain::LegalEntityId legal_entity;
    domain::SiteId site;
    std::string actor;  ///< "user:<login>"
    std::string why;
    Instant at;
};

/// What composing needs.
struct StoredVersion {
    domain::ReportIdentifiers ids;
    domain::OrderId order;
    domain::SiteId site;
    domain::LegalEntityId legal_entity;
    std::string state;
    Instant validated_at;
    std::chrono::year_month_day month;
    domain::Professional validator;
    domain::Patient patient;  ///< as signed
    std::string comment;
    std::vector<domain::Awaited> awaited;
    struct Former {
        domain::ReportKind kind{};
        Instant validated_at;
        bool after_final{};
    };
    std::optional<Former> replaced;  ///< of a version after the first
    std::vector<domain::ReportedLine> lines;
};

struct StoredDocuments {
    std::string n3;
    std::string pdf;
};

class Reports {
public:
    explicit Reports(pg::Pool& pool) : pool_(pool) {}

    /// By local code, newest first.
    using Previous = std::map<std::string, std::vector<domain::PreviousResult>>;
    /// The newest validated results of each analysis of a patient, as the newest versions say them; not what was
    /// withdrawn or not done, nor what the order itself reported, nor those of isolates: another isolate is another
    /// germ.
    static asio::awaitable<Previous> previous(pg::Transaction& transaction, domain::PatientId patient,
                                              domain::OrderId order);

    static asio::awaitable<std::optional<LastVersion>> last(pg::Transaction& transaction, domain::OrderId order);

    /// Writes and commits: results become bio_validated, the order fully_validated, or partially_reported and open as
    /// before; a version of its report waits to be composed: the first, or the next one of an order that has a report.
    /// What came late and is signed now is work no more. Fault::conflict when somebody was first.
    static asio::awaitable<Result<void>> sign(pg::Transaction transaction, const SignedReport& report);

    /// Writes and commits: the version is withdrawn; whoever got the report, or may have got it, gets a letter that
    /// takes back the version that he has; letters that did not leave are abandoned. Gives how many letters.
    /// Fault::conflict when somebody was first.
    static asio::awaitable<Result<std::size_t>> withdraw(pg::Transaction transaction, const LastVersion& version,
                                                         const Withdrawal& withdrawal);

    /// Oldest first, at most `limit`, without the `skip` oldest.
    asio::awaitable<std::vector<domain::ReportVersionId>> to_compose(const std::vector<std::int32_t>& sites,
                                                                     std::size_t limit, std::size_t skip);
    asio::awaitable<Result<StoredVersion>> version(const std::vector<std::int32_t>& sites, domain::ReportVersionId id);

    /// Document, letters, state and audit in one transaction; letters of former versions that wait for a person and
    /// never left are superseded; false when another daemon published it first.
    asio::awaitable<bool> publish(const StoredVersion& version, const StoredDocuments& documents,
                                  const std::vector<domain::PlannedLetter>& letters, const std::string& actor,
                                  Instant now);
    /// It can't be composed: why is kept for the worklist, and a person has work.
    asio::awaitable<void> refuse(const StoredVersion& version, const std::vector<Error>& errors,
                                 const std::string& actor, Instant now);

    /// What could not be composed is tried again, as it was signed: somebody mended what was wrong around it. Its work
    /// items end. Fault::missing: no such version on those sites; conflict: it was not refused.
    asio::awaitable<Result<void>> compose_again(const std::vector<std::int32_t>& sites, domain::ReportVersionId id,
                                                const std::string& actor, Instant now);

    /// SHA-256 is checked on reading (SEC-61): Fault::malformed when the bytes changed, missing when there are none.
    asio::awaitable<Result<StoredDocuments>> documents(const std::vector<std::int32_t>& sites,
                                                       domain::ReportVersionId id);

private:
    pg::Pool& pool_;
};

}  // namespace sgl::store
