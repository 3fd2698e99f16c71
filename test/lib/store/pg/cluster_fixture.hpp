// A throw-away PostgreSQL for tests of label pg: one cluster per test binary, one freshly migrated database per test.
// Link sgl_pg_fixture. Works as root (the server then runs as user sgld, made when absent) and as any other user.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "lib/store/pg/pool.hpp"

namespace sgl::pg::test {

namespace asio = boost::asio;

/// Started at first use, ended and removed with the process (however that ends). fsync is off: sessions must allow it.
class Cluster {
public:
    static Cluster& shared();

    /// A new database with all migrations, copied from a template; a few tenths of a second.
    std::string fresh_database();
    /// A new database without any table, but with roles and schema rights.
    std::string empty_database();
    void drop(const std::string& database);

    std::string conninfo(std::string_view role, std::string_view database) const;
    const std::string& superuser() const { return superuser_; }
    const std::string& directory() const { return directory_; }

private:
    Cluster();
    std::string copy(std::string_view template_name);
    void as_superuser(const std::string& sql);

    std::string directory_;
    std::string superuser_;
    int made_{0};
};

/// Settings of a session that accepts the throw-away cluster.
Session session(std::string role = "lab_app");

/// A fresh migrated database and an io_context to run coroutines on.
class DatabaseTest : public ::testing::Test {
protected:
    DatabaseTest() : database_(Cluster::shared().fresh_database()) {}
    explicit DatabaseTest(std::string database) : database_(std::move(database)) {}
    ~DatabaseTest() override { Cluster::shared().drop(database_); }

    const std::string& database() const { return database_; }
    std::string conninfo(std::string_view role = "lab_app") const {
        return Cluster::shared().conninfo(role, database_);
    }
    asio::io_context& io() { return io_; }
    asio::any_io_executor executor() { return io_.get_executor(); }

    /// Runs until `work` ends, at most a minute; its exception comes out here.
    template <class T>
    T run(asio::awaitable<T> work) {
        std::exception_ptr failure;
        bool done = false;
        io_.restart();
        if constexpr (std::is_void_v<T>) {
            asio::co_spawn(io_, std::move(work), [&](std::exception_ptr thrown) {
                failure = thrown;
                done = true;
                io_.stop();
            });
            io_.run_for(std::chrono::minutes(1));
            if (!done) throw std::runtime_error("the coroutine did not end");
            if (failure) std::rethrow_exception(failure);
        } else {
            std::optional<T> value;
            asio::co_spawn(io_, std::move(work), [&](std::exception_ptr thrown, T result) {
                failure = thrown;
                if (!thrown) value.emplace(std::move(result));
                done = true;
                io_.stop();
            });
            io_.run_for(std::chrono::minutes(1));
            if (!done) throw std::runtime_error("the coroutine did not end");
            if (failure) std::rethrow_exception(failure);
            return std::move(*value);
        }
    }

    /// SQL as the superuser (row-level security does not apply): to prepare, to look, to break.
    Rows superuser(std::string_view sql, Params params = {});

private:
    std::string database_;
    asio::io_context io_;
};

/// Like DatabaseTest, with roles but no table.
class EmptyDatabaseTest : public DatabaseTest {
protected:
    EmptyDatabaseTest() : DatabaseTest(Cluster::shared().empty_database()) {}
};

}  // namespace sgl::pg::test
