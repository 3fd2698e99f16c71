// What a person ends: work to do, and results that were held. Each act carries a reason and is audited.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "lib/domain/identifiers.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace asio = boost::asio;

/// Who does it, on which sites, why, when. The caller has looked up his rights.
struct Deed {
    std::vector<std::int32_t> sites;
    std::string actor;  ///< "user:<login>"
    std::string why;
    Instant at;
};

class Work {
public:
    explicit Work(pg::Pool& pool) : pool_(pool) {}

    /// Fault::missing when no such item is on those sites; conflict when it was closed already (where "work_item"), or
    /// when its result still holds an open order (where "result"): that is set aside, not closed.
    asio::awaitable<Result<void>> close(Deed deed, domain::WorkItemId id);

    /// A held result, or one that came after the signature, leaves its order: the report is made without it, and
    /// without what it withdraws when its status is D or W. Its work items end, the order's version moves.
    /// Fault::missing when the order has no such result, conflict when it is not held (any more).
    asio::awaitable<Result<void>> set_aside(Deed deed, domain::OrderId order, domain::ResultId result);

private:
    pg::Pool& pool_;
};

}  // namespace sgl::store
