#include "lib/store/pg/connection.hpp"

#include <libpq-fe.h>

#include <poll.h>
#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

namespace sgl::pg {

namespace {

using asio::experimental::awaitable_operators::operator||;

struct ClearResult {
    void operator()(PGresult* result) const { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

constexpr Query find_row_type{"pg.row_type", "select to_regtype($1)::oid::bigint"};

std::string_view field(const PGresult* result, int code) {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? std::string_view{} : std::string_view(text);
}

DatabaseError error_of(const PGresult* result, std::string_view query) {
    const auto sqlstate = field(result, PG_DIAG_SQLSTATE);
    if (sqlstate.empty()) return {"08006", "connection to the server lost", query};
    return {sqlstate, field(result, PG_DIAG_MESSAGE_PRIMARY), query, field(result, PG_DIAG_CONSTRAINT_NAME)};
}

}  // namespace

struct Connection::State {
    explicit State(asio::any_io_executor with) : executor(std::move(with)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { close(); }

    void close() {
        if (descriptor) descriptor->release();  // the file descriptor is libpq's
        descriptor.reset();
        if (handle != nullptr) PQfinish(handle);
        handle = nullptr;
        broken = true;
    }

    DatabaseError lost(std::string_view query = {}) {
        broken = true;
        return {"08006", "connection to the server lost", query};
    }

    asio::awaitable<void> connect(std::string conninfo, std::string user);
    asio::awaitable<void> flush();
    asio::awaitable<void> readable();
    asio::awaitable<ResultHandle> next();
    std::vector<std::string> unknown_row_types(const std::vector<Step>& steps) const;

    asio::any_io_executor executor;
    PGconn* handle{nullptr};
    std::optional<asio::posix::stream_descriptor> descriptor;
    std::unordered_set<std::string> prepared;
    std::map<std::string, std::uint32_t, std::less<>> row_types;  // composite types of the schema, by name
    bool broken{false};
};

namespace {

/// While one of these lives the protocol is between two known points: leaving early (error, cancellation, destruction
/// of the coroutine) breaks the connection.
class InFlight {
public:
    explicit InFlight(bool& broken) : broken_(&broken) {}
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() {
        if (!done_) *broken_ = true;
    }
    void done() { done_ = true; }

private:
    bool* broken_;
    bool done_{false};
};

}  // namespace

Connection::Connection(asio::any_io_executor executor) : state_(std::make_unique<State>(std::move(executor))) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

asio::awaitable<void> Connection::State::connect(std::string conninfo, std::string user) {
    const std::array<const char*, 5> keys{"dbname", "client_encoding", "fallback_application_name",
                                          user.empty() ? nullptr : "user", nullptr};
    const std::array<const char*, 5> values{conninfo.c_str(), "UTF8", "sgld", user.empty() ? nullptr : user.c_str(),
                                            nullptr};
    handle = PQconnectStartParams(keys.data(), values.data(), 1);
    if (handle == nullptr) throw std::bad_alloc();
    PQsetNoticeProcessor(handle, [](void*, const char*) {}, nullptr);  // notices may quote data
    const auto failed = [this] {
        // libpq's text names host, port, database and role, and what the server said before any data was there.
        const std::string why = PQerrorMessage(handle);
        const bool starting = why.find("starting up") != std::string::npos ||
                              why.find("shutting down") != std::string::npos ||
                              why.find("recovery") != std::string::npos;
        return DatabaseError(starting ? "57P03" : "08001", why, "connect");
    };
    if (PQstatus(handle) == CONNECTION_BAD) throw failed();
    auto status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        // libpq may close the socket and open another (several hosts) within one poll: watch it only while waiting.
        descriptor.emplace(executor, PQsocket(handle));
        const auto direction = status == PGRES_POLLING_READING ? asio::posix::stream_descriptor::wait_read
                                                               : asio::posix::stream_descriptor::wait_write;
        co_await descriptor->async_wait(direction, asio::use_awaitable);
        descriptor->release();
        descriptor.reset();
        status = PQconnectPoll(handle);
        if (status == PGRES_POLLING_FAILED) throw failed();
    }
    PQsetnonblocking(handle, 1);
    descriptor.emplace(executor, PQsocket(handle));
    if (PQenterPipelineMode(handle) != 1) throw lost("connect");
}

asio::awaitable<void> Connection::connect(std::string conninfo, std::string user, std::chrono::milliseconds limit) {
    state_->close();
    state_ = std::make_unique<State>(state_->executor);
    auto& state = *state_;
    InFlight flight(state.broken);
    asio::steady_timer timer(state.executor, limit);
    std::size_t first = 0;
    {
        auto work = state.connect(std::move(conninfo), std::move(user));
        auto expiry = timer.async_wait(asio::use_awaitable);
        auto done = co_await (std::move(work) || std::move(expiry));
        first = done.index();
    }
    if (first == 1) throw DatabaseError("08001", "the server did not answer in time", "connect");
    flight.done();
}

asio::awaitable<void> Connection::State::readable() {
    co_await descriptor->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    if (PQconsumeInput(handle) != 1) throw lost();
}

asio::awaitable<void> Connection::State::flush() {
    while (true) {
        const int left = PQflush(handle);
        if (left < 0) {
            // The server may have said why before it hung up: the reading side reports it.
            co_return;
        }
        if (left == 0) co_return;
        // Waiting for "writable" alone can block for ever against a server that itself waits for us to read.
        auto read = descriptor->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
        auto write = descriptor->async_wait(asio::posix::stream_descriptor::wait_write, asio::use_awaitable);
        co_await (std::move(read) || std::move(write));
        if (PQconsumeInput(handle) != 1) co_return;
    }
}

asio::awaitable<ResultHandle> Connection::State::next() {
    while (PQisBusy(handle) != 0) {
        co_await descriptor->async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
        // On failure libpq makes a result of what it knows, or goes to CONNECTION_BAD; both end the loop.
        if (PQconsumeInput(handle) != 1 && PQisBusy(handle) != 0) throw lost();
    }
    co_return ResultHandle(PQgetResult(handle));
}

asio::awaitable<Rows> Connection::query(Query query, Params params) {
    std::vector<Step> steps;
    steps.push_back({query, std::move(params)});
    auto answers = co_await pipeline(std::move(steps));
    co_return std::move(answers.front());
}

std::vector<std::string> Connection::State::unknown_row_types(const std::vector<Step>& steps) const {
    std::vector<std::string> unknown;
    for (const auto& step : steps) {
        for (const auto name : step.params.row_types()) {
            if (!row_types.contains(name) && std::ranges::find(unknown, name) == unknown.end())
                unknown.emplace_back(name);
        }
    }
    return unknown;
}

asio::awaitable<std::vector<Rows>> Connection::pipeline(std::vector<Step> steps) {
    auto& state = *state_;
    if (state.broken || state.handle == nullptr) throw state.lost();
    std::vector<Rows> answers;
    if (steps.empty()) co_return answers;
    for (const auto& name : state.unknown_row_types(steps)) {
        const Rows found = co_await query(find_row_type, params(name));
        if (found[0].is_null(0)) throw DatabaseError("42704", "a composite type is missing", name);
        state.row_types.emplace(name, static_cast<std::uint32_t>(found[0].int64(0)));
    }
    for (auto& step : steps) {
        for (const auto name : step.params.row_types())
            step.params.set_row_type(name, state.row_types.find(name)->second);
    }
    InFlight flight(state.broken);

    std::vector<bool> prepares(steps.size(), false);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const auto& [query, params] = steps[i];
        const auto bound = params.bound();
        const int count = static_cast<int>(params.size());
        const std::string sql(query.sql);
        int sent = 0;
        if (query.name.empty()) {
            sent = PQsendQueryParams(state.handle, sql.c_str(), count, bound.types.data(), bound.values.data(),
                                     bound.lengths.data(), bound.formats.data(), 0);
        } else {
            const std::string name(query.name);
            if (state.prepared.insert(name).second) {
                prepares[i] = true;
                if (PQsendPrepare(state.handle, name.c_str(), sql.c_str(), count, bound.types.data()) != 1)
                    throw state.lost(query.name);
            }
            sent = PQsendQueryPrepared(state.handle, name.c_str(), count, bound.values.data(), bound.lengths.data(),
                                       bound.formats.data(), 0);
        }
        if (sent != 1) throw state.lost(query.name);
    }
    if (PQpipelineSync(state.handle) != 1) throw state.lost(steps.front().query.name);
    co_await state.flush();

