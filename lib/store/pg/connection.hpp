// One connection to PostgreSQL, driven without blocking from coroutines. One coroutine at a time; no thread of its own.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/store/pg/error.hpp"
#include "lib/store/pg/params.hpp"
#include "lib/store/pg/query.hpp"
#include "lib/store/pg/rows.hpp"

namespace sgl::pg {

namespace asio = boost::asio;

/// One statement of a pipeline.
struct Step {
    Query query;
    Params params;
};

struct Notification {
    std::string channel;
    std::string payload;
};

/// Errors are DatabaseError. After an error of the server in a transaction the transaction is aborted and the
/// connection is good; after a lost connection, a cancelled coroutine or a protocol fault it is broken for ever.
class Connection {
public:
    explicit Connection(asio::any_io_executor executor);
    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;
    ~Connection();

    /// `conninfo` is libpq's, with one or several hosts. Host names are resolved by the system's blocking resolver:
    /// prefer a socket directory or hostaddr. `user` overrides the user of conninfo unless empty.
    asio::awaitable<void> connect(std::string conninfo, std::string user = {},
                                  std::chrono::milliseconds limit = std::chrono::seconds(5));

    /// Prepared under its name at its first use, in the same round trip. Outside a transaction it is one by itself.
    asio::awaitable<Rows> query(Query query, Params params = {});

    /// All steps in one round trip, answers in order. The first error ends all and names its query. Without a
    /// transaction around, the steps are one transaction together.
    asio::awaitable<std::vector<Rows>> pipeline(std::vector<Step> steps);

    /// A script of several statements without parameters (migrations, LISTEN). Not COPY.
    asio::awaitable<void> execute(std::string_view sql);

    /// After `execute("listen …")`; a notification is a hint only, it is lost while reconnecting. Cancelling this wait
    /// leaves the connection good.
    asio::awaitable<Notification> wait_notification();

    bool is_open() const;         ///< connected and not broken
    bool in_transaction() const;  ///< open or aborted, as last said by the server
    /// Looks at the socket without waiting: false when the server has closed an idle connection.
    bool is_alive();
    int backend_pid() const;
    int server_version() const;  ///< 150018 for 15.18
    void close();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sgl::pg
