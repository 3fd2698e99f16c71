// The message structures of HL7 2.5.1 that a laboratory meets, as data (hl7v2-lab, appendix A), and where each segment
// of a message stands in its own. Real feeds deviate: what does not fit is reported, nothing is refused; the tolerant
// reading that our mappers use (groups.hpp) takes from here what comes first in a structure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hl7/message.hpp"

namespace sgl::hl7 {

/// The grammar of one structure, as the standard writes it: `MSH [{SFT}] MSA [{ERR}]`; `[ ]` optional, `{ }` repeats,
/// `--NAME--` names the group it stands in, `( )` one of several. Empty for a structure that we do not know.
std::string_view structure_grammar(std::string_view structure);
/// MSH-9.3, else what MSH-9.1 and 9.2 stand for: `ORU_R01`. Empty when there is none that we know.
std::string_view structure_of(const Message& message);

/// What of a structure decides who belongs to whom.
struct Layout {
    bool specimen_first{};  ///< SPM stands before OBR: a specimen has orders; else an order has specimens
    bool obr_first{};       ///< OBR [ORC]; else ORC OBR
};
Layout layout_of(std::string_view structure);

struct StructureReading {
    /// Where each segment stands, by its position in the message:
    /// "PATIENT_RESULT[1].ORDER_OBSERVATION[2].OBSERVATION[3]"; empty at the top level and for a segment that stands
    /// nowhere.
    std::vector<std::string> groups;
    struct Deviation {
        enum class Kind : std::uint8_t {
            unexpected,  ///< a segment that the structure does not have there: `where` is its coordinate
            missing,     ///< a segment that it wants: `where` is the name, `before` the coordinate of what came instead
        };
        Kind kind{};
        std::string where;
        std::string before;  ///< of `missing`; empty at the end of the message

        bool operator==(const Deviation&) const = default;
    };
    std::vector<Deviation> deviations;  ///< at most 100
};
/// Z segments may stand anywhere and are no deviation. Empty when the structure is unknown.
StructureReading read_structure(const Message& message);

}  // namespace sgl::hl7
