#include "lib/delivery/engine.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

#include "lib/base/log.hpp"

namespace sgl::delivery {

namespace {

constexpr std::array channels{domain::Channel::dmp, domain::Channel::mss_professional, domain::Channel::mss_patient,
                              domain::Channel::dpi};

/// Failures in a row of one destination: after some it rests, then one letter tries.
struct Breaker {
    unsigned failures{};
    Instant rests_until;
    std::optional<domain::LetterId> trial;  ///< the letter that tries now
};

using Lane = std::pair<domain::Channel, store::Destination>;
Lane lane_of(const store::LeasedLetter& letter) {
    return {letter.channel, {letter.legal_entity, letter.partner}};
}

domain::LetterEvent event_of(const Outcome& outcome) {
    switch (outcome.kind) {
        case Outcome::Kind::accepted:
            return domain::letter_event::Accepted{};
        case Outcome::Kind::refused:
            return domain::letter_event::Refused{outcome.reason};
        case Outcome::Kind::try_later:
            return domain::letter_event::TryLater{outcome.reason};
        case Outcome::Kind::in_doubt:
            return domain::letter_event::InDoubt{};
        case Outcome::Kind::not_applicable:
            return domain::letter_event::NotApplicable{outcome.reason};
    }
    return domain::letter_event::InDoubt{};
}

}  // namespace

struct Engine::State {
    bool stopping{};
    std::size_t tasks{};  ///< coroutines of ours that have not ended
    std::map<domain::Channel, std::size_t> per_channel;
    std::map<Lane, Breaker> breakers;
    std::vector<std::weak_ptr<asio::steady_timer>> sleepers;
};

/// Renews a lease until its letter is done.
struct Engine::Keeper {
    explicit Keeper(const asio::any_io_executor& executor) : timer(executor) {}
    void end() {
        done = true;
        timer.cancel();
    }
    asio::steady_timer timer;
    bool done{};
};

Engine::Engine(store::Outbox& outbox, const Clock& clock, EngineSettings settings, EngineSources sources)
    : outbox_(outbox),
      clock_(clock),
      settings_(std::move(settings)),
      sources_(std::move(sources)),
      state_(std::make_unique<State>()) {}

Engine::~Engine() = default;

const domain::RetryPolicy& Engine::policy(domain::Channel channel) const {
    return settings_.policies.at(channel);
}

void Engine::wake() {
    for (const auto& sleeper : state_->sleepers) {
        if (const auto timer = sleeper.lock()) timer->cancel();
    }
    state_->sleepers.clear();
}

void Engine::stop() {
    state_->stopping = true;
    wake();
}

asio::awaitable<void> Engine::pause(Duration time) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto timer = std::make_shared<asio::steady_timer>(executor);
    timer->expires_after(time);
    state_->sleepers.push_back(timer);
    boost::system::error_code woken;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    std::erase_if(state_->sleepers, [](const auto& sleeper) { return sleeper.expired(); });
}

asio::awaitable<void> Engine::run() {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    bool claiming = false;
    while (!state_->stopping) {
        try {
            const std::vector<std::int32_t> sites = sources_.sites();
            // What carries our name and is still "sending" was ours before we died. Only then is anything new claimed:
            // after that the name alone proves nothing.
            const std::size_t back = co_await outbox_.reclaim(sites, !claiming, clock_.now());
            if (back > 0) {
                log::warn("letters taken back from a worker that is gone", {{"letters", back}});
                wake();
            }
            if (!claiming) {
                claiming = true;
                for (const auto channel : channels) {
                    ++state_->tasks;
                    asio::co_spawn(executor, run_channel(channel), asio::detached);
                }
            }
        } catch (const std::exception&) {
            log::warn("letters can't be taken back now");
        }
        const Duration rest =
            claiming ? std::min<Duration>(settings_.lease / 4, std::chrono::seconds(10)) : settings_.poll;
        co_await pause(rest);
    }
    while (state_->tasks > 0)
        co_await pause(std::chrono::milliseconds(20));
}

