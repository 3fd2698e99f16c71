// Patients as the console shows them: found, with their identity and its history, their orders and reports, and what
// left while their identity was the wrong one. Every look is written down (SEC-66).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/store/console.hpp"
#include "lib/store/identities.hpp"

namespace sgl::store {

/// Whom a person looks for; what is empty is not asked.
struct PatientSearch {
    std::string number;  ///< his own (IPP), an INS matricule, or the number of an order or tube of his
    std::string name;    ///< how his birth name or the name that he uses begins
    std::string given;   ///< how his first given name begins
    std::optional<Timestamp> birth_date;

    bool empty() const { return number.empty() && name.empty(); }
};
struct PatientHits {
    std::vector<domain::Patient> rows;  ///< by name
    bool cut{};
};

struct PatientOrder {
    domain::OrderId id;
    domain::SiteId site;
    std::string number;
    domain::OrderState state{};
    bool urgent{};
    Instant registered_at;
    std::string prescriber;
    std::vector<std::string> exams;   ///< labels of those still wanted
    std::vector<ReportLine> reports;  ///< newest first
};

/// A step of an identity: what it was before, and what it became.
struct IdentityStep {
    Instant at;
    domain::IdentityStatus was{};
    domain::IdentityStatus is{};
    bool ins_changed{};
    std::string reliability;  ///< since then: doubtful, fictitious or empty
    std::optional<domain::Traits> was_traits;
};

/// A merge, a split, or another INS.
struct IdentityTurn {
    std::int64_t id{};
    std::string kind;  ///< merged, split, ins_changed
    Instant at;
    std::string actor;
    std::string other_number;  ///< local number of the other record; empty of a change of INS
    bool undone{};
    bool closed{};
};

/// One that left under the wrong identity, with what its withdrawal needs.
struct WrongDocument : MisdirectedDocument {
    domain::OrderId order;
    domain::ReportVersionId report;
    int seen_version{};     ///< OrderFile::seen_version now
    bool closed{};          ///< a person has dealt with the documents of that change
    bool taken_back{};      ///< the version is withdrawn: its letters of withdrawal are on their way, or arrived
    std::string recipient;  ///< name; empty for the DMP and the patient
};

struct PatientFile {
    domain::Patient patient;
    domain::LegalEntityId entity;
    bool homonym{};
    std::optional<domain::PatientId> merged_into;
    std::vector<std::string> former_numbers;  ///< that lead to him
    std::vector<IdentityStep> steps;          ///< newest first
    std::vector<IdentityTurn> turns;          ///< newest first
    std::vector<PatientOrder> orders;         ///< on the reader's sites, newest first
    bool cut{};
    std::vector<WrongDocument> documents;  ///< complete on the reader's sites, newest change first
};

class PatientFiles {
public:
    using Sites = Console::Sites;

    PatientFiles(pg::Pool& pool, const Clock& clock) : pool_(pool), clock_(clock) {}

    /// Of the legal entities of those sites; the search is written down, not what was looked for.
    asio::awaitable<PatientHits> search(User reader, Sites sites, PatientSearch wanted);
    /// Fault::missing: the legal entities of those sites know nobody of that id.
    asio::awaitable<Result<PatientFile>> file(User reader, Sites sites, domain::PatientId id);

private:
    pg::Pool& pool_;
    const Clock& clock_;
};

}  // namespace sgl::store
