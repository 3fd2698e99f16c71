#include "cda/xml_writer.hpp"

#include "lib/base/text.hpp"

namespace sgl::cda {

bool is_xml_text(std::string_view utf8) {
    if (!is_utf8(utf8)) return false;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const auto c = static_cast<unsigned char>(utf8[i]);
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
        if (c == 0xEF && static_cast<unsigned char>(utf8[i + 1]) == 0xBF &&
            static_cast<unsigned char>(utf8[i + 2]) >= 0xBE)
            return false;
    }
    return true;
}

XmlWriter::XmlWriter(std::size_t expected_bytes) {
    out_.reserve(expected_bytes);
    out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    levels_.resize(1);
    levels_.reserve(32);
}

void XmlWriter::close_tag() {
    if (tag_open_) out_ += '>';
    tag_open_ = false;
}

void XmlWriter::open(std::string_view name, Attributes attributes) {
    close_tag();
    auto& siblings = levels_[depth_].children;
    unsigned position = 1;
    bool known = false;
    for (auto& [sibling, count] : siblings) {
        if (sibling != name) continue;
        position = ++count;
        known = true;
        break;
    }
    if (!known) siblings.emplace_back(name, 1);
    if (levels_.size() == ++depth_) levels_.emplace_back();
    auto& level = levels_[depth_];
    level.name = name;
    level.position = position;
    level.children.clear();
    out_ += '<';
    out_ += name;
    tag_open_ = true;
    for (const auto& [key, value] : attributes) {
        if (value.empty()) continue;
        out_ += ' ';
        out_ += key;
        out_ += "=\"";
        escape(value, true);
        out_ += '"';
    }
}

void XmlWriter::attribute(std::string_view name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    escape(value, true);
    out_ += '"';
}

void XmlWriter::close() {
    if (tag_open_) {
        out_ += "/>";
        tag_open_ = false;
    } else {
        out_ += "</";
        out_ += levels_[depth_].name;
        out_ += '>';
    }
    --depth_;
}

void XmlWriter::element(std::string_view name, Attributes attributes) {
    open(name, attributes);
    close();
}

void XmlWriter::element(std::string_view name, Attributes attributes, std::string_view content) {
    open(name, attributes);
    text(content);
    close();
}

void XmlWriter::text(std::string_view utf8) {
    close_tag();
    escape(utf8, false);
}

void XmlWriter::escape(std::string_view utf8, bool in_attribute) {
    if (!is_xml_text(utf8)) {
        refuse(Fault::malformed, "the text holds bytes that XML 1.0 cannot carry (control characters or invalid UTF-8)");
        return;
    }
    std::size_t from = 0;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        std::string_view escaped;
        switch (utf8[i]) {
            case '&': escaped = "&amp;"; break;
            case '<': escaped = "&lt;"; break;
            case '>': escaped = "&gt;"; break;
            case '\r': escaped = "&#13;"; break;
            case '"': escaped = in_attribute ? "&quot;" : ""; break;
            case '\n': escaped = in_attribute ? "&#10;" : ""; break;
            case '\t': escaped = in_attribute ? "&#9;" : ""; break;
            default: break;
        }
        if (escaped.empty()) continue;
        out_ += utf8.substr(from, i - from);
        out_ += escaped;
        from = i + 1;
    }
    out_ += utf8.substr(from);
}

void XmlWriter::refuse(Fault fault, std::string what, std::string_view child) {
    if (error_) return;
    auto where = path();
    if (!child.empty()) where.append("/").append(child);
    error_ = Error{fault, std::move(where), std::move(what)};
}

void XmlWriter::require(bool present, std::string_view what, std::string_view child) {
    if (!present) refuse(Fault::missing, std::string(what), child);
}

std::string XmlWriter::path() const {
    std::string path;
    for (std::size_t i = 1; i <= depth_; ++i) {
        path += '/';
        path += levels_[i].name;
        if (levels_[i].position > 1) path += '[' + std::to_string(levels_[i].position) + ']';
    }
    return path;
}

Result<std::string> XmlWriter::take() {
    if (error_) return *error_;
    out_ += '\n';
    return std::move(out_);
}

}  // namespace sgl::cda
