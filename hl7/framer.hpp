// MLLP: bytes of a TCP stream in, blocks out. A pure state machine that never depends on where the stream was cut
// (hl7v2-lab 2.1); the listener owns the socket. Release 2 is the same blocks and, the other way, a commit byte for
// each (commit.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sgl::hl7 {

/// What the framer found in the stream, in the order of the stream.
struct FramerEvent {
    enum class Kind : std::uint8_t {
        block,         ///< a complete block: `bytes` is what stood between VT and FS, never empty
        unterminated,  ///< a VT came inside a block: `bytes` is what had arrived of it; it is not a message
        oversize,      ///< the block is longer than the limit: `bytes` is its head, `size` what had arrived; answer AR,
                       ///< close
        garbage,      ///< once per framer: bytes outside blocks; `bytes` is a sample of at most 32. It may hold patient
                      ///< data: show its size or its control characters, nothing else
        not_hl7,      ///< once per framer: an ASTM transmission (ENQ or STX outside a block)
        commit_byte,  ///< a block of one byte, 06 (stored) or 15 (not stored): the peer speaks MLLP release 2
        incomplete,   ///< end of stream inside a block: never processed, never acknowledged
    };
    Kind kind{};
    std::string bytes;
    std::size_t size{};  ///< bytes of the block that had arrived (also what `bytes` does not hold)
};

/// How a link cuts its stream (hl7v2-lab 2.1).
enum class Framing : std::uint8_t {
    mllp,
    none_eof,  ///< bare ER7, ended by the end of the stream; a peer that sends VT first is read as MLLP all the same
};

class Framer {
public:
    static constexpr std::size_t default_limit = 10'000'000;  ///< bytes of a message (SEC-20)
    static constexpr std::size_t oversize_head = 64 * 1024;   ///< bytes kept of a block that is too long

    explicit Framer(std::size_t limit = default_limit, Framing framing = Framing::mllp)
        : limit_(limit), state_(framing == Framing::none_eof ? State::start : State::outside), framing_(framing) {}

    /// Complete blocks and events of this chunk; the rest stays inside (at most `limit` bytes).
    std::vector<FramerEvent> feed(std::string_view chunk);
    /// The peer closed: what was left, if anything: `incomplete`, or with Framing::none_eof the `block` itself. The
    /// framer can then be used for a new stream.
    std::optional<FramerEvent> finish();

    bool inside_block() const {
        return state_ == State::inside || state_ == State::discarding || state_ == State::bare;
    }
    std::size_t buffered() const { return buffer_.size(); }         ///< bytes waiting for their FS
    std::size_t garbage_bytes() const { return garbage_bytes_; }    ///< outside blocks, line ends aside
    std::size_t empty_blocks() const { return empty_blocks_; }      ///< ignored, never answered
    std::size_t oversize_bytes() const { return oversize_bytes_; }  ///< arrived of the block that is too long

private:
    enum class State : std::uint8_t {
        outside,
        inside,
        after,
        discarding,       // the rest of an oversize block
        start,            // none_eof, nothing yet
        bare,             // none_eof, bare ER7
        bare_discarding,  // none_eof, more than the limit
    };

    void end_of_block(std::vector<FramerEvent>& events);
    void outside(std::string_view bytes, std::vector<FramerEvent>& events);
    bool overflows(std::string_view part, std::vector<FramerEvent>& events);

    std::size_t limit_;
    State state_;
    Framing framing_;
    std::string buffer_;
    std::size_t garbage_bytes_{};
    std::size_t empty_blocks_{};
    std::size_t oversize_bytes_{};
    bool garbage_reported_{};
    bool astm_reported_{};
};

/// VT bytes FS CR.
std::string frame(std::string_view bytes);

}  // namespace sgl::hl7
