#include "lib/delivery/mail/message.hpp"

#include <algorithm>
#include <array>

#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"

namespace sgl::mail {

namespace {

constexpr std::size_t line_limit = 76;
constexpr std::size_t hard_limit = 998;  // RFC 5322 2.1.1
constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

void append_hex(std::string& out, char prefix, char c) {
    const auto byte = static_cast<unsigned char>(c);
    out += prefix;
    out += hex_digits[byte >> 4U];
    out += hex_digits[byte & 0x0FU];
}

/// RFC 2047, base64, as many words as needed, each of whole characters and at most 75 long.
std::string encoded_words(std::string_view utf8) {
    constexpr std::size_t most_bytes = 42;  // =?UTF-8?B? + 56 + ?=
    std::string out;
    while (!utf8.empty()) {
        std::size_t count = 0;
        for (std::size_t next = 0; next <= utf8.size() && next <= most_bytes; next += first_characters(utf8.substr(next), 1).size()) {
            count = next;
            if (next == utf8.size()) break;
        }
        if (!out.empty()) out += ' ';
        out += "=?UTF-8?B?" + base64_encode(utf8.substr(0, count)) + "?=";
        utf8.remove_prefix(count);
    }
    return out;
}

/// Unstructured text: as it is, or encoded. A text that looks like an encoded word is encoded too.
std::string text_value(std::string_view utf8) {
    return printable_ascii(utf8) && utf8.find("=?") == std::string_view::npos ? std::string(utf8) : encoded_words(utf8);
}

std::string mailbox_value(const Mailbox& mailbox) {
    if (mailbox.label.empty()) return mailbox.address;
    std::string label;
    if (printable_ascii(mailbox.label) && mailbox.label.find("=?") == std::string::npos) {
        label = "\"" + replace_all(replace_all(mailbox.label, "\\", "\\\\"), "\"", "\\\"") + "\"";
    } else {
        label = encoded_words(mailbox.label);
    }
    return label + " <" + mailbox.address + ">";
}

/// Folds at blanks (RFC 5322 2.2.3); a word longer than the line stays whole.
std::string folded(std::string_view name, std::string_view value) {
    std::string out(name);
    out += ':';
    std::size_t length = out.size();
    for (const auto word : split(value, ' ')) {
        if (length + 1 + word.size() > line_limit && length > name.size() + 1) {
            out += "\r\n";
            length = 0;
        }
        out += ' ';
        out += word;
        length += 1 + word.size();
    }
    return out + "\r\n";
}

/// `; filename="…"` on its own line, or RFC 2231 in continuations.
std::string parameter(std::string_view name, std::string_view value) {
    if (printable_ascii(value)) {
        return ";\r\n " + std::string(name) + "=\"" + replace_all(replace_all(std::string(value), "\\", "\\\\"), "\"", "\\\"") + "\"";
    }
    constexpr std::size_t part_limit = 54;
    std::string out;
    std::string part = "UTF-8''";
    unsigned number = 0;
    const auto flush = [&] {
        out += ";\r\n " + std::string(name) + '*' + std::to_string(number++) + "*=" + part;
        part.clear();
    };
    for (const char c : value) {
        if (part.size() > part_limit) flush();
        if (alphanumeric(c) || c == '.' || c == '-' || c == '_') {
            part += c;
        } else {
            append_hex(part, '%', c);
        }
    }
    flush();
    return out;
}

std::string quoted_printable(std::string_view utf8) {
    std::string out;
    std::string line;
    const auto put = [&](std::string_view piece) {
        if (line.size() + piece.size() > line_limit - 1) {
            out += line + "=\r\n";
            line.clear();
        }
        line += piece;
    };
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const char c = utf8[i];
        const bool line_end = c == '\n' || (c == '\r' && utf8.substr(i).starts_with("\r\n"));
        if (line_end) {
            if (c == '\r') ++i;
            out += line + "\r\n";
            line.clear();
            continue;
        }
        const bool last_of_line = i + 1 == utf8.size() || utf8[i + 1] == '\n' || utf8[i + 1] == '\r';
        const bool plain = (c > 0x20 && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last_of_line);
        std::string piece;
        if (plain) {
            piece += c;
        } else {
            append_hex(piece, '=', c);
        }
        put(piece);
    }
    if (!line.empty()) out += line + "\r\n";
    return out;
}

std::string base64_lines(std::string_view bytes) {
    const std::string text = base64_encode(bytes);
    std::string out;
    out.reserve(text.size() + text.size() / line_limit * 2 + 2);
    for (std::size_t at = 0; at < text.size(); at += line_limit) {
        out.append(text, at, line_limit);
        out += "\r\n";
    }
    return out;
}

std::string rfc5322_date(const Timestamp& date) {
    constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::weekday weekday(std::chrono::sys_days(std::chrono::year(date.year) / static_cast<int>(date.month) /
                                                             static_cast<int>(date.day)));
    const int offset = date.offset_minutes.value_or(0);
    const unsigned minutes = static_cast<unsigned>(offset < 0 ? -offset : offset);
    const auto two = [](unsigned number) { return std::string(number < 10 ? "0" : "") + std::to_string(number); };
    return std::string(days.at(weekday.c_encoding())) + ", " + two(date.day) + ' ' + std::string(months.at(date.month - 1)) + ' ' +
           std::to_string(date.year) + ' ' + two(date.hour) + ':' + two(date.minute) + ':' + two(date.second) + ' ' +
           (offset < 0 ? "-" : "+") + two(minutes / 60) + two(minutes % 60);
}

Result<void> check_value(std::string_view where, std::string_view value) {
    const bool control = std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (control) return Error{Fault::malformed, std::string(where), "a header holds no control character"};
    if (!is_utf8(value)) return Error{Fault::malformed, std::string(where), "this text is no UTF-8"};
    if (value.size() > hard_limit / 2) return Error{Fault::malformed, std::string(where), "this text is too long"};
    return {};
}

Result<void> check_token(std::string_view where, std::string_view value) {
    if (!printable_ascii(value) || value.find_first_of(" <>") != std::string_view::npos) {
        return Error{Fault::malformed, std::string(where), "this value is one printable ASCII word"};
    }
    return check_value(where, value);
}

Result<void> check(const Message& message) {
    if (!is_mail_address(message.from.address)) return Error{Fault::malformed, "From", "this is no mail address"};
    if (!is_mail_address(message.to.reveal())) return Error{Fault::malformed, "To", "this is no mail address"};
    if (!message.reply_to.empty() && !is_mail_address(message.reply_to)) {
        return Error{Fault::malformed, "Reply-To", "this is no mail address"};
    }
    if (message.subject.empty()) return Error{Fault::missing, "Subject", "a mail has a subject"};
    if (trim(message.body).empty()) return Error{Fault::missing, "body", "a mail has a text"};
    if (message.message_id.empty()) return Error{Fault::missing, "Message-ID", "a mail has an identifier"};
    if (!is_utf8(message.body)) return Error{Fault::malformed, "body", "this text is no UTF-8"};
    if (message.date.precision < Precision::second || !message.date.offset_minutes) {
        return Error{Fault::missing, "Date", "a mail has a date to the second, with its offset"};
    }
    if (auto ok = check_value("From", message.from.label); !ok) return ok;
    if (auto ok = check_value("Subject", message.subject); !ok) return ok;
    if (auto ok = check_token("Message-ID", message.message_id); !ok) return ok;
    if (auto ok = check_token("In-Reply-To", message.in_reply_to); !ok) return ok;
    if (auto ok = check_token("X-MSS-CODECDA", message.x_mss_codecda); !ok) return ok;
    if (auto ok = check_token("X-MSS-NIL", message.x_mss_nil); !ok) return ok;
    for (const auto& attachment : message.attachments) {
        if (auto ok = check_token("attachment", attachment.type); !ok) return ok;
        if (auto ok = check_value("attachment", attachment.file_name); !ok) return ok;
        if (attachment.file_name.empty()) return Error{Fault::missing, "attachment", "an attachment has a file name"};
    }
    return {};
}

}  // namespace

