#include "hl7/range.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "hl7/spelling.hpp"
#include "hl7/values.hpp"
#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace {

using Kind = ReferenceRange::Kind;

bool digit(char c) {
    return c >= '0' && c <= '9';
}
bool ascii_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool letter(char c) {
    return ascii_letter(c) || static_cast<unsigned char>(c) >= 0x80;
}

ReferenceRange text_because(std::string_view why) {
    ReferenceRange range;
    range.kind = Kind::text;
    range.why = why;
    return range;
}

struct Word {
    std::string_view text;
    char meaning;
};

// What stands before or between the numbers, lower case. '{' is <=, '}' is >=. A space in the table is one or no space
// in front of punctuation; longer forms first.
constexpr std::array comparators{Word{"inférieures ou égales à", '{'},
                                 Word{"inférieure ou égale à", '{'},
                                 Word{"inférieurs ou égaux à", '{'},
                                 Word{"inférieur ou égal à", '{'},
                                 Word{"inf. ou égal à", '{'},
                                 Word{"inf ou égal à", '{'},
                                 Word{"< ou =", '{'},
                                 Word{"<ou=", '{'},
                                 Word{"< ou=", '{'},
                                 Word{"<ou =", '{'},
                                 Word{"<=", '{'},
                                 Word{"=<", '{'},
                                 Word{"jusqu'au", '{'},
                                 Word{"jusqu'à", '{'},
                                 Word{"jusqu' à", '{'},
                                 Word{"jusqu à", '{'},
                                 Word{"jusquà", '{'},
                                 Word{"up to", '{'},
                                 Word{"maximum", '{'},
                                 Word{"max.", '{'},
                                 Word{"max", '{'},
                                 Word{"au plus", '{'},
                                 Word{"supérieures ou égales à", '}'},
                                 Word{"supérieure ou égale à", '}'},
                                 Word{"supérieur ou égal à", '}'},
                                 Word{"sup. ou égal à", '}'},
                                 Word{"sup ou égal à", '}'},
                                 Word{"> ou =", '}'},
                                 Word{">ou=", '}'},
                                 Word{"> ou=", '}'},
                                 Word{">ou =", '}'},
                                 Word{">=", '}'},
                                 Word{"=>", '}'},
                                 Word{"minimum", '}'},
                                 Word{"min.", '}'},
                                 Word{"min", '}'},
                                 Word{"au moins", '}'},
                                 Word{"à partir de", '}'},
                                 Word{"from", '}'},
                                 Word{"inférieures à", '<'},
                                 Word{"inférieure à", '<'},
                                 Word{"inférieurs à", '<'},
                                 Word{"inférieur à", '<'},
                                 Word{"inf. à", '<'},
                                 Word{"inf à", '<'},
                                 Word{"inf.", '<'},
                                 Word{"inf", '<'},
                                 Word{"moins de", '<'},
                                 Word{"less than", '<'},
                                 Word{"below", '<'},
                                 Word{"<", '<'},
                                 Word{"supérieures à", '>'},
                                 Word{"supérieure à", '>'},
                                 Word{"supérieurs à", '>'},
                                 Word{"supérieur à", '>'},
                                 Word{"sup. à", '>'},
                                 Word{"sup à", '>'},
                                 Word{"sup.", '>'},
                                 Word{"sup", '>'},
                                 Word{"plus de", '>'},
                                 Word{"greater than", '>'},
                                 Word{"more than", '>'},
                                 Word{"above", '>'},
                                 Word{">", '>'}};

constexpr std::array after_words{Word{"ou moins", '{'}, Word{"et moins", '{'}, Word{"or less", '{'},
                                 Word{"ou plus", '}'},  Word{"et plus", '}'},  Word{"or more", '}'}};

