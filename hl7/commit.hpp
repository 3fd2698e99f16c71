// MLLP release 2: each block is answered by a block of one byte, ACK 06 (stored) or NAK 15 (not stored), before
// anything else goes that way (hl7v2-lab 2.2). Pure: what to send is told, the caller owns the socket and the clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hl7/framer.hpp"

namespace sgl::hl7 {

inline constexpr std::string_view commit_ack = "\x06";
inline constexpr std::string_view commit_nak = "\x15";

/// The side that sent a block and waits for its commit byte.
class CommitWait {
public:
    static constexpr unsigned default_retries = 2;

    enum class Next : std::uint8_t {
        done,     ///< the peer has it: the next block may go
        resend,   ///< send the same block again
        give_up,  ///< refused too often: the peer does not have it
        ignore,   ///< nothing was awaited
    };

    explicit CommitWait(unsigned retries = default_retries) : retries_(retries) {}

    /// A block has left; until `done` nothing else may be sent.
    void sent() {
        waiting_ = true;
        left_ = retries_;
    }
    bool waiting() const { return waiting_; }

    /// The commit byte that came, as the bytes of FramerEvent::Kind::commit_byte; anything but ACK counts as NAK.
    Next commit(std::string_view byte);
    /// A whole block came instead of the commit byte: a peer that answers at once has the block.
    Next answered();

private:
    unsigned retries_;
    unsigned left_{};
    bool waiting_{};
};

}  // namespace sgl::hl7
