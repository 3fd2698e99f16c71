// From the bytes of a block to clean segments: line ends as real senders write them, several messages in one block
// (hl7v2-lab 3.7 and 4.1, rules R5, R6 and R9 of the reference reader).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sgl::hl7 {

/// `[A-Z][A-Z0-9]{2}` then the field separator, a line end or the end.
bool starts_segment(std::string_view text, char field_separator);
/// The same of a whole line: a line feed in it is data.
bool is_segment(std::string_view line, char field_separator);

/// The messages of one block or file, views into it; the bytes before the first MSH and the envelope (FHS, BHS, BTS,
/// FTS) are left out. One message is the rule: then the answer holds one view.
std::vector<std::string_view> split_messages(std::string_view block);

/// CRLF becomes CR, and so does LF when the text has no CR. False when a line feed is left: data, or a bare end.
bool normalise_line_ends(std::string& text, bool has_carriage_return);

struct JoinedLines {
    /// What was joined or left out, in the order of the lines; `times` in a row for the same segment.
    struct Note {
        enum class Kind : std::uint8_t { leading_blank, continuation, text_before };
        Kind kind{};
        std::uint32_t segment{};  ///< from 0
        std::uint32_t times{1};
        std::uint8_t begun{};  ///< bytes of the segment that stood there before, at most 12
    };
    std::string text;  ///< every segment on one line ended by CR; LF only as data
    std::vector<Note> notes;
};
/// Lines that come before the first segment are left out, or with `keep_text_before` become a line of their own.
JoinedLines join_lines(std::string_view text, char field_separator, bool keep_text_before = false);

}  // namespace sgl::hl7
