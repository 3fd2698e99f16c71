#include "test/golden/conversation.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace sgl::golden {

namespace {

/// The field of an ER7 line, from 0, replaced by `*` when it says something. MSH-n is the field n-1: MSH-1 is the
/// separator itself.
void blank(std::string& line, std::size_t field) {
    const char separator = line.at(3);
    std::size_t at = 0;
    for (std::size_t i = 0; i < field; ++i) {
        at = line.find(separator, at);
        if (at == std::string::npos) return;
        ++at;
    }
    const auto end = std::min(line.find(separator, at), line.size());
    if (end > at) line.replace(at, end - at, "*");
}

}  // namespace

std::vector<Step> read_steps(const std::string& text) {
    std::vector<Step> steps;
    Step current;
    const auto finish = [&] {
        if (!current.block.empty()) steps.push_back(std::move(current));
        current = Step{};
    };
    std::istringstream in(text);
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty()) {
            finish();
        } else if (line.front() == '@') {
            finish();
            std::istringstream words(line.substr(1));
            current.act.assign(std::istream_iterator<std::string>(words), std::istream_iterator<std::string>());
            current.line = number;
            if (current.act.empty()) throw std::runtime_error("line " + std::to_string(number) + ": no act after @");
            steps.push_back(std::move(current));
            current = Step{};
        } else if (line.front() != '#') {
            if (current.block.empty()) current.line = number;
            current.block += line + '\r';
        }
    }
    finish();
    return steps;
}

std::string readable(const std::string& message) {
    std::string text;
    std::istringstream in(message);
    for (std::string line; std::getline(in, line, '\r');) {
        if (line.empty() || line == "\n") continue;
        if (line.starts_with("MSH") || line.starts_with("BHS") || line.starts_with("FHS")) {
            if (line.starts_with("MSH") && !text.empty()) text += '\n';
            blank(line, 6);
            blank(line, line.starts_with("MSH") ? 9 : 10);
        }
        text += line + '\n';
    }
    return text;
}

std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    if (!out.flush()) throw std::runtime_error("can't write " + path.string());
}

std::vector<std::string> cases_in(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    if (!std::filesystem::exists(folder)) return names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (std::filesystem::exists(entry.path() / "in.hl7")) names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

}  // namespace sgl::golden
