// One connection of a partner: blocks in, answers out, in order, one at a time (hl7v2-lab 2).
#pragma once

#include <string>

#include "lib/flow/budget.hpp"
#include "lib/flow/intake.hpp"
#include "lib/net/stream.hpp"

namespace sgl::flow {

struct ConversationOptions {
    std::string listener;            ///< name; which links may speak is looked up in the laboratory in force
    std::vector<std::string> links;  ///< of the listener's settings; empty: those that name the listener
    std::size_t max_message_bytes{10'000'000};
    Duration first_byte_timeout{std::chrono::seconds(30)};  ///< until the first block begins; 0: none (SEC-07)
    Duration frame_timeout{std::chrono::seconds(60)};       ///< from VT to FS (SEC-07)
};

/// Runs until the peer closes or can't be trusted any more. Throws what breaks the connection; nothing is answered that
/// is not stored. A peer that no link names is closed before a byte is read.
asio::awaitable<void> converse(net::StreamPtr stream, Intake& intake, Budget& budget, const LiveLaboratory& laboratory,
                               const Clock& clock, const ConversationOptions& options);

}  // namespace sgl::flow
