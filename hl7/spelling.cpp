#include "hl7/spelling.hpp"

#include <array>
#include <utility>

namespace sgl::hl7 {

namespace {

using namespace std::string_view_literals;

constexpr std::array spellings{std::pair{"&lt;"sv, "<"sv},   std::pair{"&gt;"sv, ">"sv},   std::pair{"&le;"sv, "<="sv},
                               std::pair{"&ge;"sv, ">="sv},  std::pair{"≤"sv, "<="sv},     std::pair{"≥"sv, ">="sv},
                               std::pair{"⩽"sv, "<="sv},     std::pair{"⩾"sv, ">="sv},     std::pair{"’"sv, "'"sv},
                               std::pair{"\u2010"sv, "-"sv}, std::pair{"\u2011"sv, "-"sv}, std::pair{"\u2012"sv, "-"sv},
                               std::pair{"\u2013"sv, "-"sv}, std::pair{"\u2014"sv, "-"sv}, std::pair{"\u2015"sv, "-"sv},
                               std::pair{"\u2212"sv, "-"sv}, std::pair{"\u00a0"sv, " "sv}, std::pair{"\u00b7"sv, " "sv},
                               std::pair{"\u2007"sv, " "sv}, std::pair{"\u2009"sv, " "sv}, std::pair{"\u202f"sv, " "sv},
                               std::pair{"\t"sv, " "sv},     std::pair{"\r"sv, " "sv},     std::pair{"\n"sv, " "sv}};

}  // namespace

std::string normalised_spelling(std::string_view utf8) {
    std::string out;
    out.reserve(utf8.size());
    const auto put = [&](std::string_view text) {
        if (text == " " && (out.empty() || out.back() == ' ')) return;
        out += text;
    };
    while (!utf8.empty()) {
        const char c = utf8.front();
        std::size_t taken = 1;
        std::string_view written = utf8.substr(0, 1);
        if (c == '&' || static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x80) {
            for (const auto& [from, to] : spellings) {
                if (utf8.starts_with(from)) {
                    taken = from.size();
                    written = to;
                    break;
                }
            }
        }
        put(written);
        utf8.remove_prefix(taken);
    }
    while (!out.empty() && out.back() == ' ')
        out.pop_back();
    return out;
}

std::string lower_case(std::string_view utf8) {
    std::string out(utf8);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        if (byte >= 'A' && byte <= 'Z') out[i] = static_cast<char>(byte + 32);
        // U+00C0 to U+00DE (À to Þ, × aside) stand 32 below their small letter.
        if (byte == 0xC3 && i + 1 < out.size()) {
            const auto next = static_cast<unsigned char>(out[i + 1]);
            if (next >= 0x80 && next <= 0x9E && next != 0x97) out[i + 1] = static_cast<char>(next + 32);
        }
    }
    return out;
}

}  // namespace sgl::hl7
