#include "hl7/dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "hl7/charset.hpp"
#include "hl7/lines.hpp"
#include "hl7/message.hpp"
#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view blanks = " \t\n\v\f\r";
constexpr std::string_view blanks_of_text = " \t\n\v\f\r\x1c\x1d\x1e\x1f";

bool header_name(std::string_view text) {
    return text == "MSH" || text == "FHS" || text == "BHS";
}
bool header_name_at(std::string_view text, std::size_t at) {
    return header_name(text.substr(at, 3));
}

std::size_t character_size(char lead) {
    const auto byte = static_cast<unsigned char>(lead);
    return byte < 0xC0 || byte >= 0xF8 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

std::size_t count_of(std::string_view text, std::string_view what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size()))
        ++n;
    return n;
}

// A separator is one character, and one byte inside the library. One outside ASCII (or NUL, which stands for none) is
// read through a byte that UTF-8 never has, and written as itself. Every header has its own.
class StandIns {
public:
    StandIns() = default;
    /// For those of the `count` first characters that need one.
    StandIns(std::string_view text, std::size_t count) {
        for (; count > 0 && !text.empty(); --count) {
            const auto character = text.substr(0, character_size(text.front()));
            const bool special = character.size() > 1 || character.front() == '\0';
            if (special && std::ranges::find(characters_, character) == characters_.end())
                characters_.emplace_back(character);
            text.remove_prefix(character.size());
        }
    }
    std::string put(std::string text) const {
        for (std::size_t i = 0; i < characters_.size(); ++i)
            text = replace_all(std::move(text), characters_[i], std::string(1, byte(i)));
        return text;
    }
    std::string taken_out(std::string text) const {
        for (std::size_t i = 0; i < characters_.size(); ++i)
            text = replace_all(std::move(text), std::string(1, byte(i)), characters_[i]);
        return text;
    }
    std::string_view character(char c) const {
        const auto i = static_cast<std::size_t>(static_cast<unsigned char>(c)) - first;
        return static_cast<unsigned char>(c) >= first && i < characters_.size() ? characters_[i] : std::string_view{};
    }

private:
    static constexpr std::size_t first = 0xF8;  // eight of them, and a header has six separators
    static char byte(std::size_t i) { return static_cast<char>(static_cast<unsigned char>(first + i)); }

    std::vector<std::string> characters_;
};

// JSON as it is written by the reference reader: a list loses its empty end (R1).
class Json {
public:
    /// Of the texts that come next.
    void read_through(const StandIns& stand_ins) { stand_ins_ = stand_ins; }

    bool string(std::string_view text) {
        out_ += '"';
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                out_ += '\\';
                out_ += c;
            } else if (byte < 0x20) {
                control(c);
            } else if (byte >= 0xF8) {
                const auto character = stand_ins_.character(c);
                if (character.size() == 1)
                    control(character.front());
                else
                    out_ += character;
            } else {
                out_ += c;
            }
        }
        out_ += '"';
        return !text.empty();
    }
    void raw(std::string_view json) { out_ += json; }
    void key(std::string_view name) {
        string(name);
        out_ += ": ";
    }
    void member(std::string_view name, std::string_view text) {
        key(name);
        string(text);
    }
    /// `write` says of each part whether it is valued.
    template <class Parts, class Write>
    bool list(const Parts& parts, Write write) {
        out_ += '[';
        auto end = out_.size();
        bool first = true;
        bool valued = false;
        for (const auto& part : parts) {
            if (!std::exchange(first, false)) out_ += ',';
            if (!write(part)) continue;
            end = out_.size();
            valued = true;
        }
        out_.resize(end);
        out_ += ']';
        return valued;
    }
    std::string take() { return std::exchange(out_, {}); }
    bool empty() const { return out_.empty(); }

private:
    void control(char c) {
        constexpr std::string_view letters = "\b\f\n\r\t";
        if (const auto at = letters.find(c); at != std::string_view::npos) {
            out_ += '\\';
            out_ += "bfnrt"[at];
        } else {
            out_ += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        }
    }

    StandIns stand_ins_;
    std::string out_;
};

bool write(Json& json, const Field& field) {
    return json.list(field.repetitions(), [&](const Repetition& repetition) {
        return json.list(repetition.components(), [&](const Component& component) {
            return json.list(component.subcomponents(), [&](const Piece& leaf) { return json.string(leaf.raw()); });
        });
    });
}

