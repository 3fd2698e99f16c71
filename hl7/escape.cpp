#include "hl7/escape.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace {

constexpr long most_repeats = 200;            // of one \.sp<n>\ or \.sk<n>
constexpr long most_guessed_repeats = 5'000;  // the same for the guessing reader
constexpr std::size_t most_growth = 65'536;   // of one text by those (SEC-20: escape expansion bounded)

std::optional<unsigned> hexadecimal(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    return std::nullopt;
}

std::optional<std::string> hexadecimal_text(std::string_view digits, Charset charset, bool guess) {
    if (digits.empty() || digits.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(digits.size() / 2);
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const auto high = hexadecimal(digits[i]);
        const auto low = hexadecimal(digits[i + 1]);
        if (!high || !low) return std::nullopt;
        bytes += static_cast<char>(static_cast<unsigned char>(*high * 16 + *low));
    }
    bool units = bytes.size() % 2 == 0;  // \X00E9\: 16-bit units, seen from two vendors
    for (std::size_t i = 0; units && i < bytes.size(); i += 2)
        units = bytes[i] == '\0';
    if (units) {
        std::string latin;
        for (std::size_t i = 1; i < bytes.size(); i += 2)
            latin += bytes[i];
        // Unicode below 0100 is 8859-1; what decode() doubts there is a C1 control.
        if (guess) return decode_exactly(latin, Charset::iso_8859_1);
        return decode(std::move(latin), Charset::iso_8859_1).text;
    }
    if (guess) {
        if (auto exact = decode_exactly(bytes, charset)) return exact;
        return windows_1252_text(bytes);
    }
    auto decoded = decode(std::move(bytes), charset);
    if (decoded.doubt == CharsetDoubt::invalid_bytes) return std::nullopt;
    return std::move(decoded.text);
}

// \.br\ and its kin.
std::optional<std::string> formatting(std::string_view body, long most) {
    if (body.size() < 3 || body.front() != '.') return std::nullopt;
    const auto command = to_upper_ascii(body.substr(1, 2));
    auto number = body.substr(3);
    number.remove_prefix(std::min(number.find_first_not_of(" \t\n\v\f\x1c\x1d\x1e\x1f"), number.size()));
    long count = 1;
    if (!number.empty()) {
        const bool negative = number.front() == '-';
        if (negative || number.front() == '+') number.remove_prefix(1);
        if (!std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; }))
            return std::nullopt;
        if (!number.empty()) {
            const auto read = std::from_chars(number.data(), number.data() + number.size(), count);
            if (read.ec != std::errc{}) count = most;
            if (negative) count = 0;
        }
    }
    count = std::clamp(count, 0L, most);
    if (command == "BR" || command == "CE") return "\n";
    if (command == "SP") return std::string(static_cast<std::size_t>(count), '\n');
    if (command == "SK") return std::string(static_cast<std::size_t>(count), ' ');
    if (command == "FI" || command == "NF" || command == "IN" || command == "TI") return "";
    return std::nullopt;
}

std::optional<std::string> meaning(std::string_view body, const Separators& s, Charset charset, bool guess) {
    const auto one = [](char c) -> std::optional<std::string> {
        if (c == '\0') return std::nullopt;
        return std::string(1, c);
    };
    if (body.size() == 1) {
        switch (body.front()) {
            case 'F':
                return one(s.field);
            case 'S':
                return one(s.component);
            case 'T':
                return one(s.subcomponent);
            case 'R':
                return one(s.repetition);
            case 'E':
                return one(s.escape);
            case 'P':
                return one(s.truncation == '\0' ? '#' : s.truncation);
            case 'H':
            case 'N':
                return "";
            default:
                return std::nullopt;
        }
    }
    if (body.starts_with('X')) return hexadecimal_text(body.substr(1), charset, guess);
    return formatting(body, guess ? most_guessed_repeats : most_repeats);
}

}  // namespace

std::string unescape(std::string_view raw, const Separators& separators, Charset charset, bool guess) {
    const char e = separators.escape;
    auto open = e == '\0' ? std::string_view::npos : raw.find(e);
    if (open == std::string_view::npos) return std::string(raw);
    std::string out;
    out.reserve(raw.size());
    std::size_t done = 0;
    std::size_t growth = 0;
    while (open != std::string_view::npos) {
        out += raw.substr(done, open - done);
        const auto close = raw.find(e, open + 1);
        if (close == std::string_view::npos) {
            done = open;
            break;
        }
        const auto body = raw.substr(open + 1, close - open - 1);
        if (const auto text = meaning(body, separators, charset, guess)) {
            growth += text->size() > body.size() ? text->size() - body.size() : 0;
            if (growth <= most_growth) out += *text;
            done = close + 1;
        } else {
            out += e;
            done = open + 1;
        }
        open = raw.find(e, done);
    }
    out += raw.substr(done);
    return out;
}

std::string escape(std::string_view text, const Separators& separators) {
    std::string out;
    out.reserve(text.size());
    const auto sequence = [&](std::string_view body) {
        if (separators.escape == '\0') {
            out += ' ';
            return;
        }
        out += separators.escape;
        out += body;
        out += separators.escape;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\r' || c == '\n') {
            if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
            sequence(".br");
        } else if (c == separators.escape && c != '\0') {
            sequence("E");
        } else if (c == separators.field) {
            sequence("F");
        } else if (c == separators.component && c != '\0') {
            sequence("S");
        } else if (c == separators.repetition && c != '\0') {
            sequence("R");
        } else if (c == separators.subcomponent && c != '\0') {
            sequence("T");
        } else if (c == separators.truncation && c != '\0') {
            sequence("P");
        } else if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
            out += ' ';
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace sgl::hl7
