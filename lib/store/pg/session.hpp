// What holds on each connection of ours, whoever wrote the server's configuration (SEC-55).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

namespace sgl::pg {

namespace asio = boost::asio;

class Connection;

struct Session {
    std::string role;  ///< user to connect as; empty: as conninfo says
    std::string application_name = "sgld";
    std::string search_path = "public";
    std::chrono::milliseconds statement_timeout{30'000};  ///< 0: none (migrations)
    std::chrono::milliseconds lock_timeout{10'000};
    std::chrono::milliseconds idle_in_transaction_timeout{60'000};
    std::chrono::milliseconds connect_timeout{5'000};
    /// For pools whose every statement finds its rows by key: each statement is planned once, with indexes, and never
    /// again. Planning with each batch costs more than the batch; a plan made on an empty table would read all of it.
    bool plan_by_key = false;
    /// Only for our own throw-away test clusters: accepts fsync=off and full_page_writes=off.
    bool allow_unsafe_server = false;
};

/// Verifies the server and sets the session. Throws ServerRefused for fsync=off, full_page_writes=off, a version before
/// 15, another encoding than UTF8, or a read-only server; warns once in the log when there are no data checksums.
asio::awaitable<void> open_session(Connection& connection, const Session& session);

}  // namespace sgl::pg
