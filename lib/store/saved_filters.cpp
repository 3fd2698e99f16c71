// Filters of the worklist that a user keeps under a name.
#include "lib/store/console.hpp"
#include "lib/store/console_queries.hpp"
#include "lib/store/pg/pool.hpp"

namespace sgl::store {

namespace q = console_queries;

namespace {
constexpr int most_filters = 20;
}

asio::awaitable<std::vector<SavedFilter>> Console::saved_filters(domain::UserId user) {
    const pg::Rows rows = co_await pool_.query(q::saved_filters, pg::params(user));
    std::vector<SavedFilter> filters;
    for (const auto row : rows)
        filters.push_back({row.int64(0), row.string(1), row.string(2)});
    co_return filters;
}

asio::awaitable<Result<void>> Console::save_filter(domain::UserId user, std::string name, std::string query) {
    const pg::Rows rows =
        co_await pool_.query(q::save_filter, pg::params(user, name, query, clock_.now(), most_filters));
    if (rows.empty()) co_return Error{Fault::conflict, "filter", "there are as many saved filters as may be"};
    co_return Result<void>{};
}

asio::awaitable<void> Console::drop_filter(domain::UserId user, std::int64_t filter) {
    co_await pool_.query(q::drop_filter, pg::params(user, filter));
}

}  // namespace sgl::store
