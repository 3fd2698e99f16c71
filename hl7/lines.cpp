#include "hl7/lines.hpp"

#include <algorithm>
#include <cstring>

#include "hl7/scan.hpp"

namespace sgl::hl7 {

namespace {

bool line_end(char c) {
    return c == '\r' || c == '\n';
}
bool upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool digit(char c) {
    return c >= '0' && c <= '9';
}

/// The next CR or LF from `at` on, else the size.
std::size_t next_line_end(std::string_view text, std::size_t at) {
    const auto rest = text.substr(at);
    return at + static_cast<std::size_t>(find_either(rest.data(), rest.data() + rest.size(), '\r', '\n') - rest.data());
}

std::string_view without_blanks(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

bool envelope_or_message(std::string_view line) {
    const auto id = line.substr(0, 3);
    return id == "MSH" || id == "FHS" || id == "BHS" || id == "BTS" || id == "FTS";
}

}  // namespace

bool starts_segment(std::string_view text, char field_separator) {
    if (text.size() < 3 || !upper(text[0]) || !(upper(text[1]) || digit(text[1])) ||
        !(upper(text[2]) || digit(text[2]))) {
        return false;
    }
    return text.size() == 3 || text[3] == field_separator || line_end(text[3]);
}

bool is_segment(std::string_view line, char field_separator) {
    return starts_segment(line, field_separator) && (line.size() == 3 || line[3] == field_separator);
}

std::vector<std::string_view> split_messages(std::string_view block) {
    std::vector<std::string_view> messages;
    if (block.starts_with("\xEF\xBB\xBF")) block.remove_prefix(3);
    while (block.ends_with('\0'))  // as parse() does: a bare MSH before them would be another message to it
        block.remove_suffix(1);
    char separator = '\0';
    std::size_t open = std::string_view::npos;
    for (std::size_t at = 0; at < block.size();) {
        const auto line = without_blanks(block.substr(at));
        const auto id = line.substr(0, 3);
        if (separator == '\0' && line.size() > 3 && (id == "MSH" || id == "FHS" || id == "BHS")) separator = line[3];
        if (separator != '\0' && envelope_or_message(line) && starts_segment(line, separator)) {
            if (open != std::string_view::npos) messages.push_back(block.substr(open, at - open));
            open = id == "MSH" ? at : std::string_view::npos;
            if (id == "MSH" && line.size() > 3 && !line_end(line[3])) separator = line[3];
        }
        at = std::min(next_line_end(block, at) + 1, block.size());
    }
    if (open != std::string_view::npos) messages.push_back(block.substr(open));
    return messages;
}

bool normalise_line_ends(std::string& text, bool has_carriage_return) {
    if (!has_carriage_return) {
        replace_byte(text.data(), text.size(), '\n', '\r');
        return true;
    }
    bool left = false;
    std::size_t kept = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto feed = std::min(text.find('\n', at), text.size());
        std::memmove(text.data() + kept, text.data() + at, feed - at);
        kept += feed - at;
        at = feed + 1;
        if (feed == text.size()) break;
        if (kept != 0 && text[kept - 1] == '\r' && text[feed - 1] == '\r') continue;
        text[kept++] = '\n';
        left = true;
    }
    text.resize(kept);
    return !left;
}

JoinedLines join_lines(std::string_view text, char field_separator, bool keep_text_before) {
    using Kind = JoinedLines::Note::Kind;
    JoinedLines out;
    out.text.reserve(text.size() + 1);
    const bool has_cr = text.find('\r') != std::string_view::npos;
    std::uint32_t segments = 0;
    std::size_t started = 0;  // where the last segment is in out.text
    const auto note = [&](Kind kind, std::uint32_t segment, std::size_t length) {
        const auto begun = static_cast<std::uint8_t>(std::min<std::size_t>(length, 12));
        if (!out.notes.empty() && out.notes.back().kind == kind && out.notes.back().segment == segment &&
            out.notes.back().begun == begun)
            ++out.notes.back().times;
        else
            out.notes.push_back({kind, segment, 1, begun});
    };

    const auto flush = [&](std::string_view line) {
        if (std::all_of(line.begin(), line.end(), [](char c) { return c == ' ' || c == '\t' || c == '\0'; })) return;
        const auto content = without_blanks(line);
        if (is_segment(content, field_separator)) {
            if (segments != 0) out.text += '\r';
            if (content.size() != line.size()) note(Kind::leading_blank, segments, content.size());
            started = out.text.size();
            out.text += content;
            ++segments;
        } else if (segments != 0) {
            note(Kind::continuation, segments - 1, out.text.size() - started);
            out.text += '\n';
            out.text += line;
        } else {
            note(Kind::text_before, 0, line.size());
            if (!keep_text_before) return;
            out.text += line;
            ++segments;
        }
    };

    std::size_t start = 0;
    for (std::size_t at = 0;;) {
        const auto end = next_line_end(text, at);
        if (end == text.size()) break;
        std::size_t next = end + 1;
        if (text[end] == '\r') {
            if (next < text.size() && text[next] == '\n') ++next;
        } else {
            const auto rest = text.substr(next);
            const bool data = has_cr && !rest.empty() && !line_end(rest.front()) &&
                              !starts_segment(without_blanks(rest), field_separator);
            if (data) {
                at = next;
                continue;
            }
        }
        flush(text.substr(start, end - start));
        start = at = next;
    }
    flush(text.substr(std::min(start, text.size())));
    if (segments != 0) out.text += '\r';
    return out;
}

}  // namespace sgl::hl7
