// Simulated time for many daemons in one thread: every wait is an entry of one queue, the same seed gives the same run
// (design D3). A process can be killed or stopped (SIGSTOP) between any two of its steps.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "lib/delivery/timer.hpp"

namespace sgl::delivery::sim {

/// The same numbers on every machine: no distribution of the standard library, which leaves them open.
class Random {
public:
    explicit Random(std::uint64_t seed) : dice_(seed) {}
    std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : dice_() % limit; }
    bool chance(unsigned in_thousand) { return below(1000) < in_thousand; }
    Duration between(Duration least, Duration most) {
        return least +
               Duration{static_cast<std::int64_t>(below(static_cast<std::uint64_t>((most - least).count()) + 1))};
    }
    template <class T>
    const T& one_of(const std::vector<T>& all) {
        return all[below(all.size())];
    }

private:
    std::mt19937_64 dice_;
};

class World;

/// A daemon's life from its start to its end: what it runs dies with it, wherever it stands.
class Process : public std::enable_shared_from_this<Process> {
public:
    explicit Process(World& world) : world_(world) {}

    asio::any_io_executor executor() { return io_.get_executor(); }
    /// One step: somebody else may go on meanwhile, and the process may die here.
    asio::awaitable<void> delay(Duration time);
    std::shared_ptr<Timer> timer();

    void stop() { stopped_ = true; }  ///< as by SIGSTOP: nothing runs, what falls due waits
    void go_on();
    bool stopped() const { return stopped_; }
    /// `then` is called at the n-th step from now.
    void at_step(unsigned n, std::function<void()> then) {
        steps_left_ = n;
        at_step_ = std::move(then);
    }

private:
    friend class World;
    class SimTimer;
    std::shared_ptr<asio::steady_timer> armed(Duration time);
    void fall_due(std::shared_ptr<asio::steady_timer> timer);
    void work();

    World& world_;
    asio::io_context io_{1};
    bool stopped_{};
    unsigned steps_left_{};
    std::function<void()> at_step_;
    std::vector<std::shared_ptr<asio::steady_timer>> overdue_;
};

class World {
public:
    World(std::uint64_t seed, Instant start) : random(seed), now_(start) {}
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Instant now() const { return now_; }
    void after(Duration time, std::function<void()> event);
    std::shared_ptr<Process> start();
    /// Until then, or until `enough`, which is asked every ten seconds.
    void run(Instant end, const std::function<bool()>& enough);

    Random random;

private:
    friend class Process;
    struct Entry {
        Instant at;
        std::uint64_t number{};
        std::weak_ptr<Process> process;
        std::weak_ptr<asio::steady_timer> timer;
        std::function<void()> event;
        bool operator<(const Entry& other) const {  // the queue gives the greatest first
            return at != other.at ? at > other.at : number > other.number;
        }
    };
    void work_all();

    Instant now_;
    std::uint64_t entries_{};
    std::priority_queue<Entry> queue_;
    std::vector<std::weak_ptr<Process>> processes_;
};

/// What a daemon reads on its wall.
class WallClock final : public Clock {
public:
    WallClock(const World& world, Duration ahead) : world_(world), ahead_(ahead) {}
    Instant now() const override { return world_.now() + ahead_; }

private:
    const World& world_;
    Duration ahead_;
};

}  // namespace sgl::delivery::sim