    // Per statement: results, then null. At the end one PGRES_PIPELINE_SYNC.
    std::optional<DatabaseError> error;
    answers.reserve(steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const auto name = steps[i].query.name;
        for (int part = prepares[i] ? 0 : 1; part < 2; ++part) {
            bool understood = false;
            while (auto result = co_await state.next()) {
                const auto status = PQresultStatus(result.get());
                if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) {
                    if (part == 1) answers.emplace_back(result.release());
                    understood = true;
                } else if (status == PGRES_PIPELINE_ABORTED) {
                    if (part == 0) state.prepared.erase(std::string(name));
                } else if (status == PGRES_FATAL_ERROR) {
                    if (part == 0) state.prepared.erase(std::string(name));
                    if (!error) error.emplace(error_of(result.get(), name));
                    if (PQstatus(state.handle) == CONNECTION_BAD) throw std::move(*error);
                } else {
                    throw state.lost(name);  // COPY and the like: not spoken here
                }
            }
            if (!understood && !error) throw state.lost(name);
        }
    }
    const auto end = co_await state.next();
    if (!end || PQresultStatus(end.get()) != PGRES_PIPELINE_SYNC) throw state.lost();
    flight.done();
    if (error) throw std::move(*error);
    co_return answers;
}

asio::awaitable<void> Connection::execute(std::string_view sql) {
    auto& state = *state_;
    if (state.broken || state.handle == nullptr) throw state.lost();
    const std::string script(sql);
    InFlight flight(state.broken);
    if (PQexitPipelineMode(state.handle) != 1) throw state.lost("script");
    if (PQsendQuery(state.handle, script.c_str()) != 1) throw state.lost("script");
    co_await state.flush();
    std::optional<DatabaseError> error;
    while (auto result = co_await state.next()) {
        const auto status = PQresultStatus(result.get());
        if (status == PGRES_FATAL_ERROR) {
            if (!error) error.emplace(error_of(result.get(), "script"));
            if (PQstatus(state.handle) == CONNECTION_BAD) throw std::move(*error);
        } else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
            throw state.lost("script");
        }
    }
    if (PQenterPipelineMode(state.handle) != 1) throw state.lost("script");
    flight.done();
    if (error) throw std::move(*error);
}