/// `{"id":…,"fields":…}` without its braces.
void write(Json& json, const Segment& segment, const Separators& separators) {
    json.raw("\"id\":");
    json.string(segment.id());
    json.raw(",\"fields\":");
    std::vector<std::size_t> numbers(std::max<std::size_t>(segment.fields(), header_name(segment.id()) ? 1 : 0));
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = i + 1;
    json.list(numbers, [&](std::size_t number) {
        if (number > 1 || !header_name(segment.id())) return write(json, segment.field(number));
        json.raw("[[[");
        json.string(std::string_view(&separators.field, 1));
        json.raw("]]]");
        return true;
    });
}

/// The separators of an MSH, FHS or BHS line, whatever they are; each is one byte here (StandIns).
Separators separators_of(std::string_view line) {
    Separators s{'|', '\0', '\0', '\0', '\0', '\0'};
    if (line.size() > 3) s.field = line[3];
    auto encoding = line.substr(std::min<std::size_t>(line.size(), 4));
    encoding = encoding.substr(0, std::min<std::size_t>(encoding.find(s.field), 5));
    const std::array<char*, 5> places{&s.component, &s.repetition, &s.escape, &s.subcomponent, &s.truncation};
    for (std::size_t i = 0; i < encoding.size(); ++i)
        *places[i] = encoding[i];
    return s;
}

/// MSH-18, first repetition, as bytes of whatever MSH comes first (R10).
std::string declared_charset(std::string_view bytes) {
    const auto at = bytes.find("MSH");
    if (at == std::string_view::npos || bytes.size() < at + 8) return {};
    const auto line = bytes.substr(at, bytes.find_first_of("\r\n", at) - at);
    if (line.size() < 4) return {};
    const auto fields = split(line, line[3]);
    if (fields.size() < 18) return {};
    auto value = fields[17];
    for (const std::size_t separator : {1U, 0U}) {
        if (fields[1].size() > separator) value = value.substr(0, value.find(fields[1][separator]));
    }
    std::string out;
    for (const char c : value)
        out += static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "\xEF\xBF\xBD";
    const auto from = out.find_first_not_of(blanks_of_text);
    if (from == std::string::npos) return {};
    return out.substr(from, out.find_last_not_of(blanks_of_text) - from + 1);
}

struct Frames {
    std::vector<std::string_view> chunks;
    std::size_t mllp{};
};

/// R7.
Frames frames_of(std::string_view bytes) {
    constexpr char begin = '\x0b';
    constexpr char end = '\x1c';
    Frames out;
    const auto first = bytes.find(begin);
    const auto before = bytes.substr(0, first);
    if (first == std::string_view::npos && bytes.find(end) == std::string_view::npos) {
        out.chunks.push_back(bytes);
        return out;
    }
    for (std::size_t at = 0; at + 3 < before.size(); ++at) {
        if (!header_name_at(before, at) || before[at + 3] == '\n') continue;
        out.chunks.push_back(before.substr(0, before.find(end)));
        break;
    }
    for (auto at = first; at != std::string_view::npos; at = bytes.find(begin, at)) {
        const auto stop = bytes.find(end, at + 1);
        const auto body = bytes.substr(at + 1, stop == std::string_view::npos ? stop : stop - at - 1);
        ++out.mllp;
        if (body.find_first_not_of(blanks) != std::string_view::npos) out.chunks.push_back(body);
        if (stop == std::string_view::npos) break;
        at = stop + 1;
    }
    return out;
}

/// CR, LF, CRLF, mixed or none.
std::string_view line_ends(std::string_view bytes) {
    const auto pairs = count_of(bytes, "\r\n");
    const bool cr = count_of(bytes, "\r") > pairs;
    const bool lf = count_of(bytes, "\n") > pairs;
    const auto kinds = (pairs != 0 ? 1 : 0) + (cr ? 1 : 0) + (lf ? 1 : 0);
    if (kinds == 0) return "none";
    if (kinds > 1) return "mixed";
    return cr ? "CR" : lf ? "LF" : "CRLF";
}

