#include "hl7/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "hl7/escape.hpp"
#include "hl7/lines.hpp"
#include "hl7/nfc.hpp"
#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace detail {

// Where each segment is. A short one is looked through for each field that is asked for: that is a few instructions. Of
// a long one, the index keeps where every fourth part begins; so it stays smaller than the message even when that is
// nothing but separators.
constexpr std::size_t stride = 4;
constexpr std::size_t longest_without_marks = 512;

struct SegmentIndex {
    std::uint32_t start{};
    std::uint32_t end{};
    std::uint32_t first_mark{};
    std::uint32_t parts{};  ///< after the name; for MSH part 1 is field 2. Kept for long segments only

    bool marked() const { return end - start > longest_without_marks; }
};

struct Body : Reading {
    std::string text;
    CharsetDoubt doubt{};
    std::vector<SegmentIndex> segments;
    std::vector<std::uint32_t> marks;
    std::vector<Anomaly> anomalies;

    std::string_view raw(const SegmentIndex& segment) const {
        return {text.data() + segment.start, static_cast<std::size_t>(segment.end - segment.start)};
    }
    std::string_view id(const SegmentIndex& segment) const { return raw(segment).substr(0, 3); }
    std::size_t parts(const SegmentIndex& segment) const {
        return segment.marked() ? segment.parts : count_of(raw(segment), separators.field);
    }
    std::string_view part(const SegmentIndex& segment, std::size_t number) const;
};

std::string_view Body::part(const SegmentIndex& segment, std::size_t number) const {
    if (number == 0) return {};
    const char* const end = text.data() + segment.end;
    const char* const readable = text.data() + text.size();
    const char* at = text.data() + segment.start;
    auto hops = number;
    if (segment.marked()) {
        if (number > segment.parts) return {};
        at = text.data() + marks[segment.first_mark + (number - 1) / stride];
        hops = (number - 1) % stride;
        for (; hops != 0; --hops)
            at = find_near(at, end, separators.field) + 1;
    } else {
        at = nth(at, end, readable, separators.field, hops);
        if (at == end) return {};
        ++at;
    }
    return {at, static_cast<std::size_t>(find_near(at, end, separators.field) - at)};
}

}  // namespace detail

namespace {

using detail::Body;
using detail::SegmentIndex;

constexpr std::size_t most_anomalies = 100;  // of one message; the list is for people

bool has_own_separators(std::string_view id) {
    return id == "MSH" || id == "FHS" || id == "BHS";
}
bool separates_messages(std::string_view id) {
    return has_own_separators(id) || id == "BTS" || id == "FTS";
}

/// The number-th piece of a text cut at a separator, from 1; the whole text when there is no separator.
std::string_view piece(std::string_view text, char separator, std::size_t number) {
    if (number == 0) return {};
    if (separator == '\0') return number == 1 ? text : std::string_view{};
    for (; number > 1; --number) {
        const auto end = text.find(separator);
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
    }
    return text.substr(0, text.find(separator));
}

std::size_t pieces(std::string_view text, char separator) {
    if (separator == '\0') return 1;
    return 1 + count_of(text, separator);
}

void note(Body& body, Anomaly::Kind kind, std::string where) {
    if (body.anomalies.size() < most_anomalies) body.anomalies.push_back({kind, std::move(where)});
}

Error no_header(std::string_view bytes = {}) {
    using namespace std::string_view_literals;
    // Characters of two or four bytes (MSH-18 UNICODE UTF-16, UTF-32) can't be told from their own header.
    for (const auto wide : {"M\0S\0H"sv, "M\0\0\0S\0\0\0H"sv}) {
        if (bytes.substr(0, 64).find(wide) != std::string_view::npos) {
            return {
                Fault::unsupported, "MSH-18",
                "the message is written in UTF-16 or UTF-32; UTF-8 (UNICODE UTF-8) and the sets of one byte are read"};
        }
    }
    return {Fault::malformed, "MSH", "the message has no readable MSH segment"};
}

/// Up to the first line end.
std::string_view first_line(std::string_view text) {
    text = text.substr(0, text.find('\r'));
    return text.substr(0, text.find('\n'));
}

/// From MSH on; nothing when there is none at the start of a line.
std::optional<std::size_t> find_header(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const auto content = bytes.find_first_not_of(" \t\r\n", at);
        if (content == std::string_view::npos) return std::nullopt;
        if (bytes.substr(content, 3) == "MSH" && bytes.size() > content + 3) return content;
        at = bytes.find_first_of("\r\n", content);
        if (at == std::string_view::npos) return std::nullopt;
    }
    return std::nullopt;
}

