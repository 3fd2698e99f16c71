// A kept message that is read again, as if it had been read so when it arrived (lib/flow/README.md, "Read again").
#pragma once

#include "lib/store/inbox.hpp"
#include "lib/store/work.hpp"

namespace sgl::store {

/// What became of it.
struct Replayed {
    int results{};    ///< that went their way now
    int waiting{};    ///< of its results, still held
    int opened{};     ///< new work to do
    int mended{};     ///< work items that ended
    bool changed{};   ///< false: everything stood there already
    bool reworded{};  ///< work that stays says another reason
};

/// One transaction. The arrival's reading is what the message says today, its times and numbers are those of the first
/// time. What went its way stays, nothing is done twice, also when two do it at once; the work that it mends ends with
/// who and why. What came after it stands behind it, as it would have. Throws pg::DatabaseError; in doubt it may be
/// called again.
asio::awaitable<Replayed> replay(pg::Pool& pool, Arrival arrival, domain::MessageId id, Deed deed);

std::vector<pg::Query> replay_queries();  ///< as in queries.hpp

}  // namespace sgl::store
