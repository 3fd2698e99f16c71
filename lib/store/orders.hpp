// Orders: registered by a link that may (design D16), read whole for validation.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "lib/domain/order_request.hpp"
#include "lib/domain/result_detail.hpp"
#include "lib/store/inbox.hpp"

namespace sgl::store {

/// What became of an order message.
struct Ordered {
    Kept kept;
    domain::Decision decision;  ///< of a repeat: empty, its answer is in `kept`
};

/// What the answer says of a decision, kept with the message so that a repeat hears the same.
using AnswerForm = std::function<std::string(const domain::Decision&)>;

/// A result as it stands: the newest of its analysis and run.
struct CurrentResult {
    domain::ResultId id;
    std::string code;
    std::optional<domain::AnalyteId> analyte;
    std::string run;
    std::string status;
    std::optional<domain::Value> value;
    std::string received_flags;
    std::string note;
    std::string specimen_number;
    std::string measured_at;
    Instant received_at;
    std::string state;    ///< raw, quarantined, late, bio_validated
    std::string isolate;  ///< of a line of a culture (domain/microbiology.hpp)
    domain::ResultDetail detail;
};

/// Everything about an order that a validation needs.
struct OrderFile {
    domain::OrderId id;
    domain::SiteId site;
    domain::LegalEntityId legal_entity;
    std::string number;
    std::string placer_group;
    std::string state;
    int row_version{};
    int seen_version{};  ///< what a screen carries: moves with the order's row and with the patient's identity
    domain::Patient patient;
    domain::Professional prescriber;
    std::vector<domain::Professional> copies;
    domain::Professional collector;
    std::vector<domain::RequestedExam> exams;
    std::optional<Timestamp> prescribed_at;
    Instant registered_at;
    std::string stay_number;
    std::string patient_class;
    std::string clinical_context;
    bool urgent{};
    std::vector<domain::Specimen> specimens;
    std::vector<CurrentResult> results;  ///< not those that a later one replaced
};

class Orders {
public:
    Orders(pg::Pool& pool, Inbox& inbox) : pool_(pool), inbox_(inbox) {}

    /// Message, patient, orders new and changed, specimens, numbers, previous results of the requester: decided
    /// (domain::decide) and written in one transaction. Messages about one patient are taken one after the other.
    /// arrival.reading.troubles and the lines that can't be taken become work for a person. Throws
    /// pg::DatabaseError when nothing was stored.
    asio::awaitable<Ordered> take(const Arrival& arrival, const domain::OrderRequest& request,
                                  const domain::Catalogue& catalogue, const AnswerForm& form, Instant now);

    /// A number that no message has, for results that a person writes.
    asio::awaitable<domain::MessageId> next_message() { return inbox_.next_id(); }

    /// The order as seen with these sites; Fault::missing when there is none.
    asio::awaitable<Result<OrderFile>> file(pg::Transaction& transaction, domain::OrderId id, bool lock);

private:
    asio::awaitable<Ordered> take_once(const Arrival& arrival, const domain::OrderRequest& request,
                                       const domain::Catalogue& catalogue, const AnswerForm& form, Instant now);

    pg::Pool& pool_;
    Inbox& inbox_;
};

}  // namespace sgl::store
