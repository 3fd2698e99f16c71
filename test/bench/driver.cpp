#include "test/bench/driver.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <stdexcept>

namespace sgl::bench {

namespace {

using Steady = std::chrono::steady_clock;

class Connection {
public:
    explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (socket_ < 0 || connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("can't connect to the listener");
        }
        const int on = 1;
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { close(socket_); }

    int socket() const { return socket_; }
    bool busy() const { return sending_ != nullptr; }

    void send(const Sending& sending) {
        sending_ = &sending;
        answer_.clear();
        since_ = Steady::now();
        for (std::size_t done = 0; done < sending.frame.size();) {
            const ssize_t count = ::send(socket_, sending.frame.data() + done, sending.frame.size() - done, MSG_NOSIGNAL);
            if (count <= 0) throw std::runtime_error("the listener closed");
            done += static_cast<std::size_t>(count);
        }
    }

    /// Reads what is there; true when the answer is whole.
    bool receive() {
        char buffer[8192];
        const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
        if (count <= 0) throw std::runtime_error("the listener closed");
        answer_.append(buffer, static_cast<std::size_t>(count));
        return answer_.ends_with("\x1c\r");
    }

    /// What was wrong with the answer; empty for AA of the message sent.
    std::string verdict(double& milliseconds) {
        milliseconds = std::chrono::duration<double, std::milli>(Steady::now() - since_).count();
        const bool right = answer_.find("\rMSA|AA|" + sending_->control_id) != std::string::npos;
        sending_ = nullptr;
        return right ? std::string() : answer_;
    }

private:
    int socket_;
    const Sending* sending_{};
    std::string answer_;
    Steady::time_point since_;
};

}  // namespace

double LoadFigures::percentile(double part) const {
    if (latencies.empty()) return 0;
    const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(latencies.size())));
    return latencies[std::clamp<std::size_t>(rank, 1, latencies.size()) - 1];
}

LoadFigures drive(std::uint16_t port, std::size_t connections, double seconds, std::size_t count,
                  const std::function<const Sending&(std::size_t)>& message) {
    std::vector<std::unique_ptr<Connection>> peers;
    std::vector<pollfd> waits;
    for (std::size_t i = 0; i < connections; ++i) {
        peers.push_back(std::make_unique<Connection>(port));
        waits.push_back({peers.back()->socket(), POLLIN, 0});
    }
    LoadFigures figures;
    figures.latencies.reserve(count);
    std::size_t next = 0;
    std::size_t open = 0;
    const auto begin = Steady::now();
    const auto end = begin + std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(seconds));
    auto last = begin;
    const auto feed = [&](Connection& peer) {
        if (next == count) {
            figures.ran_out = true;
            return;
        }
        if (Steady::now() >= end) return;
        peer.send(message(next++));
        ++open;
    };
    for (auto& peer : peers) feed(*peer);
    while (open > 0) {
        if (poll(waits.data(), waits.size(), 60'000) <= 0) throw std::runtime_error("no acknowledgement for a minute");
        for (std::size_t i = 0; i < peers.size(); ++i) {
            if ((waits[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || !peers[i]->receive()) continue;
            double milliseconds = 0;
            std::string wrong = peers[i]->verdict(milliseconds);
            last = Steady::now();
            --open;
            if (wrong.empty()) {
                ++figures.accepted;
                figures.latencies.push_back(milliseconds);
            } else {
                if (figures.refused++ == 0) figures.first_refusal = std::move(wrong);
            }
            feed(*peers[i]);
        }
    }
    figures.seconds = std::chrono::duration<double>(last - begin).count();
    std::ranges::sort(figures.latencies);
    return figures;
}

}  // namespace sgl::bench