Result<Separators> separators_of(std::string_view header) {
    Separators s;
    s.field = header[3];
    const auto usable = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        const bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        return byte > 0x20 && byte < 0x7F && !word;
    };
    if (!usable(s.field)) return Error{Fault::malformed, "MSH-1", "the field separator is no punctuation character"};
    const auto encoding = header.substr(4, header.find(s.field, 4) - 4);
    if (encoding.size() > 5 || !std::all_of(encoding.begin(), encoding.end(), usable)) {
        return Error{Fault::malformed, "MSH-2", "the encoding characters are not up to 5 punctuation characters"};
    }
    const auto at = [&](std::size_t i) { return i < encoding.size() ? encoding[i] : '\0'; };
    s.component = at(0);
    s.repetition = at(1);
    s.escape = at(2);
    s.subcomponent = at(3);
    s.truncation = at(4);
    return s;
}

Charset choose(Body& body, std::string_view declared, LinkCharset link) {
    switch (link) {
        case LinkCharset::utf_8:
            return Charset::utf_8;
        case LinkCharset::iso_8859_1:
            return Charset::iso_8859_1;
        case LinkCharset::iso_8859_15:
            return Charset::iso_8859_15;
        case LinkCharset::windows_1252:
            return Charset::windows_1252;
        case LinkCharset::guess:
        case LinkCharset::msh18:
            break;
    }
    const auto charset = charset_of_msh18(declared);
    if (!charset) note(body, Anomaly::Kind::charset_unknown, "MSH-18");
    return charset.value_or(Charset::ascii);
}

bool is_name(const char* text) {
    const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return upper(text[0]) && (upper(text[1]) || digit(text[1])) && (upper(text[2]) || digit(text[2]));
}

/// Lines that were joined are segments, whatever follows the name; those of from_segments() are not looked at.
enum class Lines : std::uint8_t { as_received, joined, clean };

/// The names and ends of all segments, and the marks of the long ones.
class Indexer {
public:
    Indexer(Body& body, const ParseOptions& options, Lines lines) : body_(body), options_(options), lines_(lines) {}

    /// False when a line is no clean segment: the lines then have to be joined first.
    Result<bool> run(const Survey& contents) {
        const std::string_view text = body_.text;
        body_.segments.clear();
        body_.segments.reserve(std::min(contents.carriage_returns, options_.max_segments) + 1);
        body_.marks.clear();
        most_marks_ = contents.separators / detail::stride + text.size() / detail::longest_without_marks + 1;
        for (std::size_t at = 0; at < text.size();) {
            const auto end = std::min(text.find('\r', at), text.size());
            if (end != at) {
                if (lines_ == Lines::as_received && !clean(text.substr(at, end - at))) return false;
                if (auto wrong = take(at, end)) return std::move(*wrong);
            }
            at = end + 1;
        }
        return true;
    }

private:
    bool clean(std::string_view line) const {
        return line.size() >= 3 && is_name(line.data()) && (line.size() == 3 || line[3] == body_.separators.field);
    }

