// From the bytes of a block to clean segments: line ends as real senders write them, several messages in one block
// (hl7v2-lab 3.7 and 4.1, rules R5, R6 and R9 of the reference reader).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sgl::hl7 {

/// `[A-Z][A-Z0-9]{2}` then the field separator, a line end or the end.
bool starts_segment(std::string_view text, char field_separator);

/// The messages of one block or file, views into it; the bytes before the first MSH and the envelope (FHS, BHS, BTS,
/// FTS) are left out. One message is the rule: then the answer holds one view.
std::vector<std::string_view> split_messages(std::string_view block);

struct JoinedLines {
    std::string text;                    ///< every segment on one line ended by CR; LF only as data
    std::vector<std::size_t> continued;  ///< numbers of the segments (from 0) that got a continuation line
    std::vector<std::size_t> indented;   ///< numbers of the segments that had blanks before them
};
JoinedLines join_lines(std::string_view text, char field_separator);

}  // namespace sgl::hl7
