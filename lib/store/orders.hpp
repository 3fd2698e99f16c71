// Orders: registered by a link that may (design D16), read whole for validation.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "lib/domain/order.hpp"
#include "lib/domain/result_detail.hpp"
#include "lib/store/inbox.hpp"

namespace sgl::store {

struct Registered {
    Kept kept;
    domain::OrderId order;
    std::string number;  ///< ours (filler)
};

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

    /// Message, patient, order, specimens and numbers in one transaction. Fault::conflict when one of its numbers is
    /// already that of another order (where: "OBR-2" or "SPM-2"); then nothing was stored.
    /// arrival.reading.troubles become work for a person, beside the order.
    asio::awaitable<Result<Registered>> register_order(const Arrival& arrival, const domain::NewOrder& order,
                                                       Instant now);

    /// The order as seen with these sites; Fault::missing when there is none.
    asio::awaitable<Result<OrderFile>> file(pg::Transaction& transaction, domain::OrderId id, bool lock);

private:
    pg::Pool& pool_;
    Inbox& inbox_;
};

}  // namespace sgl::store