    std::optional<Error> take(std::size_t start, std::size_t end) {
        const auto line = std::string_view(body_.text).substr(start, end - start);
        const auto number = body_.segments.size();
        if (lines_ != Lines::clean) {
            const auto where = [&] { return fmt::format("segment {}", number + 1); };
            if (number == options_.max_segments) return Error{Fault::malformed, where(), "too many segments"};
            if (number != 0 && separates_messages(line.substr(0, 3)))
                return Error{Fault::malformed, where(), "a second message or a batch envelope inside a message"};
        }
        auto& segment = body_.segments.emplace_back();
        segment.start = static_cast<std::uint32_t>(start);
        segment.end = static_cast<std::uint32_t>(end);
        if (!segment.marked() && line.size() <= std::min(options_.max_fields, options_.max_repetitions))
            return std::nullopt;

        segment.first_mark = static_cast<std::uint32_t>(body_.marks.size());
        const bool header = has_own_separators(line.substr(0, 3));
        std::size_t parts = 0;
        std::size_t field = 0;
        std::size_t overfull = 0;
        // The repetitions of one field matter only in a segment that has very many.
        const auto repetition = body_.separators.repetition;
        const bool many = repetition != '\0' && line.size() > options_.max_repetitions &&
                          pieces(line, repetition) > options_.max_repetitions;
        const auto most = options_.max_fields - (header ? 1 : 0);
        if (segment.marked()) body_.marks.reserve(most_marks_);
        for_each_of(line, line.data() + line.size(), body_.separators.field, [&](const char* at) {
            const auto after = static_cast<std::size_t>(at - line.data()) + 1;
            if (many && parts > (header ? 1U : 0U) && overfull == 0 &&
                pieces(line.substr(field, after - 1 - field), repetition) > options_.max_repetitions) {
                overfull = parts + (header ? 1 : 0);
            }
            field = after;
            if (segment.marked() && parts % detail::stride == 0 && parts < most)
                body_.marks.push_back(static_cast<std::uint32_t>(start + after));
            ++parts;
        });
        if (many && overfull == 0 && parts > (header ? 1U : 0U) &&
            pieces(line.substr(field), repetition) > options_.max_repetitions) {
            overfull = parts + (header ? 1 : 0);
        }
        segment.parts = static_cast<std::uint32_t>(parts);
        const auto refused = [&](std::size_t in_field, std::string what) {
            return Error{Fault::malformed, Segment(&body_, number).coordinate(in_field), std::move(what)};
        };
        if (parts > most) return refused(0, "too many fields in a segment");
        if (overfull != 0) return refused(overfull, "too many repetitions of a field");
        return std::nullopt;
    }

    Body& body_;
    const ParseOptions& options_;
    Lines lines_;
    std::size_t most_marks_{};
};

std::string_view link_charset_name(LinkCharset charset) {
    switch (charset) {
        case LinkCharset::msh18:
            return "msh18";
        case LinkCharset::utf_8:
            return "utf-8";
        case LinkCharset::iso_8859_1:
            return "iso-8859-1";
        case LinkCharset::iso_8859_15:
            return "iso-8859-15";
        case LinkCharset::windows_1252:
            return "windows-1252";
        case LinkCharset::guess:
            return "guess";
    }
    return "";
}

}  // namespace

std::string_view to_string(LinkCharset charset) {
    return link_charset_name(charset);
}

Result<LinkCharset> parse_link_charset(std::string_view text) {
    for (const auto charset : {LinkCharset::msh18, LinkCharset::utf_8, LinkCharset::iso_8859_1,
                               LinkCharset::iso_8859_15, LinkCharset::windows_1252}) {
        if (text == link_charset_name(charset)) return charset;
    }
    return Error{Fault::unsupported, "charset", "not one of msh18, utf-8, iso-8859-1, iso-8859-15, windows-1252"};
}

std::string_view to_string(Anomaly::Kind kind) {
    switch (kind) {
        case Anomaly::Kind::text_before_msh:
            return "text before the MSH segment";
        case Anomaly::Kind::leading_blank:
            return "blanks before a segment";
        case Anomaly::Kind::continuation_line:
            return "a line that is no segment, joined to the field before it";
        case Anomaly::Kind::unusual_separators:
            return "unusual encoding characters";
        case Anomaly::Kind::charset_unknown:
            return "unknown character set";
        case Anomaly::Kind::charset_doubt:
            return "bytes that do not fit the character set";
        case Anomaly::Kind::fragmented:
            return "a part of a longer message";
    }
    return "";
}

// Piece and its kin

std::string Piece::text() const {
    if (raw_.empty() || is_null()) return {};
    return unescape(raw_, reading_->separators, reading_->charset, reading_->guess);
}

std::size_t Component::size() const {
    return reading_ == nullptr ? 1 : pieces(raw_, reading_->separators.subcomponent);
}

