// Writing an HL7 v2 message, field by field: escaping, separators and trailing empties are done here, once.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "hl7/charset.hpp"
#include "hl7/message.hpp"
#include "lib/base/time.hpp"

namespace sgl::hl7 {

/// The fields of MSH that every message has. Empty ones are left out.
struct Header {
    std::string sending_application;  ///< MSH-3.1
    std::string sending_facility;
    std::string receiving_application;
    std::string receiving_facility;
    Timestamp time;
    std::string type;       ///< MSH-9.1
    std::string trigger;    ///< MSH-9.2
    std::string structure;  ///< MSH-9.3
    std::string control_id;
    std::string processing_id{"P"};
    std::string version{"2.5.1"};
    Charset charset{Charset::utf_8};  ///< MSH-18, and what bytes() writes
};

class Builder {
public:
    explicit Builder(const Separators& separators = {}) : separators_(separators) {}

    /// Starts the message: MSH, which stays the current segment for more fields.
    Builder& header(const Header& header);
    /// Starts a segment; field numbers below are of the current one, from 1.
    Builder& segment(std::string_view id);

    Builder& field(std::size_t number, std::string_view text);  ///< one text, escaped
    Builder& components(std::size_t number, std::initializer_list<std::string_view> texts);
    /// One more repetition after what the field holds.
    Builder& repeat(std::size_t number, std::initializer_list<std::string_view> texts);
    /// One place of the last repetition; component and sub-component from 1.
    Builder& at(std::size_t number, std::size_t component, std::size_t subcomponent, std::string_view text);
    Builder& null(std::size_t number);  ///< the HL7 null `""`
    Builder& time(std::size_t number, const Timestamp& timestamp);
    /// ER7 as it stands, already escaped with these separators: a field copied from a message.
    Builder& raw(std::size_t number, std::string_view er7);
    /// A whole segment copied from a message with the same separators.
    Builder& copy(const Segment& segment);
    /// Whole segments as text() of another builder with the same separators gave them.
    Builder& segments(std::string_view er7);

    std::string text();  ///< UTF-8, segments ended by CR
    Encoded bytes();     ///< in the character set of the header

private:
    using Component = std::vector<std::string>;
    using Repetition = std::vector<Component>;
    struct Content {
        std::vector<Repetition> repetitions;
        std::string raw;
    };

    Content& content(std::size_t number);
    void finish_segment();
    std::string er7(const Content& content) const;

    Separators separators_;
    Charset charset_{Charset::utf_8};
    std::string out_;
    std::string id_;
    std::vector<Content> fields_;
};

}  // namespace sgl::hl7
