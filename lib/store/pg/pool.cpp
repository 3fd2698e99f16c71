#include "lib/store/pg/pool.hpp"

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

#include "lib/base/log.hpp"

namespace sgl::pg {

namespace {

constexpr std::chrono::milliseconds first_delay{50};
constexpr std::chrono::milliseconds longest_delay{1000};

constexpr Query begin_query{"pg.begin", "begin"};
constexpr Query commit_query{"pg.commit", "commit"};
constexpr Query rollback_query{"", "rollback"};
constexpr Query scope_query{"pg.scope", "select set_config('app.sites', $1, true)"};

/// `{1,2}`: an array literal of integers.
std::string literal(const Scope& scope) {
    std::string text = "{";
    for (const auto site : scope) {
        if (text.size() > 1) text += ',';
        text += std::to_string(site);
    }
    return text += '}';
}

}  // namespace

namespace detail {

/// Somebody in the queue. Its answer is a connection, or an exception.
struct Waiter {
    virtual ~Waiter() = default;
    virtual void wake() = 0;  // posts to the waiter's executor; called once

    std::unique_ptr<Connection> connection;
    std::exception_ptr failure;
};

struct PoolState : std::enable_shared_from_this<PoolState> {
    PoolState(asio::any_io_executor with, std::string info, std::size_t most, Session settings,
              std::chrono::milliseconds limit)
        : executor(std::move(with)),
          conninfo(std::move(info)),
          size(most),
          session(std::move(settings)),
          acquire_limit(limit) {}

    // The caller holds the mutex for those marked (locked).
    std::unique_ptr<Connection> take_idle();           // (locked)
    void connect_if_needed();                          // (locked)
    void put(std::unique_ptr<Connection> connection);  // hand to the first waiter, or keep
    void give_back(std::unique_ptr<Connection> connection);
    void forget();  // a connection is gone
    void fail_all(const std::exception_ptr& failure);
    bool remove(const std::shared_ptr<Waiter>& waiter);
    void close();

    static asio::awaitable<void> connect_task(std::shared_ptr<PoolState> self);
    static asio::awaitable<void> clean_task(std::shared_ptr<PoolState> self, std::unique_ptr<Connection> connection);

    const asio::any_io_executor executor;
    const std::string conninfo;
    const std::size_t size;
    const Session session;
    const std::chrono::milliseconds acquire_limit;

    mutable std::mutex mutex;
    std::deque<std::unique_ptr<Connection>> idle;
    std::deque<std::shared_ptr<Waiter>> waiters;
    std::size_t total{0};  // open or being opened
    std::size_t connecting{0};
    std::string last_failure{"no connection came free"};
    std::string last_sqlstate{"53300"};
    bool closed{false};
};

namespace {

template <class Handler>
struct WaiterOf final : Waiter {
    WaiterOf(Handler with, const asio::any_io_executor& fallback)
        : handler(std::move(with)), work(asio::get_associated_executor(handler, fallback)) {}

    void wake() override {
        auto executor = work.get_executor();
        auto call = [handler = std::move(handler)]() mutable { std::move(handler)(boost::system::error_code{}); };
        work.reset();
        asio::post(executor, std::move(call));
    }

