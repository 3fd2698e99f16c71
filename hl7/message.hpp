// Reading an HL7 v2 message in its ER7 form, tolerantly: what cannot be understood is kept and reported at its
// coordinate, never dropped, never guessed (hl7v2-lab 4, rules R1 to R12 of the reference reader). One pass over the
// bytes; the views given out allocate nothing until a text is asked for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hl7/charset.hpp"
#include "hl7/scan.hpp"
#include "lib/base/result.hpp"

namespace sgl::hl7 {

/// MSH-1 and MSH-2; '\0' where the message has none: that level is then not split (R4).
struct Separators {
    char field{'|'};
    char component{'^'};
    char repetition{'~'};
    char escape{'\\'};
    char subcomponent{'&'};
    char truncation{};

    bool operator==(const Separators&) const = default;
};

/// What a link says of the character set of its messages (hl7v2-lab 4.3).
enum class LinkCharset : std::uint8_t {
    msh18,
    utf_8,
    iso_8859_1,
    iso_8859_15,
    windows_1252,
    guess,  ///< rule R10 of the reference reader: only to show a quarantined message to a person, and in tests
};
std::string_view to_string(LinkCharset charset);
/// `msh18`, `utf-8`, `iso-8859-1`, `iso-8859-15`, `windows-1252`.
Result<LinkCharset> parse_link_charset(std::string_view text);

struct ParseOptions {
    LinkCharset charset{LinkCharset::msh18};
    std::size_t max_segments{20'000};  ///< SEC-20, like the two below
    std::size_t max_fields{2'000};     ///< per segment
    std::size_t max_repetitions{1'000};
};

/// Something a sender does that it should not, and that we can live with. Logged once per link and day.
struct Anomaly {
    enum class Kind : std::uint8_t {
        text_before_msh,
        leading_blank,
        continuation_line,
        unusual_separators,  ///< MSH-2 is not `^~\&` nor `^~\&#`
        charset_unknown,     ///< MSH-18 names no set that we read: taken as ASCII
        charset_doubt,       ///< the bytes are not what MSH-18 or the link says (Message::charset_invalid)
        fragmented,          ///< MSH-14 or DSC-1 valued: a part of a longer message
    };
    Kind kind{};
    std::string where;  ///< "MSH-18", "OBX[3]"

    bool operator==(const Anomaly&) const = default;
};
std::string_view to_string(Anomaly::Kind kind);

namespace detail {

struct Body;

/// How the raw characters of a message are to be read.
struct Reading {
    Separators separators;
    Charset charset{};
    bool guess{};
};

}  // namespace detail

/// A piece of a message: its raw characters and how to read them. A view: valid as long as the Message lives (moving
/// the Message is allowed). An absent piece is an empty one.
class Piece {
public:
    Piece() = default;
    Piece(const detail::Reading* reading, std::string_view raw) : reading_(reading), raw_(raw) {}

    std::string_view raw() const { return raw_; }  ///< escapes not interpreted
    bool empty() const { return raw_.empty(); }
    bool is_null() const { return raw_ == "\"\""; }  ///< the HL7 null: "no value" or "delete", not "unchanged"
    /// Escapes interpreted (R11), UTF-8; the separators of lower levels stay as they are. Empty for the HL7 null.
    std::string text() const;

protected:
    const detail::Reading* reading_{};
    std::string_view raw_;
};

/// The pieces of a text between separators, in order, empty ones included. Walking them allocates nothing.
template <class Part>
class Pieces {
public:
    class iterator {
    public:
        using value_type = Part;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;

        iterator() = default;
        iterator(const detail::Reading* reading, std::string_view text, char separator)
            : reading_(reading), at_(text.data()), end_(text.data() + text.size()), separator_(separator) {
            cut();
        }
        Part operator*() const { return {reading_, {at_, static_cast<std::size_t>(stop_ - at_)}}; }
        iterator& operator++() {
            if (stop_ == end_) {
                at_ = nullptr;
            } else {
                at_ = stop_ + 1;
                cut();
            }
            return *this;
        }
        iterator operator++(int) {
            auto before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const iterator& a, const iterator& b) { return a.at_ == b.at_; }

    private:
        void cut() { stop_ = separator_ == '\0' ? end_ : find_near(at_, end_, separator_); }

        const detail::Reading* reading_{};
        const char* at_{};  ///< null after the last
        const char* stop_{};
        const char* end_{};
        char separator_{};
    };

    Pieces() = default;  ///< none
    Pieces(const detail::Reading* reading, std::string_view text, char separator)
        : first_(reading, text.data() == nullptr ? std::string_view("") : text, separator) {}
    iterator begin() const { return first_; }
    iterator end() const { return {}; }

private:
    iterator first_;
};

class Component : public Piece {
public:
    using Piece::Piece;
    Pieces<Piece> subcomponents() const {
        return {reading_, raw_, reading_ == nullptr ? '\0' : reading_->separators.subcomponent};
    }
    std::size_t size() const;                      ///< sub-components, at least 1
    Piece subcomponent(std::size_t number) const;  ///< from 1, as the standard counts
};

class Repetition : public Piece {
public:
    using Piece::Piece;
    Pieces<Component> components() const {
        return {reading_, raw_, reading_ == nullptr ? '\0' : reading_->separators.component};
    }
    std::size_t size() const;                       ///< components, at least 1
    Component component(std::size_t number) const;  ///< from 1
};

class Field : public Piece {
public:
    using Piece::Piece;
    std::size_t size() const;                        ///< repetitions; 0 when the field is empty
    Repetition repetition(std::size_t index) const;  ///< from 0; coordinates in texts count from 1: PID-3[1]
    Pieces<Repetition> repetitions() const {         ///< none when the field is empty
        if (raw_.empty() || reading_ == nullptr) return {};
        return {reading_, raw_, reading_->separators.repetition};
    }
};

/// A valued leaf and where it stands in its segment, everything counted from 1.
struct Leaf {
    std::uint32_t field{};
    std::uint32_t repetition{};
    std::uint32_t component{};
    std::uint32_t subcomponent{};
    std::string_view raw;
};

class Segment {
public:
    Segment() = default;
    Segment(const detail::Body* body, std::size_t index) : body_(body), index_(index) {}

    explicit operator bool() const { return body_ != nullptr; }  ///< false: the message has no such segment
    std::string_view id() const;
    std::string_view raw() const;                 ///< the whole segment without its end
    std::size_t index() const { return index_; }  ///< position in the message, MSH is 0
    std::size_t fields() const;                   ///< number of the last field written, 0 for a bare name
    Field field(std::size_t number) const;        ///< from 1; MSH-1 is the field separator itself
    /// The fields in order from 1, in MSH from 3: faster than one by one.
    Pieces<Field> all_fields() const;
    /// visit(Leaf) for every leaf that is not empty, in order, in one pass; in MSH from field 3.
    template <class Visit>
    void for_each_leaf(Visit visit) const;

    /// Decoded text of one component (sub-component when given) of the first repetition: text(3) is `PID-3.1`.
    std::string text(std::size_t field, std::size_t component = 1, std::size_t subcomponent = 0) const;

    std::string coordinate() const;  ///< "PID", "OBX[3]" (numbered when the message has several)
    std::string coordinate(std::size_t field, std::size_t component = 0) const;  ///< "OBX[3]-5", "PID-3.1"
    std::size_t ordinal() const;                                                 ///< 1 for the first of its name

    friend bool operator==(const Segment&, const Segment&) = default;

private:
    struct Content {
        Separators separators;
        std::string_view text;  ///< from the first field on
        const char* readable_end{};
        std::uint32_t first_field{};
    };
    Content content() const;

    const detail::Body* body_{};
    std::size_t index_{};
};

template <class Visit>
void Segment::for_each_leaf(Visit visit) const {
    const auto here = content();
    const auto or_field = [&](char c) { return c == '\0' ? here.separators.field : c; };
    const char field_separator = here.separators.field;
    const char repetition_separator = or_field(here.separators.repetition);
    const char component_separator = or_field(here.separators.component);
    std::uint32_t field = here.first_field;
    std::uint32_t repetition = 1;
    std::uint32_t component = 1;
    std::uint32_t subcomponent = 1;
    const char* start = here.text.data();
    const auto valued = [&](const char* end) {
        if (end != start)
            visit(Leaf{field, repetition, component, subcomponent, {start, static_cast<std::size_t>(end - start)}});
    };
    for_each_of(here.text, here.readable_end, field_separator, repetition_separator, component_separator,
                or_field(here.separators.subcomponent), [&](const char* at) {
                    valued(at);
                    start = at + 1;
                    // Without branches: which separator comes next can't be foreseen.
                    const unsigned f = *at == field_separator ? 1 : 0;
                    const unsigned r = f | (*at == repetition_separator ? 1U : 0U);
                    const unsigned c = r | (*at == component_separator ? 1U : 0U);
                    subcomponent = c != 0 ? 1 : subcomponent + 1;
                    component = r != 0 ? 1 : component + c;
                    repetition = f != 0 ? 1 : repetition + r;
                    field += f;
                });
    valued(here.text.data() + here.text.size());
}

class Message {
public:
    /// One message, from MSH on (see split_messages for blocks that hold several). Errors: malformed when there is no
    /// readable MSH (where "MSH"), a second MSH inside, or a limit of SEC-20 passed (where "OBX[3]-5" or "segment
    /// 20001").
    static Result<Message> parse(std::string bytes, const ParseOptions& options = {});
    /// Only MSH, whatever follows: for the answer to a message that was refused for its size.
    static Result<Message> parse_header(std::string_view bytes, const ParseOptions& options = {});

    /// Segments that are clean already: UTF-8, each ended by CR (or the end), the first one with those separators. What
    /// dump() reads through; escapes are read as with LinkCharset::guess, no limit holds, nothing is refused.
    static Message from_segments(std::string utf8, const Separators& separators, Charset charset);

    Message(Message&&) noexcept;
    Message& operator=(Message&&) noexcept;
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;
    ~Message();

    const Separators& separators() const;
    Charset charset() const;  ///< the one the bytes were read in
    CharsetDoubt charset_doubt() const;
    /// The bytes are not what they claim: keep, acknowledge, quarantine; never show a name from it without a banner.
    bool charset_invalid() const { return charset_doubt() != CharsetDoubt::none; }
    const std::vector<Anomaly>& anomalies() const;

    std::size_t size() const;  ///< segments, MSH included
    Segment segment(std::size_t index) const;
    Segment header() const { return segment(0); }
    Segment first(std::string_view id) const;  ///< false when there is none
    std::vector<Segment> all(std::string_view id) const;

    /// "PID-3.1", "OBX[3]-5", "PID-3[2].4.2": decoded text, empty when absent or when the path is none.
    std::string text(std::string_view path) const;

    std::string type() const;           ///< MSH-9.1: ORU
    std::string trigger() const;        ///< MSH-9.2: R01
    std::string structure() const;      ///< MSH-9.3, often empty
    std::string control_id() const;     ///< MSH-10
    std::string processing_id() const;  ///< MSH-11.1
    std::string version() const;        ///< MSH-12.1

    /// Rule R11 on any text with this message's separators and character set.
    std::string unescape(std::string_view raw) const;

private:
    explicit Message(std::unique_ptr<const detail::Body> body);

    std::unique_ptr<const detail::Body> body_;
};

}  // namespace sgl::hl7
