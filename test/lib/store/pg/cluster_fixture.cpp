#include "test/lib/store/pg/cluster_fixture.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cstdlib>
#include <iostream>

#include "lib/base/clock.hpp"
#include "lib/store/pg/migrate.hpp"

extern char** environ;

namespace sgl::pg::test {

namespace {

/// The helper that owns the cluster ends when our end of its standard input closes.
struct Helper {
    pid_t pid{0};
    int to{-1};

    ~Helper() {
        if (to >= 0) ::close(to);
        int status = 0;
        if (pid > 0) ::waitpid(pid, &status, 0);
    }
};

Helper& helper() {
    static Helper instance;
    return instance;
}

std::string start_helper() {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::string program = SGL_PG_CLUSTER;
    std::array<char*, 2> arguments{program.data(), nullptr};
    const int failed = ::posix_spawn(&helper().pid, program.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    helper().to = in[1];
    if (failed != 0) throw std::runtime_error("cannot start " + program);
    std::string line;
    char c = 0;
    while (::read(out[0], &c, 1) == 1 && c != '\n')
        line += c;
    ::close(out[0]);
    return line;
}

template <class Work>
void run_once(Work work) {
    asio::io_context io;
    std::exception_ptr failure;
    asio::co_spawn(io, work(io.get_executor()), [&](std::exception_ptr thrown) { failure = thrown; });
    io.run();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

Cluster& Cluster::shared() {
    helper();  // constructed before, destroyed after
    static Cluster instance;
    return instance;
}

Cluster::Cluster() {
    const std::string line = start_helper();  // "ready DIRECTORY USER"
    const auto space = line.rfind(' ');
    if (!line.starts_with("ready ") || space <= 6) throw std::runtime_error("the test cluster did not start");
    directory_ = line.substr(6, space - 6);
    superuser_ = line.substr(space + 1);
    const auto prepare = [this](asio::any_io_executor executor) -> asio::awaitable<void> {
        Connection server(executor);
        co_await server.connect(conninfo(superuser_, "postgres"));
        for (const bool migrated : {false, true}) {
            const std::string name = migrated ? "sgl_template" : "sgl_empty";
            co_await bootstrap_server(server, name);
            Connection database(executor);
            co_await database.connect(conninfo(superuser_, name));
            co_await bootstrap_database(database);
            if (!migrated) continue;
            Connection migrator(executor);
            co_await migrator.connect(conninfo("lab_migrate", name));
            const auto report = co_await migrate(migrator, embedded_migrations(), SystemClock().now());
            if (!report) throw std::runtime_error(to_string(report.error()));
        }
    };
    run_once(prepare);
}

std::string Cluster::conninfo(std::string_view role, std::string_view database) const {
    return "host=" + directory_ + "/socket user=" + std::string(role) + " dbname=" + std::string(database);
}

void Cluster::as_superuser(const std::string& sql) {
    const auto work = [this, &sql](asio::any_io_executor executor) -> asio::awaitable<void> {
        Connection server(executor);
        co_await server.connect(conninfo(superuser_, "postgres"));
        co_await server.execute(sql);
    };
    run_once(work);
}

std::string Cluster::copy(std::string_view template_name) {
    const std::string name = "test_" + std::to_string(++made_);
    as_superuser("create database " + name + " owner lab_owner template " + std::string(template_name) +
                 " strategy file_copy");
    return name;
}

std::string Cluster::fresh_database() {
    return copy("sgl_template");
}

std::string Cluster::empty_database() {
    return copy("sgl_empty");
}

void Cluster::drop(const std::string& database) {
    as_superuser("drop database if exists " + database + " with (force)");
}

Session session(std::string role) {
    Session settings;
    settings.role = std::move(role);
    settings.allow_unsafe_server = true;
    return settings;
}

Rows DatabaseTest::superuser(std::string_view sql, Params params) {
    Rows rows;
    const auto work = [&](asio::any_io_executor executor) -> asio::awaitable<void> {
        Connection connection(executor);
        co_await connection.connect(conninfo(Cluster::shared().superuser()));
        const Query query{"", sql};
        rows = co_await connection.query(query, std::move(params));
    };
    run_once(work);
    return rows;
}

}  // namespace sgl::pg::test