class Dump {
public:
    std::string of(std::string_view bytes, std::string_view name) {
        const auto frames = frames_of(bytes);
        declared_ = declared_charset(bytes);
        for (const auto chunk : frames.chunks)
            read(chunk);
        close_message();

        Json head;
        head.raw("{");
        head.member("file", name);
        head.raw(fmt::format(", \"bytes\": {}, ", bytes.size()));
        head.member("sha256", to_hex(sha256(bytes)));
        head.raw(fmt::format(", \"framing\": {{\"mllp_frames\": {}, \"bom\": {}, ", frames.mllp, bom_));
        head.member("terminator", line_ends(bytes));
        head.raw("}, \"charset\": {");
        head.member("declared", declared_);
        head.raw(", ");
        head.key("used");
        if (used_)
            head.string(*used_);
        else
            head.raw("null");
        head.raw(fmt::format(", \"fallback\": {}}},\n\"messages\":[", fallback_));
        head.raw(messages_.take());
        head.raw("],\n\"envelope\":[");
        head.raw(envelope_.take());
        head.raw("],\n\"anomalies\":");
        head.list(anomalies_, [&](const std::string& anomaly) {
            head.string(anomaly);
            return true;
        });
        head.raw("}\n");
        return head.take();
    }

private:
    /// What the last header of this chunk says; before the first one, the usual.
    struct Force {
        Separators separators;
        StandIns stand_ins;

        bool is_segment(const std::string& line) const {
            return hl7::is_segment(stand_ins.put(line), separators.field);
        }
    };
    struct Open {
        std::string text;  ///< lines ended by CR, with the stand-ins of its header
        Force force;
        Charset charset{};
    };

    void read(std::string_view chunk) {
        if (chunk.starts_with(byte_order_mark)) {
            bom_ = true;
            chunk.remove_prefix(byte_order_mark.size());
        }
        auto declared = declared_charset(chunk);
        if (declared.empty()) declared = declared_;
        while (chunk.ends_with('\0'))
            chunk.remove_suffix(1);
        auto guessed = guess(chunk, declared);
        if (!used_) {
            declared_ = declared;
            used_ = guessed.name;
            fallback_ = guessed.fallback;
        }
        if (guessed.fallback)
            anomalies_.push_back(fmt::format("charset-mismatch: declared '{}', read as {}", declared, guessed.name));
        take_lines(std::move(guessed.text), guessed.charset);
    }

    /// From what follows the first MSH, FHS or BHS on.
    static std::string_view field_separator(std::string_view text) {
        for (std::size_t at = 0; at + 3 < text.size(); ++at) {
            if (header_name_at(text, at) && text[at + 3] != '\n') return text.substr(at + 3);
        }
        return "|";
    }

    void take_lines(std::string text, Charset charset) {
        // Only the field separator says where lines end, and only one outside ASCII needs another byte for that.
        const auto found = field_separator(text);
        const StandIns stand_ins(found, found.front() == '\0' ? 0 : 1);
        const char separator = stand_ins.put(std::string(found.substr(0, character_size(found.front())))).front();
        const auto joined = join_lines(stand_ins.put(std::move(text)), separator, true);
        const auto lines = split(joined.text, '\r');
        for (const auto& note : joined.notes) {
            const auto id = first_three(stand_ins.taken_out(std::string(lines[note.segment].substr(0, note.begun))));
            for (std::uint32_t i = 0; i < note.times; ++i) {
                switch (note.kind) {
                    case JoinedLines::Note::Kind::leading_blank:
                        anomalies_.push_back("leading-blank: " + id);
                        break;
                    case JoinedLines::Note::Kind::continuation:
                        anomalies_.push_back("continuation-line after " + id);
                        break;
                    case JoinedLines::Note::Kind::text_before:
                        anomalies_.emplace_back("text-before-first-segment");
                        break;
                }
            }
        }
        in_force_ = Force();
        for (const auto line : lines) {
            if (!line.empty()) take_line(stand_ins.taken_out(std::string(line)), charset);
        }
    }

    void take_line(const std::string& line, Charset charset) {
        const std::string id = line.substr(0, 3);
        if (header_name(id)) {
            in_force_.stand_ins = StandIns(std::string_view(line).substr(3), 6);
            in_force_.separators = separators_of(in_force_.stand_ins.put(line));
        }
        if (id == "MSH") {
            close_message();
            closed_ = false;
            message_ = Open{in_force_.stand_ins.put(line) + '\r', in_force_, charset};
            ++count_;
        } else if (header_name(id) || id == "BTS" || id == "FTS") {
            closed_ = true;
            take_envelope(line, charset);
        } else if (message_ && !closed_ && message_->force.is_segment(line)) {
            message_->text += message_->force.stand_ins.put(line);
            message_->text += '\r';
        } else {
            anomalies_.push_back("segment-outside-message: " + first_three(line));
            if (in_force_.is_segment(line)) take_envelope(line, charset);
        }
    }