asio::awaitable<Notification> Connection::wait_notification() {
    auto& state = *state_;
    if (state.broken || state.handle == nullptr) throw state.lost();
    struct Free {
        void operator()(PGnotify* notify) const { PQfreemem(notify); }
    };
    while (true) {
        if (const std::unique_ptr<PGnotify, Free> notify{PQnotifies(state.handle)}) {
            Notification notification;
            notification.channel = notify->relname;
            notification.payload = notify->extra;
            co_return notification;
        }
        co_await state.readable();
    }
}

bool Connection::is_open() const {
    return state_->handle != nullptr && !state_->broken;
}

bool Connection::in_transaction() const {
    if (!is_open()) return false;
    const auto status = PQtransactionStatus(state_->handle);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

bool Connection::is_alive() {
    if (!is_open()) return false;
    // A dying server first says so, then hangs up: read until there is nothing more.
    for (int turn = 0; turn < 4; ++turn) {
        pollfd look{PQsocket(state_->handle), POLLIN, 0};
        if (::poll(&look, 1, 0) == 0) return true;
        if ((look.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 || PQconsumeInput(state_->handle) != 1 ||
            PQstatus(state_->handle) == CONNECTION_BAD)
            break;
    }
    state_->broken = true;
    return false;
}

int Connection::backend_pid() const {
    return is_open() ? PQbackendPID(state_->handle) : 0;
}

int Connection::server_version() const {
    return is_open() ? PQserverVersion(state_->handle) : 0;
}

void Connection::close() {
    state_->close();
}

}  // namespace sgl::pg
