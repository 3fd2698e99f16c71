#include "lib/base/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "lib/base/time.hpp"

namespace sgl {

void throw_exception_from_error(const Error& error, const boost::source_location& /*location*/) {
    throw std::logic_error("value() of a Result that holds an error: " + to_string(error));
}

}  // namespace sgl

namespace sgl::log {

namespace {

std::shared_ptr<spdlog::logger>& sink() {
    static std::shared_ptr<spdlog::logger> logger = [] {
        auto made = std::make_shared<spdlog::logger>("sgld", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%v");
        return made;
    }();
    return logger;
}

bool as_json = true;
Level lowest = Level::info;

std::string_view word(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warn:
            return "warn";
        case Level::error:
            return "error";
    }
    return "";
}

}  // namespace

Token::Token(std::string_view word) : text_(word.substr(0, 120)) {
    std::ranges::replace_if(
        text_,
        [](char c) {
            const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
            return !plain && std::string_view(" ._:/@-[]()").find(c) == std::string_view::npos;
        },
        '?');
}

void open(const std::string& file, Level level, bool json) {
    if (!file.empty()) {
        sink() = std::make_shared<spdlog::logger>("sgld", std::make_shared<spdlog::sinks::basic_file_sink_mt>(file));
        sink()->set_pattern("%v");
    }
    sink()->set_level(spdlog::level::trace);
    sink()->flush_on(spdlog::level::info);
    lowest = level;
    as_json = json;
}

void flush() {
    sink()->flush();
}

void write(Level level, std::string_view sentence, Fields fields) {
    if (level < lowest) return;
    const auto now = to_iso8601(SystemClock{}.now());
    std::string line;
    if (as_json) {
        line = fmt::format(R"({{"time":"{}","level":"{}","event":"{}")", now, word(level), sentence);
        for (const auto& field : fields)
            line += fmt::format(R"(,"{}":{})", field.name(), field.value());
        line += '}';
    } else {
        line = fmt::format("{} {} {}", now, word(level), sentence);
        for (const auto& field : fields)
            line += fmt::format(" {}={}", field.name(), field.value());
    }
    sink()->log(level >= Level::error ? spdlog::level::err : spdlog::level::info, line);
}

void warn(std::string_view sentence, const Error& error) {
    write(Level::warn, sentence,
          {{"fault", Token{to_string(error.fault)}}, {"where", Token{error.where}}, {"what", Token{error.what}}});
}

void error(std::string_view sentence, const Error& error) {
    write(Level::error, sentence,
          {{"fault", Token{to_string(error.fault)}}, {"where", Token{error.where}}, {"what", Token{error.what}}});
}

}  // namespace sgl::log
