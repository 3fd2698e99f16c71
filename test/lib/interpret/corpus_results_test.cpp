// The public results messages against what somebody typed that they mean: corpus_results.txt, which says how to read
// it.
#include <algorithm>
#include <fstream>
#include <optional>

#include "hl7/framer.hpp"
#include "hl7/lines.hpp"
#include "lib/base/text.hpp"
#include "lib/interpret/results.hpp"
#include "test/hl7/shared.hpp"
#include "test/lib/interpret/samples.hpp"

namespace sgl::interpret {
namespace {

using Lines = std::vector<std::string>;

// ---- What was typed

struct Typed {
    std::string file;
    domain::Link link = test::analyser();
    std::vector<domain::Analyte> analytes;
    std::vector<Lines> messages{1};
};

Lines cells(std::string_view line, char separator = '|') {
    Lines cells;
    for (const auto cell : split(line, separator))
        cells.emplace_back(trim(cell));
    return cells;
}

std::string joined(const Lines& parts, std::string_view between) {
    std::string text;
    for (const auto& part : parts)
        text += (&part == parts.data() ? "" : std::string(between)) + part;
    return text;
}

/// A result as one line, whatever the blanks of the table.
std::string row(Lines cells) {
    while (!cells.empty() && cells.back().empty())
        cells.pop_back();
    return joined(cells, " | ");
}

/// False: no such setting.
bool set(domain::Link& link, const Lines& cells) {
    const auto& name = cells.at(0);
    const auto& value = cells.at(1);
    const auto cell = [&](std::size_t i) { return i < cells.size() ? cells[i] : std::string(); };
    if (name == "processing_id")
        link.processing_id = value;
    else if (name == "charset")
        link.charset = value;
    else if (name == "performing_laboratory")
        link.performing_laboratory = value;
    else if (name == "code_paths")
        link.code_paths = interpret::cells(value, ',');
    else if (name == "flag_paths")
        link.flag_paths = interpret::cells(value, ',');
    else if (name == "ignored_codes")
        link.ignored_codes = interpret::cells(value, ',');
    else if (name == "unit")
        link.units.push_back({value, cell(2)});
    else if (name == "code")
        link.codes.push_back({value, cell(2), cell(3),
                              cell(4).empty() ? std::nullopt : std::optional(Decimal::parse(cell(4)).value()),
                              cell(5)});
    else
        return false;
    return true;
}

domain::Analyte known(int id, const Lines& cells) {
    const auto kind = domain::value_kind_of(cells.at(2)).value();
    const bool coded = kind == domain::ValueKind::coded;
    auto analyte =
        test::analyte(id, cells.at(0), cells.at(1) == "-" ? "" : cells.at(1), coded ? "" : cells.at(3), kind);
    if (!coded) return analyte;
    for (const auto& answer : interpret::cells(cells.at(3), ';')) {
        const auto equals = answer.find('=');
        const auto blank = answer.find(' ', equals);
        analyte.answers.push_back({answer.substr(0, equals),
                                   {answer.substr(equals + 1, blank - equals - 1), "", answer.substr(blank + 1)},
                                   domain::Flag::none});
    }
    return analyte;
}

std::vector<Typed> typed_results(const std::filesystem::path& path) {
    std::vector<Typed> all;
    std::ifstream file(path);
    std::string line;
    std::string measured;
    for (int number = 1; std::getline(file, line); ++number) {
        const auto text = std::string(trim(line));
        if (text.empty() || text.starts_with('#')) continue;
        if (text.starts_with("== ")) {
            all.emplace_back();
            all.back().file = text.substr(3);
            continue;
        }
        if (all.empty()) throw std::runtime_error("a line before the first file");
        auto& typed = all.back();
        auto& message = typed.messages.back();
        if (text.starts_with("link ")) {
            if (!set(typed.link, cells(text.substr(5))))
                ADD_FAILURE() << path << ":" << number << ": a setting that nobody knows";
        } else if (text.starts_with("knows ")) {
            typed.analytes.push_back(known(static_cast<int>(typed.analytes.size()) + 1, cells(text.substr(6))));
        } else if (text == "message") {
            typed.messages.emplace_back();
        } else if (text.find('|') != std::string::npos && !text.starts_with("document ")) {
            auto result = cells(text);
            if (result.size() > 5 && result[5] == "\"")
                result[5] = measured;
            else
                measured = result.size() > 5 ? result[5] : std::string();
            message.push_back(row(std::move(result)));
        } else {
            message.push_back(text);
        }
    }
    return all;
}

// ---- What the program says

std::string shown(std::string text) {
    return replace_all(replace_all(std::move(text), "\n", "⏎"), "|", "¦");
}

/// `20240502081500+0200` as `2024-05-02 08:15:00 +0200`.
std::string moment(const std::string& hl7) {
    const auto end = std::min(hl7.find_first_of("+-"), hl7.size());
    std::string text;
    for (std::size_t i = 0; i < end; ++i) {
        if (i == 4 || i == 6) text += '-';
        if (i == 8) text += ' ';
        if (i == 10 || i == 12) text += ':';
        text += hl7[i];
    }
    return end == hl7.size() ? text : text + " " + hl7.substr(end);
}

Lines told(const domain::ReceivedResult& result, const domain::Catalogue& catalogue) {
    std::string code = result.code;
    if (result.analyte) {
        const auto& ours = catalogue.by_id(*result.analyte)->local_code;
        if (ours != code) code += " = " + ours;
    }
    std::string value;
    std::string unit;
    if (result.value) {
        if (const auto* quantity = std::get_if<domain::Quantity>(&*result.value)) {
            value = std::string(to_string(quantity->comparator)) + quantity->number.text();
            unit = quantity->unit;
        } else if (const auto* coded = std::get_if<domain::Coded>(&*result.value)) {
            value = coded->display + (coded->code.empty() ? "" : " (" + coded->code + ")");
        } else {
            value = std::get<domain::Words>(*result.value).text;
        }
    }
    Lines details;
    const auto add = [&](const std::string& name, const std::string& said) {
        if (!said.empty()) details.push_back(name + " " + shown(said));
    };
    const auto& detail = result.detail;
    if (result.held) details.emplace_back("held");
    add("run", result.run);
    add("isolate", result.isolate);
    if (detail.susceptible) add("answers", std::string(to_string(*detail.susceptible)));
    add("breakpoints", detail.breakpoints);
    add("dilution", detail.dilution);
    if (!detail.lots.empty()) add("lots", std::to_string(std::ranges::count(detail.lots, ';') + 1));
    add("on", detail.equipment);
    add("says", detail.interpretation);
    if (!detail.laboratory.empty()) add("laboratory", detail.laboratory + " (" + detail.laboratory_id + ")");
    add("method", detail.method);
    add("range", detail.reference_range);
    add("note", result.note);
    return {shown(code),          shown(value), unit, result.received_flags, result.status, moment(result.measured_at),
            joined(details, "; ")};
}

Lines told(const domain::Reading& reading, const domain::Catalogue& catalogue) {
    Lines lines;
    if (reading.quarantined) lines.emplace_back("quarantined");
    for (const auto& group : reading.groups) {
        lines.emplace_back(trim("order " + group.coordinate + ": " + joined(group.numbers, ", ")));
        for (const auto& result : group.results)
            lines.push_back(row(told(result, catalogue)));
        for (const auto& document : group.documents)
            lines.push_back("document " + document.code + " | " + document.title + " | " +
                            std::string(to_string(document.form)));
    }
    for (const auto& trouble : reading.troubles)
        lines.push_back("wait " + trouble.coordinate + " " + trouble.kind);
    return lines;
}

Lines told(const hl7::Message& message, const Typed& typed, const domain::Catalogue& catalogue) {
    auto refusal = admit(message, typed.link).refusal;
    if (!refusal) {
        const auto got = results(message, typed.link, catalogue);
        if (const auto* reading = std::get_if<domain::Reading>(&got)) return told(*reading, catalogue);
        refusal = std::get<Refusal>(got);
    }
    return {"refused " + refusal->answer + " " + refusal->coordinate};
}

/// The messages of results of a file of the corpus, taken out of their MLLP blocks where it has some.
std::vector<hl7::Message> messages_of(const std::string& bytes, const domain::Link& link) {
    std::vector<std::string> blocks;
    hl7::Framer framer;
    for (auto& event : framer.feed(bytes)) {
        if (event.kind == hl7::FramerEvent::Kind::block) blocks.push_back(std::move(event.bytes));
    }
    if (blocks.empty()) blocks.push_back(bytes);
    hl7::ParseOptions options;
    options.charset = hl7::parse_link_charset(link.charset).value();
    std::vector<hl7::Message> messages;
    for (const auto& block : blocks) {
        for (const auto& part : hl7::split_messages(block)) {
            auto message = hl7::Message::parse(std::string(part), options);
            if (message && (message->type() == "ORU" || message->type() == "OUL"))
                messages.push_back(std::move(*message));
        }
    }
    return messages;
}

/// In the order of the page; what waits is compared in no order.
Lines page(Lines lines) {
    const auto waits = std::stable_partition(lines.begin(), lines.end(),
                                             [](const std::string& line) { return !line.starts_with("wait "); });
    std::sort(waits, lines.end());
    return lines;
}

/// The lines that only one of them has.
std::string difference(const Lines& typed, const Lines& said) {
    std::string text = "\n";
    for (const auto& line : typed)
        if (std::ranges::find(said, line) == said.end()) text += "  typed    " + line + "\n";
    for (const auto& line : said)
        if (std::ranges::find(typed, line) == typed.end()) text += "  program  " + line + "\n";
    return text == "\n" ? "  the same lines, another order or number\n" : text;
}

TEST(Corpus, OfResultsSaysWhatSomebodyTyped) {
    const auto corpus = sgl::test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    const auto all = typed_results("test/lib/interpret/corpus_results.txt");
    std::size_t observations = 0;
    for (const auto& typed : all) {
        SCOPED_TRACE(typed.file);
        const domain::Catalogue catalogue(typed.analytes);
        const auto messages = messages_of(sgl::test::bytes_of(corpus / typed.file), typed.link);
        EXPECT_EQ(messages.size(), typed.messages.size());
        for (std::size_t i = 0; i < std::min(messages.size(), typed.messages.size()); ++i) {
            SCOPED_TRACE("message " + std::to_string(i + 1));
            const auto said = page(told(messages[i], typed, catalogue));
            const auto wanted = page(typed.messages[i]);
            EXPECT_TRUE(said == wanted) << difference(wanted, said);
            observations += messages[i].all("OBX").size();
        }
    }
    EXPECT_GE(all.size(), 90U);
    std::cout << all.size() << " files of results as typed, " << observations << " OBX\n";
}

}  // namespace
}  // namespace sgl::interpret
