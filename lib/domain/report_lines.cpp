#include "lib/domain/report_lines.hpp"

#include <algorithm>

namespace sgl::domain {

namespace {

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

std::string_view take_number(std::string_view& text) {
    const auto end = std::ranges::find_if_not(text, is_digit) - text.begin();
    auto number = text.substr(0, static_cast<std::size_t>(end));
    text.remove_prefix(number.size());
    number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
    return number;
}

ReportedChapter& chapter_of(std::vector<ReportedChapter>& chapters, const ReportedLine& line) {
    const auto found = std::ranges::find(chapters, line.chapter, &ReportedChapter::code);
    if (found != chapters.end()) return *found;
    auto& made = chapters.emplace_back();
    made.code = line.chapter;
    made.label = line.chapter_label;
    return made;
}

}  // namespace

ReportedResult named_alone(const ReportedLine& line, const std::vector<ReportedLine>& lines) {
    auto result = line.reported;
    if (line.isolate.empty()) return result;
    result.local_code = line.isolate + "/" + result.local_code;
    const auto organism = std::ranges::find_if(lines, [&](const ReportedLine& other) {
        return other.isolate == line.isolate && other.kind == ValueKind::organism;
    });
    if (line.kind != ValueKind::organism && organism != lines.end())
        result.label = to_french(organism->reported.value) + ", " + result.label;
    if (result.susceptible) {
        const std::string letter(to_string(*result.susceptible));
        const auto* quantity = std::get_if<Quantity>(&result.value);
        auto said =
            quantity == nullptr ? std::string() : to_french(result.value) + " " + french_unit(quantity->unit) + " ";
        result.value = Words{said + letter};
    }
    return result;
}

bool comes_before(std::string_view isolate, std::string_view other) {
    while (!isolate.empty() && !other.empty()) {
        if (is_digit(isolate.front()) && is_digit(other.front())) {
            const auto a = take_number(isolate);
            const auto b = take_number(other);
            if (a.size() != b.size()) return a.size() < b.size();
            if (a != b) return a < b;
            continue;
        }
        if (isolate.front() != other.front()) return isolate.front() < other.front();
        isolate.remove_prefix(1);
        other.remove_prefix(1);
    }
    return isolate.empty() && !other.empty();
}

std::vector<ReportedChapter> chapters_of(const std::vector<ReportedLine>& lines) {
    std::vector<ReportedChapter> chapters;
    std::vector<std::string_view> hidden;  // isolates that the prescriber should not see
    for (const auto& line : lines) {
        if (line.kind == ValueKind::organism && !line.isolate.empty() && !line.printed) hidden.push_back(line.isolate);
    }
    const auto shown = [&](const ReportedLine& line) {
        return line.printed && (line.isolate.empty() || std::ranges::find(hidden, line.isolate) == hidden.end());
    };
    const auto isolate_of = [&](const ReportedLine& line) -> ReportedIsolate& {
        for (auto& chapter : chapters) {
            const auto found = std::ranges::find(chapter.isolates, line.isolate, &ReportedIsolate::number);
            if (found != chapter.isolates.end()) return *found;
        }
        auto& made = chapter_of(chapters, line).isolates.emplace_back();
        made.number = line.isolate;
        made.organism.value = Words{};  // until a line names it
        return made;
    };
    // Organisms first: they say in which chapter.
    for (const auto& line : lines) {
        if (!shown(line)) continue;
        if (line.isolate.empty()) {
            chapter_of(chapters, line).results.push_back(line.reported);
        } else if (line.kind == ValueKind::organism) {
            auto& isolate = isolate_of(line);
            isolate.organism = line.reported;
            isolate.preliminary = line.preliminary;
        }
    }
    for (const auto& line : lines) {
        if (!shown(line) || line.isolate.empty() || line.kind == ValueKind::organism) continue;
        auto& isolate = isolate_of(line);
        (line.kind == ValueKind::antibiotic ? isolate.antibiogram : isolate.findings).push_back(line.reported);
    }
    for (auto& chapter : chapters) {
        std::ranges::stable_sort(chapter.isolates,
                                 [](const auto& a, const auto& b) { return comes_before(a.number, b.number); });
    }
    return chapters;
}

}  // namespace sgl::domain
