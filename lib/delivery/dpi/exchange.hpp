// One message to a hospital record and its one answer, over any Stream (spec/hl7v2-cda-to-dpi.md 8).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lib/base/clock.hpp"
#include "lib/delivery/channel.hpp"
#include "lib/net/stream.hpp"

namespace sgl::delivery {

/// What an answer means for the letter. `reference` of an accepted one: the answer's MSH-10. Nothing when the block is no
/// acknowledgement of `control_id`: then it is not for us.
std::optional<Outcome> dpi_outcome(std::string_view answer, std::string_view control_id);

/// Sends `message` framed by MLLP and waits at most `limit` for the acknowledgement with MSA-2 = `control_id`; others are
/// counted in `ignored`. What may have arrived without an answer is in doubt. Never throws for what the peer does.
asio::awaitable<Outcome> mllp_exchange(net::Stream& stream, std::string_view message, std::string_view control_id,
                                       Duration limit, std::uint64_t& ignored);

}  // namespace sgl::delivery
