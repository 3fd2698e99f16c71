// The technical log: one JSON line an event, identifiers and figures only (SEC-70, SEC-71). A field can't be made from
// a plain string: only numbers, durations, identifiers, and `Token` (a short machine word) are accepted.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"
#include "lib/base/strong.hpp"
#include "lib/base/uuid.hpp"

namespace sgl::log {

enum class Level : std::uint8_t { debug, info, warn, error };

/// A machine word: state, code, channel, coordinate, control id. Anything outside [A-Za-z0-9 ._:/@\-\[\]()] becomes
/// '?', and it is cut at 120 characters. Never give it patient data.
class Token {
public:
    explicit Token(std::string_view word);
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

class Field {
public:
    template <std::integral T>
    Field(std::string_view name, T number) : name_(name), value_(std::to_string(number)) {}
    Field(std::string_view name, bool flag) : name_(name), value_(flag ? "true" : "false") {}
    Field(std::string_view name, double number) : name_(name), value_(std::to_string(number)) {}
    Field(std::string_view name, const Uuid& id) : name_(name), value_('"' + to_string(id) + '"') {}
    Field(std::string_view name, const Token& word) : name_(name), value_('"' + word.text() + '"') {}
    Field(std::string_view name, std::chrono::microseconds duration)
        : name_(name), value_(std::to_string(duration.count())) {}  ///< in microseconds; end the name in _us
    template <class Tag, class T>
    Field(std::string_view name, const Strong<Tag, T>& id) : Field(name, id.value()) {}

    std::string_view name() const { return name_; }
    const std::string& value() const { return value_; }

private:
    std::string_view name_;
    std::string value_;  // already JSON
};

using Fields = std::initializer_list<Field>;

/// `file` empty: standard error. Call once, before threads. `json` false writes `sentence key=value`.
void open(const std::string& file, Level level, bool json);
void flush();

/// `sentence` is a literal of the program, not built from data.
void write(Level level, std::string_view sentence, Fields fields);
inline void debug(std::string_view sentence, Fields fields = {}) {
    write(Level::debug, sentence, fields);
}
inline void info(std::string_view sentence, Fields fields = {}) {
    write(Level::info, sentence, fields);
}
inline void warn(std::string_view sentence, Fields fields = {}) {
    write(Level::warn, sentence, fields);
}
inline void error(std::string_view sentence, Fields fields = {}) {
    write(Level::error, sentence, fields);
}

/// Fault, place and sentence of an Error: by contract without patient data.
void warn(std::string_view sentence, const Error& error);
void error(std::string_view sentence, const Error& error);

}  // namespace sgl::log
