#include "config/csv.hpp"

#include "lib/base/text.hpp"

namespace sgl::config {

namespace {

constexpr std::size_t max_bytes = 16U << 20U;

Error at_line(unsigned line, std::string what) {
    return {Fault::malformed, "line " + std::to_string(line), std::move(what)};
}

/// One field from the front of `rest`, with the separator after it. False: a quote that is wrong.
bool take_field(std::string_view& rest, std::string& field, bool& more) {
    const auto begin = rest.find_first_not_of(" \t");
    field.clear();
    more = false;
    if (begin == std::string_view::npos || rest[begin] != '"') {
        const auto end = rest.find(';');
        field = std::string(trim(rest.substr(0, end)));
        if (field.find('"') != std::string::npos) return false;
        more = end != std::string_view::npos;
        rest.remove_prefix(more ? end + 1 : rest.size());
        return true;
    }
    rest.remove_prefix(begin + 1);
    for (;;) {
        const auto quote = rest.find('"');
        if (quote == std::string_view::npos) return false;
        field += rest.substr(0, quote);
        rest.remove_prefix(quote + 1);
        if (!rest.starts_with('"')) break;
        field += '"';
        rest.remove_prefix(1);
    }
    rest = rest.substr(std::min(rest.size(), rest.find_first_not_of(" \t")));
    if (rest.empty()) return true;
    if (rest.front() != ';') return false;
    more = true;
    rest.remove_prefix(1);
    return true;
}

}  // namespace

Result<std::vector<CsvRow>> parse_csv(std::string_view bytes) {
    if (bytes.size() > max_bytes) return Error{Fault::refused, "", "the file is larger than 16 MiB"};
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    std::vector<CsvRow> rows;
    unsigned number = 0;
    for (auto line : split(bytes, '\n')) {
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!is_utf8(line)) return at_line(number, "not UTF-8; save the file as UTF-8");
        const auto content = trim(line);
        if (content.empty() || content.front() == '#') continue;
        CsvRow row{number, {}};
        bool more = true;
        while (more) {
            std::string field;
            if (!take_field(line, field, more))
                return at_line(number, "a quotation mark that does not end, or stands inside a field without quotes");
            row.fields.push_back(std::move(field));
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace sgl::config
