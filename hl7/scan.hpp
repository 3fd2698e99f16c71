// Looking through the bytes of a message, 16 at a time where the processor can. Internal to this room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sgl::hl7 {

/// What a text is made of, in one pass.
struct Survey {
    std::size_t separators{};
    std::size_t carriage_returns{};
    std::size_t line_feeds{};
    bool high{};     ///< bytes outside ASCII
    bool control{};  ///< C0 controls other than TAB, LF, CR
};

inline void survey_byte(Survey& seen, char c, char separator) {
    const auto byte = static_cast<unsigned char>(c);
    seen.separators += c == separator ? 1 : 0;
    seen.carriage_returns += c == '\r' ? 1 : 0;
    seen.line_feeds += c == '\n' ? 1 : 0;
    seen.high = seen.high || byte >= 0x80;
    seen.control = seen.control || (byte < 0x20 && c != '\t' && c != '\n' && c != '\r');
}

inline Survey survey(std::string_view text, char separator) {
    Survey seen;
    const char* at = text.data();
    const char* const end = at + text.size();
#if defined(__SSE2__)
    const auto zero = _mm_setzero_si128();
    const auto sum = [&](__m128i counts) {
        const auto halves = _mm_sad_epu8(counts, zero);
        return static_cast<std::size_t>(_mm_cvtsi128_si64(halves)) +
               static_cast<std::size_t>(_mm_cvtsi128_si64(_mm_srli_si128(halves, 8)));
    };
    auto any = zero;
    auto controls = zero;
    while (end - at >= 16) {
        auto separators = zero;
        auto returns = zero;
        auto feeds = zero;
        // The counters are bytes: at most 255 rounds between two sums.
        for (auto rounds = std::min<std::ptrdiff_t>((end - at) / 16, 255); rounds > 0; --rounds, at += 16) {
            const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
            const auto cr = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'));
            const auto lf = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'));
            separators = _mm_sub_epi8(separators, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(separator)));
            returns = _mm_sub_epi8(returns, cr);
            feeds = _mm_sub_epi8(feeds, lf);
            any = _mm_or_si128(any, bytes);
            const auto low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
            const auto allowed = _mm_or_si128(_mm_or_si128(cr, lf), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
            controls = _mm_or_si128(controls, _mm_andnot_si128(allowed, low));
        }
        seen.separators += sum(separators);
        seen.carriage_returns += sum(returns);
        seen.line_feeds += sum(feeds);
    }
    seen.high = _mm_movemask_epi8(any) != 0;
    seen.control = _mm_movemask_epi8(controls) != 0;
#endif
    for (; at != end; ++at)
        survey_byte(seen, *at, separator);
    return seen;
}

/// How often the character is in the text.
inline std::size_t count_of(std::string_view text, char c) {
    return survey(text, c).separators;
}

/// Where the number-th of that character is, from 1, else the end. The 16 bytes read at once may go beyond the end, up
/// to `readable_end`.
inline const char* nth(const char* at, const char* end, [[maybe_unused]] const char* readable_end, char c,
                       std::size_t number) {
#if defined(__SSE2__)
    const auto wanted = _mm_set1_epi8(c);
    for (; at < end && readable_end - at >= 16; at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted)));
        for (; mask != 0; mask &= mask - 1) {
            if (--number == 0) return std::min(at + __builtin_ctz(mask), end);
        }
    }
#endif
    for (; at < end; ++at) {
        if (*at == c && --number == 0) return at;
    }
    return end;
}

/// Calls found(address) for every byte that is one of four, in order; reads at most up to `readable_end`.
template <class Found>
void for_each_of(std::string_view text, [[maybe_unused]] const char* readable_end, char a, char b, char c, char d,
                 Found found) {
    const char* at = text.data();
    const char* const end = at + text.size();
#if defined(__SSE2__)
    const auto wanted_a = _mm_set1_epi8(a);
    const auto wanted_b = _mm_set1_epi8(b);
    const auto wanted_c = _mm_set1_epi8(c);
    const auto wanted_d = _mm_set1_epi8(d);
    for (; at < end && readable_end - at >= 16; at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const auto hits = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, wanted_a), _mm_cmpeq_epi8(bytes, wanted_b)),
                                       _mm_or_si128(_mm_cmpeq_epi8(bytes, wanted_c), _mm_cmpeq_epi8(bytes, wanted_d)));
        auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits));
        if (end - at < 16) mask &= (1U << static_cast<unsigned>(end - at)) - 1;
        for (; mask != 0; mask &= mask - 1)
            found(at + __builtin_ctz(mask));
    }
#endif
    for (; at < end; ++at) {
        if (*at == a || *at == b || *at == c || *at == d) found(at);
    }
}

template <class Found>
void for_each_of(std::string_view text, const char* readable_end, char c, Found found) {
    for_each_of(text, readable_end, c, c, c, c, found);
}

/// In place, from one character to another.
inline void replace_byte(char* at, std::size_t size, char from, char to) {
    const char* const end = at + size;
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        auto* const place = reinterpret_cast<__m128i*>(at);
        const auto bytes = _mm_loadu_si128(place);
        const auto hits = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(from));
        _mm_storeu_si128(place, _mm_or_si128(_mm_andnot_si128(hits, bytes), _mm_and_si128(hits, _mm_set1_epi8(to))));
    }
#endif
    for (; at != end; ++at) {
        if (*at == from) *at = to;
    }
}

/// Where the first of the two is, else the end.
inline const char* find_either(const char* at, const char* end, char a, char b) {
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const auto hits =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(a)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b)));
        if (const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits)); mask != 0)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at != end && *at != a && *at != b)
        ++at;
    return at;
}

/// Where the character is, else the end: most pieces of a message are a few bytes long.
inline const char* find_near(const char* at, const char* end, char c) {
    const char* const near = end - at > 16 ? at + 16 : end;
    for (; at != near; ++at) {
        if (*at == c) return at;
    }
    if (at == end) return end;
    const void* const found = std::memchr(at, c, static_cast<std::size_t>(end - at));
    return found == nullptr ? end : static_cast<const char*>(found);
}

}  // namespace sgl::hl7