constexpr std::array<std::string_view, 15> labels = {"normales", "normale",    "normes",  "norme",  "normal",
                                                     "norm",     "usuelles",   "usuelle", "usuel",  "valeurs",
                                                     "valeur",   "intervalle", "range",   "limits", "limites"};
constexpr std::array<std::string_view, 12> short_labels = {
    "références", "référence", "references", "reference", "réf", "ref", "vn", "vr", "de", "n", "", ""};

struct Sex {
    std::string_view word;
    char sex;
};
constexpr std::array sexes{Sex{"masculin", 'M'}, Sex{"féminin", 'F'}, Sex{"females", 'F'}, Sex{"female", 'F'},
                           Sex{"femmes", 'F'},   Sex{"hommes", 'M'},  Sex{"garçon", 'M'},  Sex{"femme", 'F'},
                           Sex{"homme", 'M'},    Sex{"males", 'M'},   Sex{"women", 'F'},   Sex{"fille", 'F'},
                           Sex{"male", 'M'},     Sex{"men", 'M'},     Sex{"h", 'M'},       Sex{"m", 'M'},
                           Sex{"f", 'F'}};

/// One attempt to read a range: a place in the text that only moves on.
class Scanner {
public:
    Scanner(std::string_view text, std::string_view lower, bool groups) : text_(text), lower_(lower), groups_(groups) {}

    void spaces() {
        while (at_ < text_.size() && text_[at_] == ' ')
            ++at_;
    }
    bool end() const { return at_ == text_.size(); }
    std::string_view rest() const { return text_.substr(at_); }

    bool take(std::string_view word) {
        if (!lower_.substr(at_).starts_with(word)) return false;
        at_ += word.size();
        return true;
    }

    char take_word(std::span<const Word> words) {
        for (const auto& word : words) {
            if (take(word.text)) return word.meaning;
        }
        return '\0';
    }

    char take_one_of(std::string_view characters) {
        if (end() || characters.find(text_[at_]) == std::string_view::npos) return '\0';
        return text_[at_++];
    }

    /// num of the grammar, as written.
    std::optional<std::string_view> number(bool decimal_comma = true) {
        const auto start = at_;
        auto at = at_;
        const auto digits = [&] {
            const auto from = at;
            while (at < text_.size() && digit(text_[at]))
                ++at;
            return at - from;
        };
        if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
        const auto whole = digits();
        if (groups_ && whole >= 1 && whole <= 3) {
            while (at + 3 < text_.size() && (text_[at] == ' ' || text_[at] == '\'') && digit(text_[at + 1]) &&
                   digit(text_[at + 2]) && digit(text_[at + 3])) {
                at += 4;
            }
        }
        bool fraction = false;
        if (at + 1 < text_.size() && (text_[at] == '.' || (text_[at] == ',' && decimal_comma)) &&
            digit(text_[at + 1])) {
            ++at;
            digits();
            fraction = true;
        }
        if (whole == 0 && !fraction) return std::nullopt;
        if (at < text_.size() && (text_[at] == 'e' || text_[at] == 'E')) {
            auto exponent = at + 1;
            if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
            if (exponent < text_.size() && digit(text_[exponent])) {
                at = exponent;
                digits();
            }
        }
        at_ = at;
        return text_.substr(start, at - start);
    }

    bool separator() {
        spaces();
        // A word needs what follows it apart: `3 a 5`, not `3 a5`.
        for (const std::string_view word : {"a ", "et ", "and "}) {
            if (take(word)) return spaces(), true;
        }
        for (const std::string_view word : {"...", "..", "-", "à", "to", "au", ";", "_", "~", "^"}) {
            if (take(word)) return spaces(), true;
        }
        return false;
    }

