// Patients as rows: found by the number that the hospital gave them, whatever became of it, and written by the steps
// that lib/domain/identity.hpp allows. Used by orders and by identity messages alike.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/identity.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace asio = boost::asio;

/// Whom a number means.
struct FoundPatient {
    domain::PatientId id;
    domain::KnownIdentity identity;
    bool ended{};                          ///< the number ended (merged, changed): he is the one who goes on
    std::optional<Instant> ended_at;       ///< when, as it was said
    std::optional<domain::PatientId> own;  ///< the record of that very number, where it has one
};

/// Where a patient is written.
struct PatientPlace {
    domain::LegalEntityId legal_entity;
    domain::SiteId site;
    Instant now;
};

namespace patients {

/// Locked until the transaction ends. Nothing: the legal entity knows nobody of that number.
asio::awaitable<std::optional<FoundPatient>> find(pg::Transaction& transaction, domain::LegalEntityId legal_entity,
                                                  domain::LocalIdentifier number);

/// A new row; nothing when somebody else made it meanwhile: find again.
asio::awaitable<std::optional<domain::PatientId>> insert(pg::Transaction& transaction, PatientPlace place,
                                                         const domain::KnownIdentity& identity);
/// `to_be_seen`: who has an order of his on the screen looks again before he signs.
asio::awaitable<void> update(pg::Transaction& transaction, domain::PatientId id, Instant now,
                             const domain::KnownIdentity& identity, bool to_be_seen);

/// Other records that may be the same person: the same INS, else the same strict traits, unless they are known to be
/// linked, or are homonyms.
asio::awaitable<std::vector<domain::Trouble>> duplicates(pg::Transaction& transaction,
                                                         domain::LegalEntityId legal_entity, domain::PatientId id,
                                                         const domain::KnownIdentity& identity);

/// Whether identities of that site come from the hospital's identity server alone: said of it or of its legal entity.
asio::awaitable<bool> identity_slave(pg::Transaction& transaction, domain::SiteId site);

/// An order's patient: found, or made where the site may (an identity slave may not). Troubles are work beside the
/// order; Fault::refused when the order can't be taken for him, at its place.
asio::awaitable<Result<domain::PatientId>> of_order(pg::Transaction& transaction, PatientPlace place,
                                                    const domain::Patient& patient,
                                                    std::vector<domain::Trouble>& troubles);

/// Columns that `identity_of` reads, of a table named p.
#define SGL_IDENTITY_COLUMNS \
    SGL_PATIENT_COLUMNS ", p.address, p.phone, p.dmp_opposed, p.messaging_opposed, p.homonym, p.identity_at"
inline constexpr int identity_columns = 22;
domain::KnownIdentity identity_of(const pg::Row& row, int at);

}  // namespace patients

std::vector<pg::Query> patients_queries();  ///< as those of queries.hpp

}  // namespace sgl::store
