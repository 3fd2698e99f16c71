// Two connected ends in memory: what one writes, the other reads. For one thread; waits can be cancelled.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "lib/net/stream.hpp"

namespace sgl::test {

/// One direction.
class MemoryPipe {
public:
    explicit MemoryPipe(const boost::asio::any_io_executor& executor) : news_(executor) {
        news_.expires_at(std::chrono::steady_clock::time_point::max());
    }

    boost::asio::awaitable<std::size_t> read_some(std::span<char> buffer) {
        namespace asio = boost::asio;
        while (bytes_.empty() && !ended_) {
            boost::system::error_code woken;
            auto token = asio::redirect_error(asio::use_awaitable, woken);
            co_await news_.async_wait(token);
        }
        if (broken_) throw boost::system::system_error(boost::asio::error::connection_reset);
        const std::size_t count = std::min(buffer.size(), std::min(bytes_.size(), slice));
        std::copy_n(bytes_.begin(), count, buffer.begin());
        bytes_.erase(0, count);
        co_return count;
    }

    void put(std::span<const char> bytes) {
        if (ended_) throw boost::system::system_error(boost::asio::error::broken_pipe);
        bytes_.append(bytes.data(), bytes.size());
        news_.cancel();
    }

    void end(bool broken = false) {
        ended_ = true;
        broken_ = broken_ || broken;
        news_.cancel();
    }

    std::size_t slice = 64 * 1024;  ///< the most that one read gives

private:
    boost::asio::steady_timer news_;
    std::string bytes_;
    bool ended_{false};
    bool broken_{false};
};

class MemoryStream final : public net::Stream {
public:
    MemoryStream(std::shared_ptr<MemoryPipe> in, std::shared_ptr<MemoryPipe> out)
        : in_(std::move(in)), out_(std::move(out)) {
        peer_.address = "memory";
    }
    ~MemoryStream() override { out_->end(); in_->end(); }

    boost::asio::awaitable<std::size_t> read_some(std::span<char> buffer) override { return in_->read_some(buffer); }
    boost::asio::awaitable<void> write(std::span<const char> bytes) override {
        out_->put(bytes);
        co_return;
    }
    boost::asio::awaitable<void> close() override {
        out_->end();
        co_return;
    }
    const net::Peer& peer() const override { return peer_; }

    void cut() { out_->end(true); in_->end(true); }
    void read_in_slices_of(std::size_t bytes) { in_->slice = bytes; }

private:
    std::shared_ptr<MemoryPipe> in_;
    std::shared_ptr<MemoryPipe> out_;
    net::Peer peer_;
};

inline std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> memory_streams(
    const boost::asio::any_io_executor& executor) {
    auto one = std::make_shared<MemoryPipe>(executor);
    auto other = std::make_shared<MemoryPipe>(executor);
    return {std::make_unique<MemoryStream>(one, other), std::make_unique<MemoryStream>(other, one)};
}

}  // namespace sgl::test
