// Delivers letters: claims what is due, one lane per channel and destination, hands each to its channel, writes what
// became of it. The biologist's click never waits for it; one slow or dead partner never delays another (design D7).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/delivery/channel.hpp"
#include "lib/delivery/timer.hpp"
#include "lib/store/letter_queue.hpp"

namespace sgl::delivery {

struct EngineSettings {
    std::map<domain::Channel, domain::RetryPolicy> policies;  ///< one per channel
    std::map<domain::Channel, std::size_t> workers;           ///< letters in flight at once to one destination
    Duration lease{std::chrono::seconds(60)};
    Duration poll{std::chrono::seconds(1)};  ///< how often to look when nothing tells
    unsigned breaker_failures{5};            ///< failures in a row after which a destination rests
    /// Then one letter tries while the others stay as they are; each that gets through lets one more go at a time.
    Duration breaker_pause{std::chrono::seconds(60)};
};

/// What the engine asks of the rest of the daemon. All run on the engine's executor.
struct EngineSources {
    std::function<std::vector<std::int32_t>()> sites;
    /// The channel that serves this letter now. Fault::missing: none is configured; another fault: it can't be used
    /// now.
    std::function<Result<std::shared_ptr<Channel>>(const store::LeasedLetter&)>
        channel;  // shared: a reload may replace it
    std::function<asio::awaitable<Result<domain::Report>>(domain::ReportVersionId)> report;
    std::function<asio::awaitable<Result<Documents>>(domain::ReportVersionId)> documents;
    std::function<std::shared_ptr<Timer>(const asio::any_io_executor&)> timer{real_timer};
};

class Engine {
public:
    Engine(store::LetterQueue& outbox, const Clock& clock, EngineSettings settings, EngineSources sources);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    /// Takes back what this daemon held before it died, then works until stop(). Returns when all letters in flight
    /// ended; nothing of the engine runs any more then.
    asio::awaitable<void> run();
    void wake();  ///< something may be due now
    void stop();

    const domain::RetryPolicy& policy(domain::Channel channel) const;

private:
    struct Lane;
    struct Quiet;
    struct State;
    struct Keeper;

    asio::awaitable<void> run_channel(domain::Channel channel);
    asio::awaitable<Duration> start_due(domain::Channel channel);
    void wake_all();
    asio::awaitable<std::size_t> start(domain::Channel channel, std::size_t most, store::ClaimScope scope);
    asio::awaitable<void> keep_lease(std::shared_ptr<Keeper> keeper, store::LeasedLetter letter);
    void remember(const store::LeasedLetter& letter, const Outcome& outcome);
    asio::awaitable<void> deliver(store::LeasedLetter letter);
    asio::awaitable<Outcome> attempt(const store::LeasedLetter& letter, std::shared_ptr<Keeper> keeper);
    asio::awaitable<void> pause(Duration time);

    store::LetterQueue& outbox_;
    const Clock& clock_;
    EngineSettings settings_;
    EngineSources sources_;
    std::unique_ptr<State> state_;
};

}  // namespace sgl::delivery