    /// The unit at the end, possibly none; nothing when what is left cannot be one.
    std::optional<std::string> unit() {
        spaces();
        const auto left = rest();
        if (left.empty()) return std::string{};
        if (left.find_first_of("<>=;:,") != std::string_view::npos) return std::nullopt;
        const bool ten = power_of_ten(left);
        const bool symbol =
            left.starts_with("µ") || left.starts_with("μ") || left.starts_with("°") || left.starts_with("‰");
        if (!ten && !symbol && !ascii_letter(left.front()) &&
            std::string_view("%/{[(").find(left.front()) == std::string_view::npos)
            return std::nullopt;
        return std::string(left);
    }

private:
    // 10*9/L, x 10^9/L
    static bool power_of_ten(std::string_view text) {
        const auto blanks = [&] {
            if (text.starts_with(' ')) text.remove_prefix(1);
        };
        if (text.starts_with('x') || text.starts_with('X')) {
            text.remove_prefix(1);
            blanks();
        }
        if (!text.starts_with("10")) return false;
        text.remove_prefix(2);
        blanks();
        if (!text.starts_with('*') && !text.starts_with('^')) return false;
        text.remove_prefix(1);
        blanks();
        const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
        if (digits == 0) return false;
        text.remove_prefix(digits);
        blanks();
        return text.starts_with('/');
    }

    std::string_view text_;
    std::string_view lower_;
    bool groups_;
    std::size_t at_{};
};

class RangeReader {
public:
    explicit RangeReader(const RangeOptions& options) : options_(options) {}

    /// core of the grammar; nothing when the text is no range.
    std::optional<ReferenceRange> read(std::string_view text) {
        text = trim(text);
        const auto lower = lower_case(text);
        for (const bool groups : {true, false}) {
            for (const auto form :
                 {&RangeReader::breakpoints, &RangeReader::bracket, &RangeReader::bracket_with_comma}) {
                if (auto range = (this->*form)(Scanner(text, lower, groups))) return range;
            }
        }
        std::string_view inner = text;
        while (inner.size() > 1 &&
               ((inner.front() == '(' && inner.back() == ')') || (inner.front() == '[' && inner.back() == ']'))) {
            inner = trim(inner.substr(1, inner.size() - 2));
        }
        const auto inner_lower = lower_case(inner);
        for (const bool groups : {true, false}) {
            for (const auto form : {&RangeReader::two_comparisons, &RangeReader::comparison,
                                    &RangeReader::number_then_words, &RangeReader::two_numbers}) {
                if (auto range = (this->*form)(Scanner(inner, inner_lower, groups))) return range;
            }
        }
        return std::nullopt;
    }

    bool is_number(std::string_view text) const {
        const auto lower = lower_case(text);
        Scanner s(text, lower, true);
        return s.number() && s.end();
    }

private:
    using Found = std::optional<ReferenceRange>;

    /// The decimal value of a number as written; false (and ambiguous_ or unreadable_ set) when it has none for sure.
    bool value(std::string_view written, Decimal& out) {
        std::string plain;
        for (const char c : written) {
            if (c != ' ' && c != '\'') plain += c;
        }
        const auto comma = plain.find(',');
        if (comma != std::string::npos) {
            const auto fraction = plain.substr(comma + 1, plain.find_first_of("eE", comma) - comma - 1);
            auto whole = plain.substr(0, comma);
            std::erase_if(whole, [](char c) { return c == '+' || c == '-'; });
            if (!options_.comma_is_decimal && fraction.size() == 3 && !whole.empty() && whole != "0") {
                problem_ = "comma followed by three digits";
                return false;
            }
            plain[comma] = '.';
        }
        const auto sign = plain.find_first_not_of("+-");
        if (plain[sign] == '.') plain.insert(sign, 1, '0');
        if (auto parsed = read_number(plain)) {
            out = std::move(parsed->value);
            return true;
        }
        problem_ = "not a plain decimal number";
        return false;
    }

    Found problem() const { return text_because(problem_); }

    static bool set(ReferenceRange& range, char comparator, const Decimal& limit) {
        const bool upper = comparator == '<' || comparator == '{';
        auto& side = upper ? range.high : range.low;
        if (side) return false;
        side = RangeLimit{limit, comparator == '{' || comparator == '}'};
        return true;
    }

