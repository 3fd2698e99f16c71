#include "hl7/batch.hpp"

#include <charconv>
#include <optional>

#include "hl7/lines.hpp"
#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace {

/// Fields of an envelope segment: fields[n] is field n; FHS and BHS count like MSH.
std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    if (line.size() < 4) return {line};
    const char separator = line[3];
    for (const auto part : split(line, separator))
        fields.push_back(part);
    if (line.starts_with("FHS") || line.starts_with("BHS")) fields.insert(fields.begin() + 1, line.substr(3, 1));
    return fields;
}

/// The number at the beginning of field 1; nothing when there is none to compare.
std::optional<std::size_t> count_of(std::string_view line) {
    const auto fields = fields_of(line);
    if (fields.size() < 2) return std::nullopt;
    const auto text = trim(fields[1]);
    std::size_t count = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    return count;
}

class Counter {
public:
    explicit Counter(Batch& batch) : batch_(batch) {}

    void line(std::string_view line) {
        const auto id = line.substr(0, 3);
        if (id == "FHS") {
            batch_.envelope = true;
            batches_ = 0;
        } else if (id == "BHS") {
            batch_.envelope = true;
            messages_ = 0;
            ++batches_;
            const auto fields = fields_of(line);
            if (batch_.control_id.empty() && fields.size() > 11) batch_.control_id = std::string(trim(fields[11]));
        } else if (id == "MSH") {
            ++messages_;
        } else if (id == "BTS") {
            check(line, ++trailers_, messages_, "BTS");
            messages_ = 0;
        } else if (id == "FTS") {
            check(line, ++file_trailers_, batches_, "FTS");
        }
    }

private:
    void check(std::string_view line, std::size_t ordinal, std::size_t found, std::string_view name) {
        const auto said = count_of(line);
        if (!said || *said == found) return;
        std::string where(name);
        if (ordinal > 1) where += "[" + std::to_string(ordinal) + "]";
        batch_.wrong_counts.push_back(where + "-1");
    }

    Batch& batch_;
    std::size_t messages_{};
    std::size_t batches_{};
    std::size_t trailers_{};
    std::size_t file_trailers_{};
};

}  // namespace

Batch read_batch(std::string_view block) {
    Batch batch;
    batch.messages = split_messages(block);
    // The common case, one plain message, is seen without looking at its lines.
    const bool named = block.find("BHS") != std::string_view::npos || block.find("FHS") != std::string_view::npos;
    if (!named && batch.messages.size() <= 1) return batch;
    Counter counter(batch);
    char separator = '\0';
    for (std::size_t at = 0; at < block.size();) {
        const auto end = std::min(block.find_first_of("\r\n", at), block.size());
        auto line = block.substr(at, end - at);
        at = end + 1;
        while (!line.empty() && (line.front() == ' ' || line.front() == '\t'))
            line.remove_prefix(1);
        if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
        const auto id = line.substr(0, 3);
        const bool header = id == "MSH" || id == "FHS" || id == "BHS";
        if (header && line.size() > 3 && separator == '\0') separator = line[3];
        if (separator != '\0' && (header || id == "BTS" || id == "FTS") && starts_segment(line, separator))
            counter.line(line);
    }
    return batch;
}

std::string batch_answer(const Batch& incoming, std::span<const std::string> answers, const AnswerContext& context) {
    const auto plain = [](std::string text) {
        for (const char special : std::string_view("|^~\\&\r\n"))
            std::erase(text, special);
        return text;
    };
    std::string out = "BHS|^~\\&|" + plain(context.sending_application) + '|' + plain(context.sending_facility) +
                      "|||" + to_hl7(context.time) + "||||" + plain(context.control_id) + '|' + incoming.control_id +
                      '\r';
    for (const auto& answer : answers) {
        out += answer;
        if (!answer.empty() && answer.back() != '\r') out += '\r';
    }
    out += "BTS|" + std::to_string(answers.size()) + '\r';
    return out;
}

}  // namespace sgl::hl7
