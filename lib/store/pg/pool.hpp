// Connections shared by the daemon's coroutines, and the transaction with its site scope.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/store/pg/connection.hpp"
#include "lib/store/pg/session.hpp"

namespace sgl::pg {

namespace detail {
struct PoolState;
}

/// The sites whose rows a transaction may see and write (row-level security, SEC-53). Empty: none.
using Scope = std::vector<std::int32_t>;

/// A connection borrowed from the pool; goes back when destroyed. One that is broken is replaced; one left inside a
/// transaction is rolled back before anybody else gets it.
class Lease {
public:
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) noexcept;
    ~Lease();

    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

private:
    friend class Pool;
    Lease(std::shared_ptr<detail::PoolState> pool, std::unique_ptr<Connection> connection);
    void give_back();

    std::shared_ptr<detail::PoolState> pool_;
    std::unique_ptr<Connection> connection_;
};

/// BEGIN and the scope travel with the first statement, COMMIT may travel with the last: a transaction of one step
/// costs one round trip. Destroyed without commit, it is rolled back. After an error every further statement fails. Its
/// connection goes back to the pool when it ends, not only when it is destroyed.
class Transaction {
public:
    Transaction(Transaction&&) noexcept = default;
    Transaction& operator=(Transaction&&) noexcept = default;
    ~Transaction() = default;

    asio::awaitable<Rows> query(Query query, Params params = {});
    asio::awaitable<std::vector<Rows>> pipeline(std::vector<Step> steps);

    /// Durable when it returns. A DatabaseError with is_in_doubt() when the connection went while the answer was
    /// awaited: then nobody knows, and the caller must look (by its unique keys) before repeating.
    asio::awaitable<void> commit();
    /// The last steps and COMMIT in one round trip; when a step fails nothing is committed.
    asio::awaitable<std::vector<Rows>> commit_with(std::vector<Step> steps);
    asio::awaitable<void> rollback();

private:
    friend class Pool;
    Transaction(Lease lease, Scope scope) : lease_(std::move(lease)), scope_(std::move(scope)) {}
    asio::awaitable<std::vector<Rows>> run(std::vector<Step> steps, bool commit);

    std::optional<Lease> lease_;  // given back as soon as the transaction has ended
    Scope scope_;
    bool begun_{false};
    bool ended_{false};
};

/// Thread-safe. Waiters are served in the order they came. Connections are opened when needed, and again with growing
/// delays (50 ms to 1 s) while the server is away.
class Pool {
public:
    struct Figures {
        std::size_t open, idle, waiting;
    };

    /// `executor`: an io_context's, not a strand. Nothing is connected yet.
    Pool(asio::any_io_executor executor, std::string conninfo, std::size_t size, Session session,
         std::chrono::milliseconds acquire_limit = std::chrono::seconds(10));
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool();  ///< closes; leases still out close their connection when they end

    /// Throws DatabaseError (connection loss, with the last reason) when none came free within the limit, ServerRefused
    /// when the server is one we do not work with.
    asio::awaitable<Lease> acquire();
    asio::awaitable<Transaction> begin(Scope scope);

    /// One statement by itself, without scope: sees no row under row-level security.
    asio::awaitable<Rows> query(Query query, Params params = {});

    Figures figures() const;
    void close();  ///< waiters get operation_aborted

private:
    std::shared_ptr<detail::PoolState> state_;  // shared with leases and reconnecting tasks that may outlive the pool
};

}  // namespace sgl::pg
