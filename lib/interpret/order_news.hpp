// An order message of ours to who requested: OML^O21 of LTW LAB-2 (hl7v2-lab 7.1, 7.4).
#pragma once

#include <string>
#include <vector>

#include "lib/domain/link.hpp"
#include "lib/domain/order_news.hpp"

namespace sgl::interpret {

struct OrderNewsMessage {
    std::string control_id;  ///< MSH-10
    Instant at;
    const domain::Patient& patient;
    std::string stay_number;    ///< PV1-19; empty: not known here
    std::string patient_class;  ///< PV1-2; empty: U
    const domain::KnownOrder& order;
    const std::vector<domain::OrderNews>& news;
};

/// Added lines are SN, with our number and none of the requester's, who gives it by NA; cancelled ones and those that
/// can't be done are OC with ORC-5 CA, the reason in ORC-16, the refused tube in SPM-20 and SPM-21.
std::string order_news(const OrderNewsMessage& message, const domain::Link& link, const domain::Catalogue& catalogue);

}  // namespace sgl::interpret