    Handler handler;
    asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work;
};

}  // namespace

std::unique_ptr<Connection> PoolState::take_idle() {
    while (!idle.empty()) {
        auto connection = std::move(idle.back());  // the warmest first
        idle.pop_back();
        if (connection->is_alive()) return connection;
        --total;
    }
    return nullptr;
}

void PoolState::connect_if_needed() {
    while (!closed && total < size && connecting < waiters.size()) {
        ++total;
        ++connecting;
        // Posted: co_spawn may run the task at once, and it takes the mutex.
        auto spawn = [self = shared_from_this()] {
            asio::co_spawn(self->executor, connect_task(self), asio::detached);
        };
        asio::post(executor, std::move(spawn));
    }
}

void PoolState::put(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex);
    if (closed) {
        --total;
        return;
    }
    if (waiters.empty()) {
        idle.push_back(std::move(connection));
        return;
    }
    auto waiter = std::move(waiters.front());
    waiters.pop_front();
    waiter->connection = std::move(connection);
    waiter->wake();
}

void PoolState::forget() {
    const std::lock_guard lock(mutex);
    --total;
    connect_if_needed();
}

void PoolState::give_back(std::unique_ptr<Connection> connection) {
    bool drop = !connection->is_open();
    if (!drop) {
        const std::lock_guard lock(mutex);
        drop = closed;
    }
    if (drop) {
        connection.reset();
        forget();
    } else if (connection->in_transaction()) {
        asio::co_spawn(executor, clean_task(shared_from_this(), std::move(connection)), asio::detached);
    } else {
        put(std::move(connection));
    }
}

asio::awaitable<void> PoolState::clean_task(std::shared_ptr<PoolState> self, std::unique_ptr<Connection> connection) {
    bool clean = false;
    try {
        co_await connection->query(rollback_query);
        clean = connection->is_open() && !connection->in_transaction();
    } catch (const std::exception&) {
        clean = false;
    }
    if (clean) {
        self->put(std::move(connection));
    } else {
        connection.reset();
        self->forget();
    }
}

void PoolState::fail_all(const std::exception_ptr& failure) {
    const std::lock_guard lock(mutex);
    while (!waiters.empty()) {
        auto waiter = std::move(waiters.front());
        waiters.pop_front();
        waiter->failure = failure;
        waiter->wake();
    }
}

bool PoolState::remove(const std::shared_ptr<Waiter>& waiter) {
    const std::lock_guard lock(mutex);
    return std::erase(waiters, waiter) != 0;
}

void PoolState::close() {
    {
        const std::lock_guard lock(mutex);
        closed = true;
        total -= idle.size();
        idle.clear();
    }
    fail_all(std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
}

asio::awaitable<void> PoolState::connect_task(std::shared_ptr<PoolState> self) {
    auto delay = first_delay;
    bool said = false;
    while (true) {
        {
            const std::lock_guard lock(self->mutex);
            if (self->closed || self->waiters.empty()) {  // nobody waits any more: no reason to insist
                --self->total;
                --self->connecting;
                co_return;
            }
        }
        auto connection = std::make_unique<Connection>(self->executor);
        std::exception_ptr refused;
        try {
            co_await connection->connect(self->conninfo, self->session.role, self->session.connect_timeout);
            co_await open_session(*connection, self->session);
            {
                const std::lock_guard lock(self->mutex);
                --self->connecting;
            }
            if (said) log::info("database connection back");
            self->put(std::move(connection));
            co_return;
        } catch (const ServerRefused&) {
            refused = std::current_exception();
        } catch (const DatabaseError& error) {
            const std::lock_guard lock(self->mutex);
            self->last_failure = error.what();
            self->last_sqlstate = error.sqlstate();
            if (!said) log::warn("database not reachable, trying again", {{"sqlstate", log::Token(error.sqlstate())}});
            said = true;
        } catch (const std::exception&) {
            const std::lock_guard lock(self->mutex);
            self->last_failure = "connecting failed";
            self->last_sqlstate = "08001";
        }
        if (refused) {
            self->fail_all(refused);
            continue;
        }
        asio::steady_timer timer(self->executor, delay);
        co_await timer.async_wait(asio::use_awaitable);
        delay = std::min(delay * 2, longest_delay);
    }
}

}  // namespace detail

Lease::Lease(std::shared_ptr<detail::PoolState> pool, std::unique_ptr<Connection> connection)
    : pool_(std::move(pool)), connection_(std::move(connection)) {}

Lease::Lease(Lease&&) noexcept = default;

Lease& Lease::operator=(Lease&& other) noexcept {
    give_back();
    pool_ = std::move(other.pool_);
    connection_ = std::move(other.connection_);
    return *this;
}

Lease::~Lease() {
    give_back();
}

void Lease::give_back() {
    if (connection_) pool_->give_back(std::move(connection_));
}

Pool::Pool(asio::any_io_executor executor, std::string conninfo, std::size_t size, Session session,
           std::chrono::milliseconds acquire_limit)
    : state_(std::make_shared<detail::PoolState>(std::move(executor), std::move(conninfo),
                                                 std::max<std::size_t>(size, 1), std::move(session), acquire_limit)) {}

Pool::~Pool() {
    state_->close();
}

void Pool::close() {
    state_->close();
}

namespace {

/// Waits in the queue until woken, the limit, or cancellation of the coroutine. The waiter is out of the queue
/// afterwards.
asio::awaitable<std::unique_ptr<Connection>> queue_up(std::shared_ptr<detail::PoolState> pool) {
    std::shared_ptr<detail::Waiter> waiter;
    asio::steady_timer timer(pool->executor, pool->acquire_limit);
    auto start = [&](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        using Mine = detail::WaiterOf<decltype(handler)>;
        auto mine = std::make_shared<Mine>(std::move(handler), pool->executor);
        waiter = mine;
        const std::weak_ptr<detail::Waiter> weak = mine;
        const auto give_up = [pool, weak](std::exception_ptr why) {
            const auto held = weak.lock();
            if (!held || !pool->remove(held)) return;  // already served
            held->failure = std::move(why);
            held->wake();
        };
        if (slot.is_connected()) {
            slot.assign([give_up](asio::cancellation_type) {
                give_up(std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
            });
        }
        timer.async_wait([give_up, pool](const boost::system::error_code& error) {
            if (error) return;
            std::unique_lock lock(pool->mutex);
            auto why = std::make_exception_ptr(DatabaseError(
                pool->last_sqlstate, "no connection in time; last failure: " + pool->last_failure, "acquire"));
            lock.unlock();
            give_up(std::move(why));
        });
        const std::lock_guard lock(pool->mutex);
        if (pool->closed) {
            mine->failure = std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
            mine->wake();
            return;
        }
        // Between the caller's look and now a connection may have come free.
        if (pool->waiters.empty()) mine->connection = pool->take_idle();
        if (mine->connection) {
            mine->wake();
            return;
        }
        pool->waiters.push_back(mine);
        pool->connect_if_needed();
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(boost::system::error_code)>(start,
                                                                                                  asio::use_awaitable);
    timer.cancel();
    if (waiter->failure) std::rethrow_exception(waiter->failure);
    co_return std::move(waiter->connection);
}

}  // namespace

asio::awaitable<Lease> Pool::acquire() {
    auto pool = state_;
    std::unique_ptr<Connection> connection;
    {
        const std::lock_guard lock(pool->mutex);
        if (!pool->closed && pool->waiters.empty()) connection = pool->take_idle();
    }
    if (!connection) connection = co_await queue_up(pool);
    Lease lease(std::move(pool), std::move(connection));
    co_return lease;
}

asio::awaitable<Transaction> Pool::begin(Scope scope) {
    auto lease = co_await acquire();
    Transaction transaction(std::move(lease), std::move(scope));
    co_return transaction;
}

asio::awaitable<Rows> Pool::query(Query query, Params params) {
    auto lease = co_await acquire();
    co_return co_await lease->query(query, std::move(params));
}

Pool::Figures Pool::figures() const {
    const std::lock_guard lock(state_->mutex);
    return {state_->total - state_->connecting, state_->idle.size(), state_->waiters.size()};
}

asio::awaitable<std::vector<Rows>> Transaction::run(std::vector<Step> steps, bool commit) {
    if (ended_) throw DatabaseError("25P01", "the transaction has ended", "transaction");
    std::size_t before = 0;
    std::vector<Step> all;
    all.reserve(steps.size() + 3);
    if (!begun_) {
        all.push_back({begin_query, {}});
        all.push_back({scope_query, params(literal(scope_))});
        before = 2;
    }
    for (auto& step : steps)
        all.push_back(std::move(step));
    if (commit) all.push_back({commit_query, {}});
    begun_ = true;
    ended_ = commit;
    std::vector<Rows> answers;
    std::optional<DatabaseError> failure;
    try {
        answers = co_await (*lease_)->pipeline(std::move(all));
    } catch (const DatabaseError& error) {
        failure = commit && !(*lease_)->is_open() ? error.in_doubt() : error;
    }
    if (commit) lease_.reset();
    if (failure) throw std::move(*failure);
    if (commit) {
        // COMMIT of an aborted transaction succeeds, and says ROLLBACK.
        if (answers.back().command() != "COMMIT")
            throw DatabaseError("25P02", "the transaction was rolled back: an earlier statement had failed", "commit");
        answers.pop_back();
    }
    answers.erase(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(before));
    co_return answers;
}

asio::awaitable<Rows> Transaction::query(Query query, Params params) {
    std::vector<Step> steps;
    steps.push_back({query, std::move(params)});
    auto answers = co_await run(std::move(steps), false);
    co_return std::move(answers.front());
}

asio::awaitable<std::vector<Rows>> Transaction::pipeline(std::vector<Step> steps) {
    co_return co_await run(std::move(steps), false);
}

asio::awaitable<void> Transaction::commit() {
    if (!begun_ && !ended_) {  // nothing was asked of the server
        ended_ = true;
        lease_.reset();
        co_return;
    }
    std::vector<Step> none;
    co_await run(std::move(none), true);
}

asio::awaitable<std::vector<Rows>> Transaction::commit_with(std::vector<Step> steps) {
    co_return co_await run(std::move(steps), true);
}

asio::awaitable<void> Transaction::rollback() {
    if (ended_) co_return;
    ended_ = true;
    if (begun_) co_await (*lease_)->query(rollback_query);
    lease_.reset();
}

}  // namespace sgl::pg
