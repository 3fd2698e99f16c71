// The process that owns the throw-away cluster of a test binary: prints "ready DIRECTORY USER", then lives until its
// standard input closes. As root it changes to user sgld first.
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include "lib/store/pg/embedded.hpp"
#include "test/lib/store/pg/unprivileged.hpp"

namespace {

namespace asio = boost::asio;

asio::awaitable<void> serve(asio::io_context& io, std::filesystem::path directory, std::string caller) {
    sgl::pg::EmbeddedOptions options;
    options.state_dir = directory;
    options.unsafe_for_tests = true;
    options.shared_buffers = "64MB";
    options.max_wal_size = "1GB";
    options.more_os_users.push_back(std::move(caller));
    sgl::pg::EmbeddedCluster cluster(io.get_executor(), std::move(options));
    co_await cluster.start();
    std::cout << "ready " << directory.string() << ' ' << cluster.superuser() << std::endl;
    asio::posix::stream_descriptor input(io, ::dup(0));
    co_await input.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    co_await cluster.stop();
}

}  // namespace

int main() {
    std::filesystem::path directory;
    int result = 0;
    try {
        const std::string caller = sgl::pg::test::user_name();
        sgl::pg::test::become_unprivileged();
        directory = sgl::pg::test::short_directory();
        asio::io_context io;
        std::exception_ptr failure;
        asio::co_spawn(io, serve(io, directory, caller), [&](std::exception_ptr thrown) { failure = thrown; });
        io.run();
        if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        result = 1;
    }
    std::error_code ignored;
    if (!directory.empty()) std::filesystem::remove_all(directory, ignored);
    return result;
}
