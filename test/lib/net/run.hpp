// Runs one coroutine of a test to its end on its own io_context, and gives back its value or exception.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace sgl::test {

template <class T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> work) {
    std::optional<T> value;
    std::exception_ptr failure;
    auto keep = [&](std::exception_ptr failed, T result) {
        failure = failed;
        if (!failed) value.emplace(std::move(result));
        io.stop();
    };
    boost::asio::co_spawn(io, std::move(work), keep);
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
}

inline void run(boost::asio::io_context& io, boost::asio::awaitable<void> work) {
    std::exception_ptr failure;
    auto keep = [&](std::exception_ptr failed) {
        failure = failed;
        io.stop();
    };
    boost::asio::co_spawn(io, std::move(work), keep);
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace sgl::test
