// Our clock is a parameter (design D11), so tests and the simulator choose the time. Everything is UTC.
#pragma once

#include <chrono>

namespace sgl {

using Duration = std::chrono::microseconds;
using Instant = std::chrono::sys_time<Duration>;

class Clock {
public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
public:
    Instant now() const override { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }
};

/// For tests: stands still until told.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Instant start) : now_(start) {}
    Instant now() const override { return now_; }
    void advance(Duration by) { now_ += by; }
    void set(Instant to) { now_ = to; }

private:
    Instant now_;
};

}  // namespace sgl
