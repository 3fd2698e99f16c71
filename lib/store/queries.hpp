// Every SQL statement of each store, for the test that prepares them all against a freshly migrated database.
#pragma once

#include <vector>

#include "lib/store/pg/query.hpp"

namespace sgl::store {

std::vector<pg::Query> inbox_queries();
std::vector<pg::Query> inbox_batch_queries();
std::vector<pg::Query> work_row_queries();
std::vector<pg::Query> identity_session_queries();
std::vector<pg::Query> link_state_queries();
std::vector<pg::Query> work_order_queries();
std::vector<pg::Query> orders_queries();
std::vector<pg::Query> order_taking_queries();
std::vector<pg::Query> reports_queries();
std::vector<pg::Query> outbox_queries();
std::vector<pg::Query> accounts_queries();
std::vector<pg::Query> work_queries();
std::vector<pg::Query> audit_queries();  ///< audit.insert with role lab_app, the others with lab_audit_w

}  // namespace sgl::store
