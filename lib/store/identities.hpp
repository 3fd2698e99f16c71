// Identity messages applied: patients, merges, stays, each message whole in one transaction with its audit and the work
// it gives; and what a person does about identities. What left under a wrong identity is one query (lab-domain 2.2).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/domain/identity.hpp"
#include "lib/domain/letter.hpp"
#include "lib/store/inbox.hpp"
#include "lib/store/patients.hpp"

namespace sgl::store {

/// An identity message as it was read; what could not be understood is in Arrival::reading.
struct IdentityMessage {
    std::string event;  ///< "A40"
    bool ignored{};     ///< only counted
    std::vector<domain::IdentityAct> acts;
};

/// A document that left, or may have left, under an identity that was the wrong one.
struct MisdirectedDocument {
    std::int64_t change{};  ///< of identity_change
    std::string kind;       ///< merged, split, ins_changed
    domain::LetterId letter;
    domain::Channel channel{};
    domain::LetterState state{};
    bool certain{};    ///< accepted or delivered; else it may have arrived
    bool withdrawn{};  ///< a withdrawal was accepted
    std::string order_number;
    int version{};
    std::string document_oid;
    Instant validated_at;
    domain::SiteId site;
};

/// A merge, a split or a change of INS whose documents nobody has dealt with yet, or that can be undone.
struct IdentityChangeLine {
    std::int64_t id{};
    std::string kind;
    Instant at;
    std::string actor;
    domain::PatientId patient;
    domain::PatientId wrong_patient;
    std::int64_t documents{};
    bool undone{};
    bool closed{};
};

/// Who does it by hand, on which sites of one legal entity, why.
struct IdentityDeed {
    std::vector<std::int32_t> sites;
    std::string actor;  ///< "cli:<os user>", "user:<login>"
    std::string why;
    Instant at;
};

class Identities {
public:
    Identities(pg::Pool& pool, Inbox& inbox) : pool_(pool), inbox_(inbox) {}

    /// What the answer keeps of the troubles that the sender is told.
    using AnswerErrors = std::function<std::string(const std::vector<domain::Trouble>&)>;

    /// All acts and the message, in one transaction. `sites`: all of the legal entity, so that the orders of a merged
    /// patient follow wherever they are. A repeat changes nothing. What contradicts what is known is not applied and is
    /// work for a person.
    asio::awaitable<Kept> apply(Arrival arrival, IdentityMessage message, std::vector<std::int32_t> sites,
                                AnswerErrors answer_errors, Instant now);

    /// Undoes a merge: Fault::missing when there is no such merge on those sites, conflict when it was undone already.
    asio::awaitable<Result<void>> split(IdentityDeed deed, std::int64_t change);
    /// The documents of that change were dealt with.
    asio::awaitable<Result<void>> close(IdentityDeed deed, std::int64_t change);
    /// A status given by a person; refused on an identity slave, and where no step leads there
    /// (domain::may_give_status).
    asio::awaitable<Result<void>> give_status(IdentityDeed deed, domain::PatientId patient, domain::IdentityStatus to);

    /// Which legal entities and sites, by FINESS, are identity slaves; those not named stay as they are. Audited.
    asio::awaitable<void> set_slaves(std::vector<std::pair<std::string, bool>> profiles, std::string actor, Instant now);

    /// Letters accepted, delivered, or that may have arrived, of versions signed with an identity that was the wrong
    /// one for them. `change`: of that one only. Complete: of all sites given, newest change first.
    asio::awaitable<std::vector<MisdirectedDocument>> documents(std::vector<std::int32_t> sites,
                                                                std::optional<std::int64_t> change);
    asio::awaitable<std::vector<IdentityChangeLine>> changes(std::vector<std::int32_t> sites);

    /// Events that were taken and change nothing, per link's event: how many.
    asio::awaitable<std::vector<std::pair<std::string, std::int64_t>>> ignored(std::vector<std::int32_t> sites);

private:
    pg::Pool& pool_;
    Inbox& inbox_;
};

std::vector<pg::Query> identities_queries();  ///< as those of queries.hpp

}  // namespace sgl::store