    static Found finished(ReferenceRange range, std::string unit) {
        range.kind = Kind::interval;
        range.unit = std::string(trim(unit));
        if (range.low && range.high && range.low->value > range.high->value) return text_because("low above high");
        return range;
    }

    // S<=1;R>2
    Found breakpoints(Scanner s) {
        if (!s.take("s")) return std::nullopt;
        s.spaces();
        if (!s.take("<")) return std::nullopt;
        s.take("=");
        s.spaces();
        const auto low = s.number();
        if (!low) return std::nullopt;
        const bool spaced = s.rest().starts_with(' ');
        s.spaces();
        if (s.take_one_of(";,/") == '\0' && !spaced) return std::nullopt;
        s.spaces();
        if (!s.take("r")) return std::nullopt;
        s.spaces();
        if (!s.take(">")) return std::nullopt;
        const bool included = s.take("=");
        s.spaces();
        const auto high = s.number();
        if (!high || !s.end()) return std::nullopt;
        ReferenceRange range;
        range.kind = Kind::breakpoints;
        Decimal sensitive;
        Decimal resistant;
        if (!value(*low, sensitive) || !value(*high, resistant)) return problem();
        range.low = RangeLimit{sensitive, true};
        range.high = RangeLimit{resistant, included};
        return range;
    }

    // [3,5 ; 5,0[
    Found bracket(Scanner s) { return bracket_of(s, true); }
    // [0,120]: the comma between the two, when nothing else is
    Found bracket_with_comma(Scanner s) { return bracket_of(s, false); }

    Found bracket_of(Scanner s, bool decimal_comma) {
        const char open = s.take_one_of("[](");
        if (open == '\0') return std::nullopt;
        s.spaces();
        const auto low = s.number(decimal_comma);
        if (!low) return std::nullopt;
        s.spaces();
        if (s.take_one_of("-;,") == '\0' && !s.take("à") && !s.take("to")) return std::nullopt;
        s.spaces();
        const auto high = s.number(decimal_comma);
        if (!high) return std::nullopt;
        s.spaces();
        const char close = s.take_one_of("[])");
        if (close == '\0') return std::nullopt;
        auto unit = s.unit();
        if (!unit) return std::nullopt;
        const bool round = open == '(' && close == ')';
        ReferenceRange range;
        Decimal from;
        Decimal to;
        if (!value(*low, from) || !value(*high, to)) return problem();
        range.low = RangeLimit{from, open == '[' || round};
        range.high = RangeLimit{to, close == ']' || round};
        return finished(std::move(range), std::move(*unit));
    }

    // > 3,5 et < 5,0
    Found two_comparisons(Scanner s) {
        const char first = s.take_word(comparators);
        if (first == '\0') return std::nullopt;
        s.spaces();
        const auto a = s.number();
        if (!a) return std::nullopt;
        s.spaces();
        for (const std::string_view word : {"et", "and", "-", "à", ";", ","}) {
            if (s.take(word)) break;
        }
        s.spaces();
        const char second = s.take_word(comparators);
        if (second == '\0') return std::nullopt;
        s.spaces();
        const auto b = s.number();
        if (!b) return std::nullopt;
        auto unit = s.unit();
        if (!unit) return std::nullopt;
        ReferenceRange range;
        Decimal one;
        Decimal two;
        const bool first_upper = first == '<' || first == '{';
        const bool second_upper = second == '<' || second == '{';
        if (first_upper == second_upper) return text_because("two bounds on one side");
        if (!value(*a, one) || !value(*b, two)) return problem();
        set(range, first, one);
        set(range, second, two);
        return finished(std::move(range), std::move(*unit));
    }

