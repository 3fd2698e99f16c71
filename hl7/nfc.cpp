#include "hl7/nfc.hpp"

#include <glib.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <unordered_set>

#include "lib/base/utf8.hpp"

namespace sgl::hl7 {

namespace {

// Everything below U+0300 stands as it is in NFC, and joins nothing before it: the bytes below CC.
bool above_latin(char byte) {
    return static_cast<unsigned char>(byte) >= 0xCC;
}

// Blocks of the same kind (combining class 0, NFC_Quick_Check=Yes) that stand in our messages: typographic signs
// without U+2000 and U+2001, superscripts, currencies; arrows and mathematics up to the brackets U+2329; Chinese. They
// only spare the questions below; nfc_test asks GLib whether they are right.
bool plain(char32_t c) {
    return c < 0x300 || (c >= 0x2002 && c < 0x20D0) || (c >= 0x2190 && c < 0x2329) || (c >= 0x4E00 && c < 0xA000) ||
           c == 0xFFFD;
}

/// Starters that compose with what stands before them: vowels and finals of Hangul, some vowels of India.
bool joins(char32_t c) {
    static const auto all = [] {
        std::unordered_set<char32_t> second;
        for (gunichar whole = 0x300; whole < 0x20000; ++whole) {
            gunichar a = 0;
            gunichar b = 0;
            if (g_unichar_decompose(whole, &a, &b) != 0 && b != 0 && g_unichar_combining_class(b) == 0)
                second.insert(b);
        }
        return second;
    }();
    return all.contains(c);
}

/// Nothing before this character can change it or be changed by it: a text may be cut here, its parts normalised one by
/// one.
bool boundary(char32_t c) {
    if (plain(c)) return true;
    gunichar first = 0;
    g_unichar_fully_decompose(c, FALSE, &first, 1);
    return g_unichar_combining_class(first) == 0 && !joins(first);
}

// GLib orders marks and closes gaps in quadratic time: it gets short pieces only, cut at boundaries. More marks in a
// row than the 30 of the Stream-Safe Text Format (UAX 15) are no text, and stay as they came.
constexpr std::size_t piece_length = 64;
constexpr std::size_t most_joined = 30;

void append_normalised(std::string& out, std::string_view piece) {
    const std::unique_ptr<char, decltype(&g_free)> composed(
        g_utf8_normalize(piece.data(), static_cast<gssize>(piece.size()), G_NORMALIZE_NFC), g_free);
    if (composed)
        out += composed.get();
    else
        out += piece;
}

}  // namespace

std::string to_nfc(std::string utf8) {
    const std::string_view text = utf8;
    std::string out;
    std::size_t copied = 0;
    const auto* const data = text.data();
    for (std::size_t at = 0; at < text.size();) {
        at = static_cast<std::size_t>(std::find_if(data + at, data + text.size(), above_latin) - data);
        if (at == text.size()) break;
        auto one = utf8::first(text.substr(at));
        if (one.size == 0 || plain(one.code)) {
            at += std::max<std::size_t>(one.size, 1);
            continue;
        }
        std::size_t start = at;
        // What is joined to the character before it begins there; that one is plain, or stands in `out` already.
        if (start > copied && text[start - 1] != '\0' && !boundary(one.code)) {
            do
                --start;
            while (start > copied && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U);
        }
        std::size_t length = 0;
        std::size_t joined = 0;
        std::size_t most = 0;
        while (one.size != 0) {
            joined = boundary(one.code) ? 0 : joined + 1;
            most = std::max(most, joined);
            ++length;
            at += one.size;
            if (at == text.size() || text[at] == '\0') break;
            one = utf8::first(text.substr(at));
            if (one.size == 0 || plain(one.code) || (length >= piece_length && boundary(one.code))) break;
        }
        if (most > most_joined) continue;
        if (out.empty()) out.reserve(text.size());
        out += text.substr(copied, start - copied);
        append_normalised(out, text.substr(start, at - start));
        copied = at;
    }
    if (copied == 0) return utf8;
    out += text.substr(copied);
    return out;
}

}  // namespace sgl::hl7
