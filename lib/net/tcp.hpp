// Outgoing TCP connections.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/net/stream.hpp"

namespace sgl::net {

/// Resolves `host` (a name or a numeric address) and tries its addresses one after the other, `timeout` for all of it.
/// Fault::unavailable with what happened: not resolved, refused, timed out. Keep-alive after 60 s, every 10 s, 6 times.
asio::awaitable<Result<StreamPtr>> connect(std::string host, std::uint16_t port, Duration timeout);

}  // namespace sgl::net