asio::awaitable<std::vector<store::LeasedLetter>> Engine::claim(domain::Channel channel, std::size_t free) {
    const std::vector<std::int32_t> sites = sources_.sites();
    std::vector<store::LeasedLetter> claimed;
    store::ClaimScope resting;  // their letters wait untouched: no attempt is counted, no delay grows
    std::vector<Lane> rested;
    for (const auto& [lane, breaker] : state_->breakers) {
        if (lane.first != channel || breaker.failures < settings_.breaker_failures) continue;
        resting.destinations.push_back(lane.second);
        if (!breaker.trial && clock_.now() >= breaker.rests_until) rested.push_back(lane);
    }
    for (const auto& lane : rested) {
        if (claimed.size() == free) break;
        store::ClaimScope scope{{lane.second}, true};
        std::vector<store::LeasedLetter> one =
            co_await outbox_.claim(sites, channel, 1, settings_.lease, clock_.now(), std::move(scope));
        if (one.empty()) continue;
        state_->breakers[lane].trial = one.front().id;
        claimed.push_back(std::move(one.front()));
    }
    if (claimed.size() < free) {
        std::vector<store::LeasedLetter> others = co_await outbox_.claim(
            sites, channel, free - claimed.size(), settings_.lease, clock_.now(), std::move(resting));
        std::ranges::move(others, std::back_inserter(claimed));
    }
    co_return claimed;
}

asio::awaitable<void> Engine::run_channel(domain::Channel channel) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    while (!state_->stopping) {
        bool more = false;
        const std::size_t busy = state_->per_channel[channel];
        const std::size_t free = settings_.workers.at(channel) > busy ? settings_.workers.at(channel) - busy : 0;
        if (free > 0) {
            try {
                std::vector<store::LeasedLetter> claimed = co_await claim(channel, free);
                for (auto& letter : claimed) {
                    ++state_->tasks;
                    ++state_->per_channel[channel];
                    asio::co_spawn(executor, deliver(std::move(letter)), asio::detached);
                }
                more = claimed.size() == free;
            } catch (const std::exception&) {
                log::warn("letters can't be claimed now", {{"channel", log::Token{to_string(channel)}}});
            }
        }
        if (state_->stopping) break;
        co_await pause(more ? Duration{std::chrono::milliseconds(20)} : settings_.poll);
    }
    --state_->tasks;
    wake();
}

asio::awaitable<void> Engine::keep_lease(std::shared_ptr<Keeper> keeper, store::LeasedLetter letter) {
    while (!keeper->done) {
        keeper->timer.expires_after(settings_.lease / 3);
        boost::system::error_code ended;
        co_await keeper->timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        if (keeper->done) break;
        try {
            const bool ours = co_await outbox_.renew(letter, settings_.lease, clock_.now());
            if (!ours) break;  // taken over; the fencing token refuses what we still write
        } catch (const std::exception&) {
            log::warn("lease not renewed", {{"letter", letter.id}});
        }
    }
    --state_->tasks;
    wake();
}

/// What an attempt says about its destination.
void Engine::remember(const store::LeasedLetter& letter, const Outcome& outcome) {
    auto& breaker = state_->breakers[lane_of(letter)];
    const bool failed = !outcome.recipient_only &&
                        (outcome.kind == Outcome::Kind::try_later || outcome.kind == Outcome::Kind::in_doubt);
    const bool rested = breaker.failures >= settings_.breaker_failures;
    breaker.failures = failed ? breaker.failures + 1 : 0;
    if (failed) breaker.rests_until = clock_.now() + settings_.breaker_pause;
    const bool rests = breaker.failures >= settings_.breaker_failures;
    if (rests == rested) return;
    const auto partner = letter.partner ? letter.partner->value() : 0;
    if (rests) {
        log::warn("a destination rests after several failures", {{"channel", log::Token{to_string(letter.channel)}},
                                                                 {"legal_entity", letter.legal_entity},
                                                                 {"partner", partner}});
    } else {
        log::info("a destination answers again", {{"channel", log::Token{to_string(letter.channel)}},
                                                  {"legal_entity", letter.legal_entity},
                                                  {"partner", partner}});
    }
}

