// What the commands of the laboratory's IT share: the database opened for one act, and how a refusal is said.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "daemon/database.hpp"
#include "daemon/privileges.hpp"
#include "lib/domain/laboratory.hpp"

namespace sgl::daemon {

/// Runs one command with the database open; what it throws becomes a sentence on standard error.
template <class Work>
int with_database(const config::Settings& settings, Work work) {
    asio::io_context context{1};
    int code = 1;
    SystemClock clock;
    Database database(context.get_executor(), settings);
    const auto task = [](Database& opened, const SystemClock& now, Work& inner, int& result) -> asio::awaitable<void> {
        co_await opened.open(now.now());
        result = co_await inner(opened, now);
        co_await opened.close();
    };
    asio::co_spawn(context, task(database, clock, work, code), [&](const std::exception_ptr& failure) {
        if (failure) {
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& error) {
                std::cerr << "sgld: " << error.what() << '\n';
                code = 1;
            }
        }
        context.stop();
    });
    context.run();
    return code;
}

inline int refused(const Error& error) {
    std::cerr << "sgld: " << to_string(error) << '\n';
    return 1;
}

inline std::vector<std::int32_t> sites_of(const domain::Laboratory& laboratory) {
    std::vector<std::int32_t> sites;
    for (const auto& site : laboratory.sites())
        sites.push_back(site.id.value());
    return sites;
}

inline std::string operator_name() {
    return "cli:" + os_user();
}

}  // namespace sgl::daemon