Piece Component::subcomponent(std::size_t number) const {
    if (reading_ == nullptr) return {};
    return {reading_, piece(raw_, reading_->separators.subcomponent, number)};
}

std::size_t Repetition::size() const {
    return reading_ == nullptr ? 1 : pieces(raw_, reading_->separators.component);
}

Component Repetition::component(std::size_t number) const {
    if (reading_ == nullptr) return {};
    return {reading_, piece(raw_, reading_->separators.component, number)};
}

std::size_t Field::size() const {
    if (raw_.empty()) return 0;
    return pieces(raw_, reading_->separators.repetition);
}

Repetition Field::repetition(std::size_t index) const {
    if (reading_ == nullptr) return {};
    return {reading_, piece(raw_, reading_->separators.repetition, index + 1)};
}

// Segment

std::string_view Segment::id() const {
    return body_ == nullptr ? std::string_view{} : body_->id(body_->segments[index_]);
}
std::string_view Segment::raw() const {
    return body_ == nullptr ? std::string_view{} : body_->raw(body_->segments[index_]);
}

std::size_t Segment::fields() const {
    if (body_ == nullptr) return 0;
    return body_->parts(body_->segments[index_]) + (has_own_separators(id()) ? 1U : 0U);
}

namespace {

// MSH-1 and MSH-2 are data as they stand: without separators nothing is cut, nothing is an escape.
constexpr detail::Reading verbatim{{'\0', '\0', '\0', '\0', '\0', '\0'}, Charset::utf_8, false};

}  // namespace

Field Segment::field(std::size_t number) const {
    if (body_ == nullptr || number == 0) return {};
    const auto& segment = body_->segments[index_];
    if (!has_own_separators(body_->id(segment))) return {body_, body_->part(segment, number)};
    if (number == 1) return {&verbatim, body_->raw(segment).substr(3, 1)};
    return {number == 2 ? &verbatim : static_cast<const detail::Reading*>(body_), body_->part(segment, number - 1)};
}

Segment::Content Segment::content() const {
    if (body_ == nullptr) return {};
    const auto whole = raw();
    // The name, and in a header the encoding characters, are no fields to be cut.
    const bool header = has_own_separators(id());
    const char* const readable = body_->text.data() + body_->text.size();
    const char* const end = whole.data() + whole.size();
    Content out{body_->separators, {}, readable, header ? 3U : 1U};
    const char* const before = nth(whole.data(), end, readable, body_->separators.field, header ? 2 : 1);
    if (before != end) out.text = {before + 1, static_cast<std::size_t>(end - before - 1)};
    return out;
}

Pieces<Field> Segment::all_fields() const {
    const auto found = content();
    if (found.text.data() == nullptr) return {};
    return {body_, found.text, found.separators.field};
}

std::string Segment::text(std::size_t field_number, std::size_t component, std::size_t subcomponent) const {
    const auto found = field(field_number).repetition(0).component(component);
    return subcomponent == 0 ? found.text() : found.subcomponent(subcomponent).text();
}

std::size_t Segment::ordinal() const {
    if (body_ == nullptr) return 0;
    const auto begin = body_->segments.begin();
    return 1 + static_cast<std::size_t>(std::count_if(begin, begin + static_cast<std::ptrdiff_t>(index_),
                                                      [&](const auto& other) { return body_->id(other) == id(); }));
}

std::string Segment::coordinate() const {
    if (body_ == nullptr) return {};
    const auto number = ordinal();
    const auto later = body_->segments.begin() + static_cast<std::ptrdiff_t>(index_) + 1;
    const bool alone = number == 1 && std::none_of(later, body_->segments.end(),
                                                   [&](const auto& other) { return body_->id(other) == id(); });
    return alone ? std::string(id()) : fmt::format("{}[{}]", id(), number);
}

std::string Segment::coordinate(std::size_t field_number, std::size_t component) const {
    auto where = coordinate();
    if (field_number != 0) where += fmt::format("-{}", field_number);
    if (component != 0) where += fmt::format(".{}", component);
    return where;
}

// Message

Message::Message(std::unique_ptr<const detail::Body> body) : body_(std::move(body)) {}
Message::Message(Message&&) noexcept = default;
Message& Message::operator=(Message&&) noexcept = default;
Message::~Message() = default;

