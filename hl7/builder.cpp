#include "hl7/builder.hpp"

#include <algorithm>
#include <utility>

#include "hl7/escape.hpp"
#include "lib/base/text.hpp"

namespace sgl::hl7 {

Builder& Builder::header(const Header& header) {
    charset_ = header.charset;
    segment("MSH");
    std::string encoding;
    for (const char c : {separators_.component, separators_.repetition, separators_.escape, separators_.subcomponent,
                         separators_.truncation}) {
        if (c != '\0') encoding += c;
    }
    raw(2, encoding);
    field(3, header.sending_application).field(4, header.sending_facility);
    field(5, header.receiving_application).field(6, header.receiving_facility);
    time(7, header.time);
    components(9, {header.type, header.trigger, header.structure});
    field(10, header.control_id).field(11, header.processing_id).field(12, header.version);
    return field(18, to_msh18(header.charset));
}

Builder& Builder::segment(std::string_view id) {
    finish_segment();
    id_ = id;
    return *this;
}

Builder::Content& Builder::content(std::size_t number) {
    if (fields_.size() < number) fields_.resize(number);
    return fields_[number - 1];
}

Builder& Builder::field(std::size_t number, std::string_view text) {
    return components(number, {text});
}

Builder& Builder::components(std::size_t number, std::initializer_list<std::string_view> texts) {
    content(number) = {};
    return repeat(number, texts);
}

Builder& Builder::repeat(std::size_t number, std::initializer_list<std::string_view> texts) {
    Repetition repetition;
    for (const auto text : texts)
        repetition.push_back({escape(text, separators_)});
    content(number).repetitions.push_back(std::move(repetition));
    return *this;
}

Builder& Builder::at(std::size_t number, std::size_t component, std::size_t subcomponent, std::string_view text) {
    auto& repetitions = content(number).repetitions;
    if (repetitions.empty()) repetitions.emplace_back();
    auto& repetition = repetitions.back();
    if (repetition.size() < component) repetition.resize(component);
    auto& leaves = repetition[component - 1];
    if (leaves.size() < subcomponent) leaves.resize(subcomponent);
    leaves[subcomponent - 1] = escape(text, separators_);
    return *this;
}

Builder& Builder::null(std::size_t number) {
    return raw(number, "\"\"");
}

Builder& Builder::time(std::size_t number, const Timestamp& timestamp) {
    return raw(number, to_hl7(timestamp));
}

Builder& Builder::raw(std::size_t number, std::string_view er7) {
    auto& place = content(number);
    place.repetitions.clear();
    place.raw = er7;
    return *this;
}

Builder& Builder::copy(const Segment& segment) {
    finish_segment();
    // A continuation line was joined by LF; as such it would be a new line for the next reader.
    const char e = separators_.escape;
    out_ += replace_all(std::string(segment.raw()), "\n", e == '\0' ? " " : std::string(1, e) + ".br" + e);
    out_ += '\r';
    return *this;
}

Builder& Builder::segments(std::string_view er7) {
    finish_segment();
    out_ += er7;
    return *this;
}

namespace {

// Joined with a separator, empty ones at the end left out.
template <class Parts, class Write>
std::string joined(const Parts& parts, char separator, Write write) {
    std::string out;
    std::size_t end = 0;
    for (const auto& part : parts) {
        if (&part != &parts.front()) out += separator;
        const auto before = out.size();
        out += write(part);
        if (out.size() != before) end = out.size();
    }
    out.resize(end);
    return out;
}

}  // namespace

std::string Builder::er7(const Content& content) const {
    if (!content.raw.empty()) return content.raw;
    const auto usable = [](char separator) { return separator == '\0' ? ' ' : separator; };
    return joined(content.repetitions, usable(separators_.repetition), [&](const Repetition& repetition) {
        return joined(repetition, usable(separators_.component), [&](const Component& component) {
            return joined(component, usable(separators_.subcomponent),
                          [](const std::string& leaf) { return std::string_view(leaf); });
        });
    });
}

void Builder::finish_segment() {
    if (id_.empty()) return;
    const bool header = id_ == "MSH";
    std::string line = std::exchange(id_, {});
    std::size_t end = line.size();
    for (std::size_t i = header ? 1 : 0; i < fields_.size(); ++i) {
        line += separators_.field;
        const auto before = line.size();
        line += er7(fields_[i]);
        if (line.size() != before) end = line.size();
    }
    fields_.clear();
    line.resize(end);
    out_ += line;
    out_ += '\r';
}

std::string Builder::text() {
    finish_segment();
    return out_;
}

Encoded Builder::bytes() {
    return encode(text(), charset_);
}

}  // namespace sgl::hl7