asio::awaitable<void> Engine::deliver(store::LeasedLetter letter) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto keeper = std::make_shared<Keeper>(executor);  // shared with the coroutine that renews
    ++state_->tasks;
    asio::co_spawn(executor, keep_lease(keeper, letter), asio::detached);
    try {
        Outcome outcome = co_await attempt(letter);
        // Who could not be asked this time leaves the doubt as it was: the earlier bytes may still have arrived.
        if (letter.was_in_doubt && outcome.kind == Outcome::Kind::try_later) outcome.kind = Outcome::Kind::in_doubt;
        remember(letter, outcome);
        const Instant now = clock_.now();
        const domain::LetterEvent event = event_of(outcome);
        const Result<domain::LetterFacts> next = domain::decide(letter.facts, event, now, policy(letter.channel));
        if (next) {
            store::LetterOutcome written;
            written.facts = *next;
            written.partner_reference = outcome.partner_reference;
            written.possible_duplicate = outcome.possible_duplicate;
            if (outcome.error) {
                written.error_where = outcome.error->where;
                written.error_what = outcome.error->what;
            }
            const bool ours = co_await outbox_.complete(letter, written, now);
            log::info("letter", {{"letter", letter.id},
                                 {"report", letter.version},
                                 {"channel", log::Token{to_string(letter.channel)}},
                                 {"state", log::Token{to_string(next->state)}},
                                 {"reason", log::Token{to_string(next->reason)}},
                                 {"attempt", letter.facts.attempts},
                                 {"recorded", ours}});
            if (outcome.error) log::warn("letter refused or delayed", *outcome.error);
        }
    } catch (const std::exception&) {
        // Nothing written: the lease ends and the letter is in doubt, as after a crash.
        log::error("letter not recorded", {{"letter", letter.id}});
    }
    keeper->end();
    if (auto& trial = state_->breakers[lane_of(letter)].trial; trial == letter.id) trial.reset();
    --state_->per_channel[letter.channel];
    --state_->tasks;
    wake();
}

asio::awaitable<Outcome> Engine::attempt(const store::LeasedLetter& leased) {
    const Result<std::shared_ptr<Channel>> channel = sources_.channel(leased);
    if (!channel) {
        if (channel.error().fault == Fault::missing)
            co_return refused(domain::Reason::partner_not_configured, channel.error());
        co_return try_later(domain::Reason::certificate_expired, channel.error());
    }
    Result<domain::Report> report = co_await sources_.report(leased.version);
    if (!report) co_return try_later(domain::Reason::partner_unavailable, report.error());
    Result<Documents> documents = co_await sources_.documents(leased.version);
    if (!documents) {
        // SEC-61: bytes that changed are never sent.
        if (documents.error().fault == Fault::malformed)
            co_return refused(domain::Reason::integrity, documents.error());
        co_return try_later(domain::Reason::partner_unavailable, documents.error());
    }
    Letter letter;
    letter.id = leased.id;
    letter.channel = leased.channel;
    letter.act = leased.act;
    letter.recipient_key = leased.recipient_key;
    letter.recipient_name = leased.recipient_name;
    letter.address = Personal<std::string>{leased.address};
    letter.partner = leased.partner;
    letter.attempt = leased.facts.attempts;
    letter.in_doubt = leased.was_in_doubt;
    letter.sent_at = leased.sent_at;
    try {
        co_return co_await (*channel)->deliver(letter, *report, *documents);
    } catch (const std::exception&) {
        // A channel does not throw for what a partner does: what it had sent by then, nobody knows.
    }
    co_return in_doubt(Error{Fault::unavailable, "channel", "the attempt was cut short"});
}

}  // namespace sgl::delivery