    void take_envelope(const std::string& line, Charset charset) {
        const auto& separators = in_force_.separators;
        const auto envelope = Message::from_segments(in_force_.stand_ins.put(line), separators, charset);
        envelope_.read_through(in_force_.stand_ins);
        if (!envelope_.empty()) envelope_.raw(", ");
        envelope_.raw(fmt::format("{{\"before_message\": {}, ", count_));
        write(envelope_, envelope.segment(0), separators);
        envelope_.raw("}");
    }

    void close_message() {
        if (!message_) return;
        const auto message =
            Message::from_segments(std::move(message_->text), message_->force.separators, message_->charset);
        messages_.read_through(message_->force.stand_ins);
        message_.reset();
        const auto& s = message.separators();
        messages_.raw(messages_.empty() ? "\n{" : ",\n{");
        messages_.key("separators");
        const std::array<std::pair<std::string_view, const char*>, 6> names{{{"field", &s.field},
                                                                             {"component", &s.component},
                                                                             {"repetition", &s.repetition},
                                                                             {"escape", &s.escape},
                                                                             {"subcomponent", &s.subcomponent},
                                                                             {"truncation", &s.truncation}}};
        for (const auto& [name, character] : names) {
            messages_.raw(character == &s.field ? "{" : ", ");
            messages_.key(name);
            if (*character == '\0')
                messages_.raw("null");
            else
                messages_.string(std::string_view(character, 1));
        }
        messages_.raw("}");
        const auto header = message.header();
        const std::array<std::pair<std::string_view, std::size_t>, 4> fields{
            {{"type", 9}, {"control_id", 10}, {"processing_id", 11}, {"version", 12}}};
        for (const auto& [name, number] : fields) {
            messages_.raw(", ");
            messages_.member(name, header.field(number).raw());
        }
        messages_.raw(",\"segments\":[\n");
        for (std::size_t i = 0; i < message.size(); ++i) {
            messages_.raw(i == 0 ? "{" : ",\n{");
            write(messages_, message.segment(i), s);
            messages_.raw("}");
        }
        messages_.raw("],\"escapes\":[");
        write_escapes(message);
        messages_.raw("]}");
    }

    void write_escapes(const Message& message) {
        if (message.separators().escape == '\0') return;
        std::map<std::string_view, std::size_t> ordinals;
        bool first = true;
        for (std::size_t i = 0; i < message.size(); ++i) {
            const auto segment = message.segment(i);
            const auto ordinal = ++ordinals[segment.id()];
            if (segment.raw().find(message.separators().escape) == std::string_view::npos) continue;
            for (std::size_t f = header_name(segment.id()) ? 3 : 1; f <= segment.fields(); ++f) {
                std::size_t r = 0;
                for (const auto& repetition : segment.field(f).repetitions()) {
                    ++r;
                    std::size_t c = 0;
                    for (const auto& component : repetition.components()) {
                        ++c;
                        std::size_t s = 0;
                        for (const auto& leaf : component.subcomponents()) {
                            ++s;
                            const auto text = message.unescape(leaf.raw());
                            if (text == leaf.raw()) continue;
                            messages_.raw(std::exchange(first, false) ? "{" : ",\n{");
                            messages_.key("at");
                            messages_.string(fmt::format("{}[{}]-{}[{}].{}.{}", segment.id(), ordinal, f, r, c, s));
                            messages_.raw(", ");
                            messages_.member("raw", leaf.raw());
                            messages_.raw(", ");
                            messages_.member("text", text);
                            messages_.raw("}");
                        }
                    }
                }
            }
        }
    }

    /// Three characters, as text for an anomaly.
    static std::string first_three(std::string_view line) {
        std::size_t end = 0;
        for (int i = 0; i < 3 && end < line.size(); ++i)
            end += character_size(line[end]);
        return std::string(line.substr(0, end));
    }

    Json messages_;
    Json envelope_;
    std::vector<std::string> anomalies_;
    std::string declared_;
    std::optional<std::string_view> used_;
    bool fallback_{};
    bool bom_{};
    std::size_t count_{};
    std::optional<Open> message_;
    bool closed_{};  ///< the message got its last segment: a batch envelope came after it
    Force in_force_;
};

}  // namespace

std::string dump(std::string_view bytes, std::string_view name) {
    return Dump().of(bytes, name);
}

}  // namespace sgl::hl7
