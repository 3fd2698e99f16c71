// The sequence number protocol of MSH-13 and MSA-4, receiving side (HL7 2.10.1, hl7v2-lab 3.6): pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sgl::hl7 {

struct SequenceVerdict {
    enum class Kind : std::uint8_t {
        unnumbered,  ///< MSH-13 is empty: taken as it is, MSA-4 stays empty
        start,       ///< 0: MSA-4 tells what we expect, -1 when we have had none
        resync,      ///< -1: the next number, whatever it is, counts
        expected,    ///< taken, MSA-4 echoes it
        repeated,    ///< had been taken before: right only for a message that we know; MSA-4 tells what comes next
        wrong,       ///< not taken: AE or CE, MSA-4 tells what is expected
    };
    Kind kind{};
    std::int64_t answer{};             ///< MSA-4; nothing to say when unnumbered
    std::optional<std::int64_t> last;  ///< last number taken, once this message is stored
};

/// `last`: the last number taken on this link; nothing: none yet, or since a resynchronisation.
SequenceVerdict judge_sequence(std::string_view msh_13, std::optional<std::int64_t> last);

}  // namespace sgl::hl7