Result<Message> Message::parse(std::string bytes, const ParseOptions& options) {
    if (bytes.size() >= std::numeric_limits<std::uint32_t>::max() / 4)
        return Error{Fault::malformed, "", "the message is too long"};
    auto body = std::make_unique<Body>();
    while (!bytes.empty() && bytes.back() == '\0')
        bytes.pop_back();
    const std::size_t mark = bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    const auto header_at = find_header(std::string_view(bytes).substr(mark));
    if (!header_at) return no_header(bytes);
    const auto before = std::string_view(bytes).substr(mark, *header_at);
    if (before.find_first_not_of(" \t\r\n") != std::string_view::npos)
        note(*body, Anomaly::Kind::text_before_msh, "MSH");
    bytes.erase(0, mark + *header_at);

    const auto header = first_line(bytes);
    if (header.size() < 4) return no_header();
    auto separators = separators_of(header);
    if (!separators) return separators.error();
    body->separators = *separators;
    if (const auto encoding = header.substr(4, header.find(header[3], 4) - 4);
        encoding != "^~\\&" && encoding != "^~\\&#") {
        note(*body, Anomaly::Kind::unusual_separators, "MSH-2");
    }

    // MSH-1 is the separator itself: MSH-18 comes after the 17th.
    const char* const header_end = header.data() + header.size();
    const char* const msh17 = nth(header.data(), header_end, bytes.data() + bytes.size(), body->separators.field, 17);
    const auto msh18 = msh17 == header_end ? std::string_view{}
                                           : piece({msh17 + 1, static_cast<std::size_t>(header_end - msh17 - 1)},
                                                   body->separators.field, 1);
    const auto declared = piece(piece(msh18, body->separators.repetition, 1), body->separators.component, 1);
    auto contents = survey(bytes, body->separators.field);
    body->guess = options.charset == LinkCharset::guess;
    if (body->guess) {
        auto guessed = guess(bytes, trim(declared));
        body->charset = guessed.charset;
        body->text = std::move(guessed.text);
    } else {
        body->charset = choose(*body, declared, options.charset);
        auto decoded = decode(std::move(bytes), body->charset, contents);
        body->text = std::move(decoded.text);
        if (decoded.doubt != CharsetDoubt::none) {
            body->doubt = decoded.doubt;
            note(*body, Anomaly::Kind::charset_doubt, "MSH-18");
        }
    }

    if (contents.high && !body->guess) body->text = to_nfc(std::move(body->text));

    std::vector<JoinedLines::Note> joins;
    const bool line_feeds =
        contents.line_feeds != 0 && !normalise_line_ends(body->text, contents.carriage_returns != 0);
    contents.carriage_returns = std::max(contents.carriage_returns, contents.line_feeds);
    Result<bool> indexed = false;
    if (!line_feeds) indexed = Indexer(*body, options, Lines::as_received).run(contents);
    if (!indexed) return indexed.error();
    if (!*indexed) {
        auto joined = join_lines(body->text, body->separators.field);
        body->text = std::move(joined.text);
        joins = std::move(joined.notes);
        indexed = Indexer(*body, options, Lines::joined).run(contents);
        if (!indexed) return indexed.error();
        if (!*indexed) return no_header();
    }
    if (body->segments.empty()) return no_header();
    for (const auto& join : joins) {
        if (body->anomalies.size() == most_anomalies) break;
        const bool blank = join.kind == JoinedLines::Note::Kind::leading_blank;
        note(*body, blank ? Anomaly::Kind::leading_blank : Anomaly::Kind::continuation_line,
             Segment(body.get(), join.segment).coordinate());
    }
    for (std::size_t i = 0; i < body->segments.size(); ++i) {
        const std::size_t field = i == 0 ? 14 : 1;
        if (i != 0 && body->id(body->segments[i]) != "DSC") continue;
        if (const Segment segment(body.get(), i); !segment.field(field).empty())
            note(*body, Anomaly::Kind::fragmented, segment.coordinate(field));
    }
    return Message{std::move(body)};
}