    // < 5 mg/L
    Found comparison(Scanner s) {
        const char comparator = s.take_word(comparators);
        if (comparator == '\0') return std::nullopt;
        s.spaces();
        const auto number = s.number();
        if (!number) return std::nullopt;
        auto unit = s.unit();
        if (!unit) return std::nullopt;
        Decimal limit;
        if (!value(*number, limit)) return problem();
        ReferenceRange range;
        set(range, comparator, limit);
        return finished(std::move(range), std::move(*unit));
    }

    // 10 ou plus
    Found number_then_words(Scanner s) {
        const auto number = s.number();
        if (!number) return std::nullopt;
        s.spaces();
        const char comparator = s.take_word(after_words);
        if (comparator == '\0' || !s.end()) return std::nullopt;
        Decimal limit;
        if (!value(*number, limit)) return problem();
        ReferenceRange range;
        set(range, comparator, limit);
        return finished(std::move(range), {});
    }

    // entre 3,5 et 5,0 mmol/L
    Found two_numbers(Scanner s) {
        for (const std::string_view word : {"entre ", "between ", "de ", "from "}) {
            if (s.take(word)) break;
        }
        s.spaces();
        const auto low = s.number();
        if (!low || !s.separator()) return std::nullopt;
        const auto high = s.number();
        if (!high) return std::nullopt;
        auto unit = s.unit();
        if (!unit) return std::nullopt;
        ReferenceRange range;
        Decimal from;
        Decimal to;
        if (!value(*low, from) || !value(*high, to)) return problem();
        range.low = RangeLimit{from, true};
        range.high = RangeLimit{to, true};
        return finished(std::move(range), std::move(*unit));
    }

    RangeOptions options_;
    std::string_view problem_;
};

bool says_nothing(std::string_view text) {
    const auto lower = lower_case(text);
    constexpr std::array<std::string_view, 14> nothing = {"",     "-", "--", "---", "n/a", "na",   "nd",
                                                          "\"\"", ".", "..", "*",   "***", "null", "s/o"};
    return std::find(nothing.begin(), nothing.end(), lower) != nothing.end() || lower == "so";
}

/// `N : `, `Valeurs de référence : ` at the start; what follows, or the text itself when there is no label.
std::string_view without_label(std::string_view text) {
    const auto lower = lower_case(text);
    const std::string_view low = lower;
    const auto punctuation = [&](std::size_t at) {
        while (at < text.size() && text[at] == ' ')
            ++at;
        if (at < text.size() && (text[at] == ':' || text[at] == '=')) return at + 1;
        return std::string_view::npos;
    };
    if (low.starts_with('n')) {
        if (const auto after = punctuation(1); after != std::string_view::npos) return trim(text.substr(after));
    }
    std::size_t at = 0;
    for (bool found = true; found;) {
        found = false;
        const auto word_at = [&](std::string_view word) {
            if (found || word.empty() || !low.substr(at).starts_with(word)) return;
            auto next = at + word.size();
            if (next < text.size() && (letter(text[next]) || digit(text[next]) || text[next] == '_')) return;
            if (next < text.size() && text[next] == '.') ++next;
            while (next < text.size() && text[next] == ' ')
                ++next;
            at = next;
            found = true;
        };
        for (const auto word : labels)
            word_at(word);
        for (const auto word : short_labels)
            word_at(word);
    }
    if (at == 0) return text;
    if (const auto after = punctuation(at); after != std::string_view::npos) at = after;
    return trim(text.substr(std::min(at, text.size())));
}

struct SexPart {
    std::size_t start{};    ///< of the word
    std::size_t content{};  ///< after its colon
    std::size_t length{};   ///< of the word
    char sex{};
};