bool is_mail_address(std::string_view text) {
    constexpr std::size_t longest = 254;  // RFC 5321 4.5.3.1.3, without the brackets
    const auto at = text.find('@');
    if (text.size() > longest || at == 0 || at == std::string_view::npos) return false;
    const auto local = text.substr(0, at);
    const auto domain = text.substr(at + 1);
    constexpr std::string_view atom = ".!#$%&'*+-/=?^_`{|}~";
    const bool local_ok = std::ranges::all_of(local, [&](char c) { return alphanumeric(c) || atom.find(c) != std::string_view::npos; });
    const bool domain_ok = !domain.empty() && domain.front() != '.' && domain.back() != '.' &&
                           domain.find("..") == std::string_view::npos &&
                           std::ranges::all_of(domain, [](char c) { return alphanumeric(c) || c == '.' || c == '-'; });
    return local_ok && domain_ok && local.front() != '.' && local.back() != '.' && local.find("..") == std::string_view::npos;
}

Result<std::string> render(const Message& message, std::string_view boundary_seed) {
    if (auto ok = check(message); !ok) return ok.error();
    // `=_` cannot stand in base64 nor in quoted-printable, so no content can hold the boundary.
    const std::string boundary = "=_sgld_" + to_hex(sha256(boundary_seed)).substr(0, 32);
    std::string out;
    const auto put = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) out += folded(name, value);
    };
    put("Date", rfc5322_date(message.date));
    put("From", mailbox_value(message.from));
    put("To", message.to.reveal());
    put("Reply-To", message.reply_to);
    put("Subject", text_value(message.subject));
    put("Message-ID", "<" + message.message_id + ">");
    if (!message.in_reply_to.empty()) {
        put("In-Reply-To", "<" + message.in_reply_to + ">");
        put("References", "<" + message.in_reply_to + ">");
    }
    if (message.read_receipt) put("Disposition-Notification-To", message.from.address);
    put("X-MSS-CODECDA", message.x_mss_codecda);
    if (!message.x_mss_codecda.empty()) put("X-MSS-INS", message.x_mss_ins ? "O" : "N");
    put("X-MSS-NIL", message.x_mss_nil);
    if (message.no_answer_wanted) put("X-MSS-MES", "FIN");
    out += "MIME-Version: 1.0\r\n";
    out += "Content-Type: multipart/mixed;\r\n boundary=\"" + boundary + "\"\r\n\r\n";
    out += "--" + boundary + "\r\n";
    out += "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    out += quoted_printable(message.body);
    for (const auto& attachment : message.attachments) {
        out += "\r\n--" + boundary + "\r\n";
        out += "Content-Type: " + attachment.type + parameter("name", attachment.file_name) + "\r\n";
        out += "Content-Transfer-Encoding: base64\r\n";
        out += "Content-Disposition: attachment" + parameter("filename", attachment.file_name) + "\r\n\r\n";
        out += base64_lines(attachment.bytes);
    }
    out += "\r\n--" + boundary + "--\r\n";
    return out;
}

}  // namespace sgl::mail
