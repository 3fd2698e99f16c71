#include "lib/web/html.hpp"

namespace sgl::web {

namespace {

void escape(std::string& out, std::string_view data) {
    for (const char c : data) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: {
                const auto byte = static_cast<unsigned char>(c);
                if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F)
                    out += "\xEF\xBF\xBD";
                else
                    out += c;
            }
        }
    }
}

}  // namespace

void Html::text(std::string_view data) { escape(out_, data); }

void Html::open(Name name, Attributes attributes) {
    out_ += '<';
    out_ += name.text();
    for (const auto& attribute : attributes) {
        if (!attribute.present()) continue;
        out_ += ' ';
        out_ += attribute.name().text();
        if (attribute.bare()) continue;
        out_ += "=\"";
        escape(out_, attribute.value());
        out_ += '"';
    }
    out_ += '>';
}

void Html::close(Name name) {
    out_ += "</";
    out_ += name.text();
    out_ += '>';
}

std::string url_part(std::string_view data) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : data) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += hex[byte >> 4U];
            out += hex[byte & 15U];
        }
    }
    return out;
}

}  // namespace sgl::web