Message Message::from_segments(std::string utf8, const Separators& separators, Charset charset) {
    auto body = std::make_unique<Body>();
    body->text = std::move(utf8);
    body->separators = separators;
    body->charset = charset;
    body->guess = true;
    ParseOptions unlimited;
    unlimited.max_segments = unlimited.max_fields = unlimited.max_repetitions = std::numeric_limits<std::size_t>::max();
    (void)Indexer(*body, unlimited, Lines::clean).run(survey(body->text, separators.field));
    return Message{std::move(body)};
}

Result<Message> Message::parse_header(std::string_view bytes, const ParseOptions& options) {
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    const auto header_at = find_header(bytes);
    if (!header_at) return no_header(bytes);
    bytes.remove_prefix(*header_at);
    return parse(std::string(first_line(bytes)), options);
}

const Separators& Message::separators() const {
    return body_->separators;
}
Charset Message::charset() const {
    return body_->charset;
}
CharsetDoubt Message::charset_doubt() const {
    return body_->doubt;
}
const std::vector<Anomaly>& Message::anomalies() const {
    return body_->anomalies;
}
std::size_t Message::size() const {
    return body_->segments.size();
}

Segment Message::segment(std::size_t index) const {
    if (index >= body_->segments.size()) return {};
    return {body_.get(), index};
}

Segment Message::first(std::string_view id) const {
    for (std::size_t i = 0; i < body_->segments.size(); ++i) {
        if (body_->id(body_->segments[i]) == id) return {body_.get(), i};
    }
    return {};
}

std::vector<Segment> Message::all(std::string_view id) const {
    std::vector<Segment> found;
    for (std::size_t i = 0; i < body_->segments.size(); ++i) {
        if (body_->id(body_->segments[i]) == id) found.emplace_back(body_.get(), i);
    }
    return found;
}

namespace {

std::optional<std::size_t> take_number(std::string_view& path) {
    std::size_t value{};
    const auto read = std::from_chars(path.data(), path.data() + path.size(), value);
    if (read.ec != std::errc{}) return std::nullopt;
    path.remove_prefix(static_cast<std::size_t>(read.ptr - path.data()));
    return value;
}

/// "[3]" at the start of the path; 1 when there is none.
std::optional<std::size_t> take_index(std::string_view& path) {
    if (!path.starts_with('[')) return 1;
    path.remove_prefix(1);
    const auto value = take_number(path);
    if (!value || *value == 0 || !path.starts_with(']')) return std::nullopt;
    path.remove_prefix(1);
    return value;
}

}  // namespace

std::string Message::text(std::string_view path) const {
    const auto id = path.substr(0, 3);
    path.remove_prefix(id.size());
    auto number = take_index(path);
    if (!number || !path.starts_with('-')) return {};
    path.remove_prefix(1);
    const auto field_number = take_number(path);
    const auto repetition = take_index(path);
    if (!field_number || !repetition) return {};

    Segment found;
    for (const auto& segment : body_->segments) {
        if (body_->id(segment) == id && --*number == 0) {
            found = {body_.get(), static_cast<std::size_t>(&segment - body_->segments.data())};
            break;
        }
    }
    const auto content = found.field(*field_number).repetition(*repetition - 1);
    if (path.empty()) return content.text();
    if (!path.starts_with('.')) return {};
    path.remove_prefix(1);
    const auto component_number = take_number(path);
    if (!component_number) return {};
    const auto component = content.component(*component_number);
    if (path.empty()) return component.text();
    if (!path.starts_with('.')) return {};
    path.remove_prefix(1);
    const auto subcomponent = take_number(path);
    if (!subcomponent || !path.empty()) return {};
    return component.subcomponent(*subcomponent).text();
}

std::string Message::type() const {
    return header().text(9, 1);
}
std::string Message::trigger() const {
    return header().text(9, 2);
}
std::string Message::structure() const {
    return header().text(9, 3);
}
std::string Message::control_id() const {
    return header().field(10).text();
}
std::string Message::processing_id() const {
    return header().text(11, 1);
}
std::string Message::version() const {
    return header().text(12, 1);
}

std::string Message::unescape(std::string_view raw) const {
    return hl7::unescape(raw, body_->separators, body_->charset, body_->guess);
}

}  // namespace sgl::hl7
