// The channels that serve letters now, made from the partners in force; an import that changes a partner makes a new
// one.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "lib/base/clock.hpp"
#include "lib/delivery/channel.hpp"
#include "lib/domain/laboratory.hpp"
#include "lib/store/outbox.hpp"

namespace sgl::daemon {

namespace asio = boost::asio;

class Channels {
public:
    Channels(asio::any_io_executor executor, const config::Settings& settings, const Clock& clock)
        : executor_(std::move(executor)), settings_(settings), clock_(clock) {}

    /// Fault::missing when the legal entity has no partner for that channel; unavailable when its files can't be used
    /// now.
    Result<std::shared_ptr<delivery::Channel>> of(const store::LeasedLetter& letter,
                                                  const domain::Laboratory& laboratory);

private:
    struct Made {
        std::string definition;
        std::shared_ptr<delivery::Channel> channel;  // shared: letters in flight keep the one they began with
    };
    Result<std::shared_ptr<delivery::Channel>> make(const domain::Partner& partner) const;

    asio::any_io_executor executor_;
    const config::Settings& settings_;
    const Clock& clock_;
    std::map<std::int32_t, Made> made_;  // by partner
};

}  // namespace sgl::daemon