std::vector<SexPart> sex_parts(std::string_view text) {
    std::vector<SexPart> parts;
    const auto lower = lower_case(text);
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (at != 0 && std::string_view(" ;,/|").find(text[at - 1]) == std::string_view::npos) continue;
        for (const auto& [word, sex] : sexes) {
            if (!std::string_view(lower).substr(at).starts_with(word)) continue;
            auto next = at + word.size();
            while (next < text.size() && text[next] == ' ')
                ++next;
            if (next == text.size() || (text[next] != ':' && text[next] != '=')) continue;
            parts.push_back({at, next + 1, word.size(), sex});
            at = next;
            break;
        }
    }
    return parts;
}

}  // namespace

ReferenceRange read_range(std::string_view text, const RangeOptions& options) {
    auto spelled = normalised_spelling(text);
    RangeReader reader(options);
    if (const auto amp = spelled.find('&'); amp != std::string::npos &&
                                            reader.is_number(std::string_view(spelled).substr(0, amp)) &&
                                            reader.is_number(std::string_view(spelled).substr(amp + 1))) {
        spelled[amp] = '^';
    }
    // Components of an OBX-7 that should have been one text; `10^9/L` in a unit is none.
    if (spelled.find('^') != std::string::npos) {
        const auto power = [&] {
            for (auto at = spelled.find('^'); at != std::string::npos; at = spelled.find('^', at + 1)) {
                auto before = trim(std::string_view(spelled).substr(0, at));
                auto after = trim(std::string_view(spelled).substr(at + 1));
                if (before.ends_with("10") && !after.empty() && digit(after.front())) return true;
            }
            return false;
        };
        if (!power()) {
            std::vector<std::string> valued;
            const auto all = split(spelled, '^');
            for (const auto part : all) {
                if (!trim(part).empty()) valued.emplace_back(trim(part));
            }
            if (all.size() == 2 && valued.size() == 2 && reader.is_number(valued[0]) && reader.is_number(valued[1])) {
                spelled = valued[0] + " ^ " + valued[1];
            } else if (valued.size() == 1) {
                spelled = valued[0];
            } else {
                return text_because("components");
            }
        }
    }
    if (says_nothing(spelled)) return {};
    const std::string_view whole = spelled;
    const auto parts = sex_parts(whole);
    if (parts.size() == 1 && parts[0].start == 0 && parts[0].length > 1) {
        auto range = reader.read(whole.substr(parts[0].content));
        if (range && range->kind == Kind::interval) {
            if (options.sex != parts[0].sex) return text_because("depends on sex");
            range->sex = options.sex;
            return std::move(*range);
        }
    }
    const auto has = [&](char sex) {
        return std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return part.sex == sex; });
    };
    if (parts.size() >= 2 && has('M') && has('F')) {
        auto before = whole.substr(0, parts[0].start);
        while (!before.empty() && std::string_view(" :;,").find(before.back()) != std::string_view::npos)
            before.remove_suffix(1);
        while (!before.empty() && std::string_view(" :;,").find(before.front()) != std::string_view::npos)
            before.remove_prefix(1);
        if (before.empty() || before == "N" || before == "Normes" || before == "VN" || before == "Normales") {
            for (std::size_t i = 0; i < parts.size() && options.sex != '\0'; ++i) {
                if (parts[i].sex != options.sex) continue;
                const auto end = i + 1 < parts.size() ? parts[i + 1].start : whole.size();
                auto line = whole.substr(parts[i].content, end - parts[i].content);
                while (!line.empty() && std::string_view(" ;,/|").find(line.back()) != std::string_view::npos)
                    line.remove_suffix(1);
                auto range = reader.read(line);
                if (range && range->kind == Kind::interval) {
                    range->sex = options.sex;
                    return std::move(*range);
                }
            }
            return text_because("depends on sex");
        }
    }
    if (auto range = reader.read(whole)) return std::move(*range);
    const auto bare = without_label(whole);
    if (bare.size() != whole.size() && !bare.empty()) {
        if (says_nothing(bare)) return {};
        if (auto range = reader.read(bare)) return std::move(*range);
    }
    return text_because("not a range");
}

}  // namespace sgl::hl7
